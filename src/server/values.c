/* SPDX-License-Identifier: Apache-2.0 */
/* A set-associative table of shown values; see values.h. */
#include "server/values.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define WAYS 4
#define LOCKS 256
#define TEXT_BYTES 43

struct entry {
    uint32_t row; /* 0: empty */
    uint32_t source_number;
    int64_t first_seen_ms;
    uint32_t age; /* grows with each entry of its set */
    uint8_t text_bytes;
    char text[TEXT_BYTES];
};
_Static_assert(sizeof(struct entry) == 64, "an entry is a cache line");

struct set {
    struct entry entries[WAYS];
};

struct values {
    struct set *sets;
    size_t set_count, size_bytes;
    _Atomic uint64_t moment; /* grows whenever something is forgotten, before it is */
    pthread_mutex_t locks[LOCKS];
};

/* The highest bit of text_bytes. */
#define IS_DIGEST 0x80

err values_new(struct values **out, size_t size_bytes)
{
    struct values *values = memory_alloc(sizeof(*values));
    if (values == NULL)
        return ERR_NOMEM;
    values->set_count = size_bytes / sizeof(struct set);
    values->size_bytes = values->set_count * sizeof(struct set);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_init(&values->locks[i], NULL);
    *out = values;
    /* Pages are taken when they are first written. */
    values->sets = memory_map(values->size_bytes);
    return values->sets != NULL ? ERR_OK : ERR_NOMEM;
}

void values_free(struct values **pointer)
{
    struct values *values = *pointer;
    *pointer = NULL;
    if (values == NULL)
        return;
    if (values->sets != NULL)
        memory_unmap(values->sets, values->size_bytes);
    for (int i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&values->locks[i]);
    memory_free(values);
}

size_t values_room(const struct values *values)
{
    return values->set_count * WAYS;
}

uint64_t values_moment(const struct values *values)
{
    return atomic_load(&values->moment);
}

size_t values_memory_bytes(const struct values *values)
{
    return values->size_bytes;
}

/* Rows are numbers in order: spread by Fibonacci hashing, the sets by the high bits (Lemire). */
static size_t set_of(const struct values *values, uint32_t row)
{
    uint64_t hash = row * UINT64_C(0x9E3779B97F4A7C15) >> 32;
    return (size_t)(hash * values->set_count >> 32);
}

static uint8_t mark_of(const struct identity_row_view *row)
{
    return (row->flags & IDENTIFIER_HASHED) != 0 ? IS_DIGEST : 0;
}

/* It is held for some 50 ns. Who had to give up the processor meanwhile would hold up everybody: a look into the ledger
 * costs less than that. */
#define LOCK_TRIES 30

static bool try_lock(pthread_mutex_t *lock)
{
    bool locked = false;
    for (int i = 0; i < LOCK_TRIES && !locked; i++)
        locked = pthread_mutex_trylock(lock) == 0;
    return locked;
}

static struct entry *find_entry(struct set *set, uint32_t row)
{
    for (int way = 0; way < WAYS; way++)
        if (set->entries[way].row == row)
            return &set->entries[way];
    return NULL;
}

bool values_find(struct values *values, struct arena *arena, struct identity_row_view *row)
{
    char text[TEXT_BYTES];
    size_t place = set_of(values, row->row), size = 0;
    pthread_mutex_t *lock = &values->locks[place % LOCKS];
    if (!try_lock(lock))
        return false;
    const struct entry *entry = find_entry(&values->sets[place], row->row);
    bool found = entry != NULL && (entry->text_bytes & IS_DIGEST) == mark_of(row);
    if (found) {
        size = entry->text_bytes & ~(unsigned)IS_DIGEST;
        memcpy(text, entry->text, TEXT_BYTES);
        row->source_number = entry->source_number;
        row->first_seen_ms = entry->first_seen_ms;
    }
    pthread_mutex_unlock(lock);
    return found && arena_dup(arena, str_from_bytes(text, size), &row->value) == ERR_OK;
}

/* Where the row is, else the oldest of its set. */
static struct entry *place_for(struct set *set, uint32_t row, uint32_t *age)
{
    struct entry *entry = find_entry(set, row), *oldest = &set->entries[0];
    *age = 0;
    for (int way = 0; way < WAYS; way++) {
        if (set->entries[way].age > *age)
            *age = set->entries[way].age;
        if (set->entries[way].age < oldest->age)
            oldest = &set->entries[way];
    }
    return entry != NULL ? entry : oldest;
}

static bool has_room_for(const struct identity_row_view *row)
{
    return row->row != 0 && row->value.size > 0 && row->value.size <= TEXT_BYTES;
}

/* Under the set's lock. What is forgotten later finds the moment changed here, or the entry there. */
static void put(struct values *values, size_t place, const struct identity_row_view *row,
                uint64_t moment)
{
    uint32_t age;
    if (moment != values_moment(values))
        return;
    struct entry *entry = place_for(&values->sets[place], row->row, &age);
    *entry = (struct entry){ .row = row->row,
                             .source_number = row->source_number,
                             .first_seen_ms = row->first_seen_ms,
                             .age = age + 1,
                             .text_bytes = (uint8_t)(row->value.size | mark_of(row)) };
    memcpy(entry->text, row->value.data, row->value.size);
}

void values_keep(struct values *values, const struct identity_row_view *row, uint64_t moment)
{
    size_t place = set_of(values, row->row);
    pthread_mutex_t *lock = &values->locks[place % LOCKS];
    if (!has_room_for(row) || !try_lock(lock))
        return;
    put(values, place, row, moment);
    pthread_mutex_unlock(lock);
}

void values_fill(struct values *values, const struct identity_row_view *row, uint64_t moment)
{
    size_t place = set_of(values, row->row);
    pthread_mutex_t *lock = &values->locks[place % LOCKS];
    if (!has_room_for(row))
        return;
    pthread_mutex_lock(lock);
    put(values, place, row, moment);
    pthread_mutex_unlock(lock);
}

/* ---- forgetting ---- */

static void forget_one(struct values *values, uint32_t row)
{
    size_t place = set_of(values, row);
    pthread_mutex_t *lock = &values->locks[place % LOCKS];
    pthread_mutex_lock(lock);
    struct entry *entry = row != 0 ? find_entry(&values->sets[place], row) : NULL;
    if (entry != NULL)
        *entry = (struct entry){ .row = 0 };
    pthread_mutex_unlock(lock);
}

void values_forget(struct values *values, const uint32_t *rows, size_t count)
{
    if (count > 0)
        atomic_fetch_add(&values->moment, 1);
    for (size_t i = 0; i < count; i++)
        forget_one(values, rows[i]);
}

void values_forget_all(struct values *values)
{
    atomic_fetch_add(&values->moment, 1);
    for (size_t place = 0; place < values->set_count; place++) {
        pthread_mutex_t *lock = &values->locks[place % LOCKS];
        pthread_mutex_lock(lock);
        for (int way = 0; way < WAYS; way++) /* what was never used is not made memory */
            if (values->sets[place].entries[way].row != 0)
                values->sets[place].entries[way] = (struct entry){ .row = 0 };
        pthread_mutex_unlock(lock);
    }
}
