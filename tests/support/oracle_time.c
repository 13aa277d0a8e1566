/* SPDX-License-Identifier: Apache-2.0 */
/* The naive twin's calendar: days counted out one by one. */
#include "support/oracle_time.h"

#include <string.h>

#define DAY INT64_C(86400000)

/* ---- the calendar, counted out ---- */

static bool leap_year(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int oracle_month_length(int64_t year, int month)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && leap_year(year) ? 29 : lengths[month - 1];
}

struct oracle_date oracle_date(int64_t day)
{
    struct oracle_date date = { 1970, 1, 1 };
    for (; day < 0; day += leap_year(date.year) ? 366 : 365)
        date.year--;
    for (; day >= (leap_year(date.year) ? 366 : 365); date.year++)
        day -= leap_year(date.year) ? 366 : 365;
    for (; day >= oracle_month_length(date.year, date.month); date.month++)
        day -= oracle_month_length(date.year, date.month);
    date.day = (int)day + 1;
    return date;
}

int64_t oracle_day_from(int64_t year, int64_t month, int64_t day)
{
    for (; month < 1; month += 12)
        year--;
    for (; month > 12; month -= 12)
        year++;
    int64_t count = 0;
    for (int64_t y = 1970; y < year; y++)
        count += leap_year(y) ? 366 : 365;
    for (int64_t y = year; y < 1970; y++)
        count -= leap_year(y) ? 366 : 365;
    for (int m = 1; m < month; m++)
        count += oracle_month_length(year, m);
    return count + day - 1;
}

/* ---- the zone ---- */

static int64_t offset_of(const struct oracle *oracle, size_t entry)
{
    return oracle->zone == NULL ? 8 * 3600000 : (int64_t)oracle->zone->offset_seconds[entry] * 1000;
}

static size_t entry_count(const struct oracle *oracle)
{
    return oracle->zone == NULL ? 1 : oracle->zone->count;
}

int64_t oracle_clock(const struct oracle *oracle, int64_t at_ms)
{
    size_t entry = 0;
    for (size_t i = 1; i < entry_count(oracle); i++)
        if (oracle->zone->since_ms[i] <= at_ms)
            entry = i;
    return at_ms + offset_of(oracle, entry);
}

/* The first instant at which the clock shows `local` or later: in some entry, at its start or within it. */
static int64_t instant_of(const struct oracle *oracle, int64_t local)
{
    for (size_t i = 0; i < entry_count(oracle); i++) {
        int64_t at = local - offset_of(oracle, i);
        if (i > 0 && at < oracle->zone->since_ms[i])
            at = oracle->zone->since_ms[i];
        if (i + 1 == entry_count(oracle) || at < oracle->zone->since_ms[i + 1])
            return at;
    }
    return 0;
}

int64_t oracle_day_start(const struct oracle *oracle, int64_t day)
{
    return instant_of(oracle, day * DAY);
}

/* The last day that has begun. */
int64_t oracle_day(const struct oracle *oracle, int64_t at_ms)
{
    int64_t day = oracle_clock(oracle, at_ms) / DAY - 3;
    while (oracle_day_start(oracle, day + 1) <= at_ms)
        day++;
    return day;
}

/* ---- moments ---- */

bool oracle_term(str text, struct oracle_term *term)
{
    if (text.size < 2 || !str_to_int64(str_slice(text, 0, text.size - 1), &term->count))
        return false;
    term->unit = text.data[text.size - 1];
    return strchr("mhdwMy", term->unit) != NULL;
}

/* The same day of another month; the first of the month after, when it has no such day. */
static int64_t other_month(int64_t day, int64_t months, bool *beyond)
{
    struct oracle_date date = oracle_date(day);
    int64_t first = oracle_day_from(date.year, date.month + months, 1);
    int64_t next = oracle_day_from(date.year, date.month + months + 1, 1);
    *beyond = first + date.day - 1 >= next;
    return *beyond ? next : first + date.day - 1;
}

void oracle_add_term(struct oracle_shift *shift, struct oracle_term term, int64_t sign)
{
    int64_t count = sign * term.count;
    switch (term.unit) {
    case 'm':
        shift->ms += count * 60000;
        break;
    case 'h':
        shift->ms += count * 3600000;
        break;
    case 'd':
        shift->days += count;
        break;
    case 'w':
        shift->days += count * 7;
        break;
    case 'M':
        shift->months += count;
        break;
    default:
        shift->months += count * 12;
        break;
    }
}

static int64_t from_now(const struct oracle *oracle, struct oracle_shift shift)
{
    int64_t at = oracle->now_ms;
    if (shift.months != 0) {
        bool beyond;
        int64_t today = oracle_day(oracle, at);
        int64_t day = other_month(today, shift.months, &beyond);
        int64_t moved = oracle_day_start(oracle, day) + (at - oracle_day_start(oracle, today));
        int64_t end = oracle_day_start(oracle, day + 1);
        at = beyond ? oracle_day_start(oracle, day) : moved < end ? moved : end;
    }
    return at + shift.days * DAY + shift.ms;
}

static int64_t start_of_period(const struct oracle *oracle, str word)
{
    int64_t today = oracle_day(oracle, oracle->now_ms);
    struct oracle_date date = oracle_date(today);
    if (str_equal(word, STR("tomorrow")))
        return today + 1;
    if (str_equal(word, STR("yesterday")))
        return today - 1;
    if (str_equal(word, STR("week_start")))
        return today - ((today + 3) % 7 + 7) % 7;
    if (str_equal(word, STR("month_start")))
        return oracle_day_from(date.year, date.month, 1);
    if (str_equal(word, STR("quarter_start")))
        return oracle_day_from(date.year, (date.month - 1) / 3 * 3 + 1, 1);
    if (str_equal(word, STR("year_start")))
        return oracle_day_from(date.year, 1, 1);
    return today;
}

/* The digits there; 0 beyond the text. */
static int64_t number_at(str text, size_t begin, size_t count)
{
    int64_t number = 0;
    (void)str_to_int64(str_slice(text, begin, begin + count), &number);
    return number;
}

int64_t oracle_moment(const struct oracle *oracle, json_value json)
{
    if (json_kind(json) == JSON_INT)
        return json_int(json, 0);
    str text = json_text(json);
    if (text.data[0] >= '0' && text.data[0] <= '9') {
        int64_t local =
            oracle_day_from(number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2)) *
                DAY +
            number_at(text, 11, 2) * INT64_C(3600000) + number_at(text, 14, 2) * INT64_C(60000) +
            number_at(text, 17, 2) * INT64_C(1000);
        return str_ends_with(text, STR("Z")) ? local : instant_of(oracle, local);
    }
    size_t at = 0;
    while (at < text.size && text.data[at] != '+' && text.data[at] != '-')
        at++;
    str word = str_slice(text, 0, at);
    struct oracle_shift shift = { 0, 0, 0 };
    while (at < text.size) {
        int64_t sign = text.data[at] == '-' ? -1 : 1;
        size_t begin = ++at;
        while (at < text.size && text.data[at] != '+' && text.data[at] != '-')
            at++;
        struct oracle_term term = { 0, 'd' };
        (void)oracle_term(str_slice(text, begin, at), &term);
        oracle_add_term(&shift, term, sign);
    }
    if (str_equal(word, STR("now")))
        return from_now(oracle, shift);
    bool beyond;
    int64_t day = start_of_period(oracle, word);
    if (shift.months != 0) {
        /* tomorrow and yesterday are today's neighbours, after the months */
        int64_t neighbour = day - oracle_day(oracle, oracle->now_ms);
        bool by_day = str_equal(word, STR("tomorrow")) || str_equal(word, STR("yesterday"));
        day = other_month(by_day ? day - neighbour : day, shift.months, &beyond) +
              (by_day ? neighbour : 0);
    }
    return oracle_day_start(oracle, day + shift.days) + shift.ms;
}

int64_t oracle_edge(const struct oracle *oracle, json_value json)
{
    struct oracle_term term;
    if (json_kind(json) == JSON_TEXT && oracle_term(json_text(json), &term)) {
        struct oracle_shift shift = { 0, 0, 0 };
        oracle_add_term(&shift, term, -1);
        return from_now(oracle, shift);
    }
    return oracle_moment(oracle, json);
}
