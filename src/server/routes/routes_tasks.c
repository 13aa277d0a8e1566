/* SPDX-License-Identifier: Apache-2.0 */
/* What was right or wrong to send, whom one can reach, and the tasks of the call centre. */
#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define SCANNED_MAX 20000

/* ---- corrections ---- */

struct correction_page {
    struct request *request;
    struct json_writer *writer;
    str kind, journey;
    struct audience_set *seen; /* NULL: everybody */
    size_t limit, written;
    int64_t last;
    bool more;
};

static bool write_correction(void *context, const struct ledger_value *values)
{
    struct correction_page *page = context;
    if ((page->kind.size > 0 && !str_equal(page->kind, values[1].bytes)) ||
        (page->journey.size > 0 && !str_equal(page->journey, values[4].bytes)) ||
        (page->seen != NULL && !audience_set_has(page->seen, (uint32_t)values[3].integer)) ||
        !scope_sees_thing(page->request->scope, "journey", values[4].bytes, TEAM_READ))
        return true;
    if (page->written == page->limit) {
        page->more = true;
        return false;
    }
    page->written++;
    page->last = values[0].integer;
    json_begin_object(page->writer);
    json_member_int(page->writer, STR("id"), values[0].integer);
    json_member_text(page->writer, STR("kind"), values[1].bytes);
    json_member_int(page->writer, STR("touch"), values[2].integer);
    member_one_id(page->request, page->writer, STR("customer"), (uint32_t)values[3].integer);
    member_text_or_null(page->writer, STR("journey"), values[4].bytes);
    member_text_or_null(page->writer, STR("node"), values[5].bytes);
    json_member_text(page->writer, STR("reason"), values[6].bytes);
    json_member_time(page->writer, STR("at"), values[7].integer);
    json_end_object(page->writer);
    return true;
}

err route_correction_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct correction_page page = { .request = request,
                                    .writer = &writer,
                                    .kind = request_query(request, STR("kind")),
                                    .journey = request_query(request, STR("journey")) };
    int64_t after = 0;
    bool present;
    err error = answer_limit(request, &page.limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'K', &after, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    error = scope_take(request, &page.seen, problem);
    if (error != ERR_OK)
        return error;
    struct ledger_value beyond = ledger_int(after);
    answer_list_begin(request, &writer);
    error =
        ledger_page(server_ledger(request->server), LEDGER_TOUCH_CORRECTIONS,
                    present ? &beyond : NULL, true, SCANNED_MAX, write_correction, &page, problem);
    audience_set_free(&page.seen);
    answer_list_end(request, &writer,
                    page.more ? cursor_encode(request, 'K', &page.last, 1) : STR_NONE);
    json_end_object(&writer);
    return error;
}

/* ---- may she be reached? ---- */

struct ask_reach {
    uint32_t customer;
    struct buffer text;
    int64_t now_ms;
    err error;
};

static void write_reach(const struct engine_state *state, struct engine_question *question)
{
    struct ask_reach *ask = question->context;
    uint32_t root = identity_root(state->identity, ask->customer);
    ask->error = root != 0 ? touch_write_reach(state->touches, root, ask->now_ms, &ask->text)
                           : ERR_NOT_FOUND;
}

err route_reach_get(struct request *request, struct problem *problem)
{
    struct ask_reach ask = { .now_ms = server_now_ms(request->server) };
    err error = view_number(request, request->parameters[0], &ask.customer, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    error = view_ask(request, write_reach, &ask, problem);
    if (error == ERR_OK && ask.error == ERR_NOT_FOUND)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    if (error == ERR_OK) {
        buffer_append_str(&request->out, STR("{\"items\":"));
        buffer_append_str(&request->out, buffer_str(&ask.text));
        buffer_append_str(&request->out, STR(",\"next_cursor\":null}"));
    }
    buffer_deinit(&ask.text);
    return error;
}

/* ---- tasks of the call centre ---- */

struct task_page {
    struct request *request;
    struct ledger *ledger;
    struct json_writer *writer;
    struct problem *problem;
    struct audience_set *seen; /* NULL: everybody */
    bool is_seen;
    size_t limit, written;
    int64_t last;
    bool more;
    err error;
};

static bool write_task_birth(void *context, const struct ledger_value *values)
{
    struct task_page *page = context;
    member_one_id(page->request, page->writer, STR("customer"), (uint32_t)values[1].integer);
    json_member_text(page->writer, STR("account"), values[2].bytes);
    json_member_raw(page->writer, STR("content"), values[3].bytes);
    json_member_time(page->writer, STR("created_at"), values[4].integer);
    json_member_time(page->writer, STR("expires_at"), values[5].integer);
    return true;
}

static bool look_whose(void *context, const struct ledger_value *values)
{
    struct task_page *page = context;
    page->is_seen = audience_set_has(page->seen, (uint32_t)values[1].integer);
    return false;
}

static bool write_task(void *context, const struct ledger_value *values)
{
    struct task_page *page = context;
    if (page->seen != NULL) {
        page->is_seen = false;
        page->error = ledger_find(page->ledger, LEDGER_TOUCH_TASKS, &values[0], 1, look_whose, page,
                                  page->problem);
        if (page->error != ERR_OK || !page->is_seen)
            return page->error == ERR_OK;
    }
    if (page->written == page->limit) {
        page->more = true;
        return false;
    }
    page->written++;
    page->last = values[0].integer;
    json_begin_object(page->writer);
    json_member_int(page->writer, STR("id"), values[0].integer);
    json_member_text(page->writer, STR("status"), values[1].bytes);
    member_text_or_null(page->writer, STR("by"),
                        values[2].integer != 0
                            ? answer_login(page->request, (uint32_t)values[2].integer)
                            : STR_NONE);
    member_text_or_null(page->writer, STR("result"), values[3].bytes);
    member_text_or_null(page->writer, STR("note"), values[4].bytes);
    json_member_time(page->writer, STR("changed_at"), values[5].integer);
    page->error = ledger_find(page->ledger, LEDGER_TOUCH_TASKS, &values[0], 1, write_task_birth,
                              page, page->problem);
    json_end_object(page->writer);
    return page->error == ERR_OK;
}

err route_task_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct task_page page = { .request = request,
                              .ledger = server_ledger(request->server),
                              .writer = &writer,
                              .problem = problem };
    str status = request_query(request, STR("status"));
    int64_t after = 0;
    bool present;
    err error = answer_limit(request, &page.limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'A', &after, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    error = scope_take(request, &page.seen, problem);
    if (error != ERR_OK)
        return error;
    struct ledger_value beyond = ledger_int(after);
    answer_list_begin(request, &writer);
    error = ledger_find_by(
        page.ledger, LEDGER_TOUCH_TASK_STATES, "status",
        ledger_text(status.size > 0 ? status : STR("open")), present ? &beyond : NULL, false,
        page.seen != NULL ? SCANNED_MAX : page.limit + 1, write_task, &page, problem);
    audience_set_free(&page.seen);
    answer_list_end(request, &writer,
                    page.more ? cursor_encode(request, 'A', &page.last, 1) : STR_NONE);
    json_end_object(&writer);
    return error != ERR_OK ? error : page.error;
}
