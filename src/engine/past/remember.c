/* SPDX-License-Identifier: Apache-2.0 */
/* remember: history beside apply; see remember.h. */
#include "engine/past/remember.h"

#include <string.h>

#include "base/logline.h"
#include "engine/flush/flush.h"
#include "engine/past/fill.h"
#include "engine/past/ordered.h"
#include "engine/past/past.h"
#include "engine/past/row_form.h"
#include "engine/state.h"
#include "history/extract.h"

#define GROUP_NODES_MAX 65536
/* Rows in memory at once at start, twice: of some 90 bytes, or with all their properties. */
#define ROWS_MAX 1000000u
#define PROPS_ROWS_MAX 200000u
#define ROWS_BYTES_MAX ((size_t)256 << 20)
#define WAIT_MS 20

struct want {
    struct want *next;
    struct fill_want fill; /* its path is behind this struct */
};

struct remember {
    struct engine *engine;
    pthread_t thread;
    bool thread_runs;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    struct want *first, **last;
    bool stopping;
    uint32_t wanted_count;  /* since none was wanted */
    uint32_t waiting_count; /* of them, how many are not there yet */
    _Atomic uint32_t
        reached;     /* of the one that is being filled: the highest customer whose events are in */
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

static void walk_row(const void *context, struct cursor *cursor, struct row_place *place)
{
    const struct load *load = context;
    struct event event;
    form_read_event(&load->form, cursor, &place->customer, &event);
    place->time_ms = event.time_ms;
    place->seq = event.seq;
}

static err stream_all(struct load *load, struct problem *problem)
{
    struct engine *engine = load->engine;
    struct buffer columns, from;
    buffer_init(&columns, (size_t)1 << 20);
    buffer_init(&from, (size_t)8 << 20);
    form_write_columns(&load->form, &columns);
    form_write_from(atomic_load(&engine->flushed_seq), &from);
    jobs_write_kept(&engine->jobs, &from);
    erasures_write_kept(&engine->erasures, &from);
    packed_write_condition(engine, PACK_EVENTS, &from);
    struct ordered ordered = { .warehouse = engine->warehouse,
                               .columns = buffer_str(&columns),
                               .from = buffer_str(&from),
                               .rows_max = load->form.props ? PROPS_ROWS_MAX : ROWS_MAX,
                               .bytes_max = ROWS_BYTES_MAX,
                               .walk = walk_row,
                               .take = take_load_row,
                               .context = load };
    err error = buffer_status(&load->form.names);
    if (error == ERR_OK && (buffer_status(&columns) != ERR_OK || buffer_status(&from) != ERR_OK))
        error = ERR_NOMEM;
    if (error == ERR_OK)
        error = ordered_stream(&ordered, "history_loaded", problem);
    buffer_deinit(&columns);
    buffer_deinit(&from);
    return error;
}

static err use_columns(struct load *load, const struct remember *remember)
{
    if (remember->first == NULL)
        return ERR_OK;
    err error = extractor_new(&load->extractor);
    for (const struct want *want = remember->first; want != NULL && error == ERR_OK;
         want = want->next) {
        form_add(&load->form, want->fill.path, want->fill.kind);
        error = extractor_add(load->extractor, want->fill.path, want->fill.kind, want->fill.column);
    }
    return error;
}

/* ---- what packs lack ---- */

/* A column that some pack did not have: what the packs had of it stays, the rest comes now. */
static err fill_lacking(struct engine *engine, struct problem *problem)
{
    uint64_t flushed = atomic_load(&engine->flushed_seq);
    err error = ERR_OK;
    for (struct want *want = engine->remember->first; want != NULL && error == ERR_OK;
         want = want->next) {
        if (!history_load_lacks(engine->history, want->fill.column))
            continue;
        want->fill.seq = flushed;
        error = fill_from_warehouse(engine, &want->fill, true, NULL, problem);
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
        if (!history_column_is_ready(engine->history, want->fill.column))
            history_fill_end(engine->history, want->fill.column);
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

static void want_is_done(struct remember *remember)
{
    pthread_mutex_lock(&remember->mutex);
    atomic_store(&remember->reached, 0);
    if (--remember->waiting_count == 0)
        remember->wanted_count = 0;
    pthread_mutex_unlock(&remember->mutex);
}

/* What is under way counts for as much as it has come through the customers. */
uint32_t remember_filling(struct engine *engine, double *share)
{
    struct remember *remember = engine->remember;
    uint32_t last = history_node_count(engine->history);
    pthread_mutex_lock(&remember->mutex);
    uint32_t waiting = remember->waiting_count;
    double reached = last > 0 ? (double)atomic_load(&remember->reached) / (double)last : 0;
    *share = waiting > 0 ? ((double)(remember->wanted_count - waiting) + reached) /
                               (double)remember->wanted_count
                         : 1;
    pthread_mutex_unlock(&remember->mutex);
    return waiting;
}

static void *run_fills(void *context)
{
    struct remember *remember = context;
    struct engine *engine = remember->engine;
    struct want *want;
    pthread_setname_np(pthread_self(), "kith-remember");
    while ((want = next_want(remember)) != NULL) {
        err error = ERR_UNAVAILABLE;
        while (error != ERR_OK && wait_until_flushed(engine, want->fill.seq)) {
            struct problem problem = { .error = ERR_OK };
            error = fill_from_warehouse(engine, &want->fill, false, &remember->reached, &problem);
            if (error != ERR_OK) {
                log_line(LOG_WARN, "history_column_retry", "path=\"%.*s\" reason=\"%s\"",
                         STR_ARG(want->fill.path), problem.detail);
                steady_sleep_ms(SECOND_MS);
            }
        }
        want_is_done(remember);
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

/* ---- a new column ---- */

err remember_fill(struct engine *engine, str path, enum column_kind kind, history_column column)
{
    struct remember *remember = engine->remember;
    struct fill_want fill = {
        .path = path, .kind = kind, .column = column, .seq = engine->applied_seq
    };
    if (engine->warehouse == NULL && remember->is_loaded)
        return fill_from_tail(engine, &fill);
    struct want *want = memory_alloc(sizeof *want + path.size + 1);
    if (want == NULL)
        return ERR_NOMEM;
    char *text = (char *)(want + 1);
    memcpy(text, path.data, path.size);
    fill.path = str_from_bytes(text, path.size);
    *want = (struct want){ .fill = fill };
    pthread_mutex_lock(&remember->mutex);
    *remember->last = want;
    remember->last = &want->next;
    if (remember->is_loaded) {
        remember->wanted_count++;
        remember->waiting_count++;
    }
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
