/* SPDX-License-Identifier: Apache-2.0 */
/* tail: applied blocks that the warehouse may not have yet, with what became of each record.
 *
 * An `applied_block` is made by the engine, immutable from then on, and shared by counting: the tail
 * answers timelines from it, the flusher makes rows of it. Its outcomes say for each record what the
 * engine decided; they are also a row of the ledger (OUTCOMES) until the block is flushed, so that after
 * a crash the same rows can be made from log and outcomes, without deciding anything again.
 *
 * Outcomes, per record in order (docs/formats/outcomes.md):
 *   u8 fate; when applied: varint node, varint origin row, varint row count, that many varint rows.
 *
 * Beyond a budget of bytes the oldest blocks give up their records and are read from the log again.
 * The list belongs to the engine's thread; reference counts and `flushed` may be used by any.
 */
#ifndef KITH_ENGINE_TAIL_H
#define KITH_ENGINE_TAIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/queue.h"
#include "engine/engine.h"
#include "event/event.h"
#include "log/log.h"

struct applied_block {
    struct queue_item item;     /* the flusher's queue */
    struct applied_block *next; /* the tail's list, oldest first */
    _Atomic uint32_t references;
    pthread_mutex_t mutex;   /* guards `block` while it is dropped or fetched */
    struct log_block *block; /* NULL: given up, read it from the log */
    uint64_t first_seq;
    uint32_t count;
    int64_t received_ms;
    uint32_t applied; /* records that became rows */
    size_t bytes;
    uint32_t *nodes; /* per record: customer at birth, 0 when not a row */
    char *outcomes;
    size_t outcomes_size;
};

/* One record's outcome. */
struct outcome {
    enum engine_fate fate;
    uint32_t node, origin;
    uint32_t row_count;
    uint32_t rows[EVENT_IDENTIFIERS_MAX];
};
void outcome_write(struct buffer *out, const struct outcome *outcome);
/* CORRUPT when the bytes cannot be an outcome. */
err outcome_read(struct cursor *cursor, struct outcome *outcome) MUST_USE;

/* Takes a reference to `block`; `outcomes` is copied and read for the nodes. */
err applied_block_new(struct log_block *block, str outcomes, struct applied_block **made) MUST_USE;
void applied_block_hold(struct applied_block *applied);
void applied_block_release(struct applied_block **applied);
/* The records, from RAM or the log; release the block. */
err applied_block_open(struct applied_block *applied, struct log *log, struct log_block **block,
                       struct problem *problem) MUST_USE;

struct engine_tail {
    struct log *log;
    struct applied_block *first, **last;
    struct applied_block *oldest_kept; /* first one that still has its records */
    size_t bytes, bytes_max;
    uint64_t flushed_seq; /* the warehouse has all rows up to it */
};

void tail_init(struct engine_tail *tail, struct log *log, size_t bytes_max);
void tail_deinit(struct engine_tail *tail);
void tail_add(struct engine_tail *tail, struct applied_block *applied); /* takes a reference */
/* Let go what the warehouse has. */
void tail_advance(struct engine_tail *tail, uint64_t flushed_seq);

#endif
