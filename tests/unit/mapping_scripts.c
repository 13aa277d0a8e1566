/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts: what they can do, what they cannot reach, where they end; and that rows do not see one another (M1, M4). */
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

static err compile(const char *script)
{
    struct buffer json;
    buffer_init(&json, 100000);
    buffer_append_str(&json, STR("{'kind':'events','event':'E','time':{'constant':'2024-01-05'},"
                                 "'identifiers':[{'type':'user_id','column':'id'}],"
                                 "'properties':{'x':{'lua':"));
    str text;
    assert_ok(arena_dup(&mapper->arena, str_from_c(script), &text));
    char *at = (char *)(uintptr_t)text.data;
    for (; *at != '\0'; at++)
        *at = *at == '\'' ? '`' : *at; /* stays an apostrophe */
    json_write_text(&json, text);
    buffer_append_str(&json, STR("}}}"));
    buffer_append_byte(&json, 0);
    err error = mapper_compile(mapper, json.data, "id|姓名|积分");
    buffer_deinit(&json);
    return error;
}

static void start(const char *script)
{
    err error = compile(script);
    if (error != ERR_OK)
        print_error("%s: %s\n", script, mapper->problem.detail);
    assert_ok(error);
    assert_ok(
        mapping_worker_new(&mapper->worker, mapper->mapping, &mapper->context, &mapper->problem));
}

/* What the script gives on a row: its JSON, or the detail of the refusal. */
static const char *result_of(const char *script)
{
    start(script);
    assert_ok(mapper_row(mapper, "u1|张三丰|1200"));
    if (mapper->refused_count > 0) {
        assert_non_null(strstr(mapper->refused[0], "script_failed"));
        return mapper->refused[0];
    }
    const char *props = strchr(mapper->events[0], '{');
    return strcmp(props, "{}") == 0 ? "null" : props + strlen("{\"x\":");
}

static void what_scripts_give(void **state)
{
    static const char *const pairs[][2] = {
        { "return row['姓名']", "\"张三丰\"}" },
        { "return utf8.len(row['姓名'])", "3}" },
        { "return tonumber(row['积分']) >= 1000 and '金' or '银'", "\"金\"}" },
        { "return 0.1 + 0.2", "0.30000000000000004}" },
        { "return 1.10", "1.1}" },
        { "return 1e15", "1000000000000000}" },
        { "return 2^53 // 1 | 0", "9007199254740992}" },
        { "return true", "true}" },
        { "return nil", "null" },
        { "return", "null" },
        { "return {1, 'a', {b = 2, a = {}}}", "[1,\"a\",{\"a\":{},\"b\":2}]}" },
        { "local t = {} for k, v in pairs({c=1,a=2,b=3}) do t[#t+1] = k end return table.concat(t)",
          "\"abc\"}" },
        { "return ('x'):rep(3, '-')", "\"x-x-x\"}" },
        { "return string.format('%05.1f|%s', 3.14159, row['积分'])", "\"003.1|1200\"}" },
        { "return (row['积分']:gsub('%d', function(d) return d + 1 end))", "\"2311\"}" },
        { "return tostring(nil) .. tostring({}) .. tostring(print)", "\"niltablenil\"}" },
        { "local function f(n) return n < 2 and n or f(n-1) + f(n-2) end return f(15)", "610}" },
        { "return select('#', string.byte('abc', 1, -1))", "3}" },
        { "return os == nil and io == nil and require == nil and load == nil and debug == nil and "
          "package == nil and dofile == nil and loadstring == nil and coroutine == nil and "
          "pcall == nil and setmetatable == nil and getmetatable == nil and rawset == nil and "
          "collectgarbage == nil and next == nil and _G == nil and print == nil and "
          "math.random == nil and string.dump == nil and table.move == nil",
          "true}" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *made = result_of(pairs[i][0]);
        if (strcmp(made, pairs[i][1]) != 0)
            fail_msg("%s gives %s, not %s", pairs[i][0], made, pairs[i][1]);
    }
}

static void what_ends_a_script(void **state)
{
    static const char *const ends[][2] = {
        { "while true do end", "runs too long" },
        { "local t = {} while true do t[#t+1] = ('x'):rep(60000) .. #t end", "memory" },
        { "local s = 'x' while true do s = s .. s end", "memory" },
        { "return ('x'):rep(1e9)", "string.rep" },
        { "return ('x'):rep(60000, 'yy')", "string.rep" },
        { "return (('a'):rep(5000)):find('.-.-.-b')", "too costly" },
        { "return (('a'):rep(5000)):match('a*a*a*a*b')", "too costly" },
        { "return (('a'):rep(9000)):gsub('a+b', '')", "too costly" },
        { "local function f() return f() + 1 end return f()", "script" },
        { "string.upper = nil", "cannot be changed" },
        { "row['姓名'] = 'x'", "cannot be changed" },
        { "return row['没有']", "no column '没有'" },
        { "error('自己的错误')", "自己的错误" },
        { "error({})", "without a text" },
        { "return nothing.x", "nil value" },
        { "return string.format('%p', {})", "%p" },
        { "return string.format('%s', {})", "expected" },
        { "return function() end", "is a function" },
        { "return 0/0", "is none" },
        { "return '\\xff'", "no UTF-8" },
        { "return {['\\xff'] = 1}", "no UTF-8" },
        { "return {[1.5] = 1}", "no text" },
        { "local t = {} t.t = t return t", "levels" },
        { "return 1e300", "does not fit" },
        { "for k in pairs({[{}] = 1, [{}] = 2}) do end", "compare" },
        { "local t = {} for i = 1, 200000 do t[i] = i end return t", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const char *made = result_of(ends[i][0]);
        if (strstr(made, ends[i][1]) == NULL ||
            (ends[i][1][0] != '\0' && mapper->refused_count == 0))
            fail_msg("%s gives %s", ends[i][0], made);
        /* The worker goes on: its next row is as good as ever. */
        mapper->refused_count = 0;
    }
}

static void a_script_that_failed_hurts_no_other_row(void **state)
{
    (void)state;
    start("local s = row['姓名'] if s == '坏' then while true do s = s .. s end end return s");
    for (int i = 0; i < 20; i++) {
        assert_ok(mapper_row(mapper, "u1|坏|1"));
        assert_ok(mapper_row(mapper, "u2|好|1"));
    }
    assert_int_equal(mapper->refused_count, 20);
    assert_int_equal(mapper->event_count, 20);
}

static void rows_do_not_see_one_another(void **state)
{
    (void)state;
    start("count = (count or 0) + 1 return count");
    for (int i = 0; i < 3; i++)
        assert_ok(mapper_row(mapper, "u1|a|1"));
    assert_int_equal(mapper->event_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_non_null(strstr(mapper->events[i], "{\"x\":1}"));
        assert_memory_equal(mapper->message_keys[i], mapper->message_keys[0], 16);
    }
}

static void what_does_not_compile_says_where(void **state)
{
    (void)state;
    assert_err(compile("return ("), ERR_UNPROCESSABLE);
    assert_non_null(strstr(mapper->problem.detail, "x:1:"));
    assert_err(compile("\x1bLua"), ERR_UNPROCESSABLE);
    assert_err(compile(""), ERR_UNPROCESSABLE);
}

static void scripts_are_named_in_expressions(void **state)
{
    (void)state;
    mapper_start(mapper,
                 "{'kind':'customers','scripts':{'grade':'return tonumber(row[`积分`]) + 1'},"
                 "'identifiers':[{'type':'user_id','column':'id'}],"
                 "'traits':{'g':'script(`grade`) * 2'}}",
                 "id|姓名|积分");
    assert_ok(mapper_row(mapper, "u1|a|41"));
    assert_int_equal(mapper->event_count, 1);
    assert_non_null(strstr(mapper->events[0], "g=84"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_scripts_give),
        TEST(what_ends_a_script),
        TEST(a_script_that_failed_hurts_no_other_row),
        TEST(rows_do_not_see_one_another),
        TEST(what_does_not_compile_says_where),
        TEST(scripts_are_named_in_expressions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
