/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_insert: rows of events on their way to the shards, all at the same time.
 *
 * A server that is asked for rows a moment after an insert failed may still get that insert: what was sent waits in
 * some network. Old servers do not deduplicate, so nothing that is late may count. Each insert has a stage, a table whose
 * name is never used again:
 *
 *     CREATE stage ─▶ INSERT INTO stage ─▶ ALTER events_shard ATTACH PARTITION FROM stage ─▶ DROP stage
 *
 * The third takes the stage's parts over as hard links, at once or not at all. Whoever gives up an insert drops the stages
 * first (cluster_stop_inserts) and asks what is there then: an INSERT or an ATTACH that arrives later finds no table. A
 * stage that a late CREATE left is empty, and is dropped with the next.
 *
 * Where several servers share a log, one that was taken over may wake and begin an insert of its own. So a stage is made in
 * the likeness of a table that belongs to an epoch (cluster_take_writing): the next one drops it, then the stages, and only then asks
 * what is there. Who comes later with the old number finds nothing to make a stage of. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/events_native.h"
#include "store/warehouse_inside.h"

#define STAGE_MS (2 * MINUTE_MS)
#define STAGE_NAME_BYTES 80
#define STAGES_BYTES_MAX ((size_t)1 << 20)
/* Empty tables as events_shard, by the number of the epoch that may insert. */
#define WRITER "events_writer_"

/* The rows of one shard. */
struct share {
    struct warehouse *warehouse;
    int shard;
    str columns, rows, batch;
    pthread_t thread;
    bool thread_runs;
    err error;
    struct problem problem;
};

static err run_on(struct share *share, const char *before, const char *stage, const char *after)
{
    char sql[256];
    int size = snprintf(sql, sizeof(sql), "%s %s %s", before, stage, after);
    INVARIANT(size > 0 && (size_t)size < sizeof(sql));
    return warehouse_at(share->warehouse, share->shard, sql, STAGE_MS, NULL, &share->problem);
}

static err fill_stage(struct share *share, struct native_stream *stream, const char *stage)
{
    char table[2048];
    int size = snprintf(table, sizeof(table), "%s (" STR_FMT ")", stage, STR_ARG(share->columns));
    INVARIANT(size > 0 && (size_t)size < sizeof(table));
    struct warehouse_data data = { .format = "Native",
                                   .read = native_stream_read,
                                   .context = stream };
    return warehouse_insert_data(share->warehouse, share->shard,
                                 (str){ .data = table, .size = (size_t)size }, &data, share->batch,
                                 &share->problem);
}

static err put_by_stage(struct share *share, struct native_stream *stream)
{
    char stage[STAGE_NAME_BYTES];
    struct warehouse *warehouse = share->warehouse;
    snprintf(stage, sizeof(stage), "events_in_%016" PRIx64 "_%" PRIu64, warehouse->nonce,
             atomic_fetch_add(&warehouse->next_name, 1));
    char likeness[STAGE_NAME_BYTES + 4] = "AS events_shard";
    if (warehouse->epoch > 0)
        snprintf(likeness, sizeof(likeness), "AS " WRITER "%" PRIu64, warehouse->epoch);
    err error = run_on(share, "CREATE TABLE", stage, likeness);
    if (error == ERR_OK)
        error = fill_stage(share, stream, stage);
    if (error == ERR_OK)
        error = run_on(share, "ALTER TABLE events_shard ATTACH PARTITION tuple() FROM", stage, "");
    if (error == ERR_OK)
        error = run_on(share, "DROP TABLE", stage, "");
    return error;
}

static void *put_share(void *context)
{
    struct share *share = context;
    struct native_stream *stream = NULL;
    share->error =
        native_stream_new_share(&stream, share->rows, (uint32_t)share->shard,
                                (uint32_t)share->warehouse->shard_count, &share->problem);
    if (share->error == ERR_OK && native_stream_rows(stream) > 0)
        share->error = put_by_stage(share, stream);
    native_stream_free(&stream);
    return NULL;
}

/* The first shard's by this thread, the others beside it. */
static void put_all(struct share *shares, int count)
{
    for (int i = 1; i < count; i++) {
        shares[i].thread_runs = pthread_create(&shares[i].thread, NULL, put_share, &shares[i]) == 0;
    }
    put_share(&shares[0]);
    for (int i = 1; i < count; i++) {
        if (shares[i].thread_runs)
            pthread_join(shares[i].thread, NULL);
        else
            put_share(&shares[i]);
    }
}

err cluster_insert_events(struct warehouse *warehouse, str columns, str rows, str batch,
                          struct problem *problem)
{
    err error = warehouse_check(warehouse, problem);
    if (error != ERR_OK)
        return error;
    struct share *shares = memory_alloc((size_t)warehouse->shard_count * sizeof(*shares));
    if (shares == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to insert rows");
    for (int i = 0; i < warehouse->shard_count; i++)
        shares[i] = (struct share){
            .warehouse = warehouse, .shard = i, .columns = columns, .rows = rows, .batch = batch
        };
    put_all(shares, warehouse->shard_count);
    for (int i = 0; i < warehouse->shard_count && error == ERR_OK; i++) {
        error = shares[i].error;
        if (error != ERR_OK && problem != NULL)
            *problem = shares[i].problem;
    }
    memory_free(shares);
    return error;
}

/* ---- giving up ---- */

static err drop_tables(struct warehouse *warehouse, int shard, const char *like,
                       struct problem *problem)
{
    struct buffer names;
    char sql[200];
    str rest, name;
    buffer_init(&names, STAGES_BYTES_MAX);
    snprintf(sql, sizeof(sql),
             "SELECT name FROM system.tables WHERE name LIKE '%s' AND "
             "database = currentDatabase() FORMAT TabSeparated",
             like);
    err error = cluster_at(warehouse, shard, sql, &names, problem);
    rest = buffer_str(&names);
    while (error == ERR_OK && str_split(&rest, '\n', &name)) {
        if (name.size == 0 || name.size > STAGE_NAME_BYTES)
            continue;
        snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS " STR_FMT, STR_ARG(name));
        error = cluster_at(warehouse, shard, sql, NULL, problem);
    }
    buffer_deinit(&names);
    return error;
}

/* A stage's name begins so; '_' of LIKE is any byte, which does not matter here. */
#define STAGES "events_in_%"
#define ALIAS_TABLES "alias_map_%"

err cluster_stop_inserts(struct warehouse *warehouse, str batch, struct problem *problem)
{
    err error = warehouse_check(warehouse, problem);
    if (error == ERR_OK)
        error = warehouse_kill(warehouse, batch, problem);
    for (int i = 0; i < warehouse->shard_count && error == ERR_OK; i++)
        error = drop_tables(warehouse, i, STAGES, problem);
    return error;
}

err cluster_sweep(struct warehouse *warehouse, struct problem *problem)
{
    err error = ERR_OK;
    for (int i = 0; i < warehouse->shard_count && error == ERR_OK; i++) {
        error = drop_tables(warehouse, i, STAGES, problem);
        if (error == ERR_OK)
            error = drop_tables(warehouse, i, ALIAS_TABLES, problem);
    }
    return error;
}

/* ---- who may insert ---- */

/* Drop the tables of lower epochs; LOCKED where there is a higher one. */
static err end_lower(struct warehouse *warehouse, int shard, uint64_t epoch,
                     struct problem *problem)
{
    struct buffer names;
    char sql[200];
    str rest, name;
    buffer_init(&names, STAGES_BYTES_MAX);
    err error = cluster_at(warehouse, shard,
                           "SELECT name FROM system.tables WHERE name LIKE '" WRITER "%' AND "
                           "database = currentDatabase() FORMAT TabSeparated",
                           &names, problem);
    rest = buffer_str(&names);
    while (error == ERR_OK && str_split(&rest, '\n', &name)) {
        uint64_t other = 0;
        if (!str_to_uint64(str_slice(name, strlen(WRITER), name.size), &other) || other == epoch)
            continue;
        if (other > epoch) {
            error = problem_set(problem, ERR_LOCKED,
                                "epoch %" PRIu64 " inserts into shard %d, this one is %" PRIu64,
                                other, shard + 1, epoch);
            continue;
        }
        snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS " WRITER "%" PRIu64, other);
        error = cluster_at(warehouse, shard, sql, NULL, problem);
    }
    buffer_deinit(&names);
    return error;
}

err cluster_take_writing(struct warehouse *warehouse, uint64_t epoch, struct problem *problem)
{
    char sql[200];
    snprintf(sql, sizeof(sql), "CREATE TABLE IF NOT EXISTS " WRITER "%" PRIu64 " AS events_shard",
             epoch);
    err error = warehouse_check(warehouse, problem);
    for (int i = 0; i < warehouse->shard_count && error == ERR_OK; i++) {
        error = cluster_at(warehouse, i, sql, NULL, problem);
        if (error == ERR_OK)
            error = end_lower(warehouse, i, epoch, problem);
        if (error == ERR_OK) /* what was begun in their likeness */
            error = drop_tables(warehouse, i, STAGES, problem);
    }
    if (error == ERR_OK)
        warehouse->epoch = epoch;
    return error;
}
