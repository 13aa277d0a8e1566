/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse: all events with all their properties, for long reads.
 *
 * One client speaks ClickHouse's HTTP interface through libcurl. Embedded, it speaks it over a Unix
 * socket to a child of the same binary (`kith warehouse`, store/warehouse_child.h) that runs chDB;
 * distributed, to the shards of a cluster (docs/decisions/clickhouse-cluster.md). chDB in a process of its own: its faults
 * end only the child. SQL is written once, for chDB; for a cluster it is rewritten (store/cluster_sql.h): a SELECT is asked
 * of all shards at once, any other statement is done on each.
 *
 * Invariants
 *   W1 a batch is inserted as one block of at most 500,000 rows, under the batch as query id (on a cluster: one block for
 *      each shard, by a stage). A server does not deduplicate: see W2.
 *   W2 after an unknown result nothing is inserted before the seq that are there were asked for.
 *   W3 the server's text after a 200 that is an exception counts as an error.
 *   W4 rows are never rewritten, but for what seals their personal values (events_renew.h), and removed only by an erasure
 *      (src/privacy); a merge is an alias (customer → current),
 *      applied by dictionary, on a cluster by joinGet.
 *   W5 a cluster answers from all of its shards or not at all (store/cluster.c has its own invariants).
 *
 * The table `events` and its order are in docs/formats/warehouse.md.
 * Threads: a `struct warehouse` is shared; each call takes a connection of a small pool and blocks
 * its thread. Never call from the engine thread, save at start.
 */
#ifndef KITH_STORE_WAREHOUSE_H
#define KITH_STORE_WAREHOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

struct warehouse;

struct warehouse_config {
    const char *folder;      /* embedded: data/warehouse; NULL when `url` is set */
    const char *url;         /* http://host:8123,… of a cluster's shards; NULL: embedded child */
    const char *program;     /* path of the kith binary to start as child; NULL: this one */
    const char *library;     /* path of libchdb.so; NULL: found beside the program */
    size_t memory_bytes_max; /* of the child; default 3 GB */
    /* `folder` is another process's, whose child is asked: nothing is started, made or looked after. Only to read. */
    bool is_guest;
};

/* Starts the child (or reaches the cluster) in the background and keeps it running: a child that
 * dies is started again with back-off, until close. Makes the tables when they are not there. */
err warehouse_open(struct warehouse **warehouse, const struct warehouse_config *config,
                   struct problem *problem) MUST_USE;
void warehouse_close(struct warehouse **warehouse);
/* Wait until it answers; TIMEOUT or the reason why not. */
err warehouse_wait(struct warehouse *warehouse, int64_t timeout_ms,
                   struct problem *problem) MUST_USE;
bool warehouse_is_ready(struct warehouse *warehouse);
int warehouse_child_pid(struct warehouse *warehouse); /* 0 when none; tests kill it */
/* What it answers has been waited for: from now on, some 100 ms later, the child has the lowest priority (nice 19), and so has
 * each that comes after it. Until then a start on a full machine does not stand behind all others. A cluster does not mind.
 * Any thread. */
void warehouse_give_way(struct warehouse *warehouse);

struct warehouse_shard_state {
    const char *url; /* until warehouse_close */
    bool is_up;
};
/* The shards of a cluster, at most `room`; how many: 0 when embedded. Any thread. */
size_t warehouse_shards(struct warehouse *warehouse, struct warehouse_shard_state *states,
                        size_t room);
/* Why it is not ready; OK when it is. A shard that is missing is named. */
err warehouse_check(struct warehouse *warehouse, struct problem *problem);

/* A named parameter of a query: {name:Type} in the text. The value is the text itself, any bytes but
 * zero; for Array, Tuple and Map their literal, as ['a','b\'c']. */
struct warehouse_parameter {
    const char *name;
    str value;
};

/* Run `sql` (which names its own FORMAT) and append the whole answer to `out`. WAREHOUSE with the
 * server's words in `problem`; UNAVAILABLE when it cannot be reached; TIMEOUT. */
err warehouse_query(struct warehouse *warehouse, str sql,
                    const struct warehouse_parameter *parameters, size_t parameter_count,
                    int64_t timeout_ms, struct buffer *out, struct problem *problem) MUST_USE;
/* The same, streamed: `chunk` gets the bytes as they come; false stops the query. */
err warehouse_stream(struct warehouse *warehouse, str sql,
                     const struct warehouse_parameter *parameters, size_t parameter_count,
                     bool (*chunk)(void *context, str bytes), void *context,
                     struct problem *problem) MUST_USE;
/* Insert rows in RowBinary: `table` (with its column list) is inserted under `batch` as query id
 * (on a cluster also as deduplication token). */
err warehouse_insert(struct warehouse *warehouse, str table, str rows, str batch,
                     struct problem *problem) MUST_USE;
/* Make inserted parts safe against power loss (syncfs on the folder); UNSUPPORTED on a cluster. */
err warehouse_sync(struct warehouse *warehouse, struct problem *problem) MUST_USE;

/* ---- backups of an embedded warehouse ---- */

/* A folder of hard links to every part of every table as they are now, below `name`, until warehouse_thaw: merges and
 * later inserts do not touch it. `path` gets the folder, in which parts lie as in warehouse_store_path. UNSUPPORTED on a
 * cluster, which has backups of its own. */
err warehouse_freeze(struct warehouse *warehouse, const char *name, char *path, size_t path_size,
                     struct problem *problem) MUST_USE;
void warehouse_thaw(struct warehouse *warehouse, const char *name);
/* Where the tables of an embedded warehouse lie. */
void warehouse_store_path(const char *warehouse_folder, char *path, size_t path_size);

/* ---- events ---- */

/* Typed columns of `events` besides the fixed ones. X(NAME, column, property, type):
 * TEXT, INT, MONEY (minor units). The e-commerce ones; published rules will add more. Missing values
 * are NULL-like: '' for text, and the minimum int64 for numbers. */
#define PROMOTED_TABLE(X)                           \
    X(ORDER_ID, "order_id", "order_id", TEXT)       \
    X(REVENUE, "revenue", "revenue", MONEY)         \
    X(TOTAL, "total", "total", MONEY)               \
    X(DISCOUNT, "discount", "discount", MONEY)      \
    X(SHIPPING, "shipping", "shipping", MONEY)      \
    X(VALUE, "value", "value", MONEY)               \
    X(PRICE, "price", "price", MONEY)               \
    X(CURRENCY, "currency", "currency", TEXT)       \
    X(QUANTITY, "quantity", "quantity", INT)        \
    X(PRODUCT_ID, "product_id", "product_id", TEXT) \
    X(SKU, "sku", "sku", TEXT)                      \
    X(CATEGORY, "category", "category", TEXT)       \
    X(BRAND, "brand", "brand", TEXT)                \
    X(COUPON, "coupon", "coupon", TEXT)             \
    X(SHOP, "shop", "affiliation", TEXT)            \
    X(STORE_ID, "store_id", "store_id", TEXT)       \
    X(CAMPAIGN, "campaign", "campaign", TEXT)

enum promoted {
#define X(name, column, property, type) PROMOTED_##name,
    PROMOTED_TABLE(X)
#undef X
        PROMOTED_COUNT
};
#define PROMOTED_MISSING INT64_MIN

#endif
