/* SPDX-License-Identifier: Apache-2.0 */
/* asking: what commands that are clients of a server share: a path that is put together, a body, an answer. Private to cli/.
 *
 * One thread. What an answer says is valid until the next request.
 */
#ifndef KITH_CLI_ASKING_H
#define KITH_CLI_ASKING_H

#include "cli/client.h"

struct asking {
    struct client *client;
    struct buffer body, path;
    struct problem *problem;
};

/* An option and where its value is put; a flag, which has none (`value` empty), puts "true". */
struct asking_option {
    const char *name, *value;
    const char **place;
};

/* The word at *at is one of the options and has its value, at which *at stands then. */
bool asking_take_option(const struct asking_option *options, size_t count, int argc, char **argv,
                        int *at);

/* `server` and `token` may be NULL: then the environment says them. To be ended even when it failed. */
err asking_open(struct asking *asking, const char *server, const char *token,
                struct problem *problem) MUST_USE;
/* Close, and say what went wrong if anything did: the status that the command ends with. */
int asking_end(struct asking *asking, err error);

/* A path of the API: begun with `start`, then percent-encoded steps and texts as they are. */
void asking_path(struct asking *asking, const char *start);
void asking_step(struct asking *asking, const char *key);
/* &name=value, or ?name=value; nothing for an empty or missing one. */
void asking_query(struct asking *asking, const char *name, const char *value);
/* The body is what a file says, or stdin for '-'. */
err asking_read_file(struct asking *asking, const char *file) MUST_USE;
err asking_send(struct asking *asking, const char *method, json_value *answer) MUST_USE;
void asking_print(const struct asking *asking);

#endif
