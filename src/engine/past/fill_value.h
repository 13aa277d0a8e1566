/* SPDX-License-Identifier: Apache-2.0 */
/* fill_value: which part of an event one column of history is made of, as SQL over the warehouse, and its value out of what
 * came. Private to fill.c. One thread. */
#ifndef KITH_ENGINE_FILL_VALUE_H
#define KITH_ENGINE_FILL_VALUE_H

#include "base/buffer.h"
#include "engine/past/fill.h"
#include "event/event.h"

struct fill_value;

err fill_value_new(struct fill_value **value, const struct fill_want *want) MUST_USE;
void fill_value_free(struct fill_value **value);

/* The whole query, terminated, in the order of (customer, time_ms, seq), as Native: customer, seq, time_ms, then `found` and,
 * where an amount needs it, the currency. */
void fill_value_write_query(const struct fill_value *value, uint64_t until_seq, struct buffer *sql);
bool fill_value_is_text(const struct fill_value *value);
bool fill_value_has_currency(const struct fill_value *value);

/* Of an event that is all there. Borrowed until the next call with this value; NULL: none. NOMEM. */
err fill_value_of_event(struct fill_value *value, const struct event *event,
                        const struct history_value **out) MUST_USE;
/* Of what `found` says; `is_kept`: `out` stays until fill_value_forget. */
err fill_value_of_text(struct fill_value *value, str found, str currency,
                       const struct history_value **out, bool *is_kept) MUST_USE;
err fill_value_of_number(struct fill_value *value, int64_t found,
                         const struct history_value **out) MUST_USE;
/* So many texts are remembered that it is time to forget them, once nobody holds one. */
bool fill_value_is_full(const struct fill_value *value);
void fill_value_forget(struct fill_value *value);

#endif
