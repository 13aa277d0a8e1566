/* SPDX-License-Identifier: Apache-2.0 */
/* commands: what `kith` can be told, each one function that returns the exit code. Private to cli/.
 *
 * 0: done. 1: it failed, and stderr says why. 2: the command line cannot be understood. 3: a check has
 * found something. 70: the server stopped itself because the disk did not confirm a write.
 */
#ifndef KITH_CLI_COMMANDS_H
#define KITH_CLI_COMMANDS_H

#include "base/error.h"

#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_FOUND 3
#define EXIT_FATAL 70

#define KITH_VERSION "0.1.0"

int command_serve(int argc, char **argv);
int command_check(int argc, char **argv);
int command_digest(int argc, char **argv);
int command_rebuild(int argc, char **argv);
int command_move(int argc, char **argv);
int command_import(int argc, char **argv);
int command_sandbox(int argc, char **argv);
int command_segment(int argc, char **argv);
int command_tag(int argc, char **argv);
int command_journey(int argc, char **argv);
int command_touch(int argc, char **argv);
int command_template(int argc, char **argv);
int command_channel(int argc, char **argv);
int command_stop(int argc, char **argv);
int command_privacy(int argc, char **argv);
/* keys.c */
int command_keys(int argc, char **argv);
int command_backup(int argc, char **argv);
int command_restore(int argc, char **argv);

/* "kith: what went wrong (hint)" on stderr. */
void print_problem(const struct problem *problem);

#endif
