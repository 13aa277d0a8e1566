/* SPDX-License-Identifier: Apache-2.0 */
/* What is computed for neighbours at once is what each of them is judged to be alone: rules, counted tags, stages, RFM; late
 * events, refunds, cancellations, merges and edges of windows among them; and the due times say when that ends. */
#include "audience/rank.h"
#include "audience/state.h"
#include "unit/audience_house.h"

#define PEOPLE 1600
#define DAYS 120

static const char *const DEFINITIONS[] = {
    "{\"key\":\"rfm\",\"kind\":\"rfm\",\"quantiles\":4,\"recency\":{\"event\":\"Order Paid\",\"net\":true,"
    "\"measure\":\"recency\"},\"frequency\":{\"event\":\"Order Paid\",\"net\":true,\"measure\":\"count\"},"
    "\"monetary\":{\"event\":\"Order Paid\",\"net\":true,\"measure\":\"sum\",\"of\":\"revenue\"}}",
    "{\"key\":\"own\",\"kind\":\"rfm\",\"thresholds\":{\"recency\":[10,60],\"frequency\":[1,2],"
    "\"monetary\":[10000]},\"recency\":{\"event\":\"Order Paid\",\"measure\":\"recency\"},\"frequency\":{"
    "\"event\":\"Order Paid\",\"measure\":\"count\"},\"monetary\":{\"event\":\"Order Paid\",\"measure\":"
    "\"sum\",\"of\":\"revenue\",\"last\":\"90d\"}}",
    "{\"key\":\"spent\",\"kind\":\"count\",\"measure\":{\"event\":\"Order Paid\",\"last\":\"30d\",\"measure\":"
    "\"sum\",\"of\":\"revenue\"}}",
    "{\"key\":\"life\",\"kind\":\"stage\",\"stages\":[{\"value\":\"seen\",\"rule\":{\"event\":"
    "\"Product Viewed\",\"gte\":1}},{\"value\":\"buyer\",\"rule\":{\"event\":\"Order Paid\",\"last\":\"20d\","
    "\"gte\":1}}]}",
    "{\"key\":\"city\",\"values\":[{\"value\":\"a\",\"rule\":{\"all\":[{\"trait\":\"city\",\"in\":[\"x\",\"y\"]},{"
    "\"event\":\"Product Viewed\",\"last\":\"3d\",\"eq\":0}]}},{\"value\":\"b\",\"rule\":{\"tag\":\"life\","
    "\"eq\":\"buyer\"}}]}",
};
static const char *const SEGMENTS[] = {
    "{\"key\":\"lately\",\"rule\":{\"event\":\"Product Viewed\",\"last\":\"7d\",\"gte\":2}}",
    "{\"key\":\"left\",\"rule\":{\"sequence\":[{\"event\":\"Product Added\"},{\"event\":\"Order Paid\","
    "\"absent\":true}],\"within\":\"2d\",\"last\":\"14d\"}}",
    "{\"key\":\"none\",\"rule\":{\"any\":[{\"not\":{\"event\":\"*\",\"last\":\"30d\",\"gte\":1}},{\"segment\":"
    "\"lately\"}]}}",
};

/* Most have done nothing that the rules ask; a third have paid, some of those got their money back. */
static void live(struct small_house *house, struct random_stream *random, unsigned person)
{
    static const char *const types[] = { "Product Viewed", "Product Added", "Page Viewed" };
    static const char *const cities[] = { "x", "y", "z" };
    char user[32], order[32];
    uint64_t events = 1 + random_below(random, 4);
    snprintf(user, sizeof user, "u%u", person);
    for (uint64_t i = 0; i < events; i++) {
        int64_t time_ms =
            house->now_ms - (int64_t)random_below(random, (uint64_t)DAYS * 86400) * 1000;
        if (random_below(random, 5) == 0) /* the very edge of a day's window */
            time_ms = house->now_ms - (int64_t)random_below(random, 40) * 86400000;
        struct small_event say = { .type = types[random_below(random, 3)],
                                   .user = user,
                                   .city = i == 0 ? cities[person % 3] : NULL,
                                   .time_ms = time_ms };
        small_say(house, &say);
        if (person % 3 != 0 || i > 2)
            continue;
        snprintf(order, sizeof order, "o%u-%u", person, (unsigned)i);
        say = (struct small_event){ .type = "Order Paid",
                                    .user = user,
                                    .order = order,
                                    .revenue = 100 + (int64_t)random_below(random, 30000),
                                    .time_ms = time_ms };
        small_say(house, &say);
        if (random_below(random, 4) > 0)
            continue;
        say.type = random_below(random, 2) == 0 ? "Order Refunded" : "Order Cancelled";
        say.time_ms += 3600000;
        small_say(house, &say);
    }
}

static void recount(struct small_house *house)
{
    struct audience_recount_result result;
    assert_ok(audience_recount(house->audience, house->now_ms, false, &result));
    if (result.defects != 0)
        fail_msg("%llu differ: %s", (unsigned long long)result.defects, result.first);
    assert_true(result.judged > PEOPLE);
}

static void test_at_once_as_alone(void **state)
{
    struct small_house house = { .with_threads = true };
    struct random_stream random;
    char user[32], visitor[32];
    (void)state;
    small_make(&house);
    random_seed(&random, 5);
    for (unsigned person = 0; person < PEOPLE; person++)
        live(&house, &random, person);
    for (unsigned person = 0; person < PEOPLE; person += 40) { /* two nodes of one customer */
        snprintf(visitor, sizeof visitor, "v%u", person);
        snprintf(user, sizeof user, "u%u", person);
        small_say(&house, &(struct small_event){ .type = "Product Viewed", .visitor = visitor });
        small_say(&house, &(struct small_event){
                              .type = "Product Added", .visitor = visitor, .user = user });
    }
    history_tidy(house.history, INT64_MAX);
    for (unsigned person = 0; person < PEOPLE; person += 17) /* late, not in the base yet */
        live(&house, &random, person);
    for (size_t i = 0; i < sizeof DEFINITIONS / sizeof DEFINITIONS[0]; i++)
        small_put_tag(&house, DEFINITIONS[i]);
    for (size_t i = 0; i < sizeof SEGMENTS / sizeof SEGMENTS[0]; i++)
        small_put_segment(&house, SEGMENTS[i]);
    small_install(&house);
    recount(&house);
    assert_true(small_count(&house, "lately") > 0 && small_count(&house, "left") > 0 &&
                small_count(&house, "none") > 0);
    for (int day = 0; day < 40; day += 5) { /* what the due times of the scan bring about */
        small_tick(&house, house.now_ms + 5 * INT64_C(86400000));
        while (audience_work(house.audience, 100000))
            ;
        recount(&house);
    }
    small_remove(&house);
}

/* ---- the parts ---- */

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static void test_sorting(void **state)
{
    static int64_t values[20000], expected[20000];
    static const uint64_t ranges[] = { 1, 5, 3000, UINT64_C(5000000000), UINT64_MAX };
    struct random_stream random;
    (void)state;
    random_seed(&random, 9);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        for (size_t count = 0; count <= 20000; count = count * 5 + 1) {
            for (size_t k = 0; k < count; k++)
                expected[k] = values[k] =
                    (int64_t)(random_below(&random, ranges[i]) - ranges[i] / 2);
            if (count > 2) {
                expected[0] = values[0] = INT64_MIN;
                expected[1] = values[1] = INT64_MAX;
            }
            qsort(expected, count, sizeof *expected, compare);
            numbers_sort(values, count);
            assert_memory_equal(values, expected, count * sizeof *values);
        }
    }
}

/* Against the order of all of them: narrow and wide, few and many, with some far away from the rest. */
static void test_numbers_at_ranks(void **state)
{
    static int64_t values[20000], before[20000], sorted[20000];
    static const uint64_t widths[] = { 1, 5, 3000, UINT64_C(5000000000), UINT64_MAX };
    struct random_stream random;
    (void)state;
    random_seed(&random, 11);
    for (size_t i = 0; i < 2 * sizeof widths / sizeof widths[0]; i++) {
        uint64_t width = widths[i / 2];
        for (size_t count = 1; count <= 20000; count = count * 3 + 1) {
            size_t ranks[RANKS_MAX];
            int64_t found[RANKS_MAX];
            for (size_t k = 0; k < count; k++)
                values[k] = (int64_t)(random_below(&random, width) - width / 2);
            if (i % 2 == 1)
                for (size_t k = 0; k < count; k += 1 + count / 3)
                    values[k] = k % 2 == 0 ? INT64_MIN + (int64_t)k : INT64_MAX - (int64_t)k;
            for (size_t k = 0; k < RANKS_MAX; k++)
                ranks[k] = k * count / RANKS_MAX;
            ranks[RANKS_MAX - 1] = count - 1;
            memcpy(before, values, count * sizeof *values);
            memcpy(sorted, values, count * sizeof *values);
            qsort(sorted, count, sizeof *sorted, compare);
            assert_ok(numbers_at_ranks(values, count, ranks, RANKS_MAX, found));
            for (size_t k = 0; k < RANKS_MAX; k++)
                assert_int_equal(found[k], sorted[ranks[k]]);
            assert_memory_equal(values, before, count * sizeof *values);
        }
    }
    assert_ok(numbers_at_ranks(values, 0, NULL, 0, NULL));
}

static void test_many_members(void **state)
{
    struct set set = { .count = 0 };
    const uint32_t some[] = { 3, 1, 70, 65535 }, more[] = { 70, 71 };
    (void)state;
    assert_ok(set_add_many(&set, 2, some, 4));
    assert_int_equal(set.count, 4);
    assert_ok(set_add_many(&set, 2, more, 2));
    assert_int_equal(set.count, 5);
    assert_true(set_has(&set, (2u << CHUNK_BITS) + 65535) &&
                set_has(&set, (2u << CHUNK_BITS) + 71));
    assert_false(set_has(&set, 3) || set_has(&set, (2u << CHUNK_BITS) + 2));
    set_deinit(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once_as_alone),
        cmocka_unit_test(test_sorting),
        cmocka_unit_test(test_numbers_at_ranks),
        cmocka_unit_test(test_many_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
