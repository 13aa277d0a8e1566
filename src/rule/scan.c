/* SPDX-License-Identifier: Apache-2.0 */
/* Everybody: customer after customer in the order of memory. */
#include "rule/judge.h"

#define BEGIN_AFTER 4096u

struct scan {
    struct rule_judge *judge;
    const struct rule *rule;
    const struct rule_facts *facts;
    int64_t now_ms;
    bool (*found)(void *context, uint32_t customer, int64_t until_ms);
    void *context;
    uint64_t *counts;
    uint32_t until_begin;
};

/* Each condition alone, before the whole. */
static void count_conditions(struct scan *scan)
{
    struct rule_answer *leaves = scan->judge->k->leaves;
    for (uint32_t i = 0; i < scan->rule->condition_count; i++) {
        leaves[i] = leaf_answer(scan->judge, scan->rule->conditions[i]);
        scan->counts[i] += leaves[i].holds;
    }
    scan->judge->asked = true;
}

/* Told again with all of her events. */
static bool leave_partial(struct scan *scan, uint32_t customer)
{
    const struct rule_answer *leaves = scan->judge->k->leaves;
    for (uint32_t i = 0; scan->counts != NULL && i < scan->rule->condition_count; i++)
        scan->counts[i] -= leaves[i].holds;
    return scan->judge->on_partial(scan->judge->partial_context, customer);
}

static bool visit(void *context, uint32_t customer, const struct history_view *view)
{
    struct scan *scan = context;
    struct rule_judge *judge = scan->judge;
    /* Now and then: names that came meanwhile. */
    if (scan->until_begin-- == 0) {
        judge_begin(judge, scan->rule, customer, view, scan->facts, scan->now_ms);
        scan->until_begin = BEGIN_AFTER;
    }
    judge_next(judge, customer, view);
    if (judge->k == NULL)
        return false;
    if (scan->counts != NULL)
        count_conditions(scan);
    struct rule_answer answer = tree_answer(judge, scan->rule->root);
    if (judge->nomem || pattern_is_starved())
        return false;
    if (judge->partial && judge->on_partial != NULL)
        return leave_partial(scan, customer);
    return !answer.holds || scan->found(scan->context, customer, answer.until_ms);
}

err rule_scan(struct rule_judge *judge, const struct rule *rule, struct history_reader *reader,
              const struct rule_facts *facts, int64_t now_ms, uint32_t from, uint32_t to,
              bool (*found)(void *context, uint32_t customer, int64_t until_ms), void *context,
              uint64_t *condition_counts)
{
    INVARIANT(!rule->is_measure);
    struct scan scan = { judge, rule, facts, now_ms, found, context, condition_counts, 0 };
    history_scan(reader, from, to, visit, &scan);
    return rule_judge_status(judge);
}

err rule_scan_one(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                  const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                  bool (*found)(void *context, uint32_t customer, int64_t until_ms), void *context,
                  uint64_t *condition_counts)
{
    struct scan scan = { judge, rule, facts, now_ms, found, context, condition_counts, 0 };
    (void)visit(&scan, customer, view);
    return rule_judge_status(judge);
}
