/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, and times as text. The calendar is the proleptic Gregorian one. */
#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/calendar.h"
#include "base/clock_guard.h"

#define EPOCH_SECONDS_MAX INT64_C(100000000000) /* from here on digits are milliseconds */
#define TIME_MAX_MS INT64_C(253402300799999)    /* the end of the year 9999 */
#define TIME_MIN_MS INT64_C(-62135596800000)    /* the start of the year 1 */

void wall_clock_init_real(struct wall_clock *clock)
{
    wall_clock_init_guarded(clock, clock_guard_of_process());
}

void wall_clock_init_guarded(struct wall_clock *clock, struct clock_guard *guard)
{
    clock->is_virtual = false;
    atomic_init(&clock->now_ms, 0);
    clock->guard = guard;
}

void wall_clock_init_virtual(struct wall_clock *clock, int64_t start_ms)
{
    clock->is_virtual = true;
    clock->guard = NULL;
    atomic_init(&clock->now_ms, start_ms);
}

int64_t wall_clock_now_ms(const struct wall_clock *clock)
{
    if (clock->is_virtual)
        return atomic_load_explicit(&clock->now_ms, memory_order_acquire);
    return clock_guard_now_ms(clock->guard);
}

int64_t file_age_seconds(int64_t seconds)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec - seconds;
}

void wall_clock_advance(struct wall_clock *clock, int64_t by_ms)
{
    INVARIANT(clock->is_virtual);
    INVARIANT(by_ms >= 0);
    atomic_fetch_add_explicit(&clock->now_ms, by_ms, memory_order_acq_rel);
}

steady_ns steady_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (steady_ns){ .ns = (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec };
}

int64_t steady_since_ms(steady_ns start)
{
    return (steady_now().ns - start.ns) / 1000000;
}

int64_t steady_since_us(steady_ns start)
{
    return (steady_now().ns - start.ns) / 1000;
}

void steady_sleep_ms(int64_t ms)
{
    if (ms <= 0)
        return;
    struct timespec left = { .tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000 };
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        continue;
}

/* Two digits, then `behind`, which is one byte or none. printf takes twenty times as long, and an answer
 * about a customer has some twenty times in it. */
static char *put_two(char *at, unsigned number, const char *behind)
{
    *at++ = (char)('0' + number / 10);
    *at++ = (char)('0' + number % 10);
    if (behind[0] != '\0')
        *at++ = behind[0];
    return at;
}

void time_format_utc(int64_t time_ms, char out[TIME_TEXT_BYTES])
{
    int64_t days = time_ms / DAY_MS;
    int64_t of_day = time_ms % DAY_MS;
    if (of_day < 0) {
        of_day += DAY_MS;
        days--;
    }
    struct date date = date_of_day(days);
    int64_t year = date.year;
    int month = date.month, day = date.day;
    if (year < 0 || year > 9999) { /* nothing that time_parse takes */
        snprintf(out, TIME_TEXT_BYTES, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month,
                 day, (int)(of_day / HOUR_MS), (int)(of_day / MINUTE_MS % 60),
                 (int)(of_day / SECOND_MS % 60), (int)(of_day % SECOND_MS));
        return;
    }
    unsigned second = (unsigned)(of_day / SECOND_MS);
    char *at = put_two(put_two(out, (unsigned)(year / 100), ""), (unsigned)(year % 100), "-");
    at = put_two(put_two(at, (unsigned)month, "-"), (unsigned)day, "T");
    at = put_two(put_two(at, second / 3600, ":"), second / 60 % 60, ":");
    at = put_two(at, second % 60, ".");
    unsigned ms = (unsigned)(of_day % SECOND_MS);
    at = put_two(at, ms / 10, "");
    *at++ = (char)('0' + ms % 10);
    *at++ = 'Z';
    *at = '\0';
}

/* Exactly `count` digits at the start of `*rest`. */
static bool take_digits(str *rest, size_t count, int *out)
{
    if (rest->size < count)
        return false;
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        char c = rest->data[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *rest = str_slice(*rest, count, rest->size);
    *out = value;
    return true;
}

static bool take_char(str *rest, const char *any_of)
{
    if (rest->size == 0)
        return false;
    for (; *any_of != '\0'; any_of++)
        if (rest->data[0] == *any_of) {
            *rest = str_slice(*rest, 1, rest->size);
            return true;
        }
    return false;
}

/* Any number of digits, the first three of which count. */
static bool take_fraction_ms(str *rest, int *out_ms)
{
    int unit_ms = 100;
    *out_ms = 0;
    if (rest->size == 0 || rest->data[0] < '0' || rest->data[0] > '9')
        return false;
    while (rest->size > 0 && rest->data[0] >= '0' && rest->data[0] <= '9') {
        *out_ms += (rest->data[0] - '0') * unit_ms;
        unit_ms /= 10;
        *rest = str_slice(*rest, 1, rest->size);
    }
    return true;
}

static bool take_date(str *rest, int64_t *out_days)
{
    int year, month, day;
    if (!take_digits(rest, 4, &year) || !take_char(rest, "-") || !take_digits(rest, 2, &month) ||
        !take_char(rest, "-") || !take_digits(rest, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    *out_days = day_of_date(year, month, day);
    return true;
}

/* "08:00", "08:00:00", "08:00:00.123456"; second 60 (a leap second) is the next minute's start. */
static bool take_time_of_day(str *rest, int64_t *out_ms)
{
    int hour, minute, second = 0, fraction_ms = 0;
    if (!take_digits(rest, 2, &hour) || !take_char(rest, ":") || !take_digits(rest, 2, &minute))
        return false;
    if (take_char(rest, ":")) {
        if (!take_digits(rest, 2, &second))
            return false;
        if (take_char(rest, ".,") && !take_fraction_ms(rest, &fraction_ms))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *out_ms = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + fraction_ms;
    return true;
}

/* "Z", "+08:00", "+0800", "+08", or nothing. */
static bool take_zone(str *rest, int *offset_minutes)
{
    if (rest->size == 0)
        return true;
    if (take_char(rest, "Zz")) {
        *offset_minutes = 0;
        return true;
    }
    bool west = rest->data[0] == '-';
    int hours, minutes = 0;
    if (!take_char(rest, "+-") || !take_digits(rest, 2, &hours))
        return false;
    bool colon = take_char(rest, ":");
    if ((colon || rest->size > 0) && !take_digits(rest, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *offset_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* "1700000000", "1700000000.25", "1700000000123": below 10^11 it is seconds (the year 5138), from
 * there on milliseconds (1973). */
static bool parse_epoch(str text, int64_t *out_ms)
{
    bool negative = take_char(&text, "-");
    size_t digits = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    uint64_t value;
    int fraction_ms = 0;
    if (digits > 15 || !str_to_uint64(str_slice(text, 0, digits), &value))
        return false;
    str rest = str_slice(text, digits, text.size);
    if (take_char(&rest, ".") && !take_fraction_ms(&rest, &fraction_ms))
        return false;
    if (rest.size > 0)
        return false;
    int64_t ms = (int64_t)value;
    if (ms < EPOCH_SECONDS_MAX)
        ms = ms * SECOND_MS + fraction_ms;
    *out_ms = negative ? -ms : ms;
    return true;
}

static bool looks_like_date(str text)
{
    return text.size >= 10 && text.data[4] == '-' && text.data[7] == '-';
}

bool time_parse(str text, int zone_offset_minutes, int64_t *out_ms)
{
    int64_t ms, days, of_day_ms = 0;
    if (!looks_like_date(text)) {
        if (!parse_epoch(text, &ms))
            return false;
    } else {
        int offset_minutes = zone_offset_minutes;
        if (!take_date(&text, &days))
            return false;
        if (text.size > 0 && (!take_char(&text, "Tt ") || !take_time_of_day(&text, &of_day_ms) ||
                              !take_zone(&text, &offset_minutes) || text.size > 0))
            return false;
        ms = days * DAY_MS + of_day_ms - offset_minutes * MINUTE_MS;
    }
    if (ms < TIME_MIN_MS || ms > TIME_MAX_MS)
        return false;
    *out_ms = ms;
    return true;
}

bool duration_parse(str text, int64_t *out_ms)
{
    static const struct {
        str unit;
        int64_t ms;
    } units[] = {
        { { "ms", sizeof "ms" - 1 }, 1 },       { { "s", sizeof "s" - 1 }, SECOND_MS },
        { { "m", sizeof "m" - 1 }, MINUTE_MS }, { { "h", sizeof "h" - 1 }, HOUR_MS },
        { { "d", sizeof "d" - 1 }, DAY_MS },
    };
    size_t digits = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    int64_t count, ms;
    if (!str_to_int64(str_slice(text, 0, digits), &count))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (str_equal(str_slice(text, digits, text.size), units[i].unit)) {
            if (__builtin_mul_overflow(count, units[i].ms, &ms))
                return false;
            *out_ms = ms;
            return true;
        }
    return false;
}
