/* SPDX-License-Identifier: Apache-2.0 */
/* names: what columns are called, each name once. */
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "table/inside.h"

#define NAMES_BUDGET_BYTES (16u * 1024 * 1024)
/* A cell of a broken header may be megabytes; a name is for people. */
#define NAME_BYTES_MAX 1024

void column_names_init(struct names *names)
{
    memset(names, 0, sizeof(*names));
    arena_init(&names->arena, "table_names", NAMES_BUDGET_BYTES);
}

void column_names_deinit(struct names *names)
{
    arena_deinit(&names->arena);
    names->count = names->capacity = 0;
}

static uint32_t *slot_of(const struct names *names, str name)
{
    uint32_t mask = 2 * names->capacity - 1;
    uint32_t slot = (uint32_t)XXH3_64bits(name.data, name.size) & mask;
    while (names->slots[slot] != 0 && !str_equal(names->names[names->slots[slot] - 1], name))
        slot = (slot + 1) & mask;
    return &names->slots[slot];
}

static err grow(struct names *names)
{
    if (names->count < names->capacity)
        return ERR_OK;
    uint32_t capacity = names->capacity > 0 ? 2 * names->capacity : 64;
    str *grown = arena_array(&names->arena, str, capacity);
    names->slots = arena_array(&names->arena, uint32_t, (size_t)2 * capacity);
    if (grown == NULL || names->slots == NULL)
        return ERR_NOMEM;
    if (names->count > 0)
        memcpy(grown, names->names, names->count * sizeof(str));
    names->names = grown;
    names->capacity = capacity;
    for (uint32_t i = 0; i < names->count; i++)
        *slot_of(names, names->names[i]) = i + 1;
    return ERR_OK;
}

/* Full-width brackets become half-width, line breaks and tabs in a header cell one space. */
static str tidy(str name, char *out)
{
    static const str brackets[] = { TEXT("（"), TEXT("）") };
    size_t size = 0;
    name = str_trim(str_slice(name, 0, str_utf8_prefix_bytes(name, NAME_BYTES_MAX)));
    for (size_t at = 0; at < name.size;) {
        str rest = str_slice(name, at, name.size);
        bool open = str_starts_with(rest, brackets[0]);
        if (open || str_starts_with(rest, brackets[1])) {
            out[size++] = open ? '(' : ')';
            at += brackets[0].size;
            continue;
        }
        bool space = (unsigned char)name.data[at] < ' ';
        if (!space || size == 0 || out[size - 1] != ' ')
            out[size++] = space ? ' ' : name.data[at];
        at++;
    }
    return str_from_bytes(out, size);
}

static err add_exactly(struct names *names, str name)
{
    str kept;
    err error = grow(names);
    if (error == ERR_OK)
        error = arena_dup(&names->arena, name, &kept);
    if (error != ERR_OK)
        return error;
    names->names[names->count] = kept;
    *slot_of(names, kept) = ++names->count;
    return ERR_OK;
}

static bool is_taken(const struct names *names, str name)
{
    return names->capacity > 0 && *slot_of(names, name) != 0;
}

err names_add(struct names *names, str name, struct problem *problem)
{
    char text[NAME_BYTES_MAX + 32], numbered[NAME_BYTES_MAX + 64];
    if (names->count == TABLE_COLUMNS_MAX) {
        problem_set(problem, ERR_TOO_LARGE, "the file has more than %d columns", TABLE_COLUMNS_MAX);
        return problem_hint(problem, ERR_TOO_LARGE,
                            "is the separator right? otherwise leave columns out of the export");
    }
    str tidied = tidy(name, text);
    if (tidied.size == 0)
        tidied.size = (size_t)snprintf(text, sizeof(text), "column %u", names->count + 1);
    str unique = tidied;
    for (unsigned again = 2; is_taken(names, unique); again++) {
        int size = snprintf(numbered, sizeof(numbered), STR_FMT " (%u)", STR_ARG(tidied), again);
        unique = str_from_bytes(numbered, (size_t)size);
    }
    err error = add_exactly(names, unique);
    return error == ERR_OK ? ERR_OK
                           : problem_set(problem, error, "no memory for the names of the columns");
}

err names_add_cells(struct names *names, const struct table_cell *cells, uint32_t count,
                    struct problem *problem)
{
    while (count > 0 && str_trim(cells[count - 1].text).size == 0)
        count--;
    for (uint32_t i = 0; i < count; i++) {
        err error = names_add(names, cells[i].text, problem);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

err names_add_numbered(struct names *names, uint32_t count, struct problem *problem)
{
    for (uint32_t i = 0; i < count; i++) {
        err error = names_add(names, STR_NONE, problem);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}
