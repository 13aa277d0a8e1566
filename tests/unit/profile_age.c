/* SPDX-License-Identifier: Apache-2.0 */
/* P11: who is younger than 14 by her birthday, to the day, in the workspace's zone. */
#include "support/cmocka.h"

#include "base/clock.h"
#include "profile/age.h"

static struct zone *shanghai;

static int set_up(void **state)
{
    struct problem problem = { .error = ERR_OK };
    (void)state;
    return zone_load(&shanghai, STR("Asia/Shanghai"), &problem) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    zone_free(&shanghai);
    return 0;
}

static bool is_child(const char *json, const char *at)
{
    int64_t now_ms;
    assert_true(time_parse(str_from_c(at), 0, &now_ms));
    return age_is_below(str_from_c(json), AGE_OF_CHILDREN, shanghai, now_ms);
}

static void to_the_day_in_the_zone(void **state)
{
    (void)state;
    assert_true(is_child("\"2012-11-22\"", "2026-11-21T23:59:59+08:00"));
    assert_false(is_child("\"2012-11-22\"", "2026-11-22T00:00:00+08:00"));
    assert_false(is_child("\"2012-11-22\"", "2026-11-21T16:00:00Z"));
    assert_true(is_child("\"2012-11-22\"", "2026-11-21T15:59:59Z"));
    assert_false(is_child("\"1990-01-01\"", "2026-11-22T00:00:00Z"));
    assert_false(is_child("\"1960-06-01\"", "2026-11-22T00:00:00Z"));
    assert_true(is_child("\"2026-11-22\"", "2026-11-22T12:00:00+08:00"));
}

static void in_all_the_ways_it_is_written(void **state)
{
    (void)state;
    const char *child[] = { "\"2015-03-01\"", "\"2015-03-01T00:00:00+08:00\"",
                            "\"2015-02-28T16:00:00Z\"", "1425139200000", "\"1425139200\"" };
    for (size_t i = 0; i < sizeof child / sizeof child[0]; i++) {
        assert_true(is_child(child[i], "2029-02-28T23:59:59+08:00"));
        assert_false(is_child(child[i], "2029-03-01T00:00:00+08:00"));
    }
}

static void born_on_a_leap_day(void **state)
{
    (void)state;
    assert_true(is_child("\"2012-02-29\"", "2026-02-28T23:59:59+08:00"));
    assert_false(is_child("\"2012-02-29\"", "2026-03-01T00:00:00+08:00"));
}

static void what_says_nothing(void **state)
{
    (void)state;
    const char *none[] = {
        "\"\"",   "\"soon\"",       "null",           "true", "{\"$sealed\":\"s1:1:x\"}",
        "[2015]", "\"2015-13-45\"", "\"2031-01-01\"", ""
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(is_child(none[i], "2026-11-22T00:00:00Z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_the_day_in_the_zone),
        cmocka_unit_test(in_all_the_ways_it_is_written),
        cmocka_unit_test(born_on_a_leap_day),
        cmocka_unit_test(what_says_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
