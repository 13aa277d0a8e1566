/* SPDX-License-Identifier: Apache-2.0 */
/* local_zone: the workspace's zone from the system's tz database (RFC 8536), read when it is named. */
#include <stdio.h>
#include <string.h>

#include "audience/state.h"

#define ZONE_BYTES_MAX 65536
#define HEADER_BYTES 44

struct local_zone {
    struct local_zone *next;
    struct rule_zone zone;
    int64_t *since;
    int32_t *offsets;
};

static int64_t read_big(const uint8_t *bytes, size_t size)
{
    uint64_t value = (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static err set_fixed(struct local_zone *local, int32_t offset_seconds)
{
    local->since = memory_alloc(sizeof(int64_t));
    local->offsets = memory_alloc(sizeof(int32_t));
    if (local->since == NULL || local->offsets == NULL)
        return ERR_NOMEM;
    local->since[0] = INT64_MIN;
    local->offsets[0] = offset_seconds;
    local->zone.count = 1;
    return ERR_OK;
}

struct counts {
    size_t utc, standard, leap, time, type, text;
};

static struct counts read_counts(const uint8_t *header)
{
    return (struct counts){ (size_t)read_big(header + 20, 4), (size_t)read_big(header + 24, 4),
                            (size_t)read_big(header + 28, 4), (size_t)read_big(header + 32, 4),
                            (size_t)read_big(header + 36, 4), (size_t)read_big(header + 40, 4) };
}

/* The second block of a version 2 file: 64-bit times. */
static err read_block(struct local_zone *local, const uint8_t *bytes, size_t size)
{
    if (size < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
        return ERR_CORRUPT;
    struct counts first = read_counts(bytes);
    size_t skip = HEADER_BYTES + first.time * 5 + first.type * 6 + first.text + first.leap * 8 +
                  first.standard + first.utc;
    if (skip + HEADER_BYTES > size)
        return ERR_CORRUPT;
    struct counts counts = read_counts(bytes + skip);
    const uint8_t *times = bytes + skip + HEADER_BYTES, *types = times + counts.time * 8;
    const uint8_t *kinds = types + counts.time;
    if (counts.type == 0 || kinds + counts.type * 6 > bytes + size)
        return ERR_CORRUPT;
    local->since = memory_alloc((counts.time + 1) * sizeof(int64_t));
    local->offsets = memory_alloc((counts.time + 1) * sizeof(int32_t));
    if (local->since == NULL || local->offsets == NULL)
        return ERR_NOMEM;
    local->since[0] = INT64_MIN;
    local->offsets[0] = (int32_t)read_big(kinds, 4);
    for (size_t i = 0; i < counts.time; i++) {
        if (types[i] >= counts.type)
            return ERR_CORRUPT;
        local->since[i + 1] = read_big(times + i * 8, 8) * 1000;
        local->offsets[i + 1] = (int32_t)read_big(kinds + types[i] * 6, 4);
    }
    local->zone.count = counts.time + 1;
    return ERR_OK;
}

static bool is_zone_name(const char *name)
{
    for (const char *at = name; *at != '\0'; at++)
        if ((*at < 'A' || *at > 'Z') && (*at < 'a' || *at > 'z') && (*at < '0' || *at > '9') &&
            *at != '/' && *at != '_' && *at != '-' && *at != '+')
            return false;
    return name[0] != '\0' && name[0] != '/';
}

/* The zone of this name, made once. */
static err make_zone(struct local_zone *local, const char *name)
{
    char path[128];
    err error = ERR_NOT_FOUND;
    snprintf(local->zone.name, sizeof local->zone.name, "%s", name);
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.90s", name);
    FILE *file = is_zone_name(name) ? fopen(path, "rb") : NULL;
    uint8_t *bytes = file != NULL ? memory_alloc(ZONE_BYTES_MAX) : NULL;
    if (bytes != NULL) {
        size_t size = fread(bytes, 1, ZONE_BYTES_MAX, file);
        error = read_block(local, bytes, size);
        memory_free(bytes);
    }
    if (file != NULL)
        fclose(file);
    if (error != ERR_OK) {
        memory_free(local->since);
        memory_free(local->offsets);
        local->since = NULL;
        local->offsets = NULL;
        /* A machine without the database: China, as the default is, has had one offset since 1991. */
        err fixed = set_fixed(local, strcmp(name, "UTC") == 0 ? 0 : 8 * 3600);
        error = fixed != ERR_OK ? fixed : error;
    }
    local->zone.since_ms = local->since;
    local->zone.offset_seconds = local->offsets;
    return error;
}

err local_zone_init(struct audience *audience, const char *name)
{
    if (name == NULL)
        name = "Asia/Shanghai";
    for (const struct local_zone *local = audience->zones; local != NULL; local = local->next)
        if (strcmp(local->zone.name, name) == 0) {
            audience->zone = &local->zone;
            return ERR_OK;
        }
    struct local_zone *local = memory_alloc(sizeof *local);
    if (local == NULL)
        return ERR_NOMEM;
    err error = make_zone(local, name);
    local->next = audience->zones;
    audience->zones = local;
    audience->zone = &local->zone;
    return error;
}

void local_zones_free(struct audience *audience)
{
    while (audience->zones != NULL) {
        struct local_zone *gone = audience->zones;
        audience->zones = gone->next;
        memory_free(gone->since);
        memory_free(gone->offsets);
        memory_free(gone);
    }
}

static bool take_setting(void *context, const struct ledger_value *values)
{
    struct audience *audience = context;
    str text = values[1].bytes;
    char name[64];
    if (!str_equal(values[0].bytes, STR("workspace.zone")) || text.size < 3 || text.size > 60)
        return true;
    snprintf(name, sizeof name, "%.*s", (int)text.size - 2, text.data + 1); /* a JSON text */
    if (local_zone_init(audience, name) != ERR_OK)
        log_line(LOG_WARN, "zone_unknown", "zone=%s", name);
    return false;
}

err local_zone_load(struct audience *audience, struct ledger *ledger, struct problem *problem)
{
    err error = ledger_scan(ledger, LEDGER_SETTINGS, NULL, take_setting, audience, problem);
    audience->catalogue.zone = audience->judging.zone = audience->zone;
    return error;
}

static int64_t offset_ms_at(const struct rule_zone *zone, int64_t time_ms)
{
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->since_ms[middle] <= time_ms)
            low = middle;
        else
            high = middle;
    }
    return (int64_t)zone->offset_seconds[low] * 1000;
}

int64_t local_day(const struct rule_zone *zone, int64_t time_ms)
{
    int64_t local = time_ms + offset_ms_at(zone, time_ms);
    return local >= 0 ? local / DAY_MS : -((-local + DAY_MS - 1) / DAY_MS);
}

/* The first instant of a local day: at a change of the clock the later of two candidates that begin it. */
int64_t local_day_start(const struct rule_zone *zone, int64_t day)
{
    int64_t guess = day * DAY_MS - offset_ms_at(zone, day * DAY_MS);
    guess = day * DAY_MS - offset_ms_at(zone, guess);
    while (local_day(zone, guess) < day)
        guess += HOUR_MS / 4;
    while (local_day(zone, guess - 1) >= day)
        guess -= HOUR_MS / 4;
    return guess;
}
