/* SPDX-License-Identifier: Apache-2.0 */
/* pack: identifiers as they were born, in a file that is read in a tenth of the time.
 *
 * A row of `identifiers` never changes: where it is at home later stands in `identifier_homes`. So the file is a cache of
 * those rows that only grows, in chunks of `chunk_rows`; its bytes are in docs/formats/identity-pack.md.
 *
 * Invariants
 *   K1 the ledger is the truth: its META row `identity_pack` says how many chunks count, and the digest chained over
 *      them. It is committed after the chunk is synced, behind the rows that the chunk holds. What lies beyond in the
 *      file does not count, so that a ledger out of a backup, or one that lost its last commits, fits too.
 *   K2 a chunk whose bytes do not fit its digest is not used: its rows are read from the ledger.
 *   K3 a pack that does not fit the ledger counts as empty, and is written anew.
 *
 * Threads: pack_extend by one thread at a time, pack_read by any before the first pack_extend.
 */
#ifndef KITH_IDENTITY_PACK_H
#define KITH_IDENTITY_PACK_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/codec.h"
#include "base/digest.h"
#include "identity/identity.h"
#include "identity/index.h"

struct pack_chunk {
    uint64_t offset; /* of its head */
    uint32_t bytes;  /* of its body */
    hash128 digest;
};

struct identity_pack {
    int file;
    char path[600];
    uint32_t chunk_rows;
    struct pack_chunk *chunks;
    uint32_t chunk_count, chunk_capacity;
    uint64_t end; /* of the last chunk that counts */
    hash128 chain;
    struct buffer body; /* while extending */
};

/* One row as it was born. */
struct pack_row {
    struct index_key key; /* the main hash */
    uint32_t node, attached_s;
    uint16_t kind; /* of the chunk's own list */
    uint8_t flags;
};

/* The bytes of a chunk, checked, and the places in them. */
struct pack_view {
    uint32_t kind_count, extra_count;
    struct cursor kinds;
    const uint8_t *rows, *extras;
};
struct pack_kind {
    uint32_t type_number;
    str namespace_;
};

/* Chunk `number` into `bytes`; false when it cannot be used (K2). */
bool pack_read(const struct identity_pack *pack, uint32_t number, struct buffer *bytes,
               struct pack_view *view);
bool pack_next_kind(struct pack_view *view, struct pack_kind *kind);
struct pack_row pack_row_at(const struct pack_view *view, uint32_t place);
/* The n-th of the further hashes: of which row of the chunk. */
struct index_key pack_extra_at(const struct pack_view *view, uint32_t number, uint32_t *place);

static inline uint32_t pack_rows(const struct identity_pack *pack)
{
    return pack != NULL ? pack->chunk_count * pack->chunk_rows : 0;
}

#endif
