/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in and out, one's password, sessions and tokens. */
#include <stdio.h>
#include <string.h>

#include "access/password.h"
#include "base/logline.h"
#include "server/access_rules.h"
#include "server/people.h"

#define SIGN_INS_MAX 3 /* passwords being checked at once; others are told to wait */
#define AGENT_BYTES_MAX 200
#define PREFIX_BYTES 8 /* hex digits of a token's hash that name it */

/* `role` is the nearest word of those that the first clients know. */
void people_write_roles(struct json_writer *writer, const struct user *user,
                        const struct permissions *permissions)
{
    json_member_text(writer, STR("role"), str_from_c(role_nearest(permissions)));
    json_put_key(writer, STR("roles"));
    json_begin_array(writer);
    for (size_t i = 0; i < user->settings.role_count; i++)
        json_put_text(writer, user->settings.roles[i]);
    json_end_array(writer);
    member_text_or_null(writer, STR("team"), user->team);
}

static void write_user(struct json_writer *writer, const struct user *user,
                       const struct permissions *permissions)
{
    json_begin_object(writer);
    json_member_int(writer, STR("number"), user->number);
    json_member_text(writer, STR("login"), user->login);
    json_member_text(writer, STR("name"), user->name);
    people_write_roles(writer, user, permissions);
    json_member_text(writer, STR("locale"), user->locale);
    json_put_key(writer, STR("permissions"));
    json_begin_array(writer);
    for (enum permission one = 0; one < PERMISSION_COUNT; one++)
        if (permissions_hold(permissions, one))
            json_put_text(writer, str_from_c(permission_text(one)));
    json_end_array(writer);
    json_end_object(writer);
}

static void write_session(struct request *request, const struct user *user,
                          const struct permissions *permissions)
{
    struct server *server = request->server;
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("user"));
    write_user(&writer, user, permissions);
    json_member_bool(&writer, STR("second_factor"), user->settings.totp.size > 0);
    json_member_int(&writer, STR("recovery_codes"), (int64_t)user->settings.recovery_count);
    json_member_bool(&writer, STR("must_enrol"), permissions_count(permissions) == 0);
    json_put_key(&writer, STR("server"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("version"), str_from_c(server->config.version));
    json_member_bool(&writer, STR("virtual_clock"), server->config.clock->is_virtual);
    json_member_text(&writer, STR("zone"), str_from_c(server_zone(server)->name));
    json_member_time(&writer, STR("now"), server_now_ms(server));
    json_member_bool(&writer, STR("may_reveal"),
                     permissions_hold(permissions, PERMISSION_CUSTOMER_REVEAL));
    json_end_object(&writer);
    json_end_object(&writer);
}

/* ---- tokens as records ---- */

/* `patterns`: what it may do at most; missing: all that its user may. */
static err put_token(struct request *request, const char *text, uint32_t user_number,
                     const char *kind, str name, int64_t expires_ms, str patterns,
                     struct problem *problem)
{
    uint8_t hash[SEAL_HASH_BYTES];
    char hex[2 * SEAL_HASH_BYTES + 1];
    struct command_body body;
    str response;
    keys_hash(request->server->keys, STR("token"), str_from_c(text), hash);
    hex_encode(hash, sizeof(hash), hex);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("hash"), str_from_c(hex));
    json_member_int(&body.writer, STR("user_number"), user_number);
    json_member_text(&body.writer, STR("kind"), str_from_c(kind));
    json_member_text(&body.writer, STR("name"), name);
    json_member_int(&body.writer, STR("expires_ms"), expires_ms);
    json_member_text(&body.writer, STR("address"), request->client_address);
    str agent = request->headers.user_agent;
    json_member_text(&body.writer, STR("agent"),
                     str_slice(agent, 0, str_utf8_prefix_bytes(agent, AGENT_BYTES_MAX)));
    if (patterns.size > 0)
        json_member_raw(&body.writer, STR("permissions"), patterns);
    err error = answer_command(request, "token.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error;
}

static err delete_token(struct request *request, const uint8_t hash[SEAL_HASH_BYTES],
                        struct problem *problem)
{
    char hex[2 * SEAL_HASH_BYTES + 1];
    struct command_body body;
    str response;
    hex_encode(hash, SEAL_HASH_BYTES, hex);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("hash"), str_from_c(hex));
    err error =
        answer_command(request, "token.delete", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error;
}

static bool ends(const struct token *token, enum people_end which, int64_t now_ms)
{
    bool over = token->expires_ms != 0 && token->expires_ms <= now_ms;
    return which == PEOPLE_END_ALL ||
           (token->kind == TOKEN_SESSION && (which == PEOPLE_END_SESSIONS || over));
}

void people_end_tokens(struct request *request, uint32_t user_number, enum people_end which,
                       const uint8_t *keep)
{
    struct access_set *set;
    struct problem problem;
    int64_t now_ms = server_now_ms(request->server);
    if (auth_hold(request->server, &set, &problem) != ERR_OK)
        return;
    for (size_t i = 0; i < access_token_count(set); i++) {
        const struct token *token = access_token_at(set, i);
        if (token->user_number != user_number || !ends(token, which, now_ms) ||
            (keep != NULL && memcmp(token->hash, keep, SEAL_HASH_BYTES) == 0))
            continue;
        if (delete_token(request, token->hash, &problem) != ERR_OK)
            break;
    }
    access_set_release(&set);
}

/* ---- signing in ---- */

err people_throttled(struct request *request, str key, uint32_t limit, const char *what,
                     struct problem *problem)
{
    int64_t now_ms = server_now_ms(request->server);
    if (throttle_permits(request->server->throttle, key, limit, now_ms, &request->retry_after_s))
        return ERR_OK;
    return problem_set(problem, ERR_BUSY, "more than %u wrong tries a minute %s", limit, what);
}

str people_throttle_key(struct request *request, const char *kind, str text)
{
    str key = STR_NONE;
    if (arena_printf(&request->arena, &key, "%s:" STR_FMT, kind, STR_ARG(text)) != ERR_OK)
        return STR_NONE;
    return key;
}

static err check_password(struct request *request, const struct user *user, str password,
                          struct problem *problem)
{
    struct server *server = request->server;
    if (atomic_fetch_add(&server->sign_ins, 1) >= SIGN_INS_MAX) {
        atomic_fetch_sub(&server->sign_ins, 1);
        return problem_set(problem, ERR_BUSY, "as many passwords as fit are being checked");
    }
    bool may = user != NULL && !user->disabled && user->password.size > 0;
    bool right = password_is_right(may ? user->password : STR_NONE, password);
    atomic_fetch_sub(&server->sign_ins, 1);
    return right && may ? ERR_OK
                        : problem_set(problem, ERR_UNAUTHENTICATED, "login or password is wrong");
}

static err set_session_cookie(struct request *request, const char *token, int64_t age_s)
{
    /* A browser that speaks TLS with the proxy in front sends it over nothing else, and takes it from no other host. */
    bool secure = str_equal_ignoring_case(request->headers.forwarded_proto, STR("https"));
    return arena_printf(&request->arena, &request->set_cookie,
                        "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
                        secure ? SESSION_COOKIE_SECURE : SESSION_COOKIE, token, (long long)age_s,
                        secure ? "; Secure" : "");
}

err people_begin_session(struct request *request, const struct user *user, bool is_single_sign_on,
                         struct problem *problem)
{
    char token[33];
    int64_t now_ms = server_now_ms(request->server);
    int64_t lives_ms = access_rule(request->server, ACCESS_RULE_SESSION_HOURS) * HOUR_MS;
    request->headers.idempotency_key = STR_NONE;
    request->actor.user_number = user->number;
    answer_secret(request, "session", token);
    bool must_enrol = false;
    err error = is_single_sign_on || user->settings.totp.size > 0
                    ? ERR_OK
                    : access_rules_second_factor(request, user, &must_enrol, problem);
    /* Until she has one, such a session may do nothing but set one up. */
    if (error == ERR_OK)
        error = put_token(request, token, user->number, "session", user->login, now_ms + lives_ms,
                          must_enrol ? STR("[]") : STR_NONE, problem);
    if (error == ERR_OK)
        error = set_session_cookie(request, token, lives_ms / SECOND_MS);
    if (error != ERR_OK)
        return error;
    uint8_t hash[SEAL_HASH_BYTES];
    keys_hash(request->server->keys, STR("token"), str_from_c(token), hash);
    people_end_tokens(request, user->number, PEOPLE_END_OVER, hash);
    struct permissions none = { .words = { 0 } };
    struct access_set *fresh; /* a code was used up meanwhile */
    error = auth_hold(request->server, &fresh, problem);
    if (error != ERR_OK)
        return error;
    const struct user *present = access_user_by_number(fresh, user->number);
    user = present != NULL ? present : user;
    write_session(request, user, must_enrol ? &none : &user->permissions);
    access_set_release(&fresh);
    return ERR_OK;
}

/* Parameters that were enough when it was hashed may not be now. A failure costs nothing: the next sign-in tries
 * again. */
static void upgrade_password(struct request *request, const struct user *user, str password)
{
    char hash[PASSWORD_HASH_BYTES];
    struct command_body body;
    struct problem problem;
    str response;
    if (!password_is_outdated(user->password) || password_hash(password, hash) != ERR_OK)
        return;
    request->actor.user_number = user->number;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), user->login);
    json_member_text(&body.writer, STR("password"), str_from_c(hash));
    if (answer_command(request, "user.put", command_body_end(&body), &response, &problem) != ERR_OK)
        log_line(LOG_WARN, "password_not_upgraded", "user=%u", user->number);
    command_body_deinit(&body);
}

/* A try that failed counts, and stands in the audit when somebody of that name is there: what nobody is called may
 * be a password in the wrong field. */
static void count_wrong_try(struct request *request, const struct user *user, str by_login,
                            str by_address)
{
    struct problem ignored;
    int64_t now_ms = server_now_ms(request->server);
    throttle_count(request->server->throttle, by_login, now_ms);
    throttle_count(request->server->throttle, by_address, now_ms);
    request->actor.user_number = 0;
    if (user != NULL && !user->settings.is_deleted &&
        auth_note(request, "session.refused", user->login, &ignored) != ERR_OK)
        log_line(LOG_WARN, "note_not_written", "action=session.refused");
}

err route_session_create(struct request *request, struct problem *problem)
{
    str login = json_text(json_get(request->json, STR("login")));
    str password = json_text(json_get(request->json, STR("password")));
    if (login.size == 0 || login.size > 100 || password.size > PASSWORD_BYTES_MAX)
        return problem_set(problem, ERR_INVALID, "a sign-in has 'login' and 'password'");
    str code = json_text(json_get(request->json, STR("code")));
    str by_login = people_throttle_key(request, "login", login);
    str by_address = people_throttle_key(request, "address", request->client_address);
    err error =
        people_throttled(request, by_login, LOGIN_TRIES_PER_MINUTE, "for this login", problem);
    if (error == ERR_OK)
        error = people_throttled(request, by_address, ADDRESS_TRIES_PER_MINUTE, "from this address",
                                 problem);
    if (error != ERR_OK)
        return error;
    const struct user *user = access_user_by_login(request->actor.set, login);
    error = check_password(request, user, password, problem);
    bool asks_for_code = error == ERR_OK && user->settings.totp.size > 0 && code.size == 0;
    if (error == ERR_OK)
        error = people_check_code(request, user, code, problem);
    if (error == ERR_UNAUTHENTICATED && !asks_for_code)
        count_wrong_try(request, user, by_login, by_address);
    if (error != ERR_OK)
        return error;
    throttle_forget(request->server->throttle, by_login);
    upgrade_password(request, user, password);
    return people_begin_session(request, user, false, problem);
}

err route_session_get(struct request *request, struct problem *problem)
{
    const struct user *user = access_user_by_number(request->actor.set, request->actor.user_number);
    if (user == NULL)
        return problem_set(problem, ERR_UNAUTHENTICATED, "the user is not known any more");
    write_session(request, user, &request->actor.permissions);
    return ERR_OK;
}

err route_session_delete(struct request *request, struct problem *problem)
{
    err error = ERR_OK;
    if (access_token_by_hash(request->actor.set, request->actor.token_hash) != NULL)
        error = delete_token(request, request->actor.token_hash, problem);
    if (error == ERR_OK)
        error = set_session_cookie(request, "", 0);
    request->status = 204;
    return error;
}

/* ---- users ---- */

err people_hash_password(str login, str password, struct command_body *body,
                         struct problem *problem)
{
    char hash[PASSWORD_HASH_BYTES];
    err error = password_check_strength(login, password, problem);
    if (error != ERR_OK)
        return problem_at(problem, error, "/password");
    error = password_hash(password, hash);
    if (error == ERR_OK)
        json_member_text(&body->writer, STR("password"), str_from_c(hash));
    return error;
}

static err put_own_password(struct request *request, const struct user *user, str password,
                            struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), user->login);
    err error = people_hash_password(user->login, password, &body, problem);
    str text = command_body_end(&body);
    if (error == ERR_OK)
        error = answer_command(request, "user.put", text, &response, problem);
    command_body_deinit(&body);
    return error;
}

err people_check_current(struct request *request, const struct user *user, struct problem *problem)
{
    if (user == NULL)
        return problem_set(problem, ERR_UNAUTHENTICATED, "the user is not known any more");
    str current = json_text(json_get(request->json, STR("current")));
    str key = people_throttle_key(request, "login", user->login);
    err error = people_throttled(request, key, LOGIN_TRIES_PER_MINUTE, "for this login", problem);
    if (error == ERR_OK)
        error = check_password(request, user, current, problem);
    if (error != ERR_UNAUTHENTICATED)
        return error;
    throttle_count(request->server->throttle, key, server_now_ms(request->server));
    problem_set(problem, ERR_FORBIDDEN, "the current password is wrong");
    return problem_at(problem, ERR_FORBIDDEN, "/current");
}

err route_password_put(struct request *request, struct problem *problem)
{
    str password = json_text(json_get(request->json, STR("password")));
    const struct user *user = access_user_by_number(request->actor.set, request->actor.user_number);
    err error = people_check_current(request, user, problem);
    if (error == ERR_OK)
        error = put_own_password(request, user, password, problem);
    if (error != ERR_OK)
        return error;
    request->headers.idempotency_key = STR_NONE;
    people_end_tokens(request, user->number, PEOPLE_END_SESSIONS, request->actor.token_hash);
    request->status = 204;
    return ERR_OK;
}

/* ---- tokens ---- */

static void write_token(struct request *request, struct json_writer *writer,
                        const struct token *token)
{
    char hex[2 * SEAL_HASH_BYTES + 1];
    hex_encode(token->hash, SEAL_HASH_BYTES, hex);
    json_begin_object(writer);
    json_member_text(writer, STR("prefix"), str_from_bytes(hex, PREFIX_BYTES));
    json_member_text(writer, STR("name"), token->name);
    json_member_text(writer, STR("kind"),
                     token->kind == TOKEN_SESSION ? STR("session") : STR("token"));
    json_member_text(writer, STR("login"), answer_login(request, token->user_number));
    json_member_time(writer, STR("created_at"), token->created_ms);
    member_time_or_null(writer, STR("expires_at"), token->expires_ms);
    member_time_or_null(writer, STR("used_at"),
                        session_used_ms(request->server->sessions, token->hash));
    member_text_or_null(writer, STR("address"), token->address);
    member_text_or_null(writer, STR("agent"), token->agent);
    json_member_bool(writer, STR("is_this"),
                     memcmp(token->hash, request->actor.token_hash, SEAL_HASH_BYTES) == 0);
    json_put_key(writer, STR("permissions"));
    if (token->is_narrowed)
        json_put_raw(writer, token->patterns);
    else
        json_put_null(writer);
    json_end_object(writer);
}

static bool may_see_token(const struct request *request, const struct token *token)
{
    return permissions_hold(&request->actor.permissions, PERMISSION_TOKEN_ADMINISTER) ||
           token->user_number == request->actor.user_number;
}

err route_token_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    size_t limit, written = 0;
    int64_t from = 0;
    bool present;
    str next = STR_NONE;
    err error = answer_limit(request, &limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 't', &from, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    size_t count = access_token_count(request->actor.set);
    for (size_t i = (size_t)from; i < count; i++) {
        const struct token *token = access_token_at(request->actor.set, i);
        if (!may_see_token(request, token))
            continue;
        if (written++ == limit) {
            int64_t at = (int64_t)i;
            next = cursor_encode(request, 't', &at, 1);
            break;
        }
        write_token(request, &writer, token);
    }
    answer_list_end(request, &writer, next);
    json_end_object(&writer);
    return ERR_OK;
}

/* A token that expires makes none that lives longer. */
static err token_expiry(struct request *request, int64_t *expires_ms, struct problem *problem)
{
    json_value value = json_get(request->json, STR("expires_at"));
    const struct token *by = access_token_by_hash(request->actor.set, request->actor.token_hash);
    int64_t at_most_ms = by != NULL && by->kind == TOKEN_API ? by->expires_ms : 0;
    int64_t days = access_rule(request->server, ACCESS_RULE_TOKEN_DAYS);
    int64_t limit_ms = server_now_ms(request->server) + days * DAY_MS;
    if (days != 0 && (at_most_ms == 0 || limit_ms < at_most_ms))
        at_most_ms = limit_ms;
    *expires_ms = at_most_ms;
    if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
        return ERR_OK;
    if (time_parse(json_text(value), 0, expires_ms) &&
        *expires_ms > server_now_ms(request->server) &&
        (at_most_ms == 0 || *expires_ms <= at_most_ms))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE,
                "expires_at is not a time in the future, or beyond that of the token which asks");
    return problem_at(problem, ERR_UNPROCESSABLE, "/expires_at");
}

/* What a token is asked to do at most. One that is made with a narrowed token is no wider than that. */
static err token_patterns(struct request *request, str *patterns, struct problem *problem)
{
    json_value asked = json_get(request->json, STR("permissions"));
    const struct token *by = access_token_by_hash(request->actor.set, request->actor.token_hash);
    str unknown = STR_NONE;
    struct buffer text;
    if (json_kind(asked) != JSON_ARRAY) {
        *patterns = by != NULL && by->is_narrowed ? by->patterns : STR_NONE;
        return ERR_OK;
    }
    struct permissions wanted = role_permissions(asked, &unknown);
    if (unknown.size > 0 || permissions_count(&wanted) == 0) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no permission '%.*s'",
                    (int)str_utf8_prefix_bytes(unknown, 100), unknown.data);
        return problem_at(problem, ERR_UNPROCESSABLE, "/permissions");
    }
    err error =
        people_check_within(request, &wanted, "this token would have the permission", problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&text, 65536);
    json_write_value(&text, asked);
    error = buffer_status(&text);
    if (error == ERR_OK)
        error = arena_dup(&request->arena, buffer_str(&text), patterns);
    buffer_deinit(&text);
    return error;
}

static void write_new_token(struct request *request, const char *token, str name,
                            int64_t expires_ms)
{
    uint8_t hash[SEAL_HASH_BYTES];
    char hex[2 * SEAL_HASH_BYTES + 1];
    struct json_writer writer;
    keys_hash(request->server->keys, STR("token"), str_from_c(token), hash);
    hex_encode(hash, sizeof(hash), hex);
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("token"), str_from_c(token));
    json_member_text(&writer, STR("prefix"), str_from_bytes(hex, PREFIX_BYTES));
    json_member_text(&writer, STR("name"), name);
    member_time_or_null(&writer, STR("expires_at"), expires_ms);
    json_end_object(&writer);
    request->status = 201;
}

err route_token_create(struct request *request, struct problem *problem)
{
    char secret[33], token[48];
    int64_t expires_ms;
    str patterns = STR_NONE, name = json_text(json_get(request->json, STR("name")));
    if (name.size == 0 || name.size > 100) {
        problem_set(problem, ERR_UNPROCESSABLE, "a token has a name of 1 to 100 bytes");
        return problem_at(problem, ERR_UNPROCESSABLE, "/name");
    }
    err error = token_expiry(request, &expires_ms, problem);
    if (error == ERR_OK)
        error = token_patterns(request, &patterns, problem);
    if (error != ERR_OK)
        return error;
    answer_secret(request, "api token", secret);
    snprintf(token, sizeof(token), "kith_%s", secret);
    error = put_token(request, token, request->actor.user_number, "token", name, expires_ms,
                      patterns, problem);
    if (error == ERR_OK)
        write_new_token(request, token, name, expires_ms);
    return error;
}

err route_token_delete(struct request *request, struct problem *problem)
{
    str prefix = request->parameters[0];
    const struct token *found = NULL;
    for (size_t i = 0; i < access_token_count(request->actor.set); i++) {
        const struct token *token = access_token_at(request->actor.set, i);
        char hex[2 * SEAL_HASH_BYTES + 1];
        hex_encode(token->hash, SEAL_HASH_BYTES, hex);
        if (prefix.size < PREFIX_BYTES || !may_see_token(request, token) ||
            !str_starts_with(str_from_c(hex), prefix))
            continue;
        if (found != NULL)
            return problem_set(problem, ERR_CONFLICT, "more than one token begins so");
        found = token;
    }
    if (found == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such token");
    request->status = 204;
    return delete_token(request, found->hash, problem);
}
