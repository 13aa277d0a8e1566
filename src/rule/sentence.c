/* SPDX-License-Identifier: Apache-2.0 */
/* A rule in words, Chinese and English, as a person would say it.
 *
 * A sentence says what she did or is, in the order in which the rule says it; joined by "and", "or", with brackets only where
 * the two mix. Money is written with its decimals, spans of time in words. */
#include <string.h>

#include "rule/inside.h"

struct speech {
    const struct rule *rule;
    bool chinese;
    struct buffer *out;
};

static void say(struct speech *speech, const char *chinese, const char *english)
{
    buffer_append_str(speech->out, str_from_c(speech->chinese ? chinese : english));
}

static void say_text(struct speech *speech, str text)
{
    buffer_append_str(speech->out, text);
}

static void say_quoted(struct speech *speech, str text)
{
    say(speech, "“", "\"");
    say_text(speech, str_slice(text, 0, str_utf8_prefix_bytes(text, 120)));
    say(speech, "”", "\"");
}

static void say_int(struct speech *speech, int64_t number)
{
    buffer_printf(speech->out, "%lld", (long long)number);
}

/* ---- names ---- */

static const struct {
    const char *name, *zh, *en;
} event_words[] = {
    { "Order Paid", "支付订单", "paid an order" },
    { "Order Completed", "完成订单", "completed an order" },
    { "Order Placed", "下单", "placed an order" },
    { "Order Refunded", "退款", "had an order refunded" },
    { "Order Cancelled", "取消订单", "cancelled an order" },
    { "Product Viewed", "浏览商品", "viewed a product" },
    { "Product Added", "加购", "added a product to the cart" },
    { "Product Removed", "移出购物车", "removed a product from the cart" },
    { "Product Clicked", "点击商品", "clicked a product" },
    { "Products Searched", "搜索商品", "searched for products" },
    { "Checkout Started", "开始结算", "started a checkout" },
    { "Coupon Applied", "使用优惠券", "used a coupon" },
    { "Page Viewed", "浏览页面", "viewed a page" },
    { "Signed Up", "注册", "signed up" },
    { "Signed In", "登录", "signed in" },
};

static void say_event(struct speech *speech, str name)
{
    if (name.size == 0) {
        say(speech, "任意行为", "did anything");
        return;
    }
    for (size_t i = 0; i < sizeof(event_words) / sizeof(event_words[0]); i++) {
        if (str_equal(name, str_from_c(event_words[i].name))) {
            say(speech, event_words[i].zh, event_words[i].en);
            return;
        }
    }
    say(speech, "", "did ");
    say_quoted(speech, name);
}

static void say_events(struct speech *speech, const struct texts *events)
{
    for (uint32_t i = 0; i < events->count; i++) {
        if (i > 0)
            say(speech, "或", " or ");
        say_event(speech, events->items[i]);
    }
}

/* ---- times ---- */

static void say_unit(struct speech *speech, int64_t count, const char *zh, const char *en)
{
    say_int(speech, count);
    if (speech->chinese)
        buffer_printf(speech->out, "%s", zh);
    else
        buffer_printf(speech->out, " %s%s", en, count == 1 ? "" : "s");
}

/* "90d" */
static void say_span(struct speech *speech, str word)
{
    int64_t count = 0;
    if (word.size < 2 || !str_to_int64(str_slice(word, 0, word.size - 1), &count)) {
        say_text(speech, word);
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
            say(speech, time_words[i].zh, time_words[i].en);
            return true;
        }
    }
    return false;
}

/* "now-30d", "month_start-1M", "2026-06-18", "90d" (ago) */
static void say_moment(struct speech *speech, str word)
{
    if (is_span(word)) {
        say_span(speech, word);
        say(speech, "前", " ago");
        return;
    }
    size_t at = 0;
    while (at < word.size && word.data[at] != '-' && word.data[at] != '+')
        at++;
    str anchor = str_slice(word, 0, at), rest = str_slice(word, at, word.size);
    bool digits = word.size > 0 && word.data[0] >= '0' && word.data[0] <= '9';
    if (digits || (rest.size > 0 && !is_span(str_slice(rest, 1, rest.size)))) {
        say_text(speech, word);
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
            say(speech, "", "in ");
        say_span(speech, span);
        if (now)
            say(speech, "", back ? " ago" : "");
        else
            say(speech, "", back ? " before " : " after ");
        if (!now)
            (void)say_time_word(speech, anchor);
        return;
    }
    if (!now)
        (void)say_time_word(speech, anchor);
    say(speech, now ? "" : "的", "");
    say_span(speech, span);
    say(speech, back ? "前" : "后", "");
}

static void say_window(struct speech *speech, const struct window *window)
{
    if (window->last.size > 0) {
        say(speech, "近", "in the last ");
        say_span(speech, window->last);
    } else if (window->entered.kind != RULE_ENTERED_SELF) {
        bool segment = window->entered.kind == RULE_ENTERED_SEGMENT;
        say(speech, segment ? "进入人群“" : "进入旅程“",
            segment ? "since entering the segment '" : "since entering the journey '");
        say_text(speech, window->word);
        say(speech, "”以来", "'");
    } else if (window->word.size > 0) {
        (void)say_time_word(speech, window->word);
    } else if (window->has_from && window->has_to) {
        say(speech, "", "between ");
        say_moment(speech, window->from_word);
        say(speech, "至", " and ");
        say_moment(speech, window->to_word);
    } else if (window->has_from) {
        say(speech, "自", "since ");
        say_moment(speech, window->from_word);
        say(speech, "起", "");
    } else if (window->has_to) {
        say(speech, "在", "before ");
        say_moment(speech, window->to_word);
        say(speech, "之前", "");
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
            say(speech, "、", ", ");
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
            say(speech, "、", ", ");
        say_quoted(speech, compare->texts[i]);
    }
    say_more(speech, compare->count);
}

/* "[a,b]" of 'between' for times. */
static void say_time_pair(struct speech *speech, str json)
{
    str inner = str_slice(json, 1, json.size - 1), first;
    (void)str_split(&inner, ',', &first);
    say_moment(speech, unquoted(first));
    say(speech, "至", " and ");
    say_moment(speech, unquoted(inner));
}

static void say_number(struct speech *speech, const struct compare *compare, wide value)
{
    if (compare->kind == RULE_MONEY)
        say_minor(speech, value);
    else if (compare->kind == RULE_BOOL)
        say(speech, value != 0 ? "是" : "否", value != 0 ? "true" : "false");
    else
        millionths_write(speech->out, value);
}

static void say_reference(struct speech *speech, const struct compare *compare)
{
    const struct reference *reference = compare->reference;
    if (speech->chinese)
        buffer_printf(speech->out, "第%u步的", reference->step + 1);
    say_text(speech, reference->property.path);
    if (!speech->chinese)
        buffer_printf(speech->out, " of step %u", reference->step + 1);
}

static void say_anniversary(struct speech *speech, const struct compare *compare)
{
    str word = unquoted(compare->shown), in = STR("in "), within = STR("within ");
    if (say_time_word(speech, word))
        return;
    if (str_starts_with(word, in)) {
        say(speech, "", "in ");
        say_span(speech, str_slice(word, in.size, word.size));
        say(speech, "后", "");
    } else if (str_starts_with(word, within)) {
        say(speech, "未来", "within the next ");
        say_span(speech, str_slice(word, within.size, word.size));
        say(speech, "内", "");
    } else {
        say_span(speech, str_slice(word, 0, word.size - STR(" ago").size));
        say(speech, "前", " ago");
    }
}

static void say_literal(struct speech *speech, const struct compare *compare, wide unit)
{
    if (compare->reference != NULL)
        say_reference(speech, compare);
    else if (compare->me)
        say(speech, "我", "me");
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
        say(speech, "至", " and ");
        say_number(speech, compare, compare->second);
    }
}

/* " is at least 100.00" */
static void say_compare(struct speech *speech, const struct compare *compare, wide unit)
{
    say(speech, "", " ");
    if (compare->kind == RULE_TIME && (compare->op == OP_LT || compare->op == OP_LTE))
        say(speech, compare->op == OP_LT ? "早于" : "不晚于",
            compare->op == OP_LT ? "is before" : "is not after");
    else if (compare->kind == RULE_TIME && (compare->op == OP_GT || compare->op == OP_GTE))
        say(speech, compare->op == OP_GT ? "晚于" : "不早于",
            compare->op == OP_GT ? "is after" : "is not before");
    else
        say(speech, operator_label(compare->op, true), operator_label(compare->op, false));
    if (operator_arity(compare->op) == '0')
        return;
    say(speech, "", " ");
    say_literal(speech, compare, unit);
}

/* ---- conditions on events ---- */

static void say_where(struct speech *speech, const struct node *where)
{
    if (where == NULL || (where->kind == NODE_ALL && where->child_count == 0))
        return;
    say(speech, "（", " (with ");
    sentence_node(speech->rule, where, speech->chinese, speech->out);
    say(speech, "）", ")");
}

static bool is_happened(const struct node *node)
{
    const struct compare *compare = &node->compare;
    return compare->op == OP_GTE && compare->low == 1 && compare->numbers == NULL;
}

static bool is_never(const struct node *node)
{
    const struct compare *compare = &node->compare;
    bool nothing = (compare->op == OP_EQ || compare->op == OP_LTE) && compare->high == 0;
    return nothing || (compare->op == OP_LT && compare->high == 0);
}

static void say_nth(struct speech *speech, int32_t nth)
{
    if (nth == 0)
        return;
    if (nth == 1)
        say(speech, "首次", " for the first time");
    else if (nth == -1)
        say(speech, "最近一次", " the last time");
    else if (speech->chinese)
        buffer_printf(speech->out, nth > 0 ? "第%d次" : "倒数第%d次", nth > 0 ? nth : -nth);
    else
        buffer_printf(speech->out, nth > 0 ? " (number %d)" : " (number %d from the end)",
                      nth > 0 ? nth : -nth);
}

static void say_times(struct speech *speech, const struct compare *compare)
{
    static const struct {
        enum comparison op;
        const char *zh, *en;
    } words[] = {
        { OP_GTE, "至少", "at least" }, { OP_GT, "超过", "more than" },
        { OP_LTE, "至多", "at most" },  { OP_LT, "少于", "fewer than" },
        { OP_EQ, "恰好", "exactly" },   { OP_NE, "不是", "not" },
        { OP_BETWEEN, "", "between" },  { OP_IN, "", "" },
        { OP_NOT_IN, "不是", "not" },
    };
    say(speech, "", " ");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].op == compare->op &&
            (speech->chinese ? words[i].zh : words[i].en)[0] != '\0') {
            say(speech, words[i].zh, words[i].en);
            say(speech, "", " ");
        }
    say_literal(speech, compare, MILLION);
    bool once = compare->op != OP_BETWEEN && compare->numbers == NULL && compare->first == MILLION;
    say(speech, "次", once ? " time" : " times");
}

/* 近90天支付订单（…）至少2次 / paid an order (…) at least 2 times in the last 90 days */
static void say_count(struct speech *speech, const struct node *node,
                      void (*what)(struct speech *, const struct node *))
{
    const struct measuring *measuring = &node->measuring;
    bool never = is_never(node);
    if (speech->chinese) {
        say_window(speech, &measuring->window);
        say(speech, never ? "没有" : "", "");
        say_nth(speech, measuring->nth);
        what(speech, node);
        if (measuring->net)
            say(speech, "（扣除退款）", "");
        if (is_happened(node))
            say(speech, measuring->nth != 0 ? "" : "过", "");
        else if (!never && node->compare.op != OP_NONE)
            say_times(speech, &node->compare);
        return;
    }
    say(speech, "", never ? "never " : "");
    what(speech, node);
    say_nth(speech, measuring->nth);
    if (measuring->net)
        say(speech, "", ", net of refunds,");
    if (!never && !is_happened(node) && node->compare.op != OP_NONE)
        say_times(speech, &node->compare);
    if (measuring->window.given) {
        say(speech, "", " ");
        say_window(speech, &measuring->window);
    }
}

/* 近90天支付订单的 revenue 总和大于等于 500.00 / total revenue of … */
static void say_measured(struct speech *speech, const struct node *node,
                         void (*what)(struct speech *, const struct node *))
{
    const struct measuring *measuring = &node->measuring;
    if (speech->chinese) {
        say_window(speech, &measuring->window);
        say_nth(speech, measuring->nth);
        what(speech, node);
        say(speech, "的", "");
        if (measuring->has_of)
            say_text(speech, measuring->of.path);
        else if (measuring->measure == MEASURE_FIRST || measuring->measure == MEASURE_LAST)
            say(speech, "时间", "");
        if (measuring->net)
            say(speech, "（扣除退款）", "");
        say(speech, measure_label(measuring->measure, true), "");
    } else {
        say(speech, "", measuring->net ? "the net " : "the ");
        say(speech, "", measure_label(measuring->measure, false));
        if (measuring->has_of) {
            say(speech, "", measuring->measure == MEASURE_DISTINCT ? " of " : " ");
            say_text(speech, measuring->of.path);
        }
        say(speech, "", measuring->measure == MEASURE_RECENCY ? " time she " : " when she ");
        what(speech, node);
        say_nth(speech, measuring->nth);
        if (measuring->window.given) {
            say(speech, "", " ");
            say_window(speech, &measuring->window);
        }
    }
    if (node->compare.op != OP_NONE)
        say_compare(speech, &node->compare, measuring->whole ? MILLION : 1);
}

static void what_event(struct speech *speech, const struct node *node)
{
    say_events(speech, &node->events);
    say_where(speech, node->where);
}

static void what_touch(struct speech *speech, const struct node *node)
{
    static const char *const zh[] = { "旅程", "节点", "活动", "模板", "渠道", "状态" };
    static const char *const en[] = {
        "journey", "node", "campaign", "template", "channel", "status"
    };
    say(speech, "收到触达", "was sent a message");
    bool open = false;
    for (size_t i = 0; i < TOUCH_FIELD_COUNT; i++) {
        if (node->touch[i].count == 0)
            continue;
        say(speech, open ? "，" : "（", open ? ", " : " (");
        open = true;
        say(speech, zh[i], en[i]);
        say(speech, "为", " ");
        for (uint32_t j = 0; j < node->touch[i].count; j++) {
            if (j > 0)
                say(speech, "或", " or ");
            say_quoted(speech, node->touch[i].items[j]);
        }
    }
    if (open)
        say(speech, "）", ")");
}

static void say_measure(struct speech *speech, const struct node *node,
                        void (*what)(struct speech *, const struct node *))
{
    if (node->measuring.measure == MEASURE_COUNT)
        say_count(speech, node, what);
    else
        say_measured(speech, node, what);
}

static void say_sequence(struct speech *speech, const struct node *node)
{
    if (node->measuring.window.given && speech->chinese) {
        say_window(speech, &node->measuring.window);
        say(speech, "，", "");
    }
    for (uint32_t i = 0; i < node->step_count; i++) {
        const struct step *step = &node->steps[i];
        if (i > 0)
            say(speech, "，之后", ", then ");
        else
            say(speech, "先", "");
        say(speech, step->absent ? "没有" : "", step->absent ? "not " : "");
        say_events(speech, &step->events);
        say_where(speech, step->where);
        for (uint32_t j = 0; j < step->same_count; j++) {
            say(speech, j == 0 ? "（同一" : "、", j == 0 ? " (the same " : ", ");
            say_text(speech, step->same[2 * j].path);
        }
        if (step->same_count > 0)
            say(speech, "）", ")");
    }
    if (node->has_within) {
        say(speech, "，在", ", within ");
        say_span(speech, node->within_word);
        say(speech, "内", "");
    }
    if (node->measuring.window.given && !speech->chinese) {
        say(speech, "", ", ");
        say_window(speech, &node->measuring.window);
    }
}

/* ---- facts ---- */

static void say_fact(struct speech *speech, const struct node *node)
{
    switch (node->kind) {
    case NODE_SEGMENT:
        say(speech, "在人群", "is in the segment ");
        say_quoted(speech, node->name);
        say(speech, "中", "");
        return;
    case NODE_HAS:
        say(speech, "有标识 ", "has the identifier ");
        say_text(speech, node->name);
        return;
    case NODE_REACHABLE:
        say(speech, "可通过 ", "can be reached by ");
        say_text(speech, node->name);
        say(speech, " 触达", "");
        return;
    case NODE_CONSENT:
        if (node->compare.op == OP_IS_SET || node->compare.op == OP_IS_NOT_SET) {
            say(speech, node->compare.op == OP_IS_SET ? "表示过是否同意 " : "没有表示过是否同意 ",
                node->compare.op == OP_IS_SET ? "answered about " : "never answered about ");
        } else {
            bool granted = number_holds(&node->compare, 1);
            say(speech, granted ? "同意 " : "拒绝 ", granted ? "agreed to " : "refused ");
        }
        say_text(speech, node->name);
        return;
    case NODE_TAG:
        say(speech, "标签 ", "tag ");
        break;
    case NODE_RELATION:
        say(speech, "关系 ", "");
        break;
    case NODE_ALL:
    case NODE_ANY:
    case NODE_NOT:
    case NODE_TRAIT:
    case NODE_TOUCH:
    case NODE_EVENT:
    case NODE_SEQUENCE:
    case NODE_OBJECT:
    case NODE_PROP:
    default:
        break;
    }
    say_text(speech, node->name);
    say(speech, " ", "");
    wide unit = node->kind == NODE_PROP && node->scope == SCOPE_EVENT ? node->property.unit : 1;
    say_compare(speech, &node->compare, unit);
}

static void say_object(struct speech *speech, const struct node *node)
{
    if (speech->chinese) {
        say_text(speech, node->via);
        say(speech, " 对应的 ", "");
        say_text(speech, node->name);
        say(speech, "（", "");
    } else {
        say(speech, "", "the ");
        say_text(speech, node->name);
        say(speech, "", " of ");
        say_text(speech, node->via);
        say(speech, "", " (where ");
    }
    sentence_node(speech->rule, node->inner, speech->chinese, speech->out);
    say(speech, "）", ")");
}

/* ---- groups ---- */

static bool is_group(const struct node *node)
{
    return (node->kind == NODE_ALL || node->kind == NODE_ANY) && node->child_count > 1;
}

static void say_group(struct speech *speech, const struct node *node)
{
    bool all = node->kind == NODE_ALL;
    if (node->child_count == 0) {
        say(speech, all ? "所有客户" : "没有客户", all ? "everybody" : "nobody");
        return;
    }
    for (uint32_t i = 0; i < node->child_count; i++) {
        const struct node *child = node->children[i];
        if (i > 0)
            say(speech, all ? "，且" : "，或", all ? ", and " : ", or ");
        bool bracket = is_group(child) && child->kind != node->kind;
        if (bracket)
            say(speech, "（", "(");
        sentence_node(speech->rule, child, speech->chinese, speech->out);
        if (bracket)
            say(speech, "）", ")");
    }
}

void sentence_node(const struct rule *rule, const struct node *node, bool chinese,
                   struct buffer *out)
{
    struct speech speech = { rule, chinese, out };
    switch (node->kind) {
    case NODE_ALL:
    case NODE_ANY:
        say_group(&speech, node);
        break;
    case NODE_NOT:
        say(&speech, "不满足（", "not (");
        sentence_node(rule, node->children[0], chinese, out);
        say(&speech, "）", ")");
        break;
    case NODE_EVENT:
        say_measure(&speech, node, what_event);
        break;
    case NODE_TOUCH:
        say_measure(&speech, node, what_touch);
        break;
    case NODE_SEQUENCE:
        say_sequence(&speech, node);
        break;
    case NODE_OBJECT:
        say_object(&speech, node);
        break;
    case NODE_TRAIT:
    case NODE_TAG:
    case NODE_SEGMENT:
    case NODE_HAS:
    case NODE_CONSENT:
    case NODE_REACHABLE:
    case NODE_RELATION:
    case NODE_PROP:
    default:
        say_fact(&speech, node);
        break;
    }
}

void rule_sentence(const struct rule *rule, str locale, struct buffer *out)
{
    bool of_objects = rule->root->kind == NODE_OBJECT && rule->root->scope == SCOPE_OBJECT;
    sentence_node(rule, of_objects ? rule->root->inner : rule->root,
                  str_starts_with(locale, STR("zh")), out);
}
