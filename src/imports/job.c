/* SPDX-License-Identifier: Apache-2.0 */
/* job: the worker of a job reads, maps, and appends in chunks.
 *
 * Two chunks: while one is being synced by the log, the next is filled. There is never more than one under
 * way, so a chunk that the log could not take (disk full) is sent again before anything after it: the
 * position of a job has no holes.
 *
 * The doors come first. A chunk is small, and none is sent while the engine has more than LAG_RECORDS_MAX
 * records to apply: what a door or a question has to wait for is bounded. Only where the disk is slow, so that the
 * chunk before is still being synced, does one grow up to four times that size instead of waiting.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "imports/inside.h"

#define CHUNK_EVENTS 2000
#define CHUNK_BYTES ((size_t)1 << 20)
#define CHUNK_GROWS_MAX 4 /* times both, while the other one is being synced */
#define CHANGED_CHUNK_EVENTS \
    50000 /* a chunk that takes back: the warehouse is asked once for all */
#define CHANGED_CHUNK_BYTES ((size_t)16 << 20)
#define LAG_RECORDS_MAX 12000
#define FULL_WAIT_MS 500
#define ROWS_BETWEEN_LOOKS 64
#define SETTINGS_BYTES_MAX ((size_t)2 << 20)

struct chunk {
    struct log_append append;
    struct buffer records;
    uint32_t count;
    bool sent, done;
    err error;
};

struct counts {
    uint64_t rows, events, refused, duplicates, replaced;
};

struct job_run {
    struct imports *imports;
    struct running *running;
    struct import_row *row;
    struct problem *problem;
    struct json_parser *parser; /* of the settings */
    json_value settings;
    struct import_file file;
    char data_set[256];
    struct mapping *mapping;
    struct mapping_worker *worker;
    struct table *table;
    struct report *report;
    struct known *known;
    struct chunk chunks[2];
    unsigned filling;
    struct counts counts, began; /* up to now; as the job had told them when this run began */
    uint64_t last_row;           /* the last one that was read */
    uint64_t mapped_row;         /* the last one that the mapping got; 0: none */
    bool is_ending;              /* the file is read; orders come out that waited for their lines */
    struct taken_event *replaced; /* to be taken back before the chunk is sent */
    size_t replaced_count, replaced_capacity;
    struct buffer body; /* one event */
    int64_t newest_ms;  /* of the events, up to now */
    int64_t now_ms;
    err error;
    pthread_mutex_t mutex;
    pthread_cond_t durable;
};

bool imports_must_stop(struct imports *imports, const struct running *running)
{
    pthread_mutex_lock(&imports->mutex);
    bool stops = imports->stopping || running->stop;
    pthread_mutex_unlock(&imports->mutex);
    return stops;
}

/* ---- a chunk into the log ---- */

static void chunk_durable(struct log_append *append, err error)
{
    struct job_run *run = append->context;
    struct chunk *chunk = queue_entry(append, struct chunk, append);
    pthread_mutex_lock(&run->mutex);
    chunk->error = error;
    chunk->done = true;
    pthread_cond_signal(&run->durable);
    pthread_mutex_unlock(&run->mutex);
}

static err try_send(struct job_run *run, struct chunk *chunk)
{
    chunk->done = false;
    chunk->append = (struct log_append){ .records = buffer_str(&chunk->records),
                                         .count = chunk->count,
                                         .source = EVENT_SOURCE_IMPORT_FIRST + run->row->number,
                                         .durable = chunk_durable,
                                         .context = run };
    err error = engine_append(run->imports->engine, &chunk->append);
    chunk->sent = error == ERR_OK;
    return error;
}

static void show(struct job_run *run, const char *stage)
{
    struct imports *imports = run->imports;
    pthread_mutex_lock(&imports->mutex);
    run->running->stage = stage;
    run->running->rows = run->counts.rows;
    run->running->bytes = run->table != NULL ? table_bytes_read(run->table) : 0;
    run->running->bytes_total = run->table != NULL ? table_bytes_total(run->table) : 0;
    pthread_mutex_unlock(&imports->mutex);
    atomic_fetch_add(&imports->changes, 1);
}

/* Until the log has it. A job that is to stop still finishes the chunk that is under way. */
static err wait_sent(struct job_run *run, struct chunk *chunk)
{
    while (chunk->sent) {
        pthread_mutex_lock(&run->mutex);
        while (!chunk->done)
            pthread_cond_wait(&run->durable, &run->mutex);
        err error = chunk->error;
        pthread_mutex_unlock(&run->mutex);
        chunk->sent = false;
        while (error == ERR_STORAGE_FULL || error == ERR_BUSY || error == ERR_NOMEM) {
            if (imports_must_stop(run->imports, run->running))
                return ERR_UNAVAILABLE; /* it stands where the last durable chunk ended */
            if (error == ERR_STORAGE_FULL)
                show(run, "no_room");
            steady_sleep_ms(error == ERR_STORAGE_FULL ? FULL_WAIT_MS : 5);
            error = try_send(run, chunk);
        }
        if (error != ERR_OK)
            return problem_set(run->problem, error, "the log takes nothing: %s", err_title(error));
    }
    buffer_clear(&chunk->records);
    chunk->count = 0;
    return ERR_OK;
}

/* Doors and questions wait behind what the engine has still to apply. */
static void yield(const struct job_run *run)
{
    while (log_unread_records(engine_log(run->imports->engine)) > LAG_RECORDS_MAX &&
           !imports_must_stop(run->imports, run->running))
        steady_sleep_ms(1);
}

/* Where the job may go on: rows below are wholly in what was appended. */
static uint64_t resume_row(const struct job_run *run)
{
    uint64_t row = mapping_resume_row(run->worker);
    return row == run->mapped_row + 1 ? run->last_row + 1 : row;
}

/* What is told with a position is what the rows below it came to: the others come again when the job goes on
 * from there. What was replaced is told at once, it is not found a second time. */
static struct counts counts_below(const struct job_run *run, uint64_t row)
{
    struct counts counts = run->counts;
    uint64_t waiting = run->last_row + 1 > row ? run->last_row + 1 - row : 0;
    counts.rows -= waiting < counts.rows ? waiting : counts.rows;
    if (run->is_ending) {
        counts.events = run->began.events;
        counts.duplicates = run->began.duplicates;
    }
    return counts;
}

static err write_move(struct job_run *run, struct chunk *chunk)
{
    struct buffer body;
    uint64_t report_bytes = 0, row = resume_row(run);
    struct counts counts = counts_below(run, row);
    err error = report_sync(run->report, row, &report_bytes, &counts.refused, run->problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&body, 4096);
    buffer_printf(&body,
                  "{\"number\":%u,\"position\":%llu,\"report_bytes\":%llu,\"rows\":%llu,"
                  "\"events\":%llu,\"refused\":%llu,\"duplicates\":%llu,\"replaced\":%llu,"
                  "\"bytes\":%llu}",
                  run->row->number, (unsigned long long)row, (unsigned long long)report_bytes,
                  (unsigned long long)counts.rows, (unsigned long long)counts.events,
                  (unsigned long long)counts.refused, (unsigned long long)counts.duplicates,
                  (unsigned long long)counts.replaced,
                  (unsigned long long)table_bytes_read(run->table));
    engine_command_write(&chunk->records, STR("import.move"), buffer_str(&body));
    chunk->count++;
    buffer_deinit(&body);
    return buffer_status(&chunk->records);
}

/* What is replaced goes first: a crash between leaves the new event to come again. */
static err take_back_replaced(struct job_run *run)
{
    if (run->replaced_count == 0)
        return ERR_OK;
    show(run, "replacing");
    err error = retract_events(run->imports, run->row->number, run->replaced, run->replaced_count,
                               run->problem);
    run->replaced_count = 0;
    return error;
}

/* Send what is filled and go on with the other one, once the log has it. */
static err send_chunk(struct job_run *run)
{
    struct chunk *chunk = &run->chunks[run->filling];
    struct chunk *other = &run->chunks[1 - run->filling];
    err error = wait_sent(run, other);
    if (error == ERR_OK)
        error = take_back_replaced(run);
    if (error == ERR_OK)
        error = write_move(run, chunk);
    if (error != ERR_OK)
        return error;
    yield(run);
    while ((error = try_send(run, chunk)) == ERR_BUSY) {
        if (imports_must_stop(run->imports, run->running))
            return ERR_UNAVAILABLE;
        steady_sleep_ms(2);
    }
    if (error != ERR_OK)
        return problem_set(run->problem, error, "the log takes nothing: %s", err_title(error));
    run->filling = 1 - run->filling;
    show(run, run->is_ending ? "joining" : "reading");
    return ERR_OK;
}

/* Is the other chunk with the log still? */
static bool other_is_under_way(struct job_run *run)
{
    const struct chunk *other = &run->chunks[1 - run->filling];
    pthread_mutex_lock(&run->mutex);
    bool under_way = other->sent && !other->done;
    pthread_mutex_unlock(&run->mutex);
    return under_way;
}

static bool is_full(struct job_run *run)
{
    const struct chunk *chunk = &run->chunks[run->filling];
    if (run->replaced_count > 0)
        return chunk->count >= CHANGED_CHUNK_EVENTS || chunk->records.size >= CHANGED_CHUNK_BYTES;
    if (chunk->count < CHUNK_EVENTS && chunk->records.size < CHUNK_BYTES)
        return false;
    return chunk->count >= CHUNK_GROWS_MAX * CHUNK_EVENTS ||
           chunk->records.size >= CHUNK_GROWS_MAX * CHUNK_BYTES || !other_is_under_way(run);
}

/* ---- an event ---- */

static uint64_t eight_bytes(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static err note_replaced(struct job_run *run, const struct known_event *event)
{
    if (run->replaced_count == run->replaced_capacity) {
        size_t capacity = run->replaced_capacity == 0 ? 256 : run->replaced_capacity * 2;
        struct taken_event *replaced = memory_resize(run->replaced, capacity * sizeof *replaced);
        if (replaced == NULL)
            return ERR_NOMEM;
        run->replaced = replaced;
        run->replaced_capacity = capacity;
    }
    run->replaced[run->replaced_count++] = (struct taken_event){ event->node, event->seq };
    return ERR_OK;
}

/* Is it there already? What has its natural key and says something else is replaced; an object's newest
 * saying counts by its time anyway. */
static err compare_known(struct job_run *run, const struct event *event, uint64_t natural,
                         uint64_t content, bool *is_known)
{
    struct known_event *found[KNOWN_FOUND_MAX];
    size_t count = known_find(run->known, natural, found);
    err error = ERR_OK;
    *is_known = false;
    for (size_t i = 0; i < count && !*is_known; i++)
        *is_known = found[i]->seq != 0 && found[i]->content == content;
    if (*is_known || count == 0)
        return ERR_OK;
    bool replaces = event->kind != EVENT_OBJECT;
    for (size_t i = 0; i < count && error == ERR_OK && replaces; i++) {
        if (found[i]->seq == 0)
            continue;
        error = note_replaced(run, found[i]);
        found[i]->seq = 0;
        run->counts.replaced++;
    }
    return error;
}

static err encode_event(struct job_run *run, const struct mapping_event *mapped, uint64_t natural,
                        uint64_t content)
{
    struct event event = *mapped->event;
    uint64_t key[2] = { content ^ known_key_of_job(run->row->number), natural };
    memcpy(event.message_key, key, sizeof event.message_key);
    event.source_number = EVENT_SOURCE_IMPORT_FIRST + run->row->number;
    event.flags |= EVENT_HISTORICAL | EVENT_IMPORTED;
    buffer_clear(&run->body);
    return event_encode(&run->body, &event, run->problem);
}

/* What was encoded last. */
static err append_event(struct job_run *run, int64_t time_ms)
{
    struct chunk *chunk = &run->chunks[run->filling];
    log_record_write(&chunk->records, LOG_RECORD_EVENT, buffer_str(&run->body));
    chunk->count++;
    if (time_ms > run->newest_ms && time_ms <= run->now_ms)
        run->newest_ms = time_ms;
    return buffer_status(&chunk->records);
}

/* The place of its content is far off in memory: the event is encoded while it comes. */
static err take_new(struct job_run *run, const struct mapping_event *mapped, uint64_t natural,
                    uint64_t content)
{
    bool is_known = false;
    known_prefetch(run->known, content);
    err error = compare_known(run, mapped->event, natural, content, &is_known);
    enum known_content what = CONTENT_AGAIN;
    if (error == ERR_OK && !is_known)
        error = encode_event(run, mapped, natural, content);
    if (error == ERR_OK && !is_known)
        what = known_look(run->known, content, &error);
    if (error != ERR_OK)
        return error;
    if (what == CONTENT_AGAIN)
        run->counts.duplicates++;
    else
        run->counts.events++;
    return what == CONTENT_NEW ? append_event(run, mapped->event->time_ms) : ERR_OK;
}

/* Orders whose lines wait for each other come out all at once, when the file is read: then a chunk is sent
 * from here. */
static bool take_event(void *context, const struct mapping_event *mapped)
{
    struct job_run *run = context;
    if (run->error == ERR_OK)
        run->error = take_new(run, mapped, eight_bytes(mapped->natural_key),
                              eight_bytes(mapped->content_hash));
    if (run->error == ERR_OK && run->is_ending && is_full(run))
        run->error =
            imports_must_stop(run->imports, run->running) ? ERR_UNAVAILABLE : send_chunk(run);
    return run->error == ERR_OK;
}

static bool take_refused(void *context, uint64_t row, str raw, str code,
                         const struct problem *problem)
{
    struct job_run *run = context;
    report_row(run->report, row, code, str_from_c(problem->detail), raw);
    run->counts.refused++;
    return true;
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
            take_refused(run, row.number, row.raw, STR("row"), &bad);
            error = ERR_OK;
            continue;
        }
        if (error != ERR_OK && error != ERR_NOT_FOUND)
            *run->problem = bad;
        if (error != ERR_OK)
            return error;
        run->counts.rows++;
        run->mapped_row = row.number;
        error = mapping_row(run->worker, &row, take_event, take_refused, run, run->problem);
        if (run->error != ERR_OK)
            error = run->error;
        if (error == ERR_OK && is_full(run))
            error = send_chunk(run);
    }
    return error == ERR_OK ? ERR_UNAVAILABLE : error;
}

static err read_file(struct job_run *run)
{
    err error = read_rows(run);
    if (error == ERR_NOT_FOUND) { /* the end */
        run->is_ending = true;
        error = mapping_end(run->worker, take_event, take_refused, run, run->problem);
        if (run->error != ERR_OK)
            error = run->error;
        run->is_ending = false;
    }
    if (error == ERR_OK)
        error = send_chunk(run); /* the last position, even without events */
    for (unsigned i = 0; i < 2; i++) {
        err sent = wait_sent(run, &run->chunks[i]);
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
    show(run, "checking");
    err error = file_sha256(run->file.plain, hash, run->problem);
    if (error != ERR_OK)
        return error;
    hex_text(hash, sizeof hash, text);
    if (str_equal(str_from_c(text), told))
        return ERR_OK;
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
    show(run, "looking_up");
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
    if (error == ERR_OK)
        error = imports_set_state(imports, row->number, "finished", STR_NONE, problem);
    log_line(LOG_INFO, "import_run", "number=%u rows=%llu events=%llu refused=%llu error=%s",
             row->number, (unsigned long long)run.counts.rows,
             (unsigned long long)run.counts.events, (unsigned long long)run.counts.refused,
             err_code(error));
    end(&run);
    return error;
}
