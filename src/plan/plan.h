/* SPDX-License-Identifier: Apache-2.0 */
/* plan: the tracking plan. Which events and properties are known, of which types, and what does
 * not fit.
 *
 * Events and properties are learnt on first sight; a strict source's unknown ones go to quarantine
 * instead. One property name has one type, widening int → decimal → text; an operator can fix a
 * type, require a property, give a list of values, or block an event. Per source at most so many
 * new names a day are learnt, the rest is quarantined, so that memory stays flat.
 *
 * An event carries its *shape*: a hash over its type and its property names with their JSON kinds. A shape
 * that was judged fit once is fit again until the plan changes: the hot path is one look-up. The
 * cache of shapes is not state: it changes no answer.
 *
 * Engine thread, inside apply: deterministic, no clock. Changes are written to the ledger.
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

/* NAME, code, what an operator reads */
#define PLAN_REASONS(X)                                                                         \
    X(UNKNOWN_EVENT, "unknown_event", "the plan does not know this event and the source is strict") \
    X(UNKNOWN_PROPERTY, "unknown_property", "the plan does not know this property")             \
    X(WRONG_TYPE, "wrong_type", "a property has another type than the plan says")               \
    X(MISSING_PROPERTY, "missing_property", "a required property is missing")                   \
    X(NOT_IN_LIST, "not_in_list", "a property has a value that the plan does not list")         \
    X(BLOCKED_EVENT, "blocked_event", "the plan blocks this event")                             \
    X(TOO_MANY_NAMES, "too_many_names", "the source has brought too many new names today")      \
    X(FUTURE_TIME, "future_time", "the event says it happens more than 24 hours from now")      \
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

/* Judge, and learn. `detail` (may be NULL) gets which property and why. */
enum plan_reason plan_check(struct plan *plan, const struct event *event, bool strict,
                            struct ledger_writes *writes, struct problem *detail);

/* PUT /plan/events/{name}: body as in docs/api.md. UNPROCESSABLE with pointer for what is wrong. */
err plan_put_event(struct plan *plan, str name, json_value body, int64_t now_ms,
                   struct ledger_writes *writes, struct problem *problem) MUST_USE;
/* JSON of one event type, or NOT_FOUND; of all, with their properties. */
err plan_write_event(const struct plan *plan, str name, struct buffer *out) MUST_USE;
void plan_write_all(const struct plan *plan, struct buffer *out);

/* The hash that a door puts on an event: fold each (name, kind) in any order. */
uint64_t plan_shape_begin(str event_type);
uint64_t plan_shape_property(uint64_t shape, str name, enum json_kind kind);

void plan_digest(const struct plan *plan, struct digest *digest);

#endif
