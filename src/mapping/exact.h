/* SPDX-License-Identifier: Apache-2.0 */
/* exact: exact numbers of cells and expressions; no binary fraction ever stands for money.
 *
 * value = coefficient / 10^scale, |coefficient| < 10^36, 0 <= scale <= 18. Sums and products are exact as far
 * as they fit; a product with more than 18 digits behind the point, and every quotient (12 digits), is
 * rounded half to even. What does not fit is false, never a wrong number.
 */
#ifndef KITH_MAPPING_EXACT_H
#define KITH_MAPPING_EXACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

__extension__ typedef __int128 exact_wide;

#define EXACT_SCALE_MAX 18
#define EXACT_QUOTIENT_SCALE 12

struct exact {
    exact_wide coefficient;
    int scale;
};

/* "-12.50", ".5", "+3", with `exponent` also "1.5E-3"; nothing else. */
bool exact_parse(str text, bool exponent, struct exact *out);
struct exact exact_from_int(int64_t value);

bool exact_add(struct exact a, struct exact b, struct exact *out);
bool exact_subtract(struct exact a, struct exact b, struct exact *out);
bool exact_multiply(struct exact a, struct exact b, struct exact *out);
/* False for division by zero too. */
bool exact_divide(struct exact a, struct exact b, struct exact *out);
int exact_compare(struct exact a, struct exact b);
/* To `digits` behind the point (0 to 18), half to even. */
struct exact exact_round(struct exact value, int digits);
/* Toward minus infinity. */
struct exact exact_floor(struct exact value);

bool exact_is_whole(struct exact value);
/* A whole number that fits. */
bool exact_to_int(struct exact value, int64_t *out);
/* Without zeros at the end; not terminated. */
#define EXACT_TEXT_BYTES 48
size_t exact_write(struct exact value, char out[EXACT_TEXT_BYTES]);

#endif
