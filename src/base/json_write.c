/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON into a buffer. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/number.h"

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

/* Bytes at the start of `text` that need no escape: not a control character, quote, backslash. */
static size_t plain_bytes(str text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    size_t i = 0;
    for (; text.size - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof word);
        uint64_t quote = word ^ (ones * '"');
        uint64_t backslash = word ^ (ones * '\\');
        uint64_t control = (word - ones * 0x20) & ~word;
        if (((control | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs) != 0)
            break;
    }
    for (; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < 0x20 || c == '"' || c == '\\')
            break;
    }
    return i;
}

static void write_escaped(struct buffer *out, unsigned char c)
{
    static const char short_forms[][3] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f",
        ['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
    };
    if (c < sizeof short_forms / sizeof short_forms[0] && short_forms[c][0] != '\0')
        buffer_append(out, short_forms[c], 2);
    else
        buffer_printf(out, "\\u%04x", c);
}

void json_write_text(struct buffer *out, str text)
{
    buffer_append_byte(out, '"');
    while (text.size > 0) {
        size_t plain = plain_bytes(text);
        buffer_append(out, text.data, plain);
        if (plain == text.size)
            break;
        write_escaped(out, (unsigned char)text.data[plain]);
        text = str_slice(text, plain + 1, text.size);
    }
    buffer_append_byte(out, '"');
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
    if ((writer->has_member & level_bit(writer)) != 0)
        buffer_append_byte(writer->out, ',');
    writer->has_member |= level_bit(writer);
    json_write_text(writer->out, key);
    buffer_append_byte(writer->out, ':');
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
    json_put_text(writer, str_from_c(text));
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
