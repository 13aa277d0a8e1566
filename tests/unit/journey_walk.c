/* SPDX-License-Identifier: Apache-2.0 */
/* Each trigger and node, alone. */
#include "unit/journey_house.h"

#define EVENT "{'type':'event','event':'Order Paid'}"

static void test_wait_then_send(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(&house, "hello",
               "{'name':'Hello','trigger':{'type':'event','event':'Order Paid','where':["
               "{'prop':'channel','in':['tmall','jd']},{'prop':'revenue','gte':100}]},'start':'w',"
               "'nodes':{'w':{'type':'wait','for':'3d','next':'s'},"
               "'s':{'type':'send','channel':'sms','template':'hi','order':'event.order_id',"
               "'vars':{'gift':'mask'}}}}");
    jh_say(&house, 1, "Order Paid", "{'channel':'tmall','revenue':199.5,'order_id':'o1'}");
    jh_say(&house, 2, "Order Paid", "{'channel':'web','revenue':199.5}");
    jh_say(&house, 3, "Order Paid", "{'channel':'jd','revenue':99.99}");
    jh_say(&house, 4, "Order Completed", "{'channel':'jd','revenue':100}");
    jh_say_at(&house, 5, "Order Paid", "{'channel':'jd','revenue':100}", house.now_ms, false);
    assert_int_equal(jh_positions(&house), 2);
    assert_string_equal(jh_where(&house, 1), "w");
    jh_restart(&house);
    jh_advance(&house, 3 * DAY_MS - 1);
    assert_int_equal(house.touch_count, 0);
    jh_advance(&house, 1);
    assert_int_equal(house.touch_count, 2);
    const struct told_touch *told = jh_touch_of(&house, 1, "s");
    assert_int_equal(told->at_ms, JOURNEY_NOW + 3 * DAY_MS);
    assert_string_equal(told->order, "o1");
    assert_non_null(strstr(told->context, "\"gift\":\"mask\""));
    assert_non_null(strstr(told->context, "\"revenue\":199.5"));
    assert_int_equal(jh_positions(&house), 0);
    assert_int_equal(jh_report(&house, "hello", NULL, "entered"), 2);
    assert_int_equal(jh_report(&house, "hello", "w", "left"), 2);
    assert_int_equal(jh_report(&house, "hello", "s", "queued"), 2);
    jh_restart(&house);
    jh_remove(&house);
}

static void test_times_of_day_and_week(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    jh_publish(&house, "a",
               "{'name':'A','trigger':" EVENT ",'start':'w','nodes':{"
               "'w':{'type':'wait','for':'1d','at':'10:30','next':'s'},"
               "'s':{'type':'send','channel':'sms','template':'t'}}}");
    jh_publish(&house, "b",
               "{'name':'B','trigger':" EVENT ",'start':'w','nodes':{"
               "'w':{'type':'wait','at':'09:00','weekdays':['sat','sun'],'next':'b'},"
               "'b':{'type':'send','channel':'sms','template':'t'}}}");
    jh_publish(&house, "c",
               "{'name':'C','trigger':" EVENT ",'start':'w','nodes':{"
               "'w':{'type':'wait','at':'10:00','zone':'customer','next':'c'},"
               "'c':{'type':'send','channel':'sms','template':'t'}}}");
    jh_publish(
        &house, "d",
        "{'name':'D','trigger':" EVENT ",'start':'w','nodes':{"
        "'w':{'type':'wait','date':'event.delivery','offset':'-1d','otherwise':'no','next':'d'},"
        "'d':{'type':'send','channel':'sms','template':'t'},"
        "'no':{'type':'send','channel':'sms','template':'t'}}}");
    jh_say(&house, 9, "Order Paid", "{'delivery':'2026-06-05T12:00:00+08:00'}");
    jh_say(&house, 1, "Order Paid", "{}");
    jh_advance(&house, 10 * DAY_MS);
    /* 08:00 on Monday the first of June in Shanghai; a day later, then half past ten */
    assert_int_equal(jh_touch_of(&house, 1, "s")->at_ms, JOURNEY_NOW + DAY_MS + 150 * MINUTE_MS);
    assert_int_equal(jh_touch_of(&house, 1, "b")->at_ms, JOURNEY_NOW + 5 * DAY_MS + HOUR_MS);
    assert_int_equal(jh_touch_of(&house, 1, "c")->at_ms, JOURNEY_NOW + 2 * HOUR_MS);
    /* hers is five hours behind UTC: it is seven in the evening; ten comes at 15:00 UTC */
    assert_int_equal(jh_touch_of(&house, 9, "c")->at_ms, JOURNEY_NOW + 15 * HOUR_MS);
    assert_int_equal(jh_touch_of(&house, 9, "d")->at_ms, JOURNEY_NOW + 3 * DAY_MS + 4 * HOUR_MS);
    assert_int_equal(jh_touch_of(&house, 1, "no")->at_ms, JOURNEY_NOW);
    jh_remove(&house);
}

/* Spring forward and back in Sao Paulo of old: noon stays noon, and what is skipped comes right after. */
static void test_clocks_that_change(void **state)
{
    (void)state;
    struct journey_house house = { .zone = "America/Sao_Paulo" };
    jh_make(&house, false);
    house.now_ms =
        INT64_C(1539388800000); /* 2018-10-13T00:00:00Z; clocks go forward on 4 November */
    jh_publish(&house, "a",
               "{'name':'A','trigger':" EVENT ",'start':'w','nodes':{"
               "'w':{'type':'wait','for':'1d','at':'12:00','next':'s'},"
               "'s':{'type':'send','channel':'sms','template':'t','next':'w'}}}");
    jh_say(&house, 1, "Order Paid", "{}");
    jh_until(&house, INT64_C(1541548800000)); /* 2018-11-07 */
    bool winter = false, summer = false;
    for (size_t i = 0; i < house.touch_count; i++) {
        int64_t hour = house.touches[i].at_ms / HOUR_MS % 24;
        bool is_summer =
            house.touches[i].at_ms > INT64_C(1541300400000); /* 4 November, 03:00 UTC */
        assert_int_equal(hour, is_summer ? 14 : 15);
        winter = winter || !is_summer;
        summer = summer || is_summer;
    }
    assert_true(winter && summer);
    jh_remove(&house);
}

static void test_restarted_wait(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(
        &house, "cart",
        "{'name':'Cart','trigger':{'type':'event','event':'Product Added'},'start':'w','nodes':{"
        "'w':{'type':'wait','for':'2h','restart_on':{'event':'Product Added'},'next':'s'},"
        "'s':{'type':'send','channel':'sms','template':'t'}}}");
    jh_say(&house, 1, "Product Added", "{}");
    for (int i = 0; i < 5; i++) {
        jh_advance(&house, HOUR_MS);
        jh_say(&house, 1, "Product Added", "{}");
    }
    jh_restart(&house);
    assert_int_equal(house.touch_count, 0);
    jh_advance(&house, 2 * HOUR_MS);
    assert_int_equal(house.touch_count, 1);
    assert_int_equal(house.touches[0].at_ms, JOURNEY_NOW + 7 * HOUR_MS);
    jh_remove(&house);
}

#define UNTIL                                                                                   \
    "{'name':'U','trigger':{'type':'event','event':'Order Paid','key':'order_id'},'start':'u'," \
    "'nodes':{'u':{'type':'wait_until','event':'Parcel Sent','same':'order_id','timeout':'2d'," \
    "'next':'yes','on_timeout':'no'},'yes':{'type':'send','channel':'sms','template':'y'},"     \
    "'no':{'type':'send','channel':'sms','template':'n'}}}"

static void test_wait_until_its_own_event(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(&house, "u", UNTIL);
    jh_say(&house, 1, "Order Paid", "{'order_id':'o1'}");
    jh_say(&house, 1, "Order Paid", "{'order_id':'o2'}");
    jh_say(&house, 1, "Order Paid", "{'order_id':'o2'}"); /* J1 */
    jh_say(&house, 1, "Order Paid", "{}");                /* no key, no instance */
    assert_int_equal(jh_positions(&house), 2);
    jh_say(&house, 1, "Parcel Sent", "{'order_id':'o2'}");
    jh_say(&house, 2, "Parcel Sent", "{'order_id':'o1'}");
    assert_int_equal(jh_touches(&house, 1, "yes"), 1);
    jh_advance(&house, 2 * DAY_MS);
    assert_int_equal(jh_touches(&house, 1, "no"), 1);
    assert_int_equal(jh_report(&house, "u", "u", "timed_out"), 1);
    assert_int_equal(jh_report(&house, "u", NULL, "refused"), 2);
    jh_remove(&house);
}

static void test_branches(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    jh_publish(
        &house, "b",
        "{'name':'B','trigger':" EVENT ",'start':'b','nodes':{'b':{'type':'branch','cases':["
        "{'segment':'vip','next':'vip'},{'rule':{'segment':'old'},'next':'old'},"
        "{'value':'event.total','gte':500,'next':'big'},"
        "{'value':'customer.city','in':['shanghai'],'next':'city'}],'otherwise':'else'},"
        "'vip':{'type':'tag','tag':'vip','value':true},'old':{'type':'trait','trait':'old','value':1},"
        "'big':{'type':'segment','segment':'big'},"
        "'city':{'type':'segment','segment':'city','remove':true},"
        "'else':{'type':'tag','tag':'refused','value':'x','next':'end'},"
        "'end':{'type':'exit','reason':'done'}}}");
    jh_note(&house, 1, "vip", true);
    jh_note(&house, 2, "rule-old", true);
    jh_set_value(&house, 4, "customer.city", "shanghai");
    for (uint32_t customer = 1; customer <= 5; customer++)
        jh_say(&house, customer, "Order Paid",
               customer == 3 ? "{'total':500}" : "{'total':499.99}");
    assert_int_equal(house.effect_count, 5);
    assert_string_equal(house.effects[0].what, "tag vip true");
    assert_string_equal(house.effects[1].what, "trait old 1");
    assert_string_equal(house.effects[2].what, "in big ");
    assert_string_equal(house.effects[3].what, "out city ");
    assert_string_equal(house.effects[4].what, "tag refused \"x\"");
    assert_int_equal(jh_report(&house, "b", "else", "refused"), 1);
    assert_int_equal(jh_report(&house, "b", "b", "other"), 1);
    assert_int_equal(jh_report(&house, "b", NULL, "exited"), 5);
    jh_remove(&house);
}

static void test_split_is_fixed_and_even(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    jh_publish(&house, "s",
               "{'name':'S','trigger':" EVENT ",'entry':{'parallel':1},'start':'s','nodes':{"
               "'s':{'type':'split','arms':[{'weight':1,'next':'a'},{'weight':0,'next':'never'},"
               "{'weight':3,'next':'b'}]},'a':{'type':'send','channel':'sms','template':'t'},"
               "'never':{'type':'send','channel':'sms','template':'t'},"
               "'b':{'type':'send','channel':'sms','template':'t'}}}");
    for (uint32_t customer = 2000; customer < 22000; customer++)
        jh_say(&house, customer, "Order Paid", "{}");
    size_t a = jh_touches(&house, 0, "a"), b = jh_touches(&house, 0, "b");
    assert_int_equal(a + b, 20000);
    assert_int_equal(jh_touches(&house, 0, "never"), 0);
    assert_in_range(a, 4700, 5300);
    char first[40];
    for (uint32_t customer = 2000; customer < 2050; customer++) {
        snprintf(first, sizeof first, "%s", house.touches[customer - 2000].node);
        size_t before = jh_touches(&house, customer, first);
        jh_say(&house, customer, "Order Paid", "{}");
        assert_int_equal(jh_touches(&house, customer, first), before + 1);
    }
    jh_remove(&house);
}

static void test_hold_out_and_goals(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(&house, "h",
               "{'name':'H','trigger':{'type':'event','event':'Signed Up'},'entry':{'hold_out':20},"
               "'goals':[{'key':'buys','event':'Order Paid','within':'7d','value':'revenue'}],"
               "'start':'s','nodes':{'s':{'type':'send','channel':'sms','template':'t'}}}");
    for (uint32_t customer = 1; customer <= 1000; customer++)
        jh_say(&house, customer, "Signed Up", "{}");
    size_t treated = house.touch_count;
    assert_in_range(treated, 750, 850);
    jh_advance(&house, DAY_MS);
    for (uint32_t customer = 1; customer <= 500; customer++)
        jh_say(&house, customer, "Order Paid", "{'revenue':10}");
    jh_restart(&house);
    jh_advance(&house, 7 * DAY_MS);
    for (uint32_t customer = 501; customer <= 1000; customer++)
        jh_say(&house, customer, "Order Paid", "{'revenue':10}"); /* too late */
    buffer_clear(&house.answer);
    assert_ok(
        journey_write_report(house.journeys, STR("h"), JOURNEY_NOW, house.now_ms, &house.answer));
    json_value root;
    assert_ok(json_parse(house.parser, buffer_str(&house.answer), &root, NULL));
    json_value goal = json_at(json_get(root, STR("goals")), 0);
    json_value in = json_get(goal, STR("journey")), out = json_get(goal, STR("control"));
    assert_int_equal(json_int(json_get(in, STR("entered")), 0), treated);
    assert_int_equal(json_int(json_get(out, STR("entered")), 0), 1000 - treated);
    assert_int_equal(json_int(json_get(in, STR("reached")), 0) +
                         json_int(json_get(out, STR("reached")), 0),
                     500);
    assert_int_equal(json_int(json_get(in, STR("value")), 0),
                     1000 * json_int(json_get(in, STR("reached")), 0));
    json_value lift = json_get(goal, STR("lift"));
    assert_true(json_double(json_get(lift, STR("low")), 1) < 0.1);
    assert_true(json_double(json_get(lift, STR("high")), -1) > -0.1);
    jh_advance(&house, 60 * DAY_MS);
    assert_int_equal(jh_positions(&house), 0);
    jh_remove(&house);
}

static void test_exits_apply_anywhere(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(
        &house, "x",
        "{'name':'X','trigger':{'type':'event','event':'Order Paid','key':'order_id'},"
        "'exits':[{'name':'refund','event':'Order Refunded','same':'order_id'},"
        "{'segment':'joined'},{'rule':{'segment':'gone'}}],'start':'s','nodes':{"
        "'s':{'type':'send','channel':'sms','template':'t','next':'w'},"
        "'w':{'type':'wait','for':'3d','next':'t'},'t':{'type':'send','channel':'sms','template':'t'}}}");
    for (uint32_t customer = 1; customer <= 4; customer++)
        jh_say(&house, customer, "Order Paid", "{'order_id':'o'}");
    jh_note(&house, 5, "joined", true);
    jh_say(&house, 5, "Order Paid", "{'order_id':'o'}");
    assert_int_equal(jh_touches(&house, 5, NULL), 0);
    jh_say(&house, 1, "Order Refunded", "{'order_id':'other'}");
    jh_say_at(&house, 1, "Order Refunded", "{'order_id':'o'}", house.now_ms,
              false); /* late ones end */
    jh_move(&house, 2, "joined", true);
    jh_move(&house, 3, "rule-gone", true);
    assert_int_equal(jh_positions(&house), 1);
    assert_true(jh_touch_of(&house, 1, "s")->withdrawn);
    assert_false(jh_touch_of(&house, 4, "s")->withdrawn);
    jh_advance(&house, 4 * DAY_MS);
    assert_int_equal(jh_touches(&house, 0, "t"), 1);
    jh_remove(&house);
}

/* Each policy for what is late, said for all waits or for one; five hours late are not late where a day is. */
static void test_late(void **state)
{
    static const struct {
        const char *journey, *wait, *where;
        int sent;
        int64_t more_ms; /* until it is sent after all */
    } ways[] = {
        { "", "", "", 1, 0 },
        { "'late':'exit',", "'late':'go',", "", 1, 0 },
        { "'late':'skip',", "", "after", 0, 0 },
        { "'late':'skip','late_after':'1d',", "", "", 1, 0 },
        { "", "'late':'window','at':'10:00',", "w", 0, 21 * HOUR_MS },
        { "'late':'window',", "", "", 1, 0 }, /* no window to wait for */
        { "", "'late':'again',", "w", 0, 2 * HOUR_MS },
        { "'late':'exit',", "", "", 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct journey_house house = { .zone = NULL };
        char journey[600];
        jh_make(&house, true);
        snprintf(journey, sizeof journey,
                 "{'name':'L',%s'trigger':" EVENT ",'start':'w','nodes':{"
                 "'w':{'type':'wait','for':'2h',%s'next':'s'},"
                 "'s':{'type':'send','channel':'sms','template':'t','next':'after'},"
                 "'after':{'type':'wait','for':'30d'}}}",
                 ways[i].journey, ways[i].wait);
        jh_publish(&house, "l", journey);
        jh_say(&house, 1, "Order Paid", "{}");
        jh_restart(&house);
        house.now_ms += 7 * HOUR_MS - (ways[i].more_ms == 21 * HOUR_MS ? 2 * HOUR_MS : 0);
        jh_run(&house);
        assert_int_equal(house.touch_count, ways[i].sent);
        if (ways[i].where[0] != '\0')
            assert_string_equal(jh_where(&house, 1), ways[i].where);
        jh_restart(&house);
        jh_advance(&house, 3 * DAY_MS);
        assert_int_equal(house.touch_count, ways[i].sent + (ways[i].more_ms > 0));
        if (ways[i].more_ms > 0)
            assert_int_equal(house.touches[0].at_ms,
                             JOURNEY_NOW + 7 * HOUR_MS + ways[i].more_ms -
                                 (ways[i].more_ms == 21 * HOUR_MS ? 2 * HOUR_MS : 0));
        jh_remove(&house);
    }
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    assert_string_equal(jh_refused(&house,
                                   "{'name':'L','late':'never','trigger':" EVENT
                                   ",'start':'w','nodes':{'w':{'type':'wait','for':'2h'}}}"),
                        "/late");
    assert_string_equal(jh_refused(&house, "{'name':'L','trigger':" EVENT ",'start':'w','nodes':{"
                                           "'w':{'type':'wait','for':'2h','late':'window'}}}"),
                        "/nodes/w/late");
    jh_remove(&house);
}

static void test_absence(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(&house, "cart",
               "{'name':'C','trigger':{'type':'absence','event':'Product Added','key':'sku',"
               "'absent':{'event':'Order Paid','same':'sku'},'within':'1d','patience':'6h'},"
               "'start':'w','nodes':{'w':{'type':'wait','for':'1h','next':'s'},"
               "'s':{'type':'send','channel':'sms','template':'t'}}}");
    for (uint32_t customer = 1; customer <= 4; customer++)
        jh_say(&house, customer, "Product Added", "{'sku':'cream'}");
    jh_advance(&house, HOUR_MS);
    jh_say(&house, 1, "Order Paid", "{'sku':'cream'}");
    jh_say(&house, 2, "Order Paid", "{'sku':'soap'}");
    assert_int_equal(jh_positions(&house), 3);
    house.watermark_ms = JOURNEY_NOW + 20 * HOUR_MS; /* a source has not told yet */
    jh_until(&house, JOURNEY_NOW + 26 * HOUR_MS);
    assert_string_equal(jh_where(&house, 2), "$absence");
    jh_say_at(&house, 3, "Order Paid", "{'sku':'cream'}", JOURNEY_NOW + 19 * HOUR_MS, false);
    assert_int_equal(jh_positions(&house), 2);
    jh_restart(&house);
    house.watermark_ms = JOURNEY_NOW + 25 * HOUR_MS;
    jh_until(&house, JOURNEY_NOW + 27 * HOUR_MS);
    assert_string_equal(jh_where(&house, 2), "w");
    /* a file that comes late says that she bought in time */
    jh_say_at(&house, 4, "Order Paid", "{'sku':'cream'}", JOURNEY_NOW + 23 * HOUR_MS, false);
    jh_advance(&house, 2 * HOUR_MS);
    assert_int_equal(house.touch_count, 1);
    assert_int_equal(house.touches[0].customer, 2);
    jh_remove(&house);
}

static void test_patience_ends(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    jh_publish(&house, "p",
               "{'name':'P','trigger':" EVENT ",'start':'u','nodes':{'u':{'type':'wait_until',"
               "'event':'Joined','timeout':'1d','patience':'3h','next':'yes','on_timeout':'no'},"
               "'yes':{'type':'send','channel':'sms','template':'t'},"
               "'no':{'type':'send','channel':'sms','template':'t'}}}");
    house.watermark_ms = JOURNEY_NOW;
    jh_say(&house, 1, "Order Paid", "{}");
    jh_say(&house, 2, "Order Paid", "{}");
    jh_say(&house, 3, "Order Paid", "{}");
    jh_until(&house, JOURNEY_NOW + 25 * HOUR_MS);
    assert_int_equal(house.touch_count, 0);
    jh_say_at(&house, 1, "Joined", "{}", JOURNEY_NOW + 23 * HOUR_MS, false);
    jh_say_at(&house, 2, "Joined", "{}", JOURNEY_NOW + 25 * HOUR_MS, true); /* too late */
    assert_int_equal(jh_touches(&house, 1, "yes"), 1);
    jh_until(&house, JOURNEY_NOW + 28 * HOUR_MS);
    assert_int_equal(jh_touches(&house, 0, "no"), 2);
    assert_int_equal(jh_touch_of(&house, 3, "no")->at_ms, JOURNEY_NOW + 27 * HOUR_MS);
    jh_remove(&house);
}

static void test_results_of_touches(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    jh_publish(
        &house, "r",
        "{'name':'R','trigger':" EVENT ",'start':'h','nodes':{"
        "'h':{'type':'webhook','account':'erp','save':'stock','timeout':'1h','next':'b',"
        "'on_failed':'bad'},'b':{'type':'branch','cases':[{'value':'vars.stock.left','gt':0,"
        "'next':'s'}],'otherwise':'none'},'s':{'type':'send','channel':'wecom','template':'t',"
        "'next':'w'},'w':{'type':'wait','for':'1d','next':'seen'},'seen':{'type':'branch','cases':["
        "{'touch':'s','status':['read','clicked'],'next':'good'}],'otherwise':'again'},"
        "'bad':{'type':'tag','tag':'bad'},'none':{'type':'tag','tag':'none'},"
        "'good':{'type':'tag','tag':'good'},'again':{'type':'tag','tag':'again'}}}");
    for (uint32_t customer = 1; customer <= 4; customer++)
        jh_say(&house, customer, "Order Paid", "{}");
    for (uint32_t i = 0; i < 3; i++) {
        struct touch_change change = { .touch = house.touches[i].number,
                                       .position = house.touches[i].position,
                                       .customer = house.touches[i].customer,
                                       .journey = STR("r"),
                                       .node = STR("h"),
                                       .to = i == 2 ? TOUCH_FAILED : TOUCH_DELIVERED,
                                       .response =
                                           i == 0 ? STR("{\"left\":3}") : STR("{\"left\":0}") };
        assert_ok(journey_touch(house.journeys, &change, jh_moment(&house), house.writes));
        jh_restart(&house);
    }
    jh_advance(&house, HOUR_MS); /* the fourth was never answered */
    assert_int_equal(house.effect_count, 3);
    assert_string_equal(house.effects[0].what, "tag none ");
    assert_string_equal(house.effects[1].what, "tag bad ");
    assert_string_equal(house.effects[2].what, "tag bad ");
    const struct told_touch *sent = jh_touch_of(&house, 1, "s");
    struct touch_change read = { .touch = sent->number,
                                 .position = sent->position,
                                 .customer = 1,
                                 .journey = STR("r"),
                                 .node = STR("s"),
                                 .to = TOUCH_READ };
    assert_ok(journey_touch(house.journeys, &read, jh_moment(&house), house.writes));
    jh_advance(&house, DAY_MS);
    assert_string_equal(house.effects[3].what, "tag good ");
    jh_remove(&house);
}

static void test_reentry_and_caps(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    const char *const nodes =
        "'start':'s','nodes':{'s':{'type':'send','channel':'sms','template':'t'}}}";
    char text[600];
    jh_make(&house, true);
    snprintf(text, sizeof text, "{'name':'N','trigger':" EVENT ",'entry':{'reentry':'never'},%s",
             nodes);
    jh_publish(&house, "never", text);
    snprintf(text, sizeof text,
             "{'name':'T','trigger':" EVENT ",'entry':{'reentry_after':'30d'},%s", nodes);
    jh_publish(&house, "after", text);
    snprintf(text, sizeof text,
             "{'name':'C','trigger':" EVENT
             ",'entry':{'max':5,'max_per_day':3,'max_per_hour':2},%s",
             nodes);
    jh_publish(&house, "caps", text);
    for (int day = 0; day < 40; day++) {
        jh_say(&house, 1, "Order Paid", "{}");
        jh_say(&house, 2, "Order Paid", "{}");
        jh_say(&house, 3, "Order Paid", "{}");
        if (day == 10)
            jh_restart(&house);
        jh_advance(&house, DAY_MS);
    }
    size_t never = 0, after = 0, caps = 0;
    for (size_t i = 0; i < house.touch_count; i++) {
        never += strcmp(house.touches[i].journey, "never") == 0;
        after += strcmp(house.touches[i].journey, "after") == 0;
        caps += strcmp(house.touches[i].journey, "caps") == 0;
    }
    assert_int_equal(never, 3);
    assert_int_equal(after, 6);
    assert_int_equal(caps, 5);
    jh_remove(&house);
}

static void test_schedules_and_waves(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    for (uint32_t customer = 1; customer <= 1500; customer++)
        jh_note(&house, customer, "all", true);
    jh_publish(
        &house, "weekly",
        "{'name':'W','trigger':{'type':'schedule','rrule':'FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=10;BYMINUTE=30',"
        "'segment':'all'},'start':'s','nodes':{'s':{'type':'send','channel':'sms','template':'t'}}}");
    jh_restart(&house);
    jh_until(&house, JOURNEY_NOW + 14 * DAY_MS - 1);
    assert_int_equal(house.touch_count, 4 * 1500);
    for (size_t i = 0; i < house.touch_count; i++)
        assert_int_equal((house.touches[i].at_ms + 8 * HOUR_MS) % DAY_MS,
                         10 * HOUR_MS + 30 * MINUTE_MS);
    jh_publish(
        &house, "slow",
        "{'name':'M','trigger':{'type':'manual','segment':'all'},'entry':{'max_per_hour':100},"
        "'start':'m','nodes':{'m':{'type':'send','channel':'sms','template':'t'}}}");
    jh_do(&house, journey_enter, "{\"key\":\"slow\",\"segment\":\"all\"}");
    jh_run(&house);
    assert_int_equal(jh_touches(&house, 0, "m"), 100);
    jh_restart(&house);
    jh_advance(&house, 4 * HOUR_MS);
    assert_in_range(jh_touches(&house, 0, "m"), 400, 500);
    jh_advance(&house, 20 * HOUR_MS);
    assert_int_equal(jh_touches(&house, 0, "m"), 1500);
    jh_remove(&house);
}

static void test_loops_are_stopped(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    assert_string_equal(
        jh_refused(
            &house,
            "{'name':'L','trigger':" EVENT ",'start':'a','nodes':{"
            "'a':{'type':'tag','tag':'x','next':'b'},'b':{'type':'tag','tag':'y','next':'a'}}}"),
        "/nodes/a");
    jh_publish(
        &house, "l",
        "{'name':'L','trigger':" EVENT ",'start':'a','nodes':{"
        "'a':{'type':'tag','tag':'x','next':'w'},'w':{'type':'wait','for':'0s','next':'a'}}}");
    jh_say(&house, 1, "Order Paid", "{}");
    struct journeys_status status;
    journeys_status(house.journeys, &status);
    assert_int_equal(status.failed, 1);
    jh_restart(&house);
    jh_do(&house, journey_move, "{\"key\":\"l\",\"customer\":1,\"action\":\"exit\"}");
    assert_int_equal(jh_positions(&house), 0);
    jh_remove(&house);
}

static void test_joined_journeys(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    jh_publish(&house, "two",
               "{'name':'2','trigger':{'type':'api'},'start':'s','nodes':{"
               "'s':{'type':'send','channel':'sms','template':'t'}}}");
    jh_publish(
        &house, "one",
        "{'name':'1','trigger':{'type':'event','event':'Order Paid','key':'order_id'},'start':'j',"
        "'nodes':{'j':{'type':'journey','journey':'two'}}}");
    jh_say(&house, 1, "Order Paid", "{'order_id':'o7'}");
    assert_string_equal(house.touches[0].journey, "two");
    assert_non_null(strstr(house.touches[0].context, "\"position_key\":\"o7\""));
    jh_remove(&house);
}

static void test_what_is_wrong_is_named(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, false);
    const char *const wrong[][2] = {
        { "{'name':'A','start':'s','nodes':{'s':{'type':'exit'}}}", "/trigger" },
        { "{'name':'A','trigger':{'type':'evnt'},'start':'s','nodes':{'s':{'type':'exit'}}}",
          "/trigger/type" },
        { "{'name':'A','trigger':" EVENT ",'start':'s','nodes':{'s':{'type':'wat'}}}",
          "/nodes/s/type" },
        { "{'name':'A','trigger':" EVENT ",'start':'s','nodes':{'s':{'type':'wait','fro':'3d'}}}",
          "/nodes/s/fro" },
        { "{'name':'A','trigger':" EVENT
          ",'start':'s','nodes':{'s':{'type':'wait','for':'3 days'}}}",
          "/nodes/s/for" },
        { "{'name':'A','trigger':" EVENT
          ",'start':'s','nodes':{'s':{'type':'wait','for':'3d','next':'t'}}}",
          "/nodes/s/next" },
        { "{'name':'A','trigger':" EVENT ",'start':'x','nodes':{'s':{'type':'exit'}}}", "/start" },
        { "{'name':'A','trigger':" EVENT
          ",'start':'s','nodes':{'s':{'type':'exit'},'t':{'type':'exit'}}}",
          "/nodes/t" },
        { "{'name':'A','trigger':" EVENT ",'start':'s','nodes':{'s':{'type':'branch','cases':["
          "{'rule':{'what':1},'next':null}]}}}",
          "/nodes/s/cases/0/rule/what" },
        { "{'name':'A','trigger':" EVENT ",'start':'s','nodes':{'s':{'type':'branch','cases':["
          "{'value':'event.x','gto':1,'next':null}]}}}",
          "/nodes/s/cases/0/gto" },
        { "{'name':'A','trigger':" EVENT
          ",'start':'s','nodes':{'s':{'type':'wait_until','event':'E'}}}",
          "/nodes/s/timeout" },
        { "{'name':'A','trigger':{'type':'schedule','rrule':'FREQ=DALY','segment':'x'},'start':'s',"
          "'nodes':{'s':{'type':'exit'}}}",
          "/trigger/rrule" },
        { "{'name':'A','trigger':{'type':'segment','segment':'unknown'},'start':'s',"
          "'nodes':{'s':{'type':'exit'}}}",
          "/trigger/segment" },
        { "{'name':'A','trigger':" EVENT
          ",'entry':{'hold_out':101},'start':'s','nodes':{'s':{'type':'exit'}}}",
          "/entry/hold_out" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_string_equal(jh_refused(&house, wrong[i][0]), wrong[i][1]);
    jh_refused(&house, wrong[3][0]);
    assert_non_null(strstr(house.problem.hint, "'for'"));
    jh_refused(&house, wrong[5][0]);
    assert_non_null(strstr(house.problem.hint, "'s'"));
    jh_remove(&house);
}

/* P6, restriction of processing: who may not be in a journey does not enter, and leaves at once. */
static void test_rights_keep_out(void **state)
{
    (void)state;
    struct journey_house house = { .zone = NULL };
    jh_make(&house, true);
    const char *const flow = "'start':'w','nodes':{'w':{'type':'wait','for':'3d','next':'s'},"
                             "'s':{'type':'send','channel':'sms','template':'t'%s}}}";
    char body[600], rest[300];
    const char *const kinds[][3] = { { "chooses", "", "" },
                                     { "plain", "'personalises':false,", "" },
                                     { "service", "", ",'transactional':true" } };
    for (size_t i = 0; i < 3; i++) {
        snprintf(rest, sizeof rest, flow, kinds[i][2]);
        snprintf(body, sizeof body, "{'name':'A',%s'trigger':" EVENT ",%s", kinds[i][1], rest);
        jh_publish(&house, kinds[i][0], body);
    }
    house.restricted = 2;
    house.plain = 3;
    for (uint32_t customer = 1; customer <= 3; customer++)
        jh_say(&house, customer, "Order Paid", "{}");
    assert_int_equal(jh_positions(&house), 5); /* one in all three, nobody for two, two for three */
    assert_int_equal(jh_report(&house, "chooses", NULL, "entered"), 1);
    assert_int_equal(jh_report(&house, "plain", NULL, "entered"), 2);
    assert_int_equal(jh_report(&house, "service", NULL, "entered"), 2);
    /* She decides while she is in. */
    house.plain = 1;
    assert_ok(journey_decided(house.journeys, 1, jh_moment(&house), house.writes));
    assert_int_equal(jh_positions(&house), 4);
    jh_restart(&house);
    assert_int_equal(jh_positions(&house), 4);
    house.restricted = 1;
    assert_ok(journey_decided(house.journeys, 1, jh_moment(&house), house.writes));
    assert_int_equal(jh_positions(&house), 2);
    jh_advance(&house, 3 * DAY_MS);
    assert_int_equal(house.touch_count, 2);
    assert_int_equal(house.touches[0].customer, 3);
    jh_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wait_then_send),
        cmocka_unit_test(test_times_of_day_and_week),
        cmocka_unit_test(test_clocks_that_change),
        cmocka_unit_test(test_restarted_wait),
        cmocka_unit_test(test_wait_until_its_own_event),
        cmocka_unit_test(test_branches),
        cmocka_unit_test(test_split_is_fixed_and_even),
        cmocka_unit_test(test_hold_out_and_goals),
        cmocka_unit_test(test_exits_apply_anywhere),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_absence),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_results_of_touches),
        cmocka_unit_test(test_reentry_and_caps),
        cmocka_unit_test(test_schedules_and_waves),
        cmocka_unit_test(test_loops_are_stopped),
        cmocka_unit_test(test_joined_journeys),
        cmocka_unit_test(test_rights_keep_out),
        cmocka_unit_test(test_what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
