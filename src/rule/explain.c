/* SPDX-License-Identifier: Apache-2.0 */
/* Why it holds, or not: each condition with its value, the events that count, and until when. */
#include <string.h>

#include "rule/judge.h"

#define EVENTS_TOLD_MAX 100

static void put_number(struct json_writer *writer, enum rule_kind kind, int64_t number)
{
    struct buffer text;
    switch (kind) {
    case RULE_NUMBER:
        buffer_init(&text, 64);
        millionths_write(&text, number);
        json_put_raw(writer, buffer_str(&text));
        buffer_deinit(&text);
        break;
    case RULE_TIME:
        json_put_time(writer, number);
        break;
    case RULE_BOOL:
        json_put_bool(writer, number != 0);
        break;
    case RULE_MONEY:
    case RULE_TEXT:
    case RULE_TEXTS:
    default:
        json_put_int(writer, number);
        break;
    }
}

static void put_value(struct json_writer *writer, enum rule_kind kind, bool set,
                      const struct rule_value *value)
{
    json_put_key(writer, STR("value"));
    if (!set) {
        json_put_null(writer);
    } else if (kind == RULE_TEXT) {
        json_put_text(writer, value->text);
    } else if (kind == RULE_TEXTS) {
        json_begin_array(writer);
        for (uint32_t i = 0; i < value->text_count; i++)
            json_put_text(writer, value->texts[i]);
        json_end_array(writer);
    } else {
        put_number(writer, kind, value->number);
    }
}

static void put_fact(struct rule_judge *judge, struct json_writer *writer, const struct node *node,
                     bool (*ask)(void *, uint32_t, uint32_t, struct rule_value *))
{
    struct rule_value value = { 0 };
    bool set =
        ask != NULL && ask(judge->facts->context, judge->customer, node->symbol.number, &value);
    put_value(writer, node->symbol.kind, set, &value);
}

static void put_consent(struct rule_judge *judge, struct json_writer *writer,
                        const struct node *node)
{
    const struct rule_facts *facts = judge->facts;
    struct rule_value value = { 0 };
    bool granted = false;
    bool set = facts->consent != NULL &&
               facts->consent(facts->context, judge->customer, node->symbol.number, &granted);
    value.number = granted;
    put_value(writer, RULE_BOOL, set, &value);
}

static void put_measured(struct rule_judge *judge, struct json_writer *writer,
                         const struct node *node, const struct tally *tally)
{
    struct rule_value value = { 0 };
    bool set = settle_value(judge, node, tally, &value);
    put_value(writer, node->measuring.kind, set, &value);
}

static void put_condition_value(struct rule_judge *judge, struct json_writer *writer,
                                const struct node *node, bool holds)
{
    struct tally tally = { 0 };
    switch (node->kind) {
    case NODE_TRAIT:
        put_fact(judge, writer, node, judge->facts->trait);
        break;
    case NODE_TAG:
        put_fact(judge, writer, node, judge->facts->tag);
        break;
    case NODE_RELATION:
        put_fact(judge, writer, node, judge->facts->relation);
        break;
    case NODE_CONSENT:
        put_consent(judge, writer, node);
        break;
    case NODE_EVENT:
        put_measured(judge, writer, node, &judge->k->tallies[node->slot]);
        break;
    case NODE_TOUCH:
        (void)touch_answer(judge, node, &tally);
        put_measured(judge, writer, node, &tally);
        break;
    case NODE_SEGMENT:
    case NODE_HAS:
    case NODE_REACHABLE:
    case NODE_SEQUENCE:
    case NODE_OBJECT:
    case NODE_ALL:
    case NODE_ANY:
    case NODE_NOT:
    case NODE_PROP:
    default:
        json_member_bool(writer, STR("value"), holds);
        break;
    }
}

static void put_until(struct json_writer *writer, int64_t until_ms)
{
    json_put_key(writer, STR("until"));
    if (until_ms == RULE_FOREVER)
        json_put_null(writer);
    else
        json_put_time(writer, until_ms);
}

/* The newest that count, by their seq. */
static void put_events(struct rule_judge *judge, struct json_writer *writer,
                       const struct node *node)
{
    if (node->kind != NODE_EVENT && node->kind != NODE_SEQUENCE)
        return;
    size_t total = 0;
    for (size_t i = 0; i < judge->counted_count; i++)
        total += judge->counted[i].slot == node->condition;
    size_t skip = total > EVENTS_TOLD_MAX ? total - EVENTS_TOLD_MAX : 0;
    json_put_key(writer, STR("events"));
    json_begin_array(writer);
    for (size_t i = 0; i < judge->counted_count; i++) {
        if (judge->counted[i].slot != node->condition)
            continue;
        if (skip > 0)
            skip--;
        else
            json_put_uint(writer, history_seq(judge->view, judge->counted[i].at));
    }
    json_end_array(writer);
    json_member_int(writer, STR("event_count"), (int64_t)total);
}

static void put_sentence(struct rule_judge *judge, struct json_writer *writer,
                         const struct node *node)
{
    struct buffer text;
    buffer_init(&text, (size_t)64 << 10);
    json_put_key(writer, STR("sentence"));
    json_begin_object(writer);
    for (int chinese = 1; chinese >= 0; chinese--) {
        buffer_clear(&text);
        sentence_node(judge->rule, node, chinese != 0, &text);
        json_member_text(writer, chinese != 0 ? STR("zh") : STR("en"), buffer_str(&text));
    }
    json_end_object(writer);
    buffer_deinit(&text);
}

static void put_condition(struct rule_judge *judge, struct json_writer *writer,
                          const struct node *node)
{
    struct rule_answer answer = leaf_answer(judge, node);
    json_begin_object(writer);
    json_member_text(writer, STR("path"), node->pointer);
    json_member_bool(writer, STR("holds"), answer.holds);
    put_condition_value(judge, writer, node, answer.holds);
    json_put_key(writer, STR("compared"));
    if (node->compare.op == OP_NONE) {
        json_put_null(writer);
    } else {
        json_begin_object(writer);
        if (node->compare.shown.size > 0)
            json_member_raw(writer, str_from_c(operator_word(node->compare.op)),
                            node->compare.shown);
        else
            json_member_bool(writer, str_from_c(operator_word(node->compare.op)), true);
        json_end_object(writer);
    }
    put_events(judge, writer, node);
    put_until(writer, answer.until_ms);
    put_sentence(judge, writer, node);
    json_end_object(writer);
}

void rule_explain(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                  const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                  struct buffer *out)
{
    INVARIANT(!rule->is_measure);
    struct json_writer writer;
    json_writer_init(&writer, out);
    judge_begin(judge, rule, customer, view, facts, now_ms);
    if (judge->k == NULL)
        return;
    judge->explains = true;
    judge->counted_count = 0;
    struct rule_answer answer = tree_answer(judge, rule->root);
    judge_begin(judge, rule, customer, view, facts, now_ms);
    judge->counted_count = 0;
    json_begin_object(&writer);
    json_member_bool(&writer, STR("holds"), answer.holds);
    put_until(&writer, answer.until_ms);
    json_put_key(&writer, STR("conditions"));
    json_begin_array(&writer);
    for (uint32_t i = 0; i < rule->condition_count; i++)
        put_condition(judge, &writer, rule->conditions[i]);
    json_end_array(&writer);
    put_sentence(judge, &writer, rule->root);
    json_end_object(&writer);
    judge->explains = false;
}
