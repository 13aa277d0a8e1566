/* SPDX-License-Identifier: Apache-2.0 */
/* Files for the tests of table/: golden ones, written ones, and all their rows as text. */
#ifndef KITH_TESTS_UNIT_TABLE_FILE_H
#define KITH_TESTS_UNIT_TABLE_FILE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "table/inside.h"

static inline void golden_path(const char *name, char out[512])
{
    snprintf(out, 512, "%s/tests/golden/table/%s", KITH_SOURCE_DIR, name);
}

static inline void golden_text(const char *name, struct buffer *out)
{
    char path[512], bytes[65536];
    golden_path(name, path);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t count;
    while ((count = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buffer_append(out, bytes, count);
    fclose(file);
}

/* A file of these bytes in a folder of its own; remove_file removes both. */
static inline void write_file(char path[512], const char *name, str bytes)
{
    char folder[] = "/tmp/kith-table-XXXXXX";
    assert_non_null(mkdtemp(folder));
    snprintf(path, 512, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    if (bytes.size > 0)
        assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

static inline void remove_file(const char *path)
{
    char folder[512];
    unlink(path);
    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
    rmdir(folder);
}

/* Rows as text: a line with the names, then one for each row, as JSON: [number, line, ["cell", …]]; kinds other than
 * TEXT, GUARDED and EMPTY are told as {"n": "12"} (number), b, t, j, x (lost). A refused row is [number, line, "detail"]; an error
 * of the file is "! detail". */
static inline void put_cell(struct json_writer *writer, const struct table_cell *cell)
{
    static const char *const kinds[] = { "", "", "n", "b", "t", "j", "x", "" };
    const char *kind = kinds[cell->kind];
    if (kind[0] == '\0') {
        json_put_text(writer, cell->text);
        return;
    }
    json_begin_object(writer);
    json_member_text(writer, str_from_c(kind), cell->text);
    json_end_object(writer);
}

static inline void put_names(const struct table *table, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 0; i < table_column_count(table); i++)
        json_put_text(&writer, table_column_name(table, i));
    json_end_array(&writer);
    buffer_append_byte(out, '\n');
}

static inline void put_row(const struct table_row *row, const char *refused, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    json_put_uint(&writer, row->number);
    json_put_uint(&writer, row->line);
    if (refused != NULL) {
        json_put_text(&writer, str_from_c(refused));
    } else {
        json_begin_array(&writer);
        for (uint32_t i = 0; i < row->cell_count; i++)
            put_cell(&writer, &row->cells[i]);
        json_end_array(&writer);
    }
    json_end_array(&writer);
    buffer_append_byte(out, '\n');
}

/* In pieces of `piece` bytes; 0: the usual. `program` reads Parquet; NULL: this one. */
static inline void read_by(const char *program, const char *path, const struct table_form *form,
                           size_t piece, struct buffer *out)
{
    struct table *table = NULL;
    struct table_config config = { .path = path, .form = *form, .program = program };
    struct problem problem = { .error = ERR_OK };
    struct table_row row;
    if (table_open_in_pieces(&table, &config, piece, &problem) != ERR_OK) {
        buffer_printf(out, "! %s\n", problem.detail);
        return;
    }
    put_names(table, out);
    for (;;) {
        err error = table_next(table, &row, &problem);
        if (error == ERR_NOT_FOUND)
            break;
        if (error != ERR_OK && error != ERR_INVALID) {
            buffer_printf(out, "! %s\n", problem.detail);
            break;
        }
        put_row(&row, error == ERR_INVALID ? problem.detail : NULL, out);
    }
    table_close(&table);
}

static inline void read_with(const char *path, const struct table_form *form, size_t piece,
                             struct buffer *out)
{
    read_by(NULL, path, form, piece, out);
}

/* As it is detected. */
static inline void read_all(const char *path, size_t piece, struct buffer *out)
{
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    if (table_detect(path, STR(""), &form, &problem) != ERR_OK)
        buffer_printf(out, "! %s\n", problem.detail);
    else
        read_with(path, &form, piece, out);
}

#endif
