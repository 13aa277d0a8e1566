/* SPDX-License-Identifier: Apache-2.0 */
/* The debugger's ring: the last events, raw, and what became of them. Ids begin at the time of the first entry, so that
 * those after a restart are higher than those that a page still shows; what is kept in a second is less than its
 * milliseconds.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "collect/collect.h"

#define LIVE_ENTRIES 2000
#define LIVE_BYTES_MAX ((size_t)8 << 20)
#define LIVE_RAW_BYTES_MAX ((size_t)16 << 10)
#define LIVE_PER_SECOND 200

/* One piece of memory per entry: this, then its texts. */
struct kept {
    struct live_entry entry;
    size_t size;
};

static struct {
    pthread_mutex_t mutex;
    struct kept *ring[LIVE_ENTRIES]; /* of id at id % LIVE_ENTRIES */
    uint64_t first, next;            /* ids held: first … next − 1 */
    size_t bytes;
} live = { .mutex = PTHREAD_MUTEX_INITIALIZER, .first = 1, .next = 1 };

/* Two counters of a second: taken and refused. Racing threads may keep one more; it does not matter. */
static struct {
    _Atomic int64_t second;
    _Atomic uint32_t count;
} rates[2];

bool live_wants(int64_t at_ms, bool refused)
{
    int64_t second = at_ms / 1000;
    if (atomic_load_explicit(&rates[refused].second, memory_order_relaxed) != second) {
        atomic_store_explicit(&rates[refused].second, second, memory_order_relaxed);
        atomic_store_explicit(&rates[refused].count, 0, memory_order_relaxed);
    }
    if (atomic_load_explicit(&rates[refused].count, memory_order_relaxed) >= LIVE_PER_SECOND)
        return false;
    return atomic_fetch_add_explicit(&rates[refused].count, 1, memory_order_relaxed) <
           LIVE_PER_SECOND;
}

static void drop_oldest(void)
{
    struct kept **slot = &live.ring[live.first % LIVE_ENTRIES];
    live.bytes -= (*slot)->size;
    memory_free(*slot);
    *slot = NULL;
    live.first++;
}

static str place(char **at, str text)
{
    str placed = str_from_bytes(*at, text.size);
    if (text.size > 0)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return placed;
}

void live_add(const struct live_entry *entry)
{
    str raw = str_slice(entry->raw, 0, str_utf8_prefix_bytes(entry->raw, LIVE_RAW_BYTES_MAX));
    size_t size = sizeof(struct kept) + entry->event_type.size + entry->door.size + raw.size +
                  entry->refused.size;
    struct kept *kept = memory_alloc(size);
    if (kept == NULL)
        return; /* a view for people: the event itself is not touched */
    char *at = (char *)(kept + 1);
    kept->entry = *entry;
    kept->size = size;
    kept->entry.event_type = place(&at, entry->event_type);
    kept->entry.door = place(&at, entry->door);
    kept->entry.raw = place(&at, raw);
    kept->entry.refused = place(&at, entry->refused);
    pthread_mutex_lock(&live.mutex);
    if (live.next == 1 && entry->at_ms > 1)
        live.first = live.next = (uint64_t)entry->at_ms;
    while (live.next - live.first >= LIVE_ENTRIES ||
           (live.first < live.next && live.bytes + size > LIVE_BYTES_MAX))
        drop_oldest();
    kept->entry.id = live.next++;
    live.ring[kept->entry.id % LIVE_ENTRIES] = kept;
    live.bytes += size;
    pthread_mutex_unlock(&live.mutex);
}

static bool copy_entry(const struct live_entry *from, struct arena *arena, struct live_entry *to)
{
    *to = *from;
    return arena_dup(arena, from->event_type, &to->event_type) == ERR_OK &&
           arena_dup(arena, from->door, &to->door) == ERR_OK &&
           arena_dup(arena, from->raw, &to->raw) == ERR_OK &&
           arena_dup(arena, from->refused, &to->refused) == ERR_OK;
}

size_t live_read(uint64_t after, size_t limit, struct arena *arena, struct live_entry *entries)
{
    size_t count = 0;
    pthread_mutex_lock(&live.mutex);
    uint64_t id = after + 1 > live.first ? after + 1 : live.first;
    for (; id < live.next && count < limit; id++)
        if (!copy_entry(&live.ring[id % LIVE_ENTRIES]->entry, arena, &entries[count++])) {
            count--;
            break;
        }
    pthread_mutex_unlock(&live.mutex);
    return count;
}
