/* SPDX-License-Identifier: Apache-2.0 */
/* table: the readers of all formats behind one face. */
#include "table/table.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table/inside.h"

#define MAGIC 0x7AB1E001u

static const struct reader *reader_of(enum table_format format)
{
    switch (format) {
    case TABLE_CSV:
        return &csv_reader;
    case TABLE_JSONL:
        return &jsonl_reader;
    case TABLE_XLSX:
        return &xlsx_reader;
    case TABLE_PARQUET:
        return &parquet_reader;
    }
    return NULL;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_alloc(size);
    if (copy != NULL)
        memcpy(copy, text, size);
    return copy;
}

static err copy_config(struct table *table, const struct table_config *config)
{
    table->form = config->form;
    table->path = copy_text(config->path);
    table->program = config->program != NULL ? copy_text(config->program) : NULL;
    table->library = config->library != NULL ? copy_text(config->library) : NULL;
    bool fine = table->path != NULL && (config->program == NULL || table->program != NULL) &&
                (config->library == NULL || table->library != NULL);
    return fine ? ERR_OK : ERR_NOMEM;
}

static err find_size(struct table *table, struct problem *problem)
{
    struct stat info;
    if (stat(table->path, &info) != 0)
        return problem_set(problem, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                           "the file cannot be opened: %s", strerror(errno));
    table->bytes_total = (uint64_t)info.st_size;
    return ERR_OK;
}

err table_open_in_pieces(struct table **out, const struct table_config *config, size_t chunk_bytes,
                         struct problem *problem)
{
    const struct reader *reader = reader_of(config->form.format);
    if (reader == NULL)
        return problem_set(problem, ERR_INVALID, "there is no file format %d",
                           (int)config->form.format);
    struct table *table = memory_alloc(sizeof(*table));
    if (table == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to read a file");
    table->magic = MAGIC;
    table->temporary = -1;
    table->chunk_bytes = chunk_bytes;
    table->reader = reader;
    column_names_init(&table->names);
    err error = copy_config(table, config);
    if (error != ERR_OK)
        problem_set(problem, error, "no memory to read a file");
    if (error == ERR_OK)
        error = find_size(table, problem);
    if (error == ERR_OK)
        error = reader->open(table, problem);
    if (error != ERR_OK)
        table_close(&table);
    else
        *out = table;
    return error;
}

err table_open(struct table **table, const struct table_config *config, struct problem *problem)
{
    return table_open_in_pieces(table, config, 0, problem);
}

void table_close(struct table **out)
{
    struct table *table = *out;
    if (table == NULL)
        return;
    INVARIANT(table->magic == MAGIC);
    if (table->state != NULL)
        table->reader->close(table);
    column_names_deinit(&table->names);
    if (table->temporary >= 0)
        close(table->temporary);
    memory_free(table->path);
    memory_free(table->program);
    memory_free(table->library);
    table->magic = 0;
    memory_free(table);
    *out = NULL;
}

uint32_t table_column_count(const struct table *table)
{
    INVARIANT(table->magic == MAGIC);
    return table->names.count;
}

str table_column_name(const struct table *table, uint32_t column)
{
    return column < table->names.count ? table->names.names[column] : STR_NONE;
}

/* The end is the end, however often one asks. */
static err keep_end(struct table *table, err error, struct problem *problem)
{
    if (error == ERR_OK || error == ERR_INVALID)
        return error;
    table->ended = error;
    if (problem != NULL)
        table->end = *problem;
    return error;
}

static err give_end(const struct table *table, struct problem *problem)
{
    if (problem != NULL)
        *problem = table->end;
    return table->ended;
}

err table_next(struct table *table, struct table_row *row, struct problem *problem)
{
    INVARIANT(table->magic == MAGIC);
    struct problem own = { .error = ERR_OK };
    struct problem *told = problem != NULL ? problem : &own;
    memset(row, 0, sizeof(*row));
    if (table->ended != ERR_OK)
        return give_end(table, problem);
    err error = table->reader->next(table, row, told);
    if (error == ERR_NOT_FOUND)
        problem_set(told, ERR_NOT_FOUND, "the file has no more rows");
    return keep_end(table, error, told);
}

err table_skip_to(struct table *table, uint64_t number, struct problem *problem)
{
    INVARIANT(table->magic == MAGIC);
    struct problem own = { .error = ERR_OK };
    struct problem *told = problem != NULL ? problem : &own;
    if (table->ended != ERR_OK)
        return give_end(table, problem);
    if (number <= table->number)
        return problem_set(problem, ERR_UNPROCESSABLE, "row %llu has passed; the next one is %llu",
                           (unsigned long long)number, (unsigned long long)table->number + 1);
    err error = number - 1 > table->number ? table->reader->skip(table, number - 1, told) : ERR_OK;
    if (error == ERR_OK && table->number < number - 1) {
        problem_set(told, ERR_CONFLICT, "the file has %llu rows; it cannot go on at row %llu",
                    (unsigned long long)table->number, (unsigned long long)number);
        error = problem_hint(told, ERR_CONFLICT, "it is not the file that was begun with");
    }
    return keep_end(table, error, told);
}

uint64_t table_bytes_read(const struct table *table)
{
    uint64_t bytes = table->reader->bytes_read(table);
    return bytes < table->bytes_total ? bytes : table->bytes_total;
}

uint64_t table_bytes_total(const struct table *table)
{
    return table->bytes_total;
}
