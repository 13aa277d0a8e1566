/* SPDX-License-Identifier: Apache-2.0 */
/* decimal: numbers as texts, exactly. Private to table/. */
#ifndef KITH_TABLE_DECIMAL_H
#define KITH_TABLE_DECIMAL_H

#include "table/table.h"

/* Longer numbers are left as they are written. */
#define DECIMAL_DIGITS_MAX 320

/* ±0.d1d2d3… × 10^point, without zeros at either end; zero has no digits. */
struct decimal {
    char digits[DECIMAL_DIGITS_MAX];
    unsigned count;
    int point;
    bool negative;
    bool exponent; /* it was written with one */
};

/* JSON's and Excel's grammar: -12.50e+3. False for anything else, and for what is too long. */
bool decimal_parse(str text, struct decimal *out);
/* Without exponent: "-12500"; false when that takes more than DECIMAL_DIGITS_MAX digits. */
bool decimal_write(const struct decimal *decimal, struct buffer *out);
/* An integer so large that a double cannot tell it from its neighbours (2^53). */
bool decimal_is_beyond_double(const struct decimal *decimal);
/* Excel keeps 15 digits: an integer of more with a zero at its end has been rounded, or may have been. */
bool decimal_is_rounded_by_excel(const struct decimal *decimal);

#endif
