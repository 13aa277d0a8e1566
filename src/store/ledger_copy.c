/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_copy: a whole ledger, row by row, into another: from a server into a file for a backup, or to move between them. */
#include <stdio.h>
#include <string.h>

#include "store/ledger_inside.h"

/* One transaction takes so many rows: a server's memory of what is not committed stays small. */
#define ROWS_PER_TRANSACTION 100000
#define COPY_CACHE_BYTES (INT64_C(64) << 20)
#define ROW_BYTES_MAX ((size_t)256 << 20)

struct copying {
    struct sql *from, *to;
    struct sql_statement *select, *upsert;
    size_t rows; /* since the last commit */
    const struct ledger_copying *how;
    bool is_filling;
    struct buffer renewing; /* a row's texts and blobs */
};

static err prepare_select(struct copying *copying, enum ledger_table which, struct problem *problem)
{
    struct read_shape shape = { .table = which, .by = -1 };
    struct buffer text;
    buffer_init(&text, 16384);
    table_write_select(&shape, &text);
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = sql_prepare(copying->from, buffer_str(&text), &copying->select, problem);
    buffer_deinit(&text);
    return error;
}

/* Into a file row by row, into a server by the thousand. */
static err begin_table(struct copying *copying, const struct table *table, struct problem *problem)
{
    struct buffer text;
    buffer_init(&text, 16384);
    if (sql_can_fill(copying->to)) {
        for (int i = 0; i < table->columns; i++)
            buffer_printf(&text, "%s%s", i > 0 ? "," : "", table->names[i]);
        buffer_append_byte(&text, '\0');
    } else {
        table_write_upsert(table, &text);
    }
    err error = buffer_status(&text);
    if (error != ERR_OK)
        problem_set(problem, error, "no memory to copy table '%s'", table->name);
    else if (sql_can_fill(copying->to))
        error = sql_fill_begin(copying->to, table->name, text.data, problem);
    else
        error = sql_prepare(copying->to, buffer_str(&text), &copying->upsert, problem);
    copying->is_filling = error == ERR_OK && sql_can_fill(copying->to);
    buffer_deinit(&text);
    return error;
}

static err end_table(struct copying *copying, err error, struct problem *problem)
{
    struct problem unheard;
    if (copying->is_filling) {
        err ended =
            sql_fill_end(copying->to, error == ERR_OK, error == ERR_OK ? problem : &unheard);
        error = error == ERR_OK ? ended : error;
    }
    copying->is_filling = false;
    sql_finish(&copying->upsert);
    return error;
}

static err upsert_row(struct copying *copying, const struct table *table,
                      const struct ledger_value *values, struct problem *problem)
{
    bool row;
    err error = ERR_OK;
    for (int i = 0; i < table->columns && error == ERR_OK; i++)
        error = sql_bind(copying->upsert, i, &values[i]);
    if (error == ERR_OK)
        error = sql_step(copying->to, copying->upsert, &row, problem);
    sql_reset(copying->upsert);
    if (error != ERR_OK || copying->how->replaces || ++copying->rows < ROWS_PER_TRANSACTION)
        return error;
    copying->rows = 0;
    error = sql_commit(copying->to, problem);
    return error == ERR_OK ? sql_begin(copying->to, problem) : error;
}

/* As the ledger's thread does it (ledger_commit.c): but for keys and the audit. */
static err renew_row(struct copying *copying, const struct table *table,
                     struct ledger_value *values, struct problem *problem)
{
    const struct ledger_copying *how = copying->how;
    if (how->renew == NULL || table == table_of(LEDGER_AUDIT))
        return ERR_OK;
    err error = row_values_keep(values, table->columns, &copying->renewing);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for a row of table '%s'", table->name);
    for (int i = table->keys; i < table->columns; i++)
        if ((values[i].kind == LEDGER_TEXT || values[i].kind == LEDGER_BLOB) &&
            values[i].bytes.size > 0)
            (void)how->renew(how->renew_context,
                             copying->renewing.data +
                                 (values[i].bytes.data - copying->renewing.data),
                             values[i].bytes.size);
    return ERR_OK;
}

static err copy_row(struct copying *copying, const struct table *table, struct ledger_value *values,
                    struct problem *problem)
{
    if (copying->how->stop != NULL && atomic_load(copying->how->stop))
        return problem_set(problem, ERR_UNAVAILABLE, "the ledger is closed");
    err error = renew_row(copying, table, values, problem);
    if (error != ERR_OK)
        return error;
    return copying->is_filling ? sql_fill_row(copying->to, values, table->columns, problem)
                               : upsert_row(copying, table, values, problem);
}

static err empty_table(struct copying *copying, const struct table *table, struct problem *problem)
{
    char text[100];
    snprintf(text, sizeof text, "DELETE FROM %s", table->name);
    return sql_execute(copying->to, text, problem);
}

static err copy_rows_of(struct copying *copying, const struct table *table, struct problem *problem)
{
    struct ledger_value values[LEDGER_COLUMNS_MAX];
    int places[LEDGER_COLUMNS_MAX];
    err error = ERR_OK;
    bool row = true;
    for (int i = 0; i < table->columns; i++)
        places[i] = i;
    while (error == ERR_OK && row) {
        error = sql_step(copying->from, copying->select, &row, problem);
        if (error != ERR_OK || !row)
            break;
        sql_columns(copying->select, table->kinds, places, table->columns, values);
        error = copy_row(copying, table, values, problem);
    }
    sql_reset(copying->select);
    return error;
}

static err copy_table(struct copying *copying, enum ledger_table which, struct problem *problem)
{
    const struct table *table = table_of(which);
    err error = copying->how->replaces ? empty_table(copying, table, problem) : ERR_OK;
    if (error == ERR_OK)
        error = prepare_select(copying, which, problem);
    if (error == ERR_OK) {
        error = begin_table(copying, table, problem);
        if (error == ERR_OK)
            error = copy_rows_of(copying, table, problem);
        error = end_table(copying, error, problem);
    }
    sql_finish(&copying->select);
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
    buffer_init(&copying.renewing, ROW_BYTES_MAX);
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
    buffer_deinit(&copying.renewing);
    return error;
}
