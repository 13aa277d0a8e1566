/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the readers of the formats share. Private to table/. */
#ifndef KITH_TABLE_INSIDE_H
#define KITH_TABLE_INSIDE_H

#include "base/arena.h"
#include "table/table.h"

/* How much of a row that is over the limits goes into the report. */
#define TABLE_RAW_BYTES_MAX (64 * 1024)

/* ---- names of columns ---- */

struct names {
    struct arena arena;
    str *names; /* of the arena */
    uint32_t count, capacity;
    uint32_t *slots; /* hash table of 2 * capacity: place + 1; made with the names */
};
void column_names_init(struct names *names);
void column_names_deinit(struct names *names);
/* As table.h says of table_column_name. `name` is what the file has. TOO_LARGE above TABLE_COLUMNS_MAX. */
err names_add(struct names *names, str name, struct problem *problem) MUST_USE;
/* The same for a header: empty ones at its end are no columns. */
err names_add_cells(struct names *names, const struct table_cell *cells, uint32_t count,
                    struct problem *problem) MUST_USE;
/* "column 1" … */
err names_add_numbered(struct names *names, uint32_t count, struct problem *problem) MUST_USE;

/* ---- readers ---- */

struct table {
    uint32_t magic;
    struct table_form form;
    char *path;
    char *program, *library; /* of the configuration: copies, or NULL */
    size_t chunk_bytes;      /* 0: the usual */
    const struct reader *reader;
    void *state; /* the reader's */
    struct names names;
    uint64_t number;    /* of the row given last */
    err ended;          /* not OK: table_next gives this from now on, */
    struct problem end; /* and this */
    uint64_t bytes_total;
    int temporary; /* an unpacked copy of a file that cannot be read as a stream; -1 */
};

/* A format. `open` sets table->state and the names; it cleans up after its own failure. `next` counts
 * table->number on and sets row->number. `skip` passes over rows until table->number is `number` or the end. */
struct reader {
    err (*open)(struct table *table, struct problem *problem);
    void (*close)(struct table *table);
    err (*next)(struct table *table, struct table_row *row, struct problem *problem);
    err (*skip)(struct table *table, uint64_t number, struct problem *problem);
    uint64_t (*bytes_read)(const struct table *table);
};
extern const struct reader csv_reader, jsonl_reader, xlsx_reader, parquet_reader;

/* table_open with pieces of a size of the caller's: tests cut files at every place. */
err table_open_in_pieces(struct table **table, const struct table_config *config,
                         size_t chunk_bytes, struct problem *problem) MUST_USE;

/* ---- small things ---- */

/* STR for tables, whose initialisers must be constant. */
#define TEXT(literal)                                   \
    {                                                   \
        .data = "" literal, .size = sizeof(literal) - 1 \
    }

/* Whether a row is a closing line of the file and not data (合计, 导出时间): its first value is such a word,
 * and it has values for fewer than `columns`. */
bool footer_is(const struct table_cell *cells, uint32_t count, uint32_t columns);
/* `text` with U+FFFD for what is not UTF-8, at most TABLE_RAW_BYTES_MAX. */
void raw_write(struct buffer *out, str text);

#endif
