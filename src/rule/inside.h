/* SPDX-License-Identifier: Apache-2.0 */
/* inside: the tree of a rule, as it is parsed, judged, explained and written. Private to rule/.
 *
 * A rule is a tree of nodes in one arena. Its leaves are *conditions*, numbered in order; those about events also
 * have a *slot*: one pass over a customer's events fills the tallies of all slots. What a slot listens to
 * is a list of *listeners*: an event name and the role in which it is heard.
 *
 *     all ┬ trait              condition 0
 *         ├ event "Order Paid" condition 1, slot 0 ◀─ listener Order Paid, listener Order Completed
 *         └ sequence           condition 2, slot 1 ◀─ listener of each step, role: its place
 *
 * Numbers are kept in the unit of what they are compared with: millionths, minor units, ms, or whole.
 */
#ifndef KITH_RULE_INSIDE_H
#define KITH_RULE_INSIDE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/json.h"
#include "rule/rule.h"
#include "rule/zone.h"

__extension__ typedef __int128 wide;
#define WIDE_MAX ((wide)1 << 120) /* beyond any sum */
#define MILLION 1000000

/* ---- operators; docs/rules.md and rule_write_catalogue are made after this table ----
 * X(NAME, word, how many values: 0 1 2 or L for a list; kinds it takes; zh; en)
 * Kinds: t text, n number, m money, d time, b bool, l list of texts. */
#define RULE_OPERATORS(X)                                                      \
    X(EQ, "eq", '1', "tnmdbl", "等于", "is")                                   \
    X(NE, "ne", '1', "tnmdbl", "不等于", "is not")                             \
    X(IN, "in", 'L', "tnmdl", "属于", "is one of")                             \
    X(NOT_IN, "not_in", 'L', "tnmdl", "不属于", "is none of")                  \
    X(LT, "lt", '1', "nmd", "小于", "is less than")                            \
    X(LTE, "lte", '1', "nmd", "小于等于", "is at most")                        \
    X(GT, "gt", '1', "nmd", "大于", "is more than")                            \
    X(GTE, "gte", '1', "nmd", "大于等于", "is at least")                       \
    X(BETWEEN, "between", '2', "nmd", "介于", "is between")                    \
    X(CONTAINS, "contains", '1', "tl", "包含", "contains")                     \
    X(NOT_CONTAINS, "not_contains", '1', "tl", "不包含", "does not contain")   \
    X(STARTS_WITH, "starts_with", '1', "tl", "开头是", "starts with")          \
    X(ENDS_WITH, "ends_with", '1', "tl", "结尾是", "ends with")                \
    X(MATCHES, "matches", '1', "tl", "匹配正则", "matches")                    \
    X(ON, "on", '1', "d", "在（当天）", "is on the day of")                    \
    X(ANNIVERSARY, "anniversary", '1', "d", "周年日在", "has its anniversary") \
    X(IS_SET, "is_set", '0', "tnmdbl", "有值", "is set")                       \
    X(IS_NOT_SET, "is_not_set", '0', "tnmdbl", "没有值", "is not set")

enum comparison {
    OP_NONE,
#define X(NAME, word, arity, kinds, zh, en) OP_##NAME,
    RULE_OPERATORS(X)
#undef X
        OP_COUNT
};
const char *operator_word(enum comparison op);
const char *operator_kinds(enum comparison op);
char operator_arity(enum comparison op);
const char *operator_label(enum comparison op, bool chinese);
enum comparison operator_find(str word);

/* ---- measures: X(NAME, word, of: 'n' none, 'r' required, 'o' optional; kinds of `of`; zh; en) ---- */
#define RULE_MEASURES(X)                                                       \
    X(COUNT, "count", 'n', "", "次数", "times")                                \
    X(SUM, "sum", 'r', "nm", "总和", "total")                                  \
    X(AVG, "avg", 'r', "nm", "平均值", "average")                              \
    X(MIN, "min", 'r', "nmd", "最小值", "smallest")                            \
    X(MAX, "max", 'r', "nmd", "最大值", "largest")                             \
    X(DISTINCT, "distinct", 'r', "tnmdbl", "不同值的个数", "different values") \
    X(FIRST, "first", 'o', "tnmdb", "首次", "first")                           \
    X(LAST, "last", 'o', "tnmdb", "末次", "last")                              \
    X(DAYS, "days", 'n', "", "天数", "days")                                   \
    X(RECENCY, "recency", 'n', "", "距今天数", "days since the last")

enum measure {
#define X(NAME, word, of, kinds, zh, en) MEASURE_##NAME,
    RULE_MEASURES(X)
#undef X
        MEASURE_END
};
const char *measure_word(enum measure measure);
const char *measure_label(enum measure measure, bool chinese);
const char *measure_kinds(enum measure measure);
char measure_of(enum measure measure);
bool measure_find(str word, enum measure *measure);
char kind_letter(enum rule_kind kind);
const char *kind_word(enum rule_kind kind);

/* ---- comparing ---- */

struct pattern; /* a compiled regular expression */

enum anniversary { ANNIVERSARY_DAYS, ANNIVERSARY_WEEK, ANNIVERSARY_MONTH };

/* A comparison with literals. Numbers: a value holds when low <= value <= high, or when it is in `numbers`; turned by
 * `negate`. Texts: by `op` with `texts` (sorted). */
struct compare {
    enum comparison op;
    enum rule_kind kind;
    bool negate;
    bool relative; /* the bounds move with now: from, to, and bounds[] of the judge */
    bool me;       /* compared with who asks */
    bool has_to;
    wide low, high;
    wide first, second; /* the literals as they were, for averages */
    const wide *numbers;
    const str *texts;
    uint32_t count;
    struct moment from, to;
    struct pattern *pattern;
    enum anniversary anniversary;
    int32_t day_first, day_last;       /* of anniversaries, counted from today */
    uint32_t bound;                    /* place in the judge's bounds, if relative */
    uint32_t verdict;                  /* place in the judge's verdicts per code, + 1 */
    const struct reference *reference; /* instead of literals */
    str shown;                         /* the literal as JSON */
};

/* Another event's property: of an earlier step of the sequence. */
enum property_source { FROM_COLUMN, FROM_CHANNEL, FROM_TIME, FROM_HOUR, FROM_WEEKDAY };
struct property {
    enum property_source source;
    str path;
    enum rule_kind kind;
    enum column_kind column_kind;
    uint32_t column; /* place in rule.columns */
    wide unit; /* what a literal in its kind's unit is divided by: a million for whole numbers */
};
struct reference {
    uint32_t step;
    struct property property;
    wide scale_left, scale_right; /* value × scale, to compare whole numbers with decimals */
};

struct window {
    bool given, entering;
    struct rule_entered entered; /* entering: of what; by default what is judged */
    bool has_from, has_to;
    struct moment from, to;
    str word; /* of a calendar window */
    str last; /* "90d" */
    str from_word, to_word;
};

/* ---- nodes ---- */

enum node_kind {
    NODE_ALL,
    NODE_ANY,
    NODE_NOT,
    NODE_TRAIT,
    NODE_TAG,
    NODE_SEGMENT,
    NODE_HAS,
    NODE_CONSENT,
    NODE_REACHABLE,
    NODE_RELATION,
    NODE_TOUCH,
    NODE_EVENT,
    NODE_SEQUENCE,
    NODE_OBJECT,
    NODE_PROP, /* of an event, or of an object */
};

/* Where a rule stands: what it may speak of. */
enum scope { SCOPE_CUSTOMER, SCOPE_EVENT, SCOPE_OBJECT };

#define TOUCH_FIELDS(X) \
    X(JOURNEY, journey) X(NODE, node) X(CAMPAIGN, campaign) X(TEMPLATE, template_) X(CHANNEL, channel) X(STATUS, status)
enum touch_field {
#define X(NAME, member) TOUCH_##NAME,
    TOUCH_FIELDS(X)
#undef X
        TOUCH_FIELD_COUNT
};

struct texts {
    const str *items;
    uint32_t count;
};

struct measuring {
    enum measure measure;
    bool has_of;
    bool net;
    bool whole;          /* the result is a whole number, not millionths */
    int32_t nth;         /* 0: none; -1: the last */
    enum rule_kind kind; /* of the result */
    uint32_t ring;       /* net nothing: how many of the newest times to keep */
    struct window window;
    struct property of;
    struct property order;                /* net: which order */
    struct property amount, amount_other; /* net: what a refund gives back */
    bool has_amount, has_amount_other;
};

struct step {
    struct texts events;
    struct node *where;
    bool absent;
    bool correlated; /* its where compares with an earlier step */
    struct property *same;
    uint32_t same_count;
};

struct node {
    enum node_kind kind;
    uint32_t condition; /* of leaves */
    uint32_t slot;      /* EVENT and SEQUENCE */
    bool relative;      /* something in it moves with now */
    str pointer;
    struct node **children;
    uint32_t child_count;
    uint32_t *order; /* of children, cheap ones first */
    str name;        /* trait, tag, segment, type, purpose, channel, relation, object kind */
    struct rule_symbol symbol;
    struct compare compare;
    struct property property; /* PROP of an event; OBJECT in an event's where: via */
    enum scope scope;
    /* EVENT, TOUCH */
    struct texts events;
    struct node *where;
    struct measuring measuring;
    struct texts touch[TOUCH_FIELD_COUNT];
    struct property
        touch_columns[TOUCH_FIELD_COUNT + 1]; /* of touches as events; the last: their id */
    /* SEQUENCE */
    struct step *steps;
    uint32_t step_count;
    struct moment within;
    bool has_within;
    str within_word;
    /* OBJECT */
    str via;
    enum node_kind via_kind; /* TRAIT, RELATION, PROP */
    struct rule_symbol via_symbol;
    struct node *inner;
    uint32_t set; /* place in the judge's sets */
    uint32_t verdict;
};

/* ---- what is the same in several rules: print.c ---- */

/* How a condition about events moves; pool.c. */
enum moving {
    MOVES_BY_WINDOW, /* by which events are in its window, and by nothing else */
    MOVES_BY_ORDER,  /* by more than that: nth, net, sequences, what is compared with now */
    MOVES_BY_OTHERS, /* by objects or moments of entering, too */
};
/* Two with the same print count the same. */
struct print {
    hash128 events, window, all;
    enum moving moving;
};

/* ---- the rule ---- */

enum role {
    ROLE_EVENT,
    ROLE_REFUND = 100,
    ROLE_CANCEL,
};
struct listener {
    str event; /* "": any */
    uint16_t slot;
    uint16_t role; /* a step's place in a sequence */
};

struct rule {
    struct arena arena;
    uint64_t number; /* never given twice */
    struct history *history;
    struct zone zone;
    struct node *root;
    bool is_measure;
    struct node **conditions;
    uint32_t condition_count;
    struct node **slots;
    uint32_t slot_count;
    struct print *prints; /* by slot */
    struct listener *listeners;
    uint32_t listener_count;
    struct rule_column *columns;
    uint32_t column_count;
    uint32_t bound_count;
    const struct compare **bounds;
    uint32_t verdict_count;
    struct verdict_use {
        const struct compare *compare; /* or */
        const struct node *object;
        uint32_t column;
    } * verdicts;
    uint32_t set_count;
    struct node **sets;
    uint32_t set_capacity;
    uint32_t *object_symbols;
    uint32_t object_symbol_count;
    struct property via; /* of a measure by object */
    bool has_via;
    uint32_t ring_total;
    bool has_entered; /* some window begins with a named segment or journey */
    bool whole_life;  /* some slot looks at events before its window: nth, net */
    bool turns;       /* time alone may turn a condition that is about no event, or about touches */
    struct rule_needs needs;
    struct pattern *patterns; /* a list, to free */
};

/* ---- patterns ---- */

#define PATTERN_BYTES_MAX 512
#define PATTERN_SUBJECT_BYTES_MAX 4096
/* Refused when it does not compile, or takes too long on texts made to provoke it. */
err pattern_new(struct rule *rule, str text, struct pattern **pattern,
                struct problem *problem) MUST_USE;
void patterns_free(struct rule *rule);
/* A text for which the match limit is reached does not match. Any thread. */
bool pattern_matches(const struct pattern *pattern, str subject);
/* Did memory run out in a match of this thread since it was taken last? Then the match said no. */
bool pattern_is_starved(void);
bool pattern_take_starved(void);

/* ---- testing values ---- */

bool number_holds(const struct compare *compare, wide value);
/* One of the six relations of two numbers; no other operator. */
bool wide_holds(enum comparison op, wide left, wide right);
bool text_holds(const struct compare *compare, str value);
bool texts_are_sorted_in(const str *texts, uint32_t count, str value);
bool anniversary_holds(const struct compare *compare, const struct zone *zone, int64_t value_ms,
                       int64_t now_ms);
bool is_text_kind(enum rule_kind kind);

/* Decimal text ("-12.5", "1e3") → millionths. False: no number, out of range, or more than six decimals. */
bool millionths_parse(str text, wide *millionths);
void wide_write(struct buffer *out, wide value);
void millionths_write(struct buffer *out, wide value); /* "12.5" */

/* ---- writing parts, as rule_write does ---- */

enum written_part { PART_EVENTS, PART_WINDOW, PART_ALL };
void write_part(const struct node *node, enum written_part part, struct buffer *out);
/* The prints of all slots; once, when the rule is made. */
err rule_print(struct rule *rule) MUST_USE;

/* ---- sentences ---- */

void sentence_node(const struct rule *rule, const struct node *node, bool chinese,
                   struct buffer *out);

#endif
