/* SPDX-License-Identifier: Apache-2.0 */
/* command_imports: what the commands of imports, mappings, watermarks and objects do inside apply. */
#include <stdio.h>
#include <string.h>

#include "engine/call.h"

#define SETTINGS_BYTES_MAX ((size_t)1 << 20)
#define OBJECT_BYTES_MAX ((size_t)256 << 10)

static str text_of(const struct call *call, str name)
{
    return json_text(json_get(call->body, name));
}

static uint64_t number_of(json_value object, str name)
{
    int64_t number = json_int(json_get(object, name), 0);
    return number > 0 ? (uint64_t)number : 0;
}

static bool hex_bytes(str text, uint8_t *out, size_t size)
{
    if (text.size != size * 2)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        uint8_t digit = c >= '0' && c <= '9'   ? (uint8_t)(c - '0')
                        : c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10)
                                               : 255;
        if (digit == 255)
            return false;
        out[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
    }
    return true;
}

static err find_job(struct call *call, struct job **job)
{
    uint64_t number = number_of(call->body, STR("number"));
    *job = number <= UINT32_MAX ? jobs_find(&call->engine->jobs, (uint32_t)number) : NULL;
    if (*job != NULL)
        return ERR_OK;
    problem_set(call->problem, ERR_NOT_FOUND, "there is no import %llu",
                (unsigned long long)number);
    return ERR_NOT_FOUND;
}

/* ---- a job and its states ---- */

/* A job that has brought, or is bringing, the same bytes by the same mapping into the same data set. */
static const struct job *same_job(const struct jobs *jobs, const uint8_t identity[32])
{
    for (uint32_t i = jobs->count; i > 0; i--) {
        const struct job *job = &jobs->items[i - 1];
        bool is_gone = job->status == JOB_UNDONE || job->status == JOB_CANCELLED;
        if (!is_gone && !job->cancelled && memcmp(job->identity, identity, 32) == 0)
            return job;
    }
    return NULL;
}

static err put_new_job(struct call *call, const uint8_t identity[32])
{
    struct engine *engine = call->engine;
    struct buffer settings;
    struct job *job;
    buffer_init(&settings, SETTINGS_BYTES_MAX);
    json_write_value(&settings, json_get(call->body, STR("settings")));
    err error = buffer_status(&settings);
    if (error == ERR_OK)
        error = jobs_add(&engine->jobs, &job);
    if (error == ERR_OK) {
        memcpy(job->identity, identity, sizeof job->identity);
        job->changed_ms = engine->now_ms;
        job_set_source(job,
                       json_text(json_get(json_get(call->body, STR("settings")), STR("source"))));
        LEDGER_PUT(call->writes, LEDGER_IMPORTS, ledger_int(job->number),
                   ledger_blob(str_from_bytes(identity, 32)), ledger_text(buffer_str(&settings)),
                   ledger_int(call->command->user_number), ledger_int(engine->now_ms));
        job_put(job, call->writes);
        error =
            move_import(engine, job->number,
                        json_text(json_get(json_get(call->body, STR("settings")), STR("source"))));
        buffer_printf(call->answer, "{\"number\":%u,\"unchanged\":false}", job->number);
    }
    bool changed; /* of a new job nobody has a trait */
    if (error == ERR_OK)
        error = jobs_rank_sources(engine, &changed);
    if (error == ERR_OK)
        engine_publish_sources(engine); /* as which of them it tells */
    buffer_deinit(&settings);
    return error;
}

err run_import_create(struct call *call)
{
    uint8_t identity[32];
    call->object = json_text(json_get(json_get(call->body, STR("settings")), STR("name")));
    if (!hex_bytes(text_of(call, STR("identity")), identity, sizeof identity) ||
        !json_is_object(json_get(call->body, STR("settings"))))
        return problem_set(call->problem, ERR_UNPROCESSABLE,
                           "an import has an identity and settings");
    const struct job *same = same_job(&call->engine->jobs, identity);
    if (same == NULL)
        return put_new_job(call, identity);
    buffer_printf(call->answer, "{\"number\":%u,\"unchanged\":true}", same->number);
    return ERR_OK;
}

/* The position moves whatever the state is: the events before it in the same block are in. */
err run_import_move(struct call *call)
{
    struct job *job;
    err error = find_job(call, &job);
    if (error != ERR_OK)
        return error;
    job->position = number_of(call->body, STR("position"));
    job->report_bytes = number_of(call->body, STR("report_bytes"));
#define X(member) job->member = number_of(call->body, STR(#member));
    JOB_TOLD_TABLE(X)
#undef X
    job->changed_ms = call->engine->now_ms;
    job_put(job, call->writes);
    return ERR_OK;
}

static bool may_become(const struct job *job, enum job_status next)
{
#define TO(status) (1u << JOB_##status)
    static const unsigned allowed[JOB_STATUS_COUNT] = {
        [JOB_WAITING] = TO(RUNNING) | TO(PAUSED) | TO(UNDOING) | TO(FAILED),
        [JOB_RUNNING] = TO(PAUSED) | TO(FINISHED) | TO(FAILED) | TO(UNDOING) | TO(RUNNING),
        [JOB_PAUSED] = TO(WAITING) | TO(UNDOING),
        [JOB_FAILED] = TO(WAITING) | TO(UNDOING),
        [JOB_FINISHED] = TO(UNDOING),
        [JOB_UNDOING] = TO(UNDONE) | TO(CANCELLED),
        [JOB_UNDONE] = 0,
        [JOB_CANCELLED] = 0,
    };
#undef TO
    return (allowed[job->status] & 1u << next) != 0;
}

err run_import_state(struct call *call)
{
    struct job *job;
    enum job_status next;
    str reason = text_of(call, STR("reason"));
    err error = find_job(call, &job);
    if (error != ERR_OK)
        return error;
    call->object = text_of(call, STR("status"));
    if (!job_status_parse(call->object, &next))
        return problem_set(call->problem, ERR_UNPROCESSABLE, "there is no such state of an import");
    if (!may_become(job, next))
        return problem_set(call->problem, ERR_CONFLICT, "import %u is %s: it cannot become %s",
                           job->number, job_status_text(job->status), job_status_text(next));
    if (next == JOB_UNDOING)
        job->cancelled = job->status != JOB_FINISHED;
    job->status = next;
    job->changed_ms = call->engine->now_ms;
    snprintf(job->reason, sizeof job->reason, "%.*s",
             (int)str_utf8_prefix_bytes(reason, sizeof job->reason - 1), reason.data);
    if (next == JOB_UNDONE || next == JOB_CANCELLED) {
        job->cut_seq = 0;
        jobs_cut(&call->engine->jobs, 0);
    }
    job_put(job, call->writes);
    buffer_printf(call->answer, "{\"number\":%u,\"status\":\"%s\"}", job->number,
                  job_status_text(job->status));
    return ERR_OK;
}

/* ---- taking back ---- */

err run_import_cut(struct call *call)
{
    struct job *job;
    err error = find_job(call, &job);
    if (error != ERR_OK)
        return error;
    job->cut_seq = call->seq;
    jobs_cut(&call->engine->jobs, call->seq);
    job_put(job, call->writes);
    buffer_printf(call->answer, "{\"cut\":%llu}", (unsigned long long)call->seq);
    return ERR_OK;
}

/* One order event that stays: [seq, time_ms, type, order_id, currency, revenue, total]. */
static err observe_left(struct engine *engine, uint32_t node, json_value order)
{
    struct profile_observation row = {
        .node = node,
        .seq = (uint64_t)json_int(json_at(order, 0), 0),
        .time_ms = json_int(json_at(order, 1), 0),
        .type = json_text(json_at(order, 2)),
        .order_id = json_text(json_at(order, 3)),
        .currency = json_text(json_at(order, 4)),
        .revenue = json_int(json_at(order, 5), PROMOTED_MISSING),
        .total = json_int(json_at(order, 6), PROMOTED_MISSING),
    };
    return profile_observe(engine->profile, &row);
}

/* What remains of a node: told as of the cut, and on top what came since. */
static err observe_rest(struct call *call, uint32_t node, json_value told)
{
    struct engine *engine = call->engine;
    json_value orders = json_get(told, STR("orders")), order;
    uint64_t count = number_of(told, STR("count"));
    struct json_iterator iterator = json_iterate(orders);
    err error = ERR_OK;
    if (count > 0)
        error = profile_observe_many(engine->profile, node, (uint32_t)count,
                                     json_int(json_get(told, STR("first")), 0),
                                     json_int(json_get(told, STR("last")), 0));
    while (error == ERR_OK && json_next(&iterator, NULL, &order))
        error = observe_left(engine, node, order);
    for (size_t i = 0; i < engine->jobs.watched_count && error == ERR_OK; i++) {
        if (engine->jobs.watched[i].row.node == node)
            error = profile_observe(engine->profile, &engine->jobs.watched[i].row);
    }
    return error;
}

static size_t read_seqs(json_value list, uint64_t *seqs, size_t limit)
{
    struct json_iterator iterator = json_iterate(list);
    json_value seq;
    size_t count = 0;
    while (count < limit && json_next(&iterator, NULL, &seq))
        seqs[count++] = (uint64_t)json_int(seq, 0);
    return count;
}

err imports_retract_node(struct call *call, enum retract why, uint32_t source, json_value told)
{
    struct engine *engine = call->engine;
    uint32_t node = (uint32_t)number_of(told, STR("node"));
    json_value list = json_get(told, STR("seqs"));
    size_t count = json_count(list);
    uint64_t *seqs = memory_alloc((count + 1) * sizeof *seqs);
    if (seqs == NULL)
        return ERR_NOMEM;
    count = read_seqs(list, seqs, count);
    err error = profile_retract(engine->profile, node, source, seqs,
                                why == RETRACT_EXPIRED ? 0 : count, call->writes);
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        error = apply_retract(engine, node, seqs[i]);
        if (why == RETRACT_NAMED && error == ERR_OK)
            LEDGER_PUT(call->writes, LEDGER_RETRACTIONS, ledger_int((int64_t)seqs[i]),
                       ledger_int(node), ledger_int((int64_t)call->seq));
    }
    packing_spoil(engine, node, call->seq);
    atomic_fetch_sub(&engine->events, count);
    if (error == ERR_OK)
        error = observe_rest(call, node, told);
    if (error == ERR_OK && why == RETRACT_UNDONE && profile_is_empty(engine->profile, node))
        error = identity_undo_node(engine->identity, node, call->seq, call->writes);
    uint32_t root = identity_root(engine->identity, node);
    if (error == ERR_OK) /* who is gone leaves every list, too */
        error = follow_customer(engine, root != 0 ? root : node, call->seq);
    memory_free(seqs);
    return error;
}

/* With `place` (an undo) all that the job's source said; without, the seqs that are named alone. */
err run_import_retract(struct call *call)
{
    struct job *job;
    json_value nodes = json_get(call->body, STR("nodes")), node;
    uint64_t place = number_of(call->body, STR("place"));
    struct json_iterator iterator = json_iterate(nodes);
    err error = find_job(call, &job);
    uint32_t source = error == ERR_OK && place > 0 ? EVENT_SOURCE_IMPORT_FIRST + job->number : 0;
    while (error == ERR_OK && json_next(&iterator, NULL, &node))
        error = visitors_call(call->engine, (uint32_t)number_of(node, STR("node")), call->seq);
    iterator = json_iterate(nodes);
    while (error == ERR_OK && json_next(&iterator, NULL, &node))
        error =
            imports_retract_node(call, source != 0 ? RETRACT_UNDONE : RETRACT_NAMED, source, node);
    if (error != ERR_OK)
        return error;
    if (place > 0)
        job->undo_place = place;
    job->changed_ms = call->engine->now_ms;
    job_put(job, call->writes);
    return ERR_OK;
}

static err tell_object_changed(struct call *call, str kind, str id)
{
    struct event event = {
        .kind = EVENT_OBJECT, .seq = call->seq, .object_kind = kind, .object_id = id
    };
    struct identity_outcome nobody = { .node = 0 };
    return follow_event(call->engine, &event, &nobody);
}

/* Objects that this source was the last to change become what they were before it. */
static err restore_objects(struct call *call, uint32_t source)
{
    json_value objects = json_get(call->body, STR("objects")), object;
    struct json_iterator iterator = json_iterate(objects);
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &object)) {
        str kind = json_text(json_get(object, STR("kind")));
        str id = json_text(json_get(object, STR("id")));
        error = profile_restore_object(
            call->engine->profile, kind, id, source, json_text(json_get(object, STR("props"))),
            json_int(json_get(object, STR("updated_ms")), 0),
            json_int(json_get(object, STR("deleted_ms")), 0), call->writes);
        if (error == ERR_OK)
            error = tell_object_changed(call, kind, id);
    }
    return error;
}

/* Calls `take` for each number of the list `name`. */
static err each_number(struct call *call, str name, err (*take)(struct call *, uint32_t))
{
    struct json_iterator iterator = json_iterate(json_get(call->body, name));
    json_value value;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &value))
        error = take(call, (uint32_t)json_int(value, 0));
    return error;
}

static err undo_evidence(struct call *call, uint32_t number)
{
    return identity_undo_evidence(call->engine->identity, number, call->writes);
}

static err undo_row(struct call *call, uint32_t row)
{
    return identity_undo_row(call->engine->identity, row, call->seq, call->engine->now_ms,
                             call->writes);
}

static err undo_merge(struct call *call, uint32_t number)
{
    uint32_t sides[2] = { 0, 0 };
    err error = identity_undo_merge(call->engine->identity, number, call->seq, call->engine->now_ms,
                                    call->writes, sides);
    for (int side = 0; side < 2 && error == ERR_OK && sides[side] != 0; side++)
        error = apply_customer_changed(call->engine, sides[side], call->seq);
    return error;
}

/* [row, from, to] */
static err undo_moves(struct call *call)
{
    struct json_iterator iterator = json_iterate(json_get(call->body, STR("moves")));
    json_value move;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &move))
        error = identity_undo_move(call->engine->identity, (uint32_t)json_int(json_at(move, 0), 0),
                                   (uint32_t)json_int(json_at(move, 1), 0),
                                   (uint32_t)json_int(json_at(move, 2), 0), call->seq,
                                   call->engine->now_ms, call->writes);
    return error;
}

/* Each list may be missing; the job sends them in this order, in slices. */
err run_import_detach(struct call *call)
{
    struct job *job;
    err error = find_job(call, &job);
    if (error == ERR_OK)
        error = each_number(call, STR("evidence"), undo_evidence);
    if (error == ERR_OK)
        error = each_number(call, STR("rows"), undo_row);
    if (error == ERR_OK)
        error = undo_moves(call);
    if (error == ERR_OK)
        error = each_number(call, STR("merges"), undo_merge);
    if (error == ERR_OK)
        error = restore_objects(call, EVENT_SOURCE_IMPORT_FIRST + job->number);
    return error;
}

/* ---- mappings, watermarks ---- */

err run_mapping_put(struct call *call)
{
    struct engine *engine = call->engine;
    struct buffer body;
    uint64_t version = number_of(call->body, STR("version"));
    call->object = text_of(call, STR("key"));
    if (call->object.size == 0 || call->object.size > 100 || version == 0)
        return problem_set(call->problem, ERR_UNPROCESSABLE,
                           "a mapping's key has 1 to 100 bytes, its version is 1 or more");
    buffer_init(&body, SETTINGS_BYTES_MAX);
    json_write_value(&body, json_get(call->body, STR("body")));
    err error = buffer_status(&body);
    if (error == ERR_OK)
        LEDGER_PUT(call->writes, LEDGER_MAPPINGS, ledger_text(call->object),
                   ledger_int((int64_t)version), ledger_text(buffer_str(&body)),
                   ledger_int(call->command->user_number), ledger_int(engine->now_ms));
    buffer_printf(call->answer, "{\"version\":%llu}", (unsigned long long)version);
    buffer_deinit(&body);
    return error;
}

err run_watermark_put(struct call *call)
{
    call->object = text_of(call, STR("source"));
    if (call->object.size == 0 || call->object.size > 100)
        return problem_set(call->problem, ERR_UNPROCESSABLE, "a watermark names its source");
    err error =
        move_watermark(call->engine, call->object, json_int(json_get(call->body, STR("time")), 0));
    if (error != ERR_OK)
        return error;
    LEDGER_PUT(call->writes, LEDGER_WATERMARKS, ledger_text(call->object),
               ledger_int(json_int(json_get(call->body, STR("time")), 0)),
               ledger_int(call->engine->now_ms));
    return ERR_OK;
}

/* ---- feeds ---- */

/* The events before it in the same block are in: they are never taken again. */
err run_feed_move(struct call *call)
{
    json_value place;
    struct json_iterator iterator = json_iterate(json_get(call->body, STR("places")));
    call->object = text_of(call, STR("feed"));
    if (call->object.size == 0 || call->object.size > 100)
        return problem_set(call->problem, ERR_UNPROCESSABLE, "a place names its feed");
    while (json_next(&iterator, NULL, &place))
        LEDGER_PUT(call->writes, LEDGER_FEED_PLACES, ledger_text(call->object),
                   ledger_text(json_text(json_at(place, 0))),
                   ledger_int(json_int(json_at(place, 1), 0)),
                   ledger_int(json_int(json_at(place, 2), 0)), ledger_int(call->engine->now_ms));
    return ERR_OK;
}

/* What sinks were told, the brokers have: it need not be kept for this one any more. */
err run_sink_move(struct call *call)
{
    call->object = text_of(call, STR("sink"));
    return news_moved_on(call->engine, call->object,
                         (uint64_t)json_int(json_get(call->body, STR("next")), 0), call->writes);
}

/* ---- objects ---- */

err run_object_put(struct call *call)
{
    struct engine *engine = call->engine;
    bool deletes = json_bool(json_get(call->body, STR("delete")), false);
    struct buffer props;
    buffer_init(&props, OBJECT_BYTES_MAX);
    if (deletes)
        buffer_append_str(&props, STR("{}"));
    else
        json_write_value(&props, json_get(call->body, STR("props")));
    struct event event = { .kind = EVENT_OBJECT,
                           .flags = deletes ? EVENT_DELETE : 0,
                           .seq = call->seq,
                           .time_ms = engine->now_ms,
                           .received_ms = engine->now_ms,
                           .object_kind = text_of(call, STR("kind")),
                           .object_id = text_of(call, STR("id")),
                           .props = buffer_str(&props) };
    call->object = event.object_id;
    err error = buffer_status(&props);
    if (error == ERR_OK)
        error = profile_apply(engine->profile, &event, 0, call->writes);
    buffer_deinit(&props);
    return error == ERR_OK ? tell_object_changed(call, event.object_kind, event.object_id) : error;
}

static err delete_object_kind(struct call *call)
{
    struct ledger_value key = ledger_text(call->object);
    err error = audience_object_kind_check(call->engine->audience, call->object, call->problem);
    if (error != ERR_OK)
        return error;
    audience_object_kind_forget(call->engine->audience, call->object);
    ledger_delete(call->writes, LEDGER_OBJECT_KINDS, &key);
    return ERR_OK;
}

err run_object_kind_put(struct call *call)
{
    struct buffer settings;
    call->object = text_of(call, STR("kind"));
    if (json_bool(json_get(call->body, STR("delete")), false))
        return delete_object_kind(call);
    if (call->object.size == 0 || call->object.size > 100)
        return problem_set(call->problem, ERR_UNPROCESSABLE,
                           "a kind of objects has 1 to 100 bytes");
    buffer_init(&settings, SETTINGS_BYTES_MAX);
    json_write_value(&settings, json_get(call->body, STR("settings")));
    err error = buffer_status(&settings);
    if (error == ERR_OK)
        LEDGER_PUT(call->writes, LEDGER_OBJECT_KINDS, ledger_text(call->object),
                   ledger_text(buffer_str(&settings)), ledger_int(call->engine->now_ms));
    buffer_deinit(&settings);
    if (error == ERR_OK)
        error = audience_object_kind(call->engine->audience, call->object,
                                     json_get(call->body, STR("settings")));
    return error;
}
