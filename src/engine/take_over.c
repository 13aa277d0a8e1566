/* SPDX-License-Identifier: Apache-2.0 */
/* take_over: who followed goes on as the one that writes, with all that it has in memory.
 *
 *     pause ─▶ the log is ours ─▶ flusher ─▶ begin: the rest of the log ─▶ timers, sends ─▶ (aside) the server's ledger
 *
 * A follower has applied the same records, and its ledger, a file of its own, is the state at its own applied_seq. Nothing is
 * loaded: what is left is the end of the log. The ledger on the server stands where the old one left it. Both are whole, and the
 * log is kept from there on, so a crash at any moment is a start like any other; the file goes on as the ledger until the server's
 * has been made the same (settle.c). */
#include "base/logline.h"
#include "engine/card.h"
#include "engine/state.h"

static bool note_outcomes(void *context, const struct ledger_value *values)
{
    struct engine *engine = context;
    uint64_t first_seq = (uint64_t)values[0].integer;
    flusher_note_outcomes(engine->flusher, first_seq, first_seq + (uint64_t)values[1].integer - 1);
    return true;
}

/* What the old one may not have flushed is in the tail, and its outcomes in our ledger. */
static err begin_flushing(struct engine *engine, struct problem *problem)
{
    tail_advance(&engine->tail, atomic_load(&engine->flushed_seq));
    err error = flusher_start(&engine->flusher, engine, FLUSHER_ASKS_ASIDE, problem);
    if (error == ERR_OK)
        error = ledger_scan_some(engine->ledger, LEDGER_OUTCOMES, "first_seq count", NULL,
                                 note_outcomes, engine, problem);
    for (struct applied_block *applied = engine->tail.first; error == ERR_OK && applied != NULL;
         applied = applied->next)
        flusher_give(engine->flusher, applied);
    return error;
}

static err take_log(struct engine *engine, struct problem *problem)
{
    struct log_names names;
    struct log_config config;
    err error = engine_log_config(engine, &names, &config, problem);
    return error == ERR_OK ? log_take_over(engine->log, &config, problem) : error;
}

/* All of it is the caller's: the engine's thread is paused, and nobody asks. */
static err become_active(struct engine *engine, struct problem *problem)
{
    err error = ledger_drain(engine->ledger);
    if (error != ERR_OK)
        return problem_set(problem, error, "the ledger of this server does not commit: %s",
                           err_title(error));
    error = take_log(engine, problem);
    standby_close(engine);
    if (error == ERR_OK && engine->warehouse != NULL)
        error = begin_flushing(engine, problem);
    follow_submits(engine);
    return error;
}

err engine_take_over(struct engine *engine, const struct engine_config *config,
                     struct problem *problem)
{
    steady_ns start = steady_now();
    INVARIANT(engine->config.follows && engine->standby != NULL && !config->follows);
    engine_pause(engine);
    card_become(engine, config);
    engine->config.appends_nothing = config->appends_nothing;
    atomic_store(&engine->settling, true);
    err error = become_active(engine, problem);
    if (error == ERR_OK)
        error = engine_begin(engine, problem);
    if (error == ERR_OK)
        error = engine_begin_keeping(engine, problem);
    if (error == ERR_OK)
        error = engine_settle(engine, false, -1);
    if (error == ERR_OK)
        error = act_start(engine, problem);
    if (error == ERR_OK)
        error = settle_start(engine, problem);
    if (error == ERR_OK)
        log_line(LOG_INFO, "taken_over", "applied_seq=%llu ms=%lld",
                 (unsigned long long)atomic_load(&engine->applied_seq_shown),
                 (long long)steady_since_ms(start));
    return error;
}
