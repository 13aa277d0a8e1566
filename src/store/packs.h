/* SPDX-License-Identifier: Apache-2.0 */
/* packs: what is derived from events, in pieces on disk, so that a start need not derive all of it again.
 *
 * A piece is a few bytes up to some megabytes that say what a part of memory was at `seq`: its owner writes and reads it. The
 * file is a cache: all of it can be made again. docs/formats/history-pack.md has its bytes.
 *
 *     packs_put ─▶ bytes in free pages ─▶ packs_commit: synced, then rows of PACKS ─▶ the pages that they replace are
 *                                                                                   free, and read as zeros
 *
 * Invariants
 *   P1 the ledger is the truth: its table `packs` says which pieces count, where they lie, and their digests. A row is
 *      committed after its bytes are synced, and behind all that was applied up to its seq. So a ledger out of a backup, or
 *      one that lost its last commits, is never read together with bytes that are not its own.
 *   P2 a piece whose bytes do not fit their digest does not count.
 *   P3 a piece of a block that was spoiled after its seq (`packs_spoiled`) does not count: there something was taken back,
 *      which no later event tells.
 *   P4 a round's seq is told to the ledger when it was committed there: a piece that is put later is never from before it.
 *   P5 pages that no piece has read as zeros before they are used again: what was erased is not left in them.
 *
 * Threads: opening, packs_read and packs_close while nobody else is there; packs_put and packs_commit by one thread;
 * packs_wipe by any beside it. packs_seq by who puts.
 */
#ifndef KITH_STORE_PACKS_H
#define KITH_STORE_PACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/ledger.h"

struct packs;

/* KIND, whether packs_spoiled speaks of it, what its pieces are */
#define PACK_KIND_TABLE(X)                                          \
    X(EVENTS, true, "events of HISTORY_BLOCK_NODES neighbours")     \
    X(SUMS, true, "orders, counts and times of the same customers") \
    X(SEEN, false, "when identifiers were last seen, by row")
enum pack_kind {
#define X(NAME, spoiled, about) PACK_##NAME,
    PACK_KIND_TABLE(X)
#undef X
        PACK_KIND_COUNT
};

/* Opens or creates the file; of a file of another version nothing counts. Pieces newer than the ledger's applied_seq do not
 * count. IO. */
err packs_open(struct packs **packs, const char *path, struct ledger *ledger,
               struct problem *problem) MUST_USE;
void packs_close(struct packs **packs);

/* Numbers of this kind are below it. */
uint32_t packs_numbers(const struct packs *packs, enum pack_kind kind);
const char *packs_kind_name(enum pack_kind kind);
/* Up to which seq the piece has everything; 0: it does not count. A number that never had a piece has nothing, up to the end of the
 * last round. */
uint64_t packs_seq(const struct packs *packs, enum pack_kind kind, uint32_t number);
/* What it says, into `bytes`. False when it does not count, or no longer (P2). */
bool packs_read(struct packs *packs, enum pack_kind kind, uint32_t number, struct buffer *bytes);
/* Its owner cannot read it: it does not count. */
void packs_refuse(struct packs *packs, enum pack_kind kind, uint32_t number);
/* Pieces that did not count when they were read, and the first of them by name. */
uint32_t packs_refused(const struct packs *packs);
#define PACKS_REFUSED_NAMED 6u
struct packs_name {
    enum pack_kind kind;
    uint32_t number;
};
struct packs_name packs_refused_at(const struct packs *packs, uint32_t index);

/* Before memory is looked at: what is seen from here on may be put. */
void packs_begin(struct packs *packs);
/* Into the file; it counts from packs_commit on. STORAGE_FULL, IO, NOMEM, CONFLICT (wiped since packs_begin): what was put
 * since the last commit is forgotten, and the pieces before it stay. */
err packs_put(struct packs *packs, enum pack_kind kind, uint32_t number, uint64_t seq, str piece,
              struct problem *problem) MUST_USE;
/* Sync, and tell the ledger. After an error what was put is forgotten, too. Waits for the disk. */
err packs_commit(struct packs *packs, struct problem *problem) MUST_USE;
/* All numbers of all kinds were looked at since the ledger was at `seq`: what was not put since was still true then. After
 * packs_commit. */
err packs_end_round(struct packs *packs, uint64_t seq, struct problem *problem) MUST_USE;
/* 0: no round has ended. */
uint64_t packs_round_seq(const struct packs *packs);
/* These numbers of the kind, and all that was replaced, are gone from the disk when it returns. */
err packs_wipe(struct packs *packs, enum pack_kind kind, const uint32_t *numbers, size_t count,
               struct problem *problem) MUST_USE;
uint64_t packs_file_bytes(const struct packs *packs); /* in use */

#endif
