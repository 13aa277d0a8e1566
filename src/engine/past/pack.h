/* SPDX-License-Identifier: Apache-2.0 */
/* pack: what is derived from events is kept in `history.pack` as it was a while ago, so that a start asks the warehouse
 * only for what came since. Private to engine/.
 *
 *     a round, every --pack-seconds: each block of customers that has changed ─▶ a question of half a millisecond
 *         captures some (history_capture, profile_sums_write) ─▶ this thread packs and puts them ─▶ packs_commit
 *     all of them looked at ─▶ the round's seq: whatever had not changed was still true then
 *     start ─▶ pieces that count ─▶ the warehouse's rows after the round, and those of blocks that do not count
 *
 * A round is spread over half of its time, unless much has come (pack_pace.h).
 *
 * What takes back something that a pack may have (an erasure, an undone import, a visitor who is back) spoils its block: a
 * row of the ledger in the same commit says from which seq on (store/packs.h, P3). So a start with packs comes to the same as one
 * without (H4).
 *
 * Thread: one of its own; the functions say whose they are.
 */
#ifndef KITH_ENGINE_PACK_H
#define KITH_ENGINE_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/packs.h"

struct engine;
struct packing;

err packing_new(struct engine *engine) MUST_USE;
void packing_free(struct engine *engine);
/* Before anything is loaded. A file that cannot be used is told, and done without. */
void packing_open(struct engine *engine);

/* ---- at start ---- */

/* The position is loaded. Before anything is flushed, all comes from the log, and the pieces are left where they are. */
void packed_begin(struct engine *engine);
/* Everything of this piece up to the seq that is returned is known already; 0: nothing. For EVENTS and SUMS of a node. */
uint64_t packed_until(const struct engine *engine, enum pack_kind kind, uint32_t node);
/* Into profile, and history between its load_begin and its rows: what the pieces have. */
err packed_load_sums(struct engine *engine) MUST_USE;
err packed_load_seen(struct engine *engine) MUST_USE;
err packed_load_events(struct engine *engine) MUST_USE;
/* The columns are as they shall be. */
void packed_loaded(struct engine *engine);
/* " AND …": only rows of `events` that no piece of this kind has; nothing when all of them are asked for. Others
 * may come too: packed_until tells. */
void packed_write_condition(const struct engine *engine, enum pack_kind kind, struct buffer *sql);

/* ---- running ---- */

err packing_start(struct engine *engine, struct problem *problem) MUST_USE;
void packing_stop(struct engine *engine);
/* Rounds that have ended since the start. Any thread. */
uint64_t packing_rounds(const struct engine *engine);
/* Something of this node is taken back, or comes from before, by the record `seq`: inside apply. */
void packing_spoil(struct engine *engine, uint32_t node, uint64_t seq);
#endif
