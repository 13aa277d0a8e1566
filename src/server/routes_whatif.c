/* SPDX-License-Identifier: Apache-2.0 */
/* What would happen: runs of a journey over the last days, begun, followed, cancelled, and compared with what came. */
#include "engine/whatif.h"
#include "server/answer.h"
#include "server/view.h"

static err unknown(const struct request *request, err error, struct problem *problem)
{
    str id = request->parameters[1];
    return error == ERR_NOT_FOUND && problem->error == ERR_OK
               ? problem_set(problem, error, "there is no run '%.*s' of this journey",
                             (int)str_utf8_prefix_bytes(id, 40), id.data != NULL ? id.data : "")
               : error;
}

struct ask_journey {
    str key;
    bool is_there;
};

static void look_for(const struct engine_state *state, struct engine_question *question)
{
    struct ask_journey *ask = question->context;
    struct buffer text;
    buffer_init(&text, (size_t)8 << 20);
    ask->is_there = journey_write_one(state->journeys, ask->key, 0, &text) == ERR_OK;
    buffer_deinit(&text);
}

/* A definition that comes with the request needs no journey of this key. */
static err check_journey(struct request *request, struct problem *problem)
{
    struct ask_journey ask = { .key = request->parameters[0] };
    if (json_is_object(json_get(request->json, STR("journey"))))
        return ERR_OK;
    err error = view_ask(request, look_for, &ask, problem);
    if (error == ERR_OK && !ask.is_there)
        return problem_set(problem, ERR_NOT_FOUND, "there is no journey '%.*s'",
                           (int)str_utf8_prefix_bytes(ask.key, 100), ask.key.data);
    return error;
}

err route_whatif_begin(struct request *request, struct problem *problem)
{
    char id[WHATIF_ID_BYTES];
    str key = request->parameters[0];
    err error = check_journey(request, problem);
    if (error == ERR_OK)
        error = whatif_begin(request->server->whatifs, key, request->json,
                             request->actor.user_number, id, problem);
    if (error != ERR_OK)
        return error;
    request->status = 202;
    return whatif_write(request->server->whatifs, key, str_from_c(id), &request->out);
}

err route_whatif_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    (void)problem;
    answer_list_begin(request, &writer);
    whatif_write_all(request->server->whatifs, request->parameters[0], &writer);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

err route_whatif_get(struct request *request, struct problem *problem)
{
    return unknown(request,
                   whatif_write(request->server->whatifs, request->parameters[0],
                                request->parameters[1], &request->out),
                   problem);
}

err route_whatif_delete(struct request *request, struct problem *problem)
{
    err error =
        whatif_delete(request->server->whatifs, request->parameters[0], request->parameters[1]);
    if (error == ERR_OK)
        request->status = 204;
    return unknown(request, error, problem);
}

err route_whatif_compare(struct request *request, struct problem *problem)
{
    str from = request_query(request, STR("from"));
    int64_t from_ms = 0;
    if (from.size > 0 && !time_parse(from, 8 * 60, &from_ms))
        return problem_set(problem, ERR_INVALID, "from is a time (RFC 3339)");
    return unknown(request,
                   whatif_compare(request->server->whatifs, request->parameters[0],
                                  request->parameters[1], from_ms, &request->out, problem),
                   problem);
}
