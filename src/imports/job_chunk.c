/* SPDX-License-Identifier: Apache-2.0 */
/* job_chunk: events of a job on their way into the log, in chunks.
 *
 * Two chunks: while one is being synced by the log, the next is filled. There is never more than one under
 * way, so a chunk that the log could not take (disk full) is sent again before anything after it: the
 * position of a job has no holes.
 *
 * The doors come first. A chunk is small, and none is sent while the engine has more than LAG_RECORDS_MAX
 * records to apply: what a door or a question has to wait for is bounded. Only where the disk is slow, so that the
 * chunk before is still being synced, does one grow up to four times that size instead of waiting.
 */
#include "base/fault.h"
#include "imports/job_inside.h"

#define CHUNK_EVENTS 2000
#define CHUNK_BYTES ((size_t)1 << 20)
#define CHUNK_GROWS_MAX 4          /* times both, while the other one is being synced */
#define CHANGED_CHUNK_EVENTS 50000 /* a chunk that takes back: the warehouse is asked once */
#define CHANGED_CHUNK_BYTES ((size_t)16 << 20)
#define LAG_RECORDS_MAX 12000
#define FULL_WAIT_MS 500

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

void job_show(struct job_run *run, const char *stage)
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
err job_chunk_wait(struct job_run *run, struct chunk *chunk)
{
    while (chunk->sent) {
        pthread_mutex_lock(&run->mutex);
        while (!chunk->done)
            pthread_cond_wait(&run->durable, &run->mutex);
        err error = chunk->error;
        pthread_mutex_unlock(&run->mutex);
        chunk->sent = false;
        if (error == ERR_OK && fault_fires(FAULT_IMPORT_AFTER_CHUNK))
            return ERR_UNAVAILABLE;
        while (error == ERR_STORAGE_FULL || error == ERR_BUSY || error == ERR_NOMEM) {
            if (imports_must_stop(run->imports, run->running))
                return ERR_UNAVAILABLE; /* it stands where the last durable chunk ended */
            if (error == ERR_STORAGE_FULL)
                job_show(run, "no_room");
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
    if (chunk->count > 0 && imports_mutates("move_apart")) {
        error = imports_command(run->imports, "import.move", buffer_str(&body), NULL, run->problem);
    } else {
        engine_command_write(&chunk->records, STR("import.move"), buffer_str(&body));
        chunk->count++;
    }
    buffer_deinit(&body);
    return error == ERR_OK ? buffer_status(&chunk->records) : error;
}

/* What is replaced goes first: a crash between leaves the new event to come again. */
static err take_back_replaced(struct job_run *run)
{
    if (run->replaced_count == 0)
        return ERR_OK;
    job_show(run, "replacing");
    err error = retract_events(run->imports, run->row->number, run->replaced, run->replaced_count,
                               run->problem);
    run->replaced_count = 0;
    return error == ERR_OK && fault_fires(FAULT_IMPORT_AFTER_REPLACED) ? ERR_UNAVAILABLE : error;
}

/* Send what is filled and go on with the other one, once the log has it. */
err job_chunk_send(struct job_run *run)
{
    struct chunk *chunk = &run->chunks[run->filling];
    struct chunk *other = &run->chunks[1 - run->filling];
    err error = job_chunk_wait(run, other);
    if (error == ERR_OK)
        error = take_back_replaced(run);
    if (error == ERR_OK)
        error = write_move(run, chunk);
    if (error != ERR_OK)
        return error;
    yield(run);
    if (fault_fires(FAULT_IMPORT_BEFORE_CHUNK))
        return ERR_UNAVAILABLE;
    while ((error = try_send(run, chunk)) == ERR_BUSY) {
        if (imports_must_stop(run->imports, run->running))
            return ERR_UNAVAILABLE;
        steady_sleep_ms(2);
    }
    if (error != ERR_OK)
        return problem_set(run->problem, error, "the log takes nothing: %s", err_title(error));
    run->filling = 1 - run->filling;
    job_show(run, run->is_ending ? "joining" : "reading");
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

bool job_chunk_is_full(struct job_run *run)
{
    const struct chunk *chunk = &run->chunks[run->filling];
    if (run->replaced_count > 0)
        return chunk->count >= CHANGED_CHUNK_EVENTS || chunk->records.size >= CHANGED_CHUNK_BYTES;
    if (chunk->count < CHUNK_EVENTS && chunk->records.size < CHUNK_BYTES)
        return false;
    return chunk->count >= CHUNK_GROWS_MAX * CHUNK_EVENTS ||
           chunk->records.size >= CHUNK_GROWS_MAX * CHUNK_BYTES || !other_is_under_way(run);
}
