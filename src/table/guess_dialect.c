/* SPDX-License-Identifier: Apache-2.0 */
/* guess_dialect: the separator under which the rows agree best about their number of cells. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "table/csv.h"
#include "table/guess.h"

#define ROWS_MAX 300
#define SAMPLE_BYTES_MAX (512 * 1024)

/* What rows look like under one separator and quote. */
struct shape {
    uint32_t rows;
    uint32_t counts[ROWS_MAX]; /* of cells */
    uint32_t quoted, odd;      /* cells in quotes; and of them, those with text behind the quotes */
    uint32_t paired, stray;    /* quotes around cells and in them, and quotes that are text */
    uint32_t single, cells;    /* cells like 'this'; cells that are not empty */
    bool unclosed;
    double score;
};

static uint32_t count_byte(str text, char byte)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == byte;
    return count;
}

static void look_at_cells(const struct csv_scan *scan, struct shape *shape)
{
    str text = csv_scan_text(scan);
    for (uint32_t i = 0; i < scan->cell_count; i++) {
        const struct csv_mark *mark = &scan->marks[i];
        str cell = str_slice(text, mark->begin, mark->end);
        shape->cells += cell.size > 0;
        shape->single += cell.size >= 2 && cell.data[0] == '\'' && cell.data[cell.size - 1] == '\'';
        uint32_t quotes = scan->quote != '\0' ? count_byte(cell, scan->quote) : 0;
        if ((mark->flags & CSV_QUOTED) == 0) {
            shape->stray += quotes;
            continue;
        }
        shape->paired += quotes;
        shape->quoted++;
        shape->odd += cell.data[cell.size - 1] != scan->quote;
    }
}

static double score_of(const struct shape *shape)
{
    uint32_t best = 1, best_rows = 0;
    for (uint32_t i = 0; i < shape->rows; i++) {
        uint32_t rows = 0;
        for (uint32_t k = 0; k < shape->rows; k++)
            rows += shape->counts[k] == shape->counts[i];
        if (rows > best_rows || (rows == best_rows && shape->counts[i] > best)) {
            best_rows = rows;
            best = shape->counts[i];
        }
    }
    if (best < 2)
        return 0;
    double share = (double)best_rows / (double)shape->rows;
    double odd = shape->quoted > 0 ? (double)shape->odd / (double)shape->quoted : 0;
    /* Under the wrong separator, the quotes stand within cells; and lines of a quoted text look like rows. */
    uint32_t quotes = shape->paired + shape->stray;
    double stray = quotes > 0 ? (double)shape->stray / (double)quotes : 0;
    return share * (1 + log2((double)best)) * (1 - odd / 2) * (1 - stray / 2);
}

static err take_shape(str text, bool whole, const struct table_form *form, struct shape *shape,
                      struct problem *problem)
{
    struct window window;
    struct csv_scan scan;
    memset(shape, 0, sizeof(*shape));
    err error = window_open_text(&window, text);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory to look at the file");
    error = csv_scan_init(&scan, &window, form, problem);
    if (error != ERR_OK)
        return error;
    while (shape->rows < ROWS_MAX) {
        enum csv_found found = csv_scan_row(&scan, &error, problem);
        if (found == CSV_END || found == CSV_ERROR)
            break;
        /* The last row of a sample is cut somewhere. */
        if (!whole && csv_scan_is_cut(&scan, found))
            break;
        shape->unclosed |= found == CSV_UNCLOSED;
        if (found == CSV_ROW && !csv_scan_is_blank(&scan)) {
            shape->counts[shape->rows++] = scan.cell_count;
            look_at_cells(&scan, shape);
        }
        csv_scan_pass(&scan);
    }
    csv_scan_deinit(&scan);
    shape->score = score_of(shape);
    return error;
}

static err guess_separator(str text, bool whole, str hint, struct table_form *form,
                           struct shape *best, struct problem *problem)
{
    static const char separators[] = { ',', '\t', ';', '|', '\x01' };
    bool tabs = str_ends_with(hint, STR(".tsv")) || str_ends_with(hint, STR(".tab"));
    struct table_form tried = *form;
    memset(best, 0, sizeof(*best));
    form->separator = tabs ? '\t' : ',';
    for (size_t i = 0; i < sizeof(separators); i++) {
        struct shape shape;
        tried.separator = separators[i];
        err error = take_shape(text, whole, &tried, &shape, problem);
        if (error != ERR_OK)
            return error;
        if (tabs && separators[i] == '\t')
            shape.score *= 1.5;
        if (shape.score > best->score) {
            *best = shape;
            form->separator = separators[i];
        }
    }
    return ERR_OK;
}

/* Not the usual quote: 'single' ones, or none at all where the usual one stands unpaired. */
static err guess_quote(str text, bool whole, struct table_form *form, const struct shape *shape,
                       struct problem *problem)
{
    if (shape->quoted == 0 && shape->single * 3 > shape->cells) {
        form->quote = '\'';
        return ERR_OK;
    }
    if (!shape->unclosed && shape->odd * 2 <= shape->quoted)
        return ERR_OK;
    struct shape without;
    struct table_form tried = *form;
    tried.quote = '\0';
    err error = take_shape(text, whole, &tried, &without, problem);
    if (error == ERR_OK && without.score > shape->score)
        form->quote = '\0';
    return error;
}

err guess_dialect(str text, bool whole, str hint, struct table_form *form, struct problem *problem)
{
    struct shape shape;
    if (text.size > SAMPLE_BYTES_MAX) {
        text = str_slice(text, 0, str_utf8_prefix_bytes(text, SAMPLE_BYTES_MAX));
        whole = false;
    }
    form->quote = '"';
    err error = guess_separator(text, whole, hint, form, &shape, problem);
    if (error == ERR_OK)
        error = guess_quote(text, whole, form, &shape, problem);
    return error;
}
