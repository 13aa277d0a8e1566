/* SPDX-License-Identifier: Apache-2.0 */
/* A log on a PostgreSQL server: opening it, its tables, what its end looks like, closing it. */
#include "log/server.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/logline.h"
#include "log/server_parts.h"

#define FORMAT_VERSION 1
/* So many of the newest blocks are seen to follow each other. */
#define TAIL_BLOCKS_TEXT "1000"

/* Two servers may come at once: the second waits, and finds everything there. */
static const char TABLES[] =
    "BEGIN;"
    "SELECT pg_advisory_xact_lock(1263095881);"
    "CREATE TABLE IF NOT EXISTS kith_log (id INTEGER PRIMARY KEY, format INTEGER NOT NULL,"
    " trimmed_seq BIGINT NOT NULL, trimmed_received_ms BIGINT NOT NULL, keys TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS kith_log_block (first_seq BIGINT PRIMARY KEY,"
    " last_seq BIGINT NOT NULL, received_ms BIGINT NOT NULL, record_bytes BIGINT NOT NULL,"
    " epoch BIGINT NOT NULL, body BYTEA NOT NULL);"
    /* Blocks are compressed already. */
    "ALTER TABLE kith_log_block ALTER body SET STORAGE EXTERNAL;"
    "CREATE TABLE IF NOT EXISTS kith_log_inbox (id BIGSERIAL PRIMARY KEY,"
    " count BIGINT NOT NULL, records BYTEA NOT NULL);"
    "CREATE TABLE IF NOT EXISTS kith_lease (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL,"
    " holder TEXT NOT NULL, address TEXT NOT NULL, until TIMESTAMPTZ NOT NULL);" PEERS_TABLE
    "INSERT INTO kith_log VALUES (1, 1, 0, 0, '') ON CONFLICT DO NOTHING;"
    "INSERT INTO kith_lease VALUES (1, 0, '', '', '-infinity') ON CONFLICT DO NOTHING;"
    "COMMIT";

void server_pause(struct server_store *store, int64_t ms)
{
    for (int64_t slept = 0; slept < ms && !atomic_load(&store->interrupted); slept += 5)
        steady_sleep_ms(ms - slept < 5 ? ms - slept : 5);
}

/* ---- tables ---- */

static err check_format(struct server_store *store, struct problem *problem)
{
    PGresult *result = NULL;
    err error = link_ask(&store->writer,
                         "SELECT format, current_schema()::regnamespace::oid::bigint "
                         "FROM kith_log WHERE id=1",
                         NULL, 0, false, &result, problem);
    if (error != ERR_OK)
        return error;
    int64_t format = PQntuples(result) == 1 ? link_number(result, 0, 0) : 0;
    store->schema = PQntuples(result) == 1 ? (uint64_t)link_number(result, 0, 1) : 0;
    PQclear(result);
    if (format == FORMAT_VERSION)
        return ERR_OK;
    return problem_set(problem, format > FORMAT_VERSION ? ERR_UNSUPPORTED : ERR_CORRUPT,
                       "the log on the server has format %" PRId64 ", this Kith knows %d", format,
                       FORMAT_VERSION);
}

/* The first who writes says whose keys they are; who has others would read nothing and find nobody. */
static err check_keys(struct server_store *store, const char *keys, struct problem *problem)
{
    PGresult *result = NULL;
    struct link_value value = { .data = keys };
    if (keys == NULL)
        return ERR_OK;
    err error = ERR_OK;
    if (!store->follows)
        error = link_ask(&store->writer, "UPDATE kith_log SET keys=$1 WHERE id=1 AND keys=''",
                         &value, 1, false, &result, problem);
    PQclear(result);
    if (error == ERR_OK)
        error = link_ask(&store->writer, "SELECT 1 FROM kith_log WHERE id=1 AND keys IN ('', $1)",
                         &value, 1, false, &result, problem);
    if (error != ERR_OK)
        return error;
    bool fits = PQntuples(result) == 1;
    PQclear(result);
    if (fits)
        return ERR_OK;
    problem_set(problem, ERR_CONFLICT, "the log on the server was written with other keys");
    return problem_hint(problem, ERR_CONFLICT,
                        "copy the file 'keys' from the data folder of the server that writes it");
}

static err make_tables(struct server_store *store, struct problem *problem)
{
    PGresult *result = NULL;
    err error = link_ask(&store->writer, "SELECT (to_regclass('kith_server') IS NOT NULL)::int",
                         NULL, 0, false, &result, problem);
    bool are_there = error == ERR_OK && link_number(result, 0, 0) != 0;
    PQclear(result);
    if (error == ERR_OK && !are_there)
        error = link_run(&store->writer, TABLES, "make the tables of the log", problem);
    return error == ERR_OK ? check_format(store, problem) : error;
}

/* ---- what is there ---- */

static err check_order(struct server_store *store, struct problem *problem)
{
    static const char TEXT[] =
        "SELECT before, first_seq FROM (SELECT first_seq, lag(last_seq) OVER (ORDER BY first_seq)"
        " AS before FROM (SELECT first_seq, last_seq FROM kith_log_block ORDER BY first_seq DESC"
        " LIMIT " TAIL_BLOCKS_TEXT ") newest) pairs WHERE first_seq <> before + 1 LIMIT 1";
    PGresult *result = NULL;
    err error = link_ask(&store->writer, TEXT, NULL, 0, false, &result, problem);
    if (error == ERR_OK && PQntuples(result) > 0) {
        error = problem_set(problem, ERR_CORRUPT,
                            "log on PostgreSQL: records %" PRId64 " to %" PRId64
                            " were durable and are missing",
                            link_number(result, 0, 0) + 1, link_number(result, 0, 1) - 1);
        problem_hint(problem, error, "restore the database from its backup");
    }
    PQclear(result);
    return error;
}

static err read_tail(struct server_store *store, struct log_tail *tail, struct problem *problem)
{
    static const char TEXT[] =
        "SELECT l.trimmed_seq, l.trimmed_received_ms, coalesce(b.first_seq, 0), b.body,"
        " coalesce((SELECT min(first_seq) FROM kith_log_block), 0)"
        " FROM kith_log l LEFT JOIN (SELECT first_seq, body FROM kith_log_block"
        " ORDER BY first_seq DESC LIMIT 1) b ON true WHERE l.id=1";
    struct log_block *last = NULL;
    PGresult *result = NULL;
    err error = link_ask(&store->writer, TEXT, NULL, 0, true, &result, problem);
    if (error != ERR_OK)
        return error;
    *tail = (struct log_tail){ .first_seq = (uint64_t)link_bigint(result, 0, 0) + 1,
                               .last_seq = (uint64_t)link_bigint(result, 0, 0),
                               .received_ms = link_bigint(result, 0, 1) };
    uint64_t oldest = (uint64_t)link_bigint(result, 0, 4);
    if (link_bigint(result, 0, 2) != 0)
        error = server_block_of(result, 0, 2, 3, &last, problem);
    PQclear(result);
    if (error == ERR_OK && last != NULL) {
        tail->last_seq = last->first_seq + last->count - 1;
        tail->received_ms = last->received_ms;
    }
    log_block_release(&last);
    if (error == ERR_OK && oldest != 0 && oldest != tail->first_seq)
        return problem_set(problem, ERR_CORRUPT,
                           "log on PostgreSQL: records %" PRIu64 " to %" PRIu64
                           " were durable and are missing",
                           tail->first_seq, oldest - 1);
    return error == ERR_OK ? check_order(store, problem) : error;
}

/* ---- opening and closing ---- */

static void end_lease_thread(struct server_store *store)
{
    if (store->lease_runs)
        pthread_join(store->lease_thread, NULL);
    store->lease_runs = false;
}

/* Who empties the inbox appends: it ends before the writer does, which answers it. Of a follower nothing looks at the log's
 * config any more: it may be about to take over. */
static void server_interrupt(struct log_store *base)
{
    struct server_store *store = server_of(base);
    atomic_store(&store->interrupted, true);
    if (store->side_runs)
        pthread_join(store->side_thread, NULL);
    store->side_runs = false;
    if (store->follows)
        end_lease_thread(store);
}

static void server_close(struct log_store *base)
{
    struct server_store *store = server_of(base);
    server_interrupt(base);
    end_lease_thread(store);
    peers_leave(store);
    if (!store->follows)
        lease_give_back(store);
    link_close(&store->writer);
    link_close(&store->service);
    link_close(&store->lease);
    link_close(&store->side);
    pthread_mutex_destroy(&store->turn);
    pthread_mutex_destroy(&store->standing_mutex);
    memory_free(store);
}

static bool server_is_dead(struct log_store *base)
{
    return atomic_load(&server_of(base)->dead);
}

/* The server looks after itself. */
static err server_tidy(struct log_store *base, bool quiet, struct problem *problem)
{
    (void)base;
    (void)quiet;
    (void)problem;
    return ERR_OK;
}

static const struct log_store_driver driver_server = {
    .close = server_close,
    .interrupt = server_interrupt,
    .write = server_write,
    .tidy = server_tidy,
    .is_dead = server_is_dead,
    .read = server_read,
    .record_bytes_from = server_record_bytes_from,
    .trim = server_trim,
    .bytes = server_bytes,
    .replace = server_replace,
    .scrub = server_scrub,
    .begin_at = server_begin_at,
    .hand_over = server_hand_over,
    .standing = server_standing,
    .peers = server_peers,
    .may_act = server_may_act,
};

static err connect_all(struct server_store *store, struct problem *problem)
{
    struct link *links[] = { &store->service, &store->lease, &store->side };
    char name[64] = "";
    err error = ERR_OK;
    /* Sessions that write for an epoch say so, to be ended with it (P4). */
    if (!store->follows)
        lease_name(store, atomic_load(&store->epoch), name);
    snprintf(store->writer.application, sizeof store->writer.application, "%s", name);
    store->writer.is_lost = true;
    error = link_reach(&store->writer, problem);
    for (size_t i = 0; i < sizeof links / sizeof *links && error == ERR_OK; i++) {
        snprintf(links[i]->application, sizeof links[i]->application, "%s", name);
        error = link_open(links[i], store->address, problem);
    }
    return error;
}

static void fill(struct server_store *store, struct log *log)
{
    const struct log_config *config = &log->config;
    store->store.driver = &driver_server;
    store->log = log;
    store->follows = config->follows;
    store->lease_ms = config->lease_ms > 0 ? config->lease_ms : LEASE_MS_DEFAULT;
    snprintf(store->address, sizeof store->address, "%s", config->path);
    snprintf(store->holder, sizeof store->holder, "%s",
             config->holder != NULL ? config->holder : "");
    snprintf(store->reached_at, sizeof store->reached_at, "%s",
             config->address != NULL ? config->address : "");
    atomic_init(&store->is_reachable, true);
    pthread_mutex_init(&store->turn, NULL);
    pthread_mutex_init(&store->standing_mutex, NULL);
}

err server_store_open(struct log_store **out, struct log *log, struct log_tail *tail,
                      struct problem *problem)
{
    if (log->config.repair) {
        problem_set(problem, ERR_UNSUPPORTED, "a log on a server is not repaired by Kith");
        return problem_hint(problem, ERR_UNSUPPORTED, "restore the database from its backup");
    }
    struct server_store *store = memory_alloc(sizeof *store);
    if (store == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to open the log");
    fill(store, log);
    err error = link_open(&store->writer, store->address, problem);
    if (error == ERR_OK)
        error = make_tables(store, problem);
    if (error == ERR_OK)
        error = check_keys(store, log->config.keys, problem);
    if (error == ERR_OK)
        error = log->config.follows ? lease_look(store, &store->writer, problem)
                                    : lease_take(store, &store->writer, problem);
    if (error == ERR_OK)
        error = connect_all(store, problem);
    if (error == ERR_OK)
        error = read_tail(store, tail, problem);
    if (error != ERR_OK) {
        server_close(&store->store);
        return error;
    }
    store->first_seq = tail->first_seq;
    store->last_seq = tail->last_seq;
    *out = &store->store;
    return ERR_OK;
}

static bool start(pthread_t *thread, void *(*run)(void *store), struct server_store *store,
                  const char *name)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(thread, NULL, run, store) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        (void)pthread_setname_np(*thread, name);
    return started;
}

err server_store_start(struct log_store *base, struct problem *problem)
{
    struct server_store *store = server_of(base);
    store->lease_runs = start(&store->lease_thread, lease_run, store, "kith-lease");
    if (store->lease_runs)
        store->side_runs = start(&store->side_thread, store->follows ? follow_run : inbox_run,
                                 store, store->follows ? "kith-follow" : "kith-inbox");
    return store->side_runs
               ? ERR_OK
               : problem_set(problem, ERR_NOMEM, "no thread could be started for the log");
}

err log_claim(const char *path, const char *holder, const char *address, int64_t lease_ms,
              struct problem *problem)
{
    struct log log = {
        .config = { .path = path, .holder = holder, .address = address, .lease_ms = lease_ms }
    };
    struct server_store *store = memory_alloc(sizeof *store);
    if (store == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to claim the lease");
    fill(store, &log);
    err error = link_open(&store->writer, store->address, problem);
    if (error == ERR_OK)
        error = make_tables(store, problem);
    if (error == ERR_OK)
        error = lease_take(store, &store->writer, problem);
    link_close(&store->writer);
    pthread_mutex_destroy(&store->turn);
    pthread_mutex_destroy(&store->standing_mutex);
    memory_free(store);
    return error;
}
