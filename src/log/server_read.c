/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, counting, trimming and redacting a log on a server, by the service connection. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log/server_parts.h"

/* A server that is away is waited for so long by who reads. */
#define PATIENCE_MS 20000
#define AGAIN_MS 100
/* As in a file: a step takes so many blocks at most. */
#define TRIM_BLOCKS_TEXT "256"

err server_block_of(const PGresult *result, int row, int key_column, int body_column,
                    struct log_block **block, struct problem *problem)
{
    struct problem inner = { 0 };
    struct log_block *made = NULL;
    uint64_t key = (uint64_t)link_bigint(result, row, key_column);
    str bytes = str_from_bytes(PQgetvalue(result, row, body_column),
                               (size_t)PQgetlength(result, row, body_column));
    err error = log_block_decode(bytes, &made, &inner);
    if (error == ERR_OK && made->first_seq != key)
        error =
            problem_set(&inner, ERR_CORRUPT, "offset 8: first_seq is %" PRIu64, made->first_seq);
    if (error == ERR_OK) {
        *block = made;
        return ERR_OK;
    }
    log_block_release(&made);
    return problem_set(problem, error, "log on PostgreSQL, block of first_seq %" PRIu64 ": %s", key,
                       inner.detail);
}

err server_ask(struct server_store *store, const char *text, const struct link_value *values,
               int count, bool binary, PGresult **result, struct problem *problem)
{
    steady_ns start = steady_now();
    for (;;) {
        err error = link_reach(&store->service, problem);
        if (error == ERR_OK)
            error = link_ask(&store->service, text, values, count, binary, result, problem);
        if (error != ERR_UNAVAILABLE || atomic_load(&store->interrupted) ||
            steady_since_ms(start) > PATIENCE_MS)
            return error;
        server_pause(store, AGAIN_MS);
    }
}

/* What a follower knows of the beginning grows old. */
static err refresh_first(struct server_store *store, struct problem *problem)
{
    PGresult *result = NULL;
    if (!store->follows)
        return ERR_OK;
    err error = server_ask(store, "SELECT trimmed_seq FROM kith_log WHERE id=1", NULL, 0, true,
                           &result, problem);
    if (error == ERR_OK)
        store->first_seq = (uint64_t)link_bigint(result, 0, 0) + 1;
    PQclear(result);
    return error;
}

static err read_found(struct server_store *store, const PGresult *result, uint64_t seq,
                      struct log_block **block, struct problem *problem)
{
    struct log_block *made = NULL;
    err error = ERR_OK;
    if (PQntuples(result) > 0)
        error = server_block_of(result, 0, 0, 1, &made, problem);
    if (error == ERR_OK && (made == NULL || seq - made->first_seq >= made->count)) {
        error = refresh_first(store, problem);
        if (error == ERR_OK)
            error = seq < store->first_seq
                        ? problem_set(problem, ERR_NOT_FOUND, "record %" PRIu64 " was trimmed", seq)
                        : problem_set(
                              problem, ERR_CORRUPT,
                              "log on PostgreSQL: the block of record %" PRIu64 " is missing", seq);
    }
    if (error == ERR_OK)
        *block = made;
    else
        log_block_release(&made);
    return error;
}

err server_read(struct log_store *base, uint64_t seq, struct log_block **block,
                struct problem *problem)
{
    static const char TEXT[] = "SELECT first_seq, body FROM kith_log_block WHERE first_seq <= $1"
                               " ORDER BY first_seq DESC LIMIT 1";
    struct server_store *store = server_of(base);
    char number[24];
    struct link_value value = link_int(number, (int64_t)seq);
    PGresult *result = NULL;
    pthread_mutex_lock(&store->turn);
    uint64_t last_seq = store->follows ? log_last_seq(store->log) : store->last_seq;
    err error = ERR_OK;
    if (seq < store->first_seq || seq > last_seq)
        error = problem_set(problem, ERR_NOT_FOUND,
                            "the log holds records %" PRIu64 " to %" PRIu64 ", not %" PRIu64,
                            store->first_seq, last_seq, seq);
    if (error == ERR_OK)
        error = server_ask(store, TEXT, &value, 1, true, &result, problem);
    if (error == ERR_OK)
        error = read_found(store, result, seq, block, problem);
    pthread_mutex_unlock(&store->turn);
    PQclear(result);
    return error;
}

err server_record_bytes_from(struct log_store *base, uint64_t seq, uint64_t *bytes,
                             struct problem *problem)
{
    static const char TEXT[] = "SELECT coalesce(sum(record_bytes), 0)::bigint FROM kith_log_block"
                               " WHERE first_seq >= $1";
    struct server_store *store = server_of(base);
    char number[24];
    struct link_value value = link_int(number, (int64_t)seq);
    PGresult *result = NULL;
    pthread_mutex_lock(&store->turn);
    err error = server_ask(store, TEXT, &value, 1, true, &result, problem);
    pthread_mutex_unlock(&store->turn);
    if (error == ERR_OK)
        *bytes = (uint64_t)link_bigint(result, 0, 0);
    PQclear(result);
    return error;
}

/* One statement: it is made whole or not at all, and tells how far it came. */
err server_trim(struct log_store *base, uint64_t seq, int64_t before_ms, uint64_t *first_seq,
                bool *more, struct problem *problem)
{
    static const char TEXT[] =
        "WITH ours AS (SELECT 1 FROM kith_lease WHERE id=1 AND epoch=$3 FOR SHARE),"
        " oldest AS (SELECT first_seq, last_seq, received_ms FROM kith_log_block"
        "  ORDER BY first_seq LIMIT " TRIM_BLOCKS_TEXT "),"
        " kept AS (SELECT min(first_seq) AS seq FROM oldest WHERE last_seq >= $1 OR"
        "  received_ms >= $2),"
        " gone AS (DELETE FROM kith_log_block WHERE EXISTS (SELECT 1 FROM ours) AND first_seq IN"
        "  (SELECT first_seq FROM oldest, kept WHERE seq IS NULL OR first_seq < seq)"
        "  RETURNING last_seq, received_ms),"
        " most AS (SELECT max(last_seq) AS last_seq, max(received_ms) AS received_ms FROM gone)"
        " UPDATE kith_log SET trimmed_seq=most.last_seq, trimmed_received_ms=most.received_ms"
        " FROM most WHERE id=1 AND most.last_seq IS NOT NULL RETURNING trimmed_seq";
    struct server_store *store = server_of(base);
    char before_seq[24], before[24], epoch[24];
    int64_t end = seq < INT64_MAX ? (int64_t)seq : INT64_MAX;
    struct link_value values[] = { link_int(before_seq, end), link_int(before, before_ms),
                                   link_int(epoch, (int64_t)atomic_load(&store->epoch)) };
    PGresult *result = NULL;
    pthread_mutex_lock(&store->turn);
    err error = server_ask(store, TEXT, values, 3, true, &result, problem);
    *more = error == ERR_OK && PQntuples(result) > 0;
    if (*more)
        store->first_seq = (uint64_t)link_bigint(result, 0, 0) + 1;
    *first_seq = store->first_seq;
    pthread_mutex_unlock(&store->turn);
    PQclear(result);
    return error;
}

/* As counted last: metrics ask often. */
int64_t server_bytes(struct log_store *base)
{
    return atomic_load(&server_of(base)->bytes);
}

err server_replace(struct log_store *base, uint64_t first_seq, str body, struct problem *problem)
{
    static const char TEXT[] =
        "WITH ours AS (SELECT 1 FROM kith_lease WHERE id=1 AND epoch=$3 FOR SHARE)"
        " UPDATE kith_log_block SET body=$2 WHERE first_seq=$1 AND EXISTS (SELECT 1 FROM ours)";
    struct server_store *store = server_of(base);
    char number[24], epoch[24];
    struct link_value values[] = {
        link_int(number, (int64_t)first_seq),
        { .data = body.data, .size = (int)body.size, .format = 1 },
        link_int(epoch, (int64_t)atomic_load(&store->epoch)),
    };
    PGresult *result = NULL;
    pthread_mutex_lock(&store->turn);
    err error = server_ask(store, TEXT, values, 3, false, &result, problem);
    pthread_mutex_unlock(&store->turn);
    PQclear(result);
    return error;
}

/* The old versions of rows leave their pages; what the server's own log and backups hold is its operator's to end. */
err server_scrub(struct log_store *base, struct problem *problem)
{
    struct server_store *store = server_of(base);
    PGresult *result = NULL;
    pthread_mutex_lock(&store->turn);
    err error = server_ask(store, "VACUUM kith_log_block", NULL, 0, false, &result, problem);
    pthread_mutex_unlock(&store->turn);
    PQclear(result);
    return error;
}

err server_begin_at(struct log_store *base, uint64_t first_seq, int64_t received_ms,
                    struct problem *problem)
{
    static const char TEXT[] = "UPDATE kith_log SET trimmed_seq=$1, trimmed_received_ms=$2"
                               " WHERE id=1 AND NOT EXISTS (SELECT 1 FROM kith_log_block)";
    struct server_store *store = server_of(base);
    char seq[24], received[24];
    struct link_value values[] = { link_int(seq, (int64_t)first_seq - 1),
                                   link_int(received, received_ms) };
    PGresult *result = NULL;
    pthread_mutex_lock(&store->turn);
    err error = server_ask(store, TEXT, values, 2, false, &result, problem);
    if (error == ERR_OK) {
        store->first_seq = first_seq;
        store->last_seq = first_seq - 1;
    }
    pthread_mutex_unlock(&store->turn);
    PQclear(result);
    return error;
}
