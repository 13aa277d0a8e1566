/* SPDX-License-Identifier: Apache-2.0 */
/* flush_inside: the flusher as its files share it. Private to them: flush.c, flush_alias.c, flush_flood.c. */
#ifndef KITH_ENGINE_FLUSH_INSIDE_H
#define KITH_ENGINE_FLUSH_INSIDE_H

#include <pthread.h>

#include "base/arena.h"
#include "base/clock.h"
#include "engine/flush/flush.h"

struct note {
    uint64_t first_seq, last_seq;
};
struct alias {
    uint32_t node, customer;
    uint64_t seq;
};

struct batch;

struct flusher {
    struct engine *engine;
    pthread_t thread;
    bool thread_runs;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    struct queue_item *first, **last; /* applied blocks, in order */
    size_t waiting_rows;
    steady_ns oldest;   /* when the first of them came */
    steady_ns newest;   /* and the last */
    struct note *notes; /* of OUTCOMES rows, in order */
    size_t note_count, note_capacity;
    struct alias *aliases;
    size_t alias_count, alias_capacity;
    bool all_aliases;
    bool flush_now, stopping;
    bool in_flood;         /* flush_flood.c */
    steady_ns many_waited; /* when so many rows were last waiting */
    bool in_batch;         /* from gathered to released */
    unsigned holds;        /* no batch begins */
    steady_ns stop_by;

    /* the thread's own */
    bool merges_wait;       /* what the warehouse was told last */
    steady_ns merges_asked; /* and when */
    bool asks_aside;        /* where the warehouse stands */
    uint64_t batch_next;
    bool flushed_rows;      /* the last batch that the ledger knows of had some */
    uint64_t ask_until_seq; /* rows up to here may be in the warehouse already */
    uint64_t alias_seq;     /* aliases up to this seq are in the warehouse */
    struct buffer rows;
    struct arena arena; /* one event at a time */
    struct batch *batch;
};

/* ---- flush_alias.c ---- */

/* A list that doubles. False without memory. */
bool flusher_grow(void *list, size_t *capacity, size_t count, size_t size);
/* Names for nodes follow rows; a row whose alias is still missing counts for its node meanwhile. Thread: the flusher's. */
void flusher_put_aliases(struct flusher *flusher);

/* ---- flush_flood.c ---- */

/* Rows came. Under the mutex. */
void flood_note_rows(struct flusher *flusher);
/* Has a flood begun or ended of which the warehouse was not told? Not when it is time to end. Under the mutex. */
bool flood_has_turned(const struct flusher *flusher);
/* It is told. Thread: the flusher's, without the mutex. */
void flood_follow(struct flusher *flusher);

#endif
