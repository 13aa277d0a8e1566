/* SPDX-License-Identifier: Apache-2.0 */
/* Many at once: a rule over a block of neighbours, condition after condition instead of customer after customer.
 *
 *     events of the block ─▶ marks: a bit per event that a condition may count, by type and time alone
 *                                │   nobody who has no mark is looked at: they share one answer
 *                                └─▶ per customer with marks: the same hearing and settling as for one (pass.c, settle.c)
 *     cells of the block ──▶ one test per different cell
 *     groups ──────────────▶ words of bits; who is decided is not asked again
 *
 * A count or a sum whose end nobody asks for needs no tally. What has no form here (touches, objects that a trait names,
 * windows since she entered something) is asked one by one. */
#include "rule/judge.h"
#include "rule/mark.h"

#include <string.h>

#include "base/digest.h"

#define FEW 4 /* so few are asked one by one */

/* ---- bits ---- */

static bool has(const struct bits *bits, uint32_t slot)
{
    return (bits->words[slot / 64] >> (slot % 64) & 1) != 0;
}

static void put(struct bits *bits, uint32_t slot, bool value)
{
    uint64_t bit = UINT64_C(1) << (slot % 64);
    bits->words[slot / 64] = (bits->words[slot / 64] & ~bit) | (value ? bit : 0);
}

static uint32_t count_of(const struct bits *bits)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SPAN_WORDS; i++)
        count += (uint32_t)__builtin_popcountll(bits->words[i]);
    return count;
}

static bool is_any(const struct bits *bits)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < SPAN_WORDS; i++)
        any |= bits->words[i];
    return any != 0;
}

static struct bits both(struct bits a, const struct bits *b)
{
    for (uint32_t i = 0; i < SPAN_WORDS; i++)
        a.words[i] &= b->words[i];
    return a;
}

static struct bits without(struct bits a, const struct bits *b)
{
    for (uint32_t i = 0; i < SPAN_WORDS; i++)
        a.words[i] &= ~b->words[i];
    return a;
}

#define FOR_EACH_SLOT(slot, bits)                                                           \
    for (uint32_t word_##slot = 0; word_##slot < SPAN_WORDS; word_##slot++)                 \
        for (uint64_t left_##slot = (bits)->words[word_##slot]; left_##slot != 0;           \
             left_##slot &= left_##slot - 1)                                                \
            for (uint32_t slot = word_##slot * 64 + (uint32_t)__builtin_ctzll(left_##slot), \
                          once_##slot = 1;                                                  \
                 once_##slot != 0; once_##slot = 0)

/* ---- marks ---- */

static size_t mark_count(const struct spanning *spanning)
{
    return (spanning->span->view.count + 63) / 64;
}

/* The first mark at or after `at`; the number of events if there is none. */
static size_t next_mark(const struct spanning *spanning, size_t at)
{
    size_t count = spanning->span->view.count, words = mark_count(spanning);
    if (at >= count)
        return count;
    size_t word = at / 64;
    uint64_t bits = spanning->marks[word] >> (at % 64) << (at % 64);
    while (bits == 0) {
        if (++word >= words)
            return count;
        bits = spanning->marks[word];
    }
    return word * 64 + (size_t)__builtin_ctzll(bits);
}

/* ---- who has marks ---- */

/* Customer after customer in `care` who has marks: events [at, end) of hers are to be looked at, from mark to mark. */
struct marked {
    const struct spanning *spanning;
    const struct bits *care;
    uint32_t slot;
    size_t at, end;
};

static bool marked_next(struct marked *marked)
{
    const uint32_t *offsets = marked->spanning->span->offsets;
    size_t count = marked->spanning->span->view.count;
    while (marked->at < count) {
        while (offsets[marked->slot + 1] <= marked->at)
            marked->slot++;
        marked->end = offsets[marked->slot + 1];
        if (has(marked->care, marked->slot))
            return true;
        marked->at = next_mark(marked->spanning, marked->end);
    }
    return false;
}

static struct marked marked_first(const struct spanning *spanning, const struct bits *care)
{
    return (struct marked){ .spanning = spanning, .care = care, .at = next_mark(spanning, 0) };
}

/* Her tally; moves on to whoever comes next. */
static struct tally *hear_marked(struct rule_judge *judge, const struct node *node,
                                 struct marked *marked)
{
    judge->customer = judge->spanning->span->begin + marked->slot;
    pass_begin_slot(judge, node->slot);
    for (; marked->at < marked->end; marked->at = next_mark(marked->spanning, marked->at + 1))
        pass_hear_slot(judge, node->slot, marked->at);
    pass_end_slot(judge, node->slot);
    return &judge->k->tallies[node->slot];
}

/* ---- conditions about events ---- */

/* No tally is needed: how many, or how much, is all that decides. */
static bool is_plain(const struct node *node)
{
    const struct measuring *measuring = &node->measuring;
    enum comparison op = node->compare.op;
    return node->kind == NODE_EVENT && !measuring->net && measuring->nth == 0 &&
           (measuring->measure == MEASURE_COUNT ||
            (measuring->measure == MEASURE_SUM && !is_text_kind(measuring->of.kind))) &&
           op != OP_IS_SET && op != OP_IS_NOT_SET;
}

static wide add_marked(struct rule_judge *judge, const struct node *node, struct marked *marked)
{
    const struct measuring *measuring = &node->measuring;
    wide total = 0;
    for (; marked->at < marked->end; marked->at = next_mark(marked->spanning, marked->at + 1)) {
        int64_t value = 1;
        if (node->where != NULL && !where_holds(judge, node->where, marked->at))
            continue;
        if (measuring->measure == MEASURE_COUNT ||
            event_number(judge, &measuring->of, marked->at, &value))
            total += value;
    }
    return total;
}

static struct rule_answer answer_without(struct rule_judge *judge, const struct node *node)
{
    pass_begin_slot(judge, node->slot);
    return settle_slot(judge, node, &judge->k->tallies[node->slot]);
}

static struct bits event_span(struct rule_judge *judge, const struct node *node, struct bits care,
                              int64_t *until_ms)
{
    struct spanning *spanning = judge->spanning;
    struct listening to = mark_listen(judge, node, until_ms != NULL);
    struct rule_answer nothing = answer_without(judge, node);
    struct bits holds = { { 0 } };
    bool plain = until_ms == NULL && is_plain(node);
    if (nothing.holds)
        holds = care;
    for (uint32_t slot = 0; until_ms != NULL && slot < SPAN_SLOTS; slot++)
        until_ms[slot] = nothing.until_ms;
    if (to.closed)
        return holds;
    mark_events(&spanning->span->view, &to, spanning->marks);
    struct marked marked = marked_first(spanning, &care);
    while (marked_next(&marked)) {
        uint32_t slot = marked.slot;
        if (plain) {
            put(&holds, slot, number_holds(&node->compare, add_marked(judge, node, &marked)));
            continue;
        }
        struct tally *tally = hear_marked(judge, node, &marked);
        struct rule_answer answer = settle_slot(judge, node, tally);
        put(&holds, slot, answer.holds);
        if (until_ms != NULL)
            until_ms[slot] = answer.until_ms;
    }
    return holds;
}

/* ---- conditions about facts ---- */

static bool fact_of(const struct node *node, enum rule_fact *fact)
{
    switch (node->kind) {
    case NODE_TRAIT:
        *fact = RULE_FACT_TRAIT;
        return true;
    case NODE_TAG:
        *fact = RULE_FACT_TAG;
        return true;
    case NODE_SEGMENT:
        *fact = RULE_FACT_SEGMENT;
        return true;
    case NODE_HAS:
        *fact = RULE_FACT_IDENTIFIER;
        return true;
    case NODE_CONSENT:
        *fact = RULE_FACT_CONSENT;
        return true;
    case NODE_RELATION:
        *fact = RULE_FACT_RELATION;
        return true;
    case NODE_REACHABLE:
    case NODE_TOUCH:
    case NODE_OBJECT:
    case NODE_EVENT:
    case NODE_SEQUENCE:
    case NODE_ALL:
    case NODE_ANY:
    case NODE_NOT:
    case NODE_PROP:
    default:
        return false;
    }
}

static struct rule_answer cell_answer(struct rule_judge *judge, const struct node *node,
                                      enum rule_fact fact, int64_t cell)
{
    const struct rule_facts *facts = judge->facts;
    struct rule_answer answer = { .until_ms = RULE_FOREVER };
    struct rule_value value = { 0 };
    bool set = cell != RULE_NO_CELL;
    if (fact == RULE_FACT_SEGMENT || fact == RULE_FACT_IDENTIFIER) {
        answer.holds = set;
        return answer;
    }
    if (set && fact == RULE_FACT_CONSENT)
        value.number = cell != 0;
    else if (set)
        set = facts->cell(facts->context, fact, node->symbol.number, cell, &value);
    answer.holds = value_holds(judge, &node->compare, set, &value, &answer.until_ms);
    return answer;
}

static const struct cell_verdict *verdict_of_cell(struct rule_judge *judge, const struct node *node,
                                                  enum rule_fact fact, int64_t cell)
{
    struct spanning *spanning = judge->spanning;
    struct cell_verdict *verdict =
        &spanning->verdicts[hash_mix64((uint64_t)cell) & (SPAN_CELLS - 1)];
    if (verdict->stamp == spanning->stamp && verdict->cell == cell)
        return verdict;
    struct rule_answer answer = cell_answer(judge, node, fact, cell);
    *verdict = (struct cell_verdict){
        .cell = cell, .until_ms = answer.until_ms, .stamp = spanning->stamp, .holds = answer.holds
    };
    return verdict;
}

static void next_stamp(struct spanning *spanning)
{
    if (++spanning->stamp == 0) {
        memset(spanning->verdicts, 0, sizeof(spanning->verdicts));
        spanning->stamp = 1;
    }
}

static bool cell_span(struct rule_judge *judge, const struct node *node, const struct bits *care,
                      struct bits *holds, int64_t *until_ms)
{
    struct spanning *spanning = judge->spanning;
    const struct rule_facts *facts = judge->facts;
    enum rule_fact fact;
    if (facts->cells == NULL || count_of(care) < FEW || !fact_of(node, &fact) ||
        !facts->cells(facts->context, fact, node->symbol.number, spanning->span->begin, SPAN_SLOTS,
                      spanning->cells))
        return false;
    next_stamp(spanning);
    *holds = (struct bits){ { 0 } };
    FOR_EACH_SLOT(slot, care)
    {
        const struct cell_verdict *verdict =
            verdict_of_cell(judge, node, fact, spanning->cells[slot]);
        holds->words[slot / 64] |= (uint64_t)verdict->holds << (slot % 64);
        if (until_ms != NULL)
            until_ms[slot] = verdict->until_ms;
    }
    return true;
}

/* ---- one by one ---- */

static struct bits ones_span(struct rule_judge *judge, const struct node *node,
                             const struct bits *care, int64_t *until_ms)
{
    const struct history_span *span = judge->spanning->span;
    struct bits holds = { { 0 } };
    struct history_view view;
    FOR_EACH_SLOT(slot, care)
    {
        history_span_one(span, slot, &view);
        judge_next(judge, span->begin + slot, &view);
        struct rule_answer answer = leaf_answer(judge, node);
        put(&holds, slot, answer.holds);
        if (until_ms != NULL)
            until_ms[slot] = answer.until_ms;
    }
    judge_next(judge, span->begin, &span->view);
    return holds;
}

static struct bits leaf_span(struct rule_judge *judge, const struct node *node, struct bits care,
                             int64_t *until_ms)
{
    struct bits holds = { { 0 } };
    if (!is_any(&care))
        return holds;
    bool is_event = node->kind == NODE_EVENT || node->kind == NODE_SEQUENCE;
    if (is_event && node->measuring.window.entered.kind == RULE_ENTERED_SELF)
        return event_span(judge, node, care, until_ms);
    if (!is_event && cell_span(judge, node, &care, &holds, until_ms))
        return holds;
    return ones_span(judge, node, &care, until_ms);
}

/* ---- the tree ---- */

static struct bits node_span(struct rule_judge *judge, const struct node *node, struct bits care,
                             int64_t *until_ms, uint32_t depth);

/* As group_answer: the first condition that decides says until when, and if none does the earliest of all. */
static struct bits group_span(struct rule_judge *judge, const struct node *node, struct bits care,
                              int64_t *until_ms, uint32_t depth)
{
    bool all = node->kind == NODE_ALL;
    struct bits open = care;
    int64_t *untils = until_ms != NULL ? judge->spanning->until_ms[depth] : NULL;
    for (uint32_t slot = 0; until_ms != NULL && slot < SPAN_SLOTS; slot++)
        until_ms[slot] = RULE_FOREVER;
    for (uint32_t i = 0; i < node->child_count && is_any(&open); i++) {
        struct bits holds =
            node_span(judge, node->children[node->order[i]], open, untils, depth + 1);
        struct bits next = all ? both(open, &holds) : without(open, &holds);
        if (untils != NULL)
            FOR_EACH_SLOT(slot, &open)
        until_ms[slot] = has(&next, slot) ? earlier(until_ms[slot], untils[slot]) : untils[slot];
        open = next;
    }
    return all ? open : without(care, &open);
}

static struct bits node_span(struct rule_judge *judge, const struct node *node, struct bits care,
                             int64_t *until_ms, uint32_t depth)
{
    if (node->kind == NODE_ALL || node->kind == NODE_ANY)
        return group_span(judge, node, care, until_ms, depth);
    if (node->kind == NODE_NOT) {
        struct bits holds = node_span(judge, node->children[0], care, until_ms, depth);
        return without(care, &holds);
    }
    if (judge->spanning->asked)
        return both(care, &judge->spanning->leaves[node->condition]);
    return leaf_span(judge, node, care, until_ms);
}

struct bits span_tree(struct rule_judge *judge, struct bits care, int64_t *until_ms)
{
    return node_span(judge, judge->rule->root, care, until_ms, 0);
}

void span_count(struct rule_judge *judge, uint64_t *counts)
{
    struct spanning *spanning = judge->spanning;
    struct bits care;
    memcpy(care.words, spanning->span->plain, sizeof(care.words));
    for (uint32_t i = 0; i < judge->rule->condition_count; i++) {
        spanning->leaves[i] = leaf_span(judge, judge->rule->conditions[i], care, NULL);
        counts[i] += count_of(&spanning->leaves[i]);
    }
    spanning->asked = true;
}

/* ---- beginning ---- */

void spanning_free(struct rule_judge *judge)
{
    struct spanning *gone = judge->spanning;
    judge->spanning = NULL;
    if (gone == NULL)
        return;
    memory_free(gone->marks);
    memory_free(gone->leaves);
    memory_free(gone->until_ms);
    memory_free(gone);
}

static uint32_t depth_of(const struct node *node)
{
    uint32_t deepest = 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        uint32_t depth = depth_of(node->children[i]);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

bool span_begin(struct rule_judge *judge, const struct rule *rule, const struct history_span *span,
                const struct rule_facts *facts, int64_t now_ms)
{
    judge_begin(judge, rule, span->begin, &span->view, facts, now_ms);
    if (judge->k == NULL || !judge->k->typed || judge->k->has_full)
        return false;
    if (judge->spanning == NULL)
        judge->spanning = memory_alloc(sizeof(*judge->spanning));
    struct spanning *spanning = judge->spanning;
    if (spanning == NULL) {
        judge->nomem = true;
        return false;
    }
    spanning->span = span;
    spanning->asked = false;
    return judge_room(judge, &spanning->marks, &spanning->mark_capacity, mark_count(spanning) + 1,
                      sizeof(*spanning->marks)) &&
           judge_room(judge, &spanning->leaves, &spanning->leaf_capacity, rule->condition_count + 1,
                      sizeof(*spanning->leaves)) &&
           judge_room(judge, &spanning->until_ms, &spanning->until_capacity, depth_of(rule->root),
                      sizeof(*spanning->until_ms));
}

static bool span_is_over(struct rule_judge *judge)
{
    judge->nomem |= pattern_take_starved();
    return !judge->nomem;
}

bool rule_answer_span(struct rule_judge *judge, const struct rule *rule,
                      const struct history_span *span, const struct rule_facts *facts,
                      int64_t now_ms, const uint64_t asked[HISTORY_SPAN_WORDS],
                      uint64_t holds[HISTORY_SPAN_WORDS], int64_t *until_ms)
{
    struct bits care;
    INVARIANT(!rule->is_measure);
    if (!span_begin(judge, rule, span, facts, now_ms))
        return false;
    memcpy(care.words, asked, sizeof(care.words));
    care = span_tree(judge, care, until_ms);
    memcpy(holds, care.words, sizeof(care.words));
    return span_is_over(judge);
}

/* ---- measures ---- */

static bool measured(struct rule_judge *judge, const struct node *node, struct tally *tally,
                     int64_t *number, int64_t *until_ms)
{
    struct rule_value value = { 0 };
    if (node->measuring.net)
        net_resolve(judge, node, tally);
    bool set = settle_value(judge, node, tally, &value);
    *until_ms = settle_until(judge, node, tally);
    *number = value.number;
    return set;
}

bool rule_measure_span(struct rule_judge *judge, const struct rule *measure,
                       const struct history_span *span, const struct rule_facts *facts,
                       int64_t now_ms, const uint64_t asked[HISTORY_SPAN_WORDS],
                       uint64_t set[HISTORY_SPAN_WORDS], int64_t *numbers, int64_t *until_ms)
{
    const struct node *node = measure->root;
    struct bits care, has_one = { { 0 } };
    INVARIANT(measure->is_measure);
    if (node->measuring.kind == RULE_TEXT || node->measuring.kind == RULE_TEXTS ||
        node->measuring.window.entered.kind != RULE_ENTERED_SELF ||
        !span_begin(judge, measure, span, facts, now_ms))
        return false;
    memcpy(care.words, asked, sizeof(care.words));
    struct listening to = mark_listen(judge, node, true);
    pass_begin_slot(judge, node->slot);
    bool all = measured(judge, node, &judge->k->tallies[node->slot], &numbers[0], &until_ms[0]);
    if (all)
        has_one = care;
    for (uint32_t slot = 1; slot < SPAN_SLOTS; slot++) {
        numbers[slot] = numbers[0];
        until_ms[slot] = until_ms[0];
    }
    if (!to.closed) {
        mark_events(&span->view, &to, judge->spanning->marks);
        struct marked marked = marked_first(judge->spanning, &care);
        while (marked_next(&marked)) {
            uint32_t slot = marked.slot;
            struct tally *tally = hear_marked(judge, node, &marked);
            put(&has_one, slot, measured(judge, node, tally, &numbers[slot], &until_ms[slot]));
        }
    }
    memcpy(set, has_one.words, sizeof(has_one.words));
    return span_is_over(judge);
}
