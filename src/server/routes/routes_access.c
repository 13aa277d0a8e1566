/* SPDX-License-Identifier: Apache-2.0 */
/* Users, roles, and what can be permitted. */
#include <string.h>

#include "server/people.h"
#include "server/scope/scope.h"

/* ---- users ---- */

static void write_user_entry(struct json_writer *writer, const struct user *user)
{
    json_begin_object(writer);
    json_member_int(writer, STR("number"), user->number);
    json_member_text(writer, STR("login"), user->login);
    json_member_text(writer, STR("name"), user->name);
    people_write_roles(writer, user, &user->permissions);
    json_member_text(writer, STR("locale"), user->locale);
    json_member_bool(writer, STR("disabled"), user->disabled);
    json_member_bool(writer, STR("second_factor"), user->settings.totp.size > 0);
    json_member_bool(writer, STR("single_sign_on"), user->settings.subject.size > 0);
    json_member_text(writer, STR("adviser"), user->settings.adviser);
    json_member_time(writer, STR("created_at"), user->created_ms);
    json_end_object(writer);
}

err route_user_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    size_t limit, written = 0;
    int64_t after = 0;
    bool present;
    str next = STR_NONE;
    err error = answer_limit(request, &limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'u', &after, 1, &present, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < access_user_count(request->actor.set); i++) {
        const struct user *user = access_user_at(request->actor.set, i);
        if (user->number <= after || user->settings.is_deleted)
            continue;
        if (written == limit) {
            next = cursor_encode(request, 'u', &after, 1);
            break;
        }
        write_user_entry(&writer, user);
        after = user->number;
        written++;
    }
    answer_list_end(request, &writer, next);
    json_end_object(&writer);
    return ERR_OK;
}

/* Nobody gives more than she has, nor gets it by changing somebody who has more. */
err people_check_within(struct request *request, const struct permissions *permissions,
                        const char *what, struct problem *problem)
{
    enum permission missing;
    if (permissions_within(permissions, &request->actor.permissions, &missing))
        return ERR_OK;
    problem_set(problem, ERR_FORBIDDEN, "%s %s, which you have not", what,
                permission_text(missing));
    return problem_hint(problem, ERR_FORBIDDEN, "somebody who has it can do this");
}

static err check_role_given(struct request *request, str key, const char *pointer,
                            struct problem *problem)
{
    struct permissions held;
    if (!access_role_permissions(request->actor.set, role_present_key(key), &held)) {
        problem_set(problem, ERR_UNPROCESSABLE, "there is no role '%.*s'",
                    (int)str_utf8_prefix_bytes(key, 100), key.data);
        return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
    }
    return people_check_within(request, &held, "this role has the permission", problem);
}

static err check_roles(struct request *request, const struct user *kept, struct problem *problem)
{
    json_value one = json_get(request->json, STR("role"));
    json_value list = json_get(request->json, STR("roles")), item;
    struct json_iterator iterator = json_iterate(list);
    err error = ERR_OK;
    if (kept != NULL)
        error = people_check_within(request, &kept->permissions, "this user has the permission",
                                    problem);
    if (error == ERR_OK && json_kind(one) != JSON_MISSING)
        error = check_role_given(request, json_text(one), "/role", problem);
    while (error == ERR_OK && json_next(&iterator, NULL, &item))
        error = check_role_given(request, json_text(item), "/roles", problem);
    return error;
}

static err check_user_body(struct request *request, const struct user *kept,
                           struct problem *problem)
{
    bool has_roles = json_kind(json_get(request->json, STR("role"))) == JSON_TEXT ||
                     json_count(json_get(request->json, STR("roles"))) > 0;
    json_value locale = json_get(request->json, STR("locale"));
    if (kept == NULL &&
        (json_kind(json_get(request->json, STR("password"))) != JSON_TEXT || !has_roles))
        return problem_set(problem, ERR_UNPROCESSABLE, "a new user needs 'password' and 'roles'");
    if (json_kind(locale) != JSON_MISSING && !str_equal(json_text(locale), STR("zh-CN")) &&
        !str_equal(json_text(locale), STR("en-US"))) {
        problem_set(problem, ERR_UNPROCESSABLE, "the locale is zh-CN or en-US");
        return problem_at(problem, ERR_UNPROCESSABLE, "/locale");
    }
    return check_roles(request, kept, problem);
}

/* Who was deleted and comes again begins anew. */
static void begin_anew(struct request *request, struct command_body *body)
{
    json_member_bool(&body->writer, STR("deleted"), false);
    if (json_kind(json_get(request->json, STR("disabled"))) == JSON_MISSING)
        json_member_bool(&body->writer, STR("disabled"), false);
    if (json_kind(json_get(request->json, STR("team"))) == JSON_MISSING)
        json_member_text(&body->writer, STR("team"), STR_NONE);
    if (json_kind(json_get(request->json, STR("adviser"))) == JSON_MISSING)
        json_member_text(&body->writer, STR("adviser"), STR_NONE);
}

static err put_user(struct request *request, str login, bool is_new, struct problem *problem)
{
    static const char *const members[] = { "name",    "role",    "roles",  "team",
                                           "subject", "adviser", "locale", "disabled" };
    json_value password = json_get(request->json, STR("password"));
    struct command_body body;
    str response;
    err error = ERR_OK;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), login);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        command_body_copy(&body, request, members[i]);
    if (is_new)
        begin_anew(request, &body);
    if (json_kind(password) == JSON_TEXT)
        error = people_hash_password(login, json_text(password), &body, problem);
    str text = command_body_end(&body);
    if (error == ERR_OK)
        error = answer_command(request, "user.put", text, &response, problem);
    command_body_deinit(&body);
    return error;
}

/* As it is now, for the answer. */
static err answer_user(struct request *request, str login, struct problem *problem)
{
    struct access_set *fresh;
    struct json_writer writer;
    err error = auth_hold(request->server, &fresh, problem);
    if (error != ERR_OK)
        return error;
    const struct user *user = access_user_by_login(fresh, login);
    json_writer_init(&writer, &request->out);
    if (user != NULL)
        write_user_entry(&writer, user);
    access_set_release(&fresh);
    return user != NULL ? ERR_OK : problem_set(problem, ERR_INTERNAL, "the user is not there");
}

static const struct user *present_user(const struct request *request, str login)
{
    const struct user *user = access_user_by_login(request->actor.set, login);
    return user != NULL && !user->settings.is_deleted ? user : NULL;
}

static err no_user(str login, struct problem *problem)
{
    return problem_set(problem, ERR_NOT_FOUND, "there is no user '%.*s'",
                       (int)str_utf8_prefix_bytes(login, 100), login.data);
}

err route_user_get(struct request *request, struct problem *problem)
{
    str login = request->parameters[0];
    return present_user(request, login) != NULL ? answer_user(request, login, problem)
                                                : no_user(login, problem);
}

err route_user_put(struct request *request, struct problem *problem)
{
    str login = request->parameters[0];
    const struct user *kept = present_user(request, login);
    err error = check_user_body(request, kept, problem);
    if (error == ERR_OK)
        error = put_user(request, login, kept == NULL, problem);
    if (error != ERR_OK)
        return error;
    request->headers.idempotency_key = STR_NONE;
    bool disabled = json_bool(json_get(request->json, STR("disabled")), false);
    if (kept != NULL &&
        (disabled || json_kind(json_get(request->json, STR("password"))) == JSON_TEXT))
        people_end_tokens(request, kept->number, PEOPLE_END_SESSIONS, request->actor.token_hash);
    error = scope_users_changed(request, problem);
    return error == ERR_OK ? answer_user(request, login, problem) : error;
}

/* Her number stays hers, for what the audit says of her; whoever takes the login later takes nothing else. */
err route_user_delete(struct request *request, struct problem *problem)
{
    str login = request->parameters[0], response;
    const struct user *kept = present_user(request, login);
    struct command_body body;
    if (kept == NULL)
        return no_user(login, problem);
    err error =
        people_check_within(request, &kept->permissions, "this user has the permission", problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("login"), login);
    json_member_bool(&body.writer, STR("deleted"), true);
    json_member_text(&body.writer, STR("password"), STR_NONE);
    json_member_text(&body.writer, STR("totp"), STR_NONE);
    json_member_text(&body.writer, STR("subject"), STR_NONE);
    error = answer_command(request, "user.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error != ERR_OK)
        return error;
    request->headers.idempotency_key = STR_NONE;
    people_end_tokens(request, kept->number, PEOPLE_END_ALL, NULL);
    request->status = 204;
    return ERR_OK;
}

/* Her own, but for the one that asks; others' with the right to it. For everybody else there is no such user. */
err route_user_sessions_delete(struct request *request, struct problem *problem)
{
    str login = request->parameters[0];
    const struct user *user = present_user(request, login);
    bool own = user != NULL && user->number == request->actor.user_number;
    if (user == NULL ||
        (!own && !permissions_hold(&request->actor.permissions, PERMISSION_TOKEN_ADMINISTER)))
        return no_user(login, problem);
    people_end_tokens(request, user->number, PEOPLE_END_SESSIONS, request->actor.token_hash);
    request->status = 204;
    return ERR_OK;
}

/* ---- roles ---- */

static void write_permissions(struct json_writer *writer, const struct permissions *permissions)
{
    json_put_key(writer, STR("permissions"));
    json_begin_array(writer);
    for (enum permission one = 0; one < PERMISSION_COUNT; one++)
        if (permissions_hold(permissions, one))
            json_put_text(writer, str_from_c(permission_text(one)));
    json_end_array(writer);
}

static int64_t count_users(const struct access_set *set, str key)
{
    int64_t count = 0;
    for (size_t i = 0; i < access_user_count(set); i++) {
        const struct user *user = access_user_at(set, i);
        for (size_t r = 0; r < user->settings.role_count && !user->settings.is_deleted; r++)
            count += str_equal(user->settings.roles[r], key);
    }
    return count;
}

static void write_ready(const struct access_set *set, struct json_writer *writer,
                        const struct ready_role *role)
{
    str key = str_from_c(role->key);
    json_begin_object(writer);
    json_member_text(writer, STR("key"), key);
    json_member_text(writer, STR("name"), str_from_c(role->name_en));
    json_member_text(writer, STR("name_zh"), str_from_c(role->name_zh));
    json_member_bool(writer, STR("ready"), true);
    write_permissions(writer, &role->permissions);
    json_put_key(writer, STR("patterns"));
    json_begin_array(writer);
    str rest = str_from_c(role->patterns), pattern;
    while (str_split(&rest, ' ', &pattern))
        if (pattern.size > 0)
            json_put_text(writer, pattern);
    json_end_array(writer);
    json_member_int(writer, STR("users"), count_users(set, key));
    json_end_object(writer);
}

static void write_own(const struct access_set *set, struct json_writer *writer,
                      const struct role *role)
{
    json_begin_object(writer);
    json_member_text(writer, STR("key"), role->key);
    json_member_text(writer, STR("name"), role->name);
    json_member_text(writer, STR("name_zh"), role->name);
    json_member_bool(writer, STR("ready"), false);
    write_permissions(writer, &role->permissions);
    json_member_raw(writer, STR("patterns"), role->patterns);
    json_member_int(writer, STR("users"), count_users(set, role->key));
    json_end_object(writer);
}

err route_role_list(struct request *request, struct problem *problem)
{
    const struct access_set *set = request->actor.set;
    const struct ready_role *ready;
    struct json_writer writer;
    (void)problem;
    answer_list_begin(request, &writer);
    for (size_t i = 0; (ready = role_ready_at(i)) != NULL; i++)
        write_ready(set, &writer, ready);
    for (size_t i = 0; i < access_role_count(set); i++)
        write_own(set, &writer, access_role_at(set, i));
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

static err write_role(struct request *request, const struct access_set *set, str key,
                      struct problem *problem)
{
    const struct ready_role *ready = role_ready(role_present_key(key));
    const struct role *own = access_role_by_key(set, key);
    struct json_writer writer;
    json_writer_init(&writer, &request->out);
    if (ready != NULL)
        write_ready(set, &writer, ready);
    else if (own != NULL)
        write_own(set, &writer, own);
    else
        return problem_set(problem, ERR_NOT_FOUND, "there is no role '%.*s'",
                           (int)str_utf8_prefix_bytes(key, 100), key.data);
    return ERR_OK;
}

err route_role_get(struct request *request, struct problem *problem)
{
    return write_role(request, request->actor.set, request->parameters[0], problem);
}

/* Who changes a role needs all that it holds, before and after: it may be her own, or somebody's whom she could
 * not change otherwise. */
static err check_role_change(struct request *request, struct problem *problem)
{
    const struct role *kept = access_role_by_key(request->actor.set, request->parameters[0]);
    json_value patterns = json_get(request->json, STR("permissions"));
    struct permissions wanted = role_permissions(patterns, NULL);
    err error = ERR_OK;
    if (kept != NULL)
        error = people_check_within(request, &kept->permissions, "this role has the permission",
                                    problem);
    if (error == ERR_OK)
        error =
            people_check_within(request, &wanted, "this role would have the permission", problem);
    return error;
}

err route_role_put(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    struct access_set *fresh;
    err error = check_role_change(request, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    command_body_copy(&body, request, "name");
    command_body_copy(&body, request, "permissions");
    error = answer_command(request, "role.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        error = auth_hold(request->server, &fresh, problem);
    if (error != ERR_OK)
        return error;
    error = write_role(request, fresh, request->parameters[0], problem);
    access_set_release(&fresh);
    return error;
}

err route_role_delete(struct request *request, struct problem *problem)
{
    struct command_body body;
    str response;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("key"), request->parameters[0]);
    err error = answer_command(request, "role.delete", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    request->status = 204;
    return error;
}

/* Every kind with its actions, in the order of the table. */
err route_permission_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    str kind = STR_NONE;
    (void)problem;
    answer_list_begin(request, &writer);
    for (enum permission one = 0; one < PERMISSION_COUNT; one++) {
        if (!str_equal(kind, permission_kind(one))) {
            if (kind.size > 0) {
                json_end_array(&writer);
                json_end_object(&writer);
            }
            kind = permission_kind(one);
            json_begin_object(&writer);
            json_member_text(&writer, STR("kind"), kind);
            json_put_key(&writer, STR("actions"));
            json_begin_array(&writer);
        }
        json_put_text(&writer, permission_action(one));
    }
    json_end_array(&writer);
    json_end_object(&writer);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}
