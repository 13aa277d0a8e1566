/* SPDX-License-Identifier: Apache-2.0 */
/* extract: the values of wanted columns out of an event.
 *
 * Promoted columns and the event's own come at no cost. For the others the properties are parsed, but
 * only of events that have one of them: that is remembered by the event's shape (event/event.h), which
 * is a hash of its type and property names. */
#include "history/extract.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/money.h"

#define SHAPES 8192u
#define NAMES 1024u
#define NAME_SEED 0x6E616D65u
#define VALUES_BYTES_MAX ((size_t)4 << 20)
#define ZONE_MINUTES 480 /* as the tracking plan reads times without a zone */
#define MILLION INT64_C(1000000)

enum promoted_type { PROMOTED_TYPE_TEXT, PROMOTED_TYPE_INT, PROMOTED_TYPE_MONEY };
static const struct {
    str property;
    enum promoted_type type;
} promoted_columns[PROMOTED_COUNT] = {
#define X(NAME, column, name, type) \
    [PROMOTED_##NAME] = { { .data = name, .size = sizeof(name) - 1 }, PROMOTED_TYPE_##type },
    PROMOTED_TABLE(X)
#undef X
};

/* What is wanted of the properties; chained by the name under which it stands at the top. */
struct wanted {
    history_column column;
    enum column_kind kind;
    str name;              /* at the top */
    str rest;              /* of the path below it, or empty */
    uint16_t next_of_name; /* index + 1 */
};
struct wanted_promoted {
    history_column column;
    enum column_kind kind;
    uint8_t promoted;
};
struct extractor {
    struct json_parser *parser;
    struct arena arena; /* texts of the last run */
    struct arena names;
    uint32_t promoted_set; /* of those wanted */
    uint32_t promoted_count, wanted_count;
    history_column source, received;
    struct wanted_promoted promoted[HISTORY_COLUMNS_MAX];
    struct wanted wanted[2 * HISTORY_COLUMNS_MAX];
    uint16_t by_name[NAMES]; /* index + 1 of the first, open addressing */
    /* Shapes whose events have none of the wanted properties. */
    uint64_t barren[SHAPES];
    uint32_t count;
    struct history_value values[HISTORY_COLUMNS_MAX];
};

err extractor_new(struct extractor **extractor)
{
    struct extractor *made = memory_alloc(sizeof(*made));
    if (made == NULL)
        return ERR_NOMEM;
    arena_init(&made->arena, "history values", VALUES_BYTES_MAX);
    arena_init(&made->names, "history names", VALUES_BYTES_MAX);
    err error = json_parser_new(&made->parser, EVENT_BYTES_MAX);
    if (error != ERR_OK) {
        memory_free(made);
        return error;
    }
    *extractor = made;
    return ERR_OK;
}

void extractor_free(struct extractor **extractor)
{
    struct extractor *gone = *extractor;
    if (gone == NULL)
        return;
    json_parser_free(&gone->parser);
    arena_deinit(&gone->arena);
    arena_deinit(&gone->names);
    memory_free(gone);
    *extractor = NULL;
}

/* ---- what is wanted ---- */

static bool fits_promoted(enum promoted_type type, enum column_kind kind)
{
    return (type == PROMOTED_TYPE_TEXT && kind == COLUMN_TEXT) ||
           (type == PROMOTED_TYPE_INT && kind == COLUMN_INT) ||
           (type == PROMOTED_TYPE_MONEY && kind == COLUMN_MONEY);
}

static uint32_t name_slot(const struct extractor *extractor, str name)
{
    uint32_t at = (uint32_t)hash_bytes64(name.data, name.size, NAME_SEED) & (NAMES - 1);
    while (extractor->by_name[at] != 0 &&
           !str_equal(extractor->wanted[extractor->by_name[at] - 1].name, name))
        at = (at + 1) & (NAMES - 1);
    return at;
}

static void want(struct extractor *extractor, history_column column, enum column_kind kind,
                 str name, str rest)
{
    uint32_t slot = name_slot(extractor, name);
    struct wanted *wanted = &extractor->wanted[extractor->wanted_count++];
    *wanted = (struct wanted){ .column = column,
                               .kind = kind,
                               .name = name,
                               .rest = rest,
                               .next_of_name = extractor->by_name[slot] };
    extractor->by_name[slot] = (uint16_t)extractor->wanted_count;
}

err extractor_add(struct extractor *extractor, str path, enum column_kind kind,
                  history_column column)
{
    memset(extractor->barren, 0, sizeof(extractor->barren));
    if (str_equal(path, STR("$source")) && kind == COLUMN_INT) {
        extractor->source = column;
        return ERR_OK;
    }
    if (str_equal(path, STR("$received")) && kind == COLUMN_TIME) {
        extractor->received = column;
        return ERR_OK;
    }
    for (uint8_t i = 0; i < PROMOTED_COUNT; i++) {
        if (!str_equal(promoted_columns[i].property, path) ||
            !fits_promoted(promoted_columns[i].type, kind))
            continue;
        extractor->promoted[extractor->promoted_count++] =
            (struct wanted_promoted){ .column = column, .kind = kind, .promoted = i };
        extractor->promoted_set |= UINT32_C(1) << i;
        return ERR_OK;
    }
    if (arena_dup(&extractor->names, path, &path) != ERR_OK)
        return ERR_NOMEM;
    size_t dot = str_find_byte(path, '.');
    want(extractor, column, kind, path, STR_NONE);
    if (dot < path.size)
        want(extractor, column, kind, str_slice(path, 0, dot), str_slice(path, dot + 1, path.size));
    return ERR_OK;
}

/* ---- JSON to values ---- */

struct reading {
    struct extractor *extractor;
    const struct event *event;
    bool is_starved;
};

static int money_digits(const struct event *event)
{
    bool is_told = (event->promoted_set & (UINT32_C(1) << PROMOTED_CURRENCY)) != 0;
    return is_told ? currency_minor_digits(event->promoted_text[PROMOTED_CURRENCY], NULL) : 2;
}

static int64_t read_int(json_value value)
{
    int64_t number = HISTORY_MISSING;
    if (json_kind(value) == JSON_TEXT)
        return str_to_int64(str_trim(json_text(value)), &number) ? number : HISTORY_MISSING;
    return json_int(value, HISTORY_MISSING);
}

static int64_t read_money(json_value value, const struct event *event)
{
    int64_t minor;
    int digits = money_digits(event);
    enum json_kind kind = json_kind(value);
    bool is_good = kind == JSON_TEXT ? money_from_text(json_text(value), digits, &minor)
                                     : (kind == JSON_INT || kind == JSON_DOUBLE) &&
                                           money_from_double(json_double(value, 0), digits, &minor);
    return is_good ? minor : HISTORY_MISSING;
}

/* Millionths: whole numbers exactly, decimals rounded half-even at the sixth digit. */
static int64_t read_decimal(json_value value)
{
    int64_t number;
    double decimal;
    enum json_kind kind = json_kind(value);
    if (kind == JSON_INT)
        return __builtin_mul_overflow(json_int(value, 0), MILLION, &number) ? HISTORY_MISSING
                                                                            : number;
    if (kind == JSON_TEXT) {
        if (!str_to_double(str_trim(json_text(value)), &decimal))
            return HISTORY_MISSING;
    } else if (kind == JSON_DOUBLE) {
        decimal = json_double(value, 0);
    } else {
        return HISTORY_MISSING;
    }
    if (money_from_double(decimal, 6, &number))
        return number;
    if (!(decimal > -9.2e12 && decimal < 9.2e12))
        return HISTORY_MISSING;
    return (int64_t)(decimal * 1e6);
}

static int64_t read_time(json_value value)
{
    char room[32];
    int64_t time_ms;
    str text = json_text(value);
    if (json_kind(value) == JSON_INT)
        text = str_from_bytes(
            room, (size_t)snprintf(room, sizeof(room), "%lld", (long long)json_int(value, 0)));
    return text.size > 0 && time_parse(str_trim(text), ZONE_MINUTES, &time_ms) ? time_ms
                                                                               : HISTORY_MISSING;
}

static int64_t read_bool(json_value value)
{
    str text = str_trim(json_text(value));
    if (json_kind(value) == JSON_BOOL)
        return json_bool(value, false);
    if (str_equal_ignoring_case(text, STR("true")) || str_equal(text, STR("1")))
        return 1;
    if (str_equal_ignoring_case(text, STR("false")) || str_equal(text, STR("0")))
        return 0;
    int64_t number = json_kind(value) == JSON_INT ? json_int(value, 2) : 2;
    return number == 0 || number == 1 ? number : HISTORY_MISSING;
}

/* A text, or what is written as one. Empty is missing. */
static str read_text(struct reading *reading, json_value value)
{
    struct arena *arena = &reading->extractor->arena;
    str text = STR_NONE;
    err error = ERR_OK;
    switch (json_kind(value)) {
    case JSON_TEXT:
        error = arena_dup(arena, json_text(value), &text);
        break;
    case JSON_INT:
        error = arena_printf(arena, &text, "%lld", (long long)json_int(value, 0));
        break;
    case JSON_BOOL:
        text = json_bool(value, false) ? STR("true") : STR("false");
        break;
    case JSON_DOUBLE: {
        struct buffer number;
        buffer_init(&number, 64);
        json_write_value(&number, value);
        error = arena_dup(arena, buffer_str(&number), &text);
        buffer_deinit(&number);
        break;
    }
    case JSON_MISSING:
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    if (error != ERR_OK)
        reading->is_starved = true;
    return text;
}

/* A list under construction: as long as the texts that may be in it. */
struct texts {
    str *items;
    uint32_t count, capacity;
};

static void add_text(struct reading *reading, struct texts *texts, str text)
{
    if (text.size == 0)
        return;
    if (texts->count == texts->capacity) {
        uint32_t capacity = texts->capacity > 0 ? texts->capacity * 2 : 8;
        str *items = arena_alloc_raw(&reading->extractor->arena, capacity * sizeof(str));
        if (items == NULL) {
            reading->is_starved = true;
            return;
        }
        if (texts->count > 0)
            memcpy(items, texts->items, texts->count * sizeof(str));
        texts->items = items;
        texts->capacity = capacity;
    }
    texts->items[texts->count++] = text;
}

static int64_t read_number(struct reading *reading, enum column_kind kind, json_value value)
{
    switch (kind) {
    case COLUMN_INT:
        return read_int(value);
    case COLUMN_MONEY:
        return read_money(value, reading->event);
    case COLUMN_DECIMAL:
        return read_decimal(value);
    case COLUMN_TIME:
        return read_time(value);
    case COLUMN_BOOL:
        return read_bool(value);
    case COLUMN_TEXT:
    case COLUMN_TEXTS:
        break;
    }
    return HISTORY_MISSING;
}

/* Follow `rest` down from `value`; lists on the way are walked. A list of texts takes all that is
 * found, any other column the first. Returns whether enough is found. */
static bool read_path(struct reading *reading, enum column_kind kind, json_value value, str rest,
                      struct history_value *out, struct texts *texts)
{
    if (json_kind(value) == JSON_ARRAY) {
        struct json_iterator iterator = json_iterate(value);
        json_value item;
        while (json_next(&iterator, NULL, &item))
            if (read_path(reading, kind, item, rest, out, texts))
                return true;
        return false;
    }
    if (rest.size > 0) {
        size_t dot = str_find_byte(rest, '.');
        json_value below = json_get(value, rest);
        if (json_kind(below) != JSON_MISSING)
            return read_path(reading, kind, below, STR_NONE, out, texts);
        if (dot == rest.size)
            return false;
        return read_path(reading, kind, json_get(value, str_slice(rest, 0, dot)),
                         str_slice(rest, dot + 1, rest.size), out, texts);
    }
    if (kind == COLUMN_TEXTS) {
        add_text(reading, texts, read_text(reading, value));
        return false;
    }
    if (kind == COLUMN_TEXT) {
        out->text = read_text(reading, value);
        return out->text.size > 0;
    }
    out->number = read_number(reading, kind, value);
    return out->number != HISTORY_MISSING;
}

static bool has_value(const struct extractor *extractor, history_column column)
{
    for (uint32_t i = 0; i < extractor->count; i++)
        if (extractor->values[i].column == column)
            return true;
    return false;
}

static void read_wanted(struct reading *reading, const struct wanted *wanted, json_value value)
{
    struct extractor *extractor = reading->extractor;
    struct history_value out = { .column = wanted->column, .number = HISTORY_MISSING };
    struct texts texts = { .count = 0 };
    if (has_value(extractor, wanted->column))
        return;
    bool is_found = read_path(reading, wanted->kind, value, wanted->rest, &out, &texts);
    out.texts = texts.items;
    out.text_count = texts.count;
    if (is_found || texts.count > 0)
        extractor->values[extractor->count++] = out;
}

/* ---- an event ---- */

static void take_promoted(struct extractor *extractor, const struct event *event)
{
    if ((event->promoted_set & extractor->promoted_set) == 0)
        return;
    for (uint32_t i = 0; i < extractor->promoted_count; i++) {
        const struct wanted_promoted *wanted = &extractor->promoted[i];
        if ((event->promoted_set >> wanted->promoted & 1) == 0)
            continue;
        struct history_value *value = &extractor->values[extractor->count++];
        *value = (struct history_value){ .column = wanted->column };
        if (wanted->kind == COLUMN_TEXT)
            value->text = event->promoted_text[wanted->promoted];
        else
            value->number = event->promoted_int[wanted->promoted];
    }
}

static void take_own(struct extractor *extractor, const struct event *event)
{
    if (extractor->source != 0)
        extractor->values[extractor->count++] =
            (struct history_value){ .column = extractor->source,
                                    .number = (int64_t)event->source_number };
    if (extractor->received != 0)
        extractor->values[extractor->count++] =
            (struct history_value){ .column = extractor->received, .number = event->received_ms };
}

static err take_properties(struct extractor *extractor, const struct event *event)
{
    uint64_t *barren = &extractor->barren[event->shape & (SHAPES - 1)];
    struct reading reading = { .extractor = extractor, .event = event };
    struct json_iterator iterator;
    json_value root, value;
    str name;
    bool is_barren = true;
    if (event->props.size < 3 || (event->shape != 0 && *barren == event->shape))
        return ERR_OK;
    if (json_parse(extractor->parser, event->props, &root, NULL) != ERR_OK)
        return ERR_OK; /* the door and the codec let only whole objects through */
    arena_reset(&extractor->arena);
    iterator = json_iterate(root);
    while (json_next(&iterator, &name, &value)) {
        uint16_t at = extractor->by_name[name_slot(extractor, name)];
        for (; at != 0; at = extractor->wanted[at - 1].next_of_name) {
            is_barren = false;
            read_wanted(&reading, &extractor->wanted[at - 1], value);
        }
    }
    if (is_barren && event->shape != 0)
        *barren = event->shape;
    return reading.is_starved ? ERR_NOMEM : ERR_OK;
}

err extractor_run(struct extractor *extractor, const struct event *event,
                  const struct history_value **values, uint32_t *count)
{
    extractor->count = 0;
    take_promoted(extractor, event);
    take_own(extractor, event);
    err error = extractor->wanted_count > 0 ? take_properties(extractor, event) : ERR_OK;
    *values = extractor->values;
    *count = extractor->count;
    return error;
}
