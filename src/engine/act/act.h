/* SPDX-License-Identifier: Apache-2.0 */
/* act: touches beside apply, and the threads that send.
 *
 *     apply ─▶ touch_request … ─▶ ready ─▶ sender ─ touch.claim ─▶ (commit) ─▶ channels_send ─▶ provider
 *                                                                                  │
 *     apply ◀─ touch.results and the events of it, in one append ◀─ teller ◀───────┘
 *
 * Invariants
 *   T1 a message is handed to a channel only after the commit of the claim that made it `sending` (U2): engine_command
 *      returns after it.
 *   T2 a result and the events that tell of it (RULE_TOUCH_EVENT and names of docs/touches.md) are one append: both are, or
 *      neither. Message keys of the events are made of touch and status: told twice, they count once.
 *   T3 what was `sending` when a server died is looked at before the first claim of the next one (touch.recover).
 *   T4 recipients and secrets are in clear only between the ledger and the channel, on the sender's thread.
 *
 * Threads: functions of apply by the engine's thread; the rest says its own.
 */
#ifndef KITH_ENGINE_ACT_H
#define KITH_ENGINE_ACT_H

#include "base/error.h"
#include "channel/channel.h"
#include "engine/engine.h"
#include "event/event.h"
#include "touch/touch.h"

struct act;

/* ---- life; engine.c and start.c ---- */

err act_new(struct engine *engine) MUST_USE;
err act_load(struct engine *engine, struct problem *problem) MUST_USE;
/* Channels and threads; after the engine's thread runs. */
err act_start(struct engine *engine, struct problem *problem) MUST_USE;
/* No more claims; what is under way is told, as far as it answers within `timeout_ms`. While the engine still applies. */
void act_stop(struct engine *engine, int64_t timeout_ms);
void act_free(struct engine *engine);

/* ---- from apply ---- */

/* After the event took effect and was judged. */
err act_event(struct engine *engine, const struct event *event,
              const struct identity_outcome *who) MUST_USE;
/* Something about her changed by a command. */
err act_customer(struct engine *engine, uint32_t customer, uint64_t seq) MUST_USE;
err act_tick(struct engine *engine, uint64_t seq) MUST_USE;
/* The virtual clock was moved. Any thread. */
void act_time_passed(struct engine *engine);
/* After a group: what is due next is shown to the sender. */
void act_show(struct engine *engine);

/* A setting was put (inside apply): workspace.zone says where days begin. */
void act_setting_changed(struct engine *engine, str key, json_value value);
/* The workspace's zone by its name; there until the next setting. */
str act_zone(const struct engine *engine);
/* Who is told of every change of a journey's touch (engine/move/move.c); before the first record. */
void act_on_moved(struct engine *engine,
                  err (*moved)(struct engine *engine, const struct touch_change *change,
                               struct touch_moment moment, struct ledger_writes *writes));
/* Before receipts of a callback are taken: some name what the provider calls a message, and its own answer, which says so, may not have
 * been read yet. Waits for it, at most 4 s, while something is under way; a few callbacks at a time. A worker's thread. */
void act_await_answers(struct engine *engine, str account, str receipts);
struct touches *act_touches(const struct engine *engine);
/* The live world: consent, recipients, values for templates. Borrowed; `context` is the engine. */
const struct touch_world *act_world(struct engine *engine);
/* A value of hers as templates and journeys name it ("customer.city", "tag.skin_type", "one_id"); texts stay until
 * act_values_reset. */
void act_value(struct engine *engine, uint32_t customer, str path, struct template_value *value);
void act_values_reset(struct engine *engine);

#endif
