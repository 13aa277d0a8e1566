/* SPDX-License-Identifier: Apache-2.0 */
/* sums: what is derived of neighbouring nodes, as bytes: counts, times and orders. For history.pack
 * (docs/formats/history-pack.md). */
#include <string.h>

#include "base/codec.h"
#include "profile/state.h"

/* ---- writing ---- */

static void write_orders(const struct profile *profile, const struct entry *entry,
                         struct buffer *out)
{
    const struct orders_piece *piece =
        entry->orders != 0 ? slab_at(&profile->slab, entry->orders) : NULL;
    write_varint(out, piece != NULL ? piece->count : 0);
    for (uint32_t i = 0; piece != NULL && i < piece->count; i++) {
        const struct order *order = &piece->orders[i];
        write_u64(out, order->hash);
        write_u64(out, order->seq);
        write_u8(out, order->flags);
        if ((order->flags & ORDER_PAID) != 0)
            write_zigzag(out, time_of(order->time));
        write_zigzag(out, order->paid);
        write_zigzag(out, order->refunded);
        write_u8(out, order->currency);
    }
}

void profile_sums_write(const struct profile *profile, uint32_t first, uint32_t count,
                        struct buffer *out)
{
    write_u16(out, (uint16_t)profile->currency_count);
    for (uint32_t i = 0; i < profile->currency_count; i++)
        buffer_append(out, profile->currencies[i], sizeof(profile->currencies[i]));
    for (uint32_t i = 0; i < count; i++) {
        const struct entry *entry = entry_find(profile, first + i);
        if (entry == NULL || entry->events == 0)
            continue;
        write_varint(out, i + 1);
        write_varint(out, entry->events);
        int64_t first_ms = time_of(entry->first);
        write_zigzag(out, first_ms);
        write_varint(out, (uint64_t)(time_of(entry->last) - first_ms));
        write_orders(profile, entry, out);
    }
    write_varint(out, 0);
}

/* ---- reading ---- */

struct sums {
    struct profile *profile;
    struct cursor cursor;
    uint8_t currencies[CURRENCIES_MAX]; /* by the number in the bytes */
    uint32_t currency_count;
};

static err read_currencies(struct sums *sums)
{
    sums->currency_count = read_u16(&sums->cursor);
    if (sums->currency_count > CURRENCIES_MAX)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < sums->currency_count; i++) {
        str code = read_bytes(&sums->cursor, 4);
        if (sums->cursor.failed)
            return ERR_CORRUPT;
        sums->currencies[i] = order_currency(sums->profile, str_slice(code, 0, 3));
    }
    return ERR_OK;
}

static bool read_order(struct sums *sums, struct order *order)
{
    struct cursor *cursor = &sums->cursor;
    *order = (struct order){ .hash = read_u64(cursor) };
    order->seq = read_u64(cursor);
    order->flags = read_u8(cursor);
    if ((order->flags & ORDER_PAID) != 0)
        order->time = short_of(read_zigzag(cursor));
    order->paid = read_zigzag(cursor);
    order->refunded = read_zigzag(cursor);
    uint8_t currency = read_u8(cursor);
    if (cursor->failed || currency >= sums->currency_count)
        return false;
    order->currency = sums->currencies[currency];
    return true;
}

static err read_node(struct sums *sums, uint32_t node, bool is_out)
{
    struct cursor *cursor = &sums->cursor;
    uint64_t events = read_varint(cursor);
    int64_t first_ms = read_zigzag(cursor);
    int64_t last_ms = first_ms + (int64_t)read_varint(cursor);
    uint64_t orders = read_varint(cursor);
    if (cursor->failed || events == 0 || events > UINT32_MAX || orders > cursor_left(cursor))
        return ERR_CORRUPT;
    err error =
        is_out ? ERR_OK
               : profile_observe_many(sums->profile, node, (uint32_t)events, first_ms, last_ms);
    for (uint64_t i = 0; i < orders && error == ERR_OK; i++) {
        struct order order;
        if (!read_order(sums, &order))
            return ERR_CORRUPT;
        error = is_out ? ERR_OK : order_load(sums->profile, node, &order);
    }
    return error;
}

/* Nothing is taken of bytes that do not end where they should. */
static err read_nodes(struct sums *sums, uint32_t first, uint32_t count, bool only_look,
                      bool (*is_out)(void *context, uint32_t node), void *context)
{
    for (uint64_t place, before = 0; (place = read_varint(&sums->cursor)) != 0; before = place) {
        if (place <= before || place > count)
            return ERR_CORRUPT;
        uint32_t node = first + (uint32_t)place - 1;
        err error = read_node(sums, node, only_look || (is_out != NULL && is_out(context, node)));
        if (error != ERR_OK)
            return error;
    }
    return sums->cursor.failed || cursor_left(&sums->cursor) > 0 ? ERR_CORRUPT : ERR_OK;
}

err profile_sums_read(struct profile *profile, uint32_t first, uint32_t count, str bytes,
                      bool (*is_out)(void *context, uint32_t node), void *context)
{
    struct sums sums = { .profile = profile, .cursor = cursor_over(bytes) };
    err error = read_currencies(&sums);
    struct cursor nodes = sums.cursor;
    if (error == ERR_OK)
        error = read_nodes(&sums, first, count, true, NULL, NULL);
    sums.cursor = nodes;
    return error == ERR_OK ? read_nodes(&sums, first, count, false, is_out, context) : error;
}
