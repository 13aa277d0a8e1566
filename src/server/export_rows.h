/* SPDX-License-Identifier: Apache-2.0 */
/* export_rows: what an export writes: which columns, and a row per member. Private to server/. */
#ifndef KITH_SERVER_EXPORT_ROWS_H
#define KITH_SERVER_EXPORT_ROWS_H

#include <stdatomic.h>

#include "base/arena.h"
#include "server/exports.h"

enum export_source {
    EXPORT_ONE_ID,
    EXPORT_IDENTIFIER,
    EXPORT_TRAIT,
    EXPORT_TAG,
    EXPORT_CONSENT,
    EXPORT_SEGMENT,
    EXPORT_ID,
    EXPORT_PROP,
};
struct export_column {
    enum export_source source;
    str text, name; /* "trait:city", "city" */
};
struct export_plan {
    struct arena arena;
    enum audience_kind kind;
    str key, on;
    bool csv, revealed, wants_rows, wants_facts;
    struct export_column *columns;
    uint32_t column_count;
    uint32_t user_number;
    char by[100];             /* login */
    struct audience_set *set; /* owned */
};

err export_plan_init(struct export_plan *plan, const struct export_order *order, str by,
                     struct problem *problem) MUST_USE;
/* The login of who asks. */
void export_plan_name(struct export_plan *plan, struct server *server);
void export_plan_deinit(struct export_plan *plan);
/* The whole file; *rows grows as it goes on. The export's thread. */
err export_rows_write(struct server *server, struct export_plan *plan, const char *path,
                      _Atomic uint64_t *rows, const _Atomic bool *cancel,
                      struct problem *problem) MUST_USE;

/* One cell of a CSV file; what a spreadsheet would take for a formula is quoted and disarmed. */
void export_put_csv_text(struct buffer *line, str text);

#endif
