/* SPDX-License-Identifier: Apache-2.0 */
/* A connection of the log to a PostgreSQL server. */
#include "log/link.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/logline.h"

#define VALUES_MAX 12

/* ---- failures ---- */

static err error_of(const char *state)
{
    static const struct {
        const char *prefix;
        err error;
    } CLASSES[] = {
        { "08", ERR_UNAVAILABLE },    /* the connection */
        { "57P", ERR_UNAVAILABLE },   /* the server goes down, or comes up */
        { "53300", ERR_UNAVAILABLE }, /* too many connections */
        { "25006", ERR_UNAVAILABLE }, /* it has become a standby, and takes no writes */
        { "53100", ERR_STORAGE_FULL }, { "53200", ERR_NOMEM },
        { "22012", ERR_LOCKED }, /* a division by zero: the lease is not ours (server.h, P1) */
        { "23505", ERR_CONFLICT },     { "40", ERR_BUSY },
        { "55P03", ERR_BUSY },         { "57014", ERR_BUSY },
        { "XX001", ERR_CORRUPT },      { "XX002", ERR_CORRUPT },
        { "28", ERR_FORBIDDEN },       { "42501", ERR_FORBIDDEN },
        { "3D000", ERR_NOT_FOUND },
    };
    for (size_t i = 0; state != NULL && i < sizeof CLASSES / sizeof *CLASSES; i++)
        if (strncmp(state, CLASSES[i].prefix, strlen(CLASSES[i].prefix)) == 0)
            return CLASSES[i].error;
    return state == NULL || state[0] == '\0' ? ERR_UNAVAILABLE : ERR_IO;
}

bool link_is_fine(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

err link_failed(struct link *link, const PGresult *result, const char *doing,
                struct problem *problem)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *said = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    err error = PQstatus(link->connection) != CONNECTION_OK ? ERR_UNAVAILABLE : error_of(state);
    link->is_lost = link->is_lost || error == ERR_UNAVAILABLE;
    str text = str_trim(str_from_c(said != NULL ? said : PQerrorMessage(link->connection)));
    str line = str_slice(text, 0, str_find_byte(text, '\n'));
    problem_set(problem, error, "log on PostgreSQL: cannot %s: " STR_FMT, doing, STR_ARG(line));
    if (error == ERR_UNAVAILABLE)
        problem_hint(problem, error,
                     "see that the PostgreSQL server runs and can be reached; Kith goes on by "
                     "itself");
    if (error == ERR_STORAGE_FULL)
        problem_hint(problem, error, "free space on the disk of the PostgreSQL server");
    if (error == ERR_FORBIDDEN || error == ERR_NOT_FOUND)
        problem_hint(problem, error, "create the user and the database, or name others");
    return error;
}

/* ---- connecting ---- */

/* What the server remarks is no failure, and of no use to who reads our log. */
static void ignore_notice(void *context, const char *message)
{
    (void)context;
    (void)message;
}

static err settle(struct link *link, struct problem *problem)
{
    char text[300];
    link->life++;
    link->is_lost = false;
    snprintf(text, sizeof text,
             "SET client_encoding='UTF8'; SET client_min_messages=warning; SET "
             "synchronous_commit=on; SET statement_timeout=0; SET bytea_output='hex'; SET "
             "application_name='%s'",
             link->application[0] != '\0' ? link->application : "kith");
    return link_run(link, text, "begin a session", problem);
}

err link_open(struct link *link, const char *address, struct problem *problem)
{
    /* What the address says comes later and wins. */
    static const char *const names[] = { "connect_timeout",  "keepalives_idle",
                                         "tcp_user_timeout", "fallback_application_name",
                                         "dbname",           NULL };
    const char *const values[] = { "5", "30", "30000", "kith", address, NULL };
    char application[sizeof link->application];
    memcpy(application, link->application, sizeof application);
    *link = (struct link){ .connection = PQconnectdbParams(names, values, 1) };
    memcpy(link->application, application, sizeof application);
    if (link->connection == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to connect to the log's server");
    PQsetNoticeProcessor(link->connection, ignore_notice, NULL);
    return PQstatus(link->connection) == CONNECTION_OK
               ? settle(link, problem)
               : link_failed(link, NULL, "connect", problem);
}

void link_close(struct link *link)
{
    PQfinish(link->connection);
    link->connection = NULL;
}

err link_reach(struct link *link, struct problem *problem)
{
    if (PQstatus(link->connection) == CONNECTION_OK && !link->is_lost)
        return ERR_OK;
    PQreset(link->connection);
    return PQstatus(link->connection) == CONNECTION_OK
               ? settle(link, problem)
               : link_failed(link, NULL, "connect", problem);
}

/* ---- asking ---- */

err link_run(struct link *link, const char *text, const char *doing, struct problem *problem)
{
    PGresult *result = PQexec(link->connection, text);
    err error = link_is_fine(result) ? ERR_OK : link_failed(link, result, doing, problem);
    PQclear(result);
    return error;
}

err link_ask(struct link *link, const char *text, const struct link_value *values, int count,
             bool binary, PGresult **result, struct problem *problem)
{
    const char *data[VALUES_MAX];
    int sizes[VALUES_MAX], formats[VALUES_MAX];
    *result = NULL;
    INVARIANT(count <= VALUES_MAX);
    for (int i = 0; i < count; i++) {
        data[i] = values[i].data;
        sizes[i] = values[i].size;
        formats[i] = values[i].format;
    }
    PGresult *answer =
        PQexecParams(link->connection, text, count, NULL, data, sizes, formats, binary);
    if (!link_is_fine(answer)) {
        err error = link_failed(link, answer, "ask", problem);
        PQclear(answer);
        return error;
    }
    *result = answer;
    return ERR_OK;
}

int64_t link_number(const PGresult *result, int row, int column)
{
    int64_t number = 0;
    (void)str_to_int64(str_from_c(PQgetvalue(result, row, column)), &number);
    return number;
}

int64_t link_bigint(const PGresult *result, int row, int column)
{
    uint64_t number = 0;
    if (PQgetlength(result, row, column) == sizeof number)
        memcpy(&number, PQgetvalue(result, row, column), sizeof number);
    return (int64_t)be64toh(number);
}

struct link_value link_int(char room[24], int64_t number)
{
    snprintf(room, 24, "%" PRId64, number);
    return (struct link_value){ .data = room };
}
