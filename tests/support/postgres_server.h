/* SPDX-License-Identifier: Apache-2.0 */
/* postgres_server: a PostgreSQL server for a test program, started at the first wish and ended with the program. */
#ifndef KITH_TESTS_SUPPORT_POSTGRES_SERVER_H
#define KITH_TESTS_SUPPORT_POSTGRES_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/* Is one installed? Without, tests of servers are skipped; CI has one. */
bool postgres_is_installed(void);
/* The address of a new, empty schema in it. */
void postgres_new_schema(char *address, size_t bytes);
/* Run SQL there; fails the test when it cannot be run. */
void postgres_run(const char *address, const char *sql);
/* Run SQL in a session of its own, which stays open until it is let go. */
void *postgres_hold(const char *address, const char *sql);
void postgres_let_go(void *session);
/* End the server as a crash would, and start it again. */
void postgres_crash(void);
void postgres_start_again(void);

#endif
