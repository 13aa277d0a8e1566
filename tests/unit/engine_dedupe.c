/* SPDX-License-Identifier: Apache-2.0 */
/* The set of message keys against a plain list: growth, window, eviction, order of loading. */
#include "support/cmocka.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "engine/dedupe.h"

#define START_MS (INT64_C(1781827200000))

static uint64_t key_of(uint64_t number)
{
    uint64_t key = hash_mix64(number + 1);
    return key != 0 ? key : 1;
}

static void test_seen_is_seen(void **state)
{
    (void)state;
    struct dedupe dedupe;
    assert_ok(dedupe_init(&dedupe, 1 << 20, 30 * DAY_MS));
    for (uint64_t number = 0; number < 200000; number++) {
        assert_int_equal(dedupe_find(&dedupe, key_of(number), START_MS), DEDUPE_NEW);
        assert_ok(dedupe_put(&dedupe, key_of(number), START_MS, START_MS));
        assert_int_equal(dedupe_find(&dedupe, key_of(number / 2), START_MS), DEDUPE_SEEN);
    }
    assert_int_equal(dedupe_find(&dedupe, key_of(300000), START_MS), DEDUPE_NEW);
    dedupe_deinit(&dedupe);
}

static void test_the_window_ends_by_the_hour(void **state)
{
    (void)state;
    struct dedupe dedupe;
    assert_ok(dedupe_init(&dedupe, 1 << 20, 30 * DAY_MS));
    assert_ok(dedupe_put(&dedupe, 7, START_MS, START_MS));
    assert_int_equal(dedupe_find(&dedupe, 7, START_MS + 30 * DAY_MS), DEDUPE_SEEN);
    assert_int_equal(dedupe_find(&dedupe, 7, START_MS + 30 * DAY_MS + HOUR_MS - 1), DEDUPE_SEEN);
    assert_int_equal(dedupe_find(&dedupe, 7, START_MS + 30 * DAY_MS + HOUR_MS), DEDUPE_NEW);
    /* Seen again then: the window starts anew. */
    assert_ok(dedupe_put(&dedupe, 7, START_MS + 31 * DAY_MS, START_MS + 31 * DAY_MS));
    assert_int_equal(dedupe_find(&dedupe, 7, START_MS + 60 * DAY_MS), DEDUPE_SEEN);
    dedupe_deinit(&dedupe);
}

/* Months of keys: memory stays flat, and each answer is that of the plain list. */
static void test_a_year_against_a_list(void **state)
{
    (void)state;
    enum { COUNT = 300000 };
    int64_t *seen_ms = calloc(COUNT, sizeof *seen_ms);
    struct dedupe dedupe;
    struct random_stream random;
    assert_non_null(seen_ms);
    random_seed(&random, 9);
    assert_ok(dedupe_init(&dedupe, 1 << 20, 30 * DAY_MS));
    for (uint64_t step = 0; step < 2 * COUNT; step++) {
        int64_t now_ms = START_MS + (int64_t)step * (365 * DAY_MS / (2 * COUNT));
        size_t number = (size_t)random_below(&random, COUNT);
        int64_t hours = now_ms / HOUR_MS - seen_ms[number] / HOUR_MS;
        bool expected = seen_ms[number] != 0 && hours <= 720;
        enum dedupe_answer answer = dedupe_find(&dedupe, key_of(number), now_ms);
        assert_int_equal(answer, expected ? DEDUPE_SEEN : DEDUPE_NEW);
        if (!expected) {
            assert_ok(dedupe_put(&dedupe, key_of(number), now_ms, now_ms));
            seen_ms[number] = now_ms;
        }
    }
    assert_true(dedupe_memory_bytes(&dedupe) < 4 << 20);
    dedupe_deinit(&dedupe);
    free(seen_ms);
}

/* Beyond the budget the oldest are asked for, never forgotten; strangers are seldom asked for. */
static void test_what_leaves_memory_is_asked_for(void **state)
{
    (void)state;
    enum { COUNT = 120000 };
    struct dedupe dedupe;
    assert_ok(dedupe_init(&dedupe, 20000, 30 * DAY_MS));
    int64_t now_ms = START_MS;
    for (uint64_t number = 0; number < COUNT; number++) {
        now_ms = START_MS + (int64_t)number * (20 * DAY_MS / COUNT);
        assert_ok(dedupe_put(&dedupe, key_of(number), now_ms, now_ms));
    }
    size_t asked = 0;
    for (uint64_t number = 0; number < COUNT; number++) {
        enum dedupe_answer answer = dedupe_find(&dedupe, key_of(number), now_ms);
        assert_int_not_equal(answer, DEDUPE_NEW);
        asked += answer == DEDUPE_ASK;
    }
    assert_true(asked > COUNT / 2);
    assert_true(dedupe_memory_bytes(&dedupe) < 2 << 20);
    dedupe_deinit(&dedupe);
}

static void test_the_order_of_loading_does_not_matter(void **state)
{
    (void)state;
    struct dedupe one, other;
    struct digest a = { .count = 0 }, b = { .count = 0 };
    int64_t now_ms = START_MS + 20 * DAY_MS;
    assert_ok(dedupe_init(&one, 1 << 20, 30 * DAY_MS));
    assert_ok(dedupe_init(&other, 1 << 20, 30 * DAY_MS));
    for (int64_t number = 0; number < 50000; number++) {
        int64_t reverse = 49999 - number;
        assert_ok(dedupe_put(&one, key_of((uint64_t)number), START_MS + number * 10000, now_ms));
        assert_ok(
            dedupe_put(&other, key_of((uint64_t)reverse), START_MS + reverse * 10000, now_ms));
    }
    dedupe_digest(&one, now_ms, &a);
    dedupe_digest(&other, now_ms, &b);
    assert_int_equal(a.count, 50000);
    assert_true(a.low == b.low && a.high == b.high && a.count == b.count);
    dedupe_deinit(&one);
    dedupe_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seen_is_seen),
        cmocka_unit_test(test_the_window_ends_by_the_hour),
        cmocka_unit_test(test_a_year_against_a_list),
        cmocka_unit_test(test_what_leaves_memory_is_asked_for),
        cmocka_unit_test(test_the_order_of_loading_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
