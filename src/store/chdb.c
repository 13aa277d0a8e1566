/* SPDX-License-Identifier: Apache-2.0 */
/* chdb: loading libchdb.so, and its connections. */
#include "store/chdb.h"

#include <dlfcn.h>
#include <string.h>

err chdb_load(struct chdb *chdb, const char *path, struct problem *problem)
{
    memset(chdb, 0, sizeof(*chdb));
    chdb->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (chdb->library == NULL) {
        problem_set(problem, ERR_UNAVAILABLE, "chDB cannot be loaded: %s", dlerror());
        return problem_hint(problem, ERR_UNAVAILABLE,
                            "'make setup' brings libchdb.so; its path can be given with --library");
    }
    /* ISO C has no cast from an object pointer to a function pointer; POSIX asks for this one. */
#define X(name, type, arguments)                                                               \
    do {                                                                                       \
        void *symbol = dlsym(chdb->library, #name);                                            \
        if (symbol == NULL)                                                                    \
            return problem_set(problem, ERR_UNSUPPORTED, "'%s' has no function " #name, path); \
        memcpy(&chdb->name, &symbol, sizeof(symbol));                                          \
    } while (0);
    CHDB_FUNCTIONS(X)
#undef X
    return ERR_OK;
}

static chdb_connection *open_one(struct chdb_pool *pool)
{
    char *arguments[4];
    memcpy(arguments, pool->arguments, sizeof(arguments));
    return pool->chdb->chdb_connect(3, arguments);
}

err chdb_pool_open(struct chdb_pool *pool, const struct chdb *chdb, const char *path_argument,
                   const char *config_argument, struct problem *problem)
{
    memset(pool, 0, sizeof(*pool));
    pool->chdb = chdb;
    pool->arguments[0] = "kith";
    pool->arguments[1] = path_argument;
    pool->arguments[2] = config_argument;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->freed, NULL);
    chdb_connection *first = open_one(pool);
    if (first == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "chDB cannot open its folder (%s)",
                           path_argument);
    pool->idle[pool->idle_count++] = first;
    pool->open_count = 1;
    return ERR_OK;
}

void chdb_pool_close(struct chdb_pool *pool)
{
    INVARIANT(pool->idle_count == pool->open_count);
    while (pool->idle_count > 0)
        pool->chdb->chdb_close_conn(pool->idle[--pool->idle_count]);
    pool->open_count = 0;
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->mutex);
}

chdb_connection *chdb_pool_take(struct chdb_pool *pool)
{
    chdb_connection *connection = NULL;
    bool open = false;
    pthread_mutex_lock(&pool->mutex);
    while (pool->idle_count == 0 && pool->open_count == CHDB_CONNECTIONS_MAX)
        pthread_cond_wait(&pool->freed, &pool->mutex);
    if (pool->idle_count > 0) {
        connection = pool->idle[--pool->idle_count];
    } else {
        pool->open_count++;
        open = true;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!open)
        return connection;
    connection = open_one(pool);
    if (connection == NULL) {
        pthread_mutex_lock(&pool->mutex);
        pool->open_count--;
        pthread_cond_signal(&pool->freed);
        pthread_mutex_unlock(&pool->mutex);
    }
    return connection;
}

void chdb_pool_give(struct chdb_pool *pool, chdb_connection *connection)
{
    pthread_mutex_lock(&pool->mutex);
    pool->idle[pool->idle_count++] = connection;
    pthread_cond_signal(&pool->freed);
    pthread_mutex_unlock(&pool->mutex);
}
