/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at a log on a server: each tells of itself in a row of its own, by the clock of the server, and reads what the others said.
 *
 *     lease's thread ── every PEERS_EVERY_MS ──▶ row of kith_server (address, role, how far it is, ready or why not)
 *     server_close   ── has_left ─────────────▶
 *
 * A row decides nothing: who may write is said by the lease alone. Who falls silent stays listed for a week, and then its row goes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log/server_parts.h"

#define KEPT_TEXT "7 days"

/* ---- telling ---- */

static err tell(struct server_store *store, const struct log_card *card, struct problem *problem)
{
    static const char TEXT[] =
        "INSERT INTO kith_server VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, false,"
        " clock_timestamp()) ON CONFLICT (id) DO UPDATE SET address=EXCLUDED.address,"
        " role=EXCLUDED.role, version=EXCLUDED.version, epoch=EXCLUDED.epoch,"
        " applied_seq=EXCLUDED.applied_seq, lag=EXCLUDED.lag, ready=EXCLUDED.ready,"
        " reason=EXCLUDED.reason, started_ms=EXCLUDED.started_ms, has_left=false,"
        " seen=EXCLUDED.seen";
    char epoch[24], applied[24], lag[24], started[24];
    struct link_value values[] = {
        { .data = store->holder },
        { .data = store->reached_at },
        { .data = card->role },
        { .data = card->version },
        link_int(epoch, (int64_t)atomic_load(&store->epoch)),
        link_int(applied, (int64_t)card->applied_seq),
        link_int(lag, card->lag_records),
        { .data = card->is_ready ? "true" : "false" },
        { .data = card->reason },
        link_int(started, card->started_ms),
    };
    PGresult *result = NULL;
    err error = link_ask(&store->lease, TEXT, values, sizeof values / sizeof *values, false,
                         &result, problem);
    PQclear(result);
    return error;
}

static void forget_old(struct server_store *store)
{
    struct problem problem;
    PGresult *result = NULL;
    if (link_ask(&store->lease,
                 "DELETE FROM kith_server WHERE seen < clock_timestamp() - interval '" KEPT_TEXT
                 "'",
                 NULL, 0, false, &result, &problem) == ERR_OK)
        PQclear(result);
}

void peers_tell(struct server_store *store)
{
    const struct log_config *config = &store->log->config;
    struct log_card card = { .is_ready = false };
    struct problem problem;
    if (config->describe == NULL || store->holder[0] == '\0' ||
        (store->told.ns != 0 && steady_since_ms(store->told) < PEERS_EVERY_MS))
        return;
    bool is_first = store->told.ns == 0;
    store->told = steady_now();
    config->describe(config->context, &card);
    if (tell(store, &card, &problem) == ERR_OK && is_first && !store->follows)
        forget_old(store);
}

void peers_leave(struct server_store *store)
{
    struct problem problem;
    PGresult *result = NULL;
    struct link_value value = { .data = store->holder };
    if (store->told.ns == 0 || PQstatus(store->lease.connection) != CONNECTION_OK ||
        store->lease.is_lost)
        return; /* it is silent from now on */
    if (link_ask(&store->lease,
                 "UPDATE kith_server SET has_left=true, ready=false, seen=clock_timestamp()"
                 " WHERE id=$1",
                 &value, 1, false, &result, &problem) == ERR_OK)
        PQclear(result);
}

/* ---- reading ---- */

static void take_text(const PGresult *result, int row, int column, char *out, size_t size)
{
    snprintf(out, size, "%s", PQgetvalue(result, row, column));
}

static void read_peer(const struct server_store *store, const PGresult *result, int row,
                      struct log_peer *peer)
{
    *peer = (struct log_peer){
        .epoch = (uint64_t)link_number(result, row, 4),
        .silent_ms = link_number(result, row, 11),
        .has_left = PQgetvalue(result, row, 10)[0] == 't',
        .is_this = strcmp(PQgetvalue(result, row, 0), store->holder) == 0,
        .card = { .is_ready = PQgetvalue(result, row, 7)[0] == 't',
                  .applied_seq = (uint64_t)link_number(result, row, 5),
                  .lag_records = link_number(result, row, 6),
                  .started_ms = link_number(result, row, 9) },
    };
    snprintf(peer->id, sizeof peer->id, "%.12s", PQgetvalue(result, row, 0));
    take_text(result, row, 1, peer->address, sizeof peer->address);
    take_text(result, row, 2, peer->card.role, sizeof peer->card.role);
    take_text(result, row, 3, peer->card.version, sizeof peer->card.version);
    take_text(result, row, 8, peer->card.reason, sizeof peer->card.reason);
}

err server_peers(struct log_store *base, void (*visit)(void *context, const struct log_peer *peer),
                 void *context, struct problem *problem)
{
    static const char TEXT[] =
        "SELECT id, address, role, version, epoch, applied_seq, lag, ready, reason, started_ms,"
        " has_left, (extract(epoch FROM clock_timestamp() - seen) * 1000)::bigint"
        " FROM kith_server WHERE seen > clock_timestamp() - interval '" KEPT_TEXT
        "' ORDER BY has_left, seen DESC, id";
    struct server_store *store = server_of(base);
    PGresult *result = NULL;
    pthread_mutex_lock(&store->turn);
    err error = server_ask(store, TEXT, NULL, 0, false, &result, problem);
    pthread_mutex_unlock(&store->turn);
    for (int row = 0; error == ERR_OK && row < PQntuples(result); row++) {
        struct log_peer peer;
        read_peer(store, result, row, &peer);
        visit(context, &peer);
    }
    PQclear(result);
    return error;
}
