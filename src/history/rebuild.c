/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild: base and delta become a new base; what is over the budget goes. */
#include "history/state.h"

/* A new base when the delta has a sixteenth of the base's events: each event is then copied 17 times in
 * its life, at about 15 ns, and at most every eighth customer must be gathered in a scan. */
#define DELTA_FRACTION 16
#define DELTA_EVENTS_MIN 64u
/* Without history_tidy a delta does not grow beyond this. */
#define DELTA_FORCED 8

struct late {
    uint32_t index; /* in the new base */
    const uint32_t *entry;
};
struct merge {
    uint32_t *map; /* of the old base's events: where they are in the new one */
    uint32_t map_capacity;
    uint32_t *indices; /* of the values of a piece */
    uint32_t indices_capacity;
    struct late *late;
    uint32_t late_count, late_capacity;
    uint64_t cut_count;    /* events that went by the cut */
    uint64_t stored_seq;   /* only such may go */
    const uint64_t *found; /* bit per node that is whole again; may be NULL */
    struct gather gather;
    struct stage stages[HISTORY_COLUMNS_MAX]; /* values of late events */
};
#define GONE UINT32_MAX

static struct merge *merge_of(struct history *history)
{
    if (history->merge == NULL)
        history->merge = memory_alloc(sizeof(struct merge));
    return history->merge;
}

void merge_free(struct history *history)
{
    struct merge *merge = history->merge;
    if (merge == NULL)
        return;
    memory_free(merge->map);
    memory_free(merge->indices);
    memory_free(merge->late);
    gather_free(&merge->gather);
    for (unsigned i = 0; i < HISTORY_COLUMNS_MAX; i++) {
        memory_free(merge->stages[i].indices);
        memory_free(merge->stages[i].numbers);
        memory_free(merge->stages[i].codes);
    }
    memory_free(merge);
    history->merge = NULL;
}

/* ---- events ---- */

static void mark_lost(struct builder *builder, uint32_t slot)
{
    builder->lost[slot >> 6] |= UINT64_C(1) << (slot & 63);
}

/* Events of nodes without delta, as they are. */
static bool copy_events(struct builder *builder, struct merge *merge, const struct base *base,
                        uint32_t index, uint32_t end)
{
    uint32_t count = end - index, at = builder->count;
    if (!builder_reserve(builder, count))
        return false;
    if (count > 0)
        memcpy(builder->packed + at, base->packed + index, (size_t)count * sizeof(uint64_t));
    for (uint32_t i = 0; i < count; i++) {
        builder->seqs[at + i] = base_seq(base, index + i);
        merge->map[index + i] = at + i;
    }
    builder->count += count;
    return true;
}

static bool was_lost(const struct merge *merge, const struct base *base, uint32_t slot)
{
    return base_is_lost(base, slot) &&
           (merge->found == NULL || (merge->found[slot >> 6] >> (slot & 63) & 1) == 0);
}

static bool cut_node(struct builder *builder, struct merge *merge, const struct base *base,
                     uint32_t slot, uint64_t cut)
{
    uint32_t index = base->offsets[slot], end = base->offsets[slot + 1];
    for (; index < end && base->packed[index] >> 20 < cut; index++) {
        if (base_seq(base, index) > merge->stored_seq) {
            if (!copy_events(builder, merge, base, index, index + 1))
                return false;
            continue;
        }
        mark_lost(builder, slot);
        merge->cut_count++;
    }
    return copy_events(builder, merge, base, index, end);
}

static bool push_late(struct merge *merge, uint32_t index, const uint32_t *entry)
{
    if (!array_reserve((void **)&merge->late, &merge->late_capacity, merge->late_count + 1,
                       sizeof(struct late)))
        return false;
    merge->late[merge->late_count++] = (struct late){ .index = index, .entry = entry };
    return true;
}

static bool merge_node(struct builder *builder, struct merge *merge, const struct base *base,
                       uint32_t slot, uint64_t cut)
{
    struct gather *gather = &merge->gather;
    const struct delta *delta = base_delta(base);
    gather->count = 0;
    if (!gather_node(gather, base, slot))
        return false;
    if (!gather->is_forgotten && was_lost(merge, base, slot))
        mark_lost(builder, slot);
    for (uint32_t i = 0; i < gather->count; i++) {
        const struct gathered *event = &gather->events[i];
        if (event->packed >> 20 < cut && event->seq <= merge->stored_seq) {
            mark_lost(builder, slot);
            merge->cut_count++;
            continue;
        }
        if (event->place.block->kind == BLOCK_BASE)
            merge->map[event->place.index] = builder->count;
        else if (!push_late(merge, builder->count, words_at(&delta->words, event->place.index)))
            return false;
        if (!builder_push(builder, event->packed, event->seq))
            return false;
    }
    return true;
}

/* Nodes [slot, end) have no delta and lose nothing: one piece. */
static bool copy_nodes(struct builder *builder, struct merge *merge, const struct base *base,
                       uint32_t slot, uint32_t end)
{
    uint32_t shift = builder->count - (base->offsets != NULL ? base->offsets[slot] : 0);
    for (uint32_t i = slot; i < end; i++) {
        builder->offsets[i] = (base->offsets != NULL ? base->offsets[i] : 0) + shift;
        if (was_lost(merge, base, i))
            mark_lost(builder, i);
    }
    return base->offsets == NULL ||
           copy_events(builder, merge, base, base->offsets[slot], base->offsets[end]);
}

static bool is_plain(const struct delta *delta, uint32_t slot)
{
    return delta == NULL || atomic_load_explicit(&delta->heads[slot], memory_order_relaxed) == 0;
}

static bool merge_events(struct builder *builder, struct merge *merge, const struct base *base,
                         int64_t cut_ms)
{
    const struct delta *delta = base_delta(base);
    uint64_t cut = cut_ms > 0 ? (uint64_t)cut_ms : 0;
    for (uint32_t slot = 0, end; slot < BLOCK_NODES; slot = end) {
        end = slot + 1;
        builder->offsets[slot] = builder->count;
        if (!is_plain(delta, slot)) {
            if (!merge_node(builder, merge, base, slot, cut))
                return false;
        } else if (cut > 0 && base->offsets != NULL) {
            if (was_lost(merge, base, slot))
                mark_lost(builder, slot);
            if (!cut_node(builder, merge, base, slot, cut))
                return false;
        } else {
            while (end < BLOCK_NODES && is_plain(delta, end))
                end++;
            if (!copy_nodes(builder, merge, base, slot, end))
                return false;
        }
    }
    builder->offsets[BLOCK_NODES] = builder->count;
    return true;
}

/* ---- values ---- */

static bool stage_late(struct merge *merge)
{
    for (unsigned i = 0; i < HISTORY_COLUMNS_MAX; i++)
        stage_clear(&merge->stages[i]);
    for (uint32_t i = 0; i < merge->late_count; i++) {
        const uint32_t *entry = merge->late[i].entry;
        const uint32_t *at = entry + ENTRY_WORDS, *end = at + entry_value_words(entry);
        struct value_view value;
        while (value_next(&at, end, &value)) {
            struct stage *stage = &merge->stages[value.column - 1];
            if (!(value.form == FORM_CODES
                      ? stage_codes(stage, merge->late[i].index, value.codes, value.code_count)
                      : stage_number(stage, merge->late[i].index, value.number)))
                return false;
        }
    }
    return true;
}

static bool copy_late_texts(struct stage *out, const struct stage *late, uint32_t at)
{
    uint32_t begin = at > 0 ? (uint32_t)late->numbers[at - 1] : 0;
    return stage_codes(out, late->indices[at], late->codes + begin,
                       (uint32_t)late->numbers[at] - begin);
}

static bool expand_indices(struct merge *merge, const struct piece *piece)
{
    if (!array_reserve((void **)&merge->indices, &merge->indices_capacity, piece->count,
                       sizeof(uint32_t)))
        return false;
    piece_indices(piece, merge->indices);
    return true;
}

/* Old values and late ones, each in the order of the new indices. */
static bool merge_texts(struct stage *out, const struct merge *merge, const struct piece *piece,
                        const struct stage *late)
{
    uint32_t at = 0;
    for (uint32_t rank = 0; piece != NULL && rank < piece->count; rank++) {
        uint32_t index = merge->map[merge->indices[rank]];
        if (index == GONE)
            continue;
        for (; at < late->count && late->indices[at] < index; at++)
            if (!copy_late_texts(out, late, at))
                return false;
        if (!stage_old_value(out, index, piece, rank))
            return false;
    }
    for (; at < late->count; at++)
        if (!copy_late_texts(out, late, at))
            return false;
    return true;
}

static bool merge_numbers(struct stage *out, const struct merge *merge, const struct piece *piece,
                          const struct stage *late)
{
    uint32_t at = 0, count = 0, old = piece != NULL ? piece->count : 0;
    if (!stage_reserve(out, old + late->count))
        return false;
    for (uint32_t rank = 0; rank < old; rank++) {
        uint32_t index = merge->map[merge->indices[rank]];
        if (index == GONE)
            continue;
        for (; at < late->count && late->indices[at] < index; at++, count++) {
            out->indices[count] = late->indices[at];
            out->numbers[count] = late->numbers[at];
        }
        out->indices[count] = index;
        out->numbers[count++] = piece_number(piece, rank);
    }
    for (; at < late->count; at++, count++) {
        out->indices[count] = late->indices[at];
        out->numbers[count] = late->numbers[at];
    }
    out->count = count;
    return true;
}

static bool merge_column(struct merge *merge, const struct piece *piece, const struct stage *late,
                         bool is_texts, struct stage *out)
{
    if (piece != NULL && !expand_indices(merge, piece))
        return false;
    return is_texts ? merge_texts(out, merge, piece, late) : merge_numbers(out, merge, piece, late);
}

static bool merge_columns(struct history *history, struct merge *merge, const struct base *base)
{
    uint32_t count = atomic_load_explicit(&history->column_count, memory_order_relaxed);
    if (!stage_late(merge))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct piece *piece = i + 1 < base->piece_count ? base->pieces[i + 1] : NULL;
        if (!merge_column(merge, piece, &merge->stages[i], history->columns[i].kind == COLUMN_TEXTS,
                          &history->builder.stages[i]))
            return false;
    }
    return true;
}

/* ---- a block ---- */

static struct block *block_by_number(const struct history *history, uint32_t number)
{
    return block_find(history, number << BLOCK_BITS);
}

err block_rebuild(struct history *history, uint32_t number, int64_t cut_ms)
{
    return block_rebuild_found(history, number, cut_ms, NULL);
}

err block_rebuild_found(struct history *history, uint32_t number, int64_t cut_ms,
                        const uint64_t *found)
{
    struct block *block = block_by_number(history, number);
    struct base *base = block_base(block);
    struct builder *builder = &history->builder;
    struct merge *merge = merge_of(history);
    if (base == NULL)
        return ERR_OK;
    if (merge == NULL || retire_reserve(history, 1) != ERR_OK ||
        !array_reserve((void **)&merge->map, &merge->map_capacity, base->event_count,
                       sizeof(uint32_t)))
        return ERR_NOMEM;
    builder_clear(builder);
    merge->late_count = 0;
    merge->cut_count = 0;
    merge->stored_seq = history->stored_seq;
    merge->found = found;
    builder->cut_ms = cut_ms > base->cut_ms ? cut_ms : base->cut_ms;
    builder->is_restored = found != NULL || (base->is_restored && cut_ms == 0);
    if (base->event_count > 0)
        memset(merge->map, 0xff, (size_t)base->event_count * sizeof(uint32_t));
    if (!merge_events(builder, merge, base, cut_ms) || !merge_columns(history, merge, base))
        return ERR_NOMEM;
    struct base *next = base_build(history, builder);
    if (next == NULL)
        return ERR_NOMEM;
    atomic_store_explicit(&block->base, next, memory_order_release);
    block->delta = NULL;
    retire(history, base_destroy, base, base_bytes(base));
    history_count_events(history, -(int64_t)merge->cut_count);
    return ERR_OK;
}

/* ---- when ---- */

void block_enqueue(struct history *history, uint32_t number)
{
    struct leaf *leaf =
        atomic_load_explicit(&history->leaves[number >> LEAF_BITS], memory_order_relaxed);
    bool *is_queued = &leaf->is_queued[number & (LEAF_BLOCKS - 1)];
    if (*is_queued)
        return;
    if (history->queue_count == history->queue_capacity) {
        size_t capacity = history->queue_capacity > 0 ? history->queue_capacity * 2 : 64;
        uint32_t *queue = memory_resize(NULL, capacity * sizeof(uint32_t));
        if (queue == NULL)
            return; /* it comes again with the next event */
        for (size_t i = 0; i < history->queue_count; i++)
            queue[i] = history->queue[(history->queue_begin + i) & (history->queue_capacity - 1)];
        memory_free(history->queue);
        history->queue = queue;
        history->queue_begin = 0;
        history->queue_capacity = capacity;
    }
    history
        ->queue[(history->queue_begin + history->queue_count++) & (history->queue_capacity - 1)] =
        number;
    *is_queued = true;
}

static uint32_t dequeue(struct history *history)
{
    uint32_t number = history->queue[history->queue_begin];
    history->queue_begin = (history->queue_begin + 1) & (history->queue_capacity - 1);
    history->queue_count--;
    struct leaf *leaf =
        atomic_load_explicit(&history->leaves[number >> LEAF_BITS], memory_order_relaxed);
    leaf->is_queued[number & (LEAF_BLOCKS - 1)] = false;
    return number;
}

uint32_t delta_limit(const struct base *base)
{
    uint32_t limit = base->event_count / DELTA_FRACTION;
    return limit > DELTA_EVENTS_MIN ? limit : DELTA_EVENTS_MIN;
}

void block_is_due(struct history *history, uint32_t node, const struct delta *delta)
{
    block_enqueue(history, node >> BLOCK_BITS);
    /* The delta stays as it is when there is no memory for a new base. */
    if (delta->count >= (uint64_t)delta->limit * DELTA_FORCED &&
        block_rebuild(history, node >> BLOCK_BITS, 0) == ERR_OK)
        retire_collect(history);
}

/* ---- the budget (H5) ---- */

/* The block whose middle event is the oldest, among those that have any and were (or were not) brought back. */
static bool find_coldest(const struct history *history, bool restored, uint32_t *number,
                         int64_t *middle_ms)
{
    uint32_t blocks = (history_node_count(history) >> BLOCK_BITS) + 1;
    bool found = false;
    for (uint32_t i = 0; i < blocks; i++) {
        const struct block *block = block_by_number(history, i);
        const struct base *base = block != NULL ? block_base(block) : NULL;
        if (base == NULL || base->event_count == 0 || base->is_restored != restored ||
            (found && base->middle_ms >= *middle_ms))
            continue;
        found = true;
        *number = i;
        *middle_ms = base->middle_ms;
    }
    return found;
}

size_t history_live_bytes(const struct history *history)
{
    return history_memory_bytes(history) - history->retirement.bytes;
}

bool history_shrink_once(struct history *history)
{
    uint32_t number = 0;
    int64_t middle_ms = 0;
    uint64_t before = history_event_count(history);
    return (find_coldest(history, false, &number, &middle_ms) ||
            find_coldest(history, true, &number, &middle_ms)) &&
           block_rebuild(history, number, middle_ms + 1) == ERR_OK &&
           history_event_count(history) < before;
}

static void enqueue_all(struct history *history)
{
    uint32_t blocks = (history_node_count(history) >> BLOCK_BITS) + 1;
    for (uint32_t i = 0; i < blocks; i++) {
        const struct block *block = block_by_number(history, i);
        const struct base *base = block != NULL ? block_base(block) : NULL;
        if (base != NULL && base_delta(base) != NULL)
            block_enqueue(history, i);
    }
}

void history_tidy(struct history *history, int64_t budget_us)
{
    steady_ns start = steady_now();
    retire_collect(history);
    if (budget_us == INT64_MAX)
        enqueue_all(history);
    for (size_t left = history->queue_count; left > 0; left--) {
        uint32_t number = dequeue(history);
        if (block_rebuild(history, number, 0) != ERR_OK)
            block_enqueue(history, number);
        if (steady_since_us(start) >= budget_us)
            break;
    }
    while (history_live_bytes(history) > history->memory_bytes_max &&
           history_shrink_once(history) && steady_since_us(start) < budget_us)
        continue;
    retire_collect(history);
}
