/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions: their texts, and sets of them. */
#include "access/permission.h"

#include "base/arena.h"

_Static_assert(PERMISSION_COUNT <= PERMISSION_WORDS * 64, "a set has a bit for each permission");

struct right {
    const char *text, *kind, *action;
};

static const struct right rights[PERMISSION_COUNT] = {
#define X(name, kind, action) { kind "." action, kind, action },
    PERMISSION_TABLE(X)
#undef X
};

#define X(name, kind, action) \
    _Static_assert(sizeof(kind "." action) <= PERMISSION_TEXT_BYTES, "PERMISSION_TEXT_BYTES");
PERMISSION_TABLE(X)
#undef X

static bool has_bit(const struct permissions *set, unsigned number)
{
    return (set->words[number / 64] >> (number % 64) & 1) != 0;
}

bool permissions_hold(const struct permissions *set, enum permission permission)
{
    if (permission < PERMISSION_COUNT)
        return has_bit(set, permission);
    return permission == PERMISSION_PUBLIC || permission == PERMISSION_SIGNED_IN;
}

void permissions_add(struct permissions *set, enum permission permission)
{
    INVARIANT(permission < PERMISSION_COUNT);
    set->words[permission / 64] |= UINT64_C(1) << (permission % 64);
}

void permissions_add_all(struct permissions *set, const struct permissions *added)
{
    for (int word = 0; word < PERMISSION_WORDS; word++)
        set->words[word] |= added->words[word];
}

struct permissions permissions_both(const struct permissions *one, const struct permissions *other)
{
    struct permissions both;
    for (int word = 0; word < PERMISSION_WORDS; word++)
        both.words[word] = one->words[word] & other->words[word];
    return both;
}

bool permissions_within(const struct permissions *inner, const struct permissions *outer,
                        enum permission *missing)
{
    for (unsigned number = 0; number < PERMISSION_COUNT; number++) {
        if (!has_bit(inner, number) || has_bit(outer, number))
            continue;
        if (missing != NULL)
            *missing = (enum permission)number;
        return false;
    }
    return true;
}

size_t permissions_count(const struct permissions *set)
{
    size_t count = 0;
    for (int word = 0; word < PERMISSION_WORDS; word++)
        count += (size_t)__builtin_popcountll(set->words[word]);
    return count;
}

const char *permission_text(enum permission permission)
{
    if (permission < PERMISSION_COUNT)
        return rights[permission].text;
    return permission == PERMISSION_PUBLIC      ? "public"
           : permission == PERMISSION_SIGNED_IN ? "signed_in"
                                                : "system";
}

str permission_kind(enum permission permission)
{
    INVARIANT(permission < PERMISSION_COUNT);
    return str_from_c(rights[permission].kind);
}

str permission_action(enum permission permission)
{
    INVARIANT(permission < PERMISSION_COUNT);
    return str_from_c(rights[permission].action);
}

static bool fits(str pattern, const char *text)
{
    return str_equal(pattern, STR("*")) || str_equal(pattern, str_from_c(text));
}

bool permissions_add_pattern(struct permissions *set, str pattern)
{
    size_t dot = str_find_byte(pattern, '.');
    str kind = str_slice(pattern, 0, dot);
    str action = dot < pattern.size ? str_slice(pattern, dot + 1, pattern.size) : STR_NONE;
    bool any = false;
    if (str_equal(pattern, STR("*")))
        action = STR("*");
    for (unsigned number = 0; number < PERMISSION_COUNT; number++) {
        if (!fits(kind, rights[number].kind) || !fits(action, rights[number].action))
            continue;
        permissions_add(set, (enum permission)number);
        any = true;
    }
    return any;
}
