/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes with a maximum. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"

#define BUFFER_CAPACITY_MIN 256

void buffer_init(struct buffer *buffer, size_t size_max)
{
    *buffer = (struct buffer){ .size_max = size_max };
}

void buffer_deinit(struct buffer *buffer)
{
    memory_free(buffer->data);
    *buffer = (struct buffer){ .size_max = buffer->size_max };
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    buffer->nomem = false;
}

static void buffer_fail_nomem(struct buffer *buffer)
{
    buffer->failed = true;
    buffer->nomem = true;
}

/* Doubles up to the maximum, so that appending costs O(1) per byte. */
static bool buffer_grow(struct buffer *buffer, size_t needed)
{
    if (needed > buffer->size_max) {
        buffer->failed = true;
        return false;
    }
    size_t capacity =
        buffer->capacity < BUFFER_CAPACITY_MIN ? BUFFER_CAPACITY_MIN : buffer->capacity;
    while (capacity < needed && capacity <= buffer->size_max / 2)
        capacity *= 2;
    if (capacity < needed || capacity > buffer->size_max)
        capacity = buffer->size_max;
    char *data = memory_resize(buffer->data, capacity);
    if (data == NULL) {
        buffer_fail_nomem(buffer);
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

char *buffer_reserve_slowly(struct buffer *buffer, size_t size)
{
    if (buffer->failed)
        return NULL;
    size_t needed;
    if (__builtin_add_overflow(buffer->size, size, &needed)) {
        buffer->failed = true;
        return NULL;
    }
    if ((needed > buffer->capacity || buffer->data == NULL) && !buffer_grow(buffer, needed))
        return NULL;
    return buffer->data + buffer->size;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    char text[256];
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        buffer->failed = true;
    } else if ((size_t)length < sizeof text) {
        buffer_append(buffer, text, (size_t)length);
    } else {
        /* Long text is printed in place. vsnprintf wants room for its NUL, which is not counted
         * and may lie beyond the maximum: hence a piece of its own. */
        char *whole = memory_alloc((size_t)length + 1);
        if (whole == NULL) {
            buffer_fail_nomem(buffer);
            return;
        }
        va_start(arguments, format);
        vsnprintf(whole, (size_t)length + 1, format, arguments);
        va_end(arguments);
        buffer_append(buffer, whole, (size_t)length);
        memory_free(whole);
    }
}

str buffer_str(const struct buffer *buffer)
{
    return str_from_bytes(buffer->data, buffer->size);
}

err buffer_status(const struct buffer *buffer)
{
    if (!buffer->failed)
        return ERR_OK;
    return buffer->nomem ? ERR_NOMEM : ERR_TOO_LARGE;
}

char *buffer_take(struct buffer *buffer, size_t *size)
{
    char *data = buffer->data;
    if (size != NULL)
        *size = buffer->size;
    *buffer = (struct buffer){ .size_max = buffer->size_max };
    return data;
}
