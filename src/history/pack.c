/* SPDX-License-Identifier: Apache-2.0 */
/* pack: a block's base as bytes, for history.pack; unpack.c reads them. Bytes: docs/formats/history-pack.md.
 *
 * Names and texts go with the block, by numbers of its own: a block that is written anew leaves nothing behind of who is no
 * longer in it, and dictionaries may be others after the next start. */
#include <stdlib.h>

#include "base/codec.h"
#include "base/digest.h"
#include "history/pack.h"
#include "history/state.h"

/* Texts of one column, by numbers of the block's own. */
struct numbering {
    uint32_t *slots; /* place in `codes`, and 1; 0: empty */
    uint32_t slot_count;
    uint32_t *codes; /* of the dictionary, by number - 1 */
    uint32_t count, capacity;
};

struct history_packer {
    struct history_reader *reader;
    uint32_t *indices;
    uint32_t index_capacity;
    uint64_t *words;
    uint32_t word_capacity;
    struct numbering texts;
};

err history_packer_new(struct history_packer **packer, struct history *history)
{
    struct history_packer *made = memory_alloc(sizeof(*made));
    if (made == NULL)
        return ERR_NOMEM;
    err error = history_reader_new(&made->reader, history);
    if (error == ERR_OK)
        *packer = made;
    else
        memory_free(made);
    return error;
}

void history_packer_free(struct history_packer **packer)
{
    struct history_packer *gone = *packer;
    *packer = NULL;
    if (gone == NULL)
        return;
    history_reader_free(&gone->reader);
    memory_free(gone->indices);
    memory_free(gone->words);
    memory_free(gone->texts.slots);
    memory_free(gone->texts.codes);
    memory_free(gone);
}

void history_packer_begin(struct history_packer *packer)
{
    history_read_begin(packer->reader);
}

void history_packer_end(struct history_packer *packer)
{
    history_read_end(packer->reader);
}

/* ---- what is there ---- */

uint32_t history_block_count(const struct history *history)
{
    uint32_t nodes = history_node_count(history);
    return nodes > 0 ? (nodes >> BLOCK_BITS) + 1 : 0;
}

bool history_block_changed(const struct history *history, uint32_t number, uint64_t serial)
{
    const struct block *block = block_find(history, number << BLOCK_BITS);
    const struct base *base = block != NULL ? block_base(block) : NULL;
    if (base == NULL)
        return false;
    return base->serial != serial || (block->delta != NULL && block->delta->count > 0);
}

static enum packed_state state_of(const struct history *history, history_column column)
{
    if (history_column_is_full(history, column))
        return PACKED_FULL;
    return history_column_is_ready(history, column) ? PACKED_WHOLE : PACKED_LACKING;
}

uint64_t history_columns_stamp(const struct history *history)
{
    uint64_t stamp = 1;
    for (history_column column = 1; column <= history_column_count(history); column++)
        stamp = hash_mix64(stamp + (uint64_t)state_of(history, column));
    return stamp;
}

static void note_columns(const struct history *history, struct history_capture *capture)
{
    capture->columns = history_column_count(history);
    for (history_column column = 1; column <= capture->columns; column++)
        capture->states[column - 1] = (uint8_t)state_of(history, column);
}

err history_capture(struct history *history, uint32_t number, struct history_capture *capture)
{
    struct block *block = block_find(history, number << BLOCK_BITS);
    err error = ERR_OK;
    *capture = (struct history_capture){ .number = number };
    if (block == NULL || block_base(block) == NULL)
        return ERR_NOT_FOUND;
    if (block->delta != NULL && block->delta->count > 0)
        error = block_rebuild(history, number, 0);
    if (error != ERR_OK)
        return error;
    retire_collect(history);
    capture->base = block_base(block);
    capture->serial = block_base(block)->serial;
    note_columns(history, capture);
    return ERR_OK;
}

/* ---- names ---- */

struct names_here {
    uint16_t local[HISTORY_TYPES_MAX]; /* by number */
    uint16_t numbers[HISTORY_TYPES_MAX];
    uint16_t count;
};

static uint16_t local_name(struct names_here *names, uint16_t number)
{
    if (number == 0)
        return 0;
    if (names->local[number] == 0) {
        names->numbers[names->count++] = number;
        names->local[number] = names->count;
    }
    return names->local[number];
}

static void write_names(const struct dictionary *dictionary, const struct names_here *names,
                        struct buffer *out)
{
    write_u16(out, names->count);
    for (uint16_t i = 0; i < names->count; i++)
        write_text(out, dictionary_text(dictionary, names->numbers[i]));
}

/* Events with types and channels by the block's own numbers. Some name too many: such a block is read from the warehouse,
 * where there may be room for the name the next time. */
static err write_events(struct history_packer *packer, const struct history *history,
                        const struct base *base, struct buffer *out)
{
    struct names_here types = { .count = 0 }, channels = { .count = 0 };
    uint32_t count = base->event_count;
    if (!array_reserve((void **)&packer->words, &packer->word_capacity, count + 1,
                       sizeof(uint64_t)))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t type = history_packed_type(base->packed[i]);
        uint8_t channel = history_packed_channel(base->packed[i]);
        if (type == HISTORY_TYPE_OTHER || channel == HISTORY_CHANNEL_OTHER)
            return ERR_UNSUPPORTED;
        packer->words[i] = base->packed[i] >> 20 << 20 | (uint64_t)local_name(&types, type) << 8 |
                           local_name(&channels, channel);
    }
    write_names(&history->types, &types, out);
    write_names(&history->channels, &channels, out);
    buffer_append(out, base->offsets, (BLOCK_NODES + 1) * sizeof(uint32_t));
    buffer_append(out, packer->words, (size_t)count * sizeof(uint64_t));
    write_u64(out, base->seq_least);
    write_u8(out, base->seq_width);
    buffer_append(out, base->seqs, (size_t)count * base->seq_width);
    return ERR_OK;
}

/* ---- columns ---- */

static void write_presence(const struct history_packer *packer, const struct piece *piece,
                           uint32_t event_count, struct buffer *out)
{
    if (piece->count == event_count) {
        write_u8(out, PACKED_ALL);
    } else if (piece->count < event_count / 32) {
        write_u8(out, PACKED_LIST);
        buffer_append(out, packer->indices, (size_t)piece->count * sizeof(uint32_t));
    } else {
        size_t words = ((size_t)event_count + 63) / 64;
        write_u8(out, PACKED_BITS);
        char *room = buffer_reserve(out, words * sizeof(uint64_t));
        if (room == NULL)
            return;
        memset(room, 0, words * sizeof(uint64_t));
        for (uint32_t i = 0; i < piece->count; i++)
            room[packer->indices[i] >> 3] =
                (char)(room[packer->indices[i] >> 3] | 1 << (packer->indices[i] & 7));
        buffer_advance(out, words * sizeof(uint64_t));
    }
}

static bool begin_numbering(struct numbering *texts, uint32_t values)
{
    uint32_t slots = 64;
    while (slots / 2 < values && slots < UINT32_C(1) << 30)
        slots *= 2;
    if (slots > texts->slot_count) {
        uint32_t *grown = memory_resize(texts->slots, (size_t)slots * sizeof(uint32_t));
        if (grown == NULL)
            return false;
        texts->slots = grown;
        texts->slot_count = slots;
    }
    memset(texts->slots, 0, (size_t)texts->slot_count * sizeof(uint32_t));
    texts->count = 0;
    return true;
}

/* From 1 on; 0 without memory. */
static uint32_t number_of(struct numbering *texts, uint32_t code)
{
    uint32_t mask = texts->slot_count - 1, at = (uint32_t)hash_mix64(code) & mask;
    for (; texts->slots[at] != 0; at = (at + 1) & mask)
        if (texts->codes[texts->slots[at] - 1] == code)
            return texts->slots[at];
    if (!array_reserve((void **)&texts->codes, &texts->capacity, texts->count + 1,
                       sizeof(uint32_t)))
        return 0;
    texts->codes[texts->count++] = code;
    texts->slots[at] = texts->count;
    return texts->count;
}

/* The texts that the numbers mean, then the numbers. */
static err write_texts(struct history_packer *packer, const struct column *column,
                       const struct piece *piece, struct buffer *out)
{
    uint32_t codes = !piece->is_texts    ? piece->count
                     : piece->count == 0 ? 0
                                         : piece->ends[piece->count - 1];
    if (!begin_numbering(&packer->texts, codes) ||
        !array_reserve((void **)&packer->indices, &packer->index_capacity, codes + 1,
                       sizeof(uint32_t)))
        return ERR_NOMEM;
    for (uint32_t i = 0; i < codes; i++) {
        uint32_t code = piece->is_texts ? piece->codes[i] : (uint32_t)piece_number(piece, i);
        packer->indices[i] = number_of(&packer->texts, code);
        if (packer->indices[i] == 0)
            return ERR_NOMEM;
    }
    write_u32(out, packer->texts.count);
    for (uint32_t i = 0; i < packer->texts.count; i++)
        write_text(out, dictionary_text(column->texts, packer->texts.codes[i]));
    if (piece->is_texts)
        buffer_append(out, piece->ends, (size_t)piece->count * sizeof(uint32_t));
    buffer_append(out, packer->indices, (size_t)codes * sizeof(uint32_t));
    return ERR_OK;
}

static err write_piece(struct history_packer *packer, const struct column *column,
                       const struct piece *piece, uint32_t event_count, struct buffer *out)
{
    write_u32(out, piece != NULL ? piece->count : 0);
    if (piece == NULL || piece->count == 0)
        return ERR_OK;
    if (!array_reserve((void **)&packer->indices, &packer->index_capacity, piece->count,
                       sizeof(uint32_t)))
        return ERR_NOMEM;
    piece_indices(piece, packer->indices);
    write_presence(packer, piece, event_count, out);
    if (column_is_text(column->kind))
        return write_texts(packer, column, piece, out);
    write_u64(out, piece->least);
    write_u8(out, piece->width);
    buffer_append(out, piece->values, (size_t)piece->count * piece->width);
    return ERR_OK;
}

static err write_columns(struct history_packer *packer, const struct history *history,
                         const struct history_capture *capture, const struct base *base,
                         struct buffer *out)
{
    err error = ERR_OK;
    write_u16(out, capture->columns);
    for (history_column i = 1; i <= capture->columns && error == ERR_OK; i++) {
        const struct column *column = column_at(history, i);
        enum packed_state state = capture->states[i - 1];
        write_text(out, column->path);
        write_u8(out, (uint8_t)column->kind);
        write_u8(out, (uint8_t)state);
        size_t length_at = out->size;
        write_u32(out, 0);
        if (state == PACKED_FULL)
            write_u64(out, history->text_bytes_max);
        else if (state == PACKED_WHOLE)
            error = write_piece(packer, column, i < base->piece_count ? base->pieces[i] : NULL,
                                base->event_count, out);
        uint32_t length = (uint32_t)(out->size - length_at - sizeof(length));
        if (!out->failed)
            memcpy(out->data + length_at, &length, sizeof(length));
    }
    return error;
}

/* ---- a block ---- */

err history_pack(struct history_packer *packer, const struct history_capture *capture,
                 struct buffer *out)
{
    const struct history *history = packer->reader->history;
    const struct base *base = capture->base;
    write_u32(out, base->event_count);
    write_u8(out, base->lost != NULL);
    if (base->lost != NULL) {
        write_u64(out, history->memory_bytes_max);
        write_i64(out, base->cut_ms);
        write_u8(out, base->is_restored);
        buffer_append(out, base->lost, BLOCK_NODES / 8);
    }
    err error = ERR_OK;
    if (base->event_count > 0)
        error = write_events(packer, history, base, out);
    if (error == ERR_OK)
        error = write_columns(packer, history, capture, base, out);
    return error == ERR_OK ? buffer_status(out) : error;
}
