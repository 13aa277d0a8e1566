/* SPDX-License-Identifier: Apache-2.0 */
/* The tree: groups, and conditions on facts.
 *
 * Until when does a group hold? `all` is false as long as the condition that was found false is; it is true as long as
 * all of them are. `any` the other way round. */
#include "rule/judge.h"

#include "base/digest.h"

static struct rule_answer said(bool holds)
{
    return (struct rule_answer){ .holds = holds, .until_ms = RULE_FOREVER };
}

/* ---- values ---- */

static int64_t passes(struct rule_judge *judge, const struct moment *moment, int64_t value_ms)
{
    const struct zone *zone = &judge->rule->zone;
    int64_t at = moment_passes(moment, zone, value_ms - 1, judge->now_ms);
    return earlier(at, moment_passes(moment, zone, value_ms, judge->now_ms));
}

static int64_t next_midnight(struct rule_judge *judge)
{
    struct moment day = { .anchor = ANCHOR_DAY };
    return moment_edge(&day, &judge->rule->zone, judge->now_ms);
}

bool time_holds(struct rule_judge *judge, const struct compare *compare, int64_t value_ms,
                int64_t *until_ms)
{
    if (!compare->relative)
        return number_holds(compare, value_ms);
    if (compare->op == OP_ANNIVERSARY) {
        *until_ms = earlier(*until_ms, next_midnight(judge));
        return anniversary_holds(compare, &judge->rule->zone, value_ms, judge->now_ms);
    }
    const struct bound *bound = &judge->k->bounds[compare->bound];
    if (compare->op == OP_ON) /* when the moment comes into the next day */
        *until_ms = earlier(*until_ms, moment_passes(&compare->from, &judge->rule->zone,
                                                     (int64_t)bound->high, judge->now_ms));
    else
        *until_ms = earlier(*until_ms, passes(judge, &compare->from, value_ms));
    if (compare->has_to)
        *until_ms = earlier(*until_ms, passes(judge, &compare->to, value_ms));
    bool within = value_ms >= bound->low && value_ms <= bound->high;
    return within != compare->negate;
}

/* Of a list a comparison holds if it does for one; ne, not_in, not_contains if for none. */
static bool texts_hold(const struct compare *compare, const struct rule_value *value)
{
    bool any = false;
    for (uint32_t i = 0; i < value->text_count && !any; i++)
        any = text_holds(compare, value->texts[i]);
    return any != compare->negate;
}

static bool me_holds(struct rule_judge *judge, const struct compare *compare,
                     const struct rule_value *value)
{
    str me = judge->facts->me;
    if (me.size == 0)
        return false;
    bool any = compare->kind == RULE_TEXT && str_equal(value->text, me);
    for (uint32_t i = 0; compare->kind == RULE_TEXTS && i < value->text_count; i++)
        any |= str_equal(value->texts[i], me);
    return any != compare->negate;
}

bool value_holds(struct rule_judge *judge, const struct compare *compare, bool set,
                 const struct rule_value *value, int64_t *until_ms)
{
    if (set && compare->kind == RULE_TEXTS)
        set = value->text_count > 0;
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET)
        return set == (compare->op == OP_IS_SET);
    if (!set)
        return false;
    if (compare->me)
        return me_holds(judge, compare, value);
    if (compare->kind == RULE_TEXTS)
        return texts_hold(compare, value);
    if (compare->kind == RULE_TEXT)
        return text_holds(compare, value->text) != compare->negate;
    if (compare->kind == RULE_TIME)
        return time_holds(judge, compare, value->number, until_ms);
    return number_holds(compare, value->number);
}

/* ---- facts ---- */

static struct rule_answer fact_answer(struct rule_judge *judge, const struct node *node,
                                      bool (*ask)(void *, uint32_t, uint32_t, struct rule_value *))
{
    struct rule_answer answer = said(false);
    struct rule_value value = { 0 };
    bool set =
        ask != NULL && ask(judge->facts->context, judge->customer, node->symbol.number, &value);
    answer.holds = value_holds(judge, &node->compare, set, &value, &answer.until_ms);
    return answer;
}

static struct rule_answer consent_answer(struct rule_judge *judge, const struct node *node)
{
    const struct rule_facts *facts = judge->facts;
    struct rule_value value = { 0 };
    bool granted = false;
    bool set = facts->consent != NULL &&
               facts->consent(facts->context, judge->customer, node->symbol.number, &granted);
    value.number = granted;
    struct rule_answer answer = said(false);
    answer.holds = value_holds(judge, &node->compare, set, &value, &answer.until_ms);
    return answer;
}

static struct rule_answer bit_answer(struct rule_judge *judge, const struct node *node,
                                     bool (*ask)(void *, uint32_t, uint32_t))
{
    return said(ask != NULL && ask(judge->facts->context, judge->customer, node->symbol.number));
}

struct rule_answer leaf_answer(struct rule_judge *judge, const struct node *node)
{
    const struct rule_facts *facts = judge->facts;
    switch (node->kind) {
    case NODE_TRAIT:
        return fact_answer(judge, node, facts->trait);
    case NODE_TAG:
        return fact_answer(judge, node, facts->tag);
    case NODE_RELATION:
        return fact_answer(judge, node, facts->relation);
    case NODE_SEGMENT:
        return bit_answer(judge, node, facts->segment);
    case NODE_HAS:
        return bit_answer(judge, node, facts->identifier);
    case NODE_REACHABLE:
        return bit_answer(judge, node, facts->reachable);
    case NODE_CONSENT:
        return consent_answer(judge, node);
    case NODE_OBJECT:
        return object_answer(judge, node);
    case NODE_TOUCH: {
        struct tally tally = { 0 };
        return touch_answer(judge, node, &tally);
    }
    case NODE_EVENT:
    case NODE_SEQUENCE:
        pass_run(judge);
        return settle_slot(judge, node, &judge->k->tallies[node->slot]);
    case NODE_ALL:
    case NODE_ANY:
    case NODE_NOT:
    case NODE_PROP:
    default:
        INVARIANT(false);
    }
}

/* ---- groups ---- */

static struct rule_answer group_answer(struct rule_judge *judge, const struct node *node)
{
    bool all = node->kind == NODE_ALL;
    struct rule_answer answer = said(all);
    for (uint32_t i = 0; i < node->child_count; i++) {
        struct rule_answer child = tree_answer(judge, node->children[node->order[i]]);
        if (child.holds != all)
            return child; /* it decides, as long as it stays so */
        answer.until_ms = earlier(answer.until_ms, child.until_ms);
    }
    return answer;
}

struct rule_answer tree_answer(struct rule_judge *judge, const struct node *node)
{
    if (node->kind == NODE_ALL || node->kind == NODE_ANY)
        return group_answer(judge, node);
    if (node->kind == NODE_NOT) {
        struct rule_answer answer = tree_answer(judge, node->children[0]);
        answer.holds = !answer.holds;
        return answer;
    }
    return judge->asked ? judge->k->leaves[node->condition] : leaf_answer(judge, node);
}
