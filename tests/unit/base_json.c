/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: reading what is valid, refusing what is not with its place, writing it back. */
#include "support/cmocka.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/fault.h"
#include "base/json.h"

#define SIZE_MAX_BYTES (1 << 20)

static struct json_parser *parser;

static int set_up(void **state)
{
    (void)state;
    return json_parser_new(&parser, SIZE_MAX_BYTES) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    json_parser_free(&parser);
    assert_null(parser);
    json_parser_free(&parser);
    return 0;
}

static json_value parse(str text)
{
    json_value root;
    struct problem problem;
    if (json_parse(parser, text, &root, &problem) != ERR_OK)
        fail_msg("%s in " STR_FMT, problem.detail, STR_ARG(text));
    return root;
}

static void test_kinds(void **state)
{
    (void)state;
    json_value root =
        parse(STR("{\"n\":null,\"t\":true,\"f\":false,\"i\":-7,\"u\":18446744073709551615,"
                  "\"d\":1.5,\"w\":3.0,\"s\":\"\\u719f\\n\",\"a\":[1,[2],{}],\"o\":{\"x\":1}}"));
    assert_int_equal(json_kind(root), JSON_OBJECT);
    assert_int_equal(json_count(root), 10);
    assert_int_equal(json_kind(json_get(root, STR("n"))), JSON_NULL);
    assert_int_equal(json_kind(json_get(root, STR("t"))), JSON_BOOL);
    assert_int_equal(json_kind(json_get(root, STR("i"))), JSON_INT);
    assert_int_equal(json_kind(json_get(root, STR("u"))), JSON_DOUBLE);
    assert_int_equal(json_kind(json_get(root, STR("d"))), JSON_DOUBLE);
    assert_int_equal(json_kind(json_get(root, STR("s"))), JSON_TEXT);
    assert_int_equal(json_kind(json_get(root, STR("a"))), JSON_ARRAY);
    assert_int_equal(json_kind(json_get(root, STR("missing"))), JSON_MISSING);
    assert_true(json_bool(json_get(root, STR("t")), false));
    assert_false(json_bool(json_get(root, STR("f")), true));
    assert_int_equal(json_int(json_get(root, STR("i")), 0), -7);
    assert_int_equal(json_int(json_get(root, STR("w")), 0), 3);
    assert_int_equal(json_int(json_get(root, STR("d")), 42), 42);
    assert_int_equal(json_int(json_get(root, STR("u")), 42), 42);
    assert_true(json_double(json_get(root, STR("u")), 0) == 18446744073709551615.0);
    assert_true(json_double(json_get(root, STR("i")), 0) == -7.0);
    assert_str_equal(json_text(json_get(root, STR("s"))), STR("\xE7\x86\x9F\n"));
    assert_int_equal(json_int(json_at(json_get(root, STR("a")), 0), 0), 1);
    assert_int_equal(json_kind(json_at(json_get(root, STR("a")), 2)), JSON_OBJECT);
    assert_int_equal(json_kind(json_at(json_get(root, STR("a")), 3)), JSON_MISSING);
    assert_int_equal(json_int(json_get(json_get(root, STR("o")), STR("x")), 0), 1);
}

static void test_defaults_for_what_a_value_is_not(void **state)
{
    (void)state;
    json_value root = parse(STR("[\"text\"]"));
    json_value text = json_at(root, 0);
    json_value missing = json_get(text, STR("x"));
    assert_int_equal(json_int(text, 5), 5);
    assert_true(json_double(text, 5) == 5);
    assert_true(json_bool(text, true));
    assert_int_equal(json_count(text), 0);
    assert_int_equal(json_int(missing, 5), 5);
    assert_null(json_text(missing).data);
    assert_null(json_text(root).data);
    assert_int_equal(json_kind(json_get(missing, STR("y"))), JSON_MISSING);
    assert_int_equal(json_kind(json_at(text, 0)), JSON_MISSING);
    assert_int_equal(json_kind(json_at(parse(STR("{\"a\":1}")), 0)), JSON_MISSING);
    struct json_iterator iterator = json_iterate(missing);
    json_value value;
    assert_false(json_next(&iterator, NULL, &value));
}

static void test_duplicate_keys(void **state)
{
    (void)state;
    json_value root = parse(STR("{\"a\":1,\"b\":{\"a\":9},\"a\":2}"));
    assert_int_equal(json_int(json_get(root, STR("a")), 0), 2);
    struct json_iterator iterator = json_iterate(root);
    str key;
    json_value value;
    size_t count = 0;
    while (json_next(&iterator, &key, &value))
        count++;
    assert_int_equal(count, 3);
}

static void test_scalars_as_root(void **state)
{
    (void)state;
    assert_int_equal(json_int(parse(STR(" 7 ")), 0), 7);
    assert_str_equal(json_text(parse(STR("\"x\""))), STR("x"));
    assert_int_equal(json_kind(parse(STR("null"))), JSON_NULL);
    assert_int_equal(json_kind(parse(STR("\xEF\xBB\xBF{}"))), JSON_OBJECT);
}

static void test_refused_with_place(void **state)
{
    (void)state;
    static const struct {
        str text;
        const char *detail;
    } cases[] = {
#define CASE(literal, detail) { { literal, sizeof literal - 1 }, detail }
        CASE("", "at byte 0: the text ends too early"),
        CASE("   ", "at byte 3: the text ends too early"),
        CASE("{", "at byte 1: a key in quotes is missing"),
        CASE("[1,2", "at byte 4: the text ends too early"),
        CASE("{\"a\":1,}", "at byte 7: a key in quotes is missing"),
        CASE("[1,]", "at byte 3: not a value"),
        CASE("{\"a\" 1}", "at byte 5: a colon is missing"),
        CASE("{\"a\":1 \"b\":2}", "at byte 7: a comma or } is missing"),
        CASE("[1}", "at byte 2: a comma or ] is missing"),
        CASE("{} x", "at byte 3: something stands behind the end"),
        CASE("[1][2]", "at byte 3: something stands behind the end"),
        CASE("nul", "at byte 0: not a value"),
        CASE("{'a':1}", "at byte 1: a key in quotes is missing"),
        CASE("[NaN]", "at byte 1: not a value"),
        CASE("[01]", "at byte 1: number with a leading zero"),
        CASE("[1.]", "at byte 1: not a number"),
        CASE("[-]", "at byte 1: not a number"),
        CASE("[1e]", "at byte 1: not a number"),
        CASE("[1e400]", "at byte 1: number beyond the range of a double"),
        CASE("[12345678901234567891]", ""), /* fits uint64 */
        CASE("[98765432109876543210]", "at byte 1: integer beyond 64 bits"),
        CASE("[-9223372036854775809]", "at byte 1: integer beyond 64 bits"),
        CASE("[\"a\x01\"]", "at byte 3: control character in a string"),
        CASE("[\"a]", "at byte 1: string without end"),
        CASE("[\"\\x\"]", "at byte 2: unknown escape"),
        CASE("[\"\\u12G4\"]", "at byte 2: \\u needs four hex digits"),
        CASE("[\"ab\\u0000\"]", "at byte 4: NUL in a string"),
        CASE("[\"\\\\u0000\"]", ""), /* a backslash and five letters */
        CASE("[\"\\ud83d\"]", "at byte 2: lone surrogate"),
        CASE("[\"\\ud83dx\"]", "at byte 2: lone surrogate"),
        CASE("[\"\\ud83d\\u0041\"]", "at byte 2: lone surrogate"),
        CASE("[\"\\ude00\"]", "at byte 2: lone surrogate"),
        CASE("[\"\\ud83d\\ude00\"]", ""),
        CASE("[\"\xC0\xAF\"]", "at byte 2: not UTF-8"),
        CASE("[\"\xED\xA0\x80\"]", "at byte 2: not UTF-8"),
        CASE("[\"\xE7\x86\"]", "at byte 2: not UTF-8"),
        CASE("[\"a\0b\"]", "at byte 3: control character in a string"),
        CASE("[1,\0 2]", "at byte 3: not a value"),
        CASE("\xEF\xBB\xBF[1,]", "at byte 6: not a value"),
        CASE("[1e-400]", ""),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_value root = { NULL, 77 };
        struct problem problem = { .detail = "" };
        err error = json_parse(parser, cases[i].text, &root, &problem);
        if (cases[i].detail[0] == '\0' ? error != ERR_OK
                                       : error != ERR_INVALID || root.position != 77 ||
                                             strstr(problem.detail, cases[i].detail) == NULL)
            fail_msg("case %zu " STR_FMT ": %s, '%s'", i, STR_ARG(cases[i].text), err_code(error),
                     problem.detail);
    }
    /* The parser is as good as new. */
    assert_int_equal(json_int(parse(STR("1")), 0), 1);
}

static void test_depth(void **state)
{
    (void)state;
    char text[20002];
    json_value root;
    struct problem problem;
    static const size_t depths[] = { 1, 63, 64, 65, 66, 10000 };
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        size_t depth = depths[i];
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        err error = json_parse(parser, str_from_bytes(text, 2 * depth), &root, &problem);
        assert_err(error, depth <= JSON_DEPTH_MAX ? ERR_OK : ERR_INVALID);
        if (error != ERR_OK)
            assert_string_equal(problem.detail, "not valid JSON at byte 64: nested deeper than 64");
    }
}

static void test_large_integers_that_keep_their_digits(void **state)
{
    (void)state;
    json_value root = parse(STR("{\"a\":100000000000000000000,\"b\":[-123456789012345670000],"
                                "\"s\":\"100000000000000000000\",\"c\":1}"));
    assert_true(json_double(json_get(root, STR("a")), 0) == 1e20);
    assert_true(json_double(json_at(json_get(root, STR("b")), 0), 0) == -123456789012345670000.0);
    assert_str_equal(json_text(json_get(root, STR("s"))), STR("100000000000000000000"));
    assert_int_equal(json_int(json_get(root, STR("c")), 0), 1);
}

static void test_sizes(void **state)
{
    (void)state;
    char *text = memory_alloc(SIZE_MAX_BYTES + 2);
    json_value root;
    struct problem problem;
    /* Every size around the buffers' steps, ending in the last byte of the piece. */
    for (size_t size = 2; size <= 300; size++) {
        char *piece = memory_alloc(size);
        memset(piece, 'x', size);
        piece[0] = piece[size - 1] = '"';
        assert_int_equal(json_text(parse(str_from_bytes(piece, size))).size, size - 2);
        memory_free(piece);
    }
    memset(text, 'x', SIZE_MAX_BYTES + 2);
    text[0] = text[SIZE_MAX_BYTES - 1] = '"';
    assert_int_equal(json_text(parse(str_from_bytes(text, SIZE_MAX_BYTES))).size,
                     SIZE_MAX_BYTES - 2);
    assert_err(json_parse(parser, str_from_bytes(text, SIZE_MAX_BYTES + 1), &root, &problem),
               ERR_TOO_LARGE);
    /* Nothing but large integers: the widened form is the longest. */
    memset(text, ' ', SIZE_MAX_BYTES);
    size_t at = 0;
    text[at++] = '[';
    while (at + 24 < SIZE_MAX_BYTES) {
        memcpy(text + at, "100000000000000000000,", 22);
        at += 22;
    }
    text[at++] = '1';
    text[at++] = ']';
    root = parse(str_from_bytes(text, at));
    assert_true(json_double(json_at(root, 1000), 0) == 1e20);
    memory_free(text);
}

static void test_more_members_than_the_tape_counts(void **state)
{
    (void)state;
    struct json_parser *large;
    size_t count = 0xFFFFFF + 10, size = 2 * count + 1;
    char *text = memory_alloc(size);
    json_value root;
    assert_ok(json_parser_new(&large, size));
    for (size_t i = 0; i < count; i++)
        memcpy(text + 2 * i, i == 0 ? "[1" : ",1", 2);
    text[size - 1] = ']';
    assert_ok(json_parse(large, str_from_bytes(text, size), &root, NULL));
    assert_int_equal(json_count(root), count);
    memory_free(text);
    json_parser_free(&large);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct json_parser *fresh = NULL;
    json_value root;
    struct problem problem;
    fault_arm(FAULT_MEMORY, 1, FAULT_FAIL, true);
    assert_err(json_parser_new(&fresh, 100), ERR_NOMEM);
    fault_disarm();
    assert_ok(json_parser_new(&fresh, 100));
    fault_arm(FAULT_MEMORY, 1, FAULT_FAIL, true);
    assert_err(json_parse(fresh, STR("1"), &root, &problem), ERR_NOMEM);
    fault_disarm();
    assert_ok(json_parse(fresh, STR("1"), &root, &problem));
    json_parser_free(&fresh);
}

static void assert_writes_back(str text, str expected)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    json_write_value(&out, parse(text));
    assert_str_equal(buffer_str(&out), expected);
    buffer_deinit(&out);
}

static void test_write_value(void **state)
{
    (void)state;
    assert_writes_back(STR(" { \"b\" : [ 1 , 2.50 , -0.0, 1e3 ] , \"a\" : { } , \"c\" : [ ] } "),
                       STR("{\"b\":[1,2.5,-0.0,1000],\"a\":{},\"c\":[]}"));
    assert_writes_back(STR("[true,false,null,18446744073709551615,-9223372036854775808]"),
                       STR("[true,false,null,18446744073709551615,-9223372036854775808]"));
    assert_writes_back(STR("\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\\\/\\u719f\\ud83d\\ude00\""),
                       STR("\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\xE7\x86\x9F\xF0\x9F\x98\x80\""));
    assert_writes_back(STR("[1e300,1e-300,1e15,1e16,1e17,0.000001,0.0000001,5e-324]"),
                       STR("[1e300,1e-300,1000000000000000,1e16,1e17,0.000001,1e-7,5e-324]"));
}

static void test_doubles_round_trip(void **state)
{
    (void)state;
    struct random_stream stream;
    struct buffer out;
    struct json_writer writer;
    random_seed(&stream, 20260101);
    buffer_init(&out, 1 << 16);
    for (int i = 0; i < 300000; i++) {
        uint64_t bits = random_next(&stream);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (i % 3 == 0) /* amounts: few digits */
            value = (double)(int64_t)random_below(&stream, 100000000) / 100;
        buffer_clear(&out);
        json_writer_init(&writer, &out);
        json_put_double(&writer, value);
        json_value back = parse(buffer_str(&out));
        if (!isfinite(value))
            assert_int_equal(json_kind(back), JSON_NULL);
        else if (json_double(back, (double)NAN) != value)
            fail_msg("%.17g became " STR_FMT, value, STR_ARG(buffer_str(&out)));
    }
    buffer_deinit(&out);
}

static void test_shortest_doubles(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { -0.0, "-0.0" },
        { 0.1, "0.1" },
        { 1299.5, "1299.5" },
        { 100, "100" },
        { 1.005, "1.005" },
        { -1e-5, "-0.00001" },
        { 1.5e-7, "1.5e-7" },
        { 123456789012345680.0, "1.2345678901234568e17" },
        { 99999999999999984.0, "9.999999999999998e16" },
        { 1.7976931348623157e308, "1.7976931348623157e308" },
        { 0.0000012345678901234567, "0.0000012345678901234567" },
    };
    struct buffer out;
    buffer_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_writer writer;
        buffer_clear(&out);
        json_writer_init(&writer, &out);
        json_put_double(&writer, cases[i].value);
        assert_str_equal(buffer_str(&out), str_from_c(cases[i].text));
    }
    buffer_deinit(&out);
}

static void test_writer(void **state)
{
    (void)state;
    struct buffer out;
    struct json_writer writer;
    buffer_init(&out, 1000);
    json_writer_init(&writer, &out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("na\"me"), STR("\xE7\x86\x9F\x1F"));
    json_member_int(&writer, STR("i"), INT64_MIN);
    json_member_bool(&writer, STR("b"), true);
    json_member_time(&writer, STR("at"), INT64_C(1764489600123));
    json_member_raw(&writer, STR("raw"), STR("{\"x\":[]}"));
    json_put_key(&writer, STR("a"));
    json_begin_array(&writer);
    json_put_uint(&writer, UINT64_MAX);
    json_begin_object(&writer);
    json_end_object(&writer);
    json_begin_array(&writer);
    json_put_null(&writer);
    json_put_double(&writer, (double)NAN);
    json_end_array(&writer);
    json_put_bool(&writer, false);
    json_end_array(&writer);
    json_member_int(&writer, STR("z"), 0);
    json_end_object(&writer);
    assert_str_equal(
        buffer_str(&out),
        STR("{\"na\\\"me\":\"\xE7\x86\x9F\\u001f\",\"i\":-9223372036854775808,\"b\":true,"
            "\"at\":\"2025-11-30T08:00:00.123Z\",\"raw\":{\"x\":[]},"
            "\"a\":[18446744073709551615,{},[null,null],false],\"z\":0}"));
    parse(buffer_str(&out));
    buffer_deinit(&out);
}

/* Random documents: what is written back reads as the same, and cutting a byte off never passes. */
static void put_random_value(struct json_writer *writer, struct random_stream *stream, int depth)
{
    char text[40];
    size_t size = random_below(stream, sizeof text);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)(1 + random_below(stream, 127));
    switch (random_below(stream, depth > 5 ? 5 : 7)) {
    case 0:
        json_put_int(writer, (int64_t)random_next(stream));
        break;
    case 1:
        json_put_double(writer, random_unit(stream) * 1000);
        break;
    case 2:
        json_put_bool(writer, random_below(stream, 2) == 0);
        break;
    case 3:
        json_put_null(writer);
        break;
    case 4:
        json_put_text(writer, str_from_bytes(text, size));
        break;
    case 5:
        json_begin_array(writer);
        for (uint64_t i = random_below(stream, 5); i > 0; i--)
            put_random_value(writer, stream, depth + 1);
        json_end_array(writer);
        break;
    default:
        json_begin_object(writer);
        for (uint64_t i = random_below(stream, 5); i > 0; i--) {
            json_put_key(writer, str_from_bytes(text, size));
            put_random_value(writer, stream, depth + 1);
        }
        json_end_object(writer);
        break;
    }
}

static void test_random_documents(void **state)
{
    (void)state;
    struct random_stream stream;
    struct buffer first, second;
    random_seed(&stream, 1);
    buffer_init(&first, 1 << 20);
    buffer_init(&second, 1 << 20);
    for (int round = 0; round < 20000; round++) {
        struct json_writer writer;
        buffer_clear(&first);
        buffer_clear(&second);
        json_writer_init(&writer, &first);
        json_begin_array(&writer);
        put_random_value(&writer, &stream, 0);
        json_end_array(&writer);
        json_write_value(&second, parse(buffer_str(&first)));
        assert_str_equal(buffer_str(&second), buffer_str(&first));
        json_value root;
        size_t cut = random_below(&stream, first.size);
        assert_err(json_parse(parser, str_slice(buffer_str(&first), 0, cut), &root, NULL),
                   ERR_INVALID);
    }
    buffer_deinit(&first);
    buffer_deinit(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_defaults_for_what_a_value_is_not),
        cmocka_unit_test(test_duplicate_keys),
        cmocka_unit_test(test_scalars_as_root),
        cmocka_unit_test(test_refused_with_place),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_large_integers_that_keep_their_digits),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_more_members_than_the_tape_counts),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_write_value),
        cmocka_unit_test(test_doubles_round_trip),
        cmocka_unit_test(test_shortest_doubles),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_random_documents),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
