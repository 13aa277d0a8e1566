/* SPDX-License-Identifier: Apache-2.0 */
/* restore: what went over the budget comes back from the warehouse, for a customer of whom it is needed. */
#include <stdlib.h>

#include "history/state.h"

/* What a node has, in the order of seq. */
struct known_seqs {
    uint64_t *seqs;
    uint32_t count, capacity;
};

static int compare_seqs(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static bool know_seqs(struct known_seqs *known, struct gather *gather, const struct base *base,
                      uint32_t slot)
{
    gather->count = 0;
    if (!gather_node(gather, base, slot) || !array_reserve((void **)&known->seqs, &known->capacity,
                                                           gather->count + 1, sizeof(uint64_t)))
        return false;
    for (uint32_t i = 0; i < gather->count; i++)
        known->seqs[i] = gather->events[i].seq;
    known->count = gather->count;
    if (known->count > 1)
        qsort(known->seqs, known->count, sizeof(uint64_t), compare_seqs);
    return true;
}

static bool knows_seq(const struct known_seqs *known, uint64_t seq)
{
    return known->count > 0 &&
           bsearch(&seq, known->seqs, known->count, sizeof(uint64_t), compare_seqs) != NULL;
}

err push_row(struct history *history, struct block *block, const struct history_row *row)
{
    uint16_t type;
    uint8_t channel;
    err error = type_number(history, row->type, &type);
    if (error == ERR_OK)
        error = channel_number(history, row->channel, &channel);
    history->values.count = 0;
    for (uint32_t i = 0; i < row->value_count && error == ERR_OK; i++)
        error = values_put(history, &history->values, &row->values[i]);
    if (error != ERR_OK)
        return error;
    struct delta *delta = delta_make(history, block);
    if (delta == NULL)
        return ERR_NOMEM;
    error = delta_push(history, row->node, delta, ENTRY_EVENT, pack(row->time_ms, type, channel),
                       row->seq, &history->values);
    if (error == ERR_OK)
        history_count_events(history, 1);
    return error;
}

/* Rows of one node. What the delta says of an event is newer than the rows. */
static err restore_node(struct history *history, struct block *block, struct known_seqs *known,
                        const struct history_row *rows, size_t count)
{
    struct gather gather = { .count = 0 };
    uint32_t slot = rows[0].node & BLOCK_MASK;
    err error = know_seqs(known, &gather, block_base(block), slot) ? ERR_OK : ERR_NOMEM;
    bool is_forgotten = gather.is_forgotten;
    gather_free(&gather);
    for (size_t i = 0; i < count && error == ERR_OK && !is_forgotten; i++) {
        const struct delta *delta = base_delta(block_base(block));
        if (knows_seq(known, rows[i].seq) ||
            (delta != NULL && delta_word(delta, slot, rows[i].seq) != ENTRY_NONE))
            continue;
        error = push_row(history, block, &rows[i]);
    }
    return error;
}

/* Nodes of one block; their rows stand in [*at, …) of all. */
static err restore_block(struct history *history, const uint32_t *nodes, size_t node_count,
                         const struct history_row *rows, size_t row_count, size_t *at)
{
    struct block *block = block_find(history, nodes[0]);
    struct known_seqs known = { .count = 0 };
    uint64_t found[BLOCK_NODES / 64] = { 0 };
    err error = ERR_OK;
    for (size_t i = 0; i < node_count && error == ERR_OK; i++) {
        uint32_t slot = nodes[i] & BLOCK_MASK;
        while (*at < row_count && rows[*at].node < nodes[i])
            (*at)++;
        size_t end = *at;
        while (end < row_count && rows[end].node == nodes[i])
            end++;
        if (block != NULL && block_base(block) != NULL && base_is_lost(block_base(block), slot)) {
            found[slot >> 6] |= UINT64_C(1) << (slot & 63);
            if (end > *at)
                error = restore_node(history, block, &known, rows + *at, end - *at);
        }
        *at = end;
    }
    memory_free(known.seqs);
    return error == ERR_OK && block != NULL
               ? block_rebuild_found(history, nodes[0] >> BLOCK_BITS, 0, found)
               : error;
}

err history_restore(struct history *history, const uint32_t *nodes, size_t node_count,
                    const struct history_row *rows, size_t row_count)
{
    INVARIANT(!history->loading.is_on);
    err error = ERR_OK;
    size_t at = 0;
    for (size_t begin = 0, end; begin < node_count && error == ERR_OK; begin = end) {
        end = begin + 1;
        while (end < node_count && nodes[end] >> BLOCK_BITS == nodes[begin] >> BLOCK_BITS)
            end++;
        error = restore_block(history, nodes + begin, end - begin, rows, row_count, &at);
    }
    retire_collect(history);
    return error;
}
