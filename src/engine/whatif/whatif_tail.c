/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_tail: the events of those days that the warehouse does not have yet, for a run's stream. */
#include <stdlib.h>

#include "engine/whatif/whatif_stream.h"

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

static err keep_tail_consent(struct stream *stream, uint32_t node, const struct event *event)
{
    bool granted = str_equal(event->type, STR("Consent Granted"));
    if (event->kind != EVENT_TRACK ||
        (!granted && !str_equal(event->type, STR("Consent Withdrawn"))))
        return ERR_OK;
    return stream_keep_consent(stream->run, node, granted, event->props, event->time_ms);
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

err stream_read_tail(struct stream *stream)
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
