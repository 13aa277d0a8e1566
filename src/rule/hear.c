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

static void tell_all(struct rule_pool *pool, const struct rule_hearing *hearing)
{
    for (size_t i = 0; i < pool->series_count; i++)
        tell_series(pool, hearing, &pool->series[i]);
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

static void hear_group(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t place,
                       size_t at)
{
    struct rule_judge *judge = hearing->judge;
    const struct pool_group *group = &pool->groups[place];
    int64_t time_ms = history_time_ms(judge->view->events[at]);
    struct pool_edges edges = pool_edges_of(pool, judge, group, 0);
    if (lacks_events(judge->view, edges.from_ms)) {
        tell_group(pool, hearing, group);
        return;
    }
    if (time_ms < edges.from_ms)
        return;
    if (!pool_look(pool, hearing, place)) {
        tell_group(pool, hearing, group);
        return;
    }
    if (time_ms >= edges.to_ms)
        return;
    for (uint32_t i = group->tests; i != POOL_NONE; i = pool->tests[i].next)
        if (pool->tests[i].owners != POOL_NONE &&
            turns_by_event(pool, judge, &pool->tests[i], group->low, group->high, at))
            tell(pool, hearing, pool->tests[i].owners);
    judge->rule = pool->series[group->series].rule; /* a sum stood on its own */
}

static void hear_series(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t place,
                        size_t at)
{
    struct rule_judge *judge = hearing->judge;
    const struct pool_series *series = &pool->series[place];
    const struct node *where = series->node->where;
    bool is_known = judge_stand(judge, series->rule);
    if (is_known && where != NULL && !where_holds(judge, where, at))
        return;
    if (!is_known || !pool_find(pool, judge, place)) {
        tell_series(pool, hearing, series);
        return;
    }
    for (uint32_t i = series->groups; i != POOL_NONE; i = pool->groups[i].next)
        hear_group(pool, hearing, i, at);
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

struct heard {
    struct rule_pool *pool;
    struct rule_hearing *hearing;
    size_t at;
};

static void hear_one(void *context, uint32_t place)
{
    const struct heard *heard = context;
    struct rule_pool *pool = heard->pool;
    struct rule_judge *judge = heard->hearing->judge;
    const struct pool_series *series = &pool->series[place];
    if (series->moving == MOVES_BY_WINDOW)
        hear_series(pool, heard->hearing, place, heard->at);
    else if (series->moving == MOVES_BY_OTHERS || !judge_stand(judge, series->rule) ||
             is_heard_in_order(judge, series->node, heard->at))
        tell(pool, heard->hearing, series->owners);
}

void rule_pool_hear(struct rule_pool *pool, struct rule_hearing *hearing, size_t at, int64_t now_ms)
{
    struct heard heard = { pool, hearing, at };
    const struct history_view *view = hearing->view;
    uint16_t type = history_packed_type(view->events[at]);
    pool_begin(pool, hearing, now_ms);
    if (!pool_list_all(pool)) {
        tell_all(pool, hearing);
        return;
    }
    pool_each_open(pool, type, hear_one, &heard);
    pool_each_open(pool, 0, hear_one, &heard);
    pool_each_keyed(pool, view, at, type, hear_one, &heard);
    pool_each_keyed(pool, view, at, 0, hear_one, &heard);
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

static void pass_group(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t place,
                       int64_t then_ms, int64_t now_ms)
{
    struct rule_judge *judge = hearing->judge;
    const struct pool_group *group = &pool->groups[place];
    const struct pool_series *series = &pool->series[group->series];
    judge->now_ms = then_ms;
    struct pool_edges then = pool_edges_of(pool, judge, group, 1);
    judge->now_ms = now_ms;
    struct pool_edges now = pool_edges_of(pool, judge, group, 0);
    size_t low = pool_before(pool, series, now.from_ms),
           high = pool_before(pool, series, now.to_ms);
    size_t then_low = pool_before(pool, series, then.from_ms);
    size_t then_high = pool_before(pool, series, then.to_ms);
    pool_note_until(pool, hearing, series, &group->node->measuring.window, low, high);
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
        if (known_hears(judge->k, history_packed_type(hearing->view->events[at])))
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

static void pass_series(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t place,
                        int64_t then_ms, int64_t now_ms)
{
    struct rule_judge *judge = hearing->judge;
    const struct pool_series *series = &pool->series[place];
    if (series->moving == MOVES_BY_OTHERS)
        return; /* it turns: who asks knows */
    if (series->moving == MOVES_BY_ORDER) {
        if (judge_stand(judge, series->rule))
            pass_odd(pool, hearing, series, then_ms, now_ms);
        else
            tell_series(pool, hearing, series);
        return;
    }
    if (!pool_find(pool, judge, place)) {
        tell_series(pool, hearing, series);
        return;
    }
    judge->rule = series->rule;
    for (uint32_t i = series->groups; series->first < series->end && i != POOL_NONE;
         i = pool->groups[i].next)
        pass_group(pool, hearing, i, then_ms, now_ms);
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

struct passing {
    struct rule_pool *pool;
    struct rule_hearing *hearing;
    int64_t then_ms, now_ms;
};

static void pass_one(void *context, uint32_t place)
{
    const struct passing *passing = context;
    struct pool_series *series = &passing->pool->series[place];
    if (series->passed == passing->pool->stamp)
        return;
    series->passed = passing->pool->stamp;
    pass_series(passing->pool, passing->hearing, place, passing->then_ms, passing->now_ms);
}

static void pass_type(struct passing *passing, size_t at, uint16_t type)
{
    struct rule_pool *pool = passing->pool;
    if (pool->type_passed[type] != pool->stamp) {
        pool->type_passed[type] = pool->stamp;
        pool_each_open(pool, type, pass_one, passing);
    }
    pool_each_keyed(pool, passing->hearing->view, at, type, pass_one, passing);
}

/* A condition of whose events she has none is as it was: only those that her events may be of are looked at. */
void rule_pool_pass(struct rule_pool *pool, struct rule_hearing *hearing, int64_t then_ms,
                    int64_t now_ms)
{
    const struct history_view *view = hearing->view;
    struct passing passing = { pool, hearing, then_ms, now_ms };
    INVARIANT(view->complete || view->streamed);
    INVARIANT(then_ms <= now_ms);
    pool_begin(pool, hearing, now_ms);
    if (!pool_list_all(pool)) {
        tell_all(pool, hearing);
        return;
    }
    next_stamp(pool);
    for (size_t at = 0; at < view->count; at++) {
        pass_type(&passing, at, history_packed_type(view->events[at]));
        pass_type(&passing, at, 0);
    }
}
