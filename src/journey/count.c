/* SPDX-License-Identifier: Apache-2.0 */
/* count: what the report counts (by journey, version, node and local day), and who has entered before. */
#include <string.h>

#include "journey/state.h"

const char *count_text(enum count_kind kind)
{
    static const char *const texts[] = {
#define X(NAME, text) text,
        COUNT_KINDS(X)
#undef X
    };
    return texts[kind];
}

/* ---- counts ---- */

static uint64_t row_hash(uint16_t journey, uint16_t version, uint16_t node, uint16_t goal,
                         int32_t day)
{
    return hash_mix64((uint64_t)journey << 48 | (uint64_t)version << 32 | (uint64_t)node << 16 |
                      goal) ^
           hash_mix64((uint64_t)(uint32_t)day + 1);
}

static uint32_t *place_of(const struct counts *counts, uint16_t journey, uint16_t version,
                          uint16_t node, uint16_t goal, int32_t day)
{
    uint32_t mask = counts->index_capacity - 1;
    uint32_t place = (uint32_t)row_hash(journey, version, node, goal, day) & mask;
    for (; counts->index[place] != 0; place = (place + 1) & mask) {
        const struct count_row *row = &counts->rows[counts->index[place] - 1];
        if (row->journey == journey && row->version == version && row->node == node &&
            row->goal == goal && row->day == day)
            break;
    }
    return &counts->index[place];
}

static err grow_index(struct counts *counts)
{
    uint32_t capacity = counts->index_capacity == 0 ? 1024 : counts->index_capacity * 2;
    uint32_t *made = memory_alloc(capacity * sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    memory_free(counts->index);
    counts->index = made;
    counts->index_capacity = capacity;
    for (uint32_t i = 0; i < counts->count; i++) {
        const struct count_row *row = &counts->rows[i];
        *place_of(counts, row->journey, row->version, row->node, row->goal, row->day) = i + 1;
    }
    return ERR_OK;
}

static err add_row(struct counts *counts, const struct count_row *row, uint32_t **place)
{
    if (counts->count * 2 >= counts->index_capacity) {
        err error = grow_index(counts);
        if (error != ERR_OK)
            return error;
        *place = place_of(counts, row->journey, row->version, row->node, row->goal, row->day);
    }
    if (counts->count == counts->capacity) {
        uint32_t capacity = counts->capacity == 0 ? 256 : counts->capacity * 2;
        struct count_row *longer = memory_resize(counts->rows, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        counts->rows = longer;
        counts->capacity = capacity;
    }
    counts->rows[counts->count++] = *row;
    **place = counts->count;
    return ERR_OK;
}

static err find_row(struct counts *counts, const struct count_row *wanted, struct count_row **row)
{
    uint32_t *place = NULL;
    if (counts->index_capacity == 0) {
        err error = grow_index(counts);
        if (error != ERR_OK)
            return error;
    }
    place =
        place_of(counts, wanted->journey, wanted->version, wanted->node, wanted->goal, wanted->day);
    err error = *place == 0 ? add_row(counts, wanted, &place) : ERR_OK;
    if (error == ERR_OK)
        *row = &counts->rows[*place - 1];
    return error;
}

static err mark_dirty(struct counts *counts, struct count_row *row)
{
    if (row->is_dirty)
        return ERR_OK;
    if (counts->dirty_count == counts->dirty_capacity) {
        uint32_t capacity = counts->dirty_capacity == 0 ? 256 : counts->dirty_capacity * 2;
        uint32_t *longer = memory_resize(counts->dirty, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        counts->dirty = longer;
        counts->dirty_capacity = capacity;
    }
    counts->dirty[counts->dirty_count++] = (uint32_t)(row - counts->rows);
    row->is_dirty = true;
    return ERR_OK;
}

err counts_add(struct journeys *journeys, const struct version *version, uint16_t node,
               uint16_t goal, int64_t at_ms, enum count_kind kind, int64_t by)
{
    struct count_row wanted = { .journey = version->journey->number,
                                .version = (uint16_t)version->number,
                                .node = node,
                                .goal = goal,
                                .day = journey_local_day(journeys, at_ms) };
    struct count_row *row = NULL;
    err error = find_row(&journeys->counts, &wanted, &row);
    if (error != ERR_OK)
        return error;
    row->counts[kind] += by;
    return mark_dirty(&journeys->counts, row);
}

err counts_load(struct counts *counts, const struct count_row *loaded)
{
    struct count_row *row = NULL;
    err error = find_row(counts, loaded, &row);
    if (error == ERR_OK)
        memcpy(row->counts, loaded->counts, sizeof row->counts);
    return error;
}

err counts_absorb(struct counts *counts, const struct counts *other)
{
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < other->count; i++) {
        struct count_row wanted = other->rows[i], *row = NULL;
        memset(wanted.counts, 0, sizeof wanted.counts);
        wanted.is_dirty = false;
        error = find_row(counts, &wanted, &row);
        for (int kind = 0; error == ERR_OK && kind < COUNT_KIND_COUNT; kind++)
            row->counts[kind] += other->rows[i].counts[kind];
    }
    return error;
}

static void store_row(const struct count_row *row, struct ledger_writes *writes)
{
    struct buffer out;
    buffer_init(&out, 4096);
    for (int kind = 0; kind < COUNT_KIND_COUNT; kind++)
        write_zigzag(&out, row->counts[kind]);
    LEDGER_PUT(writes, LEDGER_JOURNEY_COUNTS, ledger_int(row->journey), ledger_int(row->version),
               ledger_int((int64_t)row->node << 16 | row->goal), ledger_int(row->day),
               ledger_blob(buffer_str(&out)));
    buffer_deinit(&out);
}

void counts_commit(struct counts *counts, struct ledger_writes *writes)
{
    for (uint32_t i = 0; i < counts->dirty_count; i++) {
        struct count_row *row = &counts->rows[counts->dirty[i]];
        if (writes != NULL)
            store_row(row, writes);
        row->is_dirty = false;
    }
    counts->dirty_count = 0;
}

void counts_deinit(struct counts *counts)
{
    memory_free(counts->rows);
    memory_free(counts->index);
    memory_free(counts->dirty);
    *counts = (struct counts){ .count = 0 };
}

/* ---- entries ---- */

uint64_t entry_hash(uint16_t journey, uint32_t node, str key)
{
    uint64_t hash = hash_bytes64(key.data, key.size, hash_mix64((uint64_t)journey << 32 | node));
    return hash != 0 ? hash : 1;
}

static uint32_t entry_place(const struct entries *entries, uint64_t hash)
{
    uint32_t place = (uint32_t)hash & (entries->capacity - 1);
    while (entries->hashes[place] != 0 && entries->hashes[place] != hash)
        place = (place + 1) & (entries->capacity - 1);
    return place;
}

static err entries_grow(struct entries *entries)
{
    struct entries larger = { .capacity = entries->capacity == 0 ? 1024 : entries->capacity * 2 };
    larger.hashes = memory_alloc(larger.capacity * sizeof(*larger.hashes));
    larger.at_s = memory_alloc(larger.capacity * sizeof(*larger.at_s));
    if (larger.hashes == NULL || larger.at_s == NULL) {
        entries_deinit(&larger);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < entries->capacity; i++) {
        if (entries->hashes[i] == 0)
            continue;
        uint32_t place = entry_place(&larger, entries->hashes[i]);
        larger.hashes[place] = entries->hashes[i];
        larger.at_s[place] = entries->at_s[i];
        larger.used++;
    }
    entries_deinit(entries);
    *entries = larger;
    return ERR_OK;
}

err entries_put(struct entries *entries, uint64_t hash, int64_t at_ms)
{
    if (entries->used * 4 >= entries->capacity * 3) {
        err error = entries_grow(entries);
        if (error != ERR_OK)
            return error;
    }
    uint32_t place = entry_place(entries, hash), at_s = (uint32_t)(at_ms / 1000);
    if (entries->hashes[place] == 0) {
        entries->hashes[place] = hash;
        entries->used++;
    } else if (entries->at_s[place] > at_s) {
        return ERR_OK;
    }
    entries->at_s[place] = at_s;
    return ERR_OK;
}

bool entries_get(const struct entries *entries, uint64_t hash, int64_t *at_ms)
{
    if (entries->capacity == 0)
        return false;
    uint32_t place = entry_place(entries, hash);
    *at_ms = (int64_t)entries->at_s[place] * 1000;
    return entries->hashes[place] != 0;
}

void entries_deinit(struct entries *entries)
{
    memory_free(entries->hashes);
    memory_free(entries->at_s);
    *entries = (struct entries){ .used = 0 };
}
