/* SPDX-License-Identifier: Apache-2.0 */
/* journey_parse_schedule: RRULE (RFC 5545): FREQ HOURLY to YEARLY, INTERVAL, BYDAY (without numbers), BYMONTHDAY, BYMONTH, BYHOUR,
 * BYMINUTE, COUNT, UNTIL. */
#include <string.h>

#include "journey/state.h"

static bool numbers(str list, int64_t least, int64_t most, uint64_t *bits)
{
    str one;
    int64_t number;
    while (str_split(&list, ',', &one)) {
        if (!str_to_int64(one, &number) || number < least || number > most)
            return false;
        *bits |= UINT64_C(1) << number;
    }
    return *bits != 0;
}

static bool month_days(struct schedule *schedule, str list)
{
    str one;
    int64_t number;
    while (str_split(&list, ',', &one)) {
        if (!str_to_int64(one, &number) || number == 0 || number < -1 || number > 31)
            return false;
        if (number == -1)
            schedule->last_day = true;
        else
            schedule->month_days |= 1u << number;
    }
    return true;
}

static bool weekdays(struct schedule *schedule, str list)
{
    static const char *const names[] = { "MO", "TU", "WE", "TH", "FR", "SA", "SU" };
    str one;
    while (str_split(&list, ',', &one)) {
        uint8_t found = 0;
        for (int i = 0; i < 7; i++)
            if (str_equal(one, str_from_c(names[i])))
                found = (uint8_t)(1u << i);
        if (found == 0)
            return false;
        schedule->weekdays |= found;
    }
    return true;
}

static bool frequency(struct schedule *schedule, str value, bool *has)
{
    static const char *const names[] = { "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY" };
    for (int i = 0; i < 5; i++) {
        if (!str_equal(value, str_from_c(names[i])))
            continue;
        schedule->every = (enum every)i;
        *has = true;
        return true;
    }
    return false;
}

/* 20261231 or 20261231T160000Z */
static bool until(struct schedule *schedule, str value)
{
    char text[32];
    if (value.size == 8) {
        memcpy(text, value.data, 4);
        text[4] = text[7] = '-';
        memcpy(text + 5, value.data + 4, 2);
        memcpy(text + 8, value.data + 6, 2);
        bool fits = time_parse(str_from_bytes(text, 10), 8 * 60, &schedule->until_ms);
        schedule->until_ms += DAY_MS - 1;
        return fits;
    }
    if (value.size != 16 || value.data[8] != 'T' || value.data[15] != 'Z')
        return false;
    memcpy(text, value.data, 4);
    text[4] = text[7] = '-';
    memcpy(text + 5, value.data + 4, 2);
    memcpy(text + 8, value.data + 6, 2);
    text[10] = 'T';
    memcpy(text + 11, value.data + 9, 2);
    text[13] = text[16] = ':';
    memcpy(text + 14, value.data + 11, 2);
    memcpy(text + 17, value.data + 13, 2);
    text[19] = 'Z';
    return time_parse(str_from_bytes(text, 20), 0, &schedule->until_ms);
}

static bool part_fits(struct schedule *schedule, str name, str value, bool *has)
{
    uint64_t bits = 0;
    int64_t number = 0;
    bool fits = false;
    if (str_equal(name, STR("FREQ")))
        return frequency(schedule, value, has);
    if (str_equal(name, STR("BYDAY")))
        return weekdays(schedule, value);
    if (str_equal(name, STR("BYMONTHDAY")))
        return month_days(schedule, value);
    if (str_equal(name, STR("UNTIL")))
        return until(schedule, value);
    if (str_equal(name, STR("INTERVAL"))) {
        fits = str_to_int64(value, &number) && number >= 1 && number <= 1000;
        schedule->interval = (uint32_t)number;
    } else if (str_equal(name, STR("COUNT"))) {
        fits = str_to_int64(value, &number) && number >= 1 && number <= 1000000;
        schedule->count = (uint32_t)number;
    } else if (str_equal(name, STR("BYMONTH"))) {
        fits = numbers(value, 1, 12, &bits);
        schedule->months = (uint16_t)bits;
    } else if (str_equal(name, STR("BYHOUR"))) {
        fits = numbers(value, 0, 23, &bits);
        schedule->hours = (uint32_t)bits;
    } else if (str_equal(name, STR("BYMINUTE"))) {
        fits = numbers(value, 0, 59, &bits);
        schedule->minutes = bits;
    }
    return fits;
}

err journey_parse_schedule(struct parsing *parsing, json_value object, const char *pointer,
                           struct schedule *schedule)
{
    str rule, rest, part, start;
    bool has_frequency = false;
    (void)pointer;
    *schedule = (struct schedule){ .interval = 1, .until_ms = INT64_MAX };
    err error = journey_parse_text(parsing, object, "rrule", "/trigger", true, &rule);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, object, "start_at", "/trigger", false, &start);
    if (error != ERR_OK)
        return error;
    rest = str_starts_with(rule, STR("RRULE:")) ? str_slice(rule, 6, rule.size) : rule;
    while (str_split(&rest, ';', &part)) {
        size_t equals = str_find_byte(part, '=');
        str name = str_slice(part, 0, equals), value = str_slice(part, equals + 1, part.size);
        if (!part_fits(schedule, name, value, &has_frequency))
            return journey_parse_fail(parsing, "/trigger/rrule",
                                      "'%.*s' is not understood in an RRULE here", STR_ARG(part));
    }
    if (!has_frequency)
        return journey_parse_fail(parsing, "/trigger/rrule",
                                  "an RRULE has FREQ=DAILY, WEEKLY, MONTHLY …");
    if (start.size > 0 && !time_parse(start, 8 * 60, &schedule->start_ms))
        return journey_parse_fail(parsing, "/trigger/start_at", "start_at is a time (RFC 3339)");
    return ERR_OK;
}
