/* SPDX-License-Identifier: Apache-2.0 */
/* look: how the engine stands, its parts for those who may have them, and the digest of its state. */
#include <stdio.h>
#include <time.h>

#include "base/metric.h"
#include "engine/state.h"

err engine_settle(struct engine *engine, bool flushed, int64_t timeout_ms)
{
    steady_ns start = steady_now();
    uint64_t target = log_last_seq(engine->log);
    if (flushed && engine->flusher != NULL)
        flusher_wake(engine->flusher, true);
    err error = ERR_OK;
    pthread_mutex_lock(&engine->waiters_mutex);
    while (atomic_load(&engine->committed_seq) < target ||
           (flushed && engine_flushes(engine) && atomic_load(&engine->flushed_seq) < target)) {
        if (engine->failing[0] != '\0')
            error = ERR_UNAVAILABLE;
        else if (timeout_ms >= 0 && steady_since_ms(start) > timeout_ms)
            error = ERR_TIMEOUT;
        if (error != ERR_OK)
            break;
        ledger_hurry(engine->ledger);
        struct timespec deadline;
        clock_gettime(CLOCK_MONOTONIC, &deadline);
        deadline.tv_nsec += 20 * 1000 * 1000;
        if (deadline.tv_nsec >= 1000 * 1000 * 1000) {
            deadline.tv_nsec -= 1000 * 1000 * 1000;
            deadline.tv_sec++;
        }
        pthread_cond_timedwait(&engine->waiters_changed, &engine->waiters_mutex, &deadline);
        if (flushed && engine->flusher != NULL)
            flusher_wake(engine->flusher, true);
    }
    pthread_mutex_unlock(&engine->waiters_mutex);
    return error;
}

void engine_status(struct engine *engine, struct engine_status *status)
{
    *status = (struct engine_status){
        .log_last_seq = log_last_seq(engine->log),
        .applied_seq = atomic_load(&engine->applied_seq_shown),
        .committed_seq = atomic_load(&engine->committed_seq),
        .flushed_seq = atomic_load(&engine->flushed_seq),
        .lag_records = log_unread_records(engine->log),
        .unflushed_rows = engine->flusher != NULL ? flusher_waiting_rows(engine->flusher) : 0,
        .pending_bytes = ledger_pending_bytes(engine->ledger),
        .events = atomic_load(&engine->events),
        .duplicates = atomic_load(&engine->duplicates),
        .quarantined = atomic_load(&engine->quarantined),
        .erased = atomic_load(&engine->erased_seen),
        .customers = atomic_load(&engine->customers),
        .nodes = atomic_load(&engine->nodes),
        .identifiers = atomic_load(&engine->identifiers),
        .message_keys = atomic_load(&engine->message_keys),
        .identity_bytes = atomic_load(&engine->identity_bytes),
        .profile_bytes = atomic_load(&engine->profile_bytes),
        .history_bytes = history_memory_bytes(engine->history),
        .tail_bytes = atomic_load(&engine->tail_bytes),
        .warehouse_ready = engine->warehouse != NULL && warehouse_is_ready(engine->warehouse),
        .as_of_ms = atomic_load(&engine->as_of_ms),
    };
    struct problem problem = { .error = ERR_OK };
    status->ledger_failing = ledger_is_failing(engine->ledger, &problem);
    pthread_mutex_lock(&engine->waiters_mutex);
    snprintf(status->failing, sizeof status->failing, "%s", engine->failing);
    pthread_mutex_unlock(&engine->waiters_mutex);
    if (status->ledger_failing && status->failing[0] == '\0')
        snprintf(status->failing, sizeof status->failing, "%.150s", problem.detail);
    metric_set(METRIC_CUSTOMERS, status->customers);
    metric_set(METRIC_IDENTIFIERS, status->identifiers);
    metric_set(METRIC_MESSAGE_KEYS, (int64_t)status->message_keys);
    metric_set(METRIC_FLUSH_LAG, (int64_t)status->unflushed_rows);
}

struct history *engine_history(struct engine *engine)
{
    return engine->history;
}

uint32_t engine_columns_filling(struct engine *engine, double *share)
{
    return remember_filling(engine, share);
}

struct keys *engine_keys(struct engine *engine)
{
    return engine->keys;
}

struct ledger *engine_ledger(struct engine *engine)
{
    return engine->ledger;
}

struct warehouse *engine_warehouse(struct engine *engine)
{
    return engine->warehouse;
}

const char *engine_folder(const struct engine *engine)
{
    return engine->folder;
}

struct log *engine_log(struct engine *engine)
{
    return engine->log;
}

uint64_t engine_access_version(struct engine *engine)
{
    return atomic_load(&engine->access_version);
}

void engine_verdict(struct engine *engine, const uint8_t message_key[16],
                    struct engine_verdict *verdict)
{
    verdicts_find(&engine->verdicts, message_key, verdict);
}

/* Digest of a room in RAM, taken between records. */
struct room_digests {
    struct engine_question question;
    struct engine *engine;
    struct digest identity, profile, plan, dedupe, history, audience, journeys, touches;
    err error;
};

static void ask_digests(const struct engine_state *state, struct engine_question *question)
{
    struct room_digests *rooms = queue_entry(question, struct room_digests, question);
    identity_digest(state->identity, &rooms->identity);
    profile_digest(state->profile, &rooms->profile);
    plan_digest(state->plan, &rooms->plan);
    dedupe_digest(&rooms->engine->dedupe, state->now_ms, &rooms->dedupe);
    history_digest_events(rooms->engine->history, &rooms->history);
    rooms->error = audience_settle(state->audience, state->now_ms);
    audience_digest(state->audience, &rooms->audience);
    journey_digest(state->journeys, &rooms->journeys);
    touch_digest(state->touches, &rooms->touches);
}

static void report_digest(struct buffer *report, const char *what, const struct digest *digest)
{
    char text[DIGEST_TEXT_BYTES];
    digest_format(digest, text);
    if (report != NULL)
        buffer_printf(report, "%-20s %s\n", what, text);
}

err engine_digest(struct engine *engine, struct digest *digest, struct buffer *report,
                  struct problem *problem)
{
    err error = engine_settle(engine, false, 60 * SECOND_MS);
    if (error != ERR_OK)
        return problem_set(problem, error, "the log is not applied yet: %s", err_title(error));
    struct room_digests rooms = { .question = { .ask = ask_digests }, .engine = engine };
    error = engine_ask_wait(engine, &rooms.question);
    if (error == ERR_OK)
        error = rooms.error;
    if (error != ERR_OK)
        return problem_set(problem, error, "the engine does not answer: %s", err_title(error));
    const struct {
        const char *name;
        const struct digest *digest;
    } in_memory[] = {
        { "identity (memory)", &rooms.identity }, { "profile (memory)", &rooms.profile },
        { "plan (memory)", &rooms.plan },         { "history (memory)", &rooms.history },
        { "audience (memory)", &rooms.audience }, { "journeys (memory)", &rooms.journeys },
        { "touches (memory)", &rooms.touches },   { "message keys", &rooms.dedupe }
    };
    *digest = (struct digest){ .count = 0 };
    for (size_t index = 0; index < sizeof in_memory / sizeof in_memory[0]; index++) {
        digest_join(digest, in_memory[index].digest);
        report_digest(report, in_memory[index].name, in_memory[index].digest);
    }
    for (int table = 0; table < LEDGER_TABLE_COUNT; table++) {
        struct digest rows = { .count = 0 };
        if (!ledger_table_is_digested((enum ledger_table)table))
            continue;
        error = ledger_table_digest(engine->ledger, (enum ledger_table)table, &rows, problem);
        if (error != ERR_OK)
            return error;
        digest_join(digest, &rows);
        report_digest(report, ledger_table_name((enum ledger_table)table), &rows);
    }
    return ERR_OK;
}

bool engine_follows(const struct engine *engine)
{
    return engine->config.follows;
}

void engine_standing(struct engine *engine, struct log_standing *standing)
{
    log_standing(engine->log, standing);
}
