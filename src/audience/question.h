/* SPDX-License-Identifier: Apache-2.0 */
/* question: a question about everybody, between its beginning on the engine and its end elsewhere. Private. */
#ifndef KITH_AUDIENCE_QUESTION_H
#define KITH_AUDIENCE_QUESTION_H

#include "audience/state.h"

#define COMPARED_MAX 20
#define MAPPED_MAX 500

/* A set that is compared, with what it is called in the answer. */
struct compared {
    struct set members;
    str name, value, label; /* in the question's arena */
    const char *kind;
};

struct audience_question {
    struct audience *audience;
    bool (*is_gone)(void *context); /* may be NULL */
    void *gone_context;
    enum audience_question_kind kind;
    int64_t now_ms;
    uint32_t last;      /* customer number */
    uint32_t customers; /* roots that are seen */
    struct set part;    /* who is seen, when `is_part` */
    bool is_part;

    /* preview and change */
    struct recipe *recipe;
    struct lexicon *texts; /* of a recipe that measures texts: what its codes mean; else NULL */
    struct definition *definition;
    struct scan_facts facts;
    uint64_t seq; /* up to which what memory does not hold is read back */
    struct stream_form form;
    str me;                           /* who asks */
    struct audience_listing *listing; /* NULL: nobody is listed */

    struct object_question *objects; /* preview of objects; else NULL */

    /* overlap and profile */
    struct arena arena;
    struct compared
        *sets; /* overlap: the segments; profile: the segment, then values of tags and segments */
    uint32_t set_count;
};

/* compare.c */
err compare_begin(struct audience_question *question, str key, json_value body,
                  struct problem *problem) MUST_USE;
err compare_run(struct audience_question *question, int64_t budget_ms, const _Atomic bool *cancel,
                struct buffer *out) MUST_USE;
void compare_free(struct audience_question *question);

/* object_question.c */
err objects_question_begin(struct audience_question *question, json_value body, bool *ready,
                           struct problem *problem) MUST_USE;
err objects_question_run(struct audience_question *question, const _Atomic bool *cancel,
                         struct buffer *out) MUST_USE;
void objects_question_free(struct audience_question *question);

#endif
