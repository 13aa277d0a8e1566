/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals on 128-bit integers. */
#include "mapping/exact.h"

#include "base/error.h"

#define COEFFICIENT_DIGITS_MAX 36

__extension__ typedef unsigned __int128 wide_unsigned;

static const int64_t small_powers[EXACT_SCALE_MAX + 1] = {
    INT64_C(1),
    INT64_C(10),
    INT64_C(100),
    INT64_C(1000),
    INT64_C(10000),
    INT64_C(100000),
    INT64_C(1000000),
    INT64_C(10000000),
    INT64_C(100000000),
    INT64_C(1000000000),
    INT64_C(10000000000),
    INT64_C(100000000000),
    INT64_C(1000000000000),
    INT64_C(10000000000000),
    INT64_C(100000000000000),
    INT64_C(1000000000000000),
    INT64_C(10000000000000000),
    INT64_C(100000000000000000),
    INT64_C(1000000000000000000),
};

static exact_wide coefficient_max(void)
{
    return (exact_wide)small_powers[18] * small_powers[18] - 1;
}

static bool fits(exact_wide coefficient)
{
    return coefficient <= coefficient_max() && coefficient >= -coefficient_max();
}

/* ---- rounding ---- */

static exact_wide divide_half_even(exact_wide value, exact_wide divisor)
{
    bool negative = (value < 0) != (divisor < 0);
    wide_unsigned size = value < 0 ? -(wide_unsigned)value : (wide_unsigned)value;
    wide_unsigned by = divisor < 0 ? -(wide_unsigned)divisor : (wide_unsigned)divisor;
    wide_unsigned quotient = size / by, rest = size % by, to_next = by - rest;
    if (rest > to_next || (rest == to_next && (quotient & 1) != 0))
        quotient++;
    return negative ? -(exact_wide)quotient : (exact_wide)quotient;
}

struct exact exact_round(struct exact value, int digits)
{
    INVARIANT(digits >= 0 && digits <= EXACT_SCALE_MAX);
    if (value.scale <= digits)
        return value;
    exact_wide divisor = small_powers[value.scale - digits];
    return (struct exact){ divide_half_even(value.coefficient, divisor), digits };
}

struct exact exact_floor(struct exact value)
{
    exact_wide divisor = small_powers[value.scale];
    exact_wide quotient = value.coefficient / divisor;
    if (value.coefficient % divisor < 0)
        quotient--;
    return (struct exact){ quotient, 0 };
}

/* ---- reading ---- */

struct reader {
    str text;
    size_t at;
};

static bool is_digit(const struct reader *reader)
{
    return reader->at < reader->text.size && reader->text.data[reader->at] >= '0' &&
           reader->text.data[reader->at] <= '9';
}

static bool take(struct reader *reader, char c)
{
    if (reader->at >= reader->text.size || reader->text.data[reader->at] != c)
        return false;
    reader->at++;
    return true;
}

/* Digits into `*coefficient`; false when they do not fit. */
static bool take_digits(struct reader *reader, exact_wide *coefficient, size_t *count)
{
    for (*count = 0; is_digit(reader); reader->at++, (*count)++) {
        *coefficient = *coefficient * 10 + (reader->text.data[reader->at] - '0');
        if (!fits(*coefficient))
            return false;
    }
    return true;
}

static bool take_exponent(struct reader *reader, int *out)
{
    bool negative = take(reader, '-');
    int value = 0;
    if (!negative)
        (void)take(reader, '+');
    if (!is_digit(reader))
        return false;
    for (; is_digit(reader) && value < 1000; reader->at++)
        value = value * 10 + (reader->text.data[reader->at] - '0');
    *out = negative ? -value : value;
    return true;
}

/* Bring `scale` into its range without losing a digit. */
static bool settle(exact_wide coefficient, int scale, struct exact *out)
{
    while (scale > 0 && coefficient % 10 == 0 && (scale > EXACT_SCALE_MAX || coefficient == 0)) {
        coefficient /= 10;
        scale--;
    }
    if (scale > EXACT_SCALE_MAX)
        return false;
    for (; scale < 0; scale++) {
        coefficient *= 10;
        if (!fits(coefficient))
            return false;
    }
    *out = (struct exact){ coefficient, scale };
    return true;
}

bool exact_parse(str text, bool exponent, struct exact *out)
{
    struct reader reader = { .text = text };
    exact_wide coefficient = 0;
    size_t whole, fraction = 0;
    int power = 0;
    bool negative = take(&reader, '-');
    if (!negative)
        (void)take(&reader, '+');
    if (!take_digits(&reader, &coefficient, &whole))
        return false;
    if (take(&reader, '.') &&
        (!take_digits(&reader, &coefficient, &fraction) || (fraction == 0 && whole == 0)))
        return false;
    if (whole + fraction == 0)
        return false;
    if (exponent && (take(&reader, 'e') || take(&reader, 'E')) && !take_exponent(&reader, &power))
        return false;
    if (reader.at < text.size)
        return false;
    return settle(negative ? -coefficient : coefficient, (int)fraction - power, out);
}

struct exact exact_from_int(int64_t value)
{
    return (struct exact){ value, 0 };
}

/* ---- arithmetic ---- */

/* Both at the larger scale. */
static bool align(struct exact *a, struct exact *b)
{
    struct exact *finer = a->scale >= b->scale ? a : b, *coarser = finer == a ? b : a;
    int shift = finer->scale - coarser->scale;
    exact_wide grown;
    if (__builtin_mul_overflow(coarser->coefficient, (exact_wide)small_powers[shift], &grown))
        return false;
    coarser->coefficient = grown;
    coarser->scale = finer->scale;
    return true;
}

bool exact_add(struct exact a, struct exact b, struct exact *out)
{
    exact_wide sum;
    if (!align(&a, &b) || __builtin_add_overflow(a.coefficient, b.coefficient, &sum) || !fits(sum))
        return false;
    *out = (struct exact){ sum, a.scale };
    return true;
}

bool exact_subtract(struct exact a, struct exact b, struct exact *out)
{
    b.coefficient = -b.coefficient;
    return exact_add(a, b, out);
}

bool exact_multiply(struct exact a, struct exact b, struct exact *out)
{
    exact_wide product;
    if (__builtin_mul_overflow(a.coefficient, b.coefficient, &product))
        return false;
    int scale = a.scale + b.scale;
    if (scale > EXACT_SCALE_MAX) {
        product = divide_half_even(product, small_powers[scale - EXACT_SCALE_MAX]);
        scale = EXACT_SCALE_MAX;
    }
    if (!fits(product))
        return false;
    *out = (struct exact){ product, scale };
    return true;
}

/* a / b = (a.c × 10^(12 + b.scale)) / (b.c × 10^a.scale): both sides have to fit in 128 bits. */
bool exact_divide(struct exact a, struct exact b, struct exact *out)
{
    exact_wide above = a.coefficient, below = b.coefficient;
    int shift = EXACT_QUOTIENT_SCALE + b.scale - a.scale;
    if (below == 0)
        return false;
    for (; shift > 0; shift--)
        if (__builtin_mul_overflow(above, 10, &above))
            return false;
    for (; shift < 0; shift++)
        if (__builtin_mul_overflow(below, 10, &below))
            return false;
    exact_wide quotient = divide_half_even(above, below);
    if (!fits(quotient))
        return false;
    *out = (struct exact){ quotient, EXACT_QUOTIENT_SCALE };
    return true;
}

int exact_compare(struct exact a, struct exact b)
{
    if (!align(&a, &b)) {
        /* One of them is beyond the other's reach: the coarser, which did not fit, is the larger in size. */
        struct exact larger = a.scale < b.scale ? a : b;
        int sign = larger.coefficient < 0 ? -1 : 1;
        return a.scale < b.scale ? sign : -sign;
    }
    return a.coefficient < b.coefficient ? -1 : a.coefficient > b.coefficient;
}

bool exact_is_whole(struct exact value)
{
    return value.coefficient % small_powers[value.scale] == 0;
}

bool exact_to_int(struct exact value, int64_t *out)
{
    exact_wide whole = value.coefficient / small_powers[value.scale];
    if (!exact_is_whole(value) || whole > INT64_MAX || whole < INT64_MIN)
        return false;
    *out = (int64_t)whole;
    return true;
}

size_t exact_write(struct exact value, char out[EXACT_TEXT_BYTES])
{
    char digits[COEFFICIENT_DIGITS_MAX + EXACT_SCALE_MAX];
    size_t count = 0, size = 0;
    wide_unsigned left = value.coefficient < 0 ? -(wide_unsigned)value.coefficient
                                               : (wide_unsigned)value.coefficient;
    int scale = value.scale;
    while (scale > 0 && left % 10 == 0) {
        left /= 10;
        scale--;
    }
    if (left == 0)
        scale = 0;
    /* Most numbers of files are small: 64-bit division is several times quicker. */
    while (left > UINT64_MAX || count <= (size_t)scale || left > 0) {
        if (left <= UINT64_MAX) {
            uint64_t quick = (uint64_t)left;
            for (; count <= (size_t)scale || quick > 0; quick /= 10)
                digits[count++] = (char)('0' + quick % 10);
            break;
        }
        digits[count++] = (char)('0' + (int)(left % 10));
        left /= 10;
    }
    if (value.coefficient < 0)
        out[size++] = '-';
    while (count > 0) {
        if (count == (size_t)scale)
            out[size++] = '.';
        out[size++] = digits[--count];
    }
    return size;
}
