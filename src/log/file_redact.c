/* SPDX-License-Identifier: Apache-2.0 */
/* Making what a record says unreadable, and what is left of removed blocks with it (log.h, log_redact).
 *
 * A block is written again in its row, with the same numbers and times, in a transaction of its own. SQLite leaves what it frees
 * as it was: so rows are replaced with secure_delete on, pages that trimming had freed before are filled with zeros, and the
 * write-ahead log is copied into the file and cut. */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "log/file_parts.h"

/* Free pages are overwritten so many bytes at a time. */
#define SCRUB_BYTES ((int64_t)8 << 20)

struct replace_step {
    uint64_t key;
    str body;
};

static int replace_row(struct log_file *file, void *context)
{
    const struct replace_step *step = context;
    sqlite3_stmt *update = file_sql(file, SQL_UPDATE);
    int rc = sqlite3_bind_int64(update, 1, (sqlite3_int64)step->key);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob64(update, 2, step->body.data, step->body.size, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = file_run(file, SQL_UPDATE);
    (void)sqlite3_clear_bindings(update);
    return rc;
}

err log_file_replace(struct log_file *file, uint64_t first_seq, str body, struct problem *problem)
{
    struct replace_step step = { first_seq, body };
    turn_take(&file->turn);
    int rc = sqlite3_exec(file->db, "PRAGMA secure_delete=ON", NULL, NULL, NULL);
    err error = rc == SQLITE_OK ? file_transact(file, replace_row, &step, "write", problem)
                                : file_problem(file, rc, "write", problem);
    (void)sqlite3_exec(file->db, "PRAGMA secure_delete=OFF", NULL, NULL, NULL);
    turn_give(&file->turn);
    return error;
}

/* ---- what was free before ---- */

static int64_t free_bytes(struct log_file *file)
{
    sqlite3_stmt *pages = file_sql(file, SQL_PAGES_FREE);
    int64_t count = sqlite3_step(pages) == SQLITE_ROW ? sqlite3_column_int64(pages, 0) : 0;
    (void)sqlite3_reset(pages);
    return count * file->page_bytes;
}

static int fill_free(struct log_file *file, void *context)
{
    const int64_t *bytes = context;
    sqlite3_stmt *fill = file_sql(file, SQL_FILL);
    int rc = sqlite3_bind_int64(fill, 1, *bytes);
    return rc == SQLITE_OK ? file_run(file, SQL_FILL) : rc;
}

static int empty_filled(struct log_file *file, void *context)
{
    (void)context;
    return file_run(file, SQL_UNFILL);
}

/* Zeros take the place of what lay in them, a few pages less than there are: the file does not grow for it. */
static err fill_some(struct log_file *file, int64_t left, int64_t *filled, struct problem *problem)
{
    int64_t bytes = left < SCRUB_BYTES ? left : SCRUB_BYTES;
    turn_take(&file->turn);
    err error = file_transact(file, fill_free, &bytes, "write", problem);
    if (error == ERR_OK)
        error = file_checkpoint(file, SQLITE_CHECKPOINT_PASSIVE, problem);
    turn_give(&file->turn);
    *filled = bytes;
    return error;
}

err log_file_scrub(struct log_file *file, struct problem *problem)
{
    turn_take(&file->turn);
    int64_t left = free_bytes(file);
    turn_give(&file->turn);
    err error = ERR_OK;
    while (error == ERR_OK && left > 0) {
        int64_t filled = 0;
        error = fill_some(file, left, &filled, problem);
        left -= filled;
    }
    turn_take(&file->turn);
    err emptied =
        log_file_is_dead(file) ? ERR_OK : file_transact(file, empty_filled, NULL, "write", problem);
    if (error == ERR_OK)
        error = emptied;
    if (error == ERR_OK)
        error = file_checkpoint(file, SQLITE_CHECKPOINT_TRUNCATE, problem);
    turn_give(&file->turn);
    return error;
}
