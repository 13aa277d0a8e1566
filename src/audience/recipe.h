/* SPDX-License-Identifier: Apache-2.0 */
/* recipe: a definition compiled, and what it comes to for one customer or a block of neighbours. Private to audience/. */
#ifndef KITH_AUDIENCE_RECIPE_H
#define KITH_AUDIENCE_RECIPE_H

#include <stdatomic.h>

#include "audience/audience.h"
#include "audience/members.h"
#include "base/arena.h"
#include "rule/rule.h"

/* ---- recipe.c: a definition compiled. Immutable, counted: scans hold it while the engine goes on ---- */

enum form {
    FORM_RULE,   /* segment: one rule; tag and stage: a rule per value */
    FORM_GIVEN,  /* static, uploaded, snapshot; manual, imported, model */
    FORM_RANDOM, /* bucket of a hash */
    FORM_COUNT,  /* a measure */
    FORM_SCORE,
    FORM_RFM,
};
struct score_part {
    str name;
    struct rule *rule;    /* holds: `weight` */
    struct rule *measure; /* or weight times the measure, at most `cap` points */
    enum rule_kind kind;
    str event; /* or per event: weight (times the value of what is measured), decaying */
    enum column_kind of_kind;
    double weight, cap, cap_per_day, half_life_days;
};
struct rfm_axis {
    struct rule *measure;
    enum rule_kind kind;
    bool falling;        /* recency: less is better */
    uint32_t edge_count; /* of thresholds, ascending */
    int64_t edges[9];
};
struct rfm_box {
    str name;
    uint16_t allowed[3]; /* bit per score 1…10 */
};
struct needs {
    str *events;
    uint32_t event_count;
    uint32_t *columns; /* of facts */
    uint32_t column_count;
    uint32_t *others; /* definition numbers */
    uint32_t other_count;
    bool any_event, identifiers, consents, objects, time, nodes;
    bool nested; /* of objects: leads on to other objects */
};
struct recipe {
    _Atomic uint32_t references;
    struct arena arena;
    enum form form;
    uint32_t on;         /* kind of objects; 0: customers */
    bool by_customers;   /* FORM_COUNT on objects: customers are counted, not events */
    bool last_wins;      /* stages: the last value whose rule holds */
    enum rule_kind kind; /* of the value; texts of few values are in sets */
    bool in_sets;        /* else in numbers */
    uint32_t value_count;
    str *values;         /* in_sets */
    struct rule **rules; /* FORM_RULE: one per value */
    struct rule *measure;
    uint64_t seed;
    uint32_t bucket_count, bucket_from, bucket_to;
    struct score_part *parts;
    uint32_t part_count;
    double score_max;
    struct rfm_axis axes[3];
    struct rfm_box *boxes;
    uint32_t box_count, quantiles; /* quantiles 0: own thresholds */
    struct needs needs;
};
/* What the recipe comes to for one customer. */
struct verdict {
    int64_t
        value; /* in_sets: 1 + index of the value, or NO_VALUE; else number or code, or NO_VALUE */
    int64_t until_ms;
};
struct definition;
/* `text`: where texts of counted tags are interned. */
struct judging {
    struct rule_judge *judge;
    const struct audience *audience;
    struct rule_facts facts;
    const struct rule_zone *zone;
    /* What live definitions share of the customer who is judged (hear.c); NULL: every rule is asked alone. */
    struct rule_pool *pool;
    struct rule_hearing *hearing;
    uint32_t first_rule; /* there, of the definition that is judged */
};
/* Parse and compile; checks names, kinds, limits. */
err recipe_new(struct audience *audience, enum audience_kind kind, json_value body,
               struct recipe **recipe, struct problem *problem) MUST_USE;
void recipe_release(struct recipe **recipe);
struct recipe *recipe_hold(struct recipe *recipe);
/* All but FORM_GIVEN. A measured text is its code in `texts`; NULL: 1, whatever it says. */
void recipe_judge(const struct recipe *recipe, struct lexicon *texts, struct judging *judging,
                  uint32_t customer, const struct history_view *view, int64_t now_ms,
                  struct verdict *verdict);
/* Why: rules with their values, parts of a score. */
void recipe_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                    const struct history_view *view, int64_t now_ms, struct json_writer *writer);
/* Its columns of history are ready, and of facts filled; begins what is not. */
err recipe_prepare(struct audience *audience, const struct recipe *recipe, bool *is_ready,
                   struct problem *problem) MUST_USE;

/* score.c, rfm.c */
double score_part_points(const struct score_part *part, struct judging *judging, uint32_t customer,
                         const struct history_view *view, int64_t now_ms, int64_t *until_ms);
err score_new(struct audience *audience, struct recipe *recipe, json_value body,
              struct problem *problem) MUST_USE;
err rfm_new(struct audience *audience, struct recipe *recipe, json_value body,
            struct problem *problem) MUST_USE;
void score_judge(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                 const struct history_view *view, int64_t now_ms, struct verdict *verdict);
void rfm_judge(const struct recipe *recipe, struct judging *judging, uint32_t customer,
               const struct history_view *view, int64_t now_ms, struct verdict *verdict);
void score_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                   const struct history_view *view, int64_t now_ms, struct json_writer *writer);
/* One measure of hers; false: she has none. */
bool rfm_measure(const struct recipe *recipe, size_t axis, struct judging *judging,
                 uint32_t customer, const struct history_view *view, int64_t now_ms,
                 int64_t *number, int64_t *until_ms);
/* Of the three measures; NO_VALUE: in no box. */
int64_t rfm_value(const struct recipe *recipe, const int64_t numbers[3]);
void rfm_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                 const struct history_view *view, int64_t now_ms, struct json_writer *writer);
void recipe_need_rule(struct recipe *recipe, const struct rule *rule);
err recipe_rule(struct audience *audience, struct recipe *recipe, json_value json,
                const char *pointer, struct rule **rule, struct problem *problem) MUST_USE;
err recipe_measure(struct audience *audience, struct recipe *recipe, json_value json,
                   const char *pointer, struct rule **rule, enum rule_kind *kind,
                   struct problem *problem) MUST_USE;

/* ---- span.c: the same of neighbours at once, by slot ---- */

struct span_verdicts {
    int64_t values[HISTORY_BLOCK_NODES], until_ms[HISTORY_BLOCK_NODES];
    int64_t numbers[3][HISTORY_BLOCK_NODES], scratch_ms[HISTORY_BLOCK_NODES]; /* of measures */
};
/* Has it such a form at all? */
bool recipe_has_span(const struct recipe *recipe);
/* False: they are to be judged one by one. */
bool recipe_judge_span(const struct recipe *recipe, struct judging *judging,
                       const struct history_span *span, const uint64_t asked[HISTORY_SPAN_WORDS],
                       int64_t now_ms, struct span_verdicts *verdicts);
void span_verdicts_clear(struct span_verdicts *verdicts);
/* The three measures; `asked` is left with who has them, and has bought. */
bool rfm_measure_span(const struct recipe *recipe, struct judging *judging,
                      const struct history_span *span, uint64_t asked[HISTORY_SPAN_WORDS],
                      int64_t now_ms, struct span_verdicts *verdicts);

#endif
