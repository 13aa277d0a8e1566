/* SPDX-License-Identifier: Apache-2.0 */
/* gate: what the questions of the gates share. Private to gate.c, which has the table, gate_caps.c and gate_money.c. */
#ifndef KITH_TOUCH_GATE_H
#define KITH_TOUCH_GATE_H

#include "touch/inside.h"

/* A question says true when the touch may not go, and why and until when in `verdict`. */
struct asking {
    const struct touches *touches;
    const struct candidate *candidate;
    struct verdict *verdict;
};

static inline bool gate_is_marketing(const struct candidate *candidate)
{
    return (candidate->line->flags & LINE_TRANSACTIONAL) == 0;
}
static inline bool gate_is_test(const struct candidate *candidate)
{
    return (candidate->line->flags & LINE_TEST) != 0;
}

bool gate_asks_cap(struct asking *ask);    /* of the policy */
bool gate_asks_quota(struct asking *ask);  /* of the account, per customer */
bool gate_asks_behind(struct asking *ask); /* an earlier one to her is tried again */
bool gate_asks_budget(struct asking *ask);

#endif
