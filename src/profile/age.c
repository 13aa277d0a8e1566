/* SPDX-License-Identifier: Apache-2.0 */
/* age: birthdays; see age.h. */
#include "profile/age.h"

#include "base/calendar.h"
#include "base/clock.h"

#define VALUE_BYTES_MAX 4096
#define DATE_BYTES 10 /* 2015-03-01 */

static int64_t local_day(const struct zone *zone, int64_t time_ms)
{
    int64_t local_ms = time_ms + SECOND_MS * zone_offset_seconds(zone, time_ms);
    return local_ms >= 0 ? local_ms / DAY_MS : -((DAY_MS - 1 - local_ms) / DAY_MS);
}

static bool read_day(str json, const struct zone *zone, int64_t now_ms, int64_t *day)
{
    bool is_text = json.size > 2 && json.data[0] == '"';
    str text = is_text ? str_slice(json, 1, json.size - 1) : json;
    int64_t ms;
    if (text.size == DATE_BYTES && text.data[4] == '-') {
        if (!time_parse(text, 0, &ms))
            return false;
        *day = (ms >= 0 ? ms : ms - (DAY_MS - 1)) / DAY_MS;
        return true;
    }
    if (!time_parse(text, zone_offset_seconds(zone, now_ms) / 60, &ms))
        return false;
    *day = local_day(zone, ms);
    return true;
}

bool age_is_below(str json, int years, const struct zone *zone, int64_t now_ms)
{
    int64_t born, today = local_day(zone, now_ms);
    if (!read_day(json, zone, now_ms, &born) || born > today)
        return false;
    struct date date = date_of_day(born);
    return today < day_of_date(date.year + years, date.month, date.day);
}

bool profile_is_younger(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                        int years, const struct zone *zone, int64_t now_ms)
{
    static const char *const names[] = { "birthday", "birth_date" };
    struct buffer value;
    bool found = false, younger = false;
    buffer_init(&value, VALUE_BYTES_MAX);
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++) {
        buffer_clear(&value);
        found = profile_trait(profile, nodes, node_count, str_from_c(names[i]), &value) &&
                buffer_status(&value) == ERR_OK;
        younger = found && age_is_below(buffer_str(&value), years, zone, now_ms);
    }
    buffer_deinit(&value);
    return younger;
}
