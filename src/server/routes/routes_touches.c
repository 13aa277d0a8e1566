/* SPDX-License-Identifier: Apache-2.0 */
/* Touches with their whole story, and the tasks that some of them are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define SCANNED_MAX 20000
#define NODES_MAX 4096

/* ---- touches: rows of the ledger ---- */

struct touch_row {
    uint32_t number, customer, line;
    str journey, key, order_id, content_key, context;
    int64_t position, cost_minor, created_ms, not_before_ms, expires_ms;
    str first_status, first_reason;
    bool found;
};
struct touch_page {
    struct request *request;
    struct ledger *ledger;
    struct json_writer *writer;
    struct problem *problem;
    str status, journey;
    uint32_t last, *numbers;
    size_t limit, count, scanned;
    bool more;
    err error;
};

static str kept(struct request *request, str text, err *error)
{
    str out = STR_NONE;
    if (*error == ERR_OK)
        *error = arena_dup(&request->arena, text, &out);
    return out;
}

struct row_reading {
    struct request *request;
    struct touch_row *row;
    err error;
};

static bool take_touch(void *context, const struct ledger_value *values)
{
    struct row_reading *reading = context;
    *reading->row = (struct touch_row){
        .found = true,
        .number = (uint32_t)values[0].integer,
        .customer = (uint32_t)values[1].integer,
        .line = (uint32_t)values[2].integer,
        .journey = kept(reading->request, values[3].bytes, &reading->error),
        .position = values[4].integer,
        .key = kept(reading->request, values[5].bytes, &reading->error),
        .context = kept(reading->request, values[6].bytes, &reading->error),
        .order_id = kept(reading->request, values[7].bytes, &reading->error),
        .content_key = kept(reading->request, values[8].bytes, &reading->error),
        .cost_minor = values[9].integer,
        .created_ms = values[10].integer,
        .not_before_ms = values[12].integer,
        .expires_ms = values[13].integer,
        .first_status = kept(reading->request, values[14].bytes, &reading->error),
        .first_reason = kept(reading->request, values[15].bytes, &reading->error),
    };
    return true;
}

static err read_row(struct touch_page *page, uint32_t number, struct touch_row *row)
{
    struct row_reading reading = { .request = page->request, .row = row };
    struct ledger_value key = ledger_int(number);
    *row = (struct touch_row){ .found = false };
    err error =
        ledger_find(page->ledger, LEDGER_TOUCHES, &key, 1, take_touch, &reading, page->problem);
    return error == ERR_OK ? reading.error : error;
}

static bool write_line(void *context, const struct ledger_value *values)
{
    static const char *const names[] = { NULL,      "journey", "node",     "campaign", "channel",
                                         "account", "form",    "template", "purpose",  "brand" };
    struct json_writer *writer = context;
    for (size_t i = 1; i < 10; i++)
        member_text_or_null(writer, str_from_c(names[i]), values[i].bytes);
    json_member_int(writer, STR("priority"), values[10].integer);
    json_member_bool(writer, STR("transactional"), (values[11].integer & 1) != 0);
    json_member_bool(writer, STR("test"), (values[11].integer & 2) != 0);
    return true;
}

static bool write_state(void *context, const struct ledger_value *values)
{
    struct json_writer *writer = context;
    json_member_text(writer, STR("status"), values[1].bytes);
    member_text_or_null(writer, STR("reason"), values[2].bytes);
    member_time_or_null(writer, STR("until"),
                        values[3].integer == INT64_MAX ? 0 : values[3].integer);
    json_member_time(writer, STR("changed_at"), values[4].integer);
    json_member_int(writer, STR("tries"), values[7].integer);
    return true;
}

static bool write_send(void *context, const struct ledger_value *values)
{
    struct json_writer *writer = context;
    json_member_int(writer, STR("template_version"), values[2].integer);
    member_text_or_null(writer, STR("provider_id"), values[3].bytes);
    member_text_or_null(writer, STR("code"), values[4].bytes);
    member_text_or_null(writer, STR("response"), values[5].bytes);
    return true;
}

struct key_asking {
    uint32_t number;
    char key[33];
    uint32_t root;
};

static void ask_key(const struct engine_state *state, struct engine_question *question)
{
    struct key_asking *asking = question->context;
    touch_key(state->touches, asking->number, asking->key);
}

static err write_touch(struct touch_page *page, const struct touch_row *row, bool with_key)
{
    struct json_writer *writer = page->writer;
    struct ledger_value line = ledger_int(row->line), number = ledger_int(row->number);
    json_begin_object(writer);
    json_member_int(writer, STR("id"), row->number);
    member_one_id(page->request, writer, STR("customer"), row->customer);
    err error =
        ledger_find(page->ledger, LEDGER_TOUCH_LINES, &line, 1, write_line, writer, page->problem);
    if (error == ERR_OK)
        error = ledger_find(page->ledger, LEDGER_TOUCH_STATES, &number, 1, write_state, writer,
                            page->problem);
    if (error == ERR_OK)
        error = ledger_find(page->ledger, LEDGER_TOUCH_SENDS, &number, 1, write_send, writer,
                            page->problem);
    json_member_int(writer, STR("position"), row->position);
    member_text_or_null(writer, STR("key"), row->key);
    member_text_or_null(writer, STR("order_id"), row->order_id);
    json_member_int(writer, STR("cost"), row->cost_minor);
    json_member_time(writer, STR("created_at"), row->created_ms);
    json_member_time(writer, STR("expires_at"), row->expires_ms);
    if (error == ERR_OK && with_key) {
        struct key_asking asking = { .number = row->number };
        error = view_ask(page->request, ask_key, &asking, page->problem);
        json_member_text(writer, STR("idempotency_key"), str_from_c(asking.key));
    }
    return error;
}

static bool note_number(void *context, const struct ledger_value *values)
{
    struct touch_page *page = context;
    page->numbers[page->count++] = (uint32_t)values[0].integer;
    return true;
}

struct status_check {
    str status;
    bool fits;
};
static bool check_status(void *context, const struct ledger_value *values)
{
    struct status_check *check = context;
    check->fits = str_equal(values[1].bytes, check->status);
    return true;
}

/* Of who sees a part: touches to her customers by journeys that she sees. */
static err sees_touch(struct request *request, const struct touch_row *row, bool *sees,
                      struct problem *problem)
{
    *sees = row->journey.size == 0 ||
            scope_sees_thing(request->scope, "journey", row->journey, TEAM_READ);
    return *sees ? scope_sees(request, row->customer, sees, problem) : ERR_OK;
}

static err fits(struct touch_page *page, const struct touch_row *row, bool *wanted)
{
    struct status_check check = { .status = page->status, .fits = page->status.size == 0 };
    struct ledger_value key = ledger_int(row->number);
    err error = ERR_OK;
    if (page->status.size > 0)
        error = ledger_find(page->ledger, LEDGER_TOUCH_STATES, &key, 1, check_status, &check,
                            page->problem);
    *wanted = check.fits && (page->journey.size == 0 || str_equal(page->journey, row->journey));
    return error == ERR_OK && *wanted ? sees_touch(page->request, row, wanted, page->problem)
                                      : error;
}

/* Newest first, those beyond the cursor: by customer (all her nodes), by journey, by status, or all. */
static err find_numbers(struct touch_page *page, uint32_t customer, size_t most)
{
    struct ledger_value beyond = ledger_int(page->last);
    const struct ledger_value *from = page->last != 0 ? &beyond : NULL;
    if (customer != 0)
        return ledger_find_by(page->ledger, LEDGER_TOUCHES, "customer", ledger_int(customer), from,
                              true, most, note_number, page, page->problem);
    if (page->journey.size > 0)
        return ledger_find_by(page->ledger, LEDGER_TOUCHES, "journey", ledger_text(page->journey),
                              from, true, most, note_number, page, page->problem);
    if (page->status.size > 0)
        return ledger_find_by(page->ledger, LEDGER_TOUCH_STATES, "status",
                              ledger_text(page->status), from, true, most, note_number, page,
                              page->problem);
    return ledger_page(page->ledger, LEDGER_TOUCHES, from, true, most, note_number, page,
                       page->problem);
}

static int newest_first(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? 1 : a > b ? -1 : 0;
}

struct nodes_asking {
    uint32_t customer, nodes[NODES_MAX];
    size_t count;
};

static void ask_nodes(const struct engine_state *state, struct engine_question *question)
{
    struct nodes_asking *asking = question->context;
    asking->count = identity_nodes(state->identity, asking->customer, asking->nodes, NODES_MAX);
    asking->count = asking->count < NODES_MAX ? asking->count : NODES_MAX;
}

static err find_hers(struct touch_page *page, str one_id, size_t most)
{
    struct nodes_asking *asking = arena_new(&page->request->arena, struct nodes_asking);
    if (asking == NULL)
        return ERR_NOMEM;
    err error = view_number(page->request, one_id, &asking->customer, page->problem);
    if (error == ERR_OK)
        error = view_ask(page->request, ask_nodes, asking, page->problem);
    page->numbers = arena_array(&page->request->arena, uint32_t, most * (asking->count + 1));
    if (page->numbers == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; error == ERR_OK && i < asking->count; i++)
        error = find_numbers(page, asking->nodes[i], most);
    qsort(page->numbers, page->count, sizeof *page->numbers, newest_first);
    return error;
}

err route_touch_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct touch_page page = { .request = request,
                               .ledger = server_ledger(request->server),
                               .writer = &writer,
                               .problem = problem,
                               .status = request_query(request, STR("status")),
                               .journey = request_query(request, STR("journey")) };
    str one_id = request_query(request, STR("customer"));
    int64_t after = 0;
    bool present;
    size_t written = 0;
    err error = answer_limit(request, &page.limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'T', &after, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    page.last = (uint32_t)after;
    bool filters = page.status.size > 0 && (one_id.size > 0 || page.journey.size > 0);
    size_t most = filters || request->scope != NULL ? SCANNED_MAX : page.limit + 1;
    if (one_id.size > 0) {
        error = find_hers(&page, one_id, most);
    } else {
        page.numbers = arena_array(&request->arena, uint32_t, most);
        error = page.numbers != NULL ? find_numbers(&page, 0, most) : ERR_NOMEM;
    }
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    int64_t last = 0;
    for (size_t i = 0; error == ERR_OK && i < page.count && written <= page.limit; i++) {
        struct touch_row row;
        bool wanted = false;
        error = read_row(&page, page.numbers[i], &row);
        if (error == ERR_OK && row.found)
            error = fits(&page, &row, &wanted);
        if (error != ERR_OK || !wanted)
            continue;
        if (written++ == page.limit) {
            page.more = true;
            break;
        }
        error = write_touch(&page, &row, false);
        json_end_object(&writer);
        last = row.number;
    }
    answer_list_end(request, &writer, page.more ? cursor_encode(request, 'T', &last, 1) : STR_NONE);
    json_end_object(&writer);
    return error;
}

static bool write_step(void *context, const struct ledger_value *values)
{
    struct touch_page *page = context;
    if ((uint32_t)values[0].integer != page->last)
        return false;
    json_begin_object(page->writer);
    json_member_time(page->writer, STR("at"), values[2].integer);
    json_member_text(page->writer, STR("status"), values[4].bytes);
    member_text_or_null(page->writer, STR("reason"), values[5].bytes);
    member_text_or_null(page->writer, STR("detail"), values[6].bytes);
    json_end_object(page->writer);
    return true;
}

static err answer_touch(struct request *request, uint32_t number, struct problem *problem)
{
    struct json_writer writer;
    struct touch_row row;
    struct touch_page page = { .request = request,
                               .ledger = server_ledger(request->server),
                               .writer = &writer,
                               .problem = problem,
                               .last = number };
    struct ledger_value from = ledger_int(number);
    err error = read_row(&page, number, &row);
    bool sees = false;
    if (error == ERR_OK && row.found)
        error = sees_touch(request, &row, &sees, problem);
    if (error == ERR_OK && request->scope != NULL && !sees)
        return scope_refuse(request, "touch", request->parameters[0], problem);
    if (error == ERR_OK && !row.found)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no touch %u", number);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    error = write_touch(&page, &row, true);
    json_member_raw(&writer, STR("context"), row.context.size > 0 ? row.context : STR("{}"));
    json_put_key(&writer, STR("steps"));
    json_begin_array(&writer);
    json_begin_object(&writer);
    json_member_time(&writer, STR("at"), row.created_ms);
    json_member_text(&writer, STR("status"), row.first_status);
    member_text_or_null(&writer, STR("reason"), row.first_reason);
    member_text_or_null(&writer, STR("detail"), STR_NONE);
    json_end_object(&writer);
    if (error == ERR_OK)
        error = ledger_scan(page.ledger, LEDGER_TOUCH_STEPS, &from, write_step, &page, problem);
    json_end_array(&writer);
    json_end_object(&writer);
    return error;
}

static err number_of(struct request *request, uint32_t *number, struct problem *problem)
{
    uint64_t value;
    if (str_to_uint64(request->parameters[0], &value) && value > 0 && value < UINT32_MAX) {
        *number = (uint32_t)value;
        return ERR_OK;
    }
    return problem_set(problem, ERR_NOT_FOUND, "there is no touch '%.*s'",
                       (int)str_utf8_prefix_bytes(request->parameters[0], 40),
                       request->parameters[0].data);
}

err route_touch_get(struct request *request, struct problem *problem)
{
    uint32_t number;
    err error = number_of(request, &number, problem);
    return error == ERR_OK ? answer_touch(request, number, problem) : error;
}

/* Before anything about it is changed: is it hers? */
static err check_seen(struct request *request, uint32_t number, struct problem *problem)
{
    struct touch_row row;
    struct touch_page page = { .request = request,
                               .ledger = server_ledger(request->server),
                               .problem = problem };
    bool sees = false;
    if (request->scope == NULL)
        return ERR_OK;
    err error = read_row(&page, number, &row);
    if (error == ERR_OK && row.found)
        error = sees_touch(request, &row, &sees, problem);
    if (error == ERR_OK && !sees)
        error = scope_refuse(request, "touch", request->parameters[0], problem);
    return error;
}

/* A command about the touch that the path names, with these members of the request's body; the touch as it is after. */
static err change_touch(struct request *request, const char *operation, const char *const *members,
                        size_t member_count, struct problem *problem)
{
    struct command_body body;
    uint32_t number;
    str response;
    err error = number_of(request, &number, problem);
    if (error == ERR_OK)
        error = check_seen(request, number, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("touch"), number);
    for (size_t index = 0; index < member_count; index++)
        command_body_copy(&body, request, members[index]);
    error = answer_command(request, operation, command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_touch(request, number, problem) : error;
}

err route_touch_decide(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "decision" };
    return change_touch(request, "touch.decide", members, 1, problem);
}

/* ---- tasks ---- */

err route_task_change(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "action", "result", "note" };
    return change_touch(request, "touch.task", members, 3, problem);
}
