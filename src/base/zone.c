/* SPDX-License-Identifier: Apache-2.0 */
/* TZif files (RFC 8536) into tables of offsets. */
#include "base/zone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)
#define HEADER_BYTES 44
#define TRANSITIONS_MAX 4096
#define YEAR_LAST 2100
#define OFFSET_SECONDS_MAX (26 * 3600)
#define SECONDS_MAX (INT64_C(1) << 40)

/* ---- big-endian numbers ---- */

static uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_be64(const uint8_t *at)
{
    return (int64_t)((uint64_t)read_be32(at) << 32 | read_be32(at + 4));
}

/* ---- the table ---- */

static err zone_new(struct zone **out, str name)
{
    struct zone *zone = memory_alloc(sizeof(*zone));
    if (zone == NULL)
        return ERR_NOMEM;
    memcpy(zone->name, name.data, name.size);
    zone->since_ms = memory_alloc(TRANSITIONS_MAX * sizeof(*zone->since_ms));
    zone->offset_seconds = memory_alloc(TRANSITIONS_MAX * sizeof(*zone->offset_seconds));
    *out = zone;
    if (zone->since_ms == NULL || zone->offset_seconds == NULL) {
        zone_free(out);
        return ERR_NOMEM;
    }
    return ERR_OK;
}

void zone_free(struct zone **pointer)
{
    struct zone *zone = *pointer;
    *pointer = NULL;
    if (zone == NULL)
        return;
    memory_free(zone->since_ms);
    memory_free(zone->offset_seconds);
    memory_free(zone);
}

static void shrink(struct zone *zone)
{
    int64_t *since_ms = memory_resize(zone->since_ms, zone->count * sizeof(*since_ms));
    if (since_ms != NULL)
        zone->since_ms = since_ms;
    int32_t *offsets = memory_resize(zone->offset_seconds, zone->count * sizeof(*offsets));
    if (offsets != NULL)
        zone->offset_seconds = offsets;
}

/* Later than what is there; entries that change nothing are left out. */
static bool add(struct zone *zone, int64_t since_ms, int64_t offset_seconds)
{
    if (zone->count == TRANSITIONS_MAX || offset_seconds < -OFFSET_SECONDS_MAX ||
        offset_seconds > OFFSET_SECONDS_MAX ||
        (zone->count > 0 && since_ms <= zone->since_ms[zone->count - 1]))
        return false;
    if (zone->count > 0 && zone->offset_seconds[zone->count - 1] == offset_seconds)
        return true;
    zone->since_ms[zone->count] = since_ms;
    zone->offset_seconds[zone->count++] = (int32_t)offset_seconds;
    return true;
}

/* ---- the rule behind the last entry: POSIX TZ, as "EST5EDT,M3.2.0,M11.1.0" ---- */

struct change {
    char kind; /* 'M', 'J' (1 to 365, never the leap day) or 'n' (0 to 365) */
    int month, week, day;
    int64_t at_seconds; /* of the local day, may be negative */
};

static bool take(str *rest, char wanted)
{
    if (rest->size == 0 || rest->data[0] != wanted)
        return false;
    *rest = str_slice(*rest, 1, rest->size);
    return true;
}

static bool take_number(str *rest, int most, int *out)
{
    int value = 0;
    size_t digits = 0;
    while (digits < rest->size && digits < 4 && rest->data[digits] >= '0' &&
           rest->data[digits] <= '9')
        value = value * 10 + (rest->data[digits++] - '0');
    *rest = str_slice(*rest, digits, rest->size);
    *out = value;
    return digits > 0 && value <= most;
}

/* Letters, or anything in angle brackets. */
static bool take_name(str *rest)
{
    size_t size = 0;
    if (take(rest, '<')) {
        size = str_find_byte(*rest, '>');
        if (size == rest->size)
            return false;
        *rest = str_slice(*rest, size + 1, rest->size);
        return size > 0;
    }
    while (size < rest->size && ((rest->data[size] >= 'A' && rest->data[size] <= 'Z') ||
                                 (rest->data[size] >= 'a' && rest->data[size] <= 'z')))
        size++;
    *rest = str_slice(*rest, size, rest->size);
    return size >= 3;
}

/* "[+-]hh[:mm[:ss]]" */
static bool take_time(str *rest, int64_t *seconds)
{
    bool negative = take(rest, '-');
    int hours, minutes = 0, part = 0;
    if (!negative)
        (void)take(rest, '+');
    if (!take_number(rest, 167, &hours) || (take(rest, ':') && !take_number(rest, 59, &minutes)) ||
        (take(rest, ':') && !take_number(rest, 59, &part)))
        return false;
    *seconds = (negative ? -1 : 1) * ((int64_t)hours * 3600 + minutes * 60 + part);
    return true;
}

static bool take_change(str *rest, struct change *change)
{
    *change = (struct change){ .kind = 'n', .at_seconds = 7200 };
    if (!take(rest, ','))
        return false;
    if (take(rest, 'M')) {
        change->kind = 'M';
        if (!take_number(rest, 12, &change->month) || change->month < 1 || !take(rest, '.') ||
            !take_number(rest, 5, &change->week) || change->week < 1 || !take(rest, '.') ||
            !take_number(rest, 6, &change->day))
            return false;
    } else {
        if (take(rest, 'J'))
            change->kind = 'J';
        if (!take_number(rest, 365, &change->day) || (change->kind == 'J' && change->day == 0))
            return false;
    }
    return !take(rest, '/') || take_time(rest, &change->at_seconds);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_to_month(int year, int month)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
    int64_t y = year - 1;
    int64_t days = 365 * y + y / 4 - y / 100 + y / 400 - 719162; /* to 1970-01-01 */
    return days + before[month - 1] + (month > 2 && is_leap(year));
}

/* The n-th weekday of a month; the fifth is the last. 1970-01-01 was a Thursday. */
static int64_t day_of_weekday(int year, const struct change *change)
{
    int64_t first = days_to_month(year, change->month);
    int64_t next =
        change->month == 12 ? days_to_month(year + 1, 1) : days_to_month(year, change->month + 1);
    int64_t weekday = ((first + 4) % 7 + 7) % 7;
    int64_t day = first + (change->day - weekday + 7) % 7 + 7 * (int64_t)(change->week - 1);
    return day < next ? day : day - 7;
}

/* In local seconds of the offset that held before. */
static int64_t moment_of(int year, const struct change *change)
{
    int64_t day;
    if (change->kind == 'M') {
        day = day_of_weekday(year, change);
    } else {
        day = days_to_month(year, 1) + change->day;
        if (change->kind == 'J')
            day += -1 + (is_leap(year) && change->day >= 60);
    }
    return day * 86400 + change->at_seconds;
}

struct rule {
    int64_t standard_seconds, summer_seconds;
    bool has_summer;
    struct change begin, end;
};

static bool parse_rule(str text, struct rule *rule)
{
    int64_t west;
    if (!take_name(&text) || !take_time(&text, &west))
        return false;
    *rule = (struct rule){ .standard_seconds = -west, .summer_seconds = -west + 3600 };
    if (text.size == 0)
        return true;
    rule->has_summer = true;
    if (!take_name(&text))
        return false;
    if (text.size > 0 && text.data[0] != ',') {
        if (!take_time(&text, &west))
            return false;
        rule->summer_seconds = -west;
    }
    return take_change(&text, &rule->begin) && take_change(&text, &rule->end) && text.size == 0;
}

/* What lies behind the last entry, up to YEAR_LAST. */
static bool follow_rule(struct zone *zone, str text)
{
    struct rule rule;
    int64_t last_ms = zone->since_ms[zone->count - 1];
    if (text.size == 0)
        return true;
    if (!parse_rule(text, &rule))
        return false;
    if (!rule.has_summer)
        return true; /* what the last entry says */
    for (int year = 1970; year <= YEAR_LAST; year++) {
        int64_t begin_ms = (moment_of(year, &rule.begin) - rule.standard_seconds) * SECOND_MS;
        int64_t end_ms = (moment_of(year, &rule.end) - rule.summer_seconds) * SECOND_MS;
        bool south = end_ms < begin_ms;
        int64_t first_ms = south ? end_ms : begin_ms, second_ms = south ? begin_ms : end_ms;
        int64_t first = south ? rule.standard_seconds : rule.summer_seconds;
        int64_t second = south ? rule.summer_seconds : rule.standard_seconds;
        if ((first_ms > last_ms && !add(zone, first_ms, first)) ||
            (second_ms > last_ms && !add(zone, second_ms, second)))
            return false;
    }
    return true;
}

/* ---- the file ---- */

struct counts {
    size_t utc, standard, leap, times, types, characters;
    uint8_t version;
};

static bool read_header(str bytes, struct counts *counts)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    if (bytes.size < HEADER_BYTES || memcmp(at, "TZif", 4) != 0)
        return false;
    *counts = (struct counts){ .version = at[4],
                               .utc = read_be32(at + 20),
                               .standard = read_be32(at + 24),
                               .leap = read_be32(at + 28),
                               .times = read_be32(at + 32),
                               .types = read_be32(at + 36),
                               .characters = read_be32(at + 40) };
    const size_t all[] = { counts->utc,   counts->standard, counts->leap,
                           counts->times, counts->types,    counts->characters };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] > FILE_BYTES_MAX)
            return false;
    return counts->types > 0 && counts->types <= 256;
}

static size_t data_bytes(const struct counts *counts, size_t time_bytes)
{
    return counts->times * (time_bytes + 1) + counts->types * 6 + counts->characters +
           counts->leap * (time_bytes + 4) + counts->standard + counts->utc;
}

/* Before the first entry the first type holds. */
static bool read_times(struct zone *zone, const uint8_t *data, const struct counts *counts)
{
    const uint8_t *kinds = data + counts->times * 8, *types = kinds + counts->times;
    if (!add(zone, INT64_MIN, (int32_t)read_be32(types)))
        return false;
    for (size_t i = 0; i < counts->times; i++) {
        int64_t seconds = read_be64(data + i * 8);
        if (kinds[i] >= counts->types)
            return false;
        /* Some files begin with a moment before there were clocks. */
        if (seconds < -SECONDS_MAX)
            continue;
        if (seconds > SECONDS_MAX ||
            !add(zone, seconds * SECOND_MS, (int32_t)read_be32(types + (size_t)kinds[i] * 6)))
            return false;
    }
    return true;
}

static bool read_file(struct zone *zone, str bytes)
{
    struct counts counts;
    if (!read_header(bytes, &counts) || counts.version < '2')
        return false;
    size_t skip = HEADER_BYTES + data_bytes(&counts, 4);
    if (skip > bytes.size)
        return false;
    bytes = str_slice(bytes, skip, bytes.size);
    if (!read_header(bytes, &counts) || HEADER_BYTES + data_bytes(&counts, 8) > bytes.size ||
        !read_times(zone, (const uint8_t *)bytes.data + HEADER_BYTES, &counts))
        return false;
    str footer = str_slice(bytes, HEADER_BYTES + data_bytes(&counts, 8), bytes.size);
    if (!take(&footer, '\n') || str_find_byte(footer, '\n') == footer.size)
        return false;
    return follow_rule(zone, str_slice(footer, 0, str_find_byte(footer, '\n')));
}

/* ---- by name ---- */

static bool is_name(str name)
{
    if (name.size == 0 || name.size >= ZONE_NAME_BYTES || name.data[0] == '/' ||
        str_contains(name, STR("..")) || str_contains(name, STR("//")))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '/' || c == '_' || c == '-' || c == '+';
        if (!good)
            return false;
    }
    return true;
}

static err no_zone(str name, struct problem *problem)
{
    problem_set(problem, ERR_UNPROCESSABLE, "there is no time zone '%.*s'",
                (int)str_utf8_prefix_bytes(name, 60), name.data);
    return problem_hint(problem, ERR_UNPROCESSABLE, "give an IANA name, as Asia/Shanghai");
}

err zone_parse_file(struct zone **out, str name, str bytes, struct problem *problem)
{
    struct zone *zone;
    if (!is_name(name))
        return no_zone(name, problem);
    err error = zone_new(&zone, name);
    if (error == ERR_OK && !read_file(zone, bytes)) {
        zone_free(&zone);
        error = ERR_CORRUPT;
    }
    if (error != ERR_OK)
        return problem_set(problem, error, "the time zone '" STR_FMT "' cannot be read",
                           STR_ARG(name));
    shrink(zone);
    *out = zone;
    return ERR_OK;
}

/* Where the data may not be installed. Shanghai's clocks stand since 1991-09-14T17:00Z. */
static err make_builtin(struct zone **out, str name, struct problem *problem)
{
    bool shanghai = str_equal(name, STR("Asia/Shanghai"));
    if (!shanghai && !str_equal(name, STR("UTC")))
        return no_zone(name, problem);
    err error = zone_new(out, name);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for a time zone");
    INVARIANT(add(*out, INT64_MIN, shanghai ? 8 * 3600 : 0));
    return ERR_OK;
}

static bool read_whole(const char *path, struct buffer *bytes)
{
    FILE *file = fopen(path, "rbe");
    char part[4096];
    size_t size;
    if (file == NULL)
        return false;
    while ((size = fread(part, 1, sizeof(part), file)) > 0)
        buffer_append(bytes, part, size);
    bool good = ferror(file) == 0 && bytes->size > 0;
    fclose(file);
    return good;
}

err zone_load(struct zone **zone, str name, struct problem *problem)
{
    char path[128];
    struct buffer bytes;
    if (!is_name(name))
        return no_zone(name, problem);
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.*s", (int)name.size, name.data);
    buffer_init(&bytes, FILE_BYTES_MAX);
    err error = read_whole(path, &bytes) && !bytes.failed
                    ? zone_parse_file(zone, name, buffer_str(&bytes), problem)
                    : make_builtin(zone, name, problem);
    buffer_deinit(&bytes);
    return error;
}

/* ---- asking ---- */

int32_t zone_offset_seconds(const struct zone *zone, int64_t time_ms)
{
    size_t low = 0, high = zone->count;
    if (time_ms >= zone->since_ms[high - 1])
        low = high - 1; /* mostly: where clocks are not changed any more */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->since_ms[middle] <= time_ms)
            low = middle;
        else
            high = middle;
    }
    return zone->offset_seconds[low];
}

static int64_t local_day(const struct zone *zone, int64_t time_ms)
{
    int64_t local_ms = time_ms + zone_offset_seconds(zone, time_ms) * SECOND_MS;
    return (local_ms - ((local_ms % DAY_MS) + DAY_MS) % DAY_MS) / DAY_MS;
}

/* Midnight by the offset of the moment; an offset that changed since is taken into account once, and then
 * the entry at which the day begins is looked for. */
int64_t zone_day_start_ms(const struct zone *zone, int64_t time_ms)
{
    int64_t day = local_day(zone, time_ms);
    int64_t start_ms = day * DAY_MS - zone_offset_seconds(zone, time_ms) * SECOND_MS;
    start_ms = day * DAY_MS - zone_offset_seconds(zone, start_ms) * SECOND_MS;
    if (local_day(zone, start_ms) == day &&
        (start_ms == INT64_MIN || local_day(zone, start_ms - 1) < day))
        return start_ms;
    for (size_t i = 1; i < zone->count; i++)
        if (local_day(zone, zone->since_ms[i]) == day &&
            local_day(zone, zone->since_ms[i] - 1) < day)
            return zone->since_ms[i];
    return start_ms;
}

void zone_format_day(const struct zone *zone, int64_t time_ms, char out[ZONE_DAY_BYTES])
{
    time_format_utc(time_ms + zone_offset_seconds(zone, time_ms) * SECOND_MS, out);
    out[strcspn(out, "T")] = '\0';
}
