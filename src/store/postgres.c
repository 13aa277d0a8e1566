/* SPDX-License-Identifier: Apache-2.0 */
/* postgres: the driver of a ledger that is kept by a PostgreSQL server, through libpq.
 *
 *   reading   a statement is sent, and its rows come one by one as they are asked for; LIMIT says that all of
 *             them may come at once
 *   filling   many new rows of one table go by COPY, in a transaction
 *   writing   between begin and commit rows are sent in pipeline mode and nobody waits for each of them; commit
 *             reads what became of all
 *
 *      IDLE ──begin──▶ OPEN ──a row──▶ PIPELINE ──commit──▶ IDLE       rollback leads to IDLE from everywhere
 *
 * Values travel in binary. A connection that was lost is made again by the next begin or read outside a transaction;
 * what was prepared on it is prepared anew when it is needed (`life`). The connection that writes holds an advisory
 * lock: two servers cannot write one ledger. With an epoch the lock is shared, and each commit asks for the epoch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/logline.h"
#include "store/postgres_inside.h"
#include "store/postgres_text.h"

/* Of pg_advisory_lock: "KITH" */
#define LOCK_NUMBER "1263095880"
/* A server that was killed a moment ago may still hold it. */
#define LOCK_WAIT_MS 3000

/* ---- failures ---- */

/* The server's words without its line ends. */
void post_tell(struct postgres *sql, const char *doing, err error, const char *message,
               struct problem *problem)
{
    str text = str_trim(str_from_c(message != NULL ? message : ""));
    str line = str_slice(text, 0, str_find_byte(text, '\n'));
    problem_set(problem, error, "ledger '%s': %s: " STR_FMT, sql->name, doing, STR_ARG(line));
    if (error == ERR_UNAVAILABLE)
        problem_hint(
            problem, error,
            "see that the PostgreSQL server runs and can be reached; Kith goes on by itself");
    if (error == ERR_STORAGE_FULL)
        problem_hint(
            problem, error,
            "free space on the disk of the PostgreSQL server; the ledger goes on by itself");
    if (error == ERR_FORBIDDEN || error == ERR_NOT_FOUND)
        problem_hint(problem, error, "create the user and the database, or name others");
}

err post_failed(struct postgres *sql, const PGresult *result, const char *doing,
                struct problem *problem)
{
    struct problem unheard;
    problem = problem != NULL ? problem : &unheard;
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    err error =
        PQstatus(sql->connection) != CONNECTION_OK ? ERR_UNAVAILABLE : postgres_error_of(state);
    const char *message =
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    sql->is_lost = sql->is_lost || error == ERR_UNAVAILABLE;
    post_tell(sql, doing, error, message != NULL ? message : PQerrorMessage(sql->connection),
              problem);
    return error;
}

bool post_is_fine(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE;
}

/* One command of the simple kind, without a result. */
err post_run(struct postgres *sql, const char *text, const char *doing, struct problem *problem)
{
    PGresult *result = PQexec(sql->connection, text);
    err error = post_is_fine(result) ? ERR_OK : post_failed(sql, result, doing, problem);
    PQclear(result);
    return error;
}

/* The first value of the first row as a number; 0 for NULL. */
static err ask_number(struct postgres *sql, const char *text, int64_t *number,
                      struct problem *problem)
{
    PGresult *result = PQexec(sql->connection, text);
    err error = ERR_OK;
    *number = 0;
    if (!post_is_fine(result))
        error = post_failed(sql, result, "ask", problem);
    else if (PQntuples(result) > 0)
        (void)str_to_int64(str_from_c(PQgetvalue(result, 0, 0)), number);
    PQclear(result);
    return error;
}

/* ---- connecting ---- */

static err take_lock(struct postgres *sql, struct problem *problem)
{
    int64_t is_ours = 0;
    err error = ERR_OK;
    /* Those that write under a lease share it: who of them may is said by the epoch. */
    const char *text = sql->epoch != 0 ? "SELECT pg_try_advisory_lock_shared(" LOCK_NUMBER ")::int"
                                       : "SELECT pg_try_advisory_lock(" LOCK_NUMBER ")::int";
    for (steady_ns start = steady_now(); error == ERR_OK && is_ours == 0;) {
        error = ask_number(sql, text, &is_ours, problem);
        if (error == ERR_OK && is_ours == 0 && steady_since_ms(start) > LOCK_WAIT_MS) {
            problem_set(problem, ERR_CONFLICT, "ledger '%s' is written by another Kith", sql->name);
            return problem_hint(problem, ERR_CONFLICT, "stop it first, or name another database");
        }
        if (error == ERR_OK && is_ours == 0)
            steady_sleep_ms(50);
    }
    return error;
}

/* ---- the epoch of the lease ---- */

static err tell_taken_over(struct postgres *sql, struct problem *problem)
{
    problem_set(problem, ERR_LOCKED,
                "ledger '%s': the lease of epoch %llu is over, and another Kith has taken it",
                sql->name, (unsigned long long)sql->epoch);
    return problem_hint(problem, ERR_LOCKED, "nothing was lost: it goes on there");
}

/* From here on no older epoch commits anything. The sessions of one are ended first: a paused transaction would keep the
 * row. They are found by their name, which has the schema's number in it, as the log's sessions are. */
static err take_epoch(struct postgres *sql, struct problem *problem)
{
    char text[700];
    int64_t ours = 0;
    unsigned long long epoch = sql->epoch;
    err error = post_run(sql,
                         "BEGIN; SELECT pg_advisory_xact_lock(1263095882);"
                         "CREATE TABLE IF NOT EXISTS kith_epoch (id INTEGER PRIMARY KEY,"
                         " epoch BIGINT NOT NULL);"
                         "INSERT INTO kith_epoch VALUES (1, 0) ON CONFLICT DO NOTHING; COMMIT",
                         "make the table of the epoch", problem);
    if (error != ERR_OK) {
        (void)post_run(sql, "ROLLBACK", "roll back", NULL);
        return error;
    }
    snprintf(text, sizeof text,
             "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a, kith_epoch e"
             " WHERE e.id=1 AND e.epoch < %llu AND a.datname = current_database()"
             " AND a.pid <> pg_backend_pid() AND a.application_name = 'kith-' ||"
             " current_schema()::regnamespace::oid::bigint || '-' || e.epoch",
             epoch);
    error = ask_number(sql, text, &ours, problem);
    snprintf(text, sizeof text,
             "UPDATE kith_epoch SET epoch=%llu WHERE id=1 AND epoch <= %llu RETURNING epoch", epoch,
             epoch);
    if (error == ERR_OK)
        error = ask_number(sql, text, &ours, problem);
    if (error == ERR_OK && (uint64_t)ours != sql->epoch)
        return tell_taken_over(sql, problem);
    snprintf(text, sizeof text,
             "SELECT set_config('application_name', 'kith-' ||"
             " current_schema()::regnamespace::oid::bigint || '-%llu', false)",
             epoch);
    return error == ERR_OK ? post_run(sql, text, "name the session", problem) : error;
}

/* Deliberate defect: a build with KITH_FAULTS whose KITH_MUTATE names it commits without asking. */
static bool forgets_the_epoch(void)
{
#ifdef KITH_FAULTS
    const char *mutation = getenv("KITH_MUTATE");
    return mutation != NULL && strstr(mutation, "no_epoch") != NULL;
#else
    return false;
#endif
}

/* What ends a transaction. Under a lease: only while no newer epoch has come; its row is held until we are through, so that
 * whoever brings one waits for us or we fail. */
static const char *words_of_commit(const struct postgres *sql, char text[200])
{
    if (sql->epoch == 0 || forgets_the_epoch())
        return "COMMIT";
    snprintf(text, 200,
             "SELECT 1 / count(*) FROM (SELECT 1 FROM kith_epoch WHERE id=1 AND epoch=%llu"
             " FOR SHARE) ours; COMMIT",
             (unsigned long long)sql->epoch);
    return text;
}

static bool is_taken_over(const struct postgres *sql, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return sql->epoch != 0 && state != NULL && strcmp(state, "22012") == 0;
}

/* What the server remarks is no failure, and of no use to who reads our log. */
static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static err settle(struct postgres *sql, struct problem *problem)
{
    sql->life++;
    sql->in_pipeline = false;
    sql->in_flight = 0;
    err error = post_run(sql,
                         "SET client_encoding='UTF8'; SET client_min_messages=warning;"
                         "SET standard_conforming_strings=on; SET statement_timeout=0",
                         "begin a session", problem);
    if (error == ERR_OK && sql->read_only)
        error = post_run(sql, "SET default_transaction_read_only=on", "begin a session", problem);
    if (error == ERR_OK && !sql->read_only)
        error = take_lock(sql, problem);
    if (error == ERR_OK && !sql->read_only && sql->epoch != 0)
        error = take_epoch(sql, problem);
    return error;
}

/* A connection that was lost is made again. */
err post_reach(struct postgres *sql, struct problem *problem)
{
    if (PQstatus(sql->connection) == CONNECTION_OK && !sql->is_lost)
        return ERR_OK;
    PQreset(sql->connection);
    if (PQstatus(sql->connection) != CONNECTION_OK)
        return post_failed(sql, NULL, "connect", problem);
    sql->is_lost = false;
    log_line(LOG_INFO, "ledger_connected", "ledger=\"%s\" again=true", sql->name);
    return settle(sql, problem);
}

static void name_it(struct postgres *sql)
{
    const char *host = PQhost(sql->connection), *database = PQdb(sql->connection);
    snprintf(sql->name, sizeof sql->name, "postgresql://%s/%s", host != NULL ? host : "",
             database != NULL ? database : "");
}

static void post_close(struct sql *base)
{
    struct postgres *sql = post(base);
    PQfinish(sql->connection);
    buffer_deinit(&sql->filling);
    memory_free(sql);
}

static err post_open(struct sql **out, const struct sql_config *config, struct problem *problem)
{
    /* What the address says comes later and wins. */
    static const char *const names[] = { "connect_timeout",  "keepalives_idle",
                                         "tcp_user_timeout", "fallback_application_name",
                                         "dbname",           NULL };
    const char *const values[] = { "5", "30", "30000", "kith", config->path, NULL };
    struct postgres *sql = memory_alloc(sizeof *sql);
    if (sql == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open a ledger of PostgreSQL");
    sql->sql.driver = &sql_driver_postgres;
    sql->sql.name = sql->name;
    buffer_init(&sql->filling, (size_t)2 << 30);
    sql->read_only = config->read_only;
    sql->epoch = config->epoch;
    sql->connection = PQconnectdbParams(names, values, 1);
    name_it(sql);
    if (sql->connection != NULL)
        PQsetNoticeProcessor(sql->connection, ignore_notice, NULL);
    err error =
        sql->connection == NULL ? problem_set(problem, ERR_NOMEM, "no memory to connect") : ERR_OK;
    if (error == ERR_OK && PQstatus(sql->connection) != CONNECTION_OK)
        error = post_failed(sql, NULL, "connect", problem);
    if (error == ERR_OK)
        error = settle(sql, problem);
    if (error != ERR_OK)
        post_close(&sql->sql);
    else
        *out = &sql->sql;
    return error;
}

/* ---- transactions ---- */

static err post_execute(struct sql *base, const char *text, struct problem *problem)
{
    struct postgres *sql = post(base);
    struct buffer words;
    buffer_init(&words, (size_t)4 << 20);
    postgres_write_migration(str_from_c(text), &words);
    buffer_append_byte(&words, '\0');
    err error = buffer_status(&words);
    if (error != ERR_OK)
        problem_set(problem, error, "no memory for a statement on ledger '%s'", sql->name);
    if (error == ERR_OK)
        error = post_leave_pipeline(sql, problem);
    if (error == ERR_OK)
        error = post_run(sql, words.data, "execute", problem);
    buffer_deinit(&words);
    return error;
}

static err post_begin(struct sql *base, struct problem *problem)
{
    struct postgres *sql = post(base);
    err error = post_reach(sql, problem);
    return error == ERR_OK ? post_run(sql, "BEGIN", "begin", problem) : error;
}

/* A commit whose answer is lost may have been made; who asked repeats it, and the same rows come to the same. */
static err post_commit(struct sql *base, struct problem *problem)
{
    struct postgres *sql = post(base);
    err error = post_leave_pipeline(sql, problem);
    if (error != ERR_OK)
        return error;
    char text[200];
    PGresult *result = PQexec(sql->connection, words_of_commit(sql, text));
    if (is_taken_over(sql, result)) {
        error = tell_taken_over(sql, problem);
    } else if (!post_is_fine(result)) {
        error = post_failed(sql, result, "commit", problem);
    } else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        error = ERR_INTERNAL;
        post_tell(sql, "commit", error, "the server rolled back instead", problem);
    }
    PQclear(result);
    return error;
}

static void post_rollback(struct sql *base)
{
    struct postgres *sql = post(base);
    (void)post_leave_pipeline(sql, NULL);
    if (PQstatus(sql->connection) == CONNECTION_OK &&
        PQtransactionStatus(sql->connection) != PQTRANS_IDLE)
        (void)post_run(sql, "ROLLBACK", "roll back", NULL);
}

static err post_begin_read(struct sql *base, struct problem *problem)
{
    struct postgres *sql = post(base);
    err error = post_reach(sql, problem);
    return error == ERR_OK ? post_run(sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                                      "begin to read", problem)
                           : error;
}

/* ---- looking after it: the server does ---- */

static err post_checkpoint(struct sql *base, bool *complete, struct problem *problem)
{
    (void)base;
    (void)problem;
    *complete = true;
    return ERR_OK;
}

static int64_t post_wal_pages(const struct sql *base)
{
    (void)base;
    return 0;
}

/* All rows are read: with checksums of pages, what the disk has spoilt is found. */
static err post_check(struct sql *base, struct problem *problem)
{
    struct postgres *sql = post(base);
    PGresult *tables = PQexec(sql->connection,
                              "SELECT format('SELECT sum(pg_column_size(t.*)) FROM %I t', relname) "
                              "FROM pg_class WHERE relkind='r' AND "
                              "relnamespace=current_schema()::regnamespace");
    err error = post_is_fine(tables) ? ERR_OK : post_failed(sql, tables, "check", problem);
    for (int i = 0; error == ERR_OK && i < PQntuples(tables); i++)
        error = post_run(sql, PQgetvalue(tables, i, 0), "check", problem);
    PQclear(tables);
    return error;
}

/* ---- what is there ---- */

static err post_version(struct sql *base, int *version, struct problem *problem)
{
    struct postgres *sql = post(base);
    int64_t is_there = 0, others = 0, number = 0;
    err error = ask_number(sql, "SELECT (to_regclass('kith_version') IS NOT NULL)::int", &is_there,
                           problem);
    if (error == ERR_OK && is_there != 0)
        error = ask_number(sql, "SELECT max(version) FROM kith_version", &number, problem);
    else if (error == ERR_OK)
        error = ask_number(sql,
                           /* The tables of the log and its lease may lie beside it. */
                           "SELECT count(*) FROM pg_class WHERE relkind='r' AND "
                           "relnamespace=current_schema()::regnamespace AND relname !~ '^kith_'",
                           &others, problem);
    if (error == ERR_OK && others > 0) {
        problem_set(problem, ERR_CONFLICT, "'%s' holds %lld tables, but no ledger", sql->name,
                    (long long)others);
        return problem_hint(problem, ERR_CONFLICT, "name a database or a schema of its own");
    }
    *version = (int)number;
    return error;
}

static err post_set_version(struct sql *base, int version, struct problem *problem)
{
    char text[200];
    snprintf(text, sizeof text,
             "CREATE TABLE IF NOT EXISTS kith_version (version BIGINT NOT NULL);"
             "DELETE FROM kith_version; INSERT INTO kith_version VALUES (%d);",
             version);
    return post_run(post(base), text, "write the version", problem);
}

static str our_type(const char *theirs)
{
    str type = str_from_c(theirs);
    if (str_equal(type, STR("bigint")))
        return STR("INTEGER");
    if (str_equal(type, STR("bytea")))
        return STR("BLOB");
    return str_equal(type, STR("text")) ? STR("TEXT") : type;
}

static err post_describe(struct sql *base, const char *table, sql_column_visitor visit,
                         void *context, struct problem *problem)
{
    static const char TEXT[] =
        "SELECT a.attname, format_type(a.atttypid, -1), a.attnotnull, COALESCE(("
        "  SELECT k.place FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(number, place)"
        "  WHERE i.indrelid=a.attrelid AND i.indisprimary AND k.number=a.attnum), 0) "
        "FROM pg_attribute a WHERE a.attrelid=to_regclass($1) AND a.attnum>0 "
        "AND NOT a.attisdropped ORDER BY a.attnum";
    struct postgres *sql = post(base);
    PGresult *result = PQexecParams(sql->connection, TEXT, 1, NULL, &table, NULL, NULL, 0);
    err error =
        post_is_fine(result) ? ERR_OK : post_failed(sql, result, "describe a table", problem);
    for (int i = 0; error == ERR_OK && i < PQntuples(result); i++) {
        int64_t place = 0;
        (void)str_to_int64(str_from_c(PQgetvalue(result, i, 3)), &place);
        if (!visit(context, str_from_c(PQgetvalue(result, i, 0)),
                   our_type(PQgetvalue(result, i, 1)), PQgetvalue(result, i, 2)[0] == 't',
                   (int)place))
            break;
    }
    PQclear(result);
    return error;
}

const struct sql_driver sql_driver_postgres = {
    .open = post_open,
    .close = post_close,
    .execute = post_execute,
    .begin = post_begin,
    .commit = post_commit,
    .rollback = post_rollback,
    .begin_read = post_begin_read,
    .prepare = post_prepare,
    .finish = post_finish,
    .bind = post_bind,
    .step = post_step,
    .reset = post_reset,
    .find = post_find,
    .fill_begin = post_fill_begin,
    .fill_row = post_fill_row,
    .fill_end = post_fill_end,
    .columns = post_columns,
    .checkpoint = post_checkpoint,
    .wal_pages = post_wal_pages,
    .check = post_check,
    .version = post_version,
    .set_version = post_set_version,
    .describe = post_describe,
};
