/* SPDX-License-Identifier: Apache-2.0 */
/* Rights of the person, asked and answered: requests with their due day, restriction of processing. docs/privacy.md. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "privacy/privacy.h"
#include "server/answer.h"
#include "server/person.h"
#include "server/view.h"

#define REQUEST_DAYS_DEFAULT 15
#define HER_REQUESTS_MAX 1000
#define EVIDENCE_BYTES_MAX 1000

/* ---- settings ---- */

struct reading {
    struct request *request;
    int64_t number;
    bool found;
};

static bool take_setting(void *context, const struct ledger_value *values)
{
    struct reading *reading = context;
    reading->found = str_to_int64(values[1].bytes, &reading->number);
    return false;
}

err person_setting(struct request *request, const char *key, int64_t otherwise, int64_t most,
                   int64_t *number, struct problem *problem)
{
    struct reading reading = { .request = request };
    struct ledger_value name = ledger_text(str_from_c(key));
    err error = ledger_find(server_ledger(request->server), LEDGER_SETTINGS, &name, 1, take_setting,
                            &reading, problem);
    bool is_usable = reading.found && reading.number >= 1 && reading.number <= most;
    *number = is_usable ? reading.number : otherwise;
    return error;
}

/* ---- one request ---- */

static bool is_closed(str state)
{
    return !str_equal(state, STR("open")) && !str_equal(state, STR("in_progress"));
}

struct ask_root {
    uint32_t number, root;
};

static void find_root(const struct engine_state *state, struct engine_question *question)
{
    struct ask_root *ask = question->context;
    ask->root = identity_root(state->identity, ask->number);
}

static err copy_row(struct request *request, const struct ledger_value *values,
                    struct person_request *row)
{
    struct arena *arena = &request->arena;
    *row = (struct person_request){ .number = values[0].integer,
                                    .customer = (uint32_t)values[1].integer,
                                    .received_ms = values[4].integer,
                                    .due_ms = values[5].integer,
                                    .handler = (uint32_t)values[6].integer,
                                    .user = (uint32_t)values[7].integer,
                                    .erasure = values[10].integer,
                                    .changed_ms = values[11].integer,
                                    .closed_ms = values[12].integer };
    if (arena_dup(arena, values[2].bytes, &row->kind) != ERR_OK ||
        arena_dup(arena, values[3].bytes, &row->state) != ERR_OK ||
        arena_dup(arena, values[8].bytes, &row->note) != ERR_OK ||
        arena_dup(arena, values[9].bytes, &row->result) != ERR_OK ||
        arena_dup(arena, values[13].bytes, &row->package) != ERR_OK)
        return ERR_NOMEM;
    return ERR_OK;
}

static err write_request(struct request *request, struct json_writer *writer,
                         const struct person_request *row, struct problem *problem)
{
    struct ask_root ask = { .number = row->customer };
    int64_t now_ms = server_now_ms(request->server);
    char id[24];
    err error = view_ask(request, find_root, &ask, problem);
    if (error != ERR_OK)
        return error;
    json_begin_object(writer);
    snprintf(id, sizeof id, "r%lld", (long long)row->number);
    json_member_text(writer, STR("id"), str_from_c(id));
    json_member_text(writer, STR("kind"), row->kind);
    json_member_text(writer, STR("state"), row->state);
    member_text_or_null(writer, STR("one_id"), answer_one_id(request, ask.root));
    json_member_time(writer, STR("received_at"), row->received_ms);
    json_member_time(writer, STR("due_at"), row->due_ms);
    json_member_bool(writer, STR("overdue"), !is_closed(row->state) && row->due_ms < now_ms);
    member_text_or_null(writer, STR("handler"),
                        row->handler != 0 ? answer_login(request, row->handler) : STR_NONE);
    json_member_text(writer, STR("created_by"), answer_login(request, row->user));
    json_member_text(writer, STR("note"), row->note);
    json_member_text(writer, STR("result"), row->result);
    snprintf(id, sizeof id, "x%lld", (long long)row->erasure);
    member_text_or_null(writer, STR("erasure"), row->erasure != 0 ? str_from_c(id) : STR_NONE);
    json_put_key(writer, STR("package"));
    package_write(request, row, writer);
    json_member_time(writer, STR("changed_at"), row->changed_ms);
    member_time_or_null(writer, STR("closed_at"), row->closed_ms);
    json_end_object(writer);
    return ERR_OK;
}

struct finding {
    struct request *request;
    struct person_request *row;
    bool found;
    err error;
};

static bool take_one(void *context, const struct ledger_value *values)
{
    struct finding *finding = context;
    finding->found = true;
    finding->error = copy_row(finding->request, values, finding->row);
    return false;
}

err person_request_find(struct request *request, str id, struct person_request *row,
                        struct problem *problem)
{
    struct finding finding = { .request = request, .row = row };
    uint64_t number = 0;
    bool is_id = id.size > 1 && id.data[0] == 'r' &&
                 str_to_uint64(str_slice(id, 1, id.size), &number) && number <= INT64_MAX;
    struct ledger_value key = ledger_int((int64_t)number);
    err error = is_id ? ledger_find(server_ledger(request->server), LEDGER_PERSON_REQUESTS, &key, 1,
                                    take_one, &finding, problem)
                      : ERR_OK;
    if (error == ERR_OK)
        error = finding.error;
    if (error == ERR_OK && !finding.found)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no request '%.*s'",
                            (int)str_utf8_prefix_bytes(id, 40), id.data);
    return error;
}

err person_request_answer(struct request *request, str id, struct problem *problem)
{
    struct person_request row;
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    err error = person_request_find(request, id, &row, problem);
    return error == ERR_OK ? write_request(request, &writer, &row, problem) : error;
}

err route_person_request_get(struct request *request, struct problem *problem)
{
    return person_request_answer(request, request->parameters[0], problem);
}

/* ---- the list ---- */

struct listing {
    struct request *request;
    str state, kind;
    int64_t now_ms;
    struct person_request *rows;
    size_t count, limit;
    err error;
};

static bool has_state(const struct listing *listing, const struct ledger_value *values)
{
    str state = values[3].bytes;
    if (listing->state.size == 0)
        return true;
    if (str_equal(listing->state, STR("open")))
        return !is_closed(state);
    if (str_equal(listing->state, STR("closed")))
        return is_closed(state);
    if (str_equal(listing->state, STR("overdue")))
        return !is_closed(state) && values[5].integer < listing->now_ms;
    return str_equal(listing->state, state);
}

static bool take_listed(void *context, const struct ledger_value *values)
{
    struct listing *listing = context;
    if (!has_state(listing, values) ||
        (listing->kind.size > 0 && !str_equal(listing->kind, values[2].bytes)))
        return true;
    if (listing->count > listing->limit)
        return false;
    listing->error = copy_row(listing->request, values, &listing->rows[listing->count++]);
    return listing->error == ERR_OK && listing->count <= listing->limit;
}

static err list_hers(struct listing *listing, str one_id, struct problem *problem)
{
    struct customer_view view;
    view_init(&view, false);
    err error = view_customer(listing->request, one_id, false, &view, problem);
    for (size_t i = 0; error == ERR_OK && i < view.node_count; i++)
        error = ledger_find_by(server_ledger(listing->request->server), LEDGER_PERSON_REQUESTS,
                               "customer", ledger_int(view.nodes[i]), NULL, true, HER_REQUESTS_MAX,
                               take_listed, listing, problem);
    return error;
}

static err list_rows(struct listing *listing, int64_t before, struct problem *problem)
{
    struct ledger_value beyond = ledger_int(before);
    return ledger_page(server_ledger(listing->request->server), LEDGER_PERSON_REQUESTS,
                       before != 0 ? &beyond : NULL, true, SIZE_MAX, take_listed, listing, problem);
}

err route_person_request_list(struct request *request, struct problem *problem)
{
    struct listing listing = { .request = request,
                               .state = request_query(request, STR("state")),
                               .kind = request_query(request, STR("kind")),
                               .now_ms = server_now_ms(request->server) };
    str customer = request_query(request, STR("customer"));
    struct json_writer writer;
    int64_t before = 0;
    bool present;
    err error = answer_limit(request, &listing.limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'r', &before, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    listing.rows = arena_array(&request->arena, struct person_request, listing.limit + 1);
    if (listing.rows == NULL)
        return ERR_NOMEM;
    error = customer.size > 0 ? list_hers(&listing, customer, problem)
                              : list_rows(&listing, before, problem);
    if (error == ERR_OK)
        error = listing.error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; error == ERR_OK && i < listing.count && i < listing.limit; i++)
        error = write_request(request, &writer, &listing.rows[i], problem);
    bool more = listing.count > listing.limit && customer.size == 0;
    int64_t last = more ? listing.rows[listing.limit - 1].number : 0;
    answer_list_end(request, &writer, more ? cursor_encode(request, 'r', &last, 1) : STR_NONE);
    json_end_object(&writer);
    return error;
}

/* ---- made and changed ---- */

/* A time of the body; `otherwise` where it is missing. */
static err read_time(struct request *request, const char *member, int64_t otherwise_ms,
                     int64_t *at_ms, struct problem *problem)
{
    str text = json_text(json_get(request->json, str_from_c(member)));
    *at_ms = otherwise_ms;
    if (text.size == 0 || time_parse(text, 8 * 60, at_ms))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "%s is a time (RFC 3339)", member);
    return problem_at(problem, ERR_UNPROCESSABLE, "/%s", member);
}

/* The handler by login: one who is there. */
static err write_handler(struct request *request, struct command_body *body,
                         struct problem *problem)
{
    json_value login = json_get(request->json, STR("handler"));
    if (json_kind(login) == JSON_MISSING)
        return ERR_OK;
    if (json_kind(login) == JSON_NULL) {
        json_member_int(&body->writer, STR("handler"), 0);
        return ERR_OK;
    }
    const struct user *user = access_user_by_login(request->actor.set, json_text(login));
    if (user == NULL || user->disabled) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no user '%.*s' who could see to it",
                    (int)str_utf8_prefix_bytes(json_text(login), 60), json_text(login).data);
        return problem_at(problem, ERR_UNPROCESSABLE, "/handler");
    }
    json_member_int(&body->writer, STR("handler"), user->number);
    return ERR_OK;
}

static err put_request(struct request *request, struct command_body *body, char id[24],
                       struct problem *problem)
{
    json_value answer;
    str response;
    err error = answer_command(request, "request.put", command_body_end(body), &response, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, response, &answer, problem);
    if (error == ERR_OK)
        snprintf(id, 24, "r%lld", (long long)json_int(json_get(answer, STR("number")), 0));
    return error;
}

/* Is she held as a child now? Of others nobody agrees. */
static err check_child(struct request *request, str one_id, struct problem *problem)
{
    struct customer_view view;
    view_init(&view, false);
    err error = view_customer(request, one_id, false, &view, problem);
    if (error != ERR_OK || view.is_child)
        return error;
    problem_set(problem, ERR_CONFLICT, "she is not held as a child under 14");
    return problem_hint(problem, ERR_CONFLICT,
                        "her trait 'birthday' says so; a guardian may have agreed already");
}

/* The note is the proof: who agreed, how, and where it lies. */
static err check_guardian(struct request *request, struct problem *problem)
{
    str note = str_trim(json_text(json_get(request->json, STR("note"))));
    if (note.size == 0) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "a guardian's consent needs its proof: who agreed, how, where it lies");
        return problem_at(problem, ERR_UNPROCESSABLE, "/note");
    }
    return check_child(request, json_text(json_get(request->json, STR("customer"))), problem);
}

err route_person_request_post(struct request *request, struct problem *problem)
{
    struct command_body body;
    uint32_t customer;
    int64_t received_ms = 0, due_ms = 0, days;
    char id[24];
    err error = view_number(request, json_text(json_get(request->json, STR("customer"))), &customer,
                            problem);
    if (error == ERR_OK &&
        str_equal(json_text(json_get(request->json, STR("kind"))), STR("guardian_consent")))
        error = check_guardian(request, problem);
    if (error == ERR_OK)
        error = person_setting(request, "privacy.request_days", REQUEST_DAYS_DEFAULT, 3650, &days,
                               problem);
    if (error == ERR_OK)
        error = read_time(request, "received_at", server_now_ms(request->server), &received_ms,
                          problem);
    if (error == ERR_OK)
        error = read_time(request, "due_at", received_ms + days * DAY_MS, &due_ms, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), customer);
    json_member_int(&body.writer, STR("received_ms"), received_ms);
    json_member_int(&body.writer, STR("due_ms"), due_ms);
    command_body_copy(&body, request, "kind");
    command_body_copy(&body, request, "note");
    error = write_handler(request, &body, problem);
    if (error == ERR_OK)
        error = put_request(request, &body, id, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = person_request_answer(request, str_from_c(id), problem);
    request->status = 201;
    return error;
}

err person_request_change(struct request *request, int64_t number, const char *member, str text,
                          struct problem *problem)
{
    struct command_body body;
    char id[24];
    command_body_begin(&body);
    json_member_int(&body.writer, STR("number"), number);
    json_member_text(&body.writer, str_from_c(member), text);
    err error = put_request(request, &body, id, problem);
    command_body_deinit(&body);
    return error;
}

err route_person_request_change(struct request *request, struct problem *problem)
{
    struct person_request row;
    struct command_body body;
    int64_t due_ms = 0;
    char id[24];
    err error = person_request_find(request, request->parameters[0], &row, problem);
    if (error == ERR_OK)
        error = read_time(request, "due_at", row.due_ms, &due_ms, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("number"), row.number);
    json_member_int(&body.writer, STR("due_ms"), due_ms);
    command_body_copy(&body, request, "state");
    command_body_copy(&body, request, "note");
    command_body_copy(&body, request, "result");
    error = write_handler(request, &body, problem);
    if (error == ERR_OK)
        error = put_request(request, &body, id, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? person_request_answer(request, request->parameters[0], problem)
                           : error;
}

/* ---- done ---- */

err person_command(struct request *request, const char *operation, struct command_body *body,
                   struct problem *problem)
{
    str response;
    err error = answer_command(request, operation, command_body_end(body), &response, problem);
    command_body_deinit(body);
    return error;
}

static err erase_her(struct request *request, uint32_t customer, struct problem *problem)
{
    struct command_body body;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), customer);
    json_member_text(&body.writer, STR("reason"), request->parameters[0]);
    err error = person_command(request, "customer.erase", &body, problem);
    if (error == ERR_OK && request->server->config.privacy != NULL)
        privacy_wake(request->server->config.privacy);
    return error;
}

static err restrict_her(struct request *request, uint32_t customer, bool restricted, str reason,
                        struct problem *problem)
{
    struct command_body body;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), customer);
    json_member_bool(&body.writer, STR("restricted"), restricted);
    json_member_text(&body.writer, STR("reason"), reason);
    return person_command(request, "customer.restrict", &body, problem);
}

/* Whoever recorded a guardian's consent cannot release it; a machine's token is nobody. */
static err check_second(struct request *request, const struct person_request *row,
                        struct problem *problem)
{
    uint32_t user = request->actor.user_number;
    if (!request->actor.is_automation && user != 0 && user != row->user)
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT, "whoever recorded a guardian's consent cannot release it");
    return problem_hint(problem, ERR_CONFLICT, "a second person has to agree");
}

static err release_child(struct request *request, const struct person_request *row,
                         uint32_t customer, struct problem *problem)
{
    struct command_body body;
    char evidence[EVIDENCE_BYTES_MAX];
    str note = str_slice(row->note, 0, str_utf8_prefix_bytes(row->note, EVIDENCE_BYTES_MAX - 100));
    str recorded_by = answer_login(request, row->user);
    err error = check_second(request, row, problem);
    if (error == ERR_OK)
        error = check_child(request, answer_one_id(request, customer), problem);
    if (error != ERR_OK)
        return error;
    snprintf(evidence, sizeof evidence, "r%lld, %.*s: %.*s", (long long)row->number,
             (int)str_utf8_prefix_bytes(recorded_by, 60), recorded_by.data, (int)note.size,
             note.data);
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), customer);
    json_member_int(&body.writer, STR("request"), row->number);
    json_member_text(&body.writer, STR("evidence"), str_from_c(evidence));
    return person_command(request, "guardian.put", &body, problem);
}

err route_person_request_perform(struct request *request, struct problem *problem)
{
    struct person_request row;
    struct ask_root ask = { .number = 0 };
    err error = person_request_find(request, request->parameters[0], &row, problem);
    if (error != ERR_OK)
        return error;
    if (is_closed(row.state) || row.erasure != 0)
        return problem_set(problem, ERR_CONFLICT, "this request is closed, or is being done");
    ask.number = row.customer;
    error = view_ask(request, find_root, &ask, problem);
    if (error == ERR_OK && ask.root == 0)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    if (error != ERR_OK)
        return error;
    bool is_erasure = str_equal(row.kind, STR("erasure"));
    request->headers.idempotency_key = STR_NONE; /* several commands may stand behind this one */
    if (is_erasure) {
        error = erase_her(request, ask.root, problem);
    } else if (str_equal(row.kind, STR("restriction"))) {
        error = restrict_her(request, ask.root, true, request->parameters[0], problem);
    } else if (str_equal(row.kind, STR("withdrawal"))) {
        error = person_withdraw_all(request, answer_one_id(request, ask.root), "request of hers",
                                    problem);
    } else if (str_equal(row.kind, STR("guardian_consent"))) {
        error = release_child(request, &row, ask.root, problem);
    } else {
        problem_set(problem, ERR_UNPROCESSABLE, "this kind of request is not done by itself");
        return problem_hint(problem, ERR_UNPROCESSABLE,
                            "access and portability: POST …/package; correction: PUT "
                            "/api/v1/customers/{one_id}/traits/{name}; then state done");
    }
    /* An erasure closes its request when its job is finished. */
    if (error == ERR_OK && !is_erasure)
        error = person_request_change(request, row.number, "state", STR("done"), problem);
    if (error == ERR_OK)
        error = person_request_answer(request, request->parameters[0], problem);
    request->status = 202;
    return error;
}

/* ---- restriction ---- */

err route_restriction_put(struct request *request, struct problem *problem)
{
    json_value restricted = json_get(request->json, STR("restricted"));
    struct json_writer writer;
    uint32_t customer;
    err error = view_number(request, request->parameters[0], &customer, problem);
    if (error == ERR_OK && json_kind(restricted) != JSON_BOOL) {
        problem_set(problem, ERR_UNPROCESSABLE, "restricted is true or false");
        error = problem_at(problem, ERR_UNPROCESSABLE, "/restricted");
    }
    if (error == ERR_OK)
        error = restrict_her(request, customer, json_bool(restricted, false),
                             json_text(json_get(request->json, STR("reason"))), problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_bool(&writer, STR("restricted"), json_bool(restricted, false));
    json_member_time(&writer, STR("at"), server_now_ms(request->server));
    json_end_object(&writer);
    return ERR_OK;
}
