/* SPDX-License-Identifier: Apache-2.0 */
/* The language of expressions: what each function gives, what refuses, what does not compile. */
#include "support/mapper.h"

static struct mapper *mapper;

static int set_up(void **state)
{
    mapper = calloc(1, sizeof *mapper);
    mapper_open(mapper);
    *state = mapper;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mapper_close(mapper);
    free(mapper);
    return 0;
}

#define COLUMNS "id|a|b|n|m|t|状态|商品总价（元）"

/* The expression as JSON text inside a mapping; columns are those above. */
static err compile(const char *expression)
{
    struct buffer json;
    buffer_init(&json, 100000);
    buffer_append_str(&json, STR("{'kind':'events','event':'E','time':{'constant':'2024-01-05'},"
                                 "'tables':{'colours':{'红':'red','蓝':'blue','空':null}},"
                                 "'identifiers':[{'type':'user_id','column':'id'}],"
                                 "'properties':{'x':"));
    str text = mapper_json(mapper, expression);
    char *at = (char *)(uintptr_t)text.data;
    for (; *at != '\0'; at++) /* in expressions " and ' are the same: JSON wants only one of them */
        *at = *at == '"' ? '`' : *at;
    json_write_text(&json, text);
    buffer_append_str(&json, STR("}}"));
    buffer_append_byte(&json, 0);
    err error = mapper_compile(mapper, json.data, COLUMNS);
    buffer_deinit(&json);
    return error;
}

/* What the expression gives on a row, as JSON; "null", or the code of a refusal. */
static const char *value_on(const char *expression, const char *row)
{
    static char out[4000];
    err error = compile(expression);
    if (error != ERR_OK) {
        snprintf(out, sizeof out, "does not compile: %s", mapper->problem.detail);
        return out;
    }
    assert_ok(
        mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context, &mapper->problem));
    assert_ok(mapper_row(mapper, row));
    if (mapper->refused_count > 0) {
        snprintf(out, sizeof out, "%s", strchr(mapper->refused[0], '|') + 1);
        *strchr(out, '|') = '\0';
        return out;
    }
    assert_int_equal(mapper->event_count, 1);
    const char *props = strchr(mapper->events[0], '{');
    if (strcmp(props, "{}") == 0)
        return "null";
    snprintf(out, sizeof out, "%s", props + strlen("{\"x\":"));
    out[strlen(out) - 1] = '\0';
    return out;
}

#define ROW "u1|Hello 世界|  x-Y-z |12.50|-3|2024-06-18 08:00:01|交易成功|￥1,234.00"

static void check(const char *const pairs[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *made = value_on(pairs[i][0], ROW);
        if (strcmp(made, pairs[i][1]) != 0)
            fail_msg("%s is %s, not %s", pairs[i][0], made, pairs[i][1]);
    }
}
#define CHECK(pairs) check(pairs, sizeof(pairs) / sizeof((pairs)[0]))

static void functions_of_texts(void **state)
{
    static const char *const pairs[][2] = {
        { "[a]", "\"Hello 世界\"" },
        { "trim([b])", "\"x-Y-z\"" },
        { "lower([a])", "\"hello 世界\"" },
        { "upper([b])", "\"X-Y-Z\"" },
        { "length([a])", "8" },
        { "concat([id], '/', [n])", "\"u1/12.50\"" },
        { "[id] & '-' & 7", "\"u1-7\"" },
        { "substring([a], 7)", "\"世界\"" },
        { "substring([a], 1, 5)", "\"Hello\"" },
        { "substring([a], -2)", "\"世界\"" },
        { "substring([a], -100, 2)", "\"He\"" },
        { "substring([a], 9)", "null" },
        { "substring([a], 2, 0)", "null" },
        { "split([b], '-', 2)", "\"Y\"" },
        { "split([b], '-', -1)", "\"z\"" },
        { "split([b], '-', 9)", "null" },
        { "split([b], '-', 0)", "null" },
        { "replace([a], 'l', 'LL')", "\"HeLLLLo 世界\"" },
        { "replace([a], '世界', '')", "\"Hello \"" },
        { "replace([a], '', 'x')", "\"Hello 世界\"" },
        { "contains([a], '世')", "true" },
        { "starts_with([a], 'hello')", "false" },
        { "ends_with([a], '界')", "true" },
        { "matches([a], '^Hel+o\\s')", "true" },
        { "matches([a], '^世')", "false" },
        { "extract([b], '-(\\w)-')", "\"Y\"" },
        { "extract([a], '(\\w+) (.)', 2)", "\"世\"" },
        { "extract([a], 'z+')", "null" },
        { "digits('１3 9-0')", "\"1390\"" },
        { "half_width('ＡＢ（１）')", "\"AB(1)\"" },
        { "phone('139 1234-0000')", "<+8613912340000>" },
        { "phone('+86 139 1234 0000')", "<+8613912340000>" },
        { "phone('139****0000')", "null" },
        { "phone('E10ADC3949BA59ABBE56E057F20F883E')", "\"md5:e10adc3949ba59abbe56e057f20f883e\"" },
        { "phone('')", "null" },
        { "phone(null)", "null" },
        { "email(' Ann@Brand.CN ')", "<ann@brand.cn>" },
        { "email('ann')", "null" },
        { "md5('123456')", "\"e10adc3949ba59abbe56e057f20f883e\"" },
        { "md5(null)", "null" },
        { "sha256('123456')",
          "\"8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92\"" },
        { "'it''s'", "\"it's\"" },
        { "\"双\"", "\"双\"" },
        { "text(12.50)", "\"12.5\"" },
        { "lookup('红', 'colours')", "\"red\"" },
        { "lookup('绿', 'colours', '?')", "\"?\"" },
        { "lookup('绿', 'colours')", "null" },
        { "lookup('空', 'colours')", "null" },
        { "format([t], 'yyyy年M月d日 HH:mm')", "\"2024年6月18日 08:00\"" },
        { "time([t])", "\"2024-06-18T00:00:01.000Z\"" },
        { "time('18/06/2024', 'dd/MM/yyyy')", "\"2024-06-17T16:00:00.000Z\"" },
    };
    (void)state;
    CHECK(pairs);
}

static void functions_of_numbers(void **state)
{
    static const char *const pairs[][2] = {
        { "1 + 2 * 3", "7" },
        { "(1 + 2) * 3", "9" },
        { "7 - 2 - 1", "4" },
        { "12 / 4 / 3", "1" },
        { "0.1 + 0.2", "0.3" },
        { "[n] * 3", "37.5" },
        { "[n] + [m]", "9.5" },
        { "-[m]", "3" },
        { "--[m]", "-3" },
        { "- - 2 - 1", "1" },
        { "[商品总价(元)] / 2", "617" },
        { "number([商品总价(元)])", "1234" },
        { "round(2.345, 2)", "2.34" },
        { "round(2.5)", "2" },
        { "round(3.5)", "4" },
        { "floor(-1.5)", "-2" },
        { "abs([m])", "3" },
        { "integer('17850.0')", "17850" },
        { "integer('1.5')", "not_a_number" },
        { "least(3, number([m]), 2)", "-3" },
        { "least([n], [m], '2')", "\"-3\"" },
        { "greatest(3, [n], null)", "\"12.50\"" },
        { "1 / 0", "number_range" },
        { "9223372036854775807", "9223372036854775807" },
        { "9223372036854775807 + 1", "number_range" },
        { "text(9223372036854775807 + 1)", "\"9223372036854775808\"" },
        { "try(1 / 0, 9)", "9" },
        { "try(number([a]))", "null" },
        { "number([a])", "not_a_number" },
        { "number('1.38E+10')", "lost_digits" },
        { "[x?] + 1", "null" },
        { "coalesce([x?], [n])", "\"12.50\"" },
        { "row_number() + 10", "11" },
        { "100000000000000000000 * 100000000000000000000", "number_range" },
    };
    (void)state;
    CHECK(pairs);
}

static void conditions(void **state)
{
    static const char *const pairs[][2] = {
        { "[状态] = '交易成功'", "true" },
        { "[状态] != '交易成功'", "false" },
        { "[状态] <> '交易关闭'", "true" },
        { "[状态] in ('交易关闭', '交易成功')", "true" },
        { "[状态] in ('交易关闭')", "false" },
        { "[n] > 9", "true" },
        { "[n] = 12.5", "true" },
        { "[n] = '12.5'", "false" },
        { "[n] > '2'", "true" },
        { "[n] > [m]", "true" },
        { "[t] < '2024/10/1'", "true" },
        { "[a] > 'Hallo'", "true" },
        { "[m] < 0 and [n] > 0", "true" },
        { "[m] > 0 or [n] > 0", "true" },
        { "not [m] > 0", "true" },
        { "not not true", "true" },
        { "[x?] = null", "true" },
        { "[x?] = 1", "false" },
        { "[x?] < 1", "false" },
        { "[a] < 1", "false" },
        { "[a] = 1", "false" },
        { "present([x?])", "false" },
        { "empty([x?])", "true" },
        { "if([m] < 0, '退', '付')", "\"退\"" },
        { "if([m] > 0, '退')", "null" },
        { "if([m] > 0, number([a]), 1)", "1" },
        { "false and number([a]) = 1", "false" },
        { "true or number([a]) = 1", "true" },
        { "time([t]) > '2024-01-01'", "true" },
        { "time([t]) < time('2024-01-01')", "false" },
        { "boolean('是')", "true" },
        { "boolean('maybe')", "not_a_boolean" },
        { "true = '是'", "true" },
        { "refuse('不要这一行')", "refused" },
        { "if([m] < 0, refuse('x'), 1)", "refused" },
    };
    (void)state;
    CHECK(pairs);
}

static void what_does_not_compile_says_where(void **state)
{
    static const char *const wrong[][2] = {
        { "", "nothing where a value is wanted" },
        { "1 +", "nothing where a value is wanted" },
        { "(1", "no ')' where one is wanted" },
        { "1 2", "something left over" },
        { "'abc", "a quotation without its end" },
        { "[abc", "a quotation without its end" },
        { "[没有]", "the file has no column '没有'" },
        { "foo(1)", "an unknown function" },
        { "foo", "a word that is no function" },
        { "if(1)", "too few arguments" },
        { "abs(1, 2)", "too many arguments" },
        { "matches([a], [b])", "wants a quoted text" },
        { "matches([a], '(')", "the regular expression is wrong" },
        { "lookup([a], '没有')", "no table" },
        { "script('没有')", "no script" },
        { "time([t], 'QQ')", "means nothing" },
        { "format([t], 'auto')", "wants a pattern" },
        { "$total", "no sum" },
        { "1 in 2", "no list" },
        { "#", "nothing where a value is wanted" },
        { "1 = = 2", "nothing where a value is wanted" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_err(compile(wrong[i][0]), ERR_UNPROCESSABLE);
        if (strstr(mapper->problem.detail, wrong[i][1]) == NULL)
            fail_msg("%s: %s", wrong[i][0], mapper->problem.detail);
        assert_string_equal(mapper->problem.pointer, "/properties/x");
    }
}

static void limits_hold(void **state)
{
    struct buffer text;
    (void)state;
    buffer_init(&text, 100000);
    for (int i = 0; i < 100; i++)
        buffer_append_byte(&text, '(');
    buffer_append_byte(&text, 0);
    assert_err(compile(text.data), ERR_UNPROCESSABLE);
    assert_non_null(strstr(mapper->problem.detail, "too many levels"));
    buffer_clear(&text);
    buffer_append_str(&text, STR("1"));
    for (int i = 0; i < 4500; i++)
        buffer_append_str(&text, STR("+1"));
    buffer_append_byte(&text, 0);
    assert_err(compile(text.data), ERR_UNPROCESSABLE);
    /* A text that doubles at each of twenty-four steps is stopped. */
    buffer_clear(&text);
    for (int i = 0; i < 24; i++)
        buffer_append_str(&text, STR("replace("));
    buffer_append_str(&text, STR("'ll'"));
    for (int i = 0; i < 24; i++)
        buffer_append_str(&text, STR(",'l','ll')"));
    buffer_append_byte(&text, 0);
    assert_string_equal(value_on(text.data, ROW), "too_large");
    /* A pattern that backtracks without end, too. */
    assert_string_equal(
        value_on("matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '^(a+)+$')", ROW),
        "regex_limit");
    buffer_deinit(&text);
}

static void typed_cells_keep_their_kind(void **state)
{
    struct table_cell cells[] = { { CELL_TEXT, STR("u1") },    { CELL_NUMBER, STR("12.50") },
                                  { CELL_BOOL, STR("true") },  { CELL_LOST, STR("1.2E+17") },
                                  { CELL_JSON, STR("[1,2]") }, { CELL_TIME, STR("2024-06-18") } };
    static const char *const wanted[][2] = { { "[a]", "12.5" },
                                             { "[b]", "true" },
                                             { "[n]", "\"1.2E+17\"" },
                                             { "[m]", "[1,2]" },
                                             { "time([t])", "\"2024-06-17T16:00:00.000Z\"" },
                                             { "[n] + 1", "lost_digits" },
                                             { "[m] + 1", "not_a_number" },
                                             { "[a] + 1", "13.5" },
                                             { "if([b], 1, 2)", "1" } };
    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_ok(compile(wanted[i][0]));
        assert_ok(mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context,
                                     &mapper->problem));
        assert_ok(mapper_cells(mapper, cells, 6, STR("raw")));
        const char *made = mapper->refused_count > 0 ? mapper->refused[0] : mapper->events[0];
        if (strstr(made, wanted[i][1]) == NULL)
            fail_msg("%s is %s, not %s", wanted[i][0], made, wanted[i][1]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(functions_of_texts), TEST(functions_of_numbers),
        TEST(conditions),         TEST(what_does_not_compile_says_where),
        TEST(limits_hold),        TEST(typed_cells_keep_their_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
