/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of texts. Lengths are characters (code points) unless they say bytes. */
#include <string.h>

#include "template/inside.h"

/* Whole numbers as arguments: `truncate: 12`. */
static err whole_argument(struct rendering *rendering, const struct template_value *argument,
                          int64_t *out)
{
    int64_t millionths;
    if (!value_number(argument, &millionths) || millionths % MILLION != 0)
        return rendering_fail(rendering, "a whole number is wanted as the filter's argument");
    *out = millionths / MILLION;
    return ERR_OK;
}

/* Byte at which character number `wanted` begins, or the size. */
static size_t character_at(str text, int64_t wanted)
{
    int64_t seen = -1;
    for (size_t i = 0; i < text.size; i++) {
        seen += ((unsigned char)text.data[i] & 0xc0) != 0x80;
        if (seen == wanted)
            return i;
    }
    return text.size;
}

static int64_t character_count(str text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* ---- case ---- */

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static err change_case(struct rendering *rendering, struct template_value *value,
                       char (*change)(char), bool only_first)
{
    char *room;
    str text;
    err error = value_text(rendering, value, &text);
    if (error == ERR_OK)
        error = rendering_room(rendering, text.size, &room);
    if (error != ERR_OK)
        return error;
    for (size_t i = 0; i < text.size; i++)
        room[i] = only_first && i > 0 ? text.data[i] : change(text.data[i]);
    value_set_text(value, str_from_bytes(room, text.size));
    return ERR_OK;
}

FILTER(upcase)
{
    (void)arguments;
    (void)count;
    return change_case(rendering, value, upper, false);
}

FILTER(downcase)
{
    (void)arguments;
    (void)count;
    return change_case(rendering, value, lower, false);
}

FILTER(capitalize)
{
    (void)arguments;
    (void)count;
    return change_case(rendering, value, upper, true);
}

FILTER(strip)
{
    str text;
    (void)arguments;
    (void)count;
    err error = value_text(rendering, value, &text);
    if (error == ERR_OK)
        value_set_text(value, str_trim(text));
    return error;
}

/* ---- longer and shorter ---- */

static err concat(struct rendering *rendering, struct template_value *value, str a, str b)
{
    char *room;
    err error = rendering_room(rendering, a.size + b.size, &room);
    if (error != ERR_OK)
        return error;
    if (a.size > 0)
        memcpy(room, a.data, a.size);
    if (b.size > 0)
        memcpy(room + a.size, b.data, b.size);
    value_set_text(value, str_from_bytes(room, a.size + b.size));
    return ERR_OK;
}

FILTER(append)
{
    str text, more;
    (void)count;
    err error = value_text(rendering, value, &text);
    if (error == ERR_OK)
        error = value_text(rendering, &arguments[0], &more);
    return error == ERR_OK ? concat(rendering, value, text, more) : error;
}

FILTER(prepend)
{
    str text, more;
    (void)count;
    err error = value_text(rendering, value, &text);
    if (error == ERR_OK)
        error = value_text(rendering, &arguments[0], &more);
    return error == ERR_OK ? concat(rendering, value, more, text) : error;
}

FILTER(truncate)
{
    str text, ellipsis = STR("…");
    int64_t wanted = 0;
    err error = whole_argument(rendering, &arguments[0], &wanted);
    if (error == ERR_OK)
        error = value_text(rendering, value, &text);
    if (error == ERR_OK && count > 1)
        error = value_text(rendering, &arguments[1], &ellipsis);
    if (error != ERR_OK)
        return error;
    value_set_text(value, text);
    if (character_count(text) <= wanted)
        return ERR_OK;
    int64_t kept = wanted - character_count(ellipsis);
    if (kept < 0) {
        ellipsis = STR_NONE;
        kept = wanted > 0 ? wanted : 0;
    }
    return concat(rendering, value, str_slice(text, 0, character_at(text, kept)), ellipsis);
}

FILTER(truncate_bytes)
{
    str text;
    int64_t wanted = 0;
    (void)count;
    err error = whole_argument(rendering, &arguments[0], &wanted);
    if (error == ERR_OK)
        error = value_text(rendering, value, &text);
    if (error == ERR_OK)
        value_set_text(
            value,
            str_slice(text, 0, str_utf8_prefix_bytes(text, wanted > 0 ? (size_t)wanted : 0)));
    return error;
}

FILTER(slice)
{
    str text;
    int64_t from = 0, length = 1;
    err error = whole_argument(rendering, &arguments[0], &from);
    if (error == ERR_OK && count > 1)
        error = whole_argument(rendering, &arguments[1], &length);
    if (error == ERR_OK)
        error = value_text(rendering, value, &text);
    if (error != ERR_OK)
        return error;
    int64_t total = character_count(text);
    from = from < 0 ? total + from : from;
    from = from < 0 ? 0 : from > total ? total : from;
    length = length < 0 ? 0 : length > total - from ? total - from : length;
    value_set_text(value,
                   str_slice(text, character_at(text, from), character_at(text, from + length)));
    return ERR_OK;
}

/* ---- replacing ---- */

static size_t find_in(str text, str wanted, size_t from)
{
    const char *found = from < text.size
                            ? memmem(text.data + from, text.size - from, wanted.data, wanted.size)
                            : NULL;
    return found != NULL ? (size_t)(found - text.data) : text.size;
}

static err replace_all(struct rendering *rendering, str text, str from, str to,
                       struct template_value *value)
{
    size_t size = text.size, at = 0, written = 0;
    char *room;
    for (size_t i = find_in(text, from, 0); i < text.size; i = find_in(text, from, i + from.size)) {
        size = size - from.size + to.size;
        if (size > TEMPLATE_BYTES_MAX)
            break;
    }
    err error = rendering_room(rendering, size, &room);
    if (error != ERR_OK)
        return error;
    while (at < text.size) {
        size_t found = find_in(text, from, at);
        memcpy(room + written, text.data + at, found - at);
        written += found - at;
        if (found < text.size && to.size > 0)
            memcpy(room + written, to.data, to.size);
        written += found < text.size ? to.size : 0;
        at = found < text.size ? found + from.size : found;
    }
    value_set_text(value, str_from_bytes(room, written));
    return ERR_OK;
}

FILTER(replace)
{
    str text, from, to;
    (void)count;
    err error = value_text(rendering, value, &text);
    if (error == ERR_OK)
        error = value_text(rendering, &arguments[0], &from);
    if (error == ERR_OK)
        error = value_text(rendering, &arguments[1], &to);
    if (error != ERR_OK)
        return error;
    value_set_text(value, text);
    return from.size > 0 && text.size > 0 ? replace_all(rendering, text, from, to, value) : ERR_OK;
}

/* 138****0000. What is too short for that shows its first character alone. */
FILTER(mask)
{
    str text;
    int64_t front = 3, behind = 4;
    char *room;
    err error = value_text(rendering, value, &text);
    if (error == ERR_OK && count > 0)
        error = whole_argument(rendering, &arguments[0], &front);
    if (error == ERR_OK && count > 1)
        error = whole_argument(rendering, &arguments[1], &behind);
    int64_t total = error == ERR_OK ? character_count(text) : 0;
    if (front < 0 || behind < 0 || front > total || behind > total || front + behind >= total) {
        front = total > 1 ? 1 : 0;
        behind = 0;
    }
    size_t begin = error == ERR_OK ? character_at(text, front) : 0;
    size_t end = error == ERR_OK ? character_at(text, total - behind) : 0;
    size_t stars = (size_t)(total - front - behind);
    if (error == ERR_OK)
        error = rendering_room(rendering, begin + stars + (text.size - end), &room);
    if (error != ERR_OK)
        return error;
    if (text.size > 0)
        memcpy(room, text.data, begin);
    memset(room + begin, '*', stars);
    if (text.size > end)
        memcpy(room + begin + stars, text.data + end, text.size - end);
    value_set_text(value, str_from_bytes(room, begin + stars + (text.size - end)));
    return ERR_OK;
}

FILTER(url)
{
    str text;
    struct buffer made;
    (void)arguments;
    (void)count;
    err error = value_text(rendering, value, &text);
    if (error == ERR_OK)
        error = rendering_spend(rendering, text.size);
    if (error != ERR_OK)
        return error;
    buffer_init(&made, TEMPLATE_BYTES_MAX);
    escape_percent(&made, text, false);
    if (made.failed)
        error = made.nomem ? rendering_nomem(rendering)
                           : rendering_fail(rendering, "the text becomes longer than %d bytes",
                                            TEMPLATE_BYTES_MAX);
    else
        error = concat(rendering, value, buffer_str(&made), STR_NONE);
    buffer_deinit(&made);
    return error;
}
