/* SPDX-License-Identifier: Apache-2.0 */
/* Identity: refused links and their review, suggestions, link rate, old evidence under new rules. */
#include "server/answer.h"
#include "server/figures/figures.h"
#include "server/story.h"

/* ---- refusals ---- */

#define LOOK_MAX 100000

struct refusal_page {
    struct request *request;
    str status, reason;
    uint32_t customer;
    struct refusal_row *rows;
    size_t limit, count, looked_at;
    int64_t last_id;
    bool more, nomem;
};

static bool is_wanted(const struct refusal_page *page, const struct refusal_row *row)
{
    bool open = str_equal(row->status, STR("open"));
    return (page->status.size == 0 || open == str_equal(page->status, STR("open"))) &&
           (page->reason.size == 0 || str_equal(page->reason, row->reason)) &&
           (page->customer == 0 || page->customer == row->customer || page->customer == row->other);
}

static bool visit_refusal(void *context, const struct ledger_value *values)
{
    struct refusal_page *page = context;
    if (page->count == page->limit || ++page->looked_at > LOOK_MAX) {
        page->more = true;
        return false;
    }
    struct refusal_row *row = &page->rows[page->count];
    if (!story_read_refusal(page->request, values, row)) {
        page->nomem = true;
        return false;
    }
    page->last_id = row->id;
    if (is_wanted(page, row))
        page->count++;
    return true;
}

static err read_refusals(struct refusal_page *page, int64_t beyond, bool present,
                         struct problem *problem)
{
    struct request *request = page->request;
    struct ledger *ledger = server_ledger(request->server);
    struct ledger_value key = ledger_int(beyond);
    const struct ledger_value *from = present ? &key : NULL;
    page->rows = arena_array(&request->arena, struct refusal_row, page->limit + 1);
    if (page->rows == NULL)
        return ERR_NOMEM;
    err error = str_equal(page->status, STR("open"))
                    ? ledger_find_by(ledger, LEDGER_REFUSALS, "status", ledger_text(STR("open")),
                                     from, true, LOOK_MAX + 2, visit_refusal, page, problem)
                    : ledger_page(ledger, LEDGER_REFUSALS, from, true, LOOK_MAX + 2, visit_refusal,
                                  page, problem);
    return error == ERR_OK && page->nomem ? ERR_NOMEM : error;
}

err route_refusal_list(struct request *request, struct problem *problem)
{
    struct refusal_page page = { .request = request,
                                 .status = request_query(request, STR("status")),
                                 .reason = request_query(request, STR("reason")) };
    str customer = request_query(request, STR("customer"));
    struct json_writer writer;
    int64_t beyond = 0;
    bool present, reveal;
    if (page.status.size > 0 && !str_equal(page.status, STR("open")) &&
        !str_equal(page.status, STR("decided")))
        return problem_set(problem, ERR_INVALID, "status is open or decided");
    if (customer.size > 0 && !keys_customer(request->server->keys, customer, &page.customer))
        return problem_set(problem, ERR_INVALID, "'customer' is no one_id");
    err error = answer_limit(request, &page.limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'r', &beyond, 1, &present, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, STR("refusals"), &reveal, problem);
    if (error == ERR_OK)
        error = read_refusals(&page, beyond, present, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error = story_write_refusals(request, &writer, page.rows, page.count, reveal, problem);
    if (error != ERR_OK)
        return error;
    answer_list_end(request, &writer,
                    page.more ? cursor_encode(request, 'r', &page.last_id, 1) : STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

struct one_refusal {
    struct request *request;
    struct refusal_row row;
    bool found;
};

static bool visit_one(void *context, const struct ledger_value *values)
{
    struct one_refusal *one = context;
    one->found = story_read_refusal(one->request, values, &one->row);
    return false;
}

static err find_refusal(struct request *request, int64_t id, struct one_refusal *one,
                        struct problem *problem)
{
    struct ledger_value key = ledger_int(id);
    *one = (struct one_refusal){ .request = request };
    err error = ledger_find(server_ledger(request->server), LEDGER_REFUSALS, &key, 1, visit_one,
                            one, problem);
    if (error == ERR_OK && !one->found)
        error = problem_set(problem, ERR_NOT_FOUND, "there is no refusal %lld", (long long)id);
    return error;
}

static bool is_decision(str decision)
{
    return str_equal(decision, STR("merge")) || str_equal(decision, STR("separate")) ||
           str_equal(decision, STR("dismiss"));
}

err route_refusal_decide(struct request *request, struct problem *problem)
{
    str decision = json_text(json_get(request->json, STR("decision")));
    struct one_refusal one;
    struct command_body body;
    struct json_writer writer;
    str response;
    int64_t id;
    if (!str_to_int64(request->parameters[0], &id) || id < 1)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such refusal");
    if (!is_decision(decision)) {
        problem_set(problem, ERR_UNPROCESSABLE, "the decision is merge, separate or dismiss");
        return problem_at(problem, ERR_UNPROCESSABLE, "/decision");
    }
    err error = find_refusal(request, id, &one, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("id"), id);
    json_member_text(&body.writer, STR("decision"), decision);
    error = answer_command(request, "refusal.decide", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = find_refusal(request, id, &one, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    return story_write_refusals(request, &writer, &one.row, 1, false, problem);
}

/* ---- suggestions ---- */

#define SUGGESTION_BYTES_MAX (4 * 1024 * 1024)

static const struct {
    const char *code, *zh, *en;
} reason_words[] = {
    { "same_name_and_phone_tail", "姓名与手机尾号相同", "same name and last digits of the phone" },
    { "same_name", "姓名相同", "same name" },
    { "same_receiver", "收货人相同", "same receiver" },
    { "same_device", "使用过同一设备", "used the same device" },
    { "same_visitor", "来自同一访客", "came as the same visitor" },
};

static void write_reason(struct json_writer *writer, str code)
{
    str zh = code, en = code;
    for (size_t i = 0; i < sizeof(reason_words) / sizeof(reason_words[0]); i++)
        if (str_equal(code, str_from_c(reason_words[i].code))) {
            zh = str_from_c(reason_words[i].zh);
            en = str_from_c(reason_words[i].en);
        }
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), zh);
    json_member_text(writer, STR("en"), en);
    json_end_object(writer);
}

static void write_side(struct request *request, struct json_writer *writer, str key, str one_id)
{
    uint32_t number;
    str name = STR_NONE;
    if (keys_customer(request->server->keys, one_id, &number))
        name = view_name_of(request, number);
    json_put_key(writer, key);
    json_begin_object(writer);
    json_member_text(writer, STR("one_id"), one_id);
    json_member_text(writer, STR("name"), name);
    json_end_object(writer);
}

static void write_suggestion(struct request *request, struct json_writer *writer, json_value item)
{
    struct json_iterator iterator = json_iterate(json_get(item, STR("reasons")));
    json_value reason;
    json_begin_object(writer);
    write_side(request, writer, STR("a"), json_text(json_get(item, STR("a"))));
    write_side(request, writer, STR("b"), json_text(json_get(item, STR("b"))));
    json_put_key(writer, STR("score"));
    json_put_double(writer, json_double(json_get(item, STR("score")), 0));
    json_put_key(writer, STR("reasons"));
    json_begin_array(writer);
    while (json_next(&iterator, NULL, &reason))
        write_reason(writer, json_text(reason));
    json_end_array(writer);
    json_end_object(writer);
}

static err suggest(struct request *request, size_t limit, struct buffer *text,
                   struct problem *problem)
{
    struct server *server = request->server;
    struct ledger *ledger = server_ledger(server);
    struct profile_names *names = NULL;
    err error = profile_names_new(&names, ledger, server->keys, problem);
    if (error != ERR_OK)
        return error;
    struct identity_names by_name = { .name_of = profile_name_of, .context = names };
    error = identity_suggest(ledger, server->keys, &by_name, limit, text, problem);
    profile_names_free(&names);
    return error;
}

err route_suggestion_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct buffer text;
    json_value root, item;
    size_t limit;
    err error = answer_limit(request, &limit, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&text, SUGGESTION_BYTES_MAX);
    error = suggest(request, limit, &text, problem);
    if (error == ERR_OK)
        error = json_parse(request->parser, buffer_str(&text), &root, problem);
    buffer_deinit(&text);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    struct json_iterator iterator = json_iterate(root);
    while (json_next(&iterator, NULL, &item))
        write_suggestion(request, &writer, item);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- link rate, rules ---- */

err route_link_rate_get(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    int64_t as_of_ms;
    bool partial;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("items"));
    json_begin_array(&writer);
    err error = figures_write_link_rate(request->server, &writer, &partial, &as_of_ms, problem);
    if (error != ERR_OK)
        return error;
    json_end_array(&writer);
    member_text_or_null(&writer, STR("next_cursor"), STR_NONE);
    json_member_time(&writer, STR("as_of"), as_of_ms);
    json_member_bool(&writer, STR("partial"), partial);
    json_end_object(&writer);
    return ERR_OK;
}

/* {"merges":{"count":3, …}}: the identity room tells samples beside it. */
static int64_t count_in(json_value report, str name)
{
    json_value part = json_get(report, name);
    return json_is_object(part) ? json_int(json_get(part, STR("count")), 0) : json_int(part, 0);
}

err route_rules_apply(struct request *request, struct problem *problem)
{
    str response;
    struct json_writer writer;
    json_value root;
    str body = request->body.size > 0 ? buffer_str(&request->body) : STR("{}");
    json_value given;
    err error = json_parse(request->parser, body, &given, problem);
    if (error == ERR_OK && !json_is_object(given))
        error = problem_set(problem, ERR_UNPROCESSABLE, "the body is an object, or there is none");
    if (error == ERR_OK)
        error = answer_command(request, "identity.rules.apply", body, &response, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, response, &root, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("merges"), count_in(root, STR("merges")));
    json_member_int(&writer, STR("splits"), count_in(root, STR("splits")));
    json_end_object(&writer);
    return ERR_OK;
}
