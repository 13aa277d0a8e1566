/* SPDX-License-Identifier: Apache-2.0 */
/* follow: the audience beside apply; see follow.h. */
#include "engine/follow.h"

#include "base/logline.h"
#include "engine/past/past.h"
#include "engine/state.h"

/* Between groups: long enough to get on, short enough that no event waits for it. */
#define WORK_US 1000
/* Somebody waits for an answer meanwhile. */
#define WORK_ASKED_US 200

static struct audience_moment moment_of(const struct engine *engine, uint64_t seq)
{
    return (struct audience_moment){ .seq = seq, .now_ms = engine->now_ms };
}

/* ---- what the audience asks of the engine ---- */

static err submit(void *context, str operation, str body)
{
    struct engine *engine = context;
    struct buffer records;
    if (atomic_load(&engine->stopping))
        return ERR_UNAVAILABLE;
    buffer_init(&records, (size_t)8 << 20);
    engine_command_write(&records, operation, body);
    err error = buffer_status(&records);
    if (error == ERR_OK)
        error = engine_append_wait(engine, buffer_str(&records), 1);
    buffer_deinit(&records);
    return error;
}

static void fill_column(void *context, str path, enum column_kind kind, history_column column)
{
    struct engine *engine = context;
    err error = remember_fill(engine, path, kind, column);
    /* The column stays unready, and what needs it says that it is being computed, until the next start. */
    if (error != ERR_OK)
        log_line(LOG_ERROR, "history_column_failed", "path=\"%.*s\" reason=\"%s\"", STR_ARG(path),
                 err_title(error));
}

static void wake(void *context)
{
    struct engine *engine = context;
    log_wake_reader(engine->log);
}

static void moved(void *context, const struct audience_move *move)
{
    move_heard(context, move);
    news_move(context, move);
}

/* ---- life ---- */

err follow_new(struct engine *engine)
{
    struct audience_config config = {
        .history = engine->history,
        .identity = engine->identity,
        .profile = engine->profile,
        .plan = engine->plan,
        /* A rebuild computes where the record stands: nothing is appended to its log; nor is it by a standby. */
        .submit = engine->config.replay_only || engine->config.follows ? NULL : submit,
        .fill_column = fill_column,
        .past = past_read,
        .applied_seq = past_applied_seq,
        .moved = moved,
        .wake = wake,
        .journey = move_has_journey,
        .journeys = move_visit_journeys,
        .journey_since = move_journey_since,
        .context = engine,
    };
    return audience_new(&engine->audience, &config);
}

err follow_load(struct engine *engine, struct problem *problem)
{
    return audience_load(engine->audience, engine->ledger, problem);
}

err follow_start(struct engine *engine, struct problem *problem)
{
    err error = audience_start(engine->audience, engine->now_ms);
    if (error != ERR_OK && problem->error == ERR_OK)
        problem_set(problem, error, "tags and segments could not be started: %s", err_title(error));
    return error;
}

void follow_stop(struct engine *engine)
{
    audience_free(&engine->audience);
}

void follow_submits(struct engine *engine)
{
    audience_use_submit(engine->audience, submit);
}

/* ---- from apply ---- */

err follow_block(struct engine *engine, uint64_t first_seq)
{
    return audience_begin(engine->audience, moment_of(engine, first_seq));
}

err follow_before(struct engine *engine, const struct event *event,
                  const struct identity_outcome *who)
{
    struct audience_moment moment = moment_of(engine, event->seq);
    err error = ERR_OK;
    /* it is remembered there once the profile has taken its part */
    history_prefetch_end(engine->history, who->node);
    if (!who->created)
        error = audience_before(engine->audience, who->customer, moment);
    for (uint32_t index = 0; error == ERR_OK && index < who->merge_count; index++)
        error = audience_before(engine->audience, who->merges[index].absorbed, moment);
    return error;
}

static err tell_merges(struct engine *engine, const struct identity_outcome *who,
                       struct audience_moment moment)
{
    uint32_t absorbed[IDENTITY_MERGES_MAX];
    for (uint32_t index = 0; index < who->merge_count; index++)
        absorbed[index] = who->merges[index].absorbed;
    return audience_merged(engine->audience, who->customer, absorbed, who->merge_count, moment);
}

err follow_event(struct engine *engine, const struct event *event,
                 const struct identity_outcome *who)
{
    struct audience_moment moment = moment_of(engine, event->seq);
    err error = ERR_OK;
    if (event->kind == EVENT_OBJECT || event->kind == EVENT_GROUP)
        error = audience_object_changed(engine->audience, event, moment);
    if (error == ERR_OK && who->merge_count > 0)
        error = tell_merges(engine, who, moment);
    if (error == ERR_OK && who->node != 0)
        error = audience_event(engine->audience, who->customer, event, moment);
    return error;
}

err follow_customer(struct engine *engine, uint32_t customer, uint64_t seq)
{
    return audience_customer_changed(engine->audience, customer, moment_of(engine, seq));
}

err follow_all(struct engine *engine, uint64_t seq)
{
    return audience_all_changed(engine->audience, moment_of(engine, seq));
}

err follow_tick(struct engine *engine, uint64_t seq)
{
    return audience_tick(engine->audience, moment_of(engine, seq));
}

bool follow_work(struct engine *engine)
{
    bool asked = engine->asked != NULL || queue_weight(&engine->questions) > 0;
    return audience_work(engine->audience, asked ? WORK_ASKED_US : WORK_US);
}
