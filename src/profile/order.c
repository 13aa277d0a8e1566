/* SPDX-License-Identifier: Apache-2.0 */
/* order: what a customer paid and got back, each order once, however many events tell of it.
 *
 * An order at a node is one entry; entries of one order at several nodes are joined when they are read. All
 * rules are minima, sums and ors over events, so neither the order of arrival nor the nodes matter:
 *     paid         amount, currency and time of the first paying event by time (Order Paid, Order
 *                  Completed), ties by seq
 *     refunded     the sum of refunds; a refund without amount gives everything back
 *     cancelled    counts for nothing, whether it was cancelled before or after
 *     net          paid less refunds, never below nothing; a refund of an order that nobody paid
 *                  here counts negative, until its payment comes
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

#define DEFAULT_CURRENCY "CNY"

enum order_event { NOT_OF_AN_ORDER, PAYING, REFUNDING, CANCELLING };

static enum order_event event_of(str type)
{
    if (!str_starts_with(type, STR("Order ")))
        return NOT_OF_AN_ORDER;
    if (str_equal(type, STR("Order Paid")) || str_equal(type, STR("Order Completed")))
        return PAYING;
    if (str_equal(type, STR("Order Refunded")))
        return REFUNDING;
    if (str_equal(type, STR("Order Cancelled")))
        return CANCELLING;
    return NOT_OF_AN_ORDER;
}

bool profile_is_order_type(str type)
{
    return event_of(type) != NOT_OF_AN_ORDER;
}

/* ---- currencies ---- */

uint8_t order_currency(struct profile *profile, str text)
{
    char code[4] = DEFAULT_CURRENCY;
    if (text.size > 0) {
        memset(code, 0, sizeof(code));
        memcpy(code, text.data, text.size < 3 ? text.size : 3);
    }
    for (uint32_t i = 0; i < profile->currency_count; i++) {
        if (memcmp(profile->currencies[i], code, sizeof(code)) == 0)
            return (uint8_t)i;
    }
    /* ISO 4217 has fewer than 200; what is beyond the table is told as its 'no currency', three X. */
    if (profile->currency_count == CURRENCIES_MAX - 1)
        memset(code, 'X', 3);
    if (profile->currency_count == CURRENCIES_MAX)
        return CURRENCIES_MAX - 1;
    memcpy(profile->currencies[profile->currency_count], code, sizeof(code));
    return (uint8_t)profile->currency_count++;
}

/* ---- entries of a node ---- */

static size_t piece_bytes(uint32_t count)
{
    return sizeof(struct orders_piece) + count * sizeof(struct order);
}

static uint32_t lower_bound(const struct order *orders, uint32_t count, uint64_t hash)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (orders[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Room for one more; the piece moves to a larger one when its class is full. Beyond the largest piece of
 * the slab a node has no more orders: 26,000 are no customer. */
static struct orders_piece *make_room(struct profile *profile, struct entry *entry)
{
    struct orders_piece *piece = NULL;
    uint32_t count = 0;
    if (entry->orders != 0) {
        piece = slab_at(&profile->slab, entry->orders);
        count = piece->count;
        if (slab_capacity(piece_bytes(count)) >= piece_bytes(count + 1))
            return piece;
    }
    uint32_t handle = slab_take(&profile->slab, piece_bytes(count + 1));
    if (handle == 0)
        return NULL;
    struct orders_piece *larger = slab_at(&profile->slab, handle);
    larger->count = count;
    larger->unused = 0;
    if (piece != NULL) {
        memcpy(larger->orders, piece->orders, count * sizeof(struct order));
        slab_give(&profile->slab, entry->orders, piece_bytes(count));
    }
    entry->orders = handle;
    return larger;
}

static struct order *find_or_make(struct profile *profile, uint32_t node, uint64_t hash)
{
    struct entry *entry = entry_make(profile, node);
    if (entry == NULL)
        return NULL;
    uint32_t at = 0;
    if (entry->orders != 0) {
        struct orders_piece *piece = slab_at(&profile->slab, entry->orders);
        at = lower_bound(piece->orders, piece->count, hash);
        if (at < piece->count && piece->orders[at].hash == hash)
            return &piece->orders[at];
    }
    struct orders_piece *piece = make_room(profile, entry);
    if (piece == NULL)
        return NULL;
    memmove(&piece->orders[at + 1], &piece->orders[at], (piece->count - at) * sizeof(struct order));
    piece->count++;
    piece->orders[at] = (struct order){ .hash = hash };
    return &piece->orders[at];
}

/* ---- what an event says of an order ---- */

static bool pays_before(const struct order *a, const struct order *b)
{
    int64_t time_a = time_of(a->time), time_b = time_of(b->time);
    return time_a != time_b ? time_a < time_b : a->seq < b->seq;
}

static bool code_is_less(const struct profile *profile, uint8_t a, uint8_t b)
{
    return memcmp(profile->currencies[a], profile->currencies[b], 4) < 0;
}

static int64_t add_saturating(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN / 2 : INT64_MAX / 2;
    return sum;
}

/* The same rules join what one event says, and what another node has. */
static void join(const struct profile *profile, struct order *into, const struct order *more)
{
    bool was_empty = into->flags == 0;
    if ((more->flags & ORDER_PAID) != 0) {
        if ((into->flags & ORDER_PAID) == 0 || pays_before(more, into)) {
            into->paid = more->paid;
            into->time = more->time;
            into->seq = more->seq;
            into->currency = more->currency;
        }
    } else if ((into->flags & ORDER_PAID) == 0 &&
               (was_empty || code_is_less(profile, more->currency, into->currency))) {
        into->currency = more->currency;
    }
    into->refunded = add_saturating(into->refunded, more->refunded);
    into->flags |= more->flags;
}

static int64_t amount_of(const struct profile_observation *row)
{
    return row->revenue != PROMOTED_MISSING ? row->revenue : row->total;
}

/* A refund names what goes back as its total; revenue is the other name of it. */
static int64_t refund_of(const struct profile_observation *row)
{
    int64_t amount = row->total != PROMOTED_MISSING ? row->total : row->revenue;
    if (amount == PROMOTED_MISSING)
        return amount;
    return amount < 0 ? -amount : amount;
}

static uint64_t hash_of(str order_id)
{
    return hash_bytes64(order_id.data, order_id.size, 1);
}

err orders_observe(struct profile *profile, const struct profile_observation *row)
{
    enum order_event event = event_of(row->type);
    if (event == NOT_OF_AN_ORDER)
        return ERR_OK;
    /* Without an id each event is an order of its own. */
    uint64_t hash = row->order_id.size > 0 ? hash_of(row->order_id)
                                           : hash_mix64(row->seq ^ UINT64_C(0x6F72646572));
    struct order said = { .currency = order_currency(profile, row->currency) };
    int64_t amount = event == REFUNDING ? refund_of(row) : amount_of(row);
    if (event == PAYING) {
        said.flags = ORDER_PAID;
        said.paid = amount == PROMOTED_MISSING ? 0 : amount;
        said.time = short_of(row->time_ms);
        said.seq = row->seq;
    } else if (event == REFUNDING) {
        said.flags = amount == PROMOTED_MISSING ? ORDER_REFUNDED_WHOLLY : ORDER_REFUNDED;
        said.refunded = amount == PROMOTED_MISSING ? 0 : amount;
    } else {
        said.flags = ORDER_CANCELLED;
    }
    struct order *order = find_or_make(profile, row->node, hash);
    if (order == NULL)
        return ERR_NOMEM;
    join(profile, order, &said);
    return ERR_OK;
}

err order_load(struct profile *profile, uint32_t node, const struct order *order)
{
    struct order *made = find_or_make(profile, node, order->hash);
    if (made == NULL)
        return ERR_NOMEM;
    *made = *order;
    return ERR_OK;
}

/* ---- sums over the nodes of a customer ---- */

static int compare_orders(const void *left, const void *right)
{
    const struct order *a = left, *b = right;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static const struct orders_piece *orders_of(const struct profile *profile, uint32_t node)
{
    const struct entry *entry = entry_find(profile, node);
    return entry != NULL && entry->orders != 0 ? slab_at(&profile->slab, entry->orders) : NULL;
}

int64_t profile_order_back(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                           str order_id)
{
    uint64_t hash = hash_of(order_id);
    int64_t back = 0;
    for (size_t i = 0; i < node_count; i++) {
        const struct orders_piece *piece = orders_of(profile, nodes[i]);
        uint32_t at = piece != NULL ? lower_bound(piece->orders, piece->count, hash) : 0;
        if (piece == NULL || at == piece->count || piece->orders[at].hash != hash)
            continue;
        if ((piece->orders[at].flags & (ORDER_CANCELLED | ORDER_REFUNDED_WHOLLY)) != 0)
            return INT64_MAX;
        back = add_saturating(back, piece->orders[at].refunded);
    }
    return back;
}

/* Borrowed from a single node, or gathered in scratch, each order once. */
static const struct order *gather(const struct profile *profile, const uint32_t *nodes,
                                  size_t node_count, size_t *count)
{
    struct scratch *scratch = profile->scratch;
    const struct orders_piece *only = NULL;
    size_t total = 0, pieces = 0;
    for (size_t i = 0; i < node_count; i++) {
        const struct orders_piece *piece = orders_of(profile, nodes[i]);
        if (piece != NULL) {
            only = piece;
            total += piece->count;
            pieces++;
        }
    }
    *count = total;
    if (pieces <= 1)
        return only != NULL ? only->orders : NULL;
    if (total > scratch->order_capacity) {
        struct order *orders = memory_resize(scratch->orders, 2 * total * sizeof(*orders));
        if (orders == NULL)
            return NULL;
        scratch->orders = orders;
        scratch->order_capacity = 2 * total;
    }
    size_t at = 0;
    for (size_t i = 0; i < node_count; i++) {
        const struct orders_piece *piece = orders_of(profile, nodes[i]);
        if (piece == NULL)
            continue;
        memcpy(scratch->orders + at, piece->orders, piece->count * sizeof(struct order));
        at += piece->count;
    }
    qsort(scratch->orders, total, sizeof(struct order), compare_orders);
    size_t kept = 0;
    for (size_t i = 1; i < total; i++) {
        if (scratch->orders[i].hash == scratch->orders[kept].hash)
            join(profile, &scratch->orders[kept], &scratch->orders[i]);
        else
            scratch->orders[++kept] = scratch->orders[i];
    }
    *count = kept + 1;
    return scratch->orders;
}

static int64_t refunded_of(const struct order *order)
{
    if ((order->flags & ORDER_PAID) == 0)
        return order->refunded;
    if ((order->flags & ORDER_REFUNDED_WHOLLY) != 0 || order->refunded > order->paid)
        return order->paid > 0 ? order->paid : 0;
    return order->refunded;
}

static bool is_wholly_refunded(const struct order *order)
{
    int64_t refunded = refunded_of(order);
    return (order->flags & ORDER_REFUNDED_WHOLLY) != 0 || (refunded > 0 && refunded >= order->paid);
}

static void add_counted(struct money_line *line, const struct order *order)
{
    int64_t time_ms = time_of(order->time);
    if (line->orders == 0 || time_ms < line->first_ms)
        line->first_ms = time_ms;
    if (line->orders == 0 || time_ms > line->last_ms)
        line->last_ms = time_ms;
    line->orders++;
}

static void add_order(struct money_line *line, const struct order *order)
{
    bool paid = (order->flags & ORDER_PAID) != 0;
    bool cancelled = (order->flags & ORDER_CANCELLED) != 0;
    int64_t refunded = refunded_of(order);
    if (cancelled && !paid)
        return;
    line->refunded = add_saturating(line->refunded, refunded);
    if (cancelled)
        return;
    line->revenue = add_saturating(line->revenue, (paid ? order->paid : 0) - refunded);
    line->bought += paid;
    if (paid && !is_wholly_refunded(order))
        add_counted(line, order);
}

static int compare_lines(const void *left, const void *right)
{
    const struct money_line *a = left, *b = right;
    if (a->bought != b->bought)
        return a->bought > b->bought ? -1 : 1;
    return memcmp(a->currency, b->currency, sizeof(a->currency));
}

uint32_t orders_sum(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                    struct money_line *lines, uint32_t limit)
{
    struct money_line all[CURRENCIES_MAX];
    uint8_t place[CURRENCIES_MAX];
    size_t count;
    uint32_t line_count = 0;
    const struct order *orders = gather(profile, nodes, node_count, &count);
    if (orders == NULL)
        return 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t line = 0;
        while (line < line_count && place[line] != orders[i].currency)
            line++;
        if (line == line_count) {
            place[line_count] = orders[i].currency;
            all[line_count] = (struct money_line){ .orders = 0 };
            memcpy(all[line_count++].currency, profile->currencies[orders[i].currency], 4);
        }
        add_order(&all[line], &orders[i]);
    }
    qsort(all, line_count, sizeof(*all), compare_lines);
    memcpy(lines, all, (line_count < limit ? line_count : limit) * sizeof(*all));
    return line_count;
}

static struct profile_sales *sales_in(struct profile_sales *lines, size_t *count, size_t limit,
                                      const char currency[4])
{
    for (size_t i = 0; i < *count; i++)
        if (memcmp(lines[i].currency, currency, sizeof lines[i].currency) == 0)
            return &lines[i];
    if (*count == limit)
        return NULL;
    lines[*count] = (struct profile_sales){ .orders = 0 };
    memcpy(lines[*count].currency, currency, sizeof lines[*count].currency);
    return &lines[(*count)++];
}

size_t profile_add_sales(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                         int64_t from_ms, int64_t until_ms, struct profile_sales *lines,
                         size_t count, size_t limit)
{
    size_t order_count;
    const struct order *orders = gather(profile, nodes, node_count, &order_count);
    for (size_t i = 0; orders != NULL && i < order_count; i++) {
        const struct order *order = &orders[i];
        int64_t first_ms = time_of(order->time), refunded = refunded_of(order);
        if ((order->flags & ORDER_PAID) == 0 || (order->flags & ORDER_CANCELLED) != 0 ||
            first_ms < from_ms || first_ms > until_ms)
            continue;
        struct profile_sales *line =
            sales_in(lines, &count, limit, profile->currencies[order->currency]);
        if (line == NULL)
            continue;
        line->orders += !is_wholly_refunded(order);
        line->net = add_saturating(line->net, order->paid - refunded);
        line->refunded = add_saturating(line->refunded, refunded);
    }
    return count;
}

void orders_digest(const struct profile *profile, uint32_t node, struct digest *digest)
{
    const struct orders_piece *piece = orders_of(profile, node);
    for (uint32_t i = 0; piece != NULL && i < piece->count; i++) {
        const struct order *order = &piece->orders[i];
        struct {
            uint64_t node, hash, seq;
            int64_t paid, refunded, time_ms;
            char currency[4];
            uint32_t flags;
        } image = { node,        order->hash,     order->seq,
                    order->paid, order->refunded, time_of(order->time),
                    "",          order->flags };
        memcpy(image.currency, profile->currencies[order->currency], 4);
        digest_add(digest, &image, sizeof(image));
    }
}
