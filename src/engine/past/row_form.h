/* SPDX-License-Identifier: Apache-2.0 */
/* row_form: which members of an event the columns of history need, as SQL over the warehouse and back.
 *
 * At the start (remember.c) and for what memory does not hold (past.c) the same rows are asked for and go through the same
 * extractor (history/extract.h), as does what one new column needs (fill.h). Any thread, one form each. */
#ifndef KITH_ENGINE_ROW_FORM_H
#define KITH_ENGINE_ROW_FORM_H

#include "base/codec.h"
#include "engine/jobs.h"
#include "engine/privacy.h"
#include "event/event.h"
#include "history/history.h"

struct row_form {
    uint32_t promoted_set;
    bool props;
    struct buffer names; /* quoted, with commas: top members of props that are wanted */
};

void form_add(struct row_form *form, str path, enum column_kind kind);
/* `SELECT customer, seq, time_ms, …`, then its WHERE, which is open: ` FROM events_kept WHERE customer > 0 AND seq <=
 * until_seq`. */
void form_write_columns(const struct row_form *form, struct buffer *sql);
void form_write_from(uint64_t until_seq, struct buffer *sql);
/* The end of every query of rows in order, terminated. */
void form_write_order(struct buffer *sql);
/* A row; what is not all there sets cursor->failed. Texts are borrowed from the cursor. */
void form_read_event(const struct row_form *form, struct cursor *cursor, uint32_t *node,
                     struct event *event);

#endif
