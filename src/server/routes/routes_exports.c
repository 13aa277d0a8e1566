/* SPDX-License-Identifier: Apache-2.0 */
/* Exports of segments and tags: begun, followed, cancelled, fetched. */
#include "server/answer.h"
#include "server/exports.h"
#include "server/scope/scope.h"
#include "server/view.h"

struct ask_set {
    enum audience_kind kind;
    str key, value, on;
    struct audience_set *set;
    err error;
};

static void take(const struct engine_state *state, struct engine_question *question)
{
    struct ask_set *ask = question->context;
    ask->on = audience_on(state->audience, ask->kind, ask->key);
    ask->error = audience_set_take(state->audience, ask->kind, ask->key, ask->value, &ask->set);
}

static err read_format(struct request *request, bool *csv, struct problem *problem)
{
    json_value format = json_get(request->json, STR("format"));
    *csv = json_kind(format) == JSON_MISSING || str_equal(json_text(format), STR("csv"));
    if (*csv || str_equal(json_text(format), STR("jsonl")))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "format is csv or jsonl");
    return problem_at(problem, ERR_UNPROCESSABLE, "/format");
}

/* What stands in a column is read for everybody: of who sees a part, only what cannot tell of other teams. */
static err check_columns(struct request *request, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(json_get(request->json, STR("columns")));
    json_value item;
    for (size_t i = 0; request->scope != NULL && json_next(&iterator, NULL, &item); i++) {
        str column = json_text(item);
        size_t colon = str_find_byte(column, ':');
        str kind = str_slice(column, 0, colon);
        str key = colon < column.size ? str_slice(column, colon + 1, column.size) : STR_NONE;
        bool of_tag = str_equal(kind, STR("tag")), of_segment = str_equal(kind, STR("segment"));
        bool is_fact = str_equal(kind, STR("trait")) || str_equal(kind, STR("identifier"));
        if (((of_tag || of_segment) &&
             !scope_sees_thing(request->scope, of_tag ? "tag" : "segment", key, TEAM_READ))) {
            problem_set(problem, ERR_UNPROCESSABLE, "there is no column '%.*s'",
                        (int)str_utf8_prefix_bytes(column, 100), column.data);
            return problem_at(problem, ERR_UNPROCESSABLE, "/columns/%zu", i);
        }
        if (is_fact && !scope_sees_all_events(request->scope)) {
            problem_set(problem, ERR_UNPROCESSABLE,
                        "other teams' sources tell of traits and identifiers, too: they are not "
                        "exported for a part of the events");
            return problem_at(problem, ERR_UNPROCESSABLE, "/columns/%zu", i);
        }
    }
    return ERR_OK;
}

err route_export_post(struct request *request, struct problem *problem)
{
    bool is_tag = str_starts_with(request->path, STR(API "/tags"));
    struct ask_set ask = { .kind = is_tag ? AUDIENCE_TAG : AUDIENCE_SEGMENT,
                           .key = request->parameters[0],
                           .value = json_text(json_get(request->json, STR("value"))) };
    struct export_order order = { .kind = ask.kind,
                                  .key = ask.key,
                                  .columns = json_get(request->json, STR("columns")),
                                  .user_number = request->actor.user_number };
    struct json_writer writer;
    char id[EXPORT_ID_BYTES];
    err error = read_format(request, &order.csv, problem);
    if (error == ERR_OK)
        error = check_columns(request, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, request->parameters[0], &order.revealed, problem);
    if (error == ERR_OK)
        error = view_ask(request, take, &ask, problem);
    if (error == ERR_OK)
        error = ask.error;
    if (error == ERR_OK)
        error = auth_note(request, "customers.export", ask.key, problem);
    if (error != ERR_OK && ask.set != NULL)
        audience_set_free(&ask.set);
    if (error == ERR_NOT_FOUND)
        return problem_set(problem, error, "there is no %s '%.*s'", is_tag ? "tag" : "segment",
                           (int)str_utf8_prefix_bytes(ask.key, 100), ask.key.data);
    if (error != ERR_OK)
        return error;
    order.on = ask.on;
    order.set = ask.set;
    error = exports_begin(request->server->exports, &order, id, problem);
    if (error != ERR_OK)
        return error;
    request->status = 201;
    json_writer_init(&writer, &request->out);
    return exports_write(request->server->exports, str_from_c(id), &writer);
}

static err unknown(const struct request *request, err error, struct problem *problem)
{
    str id = request->parameters[0];
    return error == ERR_NOT_FOUND && problem->error == ERR_OK
               ? problem_set(problem, error, "there is no export '%.*s'",
                             (int)str_utf8_prefix_bytes(id, 40), id.data)
               : error;
}

static bool shows(const void *context, uint32_t user_number)
{
    return scope_sees_user(context, user_number);
}

/* Exports are seen by those who see their maker. */
static err check_maker(struct request *request, struct problem *problem)
{
    str id = request->parameters[0];
    if (scope_sees_user(request, exports_maker(request->server->exports, id)))
        return ERR_OK;
    return scope_refuse(request, "export", id, problem);
}

err route_export_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    (void)problem;
    answer_list_begin(request, &writer);
    exports_write_all(request->server->exports, shows, request, &writer);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

err route_export_get(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    err error = check_maker(request, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    return unknown(
        request, exports_write(request->server->exports, request->parameters[0], &writer), problem);
}

err route_export_delete(struct request *request, struct problem *problem)
{
    err error = check_maker(request, problem);
    if (error == ERR_OK)
        error = exports_delete(request->server->exports, request->parameters[0]);
    if (error == ERR_OK)
        request->status = 204;
    return unknown(request, error, problem);
}

/* What was revealed to one is not everybody's. */
err route_export_file(struct request *request, struct problem *problem)
{
    struct sealed_file *file = NULL;
    bool csv, revealed;
    uint32_t user_number;
    err error = check_maker(request, problem);
    if (error == ERR_OK)
        error = exports_open(request->server->exports, request->parameters[0], &file, &csv,
                             &revealed, &user_number, problem);
    if (error != ERR_OK)
        return unknown(request, error, problem);
    request->sealed_file = file; /* closed with the request */
    request->content_type = csv ? "text/csv" : "application/x-ndjson";
    if (!revealed || user_number == request->actor.user_number ||
        permissions_hold(&request->actor.permissions, PERMISSION_PRIVACY_ADMINISTER))
        return auth_note(request, "customers.export.fetched", request->parameters[0], problem);
    return problem_set(problem, ERR_FORBIDDEN,
                       "its values were revealed to somebody else: make an export of your own");
}
