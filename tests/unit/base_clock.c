/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, times and durations as text. */
#include "support/cmocka.h"

#include <time.h>

#include "base/clock.h"
#include "base/digest.h"

static void test_virtual_clock(void **state)
{
    (void)state;
    struct wall_clock clock;
    wall_clock_init_virtual(&clock, 1000);
    assert_int_equal(wall_clock_now_ms(&clock), 1000);
    wall_clock_advance(&clock, 3 * DAY_MS);
    assert_int_equal(wall_clock_now_ms(&clock), 1000 + 3 * DAY_MS);
}

static void test_real_clock(void **state)
{
    (void)state;
    struct wall_clock clock;
    wall_clock_init_real(&clock);
    int64_t drift_ms = wall_clock_now_ms(&clock) - (int64_t)time(NULL) * SECOND_MS;
    assert_true(drift_ms > -5000 && drift_ms < 5000);
    steady_ns start = steady_now();
    steady_sleep_ms(5);
    assert_true(steady_since_ms(start) >= 5);
    assert_true(steady_since_us(start) >= 5000);
    steady_sleep_ms(-1);
}

/* ---- a machine whose clock misbehaves (T2) ---- */

struct machine {
    int64_t wall_ms, steady_ms;
    bool stands_still;
};
static int64_t machine_wall(void *context)
{
    return ((struct machine *)context)->wall_ms * 1000000;
}
static int64_t machine_steady(void *context)
{
    return ((struct machine *)context)->steady_ms * 1000000;
}

/* Time passes, and is looked at every 50 ms. The greatest distance from the true time. */
static int64_t pass(struct machine *machine, struct wall_clock *clock, int64_t ms, int64_t *true_ms)
{
    int64_t worst_ms = 0;
    for (int64_t gone = 0; gone < ms; gone += 50) {
        machine->steady_ms += 50;
        machine->wall_ms += machine->stands_still ? 0 : 50;
        *true_ms += 50;
        int64_t off_ms = wall_clock_now_ms(clock) - *true_ms;
        off_ms = off_ms < 0 ? -off_ms : off_ms;
        worst_ms = off_ms > worst_ms ? off_ms : worst_ms;
    }
    return worst_ms;
}

#define START_MS INT64_C(1795248000000)
#define TEN_YEARS_MS (3652 * DAY_MS)

static void test_jumps_are_not_followed(void **state)
{
    (void)state;
    static const int64_t jumps[] = { -HOUR_MS, DAY_MS, TEN_YEARS_MS, -TEN_YEARS_MS, 3 * SECOND_MS };
    for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
        struct machine machine = { .wall_ms = START_MS, .steady_ms = 77 };
        struct clock_guard guard;
        struct wall_clock clock;
        int64_t true_ms = START_MS;
        clock_guard_init(&guard, machine_wall, machine_steady, &machine);
        wall_clock_init_guarded(&clock, &guard);
        assert_in_range(pass(&machine, &clock, MINUTE_MS, &true_ms), 0, 20);
        machine.wall_ms += jumps[i];
        assert_in_range(pass(&machine, &clock, 10 * MINUTE_MS, &true_ms), 0, 20);
        assert_int_equal(atomic_load(&guard.step_ns) / 1000000, jumps[i]);
        machine.wall_ms -= jumps[i];
        assert_in_range(pass(&machine, &clock, MINUTE_MS, &true_ms), 0, 20);
        assert_int_equal(atomic_load(&guard.step_ns), 0);
    }
}

static void test_a_step_that_stands_is_followed(void **state)
{
    (void)state;
    static const struct {
        int64_t by_ms, after_ms;
        bool followed;
    } cases[] = {
        { SECOND_MS, 11 * SECOND_MS, true }, { -SECOND_MS, 11 * SECOND_MS, true },
        { 5 * SECOND_MS, MINUTE_MS, false }, { 5 * SECOND_MS, 16 * MINUTE_MS, true },
        { -HOUR_MS, 16 * MINUTE_MS, true },  { DAY_MS - HOUR_MS, 16 * MINUTE_MS, true },
        { DAY_MS, 3 * HOUR_MS, false },      { -TEN_YEARS_MS, 3 * HOUR_MS, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct machine machine = { .wall_ms = START_MS, .steady_ms = 77 };
        struct clock_guard guard;
        struct wall_clock clock;
        int64_t true_ms = START_MS;
        clock_guard_init(&guard, machine_wall, machine_steady, &machine);
        wall_clock_init_guarded(&clock, &guard);
        machine.wall_ms += cases[i].by_ms;
        (void)pass(&machine, &clock, cases[i].after_ms, &true_ms);
        int64_t off_ms = wall_clock_now_ms(&clock) - true_ms;
        assert_int_equal(off_ms, cases[i].followed ? cases[i].by_ms : 0);
    }
}

static void test_a_clock_that_stands_still_is_not_followed(void **state)
{
    (void)state;
    struct machine machine = { .wall_ms = START_MS, .steady_ms = 77, .stands_still = true };
    struct clock_guard guard;
    struct wall_clock clock;
    int64_t true_ms = START_MS;
    clock_guard_init(&guard, machine_wall, machine_steady, &machine);
    wall_clock_init_guarded(&clock, &guard);
    assert_in_range(pass(&machine, &clock, 2 * HOUR_MS, &true_ms), 0, 20);
}

static void test_a_slow_drift_is_followed(void **state)
{
    (void)state;
    struct machine machine = { .wall_ms = START_MS, .steady_ms = 77 };
    struct clock_guard guard;
    struct wall_clock clock;
    int64_t true_ms = START_MS;
    clock_guard_init(&guard, machine_wall, machine_steady, &machine);
    wall_clock_init_guarded(&clock, &guard);
    for (int i = 0; i < 1000; i++) { /* a millisecond in a second: the network's time draws it */
        (void)pass(&machine, &clock, SECOND_MS, &true_ms);
        machine.wall_ms++;
        true_ms++;
    }
    assert_in_range(pass(&machine, &clock, SECOND_MS, &true_ms), 0, 5);
    assert_int_equal(atomic_load(&guard.step_ns), 0);
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        { "2026-11-21T08:00:00.123Z", INT64_C(1795248000123) },
        { "2026-11-21t08:00:00z", INT64_C(1795248000000) },
        { "2026-11-21T16:00:00+08:00", INT64_C(1795248000000) },
        { "2026-11-21T16:00:00+0800", INT64_C(1795248000000) },
        { "2026-11-21T16:00:00+08", INT64_C(1795248000000) },
        { "2026-11-21T03:00:00-05:00", INT64_C(1795248000000) },
        { "2026-11-21 16:00:00", INT64_C(1795248000000) }, /* the zone given: +8 */
        { "2026-11-21 16:00", INT64_C(1795248000000) },
        { "2026-11-21", INT64_C(1795190400000) },
        { "2026-11-21T08:00:00.1Z", INT64_C(1795248000100) },
        { "2026-11-21T08:00:00.123999999999999Z", INT64_C(1795248000123) },
        { "2024-02-29T00:00:00Z", INT64_C(1709164800000) },
        { "2000-02-29T00:00:00Z", INT64_C(951782400000) },
        { "2016-12-31T23:59:60Z", INT64_C(1483228800000) },
        { "1970-01-01T00:00:00Z", 0 },
        { "1969-12-31T23:59:59.999Z", -1 },
        { "9999-12-31T23:59:59.999Z", INT64_C(253402300799999) },
        { "1795248000", INT64_C(1795248000000) },
        { "1795248000.25", INT64_C(1795248000250) },
        { "1795248000123", INT64_C(1795248000123) },
        { "0", 0 },
        { "-1", -1000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t ms = 77;
        if (!time_parse(str_from_c(cases[i].text), 480, &ms) || ms != cases[i].ms)
            fail_msg("'%s' gave %lld", cases[i].text, (long long)ms);
    }
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "-",
        "now",
        "2026-1-1",
        "2026-13-01",
        "2026-00-10",
        "2026-11-31",
        "2026-02-29",
        "2100-02-29",
        "0000-01-01",
        "2026-11-21T",
        "2026-11-21T24:00:00Z",
        "2026-11-21T08:60:00Z",
        "2026-11-21T08:00:61Z",
        "2026-11-21T08",
        "2026-11-21T08:00:00.Z",
        "2026-11-21T08:00:00+8",
        "2026-11-21T08:00:00+24:00",
        "2026-11-21T08:00:00ZZ",
        "2026-11-21T08:00:00 Z",
        " 1795248000",
        "1795248000x",
        "1795248000.",
        "99999999999999999",
        "253402300800000",
        "1e9",
        "+1",
        "2026/11/21",
        "2026-11-21T08:00:00+08:",
        "0001-01-01T00:00:00+08:00",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t ms = 77;
        if (time_parse(str_from_c(wrong[i]), 0, &ms) || ms != 77)
            fail_msg("'%s' was taken as %lld", wrong[i], (long long)ms);
    }
}

static void test_format(void **state)
{
    (void)state;
    char text[TIME_TEXT_BYTES];
    time_format_utc(INT64_C(1795248000123), text);
    assert_string_equal(text, "2026-11-21T08:00:00.123Z");
    time_format_utc(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    time_format_utc(INT64_MAX, text);
    assert_string_equal(text, "292278994-08-17T07:12:55.807Z");
    time_format_utc(INT64_MIN, text);
    assert_string_equal(text, "-292275055-05-16T16:47:04.192Z");
}

/* Against the C library's calendar, over four centuries and beyond. */
static void test_round_trip_and_calendar(void **state)
{
    (void)state;
    struct random_stream stream;
    random_seed(&stream, 3);
    for (int i = 0; i < 200000; i++) {
        int64_t ms =
            (int64_t)random_below(&stream, (uint64_t)800 * 365 * DAY_MS) - 400 * 365 * DAY_MS;
        char text[TIME_TEXT_BYTES], expected[TIME_TEXT_BYTES];
        int64_t back, seconds = ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
        time_format_utc(ms, text);
        assert_true(time_parse(str_from_c(text), 60, &back) && back == ms);
        time_t when = (time_t)seconds;
        struct tm parts;
        assert_non_null(gmtime_r(&when, &parts));
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &parts);
        assert_memory_equal(text, expected, 19);
    }
}

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = { { "3d", 3 * DAY_MS }, { "12h", 12 * HOUR_MS }, { "30m", 30 * MINUTE_MS },
                  { "90s", 90000 },     { "500ms", 500 },        { "0s", 0 } };
    int64_t ms;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(duration_parse(str_from_c(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
    static const char *const wrong[] = { "",
                                         "3",
                                         "d",
                                         "3 d",
                                         "-3d",
                                         "3w",
                                         "3dd",
                                         "1.5h",
                                         "3D",
                                         "9999999999999999d",
                                         "99999999999999999999s" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (duration_parse(str_from_c(wrong[i]), &ms))
            fail_msg("'%s' was taken", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_virtual_clock),
        cmocka_unit_test(test_real_clock),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_round_trip_and_calendar),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_jumps_are_not_followed),
        cmocka_unit_test(test_a_step_that_stands_is_followed),
        cmocka_unit_test(test_a_clock_that_stands_still_is_not_followed),
        cmocka_unit_test(test_a_slow_drift_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
