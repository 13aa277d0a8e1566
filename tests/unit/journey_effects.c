/* SPDX-License-Identifier: Apache-2.0 */
/* Effects inside the house: values taken from the event, pauses of marketing and their end, and a task that is waited for. */
#include "journey_house.h"

#define REVIEW "{'type':'event','event':'Review Submitted','key':'order_id'}"

static void test_values_from_the_event(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(&house, "v",
               "{'name':'V','trigger':" REVIEW ",'start':'a','nodes':{"
               "'a':{'type':'trait','trait':'rating','from':'event.stars','next':'b'},"
               "'b':{'type':'tag','tag':'mood','from':'event.mood'}}}");
    jh_say(&house, 1, "Review Submitted", "{'order_id':'O1','stars':4,'mood':'good'}");
    jh_say(&house, 2, "Review Submitted", "{'order_id':'O2','stars':-2.5,'mood':true}");
    jh_say(&house, 3, "Review Submitted", "{'order_id':'O3'}"); /* what she has stays */
    assert_int_equal(house.effect_count, 4);
    assert_string_equal(house.effects[0].what, "trait rating 4");
    assert_string_equal(house.effects[1].what, "tag mood \"good\"");
    assert_string_equal(house.effects[2].what, "trait rating -2.5");
    assert_string_equal(house.effects[3].what, "tag mood true");
    assert_int_equal(jh_report(&house, "v", "a", "refused"), 1);
    jh_remove(&house);
}

static void test_pauses(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(&house, "p",
               "{'name':'P','trigger':" REVIEW ",'exits':[{'event':'Order Refunded',"
               "'same':'order_id'}],'start':'stop','nodes':{"
               "'stop':{'type':'pause','reason':'two stars','next':'week'},"
               "'week':{'type':'pause','for':'7d','next':'task'},"
               "'task':{'type':'task','template':'t','wait_result':true,'timeout':'14d',"
               "'next':'go'},'go':{'type':'resume'}}}");
    jh_say(&house, 1, "Review Submitted", "{'order_id':'O1'}");
    jh_say(&house, 2, "Review Submitted", "{'order_id':'O2'}");
    jh_say(&house, 3, "Review Submitted", "{'order_id':'O3'}");
    assert_int_equal(house.effect_count, 6);
    assert_string_equal(house.effects[0].what, "pause O1 -1");
    assert_string_equal(house.effects[1].what, "pause O1 604800000");
    jh_restart(&house);
    /* It lies there: that is no result. It is done: that is. */
    const struct told_touch *task = jh_touch_of(&house, 1, "task");
    struct touch_change change = { .touch = task->number,
                                   .position = task->position,
                                   .customer = 1,
                                   .journey = STR("p"),
                                   .node = STR("task"),
                                   .to = TOUCH_SENT };
    assert_ok(journey_touch(house.journeys, &change, jh_moment(&house), house.writes));
    assert_int_equal(house.effect_count, 6);
    change.to = TOUCH_DELIVERED;
    assert_ok(journey_touch(house.journeys, &change, jh_moment(&house), house.writes));
    assert_int_equal(house.effect_count, 8);
    assert_string_equal(house.effects[6].what, "resume O1 all");
    assert_string_equal(house.effects[7].what, "resume O1 endless"); /* she has left */
    /* Who leaves by another way is no longer paused for it, save for the time that was said. */
    jh_say(&house, 2, "Order Refunded", "{'order_id':'O2'}");
    assert_int_equal(house.effect_count, 9);
    assert_string_equal(house.effects[8].what, "resume O2 endless");
    jh_advance(&house, 14 * DAY_MS);
    assert_int_equal(house.effect_count, 11);
    assert_string_equal(house.effects[9].what, "resume O3 all");
    jh_check(&house);
    jh_remove(&house);
}

static void test_wrong_ones_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        { "'a':{'type':'pause','for':'0s'}", "/nodes/a/for" },
        { "'a':{'type':'pause','fr':'1d'}", "/nodes/a/fr" },
        { "'a':{'type':'resume','for':'1d'}", "/nodes/a/for" },
        { "'a':{'type':'trait','trait':'x','value':1,'from':'event.y'}", "/nodes/a/from" },
    };
    struct journey_house house = { .zone = NULL };
    char text[400];
    jh_make(&house, false);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, "{'name':'W','trigger':" REVIEW ",'start':'a','nodes':{%s}}",
                 wrong[i][0]);
        assert_string_equal(jh_refused(&house, text), wrong[i][1]);
    }
    jh_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_from_the_event),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_wrong_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
