/* SPDX-License-Identifier: Apache-2.0 */
/* rows: an erased customer's events in the warehouse: summed up, then removed, with the parts that had them.
 *
 * A mutation writes the parts anew in which her rows lie. The old ones would stay for eight minutes (old_parts_lifetime, for the
 * sake of power loss): since the new ones are synced, they may go at once. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "privacy/inside.h"
#include "store/events.h"

#define QUERY_MS (30 * MINUTE_MS)
#define PARTS_WAIT_MS (10 * MINUTE_MS)
#define OLD_PARTS_SECONDS 480

static err query(struct privacy *privacy, str sql, struct buffer *answer, struct problem *problem)
{
    return warehouse_query(engine_warehouse(privacy->engine), sql, NULL, 0, QUERY_MS, answer,
                           problem);
}

static err ask_number(struct privacy *privacy, str sql, uint64_t *number, struct problem *problem)
{
    struct buffer answer;
    buffer_init(&answer, 4096);
    err error = query(privacy, sql, &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    *number = error == ERR_OK ? read_u64(&cursor) : 0;
    buffer_deinit(&answer);
    return error;
}

static void write_nodes(const struct erasing *erasing, bool *first, struct buffer *sql)
{
    for (size_t i = 0; i < erasing->node_count; i++) {
        buffer_printf(sql, "%s%u", *first ? "" : ",", erasing->nodes[i]);
        *first = false;
    }
}

/* ---- sums ---- */

static void write_sum(struct cursor *cursor, bool *first, struct buffer *out)
{
    struct json_writer writer;
    struct buffer row;
    buffer_init(&row, 8192);
    json_writer_init(&writer, &row);
    json_begin_array(&writer);
    json_put_int(&writer, read_i64(cursor));
    json_put_text(&writer, read_text(cursor));
    json_put_text(&writer, read_text(cursor));
    json_put_text(&writer, read_text(cursor));
    for (int i = 0; i < 3; i++)
        json_put_int(&writer, read_i64(cursor));
    json_end_array(&writer);
    if (!cursor->failed) {
        if (!*first)
            buffer_append_byte(out, ',');
        *first = false;
        buffer_append_str(out, buffer_str(&row));
    }
    buffer_deinit(&row);
}

err rows_sum(struct privacy *privacy, const struct erasing *erasing, struct buffer *out,
             struct problem *problem)
{
    struct buffer sql, answer;
    bool first = true;
    buffer_init(&sql, (size_t)4 << 20);
    buffer_init(&answer, (size_t)64 << 20);
    buffer_append_str(
        &sql, STR("SELECT toInt64(intDiv(time_ms, 86400000)), toString(type), toString(channel), "
                  "toString(currency), toInt64(count()), "
                  "toInt64(sumIf(revenue, revenue != toInt64('-9223372036854775808'))), "
                  "toInt64(sumIf(total, total != toInt64('-9223372036854775808'))) "
                  "FROM events_kept WHERE customer IN ("));
    write_nodes(erasing, &first, &sql);
    buffer_append_str(
        &sql,
        STR(") GROUP BY intDiv(time_ms, 86400000), type, channel, currency FORMAT RowBinary"));
    err error = erasing->node_count > 0 ? buffer_status(&sql) : ERR_OK;
    if (error == ERR_OK && erasing->node_count > 0)
        error = query(privacy, buffer_str(&sql), &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    first = true;
    buffer_append_byte(out, '[');
    while (error == ERR_OK && cursor_left(&cursor) > 0 && !cursor.failed)
        write_sum(&cursor, &first, out);
    buffer_append_byte(out, ']');
    buffer_deinit(&sql);
    buffer_deinit(&answer);
    return error;
}

/* ---- removing ---- */

err rows_wait_for_parts(struct privacy *privacy, struct problem *problem)
{
    steady_ns start = steady_now();
    uint64_t old = 1;
    struct warehouse *warehouse = engine_warehouse(privacy->engine);
    err error = warehouse_keep_old_parts(warehouse, 1, problem);
    while (error == ERR_OK && old > 0) {
        error = warehouse_count_old_parts(warehouse, &old, problem);
        if (error != ERR_OK || old == 0)
            break;
        if (privacy_stops(privacy) || steady_since_ms(start) > PARTS_WAIT_MS)
            error =
                problem_set(problem, ERR_BUSY, "%llu old parts of the warehouse are still there",
                            (unsigned long long)old);
        else
            steady_sleep_ms(200);
    }
    struct problem ignored = { .error = ERR_OK };
    err back = warehouse_keep_old_parts(warehouse, OLD_PARTS_SECONDS, &ignored);
    return error != ERR_OK ? error : back;
}

static err count_rows(struct round *round, str nodes, struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, (size_t)16 << 20);
    buffer_printf(&sql,
                  "SELECT toUInt64(count()) FROM events WHERE customer IN (%.*s) FORMAT RowBinary",
                  STR_ARG(nodes));
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = ask_number(round->privacy, buffer_str(&sql), &round->rows, problem);
    buffer_deinit(&sql);
    return error;
}

err rows_erase(struct round *round, struct problem *problem)
{
    struct buffer nodes;
    bool first = true;
    buffer_init(&nodes, (size_t)8 << 20);
    for (size_t i = 0; i < round->count; i++)
        write_nodes(&round->items[i], &first, &nodes);
    err error = buffer_status(&nodes);
    if (error == ERR_OK && nodes.size > 0)
        error = count_rows(round, buffer_str(&nodes), problem);
    if (error == ERR_OK && round->rows > 0)
        error = warehouse_erase_customers(engine_warehouse(round->privacy->engine),
                                          buffer_str(&nodes), QUERY_MS, problem);
    /* Also where there is no row any more: a server that died here left the parts behind. */
    if (error == ERR_OK && nodes.size > 0)
        error = rows_wait_for_parts(round->privacy, problem);
    buffer_deinit(&nodes);
    return error;
}
