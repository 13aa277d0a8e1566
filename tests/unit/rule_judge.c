/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on one customer: each form of the language by hand, and the edges of time. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support/oracle_world.h"

/* 2026-06-18 10:00 in Shanghai. */
#define NOW INT64_C(1781748000000)
#define AGO(ms) (NOW - (ms))

static struct world world;

static int open_world(void **state)
{
    (void)state;
    static char json[8192];
    snprintf(
        json, sizeof(json),
        "{\"me\":\"u7\",\"objects\":{"
        "\"product\":{\"p1\":{\"category\":\"口红\",\"price\":9900,\"brand_id\":\"b1\",\"tag:hot\":true},"
        "\"p2\":{\"category\":\"面霜\",\"price\":19900,\"brand_id\":\"b2\"}},"
        "\"brand\":{\"b1\":{\"country\":\"CN\",\"owner_ids\":[\"o1\"]},\"b2\":{\"country\":\"FR\",\"owner_ids\":[\"o2\",\"o1\"]}},"
        "\"owner\":{\"o1\":{\"name\":\"Li\"},\"o2\":{\"name\":\"Wang\"}},"
        "\"store\":{\"s1\":{\"city\":\"上海\",\"tag:service\":\"low\"}}},"
        "\"customers\":[{"
        "\"traits\":{\"city\":\"上海\",\"age\":29.5,\"balance\":12900,\"birthday\":%lld,\"vip\":true,"
        "\"interests\":[\"tea\",\"ski\"],\"store\":\"s1\"},"
        "\"tags\":{\"skin_type\":\"sensitive\",\"score\":82},\"segments\":[\"vip\"],"
        "\"identifiers\":[\"mobile\"],\"consents\":{\"sms\":true,\"email\":false},"
        "\"relations\":{\"adviser\":\"u7\",\"groups\":[\"g1\",\"g2\"]},\"reachable\":[\"sms\"],"
        "\"entered\":%lld,"
        "\"touches\":[{\"time\":%lld,\"seq\":5,\"journey\":\"welcome\",\"status\":\"delivered\"}],"
        "\"events\":["
        "{\"type\":\"Order Paid\",\"channel\":\"tmall\",\"time\":%lld,\"seq\":1,\"props\":{\"order_id\":\"a\",\"revenue\":10000,\"quantity\":2,\"rate\":0.5,\"product_id\":\"p1\"}},"
        "{\"type\":\"Order Completed\",\"channel\":\"web\",\"time\":%lld,\"seq\":2,\"node\":1,\"props\":{\"order_id\":\"b\",\"revenue\":30000,\"products.product_id\":[\"p1\",\"p2\"]}},"
        "{\"type\":\"Order Refunded\",\"channel\":\"web\",\"time\":%lld,\"seq\":3,\"props\":{\"order_id\":\"b\",\"total\":10000}},"
        "{\"type\":\"Product Added\",\"channel\":\"app\",\"time\":%lld,\"seq\":4,\"props\":{\"product_id\":\"p2\"}},"
        "{\"type\":\"Order Paid\",\"channel\":\"tmall\",\"time\":%lld,\"seq\":6,\"props\":{\"order_id\":\"c\",\"revenue\":5000,\"product_id\":\"p2\"}}"
        "]},{\"events\":[]}]}",
        (long long)INT64_C(773683200000) /* 1994-07-09 */, (long long)AGO(20 * DAY_MS),
        (long long)AGO(3 * DAY_MS), (long long)AGO(90 * DAY_MS), (long long)AGO(30 * DAY_MS),
        (long long)AGO(10 * DAY_MS), (long long)AGO(2 * DAY_MS), (long long)AGO(DAY_MS));
    world_open(&world, NULL);
    world_load(&world, str_from_c(json));
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

struct example {
    const char *rule;
    bool holds;
};

static void check_all(const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (world_holds(&world, 0, examples[i].rule, NOW) != examples[i].holds)
            fail_msg("%s should be %s", examples[i].rule, examples[i].holds ? "true" : "false");
}
#define CHECK(examples) check_all((examples), sizeof(examples) / sizeof((examples)[0]))

static void facts_are_compared(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "{\"trait\":\"city\",\"in\":[\"上海\",\"杭州\"]}", true },
        { "{\"trait\":\"city\",\"ne\":\"上海\"}", false },
        { "{\"trait\":\"age\",\"eq\":29.5}", true },
        { "{\"trait\":\"age\",\"gt\":29.5}", false },
        { "{\"trait\":\"age\",\"gte\":29.499999}", true },
        { "{\"trait\":\"balance\",\"between\":[12900,13000]}", true },
        { "{\"trait\":\"vip\",\"eq\":true}", true },
        { "{\"trait\":\"interests\",\"eq\":\"ski\"}", true },
        { "{\"trait\":\"interests\",\"not_in\":[\"ski\",\"golf\"]}", false },
        { "{\"trait\":\"city\",\"matches\":\"^上\"}", true },
        { "{\"trait\":\"birthday\",\"anniversary\":\"in 21d\"}", true },
        { "{\"trait\":\"birthday\",\"anniversary\":\"within 20d\"}", false },
        { "{\"trait\":\"birthday\",\"lt\":\"now-18y\"}", true },
        { "{\"trait\":\"birthday\",\"lt\":\"now-40y\"}", false },
        { "{\"tag\":\"skin_type\",\"eq\":\"sensitive\"}", true },
        { "{\"tag\":\"likes\"}", false },
        { "{\"tag\":\"likes\",\"ne\":\"x\"}", false },
        { "{\"tag\":\"likes\",\"is_not_set\":true}", true },
        { "{\"segment\":\"vip\"}", true },
        { "{\"not\":{\"segment\":\"sleepers\"}}", true },
        { "{\"has\":\"mobile\"}", true },
        { "{\"has\":\"wecom_external_userid\"}", false },
        { "{\"consent\":\"sms\"}", true },
        { "{\"consent\":\"email\"}", false },
        { "{\"consent\":\"email\",\"eq\":false}", true },
        { "{\"reachable\":\"sms\"}", true },
        { "{\"reachable\":\"wecom\"}", false },
        { "{\"relation\":\"adviser\",\"eq\":\"$me\"}", true },
        { "{\"relation\":\"adviser\",\"ne\":\"$me\"}", false },
        { "{\"relation\":\"groups\",\"eq\":\"g2\"}", true },
        { "{\"all\":[]}", true },
        { "{\"any\":[]}", false },
        { "{\"any\":[{\"segment\":\"sleepers\"},{\"all\":[{\"tag\":\"score\",\"gt\":80},{\"not\":{\"trait\":\"age\",\"lt\":20}}]}]}",
          true },
    };
    CHECK(examples);
}

static void events_are_measured(void **state)
{
    (void)state;
    static const struct example examples[] = {
        { "{\"event\":\"Order Paid\"}", true },
        { "{\"event\":\"Order Paid\",\"eq\":3}", true },
        { "{\"event\":\"Order Completed\",\"eq\":1}", true },
        { "{\"event\":\"*\",\"eq\":5}", true },
        { "{\"event\":[\"Order Refunded\",\"Product Added\"],\"eq\":2}", true },
        { "{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"channel\",\"eq\":\"tmall\"},{\"prop\":\"revenue\",\"gte\":10000}],\"last\":\"90d\",\"measure\":\"count\",\"gte\":1}",
          true },
        { "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\",\"eq\":45000}", true },
        { "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\",\"net\":true,\"eq\":35000}",
          true },
        { "{\"event\":\"Order Paid\",\"measure\":\"avg\",\"of\":\"revenue\",\"eq\":15000}", true },
        { "{\"event\":\"Order Paid\",\"measure\":\"min\",\"of\":\"revenue\",\"eq\":5000}", true },
        { "{\"event\":\"Order Paid\",\"measure\":\"distinct\",\"of\":\"products.product_id\",\"eq\":2}",
          true },
        { "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"quantity\",\"eq\":2}", true },
        { "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"rate\",\"eq\":0.5}", true },
        { "{\"event\":\"Order Paid\",\"measure\":\"recency\",\"eq\":1}", true },
        { "{\"event\":\"Order Paid\",\"measure\":\"days\",\"gte\":3}", true },
        { "{\"event\":\"Order Paid\",\"measure\":\"first\",\"of\":\"order_id\",\"eq\":\"a\"}",
          true },
        { "{\"event\":\"Order Paid\",\"measure\":\"last\",\"of\":\"product_id\",\"eq\":\"p2\"}",
          true },
        { "{\"event\":\"Order Paid\",\"measure\":\"first\",\"lt\":\"now-89d\"}", true },
        { "{\"event\":\"Order Paid\",\"nth\":1,\"where\":[{\"prop\":\"channel\",\"eq\":\"tmall\"}]}",
          true },
        { "{\"event\":\"Order Paid\",\"nth\":2,\"where\":[{\"prop\":\"channel\",\"eq\":\"tmall\"}]}",
          false },
        { "{\"event\":\"Order Paid\",\"nth\":-1,\"last\":\"2d\"}", true },
        { "{\"event\":\"Order Paid\",\"nth\":4}", false },
        { "{\"event\":\"Order Paid\",\"during\":{\"from\":\"90d\",\"to\":\"30d\"},\"eq\":1}",
          true },
        { "{\"event\":\"Order Paid\",\"during\":\"since_entering\",\"eq\":1}", true },
        { "{\"event\":\"Order Paid\",\"during\":\"yesterday\",\"eq\":1}", true },
        { "{\"event\":\"Order Paid\",\"during\":\"this_year\",\"eq\":3}", true },
        { "{\"event\":\"Order Paid\",\"during\":\"last_year\",\"eq\":0}", true },
        { "{\"event\":\"App Opened\",\"last\":\"30d\",\"eq\":0}", true },
        { "{\"event\":\"App Opened\",\"measure\":\"recency\",\"gte\":0}", false },
        { "{\"event\":\"Order Paid\",\"where\":{\"any\":[{\"prop\":\"product_id\",\"eq\":\"p1\"},{\"prop\":\"products.product_id\",\"eq\":\"p1\"}]},\"eq\":2}",
          true },
        { "{\"event\":\"Order Paid\",\"where\":[{\"object\":\"product\",\"via\":\"product_id\",\"rule\":{\"tag\":\"hot\",\"eq\":true}}],\"eq\":1}",
          true },
        { "{\"event\":\"Order Paid\",\"where\":[{\"object\":\"product\",\"via\":\"product_id\",\"rule\":{\"object\":\"brand\",\"via\":\"brand_id\",\"rule\":{\"object\":\"owner\",\"via\":\"owner_ids\",\"rule\":{\"prop\":\"name\",\"eq\":\"Wang\"}}}}],\"eq\":1}",
          true },
        { "{\"object\":\"store\",\"via\":\"store\",\"rule\":{\"tag\":\"service\",\"eq\":\"low\"}}",
          true },
        { "{\"sequence\":[{\"event\":\"Product Added\"},{\"event\":\"Order Paid\",\"same\":\"product_id\"}],\"within\":\"2d\"}",
          true },
        { "{\"sequence\":[{\"event\":\"Product Added\"},{\"event\":\"Order Paid\",\"same\":\"product_id\"}],\"within\":\"1d\"}",
          false },
        { "{\"sequence\":[{\"event\":\"Product Added\"},{\"event\":\"Order Paid\",\"same\":\"product_id\",\"absent\":true}],\"within\":\"1d\",\"last\":\"7d\"}",
          true },
        { "{\"sequence\":[{\"event\":\"Product Added\"},{\"event\":\"Order Paid\",\"absent\":true}],\"within\":\"36h\"}",
          false },
        { "{\"sequence\":[{\"event\":\"Order Paid\"},{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"revenue\",\"gt\":{\"step\":0,\"prop\":\"revenue\"}}]}]}",
          true },
        { "{\"sequence\":[{\"event\":\"Order Completed\"},{\"event\":\"Order Refunded\",\"absent\":true},{\"event\":\"Order Paid\"}]}",
          false },
        { "{\"touch\":{\"journey\":\"welcome\"},\"status\":\"delivered\",\"last\":\"7d\",\"measure\":\"count\",\"eq\":1}",
          true },
        { "{\"touch\":{\"journey\":\"other\"},\"eq\":0}", true },
    };
    CHECK(examples);
}

/* An event at exactly the start of a window is in it; a millisecond later it is out. */
static void windows_are_exact(void **state)
{
    (void)state;
    const char *rule =
        "{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"order_id\",\"eq\":\"c\"}],\"last\":\"24h\"}";
    assert_true(world_holds(&world, 0, rule, NOW));
    assert_false(world_holds(&world, 0, rule, NOW + 1));
    assert_true(world_holds(&world, 0, rule, AGO(DAY_MS) + 1));
    assert_false(world_holds(&world, 0, rule, AGO(DAY_MS))); /* not yet: it happens now */
}

static struct rule_answer ask(const char *json, int64_t now_ms)
{
    struct rule *rule = world_rule(&world, json);
    struct history_view view;
    struct rule_answer answer;
    history_read_begin(world.reader);
    history_view_customer(world.reader, world_number(0), &view);
    rule_answer(world.judge, rule, world_number(0), &view, world_facts(&world, 0), now_ms, &answer);
    history_read_end(world.reader);
    rule_free(&rule);
    return answer;
}

static void until_is_the_deciding_event(void **state)
{
    (void)state;
    /* Two of three are enough: the second newest decides. */
    struct rule_answer answer = ask("{\"event\":\"Order Paid\",\"last\":\"100d\",\"gte\":2}", NOW);
    assert_true(answer.holds);
    assert_int_equal(answer.until_ms, AGO(30 * DAY_MS) + 100 * DAY_MS + 1);
    answer = ask("{\"event\":\"Order Paid\",\"last\":\"100d\",\"gte\":4}", NOW);
    assert_false(answer.holds);
    assert_int_equal(answer.until_ms, RULE_FOREVER);
    answer = ask("{\"event\":\"Order Paid\",\"measure\":\"recency\",\"gte\":30}", NOW);
    assert_false(answer.holds);
    assert_int_equal(answer.until_ms, AGO(DAY_MS) + 30 * DAY_MS);
    answer = ask("{\"event\":\"Order Paid\"}", AGO(100 * DAY_MS)); /* still to come */
    assert_false(answer.holds);
    assert_int_equal(answer.until_ms, AGO(90 * DAY_MS) + 1);
}

static void measures_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        enum rule_kind kind;
        int64_t number;
    } examples[] = {
        { "{\"event\":\"Order Paid\"}", RULE_NUMBER, 3000000 },
        { "{\"event\":\"Order Paid\",\"measure\":\"avg\",\"of\":\"revenue\",\"net\":true}",
          RULE_MONEY, 11667 },
        { "{\"event\":\"Order Paid\",\"measure\":\"max\",\"of\":\"revenue\"}", RULE_MONEY, 30000 },
        { "{\"event\":\"Order Paid\",\"measure\":\"last\"}", RULE_TIME, AGO(DAY_MS) },
        { "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"rate\"}", RULE_NUMBER, 500000 },
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct rule *rule;
        enum rule_kind kind;
        struct problem problem = { 0 };
        struct rule_value value;
        int64_t until;
        struct history_view view;
        assert_ok(rule_measure_new(&rule, world_json(&world, str_from_c(examples[i].rule)),
                                   &world.catalogue, &kind, &problem));
        assert_int_equal(kind, examples[i].kind);
        history_read_begin(world.reader);
        history_view_customer(world.reader, world_number(0), &view);
        assert_true(rule_measure(world.judge, rule, world_number(0), &view, world_facts(&world, 0),
                                 NOW, &value, &until));
        history_read_end(world.reader);
        assert_int_equal(value.number, examples[i].number);
        rule_free(&rule);
    }
}

/* A view that lacks what is old is enough for a window that begins behind that, and for nothing else. */
static void what_is_not_in_memory_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        bool partial;
    } examples[] = {
        { "{\"event\":\"Order Paid\",\"last\":\"89d\"}", false },
        { "{\"event\":\"Order Paid\",\"last\":\"91d\"}", true },
        { "{\"event\":\"Order Paid\"}", true },
        { "{\"event\":\"Order Paid\",\"last\":\"1d\",\"nth\":1}", true },
        { "{\"trait\":\"city\",\"eq\":\"上海\"}", false },
        { "{\"any\":[{\"segment\":\"vip\"},{\"event\":\"Order Paid\"}]}", false },
    };
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct rule *rule = world_rule(&world, examples[i].rule);
        struct history_view view;
        struct rule_answer answer;
        history_read_begin(world.reader);
        history_view_customer(world.reader, world_number(0), &view);
        view.complete = false;
        view.whole_from_ms = NOW - 90 * DAY_MS;
        rule_answer(world.judge, rule, world_number(0), &view, world_facts(&world, 0), NOW,
                    &answer);
        history_read_end(world.reader);
        if (answer.partial != examples[i].partial)
            fail_msg("%s", examples[i].rule);
        rule_free(&rule);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_compared), cmocka_unit_test(events_are_measured),
        cmocka_unit_test(windows_are_exact),  cmocka_unit_test(until_is_the_deciding_event),
        cmocka_unit_test(measures_are_told),  cmocka_unit_test(what_is_not_in_memory_is_told),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
