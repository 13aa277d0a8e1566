/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_copy: all that a warehouse has goes into another one: from the embedded one to a cluster, or back.
 *
 * Invariants
 *   C1 a row is there once, however often a copy was broken off and begun again: each range of seq is compared first, and only rows go
 *      whose seq is not there.
 *   C2 what is there is never touched: where it is not the same CONFLICT names the range.
 *   C3 OK says that every row is the same on both sides: count, seqs and a hash over all columns agree, range by range, and nothing is
 *      there besides.
 *
 * What was taken back (retracted_events, retracted_sources) is not copied: the engine settles these lists at its start. */
#ifndef KITH_STORE_WAREHOUSE_COPY_H
#define KITH_STORE_WAREHOUSE_COPY_H

#include <stdint.h>

#include "base/error.h"
#include "store/warehouse.h"

struct warehouse_copied {
    uint64_t rows;     /* that are the same on both sides now */
    uint64_t inserted; /* of them, by this call */
};

/* Both are ready. `from` may be written on meanwhile by inserts of higher seqs, as a flush does: they are not copied then, and only
 * rows beyond those that were there at the beginning may be missing.
 *
 * Errors: CONFLICT (C2); those of warehouse_query and warehouse_insert, after which it may be called again.
 * Thread: any that may wait; one copy into a warehouse at a time.
 * Cost:   each row is hashed twice on each side, and sent once; a pass over the column seq for each 250,000 numbers. */
err warehouse_copy(struct warehouse *from, struct warehouse *to, struct warehouse_copied *copied,
                   struct problem *problem) MUST_USE;

/* Shards whose rows went elsewhere say no more whose they are: a Kith that is started with them is refused, until their tables are
 * dropped. Embedded: nothing. */
err warehouse_retire(struct warehouse *warehouse, struct problem *problem) MUST_USE;

#endif
