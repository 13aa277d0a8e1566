/* SPDX-License-Identifier: Apache-2.0 */
/* jobs: the state of imports inside apply, from the ledger and back; the watch. See jobs.h. */
#include "engine/jobs.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/logline.h"
#include "engine/state.h"
#include "store/events.h"

#define TEXTS_BYTES_MAX ((size_t)512 << 20)

static const char *const status_texts[JOB_STATUS_COUNT] = {
#define X(name, text) [JOB_##name] = text,
    JOB_STATUS_TABLE(X)
#undef X
};

const char *job_status_text(enum job_status status)
{
    return status_texts[status];
}

bool job_status_parse(str text, enum job_status *status)
{
    for (int i = 0; i < JOB_STATUS_COUNT; i++) {
        if (!str_equal(text, str_from_c(status_texts[i])))
            continue;
        *status = (enum job_status)i;
        return true;
    }
    return false;
}

/* ---- life ---- */

void jobs_init(struct jobs *jobs)
{
    *jobs = (struct jobs){ .count = 0 };
    arena_init(&jobs->texts, "jobs_watch", TEXTS_BYTES_MAX);
}

void jobs_deinit(struct jobs *jobs)
{
    memory_free(jobs->items);
    memory_free(jobs->watched);
    expiry_deinit(&jobs->expiry);
    arena_deinit(&jobs->texts);
}

struct job *jobs_find(struct jobs *jobs, uint32_t number)
{
    return number > 0 && number <= jobs->count ? &jobs->items[number - 1] : NULL;
}

err jobs_add(struct jobs *jobs, struct job **added)
{
    if (jobs->count == jobs->capacity) {
        uint32_t capacity = jobs->capacity == 0 ? 16 : jobs->capacity * 2;
        struct job *items = memory_resize(jobs->items, capacity * sizeof *items);
        if (items == NULL)
            return ERR_NOMEM;
        jobs->items = items;
        jobs->capacity = capacity;
    }
    *added = &jobs->items[jobs->count++];
    **added = (struct job){ .number = jobs->count, .position = 1 };
    return ERR_OK;
}

/* ---- the ledger ---- */

void job_put(const struct job *job, struct ledger_writes *writes)
{
    char bytes[640];
    struct buffer counts = { .data = bytes, .capacity = sizeof bytes, .size_max = sizeof bytes };
    struct json_writer writer;
    json_writer_init(&writer, &counts);
    json_begin_object(&writer);
#define X(member) json_member_int(&writer, STR(#member), (int64_t)job->member);
    JOB_TOLD_TABLE(X)
    JOB_SEEN_TABLE(X)
#undef X
    json_member_bool(&writer, STR("cancelled"), job->cancelled);
    json_end_object(&writer);
    LEDGER_PUT(writes, LEDGER_IMPORT_STATES, ledger_int(job->number),
               ledger_text(str_from_c(job_status_text(job->status))),
               ledger_text(str_from_c(job->reason)), ledger_int((int64_t)job->position),
               ledger_int((int64_t)job->report_bytes), ledger_int((int64_t)job->undo_place),
               ledger_int((int64_t)job->cut_seq), ledger_int((int64_t)job->first_seq),
               ledger_int((int64_t)job->last_seq), ledger_int(job->changed_ms),
               ledger_text(buffer_str(&counts)));
}

struct job_load {
    struct jobs *jobs;
    struct json_parser *parser;
    struct problem *problem;
    err error;
};

static bool load_job(void *context, const struct ledger_value *values)
{
    struct job_load *load = context;
    struct job *job;
    load->error = jobs_add(load->jobs, &job);
    if (load->error == ERR_OK && (values[0].integer != job->number || values[1].bytes.size > 32))
        load->error = problem_set(load->problem, ERR_CORRUPT, "ledger: import %lld is out of order",
                                  (long long)values[0].integer);
    json_value settings;
    if (load->error == ERR_OK)
        load->error = json_parse(load->parser, values[2].bytes, &settings, load->problem);
    if (load->error == ERR_OK) {
        memcpy(job->identity, values[1].bytes.data, values[1].bytes.size);
        job_set_source(job, json_text(json_get(settings, STR("source"))));
    }
    return load->error == ERR_OK;
}

static bool load_state(void *context, const struct ledger_value *values)
{
    struct job_load *load = context;
    struct job *job = jobs_find(load->jobs, (uint32_t)values[0].integer);
    json_value counts;
    if (job == NULL || !job_status_parse(values[1].bytes, &job->status) ||
        json_parse(load->parser, values[10].bytes, &counts, NULL) != ERR_OK) {
        load->error = problem_set(load->problem, ERR_CORRUPT, "ledger: the state of import %lld",
                                  (long long)values[0].integer);
        return false;
    }
    snprintf(job->reason, sizeof job->reason, STR_FMT, STR_ARG(values[2].bytes));
    job->position = (uint64_t)values[3].integer;
    job->report_bytes = (uint64_t)values[4].integer;
    job->undo_place = (uint64_t)values[5].integer;
    job->cut_seq = (uint64_t)values[6].integer;
    job->first_seq = (uint64_t)values[7].integer;
    job->last_seq = (uint64_t)values[8].integer;
    job->changed_ms = values[9].integer;
    job->cancelled = json_bool(json_get(counts, STR("cancelled")), false);
#define X(member) job->member = (uint64_t)json_int(json_get(counts, STR(#member)), 0);
    JOB_TOLD_TABLE(X)
    JOB_SEEN_TABLE(X)
#undef X
    return true;
}

err jobs_load(struct jobs *jobs, struct ledger *ledger, struct problem *problem)
{
    struct job_load load = { .jobs = jobs, .problem = problem };
    err error = json_parser_new(&load.parser, (size_t)8 << 20);
    if (error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_IMPORTS, NULL, load_job, &load, problem);
    if (error == ERR_OK && load.error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_IMPORT_STATES, NULL, load_state, &load, problem);
    json_parser_free(&load.parser);
    return error != ERR_OK ? error : load.error;
}

/* ---- whose files they are ---- */

void job_set_source(struct job *job, str key)
{
    job->source[0] = '\0';
    if (key.size < sizeof job->source)
        snprintf(job->source, sizeof job->source, STR_FMT, STR_ARG(key));
}

static uint32_t source_number(const struct engine *engine, str key)
{
    for (size_t i = 0; i < engine->access.source_count && key.size > 0; i++) {
        const struct source *source = &engine->access.sources[i].source;
        if (str_equal(source->key, key))
            return source->number;
    }
    return 0;
}

err jobs_rank_sources(struct engine *engine, bool *changed)
{
    err error = ERR_OK;
    *changed = false;
    for (uint32_t i = 0; i < engine->jobs.count && error == ERR_OK; i++) {
        const struct job *job = &engine->jobs.items[i];
        uint32_t source = source_number(engine, str_from_c(job->source));
        bool other;
        error = profile_import_source(engine->profile, job->number, source, &other);
        *changed = *changed || other;
    }
    return error;
}

/* ---- the watch ---- */

void jobs_cut(struct jobs *jobs, uint64_t seq)
{
    jobs->cut_seq = seq;
    jobs->watched_count = 0;
    arena_reset(&jobs->texts);
}

err jobs_watch(struct jobs *jobs, const struct profile_observation *row)
{
    if (jobs->cut_seq == 0 || row->seq <= jobs->cut_seq)
        return ERR_OK;
    if (jobs->watched_count == jobs->watched_capacity) {
        size_t capacity = jobs->watched_capacity == 0 ? 256 : jobs->watched_capacity * 2;
        struct watched *watched = memory_resize(jobs->watched, capacity * sizeof *watched);
        if (watched == NULL)
            return ERR_NOMEM;
        jobs->watched = watched;
        jobs->watched_capacity = capacity;
    }
    struct watched *watched = &jobs->watched[jobs->watched_count];
    watched->row = *row;
    err error = arena_dup(&jobs->texts, row->type, &watched->row.type);
    if (error == ERR_OK)
        error = arena_dup(&jobs->texts, row->order_id, &watched->row.order_id);
    if (error == ERR_OK)
        error = arena_dup(&jobs->texts, row->currency, &watched->row.currency);
    jobs->watched_count += error == ERR_OK;
    return error;
}

static void note_clock(struct jobs *jobs, const struct event *event)
{
    uint32_t source = event->source_number;
    bool is_news = (event->flags & EVENT_HISTORICAL) == 0 && event->time_ms <= event->received_ms;
    if (source < SOURCES_WATCHED_MAX && is_news && event->time_ms > jobs->newest_ms[source])
        jobs->newest_ms[source] = event->time_ms;
}

void jobs_tick(struct engine *engine)
{
    struct jobs *jobs = &engine->jobs;
    for (size_t i = 0; i < engine->access.source_count; i++) {
        const struct source *source = &engine->access.sources[i].source;
        uint32_t number = source->number;
        if (number >= SOURCES_WATCHED_MAX || jobs->newest_ms[number] <= jobs->told_ms[number])
            continue;
        jobs->told_ms[number] = jobs->newest_ms[number];
        LEDGER_PUT(engine->writes, LEDGER_WATERMARKS, ledger_text(source->key),
                   ledger_int(jobs->newest_ms[number] - SOURCE_GRACE_MS),
                   ledger_int(engine->now_ms));
    }
}

void jobs_note(struct jobs *jobs, const struct event *event, bool applied, bool created,
               uint32_t merges)
{
    if (applied && !event_source_is_import(event->source_number))
        note_clock(jobs, event);
    if (!event_source_is_import(event->source_number))
        return;
    struct job *job = jobs_find(jobs, event->source_number - EVENT_SOURCE_IMPORT_FIRST);
    if (job == NULL)
        return;
    if (job->first_seq == 0)
        job->first_seq = event->seq;
    job->last_seq = event->seq;
    job->applied += applied;
    job->quarantined += !applied;
    job->customers += created;
    job->merges += merges;
}

/* ---- start ---- */

static bool is_undone(const struct job *job)
{
    return job->status == JOB_UNDONE || (job->status == JOB_CANCELLED && job->last_seq > 0);
}

void jobs_write_kept(const struct jobs *jobs, struct buffer *sql)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        const struct job *job = &jobs->items[i];
        if (job->status == JOB_UNDOING && job->undo_place > 0)
            buffer_printf(sql, " AND NOT (source = %u AND customer < %llu)",
                          EVENT_SOURCE_IMPORT_FIRST + job->number,
                          (unsigned long long)job->undo_place);
    }
    expiry_write_kept(&jobs->expiry, sql);
}

struct seq_rows {
    struct buffer *rows;
    uint64_t count, sum;
};

static bool take_retraction(void *context, const struct ledger_value *values)
{
    struct seq_rows *rows = context;
    write_u64(rows->rows, (uint64_t)values[0].integer);
    rows->count++;
    rows->sum += (uint64_t)values[0].integer;
    return true;
}

static err settle_table(struct engine *engine, const char *table, const char *column,
                        const struct seq_rows *rows, struct problem *problem)
{
    char batch[200];
    struct warehouse_list list = { .table = table,
                                   .column = column,
                                   .rows = buffer_str(rows->rows),
                                   .count = rows->count,
                                   .sum = rows->sum };
    snprintf(batch, sizeof batch, "%s_%llu_%llu", table, (unsigned long long)rows->count,
             (unsigned long long)steady_now().ns);
    return warehouse_settle_list(engine->warehouse, &list, str_from_c(batch), problem);
}

static err settle_retractions(struct engine *engine, struct problem *problem)
{
    struct buffer bytes;
    buffer_init(&bytes, (size_t)1 << 30);
    struct seq_rows rows = { .rows = &bytes };
    err error =
        ledger_scan(engine->ledger, LEDGER_RETRACTIONS, NULL, take_retraction, &rows, problem);
    if (error == ERR_OK)
        error = buffer_status(&bytes);
    if (error == ERR_OK)
        error = settle_table(engine, "retracted_events", "seq", &rows, problem);
    buffer_clear(&bytes);
    rows = (struct seq_rows){ .rows = &bytes };
    for (uint32_t i = 0; i < engine->jobs.count; i++) {
        const struct job *job = &engine->jobs.items[i];
        if (!is_undone(job))
            continue;
        write_u64(&bytes, EVENT_SOURCE_IMPORT_FIRST + job->number);
        rows.count++;
        rows.sum += EVENT_SOURCE_IMPORT_FIRST + job->number;
    }
    if (error == ERR_OK)
        error = settle_table(engine, "retracted_sources", "source", &rows, problem);
    buffer_deinit(&bytes);
    return error;
}

/* What was observed between the last cut and what is flushed; the rest comes from the log's tail. */
static err watch_flushed(struct engine *engine, struct problem *problem)
{
    char sql[320];
    struct buffer answer;
    buffer_init(&answer, (size_t)1 << 30);
    snprintf(sql, sizeof sql,
             "SELECT customer, seq, time_ms, toString(type), order_id, toString(currency), "
             "revenue, total FROM events_kept WHERE seq > %llu AND seq <= %llu AND customer > 0 "
             "FORMAT RowBinary",
             (unsigned long long)engine->jobs.cut_seq,
             (unsigned long long)atomic_load(&engine->flushed_seq));
    err error = warehouse_query(engine->warehouse, str_from_c(sql), NULL, 0, 5 * MINUTE_MS, &answer,
                                problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    while (error == ERR_OK && cursor_left(&cursor) > 0 && !cursor.failed) {
        struct profile_observation row = { .node = read_u32(&cursor), .seq = read_u64(&cursor) };
        row.time_ms = read_i64(&cursor);
        row.type = read_text(&cursor);
        row.order_id = read_text(&cursor);
        row.currency = read_text(&cursor);
        row.revenue = read_i64(&cursor);
        row.total = read_i64(&cursor);
        if (!cursor.failed)
            error = jobs_watch(&engine->jobs, &row);
    }
    buffer_deinit(&answer);
    return error;
}

/* A watermark only moves on, over restarts too. */
static bool take_watermark(void *context, const struct ledger_value *values)
{
    struct engine *engine = context;
    for (size_t i = 0; i < engine->access.source_count; i++) {
        const struct source *source = &engine->access.sources[i].source;
        if (source->number >= SOURCES_WATCHED_MAX || !str_equal(source->key, values[0].bytes))
            continue;
        engine->jobs.told_ms[source->number] = values[1].integer + SOURCE_GRACE_MS;
        engine->jobs.newest_ms[source->number] = values[1].integer + SOURCE_GRACE_MS;
    }
    return true;
}

err jobs_start(struct engine *engine, struct problem *problem)
{
    struct jobs *jobs = &engine->jobs;
    uint64_t cut = jobs->expiry.cut_seq;
    bool changed;
    err ranked = jobs_rank_sources(engine, &changed);
    if (ranked != ERR_OK)
        return ranked;
    err told =
        ledger_scan(engine->ledger, LEDGER_WATERMARKS, NULL, take_watermark, engine, problem);
    if (told != ERR_OK)
        return told;
    for (uint32_t i = 0; i < jobs->count; i++) {
        if (jobs->items[i].cut_seq > cut)
            cut = jobs->items[i].cut_seq;
    }
    err error = engine->warehouse != NULL ? settle_retractions(engine, problem) : ERR_OK;
    if (cut == 0 || error != ERR_OK)
        return error;
    jobs_cut(jobs, cut);
    if (engine->warehouse != NULL && atomic_load(&engine->flushed_seq) > cut)
        error = watch_flushed(engine, problem);
    return error;
}
