/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_schema: the tables of a shard, made by Kith on each server, and whether the shards belong together.
 *
 *     events_shard       rows of its customers                        MergeTree
 *     events             all of them                                  Distributed over events_shard
 *     aliases, retracted_events, retracted_sources                    whole on each shard
 *     alias_map          aliases as joinGet finds them                Join; made anew when aliases come
 *     kith_shard         one row: which shard of how many, of which house
 *     kith_shards        all of those rows                            Distributed over kith_shard
 *
 * docs/formats/warehouse.md explains them. Servers before version 20 know neither codecs, fsync nor LowCardinality. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/logline.h"
#include "store/event_columns.h"
#include "store/warehouse_inside.h"

#define MODERN_VERSION 20
#define ANSWER_BYTES_MAX ((size_t)1 << 20)

/* ---- events ---- */

/* A dictionary of texts is still an experiment there. */
static const char *type_on(const struct warehouse_shard *shard, const struct event_column *column)
{
    bool dictionary = str_starts_with(str_from_c(column->type), STR("LowCardinality"));
    return dictionary && !shard->is_modern ? "String" : column->type;
}

static void write_column(const struct warehouse_shard *shard, const struct event_column *column,
                         struct buffer *sql)
{
    buffer_printf(sql, "\"%s\" %s", column->name, type_on(shard, column));
    if (column->promoted && column->form == FORM_I64)
        buffer_printf(sql, " DEFAULT -9223372036854775808"); /* PROMOTED_MISSING */
    if (shard->is_modern)
        buffer_printf(sql, " CODEC(%s)", column->codec);
}

/* Without fsync old parts stay as long as the server says (old_parts_lifetime, 480 s). */
static void write_settings(const struct warehouse_shard *shard, struct buffer *sql)
{
    buffer_printf(sql, " SETTINGS index_granularity = 8192");
    if (shard->is_modern)
        buffer_printf(sql, ", fsync_after_insert = 1, fsync_part_directory = 1, "
                           "min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480");
}

static err run(struct warehouse *warehouse, int shard, struct buffer *sql, struct problem *problem)
{
    buffer_append_byte(sql, 0);
    err error = buffer_status(sql);
    if (error == ERR_OK)
        error = cluster_at(warehouse, shard, sql->data, NULL, problem);
    buffer_clear(sql);
    return error;
}

static err make_events(struct warehouse *warehouse, int number, struct buffer *sql,
                       struct problem *problem)
{
    const struct warehouse_shard *shard = &warehouse->shards[number];
    buffer_printf(sql, "CREATE TABLE IF NOT EXISTS events_shard (");
    for (int i = 0; i < event_column_count; i++) {
        buffer_printf(sql, "%s", i > 0 ? ", " : "");
        write_column(shard, &event_columns[i], sql);
    }
    buffer_printf(sql, ") ENGINE = MergeTree ORDER BY (customer, time_ms, seq)");
    write_settings(shard, sql);
    return run(warehouse, number, sql, problem);
}

static const struct event_column *find_column(str name)
{
    for (int i = 0; i < event_column_count; i++) {
        if (str_equal(name, str_from_c(event_columns[i].name)))
            return &event_columns[i];
    }
    return NULL;
}

/* `described`: lines of name, tab, type. */
static err check_types(const struct warehouse *warehouse, int number, str described, bool *present,
                       struct problem *problem)
{
    str line;
    while (str_split(&described, '\n', &line)) {
        str type = line, name;
        if (line.size == 0 || !str_split(&type, '\t', &name))
            continue;
        const struct event_column *column = find_column(name);
        if (column == NULL)
            continue;
        present[column - event_columns] = true;
        bool same = str_equal(type, str_from_c(column->type)) ||
                    str_equal(type, str_from_c(type_on(&warehouse->shards[number], column)));
        if (!same)
            return problem_set(problem, ERR_CONFLICT,
                               "warehouse shard %d (%s): column events_shard.%s is " STR_FMT
                               ", this Kith writes %s",
                               number + 1, warehouse->shards[number].url, column->name,
                               STR_ARG(type), column->type);
    }
    return ERR_OK;
}

/* The table over all has the columns it had when it was made: it is made anew then. */
static err add_missing(struct warehouse *warehouse, int number, const bool *present,
                       struct buffer *sql, struct problem *problem)
{
    err error = ERR_OK;
    bool added = false;
    for (int i = 0; i < event_column_count && error == ERR_OK; i++) {
        if (present[i])
            continue;
        buffer_printf(sql, "ALTER TABLE events_shard ADD COLUMN ");
        write_column(&warehouse->shards[number], &event_columns[i], sql);
        error = run(warehouse, number, sql, problem);
        added = true;
        log_line(LOG_INFO, "warehouse_column", "shard=%d added=%s", number + 1,
                 event_columns[i].name);
    }
    if (error == ERR_OK && added)
        error = cluster_at(warehouse, number, "DROP TABLE IF EXISTS events", NULL, problem);
    return error;
}

static err check_events(struct warehouse *warehouse, int number, struct buffer *sql,
                        struct problem *problem)
{
    bool present[EVENT_COLUMNS_MAX] = { false };
    struct buffer out;
    buffer_init(&out, ANSWER_BYTES_MAX);
    err error = cluster_at(warehouse, number,
                           "SELECT name, type FROM system.columns WHERE table = 'events_shard' AND "
                           "database = currentDatabase() FORMAT TabSeparated",
                           &out, problem);
    if (error == ERR_OK)
        error = check_types(warehouse, number, buffer_str(&out), present, problem);
    if (error == ERR_OK)
        error = add_missing(warehouse, number, present, sql, problem);
    buffer_deinit(&out);
    return error;
}

/* ---- all tables of a shard ---- */

static err ask_version(struct warehouse *warehouse, int number, struct problem *problem)
{
    struct buffer out;
    int64_t version = 0;
    str rest, first;
    buffer_init(&out, 4096);
    err error =
        cluster_at(warehouse, number, "SELECT version() FORMAT TabSeparated", &out, problem);
    rest = buffer_str(&out);
    if (error == ERR_OK && (!str_split(&rest, '.', &first) || !str_to_int64(first, &version)))
        error = problem_set(problem, ERR_WAREHOUSE, "warehouse shard %d (%s) is no ClickHouse",
                            number + 1, warehouse->shards[number].url);
    buffer_deinit(&out);
    bool is_modern = version >= MODERN_VERSION;
    warehouse->shards[number].is_modern = is_modern;
    if (error == ERR_OK && !is_modern)
        atomic_store(&warehouse->modern, false);
    return error;
}

/* A table `events` that is no Distributed one is somebody's data. */
static err refuse_other_events(struct warehouse *warehouse, int number, struct problem *problem)
{
    struct buffer out;
    buffer_init(&out, 4096);
    err error = cluster_at(warehouse, number,
                           "SELECT engine FROM system.tables WHERE name = 'events' AND "
                           "database = currentDatabase() FORMAT TabSeparated",
                           &out, problem);
    str engine = str_trim(buffer_str(&out));
    if (error == ERR_OK && engine.size > 0 && !str_equal(engine, STR("Distributed"))) {
        error = problem_set(problem, ERR_CONFLICT,
                            "warehouse shard %d (%s) has a table 'events' of the engine " STR_FMT,
                            number + 1, warehouse->shards[number].url, STR_ARG(engine));
        problem_hint(problem, error, "give Kith a user whose database has no such table");
    }
    buffer_deinit(&out);
    return error;
}

static err make_others(struct warehouse *warehouse, int number, struct buffer *sql,
                       struct problem *problem)
{
    static const struct {
        const char *columns, *engine;
        bool settled;
    } tables[] = {
        { "aliases (customer UInt32, current UInt32, version UInt64)",
          "ReplacingMergeTree(version) ORDER BY customer", true },
        { "alias_map (customer UInt32, current UInt32)", "Join(ANY, LEFT, customer)", false },
        { "retracted_events (seq UInt64)", "MergeTree ORDER BY seq", true },
        { "retracted_sources (source UInt64)", "MergeTree ORDER BY source", true },
        { "kith_shard (shard UInt32, shards UInt32, house String)", "MergeTree ORDER BY shard",
          true },
    };
    err error = ERR_OK;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && error == ERR_OK; i++) {
        buffer_printf(sql, "CREATE TABLE IF NOT EXISTS %s ENGINE = %s", tables[i].columns,
                      tables[i].engine);
        if (tables[i].settled)
            write_settings(&warehouse->shards[number], sql);
        error = run(warehouse, number, sql, problem);
    }
    return error;
}

static err make_distributed(struct warehouse *warehouse, int number, struct buffer *sql,
                            struct problem *problem)
{
    buffer_printf(sql,
                  "CREATE TABLE IF NOT EXISTS events AS events_shard ENGINE = "
                  "Distributed(%s, currentDatabase(), events_shard, customer)",
                  warehouse->cluster);
    err error = run(warehouse, number, sql, problem);
    buffer_printf(sql,
                  "CREATE TABLE IF NOT EXISTS kith_shards AS kith_shard ENGINE = "
                  "Distributed(%s, currentDatabase(), kith_shard)",
                  warehouse->cluster);
    if (error == ERR_OK)
        error = run(warehouse, number, sql, problem);
    if (error != ERR_OK && problem != NULL && strstr(problem->detail, "cluster") != NULL)
        problem_hint(problem, error,
                     "name all shards in remote_servers of each server, as the cluster '%s'",
                     warehouse->cluster);
    return error;
}

err cluster_make_tables(struct warehouse *warehouse, int shard, struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, ANSWER_BYTES_MAX);
    err error = ask_version(warehouse, shard, problem);
    if (error == ERR_OK)
        error = refuse_other_events(warehouse, shard, problem);
    if (error == ERR_OK)
        error = make_events(warehouse, shard, &sql, problem);
    if (error == ERR_OK)
        error = check_events(warehouse, shard, &sql, problem);
    if (error == ERR_OK)
        error = make_others(warehouse, shard, &sql, problem);
    if (error == ERR_OK)
        error = make_distributed(warehouse, shard, &sql, problem);
    buffer_deinit(&sql);
    return error;
}

/* ---- do they belong together? ---- */

/* What the shards say of themselves. */
struct census {
    char house[33];   /* "" when none has one */
    int told;         /* shards that say what they are */
    bool has_events;  /* of those that do not, one has */
    bool told_events; /* of those that do, one has */
    bool tells[WAREHOUSE_SHARDS_MAX];
};

static err has_events(struct warehouse *warehouse, int number, bool *has, struct problem *problem)
{
    struct buffer out;
    buffer_init(&out, 4096);
    err error = cluster_at(warehouse, number,
                           "SELECT count() FROM events_shard FORMAT TabSeparated", &out, problem);
    *has = error == ERR_OK && !str_equal(str_trim(buffer_str(&out)), STR("0"));
    buffer_deinit(&out);
    return error;
}

static err refuse(const struct warehouse *warehouse, int number, const char *what,
                  struct problem *problem)
{
    problem_set(problem, ERR_CONFLICT, "warehouse shard %d of %d (%s) %s", number + 1,
                warehouse->shard_count, warehouse->shards[number].url, what);
    return problem_hint(problem, ERR_CONFLICT,
                        "give --warehouse the same shards in the same order as ever; a shard that "
                        "was lost comes back from its backup");
}

/* "1\t2\thouse" */
static err read_row(struct warehouse *warehouse, int number, str row, struct census *census,
                    struct problem *problem)
{
    int64_t shard = -1, shards = -1;
    str rest = str_trim(row), part;
    if (str_split(&rest, '\t', &part))
        (void)str_to_int64(part, &shard);
    if (str_split(&rest, '\t', &part))
        (void)str_to_int64(part, &shards);
    if (shards != warehouse->shard_count)
        return refuse(warehouse, number, "was made for another number of shards", problem);
    if (shard != number)
        return refuse(warehouse, number, "was another one in the list", problem);
    if (census->house[0] == '\0')
        snprintf(census->house, sizeof(census->house), STR_FMT, STR_ARG(rest));
    else if (!str_equal(rest, str_from_c(census->house)))
        return refuse(warehouse, number, "belongs to another Kith than those before it", problem);
    return ERR_OK;
}

static err ask_shard(struct warehouse *warehouse, int number, struct census *census,
                     struct problem *problem)
{
    struct buffer out;
    bool has = false;
    buffer_init(&out, 4096);
    err error = cluster_at(warehouse, number,
                           "SELECT shard, shards, house FROM kith_shard FORMAT TabSeparated", &out,
                           problem);
    if (error == ERR_OK)
        error = has_events(warehouse, number, &has, problem);
    census->tells[number] = out.size > 0;
    if (error == ERR_OK && census->tells[number]) {
        error = read_row(warehouse, number, buffer_str(&out), census, problem);
        census->told++;
        census->told_events = census->told_events || has;
    } else {
        census->has_events = census->has_events || has;
    }
    buffer_deinit(&out);
    return error;
}

/* New shards are told what they are. One that says nothing beside others that have events has lost its disk. */
static err tell_shards(struct warehouse *warehouse, struct census *census, struct problem *problem)
{
    char sql[200];
    err error = ERR_OK;
    if (census->house[0] == '\0')
        snprintf(census->house, sizeof(census->house), "%016" PRIx64, warehouse->nonce);
    for (int i = 0; i < warehouse->shard_count && error == ERR_OK; i++) {
        if (census->tells[i])
            continue;
        if (census->told_events)
            return refuse(warehouse, i, "is empty, and others have events", problem);
        if (census->has_events)
            return refuse(warehouse, i, "does not say whose events it has", problem);
        snprintf(sql, sizeof(sql),
                 "INSERT INTO kith_shard (shard, shards, house) VALUES (%d, %d, '%s')", i,
                 warehouse->shard_count, census->house);
        error = cluster_at(warehouse, i, sql, NULL, problem);
    }
    return error;
}

/* Each server must reach all of the shards, and each once. */
static err check_reach(struct warehouse *warehouse, struct problem *problem)
{
    struct buffer out, expected;
    err error = ERR_OK;
    buffer_init(&out, ANSWER_BYTES_MAX);
    buffer_init(&expected, ANSWER_BYTES_MAX);
    for (int i = 0; i < warehouse->shard_count; i++)
        buffer_printf(&expected, "%d\n", i);
    for (int i = 0; i < warehouse->shard_count && error == ERR_OK; i++) {
        buffer_clear(&out);
        error = cluster_at(warehouse, i,
                           "SELECT shard FROM kith_shards ORDER BY shard FORMAT TabSeparated", &out,
                           problem);
        if (error == ERR_OK && !str_equal(buffer_str(&out), buffer_str(&expected))) {
            refuse(warehouse, i, "does not reach all shards, or other ones", problem);
            error = problem_hint(problem, ERR_CONFLICT,
                                 "its remote_servers must name the same shards as the cluster '%s'",
                                 warehouse->cluster);
        }
    }
    buffer_deinit(&out);
    buffer_deinit(&expected);
    return error;
}

err cluster_check(struct warehouse *warehouse, struct problem *problem)
{
    struct census census = { .told = 0 };
    err error = ERR_OK;
    for (int i = 0; i < warehouse->shard_count && error == ERR_OK; i++)
        error = ask_shard(warehouse, i, &census, problem);
    if (error == ERR_OK && census.told < warehouse->shard_count)
        error = tell_shards(warehouse, &census, problem);
    if (error == ERR_OK)
        error = check_reach(warehouse, problem);
    return error;
}

/* ---- aliases ---- */

/* Filled beside, then exchanged: who asks finds the former one or the new one. */
static err read_aliases(struct warehouse *warehouse, int shard, struct problem *problem)
{
    char next[64], sql[300];
    snprintf(next, sizeof(next), "alias_map_%016" PRIx64 "_%" PRIu64, warehouse->nonce,
             atomic_fetch_add(&warehouse->next_name, 1));
    snprintf(sql, sizeof(sql),
             "CREATE TABLE %s (customer UInt32, current UInt32) ENGINE = Join(ANY, LEFT, customer)",
             next);
    err error = warehouse_at(warehouse, shard, sql, MINUTE_MS, NULL, problem);
    snprintf(sql, sizeof(sql),
             "INSERT INTO %s (customer, current) SELECT customer, argMax(current, version) "
             "FROM aliases GROUP BY customer",
             next);
    if (error == ERR_OK)
        error = warehouse_at(warehouse, shard, sql, 10 * MINUTE_MS, NULL, problem);
    snprintf(sql, sizeof(sql), "RENAME TABLE alias_map TO %s_old, %s TO alias_map", next, next);
    if (error == ERR_OK)
        error = warehouse_at(warehouse, shard, sql, MINUTE_MS, NULL, problem);
    snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS %s%s", next, error == ERR_OK ? "_old" : "");
    struct problem unheard = { .error = ERR_OK };
    err dropped = warehouse_at(warehouse, shard, sql, MINUTE_MS, NULL, &unheard);
    if (dropped != ERR_OK)
        log_line(LOG_WARN, "warehouse_alias_table_left", "table=%s reason=\"%s\"", next,
                 unheard.detail);
    return error;
}

err cluster_read_aliases(struct warehouse *warehouse, struct problem *problem)
{
    err error = ERR_OK;
    for (int i = 0; i < warehouse->shard_count && error == ERR_OK; i++)
        error = read_aliases(warehouse, i, problem);
    return error;
}
