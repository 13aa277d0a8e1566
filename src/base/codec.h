/* SPDX-License-Identifier: Apache-2.0 */
/* codec: how integers and texts lie on disk. Little endian; lengths and counts as LEB128.
 *
 * Writing goes into a struct buffer. Reading goes through a cursor with a sticky `failed`: read
 * everything, then ask once. A cursor never reads past its end and never allocates.
 */
#ifndef KITH_BASE_CODEC_H
#define KITH_BASE_CODEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "base/str.h"

struct cursor {
    const uint8_t *next;
    const uint8_t *end;
    bool failed;
};

static inline struct cursor cursor_over(str bytes)
{
    const uint8_t *begin = (const uint8_t *)bytes.data;
    return (struct cursor){ .next = begin, .end = begin + bytes.size, .failed = false };
}
static inline size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->next);
}

/* The next `size` bytes, or NULL and `failed` when there are fewer. */
static inline const uint8_t *cursor_take(struct cursor *cursor, size_t size)
{
    if (__builtin_expect(cursor->failed || size > cursor_left(cursor), false)) {
        cursor->failed = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->next;
    if (size > 0)
        cursor->next += size;
    return bytes;
}

static inline uint8_t read_u8(struct cursor *cursor)
{
    const uint8_t *bytes = cursor_take(cursor, 1);
    return bytes != NULL ? bytes[0] : 0;
}
uint16_t read_u16(struct cursor *cursor);
uint32_t read_u32(struct cursor *cursor);
uint64_t read_u64(struct cursor *cursor);
int64_t read_i64(struct cursor *cursor);
uint64_t read_varint_slowly(struct cursor *cursor);
/* At most 10 bytes and no padding; anything else fails. */
static inline uint64_t read_varint(struct cursor *cursor)
{
    /* A cursor over nothing has next == end. NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    if (__builtin_expect(!cursor->failed && cursor->next < cursor->end && *cursor->next < 0x80,
                         true))
        return *cursor->next++;
    return read_varint_slowly(cursor);
}
int64_t read_zigzag(struct cursor *cursor);
/* Borrowed from the input. */
static inline str read_bytes(struct cursor *cursor, size_t size)
{
    const uint8_t *bytes = cursor_take(cursor, size);
    return bytes != NULL ? str_from_bytes(bytes, size) : STR_NONE;
}
/* Varint length, then the bytes; borrowed. */
static inline str read_text(struct cursor *cursor)
{
    uint64_t size = read_varint(cursor);
    return read_bytes(cursor, (size_t)size);
}

void write_u8(struct buffer *buffer, uint8_t value);
void write_u16(struct buffer *buffer, uint16_t value);
void write_u32(struct buffer *buffer, uint32_t value);
void write_u64(struct buffer *buffer, uint64_t value);
void write_i64(struct buffer *buffer, int64_t value);
void write_varint(struct buffer *buffer, uint64_t value);
void write_zigzag(struct buffer *buffer, int64_t value);
void write_text(struct buffer *buffer, str text);

#endif
