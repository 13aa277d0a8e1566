/* SPDX-License-Identifier: Apache-2.0 */
/* conversion: what orders brought, by goal, so that outcomes are net: a refund takes back its part, a cancellation all of it, on the
 * day on which it was counted. */
#include <string.h>

#include "journey/state.h"

#define ORDERS_FIRST 1024

uint64_t conversion_order(const struct event *event)
{
    str order = event->promoted_text[PROMOTED_ORDER_ID];
    if ((event->promoted_set & 1u << PROMOTED_ORDER_ID) == 0 || order.size == 0)
        return 0;
    uint64_t hash = hash_bytes64(order.data, order.size, 17) >> 1; /* the ledger's are signed */
    return hash != 0 ? hash : 1;
}

static uint32_t place_of(const struct conversions *conversions, uint64_t order_hash)
{
    uint32_t mask = conversions->order_capacity - 1, place = (uint32_t)order_hash & mask;
    while (conversions->orders[place] != 0 &&
           conversions->rows[conversions->orders[place] - 1].order_hash != order_hash)
        place = (place + 1) & mask;
    return place;
}

static err grow_orders(struct conversions *conversions)
{
    uint32_t before = conversions->order_capacity, *old = conversions->orders;
    uint32_t capacity = before == 0 ? ORDERS_FIRST : before * 2;
    uint32_t *made = memory_alloc(capacity * sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    conversions->orders = made;
    conversions->order_capacity = capacity;
    for (uint32_t i = 0; i < before; i++)
        if (old[i] != 0)
            made[place_of(conversions, conversions->rows[old[i] - 1].order_hash)] = old[i];
    memory_free(old);
    return ERR_OK;
}

static err add_row(struct conversions *conversions, const struct conversion *row)
{
    if (conversions->count == conversions->capacity) {
        uint32_t capacity = conversions->capacity == 0 ? 256 : conversions->capacity * 2;
        struct conversion *longer = memory_resize(conversions->rows, capacity * sizeof *longer);
        if (longer == NULL)
            return ERR_NOMEM;
        conversions->rows = longer;
        conversions->capacity = capacity;
    }
    if (conversions->order_count * 4 >= conversions->order_capacity * 3) {
        err error = grow_orders(conversions);
        if (error != ERR_OK)
            return error;
    }
    uint32_t place = place_of(conversions, row->order_hash);
    struct conversion *made = &conversions->rows[conversions->count];
    *made = *row;
    made->next = conversions->orders[place];
    conversions->order_count += made->next == 0;
    conversions->orders[place] = ++conversions->count;
    return ERR_OK;
}

static void store(const struct conversion *row, struct ledger_writes *writes)
{
    if (writes != NULL)
        LEDGER_PUT(writes, LEDGER_JOURNEY_CONVERSIONS, ledger_int((int64_t)row->number),
                   ledger_int(row->journey), ledger_int(row->version), ledger_int(row->node),
                   ledger_int(row->goal), ledger_int(row->at_ms),
                   ledger_int((int64_t)row->order_hash), ledger_int(row->value),
                   ledger_int(row->refunded));
}

err conversion_load(struct journeys *journeys, const struct conversion *row)
{
    if (row->number > journeys->conversion_count)
        journeys->conversion_count = row->number;
    return add_row(&journeys->conversions, row);
}

/* INT64_MAX: all of it. A refund names what goes back as its total; revenue is the other name of it. */
static int64_t amount_back(const struct event *event)
{
    static const unsigned names[] = { PROMOTED_TOTAL, PROMOTED_REVENUE };
    for (size_t i = 0; str_equal(event->type, STR("Order Refunded")) && i < 2; i++) {
        int64_t amount = event->promoted_int[names[i]];
        if ((event->promoted_set & 1u << names[i]) != 0 && amount != PROMOTED_MISSING)
            return amount < 0 ? -amount : amount;
    }
    return INT64_MAX;
}

static err take_back(struct journeys *journeys, struct conversion *row, int64_t amount,
                     int64_t at_ms, struct ledger_writes *writes)
{
    const struct version *version = journey_version(journeys->journeys[row->journey], row->version);
    int64_t before = row->value - row->refunded;
    if (version == NULL || row->goal == 0 || row->goal > version->goal_count || before <= 0 ||
        at_ms > row->at_ms + version->goals[row->goal - 1].refunds_ms)
        return ERR_OK;
    int64_t back = amount < before ? amount : before, after = before - back;
    row->refunded += back;
    store(row, writes);
    err error =
        counts_add(journeys, version, row->node, row->goal, row->at_ms, COUNT_REFUNDED, back);
    if (error == ERR_OK)
        error = counts_add(journeys, version, row->node, row->goal, row->at_ms, COUNT_VALUE_SQUARED,
                           after * after - before * before);
    if (error == ERR_OK && after == 0)
        error = counts_add(journeys, version, row->node, row->goal, row->at_ms, COUNT_GOALS, -1);
    return error;
}

/* A refund that came before its order: the profile has it, and what the order brings is net from the beginning. */
static err take_back_early(struct walk *walk, struct conversions *conversions)
{
    const struct journey_world *world = walk->journeys->world;
    int64_t amount =
        world->order_back != NULL
            ? world->order_back(world->context, walk->position->customer, walk->order_id)
            : 0;
    return amount > 0 ? take_back(walk->journeys, &conversions->rows[conversions->count - 1],
                                  amount, walk->now_ms, walk->writes)
                      : ERR_OK;
}

err conversion_add(struct walk *walk, uint16_t node, uint16_t goal, int64_t value)
{
    struct journeys *journeys = walk->journeys;
    if (value <= 0 || walk->order_hash == 0)
        return ERR_OK;
    struct conversion row = { .number = ++journeys->conversion_count,
                              .order_hash = walk->order_hash,
                              .at_ms = walk->at_ms,
                              .value = value,
                              .journey = walk->version->journey->number,
                              .version = (uint16_t)walk->version->number,
                              .node = node,
                              .goal = goal };
    err error = add_row(&journeys->conversions, &row);
    if (error == ERR_OK)
        store(&row, walk->writes);
    return error == ERR_OK ? take_back_early(walk, &journeys->conversions) : error;
}

err conversion_event(struct journeys *journeys, const struct event *event,
                     struct journey_moment moment, struct ledger_writes *writes)
{
    struct conversions *conversions = &journeys->conversions;
    bool goes_back = str_equal(event->type, STR("Order Refunded")) ||
                     str_equal(event->type, STR("Order Cancelled"));
    uint64_t order_hash = goes_back ? conversion_order(event) : 0;
    err error = ERR_OK;
    if (order_hash == 0 || conversions->count == 0)
        return ERR_OK;
    int64_t amount = amount_back(event);
    for (uint32_t at = conversions->orders[place_of(conversions, order_hash)];
         error == ERR_OK && at != 0; at = conversions->rows[at - 1].next)
        error = take_back(journeys, &conversions->rows[at - 1], amount, moment.now_ms, writes);
    return error;
}

void conversions_digest(const struct conversions *conversions, struct digest *digest)
{
    for (uint32_t i = 0; i < conversions->count; i++) {
        const struct conversion *row = &conversions->rows[i];
        struct buffer bytes;
        buffer_init(&bytes, 4096);
        write_u64(&bytes, row->number);
        write_u64(&bytes, row->order_hash);
        write_i64(&bytes, row->at_ms);
        write_i64(&bytes, row->value);
        write_i64(&bytes, row->refunded);
        digest_add(digest, bytes.data, bytes.size);
        buffer_deinit(&bytes);
    }
}

void conversions_deinit(struct conversions *conversions)
{
    memory_free(conversions->rows);
    memory_free(conversions->orders);
    *conversions = (struct conversions){ .count = 0 };
}
