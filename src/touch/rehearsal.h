/* SPDX-License-Identifier: Apache-2.0 */
/* rehearsal: what another sending policy would have done, before it is saved (POST /policy/preview).
 *
 * The touches of the last days, and those that wait, are asked for once more, in their order and at their times, in two rooms that
 * go nowhere: one under the policy as it is, one under the draft. Both go through the gates that all sending goes through (gate.c);
 * only what the policy decides is asked, so what was stopped for another reason is left out. Two rehearsals are compared, not a
 * rehearsal with what happened: so the difference is the draft's alone.
 *
 *     _new ─▶ _choose (a few hundred thousand marks a call) … ─▶ _read ─▶ _run … ─▶ _write ─▶ _free
 *
 * Invariants
 *   R1 a customer is in it with all her touches or with none: caps hold per person. Where there are more touches than are
 *      taken, one customer in `one_in` is, and budgets are that much smaller.
 *   R2 the two rooms get the same requests, so a touch has the same number in both.
 *   R3 nothing is written, and the live room is only read.
 *
 * Engine thread for _new, _choose and _run; _read, _write and _free by any one thread at a time.
 */
#ifndef KITH_TOUCH_REHEARSAL_H
#define KITH_TOUCH_REHEARSAL_H

#include "touch/touch.h"

struct touch_rehearsal;

struct rehearsal_setting {
    json_value policy; /* the draft; as PUT /policy takes it */
    int64_t from_ms, now_ms;
    uint32_t touches_max;
};
/* UNPROCESSABLE: the draft, with a pointer into it. */
err touch_rehearsal_new(struct touch_rehearsal **rehearsal, const struct touches *live,
                        const struct rehearsal_setting *setting, struct problem *problem) MUST_USE;
void touch_rehearsal_free(struct touch_rehearsal **rehearsal);
/* Looks at the next `limit` touches, newest first; *more: there are older ones. */
err touch_rehearsal_choose(struct touch_rehearsal *rehearsal, uint32_t limit, bool *more) MUST_USE;
/* What the ledger knows of those that were chosen: when they were asked for, and why they did not go. */
err touch_rehearsal_read(struct touch_rehearsal *rehearsal, struct ledger *ledger,
                         struct problem *problem) MUST_USE;
/* The next `limit` requests and moments when something is due; *more: it is not at its end. */
err touch_rehearsal_run(struct touch_rehearsal *rehearsal, uint32_t limit, bool *more) MUST_USE;
/* Members of the answer (docs/api.md). `name` writes who she is; NULL: no examples are given. */
void touch_rehearsal_write(const struct touch_rehearsal *rehearsal, struct json_writer *writer,
                           void (*name)(void *context, struct json_writer *writer,
                                        uint32_t customer),
                           void *context);

#endif
