/* SPDX-License-Identifier: Apache-2.0 */
/* sqlite: the driver of the embedded ledger. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "store/page_check.h"
#include "store/sql_driver.h"

/* Written into the header of the file, so that another SQLite file is not taken for a ledger. */
#define APPLICATION_ID 0x4b495448 /* "KITH" */
#define BUSY_TIMEOUT_MS 5000

struct sqlite {
    struct sql sql;
    sqlite3 *database;
    int64_t wal_pages;
    struct sql_statement *begin, *commit, *begin_read;
    char path[256];
};

struct sqlite_statement {
    struct sql_statement statement;
    sqlite3_stmt *prepared;
};

static struct sqlite *lite(struct sql *sql)
{
    return (struct sqlite *)sql;
}

static sqlite3_stmt *raw(struct sql_statement *statement)
{
    return ((struct sqlite_statement *)statement)->prepared;
}

/* A failed sync is apart: what the disk holds is unknown then, so it is never tried again. */
static err error_of(int code)
{
    switch (code) {
    case SQLITE_IOERR_DATA: /* page_check: a page does not fit its checksum */
        return ERR_CORRUPT;
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
        return ERR_SYNC;
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_OK;
    case SQLITE_FULL:
        return ERR_STORAGE_FULL;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return ERR_IO;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    default:
        return ERR_INTERNAL;
    }
}

static err failed(const struct sqlite *sql, int code, const char *doing, struct problem *problem)
{
    int extended = sqlite3_extended_errcode(sql->database);
    if ((extended & 0xff) == (code & 0xff))
        code = extended;
    err error = error_of(code);
    problem_set(problem, error, "ledger '%s': %s: %s (sqlite %d)", sql->path, doing,
                sqlite3_errmsg(sql->database), code);
    if (error == ERR_STORAGE_FULL)
        problem_hint(problem, error,
                     "free space on the disk of the data folder; the ledger goes on by itself");
    if (error == ERR_CORRUPT)
        problem_hint(problem, error,
                     "restore a backup, or move the ledger away and rebuild it from a kept log");
    if (error == ERR_SYNC)
        problem_hint(problem, error,
                     "check the disk, then start Kith again: it applies the log anew");
    return error;
}

static err lite_execute(struct sql *base, const char *text, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    int code = sqlite3_exec(sql->database, text, NULL, NULL, NULL);
    return code == SQLITE_OK ? ERR_OK : failed(sql, code, "execute", problem);
}

static err lite_prepare(struct sql *base, str text, struct sql_statement **statement,
                        struct problem *problem)
{
    struct sqlite *sql = lite(base);
    struct sqlite_statement *made = memory_alloc(sizeof(*made));
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for a statement on ledger '%s'",
                           sql->path);
    int code = sqlite3_prepare_v3(sql->database, text.data, (int)text.size,
                                  SQLITE_PREPARE_PERSISTENT, &made->prepared, NULL);
    if (code != SQLITE_OK) {
        memory_free(made);
        return failed(sql, code, "prepare", problem);
    }
    made->statement.driver = &sql_driver_sqlite;
    *statement = &made->statement;
    return ERR_OK;
}

static void lite_finish(struct sql_statement *statement)
{
    sqlite3_finalize(raw(statement));
    memory_free(statement);
}

static void lite_close(struct sql *base)
{
    struct sqlite *sql = lite(base);
    sql_finish(&sql->begin);
    sql_finish(&sql->begin_read);
    sql_finish(&sql->commit);
    if (sql->database != NULL)
        INVARIANT(sqlite3_close(sql->database) == SQLITE_OK);
    memory_free(sql);
}

static int note_wal_pages(void *context, sqlite3 *database, const char *name, int pages)
{
    (void)database;
    (void)name;
    struct sqlite *sql = context;
    sql->wal_pages = pages;
    return SQLITE_OK;
}

/* Checkpoints are made by the ledger's thread when nobody waits for it (wal_autocheckpoint=0). */
static err configure(struct sqlite *sql, const struct sql_config *config, struct problem *problem)
{
    char text[512];
    snprintf(text, sizeof(text),
             "PRAGMA busy_timeout=%d; PRAGMA cache_size=-%lld; PRAGMA temp_store=MEMORY;",
             BUSY_TIMEOUT_MS, (long long)(config->cache_bytes / 1024));
    err error = lite_execute(&sql->sql, text, problem);
    if (error != ERR_OK || config->read_only)
        return error;
    snprintf(text, sizeof(text),
             "PRAGMA page_size=%d; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
             "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864;"
             "PRAGMA secure_delete=ON;",
             PAGE_BYTES);
    error = lite_execute(&sql->sql, text, problem);
    if (error == ERR_OK)
        sqlite3_wal_hook(sql->database, note_wal_pages, sql);
    return error;
}

/* Room for the checksums in each page: a database begins with it, or never has it. */
static err reserve_room(struct sqlite *sql, struct problem *problem)
{
    int room = PAGE_CHECK_BYTES;
    int code = sqlite3_file_control(sql->database, "main", SQLITE_FCNTL_RESERVE_BYTES, &room);
    return code == SQLITE_OK ? ERR_OK : failed(sql, code, "reserve room for checksums", problem);
}

/* After the first read: what the header of the file says. */
static err check_room(struct sqlite *sql, struct problem *problem)
{
    sqlite3_file *file = NULL;
    unsigned char header[24];
    sqlite3_int64 size = 0;
    sqlite3_file_control(sql->database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (file == NULL || file->pMethods == NULL || file->pMethods->xFileSize(file, &size) != 0 ||
        size < PAGE_BYTES)
        return ERR_OK; /* nothing is in the database itself yet */
    if (file->pMethods->xRead(file, header, sizeof(header), 0) != SQLITE_OK)
        return problem_set(problem, ERR_IO, "ledger '%s': its header cannot be read", sql->path);
    if (memcmp(header, "SQLite format 3", 16) != 0 || header[20] == PAGE_CHECK_BYTES)
        return ERR_OK; /* SQLite says what is no database */
    problem_set(problem, ERR_CONFLICT,
                "'%s' is an SQLite file, but not a ledger: its pages have no checksums", sql->path);
    return problem_hint(
        problem, ERR_CONFLICT,
        "name another data folder; if this one was a ledger, its first page is damaged");
}

/* Nobody reads SQLite's own statistics of memory, and each of its allocations would take a mutex for them. Before main,
 * because it can be said only before SQLite is used, and the log uses it, too. */
__attribute__((constructor)) static void count_no_memory(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static err lite_open(struct sql **out, const struct sql_config *config, struct problem *problem)
{
    struct sqlite *sql = memory_alloc(sizeof(*sql));
    if (sql == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open ledger '%s'", config->path);
    sql->sql.driver = &sql_driver_sqlite;
    sql->sql.name = sql->path;
    snprintf(sql->path, sizeof(sql->path), "%s", config->path);
    /* One user at a time: no mutex per call. */
    int flags =
        SQLITE_OPEN_NOMUTEX |
        (config->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    const char *vfs = NULL;
    err error = page_check_vfs(config->vfs, &vfs, problem);
    if (error != ERR_OK) {
        memory_free(sql);
        return error;
    }
    int code = sqlite3_open_v2(config->path, &sql->database, flags, vfs);
    if (code != SQLITE_OK) {
        error = sql->database != NULL ? failed(sql, code, "open", problem)
                                      : problem_set(problem, ERR_NOMEM,
                                                    "no memory to open ledger '%s'", config->path);
        goto out;
    }
    sqlite3_extended_result_codes(sql->database, 1);
    error = check_room(sql, problem);
    if (error == ERR_OK)
        error = reserve_room(sql, problem);
    if (error == ERR_OK)
        error = configure(sql, config, problem);
    if (error == ERR_OK)
        error = lite_prepare(&sql->sql, STR("BEGIN IMMEDIATE"), &sql->begin, problem);
    if (error == ERR_OK)
        error = lite_prepare(&sql->sql, STR("BEGIN"), &sql->begin_read, problem);
    if (error == ERR_OK)
        error = lite_prepare(&sql->sql, STR("COMMIT"), &sql->commit, problem);
out:
    if (error != ERR_OK)
        lite_close(&sql->sql);
    else
        *out = &sql->sql;
    return error;
}

static void lite_close_without_sync(struct sql *base)
{
    struct sqlite *sql = lite(base);
    sqlite3_db_config(sql->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static err run(struct sqlite *sql, struct sql_statement *statement, const char *doing,
               struct problem *problem)
{
    int code = sqlite3_step(raw(statement));
    err error = code == SQLITE_DONE ? ERR_OK : failed(sql, code, doing, problem);
    sqlite3_reset(raw(statement));
    return error;
}

static err lite_begin(struct sql *base, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    return run(sql, sql->begin, "begin", problem);
}

static err lite_commit(struct sql *base, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    return run(sql, sql->commit, "commit", problem);
}

static void lite_rollback(struct sql *base)
{
    struct sqlite *sql = lite(base);
    /* After some errors SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(sql->database))
        sqlite3_exec(sql->database, "ROLLBACK", NULL, NULL, NULL);
}

static err lite_begin_read(struct sql *base, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    return run(sql, sql->begin_read, "begin to read", problem);
}

static err lite_bind(struct sql_statement *statement, int parameter,
                     const struct ledger_value *value)
{
    sqlite3_stmt *prepared = raw(statement);
    int place = parameter + 1;
    /* A NULL pointer would bind NULL instead of the empty text. */
    const char *bytes = value->bytes.data != NULL ? value->bytes.data : "";
    int code = SQLITE_OK;
    switch (value->kind) {
    case LEDGER_NULL:
        code = sqlite3_bind_null(prepared, place);
        break;
    case LEDGER_INT:
        code = sqlite3_bind_int64(prepared, place, value->integer);
        break;
    case LEDGER_TEXT:
        code = sqlite3_bind_text64(prepared, place, bytes, value->bytes.size, SQLITE_STATIC,
                                   SQLITE_UTF8);
        break;
    case LEDGER_BLOB:
        code = sqlite3_bind_blob64(prepared, place, bytes, value->bytes.size, SQLITE_STATIC);
        break;
    }
    return error_of(code);
}

static err lite_step(struct sql *base, struct sql_statement *statement, bool *row,
                     struct problem *problem)
{
    struct sqlite *sql = lite(base);
    int code = sqlite3_step(raw(statement));
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return ERR_OK;
    return failed(sql, code, "read or write rows", problem);
}

static void lite_reset(struct sql_statement *statement)
{
    sqlite3_reset(raw(statement));
}

static void lite_columns(struct sql_statement *statement, const enum ledger_kind *kinds,
                         const int *places, int count, struct ledger_value *values)
{
    sqlite3_stmt *prepared = raw(statement);
    for (int i = 0; i < count; i++) {
        struct ledger_value *value = &values[places[i]];
        sqlite3_value *column = sqlite3_column_value(prepared, i);
        value->kind = kinds[i];
        if (kinds[i] == LEDGER_INT) {
            value->integer = sqlite3_value_int64(column);
            if (value->integer == 0 && sqlite3_value_type(column) == SQLITE_NULL)
                value->kind = LEDGER_NULL;
            continue;
        }
        /* The bytes of a text too: it is UTF-8 in the file, and nobody needs the terminator. */
        value->bytes.data = sqlite3_value_blob(column);
        value->bytes.size = (size_t)sqlite3_value_bytes(column);
        if (value->bytes.size == 0 && sqlite3_value_type(column) == SQLITE_NULL)
            value->kind = LEDGER_NULL;
    }
}

static err lite_checkpoint(struct sql *base, bool *complete, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    int in_log = 0, in_database = 0;
    *complete = false;
    int code = sqlite3_wal_checkpoint_v2(sql->database, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log,
                                         &in_database);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return failed(sql, code, "checkpoint", problem);
    *complete = code == SQLITE_OK && in_log == in_database;
    return ERR_OK;
}

static err lite_cut(struct sql *base, bool *complete, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    int code =
        sqlite3_wal_checkpoint_v2(sql->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    *complete = code == SQLITE_OK;
    if (code == SQLITE_OK)
        sql->wal_pages = 0;
    return code == SQLITE_OK || code == SQLITE_BUSY ? ERR_OK
                                                    : failed(sql, code, "checkpoint", problem);
}

static int64_t lite_wal_pages(const struct sql *base)
{
    return ((const struct sqlite *)base)->wal_pages;
}

static err lite_check(struct sql *base, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    sqlite3_stmt *prepared = NULL;
    int code = sqlite3_prepare_v2(sql->database, "PRAGMA integrity_check(1)", -1, &prepared, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(prepared);
    err error = ERR_OK;
    if (code != SQLITE_ROW)
        error = failed(sql, code, "check", problem);
    else if (strcmp((const char *)sqlite3_column_text(prepared, 0), "ok") != 0)
        error = problem_set(problem, ERR_CORRUPT, "ledger '%s': %s", sql->path,
                            (const char *)sqlite3_column_text(prepared, 0));
    sqlite3_finalize(prepared);
    return error;
}

static err read_pragma(struct sqlite *sql, const char *text, int *value, struct problem *problem)
{
    sqlite3_stmt *prepared = NULL;
    int code = sqlite3_prepare_v2(sql->database, text, -1, &prepared, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(prepared);
    err error = ERR_OK;
    if (code == SQLITE_ROW)
        *value = sqlite3_column_int(prepared, 0);
    else
        error = failed(sql, code, "read the version", problem);
    sqlite3_finalize(prepared);
    return error;
}

/* A copy that fails is removed by who asked for it, so it needs no journal; who asked syncs it. */
static err open_copy(const char *path, sqlite3 **copy, struct problem *problem)
{
    const char *vfs = NULL;
    int room = PAGE_CHECK_BYTES;
    err error = page_check_vfs(NULL, &vfs, problem);
    if (error != ERR_OK)
        return error;
    int code = sqlite3_open_v2(
        path, copy, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
    if (code == SQLITE_OK)
        code = sqlite3_file_control(*copy, "main", SQLITE_FCNTL_RESERVE_BYTES, &room);
    if (code == SQLITE_OK)
        code =
            sqlite3_exec(*copy, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF;", 0, NULL, NULL);
    return code == SQLITE_OK ? ERR_OK
                             : problem_set(problem, error_of(code), "'%s' cannot be made: %s", path,
                                           sqlite3_errstr(code));
}

static err lite_copy(struct sql *base, const char *path, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    sqlite3 *copy = NULL;
    err error = open_copy(path, &copy, problem);
    if (error == ERR_OK) {
        sqlite3_backup *backup = sqlite3_backup_init(copy, "main", sql->database, "main");
        int code = backup != NULL ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(copy);
        int finished = sqlite3_backup_finish(backup);
        if (code != SQLITE_DONE || finished != SQLITE_OK)
            error = problem_set(problem, error_of(code != SQLITE_DONE ? code : finished),
                                "ledger '%s' cannot be copied to '%s': %s", sql->path, path,
                                sqlite3_errmsg(copy));
    }
    sqlite3_close(copy);
    return error;
}

static err lite_version(struct sql *base, int *version, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    int application = 0;
    err error = read_pragma(sql, "PRAGMA user_version", version, problem);
    if (error == ERR_OK)
        error = read_pragma(sql, "PRAGMA application_id", &application, problem);
    if (error == ERR_OK && *version != 0 && application != APPLICATION_ID) {
        problem_set(problem, ERR_CONFLICT, "'%s' is an SQLite file, but not a ledger", sql->path);
        return problem_hint(problem, ERR_CONFLICT, "name another data folder");
    }
    return error;
}

static err lite_set_version(struct sql *base, int version, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    char text[96];
    snprintf(text, sizeof(text), "PRAGMA user_version=%d; PRAGMA application_id=%d;", version,
             APPLICATION_ID);
    return lite_execute(&sql->sql, text, problem);
}

static err lite_describe(struct sql *base, const char *table, sql_column_visitor visit,
                         void *context, struct problem *problem)
{
    struct sqlite *sql = lite(base);
    sqlite3_stmt *prepared = NULL;
    int code = sqlite3_prepare_v2(
        sql->database, "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?1) ORDER BY cid",
        -1, &prepared, NULL);
    if (code != SQLITE_OK)
        return failed(sql, code, "describe a table", problem);
    sqlite3_bind_text(prepared, 1, table, -1, SQLITE_STATIC);
    while ((code = sqlite3_step(prepared)) == SQLITE_ROW) {
        str name = str_from_c((const char *)sqlite3_column_text(prepared, 0));
        str type = str_from_c((const char *)sqlite3_column_text(prepared, 1));
        bool not_null = sqlite3_column_int(prepared, 2) != 0;
        if (!visit(context, name, type, not_null, sqlite3_column_int(prepared, 3)))
            break;
    }
    err error = ERR_OK;
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        error = failed(sql, code, "describe a table", problem);
    sqlite3_finalize(prepared);
    return error;
}

const struct sql_driver sql_driver_sqlite = {
    .open = lite_open,
    .close = lite_close,
    .close_without_sync = lite_close_without_sync,
    .execute = lite_execute,
    .begin = lite_begin,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .begin_read = lite_begin_read,
    .prepare = lite_prepare,
    .finish = lite_finish,
    .bind = lite_bind,
    .step = lite_step,
    .reset = lite_reset,
    .columns = lite_columns,
    .copy = lite_copy,
    .checkpoint = lite_checkpoint,
    .cut = lite_cut,
    .wal_pages = lite_wal_pages,
    .check = lite_check,
    .version = lite_version,
    .set_version = lite_set_version,
    .describe = lite_describe,
};
