/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and segments: definitions, members, what was and why; the language of rules. What is given by hand: routes_given.c; what
 * they would be: routes_previews.c. */
#include <string.h>

#include "event/normalise.h"
#include "journey/journey.h"
#include "server/answer.h"
#include "server/everybody.h"
#include "server/ready.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define READY_MS 10000 /* columns being filled, a definition being computed */

static err no_such(const struct request *request, str key, struct problem *problem)
{
    return problem_set(problem, ERR_NOT_FOUND, "there is no %s '%.*s'",
                       definition_kind(request) == AUDIENCE_TAG ? "tag" : "segment",
                       (int)str_utf8_prefix_bytes(key, 100), key.data != NULL ? key.data : "");
}

/* ---- definitions ---- */

struct ask_definition {
    enum audience_kind kind;
    str key, folder, query;
    struct buffer text, journeys; /* journeys: all of them, when who uses it is asked */
    bool all, is_live;
    err error;
};

/* [{key, journey:{…}} …] of what is live, and of drafts. */
static void write_journeys(const struct engine_state *state, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    journey_write_live_definitions(state->journeys, STR_NONE, &writer);
    json_end_array(&writer);
}

static void write_definition(const struct engine_state *state, struct engine_question *question)
{
    struct ask_definition *ask = question->context;
    if (ask->all)
        audience_write_all(state->audience, ask->kind, ask->folder, ask->query, &ask->text);
    else
        ask->error = audience_write_one(state->audience, ask->kind, ask->key, &ask->text);
    if (ask->journeys.size_max > 0)
        write_journeys(state, &ask->journeys);
    if (ask->error == ERR_OK)
        ask->error = buffer_status(&ask->text);
}

static err get_definition(struct request *request, struct ask_definition *ask,
                          struct problem *problem)
{
    buffer_init(&ask->text, TEXT_BYTES_MAX);
    err error = view_ask(request, write_definition, ask, problem);
    if (error == ERR_OK)
        error = ask->error;
    return error == ERR_NOT_FOUND ? no_such(request, ask->key, problem) : error;
}

/* Does it say {"segment": key}, anywhere? */
static bool names(json_value value, str member, str key)
{
    struct json_iterator iterator = json_iterate(value);
    json_value item;
    str name;
    bool is_object = json_is_object(value);
    if (!is_object && json_kind(value) != JSON_ARRAY)
        return false;
    while (json_next(&iterator, &name, &item))
        if ((is_object && str_equal(name, member) && str_equal(json_text(item), key)) ||
            names(item, member, key))
            return true;
    return false;
}

/* Where the list of who uses it ends; what a person wrote stands in it escaped, and cannot look like this. */
static size_t end_of_used_by(str text)
{
    const str head = STR("\"used_by\":[");
    for (size_t at = 0; at + head.size < text.size; at++)
        if (str_starts_with(str_slice(text, at, text.size), head))
            return at + head.size + str_find_byte(str_slice(text, at + head.size, text.size), ']');
    return text.size;
}

/* Behind the definitions the live journeys that name it. */
static err write_with_journeys(struct request *request, str definition, str journeys,
                               struct problem *problem)
{
    str member = definition_kind(request) == AUDIENCE_TAG ? STR("tag") : STR("segment");
    size_t end = end_of_used_by(definition);
    json_value list, item;
    err error = json_parse(request->scratch, journeys, &list, problem);
    if (error != ERR_OK || end == definition.size)
        return error != ERR_OK ? error : ERR_INTERNAL;
    struct json_iterator iterator = json_iterate(list);
    bool any = definition.data[end - 1] != '[';
    buffer_append_str(&request->out, str_slice(definition, 0, end));
    while (json_next(&iterator, NULL, &item)) {
        if (!names(json_get(item, STR("journey")), member, request->parameters[0]))
            continue;
        buffer_append_str(&request->out, any ? STR(",") : STR(""));
        buffer_append_str(&request->out, STR("{\"kind\":\"journey\",\"key\":"));
        json_write_text(&request->out, json_text(json_get(item, STR("key"))));
        buffer_append_byte(&request->out, '}');
        any = true;
    }
    buffer_append_str(&request->out, str_slice(definition, end, definition.size));
    return ERR_OK;
}

err route_definition_get(struct request *request, struct problem *problem)
{
    struct ask_definition ask = { .kind = definition_kind(request), .key = request->parameters[0] };
    if (request->actor.team.size == 0) /* who sees a part does not learn of journeys by this way */
        buffer_init(&ask.journeys, TEXT_BYTES_MAX);
    err error = get_definition(request, &ask, problem);
    if (error == ERR_OK && request->actor.team.size > 0)
        buffer_append_str(&request->out, buffer_str(&ask.text));
    else if (error == ERR_OK)
        error =
            write_with_journeys(request, buffer_str(&ask.text), buffer_str(&ask.journeys), problem);
    buffer_deinit(&ask.text);
    buffer_deinit(&ask.journeys);
    return error;
}

err route_definition_list(struct request *request, struct problem *problem)
{
    struct ask_definition ask = { .kind = definition_kind(request),
                                  .all = true,
                                  .folder = request_query(request, STR("folder")),
                                  .query = request_query(request, STR("query")) };
    struct json_writer writer;
    json_value root, item;
    err error = get_definition(request, &ask, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&ask.text), &root, problem);
    if (error == ERR_OK) {
        struct json_iterator iterator = json_iterate(root);
        answer_list_begin(request, &writer);
        while (json_next(&iterator, NULL, &item)) {
            struct buffer one;
            buffer_init(&one, TEXT_BYTES_MAX);
            json_write_value(&one, item);
            json_put_raw(&writer, buffer_str(&one));
            buffer_deinit(&one);
        }
        answer_list_end(request, &writer, STR_NONE);
        json_end_object(&writer);
    }
    buffer_deinit(&ask.text);
    return error;
}

/* {"key":…, and the members of the request} */
static void write_body(struct request *request, struct command_body *body)
{
    struct json_iterator iterator = json_iterate(request->json);
    json_value value;
    str key;
    command_body_begin(body);
    json_member_text(&body->writer, STR("key"), request->parameters[0]);
    while (json_next(&iterator, &key, &value)) {
        struct buffer text;
        if (str_equal(key, STR("key")))
            continue;
        buffer_init(&text, TEXT_BYTES_MAX);
        json_write_value(&text, value);
        json_member_raw(&body->writer, key, buffer_str(&text));
        buffer_deinit(&text);
    }
}

/* It is computed for everybody on other threads: usually done before anybody can ask. */
static err wait_until_live(struct request *request, struct problem *problem)
{
    steady_ns start = steady_now();
    for (;;) {
        struct ask_definition ask = { .kind = definition_kind(request),
                                      .key = request->parameters[0] };
        err error = get_definition(request, &ask, problem);
        bool is_live = str_contains(buffer_str(&ask.text), STR("\"state\":\"live\""));
        if (error == ERR_OK && (is_live || steady_since_ms(start) > READY_MS))
            buffer_append_str(&request->out, buffer_str(&ask.text));
        buffer_deinit(&ask.text);
        if (error != ERR_OK || is_live || steady_since_ms(start) > READY_MS)
            return error;
        steady_sleep_ms(3);
    }
}

struct ask_check {
    enum audience_kind kind;
    json_value body;
    struct problem *problem;
    err error;
};

static void check_definition(const struct engine_state *state, struct engine_question *question)
{
    struct ask_check *ask = question->context;
    ask->error = audience_check(state->audience, ask->kind, ask->body, ask->problem);
}

/* What somebody with a team saves is narrowed before it is saved, and may name nothing that she does not see. */
static err check_part(struct request *request, struct problem *problem)
{
    struct ask_check ask = { .kind = definition_kind(request), .problem = problem };
    str on = json_text(json_get(request->json, STR("on")));
    str kind = json_text(json_get(request->json, STR("kind")));
    if (request->scope == NULL)
        return ERR_OK;
    if ((on.size > 0 && !str_equal(on, STR("customer"))) || str_equal(kind, STR("random")) ||
        json_kind(json_get(request->json, STR("quantiles"))) != JSON_MISSING)
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "objects, draws and quantiles are made of everybody: not for who sees "
                           "a part");
    err error = scope_narrow_definition(request, problem);
    ask.body = request->json;
    if (error == ERR_OK)
        error = view_ask(request, check_definition, &ask, problem);
    return error == ERR_OK ? ask.error : error;
}

err route_definition_put(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    err error = check_part(request, problem);
    if (error != ERR_OK)
        return error;
    write_body(request, &body);
    error = answer_command(request,
                           definition_kind(request) == AUDIENCE_TAG ? "tag.put" : "segment.put",
                           command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? wait_until_live(request, problem) : error;
}

err route_definition_delete(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    err error = answer_command(
        request, definition_kind(request) == AUDIENCE_TAG ? "tag.delete" : "segment.delete",
        command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}

/* ---- members ---- */

struct ask_members {
    enum audience_kind kind;
    str key, value;
    str on, *ids; /* of objects: their kind and ids */
    uint32_t after, *customers;
    size_t limit, count;
    struct audience_set *set;
    err error;
};

static void list_members(const struct engine_state *state, struct engine_question *question)
{
    struct ask_members *ask = question->context;
    ask->error = audience_members(state->audience, ask->kind, ask->key, ask->value, ask->after,
                                  ask->customers, ask->limit, &ask->count);
}

/* Ids of objects live as long as the room does. */
static void name_objects(const struct engine_state *state, struct engine_question *question)
{
    struct ask_members *ask = question->context;
    ask->on = audience_on(state->audience, ask->kind, ask->key);
    for (size_t i = 0; ask->on.size > 0 && i < ask->count; i++)
        ask->ids[i] = audience_object_id(state->audience, ask->on, ask->customers[i]);
}

static void take_set(const struct engine_state *state, struct engine_question *question)
{
    struct ask_members *ask = question->context;
    ask->error = audience_set_take(state->audience, ask->kind, ask->key, ask->value, &ask->set);
}

static bool list_beyond(void *context, uint32_t customer)
{
    struct ask_members *ask = context;
    if (customer > ask->after && ask->count < ask->limit)
        ask->customers[ask->count++] = customer;
    return ask->count < ask->limit;
}

/* The set as it is, once the ledger has all that made it so. */
static err take_past(struct request *request, struct ask_members *ask, struct problem *problem)
{
    err error = view_ask(request, take_set, ask, problem);
    if (error == ERR_OK)
        error = ask->error;
    if (error == ERR_NOT_FOUND)
        error = no_such(request, ask->key, problem);
    if (error == ERR_OK && engine_settle(request->server->engine, false, READY_MS) != ERR_OK)
        error = problem_set(problem, ERR_UNAVAILABLE, "the ledger is behind");
    return error;
}

static err members_at(struct request *request, struct ask_members *ask, int64_t at_ms,
                      struct problem *problem)
{
    err error = take_past(request, ask, problem);
    if (error == ERR_OK)
        error = audience_set_at(ask->set, engine_ledger(request->server->engine), at_ms, problem);
    if (error == ERR_OK)
        audience_set_visit(ask->set, list_beyond, ask);
    audience_set_free(&ask->set);
    return error;
}

static err read_time(struct request *request, str name, int64_t otherwise, int64_t *at_ms,
                     struct problem *problem)
{
    str text = request_query(request, name);
    *at_ms = otherwise;
    if (text.size == 0 || time_parse(text, 8 * 60, at_ms))
        return ERR_OK;
    return problem_set(problem, ERR_INVALID, STR_FMT " is a time (RFC 3339)", STR_ARG(name));
}

err route_definition_members(struct request *request, struct problem *problem)
{
    struct ask_members ask = { .kind = definition_kind(request),
                               .key = request->parameters[0],
                               .value = request_query(request, STR("value")) };
    struct json_writer writer;
    int64_t after = 0, at_ms;
    bool present;
    size_t limit;
    err error = answer_limit(request, &limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'm', &after, 1, &present, problem);
    if (error == ERR_OK)
        error = read_time(request, STR("at"), -1, &at_ms, problem);
    if (error != ERR_OK)
        return error;
    ask.after = (uint32_t)after;
    ask.limit = limit + 1;
    ask.customers = arena_array(&request->arena, uint32_t, ask.limit);
    if (ask.customers == NULL)
        return ERR_NOMEM;
    error = at_ms >= 0 ? members_at(request, &ask, at_ms, problem)
                       : view_ask(request, list_members, &ask, problem);
    if (error == ERR_OK && at_ms < 0)
        error = ask.error;
    if (error == ERR_NOT_FOUND)
        return no_such(request, ask.key, problem);
    if (error != ERR_OK)
        return error;
    ask.ids = arena_array(&request->arena, str, ask.count + 1);
    error = ask.ids != NULL ? view_ask(request, name_objects, &ask, problem) : ERR_NOMEM;
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < ask.count && i < limit; i++)
        json_put_text(&writer,
                      ask.on.size > 0 ? ask.ids[i] : answer_one_id(request, ask.customers[i]));
    int64_t last = ask.count > limit ? ask.customers[limit - 1] : 0;
    answer_list_end(request, &writer,
                    ask.count > limit ? cursor_encode(request, 'm', &last, 1) : STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

err route_definition_history(struct request *request, struct problem *problem)
{
    struct ask_members ask = { .kind = definition_kind(request),
                               .key = request->parameters[0],
                               .value = request_query(request, STR("value")) };
    int64_t now_ms = server_as_of_ms(request->server), from_ms, to_ms, step_ms = DAY_MS;
    str step = request_query(request, STR("step"));
    err error = read_time(request, STR("to"), now_ms + 1, &to_ms, problem);
    if (error == ERR_OK)
        error = read_time(request, STR("from"), to_ms - 30 * DAY_MS, &from_ms, problem);
    if (error == ERR_OK && step.size > 0 && !duration_parse(step, &step_ms))
        error = problem_set(problem, ERR_INVALID, "step is a duration: 1d, 1h, 5m");
    if (error == ERR_OK)
        error = take_past(request, &ask, problem);
    if (error == ERR_OK)
        error = audience_write_history(ask.set, engine_ledger(request->server->engine), from_ms,
                                       to_ms, step_ms, &request->out, problem);
    audience_set_free(&ask.set);
    return error;
}

/* ---- why ---- */

struct ask_explain {
    enum audience_kind kind;
    str key;
    uint32_t customer;
    struct buffer text;
    struct problem *problem;
    err error;
};

static void explain(const struct engine_state *state, struct engine_question *question)
{
    struct ask_explain *ask = question->context;
    ask->error = audience_explain(state->audience, ask->kind, ask->key, ask->customer, &ask->text,
                                  ask->problem);
}

err route_definition_explain(struct request *request, struct problem *problem)
{
    struct ask_explain ask = { .kind = definition_kind(request),
                               .key = request->parameters[0],
                               .problem = problem };
    str customer = request_query(request, STR("customer"));
    if (customer.size == 0)
        return problem_set(problem, ERR_INVALID, "customer is a one_id");
    err error = view_number(request, customer, &ask.customer, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    error = view_ask(request, explain, &ask, problem);
    if (error == ERR_OK)
        error = ask.error;
    if (error == ERR_OK)
        buffer_append_str(&request->out, buffer_str(&ask.text));
    buffer_deinit(&ask.text);
    return error;
}

/* ---- the language of rules; the tags of one object ---- */

struct ask_objects {
    str kind, id;
    struct buffer text;
    err error;
};

static void write_catalogue(const struct engine_state *state, struct engine_question *question)
{
    struct ask_objects *ask = question->context;
    audience_write_catalogue(state->audience, &ask->text);
}

/* The language, then the names of objects and channels: two objects made one. */
err route_rule_catalogue(struct request *request, struct problem *problem)
{
    struct ask_objects ask = { .error = ERR_OK };
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    err error = view_ask(request, write_catalogue, &ask, problem);
    if (error == ERR_OK)
        error = buffer_status(&ask.text);
    if (error == ERR_OK) {
        rule_write_catalogue(&request->out);
        request->out.size--;
        buffer_append_byte(&request->out, ',');
        buffer_append_str(&request->out, str_slice(buffer_str(&ask.text), 1, ask.text.size));
    }
    buffer_deinit(&ask.text);
    return error;
}

static void write_object(const struct engine_state *state, struct engine_question *question)
{
    struct ask_objects *ask = question->context;
    ask->error = audience_write_object(state->audience, ask->kind, ask->id, &ask->text);
}

err route_object_tags_get(struct request *request, struct problem *problem)
{
    struct ask_objects ask = { .kind = request->parameters[0], .id = request->parameters[1] };
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    err error = view_ask(request, write_object, &ask, problem);
    if (error == ERR_OK)
        error = ask.error;
    if (error == ERR_NOT_FOUND)
        error = problem_set(problem, error, "there is no %.*s '%.*s'",
                            (int)str_utf8_prefix_bytes(ask.kind, 60), ask.kind.data,
                            (int)str_utf8_prefix_bytes(ask.id, 60), ask.id.data);
    if (error == ERR_OK)
        buffer_append_str(&request->out, buffer_str(&ask.text));
    buffer_deinit(&ask.text);
    return error;
}
