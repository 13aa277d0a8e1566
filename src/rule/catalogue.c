/* SPDX-License-Identifier: Apache-2.0 */
/* The language as data: what an editor is built from, in both languages. */
#include <string.h>

#include "rule/inside.h"

static void put_label(struct json_writer *writer, const char *zh, const char *en)
{
    json_put_key(writer, STR("label"));
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), str_from_c(zh));
    json_member_text(writer, STR("en"), str_from_c(en));
    json_end_object(writer);
}

static const char *kind_name(char letter)
{
    static const enum rule_kind all[] = { RULE_TEXT, RULE_NUMBER, RULE_MONEY,
                                          RULE_TIME, RULE_BOOL,   RULE_TEXTS };
    static const char *const names[] = { "text", "number", "money", "time", "bool", "texts" };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (kind_letter(all[i]) == letter)
            return names[i];
    return "";
}

static void put_kinds(struct json_writer *writer, const char *letters)
{
    json_put_key(writer, STR("kinds"));
    json_begin_array(writer);
    for (; *letters != '\0'; letters++)
        json_put_text(writer, str_from_c(kind_name(*letters)));
    json_end_array(writer);
}

static void put_operators(struct json_writer *writer)
{
    json_put_key(writer, STR("operators"));
    json_begin_array(writer);
    for (int i = OP_NONE + 1; i < OP_COUNT; i++) {
        enum comparison op = (enum comparison)i;
        char arity = operator_arity(op);
        json_begin_object(writer);
        json_member_text(writer, STR("operator"), str_from_c(operator_word(op)));
        put_label(writer, operator_label(op, true), operator_label(op, false));
        json_member_text(writer, STR("value"),
                         arity == '0'   ? STR("true")
                         : arity == '1' ? STR("one")
                         : arity == '2' ? STR("two")
                                        : STR("list"));
        put_kinds(writer, operator_kinds(op));
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void put_measures(struct json_writer *writer)
{
    json_put_key(writer, STR("measures"));
    json_begin_array(writer);
    for (int i = 0; i < MEASURE_END; i++) {
        enum measure measure = (enum measure)i;
        char of = measure_of(measure);
        json_begin_object(writer);
        json_member_text(writer, STR("measure"), str_from_c(measure_word(measure)));
        put_label(writer, measure_label(measure, true), measure_label(measure, false));
        json_member_text(writer, STR("of"),
                         of == 'n'   ? STR("none")
                         : of == 'r' ? STR("required")
                                     : STR("optional"));
        put_kinds(writer, measure_kinds(measure));
        bool same = of == 'r' && measure != MEASURE_DISTINCT;
        json_member_text(writer, STR("gives"),
                         same        ? STR("kind of the property")
                         : of == 'o' ? STR("time, or kind of the property")
                                     : STR("number"));
        json_end_object(writer);
    }
    json_end_array(writer);
}

static const struct {
    const char *form, *example, *zh, *en;
} windows[] = {
    { "last", "{\"last\":\"90d\"}", "近一段时间", "the last …" },
    { "ago", "{\"during\":{\"from\":\"90d\",\"to\":\"30d\"}}", "多久前至多久前", "between … ago" },
    { "times", "{\"during\":{\"from\":\"2026-06-01\",\"to\":\"2026-06-19\"}}", "起止时间",
      "between two times" },
    { "since_entering", "{\"during\":\"since_entering\"}", "进入以来", "since entering" },
    { "since_entering_segment", "{\"during\":{\"since_entering\":{\"segment\":\"vip\"}}}",
      "进入某人群以来", "since entering a segment" },
    { "today", "{\"during\":\"today\"}", "今天", "today" },
    { "yesterday", "{\"during\":\"yesterday\"}", "昨天", "yesterday" },
    { "this_week", "{\"during\":\"this_week\"}", "本周", "this week" },
    { "last_week", "{\"during\":\"last_week\"}", "上周", "last week" },
    { "this_month", "{\"during\":\"this_month\"}", "本月", "this month" },
    { "last_month", "{\"during\":\"last_month\"}", "上月", "last month" },
    { "this_quarter", "{\"during\":\"this_quarter\"}", "本季度", "this quarter" },
    { "last_quarter", "{\"during\":\"last_quarter\"}", "上季度", "last quarter" },
    { "this_year", "{\"during\":\"this_year\"}", "今年", "this year" },
    { "last_year", "{\"during\":\"last_year\"}", "去年", "last year" },
};

static void put_windows(struct json_writer *writer)
{
    json_put_key(writer, STR("windows"));
    json_begin_array(writer);
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("window"), str_from_c(windows[i].form));
        put_label(writer, windows[i].zh, windows[i].en);
        json_member_raw(writer, STR("example"), str_from_c(windows[i].example));
        json_end_object(writer);
    }
    json_end_array(writer);
    json_put_key(writer, STR("units"));
    json_begin_array(writer);
    static const char *const units[][3] = { { "m", "分钟", "minutes" }, { "h", "小时", "hours" },
                                            { "d", "天", "days" },      { "w", "周", "weeks" },
                                            { "M", "个月", "months" },  { "y", "年", "years" } };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("unit"), str_from_c(units[i][0]));
        put_label(writer, units[i][1], units[i][2]);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static const struct {
    const char *form, *members, *where, *zh, *en;
} forms[] = {
    { "all", "", "customer event object", "全部满足", "all of" },
    { "any", "", "customer event object", "任一满足", "any of" },
    { "not", "", "customer event object", "不满足", "not" },
    { "trait", "comparison", "customer", "属性", "trait" },
    { "tag", "comparison", "customer object", "标签", "tag" },
    { "segment", "", "customer", "人群", "segment" },
    { "has", "", "customer", "有标识", "holds an identifier" },
    { "consent", "comparison", "customer", "同意", "consent" },
    { "reachable", "", "customer", "可触达", "reachable" },
    { "relation", "comparison", "customer", "关系", "relation" },
    { "event", "where last during nth measure of net comparison", "customer", "行为", "event" },
    { "sequence", "within last during", "customer", "行为序列", "sequence" },
    { "touch", "status last during measure comparison", "customer", "触达", "touch" },
    { "object", "via rule", "customer event object", "关联对象", "object" },
    { "prop", "comparison", "event object", "行为属性", "property" },
};

static void put_words(struct json_writer *writer, const char *key, const char *words)
{
    str rest = str_from_c(words), word;
    json_put_key(writer, str_from_c(key));
    json_begin_array(writer);
    while (str_split(&rest, ' ', &word))
        json_put_text(writer, word);
    json_end_array(writer);
}

static void put_forms(struct json_writer *writer)
{
    json_put_key(writer, STR("forms"));
    json_begin_array(writer);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("form"), str_from_c(forms[i].form));
        put_label(writer, forms[i].zh, forms[i].en);
        put_words(writer, "members", forms[i].members);
        put_words(writer, "of", forms[i].where);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void put_limits(struct json_writer *writer)
{
    json_put_key(writer, STR("limits"));
    json_begin_object(writer);
    json_member_int(writer, STR("depth"), RULE_DEPTH_MAX);
    json_member_int(writer, STR("conditions"), RULE_CONDITIONS_MAX);
    json_member_int(writer, STR("list"), RULE_LIST_MAX);
    json_member_int(writer, STR("window_days"), RULE_WINDOW_DAYS_MAX);
    json_member_int(writer, STR("pattern_bytes"), PATTERN_BYTES_MAX);
    json_end_object(writer);
}

void rule_write_catalogue(struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    put_forms(&writer);
    put_operators(&writer);
    put_measures(&writer);
    put_windows(&writer);
    put_limits(&writer);
    json_end_object(&writer);
}
