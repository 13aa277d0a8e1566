/* SPDX-License-Identifier: Apache-2.0 */
/* Which mapping a file wants: a preset by its header, or a guess from its first rows. */
#include "mapping/preset.h"

#define PRESET_BYTES_MAX ((size_t)256 << 10)
#define SCORE_GUESSED 30

/* Look at the first rows; one that is bad tells nothing. */
static err look_at_rows(struct table *table, struct guess_column *columns, uint32_t count,
                        struct problem *problem)
{
    struct arena arena;
    struct table_row row;
    err error = ERR_OK;
    arena_init(&arena, "mapping guess", (size_t)4 << 20);
    for (int rows = 0; rows < GUESS_ROWS_MAX && error == ERR_OK; rows++) {
        error = table_next(table, &row, problem);
        for (uint32_t i = 0; error == ERR_OK && i < count && i < row.cell_count; i++)
            guess_cell(&columns[i], &row.cells[i], &arena);
        arena_reset(&arena);
        if (error == ERR_INVALID)
            error = ERR_OK;
    }
    arena_deinit(&arena);
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

static err guess(struct table *table, const str *names, uint32_t count, struct buffer *mapping,
                 int *score, struct problem *problem)
{
    struct guess_column *columns = memory_alloc((count + 1) * sizeof *columns);
    if (columns == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to look at the columns");
    for (uint32_t i = 0; i < count; i++)
        columns[i].name = names[i];
    err error = look_at_rows(table, columns, count, problem);
    if (error == ERR_OK && guess_write(columns, count, mapping))
        *score = SCORE_GUESSED;
    memory_free(columns);
    return error == ERR_OK ? buffer_status(mapping) : error;
}

static err suggest(struct table *table, const str *names, uint32_t count, struct buffer *mapping,
                   struct buffer *preset_key, int *score, struct problem *problem)
{
    struct json_parser *parser = NULL;
    json_value preset;
    err error = json_parser_new(&parser, PRESET_BYTES_MAX);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for presets");
    error = preset_find(parser, names, count, &preset, score, problem);
    if (error == ERR_OK && *score > 0) {
        buffer_append_str(preset_key, json_text(json_get(preset, STR("key"))));
        json_write_value(mapping, json_get(preset, STR("mapping")));
        error = buffer_status(mapping);
    } else if (error == ERR_OK) {
        error = guess(table, names, count, mapping, score, problem);
    }
    json_parser_free(&parser);
    return error;
}

err mapping_suggest(const char *path, const struct table_form *form, struct buffer *mapping,
                    struct buffer *preset_key, int *score, struct problem *problem)
{
    struct table *table = NULL;
    struct table_config config = { .path = path, .form = *form };
    *score = 0;
    err error = table_open(&table, &config, problem);
    if (error != ERR_OK)
        return error;
    uint32_t count = table_column_count(table);
    str *names = memory_alloc((count + 1) * sizeof *names);
    if (names == NULL) {
        table_close(&table);
        return problem_set(problem, ERR_NOMEM, "no memory to look at the columns");
    }
    for (uint32_t i = 0; i < count; i++)
        names[i] = table_column_name(table, i);
    error = suggest(table, names, count, mapping, preset_key, score, problem);
    memory_free(names);
    table_close(&table);
    return error;
}
