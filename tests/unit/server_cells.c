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
        cmocka_unit_test(test_a_line_of_few_or_of_all_but_few_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
