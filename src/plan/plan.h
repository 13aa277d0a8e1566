/* SPDX-License-Identifier: Apache-2.0 */
/* plan: the tracking plan. Which events and properties are known, of which types, and what does
 * not fit.
 *
 * Events and properties are learnt on first sight; a strict source's unknown ones go to quarantine
 * instead. One property name has one learnt type, widening int → decimal → text; an operator can fix a
 * type, require a property, give a list of values, or block an event. Per source at most so many
 * new names a day are learnt, the rest is quarantined, so that memory stays flat. The events of
 * event/known.h are planned from the start, with fixed types.
 *
 * Invariants
 *   T1 judging and learning depend on the plan and the event alone; `received_ms` says which day it is.
 *   T2 an event that does not fit teaches nothing: it is learnt whole or not at all.
 *   T3 a learnt type never refuses a value of a lenient source, it widens; a fixed type, and any
 *      type under a strict source, refuses.
 *   T4 what is in memory is what the ledger's rows say: plan_load makes the same plan again.
 *
 * An event carries its *shape* (event/event.h): a hash over its type and its property names with
 * their JSON kinds. A shape that was judged fit once is fit again until an operator changes the plan: the
 * hot path is one look-up. The cache of shapes is not state: it changes no answer. Shapes whose
 * fitness depends on values (a list of values, a number written as text) are not kept.
 *
 * Page and screen views and tracked events have properties to judge; other kinds have traits, whose types are
 * the profile's. Engine thread, inside apply: deterministic, no clock. Changes are written to the
 * ledger.
 */
#ifndef KITH_PLAN_PLAN_H
#define KITH_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "event/event.h"
#include "store/ledger.h"

struct plan;

/* New names that one source may bring in a day (UTC), and what the plan holds in all. */
#define PLAN_NEW_EVENTS_PER_DAY 500
#define PLAN_NEW_PROPERTIES_PER_DAY 3000
#define PLAN_EVENTS_MAX 20000
#define PLAN_PROPERTIES_MAX 200000
#define PLAN_PROPERTIES_PER_EVENT_MAX 1000
#define PLAN_VALUES_MAX 1000

/* NAME, code, what an operator reads */
#define PLAN_REASONS(X)                                                                    \
    X(UNKNOWN_EVENT, "unknown_event",                                                      \
      "the plan does not know this event and the source is strict")                        \
    X(UNKNOWN_PROPERTY, "unknown_property", "the plan does not know this property")        \
    X(WRONG_TYPE, "wrong_type", "a property has another type than the plan says")          \
    X(MISSING_PROPERTY, "missing_property", "a required property is missing")              \
    X(NOT_IN_LIST, "not_in_list", "a property has a value that the plan does not list")    \
    X(BLOCKED_EVENT, "blocked_event", "the plan blocks this event")                        \
    X(TOO_MANY_NAMES, "too_many_names", "the source has brought too many new names today") \
    X(FUTURE_TIME, "future_time", "the event says it happens more than 24 hours from now") \
    X(NO_IDENTIFIER, "no_identifier", "no identifier on it can stand for a person")

enum plan_reason {
    PLAN_FITS,
#define X(name, code, text) PLAN_##name,
    PLAN_REASONS(X)
#undef X
};
const char *plan_reason_code(enum plan_reason reason);
const char *plan_reason_text(enum plan_reason reason);

err plan_new(struct plan **plan) MUST_USE;
void plan_free(struct plan **plan);
err plan_load(struct plan *plan, struct ledger *ledger, struct problem *problem) MUST_USE;

/* Judge, and learn. `detail` (may be NULL) gets which property and why. FUTURE_TIME is the engine's to
 * judge; NO_IDENTIFIER is told here only when nothing on the event is usable. NOMEM: nothing is
 * said of the event, and the plan may have learnt a part of it; it has to be loaded again before it judges
 * another (the engine stops, and the next start applies the record anew). */
err plan_check(struct plan *plan, const struct event *event, bool strict,
               struct ledger_writes *writes, enum plan_reason *reason,
               struct problem *detail) MUST_USE;

/* PUT /plan/events/{name}: {status: "planned" (default) | "blocked" | "learnt", description,
 * properties: [{name, type, required, values}]}. A type that is given is fixed; a property that is not
 * listed is learnt again, as are those whose type is null. UNPROCESSABLE with pointer for what is wrong. */
err plan_put_event(struct plan *plan, str name, json_value body, int64_t now_ms,
                   struct ledger_writes *writes, struct problem *problem) MUST_USE;
/* JSON of one event type, or NOT_FOUND: {name, status, known, description, source, first_seen,
 * properties: [{name, type, fixed, required, values, first_seen}]}; of all, as a list. */
err plan_write_event(const struct plan *plan, str name, struct buffer *out) MUST_USE;
void plan_write_all(const struct plan *plan, struct buffer *out);

void plan_digest(const struct plan *plan, struct digest *digest);
size_t plan_memory_bytes(const struct plan *plan);

#endif
