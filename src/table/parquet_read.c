/* SPDX-License-Identifier: Apache-2.0 */
/* parquet_read: the reader of Parquet: frames of the child become rows of cells. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "table/decimal.h"
#include "table/decode.h"
#include "table/parquet.h"
#include "table/parquet_spawn.h"
#include "table/temporary.h"

/* A child that says nothing for so long is given up. */
#define MUTE_MS (10 * 60 * 1000)
/* Passing over so many rows is quicker in the child. */
#define SKIP_ROWS_MIN 100000
#define ROOM_BYTES_MAX (TABLE_ROW_BYTES_MAX + 2 * PARQUET_ROWS_BYTES_MAX)

struct parquet {
    struct parquet_child child;
    int file;
    uint64_t rows_total;
    enum parquet_kind *kinds;
    struct table_cell *cells;
    struct buffer scratch, raw, header;
    /* rows that have come: data[begin … end) */
    char *data;
    size_t begin, end, capacity;
    size_t row_end, next_begin;
    size_t frame_left; /* of an 'R' that is being read */
    bool ended;        /* 'D' has come */
};

/* ---- frames ---- */

static err refuse_end(struct parquet *parquet, struct problem *problem)
{
    char why[128];
    parquet_describe_end(&parquet->child, why);
    problem_set(problem, ERR_UNPROCESSABLE, "the process that reads the Parquet file %s", why);
    return problem_hint(problem, ERR_UNPROCESSABLE,
                        "write the file with smaller row groups, or as CSV");
}

/* At least one byte. */
static err read_some(struct parquet *parquet, char *out, size_t room, size_t *size,
                     struct problem *problem)
{
    for (;;) {
        struct pollfd ready = { .fd = parquet->child.pipe, .events = POLLIN };
        int count = poll(&ready, 1, MUTE_MS);
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0)
            return problem_set(problem, ERR_TIMEOUT,
                               "the process that reads the Parquet file says nothing");
        ssize_t bytes = read(parquet->child.pipe, out, room);
        if (bytes < 0 && errno == EINTR)
            continue;
        if (bytes <= 0)
            return refuse_end(parquet, problem);
        *size = (size_t)bytes;
        return ERR_OK;
    }
}

static err read_exactly(struct parquet *parquet, char *out, size_t size, struct problem *problem)
{
    while (size > 0) {
        size_t count;
        err error = read_some(parquet, out, size, &count, problem);
        if (error != ERR_OK)
            return error;
        out += count;
        size -= count;
    }
    return ERR_OK;
}

static err read_text(struct parquet *parquet, size_t size, struct buffer *out,
                     struct problem *problem)
{
    buffer_clear(out);
    char *room = size <= PARQUET_TEXT_BYTES_MAX ? buffer_reserve(out, size + 1) : NULL;
    if (room == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read the Parquet file");
    err error = read_exactly(parquet, room, size, problem);
    if (error == ERR_OK)
        buffer_advance(out, size);
    return error;
}

/* The next frame's kind; 'E' has become an error. */
static err read_frame(struct parquet *parquet, char *kind, size_t *size, struct problem *problem)
{
    unsigned char head[PARQUET_FRAME_BYTES];
    err error = read_exactly(parquet, (char *)head, sizeof(head), problem);
    if (error != ERR_OK)
        return error;
    *kind = (char)head[0];
    *size = (size_t)head[1] | (size_t)head[2] << 8 | (size_t)head[3] << 16 | (size_t)head[4] << 24;
    if (*kind != 'E')
        return ERR_OK;
    error = read_text(parquet, *size, &parquet->header, problem);
    if (error != ERR_OK)
        return error;
    problem_set(problem, ERR_UNPROCESSABLE, STR_FMT, STR_ARG(buffer_str(&parquet->header)));
    return problem_hint(problem, ERR_UNPROCESSABLE, "is it whole? write it again, or as CSV");
}

/* ---- rows ---- */

static err make_room(struct parquet *parquet, struct problem *problem)
{
    if (parquet->begin > 0) { /* then there is data */
        memmove(parquet->data, parquet->data + parquet->begin, parquet->end - parquet->begin);
        parquet->end -= parquet->begin;
        parquet->next_begin -= parquet->begin;
        parquet->begin = 0;
    }
    if (parquet->capacity - parquet->end >= PARQUET_ROWS_BYTES_MAX)
        return ERR_OK;
    size_t capacity = 2 * parquet->capacity;
    if (capacity < 4 * PARQUET_ROWS_BYTES_MAX)
        capacity = 4 * PARQUET_ROWS_BYTES_MAX;
    if (capacity > ROOM_BYTES_MAX)
        capacity = ROOM_BYTES_MAX;
    INVARIANT(capacity - parquet->end >= PARQUET_ROWS_BYTES_MAX);
    char *data = memory_resize(parquet->data, capacity);
    if (data == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read the Parquet file");
    parquet->data = data;
    parquet->capacity = capacity;
    return ERR_OK;
}

/* More rows behind `end`, or `ended`. */
static err fill(struct parquet *parquet, struct problem *problem)
{
    char kind = 'R';
    err error = ERR_OK;
    while (parquet->frame_left == 0) {
        error = read_frame(parquet, &kind, &parquet->frame_left, problem);
        if (error != ERR_OK)
            return error;
        if (kind == 'D') {
            parquet->ended = true;
            return ERR_OK;
        }
    }
    size_t room = parquet->capacity - parquet->end, count = 0;
    error = read_some(parquet, parquet->data + parquet->end,
                      parquet->frame_left < room ? parquet->frame_left : room, &count, problem);
    parquet->end += count;
    parquet->frame_left -= count;
    return error;
}

/* Where the row that begins at `begin` ends. TOO_LARGE: it has been passed over, its beginning is kept. */
static err find_row(struct parquet *parquet, struct problem *problem)
{
    size_t looked_at = 0; /* from begin on */
    bool large = false;
    parquet->begin = parquet->next_begin;
    for (;;) {
        const char *from = parquet->data + parquet->begin + looked_at;
        const char *found = parquet->end > parquet->begin + looked_at
                                ? memchr(from, '\n', parquet->end - parquet->begin - looked_at)
                                : NULL;
        if (found != NULL) {
            parquet->row_end =
                large ? parquet->begin + TABLE_RAW_BYTES_MAX : (size_t)(found - parquet->data);
            parquet->next_begin = (size_t)(found - parquet->data) + 1;
            large = large || parquet->row_end - parquet->begin > TABLE_ROW_BYTES_MAX;
            return large ? ERR_TOO_LARGE : ERR_OK;
        }
        if (parquet->ended)
            return ERR_NOT_FOUND;
        if (large || parquet->end - parquet->begin > TABLE_ROW_BYTES_MAX) {
            large = true;
            parquet->end = parquet->begin + TABLE_RAW_BYTES_MAX;
        }
        looked_at = parquet->end - parquet->begin;
        err error = make_room(parquet, problem);
        if (error == ERR_OK)
            error = fill(parquet, problem);
        if (error != ERR_OK)
            return error;
    }
}

/* ---- cells ---- */

/* \t, \n, \\ and the like (ClickHouse: TabSeparated). */
static str unescape(struct parquet *parquet, str text)
{
    static const char from[] = "btnfr0", to[] = "\b\t\n\f\r\0";
    size_t begin = parquet->scratch.size;
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '\\' && i + 1 < text.size) {
            byte = text.data[++i];
            const char *found = memchr(from, byte, sizeof(from) - 1);
            byte = found != NULL ? to[found - from] : byte;
        }
        buffer_append_byte(&parquet->scratch, (uint8_t)byte);
    }
    return str_from_bytes(parquet->scratch.data + begin, parquet->scratch.size - begin);
}

/* Without exponent; beyond 2^53 a double is no number to trust. */
static void set_float(struct parquet *parquet, struct table_cell *cell, size_t room)
{
    struct decimal decimal;
    cell->kind = CELL_NUMBER;
    if (cell->text.size < 16 && memchr(cell->text.data, 'e', cell->text.size) == NULL &&
        memchr(cell->text.data, 'n', cell->text.size) == NULL)
        return;
    if (str_equal(cell->text, STR("nan")) || str_equal(cell->text, STR("-nan"))) {
        *cell = (struct table_cell){ .kind = CELL_EMPTY };
    } else if (!decimal_parse(cell->text, &decimal) || decimal_is_beyond_double(&decimal)) {
        cell->kind = CELL_LOST;
    } else if (decimal.exponent && room > DECIMAL_DIGITS_MAX * 2) {
        size_t begin = parquet->scratch.size;
        if (decimal_write(&decimal, &parquet->scratch))
            cell->text =
                str_from_bytes(parquet->scratch.data + begin, parquet->scratch.size - begin);
    }
}

/* 2024-01-05T08:03:01.000Z of a file that knows no zone. */
static void set_local(struct table_cell *cell)
{
    char *data = (char *)(uintptr_t)cell->text.data; /* the reader's own bytes */
    cell->kind = CELL_TIME;
    if (cell->text.size < 20 || data[10] != 'T')
        return;
    data[10] = ' ';
    cell->text.size--;
    if (cell->text.size > 19 && memchr(data + 19, '.', 1) != NULL) {
        while (cell->text.data[cell->text.size - 1] == '0')
            cell->text.size--;
        cell->text.size -= cell->text.data[cell->text.size - 1] == '.';
    }
}

static void set_cell(struct parquet *parquet, struct table_cell *cell, str text,
                     enum parquet_kind kind, bool escapes, size_t rest)
{
    static const enum cell_kind kinds[] = { CELL_TEXT, CELL_NUMBER, CELL_NUMBER, CELL_BOOL,
                                            CELL_TIME, CELL_TIME,   CELL_TIME,   CELL_JSON };
    if (text.size == 0 || str_equal(text, STR("\\N"))) {
        *cell = (struct table_cell){ .kind = CELL_EMPTY };
        return;
    }
    if (escapes && memchr(text.data, '\\', text.size) != NULL)
        text = unescape(parquet, text);
    *cell = (struct table_cell){ .kind = kinds[kind], .text = text };
    if (kind == PARQUET_FLOAT)
        set_float(parquet, cell, parquet->scratch.capacity - parquet->scratch.size - rest);
    else if (kind == PARQUET_LOCAL)
        set_local(cell);
}

static err cut_row(struct table *table, str text, struct table_row *row, struct problem *problem)
{
    struct parquet *parquet = table->state;
    uint32_t count = 0;
    const char *at = text.data, *end = text.data + text.size;
    bool escapes = memchr(text.data, '\\', text.size) != NULL;
    buffer_clear(&parquet->scratch);
    /* Once, so that it does not move while cells point into it. */
    if (buffer_reserve(&parquet->scratch, text.size + 64 * 1024) == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read the Parquet file");
    while (count < table->names.count) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        const char *behind = tab != NULL ? tab : end;
        set_cell(parquet, &parquet->cells[count], str_from_bytes(at, (size_t)(behind - at)),
                 parquet->kinds[count], escapes, (size_t)(end - behind));
        count++;
        if (tab == NULL)
            break;
        at = tab + 1;
    }
    if (count != table->names.count)
        return problem_set(problem, ERR_INTERNAL, "a row of %u cells in a file of %u columns",
                           count, table->names.count);
    row->cells = parquet->cells;
    row->cell_count = count;
    row->raw = text;
    return ERR_OK;
}

static err refuse(struct parquet *parquet, struct table_row *row, const char *why, const char *cure,
                  struct problem *problem)
{
    problem_set(problem, ERR_INVALID, "row %llu: %s", (unsigned long long)row->number, why);
    problem_hint(problem, ERR_INVALID, "%s", cure);
    buffer_clear(&parquet->raw);
    raw_write(&parquet->raw,
              str_from_bytes(parquet->data + parquet->begin, parquet->row_end - parquet->begin));
    row->raw = buffer_str(&parquet->raw);
    row->cells = NULL;
    row->cell_count = 0;
    return parquet->raw.nomem ? ERR_NOMEM : ERR_INVALID;
}

static err check_cells(const struct table *table, struct table_row *row, struct problem *problem)
{
    struct parquet *parquet = table->state;
    char why[160];
    bool cut;
    for (uint32_t i = 0; i < row->cell_count; i++) {
        str text = row->cells[i].text;
        str name = table_column_name(table, i);
        const char *what = NULL;
        if (text.size > TABLE_CELL_BYTES_MAX)
            what = "more than 4 MB";
        else if (decode_utf8_valid(text.data, text.size, &cut) < text.size)
            what = "bytes that are no text";
        if (what == NULL)
            continue;
        snprintf(why, sizeof(why), "column %u '" STR_FMT "' has %s", i + 1,
                 STR_ARG(str_slice(name, 0, str_utf8_prefix_bytes(name, 80))), what);
        return refuse(parquet, row, why, "leave that column out of the file", problem);
    }
    return ERR_OK;
}

static err parquet_next(struct table *table, struct table_row *row, struct problem *problem)
{
    struct parquet *parquet = table->state;
    bool cut;
    err error = find_row(parquet, problem);
    if (error == ERR_TOO_LARGE) {
        row->number = ++table->number;
        return refuse(parquet, row, "has more than 16 MB", "leave its largest column out", problem);
    }
    if (error != ERR_OK)
        return error;
    row->number = ++table->number;
    str text = str_from_bytes(parquet->data + parquet->begin, parquet->row_end - parquet->begin);
    error = cut_row(table, text, row, problem);
    if (error != ERR_OK)
        return error;
    /* An escaped NUL is not seen in the row's own text. */
    if (text.size > TABLE_CELL_BYTES_MAX || memmem(text.data, text.size, "\\0", 2) != NULL ||
        decode_utf8_valid(text.data, text.size, &cut) < text.size)
        return check_cells(table, row, problem);
    return ERR_OK;
}

/* ---- opening ---- */

static err take_header(struct table *table, json_value root, struct problem *problem)
{
    static const char *const names[] = {
#define X(name, text) text,
        PARQUET_KINDS(X)
#undef X
    };
    struct parquet *parquet = table->state;
    struct json_iterator columns = json_iterate(json_get(root, STR("columns")));
    json_value column;
    parquet->rows_total = (uint64_t)json_int(json_get(root, STR("rows")), 0);
    while (json_next(&columns, NULL, &column)) {
        str kind = json_text(json_get(column, STR("kind")));
        err error = names_add(&table->names, json_text(json_get(column, STR("name"))), problem);
        if (error != ERR_OK)
            return error;
        enum parquet_kind *to = &parquet->kinds[table->names.count - 1];
        *to = PARQUET_TEXT;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            if (str_equal(kind, str_from_c(names[i])))
                *to = (enum parquet_kind)i;
    }
    return ERR_OK;
}

static err read_header(struct table *table, bool first, struct problem *problem)
{
    struct parquet *parquet = table->state;
    struct json_parser *parser = NULL;
    json_value root;
    char kind;
    size_t size;
    err error = read_frame(parquet, &kind, &size, problem);
    if (error == ERR_OK && kind != 'H')
        error = problem_set(problem, ERR_INTERNAL, "a frame '%c' where the header was due", kind);
    if (error == ERR_OK)
        error = read_text(parquet, size, &parquet->header, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, PARQUET_TEXT_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&parquet->header), &root, problem);
    if (error == ERR_OK && first)
        error = take_header(table, root, problem);
    json_parser_free(&parser);
    return error;
}

static err start(struct table *table, uint64_t skip, struct problem *problem)
{
    struct parquet *parquet = table->state;
    bool first = skip == 0;
    err error = parquet_spawn(&parquet->child, table->program, table->library, parquet->file, skip,
                              problem);
    return error == ERR_OK ? read_header(table, first, problem) : error;
}

static err parquet_skip(struct table *table, uint64_t number, struct problem *problem)
{
    struct parquet *parquet = table->state;
    if (number - table->number >= SKIP_ROWS_MIN && number <= parquet->rows_total) {
        parquet_end(&parquet->child);
        parquet->begin = parquet->end = parquet->next_begin = parquet->frame_left = 0;
        parquet->ended = false;
        table->number = number;
        return start(table, number, problem);
    }
    while (table->number < number) {
        err error = find_row(parquet, problem);
        if (error == ERR_NOT_FOUND)
            return ERR_OK;
        if (error != ERR_OK && error != ERR_TOO_LARGE)
            return error;
        table->number++;
    }
    return ERR_OK;
}

static uint64_t parquet_bytes_read(const struct table *table)
{
    const struct parquet *parquet = table->state;
    if (parquet->rows_total == 0)
        return table->bytes_total;
    return (uint64_t)((double)table->number / (double)parquet->rows_total *
                      (double)table->bytes_total);
}

static void parquet_close(struct table *table)
{
    struct parquet *parquet = table->state;
    if (parquet == NULL)
        return;
    parquet_end(&parquet->child);
    if (parquet->file >= 0)
        close(parquet->file);
    buffer_deinit(&parquet->scratch);
    buffer_deinit(&parquet->raw);
    buffer_deinit(&parquet->header);
    memory_free(parquet->data);
    memory_free(parquet->kinds);
    memory_free(parquet->cells);
    memory_free(parquet);
    table->state = NULL;
}

static err open_file(struct table *table, struct problem *problem)
{
    struct parquet *parquet = table->state;
    if (table->form.packing != TABLE_PLAIN)
        return temporary_unpack(table->path, table->form.packing, &parquet->file, problem);
    parquet->file = open(table->path, O_RDONLY | O_CLOEXEC);
    if (parquet->file < 0)
        return problem_set(problem, ERR_IO, "the file cannot be opened: %s", strerror(errno));
    return ERR_OK;
}

static err parquet_open(struct table *table, struct problem *problem)
{
    struct parquet *parquet = memory_alloc(sizeof(*parquet));
    if (parquet == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read the Parquet file");
    table->state = parquet;
    parquet->file = parquet->child.pipe = -1;
    buffer_init(&parquet->scratch, 2 * (size_t)TABLE_ROW_BYTES_MAX);
    buffer_init(&parquet->raw, 4 * TABLE_RAW_BYTES_MAX);
    buffer_init(&parquet->header, PARQUET_TEXT_BYTES_MAX + 64);
    parquet->kinds = memory_alloc(TABLE_COLUMNS_MAX * sizeof(enum parquet_kind));
    parquet->cells = memory_alloc(TABLE_COLUMNS_MAX * sizeof(struct table_cell));
    err error = ERR_OK;
    if (parquet->kinds == NULL || parquet->cells == NULL)
        error = problem_set(problem, ERR_NOMEM, "no memory to read the Parquet file");
    if (error == ERR_OK)
        error = open_file(table, problem);
    if (error == ERR_OK)
        error = start(table, 0, problem);
    if (error != ERR_OK)
        parquet_close(table);
    return error;
}

pid_t parquet_reader_pid(const struct table *table)
{
    return ((const struct parquet *)table->state)->child.pid;
}

const struct reader parquet_reader = {
    .open = parquet_open,
    .close = parquet_close,
    .next = parquet_next,
    .skip = parquet_skip,
    .bytes_read = parquet_bytes_read,
};
