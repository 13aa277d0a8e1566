/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals to minor units: exact digits, rounded once, half to even. */
#include "base/money.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

/* More digits than this have no exact product of two in 128 bits; leading and trailing zeros do not
 * count. No price has them. */
#define DECIMAL_DIGITS_MAX 18

__extension__ typedef unsigned __int128 wide;

/* value = ±coefficient × 10^exponent */
struct decimal {
    uint64_t coefficient;
    int exponent;
    bool negative;
};

/* ISO 4217 (amendment 175): all currencies whose minor unit is not 2, and the common ones that are;
 * of others 2 is assumed. */
static const struct {
    char code[4];
    int digits;
} currencies[] = {
    { "CNY", 2 }, { "USD", 2 }, { "EUR", 2 }, { "GBP", 2 }, { "HKD", 2 }, { "TWD", 2 },
    { "MOP", 2 }, { "SGD", 2 }, { "MYR", 2 }, { "THB", 2 }, { "AUD", 2 }, { "NZD", 2 },
    { "CAD", 2 }, { "CHF", 2 }, { "SEK", 2 }, { "NOK", 2 }, { "DKK", 2 }, { "PLN", 2 },
    { "CZK", 2 }, { "HUF", 2 }, { "RON", 2 }, { "BGN", 2 }, { "TRY", 2 }, { "RUB", 2 },
    { "UAH", 2 }, { "KZT", 2 }, { "ILS", 2 }, { "AED", 2 }, { "SAR", 2 }, { "QAR", 2 },
    { "EGP", 2 }, { "ZAR", 2 }, { "NGN", 2 }, { "KES", 2 }, { "INR", 2 }, { "PKR", 2 },
    { "BDT", 2 }, { "LKR", 2 }, { "PHP", 2 }, { "IDR", 2 }, { "KHR", 2 }, { "LAK", 2 },
    { "MMK", 2 }, { "MNT", 2 }, { "BRL", 2 }, { "ARS", 2 }, { "MXN", 2 }, { "COP", 2 },
    { "PEN", 2 }, { "UYU", 2 }, { "CNH", 2 }, { "JPY", 0 }, { "KRW", 0 }, { "VND", 0 },
    { "BIF", 0 }, { "CLP", 0 }, { "DJF", 0 }, { "GNF", 0 }, { "ISK", 0 }, { "KMF", 0 },
    { "PYG", 0 }, { "RWF", 0 }, { "UGX", 0 }, { "UYI", 0 }, { "VUV", 0 }, { "XAF", 0 },
    { "XOF", 0 }, { "XPF", 0 }, { "BHD", 3 }, { "IQD", 3 }, { "JOD", 3 }, { "KWD", 3 },
    { "LYD", 3 }, { "OMR", 3 }, { "TND", 3 }, { "CLF", 4 }, { "UYW", 4 },
};

int currency_minor_digits(str currency, bool *known)
{
    for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++)
        if (str_equal_ignoring_case(currency, str_from_bytes(currencies[i].code, 3))) {
            if (known != NULL)
                *known = true;
            return currencies[i].digits;
        }
    if (known != NULL)
        *known = false;
    return 2;
}

/* Quotient rounded half to even. */
static wide divide_half_even(wide value, wide divisor)
{
    wide quotient = value / divisor;
    wide rest = value % divisor;
    wide to_next = divisor - rest;
    if (rest > to_next || (rest == to_next && (quotient & 1) != 0))
        quotient++;
    return quotient;
}

/* ±coefficient × 10^exponent → units of 10^-minor_digits. */
static bool round_to_minor(wide coefficient, int exponent, bool negative, int minor_digits,
                           int64_t *out_minor)
{
    int shift = exponent + minor_digits;
    for (; shift > 0 && coefficient > 0; shift--) {
        coefficient *= 10;
        if (coefficient > (wide)MONEY_MINOR_MAX)
            return false;
    }
    if (shift < -38) { /* less than half a unit: 10^38 is above any coefficient */
        coefficient = 0;
    } else if (shift < 0) {
        wide divisor = 1;
        for (int i = shift; i < 0; i++)
            divisor *= 10;
        coefficient = divide_half_even(coefficient, divisor);
    }
    if (coefficient > (wide)MONEY_MINOR_MAX)
        return false;
    *out_minor = negative ? -(int64_t)coefficient : (int64_t)coefficient;
    return true;
}

static bool take_prefix(str *text, str prefix)
{
    if (!str_starts_with(*text, prefix))
        return false;
    *text = str_slice(*text, prefix.size, text->size);
    return true;
}

/* A sign and a currency sign, in either order, each at most once. */
static bool take_signs(str *text)
{
    static const char *const currency_signs[] = { "¥", "￥", "$", "€", "£" };
    bool negative = false, signed_once = false, currency_once = false, more = true;
    while (more) {
        more = false;
        if (!signed_once && (take_prefix(text, STR("-")) || take_prefix(text, STR("−")))) {
            negative = signed_once = more = true;
        } else if (!signed_once && take_prefix(text, STR("+"))) {
            signed_once = more = true;
        }
        for (size_t i = 0; i < sizeof currency_signs / sizeof currency_signs[0]; i++)
            if (!currency_once && take_prefix(text, str_from_c(currency_signs[i])))
                currency_once = more = true;
        if (more)
            *text = str_trim(*text);
    }
    return negative;
}

/* Commas stand between groups of three, or nowhere: "1,5" may mean 1.5 or 15 and is refused. */
static bool commas_are_thousands(str whole)
{
    if (str_find_byte(whole, ',') == whole.size)
        return true;
    str group;
    bool first = true;
    while (str_split(&whole, ',', &group)) {
        if (first ? group.size < 1 || group.size > 3 : group.size != 3)
            return false;
        first = false;
    }
    return true;
}

/* The digits of a number without its sign, at most one point, no exponent. */
static bool read_digits(str text, struct decimal *out)
{
    size_t point = str_find_byte(text, '.');
    str whole = str_slice(text, 0, point);
    str fraction = str_slice(text, point + 1, text.size);
    if (!commas_are_thousands(whole) || (point < text.size && fraction.size == 0) ||
        (whole.size == 0 && fraction.size == 0))
        return false;
    int pending_zeros = 0, digits = 0;
    out->coefficient = 0;
    out->exponent = 0;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (i == point || (c == ',' && i < point))
            continue;
        if (c < '0' || c > '9')
            return false;
        /* Zeros wait: at the end of a fraction they say nothing. */
        pending_zeros++;
        if (i > point)
            out->exponent--;
        if (c == '0')
            continue;
        for (; pending_zeros > 0; pending_zeros--) {
            digits += out->coefficient > 0 || pending_zeros == 1;
            if (digits > DECIMAL_DIGITS_MAX)
                return false;
            out->coefficient =
                out->coefficient * 10 + (pending_zeros == 1 ? (uint64_t)(c - '0') : 0);
        }
    }
    out->exponent += pending_zeros;
    return true;
}

static bool decimal_from_text(str text, struct decimal *out)
{
    text = str_trim(text);
    out->negative = take_signs(&text);
    return read_digits(text, out);
}

static bool decimal_from_double(double value, struct decimal *out)
{
    if (!isfinite(value))
        return false;
    struct number_digits number;
    number_shortest(value, &number);
    out->coefficient = 0;
    for (size_t i = 0; i < number.count; i++)
        out->coefficient = out->coefficient * 10 + (uint64_t)(number.digits[i] - '0');
    out->exponent = number.point - (int)number.count;
    out->negative = number.negative != 0;
    return true;
}

static bool decimal_to_minor(const struct decimal *decimal, int minor_digits, int64_t *out_minor)
{
    return round_to_minor(decimal->coefficient, decimal->exponent, decimal->negative, minor_digits,
                          out_minor);
}

static bool product_to_minor(const struct decimal *price, const struct decimal *quantity,
                             int minor_digits, int64_t *out_minor)
{
    return round_to_minor((wide)price->coefficient * quantity->coefficient,
                          price->exponent + quantity->exponent,
                          price->negative != quantity->negative, minor_digits, out_minor);
}

bool money_from_text(str text, int minor_digits, int64_t *out_minor)
{
    struct decimal decimal;
    return decimal_from_text(text, &decimal) && decimal_to_minor(&decimal, minor_digits, out_minor);
}

bool money_from_double(double value, int minor_digits, int64_t *out_minor)
{
    struct decimal decimal;
    return decimal_from_double(value, &decimal) &&
           decimal_to_minor(&decimal, minor_digits, out_minor);
}

bool money_line_from_text(str price, str quantity, int minor_digits, int64_t *out_minor)
{
    struct decimal one, many;
    return decimal_from_text(price, &one) && decimal_from_text(quantity, &many) &&
           product_to_minor(&one, &many, minor_digits, out_minor);
}

bool money_line_from_double(double price, double quantity, int minor_digits, int64_t *out_minor)
{
    struct decimal one, many;
    return decimal_from_double(price, &one) && decimal_from_double(quantity, &many) &&
           product_to_minor(&one, &many, minor_digits, out_minor);
}
