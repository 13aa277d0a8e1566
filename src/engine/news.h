/* SPDX-License-Identifier: Apache-2.0 */
/* news: what happens to customers, kept for those outside who follow it (src/feed: sinks), in the commit of what happened.
 *
 *     apply ─▶ news_move, news_touch, news_event … ─▶ news_commit ─▶ table NEWS, with the group ─▶ news_read ─▶ a sink
 *                                                         ▲                                            │
 *                                    rows that all have ──┘◀── command sink.move (log) ◀── acknowledged ┘
 *
 * A row holds entries one after another; each has a number, which is never given twice. An event is its seq alone: the log
 * has the rest, and is kept for it.
 *
 * Invariants
 *   N1 what happened and its entry are one commit: neither is ever there alone, whatever dies.
 *   N2 who follows is a setting "sink.<key>"; nothing is written while there is none, and of each kind only if some sink
 *      wants it. A sink that is new begins with what happens from then on.
 *   N3 a row goes when every sink is past it, or when it is older than the longest time that any sink lets it wait: what a
 *      sink loses by that is counted (`lost`), never passed over in silence.
 *   N4 a digest of state does not see any of it: scans tell of moves when they are through, which no log says.
 *
 * A follower and a rebuild keep none. Engine thread, save where it says otherwise.
 */
#ifndef KITH_ENGINE_NEWS_H
#define KITH_ENGINE_NEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"

struct engine;

#define NEWS_SETTING "sink."

/* X(NAME, name in settings and messages) */
#define NEWS_KINDS(X)      \
    X(SEGMENT, "segments") \
    X(TAG, "tags")         \
    X(TOUCH, "touches")    \
    X(EVENT, "events")     \
    X(CUSTOMER, "customers") /* merged, split, erased */
enum news_kind {
#define X(NAME, text) NEWS_##NAME,
    NEWS_KINDS(X)
#undef X
        NEWS_KIND_COUNT
};
const char *news_kind_text(enum news_kind kind);

/* How long rows wait for a sink that does not take them, unless its setting says otherwise. */
#define NEWS_HOLD_MS_DEFAULT (7 * DAY_MS)
#define NEWS_HOLD_MS_MIN HOUR_MS
#define NEWS_HOLD_MS_MAX (90 * DAY_MS)

/* One entry, borrowed until the visitor returns. Which texts there are depends on the kind; the others are empty. */
struct news_entry {
    enum news_kind kind;
    uint64_t number;
    uint64_t seq; /* of the record that made it so; of an event: itself */
    int64_t at_ms;
    uint32_t customer;
    bool was, is;   /* SEGMENT, TAG: in it, or with a value */
    str key, cause; /* SEGMENT, TAG; CUSTOMER: key says what */
    str value;      /* TAG: JSON, as of the commit; empty without one */
    uint32_t other; /* CUSTOMER: whose she is now, or who was parted from her; 0: nobody */
    uint32_t touch; /* TOUCH */
    str status, reason, journey, node, campaign, template_, channel, account, purpose;
};

/* ---- who follows, and up to where: any thread ---- */

#define NEWS_SINK_BYTES 64
struct news_standing {
    char sink[NEWS_SINK_BYTES + 1];
    uint64_t next; /* the first number that it was not told */
    uint64_t last; /* the last that there is */
    uint64_t lost;
    int64_t oldest_ms; /* of what waits; 0: nothing waits */
};
/* NOT_FOUND for a sink that is not there. As applied: a little ahead of the ledger. */
err news_standing(struct engine *engine, str sink, struct news_standing *standing) MUST_USE;
/* Of all, up to `room`; how many. */
size_t news_standings(struct engine *engine, struct news_standing *standings, size_t room);
/* Visit what is committed from number `from` on, in order, up to `limit` entries; false stops. Reads the ledger. */
typedef bool (*news_visit)(void *context, const struct news_entry *entry);
err news_read(struct engine *engine, uint64_t from, size_t limit, news_visit visit, void *context,
              struct problem *problem) MUST_USE;
/* Which of these customers are no more: erased, or gone with an import that was undone. Asks the engine; `count` up to
 * thousands. */
err news_find_gone(struct engine *engine, const uint32_t *customers, size_t count,
                   bool *gone) MUST_USE;
/* The record sink.move, appended to `records`: this sink was told everything below `next`. */
void news_write_move(struct buffer *records, str sink, uint64_t next);

#endif
