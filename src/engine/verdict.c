/* SPDX-License-Identifier: Apache-2.0 */
/* verdict: the last events and what became of each; see verdict.h. */
#include "engine/verdict.h"

#include <string.h>

#include "base/arena.h"

err verdicts_init(struct verdicts *verdicts)
{
    *verdicts = (struct verdicts){ .next = 0 };
    pthread_mutex_init(&verdicts->mutex, NULL);
    verdicts->ring = memory_alloc(VERDICT_COUNT * sizeof *verdicts->ring);
    return verdicts->ring != NULL ? ERR_OK : ERR_NOMEM;
}

void verdicts_deinit(struct verdicts *verdicts)
{
    memory_free(verdicts->ring);
    verdicts->ring = NULL;
    pthread_mutex_destroy(&verdicts->mutex);
}

void verdicts_add(struct verdicts *verdicts, const struct engine_verdict *added, size_t count)
{
    pthread_mutex_lock(&verdicts->mutex);
    for (size_t index = 0; index < count; index++)
        verdicts->ring[verdicts->next++ % VERDICT_COUNT] = added[index];
    pthread_mutex_unlock(&verdicts->mutex);
}

void verdicts_find(struct verdicts *verdicts, const uint8_t message_key[16],
                   struct engine_verdict *verdict)
{
    *verdict = (struct engine_verdict){ .fate = FATE_UNKNOWN };
    pthread_mutex_lock(&verdicts->mutex);
    uint64_t oldest = verdicts->next > VERDICT_COUNT ? verdicts->next - VERDICT_COUNT : 0;
    for (uint64_t at = verdicts->next; at > oldest; at--) {
        const struct engine_verdict *kept = &verdicts->ring[(at - 1) % VERDICT_COUNT];
        if (memcmp(kept->message_key, message_key, sizeof kept->message_key) == 0) {
            *verdict = *kept;
            break;
        }
    }
    pthread_mutex_unlock(&verdicts->mutex);
}
