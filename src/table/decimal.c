/* SPDX-License-Identifier: Apache-2.0 */
/* decimal: from digits to digits, without a double in between. */
#include "table/decimal.h"

#include <string.h>

#define EXPONENT_MAX 400

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Leading zeros count for the point alone. False when there is no room. */
static bool add_digit(struct decimal *decimal, char digit, bool fraction)
{
    if (decimal->count == 0 && digit == '0') {
        decimal->point -= fraction;
        return true;
    }
    if (decimal->count == DECIMAL_DIGITS_MAX)
        return false;
    decimal->digits[decimal->count++] = digit;
    decimal->point += !fraction;
    return true;
}

static bool parse_exponent(str text, size_t at, int *exponent)
{
    bool negative = at < text.size && text.data[at] == '-';
    if (at < text.size && (text.data[at] == '-' || text.data[at] == '+'))
        at++;
    if (at == text.size)
        return false;
    for (; at < text.size; at++) {
        if (!is_digit(text.data[at]) || *exponent > EXPONENT_MAX)
            return false;
        *exponent = *exponent * 10 + (text.data[at] - '0');
    }
    if (negative)
        *exponent = -*exponent;
    return true;
}

bool decimal_parse(str text, struct decimal *out)
{
    size_t at = 0, digits = 0;
    bool fraction = false;
    out->count = 0;
    out->point = 0;
    out->exponent = false;
    out->negative = text.size > 0 && text.data[0] == '-';
    at += out->negative;
    for (; at < text.size; at++) {
        if (text.data[at] == '.' && !fraction && digits > 0) {
            fraction = true;
            continue;
        }
        if (!is_digit(text.data[at]))
            break;
        digits++;
        if (!add_digit(out, text.data[at], fraction))
            return false;
    }
    int exponent = 0;
    if (digits == 0)
        return false;
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        out->exponent = true;
        if (!parse_exponent(text, at + 1, &exponent))
            return false;
    } else if (at < text.size) {
        return false;
    }
    while (out->count > 0 && out->digits[out->count - 1] == '0')
        out->count--;
    out->point = out->count > 0 ? out->point + exponent : 0;
    return true;
}

static void append_zeros(struct buffer *out, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append_byte(out, '0');
}

bool decimal_write(const struct decimal *decimal, struct buffer *out)
{
    int count = (int)decimal->count, point = decimal->point;
    if (point > DECIMAL_DIGITS_MAX || point < -DECIMAL_DIGITS_MAX)
        return false;
    if (count == 0) {
        buffer_append_byte(out, '0');
        return true;
    }
    if (decimal->negative)
        buffer_append_byte(out, '-');
    if (point <= 0) {
        buffer_append_str(out, STR("0."));
        append_zeros(out, -point);
        buffer_append(out, decimal->digits, decimal->count);
        return true;
    }
    int whole = point < count ? point : count;
    buffer_append(out, decimal->digits, (size_t)whole);
    append_zeros(out, point - whole);
    if (whole < count) {
        buffer_append_byte(out, '.');
        buffer_append(out, decimal->digits + whole, (size_t)(count - whole));
    }
    return true;
}

static bool is_integer(const struct decimal *decimal)
{
    return decimal->point >= (int)decimal->count;
}

bool decimal_is_beyond_double(const struct decimal *decimal)
{
    static const char limit[] = "9007199254740992"; /* 2^53, 16 digits */
    if (!is_integer(decimal) || decimal->point < 16)
        return false;
    if (decimal->point > 16)
        return true;
    for (unsigned i = 0; i < 16; i++) {
        char digit = i < decimal->count ? decimal->digits[i] : '0';
        if (digit != limit[i])
            return digit > limit[i];
    }
    return false;
}

bool decimal_is_rounded_by_excel(const struct decimal *decimal)
{
    return is_integer(decimal) && decimal->point >= 16 &&
           (decimal->count < 16 || decimal_is_beyond_double(decimal));
}
