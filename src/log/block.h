/* SPDX-License-Identifier: Apache-2.0 */
/* block: how records lie in a block, as bytes and in memory. Private to log/.
 *
 * The byte tables are in docs/formats/log-block.md; the constants here are their twins.
 */
#ifndef KITH_LOG_BLOCK_H
#define KITH_LOG_BLOCK_H

#include "log/log.h"

#define BLOCK_HEADER_BYTES 40u
#define BLOCK_VERSION 1u

enum block_codec { BLOCK_CODEC_NONE = 0, BLOCK_CODEC_LZ4 = 1 };

/* A block in memory is one piece: this, then its records. `next` is the reader's list. */
struct block_node {
    struct log_block block;
    struct block_node *next;
};

/* Room for `record_bytes` bytes of records, not set; one reference, the caller's. NULL: no memory. */
struct block_node *block_new(uint64_t first_seq, uint32_t count, int64_t received_ms,
                             size_t record_bytes) MUST_USE;
/* Where the records of a new block are written. */
char *block_room(struct block_node *node);

/* Walk `records`; true when they are exactly `count` well-formed records and nothing else. */
bool block_records_are_whole(str records, uint32_t count);

/* What the header of a stored block says. */
struct block_head {
    unsigned version, codec, reserved;
    uint64_t first_seq;
    int64_t received_ms;
    uint32_t count, record_bytes, stored_bytes, crc;
};
/* Unchecked but for its magic: for what only needs a hint. False when `bytes` cannot be a block. */
bool block_head_read(str bytes, struct block_head *head);

/* As log_block_encode, with the state of LZ4 kept by the caller (block_codec_bytes of it). */
size_t block_codec_bytes(void);
err block_encode(struct buffer *out, const struct log_block *block, void *codec) MUST_USE;

#endif
