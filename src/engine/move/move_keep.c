/* SPDX-License-Identifier: Apache-2.0 */
/* move_keep: what is due is run: the keeper appends journey.run while there is more (M3), and the virtual clock goes from due moment
 * to due moment; see move.h. */
#include "engine/move/move_inside.h"

#define STEP_MS HOUR_MS /* of the virtual clock, at most */

/* ---- the keeper ---- */

void move_ran(struct engine *engine)
{
    atomic_store(&engine->move->is_asked, false);
}

static bool is_due(const struct engine *engine)
{
    return journey_next_due_ms(engine->move->journeys) <= wall_clock_now_ms(engine->config.clock);
}

static err append_run(struct engine *engine)
{
    struct buffer records;
    buffer_init(&records, 4096);
    engine_command_write(&records, STR("journey.run"), STR("{}"));
    err error = buffer_status(&records);
    atomic_store(&engine->move->is_asked, true);
    if (error == ERR_OK)
        error = engine_append_wait(engine, buffer_str(&records), 1);
    if (error != ERR_OK)
        atomic_store(&engine->move->is_asked, false);
    buffer_deinit(&records);
    return error;
}

void move_keep(struct engine *engine, int64_t budget_ms)
{
    steady_ns start = steady_now();
    while (!atomic_load(&engine->stopping) && steady_since_ms(start) < budget_ms) {
        if (!atomic_load(&engine->move->is_asked)) {
            if (!is_due(engine) || append_run(engine) != ERR_OK)
                return;
        }
        steady_sleep_ms(1);
    }
}

/* ---- the virtual clock ---- */

static err wait_until_run(struct engine *engine)
{
    err error = ERR_OK;
    do {
        if (is_due(engine) && !atomic_load(&engine->move->is_asked))
            error = append_run(engine);
        while (error == ERR_OK && atomic_load(&engine->move->is_asked)) {
            if (atomic_load(&engine->stopping) || engine->failing[0] != '\0')
                return ERR_UNAVAILABLE;
            steady_sleep_ms(1);
        }
        if (error == ERR_OK)
            error = engine_settle(engine, false, -1);
    } while (error == ERR_OK && is_due(engine));
    return error;
}

/* The audience has judged whoever this tick made due: another tick can tell of it. */
static void ask_settled(const struct engine_state *state, struct engine_question *question)
{
    err *error = question->context;
    *error = audience_settle(state->audience, state->now_ms);
}

static err settle_audience(struct engine *engine)
{
    err answer = ERR_OK;
    struct engine_question question = { .ask = ask_settled, .context = &answer };
    err error = engine_ask_wait(engine, &question);
    return error == ERR_OK ? answer : error;
}

static int64_t next_step_ms(const struct engine *engine, int64_t now_ms, int64_t to_ms)
{
    int64_t longest_ms = (to_ms - now_ms) / 200 > STEP_MS ? (to_ms - now_ms) / 200 : STEP_MS;
    int64_t next_ms = now_ms + longest_ms < to_ms ? now_ms + longest_ms : to_ms;
    int64_t due_ms = journey_next_due_ms(engine->move->journeys);
    int64_t held_ms = atomic_load(&engine->act->next_due_ms);
    if (due_ms > now_ms && due_ms < next_ms)
        next_ms = due_ms;
    return held_ms > now_ms && held_ms < next_ms ? held_ms : next_ms;
}

err move_advance(struct engine *engine, int64_t by_ms)
{
    int64_t now_ms = wall_clock_now_ms(engine->config.clock), to_ms = now_ms + by_ms;
    err error = wait_until_run(engine);
    if (error != ERR_OK)
        return error;
    do {
        int64_t next_ms = next_step_ms(engine, now_ms, to_ms);
        wall_clock_advance(engine->config.clock, next_ms - now_ms);
        act_time_passed(engine);
        now_ms = next_ms;
        error = engine_tick(engine);
        if (error == ERR_OK)
            error = settle_audience(engine);
        do { /* who moved is told a portion at a time */
            if (error == ERR_OK)
                error = engine_tick(engine);
            if (error == ERR_OK)
                error = engine_settle(engine, false, -1);
        } while (error == ERR_OK && move_wants_tick(engine) != 0);
        if (error == ERR_OK)
            error = wait_until_run(engine);
    } while (error == ERR_OK && now_ms < to_ms);
    return error;
}
