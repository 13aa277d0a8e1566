/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_reader: the thread that reads the events of those days out of the warehouse, a slice of days at a time, into the queues of a
 * run's parts; before it, how many there are, and what was consented to. */
#include "base/logline.h"
#include "engine/past/rows.h"
#include "engine/whatif/whatif_stream.h"

#define CHUNKS_MAX 6
#define SLICE_ROWS 500000
#define SLICES_MAX 64

static struct chunk *chunk_new(void)
{
    struct chunk *chunk = memory_alloc(sizeof *chunk);
    if (chunk != NULL)
        arena_init(&chunk->texts, "whatif_rows", CHUNK_BYTES_MAX);
    return chunk;
}

/* UNAVAILABLE: nobody wants any more. */
static err hand_over(struct stream *stream, struct lane *lane)
{
    struct chunk *chunk = lane->filling;
    lane->filling = NULL;
    if (chunk == NULL)
        return ERR_OK;
    pthread_mutex_lock(&stream->mutex);
    while (lane->chunk_count == CHUNKS_MAX && !stream->stopping)
        pthread_cond_wait(&stream->changed, &stream->mutex);
    bool stopping = stream->stopping;
    if (!stopping) {
        *lane->last = chunk;
        lane->last = &chunk->next;
        lane->chunk_count++;
        pthread_cond_broadcast(&stream->changed);
    }
    pthread_mutex_unlock(&stream->mutex);
    if (stopping)
        stream_chunk_free(chunk);
    return stopping ? ERR_UNAVAILABLE : ERR_OK;
}

static void read_row(struct cursor *cursor, struct whatif_row *row)
{
    row->node = read_u32(cursor);
    row->seq = read_u64(cursor);
    row->at_ms = read_i64(cursor);
    row->time_ms = read_i64(cursor);
    row->source = read_u32(cursor);
    row->kind = read_u8(cursor);
    row->flags = read_u8(cursor);
    row->type = read_text(cursor);
    row->channel = read_text(cursor);
    row->revenue = read_i64(cursor);
    row->props = read_text(cursor);
}

static err keep_row(struct chunk *chunk, const struct whatif_row *row)
{
    struct whatif_row *kept = &chunk->rows[chunk->count];
    *kept = *row;
    err error = arena_dup(&chunk->texts, row->type, &kept->type);
    if (error == ERR_OK)
        error = arena_dup(&chunk->texts, row->channel, &kept->channel);
    if (error == ERR_OK && row->props.size > 0)
        error = arena_dup(&chunk->texts, row->props, &kept->props);
    chunk->count += error == ERR_OK;
    return error;
}

static err take_row(void *context, struct cursor *cursor)
{
    struct stream *stream = context;
    struct whatif_row row;
    read_row(cursor, &row);
    if (cursor->failed || cast_at(&stream->run->cast, row.node) == NULL)
        return ERR_OK;
    struct lane *lane = stream_lane(stream, row.node);
    if (lane->filling == NULL)
        lane->filling = chunk_new();
    if (lane->filling == NULL)
        return ERR_NOMEM;
    err error = keep_row(lane->filling, &row);
    if (error != ERR_OK)
        return error;
    bool is_full =
        lane->filling->count == CHUNK_ROWS || lane->filling->texts.used_bytes > CHUNK_BYTES_MAX / 4;
    return is_full ? hand_over(stream, lane) : ERR_OK;
}

static void write_arrival(const struct stream *stream, struct buffer *sql)
{
    if (stream->run->order.with_imported)
        buffer_printf(sql, "if(bitAnd(flags, %d) != 0, time_ms, received_ms)", PAST_FLAGS);
    else
        buffer_append_str(sql, STR("received_ms"));
}

static void write_condition(const struct stream *stream, int64_t from_ms, int64_t to_ms,
                            struct buffer *sql)
{
    buffer_printf(sql, " FROM events_kept WHERE customer > 0 AND seq <= %llu",
                  (unsigned long long)stream->flushed_seq);
    buffer_append_str(sql, buffer_str(&stream->kept));
    buffer_printf(sql, " AND type IN (%.*s) AND ", STR_ARG(buffer_str(&stream->types)));
    write_arrival(stream, sql);
    buffer_printf(sql, " >= %lld AND ", (long long)from_ms);
    write_arrival(stream, sql);
    buffer_printf(sql, " < %lld", (long long)to_ms);
}

static err read_slice(struct stream *stream, int64_t from_ms, int64_t to_ms)
{
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_append_str(&sql, STR("SELECT customer, seq, "));
    write_arrival(stream, &sql);
    buffer_append_str(&sql, STR(" AS at, time_ms, source, kind, flags, toString(type), "
                                "toString(channel), toInt64(revenue), "));
    if (stream->props_types.size > 0)
        buffer_printf(&sql, "if(type IN (%.*s), props, '')",
                      STR_ARG(buffer_str(&stream->props_types)));
    else
        buffer_append_str(&sql, STR("''"));
    write_condition(stream, from_ms, to_ms, &sql);
    buffer_append_str(&sql, STR(" ORDER BY at, seq FORMAT RowBinary"));
    buffer_append_byte(&sql, 0);
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = rows_stream(stream->run->engine->warehouse, "whatif_streamed", sql.data, take_row,
                            stream, &stream->problem);
    buffer_deinit(&sql);
    return error;
}

static err take_count(void *context, struct cursor *cursor)
{
    struct stream *stream = context;
    uint64_t count = read_u64(cursor);
    if (!cursor->failed)
        stream->expected = count;
    return ERR_OK;
}

static err count_rows(struct stream *stream)
{
    struct buffer sql;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_append_str(&sql, STR("SELECT toUInt64(count())"));
    write_condition(stream, stream->run->order.from_ms, stream->run->order.to_ms, &sql);
    buffer_append_str(&sql, STR(" FORMAT RowBinary"));
    buffer_append_byte(&sql, 0);
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = rows_stream(stream->run->engine->warehouse, "whatif_counted", sql.data, take_count,
                            stream, &stream->problem);
    buffer_deinit(&sql);
    return error;
}

static void *read_all(void *context)
{
    struct stream *stream = context;
    const struct whatif_order *order = &stream->run->order;
    pthread_setname_np(pthread_self(), "kith-whatif-in");
    int64_t slices = (int64_t)(stream->expected / SLICE_ROWS) + 1;
    slices = slices < SLICES_MAX ? slices : SLICES_MAX;
    int64_t length_ms = (order->to_ms - order->from_ms + slices - 1) / slices;
    err error = ERR_OK;
    for (int64_t from_ms = order->from_ms; error == ERR_OK && from_ms < order->to_ms;
         from_ms += length_ms) {
        int64_t to_ms = from_ms + length_ms < order->to_ms ? from_ms + length_ms : order->to_ms;
        error = read_slice(stream, from_ms, to_ms);
    }
    for (uint32_t i = 0; error == ERR_OK && i < stream->run->parts->count; i++)
        error = hand_over(stream, &stream->lanes[i]);
    pthread_mutex_lock(&stream->mutex);
    stream->is_over = true;
    stream->error = stream->stopping ? ERR_OK : error;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
    return NULL;
}

/* ---- consents before those days, of who changed her mind since ---- */

static err take_consent(void *context, struct cursor *cursor)
{
    struct stream *stream = context;
    uint32_t node = read_u32(cursor);
    int64_t time_ms = read_i64(cursor);
    bool granted = read_u8(cursor) != 0;
    str props = read_text(cursor);
    if (cursor->failed || cast_at(&stream->run->cast, node) == NULL)
        return ERR_OK;
    return stream_keep_consent(stream->run, node, granted, props, time_ms);
}

static err read_consents(struct stream *stream)
{
    struct buffer sql;
    if (stream->run->cast.changed_consents == 0)
        return ERR_OK;
    buffer_init(&sql, SQL_BYTES_MAX);
    buffer_printf(&sql,
                  "SELECT customer, time_ms, toUInt8(type = 'Consent Granted'), props FROM "
                  "events_kept WHERE customer > 0 AND seq <= %llu AND type IN ('Consent Granted', "
                  "'Consent Withdrawn') AND time_ms < %lld ORDER BY time_ms, seq FORMAT RowBinary",
                  (unsigned long long)stream->flushed_seq, (long long)stream->run->order.to_ms);
    buffer_append_byte(&sql, 0);
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = rows_stream(stream->run->engine->warehouse, "whatif_consents", sql.data,
                            take_consent, stream, stream->run->problem);
    buffer_deinit(&sql);
    return error;
}

/* ---- its beginning ---- */

err stream_begin_reader(struct stream *stream)
{
    struct whatif_run *run = stream->run;
    err error = count_rows(stream);
    if (error == ERR_OK)
        error = read_consents(stream);
    if (error != ERR_OK) {
        if (run->problem->error == ERR_OK)
            *run->problem = stream->problem;
        return error;
    }
    if (pthread_create(&stream->reader, NULL, read_all, stream) != 0)
        return ERR_NOMEM;
    stream->has_reader = true;
    return ERR_OK;
}
