/* SPDX-License-Identifier: Apache-2.0 */
/* person: what the routes of a person's rights share. Private to server/. Workers.
 *
 *   routes_person.c       requests, restriction
 *   routes_corrections.c  traits corrected by hand
 *   routes_consents.c     what she decided
 *   package.c             all that is known of her in one file
 *   preferences.c         her own page
 */
#ifndef KITH_SERVER_PERSON_H
#define KITH_SERVER_PERSON_H

#include "server/inside.h"

/* A row of PERSON_REQUESTS; texts are in the request's arena. */
struct person_request {
    int64_t number, received_ms, due_ms, erasure, changed_ms, closed_ms;
    uint32_t customer, handler, user;
    str kind, state, note, result, package;
};

/* A setting that is a number of 1 to `most`. */
err person_setting(struct request *request, const char *key, int64_t otherwise, int64_t most,
                   int64_t *number, struct problem *problem) MUST_USE;

/* `id`: r and a number. NOT_FOUND. */
err person_request_find(struct request *request, str id, struct person_request *row,
                        struct problem *problem) MUST_USE;
/* It, as JSON, into request->out. */
err person_request_answer(struct request *request, str id, struct problem *problem) MUST_USE;
/* One member of it becomes this text. */
err person_request_change(struct request *request, int64_t number, const char *member, str text,
                          struct problem *problem) MUST_USE;

/* A command of hers; the body is let go. */
err person_command(struct request *request, const char *operation, struct command_body *body,
                   struct problem *problem) MUST_USE;

/* What she decides, recorded as of now. */
err person_decide(struct request *request, uint32_t customer, str purpose, bool granted,
                  const char *evidence, str text_version, struct problem *problem) MUST_USE;
/* Every consent that she gave, and marketing where she never said anything. */
err person_withdraw_all(struct request *request, str one_id, const char *evidence,
                        struct problem *problem) MUST_USE;

/* package.c: the member `package` of a request: null when there is none, or its time is over. */
void package_write(struct request *request, const struct person_request *row,
                   struct json_writer *writer);

/* preferences.c: the path of her page, in the arena; STR_NONE without memory. */
str preferences_path(struct request *request, uint32_t customer, int64_t expires_ms);

#endif
