/* SPDX-License-Identifier: Apache-2.0 */
/* What the log's file holds in all: counting it, and letting go of the oldest blocks.
 *
 * Room that is freed is used again by later blocks; the file itself does not shrink. */
#include <inttypes.h>

#include "log/file_parts.h"

/* A step of trimming takes at most so many blocks or bytes, so that a commit waits for
 * milliseconds. Always at least one block. */
#define TRIM_BLOCKS_MAX 256
#define TRIM_BYTES_MAX ((uint64_t)8 << 20)

/* ---- counting ---- */

static err file_pragma(struct log_file *file, enum sql which, int64_t *value)
{
    sqlite3_stmt *pragma = file_sql(file, which);
    bool found = sqlite3_step(pragma) == SQLITE_ROW;
    *value = found ? sqlite3_column_int64(pragma, 0) : 0;
    (void)sqlite3_reset(pragma);
    return found ? ERR_OK : ERR_IO;
}

int64_t log_file_bytes(struct log_file *file)
{
    int64_t pages, free;
    turn_take(&file->turn);
    bool known = file_pragma(file, SQL_PAGES, &pages) == ERR_OK &&
                 file_pragma(file, SQL_PAGES_FREE, &free) == ERR_OK;
    turn_give(&file->turn);
    return known ? (pages - free) * file->page_bytes : 0;
}

err log_file_record_bytes_from(struct log_file *file, uint64_t seq, uint64_t *bytes,
                               struct problem *problem)
{
    sqlite3_blob *blob = NULL;
    uint64_t sum = 0, key = seq, size;
    turn_take(&file->turn);
    err error = file_next_key(file, key, &key, &size, problem);
    while (error == ERR_OK && key != 0) {
        struct block_head head;
        int rc = file_read_head(file, &blob, key, &head);
        if (rc != SQLITE_OK)
            error = file_problem(file, rc, "read", problem);
        else
            sum += head.record_bytes;
        if (error == ERR_OK)
            error = file_next_key(file, key + 1, &key, &size, problem);
    }
    (void)sqlite3_blob_close(blob);
    turn_give(&file->turn);
    if (error == ERR_OK)
        *bytes = sum;
    return error;
}

/* ---- trimming ---- */

struct trim_steps {
    uint64_t last_key;       /* of the blocks that go */
    struct file_state state; /* after they have gone */
};

/* The oldest blocks that may go, as far as one step takes. */
static err trim_plan(struct log_file *file, uint64_t before_seq, int64_t before_ms,
                     struct trim_steps *plan, uint32_t *count, struct problem *problem)
{
    sqlite3_blob *blob = NULL;
    uint64_t key, next_key, size, next_size, bytes = 0;
    plan->state = file->state;
    *count = 0;
    err error = file_next_key(file, 0, &key, &size, problem);
    if (error == ERR_OK && key != 0 && key != file->first_seq)
        error = problem_set(problem, ERR_CORRUPT,
                            "log %s: the oldest block is of first_seq %" PRIu64 ", not %" PRIu64,
                            file->path, key, file->first_seq);
    while (error == ERR_OK && key != 0 && *count < TRIM_BLOCKS_MAX && bytes < TRIM_BYTES_MAX) {
        struct block_head head;
        error = file_next_key(file, key + 1, &next_key, &next_size, problem);
        if (error != ERR_OK)
            break;
        uint64_t last = next_key != 0 ? next_key - 1 : file->last_seq;
        if (last >= before_seq)
            break;
        int rc = file_read_head(file, &blob, key, &head);
        if (rc != SQLITE_OK)
            error = file_problem(file, rc, "read", problem);
        else if (head.received_ms >= before_ms)
            break;
        plan->last_key = key;
        plan->state.trimmed_seq = last;
        plan->state.trimmed_received_ms = head.received_ms;
        bytes += size;
        (*count)++;
        key = next_key;
        size = next_size;
    }
    (void)sqlite3_blob_close(blob);
    return error;
}

static int trim_rows(struct log_file *file, void *context)
{
    const struct trim_steps *plan = context;
    sqlite3_stmt *delete = file_sql(file, SQL_DELETE);
    int rc = sqlite3_bind_int64(delete, 1, (sqlite3_int64)plan->last_key);
    if (rc == SQLITE_OK)
        rc = file_run(file, SQL_DELETE);
    return rc == SQLITE_OK ? file_put_state(file, &plan->state) : rc;
}

err log_file_trim(struct log_file *file, uint64_t seq, int64_t before_ms, uint64_t *first_seq,
                  bool *more, struct problem *problem)
{
    struct trim_steps plan;
    uint32_t count;
    *more = false;
    turn_take(&file->turn);
    err error = trim_plan(file, seq, before_ms, &plan, &count, problem);
    if (error == ERR_OK && count > 0) {
        error = file_transact(file, trim_rows, &plan, "trim", problem);
        if (error == ERR_OK) {
            file->state = plan.state;
            file->first_seq = plan.state.trimmed_seq + 1;
            *more = true;
        }
    }
    *first_seq = file->first_seq;
    turn_give(&file->turn);
    return error;
}

/* ---- a log that begins later ---- */

static int put_state(struct log_file *file, void *context)
{
    return file_put_state(file, context);
}

err log_file_begin_at(struct log_file *file, uint64_t first_seq, int64_t received_ms,
                      struct problem *problem)
{
    struct file_state state = { .trimmed_seq = first_seq - 1, .trimmed_received_ms = received_ms };
    err error = file_transact(file, put_state, &state, "restore", problem);
    if (error != ERR_OK)
        return error;
    file->state = state;
    file->first_seq = first_seq;
    file->last_seq = first_seq - 1;
    return ERR_OK;
}
