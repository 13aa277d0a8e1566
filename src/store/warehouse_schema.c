/* SPDX-License-Identifier: Apache-2.0 */
/* warehouse_schema: the tables of the warehouse, made when they are not there.
 *
 * docs/formats/warehouse.md explains columns, order and codecs. A column that a newer Kith knows is
 * added; one of another type is refused: rows are never rewritten (W4). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/logline.h"
#include "store/event_columns.h"
#include "store/events.h"
#include "store/warehouse_inside.h"

#define QUERY_MS (10 * MINUTE_MS)

static err execute(struct warehouse *warehouse, str sql, struct buffer *out,
                   struct problem *problem)
{
    struct warehouse_call call = {
        .sql = sql, .timeout_ms = QUERY_MS, .even_unready = true, .out = out
    };
    return warehouse_do(warehouse, &call, problem);
}

static void write_column(const struct event_column *column, struct buffer *sql)
{
    buffer_printf(sql, "\"%s\" %s", column->name, column->type);
    if (column->promoted && column->form == FORM_I64)
        buffer_printf(sql, " DEFAULT -9223372036854775808"); /* PROMOTED_MISSING */
    buffer_printf(sql, " CODEC(%s)", column->codec);
}

static err make_events(struct warehouse *warehouse, struct buffer *out, struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, 64 << 10);
    buffer_printf(&sql, "CREATE TABLE IF NOT EXISTS events (");
    for (int i = 0; i < event_column_count; i++) {
        buffer_printf(&sql, "%s", i > 0 ? ", " : "");
        write_column(&event_columns[i], &sql);
    }
    buffer_printf(&sql, ") ENGINE = MergeTree ORDER BY (customer, time_ms, seq) SETTINGS "
                        "index_granularity = 8192, fsync_after_insert = 1, "
                        "fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, "
                        "old_parts_lifetime = 480, cleanup_delay_period = 2, "
                        "cleanup_delay_period_random_add = 0");
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = execute(warehouse, buffer_str(&sql), out, problem);
    buffer_deinit(&sql);
    return error;
}

static const struct event_column *find_column(str name)
{
    for (int i = 0; i < event_column_count; i++) {
        if (str_equal(name, str_from_c(event_columns[i].name)))
            return &event_columns[i];
    }
    return NULL;
}

/* `described`: lines of name, tab, type. A column that this Kith does not know is one that a later
 * one added; it fills itself by its default. */
static err check_types(str described, bool *present, struct problem *problem)
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
        if (!str_equal(type, str_from_c(column->type))) {
            problem_set(problem, ERR_CONFLICT,
                        "warehouse column events.%s is " STR_FMT ", this Kith writes %s",
                        column->name, STR_ARG(type), column->type);
            return problem_hint(problem, ERR_CONFLICT,
                                "start the Kith that made it, or empty the warehouse folder and "
                                "rebuild");
        }
    }
    return ERR_OK;
}

static err add_missing(struct warehouse *warehouse, const bool *present, struct buffer *out,
                       struct problem *problem)
{
    err error = ERR_OK;
    for (int i = 0; i < event_column_count && error == ERR_OK; i++) {
        if (present[i])
            continue;
        struct buffer sql;
        buffer_init(&sql, 4096);
        buffer_printf(&sql, "ALTER TABLE events ADD COLUMN IF NOT EXISTS ");
        write_column(&event_columns[i], &sql);
        error = buffer_status(&sql);
        if (error == ERR_OK)
            error = execute(warehouse, buffer_str(&sql), out, problem);
        buffer_deinit(&sql);
        log_line(LOG_INFO, "warehouse_column", "added=%s", event_columns[i].name);
    }
    return error;
}

static err check_events(struct warehouse *warehouse, struct buffer *out, struct problem *problem)
{
    bool present[EVENT_COLUMNS_MAX] = { false };
    buffer_clear(out);
    err error = execute(warehouse,
                        STR("SELECT name, type FROM system.columns WHERE table = 'events' AND "
                            "database = currentDatabase() FORMAT TabSeparated"),
                        out, problem);
    if (error == ERR_OK)
        error = check_types(buffer_str(out), present, problem);
    if (error == ERR_OK)
        error = add_missing(warehouse, present, out, problem);
    return error;
}

static err make_aliases(struct warehouse *warehouse, struct buffer *out, struct problem *problem)
{
    err error =
        execute(warehouse,
                STR("CREATE TABLE IF NOT EXISTS aliases (customer UInt32, current UInt32, "
                    "version UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY customer "
                    "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, "
                    "min_rows_to_fsync_after_merge = 1, old_parts_lifetime = 480"),
                out, problem);
    if (error != ERR_OK)
        return error;
    return execute(
        warehouse,
        STR("CREATE DICTIONARY IF NOT EXISTS alias_map (customer UInt64, current UInt32) "
            "PRIMARY KEY customer SOURCE(CLICKHOUSE(QUERY 'SELECT toUInt64(customer), "
            "argMax(current, version) FROM aliases GROUP BY customer')) "
            "LAYOUT(HASHED()) LIFETIME(0)"),
        out, problem);
}

/* What was taken back: single events that a corrected file replaced, and all of an undone import. The view
 * is what everybody reads who asks what happened; the table has what ever came. */
static err make_retractions(struct warehouse *warehouse, struct buffer *out,
                            struct problem *problem)
{
    static const char *const statements[] = {
        "CREATE TABLE IF NOT EXISTS retracted_events (seq UInt64) ENGINE = MergeTree ORDER BY seq "
        "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1",
        "CREATE TABLE IF NOT EXISTS retracted_sources (source UInt64) ENGINE = MergeTree "
        "ORDER BY source SETTINGS fsync_after_insert = 1, fsync_part_directory = 1",
        "DROP VIEW IF EXISTS events_kept", /* its columns are those that were there when it was made */
        "CREATE VIEW events_kept AS SELECT * FROM events WHERE seq NOT IN "
        "(SELECT seq FROM retracted_events) AND toUInt64(source) NOT IN "
        "(SELECT source FROM retracted_sources)",
    };
    err error = ERR_OK;
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]) && error == ERR_OK; i++)
        error = execute(warehouse, str_from_c(statements[i]), out, problem);
    return error;
}

/* An erasure waits until the parts that had the rows are gone: they are looked for every few seconds, and not every few
 * minutes. Servers of long ago do not know the setting, and look often anyway. */
static void look_often(struct warehouse *warehouse, struct buffer *out)
{
    struct problem problem = { .error = ERR_OK };
    err error = execute(warehouse,
                        STR("ALTER TABLE events MODIFY SETTING cleanup_delay_period = 2, "
                            "max_cleanup_delay_period = 4, cleanup_delay_period_random_add = 0"),
                        out, &problem);
    if (error != ERR_OK)
        log_line(LOG_INFO, "warehouse_cleanup_unset", "reason=\"%s\"", problem.detail);
}

/* Ten parts are merged at once, not five: a row is written anew a third fewer times (measured, 150 parts: 1.9 times instead of
 * 2.7), for which a question reads a few parts more. While much comes in 150 are: 75 million rows in parts of half a million. */
#define MERGE_USUALLY \
    "ALTER TABLE events MODIFY SETTING min_parts_to_merge_at_once = 10, max_parts_to_merge_at_once = 100"
#define MERGE_LATER \
    "ALTER TABLE events MODIFY SETTING min_parts_to_merge_at_once = 150, max_parts_to_merge_at_once = 150"
#define MERGE_MS (10 * SECOND_MS)

err warehouse_put_off_merges(struct warehouse *warehouse, bool put_off, struct problem *problem)
{
    struct buffer out;
    if (warehouse->shard_count > 0)
        return problem_set(problem, ERR_UNSUPPORTED, "the servers of a cluster merge as they like");
    buffer_init(&out, 1 << 16);
    err error = warehouse_query(warehouse, put_off ? STR(MERGE_LATER) : STR(MERGE_USUALLY), NULL, 0,
                                MERGE_MS, &out, problem);
    buffer_deinit(&out);
    return error;
}

static void merge_many_at_once(struct warehouse *warehouse, struct buffer *out)
{
    struct problem problem = { .error = ERR_OK };
    err error = execute(warehouse, STR(MERGE_USUALLY), out, &problem);
    if (error != ERR_OK)
        log_line(LOG_INFO, "warehouse_merges_unset", "reason=\"%s\"", problem.detail);
}

err warehouse_make_tables(struct warehouse *warehouse, struct problem *problem)
{
    struct buffer out;
    buffer_init(&out, 1 << 20);
    err error = make_events(warehouse, &out, problem);
    if (error == ERR_OK)
        error = check_events(warehouse, &out, problem);
    if (error == ERR_OK)
        look_often(warehouse, &out);
    if (error == ERR_OK)
        merge_many_at_once(warehouse, &out);
    if (error == ERR_OK)
        error = make_aliases(warehouse, &out, problem);
    if (error == ERR_OK)
        error = make_retractions(warehouse, &out, problem);
    buffer_deinit(&out);
    return error;
}
