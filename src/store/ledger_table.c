/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_table: descriptions of the ledger's tables, and the SQL made from them. */
#include "store/ledger_table.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int keys;
    bool digested;
    const char *columns;
} DESCRIPTIONS[LEDGER_TABLE_COUNT] = {
#define TABLE(name, sql, keys, digested, columns) { sql, keys, digested, columns },
    LEDGER_TABLES(TABLE)
#undef TABLE
};

static struct table tables[LEDGER_TABLE_COUNT];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

/* "I:row", lower case for what may be null. */
static void parse_column(struct table *table, str column)
{
    INVARIANT(column.size > 2 && column.data[1] == ':');
    INVARIANT(table->columns < LEDGER_COLUMNS_MAX && column.size - 2 < COLUMN_NAME_BYTES);
    int i = table->columns++;
    char letter = column.data[0];
    table->nullable[i] = letter >= 'a';
    switch (letter & ~0x20) {
    case 'I':
        table->kinds[i] = LEDGER_INT;
        break;
    case 'T':
        table->kinds[i] = LEDGER_TEXT;
        break;
    default:
        INVARIANT((letter & ~0x20) == 'B');
        table->kinds[i] = LEDGER_BLOB;
        break;
    }
    memcpy(table->names[i], column.data + 2, column.size - 2);
}

static void parse_tables(void)
{
    for (int t = 0; t < LEDGER_TABLE_COUNT; t++) {
        struct table *table = &tables[t];
        table->name = DESCRIPTIONS[t].name;
        table->keys = DESCRIPTIONS[t].keys;
        table->digested = DESCRIPTIONS[t].digested;
        str rest = str_from_c(DESCRIPTIONS[t].columns), column;
        while (str_split(&rest, ' ', &column)) {
            if (column.size > 0)
                parse_column(table, column);
        }
        INVARIANT(table->keys > 0 && table->keys < table->columns);
    }
}

const struct table *table_of(enum ledger_table table)
{
    INVARIANT(table < LEDGER_TABLE_COUNT);
    pthread_once(&tables_once, parse_tables);
    return &tables[table];
}

int table_column(const struct table *table, const char *column)
{
    for (int i = 0; i < table->columns; i++) {
        if (strcmp(table->names[i], column) == 0)
            return i;
    }
    return -1;
}

/* ---- SQL ---- */

static void write_names(const struct table *table, int count, const char *after, struct buffer *sql)
{
    for (int i = 0; i < count; i++)
        buffer_printf(sql, "%s\"%s\"%s", i > 0 ? "," : "", table->names[i], after);
}

static void write_marks(int count, struct buffer *sql)
{
    for (int i = 0; i < count; i++)
        buffer_printf(sql, "%s?", i > 0 ? "," : "");
}

void table_write_upsert(const struct table *table, struct buffer *sql)
{
    buffer_printf(sql, "INSERT INTO \"%s\" (", table->name);
    write_names(table, table->columns, "", sql);
    buffer_printf(sql, ") VALUES (");
    write_marks(table->columns, sql);
    buffer_printf(sql, ") ON CONFLICT (");
    write_names(table, table->keys, "", sql);
    buffer_printf(sql, ") DO UPDATE SET ");
    for (int i = table->keys; i < table->columns; i++)
        buffer_printf(sql, "%s\"%s\"=excluded.\"%s\"", i > table->keys ? "," : "", table->names[i],
                      table->names[i]);
}

static void write_whole_key(const struct table *table, struct buffer *sql)
{
    for (int i = 0; i < table->keys; i++)
        buffer_printf(sql, "%s\"%s\"=?", i > 0 ? " AND " : "", table->names[i]);
}

void table_write_delete(const struct table *table, struct buffer *sql)
{
    buffer_printf(sql, "DELETE FROM \"%s\" WHERE ", table->name);
    write_whole_key(table, sql);
}

static void write_condition(const struct read_shape *shape, const struct table *table,
                            struct buffer *sql)
{
    const char *joint = " WHERE ";
    /* In the words of the index: it is used only by who repeats them. */
    if (shape->in_part)
        buffer_printf(sql, "%s\"%s\"/%d=? AND length(\"%s\")>0", joint, table->names[0],
                      LEDGER_PART_KEYS, table->names[shape->by]);
    if (shape->in_part)
        joint = " AND ";
    if (shape->by >= 0) {
        buffer_printf(sql, "%s\"%s\"=?", joint, table->names[shape->by]);
        joint = " AND ";
    }
    if (shape->whole_key) {
        buffer_printf(sql, "%s", joint);
        write_whole_key(table, sql);
    } else if (shape->from) {
        buffer_printf(sql, "%s\"%s\">=?", joint, table->names[0]);
    } else if (shape->beyond) {
        buffer_printf(sql, "%s(", joint);
        write_names(table, table->keys, "", sql);
        buffer_printf(sql, ")%s(", shape->descending ? "<" : ">");
        write_marks(table->keys, sql);
        buffer_printf(sql, ")");
    }
}

void table_write_select(const struct read_shape *shape, struct buffer *sql)
{
    const struct table *table = table_of(shape->table);
    const char *before = "SELECT ";
    for (int i = 0; i < table->columns; i++) {
        if (shape->columns != 0 && (shape->columns >> i & 1) == 0)
            continue;
        buffer_printf(sql, "%s\"%s\"", before, table->names[i]);
        before = ",";
    }
    buffer_printf(sql, " FROM \"%s\"", table->name);
    write_condition(shape, table, sql);
    if (!shape->whole_key) {
        buffer_printf(sql, " ORDER BY ");
        write_names(table, table->keys, shape->descending ? " DESC" : "", sql);
    }
    if (shape->limited)
        buffer_printf(sql, " LIMIT ?");
}

/* ---- the check at open ---- */

struct table_check {
    const struct table *table;
    int seen;
    bool differs;
    char difference[160];
};

static const char *sql_type(enum ledger_kind kind)
{
    switch (kind) {
    case LEDGER_INT:
        return "INTEGER";
    case LEDGER_TEXT:
        return "TEXT";
    case LEDGER_BLOB:
        return "BLOB";
    case LEDGER_NULL:
        break;
    }
    return "nothing";
}

static bool check_column(void *context, str name, str type, bool not_null, int key_place)
{
    struct table_check *check = context;
    const struct table *table = check->table;
    int i = check->seen++;
    if (i >= table->columns || !str_equal(name, str_from_c(table->names[i]))) {
        check->differs = true;
        snprintf(check->difference, sizeof(check->difference),
                 "column %d is '" STR_FMT "', described as '%s'", i, STR_ARG(name),
                 i < table->columns ? table->names[i] : "(none)");
    } else if (!str_equal(type, str_from_c(sql_type(table->kinds[i])))) {
        check->differs = true;
        snprintf(check->difference, sizeof(check->difference),
                 "column '%s' is " STR_FMT ", described as %s", table->names[i], STR_ARG(type),
                 sql_type(table->kinds[i]));
    } else if (not_null == table->nullable[i]) {
        check->differs = true;
        snprintf(check->difference, sizeof(check->difference), "column '%s' may%s be null",
                 table->names[i], not_null ? " not" : "");
    } else if (key_place != (i < table->keys ? i + 1 : 0)) {
        check->differs = true;
        snprintf(check->difference, sizeof(check->difference),
                 "column '%s' has place %d in the primary key", table->names[i], key_place);
    }
    return !check->differs;
}

err table_check(struct sql *sql, enum ledger_table which, struct problem *problem)
{
    struct table_check check = { .table = table_of(which) };
    err error = sql_describe(sql, check.table->name, check_column, &check, problem);
    if (error != ERR_OK)
        return error;
    if (!check.differs && check.seen < check.table->columns) {
        check.differs = true;
        snprintf(check.difference, sizeof(check.difference), "column '%s' is missing",
                 check.table->names[check.seen]);
    }
    if (!check.differs)
        return ERR_OK;
    problem_set(problem, ERR_INTERNAL, "ledger table '%s' is not as described: %s",
                check.table->name, check.difference);
    return problem_hint(problem, ERR_INTERNAL,
                        "this ledger was changed by hand, or store/tables.h has no migration");
}
