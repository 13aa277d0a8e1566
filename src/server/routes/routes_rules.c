/* SPDX-License-Identifier: Apache-2.0 */
/* A rule and a person: why a rule that is not saved holds of somebody, and since when she is what she is. */
#include "event/normalise.h"
#include "server/answer.h"
#include "server/ready.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX ((size_t)16 << 20)
#define SETTLE_MS 10000
#define MEMBERSHIPS_MAX 4096

/* ---- who: a one_id, or {type, value, namespace} as it stands in somebody's table ---- */

struct ask_who {
    struct event_identifier identifier;
    uint32_t number;
};

static void find_who(const struct engine_state *state, struct engine_question *question)
{
    struct ask_who *ask = question->context;
    ask->number = identity_row_node(state->identity,
                                    identity_find_row(state->identity, ask->identifier.hash));
}

static err no_such_customer(struct problem *problem)
{
    problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    return problem_hint(problem, ERR_NOT_FOUND, "customer is a one_id, or {type, value}");
}

static err read_who(struct request *request, json_value who, uint32_t *number,
                    struct problem *problem)
{
    struct ask_who ask = { .number = 0 };
    err error = ERR_OK;
    if (json_kind(who) == JSON_TEXT)
        return view_number(request, json_text(who), number, problem);
    str type = json_text(json_get(who, STR("type"))),
        value = json_text(json_get(who, STR("value")));
    if (type.size == 0 || value.size == 0) {
        problem_set(problem, ERR_UNPROCESSABLE, "customer is a one_id, or {type, value}");
        return problem_at(problem, ERR_UNPROCESSABLE, "/customer");
    }
    enum normal_form form = identifier_make(request->server->keys, &request->arena, type,
                                            json_text(json_get(who, STR("namespace"))), value, 0,
                                            &ask.identifier, &error);
    if (error != ERR_OK)
        return error;
    if (form == NORMAL_INVALID || form == NORMAL_MASKED)
        return no_such_customer(problem);
    error = view_ask(request, find_who, &ask, problem);
    *number = ask.number;
    return error == ERR_OK && ask.number == 0 ? no_such_customer(problem) : error;
}

/* ---- why ---- */

struct ask_rule {
    json_value body;
    uint32_t customer;
    str me;
    bool is_ready;
    struct buffer text;
    struct problem *problem;
    err error;
};

static void explain_rule(const struct engine_state *state, struct engine_question *question)
{
    struct ask_rule *ask = question->context;
    buffer_clear(&ask->text);
    ask->error = audience_explain_rule(state->audience, ask->body, ask->customer, ask->me,
                                       &ask->is_ready, &ask->text, ask->problem);
}

static err ask_until_ready(struct request *request, struct ask_rule *ask, struct problem *problem)
{
    struct ready ready = ready_begin(request);
    for (;;) {
        err error = view_ask(request, explain_rule, ask, problem);
        if (error == ERR_OK)
            error = ask->error;
        if (error != ERR_OK || ask->is_ready)
            return error;
        if (!ready_wait(&ready))
            return ready_refuse(&ready, request, problem);
    }
}

err route_rule_explain(struct request *request, struct problem *problem)
{
    const struct user *user = access_user_by_number(request->actor.set, request->actor.user_number);
    struct ask_rule ask = { .body = request->json,
                            .me = user != NULL ? scope_me(user) : request->actor.login,
                            .problem = problem };
    err error = read_who(request, json_get(request->json, STR("customer")), &ask.customer, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    error = ask_until_ready(request, &ask, problem);
    if (error == ERR_OK)
        buffer_append_str(&request->out, buffer_str(&ask.text));
    buffer_deinit(&ask.text);
    return error;
}

/* ---- since when ---- */

struct membership {
    enum audience_kind kind;
    str key, name;
    struct audience_set *set;
};
struct ask_memberships {
    struct request *request;
    uint32_t customer;
    struct membership *items;
    size_t count;
    err error;
};

static bool note_membership(void *context, enum audience_kind kind, str key, str name)
{
    struct ask_memberships *ask = context;
    struct membership *item = &ask->items[ask->count++];
    *item = (struct membership){ .kind = kind };
    ask->error = arena_dup(&ask->request->arena, key, &item->key);
    if (ask->error == ERR_OK)
        ask->error = arena_dup(&ask->request->arena, name, &item->name);
    return ask->error == ERR_OK && ask->count < MEMBERSHIPS_MAX;
}

/* She is settled; what she is in is shared as it is at this moment. */
static void take_memberships(const struct engine_state *state, struct engine_question *question)
{
    struct ask_memberships *ask = question->context;
    ask->customer = identity_root(state->identity, ask->customer);
    if (ask->customer == 0) {
        ask->error = ERR_NOT_FOUND;
        return;
    }
    ask->error = audience_before(
        state->audience, ask->customer,
        (struct audience_moment){ .seq = state->applied_seq, .now_ms = state->now_ms });
    if (ask->error == ERR_OK)
        audience_visit_customer(state->audience, ask->customer, note_membership, ask);
    for (size_t i = 0; ask->error == ERR_OK && i < ask->count; i++)
        ask->error = audience_set_take(state->audience, ask->items[i].kind, ask->items[i].key,
                                       STR_NONE, &ask->items[i].set);
}

static err write_membership(const struct ask_memberships *ask, const struct membership *item,
                            struct json_writer *writer, struct problem *problem)
{
    int64_t since_ms = 0;
    const char *cause = "";
    err error = audience_set_since(item->set, engine_ledger(ask->request->server->engine),
                                   ask->customer, &since_ms, &cause, problem);
    if (error != ERR_OK && error != ERR_NOT_FOUND)
        return error;
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), item->kind == AUDIENCE_TAG ? STR("tag") : STR("segment"));
    json_member_text(writer, STR("key"), item->key);
    json_member_text(writer, STR("name"), item->name);
    json_put_key(writer, STR("since"));
    if (error == ERR_OK)
        json_put_time(writer, since_ms);
    else
        json_put_null(writer);
    json_member_text(writer, STR("cause"), str_from_c(cause));
    json_end_object(writer);
    return ERR_OK;
}

err route_customer_memberships(struct request *request, struct problem *problem)
{
    struct ask_memberships ask = { .request = request };
    struct json_writer writer;
    err error = view_number(request, request->parameters[0], &ask.customer, problem);
    if (error != ERR_OK)
        return error;
    ask.items = arena_array(&request->arena, struct membership, MEMBERSHIPS_MAX);
    if (ask.items == NULL)
        return ERR_NOMEM;
    error = view_ask(request, take_memberships, &ask, problem);
    if (error == ERR_OK)
        error = ask.error;
    if (error == ERR_NOT_FOUND)
        error = problem_set(problem, error, "there is no such customer");
    if (error == ERR_OK && engine_settle(request->server->engine, false, SETTLE_MS) != ERR_OK)
        error = problem_set(problem, ERR_UNAVAILABLE, "the ledger is behind");
    answer_list_begin(request, &writer);
    for (size_t i = 0; error == ERR_OK && i < ask.count; i++)
        error = write_membership(&ask, &ask.items[i], &writer, problem);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    for (size_t i = 0; i < ask.count; i++)
        audience_set_free(&ask.items[i].set);
    return error;
}
