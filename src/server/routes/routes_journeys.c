/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys: drafts, versions, life; who enters, who is moved; report and why. */
#include <string.h>

#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define ENTER_AT_ONCE_MAX 10000

/* ---- reading ---- */

enum ask_what { ASK_ALL, ASK_ONE, ASK_REPORT, ASK_EXPLAIN, ASK_CUSTOMER };
struct ask_journey {
    enum ask_what what;
    str key, folder, query;
    uint32_t version, customer;
    int64_t from_ms, to_ms;
    struct ledger *ledger;
    struct buffer text;
    struct problem *problem;
    err error;
};

static void ask_journeys(const struct engine_state *state, struct engine_question *question)
{
    struct ask_journey *ask = question->context;
    const struct journeys *journeys = state->journeys;
    switch (ask->what) {
    case ASK_ALL:
        journey_write_all(journeys, ask->folder, ask->query, &ask->text);
        break;
    case ASK_ONE:
        ask->error = journey_write_one(journeys, ask->key, ask->version, &ask->text);
        break;
    case ASK_REPORT:
        ask->error = journey_write_report(journeys, ask->key, ask->from_ms, ask->to_ms, &ask->text);
        break;
    case ASK_EXPLAIN:
        ask->error = journey_explain(journeys, ask->ledger, ask->key, ask->customer, state->now_ms,
                                     &ask->text, ask->problem);
        break;
    case ASK_CUSTOMER:
        journey_write_customer(journeys, identity_root(state->identity, ask->customer), &ask->text);
        break;
    }
    if (ask->error == ERR_OK)
        ask->error = buffer_status(&ask->text);
}

static err ask_and_append(struct request *request, struct ask_journey *ask, struct problem *problem)
{
    ask->problem = problem;
    buffer_init(&ask->text, TEXT_BYTES_MAX);
    err error = view_ask(request, ask_journeys, ask, problem);
    if (error == ERR_OK)
        error = ask->error;
    if (error == ERR_OK)
        buffer_append_str(&request->out, buffer_str(&ask->text));
    buffer_deinit(&ask->text);
    if (error == ERR_NOT_FOUND && problem->detail[0] == '\0')
        problem_set(problem, error, "there is no journey '%.*s', or no such version of it",
                    (int)str_utf8_prefix_bytes(ask->key, 100),
                    ask->key.data != NULL ? ask->key.data : "");
    return error;
}

static err answer_items(struct request *request, struct ask_journey *ask, struct problem *problem)
{
    buffer_append_str(&request->out, STR("{\"items\":"));
    err error = ask_and_append(request, ask, problem);
    buffer_append_str(&request->out, STR(",\"next_cursor\":null}"));
    return error;
}

/* ---- whom a journey took in, for who sees a part ---- */

static bool write_none(void *context, str name, json_value value, struct buffer *out)
{
    (void)context;
    if (json_kind(value) != JSON_INT ||
        !(str_equal(name, STR("inside")) || str_equal(name, STR("entered"))))
        return false;
    buffer_append_byte(out, '0');
    return true;
}

/* A journey as it is; without what it counts, when those are others than whom she sees. */
static err write_withheld(struct request *request, json_value journey, struct buffer *out,
                          struct problem *problem)
{
    bool stands = true;
    err error =
        scope_journey_stands(request, json_text(json_get(journey, STR("key"))), &stands, problem);
    if (error != ERR_OK || stands) {
        json_write_value(out, journey);
        return error;
    }
    struct buffer one;
    buffer_init(&one, TEXT_BYTES_MAX);
    json_write_replacing(&one, STR_NONE, journey, write_none, NULL);
    error = buffer_status(&one);
    if (error == ERR_OK)
        buffer_append_str(out, str_slice(buffer_str(&one), 0, one.size - 1));
    buffer_append_str(out, STR(",\"withheld\":true}"));
    buffer_deinit(&one);
    return error == ERR_OK ? buffer_status(out) : error;
}

/* request->out is one journey, or a list of them. */
static err withhold(struct request *request, struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct buffer out;
    json_value root, item;
    bool first = true;
    if (request->scope == NULL)
        return ERR_OK;
    buffer_init(&out, TEXT_BYTES_MAX);
    err error = json_parser_new(&parser, TEXT_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&request->out), &root, problem);
    json_value items =
        error == ERR_OK ? json_get(root, STR("items")) : (json_value){ .document = NULL };
    if (error == ERR_OK && json_kind(items) != JSON_ARRAY)
        error = write_withheld(request, root, &out, problem);
    else if (error == ERR_OK)
        buffer_append_str(&out, STR("{\"items\":["));
    struct json_iterator iterator = json_iterate(items);
    bool is_list = error == ERR_OK && json_kind(items) == JSON_ARRAY;
    while (is_list && error == ERR_OK && json_next(&iterator, NULL, &item)) {
        if (!scope_sees_thing(request->scope, "journey", json_text(json_get(item, STR("key"))),
                              TEAM_READ))
            continue;
        buffer_append_str(&out, first ? STR("") : STR(","));
        first = false;
        error = write_withheld(request, item, &out, problem);
    }
    if (is_list)
        buffer_append_str(&out, STR("],\"next_cursor\":null}"));
    if (error == ERR_OK)
        error = buffer_status(&out);
    if (error == ERR_OK) {
        buffer_clear(&request->out);
        buffer_append_str(&request->out, buffer_str(&out));
    }
    json_parser_free(&parser);
    buffer_deinit(&out);
    return error;
}

err route_journey_list(struct request *request, struct problem *problem)
{
    struct ask_journey ask = { .what = ASK_ALL,
                               .folder = request_query(request, STR("folder")),
                               .query = request_query(request, STR("query")) };
    err error = answer_items(request, &ask, problem);
    return error == ERR_OK ? withhold(request, problem) : error;
}

err route_journey_get(struct request *request, struct problem *problem)
{
    struct ask_journey ask = { .what = ASK_ONE, .key = request->parameters[0] };
    str version = request_query(request, STR("version"));
    int64_t number = 0;
    if (version.size > 0 && (!str_to_int64(version, &number) || number < 1 || number > UINT32_MAX))
        return problem_set(problem, ERR_INVALID, "version is a whole number from 1 on");
    ask.version = (uint32_t)number;
    err error = ask_and_append(request, &ask, problem);
    return error == ERR_OK ? withhold(request, problem) : error;
}

err route_journey_catalogue(struct request *request, struct problem *problem)
{
    (void)problem;
    journey_write_catalogue(&request->out);
    return buffer_status(&request->out);
}

err route_journey_library(struct request *request, struct problem *problem)
{
    (void)problem;
    buffer_append_str(&request->out, STR("{\"items\":"));
    journey_write_library(&request->out);
    buffer_append_str(&request->out, STR(",\"next_cursor\":null}"));
    return buffer_status(&request->out);
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

/* Who was refused at the entry may be anybody: that is counted for who sees the whole. */
static bool write_no_refused(void *context, str name, json_value value, struct buffer *out)
{
    (void)context;
    if (json_kind(value) != JSON_INT || !str_equal(name, STR("refused")))
        return false;
    buffer_append_byte(out, '0');
    return true;
}

static err leave_out_refused(struct request *request, struct problem *problem)
{
    struct buffer out;
    json_value root;
    if (request->scope == NULL)
        return ERR_OK;
    err error = json_parse(request->scratch, buffer_str(&request->out), &root, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&out, TEXT_BYTES_MAX);
    json_write_replacing(&out, STR_NONE, root, write_no_refused, NULL);
    buffer_clear(&request->out);
    buffer_append_str(&request->out, buffer_str(&out));
    error = buffer_status(&out);
    buffer_deinit(&out);
    return error;
}

err route_journey_report(struct request *request, struct problem *problem)
{
    struct ask_journey ask = { .what = ASK_REPORT, .key = request->parameters[0] };
    err error = read_time(request, STR("to"), server_now_ms(request->server), &ask.to_ms, problem);
    if (error == ERR_OK)
        error = read_time(request, STR("from"), ask.to_ms - 90 * DAY_MS, &ask.from_ms, problem);
    if (error == ERR_OK)
        error = scope_check_journey(request, problem);
    if (error == ERR_OK)
        error = ask_and_append(request, &ask, problem);
    return error == ERR_OK ? leave_out_refused(request, problem) : error;
}

err route_journey_explain(struct request *request, struct problem *problem)
{
    struct ask_journey ask = { .what = ASK_EXPLAIN,
                               .key = request->parameters[0],
                               .ledger = engine_ledger(request->server->engine) };
    str customer = request_query(request, STR("customer"));
    if (customer.size == 0)
        return problem_set(problem, ERR_INVALID, "customer is a one_id");
    err error = scope_check_journey(request, problem);
    if (error == ERR_OK)
        error = view_number(request, customer, &ask.customer, problem);
    return error == ERR_OK ? ask_and_append(request, &ask, problem) : error;
}

err route_customer_journeys(struct request *request, struct problem *problem)
{
    struct ask_journey ask = { .what = ASK_CUSTOMER };
    err error = view_number(request, request->parameters[0], &ask.customer, problem);
    return error == ERR_OK ? answer_items(request, &ask, problem) : error;
}

/* ---- changing ---- */

static err answer_one(struct request *request, struct problem *problem)
{
    struct ask_journey ask = { .what = ASK_ONE, .key = request->parameters[0] };
    err error = ask_and_append(request, &ask, problem);
    return error == ERR_OK ? withhold(request, problem) : error;
}

err route_journey_put(struct request *request, struct problem *problem)
{
    struct command_body body;
    struct buffer journey;
    str response;
    err error = scope_cut_journey(request, false, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&journey, (size_t)4 << 20);
    json_write_value(&journey, request->json);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    json_member_raw(&body.writer, STR("journey"), buffer_str(&journey));
    error = answer_command(request, "journey.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    buffer_deinit(&journey);
    return error == ERR_OK ? answer_one(request, problem) : error;
}

err route_journey_delete(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    err error =
        answer_command(request, "journey.delete", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}

err route_journey_publish(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "positions", "map", "ramp", "test_only" };
    struct command_body body;
    str response;
    err error = scope_check_draft(request, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        command_body_copy(&body, request, members[i]);
    error = answer_command(request, "journey.publish", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_one(request, problem) : error;
}

/* pause, resume, stop, approve, ramp: the last part of the path. */
err route_journey_state(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "positions", "reason", "ramp", "test_only" };
    struct command_body body;
    str response, action = request->path;
    for (size_t at; (at = str_find_byte(action, '/')) < action.size;)
        action = str_slice(action, at + 1, action.size);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    json_member_text(&body.writer, STR("action"), action);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        command_body_copy(&body, request, members[i]);
    err error =
        answer_command(request, "journey.state", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_one(request, problem) : error;
}

/* ---- people ---- */

static err write_customers(struct request *request, struct json_writer *writer,
                           struct problem *problem)
{
    json_value list = json_get(request->json, STR("customers")), item;
    struct json_iterator iterator = json_iterate(list);
    uint32_t number, index = 0;
    json_put_key(writer, STR("customers"));
    json_begin_array(writer);
    for (; json_next(&iterator, NULL, &item); index++) {
        if (!keys_customer(request->server->keys, json_text(item), &number)) {
            problem_set(problem, ERR_UNPROCESSABLE, "a one_id is wanted");
            return problem_at(problem, ERR_UNPROCESSABLE, "/customers/%u", index);
        }
        json_put_uint(writer, number);
    }
    json_end_array(writer);
    return ERR_OK;
}

/* Numbers of customers become one_ids. */
static err write_results(struct request *request, str response, struct problem *problem)
{
    json_value root, item;
    struct json_writer writer;
    err error = json_parse(request->scratch, response, &root, problem);
    if (error != ERR_OK)
        return error;
    json_value results = json_get(root, STR("results"));
    if (json_kind(results) == JSON_MISSING) {
        buffer_append_str(&request->out, response);
        return ERR_OK;
    }
    struct json_iterator iterator = json_iterate(results);
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("results"));
    json_begin_array(&writer);
    while (json_next(&iterator, NULL, &item)) {
        int64_t position = json_int(json_get(item, STR("position")), 0);
        json_begin_object(&writer);
        member_one_id(request, &writer, STR("one_id"),
                      (uint32_t)json_int(json_get(item, STR("customer")), 0));
        if (position != 0)
            json_member_int(&writer, STR("position"), position);
        else
            json_member_text(&writer, STR("refusal"), json_text(json_get(item, STR("refusal"))));
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    return ERR_OK;
}

/* Who sees a part lets in whom she sees; an entry as a test, which asks no conditions, names each. */
static err check_entering(struct request *request, struct problem *problem)
{
    str segment = json_text(json_get(request->json, STR("segment")));
    if (request->scope == NULL)
        return ERR_OK;
    if (segment.size > 0 && !scope_sees_thing(request->scope, "segment", segment, TEAM_USE)) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no segment '%.*s'",
                    (int)str_utf8_prefix_bytes(segment, 80), segment.data);
        return problem_at(problem, ERR_UNPROCESSABLE, "/segment");
    }
    if (segment.size > 0 && json_bool(json_get(request->json, STR("test")), false)) {
        problem_set(problem, ERR_UNPROCESSABLE, "an entry as a test names its customers");
        return problem_at(problem, ERR_UNPROCESSABLE, "/test");
    }
    return scope_check_customers(request, json_get(request->json, STR("customers")), "/customers",
                                 problem);
}

err route_journey_enter(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "segment", "position_key", "event", "test" };
    struct command_body body;
    str response = STR_NONE;
    err error = check_entering(request, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        command_body_copy(&body, request, members[i]);
    if (json_count(json_get(request->json, STR("customers"))) > ENTER_AT_ONCE_MAX)
        error = problem_set(problem, ERR_UNPROCESSABLE, "at most %d customers at once",
                            ENTER_AT_ONCE_MAX);
    if (error == ERR_OK && json_kind(json_get(request->json, STR("customers"))) == JSON_ARRAY)
        error = write_customers(request, &body.writer, problem);
    if (error == ERR_OK)
        error =
            answer_command(request, "journey.enter", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? write_results(request, response, problem) : error;
}

err route_journey_move(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "position", "action", "to", "reason" };
    struct command_body body;
    str response = STR_NONE;
    uint32_t customer = 0;
    bool sees = true;
    str one_id = json_text(json_get(request->json, STR("customer")));
    err error = view_number(request, one_id, &customer, problem);
    if (error == ERR_OK)
        error = scope_sees(request, customer, &sees, problem);
    if (request->scope != NULL && (error == ERR_NOT_FOUND || (error == ERR_OK && !sees)))
        return scope_refuse_customer(request, one_id, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    json_member_int(&body.writer, STR("customer"), customer);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        command_body_copy(&body, request, members[i]);
    error = answer_command(request, "journey.move", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        buffer_append_str(&request->out, response);
    return error;
}
