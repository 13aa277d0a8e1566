/* SPDX-License-Identifier: Apache-2.0 */
/* nodes: what some nodes did together, whether they are one customer today or not: for past moments. */
#include "history/state.h"

static bool gather_nodes(struct history_reader *reader, const uint32_t *nodes, size_t count,
                         bool *is_complete)
{
    struct gather *gather = &reader->gather;
    uint32_t runs = 0;
    gather->count = 0;
    if (!array_reserve((void **)&reader->starts, &reader->starts_capacity, (uint32_t)count,
                       sizeof(uint32_t)))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct block *block = block_find(reader->history, nodes[i]);
        const struct base *base = block != NULL ? block_base(block) : NULL;
        uint32_t start = gather->count, slot = nodes[i] & BLOCK_MASK;
        if (base == NULL)
            continue;
        if (!gather_node(gather, base, slot))
            return false;
        *is_complete = *is_complete && (gather->is_forgotten || !base_is_lost(base, slot));
        if (gather->count > start)
            reader->starts[runs++] = start;
    }
    return runs < 2 || gather_merge(gather, reader->starts, runs);
}

static bool reserve(struct history_reader *reader, uint32_t count)
{
    uint32_t capacity = reader->capacity, same = capacity, also = capacity;
    if (count <= capacity)
        return true;
    if (!array_reserve((void **)&reader->events, &capacity, count, sizeof(uint64_t)) ||
        !array_reserve((void **)&reader->seqs, &same, count, sizeof(uint64_t)) ||
        !array_reserve((void **)&reader->places, &also, count, sizeof(struct history_place)))
        return false;
    reader->capacity = capacity;
    return true;
}

void history_view_nodes(struct history_reader *reader, const uint32_t *nodes, size_t count,
                        struct history_view *view)
{
    const struct gather *gather = &reader->gather;
    bool is_complete = true;
    history_view_customer(reader, UINT32_MAX, view); /* nobody: nothing */
    if (!gather_nodes(reader, nodes, count, &is_complete) || !reserve(reader, gather->count)) {
        view->complete = false;
        return;
    }
    for (uint32_t i = 0; i < gather->count; i++) {
        reader->events[i] = gather->events[i].packed;
        reader->seqs[i] = gather->events[i].seq;
        reader->places[i] = gather->events[i].place;
    }
    view->complete = is_complete;
    view->count = gather->count;
    view->events = reader->events;
    view->seqs = reader->seqs;
    view->places = reader->places;
}
