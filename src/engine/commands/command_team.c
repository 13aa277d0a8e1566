/* SPDX-License-Identifier: Apache-2.0 */
/* command_team: teams and what they share. They live in the ledger alone: these commands are rare, and what was applied
 * before them is committed first (needs_barrier), so that reading it here is a function of the log. */
#include "access/team.h"
#include "engine/call.h"

static err read_teams(struct call *call, struct team_set **set)
{
    return team_set_load(set, call->engine->ledger, call->problem);
}

static err put_team(struct call *call, const struct team_set *set)
{
    struct buffer settings;
    str key = json_text(json_get(call->body, STR("key")));
    str name = json_text(json_get(call->body, STR("name")));
    json_value customers = json_get(call->body, STR("customers"));
    err error = team_check(set, call->body, call->problem);
    if (error == ERR_OK && json_is_object(customers)) {
        /* {"rule": customers}: what is put as a segment later has to be a good one now. */
        struct json_parser *parser;
        struct buffer text;
        json_value rule;
        buffer_init(&text, (size_t)1 << 20);
        buffer_append_str(&text, STR("{\"rule\":"));
        json_write_value(&text, customers);
        buffer_append_byte(&text, '}');
        error = json_parser_new(&parser, (size_t)1 << 20);
        if (error == ERR_OK)
            error = json_parse(parser, buffer_str(&text), &rule, call->problem);
        if (error == ERR_OK)
            error = audience_check(call->engine->audience, AUDIENCE_SEGMENT, rule, call->problem);
        json_parser_free(&parser);
        buffer_deinit(&text);
    }
    if (error != ERR_OK)
        return error;
    buffer_init(&settings, (size_t)1 << 20);
    team_write_settings(call->body, &settings);
    error = buffer_status(&settings);
    if (error == ERR_OK)
        LEDGER_PUT(call->writes, LEDGER_TEAMS, ledger_text(key),
                   ledger_text(name.size > 0 ? name : key),
                   ledger_text(json_text(json_get(call->body, STR("parent")))),
                   ledger_text(buffer_str(&settings)), ledger_int(call->engine->now_ms));
    buffer_deinit(&settings);
    return error;
}

static err delete_team(struct call *call, const struct team_set *set)
{
    str key = json_text(json_get(call->body, STR("key")));
    if (team_by_key(set, key) == NULL)
        return problem_set(call->problem, ERR_NOT_FOUND, "there is no team '" STR_FMT "'",
                           STR_ARG(key));
    for (size_t i = 0; i < team_count(set); i++)
        if (str_equal(team_at(set, i)->parent, key))
            return problem_set(call->problem, ERR_CONFLICT,
                               "the team '" STR_FMT "' is below it: move or delete that first",
                               STR_ARG(team_at(set, i)->key));
    ledger_delete(call->writes, LEDGER_TEAMS, (const struct ledger_value[]){ ledger_text(key) });
    for (size_t i = 0; i < team_share_count(set); i++) {
        const struct team_share *share = team_share_at(set, i);
        if (str_equal(share->team, key))
            ledger_delete(call->writes, LEDGER_TEAM_SHARES,
                          (const struct ledger_value[]){ ledger_text(share->kind),
                                                         ledger_text(share->key),
                                                         ledger_text(share->team) });
    }
    return ERR_OK;
}

/* {kind, key, team, level}: level "none" takes it back. */
static err share_thing(struct call *call, const struct team_set *set)
{
    str kind = json_text(json_get(call->body, STR("kind")));
    str key = json_text(json_get(call->body, STR("key")));
    str team = json_text(json_get(call->body, STR("team")));
    str level = json_text(json_get(call->body, STR("level")));
    enum team_level known;
    if (kind.size == 0 || key.size == 0)
        return problem_set(call->problem, ERR_UNPROCESSABLE, "a share names kind and key");
    if (!str_equal(team, STR(TEAM_EVERYBODY)) && team_by_key(set, team) == NULL) {
        problem_set(call->problem, ERR_UNPROCESSABLE, "there is no team '" STR_FMT "'",
                    STR_ARG(team));
        return problem_at(call->problem, ERR_UNPROCESSABLE, "/team");
    }
    if (str_equal(level, STR("none"))) {
        ledger_delete(call->writes, LEDGER_TEAM_SHARES,
                      (const struct ledger_value[]){ ledger_text(kind), ledger_text(key),
                                                     ledger_text(team) });
        return ERR_OK;
    }
    if (!team_level_from_text(level, &known)) {
        problem_set(call->problem, ERR_UNPROCESSABLE, "level is read, use, change or none");
        return problem_at(call->problem, ERR_UNPROCESSABLE, "/level");
    }
    LEDGER_PUT(call->writes, LEDGER_TEAM_SHARES, ledger_text(kind), ledger_text(key),
               ledger_text(team), ledger_text(level));
    return ERR_OK;
}

err run_team(struct call *call)
{
    struct team_set *set = NULL;
    str operation = call->command->operation;
    if (str_equal(operation, STR("team.refuse"))) { /* the audit alone */
        call->object = json_text(json_get(call->body, STR("object")));
        return ERR_OK;
    }
    call->object = json_text(json_get(call->body, STR("key")));
    err error = read_teams(call, &set);
    if (error != ERR_OK)
        return error;
    if (str_equal(operation, STR("team.put")))
        error = put_team(call, set);
    else if (str_equal(operation, STR("team.delete")))
        error = delete_team(call, set);
    else
        error = share_thing(call, set);
    team_set_release(&set);
    return error;
}
