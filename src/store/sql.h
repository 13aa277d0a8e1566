/* SPDX-License-Identifier: Apache-2.0 */
/* sql: one connection to SQLite or PostgreSQL, as thin as it can be. Private to store/.
 *
 * Which one runs is said by `path`: "postgresql://…" or a file. Nothing above this header asks further, save for what
 * a copy is and what a commit is worth. SQL is the subset that both speak; parameters are '?'. A connection and its
 * statements have one user at a time.
 *
 *   sql.c       finds the driver, and hands on        sqlite.c    the embedded ledger
 *   postgres.c  one connection to a server            postgres_text.c  the dialect: types, '?', error classes
 */
#ifndef KITH_STORE_SQL_H
#define KITH_STORE_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "store/ledger.h"

struct sql;           /* a connection */
struct sql_statement; /* a prepared statement of it */

struct sql_config {
    const char *path; /* of a file, or "postgresql://user@host/database?…" */
    const char *vfs;  /* SQLite's; NULL: the default */
    bool read_only;
    uint64_t epoch; /* ledger_config.epoch */
    int64_t cache_bytes;
};

err sql_open(struct sql **sql, const struct sql_config *config, struct problem *problem) MUST_USE;
void sql_close(struct sql **sql); /* its statements are finished before */
/* Closing makes no checkpoint: after a failed sync it would report a success that is none. */
void sql_close_without_sync(struct sql *sql);

/* Any number of statements, without parameters or results; in the words of the migrations. */
err sql_execute(struct sql *sql, const char *text, struct problem *problem) MUST_USE;

/* What is stepped until sql_commit may be judged there: a server is not waited for row by row. A connection that was
 * lost is made again by sql_begin. */
err sql_begin(struct sql *sql, struct problem *problem) MUST_USE;
err sql_commit(struct sql *sql, struct problem *problem) MUST_USE;
void sql_rollback(struct sql *sql); /* fine outside a transaction */
/* A transaction that only reads: all reads until its end see one state. */
err sql_begin_read(struct sql *sql, struct problem *problem) MUST_USE;
void sql_end_read(struct sql *sql);

err sql_prepare(struct sql *sql, str text, struct sql_statement **statement,
                struct problem *problem) MUST_USE;
void sql_finish(struct sql_statement **statement);
/* `parameter` counts from 0; texts are borrowed until sql_reset. */
err sql_bind(struct sql_statement *statement, int parameter,
             const struct ledger_value *value) MUST_USE;
/* *row is false at the end. */
err sql_step(struct sql *sql, struct sql_statement *statement, bool *row,
             struct problem *problem) MUST_USE;
void sql_reset(struct sql_statement *statement);
/* The first row of the statement for each of `count` keys (`width` parameters each), in their order, all of one state; keys without a
 * row are passed over. `take` reads its columns; false stops. Outside a transaction. */
typedef bool (*sql_taker)(void *context, struct sql_statement *statement);
err sql_find(struct sql *sql, struct sql_statement *statement, const struct ledger_value *keys,
             int width, size_t count, sql_taker take, void *context,
             struct problem *problem) MUST_USE;
/* Many new rows of one table, in a transaction: `columns` are its columns with commas between, in the order of the values. What is
 * refused may be told at the end, which has to come once the beginning was OK; not `complete`: the rows are given up, and so is
 * the transaction. Nothing else is asked in between. */
bool sql_can_fill(const struct sql *sql);
err sql_fill_begin(struct sql *sql, const char *table, const char *columns,
                   struct problem *problem) MUST_USE;
err sql_fill_row(struct sql *sql, const struct ledger_value *values, int count,
                 struct problem *problem) MUST_USE;
err sql_fill_end(struct sql *sql, bool complete, struct problem *problem) MUST_USE;
/* The columns of the current row: the i-th of the result, of kind kinds[i] or NULL, goes to
 * values[places[i]]. Valid until the next step. */
void sql_columns(struct sql_statement *statement, const enum ledger_kind *kinds, const int *places,
                 int count, struct ledger_value *values);

/* What people call it: the path, or the address without its password. */
const char *sql_name(const struct sql *sql);
/* Is this a file, which can be copied as it is, and whose commits become safe by a checkpoint? Otherwise it is a
 * server: what it has committed is safe, and it looks after itself. */
bool sql_is_file(const struct sql *sql);
bool sql_path_is_file(const char *path);
/* Of a file: copy the whole database, as this connection's open read transaction sees it, into a new file at `path` that
 * has the same layers. Others go on writing meanwhile. */
err sql_copy(struct sql *sql, const char *path, struct problem *problem) MUST_USE;

/* Write the data of the write-ahead log into the database and sync both, as far as readers let.
 * *complete: everything committed before the call is on disk. */
err sql_checkpoint(struct sql *sql, bool *complete, struct problem *problem) MUST_USE;
/* The same, and cut the write-ahead log. *complete: it is empty; false while somebody reads an old state. */
err sql_cut(struct sql *sql, bool *complete, struct problem *problem) MUST_USE;
/* Pages in the write-ahead log after the last commit of this connection. */
int64_t sql_wal_pages(const struct sql *sql);

/* Read every page in use and compare tables with their indexes; CORRUPT with what is wrong. */
err sql_check(struct sql *sql, struct problem *problem) MUST_USE;

/* The number of the newest migration that ran; 0 for an empty database. */
err sql_version(struct sql *sql, int *version, struct problem *problem) MUST_USE;
/* Within the transaction of the migration. */
err sql_set_version(struct sql *sql, int version, struct problem *problem) MUST_USE;

/* What the database says of a table: name, declared type and place in the primary key (0: none) of
 * each column, in order. */
typedef bool (*sql_column_visitor)(void *context, str name, str type, bool not_null, int key_place);
err sql_describe(struct sql *sql, const char *table, sql_column_visitor visit, void *context,
                 struct problem *problem) MUST_USE;

#endif
