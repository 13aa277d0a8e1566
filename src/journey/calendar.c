/* SPDX-License-Identifier: Apache-2.0 */
/* calendar: moments as people say them: at ten, on Monday, every first of the month. */
#include "base/calendar.h"
#include "journey/state.h"

#define YEARS_AHEAD 12 /* a schedule that finds nothing so far finds nothing */

/* ---- zones ---- */

static int64_t offset_ms(const struct journeys *journeys, uint32_t customer, int64_t at_ms)
{
    int32_t seconds = customer != 0 ? journeys->world->zone_offset_seconds(journeys->world->context,
                                                                           customer, at_ms)
                                    : zone_offset_seconds(journeys->zone, at_ms);
    return (int64_t)seconds * 1000;
}

/* The moment at which clocks show this. Shown twice: the first; skipped: as if the clock had not been moved. */
static int64_t shown_at(const struct journeys *journeys, uint32_t customer, int64_t local_ms)
{
    int64_t before = local_ms - offset_ms(journeys, customer, local_ms - DAY_MS);
    int64_t after = local_ms - offset_ms(journeys, customer, local_ms + DAY_MS);
    int64_t first = before < after ? before : after, second = before < after ? after : before;
    if (first + offset_ms(journeys, customer, first) == local_ms)
        return first;
    return second;
}

int64_t local_to_utc(const struct journeys *journeys, int64_t local_ms)
{
    return shown_at(journeys, 0, local_ms);
}

int64_t utc_to_local(const struct journeys *journeys, int64_t at_ms)
{
    return at_ms + offset_ms(journeys, 0, at_ms);
}

int32_t journey_local_day(const struct journeys *journeys, int64_t at_ms)
{
    return (int32_t)floor_div(utc_to_local(journeys, at_ms), DAY_MS);
}

int64_t calendar_next(const struct journeys *journeys, const struct calendar *calendar,
                      uint32_t customer, int64_t at_ms)
{
    uint32_t whose = calendar->of_customer ? customer : 0;
    int64_t local = at_ms + offset_ms(journeys, whose, at_ms);
    int64_t today = floor_div(local, DAY_MS);
    if (!calendar->has_time && calendar->weekdays == 0)
        return at_ms;
    for (int64_t day = today; day <= today + 8; day++) {
        if (calendar->weekdays != 0 && (calendar->weekdays >> weekday_of_day(day) & 1) == 0)
            continue;
        if (!calendar->has_time && day == today)
            return at_ms;
        int64_t second = calendar->has_time ? calendar->second_of_day : 0;
        int64_t moment = shown_at(journeys, whose, day * DAY_MS + second * 1000);
        if (moment >= at_ms)
            return moment;
    }
    return at_ms;
}

/* ---- schedules: RFC 5545 RRULE, as far as docs/journeys.md says ---- */

static bool interval_fits(const struct schedule *schedule, int64_t day, int64_t start_day)
{
    struct date date = date_of_day(day), start = date_of_day(start_day);
    int64_t apart = 0;
    switch (schedule->every) {
    case EVERY_HOUR:
        return true; /* by the hour itself */
    case EVERY_DAY:
        apart = day - start_day;
        break;
    case EVERY_WEEK:
        apart = (day - weekday_of_day(day) - (start_day - weekday_of_day(start_day))) / 7;
        break;
    case EVERY_MONTH:
        apart = (date.year - start.year) * 12 + date.month - start.month;
        break;
    case EVERY_YEAR:
        apart = date.year - start.year;
        break;
    }
    return apart % schedule->interval == 0;
}

static bool day_fits(const struct schedule *schedule, int64_t day, int64_t start_day)
{
    struct date date = date_of_day(day), start = date_of_day(start_day);
    bool by_month_day = schedule->month_days != 0 || schedule->last_day;
    if (!interval_fits(schedule, day, start_day))
        return false;
    if (schedule->weekdays != 0 && (schedule->weekdays >> weekday_of_day(day) & 1) == 0)
        return false;
    if (by_month_day && (schedule->month_days >> date.day & 1) == 0 &&
        !(schedule->last_day && date.day == days_of_month(date.year, date.month)))
        return false;
    if (schedule->months != 0 && (schedule->months >> date.month & 1) == 0)
        return false;
    if (schedule->every == EVERY_WEEK && schedule->weekdays == 0)
        return weekday_of_day(day) == weekday_of_day(start_day);
    if (schedule->every == EVERY_MONTH && !by_month_day && schedule->weekdays == 0)
        return date.day == start.day;
    if (schedule->every == EVERY_YEAR && schedule->months == 0 && !by_month_day)
        return date.day == start.day && date.month == start.month;
    if (schedule->every == EVERY_YEAR && !by_month_day && schedule->weekdays == 0)
        return date.day == start.day;
    return true;
}

/* Hours and minutes of such a day, in order; the first after `after_ms`. */
static int64_t first_of_day(const struct journeys *journeys, const struct schedule *schedule,
                            int64_t day, int64_t after_ms)
{
    int64_t start = utc_to_local(journeys, schedule->start_ms);
    int64_t start_of_day = start - floor_div(start, DAY_MS) * DAY_MS;
    uint32_t hours = schedule->hours != 0            ? schedule->hours
                     : schedule->every == EVERY_HOUR ? (1u << 24) - 1
                                                     : 1u << (start_of_day / HOUR_MS);
    uint64_t minutes = schedule->minutes != 0 ? schedule->minutes
                                              : UINT64_C(1) << (start_of_day % HOUR_MS / MINUTE_MS);
    for (int64_t hour = 0; hour < 24; hour++) {
        int64_t apart =
            floor_div(day * DAY_MS + hour * HOUR_MS, HOUR_MS) - floor_div(start, HOUR_MS);
        if ((hours >> hour & 1) == 0 ||
            (schedule->every == EVERY_HOUR && apart % schedule->interval != 0))
            continue;
        for (int64_t minute = 0; minute < 60; minute++) {
            if ((minutes >> minute & 1) == 0)
                continue;
            int64_t moment =
                local_to_utc(journeys, day * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS);
            if (moment > after_ms && moment >= schedule->start_ms)
                return moment;
        }
    }
    return INT64_MAX;
}

int64_t schedule_next(const struct journeys *journeys, const struct schedule *schedule,
                      int64_t after_ms)
{
    int64_t from_ms = after_ms > schedule->start_ms - 1 ? after_ms : schedule->start_ms - 1;
    int64_t start_day = journey_local_day(journeys, schedule->start_ms);
    int64_t day = journey_local_day(journeys, from_ms);
    for (int64_t last = day + YEARS_AHEAD * 366; day <= last; day++) {
        if (!day_fits(schedule, day, start_day))
            continue;
        int64_t moment = first_of_day(journeys, schedule, day, from_ms);
        if (moment != INT64_MAX)
            return moment <= schedule->until_ms ? moment : INT64_MAX;
    }
    return INT64_MAX;
}
