/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_inside: what the files of the warehouse client share. Private.
 *
 *   warehouse.c             open, close, waiting
 *   warehouse_supervisor.c  the thread that keeps the child (or the cluster) in reach
 *   warehouse_http.c        requests
 *   warehouse_schema.c      tables of the embedded one
 *   cluster.c               shards: which answer, questions to one for all, statements on each
 *   cluster_schema.c        tables of the shards, and whose they are
 *   cluster_insert.c        rows to their shards
 *   cluster_sql.c           the same SQL in words that old servers know
 *   warehouse_backup.c      holding it still as hard links
 *   warehouse_copy.c        all of it into another one
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
#define WAREHOUSE_URL_BYTES 256
#define WAREHOUSE_SHARDS_MAX 64

/* A shard of a cluster: one server of ClickHouse. Rows of customer n lie on shard n % count. */
struct warehouse_shard {
    char url[WAREHOUSE_URL_BYTES]; /* http://host:port, fixed after open */
    bool is_up;                    /* under the mutex */
    bool is_modern;                /* of version 20 or later; the supervisor's */
    struct problem problem;        /* why it is not up; under the mutex */
};

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
    int shard_count; /* 0: embedded */
    struct warehouse_shard *shards;
    char cluster[64];              /* as the servers name it in remote_servers */
    char user[128], password[256]; /* go out as headers, never into a URL or a log */
    uint64_t nonce;                /* of this opening: names of tables on their way */

    uint64_t epoch; /* of cluster_take_writing: by the one thread that inserts; 0: none */

    _Atomic bool modern; /* every shard is */
    _Atomic unsigned next_shard;
    _Atomic uint64_t next_name;

    _Atomic bool aliases_changed; /* since the dictionary was read */

    pthread_mutex_t mutex; /* what follows */
    pthread_cond_t changed;
    bool ready, stopping;
    bool gives_way;         /* the child is to have the lowest priority */
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
    int shard;                         /* of a cluster; 0 when embedded */
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
err warehouse_insert_data(struct warehouse *warehouse, int shard, str table,
                          const struct warehouse_data *data, str batch,
                          struct problem *problem) MUST_USE;
/* Rows in RowBinary into one place. */
err warehouse_insert_at(struct warehouse *warehouse, int place, str table, str rows, str batch,
                        struct problem *problem) MUST_USE;
/* GET /ping. */
err warehouse_ping(struct warehouse *warehouse, int shard, int64_t timeout_ms,
                   struct problem *problem) MUST_USE;
/* Stop the query of this id and wait until it has stopped. OK when there is none. */
err warehouse_kill(struct warehouse *warehouse, str query_id, struct problem *problem) MUST_USE;
void warehouse_free_handles(struct warehouse *warehouse);

/* ---- warehouse_schema.c ---- */

/* Make what is not there; refuse a column of another type. */
err warehouse_make_tables(struct warehouse *warehouse, struct problem *problem) MUST_USE;

/* ---- cluster.c ---- */

err cluster_open(struct warehouse *warehouse, const struct warehouse_config *config,
                 struct problem *problem) MUST_USE;
/* How many places have tables of their own: shards, or one. */
int warehouse_places(const struct warehouse *warehouse);
/* `sql` as it is, in one place; its answer is appended to `out` where that is not NULL. The problem names the shard. */
err warehouse_at(struct warehouse *warehouse, int shard, const char *sql, int64_t timeout_ms,
                 struct buffer *out, struct problem *problem) MUST_USE;
/* The same from the supervisor, of a shard that is not known to be up. */
err cluster_at(struct warehouse *warehouse, int shard, const char *sql, struct buffer *out,
               struct problem *problem) MUST_USE;
/* A question to all of the cluster: rewritten, and asked of one shard, which asks the others. UNAVAILABLE, naming it, when
 * a shard is missing: nothing is ever answered from the rest. */
err cluster_ask(struct warehouse *warehouse, struct warehouse_call *call,
                struct problem *problem) MUST_USE;
/* A statement on each shard, one after the other, until one fails. */
err cluster_everywhere(struct warehouse *warehouse, const struct warehouse_call *call,
                       struct problem *problem) MUST_USE;
/* True when it came up or was up. */
bool cluster_look_after(struct warehouse *warehouse, int shard, struct problem *problem);
bool cluster_shard_is_up(struct warehouse *warehouse, int shard);
void cluster_say_down(struct warehouse *warehouse, int shard, const struct problem *problem);

/* ---- cluster_schema.c ---- */

err cluster_make_tables(struct warehouse *warehouse, int shard, struct problem *problem) MUST_USE;
/* All shards are up: are they those of one house, in this order, and does each reach all? */
err cluster_check(struct warehouse *warehouse, struct problem *problem) MUST_USE;
/* Take away what a former opening left on its way. */
err cluster_sweep(struct warehouse *warehouse, struct problem *problem) MUST_USE;
err cluster_take_writing(struct warehouse *warehouse, uint64_t epoch,
                         struct problem *problem) MUST_USE;
/* Read the aliases into the tables that joinGet looks into. */
err cluster_read_aliases(struct warehouse *warehouse, struct problem *problem) MUST_USE;

/* ---- cluster_insert.c ---- */

err cluster_insert_events(struct warehouse *warehouse, str table, str rows, str batch,
                          struct problem *problem) MUST_USE;
/* Nothing that was sent before comes in after this. */
err cluster_stop_inserts(struct warehouse *warehouse, str batch, struct problem *problem) MUST_USE;

/* ---- warehouse_supervisor.c ---- */

err warehouse_start_supervisor(struct warehouse *warehouse, struct problem *problem) MUST_USE;
void warehouse_stop_supervisor(struct warehouse *warehouse);

#endif
