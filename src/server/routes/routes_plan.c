/* SPDX-License-Identifier: Apache-2.0 */
/* Tracking plan, traits, types of identifiers. */
#include <string.h>

#include "collect/collect.h"
#include "server/answer.h"
#include "server/labels.h"
#include "server/mask.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX (16 * 1024 * 1024)

/* ---- what the engine's rooms write themselves ---- */

struct ask_text {
    struct buffer text;
    str name;
    err error;
    void (*write)(const struct engine_state *state, struct ask_text *ask);
};

static void ask_to_write(const struct engine_state *state, struct engine_question *question)
{
    struct ask_text *ask = question->context;
    ask->write(state, ask);
    if (ask->error == ERR_OK)
        ask->error = buffer_status(&ask->text);
}

static err get_text(struct request *request, struct ask_text *ask, struct problem *problem)
{
    buffer_init(&ask->text, TEXT_BYTES_MAX);
    err error = view_ask(request, ask_to_write, ask, problem);
    return error == ERR_OK ? ask->error : error;
}

/* ---- for who sees a part: what is planned, and what seen sources brought first ---- */

static bool sees_name(const struct request *request, json_value item)
{
    uint32_t source = (uint32_t)json_int(json_get(item, STR("source")), 0);
    return scope_sees_all_events(request->scope) ||
           json_bool(json_get(item, STR("known")), false) ||
           scope_sees_source(request->scope, source);
}

/* Whose it was first, and when, tells of others; so does how many there are. */
static bool write_untold(void *context, str name, json_value value, struct buffer *out)
{
    const struct request *request = context;
    if (scope_sees_all_events(request->scope))
        return false;
    if (str_equal(name, STR("identifiers")) && json_kind(value) == JSON_INT)
        buffer_append_byte(out, '0');
    else if (str_equal(name, STR("first_seen")) || str_equal(name, STR("source")))
        buffer_append_str(out, STR("null"));
    else
        return false;
    return true;
}

/* A JSON array, or an object with `items`, as the items of a list. */
static err write_items(struct request *request, str text, struct problem *problem)
{
    struct json_writer writer;
    json_value root, item;
    struct buffer one;
    err error = json_parse(request->scratch, text, &root, problem);
    if (error != ERR_OK)
        return error;
    if (json_is_object(root))
        root = json_get(root, STR("items"));
    answer_list_begin(request, &writer);
    struct json_iterator iterator = json_iterate(root);
    while (json_next(&iterator, NULL, &item)) {
        if (!sees_name(request, item))
            continue;
        buffer_init(&one, TEXT_BYTES_MAX);
        json_write_replacing(&one, STR_NONE, item, write_untold, request);
        json_put_raw(&writer, buffer_str(&one));
        buffer_deinit(&one);
    }
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

static err list_text(struct request *request,
                     void (*write)(const struct engine_state *, struct ask_text *),
                     struct problem *problem)
{
    struct ask_text ask = { .write = write };
    err error = get_text(request, &ask, problem);
    if (error == ERR_OK)
        error = write_items(request, buffer_str(&ask.text), problem);
    buffer_deinit(&ask.text);
    return error;
}

/* ---- plan ---- */

static void write_plan(const struct engine_state *state, struct ask_text *ask)
{
    plan_write_all(state->plan, &ask->text);
}

static void write_plan_event(const struct engine_state *state, struct ask_text *ask)
{
    ask->error = plan_write_event(state->plan, ask->name, &ask->text);
}

err route_plan_list(struct request *request, struct problem *problem)
{
    return list_text(request, write_plan, problem);
}

static err unknown_event(str name, struct problem *problem)
{
    return problem_set(problem, ERR_NOT_FOUND, "the plan does not know the event '%.*s'",
                       (int)str_utf8_prefix_bytes(name, 100), name.data);
}

static err write_planned(struct request *request, str text, struct problem *problem)
{
    json_value item;
    err error = json_parse(request->scratch, text, &item, problem);
    if (error == ERR_OK && !sees_name(request, item))
        return unknown_event(request->parameters[0], problem);
    if (error == ERR_OK)
        json_write_replacing(&request->out, STR_NONE, item, write_untold, request);
    return error;
}

err route_plan_get(struct request *request, struct problem *problem)
{
    struct ask_text ask = { .write = write_plan_event, .name = request->parameters[0] };
    err error = get_text(request, &ask, problem);
    if (error == ERR_NOT_FOUND)
        unknown_event(ask.name, problem);
    if (error == ERR_OK)
        error = write_planned(request, buffer_str(&ask.text), problem);
    buffer_deinit(&ask.text);
    return error;
}

static err put_named(struct request *request, const char *operation, const char *const *members,
                     size_t count, struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("name"), request->parameters[0]);
    for (size_t i = 0; i < count; i++)
        command_body_copy(&body, request, members[i]);
    err error = answer_command(request, operation, command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error;
}

err route_plan_put(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "status", "description", "properties" };
    if (request->parameters[0].size > EVENT_NAME_BYTES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "an event's name has at most %d bytes",
                           EVENT_NAME_BYTES_MAX);
    err error = put_named(request, "plan.event.put", members, 3, problem);
    return error == ERR_OK ? route_plan_get(request, problem) : error;
}

/* ---- traits ---- */

static void write_traits(const struct engine_state *state, struct ask_text *ask)
{
    profile_write_trait_types(state->profile, &ask->text);
}

err route_trait_list(struct request *request, struct problem *problem)
{
    return list_text(request, write_traits, problem);
}

static err answer_trait(struct request *request, struct problem *problem)
{
    struct ask_text ask = { .write = write_traits };
    json_value root, item;
    bool found = false;
    err error = get_text(request, &ask, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&ask.text), &root, problem);
    if (error == ERR_OK) {
        if (json_is_object(root))
            root = json_get(root, STR("items"));
        struct json_iterator iterator = json_iterate(root);
        while (!found && json_next(&iterator, NULL, &item))
            found = str_equal(json_text(json_get(item, STR("name"))), request->parameters[0]);
        if (found)
            json_write_value(&request->out, item);
        else
            error = problem_set(problem, ERR_INTERNAL, "the trait is not there");
    }
    buffer_deinit(&ask.text);
    return error;
}

err route_trait_put(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "type", "precedence", "description", "personal" };
    err error = put_named(request, "trait.put", members, 4, problem);
    return error == ERR_OK ? answer_trait(request, problem) : error;
}

/* ---- identity types: the same way ---- */

static void write_types(const struct engine_state *state, struct ask_text *ask)
{
    identity_write_types(state->identity, &ask->text);
}

static void write_type(struct request *request, struct json_writer *writer, json_value type)
{
    struct json_iterator iterator = json_iterate(type);
    str name = json_text(json_get(type, STR("name"))), zh = name, en = name, key;
    json_value member;
    struct buffer text;
    label_of_type(name, &zh, &en);
    json_begin_object(writer);
    while (json_next(&iterator, &key, &member)) {
        if (str_equal(key, STR("label")) && !json_is_object(member))
            continue;
        buffer_init(&text, TEXT_BYTES_MAX);
        json_write_replacing(&text, key, member, write_untold, request);
        json_member_raw(writer, key, buffer_str(&text));
        buffer_deinit(&text);
    }
    if (!json_is_object(json_get(type, STR("label")))) {
        json_put_key(writer, STR("label"));
        json_begin_object(writer);
        json_member_text(writer, STR("zh"), zh);
        json_member_text(writer, STR("en"), en);
        json_end_object(writer);
    }
    json_end_object(writer);
}

err route_identity_type_list(struct request *request, struct problem *problem)
{
    struct ask_text ask = { .write = write_types };
    struct json_writer writer;
    json_value root, item;
    err error = get_text(request, &ask, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&ask.text), &root, problem);
    if (error == ERR_OK) {
        answer_list_begin(request, &writer);
        struct json_iterator iterator = json_iterate(root);
        while (json_next(&iterator, NULL, &item))
            write_type(request, &writer, item);
        answer_list_end(request, &writer, STR_NONE);
        json_end_object(&writer);
    }
    buffer_deinit(&ask.text);
    return error;
}

static err answer_type(struct request *request, struct problem *problem)
{
    struct ask_text ask = { .write = write_types };
    struct json_writer writer;
    json_value root, item;
    bool found = false;
    err error = get_text(request, &ask, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&ask.text), &root, problem);
    if (error == ERR_OK) {
        struct json_iterator iterator = json_iterate(root);
        while (!found && json_next(&iterator, NULL, &item))
            found = str_equal(json_text(json_get(item, STR("name"))), request->parameters[0]);
        json_writer_init(&writer, &request->out);
        if (found)
            write_type(request, &writer, item);
        else
            error = problem_set(problem, ERR_INTERNAL, "the type is not there");
    }
    buffer_deinit(&ask.text);
    return error;
}

err route_identity_type_put(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "label",        "strong",      "verification",
                                           "limit",        "window_days", "over_limit",
                                           "shared_after", "blocked",     "blocked_patterns" };
    err error = put_named(request, "identity.type.put", members,
                          sizeof(members) / sizeof(members[0]), problem);
    return error == ERR_OK ? answer_type(request, problem) : error;
}

err route_whatif_run(struct request *request, struct problem *problem)
{
    struct ask_text ask = { .write = write_types };
    struct server *server = request->server;
    json_value types = json_get(request->json, STR("types"));
    if (json_kind(types) != JSON_ARRAY) {
        problem_set(problem, ERR_UNPROCESSABLE, "what-if needs 'types', a list of changed types");
        return problem_at(problem, ERR_UNPROCESSABLE, "/types");
    }
    err error = get_text(request, &ask, problem);
    if (error == ERR_OK)
        error = identity_whatif(server_ledger(server), server->keys, buffer_str(&ask.text), types,
                                &request->out, problem);
    buffer_deinit(&ask.text);
    return error;
}
