/* SPDX-License-Identifier: Apache-2.0 */
/* standby: the ledger of an engine that follows, how far the active one has flushed, and which keys it seals by. */
#include "engine/standby.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/logline.h"
#include "engine/state.h"

/* Between two looks at what is flushed. */
#define LOOK_MS 500
/* The log is a moment behind the ledger that was copied. */
#define CATCH_UP_MS (30 * SECOND_MS)

struct standby {
    struct ledger *source; /* the server's, read only */
    pthread_t thread;
    bool runs;
    _Atomic bool ending;
};

#define FILE_NAME "standby.db"

static void remove_file(const char *path)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[700];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

static void copy_began(void *context)
{
    (void)context;
}

void standby_remove(const struct engine *engine)
{
    char path[600];
    snprintf(path, sizeof path, "%s/" FILE_NAME, engine->folder);
    remove_file(path);
}

static err copy_ledger(struct engine *engine, const char *path, struct problem *problem)
{
    steady_ns start = steady_now();
    standby_remove(engine);
    err error = ledger_copy(engine->standby->source, path, copy_began, NULL, problem);
    if (error == ERR_OK)
        log_line(LOG_INFO, "standby_copied", "ms=%lld", (long long)steady_since_ms(start));
    return error;
}

/* What was committed there is in the log; we may not have seen it yet. */
static err wait_for_log(struct engine *engine, struct problem *problem)
{
    uint64_t applied = ledger_applied_seq(engine->ledger);
    steady_ns start = steady_now();
    while (log_last_seq(engine->log) < applied) {
        if (steady_since_ms(start) > CATCH_UP_MS)
            return problem_set(problem, ERR_UNAVAILABLE,
                               "the ledger has applied record %llu, the log ends at %llu",
                               (unsigned long long)applied,
                               (unsigned long long)log_last_seq(engine->log));
        steady_sleep_ms(10);
    }
    return ERR_OK;
}

err standby_open(struct engine *engine, struct problem *problem)
{
    char path[600];
    struct ledger_config source = { .path = engine->config.ledger_url,
                                    .readers = 1,
                                    .read_only = true };
    snprintf(path, sizeof path, "%s/" FILE_NAME, engine->folder);
    engine->standby = memory_alloc(sizeof *engine->standby);
    if (engine->standby == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a standby");
    err error = ledger_open(&engine->standby->source, &source, problem);
    if (error == ERR_OK)
        error = copy_ledger(engine, path, problem);
    if (error == ERR_OK)
        error =
            ledger_open(&engine->ledger,
                        &(struct ledger_config){
                            .path = path, .renew = engine_renew, .renew_context = engine->keys },
                        problem);
    return error == ERR_OK ? wait_for_log(engine, problem) : error;
}

/* ---- what is flushed ---- */

/* The newest batch of the active one that ends within what we have applied: beyond it the tail would let go of what it has not
 * got yet. */
struct flushed {
    uint64_t applied_seq, last_seq;
    struct ledger_value batch[6]; /* a row of BATCHES: integers alone */
};

static bool last_flushed(void *context, const struct ledger_value *values)
{
    struct flushed *flushed = context;
    uint64_t last_seq = (uint64_t)values[3].integer;
    if (values[5].integer == 0 || last_seq > flushed->applied_seq || last_seq <= flushed->last_seq)
        return true;
    flushed->last_seq = last_seq;
    memcpy(flushed->batch, values, sizeof flushed->batch);
    return true;
}

struct pruning {
    struct ledger_writes *writes;
    uint64_t until_seq;
};

static bool prune_row(void *context, const struct ledger_value *values)
{
    struct pruning *pruning = context;
    uint64_t end = (uint64_t)values[0].integer + (uint64_t)values[1].integer;
    if (end > pruning->until_seq + 1)
        return false;
    ledger_delete(pruning->writes, LEDGER_OUTCOMES, &values[0]);
    return true;
}

/* Outcomes are for the flush, which happened elsewhere: our ledger says so as well, in case it is written from here on. */
static void prune(struct engine *engine, const struct flushed *flushed)
{
    struct problem problem;
    struct pruning pruning = { .writes = ledger_writes_new(engine->ledger),
                               .until_seq = flushed->last_seq };
    if (pruning.writes == NULL)
        return;
    err error = ledger_scan(engine->ledger, LEDGER_OUTCOMES, NULL, prune_row, &pruning, &problem);
    ledger_put(pruning.writes, LEDGER_BATCHES, flushed->batch);
    if (error == ERR_OK && ledger_apply(engine->ledger, &pruning.writes, 0, NULL, NULL) != ERR_OK)
        log_line(LOG_WARN, "standby_not_pruned", "%s", "");
    ledger_writes_free(&pruning.writes);
}

static void look_at_flushes(struct engine *engine)
{
    struct problem problem;
    struct flushed flushed = { .applied_seq = atomic_load(&engine->committed_seq) };
    err error = ledger_scan(engine->standby->source, LEDGER_BATCHES, NULL, last_flushed, &flushed,
                            &problem);
    if (error == ERR_OK && flushed.last_seq > atomic_load(&engine->flushed_seq)) {
        prune(engine, &flushed);
        atomic_store(&engine->flushed_seq, flushed.last_seq);
    }
}

static bool is_ending(struct engine *engine)
{
    return atomic_load(&engine->stopping) || atomic_load(&engine->standby->ending);
}

static void *follow_ledger(void *context)
{
    struct engine *engine = context;
    pthread_setname_np(pthread_self(), "kith-standby");
    while (!is_ending(engine)) {
        if (engine->warehouse != NULL)
            look_at_flushes(engine);
        engine_look_for_keys(engine, engine->standby->source);
        for (int slept = 0; slept < LOOK_MS && !is_ending(engine); slept += 20)
            steady_sleep_ms(20);
    }
    engine_look_for_keys(engine, engine->standby->source); /* the last word of one that is gone */
    return NULL;
}

err standby_start(struct engine *engine, struct problem *problem)
{
    struct standby *standby = engine->standby;
    if (pthread_create(&standby->thread, NULL, follow_ledger, engine) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    standby->runs = true;
    return ERR_OK;
}

void standby_close(struct engine *engine)
{
    struct standby *standby = engine->standby;
    if (standby == NULL)
        return;
    atomic_store(&standby->ending, true);
    if (standby->runs)
        pthread_join(standby->thread, NULL);
    ledger_close(&standby->source);
    memory_free(standby);
    engine->standby = NULL;
}
