/* SPDX-License-Identifier: Apache-2.0 */
/* Figures asked of the warehouse: those of sources, and what is not in memory. */
#include "server/figures/figures_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/figures/figures_memory.h"

#define ANSWER_BYTES_MAX (4 * 1024 * 1024)
#define QUERY_MS_MAX 20000

bool figures_ask_warehouse(struct server *server, const char *sql,
                           bool (*take)(struct server *server, struct cursor *cursor),
                           struct problem *problem)
{
    struct warehouse *warehouse = engine_warehouse(server->engine);
    struct buffer answer;
    if (warehouse == NULL || !warehouse_is_ready(warehouse)) {
        problem_set(problem, ERR_UNAVAILABLE, "the warehouse does not answer yet");
        return false;
    }
    buffer_init(&answer, ANSWER_BYTES_MAX);
    err error =
        warehouse_query(warehouse, str_from_c(sql), NULL, 0, QUERY_MS_MAX, &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    pthread_mutex_lock(&server->figures->mutex);
    bool good = error == ERR_OK && take(server, &cursor) && !cursor.failed;
    pthread_mutex_unlock(&server->figures->mutex);
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

bool figures_ask_hours(struct server *server, int64_t as_of_ms, struct problem *problem)
{
    char sql[512];
    int64_t since_ms = as_of_ms / HOUR_MS * HOUR_MS - 23 * HOUR_MS;
    snprintf(
        sql, sizeof(sql),
        "SELECT toInt64(intDiv(time_ms, 3600000)) AS hour, toUInt64(count()) FROM events_kept "
        "WHERE customer > 0 AND time_ms >= %lld AND time_ms < %lld GROUP BY hour ORDER BY hour "
        "FORMAT RowBinary",
        (long long)since_ms, (long long)(since_ms + DAY_MS));
    return figures_ask_warehouse(server, sql, take_hours, problem);
}

bool figures_ask_channels(struct server *server, int64_t as_of_ms, struct problem *problem)
{
    char sql[512];
    (void)as_of_ms;
    snprintf(
        sql, sizeof(sql),
        "SELECT toString(channel) AS name, toUInt64(count()) AS n, "
        "toUInt64(uniq(%s)) FROM events_kept WHERE customer > 0 GROUP BY name ORDER BY n DESC, "
        "name LIMIT %d FORMAT RowBinary",
        WAREHOUSE_CURRENT_CUSTOMER, CHANNELS_MAX);
    return figures_ask_warehouse(server, sql, take_channels, problem);
}

static int compare_channels(const void *left, const void *right)
{
    const struct channel_figures *a = left, *b = right;
    if (a->events != b->events)
        return a->events < b->events ? 1 : -1;
    return strcmp(a->name, b->name);
}

void figures_sort_channels(struct channel_figures *channels, size_t count)
{
    qsort(channels, count, sizeof *channels, compare_channels);
}

/* ---- link rate ---- */

/* A stream of (customer, channels as bits), cut anywhere. */
struct link_stream {
    uint16_t *families; /* by customer */
    uint32_t family_count;
    uint16_t own[CHANNELS_MAX]; /* families that say nothing beyond the channel */
    struct channel_figures *links;
    size_t count;
    uint8_t rest[12];
    size_t rest_size;
};

static void count_customer(struct link_stream *stream, uint32_t customer, uint64_t channels)
{
    uint16_t families = customer < stream->family_count ? stream->families[customer] : 0;
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
        &sql,
        "], toString(channel)) - 1)))) FROM events_kept WHERE customer > 0 GROUP BY current FORMAT RowBinary");
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_stream(warehouse, buffer_str(&sql), NULL, 0, take_links, stream, problem);
    buffer_deinit(&sql);
    return error;
}

/* Of the channels that are known. */
static err count_links(struct server *server, struct link_stream *stream, struct problem *problem)
{
    struct figures *figures = server->figures;
    pthread_mutex_lock(&figures->mutex);
    stream->count = figures->channel_count;
    memcpy(stream->links, figures->channels, stream->count * sizeof(*stream->links));
    pthread_mutex_unlock(&figures->mutex);
    for (size_t i = 0; i < stream->count; i++) {
        stream->links[i].customers = stream->links[i].linked = 0;
        stream->own[i] = identity_channel_families(str_from_c(stream->links[i].name));
    }
    stream->family_count = history_node_count(engine_history(server->engine)) + 1;
    err error = memory_copy_families(server, stream->family_count, &stream->families);
    if (error == ERR_OK)
        error = stream_links(engine_warehouse(server->engine), stream, problem);
    memory_free(stream->families);
    return error;
}

bool figures_ask_links(struct server *server, int64_t as_of_ms, struct problem *problem)
{
    struct figures *figures = server->figures;
    struct channel_figures links[CHANNELS_MAX];
    struct link_stream stream = { .links = links };
    if (!figures_ask_channels(server, as_of_ms, problem) ||
        count_links(server, &stream, problem) != ERR_OK)
        return false;
    pthread_mutex_lock(&figures->mutex);
    memcpy(figures->links, links, stream.count * sizeof(*links));
    figures->link_count = stream.count;
    pthread_mutex_unlock(&figures->mutex);
    return true;
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

bool figures_ask_sources(struct server *server, int64_t as_of_ms, struct problem *problem)
{
    char sql[256];
    (void)as_of_ms;
    if (!make_room(server))
        return problem_set(problem, ERR_NOMEM, "no memory for the figures of sources") == ERR_OK;
    snprintf(sql, sizeof(sql),
             "SELECT toUInt32(source) AS number, toUInt64(countIf(received_ms >= %lld)), "
             "toInt64(max(received_ms)) FROM events GROUP BY number FORMAT RowBinary",
             (long long)figures_day_start_ms(server));
    return figures_ask_warehouse(server, sql, take_sources, problem);
}
