/* SPDX-License-Identifier: Apache-2.0 */
/* number: doubles as text, shortest form, independent of the locale. Private to base; the public
 * faces are str_to_double, json_put_double and money_from_double. */
#ifndef KITH_BASE_NUMBER_H
#define KITH_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The shortest digits that read back as a finite double: value = ±0.d1d2d3… × 10^point.
 * Zero has one digit '0' and point 1. No zeros at the end. */
#define NUMBER_DIGITS_MAX 17
struct number_digits {
    char digits[NUMBER_DIGITS_MAX];
    size_t count;
    int point;
    int negative;
};
void number_shortest(double value, struct number_digits *out);

/* A finite double as JSON: plain up to 17 digits and down to 10^-6, else with an exponent. An integer
 * written plainly is exactly the double. Returns the size; not terminated. The longest is "-0.0000012345678901234567". */
#define NUMBER_TEXT_BYTES 32
size_t number_format(double value, char out[NUMBER_TEXT_BYTES]);

#ifdef __cplusplus
}
#endif
#endif
