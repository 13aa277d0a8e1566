/* SPDX-License-Identifier: Apache-2.0 */
/* Everybody: block of neighbours after block in the order of memory, and who is apart one by one. */
#include "rule/judge.h"

#include <string.h>

#define BEGIN_AFTER 4096u
/* A shorter run of numbers is asked one by one: a block costs its events, however few are asked. */
#define SPAN_FROM 32u

struct scan {
    struct rule_judge *judge;
    const struct rule *rule;
    const struct rule_facts *facts;
    int64_t now_ms;
    bool (*found)(void *context, uint32_t customer);
    void *context;
    uint64_t *counts;
    uint32_t until_begin;
    /* of the block that is looked at */
    uint32_t begin;
    struct bits *holds; /* NULL: found is told at once */
    bool stopped;
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

static bool tell(struct scan *scan, uint32_t customer)
{
    uint32_t slot = customer - scan->begin;
    if (scan->holds == NULL)
        return scan->found(scan->context, customer);
    scan->holds->words[slot / 64] |= UINT64_C(1) << (slot % 64);
    return true;
}

static bool judge_visited(struct scan *scan, uint32_t customer, const struct history_view *view)
{
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
    return !answer.holds || tell(scan, customer);
}

static bool visit(void *context, uint32_t customer, const struct history_view *view)
{
    struct scan *scan = context;
    scan->stopped = !judge_visited(scan, customer, view);
    return !scan->stopped;
}

/* ---- neighbours ---- */

static bool tell_all(struct scan *scan, const struct bits *holds)
{
    for (uint32_t i = 0; i < SPAN_WORDS; i++)
        for (uint64_t left = holds->words[i]; left != 0; left &= left - 1)
            if (!scan->found(scan->context, scan->begin + i * 64 + (uint32_t)__builtin_ctzll(left)))
                return false;
    return true;
}

/* False: they are asked one by one. */
static bool scan_plain(struct scan *scan, const struct history_span *span, struct bits *holds)
{
    struct bits care;
    if (!span_begin(scan->judge, scan->rule, span, scan->facts, scan->now_ms))
        return false;
    memcpy(care.words, span->plain, sizeof(care.words));
    if (scan->counts != NULL)
        span_count(scan->judge, scan->counts);
    *holds = span_tree(scan->judge, care, NULL);
    scan->stopped = scan->judge->nomem || pattern_is_starved();
    return true;
}

static bool scan_block(struct scan *scan, struct history_reader *reader, uint32_t from, uint32_t to)
{
    struct history_span span;
    struct bits holds = { { 0 } };
    history_view_span(reader, from, to, &span);
    scan->begin = span.begin;
    scan->holds = NULL;
    if (!scan_plain(scan, &span, &holds)) {
        history_scan(reader, from, to, visit, scan);
        return !scan->stopped;
    }
    scan->holds = &holds;
    if (!scan->stopped)
        history_scan_apart(reader, &span, visit, scan);
    scan->holds = NULL;
    return !scan->stopped && tell_all(scan, &holds);
}

static void scan_blocks(struct scan *scan, struct history_reader *reader, uint64_t from,
                        uint64_t end)
{
    while (from < end) {
        uint64_t next = (from | (HISTORY_BLOCK_NODES - 1)) + 1;
        next = next < end ? next : end;
        if (!scan_block(scan, reader, (uint32_t)from, (uint32_t)next))
            return;
        from = next;
    }
}

err rule_scan(struct rule_judge *judge, const struct rule *rule, struct history_reader *reader,
              const struct rule_facts *facts, int64_t now_ms, uint32_t from, uint32_t to,
              bool (*found)(void *context, uint32_t customer), void *context,
              uint64_t *condition_counts)
{
    INVARIANT(!rule->is_measure);
    struct scan scan = { .judge = judge,
                         .rule = rule,
                         .facts = facts,
                         .now_ms = now_ms,
                         .found = found,
                         .context = context,
                         .counts = condition_counts };
    uint64_t end = rule->history != NULL ? (uint64_t)history_node_count(rule->history) + 1 : to;
    end = end < to ? end : to;
    from = from > 0 ? from : 1;
    if (from + (uint64_t)SPAN_FROM > end)
        history_scan(reader, from, to, visit, &scan);
    else
        scan_blocks(&scan, reader, from, end);
    return rule_judge_status(judge);
}

err rule_scan_one(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                  const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                  bool (*found)(void *context, uint32_t customer), void *context,
                  uint64_t *condition_counts)
{
    struct scan scan = { .judge = judge,
                         .rule = rule,
                         .facts = facts,
                         .now_ms = now_ms,
                         .found = found,
                         .context = context,
                         .counts = condition_counts };
    (void)visit(&scan, customer, view);
    return rule_judge_status(judge);
}
