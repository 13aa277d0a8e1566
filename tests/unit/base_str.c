/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed text: comparing, cutting, UTF-8, numbers. */
#include "support/cmocka.h"

#include <string.h>

#include "base/digest.h"
#include "base/str.h"

static void test_compare(void **state)
{
    (void)state;
    assert_true(str_equal(STR_NONE, STR("")));
    assert_true(str_equal(STR("ab"), str_from_c("ab")));
    assert_false(str_equal(STR("ab"), STR("abc")));
    assert_true(str_equal_ignoring_case(STR("Content-Type"), STR("cONTENT-tYPE")));
    assert_false(str_equal_ignoring_case(STR("[a"), STR("{a"))); /* 0x5B and 0x7B */
    assert_true(str_compare(STR("a"), STR("b")) < 0);
    assert_true(str_compare(STR("a"), STR("ab")) < 0);
    assert_true(str_compare(STR("\xC3"), STR("a")) > 0);
    assert_int_equal(str_compare(STR_NONE, STR("")), 0);
}

static void test_search(void **state)
{
    (void)state;
    assert_true(str_starts_with(STR("abc"), STR("")));
    assert_true(str_starts_with(STR("abc"), STR("abc")));
    assert_false(str_starts_with(STR("ab"), STR("abc")));
    assert_true(str_ends_with(STR("abc"), STR("bc")));
    assert_false(str_ends_with(STR("c"), STR("bc")));
    assert_true(str_contains(STR("abc"), STR("b")));
    assert_true(str_contains(STR_NONE, STR("")));
    assert_false(str_contains(STR("abc"), STR("d")));
    assert_int_equal(str_find_byte(STR("abc"), 'c'), 2);
    assert_int_equal(str_find_byte(STR("abc"), 'x'), 3);
    assert_int_equal(str_find_byte(STR_NONE, 'x'), 0);
}

static void test_slice_and_split(void **state)
{
    (void)state;
    assert_str_equal(str_slice(STR("hello"), 1, 3), STR("el"));
    assert_str_equal(str_slice(STR("hello"), 3, 99), STR("lo"));
    assert_str_equal(str_slice(STR("hello"), 9, 2), STR(""));
    str rest = STR("a,,b,"), part;
    assert_true(str_split(&rest, ',', &part));
    assert_str_equal(part, STR("a"));
    assert_true(str_split(&rest, ',', &part));
    assert_str_equal(part, STR(""));
    assert_true(str_split(&rest, ',', &part));
    assert_str_equal(part, STR("b"));
    assert_true(str_split(&rest, ',', &part)); /* what stands behind the last separator */
    assert_str_equal(part, STR(""));
    assert_false(str_split(&rest, ',', &part));
}

static void test_trim(void **state)
{
    (void)state;
    assert_str_equal(str_trim(STR("\xEF\xBB\xBF \t\xE3\x80\x80"
                                  "a b\xC2\xA0\r\n")),
                     STR("a b"));
    assert_str_equal(str_trim(STR(" \xE3\x80\x80 ")), STR(""));
    /* U+0C20 ends in the bytes of U+00A0 but for its lead: it is a letter. */
    assert_str_equal(str_trim(STR("\xE0\xB0\xA0")), STR("\xE0\xB0\xA0"));
    assert_str_equal(str_trim(STR_NONE), STR(""));
}

static void test_utf8(void **state)
{
    (void)state;
    static const struct {
        str text;
        bool valid;
    } cases[] = {
        { { "", 0 }, true },
        { { "plain ascii, longer than a word", 31 }, true },
        { { "\xE7\x86\x9F\xE5\xAE\xA2", 6 }, true },
        { { "\xF0\x9F\x98\x80", 4 }, true },
        { { "\xF4\x8F\xBF\xBF", 4 }, true },
        { { "\xF4\x90\x80\x80", 4 }, false }, /* above U+10FFFF */
        { { "\xC0\xAF", 2 }, false },         /* overlong */
        { { "\xE0\x80\xAF", 3 }, false },     /* overlong */
        { { "\xF0\x80\x80\xAF", 4 }, false }, /* overlong */
        { { "\xED\xA0\x80", 3 }, false },     /* surrogate */
        { { "\xE7\x86", 2 }, false },         /* cut */
        { { "\x80", 1 }, false },
        { { "\xFF", 1 }, false },
        { { "12345678\0", 9 }, false }, /* NUL behind a whole word */
        { { "1234\0"
            "567",
            8 },
          false }, /* NUL within a word */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (str_is_utf8(cases[i].text) != cases[i].valid)
            fail_msg("case %zu", i);
}

/* Every code point alone, and every pair of bytes, against a naive decoder. */
static bool naive_is_character(const unsigned char *at, size_t size)
{
    static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t value = size == 1 ? at[0] : at[0] & (0x7FU >> size);
    if (size == 1 ? at[0] >= 0x80 : ((uint32_t)at[0] >> (7 - size)) != (2U << size) - 2)
        return false;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return false;
        value = value << 6 | (at[i] & 0x3F);
    }
    return value >= lowest[size] && value != 0 && value <= 0x10FFFF &&
           !(value >= 0xD800 && value <= 0xDFFF);
}

static void test_utf8_random_against_naive(void **state)
{
    (void)state;
    struct random_stream stream;
    random_seed(&stream, 7);
    for (int round = 0; round < 2000000; round++) {
        unsigned char bytes[4];
        size_t size = 1 + random_below(&stream, 4);
        uint64_t random = random_next(&stream);
        memcpy(bytes, &random, sizeof bytes);
        for (size_t i = 1; i < size; i++)
            if (random_below(&stream, 8) > 0)
                bytes[i] = (unsigned char)(0x80 | (bytes[i] & 0x3F));
        bool expected = true;
        for (size_t at = 0; at < size && expected;) {
            size_t character = 1;
            while (character <= size - at && !naive_is_character(bytes + at, character))
                character++;
            expected = character <= size - at;
            at += character;
        }
        if (str_is_utf8(str_from_bytes(bytes, size)) != expected)
            fail_msg("size %zu: %02x %02x %02x %02x", size, bytes[0], bytes[1], bytes[2], bytes[3]);
    }
}

static void test_utf8_prefix(void **state)
{
    (void)state;
    str text = STR("a\xE7\x86\x9F\xF0\x9F\x98\x80");
    static const size_t expected[] = { 0, 1, 1, 1, 4, 4, 4, 4, 8, 8 };
    for (size_t max = 0; max < sizeof expected / sizeof expected[0]; max++)
        assert_int_equal(str_utf8_prefix_bytes(text, max), expected[max]);
}

static void test_integers(void **state)
{
    (void)state;
    int64_t value = 5;
    uint64_t magnitude;
    assert_true(str_to_int64(STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_to_int64(STR("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_true(str_to_uint64(STR("18446744073709551615"), &magnitude));
    assert_true(magnitude == UINT64_MAX);
    value = 5;
    static const char *const wrong[] = { "",
                                         "-",
                                         "+1",
                                         " 1",
                                         "1 ",
                                         "1x",
                                         "0x1",
                                         "--1",
                                         "1.0",
                                         "9223372036854775808",
                                         "-9223372036854775809",
                                         "99999999999999999999999" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (str_to_int64(str_from_c(wrong[i]), &value) || value != 5)
            fail_msg("'%s' was taken", wrong[i]);
    assert_false(str_to_uint64(STR("18446744073709551616"), &magnitude));
    assert_false(str_to_uint64(STR("-1"), &magnitude));
}

static void test_doubles(void **state)
{
    (void)state;
    double value = 5;
    assert_true(str_to_double(STR("-12.5e-1"), &value));
    assert_true(value == -1.25);
    assert_true(str_to_double(STR("1E+3"), &value));
    assert_true(value == 1000);
    value = 5;
    static const char *const wrong[] = { "",    ".5",    "5.",     "+1",   "1e",  "1e+",
                                         "inf", "nan",   "NaN",    "0x10", "1,5", " 1",
                                         "1 ",  "1e400", "1e-400", "1.2.3" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (str_to_double(str_from_c(wrong[i]), &value) || value != 5)
            fail_msg("'%s' was taken", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_slice_and_split),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_random_against_naive),
        cmocka_unit_test(test_utf8_prefix),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
