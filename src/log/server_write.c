/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a log on a server: blocks by who holds the lease, the inbox by who follows. */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/logline.h"
#include "log/mutate.h"
#include "log/server_parts.h"

#define AGAIN_FIRST_MS 20
#define AGAIN_LAST_MS 500

/* P1: without such a row this divides by zero, and nothing of the transaction happens. */
#define CHECK \
    "SELECT 1 / count(*) FROM (SELECT 1 FROM kith_lease WHERE id=1 AND epoch=$1 FOR SHARE) ours"
#define PUT                                                                                    \
    "INSERT INTO kith_log_block (first_seq, last_seq, received_ms, record_bytes, epoch, body)" \
    " VALUES ($1, $2, $3, $4, $5, $6)"
/* All of them, or none: otherwise somebody else has emptied the inbox, and it fails likewise. */
#define TAKE                                                                             \
    "WITH gone AS (DELETE FROM kith_log_inbox WHERE id = ANY($1::bigint[]) RETURNING 1)" \
    " SELECT 1 / (count(*) = $2)::int FROM gone"
#define HAND_OVER "INSERT INTO kith_log_inbox (count, records) VALUES ($1, $2)"

static err prepare(struct server_store *store, struct problem *problem)
{
    static const char *const statements[][2] = {
        { "check_lease", CHECK }, { "put", PUT }, { "take", TAKE }, { "hand_over", HAND_OVER }
    };
    struct link *link = &store->writer;
    err error = link_reach(link, problem);
    if (error != ERR_OK || store->prepared == link->life)
        return error;
    for (size_t i = 0; i < sizeof statements / sizeof *statements && error == ERR_OK; i++) {
        PGresult *result = PQprepare(link->connection, statements[i][0], statements[i][1], 0, NULL);
        if (!link_is_fine(result))
            error = link_failed(link, result, "prepare a write", problem);
        PQclear(result);
    }
    if (error == ERR_OK)
        store->prepared = link->life;
    return error;
}

/* ---- one round trip ---- */

struct trip {
    struct link *link;
    const char *doing;
    struct problem *problem;
    err error; /* the first */
};

static void send(struct trip *trip, const char *statement, const struct link_value *values,
                 int count)
{
    const char *data[6];
    int sizes[6], formats[6];
    INVARIANT(count <= 6);
    if (trip->error != ERR_OK)
        return;
    for (int i = 0; i < count; i++) {
        data[i] = values[i].data;
        sizes[i] = values[i].size;
        formats[i] = values[i].format;
    }
    if (PQsendQueryPrepared(trip->link->connection, statement, count, data, sizes, formats, 0) == 0)
        trip->error = link_failed(trip->link, NULL, trip->doing, trip->problem);
}

static void begin_trip(struct trip *trip)
{
    if (PQenterPipelineMode(trip->link->connection) == 0)
        trip->error = link_failed(trip->link, NULL, trip->doing, trip->problem);
}

/* The transaction ends with the sync; read what became of all of it. */
static err end_trip(struct trip *trip)
{
    PGconn *connection = trip->link->connection;
    if (trip->error == ERR_OK && PQpipelineSync(connection) == 0)
        trip->error = link_failed(trip->link, NULL, trip->doing, trip->problem);
    bool synced = false;
    for (int nothing = 0; !synced && nothing < 2;) {
        PGresult *result = PQgetResult(connection);
        if (result == NULL) {
            nothing++; /* between the answers; twice: no more will come */
            continue;
        }
        nothing = 0;
        ExecStatusType status = PQresultStatus(result);
        synced = status == PGRES_PIPELINE_SYNC;
        if (!synced && status != PGRES_PIPELINE_ABORTED && !link_is_fine(result) &&
            trip->error == ERR_OK)
            trip->error = link_failed(trip->link, result, trip->doing, trip->problem);
        PQclear(result);
    }
    if (!synced || PQexitPipelineMode(connection) == 0) {
        if (trip->error == ERR_OK)
            trip->error = link_failed(trip->link, NULL, trip->doing, trip->problem);
        trip->link->is_lost = true; /* what state it is in is not known */
    }
    return trip->error;
}

/* ---- blocks ---- */

static void put_block(struct trip *trip, const struct log_file_row *row, uint64_t epoch)
{
    struct block_head head;
    char first[24], last[24], received[24], bytes[24], ours[24];
    bool is_head = block_head_read(row->body, &head);
    INVARIANT(is_head);
    struct link_value values[] = {
        link_int(first, (int64_t)row->first_seq),
        link_int(last, (int64_t)(row->first_seq + head.count - 1)),
        link_int(received, head.received_ms),
        link_int(bytes, head.record_bytes),
        link_int(ours, (int64_t)epoch),
        { .data = row->body.data, .size = (int)row->body.size, .format = 1 },
    };
    send(trip, "put", values, 6);
}

static err take_from_inbox(struct trip *trip, const struct log_taken *taken)
{
    struct buffer ids;
    char count[24];
    if (taken->count == 0)
        return ERR_OK;
    buffer_init(&ids, (size_t)1 << 20);
    buffer_append_byte(&ids, '{');
    for (size_t i = 0; i < taken->count; i++)
        buffer_printf(&ids, "%s%" PRId64, i > 0 ? "," : "", taken->ids[i]);
    buffer_append_byte(&ids, '}');
    buffer_append_byte(&ids, '\0');
    err error = buffer_status(&ids);
    if (error == ERR_OK) {
        struct link_value values[] = { { .data = ids.data },
                                       link_int(count, (int64_t)taken->count) };
        send(trip, "take", values, 2);
    }
    buffer_deinit(&ids);
    return error;
}

static err write_once(struct server_store *store, const struct log_file_row *rows, size_t count,
                      const struct log_taken *taken, struct problem *problem)
{
    struct trip trip = { .link = &store->writer, .doing = "write", .problem = problem };
    uint64_t epoch = atomic_load(&store->epoch);
    char ours[24];
    struct link_value value = link_int(ours, (int64_t)epoch);
    err error = prepare(store, problem);
    if (error != ERR_OK)
        return error;
    begin_trip(&trip);
    if (!log_mutates(MUTATION_NO_EPOCH))
        send(&trip, "check_lease", &value, 1);
    for (size_t i = 0; i < count; i++)
        put_block(&trip, &rows[i], epoch);
    err taking = take_from_inbox(&trip, taken);
    if (taking != ERR_OK && trip.error == ERR_OK) {
        trip.error = taking;
        store->writer.is_lost = true; /* no sync: the transaction ends with the session */
        PQreset(store->writer.connection);
        return taking;
    }
    return end_trip(&trip);
}

/* ---- what became of it (P2) ---- */

static err look(struct server_store *store, uint64_t *epoch, uint64_t *last_seq,
                struct problem *problem)
{
    static const char TEXT[] =
        "SELECT l.epoch, coalesce((SELECT max(last_seq) FROM kith_log_block WHERE first_seq ="
        " (SELECT max(first_seq) FROM kith_log_block)), 0) FROM kith_lease l WHERE l.id=1";
    PGresult *result = NULL;
    err error = link_reach(&store->writer, problem);
    if (error == ERR_OK)
        error = link_ask(&store->writer, TEXT, NULL, 0, false, &result, problem);
    if (error == ERR_OK && PQntuples(result) != 1)
        error = problem_set(problem, ERR_CORRUPT, "the log on the server has lost its lease row");
    if (error == ERR_OK) {
        *epoch = (uint64_t)link_number(result, 0, 0);
        *last_seq = (uint64_t)link_number(result, 0, 1);
    }
    PQclear(result);
    return error;
}

static err not_ours(struct server_store *store, struct problem *problem)
{
    problem_set(problem, ERR_LOCKED,
                "the lease of epoch %" PRIu64 " is over, and another Kith has taken it",
                atomic_load(&store->epoch));
    return problem_hint(problem, ERR_LOCKED, "nothing was lost: it goes on there");
}

/* OK: *written says whether it was. Waits for the server as long as nobody interrupts. */
static err find_out(struct server_store *store, uint64_t last_seq, bool *written,
                    struct problem *problem)
{
    int64_t pause_ms = AGAIN_FIRST_MS;
    uint64_t epoch = 0, last = 0;
    *written = false;
    if (log_mutates(MUTATION_LOST_IS_DONE)) {
        *written = true;
        return ERR_OK;
    }
    for (;;) {
        err error = look(store, &epoch, &last, problem);
        if (error == ERR_OK)
            break;
        if (error != ERR_UNAVAILABLE || atomic_load(&store->interrupted))
            return error;
        server_pause(store, pause_ms);
        pause_ms = pause_ms * 2 < AGAIN_LAST_MS ? pause_ms * 2 : AGAIN_LAST_MS;
    }
    if (epoch != atomic_load(&store->epoch) && !log_mutates(MUTATION_NO_EPOCH))
        return not_ours(store, problem);
    *written = last >= last_seq;
    return ERR_OK;
}

/* The server could not be reached, or its answer was lost; a row with our number means the same: the session that was
 * lost has committed after all. */
static bool is_unknown(err error)
{
    return error == ERR_UNAVAILABLE || error == ERR_CONFLICT || error == ERR_BUSY;
}

static err die(struct server_store *store, err error, struct problem *problem)
{
    atomic_store(&store->dead, true);
    return error == ERR_LOCKED ? not_ours(store, problem) : error;
}

err server_write(struct log_store *base, const struct log_file_row *rows, size_t count,
                 uint64_t last_seq, const struct log_taken *taken, struct problem *problem)
{
    struct server_store *store = server_of(base);
    bool written = false;
    if (atomic_load(&store->dead))
        return not_ours(store, problem);
    while (!written) {
        err error = write_once(store, rows, count, taken, problem);
        if (error == ERR_STORAGE_FULL || error == ERR_NOMEM)
            return error;
        written = error == ERR_OK;
        if (is_unknown(error)) {
            log_line(LOG_WARN, "log_write_unknown", "last_seq=%" PRIu64 " reason=\"%s\"", last_seq,
                     problem->detail);
            error = find_out(store, last_seq, &written, problem);
        }
        if (error != ERR_OK)
            return die(store, error, problem);
    }
    pthread_mutex_lock(&store->turn);
    store->last_seq = last_seq;
    pthread_mutex_unlock(&store->turn);
    return ERR_OK;
}

/* ---- the inbox ---- */

static err hand_over_once(struct server_store *store, const struct log_handed *handed, size_t count,
                          struct problem *problem)
{
    struct trip trip = { .link = &store->writer, .doing = "hand events over", .problem = problem };
    err error = prepare(store, problem);
    if (error != ERR_OK)
        return error;
    begin_trip(&trip);
    for (size_t i = 0; i < count; i++) {
        char records[24];
        struct link_value values[] = {
            link_int(records, handed[i].count),
            { .data = handed[i].records.data, .size = (int)handed[i].records.size, .format = 1 },
        };
        send(&trip, "hand_over", values, 2);
    }
    return end_trip(&trip);
}

err server_hand_over(struct log_store *base, const struct log_handed *handed, size_t count,
                     struct problem *problem)
{
    struct server_store *store = server_of(base);
    int64_t pause_ms = AGAIN_FIRST_MS;
    err error;
    while ((error = hand_over_once(store, handed, count, problem)) == ERR_UNAVAILABLE &&
           !atomic_load(&store->interrupted)) {
        server_pause(store, pause_ms);
        pause_ms = pause_ms * 2 < AGAIN_LAST_MS ? pause_ms * 2 : AGAIN_LAST_MS;
    }
    return error;
}
