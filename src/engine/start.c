/* SPDX-License-Identifier: Apache-2.0 */
/* start: state from disk, as it was at the ledger's applied_seq A; the log has the rest.
 *
 *     ledger, at A ─────────────────▶ identity, traits, plan, access, quarantine    (told)
 *     history.pack ─────────────────▶ what was derived up to a while ago            (pack.h)
 *     warehouse, seq <= F ──────────▶ orders, counts, last seen, message keys, as far as they are not packed (derived)
 *     log and outcomes, F < seq <= A ▶ the same, and tail and flusher               (start_tail)
 *     log, seq > A ─────────────────▶ apply, as live
 *
 * F is the last seq that the ledger knows to be flushed. The warehouse may have rows beyond it (a crash
 * before 'done'); they are left out here and skipped by the flusher.
 */
#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "base/logline.h"
#include "engine/past/rows.h"
#include "engine/state.h"

/* ---- derived state from the warehouse ----
 *
 * Rows come as they lie, and are summed up here: with few events for each customer and identifier, a
 * GROUP BY of the warehouse builds a table of millions of groups only to send nearly as many
 * rows. Of 8 million customers with 24 million identifiers, last seen took 13.8 s of its processor
 * time that way, and takes 1.3 s so. */

/* Events of one node that came one after another, as they mostly do: rows lie by customer. */
struct counting {
    struct engine *engine;
    uint32_t node, count;
    int64_t first_ms, last_ms;
};

static err count_out(struct counting *counting)
{
    uint32_t count = counting->count;
    counting->count = 0;
    if (count == 0 || counting->node == 0 || visitors_has_left(counting->engine, counting->node))
        return ERR_OK;
    return profile_observe_many(counting->engine->profile, counting->node, count,
                                counting->first_ms, counting->last_ms);
}

static err take_counts(void *context, struct cursor *cursor)
{
    struct counting *counting = context;
    uint32_t node = read_u32(cursor);
    uint64_t seq = read_u64(cursor);
    int64_t time_ms = read_i64(cursor);
    err error = ERR_OK;
    if (cursor->failed || packed_until(counting->engine, PACK_SUMS, node) >= seq)
        return ERR_OK;
    if (node != counting->node || counting->count == UINT32_MAX)
        error = count_out(counting);
    if (counting->count == 0) {
        counting->node = node;
        counting->first_ms = counting->last_ms = time_ms;
    }
    counting->count++;
    counting->first_ms = time_ms < counting->first_ms ? time_ms : counting->first_ms;
    counting->last_ms = time_ms > counting->last_ms ? time_ms : counting->last_ms;
    return error;
}

static err take_order(void *context, struct cursor *cursor)
{
    struct engine *engine = context;
    struct profile_observation row = { .node = read_u32(cursor), .seq = read_u64(cursor) };
    row.time_ms = read_i64(cursor);
    row.type = read_text(cursor);
    row.order_id = read_text(cursor);
    row.currency = read_text(cursor);
    row.revenue = read_i64(cursor);
    row.total = read_i64(cursor);
    if (cursor->failed || packed_until(engine, PACK_SUMS, row.node) >= row.seq)
        return ERR_OK;
    return row.node != 0 && !visitors_has_left(engine, row.node)
               ? profile_observe(engine->profile, &row)
               : ERR_OK;
}

static err take_message_key(void *context, struct cursor *cursor)
{
    struct engine *engine = context;
    uint64_t key = read_u64(cursor);
    int64_t received_ms = (int64_t)read_u32(cursor) * HOUR_MS;
    if (cursor->failed)
        return ERR_OK;
    return dedupe_put(&engine->dedupe, dedupe_key_of(key), received_ms, engine->now_ms);
}

static err take_last_seen(void *context, struct cursor *cursor)
{
    struct engine *engine = context;
    uint64_t count = read_varint(cursor);
    if (count > cursor_left(cursor) / sizeof(uint32_t)) {
        cursor->failed = true;
        return ERR_OK;
    }
    struct cursor rows = cursor_over(read_bytes(cursor, (size_t)count * sizeof(uint32_t)));
    int64_t time_ms = read_i64(cursor);
    while (!cursor->failed && count-- > 0) {
        uint32_t row = read_u32(&rows);
        if (row != 0)
            identity_row_seen(engine->identity, row, time_ms);
    }
    return ERR_OK;
}

/* The types of events that make orders, as a list for IN (…); types come from outside, so quoted. */

static void add_type(struct buffer *list, str type)
{
    if (list->size > 0)
        buffer_append_byte(list, ',');
    rows_quote(list, type);
}

static err order_types(struct engine *engine, struct buffer *list, struct problem *problem)
{
    struct buffer answer;
    buffer_init(&answer, (size_t)64 << 20);
    err error = warehouse_query(engine->warehouse,
                                STR("SELECT DISTINCT toString(type) FROM events FORMAT RowBinary"),
                                NULL, 0, 60 * SECOND_MS, &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    while (error == ERR_OK && cursor_left(&cursor) > 0 && !cursor.failed) {
        str type = read_text(&cursor);
        if (!cursor.failed && profile_is_order_type(type))
            add_type(list, type);
    }
    if (list->size == 0)
        buffer_append_str(list, STR("''"));
    buffer_deinit(&answer);
    return error != ERR_OK ? error : buffer_status(list);
}

/* Room for all keys at once: growing while they stream in would move each of them several times. */
static err reserve_message_keys(struct engine *engine, int64_t oldest_ms, struct problem *problem)
{
    struct buffer answer;
    char sql[160];
    buffer_init(&answer, 1024);
    snprintf(sql, sizeof sql,
             "SELECT count() FROM events WHERE received_ms >= %lld AND source < %u "
             "FORMAT RowBinary",
             (long long)oldest_ms, EVENT_SOURCE_IMPORT_FIRST);
    err error = warehouse_query(engine->warehouse, str_from_c(sql), NULL, 0, 60 * SECOND_MS,
                                &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    uint64_t count = error == ERR_OK ? read_u64(&cursor) : 0;
    buffer_deinit(&answer);
    return error != ERR_OK ? error : dedupe_reserve(&engine->dedupe, count, engine->now_ms);
}

/* All events that count, of whomever. */
static err take_count(void *context, struct cursor *cursor)
{
    struct engine *engine = context;
    uint64_t count = read_u64(cursor);
    if (!cursor->failed)
        atomic_store(&engine->events, count);
    return ERR_OK;
}

static err count_events(struct engine *engine, str kept, struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, (size_t)12 << 20);
    buffer_printf(&sql, "SELECT count() FROM events_kept WHERE seq <= %llu%.*s FORMAT RowBinary%c",
                  (unsigned long long)atomic_load(&engine->flushed_seq), STR_ARG(kept), '\0');
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error =
            rows_stream(engine->warehouse, "events_counted", sql.data, take_count, engine, problem);
    buffer_deinit(&sql);
    return error;
}

static err load_derived(struct engine *engine, struct problem *problem)
{
    struct buffer types, sql, kept;
    buffer_init(&types, (size_t)1 << 20);
    buffer_init(&kept, (size_t)8 << 20);
    jobs_write_kept(&engine->jobs, &kept);
    erasures_write_kept(&engine->erasures, &kept);
    buffer_init(&sql, (size_t)12 << 20);
    unsigned long long flushed = atomic_load(&engine->flushed_seq);
    int64_t oldest_ms = dedupe_window_start_ms(&engine->dedupe, engine->now_ms);
    err error = packed_load_sums(engine);
    if (error == ERR_OK)
        error = count_events(engine, buffer_str(&kept), problem);
    packed_write_condition(engine, PACK_SUMS, &kept);
    if (error == ERR_OK)
        error = order_types(engine, &types, problem);
    if (error == ERR_OK) {
        struct counting counting = { .engine = engine };
        buffer_printf(&sql,
                      "SELECT customer, seq, time_ms FROM events_kept "
                      "WHERE seq <= %llu AND type NOT IN (%.*s)%.*s FORMAT RowBinary%c",
                      flushed, STR_ARG(buffer_str(&types)), STR_ARG(buffer_str(&kept)), '\0');
        error = rows_stream(engine->warehouse, "counts_loaded", sql.data, take_counts, &counting,
                            problem);
        if (error == ERR_OK)
            error = count_out(&counting);
    }
    if (error == ERR_OK) {
        buffer_clear(&sql);
        buffer_printf(&sql,
                      "SELECT customer, seq, time_ms, toString(type), order_id, "
                      "toString(currency), revenue, total FROM events_kept "
                      "WHERE seq <= %llu AND type IN (%.*s)%.*s FORMAT RowBinary%c",
                      flushed, STR_ARG(buffer_str(&types)), STR_ARG(buffer_str(&kept)), '\0');
        error =
            rows_stream(engine->warehouse, "orders_loaded", sql.data, take_order, engine, problem);
    }
    if (error == ERR_OK) {
        buffer_clear(&sql);
        buffer_printf(&sql,
                      "SELECT reinterpretAsUInt64(substring(message_key, 1, 8)), "
                      "toUInt32(intDiv(received_ms, %lld)) FROM events "
                      "WHERE seq <= %llu AND received_ms >= %lld AND source < %u "
                      "FORMAT RowBinary%c",
                      (long long)HOUR_MS, flushed, (long long)oldest_ms, EVENT_SOURCE_IMPORT_FIRST,
                      '\0');
        error = reserve_message_keys(engine, oldest_ms, problem);
    }
    if (error == ERR_OK)
        error = rows_stream(engine->warehouse, "message_keys_loaded", sql.data, take_message_key,
                            engine, problem);
    buffer_deinit(&types);
    buffer_deinit(&sql);
    buffer_deinit(&kept);
    return error;
}

/* When identifiers were last seen, beside the histories: rows of identity, which nobody else looks at meanwhile. */
struct seen_loading {
    pthread_t thread;
    bool thread_runs;
    struct engine *engine;
    struct buffer sql;
    err error;
    struct problem problem;
};

static void *stream_last_seen(void *context)
{
    struct seen_loading *loading = context;
    loading->error = rows_stream(loading->engine->warehouse, "last_seen_loaded", loading->sql.data,
                                 take_last_seen, loading->engine, &loading->problem);
    return NULL;
}

static err begin_last_seen(struct seen_loading *loading, struct problem *problem)
{
    struct engine *engine = loading->engine;
    err error = packed_load_seen(engine);
    buffer_printf(&loading->sql, "SELECT identifiers, time_ms FROM events WHERE seq <= %llu",
                  (unsigned long long)atomic_load(&engine->flushed_seq));
    packed_write_condition(engine, PACK_SEEN, &loading->sql);
    buffer_printf(&loading->sql, " FORMAT RowBinary%c", '\0');
    if (error == ERR_OK)
        error = buffer_status(&loading->sql);
    if (error == ERR_OK && pthread_create(&loading->thread, NULL, stream_last_seen, loading) != 0)
        error = problem_set(problem, ERR_NOMEM, "no thread could be started");
    loading->thread_runs = error == ERR_OK;
    return error;
}

static err end_last_seen(struct seen_loading *loading, struct problem *problem)
{
    if (!loading->thread_runs)
        return ERR_OK;
    pthread_join(loading->thread, NULL);
    if (loading->error != ERR_OK)
        *problem = loading->problem;
    return loading->error;
}

/* What the events tell of identifiers, and the histories. */
static err load_seen_and_histories(struct engine *engine, struct problem *problem)
{
    struct seen_loading seen = { .engine = engine };
    struct problem seen_problem = { .error = ERR_OK };
    err error = ERR_OK;
    buffer_init(&seen.sql, 4096);
    if (engine->warehouse != NULL && atomic_load(&engine->flushed_seq) > 0)
        error = begin_last_seen(&seen, problem);
    if (error == ERR_OK)
        error = remember_load(engine, problem);
    err seen_error = end_last_seen(&seen, &seen_problem);
    buffer_deinit(&seen.sql);
    if (error == ERR_OK && seen_error != ERR_OK)
        *problem = seen_problem;
    return error == ERR_OK ? seen_error : error;
}

err apply_ask_warehouse(struct engine *engine, const uint8_t message_key[16], int64_t since_ms,
                        bool *seen, struct problem *problem)
{
    char sql[256], hex[33];
    for (int index = 0; index < 16; index++)
        snprintf(hex + index * 2, 3, "%02X", message_key[index]);
    snprintf(sql, sizeof sql,
             "SELECT count() FROM events WHERE message_key = unhex('%s') AND received_ms >= %lld "
             "FORMAT RowBinary",
             hex, (long long)since_ms);
    while (engine->warehouse != NULL && !atomic_load(&engine->stopping)) {
        struct buffer answer;
        buffer_init(&answer, 1024);
        err error = warehouse_query(engine->warehouse, str_from_c(sql), NULL, 0, 60 * SECOND_MS,
                                    &answer, problem);
        struct cursor cursor = cursor_over(buffer_str(&answer));
        *seen = error == ERR_OK && read_u64(&cursor) > 0;
        buffer_deinit(&answer);
        if (error == ERR_OK)
            return ERR_OK;
        log_line(LOG_WARN, "dedupe_ask_retry", "reason=\"%s\"", problem->detail);
        steady_sleep_ms(200);
    }
    return problem_set(problem, ERR_UNAVAILABLE,
                       "the warehouse, which remembers older message ids, cannot be asked");
}

/* ---- told state from the ledger ---- */

struct identity_loading {
    pthread_t thread;
    struct engine *engine;
    err error;
    struct problem problem;
};

static void *load_identity(void *context)
{
    struct identity_loading *loading = context;
    steady_ns start = steady_now();
    loading->error = identity_load_packed(loading->engine->identity, loading->engine->ledger,
                                          loading->engine->pack, &loading->problem);
    log_line(LOG_INFO, "identity_loaded", "identifiers=%u packed=%u ms=%lld",
             identity_row_count(loading->engine->identity),
             loading->engine->pack != NULL ? identity_pack_rows(loading->engine->pack) : 0,
             (long long)steady_since_ms(start));
    return NULL;
}

static bool last_flushed(void *context, const struct ledger_value *values)
{
    struct engine *engine = context;
    if (values[5].integer != 0 && (uint64_t)values[3].integer > atomic_load(&engine->flushed_seq))
        atomic_store(&engine->flushed_seq, (uint64_t)values[3].integer);
    return true;
}

/* Where the ledger stands; 'now' is the received time of the last applied record. */
static err load_position(struct engine *engine, struct problem *problem)
{
    engine->applied_seq = ledger_applied_seq(engine->ledger);
    atomic_store(&engine->committed_seq, engine->applied_seq);
    err error = ledger_scan(engine->ledger, LEDGER_BATCHES, NULL, last_flushed, engine, problem);
    if (error != ERR_OK || engine->applied_seq == 0)
        return error;
    struct log_block *block = NULL;
    error = log_read(engine->log, engine->applied_seq, &block, problem);
    if (error != ERR_OK) {
        problem_hint(
            problem, error,
            "the ledger (ledger.db, or what --ledger names) and log.db of the data folder do "
            "not belong together; restore both from one backup");
        return error;
    }
    engine->now_ms = block->received_ms;
    log_block_release(&block);
    return ERR_OK;
}

static err load_small(struct engine *engine, struct problem *problem)
{
    err error = access_load(&engine->access, engine->keys, engine->ledger, problem);
    if (error == ERR_OK)
        error = idempotency_load(&engine->idempotency, engine->ledger, problem);
    if (error == ERR_OK)
        error = quarantine_load(&engine->quarantine, engine->ledger, &engine->dedupe,
                                engine->now_ms, problem);
    if (error == ERR_OK)
        error = plan_load(engine->plan, engine->ledger, problem);
    if (error == ERR_OK)
        error = jobs_load(&engine->jobs, engine->ledger, problem);
    if (error == ERR_OK)
        error = expiry_load(&engine->jobs.expiry, engine->ledger, problem);
    if (error == ERR_OK)
        error = erasures_load(&engine->erasures, engine->ledger, problem);
    if (error == ERR_OK)
        error = jobs_start(engine, problem);
    if (error == ERR_OK)
        engine_publish_sources(engine);
    return error;
}

/* Identity on one core, everything else on the other: they share nothing. */
err start_load(struct engine *engine, struct problem *problem)
{
    steady_ns start = steady_now();
    err error = load_position(engine, problem);
    if (error != ERR_OK)
        return error;
    packed_begin(engine);
    error = visitors_load(engine, problem);
    if (error != ERR_OK)
        return error;
    struct identity_loading identity = { .engine = engine };
    if (pthread_create(&identity.thread, NULL, load_identity, &identity) != 0)
        return problem_set(problem, ERR_NOMEM, "no thread could be started");
    /* It starts while identifiers are read. */
    if (engine->warehouse != NULL)
        error = warehouse_wait(engine->warehouse, 60 * SECOND_MS, problem);
    if (error == ERR_OK)
        error = load_small(engine, problem);
    steady_ns profile_start = steady_now();
    if (error == ERR_OK)
        error = profile_load(engine->profile, engine->ledger, problem);
    log_line(LOG_INFO, "profile_loaded", "ms=%lld", (long long)steady_since_ms(profile_start));
    if (error == ERR_OK && engine->warehouse != NULL && atomic_load(&engine->flushed_seq) > 0)
        error = load_derived(engine, problem);
    pthread_join(identity.thread, NULL);
    visitors_loaded(engine);
    if (error == ERR_OK && identity.error != ERR_OK) {
        *problem = identity.problem;
        error = identity.error;
    }
    if (error == ERR_OK)
        error = act_load(engine, problem);
    if (error == ERR_OK)
        error = follow_load(engine, problem);
    if (error == ERR_OK)
        error = move_load(engine, problem);
    if (error == ERR_OK)
        error = news_load(engine, problem);
    if (error == ERR_OK)
        error = load_seen_and_histories(engine, problem);
    if (error == ERR_OK)
        log_line(LOG_INFO, "state_loaded", "applied_seq=%llu flushed_seq=%llu ms=%lld",
                 (unsigned long long)engine->applied_seq,
                 (unsigned long long)atomic_load(&engine->flushed_seq),
                 (long long)steady_since_ms(start));
    return error;
}

/* ---- the applied part of the log that the warehouse may not have ---- */

struct stored_outcomes {
    struct engine *engine;
    struct buffer bytes; /* of all records after flushed_seq, in order */
    uint64_t next_seq;   /* of the next record to come */
    err error;
};

/* Rows are in the order of their first seq and without gaps; what is flushed is stepped over. */
static bool take_outcomes(void *context, const struct ledger_value *values)
{
    struct stored_outcomes *stored = context;
    uint64_t seq = (uint64_t)values[0].integer, end = seq + (uint64_t)values[1].integer;
    if (end <= stored->next_seq)
        return true;
    if (seq > stored->next_seq) {
        stored->error = ERR_CORRUPT;
        return false;
    }
    struct cursor cursor = cursor_over(values[2].bytes);
    for (; seq < stored->next_seq && stored->error == ERR_OK; seq++) {
        struct outcome skipped;
        stored->error = outcome_read(&cursor, &skipped);
    }
    buffer_append(&stored->bytes, cursor.next, cursor_left(&cursor));
    stored->next_seq = end;
    if (stored->engine->flusher != NULL)
        flusher_note_outcomes(stored->engine->flusher, (uint64_t)values[0].integer, end - 1);
    return stored->error == ERR_OK;
}

static err observe_record(struct engine *engine, const struct log_record *record,
                          const struct outcome *outcome, int64_t received_ms)
{
    struct event event;
    if (outcome->fate == FATE_DUPLICATE || outcome->fate == FATE_UNKNOWN)
        return ERR_OK; /* what was refused for an erased customer counts as seen, as it did */
    arena_reset(&engine->chunk_arena);
    if (event_decode(record->body, &engine->chunk_arena, &event, NULL) != ERR_OK)
        return ERR_OK; /* it went to quarantine undecoded */
    event.seq = record->seq;
    event.received_ms = received_ms;
    err error = ERR_OK;
    if ((event.flags & EVENT_IMPORTED) == 0)
        error =
            dedupe_put(&engine->dedupe, dedupe_key(event.message_key), received_ms, engine->now_ms);
    if (error != ERR_OK || outcome->fate != FATE_APPLIED)
        return error;
    /* Since then she was erased, or the import was undone that had brought her. */
    if (outcome->node != 0 && identity_is_gone(engine->identity, outcome->node) &&
        !identity_has_left(engine->identity, outcome->node))
        return ERR_OK;
    atomic_fetch_add_explicit(&engine->events, 1, memory_order_relaxed);
    return apply_observe_again(engine, &event, outcome);
}

/* The records of `block` that are applied; their outcomes leave `cursor`. */
static err observe_block(struct engine *engine, struct log_block *block, struct cursor *cursor)
{
    struct log_cursor records = { .block = block };
    struct log_record record;
    while (log_block_next(&records, &record) && record.seq <= engine->applied_seq) {
        struct outcome outcome;
        err error = outcome_read(cursor, &outcome);
        if (error == ERR_OK)
            error = observe_record(engine, &record, &outcome, block->received_ms);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

static err restore_block(struct engine *engine, uint64_t seq, struct cursor *cursor,
                         uint64_t *next_seq, struct problem *problem)
{
    struct log_block *block = NULL;
    err error = log_read(engine->log, seq, &block, problem);
    if (error != ERR_OK)
        return error;
    const uint8_t *before = cursor->next;
    error = observe_block(engine, block, cursor);
    str outcomes = str_from_bytes(before, (size_t)(cursor->next - before));
    *next_seq = block->first_seq + block->count;
    if (error == ERR_OK && *next_seq <= engine->applied_seq + 1) {
        struct applied_block *applied = NULL;
        error = applied_block_new(block, outcomes, &applied);
        if (error == ERR_OK) {
            if (engine->flusher != NULL)
                flusher_give(engine->flusher, applied);
            tail_add(&engine->tail, applied);
        }
    } else if (error == ERR_OK) {
        /* Applied up to a barrier: the engine goes on in the middle of this block. */
        buffer_append_str(&engine->block_outcomes, outcomes);
        engine->block_outcomes_taken = outcomes.size;
    }
    log_block_release(&block);
    return error;
}

err start_tail(struct engine *engine, struct problem *problem)
{
    uint64_t flushed = atomic_load(&engine->flushed_seq);
    engine->tail.flushed_seq = flushed;
    if (engine->config.replay_only || flushed >= engine->applied_seq)
        return ERR_OK;
    struct stored_outcomes stored = { .engine = engine, .next_seq = flushed + 1 };
    buffer_init(&stored.bytes, (size_t)4 << 30);
    err error = ledger_scan(engine->ledger, LEDGER_OUTCOMES, NULL, take_outcomes, &stored, problem);
    if (error == ERR_OK)
        error = stored.error != ERR_OK ? stored.error : buffer_status(&stored.bytes);
    if (error == ERR_OK && stored.next_seq != engine->applied_seq + 1)
        error = ERR_CORRUPT;
    if (error == ERR_CORRUPT)
        problem_set(problem, ERR_CORRUPT,
                    "the ledger lacks outcomes of records %llu to %llu, which are not flushed",
                    (unsigned long long)stored.next_seq, (unsigned long long)engine->applied_seq);
    struct cursor cursor = cursor_over(buffer_str(&stored.bytes));
    for (uint64_t seq = flushed + 1; error == ERR_OK && seq <= engine->applied_seq;)
        error = restore_block(engine, seq, &cursor, &seq, problem);
    buffer_deinit(&stored.bytes);
    return error;
}
