/* SPDX-License-Identifier: Apache-2.0 */
/* engine: the one thread that applies the log, and how the rest of Kith speaks with it.
 *
 * Its loop, with the function of each step:
 *
 *     take blocks (log_next) ─▶ apply (apply_block) ─▶ commit as a group (commit_group)
 *              ▲                                          │
 *              └──── answer questions (engine_answer, ask.c) ◀┘
 *
 * A group is as many blocks as wait, up to a limit: one ledger transaction under load, one per block when
 * little happens. State does not depend on it (invariant A1).
 */
#include "engine/state.h"

#include <stdio.h>

#include "base/fault.h"
#include "base/logline.h"
#include "base/metric.h"
#include "engine/collecting.h"

#define GROUP_RECORDS_MAX 8192
/* Handed to the ledger and not committed: beyond it the engine waits, then the log, then the doors. */
#define LEDGER_PENDING_BYTES_MAX ((size_t)128 << 20)
/* Of history, between groups. */
#define TIDY_US 1000
#define TIDY_ASKED_US 100

/* ---- a group: apply, then one commit ---- */

static void engine_committed(void *context, uint64_t seq)
{
    struct engine *engine = context;
    if (fault_fires(FAULT_LEDGER_AFTER_COMMIT))
        return;
    uint64_t before = atomic_exchange(&engine->committed_seq, seq);
    uint64_t changed = atomic_load(&engine->access_changed_seq);
    if (changed > before && changed <= seq)
        atomic_fetch_add(&engine->access_version, 1);
    pthread_mutex_lock(&engine->waiters_mutex);
    pthread_cond_broadcast(&engine->waiters_changed);
    pthread_mutex_unlock(&engine->waiters_mutex);
    if (engine->flusher != NULL)
        flusher_wake(engine->flusher, false);
}

static err begin_group(struct engine *engine)
{
    engine->writes = ledger_writes_new(engine->ledger);
    engine->group_first_seq = engine->applied_seq + 1;
    buffer_clear(&engine->outcomes);
    return engine->writes != NULL ? ERR_OK : ERR_NOMEM;
}

static void take_block_outcomes(struct engine *engine)
{
    buffer_append(&engine->outcomes, engine->block_outcomes.data + engine->block_outcomes_taken,
                  engine->block_outcomes.size - engine->block_outcomes_taken);
    engine->block_outcomes_taken = engine->block_outcomes.size;
}

/* Identity keeps new rows in RAM until they can be read in the ledger. */
static void note_group(struct engine *engine)
{
    uint64_t committed = atomic_load(&engine->committed_seq);
    struct group_rows *groups = engine->groups;
    size_t done = 0;
    while (done < engine->group_count && groups[done].last_seq <= committed)
        done++;
    if (done > 0) {
        identity_committed(engine->identity, groups[done - 1].last_row);
        engine->group_count -= done;
        memmove(groups, groups + done, engine->group_count * sizeof *groups);
    }
    struct group_rows now = { engine->applied_seq, identity_row_count(engine->identity) };
    /* With no place left two groups are told as one, a little later. */
    if (engine->group_count == GROUPS_NOTED_MAX)
        engine->group_count--;
    groups[engine->group_count++] = now;
}

/* For the commit of a command. */
static bool somebody_waits(struct engine *engine)
{
    pthread_mutex_lock(&engine->waiters_mutex);
    bool waits = engine->waiters != NULL;
    pthread_mutex_unlock(&engine->waiters_mutex);
    return waits;
}

static err commit_group(struct engine *engine)
{
    uint64_t count = engine->applied_seq + 1 - engine->group_first_seq;
    err error = buffer_status(&engine->outcomes);
    if (error != ERR_OK)
        return error;
    if (count == 0) {
        ledger_writes_free(&engine->writes);
        return ERR_OK;
    }
    if (!engine->config.replay_only) {
        LEDGER_PUT(engine->writes, LEDGER_OUTCOMES, ledger_int((int64_t)engine->group_first_seq),
                   ledger_int((int64_t)count), ledger_blob(buffer_str(&engine->outcomes)));
    }
    if (engine->flusher != NULL)
        flusher_note_outcomes(engine->flusher, engine->group_first_seq, engine->applied_seq);
    audience_commit(engine->audience, engine->writes);
    move_commit(engine, engine->writes);
    error = news_commit(engine, engine->writes);
    if (error != ERR_OK)
        return error;
    note_group(engine);
    err applied = ledger_apply(engine->ledger, &engine->writes, engine->applied_seq,
                               engine_committed, engine);
    if (somebody_waits(engine))
        ledger_hurry(engine->ledger);
    return applied;
}

err engine_barrier(struct engine *engine)
{
    take_block_outcomes(engine);
    err error = commit_group(engine);
    if (error == ERR_OK)
        error = ledger_drain(engine->ledger);
    if (error == ERR_OK)
        error = begin_group(engine);
    return error;
}

void engine_show_progress(struct engine *engine)
{
    atomic_store(&engine->applied_seq_shown, engine->applied_seq);
    atomic_store(&engine->as_of_ms, engine->now_ms);
    atomic_store(&engine->customers, identity_customer_count(engine->identity));
    atomic_store(&engine->nodes, identity_node_count(engine->identity));
    atomic_store(&engine->identifiers, identity_row_count(engine->identity));
    atomic_store(&engine->message_keys, dedupe_count(&engine->dedupe));
    atomic_store(&engine->identity_bytes, identity_memory_bytes(engine->identity));
    atomic_store(&engine->profile_bytes, profile_memory_bytes(engine->profile));
    atomic_store(&engine->tail_bytes, engine->tail.bytes);
}

static err apply_one(struct engine *engine, struct log_block *block)
{
    steady_ns start = steady_now();
    struct applied_block *applied = NULL;
    err error = apply_block(engine, block, &applied);
    if (error != ERR_OK)
        return error;
    take_block_outcomes(engine);
    buffer_clear(&engine->block_outcomes);
    engine->block_outcomes_taken = 0;
    if (engine->flusher != NULL)
        flusher_give(engine->flusher, applied);
    tail_add(&engine->tail, applied);
    metric_observe_us(METRIC_ENGINE_BATCH_US, steady_since_us(start));
    return ERR_OK;
}

static bool somebody_asks(struct engine *engine)
{
    return engine->asked != NULL || queue_weight(&engine->questions) > 0;
}

/* Apply `block` and whatever else waits already, as one group. A question waits for the records that were durable
 * before it, not for the whole group. */
static err apply_group(struct engine *engine, struct log_block *block, struct problem *problem)
{
    if (engine->config.collects) {
        collecting_pass(engine, block);
        log_block_release(&block);
        return ERR_OK;
    }
    err error = begin_group(engine);
    while (error == ERR_OK && block != NULL) {
        error = apply_one(engine, block);
        log_block_release(&block);
        bool is_full = engine->applied_seq + 1 - engine->group_first_seq >= GROUP_RECORDS_MAX;
        if (error == ERR_OK && somebody_asks(engine))
            engine_answer(engine, false);
        if (error == ERR_OK && !is_full)
            error = log_next(engine->log, 0, &block, problem);
    }
    if (block != NULL)
        log_block_release(&block);
    if (error == ERR_OK && fault_fires(FAULT_ENGINE_AFTER_APPLY))
        error = ERR_INTERNAL;
    if (error == ERR_OK)
        error = commit_group(engine);
    if (engine_flushes(engine))
        tail_advance(&engine->tail, atomic_load(&engine->flushed_seq));
    act_show(engine);
    engine_show_progress(engine);
    return error;
}

/* ---- the thread ---- */

/* Nothing is taken from the log while the ledger is far behind: the log fills, then the doors say so. */
static bool ledger_is_behind(const struct engine *engine)
{
    return ledger_pending_bytes(engine->ledger) > LEDGER_PENDING_BYTES_MAX;
}

/* For good, or until it is begun again (take_over.c). */
static bool must_end(struct engine *engine)
{
    return atomic_load(&engine->stopping) || atomic_load(&engine->pausing);
}

static err next_block(struct engine *engine, struct log_block **block, struct problem *problem)
{
    *block = NULL;
    if (ledger_is_behind(engine)) {
        steady_sleep_ms(1);
        return ERR_OK;
    }
    err error = log_next(engine->log, 0, block, problem);
    if (error != ERR_OK || *block != NULL || must_end(engine) || engine->has_work)
        return error;
    /* Say that we are going to sleep, then look once more: a question put in between wakes us. */
    atomic_store(&engine->is_waiting, true);
    if (queue_weight(&engine->questions) == 0) {
        pthread_mutex_unlock(&engine->state_mutex);
        error = log_next(engine->log, 100, block, problem);
        atomic_store(&engine->is_waiting, false);
        pthread_mutex_lock(&engine->state_mutex);
    }
    atomic_store(&engine->is_waiting, false);
    return error;
}

void engine_fail(struct engine *engine, const struct problem *problem)
{
    log_line(LOG_ERROR, "engine_failed", "reason=\"%s\"", problem->detail);
    pthread_mutex_lock(&engine->waiters_mutex);
    snprintf(engine->failing, sizeof engine->failing, "%.150s", problem->detail);
    pthread_mutex_unlock(&engine->waiters_mutex);
    if (engine->config.fatal != NULL)
        engine->config.fatal(engine->config.context, problem);
}

static bool is_current(struct engine *engine)
{
    return log_last_seq(engine->log) <= engine->applied_seq;
}

/* At the end: when all is applied, or can not be because the ledger does not commit (the log has it). */
static bool may_stop(struct engine *engine)
{
    return must_end(engine) && (is_current(engine) || ledger_is_behind(engine));
}

/* What the engine does at a time besides records: the longest in this minute, or the one before. */
#define SLICE_SHORT_US 20

static void note_slice(struct engine *engine, int64_t took_us)
{
    struct slices *slices = &engine->slices;
    int64_t minute = (int64_t)steady_now().ns / 1000000 / MINUTE_MS;
    if (minute != slices->minute) {
        slices->before_us = minute == slices->minute + 1 ? slices->longest_us : 0;
        slices->longest_us = 0;
        slices->minute = minute;
    }
    slices->longest_us = took_us > slices->longest_us ? took_us : slices->longest_us;
    if (took_us >= SLICE_SHORT_US)
        metric_observe_us(METRIC_ENGINE_SLICE_US, took_us);
    metric_set(METRIC_ENGINE_SLICE_LONGEST_US,
               slices->longest_us > slices->before_us ? slices->longest_us : slices->before_us);
}

void engine_note_tick(struct engine *engine, int64_t took_us)
{
    metric_observe_us(METRIC_ENGINE_TICK_US, took_us);
    note_slice(engine, took_us);
}

static void *run(void *context)
{
    struct engine *engine = context;
    struct problem problem = { .error = ERR_OK };
    err error = ERR_OK;
    pthread_setname_np(pthread_self(), "kith-engine");
    pthread_mutex_lock(&engine->state_mutex);
    while (error == ERR_OK) {
        struct log_block *block = NULL;
        error = next_block(engine, &block, &problem);
        if (error == ERR_OK && block != NULL)
            error = apply_group(engine, block, &problem);
        if (error == ERR_OK)
            engine_answer(engine, ledger_is_behind(engine));
        if (engine->config.collects) {
            collecting_pass(engine, NULL);
        } else {
            steady_ns slice = steady_now();
            remember_tidy(engine, somebody_asks(engine) ? TIDY_ASKED_US : TIDY_US);
            engine->has_work = follow_work(engine);
            note_slice(engine, steady_since_us(slice));
        }
        if (block == NULL && may_stop(engine))
            break;
    }
    if (error != ERR_OK) {
        if (problem.detail[0] == '\0')
            problem_set(&problem, error, "seq %llu could not be applied: %s",
                        (unsigned long long)engine->applied_seq + 1, err_title(error));
        engine_fail(engine, &problem);
    }
    pthread_mutex_unlock(&engine->state_mutex);
    return NULL;
}

err engine_begin(struct engine *engine, struct problem *problem)
{
    err error = log_follow(engine->log, engine->applied_seq + 1, problem);
    atomic_store(&engine->pausing, false);
    if (error == ERR_OK && pthread_create(&engine->thread, NULL, run, engine) != 0)
        error = problem_set(problem, ERR_NOMEM, "no thread could be started");
    engine->thread_runs = error == ERR_OK;
    return error;
}

void engine_pause(struct engine *engine)
{
    atomic_store(&engine->pausing, true);
    log_wake_reader(engine->log);
    pthread_join(engine->thread, NULL);
    engine->thread_runs = false;
}
