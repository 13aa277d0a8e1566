/* SPDX-License-Identifier: Apache-2.0 */
/* judge: the scratch of one thread, and what it remembers of each rule. Private to rule/.
 *
 * An answer:
 *     rule_answer ─▶ prepare (bounds and windows at now; types, columns, codes if history knows more)
 *                 ─▶ tree_answer: cheap conditions first; the first about events makes
 *                      pass_run: one walk over her events fills the tallies of all slots
 *                 ─▶ settle_slot: a tally becomes true or false, and until when
 *
 * Invariants
 *   J1 what is remembered of a rule is keyed by its number, which is never given twice; a verdict of a
 *      code holds for ever, since a code means one text for ever.
 *   J2 after a failed allocation `nomem` is set; no memory is read that was not had.
 */
#ifndef KITH_RULE_JUDGE_H
#define KITH_RULE_JUDGE_H

#include "rule/inside.h"

#define VERDICT_PAGE 4096u
#define CODE_UNKNOWN UINT32_MAX

/* Verdicts of a text test by dictionary code: 0 not asked yet, 1 no, 2 yes. `eq` keeps the code itself. */
struct verdicts {
    uint8_t **pages;
    uint32_t page_count;
    uint32_t code;       /* of the literal of eq and ne; 0: not in the dictionary */
    uint32_t code_count; /* of the dictionary when it was looked up */
    bool looked_up;
    uint64_t set_version; /* of the objects that the verdicts speak of */
};

/* The ids of objects that satisfy a rule, as hashes. */
struct object_set {
    bool made;
    uint64_t version; /* of all kinds in it */
    uint64_t serial;  /* another one whenever it was made anew */
    uint64_t checked; /* the answer for which its version was asked */
    int64_t made_ms, until_ms;
    hash128 *slots;
    uint32_t capacity, count;
};

/* What one pass gathers for a slot. */
struct tally {
    int64_t from_ms, to_ms; /* what counts: from <= time < to, at now */
    bool closed;            /* nothing can be in it */
    /* of the events in it */
    uint64_t count; /* with `of`, those that have it */
    wide sum;
    int64_t least, greatest;
    int64_t first_ms, last_ms, first_value, last_value;
    size_t first_at, last_at; /* which event: for texts */
    int64_t day;              /* of the last one */
    uint64_t days;
    uint64_t distinct;
    /* by time alone */
    int64_t enter_ms; /* the first that will be in it later: when */
    int64_t flip_ms;  /* when a property's comparison with now turns */
    uint64_t seen;    /* nth: events of the type so far */
    size_t ring_head; /* of the newest times */
    bool resolved;    /* net: the orders have been counted */
};

struct type_list {
    uint16_t type;
    uint16_t begin, end; /* in listeners */
};

/* What a judge knows of a rule. */
/* What every answer reads stands first, within two cache lines: with thousands of rules each of them is a wait for memory. */
struct known {
    uint64_t rule_number;
    bool typed, prepared;
    bool has_full;       /* a column that memory could not hold */
    uint16_t type_count; /* that history had */
    uint32_t columns_found;
    uint32_t listed, any_begin, any_end;
    int64_t now_ms, entered_ms; /* what it is prepared for */
    int64_t begin_ms;           /* no slot needs an event before */
    struct tally *starts;       /* tallies before an event */
    struct tally *tallies;
    struct type_list *types;
    uint16_t *heard; /* listeners by type; those of any event last */
    history_column *columns;
    int64_t *rings;
    struct bound {
        wide low, high;
    } * bounds;
    struct rule_answer *leaves; /* of conditions, when each was asked before the whole */
    struct verdicts *verdicts;
    struct object_set *sets;
    uint64_t bits[HISTORY_TYPES_MAX / 64]; /* of types that it listens to */
};
/* Does any listener of it? */
static inline bool known_hears(const struct known *known, uint16_t type)
{
    return (known->bits[type / 64] >> (type % 64) & 1) != 0;
}
/* Who listens to a type: known->heard[*begin … *end - 1]. */
static inline void known_listeners(const struct known *known, uint16_t type, uint32_t *begin,
                                   uint32_t *end)
{
    *begin = known->any_begin;
    *end = known->any_end;
    for (uint32_t i = 0; i < known->listed; i++) {
        if (known->types[i].type == type) {
            *begin = known->types[i].begin;
            *end = known->types[i].end;
            return;
        }
    }
}

/* ---- many at once: span.c ---- */

#define SPAN_WORDS HISTORY_SPAN_WORDS
#define SPAN_SLOTS HISTORY_BLOCK_NODES
struct bits { /* by slot of a span */
    uint64_t words[SPAN_WORDS];
};
/* What a cell comes to, by its hash, while one condition is asked of one span. */
#define SPAN_CELLS 1024u
struct cell_verdict {
    int64_t cell, until_ms;
    uint32_t stamp;
    bool holds;
};
struct spanning {
    const struct history_span *span;
    bool untils; /* wanted */
    int64_t cells[SPAN_SLOTS];
    struct cell_verdict verdicts[SPAN_CELLS];
    uint32_t stamp;
    uint64_t *marks; /* of events */
    size_t mark_capacity;
    struct bits *leaves; /* of conditions, when each is asked before the whole */
    size_t leaf_capacity;
    bool asked;
    int64_t (*until_ms)[SPAN_SLOTS]; /* by depth of the tree */
    size_t until_capacity;
};

struct entry64 { /* of the set for `distinct` */
    int64_t value;
    uint32_t slot;
    uint32_t round;
};

/* An order's event, for net; an event of a step, for sequences; an event that counts, for explain. */
struct item {
    uint32_t slot;
    uint32_t role;
    size_t at;
    int64_t time_ms;
};

struct rule_judge {
    struct known_slot { /* open addressing */
        uint64_t rule_number;
        struct known *known; /* NULL: free */
    } * known;
    uint32_t known_capacity, known_count;
    uint32_t pages; /* of verdicts */
    uint64_t tick;
    bool nomem;
    /* of the answer that is being made */
    const struct rule *rule;
    struct known *k;
    const struct history_view *view;
    const struct rule_facts *facts;
    uint32_t customer;
    int64_t now_ms;
    bool passed;            /* the pass was made */
    bool asked;             /* leaves[] are this customer's */
    bool partial;           /* the pass lacked events that may count */
    bool was_partial;       /* some answer was, since that was asked */
    bool explains;          /* keep what counts */
    int64_t flip_ms;        /* of the where being tested */
    const size_t *bindings; /* events matched by earlier steps */
    /* scratch */
    struct entry64 *set;
    uint32_t set_capacity, set_count, round;
    struct item *items;
    size_t item_count, item_capacity;
    struct order *orders;
    size_t order_capacity;
    struct rule_touch *touches; /* of the history */
    uint32_t *touch_codes;
    size_t touch_capacity, touch_code_capacity;
    struct item *counted; /* explain: the events that count */
    size_t counted_count, counted_capacity;
    uint32_t *steps; /* sequences: places of the events of each step */
    size_t step_capacity;
    uint32_t *failed; /* sequences: places from which there is no way on */
    size_t failed_capacity;
    uint64_t serial;
    bool (*on_partial)(void *context, uint32_t customer);
    void *partial_context;
    struct spanning *spanning; /* made when it is needed */
};

/* Room for `count` items of `size`; `items` is where the pointer is. False sets nomem. */
bool judge_room(struct rule_judge *judge, void *items, size_t *capacity, size_t count, size_t size);

/* ---- judge.c ---- */
struct known *judge_known(struct rule_judge *judge, const struct rule *rule);
void judge_prepare(struct rule_judge *judge, int64_t now_ms);
void judge_begin(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                 const struct history_view *view, const struct rule_facts *facts, int64_t now_ms);
/* This rule's types, columns and verdicts for the view that is there, nothing of its windows; false: its columns do not say all
 * of this view. */
bool judge_stand(struct rule_judge *judge, const struct rule *rule);
/* Another customer, the same rule and moment. */
static inline void judge_next(struct rule_judge *judge, uint32_t customer,
                              const struct history_view *view)
{
    judge->tick++;
    judge->customer = customer;
    judge->view = view;
    judge->passed = judge->asked = judge->partial = false;
    judge->bindings = NULL;
}
void verdicts_clear(struct verdicts *verdicts);

/* ---- tree.c ---- */
struct rule_answer tree_answer(struct rule_judge *judge, const struct node *node);
struct rule_answer leaf_answer(struct rule_judge *judge, const struct node *node);
/* A value against a comparison; `set` false: it is missing. *until gets the moment at which time turns it. */
bool value_holds(struct rule_judge *judge, const struct compare *compare, bool set,
                 const struct rule_value *value, int64_t *until_ms);
bool time_holds(struct rule_judge *judge, const struct compare *compare, int64_t value_ms,
                int64_t *until_ms);

/* ---- test.c: the properties of an event ---- */
bool event_number(struct rule_judge *judge, const struct property *property, size_t at,
                  int64_t *value);
uint32_t event_code(struct rule_judge *judge, const struct property *property, size_t at);
str event_text(struct rule_judge *judge, const struct property *property, size_t at);
/* Does the where hold of event `at`? Moves judge->flip_ms forward to when time turns it. */
bool where_holds(struct rule_judge *judge, const struct node *where, size_t at);
/* A text of a column by its code, through the verdicts. */
bool code_holds(struct rule_judge *judge, const struct compare *compare, history_column column,
                uint32_t code);

/* What the answer stands on is not all there. */
static inline void note_partial(struct rule_judge *judge, bool is_partial)
{
    judge->partial |= is_partial;
    judge->was_partial |= is_partial;
}

/* ---- pass.c ---- */
void pass_run(struct rule_judge *judge);
/* The same for one slot and one customer of many, whose events are told by place: span.c. */
void pass_begin_slot(struct rule_judge *judge, uint32_t slot);
void pass_hear_slot(struct rule_judge *judge, uint32_t slot, size_t at);
void pass_end_slot(struct rule_judge *judge, uint32_t slot);
/* Is any event from begin_ms on missing in the view? */
bool lacks_events(const struct history_view *view, int64_t begin_ms);
/* An empty one; of one tally at a time is told what differs. */
void tally_begin(struct rule_judge *judge, const struct node *node, struct tally *tally);
void tally_add(struct rule_judge *judge, const struct node *node, struct tally *tally, size_t at,
               int64_t time_ms);
/* Its value is already known. */
void tally_push(struct rule_judge *judge, const struct node *node, struct tally *tally, size_t at,
                int64_t time_ms, int64_t value);
/* When does an event at `time_ms`, which is not in the window for being late, come into it? */
int64_t window_enters(struct rule_judge *judge, const struct window *window, int64_t time_ms);
/* When does an event that is in the window leave it? */
int64_t window_leaves(struct rule_judge *judge, const struct window *window, int64_t time_ms);
int64_t window_entered(const struct rule_judge *judge, const struct window *window);
void window_at(struct rule_judge *judge, const struct window *window, struct tally *tally);
bool keep_item(struct rule_judge *judge, struct item item);

/* ---- span.c ---- */
void spanning_free(struct rule_judge *judge);
/* Ready to judge this span: known, prepared, every column whole. False: one by one, or nomem. */
bool span_begin(struct rule_judge *judge, const struct rule *rule, const struct history_span *span,
                const struct rule_facts *facts, int64_t now_ms);
/* Each condition alone, of all who are plain: counted. Before span_tree. */
void span_count(struct rule_judge *judge, uint64_t *counts);
/* Those in `care` who satisfy the rule. */
struct bits span_tree(struct rule_judge *judge, struct bits care, int64_t *until_ms);

/* ---- settle.c ---- */
struct rule_answer settle_slot(struct rule_judge *judge, const struct node *node,
                               struct tally *tally);
/* The measure's value; false if there is none. */
bool settle_value(struct rule_judge *judge, const struct node *node, const struct tally *tally,
                  struct rule_value *value);
int64_t settle_until(struct rule_judge *judge, const struct node *node, const struct tally *tally);

/* ---- net.c, sequence.c, touch.c, object.c ---- */
void net_resolve(struct rule_judge *judge, const struct node *node, struct tally *tally);
/* Orders that are left, one by one; false from `visit` stops. After the pass. */
struct order;
void net_each(struct rule_judge *judge, const struct node *node, struct tally *tally,
              bool (*visit)(void *context, const struct order *order, size_t at, int64_t time_ms),
              void *context);
/* What is left of the measured value. */
int64_t net_left(const struct measuring *measuring, const struct order *order, int64_t value);
struct rule_answer sequence_answer(struct rule_judge *judge, const struct node *node,
                                   const struct tally *tally);
struct rule_answer touch_answer(struct rule_judge *judge, const struct node *node,
                                struct tally *tally);
/* The set of an object node, made anew when need be; NULL without memory. */
const struct object_set *object_set(struct rule_judge *judge, const struct node *node);
bool object_set_has(const struct object_set *set, str id);
struct rule_answer object_answer(struct rule_judge *judge, const struct node *node);

static inline int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline history_column column_of(const struct rule_judge *judge,
                                       const struct property *property)
{
    return judge->k->columns[property->column];
}

#endif
