/* SPDX-License-Identifier: Apache-2.0 */
/* link: a connection of the log to a PostgreSQL server, made again when it was lost. Private to log/. One user at a time. */
#ifndef KITH_LOG_LINK_H
#define KITH_LOG_LINK_H

#include <libpq-fe.h>

#include "base/error.h"
#include "base/str.h"

struct link {
    PGconn *connection;
    char application[64]; /* what the server calls us; empty: "kith" */
    bool is_lost;         /* the server said that it goes; the socket may not know yet */
    unsigned life;        /* grows with each connection: what was prepared is gone */
};

/* One value of a statement. Texts end with a zero. */
struct link_value {
    const char *data;
    int size, format; /* 1: bytes */
};

err link_open(struct link *link, const char *address, struct problem *problem) MUST_USE;
void link_close(struct link *link);
/* A connection that was lost is made again. */
err link_reach(struct link *link, struct problem *problem) MUST_USE;
bool link_is_fine(const PGresult *result);
/* What failed, in the server's words. `result` may be NULL. */
err link_failed(struct link *link, const PGresult *result, const char *doing,
                struct problem *problem);
/* Statements without a result. */
err link_run(struct link *link, const char *text, const char *doing,
             struct problem *problem) MUST_USE;
/* A statement with its values; *result is cleared by the caller, and NULL after an error. Results are bytes with `binary`. */
err link_ask(struct link *link, const char *text, const struct link_value *values, int count,
             bool binary, PGresult **result, struct problem *problem) MUST_USE;

/* The value of a result in text form as a number; 0 for NULL. */
int64_t link_number(const PGresult *result, int row, int column);
/* The same of a result in binary form: a bigint. */
int64_t link_bigint(const PGresult *result, int row, int column);
/* A number as text, for a parameter; `room` holds 24 bytes. */
struct link_value link_int(char room[24], int64_t number);

#endif
