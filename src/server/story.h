/* SPDX-License-Identifier: Apache-2.0 */
/* story: merges, refusals and links, read from the ledger and written for people. Private to server/. */
#ifndef KITH_SERVER_STORY_H
#define KITH_SERVER_STORY_H

#include "server/view.h"

#define STORY_ROWS_MAX 500

struct merge_row {
    int64_t id, at_ms, undone_ms;
    uint32_t survivor, absorbed, node, other, source_number, row, with_row, undone_by;
    str cause;
};

struct refusal_row {
    int64_t id, at_ms, times;
    uint32_t customer, other, source_number, row, with_row, decided_by;
    str reason, detail, status;
};

struct link_row {
    struct identity_link link; /* cause is in the arena */
};

/* Merges that any of these nodes took part in, newest first; at most STORY_ROWS_MAX. */
err story_merges(struct request *request, const uint32_t *nodes, size_t node_count,
                 struct merge_row **rows, size_t *count, struct problem *problem) MUST_USE;
/* Refusals filed for these nodes, newest first. */
err story_refusals(struct request *request, const uint32_t *nodes, size_t node_count,
                   struct refusal_row **rows, size_t *count, struct problem *problem) MUST_USE;
/* How the identifiers came to their homes; for each row in turn, oldest first. */
err story_links(struct request *request, const struct identity_row_view *rows, size_t row_count,
                struct link_row **links, size_t *count, struct problem *problem) MUST_USE;

bool story_read_refusal(struct request *request, const struct ledger_value *values,
                        struct refusal_row *out);

err story_write_merges(struct request *request, struct json_writer *writer,
                       const struct merge_row *rows, size_t count, bool reveal,
                       struct problem *problem) MUST_USE;
err story_write_refusals(struct request *request, struct json_writer *writer,
                         const struct refusal_row *rows, size_t count, bool reveal,
                         struct problem *problem) MUST_USE;

#endif
