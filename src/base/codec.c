/* SPDX-License-Identifier: Apache-2.0 */
/* Little endian and LEB128, on any host. */
#include "base/codec.h"

#include <endian.h>

#define VARINT_BYTES_MAX 10

uint16_t read_u16(struct cursor *cursor)
{
    const uint8_t *bytes = cursor_take(cursor, 2);
    uint16_t value = 0;
    if (bytes != NULL)
        memcpy(&value, bytes, sizeof value);
    return le16toh(value);
}

uint32_t read_u32(struct cursor *cursor)
{
    const uint8_t *bytes = cursor_take(cursor, 4);
    uint32_t value = 0;
    if (bytes != NULL)
        memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

uint64_t read_u64(struct cursor *cursor)
{
    const uint8_t *bytes = cursor_take(cursor, 8);
    uint64_t value = 0;
    if (bytes != NULL)
        memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

int64_t read_i64(struct cursor *cursor)
{
    return (int64_t)read_u64(cursor);
}

/* Padded forms ("0x80 0x00") and bits beyond the 64th fail: one value has one encoding, so that a
 * digest over bytes is a digest over values. */
uint64_t read_varint_slowly(struct cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && !cursor->failed; i++) {
        uint8_t byte = read_u8(cursor);
        if (cursor->failed)
            break;
        if (i == VARINT_BYTES_MAX - 1 && byte > 1)
            break; /* more than 64 bits */
        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            if (byte == 0 && i > 0)
                break;
            return value;
        }
    }
    cursor->failed = true;
    return 0;
}

int64_t read_zigzag(struct cursor *cursor)
{
    uint64_t value = read_varint(cursor);
    return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

void write_u8(struct buffer *buffer, uint8_t value)
{
    buffer_append_byte(buffer, value);
}

void write_u16(struct buffer *buffer, uint16_t value)
{
    value = htole16(value);
    buffer_append(buffer, &value, sizeof value);
}

void write_u32(struct buffer *buffer, uint32_t value)
{
    value = htole32(value);
    buffer_append(buffer, &value, sizeof value);
}

void write_u64(struct buffer *buffer, uint64_t value)
{
    value = htole64(value);
    buffer_append(buffer, &value, sizeof value);
}

void write_i64(struct buffer *buffer, int64_t value)
{
    write_u64(buffer, (uint64_t)value);
}

void write_varint(struct buffer *buffer, uint64_t value)
{
    uint8_t bytes[VARINT_BYTES_MAX];
    size_t size = 0;
    if (value < 0x80) {
        buffer_append_byte(buffer, (uint8_t)value);
        return;
    }
    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    buffer_append(buffer, bytes, size);
}

void write_zigzag(struct buffer *buffer, int64_t value)
{
    uint64_t sign = value < 0 ? UINT64_MAX : 0;
    write_varint(buffer, ((uint64_t)value << 1) ^ sign);
}

void write_text(struct buffer *buffer, str text)
{
    write_varint(buffer, text.size);
    buffer_append_str(buffer, text);
}
