/* SPDX-License-Identifier: Apache-2.0 */
/* load: bases from rows in order, at start; and a column's values brought later. */
#include "history/state.h"

/* ---- all at start ---- */

err history_load_begin(struct history *history)
{
    INVARIANT(!history->loading.is_on);
    if (history_event_count(history) > 0)
        return ERR_CONFLICT;
    builder_clear(&history->builder);
    history->loading = (struct loading){
        .is_on = true,
        .columns =
            (history_column)atomic_load_explicit(&history->column_count, memory_order_relaxed),
    };
    return ERR_OK;
}

static void end_nodes(struct history *history, uint32_t slot)
{
    struct loading *loading = &history->loading;
    while (loading->slot <= slot)
        history->builder.offsets[loading->slot++] = history->builder.count;
}

static bool *is_unpacked(const struct history *history, uint32_t number)
{
    struct leaf *leaf =
        atomic_load_explicit(&history->leaves[number >> LEAF_BITS], memory_order_relaxed);
    return leaf != NULL ? &leaf->is_unpacked[number & (LEAF_BLOCKS - 1)] : NULL;
}

static void keep_to_budget(struct history *history)
{
    while (history_live_bytes(history) > history->memory_bytes_max && history_shrink_once(history))
        retire_collect(history);
}

err load_install(struct history *history, uint32_t number, uint64_t *serial)
{
    struct block *block = block_make(history, number << BLOCK_BITS);
    if (block == NULL)
        return ERR_NOMEM;
    INVARIANT(block_base(block) == NULL || block_base(block)->event_count == 0);
    err error = retire_reserve(history, 1);
    struct base *base = error == ERR_OK ? base_build(history, &history->builder) : NULL;
    if (base == NULL)
        return ERR_NOMEM;
    struct base *empty = block_base(block);
    atomic_store_explicit(&block->base, base, memory_order_release);
    if (empty != NULL)
        retire(history, base_destroy, empty, base_bytes(empty));
    block->delta = NULL;
    history_count_events(history, base->event_count);
    if (serial != NULL) {
        *serial = base->serial;
        *is_unpacked(history, number) = true;
    }
    keep_to_budget(history);
    builder_clear(&history->builder);
    return ERR_OK;
}

/* The block of the last row is whole. */
static err end_block(struct history *history)
{
    struct loading *loading = &history->loading;
    uint32_t number = loading->node >> BLOCK_BITS;
    if (loading->node == 0)
        return ERR_OK;
    end_nodes(history, BLOCK_NODES);
    loading->node = 0;
    loading->slot = 0;
    return load_install(history, number, NULL);
}

static err stage_texts(struct history *history, struct stage *stage, uint32_t index,
                       const struct history_value *value)
{
    history->values.count = 0;
    err error = values_put(history, &history->values, value);
    if (error != ERR_OK || history->values.count == 0)
        return error;
    const uint32_t *words = history->values.words;
    return stage_codes(stage, index, words + 2, words[1]) ? ERR_OK : ERR_NOMEM;
}

/* One value of the event `index` into the stage of its column. */
static err stage_row_value(struct history *history, struct stage *stage, uint32_t index,
                           const struct history_value *value)
{
    int64_t number = value->number;
    enum column_kind kind = history->columns[value->column - 1].kind;
    if (stage->count > 0 && stage->indices[stage->count - 1] == index)
        return ERR_OK; /* said twice: the first counts */
    if (kind == COLUMN_TEXTS)
        return stage_texts(history, stage, index, value);
    if (kind == COLUMN_TEXT) {
        uint32_t code;
        err error = column_code(history, value->column, value->text, &code);
        if (error != ERR_OK || code == 0)
            return error;
        number = code;
    } else if (number == HISTORY_MISSING) {
        return ERR_OK;
    }
    return stage_number(stage, index, number) ? ERR_OK : ERR_NOMEM;
}

static bool is_in_order(const struct loading *loading, uint32_t node, uint64_t packed, uint64_t seq)
{
    return node > loading->node ||
           (node == loading->node && event_is_before(loading->packed, loading->seq, packed, seq));
}

/* A block that was packed has its last row. Much that came on top is merged at once: what waits takes twice the memory, and
 * after a flood that is nearly everything. */
static err end_late(struct history *history)
{
    uint32_t node = history->loading.late;
    history->loading.late = 0;
    const struct block *block = node != 0 ? block_find(history, node) : NULL;
    if (block == NULL || block->delta == NULL || block->delta->count < block->delta->limit)
        return ERR_OK;
    err error = block_rebuild(history, node >> BLOCK_BITS, 0);
    retire_collect(history);
    keep_to_budget(history);
    return error;
}

/* The rows of a block came after one another: what was begun in another is whole. */
static err end_others(struct history *history, uint32_t node)
{
    struct loading *loading = &history->loading;
    err error = ERR_OK;
    if (loading->node != 0 && loading->node >> BLOCK_BITS != node >> BLOCK_BITS)
        error = end_block(history);
    if (error == ERR_OK && loading->late != 0 && loading->late >> BLOCK_BITS != node >> BLOCK_BITS)
        error = end_late(history);
    return error;
}

/* On top of what a pack had. */
static err load_late(struct history *history, const struct history_row *row)
{
    err error = push_row(history, block_find(history, row->node), row);
    if (error != ERR_OK)
        return error;
    history->loading.late = row->node;
    node_seen(history, row->node);
    return ERR_OK;
}

err history_load_row(struct history *history, const struct history_row *row)
{
    struct loading *loading = &history->loading;
    struct builder *builder = &history->builder;
    uint16_t type;
    uint8_t channel;
    INVARIANT(loading->is_on);
    if (row->node == 0 || row->node < loading->highest)
        return ERR_INVALID;
    loading->highest = row->node;
    err error = end_others(history, row->node);
    if (error != ERR_OK)
        return error;
    const bool *unpacked = is_unpacked(history, row->node >> BLOCK_BITS);
    if (unpacked != NULL && *unpacked)
        return load_late(history, row);
    error = type_number(history, row->type, &type);
    if (error == ERR_OK)
        error = channel_number(history, row->channel, &channel);
    if (error != ERR_OK)
        return error;
    uint64_t packed = pack(row->time_ms, type, channel);
    if (loading->node != 0 && !is_in_order(loading, row->node, packed, row->seq))
        return ERR_INVALID;
    end_nodes(history, row->node & BLOCK_MASK);
    for (uint32_t i = 0; i < row->value_count && error == ERR_OK; i++)
        error = stage_row_value(history, &builder->stages[row->values[i].column - 1],
                                builder->count, &row->values[i]);
    if (error != ERR_OK || !builder_push(builder, packed, row->seq))
        return ERR_NOMEM;
    loading->node = row->node;
    loading->packed = packed;
    loading->seq = row->seq;
    node_seen(history, row->node);
    return ERR_OK;
}

bool history_load_lacks(const struct history *history, history_column column)
{
    const uint64_t *lacking = history->loading.lacking;
    return (lacking[(column - 1) / 64] >> ((column - 1) & 63) & 1) != 0;
}

err history_load_end(struct history *history)
{
    struct loading *loading = &history->loading;
    INVARIANT(loading->is_on);
    err error = end_block(history);
    if (error == ERR_OK)
        error = end_late(history);
    if (error != ERR_OK)
        return error;
    loading->is_on = false;
    for (history_column column = 1; column <= loading->columns; column++)
        if (!history_load_lacks(history, column))
            column_set_ready(history, column);
    retire_collect(history);
    return ERR_OK;
}

/* ---- a column later ---- */

/* The event's index in the base; RANK_NONE when it is not there. */
static uint32_t find_event(const struct base *base, const struct history_row *row)
{
    uint32_t slot = row->node & BLOCK_MASK;
    uint64_t packed = pack(row->time_ms, 0, 0);
    if (base->offsets == NULL)
        return RANK_NONE;
    uint32_t low = base->offsets[slot], end = base->offsets[slot + 1], high = end;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (event_is_before(base->packed[middle], base_seq(base, middle), packed, row->seq))
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && base_seq(base, low) == row->seq ? low : RANK_NONE;
}

/* What is there already stays; the new values go between. */
static err merge_fill(struct history *history, const struct base *base, history_column column,
                      const struct history_row *rows, size_t count, struct stage *out)
{
    const struct piece *piece = column < base->piece_count ? base->pieces[column] : NULL;
    uint32_t rank = 0, old_count = piece != NULL ? piece->count : 0;
    uint32_t *old = memory_resize(NULL, (size_t)old_count * sizeof(uint32_t));
    err error = old != NULL ? ERR_OK : ERR_NOMEM;
    stage_clear(out);
    if (error == ERR_OK && piece != NULL)
        piece_indices(piece, old);
    for (size_t i = 0; i <= count && error == ERR_OK; i++) {
        uint32_t index = i < count ? find_event(base, &rows[i]) : UINT32_MAX;
        if (i < count && index == RANK_NONE)
            continue;
        for (; rank < old_count && old[rank] <= index && error == ERR_OK; rank++)
            error = stage_old_value(out, old[rank], piece, rank) ? ERR_OK : ERR_NOMEM;
        for (uint32_t j = 0; i < count && j < rows[i].value_count && error == ERR_OK; j++)
            if (rows[i].values[j].column == column)
                error = stage_row_value(history, out, index, &rows[i].values[j]);
    }
    memory_free(old);
    return error;
}

/* A fill changes one piece: a new head takes over the run, the other pieces and the delta. */
static err put_piece(struct history *history, struct block *block, history_column column,
                     const struct stage *stage)
{
    struct base *base = block_base(block);
    struct piece *old = column < base->piece_count ? base->pieces[column] : NULL;
    if (stage->count == 0)
        return ERR_OK;
    if (retire_reserve(history, 2) != ERR_OK)
        return ERR_NOMEM;
    struct piece *piece =
        piece_new(history, history->columns[column - 1].kind, stage, base->event_count);
    struct base *next = piece != NULL ? base_with_piece(history, base, column, piece) : NULL;
    if (next == NULL) {
        piece_destroy(history, piece);
        return ERR_NOMEM;
    }
    atomic_store_explicit(&block->base, next, memory_order_release);
    /* What is in the run stays until the next base. */
    retire(history, base_destroy_head, base, base->apart_bytes);
    if (old != NULL)
        retire(history, piece_destroy, old, old->is_apart ? old->bytes : 0);
    return ERR_OK;
}

/* Whether an event that is to be filled came before the column and is still in the delta. */
static bool is_late(const struct delta *delta, const struct base *base,
                    const struct history_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (find_event(base, &rows[i]) == RANK_NONE &&
            delta_word(delta, rows[i].node & BLOCK_MASK, rows[i].seq) == ENTRY_EVENT)
            return true;
    return false;
}

static err fill_block(struct history *history, history_column column,
                      const struct history_row *rows, size_t count)
{
    struct stage *stage = &history->builder.stages[column - 1];
    struct block *block = block_find(history, rows[0].node);
    struct base *base = block != NULL ? block_base(block) : NULL;
    err error = ERR_OK;
    if (base == NULL)
        return ERR_OK;
    if (block->delta != NULL && is_late(block->delta, base, rows, count))
        error = block_rebuild(history, rows[0].node >> BLOCK_BITS, 0);
    if (error == ERR_OK)
        error = merge_fill(history, block_base(block), column, rows, count, stage);
    if (error == ERR_OK)
        error = put_piece(history, block, column, stage);
    stage_clear(stage);
    return error;
}

err history_fill_rows(struct history *history, history_column column,
                      const struct history_row *rows, size_t count)
{
    INVARIANT(!history->loading.is_on);
    for (size_t begin = 0, end; begin < count; begin = end) {
        end = begin + 1;
        while (end < count && rows[end].node >> BLOCK_BITS == rows[begin].node >> BLOCK_BITS)
            end++;
        err error = fill_block(history, column, rows + begin, end - begin);
        if (error != ERR_OK)
            return error;
    }
    retire_collect(history);
    return ERR_OK;
}

void history_fill_end(struct history *history, history_column column)
{
    column_set_ready(history, column);
}
