/* SPDX-License-Identifier: Apache-2.0 */
/* csv: the reader of separated text: values of cells, rows that are refused, header and closing lines. */
#include "table/csv.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"

struct csv {
    struct csv_scan scan;
    uint64_t line;  /* of the row that comes next */
    uint64_t place; /* rows of the file before it, empty ones too */
    struct table_cell *cells;
    struct buffer scratch, raw;
};

/* ---- values ---- */

/* ="0123", a tab before or behind, an apostrophe before digits: how exports keep Excel from making numbers of texts. */
static str without_guard(str text)
{
    while (text.size > 0 && text.data[0] == '\t')
        text = str_slice(text, 1, text.size);
    while (text.size > 0 && text.data[text.size - 1] == '\t')
        text.size--;
    if (text.size >= 3 && text.data[0] == '=' && text.data[1] == '"' &&
        text.data[text.size - 1] == '"') {
        str inside = str_slice(text, 2, text.size - 1);
        return str_find_byte(inside, '"') == inside.size ? inside : text;
    }
    if (text.size >= 2 && text.data[0] == '\'' && text.data[text.size - 1] != '\'' &&
        (memchr("0123456789+-=@", text.data[1], 14) != NULL))
        return str_slice(text, 1, text.size);
    return text;
}

static inline bool may_be_guarded(str text)
{
    char first = text.data[0];
    return first == '=' || first == '\t' || first == '\'' || text.data[text.size - 1] == '\t';
}

/* Without the quotes around, doubled ones single; text behind the closing quote stays. */
static str unquote(const struct csv_scan *scan, str cell, struct buffer *scratch)
{
    size_t from = scratch->size;
    bool inside = true;
    for (size_t i = 1; i < cell.size; i++) {
        bool quote = cell.data[i] == scan->quote;
        if (quote && inside) {
            inside = i + 1 < cell.size && cell.data[i + 1] == scan->quote;
            i += inside;
            if (!inside)
                continue;
        }
        buffer_append_byte(scratch, (uint8_t)cell.data[i]);
    }
    if (scratch->failed)
        return STR_NONE;
    return str_from_bytes(scratch->data + from, scratch->size - from);
}

/* The text of a cell, perhaps still guarded. */
static str text_of(const struct csv_scan *scan, const struct csv_mark *mark, struct buffer *scratch)
{
    str text = str_from_bytes(scan->window.data + scan->window.begin + mark->begin,
                              mark->end - mark->begin);
    if ((mark->flags & CSV_DOUBLED) != 0)
        text = unquote(scan, text, scratch);
    else if ((mark->flags & CSV_QUOTED) != 0)
        text = str_slice(text, 1, text.size - 1);
    return text;
}

static str take_off_guard(str text)
{
    return text.size > 0 && may_be_guarded(text) ? without_guard(text) : text;
}

err csv_cells(const struct csv_scan *scan, struct table_cell *cells, struct buffer *scratch)
{
    buffer_clear(scratch);
    /* Once, so that it does not move while cells point into it. */
    for (uint32_t i = 0; i < scan->cell_count; i++)
        if ((scan->marks[i].flags & CSV_DOUBLED) != 0) {
            buffer_reserve(scratch, csv_scan_text(scan).size + 1);
            break;
        }
    for (uint32_t i = 0; i < scan->cell_count; i++) {
        str guarded = text_of(scan, &scan->marks[i], scratch);
        str text = take_off_guard(guarded);
        cells[i].kind = text.size == 0             ? CELL_EMPTY
                        : text.size < guarded.size ? CELL_GUARDED
                                                   : CELL_TEXT;
        cells[i].text = text;
    }
    return buffer_status(scratch);
}

/* ---- rows that are refused ---- */

static const char *encoding_name(enum table_encoding encoding)
{
    static const char *const names[] = { "UTF-8", "GB18030", "UTF-16", "UTF-16", "windows-1252" };
    return names[encoding];
}

static err refuse(struct csv *csv, struct table_row *row)
{
    buffer_clear(&csv->raw);
    raw_write(&csv->raw, csv_scan_text(&csv->scan));
    row->raw = buffer_str(&csv->raw);
    row->cells = NULL;
    row->cell_count = 0;
    return csv->raw.nomem ? ERR_NOMEM : ERR_INVALID;
}

/* "row 5 (line 7)" */
static const char *place_of(const struct table_row *row, char out[64])
{
    snprintf(out, 64, "row %llu (line %llu)", (unsigned long long)row->number,
             (unsigned long long)row->line);
    return out;
}

static str column_at(const struct table *table, uint32_t column)
{
    str name = table_column_name(table, column);
    return str_slice(name, 0, str_utf8_prefix_bytes(name, 80));
}

static err refuse_bytes(struct table *table, size_t offset, struct table_row *row,
                        struct problem *problem)
{
    struct csv *csv = table->state;
    struct csv_scan *scan = &csv->scan;
    char place[64];
    uint32_t column = 0;
    while (column + 1 < scan->cell_count && offset > scan->marks[column].end)
        column++;
    str name = column_at(table, column);
    bool nul = scan->window.data[scan->window.begin + offset] == '\0';
    problem_set(problem, ERR_INVALID, "%s, column %u '" STR_FMT "': %s", place_of(row, place),
                column + 1, STR_ARG(name), nul ? "a NUL byte" : "bytes that are no text");
    problem_hint(problem, ERR_INVALID,
                 "the file is read as %s: choose another encoding if the whole file is wrong, or "
                 "mend the row",
                 encoding_name(table->form.encoding));
    return refuse(csv, row);
}

static err refuse_size(struct csv *csv, struct table_row *row, struct problem *problem)
{
    char place[64];
    problem_set(problem, ERR_INVALID, "%s has more than %d MB", place_of(row, place),
                TABLE_ROW_BYTES_MAX / (1024 * 1024));
    problem_hint(problem, ERR_INVALID, "is there a newline missing?");
    return refuse(csv, row);
}

static err refuse_unclosed(struct csv *csv, struct table_row *row, struct problem *problem)
{
    char place[64];
    problem_set(problem, ERR_INVALID, "%s: a quote (%c) is opened and never closed",
                place_of(row, place), csv->scan.quote);
    problem_hint(problem, ERR_INVALID, "double the quote inside the value, or choose 'no quotes'");
    return refuse(csv, row);
}

static err refuse_columns(struct csv *csv, struct table_row *row, struct problem *problem)
{
    char place[64];
    problem_set(problem, ERR_INVALID, "%s has more than %d columns", place_of(row, place),
                TABLE_COLUMNS_MAX);
    problem_hint(problem, ERR_INVALID, "is the separator right?");
    return refuse(csv, row);
}

static err refuse_cell(struct table *table, uint32_t column, struct table_row *row,
                       struct problem *problem)
{
    char place[64];
    str name = column_at(table, column);
    problem_set(problem, ERR_INVALID, "%s, column %u '" STR_FMT "' has more than %d MB",
                place_of(row, place), column + 1, STR_ARG(name),
                TABLE_CELL_BYTES_MAX / (1024 * 1024));
    problem_hint(problem, ERR_INVALID, "is there a quote missing?");
    return refuse(table->state, row);
}

static err refuse_footer(struct csv *csv, struct table_row *row, struct problem *problem)
{
    char place[64];
    problem_set(problem, ERR_INVALID, "%s is a closing line of the file, not data",
                place_of(row, place));
    row->footer = true;
    return refuse(csv, row);
}

/* Only a row of 4 MB can have a cell of that. */
static bool find_large_cell(const struct csv_scan *scan, uint32_t *column)
{
    if (csv_scan_text(scan).size <= TABLE_CELL_BYTES_MAX)
        return false;
    for (*column = 0; *column < scan->cell_count; (*column)++)
        if (scan->marks[*column].end - scan->marks[*column].begin > TABLE_CELL_BYTES_MAX)
            return true;
    return false;
}

/* ---- the reader ---- */

/* Whatever a row is, reading goes on behind it. */
static enum csv_found find_row(struct csv *csv, struct table_row *row, err *error,
                               struct problem *problem)
{
    csv_scan_pass(&csv->scan);
    enum csv_found found = csv_scan_row(&csv->scan, error, problem);
    if (found == CSV_END || found == CSV_ERROR)
        return found;
    row->line = csv->line;
    csv->line += csv->scan.row_lines;
    csv->place++;
    if (found == CSV_ROW && csv_scan_text(&csv->scan).size > TABLE_ROW_BYTES_MAX)
        return CSV_TOO_LARGE;
    return found;
}

/* The next row with a value in it. */
static enum csv_found find_data(struct csv *csv, struct table_row *row, err *error,
                                struct problem *problem)
{
    enum csv_found found;
    do
        found = find_row(csv, row, error, problem);
    while (found == CSV_ROW && csv_scan_is_blank(&csv->scan));
    return found;
}

/* Cells behind the last column that are empty come from a separator at the end of the line. */
static uint32_t without_trailing(const struct csv *csv, uint32_t count, uint32_t columns)
{
    while (count > columns && csv->cells[count - 1].kind == CELL_EMPTY)
        count--;
    return count;
}

static err give(struct table *table, struct table_row *row, struct problem *problem)
{
    struct csv *csv = table->state;
    struct csv_scan *scan = &csv->scan;
    str text = csv_scan_text(scan);
    uint32_t column;
    bool cut;
    if (scan->too_many)
        return refuse_columns(csv, row, problem);
    if (find_large_cell(scan, &column))
        return refuse_cell(table, column, row, problem);
    if (window_is_suspect(&scan->window, scan->window.begin, scan->row_end)) {
        size_t valid = decode_utf8_valid(text.data, text.size, &cut);
        if (valid < text.size)
            return refuse_bytes(table, valid, row, problem);
    }
    err error = csv_cells(scan, csv->cells, &csv->scratch);
    if (error != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory for a row of %zu bytes", text.size);
    row->cell_count = without_trailing(csv, scan->cell_count, table->names.count);
    row->cells = csv->cells;
    row->raw = text;
    if (footer_is(row->cells, row->cell_count, table->names.count))
        return refuse_footer(csv, row, problem);
    return ERR_OK;
}

static err csv_next(struct table *table, struct table_row *row, struct problem *problem)
{
    struct csv *csv = table->state;
    err error = ERR_OK;
    enum csv_found found = find_data(csv, row, &error, problem);
    if (found == CSV_END)
        return ERR_NOT_FOUND;
    if (found == CSV_ERROR)
        return error;
    row->number = ++table->number;
    switch (found) {
    case CSV_TOO_LARGE:
        return refuse_size(csv, row, problem);
    case CSV_UNCLOSED:
        return refuse_unclosed(csv, row, problem);
    case CSV_ROW:
    case CSV_END:
    case CSV_ERROR:
        break;
    }
    return give(table, row, problem);
}

static err csv_skip(struct table *table, uint64_t number, struct problem *problem)
{
    struct csv *csv = table->state;
    struct table_row row;
    while (table->number < number) {
        err error = ERR_OK;
        enum csv_found found = find_data(csv, &row, &error, problem);
        if (found == CSV_END)
            return ERR_OK;
        if (found == CSV_ERROR)
            return error;
        table->number++;
    }
    return ERR_OK;
}

static uint64_t csv_bytes_read(const struct table *table)
{
    const struct csv *csv = table->state;
    return csv->scan.window.unpack.packed_bytes;
}

/* ---- opening ---- */

static err refuse_header(const struct table *table, const char *why, struct problem *problem)
{
    problem_set(problem, ERR_UNPROCESSABLE,
                "row %u, which should have the names of the columns, %s", table->form.header_row,
                why);
    return problem_hint(problem, ERR_UNPROCESSABLE, "choose the row that has the names, or 0");
}

static err read_header(struct table *table, struct problem *problem)
{
    struct csv *csv = table->state;
    struct csv_scan *scan = &csv->scan;
    struct table_row row;
    err error = ERR_OK;
    enum csv_found found = CSV_ROW;
    while (csv->place < table->form.header_row) {
        found = find_row(csv, &row, &error, problem);
        if (found == CSV_ERROR)
            return error;
        if (found == CSV_END)
            return ERR_OK; /* a file of fewer rows has no data */
    }
    str text = csv_scan_text(scan);
    bool cut;
    if (found == CSV_TOO_LARGE || found == CSV_UNCLOSED)
        return refuse_header(table,
                             found == CSV_UNCLOSED ? "has a quote that is never closed"
                                                   : "has more than 16 MB",
                             problem);
    if (scan->too_many)
        return refuse_header(table, "has more than 2,000 cells", problem);
    if (csv_scan_is_blank(scan))
        return refuse_header(table, "is empty", problem);
    if (decode_utf8_valid(text.data, text.size, &cut) < text.size)
        return refuse_header(table, "has bytes that are no text: is the encoding right?", problem);
    if (csv_cells(scan, csv->cells, &csv->scratch) != ERR_OK)
        return problem_set(problem, ERR_NOMEM, "no memory for the names of the columns");
    return names_add_cells(&table->names, csv->cells, scan->cell_count, problem);
}

/* As many as the first row has; it is found again as data. */
static err count_columns(struct table *table, struct problem *problem)
{
    struct csv *csv = table->state;
    struct csv_scan *scan = &csv->scan;
    struct table_row row = { .number = 0 };
    err error = ERR_OK;
    enum csv_found found = find_data(csv, &row, &error, problem);
    if (found == CSV_ERROR)
        return error;
    if (found == CSV_END)
        return ERR_OK;
    uint32_t count = found == CSV_ROW ? scan->cell_count : 0;
    scan->next_begin = scan->next = scan->window.begin;
    scan->bits = 0;
    csv->line = row.line;
    csv->place = 0;
    return names_add_numbered(&table->names, count, problem);
}

static void csv_close(struct table *table)
{
    struct csv *csv = table->state;
    if (csv == NULL)
        return;
    csv_scan_deinit(&csv->scan);
    buffer_deinit(&csv->scratch);
    buffer_deinit(&csv->raw);
    memory_free(csv->cells);
    memory_free(csv);
    table->state = NULL;
}

static err csv_open(struct table *table, struct problem *problem)
{
    struct window window;
    struct csv *csv = memory_alloc(sizeof(*csv));
    if (csv == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read the file");
    table->state = csv;
    csv->scan.window.unpack.fd = -1;
    csv->line = 1;
    buffer_init(&csv->scratch, TABLE_ROW_BYTES_MAX + 64);
    buffer_init(&csv->raw, 4 * TABLE_RAW_BYTES_MAX);
    csv->cells = memory_alloc(TABLE_COLUMNS_MAX * sizeof(struct table_cell));
    err error =
        csv->cells != NULL ? ERR_OK : problem_set(problem, ERR_NOMEM, "no memory to read the file");
    if (error == ERR_OK)
        error = window_open(&window, table->path, &table->form, table->chunk_bytes, problem);
    if (error == ERR_OK)
        error = csv_scan_init(&csv->scan, &window, &table->form, problem);
    csv->scan.next_begin = csv->scan.window.begin;
    if (error == ERR_OK && table->form.header_row > 0)
        error = read_header(table, problem);
    else if (error == ERR_OK)
        error = count_columns(table, problem);
    if (error != ERR_OK)
        csv_close(table);
    return error;
}

const struct reader csv_reader = {
    .open = csv_open,
    .close = csv_close,
    .next = csv_next,
    .skip = csv_skip,
    .bytes_read = csv_bytes_read,
};
