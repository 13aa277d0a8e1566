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

/* ---- sorting ---- */

/* By customer: a stable radix sort, so that rows of one customer stay in the order of their coming. */
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)

static void sort_by_customer(const struct row_place *places, size_t count, uint32_t *order,
                             uint32_t *spare)
{
    uint32_t starts[DIGITS];
    for (unsigned shift = 0; shift < 32; shift += DIGIT_BITS) {
        memset(starts, 0, sizeof(starts));
        for (size_t i = 0; i < count; i++)
            starts[(places[order[i]].customer >> shift) & (DIGITS - 1)]++;
        uint32_t sum = 0;
        for (size_t d = 0; d < DIGITS; d++) {
            uint32_t size = starts[d];
            starts[d] = sum;
            sum += size;
        }
        for (size_t i = 0; i < count; i++)
            spare[starts[(places[order[i]].customer >> shift) & (DIGITS - 1)]++] = order[i];
        memcpy(order, spare, count * sizeof(*order));
    }
}

static bool is_before(const struct row_place *a, const struct row_place *b)
{
    return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->seq < b->seq;
}

static void sift_down(const struct row_place *places, uint32_t *order, size_t root, size_t count)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && is_before(&places[order[child]], &places[order[child + 1]]))
            child++;
        if (!is_before(&places[order[root]], &places[order[child]]))
            return;
        uint32_t swap = order[root];
        order[root] = order[child];
        order[child] = swap;
        root = child;
    }
}

/* One customer's rows. They come almost in order; where many do not (an imported history), a heap
 * keeps the cost within n log n. */
#define INSERTION_MAX 32

static void sort_run(const struct row_place *places, uint32_t *order, size_t count)
{
    size_t sorted = 1;
    while (sorted < count && !is_before(&places[order[sorted]], &places[order[sorted - 1]]))
        sorted++;
    if (sorted == count)
        return;
    if (count <= INSERTION_MAX) {
        for (size_t i = sorted; i < count; i++) {
            uint32_t row = order[i];
            size_t at = i;
            for (; at > 0 && is_before(&places[row], &places[order[at - 1]]); at--)
                order[at] = order[at - 1];
            order[at] = row;
        }
        return;
    }
    for (size_t root = count / 2; root-- > 0;)
        sift_down(places, order, root, count);
    for (size_t end = count - 1; end > 0; end--) {
        uint32_t swap = order[0];
        order[0] = order[end];
        order[end] = swap;
        sift_down(places, order, 0, end);
    }
}

static void sort_runs(const struct row_place *places, uint32_t *order, size_t count)
{
    for (size_t begin = 0; begin < count;) {
        size_t end = begin + 1;
        while (end < count && places[order[end]].customer == places[order[begin]].customer)
            end++;
        sort_run(places, order + begin, end - begin);
        begin = end;
    }
}

static err sort_places(struct row_order *order, struct problem *problem)
{
    order->order = memory_alloc(order->count * sizeof(*order->order));
    uint32_t *spare = memory_alloc(order->count * sizeof(*spare));
    if (order->order == NULL || spare == NULL) {
        memory_free(spare);
        return problem_set(problem, ERR_NOMEM, "no memory to sort %zu rows", order->count);
    }
    for (size_t i = 0; i < order->count; i++)
        order->order[i] = (uint32_t)i;
    sort_by_customer(order->places, order->count, order->order, spare);
    sort_runs(order->places, order->order, order->count);
    memory_free(spare);
    return ERR_OK;
}

err row_order_make(struct row_order *order, str rows, uint32_t part, uint32_t parts,
                   struct problem *problem)
{
    *order = (struct row_order){ .bytes = rows.data };
    err error = find_places(order, rows, part, parts, problem);
    if (error == ERR_OK && order->count > 0)
        error = sort_places(order, problem);
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
