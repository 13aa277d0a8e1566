/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_table: the tables of tables.h, parsed once, and the SQL made from them. Private. */
#ifndef KITH_STORE_LEDGER_TABLE_H
#define KITH_STORE_LEDGER_TABLE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/ledger.h"
#include "store/sql.h"

#define COLUMN_NAME_BYTES 24

struct table {
    const char *name;
    int keys; /* the first columns are the primary key */
    bool digested;
    int columns;
    enum ledger_kind kinds[LEDGER_COLUMNS_MAX];
    bool nullable[LEDGER_COLUMNS_MAX];
    char names[LEDGER_COLUMNS_MAX][COLUMN_NAME_BYTES];
};

/* Any thread; the description lives as long as the process. */
const struct table *table_of(enum ledger_table table);
int table_column(const struct table *table, const char *column); /* -1 when there is none */

void table_write_upsert(const struct table *table, struct buffer *sql);
void table_write_delete(const struct table *table, struct buffer *sql);

/* What a read asks for; equal shapes share a prepared statement. */
struct read_shape {
    enum ledger_table table;
    uint32_t columns; /* bit per column wanted; 0: all */
    bool whole_key;   /* WHERE key = ? … */
    bool from;        /* WHERE first key >= ? */
    int by;           /* WHERE column = ?; -1: none */
    bool in_part;     /* WHERE key / LEDGER_PART_KEYS = ?, before `by`, which is not empty */
    bool beyond;      /* AND key > ? … (or < when descending) */
    bool descending;
    bool limited; /* LIMIT ? */
};
/* Parameters in order: part, by, key or from or beyond, limit. */
void table_write_select(const struct read_shape *shape, struct buffer *sql);

/* INTERNAL, naming the difference, when the database does not hold the table as described. */
err table_check(struct sql *sql, enum ledger_table table, struct problem *problem) MUST_USE;

#endif
