/* SPDX-License-Identifier: Apache-2.0 */
/* Local days, and moments that move with the clock. */
#include "rule/zone.h"

#include <string.h>

/* ---- the zone ---- */

err zone_copy(struct zone *zone, const struct rule_zone *from, struct arena *arena)
{
    static const int64_t always[] = { INT64_MIN };
    static const int64_t east8[] = { 8 * HOUR_MS };
    static const int64_t no_peak[] = { INT64_MIN };
    *zone = (struct zone){
        .name = "Asia/Shanghai",
        .count = 1,
        .since_ms = always,
        .offset_ms = east8,
        .peak_day = no_peak,
    };
    if (from == NULL || from->count == 0)
        return ERR_OK;
    int64_t *since = arena_array(arena, int64_t, from->count);
    int64_t *offset = arena_array(arena, int64_t, from->count);
    int64_t *peak = arena_array(arena, int64_t, from->count);
    if (since == NULL || offset == NULL || peak == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < from->count; i++) {
        since[i] = i == 0 ? INT64_MIN : from->since_ms[i];
        offset[i] = from->offset_seconds[i] * SECOND_MS;
        peak[i] = INT64_MIN;
        if (i > 0) {
            int64_t shown = floor_div(since[i] - 1 + offset[i - 1], DAY_MS);
            peak[i] = shown > peak[i - 1] ? shown : peak[i - 1];
        }
    }
    memcpy(zone->name, from->name, sizeof(zone->name));
    zone->count = (uint32_t)from->count;
    zone->since_ms = since;
    zone->offset_ms = offset;
    zone->peak_day = peak;
    return ERR_OK;
}

static uint32_t entry_at(const struct zone *zone, int64_t at_ms)
{
    uint32_t low = 0, high = zone->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->since_ms[middle] <= at_ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int64_t zone_local(const struct zone *zone, int64_t at_ms)
{
    return at_ms + zone->offset_ms[entry_at(zone, at_ms)];
}

int64_t zone_day(const struct zone *zone, int64_t at_ms)
{
    uint32_t entry = entry_at(zone, at_ms);
    int64_t day = floor_div(at_ms + zone->offset_ms[entry], DAY_MS);
    return day > zone->peak_day[entry] ? day : zone->peak_day[entry];
}

int64_t zone_instant(const struct zone *zone, int64_t local_ms)
{
    uint32_t entry = entry_at(zone, local_ms - 2 * DAY_MS);
    for (;; entry++) {
        int64_t instant = local_ms - zone->offset_ms[entry];
        /* The clocks were put forward over it. */
        if (entry > 0 && instant < zone->since_ms[entry])
            instant = zone->since_ms[entry];
        if (entry + 1 == zone->count || instant < zone->since_ms[entry + 1])
            return instant;
    }
}

/* ---- moments ---- */

static int64_t period_start(enum anchor anchor, int64_t day)
{
    struct date date = date_of_day(day);
    switch (anchor) {
    case ANCHOR_WEEK: /* 1970-01-01 was a Thursday; weeks begin on Monday */
        return day - ((day + 3) % 7 + 7) % 7;
    case ANCHOR_MONTH:
        return day - date.day + 1;
    case ANCHOR_QUARTER:
        return day_of_date(date.year, (date.month - 1) / 3 * 3 + 1, 1);
    case ANCHOR_YEAR:
        return day_of_date(date.year, 1, 1);
    case ANCHOR_TIME:
    case ANCHOR_NOW:
    case ANCHOR_DAY:
    default:
        return day;
    }
}

static int64_t period_next(enum anchor anchor, int64_t start)
{
    struct date date = date_of_day(start);
    switch (anchor) {
    case ANCHOR_WEEK:
        return start + 7;
    case ANCHOR_MONTH:
        return day_of_date(date.year, date.month + 1, 1);
    case ANCHOR_QUARTER:
        return day_of_date(date.year, date.month + 3, 1);
    case ANCHOR_YEAR:
        return day_of_date(date.year + 1, 1, 1);
    case ANCHOR_TIME:
    case ANCHOR_NOW:
    case ANCHOR_DAY:
    default:
        return start + 1;
    }
}

/* The same day of another month; a day that it does not have is the first of the month after it
 * (Z1: the end of the month would be shown again on the days behind). `beyond` says so. */
static int64_t shift_months(int64_t day, int32_t months, bool *beyond)
{
    struct date date = date_of_day(day);
    int64_t first = day_of_date(date.year, date.month + months, 1);
    int64_t next = day_of_date(date.year, date.month + months + 1, 1);
    int64_t shifted = first + date.day - 1;
    *beyond = shifted >= next;
    return *beyond ? next : shifted;
}

/* Now, some months away: as long after that day's midnight as now is after today's, at most its end. */
static int64_t now_shifted(const struct zone *zone, int64_t now_ms, int32_t months)
{
    int64_t today = zone_day(zone, now_ms);
    bool beyond;
    int64_t day = shift_months(today, months, &beyond);
    int64_t start = zone_midnight(zone, day);
    if (beyond)
        return start;
    int64_t end = zone_midnight(zone, day + 1);
    int64_t at = start + (now_ms - zone_midnight(zone, today));
    return at < end ? at : end;
}

int64_t moment_at(const struct moment *moment, const struct zone *zone, int64_t now_ms)
{
    if (moment->anchor == ANCHOR_TIME)
        return moment->ms;
    if (moment->anchor == ANCHOR_NOW) {
        int64_t base = moment->months != 0 ? now_shifted(zone, now_ms, moment->months) : now_ms;
        return base + moment->days * DAY_MS + moment->ms;
    }
    int64_t day = period_start(moment->anchor, zone_day(zone, now_ms));
    bool beyond;
    if (moment->months != 0)
        day = shift_months(day, moment->months, &beyond);
    return zone_midnight(zone, day + moment->days) + moment->ms;
}

int64_t moment_edge(const struct moment *moment, const struct zone *zone, int64_t now_ms)
{
    if (moment->anchor == ANCHOR_TIME || moment->anchor == ANCHOR_NOW)
        return RULE_FOREVER;
    int64_t start = period_start(moment->anchor, zone_day(zone, now_ms));
    return zone_midnight(zone, period_next(moment->anchor, start));
}

/* Months have no inverse formula; the moment never goes back (Z1), so halving finds the place. */
static int64_t months_pass(const struct moment *moment, const struct zone *zone, int64_t target_ms,
                           int64_t now_ms)
{
    int64_t low = now_ms; /* not later there */
    int64_t step = DAY_MS;
    while (moment_at(moment, zone, low + step) <= target_ms) {
        low += step;
        if (step < 4000 * DAY_MS)
            step *= 2;
    }
    int64_t high = low + step;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (moment_at(moment, zone, middle) > target_ms)
            high = middle;
        else
            low = middle;
    }
    return high;
}

int64_t moment_passes(const struct moment *moment, const struct zone *zone, int64_t target_ms,
                      int64_t now_ms)
{
    if (moment->anchor == ANCHOR_TIME || moment_at(moment, zone, now_ms) > target_ms)
        return RULE_FOREVER;
    if (moment->anchor != ANCHOR_NOW)
        return moment_edge(moment, zone, now_ms);
    if (moment->months != 0)
        return months_pass(moment, zone, target_ms, now_ms);
    return target_ms - moment->days * DAY_MS - moment->ms + 1;
}

struct moment moment_ago(struct moment span)
{
    return (struct moment){
        .anchor = ANCHOR_NOW,
        .months = -span.months,
        .days = -span.days,
        .ms = -span.ms,
    };
}

/* ---- as text ---- */

#define SPAN_MAX 1000000

static bool add_span(str text, bool back, struct moment *moment)
{
    int64_t count;
    if (text.size < 2 || text.data[0] == '-' ||
        !str_to_int64(str_slice(text, 0, text.size - 1), &count) || count > SPAN_MAX)
        return false;
    int64_t sign = back ? -1 : 1;
    switch (text.data[text.size - 1]) {
    case 'm':
        moment->ms += sign * count * MINUTE_MS;
        return true;
    case 'h':
        moment->ms += sign * count * HOUR_MS;
        return true;
    case 'd':
        moment->days += (int32_t)(sign * count);
        return true;
    case 'w':
        moment->days += (int32_t)(sign * count * 7);
        return true;
    case 'M':
        moment->months += (int32_t)(sign * count);
        return true;
    case 'y':
        moment->months += (int32_t)(sign * count * 12);
        return count <= SPAN_MAX / 12;
    default:
        return false;
    }
}

bool span_parse(str text, struct moment *span)
{
    *span = (struct moment){ .anchor = ANCHOR_NOW };
    return add_span(text, false, span);
}

static bool parse_anchor(str word, struct moment *moment)
{
    static const struct {
        const char *word;
        enum anchor anchor;
        int days;
    } anchors[] = {
        { "now", ANCHOR_NOW, 0 },
        { "today", ANCHOR_DAY, 0 },
        { "tomorrow", ANCHOR_DAY, 1 },
        { "yesterday", ANCHOR_DAY, -1 },
        { "week_start", ANCHOR_WEEK, 0 },
        { "month_start", ANCHOR_MONTH, 0 },
        { "quarter_start", ANCHOR_QUARTER, 0 },
        { "year_start", ANCHOR_YEAR, 0 },
    };
    for (size_t i = 0; i < sizeof(anchors) / sizeof(anchors[0]); i++) {
        if (str_equal(word, str_from_c(anchors[i].word))) {
            *moment = (struct moment){ .anchor = anchors[i].anchor, .days = anchors[i].days };
            return true;
        }
    }
    return false;
}

/* Read once as if in UTC and once an hour to the east: the same if the text says its zone. */
static bool parse_absolute(str text, const struct zone *zone, struct moment *moment)
{
    int64_t utc, east;
    if (text.size < 10 || !time_parse(text, 0, &utc) || !time_parse(text, 60, &east))
        return false;
    *moment = (struct moment){ .anchor = ANCHOR_TIME, .ms = utc };
    if (utc != east)
        moment->ms = zone_instant(zone, utc);
    return true;
}

bool moment_parse(str text, const struct zone *zone, struct moment *moment)
{
    if (text.size == 0)
        return false;
    if (text.data[0] >= '0' && text.data[0] <= '9')
        return parse_absolute(text, zone, moment);
    size_t end = 0;
    while (end < text.size && text.data[end] != '+' && text.data[end] != '-')
        end++;
    if (!parse_anchor(str_slice(text, 0, end), moment))
        return false;
    while (end < text.size) {
        bool back = text.data[end] == '-';
        size_t begin = ++end;
        while (end < text.size && text.data[end] != '+' && text.data[end] != '-')
            end++;
        if (!add_span(str_slice(text, begin, end), back, moment))
            return false;
    }
    /* Nothing may reach beyond the calendar that we can write. */
    return moment->months >= -24000 && moment->months <= 24000 && moment->days >= -800000 &&
           moment->days <= 800000;
}
