/* SPDX-License-Identifier: Apache-2.0 */
/* ordered: rows of the warehouse in the order of (customer, time_ms, seq), put into it here.
 *
 * A table that was just written has many parts. To merge them row by row costs the warehouse a microsecond for each row
 * that has a text: six times what it takes to hand the rows out as they lie (measured, 6.8 million rows in 10 parts). So they
 * are asked for by ranges of customers, in no order, and their places are sorted.
 *
 *     how many rows has each slice of customers? ─▶ ranges of up to rows_max
 *     a range ─▶ asked for and sorted by a thread of its own ─▶ taken by the caller's, while the next one comes
 *
 * Neighbours who have more rows than that (a visitor who never ends), or rows of more bytes, are asked for in order: memory
 * stays bounded.
 */
#ifndef KITH_ENGINE_ORDERED_H
#define KITH_ENGINE_ORDERED_H

#include "engine/past/rows.h"
#include "store/places.h"

struct ordered {
    struct warehouse *warehouse;
    str columns;       /* "SELECT …" */
    str from;          /* " FROM … WHERE …", open for another AND */
    uint32_t rows_max; /* of a range; two ranges are in memory */
    size_t bytes_max;  /* of a range's rows */
    /* Reads a row's customer, time and seq, and changes nothing; at its end sets cursor->failed. Any thread. */
    void (*walk)(const void *context, struct cursor *cursor, struct row_place *place);
    row_taker take; /* the caller's thread */
    void *context;
};

/* `name` as for rows_stream, which this is but for the order. WAREHOUSE, UNAVAILABLE, CORRUPT, NOMEM, and what `take` returns. */
err ordered_stream(const struct ordered *ordered, const char *name,
                   struct problem *problem) MUST_USE;

#endif
