/* SPDX-License-Identifier: Apache-2.0 */
/* map: the two small containers of this room, a hash map of numbers and a heap. */
#include <string.h>

#include "base/digest.h"
#include "touch/inside.h"

/* ---- map ---- */

void touches_map_free(struct map *map)
{
    memory_free(map->keys);
    memory_free(map->values);
    *map = (struct map){ .keys = NULL };
}

static size_t place_of(const struct map *map, uint64_t key)
{
    size_t mask = map->capacity - 1, place = (size_t)hash_mix64(key) & mask;
    while (map->keys[place] != 0 && map->keys[place] != key)
        place = (place + 1) & mask;
    return place;
}

uint32_t touches_map_find(const struct map *map, uint64_t key)
{
    if (map->capacity == 0 || key == 0)
        return 0;
    size_t place = place_of(map, key);
    return map->keys[place] == key ? map->values[place] : 0;
}

static err grow(struct map *map)
{
    struct map bigger = { .capacity = map->capacity == 0 ? 1024 : map->capacity * 2 };
    bigger.keys = memory_alloc(bigger.capacity * sizeof *bigger.keys);
    bigger.values = memory_alloc(bigger.capacity * sizeof *bigger.values);
    if (bigger.keys == NULL || bigger.values == NULL) {
        touches_map_free(&bigger);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->keys[i] == 0)
            continue;
        size_t place = place_of(&bigger, map->keys[i]);
        bigger.keys[place] = map->keys[i];
        bigger.values[place] = map->values[i];
    }
    bigger.count = map->count;
    touches_map_free(map);
    *map = bigger;
    return ERR_OK;
}

err touches_map_put(struct map *map, uint64_t key, uint32_t value)
{
    INVARIANT(key != 0);
    if (map->count * 4 >= map->capacity * 3) {
        err error = grow(map);
        if (error != ERR_OK)
            return error;
    }
    size_t place = place_of(map, key);
    map->count += map->keys[place] == 0;
    map->keys[place] = key;
    map->values[place] = value;
    return ERR_OK;
}

/* What stood behind it moves up, so that no gap cuts a run (Knuth, vol. 3, 6.4, algorithm R). */
void touches_map_remove(struct map *map, uint64_t key)
{
    if (map->capacity == 0)
        return;
    size_t mask = map->capacity - 1, gap = place_of(map, key);
    if (map->keys[gap] != key)
        return;
    map->count--;
    for (size_t next = (gap + 1) & mask; map->keys[next] != 0; next = (next + 1) & mask) {
        size_t home = (size_t)hash_mix64(map->keys[next]) & mask;
        bool stays = gap <= next ? gap < home && home <= next : gap < home || home <= next;
        if (stays)
            continue;
        map->keys[gap] = map->keys[next];
        map->values[gap] = map->values[next];
        gap = next;
    }
    map->keys[gap] = 0;
}

err touches_map_copy(struct map *to, const struct map *from)
{
    *to = (struct map){ .count = from->count, .capacity = from->capacity };
    if (from->capacity == 0)
        return ERR_OK;
    to->keys = memory_alloc(from->capacity * sizeof *to->keys);
    to->values = memory_alloc(from->capacity * sizeof *to->values);
    if (to->keys == NULL || to->values == NULL) {
        touches_map_free(to);
        return ERR_NOMEM;
    }
    memcpy(to->keys, from->keys, from->capacity * sizeof *to->keys);
    memcpy(to->values, from->values, from->capacity * sizeof *to->values);
    return ERR_OK;
}

/* ---- heap ---- */

void touches_heap_free(struct heap *heap)
{
    memory_free(heap->items);
    *heap = (struct heap){ .items = NULL };
}

static bool is_before(struct heap_entry a, struct heap_entry b)
{
    return a.key != b.key ? a.key < b.key : a.number < b.number;
}

err touches_heap_push(struct heap *heap, int64_t key, uint32_t number)
{
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity == 0 ? 64 : heap->capacity * 2;
        struct heap_entry *items = memory_resize(heap->items, capacity * sizeof *items);
        if (items == NULL)
            return ERR_NOMEM;
        heap->items = items;
        heap->capacity = capacity;
    }
    struct heap_entry entry = { .key = key, .number = number };
    size_t at = heap->count++;
    while (at > 0 && is_before(entry, heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = entry;
    return ERR_OK;
}

void touches_heap_pop(struct heap *heap)
{
    INVARIANT(heap->count > 0);
    struct heap_entry entry = heap->items[--heap->count];
    size_t at = 0;
    for (size_t child = 1; child < heap->count; child = at * 2 + 1) {
        if (child + 1 < heap->count && is_before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!is_before(heap->items[child], entry))
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    if (heap->count > 0)
        heap->items[at] = entry;
}
