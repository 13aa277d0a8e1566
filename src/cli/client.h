/* SPDX-License-Identifier: Apache-2.0 */
/* client: commands that speak with a running server over its API. Private to cli/.
 *
 * The server is --server or KITH_URL, the token --token or KITH_ADMIN_TOKEN. One thread; a client keeps its
 * connection.
 */
#ifndef KITH_CLI_CLIENT_H
#define KITH_CLI_CLIENT_H

#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

struct client;

err client_new(struct client **client, const char *server, const char *token,
               struct problem *problem) MUST_USE;
void client_free(struct client **client);
/* One request; `body` may be STR_NONE. `answer` is the JSON of a 2xx, valid until the next request (missing
 * when there is none); what is refused comes as its problem, with the server's words. */
err client_ask(struct client *client, const char *method, const char *path, str body,
               json_value *answer, struct problem *problem) MUST_USE;
/* The bytes of a GET into a file, as they come. */
err client_fetch(struct client *client, const char *path, FILE *file,
                 struct problem *problem) MUST_USE;
/* The bytes of the last answer. */
str client_bytes(const struct client *client);

#endif
