/* SPDX-License-Identifier: Apache-2.0 */
/* people: what the routes of users, sessions and tokens share. Private to server/. Worker threads. */
#ifndef KITH_SERVER_PEOPLE_H
#define KITH_SERVER_PEOPLE_H

#include "server/answer.h"

#define SESSION_COOKIE "kith_session"
/* Over TLS: browsers take it from this host alone, over TLS alone, for all of it. */
#define SESSION_COOKIE_SECURE "__Host-kith_session"

/* Members `role`, `roles`, `team`. `role` is the nearest word of those that the first clients know. */
void people_write_roles(struct json_writer *writer, const struct user *user,
                        const struct permissions *permissions);
/* Nobody gives more than she has, nor gets it by changing somebody who has more. FORBIDDEN names the first
 * permission that is missing; `what` says of what, as in "this role has the permission". */
err people_check_within(struct request *request, const struct permissions *permissions,
                        const char *what, struct problem *problem) MUST_USE;
/* Member `password` for user.put. UNPROCESSABLE at /password for a weak one. */
err people_hash_password(str login, str password, struct command_body *body,
                         struct problem *problem) MUST_USE;

/* Which tokens of a user end, but for `keep` (may be NULL). What cannot be ended now expires by itself. */
enum people_end { PEOPLE_END_OVER, PEOPLE_END_SESSIONS, PEOPLE_END_ALL };
void people_end_tokens(struct request *request, uint32_t user_number, enum people_end which,
                       const uint8_t *keep);
/* Cookie, record and answer of a session that begins. */
err people_begin_session(struct request *request, const struct user *user, bool is_single_sign_on,
                         struct problem *problem) MUST_USE;
/* The second factor, where she has one: a code of her telephone or one of those for when it is lost; used up.
 * UNAUTHENTICATED at /code for none or a wrong one. */
err people_check_code(struct request *request, const struct user *user, str code,
                      struct problem *problem) MUST_USE;
/* Member `current` of the body is her password; FORBIDDEN at /current, BUSY after too many wrong ones. */
err people_check_current(struct request *request, const struct user *user,
                         struct problem *problem) MUST_USE;
/* Too many wrong tries for `key` ("login:lin")? BUSY with Retry-After. */
err people_throttled(struct request *request, str key, uint32_t limit, const char *what,
                     struct problem *problem) MUST_USE;
str people_throttle_key(struct request *request, const char *kind, str text);

#endif
