/* SPDX-License-Identifier: Apache-2.0 */
/* What values cannot do: 200 payloads in every place where an output may stand; what no place may hold is refused; bombs end. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "support/cmocka.h"
#include "template/template.h"

static const char *const bases[] = {
    "<script>alert(1)</script>",
    "\"><script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "//evil.example/x",
    "\\\\evil.example\\x",
    "{{7*7}}",
    "{% if true %}x{% endif %}",
    "${7*7}",
    "%s%n%x",
    "<svg/onload=alert(1)>",
    "<!--",
    "-->",
    "]]>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "`onerror=alert(1)",
    "&#106;avascript:alert(1)",
    "&lt;script&gt;",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "=cmd|' /C calc'!A0",
    "Subject\r\nBcc: a@b.cn",
    "a\xe2\x80\xaex",
    "\xe2\x80\xaa\xe2\x81\xa6x",
    "\xc2\x85\xc2\x9f",
    "<a href=javascript:alert(1)>x</a>",
    "feed:javascript:alert(1)",
    "view-source:javascript:1",
    "x' or '1'='1",
    "\\\"}]; alert(1); //",
};
/* Around each: as it is, and in four disguises. */
static const char *const disguises[][2] = {
    { "", "" }, { "x ", " y" }, { "\xe4\xbd\xa0", "\xe5\xa5\xbd" }, { "\"", "'" }, { "&", ";" },
};
#define BASES (sizeof bases / sizeof bases[0])
#define DISGUISES (sizeof disguises / sizeof disguises[0])

static char payload[400];

static void get(void *context, str path, struct template_value *value)
{
    (void)context;
    (void)path;
    *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = str_from_c(payload) };
}

static err render(const char *source, enum template_escape escape, struct buffer *out,
                  struct problem *problem)
{
    struct template *template = NULL;
    struct template_values values = { .get = get, .locale = STR("zh") };
    err error = template_new(&template, str_from_c(source), escape, problem);
    if (error == ERR_OK)
        error = template_render(template, &values, out, problem);
    template_free(&template);
    return error;
}

/* What the value became, between the fixed texts around it. */
static str value_of(const struct buffer *out, const char *before, const char *behind)
{
    str text = buffer_str(out);
    assert_true(str_starts_with(text, str_from_c(before)));
    assert_true(str_ends_with(text, str_from_c(behind)));
    return str_slice(text, strlen(before), text.size - strlen(behind));
}

static void check_html(str value)
{
    for (size_t i = 0; i < value.size; i++)
        if (value.data[i] == '\0' || strchr("<>\"'`", value.data[i]) != NULL ||
            (unsigned char)value.data[i] < 0x20)
            fail_msg("'%s' became '" STR_FMT "'", payload, STR_ARG(value));
    assert_false(str_contains(value, STR("\xe2\x80\xae")) ||
                 str_contains(value, STR("\xe2\x81\xa6")));
}

/* A scheme, after the browser has undone entities and dropped blanks, is one of the harmless ones or none. */
static void check_address(str value)
{
    size_t end = 0;
    while (end < value.size && strchr(":/?#&", value.data[end]) == NULL)
        end++;
    if (end < value.size && value.data[end] == ':')
        assert_true(str_equal(str_slice(value, 0, end), STR("https")) ||
                    str_equal(str_slice(value, 0, end), STR("http")) ||
                    str_equal(str_slice(value, 0, end), STR("mailto")));
    for (size_t i = 0; i < value.size; i++)
        assert_true((unsigned char)value.data[i] > ' ');
}

static void check_percent(str value, bool slashes)
{
    static const char *const safe =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%";
    for (size_t i = 0; i < value.size; i++)
        assert_true(strchr(safe, value.data[i]) != NULL || (slashes && value.data[i] == '/'));
}

static void check_payload(void)
{
    static const char *const places[][2] = {
        { "<p>", "</p>" },           { "<p title=\"", "\">x</p>" },
        { "<p title='", "'>x</p>" }, { "<textarea>", "</textarea>" },
        { "<title>", "</title>" },
    };
    struct buffer out;
    struct problem problem = { 0 };
    char source[200];
    buffer_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(source, sizeof source, "%s{{ v }}%s", places[i][0], places[i][1]);
        buffer_clear(&out);
        assert_int_equal(render(source, TEMPLATE_HTML, &out, &problem), ERR_OK);
        check_html(value_of(&out, places[i][0], places[i][1]));
    }
    buffer_clear(&out);
    err error = render("<a href=\"{{ v }}\">x</a>", TEMPLATE_HTML, &out, &problem);
    assert_true(error == ERR_OK || error == ERR_UNPROCESSABLE);
    if (error == ERR_OK) {
        check_html(value_of(&out, "<a href=\"", "\">x</a>"));
        check_address(value_of(&out, "<a href=\"", "\">x</a>"));
    }
    buffer_clear(&out);
    assert_int_equal(render("<a href='https://a.cn/{{ v }}'>x</a>", TEMPLATE_HTML, &out, &problem),
                     ERR_OK);
    check_percent(value_of(&out, "<a href='https://a.cn/", "'>x</a>"), true);
    buffer_clear(&out);
    assert_int_equal(render("<a href=\"/a?b={{ v }}\">x</a>", TEMPLATE_HTML, &out, &problem),
                     ERR_OK);
    check_percent(value_of(&out, "<a href=\"/a?b=", "\">x</a>"), false);
    buffer_clear(&out);
    assert_int_equal(render("{{ v }}", TEMPLATE_URL, &out, &problem), ERR_OK);
    check_percent(buffer_str(&out), false);
    buffer_clear(&out);
    assert_int_equal(render("{{ v }}", TEMPLATE_PLAIN, &out, &problem), ERR_OK);
    for (size_t i = 0; i < out.size; i++)
        assert_true((unsigned char)out.data[i] >= 0x20 && out.data[i] != 0x7f);
    assert_true(str_is_utf8(buffer_str(&out)));
    buffer_deinit(&out);
}

static void test_payloads(void **state)
{
    (void)state;
    assert_true(BASES * DISGUISES >= 200);
    for (size_t i = 0; i < BASES; i++) {
        for (size_t j = 0; j < DISGUISES; j++) {
            snprintf(payload, sizeof payload, "%s%s%s", disguises[j][0], bases[i], disguises[j][1]);
            check_payload();
        }
    }
}

/* Where nothing is safe, or ways through a block leave the page at different places. */
static void test_refused_places(void **state)
{
    static const char *const refused[] = {
        "<script>{{ v }}</script>",
        "<STYLE>{{ v }}</STYLE>",
        "<script>a</scripx>{{ v }}</script>",
        "<p {{ v }}>",
        "<{{ v }}>",
        "<p title={{ v }}>",
        "<p title=x{{ v }}>",
        "<p onclick=\"{{ v }}\">",
        "<p ONCLICK = '{{ v }}'>",
        "<p style=\"color:{{ v }}\">",
        "<iframe srcdoc=\"{{ v }}\">",
        "<!-- {{ v }} -->",
        "<!doctype {{ v }}>",
        "<a href=\"javascript:{{ v }}\">",
        "<a href=\"data:{{ v }}\">",
        "<meta http-equiv=refresh content=\"0;url={{ v }}\">",
        "<p title=\"{% if v %}\">{% endif %}{{ v }}",
        "{% for x in v %}<p title=\"{% endfor %}",
        "{% if v %}<script>{% else %}x{% endif %}",
        "<p/onclick=\"{{ v }}\">",
        "<p\nonclick\n=\n\"{{ v }}\">",
    };
    static const char *const fine[] = {
        "<script>a</script>{{ v }}",
        "<script>a<b</script ><p>{{ v }}</p>",
        "a < b {{ v }}",
        "<!-- > -- -->{{ v }}",
        "<p title=\"a>b\">{{ v }}",
        "<p hidden title='{{ v }}' x>{{ v }}",
        "{% if v %}<b>{% else %}<i>{% endif %}{{ v }}",
        "<!doctype html><html>{{ v }}",
        "<br/>{{ v }}",
    };
    struct problem problem = { 0 };
    struct buffer out;
    (void)state;
    snprintf(payload, sizeof payload, "x");
    buffer_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (render(refused[i], TEMPLATE_HTML, &out, &problem) != ERR_UNPROCESSABLE)
            fail_msg("'%s' was not refused", refused[i]);
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        if (render(fine[i], TEMPLATE_HTML, &out, &problem) != ERR_OK)
            fail_msg("'%s' was refused: %s", fine[i], problem.detail);
    buffer_deinit(&out);
}

/* ---- bombs ---- */

static struct json_parser *parser;
static json_value list;
static str large;

static void get_large(void *context, str path, struct template_value *value)
{
    (void)context;
    if (str_equal(path, STR("list")))
        *value = (struct template_value){ .kind = TEMPLATE_JSON, .json = list };
    else
        *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = large };
}

static void test_bombs(void **state)
{
    static const char *const bombs[] = {
        "{% for a in list %}{% for b in list %}{% for c in list %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% for a in list %}{{ big }}{% endfor %}",
        "{{ big | replace: 'a', big }}",
        "{{ big | append: big | append: big | append: big | append: big | append: big | append: big }}",
        "{% for a in list %}{% for b in list reversed %}{% endfor %}{% endfor %}",
        "{% for a in list %}{% if big contains 'zz' %}{% endif %}{% endfor %}",
        "{% for a in list %}{{ list | join: big }}{% endfor %}",
        "{% for a in list %}{{ big | upcase | size }}{% endfor %}",
        "{% for a in list %}{{ list | last }}{% for b in list %}{% endfor %}{% endfor %}",
    };
    struct buffer json, out, text;
    struct problem problem = { 0 };
    (void)state;
    buffer_init(&json, 1 << 20);
    buffer_init(&text, 1 << 20);
    buffer_append_byte(&json, '[');
    for (int i = 0; i < 5000; i++)
        buffer_printf(&json, "%s%d", i > 0 ? "," : "", i);
    buffer_append_byte(&json, ']');
    for (int i = 0; i < 300000; i++)
        buffer_append_byte(&text, 'a');
    large = buffer_str(&text);
    assert_int_equal(json_parser_new(&parser, 1 << 20), ERR_OK);
    assert_int_equal(json_parse(parser, buffer_str(&json), &list, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        struct template *template = NULL;
        struct template_values values = { .get = get_large, .locale = STR("zh") };
        buffer_init(&out, (size_t)8 << 20);
        assert_int_equal(template_new(&template, str_from_c(bombs[i]), TEMPLATE_HTML, &problem),
                         ERR_OK);
        assert_int_equal(template_render(template, &values, &out, &problem), ERR_UNPROCESSABLE);
        assert_true(strstr(problem.detail, "steps") != NULL ||
                    strstr(problem.detail, "longer than") != NULL ||
                    strstr(problem.detail, "memory") != NULL);
        assert_int_equal(out.size, 0);
        template_free(&template);
        buffer_deinit(&out);
    }
    json_parser_free(&parser);
    buffer_deinit(&json);
    buffer_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_refused_places),
        cmocka_unit_test(test_bombs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
