/* SPDX-License-Identifier: Apache-2.0 */
/* Zones against the C library's own reading of the same files; names and files that are none. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/zone.h"

static const char *const names[] = { "Asia/Shanghai",    "UTC",           "America/New_York",
                                     "Europe/Berlin",    "Asia/Kolkata",  "Australia/Lord_Howe",
                                     "America/Santiago", "Europe/Dublin", "Africa/Casablanca",
                                     "Pacific/Apia" };

static bool is_installed(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rb");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

static void as_the_c_library_says(void **state)
{
    struct random_stream stream;
    (void)state;
    random_seed(&stream, 7);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct zone *zone = NULL;
        struct problem problem = { .error = ERR_OK };
        if (!is_installed(names[i]))
            continue;
        assert_ok(zone_load(&zone, str_from_c(names[i]), &problem));
        assert_string_equal(zone->name, names[i]);
        assert_true(zone->since_ms[0] == INT64_MIN);
        setenv("TZ", names[i], 1);
        tzset();
        for (int n = 0; n < 20000; n++) {
            int64_t seconds = (int64_t)random_below(&stream, (uint64_t)4000000000) - 800000000;
            time_t when = (time_t)seconds;
            struct tm local;
            char day[ZONE_DAY_BYTES], expected[32];
            assert_non_null(localtime_r(&when, &local));
            if (zone_offset_seconds(zone, seconds * 1000) != local.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", names[i], (long long)seconds,
                         zone_offset_seconds(zone, seconds * 1000), local.tm_gmtoff);
            zone_format_day(zone, seconds * 1000, day);
            strftime(expected, sizeof(expected), "%Y-%m-%d", &local);
            assert_string_equal(day, expected);
            int64_t start_ms = zone_day_start_ms(zone, seconds * 1000);
            char before[ZONE_DAY_BYTES];
            assert_true(start_ms <= seconds * 1000);
            zone_format_day(zone, start_ms, day);
            zone_format_day(zone, start_ms - 1, before);
            assert_string_equal(day, expected);
            assert_string_not_equal(before, expected);
        }
        zone_free(&zone);
        assert_null(zone);
    }
    unsetenv("TZ");
    tzset();
}

static void what_is_no_zone(void **state)
{
    static const char *const wrong[] = { "",        "/etc/passwd", "../UTC", "Asia/Nowhere",
                                         "Asia",    "a b",         "上海",   "Asia//Shanghai",
                                         "zone.tab" };
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct zone *zone = NULL;
        struct problem problem = { .error = ERR_OK };
        err error = zone_load(&zone, str_from_c(wrong[i]), &problem);
        if (error == ERR_OK)
            fail_msg("'%s' was taken", wrong[i]);
        assert_null(zone);
        assert_true(problem.detail[0] != '\0');
    }
}

/* Every cut and every flipped byte of a file is refused or gives a table in order. */
static void damaged_files(void **state)
{
    static char bytes[1 << 16];
    (void)state;
    FILE *file = fopen("/usr/share/zoneinfo/America/New_York", "rb");
    if (file == NULL)
        return;
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    for (size_t at = 0; at < size; at++) {
        struct zone *zone = NULL;
        struct problem problem;
        err error = zone_parse_file(&zone, STR("X"), str_from_bytes(bytes, at), &problem);
        assert_int_not_equal(error, ERR_OK);
        bytes[at] = (char)(bytes[at] ^ 0x81);
        error = zone_parse_file(&zone, STR("X"), str_from_bytes(bytes, size), &problem);
        bytes[at] = (char)(bytes[at] ^ 0x81);
        for (size_t i = 1; error == ERR_OK && i < zone->count; i++)
            assert_true(zone->since_ms[i - 1] < zone->since_ms[i]);
        zone_free(&zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_c_library_says),
        cmocka_unit_test(what_is_no_zone),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
