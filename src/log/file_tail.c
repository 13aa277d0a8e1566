/* SPDX-License-Identifier: Apache-2.0 */
/* What opening finds at the end of the log, and what it does about damage.
 *
 * The last block whose bytes are damaged is set aside, and its numbers are filled with ticks: they
 * were given out, so they are not given out again (L1), and no reader meets a hole. Damage before
 * it, or a tail that is shorter than the mark, stops opening: a person decides. With
 * config->repair all that can be reached is mended in the same way.
 */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/logline.h"
#include "log/file_parts.h"
#include "log/mutate.h"

/* Blocks of at least so many bytes are read back and checked: what a crash may have touched. */
#define TAIL_BYTES ((uint64_t)16 << 20)
/* A filler has at most this many ticks. */
#define FILL_RECORDS_MAX (UINT32_C(1) << 20)
#define KEY_MAX ((uint64_t)INT64_MAX)

/* ---- filling ---- */

struct fill_steps {
    uint64_t set_aside; /* key of the damaged block; 0: there is none */
    uint64_t first_seq;
    uint32_t count;
    struct buffer *block;
};

static err fill_encode(struct buffer *out, uint64_t first_seq, uint32_t count, int64_t received_ms)
{
    struct buffer ticks;
    buffer_init(&ticks, (size_t)FILL_RECORDS_MAX * 2);
    for (uint32_t i = 0; i < count; i++)
        log_record_write(&ticks, LOG_RECORD_TICK, STR_NONE);
    err error = buffer_status(&ticks);
    if (error == ERR_OK)
        error = log_block_encode(out, first_seq, count, received_ms, buffer_str(&ticks));
    buffer_deinit(&ticks);
    return error;
}

static int fill_rows(struct log_file *file, void *context)
{
    const struct fill_steps *fill = context;
    int rc = SQLITE_OK;
    if (fill->set_aside != 0) {
        rc = sqlite3_bind_int64(file_sql(file, SQL_SET_ASIDE), 1, (sqlite3_int64)fill->set_aside);
        if (rc == SQLITE_OK)
            rc = file_run(file, SQL_SET_ASIDE);
    }
    sqlite3_stmt *replace = file_sql(file, SQL_REPLACE);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(replace, 1, (sqlite3_int64)fill->first_seq);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob64(replace, 2, fill->block->data, fill->block->size, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = file_run(file, SQL_REPLACE);
    (void)sqlite3_clear_bindings(replace);
    return rc;
}

/* Put ticks in the place of `first_seq` to `last_seq`. */
static err fill_range(struct log_file *file, uint64_t set_aside, uint64_t first_seq,
                      uint64_t last_seq, int64_t received_ms, struct problem *problem)
{
    err error = ERR_OK;
    while (error == ERR_OK && first_seq <= last_seq) {
        struct buffer block;
        uint64_t left = last_seq - first_seq + 1;
        uint32_t count = left < FILL_RECORDS_MAX ? (uint32_t)left : FILL_RECORDS_MAX;
        struct fill_steps fill = {
            .set_aside = set_aside, .first_seq = first_seq, .count = count, .block = &block
        };
        buffer_init(&block, LOG_BLOCK_BYTES_LIMIT);
        error = fill_encode(&block, first_seq, count, received_ms);
        if (error == ERR_OK)
            error = file_transact(file, fill_rows, &fill, "mend", problem);
        buffer_deinit(&block);
        set_aside = 0;
        first_seq += count;
    }
    return error;
}

static err cut_block(struct log_file *file, uint64_t first_seq, uint64_t last_seq, bool is_there,
                     struct log_tail *tail, const char *reason, struct problem *problem)
{
    err error =
        fill_range(file, is_there ? first_seq : 0, first_seq, last_seq, tail->received_ms, problem);
    if (error != ERR_OK)
        return error;
    tail->lost_records += last_seq - first_seq + 1;
    log_line(LOG_ERROR, "log_records_lost",
             "path=%s first_seq=%" PRIu64 " last_seq=%" PRIu64 " reason=\"%s\"", file->path,
             first_seq, last_seq, reason);
    return ERR_OK;
}

/* ---- what the mark says ---- */

static err tail_read_mark(struct log_file *file, uint64_t *mark, struct problem *problem)
{
    enum mark_found found;
    *mark = 0;
    err error = mark_read(&file->mark, &found, mark, problem);
    if (error == ERR_OK && found == MARK_DAMAGED) {
        *mark = 0;
        log_line(LOG_ERROR, "log_mark_damaged", "path=%s-mark", file->path);
    }
    if (log_mutates(MUTATION_NO_MARK))
        *mark = 0;
    return error;
}

/* The number of the last record of a block at the end whose bytes are damaged: the mark is after
 * it, or its header looks as if it were the right one. */
static uint64_t damaged_last_seq(struct log_file *file, uint64_t key, uint64_t mark)
{
    sqlite3_blob *blob = NULL;
    struct block_head head;
    int rc = file_read_head(file, &blob, key, &head);
    bool plausible = rc == SQLITE_OK && head.first_seq == key && head.count > 0 &&
                     head.record_bytes / 2 >= head.count &&
                     head.record_bytes <= LOG_BLOCK_BYTES_LIMIT;
    (void)sqlite3_blob_close(blob);
    if (mark >= key)
        return mark;
    return plausible ? key + head.count - 1 : 0;
}

/* ---- checking ---- */

static err tail_gap(struct log_file *file, uint64_t first, uint64_t last, struct problem *problem)
{
    problem_set(problem, ERR_CORRUPT,
                "log %s: records %" PRIu64 " to %" PRIu64 " were durable and are missing",
                file->path, first, last);
    return problem_hint(problem, ERR_CORRUPT,
                        "restore a backup, or repair the log: what is missing"
                        " is then given up");
}

/* The blocks before `next`, newest first, until enough bytes have been checked. */
static err tail_check_back(struct log_file *file, struct log_block *next, struct problem *problem)
{
    uint64_t expected = next->first_seq, bytes = next->records.size;
    int64_t received_ms = next->received_ms;
    err error = ERR_OK;
    while (error == ERR_OK && bytes < TAIL_BYTES && expected > file->state.trimmed_seq + 1) {
        struct log_block *block = NULL;
        uint64_t key;
        error = file_find(file, expected - 1, &key, &block, problem);
        if (error == ERR_NOT_FOUND)
            return tail_gap(file, file->state.trimmed_seq + 1, expected - 1, problem);
        if (error != ERR_OK)
            return error;
        if (block->first_seq + block->count != expected)
            error =
                block->first_seq + block->count < expected
                    ? tail_gap(file, block->first_seq + block->count, expected - 1, problem)
                    : problem_set(problem, ERR_CORRUPT,
                                  "log %s: the block of first_seq %" PRIu64 " runs into the next",
                                  file->path, key);
        else if (block->received_ms > received_ms)
            error = problem_set(problem, ERR_CORRUPT,
                                "log %s: the block after first_seq %" PRIu64 " is older",
                                file->path, key);
        expected = block->first_seq;
        received_ms = block->received_ms;
        bytes += block->records.size;
        log_block_release(&block);
    }
    return error;
}

/* received_ms of the last good block before `key`: what replaces it is not older. */
static int64_t received_before(struct log_file *file, uint64_t key)
{
    struct problem ignored;
    struct log_block *block = NULL;
    uint64_t found;
    int64_t received_ms = file->state.trimmed_received_ms;
    if (key > 1 && file_find(file, key - 1, &found, &block, &ignored) == ERR_OK)
        received_ms = block->received_ms;
    log_block_release(&block);
    return received_ms;
}

/* The last block; a damaged one is cut off, once. */
static err tail_last_block(struct log_file *file, uint64_t mark, struct log_tail *tail,
                           struct log_block **last, struct problem *problem)
{
    uint64_t key = 0;
    err error = file_find(file, KEY_MAX, &key, last, problem);
    if (error != ERR_CORRUPT || key == 0)
        return error;
    struct problem damage = *problem;
    uint64_t last_seq = damaged_last_seq(file, key, mark);
    if (last_seq == 0)
        return error; /* how many records it had is not known */
    tail->received_ms = received_before(file, key);
    error = cut_block(file, key, last_seq, true, tail, damage.detail, problem);
    return error == ERR_OK ? file_find(file, KEY_MAX, &key, last, problem) : error;
}

static err tail_check(struct log_file *file, uint64_t mark, struct log_tail *tail,
                      struct problem *problem)
{
    struct log_block *last = NULL;
    uint64_t key, size;
    err error = tail_last_block(file, mark, tail, &last, problem);
    if (error == ERR_OK) {
        tail->last_seq = last->first_seq + last->count - 1;
        tail->received_ms = last->received_ms;
        error = tail_check_back(file, last, problem);
    } else if (error == ERR_NOT_FOUND) {
        tail->last_seq = file->state.trimmed_seq;
        tail->received_ms = file->state.trimmed_received_ms;
        error = ERR_OK;
    }
    log_block_release(&last);
    if (error == ERR_OK)
        error = file_next_key(file, 0, &key, &size, problem);
    if (error == ERR_OK && key != 0 && key != file->state.trimmed_seq + 1)
        error = tail_gap(file, file->state.trimmed_seq + 1, key - 1, problem);
    if (error == ERR_OK && mark > tail->last_seq)
        error = tail_gap(file, tail->last_seq + 1, mark, problem);
    return error;
}

/* ---- mending ---- */

/* Every block in its turn: what cannot be read is set aside, what is missing is filled. */
static err tail_mend(struct log_file *file, uint64_t mark, struct log_tail *tail,
                     struct problem *problem)
{
    uint64_t expected = file->state.trimmed_seq + 1, key, size, next_key;
    tail->received_ms = file->state.trimmed_received_ms;
    err error = file_next_key(file, expected, &key, &size, problem);
    while (error == ERR_OK && key != 0) {
        struct problem damage = { 0 };
        struct log_block *block = NULL;
        uint64_t found;
        if (key > expected)
            error = cut_block(file, expected, key - 1, false, tail, "missing", problem);
        if (error == ERR_OK)
            error = file_next_key(file, key + 1, &next_key, &size, problem);
        if (error != ERR_OK)
            break;
        err read = file_find(file, key, &found, &block, &damage);
        if (read == ERR_OK && next_key != 0 && block->first_seq + block->count > next_key)
            read = problem_set(&damage, ERR_CORRUPT, "it runs into the next block");
        if (read == ERR_OK) {
            expected = block->first_seq + block->count;
            tail->received_ms = block->received_ms;
        } else if (read == ERR_CORRUPT) {
            uint64_t last = next_key != 0 ? next_key - 1 : damaged_last_seq(file, key, mark);
            if (last == 0)
                last = key; /* at least the one that gives the block its name */
            error = cut_block(file, key, last, true, tail, damage.detail, problem);
            expected = last + 1;
        } else {
            *problem = damage;
            error = read;
        }
        log_block_release(&block);
        key = next_key;
    }
    if (error == ERR_OK && mark >= expected)
        error = cut_block(file, expected, mark, false, tail, "missing", problem);
    return error;
}

/* ---- the whole ---- */

static err tail_read_state(struct log_file *file, struct problem *problem)
{
    sqlite3_stmt *get = file_sql(file, SQL_STATE_GET);
    int rc = sqlite3_step(get);
    str value = rc == SQLITE_ROW ? str_from_bytes(sqlite3_column_blob(get, 0),
                                                  (size_t)sqlite3_column_bytes(get, 0))
                                 : STR_NONE;
    bool sound = file_state_decode(value, &file->state);
    (void)sqlite3_reset(get);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return file_problem(file, rc, "read", problem);
    if (!sound)
        return problem_set(problem, ERR_CORRUPT, "log %s: its row 'state' is damaged", file->path);
    return ERR_OK;
}

err file_check_tail(struct log_file *file, const struct log_config *config, struct log_tail *tail,
                    struct problem *problem)
{
    uint64_t mark;
    *tail = (struct log_tail){ 0 };
    err error = tail_read_state(file, problem);
    if (error == ERR_OK)
        error = tail_read_mark(file, &mark, problem);
    if (error == ERR_OK && config->repair)
        error = tail_mend(file, mark, tail, problem);
    if (error == ERR_OK)
        error = tail_check(file, mark, tail, problem);
    if (error != ERR_OK)
        return error;
    file->first_seq = tail->first_seq = file->state.trimmed_seq + 1;
    file->last_seq = tail->last_seq;
    return ERR_OK;
}
