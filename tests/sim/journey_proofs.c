/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of journeys at their size: I4 (merged in two arms), J1 (paused, moved, stopped and deleted with many inside), J2 (nothing
 * starves, a thousand branches), J4 (a million into two arms). */
#include "unit/journey_house.h"

#define FIRST 10000

static uint32_t herself(void *context, uint32_t customer)
{
    (void)context;
    return customer;
}

#define EVENT "{'type':'event','event':'Order Paid'}"

/* J4: within a tenth of a percent of the plan, and chi-square with p > .01 (one degree of freedom: 6.635). */
static void test_j4_a_million_into_two_arms(void **state)
{
    enum { PEOPLE = 1000000 };
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    house.world.first_node = herself;
    jh_publish(&house, "ab",
               "{'name':'AB','trigger':" EVENT ",'start':'s','nodes':{"
               "'s':{'type':'split','arms':[{'weight':3,'next':'a'},{'weight':7,'next':'b'}]},"
               "'a':{'type':'exit'},'b':{'type':'exit'}}}");
    for (uint32_t customer = FIRST; customer < FIRST + PEOPLE; customer++)
        jh_say(&house, customer, "Order Paid", "{}");
    int64_t a = jh_report(&house, "ab", "a", "entered"),
            b = jh_report(&house, "ab", "b", "entered");
    assert_int_equal(a + b, PEOPLE);
    assert_in_range(a, PEOPLE * 3 / 10 - PEOPLE / 1000, PEOPLE * 3 / 10 + PEOPLE / 1000);
    double da = (double)a - PEOPLE * 0.3, db = (double)b - PEOPLE * 0.7;
    assert_true(da * da / (PEOPLE * 0.3) + db * db / (PEOPLE * 0.7) < 6.635);
    jh_remove(&house);
}

/* In which arm does she wait? Places that a merge has set aside are none. */
static char arm_of(struct journey_house *house, uint32_t customer)
{
    json_value root, item;
    char arm = '?';
    buffer_clear(&house->answer);
    journey_write_customer(house->journeys, customer, &house->answer);
    assert_ok(json_parse(house->parser, buffer_str(&house->answer), &root, NULL));
    struct json_iterator iterator = json_iterate(root);
    while (json_next(&iterator, NULL, &item)) {
        str node = json_text(json_get(item, STR("node")));
        if (!str_equal(json_text(json_get(item, STR("state"))), STR("waiting")) || node.size != 2)
            continue;
        assert_int_equal(arm, '?'); /* one place, not two */
        arm = node.data[1];
    }
    return arm;
}

/* I4: two who are one were in two arms. One place, and it is the arm of the one that entered first, for ever; with the split each
 * has hers again. */
static void test_i4_merged_in_two_arms(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(
        &house, "ab",
        "{'name':'AB','trigger':" EVENT ",'start':'s','nodes':{"
        "'s':{'type':'split','arms':[{'weight':1,'next':'wa'},{'weight':1,'next':'wb'}]},"
        "'wa':{'type':'wait','for':'5d','next':'ma'},'wb':{'type':'wait','for':'5d','next':'mb'},"
        "'ma':{'type':'send','channel':'sms','template':'t'},"
        "'mb':{'type':'send','channel':'sms','template':'t'}}}");
    uint32_t pairs = 0, single[1];
    for (uint32_t customer = 100; customer < 160; customer++)
        jh_say(&house, customer, "Order Paid", "{}");
    for (uint32_t one = 100; one < 160; one += 2) {
        uint32_t other = one + 1;
        char arm = arm_of(&house, one), others = arm_of(&house, other);
        if (arm == others)
            continue;
        pairs++;
        house.roots[other] = one;
        assert_ok(journey_merged(house.journeys, one, &other, 1, jh_moment(&house), house.writes));
        assert_int_equal(arm_of(&house, one), arm);
        jh_check(&house);
        if (pairs % 3 == 0) {
            house.roots[other] = 0;
            single[0] = one;
            assert_ok(journey_split(house.journeys, single, 1, jh_moment(&house), house.writes));
            single[0] = other;
            assert_ok(journey_split(house.journeys, single, 1, jh_moment(&house), house.writes));
            assert_int_equal(arm_of(&house, one), arm);
            assert_int_equal(arm_of(&house, other), others);
        }
    }
    assert_true(pairs > 5);
    jh_restart(&house);
    jh_advance(&house, 6 * DAY_MS);
    for (uint32_t customer = 100; customer < 160; customer++) {
        bool absorbed = house.roots[customer] != 0;
        assert_int_equal(jh_touches(&house, customer, NULL), absorbed ? 0 : 1);
    }
    /* the same person in the same arm again, whoever of her two bought */
    for (uint32_t one = 100; one < 160; one += 2) {
        bool in_a = jh_touches(&house, one, "ma") == 1;
        jh_say(&house, house.roots[one + 1] != 0 ? one + 1 : one, "Order Paid", "{}");
        assert_int_equal(arm_of(&house, one), in_a ? 'a' : 'b');
    }
    jh_remove(&house);
}

static void merge(struct journey_house *house, uint32_t one, uint32_t other)
{
    house->roots[other] = one;
    assert_ok(journey_merged(house->journeys, one, &other, 1, jh_moment(house), house->writes));
}

static void part(struct journey_house *house, uint32_t one, uint32_t other)
{
    house->roots[other] = 0;
    assert_ok(journey_split(house->journeys, &one, 1, jh_moment(house), house->writes));
    assert_ok(journey_split(house->journeys, &other, 1, jh_moment(house), house->writes));
}

static void erase(struct journey_house *house, uint32_t customer)
{
    uint32_t positions = 0;
    assert_ok(
        journey_erased(house->journeys, customer, jh_moment(house), house->writes, &positions));
    jh_check(house);
}

/* I4: one side is erased in mid-journey: apart again, the other goes on in her own arm and gets hers, the erased gets nothing; erased as
 * one, nobody gets anything, and what a merge had set aside does not come back. */
static void test_i4_one_side_erased_in_mid_journey(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(
        &house, "ab",
        "{'name':'AB','trigger':" EVENT ",'start':'s','nodes':{"
        "'s':{'type':'split','arms':[{'weight':1,'next':'wa'},{'weight':1,'next':'wb'}]},"
        "'wa':{'type':'wait','for':'5d','next':'ma'},'wb':{'type':'wait','for':'5d','next':'mb'},"
        "'ma':{'type':'send','channel':'sms','template':'t'},"
        "'mb':{'type':'send','channel':'sms','template':'t'}}}");
    char arms[60];
    for (uint32_t customer = 100; customer < 160; customer++) {
        jh_say(&house, customer, "Order Paid", "{}");
        arms[customer - 100] = arm_of(&house, customer);
    }
    for (uint32_t one = 100; one < 160; one += 2)
        merge(&house, one, one + 1);
    jh_advance(&house, DAY_MS);
    for (uint32_t one = 100; one < 160; one += 2) {
        uint32_t gone = one % 4 == 0 ? one : one + 1;
        if (one % 6 == 0) {
            erase(&house, one);
            continue;
        }
        part(&house, one, one + 1);
        erase(&house, gone);
        assert_int_equal(arm_of(&house, gone), '?');
        uint32_t left = one + one + 1 - gone;
        assert_int_equal(arm_of(&house, left), arms[left - 100]);
    }
    jh_restart(&house);
    jh_advance(&house, 6 * DAY_MS);
    for (uint32_t one = 100; one < 160; one += 2) {
        uint32_t left = one % 4 == 0 ? one + 1 : one, gone = one + one + 1 - left;
        const char *node = arms[left - 100] == 'a' ? "ma" : "mb";
        assert_int_equal(jh_touches(&house, gone, NULL), 0);
        assert_int_equal(jh_touches(&house, left, NULL), one % 6 == 0 ? 0 : 1);
        assert_int_equal(jh_touches(&house, left, node), one % 6 == 0 ? 0 : 1);
    }
    jh_check(&house);
    jh_remove(&house);
}

/* KITH_PEOPLE=1000000 for as many. */
static uint32_t people_of_run(uint32_t otherwise)
{
    const char *given = getenv("KITH_PEOPLE");
    uint32_t people = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : otherwise;
    print_message("KITH_PEOPLE=%u\n", people);
    return people;
}

/* J1: paused, moved to another version, stopped and deleted with very many inside: nobody is left over, nobody is there twice, and
 * what was due while it was paused goes once, as its policy says. */
static void test_j1_paused_moved_stopped_with_many_inside(void **state)
{
    const uint32_t PEOPLE = people_of_run(100000);
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    house.world.first_node = herself;
    jh_publish(&house, "many",
               "{'name':'Many','trigger':" EVENT
               ",'start':'w','nodes':{'w':{'type':'wait','for':'9d'}}}");
    for (uint32_t customer = FIRST; customer < FIRST + PEOPLE; customer++)
        jh_say(&house, customer, "Order Paid", "{}");
    jh_do(&house, journey_put,
          "{\"key\":\"many\",\"journey\":{\"name\":\"Many\",\"trigger\":{\"type\":\"event\","
          "\"event\":\"Order Paid\"},\"start\":\"v\",\"late\":\"skip\",\"nodes\":{"
          "\"v\":{\"type\":\"wait\",\"for\":\"1d\",\"next\":\"s\"},"
          "\"s\":{\"type\":\"send\",\"channel\":\"sms\",\"template\":\"t\",\"next\":\"x\"},"
          "\"x\":{\"type\":\"wait\",\"for\":\"9d\"}}}}");
    jh_do(&house, journey_publish,
          "{\"key\":\"many\",\"positions\":\"move\",\"map\":{\"w\":\"v\"}}");
    jh_advance(&house, MINUTE_MS);
    jh_check(&house);
    assert_int_equal(jh_positions(&house), PEOPLE);
    assert_int_equal(jh_report(&house, "many", "v", "waiting"), PEOPLE);
    /* those of the first version keep their timers: nine days */
    jh_do(&house, journey_change_state, "{\"key\":\"many\",\"action\":\"pause\"}");
    jh_advance(&house, 11 * DAY_MS);
    jh_check(&house);
    assert_int_equal(jh_report(&house, "many", "v", "waiting"), PEOPLE);
    jh_do(&house, journey_change_state, "{\"key\":\"many\",\"action\":\"resume\"}");
    jh_advance(&house, MINUTE_MS);
    jh_check(&house);
    assert_int_equal(house.touch_count, 0);
    assert_int_equal(jh_report(&house, "many", "s", "suppressed"), PEOPLE);
    assert_int_equal(jh_report(&house, "many", "x", "waiting"), PEOPLE);
    assert_err(jh_command(&house, journey_delete, "{\"key\":\"many\"}"), ERR_CONFLICT);
    jh_do(&house, journey_change_state,
          "{\"key\":\"many\",\"action\":\"stop\",\"positions\":\"exit\"}");
    jh_advance(&house, MINUTE_MS);
    jh_check(&house);
    assert_int_equal(jh_positions(&house), 0);
    assert_int_equal(jh_report(&house, "many", NULL, "exited"), PEOPLE);
    jh_do(&house, journey_delete, "{\"key\":\"many\"}");
    jh_advance(&house, 20 * DAY_MS);
    jh_check(&house);
    assert_int_equal(jh_positions(&house), 0);
    assert_int_equal(house.touch_count, 0);
    jh_remove(&house);
}

/* J2: a thousand branches, 20 nodes of 50 each, to 400 ends: each goes where she belongs; others are not kept waiting. */
static void test_j2_a_thousand_branches(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    struct buffer body;
    char props[40], node[24];
    buffer_init(&body, (size_t)1 << 20);
    jh_make(&house, true);
    buffer_append_str(&body, STR("{'name':'B','trigger':" EVENT
                                 ",'start':'root','nodes':{'root':{'type':'branch','cases':["));
    for (int i = 0; i < 20; i++)
        buffer_printf(&body, "%s{'value':'event.n','between':[%d,%d],'next':'b%d'}",
                      i > 0 ? "," : "", i * 50, i * 50 + 49, i);
    buffer_append_str(&body, STR("],'otherwise':'none'},'none':{'type':'exit'}"));
    for (int i = 0; i < 20; i++) {
        buffer_printf(&body, ",'b%d':{'type':'branch','otherwise':'none','cases':[", i);
        for (int j = 0; j < 50; j++)
            buffer_printf(&body, "%s{'value':'event.n','eq':%d,'next':'e%dx%d'}", j > 0 ? "," : "",
                          i * 50 + j, i, j % 20);
        buffer_append_str(&body, STR("]}"));
        for (int j = 0; j < 20; j++)
            buffer_printf(&body, ",'e%dx%d':{'type':'wait','for':'1h'}", i, j);
    }
    buffer_printf(&body, "}}%c", '\0');
    jh_publish(&house, "wide", body.data);
    for (uint32_t n = 0; n < 1010; n++) {
        snprintf(props, sizeof props, "{'n':%u}", n);
        jh_say(&house, FIRST + n, "Order Paid", props);
        if (n >= 1000)
            continue;
        snprintf(node, sizeof node, "e%ux%u", n / 50, n % 50 % 20);
        assert_string_equal(jh_where(&house, FIRST + n), node);
    }
    assert_int_equal(jh_positions(&house), 1000);
    jh_restart(&house);
    jh_advance(&house, 2 * HOUR_MS);
    assert_int_equal(jh_positions(&house), 0);
    assert_int_equal(jh_report(&house, "wide", "none", "entered"), 10);
    buffer_deinit(&body);
    jh_remove(&house);
}

/* J2: arms of 0 and 100 percent, and waits of no time. */
static void test_j2_nothing_and_all(void **state)
{
    enum { PEOPLE = 20000 };
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    house.world.first_node = herself;
    jh_publish(&house, "all",
               "{'name':'All','trigger':" EVENT ",'start':'s','nodes':{"
               "'s':{'type':'split','arms':[{'weight':0,'next':'never'},{'weight':100,'next':'w'},"
               "{'weight':0,'next':'never'}]},'w':{'type':'wait','for':'0s','next':'h'},"
               "'h':{'type':'hold_out','percent':0,'next':'g','held':'never'},"
               "'g':{'type':'hold_out','percent':100,'next':'never','held':'e'},"
               "'never':{'type':'wait','for':'9d'},'e':{'type':'exit'}}}");
    for (uint32_t customer = FIRST; customer < FIRST + PEOPLE; customer++)
        jh_say(&house, customer, "Order Paid", "{}");
    assert_int_equal(jh_positions(&house), 0);
    assert_int_equal(jh_report(&house, "all", "never", "entered"), 0);
    assert_int_equal(jh_report(&house, "all", "e", "entered"), PEOPLE);
    jh_check(&house);
    jh_remove(&house);
}

/* J2: who stands in a loop without end is held; others go on in time. */
static void test_j2_a_crowd_starves_nobody(void **state)
{
    enum { PEOPLE = 20000 };
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    house.world.first_node = herself;
    jh_publish(
        &house, "crowd",
        "{'name':'Crowd','trigger':" EVENT ",'start':'w','nodes':{"
        "'w':{'type':'wait','for':'1h','next':'v'},'v':{'type':'wait','for':'1m','next':'w'}}}");
    jh_publish(
        &house, "quick",
        "{'name':'Quick','trigger':{'type':'event','event':'Product Added'},'start':'w','nodes':{"
        "'w':{'type':'wait','for':'1h','next':'s'},'s':{'type':'send','channel':'sms','template':'t'}}}");
    for (uint32_t customer = FIRST; customer < FIRST + PEOPLE; customer++)
        jh_say(&house, customer, "Order Paid", "{}");
    jh_say(&house, 1, "Product Added", "{}");
    jh_advance(&house, HOUR_MS);
    assert_int_equal(jh_touch_of(&house, 1, "s")->at_ms, JOURNEY_NOW + HOUR_MS);
    jh_advance(&house, 5 * HOUR_MS);
    jh_check(&house);
    assert_int_equal(jh_positions(&house), PEOPLE);
    jh_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i4_merged_in_two_arms),
        cmocka_unit_test(test_i4_one_side_erased_in_mid_journey),
        cmocka_unit_test(test_j1_paused_moved_stopped_with_many_inside),
        cmocka_unit_test(test_j2_a_crowd_starves_nobody),
        cmocka_unit_test(test_j2_a_thousand_branches),
        cmocka_unit_test(test_j2_nothing_and_all),
        cmocka_unit_test(test_j4_a_million_into_two_arms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
