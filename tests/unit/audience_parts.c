/* SPDX-License-Identifier: Apache-2.0 */
/* Sets, numbers, the wheel and the entries of changes, in step with something plain. */
#include "support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "audience/state.h"

#define CUSTOMERS 200000u

static void test_sets(void **state)
{
    (void)state;
    struct random_stream random;
    struct set set = { .count = 0 }, snapshot, loaded = { .count = 0 };
    bool *plain = calloc(CUSTOMERS, sizeof(*plain)), *then = malloc(CUSTOMERS * sizeof(*then));
    bool changed;
    random_seed(&random, 1);
    for (int i = 0; i < 100000; i++) {
        uint32_t customer = (uint32_t)random_below(&random, CUSTOMERS);
        bool add = random_below(&random, 3) != 0;
        assert_ok(add ? set_add(&set, customer, &changed) : set_remove(&set, customer, &changed));
        assert_int_equal(changed, plain[customer] != add);
        plain[customer] = add;
    }
    assert_ok(set_share(&set, &snapshot));
    memcpy(then, plain, CUSTOMERS * sizeof(*then));
    for (int i = 0; i < 1000; i++) {
        uint32_t customer = (uint32_t)random_below(&random, CUSTOMERS);
        assert_ok(set_add(&set, customer, &changed));
        plain[customer] = true;
    }
    uint64_t count = 0;
    for (uint32_t i = 0; i < CUSTOMERS; i++) {
        assert_int_equal(set_has(&set, i), plain[i]);
        assert_int_equal(set_has(&snapshot, i), then[i]); /* untouched by what came after */
        count += plain[i];
    }
    assert_int_equal(set.count, count);
    for (uint32_t chunk = 0; chunk < set.chunk_count; chunk++) {
        struct buffer bytes;
        buffer_init(&bytes, 1 << 20);
        set_write_chunk(&set, chunk, &bytes);
        assert_ok(set_load_chunk(&loaded, chunk, buffer_str(&bytes)));
        buffer_deinit(&bytes);
    }
    assert_int_equal(loaded.count, set.count);
    assert_int_equal(set_and_count(&loaded, &set), set.count);
    assert_int_equal(set_load_chunk(&loaded, 0, STR("nonsense")), ERR_CORRUPT);
    set_deinit(&set);
    set_deinit(&snapshot);
    set_deinit(&loaded);
    free(plain);
    free(then);
}

static void test_numbers(void **state)
{
    (void)state;
    static const int64_t values[] = { 0,       MILLION,       -3 * MILLION, 40000 * MILLION,
                                      1234567, INT64_MAX - 1, NO_VALUE,     -5000000000 * MILLION };
    struct random_stream random;
    struct numbers numbers, snapshot, loaded;
    int64_t *plain = malloc(CUSTOMERS * sizeof(*plain));
    random_seed(&random, 2);
    numbers_init(&numbers, MILLION);
    numbers_init(&loaded, MILLION);
    for (uint32_t i = 0; i < CUSTOMERS; i++)
        plain[i] = NO_VALUE;
    for (int i = 0; i < 50000; i++) {
        uint32_t customer = (uint32_t)random_below(&random, CUSTOMERS);
        size_t kinds = i < 20000 ? 3 : 8; /* narrow first, then all widths */
        int64_t value = values[random_below(&random, kinds)];
        assert_ok(numbers_put(&numbers, customer, value));
        plain[customer] = value;
    }
    assert_ok(numbers_share(&numbers, &snapshot));
    int64_t before = numbers_get(&numbers, 7);
    assert_ok(numbers_put(&numbers, 7, 99));
    assert_true(numbers_get(&snapshot, 7) == before);
    assert_ok(numbers_put(&numbers, 7, before));
    uint64_t count = 0;
    for (uint32_t i = 0; i < CUSTOMERS; i++) {
        assert_true(numbers_get(&numbers, i) == plain[i]);
        count += plain[i] != NO_VALUE;
    }
    assert_int_equal(numbers.count, count);
    for (uint32_t chunk = 0; chunk < numbers.chunk_count; chunk++) {
        struct buffer bytes;
        buffer_init(&bytes, 4 << 20);
        numbers_write_chunk(&numbers, chunk, &bytes);
        assert_ok(numbers_load_chunk(&loaded, chunk, buffer_str(&bytes)));
        buffer_deinit(&bytes);
    }
    for (uint32_t i = 0; i < CUSTOMERS; i++)
        assert_true(numbers_get(&loaded, i) == plain[i]);
    assert_int_equal(numbers_load_chunk(&loaded, 0, STR("\x05\xff")), ERR_CORRUPT);
    numbers_deinit(&numbers);
    numbers_deinit(&snapshot);
    numbers_deinit(&loaded);
    free(plain);
}

/* Nobody is settled too late: who is due at a moment is taken by the tick of that minute, or sooner. */
static void test_wheel(void **state)
{
    (void)state;
    struct random_stream random;
    struct wheel wheel = { .count = 0 };
    int64_t now = INT64_C(1767225600000), *due = calloc(5000, sizeof(*due));
    random_seed(&random, 3);
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 50; i++) {
            uint32_t customer = (uint32_t)random_below(&random, 5000);
            int64_t until = now + (int64_t)random_below(&random, 90) * DAY_MS / 7;
            bool never = random_below(&random, 5) == 0;
            due[customer] = never ? 0 : until;
            assert_ok(wheel_put(&wheel, customer, never ? RULE_FOREVER : until, now));
        }
        now += (int64_t)random_below(&random, 3 * HOUR_MS);
        roaring_bitmap_t *taken = roaring_bitmap_create();
        assert_ok(wheel_take(&wheel, wheel_minute(now), taken));
        uint64_t waiting = 0;
        for (uint32_t i = 0; i < 5000; i++) {
            if (roaring_bitmap_contains(taken, i)) {
                assert_int_equal(wheel_due(&wheel, i), 0);
                /* sooner only by the hour that far ones stand in */
                if (due[i] > now + HOUR_MS)
                    assert_ok(wheel_put(&wheel, i, due[i], now));
                else if (due[i] / MINUTE_MS > now / MINUTE_MS)
                    assert_ok(wheel_put(&wheel, i, due[i], now));
                else
                    due[i] = 0;
            } else {
                assert_false(due[i] != 0 && due[i] / MINUTE_MS <= now / MINUTE_MS);
            }
            waiting += due[i] != 0;
        }
        assert_int_equal(wheel.count, waiting);
        roaring_bitmap_free(taken);
    }
    wheel_deinit(&wheel);
    free(due);
}

static void test_changes(void **state)
{
    (void)state;
    struct random_stream random;
    struct buffer bytes;
    struct change changes[500], previous = { .seq = 0 }, read;
    random_seed(&random, 4);
    buffer_init(&bytes, 1 << 20);
    for (size_t i = 0; i < 500; i++) {
        changes[i] = (struct change){
            .customer = (uint32_t)random_next(&random),
            .at_ms = (int64_t)random_below(&random, 1ull << 44),
            .seq = random_below(&random, 1ull << 50),
            .cause = (enum cause)random_below(&random, CAUSE_COUNT),
            .old_value =
                random_below(&random, 2) == 0 ? NO_VALUE : (int64_t)random_next(&random) / 2,
            .new_value = random_below(&random, 2) == 0 ? NO_VALUE : 1,
        };
        change_write(&bytes, &changes[i], &previous);
        previous = changes[i];
    }
    struct cursor cursor = cursor_over(buffer_str(&bytes));
    previous = (struct change){ .seq = 0 };
    for (size_t i = 0; i < 500; i++) {
        assert_true(change_next(&cursor, &read, &previous));
        assert_true(read.customer == changes[i].customer && read.at_ms == changes[i].at_ms &&
                    read.seq == changes[i].seq && read.cause == changes[i].cause &&
                    read.old_value == changes[i].old_value &&
                    read.new_value == changes[i].new_value);
    }
    assert_false(change_next(&cursor, &read, &previous));
    buffer_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_wheel),
        cmocka_unit_test(test_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
