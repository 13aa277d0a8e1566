/* SPDX-License-Identifier: Apache-2.0 */
/* N4: whose appends are in the log's next round, while one source brings more than a round takes. */
#include "support/cmocka.h"

#include <string.h>

#include "base/digest.h"
#include "log/lanes.h"

#define MANY 400

static struct log_append appends[MANY];
static const char BYTES[1 << 20];

static struct log_append *an_append(size_t index, uint32_t source, size_t bytes)
{
    appends[index] = (struct log_append){
        .source = source,
        .records = str_from_bytes(BYTES, bytes),
        .first_seq = index,
    };
    return &appends[index];
}

static steady_ns at_ms(int64_t ms)
{
    return (steady_ns){ .ns = (1000 + ms) * 1000000 };
}

static void put(struct lanes *lanes, size_t index, uint32_t source, size_t bytes, int64_t ms)
{
    lanes_put(lanes, an_append(index, source, bytes), at_ms(ms));
}

static struct log_append *next_of(const struct log_append *append)
{
    return append->item.next != NULL ? queue_entry(append->item.next, struct log_append, item)
                                     : NULL;
}

static size_t bytes_of(const struct log_append *round)
{
    size_t bytes = 0;
    for (; round != NULL; round = next_of(round))
        bytes += round->records.size;
    return bytes;
}

static bool holds(const struct log_append *round, size_t index)
{
    for (; round != NULL; round = next_of(round))
        if (round == &appends[index])
            return true;
    return false;
}

static void test_one_source_is_a_queue_of_long_rounds(void **state)
{
    (void)state;
    struct lanes lanes = { .count = 0 };
    assert_null(lanes_take(&lanes, at_ms(0)));
    for (size_t i = 0; i < 200; i++)
        put(&lanes, i, 1, 45000, 0);
    struct log_append *round = lanes_take(&lanes, at_ms(1));
    assert_in_range(bytes_of(round), LANES_ROUND_BYTES_MAX - 45000, LANES_ROUND_BYTES_MAX);
    size_t expected = 0;
    while (round != NULL) {
        for (; round != NULL; round = next_of(round))
            assert_ptr_equal(round, &appends[expected++]);
        round = lanes_take(&lanes, at_ms(1));
    }
    assert_int_equal(expected, 200);
    assert_true(lanes_are_empty(&lanes));
}

static void test_a_quiet_source_is_in_the_next_round(void **state)
{
    (void)state;
    struct lanes lanes = { .count = 0 };
    for (size_t i = 0; i < 300; i++)
        put(&lanes, i, 1, 45000, 0);
    put(&lanes, 300, 2, 4500, 0);
    struct log_append *round = lanes_take(&lanes, at_ms(1));
    assert_true(holds(round, 300));
    assert_in_range(bytes_of(round), 1, LANES_SHORT_ROUND_BYTES);
    for (size_t i = 1; i < 5; i++) { /* and whenever it comes again */
        assert_false(holds(lanes_take(&lanes, at_ms((int64_t)i)), 300));
        put(&lanes, 300 + i, 2, 4500, (int64_t)i);
        assert_true(holds(lanes_take(&lanes, at_ms((int64_t)i)), 300 + i));
    }
}

/* A second in which it brought nothing, and the flood has long rounds again. */
static void test_rounds_are_short_only_while_several_share(void **state)
{
    (void)state;
    struct lanes lanes = { .count = 0 };
    put(&lanes, 0, 2, 4500, 0);
    for (size_t i = 1; i < 300; i++)
        put(&lanes, i, 1, 45000, 10);
    assert_int_equal(lanes_round_bytes(&lanes, at_ms(LANES_SHARED_MS - 1)),
                     LANES_SHORT_ROUND_BYTES);
    assert_int_equal(lanes_round_bytes(&lanes, at_ms(LANES_SHARED_MS)), LANES_ROUND_BYTES_MAX);
}

/* Commands and ticks come each second: they do not make the rounds of one source short, and do not wait behind it. */
static void test_the_house_has_a_lane_and_does_not_share(void **state)
{
    (void)state;
    struct lanes lanes = { .count = 0 };
    for (size_t i = 0; i < 300; i++)
        put(&lanes, i, 7, 45000, 0);
    put(&lanes, 300, 0, 20, 0);
    assert_int_equal(lanes_round_bytes(&lanes, at_ms(0)), LANES_ROUND_BYTES_MAX);
    assert_true(holds(lanes_take(&lanes, at_ms(0)), 300));
}

/* Who was alone for long owes nothing when another comes. */
static void test_a_source_alone_pays_nothing(void **state)
{
    (void)state;
    struct lanes lanes = { .count = 0 };
    for (size_t i = 0; i < 300; i++)
        put(&lanes, i, 1, 45000, 0);
    (void)lanes_take(&lanes, at_ms(0));
    for (size_t i = 300; i < 400; i++)
        put(&lanes, i, 2, 45000, 1);
    size_t of_first = 0;
    for (const struct log_append *one = lanes_take(&lanes, at_ms(1)); one != NULL;
         one = next_of(one))
        of_first += one->source == 1;
    assert_in_range(of_first, 2, 4); /* of five or six */
}

static void test_one_append_larger_than_a_round(void **state)
{
    (void)state;
    struct lanes lanes = { .count = 0 };
    put(&lanes, 0, 1, sizeof BYTES, 0);
    put(&lanes, 1, 2, sizeof BYTES, 0);
    assert_int_equal(bytes_of(lanes_take(&lanes, at_ms(0))), sizeof BYTES);
    assert_int_equal(bytes_of(lanes_take(&lanes, at_ms(0))), sizeof BYTES);
    assert_true(lanes_are_empty(&lanes));
}

/* Whatever comes in whatever order: each is taken once, and those of a source in their order. */
static void test_each_once_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random_stream random;
        random_seed(&random, seed);
        struct lanes lanes = { .count = 0 };
        size_t brought = 0, taken = 0, last[700] = { 0 };
        while (taken < MANY) {
            for (uint64_t n = random_below(&random, 40); n > 0 && brought < MANY; n--, brought++)
                put(&lanes, brought, (uint32_t)random_below(&random, seed % 2 ? 4 : 700),
                    (size_t)random_below(&random, 90000), (int64_t)brought);
            for (struct log_append *one = lanes_take(&lanes, at_ms((int64_t)brought)); one != NULL;
                 one = next_of(one), taken++) {
                assert_true(one->first_seq + 1 > last[one->source]);
                last[one->source] = (size_t)one->first_seq + 1;
            }
        }
        assert_int_equal(taken, MANY);
        assert_true(lanes_are_empty(&lanes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_source_is_a_queue_of_long_rounds),
        cmocka_unit_test(test_a_quiet_source_is_in_the_next_round),
        cmocka_unit_test(test_rounds_are_short_only_while_several_share),
        cmocka_unit_test(test_the_house_has_a_lane_and_does_not_share),
        cmocka_unit_test(test_a_source_alone_pays_nothing),
        cmocka_unit_test(test_one_append_larger_than_a_round),
        cmocka_unit_test(test_each_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
