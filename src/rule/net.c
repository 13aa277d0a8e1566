/* SPDX-License-Identifier: Apache-2.0 */
/* Net of refunds: orders instead of paying events (docs/rules.md, "Net").
 *
 * An order counts once, by its first paying event. What was refunded is taken off, whenever that happened; an order that
 * was cancelled or wholly given back is no order. The same rules as in the profile's summary. */
#include <stdlib.h>

#include "rule/judge.h"

struct order {
    int64_t key;
    bool keyed; /* without an id each event is an order of its own */
    bool whole, cancelled;
    size_t at;
    int64_t time_ms;
    int64_t paid;
    wide refunded; /* money */
    wide returned; /* of the measured property */
};

static bool order_key(struct rule_judge *judge, const struct node *node, size_t at, int64_t *key)
{
    const struct property *property = &node->measuring.order;
    if (property->kind == RULE_TEXT) {
        *key = event_code(judge, property, at);
        return *key != 0;
    }
    return property->kind != RULE_TEXTS && event_number(judge, property, at, key);
}

static bool amount(struct rule_judge *judge, const struct measuring *measuring, bool refund,
                   size_t at, int64_t *value)
{
    /* A refund names what goes back as its total. */
    for (int i = 0; i < 2; i++) {
        bool other = (i == 0) == refund;
        bool has = other ? measuring->has_amount_other : measuring->has_amount;
        if (has &&
            event_number(judge, other ? &measuring->amount_other : &measuring->amount, at, value))
            return true;
    }
    return false;
}

static bool measures_money(const struct measuring *measuring)
{
    return str_equal(measuring->of.path, STR("revenue")) ||
           str_equal(measuring->of.path, STR("total"));
}

static int by_key(const void *left, const void *right)
{
    const struct order *a = left, *b = right;
    if (a->keyed != b->keyed)
        return a->keyed ? -1 : 1;
    if (a->keyed && a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static int by_place(const void *left, const void *right)
{
    const struct order *a = left, *b = right;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* Paying events → orders by key, each once. */
static size_t gather(struct rule_judge *judge, const struct node *node)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < judge->item_count; i++) {
        const struct item *item = &judge->items[i];
        if (item->slot != node->slot || item->role != ROLE_EVENT)
            continue;
        struct order *order = &judge->orders[count++];
        *order = (struct order){ .at = item->at, .time_ms = item->time_ms };
        order->keyed = order_key(judge, node, item->at, &order->key);
        if (!amount(judge, &node->measuring, false, item->at, &order->paid))
            order->paid = 0;
    }
    qsort(judge->orders, count, sizeof(*judge->orders), by_key);
    for (size_t i = 0; i < count; i++) {
        const struct order *order = &judge->orders[i];
        if (kept > 0 && order->keyed && judge->orders[kept - 1].keyed &&
            judge->orders[kept - 1].key == order->key)
            continue;
        judge->orders[kept++] = *order;
    }
    return kept;
}

static struct order *find_order(struct rule_judge *judge, size_t count, int64_t key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct order *order = &judge->orders[middle];
        if (order->keyed && order->key < key)
            low = middle + 1;
        else
            high = middle;
    }
    struct order *order = &judge->orders[low];
    return low < count && order->keyed && order->key == key ? order : NULL;
}

static void take_away(struct rule_judge *judge, const struct node *node, const struct item *item,
                      struct order *order)
{
    int64_t value;
    if (item->role == ROLE_CANCEL) {
        order->cancelled = true;
        return;
    }
    if (amount(judge, &node->measuring, true, item->at, &value))
        order->refunded += value < 0 ? -(wide)value : value;
    else
        order->whole = true;
    const struct measuring *measuring = &node->measuring;
    if (measuring->has_of && !is_text_kind(measuring->of.kind) &&
        event_number(judge, &measuring->of, item->at, &value))
        order->returned += value < 0 ? -(wide)value : value;
}

static bool is_left(const struct order *order)
{
    bool wholly = order->whole || (order->refunded > 0 && order->refunded >= order->paid);
    return !order->cancelled && !wholly;
}

int64_t net_left(const struct measuring *measuring, const struct order *order, int64_t value)
{
    if (value <= 0 || (measuring->of.kind != RULE_NUMBER && measuring->of.kind != RULE_MONEY))
        return value;
    wide left = value - (measures_money(measuring) ? order->refunded : order->returned);
    return left > 0 ? (int64_t)left : 0;
}

static void count_order(struct rule_judge *judge, const struct node *node, struct tally *tally,
                        const struct order *order)
{
    const struct measuring *measuring = &node->measuring;
    int64_t value;
    if (!measuring->has_of || is_text_kind(measuring->of.kind)) {
        tally_add(judge, node, tally, order->at, order->time_ms);
        return;
    }
    if (event_number(judge, &measuring->of, order->at, &value))
        tally_push(judge, node, tally, order->at, order->time_ms,
                   net_left(measuring, order, value));
}

/* The nth order that is left; then where and window. NULL: it does not count. */
static const struct order *nth_order(struct rule_judge *judge, const struct node *node,
                                     struct tally *tally, const struct order *orders, size_t count)
{
    int32_t nth = node->measuring.nth;
    size_t back = nth < 0 ? (size_t)-nth : 0;
    if (nth > 0 ? count < (size_t)nth : count < back)
        return NULL;
    const struct order *order = &orders[nth > 0 ? (size_t)nth - 1 : count - back];
    if (order->time_ms >= tally->to_ms) {
        tally->enter_ms =
            earlier(tally->enter_ms, window_enters(judge, &node->measuring.window, order->time_ms));
        return NULL;
    }
    if (order->time_ms < tally->from_ms)
        return NULL;
    judge->flip_ms = RULE_FOREVER;
    bool holds = node->where == NULL || where_holds(judge, node->where, order->at);
    tally->flip_ms = earlier(tally->flip_ms, judge->flip_ms);
    return holds ? order : NULL;
}

/* Those that are left, in the order of their events: how many of judge->orders. */
static size_t orders_left(struct rule_judge *judge, const struct node *node)
{
    if (!judge_room(judge, &judge->orders, &judge->order_capacity, judge->item_count + 1,
                    sizeof(*judge->orders)))
        return 0;
    size_t count = gather(judge, node), left = 0;
    for (size_t i = 0; i < judge->item_count; i++) {
        const struct item *item = &judge->items[i];
        int64_t key;
        if (item->slot != node->slot || item->role == ROLE_EVENT ||
            !order_key(judge, node, item->at, &key))
            continue;
        struct order *order = find_order(judge, count, key);
        if (order != NULL)
            take_away(judge, node, item, order);
    }
    for (size_t i = 0; i < count; i++)
        if (is_left(&judge->orders[i]))
            judge->orders[left++] = judge->orders[i];
    qsort(judge->orders, left, sizeof(*judge->orders), by_place);
    return left;
}

void net_each(struct rule_judge *judge, const struct node *node, struct tally *tally,
              bool (*visit)(void *context, const struct order *order, size_t at, int64_t time_ms),
              void *context)
{
    size_t left = orders_left(judge, node);
    if (node->measuring.nth != 0) {
        const struct order *order = nth_order(judge, node, tally, judge->orders, left);
        if (order != NULL)
            (void)visit(context, order, order->at, order->time_ms);
        return;
    }
    for (size_t i = 0; i < left; i++)
        if (!visit(context, &judge->orders[i], judge->orders[i].at, judge->orders[i].time_ms))
            return;
}

void net_resolve(struct rule_judge *judge, const struct node *node, struct tally *tally)
{
    if (tally->resolved)
        return;
    tally->resolved = true;
    size_t left = orders_left(judge, node);
    if (node->measuring.nth != 0) {
        const struct order *order = nth_order(judge, node, tally, judge->orders, left);
        if (order != NULL)
            count_order(judge, node, tally, order);
        return;
    }
    /* When its first event leaves, a later one of the same order may stand for it. */
    if (left > 0)
        tally->flip_ms = earlier(tally->flip_ms, window_leaves(judge, &node->measuring.window,
                                                               judge->orders[0].time_ms));
    for (size_t i = 0; i < left; i++)
        count_order(judge, node, tally, &judge->orders[i]);
}
