/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing, cutting and checking borrowed text. Numbers with a point are in number.cc. */
#include "base/str.h"

#include <string.h>

str str_from_c(const char *text)
{
    return text != NULL ? (str){ .data = text, .size = strlen(text) } : STR_NONE;
}

bool str_equal(str a, str b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_equal_ignoring_case(str a, str b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

int str_compare(str a, str b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

bool str_starts_with(str text, str prefix)
{
    return text.size >= prefix.size && str_equal(str_slice(text, 0, prefix.size), prefix);
}

bool str_ends_with(str text, str suffix)
{
    return text.size >= suffix.size &&
           str_equal(str_slice(text, text.size - suffix.size, text.size), suffix);
}

bool str_contains(str text, str part)
{
    return part.size == 0 ||
           (text.size >= part.size && memmem(text.data, text.size, part.data, part.size) != NULL);
}

size_t str_find_byte(str text, char byte)
{
    const char *found = text.size > 0 ? memchr(text.data, byte, text.size) : NULL;
    return found != NULL ? (size_t)(found - text.data) : text.size;
}

str str_slice(str text, size_t begin, size_t end)
{
    if (end > text.size)
        end = text.size;
    if (begin > end)
        begin = end;
    return (str){ .data = text.data != NULL ? text.data + begin : NULL, .size = end - begin };
}

/* Bytes of the white space at `at`, 0 if there is none. */
static size_t space_bytes(const char *at, size_t left)
{
    const unsigned char *byte = (const unsigned char *)at;
    if (byte[0] == ' ' || (byte[0] >= '\t' && byte[0] <= '\r'))
        return 1;
    if (left >= 2 && byte[0] == 0xC2 && byte[1] == 0xA0) /* U+00A0, no-break space */
        return 2;
    if (left >= 3 && byte[0] == 0xE3 && byte[1] == 0x80 && byte[2] == 0x80) /* U+3000 */
        return 3;
    if (left >= 3 && byte[0] == 0xEF && byte[1] == 0xBB && byte[2] == 0xBF) /* U+FEFF */
        return 3;
    return 0;
}

str str_trim(str text)
{
    while (text.size > 0) {
        size_t bytes = space_bytes(text.data, text.size);
        if (bytes == 0)
            break;
        text = str_slice(text, bytes, text.size);
    }
    while (text.size > 0) {
        size_t bytes = 0;
        for (size_t back = 1; back <= 3 && back <= text.size && bytes == 0; back++)
            if (space_bytes(text.data + text.size - back, back) == back)
                bytes = back;
        if (bytes == 0)
            break;
        text.size -= bytes;
    }
    return text;
}

bool str_split(str *rest, char separator, str *part)
{
    if (rest->data == NULL)
        return false;
    size_t end = str_find_byte(*rest, separator);
    *part = str_slice(*rest, 0, end);
    *rest = end < rest->size ? str_slice(*rest, end + 1, rest->size) : STR_NONE;
    return true;
}

/* Bytes of the well-formed character at `at` (Unicode 15, table 3-7), 0 if it is none. */
static size_t utf8_bytes(const unsigned char *at, size_t left)
{
    unsigned char lead = at[0];
    if (lead < 0x80)
        return 1;
    size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || left < size)
        return 0;
    unsigned char low = 0x80, high = 0xBF;
    if (lead == 0xE0)
        low = 0xA0; /* no overlong forms */
    else if (lead == 0xED)
        high = 0x9F; /* no surrogates */
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F; /* nothing above U+10FFFF */
    if (at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

bool str_is_utf8(str text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t i = 0;
    while (i < text.size) {
        /* Eight ASCII bytes at once, none of them NUL. */
        uint64_t word;
        while (text.size - i >= sizeof word) {
            memcpy(&word, at + i, sizeof word);
            uint64_t zeros = (word - UINT64_C(0x0101010101010101)) & ~word;
            if (((word | zeros) & UINT64_C(0x8080808080808080)) != 0)
                break;
            i += sizeof word;
        }
        if (i == text.size)
            break;
        size_t bytes = at[i] != 0 ? utf8_bytes(at + i, text.size - i) : 0;
        if (bytes == 0)
            return false;
        i += bytes;
    }
    return true;
}

size_t str_utf8_prefix_bytes(str text, size_t bytes_max)
{
    size_t size = text.size < bytes_max ? text.size : bytes_max;
    /* Back to the lead byte of the last character, at most three bytes away. */
    size_t lead = size;
    while (lead > 0 && size - lead < 4 && ((unsigned char)text.data[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead == 0)
        return size; /* no lead byte: not UTF-8, cut anywhere */
    unsigned char byte = (unsigned char)text.data[lead - 1];
    size_t expected = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return size - (lead - 1) >= expected ? size : lead - 1;
}

bool str_to_uint64(str text, uint64_t *out)
{
    uint64_t value = 0;
    if (text.data == NULL || text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

bool str_to_int64(str text, int64_t *out)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t magnitude;
    if (!str_to_uint64(negative ? str_slice(text, 1, text.size) : text, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}
