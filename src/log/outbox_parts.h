/* SPDX-License-Identifier: Apache-2.0 */
/* outbox_parts: what the two halves of the outbox share. Private to log/. */
#ifndef KITH_LOG_OUTBOX_PARTS_H
#define KITH_LOG_OUTBOX_PARTS_H

#include "log/link.h"
#include "log/outbox.h"

struct outbox {
    struct link link;
};

static inline str outbox_text(const PGresult *result, int row, int column)
{
    return str_from_bytes(PQgetvalue(result, row, column),
                          (size_t)PQgetlength(result, row, column));
}
/* Connected first, if need be. */
static inline err outbox_ask(struct outbox *outbox, const char *text,
                             const struct link_value *values, int count, PGresult **result,
                             struct problem *problem)
{
    *result = NULL;
    err error = link_reach(&outbox->link, problem);
    return error == ERR_OK ? link_ask(&outbox->link, text, values, count, false, result, problem)
                           : error;
}
/* Without an answer. */
static inline err outbox_do(struct outbox *outbox, const char *text,
                            const struct link_value *values, int count, struct problem *problem)
{
    PGresult *result;
    err error = outbox_ask(outbox, text, values, count, &result, problem);
    PQclear(result);
    return error;
}

#endif
