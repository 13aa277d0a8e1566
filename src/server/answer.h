/* SPDX-License-Identifier: Apache-2.0 */
/* answer: what handlers have in common. Problems, lists, cursors, commands. Private to server/. */
#ifndef KITH_SERVER_ANSWER_H
#define KITH_SERVER_ANSWER_H

#include "base/json.h"
#include "server/inside.h"

/* An RFC 9457 problem in place of what is in `out`. */
void reply_problem(struct request *request, err error, const struct problem *problem);

/* {"items":[ … ],"next_cursor":…,"as_of":…}: items are written between the two. An empty cursor is
 * null. answer_list_end leaves the object open for more members: end it. */
void answer_list_begin(struct request *request, struct json_writer *writer);
void answer_list_end(struct request *request, struct json_writer *writer, str next_cursor);

/* `limit=`, 1 to 500, default 50. */
err answer_limit(struct request *request, size_t *limit, struct problem *problem) MUST_USE;

/* Cursors: numbers of a page's last row, with a keyed check so that only ours are taken. `kind` is the
 * list's own letter; a cursor of another list is INVALID. */
#define CURSOR_NUMBERS_MAX 3
str cursor_encode(struct request *request, char kind, const int64_t *numbers, size_t count);
/* `present` is false when the request has none. */
err cursor_decode(struct request *request, char kind, int64_t *numbers, size_t count, bool *present,
                  struct problem *problem) MUST_USE;
/* The codec itself (fuzzed): text of base64url into numbers. */
bool cursor_parse(const struct keys *keys, str text, char kind, int64_t *numbers, size_t count);

/* Run an engine command for this request; with its Idempotency-Key when it has one. On OK `response` is
 * the engine's answer (JSON object, in the request's arena); a refusal comes as its error. */
err answer_command(struct request *request, const char *operation, str body, str *response,
                   struct problem *problem) MUST_USE;
/* A buffer for a command's body, and the writer over it. */
struct command_body {
    struct buffer bytes;
    struct json_writer writer;
};
void command_body_begin(struct command_body *body);
str command_body_end(struct command_body *body);
void command_body_deinit(struct command_body *body);
/* Copy a member of the request's JSON when it is there. */
void command_body_copy(struct command_body *body, struct request *request, const char *member);

/* Before a handler of a command: an answer that was given to this key is given again (true). After it:
 * the answer is kept. Both do nothing without Idempotency-Key. */
bool answer_again(struct request *request);
void answer_keep(struct request *request);

/* 32 hex digits that nobody guesses; for a request with Idempotency-Key the same each time. */
void answer_secret(struct request *request, const char *purpose, char out[33]);

/* one_id of a customer number in the arena; "" for 0. */
str answer_one_id(struct request *request, uint32_t number);
void member_one_id(struct request *request, struct json_writer *writer, str key, uint32_t number);
void member_text_or_null(struct json_writer *writer, str key, str text);
void member_time_or_null(struct json_writer *writer, str key, int64_t time_ms);
/* Key of a source by number; "" if unknown. In the arena. */
str answer_source_key(struct request *request, uint32_t number);
/* Login of a user by number; "system" for 0. */
str answer_login(struct request *request, uint32_t number);

void hex_encode(const uint8_t *bytes, size_t size, char *out); /* 2 * size + 1 */
bool hex_decode(str text, uint8_t *bytes, size_t size);

#endif
