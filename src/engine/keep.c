/* SPDX-License-Identifier: Apache-2.0 */
/* keep: the keeper's thread: ticks, journeys that are due, and what the log need no longer hold. */
#include "base/logline.h"
#include "base/metric.h"
#include "engine/state.h"

#define TICK_MS MINUTE_MS
#define TRIM_MS MINUTE_MS
/* A tick finishes what the one before found due, in one piece. While that is being settled in slices it is held back; who has
 * events is settled by them, up to the moment. */
#define TICK_HELD_MS_MAX (10 * MINUTE_MS)
/* Journeys that are due are run for so long before the keeper looks at its other duties. */
#define KEEP_RUN_MS 1000
/* A chunk of the pack takes 30 ms of the keeper's: a quarter of a million new identifiers a second. */
#define PACK_ROWS_LEAST 65536
#define PACK_EVERY_MS 250
#define PACK_IDLE_MS (5 * SECOND_MS)

static void trim_log(struct engine *engine)
{
    struct problem problem = { .error = ERR_OK };
    if (atomic_load(&engine->settling))
        return; /* the server's ledger needs it */
    uint64_t safe = ledger_synced_seq(engine->ledger);
    if (engine->warehouse != NULL) {
        uint64_t flushed = atomic_load(&engine->flushed_seq);
        safe = flushed < safe ? flushed : safe;
        err synced = warehouse_sync(engine->warehouse, &problem);
        if (synced != ERR_OK && synced != ERR_UNSUPPORTED)
            return; /* the next minute tries again; the log only grows */
    }
    uint64_t needed = news_needs_seq(engine);
    safe = needed < safe ? needed : safe;
    /* The block that holds `safe` stays: the next start reads its time. */
    if (log_trim(engine->log, safe, &problem) != ERR_OK)
        log_line(LOG_WARN, "log_trim_failed", "reason=\"%s\"", problem.detail);
}

/* New identifiers go into the pack a chunk at a time. Returns for how long to leave it then. */
static int64_t extend_pack(struct engine *engine)
{
    struct problem problem = { .error = ERR_OK };
    bool added = false;
    if (engine->pack == NULL ||
        atomic_load(&engine->identifiers) < identity_pack_rows(engine->pack) + PACK_ROWS_LEAST)
        return PACK_IDLE_MS;
    err error = identity_pack_extend(engine->pack, engine->ledger, &added, &problem);
    if (error != ERR_OK)
        log_line(LOG_WARN, "identity_pack_failed", "reason=\"%s\"", problem.detail);
    return added ? PACK_EVERY_MS : PACK_IDLE_MS;
}

void *engine_keep(void *context)
{
    struct engine *engine = context;
    steady_ns ticked = steady_now(), trimmed = steady_now(), packed = steady_now();
    int64_t pack_after_ms = PACK_EVERY_MS;
    uint64_t answered = 0; /* the tick that asked for another, last */
    pthread_setname_np(pthread_self(), "kith-keeper");
    while (!atomic_load(&engine->stopping)) {
        steady_sleep_ms(50);
        metric_set(METRIC_ENGINE_LAG, (int64_t)log_unread_records(engine->log));
        bool appends = !engine->config.appends_nothing;
        if (appends)
            move_keep(engine, KEEP_RUN_MS);
        bool held =
            audience_is_settling(engine->audience) && steady_since_ms(ticked) < TICK_HELD_MS_MAX;
        uint64_t left_by = move_wants_tick(engine);
        bool wanted = !held && (audience_wants_tick(engine->audience) ||
                                (left_by != 0 && left_by != answered));
        bool due = !held && !engine->config.clock->is_virtual && steady_since_ms(ticked) >= TICK_MS;
        if (appends && (wanted || due)) {
            ticked = steady_now();
            answered = left_by;
            if (engine_tick(engine) != ERR_OK)
                log_line(LOG_WARN, "tick_refused", "%s", "");
        }
        if (steady_since_ms(packed) >= pack_after_ms) {
            pack_after_ms = extend_pack(engine);
            packed = steady_now();
        }
        if (steady_since_ms(trimmed) >= TRIM_MS) {
            trimmed = steady_now();
            trim_log(engine);
        }
    }
    return NULL;
}
