/* SPDX-License-Identifier: Apache-2.0 */
/* runs: memory of bases, in whole pages out of large regions. Private to history.
 *
 * Bases are of like sizes, and each new one is a little larger than the one that it follows. A heap keeps the
 * holes (measured: 60 percent more than is used, after as many events as customers); here the first hole that is
 * large enough is taken, in the order of addresses (20 percent more). Regions are a page smaller than a huge page:
 * the first touch of one costs a slice of milliseconds, and scans gain nothing by it. Under sanitizers a run is a
 * malloc. */
#ifndef KITH_HISTORY_RUNS_H
#define KITH_HISTORY_RUNS_H

#include <stddef.h>
#include <stdint.h>

#define RUN_PAGE_BYTES ((size_t)4096)
#define RUN_REGION_PAGES 511u

struct run_region {
    char *memory;
    uint16_t free_count;
    uint16_t first_free; /* no page before it is free */
    uint16_t longest;    /* no run is longer */
    uint64_t used[(RUN_REGION_PAGES + 1) / 64];
};
struct runs {
    struct run_region *regions;
    uint32_t count, capacity;
};

size_t runs_size(size_t bytes); /* what a run of so many bytes really takes */
void *runs_take(struct runs *runs, size_t bytes);
void runs_give(struct runs *runs, void *run, size_t bytes);
void runs_free(struct runs *runs);

#endif
