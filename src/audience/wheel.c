/* SPDX-License-Identifier: Apache-2.0 */
/* wheel: who is due when, by the minute.
 *
 * One due time per customer: the first moment at which time alone may change an answer about her. Buckets are
 * bitmaps, so that a bucket is settled in the order of customers, as history lies. What is due later than tomorrow
 * stands in the bucket of the full hour before: when that comes she is judged once for nothing and gets her
 * minute, and a quarter of a year ahead takes two thousand buckets instead of a hundred thousand.
 *
 * A minute is taken as whole bitmaps, however many are in it: their cells keep the old minute, and `stale` says of whom that is
 * so, until she is put again. */
#include <string.h>

#include "audience/state.h"

#define NEAR_MINUTES (26 * 60)

uint32_t wheel_minute(int64_t time_ms)
{
    int64_t minute = time_ms / MINUTE_MS;
    return minute < 1 ? 1 : minute > UINT32_MAX ? UINT32_MAX : (uint32_t)minute;
}

void wheel_deinit(struct wheel *wheel)
{
    for (uint32_t i = 0; i < wheel->slot_count; i++)
        if (wheel->buckets[i].minute != 0)
            roaring_bitmap_free(wheel->buckets[i].customers);
    for (uint32_t i = 0; i < wheel->chunk_count; i++)
        memory_free(wheel->due[i]);
    memory_free(wheel->buckets);
    memory_free((void *)wheel->due);
    if (wheel->stale != NULL)
        roaring_bitmap_free(wheel->stale);
    *wheel = (struct wheel){ .count = 0 };
}

static bool is_stale(const struct wheel *wheel, uint32_t customer)
{
    return wheel->stale != NULL && roaring_bitmap_contains(wheel->stale, customer);
}

uint32_t wheel_due(const struct wheel *wheel, uint32_t customer)
{
    uint32_t chunk = chunk_of(customer);
    if (chunk >= wheel->chunk_count || wheel->due[chunk] == NULL || is_stale(wheel, customer))
        return 0;
    return wheel->due[chunk][customer & (CHUNK_SIZE - 1)];
}

uint32_t wheel_last(const struct wheel *wheel, uint32_t customer)
{
    uint32_t chunk = chunk_of(customer);
    bool has_chunk = chunk < wheel->chunk_count && wheel->due[chunk] != NULL;
    return has_chunk ? wheel->due[chunk][customer & (CHUNK_SIZE - 1)] : 0;
}

static uint32_t *due_cell(struct wheel *wheel, uint32_t customer)
{
    uint32_t chunk = chunk_of(customer);
    if (chunk >= wheel->chunk_count) {
        uint32_t **due = memory_resize((void *)wheel->due, (chunk + 1) * sizeof(*wheel->due));
        if (due == NULL)
            return NULL;
        memset((void *)(due + wheel->chunk_count), 0,
               (chunk + 1 - wheel->chunk_count) * sizeof(*due));
        wheel->due = due;
        wheel->chunk_count = chunk + 1;
    }
    if (wheel->due[chunk] == NULL)
        wheel->due[chunk] = memory_alloc(CHUNK_SIZE * sizeof(**wheel->due));
    return wheel->due[chunk] != NULL ? &wheel->due[chunk][customer & (CHUNK_SIZE - 1)] : NULL;
}

static struct wheel_bucket *find_slot(struct wheel_bucket *buckets, uint32_t slot_count,
                                      int64_t minute)
{
    uint32_t mask = slot_count - 1, at = (uint32_t)hash_mix64((uint64_t)minute) & mask;
    while (buckets[at].minute != 0 && buckets[at].minute != minute)
        at = (at + 1) & mask;
    return &buckets[at];
}

static err grow(struct wheel *wheel)
{
    if (wheel->slot_count > 0 && wheel->bucket_count < wheel->slot_count / 2)
        return ERR_OK;
    uint32_t slot_count = wheel->slot_count > 0 ? wheel->slot_count * 2 : 1024;
    struct wheel_bucket *buckets = memory_alloc(slot_count * sizeof(*buckets));
    if (buckets == NULL)
        return ERR_NOMEM;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < wheel->slot_count; i++) {
        struct wheel_bucket *bucket = &wheel->buckets[i];
        if (bucket->minute == 0)
            continue;
        if (roaring_bitmap_is_empty(bucket->customers)) {
            roaring_bitmap_free(bucket->customers);
            continue;
        }
        *find_slot(buckets, slot_count, bucket->minute) = *bucket;
        kept++;
    }
    memory_free(wheel->buckets);
    wheel->buckets = buckets;
    wheel->slot_count = slot_count;
    wheel->bucket_count = kept;
    return ERR_OK;
}

static err bucket_add(struct wheel *wheel, uint32_t minute, uint32_t customer)
{
    err error = grow(wheel);
    if (error != ERR_OK)
        return error;
    struct wheel_bucket *bucket = find_slot(wheel->buckets, wheel->slot_count, minute);
    if (bucket->minute == 0) {
        bucket->customers = roaring_bitmap_create();
        if (bucket->customers == NULL)
            return ERR_NOMEM;
        bucket->minute = minute;
        wheel->bucket_count++;
    }
    roaring_bitmap_add(bucket->customers, customer);
    return ERR_OK;
}

static void bucket_remove(struct wheel *wheel, uint32_t minute, uint32_t customer)
{
    if (wheel->slot_count == 0)
        return;
    struct wheel_bucket *bucket = find_slot(wheel->buckets, wheel->slot_count, minute);
    if (bucket->minute != 0)
        roaring_bitmap_remove(bucket->customers, customer);
}

err wheel_put(struct wheel *wheel, uint32_t customer, int64_t until_ms, int64_t now_ms)
{
    uint32_t before = wheel_due(wheel, customer), minute = 0;
    if (until_ms != RULE_FOREVER) {
        minute = wheel_minute(until_ms);
        uint32_t now = wheel_minute(now_ms);
        if (minute > now + NEAR_MINUTES)
            minute -= minute % 60;
    }
    if (minute == before && !(minute == 0 && is_stale(wheel, customer)))
        return ERR_OK;
    uint32_t *cell = due_cell(wheel, customer);
    if (cell == NULL)
        return ERR_NOMEM;
    if (minute != 0) {
        err error = bucket_add(wheel, minute, customer);
        if (error != ERR_OK)
            return error;
    }
    if (before != 0)
        bucket_remove(wheel, before, customer);
    if (minute != 0 && before == 0)
        wheel->count++;
    else if (minute == 0 && before != 0)
        wheel->count--;
    if (before == 0 && wheel->stale != NULL)
        roaring_bitmap_remove(wheel->stale, customer);
    *cell = minute;
    return ERR_OK;
}

/* Once a minute: a walk over a few thousand slots, and a few words of bitmaps per chunk of customers. */
err wheel_take(struct wheel *wheel, uint32_t minute, roaring_bitmap_t *out)
{
    if (wheel->stale == NULL)
        wheel->stale = roaring_bitmap_create();
    if (wheel->stale == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < wheel->slot_count; i++) {
        struct wheel_bucket *bucket = &wheel->buckets[i];
        if (bucket->minute == 0 || bucket->minute > minute ||
            roaring_bitmap_is_empty(bucket->customers))
            continue;
        wheel->count -= roaring_bitmap_get_cardinality(bucket->customers);
        roaring_bitmap_or_inplace(wheel->stale, bucket->customers);
        roaring_bitmap_or_inplace(out, bucket->customers);
        /* The slot stays, so that look-ups beyond it still find; `grow` drops what is empty. */
        roaring_bitmap_clear(bucket->customers);
    }
    return ERR_OK;
}

size_t wheel_bytes(const struct wheel *wheel)
{
    size_t bytes = wheel->slot_count * sizeof(*wheel->buckets);
    for (uint32_t i = 0; i < wheel->slot_count; i++)
        if (wheel->buckets[i].minute != 0)
            bytes += roaring_bitmap_size_in_bytes(wheel->buckets[i].customers) + 64;
    for (uint32_t i = 0; i < wheel->chunk_count; i++)
        bytes += wheel->due[i] != NULL ? CHUNK_SIZE * sizeof(uint32_t) : 0;
    return bytes;
}
