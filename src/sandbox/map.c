/* SPDX-License-Identifier: Apache-2.0 */
/* Tables by the hash of a name: linear probing, at most three quarters full. */
#include <string.h>

#include "sandbox/inside.h"

const char *const kind_texts[KIND_COUNT] = {
#define X(NAME, text) text,
    KINDS(X)
#undef X
};

bool kind_find(str text, enum kind *kind)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        if (str_equal(text, str_from_c(kind_texts[i]))) {
            *kind = (enum kind)i;
            return true;
        }
    }
    return false;
}

hash128 name_hash(unsigned what, const void *owner, str a, str b, str c)
{
    uint64_t sizes[5] = { what, (uint64_t)(uintptr_t)owner, a.size, b.size, c.size };
    hash128 parts[4] = {
        hash_bytes128(sizes, sizeof sizes, 0),
        hash_bytes128(a.data, a.size, 1),
        hash_bytes128(b.data, b.size, 2),
        hash_bytes128(c.data, c.size, 3),
    };
    return hash_bytes128(parts, sizeof parts, 4);
}

static size_t find_slot(const struct map_slot *slots, size_t capacity, hash128 key)
{
    size_t at = key.low & (capacity - 1);
    while (slots[at].value != NULL &&
           (slots[at].key.low != key.low || slots[at].key.high != key.high))
        at = (at + 1) & (capacity - 1);
    return at;
}

void *map_get(const struct map *map, hash128 key)
{
    return map->capacity > 0 ? map->slots[find_slot(map->slots, map->capacity, key)].value : NULL;
}

static err grow(struct map *map)
{
    size_t capacity = map->capacity > 0 ? map->capacity * 2 : 1024;
    struct map_slot *slots = memory_alloc(capacity * sizeof *slots);
    if (slots == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].value != NULL)
            slots[find_slot(slots, capacity, map->slots[i].key)] = map->slots[i];
    memory_free(map->slots);
    map->slots = slots;
    map->capacity = capacity;
    return ERR_OK;
}

err map_put(struct map *map, hash128 key, void *value)
{
    INVARIANT(value != NULL);
    if ((map->count + 1) * 4 > map->capacity * 3 && grow(map) != ERR_OK)
        return ERR_NOMEM;
    struct map_slot *slot = &map->slots[find_slot(map->slots, map->capacity, key)];
    map->count += slot->value == NULL;
    *slot = (struct map_slot){ key, value };
    return ERR_OK;
}

void map_clear(struct map *map, void (*release)(void *value))
{
    for (size_t i = 0; release != NULL && i < map->capacity; i++)
        if (map->slots[i].value != NULL)
            release(map->slots[i].value);
    memory_free(map->slots);
    *map = (struct map){ 0 };
}
