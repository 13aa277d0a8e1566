/* SPDX-License-Identifier: Apache-2.0 */
/* Text files of any bytes: detection, then reading as it was detected, and as the first byte says. The rows do not
 * depend on the pieces in which the file is read, skipping leads to the same row, and a line that base/json.h takes for
 * an object is one here, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include "table/inside.h"

#define ROWS_MAX 5000

static char path[64];

static void keep_file(const uint8_t *data, size_t size)
{
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("fuzz", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
}

static void check_text(str text, size_t bytes_max)
{
    if (text.size > bytes_max || !str_is_utf8(text))
        abort();
}

static void check_row(const struct table *table, const struct table_row *row, err error)
{
    check_text(row->raw, error == ERR_OK ? TABLE_ROW_BYTES_MAX : 4 * TABLE_RAW_BYTES_MAX);
    if (row->cell_count > TABLE_COLUMNS_MAX || (error == ERR_INVALID && row->cell_count > 0))
        abort();
    for (uint32_t i = 0; i < row->cell_count; i++) {
        check_text(row->cells[i].text, TABLE_CELL_BYTES_MAX);
        if ((row->cells[i].kind == CELL_EMPTY) != (row->cells[i].text.size == 0))
            abort();
    }
    for (uint32_t i = 0; i < table_column_count(table); i++)
        check_text(table_column_name(table, i), 4096);
}

static void check_json(const struct table_row *row, err error)
{
    static struct json_parser *parser;
    json_value root;
    if (parser == NULL && json_parser_new(&parser, 1 << 20) != ERR_OK)
        abort();
    /* what could not be decoded stands in `raw` as this */
    if (str_contains(row->raw, STR("\xEF\xBF\xBD")))
        return;
    if (error == ERR_INVALID && json_parse(parser, row->raw, &root, NULL) == ERR_OK &&
        json_is_object(root))
        abort();
}

/* A hash of all that was read from row `from` on. */
static uint64_t read_file(const struct table_form *form, size_t piece, uint64_t from,
                          uint64_t *rows)
{
    struct table *table = NULL;
    struct table_config config = { .path = path, .form = *form };
    struct table_row row;
    struct problem problem = { .error = ERR_OK };
    err error = table_open_in_pieces(&table, &config, piece, &problem);
    uint64_t hash = (uint64_t)error;
    *rows = 0;
    if (error != ERR_OK)
        return hash;
    if (from > 1 && table_skip_to(table, from, &problem) != ERR_OK)
        abort();
    uint64_t last = from - 1;
    while (last < ROWS_MAX) {
        error = table_next(table, &row, &problem);
        hash = hash * 31 + (uint64_t)error;
        if (error != ERR_OK && error != ERR_INVALID)
            break;
        if (row.number != ++last)
            abort();
        if (piece == 0 && from == 1) {
            check_row(table, &row, error);
            if (form->format == TABLE_JSONL)
                check_json(&row, error);
        }
        hash = hash * 31 + row.line;
        for (uint32_t i = 0; i < row.cell_count; i++)
            hash =
                XXH3_64bits_withSeed(row.cells[i].text.data != NULL ? row.cells[i].text.data : "",
                                     row.cells[i].text.size, hash);
    }
    *rows = last;
    table_close(&table);
    return hash;
}

static void check_form(const struct table_form *form, uint8_t salt)
{
    uint64_t rows, again, part;
    uint64_t whole = read_file(form, 0, 1, &rows);
    if (read_file(form, 1 + salt % 37, 1, &again) != whole || again != rows)
        abort();
    if (rows < 2 || rows >= ROWS_MAX)
        return;
    /* columns that come later may stand in another place after skipping: count rows alone */
    uint64_t from = 1 + salt % rows;
    read_file(form, 0, from, &part);
    if (part != rows)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct table_form form;
    struct problem problem = { .error = ERR_OK };
    if (size < 2)
        return 0;
    uint8_t choice = data[0], salt = data[1];
    keep_file(data + 2, size - 2);
    if (table_detect(path, STR(""), &form, &problem) == ERR_OK &&
        (form.format == TABLE_CSV || form.format == TABLE_JSONL))
        check_form(&form, salt);
    form = (struct table_form){ .format = choice & 1 ? TABLE_JSONL : TABLE_CSV,
                                .encoding = (enum table_encoding)(choice >> 1 & 3),
                                .separator = ",\t;|"[choice >> 3 & 3],
                                .quote = choice & 32 ? '"' : '\0',
                                .header_row = choice >> 6 };
    check_form(&form, salt);
    return 0;
}
