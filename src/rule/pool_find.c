/* SPDX-License-Identifier: Apache-2.0 */
/* A customer's events in the series and windows of a pool: found once for all that is asked of her at a moment. */
#include "rule/pool.h"

/* Beyond it what was found is forgotten between two series: one with many events in many of them is asked anew. */
#define FOUND_MAX 65536u

static void forget_found(struct rule_pool *pool)
{
    pool->round++;
    pool->count = 0;
}

void pool_begin(struct rule_pool *pool, const struct rule_hearing *hearing, int64_t now_ms)
{
    struct rule_judge *judge = hearing->judge;
    forget_found(pool);
    judge->facts = hearing->facts;
    judge->now_ms = pool->now_ms = now_ms;
    judge_next(judge, hearing->customer, hearing->view);
}

/* ---- windows ---- */

struct pool_edges pool_edges_of(struct rule_pool *pool, struct rule_judge *judge,
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

size_t pool_before(const struct rule_pool *pool, const struct pool_series *series, int64_t time_ms)
{
    size_t low = series->first, high = series->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pool->times[middle] < time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void pool_note_until(const struct rule_pool *pool, struct rule_hearing *hearing,
                     const struct pool_series *series, const struct window *window, size_t low,
                     size_t high)
{
    struct rule_judge *judge = hearing->judge;
    int64_t until_ms = hearing->until_ms;
    if (low < high)
        until_ms = earlier(until_ms, window_leaves(judge, window, pool->times[low]));
    if (high < series->end)
        until_ms = earlier(until_ms, window_enters(judge, window, pool->times[high]));
    hearing->until_ms = until_ms;
}

/* ---- her events in a series ---- */

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

static bool keep(struct rule_pool *pool, struct rule_judge *judge, size_t at)
{
    if (!judge_room(judge, &pool->times, &pool->time_room, pool->count + 1, sizeof(*pool->times)) ||
        !judge_room(judge, &pool->places, &pool->place_room, pool->count + 1,
                    sizeof(*pool->places)))
        return false;
    pool->times[pool->count] = history_time_ms(judge->view->events[at]);
    pool->places[pool->count++] = at;
    return true;
}

static bool gather(struct rule_pool *pool, struct rule_judge *judge, const struct node *node)
{
    const struct history_view *view = judge->view;
    for (size_t at = 0; at < view->count; at++) {
        uint16_t type = history_packed_type(view->events[at]);
        if (known_hears(judge->k, type) && slot_hears(judge, node->slot, type) &&
            (node->where == NULL || where_holds(judge, node->where, at)) && !keep(pool, judge, at))
            return false;
    }
    return true;
}

bool pool_find(struct rule_pool *pool, struct rule_judge *judge, uint32_t place)
{
    struct pool_series *series = &pool->series[place];
    if (series->round == pool->round)
        return series->is_known;
    if (pool->count > FOUND_MAX)
        forget_found(pool);
    series->round = pool->round;
    series->first = pool->count;
    series->is_known = judge_stand(judge, series->rule) && gather(pool, judge, series->node);
    series->end = pool->count;
    return series->is_known;
}

bool pool_look(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t place)
{
    struct rule_judge *judge = hearing->judge;
    struct pool_group *group = &pool->groups[place];
    const struct pool_series *series = &pool->series[group->series];
    if (!pool_find(pool, judge, group->series))
        return false;
    if (group->round == pool->round)
        return group->is_known;
    judge->rule = series->rule;
    struct pool_edges edges = pool_edges_of(pool, judge, group, 0);
    group->round = pool->round;
    group->is_known = !lacks_events(judge->view, edges.from_ms);
    group->low = pool_before(pool, series, edges.from_ms);
    group->high = pool_before(pool, series, edges.to_ms);
    pool_note_until(pool, hearing, series, &group->node->measuring.window, group->low, group->high);
    if (group->high < group->low)
        group->high = group->low;
    return group->is_known;
}
