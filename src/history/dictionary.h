/* SPDX-License-Identifier: Apache-2.0 */
/* dictionary: texts to small numbers and back; one thread adds, any thread looks. Private to history.
 *
 * Codes count from 1 and are never reused; 0 is 'no such text'. A reader needs no epoch: neither a text
 * nor a table of slots is freed before the dictionary is (old tables are kept: together they are no larger than
 * the newest). What is published: first the text, then its slot, then the count, each with release.
 *
 *     slots: hash (high 32 bits) | code (low 32), open addressing, linear, at most half full
 *     texts: chunk k holds 32 << k of them, so that none ever moves */
#ifndef KITH_HISTORY_DICTIONARY_H
#define KITH_HISTORY_DICTIONARY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* Equal, for texts that mostly are short: no call, few branches. */
static inline bool text_is_same(const char *one, const char *other, size_t size)
{
    uint64_t a, b;
    uint32_t c, d;
    if (size > 16)
        return memcmp(one, other, size) == 0;
    if (size >= 8) {
        memcpy(&a, one, 8);
        memcpy(&b, other, 8);
        if (a != b)
            return false;
        memcpy(&a, one + size - 8, 8);
        memcpy(&b, other + size - 8, 8);
        return a == b;
    }
    if (size >= 4) {
        memcpy(&c, one, 4);
        memcpy(&d, other, 4);
        if (c != d)
            return false;
        memcpy(&c, one + size - 4, 4);
        memcpy(&d, other + size - 4, 4);
        return c == d;
    }
    for (size_t i = 0; i < size; i++)
        if (one[i] != other[i])
            return false;
    return true;
}

#define DICTIONARY_CHUNKS 27
#define DICTIONARY_FIRST_BITS 5

/* Short texts lie in it: a cache miss less, and no more memory, as an arena rounds up to 16. */
#define DICTIONARY_INLINE_BYTES 24
struct dictionary_text {
    uint32_t size;
    uint32_t hash;
    union {
        char bytes[DICTIONARY_INLINE_BYTES];
        const char *data;
    };
};
static inline const char *dictionary_bytes_of(const struct dictionary_text *text)
{
    return text->size <= DICTIONARY_INLINE_BYTES ? text->bytes : text->data;
}
struct dictionary_table {
    struct dictionary_table *older;
    uint32_t mask;
    _Atomic uint64_t slots[];
};
struct dictionary {
    _Atomic uint32_t count;
    uint32_t count_max;
    struct arena texts;
    struct dictionary_text *chunks[DICTIONARY_CHUNKS];
    _Atomic(struct dictionary_table *) table;
    _Atomic size_t used_bytes;
};

void dictionary_init(struct dictionary *dictionary, uint32_t count_max, size_t text_bytes_max);
void dictionary_deinit(struct dictionary *dictionary);
/* The code of `text`, a new one if need be. TOO_LARGE beyond count_max or text_bytes_max; NOMEM. Owner. */
err dictionary_add(struct dictionary *dictionary, str text, uint32_t *code) MUST_USE;
uint32_t dictionary_find(const struct dictionary *dictionary, str text);
/* Borrowed until the dictionary is freed; STR_NONE for what is no code. */
str dictionary_text(const struct dictionary *dictionary, uint32_t code);
static inline uint32_t dictionary_count(const struct dictionary *dictionary)
{
    return atomic_load_explicit(&dictionary->count, memory_order_acquire);
}
static inline size_t dictionary_bytes(const struct dictionary *dictionary)
{
    return atomic_load_explicit(&dictionary->used_bytes, memory_order_relaxed);
}

#endif
