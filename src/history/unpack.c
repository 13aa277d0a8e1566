/* SPDX-License-Identifier: Apache-2.0 */
/* unpack: a base out of the bytes that pack.c wrote, at start. What they say is checked: a block that cannot be right is
 * refused as a whole. */
#include "base/codec.h"
#include "history/pack.h"
#include "history/state.h"

#define LOCAL_NAMES_MAX HISTORY_TYPES_MAX

struct unpacking {
    struct history *history;
    struct cursor cursor;
    uint32_t number, event_count;
    const uint8_t *offsets, *packed;
    /* Where an event is in the new base, when somebody is left out; NULL: where it was. */
    uint32_t *map;
    uint64_t wanted[HISTORY_COLUMNS_MAX / 64]; /* columns whose values came */
    uint16_t types[LOCAL_NAMES_MAX + 1], type_count;
    uint16_t channels[LOCAL_NAMES_MAX + 1], channel_count;
    uint32_t *codes; /* of the texts of one column, by the block's numbers */
    uint32_t code_capacity;
    uint32_t *indices;
    uint32_t index_capacity;
    bool must_be_whole;
};
#define GONE UINT32_MAX

static uint32_t u32_at(const uint8_t *array, uint32_t index)
{
    uint32_t value;
    memcpy(&value, array + (size_t)index * sizeof(value), sizeof(value));
    return value;
}

/* ---- names ---- */

static err read_types(struct unpacking *unpacking)
{
    unpacking->type_count = read_u16(&unpacking->cursor);
    if (unpacking->type_count > LOCAL_NAMES_MAX)
        return ERR_CORRUPT;
    for (uint16_t i = 1; i <= unpacking->type_count; i++) {
        err error =
            type_number(unpacking->history, read_text(&unpacking->cursor), &unpacking->types[i]);
        if (error != ERR_OK || unpacking->cursor.failed)
            return error != ERR_OK ? error : ERR_CORRUPT;
    }
    return ERR_OK;
}

static err read_channels(struct unpacking *unpacking)
{
    unpacking->channel_count = read_u16(&unpacking->cursor);
    if (unpacking->channel_count > HISTORY_CHANNELS_MAX)
        return ERR_CORRUPT;
    for (uint16_t i = 1; i <= unpacking->channel_count; i++) {
        uint8_t channel = 0;
        err error = channel_number(unpacking->history, read_text(&unpacking->cursor), &channel);
        unpacking->channels[i] = channel;
        if (error != ERR_OK || unpacking->cursor.failed)
            return error != ERR_OK ? error : ERR_CORRUPT;
    }
    return ERR_OK;
}

/* ---- events ---- */

static bool spans_all(const struct unpacking *unpacking)
{
    if (u32_at(unpacking->offsets, 0) != 0 ||
        u32_at(unpacking->offsets, BLOCK_NODES) != unpacking->event_count)
        return false;
    for (uint32_t slot = 0; slot < BLOCK_NODES; slot++)
        if (u32_at(unpacking->offsets, slot) > u32_at(unpacking->offsets, slot + 1))
            return false;
    return true;
}

static bool push_event(struct unpacking *unpacking, uint32_t index, uint64_t seq)
{
    uint64_t packed = load64(unpacking->packed + (size_t)index * sizeof(uint64_t));
    uint16_t type = history_packed_type(packed);
    uint8_t channel = history_packed_channel(packed);
    if (type > unpacking->type_count || channel > unpacking->channel_count)
        return false;
    return builder_push(&unpacking->history->builder,
                        packed >> 20 << 20 | (uint64_t)unpacking->types[type] << 8 |
                            unpacking->channels[channel],
                        seq);
}

struct packed_seqs {
    const uint8_t *bytes, *end;
    uint64_t least;
    uint8_t width;
};

static uint64_t seq_at(const struct packed_seqs *seqs, uint32_t index)
{
    const uint8_t *at = seqs->bytes + (size_t)index * seqs->width;
    uint64_t value = 0;
    if ((size_t)(seqs->end - at) >= sizeof(value))
        return seqs->least + (load64(at) & mask_of(seqs->width));
    memcpy(&value, at, seqs->width);
    return seqs->least + value;
}

static err take_events(struct unpacking *unpacking, const struct packed_seqs *seqs,
                       history_is_out is_out, void *context)
{
    struct builder *builder = &unpacking->history->builder;
    uint32_t first = unpacking->number << BLOCK_BITS;
    if (!builder_reserve(builder, unpacking->event_count))
        return ERR_NOMEM;
    for (uint32_t slot = 0; slot < BLOCK_NODES; slot++) {
        uint32_t begin = u32_at(unpacking->offsets, slot);
        uint32_t end = u32_at(unpacking->offsets, slot + 1);
        builder->offsets[slot] = builder->count;
        bool out = begin < end && is_out != NULL && is_out(context, first + slot);
        for (uint32_t i = begin; i < end; i++) {
            unpacking->map[i] = out ? GONE : builder->count;
            if (!out && !push_event(unpacking, i, seq_at(seqs, i)))
                return ERR_CORRUPT;
        }
        if (!out && begin < end)
            node_seen(unpacking->history, first + slot);
    }
    builder->offsets[BLOCK_NODES] = builder->count;
    return ERR_OK;
}

static err read_events(struct unpacking *unpacking, history_is_out is_out, void *context)
{
    struct cursor *cursor = &unpacking->cursor;
    struct packed_seqs seqs;
    err error = read_types(unpacking);
    if (error == ERR_OK)
        error = read_channels(unpacking);
    if (error != ERR_OK)
        return error;
    unpacking->offsets = cursor_take(cursor, (BLOCK_NODES + 1) * sizeof(uint32_t));
    unpacking->packed = cursor_take(cursor, (size_t)unpacking->event_count * sizeof(uint64_t));
    seqs.least = read_u64(cursor);
    seqs.width = read_u8(cursor);
    if (cursor->failed || seqs.width > sizeof(uint64_t))
        return ERR_CORRUPT;
    seqs.bytes = cursor_take(cursor, (size_t)unpacking->event_count * seqs.width);
    seqs.end = cursor->end;
    if (cursor->failed || !spans_all(unpacking))
        return ERR_CORRUPT;
    return take_events(unpacking, &seqs, is_out, context);
}

/* ---- columns ---- */

static bool read_bits(struct unpacking *unpacking, uint32_t count)
{
    uint32_t found = 0;
    size_t words = ((size_t)unpacking->event_count + 63) / 64;
    const uint8_t *bytes = cursor_take(&unpacking->cursor, words * sizeof(uint64_t));
    for (size_t word = 0; bytes != NULL && word < words; word++)
        for (uint64_t bits = load64(bytes + word * sizeof(uint64_t)); bits != 0; bits &= bits - 1) {
            uint32_t index = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
            if (found == count || index >= unpacking->event_count)
                return false;
            unpacking->indices[found++] = index;
        }
    return found == count;
}

static bool read_list(struct unpacking *unpacking, uint32_t count)
{
    const uint8_t *bytes = cursor_take(&unpacking->cursor, (size_t)count * sizeof(uint32_t));
    for (uint32_t i = 0; bytes != NULL && i < count; i++) {
        unpacking->indices[i] = u32_at(bytes, i);
        if (unpacking->indices[i] >= unpacking->event_count ||
            (i > 0 && unpacking->indices[i] <= unpacking->indices[i - 1]))
            return false;
    }
    return bytes != NULL;
}

/* Which events have a value, into `indices`. */
static err read_presence(struct unpacking *unpacking, uint32_t count)
{
    if (count > unpacking->event_count)
        return ERR_CORRUPT;
    if (!array_reserve((void **)&unpacking->indices, &unpacking->index_capacity, count + 1,
                       sizeof(uint32_t)))
        return ERR_NOMEM;
    switch ((enum packed_presence)read_u8(&unpacking->cursor)) {
    case PACKED_ALL:
        for (uint32_t i = 0; i < count; i++)
            unpacking->indices[i] = i;
        return count == unpacking->event_count ? ERR_OK : ERR_CORRUPT;
    case PACKED_LIST:
        return read_list(unpacking, count) ? ERR_OK : ERR_CORRUPT;
    case PACKED_BITS:
        return read_bits(unpacking, count) ? ERR_OK : ERR_CORRUPT;
    }
    return ERR_CORRUPT;
}

static uint32_t new_index(const struct unpacking *unpacking, uint32_t at)
{
    return unpacking->map[unpacking->indices[at]];
}

static err take_numbers(struct unpacking *unpacking, uint32_t count, struct stage *stage)
{
    struct packed_seqs values = { .least = read_u64(&unpacking->cursor) };
    values.width = read_u8(&unpacking->cursor);
    if (unpacking->cursor.failed || values.width > sizeof(uint64_t))
        return ERR_CORRUPT;
    values.bytes = cursor_take(&unpacking->cursor, (size_t)count * values.width);
    values.end = unpacking->cursor.end;
    if (values.bytes == NULL)
        return ERR_CORRUPT;
    if (!stage_reserve(stage, count))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        if (new_index(unpacking, i) != GONE)
            (void)stage_number(stage, new_index(unpacking, i), (int64_t)seq_at(&values, i));
    return ERR_OK;
}

/* The block's texts, by codes of the column's dictionary; 0 for one that the column cannot take any more. */
static err read_codes(struct unpacking *unpacking, history_column column, uint32_t *text_count)
{
    *text_count = read_u32(&unpacking->cursor);
    if (*text_count > cursor_left(&unpacking->cursor))
        return ERR_CORRUPT;
    if (!array_reserve((void **)&unpacking->codes, &unpacking->code_capacity, *text_count + 1,
                       sizeof(uint32_t)))
        return ERR_NOMEM;
    for (uint32_t i = 1; i <= *text_count; i++) {
        str text = read_text(&unpacking->cursor);
        err error = unpacking->cursor.failed
                        ? ERR_CORRUPT
                        : column_code(unpacking->history, column, text, &unpacking->codes[i]);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

static err take_codes(struct unpacking *unpacking, uint32_t count, history_column column,
                      struct stage *stage)
{
    uint32_t text_count;
    err error = read_codes(unpacking, column, &text_count);
    const uint8_t *numbers =
        error == ERR_OK ? cursor_take(&unpacking->cursor, (size_t)count * sizeof(uint32_t)) : NULL;
    if (numbers == NULL)
        return error != ERR_OK ? error : ERR_CORRUPT;
    if (!stage_reserve(stage, count))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = u32_at(numbers, i);
        if (number == 0 || number > text_count)
            return ERR_CORRUPT;
        if (new_index(unpacking, i) != GONE && unpacking->codes[number] != 0)
            (void)stage_number(stage, new_index(unpacking, i), unpacking->codes[number]);
    }
    return ERR_OK;
}

/* One event's texts, those that the column took. */
static err take_list(struct unpacking *unpacking, const uint8_t *numbers, uint32_t begin,
                     uint32_t end, uint32_t text_count, uint32_t index, struct stage *stage)
{
    struct value_words *room = &unpacking->history->values;
    room->count = 0;
    uint32_t *codes = value_words_room(room, end - begin + 1), count = 0;
    if (codes == NULL)
        return ERR_NOMEM;
    for (uint32_t i = begin; i < end; i++) {
        uint32_t number = u32_at(numbers, i);
        if (number == 0 || number > text_count)
            return ERR_CORRUPT;
        if (unpacking->codes[number] != 0)
            codes[count++] = unpacking->codes[number];
    }
    if (index == GONE || count == 0)
        return ERR_OK;
    return stage_codes(stage, index, codes, count) ? ERR_OK : ERR_NOMEM;
}

static err take_lists(struct unpacking *unpacking, uint32_t count, history_column column,
                      struct stage *stage)
{
    uint32_t text_count;
    err error = read_codes(unpacking, column, &text_count);
    if (error != ERR_OK)
        return error;
    const uint8_t *ends = cursor_take(&unpacking->cursor, (size_t)count * sizeof(uint32_t));
    uint32_t total = ends != NULL && count > 0 ? u32_at(ends, count - 1) : 0;
    const uint8_t *numbers = cursor_take(&unpacking->cursor, (size_t)total * sizeof(uint32_t));
    if (ends == NULL || numbers == NULL)
        return ERR_CORRUPT;
    for (uint32_t i = 0, begin = 0; i < count && error == ERR_OK; i++) {
        uint32_t end = u32_at(ends, i);
        if (end <= begin || end > total)
            return ERR_CORRUPT;
        error =
            take_list(unpacking, numbers, begin, end, text_count, new_index(unpacking, i), stage);
        begin = end;
    }
    return error;
}

static err read_values(struct unpacking *unpacking, history_column column, enum column_kind kind,
                       struct stage *stage)
{
    uint32_t count = read_u32(&unpacking->cursor);
    if (count == 0)
        return unpacking->cursor.failed ? ERR_CORRUPT : ERR_OK;
    err error = read_presence(unpacking, count);
    if (error != ERR_OK)
        return error;
    if (kind == COLUMN_TEXTS)
        return take_lists(unpacking, count, column, stage);
    return kind == COLUMN_TEXT ? take_codes(unpacking, count, column, stage)
                               : take_numbers(unpacking, count, stage);
}

static void note_wanted(struct unpacking *unpacking, history_column column)
{
    unpacking->wanted[(column - 1) / 64] |= UINT64_C(1) << ((column - 1) & 63);
}

/* A column that nobody asks for any more is stepped over. */
static err read_column(struct unpacking *unpacking)
{
    struct history *history = unpacking->history;
    struct cursor *all = &unpacking->cursor;
    str path = read_text(all);
    enum column_kind kind = (enum column_kind)read_u8(all);
    enum packed_state state = (enum packed_state)read_u8(all);
    uint32_t length = read_u32(all);
    struct cursor after = *all, own = cursor_over(read_bytes(&after, length));
    err error = ERR_OK;
    if (after.failed || kind > COLUMN_TEXTS || state > PACKED_FULL)
        return ERR_CORRUPT;
    history_column column = history_column_find(history, path, kind);
    *all = own;
    if (column != 0 && state == PACKED_WHOLE) {
        note_wanted(unpacking, column);
        error = read_values(unpacking, column, kind, &history->builder.stages[column - 1]);
    } else if (column != 0 && state == PACKED_FULL && read_u64(all) == history->text_bytes_max) {
        note_wanted(unpacking, column);
        column_set_full(history, column);
    }
    if (error == ERR_OK && unpacking->cursor.failed)
        error = ERR_CORRUPT;
    *all = after;
    return error;
}

static err read_columns(struct unpacking *unpacking)
{
    uint32_t count = read_u16(&unpacking->cursor);
    err error = count <= HISTORY_COLUMNS_MAX ? ERR_OK : ERR_CORRUPT;
    for (uint32_t i = 0; i < count && error == ERR_OK; i++)
        error = read_column(unpacking);
    return error;
}

/* ---- a block ---- */

/* What was cut off for a smaller budget than today's is asked for anew. */
static err read_lost(struct unpacking *unpacking)
{
    struct history *history = unpacking->history;
    struct builder *builder = &history->builder;
    if (read_u8(&unpacking->cursor) == 0)
        return ERR_OK;
    uint64_t budget = read_u64(&unpacking->cursor);
    builder->cut_ms = read_i64(&unpacking->cursor);
    builder->is_restored = read_u8(&unpacking->cursor) != 0;
    const uint8_t *lost = cursor_take(&unpacking->cursor, BLOCK_NODES / 8);
    if (lost == NULL)
        return ERR_CORRUPT;
    memcpy(builder->lost, lost, BLOCK_NODES / 8);
    return budget < history->memory_bytes_max ? ERR_UNSUPPORTED : ERR_OK;
}

static void leave_out_lost(struct unpacking *unpacking, history_is_out is_out, void *context)
{
    uint64_t *lost = unpacking->history->builder.lost;
    uint32_t first = unpacking->number << BLOCK_BITS;
    for (uint32_t slot = 0; slot < BLOCK_NODES; slot++) {
        if ((lost[slot >> 6] >> (slot & 63) & 1) == 0)
            continue;
        if (is_out != NULL && is_out(context, first + slot))
            lost[slot >> 6] &= ~(UINT64_C(1) << (slot & 63));
        else
            node_seen(unpacking->history, first + slot);
    }
}

static bool lacks_any(const struct unpacking *unpacking)
{
    const uint64_t *wanted = unpacking->wanted;
    for (history_column i = 0; i < unpacking->history->loading.columns; i++)
        if ((wanted[i / 64] >> (i & 63) & 1) == 0)
            return true;
    return false;
}

static err read_block(struct unpacking *unpacking, history_is_out is_out, void *context)
{
    struct builder *builder = &unpacking->history->builder;
    builder_clear(builder);
    memset(builder->offsets, 0, sizeof(builder->offsets));
    unpacking->event_count = read_u32(&unpacking->cursor);
    if (unpacking->event_count > cursor_left(&unpacking->cursor) / sizeof(uint64_t))
        return ERR_CORRUPT;
    unpacking->map = memory_resize(NULL, ((size_t)unpacking->event_count + 1) * sizeof(uint32_t));
    err error = unpacking->map != NULL ? read_lost(unpacking) : ERR_NOMEM;
    if (error == ERR_OK && unpacking->event_count > 0)
        error = read_events(unpacking, is_out, context);
    if (error == ERR_OK)
        error = read_columns(unpacking);
    if (error == ERR_OK && cursor_left(&unpacking->cursor) > 0)
        error = ERR_CORRUPT;
    if (error == ERR_OK && unpacking->must_be_whole && lacks_any(unpacking))
        error = ERR_UNSUPPORTED;
    if (error == ERR_OK)
        leave_out_lost(unpacking, is_out, context);
    return error;
}

err history_unpack(struct history *history, uint32_t number, str bytes, bool must_be_whole,
                   history_is_out is_out, void *context, uint64_t *serial)
{
    struct loading *loading = &history->loading;
    struct unpacking *unpacking = memory_alloc(sizeof(*unpacking));
    INVARIANT(loading->is_on && loading->node == 0);
    if (unpacking == NULL)
        return ERR_NOMEM;
    unpacking->history = history;
    unpacking->number = number;
    unpacking->must_be_whole = must_be_whole;
    unpacking->cursor = cursor_over(bytes);
    err error = read_block(unpacking, is_out, context);
    if (error == ERR_OK)
        error = load_install(history, number, serial);
    if (error == ERR_OK && lacks_any(unpacking))
        *serial = 0; /* what it lacks is to be packed, too */
    for (unsigned i = 0; i < HISTORY_COLUMNS_MAX / 64 && error == ERR_OK; i++)
        loading->lacking[i] |= ~unpacking->wanted[i];
    builder_clear(&history->builder);
    memory_free(unpacking->map);
    memory_free(unpacking->codes);
    memory_free(unpacking->indices);
    memory_free(unpacking);
    return error;
}
