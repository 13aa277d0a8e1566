/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_stream: what the parts of a run's stream share. Private to whatif_stream.c, whatif_reader.c and whatif_tail.c. */
#ifndef KITH_ENGINE_WHATIF_STREAM_H
#define KITH_ENGINE_WHATIF_STREAM_H

#include <pthread.h>

#include "engine/whatif/whatif_inside.h"

#define CHUNK_ROWS 8192
#define CHUNK_BYTES_MAX ((size_t)64 << 20)
#define SQL_BYTES_MAX ((size_t)8 << 20)
#define PAST_FLAGS (EVENT_HISTORICAL | EVENT_IMPORTED)

struct chunk {
    struct chunk *next;
    struct arena texts;
    size_t count, taken;
    struct whatif_row rows[CHUNK_ROWS];
};

/* What one part of the run reads. */
struct lane {
    struct chunk *first, **last; /* under the mutex */
    size_t chunk_count;
    struct chunk *filling; /* the reader's */
    struct chunk *now;     /* the part's, as the next */
    size_t tail_next;
};

struct stream {
    struct whatif_run *run;
    struct buffer types, props_types; /* quoted, with commas */
    uint8_t *wanted;                  /* by type of history: 1 wanted, 2 with its properties */
    uint64_t flushed_seq, expected;
    struct buffer kept; /* " AND …": what an undo has taken back so far */

    pthread_t reader;
    bool has_reader;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool is_over, stopping;
    err error;
    struct problem problem;

    struct lane lanes[WHATIF_THREADS_MAX];
    struct whatif_row *tail;
    size_t tail_count, tail_capacity;
    struct arena tail_texts;
};

/* whatif_stream.c. What she decided is known from then on, whatever she decided later. */
err stream_keep_consent(struct whatif_run *run, uint32_t node, bool granted, str props_text,
                        int64_t time_ms) MUST_USE;
/* Who merges in the midst of it does so where there is one part alone. */
struct lane *stream_lane(struct stream *stream, uint32_t node);
void stream_chunk_free(struct chunk *chunk);

/* whatif_tail.c: what the warehouse does not have yet, in order, and up to where it has. */
err stream_read_tail(struct stream *stream) MUST_USE;

/* whatif_reader.c: how much there is, consents of before; then a thread reads. */
err stream_begin_reader(struct stream *stream) MUST_USE;

#endif
