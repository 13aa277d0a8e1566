/* SPDX-License-Identifier: Apache-2.0 */
/* object_gone: a kind of objects is described no more. Its number stays (what is stored of it has it), and it is as a kind of which
 * nothing was ever said. Refused while there are objects of it, other kinds lead to it, or rules speak of it. Engine thread. */
#include <stdio.h>

#include "audience/state.h"

#define USERS_BYTES 240
#define COUNTED_MAX 1000u

struct users {
    char text[USERS_BYTES];
    size_t size;
};

/* What does not fit is not named: there are enough to begin with. */
static void note_user(struct users *users, const char *what, str name)
{
    int written = snprintf(users->text + users->size, USERS_BYTES - users->size, "%s%s '%.*s'",
                           users->size > 0 ? ", " : "", what, (int)str_utf8_prefix_bytes(name, 60),
                           name.data);
    if (written > 0 && (size_t)written < USERS_BYTES - users->size)
        users->size += (size_t)written;
    else
        users->text[users->size] = '\0';
}

/* Says a rule, or what holds a rule, {"object": kind} or {"on": kind}? */
static bool speaks_of(json_value json, str kind)
{
    struct json_iterator iterator = json_iterate(json);
    str name;
    json_value value;
    while (json_next(&iterator, &name, &value)) {
        bool names_kind = json_kind(json) == JSON_OBJECT &&
                          (str_equal(name, STR("object")) || str_equal(name, STR("on")));
        if (names_kind && str_equal(json_text(value), kind))
            return true;
        bool is_deeper = json_kind(value) == JSON_OBJECT || json_kind(value) == JSON_ARRAY;
        if (is_deeper && speaks_of(value, kind))
            return true;
    }
    return false;
}

bool audience_rule_speaks_of(json_value json, str kind)
{
    return speaks_of(json, kind);
}

static err note_definitions(struct audience *audience, str kind, struct users *users)
{
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < audience->definition_count; i++) {
        const struct definition *one = audience->definitions[i];
        json_value body;
        if (one == NULL || one->deleted || one->text_size == 0 ||
            (one->kind != AUDIENCE_TAG && one->kind != AUDIENCE_SEGMENT))
            continue;
        error = json_parse(audience->objects.parser, str_from_bytes(one->text, one->text_size),
                           &body, NULL);
        if (error == ERR_OK && speaks_of(body, kind))
            note_user(users, one->kind == AUDIENCE_TAG ? "tag" : "segment", one->key);
    }
    return error;
}

static void note_kinds(const struct audience *audience, const struct object_kind *kind,
                       struct users *users)
{
    for (uint32_t i = 1; i <= audience->objects.kind_count; i++) {
        const struct object_kind *other = audience->objects.kinds[i];
        for (uint32_t j = 0; other != kind && j < other->property_count; j++)
            if (str_equal(other->properties[j].object, kind->ids->key)) {
                note_user(users, "kind", other->ids->key);
                break;
            }
    }
}

/* As the profile has them: what is not published yet counts, too. */
static uint32_t count_objects(const struct audience *audience, const struct object_kind *kind)
{
    uint32_t count = 0, last = object_count(audience, kind->number);
    str props;
    for (uint32_t number = 1; number <= last && count <= COUNTED_MAX; number++)
        count += profile_object(audience->config.profile, kind->ids->key,
                                object_id(audience, kind->number, number), &props);
    return count;
}

err audience_object_kind_check(struct audience *audience, str name, struct problem *problem)
{
    const struct object_kind *kind = objects_kind(audience, name);
    struct users users = { .size = 0 };
    if (kind == NULL)
        return ERR_OK;
    uint32_t count = count_objects(audience, kind);
    if (count > 0) {
        problem_set(problem, ERR_CONFLICT, "there are %s%u objects of it",
                    count > COUNTED_MAX ? "more than " : "",
                    count > COUNTED_MAX ? COUNTED_MAX : count);
        return problem_hint(problem, ERR_CONFLICT, "delete those first");
    }
    note_kinds(audience, kind, &users);
    err error = note_definitions(audience, name, &users);
    if (error != ERR_OK || users.size == 0)
        return error;
    problem_set(problem, ERR_CONFLICT, "it is used by %s", users.text);
    return problem_hint(problem, ERR_CONFLICT, "change or delete those first");
}

void audience_object_kind_forget(struct audience *audience, str name)
{
    struct object_kind *kind = objects_kind(audience, name);
    if (kind != NULL)
        object_kind_clear(kind);
}
