/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and wrong tries between requests: small tables in RAM behind one lock each. */
#include <pthread.h>
#include <string.h>

#include "access/user.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"

/* Both tables are sets of WAYS entries: a new entry takes the place of the one longest unused. */
#define SETS 1024
#define WAYS 8

struct session_entry {
    uint8_t hash[SEAL_HASH_BYTES];
    int64_t used_ms; /* 0: free */
};

struct session_table {
    pthread_mutex_t mutex;
    struct session_entry entries[SETS][WAYS];
};

err session_table_new(struct session_table **table)
{
    *table = memory_alloc(sizeof(**table));
    if (*table == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&(*table)->mutex, NULL);
    return ERR_OK;
}

void session_table_free(struct session_table **table)
{
    if (*table != NULL)
        pthread_mutex_destroy(&(*table)->mutex);
    memory_free(*table);
    *table = NULL;
}

bool session_touch(struct session_table *table, const uint8_t hash[SEAL_HASH_BYTES], int64_t now_ms)
{
    struct session_entry *set = table->entries[hash_bytes64(hash, SEAL_HASH_BYTES, 0) % SETS];
    struct session_entry *oldest = &set[0];
    bool fresh = true;
    pthread_mutex_lock(&table->mutex);
    for (int way = 0; way < WAYS; way++) {
        if (set[way].used_ms != 0 && memcmp(set[way].hash, hash, SEAL_HASH_BYTES) == 0) {
            oldest = &set[way];
            fresh = now_ms - oldest->used_ms <= SESSION_IDLE_MS;
            break;
        }
        if (set[way].used_ms < oldest->used_ms)
            oldest = &set[way];
    }
    if (fresh) {
        memcpy(oldest->hash, hash, SEAL_HASH_BYTES);
        oldest->used_ms = now_ms;
    }
    pthread_mutex_unlock(&table->mutex);
    return fresh;
}

int64_t session_used_ms(struct session_table *table, const uint8_t hash[SEAL_HASH_BYTES])
{
    const struct session_entry *set = table->entries[hash_bytes64(hash, SEAL_HASH_BYTES, 0) % SETS];
    int64_t used_ms = 0;
    pthread_mutex_lock(&table->mutex);
    for (int way = 0; way < WAYS; way++)
        if (set[way].used_ms != 0 && memcmp(set[way].hash, hash, SEAL_HASH_BYTES) == 0)
            used_ms = set[way].used_ms;
    pthread_mutex_unlock(&table->mutex);
    return used_ms;
}

struct throttle_entry {
    uint64_t key;
    int64_t window_ms; /* start of its minute; 0: free */
    uint32_t tries;
};

struct throttle {
    pthread_mutex_t mutex;
    struct throttle_entry entries[SETS][WAYS];
};

err throttle_new(struct throttle **throttle)
{
    *throttle = memory_alloc(sizeof(**throttle));
    if (*throttle == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&(*throttle)->mutex, NULL);
    return ERR_OK;
}

void throttle_free(struct throttle **throttle)
{
    if (*throttle != NULL)
        pthread_mutex_destroy(&(*throttle)->mutex);
    memory_free(*throttle);
    *throttle = NULL;
}

static struct throttle_entry *find_entry(struct throttle *throttle, uint64_t key)
{
    struct throttle_entry *set = throttle->entries[key % SETS];
    for (int way = 0; way < WAYS; way++)
        if (set[way].window_ms != 0 && set[way].key == key)
            return &set[way];
    return NULL;
}

bool throttle_permits(struct throttle *throttle, str text, uint32_t limit, int64_t now_ms,
                      int64_t *retry_after_s)
{
    bool permitted = true;
    pthread_mutex_lock(&throttle->mutex);
    const struct throttle_entry *entry =
        find_entry(throttle, hash_bytes64(text.data, text.size, 0));
    if (entry != NULL && entry->tries >= limit && now_ms < entry->window_ms + MINUTE_MS) {
        permitted = false;
        *retry_after_s = (entry->window_ms + MINUTE_MS - now_ms + SECOND_MS - 1) / SECOND_MS;
    }
    pthread_mutex_unlock(&throttle->mutex);
    return permitted;
}

void throttle_count(struct throttle *throttle, str text, int64_t now_ms)
{
    uint64_t key = hash_bytes64(text.data, text.size, 0);
    pthread_mutex_lock(&throttle->mutex);
    struct throttle_entry *entry = find_entry(throttle, key);
    if (entry == NULL) {
        struct throttle_entry *set = throttle->entries[key % SETS];
        entry = &set[0];
        for (int way = 1; way < WAYS; way++)
            if (set[way].window_ms < entry->window_ms)
                entry = &set[way];
        *entry = (struct throttle_entry){ .key = key, .window_ms = now_ms };
    }
    if (now_ms >= entry->window_ms + MINUTE_MS) {
        entry->window_ms = now_ms;
        entry->tries = 0;
    }
    entry->tries++;
    pthread_mutex_unlock(&throttle->mutex);
}

void throttle_forget(struct throttle *throttle, str text)
{
    pthread_mutex_lock(&throttle->mutex);
    struct throttle_entry *entry = find_entry(throttle, hash_bytes64(text.data, text.size, 0));
    if (entry != NULL)
        *entry = (struct throttle_entry){ .window_ms = 0 };
    pthread_mutex_unlock(&throttle->mutex);
}
