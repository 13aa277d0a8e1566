/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_jobs: what whatif.c (runs as jobs, kept as files) and whatif_compare.c share. Private to engine/whatif. */
#ifndef KITH_ENGINE_WHATIF_JOBS_H
#define KITH_ENGINE_WHATIF_JOBS_H

#include "engine/whatif/whatif_inside.h"

#define WHATIF_RESULT_BYTES_MAX ((size_t)256 << 20)

enum whatif_state { WHATIF_WAITING, WHATIF_RUNNING, WHATIF_DONE, WHATIF_FAILED, WHATIF_CANCELLED };

struct whatif_job {
    struct whatif_job *next; /* newest first */
    char id[WHATIF_ID_BYTES];
    char journey[128];
    uint32_t user_number;
    int64_t created_ms, finished_ms;
    struct buffer body;
    enum whatif_state state;
    char reason[400], pointer[200];
    _Atomic bool cancelled;
    _Atomic int progress;
    bool is_removed;
};

struct whatifs {
    struct engine *engine;
    char folder[640];
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t wake;
    pthread_t thread;
    bool has_thread, stopping;
    struct whatif_job *jobs;
    struct json_parser *parser;
    uint32_t last;
    _Atomic int trials; /* under way */
    _Atomic bool is_over;
};

/* Under the mutex; NULL: there is none. */
struct whatif_job *whatif_job_find(const struct whatifs *whatifs, str key, str id);
/* Its first line, or all of it. NOT_FOUND. */
err whatif_file_read(const struct whatifs *whatifs, const char *id, bool only_head,
                     struct buffer *out) MUST_USE;
int64_t whatif_time_of(json_value head, str name);

#endif
