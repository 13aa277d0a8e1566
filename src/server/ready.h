/* SPDX-License-Identifier: Apache-2.0 */
/* ready: a question waits until what its rule needs is in memory; when that would take too long, 503 says how far it is. */
#ifndef KITH_SERVER_READY_H
#define KITH_SERVER_READY_H

#include "base/clock.h"
#include "server/request.h"

struct ready {
    struct engine *engine;
    steady_ns start;
    double share; /* of what was wanted, when the question was asked first */
};

struct ready ready_begin(struct request *request);
/* A moment later: ask again. False when it has taken too long, or, as far as can be told by then, will. */
bool ready_wait(const struct ready *ready);
/* UNAVAILABLE, with `progress`, and Retry-After as long as the rest seems to take. */
err ready_refuse(const struct ready *ready, struct request *request, struct problem *problem);

#endif
