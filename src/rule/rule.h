/* SPDX-License-Identifier: Apache-2.0 */
/* rule: what is true of a customer, now. One language for tags, segments, journeys and scopes.
 *
 *     JSON ──parse──▶ tree ──check against a catalogue──▶ rule ──┬─▶ judge one customer (answer, until when)
 *                                                            ├─▶ scan everybody
 *                                                            ├─▶ explain, say as a sentence
 *                                                            └─▶ SQL, for counting rules
 * The reference is docs/rules.md.
 *
 * Invariants
 *   R1 one answer: judging over a view in RAM, over streamed rows, by SQL where SQL is made, and by the
 *      naive twin of the tests (tests/support/oracle) agree, for every rule, history and moment.
 *   R2 `until_ms` is never later than the first moment at which time alone changes the answer; it may be
 *      earlier (then judging again moves it on).
 *   R3 a rule that names what does not exist, or compares what cannot be compared, is never made: the
 *      problem has a JSON pointer, the reason and a suggestion.
 *   R4 missing values: every comparison with a missing value is false, `ne` and `not_in` included; only
 *      is_not_set is true. `not` turns the answer of its rule, missing or not.
 *   R5 windows: start inclusive, end exclusive, to the millisecond; calendar edges in the workspace's zone.
 *      Ties in time break by seq.
 *   R6 a rule is immutable once made, and needs no memory while it is judged beyond the judge's scratch.
 *
 * Threads: a rule may be judged by any number of threads at once, each with its own `rule_judge`.
 */
#ifndef KITH_RULE_RULE_H
#define KITH_RULE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "history/history.h"

#define RULE_DEPTH_MAX 32
#define RULE_CONDITIONS_MAX 500
#define RULE_LIST_MAX 10000
#define RULE_WINDOW_DAYS_MAX 3660
#define RULE_FOREVER INT64_MAX

struct rule;

/* ---- names like a wrong one, for rule_catalogue.suggest: offer all, then write ---- */

#define RULE_SUGGESTIONS_MAX 3
struct rule_suggestions {
    size_t count;
    size_t sizes[RULE_SUGGESTIONS_MAX], distances[RULE_SUGGESTIONS_MAX];
    char names[RULE_SUGGESTIONS_MAX][100];
};
void rule_suggestions_offer(struct rule_suggestions *suggestions, str wrong, str candidate);
/* "'city' or 'country'"; nothing if none is like it. */
void rule_suggestions_write(const struct rule_suggestions *suggestions, struct buffer *out);
/* Edits (a letter more, less, another, or two exchanged) between two names; limit + 1 if there are more. */
size_t rule_distance(str a, str b, size_t limit);

/* ---- what a rule may name ---- */

/* Kinds of values of properties, traits and tags. */
enum rule_kind {
    RULE_TEXT,
    RULE_NUMBER, /* int64 in millionths: whole and decimal numbers compare exactly */
    RULE_MONEY,  /* minor units */
    RULE_TIME,   /* ms UTC; dates are their local midnight */
    RULE_BOOL,
    RULE_TEXTS, /* a list: a comparison holds if it holds for one of them; ne and not_in, for none */
};

/* A symbol that a catalogue gave out; what it means is the catalogue's own. */
struct rule_symbol {
    enum rule_kind kind;
    uint32_t number;
};

/* What a window may begin with: the moment she entered it. */
enum rule_entered_kind { RULE_ENTERED_SELF, RULE_ENTERED_SEGMENT, RULE_ENTERED_JOURNEY };
struct rule_entered {
    enum rule_entered_kind kind;
    struct rule_symbol symbol;
};

/* The world of names, at check time. `property` with an empty event asks for one that any event may have, and all of
 * an object's kinds are asked by `object`. A function that is NULL knows nothing. Functions return false for what is not known; `suggest` (may be NULL)
 * appends names like the wrong one. Implemented by audience/ over plan, traits, tags, segments; by tests. */
struct rule_catalogue {
    void *context;
    bool (*event)(void *context, str name);
    bool (*property)(void *context, str event, str path, enum column_kind *kind);
    bool (*trait)(void *context, str name, struct rule_symbol *symbol);
    bool (*tag)(void *context, str key, struct rule_symbol *symbol);
    bool (*segment)(void *context, str key, struct rule_symbol *symbol);
    bool (*identifier_type)(void *context, str name, struct rule_symbol *symbol);
    bool (*consent)(void *context, str purpose, struct rule_symbol *symbol);
    bool (*relation)(void *context, str name, struct rule_symbol *symbol);
    /* An object kind; `path` empty asks for the kind alone. Tags of objects: path "tag:key". */
    bool (*object)(void *context, str kind, str path, struct rule_symbol *symbol);
    /* `what`: event, property, trait, tag, segment, identifier type, consent, relation, channel, object, "property of a
     * store", "tag of a store", or a field of a touch. */
    void (*suggest)(void *context, const char *what, str wrong, struct buffer *out);
    struct history *history; /* types, channels, columns */
    const struct rule_zone *zone;
    /* A channel that one may be reachable by. NULL: there is none. */
    bool (*channel)(void *context, str name, struct rule_symbol *symbol);
    /* A journey, for windows since she entered it. NULL: there is none. */
    bool (*journey)(void *context, str name, struct rule_symbol *symbol);
    /* Is there such a journey, campaign, template …? `field` as in the rule. NULL: not checked. */
    bool (*touch)(void *context, str field, str value);
};

/* A zone as offsets over time: local = utc + offset. Fixed zones have one entry. */
struct rule_zone {
    char name[64];
    size_t count;
    const int64_t *since_ms; /* ascending; the first is INT64_MIN */
    const int32_t *offset_seconds;
};

/* ---- making ---- */

/* Parse, check and compile. Errors: UNPROCESSABLE with problem->pointer, reason and hint. Columns that the rule
 * needs and history does not have are listed by rule_columns: the rule can be judged once they are ready. */
err rule_new(struct rule **rule, json_value json, const struct rule_catalogue *catalogue,
             struct problem *problem) MUST_USE;
void rule_free(struct rule **rule);

/* What it depends on: the index from changes to rules is made of this. */
struct rule_needs {
    size_t event_count, column_count, trait_count, tag_count, segment_count;
    const str *events; /* type names; "" means: any event */
    const struct rule_column {
        str path;
        enum column_kind kind;
    } * columns;
    const uint32_t *traits, *tags, *segments; /* symbol numbers */
    size_t relation_count, object_symbol_count, entered_count;
    const uint32_t *entered; /* segments whose moment of entering counts; also among `segments` */
    size_t entered_journey_count;
    const uint32_t *entered_journeys; /* the same of journeys */
    const uint32_t *relation_symbols;
    const uint32_t *object_symbols; /* of what is asked of objects: their properties and tags */
    bool identifiers, consents, relations, touches, objects;
    bool nested; /* objects lead on to objects */
    bool time;   /* may change by time alone */
};
const struct rule_needs *rule_needs(const struct rule *rule);
/* The JSON in its normal form: defaults left out, members in order. */
void rule_write(const struct rule *rule, struct buffer *out);

/* ---- judging ---- */

/* A value, by its kind: number, text, or texts. */
struct rule_value {
    int64_t number;
    str text;
    const str *texts;
    uint32_t text_count;
};

enum rule_fact {
    RULE_FACT_TRAIT,
    RULE_FACT_TAG,
    RULE_FACT_SEGMENT,
    RULE_FACT_IDENTIFIER,
    RULE_FACT_CONSENT,
    RULE_FACT_RELATION,
};
#define RULE_NO_CELL INT64_MIN
/* What is known of a customer besides her history; functions of the caller, by symbol number. `number` and
 * `code` kinds as in struct rule_symbol; texts are given as text. Must be cheap: nanoseconds. */
struct rule_facts {
    void *context;
    /* false: not set */
    bool (*trait)(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value);
    bool (*tag)(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value);
    bool (*segment)(void *context, uint32_t customer, uint32_t symbol);    /* is in */
    bool (*identifier)(void *context, uint32_t customer, uint32_t symbol); /* holds one */
    bool (*consent)(void *context, uint32_t customer, uint32_t symbol, bool *granted);
    bool (*relation)(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value);
    /* The moment she entered what is being judged ("since entering"); INT64_MIN: not in it. */
    int64_t entered_ms;
    /* The same of a named segment or journey; INT64_MIN: not in it. NULL: in none. */
    int64_t (*entered)(void *context, uint32_t customer, const struct rule_entered *what);
    /* May be contacted by this channel today. NULL: never. */
    bool (*reachable)(void *context, uint32_t customer, uint32_t symbol);
    /* Who asks ("$me"); empty: nobody, and what is compared with it is false. */
    str me;
    /* The same of neighbours at once, if it is there for what is asked (false: it is not, ask one by one): a cell for each of
     * `count` customers from `first` on, RULE_NO_CELL where it is not set. Who has the same cell has the same value, and
     * `cell` says which. Of segments and identifiers any cell says yes; of consents 0 or 1. NULL: nothing is. */
    bool (*cells)(void *context, enum rule_fact fact, uint32_t symbol, uint32_t first,
                  uint32_t count, int64_t *cells);
    bool (*cell)(void *context, enum rule_fact fact, uint32_t symbol, int64_t cell,
                 struct rule_value *value);
    /* What was sent to her, ascending (time_ms, seq); borrowed until the next call. NULL: what her history says
     * (RULE_TOUCH_EVENT). */
    const struct rule_touch *(*touches)(void *context, uint32_t customer, size_t *count);
    const struct rule_objects *objects; /* NULL: there are none */
};
/* Touches as events. Who sends keeps no second book for rules: each change of a touch is an event of this type in the
 * customer's own history, at its own time, so that merges, splits, windows and streams are as for any event:
 *
 *     type      "$touch"; channel: the channel by which it goes
 *     $touch    the touch's own id, the same in each of its events
 *     $status   queued held sent delivered confirmed failed suppressed uncertain opened clicked
 *     $journey $node $campaign $template   what brought it, as far as there is; the first event says
 *
 * A touch happened at the time of its first event; its status is that of its last before now. The event has no other
 * identifier than the customer's; plan and doors know the type as Kith's own. */
#define RULE_TOUCH_EVENT "$touch"
struct rule_touch {
    int64_t time_ms;
    uint64_t seq;
    str journey, node, campaign, template_, channel, status; /* status: what it is now */
};
/* All objects, by kind (the number of the symbol that the catalogue gave out for it) and number. The ids that satisfy an
 * object's rule are found once, and kept by the judge until `version` says something else. */
struct rule_objects {
    void *context;
    uint32_t (*count)(void *context, uint32_t kind); /* numbers are below it; there may be gaps */
    bool (*id)(void *context, uint32_t kind, uint32_t number, str *id);
    bool (*value)(void *context, uint32_t kind, uint32_t number, uint32_t symbol,
                  struct rule_value *value);
    uint64_t (*version)(void *context, uint32_t kind); /* another one after any change */
};
struct rule_answer {
    bool holds;
    int64_t until_ms; /* RULE_FOREVER: only an event or a fact can change it */
    /* The view was not complete, and what it lacks may count: judge again with all rows (history_view_rows). */
    bool partial;
};

struct rule_judge; /* scratch of one thread */
err rule_judge_new(struct rule_judge **judge) MUST_USE;
void rule_judge_free(struct rule_judge **judge);
/* Was the last answer or measure partial (struct rule_answer)? */
bool rule_judge_was_partial(const struct rule_judge *judge);
/* Was any, since this was asked last? */
bool rule_judge_take_partial(struct rule_judge *judge);
/* Did memory run out since the last time this was asked? Answers given meanwhile may be wrong: they say holds false, until
 * now, and have to be asked again. */
err rule_judge_status(struct rule_judge *judge) MUST_USE;
/* For who asks many rules of one customer: what an answer reads of the rule is fetched towards the processor. All their step 0, then
 * all their step 1 … below RULE_NEAR_STEPS, so that the waits for memory overlap. Nothing else happens. */
#define RULE_NEAR_STEPS 4
void rule_near(const struct rule_judge *judge, const struct rule *rule, unsigned step);
/* Events at or after now_ms are not yet. Cost: a pass over the events of the types that it names. */
void rule_answer(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                 const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                 struct rule_answer *answer);
/* A measure's value ({"event":…, "measure":…} without comparison), for counted tags and scores:
 * NUMBER in millionths, MONEY, TIME or TEXT as its kind says. False: nothing to measure. */
err rule_measure_new(struct rule **rule, json_value json, const struct rule_catalogue *catalogue,
                     enum rule_kind *kind, struct problem *problem) MUST_USE;
bool rule_measure(struct rule_judge *judge, const struct rule *measure, uint32_t customer,
                  const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                  struct rule_value *value, int64_t *until_ms);

/* ---- many rules about one customer: which of them something may have changed (pool.c) ----
 *
 * A *pool* has the conditions about events of many rules, each once, however many rules name it, and says of an event, or of
 * a time that has passed, which rules it may have changed: those of a condition that counts the event (its type, its
 * properties, its window) and comes to something else by it, and those with an event that has left or entered a window.
 * Everything else about a rule is the caller's (rule_needs): facts, and what `turns`.
 *
 *   R7 a rule of which the pool says nothing has the answer that it had; and no later than `until_ms` an answer is to be
 *      asked for again.
 *
 * Rules are borrowed. One thread, with the judge that is given. */
struct rule_pool;
err rule_pool_new(struct rule_pool **pool, const struct history *history) MUST_USE;
void rule_pool_free(struct rule_pool **pool);
/* A rule or a measure; `owner` is told of its changes. `turns`: time alone may change it in ways of which the pool says
 * nothing; it is set, or left as it is. */
err rule_pool_add(struct rule_pool *pool, const struct rule *rule, uint32_t owner,
                  bool *turns) MUST_USE;
struct rule_hearing {
    struct rule_judge *judge;
    const struct rule_facts *facts;
    uint32_t customer;
    const struct history_view *view;
    /* An owner may be told more than once. */
    void (*changed)(void *context, uint32_t owner);
    void *context;
    int64_t until_ms; /* moved forward, to when time may change one of which nothing was said */
};
/* Does any of them look at events of this type (a number of history)? False: rule_pool_hear would say nothing, and her history
 * need not be looked at. */
bool rule_pool_listens(struct rule_pool *pool, uint16_t type);
/* Event `at` of the view is new; all else was settled at now_ms. */
void rule_pool_hear(struct rule_pool *pool, struct rule_hearing *hearing, size_t at,
                    int64_t now_ms);
/* What was true at then_ms is to be so at now_ms. The view is complete. `until_ms` is of all that is in it. */
void rule_pool_pass(struct rule_pool *pool, struct rule_hearing *hearing, int64_t then_ms,
                    int64_t now_ms);
/* What rules of the pool come to of the customer, view and facts of a hearing, from rule_pool_begin to the next call that begins,
 * hears or passes: each condition is answered once for all of them. `added`: which rule, counted in the order of
 * rule_pool_add. As rule_answer and rule_measure, whose until_ms is no earlier than what `until_ms` is moved forward to; false:
 * nothing is known of this one, they are to be asked. */
void rule_pool_begin(struct rule_pool *pool, const struct rule_hearing *hearing, int64_t now_ms);
bool rule_pool_answer(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t added,
                      bool *holds) MUST_USE;
bool rule_pool_measure(struct rule_pool *pool, struct rule_hearing *hearing, uint32_t added,
                       struct rule_value *value, bool *is_set) MUST_USE;
/* Is it one of which something may be known? */
bool rule_pool_is_plain(const struct rule_pool *pool, uint32_t added);
/* How many different conditions there are, and how many were added. */
void rule_pool_counts(const struct rule_pool *pool, uint32_t *different, uint32_t *added);

/* ---- everybody ---- */

/* Judge the customers [from, to); those that satisfy it go to `found` in ascending order. With
 * `condition_counts` (one per rule_condition_count) each condition is also counted alone. The thread's own
 * reader and judge. False from `found` stops. */
/* Customers whose view is not complete where the rule looks go to `partial`, and not to `found`: they are to be judged
 * with their rows from the warehouse. NULL: judge them by what is there. */
void rule_judge_on_partial(struct rule_judge *judge,
                           bool (*partial)(void *context, uint32_t customer), void *context);
err rule_scan(struct rule_judge *judge, const struct rule *rule, struct history_reader *reader,
              const struct rule_facts *facts, int64_t now_ms, uint32_t from, uint32_t to,
              bool (*found)(void *context, uint32_t customer), void *context,
              uint64_t *condition_counts) MUST_USE;
/* Neighbours at once: of those with a bit in `asked` (all of them plain) who satisfies the rule, and until when each answer holds
 * (HISTORY_BLOCK_NODES, by slot; NULL: not asked). False: they have to be asked one by one, or memory ran out
 * (rule_judge_status). As rule_answer, at a tenth of the cost where few have done what the rule asks. */
bool rule_answer_span(struct rule_judge *judge, const struct rule *rule,
                      const struct history_span *span, const struct rule_facts *facts,
                      int64_t now_ms, const uint64_t asked[HISTORY_SPAN_WORDS],
                      uint64_t holds[HISTORY_SPAN_WORDS], int64_t *until_ms) MUST_USE;
/* A measure of neighbours, as rule_measure: `set` has who has one; numbers alone (no texts). */
bool rule_measure_span(struct rule_judge *judge, const struct rule *measure,
                       const struct history_span *span, const struct rule_facts *facts,
                       int64_t now_ms, const uint64_t asked[HISTORY_SPAN_WORDS],
                       uint64_t set[HISTORY_SPAN_WORDS], int64_t *numbers,
                       int64_t *until_ms) MUST_USE;
/* One of them, whose events are told by the caller: what was left to `partial`. As a scan does it otherwise. */
err rule_scan_one(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                  const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                  bool (*found)(void *context, uint32_t customer), void *context,
                  uint64_t *condition_counts) MUST_USE;
/* A rule of objects: `json` is the rule of an object of this kind. */
err rule_objects_new(struct rule **rule, str kind, json_value json,
                     const struct rule_catalogue *catalogue, struct problem *problem) MUST_USE;
/* One object, by its number, against the rule of an object. */
void rule_object_answer(struct rule_judge *judge, const struct rule *rule,
                        const struct rule_facts *facts, uint32_t number, int64_t now_ms,
                        struct rule_answer *answer);

/* ---- measured by object: everybody's events, by the object that they name ---- */

/* A measure ({"event":…, "where":…, "last":…, "measure":…, "of":…} without comparison) whose events are told apart by
 * the id in their property `via`, a text or a list. Not `net`, nor a text as the result. `nth` is of each customer's own
 * events; the values of `distinct` are told, texts as their hash; `days` are the caller's to count.
 * `kind` as of rule_measure_new. */
err rule_grouped_new(struct rule **rule, json_value json, str via,
                     const struct rule_catalogue *catalogue, enum rule_kind *kind,
                     struct problem *problem) MUST_USE;
/* One of a customer's events that count, for one of the objects that it names. `value` is that of the property `of`, in
 * the unit of history. Texts of an id are borrowed for the life of the history; code 0: a text that has none. */
struct rule_grouped {
    uint32_t code;
    str id;
    int64_t time_ms, value;
    bool has_value;
};
/* Of all her events that count, in order; of a plain measure (rule_measure_new) each once, with no id. False from
 * `found` stops. Of a view that lacks what may count nothing is told (rule_judge_was_partial). */
void rule_grouped_visit(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                        const struct history_view *view, const struct rule_facts *facts,
                        int64_t now_ms,
                        bool (*found)(void *context, const struct rule_grouped *grouped),
                        void *context);
/* What is measured, as its word: count, sum …; the value of a sum is × `scale` in the unit of its kind. */
str rule_grouped_measure(const struct rule *rule, int64_t *scale);

size_t rule_condition_count(const struct rule *rule);
str rule_condition_path(const struct rule *rule, size_t index); /* JSON pointer */

/* ---- why ---- */

/* {holds, until, conditions:[{path, holds, value, compared, events:[seq…], until}], sentence:{zh,en}} */
void rule_explain(struct rule_judge *judge, const struct rule *rule, uint32_t customer,
                  const struct history_view *view, const struct rule_facts *facts, int64_t now_ms,
                  struct buffer *out);
/* The rule in words: locale "zh" or "en". */
void rule_sentence(const struct rule *rule, str locale, struct buffer *out);

/* ---- SQL, for counting rules ---- */

/* A query that gives the current customer numbers (column `customer`) that satisfy the rule at now_ms, in the dialect of
 * ClickHouse; UNSUPPORTED when the rule needs more than counting (names the condition). */
err rule_sql(const struct rule *rule, int64_t now_ms, struct buffer *sql,
             struct problem *problem) MUST_USE;

/* The operators, measures, windows and forms, as JSON: what an editor is built from, in both languages. */
void rule_write_catalogue(struct buffer *out);

#endif
