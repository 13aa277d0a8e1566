/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON into a buffer. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_text.h"
#include "base/number.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define UINT_DIGITS_MAX 20

void json_write_uint(struct buffer *out, uint64_t value)
{
    char digits[UINT_DIGITS_MAX];
    size_t begin = sizeof digits;
    do {
        digits[--begin] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buffer_append(out, digits + begin, sizeof digits - begin);
}

void json_write_int(struct buffer *out, int64_t value)
{
    if (value < 0)
        buffer_append_byte(out, '-');
    json_write_uint(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* Whether none of the eight bytes needs an escape (the classic test for a zero byte, thrice). */
static bool is_plain_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quote = word ^ (ones * '"');
    uint64_t backslash = word ^ (ones * '\\');
    uint64_t found = ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
                     ((backslash - ones) & ~backslash);
    return (found & (ones * 0x80)) == 0;
}

/* Whether a text of at most 16 bytes is plain: most keys and values are that short. */
static bool is_plain_short(str text)
{
    uint64_t first = 0, last = 0;
    if (text.size >= 8) { /* two words that overlap */
        memcpy(&first, text.data, 8);
        memcpy(&last, text.data + text.size - 8, 8);
        return is_plain_word(first) && is_plain_word(last);
    }
    if (text.size >= 4) { /* two halves of one word */
        uint32_t low, high;
        memcpy(&low, text.data, 4);
        memcpy(&high, text.data + text.size - 4, 4);
        return is_plain_word((uint64_t)high << 32 | low);
    }
    for (size_t i = 0; i < text.size; i++)
        if (!is_plain((unsigned char)text.data[i]))
            return false;
    return true;
}

/* Bytes at the start of `text` that need no escape: not a control character, quote, backslash. */
static size_t plain_bytes(str text)
{
    size_t i = 0;
    if (text.size <= 16 && is_plain_short(text))
        return text.size;
#ifdef __SSE2__
    const __m128i quotes = _mm_set1_epi8('"'), backslashes = _mm_set1_epi8('\\');
    const __m128i controls = _mm_set1_epi8(0x1F);
    for (; text.size - i >= 16; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i_u *)(const void *)(text.data + i));
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, controls), bytes);
        __m128i named =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslashes));
        unsigned found = (unsigned)_mm_movemask_epi8(_mm_or_si128(low, named));
        if (found != 0)
            return i + (unsigned)__builtin_ctz(found);
    }
    if (i > 0 && is_plain_short(str_slice(text, i, text.size)))
        return text.size;
#endif
    while (i < text.size && is_plain((unsigned char)text.data[i]))
        i++;
    return i;
}

static void write_escaped(struct buffer *out, unsigned char c)
{
    static const char short_forms[][3] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",  ['\f'] = "\\f",
        ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
    };
    if (c < sizeof short_forms / sizeof short_forms[0] && short_forms[c][0] != '\0')
        buffer_append(out, short_forms[c], 2);
    else
        buffer_printf(out, "\\u%04x", c);
}

/* Behind its first quote, with what needs an escape somewhere. */
static void write_rest(struct buffer *out, str text, size_t plain)
{
    for (;;) {
        buffer_append(out, text.data, plain);
        if (plain == text.size)
            return;
        write_escaped(out, (unsigned char)text.data[plain]);
        text = str_slice(text, plain + 1, text.size);
        plain = plain_bytes(text);
    }
}

void json_write_quoted(struct buffer *out, char before, str text, char after)
{
    size_t plain = plain_bytes(text);
    if (plain < text.size) {
        if (before != '\0')
            buffer_append_byte(out, (uint8_t)before);
        buffer_append_byte(out, '"');
        write_rest(out, text, plain);
        buffer_append_byte(out, '"');
        if (after != '\0')
            buffer_append_byte(out, (uint8_t)after);
        return;
    }
    /* The common case asks for room once. */
    size_t size = text.size + 2 + (before != '\0') + (after != '\0');
    char *at = buffer_reserve(out, size);
    if (at == NULL)
        return;
    if (before != '\0')
        *at++ = before;
    *at++ = '"';
    if (text.size > 0)
        memcpy(at, text.data, text.size);
    at += text.size;
    *at++ = '"';
    if (after != '\0')
        *at = after;
    buffer_advance(out, size);
}

void json_write_text(struct buffer *out, str text)
{
    json_write_quoted(out, '\0', text, '\0');
}

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){ .out = out };
}

static uint64_t level_bit(const struct json_writer *writer)
{
    return UINT64_C(1) << (writer->depth - 1);
}

/* In front of a value: its comma in an array; in an object the key has written it. */
static void before_value(struct json_writer *writer)
{
    if (writer->depth == 0)
        return;
    if ((writer->is_object & level_bit(writer)) != 0) {
        INVARIANT(writer->after_key);
        writer->after_key = false;
    } else {
        if ((writer->has_member & level_bit(writer)) != 0)
            buffer_append_byte(writer->out, ',');
        writer->has_member |= level_bit(writer);
    }
}

static void begin_container(struct json_writer *writer, bool is_object)
{
    before_value(writer);
    INVARIANT(writer->depth < JSON_DEPTH_MAX);
    writer->depth++;
    writer->has_member &= ~level_bit(writer);
    if (is_object)
        writer->is_object |= level_bit(writer);
    else
        writer->is_object &= ~level_bit(writer);
    buffer_append_byte(writer->out, is_object ? '{' : '[');
}

static void end_container(struct json_writer *writer, bool is_object)
{
    INVARIANT(writer->depth > 0 && !writer->after_key);
    INVARIANT(((writer->is_object & level_bit(writer)) != 0) == is_object);
    writer->depth--;
    buffer_append_byte(writer->out, is_object ? '}' : ']');
}

void json_begin_object(struct json_writer *writer)
{
    begin_container(writer, true);
}

void json_end_object(struct json_writer *writer)
{
    end_container(writer, true);
}

void json_begin_array(struct json_writer *writer)
{
    begin_container(writer, false);
}

void json_end_array(struct json_writer *writer)
{
    end_container(writer, false);
}

void json_put_key(struct json_writer *writer, str key)
{
    INVARIANT(writer->depth > 0 && (writer->is_object & level_bit(writer)) != 0);
    INVARIANT(!writer->after_key);
    char comma = (writer->has_member & level_bit(writer)) != 0 ? ',' : '\0';
    writer->has_member |= level_bit(writer);
    json_write_quoted(writer->out, comma, key, ':');
    writer->after_key = true;
}

void json_put_text(struct json_writer *writer, str text)
{
    before_value(writer);
    json_write_text(writer->out, text);
}

void json_put_int(struct json_writer *writer, int64_t value)
{
    before_value(writer);
    json_write_int(writer->out, value);
}

void json_put_uint(struct json_writer *writer, uint64_t value)
{
    before_value(writer);
    json_write_uint(writer->out, value);
}

void json_put_double(struct json_writer *writer, double value)
{
    if (!isfinite(value)) {
        json_put_null(writer);
        return;
    }
    before_value(writer);
    char *room = buffer_reserve(writer->out, NUMBER_TEXT_BYTES);
    if (room != NULL)
        buffer_advance(writer->out, number_format(value, room));
}

void json_put_bool(struct json_writer *writer, bool value)
{
    json_put_raw(writer, value ? STR("true") : STR("false"));
}

void json_put_null(struct json_writer *writer)
{
    json_put_raw(writer, STR("null"));
}

void json_put_raw(struct json_writer *writer, str json)
{
    before_value(writer);
    buffer_append_str(writer->out, json);
}

void json_put_time(struct json_writer *writer, int64_t time_ms)
{
    char text[TIME_TEXT_BYTES];
    time_format_utc(time_ms, text);
    before_value(writer);
    size_t size = strlen(text);
    char *at = buffer_reserve(writer->out, size + 2);
    if (at == NULL)
        return;
    at[0] = '"';
    memcpy(at + 1, text, size);
    at[size + 1] = '"';
    buffer_advance(writer->out, size + 2);
}

void json_member_text(struct json_writer *writer, str key, str text)
{
    json_put_key(writer, key);
    json_put_text(writer, text);
}

void json_member_int(struct json_writer *writer, str key, int64_t value)
{
    json_put_key(writer, key);
    json_put_int(writer, value);
}

void json_member_bool(struct json_writer *writer, str key, bool value)
{
    json_put_key(writer, key);
    json_put_bool(writer, value);
}

void json_member_time(struct json_writer *writer, str key, int64_t time_ms)
{
    json_put_key(writer, key);
    json_put_time(writer, time_ms);
}

void json_member_raw(struct json_writer *writer, str key, str json)
{
    json_put_key(writer, key);
    json_put_raw(writer, json);
}
