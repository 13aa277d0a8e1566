/* SPDX-License-Identifier: Apache-2.0 */
/* check: the walker of everything, and the digest of what a history says. Engine thread. */
#include "base/digest.h"
#include "history/state.h"

struct walk {
    const struct history *history;
    struct problem *problem;
    uint32_t node;
    uint64_t events, members, grouped;
    struct gather gather;
};

static err wrong(const struct walk *walk, const char *what)
{
    return problem_set(walk->problem, ERR_CORRUPT, "history of node %u: %s", walk->node, what);
}

/* ---- bases ---- */

static err check_texts(const struct walk *walk, const struct piece *piece, uint32_t code_count)
{
    uint32_t begin = 0;
    for (uint32_t rank = 0; rank < piece->count; rank++) {
        if (piece->ends[rank] <= begin)
            return wrong(walk, "a list of texts without an end after its begin");
        for (uint32_t i = begin; i < piece->ends[rank]; i++)
            if (piece->codes[i] == 0 || piece->codes[i] > code_count)
                return wrong(walk, "a text that the dictionary does not have");
        begin = piece->ends[rank];
    }
    return ERR_OK;
}

static err check_piece(const struct walk *walk, const struct base *base, history_column column)
{
    const struct piece *piece = base->pieces[column];
    uint32_t before = UINT32_MAX;
    uint32_t *indices = memory_alloc((size_t)piece->count * sizeof(*indices));
    uint32_t codes = history_code_count(walk->history, column);
    enum column_kind kind = column_at(walk->history, column)->kind;
    const char *defect = NULL;
    if (indices == NULL)
        return ERR_NOMEM;
    piece_indices(piece, indices);
    for (uint32_t rank = 0; rank < piece->count; rank++) {
        uint32_t index = indices[rank];
        if (index >= base->event_count || (before != UINT32_MAX && index <= before))
            defect = "a column's events are not in order";
        else if (piece_rank(piece, index) != rank)
            defect = "a column finds another value than it has";
        else if (kind == COLUMN_TEXT &&
                 (piece_number(piece, rank) < 1 || piece_number(piece, rank) > codes))
            defect = "a text that the dictionary does not have";
        before = index;
    }
    memory_free(indices);
    if (defect != NULL)
        return wrong(walk, defect);
    if (piece->is_texts != (kind == COLUMN_TEXTS))
        return wrong(walk, "a column of another kind");
    return piece->is_texts ? check_texts(walk, piece, codes) : ERR_OK;
}

static err check_base(const struct walk *walk, const struct base *base)
{
    if (base->block.kind != BLOCK_BASE)
        return wrong(walk, "its base is no base");
    if (base->offsets == NULL)
        return base->event_count == 0 ? ERR_OK : wrong(walk, "its base has events and no offsets");
    if (base->offsets[0] != 0 || base->offsets[BLOCK_NODES] != base->event_count)
        return wrong(walk, "offsets do not span its base");
    for (uint32_t slot = 0; slot < BLOCK_NODES; slot++)
        if (base->offsets[slot] > base->offsets[slot + 1])
            return wrong(walk, "offsets fall");
    for (uint32_t column = 1; column < base->piece_count; column++) {
        err error =
            base->pieces[column] != NULL ? check_piece(walk, base, (history_column)column) : ERR_OK;
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

/* ---- nodes ---- */

static err check_event(const struct walk *walk, const struct gathered *event,
                       const struct gathered *before)
{
    uint16_t type = history_packed_type(event->packed);
    uint8_t channel = history_packed_channel(event->packed);
    if (before != NULL && !event_is_before(before->packed, before->seq, event->packed, event->seq))
        return wrong(walk, "events not in the order of time and seq, or one twice");
    if (type > dictionary_count(&walk->history->types) && type != HISTORY_TYPE_OTHER)
        return wrong(walk, "an event type without a name");
    if (channel > dictionary_count(&walk->history->channels) && channel != HISTORY_CHANNEL_OTHER)
        return wrong(walk, "a channel without a name");
    return ERR_OK;
}

static err check_events(struct walk *walk, const struct base *base)
{
    struct gather *gather = &walk->gather;
    gather->count = 0;
    if (!gather_node(gather, base, walk->node & BLOCK_MASK))
        return ERR_NOMEM;
    if (gather->count > 0 && walk->node > history_node_count(walk->history))
        return wrong(walk, "events beyond the highest node");
    for (uint32_t i = 0; i < gather->count; i++) {
        err error = check_event(walk, &gather->events[i], i > 0 ? &gather->events[i - 1] : NULL);
        if (error != ERR_OK)
            return error;
    }
    walk->events += gather->count;
    return ERR_OK;
}

static err check_group(struct walk *walk, const struct block *block)
{
    uint32_t word = group_word(block, walk->node);
    if (word == GROUP_ALONE)
        return ERR_OK;
    if (word == GROUP_MEMBER) {
        walk->members++;
        return ERR_OK;
    }
    const uint32_t *array = group_at(walk->history, word);
    if (array[0] < 2 || array[1] != walk->node)
        return wrong(walk, "its group does not begin with it");
    for (uint32_t i = 2; i <= array[0]; i++) {
        const struct block *other = block_find(walk->history, array[i]);
        if (other == NULL || group_word(other, array[i]) != GROUP_MEMBER)
            return wrong(walk, "somebody of its group stands for herself");
    }
    walk->grouped += array[0] - 1;
    return ERR_OK;
}

static err check_block(struct walk *walk, uint32_t first, const struct block *block)
{
    const struct base *base = block_base(block);
    bool has_groups = atomic_load_explicit(&block->groups, memory_order_acquire) != NULL;
    walk->node = first;
    if (base == NULL && !has_groups)
        return ERR_OK;
    err error = base != NULL ? check_base(walk, base) : ERR_OK;
    for (uint32_t slot = 0; slot < BLOCK_NODES && error == ERR_OK; slot++) {
        walk->node = first + slot;
        if (base != NULL)
            error = check_events(walk, base);
        if (error == ERR_OK)
            error = check_group(walk, block);
    }
    return error;
}

err history_check(const struct history *history, struct problem *problem)
{
    struct walk walk = { .history = history, .problem = problem };
    err error = ERR_OK;
    uint32_t blocks = (history_node_count(history) >> BLOCK_BITS) + 1;
    for (uint32_t i = 0; i < blocks && error == ERR_OK; i++) {
        const struct block *block = block_find(history, i << BLOCK_BITS);
        if (block != NULL)
            error = check_block(&walk, i << BLOCK_BITS, block);
    }
    if (error == ERR_OK && walk.events != history_event_count(history))
        error = problem_set(problem, ERR_CORRUPT, "history counts %llu events and has %llu",
                            (unsigned long long)history_event_count(history),
                            (unsigned long long)walk.events);
    if (error == ERR_OK && walk.members != walk.grouped)
        error = problem_set(problem, ERR_CORRUPT, "history has %llu members of groups of %llu",
                            (unsigned long long)walk.members, (unsigned long long)walk.grouped);
    gather_free(&walk.gather);
    return error;
}

/* ---- digest ---- */

static uint64_t text_hash(str text)
{
    return hash_bytes64(text.data, text.size, 1);
}

static uint64_t value_hash(const struct history *history, history_column column,
                           const struct value_view *value)
{
    const struct column *of = column_at(history, column);
    uint64_t hash = text_hash(of->path) + of->kind;
    if (value->form == FORM_CODES) {
        for (uint32_t i = 0; i < value->code_count; i++)
            hash =
                hash_mix64(hash + text_hash(history_code_text(history, column, value->codes[i])));
        return hash;
    }
    if (column_is_text(of->kind))
        return hash_mix64(hash +
                          text_hash(history_code_text(history, column, (uint32_t)value->number)));
    return hash_mix64(hash + (uint64_t)value->number);
}

struct digest_row {
    uint64_t node, time_ms, seq, type, channel, values;
};

static void digest_event(const struct history *history, uint32_t node, const struct gathered *event,
                         bool values, struct digest *digest)
{
    struct digest_row row = {
        .node = node,
        .time_ms = (uint64_t)history_time_ms(event->packed),
        .seq = event->seq,
        .type = text_hash(history_type_name(history, history_packed_type(event->packed))),
        .channel = text_hash(history_channel_name(history, history_packed_channel(event->packed))),
    };
    uint32_t columns =
        values ? atomic_load_explicit(&history->column_count, memory_order_acquire) : 0;
    for (history_column column = 1; column <= columns; column++) {
        struct value_view value;
        if (history_column_is_ready(history, column) && place_value(event->place, column, &value))
            row.values += value_hash(history, column, &value);
    }
    digest_add(digest, &row, sizeof(row));
}

static void digest_block(const struct history *history, uint32_t first, const struct base *base,
                         bool values, struct gather *gather, struct digest *digest)
{
    for (uint32_t slot = 0; slot < BLOCK_NODES; slot++) {
        gather->count = 0;
        /* Without memory there is no digest: better none than a wrong one. */
        INVARIANT(gather_node(gather, base, slot));
        for (uint32_t i = 0; i < gather->count; i++)
            digest_event(history, first + slot, &gather->events[i], values, digest);
    }
}

static void digest_all(const struct history *history, bool values, struct digest *digest)
{
    struct gather gather = { .count = 0 };
    uint32_t blocks = (history_node_count(history) >> BLOCK_BITS) + 1;
    for (uint32_t i = 0; i < blocks; i++) {
        const struct block *block = block_find(history, i << BLOCK_BITS);
        const struct base *base = block != NULL ? block_base(block) : NULL;
        if (base != NULL)
            digest_block(history, i << BLOCK_BITS, base, values, &gather, digest);
    }
    gather_free(&gather);
}

void history_digest(const struct history *history, struct digest *digest)
{
    digest_all(history, true, digest);
}

void history_digest_events(const struct history *history, struct digest *digest)
{
    digest_all(history, false, digest);
}
