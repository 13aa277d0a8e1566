/* SPDX-License-Identifier: Apache-2.0 */
/* past: rows of history that memory does not hold, read back from where all of it is.
 *
 *     seq <= F  the warehouse (F: flushed), less what was taken back
 *     F < seq   the tail; without a warehouse it has everything
 *
 * Two askers. Threads that judge everybody (previews, new definitions) name the seq up to which they ask, wait until
 * the warehouse has it, and take its rows alone. The engine asks as of now, inside apply, when a live definition
 * needs what is not in memory: it waits for one query, since a decision that waits would be no function of the log.
 * When the warehouse does not answer it waits on, as for a message key that left RAM (apply_ask_warehouse).
 *
 * What was taken back since the start is remembered here: the warehouse hears of it a little later. */
#ifndef KITH_ENGINE_PAST_H
#define KITH_ENGINE_PAST_H

#include "audience/audience.h"
#include "base/error.h"

struct engine;
struct past;

err past_new(struct past **past) MUST_USE;
void past_free(struct past **past);
/* audience_config.past: `context` is the engine. Any thread; with until_seq AUDIENCE_PAST_NOW its own. */
err past_read(void *context, const struct audience_past *asked, struct problem *problem) MUST_USE;
/* audience_config.applied_seq. Engine thread. */
uint64_t past_applied_seq(void *context);
/* Taken back from history. Engine thread. */
err past_retracted(struct past *past, uint64_t seq) MUST_USE;

#endif
