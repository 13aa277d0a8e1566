/* SPDX-License-Identifier: Apache-2.0 */
/* remember: history beside apply; see remember.h. */
#include "engine/remember.h"

#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "engine/flush.h"
#include "engine/past.h"
#include "engine/row_form.h"
#include "engine/rows.h"
#include "engine/state.h"
#include "history/extract.h"

#define GROUP_NODES_MAX 65536
/* Rows handed to the engine at once: about a millisecond of it. */
#define SLICE_ROWS 4096
#define SLICE_BYTES_MAX ((size_t)64 << 20)
#define WAIT_MS 20

struct want {
    struct want *next;
    str path; /* behind this struct */
    enum column_kind kind;
    history_column column;
    uint64_t seq; /* events up to it came before the column */
};

struct remember {
    struct engine *engine;
    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    struct want *first, **last;
    bool stopping;
    bool is_loaded;  /* engine thread: columns from now on are filled by the thread */
    uint32_t *nodes; /* engine thread: of one customer */
};

/* ---- loading at start ---- */

struct load {
    struct engine *engine;
    struct row_form form;
    struct extractor *extractor; /* NULL: there are no columns */
    struct event event;
};

static err take_load_row(void *context, struct cursor *cursor)
{
    struct load *load = context;
    struct event *event = &load->event;
    struct history_row row = { .node = 0 };
    form_read_event(&load->form, cursor, &row.node, event);
    if (cursor->failed || visitors_has_left(load->engine, row.node) ||
        packed_until(load->engine, PACK_EVENTS, row.node) >= event->seq)
        return ERR_OK;
    row.seq = event->seq;
    row.time_ms = event->time_ms;
    row.type = event->type;
    row.channel = event->channel;
    err error = ERR_OK;
    if (load->extractor != NULL)
        error = extractor_run(load->extractor, event, &row.values, &row.value_count);
    return error == ERR_OK ? history_load_row(load->engine->history, &row) : error;
}

static err stream_all(struct load *load, struct problem *problem)
{
    struct engine *engine = load->engine;
    struct buffer sql;
    buffer_init(&sql, (size_t)4 << 20);
    form_write_select(&load->form, atomic_load(&engine->flushed_seq), &sql);
    jobs_write_kept(&engine->jobs, &sql);
    erasures_write_kept(&engine->erasures, &sql);
    packed_write_condition(engine, PACK_EVENTS, &sql);
    form_write_order(&sql);
    err error = buffer_status(&sql) != ERR_OK ? ERR_NOMEM : buffer_status(&load->form.names);
    if (error == ERR_OK)
        error = rows_stream(engine->warehouse, "history_loaded", sql.data, take_load_row, load,
                            problem);
    buffer_deinit(&sql);
    return error;
}

static err use_columns(struct load *load, const struct remember *remember)
{
    if (remember->first == NULL)
        return ERR_OK;
    err error = extractor_new(&load->extractor);
    for (const struct want *want = remember->first; want != NULL && error == ERR_OK;
         want = want->next) {
        form_add(&load->form, want->path, want->kind);
        error = extractor_add(load->extractor, want->path, want->kind, want->column);
    }
    return error;
}

/* ---- filling a column from the warehouse ---- */

/* Rows on their way to the engine; texts are in the arena. */
struct slice {
    struct engine_question question;
    struct engine *engine;
    history_column column;
    struct arena arena;
    struct history_row rows[SLICE_ROWS];
    struct history_value values[SLICE_ROWS];
    size_t count;
    bool is_last;
    bool at_start; /* there is no engine thread yet */
    err error;
};

struct fill {
    struct engine *engine;
    struct row_form form;
    struct extractor *extractor;
    struct event event;
    struct slice *slice;
};

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
    arena_reset(&slice->arena);
    return error != ERR_OK ? error : slice->error;
}

static err keep_texts(struct slice *slice, struct history_value *value)
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

static err slice_add(struct slice *slice, uint32_t node, const struct event *event,
                     const struct history_value *value)
{
    struct history_value *kept = &slice->values[slice->count];
    *kept = *value;
    slice->rows[slice->count] = (struct history_row){
        .node = node, .seq = event->seq, .time_ms = event->time_ms, .value_count = 1, .values = kept
    };
    err error = keep_texts(slice, kept);
    if (error == ERR_OK && ++slice->count == SLICE_ROWS)
        error = hand_over(slice, false);
    return error;
}

static err take_fill_row(void *context, struct cursor *cursor)
{
    struct fill *fill = context;
    const struct history_value *values;
    uint32_t node, count;
    form_read_event(&fill->form, cursor, &node, &fill->event);
    if (cursor->failed)
        return ERR_OK;
    if (atomic_load(&fill->engine->stopping))
        return ERR_UNAVAILABLE;
    err error = extractor_run(fill->extractor, &fill->event, &values, &count);
    if (error == ERR_OK && count > 0)
        error = slice_add(fill->slice, node, &fill->event, values);
    return error;
}

static err fill_new(struct fill *fill, struct engine *engine, str path, enum column_kind kind,
                    history_column column)
{
    *fill = (struct fill){ .engine = engine };
    buffer_init(&fill->form.names, (size_t)1 << 16);
    form_add(&fill->form, path, kind);
    fill->slice = memory_alloc(sizeof *fill->slice);
    if (fill->slice == NULL)
        return ERR_NOMEM;
    fill->slice->engine = engine;
    fill->slice->column = column;
    arena_init(&fill->slice->arena, "history_fill", SLICE_BYTES_MAX);
    err error = extractor_new(&fill->extractor);
    return error == ERR_OK ? extractor_add(fill->extractor, path, kind, column) : error;
}

static void fill_free(struct fill *fill)
{
    extractor_free(&fill->extractor);
    if (fill->slice != NULL)
        arena_deinit(&fill->slice->arena);
    memory_free(fill->slice);
    buffer_deinit(&fill->form.names);
}

static err fill_column(struct engine *engine, const struct want *want, bool at_start,
                       struct problem *problem)
{
    struct fill fill;
    struct buffer sql;
    buffer_init(&sql, (size_t)1 << 20);
    err error = fill_new(&fill, engine, want->path, want->kind, want->column);
    if (error == ERR_OK) {
        fill.slice->at_start = at_start;
        form_write(&fill.form, NULL, NULL, want->seq, true, &sql);
        error = buffer_status(&sql);
    }
    if (error == ERR_OK)
        error = rows_stream(engine->warehouse, "history_column_filled", sql.data, take_fill_row,
                            &fill, problem);
    if (error == ERR_OK)
        error = hand_over(fill.slice, true);
    fill_free(&fill);
    buffer_deinit(&sql);
    return error;
}

/* A column that some pack did not have: what the packs had of it stays, the rest comes now. */
static err fill_lacking(struct engine *engine, struct problem *problem)
{
    uint64_t flushed = atomic_load(&engine->flushed_seq);
    err error = ERR_OK;
    for (struct want *want = engine->remember->first; want != NULL && error == ERR_OK;
         want = want->next) {
        if (!history_load_lacks(engine->history, want->column))
            continue;
        want->seq = flushed;
        error = fill_column(engine, want, true, problem);
    }
    return error;
}

/* What was wanted before the load came with it. */
static void columns_are_there(struct engine *engine)
{
    struct remember *remember = engine->remember;
    while (remember->first != NULL) {
        struct want *want = remember->first;
        remember->first = want->next;
        if (!history_column_is_ready(engine->history, want->column))
            history_fill_end(engine->history, want->column);
        memory_free(want);
    }
    remember->last = &remember->first;
    remember->is_loaded = true;
}

err remember_load(struct engine *engine, struct problem *problem)
{
    struct load load = { .engine = engine };
    err error = ERR_OK;
    buffer_init(&load.form.names, (size_t)1 << 20);
    if (engine->warehouse != NULL && atomic_load(&engine->flushed_seq) > 0) {
        error = use_columns(&load, engine->remember);
        if (error == ERR_OK)
            error = history_load_begin(engine->history);
        if (error == ERR_OK)
            error = packed_load_events(engine);
        if (error == ERR_OK)
            error = stream_all(&load, problem);
        if (error == ERR_OK)
            error = history_load_end(engine->history);
        if (error == ERR_OK)
            error = fill_lacking(engine, problem);
    }
    if (error == ERR_OK) {
        columns_are_there(engine);
        packed_loaded(engine);
    }
    extractor_free(&load.extractor);
    buffer_deinit(&load.form.names);
    if (error != ERR_OK && problem->error == ERR_OK)
        problem_set(problem, error, "the history of the customers could not be loaded: %s",
                    err_title(error));
    return error;
}

/* ---- who is one customer ---- */

err remember_group(struct engine *engine, uint32_t customer)
{
    uint32_t *nodes = engine->remember->nodes;
    size_t count = identity_nodes(engine->identity, customer, nodes, GROUP_NODES_MAX);
    /* More than that are no person: the first ones are shown, as they are everywhere. */
    return history_group(engine->history, nodes, count < GROUP_NODES_MAX ? count : GROUP_NODES_MAX);
}

err remember_group_all(struct engine *engine)
{
    uint32_t last = identity_node_count(engine->identity);
    err error = ERR_OK;
    for (uint32_t node = 1; node <= last && error == ERR_OK; node++) {
        if (identity_root(engine->identity, node) == node)
            error = remember_group(engine, node);
    }
    return error;
}

/* At start: a node that is alone needs no call. */
static err group_at_start(struct engine *engine)
{
    uint32_t last = identity_node_count(engine->identity);
    err error = ERR_OK;
    for (uint32_t node = 1; node <= last && error == ERR_OK; node++) {
        uint32_t two[2];
        if (identity_root(engine->identity, node) == node &&
            identity_nodes(engine->identity, node, two, 2) > 1)
            error = remember_group(engine, node);
    }
    return error;
}

/* ---- filling columns while the engine runs: a thread of its own ---- */

/* Everything from before the column must be in the warehouse: until then there is nothing to ask. */
static bool wait_until_flushed(struct engine *engine, uint64_t seq)
{
    while (!atomic_load(&engine->stopping) && atomic_load(&engine->flushed_seq) < seq) {
        flusher_wake(engine->flusher, true);
        steady_sleep_ms(WAIT_MS);
    }
    return !atomic_load(&engine->stopping);
}

static struct want *next_want(struct remember *remember)
{
    pthread_mutex_lock(&remember->mutex);
    while (remember->first == NULL && !remember->stopping)
        pthread_cond_wait(&remember->wake, &remember->mutex);
    struct want *want = remember->stopping ? NULL : remember->first;
    if (want != NULL) {
        remember->first = want->next;
        if (remember->first == NULL)
            remember->last = &remember->first;
    }
    pthread_mutex_unlock(&remember->mutex);
    return want;
}

static void *run_fills(void *context)
{
    struct remember *remember = context;
    struct engine *engine = remember->engine;
    struct want *want;
    pthread_setname_np(pthread_self(), "kith-remember");
    while ((want = next_want(remember)) != NULL) {
        err error = ERR_UNAVAILABLE;
        while (error != ERR_OK && wait_until_flushed(engine, want->seq)) {
            struct problem problem = { .error = ERR_OK };
            error = fill_column(engine, want, false, &problem);
            if (error != ERR_OK) {
                log_line(LOG_WARN, "history_column_retry", "path=\"%.*s\" reason=\"%s\"",
                         STR_ARG(want->path), problem.detail);
                steady_sleep_ms(SECOND_MS);
            }
        }
        memory_free(want);
    }
    return NULL;
}

/* ---- what is taken back, what is stored ---- */

err remember_retract(struct engine *engine, uint32_t node, uint64_t seq)
{
    err error = past_retracted(engine->past, seq);
    if (error == ERR_OK)
        error = history_retract(engine->history, node, seq);
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

void remember_tidy(struct engine *engine, int64_t budget_us)
{
    if (engine->warehouse != NULL)
        history_set_stored(engine->history, atomic_load(&engine->flushed_seq));
    history_tidy(engine->history, budget_us);
}

/* ---- filling from the tail: where there is no warehouse, it has everything ---- */

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
    const struct history_value *values;
    uint32_t count;
    err error = extractor_run(kept->fill.extractor, event, &values, &count);
    if (error != ERR_OK || count == 0)
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
    *value = *values;
    kept->rows[kept->count++] = (struct history_row){ .node = node,
                                                      .seq = event->seq,
                                                      .time_ms = event->time_ms,
                                                      .value_count = 1,
                                                      .values = value };
    return keep_texts(slice, value);
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

/* Engine thread; tests and `kith rebuild`, where nobody waits. */
static err fill_from_tail(struct engine *engine, str path, enum column_kind kind,
                          history_column column)
{
    struct tail_rows kept = { .count = 0 };
    struct arena arena;
    arena_init(&arena, "history_fill_event", SLICE_BYTES_MAX);
    err error = fill_new(&kept.fill, engine, path, kind, column);
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
        error = history_fill_rows(engine->history, column, kept.rows, kept.count);
    }
    if (error == ERR_OK)
        history_fill_end(engine->history, column);
    memory_free(kept.rows);
    fill_free(&kept.fill);
    arena_deinit(&arena);
    return error;
}

err remember_fill(struct engine *engine, str path, enum column_kind kind, history_column column)
{
    struct remember *remember = engine->remember;
    if (engine->warehouse == NULL && remember->is_loaded)
        return fill_from_tail(engine, path, kind, column);
    struct want *want = memory_alloc(sizeof *want + path.size + 1);
    if (want == NULL)
        return ERR_NOMEM;
    char *text = (char *)(want + 1);
    memcpy(text, path.data, path.size);
    *want = (struct want){
        .path = { text, path.size }, .kind = kind, .column = column, .seq = engine->applied_seq
    };
    pthread_mutex_lock(&remember->mutex);
    *remember->last = want;
    remember->last = &want->next;
    pthread_cond_signal(&remember->wake);
    pthread_mutex_unlock(&remember->mutex);
    return ERR_OK;
}

/* ---- life ---- */

err remember_new(struct engine *engine)
{
    struct remember *remember = memory_alloc(sizeof *remember);
    if (remember == NULL)
        return ERR_NOMEM;
    *remember = (struct remember){ .engine = engine };
    remember->last = &remember->first;
    pthread_mutex_init(&remember->mutex, NULL);
    pthread_cond_init(&remember->wake, NULL);
    engine->remember = remember;
    remember->nodes = memory_alloc(GROUP_NODES_MAX * sizeof *remember->nodes);
    if (remember->nodes == NULL)
        return ERR_NOMEM;
    err error = past_new(&engine->past);
    if (error != ERR_OK)
        return error;
    struct history_config config = { .memory_bytes_max = engine->config.history_bytes_max };
    return history_new(&engine->history, &config);
}

err remember_start(struct engine *engine, struct problem *problem)
{
    struct remember *remember = engine->remember;
    err error = group_at_start(engine);
    if (error != ERR_OK)
        return problem_set(problem, error, "customers could not be put together in history: %s",
                           err_title(error));
    if (engine->warehouse == NULL)
        return ERR_OK;
    if (pthread_create(&remember->thread, NULL, run_fills, remember) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    remember->thread_runs = true;
    return ERR_OK;
}

void remember_stop(struct engine *engine)
{
    struct remember *remember = engine->remember;
    if (remember == NULL)
        return;
    pthread_mutex_lock(&remember->mutex);
    remember->stopping = true;
    pthread_cond_signal(&remember->wake);
    pthread_mutex_unlock(&remember->mutex);
    if (remember->thread_runs)
        pthread_join(remember->thread, NULL);
    remember->thread_runs = false;
}

void remember_free(struct engine *engine)
{
    struct remember *remember = engine->remember;
    if (remember == NULL)
        return;
    while (remember->first != NULL) {
        struct want *want = remember->first;
        remember->first = want->next;
        memory_free(want);
    }
    history_free(&engine->history);
    past_free(&engine->past);
    memory_free(remember->nodes);
    pthread_cond_destroy(&remember->wake);
    pthread_mutex_destroy(&remember->mutex);
    memory_free(remember);
    engine->remember = NULL;
}
