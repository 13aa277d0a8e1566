/* SPDX-License-Identifier: Apache-2.0 */
/* money: decimals of the outside world → integer minor units (fen, cents), half-even.
 *
 * Inside Kith money is int64 minor units with its currency. Decimals exist at the doors only.
 * The minor digits of a currency are those of ISO 4217 (CNY 2, JPY 0, KWD 3).
 */
#ifndef KITH_BASE_MONEY_H
#define KITH_BASE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define MONEY_MINOR_MAX INT64_C(1000000000000000) /* 10^15: larger amounts are refused */

/* Digits after the point; 2 for a currency that is not known. `*known` may be NULL. */
int currency_minor_digits(str currency, bool *known);
/* "1,299.50", "-3.005", "￥12" are money; "1.38E+10", "" and "12abc" are not. */
bool money_from_text(str text, int minor_digits, int64_t *out_minor);
/* A JSON number: read as its shortest decimal, so that 1.005 is 1.005 and not 1.00499…9. */
bool money_from_double(double value, int minor_digits, int64_t *out_minor);
/* An order line: price × quantity, multiplied exactly and rounded once (0.001 × 25 is 0.02, not 25
 * times nothing). False leaves *out_minor alone, in all four. */
bool money_line_from_text(str price, str quantity, int minor_digits, int64_t *out_minor);
bool money_line_from_double(double price, double quantity, int minor_digits, int64_t *out_minor);

#endif
