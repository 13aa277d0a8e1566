/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of texts. Characters are those of UTF-8, counted from 1; texts have a maximum. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "event/normalise.h"
#include "mapping/expression.h"
#include "mapping/inside.h"

static struct value refuse_long(struct run *run)
{
    refusal_set(&run->refusal, REFUSAL_TOO_LARGE, "a text has more than %zu bytes",
                EXPRESSION_TEXT_BYTES_MAX);
    run->refused = true;
    return value_null();
}

static char *room_for(struct run *run, size_t size)
{
    if (size > EXPRESSION_TEXT_BYTES_MAX) {
        (void)refuse_long(run);
        return NULL;
    }
    char *room = arena_alloc_raw(run->arena, size + 1);
    if (room == NULL) {
        refusal_nomem(&run->refusal);
        run->refused = true;
    }
    return room;
}

static bool text_argument(struct run *run, const struct node *node, size_t index, str *out)
{
    return value_to_text(run, expression_run(run, node->arguments[index]), out) && !run->refused;
}

static bool int_argument(struct run *run, const struct node *node, size_t index, int64_t *out)
{
    struct exact number;
    bool is_null;
    if (!value_to_number(run, expression_run(run, node->arguments[index]), STR_NONE, &number,
                         &is_null) ||
        run->refused)
        return false;
    if (is_null || !exact_to_int(exact_floor(number), out))
        *out = 0;
    return true;
}

/* ---- joining and cutting ---- */

static struct value concat(struct run *run, const struct node *node)
{
    str parts[16];
    size_t size = 0, at = 0;
    for (size_t i = 0; i < node->count; i++) {
        if (!text_argument(run, node, i, &parts[i]))
            return value_null();
        size += parts[i].size;
    }
    char *out = room_for(run, size);
    for (size_t i = 0; out != NULL && i < node->count; i++) {
        if (parts[i].size > 0)
            memcpy(out + at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    return out != NULL ? value_text(str_from_bytes(out, size)) : value_null();
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* Byte at which character `index` (from 0) begins; the size of the text beyond its end. */
static size_t byte_of(str text, int64_t index)
{
    size_t at = 0;
    for (; at < text.size; at++)
        if (begins_character(text.data[at]) && index-- == 0)
            break;
    return at;
}

static int64_t characters_of(str text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += begins_character(text.data[i]);
    return count;
}

/* From 1; a negative start counts from the end: substring(x, -4) are the last four. */
static struct value substring(struct run *run, const struct node *node)
{
    str text;
    int64_t start, length = INT64_MAX;
    if (!text_argument(run, node, 0, &text) || !int_argument(run, node, 1, &start) ||
        (node->count > 2 && !int_argument(run, node, 2, &length)))
        return value_null();
    if (start < 0)
        start = characters_of(text) + (start < -(int64_t)EXPRESSION_TEXT_BYTES_MAX
                                           ? -(int64_t)EXPRESSION_TEXT_BYTES_MAX
                                           : start);
    else if (start > 0)
        start--;
    if (start < 0)
        start = 0;
    str rest = str_slice(text, byte_of(text, start), text.size);
    return length <= 0 ? value_null() : value_text(str_slice(rest, 0, byte_of(rest, length)));
}

static size_t find(str text, str part)
{
    if (part.size == 0 || part.size > text.size)
        return text.size;
    const char *at = memmem(text.data, text.size, part.data, part.size);
    return at != NULL ? (size_t)(at - text.data) : text.size;
}

/* Piece `index` between separators, from 1; from -1 the last. */
static struct value split(struct run *run, const struct node *node)
{
    str text, separator;
    int64_t index, pieces = 1;
    if (!text_argument(run, node, 0, &text) || !text_argument(run, node, 1, &separator) ||
        !int_argument(run, node, 2, &index) || separator.size == 0)
        return value_null();
    if (index < 0) {
        for (str rest = text; find(rest, separator) < rest.size; pieces++)
            rest = str_slice(rest, find(rest, separator) + separator.size, rest.size);
        index += pieces + 1;
    }
    for (; index > 1; index--) {
        size_t at = find(text, separator);
        if (at == text.size)
            return value_null();
        text = str_slice(text, at + separator.size, text.size);
    }
    return index < 1 ? value_null()
                     : value_text(str_trim(str_slice(text, 0, find(text, separator))));
}

static struct value replace(struct run *run, const struct node *node)
{
    str text, from, to;
    size_t count = 0, size = 0;
    if (!text_argument(run, node, 0, &text) || !text_argument(run, node, 1, &from) ||
        !text_argument(run, node, 2, &to))
        return value_null();
    for (str rest = text; find(rest, from) < rest.size; count++)
        rest = str_slice(rest, find(rest, from) + from.size, rest.size);
    if (count == 0)
        return value_text(text);
    char *out = room_for(run, text.size + count * to.size);
    if (out == NULL)
        return value_null();
    for (; count > 0; count--) {
        size_t at = find(text, from);
        memcpy(out + size, text.data, at);
        size += at;
        if (to.size > 0)
            memcpy(out + size, to.data, to.size);
        size += to.size;
        text = str_slice(text, at + from.size, text.size);
    }
    if (text.size > 0)
        memcpy(out + size, text.data, text.size);
    return value_text(str_from_bytes(out, size + text.size));
}

/* ---- bytes of a text, one by one ---- */

static char byte_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static char byte_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

/* ASCII alone: Chinese has no case, and other rules change with the language. */
static struct value change_case(struct run *run, str text, char (*change)(char))
{
    char *out = room_for(run, text.size);
    for (size_t i = 0; out != NULL && i < text.size; i++)
        out[i] = change(text.data[i]);
    return out != NULL ? value_text(str_from_bytes(out, text.size)) : value_null();
}

/* As an identifier of this type is kept: +8613…; null when it is none: masked, invalid, a placeholder. */
static struct value normal_form_of(struct run *run, str type, str text)
{
    str out = STR_NONE;
    if (normalise_value(type, text, run->arena, &out) != NORMAL_USABLE)
        return value_null();
    return value_text(out);
}

static struct value digest_of(struct run *run, str text, bool is_md5)
{
    char hex[DIGEST_HEX_BYTES_MAX + 1];
    if (text.size == 0)
        return value_null(); /* nothing has no digest that would tell of it */
    size_t size = is_md5 ? digest_md5_hex(text, hex) : digest_sha256_hex(text, hex);
    char *out = size > 0 ? room_for(run, size) : NULL;
    if (out == NULL)
        return value_null();
    memcpy(out, hex, size);
    return value_text(str_from_bytes(out, size));
}

static struct value half_width(struct run *run, str text)
{
    str half;
    if (cell_half_width(text, run->arena, &half, &run->refusal))
        return value_text(half);
    run->refused = true;
    return value_null();
}

static struct value digits(struct run *run, str text)
{
    struct value half = half_width(run, text);
    char *out = run->refused ? NULL : room_for(run, half.text.size);
    size_t size = 0;
    if (out == NULL || half.kind == VALUE_NULL)
        return value_null();
    for (size_t i = 0; i < half.text.size; i++)
        if (half.text.data[i] >= '0' && half.text.data[i] <= '9')
            out[size++] = half.text.data[i];
    return value_text(str_from_bytes(out, size));
}

/* ---- patterns ---- */

static struct value match(struct run *run, const struct node *node, str text)
{
    str found = STR_NONE;
    int64_t group = 1;
    if (node->kind == NODE_EXTRACT && node->count > 2 && !int_argument(run, node, 2, &group))
        return value_null();
    if (node->kind == NODE_MATCHES)
        group = 0;
    switch (regex_match(run->worker->regex, node->regex, text,
                        group < 0 || group > 99 ? 99 : (unsigned)group, &found)) {
    case REGEX_NO:
        return node->kind == NODE_MATCHES ? value_bool(false) : value_null();
    case REGEX_YES:
        return node->kind == NODE_MATCHES ? value_bool(true) : value_text(found);
    case REGEX_NOMEM:
        refusal_nomem(&run->refusal);
        run->refused = true;
        return value_null();
    case REGEX_LIMIT:
        break;
    }
    refusal_set(&run->refusal, REFUSAL_REGEX, "a regular expression takes too long on this text");
    refusal_cure(&run->refusal, "write it with fewer nested repetitions");
    run->refused = true;
    return value_null();
}

/* ---- times as text ---- */

static size_t put_field(char *out, int value, size_t digits_count)
{
    for (size_t i = digits_count; i > 0; i--, value /= 10)
        out[i - 1] = (char)('0' + value % 10);
    return digits_count;
}

/* yyyy MM dd HH mm ss of the time where the file is from; other bytes as they are. */
static struct value format_time(struct run *run, const struct node *node)
{
    char time[TIME_TEXT_BYTES];
    int64_t time_ms;
    bool is_null;
    static const struct time_format any = { .kind = TIME_AUTO };
    struct value value = expression_run(run, node->arguments[0]);
    if (run->refused ||
        !value_to_time(run, value, &any, run->zone_offset_seconds, &time_ms, &is_null) || is_null)
        return value_null();
    time_format_utc(time_ms + run->zone_offset_seconds * SECOND_MS, time);
    static const struct {
        char letter;
        uint8_t at, size;
    } fields[] = { { 'y', 0, 4 },  { 'M', 5, 2 },  { 'd', 8, 2 }, { 'H', 11, 2 },
                   { 'm', 14, 2 }, { 's', 17, 2 }, { 'S', 20, 3 } };
    str pattern = node->format.pattern;
    char *out = room_for(run, 4 * pattern.size);
    size_t size = 0;
    for (size_t i = 0; out != NULL && i < pattern.size;) {
        char letter = pattern.data[i];
        size_t run_bytes = 1, field = 0;
        while (i + run_bytes < pattern.size && pattern.data[i + run_bytes] == letter)
            run_bytes++;
        while (field < sizeof fields / sizeof fields[0] && fields[field].letter != letter)
            field++;
        if (field == sizeof fields / sizeof fields[0]) {
            out[size++] = letter;
            i++;
            continue;
        }
        int number = 0;
        for (size_t k = 0; k < fields[field].size; k++)
            number = number * 10 + (time[fields[field].at + k] - '0');
        bool plain = run_bytes == 1 && number < 10;
        size_t width = letter == 'y' && run_bytes == 2 ? 2 : plain ? 1 : fields[field].size;
        size += put_field(out + size, number, width);
        i += run_bytes;
    }
    return out != NULL ? value_text(str_from_bytes(out, size)) : value_null();
}

/* ---- all ---- */

static struct value of_two(struct run *run, const struct node *node, str text)
{
    str other;
    if (!text_argument(run, node, 1, &other))
        return value_null();
    if (node->kind == NODE_CONTAINS)
        return value_bool(other.size == 0 || str_contains(text, other));
    return value_bool(node->kind == NODE_STARTS_WITH ? str_starts_with(text, other)
                                                     : str_ends_with(text, other));
}

struct value text_function(struct run *run, const struct node *node)
{
    str text = STR_NONE;
    switch (node->kind) {
    case NODE_CONCAT:
        return concat(run, node);
    case NODE_SUBSTRING:
        return substring(run, node);
    case NODE_SPLIT:
        return split(run, node);
    case NODE_REPLACE:
        return replace(run, node);
    case NODE_FORMAT:
        return format_time(run, node);
    default:
        break;
    }
    if (!text_argument(run, node, 0, &text))
        return value_null();
    switch (node->kind) {
    case NODE_LOWER:
        return change_case(run, text, byte_lower);
    case NODE_UPPER:
        return change_case(run, text, byte_upper);
    case NODE_LENGTH:
        return value_number(exact_from_int(characters_of(text)));
    case NODE_DIGITS:
        return digits(run, text);
    case NODE_HALF_WIDTH:
        return half_width(run, text);
    case NODE_PHONE:
    case NODE_EMAIL:
        return normal_form_of(run, node->kind == NODE_PHONE ? STR("mobile") : STR("email"), text);
    case NODE_MD5:
    case NODE_SHA256:
        return digest_of(run, text, node->kind == NODE_MD5);
    case NODE_MATCHES:
    case NODE_EXTRACT:
        return match(run, node, text);
    case NODE_CONTAINS:
    case NODE_STARTS_WITH:
    case NODE_ENDS_WITH:
        return of_two(run, node, text);
    default: /* TRIM, TEXT */
        return value_text(str_trim(text));
    }
}
