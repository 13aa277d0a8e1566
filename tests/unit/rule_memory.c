/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that runs out: every allocation of making and judging fails in turn; nothing is lost, nothing wrong is said. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "support/oracle_world.h"

#define NOW INT64_C(1781748000000)

static struct world world;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, NULL);
    world_load(
        &world,
        STR("{\"objects\":{\"product\":{\"p1\":{\"tag:hot\":true}}},\"customers\":[{\"traits\":{\"city\":"
            "\"x\"},\"events\":[{\"type\":\"Order Paid\",\"channel\":\"web\",\"time\":1781600000000,\"seq\":1,"
            "\"props\":{\"order_id\":\"a\",\"revenue\":10000,\"city\":\"上海\",\"product_id\":\"p1\"}},"
            "{\"type\":\"Order Paid\",\"channel\":\"web\",\"time\":1781610000000,\"seq\":2,\"props\":"
            "{\"order_id\":\"b\",\"revenue\":500,\"city\":\"杭州\",\"product_id\":\"p1\"}}]}]}"));
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static const char *const rules[] = {
    "{\"all\":[{\"trait\":\"city\",\"in\":[\"a\",\"x\"]},{\"event\":\"Order Paid\",\"last\":\"90d\",\"gte\":2}]}",
    "{\"event\":\"Order Paid\",\"measure\":\"distinct\",\"of\":\"city\",\"where\":[{\"prop\":\"city\","
    "\"contains\":\"州\"}],\"eq\":1}",
    "{\"event\":\"Order Paid\",\"net\":true,\"measure\":\"sum\",\"of\":\"revenue\",\"eq\":10500}",
    "{\"sequence\":[{\"event\":\"Order Paid\"},{\"event\":\"Order Paid\",\"same\":\"product_id\"}]}",
    "{\"event\":\"Order Paid\",\"where\":{\"object\":\"product\",\"via\":\"product_id\",\"rule\":{\"tag\":"
    "\"hot\",\"eq\":true}},\"eq\":2}",
    "{\"trait\":\"city\",\"matches\":\"^x$\"}",
};

/* True when the fault was not reached: all allocations have had their turn. */
static bool try_with_fault(const char *text, uint64_t nth)
{
    struct rule *rule = NULL;
    struct problem problem = { 0 };
    struct rule_judge *judge = NULL;
    struct history_view view;
    struct rule_answer answer;
    json_value json = world_json(&world, str_from_c(text));
    history_read_begin(world.reader);
    history_view_customer(world.reader, world_number(0), &view);
    fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, false);
    err error = rule_new(&rule, json, &world.catalogue, &problem);
    if (error == ERR_OK)
        error = rule_judge_new(&judge);
    if (error == ERR_OK) {
        rule_answer(judge, rule, world_number(0), &view, world_facts(&world, 0), NOW, &answer);
        error = rule_judge_status(judge);
        bool starved = error != ERR_OK;
        bool reached = fault_count(FAULT_MEMORY) >= nth;
        fault_disarm();
        if (starved) /* asked again, it says what is so */
            rule_answer(judge, rule, world_number(0), &view, world_facts(&world, 0), NOW, &answer);
        history_read_end(world.reader);
        assert_ok(rule_judge_status(judge));
        assert_true(answer.holds);
        rule_judge_free(&judge);
        rule_free(&rule);
        return !reached;
    }
    fault_disarm();
    history_read_end(world.reader);
    if (error != ERR_NOMEM)
        fail_msg("%s: %s instead of out of memory (%s)", text, err_code(error), problem.detail);
    rule_judge_free(&judge);
    rule_free(&rule);
    return false;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        uint64_t nth = 1;
        while (!try_with_fault(rules[i], nth)) {
            nth++;
            assert_true(nth < 5000);
        }
        assert_true(nth > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
