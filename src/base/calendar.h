/* SPDX-License-Identifier: Apache-2.0 */
/* calendar: days since 1970-01-01 and the dates that people call them by.
 *
 * The proleptic Gregorian calendar, any year. What day it is somewhere is the zone's business (base/zone.h): here a
 * day is a number. Any thread.
 */
#ifndef KITH_BASE_CALENDAR_H
#define KITH_BASE_CALENDAR_H

#include <stdint.h>

struct date {
    int64_t year;
    int month, day; /* from 1 */
};

struct date date_of_day(int64_t day);
int64_t day_of_date(int64_t year, int month, int day); /* month may be beyond 1 … 12 */
int days_of_month(int64_t year, int month);            /* the same */
int weekday_of_day(int64_t day);                       /* 0: Monday */

/* Rounded down, for negative values too; `by` above 0. Here, since a division by a constant is a multiplication. */
static inline int64_t floor_div(int64_t value, int64_t by)
{
    int64_t quotient = value / by;
    return value % by < 0 ? quotient - 1 : quotient;
}

#endif
