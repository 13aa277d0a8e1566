/* SPDX-License-Identifier: Apache-2.0 */
/* Which conditions of a pool an event, or time that has passed, may have changed.
 *
 * What a condition that MOVES_BY_WINDOW comes to is a function of which events are in its window. So of an event it is asked
 * whether it is in the window at all, and of a count or a sum whether it is on the other side of its threshold with it than
 * without; of time, whether another set of events is in the window. Until when: to the moment at which the oldest one
 * leaves, or the next one enters.
 *
 * What MOVES_BY_ORDER is settled as ever (settle.c), at the earlier moment, and says itself until when it stays. Where in
 * doubt (events or values that memory lacks) the owners are told: they are judged, which is always right. */
#include "rule/pool.h"

#include <string.h>

#include "base/digest.h"

/* ---- telling ---- */

static void tell(const struct rule_pool *pool, const struct rule_hearing *hearing, uint32_t owners)
{
    for (; owners != POOL_NONE; owners = pool->owners[owners].next)
        hearing->changed(hearing->context, pool->owners[owners].owner);
}

static void tell_group(const struct rule_pool *pool, const struct rule_hearing *hearing,
                       const struct pool_group *group)
{
    for (uint32_t i = group->tests; i != POOL_NONE; i = pool->tests[i].next)
        tell(pool, hearing, pool->tests[i].owners);
}

static void tell_series(const struct rule_pool *pool, const struct rule_hearing *hearing,
                        const struct pool_series *series)
{
    tell(pool, hearing, series->owners);
    for (uint32_t i = series->groups; i != POOL_NONE; i = pool->groups[i].next)
        tell_group(pool, hearing, &pool->groups[i]);
}

/* ---- by type ---- */

static bool list_add(struct pool_list *list, uint32_t series)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 8;
        uint32_t *longer = memory_resize(list->series, room * sizeof(*longer));
        if (longer == NULL)
            return false;
        list->series = longer;
        list->room = room;
    }
    if (list->count == 0 || list->series[list->count - 1] != series)
        list->series[list->count++] = series;
    return true;
}

/* Type 0, which no event has, stands for any. */
static bool list_series(struct rule_pool *pool, uint32_t place)
{
    const struct pool_series *series = &pool->series[place];
    if (series->node == NULL) {
        uint16_t type = history_type_find(pool->history, STR(RULE_TOUCH_EVENT));
        return type == 0 || list_add(&pool->by_type[type], place);
    }
    for (uint32_t i = 0; i < series->rule->listener_count; i++) {
        const struct listener *listener = &series->rule->listeners[i];
        if (listener->slot != series->node->slot)
            continue;
        uint16_t type =
            listener->event.size == 0 ? 0 : history_type_find(pool->history, listener->event);
        bool is_known = type != 0 || listener->event.size == 0;
        if (is_known && !list_add(&pool->by_type[type], place))
            return false;
    }
    return true;
}

static bool list_all(struct rule_pool *pool)
{
    uint16_t types = history_type_count(pool->history);
    if (pool->listed && pool->type_count == types)
        return true;
    for (size_t i = 0; i < HISTORY_TYPES_MAX; i++)
        pool->by_type[i].count = 0;
    for (size_t i = 0; i < pool->series_count; i++)
        if (!list_series(pool, (uint32_t)i))
            return false;
    pool->listed = true;
    pool->type_count = types;
    return true;
}

static void tell_all(struct rule_pool *pool, const struct rule_hearing *hearing)
{
    for (size_t i = 0; i < pool->series_count; i++)
        tell_series(pool, hearing, &pool->series[i]);
}

/* ---- windows ---- */

/* Edges at judge->now_ms; `which`: 0 of now, 1 of then. */
static struct pool_edges edges_of(struct rule_pool *pool, struct rule_judge *judge,
                                  const struct pool_group *group, size_t which)
{
    struct pool_edges *edges = &pool->windows[group->window].edges[which];
    if (edges->at_ms != judge->now_ms) {
        struct tally tally = { 0 };
        window_at(judge, &group->node->measuring.window, &tally);
        *edges = (struct pool_edges){ judge->now_ms, tally.from_ms, tally.to_ms };
    }
    return *edges;
}

/* How many of the times are before. */
static size_t before(const struct rule_pool *pool, int64_t time_ms)
{
    size_t low = 0, high = pool->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pool->times[middle] < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* When time first changes which of her events are in the window [low, high). */
static void note_until(const struct rule_pool *pool, struct rule_hearing *hearing,
                       const struct window *window, size_t low, size_t high)
{
    struct rule_judge *judge = hearing->judge;
    int64_t until_ms = hearing->until_ms;
    if (low < high)
        until_ms = earlier(until_ms, window_leaves(judge, window, pool->times[low]));
    if (high < pool->count)
        until_ms = earlier(until_ms, window_enters(judge, window, pool->times[high]));
    hearing->until_ms = until_ms;
}

/* ---- her events in a series ---- */

static bool hears_type(const struct rule_judge *judge, uint16_t type)
{
    return (judge->k->bits[type / 64] >> (type % 64) & 1) != 0;
}

/* `bits` are of all slots of the exemplar: the slot's own listeners say. */
static bool slot_hears(const struct rule_judge *judge, uint32_t slot, uint16_t type)
{
    const struct known *known = judge->k;
    uint32_t begin, end;
    known_listeners(known, type, &begin, &end);
    for (uint32_t i = begin; i < end; i++)
        if (judge->rule->listeners[known->heard[i]].slot == slot)
            return true;
    return false;
}

static bool is_in_series(struct rule_judge *judge, const struct node *node, size_t at)
{
    return node->where == NULL || where_holds(judge, node->where, at);
}

static bool gather(struct rule_pool *pool, struct rule_judge *judge, const struct node *node)
{
    const struct history_view *view = judge->view;
    pool->count = 0;
    for (size_t at = 0; at < view->count; at++) {
        uint16_t type = history_packed_type(view->events[at]);
        if (!hears_type(judge, type) || !slot_hears(judge, node->slot, type) ||
            !is_in_series(judge, node, at))
            continue;
        if (!judge_room(judge, &pool->times, &pool->time_room, pool->count + 1,
                        sizeof(*pool->times)) ||
            !judge_room(judge, &pool->places, &pool->place_room, pool->count + 1,
                        sizeof(*pool->places)))
            return false;
        pool->times[pool->count] = history_time_ms(view->events[at]);
        pool->places[pool->count++] = at;
    }
    return true;
}

/* ---- an event ---- */

static bool is_compared(const struct node *node)
{
    enum comparison op = node->compare.op;
    return op != OP_NONE && op != OP_IS_SET && op != OP_IS_NOT_SET;
}

/* Is the sum on the other side with event `at` than without it? */
static bool sum_turns(const struct rule_pool *pool, struct rule_judge *judge,
                      const struct pool_test *test, size_t low, size_t high, size_t at)
{
    const struct property *of = &test->node->measuring.of;
    wide sum = 0;
    int64_t value, own = 0;
    if (!judge_stand(judge, test->rule))
        return true;
    if (!event_number(judge, of, at, &own))
        return false;
    for (size_t i = low; i < high; i++)
        if (event_number(judge, of, pool->places[i], &value))
            sum += value;
    return number_holds(&test->node->compare, sum) != number_holds(&test->node->compare, sum - own);
}

/* Does another event in the window stand on the same local day? */
static bool is_day_there(const struct rule_pool *pool, const struct rule_judge *judge, size_t low,
                         size_t high, size_t at)
{
    const struct zone *zone = &judge->rule->zone;
    size_t own = low;
    while (own < high && pool->places[own] != at)
        own++;
    int64_t day = zone_day(zone, pool->times[own]);
    return (own > low && zone_day(zone, pool->times[own - 1]) == day) ||
           (own + 1 < high && zone_day(zone, pool->times[own + 1]) == day);
}

/* May the event, which is in the window, have changed what the test comes to? */
static bool turns_by_event(const struct rule_pool *pool, struct rule_judge *judge,
                           const struct pool_test *test, size_t low, size_t high, size_t at)
{
    const struct node *node = test->node;
    wide count = (wide)(high - low);
    switch (node->measuring.measure) {
    case MEASURE_COUNT:
        return !is_compared(node) ||
               number_holds(&node->compare, count) != number_holds(&node->compare, count - 1);
    case MEASURE_SUM:
        return !is_compared(node) || sum_turns(pool, judge, test, low, high, at);
    case MEASURE_FIRST:
        return node->measuring.has_of || pool->places[low] == at;
    case MEASURE_DAYS:
        return !is_day_there(pool, judge, low, high, at);
    case MEASURE_AVG:
    case MEASURE_MIN:
    case MEASURE_MAX:
    case MEASURE_DISTINCT:
    case MEASURE_LAST:
    case MEASURE_RECENCY:
    case MEASURE_END:
    default:
        return true;
    }
}

static void hear_group(struct rule_pool *pool, struct rule_hearing *hearing,
                       const struct pool_series *series, const struct pool_group *group, size_t at)
{
    struct rule_judge *judge = hearing->judge;
    const struct window *window = &group->node->measuring.window;
    int64_t time_ms = history_time_ms(judge->view->events[at]);
    struct pool_edges edges = edges_of(pool, judge, group, 0);
    if (lacks_events(judge->view, edges.from_ms)) {
        tell_group(pool, hearing, group);
        return;
    }
    if (time_ms < edges.from_ms)
        return;
    size_t low = before(pool, edges.from_ms), high = before(pool, edges.to_ms);
    note_until(pool, hearing, window, low, high);
    if (time_ms >= edges.to_ms)
        return;
    for (uint32_t i = group->tests; i != POOL_NONE; i = pool->tests[i].next)
        if (turns_by_event(pool, judge, &pool->tests[i], low, high, at))
            tell(pool, hearing, pool->tests[i].owners);
    (void)judge_stand(judge, series->rule); /* a sum stood on its own */
}

static void hear_series(struct rule_pool *pool, struct rule_hearing *hearing,
                        const struct pool_series *series, size_t at)
{
    struct rule_judge *judge = hearing->judge;
    if (!judge_stand(judge, series->rule)) {
        tell_series(pool, hearing, series);
        return;
    }
    if (!is_in_series(judge, series->node, at))
        return;
    if (!gather(pool, judge, series->node)) {
        tell_series(pool, hearing, series);
        return;
    }
    for (uint32_t i = series->groups; i != POOL_NONE; i = pool->groups[i].next)
        hear_group(pool, hearing, series, &pool->groups[i], at);
}

/* Can this event be part of it? By its order alone (the nth, a refund) any of its type may be. */
static bool is_heard_in_order(struct rule_judge *judge, const struct node *node, size_t at)
{
    str type =
        history_type_name(judge->rule->history, history_packed_type(judge->view->events[at]));
    for (uint32_t i = 0; i < judge->rule->listener_count; i++) {
        const struct listener *listener = &judge->rule->listeners[i];
        if (listener->slot != node->slot ||
            (listener->event.size > 0 && !str_equal(listener->event, type)))
            continue;
        const struct step *step = node->kind == NODE_SEQUENCE ? &node->steps[listener->role] : NULL;
        const struct node *where = step != NULL ? step->where : node->where;
        bool is_open = where == NULL || where->relative || node->measuring.nth != 0 ||
                       (step != NULL && step->correlated) ||
                       (node->measuring.net && listener->role != ROLE_EVENT);
        if (is_open || where_holds(judge, where, at))
            return true;
    }
    return false;
}

static void hear_list(struct rule_pool *pool, struct rule_hearing *hearing, uint16_t type,
                      size_t at)
{
    struct rule_judge *judge = hearing->judge;
    const struct pool_list *list = &pool->by_type[type];
    for (size_t i = 0; i < list->count; i++) {
        const struct pool_series *series = &pool->series[list->series[i]];
        if (series->moving == MOVES_BY_WINDOW)
            hear_series(pool, hearing, series, at);
        else if (series->moving == MOVES_BY_OTHERS || !judge_stand(judge, series->rule) ||
                 is_heard_in_order(judge, series->node, at))
            tell(pool, hearing, series->owners);
    }
}

static void begin(const struct rule_hearing *hearing, int64_t now_ms)
{
    struct rule_judge *judge = hearing->judge;
    judge->facts = hearing->facts;
    judge->now_ms = now_ms;
    judge_next(judge, hearing->customer, hearing->view);
}

bool rule_pool_listens(struct rule_pool *pool, uint16_t type)
{
    return !list_all(pool) || pool->by_type[type].count > 0 || pool->by_type[0].count > 0;
}

void rule_pool_hear(struct rule_pool *pool, struct rule_hearing *hearing, size_t at, int64_t now_ms)
{
    begin(hearing, now_ms);
    if (!list_all(pool)) {
        tell_all(pool, hearing);
        return;
    }
    hear_list(pool, hearing, history_packed_type(hearing->view->events[at]), at);
    hear_list(pool, hearing, 0, at);
}

/* ---- time ---- */

static bool turns_by_time(const struct pool_test *test, size_t before_count, size_t count)
{
    const struct node *node = test->node;
    if (node->measuring.measure != MEASURE_COUNT || !is_compared(node))
        return true;
    return number_holds(&node->compare, (wide)before_count) !=
           number_holds(&node->compare, (wide)count);
}

static void pass_group(struct rule_pool *pool, struct rule_hearing *hearing,
                       const struct pool_group *group, int64_t then_ms, int64_t now_ms)
{
    struct rule_judge *judge = hearing->judge;
    judge->now_ms = then_ms;
    struct pool_edges then = edges_of(pool, judge, group, 1);
    judge->now_ms = now_ms;
    struct pool_edges now = edges_of(pool, judge, group, 0);
    size_t low = before(pool, now.from_ms), high = before(pool, now.to_ms);
    size_t then_low = before(pool, then.from_ms), then_high = before(pool, then.to_ms);
    note_until(pool, hearing, &group->node->measuring.window, low, high);
    if (low == then_low && high == then_high)
        return;
    size_t then_count = then_low < then_high ? then_high - then_low : 0;
    size_t count = low < high ? high - low : 0;
    for (uint32_t i = group->tests; i != POOL_NONE; i = pool->tests[i].next)
        if (turns_by_time(&pool->tests[i], then_count, count))
            tell(pool, hearing, pool->tests[i].owners);
}

/* Settled as it stood then: until when that stays it says itself. */
static int64_t stays_until(struct rule_hearing *hearing, const struct pool_series *series,
                           int64_t then_ms)
{
    struct rule_judge *judge = hearing->judge;
    const struct node *node = series->node;
    judge_begin(judge, series->rule, hearing->customer, hearing->view, hearing->facts, then_ms);
    if (judge->k == NULL || !judge->k->typed)
        return then_ms;
    pass_begin_slot(judge, node->slot);
    for (size_t at = 0; at < hearing->view->count; at++)
        if (hears_type(judge, history_packed_type(hearing->view->events[at])))
            pass_hear_slot(judge, node->slot, at);
    pass_end_slot(judge, node->slot);
    struct tally *tally = &judge->k->tallies[node->slot];
    if (node->kind == NODE_SEQUENCE || node->compare.op != OP_NONE)
        return settle_slot(judge, node, tally).until_ms;
    if (node->measuring.net)
        net_resolve(judge, node, tally);
    return settle_until(judge, node, tally);
}

static void pass_odd(struct rule_pool *pool, struct rule_hearing *hearing,
                     const struct pool_series *series, int64_t then_ms, int64_t now_ms)
{
    int64_t until_ms = stays_until(hearing, series, then_ms);
    if (until_ms <= now_ms || hearing->judge->nomem)
        tell(pool, hearing, series->owners); /* judged, it says anew until when */
    else
        hearing->until_ms = earlier(hearing->until_ms, until_ms);
    hearing->judge->now_ms = now_ms;
}

static void pass_series(struct rule_pool *pool, struct rule_hearing *hearing,
                        const struct pool_series *series, int64_t then_ms, int64_t now_ms)
{
    struct rule_judge *judge = hearing->judge;
    if (series->moving == MOVES_BY_OTHERS)
        return; /* it turns: who asks knows */
    if (!judge_stand(judge, series->rule)) {
        tell_series(pool, hearing, series);
    } else if (series->moving == MOVES_BY_ORDER) {
        pass_odd(pool, hearing, series, then_ms, now_ms);
    } else if (!gather(pool, judge, series->node)) {
        tell_series(pool, hearing, series);
    } else {
        for (uint32_t i = series->groups; pool->count > 0 && i != POOL_NONE;
             i = pool->groups[i].next)
            pass_group(pool, hearing, &pool->groups[i], then_ms, now_ms);
    }
}

static void next_stamp(struct rule_pool *pool)
{
    if (++pool->stamp != 0)
        return;
    memset(pool->type_passed, 0, sizeof(pool->type_passed));
    for (size_t i = 0; i < pool->series_count; i++)
        pool->series[i].passed = 0;
    pool->stamp = 1;
}

static void pass_list(struct rule_pool *pool, struct rule_hearing *hearing, uint16_t type,
                      int64_t then_ms, int64_t now_ms)
{
    const struct pool_list *list = &pool->by_type[type];
    if (pool->type_passed[type] == pool->stamp)
        return;
    pool->type_passed[type] = pool->stamp;
    for (size_t i = 0; i < list->count; i++) {
        struct pool_series *series = &pool->series[list->series[i]];
        if (series->passed == pool->stamp)
            continue;
        series->passed = pool->stamp;
        pass_series(pool, hearing, series, then_ms, now_ms);
    }
}

/* A condition of whose events she has none is as it was: only types that she has are looked at. */
void rule_pool_pass(struct rule_pool *pool, struct rule_hearing *hearing, int64_t then_ms,
                    int64_t now_ms)
{
    const struct history_view *view = hearing->view;
    INVARIANT(view->complete || view->streamed);
    INVARIANT(then_ms <= now_ms);
    begin(hearing, now_ms);
    if (!list_all(pool)) {
        tell_all(pool, hearing);
        return;
    }
    next_stamp(pool);
    for (size_t at = 0; at < view->count; at++)
        pass_list(pool, hearing, history_packed_type(view->events[at]), then_ms, now_ms);
    if (view->count > 0)
        pass_list(pool, hearing, 0, then_ms, now_ms);
}
