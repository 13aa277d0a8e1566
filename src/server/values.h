/* SPDX-License-Identifier: Apache-2.0 */
/* values: identifiers as they may be shown, in RAM, so that what is read again touches no ledger.
 * Private to server/.
 *
 * An entry is what never changes of a row: its value, already masked (so nothing personal lies here, and
 * nothing has to be unsealed again), who brought it, and when. A phone that was known by its digest
 * alone changes once, when its plain value comes: such entries carry a mark, and one with the wrong mark is
 * none. What changes (home, flags, last seen) is the engine's and is never here.
 *
 * A table of fixed size in sets of four, each with a lock of its own group; the oldest entry of
 * a set makes room. Values longer than an entry has room for are not kept. No reader waits for a lock: who finds it
 * taken finds nothing, and keeps nothing; what is missing here is in the ledger.
 *
 * It is filled by who reads, and before that by fill.c, which comes to each row once and so waits. fill.c also drops what was erased.
 *
 * Any thread.
 */
#ifndef KITH_SERVER_VALUES_H
#define KITH_SERVER_VALUES_H

#include "base/arena.h"
#include "identity/identity.h"

struct values;

err values_new(struct values **values, size_t size_bytes) MUST_USE;
void values_free(struct values **values);
/* Fill value, source and first seen of a row whose state is known; false when it is not here. */
bool values_find(struct values *values, struct arena *arena, struct identity_row_view *row);
/* The moment: ask for it before the row is read, be it in RAM or in the ledger. */
uint64_t values_moment(const struct values *values);
/* `row`, with its value as it may be shown, read since `moment`: not kept when anything was forgotten since. */
void values_keep(struct values *values, const struct identity_row_view *row, uint64_t moment);
/* The same, whoever has the lock: never on a thread that answers. */
void values_fill(struct values *values, const struct identity_row_view *row, uint64_t moment);
/* Nothing of these rows is here any more, and who read them before keeps nothing: their customers were erased, and the ledger
 * knows it. Waits for locks. */
void values_forget(struct values *values, const uint32_t *rows, size_t count);
/* The same of all. */
void values_forget_all(struct values *values);
/* How many find room at once. */
size_t values_room(const struct values *values);
size_t values_memory_bytes(const struct values *values);

#endif
