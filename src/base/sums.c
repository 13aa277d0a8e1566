/* SPDX-License-Identifier: Apache-2.0 */
/* sums: records by key; see sums.h. */
#include "base/sums.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"

#define CAPACITY_FIRST 256
#define PLACES_PER_RECORD 4 /* of the index: it is never more than a quarter full */
#define HASH_SEED 57

void sums_init(struct sums *sums, size_t record_bytes, size_t key_bytes, size_t count_max)
{
    assert(key_bytes > 0 && key_bytes <= record_bytes && count_max < (size_t)INT32_MAX);
    *sums = (struct sums){ .record_bytes = record_bytes,
                           .key_bytes = key_bytes,
                           .count_max = count_max };
}

void sums_deinit(struct sums *sums)
{
    memory_free(sums->records);
    memory_free(sums->index);
    *sums = (struct sums){ .record_bytes = 0 };
}

/* Where its number stands, or would. */
static uint32_t *place_of(const struct sums *sums, const void *key)
{
    size_t mask = sums->index_capacity - 1;
    size_t place = (size_t)hash_bytes64(key, sums->key_bytes, HASH_SEED) & mask;
    for (; sums->index[place] != 0; place = (place + 1) & mask)
        if (memcmp(sums_at(sums, sums->index[place] - 1), key, sums->key_bytes) == 0)
            break;
    return &sums->index[place];
}

static err grow(struct sums *sums)
{
    size_t capacity = sums->capacity == 0 ? CAPACITY_FIRST : sums->capacity * 2;
    uint32_t *index = memory_alloc(capacity * PLACES_PER_RECORD * sizeof *index);
    unsigned char *records =
        index != NULL ? memory_resize(sums->records, capacity * sums->record_bytes) : NULL;
    if (records == NULL) {
        memory_free(index);
        return ERR_NOMEM;
    }
    memory_free(sums->index);
    sums->records = records;
    sums->index = index;
    sums->capacity = capacity;
    sums->index_capacity = capacity * PLACES_PER_RECORD;
    for (size_t i = 0; i < sums->count; i++)
        *place_of(sums, sums_at(sums, i)) = (uint32_t)i + 1;
    return ERR_OK;
}

err sums_of(struct sums *sums, const void *key, void **record)
{
    err error = sums->count == sums->capacity ? grow(sums) : ERR_OK;
    *record = NULL;
    if (error != ERR_OK)
        return error;
    uint32_t *place = place_of(sums, key);
    if (*place == 0) {
        if (sums->count == sums->count_max)
            return ERR_OK;
        unsigned char *added = sums->records + sums->count * sums->record_bytes;
        memset(added, 0, sums->record_bytes);
        memcpy(added, key, sums->key_bytes);
        *place = (uint32_t)++sums->count;
    }
    *record = sums->records + (*place - 1) * sums->record_bytes;
    return ERR_OK;
}
