/* SPDX-License-Identifier: Apache-2.0 */
/* numbers: a numeric tag, one value per customer, in chunks of 65,536 that are as narrow as their values allow.
 *
 * Most numbers are whole and small: 2 bytes each, in units of a million (numbers are kept in millionths). A chunk
 * widens when a value does not fit and never narrows again. Chunks are shared copy-on-write, as in set.c. */
#include <string.h>

#include "audience/state.h"

static const size_t width_bytes[] = { sizeof(int16_t), sizeof(int32_t), sizeof(int64_t) };

static size_t chunk_bytes(enum number_width width)
{
    return offsetof(struct number_chunk, values) + CHUNK_SIZE * width_bytes[width];
}

static void chunk_release(struct number_chunk *chunk)
{
    if (chunk != NULL &&
        atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) == 1)
        memory_free(chunk);
}

static bool fits(int64_t value, int64_t unit, enum number_width width)
{
    int64_t units = value / unit;
    if (width == WIDTH_64)
        return true;
    if (value % unit != 0)
        return false;
    return width == WIDTH_16 ? units > INT16_MIN && units <= INT16_MAX
                             : units > INT32_MIN && units <= INT32_MAX;
}

static int64_t chunk_get(const struct number_chunk *chunk, uint32_t index, int64_t unit)
{
    switch (chunk->width) {
    case WIDTH_16: {
        int16_t value = chunk->values.narrow[index];
        return value == INT16_MIN ? NO_VALUE : value * unit;
    }
    case WIDTH_32: {
        int32_t value = chunk->values.middle[index];
        return value == INT32_MIN ? NO_VALUE : value * unit;
    }
    case WIDTH_64:
        break;
    }
    return chunk->values.wide[index];
}

static void chunk_put(struct number_chunk *chunk, uint32_t index, int64_t value, int64_t unit)
{
    switch (chunk->width) {
    case WIDTH_16:
        chunk->values.narrow[index] = (int16_t)(value == NO_VALUE ? INT16_MIN : value / unit);
        return;
    case WIDTH_32:
        chunk->values.middle[index] = value == NO_VALUE ? INT32_MIN : (int32_t)(value / unit);
        return;
    case WIDTH_64:
        chunk->values.wide[index] = value;
        return;
    }
}

static struct number_chunk *chunk_new(enum number_width width)
{
    struct number_chunk *chunk = memory_alloc(chunk_bytes(width));
    if (chunk == NULL)
        return NULL;
    atomic_init(&chunk->references, 1);
    chunk->width = width;
    for (uint32_t i = 0; i < CHUNK_SIZE; i++)
        chunk_put(chunk, i, NO_VALUE, 1);
    return chunk;
}

void numbers_init(struct numbers *numbers, int64_t unit)
{
    *numbers = (struct numbers){ .unit = unit };
}

void numbers_deinit(struct numbers *numbers)
{
    for (uint32_t i = 0; i < numbers->chunk_count; i++)
        chunk_release(numbers->chunks[i]);
    memory_free(numbers->chunks);
    memory_free(numbers->dirty);
    numbers_init(numbers, numbers->unit);
}

void numbers_near(const struct numbers *numbers, uint32_t customer, unsigned step)
{
    uint32_t chunk = chunk_of(customer), low = customer & (CHUNK_SIZE - 1);
    if (chunk >= numbers->chunk_count)
        return;
    const struct number_chunk *there;
    if (step == 0)
        __builtin_prefetch(&numbers->chunks[chunk]);
    else if ((there = numbers->chunks[chunk]) == NULL)
        return;
    else if (step == 1)
        __builtin_prefetch(there);
    else if (there->width == WIDTH_16)
        __builtin_prefetch(&there->values.narrow[low]);
    else if (there->width == WIDTH_32)
        __builtin_prefetch(&there->values.middle[low]);
    else
        __builtin_prefetch(&there->values.wide[low]);
}

static err numbers_grow(struct numbers *numbers, uint32_t chunk)
{
    if (chunk < numbers->chunk_count)
        return ERR_OK;
    uint32_t count = chunk + 1;
    struct number_chunk **chunks = memory_resize(numbers->chunks, count * sizeof(*chunks));
    if (chunks == NULL)
        return ERR_NOMEM;
    numbers->chunks = chunks;
    uint8_t *dirty = memory_resize(numbers->dirty, count);
    if (dirty == NULL)
        return ERR_NOMEM;
    numbers->dirty = dirty;
    memset(chunks + numbers->chunk_count, 0, (count - numbers->chunk_count) * sizeof(*chunks));
    memset(dirty + numbers->chunk_count, 0, count - numbers->chunk_count);
    numbers->chunk_count = count;
    return ERR_OK;
}

int64_t numbers_get(const struct numbers *numbers, uint32_t customer)
{
    uint32_t chunk = chunk_of(customer);
    if (chunk >= numbers->chunk_count || numbers->chunks[chunk] == NULL)
        return NO_VALUE;
    return chunk_get(numbers->chunks[chunk], customer & (CHUNK_SIZE - 1), numbers->unit);
}

/* The chunk, alone and wide enough for `value`. */
static struct number_chunk *numbers_own(struct numbers *numbers, uint32_t chunk, int64_t value)
{
    struct number_chunk *there = numbers->chunks[chunk];
    enum number_width width = there != NULL ? there->width : WIDTH_16;
    while (value != NO_VALUE && !fits(value, numbers->unit, width))
        width++;
    if (there != NULL && there->width == width &&
        atomic_load_explicit(&there->references, memory_order_acquire) == 1)
        return there;
    struct number_chunk *own = chunk_new(width);
    if (own == NULL)
        return NULL;
    for (uint32_t i = 0; there != NULL && i < CHUNK_SIZE; i++)
        chunk_put(own, i, chunk_get(there, i, numbers->unit), numbers->unit);
    own->count = there != NULL ? there->count : 0;
    chunk_release(there);
    numbers->chunks[chunk] = own;
    return own;
}

err numbers_put(struct numbers *numbers, uint32_t customer, int64_t value)
{
    uint32_t chunk = chunk_of(customer);
    int64_t before = numbers_get(numbers, customer);
    if (before == value)
        return ERR_OK;
    err error = numbers_grow(numbers, chunk);
    struct number_chunk *own = error == ERR_OK ? numbers_own(numbers, chunk, value) : NULL;
    if (own == NULL)
        return ERR_NOMEM;
    chunk_put(own, customer & (CHUNK_SIZE - 1), value, numbers->unit);
    if (before == NO_VALUE) {
        own->count++;
        numbers->count++;
    } else if (value == NO_VALUE) {
        own->count--;
        numbers->count--;
    }
    numbers->dirty[chunk] = 1;
    return ERR_OK;
}

err numbers_share(const struct numbers *numbers, struct numbers *out)
{
    *out = (struct numbers){ .unit = numbers->unit,
                             .count = numbers->count,
                             .chunk_count = numbers->chunk_count };
    if (numbers->chunk_count == 0)
        return ERR_OK;
    out->chunks = memory_alloc(numbers->chunk_count * sizeof(*out->chunks));
    out->dirty = memory_alloc(numbers->chunk_count);
    if (out->chunks == NULL || out->dirty == NULL) {
        out->chunk_count = 0;
        numbers_deinit(out);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < numbers->chunk_count; i++) {
        out->chunks[i] = numbers->chunks[i];
        if (out->chunks[i] != NULL)
            atomic_fetch_add_explicit(&out->chunks[i]->references, 1, memory_order_relaxed);
    }
    return ERR_OK;
}

void numbers_move(struct numbers *from, struct numbers *to)
{
    *to = *from;
    numbers_init(from, to->unit);
}

/* Bytes of a chunk: count, then for each customer that has one: gap to the one before, value. */
void numbers_write_chunk(const struct numbers *numbers, uint32_t chunk, struct buffer *out)
{
    const struct number_chunk *there = chunk < numbers->chunk_count ? numbers->chunks[chunk] : NULL;
    uint32_t last = 0;
    if (there == NULL || there->count == 0)
        return;
    write_varint(out, there->count);
    for (uint32_t i = 0; i < CHUNK_SIZE; i++) {
        int64_t value = chunk_get(there, i, numbers->unit);
        if (value == NO_VALUE)
            continue;
        bool whole = value % numbers->unit == 0;
        write_varint(out, (uint64_t)(i - last) << 1 | (whole ? 1 : 0));
        write_zigzag(out, whole ? value / numbers->unit : value);
        last = i;
    }
}

err numbers_load_chunk(struct numbers *numbers, uint32_t chunk, str bytes)
{
    struct cursor cursor = cursor_over(bytes);
    uint64_t count = bytes.size > 0 ? read_varint(&cursor) : 0;
    uint64_t index = 0;
    for (uint64_t i = 0; i < count && !cursor.failed; i++) {
        uint64_t gap = read_varint(&cursor);
        int64_t value = read_zigzag(&cursor);
        index += gap >> 1;
        if (cursor.failed || index >= CHUNK_SIZE)
            return ERR_CORRUPT;
        if (gap & 1 && __builtin_mul_overflow(value, numbers->unit, &value))
            return ERR_CORRUPT;
        err error = numbers_put(numbers, chunk << CHUNK_BITS | (uint32_t)index, value);
        if (error != ERR_OK)
            return error;
    }
    if (chunk < numbers->chunk_count)
        numbers->dirty[chunk] = 0;
    return cursor.failed || cursor_left(&cursor) != 0 ? ERR_CORRUPT : ERR_OK;
}

err numbers_touch_chunk(struct numbers *numbers, uint32_t chunk)
{
    err error = numbers_grow(numbers, chunk);
    if (error == ERR_OK)
        numbers->dirty[chunk] = 1;
    return error;
}

bool numbers_is_shared(const struct numbers *a, const struct numbers *b, uint32_t chunk)
{
    const struct number_chunk *one = chunk < a->chunk_count ? a->chunks[chunk] : NULL;
    const struct number_chunk *other = chunk < b->chunk_count ? b->chunks[chunk] : NULL;
    return one == other;
}

size_t numbers_bytes(const struct numbers *numbers)
{
    size_t bytes = numbers->chunk_count * (sizeof(*numbers->chunks) + 1);
    for (uint32_t i = 0; i < numbers->chunk_count; i++)
        if (numbers->chunks[i] != NULL)
            bytes += chunk_bytes(numbers->chunks[i]->width);
    return bytes;
}
