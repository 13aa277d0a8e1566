/* SPDX-License-Identifier: Apache-2.0 */
/* Exports of segments and tags: begun, followed, cancelled, fetched. */
#include "server/answer.h"
#include "server/exports.h"
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
        error = auth_reveal(request, request->parameters[0], &order.revealed, problem);
    if (error == ERR_OK)
        error = view_ask(request, take, &ask, problem);
    if (error == ERR_OK)
        error = ask.error;
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

err route_export_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    (void)problem;
    answer_list_begin(request, &writer);
    exports_write_all(request->server->exports, &writer);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

err route_export_get(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    return unknown(
        request, exports_write(request->server->exports, request->parameters[0], &writer), problem);
}

err route_export_delete(struct request *request, struct problem *problem)
{
    err error = exports_delete(request->server->exports, request->parameters[0]);
    if (error == ERR_OK)
        request->status = 204;
    return unknown(request, error, problem);
}

/* What was revealed to one is not everybody's. */
err route_export_file(struct request *request, struct problem *problem)
{
    int file = -1;
    bool csv, revealed;
    uint32_t user_number;
    err error = exports_open(request->server->exports, request->parameters[0], &file,
                             &request->file_bytes, &csv, &revealed, &user_number, problem);
    if (error != ERR_OK)
        return unknown(request, error, problem);
    request->file = file;
    request->content_type = csv ? "text/csv" : "application/x-ndjson";
    if (!revealed || user_number == request->actor.user_number ||
        permissions_hold(&request->actor.permissions, PERMISSION_PRIVACY_ADMINISTER))
        return ERR_OK;
    return problem_set(problem, ERR_FORBIDDEN,
                       "its values were revealed to somebody else: make an export of your own");
}
