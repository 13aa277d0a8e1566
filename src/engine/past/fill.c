/* SPDX-License-Identifier: Apache-2.0 */
/* fill: the past of one column of history; see fill.h. */
#include "engine/past/fill.h"

#include <stdlib.h>
#include <string.h>

#include "engine/past/fill_value.h"
#include "engine/past/native.h"
#include "engine/state.h"

/* Rows handed to the engine at once, and the blocks of history that they touch: about a millisecond of it. */
#define SLICE_ROWS 4096
#define SLICE_BLOCKS 16
#define SLICE_BYTES_MAX ((size_t)64 << 20)
#define WAIT_MS 20

/* Rows on their way to the engine. Texts that are not kept elsewhere are in the arena. */
struct slice {
    struct engine_question question;
    struct engine *engine;
    history_column column;
    struct arena arena;
    struct history_row rows[SLICE_ROWS];
    struct history_value values[SLICE_ROWS];
    size_t count;
    uint32_t block_count;
    bool is_last;
    bool at_start; /* there is no engine thread yet */
    err error;
};

struct fill {
    struct engine *engine;
    struct fill_value *value;
    struct slice *slice;
    _Atomic uint32_t *reached;
};

/* ---- slices ---- */

static void put_slice(const struct engine_state *state, struct engine_question *question)
{
    struct slice *slice = question->context;
    struct history *history = slice->engine->history;
    (void)state;
    slice->error = history_fill_rows(history, slice->column, slice->rows, slice->count);
    if (slice->error == ERR_OK && slice->is_last)
        history_fill_end(history, slice->column);
}

static err hand_over(struct slice *slice, bool is_last)
{
    slice->is_last = is_last;
    slice->question = (struct engine_question){ .ask = put_slice, .context = slice };
    err error = ERR_BUSY;
    if (slice->at_start) {
        put_slice(NULL, &slice->question);
        error = ERR_OK;
    }
    while (error == ERR_BUSY) {
        error = engine_ask_wait(slice->engine, &slice->question);
        if (error == ERR_BUSY)
            steady_sleep_ms(WAIT_MS);
    }
    slice->count = 0;
    slice->block_count = 0;
    arena_reset(&slice->arena);
    return error != ERR_OK ? error : slice->error;
}

static err hold_texts(struct slice *slice, struct history_value *value)
{
    str *texts = arena_array(&slice->arena, str, value->text_count);
    if (texts == NULL)
        return ERR_NOMEM;
    for (uint32_t index = 0; index < value->text_count; index++) {
        err error = arena_dup(&slice->arena, value->texts[index], &texts[index]);
        if (error != ERR_OK)
            return error;
    }
    value->texts = texts;
    return arena_dup(&slice->arena, value->text, &value->text);
}

/* `is_kept`: the value's texts stay as long as the slice needs them. */
static err slice_add(struct slice *slice, const struct history_row *row,
                     const struct history_value *value, bool is_kept)
{
    uint32_t block = row->node / HISTORY_BLOCK_NODES;
    bool is_next =
        slice->count == 0 || block != slice->rows[slice->count - 1].node / HISTORY_BLOCK_NODES;
    err error = ERR_OK;
    if (slice->count == SLICE_ROWS || (is_next && slice->block_count == SLICE_BLOCKS))
        error = hand_over(slice, false);
    if (error != ERR_OK)
        return error;
    slice->block_count += is_next || slice->count == 0;
    struct history_value *held = &slice->values[slice->count];
    *held = *value;
    slice->rows[slice->count] = *row;
    slice->rows[slice->count].value_count = 1;
    slice->rows[slice->count].values = held;
    slice->count++;
    return is_kept ? ERR_OK : hold_texts(slice, held);
}

static err fill_new(struct fill *fill, struct engine *engine, const struct fill_want *want)
{
    *fill = (struct fill){ .engine = engine };
    fill->slice = memory_alloc(sizeof *fill->slice);
    if (fill->slice == NULL)
        return ERR_NOMEM;
    fill->slice->engine = engine;
    fill->slice->column = want->column;
    arena_init(&fill->slice->arena, "history_fill", SLICE_BYTES_MAX);
    return fill_value_new(&fill->value, want);
}

static void fill_free(struct fill *fill)
{
    fill_value_free(&fill->value);
    if (fill->slice != NULL)
        arena_deinit(&fill->slice->arena);
    memory_free(fill->slice);
}

/* ---- from the warehouse ---- */

enum { CUSTOMER, SEQ, TIME_MS, FOUND, CURRENCY, COLUMNS };

static bool is_as_asked(const struct fill *fill, const struct native_block *block)
{
    const struct native_column *columns = block->columns;
    return block->column_count == (fill_value_has_currency(fill->value) ? COLUMNS : CURRENCY) &&
           columns[CUSTOMER].width == 4 && columns[SEQ].width == 8 && columns[TIME_MS].width == 8 &&
           columns[FOUND].width == (fill_value_is_text(fill->value) ? 0 : 8) &&
           (block->column_count == CURRENCY || columns[CURRENCY].width == 0);
}

static struct cursor column_cursor(const struct native_block *block, uint32_t column)
{
    return cursor_over(str_from_bytes(block->columns[column].data, block->columns[column].size));
}

static err add_row(struct fill *fill, const struct history_row *row, struct cursor *found,
                   struct cursor *currency)
{
    const struct history_value *value = NULL;
    bool is_kept = false;
    err error = ERR_OK;
    if (!fill_value_is_text(fill->value)) {
        error = fill_value_of_number(fill->value, read_i64(found), &value);
    } else {
        str text = read_text(found);
        str unit = fill_value_has_currency(fill->value) ? read_text(currency) : STR_NONE;
        if (fill_value_is_full(fill->value)) {
            error = hand_over(fill->slice, false);
            fill_value_forget(fill->value);
        }
        if (error == ERR_OK && text.size > 0)
            error = fill_value_of_text(fill->value, text, unit, &value, &is_kept);
    }
    if (error == ERR_OK && value != NULL)
        error = slice_add(fill->slice, row, value, is_kept);
    return error;
}

static err take_block(void *context, const struct native_block *block)
{
    struct fill *fill = context;
    if (!is_as_asked(fill, block))
        return ERR_CORRUPT;
    struct cursor customers = column_cursor(block, CUSTOMER), seqs = column_cursor(block, SEQ);
    struct cursor times = column_cursor(block, TIME_MS), found = column_cursor(block, FOUND);
    struct cursor currencies = { .next = NULL };
    struct history_row row = { .node = 0 };
    err error = ERR_OK;
    if (block->column_count > CURRENCY)
        currencies = column_cursor(block, CURRENCY);
    for (size_t i = 0; error == ERR_OK && i < block->row_count; i++) {
        row.node = read_u32(&customers);
        row.seq = read_u64(&seqs);
        row.time_ms = read_i64(&times);
        error = add_row(fill, &row, &found, &currencies);
    }
    if (fill->reached != NULL)
        atomic_store(fill->reached, row.node);
    return error == ERR_OK && atomic_load(&fill->engine->stopping) ? ERR_UNAVAILABLE : error;
}

err fill_from_warehouse(struct engine *engine, const struct fill_want *want, bool at_start,
                        _Atomic uint32_t *reached, struct problem *problem)
{
    struct fill fill;
    struct buffer sql;
    buffer_init(&sql, (size_t)1 << 16);
    err error = fill_new(&fill, engine, want);
    if (error == ERR_OK) {
        fill.reached = reached;
        fill.slice->at_start = at_start;
        fill_value_write_query(fill.value, want->seq, &sql);
        error = buffer_status(&sql);
    }
    if (error == ERR_OK)
        error = native_stream(engine->warehouse, "history_column_filled", sql.data, take_block,
                              &fill, problem);
    if (error == ERR_OK)
        error = hand_over(fill.slice, true);
    fill_free(&fill);
    buffer_deinit(&sql);
    return error;
}

/* ---- from the tail ---- */

struct tail_rows {
    struct fill fill;
    struct history_row *rows;
    size_t count, capacity;
};

static int compare_rows(const void *a, const void *b)
{
    const struct history_row *one = a, *other = b;
    if (one->node != other->node)
        return one->node < other->node ? -1 : 1;
    if (one->time_ms != other->time_ms)
        return one->time_ms < other->time_ms ? -1 : 1;
    return (one->seq > other->seq) - (one->seq < other->seq);
}

static err keep_tail_row(struct tail_rows *kept, uint32_t node, const struct event *event)
{
    struct slice *slice = kept->fill.slice;
    const struct history_value *found;
    err error = fill_value_of_event(kept->fill.value, event, &found);
    if (error != ERR_OK || found == NULL)
        return error;
    if (kept->count == kept->capacity) {
        size_t capacity = kept->capacity == 0 ? 1024 : kept->capacity * 2;
        void *grown = memory_resize(kept->rows, capacity * sizeof *kept->rows);
        if (grown == NULL)
            return ERR_NOMEM;
        kept->rows = grown;
        kept->capacity = capacity;
    }
    struct history_value *value = arena_array(&slice->arena, struct history_value, 1);
    if (value == NULL)
        return ERR_NOMEM;
    *value = *found;
    kept->rows[kept->count++] = (struct history_row){ .node = node,
                                                      .seq = event->seq,
                                                      .time_ms = event->time_ms,
                                                      .value_count = 1,
                                                      .values = value };
    return hold_texts(slice, value);
}

static err keep_tail_block(struct tail_rows *kept, const struct applied_block *applied,
                           struct log_block *block, struct arena *arena)
{
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    err error = ERR_OK;
    for (uint32_t index = 0; error == ERR_OK && log_block_next(&cursor, &record); index++) {
        struct event event;
        if (applied->nodes[index] == 0)
            continue;
        arena_reset(arena);
        error = event_decode(record.body, arena, &event, NULL);
        event.seq = record.seq;
        event.received_ms = block->received_ms;
        if (error == ERR_OK)
            error = keep_tail_row(kept, applied->nodes[index], &event);
    }
    return error;
}

err fill_from_tail(struct engine *engine, const struct fill_want *want)
{
    struct tail_rows kept = { .count = 0 };
    struct arena arena;
    arena_init(&arena, "history_fill_event", SLICE_BYTES_MAX);
    err error = fill_new(&kept.fill, engine, want);
    for (struct applied_block *applied = engine->tail.first; error == ERR_OK && applied != NULL;
         applied = applied->next) {
        struct log_block *block = NULL;
        error = applied_block_open(applied, engine->log, &block, NULL);
        if (error == ERR_OK) {
            error = keep_tail_block(&kept, applied, block, &arena);
            log_block_release(&block);
        }
    }
    if (error == ERR_OK && kept.count > 0) {
        qsort(kept.rows, kept.count, sizeof *kept.rows, compare_rows);
        error = history_fill_rows(engine->history, want->column, kept.rows, kept.count);
    }
    if (error == ERR_OK)
        history_fill_end(engine->history, want->column);
    memory_free(kept.rows);
    fill_free(&kept.fill);
    arena_deinit(&arena);
    return error;
}
