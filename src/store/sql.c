/* SPDX-License-Identifier: Apache-2.0 */
/* sql: finds the driver of a database, and hands on. */
#include "store/sql.h"

#include <string.h>

#include "store/sql_driver.h"

bool sql_path_is_file(const char *path)
{
    return strncmp(path, "postgresql://", 13) != 0 && strncmp(path, "postgres://", 11) != 0;
}

err sql_open(struct sql **sql, const struct sql_config *config, struct problem *problem)
{
    const struct sql_driver *driver =
        sql_path_is_file(config->path) ? &sql_driver_sqlite : &sql_driver_postgres;
    return driver->open(sql, config, problem);
}

void sql_close(struct sql **out)
{
    struct sql *sql = *out;
    *out = NULL;
    if (sql != NULL)
        sql->driver->close(sql);
}

void sql_close_without_sync(struct sql *sql)
{
    if (sql->driver->close_without_sync != NULL)
        sql->driver->close_without_sync(sql);
}

const char *sql_name(const struct sql *sql)
{
    return sql->name;
}

bool sql_is_file(const struct sql *sql)
{
    return sql->driver->copy != NULL;
}

err sql_execute(struct sql *sql, const char *text, struct problem *problem)
{
    return sql->driver->execute(sql, text, problem);
}

err sql_begin(struct sql *sql, struct problem *problem)
{
    return sql->driver->begin(sql, problem);
}

err sql_commit(struct sql *sql, struct problem *problem)
{
    return sql->driver->commit(sql, problem);
}

void sql_rollback(struct sql *sql)
{
    sql->driver->rollback(sql);
}

err sql_begin_read(struct sql *sql, struct problem *problem)
{
    return sql->driver->begin_read(sql, problem);
}

void sql_end_read(struct sql *sql)
{
    sql->driver->rollback(sql);
}

err sql_prepare(struct sql *sql, str text, struct sql_statement **statement,
                struct problem *problem)
{
    return sql->driver->prepare(sql, text, statement, problem);
}

static err find_one(struct sql *sql, struct sql_statement *statement,
                    const struct ledger_value *key, int width, sql_taker take, void *context,
                    bool *stopped, struct problem *problem)
{
    bool row = false;
    err error = ERR_OK;
    for (int i = 0; error == ERR_OK && i < width; i++)
        error = sql_bind(statement, i, &key[i]);
    if (error != ERR_OK)
        return problem_set(problem, error, "a value to look up in the ledger cannot be bound");
    error = sql_step(sql, statement, &row, problem);
    if (error == ERR_OK && row)
        *stopped = !take(context, statement);
    sql_reset(statement);
    return error;
}

err sql_find(struct sql *sql, struct sql_statement *statement, const struct ledger_value *keys,
             int width, size_t count, sql_taker take, void *context, struct problem *problem)
{
    bool stopped = false;
    if (count > 1 && sql->driver->find != NULL)
        return sql->driver->find(sql, statement, keys, width, count, take, context, problem);
    err error = count > 1 ? sql_begin_read(sql, problem) : ERR_OK;
    for (size_t i = 0; i < count && error == ERR_OK && !stopped; i++)
        error = find_one(sql, statement, keys + i * (size_t)width, width, take, context, &stopped,
                         problem);
    if (count > 1)
        sql_end_read(sql);
    return error;
}

bool sql_can_fill(const struct sql *sql)
{
    return sql->driver->fill_begin != NULL;
}

err sql_fill_begin(struct sql *sql, const char *table, const char *columns, struct problem *problem)
{
    return sql->driver->fill_begin(sql, table, columns, problem);
}

err sql_fill_row(struct sql *sql, const struct ledger_value *values, int count,
                 struct problem *problem)
{
    return sql->driver->fill_row(sql, values, count, problem);
}

err sql_fill_end(struct sql *sql, bool complete, struct problem *problem)
{
    return sql->driver->fill_end(sql, complete, problem);
}

void sql_finish(struct sql_statement **statement)
{
    if (*statement != NULL)
        (*statement)->driver->finish(*statement);
    *statement = NULL;
}

err sql_bind(struct sql_statement *statement, int parameter, const struct ledger_value *value)
{
    return statement->driver->bind(statement, parameter, value);
}

err sql_step(struct sql *sql, struct sql_statement *statement, bool *row, struct problem *problem)
{
    return sql->driver->step(sql, statement, row, problem);
}

void sql_reset(struct sql_statement *statement)
{
    statement->driver->reset(statement);
}

void sql_columns(struct sql_statement *statement, const enum ledger_kind *kinds, const int *places,
                 int count, struct ledger_value *values)
{
    statement->driver->columns(statement, kinds, places, count, values);
}

err sql_copy(struct sql *sql, const char *path, struct problem *problem)
{
    INVARIANT(sql_is_file(sql));
    return sql->driver->copy(sql, path, problem);
}

/* A server's own log is its own affair. */
err sql_cut(struct sql *sql, bool *complete, struct problem *problem)
{
    *complete = true;
    return sql->driver->cut != NULL ? sql->driver->cut(sql, complete, problem) : ERR_OK;
}

err sql_checkpoint(struct sql *sql, bool *complete, struct problem *problem)
{
    return sql->driver->checkpoint(sql, complete, problem);
}

int64_t sql_wal_pages(const struct sql *sql)
{
    return sql->driver->wal_pages(sql);
}

err sql_check(struct sql *sql, struct problem *problem)
{
    return sql->driver->check(sql, problem);
}

err sql_version(struct sql *sql, int *version, struct problem *problem)
{
    return sql->driver->version(sql, version, problem);
}

err sql_set_version(struct sql *sql, int version, struct problem *problem)
{
    return sql->driver->set_version(sql, version, problem);
}

err sql_describe(struct sql *sql, const char *table, sql_column_visitor visit, void *context,
                 struct problem *problem)
{
    return sql->driver->describe(sql, table, visit, context, problem);
}
