/* SPDX-License-Identifier: Apache-2.0 */
/* The lint: each rule of lint.json finds what it is for, and says nothing of what is fine. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "support/cmocka.h"
#include "template/lint.h"

struct row {
    const char *channel;
    bool is_marketing;
    const char *parts;  /* with ' for " */
    const char *wanted; /* codes in order, '!' in front of errors */
};

#define SMS "【熟客】您好{{ customer.name | default: '顾客' | truncate: 6 }}，订单已发货"

static const struct row rows[] = {
    { "sms", false, "{'text':'" SMS "'}", "" },
    { "sms", false, "{}", "sms.text_missing" },
    { "sms", true, "{'text':'" SMS "'}", "!sms.opt_out" },
    { "sms_aliyun", true, "{'text':'" SMS "，拒收请回复R'}", "" },
    { "sms", false, "{'text':'【熟客】{{ customer.name }}您好您好'}", "no_default" },
    { "sms", false,
      "{'text':'【熟客】{% if customer.name %}{{ customer.name }}{% endif %}您好您好'}", "" },
    { "sms", false, "{'text':'您好【熟客】欢迎'}", "!sms.sign" },
    { "sms", false, "{'text':'【熟】欢迎光临'}", "!sms.sign" },
    { "sms", false, "{'text':'【熟客】欢迎【光临】'}", "!sms.sign" },
    { "sms", false, "{'text':'【熟{{ x }}】欢迎光临'}", "!sms.sign" },
    { "sms", false, "{'text':'【熟客】欢迎光临😀'}", "!sms.emoji" },
    { "sms", false, "{'text':'【熟客】欢迎光临 {{ short_url }} 看'}", "!sms.link_in_variable" },
    { "sms", false, "{'text':'【熟客】欢迎光临 https://{{ host }}/a'}", "!sms.link_in_variable" },
    { "sms", false, "{'text':'【熟客】欢迎光临 https://s.brand.cn/{{ link.code }} '}", "" },
    { "sms", true, "{'text':'【熟客】欢迎光临 s.brand.cn/a 拒收请回复R'}", "!sms.bare_domain" },
    { "sms", true,
      "{'text':'【熟客】欢迎光临 https://s.brand.cn/a.cn 或 v1.5 写信 a@brand.cn 拒收请回复R'}",
      "" },
    { "sms", false, "{'text':'【熟客】{{ a }}{{ b }}欢迎光临'}", "!sms.variables_adjacent" },
    { "sms", false, "{'text':'【熟客】{{ a }}，{{ b }}'}", "!sms.only_variables" },
    { "sms", false, "{'text':'【熟客】欢迎办理贷款业务'}", "!sms.banned_word" },
    { "sms", false, "{'text':'【熟客】恭喜您中奖了哦'}", "sms.prize" },
    { "sms", false, "{'text':'【熟客】有事请打13800000000或400'}", "sms.phone_in_text" },
    { "sms", true, "{'text':'【熟客】史上最低价，拒收请回复R'}", "advertising_law" },
    { "sms", false, "{'text':'【熟客】史上最低价'}", "" },
    { "sms", true, "{'text':'【熟客】治疗干皮，拒收请回复R'}", "medical_claim" },
    { "sms", false, "{'text':'" SMS "','params':{'a':'{{ order.no }}'}}", "sms.variable_long" },
    { "sms", false,
      "{'text':'" SMS "','params':{'a':'{{ order.no | truncate: 35 }}','b':'{{ p | money }}'}}",
      "" },
    { "sms_tencent", false, "{'text':'" SMS "','params':['{{ order.no | truncate: 13 }}']}", "" },
    { "sms_tencent", false,
      "{'text':'" SMS "','params':['固定的一二三四五六七八九十','{{ order.no }}']}",
      "sms.variable_long sms.variable_long" },
    { "sms", false, "{'text':'{{ x | trunc: 3 }}欢迎光临'}", "!template.syntax" },
    { "wecom", false, "{'text':'你好'}", "" },
    { "wecom", false, "{'attachments':[1,2,3,4,5,6,7,8,9]}", "" },
    { "wecom", false, "{'attachments':[1,2,3,4,5,6,7,8,9,10]}", "!wecom.attachments" },
    { "wecom", false, "{'attachments':[{'link':{'title':'{{ p.name }}','url':'https://a.cn'}}]}",
      "wecom.link_title" },
    { "wecom", false,
      "{'attachments':[{'link':{'title':'{{ p.name | truncate_bytes: 128 }}','url':'a.cn'}}]}",
      "!wecom.link_url" },
    { "wecom", false,
      "{'attachments':[{'link':{'title':'t','url':'{{ p.page }}','desc':'{{ p.about }}'}}]}",
      "wecom.link_desc wecom.link_url" },
    { "wecom", false,
      "{'attachments':[{'miniprogram':{'title':'一二三四五六七八九十一二三四五六七八九十一二'}}]}",
      "!wecom.miniprogram_title" },
    { "wecom", true, "{'text':'集赞有礼'}", "wecom.induce" },
    { "official_account", true, "{'data':{'thing1':'好','first':'x'}}",
      "!official_account.marketing official_account.not_shown" },
    { "official_account", false, "{'data':{'thing1':'好'}}", "" },
    { "official_account", true, "{'text':'好'}", "" },
    { "subscription", false, "{'data':{'thing1':'{{ p.name }}'}}", "wechat.thing" },
    { "subscription", false, "{'data':{'thing1':'一二三四五六七八九十一二三四五六七八九十一'}}",
      "!wechat.thing" },
    { "subscription", false, "{'data':{'thing1':'{{ p.name | truncate: 20 }}'}}", "" },
    { "subscription", true, "{'data':{'thing1':'好','thing2':'好'}}", "subscription.once" },
    { "subscription", false, "{'data':{'number1':'3件'}}", "!wechat.number" },
    { "subscription", false, "{'data':{'letter1':'a1'}}", "!wechat.letter" },
    { "subscription", false, "{'data':{'symbol1':'!!!!!!'}}", "!wechat.symbol" },
    { "subscription", false, "{'data':{'character_string1':'单号'}}", "!wechat.character_string" },
    { "subscription", false, "{'data':{'amount1':'¥{{ order.paid | money }}','amount2':'12块'}}",
      "!wechat.amount" },
    { "subscription", false, "{'data':{'phone_number1':'电话'}}", "!wechat.phone_number" },
    { "subscription", false, "{'data':{'car_number1':'浙A123456789'}}", "!wechat.car_number" },
    { "subscription", false,
      "{'data':{'name1':'一二三四五六七八九十一','name2':'abcdefghijklmnop'}}", "!wechat.name" },
    { "subscription", false, "{'data':{'phrase1':'已经发货了哦'}}", "!wechat.phrase" },
    { "subscription", false, "{'data':{'thing1':'看 https://a.cn'}}", "!subscription.link" },
    { "email", false, "{'subject':'您的订单','text':'好','html':'<p>好</p>'}", "" },
    { "email", false, "{'html':'<p>好</p>'}", "!email.subject_missing email.text_part" },
    { "email", true, "{'subject':'好','text':'{{ unsubscribe_url }}','html':'<p>好</p>'}",
      "!email.unsubscribe" },
    { "email", true,
      "{'subject':'好','text':'{{ unsubscribe_url }}','html':'<a href=\\'{{ unsubscribe_url }}\\'>退订</a>'}",
      "" },
    { "email", false, "{'subject':'免费','text':'好','html':'<SCRIPT></SCRIPT>'}",
      "email.active_content email.shout" },
    { "email", false, "{'subject':'好','text':'好','html':'<a title={{ x }}>'}",
      "!template.syntax" },
    { "webhook", false, "{'body':'{{ x }}'}", "" },
};

static struct json_parser *parser, *answers;

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(json_parser_new(&parser, 1 << 20), ERR_OK);
    assert_int_equal(json_parser_new(&answers, 1 << 20), ERR_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    json_parser_free(&parser);
    json_parser_free(&answers);
    return 0;
}

/* "!a b" of the findings, each of which has to be whole. */
static size_t summarise(json_value findings, char *out, size_t size)
{
    struct json_iterator iterator = json_iterate(findings);
    json_value finding;
    size_t at = 0, errors = 0;
    out[0] = '\0';
    while (json_next(&iterator, NULL, &finding)) {
        bool is_error = str_equal(json_text(json_get(finding, STR("level"))), STR("error"));
        errors += is_error;
        at += (size_t)snprintf(out + at, size - at, "%s%s" STR_FMT, at > 0 ? " " : "",
                               is_error ? "!" : "",
                               STR_ARG(json_text(json_get(finding, STR("code")))));
        for (size_t i = 0; i < 4; i++) {
            json_value texts = json_get(finding, i < 2 ? STR("text") : STR("cure"));
            str text = json_text(json_get(texts, i % 2 == 0 ? STR("zh") : STR("en")));
            assert_true(text.size > 0);
            assert_false(str_contains(text, STR("{limit}")) || str_contains(text, STR("{word}")) ||
                         str_contains(text, STR("{part}")) || str_contains(text, STR("{length}")));
        }
        assert_true(json_int(json_get(finding, STR("line")), 0) >= 1);
        assert_true(json_int(json_get(finding, STR("column")), 0) >= 1);
    }
    return errors;
}

static void lint_text_of(const char *channel, bool is_marketing, str json, struct buffer *out,
                         size_t *errors)
{
    json_value parts;
    struct problem problem = { 0 };
    if (json_parse(parser, json, &parts, &problem) != ERR_OK)
        fail_msg("%s: " STR_FMT, problem.detail, STR_ARG(json));
    assert_int_equal(template_lint(str_from_c(channel), is_marketing, parts, out, errors), ERR_OK);
}

static void test_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer json, out;
        json_value findings;
        char got[400];
        size_t errors;
        buffer_init(&json, 10000);
        buffer_init(&out, 1 << 20);
        for (const char *at = rows[i].parts; *at != '\0'; at++)
            buffer_append_byte(
                &json, *at == '\'' && (at == rows[i].parts || at[-1] != '\\') ? '"' : (uint8_t)*at);
        /* An escaped apostrophe stays one: JSON does not know the escape. */
        for (size_t j = 0; j + 1 < json.size; j++)
            if (json.data[j] == '\\' && json.data[j + 1] == '\'')
                json.data[j] = ' ';
        char *quotes = json.data;
        for (char *at = quotes; at != NULL && at + 12 < json.data + json.size; at++)
            if (memcmp(at, "default: \"", 10) == 0) {
                at[9] = '\'';
                *(char *)memchr(at + 10, '"', 20) = '\'';
            }
        lint_text_of(rows[i].channel, rows[i].is_marketing, buffer_str(&json), &out, &errors);
        assert_int_equal(json_parse(answers, buffer_str(&out), &findings, NULL), ERR_OK);
        assert_int_equal(summarise(findings, got, sizeof got), errors);
        if (strcmp(got, rows[i].wanted) != 0)
            fail_msg("%s %s: wanted '%s', got '%s': " STR_FMT, rows[i].channel, rows[i].parts,
                     rows[i].wanted, got, STR_ARG(buffer_str(&out)));
        buffer_deinit(&json);
        buffer_deinit(&out);
    }
}

/* Lengths: sure from the literals, likely with the variables, units of SMS. */
static void test_lengths(void **state)
{
    struct buffer json, out;
    json_value findings;
    size_t errors;
    (void)state;
    buffer_init(&json, 100000);
    buffer_init(&out, 1 << 20);
    buffer_append_str(&json, STR("{\"text\":\"【熟客】"));
    for (int i = 0; i < 64; i++)
        buffer_append_str(&json, STR("字"));
    buffer_append_str(&json, STR("{{ x | truncate: 5 }}\"}"));
    lint_text_of("sms", false, buffer_str(&json), &out, &errors);
    assert_int_equal(json_parse(answers, buffer_str(&out), &findings, NULL), ERR_OK);
    assert_int_equal(errors, 0);
    assert_int_equal(json_count(findings), 1);
    str text = json_text(json_get(json_get(json_at(findings, 0), STR("text")), STR("zh")));
    assert_true(str_contains(text, STR("约 73 字，按 2 条计费")));
    buffer_clear(&json);
    buffer_clear(&out);
    buffer_append_str(&json, STR("{\"text\":\""));
    for (int i = 0; i < 1334; i++)
        buffer_append_str(&json, STR("字"));
    buffer_append_str(&json, STR("\"}"));
    lint_text_of("wecom", false, buffer_str(&json), &out, &errors);
    assert_int_equal(errors, 1);
    assert_true(str_contains(buffer_str(&out), STR("4002")));
    buffer_deinit(&json);
    buffer_deinit(&out);
}

/* Where it is: the line and column of the word, and of a mistake. */
static void test_places(void **state)
{
    struct buffer out;
    json_value findings;
    size_t errors;
    (void)state;
    buffer_init(&out, 1 << 20);
    lint_text_of("sms", false, STR("{\"text\":\"【熟客】您好您好\\n{{ x }}的贷款\"}"), &out,
                 &errors);
    assert_int_equal(json_parse(answers, buffer_str(&out), &findings, NULL), ERR_OK);
    assert_int_equal(json_int(json_get(json_at(findings, 0), STR("line")), 0), 2);
    assert_int_equal(json_int(json_get(json_at(findings, 0), STR("column")), 0), 9);
    buffer_clear(&out);
    lint_text_of("sms", false, STR("{\"text\":\"您好您好\\n{{ x | upcas }}\"}"), &out, &errors);
    assert_int_equal(json_parse(answers, buffer_str(&out), &findings, NULL), ERR_OK);
    assert_int_equal(json_int(json_get(json_at(findings, 0), STR("line")), 0), 2);
    assert_int_equal(json_int(json_get(json_at(findings, 0), STR("column")), 0), 8);
    assert_true(str_contains(buffer_str(&out), STR("'upcase'")));
    buffer_deinit(&out);
}

/* Every rule names a check that there is, has its words in both languages, and a row above that it finds. */
static void test_data(void **state)
{
    json_value root, rule, name;
    struct json_iterator iterator;
    size_t count = 0;
    (void)state;
    assert_int_equal(
        json_parse(parser, str_from_bytes(lint_rules.bytes, lint_rules.size), &root, NULL), ERR_OK);
    iterator = json_iterate(json_get(root, STR("rules")));
    while (json_next(&iterator, NULL, &rule)) {
        str code = json_text(json_get(rule, STR("code")));
        bool has_row = str_equal(code, STR("sms.units")) || str_ends_with(code, STR("too_long")) ||
                       str_ends_with(code, STR("too_large")) || str_ends_with(code, STR("_long"));
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            has_row |= str_contains(str_from_c(rows[i].wanted), code);
        if (!has_row)
            fail_msg("no row finds '" STR_FMT "'", STR_ARG(code));
        assert_true(json_count(json_get(rule, STR("channels"))) > 0);
        assert_true(json_count(json_get(rule, STR("parts"))) > 0);
        str check = json_text(json_get(rule, STR("check")));
        assert_true(str_equal(check, STR("required")) || lint_knows(check));
        name = json_get(rule, STR("level"));
        assert_true(str_equal(json_text(name), STR("error")) ||
                    str_equal(json_text(name), STR("advice")));
        count++;
    }
    assert_true(count > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_data),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
