/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas as lists of chunks, and the heap under them. The only file that calls malloc. */
#include "base/arena.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_PIECEWISE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_PIECEWISE 1
#endif
#endif
#ifndef ARENA_PIECEWISE
#define ARENA_PIECEWISE 0
#endif
#if ARENA_PIECEWISE
#include <sanitizer/lsan_interface.h>
#endif

#define CHUNK_BYTES_MIN ((size_t)4096)
#define CHUNK_BYTES_MAX ((size_t)1 << 20)
#define PIECE_ALIGNMENT alignof(max_align_t)
#define HUGE_PAGE_BYTES ((size_t)2 << 20)

/* One malloc: this head, then the pieces. */
struct arena_chunk {
    struct arena_chunk *older;
    size_t size_bytes; /* head included */
};

#define CHUNK_HEAD_BYTES \
    ((sizeof(struct arena_chunk) + PIECE_ALIGNMENT - 1) / PIECE_ALIGNMENT * PIECE_ALIGNMENT)

/* What arenas of one name hold together. Rows are only ever added; names are static text. */
#define USAGE_NAMES_MAX 64
static struct usage {
    const char *name;
    size_t used_bytes;
} usage_rows[USAGE_NAMES_MAX];
static size_t usage_count;
static pthread_mutex_t usage_mutex = PTHREAD_MUTEX_INITIALIZER;

static size_t *usage_of_name(const char *name)
{
    pthread_mutex_lock(&usage_mutex);
    size_t row = 0;
    while (row < usage_count && strcmp(usage_rows[row].name, name) != 0)
        row++;
    /* More names than rows is a mistake of the programmer: arenas are few and named by hand. */
    INVARIANT(row < USAGE_NAMES_MAX);
    if (row == usage_count) {
        usage_rows[row].name = name;
        __atomic_store_n(&usage_count, usage_count + 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&usage_mutex);
    return &usage_rows[row].used_bytes;
}

void arena_visit_usage(void (*visit)(void *context, const char *name, size_t used_bytes),
                       void *context)
{
    size_t count = __atomic_load_n(&usage_count, __ATOMIC_ACQUIRE);
    for (size_t row = 0; row < count; row++)
        visit(context, usage_rows[row].name,
              __atomic_load_n(&usage_rows[row].used_bytes, __ATOMIC_RELAXED));
}

void arena_init(struct arena *arena, const char *name, size_t budget_bytes)
{
    *arena = (struct arena){
        .name = name,
        .budget_bytes = budget_bytes,
        .usage = usage_of_name(name),
    };
}

static void arena_free_chunk(struct arena *arena, struct arena_chunk *chunk)
{
    arena->used_bytes -= chunk->size_bytes;
    __atomic_fetch_sub(arena->usage, chunk->size_bytes, __ATOMIC_RELAXED);
    free(chunk);
}

static void arena_free_chunks_but(struct arena *arena, struct arena_chunk *keep)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;
        if (chunk != keep)
            arena_free_chunk(arena, chunk);
        chunk = older;
    }
    arena->chunks = keep;
    arena->next = arena->end = NULL;
    if (keep != NULL) {
        keep->older = NULL;
        arena->next = (char *)keep + CHUNK_HEAD_BYTES;
        arena->end = (char *)keep + keep->size_bytes;
    }
}

void arena_deinit(struct arena *arena)
{
    arena_free_chunks_but(arena, NULL);
    INVARIANT(arena->used_bytes == 0);
}

void arena_reset(struct arena *arena)
{
    /* The newest is the largest of the ordinary ones; what was made for one big piece goes. */
    struct arena_chunk *keep = ARENA_PIECEWISE ? NULL : arena->chunks;
    if (keep != NULL && keep->size_bytes > CHUNK_BYTES_MAX)
        keep = NULL;
    arena_free_chunks_but(arena, keep);
}

/* Bytes of the next chunk: doubling, at least what the piece needs, at most what the budget has. */
static size_t arena_chunk_bytes(const struct arena *arena, size_t needed)
{
    size_t left = arena->budget_bytes - arena->used_bytes;
    if (ARENA_PIECEWISE)
        return needed;
    size_t size = arena->chunks != NULL ? arena->chunks->size_bytes * 2 : CHUNK_BYTES_MIN;
    if (size > CHUNK_BYTES_MAX)
        size = CHUNK_BYTES_MAX;
    if (size > left)
        size = left;
    return size > needed ? size : needed;
}

static bool arena_add_chunk(struct arena *arena, size_t piece_bytes)
{
    size_t needed = CHUNK_HEAD_BYTES + piece_bytes;
    if (needed > arena->budget_bytes - arena->used_bytes)
        return false;
    size_t size = arena_chunk_bytes(arena, needed);
    if (fault_fires(FAULT_MEMORY))
        return false;
    struct arena_chunk *chunk = malloc(size);
    if (chunk == NULL)
        return false;
    *chunk = (struct arena_chunk){ .older = arena->chunks, .size_bytes = size };
    arena->chunks = chunk;
    arena->next = (char *)chunk + CHUNK_HEAD_BYTES;
    arena->end = (char *)chunk + size;
    arena->used_bytes += size;
    __atomic_fetch_add(arena->usage, size, __ATOMIC_RELAXED);
    return true;
}

void *arena_alloc_raw(struct arena *arena, size_t size_bytes)
{
    /* Nothing larger than the budget gets past here, so that rounding cannot overflow. */
    if (size_bytes > arena->budget_bytes)
        return NULL;
    size_t rounded = (size_bytes + PIECE_ALIGNMENT - 1) / PIECE_ALIGNMENT * PIECE_ALIGNMENT;
    if (size_bytes == 0)
        rounded = PIECE_ALIGNMENT;
    /* A sanitizer sees the end of a piece only when it is the end of a malloc. */
    size_t taken = ARENA_PIECEWISE && size_bytes > 0 ? size_bytes : rounded;
    if (taken > (size_t)(arena->end - arena->next) && !arena_add_chunk(arena, taken))
        return NULL;
    void *piece = arena->next;
    arena->next += taken;
    if (ARENA_PIECEWISE)
        arena->next = arena->end;
    return piece;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    void *piece = arena_alloc_raw(arena, size_bytes);
    if (piece != NULL)
        memset(piece, 0, size_bytes);
    return piece;
}

void *arena_alloc_array(struct arena *arena, size_t size_bytes, size_t count)
{
    size_t total_bytes;
    if (__builtin_mul_overflow(size_bytes, count, &total_bytes))
        return NULL;
    return arena_alloc(arena, total_bytes);
}

err arena_dup(struct arena *arena, str text, str *out)
{
    char *copy = text.size < SIZE_MAX ? arena_alloc_raw(arena, text.size + 1) : NULL;
    if (copy == NULL)
        return ERR_NOMEM;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *out = str_from_bytes(copy, text.size);
    return ERR_OK;
}

err arena_printf(struct arena *arena, str *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0)
        return ERR_INVALID;
    char *text = arena_alloc_raw(arena, (size_t)length + 1);
    if (text == NULL)
        return ERR_NOMEM;
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    *out = str_from_bytes(text, (size_t)length);
    return ERR_OK;
}

void *memory_alloc(size_t size_bytes)
{
    if (fault_fires(FAULT_MEMORY))
        return NULL;
    return calloc(1, size_bytes > 0 ? size_bytes : 1);
}

void *memory_resize(void *piece, size_t size_bytes)
{
    if (fault_fires(FAULT_MEMORY))
        return NULL;
    return realloc(piece, size_bytes > 0 ? size_bytes : 1);
}

void memory_free(void *piece)
{
    free(piece);
}

void *memory_map(size_t size_bytes)
{
    if (size_bytes == 0 || fault_fires(FAULT_MEMORY))
        return NULL;
    void *piece = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (piece == MAP_FAILED)
        return NULL;
    /* A look-up in a table of gigabytes misses the TLB on small pages. Only a wish: no error. */
    if (size_bytes >= HUGE_PAGE_BYTES)
        (void)madvise(piece, size_bytes, MADV_HUGEPAGE);
#if ARENA_PIECEWISE
    __lsan_register_root_region(piece, size_bytes); /* what only a map points to is no leak */
#endif
    return piece;
}

void memory_unmap(void *piece, size_t size_bytes)
{
    if (piece == NULL)
        return;
#if ARENA_PIECEWISE
    __lsan_unregister_root_region(piece, size_bytes);
#endif
    (void)munmap(piece, size_bytes);
}
