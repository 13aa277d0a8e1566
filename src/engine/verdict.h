/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: the last events and what became of each, for the debugger. A ring in RAM, one lock that
 * is taken once a block by the engine. Any thread.
 */
#ifndef KITH_ENGINE_VERDICT_H
#define KITH_ENGINE_VERDICT_H

#include <pthread.h>

#include "engine/engine.h"

#define VERDICT_COUNT ((size_t)1 << 16)

struct verdicts {
    pthread_mutex_t mutex;
    struct engine_verdict *ring;
    uint64_t next;
};

err verdicts_init(struct verdicts *verdicts) MUST_USE;
void verdicts_deinit(struct verdicts *verdicts);
void verdicts_add(struct verdicts *verdicts, const struct engine_verdict *added, size_t count);
/* Newest first; FATE_UNKNOWN when it is not there. */
void verdicts_find(struct verdicts *verdicts, const uint8_t message_key[16],
                   struct engine_verdict *verdict);

#endif
