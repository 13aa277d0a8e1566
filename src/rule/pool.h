/* SPDX-License-Identifier: Apache-2.0 */
/* pool: the conditions about events of many rules, each once. Private to rule/: made in pool.c, asked in hear.c.
 *
 *     type ─▶ series (which events: names and where) ─▶ group (through which window) ─▶ test (measured and compared how) ─▶ owners
 *          └▶ odd: what moves by more than a window; asked whole
 *
 * An event is compared with a series once, however many conditions count it; a window's edges are computed once a moment,
 * however many look through it. */
#ifndef KITH_RULE_POOL_H
#define KITH_RULE_POOL_H

#include "rule/judge.h"

#define POOL_NONE UINT32_MAX

/* Who is to be told: a list in pool->owners. */
struct pool_owner {
    uint32_t owner, next;
};
struct pool_test {
    const struct rule *rule;
    const struct node *node;
    uint32_t owners, next;
};
struct pool_group {
    const struct node *node; /* whose window it is */
    uint32_t window, tests, next;
};
struct pool_series {
    const struct rule *rule;
    const struct node *node;
    enum moving moving;
    uint32_t groups; /* MOVES_BY_WINDOW */
    uint32_t owners; /* others */
    uint32_t passed; /* stamp */
};
/* From and to at two moments at once: an answer's before and after. */
struct pool_window {
    struct pool_edges {
        int64_t at_ms, from_ms, to_ms;
    } edges[2];
};
struct pool_list {
    uint32_t *series;
    size_t count, room;
};
/* Print → place. */
struct pool_names {
    struct pool_name {
        hash128 print;
        uint32_t place; /* + 1; 0: free */
    } * slots;
    uint32_t capacity, count;
};

struct rule_pool {
    const struct history *history;
    struct pool_names names;
    struct pool_owner *owners;
    struct pool_test *tests;
    struct pool_group *groups;
    struct pool_series *series;
    struct pool_window *windows;
    size_t owner_count, test_count, group_count, series_count, window_count;
    size_t owner_room, test_room, group_room, series_room, window_room;
    uint32_t added;
    /* by type, made anew when history knows more of them */
    bool listed;
    uint16_t type_count;
    struct pool_list by_type[HISTORY_TYPES_MAX];
    uint32_t type_passed[HISTORY_TYPES_MAX]; /* stamp */
    uint32_t stamp;
    /* of the series that is being looked at: her events in it */
    int64_t *times;
    size_t *places;
    size_t time_room, place_room, count;
};

#endif
