/* SPDX-License-Identifier: Apache-2.0 */
/* Users and tokens: the snapshot that requests are judged by. */
#include "access/user.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define SET_BYTES_MAX (64 * 1024 * 1024)

struct access_set {
    _Atomic uint32_t references;
    struct arena arena;
    struct user *users;
    size_t user_count, user_capacity;
    struct token *tokens; /* sorted by hash */
    size_t token_count, token_capacity;
    bool nomem;
};

static const char *const role_texts[ROLE_COUNT] = {
#define X(name, text) text,
    ROLE_TABLE(X)
#undef X
};

const char *role_text(enum role role)
{
    INVARIANT(role < ROLE_COUNT);
    return role_texts[role];
}

bool role_from_text(str text, enum role *role)
{
    for (int i = ROLE_VIEWER; i < ROLE_COUNT; i++) {
        if (str_equal(text, str_from_c(role_texts[i]))) {
            *role = (enum role)i;
            return true;
        }
    }
    return false;
}

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
    /* A role that this version does not know may do nothing. */
    if (!role_from_text(values[4].bytes, &user.role))
        user.role = ROLE_PUBLIC;
    struct user *users =
        grow(&set->arena, set->users, set->user_count, &set->user_capacity, sizeof(*set->users));
    str *texts[] = { &user.login, &user.name, &user.password, &user.locale };
    if (users == NULL || !copy_texts(&set->arena, texts, 4)) {
        set->nomem = true;
        return false;
    }
    set->users = users;
    set->users[set->user_count++] = user;
    return true;
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
    struct token *tokens = grow(&set->arena, set->tokens, set->token_count, &set->token_capacity,
                                sizeof(*set->tokens));
    str *texts[] = { &token.name };
    if (tokens == NULL || !copy_texts(&set->arena, texts, 1)) {
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
    err error = ledger_scan(ledger, LEDGER_USERS, NULL, visit_user, set, problem);
    if (error == ERR_OK && !set->nomem)
        error = ledger_scan(ledger, LEDGER_TOKENS, NULL, visit_token, set, problem);
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
