/* SPDX-License-Identifier: Apache-2.0 */
/* native: an answer of the warehouse in ClickHouse's Native format, block by block however it is cut on the way.
 *
 * Whole columns come as they lie in the warehouse: for many rows of few fields that costs it half of what rows one by one
 * (engine/past/rows.h) do. A block:
 *     varint columns, varint rows, then each column:
 *     text name, text type, data: numbers little endian; texts with their size as varint before each */
#ifndef KITH_ENGINE_NATIVE_H
#define KITH_ENGINE_NATIVE_H

#include "base/codec.h"
#include "store/warehouse.h"

#define NATIVE_COLUMNS_MAX 8

struct native_column {
    const uint8_t *data;
    size_t size;    /* bytes of data */
    uint32_t width; /* of a number: UInt8 1, UInt32 4, Int64 and UInt64 8; 0: texts */
};
struct native_block {
    size_t row_count;
    uint32_t column_count;
    struct native_column columns[NATIVE_COLUMNS_MAX];
};

/* Borrowed until it returns; its error stops the query. */
typedef err (*native_taker)(void *context, const struct native_block *block);

/* Run `sql` and give its blocks that have rows, in order, to `take`. CORRUPT: no such format, another type than those above, an
 * answer that ends within a block. `name` as in rows_stream. Any thread that may wait. */
err native_stream(struct warehouse *warehouse, const char *name, const char *sql, native_taker take,
                  void *context, struct problem *problem) MUST_USE;

/* The same from bytes in pieces: for native_stream, and tests. */
struct native_reader;
err native_reader_new(struct native_reader **reader, native_taker take, void *context) MUST_USE;
void native_reader_free(struct native_reader **reader);
err native_reader_take(struct native_reader *reader, str bytes) MUST_USE;
/* CORRUPT when the last block is not whole. */
err native_reader_end(struct native_reader *reader, uint64_t *rows) MUST_USE;

#endif
