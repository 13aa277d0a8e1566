/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys and time: ten years of 'wait 3 days' (T4), a day down with many timers due (T3), edits, pauses and stops with many
 * inside (J1), merges and splits in the middle (I4), random lives that restarts do not change. */
#include "unit/journey_house.h"

#define PEOPLE 3000

static void test_ten_years_of_three_days(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    jh_publish(&house, "t4",
               "{'name':'T4','trigger':{'type':'api'},'start':'w','nodes':{"
               "'w':{'type':'wait','for':'3d','next':'s'},"
               "'s':{'type':'send','channel':'sms','template':'t','next':'w'}}}");
    jh_do(&house, journey_enter, "{\"key\":\"t4\",\"customers\":[1]}");
    jh_until(&house, JOURNEY_NOW + 3653 * DAY_MS);
    assert_int_equal(house.touch_count, 1217);
    for (size_t i = 0; i < house.touch_count; i++)
        assert_int_equal(house.touches[i].at_ms, JOURNEY_NOW + (int64_t)(i + 1) * 3 * DAY_MS);
    jh_remove(&house);
}

static void enter_many(struct journey_house *house, const char *key)
{
    char body[120];
    for (uint32_t customer = 2000; customer < 2000 + PEOPLE; customer++)
        jh_note(house, customer, "many", true);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"segment\":\"many\"}", key);
    jh_do(house, journey_enter, body);
    jh_run(house);
}

#define WAITING(name)                                                            \
    "{'name':'W','trigger':{'type':'manual'},'start':'" name "','nodes':{'" name \
    "':{'type':'wait','for':'2h','next':'s'},'s':{'type':'send','channel':'sms','template':'t'}}}"

static void test_a_day_down(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(&house, "down", WAITING("w"));
    enter_many(&house, "down");
    jh_restart(&house);
    house.now_ms += DAY_MS; /* nobody was there to run them */
    jh_run(&house);
    assert_int_equal(house.touch_count, PEOPLE);
    for (size_t i = 0; i < house.touch_count; i++)
        assert_int_equal(house.touches[i].at_ms, JOURNEY_NOW + DAY_MS);
    assert_int_equal(jh_positions(&house), 0);
    jh_remove(&house);
}

static void test_edit_pause_stop(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(&house, "j", WAITING("w"));
    enter_many(&house, "j");
    jh_do(&house, journey_change_state, "{\"key\":\"j\",\"action\":\"pause\"}");
    jh_advance(&house, 3 * HOUR_MS);
    assert_int_equal(house.touch_count, 0);
    jh_restart(&house);
    jh_do(&house, journey_change_state, "{\"key\":\"j\",\"action\":\"resume\"}");
    jh_run(&house);
    assert_int_equal(house.touch_count, PEOPLE);

    /* the second version knows their node by another name */
    jh_publish(&house, "k", WAITING("w"));
    enter_many(&house, "k");
    jh_do(
        &house, journey_put,
        "{\"key\":\"k\",\"journey\":{\"name\":\"K\",\"trigger\":{\"type\":\"manual\"},\"start\":\"v\","
        "\"nodes\":{\"v\":{\"type\":\"wait\",\"for\":\"2h\",\"next\":\"s2\"},"
        "\"s2\":{\"type\":\"send\",\"channel\":\"sms\",\"template\":\"t\"}}}}");
    jh_do(&house, journey_publish, "{\"key\":\"k\",\"positions\":\"move\",\"map\":{\"w\":\"v\"}}");
    assert_err(jh_command(&house, journey_delete, "{\"key\":\"k\"}"), ERR_CONFLICT);
    jh_restart(&house);
    jh_run(&house);
    jh_check(&house);
    jh_advance(&house, 2 * HOUR_MS);
    assert_int_equal(jh_touches(&house, 0, "s2"), PEOPLE);
    assert_int_equal(jh_touches(&house, 0, "s"), PEOPLE);

    enter_many(&house, "k");
    jh_do(&house, journey_change_state, "{\"key\":\"k\",\"action\":\"stop\"}");
    jh_restart(&house);
    jh_run(&house);
    assert_int_equal(jh_positions(&house), 0);
    jh_do(&house, journey_delete, "{\"key\":\"k\"}");
    jh_restart(&house);
    jh_remove(&house);
}

static void test_merge_and_split(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    uint32_t absorbed = 2, one[] = { 1 }, other[] = { 2 };
    jh_make(&house, true);
    jh_publish(
        &house, "m",
        "{'name':'M','trigger':{'type':'event','event':'Order Paid'},'start':'w','nodes':{"
        "'w':{'type':'wait','for':'2d','next':'s'},'s':{'type':'send','channel':'sms','template':'t'}}}");
    jh_say(&house, 1, "Order Paid", "{}");
    jh_advance(&house, HOUR_MS);
    jh_say(&house, 2, "Order Paid", "{}");
    house.roots[2] = 1;
    assert_ok(journey_merged(house.journeys, 1, &absorbed, 1, jh_moment(&house), house.writes));
    jh_check(&house);
    jh_restart(&house);
    assert_int_equal(jh_positions(&house), 2);
    house.roots[2] = 0;
    assert_ok(journey_split(house.journeys, one, 1, jh_moment(&house), house.writes));
    assert_ok(journey_split(house.journeys, other, 1, jh_moment(&house), house.writes));
    jh_check(&house);
    jh_restart(&house);
    jh_advance(&house, 3 * DAY_MS);
    assert_int_equal(jh_touches(&house, 1, "s"), 1);
    assert_int_equal(jh_touches(&house, 2, "s"), 1);
    assert_int_equal(jh_touch_of(&house, 2, "s")->at_ms, JOURNEY_NOW + HOUR_MS + 2 * DAY_MS);
    /* once more, and they stay one: one message, to the first */
    jh_say(&house, 1, "Order Paid", "{}");
    jh_say(&house, 2, "Order Paid", "{}");
    house.roots[2] = 1;
    assert_ok(journey_merged(house.journeys, 1, &absorbed, 1, jh_moment(&house), house.writes));
    jh_advance(&house, 3 * DAY_MS);
    assert_int_equal(jh_touches(&house, 1, "s"), 2);
    assert_int_equal(jh_touches(&house, 2, "s"), 1);
    jh_remove(&house);
}

/* Random lives through three journeys. */
static void live(struct journey_house *house, uint64_t seed, bool restarts, struct digest *digest)
{
    static const char *const types[] = { "Order Paid", "Order Refunded", "Product Added",
                                         "Joined" };
    struct random_stream random;
    random_seed(&random, seed);
    jh_publish(
        house, "r1",
        "{'name':'1','trigger':{'type':'event','event':'Order Paid','key':'order_id'},"
        "'exits':[{'event':'Order Refunded','same':'order_id'}],'start':'w','nodes':{"
        "'w':{'type':'wait','for':'1d','at':'10:00','next':'b'},"
        "'b':{'type':'split','arms':[{'weight':1,'next':'s'},{'weight':1,'next':'u'}]},"
        "'u':{'type':'wait_until','event':'Joined','timeout':'12h','next':'t','on_timeout':'s'},"
        "'s':{'type':'send','channel':'sms','template':'t'},'t':{'type':'journey','journey':'r3'}}}");
    jh_publish(house, "r2",
               "{'name':'2','trigger':{'type':'absence','event':'Product Added','key':'sku',"
               "'absent':{'event':'Order Paid'},'within':'6h','restart':true},'start':'s','nodes':{"
               "'s':{'type':'send','channel':'sms','template':'t'}}}");
    jh_publish(house, "r3",
               "{'name':'3','trigger':{'type':'api'},'entry':{'reentry_after':'3d','hold_out':20},"
               "'goals':[{'key':'g','event':'Order Paid','within':'5d'}],'start':'w','nodes':{"
               "'w':{'type':'wait','for':'5h','restart_on':{'event':'Product Added'},'next':'s'},"
               "'s':{'type':'send','channel':'sms','template':'t'}}}");
    for (int i = 0; i < 4000; i++) {
        char props[80];
        jh_advance(house, (int64_t)random_below(&random, 20 * MINUTE_MS));
        uint32_t customer = 1 + (uint32_t)random_below(&random, 60);
        snprintf(props, sizeof props, "{'order_id':'o%u','sku':'k%u'}",
                 (unsigned)random_below(&random, 4), (unsigned)random_below(&random, 3));
        int64_t ago_ms =
            random_below(&random, 10) == 0 ? (int64_t)random_below(&random, DAY_MS) : 0;
        jh_say_at(house, customer, types[random_below(&random, 4)], props, house->now_ms - ago_ms,
                  random_below(&random, 20) != 0);
        if (restarts && i % 500 == 499)
            jh_restart(house);
    }
    jh_check(house);
    journey_digest(house->journeys, digest);
}

static void test_restarts_change_nothing(void **state)
{
    (void)state;
    struct journey_house one = { .zone = NULL }, other = { .zone = NULL };
    struct digest first = { .count = 0 }, second = { .count = 0 };
    const char *given = getenv("KITH_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261122;
    print_message("KITH_SEED=%llu\n", (unsigned long long)seed);
    jh_make(&one, true);
    jh_make(&other, true);
    live(&one, seed, true, &first);
    live(&other, seed, false, &second);
    assert_true(one.touch_count > 200);
    assert_int_equal(one.touch_count, other.touch_count);
    for (size_t i = 0; i < one.touch_count; i++)
        assert_memory_equal(&one.touches[i], &other.touches[i],
                            offsetof(struct told_touch, context));
    assert_int_equal(first.count, second.count);
    assert_true(first.low == second.low && first.high == second.high);
    jh_remove(&one);
    jh_remove(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_years_of_three_days), cmocka_unit_test(test_a_day_down),
        cmocka_unit_test(test_edit_pause_stop),         cmocka_unit_test(test_merge_and_split),
        cmocka_unit_test(test_restarts_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
