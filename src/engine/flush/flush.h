/* SPDX-License-Identifier: Apache-2.0 */
/* flush: applied blocks become rows of the warehouse, exactly once, whatever dies in between.
 *
 * One thread. A batch is inserted as one block, safe on disk when the insert answers, and marked done; only
 * then do its outcomes leave the ledger and its blocks the tail:
 *
 *     gather (next_batch) ─▶ insert (insert_batch) ─▶ aliases ─▶ done (mark_done)
 *                               ▲        │ failed or unknown
 *                               └────────┘ stop it, ask which seq are there, insert what is missing
 *
 * One INSERT is not atomic beyond a block and its answer can be lost, so after any failure, and at
 * start, the seq that are there are asked for before anything is inserted. Rows are a function of log
 * and outcomes; it does not matter who makes them again.
 *
 * Threads: flusher_give and flusher_note_* by the engine, flusher_wake by any.
 */
#ifndef KITH_ENGINE_FLUSH_H
#define KITH_ENGINE_FLUSH_H

#include <stdint.h>

#include "base/error.h"
#include "engine/flush/tail.h"
#include "store/events.h"

struct flusher;
struct engine;

#define FLUSH_ROWS_MAX WAREHOUSE_BATCH_ROWS_MAX
#define FLUSH_BYTES_MAX ((size_t)128 << 20)
#define FLUSH_DELAY_MS 1000
/* So many rows within the delay are a flood, an import mostly. They gather longer: what comes in fewer parts is merged fewer
 * times, and a merge costs as much as the insert. Who needs them in the warehouse wakes the flusher. */
#define FLUSH_ROWS_MANY 50000
#define FLUSH_GATHER_MS 5000

/* Rows that the warehouse may have beyond engine->flushed_seq are asked for before the first inserts: here, so that a warehouse
 * that is not the folder's is refused (CONFLICT), or by its thread, until it is answered. */
enum flusher_start { FLUSHER_ASKS_HERE, FLUSHER_ASKS_ASIDE };
err flusher_start(struct flusher **flusher, struct engine *engine, enum flusher_start how,
                  struct problem *problem) MUST_USE;
/* Flush what is committed within `timeout_ms`, then end. */
void flusher_stop(struct flusher **flusher, int64_t timeout_ms);
/* Hold and queue an applied block, in order. */
void flusher_give(struct flusher *flusher, struct applied_block *applied);
/* The row of OUTCOMES under `first_seq` is needed until `last_seq` is flushed. */
void flusher_note_outcomes(struct flusher *flusher, uint64_t first_seq, uint64_t last_seq);
/* `node` belongs to `customer` from `seq` on. */
void flusher_note_alias(struct flusher *flusher, uint32_t node, uint32_t customer, uint64_t seq);
/* Many have changed: all aliases are written again. */
void flusher_note_all_aliases(struct flusher *flusher);
/* Something was committed, or somebody waits for everything to be flushed. */
void flusher_wake(struct flusher *flusher, bool now);
/* No batch is under way from the moment this returns until flusher_release, and the ledger has been handed what
 * the last one did (backups). TIMEOUT; several may hold. Any thread. */
err flusher_hold(struct flusher *flusher, int64_t timeout_ms) MUST_USE;
void flusher_release(struct flusher *flusher);
/* Rows given and not yet in the warehouse. */
size_t flusher_waiting_rows(struct flusher *flusher);

#endif
