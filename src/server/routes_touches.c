/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, sending accounts, the policy, the red button; touches with their whole story; tasks and coupons. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/answer.h"
#include "server/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)
#define SCANNED_MAX 20000
#define NODES_MAX 4096

/* ---- what the room writes ---- */

struct ask_text {
    void (*write)(const struct touches *touches, struct buffer *out);
    struct buffer text;
};

static void write_text(const struct engine_state *state, struct engine_question *question)
{
    struct ask_text *ask = question->context;
    ask->write(state->touches, &ask->text);
}

static err get_text(struct request *request,
                    void (*write)(const struct touches *touches, struct buffer *out),
                    struct buffer *text, struct problem *problem)
{
    struct ask_text ask = { .write = write };
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    err error = view_ask(request, write_text, &ask, problem);
    *text = ask.text;
    return error == ERR_OK ? buffer_status(text) : error;
}

/* {"items": what was written, "next_cursor": null, …} */
static err answer_all(struct request *request,
                      void (*write)(const struct touches *touches, struct buffer *out),
                      struct problem *problem)
{
    struct buffer text;
    err error = get_text(request, write, &text, problem);
    if (error == ERR_OK) {
        buffer_append_str(&request->out, STR("{\"items\":"));
        buffer_append_str(&request->out, buffer_str(&text));
        buffer_append_str(&request->out, STR(",\"next_cursor\":null}"));
    }
    buffer_deinit(&text);
    return error;
}

/* {"key":…, and the members of the request} as a command. */
static err run_with_key(struct request *request, const char *operation, str key, str *response,
                        struct problem *problem)
{
    struct command_body body;
    struct json_iterator iterator = json_iterate(request->json);
    json_value value;
    str name;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), key);
    while (json_next(&iterator, &name, &value)) {
        struct buffer text;
        if (str_equal(name, STR("key")))
            continue;
        buffer_init(&text, TEXT_BYTES_MAX);
        json_write_value(&text, value);
        json_member_raw(&body.writer, name, buffer_str(&text));
        buffer_deinit(&text);
    }
    err error = answer_command(request, operation, command_body_end(&body), response, problem);
    command_body_deinit(&body);
    return error;
}

static err delete_by_key(struct request *request, const char *operation, struct problem *problem)
{
    str response;
    request->json = (json_value){ .document = NULL };
    err error = run_with_key(request, operation, request->parameters[0], &response, problem);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}

/* ---- templates ---- */

err route_template_list(struct request *request, struct problem *problem)
{
    return answer_all(request, touch_write_templates, problem);
}

struct ask_template {
    str key;
    struct buffer text;
    err error;
};

static void write_template(const struct engine_state *state, struct engine_question *question)
{
    struct ask_template *ask = question->context;
    ask->error = touch_write_template(state->touches, ask->key, &ask->text);
}

static void write_lint(json_value body, struct buffer *out)
{
    size_t errors = 0;
    str purpose = json_text(json_get(body, STR("purpose")));
    bool marketing = purpose.size == 0 || str_equal(purpose, STR("marketing"));
    struct buffer findings;
    buffer_init(&findings, TEXT_BYTES_MAX);
    if (template_lint(json_text(json_get(body, STR("channel"))), marketing,
                      json_get(body, STR("parts")), &findings, &errors) != ERR_OK ||
        findings.size == 0) {
        buffer_clear(&findings);
        buffer_append_str(&findings, STR("[]"));
    }
    buffer_append_str(out, buffer_str(&findings));
    buffer_deinit(&findings);
}

/* The template with what providers will say of it. */
static err answer_template(struct request *request, str key, struct problem *problem)
{
    struct ask_template ask = { .key = key };
    json_value root;
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    err error = view_ask(request, write_template, &ask, problem);
    if (error == ERR_OK && ask.error != ERR_OK)
        error = problem_set(problem, ask.error, "there is no template '%.*s'",
                            (int)str_utf8_prefix_bytes(key, 100), key.data);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&ask.text), &root, problem);
    if (error == ERR_OK) {
        buffer_append(&request->out, ask.text.data, ask.text.size - 1);
        buffer_append_str(&request->out, STR(",\"findings\":"));
        write_lint(json_get(root, STR("body")), &request->out);
        buffer_append_byte(&request->out, '}');
    }
    buffer_deinit(&ask.text);
    return error;
}

err route_template_get(struct request *request, struct problem *problem)
{
    return answer_template(request, request->parameters[0], problem);
}

err route_template_put(struct request *request, struct problem *problem)
{
    str response;
    err error = run_with_key(request, "template.put", request->parameters[0], &response, problem);
    return error == ERR_OK ? answer_template(request, request->parameters[0], problem) : error;
}

err route_template_delete(struct request *request, struct problem *problem)
{
    return delete_by_key(request, "template.delete", problem);
}

/* ---- accounts: secrets go in and are never shown again ---- */

static bool is_secret_of(json_value kinds, str kind, str name)
{
    struct json_iterator iterator = json_iterate(kinds), settings;
    json_value item, setting;
    while (json_next(&iterator, NULL, &item)) {
        if (!str_equal(json_text(json_get(item, STR("kind"))), kind))
            continue;
        settings = json_iterate(json_get(item, STR("settings")));
        while (json_next(&settings, NULL, &setting))
            if (str_equal(json_text(json_get(setting, STR("name"))), name))
                return json_bool(json_get(setting, STR("secret")), false);
    }
    /* What no kind has is not shown either if it is called so. */
    return str_ends_with(name, STR("secret")) || str_ends_with(name, STR("password")) ||
           str_ends_with(name, STR("token"));
}

/* Settings as they may be shown: of a sealed one only that it is there. */
static void write_shown(struct json_writer *writer, json_value settings)
{
    struct json_iterator iterator = json_iterate(settings);
    json_value value;
    str name;
    json_begin_object(writer);
    while (json_next(&iterator, &name, &value)) {
        struct buffer text;
        if (seal_is_sealed(json_text(value))) {
            json_put_key(writer, name);
            json_begin_object(writer);
            json_member_bool(writer, STR("is_set"), true);
            json_end_object(writer);
            continue;
        }
        buffer_init(&text, TEXT_BYTES_MAX);
        json_write_value(&text, value);
        json_member_raw(writer, name, buffer_str(&text));
        buffer_deinit(&text);
    }
    json_end_object(writer);
}

static void write_health(struct request *request, struct json_writer *writer, str key)
{
    struct channels *channels = engine_channels(request->server->engine);
    struct channel_health *health = arena_array(&request->arena, struct channel_health, 1000);
    size_t count = channels != NULL && health != NULL ? channels_health(channels, health, 1000) : 0;
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(str_from_c(health[i].key), key))
            continue;
        json_put_key(writer, STR("health"));
        json_begin_object(writer);
        json_member_bool(writer, STR("is_open"), health[i].is_open);
        json_member_int(writer, STR("queued"), (int64_t)health[i].queued);
        json_member_int(writer, STR("under_way"), (int64_t)health[i].under_way);
        json_member_int(writer, STR("sent"), (int64_t)health[i].sent);
        json_member_int(writer, STR("refused"), (int64_t)health[i].refused);
        json_member_int(writer, STR("uncertain"), (int64_t)health[i].uncertain);
        json_member_text(writer, STR("failing"), str_from_c(health[i].failing));
        json_end_object(writer);
    }
}

static void write_account(struct request *request, struct json_writer *writer, json_value account)
{
    json_begin_object(writer);
    json_member_text(writer, STR("key"), json_text(json_get(account, STR("key"))));
    json_member_text(writer, STR("kind"), json_text(json_get(account, STR("kind"))));
    json_member_text(writer, STR("channel"), json_text(json_get(account, STR("channel"))));
    json_member_bool(writer, STR("stopped"), json_bool(json_get(account, STR("stopped")), false));
    json_member_int(writer, STR("queued"), json_int(json_get(account, STR("queued")), 0));
    json_put_key(writer, STR("settings"));
    write_shown(writer, json_get(account, STR("settings")));
    write_health(request, writer, json_text(json_get(account, STR("key"))));
    json_end_object(writer);
}

static json_value account_of(json_value accounts, str key)
{
    struct json_iterator iterator = json_iterate(accounts);
    json_value account;
    while (json_next(&iterator, NULL, &account))
        if (str_equal(json_text(json_get(account, STR("key"))), key))
            return account;
    return (json_value){ .document = NULL };
}

err route_channel_list(struct request *request, struct problem *problem)
{
    struct json_iterator iterator;
    struct json_writer writer;
    struct buffer text;
    json_value root, account;
    err error = get_text(request, touch_write_accounts, &text, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&text), &root, problem);
    if (error == ERR_OK) {
        answer_list_begin(request, &writer);
        iterator = json_iterate(root);
        while (json_next(&iterator, NULL, &account))
            write_account(request, &writer, account);
        answer_list_end(request, &writer, STR_NONE);
        json_end_object(&writer);
    }
    buffer_deinit(&text);
    return error;
}

static err answer_account(struct request *request, str key, struct problem *problem)
{
    struct json_writer writer;
    struct buffer text;
    json_value root;
    err error = get_text(request, touch_write_accounts, &text, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&text), &root, problem);
    if (error == ERR_OK && !json_is_object(account_of(root, key)))
        error = problem_set(problem, ERR_NOT_FOUND, "there is no account '%.*s'",
                            (int)str_utf8_prefix_bytes(key, 100), key.data);
    if (error == ERR_OK) {
        json_writer_init(&writer, &request->out);
        write_account(request, &writer, account_of(root, key));
    }
    buffer_deinit(&text);
    return error;
}

err route_channel_get(struct request *request, struct problem *problem)
{
    return answer_account(request, request->parameters[0], problem);
}

/* New secrets are sealed; one that is not given stays as it was. */
static err write_sealed(struct request *request, str kind, json_value kinds, json_value before,
                        struct json_writer *writer)
{
    json_value settings = json_get(request->json, STR("settings")), value;
    struct json_iterator iterator = json_iterate(settings);
    err error = ERR_OK;
    str name;
    json_begin_object(writer);
    while (error == ERR_OK && json_next(&iterator, &name, &value)) {
        struct buffer text;
        str sealed;
        if (json_kind(value) == JSON_TEXT && is_secret_of(kinds, kind, name)) {
            error = keys_seal(request->server->keys, &request->arena, json_text(value), &sealed);
            if (error == ERR_OK)
                json_member_text(writer, name, sealed);
            continue;
        }
        if (json_is_object(value) && json_bool(json_get(value, STR("is_set")), false))
            continue; /* as it was shown */
        buffer_init(&text, TEXT_BYTES_MAX);
        json_write_value(&text, value);
        json_member_raw(writer, name, buffer_str(&text));
        buffer_deinit(&text);
    }
    iterator = json_iterate(before);
    while (json_next(&iterator, &name, &value)) {
        json_value given = json_get(settings, name);
        bool stays = json_kind(given) == JSON_MISSING || json_is_object(given);
        if (stays && seal_is_sealed(json_text(value)))
            json_member_text(writer, name, json_text(value));
    }
    json_end_object(writer);
    return error;
}

static err put_account(struct request *request, str key, str kind_text, str settings,
                       struct problem *problem)
{
    struct command_body body;
    enum channel_kind kind;
    json_value parsed;
    str response;
    if (!channel_kind_find(kind_text, &kind)) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no such kind of account");
        return problem_at(problem, ERR_UNPROCESSABLE, "/kind");
    }
    err error = json_parse(request->scratch, settings, &parsed, problem);
    if (error == ERR_OK)
        error = act_put_account(request->server->engine, key, kind, parsed, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), key);
    json_member_text(&body.writer, STR("kind"), kind_text);
    json_member_raw(&body.writer, STR("settings"), settings);
    error = answer_command(request, "channel.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    engine_accounts_changed(request->server->engine);
    return error;
}

err route_channel_put(struct request *request, struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct json_writer writer;
    struct buffer accounts, kinds, settings;
    json_value before = { .document = NULL }, known = { .document = NULL };
    str key = request->parameters[0], kind = json_text(json_get(request->json, STR("kind")));
    buffer_init(&kinds, TEXT_BYTES_MAX);
    buffer_init(&settings, TEXT_BYTES_MAX);
    channel_write_kinds(&kinds);
    err error = get_text(request, touch_write_accounts, &accounts, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, TEXT_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&kinds), &known, problem);
    if (error == ERR_OK)
        error = json_parse(request->scratch, buffer_str(&accounts), &before, problem);
    if (error == ERR_OK) {
        json_writer_init(&writer, &settings);
        error = write_sealed(request, kind, known,
                             json_get(account_of(before, key), STR("settings")), &writer);
    }
    if (error == ERR_OK)
        error = put_account(request, key, kind, buffer_str(&settings), problem);
    json_parser_free(&parser);
    buffer_deinit(&accounts);
    buffer_deinit(&kinds);
    buffer_deinit(&settings);
    return error == ERR_OK ? answer_account(request, key, problem) : error;
}

err route_channel_delete(struct request *request, struct problem *problem)
{
    err error = delete_by_key(request, "channel.delete", problem);
    struct channels *channels = engine_channels(request->server->engine);
    if (error == ERR_OK && channels != NULL)
        channels_delete_account(channels, request->parameters[0]);
    return error;
}

err route_channel_test(struct request *request, struct problem *problem)
{
    struct channels *channels = engine_channels(request->server->engine);
    struct buffer answer;
    if (channels == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "nothing is sent by this server");
    buffer_init(&answer, TEXT_BYTES_MAX);
    err error = channels_test_account(channels, request->parameters[0], &answer, problem);
    if (error == ERR_OK)
        buffer_append_str(&request->out, answer.size > 0 ? buffer_str(&answer) : STR("{}"));
    buffer_deinit(&answer);
    return error;
}

err route_channel_kind_list(struct request *request, struct problem *problem)
{
    (void)problem;
    buffer_append_str(&request->out, STR("{\"items\":"));
    channel_write_kinds(&request->out);
    buffer_append_str(&request->out, STR(",\"next_cursor\":null}"));
    return ERR_OK;
}

/* ---- policy, gates, stop ---- */

err route_policy_get(struct request *request, struct problem *problem)
{
    struct buffer text;
    err error = get_text(request, touch_write_policy, &text, problem);
    if (error == ERR_OK)
        buffer_append_str(&request->out, buffer_str(&text));
    buffer_deinit(&text);
    return error;
}

err route_policy_put(struct request *request, struct problem *problem)
{
    struct command_body body;
    struct buffer policy;
    str response;
    buffer_init(&policy, TEXT_BYTES_MAX);
    json_write_value(&policy, request->json);
    command_body_begin(&body);
    json_member_raw(&body.writer, STR("policy"), buffer_str(&policy));
    err error = answer_command(request, "policy.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    buffer_deinit(&policy);
    return error == ERR_OK ? route_policy_get(request, problem) : error;
}

err route_gate_list(struct request *request, struct problem *problem)
{
    return answer_all(request, touch_write_gates, problem);
}

err route_stop_get(struct request *request, struct problem *problem)
{
    return answer_all(request, touch_write_stops, problem);
}

err route_stop_post(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    command_body_copy(&body, request, "scope");
    command_body_copy(&body, request, "value");
    command_body_copy(&body, request, "why");
    command_body_copy(&body, request, "active");
    err error = answer_command(request, "stop.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? route_stop_get(request, problem) : error;
}

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
static err check_task(struct request *request, uint32_t number, struct problem *problem)
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

err route_touch_decide(struct request *request, struct problem *problem)
{
    struct command_body body;
    uint32_t number;
    str response;
    err error = number_of(request, &number, problem);
    if (error != ERR_OK)
        return error;
    error = check_task(request, number, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("touch"), number);
    command_body_copy(&body, request, "decision");
    error = answer_command(request, "touch.decide", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_touch(request, number, problem) : error;
}

/* ---- tasks and coupons ---- */

err route_task_change(struct request *request, struct problem *problem)
{
    struct command_body body;
    uint32_t number;
    str response;
    err error = number_of(request, &number, problem);
    if (error != ERR_OK)
        return error;
    error = check_task(request, number, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_int(&body.writer, STR("touch"), number);
    command_body_copy(&body, request, "action");
    command_body_copy(&body, request, "result");
    command_body_copy(&body, request, "note");
    error = answer_command(request, "touch.task", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? answer_touch(request, number, problem) : error;
}

err route_pool_list(struct request *request, struct problem *problem)
{
    return answer_all(request, touch_write_pools, problem);
}

err route_pool_put(struct request *request, struct problem *problem)
{
    str response;
    err error = run_with_key(request, "coupon.put", request->parameters[0], &response, problem);
    if (error == ERR_OK)
        buffer_append_str(&request->out, response);
    return error;
}
