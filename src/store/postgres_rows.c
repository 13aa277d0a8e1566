/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_rows: rows to and from a PostgreSQL server. */
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "store/postgres_inside.h"
#include "store/postgres_text.h"

/* Rows that are sent before the first answers are read. Far less than what the sockets hold, so that neither side ever
 * waits for the other to read. */
#define WINDOW 256

static struct postgres_statement *raw(struct sql_statement *statement)
{
    return (struct postgres_statement *)statement;
}

/* ---- the pipeline ---- */

static void note_failure(struct postgres *sql, const PGresult *result)
{
    if (sql->first.error == ERR_OK)
        (void)post_failed(sql, result, "write rows", &sql->first);
}

/* The answer to one thing that was sent, and the NULL behind it. False: nothing more comes. */
static bool read_answer(struct postgres *sql)
{
    PGresult *result = PQgetResult(sql->connection);
    if (result == NULL) {
        sql->in_flight = 0;
        if (sql->first.error == ERR_OK)
            (void)post_failed(sql, NULL, "write rows", &sql->first);
        return false;
    }
    sql->in_flight--;
    if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED) {
        if (sql->first.error == ERR_OK)
            post_tell(sql, "write rows", ERR_INTERNAL, "the pipeline was aborted", &sql->first);
    } else if (!post_is_fine(result)) {
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
        return post_failed(sql, NULL, "begin to write", problem);
    sql->in_pipeline = true;
    sql->in_flight = 0;
    sql->first = (struct problem){ .error = ERR_OK };
    return ERR_OK;
}

/* All that was sent is judged; the first failure counts. */
err post_leave_pipeline(struct postgres *sql, struct problem *problem)
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
        (void)post_run(sql, "ROLLBACK; DEALLOCATE ALL", "roll back", NULL);
    if (problem != NULL)
        *problem = sql->first;
    return sql->first.error;
}

/* ---- statements ---- */

void post_finish(struct sql_statement *base)
{
    struct postgres_statement *statement = raw(base);
    PQclear(statement->result);
    memory_free(statement->text);
    memory_free(statement); /* the server forgets it with the connection */
}

err post_prepare(struct sql *base, str text, struct sql_statement **out, struct problem *problem)
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

err post_bind(struct sql_statement *base, int parameter, const struct ledger_value *value)
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
            return post_failed(sql, NULL, "prepare", problem);
        sql->in_flight++;
        statement->life = sql->life;
    }
    if (send(statement) == 0)
        return post_failed(sql, NULL, "write rows", problem);
    sql->in_flight++;
    if (sql->in_flight >= WINDOW)
        read_window(sql, WINDOW / 2);
    if (sql->first.error == ERR_OK)
        return ERR_OK;
    *problem = sql->first;
    return sql->first.error;
}

err post_prepare_now(struct postgres *sql, struct postgres_statement *statement,
                     struct problem *problem)
{
    if (statement->life == sql->life)
        return ERR_OK;
    PGresult *result = PQprepare(sql->connection, statement->name, statement->text, 0, NULL);
    err error = post_is_fine(result) ? ERR_OK : post_failed(sql, result, "prepare", problem);
    PQclear(result);
    if (error == ERR_OK)
        statement->life = sql->life;
    return error;
}

static err begin_rows(struct postgres *sql, struct postgres_statement *statement,
                      struct problem *problem)
{
    err error = post_leave_pipeline(sql, problem);
    statement->is_in_transaction = PQtransactionStatus(sql->connection) == PQTRANS_INTRANS;
    if (error == ERR_OK && !statement->is_in_transaction)
        error = post_reach(sql, problem);
    if (error == ERR_OK)
        error = post_prepare_now(sql, statement, problem);
    if (error == ERR_OK && (send(statement) == 0 ||
                            (!statement->is_limited && PQsetSingleRowMode(sql->connection) == 0)))
        error = post_failed(sql, NULL, "read rows", problem);
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
        if (statement->is_running && !post_is_fine(statement->result))
            error = post_failed(sql, statement->result, "read rows", problem);
    }
    *row = error == ERR_OK && statement->is_running;
    return error;
}

/* Rows that nobody wants any more are not sent at all, if the server can still be told. */
void post_reset(struct sql_statement *base)
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

err post_step(struct sql *base, struct sql_statement *statement_base, bool *row,
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
    if (error == ERR_UNAVAILABLE && !statement->is_in_transaction &&
        post_reach(sql, problem) == ERR_OK)
        error = first_row(sql, statement, row, problem);
    return error;
}

void post_columns(struct sql_statement *base, const enum ledger_kind *kinds, const int *places,
                  int count, struct ledger_value *values)
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
