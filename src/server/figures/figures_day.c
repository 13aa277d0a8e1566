/* SPDX-License-Identifier: Apache-2.0 */
/* The orders of the day, asked of the warehouse: of who and what a request sees; of everybody where memory does not have them. */
#include "server/figures/figures_parts.h"

#include <stdlib.h>
#include <string.h>

#include "server/scope/scope.h"

#define TODAY_BYTES_MAX (64 * 1024 * 1024)
#define QUERY_MS_MAX 20000
#define BRING_IN_MS_MAX 3000

#define PAYING "type IN ('Order Paid', 'Order Completed')"
#define MISSING "-9223372036854775808"
#define NO_REFUND_AMOUNT "total = " MISSING " AND revenue = " MISSING

/* One row per order that was first paid since the day began: all its events tell, earlier and later ones. `seen`: more that
 * holds of events, or nothing. */
static void write_orders_sql(struct server *server, str seen, struct buffer *sql)
{
    long long from_ms = figures_day_start_ms(server), until_ms = server_now_ms(server);
    buffer_printf(
        sql,
        "SELECT %s AS who, if(order_id = '', toString(seq), order_id) AS one, "
        "argMinIf(multiIf(revenue != " MISSING ", revenue, total != " MISSING ", total, 0), "
        "(time_ms, seq), " PAYING ") AS paid, "
        "argMinIf(if(currency = '', 'CNY', toString(currency)), (time_ms, seq), " PAYING
        ") AS money, "
        "minIf(time_ms, " PAYING ") AS first_ms, countIf(" PAYING ") AS payments, "
        "countIf(type = 'Order Cancelled') AS cancelled, "
        "countIf(type = 'Order Refunded' AND " NO_REFUND_AMOUNT ") AS wholly, "
        "sumIf(toInt64(abs(if(total = " MISSING
        ", revenue, total))), type = 'Order Refunded' AND NOT "
        "(" NO_REFUND_AMOUNT ")) AS back, "
        "if(wholly > 0 OR back > paid, if(paid > 0, paid, 0), back) AS refunded "
        "FROM events_kept WHERE type IN ('Order Paid', 'Order Completed', 'Order Refunded', "
        "'Order Cancelled') AND ((order_id = '' AND time_ms >= %lld) OR (order_id != '' AND order_id IN "
        "(SELECT order_id FROM events_kept WHERE " PAYING
        " AND time_ms >= %lld AND time_ms <= %lld)))%.*s GROUP BY who, one "
        "HAVING payments > 0 AND cancelled = 0 AND first_ms >= %lld AND first_ms <= %lld",
        WAREHOUSE_CURRENT_CUSTOMER, from_ms, from_ms, until_ms, STR_ARG(seen), from_ms, until_ms);
}

#define COUNTED_ORDERS "toUInt64(countIf(refunded = 0 OR refunded < paid))"
#define SUMS "toInt64(sum(toInt64(paid) - toInt64(refunded))), toInt64(sum(toInt64(refunded)))"

static struct today_line *line_of(struct today_figures *today, str currency)
{
    char code[4] = { 0 };
    for (size_t i = 0; i < 3 && i < currency.size; i++)
        code[i] = currency.data[i];
    for (size_t i = 0; i < today->count; i++)
        if (memcmp(today->lines[i].currency, code, sizeof code) == 0)
            return &today->lines[i];
    if (today->count == TODAY_CURRENCIES_MAX)
        return NULL;
    struct today_line *line = &today->lines[today->count++];
    *line = (struct today_line){ .orders = 0 };
    memcpy(line->currency, code, sizeof code);
    return line;
}

static void take_line(struct today_figures *today, struct cursor *cursor, bool counts)
{
    str currency = read_text(cursor);
    int64_t orders = (int64_t)read_u64(cursor), net = read_i64(cursor);
    int64_t refunded = read_i64(cursor);
    struct today_line *line =
        counts && !cursor->failed && orders >= 0 ? line_of(today, currency) : NULL;
    if (line == NULL)
        return;
    line->orders += orders;
    line->net += net;
    line->refunded += refunded;
}

static int compare_today(const void *left, const void *right)
{
    const struct today_line *a = left, *b = right;
    return a->orders < b->orders ? 1 : a->orders > b->orders ? -1 : 0;
}

void figures_sort_today(struct today_figures *today)
{
    qsort(today->lines, today->count, sizeof today->lines[0], compare_today);
}

static bool take_today(struct server *server, struct cursor *cursor)
{
    struct today_figures today = { .count = 0 };
    while (cursor_left(cursor) > 0 && !cursor->failed)
        take_line(&today, cursor, true);
    figures_sort_today(&today);
    today.as_of_ms = server_now_ms(server);
    if (!cursor->failed)
        server->figures->today = today;
    return true;
}

bool figures_ask_today(struct server *server, int64_t as_of_ms, struct problem *problem)
{
    struct figures *figures = server->figures;
    int64_t from_ms = figures_day_start_ms(server);
    struct buffer sql;
    (void)as_of_ms;
    buffer_init(&sql, 65536);
    buffer_append_str(&sql, STR("SELECT money, " COUNTED_ORDERS ", " SUMS " FROM ("));
    write_orders_sql(server, STR_NONE, &sql);
    buffer_append_str(&sql, STR(") GROUP BY money FORMAT RowBinary"));
    buffer_append_byte(&sql, 0);
    bool good = buffer_status(&sql) == ERR_OK &&
                figures_ask_warehouse(server, buffer_str(&sql).data, take_today, problem);
    buffer_deinit(&sql);
    pthread_mutex_lock(&figures->mutex);
    if (good)
        figures->today_from_ms = from_ms;
    pthread_mutex_unlock(&figures->mutex);
    return good;
}

static void take_seen(struct today_figures *today, str answer, const struct audience_set *seen)
{
    struct cursor cursor = cursor_over(answer);
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        uint32_t customer = read_u32(&cursor);
        take_line(today, &cursor, audience_set_has(seen, customer));
    }
    figures_sort_today(today);
}

/* What is in the log by now is brought in first; where that takes too long it is told up to when all of it is there. */
static void bring_in(struct server *server, struct today_figures *today)
{
    struct engine_status status;
    struct log_block *block = NULL;
    struct problem ignored;
    *today = (struct today_figures){ .as_of_ms = server_now_ms(server) };
    if (engine_settle(server->engine, true, BRING_IN_MS_MAX) == ERR_OK)
        return;
    today->partial = true;
    today->as_of_ms = 0;
    engine_status(server->engine, &status);
    if (log_read(engine_log(server->engine), status.flushed_seq, &block, &ignored) == ERR_OK)
        today->as_of_ms = block->received_ms;
    log_block_release(&block);
}

err figures_today_seen(struct request *request, struct today_figures *today,
                       struct problem *problem)
{
    struct server *server = request->server;
    struct warehouse *warehouse = engine_warehouse(server->engine);
    struct audience_set *seen = NULL;
    struct buffer sql, more, answer;
    if (warehouse == NULL || !warehouse_is_ready(warehouse))
        return problem_set(problem, ERR_UNAVAILABLE, "the warehouse does not answer yet");
    bring_in(server, today);
    err error = scope_take(request, &seen, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&sql, 131072);
    buffer_init(&more, 65536);
    buffer_init(&answer, TODAY_BYTES_MAX);
    scope_write_sql(request->scope, &more);
    buffer_append_str(&sql,
                      STR("SELECT toUInt32(who), money, " COUNTED_ORDERS ", " SUMS " FROM ("));
    write_orders_sql(server, buffer_str(&more), &sql);
    buffer_append_str(&sql, STR(") GROUP BY who, money FORMAT RowBinary"));
    error = buffer_status(&sql);
    if (error == ERR_OK)
        error =
            warehouse_query(warehouse, buffer_str(&sql), NULL, 0, QUERY_MS_MAX, &answer, problem);
    if (error == ERR_OK)
        take_seen(today, buffer_str(&answer), seen);
    buffer_deinit(&sql);
    buffer_deinit(&more);
    buffer_deinit(&answer);
    audience_set_free(&seen);
    return error;
}
