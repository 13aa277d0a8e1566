/* SPDX-License-Identifier: Apache-2.0 */
/* csv: rows of separated text. Private to table/; detection uses the scanner on a sample.
 *
 * A cell that begins with the quote ends at the next quote that is not doubled; what follows up to the separator
 * is text, as Excel has it. A quote inside other cells is text. A row ends at the newline outside quotes.
 *
 *     cell begins ──quote──▶ QUOTED ──quote──▶ AFTER ──quote at once──▶ QUOTED (a doubled one)
 *          │                                     │
 *          └──any other──▶ PLAIN ────────────────┴──separator──▶ cell begins; newline ──▶ row ends
 *
 * A quote that is never closed would swallow the file: when no end comes within TABLE_ROW_BYTES_MAX or the file,
 * the first line of that row alone is refused and reading goes on behind it. */
#ifndef KITH_TABLE_CSV_H
#define KITH_TABLE_CSV_H

#include "table/inside.h"
#include "table/window.h"

#define CSV_QUOTED 1  /* the cell begins with the quote */
#define CSV_DOUBLED 2 /* and has doubled ones, or text behind its closing quote */

struct csv_mark {
    uint32_t begin, end; /* in the row */
    uint32_t flags;
};

enum csv_found {
    CSV_ROW,
    CSV_END,
    CSV_TOO_LARGE, /* row of more than TABLE_ROW_BYTES_MAX */
    CSV_UNCLOSED,  /* a quote that is never closed: the row is the first line of it */
    CSV_ERROR,     /* of the file */
};

struct csv_scan {
    struct window window;
    char separator, quote, newline; /* quote may be '\0' */
    size_t next;                    /* place of the next block to look at */
    size_t block;                   /* the block looked at, */
    uint64_t bits;                  /* and which of its bytes still count */
    unsigned unclosed_left;         /* so often the scan goes back to the first line */
    /* The row found: */
    size_t row_end;     /* it lies in window.data[window.begin … row_end), without its newline */
    size_t next_begin;  /* and the next one begins here */
    uint64_t row_lines; /* newlines in it and behind it */
    uint32_t cell_count;
    bool too_many; /* cells: those beyond TABLE_COLUMNS_MAX are not marked */
    struct csv_mark *marks;
};

/* `window` is moved in. */
err csv_scan_init(struct csv_scan *scan, struct window *window, const struct table_form *form,
                  struct problem *problem) MUST_USE;
void csv_scan_deinit(struct csv_scan *scan);
/* Find the next row. window.begin stands at it until csv_scan_pass. */
enum csv_found csv_scan_row(struct csv_scan *scan, err *error, struct problem *problem);
/* Go behind the row. */
void csv_scan_pass(struct csv_scan *scan);
/* Over a sample of a file: whether the end of the sample, and not of the file, ends this row. */
bool csv_scan_is_cut(const struct csv_scan *scan, enum csv_found found);
/* Whether the row has no value at all. */
bool csv_scan_is_blank(const struct csv_scan *scan);
static inline str csv_scan_text(const struct csv_scan *scan)
{
    return str_from_bytes(scan->window.data + scan->window.begin,
                          scan->row_end - scan->window.begin);
}
/* All cells of the row into `cells` (TABLE_COLUMNS_MAX of them); those that had to be changed lie in `scratch`, which is
 * cleared first. */
err csv_cells(const struct csv_scan *scan, struct table_cell *cells,
              struct buffer *scratch) MUST_USE;

#endif
