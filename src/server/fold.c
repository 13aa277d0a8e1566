/* SPDX-License-Identifier: Apache-2.0 */
/* fold: one character at a time, so that nothing has to be copied to be looked through. */
#include "server/fold.h"

#include <string.h>

/* Full-width forms U+FF01 … U+FF5E are EF BC 81 … EF BD 9E, and stand for ! … ~; U+3000 is a space. How many bytes of `text`
 * the character at `at` has that folds to *out; 0: it is none of those, and its bytes stand for themselves. */
static size_t wide_at(str text, size_t at, unsigned char *out)
{
    if (text.size - at < 3)
        return 0;
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    if (bytes[0] == 0xE3 && bytes[1] == 0x80 && bytes[2] == 0x80) {
        *out = ' ';
        return 3;
    }
    if (bytes[0] != 0xEF || (bytes[1] != 0xBC && bytes[1] != 0xBD))
        return 0;
    unsigned point = 0xF000u | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
    if (point < 0xFF01 || point > 0xFF5E)
        return 0;
    *out = (unsigned char)(point - 0xFF01 + '!');
    return 3;
}

/* The next byte of the folded text; `at` goes on. */
static unsigned char next(str text, size_t *at)
{
    unsigned char byte = (unsigned char)text.data[*at];
    size_t size = byte >= 0xE3 ? wide_at(text, *at, &byte) : 0;
    *at += size > 0 ? size : 1;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte - 'A' + 'a') : byte;
}

err fold_text(struct arena *arena, str text, str *folded)
{
    size_t size = 0;
    char *bytes = arena_alloc(arena, text.size + 1);
    if (bytes == NULL)
        return ERR_NOMEM;
    for (size_t at = 0; at < text.size;)
        bytes[size++] = (char)next(text, &at);
    *folded = str_from_bytes(bytes, size);
    return ERR_OK;
}

static bool begins(str text, size_t at, str folded)
{
    for (size_t i = 0; i < folded.size; i++)
        if (at >= text.size || next(text, &at) != (unsigned char)folded.data[i])
            return false;
    return true;
}

bool fold_contains(str text, str folded)
{
    if (folded.size == 0)
        return true;
    for (size_t at = 0; at < text.size;) {
        size_t start = at;
        if (next(text, &at) == (unsigned char)folded.data[0] && begins(text, start, folded))
            return true;
    }
    return false;
}
