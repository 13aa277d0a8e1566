/* SPDX-License-Identifier: Apache-2.0 */
/* What is no rule: each refused with its place, the reason and what to do. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/oracle_world.h"

static struct world world;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, NULL);
    world_load(
        &world,
        STR("{\"customers\":[{\"traits\":{\"city\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"},"
            "\"events\":[]}]}"));
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static const struct {
    const char *rule, *pointer, *detail, *hint; /* parts of them */
} examples[] = {
    { "{}", "", "empty", "begins with" },
    { "[]", "", "has to be an object", "" },
    { "{\"trait\":\"citty\",\"eq\":\"x\"}", "/trait", "there is no trait 'citty'", "'city'" },
    { "{\"all\":[{\"trait\":\"city\"},{\"event\":\"Order Payd\"}]}", "/all/1/event",
      "no event 'Order Payd'", "'Order Paid'" },
    { "{\"not\":{\"tag\":\"skin_typ\",\"eq\":\"x\"}}", "/not/tag", "no tag 'skin_typ'",
      "'skin_type'" },
    { "{\"segment\":\"vips\"}", "/segment", "no segment 'vips'", "'vip'" },
    { "{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"revenu\",\"gt\":1}]}", "/where/0/prop",
      "no property 'revenu'", "'revenue'" },
    { "{\"event\":\"App Opened\",\"measure\":\"sum\",\"of\":\"revenue\",\"gt\":1}", "/of",
      "no property 'revenue'", "" },
    { "{\"trait\":\"city\",\"gt\":\"x\"}", "/gt", "'gt' does not apply", "possible are: eq ne" },
    { "{\"trait\":\"age\",\"eq\":\"x\"}", "/eq", "is a number", "compare with a number" },
    { "{\"trait\":\"age\",\"eq\":0.1234567}", "/eq", "is a number", "six decimals" },
    { "{\"trait\":\"balance\",\"eq\":129.5}", "/eq", "is a money", "minor units" },
    { "{\"trait\":\"birthday\",\"lt\":\"yesteryear\"}", "/lt", "is a time", "now-30d" },
    { "{\"trait\":\"birthday\",\"anniversary\":\"soon\"}", "/anniversary", "anniversary", "in 7d" },
    { "{\"trait\":\"vip\",\"in\":[true]}", "/in", "'in' does not apply", "" },
    { "{\"trait\":\"age\",\"eq\":1,\"gt\":0}", "/gt", "two comparisons", "between" },
    { "{\"trait\":\"age\",\"between\":[3,1]}", "/between", "smaller value first", "" },
    { "{\"trait\":\"age\",\"in\":[]}", "/in", "takes a list", "" },
    { "{\"trait\":\"age\",\"is_set\":false}", "/is_set", "true alone", "" },
    { "{\"trait\":\"age\",\"lts\":4}", "/lts", "'lts' means nothing", "'lt'" },
    { "{\"trait\":\"age\",\"tag\":\"score\"}", "", "cannot stand in one rule", "all" },
    { "{\"prop\":\"revenue\",\"gt\":1}", "/prop", "cannot stand here", "where" },
    { "{\"event\":\"Order Paid\",\"where\":{\"trait\":\"age\"}}", "/where/trait", "in the 'where'",
      "prop" },
    { "{\"event\":\"Order Paid\",\"last\":\"0d\"}", "/last", "window of nothing", "" },
    { "{\"event\":\"Order Paid\",\"last\":\"200y\"}", "/last", "longer than 3660 days",
      "leave the window" },
    { "{\"event\":\"Order Paid\",\"last\":\"4000d\"}", "/last", "longer than", "" },
    { "{\"event\":\"Order Paid\",\"last\":\"soon\"}", "/last", "length of time", "90d" },
    { "{\"event\":\"Order Paid\",\"during\":\"this_mont\"}", "/during", "no window",
      "'this_month'" },
    { "{\"event\":\"Order Paid\",\"during\":{\"from\":\"30d\",\"to\":\"90d\"}}", "/during",
      "ends before", "" },
    { "{\"event\":\"Order Paid\",\"last\":\"1d\",\"during\":\"today\"}", "/last", "two windows",
      "" },
    { "{\"event\":\"Order Paid\",\"measure\":\"totl\"}", "/measure", "no measure", "" },
    { "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"gt\":1}", "/of", "needs 'of'", "" },
    { "{\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"city\",\"gt\":1}", "/of",
      "cannot be taken", "" },
    { "{\"event\":\"Order Paid\",\"of\":\"revenue\"}", "/of", "measures no property", "" },
    { "{\"event\":\"Product Added\",\"net\":true}", "/net", "paid orders", "" },
    { "{\"event\":\"Order Paid\",\"nth\":0}", "/nth", "'nth'", "-1 the last" },
    { "{\"event\":[]}", "/event", "0 values", "" },
    { "{\"event\":7}", "/event", "a text", "" },
    { "{\"relation\":\"adviser\",\"gt\":\"$me\"}", "/gt", "'gt' does not apply", "" },
    { "{\"trait\":\"city\",\"eq\":\"$me\"}", "/eq", "relations only", "adviser" },
    { "{\"sequence\":[{\"event\":\"Order Paid\"}]}", "/sequence", "2 to 10 steps", "" },
    { "{\"sequence\":[{\"event\":\"Order Paid\",\"absent\":true},{\"event\":\"Order Paid\"}]}",
      "/sequence/0/absent", "first step cannot be absent", "" },
    { "{\"sequence\":[{\"event\":\"Order Paid\"},{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"revenue\","
      "\"gt\":{\"step\":1,\"prop\":\"revenue\"}}]}]}",
      "/sequence/1/where/0/gt", "earlier step", "" },
    { "{\"sequence\":[{\"event\":\"Order Paid\"},{\"event\":\"Order Paid\"}],\"within\":\"1M\"}",
      "/within", "months", "days" },
    { "{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"revenue\",\"gt\":{\"step\":0,\"prop\":\"revenue\"}}]}",
      "/where/0/gt", "only in a sequence", "" },
    { "{\"object\":\"shop\",\"via\":\"store\",\"rule\":{\"prop\":\"city\"}}", "/object",
      "no object 'shop'", "" },
    { "{\"object\":\"store\",\"via\":\"age\",\"rule\":{\"prop\":\"city\"}}", "/via", "is a number",
      "" },
    { "{\"object\":\"store\",\"via\":\"store\",\"rule\":{\"prop\":\"colour\"}}", "/rule/prop",
      "no property of a store 'colour'", "" },
    { "{\"object\":\"store\",\"via\":\"store\"}", "", "'rule' says", "" },
    { "{\"touch\":{},\"status\":\"deliverd\"}", "/status", "no status 'deliverd'", "'delivered'" },
    { "{\"touch\":{},\"measure\":\"sum\",\"of\":\"x\"}", "/of", "", "" },
    { "{\"event\":\"Order Paid\",\"during\":{\"since_entering\":{\"segment\":\"vipp\"}}}",
      "/during/since_entering/segment", "no segment 'vipp'", "vip" },
    { "{\"event\":\"Order Paid\",\"during\":{\"since_entering\":{\"list\":\"vip\"}}}",
      "/during/since_entering/list", "means nothing", "" },
    { "{\"trait\":\"city\",\"matches\":\"(a\"}", "/matches", "cannot be read", "" },
    { "{\"trait\":\"city\",\"matches\":\"(a+)+$\"}", "/matches", "takes too long", "" },
    { "{\"trait\":\"city\",\"matches\":\"^([a-zA-Z0-9]+\\\\s?)*$\"}", "/matches", "takes too long",
      "" },
    { "{\"trait\":\"city\",\"matches\":\"^(x|xx)+y$\"}", "/matches", "takes too long", "" },
};

static void check_refused(const char *json, const char *pointer, const char *detail,
                          const char *hint)
{
    struct rule *rule = NULL;
    struct problem problem = { 0 };
    err error = rule_new(&rule, world_json(&world, str_from_c(json)), &world.catalogue, &problem);
    if (error != ERR_UNPROCESSABLE)
        fail_msg("%.200s was not refused (%s)", json, err_code(error));
    assert_null(rule);
    if (strcmp(problem.pointer, pointer) != 0 || strstr(problem.detail, detail) == NULL ||
        strstr(problem.hint, hint) == NULL)
        fail_msg("%.200s: '%s' at '%s', hint '%s'", json, problem.detail, problem.pointer,
                 problem.hint);
}

static void each_is_told_clearly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        check_refused(examples[i].rule, examples[i].pointer, examples[i].detail, examples[i].hint);
}

/* What is ordinary is not refused. */
static void ordinary_patterns_are_fine(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "^1[3-9][0-9]{9}$",
        "(上海|杭州)市?",
        "[0-9]+-[0-9]+",
        ".*tea.*",
        "^[^@]+@[^@]+[.][a-z]+$",
        "^(VIP|SVIP)-[A-Z]{2}[0-9]*$",
        "(?i)sale",
        "^.{2,10}$",
        "a+b*c?",
    };
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        char json[200];
        snprintf(json, sizeof(json), "{\"trait\":\"city\",\"matches\":\"%s\"}", patterns[i]);
        struct rule *rule = world_rule(&world, json);
        rule_free(&rule);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    struct buffer json;
    struct rule *rule;
    struct problem problem = { 0 };
    buffer_init(&json, 1 << 20);
    /* 10,000 values are fine, one more is not. */
    for (int extra = 0; extra < 2; extra++) {
        buffer_clear(&json);
        buffer_printf(&json, "{\"trait\":\"city\",\"in\":[\"x\"");
        for (int i = 1; i < RULE_LIST_MAX + extra; i++)
            buffer_printf(&json, ",\"v%d\"", i);
        buffer_printf(&json, "]}");
        err error =
            rule_new(&rule, world_json(&world, buffer_str(&json)), &world.catalogue, &problem);
        assert_err(error, extra == 0 ? ERR_OK : ERR_UNPROCESSABLE);
        if (extra == 0)
            rule_free(&rule);
    }
    assert_non_null(strstr(problem.detail, "10001"));
    /* 5,000 long values: the text of them all is too much. */
    struct buffer long_values;
    buffer_init(&long_values, 8 << 20);
    buffer_printf(&long_values, "{\"trait\":\"city\",\"in\":[\"x\"");
    for (int i = 0; i < 5000; i++)
        buffer_printf(&long_values, ",\"%0900d\"", i);
    buffer_printf(&long_values, "]}");
    assert_err(
        rule_new(&rule, world_json(&world, buffer_str(&long_values)), &world.catalogue, &problem),
        ERR_UNPROCESSABLE);
    assert_non_null(strstr(problem.detail, "more than 4194304 bytes"));
    assert_string_equal(problem.pointer, "/in");
    buffer_deinit(&long_values);
    /* Depth. */
    for (int depth = RULE_DEPTH_MAX - 1; depth <= 50; depth += 50 - RULE_DEPTH_MAX + 1) {
        buffer_clear(&json);
        for (int i = 0; i < depth; i++)
            buffer_printf(&json, "{\"not\":");
        buffer_printf(&json, "{\"segment\":\"vip\"}");
        for (int i = 0; i < depth; i++)
            buffer_printf(&json, "}");
        err error =
            rule_new(&rule, world_json(&world, buffer_str(&json)), &world.catalogue, &problem);
        assert_err(error, depth < RULE_DEPTH_MAX ? ERR_OK : ERR_UNPROCESSABLE);
        if (error == ERR_OK)
            rule_free(&rule);
    }
    assert_non_null(strstr(problem.detail, "levels deep"));
    /* Conditions. */
    buffer_clear(&json);
    buffer_printf(&json, "{\"any\":[{\"all\":[{\"segment\":\"vip\"}");
    for (int i = 1; i < 300; i++)
        buffer_printf(&json, ",{\"segment\":\"vip\"}");
    buffer_printf(&json, "]},{\"all\":[{\"segment\":\"vip\"}");
    for (int i = 1; i < 300; i++)
        buffer_printf(&json, ",{\"segment\":\"vip\"}");
    buffer_printf(&json, "]}]}");
    assert_err(rule_new(&rule, world_json(&world, buffer_str(&json)), &world.catalogue, &problem),
               ERR_UNPROCESSABLE);
    assert_non_null(strstr(problem.detail, "more than 500 conditions"));
    /* A pattern of 600 bytes. */
    buffer_clear(&json);
    buffer_printf(&json, "{\"trait\":\"city\",\"matches\":\"");
    for (int i = 0; i < 600; i++)
        buffer_printf(&json, "a");
    buffer_printf(&json, "\"}");
    assert_err(rule_new(&rule, world_json(&world, buffer_str(&json)), &world.catalogue, &problem),
               ERR_UNPROCESSABLE);
    buffer_deinit(&json);
}

/* A million events of one customer in a sequence that never ends well: still an answer, and soon. */
static void a_million_events_hold_nobody_up(void **state)
{
    (void)state;
    enum { COUNT = 1000000 };
    struct history_row *rows = memory_alloc(COUNT * sizeof(*rows));
    struct history_value value = {
        .column = history_column_find(world.history, STR("product_id"), COLUMN_TEXT),
        .text = STR("p1"),
    };
    assert_non_null(rows);
    for (size_t i = 0; i < COUNT; i++)
        rows[i] = (struct history_row){
            .node = 4,
            .seq = i + 1,
            .time_ms = INT64_C(1700000000000) + (int64_t)i,
            .type = i % 2 == 0 ? STR("Product Added") : STR("Order Paid"),
            .values = &value,
            .value_count = i % 2 == 0,
        };
    struct rule *rule = world_rule(
        &world, "{\"sequence\":[{\"event\":\"Product Added\"},{\"event\":\"Order Paid\",\"same\":"
                "\"product_id\"}]}");
    struct history_view view;
    struct rule_answer answer;
    steady_ns start = steady_now();
    history_read_begin(world.reader);
    assert_ok(history_view_rows(world.reader, rows, COUNT, &view));
    assert_int_equal(view.count, COUNT);
    rule_answer(world.judge, rule, 4, &view, world_facts(&world, 0), INT64_C(1800000000000),
                &answer);
    history_read_end(world.reader);
    assert_ok(rule_judge_status(world.judge));
    assert_false(answer.holds);
    print_message("%lld ms\n", (long long)steady_since_ms(start));
    rule_free(&rule);
    memory_free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_told_clearly),
        cmocka_unit_test(ordinary_patterns_are_fine),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_million_events_hold_nobody_up),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
