/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of retention: the policy, and the steps of a run (retention.h). What a step takes is named in its body; whether it
 * may go is checked here once more, as of now: who has come back since stays. */
#include <stdlib.h>
#include <string.h>

#include "engine/call.h"

#define POLICY_BYTES_MAX 65536
#define AUDIT_LINES_A_STEP 5000

static err find_run(struct call *call, struct expiry **expiry)
{
    uint32_t number = (uint32_t)json_int(json_get(call->body, STR("number")), 0);
    *expiry = &call->engine->jobs.expiry;
    return number != 0 && (*expiry)->number == number
               ? ERR_OK
               : problem_set(call->problem, ERR_CONFLICT, "run t%u is not under way", number);
}

err run_retention_put(struct call *call)
{
    struct buffer text;
    struct json_writer writer;
    json_value policy = json_get(call->body, STR("policy"));
    call->object = STR(RETENTION_SETTING);
    err error = retention_check(policy, call->problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&text, POLICY_BYTES_MAX);
    json_writer_init(&writer, &text);
    retention_write(policy, &writer);
    text.size--; /* one more member: since when it counts */
    buffer_printf(&text, ",\"at_ms\":%lld}", (long long)call->engine->now_ms);
    error = buffer_status(&text);
    if (error == ERR_OK)
        LEDGER_PUT(call->writes, LEDGER_SETTINGS, ledger_text(STR(RETENTION_SETTING)),
                   ledger_text(buffer_str(&text)));
    buffer_deinit(&text);
    return error;
}

err run_retention_begin(struct call *call)
{
    struct expiry *expiry = &call->engine->jobs.expiry;
    json_value policy = json_get(call->body, STR("policy"));
    call->object = STR("retention");
    if (expiry->number != 0)
        return problem_set(call->problem, ERR_CONFLICT, "run t%u is under way", expiry->number);
    err error = expiry_begin(expiry, policy, call->engine->now_ms, call->seq);
    if (error != ERR_OK)
        return error;
    expiry->number = ++expiry->count;
    expiry->user_number = call->command->user_number;
    expiry_put(expiry, 0, call->writes);
    buffer_printf(call->answer, "{\"number\":%u}", expiry->number);
    return ERR_OK;
}

/* ---- events ---- */

err run_retention_cut(struct call *call)
{
    struct expiry *expiry;
    err error = find_run(call, &expiry);
    if (error != ERR_OK)
        return error;
    expiry->cut_seq = call->seq;
    jobs_cut(&call->engine->jobs, call->seq);
    expiry_put(expiry, 0, call->writes);
    buffer_printf(call->answer, "{\"cut\":%llu}", (unsigned long long)call->seq);
    return ERR_OK;
}

/* Who has left memory is left there: what is derived of her is made of the warehouse when she comes back. */
static err expire_node(struct call *call, json_value told, uint64_t *taken)
{
    struct engine *engine = call->engine;
    uint32_t node = (uint32_t)json_int(json_get(told, STR("node")), 0);
    size_t count = json_count(json_get(told, STR("seqs")));
    *taken += count;
    if (!identity_has_left(engine->identity, node))
        return imports_retract_node(call, RETRACT_EXPIRED, 0, told);
    atomic_fetch_sub(&engine->events, count);
    return ERR_OK;
}

err run_retention_retract(struct call *call)
{
    struct expiry *expiry;
    json_value node;
    err error = find_run(call, &expiry);
    struct json_iterator iterator = json_iterate(json_get(call->body, STR("nodes")));
    if (error != ERR_OK)
        return error;
    while (error == ERR_OK && json_next(&iterator, NULL, &node))
        error = expire_node(call, node, &expiry->taken[RETENTION_EVENTS]);
    int64_t place = json_int(json_get(call->body, STR("place")), 0);
    if (place > 0)
        expiry->place = (uint64_t)place;
    expiry_put(expiry, 0, call->writes);
    call->broken = error != ERR_OK;
    return error;
}

/* ---- what is named ---- */

static int compare_ids(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

/* Ascending; NULL where there is no memory. */
static uint64_t *read_ids(json_value list, size_t *count)
{
    struct json_iterator iterator = json_iterate(list);
    json_value id;
    size_t room = json_count(list);
    uint64_t *ids = memory_alloc((room + 1) * sizeof *ids);
    *count = 0;
    while (ids != NULL && *count < room && json_next(&iterator, NULL, &id))
        ids[(*count)++] = (uint64_t)json_int(id, 0);
    if (ids != NULL)
        qsort(ids, *count, sizeof *ids, compare_ids);
    return ids;
}

static err drop_quarantined(struct call *call, json_value list, struct expiry *expiry)
{
    size_t count;
    uint64_t *ids = read_ids(list, &count);
    if (ids == NULL)
        return ERR_NOMEM;
    quarantine_drop(&call->engine->quarantine, ids, count, call->writes);
    expiry->taken[RETENTION_QUARANTINE] += count;
    memory_free(ids);
    return ERR_OK;
}

static err drop_touches(struct call *call, json_value list, struct expiry *expiry)
{
    size_t count;
    uint64_t *ids = read_ids(list, &count);
    if (ids == NULL)
        return ERR_NOMEM;
    err error = touches_empty(call, ids, count);
    expiry->taken[RETENTION_TOUCHES] += count;
    memory_free(ids);
    return error;
}

/* Of these roots those that are still what they were: nobody has heard of them, and they never said who they are. */
static err drop_visitors(struct call *call, json_value list, struct expiry *expiry)
{
    struct engine *engine = call->engine;
    json_value policy;
    struct json_parser *parser = NULL;
    size_t count, kept = 0;
    uint64_t *ids = read_ids(list, &count);
    uint32_t *roots = memory_alloc((count + 1) * sizeof *roots);
    err error =
        ids != NULL && roots != NULL ? json_parser_new(&parser, POLICY_BYTES_MAX) : ERR_NOMEM;
    if (error == ERR_OK)
        error = json_parse(parser, str_from_c(expiry->rules), &policy, call->problem);
    int64_t days = error == ERR_OK ? retention_days(policy, RETENTION_VISITORS) : 0;
    for (size_t i = 0; days > 0 && i < count && error == ERR_OK; i++) {
        uint32_t node = (uint32_t)ids[i];
        bool has_left = identity_has_left(engine->identity, node);
        if (has_left)
            error = visitors_bring_bare(engine, node);
        if (has_left || visitors_may_leave(engine, node, expiry->at_ms - days * DAY_MS))
            roots[kept++] = node;
    }
    if (error == ERR_OK && kept > 0)
        error = erase_visitors(call, roots, kept);
    expiry->taken[RETENTION_VISITORS] += kept;
    json_parser_free(&parser);
    memory_free(roots);
    memory_free(ids);
    return error;
}

static err drop_audit(struct call *call, int64_t before_ms, struct expiry *expiry)
{
    uint64_t removed = 0;
    err error = audit_expire(call->engine->ledger, call->engine->keys, before_ms,
                             AUDIT_LINES_A_STEP, call->writes, &removed, call->problem);
    expiry->taken[RETENTION_AUDIT] += removed;
    buffer_printf(call->answer, "{\"removed\":%llu}", (unsigned long long)removed);
    return error;
}

/* One of: quarantine, touches, visitors (numbers), audit_before_ms. */
err run_retention_drop(struct call *call)
{
    struct expiry *expiry;
    err error = find_run(call, &expiry);
    json_value before = json_get(call->body, STR("audit_before_ms"));
    if (error != ERR_OK)
        return error;
    if (json_kind(before) == JSON_INT)
        error = drop_audit(call, json_int(before, 0), expiry);
    else if (json_count(json_get(call->body, STR("quarantine"))) > 0)
        error = drop_quarantined(call, json_get(call->body, STR("quarantine")), expiry);
    else if (json_count(json_get(call->body, STR("touches"))) > 0)
        error = drop_touches(call, json_get(call->body, STR("touches")), expiry);
    else if (json_count(json_get(call->body, STR("visitors"))) > 0)
        error = drop_visitors(call, json_get(call->body, STR("visitors")), expiry);
    if (error == ERR_OK)
        expiry_put(expiry, 0, call->writes);
    call->broken = error != ERR_OK && error != ERR_CORRUPT;
    return error;
}

/* {number, log, exports, uploads}: what went outside of apply. */
err run_retention_finish(struct call *call)
{
    struct expiry *expiry;
    struct json_writer writer;
    err error = find_run(call, &expiry);
    if (error != ERR_OK)
        return error;
    for (int i = 0; i < RETENTION_COUNT; i++)
        expiry->taken[i] += (uint64_t)json_int(
            json_get(call->body, str_from_c(retention_kind_text((enum retention_kind)i))), 0);
    call->object = STR("retention");
    json_writer_init(&writer, &call->detail);
    json_begin_object(&writer);
    json_member_int(&writer, STR("run"), expiry->number);
    for (int i = 0; i < RETENTION_COUNT; i++)
        json_member_int(&writer, str_from_c(retention_kind_text((enum retention_kind)i)),
                        (int64_t)expiry->taken[i]);
    json_end_object(&writer);
    if (expiry->cut_seq != 0)
        jobs_cut(&call->engine->jobs, 0);
    expiry->cut_seq = 0;
    expiry_put(expiry, call->engine->now_ms, call->writes);
    expiry_end(expiry);
    return ERR_OK;
}
