/* SPDX-License-Identifier: Apache-2.0 */
/* Cells as people and programs write them: every form of docs/imports.md, and what is refused. */
#include <stdlib.h>

#include "support/cmocka.h"

#include "base/clock.h"
#include "base/digest.h"
#include "mapping/value.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, "test", (size_t)1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

/* ---- exact numbers ---- */

static struct exact exact_of(const char *text)
{
    struct exact value;
    assert_true(exact_parse(str_from_c(text), true, &value));
    return value;
}

static void assert_exact(struct exact value, const char *text)
{
    char room[EXACT_TEXT_BYTES];
    assert_str_equal(str_from_bytes(room, exact_write(value, room)), str_from_c(text));
}

static void numbers_are_exact(void **state)
{
    struct exact out;
    (void)state;
    assert_true(exact_add(exact_of("0.1"), exact_of("0.2"), &out));
    assert_exact(out, "0.3");
    assert_true(exact_subtract(exact_of("1"), exact_of("0.000000000000000001"), &out));
    assert_exact(out, "0.999999999999999999");
    assert_true(exact_multiply(exact_of("-1.005"), exact_of("100"), &out));
    assert_exact(out, "-100.5");
    assert_true(exact_divide(exact_of("1"), exact_of("3"), &out));
    assert_exact(out, "0.333333333333");
    assert_true(exact_divide(exact_of("2"), exact_of("3"), &out));
    assert_exact(out, "0.666666666667");
    assert_false(exact_divide(exact_of("2"), exact_of("0"), &out));
    assert_exact(exact_round(exact_of("2.345"), 2), "2.34");
    assert_exact(exact_round(exact_of("2.355"), 2), "2.36");
    assert_exact(exact_round(exact_of("-2.345"), 2), "-2.34");
    assert_exact(exact_round(exact_of("-0.004"), 2), "0");
    assert_exact(exact_floor(exact_of("-1.5")), "-2");
    assert_exact(exact_floor(exact_of("-2")), "-2");
    assert_exact(exact_of("1.5E-3"), "0.0015");
    assert_exact(exact_of("12E2"), "1200");
    assert_exact(exact_of("0.500"), "0.5");
    assert_exact(exact_of("1234567890123456789012345678901234.5"),
                 "1234567890123456789012345678901234.5");
    assert_true(exact_multiply(exact_of("0.0000000001"), exact_of("0.0000000001"), &out));
    assert_exact(out, "0");
    assert_false(exact_multiply(exact_of("1e30"), exact_of("1e30"), &out));
    assert_false(exact_add(exact_of("999999999999999999999999999999999999"), exact_of("1"), &out));
    assert_int_equal(exact_compare(exact_of("1e35"), exact_of("0.000000000000000001")), 1);
    assert_int_equal(exact_compare(exact_of("-1e35"), exact_of("0.000000000000000001")), -1);
    assert_int_equal(exact_compare(exact_of("1.50"), exact_of("1.5")), 0);
    for (const char *const *bad = (const char *const[]){ "", "-", ".", "1..2", "1e", "0x1", " 1",
                                                         "1 ", "1e400", "١", NULL };
         *bad != NULL; bad++)
        assert_false(exact_parse(str_from_c(*bad), true, &out));
}

/* Against 64-bit integers in cents, which are exact too. */
static void sums_are_those_of_integers(void **state)
{
    struct random_stream random;
    (void)state;
    random_seed(&random, 20261121);
    for (int i = 0; i < 20000; i++) {
        int64_t a = (int64_t)random_below(&random, 2000001) - 1000000;
        int64_t b = (int64_t)random_below(&random, 2000001) - 1000000;
        struct exact one = { a, 2 }, other = { b, 3 }, sum, product;
        assert_true(exact_add(one, other, &sum));
        assert_true(exact_multiply(one, other, &product));
        assert_int_equal((int64_t)sum.coefficient, a * 10 + b);
        assert_int_equal(sum.scale, 3);
        assert_int_equal((int64_t)product.coefficient, a * b);
        assert_int_equal(exact_compare(one, other), (a * 10 > b) - (a * 10 < b));
        char room[EXACT_TEXT_BYTES];
        struct exact back;
        assert_true(exact_parse(str_from_bytes(room, exact_write(product, room)), false, &back));
        assert_int_equal(exact_compare(back, product), 0);
    }
}

/* ---- cells ---- */

static void texts_lose_their_guards(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "=\"0123\"", "0123" },  { "'0123", "0123" }, { "'0123'", "0123" }, { "\t0123", "0123" },
        { "  x ", "x" },          { "\"a\"", "a" },    { "　x　", "x" },     { "=1+1", "=1+1" },
        { "O'Neill", "O'Neill" }, { "'", "'" },        { "", "" },           { "=\"\"", "" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_str_equal(cell_clean(str_from_c(pairs[i][0])), str_from_c(pairs[i][1]));
}

static void numbers_of_cells(void **state)
{
    static const struct {
        const char *cell, *currency, *wanted;
    } good[] = {
        { "12", "", "12" },
        { "1,234.50", "", "1234.5" },
        { "1,234,567", "CNY", "1234567" },
        { "￥1,234.00", "CNY", "1234" },
        { "¥12", "JPY", "12" },
        { "12元", "CNY", "12" },
        { "12.5 元", "", "12.5" },
        { "-￥3.005", "CNY", "-3.005" },
        { "￥-3", "CNY", "-3" },
        { "(1,234.00)", "CNY", "-1234" },
        { "15%", "", "0.15" },
        { "12.5%", "", "0.125" },
        { "１２３．４５", "", "123.45" },
        { "－５", "", "-5" },
        { "1，234", "", "1234" },
        { "$12.30", "USD", "12.3" },
        { "US$12", "USD", "12" },
        { "£27.50", "GBP", "27.5" },
        { "RMB 8", "CNY", "8" },
        { "8 CNY", "CNY", "8" },
        { "=\"12.5\"", "", "12.5" },
        { "'12", "", "12" },
        { "+7", "", "7" },
        { "−7", "", "-7" },
    };
    static const struct {
        const char *cell, *currency;
        enum refusal_code code;
    } bad[] = {
        { "abc", "", REFUSAL_NOT_A_NUMBER },
        { "12abc", "", REFUSAL_NOT_A_NUMBER },
        { "1,23", "", REFUSAL_NOT_A_NUMBER },
        { "1,2345", "", REFUSAL_NOT_A_NUMBER },
        { ",123", "", REFUSAL_NOT_A_NUMBER },
        { "1.2.3", "", REFUSAL_NOT_A_NUMBER },
        { "1.38E+10", "", REFUSAL_LOST_DIGITS },
        { "1.5万", "", REFUSAL_NOT_A_NUMBER },
        { "$12", "CNY", REFUSAL_UNKNOWN_CURRENCY },
        { "￥12", "GBP", REFUSAL_UNKNOWN_CURRENCY },
        { "12元", "USD", REFUSAL_UNKNOWN_CURRENCY },
        { "--5", "", REFUSAL_NOT_A_NUMBER },
        { "-(5)", "", REFUSAL_NOT_A_NUMBER },
        { "5-", "", REFUSAL_NOT_A_NUMBER },
        { "￥￥5", "CNY", REFUSAL_NOT_A_NUMBER },
        { "99999999999999999999999999999999999999", "", REFUSAL_NOT_A_NUMBER },
    };
    struct refusal refusal;
    struct exact number;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!cell_to_number(str_from_c(good[i].cell), str_from_c(good[i].currency), &arena, &number,
                            &refusal))
            fail_msg("%s: %s", good[i].cell, refusal.problem.detail);
        assert_exact(number, good[i].wanted);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (cell_to_number(str_from_c(bad[i].cell), str_from_c(bad[i].currency), &arena, &number,
                           &refusal))
            fail_msg("%s is taken", bad[i].cell);
        assert_int_equal(refusal.code, bad[i].code);
        assert_true(refusal.problem.hint[0] != '\0');
    }
}

static void booleans_and_currencies(void **state)
{
    static const char *const yes[] = { "是", "Y", "yes", "TRUE", "1", "有", "√" };
    static const char *const no[] = { "否", "n", "No", "false", "0", "无", "×" };
    struct refusal refusal;
    bool truth;
    char code[4];
    (void)state;
    for (size_t i = 0; i < 7; i++) {
        assert_true(cell_to_bool(str_from_c(yes[i]), &truth, &refusal) && truth);
        assert_true(cell_to_bool(str_from_c(no[i]), &truth, &refusal) && !truth);
    }
    assert_false(cell_to_bool(STR("maybe"), &truth, &refusal));
    assert_int_equal(refusal.code, REFUSAL_NOT_A_BOOLEAN);
    assert_true(cell_to_currency(STR("人民币"), code));
    assert_string_equal(code, "CNY");
    assert_true(cell_to_currency(STR(" usd "), code));
    assert_string_equal(code, "USD");
    assert_false(cell_to_currency(STR("XXQ"), code));
    assert_false(cell_to_currency(STR("积分"), code));
}

static void rounded_ids_are_seen(void **state)
{
    static const char *const lost[] = {
        "1.23E+17", "1.38E+10", "1e5000", "123456789012345000", "1234567890123450000", "-1.2E+5"
    };
    static const char *const good[] = { "123456789012345678",
                                        "1234567890123456",
                                        "1234567890123400",
                                        "12E",
                                        "E12",
                                        "2E",
                                        "ABC1.2E+5",
                                        "100000",
                                        "",
                                        "240618-123456789012345000" };
    (void)state;
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++)
        assert_true(cell_is_rounded(str_from_c(lost[i])));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (cell_is_rounded(str_from_c(good[i])))
            fail_msg("%s is taken for a rounded id", good[i]);
}

/* ---- times ---- */

static const char *time_of(const char *cell, const char *format, int zone_seconds)
{
    static char room[TIME_TEXT_BYTES];
    static struct refusal refusal;
    struct time_format made;
    int64_t time_ms;
    assert_ok(time_format_parse(str_from_c(format), &made, NULL));
    if (!cell_to_time(str_from_c(cell), &made, zone_seconds, &arena, &time_ms, &refusal))
        return mapping_code(refusal.code).data;
    time_format_utc(time_ms, room);
    return room;
}

static void times_of_cells(void **state)
{
    static const char *const local[] = {
        "2024-01-05 08:03:01",
        "2024/1/5 8:03:01",
        "2024.1.5 08:03:01",
        "2024-1-5T8:03:01",
        "20240105080301",
        "2024年1月5日 8时3分1秒",
        "2024年01月05日 08:03:01",
        "2024-01-05 8:03:01 AM",
        "2024-01-05 上午 8:03:01",
        "2024-01-05 08:03:01.000",
        "2024-01-05T00:03:01Z",
        "2024-01-05 00:03:01+00:00",
        "1704412981",
        "1704412981000",
        "２０２４-０１-０５ ０８:０３:０１",
        "=\"2024-01-05 08:03:01\"",
        "2024-01-05 08:03:01 GMT+8",
    };
    (void)state;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if (strcmp(time_of(local[i], "auto", 28800), "2024-01-05T00:03:01.000Z") != 0)
            fail_msg("%s is read as %s", local[i], time_of(local[i], "auto", 28800));
    assert_string_equal(time_of("2024/1/5 8:03", "auto", 28800), "2024-01-05T00:03:00.000Z");
    assert_string_equal(time_of("2024年1月5日", "auto", 28800), "2024-01-04T16:00:00.000Z");
    assert_string_equal(time_of("20240105", "auto", 0), "2024-01-05T00:00:00.000Z");
    assert_string_equal(time_of("45296.33543981482", "auto", 0), "2024-01-05T08:03:02.000Z");
    assert_string_equal(time_of("45296", "excel", 0), "2024-01-05T00:00:00.000Z");
    assert_string_equal(time_of("43834", "excel1904", 0), "2024-01-05T00:00:00.000Z");
    assert_string_equal(time_of("45296.5", "auto", 28800), "2024-01-05T04:00:00.000Z");
    assert_string_equal(time_of("1704412981.25", "unix_s", 0), "2024-01-05T00:03:01.250Z");
    assert_string_equal(time_of("2024-01-05 下午 3:05", "auto", 0), "2024-01-05T15:05:00.000Z");
    assert_string_equal(time_of("2024-01-05 12:30 AM", "auto", 0), "2024-01-05T00:30:00.000Z");
    assert_string_equal(time_of("1966-05-16", "auto", 28800), "1966-05-15T16:00:00.000Z");
    assert_string_equal(time_of("1969-10-08 00:00:00", "auto", 0), "1969-10-08T00:00:00.000Z");
    assert_string_equal(time_of("1900/1/1", "auto", 28800), "1899-12-31T16:00:00.000Z");
    assert_string_equal(time_of("24243", "excel", 0), "1966-05-16T00:00:00.000Z");
    assert_string_equal(time_of("0", "excel", 0), "not_a_time");
}

static void dates_that_may_be_two_days(void **state)
{
    (void)state;
    assert_string_equal(time_of("05/01/2024", "auto", 0), "ambiguous_date");
    assert_string_equal(time_of("5-1-2024 10:00", "auto", 0), "ambiguous_date");
    assert_string_equal(time_of("25/01/2024", "auto", 0), "2024-01-25T00:00:00.000Z");
    assert_string_equal(time_of("01/25/2024 8:05", "auto", 0), "2024-01-25T08:05:00.000Z");
    assert_string_equal(time_of("05/05/2024", "auto", 0), "2024-05-05T00:00:00.000Z");
    assert_string_equal(time_of("05/01/2024", "dd/MM/yyyy", 0), "2024-01-05T00:00:00.000Z");
    assert_string_equal(time_of("05/01/2024", "MM/dd/yyyy", 0), "2024-05-01T00:00:00.000Z");
    assert_string_equal(time_of("5/1/24 8:26 PM", "M/d/yy h:mm a", 0), "2024-05-01T20:26:00.000Z");
    assert_string_equal(time_of("5.1.99", "d.M.yy", 0), "1999-01-05T00:00:00.000Z");
    assert_string_equal(time_of("2024/01", "dd/MM/yyyy", 0), "not_a_time");
}

static void times_that_are_none(void **state)
{
    static const char *const bad[] = {
        "abc",        "2024-13-01", "2024-02-30", "2024-01-05 25:00",
        "20241301",   "昨天",       "12:30",      "2024-01-05 8:03 PM AM",
        "1899-12-31", "123",        "2024-1",     "2024年13月1日"
    };
    struct time_format format;
    struct problem problem;
    int zone;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (strcmp(time_of(bad[i], "auto", 0), "not_a_time") != 0)
            fail_msg("%s is read as %s", bad[i], time_of(bad[i], "auto", 0));
    assert_string_equal(time_of("1.7E+09", "auto", 0), "lost_digits");
    assert_err(time_format_parse(STR("dd/MM"), &format, &problem), ERR_UNPROCESSABLE);
    assert_err(time_format_parse(STR("yyyy-MM-dd Q"), &format, &problem), ERR_UNPROCESSABLE);
    assert_err(time_format_parse(STR("yyy-MM-dd"), &format, &problem), ERR_UNPROCESSABLE);
    assert_ok(time_format_parse(STR("yyyy'y'MM'm'dd"), &format, &problem));
    assert_true(zone_parse(STR("+08:00"), &zone) && zone == 28800);
    assert_true(zone_parse(STR("-0330"), &zone) && zone == -12600);
    assert_true(zone_parse(STR("Asia/Shanghai"), &zone) && zone == 28800);
    assert_true(zone_parse(STR("UTC"), &zone) && zone == 0);
    assert_false(zone_parse(STR("Europe/London"), &zone));
    assert_false(zone_parse(STR("+25:00"), &zone));
    assert_false(zone_parse(STR("8"), &zone));
}

static void refusals_have_words_in_both_languages(void **state)
{
    str zh, en;
    (void)state;
    assert_int_equal(mapping_code_count(), REFUSAL_COUNT);
    for (size_t i = 0; i < mapping_code_count(); i++) {
        assert_true(mapping_code_text(mapping_code(i), &zh, &en));
        assert_true(zh.size > 0 && en.size > 0);
    }
    assert_false(mapping_code_text(STR("no such code"), &zh, &en));
}

static void refusals_show_nothing_of_a_person(void **state)
{
    char room[REFUSAL_SHOWN_BYTES];
    (void)state;
    assert_string_equal(refusal_shown(STR("13912340007"), room), "…");
    assert_string_equal(refusal_shown(STR("a@b.cn"), room), "…");
    assert_string_equal(refusal_shown(STR("金卡"), room), "金卡");
    const char *cut =
        refusal_shown(STR("一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十"), room);
    assert_true(str_is_utf8(str_from_c(cut)) && strlen(cut) < REFUSAL_SHOWN_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(sums_are_those_of_integers),
        cmocka_unit_test(texts_lose_their_guards),
        cmocka_unit_test(numbers_of_cells),
        cmocka_unit_test(booleans_and_currencies),
        cmocka_unit_test(rounded_ids_are_seen),
        cmocka_unit_test(times_of_cells),
        cmocka_unit_test(dates_that_may_be_two_days),
        cmocka_unit_test(times_that_are_none),
        cmocka_unit_test(refusals_have_words_in_both_languages),
        cmocka_unit_test(refusals_show_nothing_of_a_person),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
