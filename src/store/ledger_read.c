/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_read: a pool of connections that read the last commit; scans, look-ups, digests. */
#include <string.h>

#include "store/ledger_inside.h"

#define READER_CACHE_BYTES (INT64_C(8) << 20)
/* Prepared statements that a reader keeps; beyond it the oldest makes room. */
#define READER_STATEMENTS 96

struct reader {
    struct reader *next;
    struct sql *sql;
    unsigned life; /* ledger's readers_life when it came */
    int statement_count, statement_next;
    struct {
        uint64_t shape;
        struct sql_statement *statement;
    } statements[READER_STATEMENTS];
};

static void reader_free(struct reader *reader)
{
    for (int i = 0; i < reader->statement_count; i++)
        sql_finish(&reader->statements[i].statement);
    sql_close(&reader->sql);
    memory_free(reader);
}

err readers_open(struct ledger *ledger, const struct ledger_config *config, struct problem *problem)
{
    struct sql_config read = { .path = config->path,
                               .vfs = config->vfs,
                               .read_only = true,
                               .cache_bytes = READER_CACHE_BYTES };
    for (int i = 0; i < config->readers; i++) {
        struct reader *reader = memory_alloc(sizeof(*reader));
        if (reader == NULL)
            return problem_set(problem, ERR_NOMEM, "no memory for a reader of the ledger");
        err error = sql_open(&reader->sql, &read, problem);
        if (error != ERR_OK) {
            memory_free(reader);
            return error;
        }
        reader->next = ledger->readers;
        ledger->readers = reader;
        ledger->reader_count++;
    }
    return ERR_OK;
}

void readers_close(struct ledger *ledger)
{
    while (ledger->readers != NULL) {
        struct reader *reader = ledger->readers;
        ledger->readers = reader->next;
        reader_free(reader);
        ledger->reader_count--;
    }
    INVARIANT(ledger->reader_count == 0); /* nobody still reads */
}

struct reader *reader_take(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->readers_mutex);
    while (ledger->readers == NULL)
        pthread_cond_wait(&ledger->reader_free, &ledger->readers_mutex);
    struct reader *reader = ledger->readers;
    ledger->readers = reader->next;
    pthread_mutex_unlock(&ledger->readers_mutex);
    return reader;
}

void reader_give(struct ledger *ledger, struct reader *reader)
{
    pthread_mutex_lock(&ledger->readers_mutex);
    bool is_old = reader->life != ledger->readers_life;
    if (is_old) {
        ledger->reader_count--;
    } else {
        reader->next = ledger->readers;
        ledger->readers = reader;
    }
    pthread_cond_signal(&ledger->reader_free);
    pthread_mutex_unlock(&ledger->readers_mutex);
    if (is_old)
        reader_free(reader);
}

struct sql *reader_sql(const struct reader *reader)
{
    return reader->sql;
}

static int count_free(const struct ledger *ledger)
{
    int count = 0;
    for (const struct reader *reader = ledger->readers; reader != NULL; reader = reader->next)
        count++;
    return count;
}

void readers_swap(struct ledger *ledger, struct ledger *other)
{
    pthread_mutex_lock(&ledger->readers_mutex);
    int ours = count_free(ledger), theirs = count_free(other);
    struct reader *readers = ledger->readers;
    ledger->readers = other->readers;
    other->readers = readers;
    ledger->reader_count += theirs - ours;
    other->reader_count += ours - theirs;
    ledger->readers_life++;
    for (struct reader *reader = ledger->readers; reader != NULL; reader = reader->next)
        reader->life = ledger->readers_life;
    pthread_cond_broadcast(&ledger->reader_free);
    pthread_mutex_unlock(&ledger->readers_mutex);
}

static uint64_t shape_number(const struct read_shape *shape)
{
    return (uint64_t)shape->columns << 32 | (uint64_t)shape->table << 16 |
           (uint64_t)(shape->by + 1) << 8 | (uint64_t)shape->in_part << 5 |
           (uint64_t)shape->whole_key << 4 | (uint64_t)shape->from << 3 |
           (uint64_t)shape->beyond << 2 | (uint64_t)shape->descending << 1 |
           (uint64_t)shape->limited;
}

static err statement_prepare(struct reader *reader, const struct read_shape *shape,
                             struct sql_statement **statement, struct problem *problem)
{
    struct buffer text;
    buffer_init(&text, 8192);
    table_write_select(shape, &text);
    err error = buffer_status(&text);
    if (error != ERR_OK)
        problem_set(problem, error, "no memory for a statement on ledger table '%s'",
                    ledger_table_name(shape->table));
    else
        error = sql_prepare(reader->sql, buffer_str(&text), statement, problem);
    buffer_deinit(&text);
    return error;
}

static err statement_get(struct reader *reader, const struct read_shape *shape,
                         struct sql_statement **statement, struct problem *problem)
{
    uint64_t number = shape_number(shape);
    for (int i = 0; i < reader->statement_count; i++) {
        if (reader->statements[i].shape == number) {
            *statement = reader->statements[i].statement;
            return ERR_OK;
        }
    }
    err error = statement_prepare(reader, shape, statement, problem);
    if (error != ERR_OK)
        return error;
    int place = reader->statement_count;
    if (place == READER_STATEMENTS) {
        place = reader->statement_next;
        reader->statement_next = (place + 1) % READER_STATEMENTS;
        sql_finish(&reader->statements[place].statement);
    } else {
        reader->statement_count++;
    }
    reader->statements[place].shape = number;
    reader->statements[place].statement = *statement;
    return ERR_OK;
}

static err bind_all(struct sql_statement *statement, const struct ledger_value *values, int count,
                    int first, struct problem *problem)
{
    for (int i = 0; i < count; i++) {
        err error = sql_bind(statement, first + i, &values[i]);
        if (error != ERR_OK)
            return problem_set(problem, error, "a value to look up in the ledger cannot be bound");
    }
    return ERR_OK;
}

/* Which columns of a table the rows of a shape have. */
struct picked {
    enum ledger_kind kinds[LEDGER_COLUMNS_MAX];
    int places[LEDGER_COLUMNS_MAX], count;
};

static void pick_columns(const struct read_shape *shape, struct picked *picked)
{
    const struct table *table = table_of(shape->table);
    picked->count = 0;
    for (int i = 0; i < table->columns; i++) {
        if (shape->columns == 0 || (shape->columns >> i & 1) != 0) {
            picked->kinds[picked->count] = table->kinds[i];
            picked->places[picked->count++] = i;
        }
    }
}

/* Visit the rows of a bound statement. *stopped: the visitor wants no more. */
static err visit_rows(struct reader *reader, struct sql_statement *statement,
                      const struct read_shape *shape, ledger_visitor visit, void *context,
                      bool *stopped, struct problem *problem)
{
    struct ledger_value values[LEDGER_COLUMNS_MAX];
    struct picked picked;
    memset(values, 0, sizeof(values)); /* LEDGER_NULL for what was not asked for */
    pick_columns(shape, &picked);
    err error = ERR_OK;
    bool row = true;
    while (!*stopped) {
        error = sql_step(reader->sql, statement, &row, problem);
        if (error != ERR_OK || !row)
            break;
        sql_columns(statement, picked.kinds, picked.places, picked.count, values);
        *stopped = !visit(context, values);
    }
    sql_reset(statement);
    return error;
}

/* `values`: the parameters of the shape, in order. */
static err read_shape(struct ledger *ledger, const struct read_shape *shape,
                      const struct ledger_value *values, int value_count, ledger_visitor visit,
                      void *context, struct problem *problem)
{
    struct reader *reader = reader_take(ledger);
    struct sql_statement *statement = NULL;
    bool stopped = false;
    err error = statement_get(reader, shape, &statement, problem);
    if (error == ERR_OK)
        error = bind_all(statement, values, value_count, 0, problem);
    if (error == ERR_OK)
        error = visit_rows(reader, statement, shape, visit, context, &stopped, problem);
    reader_give(ledger, reader);
    return error;
}

err ledger_scan(struct ledger *ledger, enum ledger_table table, const struct ledger_value *key_from,
                ledger_visitor visit, void *context, struct problem *problem)
{
    struct read_shape shape = { .table = table, .by = -1, .from = key_from != NULL };
    return read_shape(ledger, &shape, key_from, key_from != NULL ? 1 : 0, visit, context, problem);
}

err ledger_scan_some(struct ledger *ledger, enum ledger_table table, const char *columns,
                     const struct ledger_value *key_from, ledger_visitor visit, void *context,
                     struct problem *problem)
{
    struct read_shape shape = { .table = table, .by = -1, .from = key_from != NULL };
    str rest = str_from_c(columns), name;
    while (str_split(&rest, ' ', &name)) {
        char text[COLUMN_NAME_BYTES] = "";
        if (name.size < sizeof(text))
            memcpy(text, name.data, name.size);
        int column = table_column(table_of(table), text);
        if (column < 0)
            return problem_set(problem, ERR_INTERNAL,
                               "ledger table '%s' has no column '" STR_FMT "'",
                               ledger_table_name(table), STR_ARG(name));
        shape.columns |= UINT32_C(1) << column;
    }
    return read_shape(ledger, &shape, key_from, key_from != NULL ? 1 : 0, visit, context, problem);
}

struct found_rows {
    struct picked picked;
    ledger_visitor visit;
    void *context;
};

static bool take_found(void *context, struct sql_statement *statement)
{
    const struct found_rows *found = context;
    struct ledger_value values[LEDGER_COLUMNS_MAX];
    memset(values, 0, sizeof(values));
    sql_columns(statement, found->picked.kinds, found->picked.places, found->picked.count, values);
    return found->visit(found->context, values);
}

/* Many keys are looked up in one read transaction: they belong to one state. */
err ledger_find(struct ledger *ledger, enum ledger_table which, const struct ledger_value *keys,
                size_t count, ledger_visitor visit, void *context, struct problem *problem)
{
    struct read_shape shape = { .table = which, .by = -1, .whole_key = true };
    struct found_rows found = { .visit = visit, .context = context };
    struct reader *reader = reader_take(ledger);
    struct sql_statement *statement = NULL;
    err error = statement_get(reader, &shape, &statement, problem);
    pick_columns(&shape, &found.picked);
    if (error == ERR_OK)
        error = sql_find(reader->sql, statement, keys, table_of(which)->keys, count, take_found,
                         &found, problem);
    reader_give(ledger, reader);
    return error;
}

static err read_page(struct ledger *ledger, struct read_shape *shape,
                     const struct ledger_value *value, const struct ledger_value *key_beyond,
                     size_t limit, ledger_visitor visit, void *context, struct problem *problem)
{
    const struct table *table = table_of(shape->table);
    struct ledger_value values[LEDGER_COLUMNS_MAX + 2];
    int count = 0;
    if (value != NULL)
        values[count++] = *value;
    shape->beyond = key_beyond != NULL;
    for (int i = 0; key_beyond != NULL && i < table->keys; i++)
        values[count++] = key_beyond[i];
    shape->limited = true;
    values[count++] = ledger_int(limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    return read_shape(ledger, shape, values, count, visit, context, problem);
}

err ledger_find_by(struct ledger *ledger, enum ledger_table table, const char *column,
                   struct ledger_value value, const struct ledger_value *key_beyond,
                   bool descending, size_t limit, ledger_visitor visit, void *context,
                   struct problem *problem)
{
    int by = table_column(table_of(table), column);
    if (by < 0)
        return problem_set(problem, ERR_INTERNAL, "ledger table '%s' has no column '%s'",
                           ledger_table_name(table), column);
    struct read_shape shape = { .table = table, .by = by, .descending = descending };
    return read_page(ledger, &shape, &value, key_beyond, limit, visit, context, problem);
}

err ledger_page(struct ledger *ledger, enum ledger_table table,
                const struct ledger_value *key_beyond, bool descending, size_t limit,
                ledger_visitor visit, void *context, struct problem *problem)
{
    struct read_shape shape = { .table = table, .by = -1, .descending = descending };
    return read_page(ledger, &shape, NULL, key_beyond, limit, visit, context, problem);
}

/* ---- part by part ---- */

struct part_reader {
    ledger_visitor visit;
    void *context;
    size_t left;
    bool stopped;
};

static bool take_key(void *context, const struct ledger_value *values)
{
    *(int64_t *)context = values[0].integer;
    return false;
}

static bool take_of_part(void *context, const struct ledger_value *values)
{
    struct part_reader *parts = context;
    parts->left--;
    parts->stopped = !parts->visit(parts->context, values);
    return !parts->stopped;
}

err ledger_find_parts(struct ledger *ledger, enum ledger_table table, const char *column,
                      struct ledger_value value, size_t limit, ledger_visitor visit, void *context,
                      struct problem *problem)
{
    struct part_reader parts = { .visit = visit, .context = context, .left = limit };
    struct read_shape shape = { .table = table,
                                .by = table_column(table_of(table), column),
                                .in_part = true,
                                .descending = true,
                                .limited = true };
    int64_t newest = -1;
    if (shape.by < 0)
        return problem_set(problem, ERR_INTERNAL, "ledger table '%s' has no column '%s'",
                           ledger_table_name(table), column);
    err error = ledger_page(ledger, table, NULL, true, 1, take_key, &newest, problem);
    for (int64_t part = newest < 0 ? -1 : newest / LEDGER_PART_KEYS;
         error == ERR_OK && part >= 0 && parts.left > 0 && !parts.stopped; part--) {
        struct ledger_value values[] = { ledger_int(part), value, ledger_int((int64_t)parts.left) };
        error = read_shape(ledger, &shape, values, 3, take_of_part, &parts, problem);
    }
    return error;
}

err ledger_check(struct ledger *ledger, struct problem *problem)
{
    struct reader *reader = reader_take(ledger);
    err error = sql_check(reader->sql, problem);
    reader_give(ledger, reader);
    return error;
}

/* A read of anything fixes what the transaction sees. */
err ledger_copy(struct ledger *ledger, const char *path, void (*began)(void *context),
                void *context, struct problem *problem)
{
    int version;
    err error = ledger_drain(ledger);
    if (error != ERR_OK)
        return problem_set(problem, error, "the ledger cannot commit what waits: %s",
                           err_title(error));
    struct reader *reader = reader_take(ledger);
    error = sql_begin_read(reader->sql, problem);
    if (error == ERR_OK)
        error = sql_version(reader->sql, &version, problem);
    if (error == ERR_OK) {
        began(context);
        error =
            sql_is_file(reader->sql) && sql_path_is_file(path)
                ? sql_copy(reader->sql, path, problem)
                : ledger_copy_rows(reader->sql, &(struct ledger_copying){ .path = path }, problem);
    }
    sql_end_read(reader->sql);
    reader_give(ledger, reader);
    return error;
}

/* ---- digests ---- */

struct table_digest {
    const struct table *table;
    struct digest digest;
    struct buffer row;
};

/* A row in the digest: name of the table, then each value with kind and size, so that no two
 * different rows give the same bytes. Integers are little endian on every machine. */
static bool digest_row(void *context, const struct ledger_value *values)
{
    struct table_digest *sum = context;
    buffer_clear(&sum->row);
    buffer_append_str(&sum->row, str_from_c(sum->table->name));
    for (int i = 0; i < sum->table->columns; i++) {
        uint64_t number =
            values[i].kind == LEDGER_INT ? (uint64_t)values[i].integer : values[i].bytes.size;
        uint8_t head[9] = { (uint8_t)values[i].kind };
        for (int b = 0; b < 8; b++)
            head[1 + b] = (uint8_t)(number >> (8 * b));
        buffer_append(&sum->row, head, values[i].kind == LEDGER_NULL ? 1 : sizeof(head));
        if (values[i].kind == LEDGER_TEXT || values[i].kind == LEDGER_BLOB)
            buffer_append_str(&sum->row, values[i].bytes);
    }
    if (sum->row.failed)
        return false;
    digest_add(&sum->digest, sum->row.data, sum->row.size);
    return true;
}

err ledger_table_digest(struct ledger *ledger, enum ledger_table table, struct digest *digest,
                        struct problem *problem)
{
    struct table_digest sum = { .table = table_of(table) };
    buffer_init(&sum.row, WRITES_BYTES_MAX);
    err error = ledger_scan(ledger, table, NULL, digest_row, &sum, problem);
    if (error == ERR_OK && sum.row.failed)
        error = problem_set(problem, ERR_NOMEM, "no memory to digest ledger table '%s'",
                            sum.table->name);
    buffer_deinit(&sum.row);
    if (error == ERR_OK)
        *digest = sum.digest;
    return error;
}

err ledger_digest(struct ledger *ledger, struct digest *digest, struct problem *problem)
{
    struct digest sum = { .count = 0 };
    err error = ERR_OK;
    for (int t = 0; t < LEDGER_TABLE_COUNT && error == ERR_OK; t++) {
        struct digest part;
        if (!ledger_table_is_digested((enum ledger_table)t))
            continue;
        error = ledger_table_digest(ledger, (enum ledger_table)t, &part, problem);
        if (error == ERR_OK)
            digest_join(&sum, &part);
    }
    if (error == ERR_OK)
        *digest = sum;
    return error;
}
