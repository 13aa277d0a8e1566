/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and sources for fuzz targets, made once; and a check of what a door lets out. */
#ifndef KITH_TESTS_FUZZ_KEYS_H
#define KITH_TESTS_FUZZ_KEYS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access/source.h"
#include "collect/collect.h"
#include "log/log.h"

static inline struct keys *fuzz_keys(void)
{
    static struct keys *keys;
    if (keys == NULL) {
        char folder[] = "/tmp/kith-fuzz-XXXXXX", path[64];
        struct problem problem;
        setenv("KITH_MASTER_KEY", "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=", 1);
        if (mkdtemp(folder) == NULL)
            abort();
        snprintf(path, sizeof path, "%s/keys", folder);
        if (keys_open(&keys, path, &problem) != ERR_OK)
            abort();
        unlink(path);
        rmdir(folder);
    }
    return keys;
}

static inline struct source_set *fuzz_sources(void)
{
    static struct source_set *set;
    if (set == NULL) {
        struct source sources[] = {
            { .number = 1, .key = STR("shop"), .name = STR("Shop"), .kind = SOURCE_SERVER },
            { .number = 2,
              .key = STR("web"),
              .name = STR("Web"),
              .kind = SOURCE_PUBLIC,
              .signing_secret = STR("secret") },
        };
        keys_hash(fuzz_keys(), STR("write_key"), STR("s"), sources[0].write_key_hash);
        keys_hash(fuzz_keys(), STR("write_key"), STR("p"), sources[1].write_key_hash);
        if (source_set_new(&set, sources, 2) != ERR_OK)
            abort();
    }
    return set;
}

/* Send a request twice; its events decode, an error has a reason, the second time is as the first. */
static inline void fuzz_door(struct collect_request *request)
{
    static struct collect_worker *worker;
    static struct buffer records;
    const struct collect_limits limits = { .batch_bytes_max = 1 << 20 };
    struct collect_answer answer;
    uint32_t count = 0, first_count = 0;
    if (worker == NULL) {
        buffer_init(&records, (size_t)64 << 20);
        if (collect_worker_new(&worker, fuzz_keys(), &limits) != ERR_OK)
            abort();
    }
    request->received_ms = INT64_C(1795284731504);
    for (int round = 0; round < 2; round++) {
        buffer_clear(&records);
        collect_decode(worker, fuzz_sources(), request, &records, &count, &answer);
        if (answer.status < 200 || answer.status > 599 || answer.content_type == NULL ||
            (answer.status != 200 && (count > 0 || answer.body.size == 0)))
            abort();
        if (round == 1 && count != first_count)
            abort();
        first_count = count;
    }
    struct log_block block = { .count = count, .records = buffer_str(&records) };
    struct log_cursor cursor = { .block = &block };
    struct log_record record;
    struct arena arena;
    struct event event;
    struct problem problem;
    arena_init(&arena, "fuzz events", (size_t)64 << 20);
    while (log_block_next(&cursor, &record)) {
        if (event_decode(record.body, &arena, &event, &problem) != ERR_OK)
            abort();
        count--;
    }
    if (count != 0)
        abort();
    arena_deinit(&arena);
}

#endif
