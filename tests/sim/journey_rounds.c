/* SPDX-License-Identifier: Apache-2.0 */
/* S3, four rounds of touch: 10,000 orders over 14 days on the virtual clock, with every expectation of the scene. The journey is
 * the one that the library gives. */
#include "unit/journey_house.h"

#define ORDERS 10000
#define DAYS 14

/* What each of them did, and what she must get. */
struct life {
    int64_t paid_ms, sent_ms, refunded_ms, joined_ms, called_ms, late_ms;
};

static void publish_from_library(struct journey_house *house, const char *key)
{
    struct buffer library, body;
    json_value root, item;
    bool found = false;
    buffer_init(&library, (size_t)4 << 20);
    buffer_init(&body, (size_t)1 << 20);
    journey_write_library(&library);
    assert_ok(json_parse(house->parser, buffer_str(&library), &root, NULL));
    struct json_iterator iterator = json_iterate(root);
    while (json_next(&iterator, NULL, &item)) {
        if (!str_equal(json_text(json_get(item, STR("key"))), str_from_c(key)))
            continue;
        found = true;
        buffer_printf(&body, "{\"key\":\"%s\",\"journey\":", key);
        json_write_value(&body, json_get(item, STR("journey")));
        buffer_append_byte(&body, '}');
        buffer_append_byte(&body, 0);
    }
    assert_true(found);
    jh_do(house, journey_put, body.data);
    buffer_clear(&body);
    buffer_printf(&body, "{\"key\":\"%s\"}", key);
    buffer_append_byte(&body, 0);
    jh_do(house, journey_publish, body.data);
    buffer_deinit(&library);
    buffer_deinit(&body);
}

enum what { PAID, PARCEL, PARCEL_TWO, REFUNDED, JOINED, CALLED };
struct happening {
    int64_t at_ms;
    uint32_t customer;
    enum what what;
};

static int by_time(const void *left, const void *right)
{
    const struct happening *a = left, *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->customer != b->customer)
        return a->customer < b->customer ? -1 : 1;
    return (int)a->what - (int)b->what;
}

static size_t live_lives(struct life *lives, struct happening *happenings, uint64_t seed)
{
    struct random_stream random;
    size_t count = 0;
    random_seed(&random, seed);
    for (uint32_t i = 1; i <= ORDERS; i++) {
        struct life *life = &lives[i];
        life->paid_ms = JOURNEY_NOW + (int64_t)random_below(&random, 2 * DAY_MS);
        life->sent_ms = life->paid_ms + HOUR_MS + (int64_t)random_below(&random, 3 * DAY_MS);
        life->refunded_ms = random_below(&random, 10) == 0
                                ? life->paid_ms + 1 + (int64_t)random_below(&random, 12 * DAY_MS)
                                : INT64_MAX;
        life->joined_ms = random_below(&random, 3) == 0
                              ? life->paid_ms + 1 + (int64_t)random_below(&random, 12 * DAY_MS)
                              : INT64_MAX;
        life->called_ms = random_below(&random, 20) == 0 ? life->paid_ms + DAY_MS : INT64_MAX;
        bool never_sent = random_below(&random, 25) == 0;
        happenings[count++] = (struct happening){ life->paid_ms, i, PAID };
        if (!never_sent) {
            happenings[count++] = (struct happening){ life->sent_ms, i, PARCEL };
            /* a second parcel: the days count from the first */
            happenings[count++] = (struct happening){ life->sent_ms + DAY_MS, i, PARCEL_TWO };
        } else {
            life->sent_ms = INT64_MAX;
        }
        if (life->refunded_ms != INT64_MAX)
            happenings[count++] = (struct happening){ life->refunded_ms, i, REFUNDED };
        if (life->joined_ms != INT64_MAX)
            happenings[count++] = (struct happening){ life->joined_ms, i, JOINED };
        if (life->called_ms != INT64_MAX)
            happenings[count++] = (struct happening){ life->called_ms, i, CALLED };
    }
    qsort(happenings, count, sizeof *happenings, by_time);
    return count;
}

static void happen(struct journey_house *house, const struct happening *happening)
{
    char props[120];
    snprintf(props, sizeof props, "{'order_id':'o%u','channel':'tmall','revenue':199}",
             happening->customer);
    switch (happening->what) {
    case PAID:
        jh_say(house, happening->customer, "Order Paid", props);
        break;
    case PARCEL:
    case PARCEL_TWO:
        jh_say(house, happening->customer, "Order Shipped", props);
        break;
    case REFUNDED:
        jh_say(house, happening->customer, "Order Refunded", props);
        break;
    case JOINED:
        jh_move(house, happening->customer, "rule-wecom", true);
        break;
    case CALLED:
        jh_move(house, happening->customer, "rule-called", true);
        break;
    }
}

/* Shanghai's day of a moment, and the next ten in the morning not before it. */
static int64_t ten_after(int64_t at_ms)
{
    int64_t local = at_ms + 8 * HOUR_MS, ten = local / DAY_MS * DAY_MS + 10 * HOUR_MS;
    return (ten >= local ? ten : ten + DAY_MS) - 8 * HOUR_MS;
}

static int64_t earliest(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* The naive twin: one order, by the words of the scene. */
static void expect(const struct journey_house *house, uint32_t customer, const struct life *life,
                   size_t rounds[4])
{
    int64_t end_ms = earliest(life->refunded_ms, life->joined_ms);
    int64_t round_two_ms =
        life->sent_ms == INT64_MAX ? INT64_MAX : ten_after(life->sent_ms + 3 * DAY_MS);
    int64_t round_four_ms = ten_after(life->paid_ms + 10 * DAY_MS);
    bool too_late = life->sent_ms == INT64_MAX || life->sent_ms > life->paid_ms + 7 * DAY_MS;
    bool one = true, two = !too_late && round_two_ms < end_ms;
    bool four = round_four_ms < end_ms && life->called_ms == INT64_MAX;
    rounds[0] += one;
    rounds[1] += two;
    rounds[3] += four;
    assert_int_equal(jh_touches(house, customer, "round_1"), one);
    assert_int_equal(jh_touches(house, customer, "round_2"), two);
    assert_int_equal(jh_touches(house, customer, "round_4"), four);
    if (two)
        assert_int_equal(jh_touch_of(house, customer, "round_2")->at_ms, round_two_ms);
    if (four) {
        assert_int_equal(jh_touch_of(house, customer, "round_4")->at_ms, round_four_ms);
        assert_string_equal(jh_touch_of(house, customer, "round_4")->channel, "call");
    }
}

static void test_four_rounds(void **state)
{
    (void)state;
    static struct life lives[ORDERS + 1];
    static struct happening happenings[ORDERS * 6];
    struct journey_house house = { .zone = NULL };
    size_t rounds[4] = { 0 };
    jh_make(&house, true);
    publish_from_library(&house, "four_rounds");
    size_t count = live_lives(lives, happenings, 618);
    for (size_t i = 0; i < count; i++) {
        jh_until(&house, happenings[i].at_ms);
        happen(&house, &happenings[i]);
        if (i % 12000 == 11999)
            jh_restart(&house);
    }
    jh_until(&house, JOURNEY_NOW + (DAYS + 2) * DAY_MS);
    jh_check(&house);
    /* looking for each in 20,000 touches would take its time: by customer */
    for (uint32_t customer = 1; customer <= ORDERS; customer += 7)
        expect(&house, customer, &lives[customer], rounds);
    assert_true(rounds[0] > 1400 && rounds[1] > 500 && rounds[3] > 400);
    assert_int_equal(jh_report(&house, "four_rounds", NULL, "entered"), ORDERS);
    assert_int_equal(jh_report(&house, "four_rounds", "round_1", "queued"), ORDERS);
    /* the funnel on the journey is what was sent */
    assert_int_equal(jh_report(&house, "four_rounds", "round_2", "queued"),
                     jh_touches(&house, 0, "round_2"));
    assert_int_equal(jh_report(&house, "four_rounds", "round_4", "queued"),
                     jh_touches(&house, 0, "round_4"));
    jh_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_four_rounds) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
