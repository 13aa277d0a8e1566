/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over a customer's events, which fills the tallies of all slots.
 *
 * Most events are of types that the rule does not name: they cost a load, a shift and a test of a bit. */
#include "rule/judge.h"

#include <string.h>

#include "base/digest.h"

/* ---- windows ---- */

int64_t window_entered(const struct rule_judge *judge, const struct window *window)
{
    const struct rule_facts *facts = judge->facts;
    if (window->entered.kind == RULE_ENTERED_SELF)
        return facts->entered_ms;
    return facts->entered != NULL
               ? facts->entered(facts->context, judge->customer, &window->entered)
               : INT64_MIN;
}

void window_at(struct rule_judge *judge, const struct window *window, struct tally *tally)
{
    const struct zone *zone = &judge->rule->zone;
    tally->from_ms = INT64_MIN;
    tally->to_ms = judge->now_ms;
    if (window->entering) {
        tally->from_ms = window_entered(judge, window);
        tally->closed = tally->from_ms == INT64_MIN;
    }
    if (window->has_from)
        tally->from_ms = moment_at(&window->from, zone, judge->now_ms);
    if (window->has_to)
        tally->to_ms = earlier(tally->to_ms, moment_at(&window->to, zone, judge->now_ms));
}

int64_t window_enters(struct rule_judge *judge, const struct window *window, int64_t time_ms)
{
    if (window->entering && window_entered(judge, window) == INT64_MIN)
        return RULE_FOREVER;
    int64_t when = time_ms + 1;
    if (window->has_to) {
        const struct zone *zone = &judge->rule->zone;
        if (moment_at(&window->to, zone, judge->now_ms) <= time_ms) {
            int64_t opens = moment_passes(&window->to, zone, time_ms, judge->now_ms);
            when = opens > when ? opens : when;
        }
    }
    return when;
}

int64_t window_leaves(struct rule_judge *judge, const struct window *window, int64_t time_ms)
{
    if (!window->has_from)
        return RULE_FOREVER;
    return moment_passes(&window->from, &judge->rule->zone, time_ms, judge->now_ms);
}

/* ---- distinct values ---- */

static bool grow_set(struct rule_judge *judge)
{
    uint32_t capacity = judge->set_capacity == 0 ? 256 : 2 * judge->set_capacity;
    struct entry64 *more = memory_alloc(capacity * sizeof(*more));
    if (more == NULL) {
        judge->nomem = true;
        return false;
    }
    for (uint32_t i = 0; i < judge->set_capacity; i++) {
        const struct entry64 *entry = &judge->set[i];
        if (entry->round != judge->round)
            continue;
        uint32_t at = (uint32_t)hash_mix64((uint64_t)entry->value + entry->slot) & (capacity - 1);
        while (more[at].round == judge->round)
            at = (at + 1) & (capacity - 1);
        more[at] = *entry;
    }
    memory_free(judge->set);
    judge->set = more;
    judge->set_capacity = capacity;
    return true;
}

/* True the first time. */
static bool add_distinct(struct rule_judge *judge, uint32_t slot, int64_t value)
{
    if (2 * (judge->set_count + 1) > judge->set_capacity && !grow_set(judge))
        return false;
    uint32_t mask = judge->set_capacity - 1;
    uint32_t at = (uint32_t)hash_mix64((uint64_t)value + slot) & mask;
    for (; judge->set[at].round == judge->round; at = (at + 1) & mask)
        if (judge->set[at].value == value && judge->set[at].slot == slot)
            return false;
    judge->set[at] = (struct entry64){ value, slot, judge->round };
    judge->set_count++;
    return true;
}

static void begin_set(struct rule_judge *judge)
{
    judge->set_count = 0;
    if (++judge->round == 0) {
        if (judge->set_capacity > 0)
            memset(judge->set, 0, judge->set_capacity * sizeof(*judge->set));
        judge->round = 1;
    }
}

/* ---- tallies ---- */

void tally_begin(struct rule_judge *judge, const struct node *node, struct tally *tally)
{
    *tally = (struct tally){ .enter_ms = RULE_FOREVER, .flip_ms = RULE_FOREVER, .day = INT64_MIN };
    if (node->measuring.measure == MEASURE_DISTINCT)
        begin_set(judge);
}

static void note_counted(struct rule_judge *judge, const struct node *node, size_t at)
{
    if (!judge_room(judge, &judge->counted, &judge->counted_capacity, judge->counted_count + 1,
                    sizeof(*judge->counted)))
        return;
    judge->counted[judge->counted_count++] = (struct item){ .slot = node->condition, .at = at };
}

void tally_push(struct rule_judge *judge, const struct node *node, struct tally *tally, size_t at,
                int64_t time_ms, int64_t value)
{
    const struct measuring *measuring = &node->measuring;
    if (judge->explains)
        note_counted(judge, node, at);
    if (tally->count == 0) {
        tally->first_ms = time_ms;
        tally->first_value = tally->least = tally->greatest = value;
        tally->first_at = at;
    }
    tally->last_ms = time_ms;
    tally->last_value = value;
    tally->last_at = at;
    if (measuring->ring > 0 && measuring->nth == 0)
        judge->k->rings[tally->ring_head + tally->count % measuring->ring] = time_ms;
    tally->count++;
    switch (measuring->measure) {
    case MEASURE_SUM:
    case MEASURE_AVG:
        tally->sum += value;
        break;
    case MEASURE_MIN:
    case MEASURE_MAX:
        tally->least = value < tally->least ? value : tally->least;
        tally->greatest = value > tally->greatest ? value : tally->greatest;
        break;
    case MEASURE_DISTINCT:
        tally->distinct += add_distinct(judge, node->slot, value);
        break;
    case MEASURE_DAYS: {
        int64_t day = zone_day(&judge->rule->zone, time_ms);
        tally->days += day != tally->day;
        tally->day = day;
        break;
    }
    case MEASURE_COUNT:
    case MEASURE_FIRST:
    case MEASURE_LAST:
    case MEASURE_RECENCY:
    case MEASURE_END:
    default:
        break;
    }
}

/* Each text of a list counts. */
static void add_texts(struct rule_judge *judge, const struct node *node, struct tally *tally,
                      size_t at, int64_t time_ms)
{
    const uint32_t *codes;
    history_column column = column_of(judge, &node->measuring.of);
    size_t count = column != 0 ? history_codes(judge->view, at, column, &codes) : 0;
    if (count == 0)
        return;
    tally_push(judge, node, tally, at, time_ms, codes[0]);
    for (size_t i = 1; i < count; i++)
        tally->distinct += add_distinct(judge, node->slot, codes[i]);
}

void tally_add(struct rule_judge *judge, const struct node *node, struct tally *tally, size_t at,
               int64_t time_ms)
{
    const struct measuring *measuring = &node->measuring;
    int64_t value = 0;
    if (measuring->has_of && measuring->of.kind == RULE_TEXTS) {
        add_texts(judge, node, tally, at, time_ms);
        return;
    }
    if (measuring->has_of && measuring->of.kind == RULE_TEXT) {
        value = event_code(judge, &measuring->of, at);
        if (value == 0)
            return;
    } else if (measuring->has_of && !event_number(judge, &measuring->of, at, &value)) {
        return;
    }
    tally_push(judge, node, tally, at, time_ms, value);
}

/* ---- hearing ---- */

static bool where_of(struct rule_judge *judge, const struct node *where, struct tally *tally,
                     size_t at)
{
    if (where == NULL)
        return true;
    if (!where->relative)
        return where_holds(judge, where, at);
    judge->flip_ms = RULE_FOREVER;
    bool holds = where_holds(judge, where, at);
    tally->flip_ms = earlier(tally->flip_ms, judge->flip_ms);
    return holds;
}

static void enters(struct rule_judge *judge, const struct window *window, struct tally *tally,
                   int64_t time_ms)
{
    tally->enter_ms = earlier(tally->enter_ms, window_enters(judge, window, time_ms));
}

bool keep_item(struct rule_judge *judge, struct item item)
{
    if (!judge_room(judge, &judge->items, &judge->item_capacity, judge->item_count + 1,
                    sizeof(*judge->items)))
        return false;
    judge->items[judge->item_count++] = item;
    return true;
}

/* The nth of its type: counted over her whole life, before where and window. */
static void hear_nth(struct rule_judge *judge, const struct node *node, struct tally *tally,
                     size_t at, int64_t time_ms)
{
    int32_t nth = node->measuring.nth;
    if (time_ms >= judge->now_ms) {
        tally->enter_ms = earlier(tally->enter_ms, time_ms + 1);
        return;
    }
    if (nth < 0)
        judge->k->rings[tally->ring_head + tally->seen % (uint64_t)-nth] = (int64_t)at;
    tally->seen++;
    if (nth < 0 || tally->seen != (uint64_t)nth)
        return;
    if (time_ms >= tally->to_ms)
        enters(judge, &node->measuring.window, tally, time_ms);
    else if (time_ms >= tally->from_ms && where_of(judge, node->where, tally, at))
        tally_add(judge, node, tally, at, time_ms);
}

static void pick_nth(struct rule_judge *judge, const struct node *node, struct tally *tally)
{
    uint64_t back = (uint64_t)-node->measuring.nth;
    if (tally->seen < back)
        return;
    size_t at = (size_t)judge->k->rings[tally->ring_head + (tally->seen - back) % back];
    int64_t time_ms = history_time_ms(judge->view->events[at]);
    if (time_ms >= tally->to_ms)
        enters(judge, &node->measuring.window, tally, time_ms);
    else if (time_ms >= tally->from_ms && where_of(judge, node->where, tally, at))
        tally_add(judge, node, tally, at, time_ms);
}

static void hear_net(struct rule_judge *judge, const struct node *node, struct tally *tally,
                     uint16_t role, size_t at, int64_t time_ms)
{
    bool order = role == ROLE_EVENT;
    if (time_ms >= judge->now_ms) {
        tally->enter_ms = earlier(tally->enter_ms, time_ms + 1);
        return;
    }
    if (order && node->measuring.nth == 0) {
        if (time_ms < tally->from_ms)
            return;
        if (time_ms >= tally->to_ms) {
            enters(judge, &node->measuring.window, tally, time_ms);
            return;
        }
        if (!where_of(judge, node->where, tally, at))
            return;
    }
    (void)keep_item(judge, (struct item){ node->slot, role, at, time_ms });
}

static void hear_step(struct rule_judge *judge, const struct node *node, struct tally *tally,
                      uint16_t role, size_t at, int64_t time_ms)
{
    const struct step *step = &node->steps[role];
    if (time_ms < tally->from_ms)
        return;
    int64_t end_ms = step->absent ? judge->now_ms : tally->to_ms;
    if (time_ms >= end_ms) {
        int64_t when =
            step->absent ? time_ms + 1 : window_enters(judge, &node->measuring.window, time_ms);
        tally->enter_ms = earlier(tally->enter_ms, when);
        return;
    }
    if (step->correlated || where_of(judge, step->where, tally, at))
        (void)keep_item(judge, (struct item){ node->slot, role, at, time_ms });
}

static void hear(struct rule_judge *judge, const struct listener *listener, size_t at,
                 int64_t time_ms)
{
    const struct node *node = judge->rule->slots[listener->slot];
    struct tally *tally = &judge->k->tallies[listener->slot];
    if (tally->closed)
        return;
    if (node->kind == NODE_SEQUENCE) {
        hear_step(judge, node, tally, listener->role, at, time_ms);
        return;
    }
    if (node->measuring.net) {
        hear_net(judge, node, tally, listener->role, at, time_ms);
        return;
    }
    if (node->measuring.nth != 0) {
        hear_nth(judge, node, tally, at, time_ms);
        return;
    }
    if (time_ms < tally->from_ms)
        return;
    if (time_ms >= tally->to_ms)
        enters(judge, &node->measuring.window, tally, time_ms);
    else if (where_of(judge, node->where, tally, at))
        tally_add(judge, node, tally, at, time_ms);
}

/* ---- the walk ---- */

/* Of few events walking over those before costs less than halving, whose branches nobody can foresee. */
#define HALVING_FROM 64u

static size_t first_at(const struct history_view *view, int64_t begin_ms)
{
    size_t low = 0, high = view->count;
    if (high < HALVING_FROM || history_time_ms(view->events[0]) >= begin_ms)
        return 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (history_time_ms(view->events[middle]) < begin_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void hear_type(struct rule_judge *judge, uint16_t type, size_t at, int64_t time_ms)
{
    const struct known *known = judge->k;
    uint32_t begin, end;
    known_listeners(known, type, &begin, &end);
    for (uint32_t i = begin; i < end; i++)
        hear(judge, &judge->rule->listeners[known->heard[i]], at, time_ms);
}

void pass_begin_slot(struct rule_judge *judge, uint32_t slot)
{
    judge->k->tallies[slot] = judge->k->starts[slot];
    judge->item_count = 0;
    if (judge->rule->slots[slot]->measuring.measure == MEASURE_DISTINCT)
        begin_set(judge);
}

void pass_hear_slot(struct rule_judge *judge, uint32_t slot, size_t at)
{
    const struct known *known = judge->k;
    const struct listener *listeners = judge->rule->listeners;
    history_packed packed = judge->view->events[at];
    uint16_t type = history_packed_type(packed);
    uint32_t begin, end;
    known_listeners(known, type, &begin, &end);
    for (uint32_t i = begin; i < end; i++)
        if (listeners[known->heard[i]].slot == slot)
            hear(judge, &listeners[known->heard[i]], at, history_time_ms(packed));
}

void pass_end_slot(struct rule_judge *judge, uint32_t slot)
{
    const struct node *node = judge->rule->slots[slot];
    struct tally *tally = &judge->k->tallies[slot];
    if (node->kind == NODE_EVENT && node->measuring.nth < 0 && !node->measuring.net &&
        !tally->closed)
        pick_nth(judge, node, tally);
}

bool lacks_events(const struct history_view *view, int64_t begin_ms)
{
    if (__builtin_expect(view->complete, true))
        return false;
    /* not said: anything may be missing */
    return view->whole_from_ms == INT64_MIN || begin_ms < view->whole_from_ms;
}

void pass_run(struct rule_judge *judge)
{
    if (judge->passed)
        return;
    judge->passed = true;
    struct known *known = judge->k;
    const struct rule *rule = judge->rule;
    const struct history_view *view = judge->view;
    if (rule->slot_count > 0)
        memcpy(known->tallies, known->starts, rule->slot_count * sizeof(struct tally));
    for (uint32_t i = 0; rule->has_entered && i < rule->slot_count; i++)
        if (rule->slots[i]->measuring.window.entered.kind != RULE_ENTERED_SELF)
            window_at(judge, &rule->slots[i]->measuring.window, &known->tallies[i]);
    judge->item_count = 0;
    begin_set(judge);
    if (view == NULL)
        return;
    if (!known->typed)
        return;
    note_partial(judge, lacks_events(view, known->begin_ms));
    size_t count = view->count;
    bool heard = false;
    for (size_t at = first_at(view, known->begin_ms); at < count; at++) {
        history_packed packed = view->events[at];
        uint16_t type = history_packed_type(packed);
        if (known_hears(known, type)) {
            hear_type(judge, type, at, history_time_ms(packed));
            heard = true;
        }
    }
    note_partial(judge, heard && known->has_full && !view->streamed);
    for (uint32_t i = 0; i < rule->slot_count; i++)
        pass_end_slot(judge, i);
}
