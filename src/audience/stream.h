/* SPDX-License-Identifier: Apache-2.0 */
/* stream: customers of whom memory lacks events, read back and shown; and what a scan takes along to other threads. Private to
 * audience/. */
#ifndef KITH_AUDIENCE_STREAM_H
#define KITH_AUDIENCE_STREAM_H

#include "audience/definition.h"
#include "audience/members.h"
#include "audience/recipe.h"
#include "base/arena.h"
#include "history/history.h"
#include "rule/rule.h"

/* ---- stream.c: customers whose history in memory is not whole (S8) ---- */

/* What is asked for. */
struct stream_form {
    struct arena arena;
    bool any_type;
    str *types;
    size_t type_count;
    struct audience_column *columns;
    size_t column_count;
};
void stream_form_init(struct stream_form *form);
void stream_form_deinit(struct stream_form *form);
err stream_form_rule(struct stream_form *form, const struct history *history,
                     const struct rule *rule) MUST_USE; /* NULL: nothing */
err stream_form_recipe(struct stream_form *form, const struct history *history,
                       const struct recipe *recipe) MUST_USE;
err stream_form_all(struct stream_form *form, const struct history *history) MUST_USE;

struct streaming {
    const struct stream_form *form;
    uint64_t until_seq;            /* AUDIENCE_PAST_NOW: engine thread alone */
    struct history_reader *reader; /* outside of history_read_begin */
    bool restore;                  /* engine: their past is in memory again; with a form of all */
    bool (*visit)(void *context, uint32_t customer, const struct history_view *view);
    void *context;
};
/* Show each of the customers with all of her events, in their order; false from `visit` stops. */
err stream_customers(struct audience *audience, const struct streaming *streaming,
                     const uint32_t *customers, size_t count, struct problem *problem) MUST_USE;

/* The same in two steps. Any thread: what the past has of these customers, up to a seq. */
struct stream_batch;
err stream_read(struct audience *audience, const struct stream_form *form, uint64_t until_seq,
                struct history_reader *reader, const uint32_t *customers, size_t count,
                struct stream_batch **read, struct problem *problem) MUST_USE;
/* Of the customer at `index`; valid until the reader's next view. */
err stream_show(const struct stream_batch *batch, struct history_reader *reader, size_t index,
                struct history_view *view) MUST_USE;
void stream_batch_free(struct stream_batch **batch);

struct stream_list {
    uint32_t *customers;
    size_t count, room;
};
bool stream_list_add(struct stream_list *list, uint32_t customer); /* false: no memory */
void stream_list_free(struct stream_list *list);

/* ---- recall.c: read back aside, judged in slices ---- */

struct recall;
err recall_new(struct audience *audience) MUST_USE;
void recall_free(struct audience *audience); /* joins its thread */
bool recall_can(const struct audience *audience);
/* They lacked events in memory. */
void recall_add(struct audience *audience, const struct stream_list *list, bool rejudge);
bool recall_is_pending(const struct audience *audience, uint32_t customer);
bool recall_is_rejudged(const struct audience *audience, uint32_t customer);
void recall_drop(struct audience *audience, uint32_t customer);
uint64_t recall_pending_count(const struct audience *audience);
bool recall_is_rejudging(const struct audience *audience); /* does anybody wait of `rejudge`? */
bool recall_is_empty(const struct audience *audience);
/* Who waits is pending, or to be rejudged, again. */
void recall_take_back(struct audience *audience);
/* A slice; *more: at once. */
err recall_work(struct audience *audience, int64_t budget_us, bool *more) MUST_USE;

/* ---- scan.c ---- */

struct scan_part {
    struct definition *definition;
    uint32_t number, version;
    struct recipe *recipe;
    struct set *sets; /* by the recipe's values */
    struct numbers numbers;
    int64_t *measures[3]; /* rfm by quantiles: of all who have them */
    uint32_t *measured;   /* who they are */
    size_t measure_count, measure_room;
};
/* Members and values of definitions as they are now, for other threads. */
struct others {
    uint32_t count; /* by definition number */
    struct others_item {
        enum rule_kind kind;
        struct lexicon *texts;
        struct set *sets;
        uint32_t set_count;
        struct numbers numbers, entered;
    } * items;
};
struct scan_facts {
    const struct audience *audience;
    struct others others;
    struct rule_objects objects;
};
err others_take(const struct audience *audience, const struct needs *needs,
                struct others *others) MUST_USE;
void others_free(struct others *others);
void recipe_write_edges(const struct recipe *recipe, struct json_writer *writer);
void facts_for_scan(struct scan_facts *from, struct rule_facts *facts);
int64_t others_get(const struct others *others, uint32_t number, uint32_t customer);
struct scan;

#endif
