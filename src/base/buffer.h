/* SPDX-License-Identifier: Apache-2.0 */
/* buffer: bytes that grow up to a stated maximum, with a sticky overflow flag.
 *
 * Writers append without checking; whoever finishes asks `buffer_failed` once. After a failure
 * appends do nothing. One owner thread at a time.
 */
#ifndef KITH_BASE_BUFFER_H
#define KITH_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"

struct buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    bool failed; /* over size_max, or out of memory */
    bool nomem;  /* it failed because memory ran out */
};

void buffer_init(struct buffer *buffer, size_t size_max);
void buffer_deinit(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory, resets `failed` */
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *buffer_reserve_slowly(struct buffer *buffer, size_t size);

/* Room for `size` bytes to be written directly; NULL after failure. Follow with buffer_advance. */
static inline char *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (__builtin_expect(!buffer->failed && size < buffer->capacity - buffer->size, true))
        return buffer->data + buffer->size;
    return buffer_reserve_slowly(buffer, size);
}
static inline void buffer_append(struct buffer *buffer, const void *bytes, size_t size)
{
    char *at = size > 0 ? buffer_reserve(buffer, size) : NULL;
    if (at == NULL)
        return;
    memcpy(at, bytes, size);
    buffer->size += size;
}
static inline void buffer_append_byte(struct buffer *buffer, uint8_t byte)
{
    char *at = buffer_reserve(buffer, 1);
    if (at == NULL)
        return;
    *at = (char)byte;
    buffer->size++;
}
static inline void buffer_append_str(struct buffer *buffer, str text)
{
    buffer_append(buffer, text.data, text.size);
}
static inline void buffer_advance(struct buffer *buffer, size_t size)
{
    if (buffer->failed)
        return;
    INVARIANT(size <= buffer->capacity - buffer->size);
    buffer->size += size;
}
str buffer_str(const struct buffer *buffer); /* valid until the next append */
/* ERR_OK, ERR_TOO_LARGE or ERR_NOMEM. */
err buffer_status(const struct buffer *buffer) MUST_USE;
/* Move the bytes out (memory_free them); the buffer is empty then. */
char *buffer_take(struct buffer *buffer, size_t *size);

#endif
