/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite file of the log: transactions, checkpoints, reading, trimming. */
#include "log/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/logline.h"
#include "base/metric.h"
#include "log/file_parts.h"
#include "log/mutate.h"

/* After a checkpoint that failed for want of room, so much more makes the next try due. */
#define CHECKPOINT_AGAIN_BYTES ((size_t)1 << 20)
/* While nobody waits, this part of checkpoint_bytes is enough. */
#define CHECKPOINT_QUIET_SHARE 4

/* ---- whose turn it is ---- */

void turn_init(struct turn *turn)
{
    *turn = (struct turn){ .asked = 0 };
    INVARIANT(pthread_mutex_init(&turn->mutex, NULL) == 0);
    INVARIANT(pthread_cond_init(&turn->moved, NULL) == 0);
}

void turn_deinit(struct turn *turn)
{
    INVARIANT(turn->asked == turn->served);
    pthread_cond_destroy(&turn->moved);
    pthread_mutex_destroy(&turn->mutex);
}

void turn_take(struct turn *turn)
{
    pthread_mutex_lock(&turn->mutex);
    uint64_t ticket = turn->asked++;
    while (turn->served != ticket)
        pthread_cond_wait(&turn->moved, &turn->mutex);
    pthread_mutex_unlock(&turn->mutex);
}

void turn_give(struct turn *turn)
{
    pthread_mutex_lock(&turn->mutex);
    turn->served++;
    if (turn->asked != turn->served)
        pthread_cond_broadcast(&turn->moved);
    pthread_mutex_unlock(&turn->mutex);
}

/* ---- statements and errors ---- */

sqlite3_stmt *file_sql(struct log_file *file, enum sql which)
{
    return file->statements[which];
}

int file_run(struct log_file *file, enum sql which)
{
    int rc = sqlite3_step(file->statements[which]);
    int rc_reset = sqlite3_reset(file->statements[which]);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        rc = rc_reset;
    return rc;
}

/* A write that the disk had no room for, in the forms that a VFS gives it. */
static bool rc_is_full(struct log_file *file, int rc)
{
    int cause = file->db != NULL ? sqlite3_system_errno(file->db) : 0;
    return (rc & 0xff) == SQLITE_FULL ||
           (rc == SQLITE_IOERR_WRITE && (cause == ENOSPC || cause == EDQUOT));
}

static err rc_to_err(struct log_file *file, int rc)
{
    if (rc_is_full(file, rc))
        return ERR_STORAGE_FULL;
    if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
        return ERR_SYNC;
    if (rc == SQLITE_IOERR_NOMEM || (rc & 0xff) == SQLITE_NOMEM)
        return ERR_NOMEM;
    if ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED)
        return ERR_LOCKED;
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
        return ERR_CORRUPT;
    return ERR_IO;
}

err file_problem(struct log_file *file, int rc, const char *doing, struct problem *problem)
{
    err error = rc_to_err(file, rc);
    problem_set(problem, error, "cannot %s log %s: %s", doing, file->path, sqlite3_errstr(rc));
    if (error == ERR_STORAGE_FULL)
        return problem_hint(problem, error, "free some space on the disk of this file");
    if (error == ERR_LOCKED)
        return problem_hint(problem, error, "another process has it open: stop that first");
    if (error == ERR_SYNC)
        return problem_hint(problem, error,
                            "the disk does not keep what it was given: check it, then start again");
    return error;
}

/* No more writing (F4), and why. */
static err file_die(struct log_file *file, err error, const struct problem *problem)
{
    if (!atomic_load(&file->dead))
        file->death = *problem;
    file->death.error = error;
    atomic_store(&file->dead, true);
    return error;
}

bool log_file_is_dead(struct log_file *file)
{
    return atomic_load(&file->dead);
}

/* ---- transactions ---- */

int file_put_state(struct log_file *file, const struct file_state *state)
{
    uint8_t value[STATE_BYTES];
    file_state_encode(state, value);
    sqlite3_stmt *put = file_sql(file, SQL_STATE_PUT);
    int rc = sqlite3_bind_blob(put, 1, value, sizeof value, SQLITE_TRANSIENT);
    return rc == SQLITE_OK ? file_run(file, SQL_STATE_PUT) : rc;
}

/* Leave the transaction, if SQLite has not left it by itself. */
static bool file_undo(struct log_file *file)
{
    if (!sqlite3_get_autocommit(file->db))
        (void)file_run(file, SQL_ROLLBACK);
    return sqlite3_get_autocommit(file->db);
}

/* F3: put a commit of no meaning over the frames of the one that failed. A frame holds a checksum
 * over all before it, so that one overwritten frame makes the rest unreadable for ever. */
static err file_void(struct log_file *file, struct problem *problem)
{
    if (log_mutates(MUTATION_NO_VOID))
        return ERR_OK;
    struct file_state state = file->state;
    state.voids++;
    int rc = file_put_state(file, &state);
    if (rc == SQLITE_OK) {
        file->state = state;
        return ERR_OK;
    }
    return file_undo(file) ? file_problem(file, rc, "overwrite a failed commit in", problem)
                           : problem_set(problem, ERR_IO, "cannot roll back in log %s", file->path);
}

/* A commit came back with an error. Where the disk was full, its last frame was not written whole,
 * and voiding may find no room either. Where memory ran out, all frames may be there: then voiding
 * has to succeed. */
static err file_commit_failed(struct log_file *file, err error, struct problem *problem)
{
    if (error != ERR_STORAGE_FULL && error != ERR_NOMEM)
        return file_die(file, error, problem);
    struct problem second = { 0 };
    err voided = file_void(file, &second);
    if (voided == ERR_OK || (voided == ERR_STORAGE_FULL && error == ERR_STORAGE_FULL))
        return error;
    *problem = second;
    return file_die(file, voided == ERR_NOMEM || voided == ERR_STORAGE_FULL ? ERR_IO : voided,
                    problem);
}

static bool rc_is_ignored(int rc)
{
    return log_mutates(MUTATION_SYNC_ERROR_IGNORED) &&
           (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC);
}

err file_transact(struct log_file *file, int (*steps)(struct log_file *file, void *context),
                  void *context, const char *doing, struct problem *problem)
{
    if (log_file_is_dead(file))
        return problem_set(problem, ERR_UNAVAILABLE, "log %s is not written any more", file->path);
    bool in_commit = false;
    int rc = file_run(file, SQL_BEGIN);
    if (rc == SQLITE_OK)
        rc = steps(file, context);
    if (rc == SQLITE_OK) {
        in_commit = true;
        rc = file_run(file, SQL_COMMIT);
    }
    if (rc == SQLITE_OK)
        return ERR_OK;
    err error = file_problem(file, rc, doing, problem);
    if (!file_undo(file))
        return file_die(
            file, problem_set(problem, ERR_IO, "cannot roll back in log %s", file->path), problem);
    if (rc_is_ignored(rc))
        return ERR_OK;
    /* Until the commit nothing is written (cache_spill is off): there is nothing to void. */
    if (!in_commit && (error == ERR_STORAGE_FULL || error == ERR_NOMEM))
        return error;
    return file_commit_failed(file, error, problem);
}

struct write_steps {
    const struct log_file_row *rows;
    size_t count;
};

static int write_rows(struct log_file *file, void *context)
{
    const struct write_steps *write = context;
    sqlite3_stmt *insert = file_sql(file, SQL_INSERT);
    int rc = SQLITE_OK;
    for (size_t i = 0; i < write->count && rc == SQLITE_OK; i++) {
        const struct log_file_row *row = &write->rows[i];
        rc = sqlite3_bind_int64(insert, 1, (sqlite3_int64)row->first_seq);
        if (rc == SQLITE_OK)
            rc = sqlite3_bind_blob64(insert, 2, row->body.data, row->body.size, SQLITE_STATIC);
        if (rc == SQLITE_OK)
            rc = file_run(file, SQL_INSERT);
    }
    (void)sqlite3_clear_bindings(insert);
    return rc;
}

err log_file_write(struct log_file *file, const struct log_file_row *rows, size_t count,
                   uint64_t last_seq, struct problem *problem)
{
    struct write_steps write = { .rows = rows, .count = count };
    turn_take(&file->turn);
    INVARIANT(count > 0 && rows[0].first_seq == file->last_seq + 1);
    err error = file_transact(file, write_rows, &write, "write", problem);
    if (error == ERR_OK) {
        file->last_seq = last_seq;
        /* No room for the mark: the old one stays true. Anything else: the disk is going, which
         * log_file_tidy tells; these rows are safe. */
        err marked = mark_write(&file->mark, last_seq, problem);
        if (marked != ERR_OK && marked != ERR_STORAGE_FULL) {
            (void)file_die(file, marked, problem);
        }
    }
    turn_give(&file->turn);
    return error;
}

/* ---- checkpoints ---- */

err file_checkpoint(struct log_file *file, int mode, struct problem *problem)
{
    steady_ns start = steady_now();
    int rc = sqlite3_wal_checkpoint_v2(file->db, NULL, mode, NULL, NULL);
    metric_observe_us(METRIC_LOG_CHECKPOINT_US, steady_since_us(start));
    if (rc == SQLITE_OK || rc_is_ignored(rc)) {
        file->checkpoint_at = file->checkpoint_bytes;
        return ERR_OK;
    }
    return file_problem(file, rc, "checkpoint", problem);
}

/* What was put off for want of room is not tried in each quiet moment. */
static bool is_checkpoint_due(const struct log_file *file, bool quiet)
{
    size_t wal_bytes = (size_t)file->wal_frames * (size_t)file->page_bytes;
    size_t step = file->checkpoint_bytes / CHECKPOINT_QUIET_SHARE;
    bool put_off = file->checkpoint_at > file->checkpoint_bytes;
    return wal_bytes >= file->checkpoint_at || (quiet && !put_off && wal_bytes >= step);
}

err log_file_tidy(struct log_file *file, bool quiet, struct problem *problem)
{
    err error = ERR_OK;
    turn_take(&file->turn);
    if (log_file_is_dead(file)) {
        *problem = file->death;
        error = file->death.error;
        goto out;
    }
    if (!is_checkpoint_due(file, quiet))
        goto out;
    error = file_checkpoint(file, SQLITE_CHECKPOINT_PASSIVE, problem);
    if (log_mutates(MUTATION_AUTO_CHECKPOINT))
        error = ERR_OK;
    if (error == ERR_STORAGE_FULL || error == ERR_NOMEM) {
        log_line(LOG_WARN, "log_checkpoint_put_off", "path=%s reason=%s", file->path,
                 err_code(error));
        file->checkpoint_at =
            (size_t)file->wal_frames * (size_t)file->page_bytes + CHECKPOINT_AGAIN_BYTES;
        error = ERR_OK;
    } else if (error != ERR_OK) {
        error = file_die(file, error, problem);
    }
out:
    turn_give(&file->turn);
    return error;
}

/* ---- reading ---- */

/* The row under `find` as a piece of its own, so that it can be unpacked without the lock. */
static err row_copy(struct log_file *file, sqlite3_stmt *find, uint64_t *key, char **bytes,
                    size_t *size, struct problem *problem)
{
    const void *body = sqlite3_column_blob(find, 1);
    *size = (size_t)sqlite3_column_bytes(find, 1);
    *key = (uint64_t)sqlite3_column_int64(find, 0);
    if (body == NULL && *size > 0)
        return file_problem(file, SQLITE_NOMEM, "read", problem);
    *bytes = memory_resize(NULL, *size + 1);
    if (*bytes == NULL)
        return file_problem(file, SQLITE_NOMEM, "read", problem);
    if (*size > 0)
        memcpy(*bytes, body, *size);
    return ERR_OK;
}

static err file_fetch(struct log_file *file, uint64_t seq, uint64_t *key, char **bytes,
                      size_t *size, struct problem *problem)
{
    sqlite3_stmt *find = file_sql(file, SQL_FIND);
    err error = ERR_OK;
    int rc = sqlite3_bind_int64(find, 1, (sqlite3_int64)seq);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(find);
    if (rc == SQLITE_ROW)
        error = row_copy(file, find, key, bytes, size, problem);
    else if (rc == SQLITE_DONE)
        error = problem_set(problem, ERR_NOT_FOUND, "log %s has no block up to record %" PRIu64,
                            file->path, seq);
    else
        error = file_problem(file, rc, "read", problem);
    (void)sqlite3_reset(find);
    if (error == ERR_CORRUPT)
        problem_set(problem, error, "log %s is damaged where record %" PRIu64 " lies: %s",
                    file->path, seq, sqlite3_errstr(rc));
    return error;
}

/* Names the block in what the decoder said of it. */
static err file_decode(struct log_file *file, uint64_t key, str bytes, struct log_block **block,
                       struct problem *problem)
{
    struct problem inner = { 0 };
    struct log_block *made = NULL;
    err error = log_block_decode(bytes, &made, &inner);
    if (error == ERR_OK && made->first_seq != key)
        error =
            problem_set(&inner, ERR_CORRUPT, "offset 8: first_seq is %" PRIu64, made->first_seq);
    if (error == ERR_OK) {
        *block = made;
        return ERR_OK;
    }
    log_block_release(&made);
    return problem_set(problem, error, "log %s, block of first_seq %" PRIu64 ": %s", file->path,
                       key, inner.detail);
}

err file_find(struct log_file *file, uint64_t seq, uint64_t *key, struct log_block **block,
              struct problem *problem)
{
    char *bytes = NULL;
    size_t size = 0;
    err error = file_fetch(file, seq, key, &bytes, &size, problem);
    if (error == ERR_OK)
        error = file_decode(file, *key, str_from_bytes(bytes, size), block, problem);
    memory_free(bytes);
    return error;
}

err log_file_read(struct log_file *file, uint64_t seq, struct log_block **block,
                  struct problem *problem)
{
    struct log_block *made = NULL;
    char *bytes = NULL;
    size_t size = 0;
    uint64_t key = 0;
    turn_take(&file->turn);
    bool kept = seq >= file->first_seq && seq <= file->last_seq;
    err error = kept ? file_fetch(file, seq, &key, &bytes, &size, problem)
                     : problem_set(problem, ERR_NOT_FOUND,
                                   "log %s holds records %" PRIu64 " to %" PRIu64 ", not %" PRIu64,
                                   file->path, file->first_seq, file->last_seq, seq);
    turn_give(&file->turn);
    if (error == ERR_OK)
        error = file_decode(file, key, str_from_bytes(bytes, size), &made, problem);
    memory_free(bytes);
    /* It must be there: that it is not found, or ends too early, is damage. */
    bool ends_before = made != NULL && seq - made->first_seq >= made->count;
    if ((error == ERR_NOT_FOUND && kept) || ends_before)
        error = problem_set(problem, ERR_CORRUPT,
                            "log %s: the block of record %" PRIu64 " is missing", file->path, seq);
    if (error == ERR_OK)
        *block = made;
    else
        log_block_release(&made);
    return error;
}

err file_next_key(struct log_file *file, uint64_t seq, uint64_t *key, uint64_t *size_bytes,
                  struct problem *problem)
{
    sqlite3_stmt *keys = file_sql(file, SQL_KEYS);
    int rc = sqlite3_bind_int64(keys, 1, (sqlite3_int64)seq);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(keys, 2, 1);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(keys);
    *key = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(keys, 0) : 0;
    *size_bytes = rc == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(keys, 1) : 0;
    (void)sqlite3_reset(keys);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : file_problem(file, rc, "read", problem);
}

int file_read_head(struct log_file *file, sqlite3_blob **blob, uint64_t key,
                   struct block_head *head)
{
    char bytes[BLOCK_HEADER_BYTES];
    sqlite3_int64 row = (sqlite3_int64)key;
    int rc = *blob != NULL ? sqlite3_blob_reopen(*blob, row)
                           : sqlite3_blob_open(file->db, "main", "block", "body", row, 0, blob);
    if (rc == SQLITE_OK && sqlite3_blob_bytes(*blob) < (int)sizeof bytes)
        rc = SQLITE_CORRUPT;
    if (rc == SQLITE_OK)
        rc = sqlite3_blob_read(*blob, bytes, (int)sizeof bytes, 0);
    if (rc == SQLITE_OK && !block_head_read(str_from_bytes(bytes, sizeof bytes), head))
        rc = SQLITE_CORRUPT;
    return rc;
}
