/* SPDX-License-Identifier: Apache-2.0 */
/* view: what readers see: a customer's events in place, or gathered from delta and nodes. */
#include "history/state.h"

/* ---- readers ---- */

err history_reader_new(struct history_reader **reader, struct history *history)
{
    struct history_reader *made = memory_alloc(sizeof(*made));
    if (made == NULL)
        return ERR_NOMEM;
    made->history = history;
    made->rows.block.kind = BLOCK_ROWS;
    made->rows.history = history;
    err error = reader_slot_take(history, &made->slot);
    if (error != ERR_OK) {
        memory_free(made);
        return error;
    }
    rows_init(&made->rows);
    *reader = made;
    return ERR_OK;
}

void history_reader_free(struct history_reader **reader)
{
    struct history_reader *gone = *reader;
    if (gone == NULL)
        return;
    reader_slot_give(gone->slot);
    gather_free(&gone->gather);
    rows_deinit(&gone->rows);
    memory_free(gone->events);
    memory_free(gone->seqs);
    memory_free(gone->places);
    memory_free(gone->starts);
    memory_free(gone);
    *reader = NULL;
}

void history_read_begin(struct history_reader *reader)
{
    epoch_enter(reader->history, reader->slot);
}

void history_read_end(struct history_reader *reader)
{
    epoch_leave(reader->slot);
}

/* ---- one customer ---- */

static const struct history_view empty_view = { .complete = true, .whole_from_ms = INT64_MIN };

static inline void view_in_place(struct history_view *view, const struct base *base, uint32_t slot)
{
    *view = empty_view;
    view->block = &base->block;
    view->complete = !base_is_lost(base, slot);
    if (!view->complete)
        view->whole_from_ms = base->cut_ms;
    if (base->offsets == NULL)
        return;
    view->first = base->offsets[slot];
    view->count = base->offsets[slot + 1] - view->first;
    view->events = base->packed + view->first;
}

bool reader_reserve(struct history_reader *reader, uint32_t count)
{
    uint32_t capacity = reader->capacity, same = reader->capacity, also = reader->capacity;
    if (count <= capacity)
        return true;
    if (!array_reserve((void **)&reader->events, &capacity, count, sizeof(uint64_t)) ||
        !array_reserve((void **)&reader->seqs, &same, count, sizeof(uint64_t)) ||
        !array_reserve((void **)&reader->places, &also, count, sizeof(struct history_place)))
        return false;
    reader->capacity = capacity;
    return true;
}

/* Without memory nothing is shown, and said to be elsewhere. */
static void view_gathered(struct history_reader *reader, bool is_gathered, int64_t whole_from_ms,
                          struct history_view *view)
{
    const struct gather *gather = &reader->gather;
    *view = empty_view;
    view->complete = whole_from_ms == INT64_MIN;
    view->whole_from_ms = whole_from_ms;
    if (!is_gathered || !reader_reserve(reader, gather->count)) {
        view->complete = false;
        view->whole_from_ms = INT64_MAX;
        return;
    }
    for (uint32_t i = 0; i < gather->count; i++) {
        reader->events[i] = gather->events[i].packed;
        reader->seqs[i] = gather->events[i].seq;
        reader->places[i] = gather->events[i].place;
    }
    view->count = gather->count;
    view->events = reader->events;
    view->seqs = reader->seqs;
    view->places = reader->places;
}

static inline bool has_delta(const struct base *base, uint32_t slot)
{
    const struct delta *delta = base_delta(base);
    return delta != NULL && atomic_load_explicit(&delta->heads[slot], memory_order_acquire) != 0;
}

static void view_late(struct history_reader *reader, const struct base *base, uint32_t slot,
                      struct history_view *view)
{
    struct gather *gather = &reader->gather;
    gather->count = 0;
    bool is_gathered = gather_node(gather, base, slot);
    bool is_lost = !gather->is_forgotten && base_is_lost(base, slot);
    view_gathered(reader, is_gathered, is_lost ? base->cut_ms : INT64_MIN, view);
}

static inline void view_node(struct history_reader *reader, const struct base *base, uint32_t slot,
                             struct history_view *view)
{
    if (base == NULL)
        *view = empty_view;
    else if (has_delta(base, slot))
        view_late(reader, base, slot, view);
    else
        view_in_place(view, base, slot);
}

static bool gather_members(struct history_reader *reader, const uint32_t *nodes, uint32_t count,
                           int64_t *whole_from_ms)
{
    struct gather *gather = &reader->gather;
    uint32_t runs = 0;
    gather->count = 0;
    if (!array_reserve((void **)&reader->starts, &reader->starts_capacity, count, sizeof(uint32_t)))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct block *block = block_find(reader->history, nodes[i]);
        const struct base *base = block != NULL ? block_base(block) : NULL;
        uint32_t start = gather->count, slot = nodes[i] & BLOCK_MASK;
        if (base == NULL)
            continue;
        if (!gather_node(gather, base, slot))
            return false;
        if (!gather->is_forgotten && base_is_lost(base, slot) && base->cut_ms > *whole_from_ms)
            *whole_from_ms = base->cut_ms;
        if (gather->count > start)
            reader->starts[runs++] = start;
    }
    return runs < 2 || gather_merge(gather, reader->starts, runs);
}

static void view_group(struct history_reader *reader, uint32_t handle, struct history_view *view)
{
    const uint32_t *array = group_at(reader->history, handle);
    int64_t whole_from_ms = INT64_MIN;
    bool is_gathered = gather_members(reader, array + 1, array[0], &whole_from_ms);
    view_gathered(reader, is_gathered, whole_from_ms, view);
}

size_t history_nodes(const struct history_reader *reader, uint32_t customer, uint32_t *nodes,
                     size_t limit)
{
    const struct block *block = block_find(reader->history, customer);
    uint32_t word = block != NULL ? group_word(block, customer) : GROUP_ALONE;
    if (word == GROUP_MEMBER)
        return 0;
    if (word == GROUP_ALONE) {
        if (limit > 0)
            nodes[0] = customer;
        return 1;
    }
    const uint32_t *array = group_at(reader->history, word);
    for (uint32_t i = 0; i < array[0] && i < limit; i++)
        nodes[i] = array[i + 1];
    return array[0];
}

void history_view_customer(struct history_reader *reader, uint32_t customer,
                           struct history_view *view)
{
    const struct block *block = block_find(reader->history, customer);
    uint32_t word = block != NULL ? group_word(block, customer) : GROUP_ALONE;
    if (block == NULL || word == GROUP_MEMBER)
        *view = empty_view;
    else if (word != GROUP_ALONE)
        view_group(reader, word, view);
    else
        view_node(reader, block_base(block), customer & BLOCK_MASK, view);
    view->history = reader->history;
}

/* ---- everybody ---- */

/* ---- ahead of a scan ----
 *
 * A group's nodes lie anywhere: each is a chain of cache misses. While one customer is looked at, those some
 * places further on are fetched, a link of the chain at a time. */
#define AHEAD_ARRAY 24
#define AHEAD_OFFSETS 16
#define AHEAD_EVENTS 8
#define AHEAD_NODES 4u

static void fetch_node(const struct history *history, uint32_t node, bool with_events)
{
    const struct block *block = block_find(history, node);
    const struct base *base = block != NULL ? block_base(block) : NULL;
    uint32_t slot = node & BLOCK_MASK;
    if (base == NULL || base->offsets == NULL)
        return;
    if (!with_events) {
        const struct delta *delta = base_delta(base);
        __builtin_prefetch(&base->offsets[slot]);
        if (delta != NULL)
            __builtin_prefetch(&delta->heads[slot]);
        return;
    }
    uint32_t first = base->offsets[slot];
    __builtin_prefetch(&base->packed[first]);
    __builtin_prefetch(base->seqs + (size_t)first * base->seq_width);
}

static void fetch_group(const struct history *history, const struct block *block, uint32_t root,
                        int ahead)
{
    uint32_t word = group_word(block, root);
    if (word == GROUP_ALONE || word == GROUP_MEMBER)
        return;
    const uint32_t *array = group_at(history, word);
    if (ahead == AHEAD_ARRAY) {
        __builtin_prefetch(array);
        return;
    }
    uint32_t count = array[0] < AHEAD_NODES ? array[0] : AHEAD_NODES;
    for (uint32_t i = 1; i <= count; i++)
        fetch_node(history, array[i], ahead == AHEAD_EVENTS);
}

void view_fetch_ahead(const struct history *history, const struct block *block, uint32_t customer,
                      uint32_t end)
{
    static const int distances[] = { AHEAD_ARRAY, AHEAD_OFFSETS, AHEAD_EVENTS };
    for (unsigned i = 0; i < sizeof(distances) / sizeof(distances[0]); i++)
        if (customer + (uint32_t)distances[i] < end)
            fetch_group(history, block, customer + (uint32_t)distances[i], distances[i]);
}

static bool scan_block(struct history_reader *reader, uint32_t from, uint32_t to,
                       bool (*visit)(void *, uint32_t, const struct history_view *), void *context)
{
    const struct block *block = block_find(reader->history, from);
    const struct base *base = block != NULL ? block_base(block) : NULL;
    bool has_groups =
        block != NULL && atomic_load_explicit(&block->groups, memory_order_acquire) != NULL;
    struct history_view view;
    for (uint32_t customer = from; customer < to; customer++) {
        if (has_groups)
            view_fetch_ahead(reader->history, block, customer, to);
        uint32_t word = block != NULL ? group_word(block, customer) : GROUP_ALONE;
        if (word == GROUP_MEMBER)
            continue;
        if (word != GROUP_ALONE)
            view_group(reader, word, &view);
        else
            view_node(reader, base, customer & BLOCK_MASK, &view);
        view.history = reader->history;
        if (!visit(context, customer, &view))
            return false;
    }
    return true;
}

void history_scan(struct history_reader *reader, uint32_t from, uint32_t to,
                  bool (*visit)(void *context, uint32_t customer, const struct history_view *view),
                  void *context)
{
    uint64_t end = (uint64_t)history_node_count(reader->history) + 1;
    end = end < to ? end : to;
    for (uint64_t begin = from > 0 ? from : 1; begin < end;) {
        uint64_t next = (begin | BLOCK_MASK) + 1;
        next = next < end ? next : end;
        if (!scan_block(reader, (uint32_t)begin, (uint32_t)next, visit, context))
            return;
        begin = next;
    }
}

/* ---- values ---- */

static bool base_value(const struct base *base, uint32_t index, history_column column,
                       struct value_view *value)
{
    const struct piece *piece = column < base->piece_count ? base->pieces[column] : NULL;
    uint32_t rank = piece != NULL ? piece_rank(piece, index) : RANK_NONE;
    if (rank == RANK_NONE)
        return false;
    if (!piece->is_texts) {
        value->form = FORM_NUMBER;
        value->number = piece_number(piece, rank);
        return true;
    }
    uint32_t begin = rank > 0 ? piece->ends[rank - 1] : 0;
    value->form = FORM_CODES;
    value->codes = piece->codes + begin;
    value->code_count = piece->ends[rank] - begin;
    return true;
}

static const uint32_t *place_entry(struct history_place place)
{
    if (place.block->kind == BLOCK_DELTA)
        return words_at(&((const struct delta *)place.block)->words, place.index);
    const struct rows_block *rows = (const struct rows_block *)place.block;
    return words_at(&rows->words, rows->positions[place.index]);
}

bool place_value(struct history_place place, history_column column, struct value_view *value)
{
    if (place.block->kind == BLOCK_BASE)
        return base_value((const struct base *)place.block, place.index, column, value);
    const uint32_t *entry = place_entry(place);
    const uint32_t *at = entry + ENTRY_WORDS, *end = at + entry_value_words(entry);
    while (value_next(&at, end, value))
        if (value->column == column)
            return true;
    return false;
}

static inline struct history_place place_of(const struct history_view *view, size_t index)
{
    if (view->places != NULL)
        return view->places[index];
    return (struct history_place){ .block = view->block, .index = view->first + (uint32_t)index };
}

uint64_t history_seq(const struct history_view *view, size_t index)
{
    INVARIANT(index < view->count);
    if (view->seqs != NULL)
        return view->seqs[index];
    return base_seq((const struct base *)view->block, view->first + (uint32_t)index);
}

int64_t history_number(const struct history_view *view, size_t index, history_column column)
{
    struct value_view value;
    INVARIANT(index < view->count);
    if (!place_value(place_of(view, index), column, &value) || value.form == FORM_CODES)
        return HISTORY_MISSING;
    return value.number;
}

uint32_t history_code(const struct history_view *view, size_t index, history_column column)
{
    int64_t number = history_number(view, index, column);
    return number == HISTORY_MISSING ? 0 : (uint32_t)number;
}

size_t history_codes(const struct history_view *view, size_t index, history_column column,
                     const uint32_t **codes)
{
    struct value_view value;
    INVARIANT(index < view->count);
    if (!place_value(place_of(view, index), column, &value) || value.form != FORM_CODES)
        return 0;
    *codes = value.codes;
    return value.code_count;
}

str history_view_text(const struct history_view *view, history_column column, uint32_t code)
{
    if ((code & CODE_OWN) == 0 || view->block == NULL || view->block->kind != BLOCK_ROWS)
        return history_code_text(view->history, column, code);
    return dictionary_text(&((const struct rows_block *)view->block)->texts, code & ~CODE_OWN);
}
