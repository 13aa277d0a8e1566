/* SPDX-License-Identifier: Apache-2.0 */
/* events: the warehouse's tables, rows on their way into them, and what the flush asks of them.
 *
 * A row is a plain struct, so that this room knows nothing of events; the flush fills it. The columns
 * and what they mean are in docs/formats/warehouse.md.
 *
 * A flush, exact after a crash at any point (warehouse.h W1, W2):
 *     ledger: BATCHES (number, shard, first_seq, last_seq, rows, 0)
 *     rows:   event_row_write for each, into one buffer
 *     warehouse_insert_events(number, rows)
 *     ledger: done
 * After a crash or an unknown result: warehouse_stop_batch, warehouse_present_seqs, then insert what is
 * missing (under batch name `again` > 0, since its content differs).
 */
#ifndef KITH_STORE_EVENTS_H
#define KITH_STORE_EVENTS_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"
#include "store/warehouse.h"

/* Under the million rows at which ClickHouse would begin a second block (W1). */
#define WAREHOUSE_BATCH_ROWS_MAX 500000

struct warehouse_event {
    uint64_t seq;
    uint64_t batch;
    uint32_t source;
    uint8_t message_key[16];
    uint8_t kind;
    uint8_t flags;
    str type;
    str channel;
    int64_t time_ms;
    int64_t received_ms;
    uint32_t customer;           /* number at birth */
    uint32_t origin;             /* row of the identifier that brought it; 0: none */
    const uint32_t *identifiers; /* rows of all identifiers on it */
    uint32_t identifier_count;
    uint32_t promoted_set;       /* bit per enum promoted; the rest is missing */
    const int64_t *promoted_int; /* PROMOTED_COUNT; read where its bit is set */
    const str *promoted_text;
    str props;
    str context;
};

/* "seq,batch,…": the columns that event_row_write writes, in its order. Static. */
const char *warehouse_event_columns(void);
/* Append one row in RowBinary. Sticky failure of the buffer. Any thread. Cost: a copy of the texts. */
void event_row_write(struct buffer *out, const struct warehouse_event *row);

/* Insert rows as one block. `again`: 0 the first time, then counted up for each other content. Errors
 * as warehouse_insert; after any error the result is unknown. */
err warehouse_insert_events(struct warehouse *warehouse, uint64_t batch, uint32_t again, str rows,
                            struct problem *problem) MUST_USE;
/* On a cluster: what is inserted from here on, by this opening, counts as of this epoch (log.h, L6), and whatever another one inserts
 * under a lower number does not any more, whenever it arrives. Nothing is to be asked or inserted before. LOCKED: a higher one was
 * here. Embedded, and with epoch 0, nothing is done: who has the folder is alone. */
err warehouse_take_writing(struct warehouse *warehouse, uint64_t epoch,
                           struct problem *problem) MUST_USE;
/* Make sure that no insert of this batch still runs. OK too when there is none. */
err warehouse_stop_batch(struct warehouse *warehouse, uint64_t batch, uint32_t again,
                         struct problem *problem) MUST_USE;
/* The seqs that are there between the two (inclusive), ascending: uint64_t each, appended to `out`.
 * Cost: a pass over the column seq. */
err warehouse_present_seqs(struct warehouse *warehouse, uint64_t first_seq, uint64_t last_seq,
                           struct buffer *out, struct problem *problem) MUST_USE;
/* The largest seq; 0 when there is none. */
err warehouse_max_seq(struct warehouse *warehouse, uint64_t *seq, struct problem *problem) MUST_USE;

/* ---- lists that lie whole in each place: what was taken back ---- */

/* A table of one column of numbers, and what should be in it. */
struct warehouse_list {
    const char *table, *column;
    str rows; /* uint64_t each */
    uint64_t count, sum;
};
/* See that the table holds just that, on each shard; where it does not, it is emptied and filled under `batch`. */
err warehouse_settle_list(struct warehouse *warehouse, const struct warehouse_list *list, str batch,
                          struct problem *problem) MUST_USE;

/* ---- erasing ---- */

/* Remove all rows of these customers ("1,2,3"), and wait until they are out of every table; the former parts may
 * still lie there (warehouse_count_old_parts). */
err warehouse_erase_customers(struct warehouse *warehouse, str customers, int64_t timeout_ms,
                              struct problem *problem) MUST_USE;
/* The same of all rows of which `condition` (SQL over a row) is true. */
err warehouse_delete_events(struct warehouse *warehouse, str condition, int64_t timeout_ms,
                            struct problem *problem) MUST_USE;
/* Parts that were replaced stay so long. Servers before ClickHouse 20 keep to their own configuration. */
err warehouse_keep_old_parts(struct warehouse *warehouse, int seconds,
                             struct problem *problem) MUST_USE;
err warehouse_count_old_parts(struct warehouse *warehouse, uint64_t *count,
                              struct problem *problem) MUST_USE;

/* While much comes in, parts are merged only when there are very many, and not ten at a time: to be ended when it is over.
 * Until the child's next start at most. UNSUPPORTED on a cluster, whose servers keep their own way. */
err warehouse_put_off_merges(struct warehouse *warehouse, bool put_off,
                             struct problem *problem) MUST_USE;

/* ---- merges ---- */

struct warehouse_alias {
    uint32_t customer; /* number at birth */
    uint32_t current;  /* whose she is now; equal when a merge was undone */
    uint64_t version;  /* seq that made it so: the highest counts */
};
err warehouse_put_aliases(struct warehouse *warehouse, const struct warehouse_alias *aliases,
                          size_t count, struct problem *problem) MUST_USE;
/* The newest alias that is in every place; 0 when there is none. */
err warehouse_alias_version(struct warehouse *warehouse, uint64_t *version,
                            struct problem *problem) MUST_USE;
/* Read the dictionary anew when this process put aliases. A query that names it does so by itself. */
err warehouse_refresh_aliases(struct warehouse *warehouse, struct problem *problem) MUST_USE;
/* SQL that gives the current number of column `customer`: group by it. */
#define WAREHOUSE_CURRENT_CUSTOMER \
    "dictGetOrDefault('alias_map', 'current', toUInt64(customer), customer)"

#endif
