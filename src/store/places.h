/* SPDX-License-Identifier: Apache-2.0 */
/* places: where encoded rows of `events` lie, and their order in the table. The rows stay where they are: their places are
 * sorted. */
#ifndef KITH_STORE_PLACES_H
#define KITH_STORE_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct row_place {
    uint64_t offset;
    uint32_t size; /* bytes */
    uint32_t customer;
    int64_t time_ms;
    uint64_t seq;
};

/* Indices of `places` by (customer, time_ms, seq), for memory_free; `count` below 2^32. NOMEM. Any thread. Cost: some 100 ns a row. */
err places_sort(const struct row_place *places, size_t count, uint32_t **sorted,
                struct problem *problem) MUST_USE;

#endif
