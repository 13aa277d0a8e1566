/* SPDX-License-Identifier: Apache-2.0 */
/* visitors: who never identified herself and was not heard of for long leaves memory; her next event brings her back.
 *
 *     tick, once a day ─▶ a sweep over all nodes, 65,536 of them a tick
 *         ─▶ leaves: identity, profile, history, every tag and segment
 *     an event with an identifier that nobody here has ─▶ the sieve ─▶ the ledger ─▶ is she one of them?
 *         ─▶ comes back: the same number, traits of the ledger, events of warehouse and tail; judged anew
 *
 * Who leaves is decided by records alone: the tick's time, her last event by its own time, and since when her identifiers
 * are at home with her. Only a visitor does: no strong identifier, not even a claimed one; no order, merge, refusal,
 * journey, no tag or segment that somebody gave her by hand, nothing that an import brought.
 *
 * What is read inside apply is read behind a barrier (ledger) or is a function of the log (warehouse and tail); like a
 * message key that left RAM, somebody who comes back waits for the warehouse.
 *
 * Setting `visitors.days` (default 90; 0: never). Engine thread, save visitors_load.
 */
#ifndef KITH_ENGINE_VISITORS_H
#define KITH_ENGINE_VISITORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "event/event.h"

struct engine;

#define VISITORS_DAYS_DEFAULT 90
#define VISITORS_DAYS_MAX 3650

struct visitors {
    int64_t days;      /* 0: nobody leaves */
    int64_t swept_day; /* of the last sweep, since 1970 */
    uint32_t next;     /* node where the sweep goes on; 0: none is under way */
    uint32_t round;    /* grows with each tick that somebody left in */
    uint64_t left_seq; /* of the last one who left */
    uint64_t *left;    /* at start, until identity is loaded: bits of nodes */
    uint32_t left_count;
};

/* At start, before all else of identity, profile, history. */
err visitors_load(struct engine *engine, struct problem *problem) MUST_USE;
/* While loading, and later: is it a node that has left? Any thread while loading. */
bool visitors_has_left(const struct engine *engine, uint32_t node);
/* Identity is loaded: it knows. */
void visitors_loaded(struct engine *engine);

/* `visitors.days` was put; other keys are passed over. */
err visitors_setting(struct engine *engine, str key, json_value value,
                     struct problem *problem) MUST_USE;
/* First thing of a tick's record, and of an event's: nothing of it has taken effect yet. */
err visitors_tick(struct engine *engine, uint64_t seq) MUST_USE;
err visitors_meet(struct engine *engine, const struct event *event) MUST_USE;
/* Is she a visitor of whom nothing was heard since then? */
bool visitors_may_leave(const struct engine *engine, uint32_t node, int64_t before_ms);
/* Who left is back, with what she told and without what she did: to be erased at once. Behind a barrier. */
err visitors_bring_bare(struct engine *engine, uint32_t node) MUST_USE;
/* If she left, she is back. First thing of a record that is about her. */
err visitors_call(struct engine *engine, uint32_t node, uint64_t seq) MUST_USE;

#endif
