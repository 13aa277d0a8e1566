/* SPDX-License-Identifier: Apache-2.0 */
/* span: a block of neighbours at once, for scans that look at the events of all before they look at one. */
#include "history/state.h"

static const uint32_t no_offsets[BLOCK_NODES + 1];

static inline void set_slot(uint64_t words[HISTORY_SPAN_WORDS], uint32_t slot)
{
    words[slot / 64] |= UINT64_C(1) << (slot % 64);
}

/* [from, to) of the slots. */
static void set_slots(uint64_t words[HISTORY_SPAN_WORDS], uint32_t from, uint32_t to)
{
    memset(words, 0, HISTORY_SPAN_WORDS * sizeof(words[0]));
    for (uint32_t slot = from; slot < to; slot++)
        set_slot(words, slot);
}

static void part_groups(const struct block *block, struct history_span *span)
{
    struct block_groups *groups = atomic_load_explicit(&block->groups, memory_order_acquire);
    for (uint32_t slot = 0; groups != NULL && slot < BLOCK_NODES; slot++) {
        uint32_t word = atomic_load_explicit(&groups->words[slot], memory_order_acquire);
        uint64_t bit = UINT64_C(1) << (slot % 64);
        if (word == GROUP_ALONE)
            continue;
        if (word != GROUP_MEMBER)
            span->apart[slot / 64] |= span->plain[slot / 64] & bit;
        span->plain[slot / 64] &= ~bit;
    }
}

static void part_late(const struct base *base, struct history_span *span)
{
    const struct delta *delta = base_delta(base);
    uint64_t late[HISTORY_SPAN_WORDS] = { 0 };
    for (uint32_t slot = 0; delta != NULL && slot < BLOCK_NODES; slot++)
        if (atomic_load_explicit(&delta->heads[slot], memory_order_acquire) != 0)
            set_slot(late, slot);
    for (uint32_t i = 0; i < HISTORY_SPAN_WORDS; i++) {
        late[i] |= base->lost != NULL ? base->lost[i] : 0;
        span->apart[i] |= span->plain[i] & late[i];
        span->plain[i] &= ~late[i];
    }
}

void history_view_span(struct history_reader *reader, uint32_t from, uint32_t to,
                       struct history_span *span)
{
    const struct history *history = reader->history;
    const struct block *block = block_find(history, from);
    const struct base *base = block != NULL ? block_base(block) : NULL;
    uint32_t begin = from & ~BLOCK_MASK;
    INVARIANT(from < to && to - begin <= BLOCK_NODES);
    *span = (struct history_span){ .begin = begin, .offsets = no_offsets };
    span->view = (struct history_view){ .complete = true, .whole_from_ms = INT64_MIN };
    span->view.history = history;
    set_slots(span->plain, from - begin, to - begin);
    if (block != NULL)
        part_groups(block, span);
    if (base == NULL)
        return;
    part_late(base, span);
    span->view.block = &base->block;
    if (base->offsets == NULL)
        return;
    span->offsets = base->offsets;
    span->view.events = base->packed;
    span->view.count = base->offsets[BLOCK_NODES];
}

void history_span_one(const struct history_span *span, uint32_t slot, struct history_view *view)
{
    INVARIANT(slot < BLOCK_NODES);
    *view = span->view;
    view->first = span->offsets[slot];
    view->count = span->offsets[slot + 1] - view->first;
    if (view->events != NULL)
        view->events += view->first;
}

void history_scan_apart(struct history_reader *reader, const struct history_span *span,
                        bool (*visit)(void *context, uint32_t customer,
                                      const struct history_view *view),
                        void *context)
{
    const struct history *history = reader->history;
    const struct block *block = block_find(history, span->begin);
    uint32_t end = span->begin + BLOCK_NODES;
    struct history_view view;
    uint64_t any = 0;
    for (uint32_t i = 0; i < HISTORY_SPAN_WORDS; i++)
        any |= span->apart[i];
    for (uint32_t slot = 0; any != 0 && slot < BLOCK_NODES; slot++) {
        if (block != NULL)
            view_fetch_ahead(history, block, span->begin + slot, end);
        if ((span->apart[slot / 64] >> (slot % 64) & 1) == 0)
            continue;
        history_view_customer(reader, span->begin + slot, &view);
        if (!visit(context, span->begin + slot, &view))
            return;
    }
}
