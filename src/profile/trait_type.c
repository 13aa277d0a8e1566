/* SPDX-License-Identifier: Apache-2.0 */
/* trait_type: what kind of value a trait has, and which of several facts speaks for the customer. */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "profile/state.h"

#define TRAIT_NAME_BYTES_MAX EVENT_NAME_BYTES_MAX
#define DESCRIPTION_BYTES_MAX 8192

static const char *const kind_texts[KIND_COUNT + 1] = {
    [KIND_TEXT] = "text",     [KIND_INT] = "int",         [KIND_DECIMAL] = "decimal",
    [KIND_BOOL] = "bool",     [KIND_TIME] = "time",       [KIND_LIST] = "list",
    [KIND_OBJECT] = "object", [KIND_UNKNOWN] = "unknown",
};
static const char *const precedence_texts[PRECEDENCE_COUNT] = {
    [NEWEST] = "newest", [OLDEST] = "oldest", [SOURCE_RANK] = "source_rank",
    [SUM] = "sum",       [UNION] = "union",   [MAX] = "max",
    [MIN] = "min",
};

bool trait_type_wants_extremes(const struct trait_type *type)
{
    return type != NULL && (type->precedence == MAX || type->precedence == MIN);
}

struct trait_type *trait_type_find(const struct profile *profile, str name)
{
    return trait_type_at(profile, names_find(&profile->trait_names, name));
}

static struct trait_type *add(struct profile *profile, str name)
{
    uint32_t number = profile->trait_names.count;
    if (number >= profile->trait_type_capacity) {
        uint32_t capacity = number < 64 ? 128 : number * 2;
        struct trait_type **types =
            memory_resize(profile->trait_types, capacity * sizeof(struct trait_type *));
        if (types == NULL)
            return NULL;
        profile->trait_types = types;
        profile->trait_type_capacity = capacity;
        types[0] = NULL;
    }
    struct trait_type *type = memory_alloc(sizeof(*type));
    if (type == NULL)
        return NULL;
    if (names_intern(&profile->trait_names, name, TRAIT_TYPES_MAX) != number) {
        memory_free(type);
        return NULL;
    }
    *type = (struct trait_type){ .number = number,
                                 .name = profile->trait_names.texts[number],
                                 .kind = KIND_UNKNOWN,
                                 .imports = &profile->imports };
    profile->trait_types[number] = type;
    return type;
}

static void write_settings(const struct trait_type *type, struct json_writer *writer)
{
    json_member_text(writer, STR("precedence"), str_from_c(precedence_texts[type->precedence]));
    json_member_bool(writer, STR("fixed"), type->fixed);
    json_member_bool(writer, STR("personal"), type->personal);
    if (type->description.size > 0)
        json_member_raw(writer, STR("description"), type->description);
    json_put_key(writer, STR("sources"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < type->rank_count; i++)
        json_put_uint(writer, type->ranks[i]);
    json_end_array(writer);
}

static void put(const struct trait_type *type, struct ledger_writes *writes)
{
    if (writes == NULL)
        return;
    struct buffer settings;
    struct json_writer writer;
    buffer_init(&settings, 65536);
    json_writer_init(&writer, &settings);
    json_begin_object(&writer);
    write_settings(type, &writer);
    json_end_object(&writer);
    LEDGER_PUT(writes, LEDGER_TRAIT_TYPES, ledger_int(type->number), ledger_text(type->name),
               ledger_text(str_from_c(kind_texts[type->kind])), ledger_text(buffer_str(&settings)));
    buffer_deinit(&settings);
}

struct trait_type *trait_type_learn(struct profile *profile, str name, struct ledger_writes *writes)
{
    struct trait_type *type = trait_type_find(profile, name);
    if (type != NULL || name.size == 0 || name.size > TRAIT_NAME_BYTES_MAX)
        return type;
    type = add(profile, name);
    if (type != NULL)
        put(type, writes);
    return type;
}

/* "2026-06-18…": a date at least. */
static bool looks_like_time(str json)
{
    int64_t unused;
    if (json.size < 12 || json.data[0] != '"' || json.data[5] != '-' || json.data[8] != '-')
        return false;
    return time_parse(str_slice(json, 1, json.size - 1), 0, &unused);
}

static enum trait_kind kind_of(const struct fact *fact)
{
    switch ((enum fact_kind)fact->kind) {
    case FACT_FALSE:
    case FACT_TRUE:
        return KIND_BOOL;
    case FACT_INT:
        return KIND_INT;
    case FACT_MICRO:
        return KIND_DECIMAL;
    case FACT_JSON:
        if (fact->json.data[0] == '"')
            return looks_like_time(fact->json) ? KIND_TIME : KIND_TEXT;
        if (fact->json.data[0] == '[')
            return KIND_LIST;
        if (fact->json.data[0] != '{')
            return KIND_DECIMAL;
        return str_starts_with(fact->json, STR("{\"$sealed\"")) ? KIND_TEXT : KIND_OBJECT;
    case FACT_NONE:
    case FACT_KIND_END:
        break;
    }
    return KIND_UNKNOWN;
}

/* The narrowest kind that holds both: int within decimal, everything else mixed is text. */
static enum trait_kind join_kinds(enum trait_kind a, enum trait_kind b)
{
    if (a == b || b == KIND_UNKNOWN)
        return a;
    if (a == KIND_UNKNOWN)
        return b;
    bool numbers = (a == KIND_INT || a == KIND_DECIMAL) && (b == KIND_INT || b == KIND_DECIMAL);
    return numbers ? KIND_DECIMAL : KIND_TEXT;
}

void trait_type_note(struct trait_type *type, const struct fact *fact, struct ledger_writes *writes)
{
    enum trait_kind said = fact->operation == FACT_APPEND ? KIND_LIST : kind_of(fact);
    enum trait_kind kind = join_kinds((enum trait_kind)type->kind, said);
    if (type->fixed || kind == type->kind)
        return;
    type->kind = (uint8_t)kind;
    put(type, writes);
}

/* ---- settings ---- */

static int find_text(const char *const *texts, int count, str text)
{
    for (int i = 0; i < count; i++) {
        if (str_equal(text, str_from_c(texts[i])))
            return i;
    }
    return -1;
}

static err settle_kind(struct trait_type *type, json_value body, struct problem *problem)
{
    json_value value = json_get(body, STR("type"));
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    int kind = find_text(kind_texts, KIND_COUNT, json_text(value));
    if (kind < 0) {
        problem_set(problem, ERR_UNPROCESSABLE,
                    "a trait's type is text, int, decimal, bool, time, list or object");
        return problem_at(problem, ERR_UNPROCESSABLE, "/type");
    }
    type->kind = (uint8_t)kind;
    type->fixed = true;
    return ERR_OK;
}

static err settle_precedence(struct trait_type *type, json_value body, struct problem *problem)
{
    json_value value = json_get(body, STR("precedence"));
    if (json_kind(value) != JSON_MISSING) {
        int precedence = find_text(precedence_texts, PRECEDENCE_COUNT, json_text(value));
        if (precedence < 0) {
            problem_set(problem, ERR_UNPROCESSABLE,
                        "precedence is newest, oldest, source_rank, sum, union, max or min");
            return problem_at(problem, ERR_UNPROCESSABLE, "/precedence");
        }
        type->precedence = (uint8_t)precedence;
    }
    json_value sources = json_get(body, STR("sources"));
    if (json_kind(sources) == JSON_MISSING)
        return ERR_OK;
    if (json_kind(sources) != JSON_ARRAY || json_count(sources) > SOURCE_RANKS_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "sources is a list of at most %d source numbers",
                    SOURCE_RANKS_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/sources");
    }
    struct json_iterator iterator = json_iterate(sources);
    type->rank_count = 0;
    while (json_next(&iterator, NULL, &value)) {
        int64_t source = json_int(value, -1);
        if (source < 0 || source > UINT32_MAX) {
            problem_set(problem, ERR_UNPROCESSABLE, "a source is named by its number");
            return problem_at(problem, ERR_UNPROCESSABLE, "/sources/%u", type->rank_count);
        }
        type->ranks[type->rank_count++] = (uint32_t)source;
    }
    return ERR_OK;
}

static err settle_bools(struct trait_type *type, json_value body, struct problem *problem)
{
    json_value personal = json_get(body, STR("personal"));
    if (json_kind(personal) != JSON_MISSING && json_kind(personal) != JSON_BOOL) {
        problem_set(problem, ERR_UNPROCESSABLE, "personal is true or false");
        return problem_at(problem, ERR_UNPROCESSABLE, "/personal");
    }
    type->personal = json_bool(personal, type->personal);
    return ERR_OK;
}

static err settle_description(struct trait_type *type, json_value body, struct problem *problem)
{
    json_value description = json_get(body, STR("description"));
    if (json_kind(description) == JSON_MISSING)
        return ERR_OK;
    struct buffer text;
    buffer_init(&text, DESCRIPTION_BYTES_MAX);
    json_write_value(&text, description);
    err error = buffer_status(&text);
    if (error == ERR_OK) {
        size_t size;
        char *bytes = buffer_take(&text, &size);
        memory_free((void *)(uintptr_t)type->description.data);
        type->description = str_from_bytes(bytes, size);
    } else {
        problem_set(problem, error, "the description is longer than %d bytes",
                    DESCRIPTION_BYTES_MAX);
        problem_at(problem, error, "/description");
    }
    buffer_deinit(&text);
    return error;
}

static err settle(struct trait_type *type, json_value body, struct problem *problem)
{
    struct trait_type next = *type;
    err error = settle_kind(&next, body, problem);
    if (error == ERR_OK)
        error = settle_precedence(&next, body, problem);
    if (error == ERR_OK)
        error = settle_bools(&next, body, problem);
    if (error == ERR_OK)
        error = settle_description(&next, body, problem);
    if (error == ERR_OK)
        *type = next;
    return error;
}

err profile_put_trait_type(struct profile *profile, str name, json_value body,
                           struct ledger_writes *writes, struct problem *problem)
{
    if (name.size == 0 || name.size > TRAIT_NAME_BYTES_MAX || !json_is_object(body))
        return problem_set(problem, ERR_UNPROCESSABLE,
                           "a trait type has a name of 1 to %d bytes and an object of settings",
                           TRAIT_NAME_BYTES_MAX);
    struct trait_type trial = { .name = name };
    err error = settle(&trial, body, problem);
    memory_free((void *)(uintptr_t)trial.description.data);
    if (error != ERR_OK)
        return error;
    struct trait_type *type = trait_type_learn(profile, name, NULL);
    if (type == NULL)
        return problem_set(problem, ERR_UNPROCESSABLE, "there are %d trait types, the most",
                           TRAIT_TYPES_MAX);
    error = settle(type, body, problem);
    if (error == ERR_OK)
        put(type, writes);
    return error;
}

err trait_type_load(struct profile *profile, uint32_t number, str name, str kind, str settings,
                    struct problem *problem)
{
    struct trait_type *type = number == profile->trait_names.count ? add(profile, name) : NULL;
    if (type == NULL)
        return problem_set(problem, ERR_CORRUPT, "trait type %u cannot be loaded", number);
    json_value body;
    err error = json_parse(profile->parser, settings, &body, problem);
    if (error == ERR_OK)
        error = settle(type, body, problem);
    type->fixed = json_bool(json_get(body, STR("fixed")), false);
    int place = find_text(kind_texts, KIND_COUNT + 1, kind);
    type->kind = (uint8_t)(place < 0 ? KIND_UNKNOWN : place);
    return error;
}

void trait_types_deinit(struct profile *profile)
{
    for (uint32_t i = 1; i < profile->trait_names.count; i++) {
        memory_free((void *)(uintptr_t)profile->trait_types[i]->description.data);
        memory_free(profile->trait_types[i]);
    }
    memory_free(profile->trait_types);
    names_deinit(&profile->trait_names);
}

void profile_write_trait_types(const struct profile *profile, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 1; i < profile->trait_names.count; i++) {
        const struct trait_type *type = profile->trait_types[i];
        json_begin_object(&writer);
        json_member_text(&writer, STR("name"), type->name);
        json_member_text(&writer, STR("type"), str_from_c(kind_texts[type->kind]));
        write_settings(type, &writer);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}
