/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_inside: what the files of the warehouse client share. Private.
 *
 *   warehouse.c             open, close, waiting
 *   warehouse_supervisor.c  the thread that keeps the child (or the cluster) in reach
 *   warehouse_http.c        requests
 *   warehouse_schema.c      tables
 *   warehouse_backup.c      holding it still as hard links
 */
#ifndef KITH_STORE_WAREHOUSE_INSIDE_H
#define KITH_STORE_WAREHOUSE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/error.h"
#include "store/warehouse.h"

#define WAREHOUSE_PATH_BYTES 512
#define WAREHOUSE_HANDLES 16

struct warehouse {
    /* fixed after open */
    char folder[WAREHOUSE_PATH_BYTES]; /* "" on a cluster */
    char url[WAREHOUSE_PATH_BYTES];    /* http://host:port, without a slash at its end */
    char program[WAREHOUSE_PATH_BYTES];
    char library[WAREHOUSE_PATH_BYTES];
    char socket[WAREHOUSE_PATH_BYTES];      /* as the child is told; "" on a cluster */
    char socket_here[WAREHOUSE_PATH_BYTES]; /* as this process can name it within 107 bytes */
    int folder_fd;                          /* -1 on a cluster */
    size_t memory_bytes_max;

    _Atomic bool aliases_changed; /* since the dictionary was read */

    pthread_mutex_t mutex; /* what follows */
    pthread_cond_t changed;
    bool ready, stopping;
    struct problem problem; /* why it is not ready */
    int child_pid;
    void *handles[WAREHOUSE_HANDLES]; /* idle curl easy handles */
    int handle_count;

    pthread_t supervisor;
    bool supervisor_runs;
};

/* ---- warehouse_http.c ---- */

/* The data of an INSERT, read once from its beginning to its end; SIZE_MAX from `read` breaks it off. */
struct warehouse_data {
    const char *format;
    size_t (*read)(void *context, char *out, size_t room);
    void *context;
};

struct warehouse_call {
    str sql;                           /* the body, or, with `data`, in the URL */
    const struct warehouse_data *data; /* NULL: none */
    str query_id;                      /* "" */
    const struct warehouse_parameter *parameters;
    size_t parameter_count;
    int64_t timeout_ms;                      /* 0: none */
    bool even_unready;                       /* asked by the supervisor itself */
    struct buffer *out;                      /* the whole answer; or … */
    bool (*chunk)(void *context, str bytes); /* … its pieces */
    void *context;
};
err warehouse_do(struct warehouse *warehouse, const struct warehouse_call *call,
                 struct problem *problem) MUST_USE;
/* INSERT INTO `table` FORMAT …. */
err warehouse_insert_data(struct warehouse *warehouse, str table, const struct warehouse_data *data,
                          str batch, struct problem *problem) MUST_USE;
/* GET /ping. */
err warehouse_ping(struct warehouse *warehouse, int64_t timeout_ms,
                   struct problem *problem) MUST_USE;
/* Stop the query of this id and wait until it has stopped. OK when there is none. */
err warehouse_kill(struct warehouse *warehouse, str query_id, struct problem *problem) MUST_USE;
void warehouse_free_handles(struct warehouse *warehouse);

/* ---- warehouse_schema.c ---- */

/* Make what is not there; refuse a column of another type. */
err warehouse_make_tables(struct warehouse *warehouse, struct problem *problem) MUST_USE;

/* ---- warehouse_supervisor.c ---- */

err warehouse_start_supervisor(struct warehouse *warehouse, struct problem *problem) MUST_USE;
void warehouse_stop_supervisor(struct warehouse *warehouse);

#endif
