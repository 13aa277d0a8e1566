/* SPDX-License-Identifier: Apache-2.0 */
/* The standard library's shortest and exact conversions (std::to_chars, std::from_chars), which C
 * has not: strtod and printf follow the locale and print more digits than a value needs. */
#include "base/number.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

extern "C" {
#include "base/str.h"
}

/* to_chars gives "d.ddde±xx" with the fewest digits. */
void number_shortest(double value, struct number_digits *out)
{
    char text[NUMBER_TEXT_BYTES];
    auto result =
        std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::scientific);
    const char *end = result.ptr;
    const char *mark =
        static_cast<const char *>(std::memchr(text, 'e', static_cast<size_t>(end - text)));
    out->count = 0;
    for (const char *at = text; at < mark; at++)
        if (*at != '.')
            out->digits[out->count++] = *at;
    int exponent = 0;
    for (const char *at = mark + 2; at < end; at++)
        exponent = exponent * 10 + (*at - '0');
    out->point = (mark[1] == '-' ? -exponent : exponent) + 1;
    out->negative = std::signbit(value) ? 1 : 0;
}

static char *put_zeros(char *at, int count)
{
    for (; count > 0; count--)
        *at++ = '0';
    return at;
}

static char *put_digits(char *at, const struct number_digits &number, int begin, int end)
{
    std::memcpy(at, number.digits + begin, static_cast<size_t>(end - begin));
    return at + (end - begin);
}

/* As ECMA-262 lays out a Number, with a smaller limit above: an integer that a reader may take for
 * more than 64 bits is written with an exponent, and so is one whose shortest digits, filled up with
 * zeros, are another integer than the double (from 10^16 on: 99999999999999984 is 9.999…8e16). */
size_t number_format(double value, char out[NUMBER_TEXT_BYTES])
{
    struct number_digits number = {};
    number_shortest(value, &number);
    int count = static_cast<int>(number.count);
    bool inexact = number.point > 16 && count < number.point;
    char *at = out;
    if (number.negative)
        *at++ = '-';
    if (value == 0 && number.negative) { /* "-0" would read back as the integer 0 */
        std::memcpy(at, "0.0", 3);
        at += 3;
    } else if (number.point > 17 || number.point < -5 || inexact) {
        *at++ = number.digits[0];
        if (count > 1) {
            *at++ = '.';
            at = put_digits(at, number, 1, count);
        }
        *at++ = 'e';
        at = std::to_chars(at, out + NUMBER_TEXT_BYTES, number.point - 1).ptr;
    } else if (number.point <= 0) {
        *at++ = '0';
        *at++ = '.';
        at = put_zeros(at, -number.point);
        at = put_digits(at, number, 0, count);
    } else if (count <= number.point) {
        at = put_digits(at, number, 0, count);
        at = put_zeros(at, number.point - count);
    } else {
        at = put_digits(at, number, 0, number.point);
        *at++ = '.';
        at = put_digits(at, number, number.point, count);
    }
    return static_cast<size_t>(at - out);
}

/* from_chars alone would take "inf", "nan" and "1." as well. */
static bool is_decimal(str text)
{
    size_t i = text.size > 0 && text.data[0] == '-' ? 1 : 0;
    auto digits = [&]() {
        size_t begin = i;
        while (i < text.size && text.data[i] >= '0' && text.data[i] <= '9')
            i++;
        return i > begin;
    };
    if (!digits())
        return false;
    if (i < text.size && text.data[i] == '.') {
        i++;
        if (!digits())
            return false;
    }
    if (i < text.size && (text.data[i] == 'e' || text.data[i] == 'E')) {
        i++;
        if (i < text.size && (text.data[i] == '+' || text.data[i] == '-'))
            i++;
        if (!digits())
            return false;
    }
    return i == text.size;
}

bool str_to_double(str text, double *out)
{
    double value;
    if (!is_decimal(text))
        return false;
    auto result = std::from_chars(text.data, text.data + text.size, value);
    /* 1e-400 is out of range as 1e400 is: what cannot be kept is refused. */
    if (result.ec != std::errc() || result.ptr != text.data + text.size)
        return false;
    *out = value;
    return true;
}
