/* SPDX-License-Identifier: Apache-2.0 */
/* Dates by arithmetic: Howard Hinnant, "chrono-compatible low-level date algorithms". Years start in March there,
 * so that the leap day is the last of its year. */
#include "base/calendar.h"

#define DAYS_PER_ERA 146097          /* 400 years */
#define DAYS_FROM_ERA_TO_1970 719468 /* 0000-03-01 to 1970-01-01 */

struct date date_of_day(int64_t day)
{
    day += DAYS_FROM_ERA_TO_1970;
    int64_t era = floor_div(day, DAYS_PER_ERA);
    int64_t day_of_era = day - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153; /* 0 is March */
    struct date date;
    date.day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    date.month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

int64_t day_of_date(int64_t year, int month, int day)
{
    int64_t months = year * 12 + month - 1;
    year = floor_div(months, 12);
    month = (int)(months - year * 12) + 1;
    year -= month <= 2;
    int64_t era = floor_div(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_FROM_ERA_TO_1970;
}

int days_of_month(int64_t year, int month)
{
    return (int)(day_of_date(year, month + 1, 1) - day_of_date(year, month, 1));
}

int weekday_of_day(int64_t day)
{
    return (int)(day + 3 - floor_div(day + 3, 7) * 7); /* 1970-01-01 was a Thursday */
}
