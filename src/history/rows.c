/* SPDX-License-Identifier: Apache-2.0 */
/* rows: a history that is not in RAM, shown as if it were. */
#include <stdlib.h>

#include "history/state.h"

#define ROWS_TEXT_BYTES_MAX ((size_t)1 << 30)

void rows_init(struct rows_block *rows)
{
    dictionary_init(&rows->texts, CODE_OWN - 1, ROWS_TEXT_BYTES_MAX);
}

void rows_deinit(struct rows_block *rows)
{
    words_free(&rows->words);
    dictionary_deinit(&rows->texts);
    memory_free(rows->positions);
    memory_free(rows->packed);
    memory_free(rows->seqs);
    memory_free(rows->values.words);
}

static void rows_clear(struct rows_block *rows)
{
    rows->count = 0;
    words_clear(&rows->words);
    if (dictionary_count(&rows->texts) == 0)
        return;
    dictionary_deinit(&rows->texts);
    rows_init(rows);
}

/* A code of history, or one of the reader's own. */
static err code_of(struct rows_block *rows, history_column column, str text, uint32_t *code)
{
    *code = text.size > 0 ? history_code_find(rows->history, column, text) : 0;
    if (*code != 0 || text.size == 0)
        return ERR_OK;
    err error = dictionary_add(&rows->texts, text, code);
    *code |= CODE_OWN;
    return error;
}

static err put_texts(struct rows_block *rows, const struct history_value *value)
{
    struct value_words *out = &rows->values;
    uint32_t *head = value_words_room(out, 2 + value->text_count), known = 0;
    if (head == NULL)
        return ERR_NOMEM;
    head[0] = value->column | FORM_CODES << 16;
    for (uint32_t i = 0; i < value->text_count; i++) {
        uint32_t code;
        err error = code_of(rows, value->column, value->texts[i], &code);
        if (error != ERR_OK)
            return error;
        if (code != 0)
            head[2 + known++] = code;
    }
    head[1] = known;
    out->count -= known > 0 ? value->text_count - known : 2 + value->text_count;
    return ERR_OK;
}

static err put_value(struct rows_block *rows, const struct history_value *value)
{
    enum column_kind kind = column_at(rows->history, value->column)->kind;
    int64_t number = value->number;
    if (kind == COLUMN_TEXTS)
        return put_texts(rows, value);
    if (kind == COLUMN_TEXT) {
        uint32_t code;
        err error = code_of(rows, value->column, value->text, &code);
        if (error != ERR_OK || code == 0)
            return error;
        return value_words_number(&rows->values, value->column, FORM_CODE, code);
    }
    return number != HISTORY_MISSING
               ? value_words_number(&rows->values, value->column, FORM_NUMBER, number)
               : ERR_OK;
}

static err put_row(struct rows_block *rows, const struct history_row *row)
{
    size_t grown;
    uint32_t *entry;
    err error = ERR_OK;
    uint16_t type = history_type_find(rows->history, row->type);
    uint8_t channel = history_channel_find(rows->history, row->channel);
    if (type == 0 && row->type.size > 0)
        type = HISTORY_TYPE_OTHER;
    if (channel == 0 && row->channel.size > 0)
        channel = HISTORY_CHANNEL_OTHER;
    rows->values.count = 0;
    for (uint32_t i = 0; i < row->value_count && error == ERR_OK; i++)
        error = put_value(rows, &row->values[i]);
    if (error != ERR_OK)
        return error;
    if (!array_reserve((void **)&rows->positions, &rows->capacity, rows->count + 1,
                       sizeof(uint32_t)))
        return ERR_NOMEM;
    uint32_t position = words_take(&rows->words, ENTRY_WORDS + rows->values.count, &entry, &grown);
    if (position == 0 || rows->values.count > VALUE_WORDS_MAX)
        return ERR_NOMEM;
    entry_write(entry, ENTRY_EVENT, pack(row->time_ms, type, channel), row->seq, &rows->values);
    rows->positions[rows->count++] = position;
    return ERR_OK;
}

static int compare_entries(const void *one, const void *other, void *words)
{
    const uint32_t *a = words_at(words, *(const uint32_t *)one);
    const uint32_t *b = words_at(words, *(const uint32_t *)other);
    if (event_is_before(entry_packed(a), entry_seq(a), entry_packed(b), entry_seq(b)))
        return -1;
    return event_is_before(entry_packed(b), entry_seq(b), entry_packed(a), entry_seq(a));
}

static err sort_rows(struct rows_block *rows)
{
    uint32_t capacity = rows->sorted_capacity;
    if (!array_reserve((void **)&rows->packed, &capacity, rows->count, sizeof(uint64_t)) ||
        !array_reserve((void **)&rows->seqs, &rows->sorted_capacity, rows->count, sizeof(uint64_t)))
        return ERR_NOMEM;
    if (rows->count > 1)
        qsort_r(rows->positions, rows->count, sizeof(uint32_t), compare_entries, &rows->words);
    for (uint32_t i = 0; i < rows->count; i++) {
        const uint32_t *entry = words_at(&rows->words, rows->positions[i]);
        rows->packed[i] = entry_packed(entry);
        rows->seqs[i] = entry_seq(entry);
    }
    return ERR_OK;
}

err history_view_rows(struct history_reader *reader, const struct history_row *rows, size_t count,
                      struct history_view *view)
{
    struct rows_block *block = &reader->rows;
    err error = count < UINT32_MAX / 2 ? ERR_OK : ERR_TOO_LARGE;
    rows_clear(block);
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        error = put_row(block, &rows[i]);
    if (error == ERR_OK)
        error = sort_rows(block);
    if (error != ERR_OK)
        return error;
    *view = (struct history_view){ .count = count,
                                   .events = block->packed,
                                   .seqs = block->seqs,
                                   .block = &block->block,
                                   .complete = true,
                                   .whole_from_ms = INT64_MIN,
                                   .streamed = true,
                                   .history = reader->history };
    return ERR_OK;
}
