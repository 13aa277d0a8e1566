/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_inside: what the files of the PostgreSQL driver share. Private to them.
 *
 *   postgres.c       connecting, transactions, what the server holds
 *   postgres_rows.c  statements: rows that are read one by one, rows that are written without waiting for each
 *   postgres_find.c  rows by many keys, in one round trip
 *   postgres_fill.c  many new rows of a table, by COPY
 */
#ifndef KITH_STORE_POSTGRES_INSIDE_H
#define KITH_STORE_POSTGRES_INSIDE_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "store/sql_driver.h"

#define PARAMETERS_MAX (LEDGER_COLUMNS_MAX + 2)
#define NAME_BYTES 256

struct postgres {
    struct sql sql;
    PGconn *connection;
    char name[NAME_BYTES]; /* for people: no password */
    bool read_only, in_pipeline;
    uint64_t epoch;        /* under which it is written; 0: none */
    bool is_lost;          /* the server said that it goes; the socket may not know yet */
    unsigned life;         /* grows when what was prepared is gone */
    unsigned statements;   /* ever, for their names */
    size_t in_flight;      /* answers that are still to be read */
    struct problem first;  /* failure of the pipeline; ERR_OK: none */
    struct buffer filling; /* rows on their way */
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

static inline struct postgres *post(struct sql *sql)
{
    return (struct postgres *)sql;
}

/* Tell what failed, in the server's words; its error. `result` may be NULL. */
err post_failed(struct postgres *sql, const PGresult *result, const char *doing,
                struct problem *problem);
void post_tell(struct postgres *sql, const char *doing, err error, const char *message,
               struct problem *problem);
bool post_is_fine(const PGresult *result);
/* One command of the simple kind, without a result. */
err post_run(struct postgres *sql, const char *text, const char *doing, struct problem *problem);
/* A connection that was lost is made again. */
err post_reach(struct postgres *sql, struct problem *problem);
/* All that was sent to be written is judged; the first failure counts, and the transaction is rolled back then. */
err post_leave_pipeline(struct postgres *sql, struct problem *problem);

err post_prepare(struct sql *sql, str text, struct sql_statement **statement,
                 struct problem *problem);
void post_finish(struct sql_statement *statement);
err post_bind(struct sql_statement *statement, int parameter, const struct ledger_value *value);
err post_step(struct sql *sql, struct sql_statement *statement, bool *row, struct problem *problem);
void post_reset(struct sql_statement *statement);
/* Of a statement that is new to this connection. */
err post_prepare_now(struct postgres *sql, struct postgres_statement *statement,
                     struct problem *problem);
/* postgres_fill.c */
err post_fill_begin(struct sql *sql, const char *table, const char *columns,
                    struct problem *problem);
err post_fill_row(struct sql *sql, const struct ledger_value *values, int count,
                  struct problem *problem);
err post_fill_end(struct sql *sql, bool complete, struct problem *problem);
/* postgres_find.c */
err post_find(struct sql *sql, struct sql_statement *statement, const struct ledger_value *keys,
              int width, size_t count, sql_taker take, void *context, struct problem *problem);
void post_columns(struct sql_statement *statement, const enum ledger_kind *kinds, const int *places,
                  int count, struct ledger_value *values);

#endif
