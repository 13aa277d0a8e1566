/* SPDX-License-Identifier: Apache-2.0 */
/* A mapping under test: JSON and rows in, events out as lines of text that a test can compare.
 *
 * An event is written as
 *     track|Order Paid|2024-01-05T00:03:01.000Z|tmall|user_id::u1,mobile::+8613912345678|{"order_id":"1"}
 * with sealed values opened, so that a test sees what was said; traits stand as props do.
 */
#ifndef KITH_TESTS_MAPPER_H
#define KITH_TESTS_MAPPER_H

#include "base/clock.h"
#include "mapping/mapping.h"
#include "support/doors.h"

#define MAPPER_LINES_MAX 4096
#define MAPPER_CELLS_MAX 128

struct mapper {
    char folder[64];
    struct keys *keys;
    struct json_parser *parser, *other;
    struct mapping *mapping;
    struct mapping_worker *worker;
    struct mapping_context context;
    struct arena arena;
    struct problem problem;
    uint64_t rows;
    size_t event_count, refused_count;
    char *events[MAPPER_LINES_MAX];
    uint8_t message_keys[MAPPER_LINES_MAX][16], natural_keys[MAPPER_LINES_MAX][16],
        content_hashes[MAPPER_LINES_MAX][16];
    uint64_t first_rows[MAPPER_LINES_MAX], last_rows[MAPPER_LINES_MAX];
    int64_t revenue[MAPPER_LINES_MAX]; /* promoted */
    char *refused[MAPPER_LINES_MAX];   /* "row|code|detail|raw" */
    size_t stop_after;                 /* events; 0: never */
};

static inline void mapper_open(struct mapper *mapper)
{
    memset(mapper, 0, sizeof *mapper);
    mapper->keys = test_keys(mapper->folder);
    arena_init(&mapper->arena, "test", (size_t)256 << 20);
    assert_ok(json_parser_new(&mapper->parser, (size_t)1 << 20));
    assert_ok(json_parser_new(&mapper->other, (size_t)1 << 20));
    mapper->context = (struct mapping_context){ .keys = mapper->keys,
                                                .source_number = 7,
                                                .key_salt = STR("orders"),
                                                .received_ms = NOW_MS,
                                                .zone_offset_seconds = 8 * 3600 };
}

static inline void mapper_forget(struct mapper *mapper)
{
    mapping_worker_free(&mapper->worker);
    mapping_free(&mapper->mapping);
    mapper->event_count = mapper->refused_count = 0;
    mapper->rows = 0;
    arena_reset(&mapper->arena);
}

static inline void mapper_close(struct mapper *mapper)
{
    mapper_forget(mapper);
    json_parser_free(&mapper->parser);
    json_parser_free(&mapper->other);
    arena_deinit(&mapper->arena);
    test_keys_free(&mapper->keys, mapper->folder);
}

/* ---- events as text ---- */

/* JSON with sealed values opened. */
static inline void mapper_open_seals(struct mapper *mapper, struct buffer *out, json_value value)
{
    struct json_iterator iterator = json_iterate(value);
    json_value member, sealed = json_get(value, STR("$sealed"));
    str key, text;
    bool first = true;
    if (json_kind(sealed) == JSON_TEXT) {
        assert_ok(keys_unseal(mapper->keys, &mapper->arena, json_text(sealed), &text, NULL));
        buffer_append_byte(out, '<');
        buffer_append_str(out, text);
        buffer_append_byte(out, '>');
        return;
    }
    if (json_kind(value) != JSON_OBJECT && json_kind(value) != JSON_ARRAY) {
        json_write_value(out, value);
        return;
    }
    buffer_append_byte(out, json_is_object(value) ? '{' : '[');
    while (json_next(&iterator, &key, &member)) {
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        if (json_is_object(value)) {
            json_write_text(out, key);
            buffer_append_byte(out, ':');
        }
        mapper_open_seals(mapper, out, member);
    }
    buffer_append_byte(out, json_is_object(value) ? '}' : ']');
}

static inline void mapper_put_json(struct mapper *mapper, struct buffer *out, str json)
{
    json_value root;
    assert_ok(json_parse(mapper->other, json, &root, NULL));
    mapper_open_seals(mapper, out, root);
}

static inline void mapper_put_identifier(struct mapper *mapper, struct buffer *out,
                                         const struct event_identifier *identifier)
{
    str value = identifier->value;
    if ((identifier->flags & IDENTIFIER_SEALED) != 0)
        assert_ok(keys_unseal(mapper->keys, &mapper->arena, value, &value, NULL));
    buffer_printf(out, STR_FMT ":" STR_FMT ":" STR_FMT "%s%s", STR_ARG(identifier->type),
                  STR_ARG(identifier->namespace_), STR_ARG(value),
                  (identifier->flags & IDENTIFIER_BLOCKED) != 0 ? "(blocked)" : "",
                  (identifier->flags & IDENTIFIER_VERIFIED) == 0 ? "(claimed)" : "");
}

static inline char *mapper_text(struct mapper *mapper, const struct event *event)
{
    struct buffer out;
    char time[TIME_TEXT_BYTES];
    str kept;
    buffer_init(&out, (size_t)1 << 20);
    time_format_utc(event->time_ms, time);
    buffer_printf(&out, "%s|" STR_FMT "|%s|" STR_FMT "|", event_kind_name(event->kind),
                  STR_ARG(event->type), time, STR_ARG(event->channel));
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        buffer_append_str(&out, i > 0 ? STR(",") : STR(""));
        mapper_put_identifier(mapper, &out, &event->identifiers[i]);
    }
    buffer_append_byte(&out, '|');
    if (event->object_kind.size > 0)
        buffer_printf(&out, STR_FMT ":" STR_FMT "|", STR_ARG(event->object_kind),
                      STR_ARG(event->object_id));
    for (uint32_t i = 0; i < event->trait_count; i++) {
        buffer_printf(&out, "%s" STR_FMT "=", i > 0 ? ";" : "", STR_ARG(event->traits[i].name));
        mapper_put_json(mapper, &out, event->traits[i].value);
    }
    if (event->trait_count == 0)
        mapper_put_json(mapper, &out, event->props);
    assert_ok(buffer_status(&out));
    assert_ok(arena_dup(&mapper->arena, buffer_str(&out), &kept));
    buffer_deinit(&out);
    return (char *)(uintptr_t)kept.data;
}

/* Whatever comes out is what the log takes, and reads back. */
static inline void mapper_check_event(struct mapper *mapper, const struct event *event)
{
    struct buffer bytes, again;
    struct event back;
    buffer_init(&bytes, (size_t)1 << 20);
    buffer_init(&again, (size_t)1 << 20);
    assert_ok(event_encode(&bytes, event, &mapper->problem));
    assert_ok(event_decode(buffer_str(&bytes), &mapper->arena, &back, &mapper->problem));
    assert_ok(event_encode(&again, &back, &mapper->problem));
    assert_str_equal(buffer_str(&again), buffer_str(&bytes));
    assert_int_equal(event->flags & (EVENT_TRUSTED | EVENT_HISTORICAL),
                     EVENT_TRUSTED | EVENT_HISTORICAL);
    assert_int_equal(event->source_number, 7);
    buffer_deinit(&bytes);
    buffer_deinit(&again);
}

static inline bool mapper_emit(void *context, const struct mapping_event *event)
{
    struct mapper *mapper = context;
    size_t index = mapper->event_count++;
    assert_true(index < MAPPER_LINES_MAX);
    mapper_check_event(mapper, event->event);
    mapper->events[index] = mapper_text(mapper, event->event);
    memcpy(mapper->message_keys[index], event->event->message_key, 16);
    memcpy(mapper->natural_keys[index], event->natural_key, 16);
    memcpy(mapper->content_hashes[index], event->content_hash, 16);
    mapper->first_rows[index] = event->first_row;
    mapper->last_rows[index] = event->last_row;
    mapper->revenue[index] = event->event->promoted_int[PROMOTED_REVENUE];
    return mapper->stop_after == 0 || mapper->event_count < mapper->stop_after;
}

static inline bool mapper_refuse(void *context, uint64_t row, str raw, str code,
                                 const struct problem *problem)
{
    struct mapper *mapper = context;
    str kept, zh, en;
    assert_true(mapper->refused_count < MAPPER_LINES_MAX);
    assert_true(mapping_code_text(code, &zh, &en));
    assert_int_equal(problem->error, ERR_UNPROCESSABLE);
    assert_ok(arena_printf(&mapper->arena, &kept, "%llu|" STR_FMT "|%s|" STR_FMT,
                           (unsigned long long)row, STR_ARG(code), problem->detail, STR_ARG(raw)));
    mapper->refused[mapper->refused_count++] = (char *)(uintptr_t)kept.data;
    return true;
}

/* ---- running ---- */

/* Apostrophes stand for quotation marks, so that tests can be read; ` for an apostrophe. */
static inline str mapper_json(struct mapper *mapper, const char *text)
{
    str kept;
    assert_ok(arena_dup(&mapper->arena, str_from_c(text), &kept));
    char *at = (char *)(uintptr_t)kept.data;
    for (; *at != '\0'; at++)
        *at = *at == '\'' ? '"' : *at == '`' ? '\'' : *at;
    return kept;
}

/* Names of columns with '|' between. */
static inline err mapper_compile(struct mapper *mapper, const char *json, const char *columns)
{
    str names[MAPPER_CELLS_MAX], list = str_from_c(columns), name;
    uint32_t count = 0;
    json_value root;
    mapper_forget(mapper);
    while (columns != NULL && str_split(&list, '|', &name))
        names[count++] = name;
    mapper->problem = (struct problem){ .error = ERR_OK };
    assert_ok(json_parse(mapper->parser, mapper_json(mapper, json), &root, &mapper->problem));
    return mapping_new_named(&mapper->mapping, root, columns != NULL ? names : NULL, count,
                             &mapper->problem);
}

static inline void mapper_start(struct mapper *mapper, const char *json, const char *columns)
{
    err error = mapper_compile(mapper, json, columns);
    if (error != ERR_OK)
        print_error("%s (%s)\n", mapper->problem.detail, mapper->problem.pointer);
    assert_ok(error);
    assert_ok(
        mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context, &mapper->problem));
}

static inline err mapper_cells(struct mapper *mapper, const struct table_cell *cells,
                               uint32_t count, str raw)
{
    struct table_row row = { .number = ++mapper->rows,
                             .line = mapper->rows + 1,
                             .cell_count = count,
                             .cells = cells,
                             .raw = raw };
    return mapping_row(mapper->worker, &row, mapper_emit, mapper_refuse, mapper, &mapper->problem);
}

/* A row of texts with '|' between. */
static inline err mapper_row(struct mapper *mapper, const char *text)
{
    struct table_cell cells[MAPPER_CELLS_MAX];
    str rest = str_from_c(text), cell;
    uint32_t count = 0;
    while (str_split(&rest, '|', &cell))
        cells[count++] =
            (struct table_cell){ .kind = cell.size > 0 ? CELL_TEXT : CELL_EMPTY, .text = cell };
    return mapper_cells(mapper, cells, count, str_from_c(text));
}

static inline void mapper_end(struct mapper *mapper)
{
    assert_ok(mapping_end(mapper->worker, mapper_emit, mapper_refuse, mapper, &mapper->problem));
}

#endif
