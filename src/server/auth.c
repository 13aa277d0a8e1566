/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks: bearer tokens, the console's cookie, permissions, and the right to see in full. */
#include <sodium.h>
#include <string.h>

#include "base/digest.h"
#include "base/logline.h"
#include "server/access_rules.h"
#include "server/answer.h"
#include "server/inside.h"
#include "server/people.h"

/* The administrator of the first start, whose rights KITH_ADMIN_TOKEN has. */
#define FIRST_USER_NUMBER 1
#define REASON_BYTES_MAX 500
/* Seeds that keep what is paced apart. */
enum { PACE_TOKEN = 1, PACE_ADDRESS, PACE_REVEALS, PACE_REFUSALS };

err auth_start(struct server *server, struct problem *problem)
{
    const char *token = server->config.admin_token;
    if (session_table_new(&server->sessions) != ERR_OK ||
        throttle_new(&server->throttle) != ERR_OK || pace_new(&server->pace) != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory for sessions");
    err error = access_rules_start(server, problem);
    if (error != ERR_OK || token == NULL || token[0] == '\0')
        return error;
    if (strlen(token) < 16)
        return problem_set(problem, ERR_INVALID,
                           "KITH_ADMIN_TOKEN has %zu characters, at least 16 "
                           "are needed",
                           strlen(token));
    keys_hash(server->keys, STR("token"), str_from_c(token), server->admin_token_hash);
    server->has_admin_token = true;
    return ERR_OK;
}

void auth_stop(struct server *server)
{
    access_set_release(&server->set);
    session_table_free(&server->sessions);
    throttle_free(&server->throttle);
    pace_free(&server->pace);
}

void auth_changed(struct server *server)
{
    atomic_fetch_add(&server->own_changes, 1);
}

/* Both only grow: a set that was loaded at their sum is as new as both. */
static uint64_t present_version(struct server *server)
{
    return engine_access_version(server->engine) + atomic_load(&server->own_changes) + 1;
}

err auth_hold(struct server *server, struct access_set **set, struct problem *problem)
{
    err error = ERR_OK;
    pthread_mutex_lock(&server->access_mutex);
    uint64_t version = present_version(server);
    if (server->set == NULL || server->set_version != version) {
        struct access_set *fresh;
        error = access_set_load(&fresh, engine_ledger(server->engine), problem);
        if (error == ERR_OK) {
            access_set_release(&server->set);
            server->set = fresh;
            server->set_version = version;
        }
    }
    if (error == ERR_OK)
        *set = access_set_hold(server->set);
    pthread_mutex_unlock(&server->access_mutex);
    return error;
}

/* The set of a thread is looked at without a lock while nothing changes. */
static err thread_set(struct server *server, struct http_thread *thread, struct problem *problem)
{
    uint64_t version = present_version(server);
    if (thread->set != NULL && thread->set_version == version)
        return ERR_OK;
    access_set_release(&thread->set);
    err error = auth_hold(server, &thread->set, problem);
    thread->set_version = version;
    return error;
}

void auth_release(struct request *request)
{
    access_set_release(&request->actor.set);
}

/* ---- which token ---- */

/* Over TLS under the name that no other host and no plain page can set (RFC 6265bis, 4.1.3.2), and under no other. */
static str cookie_token(const struct request *request)
{
    bool secure = str_equal_ignoring_case(request->headers.forwarded_proto, STR("https"));
    str name = secure ? STR(SESSION_COOKIE_SECURE "=") : STR(SESSION_COOKIE "=");
    str cookies = request->headers.cookie, one;
    while (str_split(&cookies, ';', &one)) {
        one = str_trim(one);
        if (str_starts_with(one, name))
            return str_slice(one, name.size, one.size);
    }
    return STR_NONE;
}

static str find_token(struct request *request, bool *by_cookie)
{
    str header = request->headers.authorization;
    *by_cookie = false;
    if (header.size > 7 && str_equal_ignoring_case(str_slice(header, 0, 7), STR("bearer ")))
        return str_trim(str_slice(header, 7, header.size));
    *by_cookie = true;
    return cookie_token(request);
}

static void act_as(struct request *request, const struct user *user)
{
    request->actor.is_known = true;
    request->actor.user_number = user->number;
    request->actor.permissions = user->permissions;
    request->actor.team = user->team;
    request->actor.login = user->login;
}

static err unknown(struct problem *problem)
{
    problem_set(problem, ERR_UNAUTHENTICATED, "the token is not known or no longer good");
    return problem_hint(problem, ERR_UNAUTHENTICATED, "sign in again, or ask for a new token");
}

static err use_token(struct request *request, str text, bool by_cookie, struct problem *problem)
{
    struct server *server = request->server;
    struct actor *actor = &request->actor;
    int64_t now_ms = server_now_ms(server);
    keys_hash(server->keys, STR("token"), text, actor->token_hash);
    if (!by_cookie && server->has_admin_token &&
        sodium_memcmp(actor->token_hash, server->admin_token_hash, SEAL_HASH_BYTES) == 0) {
        const struct user *first = access_user_by_number(actor->set, FIRST_USER_NUMBER);
        if (first != NULL)
            act_as(request, first);
        actor->is_known = true;
        actor->is_automation = true;
        actor->permissions = role_ready(STR(ROLE_ADMINISTRATOR))->permissions;
        actor->team = STR_NONE;
        return ERR_OK;
    }
    const struct token *token = access_token_by_hash(actor->set, actor->token_hash);
    if (token == NULL || (token->expires_ms != 0 && token->expires_ms <= now_ms))
        return unknown(problem);
    const struct user *user = access_user_by_number(actor->set, token->user_number);
    if (user == NULL || user->disabled)
        return unknown(problem);
    if (token->kind == TOKEN_SESSION && !session_touch(server->sessions, token->hash, now_ms)) {
        problem_set(problem, ERR_UNAUTHENTICATED, "the session was idle for too long");
        return problem_hint(problem, ERR_UNAUTHENTICATED, "sign in again");
    }
    act_as(request, user);
    if (token->is_narrowed)
        actor->permissions = permissions_both(&user->permissions, &token->permissions);
    actor->by_cookie = by_cookie;
    return ERR_OK;
}

/* A page of another site can make a browser send the cookie, but not this header. */
static bool may_be_forged(const struct request *request)
{
    return request->actor.by_cookie && request->method != METHOD_GET &&
           request->method != METHOD_HEAD && !str_equal(request->headers.kith_request, STR("1"));
}

static err keeps_pace(struct request *request, uint64_t kind, enum access_rule rule, str who,
                      struct problem *problem)
{
    uint32_t per_minute = (uint32_t)access_rule(request->server, rule);
    if (per_minute == 0 ||
        pace_permits(request->server->pace, hash_bytes64(who.data, who.size, kind), per_minute,
                     steady_now().ns / 1000000, &request->retry_after_s))
        return ERR_OK;
    return problem_set(problem, ERR_BUSY, "more than %u requests a minute %s", per_minute,
                       rule == ACCESS_RULE_TOKEN_REQUESTS ? "by this token" : "from this address");
}

err auth_identify(struct request *request, struct problem *problem)
{
    bool by_cookie;
    str token = find_token(request, &by_cookie);
    err error =
        request->actor.set == NULL ? thread_set(request->server, request->thread, problem) : ERR_OK;
    if (error == ERR_OK && request->actor.set == NULL)
        request->actor.set = access_set_hold(request->thread->set);
    if (error == ERR_OK && token.size == 0)
        error = unknown(problem);
    return error == ERR_OK ? use_token(request, token, by_cookie, problem) : error;
}

err auth_check(struct request *request, struct http_thread *thread, struct problem *problem)
{
    enum permission needed = request->route->permission;
    bool by_cookie;
    str token = find_token(request, &by_cookie);
    err error = thread_set(request->server, thread, problem);
    if (error != ERR_OK)
        return error;
    request->actor.set = access_set_hold(thread->set);
    error = keeps_pace(request, PACE_ADDRESS, ACCESS_RULE_ADDRESS_REQUESTS, request->client_address,
                       problem);
    if (error != ERR_OK || needed == PERMISSION_PUBLIC)
        return error;
    if (token.size == 0) {
        problem_set(problem, ERR_UNAUTHENTICATED, "the request names nobody");
        return problem_hint(problem, ERR_UNAUTHENTICATED,
                            "send 'Authorization: Bearer <token>', or sign in");
    }
    error = use_token(request, token, by_cookie, problem);
    if (error != ERR_OK)
        return error;
    if (!request->actor.is_automation)
        error = keeps_pace(request, PACE_TOKEN, ACCESS_RULE_TOKEN_REQUESTS,
                           str_from_bytes(request->actor.token_hash, SEAL_HASH_BYTES), problem);
    if (error != ERR_OK)
        return error;
    if (may_be_forged(request)) {
        problem_set(problem, ERR_FORBIDDEN, "a change with the session's cookie needs a header");
        return problem_hint(problem, ERR_FORBIDDEN, "send 'X-Kith-Request: 1'");
    }
    return auth_needs(request, needed, problem);
}

err auth_needs(struct request *request, enum permission needed, struct problem *problem)
{
    if (permissions_hold(&request->actor.permissions, needed))
        return ERR_OK;
    problem_set(problem, ERR_FORBIDDEN, "this needs the permission %s", permission_text(needed));
    return problem_hint(problem, ERR_FORBIDDEN,
                        "who administers users can give you a role that has it");
}

/* ---- lines of the audit for what changes nothing ---- */

err auth_note(struct request *request, const char *action, str object, struct problem *problem)
{
    struct command_body body;
    str response, reason = request->reason;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("action"), str_from_c(action));
    json_member_text(&body.writer, STR("object"), object);
    json_put_key(&body.writer, STR("detail"));
    json_begin_object(&body.writer);
    json_member_text(&body.writer, STR("path"), str_from_c(request->route->path));
    if (reason.size > 0)
        json_member_text(&body.writer, STR("reason"), reason);
    json_end_object(&body.writer);
    err error = answer_command(request, "audit.note", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error;
}

#define REFUSALS_TOLD_PER_MINUTE 60 /* in a burst what ten seconds bring: 10 */

void auth_tell_refusal(struct request *request)
{
    struct problem unused = { .error = ERR_OK };
    int64_t retry_after_s = 0;
    uint32_t user = request->actor.user_number;
    if (user == 0 ||
        !pace_permits(request->server->pace, hash_bytes64(&user, sizeof user, PACE_REFUSALS),
                      REFUSALS_TOLD_PER_MINUTE, server_now_ms(request->server), &retry_after_s))
        return;
    request->headers.idempotency_key = STR_NONE;
    request->reason = STR_NONE;
    str object = request->parameters[0];
    if (auth_note(request, "access.refuse",
                  str_slice(object, 0, str_utf8_prefix_bytes(object, 100)), &unused) != ERR_OK)
        log_line(LOG_WARN, "refusal_not_told", "operation=%s", request->route->operation);
}

/* ---- the right to see in full ---- */

/* By the parameter, or, percent-encoded, by the header. */
static err read_reason(struct request *request, struct problem *problem)
{
    str header = request->headers.kith_reason;
    /* Some lists are filtered by a parameter of this name. */
    bool is_parameter = strstr(request->route->query, "reveal reason") != NULL;
    request->reason = is_parameter ? str_trim(request_query(request, STR("reason"))) : STR_NONE;
    if (request->reason.size == 0 && header.size > 0 &&
        !url_decode(&request->arena, header, false, &request->reason))
        return problem_set(problem, ERR_INVALID, "X-Kith-Reason is not percent-encoded UTF-8");
    if (request->reason.size > REASON_BYTES_MAX)
        return problem_set(problem, ERR_INVALID, "a reason has at most %d bytes", REASON_BYTES_MAX);
    if (request->reason.size > 0 || access_rule(request->server, ACCESS_RULE_REVEAL_REASON) == 0)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "to see values in full needs a reason here");
    return problem_hint(problem, ERR_UNPROCESSABLE,
                        "send reason=… or the header X-Kith-Reason; it stands in the audit");
}

static err keep_pace(struct request *request, struct problem *problem)
{
    uint32_t per_minute = (uint32_t)access_rule(request->server, ACCESS_RULE_REVEALS);
    uint64_t key = hash_bytes64(&request->actor.user_number, sizeof(uint32_t), PACE_REVEALS);
    if (pace_permits(request->server->pace, key, per_minute, server_now_ms(request->server),
                     &request->retry_after_s))
        return ERR_OK;
    return problem_set(problem, ERR_BUSY, "you see in full more than %u times a minute",
                       per_minute);
}

err auth_may_reveal(struct request *request, bool *reveal, struct problem *problem)
{
    *reveal = request_query_flag(request, STR("reveal"));
    if (!*reveal)
        return ERR_OK;
    err error = auth_needs(request, PERMISSION_CUSTOMER_REVEAL, problem);
    if (error == ERR_OK)
        error = read_reason(request, problem);
    if (error == ERR_OK)
        error = keep_pace(request, problem);
    return error;
}

err auth_tell_reveal(struct request *request, str object, struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("object"), object);
    json_member_text(&body.writer, STR("path"), str_from_c(request->route->path));
    if (request->reason.size > 0)
        json_member_text(&body.writer, STR("reason"), request->reason);
    err error =
        answer_command(request, "values.reveal", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error;
}

err auth_reveal(struct request *request, str object, bool *reveal, struct problem *problem)
{
    *reveal = request->reveal_told;
    if (*reveal)
        return ERR_OK;
    err error = auth_may_reveal(request, reveal, problem);
    return error == ERR_OK && *reveal ? auth_tell_reveal(request, object, problem) : error;
}
