/* SPDX-License-Identifier: Apache-2.0 */
/* apply: what a record does. An event walks down apply_event once:
 *
 *     seen before? ─▶ does it fit? ─▶ who is it? ─▶ what do we learn? ─▶ outcome
 *
 * Nothing here decides by a clock or a file: 'now' is the received time of the block. Two exceptions keep their answers
 * functions of the log: a message key that left RAM is asked for in the warehouse, and `identity.rules.apply` reads the
 * ledger behind a barrier (engine/command.h).
 */
#include <string.h>

#include "base/logline.h"
#include "base/metric.h"
#include "engine/flush/flush.h"
#include "engine/state.h"

/* Records decoded together, so that their cache misses overlap. */
#define CHUNK_RECORDS 64

/* How far ahead of the server's clock an event may lie. */
#define FUTURE_MS_MAX DAY_MS

struct decoded {
    struct log_record record;
    struct event event;
    uint64_t key;
    err error; /* of decoding */
};

/* ---- outcomes ---- */

static void verdict_of(const struct decoded *decoded, struct engine_verdict *verdict)
{
    *verdict = (struct engine_verdict){ .seq = decoded->record.seq, .fate = FATE_APPLIED };
    memcpy(verdict->message_key, decoded->event.message_key, sizeof verdict->message_key);
}

static err quarantine_event(struct engine *engine, const struct decoded *decoded, str reason,
                            str detail)
{
    const struct event *event = &decoded->event;
    atomic_fetch_add(&engine->quarantined, 1);
    metric_add(METRIC_EVENTS_QUARANTINED, 1);
    return quarantine_file(&engine->quarantine, decoded->key, decoded->record.seq, engine->now_ms,
                           event->source_number, event->type, reason, detail, decoded->record.body,
                           engine->writes);
}

/* ---- one event ---- */

/* Its job has seen to it that it comes once, for ever and not for 30 days. */
static bool is_known_by_job(const struct event *event)
{
    return (event->flags & EVENT_IMPORTED) != 0 && (event->flags & EVENT_REPLAYED) == 0;
}

static err is_duplicate(struct engine *engine, const struct decoded *decoded, bool *duplicate)
{
    *duplicate = false;
    if (is_known_by_job(&decoded->event))
        return ERR_OK;
    if (decoded->event.flags & EVENT_REPLAYED) {
        *duplicate = !quarantine_take(&engine->quarantine, decoded->key, engine->writes);
        return ERR_OK;
    }
    enum dedupe_answer answer = dedupe_find(&engine->dedupe, decoded->key, engine->now_ms);
    *duplicate = answer == DEDUPE_SEEN;
    if (answer == DEDUPE_ASK) {
        struct problem problem = { .error = ERR_OK };
        int64_t since_ms = dedupe_window_start_ms(&engine->dedupe, engine->now_ms);
        err error =
            apply_ask_warehouse(engine, decoded->event.message_key, since_ms, duplicate, &problem);
        if (error != ERR_OK)
            return error;
    }
    return *duplicate ? ERR_OK
                      : dedupe_put(&engine->dedupe, decoded->key, engine->now_ms, engine->now_ms);
}

static err judge(struct engine *engine, const struct event *event, enum plan_reason *reason,
                 struct problem *detail)
{
    if (event->time_ms > engine->now_ms + FUTURE_MS_MAX) {
        problem_set(detail, ERR_UNPROCESSABLE, "it says it happens %lld hours from now",
                    (long long)((event->time_ms - engine->now_ms) / HOUR_MS));
        *reason = PLAN_FUTURE_TIME;
        return ERR_OK;
    }
    bool strict =
        event->source_number < engine->strict_count && engine->strict[event->source_number];
    return plan_check(engine->plan, event, strict, engine->writes, reason, detail);
}

static str promoted_text(const struct event *event, enum promoted column)
{
    return event->promoted_set & 1u << column ? event->promoted_text[column] : STR_NONE;
}

static int64_t promoted_int(const struct event *event, enum promoted column)
{
    return event->promoted_set & 1u << column ? event->promoted_int[column] : PROMOTED_MISSING;
}

/* What is known of it already is not observed a second time. */
struct known {
    bool sums, history;
};

static err observe(struct engine *engine, const struct event *event, const struct outcome *outcome,
                   struct known known)
{
    for (uint32_t index = 0; index < outcome->row_count; index++) {
        if (outcome->rows[index] != 0)
            identity_row_seen(engine->identity, outcome->rows[index], event->time_ms);
    }
    /* At start: somebody who has left memory since. */
    if (outcome->node == 0 || identity_has_left(engine->identity, outcome->node))
        return ERR_OK;
    struct profile_observation observation = {
        .node = outcome->node,
        .seq = event->seq,
        .time_ms = event->time_ms,
        .type = event->type,
        .order_id = promoted_text(event, PROMOTED_ORDER_ID),
        .currency = promoted_text(event, PROMOTED_CURRENCY),
        .revenue = promoted_int(event, PROMOTED_REVENUE),
        .total = promoted_int(event, PROMOTED_TOTAL),
    };
    err error = jobs_watch(&engine->jobs, &observation);
    if (error == ERR_OK && !known.sums)
        error = profile_observe(engine->profile, &observation);
    return error == ERR_OK && !known.history
               ? history_observe(engine->history, outcome->node, event)
               : error;
}

err apply_observe(struct engine *engine, const struct event *event, const struct outcome *outcome)
{
    return observe(engine, event, outcome, (struct known){ .sums = false });
}

err apply_observe_again(struct engine *engine, const struct event *event,
                        const struct outcome *outcome)
{
    struct known known = {
        .sums = packed_until(engine, PACK_SUMS, outcome->node) >= event->seq,
        .history = packed_until(engine, PACK_EVENTS, outcome->node) >= event->seq,
    };
    return observe(engine, event, outcome, known);
}

err apply_retract(struct engine *engine, uint32_t node, uint64_t seq)
{
    return remember_retract(engine, node, seq);
}

static void note_aliases(struct engine *engine, uint32_t customer)
{
    uint32_t nodes[256];
    size_t count = identity_nodes(engine->identity, customer, nodes, 256);
    for (size_t index = 0; index < count && index < 256; index++)
        flusher_note_alias(engine->flusher, nodes[index], customer, engine->applied_seq + 1);
}

/* Her nodes are others than before: the warehouse's dictionary and history follow. */
static err regroup(struct engine *engine, uint32_t customer)
{
    if (engine->flusher != NULL)
        note_aliases(engine, customer);
    return remember_group(engine, customer);
}

err apply_customer_changed(struct engine *engine, uint32_t customer, uint64_t seq)
{
    err error = regroup(engine, customer);
    if (error == ERR_OK)
        error = follow_customer(engine, customer, seq);
    if (error == ERR_OK)
        error = act_customer(engine, customer, seq);
    return error == ERR_OK ? move_customer(engine, customer, seq) : error;
}

err apply_all_changed(struct engine *engine, uint64_t seq)
{
    if (engine->flusher != NULL)
        flusher_note_all_aliases(engine->flusher);
    err error = remember_group_all(engine);
    if (error == ERR_OK)
        error = follow_all(engine, seq);
    return error == ERR_OK ? move_all(engine, seq) : error;
}

static err identify(struct engine *engine, const struct event *event, struct identity_outcome *who,
                    struct outcome *outcome, struct engine_verdict *verdict)
{
    err error = identity_resolve(engine->identity, event, engine->writes, who);
    if (error != ERR_OK || who->node == 0)
        return error;
    outcome->node = who->node;
    outcome->origin = who->origin;
    outcome->row_count = who->row_count;
    memcpy(outcome->rows, who->rows, who->row_count * sizeof who->rows[0]);
    verdict->node = who->node;
    verdict->customer = who->customer;
    verdict->created = who->created;
    verdict->merges = who->merge_count;
    verdict->refusals = who->refusal_count;
    metric_add(METRIC_MERGES, who->merge_count);
    metric_add(METRIC_REFUSALS, who->refusal_count);
    return ERR_OK;
}

/* What is due of her is settled as it stood; then the event takes effect; then what it can change is judged. */
static err take_effect(struct engine *engine, const struct event *event,
                       const struct identity_outcome *who, const struct outcome *outcome)
{
    err error = who->node != 0 ? follow_before(engine, event, who) : ERR_OK;
    if (error == ERR_OK && who->node != 0)
        error = move_before(engine, event, who);
    if (error == ERR_OK)
        error = profile_apply(engine->profile, event, outcome->node, engine->writes);
    if (error == ERR_OK)
        error = apply_observe(engine, event, outcome);
    if (error == ERR_OK && (who->merge_count > 0 || who->adopted))
        error = regroup(engine, who->customer);
    if (error == ERR_OK)
        error = follow_event(engine, event, who);
    if (error == ERR_OK)
        error = act_event(engine, event, who);
    return error == ERR_OK ? move_event(engine, event, who) : error;
}

/* Somebody asked to be forgotten: nothing about her is taken any more, and what is about others is taken without her. */
static bool is_of_erased(struct engine *engine, struct decoded *decoded, struct outcome *outcome)
{
    enum identity_about about =
        identity_about_erased(engine->identity, &decoded->event, engine->writes);
    if (about == ABOUT_OTHERS)
        return false;
    atomic_fetch_add(&engine->erased_seen, 1); /* the log is to be cleaned of it */
    if (about == ABOUT_BOTH)
        return false;
    metric_add(METRIC_EVENTS_ERASED, 1);
    outcome->fate = FATE_ERASED;
    return true;
}

static err apply_event(struct engine *engine, struct decoded *decoded, struct outcome *outcome,
                       struct engine_verdict *verdict)
{
    const struct event *event = &decoded->event;
    bool duplicate = false;
    err error = is_duplicate(engine, decoded, &duplicate);
    if (error != ERR_OK)
        return error;
    if (duplicate) {
        outcome->fate = FATE_DUPLICATE;
        atomic_fetch_add(&engine->duplicates, 1);
        metric_add(METRIC_EVENTS_DUPLICATE, 1);
        return ERR_OK;
    }

    if (identity_has_tombstones(engine->identity) && is_of_erased(engine, decoded, outcome))
        return ERR_OK;

    struct problem detail = { .error = ERR_OK };
    enum plan_reason reason;
    error = judge(engine, event, &reason, &detail);
    if (error != ERR_OK)
        return error;
    struct identity_outcome who = { .node = 0 };
    if (reason == PLAN_FITS && event->kind != EVENT_OBJECT) {
        error = identify(engine, event, &who, outcome, verdict);
        if (error != ERR_OK)
            return error;
        if (outcome->node == 0) {
            reason = PLAN_NO_IDENTIFIER;
            problem_set(&detail, ERR_UNPROCESSABLE,
                        "every identifier on it is a placeholder, masked or shared");
        }
    }
    if (reason != PLAN_FITS) {
        outcome->fate = FATE_QUARANTINED;
        verdict->reason = reason;
        return quarantine_event(engine, decoded, str_from_c(plan_reason_code(reason)),
                                str_from_c(detail.detail));
    }

    atomic_fetch_add_explicit(&engine->events, 1, memory_order_relaxed);
    if (who.node != 0)
        news_event(engine, event->seq, &who);
    return take_effect(engine, event, &who, outcome);
}

/* ---- one block ---- */

/* Under its digests it may be known, too. */
static void announce(const struct engine *engine, const struct event_identifier *identifier)
{
    identity_prefetch(engine->identity, identifier->hash);
    for (uint32_t other = 0; other < identifier->other_hash_count; other++)
        identity_prefetch(engine->identity, identifier->other_hashes[other]);
}

/* Whom the identifiers of a chunk lead to now. */
struct people {
    uint32_t nodes[4 * CHUNK_RECORDS];
    size_t count;
};

static void guess_people(const struct engine *engine, const struct decoded *chunk, size_t count,
                         struct people *people)
{
    people->count = 0;
    for (size_t at = 0; at < count; at++) {
        const struct event *event = &chunk[at].event;
        uint32_t before = 0;
        if (chunk[at].record.kind != LOG_RECORD_EVENT || chunk[at].error != ERR_OK)
            continue;
        for (uint32_t index = 0; index < event->identifier_count; index++) {
            uint32_t node = identity_guess(engine->identity, event->identifiers[index].hash);
            if (node == 0 || node == before || people->count == 4 * CHUNK_RECORDS)
                continue;
            before = people->nodes[people->count++] = node;
            history_prefetch_block(engine->history, node);
        }
    }
}

/* Most likely the events of a chunk will be theirs: what is read of them for each event is fetched together. */
static void fetch_people(const struct engine *engine, const struct decoded *chunk, size_t count)
{
    struct people people;
    guess_people(engine, chunk, count, &people);
    for (size_t at = 0; at < people.count; at++) {
        profile_prefetch(engine->profile, people.nodes[at]);
        history_prefetch(engine->history, people.nodes[at]);
        audience_prefetch(engine->audience, people.nodes[at]);
    }
}

static size_t decode_chunk(struct engine *engine, struct log_cursor *cursor, int64_t received_ms,
                           struct decoded *chunk)
{
    size_t count = 0;
    arena_reset(&engine->chunk_arena);
    while (count < CHUNK_RECORDS && log_block_next(cursor, &chunk[count].record)) {
        struct decoded *decoded = &chunk[count++];
        decoded->error = ERR_OK;
        decoded->key = 0;
        if (decoded->record.kind != LOG_RECORD_EVENT)
            continue;
        decoded->error =
            event_decode(decoded->record.body, &engine->chunk_arena, &decoded->event, NULL);
        if (decoded->error != ERR_OK) {
            decoded->event = (struct event){ .kind = EVENT_TRACK };
            continue;
        }
        decoded->event.seq = decoded->record.seq;
        decoded->event.received_ms = received_ms;
        decoded->key = dedupe_key(decoded->event.message_key);
        if (!is_known_by_job(&decoded->event))
            dedupe_prefetch(&engine->dedupe, decoded->key);
        for (uint32_t index = 0; index < decoded->event.identifier_count; index++)
            announce(engine, &decoded->event.identifiers[index]);
    }
    fetch_people(engine, chunk, count);
    return count;
}

/* What no build of Kith could have written is not lost either: a person may look at it. */
static err keep_undecodable(struct engine *engine, const struct decoded *decoded,
                            struct outcome *outcome)
{
    log_line(LOG_ERROR, "record_undecodable", "seq=%llu bytes=%zu",
             (unsigned long long)decoded->record.seq, decoded->record.body.size);
    outcome->fate = FATE_QUARANTINED;
    return quarantine_event(engine, decoded, STR("undecodable"),
                            STR("the record cannot be read by this version"));
}

static err take_event(struct engine *engine, struct decoded *decoded, struct outcome *outcome,
                      struct engine_verdict *verdict)
{
    verdict_of(decoded, verdict);
    outcome->fate = FATE_APPLIED;
    err error = visitors_meet(engine, &decoded->event);
    if (error == ERR_OK)
        error = apply_event(engine, decoded, outcome, verdict);
    verdict->fate = outcome->fate;
    jobs_note(&engine->jobs, &decoded->event, outcome->fate == FATE_APPLIED, verdict->created,
              verdict->merges);
    return error;
}

/* Time passed, and nothing else: what ends, is forgotten or becomes due by it. */
static err apply_tick(struct engine *engine, uint64_t seq)
{
    steady_ns start = steady_now(); /* measured, never decided by */
    if (access_end_overlaps(&engine->access, engine->now_ms))
        engine_publish_sources(engine);
    err error = visitors_tick(engine, seq);
    idempotency_prune(&engine->idempotency, engine->now_ms, engine->writes);
    news_tick(engine, engine->writes);
    if (error == ERR_OK)
        error = follow_tick(engine, seq);
    if (error == ERR_OK)
        error = act_tick(engine, seq);
    if (error == ERR_OK)
        error = move_tick(engine, seq);
    jobs_tick(engine);
    engine_note_tick(engine, steady_since_us(start));
    return error;
}

static err apply_record(struct engine *engine, struct decoded *decoded,
                        struct engine_verdict *verdicts, size_t *verdict_count)
{
    struct outcome outcome = { .fate = FATE_UNKNOWN };
    err error = ERR_OK;
    move_begin(engine);
    if (decoded->record.kind == LOG_RECORD_COMMAND) {
        error = command_apply(engine, decoded->record.seq, decoded->record.body);
    } else if (decoded->record.kind == LOG_RECORD_TICK) {
        error = apply_tick(engine, decoded->record.seq);
    } else if (decoded->error == ERR_NOMEM) {
        error = decoded->error; /* says nothing of the record: the next start reads it again */
    } else if (decoded->error != ERR_OK) {
        error = keep_undecodable(engine, decoded, &outcome);
    } else {
        error = take_event(engine, decoded, &outcome, &verdicts[(*verdict_count)++]);
    }
    if (error == ERR_OK)
        error = move_end(engine, decoded->record.seq);
    outcome_write(&engine->block_outcomes, &outcome);
    engine->applied_seq = decoded->record.seq;
    return error;
}

err apply_block(struct engine *engine, struct log_block *block, struct applied_block **applied)
{
    struct decoded chunk[CHUNK_RECORDS];
    struct engine_verdict verdicts[CHUNK_RECORDS];
    struct log_cursor cursor = { .block = block };
    INVARIANT(block->first_seq <= engine->applied_seq + 1);
    INVARIANT(block->received_ms >= engine->now_ms);
    engine->now_ms = block->received_ms;
    engine->applying = block;
    err begun = follow_block(engine, engine->applied_seq + 1);
    if (begun != ERR_OK)
        return begun;
    size_t count;
    while ((count = decode_chunk(engine, &cursor, block->received_ms, chunk)) > 0) {
        size_t verdict_count = 0;
        for (size_t index = 0; index < count; index++) {
            if (chunk[index].record.seq <= engine->applied_seq)
                continue; /* applied before a crash, up to a barrier in this block */
            err error = apply_record(engine, &chunk[index], verdicts, &verdict_count);
            if (error != ERR_OK)
                return error;
        }
        verdicts_add(&engine->verdicts, verdicts, verdict_count);
        metric_add(METRIC_EVENTS_APPLIED, (int64_t)verdict_count);
    }
    INVARIANT(engine->applied_seq == block->first_seq + block->count - 1);
    engine->applying = NULL;
    err error = buffer_status(&engine->block_outcomes);
    if (error != ERR_OK)
        return error;
    return applied_block_new(block, buffer_str(&engine->block_outcomes), applied);
}
