/* SPDX-License-Identifier: Apache-2.0 */
/* Sums against a plain array: each key has one record, whatever else comes up; one too many has none; a failed allocation changes
 * nothing. */
#include "support/cmocka.h"

#include <string.h>

#include "base/digest.h"
#include "base/fault.h"
#include "base/sums.h"

#define KEYS 3000

struct sum {
    uint32_t number, day; /* the key */
    uint64_t count, total;
};

static void add(struct sums *sums, uint32_t number, uint64_t amount)
{
    uint32_t key[2] = { number, number % 7 };
    void *record = NULL;
    assert_ok(sums_of(sums, key, &record));
    struct sum *sum = record;
    assert_non_null(sum);
    assert_int_equal(sum->number, number);
    assert_int_equal(sum->day, number % 7);
    sum->count++;
    sum->total += amount;
}

static void sums_are_those_of_a_plain_array(void **state)
{
    struct sums sums;
    static struct sum plain[KEYS];
    struct random_stream random;
    (void)state;
    random_seed(&random, 20261122);
    memset(plain, 0, sizeof plain);
    sums_init(&sums, sizeof(struct sum), 8, KEYS);
    size_t keys = 0;
    for (int i = 0; i < 40000; i++) {
        uint32_t number = (uint32_t)random_below(&random, KEYS);
        uint64_t amount = random_below(&random, 1000);
        keys += plain[number].count++ == 0;
        plain[number].total += amount;
        add(&sums, number, amount);
        assert_int_equal(sums.count, keys);
    }
    for (size_t i = 0; i < sums.count; i++) {
        const struct sum *sum = sums_at(&sums, i);
        assert_int_equal(sum->count, plain[sum->number].count);
        assert_int_equal(sum->total, plain[sum->number].total);
    }
    sums_deinit(&sums);
}

/* The day alone is another key. */
static void the_whole_key_counts(void **state)
{
    struct sums sums;
    void *one = NULL, *other = NULL;
    (void)state;
    sums_init(&sums, sizeof(struct sum), 8, 10);
    assert_ok(sums_of(&sums, (uint32_t[2]){ 1, 1 }, &one));
    ((struct sum *)one)->count = 5;
    assert_ok(sums_of(&sums, (uint32_t[2]){ 1, 2 }, &other));
    assert_int_equal(((struct sum *)other)->count, 0);
    assert_int_equal(sums.count, 2);
    sums_deinit(&sums);
}

static void one_too_many_has_none(void **state)
{
    struct sums sums;
    void *record = NULL;
    (void)state;
    sums_init(&sums, sizeof(struct sum), 8, 300);
    for (uint32_t i = 0; i < 300; i++)
        add(&sums, i, 1);
    assert_ok(sums_of(&sums, (uint32_t[2]){ 300, 0 }, &record));
    assert_null(record);
    add(&sums, 299, 1); /* who is there already goes on */
    assert_int_equal(sums.count, 300);
    sums_deinit(&sums);
}

static void without_memory_nothing_changes(void **state)
{
    struct sums sums;
    void *record = NULL;
    (void)state;
    sums_init(&sums, sizeof(struct sum), 8, KEYS);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, false);
        assert_err(sums_of(&sums, (uint32_t[2]){ 1, 1 }, &record), ERR_NOMEM);
        fault_disarm();
        assert_null(record);
    }
    uint32_t number = 0;
    for (; sums.count < sums.capacity || sums.count == 0; number++)
        add(&sums, number, 1);
    for (uint64_t nth = 1; nth <= 2; nth++) { /* it is full: it would have to grow */
        fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, false);
        assert_err(sums_of(&sums, (uint32_t[2]){ number, number % 7 }, &record), ERR_NOMEM);
        fault_disarm();
        assert_int_equal(sums.count, number);
    }
    add(&sums, number, 1);
    add(&sums, 0, 1);
    assert_int_equal(((const struct sum *)sums_at(&sums, 0))->count, 2);
    assert_int_equal(sums.count, number + 1);
    sums_deinit(&sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_a_plain_array),
        cmocka_unit_test(the_whole_key_counts),
        cmocka_unit_test(one_too_many_has_none),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
