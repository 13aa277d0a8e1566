/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_stream: the events of those days in the order in which they arrived (imported ones: in which they happened), from the warehouse
 * and from the tail, which has what the warehouse does not have yet.
 *
 *     reader: query per slice of days ─▶ rows of people who are concerned ─▶ chunks ─▶ queue of their part ─▶ stream_next, merged with the tail
 *
 * The reader is a slice ahead; a queue holds CHUNKS_MAX chunks of CHUNK_ROWS rows. A part that is behind keeps the reader waiting, and so
 * the others, which are never further ahead of it than a queue. */
#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "engine/rows.h"
#include "engine/whatif_inside.h"

#define CHUNK_ROWS 8192
#define CHUNK_BYTES_MAX ((size_t)64 << 20)
#define CHUNKS_MAX 6
#define SLICE_ROWS 500000
#define SLICES_MAX 64
#define TAIL_BYTES_MAX ((size_t)1 << 30)
#define SQL_BYTES_MAX ((size_t)8 << 20)
#define PAST_FLAGS (EVENT_HISTORICAL | EVENT_IMPORTED)

struct chunk {
    struct chunk *next;
    struct arena texts;
    size_t count, taken;
    struct whatif_row rows[CHUNK_ROWS];
};

/* What one part of the run reads. */
struct lane {
    struct chunk *first, **last; /* under the mutex */
    size_t chunk_count;
    struct chunk *filling; /* the reader's */
    struct chunk *now;     /* the part's, as the next */
    size_t tail_next;
};

struct stream {
    struct whatif_run *run;
    struct buffer types, props_types; /* quoted, with commas */
    uint8_t *wanted;                  /* by type of history: 1 wanted, 2 with its properties */
    uint64_t flushed_seq, expected;
    struct buffer kept; /* " AND …": what an undo has taken back so far */

    pthread_t reader;
    bool has_reader;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool is_over, stopping;
    err error;
    struct problem problem;

    struct lane lanes[WHATIF_THREADS_MAX];
    struct whatif_row *tail;
    size_t tail_count, tail_capacity;
    struct arena tail_texts;
};

/* ---- which events ---- */

static void want_type(struct stream *stream, str name, bool with_props)
{
    uint16_t type = history_type_find(stream->run->history, name);
    if (type != 0)
        stream->wanted[type] |= with_props ? 3 : 1;
}

static void want_heard(void *context, str event, bool starts, bool goes_on)
{
    (void)starts;
    (void)goes_on;
    want_type(context, event, true);
}

/* What says something of consents and of what channels allow (touch_event). */
static const char *const chance_types[] = {
    "Consent Granted",
    "Consent Withdrawn",
    "Subscription Accepted",
    "Subscription Rejected",
    "Message Received",
    "Official Account Followed",
    "Official Account Unfollowed",
    "Official Account Menu Clicked",
    "Official Account Viewed",
    "Official Account Scanned",
    "Contact Deleted",
    "Unsubscribed",
    "Contact Added",
};

static err choose_types(struct stream *stream)
{
    struct whatif_run *run = stream->run;
    stream->wanted = memory_alloc(HISTORY_TYPES_MAX);
    if (stream->wanted == NULL)
        return ERR_NOMEM;
    journey_visit_events(run->journeys, want_heard, stream);
    for (size_t i = 0; i < sizeof chance_types / sizeof chance_types[0]; i++)
        want_type(stream, str_from_c(chance_types[i]), true);
    for (uint16_t type = 1; run->hears != NULL && type <= run->type_count; type++)
        stream->wanted[type] |= run->hears[type] != 0;
    for (uint16_t type = 1; type <= history_type_count(run->history); type++) {
        str name = history_type_name(run->history, type);
        struct buffer *lists[] = { &stream->types, &stream->props_types };
        for (unsigned i = 0; i < 2; i++) {
            if ((stream->wanted[type] & 1u << i) == 0)
                continue;
            if (lists[i]->size > 0)
                buffer_append_byte(lists[i], ',');
            rows_quote(lists[i], name);
        }
    }
    return buffer_status(&stream->types);
}

/* ---- the tail ---- */

struct ask_tail {
    struct stream *stream;
    struct applied_block **blocks;
    size_t count;
    err error;
};

static void take_blocks(const struct engine_state *state, struct engine_question *question)
{
    struct ask_tail *ask = question->context;
    struct engine *engine = ask->stream->run->engine;
    size_t count = 0;
    ask->stream->flushed_seq = engine_flushes(engine) ? state->tail->flushed_seq : 0;
    jobs_write_kept(&engine->jobs, &ask->stream->kept);
    for (struct applied_block *applied = state->tail->first; applied != NULL;
         applied = applied->next)
        count++;
    ask->blocks = (struct applied_block **)memory_alloc((count + 1) * sizeof(ask->blocks[0]));
    ask->error = ask->blocks != NULL ? ERR_OK : ERR_NOMEM;
    for (struct applied_block *applied = state->tail->first; ask->blocks != NULL && applied != NULL;
         applied = applied->next) {
        applied_block_hold(applied);
        ask->blocks[ask->count++] = applied;
    }
}

static int64_t arrival_ms(const struct whatif_run *run, uint8_t flags, int64_t time_ms,
                          int64_t received_ms)
{
    return run->order.with_imported && (flags & PAST_FLAGS) != 0 ? time_ms : received_ms;
}

/* What she decided is known from then on, whatever she decided later. */
static err keep_consent(struct whatif_run *run, uint32_t node, bool granted, str props_text,
                        int64_t time_ms)
{
    json_value props;
    if (json_parse(run->parser, props_text, &props, NULL) != ERR_OK)
        return ERR_OK;
    uint8_t name = cast_name(&run->cast, json_text(json_get(props, STR("purpose"))), false);
    return cast_add_consent(&run->cast, node, name, granted, time_ms);
}

static err keep_tail_consent(struct stream *stream, uint32_t node, const struct event *event)
{
    bool granted = str_equal(event->type, STR("Consent Granted"));
    if (event->kind != EVENT_TRACK ||
        (!granted && !str_equal(event->type, STR("Consent Withdrawn"))))
        return ERR_OK;
    return keep_consent(stream->run, node, granted, event->props, event->time_ms);
}

static err keep_tail_event(struct stream *stream, uint32_t node, const struct event *event)
{
    struct whatif_run *run = stream->run;
    int64_t at_ms = arrival_ms(run, event->flags, event->time_ms, event->received_ms);
    uint8_t wanted = stream->wanted[history_type_find(run->history, event->type)];
    err consent = keep_tail_consent(stream, node, event);
    if (consent != ERR_OK || wanted == 0 || at_ms < run->order.from_ms ||
        at_ms >= run->order.to_ms || cast_at(&run->cast, node) == NULL)
        return consent;
    if (stream->tail_count == stream->tail_capacity) {
        size_t capacity = stream->tail_capacity == 0 ? 4096 : stream->tail_capacity * 2;
        struct whatif_row *longer = memory_resize(stream->tail, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        stream->tail = longer;
        stream->tail_capacity = capacity;
    }
    struct whatif_row *row = &stream->tail[stream->tail_count];
    bool has_revenue = (event->promoted_set & 1u << PROMOTED_REVENUE) != 0;
    *row = (struct whatif_row){
        .node = node,
        .source = event->source_number,
        .seq = event->seq,
        .at_ms = at_ms,
        .time_ms = event->time_ms,
        .revenue = has_revenue ? event->promoted_int[PROMOTED_REVENUE] : PROMOTED_MISSING,
        .kind = (uint8_t)event->kind,
        .flags = event->flags,
    };
    err error = arena_dup(&stream->tail_texts, event->type, &row->type);
    if (error == ERR_OK)
        error = arena_dup(&stream->tail_texts, event->channel, &row->channel);
    if (error == ERR_OK && (wanted & 2) != 0)
        error = arena_dup(&stream->tail_texts, event->props, &row->props);
    stream->tail_count += error == ERR_OK;
    return error;
}

static err read_block(struct stream *stream, struct applied_block *applied, struct arena *arena)
{
    struct log_block *block = NULL;
    struct problem problem = { .error = ERR_OK };
    err error = applied_block_open(applied, stream->run->engine->log, &block, &problem);
    if (error != ERR_OK)
        return error;
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    for (uint32_t i = 0; error == ERR_OK && log_block_next(&cursor, &record); i++) {
        struct event event;
        if (applied->nodes[i] == 0 || record.seq <= stream->flushed_seq)
            continue;
        arena_reset(arena);
        error = event_decode(record.body, arena, &event, NULL);
        event.seq = record.seq;
        event.received_ms = block->received_ms;
        if (error == ERR_OK)
            error = keep_tail_event(stream, applied->nodes[i], &event);
    }
    log_block_release(&block);
    return error;
}

static int compare_rows(const void *left, const void *right)
{
    const struct whatif_row *a = left;
    const struct whatif_row *b = right;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static err read_tail(struct stream *stream)
{
    struct ask_tail ask = { .stream = stream };
    struct arena arena;
    err error = whatif_ask(stream->run, take_blocks, &ask);
    if (error == ERR_OK)
        error = ask.error;
    arena_init(&arena, "whatif_tail_event", CHUNK_BYTES_MAX);
    for (size_t i = 0; i < ask.count; i++) {
        if (error == ERR_OK)
            error = read_block(stream, ask.blocks[i], &arena);
        applied_block_release(&ask.blocks[i]);
    }
    arena_deinit(&arena);
    memory_free((void *)ask.blocks);
    if (stream->tail_count > 1)
        qsort(stream->tail, stream->tail_count, sizeof(*stream->tail), compare_rows);
    return error;
}

/* ---- the reader ---- */

static struct chunk *chunk_new(void)
{
    struct chunk *chunk = memory_alloc(sizeof *chunk);
    if (chunk != NULL)
        arena_init(&chunk->texts, "whatif_rows", CHUNK_BYTES_MAX);
    return chunk;
}

static void chunk_free(struct chunk *chunk)
{
    if (chunk != NULL)
        arena_deinit(&chunk->texts);
    memory_free(chunk);
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
        chunk_free(chunk);
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

/* Who merges in the midst of it does so where there is one part alone. */
static struct lane *lane_of(struct stream *stream, uint32_t node)
{
    const struct whatif_parts *parts = stream->run->parts;
    uint32_t root = stream->run->cast.today[node];
    return &stream->lanes[parts->count > 1 ? hash_mix64(root) % parts->count : 0];
}

static err take_row(void *context, struct cursor *cursor)
{
    struct stream *stream = context;
    struct whatif_row row;
    read_row(cursor, &row);
    if (cursor->failed || cast_at(&stream->run->cast, row.node) == NULL)
        return ERR_OK;
    struct lane *lane = lane_of(stream, row.node);
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
    return keep_consent(stream->run, node, granted, props, time_ms);
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

/* ---- life ---- */

static err begin_reader(struct stream *stream)
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

err stream_open(struct whatif_run *run)
{
    struct stream *stream = memory_alloc(sizeof *stream);
    if (stream == NULL)
        return ERR_NOMEM;
    run->stream = stream;
    stream->run = run;
    for (size_t i = 0; i < WHATIF_THREADS_MAX; i++)
        stream->lanes[i].last = &stream->lanes[i].first;
    buffer_init(&stream->types, SQL_BYTES_MAX);
    buffer_init(&stream->props_types, SQL_BYTES_MAX);
    buffer_init(&stream->kept, SQL_BYTES_MAX);
    arena_init(&stream->tail_texts, "whatif_tail", TAIL_BYTES_MAX);
    pthread_mutex_init(&stream->mutex, NULL);
    pthread_cond_init(&stream->changed, NULL);
    err error = choose_types(stream);
    if (error == ERR_OK)
        error = read_tail(stream);
    stream->is_over = true;
    if (error != ERR_OK || run->engine->warehouse == NULL || stream->flushed_seq == 0 ||
        stream->types.size == 0)
        return error;
    stream->is_over = false;
    return begin_reader(stream);
}

static err next_chunk(struct stream *stream, struct lane *lane)
{
    chunk_free(lane->now);
    pthread_mutex_lock(&stream->mutex);
    while (lane->first == NULL && !stream->is_over && !stream->stopping)
        pthread_cond_wait(&stream->changed, &stream->mutex);
    lane->now = lane->first;
    if (lane->now != NULL) {
        lane->first = lane->now->next;
        if (lane->first == NULL)
            lane->last = &lane->first;
        lane->chunk_count--;
        pthread_cond_broadcast(&stream->changed);
    }
    err error = lane->now == NULL ? stream->error : ERR_OK;
    pthread_mutex_unlock(&stream->mutex);
    return error;
}

static bool is_before(const struct whatif_row *one, const struct whatif_row *other)
{
    return one->at_ms != other->at_ms ? one->at_ms < other->at_ms : one->seq < other->seq;
}

/* The next of the tail that is this part's, or NULL. */
static const struct whatif_row *fresh_of(struct stream *stream, struct lane *lane)
{
    while (lane->tail_next < stream->tail_count &&
           lane_of(stream, stream->tail[lane->tail_next].node) != lane)
        lane->tail_next++;
    return lane->tail_next < stream->tail_count ? &stream->tail[lane->tail_next] : NULL;
}

const struct whatif_row *stream_next(struct stream *stream, uint32_t part, err *error)
{
    struct lane *lane = &stream->lanes[part];
    *error = ERR_OK;
    if (lane->now == NULL || lane->now->taken == lane->now->count) {
        if (lane->now != NULL || stream->has_reader)
            *error = next_chunk(stream, lane);
        if (*error != ERR_OK) {
            struct whatif_run *run = stream->run->parts->runs[part];
            if (run->problem->error == ERR_OK)
                *run->problem = stream->problem;
            return NULL;
        }
    }
    const struct whatif_row *stored = lane->now != NULL ? &lane->now->rows[lane->now->taken] : NULL;
    const struct whatif_row *fresh = fresh_of(stream, lane);
    if (stored != NULL && (fresh == NULL || is_before(stored, fresh))) {
        lane->now->taken++;
        return stored;
    }
    lane->tail_next += fresh != NULL;
    return fresh;
}

void stream_stop(struct stream *stream)
{
    pthread_mutex_lock(&stream->mutex);
    stream->stopping = true;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->mutex);
}

uint64_t stream_expected(const struct stream *stream)
{
    return stream->expected + stream->tail_count;
}

static void empty_lane(struct lane *lane)
{
    while (lane->first != NULL) {
        struct chunk *chunk = lane->first;
        lane->first = chunk->next;
        chunk_free(chunk);
    }
    chunk_free(lane->now);
    chunk_free(lane->filling);
}

void stream_close(struct stream **taken)
{
    struct stream *stream = *taken;
    *taken = NULL;
    if (stream == NULL)
        return;
    stream_stop(stream);
    if (stream->has_reader)
        pthread_join(stream->reader, NULL);
    for (size_t i = 0; i < WHATIF_THREADS_MAX; i++)
        empty_lane(&stream->lanes[i]);
    memory_free(stream->tail);
    memory_free(stream->wanted);
    arena_deinit(&stream->tail_texts);
    buffer_deinit(&stream->types);
    buffer_deinit(&stream->props_types);
    buffer_deinit(&stream->kept);
    pthread_mutex_destroy(&stream->mutex);
    pthread_cond_destroy(&stream->changed);
    memory_free(stream);
}
