/* SPDX-License-Identifier: Apache-2.0 */
/* sums: records of one size, one per key, that grow as keys come up: what a pass over very many things counts by day, place and kind.
 *
 *     record   key (key_bytes, at its start) ─ whatever is summed
 *
 * Records stand in the order in which their keys came up. A key is compared byte by byte, so it has no padding in it.
 *
 * Invariants
 *   1 there are never more than `count_max` records.
 *   2 a record moves when another one is added: no pointer is kept across sums_of.
 *
 * One owner thread at a time. */
#ifndef KITH_BASE_SUMS_H
#define KITH_BASE_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct sums {
    size_t record_bytes, key_bytes, count_max;
    unsigned char *records;
    size_t count, capacity;
    uint32_t *index; /* open addressing: the record's place + 1 */
    size_t index_capacity;
};

/* Allocates nothing yet. key_bytes <= record_bytes; count_max < 2^31. */
void sums_init(struct sums *sums, size_t record_bytes, size_t key_bytes, size_t count_max);
void sums_deinit(struct sums *sums);

/* The record of this key, or a new one with the key in it and zeros behind; NULL where it would be one too many.
 * NOMEM: nothing was changed. */
err sums_of(struct sums *sums, const void *key, void **record) MUST_USE;

static inline const void *sums_at(const struct sums *sums, size_t place)
{
    return sums->records + place * sums->record_bytes;
}

#endif
