/* SPDX-License-Identifier: Apache-2.0 */
/* Views as hidden live segments: composed of the teams' rules, put when they are not in force, remembered while neither teams
 * nor users change.
 *
 *     team's rules ─compose─▶ rule + its digest ─▶ is "team-view-KEY" live with this digest? ─yes─▶ its number
 *                                                        └─no─▶ segment.put, wait ─▶ again
 *
 * A rule with "$me" in it is somebody's own: "team-view-KEY-uNUMBER". Seen from above, "$me" is each user of that team. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/logline.h"
#include "server/answer.h"
#include "server/scope/scope_inside.h"
#include "server/view.h"

#define RULE_BYTES_MAX ((size_t)4 << 20)
#define READY_MS 30000
#define VIEW_KEY_BYTES 80
#define DIGEST_BYTES 40

/* A view that was found in force. */
struct known_view {
    char key[VIEW_KEY_BYTES];
    uint32_t number;
};

struct scopes {
    pthread_mutex_t mutex;
    struct team_set *teams;
    uint64_t version; /* of access, when the teams were read */
    uint64_t changes; /* ours, likewise */
    struct known_view *views;
    size_t view_count, view_room;
};

err scopes_new(struct scopes **scopes)
{
    *scopes = memory_alloc(sizeof(**scopes));
    if (*scopes == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&(*scopes)->mutex, NULL);
    return ERR_OK;
}

void scopes_free(struct scopes **scopes)
{
    struct scopes *gone = *scopes;
    *scopes = NULL;
    if (gone == NULL)
        return;
    team_set_release(&gone->teams);
    memory_free(gone->views);
    pthread_mutex_destroy(&gone->mutex);
    memory_free(gone);
}

/* The mutex is held. Users count, too: "$me" is a login. */
static err refresh(struct server *server, struct problem *problem)
{
    struct scopes *scopes = server->scopes;
    uint64_t version = engine_access_version(server->engine);
    uint64_t changes = atomic_load(&server->own_changes);
    struct team_set *fresh;
    if (scopes->teams != NULL && scopes->version == version && scopes->changes == changes)
        return ERR_OK;
    err error = team_set_load(&fresh, engine_ledger(server->engine), problem);
    if (error != ERR_OK)
        return error;
    team_set_release(&scopes->teams);
    scopes->teams = fresh;
    scopes->version = version;
    scopes->changes = changes;
    scopes->view_count = 0;
    return ERR_OK;
}

err scopes_teams(struct server *server, struct team_set **teams, struct problem *problem)
{
    pthread_mutex_lock(&server->scopes->mutex);
    err error = refresh(server, problem);
    if (error == ERR_OK)
        *teams = team_set_hold(server->scopes->teams);
    pthread_mutex_unlock(&server->scopes->mutex);
    return error;
}

static uint32_t find_known(struct server *server, const struct team_set *teams, str key)
{
    struct scopes *scopes = server->scopes;
    uint32_t number = 0;
    pthread_mutex_lock(&scopes->mutex);
    for (size_t i = 0; scopes->teams == teams && number == 0 && i < scopes->view_count; i++)
        if (str_equal(str_from_c(scopes->views[i].key), key))
            number = scopes->views[i].number;
    pthread_mutex_unlock(&scopes->mutex);
    return number;
}

/* Not remembered when there is no memory: it is only asked again. */
static void keep_known(struct server *server, const struct team_set *teams, str key,
                       uint32_t number)
{
    struct scopes *scopes = server->scopes;
    pthread_mutex_lock(&scopes->mutex);
    if (scopes->teams == teams && scopes->view_count == scopes->view_room) {
        size_t room = scopes->view_room > 0 ? scopes->view_room * 2 : 16;
        struct known_view *more = memory_resize(scopes->views, room * sizeof(*more));
        if (more != NULL) {
            scopes->views = more;
            scopes->view_room = room;
        }
    }
    if (scopes->teams == teams && scopes->view_count < scopes->view_room) {
        struct known_view *view = &scopes->views[scopes->view_count++];
        snprintf(view->key, sizeof view->key, STR_FMT, STR_ARG(key));
        view->number = number;
    }
    pthread_mutex_unlock(&scopes->mutex);
}

/* ---- composing ---- */

str scope_me(const struct user *user)
{
    return user->settings.adviser.size > 0 ? user->settings.adviser : user->login;
}

/* Whose "$me" it is: one login, or those of all users of a team. */
struct me {
    str login; /* empty: the users of `team` */
    str team;
    const struct access_set *users;
};

/* Two users may be one adviser; a list names nobody twice. */
static bool was_before(const struct me *me, size_t index)
{
    str one = scope_me(access_user_at(me->users, index));
    for (size_t i = 0; i < index; i++) {
        const struct user *user = access_user_at(me->users, i);
        if (!user->disabled && str_equal(user->team, me->team) && str_equal(scope_me(user), one))
            return true;
    }
    return false;
}

static void write_users(const struct me *me, struct buffer *out)
{
    bool first = true;
    buffer_append_byte(out, '[');
    for (size_t i = 0; i < access_user_count(me->users); i++) {
        const struct user *user = access_user_at(me->users, i);
        if (user->disabled || !str_equal(user->team, me->team) || was_before(me, i))
            continue;
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        json_write_text(out, scope_me(user));
    }
    if (first) /* `in` has one at least, and no login is empty */
        json_write_text(out, STR("$nobody"));
    buffer_append_byte(out, ']');
}

static bool is_me(json_value value)
{
    return json_kind(value) == JSON_TEXT && str_equal(json_text(value), STR("$me"));
}

static void write_rule(json_value value, const struct me *me, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(value);
    json_value item;
    str key;
    bool is_object = json_is_object(value), first = true;
    if (!is_object && json_kind(value) != JSON_ARRAY) {
        json_write_value(out, value);
        return;
    }
    buffer_append_byte(out, is_object ? '{' : '[');
    while (json_next(&iterator, &key, &item)) {
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        bool many = is_object && is_me(item) && me->login.size == 0;
        if (is_object) {
            json_write_text(out, many && str_equal(key, STR("eq")) ? STR("in") : key);
            buffer_append_byte(out, ':');
        }
        if (many)
            write_users(me, out);
        else if (is_me(item))
            json_write_text(out, me->login);
        else
            write_rule(item, me, out);
    }
    buffer_append_byte(out, is_object ? '}' : ']');
}

/* Without a rule of its own: who has an event that the team sees. */
static void write_default(const struct scope *scope, const struct team *team, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("event"), STR("*"));
    json_put_key(&writer, STR("where"));
    json_begin_array(&writer);
    scope_write_where(scope, team, &writer);
    json_end_array(&writer);
    json_end_object(&writer);
}

static err write_customers(struct request *request, const struct scope *scope,
                           const struct team *team, const struct me *me, struct buffer *out)
{
    struct json_parser *parser;
    json_value rule;
    (void)request;
    if (team->customers.size == 0) {
        write_default(scope, team, out);
        return ERR_OK;
    }
    err error = json_parser_new(&parser, RULE_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, team->customers, &rule, NULL);
    if (error == ERR_OK)
        write_rule(rule, me, out);
    json_parser_free(&parser);
    return error;
}

/* {"any":[rules of the team and of those below it]}; of a team with none, nobody. */
static err write_view(struct request *request, const struct scope *scope, struct buffer *out)
{
    err error = ERR_OK;
    buffer_append_str(out, STR("{\"any\":["));
    for (size_t i = 0; error == ERR_OK && i < scope->filter_count; i++) {
        const struct team *team = scope->filters[i];
        struct me me = { .team = team->key, .users = scope->users };
        if (team == scope->team)
            me.login = scope->login;
        if (i > 0)
            buffer_append_byte(out, ',');
        error = write_customers(request, scope, team, &me, out);
    }
    buffer_append_str(out, STR("]}"));
    return error == ERR_OK ? buffer_status(out) : error;
}

/* ---- in force? ---- */

struct ask_view {
    str key, digest;
    struct buffer text;
    uint32_t number;
    bool is_live;
};

static void look_at(const struct engine_state *state, struct engine_question *question)
{
    struct ask_view *ask = question->context;
    /* Its own state, not what is seen through it. */
    audience_look_through(state->audience, NULL);
    buffer_clear(&ask->text);
    ask->number = audience_number(state->audience, AUDIENCE_SEGMENT, ask->key);
    ask->is_live =
        ask->number != 0 && audience_is_live(state->audience, ask->number) &&
        audience_write_one(state->audience, AUDIENCE_SEGMENT, ask->key, &ask->text) == ERR_OK &&
        str_contains(buffer_str(&ask->text), ask->digest);
}

static err put_view(struct request *request, const struct ask_view *ask, str rule,
                    struct problem *problem)
{
    struct command_body body;
    struct buffer unused;
    int status = 0;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), ask->key);
    json_member_text(&body.writer, STR("folder"), STR("$teams"));
    json_member_text(&body.writer, STR("description"), ask->digest);
    json_member_raw(&body.writer, STR("rule"), rule);
    buffer_init(&unused, (size_t)1 << 20);
    struct engine_command command = { .operation = STR("segment.put"),
                                      .body = command_body_end(&body) };
    err error = engine_command(request->server->engine, &command, &status, &unused, problem);
    if (error == ERR_OK && status >= 400) {
        log_line(LOG_WARN, "team_view_refused", "view=%.*s answer=%.*s", STR_ARG(ask->key),
                 (int)str_utf8_prefix_bytes(buffer_str(&unused), 300), unused.data);
        problem_set(problem, ERR_UNAVAILABLE, "the rule of your team's view cannot be made");
        error = problem_hint(problem, ERR_UNAVAILABLE, "an administrator puts the team again");
    }
    buffer_deinit(&unused);
    command_body_deinit(&body);
    return error;
}

static err bring_in_force(struct request *request, struct ask_view *ask, str rule,
                          struct problem *problem)
{
    steady_ns start = steady_now();
    bool was_put = false;
    err error = ERR_OK;
    for (;;) {
        error = view_ask(request, look_at, ask, problem);
        if (error != ERR_OK || ask->is_live)
            return error;
        if (!was_put && !str_contains(buffer_str(&ask->text), ask->digest)) {
            error = put_view(request, ask, rule, problem);
            was_put = true;
        }
        if (error != ERR_OK)
            return error;
        if (steady_since_ms(start) > READY_MS) {
            problem_set(problem, ERR_UNAVAILABLE, "your team's view is being computed");
            return problem_hint(problem, ERR_UNAVAILABLE, "ask again in a moment");
        }
        steady_sleep_ms(3);
    }
}

static bool has_me(const struct scope *scope)
{
    return str_contains(scope->team->customers, STR("\"$me\""));
}

/* With "$me" each user has her own, and all of them together have one: keys of teams have no '-' in them. */
static err name_view(struct request *request, struct scope *scope)
{
    str team = scope->team->key;
    if (!has_me(scope))
        return arena_printf(&request->arena, &scope->view_key, SCOPE_VIEW_PREFIX STR_FMT,
                            STR_ARG(team));
    if (scope->login.size == 0)
        return arena_printf(&request->arena, &scope->view_key, SCOPE_VIEW_PREFIX STR_FMT "-all",
                            STR_ARG(team));
    return arena_printf(&request->arena, &scope->view_key, SCOPE_VIEW_PREFIX STR_FMT "-u%u",
                        STR_ARG(team), scope->user_number);
}

static err make_view(struct request *request, struct scope *scope, struct problem *problem)
{
    struct buffer rule;
    struct ask_view ask = { .key = scope->view_key };
    char digest[DIGEST_BYTES];
    buffer_init(&rule, RULE_BYTES_MAX);
    buffer_init(&ask.text, RULE_BYTES_MAX * 2);
    err error = write_view(request, scope, &rule);
    if (error == ERR_OK) {
        snprintf(digest, sizeof digest, "view %016llx",
                 (unsigned long long)hash_bytes64(rule.data, rule.size, 0));
        ask.digest = str_from_c(digest);
        error = bring_in_force(request, &ask, buffer_str(&rule), problem);
    }
    if (error == ERR_OK) {
        scope->view_number = ask.number;
        keep_known(request->server, scope->teams, scope->view_key, ask.number);
    }
    buffer_deinit(&rule);
    buffer_deinit(&ask.text);
    return error;
}

err scope_view_enter(struct request *request, struct problem *problem)
{
    struct scope *scope = request->scope;
    err error = name_view(request, scope);
    if (error != ERR_OK)
        return error;
    scope->view_number = find_known(request->server, scope->teams, scope->view_key);
    return scope->view_number != 0 ? ERR_OK : make_view(request, scope, problem);
}

struct ask_there {
    str key;
    bool is_there;
};

static void look_for(const struct engine_state *state, struct engine_question *question)
{
    struct ask_there *ask = question->context;
    audience_look_through(state->audience, NULL);
    ask->is_there = audience_number(state->audience, AUDIENCE_SEGMENT, ask->key) != 0;
}

/* One that nobody needed yet is put when somebody comes. */
static err make_again(struct request *request, struct scope *scope, struct problem *problem)
{
    struct ask_there ask;
    err error = name_view(request, scope);
    ask = (struct ask_there){ .key = scope->view_key };
    if (error == ERR_OK)
        error = view_ask(request, look_for, &ask, problem);
    return error == ERR_OK && ask.is_there ? make_view(request, scope, problem) : error;
}

/* "$me": that of each user, and that of all together; journeys may stand on them. */
static err make_each(struct request *request, struct scope *scope, struct problem *problem)
{
    err error = make_again(request, scope, problem);
    for (size_t i = 0; error == ERR_OK && i < access_user_count(scope->users); i++) {
        const struct user *user = access_user_at(scope->users, i);
        if (!str_equal(user->team, scope->team->key))
            continue;
        scope->login = scope_me(user);
        scope->user_number = user->number;
        error = make_again(request, scope, problem);
    }
    return error;
}

err scope_make_view(struct request *request, const struct team_set *teams, str team,
                    struct problem *problem)
{
    struct scope scope = { .teams = (struct team_set *)(uintptr_t)teams,
                           .team = team_by_key(teams, team) };
    struct access_set *users = NULL;
    if (scope.team == NULL)
        return ERR_OK;
    err error = auth_hold(request->server, &users, problem);
    if (error != ERR_OK)
        return error;
    scope.users = users;
    scope.sources = engine_sources(request->server->engine);
    error = scope_filter_make(request, &scope);
    if (error == ERR_OK && has_me(&scope))
        error = make_each(request, &scope, problem);
    else if (error == ERR_OK)
        error = name_view(request, &scope);
    if (error == ERR_OK && !has_me(&scope))
        error = make_view(request, &scope, problem);
    source_set_release(&scope.sources);
    access_set_release(&users);
    return error;
}

/* Is "$me" in the rule of one whose customers it sees? */
static bool needs_users(const struct team_set *teams, const struct team *team)
{
    for (size_t i = 0; i < team_count(teams); i++)
        if (team_is_within(teams, team_at(teams, i)->key, team->key) &&
            str_contains(team_at(teams, i)->customers, STR("\"$me\"")))
            return true;
    return false;
}

err scope_users_changed(struct request *request, struct problem *problem)
{
    struct team_set *teams = NULL;
    err error = scopes_teams(request->server, &teams, problem);
    for (size_t i = 0; error == ERR_OK && i < team_count(teams); i++)
        if (needs_users(teams, team_at(teams, i)))
            error = scope_make_view(request, teams, team_at(teams, i)->key, problem);
    team_set_release(&teams);
    return error;
}

str scope_view_key(const struct scope *scope)
{
    return scope->view_key;
}
