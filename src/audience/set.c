/* SPDX-License-Identifier: Apache-2.0 */
/* set: members of a segment or of a tag's value, one CRoaring bitmap per 65,536 customers.
 *
 * A snapshot shares the chunks and counts itself in; the engine copies a chunk before it changes one that
 * somebody else holds. CRoaring's own copy-on-write counts without atomics, so it is not used. */
#include <string.h>

#include "audience/state.h"

static void chunk_release(struct set_chunk *chunk)
{
    if (chunk == NULL ||
        atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) != 1)
        return;
    roaring_bitmap_free(chunk->bits);
    memory_free(chunk);
}

static struct set_chunk *chunk_new(roaring_bitmap_t *bits)
{
    struct set_chunk *chunk = bits != NULL ? memory_alloc(sizeof *chunk) : NULL;
    if (chunk == NULL) {
        if (bits != NULL)
            roaring_bitmap_free(bits);
        return NULL;
    }
    atomic_init(&chunk->references, 1);
    chunk->bits = bits;
    return chunk;
}

void set_deinit(struct set *set)
{
    for (uint32_t i = 0; i < set->chunk_count; i++)
        chunk_release(set->chunks[i]);
    memory_free(set->chunks);
    memory_free(set->dirty);
    *set = (struct set){ .count = 0 };
}

static err set_grow(struct set *set, uint32_t chunk)
{
    if (chunk < set->chunk_count)
        return ERR_OK;
    uint32_t count = chunk + 1;
    struct set_chunk **chunks = memory_resize(set->chunks, count * sizeof(*chunks));
    if (chunks == NULL)
        return ERR_NOMEM;
    set->chunks = chunks;
    uint8_t *dirty = memory_resize(set->dirty, count);
    if (dirty == NULL)
        return ERR_NOMEM;
    set->dirty = dirty;
    memset(chunks + set->chunk_count, 0, (count - set->chunk_count) * sizeof(*chunks));
    memset(dirty + set->chunk_count, 0, count - set->chunk_count);
    set->chunk_count = count;
    return ERR_OK;
}

/* The chunk, to be changed: nobody else holds it. */
static struct set_chunk *set_own(struct set *set, uint32_t chunk)
{
    struct set_chunk *there = set->chunks[chunk];
    if (there != NULL && atomic_load_explicit(&there->references, memory_order_acquire) == 1)
        return there;
    struct set_chunk *own =
        chunk_new(there != NULL ? roaring_bitmap_copy(there->bits) : roaring_bitmap_create());
    if (own == NULL)
        return NULL;
    chunk_release(there);
    set->chunks[chunk] = own;
    return own;
}

const roaring_bitmap_t *set_chunk_bits(const struct set *set, uint32_t chunk)
{
    return chunk < set->chunk_count && set->chunks[chunk] != NULL ? set->chunks[chunk]->bits : NULL;
}

bool set_has(const struct set *set, uint32_t customer)
{
    const roaring_bitmap_t *bits = set_chunk_bits(set, chunk_of(customer));
    return bits != NULL && roaring_bitmap_contains(bits, customer & (CHUNK_SIZE - 1));
}

void set_near(const struct set *set, uint32_t customer, unsigned step)
{
    uint32_t chunk = chunk_of(customer);
    if (chunk >= set->chunk_count)
        return;
    if (step == 0) {
        __builtin_prefetch(&set->chunks[chunk]);
        return;
    }
    const struct set_chunk *there = set->chunks[chunk];
    if (there == NULL)
        return;
    if (step == 1) {
        __builtin_prefetch(there);
        return;
    }
    const roaring_array_t *containers = &there->bits->high_low_container;
    if (step == 2) {
        __builtin_prefetch(containers);
    } else if (step == 3) {
        __builtin_prefetch((const void *)containers->containers);
        __builtin_prefetch(containers->keys);
        __builtin_prefetch(containers->typecodes);
    } else if (containers->size > 0) {
        __builtin_prefetch(containers->containers[0]); /* a chunk is one container */
    }
}

err set_add(struct set *set, uint32_t customer, bool *changed)
{
    uint32_t chunk = chunk_of(customer);
    *changed = false;
    if (set_has(set, customer))
        return ERR_OK;
    err error = set_grow(set, chunk);
    struct set_chunk *own = error == ERR_OK ? set_own(set, chunk) : NULL;
    if (own == NULL)
        return ERR_NOMEM;
    roaring_bitmap_add(own->bits, customer & (CHUNK_SIZE - 1));
    set->dirty[chunk] = 1;
    set->count++;
    *changed = true;
    return ERR_OK;
}

err set_add_many(struct set *set, uint32_t chunk, const uint32_t *members, size_t count)
{
    err error = set_grow(set, chunk);
    struct set_chunk *own = error == ERR_OK ? set_own(set, chunk) : NULL;
    if (own == NULL)
        return ERR_NOMEM;
    set->count -= roaring_bitmap_get_cardinality(own->bits);
    roaring_bitmap_add_many(own->bits, count, members);
    set->count += roaring_bitmap_get_cardinality(own->bits);
    set->dirty[chunk] = 1;
    return ERR_OK;
}

err set_remove(struct set *set, uint32_t customer, bool *changed)
{
    uint32_t chunk = chunk_of(customer);
    *changed = false;
    if (!set_has(set, customer))
        return ERR_OK;
    struct set_chunk *own = set_own(set, chunk);
    if (own == NULL)
        return ERR_NOMEM;
    roaring_bitmap_remove(own->bits, customer & (CHUNK_SIZE - 1));
    set->dirty[chunk] = 1;
    set->count--;
    *changed = true;
    return ERR_OK;
}

err set_touch_chunk(struct set *set, uint32_t chunk)
{
    err error = set_grow(set, chunk);
    if (error == ERR_OK)
        set->dirty[chunk] = 1;
    return error;
}

err set_share(const struct set *set, struct set *out)
{
    *out = (struct set){ .count = set->count, .chunk_count = set->chunk_count };
    if (set->chunk_count == 0)
        return ERR_OK;
    out->chunks = memory_alloc(set->chunk_count * sizeof(*out->chunks));
    out->dirty = memory_alloc(set->chunk_count);
    if (out->chunks == NULL || out->dirty == NULL) {
        out->chunk_count = 0;
        set_deinit(out);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < set->chunk_count; i++) {
        out->chunks[i] = set->chunks[i];
        if (out->chunks[i] != NULL)
            atomic_fetch_add_explicit(&out->chunks[i]->references, 1, memory_order_relaxed);
    }
    return ERR_OK;
}

void set_move(struct set *from, struct set *to)
{
    *to = *from;
    *from = (struct set){ .count = 0 };
}

void bits_write(const roaring_bitmap_t *bits, struct buffer *out)
{
    if (bits == NULL || roaring_bitmap_is_empty(bits))
        return;
    size_t size = roaring_bitmap_portable_size_in_bytes(bits);
    char *at = buffer_reserve(out, size);
    if (at == NULL)
        return;
    buffer_advance(out, roaring_bitmap_portable_serialize(bits, at));
}

roaring_bitmap_t *bits_read(str bytes)
{
    if (bytes.size == 0)
        return roaring_bitmap_create();
    return roaring_bitmap_portable_deserialize_safe(bytes.data, bytes.size);
}

err set_load_chunk(struct set *set, uint32_t chunk, str bytes)
{
    roaring_bitmap_t *bits = bits_read(bytes);
    if (bits == NULL)
        return ERR_CORRUPT;
    if (!roaring_bitmap_is_empty(bits) && roaring_bitmap_maximum(bits) >= CHUNK_SIZE) {
        roaring_bitmap_free(bits);
        return ERR_CORRUPT;
    }
    struct set_chunk *loaded = chunk_new(bits);
    if (loaded == NULL || set_grow(set, chunk) != ERR_OK) {
        chunk_release(loaded);
        return ERR_NOMEM;
    }
    const roaring_bitmap_t *before = set_chunk_bits(set, chunk);
    if (before != NULL)
        set->count -= roaring_bitmap_get_cardinality(before);
    set->count += roaring_bitmap_get_cardinality(bits);
    chunk_release(set->chunks[chunk]);
    set->chunks[chunk] = loaded;
    return ERR_OK;
}

void set_write_chunk(const struct set *set, uint32_t chunk, struct buffer *out)
{
    bits_write(set_chunk_bits(set, chunk), out);
}

void set_visit(const struct set *set, uint32_t from, bool (*visit)(void *, uint32_t), void *context)
{
    for (uint32_t chunk = chunk_of(from); chunk < set->chunk_count; chunk++) {
        const roaring_bitmap_t *bits = set_chunk_bits(set, chunk);
        roaring_uint32_iterator_t iterator;
        if (bits == NULL)
            continue;
        roaring_init_iterator(bits, &iterator);
        if (chunk == chunk_of(from) &&
            !roaring_move_uint32_iterator_equalorlarger(&iterator, from & (CHUNK_SIZE - 1)))
            continue;
        for (; iterator.has_value; roaring_advance_uint32_iterator(&iterator))
            if (!visit(context, chunk << CHUNK_BITS | iterator.current_value))
                return;
    }
}

uint64_t set_and_count(const struct set *one, const struct set *other)
{
    uint32_t chunks = one->chunk_count < other->chunk_count ? one->chunk_count : other->chunk_count;
    uint64_t count = 0;
    for (uint32_t i = 0; i < chunks; i++) {
        const roaring_bitmap_t *a = set_chunk_bits(one, i), *b = set_chunk_bits(other, i);
        if (a != NULL && b != NULL)
            count += roaring_bitmap_and_cardinality(a, b);
    }
    return count;
}

err set_and_chunk(struct set *set, uint32_t chunk, const roaring_bitmap_t *bits)
{
    if (chunk >= set->chunk_count || set->chunks[chunk] == NULL)
        return ERR_OK;
    struct set_chunk *own = set_own(set, chunk);
    if (own == NULL)
        return ERR_NOMEM;
    set->count -= roaring_bitmap_get_cardinality(own->bits);
    if (bits == NULL)
        roaring_bitmap_clear(own->bits);
    else
        roaring_bitmap_and_inplace(own->bits, bits);
    set->count += roaring_bitmap_get_cardinality(own->bits);
    set->dirty[chunk] = 1;
    return ERR_OK;
}

size_t set_bytes(const struct set *set)
{
    size_t bytes = set->chunk_count * (sizeof(*set->chunks) + 1);
    for (uint32_t i = 0; i < set->chunk_count; i++)
        if (set->chunks[i] != NULL)
            bytes += sizeof(struct set_chunk) + sizeof(roaring_bitmap_t) + 64 +
                     roaring_bitmap_size_in_bytes(set->chunks[i]->bits);
    return bytes;
}

err set_or_chunk(struct set *set, uint32_t chunk, const roaring_bitmap_t *bits)
{
    err error = set_grow(set, chunk);
    struct set_chunk *own = error == ERR_OK ? set_own(set, chunk) : NULL;
    if (own == NULL)
        return ERR_NOMEM;
    set->count -= roaring_bitmap_get_cardinality(own->bits);
    roaring_bitmap_or_inplace(own->bits, bits);
    set->count += roaring_bitmap_get_cardinality(own->bits);
    set->dirty[chunk] = 1;
    return ERR_OK;
}
