/* SPDX-License-Identifier: Apache-2.0 */
/* arena and memory: where every byte comes from.
 *
 * Four lifetimes: process, snapshot, batch, request. Each is an arena with a name and a budget
 * that /metrics shows. Running out is ERR_NOMEM or NULL, handled by the caller (503), never an
 * abort. Raw malloc is called nowhere but here; it passes the fault gate (base/fault.h).
 * Under sanitizers an arena turns into one malloc per piece.
 *
 * An arena has one owner thread at a time. `memory_*` may be called from any thread.
 */
#ifndef KITH_BASE_ARENA_H
#define KITH_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct arena_chunk;

struct arena {
    const char *name;           /* static text; arenas of one name are summed in /metrics */
    size_t budget_bytes;        /* more than this is refused */
    size_t used_bytes;          /* held in chunks */
    struct arena_chunk *chunks; /* newest first */
    char *next, *end;           /* free room in the newest chunk */
    size_t *usage;              /* the sum of all arenas of this name, for /metrics */
};

void arena_init(struct arena *arena, const char *name, size_t budget_bytes);
void arena_deinit(struct arena *arena);
/* Forget all pieces; keeps one chunk for reuse. */
void arena_reset(struct arena *arena);
/* Zeroed, aligned for any type; NULL when over budget or out of memory. */
void *arena_alloc(struct arena *arena, size_t size_bytes);
/* Not zeroed. */
void *arena_alloc_raw(struct arena *arena, size_t size_bytes);
#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc_array((arena), sizeof(type), (count)))
void *arena_alloc_array(struct arena *arena, size_t size_bytes,
                        size_t count); /* overflow-checked */
/* Copies; `out->data` is NUL-terminated behind its size. */
err arena_dup(struct arena *arena, str text, str *out) MUST_USE;
err arena_printf(struct arena *arena, str *out, const char *format, ...) MUST_USE
    __attribute__((format(printf, 3, 4)));

/* The heap behind it all. NULL when out of memory. */
void *memory_alloc(size_t size_bytes); /* zeroed */
void *memory_resize(void *piece, size_t size_bytes);
void memory_free(void *piece);
/* Large tables: page-aligned, zeroed on demand, huge pages asked for. */
void *memory_map(size_t size_bytes);
void memory_unmap(void *piece, size_t size_bytes);

/* Call `visit` for every arena name with the bytes held now (any thread). */
void arena_visit_usage(void (*visit)(void *context, const char *name, size_t used_bytes),
                       void *context);

#endif
