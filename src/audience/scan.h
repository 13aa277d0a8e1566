/* SPDX-License-Identifier: Apache-2.0 */
/* scan: a running computation of definitions for everybody. Private to audience: made in scan.c, its results taken
 * over in install.c. */
#ifndef KITH_AUDIENCE_SCAN_H
#define KITH_AUDIENCE_SCAN_H

#include <pthread.h>
#include <stdatomic.h>

#include "audience/state.h"

struct found_list; /* what one thread has found for one part */

struct scan {
    struct audience *audience;
    struct scan_part *parts;
    uint32_t part_count;
    bool only_due; /* nothing but due times is wanted */
    int64_t now_ms;
    uint32_t last; /* customer */
    uint64_t seq;  /* up to which what memory does not hold is read back */
    struct stream_form form;
    roaring_bitmap_t *touched; /* engine */
    struct scan_facts facts;
    uint32_t **due; /* by chunk: minutes; a chunk is one thread's */
    uint32_t chunk_count;

    _Atomic uint32_t next_chunk, next_axis;
    _Atomic bool stopping, failed, finished;
    bool measures;
    pthread_mutex_t mutex; /* results */
    pthread_barrier_t barrier;
    bool has_barrier;
    pthread_t threads[8];
    unsigned thread_count;
    _Atomic unsigned running;
};

/* scan_chunk.c. A thread's part of the work: all chunks that nobody has taken yet. */
void scan_all_chunks(struct scan *scan, bool measuring, struct history_reader *reader,
                     struct judging *judging, struct found_list *lists);
/* RFM by quantiles: measured first, and put into boxes when the thresholds are known. */
static inline bool scan_is_measured(const struct scan *scan, const struct scan_part *part)
{
    return scan->measures && part->recipe->quantiles > 0;
}
err scan_keep_boxes(struct scan_part *part) MUST_USE;
/* Lists are of one part each. */
struct found_list *found_lists_new(const struct scan *scan); /* NULL: no memory */
void found_lists_free(const struct scan *scan, struct found_list *lists);
/* Joins its threads first. */
void scan_free(struct scan **scan);

#endif
