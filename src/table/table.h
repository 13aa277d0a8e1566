/* SPDX-License-Identifier: Apache-2.0 */
/* table: rows out of files. CSV and TSV in any encoding, Excel, JSON lines, Parquet; plain, gzip or zstd.
 *
 *     bytes ─▶ unpack ─▶ (decode to UTF-8) ─▶ rows of cells
 *
 * A reader streams: its memory does not grow with the file. What is wrong with a row is told with its place
 * and does not stop the rows after it, as far as the format lets one find them.
 *
 * Invariants
 *   B1 cells are UTF-8 text as the file has them: 19-digit numbers and leading zeros stay; a cell of a typed
 *      format (Excel, Parquet, JSON) says its kind beside the text.
 *   B2 the same file gives the same rows, with the same numbers, every time: a job goes on by row number.
 *   B3 limits hold before memory is taken: bytes of a row and a cell, columns, ratio of unpacking.
 *
 * A reader belongs to one thread.
 */
#ifndef KITH_TABLE_TABLE_H
#define KITH_TABLE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

#define TABLE_COLUMNS_MAX 2000
#define TABLE_ROW_BYTES_MAX (16 * 1024 * 1024)
#define TABLE_CELL_BYTES_MAX (4 * 1024 * 1024)
#define TABLE_UNPACK_RATIO_MAX 200 /* and 100 MB are always allowed */

enum table_format { TABLE_CSV = 1, TABLE_XLSX, TABLE_JSONL, TABLE_PARQUET };
enum table_packing { TABLE_PLAIN, TABLE_GZIP, TABLE_ZSTD };
enum table_encoding {
    TABLE_UTF8,
    TABLE_GB18030,
    TABLE_UTF16LE,
    TABLE_UTF16BE,
    TABLE_WINDOWS1252 /* Latin-1 with the signs that Windows has in between */
};

/* What kind of value a cell's text is. CSV knows EMPTY, TEXT and GUARDED alone: what guards a text against Excel
 * (="0123", a leading tab, an apostrophe before digits) is taken off, and its digits are as they were written. NUMBER: decimal text without exponent where
 * that loses nothing. TIME: RFC 3339, local "2024-01-05 08:03:01" where the file says no zone, a day "2024-01-05"
 * where it says no time of day. JSON: a list, as JSON. LOST: a value that the file has lost: a number whose digits
 * Excel rounded (1.23E+17, beyond 2^53), an error (#N/A); text as it is. */
enum cell_kind {
    CELL_EMPTY,
    CELL_TEXT,
    CELL_NUMBER,
    CELL_BOOL,
    CELL_TIME,
    CELL_JSON,
    CELL_LOST,
    CELL_GUARDED
};
struct table_cell {
    enum cell_kind kind;
    str text;
};

/* How to read a file: found by table_detect, changed by people, kept with the mapping. */
struct table_form {
    enum table_format format;
    enum table_packing packing;
    enum table_encoding encoding; /* CSV, JSON lines */
    char separator;               /* CSV */
    char quote;                   /* CSV; 0: none */
    /* 1-based row that has the names, empty rows counted (Excel: row of the sheet); 0: none, columns are "column 1" … */
    uint32_t header_row;
    uint32_t sheet;  /* Excel: 0-based */
    uint32_t sheets; /* Excel: how many there are */
};
/* Look at the beginning (up to 1 MB, unpacked). `hint` is the file's name or "". UNSUPPORTED, with the cure, for what
 * it is not: old .xls, password, HTML that calls itself .xls, binary. Password-protected files are told as such. */
err table_detect(const char *path, str hint, struct table_form *form,
                 struct problem *problem) MUST_USE;
/* {format, packing, encoding, separator, quote, header_row, sheet, sheets} both ways. Reading: what is missing stays as
 * it is in `form`; INVALID names the member. */
void table_form_write(const struct table_form *form, struct buffer *out);
err table_form_read(json_value json, struct table_form *form, struct problem *problem) MUST_USE;
/* Excel: the names of the sheets, in their order, as a JSON array; [] for other formats. */
err table_sheets_write(const char *path, const struct table_form *form, struct buffer *out,
                       struct problem *problem) MUST_USE;

struct table;
struct table_config {
    const char *path;
    struct table_form form;
    const char *
        program; /* Parquet: the kith binary that reads it in a process of its own; NULL: this one */
    const char *library; /* path of libchdb.so; NULL: found beside the program */
};
err table_open(struct table **table, const struct table_config *config,
               struct problem *problem) MUST_USE;
void table_close(struct table **table);

/* The names: trimmed, full-width brackets made half-width, duplicates numbered ("name", "name (2)"), "column 3" where
 * there is none. Borrowed until close. JSON lines: the keys of the first 1,000 rows, those of nested objects dotted
 * ("traits.phone"); a key that first comes later adds a column at the end, so the count may grow with table_next. */
uint32_t table_column_count(const struct table *table);
str table_column_name(const struct table *table, uint32_t column);

struct table_row {
    uint64_t number; /* 1-based place among the data rows; gaps where a row was refused */
    uint64_t line;   /* of the file (Excel: row of the sheet), 1-based, where it begins; 0: none */
    uint32_t cell_count; /* ragged rows: fewer or more than the columns */
    const struct table_cell *cells;
    /* As the file has it, in UTF-8 (bad bytes as U+FFFD, at most 64 KB of what is over the limits): for the report of
     * refused rows. Excel: cells with tabs between. Parquet: TabSeparated. */
    str raw;
    bool footer; /* with INVALID: not data but a closing line of the file (合计, 总计, 导出时间) */
};
/* The next row, borrowed until the next call. NOT_FOUND at the end. INVALID: this row is bad (`problem` says why,
 * row->number, line and raw are set) and reading may go on. Any other error ends the file here (a torn gzip, a changed
 * file) and is given again by every further call. Rows without any value are passed over and have no number. */
err table_next(struct table *table, struct table_row *row, struct problem *problem) MUST_USE;
/* Pass over rows without cutting them into cells, until the next is `number` (resume). UNPROCESSABLE: it has passed.
 * CONFLICT: the file has fewer rows than that and one. JSON lines: keys in rows that are passed over make no columns. */
err table_skip_to(struct table *table, uint64_t number, struct problem *problem) MUST_USE;

/* The process `kith read-parquet`, which table_open starts for a Parquet file: chDB reads it there, within limits, and
 * rows come over a pipe (docs/formats/files.md). argv[0] is not read. Returns the exit code. Main thread. */
int table_parquet_main(int argc, char **argv);

/* Progress: bytes of the file taken, and its size. */
uint64_t table_bytes_read(const struct table *table);
uint64_t table_bytes_total(const struct table *table);

#endif
