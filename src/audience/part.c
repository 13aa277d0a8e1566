/* SPDX-License-Identifier: Apache-2.0 */
/* part: somebody of whom thousands of definitions are judged is judged in parts, so that a slice ends when it should.
 *
 *     live_judge_until, in a slice ──over──▶ part_leave: what is marked and not judged yet; she stays in `pending` (or `rejudge`)
 *     next slice ──▶ part_go_on: the rest, at the same moment
 *     an event, a command, a tick before it ──▶ live_settle, live_finish: the rest at once
 *
 * The same moment and cause: what is recorded is what one piece would have recorded, wherever it was cut. What a definition that
 * changed in an early part marked stays marked for a later one: so it is gone on with, never begun anew with less. Whatever judges
 * all of hers supersedes it. Who lacks events in a later part is in part no more, and unsure (hear.c): by what is
 * read back (recall.c) she is begun anew, and may be left in part there as well. */
#include "audience/state.h"

/* Of one customer at a time: who is rejudged can be begun anew, and makes room.
 *
 * Reading the clock costs a tenth of judging. */
#define JUDGED_AT_ONCE 8u

bool part_leave(struct audience *audience, uint32_t customer, const struct marks *marks,
                uint32_t word, uint64_t done, enum cause cause, struct audience_moment moment,
                int64_t until_ms)
{
    if (audience->slice_us == 0 || (unsigned)__builtin_popcountll(done) % JUDGED_AT_ONCE != 1 ||
        steady_since_us(audience->slice_start) < audience->slice_us)
        return false;
    struct part *part = &audience->part;
    uint64_t left = marks->words[word] & ~done;
    uint32_t first = left != 0 ? word : word + 1;
    bool is_anothers = part->customer != 0 && part->customer != customer && !part->is_rejudged;
    if (first >= marks->last || is_anothers)
        return false;
    part->customer = customer;
    part->is_rejudged = false;
    part->cause = cause;
    part->moment = moment;
    part->until_ms = until_ms;
    marks_clear(&part->marks, marks_words(audience));
    marks_join(&part->marks, marks);
    for (uint32_t i = 0; i < word; i++)
        part->marks.words[i] = 0;
    part->marks.words[word] = left;
    part->marks.first = first;
    return true;
}

err part_go_on(struct audience *audience)
{
    struct part part = audience->part;
    audience->part.customer = 0;
    err error = live_judge_until(audience, part.customer, &part.marks, true, part.moment,
                                 part.cause, part.until_ms);
    if (error != ERR_OK) { /* what this part has marked is not known any more */
        audience->part = part;
        part_reorder(audience);
    } else if (audience->part.customer == part.customer) {
        audience->part.is_rejudged = part.is_rejudged;
    }
    return error;
}

void part_drop(struct audience *audience, uint32_t customer)
{
    if (audience->part.customer == customer)
        audience->part.customer = 0;
}

void part_superseded(struct audience *audience, uint32_t customer)
{
    if (audience->part.is_rejudged)
        part_drop(audience, customer);
}

void part_reorder(struct audience *audience)
{
    if (audience->part.customer == 0)
        return;
    marks_clear(&audience->part.marks, marks_words(audience));
    marks_join(&audience->part.marks, &audience->all);
}
