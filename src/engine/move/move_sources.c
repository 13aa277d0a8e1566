/* SPDX-License-Identifier: Apache-2.0 */
/* move_sources: which sources bring which events, and how far each has told; see move_sources.h. */
#include "engine/move/move_sources.h"

#include <string.h>

#include "base/digest.h"
#include "engine/state.h"

#define TEXTS_BYTES_MAX ((size_t)64 << 20)
#define TYPES_FIRST 1024
#define ROWS_MAX 200000
#define NONE 0 /* places are told + 1 */

err move_sources_init(struct move_sources *sources)
{
    *sources = (struct move_sources){ .type_capacity = TYPES_FIRST };
    arena_init(&sources->texts, "move_sources", TEXTS_BYTES_MAX);
    sources->sources = memory_alloc(SOURCES_MAX * sizeof *sources->sources);
    sources->types = memory_alloc(TYPES_FIRST * sizeof *sources->types);
    return sources->sources != NULL && sources->types != NULL ? ERR_OK : ERR_NOMEM;
}

void move_sources_deinit(struct move_sources *sources)
{
    memory_free(sources->sources);
    memory_free(sources->rows);
    memory_free(sources->types);
    memory_free(sources->dirty);
    memory_free(sources->jobs);
    arena_deinit(&sources->texts);
    *sources = (struct move_sources){ .sources = NULL };
}

/* ---- sources by name ---- */

/* Its place + 1; NONE: there are too many, and it is not waited for. */
static err source_place(struct move_sources *sources, str name, uint32_t *place)
{
    for (uint32_t i = 0; i < sources->source_count; i++) {
        *place = i + 1;
        if (str_equal(sources->sources[i].name, name))
            return ERR_OK;
    }
    *place = NONE;
    if (sources->source_count == SOURCES_MAX)
        return ERR_OK;
    struct told_source *source = &sources->sources[sources->source_count];
    *source = (struct told_source){ .told_ms = INT64_MIN, .at_ms = INT64_MIN };
    err error = arena_dup(&sources->texts, name, &source->name);
    if (error == ERR_OK)
        *place = ++sources->source_count;
    return error;
}

err move_sources_job(struct move_sources *sources, uint32_t number, str source)
{
    uint32_t place = NONE;
    if (source.size == 0 || number == 0)
        return ERR_OK;
    if (number >= sources->job_count) {
        uint32_t count = number + number / 2 + 64;
        uint32_t *longer = memory_resize(sources->jobs, count * sizeof *longer);
        if (longer == NULL)
            return ERR_NOMEM;
        memset(longer + sources->job_count, 0, (count - sources->job_count) * sizeof *longer);
        sources->jobs = longer;
        sources->job_count = count;
    }
    err error = source_place(sources, source, &place);
    sources->jobs[number] = place;
    return error;
}

static err place_of_event(struct move_sources *sources, const struct engine *engine,
                          const struct event *event, uint32_t *place)
{
    uint32_t number = event->source_number;
    *place = NONE;
    if (event_source_is_import(number)) {
        number -= EVENT_SOURCE_IMPORT_FIRST;
        *place = number < sources->job_count ? sources->jobs[number] : NONE;
        return ERR_OK;
    }
    for (size_t i = 0; i < engine->access.source_count; i++)
        if (engine->access.sources[i].source.number == number)
            return source_place(sources, engine->access.sources[i].source.key, place);
    return ERR_OK;
}

/* ---- what each brought ---- */

static uint32_t type_place(const struct move_sources *sources, str type)
{
    uint32_t mask = sources->type_capacity - 1;
    uint32_t place = (uint32_t)hash_bytes64(type.data, type.size, 5) & mask;
    while (sources->types[place] != NONE &&
           !str_equal(sources->rows[sources->types[place] - 1].type, type))
        place = (place + 1) & mask;
    return place;
}

static err grow_types(struct move_sources *sources)
{
    uint32_t capacity = sources->type_capacity, *old = sources->types;
    uint32_t *made = memory_alloc(capacity * 2 * sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    sources->types = made;
    sources->type_capacity = capacity * 2;
    for (uint32_t i = 0; i < capacity; i++)
        if (old[i] != NONE)
            made[type_place(sources, sources->rows[old[i] - 1].type)] = old[i];
    memory_free(old);
    return ERR_OK;
}

static err add_row(struct move_sources *sources, str type, uint32_t source, uint32_t *row)
{
    if (sources->row_count == sources->row_capacity) {
        uint32_t capacity = sources->row_capacity == 0 ? 256 : sources->row_capacity * 2;
        struct brought *longer = memory_resize(sources->rows, capacity * sizeof *longer);
        if (longer == NULL)
            return ERR_NOMEM;
        sources->rows = longer;
        sources->row_capacity = capacity;
    }
    err error =
        sources->type_count * 4 >= sources->type_capacity * 3 ? grow_types(sources) : ERR_OK;
    if (error != ERR_OK)
        return error;
    uint32_t place = type_place(sources, type);
    struct brought *made = &sources->rows[sources->row_count];
    *made =
        (struct brought){ .source = source, .next = sources->types[place], .minute = INT64_MIN };
    error = arena_dup(&sources->texts, type, &made->type);
    if (error != ERR_OK)
        return error;
    sources->type_count += sources->types[place] == NONE;
    sources->types[place] = ++sources->row_count;
    *row = sources->row_count;
    return ERR_OK;
}

/* The row of this type and source, + 1, made where there is none; NONE: there are too many. */
static err find_row(struct move_sources *sources, str type, uint32_t source, uint32_t *row)
{
    for (*row = sources->types[type_place(sources, type)]; *row != NONE;
         *row = sources->rows[*row - 1].next)
        if (sources->rows[*row - 1].source == source)
            return ERR_OK;
    return sources->row_count < ROWS_MAX ? add_row(sources, type, source, row) : ERR_OK;
}

static err mark_dirty(struct move_sources *sources, uint32_t row)
{
    if (sources->rows[row - 1].is_dirty)
        return ERR_OK;
    if (sources->dirty_count == sources->dirty_capacity) {
        uint32_t capacity = sources->dirty_capacity == 0 ? 64 : sources->dirty_capacity * 2;
        uint32_t *longer = memory_resize(sources->dirty, capacity * sizeof *longer);
        if (longer == NULL)
            return ERR_NOMEM;
        sources->dirty = longer;
        sources->dirty_capacity = capacity;
    }
    sources->dirty[sources->dirty_count++] = row;
    sources->rows[row - 1].is_dirty = true;
    return ERR_OK;
}

static void take_live(struct told_source *source, int64_t minute, int64_t at_ms)
{
    int64_t told_ms = minute * MINUTE_MS - SOURCE_GRACE_MS;
    if (!source->is_live || told_ms > source->told_ms)
        source->told_ms = told_ms;
    source->is_live = true;
    source->at_ms = at_ms > source->at_ms ? at_ms : source->at_ms;
}

err move_sources_note(struct move_sources *sources, const struct engine *engine,
                      const struct event *event)
{
    uint32_t place = NONE, row = NONE;
    err error = place_of_event(sources, engine, event, &place);
    if (error != ERR_OK || place == NONE)
        return error;
    error = find_row(sources, event->type, place - 1, &row);
    if (error != ERR_OK || row == NONE)
        return error;
    struct brought *brought = &sources->rows[row - 1];
    /* from the future: nobody has told so far */
    int64_t time_ms = event->time_ms < engine->now_ms ? event->time_ms : engine->now_ms;
    int64_t minute = time_ms / MINUTE_MS;
    if (minute <= brought->minute)
        return ERR_OK;
    brought->minute = minute;
    brought->at_ms = engine->now_ms;
    if (!event_source_is_import(event->source_number)) {
        brought->is_live = true;
        take_live(&sources->sources[place - 1], minute, engine->now_ms);
    }
    return mark_dirty(sources, row);
}

err move_sources_told(struct move_sources *sources, str name, int64_t time_ms, int64_t now_ms)
{
    uint32_t place;
    err error = source_place(sources, name, &place);
    if (error != ERR_OK || place == NONE || sources->sources[place - 1].is_live)
        return error;
    struct told_source *source = &sources->sources[place - 1];
    source->told_ms = time_ms > source->told_ms ? time_ms : source->told_ms;
    source->at_ms = now_ms;
    return ERR_OK;
}

int64_t move_sources_watermark(const struct move_sources *sources, str event, int64_t now_ms)
{
    uint32_t row = sources->types[type_place(sources, event)];
    bool is_known = row != NONE;
    int64_t least_ms = now_ms, oldest_ms = now_ms - SOURCE_DAYS * DAY_MS;
    for (uint32_t i = 0; !is_known && i < sources->source_count; i++) {
        const struct told_source *source = &sources->sources[i];
        if (!source->is_live && source->at_ms > oldest_ms && source->told_ms < least_ms)
            least_ms = source->told_ms;
    }
    for (; row != NONE; row = sources->rows[row - 1].next) {
        const struct told_source *source = &sources->sources[sources->rows[row - 1].source];
        if (source->at_ms > oldest_ms && source->told_ms < least_ms)
            least_ms = source->told_ms;
    }
    return least_ms;
}

/* ---- kept ---- */

void move_sources_commit(struct move_sources *sources, struct ledger_writes *writes)
{
    for (uint32_t i = 0; i < sources->dirty_count; i++) {
        struct brought *row = &sources->rows[sources->dirty[i] - 1];
        LEDGER_PUT(writes, LEDGER_EVENT_SOURCES, ledger_text(row->type),
                   ledger_text(sources->sources[row->source].name), ledger_int(row->minute),
                   ledger_int(row->at_ms), ledger_int(row->is_live));
        row->is_dirty = false;
    }
    sources->dirty_count = 0;
}

struct loading {
    struct move_sources *sources;
    struct json_parser *parser;
    err error;
};

static bool load_row(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct move_sources *sources = loading->sources;
    uint32_t place = NONE, row = NONE;
    loading->error = source_place(sources, values[1].bytes, &place);
    if (loading->error == ERR_OK && place != NONE)
        loading->error = find_row(sources, values[0].bytes, place - 1, &row);
    if (loading->error != ERR_OK || row == NONE)
        return loading->error == ERR_OK;
    struct brought *brought = &sources->rows[row - 1];
    brought->minute = values[2].integer;
    brought->at_ms = values[3].integer;
    brought->is_live = values[4].integer != 0;
    if (brought->is_live)
        take_live(&sources->sources[place - 1], brought->minute, brought->at_ms);
    return true;
}

static bool load_watermark(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    loading->error =
        move_sources_told(loading->sources, values[0].bytes, values[1].integer, values[2].integer);
    return loading->error == ERR_OK;
}

static bool load_job(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    json_value settings;
    if (json_parse(loading->parser, values[2].bytes, &settings, NULL) != ERR_OK)
        return true;
    loading->error = move_sources_job(loading->sources, (uint32_t)values[0].integer,
                                      json_text(json_get(settings, STR("source"))));
    return loading->error == ERR_OK;
}

err move_sources_load(struct move_sources *sources, struct engine *engine, struct problem *problem)
{
    static const struct {
        enum ledger_table table;
        ledger_visitor visit;
    } tables[] = { { LEDGER_EVENT_SOURCES, load_row },
                   { LEDGER_WATERMARKS, load_watermark },
                   { LEDGER_IMPORTS, load_job } };
    struct loading loading = { .sources = sources };
    err error = json_parser_new(&loading.parser, (size_t)4 << 20);
    for (size_t i = 0; error == ERR_OK && i < sizeof tables / sizeof tables[0]; i++) {
        error =
            ledger_scan(engine->ledger, tables[i].table, NULL, tables[i].visit, &loading, problem);
        if (error == ERR_OK)
            error = loading.error;
    }
    json_parser_free(&loading.parser);
    return error;
}
