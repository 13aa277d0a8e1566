/* SPDX-License-Identifier: Apache-2.0 */
/* A rule in words and in its normal form; why it holds; the language as data. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/oracle_world.h"

#define NOW INT64_C(1781748000000) /* 2026-06-18 10:00 in Shanghai */

static struct world world;

static int open_world(void **state)
{
    (void)state;
    world_open(&world, NULL);
    world_load(
        &world,
        STR("{\"customers\":[{\"traits\":{\"city\":\"上海\",\"age\":29.5},\"tags\":{},"
            "\"events\":[{\"type\":\"Order Paid\",\"channel\":\"tmall\",\"time\":1781600000000,"
            "\"seq\":11,\"props\":{\"revenue\":10000}},{\"type\":\"Order Paid\",\"channel\":"
            "\"web\",\"time\":1781700000000,\"seq\":12,\"props\":{\"revenue\":2550}}]}]}"));
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

struct words {
    const char *rule, *zh, *en, *normal;
};

static const struct words examples[] = {
    { "{\"trait\":\"city\",\"in\":[\"上海\",\"杭州\"]}", "city 属于“上海”、“杭州”",
      "city is one of \"上海\", \"杭州\"", NULL },
    { "{\"tag\":\"score\",\"gte\":80.50}", "标签 score 大于等于80.5", "tag score is at least 80.5",
      "{\"tag\":\"score\",\"gte\":80.5}" },
    { "{\"event\":\"Order Paid\",\"last\":\"90d\",\"measure\":\"count\",\"gte\":2}",
      "近90天支付订单至少2次", "paid an order at least 2 times in the last 90 days",
      "{\"event\":\"Order Paid\",\"last\":\"90d\",\"gte\":2}" },
    { "{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"channel\",\"eq\":\"tmall\"},{\"prop\":"
      "\"revenue\",\"gte\":10000}],\"last\":\"1d\"}",
      "近1天支付订单（channel 等于“tmall”，且revenue 大于等于100.00）过",
      "paid an order (with channel is \"tmall\", and revenue is at least 100.00) in the last 1 day",
      NULL },
    { "{\"event\":\"Product Added\",\"during\":\"this_month\",\"eq\":0}", "本月没有加购",
      "never added a product to the cart this month", NULL },
    { "{\"event\":\"Order Paid\",\"during\":{\"from\":\"90d\",\"to\":\"30d\"},\"measure\":\"sum\","
      "\"of\":\"revenue\",\"net\":true,\"between\":[50000,200000]}",
      NULL, NULL, NULL },
    { "{\"any\":[{\"segment\":\"vip\"},{\"not\":{\"consent\":\"sms\"}}]}",
      "在人群“vip”中，或不满足（同意 sms）", "is in the segment \"vip\", or not (agreed to sms)",
      NULL },
    { "{\"trait\":\"birthday\",\"anniversary\":\"in 7d\"}", "birthday 周年日在7天后",
      "birthday has its anniversary in 7 days", NULL },
    { "{\"sequence\":[{\"event\":\"Product Added\"},{\"event\":\"Order Paid\",\"same\":\"product_id\","
      "\"absent\":true}],\"within\":\"1d\",\"last\":\"7d\"}",
      "近7天，先加购，之后没有支付订单（同一product_id），在1天内",
      "added a product to the cart, then not paid an order (the same product_id), within 1 day, in the "
      "last 7 days",
      NULL },
    { "{\"relation\":\"adviser\",\"eq\":\"$me\"}", "关系 adviser 等于我", "adviser is me", NULL },
    { "{\"event\":\"Order Paid\",\"where\":{\"object\":\"product\",\"via\":\"product_id\",\"rule\":"
      "{\"tag\":\"hot\",\"eq\":true}}}",
      NULL, NULL, NULL },
    { "{\"touch\":{\"journey\":\"welcome\"},\"status\":\"delivered\",\"last\":\"7d\",\"eq\":0}",
      NULL, NULL, NULL },
    { "{\"event\":\"Order Paid\",\"nth\":1,\"during\":\"this_year\"}", "今年首次支付订单", NULL,
      NULL },
    { "{\"trait\":\"birthday\",\"lt\":\"now-18y\"}", "birthday 早于18年前",
      "birthday is before 18 years ago", NULL },
};

static void check_words(const struct words *words)
{
    struct rule *rule = world_rule(&world, words->rule);
    struct buffer text;
    buffer_init(&text, 1 << 16);
    rule_sentence(rule, STR("zh"), &text);
    if (words->zh != NULL)
        assert_str_equal(buffer_str(&text), str_from_c(words->zh));
    assert_true(text.size > 0);
    buffer_clear(&text);
    rule_sentence(rule, STR("en"), &text);
    if (words->en != NULL)
        assert_str_equal(buffer_str(&text), str_from_c(words->en));
    assert_true(text.size > 0);
    buffer_clear(&text);
    rule_write(rule, &text);
    assert_str_equal(buffer_str(&text),
                     str_from_c(words->normal != NULL ? words->normal : words->rule));
    buffer_deinit(&text);
    rule_free(&rule);
}

static void rules_read_well(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        check_words(&examples[i]);
}

static void why_is_told(void **state)
{
    (void)state;
    struct rule *rule = world_rule(
        &world,
        "{\"all\":[{\"trait\":\"age\",\"gt\":20},{\"not\":{\"tag\":\"score\"}},{\"event\":"
        "\"Order Paid\",\"last\":\"30d\",\"measure\":\"sum\",\"of\":\"revenue\",\"gte\":12550}]}");
    struct history_view view;
    struct buffer out;
    buffer_init(&out, 1 << 16);
    history_read_begin(world.reader);
    history_view_customer(world.reader, world_number(0), &view);
    rule_explain(world.judge, rule, world_number(0), &view, world_facts(&world, 0), NOW, &out);
    history_read_end(world.reader);
    assert_str_equal(
        buffer_str(&out),
        STR("{\"holds\":true,\"until\":\"2026-07-16T08:53:20.001Z\",\"conditions\":["
            "{\"path\":\"/all/0\",\"holds\":true,\"value\":29.5,\"compared\":{\"gt\":20},\"until\":null,"
            "\"sentence\":{\"zh\":\"age 大于20\",\"en\":\"age is more than 20\"}},"
            "{\"path\":\"/all/1/not\",\"holds\":false,\"value\":null,\"compared\":{\"is_set\":true},"
            "\"until\":null,\"sentence\":{\"zh\":\"标签 score 有值\",\"en\":\"tag score is set\"}},"
            "{\"path\":\"/all/2\",\"holds\":true,\"value\":12550,\"compared\":{\"gte\":12550},\"events\":"
            "[11,12],\"event_count\":2,\"until\":\"2026-07-16T08:53:20.001Z\",\"sentence\":{\"zh\":"
            "\"近30天支付订单的revenue总和大于等于125.50\",\"en\":\"the total revenue when she paid an "
            "order in the last 30 days is at least 125.50\"}}],\"sentence\":{\"zh\":\"age "
            "大于20，且不满足（标签 score 有值），且近30天支付订单的revenue总和大于等于125.50\",\"en\":\"age "
            "is more than 20, and not (tag score is set), and the total revenue when she paid an order in "
            "the last 30 days is at least 125.50\"}}"));
    buffer_deinit(&out);
    rule_free(&rule);
}

/* All that the table of operators has stands in the catalogue, with both labels, and is JSON. */
static void the_language_is_data(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1 << 20);
    rule_write_catalogue(&out);
    json_value root = world_json(&world, buffer_str(&out));
    static const char *const lists[] = { "forms", "operators", "measures", "windows", "units" };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct json_iterator iterator = json_iterate(json_get(root, str_from_c(lists[i])));
        json_value item;
        size_t count = 0;
        while (json_next(&iterator, NULL, &item)) {
            json_value label = json_get(item, STR("label"));
            assert_true(json_text(json_get(label, STR("zh"))).size > 0);
            assert_true(json_text(json_get(label, STR("en"))).size > 0);
            count++;
        }
        assert_true(count >= 6);
    }
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_read_well),
        cmocka_unit_test(why_is_told),
        cmocka_unit_test(the_language_is_data),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
