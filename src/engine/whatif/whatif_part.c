/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_part: a run in parts, each with some of the customers and a thread of its own.
 *
 *     run_stage: all parts alike ─▶ parts_choose ─▶ cast, stream ─▶ parts_share ─▶ parts_run ─┬─ part 0 ─┬─▶ what came of each is added up
 *                                                                                           └─ part 1 ─┘
 *
 * Invariants
 *   P1 a part has all of a customer: her events, touches and positions; who belongs to which is a hash of her root.
 *   P2 there is more than one part only where customers share nothing that a touch may depend on: no budget, no coupons that may run
 *      out, no cap on how many enter, no adviser's day that may be full, and nobody who merges in the midst of it.
 *   P3 so what comes of a customer is the same however many parts there are (tests/sim/whatif_lived.c). Beyond that many things at
 *      one moment (CLAIM_MAX, JOURNEY_RUN_MAX) they are done in batches, here as in life, and two touches of hers at that very moment
 *      may meet in another order. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/whatif/whatif_inside.h"

#define STARTS_BYTES (HISTORY_TYPES_MAX * sizeof(bool))

bool part_has(const struct whatif_run *run, uint32_t customer)
{
    return run->parts == NULL || run->parts->count == 1 ||
           hash_mix64(customer) % run->parts->count == run->part;
}

/* ---- life ---- */

static err new_part(struct whatif_run *run, uint32_t index)
{
    struct whatif_run *part = memory_alloc(sizeof *part);
    struct problem *problem = memory_alloc(sizeof *problem);
    if (part == NULL || problem == NULL) {
        memory_free(part);
        memory_free(problem);
        return ERR_NOMEM;
    }
    part->engine = run->engine;
    part->order = run->order; /* its texts stay the run's */
    part->listener = run->listener;
    part->cancel = run->cancel;
    part->problem = problem;
    part->start = run->start;
    part->parts = run->parts;
    part->part = index;
    run->parts->runs[index] = part;
    run->parts->count = index + 1;
    return whatif_run_new(part);
}

err parts_new(struct whatif_run *run)
{
    run->parts = memory_alloc(sizeof *run->parts);
    if (run->parts == NULL)
        return ERR_NOMEM;
    run->parts->runs[0] = run;
    run->parts->count = 1;
    pthread_mutex_init(&run->parts->listening, NULL);
    bool can_be = !run->order.identities_then && run->order.tasks_per_day == 0;
    err error = ERR_OK;
    for (uint32_t i = 1; can_be && error == ERR_OK && i < run->order.threads; i++)
        error = new_part(run, i);
    return error;
}

static void drop_parts(struct whatif_parts *parts)
{
    while (parts->count > 1) {
        struct whatif_run *part = parts->runs[--parts->count];
        memset(&part->cast, 0, sizeof part->cast); /* the run's */
        part->stream = NULL;
        whatif_run_free(part);
        memory_free(part->problem);
        memory_free(part);
    }
}

void parts_free(struct whatif_run *run)
{
    if (run->parts == NULL)
        return;
    drop_parts(run->parts);
    pthread_mutex_destroy(&run->parts->listening);
    memory_free(run->parts);
    run->parts = NULL;
}

/* ---- before the days ---- */

void parts_choose(struct whatif_run *run)
{
    if (run->journeys == NULL || run->touches == NULL || run->parts->count == 1)
        return;
    if (journey_overlay_shares(run->journeys) || touches_fork_shares(run->touches))
        drop_parts(run->parts);
}

err parts_share(struct whatif_run *run)
{
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < run->parts->count; i++) {
        struct whatif_run *part = run->parts->runs[i];
        part->cast = run->cast;
        part->stream = run->stream;
        part->starts = memory_alloc(STARTS_BYTES);
        if (part->starts == NULL)
            return ERR_NOMEM;
        memcpy(part->starts, run->starts, STARTS_BYTES);
        error = watch_make(part);
    }
    return error;
}

/* ---- the days ---- */

struct working {
    struct whatif_run *part;
    err (*work)(struct whatif_run *part);
    pthread_t thread;
    bool has_thread;
    err error;
};

static int64_t thread_processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* The others do not wait for what this one will never take. */
static void *work(void *context)
{
    struct working *working = context;
    struct whatif_run *part = working->part;
    int64_t before_ns = thread_processor_ns();
    if (part->part > 0)
        pthread_setname_np(pthread_self(), "kith-whatif");
    working->error = working->work(part);
    if (working->error != ERR_OK)
        atomic_store(&part->parts->is_failed, true);
    if (working->error != ERR_OK || part->is_cut)
        stream_stop(part->stream);
    part->processor_ns = thread_processor_ns() - before_ns;
    return NULL;
}

/* That one failed is why the others ended. */
static err error_of(const struct working *works, uint32_t count, struct whatif_run *run)
{
    err error = ERR_OK;
    for (uint32_t i = 0; i < count; i++) {
        if (works[i].error == ERR_OK || (error != ERR_OK && error != ERR_UNAVAILABLE))
            continue;
        error = works[i].error;
        if (i > 0 && run->problem->error == ERR_OK)
            *run->problem = *works[i].part->problem;
    }
    return error;
}

static err absorb(struct whatif_run *run, const struct whatif_run *part)
{
    run->events += part->events;
    run->records += part->records;
    run->values_asked += part->values_asked;
    run->processor_ns += part->processor_ns;
    run->is_cut = run->is_cut || part->is_cut;
    run->until_ms = part->until_ms < run->until_ms ? part->until_ms : run->until_ms;
    err error = journey_overlay_absorb(run->journeys, part->journeys);
    if (error == ERR_OK)
        touches_fork_absorb(run->touches, part->touches);
    return error == ERR_OK ? tally_absorb(run, &part->tally) : error;
}

err parts_run(struct whatif_run *run, err (*worked)(struct whatif_run *part))
{
    struct working works[WHATIF_THREADS_MAX];
    uint32_t count = run->parts->count;
    INVARIANT(count > 0 && count <= WHATIF_THREADS_MAX);
    for (uint32_t i = 0; i < count; i++)
        works[i] = (struct working){ .part = run->parts->runs[i], .work = worked };
    for (uint32_t i = 1; i < count; i++) {
        works[i].has_thread = pthread_create(&works[i].thread, NULL, work, &works[i]) == 0;
        if (works[i].has_thread)
            continue;
        works[i].error = ERR_NOMEM;
        atomic_store(&run->parts->is_failed, true);
        stream_stop(run->stream);
    }
    work(&works[0]);
    for (uint32_t i = 1; i < count; i++)
        if (works[i].has_thread)
            pthread_join(works[i].thread, NULL);
    err error = error_of(works, count, run);
    for (uint32_t i = 1; error == ERR_OK && i < count; i++)
        error = absorb(run, run->parts->runs[i]);
    return error;
}
