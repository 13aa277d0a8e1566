/* SPDX-License-Identifier: Apache-2.0 */
/* The scratch of a thread: what it remembers of rules, and what is the same for all customers at one moment. */
#include "rule/judge.h"

#include <stddef.h>
#include <string.h>

#include "base/digest.h"

/* What is known of rules that are gone goes with all the rest, when there is too much of it. */
#define KNOWN_MAX 32768
#define PAGES_MAX 32768u

err rule_judge_new(struct rule_judge **judge)
{
    *judge = memory_alloc(sizeof(**judge));
    return *judge != NULL ? ERR_OK : ERR_NOMEM;
}

void verdicts_clear(struct verdicts *verdicts)
{
    for (uint32_t i = 0; i < verdicts->page_count; i++)
        memory_free(verdicts->pages[i]);
    memory_free(verdicts->pages);
    *verdicts = (struct verdicts){ 0 };
}

static size_t place(size_t *size, size_t bytes)
{
    size_t at = (*size + 15) & ~(size_t)15;
    *size = at + bytes;
    return at;
}

/* One piece: this, and the arrays behind it. */
struct known_head {
    struct known known;
    uint32_t verdict_count, set_count;
};

static void forget(struct known *known)
{
    struct known_head *head = (struct known_head *)known;
    for (uint32_t i = 0; i < head->verdict_count; i++)
        verdicts_clear(&known->verdicts[i]);
    for (uint32_t i = 0; i < head->set_count; i++)
        memory_free(known->sets[i].slots);
    memory_free(known->types);
    memory_free(known->heard);
    memory_free(known);
}

static void forget_all(struct rule_judge *judge)
{
    for (uint32_t i = 0; i < judge->known_capacity; i++)
        if (judge->known[i].known != NULL)
            forget(judge->known[i].known);
    memory_free(judge->known);
    judge->known = NULL;
    judge->known_capacity = judge->known_count = judge->pages = 0;
    judge->k = NULL;
}

void rule_judge_free(struct rule_judge **judge)
{
    struct rule_judge *gone = *judge;
    if (gone == NULL)
        return;
    forget_all(gone);
    spanning_free(gone);
    memory_free(gone->set);
    memory_free(gone->items);
    memory_free(gone->orders);
    memory_free(gone->counted);
    memory_free(gone->touches);
    memory_free(gone->touch_codes);
    memory_free(gone->steps);
    memory_free(gone->failed);
    memory_free(gone);
    *judge = NULL;
}

err rule_judge_status(struct rule_judge *judge)
{
    bool nomem = pattern_take_starved() || judge->nomem;
    judge->nomem = false;
    return nomem ? ERR_NOMEM : ERR_OK;
}

bool judge_room(struct rule_judge *judge, void *items, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity)
        return true;
    size_t larger = *capacity < 64 ? 64 : *capacity;
    while (larger < count)
        larger *= 2;
    void *before, *more;
    memcpy(&before, items, sizeof(before));
    more = memory_resize(before, larger * size);
    if (more == NULL) {
        judge->nomem = true;
        return false;
    }
    memcpy(items, &more, sizeof(more));
    *capacity = larger;
    return true;
}

/* ---- what is known of a rule ---- */

static struct known *make_known(const struct rule *rule)
{
    size_t size = 0;
    place(&size, sizeof(struct known_head));
    size_t starts = place(&size, rule->slot_count * sizeof(struct tally));
    size_t tallies = place(&size, rule->slot_count * sizeof(struct tally));
    size_t columns = place(&size, rule->column_count * sizeof(history_column));
    size_t bounds = place(&size, rule->bound_count * sizeof(struct bound));
    size_t rings = place(&size, rule->ring_total * sizeof(int64_t));
    size_t leaves = place(&size, rule->condition_count * sizeof(struct rule_answer));
    size_t verdicts = place(&size, rule->verdict_count * sizeof(struct verdicts));
    size_t sets = place(&size, rule->set_count * sizeof(struct object_set));
    char *piece = memory_alloc(size);
    if (piece == NULL)
        return NULL;
    struct known_head *head = (struct known_head *)(void *)piece;
    head->verdict_count = rule->verdict_count;
    head->set_count = rule->set_count;
    struct known *known = &head->known;
    known->rule_number = rule->number;
    known->columns = (void *)(piece + columns);
    known->verdicts = (void *)(piece + verdicts);
    known->sets = (void *)(piece + sets);
    known->bounds = (void *)(piece + bounds);
    known->starts = (void *)(piece + starts);
    known->tallies = (void *)(piece + tallies);
    known->rings = (void *)(piece + rings);
    known->leaves = (void *)(piece + leaves);
    return known;
}

static struct known_slot *find_known(const struct rule_judge *judge, uint64_t number)
{
    uint32_t mask = judge->known_capacity - 1;
    uint32_t at = (uint32_t)hash_mix64(number) & mask;
    while (judge->known[at].known != NULL && judge->known[at].rule_number != number)
        at = (at + 1) & mask;
    return &judge->known[at];
}

static bool grow_known(struct rule_judge *judge)
{
    if (judge->known_count >= KNOWN_MAX || judge->pages > PAGES_MAX)
        forget_all(judge);
    if (2 * (judge->known_count + 1) <= judge->known_capacity)
        return true;
    uint32_t before = judge->known_capacity;
    struct known_slot *old = judge->known;
    struct known_slot *more = memory_alloc((before == 0 ? 16 : 2 * (size_t)before) * sizeof(*more));
    if (more == NULL)
        return false;
    judge->known = more;
    judge->known_capacity = before == 0 ? 16 : 2 * before;
    for (uint32_t i = 0; i < before; i++)
        if (old[i].known != NULL)
            *find_known(judge, old[i].rule_number) = old[i];
    memory_free(old);
    return true;
}

struct known *judge_known(struct rule_judge *judge, const struct rule *rule)
{
    if (judge->known_capacity > 0) {
        struct known *known = find_known(judge, rule->number)->known;
        if (known != NULL)
            return known;
    }
    struct known *made = grow_known(judge) ? make_known(rule) : NULL;
    if (made == NULL) {
        judge->nomem = true;
        return NULL;
    }
    *find_known(judge, rule->number) = (struct known_slot){ rule->number, made };
    judge->known_count++;
    return made;
}

/* ---- nearer ---- */

#define LINE_BYTES 64

static void lines_near(const void *piece, size_t from, size_t to)
{
    for (size_t at = from; at < to; at += LINE_BYTES)
        __builtin_prefetch((const char *)piece + at);
}

static const struct known *known_near(const struct rule_judge *judge, const struct rule *rule)
{
    return judge->known_capacity > 0 ? find_known(judge, rule->number)->known : NULL;
}

static void node_near(const struct node *node)
{
    lines_near(node, 0, offsetof(struct node, compare) + offsetof(struct compare, numbers));
    lines_near(node, offsetof(struct node, where),
               offsetof(struct node, measuring) + offsetof(struct measuring, of));
}

/* Of rules with more the first are the most of it. */
#define SLOTS_NEAR 2u

void rule_near(const struct rule_judge *judge, const struct rule *rule, unsigned step)
{
    const struct known *known;
    switch (step) {
    case 0:
        lines_near(rule, 0, sizeof(*rule));
        return;
    case 1:
        if (judge->known_capacity > 0)
            __builtin_prefetch(
                &judge->known[(uint32_t)hash_mix64(rule->number) & (judge->known_capacity - 1)]);
        __builtin_prefetch((const void *)rule->slots);
        __builtin_prefetch(rule->listeners);
        lines_near(rule->root, 0, offsetof(struct node, name));
        return;
    case 2:
        known = known_near(judge, rule);
        if (known != NULL)
            lines_near(known, 0, offsetof(struct known, bits) + LINE_BYTES);
        for (uint32_t i = 0; i < rule->slot_count && i < SLOTS_NEAR; i++)
            node_near(rule->slots[i]);
        return;
    default:
        known = known_near(judge, rule);
        if (known == NULL || rule->slot_count == 0)
            return;
        uint32_t slots = rule->slot_count < SLOTS_NEAR ? rule->slot_count : SLOTS_NEAR;
        lines_near(known->starts, 0, slots * sizeof(struct tally));
        lines_near(known->tallies, 0, slots * sizeof(struct tally));
        __builtin_prefetch(known->types);
        __builtin_prefetch(known->heard);
        return;
    }
}

/* ---- types ---- */

static bool is_any(const struct listener *listener)
{
    return listener->event.size == 0;
}

/* Lists of listeners by type, those of any event last, for which a type without a list stands. */
static bool find_types(struct known *known, const struct rule *rule)
{
    uint32_t count = rule->listener_count;
    if (known->types == NULL)
        known->types = memory_alloc((count + 1) * sizeof(*known->types));
    if (known->heard == NULL)
        known->heard = memory_alloc(((size_t)count * (count + 1) + 1) * sizeof(*known->heard));
    if (known->types == NULL || known->heard == NULL)
        return false;
    memset(known->bits, 0, sizeof(known->bits));
    known->listed = 0;
    uint32_t end = 0;
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct listener *listener = &rule->listeners[i];
        any |= is_any(listener);
        uint16_t type = is_any(listener) ? 0 : history_type_find(rule->history, listener->event);
        if (type == 0 || (known->bits[type / 64] >> (type % 64) & 1) != 0)
            continue;
        known->bits[type / 64] |= UINT64_C(1) << (type % 64);
        struct type_list *list = &known->types[known->listed++];
        *list = (struct type_list){ .type = type, .begin = (uint16_t)end };
        for (uint32_t j = 0; j < count; j++)
            if (is_any(&rule->listeners[j]) || str_equal(rule->listeners[j].event, listener->event))
                known->heard[end++] = (uint16_t)j;
        list->end = (uint16_t)end;
    }
    known->any_begin = end;
    for (uint32_t j = 0; j < count; j++)
        if (is_any(&rule->listeners[j]))
            known->heard[end++] = (uint16_t)j;
    known->any_end = end;
    if (any)
        memset(known->bits, 0xff, sizeof(known->bits));
    return true;
}

static void learn(struct rule_judge *judge, struct known *known, const struct rule *rule)
{
    if (rule->history == NULL)
        return;
    uint16_t types = history_type_count(rule->history);
    if (!known->typed || types != known->type_count) {
        known->typed = find_types(known, rule);
        known->type_count = types;
        judge->nomem |= !known->typed;
    }
    for (uint32_t i = 0; known->columns_found < rule->column_count && i < rule->column_count; i++) {
        if (known->columns[i] != 0)
            continue;
        known->columns[i] =
            history_column_find(rule->history, rule->columns[i].path, rule->columns[i].kind);
        known->columns_found += known->columns[i] != 0;
    }
    known->has_full = false;
    for (uint32_t i = 0; i < rule->column_count; i++)
        known->has_full |= history_column_is_full(rule->history, known->columns[i]);
}

/* ---- at now ---- */

static void prepare_bound(struct rule_judge *judge, const struct compare *compare,
                          struct bound *bound)
{
    const struct zone *zone = &judge->rule->zone;
    bound->low = -WIDE_MAX;
    bound->high = WIDE_MAX;
    if (compare->op == OP_ANNIVERSARY)
        return;
    int64_t from = moment_at(&compare->from, zone, judge->now_ms);
    switch (compare->op) {
    case OP_LT:
        bound->high = from - 1;
        break;
    case OP_LTE:
        bound->high = from;
        break;
    case OP_GT:
        bound->low = from + 1;
        break;
    case OP_GTE:
        bound->low = from;
        break;
    case OP_BETWEEN:
        bound->low = from;
        bound->high = moment_at(&compare->to, zone, judge->now_ms) - 1;
        break;
    case OP_ON: {
        int64_t day = zone_day(zone, from);
        bound->low = zone_midnight(zone, day);
        bound->high = zone_midnight(zone, day + 1) - 1;
        break;
    }
    case OP_NONE:
    case OP_EQ:
    case OP_NE:
    case OP_IN:
    case OP_NOT_IN:
    case OP_CONTAINS:
    case OP_NOT_CONTAINS:
    case OP_STARTS_WITH:
    case OP_ENDS_WITH:
    case OP_MATCHES:
    case OP_ANNIVERSARY:
    case OP_IS_SET:
    case OP_IS_NOT_SET:
    case OP_COUNT:
    default:
        bound->low = bound->high = from;
        break;
    }
}

static const struct window *window_of(const struct node *node)
{
    return &node->measuring.window;
}

static void prepare_windows(struct rule_judge *judge, struct known *known, const struct rule *rule)
{
    known->begin_ms = rule->whole_life ? INT64_MIN : INT64_MAX;
    size_t ring = 0;
    for (uint32_t i = 0; i < rule->slot_count; i++) {
        struct tally *start = &known->starts[i];
        *start = (struct tally){
            .enter_ms = RULE_FOREVER,
            .flip_ms = RULE_FOREVER,
            .day = INT64_MIN,
            .ring_head = ring,
        };
        ring += rule->slots[i]->measuring.ring;
        bool is_hers = window_of(rule->slots[i])->entered.kind != RULE_ENTERED_SELF;
        if (!is_hers) /* else it begins for each customer at a moment of her own */
            window_at(judge, window_of(rule->slots[i]), start);
        known->begin_ms = is_hers ? INT64_MIN : earlier(known->begin_ms, start->from_ms);
    }
}

void judge_prepare(struct rule_judge *judge, int64_t now_ms)
{
    const struct rule *rule = judge->rule;
    struct known *known = judge->k;
    learn(judge, known, rule);
    int64_t entered = judge->facts->entered_ms;
    if (known->prepared && known->now_ms == now_ms && known->entered_ms == entered)
        return;
    known->prepared = true;
    known->now_ms = now_ms;
    known->entered_ms = entered;
    for (uint32_t i = 0; i < rule->bound_count; i++)
        prepare_bound(judge, rule->bounds[i], &known->bounds[i]);
    prepare_windows(judge, known, rule);
}

void judge_begin(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                 const struct history_view *view, const struct rule_facts *facts, int64_t now_ms)
{
    static const struct rule_facts no_facts = { .entered_ms = INT64_MIN };
    if (judge->k == NULL || judge->k->rule_number != rule->number)
        judge->k = judge_known(judge, rule);
    judge->rule = rule;
    judge->facts = facts != NULL ? facts : &no_facts;
    judge->now_ms = now_ms;
    judge_next(judge, customer, view);
    if (judge->k != NULL)
        judge_prepare(judge, now_ms);
}

bool judge_stand(struct rule_judge *judge, const struct rule *rule)
{
    if (judge->k == NULL || judge->k->rule_number != rule->number)
        judge->k = judge_known(judge, rule);
    judge->rule = rule;
    if (judge->k == NULL)
        return false;
    learn(judge, judge->k, rule);
    return judge->k->typed && (!judge->k->has_full || judge->view->streamed);
}

/* ---- answers ---- */

void rule_answer(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                 const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                 struct rule_answer *answer)
{
    INVARIANT(!rule->is_measure);
    judge_begin(judge, rule, customer, view, facts, now_ms);
    if (judge->k != NULL)
        *answer = tree_answer(judge, rule->root);
    answer->partial = judge->partial;
    judge->nomem |= pattern_take_starved();
    if (judge->nomem)
        *answer = (struct rule_answer){ .holds = false, .until_ms = now_ms };
}

bool rule_judge_was_partial(const struct rule_judge *judge)
{
    return judge->partial;
}

bool rule_judge_take_partial(struct rule_judge *judge)
{
    bool was_partial = judge->was_partial;
    judge->was_partial = false;
    return was_partial;
}

void rule_judge_on_partial(struct rule_judge *judge,
                           bool (*partial)(void *context, uint32_t customer), void *context)
{
    judge->on_partial = partial;
    judge->partial_context = context;
}

bool rule_measure(struct rule_judge *judge, const struct rule *measure, uint32_t customer,
                  const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                  struct rule_value *value, int64_t *until_ms)
{
    INVARIANT(measure->is_measure);
    *value = (struct rule_value){ 0 };
    *until_ms = now_ms;
    judge_begin(judge, measure, customer, view, facts, now_ms);
    if (judge->k == NULL)
        return false;
    pass_run(judge);
    const struct node *node = measure->root;
    struct tally *tally = &judge->k->tallies[node->slot];
    if (node->measuring.net)
        net_resolve(judge, node, tally);
    bool set = settle_value(judge, node, tally, value);
    *until_ms = settle_until(judge, node, tally);
    judge->nomem |= pattern_take_starved();
    if (judge->nomem)
        *until_ms = now_ms;
    return set && !judge->nomem;
}
