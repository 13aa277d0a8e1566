/* SPDX-License-Identifier: Apache-2.0 */
/* Users, roles and tokens inside apply: what commands check, and the rows they write.
 *
 * What must hold however two changes meet is checked here, in order: a role that is given exists, the last
 * administrator stays, a step of a second factor counts once, a recovery code too. */
#include <string.h>

#include "base/arena.h"
#include "engine/access.h"

#define SETTINGS_BYTES_MAX 65536

/* ---- rows with texts of their own ---- */

static void row_disown(struct ledger_value *row, int columns)
{
    for (int column = 0; column < columns; column++)
        if (row[column].kind == LEDGER_TEXT)
            access_disown(&row[column].bytes);
}

static err row_dup(const struct ledger_value *row, int columns, struct ledger_value *out)
{
    for (int column = 0; column < columns; column++) {
        out[column] = row[column];
        if (row[column].kind != LEDGER_TEXT)
            continue;
        if (access_own(row[column].bytes, &out[column].bytes) != ERR_OK) {
            out[column].bytes = STR_NONE;
            row_disown(out, column);
            return ERR_NOMEM;
        }
    }
    return ERR_OK;
}

/* Room for one more at the end of `array`. */
static err grow(void **array, size_t count, size_t size_bytes)
{
    void *grown = memory_resize(*array, (count + 1) * size_bytes);
    if (grown == NULL)
        return ERR_NOMEM;
    *array = grown;
    return ERR_OK;
}

/* ---- roles ---- */

enum role_column {
    ROLE_KEY,
    ROLE_NAME,
    ROLE_PERMISSIONS,
    ROLE_CREATED_MS,
    ROLE_CHANGED_MS,
    ROLE_COLUMNS
};

static struct access_role *find_role(struct access *access, str key)
{
    for (size_t index = 0; index < access->role_count; index++)
        if (str_equal(access->roles[index].row[ROLE_KEY].bytes, key))
            return &access->roles[index];
    return NULL;
}

static bool is_role(struct access *access, str key)
{
    return role_ready(key) != NULL || find_role(access, key) != NULL;
}

static err add_role(struct access *access, const struct ledger_value *row)
{
    void *roles = access->roles;
    err error = grow(&roles, access->role_count, sizeof *access->roles);
    access->roles = roles;
    if (error == ERR_OK)
        error = row_dup(row, ROLE_COLUMNS, access->roles[access->role_count].row);
    if (error == ERR_OK)
        access->role_count++;
    return error;
}

/* Texts of `row` may be borrowed from `kept`. */
static void tell_role(struct json_writer *writer, str key, const struct ledger_value *row)
{
    json_put_key(writer, key);
    json_begin_object(writer);
    json_member_text(writer, STR("name"), row[ROLE_NAME].bytes);
    json_member_raw(writer, STR("permissions"), row[ROLE_PERMISSIONS].bytes);
    json_end_object(writer);
}

static void tell_role_change(struct buffer *detail, const struct access_role *kept,
                             const struct ledger_value *row)
{
    struct json_writer writer;
    json_writer_init(&writer, detail);
    json_begin_object(&writer);
    if (kept != NULL)
        tell_role(&writer, STR("before"), kept->row);
    tell_role(&writer, STR("after"), row);
    json_end_object(&writer);
}

static err change_role(struct access *access, struct access_role *kept,
                       const struct ledger_value *row, struct ledger_writes *writes)
{
    struct access_role changed;
    err error = kept == NULL ? add_role(access, row) : row_dup(row, ROLE_COLUMNS, changed.row);
    if (error != ERR_OK)
        return error;
    ledger_put(writes, LEDGER_ROLES, row);
    if (kept != NULL) {
        row_disown(kept->row, ROLE_COLUMNS);
        *kept = changed;
    }
    return ERR_OK;
}

static err check_role(struct access *access, json_value body, const struct access_role *kept,
                      struct problem *problem)
{
    str key = json_text(json_get(body, STR("key"))), unknown = STR_NONE;
    json_value patterns = json_get(body, STR("permissions"));
    if (!role_key_is_good(key)) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "the key of a role is 1 to %d of a-z, 0-9, '_' and '-'", ROLE_KEY_BYTES_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/key");
    }
    if (role_ready(role_present_key(key)) != NULL)
        return problem_set(problem, ERR_CONFLICT, "'" STR_FMT "' is a ready role", STR_ARG(key));
    if (kept == NULL && access->role_count >= ACCESS_ROLES_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "there are %d roles already, no more fit",
                           ACCESS_ROLES_MAX);
    if (json_kind(patterns) != JSON_ARRAY && kept == NULL) {
        problem_set(problem, ERR_UNPROCESSABLE, "a role has 'permissions', a list");
        return problem_at(problem, ERR_UNPROCESSABLE, "/permissions");
    }
    role_permissions(patterns, &unknown);
    if (unknown.size == 0)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "there is no permission '%.*s'",
                (int)str_utf8_prefix_bytes(unknown, 100), unknown.data);
    return problem_at(problem, ERR_UNPROCESSABLE, "/permissions");
}

err access_put_role(struct access *access, json_value body, int64_t now_ms,
                    struct ledger_writes *writes, struct buffer *detail, struct problem *problem)
{
    str key = json_text(json_get(body, STR("key")));
    struct access_role *kept = find_role(access, key);
    struct ledger_value row[ROLE_COLUMNS] = {
        ledger_text(key),   ledger_text(key),   ledger_text(STR("[]")),
        ledger_int(now_ms), ledger_int(now_ms),
    };
    json_value name = json_get(body, STR("name"));
    json_value patterns = json_get(body, STR("permissions"));
    struct buffer text;
    err error = check_role(access, body, kept, problem);
    if (error != ERR_OK)
        return error;
    if (kept != NULL)
        memcpy(row, kept->row, sizeof row);
    row[ROLE_CHANGED_MS] = ledger_int(now_ms);
    if (json_kind(name) == JSON_TEXT)
        row[ROLE_NAME] = ledger_text(json_text(name));
    buffer_init(&text, SETTINGS_BYTES_MAX);
    if (json_kind(patterns) == JSON_ARRAY) {
        json_write_value(&text, patterns);
        row[ROLE_PERMISSIONS] = ledger_text(buffer_str(&text));
    }
    error = buffer_status(&text);
    if (error == ERR_OK)
        tell_role_change(detail, kept, row);
    if (error == ERR_OK)
        error = change_role(access, kept, row, writes);
    buffer_deinit(&text);
    return error;
}

/* ---- users ---- */

enum user_column {
    USER_NUMBER,
    USER_LOGIN,
    USER_NAME,
    USER_PASSWORD,
    USER_ROLE,
    USER_LOCALE,
    USER_SETTINGS,
    USER_CREATED_MS,
    USER_DISABLED_MS,
    USER_COLUMNS
};

static struct access_user *find_user(struct access *access, str login)
{
    for (size_t index = 0; index < access->user_count; index++)
        if (str_equal(access->users[index].row[USER_LOGIN].bytes, login))
            return &access->users[index];
    return NULL;
}

static err add_user(struct access *access, const struct ledger_value *row)
{
    void *users = access->users;
    err error = grow(&users, access->user_count, sizeof *access->users);
    access->users = users;
    if (error == ERR_OK)
        error = row_dup(row, USER_COLUMNS, access->users[access->user_count].row);
    if (error == ERR_OK)
        access->users[access->user_count++].number = (uint32_t)row[USER_NUMBER].integer;
    return error;
}

/* Texts of `row` may be borrowed from `kept`. */
static err change_user(struct access *access, struct access_user *kept,
                       const struct ledger_value *row, struct ledger_writes *writes)
{
    struct access_user changed = { .number = (uint32_t)row[USER_NUMBER].integer };
    err error = kept == NULL ? add_user(access, row) : row_dup(row, USER_COLUMNS, changed.row);
    if (error != ERR_OK)
        return error;
    ledger_put(writes, LEDGER_USERS, row);
    if (kept != NULL) {
        row_disown(kept->row, USER_COLUMNS);
        *kept = changed;
    }
    return ERR_OK;
}

/* The settings of a row, borrowed from access->parser until it parses again. */
static void read_settings(struct access *access, const struct ledger_value *row,
                          struct user_settings *settings)
{
    json_value value = { .document = NULL };
    if (json_parse(access->parser, row[USER_SETTINGS].bytes, &value, NULL) != ERR_OK)
        value = (json_value){ .document = NULL };
    user_settings_read(value, settings);
    if (settings->role_count == 0)
        settings->roles[settings->role_count++] = role_present_key(row[USER_ROLE].bytes);
}

static bool is_administrator(const struct user_settings *settings)
{
    for (size_t i = 0; i < settings->role_count; i++)
        if (str_equal(settings->roles[i], STR(ROLE_ADMINISTRATOR)))
            return true;
    return false;
}

static err change_roles(struct access *access, json_value body, struct user_settings *settings,
                        struct problem *problem)
{
    json_value list = json_get(body, STR("roles")), one = json_get(body, STR("role")), item;
    struct json_iterator iterator = json_iterate(list);
    if (json_kind(list) == JSON_ARRAY) {
        settings->role_count = 0;
        while (json_next(&iterator, NULL, &item)) {
            if (settings->role_count == USER_ROLES_MAX)
                return problem_set(problem, ERR_UNPROCESSABLE, "a user has at most %d roles",
                                   USER_ROLES_MAX);
            settings->roles[settings->role_count++] = role_present_key(json_text(item));
        }
    } else if (json_kind(one) == JSON_TEXT) {
        settings->roles[0] = role_present_key(json_text(one));
        settings->role_count = 1;
    }
    for (size_t i = 0; i < settings->role_count; i++) {
        str key = settings->roles[i];
        if (is_role(access, key))
            continue;
        problem_set(problem, ERR_UNPROCESSABLE, "there is no role '%.*s'",
                    (int)str_utf8_prefix_bytes(key, 100), key.data);
        return problem_at(problem, ERR_UNPROCESSABLE,
                          json_kind(list) == JSON_ARRAY ? "/roles" : "/role");
    }
    if (settings->role_count > 0)
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "a user has at least one role");
    return problem_at(problem, ERR_UNPROCESSABLE, "/roles");
}

static err use_recovery(json_value body, struct user_settings *settings, struct problem *problem)
{
    json_value used = json_get(body, STR("recovery_used"));
    if (json_kind(used) != JSON_TEXT)
        return ERR_OK;
    for (size_t i = 0; i < settings->recovery_count; i++) {
        if (!str_equal(settings->recovery[i], json_text(used)))
            continue;
        settings->recovery[i] = settings->recovery[--settings->recovery_count];
        return ERR_OK;
    }
    return problem_set(problem, ERR_CONFLICT, "this recovery code was used before");
}

static err change_second_factor(json_value body, struct user_settings *settings,
                                struct problem *problem)
{
    json_value totp = json_get(body, STR("totp"));
    json_value step = json_get(body, STR("totp_step"));
    json_value recovery = json_get(body, STR("recovery")), item;
    struct json_iterator iterator = json_iterate(recovery);
    if (json_kind(totp) == JSON_TEXT) {
        settings->totp = json_text(totp);
        settings->totp_step = 0;
        settings->recovery_count = 0;
    }
    if (json_kind(step) == JSON_INT && json_int(step, 0) <= settings->totp_step)
        return problem_set(problem, ERR_CONFLICT, "this code was used before");
    settings->totp_step = json_int(step, settings->totp_step);
    if (json_kind(recovery) == JSON_ARRAY) {
        settings->recovery_count = 0;
        while (settings->recovery_count < USER_RECOVERY_CODES && json_next(&iterator, NULL, &item))
            settings->recovery[settings->recovery_count++] = json_text(item);
    }
    return use_recovery(body, settings, problem);
}

static err change_settings(struct access *access, json_value body, struct user_settings *settings,
                           struct problem *problem)
{
    json_value team = json_get(body, STR("team")), subject = json_get(body, STR("subject"));
    err error = change_roles(access, body, settings, problem);
    if (error == ERR_OK)
        error = change_second_factor(body, settings, problem);
    if (json_kind(team) == JSON_TEXT || json_kind(team) == JSON_NULL)
        settings->team = json_text(team);
    if (json_kind(subject) == JSON_TEXT)
        settings->subject = json_text(subject);
    if (json_kind(json_get(body, STR("adviser"))) == JSON_TEXT)
        settings->adviser = json_text(json_get(body, STR("adviser")));
    settings->is_deleted = json_bool(json_get(body, STR("deleted")), settings->is_deleted);
    return error;
}

/* Would nobody be left who may do everything? Only when there is somebody now. */
static err keeps_an_administrator(struct access *access, const struct access_user *kept,
                                  bool remains, struct problem *problem)
{
    bool was = false;
    if (remains || kept == NULL)
        return ERR_OK;
    for (size_t index = 0; index < access->user_count; index++) {
        const struct access_user *user = &access->users[index];
        struct user_settings settings;
        read_settings(access, user->row, &settings);
        if (user->row[USER_DISABLED_MS].integer != 0 || !is_administrator(&settings))
            continue;
        if (user != kept)
            return ERR_OK;
        was = true;
    }
    if (!was)
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT, "this is the only administrator");
    return problem_hint(problem, ERR_CONFLICT, "make another one first");
}

static void change_texts(json_value body, struct ledger_value *row, int64_t now_ms)
{
    const struct {
        str member;
        enum user_column column;
    } texts[] = { { STR("name"), USER_NAME },
                  { STR("password"), USER_PASSWORD },
                  { STR("locale"), USER_LOCALE } };
    for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
        json_value value = json_get(body, texts[index].member);
        if (json_kind(value) == JSON_TEXT)
            row[texts[index].column] = ledger_text(json_text(value));
    }
    int64_t since_ms = row[USER_DISABLED_MS].integer;
    bool disabled = json_bool(json_get(body, STR("disabled")), since_ms != 0) ||
                    json_bool(json_get(body, STR("deleted")), false);
    row[USER_DISABLED_MS] = ledger_int(!disabled ? 0 : since_ms != 0 ? since_ms : now_ms);
}

/* What may be read by who reads the audit: no password, no secret, but that they changed. */
static void tell_user(struct json_writer *writer, str key, const struct ledger_value *row,
                      const struct user_settings *settings)
{
    json_put_key(writer, key);
    json_begin_object(writer);
    json_member_text(writer, STR("name"), row[USER_NAME].bytes);
    json_put_key(writer, STR("roles"));
    json_begin_array(writer);
    for (size_t i = 0; i < settings->role_count; i++)
        json_put_text(writer, settings->roles[i]);
    json_end_array(writer);
    json_member_text(writer, STR("team"), settings->team);
    json_member_bool(writer, STR("disabled"), row[USER_DISABLED_MS].integer != 0);
    json_member_bool(writer, STR("second_factor"), settings->totp.size > 0);
    json_member_int(writer, STR("recovery_codes"), (int64_t)settings->recovery_count);
    if (settings->subject.size > 0)
        json_member_text(writer, STR("subject"), settings->subject);
    if (settings->adviser.size > 0)
        json_member_text(writer, STR("adviser"), settings->adviser);
    if (settings->is_deleted)
        json_member_bool(writer, STR("deleted"), true);
    json_end_object(writer);
}

/* Writes the row once nothing can refuse it any more. */
static err put_user(struct access *access, json_value body, struct access_user *kept,
                    struct ledger_value *row, struct buffer *text, struct ledger_writes *writes,
                    struct buffer *detail, struct problem *problem)
{
    struct user_settings settings;
    struct json_writer teller;
    read_settings(access, row, &settings);
    json_writer_init(&teller, detail);
    json_begin_object(&teller);
    if (kept != NULL)
        tell_user(&teller, STR("before"), kept->row, &settings);
    err error = change_settings(access, body, &settings, problem);
    if (error != ERR_OK)
        return error;
    tell_user(&teller, STR("after"), row, &settings);
    if (json_kind(json_get(body, STR("password"))) == JSON_TEXT)
        json_member_bool(&teller, STR("password_changed"), true);
    json_end_object(&teller);
    user_settings_write(text, &settings);
    bool remains = is_administrator(&settings) && row[USER_DISABLED_MS].integer == 0;
    error = buffer_status(text);
    /* The first role stands in its own column too, where earlier versions look. `settings` is borrowed
     * from the parser, which the next check uses again. */
    str first = STR_NONE;
    if (error == ERR_OK)
        error = access_own(settings.roles[0], &first);
    row[USER_ROLE] = ledger_text(first);
    row[USER_SETTINGS] = ledger_text(buffer_str(text));
    if (error == ERR_OK)
        error = keeps_an_administrator(access, kept, remains, problem);
    if (error == ERR_OK)
        error = change_user(access, kept, row, writes);
    access_disown(&first);
    return error;
}

static uint32_t next_user_number(const struct access *access)
{
    uint32_t number = 0;
    for (size_t index = 0; index < access->user_count; index++)
        if (access->users[index].number > number)
            number = access->users[index].number;
    return number + 1;
}

err access_put_user(struct access *access, json_value body, int64_t now_ms,
                    struct ledger_writes *writes, struct buffer *answer, struct buffer *detail,
                    struct problem *problem)
{
    str login = json_text(json_get(body, STR("login")));
    if (login.size == 0 || login.size > 100) {
        problem_set(problem, ERR_UNPROCESSABLE, "a login has 1 to 100 bytes");
        return problem_at(problem, ERR_UNPROCESSABLE, "/login");
    }
    struct access_user *kept = find_user(access, login);
    if (kept == NULL && access->user_count >= ACCESS_USERS_MAX)
        return problem_set(problem, ERR_UNPROCESSABLE, "there are %d users already, no more fit",
                           ACCESS_USERS_MAX);
    struct ledger_value row[USER_COLUMNS] = {
        ledger_int((int64_t)next_user_number(access)),
        ledger_text(login),
        ledger_text(login),
        ledger_text(STR_NONE),
        ledger_text(STR("analyst")),
        ledger_text(STR("zh-CN")),
        ledger_text(STR("{}")),
        ledger_int(now_ms),
        ledger_int(0),
    };
    if (kept != NULL)
        memcpy(row, kept->row, sizeof row);
    change_texts(body, row, now_ms);
    int64_t number = row[USER_NUMBER].integer;
    struct buffer text;
    buffer_init(&text, SETTINGS_BYTES_MAX);
    err error = put_user(access, body, kept, row, &text, writes, detail, problem);
    buffer_deinit(&text);
    if (error == ERR_OK)
        buffer_printf(answer, "{\"number\":%lld}", (long long)number);
    return error;
}

/* A role that somebody has stays. */
err access_delete_role(struct access *access, json_value body, struct ledger_writes *writes,
                       struct problem *problem)
{
    str key = json_text(json_get(body, STR("key")));
    struct access_role *kept = find_role(access, key);
    if (kept == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no role '%.*s' of your own",
                           (int)str_utf8_prefix_bytes(key, 100), key.data);
    for (size_t index = 0; index < access->user_count; index++) {
        struct user_settings settings;
        read_settings(access, access->users[index].row, &settings);
        for (size_t i = 0; i < settings.role_count; i++)
            if (str_equal(settings.roles[i], key))
                return problem_set(problem, ERR_CONFLICT, "the user '%.*s' has this role",
                                   (int)access->users[index].row[USER_LOGIN].bytes.size,
                                   access->users[index].row[USER_LOGIN].bytes.data);
    }
    struct ledger_value key_value = ledger_text(key);
    ledger_delete(writes, LEDGER_ROLES, &key_value);
    row_disown(kept->row, ROLE_COLUMNS);
    *kept = access->roles[--access->role_count];
    return ERR_OK;
}

/* ---- tokens ---- */

static err token_hash(json_value body, uint8_t hash[SEAL_HASH_BYTES], struct problem *problem)
{
    if (access_read_hex(json_text(json_get(body, STR("hash"))), hash, SEAL_HASH_BYTES))
        return ERR_OK;
    return problem_set(problem, ERR_INVALID, "the hash of a token is 32 hex digits");
}

static bool has_user_number(const struct access *access, int64_t number)
{
    for (size_t index = 0; index < access->user_count; index++)
        if (access->users[index].number == number)
            return true;
    return false;
}

static void write_token_settings(struct buffer *out, json_value body)
{
    static const char *const texts[] = { "address", "agent" };
    json_value patterns = json_get(body, STR("permissions"));
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        str text = json_text(json_get(body, str_from_c(texts[i])));
        if (text.size > 0)
            json_member_text(&writer, str_from_c(texts[i]), text);
    }
    if (json_kind(patterns) == JSON_ARRAY) {
        struct buffer text;
        buffer_init(&text, SETTINGS_BYTES_MAX / 2);
        json_write_value(&text, patterns);
        if (buffer_status(&text) == ERR_OK)
            json_member_raw(&writer, STR("permissions"), buffer_str(&text));
        else
            json_member_raw(&writer, STR("permissions"), STR("[]")); /* may do nothing */
        buffer_deinit(&text);
    }
    json_end_object(&writer);
}

err access_put_token(struct access *access, json_value body, int64_t now_ms,
                     struct ledger_writes *writes, struct problem *problem)
{
    uint8_t hash[SEAL_HASH_BYTES];
    err error = token_hash(body, hash, problem);
    if (error != ERR_OK)
        return error;
    int64_t user_number = json_int(json_get(body, STR("user_number")), 0);
    if (!has_user_number(access, user_number))
        return problem_set(problem, ERR_UNPROCESSABLE, "there is no user %lld",
                           (long long)user_number);
    struct buffer settings;
    buffer_init(&settings, SETTINGS_BYTES_MAX);
    write_token_settings(&settings, body);
    error = buffer_status(&settings);
    if (error == ERR_OK)
        LEDGER_PUT(writes, LEDGER_TOKENS, ledger_blob(str_from_bytes(hash, sizeof hash)),
                   ledger_int(user_number), ledger_text(json_text(json_get(body, STR("kind")))),
                   ledger_text(json_text(json_get(body, STR("name")))), ledger_int(now_ms),
                   ledger_int(json_int(json_get(body, STR("expires_ms")), 0)),
                   ledger_text(buffer_str(&settings)));
    buffer_deinit(&settings);
    return error;
}

err access_delete_token(json_value body, struct ledger_writes *writes, struct problem *problem)
{
    uint8_t hash[SEAL_HASH_BYTES];
    err error = token_hash(body, hash, problem);
    if (error != ERR_OK)
        return error;
    struct ledger_value key = ledger_blob(str_from_bytes(hash, sizeof hash));
    ledger_delete(writes, LEDGER_TOKENS, &key);
    return ERR_OK;
}

/* ---- start and end ---- */

struct load_context {
    struct access *access;
    err error;
};

static bool load_user(void *context, const struct ledger_value *values)
{
    struct load_context *load = context;
    load->error = add_user(load->access, values);
    return load->error == ERR_OK;
}

static bool load_role(void *context, const struct ledger_value *values)
{
    struct load_context *load = context;
    load->error = add_role(load->access, values);
    return load->error == ERR_OK;
}

err access_load_people(struct access *access, struct ledger *ledger, struct problem *problem)
{
    struct load_context load = { .access = access };
    err error = json_parser_new(&access->parser, SETTINGS_BYTES_MAX);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_USERS, NULL, load_user, &load, problem);
    if (error == ERR_OK && load.error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_ROLES, NULL, load_role, &load, problem);
    return error != ERR_OK ? error : load.error;
}

void access_deinit_people(struct access *access)
{
    for (size_t index = 0; index < access->user_count; index++)
        row_disown(access->users[index].row, USER_COLUMNS);
    for (size_t index = 0; index < access->role_count; index++)
        row_disown(access->roles[index].row, ROLE_COLUMNS);
    memory_free(access->users);
    memory_free(access->roles);
    json_parser_free(&access->parser);
}
