/* SPDX-License-Identifier: Apache-2.0 */
/* outlook: what went out and what is about to, by day: the touches that there are. What journeys will still ask for is told by
 * journey/outlook.h in the same lines; together they are the calendar (GET /calendar).
 *
 *     touch_outlook_begin ─▶ touch_outlook_add (a few hundred thousand marks a call) … ─▶ touch_outlook_visit ─▶ _end
 *
 * A pass over all that is remembered, in pieces, so that nobody waits for it: what comes to be meanwhile may be missing.
 * Engine thread, save _begin and _end.
 */
#ifndef KITH_TOUCH_OUTLOOK_H
#define KITH_TOUCH_OUTLOOK_H

#include "base/sums.h"
#include "base/zone.h"
#include "touch/touch.h"

/* NAME, text: what a line of the calendar tells of. */
#define OUTING_KINDS(X)                                                          \
    X(SENT, "sent")           /* touches that went */                            \
    X(HELD, "held")           /* touches that wait for their time */             \
    X(RUN, "run")             /* a schedule lets people in */                    \
    X(SCHEDULED, "scheduled") /* what those who are let in then will be sent */  \
    X(ENTERING, "entering")   /* what those will be sent who are being let in */ \
    X(WAITING, "waiting")     /* what those will be sent who are in it */        \
    X(TRIGGERED, "triggered") /* what may go out on any day */
enum outing_kind {
#define X(NAME, text) OUTING_##NAME,
    OUTING_KINDS(X)
#undef X
        OUTING_KIND_COUNT
};
const char *outing_kind_text(enum outing_kind kind);

/* What goes out on a day, for one reason, from one place. Texts are borrowed until the visit returns. */
struct outing {
    enum outing_kind kind;
    str journey, node, campaign, channel, account, template_;
    str name, node_name, state, trigger, segment; /* of the journey */
    const char *reason;                           /* of a held one: the gate; "" */
    int64_t first_ms, last_ms;
    double count; /* below 0: nobody knows */
    bool is_at_most;
};

struct touch_outlook {
    const struct zone *zone;
    int64_t from_ms, to_ms;                     /* from_ms up to, not including, to_ms */
    bool (*sees)(void *context, uint32_t node); /* whose touches are counted; NULL: all */
    void *context;
    /* of this room */
    uint32_t cursor; /* numbers below it are yet to be looked at */
    struct sums sums;
    bool is_cut; /* more lines than are kept */
};
void touch_outlook_begin(struct touch_outlook *outlook);
/* The next `limit` touches, newest first; *more: there are older ones. NOMEM. */
err touch_outlook_add(struct touch_outlook *outlook, const struct touches *touches, uint32_t limit,
                      int64_t now_ms, bool *more) MUST_USE;
void touch_outlook_visit(const struct touch_outlook *outlook, const struct touches *touches,
                         void (*visit)(void *context, const struct outing *outing), void *context);
void touch_outlook_end(struct touch_outlook *outlook);

#endif
