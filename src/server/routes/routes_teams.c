/* SPDX-License-Identifier: Apache-2.0 */
/* Teams: the tree, what each sees, what is shared. */
#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

static err no_team(struct request *request, str key, struct problem *problem)
{
    return scope_refuse(request, "team", key, problem);
}

/* ---- reading ---- */

static void write_texts(struct json_writer *writer, str key, const str *texts, size_t count)
{
    json_put_key(writer, key);
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        json_put_text(writer, texts[i]);
    json_end_array(writer);
}

static void write_json_or_null(struct json_writer *writer, str key, str json)
{
    json_member_raw(writer, key, json.size > 0 ? json : STR("null"));
}

static void write_team(const struct team *team, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("key"), team->key);
    json_member_text(writer, STR("name"), team->name);
    member_text_or_null(writer, STR("parent"), team->parent);
    write_json_or_null(writer, STR("customers"), team->customers);
    write_json_or_null(writer, STR("events"), team->events);
    write_texts(writer, STR("sources"), team->sources, team->source_count);
    write_texts(writer, STR("accounts"), team->accounts, team->account_count);
    json_member_time(writer, STR("changed_at"), team->changed_ms);
    json_end_object(writer);
}

static bool sees_team(const struct request *request, const struct team_set *teams, str key)
{
    return request->scope == NULL || team_is_within(teams, key, request->actor.team);
}

err route_team_list(struct request *request, struct problem *problem)
{
    struct team_set *teams = NULL;
    struct json_writer writer;
    err error = scopes_teams(request->server, &teams, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < team_count(teams); i++)
        if (sees_team(request, teams, team_at(teams, i)->key))
            write_team(team_at(teams, i), &writer);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    team_set_release(&teams);
    return ERR_OK;
}

err route_team_get(struct request *request, struct problem *problem)
{
    struct team_set *teams = NULL;
    struct json_writer writer;
    str key = request->parameters[0];
    err error = scopes_teams(request->server, &teams, problem);
    if (error != ERR_OK)
        return error;
    const struct team *team = team_by_key(teams, key);
    if (team == NULL || !sees_team(request, teams, key)) {
        team_set_release(&teams);
        return no_team(request, key, problem);
    }
    json_writer_init(&writer, &request->out);
    write_team(team, &writer);
    team_set_release(&teams);
    return ERR_OK;
}

/* ---- changing ---- */

/* Its view and those above it stand on its rule: they are in force when the answer comes. */
static err make_views(struct request *request, str key, struct problem *problem)
{
    struct team_set *teams = NULL;
    err error = scopes_teams(request->server, &teams, problem);
    if (error != ERR_OK)
        return error;
    for (size_t i = 0; error == ERR_OK && i < team_count(teams); i++)
        if (team_is_within(teams, key, team_at(teams, i)->key))
            error = scope_make_view(request, teams, team_at(teams, i)->key, problem);
    team_set_release(&teams);
    return error;
}

static err put_team(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "name",   "parent",  "customers",
                                           "events", "sources", "accounts" };
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        command_body_copy(&body, request, members[i]);
    err error = answer_command(request, "team.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    auth_changed(request->server);
    return error;
}

err route_team_put(struct request *request, struct problem *problem)
{
    err error = put_team(request, problem);
    if (error == ERR_OK)
        error = make_views(request, request->parameters[0], problem);
    return error == ERR_OK ? route_team_get(request, problem) : error;
}

static err check_members(struct request *request, str key, struct problem *problem)
{
    for (size_t i = 0; i < access_user_count(request->actor.set); i++) {
        const struct user *user = access_user_at(request->actor.set, i);
        if (!str_equal(user->team, key))
            continue;
        problem_set(problem, ERR_CONFLICT, "the user '" STR_FMT "' is in it", STR_ARG(user->login));
        return problem_hint(problem, ERR_CONFLICT, "give her another team first");
    }
    return ERR_OK;
}

err route_team_delete(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    err error = check_members(request, request->parameters[0], problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    error = answer_command(request, "team.delete", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    auth_changed(request->server);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}

/* ---- shares ---- */

static const char *const kinds[] = { "segment", "tag",     "journey", "template", "account",
                                     "source",  "mapping", "pool",    "trait" };

static const char *known_kind(str kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (str_equal(kind, str_from_c(kinds[i])))
            return kinds[i];
    return NULL;
}

static bool sees_share(const struct request *request, const struct team_share *share)
{
    const char *kind = known_kind(share->kind);
    return request->scope == NULL ||
           (kind != NULL && scope_sees_thing(request->scope, kind, share->key, TEAM_OWN)) ||
           str_equal(share->team, STR(TEAM_EVERYBODY)) ||
           str_equal(share->team, request->actor.team);
}

err route_share_list(struct request *request, struct problem *problem)
{
    struct team_set *teams = NULL;
    struct json_writer writer;
    err error = scopes_teams(request->server, &teams, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < team_share_count(teams); i++) {
        const struct team_share *share = team_share_at(teams, i);
        if (!sees_share(request, share))
            continue;
        json_begin_object(&writer);
        json_member_text(&writer, STR("kind"), share->kind);
        json_member_text(&writer, STR("key"), share->key);
        json_member_text(&writer, STR("team"), share->team);
        json_member_text(&writer, STR("level"), str_from_c(team_level_text(share->level)));
        json_end_object(&writer);
    }
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    team_set_release(&teams);
    return ERR_OK;
}

/* Who sees a part shares what is her team's own; who sees the whole needs the right to rule teams. */
static err check_share(struct request *request, str kind, str key, struct problem *problem)
{
    const char *known = known_kind(kind);
    if (known == NULL) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "kind is segment, tag, journey, template, account, source, mapping, pool or "
                    "trait");
        return problem_at(problem, ERR_UNPROCESSABLE, "/kind");
    }
    if (request->scope != NULL && !scope_sees_thing(request->scope, known, key, TEAM_OWN))
        return scope_refuse(request, known, key, problem);
    if (request->scope == NULL &&
        !permissions_hold(&request->actor.permissions, PERMISSION_TEAM_ADMINISTER))
        return problem_set(problem, ERR_FORBIDDEN, "to share this needs the right team.administer");
    return ERR_OK;
}

err route_share_put(struct request *request, struct problem *problem)
{
    static const char *const members[] = { "kind", "key", "team", "level" };
    str kind = json_text(json_get(request->json, STR("kind")));
    str key = json_text(json_get(request->json, STR("key")));
    struct command_body body;
    str response;
    err error = check_share(request, kind, key, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        command_body_copy(&body, request, members[i]);
    error = answer_command(request, "team.share", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    auth_changed(request->server);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}
