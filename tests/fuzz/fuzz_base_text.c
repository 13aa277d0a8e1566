/* SPDX-License-Identifier: Apache-2.0 */
/* Small decoders of text: numbers, times, durations, money, UTF-8; and cursors over anything. */
#include <math.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/money.h"
#include "base/str.h"

static void check_time(str text)
{
    char out[TIME_TEXT_BYTES];
    int64_t ms, back;
    if (!time_parse(text, 480, &ms))
        return;
    time_format_utc(ms, out);
    INVARIANT(time_parse(str_from_c(out), 0, &back) && back == ms);
}

static void check_numbers(str text)
{
    int64_t whole, minor;
    uint64_t magnitude;
    double decimal;
    if (str_to_int64(text, &whole) && whole > 0)
        INVARIANT(str_to_uint64(text, &magnitude) && magnitude == (uint64_t)whole);
    if (str_to_double(text, &decimal))
        INVARIANT(isfinite(decimal));
    if (money_from_text(text, 2, &minor))
        INVARIANT(minor >= -MONEY_MINOR_MAX && minor <= MONEY_MINOR_MAX);
    if (money_line_from_text(text, STR("3"), 2, &minor))
        INVARIANT(minor >= -MONEY_MINOR_MAX && minor <= MONEY_MINOR_MAX);
    (void)duration_parse(text, &whole);
}

static void check_cuts(str text)
{
    str trimmed = str_trim(text);
    INVARIANT(str_equal(str_trim(trimmed), trimmed));
    if (!str_is_utf8(text))
        return;
    INVARIANT(str_is_utf8(trimmed));
    for (size_t max = 0; max <= text.size && max < 64; max++) {
        size_t size = str_utf8_prefix_bytes(text, max);
        INVARIANT(size <= max && max - size < 4 && str_is_utf8(str_slice(text, 0, size)));
    }
}

/* Whatever the bytes say, a cursor stays in them; what it reads is written as it was. */
static void check_cursor(str text)
{
    struct cursor cursor = cursor_over(text);
    struct buffer out;
    buffer_init(&out, 1 << 20);
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        const uint8_t *start = cursor.next;
        uint64_t value = read_varint(&cursor);
        if (cursor.failed)
            break;
        buffer_clear(&out);
        write_varint(&out, value);
        INVARIANT(
            str_equal(buffer_str(&out), str_from_bytes(start, (size_t)(cursor.next - start))));
        str piece = read_text(&cursor);
        INVARIANT(piece.size <= text.size);
    }
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_from_bytes(data, size);
    check_time(text);
    check_numbers(text);
    check_cuts(text);
    check_cursor(text);
    return 0;
}
