/* SPDX-License-Identifier: Apache-2.0 */
/* rules: what the steps of a change of rules share (rules.c has them in order). Private to identity/. */
#ifndef KITH_IDENTITY_RULES_H
#define KITH_IDENTITY_RULES_H

#include "identity/state.h"

#define SAMPLES_MAX 50u

struct change {
    uint32_t a, b; /* roots */
    const char *because;
};

struct rules {
    struct act act;
    struct ledger *ledger;
    struct problem *problem;
    err error;
    uint64_t evaluated, blocked, unblocked, shared, unshared, let_go;
    uint64_t merge_count, split_count;
    struct change merges[SAMPLES_MAX], splits[SAMPLES_MAX];
    uint32_t looked_at;
};

/* Between two whole changes: everything that is looked at goes through here. */
void rules_breathe(struct rules *rules);
void rules_note_merge(struct rules *rules, uint32_t a, uint32_t b, const char *because);
/* The last step, moved.c. */
err rules_join_moved(struct rules *rules) MUST_USE;

#endif
