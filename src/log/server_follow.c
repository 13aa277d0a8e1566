/* SPDX-License-Identifier: Apache-2.0 */
/* The thread beside the writer: a follower fetches what another has written, a writer empties the inbox. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/logline.h"
#include "log/server_parts.h"

#define FETCH_BLOCKS_TEXT "64"
#define TAKE_ROWS LOG_TAKEN_MAX
_Static_assert(LOG_TAKEN_MAX == 64, "as the statement says that reads the inbox");
#define AGAIN_MS 200
/* How far the log was trimmed is asked so often. */
#define FIRST_EVERY_MS 2000

/* ---- following ---- */

static struct block_node *node_of(struct log_block *block)
{
    return (struct block_node *)(void *)block; /* a block is the first member of its node */
}

static void drop(struct block_node *first)
{
    while (first != NULL) {
        struct block_node *next = first->next;
        struct log_block *block = &first->block;
        log_block_release(&block);
        first = next;
    }
}

/* The blocks of a result, in order and without a gap, as a list. */
static err chain(const PGresult *result, uint64_t *last_seq, struct block_node **first,
                 struct problem *problem)
{
    struct block_node **end = first;
    err error = ERR_OK;
    *first = NULL;
    for (int i = 0; i < PQntuples(result) && error == ERR_OK; i++) {
        struct log_block *block = NULL;
        error = server_block_of(result, i, 0, 1, &block, problem);
        if (error != ERR_OK)
            break;
        node_of(block)->next = NULL;
        *end = node_of(block);
        end = &node_of(block)->next;
        if (block->first_seq != *last_seq + 1)
            error = problem_set(problem, ERR_NOT_FOUND,
                                "records %" PRIu64 " to %" PRIu64
                                " were trimmed before they were followed",
                                *last_seq + 1, block->first_seq - 1);
        *last_seq = block->first_seq + block->count - 1;
    }
    if (error != ERR_OK) {
        drop(*first);
        *first = NULL;
    }
    return error;
}

static err fetch(struct server_store *store, int *count, struct problem *problem)
{
    static const char TEXT[] = "SELECT first_seq, body FROM kith_log_block WHERE first_seq > $1"
                               " ORDER BY first_seq LIMIT " FETCH_BLOCKS_TEXT;
    struct log *log = store->log;
    uint64_t last_seq = atomic_load(&log->last_seq);
    char number[24];
    struct link_value value = link_int(number, (int64_t)last_seq);
    struct block_node *first = NULL;
    PGresult *result = NULL;
    err error = link_reach(&store->side, problem);
    if (error == ERR_OK)
        error = link_ask(&store->side, TEXT, &value, 1, true, &result, problem);
    *count = error == ERR_OK ? PQntuples(result) : 0;
    if (error == ERR_OK)
        error = chain(result, &last_seq, &first, problem);
    PQclear(result);
    if (error == ERR_OK && first != NULL) {
        atomic_store(&log->last_seq, last_seq);
        reader_publish(&log->reader, first, last_seq);
    }
    return error;
}

static void look_at_the_beginning(struct server_store *store)
{
    struct problem problem;
    PGresult *result = NULL;
    if (link_ask(&store->side, "SELECT trimmed_seq FROM kith_log WHERE id=1", NULL, 0, true,
                 &result, &problem) == ERR_OK)
        atomic_store(&store->log->first_seq, (uint64_t)link_bigint(result, 0, 0) + 1);
    PQclear(result);
}

static bool reader_is_full(const struct log *log)
{
    return atomic_load(&log->reader.unread_bytes) >= log->config.unread_bytes_max;
}

void *follow_run(void *context)
{
    struct server_store *store = context;
    steady_ns looked = steady_now();
    while (!atomic_load(&store->interrupted)) {
        struct problem problem = { .error = ERR_OK };
        int count = 0;
        err error = reader_is_full(store->log) ? ERR_OK : fetch(store, &count, &problem);
        if (error != ERR_OK && error != ERR_UNAVAILABLE) {
            atomic_store(&store->dead, true);
            log_die(store->log, &problem);
            return NULL;
        }
        if (error == ERR_OK && steady_since_ms(looked) >= FIRST_EVERY_MS) {
            looked = steady_now();
            look_at_the_beginning(store);
        }
        if (count == 0)
            server_pause(store, error != ERR_OK ? AGAIN_MS : FOLLOW_IDLE_MS);
    }
    return NULL;
}

/* ---- the inbox ---- */

struct taking {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t open;
    err error; /* of the last that failed */
};

struct taken_row {
    struct log_append append;
    struct taking *taking;
};

static void row_durable(struct log_append *append, err error)
{
    struct taking *taking = ((struct taken_row *)append->context)->taking;
    pthread_mutex_lock(&taking->mutex);
    taking->open--;
    if (error != ERR_OK)
        taking->error = error;
    pthread_cond_signal(&taking->changed);
    pthread_mutex_unlock(&taking->mutex);
}

/* Hand the rows of a result in and wait until all are answered: they are gone from the inbox then, or come again. */
static err take_rows(struct server_store *store, const PGresult *result)
{
    struct taken_row rows[TAKE_ROWS];
    struct taking taking = { .open = 0 };
    pthread_mutex_init(&taking.mutex, NULL);
    pthread_cond_init(&taking.changed, NULL);
    const struct log_config *config = &store->log->config;
    for (int i = 0; i < PQntuples(result) && i < TAKE_ROWS; i++) {
        if (config->renew != NULL)
            config->renew(config->context, PQgetvalue(result, i, 2),
                          (size_t)PQgetlength(result, i, 2));
        rows[i].taking = &taking;
        rows[i].append = (struct log_append){
            .records = str_from_bytes(PQgetvalue(result, i, 2), (size_t)PQgetlength(result, i, 2)),
            .count = (uint32_t)link_bigint(result, i, 1),
            .inbox_id = link_bigint(result, i, 0),
            .durable = row_durable,
            .context = &rows[i],
        };
        pthread_mutex_lock(&taking.mutex);
        taking.open++;
        pthread_mutex_unlock(&taking.mutex);
        err error = log_append(store->log, &rows[i].append);
        if (error != ERR_OK)
            row_durable(&rows[i].append, error);
    }
    pthread_mutex_lock(&taking.mutex);
    while (taking.open > 0)
        pthread_cond_wait(&taking.changed, &taking.mutex);
    pthread_mutex_unlock(&taking.mutex);
    pthread_cond_destroy(&taking.changed);
    pthread_mutex_destroy(&taking.mutex);
    return taking.error;
}

static err empty_inbox(struct server_store *store, int *count, struct problem *problem)
{
    static const char TEXT[] = "SELECT id, count, records FROM kith_log_inbox ORDER BY id LIMIT 64";
    PGresult *result = NULL;
    err error = link_reach(&store->side, problem);
    if (error == ERR_OK)
        error = link_ask(&store->side, TEXT, NULL, 0, true, &result, problem);
    *count = error == ERR_OK ? PQntuples(result) : 0;
    if (*count > 0)
        error = take_rows(store, result);
    PQclear(result);
    return error;
}

void *inbox_run(void *context)
{
    struct server_store *store = context;
    bool told = false;
    while (!atomic_load(&store->interrupted) && !atomic_load(&store->log->dead)) {
        struct problem problem = { .error = ERR_OK };
        int count = 0;
        err error = empty_inbox(store, &count, &problem);
        if (error != ERR_OK && !told)
            log_line(LOG_WARN, "log_inbox_waits", "error=%s reason=\"%s\"", err_code(error),
                     problem.detail);
        told = error != ERR_OK;
        if (error != ERR_OK || count == 0)
            server_pause(store, error != ERR_OK ? AGAIN_MS : INBOX_IDLE_MS);
    }
    return NULL;
}
