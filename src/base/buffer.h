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

#include "base/error.h"
#include "base/str.h"

struct buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    bool failed;      /* over size_max, or out of memory */
    bool nomem;       /* it failed because memory ran out */
};

void buffer_init(struct buffer *buffer, size_t size_max);
void buffer_deinit(struct buffer *buffer);
void buffer_clear(struct buffer *buffer);             /* keeps the memory, resets `failed` */
void buffer_append(struct buffer *buffer, const void *bytes, size_t size);
void buffer_append_str(struct buffer *buffer, str text);
void buffer_append_byte(struct buffer *buffer, uint8_t byte);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for `size` bytes to be written directly; NULL after failure. Follow with buffer_advance. */
char *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_advance(struct buffer *buffer, size_t size);
str buffer_str(const struct buffer *buffer);          /* valid until the next append */
/* ERR_OK, ERR_TOO_LARGE or ERR_NOMEM. */
err buffer_status(const struct buffer *buffer) MUST_USE;
/* Move the bytes out (memory_free them); the buffer is empty then. */
char *buffer_take(struct buffer *buffer, size_t *size);

#endif
