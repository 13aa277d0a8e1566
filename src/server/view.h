/* SPDX-License-Identifier: Apache-2.0 */
/* view: a customer as she is at one moment, for handlers to write. Private to server/.
 *
 * Two steps: on the engine's thread what is in RAM is copied (`view_take`), then, on the request's
 * thread, the values of identifiers that are committed are read: in full from the ledger (`view_values`),
 * or as they may be shown, from RAM as far as they are there (`view_shown`). All memory is the
 * request's arena.
 */
#ifndef KITH_SERVER_VIEW_H
#define KITH_SERVER_VIEW_H

#include "server/inside.h"

#define VIEW_NODES_MAX 4096
#define VIEW_ROWS_MAX 4096
/* In the flags of a row: its value is masked already. */
#define VIEW_ROW_SHOWN 0x80

struct customer_view {
    uint32_t root; /* 0: there is no such customer */
    uint32_t *nodes;
    size_t node_count;
    struct identity_row_view *rows; /* value.data is NULL until it is read */
    size_t row_count;
    bool wants_facts;
    struct profile_view facts;
    str audience; /* members `tags` and `segments` of a JSON object, without its braces */
    int64_t as_of_ms;
    uint64_t moment; /* values.h: when it was taken */
    bool is_child;   /* under 14, which is not released: what names her is not here */
    err error;
};

void view_init(struct customer_view *view, bool wants_facts);

/* Engine thread. `node`: any of hers. */
void view_take(const struct engine_state *state, struct request *request, uint32_t node,
               struct customer_view *view);
/* Engine thread: what is known in RAM of one identifier. */
void view_take_row(const struct engine_state *state, struct request *request, uint32_t row,
                   struct identity_row_view *out);
/* Read what the ledger knows of rows. */
err view_values(struct request *request, struct identity_row_view *rows, size_t count,
                struct problem *problem) MUST_USE;
/* The same of a view's rows for whom nothing is revealed: values are masked from here on (VIEW_ROW_SHOWN), and what was
 * read lately touches no ledger. */
err view_shown(struct request *request, struct customer_view *view,
               struct problem *problem) MUST_USE;

/* What names a child is told to nobody: after her rows were read. Nothing of others. */
void view_hide_child(struct customer_view *view);

/* Both steps for the customer that `one_id` names; NOT_FOUND. Workers. */
err view_customer(struct request *request, str one_id, bool wants_facts, struct customer_view *view,
                  struct problem *problem) MUST_USE;
/* For who sees a part: without identifiers that became none, and nodes that have no other. */
void view_leave_seen(struct customer_view *view);
/* Both steps for identifiers by number (0 gives an empty view). Workers. */
err view_rows(struct request *request, const uint32_t *numbers, size_t count,
              struct identity_row_view *rows, struct problem *problem) MUST_USE;
/* The customer number in a path's one_id (any node); NOT_FOUND for what was never given out. */
err view_number(struct request *request, str one_id, uint32_t *number,
                struct problem *problem) MUST_USE;

/* Strongest types first, then the oldest. */
void view_sort(struct identity_row_view *rows, size_t count);
/* {"type":…,"value":…} or null. */
void view_write_short(struct request *request, struct json_writer *writer,
                      const struct identity_row_view *row, bool reveal);
/* What a customer is called, from the facts' traits: in `arena`, "" if not known. */
str view_name(struct request *request, const struct profile_view *facts, bool reveal);
/* The same of a customer by number, asked for; never revealed. Workers. */
str view_name_of(struct request *request, uint32_t number);
/* Member `traits`, masked unless `reveal`. */
void view_write_traits(struct request *request, struct json_writer *writer,
                       const struct profile_view *facts, bool reveal);
/* Member `created_at`: when the first of the identifiers in the view was seen; null without one. */
void view_write_created(struct json_writer *writer, const struct customer_view *view);
/* The whole customer of docs/api.md into request->out. */
void view_write(struct request *request, struct customer_view *view, bool reveal);

/* An engine question that is waited for; `ask` gets `context`. Workers. */
err view_ask(struct request *request,
             void (*ask)(const struct engine_state *state, struct engine_question *question),
             void *context, struct problem *problem) MUST_USE;

#endif
