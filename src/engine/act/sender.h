/* SPDX-License-Identifier: Apache-2.0 */
/* sender: a server that sends and does nothing else (--role send). Private to engine/.
 *
 *     outbox ─ accounts that are ours, rows of them ─▶ channels ─▶ provider ─▶ what came of it ─▶ outbox
 *
 * Invariants
 *   S1 nothing leaves but by a row that is ours, of an account that is ours, neither stopped nor of an epoch that is over, as was seen
 *      within OUTBOX_FRESH_MS: asked right before each try (may_leave).
 *   S2 what another sender had before it fell silent is repeated: asked for, or sent by its key, or uncertain, as after any crash.
 *   S3 senders share accounts evenly; one that has too many lets go of those of which nothing is under way.
 *
 * It knows no customers and judges nothing: gates are passed where the message was claimed. It keeps nothing.
 */
#ifndef KITH_ENGINE_SENDER_H
#define KITH_ENGINE_SENDER_H

#include <stdint.h>

#include "base/error.h"

struct engine;
struct sender_server;

err sender_start(struct engine *engine, struct problem *problem) MUST_USE;
/* What is under way gets `timeout_ms`, and is told; accounts are another's then. */
void sender_stop(struct engine *engine, int64_t timeout_ms);

#endif
