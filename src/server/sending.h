/* SPDX-License-Identifier: Apache-2.0 */
/* sending: what the routes of templates, accounts, policy and coupons have in common. Private to server/. Workers. */
#ifndef KITH_SERVER_SENDING_H
#define KITH_SERVER_SENDING_H

#include "server/inside.h"

#define SENDING_BYTES_MAX ((size_t)64 << 20)

/* What the room of touches writes of itself, asked of the engine; the caller's to free, also after an error. */
err sending_text(struct request *request,
                 void (*write)(const struct touches *touches, struct buffer *out),
                 struct buffer *text, struct problem *problem) MUST_USE;
/* {"items": what was written, "next_cursor": null} */
err sending_answer_all(struct request *request,
                       void (*write)(const struct touches *touches, struct buffer *out),
                       struct problem *problem) MUST_USE;
/* {"key":…, and the members of the request} as a command. */
err sending_put(struct request *request, const char *operation, str key, str *response,
                struct problem *problem) MUST_USE;
/* The thing of the path goes: 204. */
err sending_delete(struct request *request, const char *operation,
                   struct problem *problem) MUST_USE;

#endif
