/* SPDX-License-Identifier: Apache-2.0 */
/* past: rows of history that memory does not hold; see past.h. */
#include "engine/past/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "engine/flush/flush.h"
#include "engine/past/row_form.h"
#include "engine/past/rows.h"
#include "engine/state.h"
#include "history/extract.h"

#define WAIT_MS 20
#define RETRY_MS 500
#define DECODED_BYTES_MAX ((size_t)64 << 20)
#define SQL_BYTES_MAX ((size_t)8 << 20)
/* A list of so many numbers is 80 KB of SQL; denser ones are asked for as a range. */
#define LISTED_NODES_MAX 8192
#define RANGE_SPARSE 16u
#define SEQS_FIRST 1024u

/* ---- what was taken back ---- */

/* Open addressing; 0 is free, and no record has it. */
struct past {
    pthread_mutex_t mutex;
    uint64_t *seqs;
    size_t count, capacity;
};

err past_new(struct past **past)
{
    *past = memory_alloc(sizeof(**past));
    if (*past == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&(*past)->mutex, NULL);
    return ERR_OK;
}

void past_free(struct past **past)
{
    struct past *gone = *past;
    *past = NULL;
    if (gone == NULL)
        return;
    memory_free(gone->seqs);
    pthread_mutex_destroy(&gone->mutex);
    memory_free(gone);
}

static uint64_t *place_of(uint64_t *seqs, size_t capacity, uint64_t seq)
{
    size_t at = (size_t)hash_mix64(seq) & (capacity - 1);
    while (seqs[at] != 0 && seqs[at] != seq)
        at = (at + 1) & (capacity - 1);
    return &seqs[at];
}

static err grow(struct past *past)
{
    size_t capacity = past->capacity == 0 ? SEQS_FIRST : past->capacity * 2;
    uint64_t *seqs = memory_alloc(capacity * sizeof(*seqs));
    if (seqs == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < past->capacity; i++)
        if (past->seqs[i] != 0)
            *place_of(seqs, capacity, past->seqs[i]) = past->seqs[i];
    memory_free(past->seqs);
    past->seqs = seqs;
    past->capacity = capacity;
    return ERR_OK;
}

err past_retracted(struct past *past, uint64_t seq)
{
    err error = ERR_OK;
    pthread_mutex_lock(&past->mutex);
    if (2 * (past->count + 1) > past->capacity)
        error = grow(past);
    if (error == ERR_OK) {
        uint64_t *place = place_of(past->seqs, past->capacity, seq);
        past->count += *place == 0;
        *place = seq;
    }
    pthread_mutex_unlock(&past->mutex);
    return error;
}

static bool is_retracted(struct past *past, uint64_t seq)
{
    pthread_mutex_lock(&past->mutex);
    bool found = past->capacity > 0 && *place_of(past->seqs, past->capacity, seq) == seq;
    pthread_mutex_unlock(&past->mutex);
    return found;
}

/* ---- reading ---- */

struct reading {
    struct engine *engine;
    const struct audience_past *asked;
    struct row_form form;
    struct extractor *extractor; /* NULL: no columns are wanted */
    struct event event;
    struct buffer kept; /* SQL: less what is being taken back */
    uint64_t until_seq;
};

static bool is_asked_node(const struct audience_past *asked, uint32_t node)
{
    size_t low = 0, high = asked->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (asked->nodes[middle] < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < asked->node_count && asked->nodes[low] == node;
}

static bool is_asked_type(const struct audience_past *asked, str type)
{
    for (size_t i = 0; i < asked->type_count; i++)
        if (str_equal(asked->types[i], type))
            return true;
    return asked->type_count == 0;
}

static err give_row(struct reading *reading, uint32_t node, const struct event *event)
{
    const struct audience_past *asked = reading->asked;
    struct history_row row = { .node = node,
                               .seq = event->seq,
                               .time_ms = event->time_ms,
                               .type = event->type,
                               .channel = event->channel };
    if (!is_asked_node(asked, node) || is_retracted(reading->engine->past, event->seq))
        return ERR_OK;
    err error = ERR_OK;
    if (reading->extractor != NULL)
        error = extractor_run(reading->extractor, event, &row.values, &row.value_count);
    return error == ERR_OK ? asked->take(asked->context, &row) : error;
}

static err take_row(void *context, struct cursor *cursor)
{
    struct reading *reading = context;
    uint32_t node;
    form_read_event(&reading->form, cursor, &node, &reading->event);
    return cursor->failed ? ERR_OK : give_row(reading, node, &reading->event);
}

/* ---- from the warehouse ---- */

static void write_nodes(const uint32_t *nodes, size_t count, struct buffer *sql)
{
    if ((uint64_t)nodes[count - 1] - nodes[0] < (uint64_t)count * RANGE_SPARSE) {
        buffer_printf(sql, " AND customer BETWEEN %u AND %u", nodes[0], nodes[count - 1]);
        return;
    }
    buffer_append_str(sql, STR(" AND customer IN ("));
    for (size_t i = 0; i < count; i++)
        buffer_printf(sql, i > 0 ? ",%u" : "%u", nodes[i]);
    buffer_append_byte(sql, ')');
}

static void write_types(const struct audience_past *asked, struct buffer *sql)
{
    for (size_t i = 0; i < asked->type_count; i++) {
        buffer_append_str(sql, i == 0 ? STR(" AND type IN (") : STR(","));
        rows_quote(sql, asked->types[i]);
    }
    if (asked->type_count > 0)
        buffer_append_byte(sql, ')');
}

static err stream_nodes(struct reading *reading, const uint32_t *nodes, size_t count,
                        struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    form_write_columns(&reading->form, &sql);
    form_write_from(reading->until_seq, &sql);
    write_nodes(nodes, count, &sql);
    write_types(reading->asked, &sql);
    buffer_append_str(&sql, buffer_str(&reading->kept));
    buffer_append_str(&sql, STR(" FORMAT RowBinary"));
    buffer_append_byte(&sql, 0);
    err error = buffer_status(&sql) != ERR_OK ? ERR_NOMEM : buffer_status(&reading->form.names);
    if (error == ERR_OK)
        error = rows_stream(reading->engine->warehouse, NULL, sql.data, take_row, reading, problem);
    buffer_deinit(&sql);
    return error;
}

/* As many neighbours as are dense enough for a range; else a list. */
static size_t piece_of(const uint32_t *nodes, size_t count)
{
    if ((uint64_t)nodes[count - 1] - nodes[0] < (uint64_t)count * RANGE_SPARSE)
        return count;
    return count < LISTED_NODES_MAX ? count : LISTED_NODES_MAX;
}

static err stream_all(struct reading *reading, struct problem *problem)
{
    const struct audience_past *asked = reading->asked;
    err error = ERR_OK;
    for (size_t at = 0; at < asked->node_count && error == ERR_OK;) {
        size_t count = piece_of(asked->nodes + at, asked->node_count - at);
        error = stream_nodes(reading, asked->nodes + at, count, problem);
        at += count;
    }
    return error;
}

static bool wait_until_flushed(struct engine *engine, uint64_t seq)
{
    while (!atomic_load(&engine->stopping) && atomic_load(&engine->flushed_seq) < seq) {
        flusher_wake(engine->flusher, true);
        steady_sleep_ms(WAIT_MS);
    }
    return !atomic_load(&engine->stopping);
}

/* ---- from the tail ---- */

static err take_block(struct reading *reading, const struct applied_block *applied,
                      struct log_block *block, struct arena *arena)
{
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    err error = ERR_OK;
    for (uint32_t index = 0; error == ERR_OK && log_block_next(&cursor, &record); index++) {
        struct event event;
        uint32_t node = applied->nodes[index];
        if (node == 0 || record.seq <= reading->until_seq || !is_asked_node(reading->asked, node))
            continue;
        arena_reset(arena);
        error = event_decode(record.body, arena, &event, NULL);
        event.seq = record.seq;
        event.received_ms = block->received_ms;
        if (error == ERR_OK && is_asked_type(reading->asked, event.type))
            error = give_row(reading, node, &event);
    }
    return error;
}

static bool has_asked(const struct audience_past *asked, const struct applied_block *applied)
{
    for (uint32_t i = 0; i < applied->count; i++)
        if (applied->nodes[i] != 0 && is_asked_node(asked, applied->nodes[i]))
            return true;
    return false;
}

/* Engine thread. */
static err take_tail(struct reading *reading)
{
    struct engine *engine = reading->engine;
    struct arena arena;
    err error = ERR_OK;
    arena_init(&arena, "history_past_event", DECODED_BYTES_MAX);
    for (struct applied_block *applied = engine->tail.first; error == ERR_OK && applied != NULL;
         applied = applied->next) {
        struct log_block *block = NULL;
        if (applied->first_seq + applied->count - 1 <= reading->until_seq ||
            !has_asked(reading->asked, applied))
            continue;
        error = applied_block_open(applied, engine->log, &block, NULL);
        if (error == ERR_OK) {
            error = take_block(reading, applied, block, &arena);
            log_block_release(&block);
        }
    }
    arena_deinit(&arena);
    return error;
}

/* ---- both ---- */

static err reading_begin(struct reading *reading)
{
    const struct audience_past *asked = reading->asked;
    buffer_init(&reading->form.names, (size_t)1 << 20);
    buffer_init(&reading->kept, (size_t)1 << 20);
    err error = asked->column_count > 0 ? extractor_new(&reading->extractor) : ERR_OK;
    for (size_t i = 0; i < asked->column_count && error == ERR_OK; i++) {
        const struct audience_column *column = &asked->columns[i];
        form_add(&reading->form, column->path, column->kind);
        error = extractor_add(reading->extractor, column->path, column->kind, column->column);
    }
    return error;
}

static void reading_end(struct reading *reading)
{
    extractor_free(&reading->extractor);
    buffer_deinit(&reading->form.names);
    buffer_deinit(&reading->kept);
}

/* The engine's thread: as of now; it waits for the warehouse, however long. */
static err read_now(struct reading *reading, struct problem *problem)
{
    struct engine *engine = reading->engine;
    err error = ERR_OK;
    reading->until_seq = engine->warehouse != NULL ? atomic_load(&engine->flushed_seq) : 0;
    jobs_write_kept(&engine->jobs, &reading->kept);
    erasures_write_kept(&engine->erasures, &reading->kept);
    while (engine->warehouse != NULL && reading->until_seq > 0 &&
           (error = stream_all(reading, problem)) != ERR_OK && error != ERR_NOMEM) {
        if (atomic_load(&engine->stopping))
            return ERR_UNAVAILABLE;
        log_line(LOG_WARN, "history_past_retry", "reason=\"%s\"", problem->detail);
        reading->asked->restart(reading->asked->context);
        steady_sleep_ms(RETRY_MS);
        problem->error = ERR_OK;
    }
    return error == ERR_OK ? take_tail(reading) : error;
}

struct asking {
    struct engine_question question;
    struct reading *reading;
    err error;
};

static void ask_kept(const struct engine_state *state, struct engine_question *question)
{
    struct asking *asking = question->context;
    (void)state;
    jobs_write_kept(&asking->reading->engine->jobs, &asking->reading->kept);
    erasures_write_kept(&asking->reading->engine->erasures, &asking->reading->kept);
}

/* Without a warehouse the tail has everything, and is the engine's. */
static void ask_tail(const struct engine_state *state, struct engine_question *question)
{
    struct asking *asking = question->context;
    (void)state;
    asking->error = take_tail(asking->reading);
}

static err ask_engine(struct reading *reading,
                      void (*ask)(const struct engine_state *, struct engine_question *))
{
    struct asking asking = { .reading = reading };
    asking.question = (struct engine_question){ .ask = ask, .context = &asking };
    err error;
    while ((error = engine_ask_wait(reading->engine, &asking.question)) == ERR_BUSY)
        steady_sleep_ms(WAIT_MS);
    return error == ERR_OK ? asking.error : error;
}

static err read_until(struct reading *reading, struct problem *problem)
{
    struct engine *engine = reading->engine;
    if (engine->warehouse == NULL)
        return ask_engine(reading, ask_tail);
    reading->until_seq = reading->asked->until_seq;
    if (!wait_until_flushed(engine, reading->until_seq))
        return ERR_UNAVAILABLE;
    err error = ask_engine(reading, ask_kept);
    return error == ERR_OK ? stream_all(reading, problem) : error;
}

err past_read(void *context, const struct audience_past *asked, struct problem *problem)
{
    struct reading reading = { .engine = context, .asked = asked };
    if (asked->node_count == 0)
        return ERR_OK;
    err error = reading_begin(&reading);
    if (error == ERR_OK)
        error = asked->until_seq == AUDIENCE_PAST_NOW ? read_now(&reading, problem)
                                                      : read_until(&reading, problem);
    reading_end(&reading);
    return error;
}

uint64_t past_applied_seq(void *context)
{
    const struct engine *engine = context;
    return engine->applied_seq;
}
