/* SPDX-License-Identifier: Apache-2.0 */
/* everybody: questions about everybody that a request waits for. Private to server/. */
#ifndef KITH_SERVER_EVERYBODY_H
#define KITH_SERVER_EVERYBODY_H

#include "audience/audience.h"
#include "server/inside.h"
#include "server/request.h"
#include "server/router.h"

/* Of the definition that the path names: /tags/… or /segments/… */
static inline enum audience_kind definition_kind(const struct request *request)
{
    return str_starts_with(request->path, STR(API "/tags")) ? AUDIENCE_TAG : AUDIENCE_SEGMENT;
}

/* Ask the audience what request->json says, narrowed to what the asker sees; its answer in `out` still names customers by
 * number. `listing` may be NULL. Cut after `budget_ms`, and when the asker hangs up. UNAVAILABLE while what the rule needs
 * is read for the first time. Workers. */
err everybody_ask(struct request *request, enum audience_question_kind kind, str key,
                  int64_t budget_ms, struct audience_listing *listing, struct buffer *out,
                  struct problem *problem) MUST_USE;

#endif
