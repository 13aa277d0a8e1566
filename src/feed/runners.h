/* SPDX-License-Identifier: Apache-2.0 */
/* runners: a thread for each setting of a prefix that is not paused, as long as this server writes the log. Private to feed/.
 *
 *     settings ──a look each second, and when woken──▶ who is wanted ─▶ threads begin, and end
 *
 * A setting that was changed is another one: its thread ends, and a new one begins.
 *
 * Threads: the list is changed by the watcher alone, under the mutex; who looks at it from elsewhere holds the mutex.
 */
#ifndef KITH_FEED_RUNNERS_H
#define KITH_FEED_RUNNERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "engine/engine.h"

#define RUNNER_KEY_BYTES 64
#define RUNNER_SETTING_BYTES_MAX 65536

struct runners;

struct runner { /* the first member of what the owner keeps of one */
    struct runners *runners;
    char key[RUNNER_KEY_BYTES + 1];
    uint64_t text_hash; /* of the setting that it runs by */
    pthread_t thread;
    atomic_bool stop;
    pthread_mutex_t mutex; /* of what the owner shows of it */
    struct runner *next;
};

struct runners_config {
    struct engine *engine;
    const char *prefix; /* of the settings: "feed." */
    const char *name;   /* of the watching thread and in the server's log */
    size_t bytes;       /* of what embeds the runner; zeroed, then `init` */
    void (*init)(struct runner *runner);
    void *(*run)(void *runner); /* until stop is set */
    void *context;
};

struct runners {
    struct runners_config config;
    pthread_mutex_t mutex; /* of the list, woken, stopping */
    pthread_cond_t wake;
    bool stopping, woken;
    pthread_t watcher;
    bool watches;
    struct runner *list;
};

/* `runners` is the caller's memory. NOMEM: nothing runs; runners_close all the same. */
err runners_open(struct runners *runners, const struct runners_config *config,
                 struct problem *problem) MUST_USE;
/* Ends all, waits for them. */
void runners_close(struct runners *runners);
/* A setting was changed: look. Any thread. */
void runners_wake(struct runners *runners);
/* With the mutex held; NULL: it does not run. */
struct runner *runners_find(struct runners *runners, str key);

#endif
