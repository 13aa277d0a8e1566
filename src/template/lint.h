/* SPDX-License-Identifier: Apache-2.0 */
/* lint: rules of providers as data, checks as code. A rule names channels, parts (with '*' for anything), a check and its
 * numbers and words; a check looks at one part and finds nothing, or one thing. Private to template/. */
#ifndef KITH_TEMPLATE_LINT_H
#define KITH_TEMPLATE_LINT_H

#include "template/inside.h"

struct lint_text {
    const unsigned char *bytes;
    size_t size;
};
extern const struct lint_text lint_rules;

/* How long a text becomes: what surely stands in it, and what it comes to with variables as they usually are. */
struct lint_size {
    uint64_t least, likely;
};
/* A part of a template: one text, parsed, or a list. */
struct lint_part {
    str name; /* "text", "data.thing1", "attachments[0].link.title" */
    json_value json;
    struct template *template; /* NULL: no text, or it does not parse */
};
struct lint_found {
    bool found, is_sure; /* is_sure: it would be refused; else it could be */
    struct place place;
    uint64_t length, units;
    char word[120];
};

#define LINT_PARTS_MAX 200
struct lint {
    struct lint_part parts[LINT_PARTS_MAX];
    size_t part_count;
    json_value links; /* top level domains */
    bool is_marketing;
    struct json_writer writer;
    size_t *error_count;
};

/* lint_text.c: what a tree comes to. Units are bytes, or characters. */
struct lint_size lint_measure(const struct template *template, bool in_bytes);
/* A variable whose length nothing bounds, if any. */
const struct node *lint_open_variable(const struct template *template, bool in_bytes);
/* Calls `visit` for each text and output, in order of the source; until it says true. */
bool lint_walk(const struct node *node, bool (*visit)(void *context, const struct node *node),
               void *context);
/* The place of byte `at` of a text. */
struct place lint_place(const struct node *node, size_t at);

/* lint_check.c */
bool lint_knows(str check);
bool lint_check(struct lint *lint, json_value rule, const struct lint_part *part,
                struct lint_found *found);

#endif
