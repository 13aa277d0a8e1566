/* SPDX-License-Identifier: Apache-2.0 */
/* events_order: sorting rows of the table `events` by their place in it. */
#include "store/events_order.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"
#include "store/event_columns.h"

/* ---- walking over encoded rows ---- */

static void skip_text(struct cursor *cursor)
{
    uint64_t size = read_varint(cursor);
    if (size > cursor_left(cursor))
        cursor->failed = true;
    else
        read_bytes(cursor, (size_t)size);
}

static void skip_list(struct cursor *cursor)
{
    uint64_t count = read_varint(cursor);
    if (count > cursor_left(cursor) / sizeof(uint32_t))
        cursor->failed = true;
    else
        read_bytes(cursor, (size_t)count * sizeof(uint32_t));
}

/* The key of the table lies before the promoted columns. */
static void walk_row(struct cursor *cursor, const char *bytes, struct row_place *place)
{
    const uint8_t *begin = cursor->next;
    place->offset = (uint64_t)((const char *)begin - bytes);
    place->seq = read_u64(cursor);
    read_bytes(cursor, 8 + 4 + 16 + 1 + 1); /* batch, source, message_key, kind, flags */
    skip_text(cursor);                      /* type */
    skip_text(cursor);                      /* channel */
    place->time_ms = read_i64(cursor);
    read_bytes(cursor, 8); /* received_ms */
    place->customer = read_u32(cursor);
    read_bytes(cursor, 4); /* origin */
    skip_list(cursor);     /* identifiers */
    for (int i = EVENT_COLUMNS_KEYED; i < event_column_count; i++) {
        if (event_columns[i].form == FORM_TEXT)
            skip_text(cursor);
        else
            read_bytes(cursor, sizeof(int64_t));
    }
    place->size = (uint32_t)(cursor->next - begin);
}

static bool has_room(struct row_order *order, size_t *capacity)
{
    if (order->count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 4096 : *capacity * 2;
    struct row_place *places = memory_resize(order->places, wanted * sizeof(*places));
    if (places == NULL)
        return false;
    order->places = places;
    *capacity = wanted;
    return true;
}

/* Of the rows whose customers are wanted, in one walk over all. */
static err find_places(struct row_order *order, str rows, uint32_t part, uint32_t parts,
                       struct problem *problem)
{
    struct cursor cursor = cursor_over(rows);
    size_t capacity = 0;
    while (cursor_left(&cursor) > 0) {
        struct row_place place;
        walk_row(&cursor, rows.data, &place);
        if (cursor.failed || order->count == UINT32_MAX)
            return problem_set(problem, ERR_CORRUPT, "%zu bytes are not whole rows of 'events'",
                               rows.size);
        if (place.customer % parts != part)
            continue;
        if (!has_room(order, &capacity))
            return problem_set(problem, ERR_NOMEM, "no memory to sort the rows of %zu bytes",
                               rows.size);
        order->places[order->count++] = place;
    }
    return ERR_OK;
}

err row_order_make(struct row_order *order, str rows, uint32_t part, uint32_t parts,
                   struct problem *problem)
{
    *order = (struct row_order){ .bytes = rows.data };
    err error = find_places(order, rows, part, parts, problem);
    if (error == ERR_OK && order->count > 0)
        error = places_sort(order->places, order->count, &order->order, problem);
    if (error != ERR_OK)
        row_order_free(order);
    return error;
}

void row_order_free(struct row_order *order)
{
    memory_free(order->places);
    memory_free(order->order);
    order->places = NULL;
    order->order = NULL;
    order->count = 0;
}
