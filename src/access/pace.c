/* SPDX-License-Identifier: Apache-2.0 */
/* The generic cell rate algorithm over a table of fixed size. */
#include "access/pace.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/clock.h"

#define PIECES 64
#define SETS 64
#define WAYS 8
#define BURST_MS 10000

struct entry {
    uint64_t key;
    int64_t due_us; /* theoretical arrival time; 0: free */
};

struct piece {
    pthread_mutex_t mutex;
    struct entry entries[SETS][WAYS];
};

struct pace {
    struct piece pieces[PIECES];
};

err pace_new(struct pace **pace)
{
    *pace = memory_alloc(sizeof(**pace));
    if (*pace == NULL)
        return ERR_NOMEM;
    for (int i = 0; i < PIECES; i++)
        pthread_mutex_init(&(*pace)->pieces[i].mutex, NULL);
    return ERR_OK;
}

void pace_free(struct pace **pace)
{
    for (int i = 0; *pace != NULL && i < PIECES; i++)
        pthread_mutex_destroy(&(*pace)->pieces[i].mutex);
    memory_free(*pace);
    *pace = NULL;
}

static struct entry *find(struct piece *piece, uint64_t key)
{
    struct entry *set = piece->entries[key / PIECES % SETS], *oldest = &set[0];
    for (int way = 0; way < WAYS; way++) {
        if (set[way].due_us != 0 && set[way].key == key)
            return &set[way];
        if (set[way].due_us < oldest->due_us)
            oldest = &set[way];
    }
    *oldest = (struct entry){ .key = key };
    return oldest;
}

bool pace_permits(struct pace *pace, uint64_t key, uint32_t per_minute, int64_t now_ms,
                  int64_t *retry_after_s)
{
    struct piece *piece = &pace->pieces[key % PIECES];
    int64_t step_us = MINUTE_MS * 1000 / per_minute, now_us = now_ms * 1000;
    /* At least one may always come at once, however few a minute are permitted. */
    int64_t burst_us = step_us > BURST_MS * INT64_C(1000) ? step_us : BURST_MS * INT64_C(1000);
    pthread_mutex_lock(&piece->mutex);
    struct entry *entry = find(piece, key);
    int64_t due_us = (entry->due_us > now_us ? entry->due_us : now_us) + step_us;
    bool permitted = due_us - now_us <= burst_us;
    if (permitted)
        entry->due_us = due_us;
    else
        *retry_after_s = (due_us - now_us - burst_us + 999999) / 1000000;
    pthread_mutex_unlock(&piece->mutex);
    return permitted;
}
