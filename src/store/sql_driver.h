/* SPDX-License-Identifier: Apache-2.0 */
/* sql_driver: what a database must be able to do for sql.h. Private to sql.c and the drivers.
 *
 * Each function is the one of the same name in sql.h, with its contract. A driver's connection and statement begin with
 * `struct sql` and `struct sql_statement`.
 */
#ifndef KITH_STORE_SQL_DRIVER_H
#define KITH_STORE_SQL_DRIVER_H

#include "store/sql.h"

struct sql_driver {
    err (*open)(struct sql **sql, const struct sql_config *config, struct problem *problem);
    void (*close)(struct sql *sql);
    void (*close_without_sync)(struct sql *sql); /* NULL: closing syncs nothing */
    err (*execute)(struct sql *sql, const char *text, struct problem *problem);
    err (*begin)(struct sql *sql, struct problem *problem);
    err (*commit)(struct sql *sql, struct problem *problem);
    void (*rollback)(struct sql *sql);
    err (*begin_read)(struct sql *sql, struct problem *problem);
    err (*prepare)(struct sql *sql, str text, struct sql_statement **statement,
                   struct problem *problem);
    void (*finish)(struct sql_statement *statement);
    err (*bind)(struct sql_statement *statement, int parameter, const struct ledger_value *value);
    err (*step)(struct sql *sql, struct sql_statement *statement, bool *row,
                struct problem *problem);
    void (*reset)(struct sql_statement *statement);
    /* NULL: a round trip costs nothing, and keys are looked up one by one. */
    err (*find)(struct sql *sql, struct sql_statement *statement, const struct ledger_value *keys,
                int width, size_t count, sql_taker take, void *context, struct problem *problem);
    /* NULL: rows are written one by one as fast. */
    err (*fill_begin)(struct sql *sql, const char *table, const char *columns,
                      struct problem *problem);
    err (*fill_row)(struct sql *sql, const struct ledger_value *values, int count,
                    struct problem *problem);
    err (*fill_end)(struct sql *sql, bool complete, struct problem *problem);
    void (*columns)(struct sql_statement *statement, const enum ledger_kind *kinds,
                    const int *places, int count, struct ledger_value *values);
    err (*copy)(struct sql *sql, const char *path, struct problem *problem); /* NULL: no file */
    err (*checkpoint)(struct sql *sql, bool *complete, struct problem *problem);
    err (*cut)(struct sql *sql, bool *complete, struct problem *problem); /* NULL: nothing to cut */
    int64_t (*wal_pages)(const struct sql *sql);
    err (*check)(struct sql *sql, struct problem *problem);
    err (*version)(struct sql *sql, int *version, struct problem *problem);
    err (*set_version)(struct sql *sql, int version, struct problem *problem);
    err (*describe)(struct sql *sql, const char *table, sql_column_visitor visit, void *context,
                    struct problem *problem);
};
extern const struct sql_driver sql_driver_sqlite, sql_driver_postgres;

struct sql {
    const struct sql_driver *driver;
    const char *name;
};
struct sql_statement {
    const struct sql_driver *driver;
};

#endif
