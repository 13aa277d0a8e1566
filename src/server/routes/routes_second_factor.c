/* SPDX-License-Identifier: Apache-2.0 */
/* The second factor: begun, confirmed by a first code, asked for at sign-in, taken away.
 *
 *     POST second-factor ──▶ secret, QR text, enrolment ──▶ PUT second-factor {enrolment, code} ──▶ recovery codes
 *
 * Nothing is kept between the two: `enrolment` is the secret with its user and time, sealed.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "access/totp.h"
#include "server/people.h"

#define ENROLMENT_MS_MAX (15 * MINUTE_MS)
#define ISSUER "Kith"

static const struct user *own(const struct request *request)
{
    return access_user_by_number(request->actor.set, request->actor.user_number);
}

static err wrong_code(struct problem *problem)
{
    problem_set(problem, ERR_UNAUTHENTICATED, "the code is wrong, or was used before");
    return problem_at(problem, ERR_UNAUTHENTICATED, "/code");
}

/* `user.put` in the name of the user herself. */
static err put_own(struct request *request, struct command_body *body, struct problem *problem)
{
    str response;
    request->headers.idempotency_key = STR_NONE;
    err error = answer_command(request, "user.put", command_body_end(body), &response, problem);
    command_body_deinit(body);
    return error;
}

static err use_recovery(struct request *request, const struct user *user, str code,
                        struct problem *problem)
{
    char hash[2 * SEAL_HASH_BYTES + 1];
    struct command_body body;
    bool known = false;
    if (recovery_hash(request->server->keys, user->number, code, hash))
        for (size_t i = 0; i < user->settings.recovery_count; i++)
            known = known || str_equal(user->settings.recovery[i], str_from_c(hash));
    if (!known)
        return wrong_code(problem);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), user->login);
    json_member_text(&body.writer, STR("recovery_used"), str_from_c(hash));
    err error = put_own(request, &body, problem);
    return error == ERR_CONFLICT ? wrong_code(problem) : error;
}

static err use_code(struct request *request, const struct user *user, str code,
                    struct problem *problem)
{
    str secret;
    int64_t step;
    struct command_body body;
    err error =
        keys_unseal(request->server->keys, &request->arena, user->settings.totp, &secret, problem);
    if (error != ERR_OK)
        return error;
    if (secret.size != TOTP_SECRET_BYTES)
        return problem_set(problem, ERR_INTERNAL, "the second factor of this user is damaged");
    if (!totp_matches((const uint8_t *)secret.data, code, server_now_ms(request->server),
                      user->settings.totp_step, &step))
        return wrong_code(problem);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), user->login);
    json_member_int(&body.writer, STR("totp_step"), step);
    error = put_own(request, &body, problem);
    return error == ERR_CONFLICT ? wrong_code(problem) : error;
}

err people_check_code(struct request *request, const struct user *user, str code,
                      struct problem *problem)
{
    if (user->settings.totp.size == 0)
        return ERR_OK;
    if (code.size == 0) {
        problem_set(problem, ERR_UNAUTHENTICATED, "a code of the second factor is asked for");
        return problem_at(problem, ERR_UNAUTHENTICATED, "/code");
    }
    request->actor.user_number = user->number; /* for the audit: she has proved her password */
    return code.size == TOTP_CODE_BYTES - 1 ? use_code(request, user, code, problem)
                                            : use_recovery(request, user, code, problem);
}

/* ---- beginning ---- */

err route_second_factor_begin(struct request *request, struct problem *problem)
{
    const struct user *user = own(request);
    uint8_t secret[TOTP_SECRET_BYTES];
    char plain[96], base32[TOTP_BASE32_BYTES], hex[2 * TOTP_SECRET_BYTES + 1];
    struct json_writer writer;
    struct buffer uri;
    str sealed;
    err error = people_check_current(request, user, problem);
    if (error != ERR_OK)
        return error;
    totp_make_secret(secret);
    totp_base32(secret, base32);
    sodium_bin2hex(hex, sizeof(hex), secret, sizeof(secret));
    snprintf(plain, sizeof(plain), "totp %u %lld %s", user->number,
             (long long)server_now_ms(request->server), hex);
    error = keys_seal(request->server->keys, &request->arena, str_from_c(plain), &sealed);
    if (error != ERR_OK)
        return error;
    buffer_init(&uri, 4096);
    totp_write_uri(&uri, secret, STR(ISSUER), user->login);
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("secret"), str_from_c(base32));
    json_member_text(&writer, STR("uri"), buffer_str(&uri));
    json_member_text(&writer, STR("enrolment"), sealed);
    json_end_object(&writer);
    error = buffer_status(&uri);
    buffer_deinit(&uri);
    return error;
}

/* Hers, and not too long ago? */
static bool read_enrolment(struct request *request, const struct user *user,
                           uint8_t secret[TOTP_SECRET_BYTES])
{
    str text = json_text(json_get(request->json, STR("enrolment"))), plain, part;
    struct problem ignored;
    uint64_t number = 0, at_ms = 0;
    if (keys_unseal(request->server->keys, &request->arena, text, &plain, &ignored) != ERR_OK ||
        !str_split(&plain, ' ', &part) || !str_equal(part, STR("totp")) ||
        !str_split(&plain, ' ', &part) || !str_to_uint64(part, &number) ||
        !str_split(&plain, ' ', &part) || !str_to_uint64(part, &at_ms))
        return false;
    return number == user->number &&
           server_now_ms(request->server) - (int64_t)at_ms <= ENROLMENT_MS_MAX &&
           hex_decode(plain, secret, TOTP_SECRET_BYTES);
}

static void put_recovery(struct request *request, const struct user *user,
                         struct command_body *body, char codes[][RECOVERY_CODE_BYTES])
{
    char hash[2 * SEAL_HASH_BYTES + 1];
    json_put_key(&body->writer, STR("recovery"));
    json_begin_array(&body->writer);
    for (int i = 0; i < USER_RECOVERY_CODES; i++) {
        recovery_make(codes[i]);
        bool made = recovery_hash(request->server->keys, user->number, str_from_c(codes[i]), hash);
        INVARIANT(made);
        json_put_text(&body->writer, str_from_c(hash));
    }
    json_end_array(&body->writer);
}

err route_second_factor_put(struct request *request, struct problem *problem)
{
    const struct user *user = own(request);
    uint8_t secret[TOTP_SECRET_BYTES];
    char codes[USER_RECOVERY_CODES][RECOVERY_CODE_BYTES];
    struct command_body body;
    struct json_writer writer;
    int64_t step;
    str sealed;
    if (user == NULL || !read_enrolment(request, user, secret)) {
        problem_set(problem, ERR_UNPROCESSABLE, "this enrolment is over, or not yours");
        return problem_at(problem, ERR_UNPROCESSABLE, "/enrolment");
    }
    if (!totp_matches(secret, json_text(json_get(request->json, STR("code"))),
                      server_now_ms(request->server), 0, &step)) {
        problem_set(problem, ERR_UNPROCESSABLE, "the code is not that of now");
        problem_hint(problem, ERR_UNPROCESSABLE, "is the telephone's clock right?");
        return problem_at(problem, ERR_UNPROCESSABLE, "/code");
    }
    err error = keys_seal(request->server->keys, &request->arena,
                          str_from_bytes(secret, sizeof(secret)), &sealed);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), user->login);
    json_member_text(&body.writer, STR("totp"), sealed);
    json_member_int(&body.writer, STR("totp_step"), step);
    put_recovery(request, user, &body, codes);
    error = put_own(request, &body, problem);
    if (error != ERR_OK)
        return error;
    /* A session that could do nothing but this is over, too. */
    bool was_for_this = permissions_count(&request->actor.permissions) == 0;
    people_end_tokens(request, user->number, PEOPLE_END_SESSIONS,
                      was_for_this ? NULL : request->actor.token_hash);
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("recovery_codes"));
    json_begin_array(&writer);
    for (int i = 0; i < USER_RECOVERY_CODES; i++)
        json_put_text(&writer, str_from_c(codes[i]));
    json_end_array(&writer);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- taking it away ---- */

static err take_away(struct request *request, const struct user *user, struct problem *problem)
{
    struct command_body body;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), user->login);
    json_member_text(&body.writer, STR("totp"), STR_NONE);
    request->status = 204;
    return put_own(request, &body, problem);
}

err route_second_factor_remove(struct request *request, struct problem *problem)
{
    const struct user *user = own(request);
    err error = people_check_current(request, user, problem);
    if (error == ERR_OK)
        error = people_check_code(request, user, json_text(json_get(request->json, STR("code"))),
                                  problem);
    if (error == ERR_UNAUTHENTICATED)
        error = problem->error = ERR_FORBIDDEN; /* who she is, is known */
    return error == ERR_OK ? take_away(request, user, problem) : error;
}

/* She has lost telephone and codes: somebody who may administer users takes it away. */
err route_user_second_factor_delete(struct request *request, struct problem *problem)
{
    const struct user *user = access_user_by_login(request->actor.set, request->parameters[0]);
    if (user == NULL || user->settings.is_deleted)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such user");
    err error =
        people_check_within(request, &user->permissions, "this user has the permission", problem);
    return error == ERR_OK ? take_away(request, user, problem) : error;
}
