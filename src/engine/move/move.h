/* SPDX-License-Identifier: Apache-2.0 */
/* move: journeys beside apply.
 *
 *     event ─▶ move_before: her due timers ─▶ … identity, profile, history, audience, touches … ─▶ move_event ─▶ move_end
 *     the audience moves somebody ─▶ of this record: move_end · by time, between records: rows, until the next tick
 *     a touch gets another status ─▶ move_end
 *     something is due ─▶ the keeper appends journey.run, and again while there is more
 *
 * Invariants
 *   M1 whatever the audience says by time alone waits for the next tick record, where all of it is handled in the order
 *      (customer, as it came): a point that does not depend on when threads had time. It is kept in JOURNEY_PENDING, in the
 *      commit that has the move itself.
 *   M2 journeys are never called from within journeys or touches: what comes up meanwhile is queued to the end of the record.
 *   M3 the keeper appends one journey.run at a time, after the one before was applied.
 *
 * Engine thread, save move_keep and move_advance.
 */
#ifndef KITH_ENGINE_MOVE_H
#define KITH_ENGINE_MOVE_H

#include "audience/audience.h"
#include "base/error.h"
#include "engine/engine.h"
#include "event/event.h"
#include "journey/journey.h"

struct move;

/* After act_new. */
err move_new(struct engine *engine) MUST_USE;
/* After the audience's definitions are there. */
err move_load(struct engine *engine, struct problem *problem) MUST_USE;
void move_free(struct engine *engine);
struct journeys *move_journeys(const struct engine *engine);

/* ---- from apply ---- */

/* Who is about to be changed by this event. */
err move_before(struct engine *engine, const struct event *event,
                const struct identity_outcome *who) MUST_USE;
/* It took effect, and was judged. */
err move_event(struct engine *engine, const struct event *event,
               const struct identity_outcome *who) MUST_USE;
/* Her nodes are others than before, by a command. */
err move_customer(struct engine *engine, uint32_t customer, uint64_t seq) MUST_USE;
/* She decided what may be done with her data. */
err move_consent_changed(struct engine *engine, uint32_t customer, uint64_t seq) MUST_USE;
err move_all(struct engine *engine, uint64_t seq) MUST_USE;
/* A record begins: what the audience moves from now on, save by time, belongs to it. */
void move_begin(struct engine *engine);
/* What came up in this record. */
err move_end(struct engine *engine, uint64_t seq) MUST_USE;
err move_tick(struct engine *engine, uint64_t seq) MUST_USE;
/* The last tick did not tell of everybody who moved by time, another is wanted soon: its number, from 1, or 0. Any thread. */
uint64_t move_wants_tick(const struct engine *engine);
/* With each group. */
void move_commit(struct engine *engine, struct ledger_writes *writes);
/* What the audience asks of journeys (audience_config). */
bool move_has_journey(void *context, str key);
void move_visit_journeys(void *context, void (*offer)(void *offered, str key), void *offered);
int64_t move_journey_since(void *context, str key, uint32_t customer);
/* The audience moved somebody (audience_config.moved). */
void move_heard(struct engine *engine, const struct audience_move *moved);
/* Files of this source, or a person, say that it has told everything up to here. */
err move_watermark(struct engine *engine, str source, int64_t time_ms) MUST_USE;
/* Events of this import are of this source. */
err move_import(struct engine *engine, uint32_t number, str source) MUST_USE;
/* Before it is put: UNPROCESSABLE for what cannot be. */
err move_setting_check(str key, json_value value, struct problem *problem) MUST_USE;
/* A setting was put: workspace.zone (after act_setting_changed); journeys.late_event, the age beyond which an event starts
 * nothing. */
err move_setting_changed(struct engine *engine, str key, json_value value, uint64_t seq) MUST_USE;
/* A journey.run was applied. */
void move_ran(struct engine *engine);

/* ---- any thread ---- */

/* The keeper: what is due is run, for about `budget_ms`. */
void move_keep(struct engine *engine, int64_t budget_ms);
/* The virtual clock goes on by this, from due moment to due moment; what was due is applied when it returns. */
err move_advance(struct engine *engine, int64_t by_ms) MUST_USE;

#endif
