/* SPDX-License-Identifier: Apache-2.0 */
/* By hand: what a template looks like for somebody, and touches asked for. */
#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX ((size_t)64 << 20)

/* ---- a template, filled in ---- */

struct ask_preview {
    str key, context;
    uint32_t customer;
    struct scope *scope; /* NULL: the whole */
    struct engine *engine;
    struct buffer text;
    struct problem *problem;
    err error;
};

/* What a source that she does not see has told, and sums over all events, are not filled in for her. */
static bool fills_in(void *context, str path, uint32_t source_number)
{
    const struct scope *scope = context;
    if (str_starts_with(path, STR("summary.")))
        return scope_sees_all_events(scope);
    if (str_starts_with(path, STR("tag.")))
        return scope_sees_thing(scope, "tag", str_slice(path, 4, path.size), TEAM_READ);
    return scope_sees_source(scope, source_number);
}

static void write_preview(const struct engine_state *state, struct engine_question *question)
{
    struct ask_preview *ask = question->context;
    uint32_t root = identity_root(state->identity, ask->customer);
    struct value_lens lens = { .fills_in = fills_in, .context = ask->scope };
    if (ask->scope != NULL)
        engine_values_look_through(ask->engine, &lens);
    ask->error = touch_preview(state->touches, ask->key, root, ask->context, state->now_ms,
                               &ask->text, ask->problem);
    engine_values_look_through(ask->engine, NULL);
}

err route_template_preview(struct request *request, struct problem *problem)
{
    struct ask_preview ask = { .key = request->parameters[0], .problem = problem };
    struct buffer context;
    json_value given = json_get(request->json, STR("context"));
    str one_id = json_text(json_get(request->json, STR("customer")));
    bool sees = true;
    err error = view_number(request, one_id, &ask.customer, problem);
    if (error == ERR_OK)
        error = scope_sees(request, ask.customer, &sees, problem);
    if (request->scope != NULL && (error == ERR_NOT_FOUND || (error == ERR_OK && !sees)))
        return scope_refuse_customer(request, one_id, problem);
    if (error != ERR_OK)
        return error;
    ask.scope = request->scope;
    ask.engine = request->server->engine;
    buffer_init(&context, TEXT_BYTES_MAX);
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    if (json_is_object(given))
        json_write_value(&context, given);
    ask.context = buffer_str(&context);
    error = view_ask(request, write_preview, &ask, problem);
    if (error == ERR_OK)
        error = ask.error;
    if (error == ERR_OK) {
        buffer_append_str(&request->out, STR("{\"parts\":"));
        buffer_append_str(&request->out, buffer_str(&ask.text));
        buffer_append_byte(&request->out, '}');
    }
    buffer_deinit(&ask.text);
    buffer_deinit(&context);
    return error;
}

/* ---- touches ---- */

/* customers: one_ids become numbers; the rest is the command's. */
static err write_customers(struct request *request, struct command_body *body,
                           struct problem *problem)
{
    struct json_iterator iterator = json_iterate(json_get(request->json, STR("customers")));
    json_value item;
    size_t index = 0;
    err error = ERR_OK;
    json_put_key(&body->writer, STR("customers"));
    json_begin_array(&body->writer);
    for (; error == ERR_OK && json_next(&iterator, NULL, &item); index++) {
        uint32_t number = 0;
        error = view_number(request, json_text(item), &number, problem);
        if (error != ERR_OK) {
            error = problem->error = ERR_UNPROCESSABLE;
            problem_at(problem, error, "/customers/%zu", index);
        }
        json_put_int(&body->writer, number);
    }
    json_end_array(&body->writer);
    return error;
}

static err time_member(struct request *request, const char *name, const char *command_name,
                       struct command_body *body, struct problem *problem)
{
    str text = json_text(json_get(request->json, str_from_c(name)));
    int64_t at_ms;
    if (text.size == 0)
        return ERR_OK;
    if (!time_parse(text, 8 * 60, &at_ms)) {
        problem_set(problem, ERR_UNPROCESSABLE, "%s is a time (RFC 3339)", name);
        return problem_at(problem, ERR_UNPROCESSABLE, "/%s", name);
    }
    json_member_int(&body->writer, str_from_c(command_name), at_ms);
    return ERR_OK;
}

/* Who sees a part sends to whom she sees, what is hers to use. */
static err check_send(struct request *request, struct problem *problem)
{
    str account = json_text(json_get(request->json, STR("account")));
    str template = json_text(json_get(request->json, STR("template")));
    if (request->scope == NULL)
        return ERR_OK;
    if (template.size > 0 && !scope_sees_thing(request->scope, "template", template, TEAM_USE)) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no template '%.*s'",
                    (int)str_utf8_prefix_bytes(template, 80), template.data);
        return problem_at(problem, ERR_UNPROCESSABLE, "/template");
    }
    if (account.size > 0 && !scope_sees_thing(request->scope, "account", account, TEAM_READ)) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no account '%.*s'",
                    (int)str_utf8_prefix_bytes(account, 80), account.data);
        return problem_at(problem, ERR_UNPROCESSABLE, "/account");
    }
    return scope_check_customers(request, json_get(request->json, STR("customers")), "/customers",
                                 problem);
}

err route_touch_send(struct request *request, struct problem *problem)
{
    static const char *const members[] = {
        "campaign",    "key",     "channel",  "account",     "form",          "template",
        "purpose",     "brand",   "priority", "cost",        "transactional", "order_id",
        "content_key", "context", "test",     "personalised"
    };
    struct command_body body;
    json_value root, item;
    struct json_writer writer;
    str response;
    err error = check_send(request, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    error = write_customers(request, &body, problem);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        command_body_copy(&body, request, members[i]);
    if (error == ERR_OK)
        error = time_member(request, "not_before", "not_before_ms", &body, problem);
    if (error == ERR_OK)
        error = time_member(request, "expires", "expires_ms", &body, problem);
    if (error == ERR_OK)
        error = answer_command(request, "touch.send", command_body_end(&body), &response, problem);
    else
        (void)command_body_end(&body);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = json_parse(request->scratch, response, &root, problem);
    if (error != ERR_OK)
        return error;
    struct json_iterator iterator = json_iterate(json_get(root, STR("touches")));
    answer_list_begin(request, &writer);
    while (json_next(&iterator, NULL, &item)) {
        json_begin_object(&writer);
        member_one_id(request, &writer, STR("customer"),
                      (uint32_t)json_int(json_get(item, STR("customer")), 0));
        json_member_int(&writer, STR("id"), json_int(json_get(item, STR("touch")), 0));
        json_member_text(&writer, STR("status"), json_text(json_get(item, STR("status"))));
        member_text_or_null(&writer, STR("reason"), json_text(json_get(item, STR("reason"))));
        json_end_object(&writer);
    }
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}
