/* SPDX-License-Identifier: Apache-2.0 */
/* clock: wall time and steady time as different types, both injected, never read from elsewhere.
 *
 * Wall time is int64 milliseconds since 1970-01-01 UTC. It says when something happened. Steady
 * time is nanoseconds since some start; it says how long something took, and drives time-outs.
 * A virtual wall clock stands still until it is moved (tests, simulations, --virtual-clock).
 * Inside `apply` there is no clock at all: 'now' is the received time of the record.
 */
#ifndef KITH_BASE_CLOCK_H
#define KITH_BASE_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* How wall time follows the machine's clock without believing everything. It goes on with the steady clock and is
 * drawn towards the machine's by at most a fiftieth of what has passed. A step beyond that is not followed at once: a
 * clock that was set wrong for a minute makes no timer fire early, none twice, and loses none. A step that stands is
 * followed in the end: below 2 s after 10 s, below a day after 15 minutes. One of a day or more is left to a person: it counts
 * from the next start. A clock that stands still, or runs at another pace, is not followed at all. */
struct clock_guard {
    int64_t (*wall_ns)(void *context); /* what the machine says */
    int64_t (*steady_ns)(void *context);
    void *context;
    _Atomic int64_t offset_ns; /* wall less steady, as we have it */
    _Atomic int64_t step_ns;   /* what the machine says beyond it; 0: they agree */
    _Atomic int64_t looked_ns; /* steady, when they were compared last; 0: never */
    _Atomic bool is_looking;
    /* of who is looking */
    int64_t stands_since_ns, stands_at_ns;
};
/* Tests have one of their own; `guard` is otherwise zero. */
void clock_guard_init(struct clock_guard *guard, int64_t (*wall_ns)(void *context),
                      int64_t (*steady_ns)(void *context), void *context);
int64_t clock_guard_now_ms(struct clock_guard *guard);

struct wall_clock {
    bool is_virtual;
    _Atomic int64_t now_ms;    /* used only when virtual */
    struct clock_guard *guard; /* used only when real: the process has one */
};

typedef struct steady_ns {
    int64_t ns;
} steady_ns;

void wall_clock_init_real(struct wall_clock *clock);
/* By this guard in place of the process's: tests. */
void wall_clock_init_guarded(struct wall_clock *clock, struct clock_guard *guard);
void wall_clock_init_virtual(struct wall_clock *clock, int64_t start_ms);
int64_t wall_clock_now_ms(const struct wall_clock *clock);
/* Seconds since `seconds` UTC by the machine's own clock, which stamps its files: never part of state. */
int64_t file_age_seconds(int64_t seconds);
void wall_clock_advance(struct wall_clock *clock, int64_t by_ms); /* virtual only */

steady_ns steady_now(void);
int64_t steady_since_ms(steady_ns start);
int64_t steady_since_us(steady_ns start);
/* For condition variables: CLOCK_MONOTONIC deadline. Sleep is for back-off in threads only. */
void steady_sleep_ms(int64_t ms);

/* RFC 3339 with zone, date alone, or epoch in s or ms as text → ms UTC. Accepts fractions of any
 * length (cut to ms), 'Z', '+08:00', '+0800'; without a zone `zone_offset_minutes` applies. */
bool time_parse(str text, int zone_offset_minutes, int64_t *out_ms);
/* "2026-11-21T08:00:00.123Z"; `out` holds at least TIME_TEXT_BYTES and is terminated. */
#define TIME_TEXT_BYTES 32
void time_format_utc(int64_t time_ms, char out[TIME_TEXT_BYTES]);
/* "3d", "12h", "30m", "90s", "500ms" → ms. */
bool duration_parse(str text, int64_t *out_ms);

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

#endif
