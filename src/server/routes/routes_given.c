/* SPDX-License-Identifier: Apache-2.0 */
/* What people put into a definition by hand: customers into and out of a static segment, values of a tag; on objects, too. Who is not
 * known, or not seen by the asker, is counted and left out. */
#include <string.h>

#include "event/normalise.h"
#include "server/answer.h"
#include "server/everybody.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define MEMBERS_AT_ONCE_MAX 20000

/* ---- who is meant ---- */

struct hash {
    uint8_t bytes[HASH_BYTES];
};

struct ask_hashes {
    const struct hash *hashes;
    uint32_t *nodes;
    size_t count;
};

static void find_nodes(const struct engine_state *state, struct engine_question *question)
{
    struct ask_hashes *ask = question->context;
    for (size_t i = 0; i < ask->count; i++)
        ask->nodes[i] = identity_row_node(state->identity,
                                          identity_find_row(state->identity, ask->hashes[i].bytes));
}

/* Items are one_ids, or {type, value, namespace}. `nodes` gets 0 for who is not known. */
static err resolve(struct request *request, json_value list, const char *name, uint32_t *nodes,
                   struct problem *problem)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    size_t index = 0, count = json_count(list);
    struct hash *hashes = arena_array(&request->arena, struct hash, count + 1);
    size_t *places = arena_array(&request->arena, size_t, count + 1);
    struct ask_hashes ask = { .nodes = arena_array(&request->arena, uint32_t, count + 1) };
    if (hashes == NULL || places == NULL || ask.nodes == NULL)
        return ERR_NOMEM;
    for (; json_next(&iterator, NULL, &item); index++) {
        struct event_identifier identifier;
        err error = ERR_OK;
        nodes[index] = 0;
        if (json_kind(item) == JSON_TEXT) {
            if (!keys_customer(request->server->keys, json_text(item), &nodes[index]))
                nodes[index] = 0;
            continue;
        }
        str type = json_text(json_get(item, STR("type")));
        if (!json_is_object(item) || type.size == 0) {
            problem_set(problem, ERR_UNPROCESSABLE, "a one_id, or type and value");
            return problem_at(problem, ERR_UNPROCESSABLE, "/%s/%zu", name, index);
        }
        enum normal_form form =
            identifier_make(request->server->keys, &request->arena, type,
                            json_text(json_get(item, STR("namespace"))),
                            json_text(json_get(item, STR("value"))), 0, &identifier, &error);
        if (error != ERR_OK)
            return error;
        if (form == NORMAL_INVALID || form == NORMAL_MASKED)
            continue;
        memcpy(hashes[ask.count].bytes, identifier.hash, HASH_BYTES);
        places[ask.count++] = index;
    }
    ask.hashes = hashes;
    err error = ask.count > 0 ? view_ask(request, find_nodes, &ask, problem) : ERR_OK;
    for (size_t i = 0; i < ask.count; i++)
        nodes[places[i]] = ask.nodes[i];
    return error == ERR_OK ? scope_filter(request, nodes, count, problem) : error;
}

static err write_numbers(struct request *request, struct command_body *body, const char *name,
                         size_t *unknown, struct problem *problem)
{
    json_value list = json_get(request->json, str_from_c(name));
    size_t count = json_count(list);
    uint32_t *nodes = arena_array(&request->arena, uint32_t, count + 1);
    if (nodes == NULL)
        return ERR_NOMEM;
    if (count > MEMBERS_AT_ONCE_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "at most %d at once", MEMBERS_AT_ONCE_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/%s", name);
    }
    err error = resolve(request, list, name, nodes, problem);
    json_put_key(&body->writer, str_from_c(name));
    json_begin_array(&body->writer);
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        if (nodes[i] != 0)
            json_put_int(&body->writer, nodes[i]);
        else
            ++*unknown;
    }
    json_end_array(&body->writer);
    return error;
}

static err answer_given(struct request *request, str response, size_t unknown,
                        struct problem *problem)
{
    struct json_writer writer;
    json_value root;
    err error = json_parse(request->scratch, response, &root, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("changed"), json_int(json_get(root, STR("changed")), 0));
    json_member_int(&writer, STR("unknown"),
                    json_int(json_get(root, STR("unknown")), 0) + (int64_t)unknown);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- of what kind of object it says something ---- */

struct ask_on {
    enum audience_kind kind;
    str key, on;
};

static void look_on(const struct engine_state *state, struct engine_question *question)
{
    struct ask_on *ask = question->context;
    ask->on = audience_on(state->audience, ask->kind, ask->key);
}

/* `on`: the kind of its objects, empty for customers. */
static err find_on(struct request *request, str *on, struct problem *problem)
{
    struct ask_on ask = { .kind = definition_kind(request), .key = request->parameters[0] };
    err error = view_ask(request, look_on, &ask, problem);
    *on = ask.on;
    return error;
}

err route_segment_members_post(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response = STR_NONE, on;
    size_t unknown = 0;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    err error = find_on(request, &on, problem);
    if (error == ERR_OK && on.size > 0) { /* ids of objects, as they are */
        command_body_copy(&body, request, "add");
        command_body_copy(&body, request, "remove");
    } else {
        if (error == ERR_OK)
            error = write_numbers(request, &body, "add", &unknown, problem);
        if (error == ERR_OK)
            error = write_numbers(request, &body, "remove", &unknown, problem);
    }
    if (error == ERR_OK)
        error =
            answer_command(request, "segment.members", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_given(request, response, unknown, problem) : error;
}

/* {values:[{object: id, value, at}]} go on as they are. */
static err give_to_objects(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response = STR_NONE;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    command_body_copy(&body, request, "values");
    err error = answer_command(request, "tag.values", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_given(request, response, 0, problem) : error;
}

/* Who each of {values:[{customer: one_id or {type, value}, value, at}]} is for: 0 for who is not known. */
static err resolve_values(struct request *request, json_value list, uint32_t *nodes,
                          struct problem *problem)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item, customers;
    struct buffer who;
    size_t index = 0;
    buffer_init(&who, TEXT_BYTES_MAX);
    buffer_append_byte(&who, '[');
    while (json_next(&iterator, NULL, &item)) {
        json_value customer = json_get(item, STR("customer"));
        if (index++ > 0)
            buffer_append_byte(&who, ',');
        if (json_kind(customer) == JSON_MISSING)
            buffer_append_str(&who, STR("null"));
        else
            json_write_value(&who, customer);
    }
    buffer_append_byte(&who, ']');
    err error = json_parse(request->scratch, buffer_str(&who), &customers, problem);
    if (error == ERR_OK)
        error = resolve(request, customers, "values", nodes, problem);
    buffer_deinit(&who);
    return error;
}

static void write_value(struct command_body *body, uint32_t node, json_value item)
{
    str at = json_text(json_get(item, STR("at")));
    struct buffer value;
    buffer_init(&value, 65536);
    json_write_value(&value, json_get(item, STR("value")));
    json_begin_object(&body->writer);
    json_member_int(&body->writer, STR("customer"), node);
    json_member_raw(&body->writer, STR("value"), value.size > 0 ? buffer_str(&value) : STR("null"));
    if (at.size > 0)
        json_member_text(&body->writer, STR("at"), at);
    json_end_object(&body->writer);
    buffer_deinit(&value);
}

static err give_to_customers(struct request *request, struct problem *problem)
{
    json_value list = json_get(request->json, STR("values")), item;
    struct command_body body;
    str response = STR_NONE;
    size_t count = json_count(list), unknown = 0;
    uint32_t *nodes = arena_array(&request->arena, uint32_t, count + 1);
    if (nodes == NULL)
        return ERR_NOMEM;
    if (count == 0 || count > MEMBERS_AT_ONCE_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "values lists 1 to %d values", MEMBERS_AT_ONCE_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/values");
    }
    err error = resolve_values(request, list, nodes, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    json_put_key(&body.writer, STR("values"));
    json_begin_array(&body.writer);
    struct json_iterator iterator = json_iterate(list);
    for (size_t index = 0; json_next(&iterator, NULL, &item); index++) {
        if (nodes[index] != 0)
            write_value(&body, nodes[index], item);
        else
            unknown++;
    }
    json_end_array(&body.writer);
    error = answer_command(request, "tag.values", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_given(request, response, unknown, problem) : error;
}

err route_tag_values_post(struct request *request, struct problem *problem)
{
    str on;
    err error = find_on(request, &on, problem);
    if (error != ERR_OK)
        return error;
    return on.size > 0 ? give_to_objects(request, problem) : give_to_customers(request, problem);
}
