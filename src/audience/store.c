/* SPDX-License-Identifier: Apache-2.0 */
/* store: definitions, changes and checkpoints in the ledger, and back.
 *
 * Each change of a definition has a number, growing by one. A chunk in the ledger says with which change it is true; a definition's
 * state says up to which change all its chunks are. So what is in RAM is what the chunks say, and the changes
 * after. Chunks are written in rounds, one a minute of log time at most, 1 MB a commit; changes in the commit of
 * their record. */
#include <stdio.h>
#include <string.h>

#include "audience/state.h"

#define CHECKPOINT_BYTES ((size_t)1 << 20)
#define CHECKPOINT_MS MINUTE_MS
#define BLOCK_SIZE (1u << GIVEN_BLOCK_BITS)
#define CHUNK_BYTES_MAX ((size_t)4 << 20)

/* ---- writing ---- */

void store_put_definition(const struct definition *definition, struct ledger_writes *writes)
{
    LEDGER_PUT(writes, LEDGER_AUDIENCE_DEFINITIONS, ledger_int(definition->number),
               ledger_text(definition->kind == AUDIENCE_TAG       ? STR("tag")
                           : definition->kind == AUDIENCE_SEGMENT ? STR("segment")
                                                                  : STR("objects")),
               ledger_text(definition->key), ledger_int(definition->version),
               ledger_int(definition->taking == NULL ? definition->live_version : 0),
               ledger_text(str_from_bytes(definition->text, definition->text_size)),
               ledger_text(definition->edges.data != NULL ? definition->edges : STR("")),
               ledger_int(definition->created_ms), ledger_int(definition->changed_ms),
               ledger_int((int64_t)definition->changed_seq),
               ledger_int(definition->deleted ? definition->changed_ms : 0),
               ledger_int(definition->user_number));
}

static void write_block(const struct numbers *numbers, uint32_t block, struct buffer *out)
{
    for (uint32_t i = 0; i < BLOCK_SIZE; i++) {
        int64_t value = numbers_get(numbers, block << GIVEN_BLOCK_BITS | i);
        if (value == NO_VALUE)
            continue;
        write_varint(out, i);
        write_zigzag(out, value);
    }
}

static err read_block(struct numbers *numbers, uint32_t block, str bytes)
{
    struct cursor cursor = cursor_over(bytes);
    err error = ERR_OK;
    while (error == ERR_OK && cursor_left(&cursor) > 0) {
        uint64_t index = read_varint(&cursor);
        int64_t value = read_zigzag(&cursor);
        if (cursor.failed || index >= BLOCK_SIZE)
            return ERR_CORRUPT;
        error = numbers_put(numbers, block << GIVEN_BLOCK_BITS | (uint32_t)index, value);
    }
    return error;
}

void store_put_given(const struct definition *definition, uint32_t block,
                     struct ledger_writes *writes)
{
    struct buffer values, times;
    buffer_init(&values, CHUNK_BYTES_MAX);
    buffer_init(&times, CHUNK_BYTES_MAX);
    write_block(&definition->given.values, block, &values);
    write_block(&definition->given.at_ms, block, &times);
    LEDGER_PUT(writes, LEDGER_AUDIENCE_GIVEN, ledger_int(definition->number), ledger_int(block),
               ledger_blob(buffer_str(&values)), ledger_blob(buffer_str(&times)));
    buffer_deinit(&values);
    buffer_deinit(&times);
}

static void put_texts(struct definition *definition, struct ledger_writes *writes)
{
    uint32_t count = atomic_load_explicit(&definition->texts->count, memory_order_acquire);
    while (definition->texts_stored < count) {
        uint32_t code = ++definition->texts_stored;
        LEDGER_PUT(writes, LEDGER_AUDIENCE_TEXTS, ledger_int(definition->number), ledger_int(code),
                   ledger_text(lexicon_at(definition->texts, code)->text));
    }
}

static void put_changes(struct definition *definition, struct ledger_writes *writes)
{
    LEDGER_PUT(writes, LEDGER_AUDIENCE_CHANGES, ledger_int(definition->number),
               ledger_int((int64_t)definition->changes_number),
               ledger_int(definition->changes_count), ledger_int(definition->changes_first_ms),
               ledger_int(definition->changes_last.at_ms),
               ledger_blob(buffer_str(&definition->changes)));
    definition->changes_dirty = false;
    if (change_row_is_full(definition))
        change_end_row(definition);
}

static void put_finished(struct audience *audience, struct ledger_writes *writes)
{
    while (audience->finished_rows != NULL) {
        struct changes_row *row = audience->finished_rows;
        audience->finished_rows = row->next;
        LEDGER_PUT(writes, LEDGER_AUDIENCE_CHANGES, ledger_int(row->definition),
                   ledger_int((int64_t)row->number), ledger_int(row->count),
                   ledger_int(row->first_ms), ledger_int(row->last_ms),
                   ledger_blob(str_from_bytes(row->bytes, row->size)));
        memory_free(row->bytes);
        memory_free(row);
    }
}

static void put_chunk(const struct definition *definition, uint32_t value, uint32_t chunk,
                      const struct buffer *bytes, struct ledger_writes *writes)
{
    if (bytes->size == 0) {
        const struct ledger_value key[] = { ledger_int(definition->number), ledger_int(value),
                                            ledger_int(chunk) };
        ledger_delete(writes, LEDGER_AUDIENCE_CHUNKS, key);
        return;
    }
    LEDGER_PUT(writes, LEDGER_AUDIENCE_CHUNKS, ledger_int(definition->number), ledger_int(value),
               ledger_int(chunk), ledger_int((int64_t)definition->change_number),
               ledger_blob(buffer_str(bytes)));
}

/* All that is dirty of one definition: they are true together, so what is empty needs no row. */
static size_t put_chunks(struct definition *definition, struct ledger_writes *writes)
{
    struct buffer bytes;
    size_t written = 0;
    buffer_init(&bytes, CHUNK_BYTES_MAX);
    for (uint32_t i = 0; i < definition->set_count; i++) {
        struct set *set = &definition->sets[i];
        for (uint32_t chunk = 0; chunk < set->chunk_count; chunk++) {
            if (!set->dirty[chunk])
                continue;
            buffer_clear(&bytes);
            set_write_chunk(set, chunk, &bytes);
            put_chunk(definition, i + 1, chunk, &bytes, writes);
            set->dirty[chunk] = 0;
            written += bytes.size + 32;
        }
    }
    struct numbers *numbers = &definition->numbers;
    for (uint32_t chunk = 0; chunk < numbers->chunk_count; chunk++) {
        if (!numbers->dirty[chunk])
            continue;
        buffer_clear(&bytes);
        numbers_write_chunk(numbers, chunk, &bytes);
        put_chunk(definition, 0, chunk, &bytes, writes);
        numbers->dirty[chunk] = 0;
        written += bytes.size + 32;
    }
    buffer_deinit(&bytes);
    if (written > 0) {
        definition->checkpoint = definition->change_number;
        LEDGER_PUT(writes, LEDGER_AUDIENCE_STATES, ledger_int(definition->number),
                   ledger_int((int64_t)definition->checkpoint));
    }
    return written;
}

static void put_checkpoint(struct audience *audience, struct ledger_writes *writes)
{
    size_t written = 0;
    if (audience->checkpoint_next == 0) {
        if (audience->now_ms - audience->checkpoint_ms < CHECKPOINT_MS)
            return;
        audience->checkpoint_ms = audience->now_ms;
        audience->checkpoint_next = 1;
        metric_set(METRIC_AUDIENCE_BYTES, (int64_t)audience_memory_bytes(audience));
    }
    while (audience->checkpoint_next < audience->definition_count && written < CHECKPOINT_BYTES) {
        struct definition *definition = audience->definitions[audience->checkpoint_next++];
        if (definition != NULL)
            written += put_chunks(definition, writes);
    }
    if (audience->checkpoint_next >= audience->definition_count)
        audience->checkpoint_next = 0;
}

/* What a sweep has not come to yet would be lost with the memory: a start that finds this begins it again. It is taken
 * back in the commit that has the last of its changes. */
#define SETTLED_ROW (-1) /* of LEDGER_AUDIENCE_STATES, which has rows of definitions besides */

static void put_unsettled(struct audience *audience, struct ledger_writes *writes)
{
    bool pending =
        !roaring_bitmap_is_empty(audience->pending) || recall_pending_count(audience) > 0;
    bool swept = audience->sweep.left > 0 || (pending && audience->pending_objects);
    bool facts = (swept && (audience->sweep.facts || audience->pending_facts)) ||
                 !roaring_bitmap_is_empty(audience->rejudge) || recall_is_rejudging(audience);
    int64_t unsettled = facts ? 2 : swept ? 1 : 0;
    if (unsettled == audience->unsettled_stored)
        return;
    audience->unsettled_stored = unsettled;
    LEDGER_PUT(writes, LEDGER_AUDIENCE_STATES, ledger_int(0), ledger_int(unsettled));
}

/* Up to when everybody is settled: after a start due times are found as of then. Once a tick. */
static void put_settled(struct audience *audience, struct ledger_writes *writes)
{
    if (audience->settled_ms == audience->settled_stored_ms)
        return;
    audience->settled_stored_ms = audience->settled_ms;
    LEDGER_PUT(writes, LEDGER_AUDIENCE_STATES, ledger_int(SETTLED_ROW),
               ledger_int(audience->settled_ms));
}

void audience_commit(struct audience *audience, struct ledger_writes *writes)
{
    put_unsettled(audience, writes);
    put_settled(audience, writes);
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        if (definition == NULL)
            continue;
        put_texts(definition, writes);
        if (definition->row_dirty)
            store_put_definition(definition, writes);
        definition->row_dirty = false;
        if (definition->changes_dirty)
            put_changes(definition, writes);
    }
    put_finished(audience, writes);
    put_checkpoint(audience, writes);
}

/* ---- reading ---- */

struct load {
    struct audience *audience;
    struct ledger *ledger;
    struct definition *definition;
    struct problem *problem;
    err error;
};

static bool failed(struct load *load, err error, const char *what, int64_t number)
{
    load->error = error;
    if (error != ERR_OK)
        problem_set(load->problem, error, "ledger: %s of definition %lld cannot be read", what,
                    (long long)number);
    return error == ERR_OK;
}

static err dup_edges(struct definition *definition, str edges)
{
    if (edges.size == 0)
        return ERR_OK;
    char *copy = memory_alloc(edges.size + 1);
    if (copy == NULL)
        return ERR_NOMEM;
    memcpy(copy, edges.data, edges.size);
    definition->edges = str_from_bytes(copy, edges.size);
    return ERR_OK;
}

static bool load_definition(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct audience *audience = load->audience;
    struct definition *definition = NULL;
    json_value body;
    enum audience_kind kind = str_equal(values[1].bytes, STR("tag"))       ? AUDIENCE_TAG
                              : str_equal(values[1].bytes, STR("segment")) ? AUDIENCE_SEGMENT
                                                                           : AUDIENCE_OBJECT_IDS;
    err error = values[0].integer > 0 && values[0].integer <= AUDIENCE_DEFINITIONS_MAX
                    ? definition_new(audience, (uint32_t)values[0].integer, kind, values[2].bytes,
                                     &definition)
                    : ERR_CORRUPT;
    if (error == ERR_OK)
        error = json_parse(audience->parser, values[5].bytes, &body, NULL);
    if (error == ERR_OK)
        error = definition_take_body(definition, body);
    if (error == ERR_OK)
        error = dup_edges(definition, values[6].bytes);
    if (error != ERR_OK)
        return failed(load, error, "the row", values[0].integer);
    definition->version = (uint32_t)values[3].integer;
    definition->live_version = (uint32_t)values[4].integer;
    definition->created_ms = values[7].integer;
    definition->changed_ms = values[8].integer;
    definition->changed_seq = (uint64_t)values[9].integer;
    definition->deleted = values[10].integer != 0;
    definition->user_number = (uint32_t)values[11].integer;
    return true;
}

static bool load_text(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct definition *definition = definition_at(load->audience, (uint32_t)values[0].integer);
    if (definition == NULL)
        return true;
    uint32_t code = lexicon_intern(definition->texts, values[2].bytes);
    definition->texts_stored = code;
    return failed(load, code == (uint32_t)values[1].integer ? ERR_OK : ERR_CORRUPT, "a text",
                  values[0].integer);
}

static bool load_given(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct definition *definition = definition_at(load->audience, (uint32_t)values[0].integer);
    if (definition == NULL)
        return true;
    uint32_t block = (uint32_t)values[1].integer;
    err error = read_block(&definition->given.values, block, values[2].bytes);
    if (error == ERR_OK)
        error = read_block(&definition->given.at_ms, block, values[3].bytes);
    return failed(load, error, "given values", values[0].integer);
}

static bool load_state(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct definition *definition = definition_at(load->audience, (uint32_t)values[0].integer);
    if (values[0].integer == 0)
        load->audience->unsettled_stored = values[1].integer;
    if (values[0].integer == SETTLED_ROW)
        load->audience->settled_stored_ms = values[1].integer;
    if (definition != NULL)
        definition->checkpoint = definition->change_number = (uint64_t)values[1].integer;
    return true;
}

static bool load_chunk(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct definition *definition = definition_at(load->audience, (uint32_t)values[0].integer);
    uint32_t code = (uint32_t)values[1].integer, chunk = (uint32_t)values[2].integer;
    if (definition == NULL || definition->deleted)
        return true;
    if (code == 0)
        return failed(load, numbers_load_chunk(&definition->numbers, chunk, values[4].bytes),
                      "numbers", values[0].integer);
    struct set *set = code <= AUDIENCE_TEXT_VALUES_MAX && chunk < CHUNK_SIZE
                          ? definition_set(definition, code)
                          : NULL;
    return failed(load, set != NULL ? set_load_chunk(set, chunk, values[4].bytes) : ERR_CORRUPT,
                  "members", values[0].integer);
}

/* A change again, without noting it. */
static err redo(struct definition *definition, const struct change *change)
{
    int64_t before = definition_get(definition, change->customer);
    return before == change->new_value
               ? ERR_OK
               : definition_store(definition, change->customer, before, change->new_value);
}

static bool load_changes(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct definition *definition = load->definition;
    struct cursor cursor = cursor_over(values[5].bytes);
    struct change change, previous = { .seq = 0 };
    uint64_t number = (uint64_t)values[1].integer;
    err error = ERR_OK;
    for (; error == ERR_OK && change_next(&cursor, &change, &previous); number++)
        if (number > definition->checkpoint)
            error = redo(definition, &change);
    if (cursor.failed)
        error = ERR_CORRUPT;
    if (number > 0 && number - 1 > definition->change_number)
        definition->change_number = number - 1;
    return failed(load, error, "changes", values[0].integer);
}

/* Rows hold at most so many entries: the row with the checkpoint's change may begin that much earlier. */
static bool find_first(void *context, const struct ledger_value *values)
{
    uint64_t *first = context;
    *first = (uint64_t)values[1].integer;
    return false;
}

static err load_changes_of(struct load *load, struct definition *definition)
{
    uint64_t first = 0;
    const struct ledger_value beyond[] = { ledger_int(definition->number),
                                           ledger_int((int64_t)definition->checkpoint + 1) };
    load->definition = definition;
    /* the last row that begins at or before the checkpoint */
    err error = ledger_find_by(load->ledger, LEDGER_AUDIENCE_CHANGES, "definition",
                               ledger_int(definition->number), beyond, true, 1, find_first, &first,
                               load->problem);
    const struct ledger_value from[] = { ledger_int(definition->number),
                                         ledger_int((int64_t)first - 1) };
    if (error == ERR_OK)
        error = ledger_find_by(load->ledger, LEDGER_AUDIENCE_CHANGES, "definition",
                               ledger_int(definition->number), from, false, SIZE_MAX >> 2,
                               load_changes, load, load->problem);
    return error == ERR_OK ? load->error : error;
}

/* The body, with the thresholds that were computed for it. */
err definition_parse(struct definition *definition, struct json_parser *parser, json_value *body,
                     struct problem *problem)
{
    struct buffer text;
    if (definition->edges.size == 0)
        return json_parse(parser, str_from_bytes(definition->text, definition->text_size), body,
                          problem);
    buffer_init(&text, (size_t)8 << 20);
    buffer_append(&text, definition->text, definition->text_size - 1);
    buffer_append_str(&text, STR(",\"$edges\":"));
    buffer_append_str(&text, definition->edges);
    buffer_append_byte(&text, '}');
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&text), body, problem);
    buffer_deinit(&text);
    return error;
}

static err compile(struct audience *audience, struct definition *definition,
                   struct problem *problem)
{
    json_value body;
    struct recipe *recipe = NULL;
    err error = definition_parse(definition, audience->parser, &body, problem);
    if (error == ERR_OK)
        error = recipe_new(audience, definition->kind, body, &recipe, problem);
    if (error != ERR_OK)
        return error;
    definition->on = recipe->on;
    definition->uncounted = recipe->on != 0 && recipe->form == FORM_COUNT;
    if (definition->live_version == definition->version)
        error = definition_adopt(audience, definition, recipe, definition->version);
    else
        definition->next = recipe_hold(recipe);
    recipe_release(&recipe);
    return error;
}

/* Definitions may need each other in any order of numbers: those that cannot be made yet are tried again. */
static err compile_all(struct audience *audience, struct problem *problem)
{
    for (uint32_t left = audience->definition_count, before = 0; left != before;) {
        before = left;
        left = 0;
        for (uint32_t i = 1; i < audience->definition_count; i++) {
            struct definition *definition = audience->definitions[i];
            if (definition == NULL || definition->deleted || definition->recipe != NULL ||
                definition->next != NULL || definition->kind == AUDIENCE_OBJECT_IDS)
                continue;
            err error = compile(audience, definition, problem);
            if (error == ERR_NOMEM)
                return error;
            if (error != ERR_OK && ++left == before)
                log_line(LOG_ERROR, "definition_unreadable", "number=%u detail=\"%s\"", i,
                         problem->detail);
        }
    }
    return ERR_OK;
}

/* Days begin at other moments: every rule is made anew, and everybody judged by it. What was being computed begins
 * again. */
err audience_setting_changed(struct audience *audience, str key, json_value value)
{
    char name[64];
    struct problem problem = { .error = ERR_OK };
    str text = json_text(value);
    if (!str_equal(key, STR("workspace.zone")) || text.size == 0 || text.size >= sizeof name)
        return ERR_OK;
    snprintf(name, sizeof name, STR_FMT, STR_ARG(text));
    err error = local_zone_init(audience, name);
    if (error == ERR_NOMEM)
        return error;
    scan_stop(audience);
    object_counts_stop(audience);
    audience->catalogue.zone = audience->judging.zone = audience->zone;
    audience->day = local_day(audience->zone, audience->now_ms);
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        if (definition == NULL || definition->deleted || definition->kind == AUDIENCE_OBJECT_IDS)
            continue;
        recipe_release(&definition->next);
        definition->stale = definition->on != 0;
        error = compile(audience, definition, &problem);
        if (error != ERR_OK)
            log_line(LOG_ERROR, "definition_unreadable", "number=%u detail=\"%s\"", i,
                     problem.detail);
        if (error == ERR_NOMEM)
            return error;
    }
    audience->scan_wanted = true;
    object_counts_stale(audience);
    sweep_begin(audience, true);
    return interest_make(audience);
}

err audience_load(struct audience *audience, struct ledger *ledger, struct problem *problem)
{
    struct load load = { .audience = audience, .ledger = ledger, .problem = problem };
    static const struct {
        enum ledger_table table;
        ledger_visitor visit;
    } scans[] = { { LEDGER_AUDIENCE_DEFINITIONS, load_definition },
                  { LEDGER_AUDIENCE_TEXTS, load_text },
                  { LEDGER_AUDIENCE_GIVEN, load_given },
                  { LEDGER_AUDIENCE_STATES, load_state } };
    err error = local_zone_load(audience, ledger, problem);
    for (size_t i = 0; error == ERR_OK && i < sizeof scans / sizeof scans[0]; i++) {
        error = ledger_scan(ledger, scans[i].table, NULL, scans[i].visit, &load, problem);
        if (error == ERR_OK)
            error = load.error;
    }
    if (error == ERR_OK)
        error = objects_load(audience, ledger, problem);
    if (error == ERR_OK)
        error = compile_all(audience, problem);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_AUDIENCE_CHUNKS, NULL, load_chunk, &load, problem);
    if (error == ERR_OK)
        error = load.error;
    for (uint32_t i = 1; error == ERR_OK && i < audience->definition_count; i++)
        if (audience->definitions[i] != NULL && !audience->definitions[i]->deleted)
            error = load_changes_of(&load, audience->definitions[i]);
    audience->ledger = ledger;
    if (error == ERR_OK)
        error = entered_load(audience);
    return error == ERR_OK ? interest_make(audience) : error;
}
