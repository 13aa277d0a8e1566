/* SPDX-License-Identifier: Apache-2.0 */
/* A rule in words, Chinese and English, as a person would say it.
 *
 * A sentence says what she did or is, in the order in which the rule says it; joined by "and", "or", with brackets only where
 * the two mix. Money is written with its decimals, spans of time in words. */
#include <string.h>

#include "rule/sentence.h"

void sentence_say(struct speech *speech, const char *chinese, const char *english)
{
    buffer_append_str(speech->out, str_from_c(speech->chinese ? chinese : english));
}

void sentence_text(struct speech *speech, str text)
{
    buffer_append_str(speech->out, text);
}

void sentence_quoted(struct speech *speech, str text)
{
    sentence_say(speech, "“", "\"");
    sentence_text(speech, str_slice(text, 0, str_utf8_prefix_bytes(text, 120)));
    sentence_say(speech, "”", "\"");
}

void sentence_int(struct speech *speech, int64_t number)
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
    { "Order Shipped", "订单发货", "had an order sent out" },
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
        sentence_say(speech, "任意行为", "did anything");
        return;
    }
    for (size_t i = 0; i < sizeof(event_words) / sizeof(event_words[0]); i++) {
        if (str_equal(name, str_from_c(event_words[i].name))) {
            sentence_say(speech, event_words[i].zh, event_words[i].en);
            return;
        }
    }
    sentence_say(speech, "", "did ");
    sentence_quoted(speech, name);
}

static void say_events(struct speech *speech, const struct texts *events)
{
    for (uint32_t i = 0; i < events->count; i++) {
        if (i > 0)
            sentence_say(speech, "或", " or ");
        say_event(speech, events->items[i]);
    }
}

/* ---- conditions on events ---- */

static void say_where(struct speech *speech, const struct node *where)
{
    if (where == NULL || (where->kind == NODE_ALL && where->child_count == 0))
        return;
    sentence_say(speech, "（", " (with ");
    sentence_node(speech->rule, where, speech->chinese, speech->out);
    sentence_say(speech, "）", ")");
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
        sentence_say(speech, "首次", " for the first time");
    else if (nth == -1)
        sentence_say(speech, "最近一次", " the last time");
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
    sentence_say(speech, "", " ");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].op == compare->op &&
            (speech->chinese ? words[i].zh : words[i].en)[0] != '\0') {
            sentence_say(speech, words[i].zh, words[i].en);
            sentence_say(speech, "", " ");
        }
    sentence_literal(speech, compare, MILLION);
    bool once = compare->op != OP_BETWEEN && compare->numbers == NULL && compare->first == MILLION;
    sentence_say(speech, "次", once ? " time" : " times");
}

/* 近90天支付订单（…）至少2次 / paid an order (…) at least 2 times in the last 90 days */
static void say_count(struct speech *speech, const struct node *node,
                      void (*what)(struct speech *, const struct node *))
{
    const struct measuring *measuring = &node->measuring;
    bool never = is_never(node);
    if (speech->chinese) {
        sentence_window(speech, &measuring->window);
        sentence_say(speech, never ? "没有" : "", "");
        say_nth(speech, measuring->nth);
        what(speech, node);
        if (measuring->net)
            sentence_say(speech, "（扣除退款）", "");
        if (is_happened(node))
            sentence_say(speech, measuring->nth != 0 ? "" : "过", "");
        else if (!never && node->compare.op != OP_NONE)
            say_times(speech, &node->compare);
        return;
    }
    sentence_say(speech, "", never ? "never " : "");
    what(speech, node);
    say_nth(speech, measuring->nth);
    if (measuring->net)
        sentence_say(speech, "", ", net of refunds,");
    if (!never && !is_happened(node) && node->compare.op != OP_NONE)
        say_times(speech, &node->compare);
    if (measuring->window.given) {
        sentence_say(speech, "", " ");
        sentence_window(speech, &measuring->window);
    }
}

/* 近90天支付订单的 revenue 总和大于等于 500.00 / total revenue of … */
static void say_measured(struct speech *speech, const struct node *node,
                         void (*what)(struct speech *, const struct node *))
{
    const struct measuring *measuring = &node->measuring;
    if (speech->chinese) {
        sentence_window(speech, &measuring->window);
        say_nth(speech, measuring->nth);
        what(speech, node);
        sentence_say(speech, "的", "");
        if (measuring->has_of)
            sentence_text(speech, measuring->of.path);
        else if (measuring->measure == MEASURE_FIRST || measuring->measure == MEASURE_LAST)
            sentence_say(speech, "时间", "");
        if (measuring->net)
            sentence_say(speech, "（扣除退款）", "");
        sentence_say(speech, measure_label(measuring->measure, true), "");
    } else {
        sentence_say(speech, "", measuring->net ? "the net " : "the ");
        sentence_say(speech, "", measure_label(measuring->measure, false));
        if (measuring->has_of) {
            sentence_say(speech, "", measuring->measure == MEASURE_DISTINCT ? " of " : " ");
            sentence_text(speech, measuring->of.path);
        }
        sentence_say(speech, "",
                     measuring->measure == MEASURE_RECENCY ? " time she " : " when she ");
        what(speech, node);
        say_nth(speech, measuring->nth);
        if (measuring->window.given) {
            sentence_say(speech, "", " ");
            sentence_window(speech, &measuring->window);
        }
    }
    if (node->compare.op != OP_NONE)
        sentence_compare(speech, &node->compare, measuring->whole ? MILLION : 1);
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
    sentence_say(speech, "收到触达", "was sent a message");
    bool open = false;
    for (size_t i = 0; i < TOUCH_FIELD_COUNT; i++) {
        if (node->touch[i].count == 0)
            continue;
        sentence_say(speech, open ? "，" : "（", open ? ", " : " (");
        open = true;
        sentence_say(speech, zh[i], en[i]);
        sentence_say(speech, "为", " ");
        for (uint32_t j = 0; j < node->touch[i].count; j++) {
            if (j > 0)
                sentence_say(speech, "或", " or ");
            sentence_quoted(speech, node->touch[i].items[j]);
        }
    }
    if (open)
        sentence_say(speech, "）", ")");
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
        sentence_window(speech, &node->measuring.window);
        sentence_say(speech, "，", "");
    }
    for (uint32_t i = 0; i < node->step_count; i++) {
        const struct step *step = &node->steps[i];
        if (i > 0)
            sentence_say(speech, "，之后", ", then ");
        else
            sentence_say(speech, "先", "");
        sentence_say(speech, step->absent ? "没有" : "", step->absent ? "not " : "");
        say_events(speech, &step->events);
        say_where(speech, step->where);
        for (uint32_t j = 0; j < step->same_count; j++) {
            sentence_say(speech, j == 0 ? "（同一" : "、", j == 0 ? " (the same " : ", ");
            sentence_text(speech, step->same[2 * j].path);
        }
        if (step->same_count > 0)
            sentence_say(speech, "）", ")");
    }
    if (node->has_within) {
        sentence_say(speech, "，在", ", within ");
        sentence_span(speech, node->within_word);
        sentence_say(speech, "内", "");
    }
    if (node->measuring.window.given && !speech->chinese) {
        sentence_say(speech, "", ", ");
        sentence_window(speech, &node->measuring.window);
    }
}

/* ---- facts ---- */

static void say_fact(struct speech *speech, const struct node *node)
{
    switch (node->kind) {
    case NODE_SEGMENT:
        sentence_say(speech, "在人群", "is in the segment ");
        sentence_quoted(speech, node->name);
        sentence_say(speech, "中", "");
        return;
    case NODE_HAS:
        sentence_say(speech, "有标识 ", "has the identifier ");
        sentence_text(speech, node->name);
        return;
    case NODE_REACHABLE:
        sentence_say(speech, "可通过 ", "can be reached by ");
        sentence_text(speech, node->name);
        sentence_say(speech, " 触达", "");
        return;
    case NODE_CONSENT:
        if (node->compare.op == OP_IS_SET || node->compare.op == OP_IS_NOT_SET) {
            sentence_say(
                speech, node->compare.op == OP_IS_SET ? "表示过是否同意 " : "没有表示过是否同意 ",
                node->compare.op == OP_IS_SET ? "answered about " : "never answered about ");
        } else {
            bool granted = number_holds(&node->compare, 1);
            sentence_say(speech, granted ? "同意 " : "拒绝 ", granted ? "agreed to " : "refused ");
        }
        sentence_text(speech, node->name);
        return;
    case NODE_TAG:
        sentence_say(speech, "标签 ", "tag ");
        break;
    case NODE_RELATION:
        sentence_say(speech, "关系 ", "");
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
    sentence_text(speech, node->name);
    sentence_say(speech, " ", "");
    wide unit = node->kind == NODE_PROP && node->scope == SCOPE_EVENT ? node->property.unit : 1;
    sentence_compare(speech, &node->compare, unit);
}

static void say_object(struct speech *speech, const struct node *node)
{
    if (speech->chinese) {
        sentence_text(speech, node->via);
        sentence_say(speech, " 对应的 ", "");
        sentence_text(speech, node->name);
        sentence_say(speech, "（", "");
    } else {
        sentence_say(speech, "", "the ");
        sentence_text(speech, node->name);
        sentence_say(speech, "", " of ");
        sentence_text(speech, node->via);
        sentence_say(speech, "", " (where ");
    }
    sentence_node(speech->rule, node->inner, speech->chinese, speech->out);
    sentence_say(speech, "）", ")");
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
        sentence_say(speech, all ? "所有客户" : "没有客户", all ? "everybody" : "nobody");
        return;
    }
    for (uint32_t i = 0; i < node->child_count; i++) {
        const struct node *child = node->children[i];
        if (i > 0)
            sentence_say(speech, all ? "，且" : "，或", all ? ", and " : ", or ");
        bool bracket = is_group(child) && child->kind != node->kind;
        if (bracket)
            sentence_say(speech, "（", "(");
        sentence_node(speech->rule, child, speech->chinese, speech->out);
        if (bracket)
            sentence_say(speech, "）", ")");
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
        sentence_say(&speech, "不满足（", "not (");
        sentence_node(rule, node->children[0], chinese, out);
        sentence_say(&speech, "）", ")");
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
