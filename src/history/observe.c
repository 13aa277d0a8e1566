/* SPDX-License-Identifier: Apache-2.0 */
/* observe: what the engine remembers, takes away again, forgets. */
#include "history/state.h"

static err collect_values(struct history *history, const struct event *event)
{
    const struct history_value *values;
    uint32_t count;
    history->values.count = 0;
    err error = extractor_run(history->extractor, event, &values, &count);
    for (uint32_t i = 0; i < count && error == ERR_OK; i++)
        error = values_put(history, &history->values, &values[i]);
    return error;
}

err history_observe(struct history *history, uint32_t node, const struct event *event)
{
    uint16_t type;
    uint8_t channel;
    INVARIANT(node != 0);
    err error = type_number(history, event->type, &type);
    if (error == ERR_OK)
        error = channel_number(history, event->channel, &channel);
    if (error == ERR_OK)
        error = collect_values(history, event);
    if (error != ERR_OK)
        return error;
    struct block *block = block_make(history, node);
    struct delta *delta = block != NULL ? delta_make(history, block) : NULL;
    if (delta == NULL)
        return ERR_NOMEM;
    error = delta_push(history, node, delta, ENTRY_EVENT, pack(event->time_ms, type, channel),
                       event->seq, &history->values);
    if (error != ERR_OK)
        return error;
    node_seen(history, node);
    history_count_events(history, 1);
    if (delta->count >= delta->limit)
        block_is_due(history, node, delta);
    return ERR_OK;
}

/* ---- taking away ---- */

enum entry_kind delta_word(const struct delta *delta, uint32_t slot, uint64_t seq)
{
    uint32_t position = atomic_load_explicit(&delta->heads[slot], memory_order_relaxed);
    while (position != 0) {
        const uint32_t *entry = words_at(&delta->words, position);
        if (entry_kind(entry) == ENTRY_FORGET || entry_seq(entry) == seq)
            return entry_kind(entry);
        position = entry[0];
    }
    return ENTRY_NONE;
}

/* Most often seqs rise with time, then halving finds it; else every one is looked at. */
static bool base_has_event(const struct base *base, uint32_t slot, uint64_t seq)
{
    uint32_t low = base->offsets[slot], end = base->offsets[slot + 1], high = end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (base_seq(base, middle) < seq)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < end && base_seq(base, low) == seq)
        return true;
    for (uint32_t i = base->offsets[slot]; i < end; i++)
        if (base_seq(base, i) == seq)
            return true;
    return false;
}

static bool has_event(const struct base *base, uint32_t slot, uint64_t seq)
{
    const struct delta *delta = base_delta(base);
    enum entry_kind word = delta != NULL ? delta_word(delta, slot, seq) : ENTRY_NONE;
    if (word != ENTRY_NONE)
        return word == ENTRY_EVENT;
    return base->offsets != NULL && base_has_event(base, slot, seq);
}

static err push_change(struct history *history, uint32_t node, struct block *block,
                       enum entry_kind kind, uint64_t seq)
{
    struct delta *delta = delta_make(history, block);
    if (delta == NULL)
        return ERR_NOMEM;
    return delta_push(history, node, delta, kind, 0, seq, NULL);
}

err history_retract(struct history *history, uint32_t node, uint64_t seq)
{
    struct block *block = block_find(history, node);
    const struct base *base = block != NULL ? block_base(block) : NULL;
    if (base == NULL || !has_event(base, node & BLOCK_MASK, seq))
        return ERR_NOT_FOUND;
    err error = push_change(history, node, block, ENTRY_RETRACT, seq);
    if (error != ERR_OK)
        return error;
    history_count_events(history, -1);
    if (block->delta->count >= block->delta->limit)
        block_is_due(history, node, block->delta);
    return ERR_OK;
}

err history_forget(struct history *history, uint32_t node)
{
    struct block *block = block_find(history, node);
    struct base *base = block != NULL ? block_base(block) : NULL;
    struct gather gather = { .count = 0 };
    if (base == NULL)
        return ERR_OK;
    err error = gather_node(&gather, base, node & BLOCK_MASK)
                    ? push_change(history, node, block, ENTRY_FORGET, 0)
                    : ERR_NOMEM;
    if (error == ERR_OK) {
        history_count_events(history, -(int64_t)gather.count);
        /* What was erased shall not lie in memory for long, however little it is. */
        block_enqueue(history, node >> BLOCK_BITS);
    }
    gather_free(&gather);
    return error;
}
