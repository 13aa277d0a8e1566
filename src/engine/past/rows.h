/* SPDX-License-Identifier: Apache-2.0 */
/* rows: a RowBinary answer of the warehouse, read row by row however it is cut on the way. */
#ifndef KITH_ENGINE_ROWS_H
#define KITH_ENGINE_ROWS_H

#include "base/codec.h"
#include "store/warehouse.h"

/* Read one row from the cursor into state; a row that is not all there sets cursor->failed and must change
 * nothing. */
typedef err (*row_taker)(void *context, struct cursor *cursor);

/* Run `sql` and give its rows, in order, to `take`, whose error stops it. `name`: of the log line that tells how
 * many there were and how long it took; NULL: none. */
err rows_stream(struct warehouse *warehouse, const char *name, const char *sql, row_taker take,
                void *context, struct problem *problem) MUST_USE;

/* Append `text` to SQL as a quoted literal. */
void rows_quote(struct buffer *sql, str text);

#endif
