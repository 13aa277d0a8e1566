/* SPDX-License-Identifier: Apache-2.0 */
/* parse: from JSON to the tree, each name and literal checked on the way. Private to rule/. */
#ifndef KITH_RULE_PARSE_H
#define KITH_RULE_PARSE_H

#include "rule/inside.h"

struct parser {
    struct rule *rule;
    const struct rule_catalogue *catalogue;
    struct problem *problem;
    unsigned depth;
    uint32_t leaves; /* conditions, and properties within them */
    uint32_t listener_capacity;
    /* The sequence whose step is being read, for references. */
    struct node *sequence;
    uint32_t step;
    bool correlated;
    str object_kind;            /* in an object's rule: of which kind */
    const struct texts *events; /* in a where: whose properties may be named */
};

/* What a comparison compares. */
struct operand {
    enum rule_kind kind;
    wide unit;        /* a literal is divided by it: a million for whole numbers */
    const char *what; /* "property" …, for messages */
    str name;
};

/* Set the problem, with its place; returns UNPROCESSABLE. */
err parse_fail(struct parser *parser, str pointer, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
err parse_hint(struct parser *parser, const char *hint, ...) __attribute__((format(printf, 2, 3)));
/* What went wrong at `pointer` itself did so in its member: the place is told to the member. Gives `error`. */
err parse_member(struct parser *parser, str pointer, str member, err error) MUST_USE;
/* "there is no trait 'citty'", with names like it. */
err parse_unknown(struct parser *parser, str pointer, const char *what, str wrong) MUST_USE;
/* All members of `object` are in `allowed` (names with spaces between), or operators if `operators`. */
err parse_members(struct parser *parser, json_value object, str pointer, const char *allowed,
                  bool operators) MUST_USE;
err parse_pointer(struct parser *parser, str pointer, const char *member, int64_t index,
                  str *out) MUST_USE;
err parse_copy(struct parser *parser, str text, str *out) MUST_USE;
/* A text that must be there and not be empty. */
err parse_text(struct parser *parser, json_value object, str pointer, const char *member,
               str *out) MUST_USE;
/* One text or a list of them. */
err parse_texts(struct parser *parser, json_value value, str pointer, struct texts *texts) MUST_USE;
struct node *parse_make(struct parser *parser, enum node_kind kind, str pointer);
err parse_condition(struct parser *parser, struct node *node) MUST_USE; /* number a leaf */

err parse_node(struct parser *parser, json_value json, str pointer, enum scope scope,
               struct node **out) MUST_USE;
/* A rule, or a list that stands for all of them. */
err parse_where(struct parser *parser, json_value json, str pointer, enum scope scope,
                struct node **out) MUST_USE;

/* The comparison among the members; op is OP_NONE if there is none. */
err parse_compare(struct parser *parser, json_value object, str pointer,
                  const struct operand *operand, struct compare *compare) MUST_USE;
err parse_window(struct parser *parser, json_value object, str pointer,
                 struct window *window) MUST_USE;
err parse_within(struct parser *parser, json_value value, str pointer, struct moment *span,
                 str *word) MUST_USE;

/* A property of one of these events; NULL: of those whose where is being read. */
err parse_property(struct parser *parser, const struct texts *events, str path, str pointer,
                   struct property *property) MUST_USE;
/* The same, without a complaint when it is not known. */
bool parse_property_known(struct parser *parser, const struct texts *events, str path,
                          struct property *property);
err parse_events(struct parser *parser, json_value value, str pointer,
                 struct texts *texts) MUST_USE;
err parse_event(struct parser *parser, json_value json, str pointer, struct node **out) MUST_USE;
err parse_measuring(struct parser *parser, json_value json, str pointer,
                    struct node *node) MUST_USE;
err parse_sequence(struct parser *parser, json_value json, str pointer, struct node **out) MUST_USE;
err parse_touch(struct parser *parser, json_value json, str pointer, struct node **out) MUST_USE;
err parse_prop(struct parser *parser, json_value json, str pointer, struct node **out) MUST_USE;
err parse_object(struct parser *parser, json_value json, str pointer, enum scope scope,
                 struct node **out) MUST_USE;
/* In an object's rule: its property, or "tag:key". */
err parse_object_prop(struct parser *parser, json_value json, str pointer, str path,
                      struct node **out) MUST_USE;
err parse_listen(struct parser *parser, str event, uint32_t slot, uint16_t role) MUST_USE;
err parse_slot(struct parser *parser, struct node *node) MUST_USE;
err parse_bound(struct parser *parser, struct compare *compare) MUST_USE;
err parse_verdict(struct parser *parser, const struct compare *compare, const struct node *object,
                  uint32_t column, uint32_t *verdict) MUST_USE;

/* Room for one more of `items`, which grow in steps. */
err parse_grow(struct parser *parser, void *items, uint32_t count, size_t size) MUST_USE;
#define GROW(parser, items, count) parse_grow((parser), &(items), (count), sizeof(*(items)))

/* ---- of the one file for the others ---- */
bool parse_moment(struct parser *parser, json_value json, struct moment *moment);
err parse_column(struct parser *parser, str path, enum column_kind kind, uint32_t *place) MUST_USE;
err parse_listen_all(struct parser *parser, const struct texts *events, uint32_t slot,
                     uint16_t role) MUST_USE;
err parse_event_where(struct parser *parser, json_value json, str pointer,
                      const struct texts *events, struct node **where) MUST_USE;
void parse_default_compare(struct node *node);
str parse_shown(str name);
err parse_leaf(struct parser *parser, str pointer) MUST_USE;
err parse_value_fact(struct parser *parser, json_value json, str pointer, const char *member,
                     enum node_kind kind, struct node **out) MUST_USE;
err parse_plain_fact(struct parser *parser, json_value json, str pointer, const char *member,
                     const char *what, enum node_kind kind, struct node **out) MUST_USE;
err parse_consent(struct parser *parser, json_value json, str pointer, struct node **out) MUST_USE;

#endif
