/* SPDX-License-Identifier: Apache-2.0 */
/* The lease of a log on a server: taking it, keeping it, giving it back, and seeing who has it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/logline.h"
#include "log/mutate.h"
#include "log/server_parts.h"

#define LEASE_COLUMNS \
    "epoch, address, (extract(epoch FROM until - clock_timestamp()) * 1000)::bigint, holder"
/* `until` of a lease that was given back is -infinity, which cannot be subtracted. */
#define LOOK                                                                            \
    "SELECT epoch, address, CASE WHEN isfinite(until) THEN (extract(epoch FROM until -" \
    " clock_timestamp()) * 1000)::bigint ELSE -1 END, holder FROM kith_lease WHERE id=1"
/* Of renewals that failed: the next try. */
#define AGAIN_MS 200
/* What others may ask for often is counted so often. */
#define COUNT_EVERY_MS 5000

void lease_name(const struct server_store *store, uint64_t epoch, char name[64])
{
    snprintf(name, 64, "kith-%" PRIu64 "-%" PRIu64, store->schema, epoch);
}

/* ---- who has it ---- */

static void note_standing(struct server_store *store, const PGresult *result, steady_ns asked)
{
    int64_t left_ms = link_number(result, 0, 2);
    if (store->follows)
        atomic_store(&store->epoch, (uint64_t)link_number(result, 0, 0));
    atomic_store(&store->lease_until_ns, asked.ns + left_ms * INT64_C(1000000));
    atomic_store(&store->lease_is_free, left_ms < 0);
    atomic_store(&store->is_reachable, true);
    pthread_mutex_lock(&store->standing_mutex);
    snprintf(store->active, sizeof store->active, "%s", PQgetvalue(result, 0, 1));
    pthread_mutex_unlock(&store->standing_mutex);
}

err lease_look(struct server_store *store, struct link *link, struct problem *problem)
{
    PGresult *result = NULL;
    steady_ns asked = steady_now();
    err error = link_ask(link, LOOK, NULL, 0, false, &result, problem);
    if (error == ERR_OK && PQntuples(result) != 1)
        error = problem_set(problem, ERR_CORRUPT, "the log on the server has lost its lease row");
    if (error == ERR_OK)
        note_standing(store, result, asked);
    PQclear(result);
    return error;
}

void server_standing(struct log_store *base, struct log_standing *standing)
{
    struct server_store *store = server_of(base);
    int64_t left_ns = atomic_load(&store->lease_until_ns) - steady_now().ns;
    *standing = (struct log_standing){
        .is_on_server = true,
        .follows = store->follows,
        .is_reachable = atomic_load(&store->is_reachable),
        .epoch = atomic_load(&store->epoch),
        .lease_left_ms = left_ns / 1000000,
        .lease_is_free = atomic_load(&store->lease_is_free),
        .inbox_rows = atomic_load(&store->inbox_rows),
    };
    pthread_mutex_lock(&store->standing_mutex);
    snprintf(standing->active, sizeof standing->active, "%s", store->active);
    pthread_mutex_unlock(&store->standing_mutex);
}

bool server_may_act(struct log_store *base)
{
    struct server_store *store = server_of(base);
    if (log_mutates(MUTATION_NO_EPOCH))
        return true;
    return !store->follows && !atomic_load(&store->dead) &&
           steady_now().ns < atomic_load(&store->lease_until_ns);
}

/* ---- taking it ---- */

/* P4. Of a lease that is over, or was ours: its sessions are nobody's any more. */
static err end_sessions(struct server_store *store, struct link *link, struct problem *problem)
{
    static const char TEXT[] =
        "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a, kith_lease l"
        " WHERE l.id=1 AND (l.until < clock_timestamp() OR (l.holder = $1 AND l.holder <> ''))"
        " AND a.datname = current_database() AND a.pid <> pg_backend_pid()"
        " AND a.application_name = 'kith-' || $2 || '-' || l.epoch";
    char schema[24];
    struct link_value values[] = { { .data = store->holder },
                                   link_int(schema, (int64_t)store->schema) };
    PGresult *result = NULL;
    err error = link_ask(link, TEXT, values, 2, false, &result, problem);
    PQclear(result);
    return error;
}

static err refuse(struct server_store *store, struct link *link, struct problem *problem)
{
    err error = lease_look(store, link, problem);
    if (error != ERR_OK)
        return error;
    struct log_standing standing;
    server_standing(&store->store, &standing);
    problem_set(problem, ERR_LOCKED,
                "the log is written by another Kith%s%s (epoch %" PRIu64 ", for %" PRId64
                " ms more)",
                standing.active[0] != '\0' ? " at " : "", standing.active, standing.epoch,
                standing.lease_left_ms);
    return problem_hint(problem, ERR_LOCKED,
                        "stop that one, or let this one follow it until it ends (--role)");
}

err lease_take(struct server_store *store, struct link *link, struct problem *problem)
{
    static const char TEXT[] = "UPDATE kith_lease SET epoch=epoch+1, holder=$1, address=$2,"
                               " until=clock_timestamp() + $3::bigint * interval '1 ms' WHERE id=1"
                               " AND (until < clock_timestamp() OR (holder = $1 AND holder <> ''))"
                               " RETURNING " LEASE_COLUMNS;
    char lease_ms[24];
    struct link_value values[] = { { .data = store->holder },
                                   { .data = store->reached_at },
                                   link_int(lease_ms, store->lease_ms) };
    PGresult *result = NULL;
    err error = end_sessions(store, link, problem);
    if (error == ERR_OK)
        error = link_run(link, "SET lock_timeout='3s'", "wait for the lease", problem);
    steady_ns asked = steady_now();
    if (error == ERR_OK)
        error = link_ask(link, TEXT, values, 3, false, &result, problem);
    if (error != ERR_OK)
        return error;
    if (PQntuples(result) == 1) {
        atomic_store(&store->epoch, (uint64_t)link_number(result, 0, 0));
        note_standing(store, result, asked);
        log_line(LOG_INFO, "lease_taken", "epoch=%" PRIu64, atomic_load(&store->epoch));
    } else {
        error = refuse(store, link, problem);
    }
    PQclear(result);
    return error;
}

void lease_give_back(struct server_store *store)
{
    static const char TEXT[] = "UPDATE kith_lease SET until='-infinity' WHERE id=1 AND epoch=$1";
    char epoch[24];
    struct problem problem;
    PGresult *result = NULL;
    uint64_t ours = atomic_load(&store->epoch);
    if (ours == 0 || PQstatus(store->writer.connection) != CONNECTION_OK || store->writer.is_lost)
        return; /* it ends by itself */
    struct link_value value = link_int(epoch, (int64_t)ours);
    if (link_ask(&store->writer, TEXT, &value, 1, false, &result, &problem) == ERR_OK)
        log_line(LOG_INFO, "lease_given_back", "epoch=%" PRIu64, ours);
    PQclear(result);
}

/* ---- keeping it ---- */

/* *lost: it is another's now. */
static err renew(struct server_store *store, bool *lost, struct problem *problem)
{
    static const char TEXT[] =
        "UPDATE kith_lease SET until=clock_timestamp() + $2::bigint * interval '1 ms'"
        " WHERE id=1 AND epoch=$1 RETURNING " LEASE_COLUMNS;
    char epoch[24], lease_ms[24];
    struct link_value values[] = { link_int(epoch, (int64_t)atomic_load(&store->epoch)),
                                   link_int(lease_ms, store->lease_ms) };
    PGresult *result = NULL;
    err error = link_reach(&store->lease, problem);
    steady_ns asked = steady_now();
    if (error == ERR_OK)
        error = link_ask(&store->lease, TEXT, values, 2, false, &result, problem);
    if (error == ERR_OK && PQntuples(result) == 1)
        note_standing(store, result, asked);
    *lost = error == ERR_OK && PQntuples(result) == 0;
    PQclear(result);
    return error;
}

static void count_what_is_there(struct server_store *store)
{
    static const char TEXT[] = "SELECT pg_total_relation_size('kith_log_block'),"
                               " (SELECT count(*) FROM kith_log_inbox)";
    struct problem problem;
    PGresult *result = NULL;
    if (link_ask(&store->lease, TEXT, NULL, 0, false, &result, &problem) == ERR_OK) {
        atomic_store(&store->bytes, link_number(result, 0, 0));
        atomic_store(&store->inbox_rows, link_number(result, 0, 1));
    }
    PQclear(result);
}

static void lease_lost(struct server_store *store)
{
    struct problem problem;
    if (log_mutates(MUTATION_NO_EPOCH))
        return;
    atomic_store(&store->dead, true);
    problem_set(&problem, ERR_LOCKED,
                "the lease of epoch %" PRIu64 " is over, and another Kith has taken it",
                atomic_load(&store->epoch));
    log_die(store->log, &problem);
}

/* However long the lease is, the others hear of us. */
static void pause_telling(struct server_store *store, int64_t ms)
{
    peers_tell(store);
    while (ms > 0 && !atomic_load(&store->interrupted)) {
        int64_t step_ms = ms < PEERS_EVERY_MS ? ms : PEERS_EVERY_MS;
        server_pause(store, step_ms);
        ms -= step_ms;
        peers_tell(store);
    }
}

/* Of the writer: renew it in good time. Of a follower: see who has it. */
void *lease_run(void *context)
{
    struct server_store *store = context;
    bool follows = store->follows, lost = false;
    steady_ns counted = { 0 };
    if (!follows) /* it was taken just now */
        pause_telling(store, store->lease_ms / 4);
    while (!atomic_load(&store->interrupted) && !lost) {
        struct problem problem = { .error = ERR_OK };
        err error;
        if (follows) {
            error = link_reach(&store->lease, &problem);
            if (error == ERR_OK)
                error = lease_look(store, &store->lease, &problem);
        } else {
            error = renew(store, &lost, &problem);
        }
        if (error != ERR_OK && atomic_exchange(&store->is_reachable, false))
            log_line(LOG_WARN, "log_server_away", "reason=\"%s\"", problem.detail);
        if (error == ERR_OK && (counted.ns == 0 || steady_since_ms(counted) >= COUNT_EVERY_MS)) {
            counted = steady_now();
            count_what_is_there(store);
        }
        int64_t pause_ms = follows ? store->lease_ms / 10 : store->lease_ms / 4;
        if (error == ERR_OK && !lost)
            pause_telling(store, pause_ms);
        else
            server_pause(store, pause_ms > AGAIN_MS ? AGAIN_MS : pause_ms);
    }
    if (lost)
        lease_lost(store);
    return NULL;
}
