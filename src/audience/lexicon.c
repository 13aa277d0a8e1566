/* SPDX-License-Identifier: Apache-2.0 */
/* lexicon: texts as codes from 1, never reused. Any thread reads an entry whose code it was given; adding
 * takes the lock. Lists of texts are entries, too: parsed once, however many customers have the same. */
#include <string.h>

#include "audience/state.h"

#define LEXICON_BYTES_MAX ((size_t)512 << 20)

err lexicon_new(struct lexicon **lexicon, uint32_t count_max)
{
    struct lexicon *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&made->mutex, NULL);
    arena_init(&made->arena, "audience texts", LEXICON_BYTES_MAX);
    uint32_t most = LEXICON_PAGE * LEXICON_PAGES - 1;
    made->count_max = count_max < most ? count_max : most;
    *lexicon = made;
    return ERR_OK;
}

void lexicon_free(struct lexicon **lexicon)
{
    struct lexicon *gone = *lexicon;
    *lexicon = NULL;
    if (gone == NULL)
        return;
    for (uint32_t i = 0; i < LEXICON_PAGES && gone->pages[i] != NULL; i++)
        memory_free(gone->pages[i]);
    arena_deinit(&gone->arena);
    memory_free(gone->slots);
    pthread_mutex_destroy(&gone->mutex);
    memory_free(gone);
}

const struct lexicon_entry *lexicon_at(const struct lexicon *lexicon, uint32_t code)
{
    if (code == 0 || code > atomic_load_explicit(&lexicon->count, memory_order_acquire))
        return NULL;
    const struct lexicon_entry *page =
        atomic_load_explicit(&lexicon->pages[code / LEXICON_PAGE], memory_order_acquire);
    return &page[code % LEXICON_PAGE];
}

static uint32_t *slot_of(const struct lexicon *lexicon, str text)
{
    uint32_t mask = lexicon->slot_count - 1;
    uint32_t at = (uint32_t)hash_bytes64(text.data, text.size, 0) & mask;
    while (lexicon->slots[at] != 0 &&
           !str_equal(lexicon_at(lexicon, lexicon->slots[at])->text, text))
        at = (at + 1) & mask;
    return &lexicon->slots[at];
}

static err slots_grow(struct lexicon *lexicon)
{
    uint32_t count = atomic_load_explicit(&lexicon->count, memory_order_relaxed);
    if (lexicon->slot_count > 0 && count < lexicon->slot_count / 2)
        return ERR_OK;
    uint32_t slot_count = lexicon->slot_count > 0 ? lexicon->slot_count * 2 : 64;
    uint32_t *slots = memory_alloc(slot_count * sizeof(*slots));
    if (slots == NULL)
        return ERR_NOMEM;
    memory_free(lexicon->slots);
    lexicon->slots = slots;
    lexicon->slot_count = slot_count;
    for (uint32_t code = 1; code <= count; code++)
        *slot_of(lexicon, lexicon_at(lexicon, code)->text) = code;
    return ERR_OK;
}

static uint32_t add(struct lexicon *lexicon, str text, json_value list)
{
    uint32_t code = atomic_load_explicit(&lexicon->count, memory_order_relaxed) + 1;
    struct lexicon_entry entry = { .text_count = 0 };
    if (code > lexicon->count_max || arena_dup(&lexicon->arena, text, &entry.text) != ERR_OK)
        return 0;
    size_t count = json_count(list);
    if (json_kind(list) == JSON_ARRAY) {
        struct json_iterator iterator = json_iterate(list);
        json_value item;
        entry.texts = arena_array(&lexicon->arena, str, count + 1);
        while (entry.texts != NULL && json_next(&iterator, NULL, &item)) {
            if (json_kind(item) == JSON_TEXT && arena_dup(&lexicon->arena, json_text(item),
                                                          &entry.texts[entry.text_count]) == ERR_OK)
                entry.text_count++;
        }
        if (entry.texts == NULL)
            return 0;
    }
    uint32_t number = code / LEXICON_PAGE;
    struct lexicon_entry *page =
        atomic_load_explicit(&lexicon->pages[number], memory_order_relaxed);
    if (page == NULL) {
        page = memory_alloc(LEXICON_PAGE * sizeof(*page));
        if (page == NULL)
            return 0;
        atomic_store_explicit(&lexicon->pages[number], page, memory_order_release);
    }
    page[code % LEXICON_PAGE] = entry;
    atomic_store_explicit(&lexicon->count, code, memory_order_release);
    return code;
}

uint32_t lexicon_intern_list(struct lexicon *lexicon, str json, json_value list)
{
    uint32_t code = 0;
    pthread_mutex_lock(&lexicon->mutex);
    if (slots_grow(lexicon) == ERR_OK) {
        uint32_t *slot = slot_of(lexicon, json);
        if (*slot == 0) {
            /* `add` does not move the slots. */
            *slot = add(lexicon, json, list);
        }
        code = *slot;
    }
    pthread_mutex_unlock(&lexicon->mutex);
    return code;
}

uint32_t lexicon_intern(struct lexicon *lexicon, str text)
{
    return lexicon_intern_list(lexicon, text, (json_value){ .document = NULL });
}

uint32_t lexicon_find(struct lexicon *lexicon, str text)
{
    pthread_mutex_lock(&lexicon->mutex);
    uint32_t code = lexicon->slot_count > 0 ? *slot_of(lexicon, text) : 0;
    pthread_mutex_unlock(&lexicon->mutex);
    return code;
}

size_t lexicon_bytes(const struct lexicon *lexicon)
{
    return sizeof(*lexicon) + lexicon->arena.used_bytes + lexicon->slot_count * sizeof(uint32_t);
}
