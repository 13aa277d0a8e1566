/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_copy: a whole ledger, row by row, into another: from a server into a file for a backup, or to move between them. */
#include <stdio.h>
#include <string.h>

#include "store/ledger_inside.h"

/* One transaction takes so many rows: a server's memory of what is not committed stays small. */
#define ROWS_PER_TRANSACTION 100000
#define COPY_CACHE_BYTES (INT64_C(64) << 20)

struct copying {
    struct sql *from, *to;
    struct sql_statement *select, *upsert;
    size_t rows; /* since the last commit */
    const struct ledger_copying *how;
};

static err prepare_table(struct copying *copying, enum ledger_table which, struct problem *problem)
{
    struct read_shape shape = { .table = which, .by = -1 };
    struct buffer text;
    buffer_init(&text, 16384);
    table_write_select(&shape, &text);
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = sql_prepare(copying->from, buffer_str(&text), &copying->select, problem);
    buffer_clear(&text);
    table_write_upsert(table_of(which), &text);
    if (error == ERR_OK)
        error = buffer_status(&text);
    if (error == ERR_OK)
        error = sql_prepare(copying->to, buffer_str(&text), &copying->upsert, problem);
    buffer_deinit(&text);
    return error;
}

static err copy_row(struct copying *copying, const struct table *table,
                    const struct ledger_value *values, struct problem *problem)
{
    bool row;
    err error = ERR_OK;
    for (int i = 0; i < table->columns && error == ERR_OK; i++)
        error = sql_bind(copying->upsert, i, &values[i]);
    if (error == ERR_OK)
        error = sql_step(copying->to, copying->upsert, &row, problem);
    sql_reset(copying->upsert);
    if (error == ERR_OK && copying->how->stop != NULL && atomic_load(copying->how->stop))
        return problem_set(problem, ERR_UNAVAILABLE, "the ledger is closed");
    if (error != ERR_OK || copying->how->replaces || ++copying->rows < ROWS_PER_TRANSACTION)
        return error;
    copying->rows = 0;
    error = sql_commit(copying->to, problem);
    return error == ERR_OK ? sql_begin(copying->to, problem) : error;
}

static err empty_table(struct copying *copying, const struct table *table, struct problem *problem)
{
    char text[100];
    snprintf(text, sizeof text, "DELETE FROM %s", table->name);
    return sql_execute(copying->to, text, problem);
}

static err copy_table(struct copying *copying, enum ledger_table which, struct problem *problem)
{
    const struct table *table = table_of(which);
    struct ledger_value values[LEDGER_COLUMNS_MAX];
    int places[LEDGER_COLUMNS_MAX];
    bool row = true;
    for (int i = 0; i < table->columns; i++)
        places[i] = i;
    err error = copying->how->replaces ? empty_table(copying, table, problem) : ERR_OK;
    if (error == ERR_OK)
        error = prepare_table(copying, which, problem);
    while (error == ERR_OK && row) {
        error = sql_step(copying->from, copying->select, &row, problem);
        if (error != ERR_OK || !row)
            break;
        sql_columns(copying->select, table->kinds, places, table->columns, values);
        error = copy_row(copying, table, values, problem);
    }
    if (copying->select != NULL)
        sql_reset(copying->select);
    sql_finish(&copying->select);
    sql_finish(&copying->upsert);
    return error;
}

err ledger_copy_rows(struct sql *from, const struct ledger_copying *how, struct problem *problem)
{
    struct copying copying = { .from = from, .how = how };
    struct sql_config config = { .path = how->path,
                                 .epoch = how->epoch,
                                 .cache_bytes = COPY_CACHE_BYTES };
    bool complete = false;
    int version = 0;
    err error = sql_open(&copying.to, &config, problem);
    if (error == ERR_OK)
        error = sql_version(copying.to, &version, problem);
    if (error == ERR_OK && version != 0 && !how->replaces)
        error = problem_set(problem, ERR_CONFLICT, "there is a ledger at '%s' already",
                            sql_name(copying.to));
    if (error == ERR_OK)
        error = ledger_migrate(copying.to, problem);
    if (error == ERR_OK)
        error = sql_begin(copying.to, problem);
    for (int t = 0; t < LEDGER_TABLE_COUNT && error == ERR_OK; t++)
        error = copy_table(&copying, (enum ledger_table)t, problem);
    if (error == ERR_OK)
        error = sql_commit(copying.to, problem);
    if (error != ERR_OK && copying.to != NULL)
        sql_rollback(copying.to);
    if (error == ERR_OK)
        error = sql_checkpoint(copying.to, &complete, problem);
    sql_close(&copying.to);
    return error;
}
