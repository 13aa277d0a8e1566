/* SPDX-License-Identifier: Apache-2.0 */
/* zone: local days of a workspace, and moments that move with the clock. Private to rule/.
 *
 * A local day begins at the first instant at which the clock shows it or a later one, and ends where the next begins;
 * so days follow one another without overlap, whatever the clocks do at midnight.
 *
 * A *moment* is an instant as a function of now. It never moves backwards when now moves forward (Z1):
 * that is what makes 'until when does this hold' a question with an answer.
 */
#ifndef KITH_RULE_ZONE_H
#define KITH_RULE_ZONE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/calendar.h"
#include "base/clock.h"
#include "base/error.h"
#include "rule/rule.h"

struct zone {
    char name[64];
    uint32_t count;
    const int64_t *since_ms;
    const int64_t *offset_ms;
    const int64_t *peak_day; /* the latest day that was shown before this entry */
};

/* NULL stands for UTC+8, the default of a workspace. */
err zone_copy(struct zone *zone, const struct rule_zone *from, struct arena *arena) MUST_USE;
int64_t zone_local(const struct zone *zone, int64_t at_ms); /* what the clock shows, as ms */
int64_t zone_day(const struct zone *zone, int64_t at_ms);   /* days since 1970-01-01 */
/* The first instant at which the clock shows `local_ms` or later. */
int64_t zone_instant(const struct zone *zone, int64_t local_ms);
static inline int64_t zone_midnight(const struct zone *zone, int64_t day)
{
    return zone_instant(zone, day * DAY_MS);
}

enum anchor {
    ANCHOR_TIME, /* `ms` is the instant */
    ANCHOR_NOW,
    ANCHOR_DAY, /* starts of local periods */
    ANCHOR_WEEK,
    ANCHOR_MONTH,
    ANCHOR_QUARTER,
    ANCHOR_YEAR,
};
struct moment {
    enum anchor anchor;
    int32_t months; /* calendar months; then */
    int32_t days;   /* calendar days from a period's start, 24 hours from now; then */
    int64_t ms;
};

int64_t moment_at(const struct moment *moment, const struct zone *zone, int64_t now_ms);
/* A lower bound of the first now after `now_ms` at which the moment is later than `target_ms`; it is exact
 * for moments counted from now. RULE_FOREVER if it is later already, or will never be. */
int64_t moment_passes(const struct moment *moment, const struct zone *zone, int64_t target_ms,
                      int64_t now_ms);
/* The next start of the anchor's period after now; RULE_FOREVER if it has none. */
int64_t moment_edge(const struct moment *moment, const struct zone *zone, int64_t now_ms);
static inline bool moment_moves(const struct moment *moment)
{
    return moment->anchor != ANCHOR_TIME;
}

/* "90d", "12h", "2w", "3M", "1y", "30m": one unit, at least 1. */
bool span_parse(str text, struct moment *span);
/* "now-30d", "today", "month_start-1M", "2026-06-18", "2026-06-18T10:00:00+08:00". A date and a time
 * without a zone are local. */
bool moment_parse(str text, const struct zone *zone, struct moment *moment);
/* `span` before now. */
struct moment moment_ago(struct moment span);

#endif
