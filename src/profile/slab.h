/* SPDX-License-Identifier: Apache-2.0 */
/* slab: many small pieces of memory under 32-bit handles, without a malloc and its head each. Private.
 *
 * Pieces come in size classes: multiples of 8 bytes up to 128, then steps of an eighth of a power of two
 * up to SLAB_PIECE_MAX. They are cut from chunks of 2 MB and go back to a free list of their class; what is
 * left of a chunk goes there too. The caller keeps the size, usually as the first bytes of the piece.
 * A handle is a place in units of 8 bytes over all chunks (32 GB); 0 is none. */
#ifndef KITH_PROFILE_SLAB_H
#define KITH_PROFILE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SLAB_CHUNK_BITS 21
#define SLAB_PIECE_MAX ((size_t)1 << 20)
#define SLAB_CLASSES 128
#define SLAB_CHUNKS_MAX ((size_t)1 << (32 + 3 - SLAB_CHUNK_BITS))

struct slab {
    char **chunks;
    uint32_t chunk_count;
    size_t next, end; /* free room in the newest chunk, as places in bytes */
    uint32_t free[SLAB_CLASSES];
    size_t used_bytes; /* in pieces, rounded to their class */
};

err slab_init(struct slab *slab) MUST_USE;
void slab_deinit(struct slab *slab);
/* 0 without memory or beyond SLAB_PIECE_MAX. Not zeroed. */
uint32_t slab_take(struct slab *slab, size_t size);
void slab_give(struct slab *slab, uint32_t handle, size_t size);
/* What a piece of this size really has. */
size_t slab_capacity(size_t size);
static inline void *slab_at(const struct slab *slab, uint32_t handle)
{
    size_t place = (size_t)handle << 3;
    return slab->chunks[place >> SLAB_CHUNK_BITS] + (place & (((size_t)1 << SLAB_CHUNK_BITS) - 1));
}

#endif
