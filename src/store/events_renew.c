/* SPDX-License-Identifier: Apache-2.0 */
/* events_renew: properties of events are changed in the warehouse, a range of seq at a time (sealed anew by a newer key).
 *
 *     no mutation is under way ─▶ rows of the range that may be meant are read, and changed here
 *        ─▶ events_renewed (Join, in memory and on disk): seq → props, context
 *        ─▶ one mutation takes them from there by joinGet ─▶ events_renewed goes
 *
 * A mutation writes anew only the two columns, of parts that have such rows; batches of the flush that follow each other lie in the
 * same parts. Killed at any moment, the mutation goes on when the server is back, since what it reads is on disk; the next step waits
 * for it. A row that is not in events_renewed is left as it is, whatever else happens. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "store/events_renew.h"
#include "store/warehouse_inside.h"

#define STEP_MS (30 * MINUTE_MS)
#define ROWS_BYTES_MAX ((size_t)1 << 30)
#define DATABASE_BYTES 200

static err at_all(struct warehouse *warehouse, const char *sql, struct problem *problem)
{
    err error = ERR_OK;
    for (int place = 0; place < warehouse_places(warehouse) && error == ERR_OK; place++)
        error = warehouse_at(warehouse, place, sql, STEP_MS, NULL, problem);
    return error;
}

static err ask_text(struct warehouse *warehouse, int place, const char *sql, struct buffer *out,
                    struct problem *problem)
{
    buffer_clear(out);
    return warehouse_at(warehouse, place, sql, STEP_MS, out, problem);
}

/* ---- mutations ---- */

static err settle_mutations(struct warehouse *warehouse, int place, struct problem *problem)
{
    char sql[300];
    struct buffer out;
    steady_ns start = steady_now();
    bool open = true;
    err error = ERR_OK;
    snprintf(sql, sizeof sql,
             "SELECT toString(count()) FROM system.mutations WHERE database = currentDatabase() "
             "AND table = '%s' AND NOT is_done FORMAT TabSeparated",
             warehouse->shard_count > 0 ? "events_shard" : "events");
    buffer_init(&out, 4096);
    while (error == ERR_OK && open) {
        error = ask_text(warehouse, place, sql, &out, problem);
        open = !str_equal(str_trim(buffer_str(&out)), STR("0"));
        if (error == ERR_OK && open && steady_since_ms(start) > STEP_MS)
            error = problem_set(problem, ERR_TIMEOUT, "rows are still being changed");
        else if (error == ERR_OK && open)
            steady_sleep_ms(50);
    }
    buffer_deinit(&out);
    return error;
}

/* One of ours that cannot go on would hold up all that follow. What it has not changed is found again. */
static err kill_failed(struct warehouse *warehouse, int place, struct problem *problem)
{
    char sql[300];
    if (warehouse->shard_count > 0 && !atomic_load(&warehouse->modern))
        return ERR_OK; /* servers before ClickHouse 20 cannot */
    snprintf(
        sql, sizeof sql,
        "KILL MUTATION WHERE database = currentDatabase() AND table = '%s' AND NOT is_done AND "
        "position(command, 'events_renewed') > 0 AND latest_fail_reason != '' SYNC",
        warehouse->shard_count > 0 ? "events_shard" : "events");
    return warehouse_at(warehouse, place, sql, STEP_MS, NULL, problem);
}

static err settle_all(struct warehouse *warehouse, struct problem *problem)
{
    err error = ERR_OK;
    for (int place = 0; place < warehouse_places(warehouse) && error == ERR_OK; place++) {
        error = kill_failed(warehouse, place, problem);
        if (error == ERR_OK)
            error = settle_mutations(warehouse, place, problem);
    }
    return error;
}

/* ---- rows ---- */

static err read_rows(struct warehouse *warehouse, const struct warehouse_renewal *renewal,
                     struct buffer *rows, struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, renewal->condition.size + 512);
    buffer_printf(&sql,
                  "SELECT seq, props, context FROM events WHERE seq >= %" PRIu64
                  " AND seq <= %" PRIu64 " AND (" STR_FMT ") ORDER BY seq LIMIT %zu "
                  "FORMAT RowBinary",
                  renewal->from_seq, renewal->to_seq, STR_ARG(renewal->condition), renewal->limit);
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_query(warehouse, buffer_str(&sql), NULL, 0, STEP_MS, rows, problem);
    buffer_deinit(&sql);
    return error;
}

/* Where the next step begins. */
static void look_behind(struct warehouse_renewal *renewal, str rows)
{
    struct cursor cursor = cursor_over(rows);
    uint64_t last = 0;
    renewal->rows = 0;
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        last = read_u64(&cursor);
        (void)read_text(&cursor);
        (void)read_text(&cursor);
        renewal->rows++;
    }
    renewal->next_seq = renewal->rows == renewal->limit && last < renewal->to_seq ? last + 1 : 0;
}

/* A mutation goes on in the background, where the database of the session is not known; servers before ClickHouse 20 take no
 * other. */
static err name_table(struct warehouse *warehouse, int place, char name[DATABASE_BYTES + 32],
                      struct problem *problem)
{
    struct buffer out;
    buffer_init(&out, DATABASE_BYTES);
    err error = ask_text(warehouse, place, "SELECT currentDatabase() FORMAT TabSeparatedRaw", &out,
                         problem);
    str database = str_trim(buffer_str(&out));
    bool is_old = warehouse->shard_count > 0 && !atomic_load(&warehouse->modern);
    if (error == ERR_OK)
        snprintf(name, DATABASE_BYTES + 32, STR_FMT "%sevents_renewed",
                 STR_ARG(is_old ? STR_NONE : database), is_old ? "" : ".");
    buffer_deinit(&out);
    return error;
}

static err change_place(struct warehouse *warehouse, int place, struct problem *problem)
{
    char sql[1200], name[DATABASE_BYTES + 32];
    bool cluster = warehouse->shard_count > 0;
    err error = name_table(warehouse, place, name, problem);
    if (error != ERR_OK)
        return error;
    snprintf(sql, sizeof sql,
             "ALTER TABLE %s UPDATE props = joinGet('%s', 'props', seq), "
             "context = joinGet('%s', 'context', seq) WHERE joinGet('%s', 'props', seq) != ''%s",
             cluster ? "events_shard" : "events", name, name, name,
             cluster ? "" : " SETTINGS mutations_sync = 2");
    return warehouse_at(warehouse, place, sql, STEP_MS, NULL, problem);
}

static err change_rows(struct warehouse *warehouse, str rows, struct problem *problem)
{
    err error = at_all(warehouse, "DROP TABLE IF EXISTS events_renewed", problem);
    if (error == ERR_OK)
        error = at_all(warehouse,
                       "CREATE TABLE events_renewed (seq UInt64, props String, context String) "
                       "ENGINE = Join(ANY, LEFT, seq)",
                       problem);
    if (error == ERR_OK)
        error = warehouse_insert(warehouse, STR("events_renewed (seq,props,context)"), rows,
                                 STR_NONE, problem);
    for (int place = 0; place < warehouse_places(warehouse) && error == ERR_OK; place++)
        error = change_place(warehouse, place, problem);
    if (error == ERR_OK)
        error = settle_all(warehouse, problem);
    return error == ERR_OK ? at_all(warehouse, "DROP TABLE IF EXISTS events_renewed", problem)
                           : error;
}

err warehouse_renew_events(struct warehouse *warehouse, struct warehouse_renewal *renewal,
                           struct problem *problem)
{
    struct buffer rows;
    buffer_init(&rows, ROWS_BYTES_MAX);
    renewal->changed = 0;
    err error = settle_all(warehouse, problem);
    if (error == ERR_OK)
        error = read_rows(warehouse, renewal, &rows, problem);
    if (error == ERR_OK) {
        look_behind(renewal, buffer_str(&rows));
        renewal->changed = renewal->renew(renewal->context, rows.data, rows.size);
    }
    if (error == ERR_OK && renewal->changed > 0)
        error = change_rows(warehouse, buffer_str(&rows), problem);
    buffer_deinit(&rows);
    return error;
}
