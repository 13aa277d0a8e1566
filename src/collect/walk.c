/* SPDX-License-Identifier: Apache-2.0 */
/* From properties and traits as they come to JSON inside: personal values sealed, doubled names
 * dropped, shape and promoted columns found, in one walk. */
#include <string.h>

#include "collect/inside.h"

#define SEALED_MARK "$sealed"

/* ---- names ---- */

static struct name_note note_of(str name, uint64_t hash)
{
    struct name_note note = {
        .hash = hash,
        .personal = (uint8_t)personal_by_name(name),
        .is_code = personal_name_is_code(name),
        .is_coarse = personal_is_coarse(name),
        .is_name = str_equal_ignoring_case(name, STR("name")) ||
                   str_equal_ignoring_case(name, STR("fullname")) ||
                   str_equal_ignoring_case(name, STR("full_name")) || str_equal(name, STR("姓名")),
        .is_sealed_mark = str_equal(name, STR(SEALED_MARK)),
    };
    note.promoted = draft_promoted_column(name);
    return note;
}

/* The names of a source's events are few and come again: what is known of one is kept by its hash,
 * which nobody outside can collide (the seed is secret). */
static struct name_note *find_note(struct draft_desk *desk, str name, uint64_t hash)
{
    struct name_note *note = &desk->notes[hash & (NAME_NOTES - 1)];
    if (note->hash != hash)
        *note = note_of(name, hash);
    return note;
}

const struct name_note *draft_note(struct draft_desk *desk, str name)
{
    return find_note(desk, name, event_name_hash(desk->seed, name));
}

void draft_desk_init(struct draft_desk *desk, const struct keys *keys, struct arena *arena,
                     struct buffer *masked)
{
    desk->keys = keys;
    desk->arena = arena;
    desk->masked = masked;
    desk->seed = keys_seed(keys, STR("shape"));
}

/* ---- doubled names: the last one counts ---- */

/* Few names are compared pair by pair, many through a table. */
#define NAMES_SMALL 16

struct names {
    size_t count;
    uint64_t *hashes; /* of each member in order */
    bool doubled;
    uint32_t *slots; /* of many: last index + 1 of a hash */
    uint32_t mask;
    uint64_t small[NAMES_SMALL];
};

static uint32_t *slot_of_hash(const struct names *names, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> 32) & names->mask;
    while (names->slots[at] != 0 && names->hashes[names->slots[at] - 1] != hash)
        at = (at + 1) & names->mask;
    return &names->slots[at];
}

static err names_make_room(struct draft_desk *desk, struct names *names)
{
    names->hashes = names->small;
    names->slots = NULL;
    if (names->count <= NAMES_SMALL)
        return ERR_OK;
    size_t slots = 64;
    while (slots < names->count * 2)
        slots *= 2;
    names->hashes = arena_array(desk->arena, uint64_t, names->count);
    names->slots = arena_array(desk->arena, uint32_t, slots);
    names->mask = (uint32_t)slots - 1;
    return names->hashes != NULL && names->slots != NULL ? ERR_OK : ERR_NOMEM;
}

static bool names_add(struct names *names, size_t index)
{
    uint64_t hash = names->hashes[index];
    if (names->slots != NULL) {
        uint32_t *slot = slot_of_hash(names, hash);
        bool seen = *slot != 0;
        *slot = (uint32_t)index + 1;
        return seen;
    }
    for (size_t i = 0; i < index; i++)
        if (names->hashes[i] == hash)
            return true;
    return false;
}

static err names_read(struct draft_desk *desk, json_value object, struct names *names)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str name;
    names->count = json_count(object);
    names->doubled = false;
    if (names_make_room(desk, names) != ERR_OK)
        return ERR_NOMEM;
    for (size_t i = 0; json_next(&iterator, &name, &value); i++) {
        names->hashes[i] = event_name_hash(desk->seed, name);
        if (names_add(names, i))
            names->doubled = true;
    }
    return ERR_OK;
}

static bool is_overridden(const struct names *names, size_t index)
{
    if (!names->doubled)
        return false;
    if (names->slots != NULL)
        return *slot_of_hash(names, names->hashes[index]) != (uint32_t)index + 1;
    for (size_t i = index + 1; i < names->count; i++)
        if (names->hashes[i] == names->hashes[index])
            return true;
    return false;
}

/* ---- values ---- */

struct walk {
    struct draft_desk *desk;
    struct buffer *out;
    bool mask;             /* write masks instead of seals: for people's eyes */
    size_t text_bytes_max; /* 0: texts are never cut */
    err error;
};

static void write_sealed(struct walk *walk, enum personal_kind kind, str text)
{
    if (walk->mask) {
        struct buffer *masked = walk->desk->masked;
        buffer_clear(masked);
        personal_write_masked(masked, kind, text);
        json_write_text(walk->out, buffer_str(masked));
        return;
    }
    str sealed;
    err error = keys_seal(walk->desk->keys, walk->desk->arena, text, &sealed);
    if (error != ERR_OK) {
        walk->error = error;
        return;
    }
    buffer_append_str(walk->out, STR("{\"" SEALED_MARK "\":\""));
    buffer_append_str(walk->out, sealed); /* base64url needs no escapes */
    buffer_append_str(walk->out, STR("\"}"));
}

/* ---- addresses of pages: their queries carry what forms sent ---- */

/* Where the query of a link begins; the size of the text if it is none. */
static size_t query_begin(str text)
{
    size_t at = str_find_byte(text, '?');
    bool link = at == 0 || (text.size > 0 && text.data[0] == '/') ||
                str_starts_with(text, STR("http://")) || str_starts_with(text, STR("https://"));
    return link && at < text.size ? at + 1 : text.size;
}

struct query_field {
    str name, value;
    size_t value_begin, end; /* in the link */
};

/* The field at `at`, up to '&', '#' or the end. */
static struct query_field field_at(str text, size_t at)
{
    size_t end = at;
    while (end < text.size && text.data[end] != '&' && text.data[end] != '#')
        end++;
    str field = str_slice(text, at, end);
    size_t equal = str_find_byte(field, '=');
    return (struct query_field){ .name = str_slice(field, 0, equal),
                                 .value = str_slice(field, equal + 1, field.size),
                                 .value_begin = at + equal + 1,
                                 .end = end };
}

static bool field_is_personal(struct walk *walk, const struct query_field *field)
{
    if (field->value.size == 0)
        return false;
    const struct name_note *note = draft_note(walk->desk, field->name);
    if (note->personal != PERSONAL_NONE)
        return true;
    /* '@' is written %40 as often as not. */
    return !note->is_code && (personal_by_value(field->value) != PERSONAL_NONE ||
                              str_contains(field->value, STR("%40")));
}

/* The link with stars in the place of what names a person. */
static void write_hidden(struct walk *walk, str text, size_t begin)
{
    /* A value has a byte at least and becomes three. */
    char *out = arena_alloc_raw(walk->desk->arena, 3 * text.size);
    size_t size = begin;
    if (out == NULL) {
        walk->desk->starved = true;
        return;
    }
    memcpy(out, text.data, begin);
    for (size_t at = begin; at < text.size;) {
        struct query_field field = field_at(text, at);
        bool hide = field_is_personal(walk, &field);
        size_t kept_end = hide ? field.value_begin : field.end;
        memcpy(out + size, text.data + at, kept_end - at);
        size += kept_end - at;
        if (hide) {
            memcpy(out + size, "***", 3);
            size += 3;
        }
        if (field.end < text.size)
            out[size++] = text.data[field.end];
        at = field.end + 1;
    }
    json_write_text(walk->out, str_from_bytes(out, size));
}

/* Writes a link whose query names a person; false for all other texts. */
static bool write_personal_link(struct walk *walk, str text)
{
    size_t begin = query_begin(text);
    for (size_t at = begin; at < text.size;) {
        struct query_field field = field_at(text, at);
        if (field_is_personal(walk, &field)) {
            write_hidden(walk, text, begin);
            return true;
        }
        at = field.end + 1;
    }
    return false;
}

static bool write_text(struct walk *walk, enum personal_kind kind, bool is_code, str text)
{
    if (kind == PERSONAL_RECEIVER)
        kind = PERSONAL_NAME;
    if (kind == PERSONAL_NONE && !is_code)
        kind = personal_by_value(text);
    if (kind != PERSONAL_NONE && text.size > 0 && !personal_is_masked(text)) {
        write_sealed(walk, kind, text);
        return true;
    }
    if (walk->text_bytes_max > 0 && text.size > walk->text_bytes_max)
        text.size = str_utf8_prefix_bytes(text, walk->text_bytes_max);
    if (!write_personal_link(walk, text))
        json_write_text(walk->out, text);
    return false;
}

/* A personal number is a text that somebody forgot to quote. */
static bool write_number(struct walk *walk, enum personal_kind kind, json_value value)
{
    size_t begin = walk->out->size;
    json_write_value(walk->out, value);
    if (kind == PERSONAL_NONE || kind == PERSONAL_RECEIVER || walk->out->failed)
        return false;
    str digits;
    if (arena_dup(walk->desk->arena, str_slice(buffer_str(walk->out), begin, walk->out->size),
                  &digits) != ERR_OK) {
        walk->error = ERR_NOMEM;
        return false;
    }
    walk->out->size = begin;
    write_sealed(walk, kind, digits);
    return true;
}

static void write_array(struct walk *walk, enum personal_kind kind, bool is_code, json_value array);
static void write_object(struct walk *walk, enum personal_kind around, json_value object);

/* True when the value was sealed whole. */
static bool write_value(struct walk *walk, enum personal_kind kind, bool is_code, json_value value)
{
    switch (json_kind(value)) {
    case JSON_TEXT:
        return write_text(walk, kind, is_code, json_text(value));
    case JSON_INT:
    case JSON_DOUBLE:
        return write_number(walk, kind, value);
    case JSON_ARRAY:
        write_array(walk, kind, is_code, value);
        return false;
    case JSON_OBJECT:
        write_object(walk, kind, value);
        return false;
    case JSON_MISSING:
    case JSON_NULL:
    case JSON_BOOL:
        json_write_value(walk->out, value);
        return false;
    }
    return false;
}

static void write_array(struct walk *walk, enum personal_kind kind, bool is_code, json_value array)
{
    struct json_iterator iterator = json_iterate(array);
    json_value element;
    bool first = true;
    buffer_append_byte(walk->out, '[');
    while (json_next(&iterator, NULL, &element) && walk->error == ERR_OK && !walk->out->failed) {
        if (!first)
            buffer_append_byte(walk->out, ',');
        first = false;
        (void)write_value(walk, kind, is_code, element);
    }
    buffer_append_byte(walk->out, ']');
}

/* What a member is, by its own name and by what it stands in. */
static enum personal_kind kind_within(enum personal_kind around, const struct name_note *note)
{
    if (note->personal != PERSONAL_NONE)
        return (enum personal_kind)note->personal;
    if (around == PERSONAL_RECEIVER)
        return note->is_name ? PERSONAL_NAME : PERSONAL_NONE;
    if (around == PERSONAL_NONE || note->is_coarse)
        return PERSONAL_NONE;
    return around;
}

/* Recursion ends at JSON_DEPTH_MAX. */
static void write_object(struct walk *walk, enum personal_kind around, json_value object)
{
    struct names names;
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str name;
    bool first = true;
    if (walk->error == ERR_OK)
        walk->error = names_read(walk->desk, object, &names);
    buffer_append_byte(walk->out, '{');
    for (size_t i = 0;
         walk->error == ERR_OK && !walk->out->failed && json_next(&iterator, &name, &value); i++) {
        const struct name_note note = *find_note(walk->desk, name, names.hashes[i]);
        if (note.is_sealed_mark || is_overridden(&names, i))
            continue;
        if (!first)
            buffer_append_byte(walk->out, ',');
        first = false;
        json_write_text(walk->out, name);
        buffer_append_byte(walk->out, ':');
        (void)write_value(walk, kind_within(around, &note), note.is_code, value);
    }
    buffer_append_byte(walk->out, '}');
}

err draft_write_value(struct door *door, struct buffer *out, json_value value, bool mask)
{
    struct walk walk = { .desk = &door->worker->desk, .out = out, .mask = mask };
    (void)write_value(&walk, PERSONAL_NONE, false, value);
    return walk.error != ERR_OK ? walk.error : buffer_status(out);
}

err draft_put_text(struct draft_desk *desk, struct buffer *out, const struct name_note *note,
                   str text, bool *sealed)
{
    struct walk walk = { .desk = desk, .out = out };
    bool was = write_text(&walk, (enum personal_kind)note->personal, note->is_code, text);
    if (sealed != NULL)
        *sealed = was;
    return walk.error;
}

err draft_put_json(struct draft_desk *desk, struct buffer *out, const struct name_note *note,
                   json_value value, bool *sealed)
{
    struct walk walk = { .desk = desk, .out = out };
    bool was = write_value(&walk, (enum personal_kind)note->personal, note->is_code, value);
    if (sealed != NULL)
        *sealed = was;
    return walk.error;
}

/* ---- properties ---- */

static err check_name(str name, struct problem *problem)
{
    if (name.size > 0 && name.size <= EVENT_NAME_BYTES_MAX)
        return ERR_OK;
    if (name.size == 0)
        problem_set(problem, ERR_INVALID, "a property has an empty name");
    else
        problem_set(problem, ERR_INVALID,
                    "the name of a property has %zu bytes, at most %d are "
                    "taken: '%.40s…'",
                    name.size, EVENT_NAME_BYTES_MAX, name.data);
    return problem_hint(problem, ERR_INVALID, "what varies belongs into values, not into names");
}

static err check_count(size_t count, size_t limit, const char *what, struct problem *problem)
{
    if (count <= limit)
        return ERR_OK;
    problem_set(problem, ERR_INVALID, "the event has %zu %s, at most %zu are taken", count, what,
                limit);
    return problem_hint(problem, ERR_INVALID, "what varies belongs into values, not into names");
}

static void add_more(struct walk *walk, const struct draft_more *more, size_t count,
                     json_value object, bool *first, uint64_t *shape)
{
    for (size_t i = 0; i < count; i++) {
        enum json_kind there = json_kind(json_get(object, more[i].name));
        if (more[i].text.size == 0 || (there != JSON_MISSING && there != JSON_NULL))
            continue;
        if (!*first)
            buffer_append_byte(walk->out, ',');
        *first = false;
        json_write_text(walk->out, more[i].name);
        buffer_append_byte(walk->out, ':');
        (void)write_text(walk, PERSONAL_NONE, true, more[i].text);
        *shape = event_shape_property(*shape, event_name_hash(walk->desk->seed, more[i].name),
                                      JSON_TEXT);
    }
}

/* The kind under which the plan sees a value when it reads the properties: a sealed one is the text that it
 * hides, and a whole double is written without its point. */
enum json_kind draft_kind(json_value value, bool sealed)
{
    enum json_kind kind = json_kind(value);
    if (sealed)
        return JSON_TEXT;
    if (kind != JSON_DOUBLE)
        return kind;
    double number = json_double(value, 0.5);
    bool whole = number > -1e17 && number < 1e17 && (double)(int64_t)number == number;
    return whole ? JSON_INT : JSON_DOUBLE;
}

struct props {
    struct walk walk;
    const struct draft_rules *rules;
    uint64_t shape;
    bool first;
    uint32_t found_set;
    json_value found[PROMOTED_COUNT];
};

static err write_property(struct props *props, str name, uint64_t hash, json_value value,
                          struct problem *problem)
{
    const struct name_note note = *find_note(props->walk.desk, name, hash);
    bool skip = note.is_sealed_mark;
    err error = check_name(name, problem);
    if (error == ERR_OK && props->rules != NULL && props->rules->admit != NULL)
        error = props->rules->admit(name, value, &skip, problem);
    if (error != ERR_OK || skip)
        return error;
    if (!props->first)
        buffer_append_byte(props->walk.out, ',');
    props->first = false;
    json_write_text(props->walk.out, name);
    buffer_append_byte(props->walk.out, ':');
    bool sealed = write_value(&props->walk, (enum personal_kind)note.personal, note.is_code, value);
    props->shape = event_shape_property(props->shape, hash, draft_kind(value, sealed));
    if (note.promoted != 0 && !sealed) {
        props->found[note.promoted - 1] = value;
        props->found_set |= UINT32_C(1) << (note.promoted - 1);
    }
    return ERR_OK;
}

static err write_properties(struct props *props, json_value object, struct problem *problem)
{
    struct names names;
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str name;
    err error = check_count(json_count(object), PROPERTIES_MAX, "properties", problem);
    if (error == ERR_OK && names_read(props->walk.desk, object, &names) != ERR_OK)
        error = problem_set(problem, ERR_NOMEM, "no memory for the properties");
    for (size_t i = 0; error == ERR_OK && json_next(&iterator, &name, &value); i++)
        if (!is_overridden(&names, i))
            error = write_property(props, name, names.hashes[i], value, problem);
    if (error == ERR_OK && props->walk.error != ERR_OK)
        error = problem_set(problem, props->walk.error, "no memory for the properties");
    return error;
}

err draft_props(struct door *door, json_value object, const struct draft_rules *rules,
                const struct draft_more *more, size_t more_count, struct problem *problem)
{
    struct collect_worker *worker = door->worker;
    struct event *event = &worker->event;
    size_t begin = worker->text.size;
    struct props props = {
        .walk = { .desk = &worker->desk,
                  .out = &worker->text,
                  .text_bytes_max = rules != NULL ? rules->text_bytes_max : 0 },
        .rules = rules,
        .shape = event_shape_begin(worker->desk.seed, event->type),
        .first = true,
    };
    buffer_append_byte(&worker->text, '{');
    err error = write_properties(&props, object, problem);
    if (error != ERR_OK)
        return error;
    add_more(&props.walk, more, more_count, object, &props.first, &props.shape);
    buffer_append_byte(&worker->text, '}');
    promote_found(worker, object, props.found, props.found_set,
                  rules != NULL && rules->lines_make_revenue);
    event->shape = props.shape != 0 ? props.shape : 1;
    event->props = str_slice(buffer_str(&worker->text), begin, worker->text.size);
    return ERR_OK;
}

/* ---- traits ---- */

static struct event_trait *find_trait(struct event *event, str name)
{
    for (uint32_t i = 0; i < event->trait_count; i++)
        if (str_equal(event->traits[i].name, name))
            return &event->traits[i];
    return NULL;
}

static err add_trait(struct event *event, struct walk *walk, str name, const struct name_note *note,
                     json_value value, enum trait_operation operation, bool replaces,
                     struct problem *problem)
{
    struct event_trait *trait = replaces ? find_trait(event, name) : NULL;
    size_t begin = walk->out->size;
    bool unset = json_kind(value) == JSON_NULL || operation == TRAIT_UNSET;
    if (trait == NULL) {
        err error =
            check_count((size_t)event->trait_count + 1, EVENT_TRAITS_MAX, "traits", problem);
        if (error != ERR_OK)
            return error;
        trait = &event->traits[event->trait_count++];
    }
    if (!unset)
        (void)write_value(walk, (enum personal_kind)note->personal, note->is_code, value);
    *trait = (struct event_trait){
        .name = name,
        .operation = unset ? TRAIT_UNSET : operation,
        .value = unset ? STR("null") : str_slice(buffer_str(walk->out), begin, walk->out->size),
    };
    return ERR_OK;
}

err draft_traits(struct door *door, json_value object, enum trait_operation operation,
                 const struct draft_rules *rules, struct problem *problem)
{
    struct collect_worker *worker = door->worker;
    struct walk walk = { .desk = &worker->desk,
                         .out = &worker->text,
                         .text_bytes_max = rules != NULL ? rules->text_bytes_max : 0 };
    struct names names;
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str name;
    bool replaces = worker->event.trait_count > 0;
    err error = check_count(json_count(object), EVENT_TRAITS_MAX, "traits", problem);
    if (error == ERR_OK && names_read(&worker->desk, object, &names) != ERR_OK)
        error = problem_set(problem, ERR_NOMEM, "no memory for the traits");
    for (size_t i = 0; error == ERR_OK && json_next(&iterator, &name, &value); i++) {
        /* names_read has the hash of every member: the analyzer cannot know that both loops are as long.
         * NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
        const struct name_note note = *find_note(&worker->desk, name, names.hashes[i]);
        bool skip = note.is_sealed_mark || is_overridden(&names, i);
        error = check_name(name, problem);
        if (error == ERR_OK && !skip && rules != NULL && rules->admit != NULL)
            error = rules->admit(name, value, &skip, problem);
        if (error == ERR_OK && !skip)
            error =
                add_trait(&worker->event, &walk, name, &note, value, operation, replaces, problem);
    }
    if (error == ERR_OK && walk.error != ERR_OK)
        error = problem_set(problem, walk.error, "no memory for the traits");
    return error;
}
