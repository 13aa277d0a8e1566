/* SPDX-License-Identifier: Apache-2.0 */
/* events_renew: texts in the properties of events are changed in the warehouse, each staying as long as it was: sealed anew by a
 * newer key (access/seal.h). How, and what happens when something dies meanwhile, stands in events_renew.c. One thread at a time. */
#ifndef KITH_STORE_EVENTS_RENEW_H
#define KITH_STORE_EVENTS_RENEW_H

#include "store/warehouse.h"

/* Rows from from_seq to to_seq of which `condition` is true, at most `limit` of them. `renew` gets their RowBinary (seq, props,
 * context) and changes texts in place, which stay as long; it says how many. */
struct warehouse_renewal {
    str condition;
    uint64_t from_seq, to_seq;
    size_t limit;
    size_t (*renew)(void *context, char *bytes, size_t size);
    void *context;
    uint64_t rows, changed; /* read; texts that were changed */
    uint64_t next_seq;      /* where the next call goes on; 0: there is no more */
};
/* A step of it, which may be done again after any failure. Minutes on large parts; one at a time. */
err warehouse_renew_events(struct warehouse *warehouse, struct warehouse_renewal *renewal,
                           struct problem *problem) MUST_USE;

#endif
