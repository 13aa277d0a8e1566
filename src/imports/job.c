/* SPDX-License-Identifier: Apache-2.0 */
/* job: the worker of a job: it opens the file, reads its rows, and says how it ended; see job_inside.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/logline.h"
#include "imports/job_inside.h"

#define ROWS_BETWEEN_LOOKS 64
#define SETTINGS_BYTES_MAX ((size_t)2 << 20)

bool imports_must_stop(struct imports *imports, const struct running *running)
{
    pthread_mutex_lock(&imports->mutex);
    bool stops = imports->stopping || running->stop;
    pthread_mutex_unlock(&imports->mutex);
    return stops;
}

/* ---- the file ---- */

/* Asked now and then: it takes a mutex. */
static bool stops_here(struct job_run *run)
{
    return run->counts.rows % ROWS_BETWEEN_LOOKS == 0 &&
           imports_must_stop(run->imports, run->running);
}

static err read_rows(struct job_run *run)
{
    err error = ERR_OK;
    while (error == ERR_OK && !stops_here(run)) {
        struct table_row row = { .number = 0 };
        struct problem bad = { .error = ERR_OK };
        error = table_next(run->table, &row, &bad);
        if (error == ERR_OK || error == ERR_INVALID)
            run->last_row = row.number;
        if (error == ERR_INVALID && row.footer) {
            error = ERR_OK; /* a closing line, no data */
            continue;
        }
        if (error == ERR_INVALID) {
            run->counts.rows++;
            job_take_refused(run, row.number, row.raw, STR("row"), &bad);
            error = ERR_OK;
            continue;
        }
        if (error != ERR_OK && error != ERR_NOT_FOUND)
            *run->problem = bad;
        if (error != ERR_OK)
            return error;
        run->counts.rows++;
        run->mapped_row = row.number;
        error = mapping_row(run->worker, &row, job_take_event, job_take_refused, run, run->problem);
        if (run->error != ERR_OK)
            error = run->error;
        if (error == ERR_OK && job_chunk_is_full(run))
            error = job_chunk_send(run);
    }
    return error == ERR_OK ? ERR_UNAVAILABLE : error;
}

static err read_file(struct job_run *run)
{
    err error = read_rows(run);
    if (error == ERR_NOT_FOUND) { /* the end */
        run->is_ending = true;
        error = mapping_end(run->worker, job_take_event, job_take_refused, run, run->problem);
        if (run->error != ERR_OK)
            error = run->error;
        run->is_ending = false;
    }
    if (error == ERR_OK)
        error = job_chunk_send(run); /* the last position, even without events */
    for (unsigned i = 0; i < 2; i++) {
        err sent = job_chunk_wait(run, &run->chunks[i]);
        error = error == ERR_OK ? sent : error;
    }
    return error;
}

/* ---- beginning and end ---- */

static err open_table(struct job_run *run)
{
    struct table_config config = { .path = run->file.plain,
                                   .program = run->imports->config.program,
                                   .library = run->imports->config.library };
    err error = table_form_read(json_get(run->settings, STR("form")), &config.form, run->problem);
    if (error == ERR_OK)
        error = table_open(&run->table, &config, run->problem);
    if (error == ERR_OK && run->row->position > 1)
        error = table_skip_to(run->table, run->row->position, run->problem);
    return error;
}

static err open_mapping(struct job_run *run)
{
    struct mapping_context context = {
        .keys = engine_keys(run->imports->engine),
        .source_number = EVENT_SOURCE_IMPORT_FIRST + run->row->number,
        .key_salt = str_from_c(run->data_set),
        .received_ms = run->row->created_ms,
        .zone_offset_seconds = run->imports->config.zone_offset_seconds,
    };
    err error = mapping_new(&run->mapping, json_get(run->settings, STR("mapping")), run->table,
                            run->problem);
    return error == ERR_OK ? mapping_worker_new(&run->worker, run->mapping, &context, run->problem)
                           : error;
}

/* The file is the one that was asked for: a path may name another one by now. */
static err check_content(struct job_run *run)
{
    uint8_t hash[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    str told = json_text(json_get(run->settings, STR("sha256")));
    job_show(run, "checking");
    err error = imports_sha256(run->imports, run->file.plain, hash, run->problem);
    if (error != ERR_OK)
        return error;
    hex_text(hash, sizeof hash, text);
    if (str_equal(str_from_c(text), told))
        return fault_fires(FAULT_IMPORT_AFTER_HASH) ? ERR_UNAVAILABLE : ERR_OK;
    problem_set(run->problem, ERR_CONFLICT, "the file has changed since the import was begun");
    return problem_hint(run->problem, ERR_CONFLICT, "import it anew, or cancel this one");
}

static err begin(struct job_run *run)
{
    str path, data_set;
    err error = json_parser_new(&run->parser, SETTINGS_BYTES_MAX);
    if (error == ERR_OK)
        error =
            json_parse(run->parser, buffer_str(&run->row->settings), &run->settings, run->problem);
    if (error != ERR_OK)
        return error;
    path = json_text(json_get(run->settings, STR("path")));
    data_set = json_text(json_get(run->settings, STR("data_set")));
    snprintf(run->file.path, sizeof run->file.path, STR_FMT, STR_ARG(path));
    snprintf(run->data_set, sizeof run->data_set, STR_FMT, STR_ARG(data_set));
    if (str_equal(str_from_c(run->row->status), STR("waiting")))
        error =
            imports_set_state(run->imports, run->row->number, "running", STR_NONE, run->problem);
    if (error == ERR_OK)
        error = import_file_open(run->imports, &run->file, run->problem);
    if (error == ERR_OK)
        error = check_content(run);
    if (error == ERR_OK)
        error =
            owner_open(&run->owner, run->imports, json_text(json_get(run->settings, STR("team"))),
                       json_text(json_get(run->settings, STR("source"))), run->problem);
    job_show(run, "looking_up");
    if (error == ERR_OK)
        error = known_open(&run->known, run->imports, run->row->number, data_set, run->problem);
    if (error == ERR_OK)
        error = open_table(run);
    if (error == ERR_OK)
        error = open_mapping(run);
    if (error == ERR_OK)
        error = report_open(&run->report, run->imports, run->row->number, run->row->report_bytes,
                            run->row->refused, run->problem);
    return error;
}

/* The file's source has told everything up to the time that was said, or of its newest event. */
static err tell_watermark(struct job_run *run)
{
    struct buffer body;
    struct json_writer writer;
    str source = json_text(json_get(run->settings, STR("source")));
    str told = json_text(json_get(run->settings, STR("told_until")));
    int64_t time_ms = run->newest_ms;
    if (told.size > 0 && !time_parse(told, run->imports->config.zone_offset_seconds / 60, &time_ms))
        time_ms = run->newest_ms;
    if (source.size == 0 || time_ms == INT64_MIN)
        return ERR_OK;
    buffer_init(&body, 1024);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("source"), source);
    json_member_int(&writer, STR("time"), time_ms);
    json_end_object(&writer);
    err error =
        imports_command(run->imports, "watermark.put", buffer_str(&body), NULL, run->problem);
    buffer_deinit(&body);
    return error;
}

static void end(struct job_run *run)
{
    report_close(&run->report);
    import_file_close(&run->file);
    mapping_worker_free(&run->worker);
    mapping_free(&run->mapping);
    table_close(&run->table);
    known_close(&run->known);
    owner_close(&run->owner);
    json_parser_free(&run->parser);
    buffer_deinit(&run->chunks[0].records);
    buffer_deinit(&run->chunks[1].records);
    buffer_deinit(&run->body);
    memory_free(run->replaced);
    pthread_mutex_destroy(&run->mutex);
    pthread_cond_destroy(&run->durable);
}

err run_job(struct imports *imports, struct running *running, struct import_row *row,
            struct problem *problem)
{
    struct job_run run = { .imports = imports,
                           .running = running,
                           .row = row,
                           .problem = problem,
                           .newest_ms = INT64_MIN,
                           .now_ms = INT64_MAX,
                           .counts = { .rows = row->rows,
                                       .events = row->events,
                                       .refused = row->refused,
                                       .duplicates = row->duplicates,
                                       .replaced = row->replaced } };
    run.began = run.counts;
    run.last_row = row->position > 0 ? row->position - 1 : 0;
    pthread_mutex_init(&run.mutex, NULL);
    pthread_cond_init(&run.durable, NULL);
    for (unsigned i = 0; i < 2; i++)
        buffer_init(&run.chunks[i].records, (size_t)48 << 20);
    buffer_init(&run.body, (size_t)1 << 20);
    struct engine_status status;
    engine_status(imports->engine, &status);
    if (status.as_of_ms > 0)
        run.now_ms = status.as_of_ms + DAY_MS;
    err error = begin(&run);
    if (error == ERR_OK)
        error = read_file(&run);
    if (error == ERR_OK)
        error = tell_watermark(&run);
    if (error == ERR_OK && fault_fires(FAULT_IMPORT_BEFORE_END))
        error = ERR_UNAVAILABLE;
    if (error == ERR_OK)
        error = imports_set_state(imports, row->number, "finished", STR_NONE, problem);
    log_line(LOG_INFO, "import_run", "number=%u rows=%llu events=%llu refused=%llu error=%s",
             row->number, (unsigned long long)run.counts.rows,
             (unsigned long long)run.counts.events, (unsigned long long)run.counts.refused,
             err_code(error));
    end(&run);
    return error;
}
