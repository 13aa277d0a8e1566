/* SPDX-License-Identifier: Apache-2.0 */
/* delta: what came since the base was made; lists per node, newest first. */
#include "history/state.h"

/* ---- words ---- */

static uint32_t first_of_chunk(unsigned chunk)
{
    return ((UINT32_C(1) << chunk) - 1) << WORDS_FIRST_BITS;
}

bool words_grow(struct words *words, uint32_t size, size_t *grown_bytes)
{
    uint32_t position = words->next < 2 ? 2 : words->next;
    unsigned chunk = 31u - (unsigned)__builtin_clz((position >> WORDS_FIRST_BITS) + 1);
    while (size > first_of_chunk(chunk + 1) - position) {
        position = first_of_chunk(++chunk);
        if (chunk >= WORDS_CHUNKS - 1)
            return false;
    }
    if (words->chunks[chunk] == NULL) {
        size_t bytes = sizeof(uint32_t) << (chunk + WORDS_FIRST_BITS);
        words->chunks[chunk] = memory_alloc(bytes);
        if (words->chunks[chunk] == NULL)
            return false;
        *grown_bytes = bytes;
    }
    words->next = position;
    words->room = first_of_chunk(chunk + 1) - position;
    words->at = words_at(words, position);
    return true;
}

void words_clear(struct words *words)
{
    words->next = words->room = 0;
}

void words_free(struct words *words)
{
    for (unsigned i = 0; i < WORDS_CHUNKS; i++)
        memory_free(words->chunks[i]);
    *words = (struct words){ .next = 0 };
}

/* ---- values of an entry ---- */

bool value_next(const uint32_t **at, const uint32_t *end, struct value_view *value)
{
    const uint32_t *word = *at;
    if (word >= end)
        return false;
    value->column = (history_column)(*word & 0xffff);
    value->form = (enum value_form)(*word >> 16);
    switch (value->form) {
    case FORM_NUMBER:
        value->number = (int64_t)load64(word + 1);
        *at = word + 3;
        return true;
    case FORM_CODE:
        value->number = word[1];
        *at = word + 2;
        return true;
    case FORM_CODES:
        value->code_count = word[1];
        value->codes = word + 2;
        *at = word + 2 + word[1];
        return true;
    }
    return false;
}

uint32_t *value_words_room(struct value_words *out, uint32_t words)
{
    if (!array_reserve((void **)&out->words, &out->capacity, out->count + words, sizeof(uint32_t)))
        return NULL;
    uint32_t *room = out->words + out->count;
    out->count += words;
    return room;
}

err value_words_number(struct value_words *out, history_column column, enum value_form form,
                       int64_t number)
{
    uint32_t *room = value_words_room(out, form == FORM_CODE ? 2 : 3);
    if (room == NULL)
        return ERR_NOMEM;
    room[0] = column | (uint32_t)form << 16;
    if (form == FORM_CODE)
        room[1] = (uint32_t)number;
    else
        memcpy(room + 1, &number, sizeof(number));
    return ERR_OK;
}

static err put_codes(struct history *history, struct value_words *out,
                     const struct history_value *value)
{
    uint32_t before = out->count, known = 0;
    uint32_t *room = value_words_room(out, value->text_count + 2);
    if (room == NULL)
        return ERR_NOMEM;
    room[0] = value->column | FORM_CODES << 16;
    for (uint32_t i = 0; i < value->text_count; i++) {
        uint32_t code;
        err error = column_code(history, value->column, value->texts[i], &code);
        if (error != ERR_OK) {
            out->count = before;
            return error;
        }
        if (code != 0)
            room[2 + known++] = code;
    }
    room[1] = known;
    out->count = known > 0 ? before + 2 + known : before;
    return ERR_OK;
}

err values_put(struct history *history, struct value_words *out, const struct history_value *value)
{
    enum column_kind kind = column_at(history, value->column)->kind;
    if (kind == COLUMN_TEXTS)
        return put_codes(history, out, value);
    if (kind == COLUMN_TEXT) {
        uint32_t code;
        err error = column_code(history, value->column, value->text, &code);
        if (error != ERR_OK || code == 0)
            return error;
        return value_words_number(out, value->column, FORM_CODE, code);
    }
    if (value->number == HISTORY_MISSING)
        return ERR_OK;
    return value_words_number(out, value->column, FORM_NUMBER, value->number);
}

/* ---- entries ---- */

struct delta *delta_make(struct history *history, struct block *block)
{
    if (block->delta != NULL)
        return block->delta;
    struct base *base = block_base(block);
    if (base == NULL) {
        base = base_new_empty(history);
        if (base == NULL)
            return NULL;
        atomic_store_explicit(&block->base, base, memory_order_release);
    }
    struct delta *delta = history_take(history, sizeof(*delta));
    if (delta == NULL)
        return NULL;
    memset(delta, 0, sizeof(*delta));
    delta->block.kind = BLOCK_DELTA;
    delta->bytes = sizeof(*delta);
    delta->limit = delta_limit(base);
    block->delta = delta;
    atomic_store_explicit(&base->delta, delta, memory_order_release);
    return delta;
}

void delta_destroy(struct history *history, struct delta *delta)
{
    words_free(&delta->words);
    history_count_bytes(history, -(int64_t)(delta->bytes - sizeof(*delta)));
    history_give(history, delta, sizeof(*delta));
}

void entry_write(uint32_t *entry, enum entry_kind kind, uint64_t packed, uint64_t seq,
                 const struct value_words *values)
{
    uint32_t value_words = values != NULL ? values->count : 0;
    entry[1] = (uint32_t)kind | value_words << 8;
    memcpy(entry + 2, &seq, sizeof(seq));
    memcpy(entry + 4, &packed, sizeof(packed));
    if (value_words > 0)
        memcpy(entry + ENTRY_WORDS, values->words, (size_t)value_words * sizeof(uint32_t));
}

err delta_push(struct history *history, uint32_t node, struct delta *delta, enum entry_kind kind,
               uint64_t packed, uint64_t seq, const struct value_words *values)
{
    _Atomic uint32_t *head = &delta->heads[node & BLOCK_MASK];
    uint32_t value_words = values != NULL ? values->count : 0;
    uint32_t *entry;
    size_t grown;
    if (value_words > VALUE_WORDS_MAX)
        return ERR_TOO_LARGE;
    uint32_t position = words_take(&delta->words, ENTRY_WORDS + value_words, &entry, &grown);
    if (position == 0)
        return ERR_NOMEM;
    if (grown > 0) {
        delta->bytes += grown;
        history_count_bytes(history, (int64_t)grown);
    }
    entry[0] = atomic_load_explicit(head, memory_order_relaxed);
    entry_write(entry, kind, packed, seq, values);
    delta->count++;
    atomic_store_explicit(head, position, memory_order_release);
    return ERR_OK;
}
