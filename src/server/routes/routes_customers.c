/* SPDX-License-Identifier: Apache-2.0 */
/* One customer: graph, merges; split, merge, an identifier given and taken off, consent. */
#include <stdio.h>

#include "event/normalise.h"
#include "server/answer.h"
#include "server/mask.h"
#include "server/scope/scope.h"
#include "server/story.h"

static err take_customer(struct request *request, struct customer_view *view, bool *reveal,
                         struct problem *problem)
{
    err error = view_customer(request, request->parameters[0], false, view, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, request->parameters[0], reveal, problem);
    return error;
}

/* ---- merges ---- */

err route_customer_merges(struct request *request, struct problem *problem)
{
    struct customer_view view;
    struct merge_row *rows;
    struct json_writer writer;
    size_t count;
    bool reveal;
    err error = take_customer(request, &view, &reveal, problem);
    if (error == ERR_OK)
        error = story_merges(request, view.nodes, view.node_count, &rows, &count, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error = story_write_merges(request, &writer, rows, count, reveal, problem);
    if (error != ERR_OK)
        return error;
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- graph ---- */

#define ID_BYTES 32

static void write_node_id(struct request *request, struct json_writer *writer, str key,
                          uint32_t node)
{
    char id[ID_BYTES];
    snprintf(id, sizeof(id), "c:" STR_FMT, STR_ARG(answer_one_id(request, node)));
    json_member_text(writer, key, str_from_c(id));
}

static void write_row_id(struct json_writer *writer, str key, uint32_t row)
{
    char id[ID_BYTES];
    snprintf(id, sizeof(id), "i:%u", row);
    json_member_text(writer, key, str_from_c(id));
}

static void write_graph_nodes(struct request *request, struct json_writer *writer,
                              const struct customer_view *view, bool reveal)
{
    json_put_key(writer, STR("nodes"));
    json_begin_array(writer);
    for (size_t i = 0; i < view->node_count; i++) {
        json_begin_object(writer);
        write_node_id(request, writer, STR("id"), view->nodes[i]);
        json_member_text(writer, STR("kind"), STR("customer"));
        json_member_text(writer, STR("one_id"), answer_one_id(request, view->nodes[i]));
        json_end_object(writer);
    }
    for (size_t i = 0; i < view->row_count; i++) {
        const struct identity_row_view *row = &view->rows[i];
        json_begin_object(writer);
        write_row_id(writer, STR("id"), row->row);
        json_member_text(writer, STR("kind"), STR("identifier"));
        json_member_text(writer, STR("type"), row->type);
        json_member_text(
            writer, STR("value"),
            mask_identifier(request->server->keys, &request->arena, row->type, row->value, reveal));
        json_member_bool(writer, STR("verified"), (row->flags & IDENTIFIER_VERIFIED) != 0);
        json_member_time(writer, STR("first_seen"), row->first_seen_ms);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void end_link(struct request *request, struct json_writer *writer, str cause,
                     uint32_t source_number, int64_t at_ms, uint64_t seq)
{
    json_member_text(writer, STR("cause"), cause);
    json_member_text(writer, STR("source"), answer_source_key(request, source_number));
    json_member_time(writer, STR("at"), at_ms);
    json_member_int(writer, STR("seq"), (int64_t)seq);
    json_end_object(writer);
}

static bool is_hers(const struct customer_view *view, uint32_t row)
{
    for (size_t i = 0; i < view->row_count; i++)
        if (view->rows[i].row == row)
            return true;
    return false;
}

/* The last link of each identifier that brought it where it is now. */
static void write_home_links(struct request *request, struct json_writer *writer,
                             const struct customer_view *view, const struct link_row *links,
                             size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct identity_link *link = &links[i].link;
        bool is_last = i + 1 == count || links[i + 1].link.row != link->row;
        if (!is_last || link->customer == 0)
            continue;
        json_begin_object(writer);
        write_row_id(writer, STR("from"), link->row);
        write_node_id(request, writer, STR("to"), link->customer);
        end_link(request, writer, link->cause, link->source_number, link->at_ms, link->seq);
        if (link->with_row == 0 || !is_hers(view, link->with_row))
            continue;
        json_begin_object(writer);
        write_row_id(writer, STR("from"), link->row);
        write_row_id(writer, STR("to"), link->with_row);
        end_link(request, writer, link->cause, link->source_number, link->at_ms, link->seq);
    }
}

static bool has_node(const struct customer_view *view, uint32_t node)
{
    for (size_t i = 0; i < view->node_count; i++)
        if (view->nodes[i] == node)
            return true;
    return false;
}

static void write_merge_links(struct request *request, struct json_writer *writer,
                              const struct customer_view *view, const struct merge_row *merges,
                              size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct merge_row *merge = &merges[i];
        if (merge->undone_ms != 0 || !has_node(view, merge->node) || !has_node(view, merge->other))
            continue;
        json_begin_object(writer);
        write_node_id(request, writer, STR("from"), merge->node);
        write_node_id(request, writer, STR("to"), merge->other);
        end_link(request, writer, merge->cause, merge->source_number, merge->at_ms,
                 (uint64_t)merge->id);
    }
}

err route_customer_graph(struct request *request, struct problem *problem)
{
    struct customer_view view;
    struct merge_row *merges;
    struct link_row *links;
    struct json_writer writer;
    size_t merge_count, link_count;
    bool reveal;
    err error = take_customer(request, &view, &reveal, problem);
    if (error == ERR_OK && view.row_count > STORY_ROWS_MAX)
        view.row_count = STORY_ROWS_MAX;
    if (error == ERR_OK)
        error = story_merges(request, view.nodes, view.node_count, &merges, &merge_count, problem);
    if (error == ERR_OK)
        error = story_links(request, view.rows, view.row_count, &links, &link_count, problem);
    if (error == ERR_OK) {
        json_writer_init(&writer, &request->out);
        json_begin_object(&writer);
        write_graph_nodes(request, &writer, &view, reveal);
        json_put_key(&writer, STR("links"));
        json_begin_array(&writer);
        write_home_links(request, &writer, &view, links, link_count);
        write_merge_links(request, &writer, &view, merges, merge_count);
        json_end_array(&writer);
        json_end_object(&writer);
    }
    return error;
}

/* ---- split and merge ---- */

static err read_numbers(struct request *request, str response, uint32_t *customer, uint32_t *other)
{
    json_value root;
    err error = json_parse(request->scratch, response, &root, NULL);
    if (error != ERR_OK)
        return error;
    *customer = (uint32_t)json_int(json_get(root, STR("customer")), 0);
    *other = (uint32_t)json_int(json_get(root, STR("other")), 0);
    return ERR_OK;
}

static void write_one_id(struct request *request, struct json_writer *writer, uint32_t number)
{
    json_begin_object(writer);
    json_member_text(writer, STR("one_id"), answer_one_id(request, number));
    json_end_object(writer);
}

/* Is this merge one of hers? Guessing ids must not reach other customers. */
static err check_merge(struct request *request, int64_t merge_id, struct problem *problem)
{
    struct customer_view view;
    struct merge_row *rows;
    size_t count;
    bool found = false;
    err error = view_customer(request, request->parameters[0], false, &view, problem);
    if (error == ERR_OK)
        error = story_merges(request, view.nodes, view.node_count, &rows, &count, problem);
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        found = found || rows[i].id == merge_id;
    if (error != ERR_OK || found)
        return error;
    problem_set(problem, ERR_NOT_FOUND, "this customer has no merge %lld", (long long)merge_id);
    return problem_at(problem, ERR_NOT_FOUND, "/merge_id");
}

/* Carry out what makes two of one: she herself, and the other; null where what left her is nobody. Ends `body`. */
static err answer_pair(struct request *request, const char *command, struct command_body *body,
                       struct problem *problem)
{
    uint32_t customer, other;
    struct json_writer writer;
    str response;
    err error = answer_command(request, command, command_body_end(body), &response, problem);
    command_body_deinit(body);
    if (error == ERR_OK)
        error = read_numbers(request, response, &customer, &other);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("customer"));
    write_one_id(request, &writer, customer);
    json_put_key(&writer, STR("other"));
    if (other != 0)
        write_one_id(request, &writer, other);
    else
        json_put_null(&writer);
    json_end_object(&writer);
    return ERR_OK;
}

err route_customer_split(struct request *request, struct problem *problem)
{
    int64_t merge_id = json_int(json_get(request->json, STR("merge_id")), 0);
    uint32_t number;
    struct command_body body;
    if (merge_id < 1) {
        problem_set(problem, ERR_UNPROCESSABLE, "a split needs 'merge_id'");
        return problem_at(problem, ERR_UNPROCESSABLE, "/merge_id");
    }
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error == ERR_OK)
        error = check_merge(request, merge_id, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    json_member_int(&body.writer, STR("merge_id"), merge_id);
    return answer_pair(request, "customer.split", &body, problem);
}

err route_customer_merge(struct request *request, struct problem *problem)
{
    str other_id = json_text(json_get(request->json, STR("other")));
    uint32_t number, other, unused;
    struct command_body body;
    struct json_writer writer;
    str response;
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error != ERR_OK)
        return error;
    if (!keys_customer(request->server->keys, other_id, &other)) {
        problem_set(problem, ERR_UNPROCESSABLE, "'other' is no customer's one_id");
        return problem_at(problem, ERR_UNPROCESSABLE, "/other");
    }
    bool sees = false;
    error = scope_sees(request, other, &sees, problem);
    if (error == ERR_OK && !sees)
        error = scope_refuse_customer(request, other_id, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    json_member_int(&body.writer, STR("other"), other);
    error = answer_command(request, "customer.merge", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = read_numbers(request, response, &number, &unused);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    write_one_id(request, &writer, number);
    return ERR_OK;
}

/* An identifier that is not hers: a customer of its own, or nobody's. */
err route_identifier_part(struct request *request, struct problem *problem)
{
    str reason = request_query(request, STR("reason"));
    uint32_t number;
    struct command_body body;
    int64_t row;
    if (!str_to_int64(request->parameters[1], &row) || row < 1)
        return problem_set(problem, ERR_NOT_FOUND, "this customer has no such identifier");
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    json_member_int(&body.writer, STR("row"), row);
    json_member_text(&body.writer, STR("reason"), reason);
    return answer_pair(request, "identifier.part", &body, problem);
}

static void write_hash(struct command_body *body, str name, const uint8_t *hash, size_t size)
{
    char hex[2 * HASH_BYTES + 1];
    hex_encode(hash, size, hex);
    if (name.size > 0)
        json_put_key(&body->writer, name);
    json_put_text(&body->writer, str_from_c(hex));
}

/* As an event would bring it: what names a person is sealed from here on. */
static void write_identifier(struct command_body *body, const struct event_identifier *identifier)
{
    json_member_text(&body->writer, STR("type"), identifier->type);
    json_member_text(&body->writer, STR("namespace"), identifier->namespace_);
    json_member_text(&body->writer, STR("value"), identifier->value);
    json_member_int(&body->writer, STR("flags"), identifier->flags);
    write_hash(body, STR("hash"), identifier->hash, HASH_BYTES);
    json_put_key(&body->writer, STR("other_hashes"));
    json_begin_array(&body->writer);
    for (uint32_t i = 0; i < identifier->other_hash_count && i < 3; i++)
        write_hash(body, STR_NONE, identifier->other_hashes[i], HASH_BYTES);
    json_end_array(&body->writer);
    write_hash(body, STR("tail"), identifier->tail_hash, sizeof identifier->tail_hash);
}

static err read_identifier(struct request *request, struct event_identifier *identifier,
                           struct problem *problem)
{
    bool verified = json_bool(json_get(request->json, STR("verified")), false);
    str type = json_text(json_get(request->json, STR("type")));
    err error = ERR_OK;
    enum normal_form form = identifier_make(request->server->keys, &request->arena, type,
                                            json_text(json_get(request->json, STR("namespace"))),
                                            json_text(json_get(request->json, STR("value"))),
                                            verified ? IDENTIFIER_VERIFIED : 0, identifier, &error);
    if (error != ERR_OK)
        return error;
    if (form == NORMAL_USABLE || form == NORMAL_BLOCKED) /* the rules say the rest */
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "this is no value of the type '%.*s'",
                (int)str_utf8_prefix_bytes(type, 40), type.data);
    problem_hint(problem, ERR_UNPROCESSABLE,
                 form == NORMAL_MASKED ? "a masked value names nobody"
                                       : "check the type and the value");
    return problem_at(problem, ERR_UNPROCESSABLE, "/value");
}

static err answer_added(struct request *request, str response, struct problem *problem)
{
    struct json_writer writer;
    json_value answer;
    err error = json_parse(request->scratch, response, &answer, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("customer"));
    write_one_id(request, &writer, (uint32_t)json_int(json_get(answer, STR("customer")), 0));
    json_member_int(&writer, STR("row"), json_int(json_get(answer, STR("row")), 0));
    json_member_bool(&writer, STR("added"), json_bool(json_get(answer, STR("added")), false));
    json_end_object(&writer);
    return ERR_OK;
}

/* One that no source has told of. */
err route_identifier_add(struct request *request, struct problem *problem)
{
    struct event_identifier identifier;
    struct command_body body;
    str response = STR_NONE;
    uint32_t number;
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error == ERR_OK)
        error = read_identifier(request, &identifier, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    write_identifier(&body, &identifier);
    json_member_text(&body.writer, STR("reason"),
                     json_text(json_get(request->json, STR("reason"))));
    error = answer_command(request, "identifier.add", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_added(request, response, problem) : error;
}

/* ---- consent ---- */

static bool is_purpose(str purpose)
{
    if (purpose.size == 0 || purpose.size > 40 || purpose.data[0] < 'a' || purpose.data[0] > 'z')
        return false;
    for (size_t i = 0; i < purpose.size; i++) {
        char byte = purpose.data[i];
        if (!((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_'))
            return false;
    }
    return true;
}

err route_consent_put(struct request *request, struct problem *problem)
{
    json_value granted = json_get(request->json, STR("granted"));
    str purpose = request->parameters[1], at = json_text(json_get(request->json, STR("at")));
    int64_t at_ms = 0, now_ms = server_now_ms(request->server);
    struct command_body body;
    struct json_writer writer;
    uint32_t number;
    str response;
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error != ERR_OK)
        return error;
    if (!is_purpose(purpose))
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "a purpose is 1 to 40 of a-z, 0-9 and '_', a letter first");
    if (json_kind(granted) != JSON_BOOL) {
        problem_set(problem, ERR_UNPROCESSABLE, "granted is true or false");
        return problem_at(problem, ERR_UNPROCESSABLE, "/granted");
    }
    if (at.size > 0 && (!time_parse(at, 8 * 60, &at_ms) || at_ms > now_ms)) {
        problem_set(problem, ERR_UNPROCESSABLE, "at is a time (RFC 3339), not later than now");
        return problem_at(problem, ERR_UNPROCESSABLE, "/at");
    }
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    json_member_text(&body.writer, STR("purpose"), purpose);
    json_member_bool(&body.writer, STR("granted"), json_bool(granted, false));
    json_member_text(&body.writer, STR("evidence"),
                     json_text(json_get(request->json, STR("evidence"))));
    command_body_copy(&body, request, "text_version");
    if (at_ms != 0)
        json_member_int(&body.writer, STR("at_ms"), at_ms);
    error = answer_command(request, "consent.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("purpose"), purpose);
    json_member_text(&writer, STR("state"),
                     json_bool(granted, false) ? STR("granted") : STR("withdrawn"));
    json_member_time(&writer, STR("at"), at_ms != 0 ? at_ms : now_ms);
    json_end_object(&writer);
    return ERR_OK;
}
