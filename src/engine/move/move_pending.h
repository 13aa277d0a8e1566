/* SPDX-License-Identifier: Apache-2.0 */
/* move_pending: who moved in the audience by time alone, until a tick tells the journeys.
 *
 *     between records, whenever a thread comes to it ──move_pending_add──▶ buckets of neighbouring customers, rows of the ledger
 *     a tick, which first settles what the one before found due ──move_pending_tell──▶ journeys: bucket after bucket, from the
 *                                                             lowest customer on, until there are enough
 *
 * What waits at a tick is a matter of the log alone, and so is what of it is told: whole buckets, so many moves. The rest is told
 * by ticks that follow soon. Of a bucket: by customer, then in the order in which they were made.
 *
 * Engine thread, save move_pending_left_by. */
#ifndef KITH_ENGINE_MOVE_PENDING_H
#define KITH_ENGINE_MOVE_PENDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "audience/audience.h"
#include "base/error.h"
#include "store/ledger.h"

/* A move of the audience, waiting; texts lie behind it. */
struct heard {
    struct heard *next;
    uint64_t number; /* of its row; 0: of this record */
    struct audience_move move;
    bool is_stored, is_told;
};
/* NULL: no memory. */
struct heard *move_heard_new(const struct audience_move *moved);
void move_heard_drop(struct heard **list);

#define PENDING_BUCKET_BITS 12 /* neighbours of a bucket */

struct move_pending {
    struct heard **buckets; /* by customer >> PENDING_BUCKET_BITS */
    uint32_t bucket_count;
    size_t count;
    uint64_t next_number;
    struct heard **fresh; /* have no row yet */
    size_t fresh_count, fresh_capacity;
    struct ledger_value *gone; /* rows to be deleted with the next commit */
    size_t gone_count, gone_capacity;
    uint64_t ticks;
    _Atomic uint64_t left_by; /* number of the last tick, when it left some; 0 */
};

void move_pending_init(struct move_pending *pending);
void move_pending_deinit(struct move_pending *pending);
err move_pending_load(struct move_pending *pending, struct ledger *ledger,
                      struct problem *problem) MUST_USE;
err move_pending_add(struct move_pending *pending, const struct audience_move *moved) MUST_USE;
/* Some of them, and no more than that; the error of `tell` ends it. */
err move_pending_tell(struct move_pending *pending,
                      err (*tell)(void *context, const struct audience_move *moved),
                      void *context) MUST_USE;
/* Did the last tick leave some to another? Its number, from 1; 0: it did not. Any thread. */
uint64_t move_pending_left_by(const struct move_pending *pending);
void move_pending_commit(struct move_pending *pending, struct ledger_writes *writes);

#endif
