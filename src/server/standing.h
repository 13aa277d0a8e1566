/* SPDX-License-Identifier: Apache-2.0 */
/* standing: what this server is among several at one log, for /readyz and /metrics. Private to server/. */
#ifndef KITH_SERVER_STANDING_H
#define KITH_SERVER_STANDING_H

#include "base/json.h"
#include "server/inside.h"

/* UNAVAILABLE when a follower is too far behind to be asked, or the active one may not act now. */
err standing_check(struct request *request, const struct engine_status *status,
                   struct problem *problem) MUST_USE;
/* Of a log on a server: role, epoch, where the active one is. Within an object. */
void standing_members(struct request *request, struct json_writer *writer);
void standing_metrics(struct request *request);

#endif
