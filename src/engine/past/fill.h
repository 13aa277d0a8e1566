/* SPDX-License-Identifier: Apache-2.0 */
/* fill: the past of one column of history (src/history), out of the warehouse or the tail, into memory.
 *
 * Of the warehouse it asks only what finds an event (customer, time, seq) and what the column is made of: a typed column, or
 * the one member of the properties. That member is cut out there where it is certain which text is meant (flat properties without
 * escapes, that name it once); else all properties come. Either way the value is read by the extractor (history/extract.h), so
 * that it is the same however an event came (history.h, H3); texts that were read before are remembered.
 * What was taken back needs no question: history passes over what it does not have. */
#ifndef KITH_ENGINE_FILL_H
#define KITH_ENGINE_FILL_H

#include <stdatomic.h>

#include "base/error.h"
#include "history/history.h"

struct engine;

struct fill_want {
    str path; /* borrowed */
    enum column_kind kind;
    history_column column;
    uint64_t seq; /* events up to it came before the column; all of them are in the warehouse */
};

/* The filling thread; values go to the engine in questions of a millisecond or two. `at_start`: there is no engine's
 * thread yet, the caller is it. `reached`: the highest number of a customer whose events are in, while it goes on. The column is
 * ready in the end. UNAVAILABLE while closing; WAREHOUSE: what is in stays, and is passed over the next time. */
err fill_from_warehouse(struct engine *engine, const struct fill_want *want, bool at_start,
                        _Atomic uint32_t *reached, struct problem *problem) MUST_USE;
/* The same from the tail, where there is no warehouse: the tail has everything. Engine thread; tests and `kith rebuild`. */
err fill_from_tail(struct engine *engine, const struct fill_want *want) MUST_USE;

#endif
