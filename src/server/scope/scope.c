/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where a request is cut to its team's view: rules of routes, views, the lens. See scope.h. */
#include "server/scope/scope.h"

#include <stdlib.h>
#include <string.h>

#include "server/answer.h"
#include "server/scope/scope_inside.h"
#include "server/scope/scope_rules.h"
#include "server/view.h"

/* ---- rules of routes ---- */

static const struct row {
    const char *operation;
    enum scope_rule rule;
    enum scope_names names;
    enum team_level level;
} rows[] = {
#define X(operation, rule, names, level, why) \
    { #operation, SCOPE_##rule, NAMES_##names, TEAM_##level },
    SCOPE_RULES(X)
#undef X
};

static const struct row *find_row(const char *operation)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].operation, operation) == 0)
            return &rows[i];
    return NULL;
}

bool scope_has_rule(const char *operation)
{
    return find_row(operation) != NULL;
}

enum scope_rule scope_rule_of(const struct route *route)
{
    const struct row *row = find_row(route->operation);
    return row != NULL ? row->rule : SCOPE_WHOLE;
}

/* Kinds of things as team_level_of knows them, and as people call them. */
static const struct {
    const char *kind, *word;
} named[] = {
    [NAMES_SEGMENT] = { "segment", "segment" }, [NAMES_TAG] = { "tag", "tag" },
    [NAMES_JOURNEY] = { "journey", "journey" }, [NAMES_TEMPLATE] = { "template", "template" },
    [NAMES_ACCOUNT] = { "account", "account" }, [NAMES_SOURCE] = { "source", "source" },
    [NAMES_MAPPING] = { "mapping", "mapping" }, [NAMES_POOL] = { "pool", "pool of coupons" },
};

/* ---- who asks ---- */

bool scope_is_part(const struct request *request)
{
    return request->actor.team.size > 0;
}

bool scope_sees_user(const struct request *request, uint32_t user_number)
{
    const struct scope *scope = request->scope;
    if (scope == NULL)
        return true;
    const struct user *user = access_user_by_number(request->actor.set, user_number);
    return user != NULL && user->team.size > 0 &&
           team_is_within(scope->teams, user->team, scope->team->key);
}

bool scope_has_team(const struct scope *scope, str team)
{
    return scope == NULL || (team.size > 0 && team_is_within(scope->teams, team, scope->team->key));
}

bool scope_takes_imports(const struct scope *scope)
{
    return scope == NULL || team_takes_imports(scope->teams, scope->team->key);
}

/* ---- entering ---- */

/* Whoever she is: the hidden segments of views are nobody's to read or change. */
static bool names_a_view(const struct request *request, const struct row *row)
{
    return row != NULL && row->names == NAMES_SEGMENT &&
           str_starts_with(request->parameters[0], STR(SCOPE_VIEW_PREFIX));
}

static err check_customer(struct request *request, str one_id, struct problem *problem)
{
    uint32_t number = 0;
    bool sees = false;
    if (keys_customer(request->server->keys, one_id, &number)) {
        err error = scope_sees(request, number, &sees, problem);
        if (error != ERR_OK)
            return error;
    }
    return sees ? ERR_OK : scope_refuse_customer(request, one_id, problem);
}

static err check_names(struct request *request, const struct row *row, struct problem *problem)
{
    str asked = request_query(request, STR("customer"));
    if (row->names == NAMES_CUSTOMER) {
        err error = check_customer(request, request->parameters[0], problem);
        if (error != ERR_OK)
            return error;
    } else if (row->names != NAMES_NOTHING &&
               !scope_sees_thing(request->scope, named[row->names].kind, request->parameters[0],
                                 row->level)) {
        return scope_refuse(request, named[row->names].word, request->parameters[0], problem);
    }
    return asked.size > 0 ? check_customer(request, asked, problem) : ERR_OK;
}

static err refuse_whole(struct problem *problem)
{
    problem_set(problem, ERR_FORBIDDEN, "this is for who sees the whole, not a team's part");
    return problem_hint(problem, ERR_FORBIDDEN, "ask an administrator, or a head of all teams");
}

static err hold_scope(struct request *request, str team, struct problem *problem)
{
    struct scope *scope = arena_new(&request->arena, struct scope);
    if (scope == NULL)
        return ERR_NOMEM;
    err error = scopes_teams(request->server, &scope->teams, problem);
    if (error != ERR_OK)
        return error;
    scope->team = team_by_key(scope->teams, team);
    scope->users = request->actor.set;
    if (str_equal(request->actor.team, team)) {
        const struct user *user =
            access_user_by_number(request->actor.set, request->actor.user_number);
        scope->login = user != NULL ? scope_me(user) : request->actor.login;
        scope->user_number = request->actor.user_number;
    }
    scope->sources = engine_sources(request->server->engine);
    request->scope = scope;
    if (scope->team == NULL)
        return problem_set(problem, ERR_FORBIDDEN,
                           "your team '" STR_FMT "' is not there any more: nothing is seen",
                           STR_ARG(team));
    return scope_filter_make(request, scope);
}

err scope_enter(struct request *request, struct problem *problem)
{
    const struct row *row = find_row(request->route->operation);
    enum scope_rule rule = row != NULL ? row->rule : SCOPE_WHOLE;
    str team = request->actor.team;
    if (names_a_view(request, row))
        return problem_set(problem, ERR_NOT_FOUND, "there is no segment '%.*s'",
                           (int)str_utf8_prefix_bytes(request->parameters[0], 100),
                           request->parameters[0].data);
    if (team.size == 0 || rule == SCOPE_PUBLIC || rule == SCOPE_OWN || rule == SCOPE_WORKSPACE)
        return ERR_OK;
    if (rule == SCOPE_WHOLE)
        return refuse_whole(problem);
    err error = hold_scope(request, team, problem);
    if (error == ERR_OK)
        error = scope_view_enter(request, problem);
    if (error == ERR_OK)
        error = check_names(request, row, problem);
    return error;
}

static void let_go(struct scope *scope)
{
    team_set_release(&scope->teams);
    source_set_release(&scope->sources);
}

void scope_leave(struct request *request)
{
    struct scope *scope = request->scope;
    request->scope = NULL;
    if (scope != NULL)
        let_go(scope);
}

err scope_of_key(struct request *request, str key, struct problem *problem)
{
    struct team_set *teams = NULL;
    struct scope *own = request->scope;
    str team = team_of_key(key);
    if (team.size == 0 || (own != NULL && str_equal(team, own->team->key)))
        return ERR_OK;
    err error = scopes_teams(request->server, &teams, problem);
    if (error != ERR_OK)
        return error;
    bool narrower = own == NULL ? team_by_key(teams, team) != NULL
                                : team_is_within(teams, team, own->team->key);
    team_set_release(&teams);
    if (!narrower)
        return ERR_OK;
    error = hold_scope(request, team, problem);
    return error == ERR_OK ? scope_view_enter(request, problem) : error;
}

void scope_back_to(struct request *request, struct scope *own)
{
    struct scope *other = request->scope;
    request->scope = own;
    if (other != NULL && other != own)
        let_go(other);
}

/* ---- the lens ---- */

static bool sees_definition(void *context, enum audience_kind kind, str key)
{
    return scope_sees_thing(context, kind == AUDIENCE_TAG ? "tag" : "segment", key, TEAM_READ);
}

void scope_look(struct request *request, const struct engine_state *state)
{
    struct scope *scope = request->scope;
    if (scope == NULL)
        return;
    struct audience_lens lens = { .number = scope->view_number,
                                  .sees = sees_definition,
                                  .context = scope };
    audience_look_through(state->audience, &lens);
}

void scope_look_away(const struct engine_state *state)
{
    audience_look_through(state->audience, NULL);
}

/* ---- customers ---- */

bool scope_sees_now(const struct scope *scope, const struct engine_state *state, uint32_t number)
{
    uint32_t root = identity_root(state->identity, number);
    return root != 0 &&
           (scope == NULL ||
            (scope->view_number != 0 && audience_has(state->audience, scope->view_number, root)));
}

struct ask_seen {
    const struct scope *scope;
    uint32_t *numbers;
    size_t count;
};

static void leave_seen(const struct engine_state *state, struct engine_question *question)
{
    struct ask_seen *ask = question->context;
    for (size_t i = 0; i < ask->count; i++)
        if (ask->numbers[i] != 0 && !scope_sees_now(ask->scope, state, ask->numbers[i]))
            ask->numbers[i] = 0;
}

err scope_filter(struct request *request, uint32_t *numbers, size_t count, struct problem *problem)
{
    struct ask_seen ask = { .scope = request->scope, .numbers = numbers, .count = count };
    if (request->scope == NULL || count == 0)
        return ERR_OK;
    return view_ask(request, leave_seen, &ask, problem);
}

err scope_sees(struct request *request, uint32_t number, bool *sees, struct problem *problem)
{
    uint32_t one = number;
    err error = scope_filter(request, &one, 1, problem);
    *sees = error == ERR_OK && (request->scope == NULL || one != 0);
    return error;
}

struct ask_set {
    const struct scope *scope;
    struct audience_set *set;
    err error;
};

static void take_set(const struct engine_state *state, struct engine_question *question)
{
    struct ask_set *ask = question->context;
    ask->error = audience_set_take(state->audience, AUDIENCE_SEGMENT, scope_view_key(ask->scope),
                                   STR_NONE, &ask->set);
}

err scope_take(struct request *request, struct audience_set **set, struct problem *problem)
{
    struct ask_set ask = { .scope = request->scope };
    *set = NULL;
    if (request->scope == NULL)
        return ERR_OK;
    err error = view_ask(request, take_set, &ask, problem);
    *set = ask.set;
    return error == ERR_OK ? ask.error : error;
}

static void count_customers(const struct engine_state *state, struct engine_question *question)
{
    struct ask_seen *ask = question->context;
    struct audience_set *set = NULL;
    if (audience_set_take(state->audience, AUDIENCE_SEGMENT, scope_view_key(ask->scope), STR_NONE,
                          &set) == ERR_OK)
        ask->count = (size_t)audience_set_count(set);
    audience_set_free(&set);
}

uint64_t scope_customer_count(struct request *request)
{
    struct ask_seen ask = { .scope = request->scope };
    struct problem problem = { .error = ERR_OK };
    if (view_ask(request, count_customers, &ask, &problem) != ERR_OK)
        return 0;
    return ask.count;
}

/* ---- refusing ---- */

/* One line for what is not there and for what is not hers: neither the answer nor the time it takes says which. */
static err audit_refusal(struct request *request, str name, struct problem *problem)
{
    struct command_body body;
    struct buffer unused;
    int status;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("object"),
                     str_slice(name, 0, str_utf8_prefix_bytes(name, 100)));
    json_member_text(&body.writer, STR("path"), str_from_c(request->route->path));
    buffer_init(&unused, 65536);
    struct engine_command command = { .operation = STR("team.refuse"),
                                      .body = command_body_end(&body),
                                      .user_number = request->actor.user_number };
    err error = engine_command(request->server->engine, &command, &status, &unused, problem);
    buffer_deinit(&unused);
    command_body_deinit(&body);
    return error;
}

err scope_refuse(struct request *request, const char *what, str name, struct problem *problem)
{
    if (request->scope != NULL) {
        err error = audit_refusal(request, name, problem);
        if (error != ERR_OK)
            return error;
    }
    return problem_set(problem, ERR_NOT_FOUND, "there is no %s '%.*s'", what,
                       (int)str_utf8_prefix_bytes(name, 100), name.data != NULL ? name.data : "");
}

err scope_refuse_customer(struct request *request, str one_id, struct problem *problem)
{
    return scope_refuse(request, "customer", one_id, problem);
}

err scope_check_customers(struct request *request, json_value list, const char *pointer,
                          struct problem *problem)
{
    struct json_iterator iterator = json_iterate(list);
    size_t count = json_kind(list) == JSON_ARRAY ? json_count(list) : 0;
    json_value item;
    if (request->scope == NULL || count == 0)
        return ERR_OK;
    uint32_t *numbers = arena_array(&request->arena, uint32_t, count);
    str *texts = arena_array(&request->arena, str, count);
    if (numbers == NULL || texts == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count && json_next(&iterator, NULL, &item); i++) {
        texts[i] = json_text(item);
        if (!keys_customer(request->server->keys, texts[i], &numbers[i]))
            numbers[i] = 0;
    }
    err error = scope_filter(request, numbers, count, problem);
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        if (numbers[i] != 0)
            continue;
        error = scope_refuse_customer(request, texts[i], problem);
        if (error != ERR_NOT_FOUND)
            return error;
        problem->error = ERR_UNPROCESSABLE;
        return problem_at(problem, ERR_UNPROCESSABLE, "%s/%zu", pointer, i);
    }
    return error;
}

/* ---- lists ---- */

static const struct list {
    const char *operation, *member, *kind;
} lists[] = {
#define X(operation, member, kind) { #operation, member, kind },
    SCOPE_LISTS(X)
#undef X
};

static const struct list *find_list(const struct request *request)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (strcmp(lists[i].operation, request->route->operation) == 0)
            return &lists[i];
    return NULL;
}

/* Lines of a profile that tell of traits which she may not ask for. */
static void write_lines(const struct request *request, json_value lines, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(lines);
    json_value line;
    bool first = true;
    buffer_append_byte(out, '[');
    while (json_next(&iterator, NULL, &line)) {
        if (str_equal(json_text(json_get(line, STR("kind"))), STR("trait")) &&
            !scope_sees_trait(request->scope, json_text(json_get(line, STR("key")))))
            continue;
        buffer_append_str(out, first ? STR("") : STR(","));
        first = false;
        json_write_value(out, line);
    }
    buffer_append_byte(out, ']');
}

static void write_items(const struct request *request, const struct list *list, json_value items,
                        struct buffer *out)
{
    struct json_iterator iterator = json_iterate(items);
    json_value item;
    bool first = true;
    buffer_append_byte(out, '[');
    while (json_next(&iterator, NULL, &item)) {
        str key = json_text(json_get(item, str_from_c(list->member)));
        if (!scope_sees_thing(request->scope, list->kind, key, TEAM_READ))
            continue;
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        json_write_value(out, item);
    }
    buffer_append_byte(out, ']');
}

err scope_cut(struct request *request, struct problem *problem)
{
    const struct list *list = request->scope != NULL ? find_list(request) : NULL;
    bool is_profile =
        request->scope != NULL && strcmp(request->route->operation, "profileSegment") == 0;
    struct buffer cut;
    json_value root, value;
    str key;
    bool first = true;
    if (list == NULL && !is_profile)
        return ERR_OK;
    err error = json_parse(request->scratch, buffer_str(&request->out), &root, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&cut, request->out.size + 1024);
    struct json_iterator iterator = json_iterate(root);
    buffer_append_byte(&cut, '{');
    while (json_next(&iterator, &key, &value)) {
        if (!first)
            buffer_append_byte(&cut, ',');
        first = false;
        json_write_text(&cut, key);
        buffer_append_byte(&cut, ':');
        if (is_profile && str_equal(key, STR("lines")))
            write_lines(request, value, &cut);
        else if (list != NULL && str_equal(key, STR("items")))
            write_items(request, list, value, &cut);
        else
            json_write_value(&cut, value);
    }
    buffer_append_byte(&cut, '}');
    buffer_clear(&request->out);
    buffer_append_str(&request->out, buffer_str(&cut));
    error = buffer_status(&cut);
    buffer_deinit(&cut);
    return error;
}

/* ---- things ---- */

bool scope_sees_thing(const struct scope *scope, const char *kind, str key, enum team_level level)
{
    return scope == NULL ||
           team_level_of(scope->teams, scope->team->key, str_from_c(kind), key) >= level;
}

bool scope_sees_trait(const struct scope *scope, str name)
{
    return scope_sees_all_events(scope) || scope_sees_thing(scope, "trait", name, TEAM_READ);
}

err scope_refuse_trait(str name, struct problem *problem)
{
    problem_set(problem, ERR_UNPROCESSABLE,
                "the trait '%.*s' is told by other teams' sources, too, and not shared with yours",
                (int)str_utf8_prefix_bytes(name, 80), name.data != NULL ? name.data : "");
    return problem_hint(
        problem, ERR_UNPROCESSABLE,
        "who administers teams shares it: PUT /api/v1/shares {\"kind\":\"trait\", …}");
}
