/* SPDX-License-Identifier: Apache-2.0 */
/* follow: the audience (src/audience) beside apply: tags and segments move with the record that moves them.
 *
 *     identity_resolve ─▶ follow_before ─▶ profile, history ─▶ follow_event
 *     commands that change customers ─▶ follow_customer, follow_all
 *     a tick ─▶ follow_tick;  between groups ─▶ follow_work;  with each group ─▶ audience_commit
 *
 * Engine thread, save that the audience's own threads append the command `audience.install` when they
 * have judged everybody.
 */
#ifndef KITH_ENGINE_FOLLOW_H
#define KITH_ENGINE_FOLLOW_H

#include "audience/audience.h"
#include "base/error.h"
#include "event/event.h"

struct engine;

/* After history, identity, profile and plan are there, empty. */
err follow_new(struct engine *engine) MUST_USE;
/* Definitions and memberships; columns that they need are begun. At start, before remember_load. */
err follow_load(struct engine *engine, struct problem *problem) MUST_USE;
/* At start, when history has everything. */
err follow_start(struct engine *engine, struct problem *problem) MUST_USE;
/* Ends its threads; before the log is closed. */
void follow_stop(struct engine *engine);
/* Results of scans are submitted from here on. While the engine's thread is paused. */
void follow_submits(struct engine *engine);

/* A block begins. */
err follow_block(struct engine *engine, uint64_t first_seq) MUST_USE;
/* Who is about to be changed by this event. */
err follow_before(struct engine *engine, const struct event *event,
                  const struct identity_outcome *who) MUST_USE;
/* It is remembered. `who` has node 0 where the event is about an object alone. */
err follow_event(struct engine *engine, const struct event *event,
                 const struct identity_outcome *who) MUST_USE;
/* Something about this customer changed by a command. */
err follow_customer(struct engine *engine, uint32_t customer, uint64_t seq) MUST_USE;
err follow_all(struct engine *engine, uint64_t seq) MUST_USE;
err follow_tick(struct engine *engine, uint64_t seq) MUST_USE;
/* Some work between groups; true while there is more. */
bool follow_work(struct engine *engine);

#endif
