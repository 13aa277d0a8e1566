/* SPDX-License-Identifier: Apache-2.0 */
/* The language of templates: what each tag, filter and comparison writes, and what a message says of a mistake. */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "support/cmocka.h"
#include "template/template.h"

#define NOW INT64_C(1795285303000) /* 2026-11-21T18:21:43Z, a Saturday; Sunday in Shanghai */

static struct json_parser *parser;
static json_value world;

static const char world_text[] =
    "{\"customer\":{\"nickname\":\"小满\",\"empty\":\" \",\"mobile\":\"+8613800000000\",\"points\":1234567,"
    "\"rate\":0.125,\"vip\":true,\"no\":false,\"card\":2026000000000000001,\"name\":\"o'Hara <b>\","
    "\"born\":\"1990-02-03\",\"digits\":\"42.50\",\"tags\":[\"tea\",\"ski\",7]},"
    "\"order\":{\"paid\":129950,\"at\":\"2026-11-21T10:05:00+08:00\"},"
    "\"event\":{\"none\":[],\"products\":[{\"name\":\"面霜\",\"price\":19900},{\"name\":\"精华 & 水\","
    "\"price\":5},{\"name\":\"C\",\"price\":0,\"parts\":[1,2,3]}]}}";

static int set_up(void **state)
{
    struct problem problem;
    (void)state;
    assert_int_equal(json_parser_new(&parser, 1 << 20), ERR_OK);
    assert_int_equal(json_parse(parser, str_from_c(world_text), &world, &problem), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_parser_free(&parser);
    return 0;
}

static void get(void *context, str path, struct template_value *value)
{
    size_t *calls = context;
    assert_int_equal(value->kind, TEMPLATE_MISSING);
    if (calls != NULL)
        (*calls)++;
    if (str_equal(path, STR("order.sent_at")))
        *value = (struct template_value){ .kind = TEMPLATE_TIME, .number = NOW };
    else
        template_value_at(world, path, value);
}

static void check(const char *source, const char *wanted)
{
    struct template *template = NULL;
    struct template_values values = {
        .get = get, .now_ms = NOW, .zone_offset_seconds = 8 * 3600, .locale = STR("zh")
    };
    struct problem problem = { 0 };
    struct buffer out;
    buffer_init(&out, 1 << 21);
    err error = template_new(&template, str_from_c(source), TEMPLATE_PLAIN, &problem);
    if (error == ERR_OK)
        error = template_render(template, &values, &out, &problem);
    if (error != ERR_OK)
        print_message("%s: %s\n", source, problem.detail);
    assert_int_equal(error, ERR_OK);
    if (!str_equal(buffer_str(&out), str_from_c(wanted)))
        fail_msg("%s: wanted '%s', got '" STR_FMT "'", source, wanted, STR_ARG(buffer_str(&out)));
    template_free(&template);
    buffer_deinit(&out);
}

/* Fails, when it is parsed or rendered, with `detail` in its message and `hint` in its hint. */
static void check_problem(const char *source, const char *detail, const char *hint)
{
    struct template *template = NULL;
    struct template_values values = { .get = get, .now_ms = NOW, .locale = STR("zh") };
    struct problem problem = { 0 };
    struct buffer out;
    buffer_init(&out, 1 << 21);
    buffer_append_str(&out, STR("before"));
    err error = template_new(&template, str_from_c(source), TEMPLATE_PLAIN, &problem);
    if (error == ERR_OK)
        error = template_render(template, &values, &out, &problem);
    assert_int_equal(error, ERR_UNPROCESSABLE);
    assert_int_equal(problem.error, ERR_UNPROCESSABLE);
    if (strstr(problem.detail, detail) == NULL || strstr(problem.hint, hint) == NULL)
        fail_msg("%s: wanted '%s' ('%s'), got '%s' ('%s')", source, detail, hint, problem.detail,
                 problem.hint);
    assert_true(str_equal(buffer_str(&out), STR("before")));
    template_free(&template);
    buffer_deinit(&out);
}

static void test_values(void **state)
{
    (void)state;
    check("", "");
    check("plain } } {", "plain } } {");
    check("你好 {{ customer.nickname }}！", "你好 小满！");
    check("{{customer.points}} {{ customer.rate }} {{ customer.vip }}", "1234567 0.125 true");
    check("{{ customer.card }}", "2026000000000000001");
    check("{{ event.products[1].name }}", "精华 & 水");
    check("{{ event.products[2].parts[1] }}", "2");
    check("{{ event.products[0][\"name\"] }}", "面霜");
    check("{{ \"a\\\"b\\n\" }}{{ 'c' }}{{ -1.50 }}", "a\"b c-1.5");
    check("{{ order.sent_at }} {{ now }}", "2026年11月22日 2026年11月22日");
    check("{{ customer.empty | default: 'x' }}{{ customer.none | default: customer.nickname }}",
          "x小满");
    check("{{ customer.none | upcase | default: \"friend\" }}", "friend");
    check("{{ customer.none | default: customer.none | default: 'y' }}", "y");
    check("a{# note {{ x }} #}b{% comment %}{{ broken {% if %}{% endcomment %}c", "abc");
    check(" a {{- 1 -}} b {%- if true -%} c {%- endif -%} d ", " a1bcd ");
}

static void test_filters(void **state)
{
    (void)state;
    check("{{ 'abc中文字' | truncate: 4 }}|{{ 'abc中' | truncate: 4 }}", "abc…|abc中");
    check("{{ 'abcdef' | truncate: 5, '..' }}|{{ 'abc' | truncate: 1, '...' }}", "abc..|a");
    check("{{ 'a中文' | truncate_bytes: 5 }}", "a中");
    check("{{ 'aBé' | upcase }}{{ 'aB' | downcase }}{{ 'ab cd' | capitalize }}", "ABéabAb cd");
    check("[{{ ' a ' | strip }}]{{ 'a' | append: 'b' | prepend: 'c' }}", "[a]cab");
    check("{{ 'a-b-c' | replace: '-', '+++' }}{{ 'aaa' | replace: 'a', '' }}", "a+++b+++c");
    check("{{ '一二三四' | slice: 1, 2 }}{{ '一二三四' | slice: -1 }}{{ 'ab' | slice: 5, 2 }}",
          "二三四");
    check(
        "{{ customer.mobile | mask: 6, 4 }} {{ '张三' | mask }} {{ 'x' | mask }} {{ '13800000000' | mask }}",
        "+86138****0000 张* * 138****0000");
    check("{{ 'a b&中' | url }}", "a%20b%26%E4%B8%AD");
    check("{{ event.products | size }}{{ customer.nickname | size }}{{ event.none | size }}",
          "320");
    check("{{ customer.tags | first }}{{ customer.tags | last }}", "tea7");
    check("{{ customer.tags | join: '、' }} {{ event.products | join: '/', 'name' }}",
          "tea、ski、7 面霜/精华 & 水/C");
    check("{{ customer.points | number }} {{ 1234.5 | number: 2 }} {{ -1234567.891 | number: 1 }}",
          "1,234,567 1,234.50 -1,234,567.9");
    check("{{ order.paid | money }} {{ 5 | money }} {{ -5 | money }} {{ 20000 | money: 'short' }} "
          "{{ 20050 | money: 'short' }} {{ 1500 | money: 'JPY' }} {{ 1500 | money: 'KWD' }}",
          "1299.50 0.05 -0.05 200 200.50 1500 1.500");
    check("{{ customer.rate | percent }} {{ 0.5 | percent: 0 }} {{ 0.12345 | percent: 1 }}",
          "12.5% 50% 12.3%");
    check("{{ 1.25 | round: 1 }} {{ -1.25 | round: 1 }} {{ 0.4999 | round }} {{ 2.5 | round }}",
          "1.3 -1.3 0 3");
    check("{{ 1 | plus: 2 | times: 3.5 | minus: 0.5 | divided_by: 4 }}", "2.5");
    check("{{ customer.digits | plus: 1 }}", "43.5");
    check("{{ order.at | date: '%Y-%m-%d %H:%M:%S %-m月%-d日 %a %A %j %y %I%p %%' }}",
          "2026-11-21 10:05:00 11月21日 周六 星期六 325 26 10上午 %");
    check("{{ now | date: '%m/%d %H:%M' }} {{ now | add_days: 9.5 | date: '%m/%d %H' }} "
          "{{ customer.born | date }}",
          "11/22 02:21 12/01 14 1990年2月3日");
    check("{{ 1795285303 | date: '%Y' }}{{ 1795285303000 | date: '%S' }}", "202643");
    check("{{ '2024-12-31' | date: '%j' }} {{ '2023-03-01' | date: '%j %b' }}", "366 060 3月");
}

static void test_blocks(void **state)
{
    (void)state;
    check("{% if customer.vip %}a{% else %}b{% endif %}{% if customer.no %}c{% endif %}", "a");
    check("{% if customer.none %}a{% elsif customer.points > 5 %}b{% else %}c{% endif %}", "b");
    check("{% unless customer.none %}a{% else %}b{% endunless %}", "a");
    check(
        "{% if customer.none == blank and customer.empty == blank and event.none == empty %}y{% endif %}",
        "y");
    check("{% if customer.nickname != blank %}y{% endif %}{% if blank == event.none %}z{% endif %}",
          "yz");
    check("{% if customer.none == 'x' %}a{% elsif customer.none != 'x' %}b{% endif %}", "b");
    check("{% if customer.none < 1 or customer.none >= 1 %}a{% else %}b{% endif %}", "b");
    check("{% if false and false or true %}a{% endif %}{% if true or true and false %}b{% endif %}"
          "{% if (true or true) and false %}c{% endif %}{% if not (1 > 2) && !false %}d{% endif %}",
          "abd");
    check(
        "{% if customer.tags contains 'ski' and customer.tags contains 7 %}a{% endif %}"
        "{% if customer.nickname contains '满' %}b{% endif %}{% if customer.tags contains 'x' %}c{% endif %}",
        "ab");
    check(
        "{% if order.at < now %}a{% endif %}{% if order.at == '2026-11-21T02:05:00Z' %}b{% endif %}"
        "{% if order.sent_at > order.at %}c{% endif %}",
        "ac");
    check("{% if customer.digits == 42.5 and 'a' < 'b' and 0 %}a{% endif %}", "a");
    check("{% if event.products | size > 2 %}many{% endif %}", "many");
    check(
        "{% case customer.nickname %} {% when 'x', 'y' %}a{% when '小满' or 'z' %}b{% else %}c{% endcase %}",
        "b");
    check("{% case customer.none %}{% when 'x' %}a{% else %}c{% endcase %}", "c");
    check(
        "{% for p in event.products %}{{ forloop.index }}{{ p.name }}{% unless forloop.last %},{% endunless %}"
        "{% endfor %}",
        "1面霜,2精华 & 水,3C");
    check("{% for p in event.products limit: 1 offset: 1 %}{{ p.price | money }}{% endfor %}",
          "0.05");
    check(
        "{% for t in customer.tags reversed %}{{ t }}{% if forloop.first %}!{% endif %}{{ forloop.index0 }}/"
        "{{ forloop.length }} {% endfor %}",
        "7!0/3 ski1/3 tea2/3 ");
    check(
        "{% for t in event.none %}{{ t }}{% else %}none{% endfor %}{% for t in customer.none %}{% else %}no{% "
        "endfor %}{% for t in event.none %}x{% endfor %}",
        "noneno");
    check(
        "{% for p in event.products %}{% for q in p.parts %}{{ q }}{{ p.name }}{{ forloop.index }}{% else "
        "%}-{% endfor %}{% endfor %}",
        "--1C12C23C3");
}

static void test_problems(void **state)
{
    (void)state;
    check_problem("a\n二{{ customer.none }}", "line 2, column 5: 'customer.none' has no value",
                  "{{ customer.none | default: \"…\" }}");
    check_problem("{{ customer.empty }}", "'customer.empty' has no value", "default");
    check_problem("{{ 'a' | append: customer.none }}", "'customer.none' has no value", "");
    check_problem("{% for x in customer.none %}{% endfor %}", "'customer.none' has no value", "");
    check_problem("{{ x | truncat: 3 }}", "line 1, column 8: there is no filter 'truncat'",
                  "did you mean 'truncate'");
    check_problem("{{ x | zzzzzzzz }}", "there is no filter 'zzzzzzzz'",
                  "there are default, truncate");
    check_problem("{% fi x %}", "there is no tag 'fi'", "'if'");
    check_problem("{% endif %}", "nothing that {% endif %} could belong to", "");
    check_problem("\n {% if x %}", "line 2, column 2: this {% if %} has no {% endif %}", "");
    check_problem("{% if x %}{% endfor %}", "{% endfor %} does not belong to {% if %}", "");
    check_problem("{% if x = 1 %}{% endif %}", "'=' compares nothing", "write '=='");
    check_problem("{% if x %}{% else %}{% else %}{% endif %}", "{% else %} does not belong", "");
    check_problem("{% case x %}a{% when 1 %}{% endcase %}", "between 'case' and its first 'when'",
                  "");
    check_problem("{% case x %}{% endcase %}", "no 'when'", "");
    check_problem("{{ x", "'}}' is missing", "");
    check_problem("{{ 'x }}", "quotation has no end", "");
    check_problem("{{ }}", "a value is missing", "");
    check_problem("{{ x y }}", "'}}' is wanted here, not 'y'", "");
    check_problem("{{ x..y }}", "a name behind each dot", "");
    check_problem("{{ x | truncate }}", "takes 1 to 2 arguments, not 0", "truncate: 12");
    check_problem("{{ x | upcase: 1 }}", "takes 0 or 0 arguments, not 1", "");
    check_problem("{{ x | replace: 1, 2, 3, 4 }}", "too many arguments", "");
    check_problem("{# x", "this comment has no end", "");
    check_problem("{% comment %} x", "has no end", "");
    check_problem("{% for x.y in z %}{% endfor %}", "a loop begins with a name", "");
    check_problem("{% for x in z first: 1 %}{% endfor %}", "does not know 'first'", "limit: 3");
    check_problem("{% for x in customer.tags %}{{ forloop.indx }}{% endfor %}", "no 'indx'",
                  "'index'");
    check_problem("{% for x in customer.nickname %}{% endfor %}", "is no list", "");
    check_problem("{{ customer.tags }}", "a list or an object cannot be written", "");
    check_problem("{{ customer.tags | upcase }}", "takes no list", "");
    check_problem("{{ customer.nickname | plus: 1 }}", "a number is wanted", "");
    check_problem("{{ 1 | divided_by: 0 }}", "divided by 0", "");
    check_problem("{{ 9000000000000 | times: 9000000 }}", "too large", "");
    check_problem("{{ 99999999999999999999 }}", "too large", "");
    check_problem("{{ customer.nickname | date }}", "a time is wanted", "");
    check_problem("{{ now | date: '%Q' }}", "does not know what stands behind '%'", "%Y");
    check_problem("{{ 5 | money: 'XXQ' }}", "no currency", "");
    check_problem("{{ x ~ y }}", "means nothing here", "");
}

static void test_limits(void **state)
{
    struct buffer source;
    struct problem problem = { 0 };
    struct template *template = NULL;
    (void)state;
    buffer_init(&source, 1 << 20);
    for (int i = 0; i <= TEMPLATE_DEPTH_MAX; i++)
        buffer_append_str(&source, STR("{% if true %}"));
    assert_int_equal(template_new(&template, buffer_str(&source), TEMPLATE_PLAIN, &problem),
                     ERR_UNPROCESSABLE);
    assert_non_null(strstr(problem.detail, "at most 16 deep"));
    buffer_clear(&source);
    for (int i = 0; i < TEMPLATE_SOURCE_BYTES_MAX + 1; i++)
        buffer_append_byte(&source, 'x');
    assert_int_equal(template_new(&template, buffer_str(&source), TEMPLATE_PLAIN, &problem),
                     ERR_UNPROCESSABLE);
    assert_int_equal(template_new(&template, STR("a\0b"), TEMPLATE_PLAIN, NULL), ERR_UNPROCESSABLE);
    assert_int_equal(template_new(&template, STR("\xff"), TEMPLATE_PLAIN, NULL), ERR_UNPROCESSABLE);
    buffer_deinit(&source);
}

/* Each path once, in order of first use; those of items are none. */
static void test_paths(void **state)
{
    struct template *template = NULL;
    (void)state;
    const char *source =
        "{{ a.b }}{% for x in c.d %}{{ x.e }}{{ forloop.index }}{{ a.b | default: f }}{% endfor %}"
        "{% if g[0].h == c.d %}{% endif %}{{ x }}";
    static const char *const wanted[] = { "a.b", "c.d", "f", "g", "x" };
    assert_int_equal(template_new(&template, str_from_c(source), TEMPLATE_PLAIN, NULL), ERR_OK);
    assert_int_equal(template_path_count(template), 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(str_equal(template_path(template, i), str_from_c(wanted[i])));
    template_free(&template);
    assert_null(template);
}

/* A path is asked for once in a rendering; another rendering asks again, and writes the same bytes. */
static void test_determinism(void **state)
{
    struct template *template = NULL;
    struct buffer first, again;
    size_t calls = 0;
    (void)state;
    struct template_values values = {
        .context = &calls, .get = get, .now_ms = NOW, .locale = STR("en")
    };
    const char *source =
        "{{ customer.nickname }}{{ customer.nickname }}{{ now }}{{ order.sent_at | date: '%A %p' }}";
    buffer_init(&first, 1 << 16);
    buffer_init(&again, 1 << 16);
    assert_int_equal(template_new(&template, str_from_c(source), TEMPLATE_HTML, NULL), ERR_OK);
    assert_int_equal(template_render(template, &values, &first, NULL), ERR_OK);
    assert_int_equal(calls, 2);
    for (int i = 0; i < 50; i++) {
        buffer_clear(&again);
        assert_int_equal(template_render(template, &values, &again, NULL), ERR_OK);
        assert_true(str_equal(buffer_str(&first), buffer_str(&again)));
    }
    assert_true(str_equal(buffer_str(&first), STR("小满小满Nov 21, 2026Saturday PM")));
    buffer_deinit(&first);
    buffer_deinit(&again);
    template_free(&template);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),      cmocka_unit_test(test_filters),
        cmocka_unit_test(test_blocks),      cmocka_unit_test(test_problems),
        cmocka_unit_test(test_limits),      cmocka_unit_test(test_paths),
        cmocka_unit_test(test_determinism),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
