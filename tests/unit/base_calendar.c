/* SPDX-License-Identifier: Apache-2.0 */
/* Dates and days: as the C library counts them, and back. */
#include "support/cmocka.h"

#include <time.h>

#include "base/calendar.h"
#include "base/clock.h"

#define SECONDS_PER_DAY 86400

static void every_day_of_eight_centuries_is_what_the_library_says(void **state)
{
    (void)state;
    for (int64_t day = -150000; day <= 150000; day++) {
        time_t seconds = (time_t)(day * SECONDS_PER_DAY);
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        struct date date = date_of_day(day);
        assert_int_equal(date.year, tm.tm_year + 1900);
        assert_int_equal(date.month, tm.tm_mon + 1);
        assert_int_equal(date.day, tm.tm_mday);
        assert_int_equal(weekday_of_day(day), (tm.tm_wday + 6) % 7);
        assert_int_equal(day_of_date(date.year, date.month, date.day), day);
    }
}

static void far_years_go_there_and_back(void **state)
{
    (void)state;
    static const int64_t days[] = { -719468, -719469, -4000000, 2932896, 100000000, -100000000 };
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        struct date date = date_of_day(days[i]);
        assert_int_equal(day_of_date(date.year, date.month, date.day), days[i]);
    }
}

static void months_run_over_into_other_years(void **state)
{
    (void)state;
    assert_int_equal(day_of_date(2026, 13, 1), day_of_date(2027, 1, 1));
    assert_int_equal(day_of_date(2026, 0, 31), day_of_date(2025, 12, 31));
    assert_int_equal(day_of_date(2026, -11, 1), day_of_date(2025, 1, 1));
    assert_int_equal(day_of_date(2026, 25, 2), day_of_date(2028, 1, 2));
}

static void months_have_their_days(void **state)
{
    (void)state;
    assert_int_equal(days_of_month(2026, 2), 28);
    assert_int_equal(days_of_month(2028, 2), 29);
    assert_int_equal(days_of_month(1900, 2), 28);
    assert_int_equal(days_of_month(2000, 2), 29);
    assert_int_equal(days_of_month(2026, 12), 31);
    assert_int_equal(days_of_month(2026, 14), 28);
}

static void division_rounds_down(void **state)
{
    (void)state;
    assert_int_equal(floor_div(7, 7), 1);
    assert_int_equal(floor_div(6, 7), 0);
    assert_int_equal(floor_div(-1, 7), -1);
    assert_int_equal(floor_div(-7, 7), -1);
    assert_int_equal(floor_div(-8, 7), -2);
    assert_int_equal(floor_div(-DAY_MS, DAY_MS), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_eight_centuries_is_what_the_library_says),
        cmocka_unit_test(far_years_go_there_and_back),
        cmocka_unit_test(months_run_over_into_other_years),
        cmocka_unit_test(months_have_their_days),
        cmocka_unit_test(division_rounds_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
