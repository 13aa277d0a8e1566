/* SPDX-License-Identifier: Apache-2.0 */
/* idempotency: answers already given, by key; the same key gives the same answer for two days.
 *
 * Part of state: filled and pruned inside apply, rows of the ledger's table IDEMPOTENCY. Keys are
 * hashes of actor and Idempotency-Key. At most IDEMPOTENCY_COUNT_MAX answers are kept; beyond
 * that the oldest go before their time. Engine thread alone.
 */
#ifndef KITH_ENGINE_IDEMPOTENCY_H
#define KITH_ENGINE_IDEMPOTENCY_H

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "store/ledger.h"

#define IDEMPOTENCY_KEEP_MS (2 * DAY_MS)
#define IDEMPOTENCY_COUNT_MAX 20000

struct idempotency_answer {
    struct idempotency_answer *next; /* oldest first */
    uint8_t key[16], request_hash[16];
    int status;
    int64_t at_ms;
    size_t response_size;
    char response[];
};

struct idempotency {
    struct idempotency_answer *first, **last;
    size_t count;
};

void idempotency_init(struct idempotency *idempotency);
void idempotency_deinit(struct idempotency *idempotency);
err idempotency_load(struct idempotency *idempotency, struct ledger *ledger,
                     struct problem *problem) MUST_USE;
/* NULL if the key is new. */
const struct idempotency_answer *idempotency_find(const struct idempotency *idempotency,
                                                  const uint8_t key[16]);
void idempotency_put(struct idempotency *idempotency, const uint8_t key[16],
                     const uint8_t request_hash[16], int status, str response, int64_t at_ms,
                     struct ledger_writes *writes);
void idempotency_prune(struct idempotency *idempotency, int64_t now_ms,
                       struct ledger_writes *writes);

#endif
