/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over all events: asked of the warehouse, kept for a time that grows with what they cost. */
#include "server/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/logline.h"
#include "server/answer.h"
#include "server/scope.h"

#define ANSWER_BYTES_MAX (4 * 1024 * 1024)
#define TODAY_BYTES_MAX (64 * 1024 * 1024)
#define QUERY_MS_MAX 20000
#define KEEP_MS_MIN 5000
#define KEEP_TIMES 20 /* a figure lives so many times as long as it took */
#define CHANNELS_MAX 63
#define SAMPLES 11
#define SLICE_NODES 16384 /* copied on the engine's thread at once */

struct channel_figures {
    char name[64];
    uint64_t events, customers, linked;
};

struct kept_figure {
    steady_ns at;
    int64_t cost_ms;
    int64_t as_of_ms; /* 0: never */
};

struct figures {
    pthread_mutex_t asking; /* one asks; others show what is known, or wait if nothing is */
    pthread_mutex_t mutex;  /* the figures themselves: held for moments */
    struct kept_figure hours_kept, channels_kept, links_kept, sources_kept, counts_kept;
    int64_t hours[25][2]; /* start, events */
    size_t hour_count;
    struct channel_figures channels[CHANNELS_MAX], links[CHANNELS_MAX];
    size_t channel_count, link_count;
    struct source_figures *sources;
    size_t source_count;
    struct open_counts counts;
    struct today_figures today;
    struct kept_figure today_kept;
    int64_t today_from_ms; /* the day that they are of */
    pthread_mutex_t samples_mutex;
    uint64_t samples[SAMPLES]; /* events, a second apart */
    size_t sample_count;
};

err figures_new(struct figures **figures)
{
    *figures = memory_alloc(sizeof(**figures));
    if (*figures == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&(*figures)->asking, NULL);
    pthread_mutex_init(&(*figures)->mutex, NULL);
    pthread_mutex_init(&(*figures)->samples_mutex, NULL);
    return ERR_OK;
}

void figures_free(struct figures **pointer)
{
    struct figures *figures = *pointer;
    *pointer = NULL;
    if (figures == NULL)
        return;
    pthread_mutex_destroy(&figures->asking);
    pthread_mutex_destroy(&figures->mutex);
    pthread_mutex_destroy(&figures->samples_mutex);
    memory_free(figures->sources);
    memory_free(figures);
}

int64_t figures_day_start_ms(struct server *server)
{
    return zone_day_start_ms(server_zone(server), server_now_ms(server));
}

/* ---- keeping ---- */

/* May the caller ask now? False when somebody else does and there is something to show meanwhile. */
static bool begin_asking(struct figures *figures, const struct kept_figure *kept)
{
    if (pthread_mutex_trylock(&figures->asking) == 0)
        return true;
    pthread_mutex_lock(&figures->mutex);
    bool known = kept->as_of_ms != 0;
    pthread_mutex_unlock(&figures->mutex);
    if (known)
        return false;
    pthread_mutex_lock(&figures->asking);
    return true;
}

static void end_asking(struct figures *figures)
{
    pthread_mutex_unlock(&figures->asking);
}

static bool is_fresh(const struct kept_figure *kept)
{
    int64_t keep_ms = kept->cost_ms * KEEP_TIMES;
    return kept->as_of_ms != 0 &&
           steady_since_ms(kept->at) < (keep_ms > KEEP_MS_MIN ? keep_ms : KEEP_MS_MIN);
}

static void keep(struct server *server, struct kept_figure *kept, steady_ns start)
{
    kept->cost_ms = steady_since_ms(start);
    kept->at = steady_now();
    kept->as_of_ms = server_now_ms(server);
}

/* Ask, and hand the RowBinary answer to `take`. */
static bool ask(struct server *server, const char *sql,
                bool (*take)(struct server *server, struct cursor *cursor),
                struct kept_figure *kept)
{
    struct warehouse *warehouse = engine_warehouse(server->engine);
    struct problem problem = { .error = ERR_OK };
    struct buffer answer;
    steady_ns start = steady_now();
    if (warehouse == NULL || !warehouse_is_ready(warehouse))
        return false;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    err error =
        warehouse_query(warehouse, str_from_c(sql), NULL, 0, QUERY_MS_MAX, &answer, &problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    pthread_mutex_lock(&server->figures->mutex);
    bool good = error == ERR_OK && take(server, &cursor) && !cursor.failed;
    if (good)
        keep(server, kept, start);
    pthread_mutex_unlock(&server->figures->mutex);
    if (!good)
        log_line(LOG_WARN, "figure_failed", "reason=\"%.120s\"", problem.detail);
    buffer_deinit(&answer);
    return good;
}

/* ---- the overview ---- */

static bool take_hours(struct server *server, struct cursor *cursor)
{
    struct figures *figures = server->figures;
    figures->hour_count = 0;
    while (cursor_left(cursor) > 0 && !cursor->failed && figures->hour_count < 25) {
        int64_t *hour = figures->hours[figures->hour_count++];
        hour[0] = read_i64(cursor) * HOUR_MS;
        hour[1] = (int64_t)read_u64(cursor);
    }
    return true;
}

static void take_name(struct cursor *cursor, struct channel_figures *channel)
{
    str name = read_text(cursor);
    snprintf(channel->name, sizeof(channel->name), "%.*s",
             (int)str_utf8_prefix_bytes(name, sizeof(channel->name) - 1), name.data);
}

static bool take_channels(struct server *server, struct cursor *cursor)
{
    struct figures *figures = server->figures;
    figures->channel_count = 0;
    while (cursor_left(cursor) > 0 && !cursor->failed && figures->channel_count < CHANNELS_MAX) {
        struct channel_figures *channel = &figures->channels[figures->channel_count++];
        take_name(cursor, channel);
        channel->events = read_u64(cursor);
        channel->customers = read_u64(cursor);
    }
    return true;
}

static void refresh_overview(struct server *server)
{
    struct figures *figures = server->figures;
    char sql[512];
    int64_t since_ms = server_now_ms(server) / HOUR_MS * HOUR_MS - 23 * HOUR_MS;
    if (!is_fresh(&figures->hours_kept)) {
        snprintf(
            sql, sizeof(sql),
            "SELECT toInt64(intDiv(time_ms, 3600000)) AS hour, toUInt64(count()) FROM events_kept "
            "WHERE time_ms >= %lld AND time_ms < %lld GROUP BY hour ORDER BY hour "
            "FORMAT RowBinary",
            (long long)since_ms, (long long)(since_ms + DAY_MS));
        ask(server, sql, take_hours, &figures->hours_kept);
    }
    if (!is_fresh(&figures->channels_kept)) {
        snprintf(sql, sizeof(sql),
                 "SELECT toString(channel) AS name, toUInt64(count()) AS n, "
                 "toUInt64(uniq(%s)) FROM events_kept GROUP BY name ORDER BY n DESC LIMIT %d "
                 "FORMAT RowBinary",
                 WAREHOUSE_CURRENT_CUSTOMER, CHANNELS_MAX);
        ask(server, sql, take_channels, &figures->channels_kept);
    }
}

static void write_hours(struct server *server, struct json_writer *writer)
{
    const struct figures *figures = server->figures;
    int64_t hour_ms = server_now_ms(server) / HOUR_MS * HOUR_MS - 23 * HOUR_MS;
    json_put_key(writer, STR("by_hour"));
    json_begin_array(writer);
    for (int i = 0; i < 24; i++, hour_ms += HOUR_MS) {
        int64_t events = 0;
        for (size_t h = 0; h < figures->hour_count; h++)
            if (figures->hours[h][0] == hour_ms)
                events = figures->hours[h][1];
        json_begin_object(writer);
        json_member_time(writer, STR("hour"), hour_ms);
        json_member_int(writer, STR("events"), events);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void figures_write_overview(struct server *server, struct json_writer *writer)
{
    struct figures *figures = server->figures;
    if (begin_asking(figures, &figures->channels_kept)) {
        refresh_overview(server);
        end_asking(figures);
    }
    pthread_mutex_lock(&figures->mutex);
    write_hours(server, writer);
    json_put_key(writer, STR("by_channel"));
    json_begin_array(writer);
    for (size_t i = 0; i < figures->channel_count; i++) {
        const struct channel_figures *channel = &figures->channels[i];
        json_begin_object(writer);
        json_member_text(writer, STR("channel"), str_from_c(channel->name));
        json_member_int(writer, STR("events"), (int64_t)channel->events);
        json_member_int(writer, STR("customers"), (int64_t)channel->customers);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_member_bool(writer, STR("partial"),
                     figures->hours_kept.as_of_ms == 0 || figures->channels_kept.as_of_ms == 0);
    pthread_mutex_unlock(&figures->mutex);
}

/* ---- the orders of the day ---- */

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

static void sort_today(struct today_figures *today)
{
    qsort(today->lines, today->count, sizeof today->lines[0], compare_today);
}

static bool take_today(struct server *server, struct cursor *cursor)
{
    struct today_figures today = { .count = 0 };
    while (cursor_left(cursor) > 0 && !cursor->failed)
        take_line(&today, cursor, true);
    sort_today(&today);
    today.as_of_ms = server_now_ms(server);
    if (!cursor->failed)
        server->figures->today = today;
    return true;
}

static void refresh_today(struct server *server)
{
    struct figures *figures = server->figures;
    int64_t from_ms = figures_day_start_ms(server);
    struct buffer sql;
    if (is_fresh(&figures->today_kept) && figures->today_from_ms == from_ms)
        return;
    buffer_init(&sql, 65536);
    buffer_append_str(&sql, STR("SELECT money, " COUNTED_ORDERS ", " SUMS " FROM ("));
    write_orders_sql(server, STR_NONE, &sql);
    buffer_append_str(&sql, STR(") GROUP BY money FORMAT RowBinary"));
    buffer_append_byte(&sql, 0);
    if (buffer_status(&sql) == ERR_OK &&
        ask(server, buffer_str(&sql).data, take_today, &figures->today_kept))
        figures->today_from_ms = from_ms;
    buffer_deinit(&sql);
}

void figures_today(struct server *server, struct today_figures *today)
{
    struct figures *figures = server->figures;
    if (begin_asking(figures, &figures->today_kept)) {
        refresh_today(server);
        end_asking(figures);
    }
    pthread_mutex_lock(&figures->mutex);
    *today = figures->today;
    /* Yesterday's orders are none of today's. */
    if (figures->today_from_ms != figures_day_start_ms(server))
        *today = (struct today_figures){ .partial = true };
    pthread_mutex_unlock(&figures->mutex);
}

static void take_seen(struct today_figures *today, str answer, const struct audience_set *seen)
{
    struct cursor cursor = cursor_over(answer);
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        uint32_t customer = read_u32(&cursor);
        take_line(today, &cursor, audience_set_has(seen, customer));
    }
    sort_today(today);
}

err figures_today_seen(struct request *request, struct today_figures *today,
                       struct problem *problem)
{
    struct server *server = request->server;
    struct warehouse *warehouse = engine_warehouse(server->engine);
    struct audience_set *seen = NULL;
    struct buffer sql, more, answer;
    *today = (struct today_figures){ .as_of_ms = server_now_ms(server) };
    if (warehouse == NULL || !warehouse_is_ready(warehouse))
        return problem_set(problem, ERR_UNAVAILABLE, "the warehouse does not answer yet");
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

/* ---- who is identified ---- */

static void ask_identified(const struct engine_state *state, struct engine_question *question)
{
    *(uint32_t *)question->context = identity_identified_count(state->identity);
}

uint64_t figures_identified(struct server *server)
{
    uint32_t identified = 0;
    struct engine_question question = { .ask = ask_identified, .context = &identified };
    return engine_ask_wait(server->engine, &question) == ERR_OK ? identified : 0;
}

/* ---- link rate ---- */

/* Families of customers, copied from the engine a slice at a time: some microseconds of its thread for
 * each. A customer who is merged between two slices is looked up at her root, in either of them. */
struct families_copy {
    uint16_t *families; /* by customer number */
    uint32_t next, count;
};

static void copy_slice(const struct engine_state *state, struct engine_question *question)
{
    struct families_copy *copy = question->context;
    uint32_t left = copy->count - copy->next;
    uint32_t copied =
        identity_copy_families(state->identity, copy->next, left < SLICE_NODES ? left : SLICE_NODES,
                               copy->families + copy->next);
    copy->next = copied > 0 ? copy->next + copied : copy->count;
}

static err copy_families(struct server *server, struct families_copy *copy)
{
    struct engine_status status;
    err error = ERR_OK;
    engine_status(server->engine, &status);
    *copy = (struct families_copy){ .next = 1, .count = status.nodes + 1 };
    copy->families = memory_alloc(copy->count * sizeof(*copy->families));
    if (copy->families == NULL)
        return ERR_NOMEM;
    while (copy->next < copy->count && error == ERR_OK) {
        struct engine_question question = { .ask = copy_slice, .context = copy };
        error = engine_ask_wait(server->engine, &question);
    }
    return error;
}

/* A stream of (customer, channels as bits), cut anywhere. */
struct link_stream {
    struct families_copy copy;
    uint16_t own[CHANNELS_MAX]; /* families that say nothing beyond the channel */
    struct channel_figures *links;
    size_t count;
    uint8_t rest[12];
    size_t rest_size;
};

static void count_customer(struct link_stream *stream, uint32_t customer, uint64_t channels)
{
    uint16_t families = customer < stream->copy.count ? stream->copy.families[customer] : 0;
    families &= (uint16_t)~FAMILY_STRONG;
    for (size_t i = 0; i < stream->count; i++) {
        if ((channels & (UINT64_C(1) << i)) == 0)
            continue;
        stream->links[i].customers++;
        stream->links[i].linked += (families & (uint16_t)~stream->own[i]) != 0;
    }
}

static bool take_links(void *context, str bytes)
{
    struct link_stream *stream = context;
    for (size_t i = 0; i < bytes.size; i++) {
        stream->rest[stream->rest_size++] = (uint8_t)bytes.data[i];
        if (stream->rest_size < sizeof(stream->rest))
            continue;
        struct cursor cursor = cursor_over(str_from_bytes(stream->rest, sizeof(stream->rest)));
        uint32_t customer = read_u32(&cursor);
        count_customer(stream, customer, read_u64(&cursor));
        stream->rest_size = 0;
    }
    return true;
}

static void quote_channels(const struct link_stream *stream, struct buffer *sql)
{
    for (size_t i = 0; i < stream->count; i++) {
        buffer_append_str(sql, i > 0 ? STR(",'") : STR("'"));
        for (const char *c = stream->links[i].name; *c != '\0'; c++) {
            if (*c == '\'' || *c == '\\')
                buffer_append_byte(sql, '\\');
            buffer_append_byte(sql, (uint8_t)*c);
        }
        buffer_append_byte(sql, '\'');
    }
}

static err stream_links(struct warehouse *warehouse, struct link_stream *stream,
                        struct problem *problem)
{
    struct buffer sql;
    if (stream->count == 0)
        return ERR_OK;
    buffer_init(&sql, 65536);
    buffer_printf(&sql,
                  "SELECT toUInt32(%s) AS current, groupBitOr(toUInt64(bitShiftLeft(toUInt64(1), "
                  "toUInt8(indexOf([",
                  WAREHOUSE_CURRENT_CUSTOMER);
    quote_channels(stream, &sql);
    buffer_printf(
        &sql, "], toString(channel)) - 1)))) FROM events_kept GROUP BY current FORMAT RowBinary");
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_stream(warehouse, buffer_str(&sql), NULL, 0, take_links, stream, problem);
    buffer_deinit(&sql);
    return error;
}

static err refresh_links(struct server *server, struct problem *problem)
{
    struct figures *figures = server->figures;
    struct warehouse *warehouse = engine_warehouse(server->engine);
    struct channel_figures links[CHANNELS_MAX];
    struct link_stream stream = { .links = links };
    steady_ns start = steady_now();
    if (is_fresh(&figures->links_kept))
        return ERR_OK;
    if (warehouse == NULL)
        return problem_set(problem, ERR_UNAVAILABLE, "there is no warehouse");
    if (warehouse_check(warehouse, problem) != ERR_OK)
        return ERR_UNAVAILABLE;
    refresh_overview(server);
    stream.count = figures->channel_count;
    for (size_t i = 0; i < stream.count; i++) {
        links[i] = figures->channels[i];
        links[i].customers = links[i].linked = 0;
        stream.own[i] = identity_channel_families(str_from_c(links[i].name));
    }
    err error = copy_families(server, &stream.copy);
    if (error == ERR_OK)
        error = stream_links(warehouse, &stream, problem);
    memory_free(stream.copy.families);
    if (error != ERR_OK)
        return error;
    pthread_mutex_lock(&figures->mutex);
    memcpy(figures->links, links, stream.count * sizeof(*links));
    figures->link_count = stream.count;
    keep(server, &figures->links_kept, start);
    pthread_mutex_unlock(&figures->mutex);
    return ERR_OK;
}

err figures_write_link_rate(struct server *server, struct json_writer *writer, bool *partial,
                            int64_t *as_of_ms, struct problem *problem)
{
    struct figures *figures = server->figures;
    err error = ERR_OK;
    if (begin_asking(figures, &figures->links_kept)) {
        error = refresh_links(server, problem);
        end_asking(figures);
    }
    pthread_mutex_lock(&figures->mutex);
    /* What was known before is better than nothing, and says how old it is. */
    *partial = error != ERR_OK;
    if (figures->links_kept.as_of_ms != 0)
        error = ERR_OK;
    *as_of_ms = figures->links_kept.as_of_ms;
    for (size_t i = 0; error == ERR_OK && i < figures->link_count; i++) {
        const struct channel_figures *channel = &figures->links[i];
        json_begin_object(writer);
        json_member_text(writer, STR("channel"), str_from_c(channel->name));
        json_member_int(writer, STR("customers"), (int64_t)channel->customers);
        json_member_int(writer, STR("linked"), (int64_t)channel->linked);
        json_put_key(writer, STR("rate"));
        json_put_double(writer, channel->customers == 0
                                    ? 0
                                    : (double)channel->linked / (double)channel->customers);
        json_end_object(writer);
    }
    pthread_mutex_unlock(&figures->mutex);
    return error;
}

/* ---- sources ---- */

static bool take_sources(struct server *server, struct cursor *cursor)
{
    struct figures *figures = server->figures;
    memset(figures->sources, 0, figures->source_count * sizeof(*figures->sources));
    while (cursor_left(cursor) > 0 && !cursor->failed) {
        uint32_t number = read_u32(cursor);
        struct source_figures one = { .events_today = (int64_t)read_u64(cursor) };
        one.last_event_ms = read_i64(cursor);
        if (number < figures->source_count)
            figures->sources[number] = one;
    }
    return true;
}

static bool make_room(struct server *server)
{
    struct figures *figures = server->figures;
    struct source_set *sources = engine_sources(server->engine);
    size_t count = 1;
    for (size_t i = 0; i < source_count(sources); i++)
        if (source_at(sources, i)->number >= count)
            count = source_at(sources, i)->number + 1;
    source_set_release(&sources);
    if (count <= figures->source_count)
        return true;
    struct source_figures *bigger = memory_alloc(count * sizeof(*bigger)), *old;
    if (bigger == NULL)
        return false;
    pthread_mutex_lock(&figures->mutex);
    old = figures->sources;
    if (old != NULL)
        memcpy(bigger, old, figures->source_count * sizeof(*bigger));
    figures->sources = bigger;
    figures->source_count = count;
    pthread_mutex_unlock(&figures->mutex);
    memory_free(old);
    return true;
}

void figures_refresh_sources(struct server *server)
{
    struct figures *figures = server->figures;
    char sql[256];
    if (!begin_asking(figures, &figures->sources_kept))
        return;
    if (!is_fresh(&figures->sources_kept) && make_room(server)) {
        snprintf(sql, sizeof(sql),
                 "SELECT toUInt32(source) AS number, toUInt64(countIf(received_ms >= %lld)), "
                 "toInt64(max(received_ms)) FROM events GROUP BY number FORMAT RowBinary",
                 (long long)figures_day_start_ms(server));
        ask(server, sql, take_sources, &figures->sources_kept);
    }
    end_asking(figures);
}

struct source_figures figures_of_source(struct server *server, uint32_t source_number)
{
    struct figures *figures = server->figures;
    struct source_figures one = { .events_today = 0 };
    pthread_mutex_lock(&figures->mutex);
    if (source_number < figures->source_count)
        one = figures->sources[source_number];
    pthread_mutex_unlock(&figures->mutex);
    return one;
}

/* ---- counted in the ledger ---- */

struct count_rows {
    int64_t count, since_ms;
    int column;
};

static bool count_row(void *context, const struct ledger_value *values)
{
    struct count_rows *rows = context;
    if (rows->since_ms != 0 && values[rows->column].integer < rows->since_ms)
        return false;
    rows->count++;
    return true;
}

#define COUNTED_MAX 10000000

static void refresh_counts(struct server *server)
{
    struct figures *figures = server->figures;
    struct ledger *ledger = engine_ledger(server->engine);
    struct count_rows merges = { .since_ms = figures_day_start_ms(server), .column = 6 };
    struct count_rows refusals = { .count = 0 }, waiting = { .count = 0 };
    struct problem problem;
    steady_ns start = steady_now();
    if (is_fresh(&figures->counts_kept))
        return;
    err error =
        ledger_page(ledger, LEDGER_MERGES, NULL, true, COUNTED_MAX, count_row, &merges, &problem);
    if (error == ERR_OK)
        error = ledger_find_by(ledger, LEDGER_REFUSALS, "status", ledger_text(STR("open")), NULL,
                               false, COUNTED_MAX, count_row, &refusals, &problem);
    if (error == ERR_OK)
        error = ledger_find_by(ledger, LEDGER_QUARANTINE, "status", ledger_text(STR("waiting")),
                               NULL, false, COUNTED_MAX, count_row, &waiting, &problem);
    if (error != ERR_OK)
        return;
    pthread_mutex_lock(&figures->mutex);
    figures->counts = (struct open_counts){ merges.count, refusals.count, waiting.count };
    keep(server, &figures->counts_kept, start);
    pthread_mutex_unlock(&figures->mutex);
}

struct open_counts figures_open_counts(struct server *server)
{
    struct figures *figures = server->figures;
    if (begin_asking(figures, &figures->counts_kept)) {
        refresh_counts(server);
        end_asking(figures);
    }
    pthread_mutex_lock(&figures->mutex);
    struct open_counts counts = figures->counts;
    pthread_mutex_unlock(&figures->mutex);
    return counts;
}

/* ---- events per second ---- */

void figures_sample(struct server *server)
{
    struct figures *figures = server->figures;
    struct engine_status status;
    engine_status(server->engine, &status);
    pthread_mutex_lock(&figures->samples_mutex);
    memmove(figures->samples, figures->samples + 1, sizeof(figures->samples) - sizeof(uint64_t));
    figures->samples[SAMPLES - 1] = status.events;
    if (figures->sample_count < SAMPLES)
        figures->sample_count++;
    pthread_mutex_unlock(&figures->samples_mutex);
}

double figures_events_per_second(struct server *server)
{
    struct figures *figures = server->figures;
    pthread_mutex_lock(&figures->samples_mutex);
    size_t count = figures->sample_count;
    uint64_t newest = figures->samples[SAMPLES - 1];
    uint64_t oldest = count > 0 ? figures->samples[SAMPLES - count] : 0;
    pthread_mutex_unlock(&figures->samples_mutex);
    return count < 2 ? 0 : (double)(newest - oldest) / (double)(count - 1);
}
