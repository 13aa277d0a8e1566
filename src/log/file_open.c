/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the log's file: lock, schema, settings. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/digest.h"
#include "log/file_parts.h"
#include "log/gate.h"
#include "log/mutate.h"

/* "KLOG": what `file` and SQLite tools see. */
#define APPLICATION_ID 0x4B4C4F47
#define FORMAT_VERSION 1

/* A table is what this says, letter by letter, or the file is damaged. */
#define TABLE_TABLE(X)                                                                        \
    X(block, "CREATE TABLE block (first_seq INTEGER PRIMARY KEY, body BLOB NOT NULL)")        \
    X(damaged, "CREATE TABLE damaged (id INTEGER PRIMARY KEY, first_seq INTEGER, body BLOB)") \
    X(state, "CREATE TABLE state (id INTEGER PRIMARY KEY, value BLOB NOT NULL)")

static const struct table {
    const char *name, *sql;
} tables[] = {
#define X(name, text) { #name, text },
    TABLE_TABLE(X)
#undef X
};
#define TABLE_COUNT (sizeof tables / sizeof tables[0])

static const char *const sql_texts[SQL_COUNT] = {
#define X(name, text) [SQL_##name] = text,
    SQL_TABLE(X)
#undef X
};

/* F1: the first access already finds EXCLUSIVE set. cache_spill: a transaction reaches the WAL at
 * its commit and not before (F3). secure_delete is off: personal values in records are sealed. For
 * the size of pages, docs/decisions/log-in-one-file.md. */
static const char *const settings[] = {
    "PRAGMA page_size=16384",      "PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL",
    "PRAGMA wal_autocheckpoint=0", "PRAGMA cache_spill=OFF",        "PRAGMA secure_delete=OFF",
    "PRAGMA cell_size_check=ON",   "PRAGMA trusted_schema=OFF",     "PRAGMA temp_store=MEMORY",
    "PRAGMA mmap_size=0",          "PRAGMA cache_size=-16384",
};

/* ---- the row `state` ---- */

void file_state_encode(const struct file_state *state, uint8_t out[STATE_BYTES])
{
    uint64_t values[3] = { state->trimmed_seq, (uint64_t)state->trimmed_received_ms, state->voids };
    for (unsigned i = 0; i < 24; i++)
        out[i] = (uint8_t)(values[i / 8] >> (8 * (i % 8)));
    uint32_t crc = crc32c(0, out, 24);
    for (unsigned i = 0; i < 4; i++)
        out[24 + i] = (uint8_t)(crc >> (8 * i));
}

bool file_state_decode(str bytes, struct file_state *state)
{
    struct cursor cursor = cursor_over(bytes);
    struct file_state read = { .trimmed_seq = read_u64(&cursor) };
    read.trimmed_received_ms = read_i64(&cursor);
    read.voids = read_u64(&cursor);
    uint32_t crc = read_u32(&cursor);
    if (cursor.failed || bytes.size != STATE_BYTES || crc != crc32c(0, bytes.data, 24))
        return false;
    *state = read;
    return true;
}

/* ---- schema ---- */

static int query_int(struct log_file *file, const char *sql, int64_t *value)
{
    sqlite3_stmt *query = NULL;
    int rc = sqlite3_prepare_v2(file->db, sql, -1, &query, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(query);
    if (rc == SQLITE_ROW)
        *value = sqlite3_column_int64(query, 0);
    int rc_end = sqlite3_finalize(query);
    return rc == SQLITE_ROW ? rc_end : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

/* SQLite keeps silent where it cannot switch. */
static int require_wal(struct log_file *file)
{
    sqlite3_stmt *query = NULL;
    int rc = sqlite3_prepare_v2(file->db, "PRAGMA journal_mode", -1, &query, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(query);
    bool is_wal = rc == SQLITE_ROW && sqlite3_column_text(query, 0) != NULL &&
                  strcmp((const char *)sqlite3_column_text(query, 0), "wal") == 0;
    (void)sqlite3_finalize(query);
    if (rc == SQLITE_ROW)
        rc = is_wal ? SQLITE_OK : SQLITE_CANTOPEN;
    return rc;
}

static err file_prepare(struct log_file *file, struct problem *problem)
{
    for (size_t i = 0; i < SQL_COUNT; i++) {
        if (file->statements[i] != NULL)
            continue;
        int rc = sqlite3_prepare_v3(file->db, sql_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                    &file->statements[i], NULL);
        if (rc == SQLITE_ERROR)
            rc = SQLITE_CORRUPT; /* the texts are right, so the schema is not */
        if (rc != SQLITE_OK)
            return file_problem(file, rc, "use", problem);
    }
    return ERR_OK;
}

/* One transaction: a file has the whole schema, with its state, or none. */
static err file_create(struct log_file *file, struct problem *problem)
{
    char sql[1024];
    int size = snprintf(
        sql, sizeof sql, "BEGIN; %s; %s; %s; PRAGMA application_id=%d; PRAGMA user_version=%d;",
        tables[0].sql, tables[1].sql, tables[2].sql, APPLICATION_ID, FORMAT_VERSION);
    INVARIANT(TABLE_COUNT == 3 && size > 0 && (size_t)size < sizeof sql);
    int rc = sqlite3_exec(file->db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return file_problem(file, rc, "create", problem);
    err error = file_prepare(file, problem);
    if (error != ERR_OK)
        return error;
    rc = file_put_state(file, &(struct file_state){ 0 });
    if (rc == SQLITE_OK)
        rc = file_run(file, SQL_COMMIT);
    return rc == SQLITE_OK ? ERR_OK : file_problem(file, rc, "create", problem);
}

static err file_check_table(struct log_file *file, const struct table *table,
                            struct problem *problem)
{
    sqlite3_stmt *query = NULL;
    int rc = sqlite3_prepare_v2(file->db,
                                "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                                " AND name = ?1 AND tbl_name = ?1 AND sql = ?2",
                                -1, &query, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(query, 1, table->name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(query, 2, table->sql, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(query);
    int64_t found = rc == SQLITE_ROW ? sqlite3_column_int64(query, 0) : 0;
    (void)sqlite3_finalize(query);
    if (rc != SQLITE_ROW)
        return file_problem(file, rc, "read", problem);
    if (found != 1)
        return problem_set(problem, ERR_CORRUPT, "log %s: the table '%s' is not as it was made",
                           file->path, table->name);
    return ERR_OK;
}

static err file_check_schema(struct log_file *file, int64_t objects, struct problem *problem)
{
    int64_t id = 0, version = 0;
    int rc = query_int(file, "PRAGMA application_id", &id);
    if (rc == SQLITE_OK)
        rc = query_int(file, "PRAGMA user_version", &version);
    if (rc != SQLITE_OK)
        return file_problem(file, rc, "read", problem);
    if (id != APPLICATION_ID || objects != (int64_t)TABLE_COUNT)
        return problem_set(problem, ERR_CORRUPT, "%s is an SQLite file, but not a log of Kith",
                           file->path);
    if (version != FORMAT_VERSION)
        return problem_set(problem, ERR_UNSUPPORTED,
                           "log %s has format %" PRId64 ", this Kith knows %d", file->path, version,
                           FORMAT_VERSION);
    err error = ERR_OK;
    for (size_t i = 0; i < TABLE_COUNT && error == ERR_OK; i++)
        error = file_check_table(file, &tables[i], problem);
    return error;
}

static err file_load_schema(struct log_file *file, struct problem *problem)
{
    int64_t objects = 0, page_bytes = 0;
    int rc = query_int(file, "SELECT count(*) FROM sqlite_master", &objects);
    if (rc == SQLITE_OK)
        rc = query_int(file, "PRAGMA page_size", &page_bytes);
    if (rc == SQLITE_ERROR)
        rc = SQLITE_CORRUPT;
    if (rc != SQLITE_OK)
        return file_problem(file, rc, "read", problem);
    file->page_bytes = (int)page_bytes;
    err error =
        objects == 0 ? file_create(file, problem) : file_check_schema(file, objects, problem);
    return error == ERR_OK ? file_prepare(file, problem) : error;
}

/* ---- open and close ---- */

static int note_wal_frames(void *context, sqlite3 *db, const char *name, int frames)
{
    struct log_file *file = context;
    (void)db;
    (void)name;
    file->wal_frames = frames;
    return SQLITE_OK;
}

static err file_choose_vfs(struct log_file *file, const char *name, sqlite3_vfs **vfs,
                           struct problem *problem)
{
#ifdef KITH_FAULTS
    err error = gate_open(&file->gate, name);
    if (error == ERR_NOMEM)
        return problem_set(problem, error, "no memory to open log %s", file->path);
    *vfs = file->gate;
#else
    (void)file;
    *vfs = sqlite3_vfs_find(name);
#endif
    if (*vfs == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "SQLite has no VFS '%s'",
                           name != NULL ? name : "(default)");
    return ERR_OK;
}

static err file_connect(struct log_file *file, sqlite3_vfs *vfs, struct problem *problem)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(file->path, &file->db, flags, vfs->zName);
    if (rc != SQLITE_OK)
        return file_problem(file, rc, "open", problem);
    (void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && rc == SQLITE_OK; i++)
        rc = sqlite3_exec(file->db, settings[i], NULL, NULL, NULL);
    bool syncs = !log_mutates(MUTATION_NO_SYNC);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(file->db, syncs ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = require_wal(file);
    if (rc != SQLITE_OK)
        return file_problem(file, rc, "open", problem);
    (void)sqlite3_wal_hook(file->db, note_wal_frames, file);
    return ERR_OK;
}

/* F5. Not before the check: where the WAL is damaged, a checkpoint would put old pages over new ones,
 * and what a person could still save would be gone. */
static err file_make_durable(struct log_file *file, struct problem *problem)
{
    err error = log_mutates(MUTATION_OPEN_UNSYNCED)
                    ? ERR_OK
                    : file_checkpoint(file, SQLITE_CHECKPOINT_RESTART, problem);
    if (error != ERR_OK)
        return error;
    error = mark_write(&file->mark, file->last_seq, problem);
    return error == ERR_STORAGE_FULL ? ERR_OK : error; /* the old mark is true as well */
}

err log_file_open(struct log_file **file, const struct log_config *config, struct log_tail *tail,
                  struct problem *problem)
{
    size_t path_bytes = strlen(config->path) + 1;
    sqlite3_vfs *vfs = NULL;
    struct log_file *made = memory_alloc(sizeof *made + path_bytes);
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open log %s", config->path);
    memcpy(made->path, config->path, path_bytes);
    turn_init(&made->turn);
    made->checkpoint_bytes = config->checkpoint_bytes;
    err error = file_choose_vfs(made, config->vfs, &vfs, problem);
    if (error == ERR_OK)
        error = file_connect(made, vfs, problem);
    if (error == ERR_OK)
        error = file_load_schema(made, problem);
    if (error == ERR_OK)
        error = mark_open(&made->mark, vfs, made->path, problem);
    if (error == ERR_OK)
        error = file_check_tail(made, config, tail, problem);
    if (error == ERR_OK)
        error = file_make_durable(made, problem);
    if (error != ERR_OK) {
        atomic_store(&made->dead, true); /* closing must not write */
        log_file_close(&made);
        return error;
    }
    *file = made;
    return ERR_OK;
}

/* TRUNCATE: a log that was closed well is one file. What fails here is found again by opening. */
static void file_settle(struct log_file *file)
{
    struct problem problem;
    if (log_file_is_dead(file))
        return;
    if (file_checkpoint(file, SQLITE_CHECKPOINT_TRUNCATE, &problem) == ERR_OK)
        (void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

void log_file_close(struct log_file **file)
{
    struct log_file *closing = *file;
    *file = NULL;
    if (closing == NULL)
        return;
    file_settle(closing);
    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(closing->statements[i]);
    int rc = sqlite3_close(closing->db);
    INVARIANT(rc == SQLITE_OK); /* it would refuse only for a statement that was left */
    mark_close(&closing->mark);
#ifdef KITH_FAULTS
    gate_close(&closing->gate);
#endif
    turn_deinit(&closing->turn);
    memory_free(closing);
}
