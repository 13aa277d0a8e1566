/* SPDX-License-Identifier: Apache-2.0 */
/* outlook: what journeys will ask for, by day, as far as it can be known: runs of schedules, waves that are being let in, and where
 * those go whose timers run. Lines as in touch/outlook.h.
 *
 *     journey_outlook_begin ─▶ journey_outlook_add (some hundred thousand positions a call) … ─▶ journey_outlook_visit ─▶ _end
 *
 * A number is of those who are on the way; who leaves, is held back by a gate, or takes another branch is counted, so it is
 * at most so many. After a wait for a date of hers, or for something that may happen at any time, nothing is foretold but the
 * end of the time-out. Shares of random splits and hold-outs are expectations.
 *
 * Engine thread, save _begin and _end.
 */
#ifndef KITH_JOURNEY_OUTLOOK_H
#define KITH_JOURNEY_OUTLOOK_H

#include "base/sums.h"
#include "journey/journey.h"
#include "touch/outlook.h"

struct journey_outlook {
    int64_t from_ms, to_ms;                         /* from_ms up to, not including, to_ms */
    bool (*sees)(void *context, uint32_t customer); /* who is counted; NULL: all */
    /* How many are in a segment (of all, or of those who are seen); below 0: it is not known. */
    int64_t (*members)(void *context, str segment);
    bool (*shows)(void *context, str journey); /* NULL: all */
    void *context;
    /* of this room */
    uint32_t cursor;
    struct sums groups;
    bool is_cut; /* more than is kept, or a journey too branched to be followed to its end */
};
void journey_outlook_begin(struct journey_outlook *outlook);
/* The next `limit` positions; *more: there are others. NOMEM. */
err journey_outlook_add(struct journey_outlook *outlook, const struct journeys *journeys,
                        uint32_t limit, bool *more) MUST_USE;
/* After all positions: the same line may come several times, its counts add up. */
void journey_outlook_visit(struct journey_outlook *outlook, const struct journeys *journeys,
                           int64_t now_ms,
                           void (*visit)(void *context, const struct outing *outing),
                           void *context);
/* What its journey and node are called, of a line that knows their keys alone. */
void journey_outlook_describe(const struct journeys *journeys, struct outing *outing);
void journey_outlook_end(struct journey_outlook *outlook);

#endif
