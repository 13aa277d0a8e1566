/* SPDX-License-Identifier: Apache-2.0 */
/* dedupe: the set of message keys behind "counts once"; see dedupe.h. */
#include "engine/dedupe.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"

#define SLOTS_FIRST ((size_t)1 << 14)
/* Moved per insert while growing: the old table is empty long before the new one fills up. */
#define SLOTS_MOVED_PER_PUT 16
#define FILTER_BLOCK_WORDS 8
#define FILTER_BITS_PER_KEY 24
#define FILTER_PROBES 8

static int64_t hour_of(int64_t at_ms)
{
    return at_ms / HOUR_MS;
}

/* The full hour behind the 16 bits that a slot keeps: the latest one that is not after `hour_now`. */
static int64_t hour_expand(uint16_t kept, int64_t hour_now)
{
    uint16_t behind = (uint16_t)((uint16_t)hour_now - kept);
    return hour_now - behind;
}

uint64_t dedupe_key_of(uint64_t half)
{
    return half != 0 ? half : 1;
}

uint64_t dedupe_key(const uint8_t message_key[16])
{
    uint64_t half;
    memcpy(&half, message_key, sizeof half);
    return dedupe_key_of(half);
}

/* ---- tables ---- */

static err table_make(struct dedupe_table *table, size_t slots)
{
    uint64_t *keys = memory_map(slots * sizeof *keys);
    uint16_t *hours = memory_map(slots * sizeof *hours);
    if (keys == NULL || hours == NULL) {
        if (keys != NULL)
            memory_unmap(keys, slots * sizeof *keys);
        if (hours != NULL)
            memory_unmap(hours, slots * sizeof *hours);
        return ERR_NOMEM;
    }
    *table = (struct dedupe_table){ .keys = keys, .hours = hours, .slots = slots };
    return ERR_OK;
}

static void table_drop(struct dedupe_table *table)
{
    if (table->slots != 0) {
        memory_unmap(table->keys, table->slots * sizeof *table->keys);
        memory_unmap(table->hours, table->slots * sizeof *table->hours);
    }
    *table = (struct dedupe_table){ .slots = 0 };
}

/* The slot that holds `key`, or the empty one where it would go. */
static size_t table_slot(const struct dedupe_table *table, uint64_t key)
{
    size_t mask = table->slots - 1;
    size_t slot = (size_t)key & mask;
    while (table->keys[slot] != 0 && table->keys[slot] != key)
        slot = (slot + 1) & mask;
    return slot;
}

static void table_put(struct dedupe_table *table, uint64_t key, uint16_t hour)
{
    size_t slot = table_slot(table, key);
    if (table->keys[slot] == 0) {
        table->keys[slot] = key;
        table->used++;
    }
    table->hours[slot] = hour;
}

/* ---- the filter of hours that left RAM ---- */

static uint64_t *filter_block(const struct dedupe *dedupe, uint64_t key)
{
    uint64_t mixed = hash_mix64(key);
    size_t block = (size_t)(((__uint128_t)mixed * dedupe->filter_blocks) >> 64);
    return dedupe->filter + block * FILTER_BLOCK_WORDS;
}

static bool filter_has(const struct dedupe *dedupe, uint64_t key)
{
    if (dedupe->filter == NULL)
        return false;
    const uint64_t *block = filter_block(dedupe, key);
    uint64_t bits = hash_mix64(key ^ UINT64_C(0x9e3779b97f4a7c15));
    for (int probe = 0; probe < FILTER_PROBES; probe++, bits = bits >> 9 | bits << 55) {
        if ((block[(bits >> 6) & 7] & UINT64_C(1) << (bits & 63)) == 0)
            return false;
    }
    return true;
}

static void filter_put(struct dedupe *dedupe, uint64_t key)
{
    uint64_t *block = filter_block(dedupe, key);
    uint64_t bits = hash_mix64(key ^ UINT64_C(0x9e3779b97f4a7c15));
    for (int probe = 0; probe < FILTER_PROBES; probe++, bits = bits >> 9 | bits << 55)
        block[(bits >> 6) & 7] |= UINT64_C(1) << (bits & 63);
    dedupe->filter_keys++;
}

/* The filter is sized once, for as many keys as RAM holds; beyond that it only asks more often. */
static err filter_make(struct dedupe *dedupe)
{
    size_t bits = dedupe->keys_max * FILTER_BITS_PER_KEY;
    dedupe->filter_blocks = bits / (64 * FILTER_BLOCK_WORDS) + 1;
    dedupe->filter = memory_map(dedupe->filter_blocks * FILTER_BLOCK_WORDS * sizeof(uint64_t));
    return dedupe->filter != NULL ? ERR_OK : ERR_NOMEM;
}

/* ---- growing ---- */

static bool is_past(const struct dedupe *dedupe, int64_t hour, int64_t hour_now)
{
    return hour_now - hour > dedupe->window_hours;
}

/* Move some slots of the old table; what is past the window or evicted stays behind. */
static void move_some(struct dedupe *dedupe, size_t slots, int64_t hour_now)
{
    struct dedupe_table *old = &dedupe->old;
    size_t end = dedupe->moved + slots < old->slots ? dedupe->moved + slots : old->slots;
    for (size_t slot = dedupe->moved; slot < end; slot++) {
        uint64_t key = old->keys[slot];
        if (key == 0)
            continue;
        int64_t hour = hour_expand(old->hours[slot], hour_now);
        if (is_past(dedupe, hour, hour_now))
            continue;
        if (hour < dedupe->hour_evicted) {
            filter_put(dedupe, key);
            continue;
        }
        size_t target = table_slot(&dedupe->now, key);
        if (dedupe->now.keys[target] == 0) {
            dedupe->now.keys[target] = key;
            dedupe->now.hours[target] = old->hours[slot];
            dedupe->now.used++;
        }
    }
    dedupe->moved = end;
    if (end == old->slots)
        table_drop(old);
}

/* How many live keys each hour of the window holds tells how much has to leave RAM. */
static err choose_eviction(struct dedupe *dedupe, int64_t hour_now)
{
    size_t hours = (size_t)dedupe->window_hours + 1;
    uint32_t *counts = memory_alloc(hours * sizeof *counts);
    if (counts == NULL)
        return ERR_NOMEM;
    const struct dedupe_table *table = &dedupe->now;
    for (size_t slot = 0; slot < table->slots; slot++) {
        if (table->keys[slot] == 0)
            continue;
        int64_t age = hour_now - hour_expand(table->hours[slot], hour_now);
        if (age >= 0 && (size_t)age < hours)
            counts[age]++;
    }
    /* Keep the newest hours that fill three quarters of the budget: room until the next time. */
    size_t kept = 0, age = 0;
    while (age < hours && kept + counts[age] <= dedupe->keys_max / 4 * 3)
        kept += counts[age++];
    if (age < hours && age > 0)
        dedupe->hour_evicted = hour_now - (int64_t)age + 1;
    memory_free(counts);
    if (dedupe->filter == NULL && age < hours)
        return filter_make(dedupe);
    return ERR_OK;
}

static size_t count_live(const struct dedupe *dedupe, int64_t hour_now)
{
    const struct dedupe_table *table = &dedupe->now;
    size_t live = 0;
    for (size_t slot = 0; slot < table->slots; slot++) {
        if (table->keys[slot] != 0)
            live += !is_past(dedupe, hour_expand(table->hours[slot], hour_now), hour_now);
    }
    return live;
}

/* A table of the same size when most of it is past the window, else one of twice the size. */
static err grow(struct dedupe *dedupe, int64_t hour_now)
{
    if (dedupe->old.slots != 0)
        move_some(dedupe, dedupe->old.slots, hour_now);
    size_t live = count_live(dedupe, hour_now);
    size_t slots = live > dedupe->now.slots / 2 ? dedupe->now.slots * 2 : dedupe->now.slots;
    if (live >= dedupe->keys_max) {
        err error = choose_eviction(dedupe, hour_now);
        if (error != ERR_OK)
            return error;
        slots = dedupe->now.slots;
    }
    struct dedupe_table bigger;
    err error = table_make(&bigger, slots);
    if (error != ERR_OK)
        return error;
    dedupe->old = dedupe->now;
    dedupe->now = bigger;
    dedupe->moved = 0;
    return ERR_OK;
}

/* ---- public ---- */

err dedupe_init(struct dedupe *dedupe, size_t keys_max, int64_t window_ms)
{
    *dedupe = (struct dedupe){ .keys_max = keys_max > SLOTS_FIRST ? keys_max : SLOTS_FIRST,
                               .window_hours = window_ms / HOUR_MS };
    return table_make(&dedupe->now, SLOTS_FIRST);
}

err dedupe_reserve(struct dedupe *dedupe, size_t keys, int64_t now_ms)
{
    size_t wanted = keys + dedupe_count(dedupe);
    size_t slots = dedupe->now.slots;
    if (wanted > dedupe->keys_max)
        wanted = dedupe->keys_max;
    while (slots / 4 * 3 < wanted)
        slots *= 2;
    if (slots == dedupe->now.slots)
        return ERR_OK;
    if (dedupe->old.slots != 0)
        move_some(dedupe, dedupe->old.slots, hour_of(now_ms));
    struct dedupe_table bigger;
    err error = table_make(&bigger, slots);
    if (error != ERR_OK)
        return error;
    dedupe->old = dedupe->now;
    dedupe->now = bigger;
    dedupe->moved = 0;
    move_some(dedupe, dedupe->old.slots, hour_of(now_ms));
    return ERR_OK;
}

void dedupe_deinit(struct dedupe *dedupe)
{
    table_drop(&dedupe->now);
    table_drop(&dedupe->old);
    if (dedupe->filter != NULL)
        memory_unmap(dedupe->filter, dedupe->filter_blocks * FILTER_BLOCK_WORDS * sizeof(uint64_t));
    dedupe->filter = NULL;
}

void dedupe_prefetch(const struct dedupe *dedupe, uint64_t key)
{
    __builtin_prefetch(&dedupe->now.keys[(size_t)key & (dedupe->now.slots - 1)]);
    if (dedupe->old.slots != 0)
        __builtin_prefetch(&dedupe->old.keys[(size_t)key & (dedupe->old.slots - 1)]);
}

static bool table_has(const struct dedupe *dedupe, const struct dedupe_table *table, uint64_t key,
                      int64_t hour_now)
{
    if (table->slots == 0)
        return false;
    size_t slot = table_slot(table, key);
    return table->keys[slot] == key &&
           !is_past(dedupe, hour_expand(table->hours[slot], hour_now), hour_now);
}

enum dedupe_answer dedupe_find(const struct dedupe *dedupe, uint64_t key, int64_t at_ms)
{
    int64_t hour_now = hour_of(at_ms);
    if (table_has(dedupe, &dedupe->now, key, hour_now) ||
        table_has(dedupe, &dedupe->old, key, hour_now))
        return DEDUPE_SEEN;
    return filter_has(dedupe, key) ? DEDUPE_ASK : DEDUPE_NEW;
}

err dedupe_put(struct dedupe *dedupe, uint64_t key, int64_t at_ms, int64_t now_ms)
{
    int64_t hour_now = hour_of(now_ms);
    if (is_past(dedupe, hour_of(at_ms), hour_now))
        return ERR_OK;
    /* Three quarters full: linear probing still finds a place within a few steps. */
    if (dedupe->now.used + 1 > dedupe->now.slots / 4 * 3) {
        err error = grow(dedupe, hour_now);
        if (error != ERR_OK)
            return error;
    }
    if (dedupe->old.slots != 0)
        move_some(dedupe, SLOTS_MOVED_PER_PUT, hour_now);
    if (hour_of(at_ms) < dedupe->hour_evicted)
        filter_put(dedupe, key);
    else
        table_put(&dedupe->now, key, (uint16_t)hour_of(at_ms));
    return ERR_OK;
}

int64_t dedupe_window_start_ms(const struct dedupe *dedupe, int64_t now_ms)
{
    return (hour_of(now_ms) - dedupe->window_hours) * HOUR_MS;
}

size_t dedupe_count(const struct dedupe *dedupe)
{
    return dedupe->now.used + dedupe->old.used;
}

size_t dedupe_memory_bytes(const struct dedupe *dedupe)
{
    size_t slot_bytes = sizeof(uint64_t) + sizeof(uint16_t);
    return (dedupe->now.slots + dedupe->old.slots) * slot_bytes +
           dedupe->filter_blocks * FILTER_BLOCK_WORDS * sizeof(uint64_t);
}

static void digest_table(const struct dedupe *dedupe, const struct dedupe_table *table, size_t from,
                         int64_t hour_now, bool skip_known, struct digest *digest)
{
    for (size_t slot = from; slot < table->slots; slot++) {
        uint64_t key = table->keys[slot];
        if (key == 0)
            continue;
        int64_t hour = hour_expand(table->hours[slot], hour_now);
        if (is_past(dedupe, hour, hour_now))
            continue;
        if (skip_known && dedupe->now.keys[table_slot(&dedupe->now, key)] == key)
            continue;
        digest_add(digest, &key, sizeof key);
    }
}

void dedupe_digest(const struct dedupe *dedupe, int64_t at_ms, struct digest *digest)
{
    int64_t hour_now = hour_of(at_ms);
    if (dedupe->hour_evicted != 0)
        return;
    digest_table(dedupe, &dedupe->now, 0, hour_now, false, digest);
    if (dedupe->old.slots != 0)
        digest_table(dedupe, &dedupe->old, dedupe->moved, hour_now, true, digest);
}
