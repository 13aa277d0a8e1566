/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_server: tools/postgres, for C. */
#include "support/postgres_server.h"

#include "support/cmocka.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], server[200];
static pid_t owner;
static int schemas;

/* tools/postgres `what` of the folder; its status, and what it prints. */
static int tool(const char *what, char *line, size_t bytes)
{
    char command[512];
    snprintf(command, sizeof command, "%s/tools/postgres %s %s 2>&1", KITH_SOURCE_DIR, what,
             folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    if (fgets(line, (int)bytes, pipe) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void end(void)
{
    char line[200];
    if (getpid() != owner)
        return;
    (void)tool("stop", line, sizeof line);
    snprintf(line, sizeof line, "rm -rf %s", folder);
    if (system(line) != 0)
        fprintf(stderr, "%s stays\n", folder);
}

static bool start(void)
{
    if (server[0] != '\0')
        return true;
    snprintf(folder, sizeof folder, "/tmp/kith_postgres_%ld", (long)getpid());
    int status = tool("start", server, sizeof server);
    if (status == 3) {
        server[0] = '\0';
        return false;
    }
    if (status != 0)
        fail_msg("PostgreSQL does not start: %s", server);
    owner = getpid();
    atexit(end);
    return true;
}

bool postgres_is_installed(void)
{
    return start();
}

void postgres_run(const char *address, const char *sql)
{
    PGconn *connection = PQconnectdb(address);
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

void *postgres_hold(const char *address, const char *sql)
{
    PGconn *connection = PQconnectdb(address);
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    PQclear(result);
    return connection;
}

void postgres_let_go(void *session)
{
    PQfinish(session);
}

void postgres_new_schema(char *address, size_t bytes)
{
    char sql[80];
    assert_true(start());
    snprintf(sql, sizeof sql, "CREATE SCHEMA s%d", ++schemas);
    postgres_run(server, sql);
    snprintf(address, bytes, "%s&options=-csearch_path%%3Ds%d", server, schemas);
}

void postgres_crash(void)
{
    char line[200];
    assert_int_equal(tool("kill", line, sizeof line), 0);
}

void postgres_start_again(void)
{
    char line[200];
    assert_int_equal(tool("start", line, sizeof line), 0);
}
