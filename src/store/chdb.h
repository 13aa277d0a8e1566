/* SPDX-License-Identifier: Apache-2.0 */
/* chdb: the functions of libchdb.so, and a pool of its connections. Private to store/, used in the
 * child alone.
 *
 * The library is opened by dlopen: the command line stays quick, and no header is shipped with it
 * (the prototypes are declared here). A connection runs one query at a time; several connections to
 * the same folder run in parallel. A connection is used by one thread at a time: whoever took it.
 */
#ifndef KITH_STORE_CHDB_H
#define KITH_STORE_CHDB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

struct chdb_result;
typedef struct chdb_handle *chdb_connection; /* what queries take */

/* NAME, return type, arguments */
#define CHDB_FUNCTIONS(X)                                                                         \
    X(chdb_connect, chdb_connection *, (int argc, char **argv))                                   \
    X(chdb_close_conn, void, (chdb_connection * connection))                                      \
    X(chdb_query_with_params, struct chdb_result *,                                               \
      (chdb_connection connection, const char *sql, const char *format, const char *const *names, \
       const char *const *values, size_t count))                                                  \
    X(chdb_stream_query_with_params, struct chdb_result *,                                        \
      (chdb_connection connection, const char *sql, const char *format, const char *const *names, \
       const char *const *values, size_t count))                                                  \
    X(chdb_stream_fetch_result, struct chdb_result *,                                             \
      (chdb_connection connection, struct chdb_result * stream))                                  \
    X(chdb_stream_cancel_query, void, (chdb_connection connection, struct chdb_result * stream))  \
    X(chdb_destroy_query_result, void, (struct chdb_result * result))                             \
    X(chdb_result_buffer, char *, (struct chdb_result * result))                                  \
    X(chdb_result_length, size_t, (struct chdb_result * result))                                  \
    X(chdb_result_error, const char *, (struct chdb_result * result))                             \
    X(chdb_set_signal_handlers_enabled, void, (int enabled))

struct chdb {
#define X(name, type, arguments) type(*name) arguments;
    CHDB_FUNCTIONS(X)
#undef X
    void *library;
};

err chdb_load(struct chdb *chdb, const char *path, struct problem *problem) MUST_USE;

#define CHDB_CONNECTIONS_MAX 24

struct chdb_pool {
    const struct chdb *chdb;
    const char *arguments[4]; /* as for chdb_connect */
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    chdb_connection *idle[CHDB_CONNECTIONS_MAX];
    int idle_count, open_count;
};

/* Opens the folder with a first connection; the texts are borrowed until the pool is closed. */
err chdb_pool_open(struct chdb_pool *pool, const struct chdb *chdb, const char *path_argument,
                   const char *config_argument, struct problem *problem) MUST_USE;
/* All connections must have been given back: the library hangs in its destructors otherwise. */
void chdb_pool_close(struct chdb_pool *pool);
/* Waits when all are in use; NULL when the library refuses another. Any thread. */
chdb_connection *chdb_pool_take(struct chdb_pool *pool);
void chdb_pool_give(struct chdb_pool *pool, chdb_connection *connection);

#endif
