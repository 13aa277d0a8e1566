/* SPDX-License-Identifier: Apache-2.0 */
/* epoch: what readers may still hold is not freed.
 *
 * The epoch counts retirements. A reader writes the epoch it knows into its slot, then passes over the
 * counter with a read-modify-write; the engine takes a thing out of reach, then passes over the same counter, then
 * reads the slots. Of two such passages one comes first. If the reader's did, the engine sees the
 * slot; if the engine's did, the reader does not find the thing any more. No fence is needed, which
 * ThreadSanitizer would not understand. (Fraser, "Practical lock-freedom", 2004, 5.2.3; with a single writer.)
 *
 * A thing retired at epoch e may be held by readers whose slot says e or less. */
#include "history/state.h"

err retire_reserve(struct history *history, size_t count)
{
    struct retirement *waiting = &history->retirement;
    if (waiting->count + count <= waiting->capacity)
        return ERR_OK;
    size_t capacity = waiting->capacity > 0 ? waiting->capacity : 64;
    while (capacity < waiting->count + count)
        capacity *= 2;
    struct retired *ring = memory_resize(NULL, capacity * sizeof(*ring));
    if (ring == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < waiting->count; i++)
        ring[i] = waiting->ring[(waiting->begin + i) & (waiting->capacity - 1)];
    memory_free(waiting->ring);
    waiting->ring = ring;
    waiting->begin = 0;
    waiting->capacity = capacity;
    return ERR_OK;
}

void retire(struct history *history, void (*destroy)(struct history *, void *), void *object,
            size_t bytes)
{
    struct retirement *waiting = &history->retirement;
    INVARIANT(waiting->count < waiting->capacity);
    uint64_t epoch = atomic_fetch_add_explicit(&history->epoch, 1, memory_order_acq_rel);
    waiting->ring[(waiting->begin + waiting->count++) & (waiting->capacity - 1)] =
        (struct retired){ .epoch = epoch, .destroy = destroy, .object = object, .bytes = bytes };
    waiting->bytes += bytes;
}

/* The oldest epoch that is being read in; UINT64_MAX when nobody reads. */
static uint64_t oldest_epoch(struct history *history)
{
    uint64_t oldest = UINT64_MAX;
    for (unsigned i = 0; i < READERS_MAX; i++) {
        uint64_t epoch = atomic_load_explicit(&history->readers[i].epoch, memory_order_acquire);
        if (epoch != 0 && epoch < oldest)
            oldest = epoch;
    }
    return oldest;
}

static void free_until(struct history *history, uint64_t oldest)
{
    struct retirement *waiting = &history->retirement;
    while (waiting->count > 0) {
        struct retired item = waiting->ring[waiting->begin];
        if (item.epoch >= oldest)
            return;
        waiting->begin = (waiting->begin + 1) & (waiting->capacity - 1);
        waiting->count--;
        waiting->bytes -= item.bytes;
        item.destroy(history, item.object);
    }
}

void retire_collect(struct history *history)
{
    if (history->retirement.count > 0)
        free_until(history, oldest_epoch(history));
}

void retire_all(struct history *history)
{
    free_until(history, UINT64_MAX);
    memory_free(history->retirement.ring);
}

/* ---- readers ---- */

err reader_slot_take(struct history *history, struct reader_slot **slot)
{
    for (unsigned i = 0; i < READERS_MAX; i++) {
        bool is_taken = false;
        if (atomic_compare_exchange_strong(&history->readers[i].is_taken, &is_taken, true)) {
            *slot = &history->readers[i];
            return ERR_OK;
        }
    }
    return ERR_BUSY;
}

void reader_slot_give(struct reader_slot *slot)
{
    INVARIANT(atomic_load_explicit(&slot->epoch, memory_order_relaxed) == 0);
    atomic_store(&slot->is_taken, false);
}

void epoch_enter(struct history *history, struct reader_slot *slot)
{
    uint64_t epoch = atomic_load_explicit(&history->epoch, memory_order_acquire);
    atomic_store_explicit(&slot->epoch, epoch, memory_order_relaxed);
    atomic_fetch_add_explicit(&history->epoch, 0, memory_order_acq_rel);
}

void epoch_leave(struct reader_slot *slot)
{
    atomic_store_explicit(&slot->epoch, 0, memory_order_release);
}
