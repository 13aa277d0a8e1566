/* SPDX-License-Identifier: Apache-2.0 */
/* keep: what points there are, whether they are whole, and letting old ones go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/inside.h"
#include "base/arena.h"

/* Every point of a folder, newest first; false from `visit` stops. */
static err each_point(const char *folder,
                      err (*visit)(void *context, const struct point *point, size_t place),
                      void *context, struct problem *problem)
{
    size_t count = 0;
    uint32_t *numbers = memory_alloc(POINTS_MAX * sizeof *numbers);
    if (numbers == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory for the list of points");
    err error = points_find(folder, numbers, POINTS_MAX, &count, problem);
    for (size_t i = 0; i < count && error == ERR_OK; i++) {
        struct point point;
        error = point_read(folder, numbers[count - 1 - i], &point, problem);
        if (error == ERR_OK)
            error = visit(context, &point, i);
        point_deinit(&point);
    }
    memory_free(numbers);
    return error;
}

/* ---- list ---- */

static err list_point(void *context, const struct point *point, size_t place)
{
    struct json_writer *writer = context;
    (void)place;
    json_begin_object(writer);
    point_describe(point, writer);
    json_end_object(writer);
    return ERR_OK;
}

err backup_list(const char *folder, struct buffer *out, struct problem *problem)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    err error = each_point(folder, list_point, &writer, problem);
    json_end_array(&writer);
    return error == ERR_OK ? buffer_status(out) : error;
}

/* ---- names: an open hash of the pieces that points name ---- */

struct names {
    char (*slots)[PIECE_NAME_BYTES];
    size_t capacity, count; /* a power of two, at most half full */
};

static size_t place_of(const struct names *names, const char *name)
{
    char head[17];
    snprintf(head, sizeof head, "%.16s", name); /* the name is a hash already */
    size_t place = (size_t)strtoull(head, NULL, 16) & (names->capacity - 1);
    while (names->slots[place][0] != '\0' && strcmp(names->slots[place], name) != 0)
        place = (place + 1) & (names->capacity - 1);
    return place;
}

static err names_grow(struct names *names)
{
    struct names grown = { .capacity = names->capacity == 0 ? 4096 : names->capacity * 2,
                           .count = names->count };
    grown.slots = memory_alloc(grown.capacity * sizeof *grown.slots);
    if (grown.slots == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < names->capacity; i++)
        if (names->slots[i][0] != '\0')
            memcpy(grown.slots[place_of(&grown, names->slots[i])], names->slots[i],
                   PIECE_NAME_BYTES);
    memory_free(names->slots);
    *names = grown;
    return ERR_OK;
}

static err names_add(struct names *names, str name)
{
    char text[PIECE_NAME_BYTES];
    snprintf(text, sizeof text, STR_FMT, STR_ARG(name));
    err error = names->count * 2 >= names->capacity ? names_grow(names) : ERR_OK;
    if (error != ERR_OK || text[0] == '\0')
        return error;
    size_t place = place_of(names, text);
    if (names->slots[place][0] == '\0')
        names->count++;
    memcpy(names->slots[place], text, sizeof text);
    return ERR_OK;
}

static bool names_has(const struct names *names, const char *name)
{
    return names->capacity > 0 && names->slots[place_of(names, name)][0] != '\0';
}

static err add_pieces(struct names *names, json_value list)
{
    struct json_iterator pieces = json_iterate(list);
    json_value name;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&pieces, NULL, &name))
        error = names_add(names, json_text(name));
    return error;
}

static err names_of(void *context, const struct point *point, size_t place)
{
    struct names *names = context;
    (void)place;
    err error = ERR_OK;
    for (size_t i = 0; i < point->span_count && error == ERR_OK; i++)
        error = names_add(names, str_from_c(point->spans[i].piece));
    struct json_iterator files = json_iterate(point->list);
    json_value file;
    while (error == ERR_OK && json_next(&files, NULL, &file))
        error = add_pieces(names, json_get(file, STR("pieces")));
    return error;
}

/* ---- verify ---- */

err backup_verify(const char *folder, uint64_t *pieces_count, uint64_t *bytes,
                  struct problem *problem)
{
    struct pieces pieces;
    struct names names = { .count = 0 };
    struct buffer piece;
    buffer_init(&piece, (size_t)1 << 30);
    *pieces_count = *bytes = 0;
    err error = pieces_open(&pieces, folder, false, problem);
    if (error == ERR_OK)
        error = each_point(folder, names_of, &names, problem);
    for (size_t i = 0; i < names.capacity && error == ERR_OK; i++) {
        if (names.slots[i][0] == '\0')
            continue;
        buffer_clear(&piece);
        error = pieces_get(&pieces, str_from_c(names.slots[i]), &piece, problem);
        (*pieces_count)++;
        *bytes += piece.size;
    }
    pieces_close(&pieces);
    memory_free(names.slots);
    buffer_deinit(&piece);
    return error;
}

/* ---- prune ---- */

struct prune {
    struct pieces pieces;
    struct names names; /* of the points that stay */
    uint32_t keep, removed;
    uint64_t freed_bytes;
    struct problem *problem;
};

static err keep_or_remove(void *context, const struct point *point, size_t place)
{
    struct prune *prune = context;
    char path[PATH_MAX + 64];
    if (place < prune->keep)
        return names_of(&prune->names, point, place);
    snprintf(path, sizeof path, "%s/points/%06u.json", prune->pieces.folder, point->number);
    if (unlink(path) != 0)
        return problem_set(prune->problem, ERR_IO, "cannot remove '%s'", path);
    prune->removed++;
    return ERR_OK;
}

static err sweep(void *context, const char *name, const char *path, uint64_t size)
{
    struct prune *prune = context;
    if (strlen(name) == PIECE_NAME_BYTES - 1 && names_has(&prune->names, name))
        return ERR_OK;
    if (unlink(path) != 0)
        return problem_set(prune->problem, ERR_IO, "cannot remove '%s'", path);
    prune->freed_bytes += size;
    return ERR_OK;
}

err backup_prune(const char *folder, uint32_t keep, uint32_t *removed, uint64_t *freed_bytes,
                 struct problem *problem)
{
    struct prune prune = { .keep = keep, .problem = problem };
    if (keep == 0)
        return problem_set(problem, ERR_INVALID, "at least one point has to stay");
    /* It is there, or a folder would be made of a mistyped name. */
    err error = pieces_open(&prune.pieces, folder, false, problem);
    if (error == ERR_OK) {
        pieces_close(&prune.pieces);
        error = pieces_open(&prune.pieces, folder, true, problem);
    }
    if (error == ERR_OK)
        error = each_point(folder, keep_or_remove, &prune, problem);
    if (error == ERR_OK)
        error = pieces_visit(&prune.pieces, sweep, &prune, problem);
    pieces_close(&prune.pieces);
    memory_free(prune.names.slots);
    *removed = prune.removed;
    *freed_bytes = prune.freed_bytes;
    return error;
}
