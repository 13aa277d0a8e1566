/* SPDX-License-Identifier: Apache-2.0 */
/* Times, spans and values in words: for sentences. */
#include "rule/sentence.h"

#include <string.h>

/* ---- times ---- */

static void say_unit(struct speech *speech, int64_t count, const char *zh, const char *en)
{
    sentence_int(speech, count);
    if (speech->chinese)
        buffer_printf(speech->out, "%s", zh);
    else
        buffer_printf(speech->out, " %s%s", en, count == 1 ? "" : "s");
}

/* "90d" */
void sentence_span(struct speech *speech, str word)
{
    int64_t count = 0;
    if (word.size < 2 || !str_to_int64(str_slice(word, 0, word.size - 1), &count)) {
        sentence_text(speech, word);
        return;
    }
    switch (word.data[word.size - 1]) {
    case 'm':
        say_unit(speech, count, "分钟", "minute");
        break;
    case 'h':
        say_unit(speech, count, "小时", "hour");
        break;
    case 'w':
        say_unit(speech, count, "周", "week");
        break;
    case 'M':
        say_unit(speech, count, "个月", "month");
        break;
    case 'y':
        say_unit(speech, count, "年", "year");
        break;
    default:
        say_unit(speech, count, "天", "day");
        break;
    }
}

static bool is_span(str word)
{
    struct moment span;
    return span_parse(word, &span);
}

static const struct {
    const char *word, *zh, *en;
} time_words[] = {
    { "now", "现在", "now" },
    { "today", "今天", "today" },
    { "yesterday", "昨天", "yesterday" },
    { "tomorrow", "明天", "tomorrow" },
    { "this_week", "本周", "this week" },
    { "last_week", "上周", "last week" },
    { "this_month", "本月", "this month" },
    { "last_month", "上月", "last month" },
    { "this_quarter", "本季度", "this quarter" },
    { "last_quarter", "上季度", "last quarter" },
    { "this_year", "今年", "this year" },
    { "last_year", "去年", "last year" },
    { "since_entering", "进入以来", "since entering" },
    { "week_start", "本周一", "the start of this week" },
    { "month_start", "本月初", "the start of this month" },
    { "quarter_start", "本季度初", "the start of this quarter" },
    { "year_start", "今年年初", "the start of this year" },
};

static bool say_time_word(struct speech *speech, str word)
{
    for (size_t i = 0; i < sizeof(time_words) / sizeof(time_words[0]); i++) {
        if (str_equal(word, str_from_c(time_words[i].word))) {
            sentence_say(speech, time_words[i].zh, time_words[i].en);
            return true;
        }
    }
    return false;
}

/* "now-30d", "month_start-1M", "2026-06-18", "90d" (ago) */
static void say_moment(struct speech *speech, str word)
{
    if (is_span(word)) {
        sentence_span(speech, word);
        sentence_say(speech, "前", " ago");
        return;
    }
    size_t at = 0;
    while (at < word.size && word.data[at] != '-' && word.data[at] != '+')
        at++;
    str anchor = str_slice(word, 0, at), rest = str_slice(word, at, word.size);
    bool digits = word.size > 0 && word.data[0] >= '0' && word.data[0] <= '9';
    if (digits || (rest.size > 0 && !is_span(str_slice(rest, 1, rest.size)))) {
        sentence_text(speech, word);
        return;
    }
    if (rest.size == 0) {
        (void)say_time_word(speech, anchor);
        return;
    }
    str span = str_slice(rest, 1, rest.size);
    bool back = rest.data[0] == '-', now = str_equal(anchor, STR("now"));
    if (!speech->chinese) {
        if (now && !back)
            sentence_say(speech, "", "in ");
        sentence_span(speech, span);
        if (now)
            sentence_say(speech, "", back ? " ago" : "");
        else
            sentence_say(speech, "", back ? " before " : " after ");
        if (!now)
            (void)say_time_word(speech, anchor);
        return;
    }
    if (!now)
        (void)say_time_word(speech, anchor);
    sentence_say(speech, now ? "" : "的", "");
    sentence_span(speech, span);
    sentence_say(speech, back ? "前" : "后", "");
}

void sentence_window(struct speech *speech, const struct window *window)
{
    if (window->last.size > 0) {
        sentence_say(speech, "近", "in the last ");
        sentence_span(speech, window->last);
    } else if (window->entered.kind != RULE_ENTERED_SELF) {
        bool segment = window->entered.kind == RULE_ENTERED_SEGMENT;
        sentence_say(speech, segment ? "进入人群“" : "进入旅程“",
                     segment ? "since entering the segment '" : "since entering the journey '");
        sentence_text(speech, window->word);
        sentence_say(speech, "”以来", "'");
    } else if (window->word.size > 0) {
        (void)say_time_word(speech, window->word);
    } else if (window->has_from && window->has_to) {
        sentence_say(speech, "", "between ");
        say_moment(speech, window->from_word);
        sentence_say(speech, "至", " and ");
        say_moment(speech, window->to_word);
    } else if (window->has_from) {
        sentence_say(speech, "自", "since ");
        say_moment(speech, window->from_word);
        sentence_say(speech, "起", "");
    } else if (window->has_to) {
        sentence_say(speech, "在", "before ");
        say_moment(speech, window->to_word);
        sentence_say(speech, "之前", "");
    }
}

/* ---- values ---- */

static void say_minor(struct speech *speech, wide minor)
{
    if (minor < 0)
        buffer_append_byte(speech->out, '-');
    minor = minor < 0 ? -minor : minor;
    wide_write(speech->out, minor / 100);
    buffer_printf(speech->out, ".%02d", (int)(minor % 100));
}

static str unquoted(str json)
{
    bool quoted = json.size >= 2 && json.data[0] == '"';
    return quoted ? str_slice(json, 1, json.size - 1) : json;
}

#define SHOWN_MAX 5

static void say_more(struct speech *speech, uint32_t count)
{
    if (count <= SHOWN_MAX)
        return;
    if (speech->chinese)
        buffer_printf(speech->out, "等%u项", count);
    else
        buffer_printf(speech->out, " and %u more", count - SHOWN_MAX);
}

static void say_number_list(struct speech *speech, const struct compare *compare, wide unit)
{
    for (uint32_t i = 0; i < compare->count && i < SHOWN_MAX; i++) {
        if (i > 0)
            sentence_say(speech, "、", ", ");
        if (compare->kind == RULE_MONEY)
            say_minor(speech, compare->numbers[i]);
        else if (compare->kind == RULE_TIME)
            wide_write(speech->out, compare->numbers[i]);
        else
            millionths_write(speech->out, compare->numbers[i] * unit);
    }
    say_more(speech, compare->count);
}

static void say_text_list(struct speech *speech, const struct compare *compare)
{
    for (uint32_t i = 0; i < compare->count && i < SHOWN_MAX; i++) {
        if (i > 0)
            sentence_say(speech, "、", ", ");
        sentence_quoted(speech, compare->texts[i]);
    }
    say_more(speech, compare->count);
}

/* "[a,b]" of 'between' for times. */
static void say_time_pair(struct speech *speech, str json)
{
    str inner = str_slice(json, 1, json.size - 1), first;
    (void)str_split(&inner, ',', &first);
    say_moment(speech, unquoted(first));
    sentence_say(speech, "至", " and ");
    say_moment(speech, unquoted(inner));
}

static void say_number(struct speech *speech, const struct compare *compare, wide value)
{
    if (compare->kind == RULE_MONEY)
        say_minor(speech, value);
    else if (compare->kind == RULE_BOOL)
        sentence_say(speech, value != 0 ? "是" : "否", value != 0 ? "true" : "false");
    else
        millionths_write(speech->out, value);
}

static void say_reference(struct speech *speech, const struct compare *compare)
{
    const struct reference *reference = compare->reference;
    if (speech->chinese)
        buffer_printf(speech->out, "第%u步的", reference->step + 1);
    sentence_text(speech, reference->property.path);
    if (!speech->chinese)
        buffer_printf(speech->out, " of step %u", reference->step + 1);
}

static void say_anniversary(struct speech *speech, const struct compare *compare)
{
    str word = unquoted(compare->shown), in = STR("in "), within = STR("within ");
    if (say_time_word(speech, word))
        return;
    if (str_starts_with(word, in)) {
        sentence_say(speech, "", "in ");
        sentence_span(speech, str_slice(word, in.size, word.size));
        sentence_say(speech, "后", "");
    } else if (str_starts_with(word, within)) {
        sentence_say(speech, "未来", "within the next ");
        sentence_span(speech, str_slice(word, within.size, word.size));
        sentence_say(speech, "内", "");
    } else {
        sentence_span(speech, str_slice(word, 0, word.size - STR(" ago").size));
        sentence_say(speech, "前", " ago");
    }
}

void sentence_literal(struct speech *speech, const struct compare *compare, wide unit)
{
    if (compare->reference != NULL)
        say_reference(speech, compare);
    else if (compare->me)
        sentence_say(speech, "我", "me");
    else if (compare->op == OP_ANNIVERSARY)
        say_anniversary(speech, compare);
    else if (compare->texts != NULL)
        say_text_list(speech, compare);
    else if (compare->numbers != NULL)
        say_number_list(speech, compare, unit);
    else if (compare->kind == RULE_TIME && compare->op == OP_BETWEEN)
        say_time_pair(speech, compare->shown);
    else if (compare->kind == RULE_TIME)
        say_moment(speech, unquoted(compare->shown));
    else
        say_number(speech, compare, compare->first);
    if (compare->op == OP_BETWEEN && compare->kind != RULE_TIME) {
        sentence_say(speech, "至", " and ");
        say_number(speech, compare, compare->second);
    }
}

/* " is at least 100.00" */
void sentence_compare(struct speech *speech, const struct compare *compare, wide unit)
{
    sentence_say(speech, "", " ");
    if (compare->kind == RULE_TIME && (compare->op == OP_LT || compare->op == OP_LTE))
        sentence_say(speech, compare->op == OP_LT ? "早于" : "不晚于",
                     compare->op == OP_LT ? "is before" : "is not after");
    else if (compare->kind == RULE_TIME && (compare->op == OP_GT || compare->op == OP_GTE))
        sentence_say(speech, compare->op == OP_GT ? "晚于" : "不早于",
                     compare->op == OP_GT ? "is after" : "is not before");
    else
        sentence_say(speech, operator_label(compare->op, true), operator_label(compare->op, false));
    if (operator_arity(compare->op) == '0')
        return;
    sentence_say(speech, "", " ");
    sentence_literal(speech, compare, unit);
}
