/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes of waiting appends: a table by the source's number, and the round robin over those that have somebody. */
#include "log/lanes.h"

/* The house's own lane. */
#define HOUSE 0

static struct log_append *next_of(struct log_append *append)
{
    struct queue_item *item = append->item.next;
    return item != NULL ? queue_entry(item, struct log_append, item) : NULL;
}

static void note_source(struct lanes *lanes, uint8_t at, steady_ns now)
{
    lanes->lane[at].came = now;
    if (at == HOUSE || at == lanes->newest)
        return;
    lanes->other = lanes->newest;
    lanes->newest = at;
}

static void put_one(struct lanes *lanes, struct log_append *append, steady_ns now)
{
    uint8_t at = lane_of(append->source);
    struct lane *lane = &lanes->lane[at];
    append->item.next = NULL;
    if (lane->first == NULL) {
        lane->first = append;
        lanes->order[lanes->count++] = at;
    } else {
        lane->last->item.next = &append->item;
    }
    lane->last = append;
    note_source(lanes, at, now);
}

void lanes_put(struct lanes *lanes, struct log_append *list, steady_ns now)
{
    while (list != NULL) {
        struct log_append *next = next_of(list);
        put_one(lanes, list, now);
        list = next;
    }
}

bool lanes_are_empty(const struct lanes *lanes)
{
    return lanes->count == 0;
}

size_t lanes_round_bytes(const struct lanes *lanes, steady_ns now)
{
    bool is_shared = lanes->other != HOUSE && now.ns - lanes->lane[lanes->other].came.ns <
                                                  LANES_SHARED_MS * INT64_C(1000000);
    return is_shared ? LANES_SHORT_ROUND_BYTES : LANES_ROUND_BYTES_MAX;
}

/* The round goes on with the one behind it, which moves up. */
static void leave_order(struct lanes *lanes)
{
    lanes->lane[lanes->order[lanes->next]].credit_bytes = 0;
    lanes->count--;
    for (size_t i = lanes->next; i < lanes->count; i++)
        lanes->order[i] = lanes->order[i + 1];
}

/* The lane whose first can be paid for; each that cannot gets more and is passed. With one lane credit says nothing. */
static struct lane *lane_in_turn(struct lanes *lanes)
{
    for (;;) {
        if (lanes->next >= lanes->count)
            lanes->next = 0;
        struct lane *lane = &lanes->lane[lanes->order[lanes->next]];
        if (lanes->count == 1 || lane->credit_bytes >= (int64_t)lane->first->records.size)
            return lane;
        lane->credit_bytes += LANES_QUANTUM_BYTES;
        lanes->next++;
    }
}

struct log_append *lanes_take(struct lanes *lanes, steady_ns now)
{
    struct log_append *first = NULL, *last = NULL;
    size_t room = lanes_round_bytes(lanes, now);
    while (lanes->count > 0) {
        struct lane *lane = lane_in_turn(lanes);
        struct log_append *append = lane->first;
        size_t bytes = append->records.size;
        if (first != NULL && bytes > room)
            break;
        lane->first = next_of(append);
        if (lanes->count > 1) /* alone it owes nobody anything */
            lane->credit_bytes -= (int64_t)bytes;
        append->item.next = NULL;
        if (last != NULL)
            last->item.next = &append->item;
        else
            first = append;
        last = append;
        room -= bytes < room ? bytes : room;
        if (lane->first == NULL)
            leave_order(lanes);
    }
    return first;
}
