/* SPDX-License-Identifier: Apache-2.0 */
/* tail: applied blocks that the warehouse may not have yet; see tail.h. */
#include "engine/flush/tail.h"

#include <string.h>

#include "base/arena.h"

/* ---- outcomes ---- */

void outcome_write(struct buffer *out, const struct outcome *outcome)
{
    write_u8(out, (uint8_t)outcome->fate);
    if (outcome->fate != FATE_APPLIED)
        return;
    write_varint(out, outcome->node);
    write_varint(out, outcome->origin);
    write_varint(out, outcome->row_count);
    for (uint32_t index = 0; index < outcome->row_count; index++)
        write_varint(out, outcome->rows[index]);
}

err outcome_read(struct cursor *cursor, struct outcome *outcome)
{
    *outcome = (struct outcome){ .fate = (enum engine_fate)read_u8(cursor) };
    if (outcome->fate > FATE_ERASED)
        return ERR_CORRUPT;
    if (outcome->fate == FATE_APPLIED) {
        outcome->node = (uint32_t)read_varint(cursor);
        outcome->origin = (uint32_t)read_varint(cursor);
        uint64_t row_count = read_varint(cursor);
        if (row_count > EVENT_IDENTIFIERS_MAX)
            return ERR_CORRUPT;
        outcome->row_count = (uint32_t)row_count;
        for (uint32_t index = 0; index < outcome->row_count; index++)
            outcome->rows[index] = (uint32_t)read_varint(cursor);
    }
    return cursor->failed ? ERR_CORRUPT : ERR_OK;
}

/* ---- applied blocks ---- */

static err read_nodes(struct applied_block *applied)
{
    struct cursor cursor = cursor_over((str){ applied->outcomes, applied->outcomes_size });
    for (uint32_t index = 0; index < applied->count; index++) {
        struct outcome outcome;
        err error = outcome_read(&cursor, &outcome);
        if (error != ERR_OK)
            return error;
        if (outcome.fate == FATE_APPLIED) {
            applied->nodes[index] = outcome.node;
            applied->applied++;
        }
    }
    return ERR_OK;
}

err applied_block_new(struct log_block *block, str outcomes, struct applied_block **made)
{
    struct applied_block *applied = memory_alloc(sizeof *applied);
    if (applied == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&applied->mutex, NULL);
    atomic_store(&applied->references, 1);
    applied->first_seq = block->first_seq;
    applied->count = block->count;
    applied->received_ms = block->received_ms;
    applied->nodes = memory_alloc(block->count * sizeof *applied->nodes);
    applied->outcomes = memory_alloc(outcomes.size + 1);
    err error = ERR_NOMEM;
    if (applied->nodes != NULL && applied->outcomes != NULL) {
        memcpy(applied->outcomes, outcomes.data, outcomes.size);
        applied->outcomes_size = outcomes.size;
        error = read_nodes(applied);
    }
    if (error != ERR_OK) {
        applied_block_release(&applied);
        return error;
    }
    log_block_hold(block);
    applied->block = block;
    applied->bytes = block->records.size + outcomes.size + block->count * sizeof *applied->nodes;
    *made = applied;
    return ERR_OK;
}

void applied_block_hold(struct applied_block *applied)
{
    atomic_fetch_add_explicit(&applied->references, 1, memory_order_relaxed);
}

void applied_block_release(struct applied_block **taken)
{
    struct applied_block *applied = *taken;
    *taken = NULL;
    if (applied == NULL ||
        atomic_fetch_sub_explicit(&applied->references, 1, memory_order_acq_rel) != 1)
        return;
    if (applied->block != NULL)
        log_block_release(&applied->block);
    memory_free(applied->nodes);
    memory_free(applied->outcomes);
    pthread_mutex_destroy(&applied->mutex);
    memory_free(applied);
}

err applied_block_open(struct applied_block *applied, struct log *log, struct log_block **block,
                       struct problem *problem)
{
    pthread_mutex_lock(&applied->mutex);
    struct log_block *kept = applied->block;
    if (kept != NULL)
        log_block_hold(kept);
    pthread_mutex_unlock(&applied->mutex);
    if (kept != NULL) {
        *block = kept;
        return ERR_OK;
    }
    return log_read(log, applied->first_seq, block, problem);
}

static void applied_block_give_up(struct applied_block *applied)
{
    pthread_mutex_lock(&applied->mutex);
    if (applied->block != NULL)
        log_block_release(&applied->block);
    pthread_mutex_unlock(&applied->mutex);
}

/* ---- the tail ---- */

void tail_init(struct engine_tail *tail, struct log *log, size_t bytes_max)
{
    *tail = (struct engine_tail){ .log = log, .bytes_max = bytes_max };
    tail->last = &tail->first;
}

void tail_deinit(struct engine_tail *tail)
{
    tail_advance(tail, UINT64_MAX);
}

void tail_add(struct engine_tail *tail, struct applied_block *applied)
{
    applied->next = NULL;
    *tail->last = applied;
    tail->last = &applied->next;
    if (tail->oldest_kept == NULL)
        tail->oldest_kept = applied;
    tail->bytes += applied->bytes;
    while (tail->bytes > tail->bytes_max && tail->oldest_kept != applied) {
        struct applied_block *oldest = tail->oldest_kept;
        applied_block_give_up(oldest);
        tail->bytes -= oldest->bytes;
        tail->oldest_kept = oldest->next;
    }
}

void tail_advance(struct engine_tail *tail, uint64_t flushed_seq)
{
    if (flushed_seq != UINT64_MAX)
        tail->flushed_seq = flushed_seq;
    bool had_records = tail->oldest_kept == tail->first;
    while (tail->first != NULL && tail->first->first_seq + tail->first->count - 1 <= flushed_seq) {
        struct applied_block *done = tail->first;
        if (done == tail->oldest_kept) {
            had_records = true;
            tail->oldest_kept = done->next;
        }
        if (had_records)
            tail->bytes -= done->bytes;
        tail->first = done->next;
        applied_block_release(&done);
    }
    if (tail->first == NULL) {
        tail->last = &tail->first;
        tail->oldest_kept = NULL;
    }
}

/* ---- timelines ---- */

static bool is_one_of(uint32_t node, const uint32_t *nodes, size_t node_count)
{
    for (size_t index = 0; index < node_count; index++) {
        if (nodes[index] == node)
            return true;
    }
    return false;
}

static bool comes_before(const struct event *event, int64_t time_ms, uint64_t seq)
{
    return event->time_ms != time_ms ? event->time_ms < time_ms : event->seq < seq;
}

/* Keep the `limit` newest in order, newest first: an insertion into a short list. */
static size_t keep_newest(struct event *events, uint32_t *event_nodes, size_t count, size_t limit,
                          const struct event *event, uint32_t node)
{
    size_t place = count;
    while (place > 0 && comes_before(&events[place - 1], event->time_ms, event->seq))
        place--;
    if (place >= limit)
        return count;
    size_t moved = (count < limit ? count : limit - 1) - place;
    memmove(events + place + 1, events + place, moved * sizeof *events);
    memmove(event_nodes + place + 1, event_nodes + place, moved * sizeof *event_nodes);
    events[place] = *event;
    event_nodes[place] = node;
    return count < limit ? count + 1 : limit;
}

size_t engine_tail_events(const struct engine_tail *tail, const uint32_t *nodes, size_t node_count,
                          int64_t before_ms, uint64_t before_seq, size_t limit, struct arena *arena,
                          struct event *events, uint32_t *event_nodes, uint64_t *from_seq)
{
    *from_seq = tail->flushed_seq + 1;
    size_t found = 0;
    for (struct applied_block *applied = tail->first; applied != NULL; applied = applied->next) {
        struct log_block *block = NULL;
        struct log_cursor cursor = { 0 };
        struct log_record record;
        for (uint32_t index = 0; index < applied->count; index++) {
            if (applied->nodes[index] == 0 || !is_one_of(applied->nodes[index], nodes, node_count))
                continue;
            if (block == NULL) {
                if (applied_block_open(applied, tail->log, &block, NULL) != ERR_OK)
                    break;
                cursor = (struct log_cursor){ .block = block };
            }
            while (cursor.index <= index && log_block_next(&cursor, &record))
                ;
            struct event event;
            str body;
            if (arena_dup(arena, record.body, &body) != ERR_OK ||
                event_decode(body, arena, &event, NULL) != ERR_OK)
                continue;
            event.seq = record.seq;
            event.received_ms = applied->received_ms;
            if (event.seq > tail->flushed_seq && comes_before(&event, before_ms, before_seq))
                found =
                    keep_newest(events, event_nodes, found, limit, &event, applied->nodes[index]);
        }
        if (block != NULL)
            log_block_release(&block);
    }
    return found;
}
