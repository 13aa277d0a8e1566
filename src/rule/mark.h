/* SPDX-License-Identifier: Apache-2.0 */
/* mark: which events of many a condition may count, by their type and time alone. Private to rule/. */
#ifndef KITH_RULE_MARK_H
#define KITH_RULE_MARK_H

#include "rule/judge.h"

enum hears { HEARS_NONE, HEARS_ONE, HEARS_TWO, HEARS_SOME, HEARS_ALL };
struct listening {
    enum hears hears;
    uint16_t type, other; /* ONE, TWO */
    uint64_t types[HISTORY_TYPES_MAX / 64];
    uint64_t low, size; /* packed words from low to low + size, both inclusive */
    bool closed;        /* no event can */
};

/* What a condition about events, at now, listens to. `untils`: also what counts later by time alone. */
struct listening mark_listen(const struct rule_judge *judge, const struct node *node, bool untils);
/* A bit per event of the view; bits beyond its last event are 0. */
void mark_events(const struct history_view *view, const struct listening *to, uint64_t *marks);
/* The same, in the way that any processor can; for tests. */
void mark_events_plainly(const struct history_view *view, const struct listening *to,
                         uint64_t *marks);

#endif
