/* SPDX-License-Identifier: Apache-2.0 */
/* pool: the conditions about events of many rules, each once. Private to rule/: made in pool.c, listed in pool_list.c, asked in
 * hear.c and pool_answer.c, all by what pool_find.c finds of a customer.
 *
 *     type ─▶ open ───────────────┬▶ series (which events: names and where) ─▶ group (through which window) ─▶ test (measured and compared how) ─▶ owners
 *          └▶ property ─▶ text ───┘└▶ odd: what moves by more than a window; asked whole
 *
 * An event is compared with the series that ask for its own texts, and with those that ask for no text; with each of them once,
 * however many conditions count it. A window's edges are computed once a moment, however many look through it; what a test comes
 * to once a hearing, however many rules stand on it. */
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
    uint32_t owners, next, group;
    bool holds;     /* in this round */
    uint64_t round; /* in which it was answered */
};
struct pool_group {
    const struct node *node; /* whose window it is */
    uint32_t window, tests, next, series;
    bool is_known;    /* in this round: nothing that may be in the window is missing */
    uint64_t round;   /* in which it was looked through */
    size_t low, high; /* her events in it: [low, high) of times and places */
};
struct pool_series {
    const struct rule *rule;
    const struct node *node;
    enum moving moving;
    uint32_t groups; /* MOVES_BY_WINDOW */
    uint32_t owners; /* others */
    bool is_heard;   /* somebody is to be told */
    uint32_t passed; /* stamp */
    bool is_known;   /* in this round: all that its where asks is there */
    uint64_t round;  /* in which her events in it were found */
    size_t first, end;
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
/* Of a type: the series that count an event only if a property of it says one of their texts. */
struct pool_key {
    history_column column; /* 0: of the channel */
    struct pool_list all;
    uint32_t next; /* of the same type */
};
/* A text of a key → series. */
struct pool_texts {
    struct pool_text {
        uint64_t
            hash; /* of key and text; 0: free. Two texts of one hash are told apart by the where */
        uint32_t links; /* the first */
    } * slots;
    uint32_t capacity, count;
    struct pool_link {
        uint32_t series, next;
    } * links;
    size_t link_count, link_room;
};
struct pool_type {
    struct pool_list open; /* any event of the type may count */
    uint32_t keys;
};
/* A rule that was added, as steps over tests and facts; in the order of the tree, each followed by what stands under it. */
enum pool_step_kind { POOL_TEST, POOL_FACT, POOL_ALL, POOL_ANY, POOL_NOT };
struct pool_step {
    enum pool_step_kind kind;
    uint32_t end;  /* the step after all that stand under it */
    uint32_t test; /* POOL_TEST */
    const struct node *node;
};
struct pool_program {
    const struct rule *rule;
    uint32_t first, end; /* steps; none: only rule_answer can tell */
};

struct rule_pool {
    const struct history *history;
    struct pool_names names;
    struct pool_owner *owners;
    struct pool_test *tests;
    struct pool_group *groups;
    struct pool_series *series;
    struct pool_window *windows;
    struct pool_program *programs;
    struct pool_step *steps;
    size_t owner_count, test_count, group_count, series_count, window_count, program_count;
    size_t owner_room, test_room, group_room, series_room, window_room, program_room;
    size_t step_count, step_room;
    uint32_t *slot_tests; /* of the rule that is being added */
    size_t slot_test_room;
    uint32_t added;
    /* by type, made anew when history knows more of them */
    bool listed;
    uint16_t type_count;
    struct pool_type by_type[HISTORY_TYPES_MAX]; /* 0, which no event has, stands for any */
    struct pool_key *keys;
    size_t key_count, key_room;
    struct pool_texts texts;
    uint32_t type_passed[HISTORY_TYPES_MAX]; /* stamp */
    uint32_t stamp;
    /* of the customer who is looked at, at this moment: her events, series by series */
    int64_t now_ms;
    uint64_t round;
    int64_t *times;
    size_t *places;
    size_t time_room, place_room, count;
};

/* Room for one more; false: no memory. */
bool pool_room(void *items, size_t *room, size_t count, size_t size);
#define HAS_ROOM(pool, list, what) \
    pool_room(&(pool)->list, &(pool)->what##_room, (pool)->what##_count, sizeof(*(pool)->list))

/* ---- pool_list.c: which series may count an event ---- */

/* They are listed by all that history knows; false: no memory. */
bool pool_list_all(struct rule_pool *pool);
void pool_lists_free(struct rule_pool *pool);
typedef void pool_visit(void *context, uint32_t series);
/* Those of a type that ask for no text. */
void pool_each_open(const struct rule_pool *pool, uint16_t type, pool_visit *visit, void *context);
/* Those that ask for a text that event `at` has; all of a property that memory does not have of every event. `type`: the event's,
 * or 0. Some more than once. */
void pool_each_keyed(const struct rule_pool *pool, const struct history_view *view, size_t at,
                     uint16_t type, pool_visit *visit, void *context);

/* ---- pool_find.c: her events ---- */

/* Another customer, or another moment. */
void pool_begin(struct rule_pool *pool, const struct rule_hearing *hearing, int64_t now_ms);
/* Her events in this series, in the order of her history; false: not all that it asks is in memory, or there is no memory. */
bool pool_find(struct rule_pool *pool, struct rule_judge *judge, uint32_t series);
/* Edges at judge->now_ms; `which`: 0 of now, 1 of then. */
struct pool_edges pool_edges_of(struct rule_pool *pool, struct rule_judge *judge,
                                const struct pool_group *group, size_t which);
/* How many of the times of a series that was found are before. */
size_t pool_before(const struct rule_pool *pool, const struct pool_series *series, int64_t time_ms);
/* Find what is in its window, and move hearing->until_ms forward to when time changes that; false as of pool_find, or events
 * are missing. */
bool pool_look(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t group);
/* When time first changes which of her events are in the window [low, high). */
void pool_note_until(const struct rule_pool *pool, struct rule_hearing *hearing,
                     const struct pool_series *series, const struct window *window, size_t low,
                     size_t high);

/* ---- pool_answer.c ---- */

/* The steps of a rule whose conditions have just been added, as pool->slot_tests says (POOL_NONE: not by a test). */
err pool_add_program(struct rule_pool *pool, const struct rule *rule) MUST_USE;

#endif
