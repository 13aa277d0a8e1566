/* SPDX-License-Identifier: Apache-2.0 */
/* Orders count once, net of refunds, in whatever order their events come and at whatever nodes. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "profile/profile.h"

static int make(void **state)
{
    struct profile *profile;
    assert_ok(profile_new(&profile));
    *state = profile;
    return 0;
}

static int finish(void **state)
{
    struct profile *profile = *state;
    profile_free(&profile);
    return 0;
}

#define NONE PROMOTED_MISSING

static void observe(struct profile *profile, uint32_t node, int64_t time_ms, const char *type,
                    const char *order, int64_t revenue, int64_t total, const char *currency)
{
    static uint64_t seq;
    struct profile_observation row = { .node = node,
                                       .seq = ++seq,
                                       .time_ms = time_ms,
                                       .type = str_from_c(type),
                                       .order_id = str_from_c(order),
                                       .currency = str_from_c(currency),
                                       .revenue = revenue,
                                       .total = total };
    assert_ok(profile_observe(profile, &row));
}

static struct profile_summary summary_of(struct profile *profile, uint32_t first, uint32_t last)
{
    uint32_t nodes[16];
    size_t count = 0;
    struct profile_summary summary;
    for (uint32_t node = first; node <= last; node++)
        nodes[count++] = node;
    profile_summarise(profile, nodes, count, &summary);
    return summary;
}

static void an_order_counts_once(void **state)
{
    struct profile *profile = *state;
    observe(profile, 1, 200, "Order Completed", "o1", 1000, NONE, "CNY");
    observe(profile, 1, 100, "Order Paid", "o1", 999, 1200, "CNY");
    observe(profile, 2, 300, "Order Paid", "o1", 5, NONE, "CNY");
    struct profile_summary summary = summary_of(profile, 1, 2);
    assert_int_equal(summary.events, 3);
    assert_int_equal(summary.orders, 1);
    assert_int_equal(summary.revenue, 999);
    assert_int_equal(summary.first_order_ms, 100);
    assert_int_equal(summary.first_seen_ms, 100);
    assert_int_equal(summary.last_seen_ms, 300);
    assert_string_equal(summary.currency, "CNY");
    summary = summary_of(profile, 2, 2);
    assert_int_equal(summary.revenue, 5);
}

static void refunds_are_net(void **state)
{
    struct profile *profile = *state;
    observe(profile, 1, 50, "Order Refunded", "o1", NONE, 300, "CNY");
    struct profile_summary summary = summary_of(profile, 1, 1);
    assert_int_equal(summary.revenue, -300);
    assert_int_equal(summary.orders, 0);
    observe(profile, 1, 10, "Order Paid", "o1", 1000, NONE, "CNY");
    summary = summary_of(profile, 1, 1);
    assert_int_equal(summary.revenue, 700);
    assert_int_equal(summary.refunded, 300);
    assert_int_equal(summary.orders, 1);
    observe(profile, 1, 60, "Order Refunded", "o1", NONE, 800, "CNY");
    summary = summary_of(profile, 1, 1);
    assert_int_equal(summary.revenue, 0);
    assert_int_equal(summary.refunded, 1000);
    assert_int_equal(summary.orders, 0);
}

static void a_refund_without_amount_is_whole(void **state)
{
    struct profile *profile = *state;
    observe(profile, 1, 10, "Order Paid", "o1", 1000, NONE, "");
    observe(profile, 1, 20, "Order Paid", "o2", 50, NONE, "");
    observe(profile, 1, 30, "Order Refunded", "o1", NONE, NONE, "");
    struct profile_summary summary = summary_of(profile, 1, 1);
    assert_int_equal(summary.revenue, 50);
    assert_int_equal(summary.refunded, 1000);
    assert_int_equal(summary.orders, 1);
    assert_string_equal(summary.currency, "CNY");
}

static void cancelled_counts_for_nothing(void **state)
{
    struct profile *profile = *state;
    observe(profile, 1, 20, "Order Cancelled", "o1", NONE, NONE, "CNY");
    observe(profile, 1, 10, "Order Paid", "o1", 1000, NONE, "CNY");
    observe(profile, 1, 10, "Order Paid", "o2", 70, NONE, "CNY");
    observe(profile, 1, 30, "Order Cancelled", "o3", NONE, NONE, "CNY");
    struct profile_summary summary = summary_of(profile, 1, 1);
    assert_int_equal(summary.revenue, 70);
    assert_int_equal(summary.orders, 1);
}

static void currencies_stay_apart(void **state)
{
    struct profile *profile = *state;
    observe(profile, 1, 1, "Order Paid", "a", 100, NONE, "USD");
    observe(profile, 1, 2, "Order Paid", "b", 200, NONE, "CNY");
    struct profile_summary summary = summary_of(profile, 1, 1);
    assert_string_equal(summary.currency, "CNY"); /* as many: by name */
    observe(profile, 1, 3, "Order Paid", "c", 300, NONE, "USD");
    summary = summary_of(profile, 1, 1);
    assert_string_equal(summary.currency, "USD");
    assert_int_equal(summary.revenue, 400);
    assert_int_equal(summary.other_currencies, 1);
}

static void orders_without_id_are_their_own(void **state)
{
    struct profile *profile = *state;
    observe(profile, 1, 1, "Order Paid", "", 100, NONE, "CNY");
    observe(profile, 1, 1, "Order Paid", "", 100, NONE, "CNY");
    assert_int_equal(summary_of(profile, 1, 1).orders, 2);
}

static void other_events_only_count(void **state)
{
    struct profile *profile = *state;
    observe(profile, 1, 7, "Product Viewed", "o1", 100, NONE, "CNY");
    observe(profile, 1, 7, "Order Placed", "o1", 100, NONE, "CNY");
    assert_int_equal(summary_of(profile, 1, 1).revenue, 0);
    assert_int_equal(summary_of(profile, 1, 1).events, 2);
    assert_true(profile_is_order_type(STR("Order Paid")));
    assert_false(profile_is_order_type(STR("Order Placed")));
    assert_ok(profile_observe_many(profile, 1, 10, -5000, 9000));
    assert_int_equal(summary_of(profile, 1, 1).events, 12);
    assert_int_equal(summary_of(profile, 1, 1).first_seen_ms, -5000);
    assert_int_equal(summary_of(profile, 1, 1).last_seen_ms, 9000);
    assert_int_equal(summary_of(profile, 9, 9).events, 0);
}

static void many_orders_of_one_customer(void **state)
{
    struct profile *profile = *state;
    int64_t sum = 0;
    for (int i = 0; i < 5000; i++) {
        char order[32];
        snprintf(order, sizeof(order), "order-%d", i * 7919 % 5000);
        observe(profile, 1 + (uint32_t)i % 3, i, "Order Paid", order, i, NONE, "CNY");
        sum += i;
    }
    struct profile_summary summary = summary_of(profile, 1, 3);
    assert_int_equal(summary.orders, 5000);
    assert_int_equal(summary.revenue, sum);
}

/* ---- of a time ---- */

static void an_order_is_of_the_time_of_its_first_payment(void **state)
{
    struct profile *profile = *state;
    const uint32_t nodes[] = { 1, 2 };
    struct profile_sales lines[2] = { { .orders = 0 } };
    observe(profile, 1, 99, "Order Paid", "before", 100, NONE, "CNY");
    observe(profile, 1, 100, "Order Paid", "first", 1000, NONE, "CNY");
    observe(profile, 1, 150, "Order Completed", "first", 1, NONE, "CNY");
    observe(profile, 2, 120, "Order Paid", "first", 2000, NONE, "CNY");
    observe(profile, 2, 90, "Order Completed", "earlier at one node", 7, NONE, "CNY");
    observe(profile, 1, 110, "Order Paid", "earlier at one node", 8, NONE, "CNY");
    observe(profile, 1, 130, "Order Paid", "refunded", 500, NONE, "CNY");
    observe(profile, 2, 900, "Order Refunded", "refunded", NONE, 200, "CNY");
    observe(profile, 1, 130, "Order Paid", "gone", 50, NONE, "CNY");
    observe(profile, 2, 10, "Order Refunded", "gone", NONE, NONE, "CNY");
    observe(profile, 1, 130, "Order Paid", "cancelled", 5000, NONE, "CNY");
    observe(profile, 1, 131, "Order Cancelled", "cancelled", NONE, NONE, "CNY");
    observe(profile, 1, 140, "Order Refunded", "nobody paid", NONE, 3, "CNY");
    observe(profile, 1, 200, "Order Paid", "", 30, NONE, "USD");
    observe(profile, 1, 201, "Order Paid", "after", 10000, NONE, "CNY");
    assert_int_equal(profile_add_sales(profile, nodes, 2, 100, 200, lines, 0, 2), 2);
    const struct profile_sales *fen =
        memcmp(lines[0].currency, "CNY", 4) == 0 ? &lines[0] : &lines[1];
    assert_int_equal(fen->orders, 2);
    assert_int_equal(fen->net, 1000 + 300);
    assert_int_equal(fen->refunded, 200 + 50);
    assert_int_equal(lines[0].orders + lines[1].orders, 3);
    assert_int_equal(profile_add_sales(profile, nodes, 2, 100, 200, lines, 0, 1), 1);
}

/* ---- any order of arrival, any nodes (T1) ---- */

struct told {
    int64_t time_ms;
    const char *type;
    char order[8];
    int64_t revenue, total;
    uint64_t seq;
};

static void tell(struct random_stream *random, struct told *told, size_t count)
{
    static const char *const types[] = { "Order Paid",      "Order Completed", "Order Refunded",
                                         "Order Cancelled", "Order Paid",      "Page Viewed" };
    for (size_t i = 0; i < count; i++) {
        told[i] = (struct told){
            .time_ms = (int64_t)random_below(random, 30),
            .type = types[random_below(random, 6)],
            .revenue = random_below(random, 4) == 0 ? NONE : (int64_t)random_below(random, 1000),
            .total = random_below(random, 3) == 0 ? NONE : (int64_t)random_below(random, 1000),
            .seq = i + 1
        };
        snprintf(told[i].order, sizeof(told[i].order), "o%d", (int)random_below(random, 9));
    }
}

static void shuffle(struct random_stream *random, struct told *told, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = random_below(random, i);
        struct told swap = told[i - 1];
        told[i - 1] = told[other];
        told[other] = swap;
    }
}

/* Each order is of one time. */
static int64_t orders_by_times(const struct profile *profile)
{
    const uint32_t nodes[] = { 1, 2, 3, 4 };
    struct profile_sales line = { .orders = 0 };
    size_t count = 0;
    for (int64_t from_ms = 0; from_ms < 30; from_ms += 7)
        count = profile_add_sales(profile, nodes, 4, from_ms, from_ms + 6, &line, count, 1);
    return line.orders;
}

static void any_order_of_arrival_gives_the_same(void **state)
{
    (void)state;
    struct random_stream random;
    struct told told[60];
    random_seed(&random, 20260618);
    for (int round = 0; round < 1000; round++) {
        struct profile_summary first = { .events = 0 }, next;
        tell(&random, told, 60);
        for (int permutation = 0; permutation < 3; permutation++) {
            struct profile *profile;
            assert_ok(profile_new(&profile));
            for (int i = 0; i < 60; i++) {
                struct profile_observation row = { .node = 1 + (uint32_t)random_below(&random, 4),
                                                   .seq = told[i].seq,
                                                   .time_ms = told[i].time_ms,
                                                   .type = str_from_c(told[i].type),
                                                   .order_id = str_from_c(told[i].order),
                                                   .currency = STR("CNY"),
                                                   .revenue = told[i].revenue,
                                                   .total = told[i].total };
                assert_ok(profile_observe(profile, &row));
            }
            next = summary_of(profile, 1, 4);
            if (permutation == 0)
                first = next;
            assert_memory_equal(&next, &first, sizeof(first));
            assert_int_equal(orders_by_times(profile), first.orders);
            profile_free(&profile);
            shuffle(&random, told, 60);
        }
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, make, finish)
    const struct CMUnitTest tests[] = {
        T(an_order_counts_once),
        T(refunds_are_net),
        T(a_refund_without_amount_is_whole),
        T(cancelled_counts_for_nothing),
        T(currencies_stay_apart),
        T(orders_without_id_are_their_own),
        T(other_events_only_count),
        T(many_orders_of_one_customer),
        T(an_order_is_of_the_time_of_its_first_payment),
        cmocka_unit_test(any_order_of_arrival_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
