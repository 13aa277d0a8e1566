/* SPDX-License-Identifier: Apache-2.0 */
/* dictionary: append-only, open addressing, lock-free to look into. */
#include "history/dictionary.h"

#include <string.h>

#include "base/digest.h"

#define SLOTS_MIN 64u
#define HASH_SEED 0x6B697468u

void dictionary_init(struct dictionary *dictionary, uint32_t count_max, size_t text_bytes_max)
{
    memset(dictionary, 0, sizeof(*dictionary));
    dictionary->count_max = count_max;
    arena_init(&dictionary->texts, "history texts", text_bytes_max);
}

void dictionary_deinit(struct dictionary *dictionary)
{
    struct dictionary_table *table = atomic_load(&dictionary->table);
    while (table != NULL) {
        struct dictionary_table *older = table->older;
        memory_free(table);
        table = older;
    }
    for (unsigned i = 0; i < DICTIONARY_CHUNKS; i++)
        memory_free(dictionary->chunks[i]);
    arena_deinit(&dictionary->texts);
}

static inline struct dictionary_text *text_at(const struct dictionary *dictionary, uint32_t index)
{
    unsigned chunk = 31u - (unsigned)__builtin_clz((index >> DICTIONARY_FIRST_BITS) + 1);
    uint32_t first = ((UINT32_C(1) << chunk) - 1) << DICTIONARY_FIRST_BITS;
    return &dictionary->chunks[chunk][index - first];
}

static uint32_t hash_of(str text)
{
    return (uint32_t)(hash_bytes64(text.data, text.size, HASH_SEED) >> 32);
}

static uint32_t find_in(const struct dictionary *dictionary, const struct dictionary_table *table,
                        str text, uint32_t hash)
{
    for (uint32_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        uint64_t slot = atomic_load_explicit(&table->slots[at], memory_order_acquire);
        if (slot == 0)
            return 0;
        if ((uint32_t)(slot >> 32) != hash)
            continue;
        const struct dictionary_text *there = text_at(dictionary, (uint32_t)slot - 1);
        if (there->size == text.size &&
            text_is_same(dictionary_bytes_of(there), text.data, text.size))
            return (uint32_t)slot;
    }
}

uint32_t dictionary_find(const struct dictionary *dictionary, str text)
{
    const struct dictionary_table *table =
        atomic_load_explicit(&dictionary->table, memory_order_acquire);
    return table != NULL ? find_in(dictionary, table, text, hash_of(text)) : 0;
}

str dictionary_text(const struct dictionary *dictionary, uint32_t code)
{
    if (code == 0 || code > dictionary_count(dictionary))
        return STR_NONE;
    const struct dictionary_text *text = text_at(dictionary, code - 1);
    return str_from_bytes(dictionary_bytes_of(text), text->size);
}

static void put_slot(struct dictionary_table *table, uint32_t hash, uint32_t code,
                     memory_order order)
{
    uint32_t at = hash & table->mask;
    while (atomic_load_explicit(&table->slots[at], memory_order_relaxed) != 0)
        at = (at + 1) & table->mask;
    atomic_store_explicit(&table->slots[at], (uint64_t)hash << 32 | code, order);
}

static void count_bytes(struct dictionary *dictionary, size_t bytes)
{
    atomic_fetch_add_explicit(&dictionary->used_bytes, bytes, memory_order_relaxed);
}

/* Twice as many slots; readers go on in the old table until they come again. */
static err grow_table(struct dictionary *dictionary, struct dictionary_table *old)
{
    uint32_t slots = old != NULL ? (old->mask + 1) * 2 : SLOTS_MIN;
    size_t bytes = sizeof(struct dictionary_table) + (size_t)slots * sizeof(uint64_t);
    struct dictionary_table *table = memory_alloc(bytes);
    if (table == NULL)
        return ERR_NOMEM;
    table->older = old;
    table->mask = slots - 1;
    uint32_t count = atomic_load_explicit(&dictionary->count, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++)
        put_slot(table, text_at(dictionary, i)->hash, i + 1, memory_order_relaxed);
    atomic_store_explicit(&dictionary->table, table, memory_order_release);
    count_bytes(dictionary, bytes);
    return ERR_OK;
}

/* Room for the text at `index`, which is the first of its chunk or in one that is there. */
static err reserve_text(struct dictionary *dictionary, uint32_t index)
{
    unsigned chunk = 31u - (unsigned)__builtin_clz((index >> DICTIONARY_FIRST_BITS) + 1);
    size_t bytes = sizeof(struct dictionary_text) << (chunk + DICTIONARY_FIRST_BITS);
    if (dictionary->chunks[chunk] != NULL)
        return ERR_OK;
    dictionary->chunks[chunk] = memory_alloc(bytes);
    if (dictionary->chunks[chunk] == NULL)
        return ERR_NOMEM;
    count_bytes(dictionary, bytes);
    return ERR_OK;
}

static err append_text(struct dictionary *dictionary, uint32_t index, str text, uint32_t hash)
{
    struct dictionary_text *to = text_at(dictionary, index);
    size_t before = dictionary->texts.used_bytes;
    *to = (struct dictionary_text){ .size = (uint32_t)text.size, .hash = hash };
    if (text.size <= DICTIONARY_INLINE_BYTES) {
        if (text.size > 0)
            memcpy(to->bytes, text.data, text.size);
        return ERR_OK;
    }
    char *copy = arena_alloc_raw(&dictionary->texts, text.size);
    if (copy == NULL)
        return text.size > dictionary->texts.budget_bytes - before ? ERR_TOO_LARGE : ERR_NOMEM;
    to->data = memcpy(copy, text.data, text.size);
    count_bytes(dictionary, dictionary->texts.used_bytes - before);
    return ERR_OK;
}

err dictionary_add(struct dictionary *dictionary, str text, uint32_t *code)
{
    struct dictionary_table *table = atomic_load_explicit(&dictionary->table, memory_order_relaxed);
    uint32_t hash = hash_of(text);
    uint32_t found = table != NULL ? find_in(dictionary, table, text, hash) : 0;
    if (found != 0) {
        *code = found;
        return ERR_OK;
    }
    uint32_t count = atomic_load_explicit(&dictionary->count, memory_order_relaxed);
    if (count >= dictionary->count_max || text.size > UINT32_MAX)
        return ERR_TOO_LARGE;
    err error = ERR_OK;
    if (table == NULL || count >= table->mask / 2)
        error = grow_table(dictionary, table);
    if (error == ERR_OK)
        error = reserve_text(dictionary, count);
    if (error == ERR_OK)
        error = append_text(dictionary, count, text, hash);
    if (error != ERR_OK)
        return error;
    /* The count first: whoever finds the slot may ask for the text. */
    atomic_store_explicit(&dictionary->count, count + 1, memory_order_release);
    put_slot(atomic_load_explicit(&dictionary->table, memory_order_relaxed), hash, count + 1,
             memory_order_release);
    *code = count + 1;
    return ERR_OK;
}
