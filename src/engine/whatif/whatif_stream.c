/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_stream: the events of those days in the order in which they arrived (imported ones: in which they happened), from the warehouse
 * (whatif_reader.c) and from the tail (whatif_tail.c), which has what the warehouse does not have yet.
 *
 *     reader: query per slice of days ─▶ rows of people who are concerned ─▶ chunks ─▶ queue of their part ─▶ stream_next, merged with the tail
 *
 * The reader is a slice ahead; a queue holds CHUNKS_MAX chunks of CHUNK_ROWS rows. A part that is behind keeps the reader waiting, and so
 * the others, which are never further ahead of it than a queue. */
#include "engine/whatif/whatif_stream.h"
#include "engine/past/rows.h"

#define TAIL_BYTES_MAX ((size_t)1 << 30)

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

/* ---- what its parts share ---- */

err stream_keep_consent(struct whatif_run *run, uint32_t node, bool granted, str props_text,
                        int64_t time_ms)
{
    json_value props;
    if (json_parse(run->parser, props_text, &props, NULL) != ERR_OK)
        return ERR_OK;
    uint8_t name = cast_name(&run->cast, json_text(json_get(props, STR("purpose"))), false);
    return cast_add_consent(&run->cast, node, name, granted, time_ms);
}

struct lane *stream_lane(struct stream *stream, uint32_t node)
{
    const struct whatif_parts *parts = stream->run->parts;
    uint32_t root = stream->run->cast.today[node];
    return &stream->lanes[parts->count > 1 ? hash_mix64(root) % parts->count : 0];
}

void stream_chunk_free(struct chunk *chunk)
{
    if (chunk != NULL)
        arena_deinit(&chunk->texts);
    memory_free(chunk);
}

/* ---- life ---- */

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
        error = stream_read_tail(stream);
    stream->is_over = true;
    if (error != ERR_OK || run->engine->warehouse == NULL || stream->flushed_seq == 0 ||
        stream->types.size == 0)
        return error;
    stream->is_over = false;
    return stream_begin_reader(stream);
}

static err next_chunk(struct stream *stream, struct lane *lane)
{
    stream_chunk_free(lane->now);
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
           stream_lane(stream, stream->tail[lane->tail_next].node) != lane)
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

static void empty_lane(struct lane *lane)
{
    while (lane->first != NULL) {
        struct chunk *chunk = lane->first;
        lane->first = chunk->next;
        stream_chunk_free(chunk);
    }
    stream_chunk_free(lane->now);
    stream_chunk_free(lane->filling);
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
