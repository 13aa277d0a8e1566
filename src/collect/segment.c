/* SPDX-License-Identifier: Apache-2.0 */
/* Segment's door, and RudderStack's: requests; wire facts in docs/connectors/segment.md. */
#include <string.h>

#include "collect/route.h"
#include "collect/segment_inside.h"

str segment_basic_key(struct door *door, str header)
{
    str decoded;
    if (header.size < 6 || !str_equal_ignoring_case(str_slice(header, 0, 6), STR("basic ")))
        return STR_NONE;
    if (!base64_decode(door->worker, str_trim(str_slice(header, 6, header.size)), &decoded))
        return STR_NONE;
    return str_slice(decoded, 0, str_find_byte(decoded, ':'));
}

/* Header, then body, then query, then the first item of a batch. */
static str write_key_of(struct door *door, json_value root)
{
    str key = segment_basic_key(door, str_trim(door->request->authorization));
    if (key.size == 0)
        key = json_text(json_get(root, STR("writeKey")));
    if (key.size == 0 && !form_value(door->worker, door->request->query, STR("writeKey"), &key))
        key = STR_NONE;
    if (key.size == 0)
        key = json_text(json_get(json_at(json_get(root, STR("batch")), 0), STR("writeKey")));
    return key;
}

err segment_find_source(struct door *door, str write_key, struct problem *problem)
{
    if (door->source_is_known)
        return ERR_OK;
    if (write_key.size == 0) {
        problem_set(problem, ERR_UNAUTHENTICATED, "failed to read writekey from header");
        return problem_hint(problem, ERR_UNAUTHENTICATED,
                            "Authorization: Basic base64(writeKey:), "
                            "or writeKey in the body");
    }
    door->source = source_by_write_key(door->sources, door->worker->desk.keys, write_key);
    if (door->source == NULL)
        return problem_set(problem, ERR_UNAUTHENTICATED, "invalid write key");
    if (door->source->disabled)
        return problem_set(problem, ERR_NOT_FOUND, "source is disabled");
    return ERR_OK;
}

/* Take one item; false when the whole request has to be given up (and tried again later). */
static bool take_and_tell(struct door *door, const struct segment_batch *batch, json_value item,
                          size_t index, struct problem *problem)
{
    *problem = (struct problem){ .error = ERR_OK };
    err error = segment_take_call(door, batch, item, problem);
    if (err_is_retriable(error))
        return false;
    if (error != ERR_OK && batch->call == CALL_NONE) {
        char inner[sizeof problem->pointer];
        memcpy(inner, problem->pointer, sizeof inner);
        problem_at(problem, error, "/batch/%zu%.100s", index, inner);
    }
    draft_tell(door, item, error, problem);
    return true;
}

static err take_all(struct door *door, const struct segment_batch *batch, json_value root,
                    struct problem *problem)
{
    json_value items = json_get(root, STR("batch")), item;
    struct json_iterator iterator = json_iterate(items);
    size_t index = 0;
    if (json_kind(items) != JSON_ARRAY)
        return take_and_tell(door, batch, root, 0, problem) ? ERR_OK : problem->error;
    while (json_next(&iterator, NULL, &item))
        if (!take_and_tell(door, batch, item, index++, problem))
            return problem->error;
    return ERR_OK;
}

static err check_batch(struct door *door, json_value root, bool single, struct problem *problem)
{
    json_value items = json_get(root, STR("batch"));
    if (json_kind(root) != JSON_OBJECT)
        return problem_set(problem, ERR_INVALID, "invalid json: the body is not an object");
    if (single)
        return ERR_OK;
    if (json_kind(items) != JSON_ARRAY)
        return problem_set(problem, ERR_INVALID, "the body has no list 'batch'");
    if (json_count(items) == 0)
        return problem_set(problem, ERR_INVALID, "empty batch payload");
    if (json_count(items) > door->worker->limits.batch_events_max) {
        problem_set(problem, ERR_TOO_LARGE, "the batch has %zu events, at most %u are taken",
                    json_count(items), door->worker->limits.batch_events_max);
        return problem_hint(problem, ERR_TOO_LARGE, "send smaller batches");
    }
    return ERR_OK;
}

/* One call alone that is wrong, or a batch of which nothing is right, is told so; of others the rest
 * is taken, as Segment does. */
static void answer_events(struct door *door)
{
    if (door->count == 0 && door->refused > 0)
        answer_problem(door, &door->first);
    else
        answer_text(door, 200, "application/json", STR("{\"success\":true}"));
}

/* The whole request is wrong: one refusal, without an item to show. */
void segment_refuse(struct door *door, err error, const struct problem *problem)
{
    if (!err_is_retriable(error))
        draft_tell(door, (json_value){ .document = NULL }, error, problem);
    answer_problem(door, problem);
}

static err take_root(struct door *door, struct segment_batch *batch, json_value root, bool single,
                     struct problem *problem)
{
    size_t begin = door->records->size;
    err error = check_batch(door, root, single, problem);
    if (error == ERR_OK)
        error = segment_find_source(door, write_key_of(door, root), problem);
    if (error != ERR_OK)
        return error;
    if (!single) {
        segment_take_context(&batch->context, json_get(root, STR("context")));
        if (!segment_read_time(json_get(root, STR("sentAt")), &batch->sent_ms))
            batch->sent_ms = 0;
    }
    error = take_all(door, batch, root, problem);
    if (error != ERR_OK) {
        door->records->size = begin;
        door->count = 0;
    }
    return error;
}

err segment_run(struct door *door, struct segment_batch *batch, str body, bool single,
                struct problem *problem)
{
    json_value root;
    if (str_trim(body).size == 0)
        return problem_set(problem, ERR_INVALID, "request body is nil");
    err error = body_parse(door, body, &root, problem);
    if (error != ERR_OK)
        return error;
    door->measure_items = body.size > door->worker->limits.event_bytes_max;
    return take_root(door, batch, root, single, problem);
}

err segment_take_message(struct door *door, str text, struct problem *problem)
{
    struct segment_batch batch = { .historical = door->historical };
    json_value root;
    err error = body_parse(door, text, &root, problem);
    if (error != ERR_OK)
        return error;
    bool single = json_kind(json_get(root, STR("batch"))) != JSON_ARRAY;
    door->measure_items = text.size > door->worker->limits.event_bytes_max;
    return take_root(door, &batch, root, single, problem);
}

static enum segment_type call_of_route(enum route route)
{
    switch (route) {
    case ROUTE_IDENTIFY:
    case ROUTE_IDENTIFY_SHORT:
        return CALL_IDENTIFY;
    case ROUTE_TRACK:
    case ROUTE_TRACK_SHORT:
    case ROUTE_PIXEL_TRACK:
        return CALL_TRACK;
    case ROUTE_PAGE:
    case ROUTE_PAGE_SHORT:
    case ROUTE_PIXEL_PAGE:
        return CALL_PAGE;
    case ROUTE_SCREEN:
    case ROUTE_SCREEN_SHORT:
        return CALL_SCREEN;
    case ROUTE_GROUP:
    case ROUTE_GROUP_SHORT:
        return CALL_GROUP;
    case ROUTE_ALIAS:
    case ROUTE_ALIAS_SHORT:
        return CALL_ALIAS;
    case ROUTE_NONE:
    case ROUTE_BATCH:
    case ROUTE_BATCH_SHORT:
    case ROUTE_IMPORT:
    case ROUTE_METRICS:
    case ROUTE_BEACON:
    case ROUTE_SETTINGS:
    case ROUTE_SOURCE_CONFIG:
    case ROUTE_SENSORS:
    case ROUTE_SENSORS_GIF:
    case ROUTE_SENSORS_DEBUG:
    default:
        return CALL_NONE;
    }
}

void segment_events(struct door *door, int route)
{
    struct problem problem = { .error = ERR_OK };
    struct segment_batch batch = { .call = call_of_route((enum route)route),
                                   .historical = route == ROUTE_IMPORT };
    str body = STR_NONE;
    err error = body_unpack(door, &body, &problem);
    if (error == ERR_OK)
        error = segment_run(door, &batch, body, batch.call != CALL_NONE, &problem);
    if (error != ERR_OK)
        segment_refuse(door, error, &problem);
    else
        answer_events(door);
}
