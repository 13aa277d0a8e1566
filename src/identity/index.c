/* SPDX-License-Identifier: Apache-2.0 */
/* index: the parts, their probing and their growth. */
#include "identity/index.h"

#include <string.h>

#include "base/arena.h"

#define SLOT_BYTES 11u
#define PART_CAPACITY_MIN 4u
#define KEY_MASK UINT64_C(0x00FFFFFFFFFFFFFF)
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a slot's bytes are read as numbers");

err index_init(struct index *index, unsigned bits)
{
    INVARIANT(bits >= INDEX_BITS_MIN && bits <= 16);
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

/* ---- slots ---- */

/* What a slot keeps of a key: the second word, then 24 bits of the third. */
static inline uint64_t kept_of(const struct index_key *key)
{
    return (uint64_t)key->word[1] << 24 | (key->word[2] & 0xFFFFFF);
}

static inline uint8_t *slot_at(const struct index_part *part, uint32_t at)
{
    return part->slots + (size_t)at * SLOT_BYTES;
}

static inline uint64_t slot_kept(const uint8_t *slot)
{
    uint64_t bytes;
    memcpy(&bytes, slot, sizeof(bytes));
    return bytes & KEY_MASK;
}

static inline uint32_t slot_value(const uint8_t *slot)
{
    uint32_t value;
    memcpy(&value, slot + 7, sizeof(value));
    return value;
}

static inline void slot_set_value(uint8_t *slot, uint32_t value)
{
    memcpy(slot + 7, &value, sizeof(value));
}

static inline void slot_set(uint8_t *slot, uint64_t kept, uint32_t value)
{
    memcpy(slot, &kept, 7); /* the low bytes are the first */
    slot_set_value(slot, value);
}

/* A free slot reads as the greatest key: a search looks at nothing else. */
static inline void slot_clear(uint8_t *slot)
{
    slot_set(slot, KEY_MASK, 0);
}

/* Room behind the places for those who are moved there, and the one that stays free. */
static inline uint32_t slots_of(uint32_t capacity)
{
    uint32_t more = capacity / 16;
    return capacity == 0 ? 0 : capacity + 4 + (more < 28 ? more : 28);
}

static uint8_t *slots_new(uint32_t capacity)
{
    uint32_t count = slots_of(capacity);
    uint8_t *slots = memory_alloc((size_t)count * SLOT_BYTES);
    for (uint32_t i = 0; i < count && slots != NULL; i++)
        slot_clear(slots + (size_t)i * SLOT_BYTES);
    return slots;
}

static inline struct index_part *part_of(const struct index *index, const struct index_key *key)
{
    return &index->parts[key->word[0] >> (32 - index->bits)];
}

static inline uint32_t home_of(uint64_t kept, uint32_t capacity)
{
    return (uint32_t)((kept >> 24) * capacity >> 32);
}

/* The slot of this key, or where it would have to be; NULL in a part without slots. */
static inline uint8_t *find_slot(const struct index_part *part, uint64_t kept)
{
    if (part->capacity == 0)
        return NULL;
    uint8_t *slot = slot_at(part, home_of(kept, part->capacity));
    while (slot_kept(slot) < kept)
        slot += SLOT_BYTES;
    return slot;
}

static inline bool slot_holds(const uint8_t *slot, uint64_t kept)
{
    return slot != NULL && slot_value(slot) != 0 && slot_kept(slot) == kept;
}

/* ---- looking ---- */

uint32_t index_get(const struct index *index, const struct index_key *key)
{
    uint64_t kept = kept_of(key);
    const uint8_t *slot = find_slot(part_of(index, key), kept);
    return slot_holds(slot, kept) ? slot_value(slot) : 0;
}

void index_prefetch_part(const struct index *index, const struct index_key *key)
{
    __builtin_prefetch(part_of(index, key));
}

/* The line of its place, and the next: some 90 bytes are looked at. */
void index_prefetch(const struct index *index, const struct index_key *key)
{
    const struct index_part *part = part_of(index, key);
    if (part->capacity == 0)
        return;
    const uint8_t *slot = slot_at(part, home_of(kept_of(key), part->capacity));
    __builtin_prefetch(slot);
    __builtin_prefetch(slot + 64);
}

/* ---- growing ---- */

/* At most 94 % full, so that a search ends soon. */
static bool has_room(uint64_t capacity, uint64_t count)
{
    return count * 50 <= capacity * 47;
}

/* Are the last slots free, save the one that always is? As many more can then be put in, wherever they belong. */
static bool end_is_free(const struct index_part *part, uint32_t extra)
{
    uint32_t slots = slots_of(part->capacity);
    if (extra + 1 > slots)
        return false;
    for (uint32_t i = 0; i <= extra; i++)
        if (slot_value(slot_at(part, slots - 1 - i)) != 0)
            return false;
    return true;
}

/* In their order, each as near to its place as can be; false when the end is reached. */
static bool copy_slots(const struct index_part *part, struct index_part *into)
{
    uint32_t next = 0, slots = slots_of(into->capacity), old = slots_of(part->capacity);
    for (uint32_t i = 0; i < old; i++) {
        const uint8_t *slot = slot_at(part, i);
        if (slot_value(slot) == 0)
            continue;
        uint32_t home = home_of(slot_kept(slot), into->capacity), at = home > next ? home : next;
        if (at + 1 >= slots)
            return false;
        memcpy(slot_at(into, at), slot, SLOT_BYTES);
        next = at + 1;
    }
    into->count = part->count;
    return true;
}

/* To `capacity` places, or a few more, so that `extra` can be put in without moving again. */
static err part_resize(struct index_part *part, uint64_t capacity, uint32_t extra)
{
    for (;; capacity += capacity / 16 + 1) {
        if (capacity > UINT32_MAX / 2)
            return ERR_NOMEM;
        struct index_part other = { .capacity = (uint32_t)capacity };
        other.slots = slots_new(other.capacity);
        if (other.slots == NULL)
            return ERR_NOMEM;
        if (copy_slots(part, &other) && end_is_free(&other, extra)) {
            memory_free(part->slots);
            *part = other;
            return ERR_OK;
        }
        memory_free(other.slots);
    }
}

static err part_reserve(struct index_part *part, uint32_t extra)
{
    uint64_t needed = (uint64_t)part->count + extra, capacity = part->capacity;
    if (capacity > 0 && has_room(capacity, needed) && end_is_free(part, extra))
        return ERR_OK;
    capacity += capacity / 16 + 1;
    if (capacity < PART_CAPACITY_MIN)
        capacity = PART_CAPACITY_MIN;
    while (!has_room(capacity, needed))
        capacity += capacity / 16 + 1;
    return part_resize(part, capacity, extra);
}

err index_reserve(struct index *index, const struct index_key *key, uint32_t extra)
{
    struct index_part *part = part_of(index, key);
    uint32_t before = slots_of(part->capacity);
    err error = part_reserve(part, extra);
    index->slot_count += slots_of(part->capacity) - before;
    return error;
}

/* ---- putting and taking ---- */

/* Those from `slot` on make room for one. There is a free one behind them. */
static void move_up(uint8_t *slot)
{
    uint8_t *end = slot;
    while (slot_value(end) != 0)
        end += SLOT_BYTES;
    memmove(slot + SLOT_BYTES, slot, (size_t)(end - slot));
}

static void part_put(struct index_part *part, uint8_t *slot, uint64_t kept, uint32_t value)
{
    move_up(slot);
    slot_set(slot, kept, value);
    part->count++;
}

err index_add(struct index *index, const struct index_key *key, uint32_t value)
{
    INVARIANT(value > 0);
    err error = index_reserve(index, key, 1);
    if (error != ERR_OK)
        return error;
    struct index_part *part = part_of(index, key);
    uint64_t kept = kept_of(key);
    uint8_t *slot = find_slot(part, kept);
    INVARIANT(!slot_holds(slot, kept));
    part_put(part, slot, kept, value);
    index->count++;
    return ERR_OK;
}

void index_change(struct index *index, const struct index_key *key, uint32_t value)
{
    uint64_t kept = kept_of(key);
    uint8_t *slot = find_slot(part_of(index, key), kept);
    INVARIANT(value > 0 && slot_holds(slot, kept));
    slot_set_value(slot, value);
}

/* Those behind move back, up to one that is at its place. */
static void close_gap(const struct index_part *part, uint8_t *slot)
{
    uint8_t *end = slot + SLOT_BYTES;
    uint32_t at = (uint32_t)((size_t)(end - part->slots) / SLOT_BYTES);
    while (slot_value(end) != 0 && home_of(slot_kept(end), part->capacity) < at) {
        end += SLOT_BYTES;
        at++;
    }
    memmove(slot, slot + SLOT_BYTES, (size_t)(end - slot) - SLOT_BYTES);
    slot_clear(end - SLOT_BYTES);
}

void index_remove(struct index *index, const struct index_key *key, uint32_t value)
{
    struct index_part *part = part_of(index, key);
    uint64_t kept = kept_of(key);
    uint8_t *slot = find_slot(part, kept);
    if (!slot_holds(slot, kept) || slot_value(slot) != value)
        return;
    close_gap(part, slot);
    part->count--;
    index->count--;
}

void index_shrink(struct index *index, size_t begin, size_t end)
{
    for (size_t i = begin; i < end && i < index_part_count(index); i++) {
        struct index_part *part = &index->parts[i];
        uint64_t capacity = (uint64_t)part->count + part->count / 10 + PART_CAPACITY_MIN;
        uint32_t before = slots_of(part->capacity);
        if ((uint64_t)part->count * 5 >= (uint64_t)part->capacity * 3 || capacity >= part->capacity)
            continue;
        err error = part_resize(part, capacity, 1);
        index->slot_count -= before - slots_of(part->capacity);
        if (error != ERR_OK)
            return;
    }
}

/* ---- loading ---- */

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

/* A tenth more than come, so that the first who come later find room. */
static err make_parts(struct index *index, size_t begin, size_t end)
{
    for (size_t number = begin; number < end; number++) {
        struct index_part *part = &index->parts[number];
        if (part->count == 0)
            continue;
        uint64_t capacity = (uint64_t)part->count + part->count / 10 + PART_CAPACITY_MIN;
        if (capacity > UINT32_MAX / 2)
            return ERR_NOMEM;
        part->slots = slots_new((uint32_t)capacity);
        if (part->slots == NULL)
            return ERR_NOMEM;
        part->capacity = (uint32_t)capacity;
        part->count = 0;
    }
    return ERR_OK;
}

#define SETTLE_AHEAD 8u

static err place_entries(struct index *index, struct index_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct index_entry *entry = &list->entries[i];
        if (i + SETTLE_AHEAD < list->count)
            index_prefetch(index, &list->entries[i + SETTLE_AHEAD].key);
        struct index_part *part = part_of(index, &entry->key);
        uint64_t kept = kept_of(&entry->key);
        if (slot_holds(find_slot(part, kept), kept))
            continue;
        err error = part_reserve(part, 1);
        if (error != ERR_OK)
            return error;
        part_put(part, find_slot(part, kept), kept, entry->value);
    }
    memory_free(list->entries);
    *list = (struct index_list){ .count = 0 };
    return ERR_OK;
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
        if (error == ERR_OK)
            error = place_entries(index, &index->lists[number]);
        for (size_t i = 0; i < other_count && error == ERR_OK; i++)
            error = place_entries(index, &others[i].lists[number]);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

void index_settled(struct index *index)
{
    index->count = index->slot_count = 0;
    for (size_t number = 0; number < (size_t)1 << index->bits; number++) {
        index->count += index->parts[number].count;
        index->slot_count += slots_of(index->parts[number].capacity);
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
    return (sizeof(struct index_part) << index->bits) + index->slot_count * SLOT_BYTES;
}

void index_digest(const struct index *index, struct digest *digest)
{
    for (size_t i = 0; i < (size_t)1 << index->bits; i++) {
        const struct index_part *part = &index->parts[i];
        for (uint32_t at = 0, slots = slots_of(part->capacity); at < slots; at++) {
            const uint8_t *slot = slot_at(part, at);
            uint64_t image[3] = { i, slot_kept(slot), slot_value(slot) };
            if (image[2] != 0)
                digest_add(digest, image, sizeof(image));
        }
    }
}
