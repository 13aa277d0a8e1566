/* SPDX-License-Identifier: Apache-2.0 */
/* names: texts that come again and again, as numbers. */
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

#define NAMES_MIN 64u

err names_init(struct names *names)
{
    *names = (struct names){ .count = 1, .capacity = NAMES_MIN, .slot_count = NAMES_MIN * 2 };
    names->texts = memory_alloc(names->capacity * sizeof(*names->texts));
    names->slots = memory_alloc(names->slot_count * sizeof(*names->slots));
    return names->texts != NULL && names->slots != NULL ? ERR_OK : ERR_NOMEM;
}

void names_deinit(struct names *names)
{
    for (uint32_t i = 1; i < names->count; i++)
        memory_free((void *)(uintptr_t)names->texts[i].data);
    memory_free(names->texts);
    memory_free(names->slots);
    *names = (struct names){ .count = 0 };
}

static uint32_t *slot_of(const struct names *names, str text)
{
    uint32_t mask = names->slot_count - 1;
    uint32_t at = (uint32_t)hash_bytes64(text.data, text.size, 0) & mask;
    while (names->slots[at] != 0 && !str_equal(names->texts[names->slots[at]], text))
        at = (at + 1) & mask;
    return &names->slots[at];
}

uint32_t names_find(const struct names *names, str text)
{
    return *slot_of(names, text);
}

static bool grow(struct names *names)
{
    str *texts = memory_resize(names->texts, 2 * names->capacity * sizeof(*texts));
    if (texts == NULL)
        return false;
    names->texts = texts;
    uint32_t *slots = memory_alloc(2 * names->slot_count * sizeof(*slots));
    if (slots == NULL)
        return false;
    memory_free(names->slots);
    names->slots = slots;
    names->capacity *= 2;
    names->slot_count *= 2;
    for (uint32_t i = 1; i < names->count; i++)
        *slot_of(names, texts[i]) = i;
    return true;
}

uint32_t names_intern(struct names *names, str text, uint32_t most)
{
    uint32_t *slot = slot_of(names, text);
    if (*slot != 0)
        return *slot;
    if (names->count > most || (names->count == names->capacity && !grow(names)))
        return 0;
    char *copy = memory_alloc(text.size + 1);
    if (copy == NULL)
        return 0;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    names->texts[names->count] = str_from_bytes(copy, text.size);
    *slot_of(names, text) = names->count;
    return names->count++;
}
