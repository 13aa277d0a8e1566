/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals of the outside world to minor units. */
#include "support/cmocka.h"

#include <math.h>

#include "base/digest.h"
#include "base/money.h"

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int digits;
        int64_t minor;
    } cases[] = {
        { "1,299.50", 2, 129950 },
        { "-3.005", 2, -300 }, /* half to even */
        { "3.015", 2, 302 },
        { "3.025", 2, 302 },
        { "3.0250000000001", 2, 303 },
        { "0.005", 2, 0 },
        { "0.015", 2, 2 },
        { "0.0050000001", 2, 1 },
        { "-0.004", 2, 0 },
        { "\xEF\xBF\xA5"
          "12",
          2, 1200 },
        { "\xC2\xA5 12", 2, 1200 },
        { "-$1.5", 2, -150 },
        { "$-1.5", 2, -150 },
        { "+7", 2, 700 },
        { " 7 ", 2, 700 },
        { ".5", 2, 50 },
        { "007.10", 2, 710 },
        { "1234567", 2, 123456700 },
        { "1,234,567", 0, 1234567 },
        { "2.5", 0, 2 },
        { "3.5", 0, 4 },
        { "1.2345", 3, 1234 },
        { "10000000000000", 2, MONEY_MINOR_MAX },
        { "0.000000000000000000000000000000000000000000001", 2, 0 },
        { "10.00000000000000000000000000", 2, 1000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t minor = 77;
        if (!money_from_text(str_from_c(cases[i].text), cases[i].digits, &minor) ||
            minor != cases[i].minor)
            fail_msg("'%s' gave %lld", cases[i].text, (long long)minor);
    }
}

static void test_text_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        " ",
        "-",
        "$",
        ".",
        "5.",
        "1.38E+10",
        "12abc",
        "1,5",
        "1,23,456",
        ",123",
        "1,,234",
        "1234,567",
        "--1",
        "1.2.3",
        "1 2",
        "0x10",
        "NaN",
        "inf",
        "$$1",
        "-+1",
        "1.2,345",
        "10000000000000.01",
        "99999999999999999999",
        "12-",
        "1.23456789012345678901",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t minor = 77;
        if (money_from_text(str_from_c(wrong[i]), 2, &minor) || minor != 77)
            fail_msg("'%s' was taken as %lld", wrong[i], (long long)minor);
    }
}

static void test_double(void **state)
{
    (void)state;
    static const struct {
        double value;
        int digits;
        int64_t minor;
    } cases[] = {
        { 1.005, 2, 100 },
        { 1.015, 2, 102 },
        { 0.1 + 0.2, 2, 30 },
        { 1299.5, 2, 129950 },
        { -0.0, 2, 0 },
        { 1e13, 2, MONEY_MINOR_MAX },
        { 1e-300, 2, 0 },
        { 2.675, 2, 268 },
        { 12, 0, 12 },
        { -19.99, 2, -1999 },
        { 123456.789, 3, 123456789 },
    };
    int64_t minor;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (!money_from_double(cases[i].value, cases[i].digits, &minor) || minor != cases[i].minor)
            fail_msg("%.17g gave %lld", cases[i].value, (long long)minor);
    minor = 77;
    assert_false(money_from_double((double)NAN, 2, &minor));
    assert_false(money_from_double((double)-INFINITY, 2, &minor));
    assert_false(money_from_double(1.1e13, 2, &minor));
    assert_false(money_from_double(1e300, 2, &minor));
    assert_int_equal(minor, 77);
}

static void test_all_cents_survive_a_double(void **state)
{
    (void)state;
    struct random_stream stream;
    random_seed(&stream, 5);
    for (int i = 0; i < 500000; i++) {
        int64_t cents = i < 200000 ? i : (int64_t)random_below(&stream, 100000000000), back;
        assert_true(money_from_double((double)cents / 100, 2, &back) && back == cents);
    }
}

static void test_lines(void **state)
{
    (void)state;
    int64_t minor;
    /* A tenth of a penny, many times: multiplied before it is rounded. */
    assert_true(money_line_from_double(0.001, 25, 2, &minor) && minor == 2);
    assert_true(money_line_from_double(0.001, 35, 2, &minor) && minor == 4);
    assert_true(money_line_from_double(0.1, 3, 2, &minor) && minor == 30);
    assert_true(money_line_from_text(STR("0.001"), STR("25"), 2, &minor) && minor == 2);
    assert_true(money_line_from_text(STR("1,299.005"), STR("-3"), 2, &minor) && minor == -389702);
    assert_true(money_line_from_text(STR("0"), STR("123456789012345678"), 2, &minor) && minor == 0);
    assert_true(
        money_line_from_text(STR("0.00000000000000001"), STR("0.00000000000000001"), 2, &minor) &&
        minor == 0);
    minor = 77;
    assert_false(money_line_from_text(STR("x"), STR("1"), 2, &minor));
    assert_false(money_line_from_text(STR("1"), STR(""), 2, &minor));
    assert_false(
        money_line_from_text(STR("999999999999999999"), STR("999999999999999999"), 2, &minor));
    assert_int_equal(minor, 77);
}

static void test_currencies(void **state)
{
    (void)state;
    bool known = false;
    assert_int_equal(currency_minor_digits(STR("CNY"), &known), 2);
    assert_true(known);
    assert_int_equal(currency_minor_digits(STR("jpy"), &known), 0);
    assert_true(known);
    assert_int_equal(currency_minor_digits(STR("KWD"), NULL), 3);
    assert_int_equal(currency_minor_digits(STR("CLF"), NULL), 4);
    assert_int_equal(currency_minor_digits(STR("ZZZ"), &known), 2);
    assert_false(known);
    assert_int_equal(currency_minor_digits(STR_NONE, &known), 2);
    assert_false(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),   cmocka_unit_test(test_text_refused),
        cmocka_unit_test(test_double), cmocka_unit_test(test_all_cents_survive_a_double),
        cmocka_unit_test(test_lines),  cmocka_unit_test(test_currencies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
