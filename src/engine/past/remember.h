/* SPDX-License-Identifier: Apache-2.0 */
/* remember: history (src/history) beside apply: fed by it, loaded at start, its new columns filled.
 *
 *     start:   warehouse, seq <= F ──remember_load──▶ base     (F: flushed)
 *              log and outcomes    ──apply_observe──▶ deltas   (F < seq <= applied)
 *              identity            ──remember_start─▶ groups
 *     live:    apply_observe ─▶ history_observe; a merge or split ─▶ remember_group
 *     later:   a rule names a property ─▶ remember_fill: a thread of this file waits until the warehouse has all
 *              events from before, and brings the values (fill.h)
 *
 * Engine thread, save where it says otherwise; the thread that fills is this file's own.
 */
#ifndef KITH_ENGINE_REMEMBER_H
#define KITH_ENGINE_REMEMBER_H

#include "base/error.h"
#include "event/event.h"
#include "history/history.h"

struct engine;

/* An empty history. */
err remember_new(struct engine *engine) MUST_USE;
/* What the warehouse has up to flushed_seq, with the columns that are there. At start, before the tail. */
err remember_load(struct engine *engine, struct problem *problem) MUST_USE;
/* Who is one customer; then the filling thread. At start, after the tail. */
err remember_start(struct engine *engine, struct problem *problem) MUST_USE;
/* Ends the filling thread. The engine's thread has ended or still answers questions. */
void remember_stop(struct engine *engine);
void remember_free(struct engine *engine);

/* The nodes of this customer changed: she was merged, or is a part of a split. */
err remember_group(struct engine *engine, uint32_t customer) MUST_USE;
/* Many have changed (identity rules applied to all). */
err remember_group_all(struct engine *engine) MUST_USE;
/* Take one event away again. */
err remember_retract(struct engine *engine, uint32_t node, uint64_t seq) MUST_USE;
/* history_tidy, with what the warehouse has by now. Between groups. */
void remember_tidy(struct engine *engine, int64_t budget_us);
/* The column was added just now: bring what happened before. It is ready once that is done. */
err remember_fill(struct engine *engine, str path, enum column_kind kind,
                  history_column column) MUST_USE;
/* As engine_columns_filling. */
uint32_t remember_filling(struct engine *engine, double *share);

#endif
