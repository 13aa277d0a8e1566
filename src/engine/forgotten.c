/* SPDX-License-Identifier: Apache-2.0 */
/* forgotten: a list of erased identifiers that waits for commits; see forgotten.h. */
#include "engine/forgotten.h"

#include <string.h>

#include "base/arena.h"
#include "engine/state.h"

void forgotten_init(struct forgotten *forgotten)
{
    pthread_mutex_init(&forgotten->mutex, NULL);
}

void forgotten_deinit(struct forgotten *forgotten)
{
    memory_free(forgotten->items);
    pthread_mutex_destroy(&forgotten->mutex);
}

/* Under the mutex. */
static bool has_room(struct forgotten *forgotten, size_t count)
{
    size_t wanted = forgotten->count + count, capacity = forgotten->capacity;
    if (wanted <= capacity)
        return true;
    if (wanted > FORGOTTEN_MAX)
        return false;
    capacity = wanted > 2 * capacity ? wanted : 2 * capacity;
    struct forgotten_row *items =
        memory_resize(forgotten->items, capacity * sizeof *forgotten->items);
    if (items == NULL)
        return false;
    forgotten->items = items;
    forgotten->capacity = capacity;
    return true;
}

void forgotten_note(struct forgotten *forgotten, const uint32_t *rows, size_t count, uint64_t seq)
{
    pthread_mutex_lock(&forgotten->mutex);
    if (has_room(forgotten, count))
        for (size_t i = 0; i < count; i++)
            forgotten->items[forgotten->count++] = (struct forgotten_row){ rows[i], seq };
    else
        forgotten->missing_seq = seq;
    pthread_mutex_unlock(&forgotten->mutex);
}

size_t engine_take_forgotten(struct engine *engine, uint32_t *rows, size_t limit, bool *all)
{
    struct forgotten *forgotten = &engine->forgotten;
    uint64_t committed = atomic_load(&engine->committed_seq);
    size_t count = 0;
    pthread_mutex_lock(&forgotten->mutex);
    while (count < limit && count < forgotten->count && forgotten->items[count].seq <= committed) {
        rows[count] = forgotten->items[count].row;
        count++;
    }
    if (count > 0) {
        forgotten->count -= count;
        memmove(forgotten->items, forgotten->items + count,
                forgotten->count * sizeof *forgotten->items);
    }
    *all = forgotten->missing_seq != 0 && forgotten->missing_seq <= committed;
    if (*all)
        forgotten->missing_seq = 0;
    pthread_mutex_unlock(&forgotten->mutex);
    return count;
}
