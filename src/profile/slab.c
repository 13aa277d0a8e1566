/* SPDX-License-Identifier: Apache-2.0 */
/* slab: classes, chunks and free lists. */
#include "profile/slab.h"

#include <string.h>

#include "base/arena.h"

#define CHUNK_BYTES ((size_t)1 << SLAB_CHUNK_BITS)
#define SMALL_MAX ((size_t)128)

/* 8, 16, … 128; then 144, 160, … 256; 288, … 512; and so on. */
static unsigned class_of(size_t size, size_t *capacity)
{
    if (size <= SMALL_MAX) {
        unsigned small = size == 0 ? 0 : (unsigned)((size - 1) / 8);
        *capacity = ((size_t)small + 1) * 8;
        return small;
    }
    unsigned log = 63u - (unsigned)__builtin_clzll((unsigned long long)(size - 1));
    size_t step = (size_t)1 << (log - 3);
    size_t steps = (size - 1 - ((size_t)1 << log)) / step;
    *capacity = ((size_t)1 << log) + (steps + 1) * step;
    return 16 + (log - 7) * 8 + (unsigned)steps;
}

size_t slab_capacity(size_t size)
{
    size_t capacity;
    class_of(size, &capacity);
    return capacity;
}

err slab_init(struct slab *slab)
{
    *slab = (struct slab){ .chunk_count = 0 };
    slab->chunks = memory_map(SLAB_CHUNKS_MAX * sizeof(*slab->chunks));
    return slab->chunks != NULL ? ERR_OK : ERR_NOMEM;
}

void slab_deinit(struct slab *slab)
{
    for (uint32_t i = 1; i < slab->chunk_count; i++)
        memory_unmap(slab->chunks[i], CHUNK_BYTES);
    if (slab->chunk_count > 0)
        memory_free(slab->chunks[0]);
    memory_unmap(slab->chunks, SLAB_CHUNKS_MAX * sizeof(*slab->chunks));
    *slab = (struct slab){ .chunk_count = 0 };
}

static void put_free(struct slab *slab, unsigned class, uint32_t handle)
{
    memcpy(slab_at(slab, handle), &slab->free[class], sizeof(uint32_t));
    slab->free[class] = handle;
}

/* The rest of the newest chunk, as the largest small pieces that fit. */
static void give_rest(struct slab *slab)
{
    while (slab->end - slab->next >= 8) {
        size_t rest = slab->end - slab->next, capacity;
        unsigned class = class_of(rest < SMALL_MAX ? rest / 8 * 8 : SMALL_MAX, &capacity);
        put_free(slab, class, (uint32_t)(slab->next >> 3));
        slab->next += capacity;
    }
}

static err add_chunk(struct slab *slab)
{
    if (slab->chunk_count == SLAB_CHUNKS_MAX)
        return ERR_NOMEM;
    /* The first one on ordinary pages: little costs little. */
    char *chunk = slab->chunk_count == 0 ? memory_alloc(CHUNK_BYTES) : memory_map(CHUNK_BYTES);
    if (chunk == NULL)
        return ERR_NOMEM;
    give_rest(slab);
    slab->next = (size_t)slab->chunk_count << SLAB_CHUNK_BITS;
    slab->end = slab->next + CHUNK_BYTES;
    slab->chunks[slab->chunk_count++] = chunk;
    if (slab->next == 0)
        slab->next = 8; /* handle 0 is none */
    return ERR_OK;
}

uint32_t slab_take(struct slab *slab, size_t size)
{
    size_t capacity;
    if (size > SLAB_PIECE_MAX)
        return 0;
    unsigned class = class_of(size, &capacity);
    uint32_t handle = slab->free[class];
    if (handle != 0) {
        memcpy(&slab->free[class], slab_at(slab, handle), sizeof(uint32_t));
    } else {
        if (slab->end - slab->next < capacity && add_chunk(slab) != ERR_OK)
            return 0;
        handle = (uint32_t)(slab->next >> 3);
        slab->next += capacity;
    }
    slab->used_bytes += capacity;
    return handle;
}

void slab_give(struct slab *slab, uint32_t handle, size_t size)
{
    size_t capacity;
    if (handle == 0)
        return;
    unsigned class = class_of(size, &capacity);
    put_free(slab, class, handle);
    slab->used_bytes -= capacity;
}
