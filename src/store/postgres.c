/* SPDX-License-Identifier: Apache-2.0 */
/* postgres: the driver of a ledger that is kept by a PostgreSQL server, through libpq.
 *
 *   reading   a statement is sent, and its rows come one by one as they are asked for; LIMIT says that all of
 *             them may come at once
 *   writing   between begin and commit rows are sent in pipeline mode and nobody waits for each of them; commit
 *             reads what became of all
 *
 *      IDLE ──begin──▶ OPEN ──a row──▶ PIPELINE ──commit──▶ IDLE       rollback leads to IDLE from everywhere
 *
 * Values travel in binary. A connection that was lost is made again by the next begin or read outside a transaction;
 * what was prepared on it is prepared anew when it is needed (`life`). The connection that writes holds an advisory
 * lock: two servers cannot write one ledger.
 */
#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/logline.h"
#include "store/postgres_text.h"
#include "store/sql_driver.h"

/* Of pg_advisory_lock: "KITH" */
#define LOCK_NUMBER "1263095880"
/* A server that was killed a moment ago may still hold it. */
#define LOCK_WAIT_MS 3000
#define PARAMETERS_MAX (LEDGER_COLUMNS_MAX + 2)
/* Rows that are sent before the first answers are read. Far less than what the sockets hold, so that neither side ever
 * waits for the other to read. */
#define WINDOW 256
#define NAME_BYTES 256

struct postgres {
    struct sql sql;
    PGconn *connection;
    char name[NAME_BYTES]; /* for people: no password */
    bool read_only, in_pipeline;
    bool is_lost;         /* the server said that it goes; the socket may not know yet */
    unsigned life;        /* grows when what was prepared is gone */
    unsigned statements;  /* ever, for their names */
    size_t in_flight;     /* answers that are still to be read */
    struct problem first; /* failure of the pipeline; ERR_OK: none */
};

struct postgres_statement {
    struct sql_statement statement;
    struct postgres *sql;
    char name[16], *text;
    int parameters;
    bool is_read, is_limited;
    unsigned life; /* in which it was prepared; 0: not yet */
    char integers[PARAMETERS_MAX][8];
    const char *values[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
    /* being read */
    bool is_running, is_in_transaction;
    PGresult *result;
    int row;
};

static struct postgres *post(struct sql *sql)
{
    return (struct postgres *)sql;
}

static struct postgres_statement *raw(struct sql_statement *statement)
{
    return (struct postgres_statement *)statement;
}

/* ---- failures ---- */

/* The server's words without its line ends. */
static void tell(struct postgres *sql, const char *doing, err error, const char *message,
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

static err failed(struct postgres *sql, const PGresult *result, const char *doing,
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
    tell(sql, doing, error, message != NULL ? message : PQerrorMessage(sql->connection), problem);
    return error;
}

static bool is_fine(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_SINGLE_TUPLE;
}

/* One command of the simple kind, without a result. */
static err run(struct postgres *sql, const char *text, const char *doing, struct problem *problem)
{
    PGresult *result = PQexec(sql->connection, text);
    err error = is_fine(result) ? ERR_OK : failed(sql, result, doing, problem);
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
    if (!is_fine(result))
        error = failed(sql, result, "ask", problem);
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
    for (steady_ns start = steady_now(); error == ERR_OK && is_ours == 0;) {
        error =
            ask_number(sql, "SELECT pg_try_advisory_lock(" LOCK_NUMBER ")::int", &is_ours, problem);
        if (error == ERR_OK && is_ours == 0 && steady_since_ms(start) > LOCK_WAIT_MS) {
            problem_set(problem, ERR_CONFLICT, "ledger '%s' is written by another Kith", sql->name);
            return problem_hint(problem, ERR_CONFLICT, "stop it first, or name another database");
        }
        if (error == ERR_OK && is_ours == 0)
            steady_sleep_ms(50);
    }
    return error;
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
    err error = run(sql,
                    "SET client_encoding='UTF8'; SET client_min_messages=warning;"
                    "SET standard_conforming_strings=on; SET statement_timeout=0",
                    "begin a session", problem);
    if (error == ERR_OK && sql->read_only)
        error = run(sql, "SET default_transaction_read_only=on", "begin a session", problem);
    if (error == ERR_OK && !sql->read_only)
        error = take_lock(sql, problem);
    return error;
}

/* A connection that was lost is made again. */
static err reach(struct postgres *sql, struct problem *problem)
{
    if (PQstatus(sql->connection) == CONNECTION_OK && !sql->is_lost)
        return ERR_OK;
    PQreset(sql->connection);
    if (PQstatus(sql->connection) != CONNECTION_OK)
        return failed(sql, NULL, "connect", problem);
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
    sql->read_only = config->read_only;
    sql->connection = PQconnectdbParams(names, values, 1);
    name_it(sql);
    if (sql->connection != NULL)
        PQsetNoticeProcessor(sql->connection, ignore_notice, NULL);
    err error =
        sql->connection == NULL ? problem_set(problem, ERR_NOMEM, "no memory to connect") : ERR_OK;
    if (error == ERR_OK && PQstatus(sql->connection) != CONNECTION_OK)
        error = failed(sql, NULL, "connect", problem);
    if (error == ERR_OK)
        error = settle(sql, problem);
    if (error != ERR_OK)
        post_close(&sql->sql);
    else
        *out = &sql->sql;
    return error;
}

/* ---- the pipeline ---- */

static void note_failure(struct postgres *sql, const PGresult *result)
{
    if (sql->first.error == ERR_OK)
        (void)failed(sql, result, "write rows", &sql->first);
}

/* The answer to one thing that was sent, and the NULL behind it. False: nothing more comes. */
static bool read_answer(struct postgres *sql)
{
    PGresult *result = PQgetResult(sql->connection);
    if (result == NULL) {
        sql->in_flight = 0;
        if (sql->first.error == ERR_OK)
            (void)failed(sql, NULL, "write rows", &sql->first);
        return false;
    }
    sql->in_flight--;
    if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED) {
        if (sql->first.error == ERR_OK)
            tell(sql, "write rows", ERR_INTERNAL, "the pipeline was aborted", &sql->first);
    } else if (!is_fine(result)) {
        note_failure(sql, result);
    }
    PQclear(result);
    while ((result = PQgetResult(sql->connection)) != NULL)
        PQclear(result);
    return true;
}

static void read_window(struct postgres *sql, size_t left)
{
    if (PQsendFlushRequest(sql->connection) == 0 || PQflush(sql->connection) != 0) {
        note_failure(sql, NULL);
        return;
    }
    while (sql->in_flight > left && read_answer(sql))
        continue;
}

static err enter_pipeline(struct postgres *sql, struct problem *problem)
{
    if (sql->in_pipeline)
        return ERR_OK;
    if (PQenterPipelineMode(sql->connection) == 0)
        return failed(sql, NULL, "begin to write", problem);
    sql->in_pipeline = true;
    sql->in_flight = 0;
    sql->first = (struct problem){ .error = ERR_OK };
    return ERR_OK;
}

/* All that was sent is judged; the first failure counts. */
static err leave_pipeline(struct postgres *sql, struct problem *problem)
{
    if (!sql->in_pipeline)
        return ERR_OK;
    sql->in_pipeline = false;
    if (PQpipelineSync(sql->connection) == 0)
        note_failure(sql, NULL);
    while (sql->in_flight > 0 && read_answer(sql))
        continue;
    PGresult *sync = PQgetResult(sql->connection); /* PGRES_PIPELINE_SYNC */
    if (sync == NULL || PQresultStatus(sync) != PGRES_PIPELINE_SYNC)
        note_failure(sql, sync);
    PQclear(sync);
    if (PQexitPipelineMode(sql->connection) == 0)
        note_failure(sql, NULL);
    if (sql->first.error == ERR_OK)
        return ERR_OK;
    /* What was to be prepared behind the failure was not. */
    sql->life++;
    if (PQstatus(sql->connection) == CONNECTION_OK)
        (void)run(sql, "ROLLBACK; DEALLOCATE ALL", "roll back", NULL);
    if (problem != NULL)
        *problem = sql->first;
    return sql->first.error;
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
        error = leave_pipeline(sql, problem);
    if (error == ERR_OK)
        error = run(sql, words.data, "execute", problem);
    buffer_deinit(&words);
    return error;
}

static err post_begin(struct sql *base, struct problem *problem)
{
    struct postgres *sql = post(base);
    err error = reach(sql, problem);
    return error == ERR_OK ? run(sql, "BEGIN", "begin", problem) : error;
}

/* A commit whose answer is lost may have been made; who asked repeats it, and the same rows come to the same. */
static err post_commit(struct sql *base, struct problem *problem)
{
    struct postgres *sql = post(base);
    err error = leave_pipeline(sql, problem);
    if (error != ERR_OK)
        return error;
    PGresult *result = PQexec(sql->connection, "COMMIT");
    if (!is_fine(result)) {
        error = failed(sql, result, "commit", problem);
    } else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        error = ERR_INTERNAL;
        tell(sql, "commit", error, "the server rolled back instead", problem);
    }
    PQclear(result);
    return error;
}

static void post_rollback(struct sql *base)
{
    struct postgres *sql = post(base);
    (void)leave_pipeline(sql, NULL);
    if (PQstatus(sql->connection) == CONNECTION_OK &&
        PQtransactionStatus(sql->connection) != PQTRANS_IDLE)
        (void)run(sql, "ROLLBACK", "roll back", NULL);
}

static err post_begin_read(struct sql *base, struct problem *problem)
{
    struct postgres *sql = post(base);
    err error = reach(sql, problem);
    return error == ERR_OK ? run(sql, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                                 "begin to read", problem)
                           : error;
}

/* ---- statements ---- */

static void post_finish(struct sql_statement *base)
{
    struct postgres_statement *statement = raw(base);
    PQclear(statement->result);
    memory_free(statement->text);
    memory_free(statement); /* the server forgets it with the connection */
}

static err post_prepare(struct sql *base, str text, struct sql_statement **out,
                        struct problem *problem)
{
    struct postgres *sql = post(base);
    struct postgres_statement *statement = memory_alloc(sizeof *statement);
    struct buffer words;
    buffer_init(&words, (size_t)1 << 20);
    int parameters = postgres_write_statement(text, &words);
    buffer_append_byte(&words, '\0');
    if (statement != NULL && buffer_status(&words) == ERR_OK)
        statement->text = memory_alloc(words.size);
    if (statement == NULL || statement->text == NULL) {
        buffer_deinit(&words);
        memory_free(statement);
        return problem_set(problem, ERR_NOMEM, "no memory for a statement on ledger '%s'",
                           sql->name);
    }
    INVARIANT(parameters <= PARAMETERS_MAX);
    memcpy(statement->text, words.data, words.size);
    buffer_deinit(&words);
    statement->statement.driver = &sql_driver_postgres;
    statement->sql = sql;
    statement->parameters = parameters;
    statement->is_read = str_starts_with(text, STR("SELECT"));
    statement->is_limited = str_contains(text, STR(" LIMIT "));
    snprintf(statement->name, sizeof statement->name, "k%u", ++sql->statements);
    *out = &statement->statement;
    return ERR_OK;
}

static err post_bind(struct sql_statement *base, int parameter, const struct ledger_value *value)
{
    struct postgres_statement *statement = raw(base);
    INVARIANT(parameter >= 0 && parameter < statement->parameters);
    statement->formats[parameter] = 1;
    statement->lengths[parameter] = 0;
    statement->values[parameter] = NULL;
    if (value->kind == LEDGER_INT) {
        uint64_t big_endian = htobe64((uint64_t)value->integer);
        memcpy(statement->integers[parameter], &big_endian, sizeof big_endian);
        statement->values[parameter] = statement->integers[parameter];
        statement->lengths[parameter] = (int)sizeof big_endian;
    } else if (value->kind != LEDGER_NULL) {
        if (value->bytes.size > INT32_MAX)
            return ERR_TOO_LARGE;
        statement->values[parameter] = value->bytes.data != NULL ? value->bytes.data : "";
        statement->lengths[parameter] = (int)value->bytes.size;
    }
    return ERR_OK;
}

static int send(struct postgres_statement *statement)
{
    return PQsendQueryPrepared(statement->sql->connection, statement->name, statement->parameters,
                               statement->values, statement->lengths, statement->formats, 1);
}

/* A row to write: nobody waits for it. */
static err send_row(struct postgres *sql, struct postgres_statement *statement,
                    struct problem *problem)
{
    err error = enter_pipeline(sql, problem);
    if (error != ERR_OK)
        return error;
    if (statement->life != sql->life) {
        if (PQsendPrepare(sql->connection, statement->name, statement->text, 0, NULL) == 0)
            return failed(sql, NULL, "prepare", problem);
        sql->in_flight++;
        statement->life = sql->life;
    }
    if (send(statement) == 0)
        return failed(sql, NULL, "write rows", problem);
    sql->in_flight++;
    if (sql->in_flight >= WINDOW)
        read_window(sql, WINDOW / 2);
    if (sql->first.error == ERR_OK)
        return ERR_OK;
    *problem = sql->first;
    return sql->first.error;
}

static err prepare_now(struct postgres *sql, struct postgres_statement *statement,
                       struct problem *problem)
{
    if (statement->life == sql->life)
        return ERR_OK;
    PGresult *result = PQprepare(sql->connection, statement->name, statement->text, 0, NULL);
    err error = is_fine(result) ? ERR_OK : failed(sql, result, "prepare", problem);
    PQclear(result);
    if (error == ERR_OK)
        statement->life = sql->life;
    return error;
}

static err begin_rows(struct postgres *sql, struct postgres_statement *statement,
                      struct problem *problem)
{
    err error = leave_pipeline(sql, problem);
    statement->is_in_transaction = PQtransactionStatus(sql->connection) == PQTRANS_INTRANS;
    if (error == ERR_OK && !statement->is_in_transaction)
        error = reach(sql, problem);
    if (error == ERR_OK)
        error = prepare_now(sql, statement, problem);
    if (error == ERR_OK && (send(statement) == 0 ||
                            (!statement->is_limited && PQsetSingleRowMode(sql->connection) == 0)))
        error = failed(sql, NULL, "read rows", problem);
    statement->is_running = error == ERR_OK;
    return error;
}

static err next_row(struct postgres *sql, struct postgres_statement *statement, bool *row,
                    struct problem *problem)
{
    err error = ERR_OK;
    statement->row++;
    while (error == ERR_OK && statement->is_running &&
           (statement->result == NULL || statement->row >= PQntuples(statement->result))) {
        PQclear(statement->result);
        statement->result = PQgetResult(sql->connection);
        statement->row = 0;
        statement->is_running = statement->result != NULL;
        if (statement->is_running && !is_fine(statement->result))
            error = failed(sql, statement->result, "read rows", problem);
    }
    *row = error == ERR_OK && statement->is_running;
    return error;
}

/* Rows that nobody wants any more are not sent at all, if the server can still be told. */
static void post_reset(struct sql_statement *base)
{
    struct postgres_statement *statement = raw(base);
    PGconn *connection = statement->sql->connection;
    PQclear(statement->result);
    statement->result = NULL;
    statement->row = 0;
    if (!statement->is_running)
        return;
    statement->is_running = false;
    PGresult *result = PQgetResult(connection);
    if (result != NULL && PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
        char words[256];
        PGcancel *cancel = PQgetCancel(connection);
        if (cancel != NULL)
            (void)PQcancel(cancel, words, sizeof words);
        PQfreeCancel(cancel);
    }
    for (; result != NULL; result = PQgetResult(connection))
        PQclear(result);
}

static err first_row(struct postgres *sql, struct postgres_statement *statement, bool *row,
                     struct problem *problem)
{
    err error = begin_rows(sql, statement, problem);
    if (error == ERR_OK)
        error = next_row(sql, statement, row, problem);
    if (error != ERR_OK)
        post_reset(&statement->statement);
    return error;
}

static err post_step(struct sql *base, struct sql_statement *statement_base, bool *row,
                     struct problem *problem)
{
    struct postgres *sql = post(base);
    struct postgres_statement *statement = raw(statement_base);
    struct problem unheard = { .error = ERR_OK };
    problem = problem != NULL ? problem : &unheard;
    *row = false;
    if (!statement->is_read)
        return send_row(sql, statement, problem);
    if (statement->is_running)
        return next_row(sql, statement, row, problem);
    err error = first_row(sql, statement, row, problem);
    /* Kept open since long ago, and cut by the other side: once more. */
    if (error == ERR_UNAVAILABLE && !statement->is_in_transaction && reach(sql, problem) == ERR_OK)
        error = first_row(sql, statement, row, problem);
    return error;
}

static void post_columns(struct sql_statement *base, const enum ledger_kind *kinds,
                         const int *places, int count, struct ledger_value *values)
{
    struct postgres_statement *statement = raw(base);
    for (int i = 0; i < count; i++) {
        struct ledger_value *value = &values[places[i]];
        const char *bytes = PQgetvalue(statement->result, statement->row, i);
        bool is_null = PQgetisnull(statement->result, statement->row, i) != 0;
        value->kind = is_null ? LEDGER_NULL : kinds[i];
        if (kinds[i] == LEDGER_INT) {
            uint64_t big_endian = 0;
            if (!is_null)
                memcpy(&big_endian, bytes, sizeof big_endian);
            value->integer = (int64_t)be64toh(big_endian);
        } else {
            value->bytes =
                str_from_bytes(bytes, (size_t)PQgetlength(statement->result, statement->row, i));
        }
    }
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
    err error = is_fine(tables) ? ERR_OK : failed(sql, tables, "check", problem);
    for (int i = 0; error == ERR_OK && i < PQntuples(tables); i++)
        error = run(sql, PQgetvalue(tables, i, 0), "check", problem);
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
                           "SELECT count(*) FROM pg_class WHERE relkind='r' AND "
                           "relnamespace=current_schema()::regnamespace",
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
    return run(post(base), text, "write the version", problem);
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
    err error = is_fine(result) ? ERR_OK : failed(sql, result, "describe a table", problem);
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
    .columns = post_columns,
    .checkpoint = post_checkpoint,
    .wal_pages = post_wal_pages,
    .check = post_check,
    .version = post_version,
    .set_version = post_set_version,
    .describe = post_describe,
};
