/* SPDX-License-Identifier: Apache-2.0 */
/* type: identifier types with their rules, the values they block, and kinds (a type in a namespace). */
#include <stdatomic.h>
#include <string.h>

#include "identity/state.h"

#define LIMIT_MAX 100000
#define WINDOW_DAYS_MAX 3650
#define SHARED_AFTER_MAX 1000000
#define BLOCKED_MAX 10000
#define BLOCKED_BYTES_MAX 255
#define PATTERNS_MAX 100
#define PATTERN_BYTES_MAX 1000
/* A pattern that has to try more than this says no: it cannot hold up the engine. */
#define PATTERN_TRIES_MAX 20000
/* What an unknown type starts with. */
#define CUSTOM_LIMIT 50
#define TYPE_SLOTS (TYPES_MAX * 2)

struct builtin_type {
    const char *name;
    bool strong, verification;
    uint32_t limit, window_days;
    enum identifier_over_limit over_limit;
    uint32_t shared_after;
};

static const struct builtin_type builtin_types[] = {
#define X(NAME, name, strong, verification, limit, window, over, shared, personal) \
    { name, strong, verification, limit, window, OVER_LIMIT_##over, shared },
    IDENTIFIER_TABLE(X)
#undef X
};
_Static_assert(IDENTIFIER_BUILTIN_COUNT < CUSTOM_TYPE_FIRST, "numbers of builtin types");

/* ---- the table ---- */

static struct identifier_type **name_slot(const struct identity *identity, str name)
{
    size_t at = hash_bytes64(name.data, name.size, 0) % TYPE_SLOTS;
    while (identity->type_slots[at] != NULL && !str_equal(identity->type_slots[at]->name, name))
        at = (at + 1) % TYPE_SLOTS;
    return (struct identifier_type **)(uintptr_t)&identity->type_slots[at];
}

static struct identifier_type *type_add(struct identity *identity, uint32_t number, str name)
{
    uint32_t place = atomic_load_explicit(&identity->type_count, memory_order_relaxed);
    if (place == TYPES_MAX)
        return NULL;
    struct identifier_type *type = memory_alloc(sizeof(*type) + name.size + 1);
    if (type == NULL)
        return NULL;
    char *copy = (char *)(type + 1);
    memcpy(copy, name.data, name.size);
    *type = (struct identifier_type){
        .number = number,
        .name = str_from_bytes(copy, name.size),
        .drop_oldest = true,
        .limit = CUSTOM_LIMIT,
    };
    type->family = families_of_type(name);
    struct identifier_type **slot = name_slot(identity, name);
    if (*slot == NULL)
        *slot = type;
    identity->types[place] = type;
    /* Readers of names on other threads see the type whole. */
    atomic_store_explicit(&identity->type_count, place + 1, memory_order_release);
    return type;
}

err types_init(struct identity *identity)
{
    for (uint32_t i = 0; i < IDENTIFIER_BUILTIN_COUNT; i++) {
        const struct builtin_type *builtin = &builtin_types[i];
        struct identifier_type *type = type_add(identity, i + 1, str_from_c(builtin->name));
        if (type == NULL)
            return ERR_NOMEM;
        type->builtin = true;
        type->strong = builtin->strong;
        type->verification = builtin->verification;
        type->limit = builtin->limit;
        type->window_days = builtin->window_days;
        type->drop_oldest = builtin->over_limit == OVER_LIMIT_DROP_OLDEST;
        type->shared_after = builtin->shared_after;
    }
    return ERR_OK;
}

static void free_rules(struct identifier_type *type)
{
    for (uint32_t i = 0; i < type->pattern_count; i++)
        pcre2_code_free(type->patterns[i]);
    memory_free(type->patterns);
    memory_free(type->pattern_texts);
    memory_free(type->blocked);
    type->patterns = NULL;
    type->pattern_texts = type->blocked = NULL;
    type->pattern_count = type->blocked_count = 0;
}

static void free_label(struct identifier_type *type)
{
    memory_free((void *)(uintptr_t)type->label.data);
    type->label = STR_NONE;
}

void type_free_rules(struct identifier_type *type)
{
    free_rules(type);
    free_label(type);
}

void types_deinit(struct identity *identity)
{
    for (uint32_t i = 0; i < identity->type_count; i++) {
        type_free_rules(identity->types[i]);
        memory_free(identity->types[i]);
    }
    for (uint32_t i = 1; i < identity->kind_count; i++)
        memory_free((void *)(uintptr_t)identity->kinds[i].namespace_.data);
    memory_free(identity->kinds);
    memory_free(identity->kind_slots);
    pcre2_match_data_free(identity->match_data);
    pcre2_match_context_free(identity->match_context);
}

struct identifier_type *type_find(const struct identity *identity, str name)
{
    return *name_slot(identity, name);
}

struct identifier_type *type_by_number(const struct identity *identity, uint32_t number)
{
    uint32_t place = number - 1;
    if (number >= CUSTOM_TYPE_FIRST)
        place = IDENTIFIER_BUILTIN_COUNT + (number - CUSTOM_TYPE_FIRST);
    else if (place >= IDENTIFIER_BUILTIN_COUNT)
        return NULL;
    uint32_t count = atomic_load_explicit((_Atomic uint32_t *)(uintptr_t)&identity->type_count,
                                          memory_order_acquire);
    return place < count ? identity->types[place] : NULL;
}

struct identifier_type *type_learn(struct identity *identity, str name,
                                   struct ledger_writes *writes)
{
    struct identifier_type *type = type_find(identity, name);
    if (type != NULL || name.size == 0 || name.size > EVENT_NAME_BYTES_MAX)
        return type;
    uint32_t number = identity->type_count - IDENTIFIER_BUILTIN_COUNT + CUSTOM_TYPE_FIRST;
    type = type_add(identity, number, name);
    if (type != NULL)
        type_put(type, writes);
    return type;
}

/* ---- settings ---- */

/* A JSON list of texts in one piece of memory: the array, then the texts. */
static err copy_texts(json_value list, size_t count_max, size_t bytes_max, str **out,
                      uint32_t *count, const char *name, struct problem *problem)
{
    size_t bytes = 0, texts = 0;
    struct json_iterator iterator = json_iterate(list);
    json_value value;
    while (json_next(&iterator, NULL, &value)) {
        str text = json_text(value);
        if (text.size == 0 || text.size > bytes_max) {
            problem_set(problem, ERR_UNPROCESSABLE, "%s: entry %zu is not a text of 1 to %zu bytes",
                        name, texts, bytes_max);
            return problem_at(problem, ERR_UNPROCESSABLE, "/%s/%zu", name, texts);
        }
        bytes += text.size;
        texts++;
    }
    if (json_kind(list) != JSON_ARRAY || texts > count_max) {
        problem_set(problem, ERR_UNPROCESSABLE, "%s is a list of at most %zu texts", name,
                    count_max);
        return problem_at(problem, ERR_UNPROCESSABLE, "/%s", name);
    }
    str *copies = memory_alloc(texts * sizeof(str) + bytes + 1);
    if (copies == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for %zu texts of %s", texts, name);
    char *next = (char *)(copies + texts);
    iterator = json_iterate(list);
    for (size_t i = 0; json_next(&iterator, NULL, &value); i++) {
        str text = json_text(value);
        memcpy(next, text.data, text.size);
        copies[i] = str_from_bytes(next, text.size);
        next += text.size;
    }
    *out = copies;
    *count = (uint32_t)texts;
    return ERR_OK;
}

static err compile_patterns(struct identifier_type *type, struct problem *problem)
{
    type->patterns = memory_alloc((type->pattern_count + 1) * sizeof(*type->patterns));
    uint32_t count = type->pattern_count;
    type->pattern_count = 0;
    if (type->patterns == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for %u patterns", count);
    for (uint32_t i = 0; i < count; i++) {
        int code;
        size_t offset;
        str text = type->pattern_texts[i];
        type->patterns[i] =
            pcre2_compile((PCRE2_SPTR)text.data, text.size, PCRE2_UTF, &code, &offset, NULL);
        if (type->patterns[i] == NULL) {
            char why[120] = "";
            pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
            problem_set(problem, ERR_UNPROCESSABLE, "pattern '" STR_FMT "' at byte %zu: %s",
                        STR_ARG(text), offset, why);
            return problem_at(problem, ERR_UNPROCESSABLE, "/blocked_patterns/%u", i);
        }
        type->pattern_count++;
    }
    return ERR_OK;
}

static err settle_number(json_value body, str name, int64_t most, uint32_t *out,
                         struct problem *problem)
{
    json_value value = json_get(body, name);
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    int64_t number = json_int(value, -1);
    if (number < 0 || number > most) {
        problem_set(problem, ERR_UNPROCESSABLE, STR_FMT " is a number from 0 to %lld",
                    STR_ARG(name), (long long)most);
        return problem_at(problem, ERR_UNPROCESSABLE, "/" STR_FMT, STR_ARG(name));
    }
    *out = (uint32_t)number;
    return ERR_OK;
}

static err settle_choice(json_value body, str name, str yes, str no, bool *out,
                         struct problem *problem)
{
    json_value value = json_get(body, name);
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    if (str_equal(json_text(value), yes)) {
        *out = true;
    } else if (str_equal(json_text(value), no)) {
        *out = false;
    } else {
        problem_set(problem, ERR_UNPROCESSABLE, STR_FMT " is '" STR_FMT "' or '" STR_FMT "'",
                    STR_ARG(name), STR_ARG(yes), STR_ARG(no));
        return problem_at(problem, ERR_UNPROCESSABLE, "/" STR_FMT, STR_ARG(name));
    }
    return ERR_OK;
}

static err settle_bool(json_value body, str name, bool *out, struct problem *problem)
{
    json_value value = json_get(body, name);
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    if (json_kind(value) != JSON_BOOL) {
        problem_set(problem, ERR_UNPROCESSABLE, STR_FMT " is true or false", STR_ARG(name));
        return problem_at(problem, ERR_UNPROCESSABLE, "/" STR_FMT, STR_ARG(name));
    }
    *out = json_bool(value, false);
    return ERR_OK;
}

static err settle_scalars(struct identifier_type *type, json_value body, struct problem *problem)
{
    err error =
        settle_choice(body, STR("strength"), STR("strong"), STR("weak"), &type->strong, problem);
    if (error == ERR_OK)
        error = settle_bool(body, STR("strong"), &type->strong, problem);
    if (error == ERR_OK)
        error = settle_bool(body, STR("verification"), &type->verification, problem);
    if (error == ERR_OK)
        error = settle_number(body, STR("limit"), LIMIT_MAX, &type->limit, problem);
    if (error == ERR_OK)
        error =
            settle_number(body, STR("window_days"), WINDOW_DAYS_MAX, &type->window_days, problem);
    if (error == ERR_OK)
        error = settle_choice(body, STR("over_limit"), STR("drop_oldest"), STR("refuse"),
                              &type->drop_oldest, problem);
    if (error == ERR_OK)
        error = settle_number(body, STR("shared_after"), SHARED_AFTER_MAX, &type->shared_after,
                              problem);
    return error;
}

static err settle_lists(struct identifier_type *type, json_value body, struct problem *problem)
{
    err error = ERR_OK;
    json_value blocked = json_get(body, STR("blocked"));
    if (json_kind(blocked) != JSON_MISSING) {
        type->blocked = NULL;
        error = copy_texts(blocked, BLOCKED_MAX, BLOCKED_BYTES_MAX, &type->blocked,
                           &type->blocked_count, "blocked", problem);
    }
    json_value patterns = json_get(body, STR("blocked_patterns"));
    if (error == ERR_OK && json_kind(patterns) != JSON_MISSING) {
        type->pattern_texts = NULL;
        type->patterns = NULL;
        type->pattern_count = 0;
        error = copy_texts(patterns, PATTERNS_MAX, PATTERN_BYTES_MAX, &type->pattern_texts,
                           &type->pattern_count, "blocked_patterns", problem);
        if (error == ERR_OK)
            error = compile_patterns(type, problem);
    }
    return error;
}

static err settle_label(struct identifier_type *type, json_value body, struct problem *problem)
{
    json_value label = json_get(body, STR("label"));
    if (json_kind(label) == JSON_MISSING)
        return ERR_OK;
    struct buffer text;
    buffer_init(&text, 4096);
    json_write_value(&text, label);
    err error = buffer_status(&text);
    if (error == ERR_OK) {
        size_t size;
        char *bytes = buffer_take(&text, &size);
        free_label(type);
        type->label = str_from_bytes(bytes, size);
    } else {
        problem_set(problem, error, "the label of type '" STR_FMT "' is too long",
                    STR_ARG(type->name));
    }
    buffer_deinit(&text);
    return error;
}

/* All or nothing: the new rules are made beside the old ones. */
err type_settle(struct identity *identity, struct identifier_type *type, json_value body,
                struct problem *problem)
{
    struct identifier_type next = *type;
    err error = settle_scalars(&next, body, problem);
    if (error == ERR_OK)
        error = settle_lists(&next, body, problem);
    if (error == ERR_OK)
        error = settle_label(type, body, problem);
    if (error == ERR_OK && next.pattern_count > 0 && identity->match_data == NULL) {
        identity->match_context = pcre2_match_context_create(NULL);
        identity->match_data = pcre2_match_data_create(1, NULL);
        if (identity->match_context == NULL || identity->match_data == NULL)
            error = problem_set(problem, ERR_NOMEM, "no memory to match patterns");
        else
            pcre2_set_match_limit(identity->match_context, PATTERN_TRIES_MAX);
    }
    struct identifier_type old = *type;
    if (error != ERR_OK) {
        old = next;
        next = *type;
    }
    /* `old` keeps only what is not shared with `next`. */
    if (old.blocked == next.blocked)
        old.blocked = NULL;
    if (old.patterns == next.patterns) {
        old.patterns = NULL;
        old.pattern_count = 0;
    }
    if (old.pattern_texts == next.pattern_texts)
        old.pattern_texts = NULL;
    next.label = type->label;
    *type = next;
    free_rules(&old);
    return error;
}

static void write_texts(struct json_writer *writer, str key, const str *texts, uint32_t count)
{
    json_put_key(writer, key);
    json_begin_array(writer);
    for (uint32_t i = 0; i < count; i++)
        json_put_text(writer, texts[i]);
    json_end_array(writer);
}

static void write_rules(const struct identifier_type *type, struct json_writer *writer)
{
    json_member_bool(writer, STR("strong"), type->strong);
    json_member_bool(writer, STR("verification"), type->verification);
    json_member_int(writer, STR("limit"), type->limit);
    json_member_int(writer, STR("window_days"), type->window_days);
    json_member_text(writer, STR("over_limit"),
                     type->drop_oldest ? STR("drop_oldest") : STR("refuse"));
    json_member_int(writer, STR("shared_after"), type->shared_after);
    write_texts(writer, STR("blocked"), type->blocked, type->blocked_count);
    write_texts(writer, STR("blocked_patterns"), type->pattern_texts, type->pattern_count);
    if (type->label.size > 0)
        json_member_raw(writer, STR("label"), type->label);
}

void type_write_settings(const struct identifier_type *type, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    write_rules(type, &writer);
    json_end_object(&writer);
}

#define SETTINGS_BYTES_MAX ((size_t)8 << 20)

void type_put(const struct identifier_type *type, struct ledger_writes *writes)
{
    if (writes == NULL)
        return;
    struct buffer settings;
    buffer_init(&settings, SETTINGS_BYTES_MAX);
    type_write_settings(type, &settings);
    LEDGER_PUT(writes, LEDGER_IDENTIFIER_TYPES, ledger_int(type->number), ledger_text(type->name),
               ledger_text(buffer_str(&settings)));
    buffer_deinit(&settings);
}

err type_load(struct identity *identity, uint32_t number, str name, str settings,
              struct problem *problem)
{
    struct identifier_type *type = type_by_number(identity, number);
    if (type == NULL)
        type = type_add(identity, number, name);
    if (type == NULL || type_by_number(identity, number) != type)
        return problem_set(problem, type == NULL ? ERR_NOMEM : ERR_CORRUPT,
                           "identifier type %u '" STR_FMT "' cannot be loaded", number,
                           STR_ARG(name));
    json_value body;
    err error = json_parse(identity->parser, settings, &body, problem);
    return error == ERR_OK ? type_settle(identity, type, body, problem) : error;
}

void identity_write_types(const struct identity *identity, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 0; i < identity->type_count; i++) {
        const struct identifier_type *type = identity->types[i];
        json_begin_object(&writer);
        json_member_text(&writer, STR("name"), type->name);
        write_rules(type, &writer);
        json_member_int(&writer, STR("identifiers"), type->rows);
        json_member_bool(&writer, STR("builtin"), type->builtin);
        json_end_object(&writer);
    }
    json_end_array(&writer);
}

/* ---- blocked values ---- */

static bool text_is_blocked(const struct identity *identity, const struct identifier_type *type,
                            str value)
{
    for (uint32_t i = 0; i < type->blocked_count; i++) {
        if (str_equal(type->blocked[i], value))
            return true;
    }
    for (uint32_t i = 0; i < type->pattern_count; i++) {
        PCRE2_SPTR text = (PCRE2_SPTR)(value.data != NULL ? value.data : "");
        if (pcre2_match(type->patterns[i], text, value.size, 0, 0, identity->match_data,
                        identity->match_context) >= 0)
            return true;
    }
    return false;
}

bool type_blocks(struct identity *identity, const struct identifier_type *type, str value,
                 bool sealed)
{
    if (type->blocked_count == 0 && type->pattern_count == 0)
        return false;
    if (!sealed)
        return text_is_blocked(identity, type, value);
    str plain;
    bool blocked = identity->keys != NULL &&
                   keys_unseal(identity->keys, &identity->scratch, value, &plain, NULL) == ERR_OK &&
                   text_is_blocked(identity, type, plain);
    arena_reset(&identity->scratch);
    return blocked;
}

/* ---- kinds ---- */

static uint32_t *kind_slot(const struct identity *identity, uint32_t type_number, str namespace_)
{
    uint32_t mask = identity->kind_capacity * 2 - 1;
    uint64_t hash = hash_bytes64(namespace_.data, namespace_.size, type_number);
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        uint32_t kind = identity->kind_slots[at];
        if (kind == 0 || (identity->kinds[kind].type->number == type_number &&
                          str_equal(identity->kinds[kind].namespace_, namespace_)))
            return &identity->kind_slots[at];
    }
}

static err grow_kinds(struct identity *identity)
{
    uint32_t capacity = identity->kind_capacity == 0 ? 64 : identity->kind_capacity * 2;
    struct kind *kinds = memory_resize(identity->kinds, capacity * sizeof(*kinds));
    if (kinds == NULL)
        return ERR_NOMEM;
    identity->kinds = kinds;
    uint32_t *slots = memory_alloc((size_t)capacity * 2 * sizeof(*slots));
    if (slots == NULL)
        return ERR_NOMEM;
    memory_free(identity->kind_slots);
    identity->kind_slots = slots;
    identity->kind_capacity = capacity;
    if (identity->kind_count == 0) {
        identity->kinds[0] = (struct kind){ .type = NULL };
        identity->kind_count = 1;
    }
    for (uint32_t kind = 1; kind < identity->kind_count; kind++)
        *kind_slot(identity, kinds[kind].type->number, kinds[kind].namespace_) = kind;
    return ERR_OK;
}

uint32_t kind_intern(struct identity *identity, struct identifier_type *type, str namespace_)
{
    if (identity->kind_count == identity->kind_capacity && grow_kinds(identity) != ERR_OK)
        return 0;
    uint32_t *slot = kind_slot(identity, type->number, namespace_);
    if (*slot != 0)
        return *slot;
    if (identity->kind_count == KINDS_MAX)
        return 0;
    char *copy = memory_alloc(namespace_.size + 1);
    if (copy == NULL)
        return 0;
    if (namespace_.size > 0)
        memcpy(copy, namespace_.data, namespace_.size);
    identity->kinds[identity->kind_count] =
        (struct kind){ .type = type, .namespace_ = str_from_bytes(copy, namespace_.size) };
    *slot = identity->kind_count;
    return identity->kind_count++;
}
