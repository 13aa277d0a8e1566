/* SPDX-License-Identifier: Apache-2.0 */
/* Small cells: what is left of an answer that counts customers. */
#include "support/cmocka.h"

#include <stdio.h>

#include "server/cells.h"

static void expect_cut(const char *answer, int64_t step, const char *expected)
{
    struct json_parser *parser = NULL;
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    json_value root;
    buffer_init(&out, 65536);
    assert_int_equal(json_parser_new(&parser, 65536), ERR_OK);
    assert_int_equal(json_parse(parser, str_from_c(answer), &root, &problem), ERR_OK);
    cells_write(root, step, &out);
    assert_int_equal(buffer_status(&out), ERR_OK);
    buffer_append_byte(&out, '\0');
    assert_string_equal(out.data, expected);
    buffer_deinit(&out);
    json_parser_free(&parser);
}

static void test_counts_are_rounded_down_and_nobody_is_named(void **state)
{
    (void)state;
    expect_cut(
        "{\"count\":4,\"base\":12,\"sample\":[\"c_1\"],\"reachable\":{\"sms\":7},\"rule\":{\"count\":3}}",
        5,
        "{\"count\":0,\"base\":10,\"sample\":[],\"reachable\":{\"sms\":5},\"rule\":{\"count\":3}}");
    expect_cut("{\"pairs\":[[0,1,4],[0,2,9]]}", 5, "{\"pairs\":[[0,2,5]]}");
}

static void test_money_of_few_is_not_shown_and_that_of_many_has_steps(void **state)
{
    (void)state;
    assert_int_equal(cells_money(123456, 4, 5), 0);
    assert_int_equal(cells_money(123456, 0, 5), 0);
    assert_int_equal(cells_money(0, 50, 5), 0);
    assert_int_equal(cells_money(50000, 5, 5), 50000);
    assert_int_equal(cells_money(123456, 10, 5), 100000); /* 61,728 by five: steps of 50,000 */
    assert_int_equal(cells_money(-123456, 10, 5), -100000);
    assert_int_equal(cells_money(INT64_C(9223372036854775807), 5, 5) % 1000000000, 0);
    /* Who comes between two reports is not told by their difference. */
    assert_int_equal(cells_money(1000000, 100, 5), cells_money(1009900, 101, 5));
    for (int64_t people = 5; people < 200; people++) {
        int64_t amount = people * 7919, shown = cells_money(amount, people, 5);
        assert_true(shown > 0 && shown <= amount && amount - shown < INT64_C(5) * 7919);
    }
}

#define GOAL(entered, reached, value) \
    "\"entered\":" #entered ",\"reached\":" #reached ",\"value\":" #value
#define GOALS(journey, control, more)                                                           \
    "{\"goals\":[{\"key\":\"k\",\"name\":\"n\",\"journey\":{" journey "},\"control\":{" control \
    "}," more "\"final_on\":\"2026-11-22T00:00:00Z\"}]}"
#define EXACT                                                                         \
    "\"lift\":{\"difference\":0.1234,\"low\":0.1,\"high\":0.2,\"significant\":true}," \
    "\"value_per_customer\":{\"difference\":77.7,\"low\":-22.3,\"high\":177.7,\"significant\":false},"

static void test_goals_of_a_report_tell_neither_few_nor_what_they_brought(void **state)
{
    (void)state;
    expect_cut(GOALS(GOAL(4, 3, 45600), GOAL(1, 1, 9900), EXACT), 5,
               GOALS(GOAL(0, 0, 0), GOAL(0, 0, 0), ""));
    /* three of the control group: their money is not told by the interval either */
    expect_cut(GOALS(GOAL(13, 11, 123456), GOAL(12, 3, 9900), EXACT), 5,
               GOALS(GOAL(10, 10, 100000), GOAL(10, 0, 0),
                     "\"lift\":{\"difference\":1,\"low\":1,\"high\":1,\"significant\":true},"));
    expect_cut("{\"nodes\":[{\"node\":\"a\",\"sent\":7,\"clicked\":4,\"timed_out\":9}]}", 5,
               "{\"nodes\":[{\"node\":\"a\",\"sent\":5,\"clicked\":0,\"timed_out\":5}]}");
}

static void test_money_of_a_simulation_is_cut_with_its_counts(void **state)
{
    (void)state;
    expect_cut(
        "{\"money\":{\"amount\":133456,\"kinds\":[{\"kind\":\"coupon\",\"count\":10,\"amount\":"
        "123456},{\"kind\":\"sms\",\"count\":1,\"amount\":10000}]}}",
        5,
        "{\"money\":{\"amount\":100000,\"kinds\":[{\"kind\":\"coupon\",\"count\":10,\"amount\":"
        "100000}]}}");
}

static void test_a_simulation_tells_nobody_by_advisers_budgets_pools_or_lines(void **state)
{
    (void)state;
    expect_cut(
        "{\"advisers\":{\"by_day\":[{\"day\":\"2026-11-01\",\"tasks\":3,\"minutes\":9,\"over_"
        "capacity\":2,\"put_off\":1},{\"day\":\"2026-11-02\",\"tasks\":12,\"minutes\":36,\"over_"
        "capacity\":7,\"put_off\":4}],\"tasks\":15,\"minutes\":45,\"tasks_per_day\":5,\"days_over_"
        "capacity\":2,\"put_off\":4,\"not_done\":1,\"longest_wait_days\":3}}",
        5,
        "{\"advisers\":{\"by_day\":[{\"day\":\"2026-11-02\",\"tasks\":10,\"minutes\":30,\"over_"
        "capacity\":5,\"put_off\":0}],\"tasks\":15,\"minutes\":40,\"tasks_per_day\":5,\"days_over_"
        "capacity\":1,\"put_off\":0,\"not_done\":0,\"longest_wait_days\":0}}");
    /* two coupons of ten yuan among a hundred texts: what is spent does not say that there were two */
    expect_cut(
        "{\"result\":{\"money\":{\"kinds\":[{\"kind\":\"sms\",\"count\":100,\"amount\":500},{\"kind\":"
        "\"coupon\",\"count\":2,\"amount\":2000}],\"amount\":2500,\"by_day\":[{\"day\":\"1\",\"count\":3,\"amount\":1005},{\"day\":\"2\",\"count\":99,\"amount\":1495}]},\"budgets\":[{\"name\":\"b\",\"per\":"
        "\"day\",\"amount\":1000,\"spent\":2000,\"spent_most\":1000,\"used_up\":2},{\"name\":\"c\",\"per\":"
        "\"total\",\"amount\":900000,\"spent\":12345,\"spent_most\":12345,\"used_up\":0}],\"coupon_"
        "pools\":[{\"key\":\"p\",\"given\":7,\"left\":93}]}}",
        5,
        "{\"result\":{\"money\":{\"kinds\":[{\"kind\":\"sms\",\"count\":100,\"amount\":500}],"
        "\"amount\":500,\"by_day\":[{\"day\":\"2\",\"count\":95,\"amount\":0}]},\"budgets\":[{\"name\":\"b\",\"per\":\"day\",\"amount\":1000,\"spent\":0,\"spent_"
        "most\":0,\"used_up\":0},{\"name\":\"c\",\"per\":\"total\",\"amount\":900000,\"spent\":10000,"
        "\"spent_most\":10000,\"used_up\":0}],\"coupon_pools\":[{\"key\":\"p\",\"given\":5,\"left\":"
        "95}]}}");
    expect_cut(
        "{\"held\":[{\"node\":\"a\",\"reason\":\"restricted\",\"count\":1},{\"node\":\"b\",\"reason\":"
        "\"quiet_hours\",\"count\":8}],\"caps\":[{\"reason\":\"budget\",\"touches\":2,\"customers\":2}]}",
        5, "{\"held\":[{\"node\":\"b\",\"reason\":\"quiet_hours\",\"count\":5}],\"caps\":[]}");
}

static void test_takings_of_the_day_and_links_are_cut(void **state)
{
    (void)state;
    expect_cut(
        "{\"orders\":7,\"revenue\":[{\"currency\":\"CNY\",\"orders\":7,\"net\":70123,\"refunded\":11}]}",
        5,
        "{\"orders\":5,\"revenue\":[{\"currency\":\"CNY\",\"orders\":5,\"net\":50000,\"refunded\":10}]}");
    expect_cut("{\"items\":[{\"channel\":\"tmall\",\"customers\":13,\"linked\":4,\"rate\":0.31}]}",
               5, "{\"items\":[{\"channel\":\"tmall\",\"customers\":10,\"linked\":0,\"rate\":0}]}");
}

static const char line[] =
    "{\"kind\":\"tag\",\"key\":\"k\",\"value\":\"v\",\"count\":%d,\"base\":40,\"z\":2.5,\"significant\":true}";

static bool stands(int count, int size)
{
    char answer[512], text[256];
    struct json_parser *parser = NULL;
    struct problem problem = { .error = ERR_OK };
    struct buffer out;
    json_value root;
    snprintf(text, sizeof text, line, count);
    snprintf(answer, sizeof answer, "{\"count\":%d,\"base\":100,\"lines\":[%s]}", size, text);
    buffer_init(&out, 65536);
    assert_int_equal(json_parser_new(&parser, 65536), ERR_OK);
    assert_int_equal(json_parse(parser, str_from_c(answer), &root, &problem), ERR_OK);
    cells_write(root, 5, &out);
    bool found = str_contains(buffer_str(&out), STR("\"kind\":\"tag\""));
    buffer_deinit(&out);
    json_parser_free(&parser);
    return found;
}

static void test_a_line_of_few_or_of_all_but_few_is_left_out(void **state)
{
    (void)state;
    assert_false(stands(4, 50));
    assert_true(stands(5, 50));
    assert_true(stands(45, 50));
    assert_false(stands(46, 50)); /* four that are not: whoever asks would know them */
    assert_false(stands(49, 50));
    assert_true(stands(50, 50));
    assert_false(stands(50, 53));
    assert_true(stands(48, 53));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_are_rounded_down_and_nobody_is_named),
        cmocka_unit_test(test_money_of_few_is_not_shown_and_that_of_many_has_steps),
        cmocka_unit_test(test_goals_of_a_report_tell_neither_few_nor_what_they_brought),
        cmocka_unit_test(test_money_of_a_simulation_is_cut_with_its_counts),
        cmocka_unit_test(test_a_simulation_tells_nobody_by_advisers_budgets_pools_or_lines),
        cmocka_unit_test(test_takings_of_the_day_and_links_are_cut),
        cmocka_unit_test(test_a_line_of_few_or_of_all_but_few_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
