/* SPDX-License-Identifier: Apache-2.0 */
/* quarantine: events that do not fit; see quarantine.h. */
#include "engine/quarantine.h"

#include <string.h>

#include "base/arena.h"

#define SLOTS_FIRST ((size_t)1 << 10)

static size_t slot_of(const struct quarantine *quarantine, uint64_t key)
{
    size_t mask = quarantine->slot_count - 1;
    size_t slot = (size_t)key & mask;
    while (quarantine->slots[slot].key != 0 && quarantine->slots[slot].key != key)
        slot = (slot + 1) & mask;
    return slot;
}

/* Taken slots keep their key (the chain must not break) with id 0; growing leaves them behind. */
static err make_room(struct quarantine *quarantine)
{
    if (quarantine->slot_count != 0 && quarantine->used + 1 <= quarantine->slot_count / 4 * 3)
        return ERR_OK;
    struct quarantine grown = { .slot_count = SLOTS_FIRST };
    while (grown.slot_count < quarantine->open * 2 + 2)
        grown.slot_count *= 2;
    grown.slots = memory_alloc(grown.slot_count * sizeof *grown.slots);
    if (grown.slots == NULL)
        return ERR_NOMEM;
    for (size_t slot = 0; slot < quarantine->slot_count; slot++) {
        if (quarantine->slots[slot].id == 0)
            continue;
        grown.slots[slot_of(&grown, quarantine->slots[slot].key)] = quarantine->slots[slot];
        grown.used++;
    }
    grown.open = grown.used;
    memory_free(quarantine->slots);
    *quarantine = grown;
    return ERR_OK;
}

static err open_add(struct quarantine *quarantine, uint64_t key, uint64_t id)
{
    err error = make_room(quarantine);
    if (error != ERR_OK)
        return error;
    struct quarantine_slot *slot = &quarantine->slots[slot_of(quarantine, key)];
    if (slot->key == 0)
        quarantine->used++;
    if (slot->id == 0)
        quarantine->open++;
    *slot = (struct quarantine_slot){ .key = key, .id = id };
    return ERR_OK;
}

struct load_context {
    struct quarantine *quarantine;
    struct dedupe *dedupe;
    int64_t now_ms;
    struct arena arena;
    err error;
};

static bool load_row(void *context, const struct ledger_value *values)
{
    struct load_context *load = context;
    struct event event;
    str record = values[7].bytes;
    uint64_t key = 0;
    arena_reset(&load->arena);
    if (!str_equal(values[8].bytes, STR("waiting"))) {
        if (record.size == sizeof key)
            memcpy(&key, record.data, sizeof key);
    } else if (event_decode(record, &load->arena, &event, NULL) == ERR_OK) {
        key = dedupe_key(event.message_key);
        load->error = open_add(load->quarantine, key, (uint64_t)values[0].integer);
    } /* else kept for people to look at; it cannot be replayed */
    if (load->error == ERR_OK && key != 0 && !event_source_is_import((uint32_t)values[3].integer))
        load->error = dedupe_put(load->dedupe, key, values[2].integer, load->now_ms);
    return load->error == ERR_OK;
}

err quarantine_load(struct quarantine *quarantine, struct ledger *ledger, struct dedupe *dedupe,
                    int64_t now_ms, struct problem *problem)
{
    *quarantine = (struct quarantine){ .open = 0 };
    err error = make_room(quarantine);
    if (error != ERR_OK)
        return error;
    struct load_context load = { .quarantine = quarantine, .dedupe = dedupe, .now_ms = now_ms };
    arena_init(&load.arena, "start", (size_t)16 << 20);
    error = ledger_scan(ledger, LEDGER_QUARANTINE, NULL, load_row, &load, problem);
    arena_deinit(&load.arena);
    return error != ERR_OK ? error : load.error;
}

void quarantine_deinit(struct quarantine *quarantine)
{
    memory_free(quarantine->slots);
    *quarantine = (struct quarantine){ .open = 0 };
}

err quarantine_file(struct quarantine *quarantine, uint64_t key, uint64_t seq, int64_t now_ms,
                    uint32_t source_number, str event_type, str reason, str detail, str record,
                    struct ledger_writes *writes)
{
    err error = key != 0 ? open_add(quarantine, key, seq) : ERR_OK;
    if (error != ERR_OK)
        return error;
    LEDGER_PUT(writes, LEDGER_QUARANTINE, ledger_int((int64_t)seq), ledger_int((int64_t)seq),
               ledger_int(now_ms), ledger_int(source_number), ledger_text(event_type),
               ledger_text(reason), ledger_text(detail), ledger_blob(record),
               ledger_text(STR("waiting")), ledger_int(0));
    return ERR_OK;
}

bool quarantine_has(const struct quarantine *quarantine, uint64_t key)
{
    const struct quarantine_slot *slot = &quarantine->slots[slot_of(quarantine, key)];
    return slot->key != 0 && slot->id != 0;
}

bool quarantine_take(struct quarantine *quarantine, uint64_t key, struct ledger_writes *writes)
{
    if (!quarantine_has(quarantine, key))
        return false;
    struct quarantine_slot *slot = &quarantine->slots[slot_of(quarantine, key)];
    struct ledger_value id = ledger_int((int64_t)slot->id);
    ledger_delete(writes, LEDGER_QUARANTINE, &id);
    slot->id = 0;
    quarantine->open--;
    return true;
}

/* The row stays, without the event, so that a client's late retry still counts as seen. */
static void forget_event(const struct quarantine_slot *slot, int64_t now_ms,
                         struct ledger_writes *writes)
{
    LEDGER_PUT(writes, LEDGER_QUARANTINE, ledger_int((int64_t)slot->id),
               ledger_int((int64_t)slot->id), ledger_int(now_ms), ledger_int(0),
               ledger_text(STR_NONE), ledger_text(STR_NONE), ledger_text(STR_NONE),
               ledger_blob(str_from_bytes(&slot->key, sizeof slot->key)),
               ledger_text(STR("discarded")), ledger_int(0));
}

static bool has_id(const uint64_t *ids, size_t count, uint64_t id)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ids[middle] == id)
            return true;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

size_t quarantine_discard(struct quarantine *quarantine, const uint64_t *ids, size_t count,
                          int64_t now_ms, struct ledger_writes *writes)
{
    size_t discarded = 0;
    for (size_t slot = 0; slot < quarantine->slot_count; slot++) {
        uint64_t id = quarantine->slots[slot].id;
        if (id == 0 || !has_id(ids, count, id))
            continue;
        forget_event(&quarantine->slots[slot], now_ms, writes);
        quarantine->slots[slot].id = 0;
        discarded++;
    }
    quarantine->open -= discarded;
    return discarded;
}

void quarantine_drop(struct quarantine *quarantine, const uint64_t *ids, size_t count,
                     struct ledger_writes *writes)
{
    for (size_t slot = 0; slot < quarantine->slot_count; slot++) {
        uint64_t id = quarantine->slots[slot].id;
        if (id == 0 || !has_id(ids, count, id))
            continue;
        quarantine->slots[slot].id = 0;
        quarantine->open--;
    }
    for (size_t i = 0; i < count; i++) {
        struct ledger_value key = ledger_int((int64_t)ids[i]);
        ledger_delete(writes, LEDGER_QUARANTINE, &key);
    }
}
