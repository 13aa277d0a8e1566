/* SPDX-License-Identifier: Apache-2.0 */
/* Users and tokens: the snapshot that requests are judged by. */
#include "access/user.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define SET_BYTES_MAX (64 * 1024 * 1024)
#define SETTINGS_BYTES_MAX 65536 /* of one row */

struct access_set {
    _Atomic uint32_t references;
    struct arena arena;
    struct user *users;
    size_t user_count, user_capacity;
    struct token *tokens; /* sorted by hash */
    size_t token_count, token_capacity;
    struct role *roles; /* by key */
    size_t role_count, role_capacity;
    struct json_parser *parser; /* while it is loaded */
    bool nomem;
};

/* Room for one more of `size_bytes`; the old array stays in the arena (sets are small). */
static void *grow(struct arena *arena, void *array, size_t count, size_t *capacity,
                  size_t size_bytes)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *bigger = arena_alloc_array(arena, size_bytes, wanted);
    if (bigger == NULL)
        return NULL;
    if (count > 0)
        memcpy(bigger, array, count * size_bytes);
    *capacity = wanted;
    return bigger;
}

static bool copy_texts(struct arena *arena, str *texts[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (arena_dup(arena, *texts[i], texts[i]) != ERR_OK)
            return false;
    return true;
}

/* NULL values for what cannot be read: nothing is granted then. */
static json_value parse(struct access_set *set, str text)
{
    json_value value = { .document = NULL };
    if (json_parse(set->parser, text, &value, NULL) != ERR_OK)
        value = (json_value){ .document = NULL };
    return value;
}

static bool visit_role(void *context, const struct ledger_value *values)
{
    struct access_set *set = context;
    struct role role = {
        .key = values[0].bytes,
        .name = values[1].bytes,
        .patterns = values[2].bytes,
        .permissions = role_permissions(parse(set, values[2].bytes), NULL),
        .created_ms = values[3].integer,
        .changed_ms = values[4].integer,
    };
    struct role *roles =
        grow(&set->arena, set->roles, set->role_count, &set->role_capacity, sizeof(*set->roles));
    str *texts[] = { &role.key, &role.name, &role.patterns };
    if (roles == NULL || !copy_texts(&set->arena, texts, 3)) {
        set->nomem = true;
        return false;
    }
    set->roles = roles;
    set->roles[set->role_count++] = role;
    return true;
}

static bool copy_settings(struct arena *arena, struct user_settings *settings)
{
    str *texts[] = { &settings->team, &settings->totp, &settings->subject, &settings->adviser };
    bool copied = copy_texts(arena, texts, sizeof texts / sizeof texts[0]);
    for (size_t i = 0; i < settings->role_count; i++)
        copied = copied && arena_dup(arena, settings->roles[i], &settings->roles[i]) == ERR_OK;
    for (size_t i = 0; i < settings->recovery_count; i++)
        copied =
            copied && arena_dup(arena, settings->recovery[i], &settings->recovery[i]) == ERR_OK;
    return copied;
}

static bool visit_user(void *context, const struct ledger_value *values)
{
    struct access_set *set = context;
    struct user user = {
        .number = (uint32_t)values[0].integer,
        .login = values[1].bytes,
        .name = values[2].bytes,
        .password = values[3].bytes,
        .locale = values[5].bytes,
        .created_ms = values[7].integer,
        .disabled = values[8].integer != 0,
    };
    user_settings_read(parse(set, values[6].bytes), &user.settings);
    if (user.settings.role_count == 0)
        user.settings.roles[user.settings.role_count++] = role_present_key(values[4].bytes);
    struct user *users =
        grow(&set->arena, set->users, set->user_count, &set->user_capacity, sizeof(*set->users));
    str *texts[] = { &user.login, &user.name, &user.password, &user.locale };
    if (users == NULL || !copy_texts(&set->arena, texts, 4) ||
        !copy_settings(&set->arena, &user.settings)) {
        set->nomem = true;
        return false;
    }
    for (size_t i = 0; i < user.settings.role_count; i++) {
        struct permissions held;
        if (access_role_permissions(set, user.settings.roles[i], &held))
            permissions_add_all(&user.permissions, &held);
    }
    user.team = user.settings.team;
    set->users = users;
    set->users[set->user_count++] = user;
    return true;
}

static void read_token_settings(struct access_set *set, str text, struct token *token)
{
    json_value settings = parse(set, text);
    json_value patterns = json_get(settings, STR("permissions"));
    token->address = json_text(json_get(settings, STR("address")));
    token->agent = json_text(json_get(settings, STR("agent")));
    token->is_narrowed = json_kind(patterns) == JSON_ARRAY;
    if (!token->is_narrowed)
        return;
    token->permissions = role_permissions(patterns, NULL);
    struct buffer written;
    buffer_init(&written, 8192);
    json_write_value(&written, patterns);
    if (buffer_status(&written) != ERR_OK ||
        arena_dup(&set->arena, buffer_str(&written), &token->patterns) != ERR_OK)
        set->nomem = true;
    buffer_deinit(&written);
}

static bool visit_token(void *context, const struct ledger_value *values)
{
    struct access_set *set = context;
    if (values[0].bytes.size != SEAL_HASH_BYTES)
        return true;
    struct token token = {
        .user_number = (uint32_t)values[1].integer,
        .kind = str_equal(values[2].bytes, STR("session")) ? TOKEN_SESSION : TOKEN_API,
        .name = values[3].bytes,
        .created_ms = values[4].integer,
        .expires_ms = values[5].integer,
    };
    memcpy(token.hash, values[0].bytes.data, SEAL_HASH_BYTES);
    read_token_settings(set, values[6].bytes, &token);
    struct token *tokens = grow(&set->arena, set->tokens, set->token_count, &set->token_capacity,
                                sizeof(*set->tokens));
    str *texts[] = { &token.name, &token.address, &token.agent };
    if (tokens == NULL || set->nomem || !copy_texts(&set->arena, texts, 3)) {
        set->nomem = true;
        return false;
    }
    set->tokens = tokens;
    set->tokens[set->token_count++] = token;
    return true;
}

static int compare_tokens(const void *a, const void *b)
{
    return memcmp(((const struct token *)a)->hash, ((const struct token *)b)->hash,
                  SEAL_HASH_BYTES);
}

err access_set_load(struct access_set **out, struct ledger *ledger, struct problem *problem)
{
    struct access_set *set = memory_alloc(sizeof(*set));
    if (set == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the users");
    atomic_init(&set->references, 1);
    arena_init(&set->arena, "access", SET_BYTES_MAX);
    err error = json_parser_new(&set->parser, SETTINGS_BYTES_MAX);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_ROLES, NULL, visit_role, set, problem);
    if (error == ERR_OK && !set->nomem)
        error = ledger_scan(ledger, LEDGER_USERS, NULL, visit_user, set, problem);
    if (error == ERR_OK && !set->nomem)
        error = ledger_scan(ledger, LEDGER_TOKENS, NULL, visit_token, set, problem);
    json_parser_free(&set->parser);
    if (error == ERR_OK && set->nomem)
        error = problem_set(problem, ERR_NOMEM, "no memory for the users and tokens");
    if (error != ERR_OK) {
        access_set_release(&set);
        return error;
    }
    if (set->token_count > 1)
        qsort(set->tokens, set->token_count, sizeof(*set->tokens), compare_tokens);
    *out = set;
    return ERR_OK;
}

struct access_set *access_set_hold(struct access_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void access_set_release(struct access_set **set_pointer)
{
    struct access_set *set = *set_pointer;
    *set_pointer = NULL;
    if (set == NULL || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) > 1)
        return;
    arena_deinit(&set->arena);
    memory_free(set);
}

size_t access_user_count(const struct access_set *set)
{
    return set->user_count;
}

const struct user *access_user_at(const struct access_set *set, size_t index)
{
    INVARIANT(index < set->user_count);
    return &set->users[index];
}

const struct user *access_user_by_login(const struct access_set *set, str login)
{
    for (size_t i = 0; i < set->user_count; i++)
        if (str_equal(set->users[i].login, login))
            return &set->users[i];
    return NULL;
}

const struct user *access_user_by_number(const struct access_set *set, uint32_t number)
{
    for (size_t i = 0; i < set->user_count; i++)
        if (set->users[i].number == number)
            return &set->users[i];
    return NULL;
}

size_t access_role_count(const struct access_set *set)
{
    return set->role_count;
}

const struct role *access_role_at(const struct access_set *set, size_t index)
{
    INVARIANT(index < set->role_count);
    return &set->roles[index];
}

const struct role *access_role_by_key(const struct access_set *set, str key)
{
    for (size_t i = 0; i < set->role_count; i++)
        if (str_equal(set->roles[i].key, key))
            return &set->roles[i];
    return NULL;
}

bool access_role_permissions(const struct access_set *set, str key, struct permissions *out)
{
    const struct ready_role *ready = role_ready(key);
    const struct role *own = access_role_by_key(set, key);
    if (ready != NULL)
        *out = ready->permissions;
    else if (own != NULL)
        *out = own->permissions;
    return ready != NULL || own != NULL;
}

size_t access_token_count(const struct access_set *set)
{
    return set->token_count;
}

const struct token *access_token_at(const struct access_set *set, size_t index)
{
    INVARIANT(index < set->token_count);
    return &set->tokens[index];
}

const struct token *access_token_by_hash(const struct access_set *set,
                                         const uint8_t hash[SEAL_HASH_BYTES])
{
    struct token key = { .user_number = 0 };
    memcpy(key.hash, hash, SEAL_HASH_BYTES);
    if (set->token_count == 0)
        return NULL;
    return bsearch(&key, set->tokens, set->token_count, sizeof(*set->tokens), compare_tokens);
}
