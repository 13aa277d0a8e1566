/* SPDX-License-Identifier: Apache-2.0 */
/* events_order: rows in RowBinary, and their order in the table. Private to store/.
 *
 * A block that comes sorted is stored as it is; one that does not is permuted by the warehouse column
 * by column (measured: 1.5 of 6 microseconds a row). The rows stay where they are: their places are
 * sorted.
 */
#ifndef KITH_STORE_EVENTS_ORDER_H
#define KITH_STORE_EVENTS_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/places.h"

struct row_order {
    const char *bytes; /* borrowed: as event_row_write left them */
    size_t count;
    struct row_place *places; /* in the order of the bytes */
    uint32_t *order;          /* places by (customer, time_ms, seq) */
};

/* CORRUPT when the bytes are not whole rows. Only the rows of customers n with n % parts == part. */
err row_order_make(struct row_order *order, str rows, uint32_t part, uint32_t parts,
                   struct problem *problem) MUST_USE;
void row_order_free(struct row_order *order);

#endif
