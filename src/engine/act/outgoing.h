/* SPDX-License-Identifier: Apache-2.0 */
/* outgoing: messages that other servers send (kith serve --senders), on the side of who holds the lease. Private to engine/.
 *
 *     sender's thread ─ touch.claim ─▶ outgoing_put ─▶ outbox ─▶ a server with --role send (sender.h) ─▶ provider
 *     this thread     ◀─ results ── outbox;  touch.results and its events, one append;  then the row goes
 *     this thread     ── what was stopped ─▶ outbox, within STOP_EVERY_MS
 *
 * Invariants
 *   G1 gates are passed here, by touch.claim, before anything is put; a row is put after the commit of its claim (T1).
 *   G2 a result is removed after it is durable in the log: told twice it counts once, as every result does.
 *   G3 who takes the lease looks first: what is in the outbox is under way, and touch.recover leaves it alone.
 */
#ifndef KITH_ENGINE_OUTGOING_H
#define KITH_ENGINE_OUTGOING_H

#include "base/buffer.h"
#include "engine/act/act_inside.h"

struct outgoing;

/* With --senders. Threads begin with outgoing_begin. UNAVAILABLE while the log's server is away. */
err outgoing_new(struct outgoing **outgoing, struct act *act, struct problem *problem) MUST_USE;
err outgoing_begin(struct outgoing *outgoing, struct problem *problem) MUST_USE;
/* No more is put or told from here on: the act's own threads can be joined. */
void outgoing_stop(struct outgoing *outgoing);
void outgoing_free(struct outgoing **outgoing);

/* ---- the sender's thread ---- */

/* Without --senders, on a log on a server: what an earlier life handed out is taken back, before touch.recover. */
void outgoing_take_back(struct act *act);
/* The body of touch.recover; then what it left alone is ours. */
void outgoing_write_recover(struct outgoing *outgoing, struct buffer *body);
void outgoing_adopt(struct outgoing *outgoing);
/* All accounts that leave the house, as touch_write_accounts has them. */
void outgoing_accounts(struct outgoing *outgoing, json_value accounts);
/* So many of this account went on the day that begins then. */
void outgoing_used(struct outgoing *outgoing, str account, int64_t day_start_ms, int64_t count);
size_t outgoing_room(struct outgoing *outgoing, str account);
/* Waits until the outbox has them, as long as the lease is ours and the engine goes on. */
void outgoing_put(struct outgoing *outgoing, const struct channel_message *messages, size_t count);

#endif
