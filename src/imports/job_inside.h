/* SPDX-License-Identifier: Apache-2.0 */
/* job_inside: what the files of a running job share. Private to imports/.
 *
 * job.c opens the file and reads its rows; job_event.c takes the events that the mapping makes of them, and leaves out what is
 * known; job_chunk.c brings them to the log. All of it by the one thread of the job; only `done` and `error` of a chunk are
 * told by the log's writer, under the run's mutex.
 */
#ifndef KITH_IMPORTS_JOB_INSIDE_H
#define KITH_IMPORTS_JOB_INSIDE_H

#include "imports/inside.h"

struct chunk {
    struct log_append append;
    struct buffer records;
    uint32_t count;
    bool sent, done;
    err error;
};

struct counts {
    uint64_t rows, events, refused, duplicates, replaced;
};

struct job_run {
    struct imports *imports;
    struct running *running;
    struct import_row *row;
    struct problem *problem;
    struct json_parser *parser; /* of the settings */
    json_value settings;
    struct import_file file;
    char data_set[256];
    struct mapping *mapping;
    struct mapping_worker *worker;
    struct table *table;
    struct report *report;
    struct known *known;
    struct owner owner;
    struct chunk chunks[2];
    unsigned filling;
    struct counts counts, began; /* up to now; as the job had told them when this run began */
    uint64_t last_row;           /* the last one that was read */
    uint64_t mapped_row;         /* the last one that the mapping got; 0: none */
    bool is_ending;              /* the file is read; orders come out that waited for their lines */
    struct taken_event *replaced; /* to be taken back before the chunk is sent */
    size_t replaced_count, replaced_capacity;
    struct buffer body; /* one event */
    int64_t newest_ms;  /* of the events, up to now */
    int64_t now_ms;
    err error;
    pthread_mutex_t mutex;
    pthread_cond_t durable;
};

/* What the job does now, for those who ask. */
void job_show(struct job_run *run, const char *stage);

/* job_chunk.c */
/* Is it time to send what is filled? */
bool job_chunk_is_full(struct job_run *run) MUST_USE;
/* Send what is filled and go on with the other one, once the log has it. UNAVAILABLE: the job is to stop. */
err job_chunk_send(struct job_run *run) MUST_USE;
/* Until the log has it; nothing to do for one that was not sent. */
err job_chunk_wait(struct job_run *run, struct chunk *chunk) MUST_USE;

/* job_event.c: what the mapping calls; `context` is the run */
bool job_take_event(void *context, const struct mapping_event *mapped);
bool job_take_refused(void *context, uint64_t row, str raw, str code,
                      const struct problem *problem);

#endif
