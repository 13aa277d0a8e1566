/* SPDX-License-Identifier: Apache-2.0 */
/* gather: the events of a node out of base and delta, of a customer out of her nodes. */
#include <stdlib.h>

#include "history/state.h"

static bool reserve_events(struct gather *gather, uint32_t more)
{
    return array_reserve((void **)&gather->events, &gather->capacity, gather->count + more,
                         sizeof(struct gathered));
}

static inline bool is_before(const struct gathered *one, const struct gathered *other)
{
    return event_is_before(one->packed, one->seq, other->packed, other->seq);
}

static int compare(const void *one, const void *other)
{
    return is_before(one, other) ? -1 : is_before(other, one);
}

#define INSERTION_MAX 24

static void sort(struct gathered *events, uint32_t count)
{
    if (count > INSERTION_MAX) {
        for (uint32_t i = 1; i < count; i++) {
            if (is_before(&events[i], &events[i - 1])) {
                qsort(events, count, sizeof(events[0]), compare);
                return;
            }
        }
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        struct gathered event = events[i];
        uint32_t at = i;
        for (; at > 0 && is_before(&event, &events[at - 1]); at--)
            events[at] = events[at - 1];
        events[at] = event;
    }
}

/* ---- what was retracted: a set of seqs, open addressing; 0 is an empty place, so seq + 1 is kept ---- */

static uint64_t *seq_place(const struct gather *gather, uint64_t seq)
{
    uint32_t mask = gather->set_capacity - 1;
    uint32_t at = (uint32_t)(seq * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;
    while (gather->set[at] != 0 && gather->set[at] != seq + 1)
        at = (at + 1) & mask;
    return &gather->set[at];
}

static inline bool is_retracted(const struct gather *gather, uint64_t seq)
{
    return gather->retracted_count > 0 && *seq_place(gather, seq) != 0;
}

static bool grow_set(struct gather *gather)
{
    struct gather old = *gather;
    uint32_t capacity = old.set_capacity > 0 ? old.set_capacity * 2 : 64;
    uint64_t *set = memory_alloc(capacity * sizeof(*set));
    if (set == NULL)
        return false;
    gather->set = set;
    gather->set_capacity = capacity;
    for (uint32_t i = 0; i < old.set_capacity && old.retracted_count > 0; i++)
        if (old.set[i] != 0)
            *seq_place(gather, old.set[i] - 1) = old.set[i];
    memory_free(old.set);
    return true;
}

static bool add_retracted(struct gather *gather, uint64_t seq)
{
    if (gather->retracted_count >= gather->set_capacity / 2 && !grow_set(gather))
        return false;
    uint64_t *place = seq_place(gather, seq);
    gather->retracted_count += *place == 0;
    *place = seq + 1;
    return true;
}

static void clear_retracted(struct gather *gather)
{
    if (gather->retracted_count > 0)
        memset(gather->set, 0, gather->set_capacity * sizeof(gather->set[0]));
    gather->retracted_count = 0;
}

/* Walks the list, newest first: what was retracted later is known before it is met. */
static bool gather_late(struct gather *gather, const struct delta *delta, uint32_t position)
{
    for (; position != 0; position = words_at(&delta->words, position)[0]) {
        const uint32_t *entry = words_at(&delta->words, position);
        uint64_t seq = entry_seq(entry);
        switch (entry_kind(entry)) {
        case ENTRY_FORGET:
            gather->is_forgotten = true;
            return true;
        case ENTRY_RETRACT:
            if (!add_retracted(gather, seq))
                return false;
            break;
        case ENTRY_NONE: /* is in no list */
            break;
        case ENTRY_EVENT:
            if (is_retracted(gather, seq))
                break;
            if (!reserve_events(gather, 1))
                return false;
            gather->events[gather->count++] = (struct gathered){
                .packed = entry_packed(entry),
                .seq = seq,
                .place = { .block = &delta->block, .index = position },
            };
            break;
        }
    }
    return true;
}

static void reverse(struct gathered *events, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        struct gathered event = events[i];
        events[i] = events[count - 1 - i];
        events[count - 1 - i] = event;
    }
}

/* The base's events go before the late ones, which stand at `start`. */
static bool gather_base(struct gather *gather, const struct base *base, uint32_t slot,
                        uint32_t start)
{
    uint32_t first = base->offsets[slot], count = base->offsets[slot + 1] - first;
    uint32_t late = gather->count - start, kept = 0;
    if (count == 0)
        return true;
    if (!reserve_events(gather, count))
        return false;
    struct gathered *events = gather->events + start;
    memmove(events + count, events, (size_t)late * sizeof(events[0]));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t seq = base_seq(base, first + i);
        if (is_retracted(gather, seq))
            continue;
        events[kept++] =
            (struct gathered){ .packed = base->packed[first + i],
                               .seq = seq,
                               .place = { .block = &base->block, .index = first + i } };
    }
    if (kept < count)
        memmove(events + kept, events + count, (size_t)late * sizeof(events[0]));
    gather->count = start + kept + late;
    if (kept == 0 || late == 0 || is_before(&events[kept - 1], &events[kept]))
        return true;
    uint32_t starts[2] = { start, start + kept };
    return gather_merge(gather, starts, 2);
}

bool gather_node(struct gather *gather, const struct base *base, uint32_t slot)
{
    const struct delta *delta = base_delta(base);
    uint32_t start = gather->count;
    clear_retracted(gather);
    gather->is_forgotten = false;
    if (delta != NULL) {
        uint32_t head = atomic_load_explicit(&delta->heads[slot], memory_order_acquire);
        if (!gather_late(gather, delta, head))
            return false;
        reverse(gather->events + start, gather->count - start);
        sort(gather->events + start, gather->count - start);
    }
    if (gather->is_forgotten || base->offsets == NULL)
        return true;
    return gather_base(gather, base, slot, start);
}

/* ---- runs ---- */

static void merge_two(struct gather *gather, uint32_t begin, uint32_t middle, uint32_t end)
{
    const struct gathered *events = gather->events;
    uint32_t one = begin, other = middle, out = 0;
    while (one < middle && other < end)
        gather->spare[out++] =
            is_before(&events[other], &events[one]) ? events[other++] : events[one++];
    while (one < middle)
        gather->spare[out++] = events[one++];
    /* What is left of the second run stands where it belongs. */
    memcpy(gather->events + begin, gather->spare, (size_t)out * sizeof(events[0]));
}

static void merge_runs(struct gather *gather, const uint32_t *starts, uint32_t runs, uint32_t end)
{
    if (runs < 2)
        return;
    uint32_t half = runs / 2;
    merge_runs(gather, starts, half, starts[half]);
    merge_runs(gather, starts + half, runs - half, end);
    merge_two(gather, starts[0], starts[half], end);
}

bool gather_merge(struct gather *gather, const uint32_t *starts, uint32_t runs)
{
    if (!array_reserve((void **)&gather->spare, &gather->spare_capacity, gather->count - starts[0],
                       sizeof(struct gathered)))
        return false;
    merge_runs(gather, starts, runs, gather->count);
    return true;
}

void gather_free(struct gather *gather)
{
    memory_free(gather->events);
    memory_free(gather->spare);
    memory_free(gather->set);
    *gather = (struct gather){ .count = 0 };
}
