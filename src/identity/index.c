/* SPDX-License-Identifier: Apache-2.0 */
/* index: the parts, their probing and their growth. */
#include "identity/index.h"

#include <string.h>

#include "base/arena.h"

#define PART_SLOTS_MIN 8u

err index_init(struct index *index, unsigned bits)
{
    INVARIANT(bits >= INDEX_LIST_BITS && bits <= 16);
    *index = (struct index){ .bits = bits };
    index->parts = memory_alloc(sizeof(struct index_part) << bits);
    return index->parts != NULL ? ERR_OK : ERR_NOMEM;
}

void index_deinit(struct index *index)
{
    if (index->parts != NULL) {
        for (size_t i = 0; i < (size_t)1 << index->bits; i++)
            memory_free(index->parts[i].slots);
    }
    memory_free(index->parts);
    for (size_t i = 0; i < (size_t)1 << INDEX_LIST_BITS; i++)
        memory_free(index->lists[i].entries);
    *index = (struct index){ .bits = 0 };
}

static inline struct index_part *part_of(const struct index *index, const struct index_key *key)
{
    return &index->parts[key->word[0] >> (32 - index->bits)];
}

static inline uint32_t home_of(uint32_t word, uint32_t capacity)
{
    return (uint32_t)(((uint64_t)word * capacity) >> 32);
}

/* The slot of these words, or the free one where it would be; NULL in a part without slots. */
static struct index_slot *find_slot(const struct index_part *part, const uint32_t word[2])
{
    if (part->capacity == 0)
        return NULL;
    uint32_t at = home_of(word[0], part->capacity);
    while (part->slots[at].value != 0 &&
           (part->slots[at].word[0] != word[0] || part->slots[at].word[1] != word[1])) {
        if (++at == part->capacity)
            at = 0;
    }
    return &part->slots[at];
}

uint32_t index_get(const struct index *index, const struct index_key *key)
{
    const struct index_slot *slot = find_slot(part_of(index, key), &key->word[1]);
    return slot != NULL ? slot->value : 0;
}

void index_prefetch(const struct index *index, const struct index_key *key)
{
    const struct index_part *part = part_of(index, key);
    if (part->capacity > 0)
        __builtin_prefetch(&part->slots[home_of(key->word[1], part->capacity)]);
}

/* At most 88 % full, so that a search for what is not there ends soon. */
static bool has_room(uint64_t capacity, uint64_t count)
{
    return count * 25 <= capacity * 22;
}

static err part_resize(struct index *index, struct index_part *part, uint32_t capacity)
{
    struct index_part bigger = { .capacity = capacity, .count = 0 };
    bigger.slots = memory_alloc(sizeof(struct index_slot) * (size_t)capacity);
    if (bigger.slots == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < part->capacity; i++) {
        if (part->slots[i].value != 0)
            *find_slot(&bigger, part->slots[i].word) = part->slots[i];
    }
    bigger.count = part->count;
    index->slot_count += capacity;
    index->slot_count -= part->capacity;
    memory_free(part->slots);
    *part = bigger;
    return ERR_OK;
}

err index_reserve(struct index *index, const struct index_key *key, uint32_t extra)
{
    struct index_part *part = part_of(index, key);
    uint64_t needed = (uint64_t)part->count + extra;
    if (has_room(part->capacity, needed))
        return ERR_OK;
    uint64_t capacity = part->capacity + (uint64_t)part->capacity / 8;
    if (capacity < PART_SLOTS_MIN)
        capacity = PART_SLOTS_MIN;
    while (!has_room(capacity, needed))
        capacity += capacity / 8 + 1;
    if (capacity > UINT32_MAX)
        return ERR_NOMEM;
    return part_resize(index, part, (uint32_t)capacity);
}

err index_add(struct index *index, const struct index_key *key, uint32_t value)
{
    INVARIANT(value > 0);
    err error = index_reserve(index, key, 1);
    if (error != ERR_OK)
        return error;
    struct index_part *part = part_of(index, key);
    struct index_slot *slot = find_slot(part, &key->word[1]);
    INVARIANT(slot->value == 0);
    *slot = (struct index_slot){ { key->word[1], key->word[2] }, value };
    part->count++;
    index->count++;
    return ERR_OK;
}

void index_change(struct index *index, const struct index_key *key, uint32_t value)
{
    struct index_slot *slot = find_slot(part_of(index, key), &key->word[1]);
    INVARIANT(value > 0 && slot != NULL && slot->value != 0);
    slot->value = value;
}

/* How far a slot is from `from`, going round. */
static inline uint32_t distance(uint32_t from, uint32_t to, uint32_t capacity)
{
    return to >= from ? to - from : to + capacity - from;
}

void index_remove(struct index *index, const struct index_key *key, uint32_t value)
{
    struct index_part *part = part_of(index, key);
    struct index_slot *slot = find_slot(part, &key->word[1]);
    if (slot == NULL || slot->value != value || value == 0)
        return;
    uint32_t free = (uint32_t)(slot - part->slots), at = free;
    for (;;) {
        at = at + 1 == part->capacity ? 0 : at + 1;
        if (part->slots[at].value == 0)
            break;
        /* It may move up unless its search begins behind the free slot. */
        uint32_t home = home_of(part->slots[at].word[0], part->capacity);
        if (distance(home, at, part->capacity) >= distance(free, at, part->capacity)) {
            part->slots[free] = part->slots[at];
            free = at;
        }
    }
    part->slots[free] = (struct index_slot){ .value = 0 };
    part->count--;
    index->count--;
}

void index_shrink(struct index *index, size_t begin, size_t end)
{
    for (size_t i = begin; i < end && i < index_part_count(index); i++) {
        struct index_part *part = &index->parts[i];
        uint32_t capacity = part->count + part->count / 5 + PART_SLOTS_MIN;
        if ((uint64_t)part->count * 5 < (uint64_t)part->capacity * 3 && capacity < part->capacity &&
            part_resize(index, part, capacity) != ERR_OK)
            return;
    }
}

#define LIST_ENTRIES_MIN 256u

err index_load(struct index *index, const struct index_key *key, uint32_t value)
{
    INVARIANT(value > 0);
    struct index_list *list = &index->lists[key->word[0] >> (32 - INDEX_LIST_BITS)];
    if (list->count == list->capacity) {
        size_t capacity = list->capacity + list->capacity / 2 + LIST_ENTRIES_MIN;
        struct index_entry *entries = memory_resize(list->entries, capacity * sizeof(*entries));
        if (entries == NULL)
            return ERR_NOMEM;
        list->entries = entries;
        list->capacity = capacity;
    }
    list->entries[list->count++] = (struct index_entry){ .key = *key, .value = value };
    return ERR_OK;
}

/* While settling, `count` of a part is first how many will come. */
static void count_entries(struct index *index, const struct index_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        part_of(index, &list->entries[i].key)->count++;
}

static err make_parts(struct index *index, size_t begin, size_t end)
{
    for (size_t number = begin; number < end; number++) {
        struct index_part *part = &index->parts[number];
        if (part->count == 0)
            continue;
        uint64_t capacity = (uint64_t)part->count + part->count / 5 + PART_SLOTS_MIN;
        if (capacity > UINT32_MAX)
            return ERR_NOMEM;
        part->slots = memory_alloc(sizeof(struct index_slot) * (size_t)capacity);
        if (part->slots == NULL)
            return ERR_NOMEM;
        part->capacity = (uint32_t)capacity;
        part->count = 0;
    }
    return ERR_OK;
}

#define SETTLE_AHEAD 8u

static void place_entries(struct index *index, struct index_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct index_entry *entry = &list->entries[i];
        if (i + SETTLE_AHEAD < list->count)
            index_prefetch(index, &list->entries[i + SETTLE_AHEAD].key);
        struct index_part *part = part_of(index, &entry->key);
        struct index_slot *slot = find_slot(part, &entry->key.word[1]);
        if (slot->value != 0)
            continue;
        *slot = (struct index_slot){ { entry->key.word[1], entry->key.word[2] }, entry->value };
        part->count++;
    }
    memory_free(list->entries);
    *list = (struct index_list){ .count = 0 };
}

err index_settle(struct index *index, struct index *others, size_t other_count, size_t begin,
                 size_t end)
{
    size_t parts_per_list = (size_t)1 << (index->bits - INDEX_LIST_BITS);
    for (size_t number = begin; number < end; number++) {
        count_entries(index, &index->lists[number]);
        for (size_t i = 0; i < other_count; i++)
            count_entries(index, &others[i].lists[number]);
        err error = make_parts(index, number * parts_per_list, (number + 1) * parts_per_list);
        if (error != ERR_OK)
            return error;
        place_entries(index, &index->lists[number]);
        for (size_t i = 0; i < other_count; i++)
            place_entries(index, &others[i].lists[number]);
    }
    return ERR_OK;
}

void index_settled(struct index *index)
{
    index->count = index->slot_count = 0;
    for (size_t number = 0; number < (size_t)1 << index->bits; number++) {
        index->count += index->parts[number].count;
        index->slot_count += index->parts[number].capacity;
    }
}

struct index_key index_key_of_hash(const uint8_t hash[16])
{
    struct index_key key;
    memcpy(key.word, hash, sizeof(key.word));
    return key;
}

struct index_key index_key_of_pair(uint32_t first, uint32_t second)
{
    uint64_t mixed = hash_mix64((uint64_t)first << 32 | second);
    uint32_t high = (uint32_t)(mixed >> 32);
    return (struct index_key){ { high, (uint32_t)mixed, high } };
}

size_t index_memory_bytes(const struct index *index)
{
    return (sizeof(struct index_part) << index->bits) +
           index->slot_count * sizeof(struct index_slot);
}

void index_digest(const struct index *index, struct digest *digest)
{
    for (size_t i = 0; i < (size_t)1 << index->bits; i++) {
        const struct index_part *part = &index->parts[i];
        for (uint32_t at = 0; at < part->capacity; at++) {
            uint32_t image[4] = { (uint32_t)i, part->slots[at].word[0], part->slots[at].word[1],
                                  part->slots[at].value };
            if (image[3] != 0)
                digest_add(digest, image, sizeof(image));
        }
    }
}
