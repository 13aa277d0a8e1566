/* SPDX-License-Identifier: Apache-2.0 */
/* sweep: something changed that may move anybody; everybody is judged again, a portion a tick.
 *
 *     sweep_begin ─▶ (customers next … of all, round) ──tick──▶ a portion goes to `pending` ─▶ slices
 *
 * Which customers a tick takes is a matter of the log alone, so that the same log moves the same people at the same
 * records. Who has an event before her portion comes is settled before it. When a portion is judged and there is a
 * rest, a tick is wanted soon, not in a minute. */
#include "audience/state.h"

/* At some 2 us each: a tenth of a second, in slices of a millisecond. */
#define PORTION 50000u

void sweep_begin(struct audience *audience, bool facts)
{
    struct sweep *sweep = &audience->sweep;
    uint32_t last = identity_node_count(audience->config.identity);
    if (last == 0)
        return;
    if (sweep->next == 0 || sweep->next > last)
        sweep->next = 1;
    sweep->last = last;
    sweep->left = last;
    sweep->facts = sweep->facts || facts;
    atomic_store(&audience->wants_tick, true);
}

bool sweep_has(const struct audience *audience, uint32_t customer)
{
    const struct sweep *sweep = &audience->sweep;
    if (sweep->left == 0 || customer == 0 || customer > sweep->last)
        return false;
    uint32_t distance =
        customer >= sweep->next ? customer - sweep->next : customer + sweep->last - sweep->next;
    return distance < sweep->left;
}

void sweep_tick(struct audience *audience)
{
    struct sweep *sweep = &audience->sweep;
    audience->pending_objects = sweep->left > 0;
    audience->pending_facts = sweep->left > 0 && sweep->facts;
    for (uint32_t done = 0; sweep->left > 0 && done < PORTION;) {
        uint32_t run = sweep->last - sweep->next + 1;
        if (run > sweep->left)
            run = sweep->left;
        if (run > PORTION - done)
            run = PORTION - done;
        roaring_bitmap_add_range(audience->pending, sweep->next, (uint64_t)sweep->next + run);
        sweep->left -= run;
        sweep->next = sweep->next + run > sweep->last ? 1 : sweep->next + run;
        done += run;
    }
    if (sweep->left == 0)
        sweep->facts = false;
}
