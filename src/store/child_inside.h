/* SPDX-License-Identifier: Apache-2.0 */
/* child_inside: what the files of the warehouse child share. Private.
 *
 *   warehouse_child.c   options, folder, life and end of the process
 *   child_http.c        connections, requests, answers (libmicrohttpd, a thread per connection)
 *   child_query.c       statements on their way into chDB
 */
#ifndef KITH_STORE_CHILD_INSIDE_H
#define KITH_STORE_CHILD_INSIDE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"
#include "store/chdb.h"
#include "store/clickhouse.h"

#define CHILD_SQL_BYTES_MAX ((size_t)16 << 20)
#define CHILD_DATA_BYTES_MAX ((size_t)1 << 30)
#define CHILD_PARAMETERS_MAX 32
#define CHILD_QUERY_ID_BYTES 128
#define CHILD_KILLED_MAX 256

struct MHD_Daemon;

/* A statement that runs, so that it can be killed by its query id. */
struct running {
    struct running *next;
    char query_id[CHILD_QUERY_ID_BYTES];
    uint64_t number; /* stands in a comment of its text: `kith:<number>` */
};

struct child {
    struct chdb chdb;
    struct chdb_pool pool;
    struct MHD_Daemon *daemon;
    /* For KILL QUERY: it must not wait for a connection that the killed one holds. */
    pthread_mutex_t control_mutex;
    chdb_connection *control;
    pthread_mutex_t mutex; /* what follows */
    pthread_cond_t ended;
    struct running *running;
    uint64_t next_number;
    /* The newest ids that were killed: such a query must not begin later, when its connection or its
     * thread comes late. Ids of batches are never used again. */
    char killed[CHILD_KILLED_MAX][CHILD_QUERY_ID_BYTES];
    unsigned killed_next;
};

struct query {
    struct child *child;
    struct buffer sql;
    char format[64]; /* default_format; TabSeparated */
    char query_id[CHILD_QUERY_ID_BYTES];
    bool whole;     /* wait_end_of_query: no byte before all is well */
    bool read_only; /* GET */
    int data_fd;    /* the data of an INSERT; -1: none */
    size_t data_bytes;
    int parameter_count;
    char *parameter_names[CHILD_PARAMETERS_MAX];
    char *parameter_values[CHILD_PARAMETERS_MAX];

    struct running running;
    chdb_connection *connection;
    bool streamed;
    struct chdb_result *result; /* the whole answer, or the handle of the stream */
    struct chdb_result *piece;  /* of the stream; NULL when it has ended */
    size_t sent;                /* of the whole answer, or of the piece */
    struct buffer failure;      /* text of the exception; empty when all is well */
};

void query_init(struct query *query, struct child *child);
/* Cancels what still runs. */
void query_deinit(struct query *query);
/* True when `sql` is an INSERT that takes its data from the body. */
bool query_takes_data(str sql);
/* Run it: afterwards `failure` has the exception, or the answer (or its beginning) is there. */
void query_run(struct query *query);
/* The next bytes of the answer; 0 at the end, or with `failure` set, when it broke off. */
size_t query_read(struct query *query, char *out, size_t room);

/* Serve on a listening socket until child_http_stop. */
err child_http_start(struct child *child, int listen_fd, struct problem *problem) MUST_USE;
void child_http_stop(struct child *child);

#endif
