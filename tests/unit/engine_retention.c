/* SPDX-License-Identifier: Apache-2.0 */
/* P9: what a policy says, what it may not say, and which events it takes. */
#include "support/cmocka.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "engine/retention.h"

static struct json_parser *parser;

static json_value parse(const char *text)
{
    json_value value;
    assert_ok(json_parse(parser, str_from_c(text), &value, NULL));
    return value;
}

static void test_p9_policies_that_cannot_be(void **state)
{
    static const char *const refused[][2] = {
        { "[]", "" },
        { "{\"everything\":30}", "/everything" },
        { "{\"audit\":179}", "/audit" },
        { "{\"audit\":-1}", "/audit" },
        { "{\"audit\":\"200\"}", "/audit" },
        { "{\"log\":0}", "/log" },
        { "{\"visitors\":29}", "/visitors" },
        { "{\"touches\":40000}", "/touches" },
        { "{\"events\":30}", "/events" },
        { "{\"events\":{\"Page Viewed\":29}}", "/events/Page Viewed" },
        { "{\"events\":{\"\":90}}", "/events/" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct problem problem = { .error = ERR_OK };
        if (retention_check(parse(refused[i][0]), &problem) != ERR_UNPROCESSABLE)
            fail_msg("%s is taken", refused[i][0]);
        assert_string_equal(problem.pointer, refused[i][1]);
    }
    assert_ok(retention_check(parse("{}"), NULL));
    assert_ok(retention_check(parse("{\"audit\":180,\"log\":1,\"visitors\":0,"
                                    "\"events\":{\"*\":30,\"Order Paid\":0}}"),
                              NULL));
}

static void test_p9_what_is_missing_is_the_default(void **state)
{
    (void)state;
    json_value policy = parse("{\"audit\":200,\"events\":{\"Page Viewed\":90}}");
    assert_int_equal(retention_days(policy, RETENTION_AUDIT), 200);
    assert_int_equal(retention_days(policy, RETENTION_LOG), 3);
    assert_int_equal(retention_days(policy, RETENTION_EVENTS), 0);
    assert_int_equal(retention_days(parse("{\"events\":{\"*\":400}}"), RETENTION_EVENTS), 400);
}

static void assert_condition(const char *policy, const char *expected)
{
    struct buffer sql;
    buffer_init(&sql, 1 << 20);
    bool any = retention_write_condition(parse(policy), 1000 * DAY_MS, 7, &sql);
    assert_int_equal(any, expected[0] != '\0');
    assert_str_equal(buffer_str(&sql), str_from_c(expected));
    buffer_deinit(&sql);
}

/* Types of their own days are none of the others, also when they are kept; names are texts, whatever is in them. */
static void test_p9_which_events_go(void **state)
{
    (void)state;
    assert_condition("{}", "");
    assert_condition("{\"events\":{\"A\":0}}", "");
    assert_condition("{\"events\":{\"A\":100}}",
                     "((type = 'A' AND time_ms < 77760000000)) AND seq <= 7");
    assert_condition("{\"events\":{\"A\":0,\"*\":100}}",
                     "((type NOT IN ('A') AND time_ms < 77760000000)) AND seq <= 7");
    assert_condition("{\"events\":{\"*\":100}}", "(( time_ms < 77760000000)) AND seq <= 7");
    assert_condition(
        "{\"events\":{\"A\":100,\"it's\\\\\":900,\"*\":100}}",
        "((type = 'A' AND time_ms < 77760000000) OR (type = 'it\\'s\\\\' AND time_ms < "
        "8640000000) OR (type NOT IN ('A','it\\'s\\\\') AND time_ms < 77760000000)) AND "
        "seq <= 7");
}

/* Nodes below the place are done, the others are still whole; a run that takes no events leaves nothing out. */
static void test_p9_what_is_taken_so_far_is_not_loaded(void **state)
{
    struct expiry expiry = { .number = 0 };
    struct buffer sql;
    (void)state;
    buffer_init(&sql, 1 << 20);
    expiry_write_kept(&expiry, &sql);
    assert_int_equal(sql.size, 0);
    assert_ok(expiry_begin(&expiry, parse("{\"events\":{\"A\":100}}"), 1000 * DAY_MS, 7));
    expiry.number = ++expiry.count;
    expiry_write_kept(&expiry, &sql);
    assert_int_equal(sql.size, 0);
    expiry.place = 12;
    expiry_write_kept(&expiry, &sql);
    assert_str_equal(buffer_str(&sql), STR(" AND NOT (((type = 'A' AND time_ms < 77760000000)) AND "
                                           "seq <= 7 AND customer < 12)"));
    expiry_end(&expiry);
    assert_int_equal(expiry.count, 1);
    assert_int_equal(expiry.number, 0);
    buffer_clear(&sql);
    expiry_write_kept(&expiry, &sql);
    assert_int_equal(sql.size, 0);
    buffer_deinit(&sql);
}

static int make_parser(void **state)
{
    (void)state;
    return json_parser_new(&parser, 65536) == ERR_OK ? 0 : 1;
}

static int free_parser(void **state)
{
    (void)state;
    json_parser_free(&parser);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_p9_policies_that_cannot_be),
        cmocka_unit_test(test_p9_what_is_missing_is_the_default),
        cmocka_unit_test(test_p9_which_events_go),
        cmocka_unit_test(test_p9_what_is_taken_so_far_is_not_loaded),
    };
    return cmocka_run_group_tests(tests, make_parser, free_parser);
}
