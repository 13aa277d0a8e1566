/* SPDX-License-Identifier: Apache-2.0 */
/* extract: the values of wanted columns out of an event, the same wherever the event comes from.
 *
 * What is remembered live, loaded from the warehouse and filled later goes through this one reader, so that a
 * column says the same whichever way a value came (R1 of rule/rule.h stands on it).
 *
 * A path names a property ("revenue"), one inside ("address.city"), or all in a list ("products.product_id": a
 * list of texts takes them all, any other kind the first that fits). A promoted property of its own kind is taken
 * from the event's typed column, never from props; "$source" (INT) and "$received" (TIME) are the event's own.
 *
 *     INT      whole numbers, also as text          MONEY  amounts in minor units of the event's currency
 *     DECIMAL  millionths, half-even                TIME   as the tracking plan reads times; numbers are epochs
 *     BOOL     true, false, "true", "0", 1 …        TEXT   texts; numbers and booleans as they are written
 * What does not fit its kind, null, an empty text, a sealed value: the event has no value.
 *
 * An extractor belongs to one thread at a time; several may be used at once. */
#ifndef KITH_HISTORY_EXTRACT_H
#define KITH_HISTORY_EXTRACT_H

#include "history/history.h"

struct extractor;

err extractor_new(struct extractor **extractor) MUST_USE;
void extractor_free(struct extractor **extractor);
/* Each column once; `column` is what the values will say. */
err extractor_add(struct extractor *extractor, str path, enum column_kind kind,
                  history_column column) MUST_USE;
/* Values of an event: type, props, promoted columns, source, received_ms and shape are read. Borrowed from event
 * and extractor until the next call. NOMEM. Cost: some ns; where a wanted property is not promoted, about a
 * microsecond for parsing, but only of events that have one (remembered by shape). */
err extractor_run(struct extractor *extractor, const struct event *event,
                  const struct history_value **values, uint32_t *count) MUST_USE;

#endif
