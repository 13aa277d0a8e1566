/* SPDX-License-Identifier: Apache-2.0 */
/* idempotency: answers already given, by key; see idempotency.h. */
#include "engine/idempotency.h"

#include <string.h>

#include "base/arena.h"

void idempotency_init(struct idempotency *idempotency)
{
    *idempotency = (struct idempotency){ .first = NULL };
    idempotency->last = &idempotency->first;
}

static void drop_first(struct idempotency *idempotency)
{
    struct idempotency_answer *oldest = idempotency->first;
    idempotency->first = oldest->next;
    if (idempotency->first == NULL)
        idempotency->last = &idempotency->first;
    idempotency->count--;
    memory_free(oldest);
}

void idempotency_deinit(struct idempotency *idempotency)
{
    while (idempotency->first != NULL)
        drop_first(idempotency);
}

static bool remember(struct idempotency *idempotency, const uint8_t key[16],
                     const uint8_t request_hash[16], int status, str response, int64_t at_ms)
{
    struct idempotency_answer *answer = memory_alloc(sizeof *answer + response.size);
    if (answer == NULL)
        return false;
    memcpy(answer->key, key, sizeof answer->key);
    memcpy(answer->request_hash, request_hash, sizeof answer->request_hash);
    answer->status = status;
    answer->at_ms = at_ms;
    answer->response_size = response.size;
    if (response.size > 0)
        memcpy(answer->response, response.data, response.size);
    /* Loaded rows come in the order of their keys, so find the place by time. */
    struct idempotency_answer **place = &idempotency->first;
    if (idempotency->first == NULL ||
        at_ms >= queue_entry(idempotency->last, struct idempotency_answer, next)->at_ms)
        place = idempotency->last;
    else
        while (*place != NULL && (*place)->at_ms <= at_ms)
            place = &(*place)->next;
    answer->next = *place;
    *place = answer;
    if (answer->next == NULL)
        idempotency->last = &answer->next;
    idempotency->count++;
    return true;
}

static bool load_row(void *context, const struct ledger_value *values)
{
    struct idempotency *idempotency = context;
    if (values[0].bytes.size != 16 || values[1].bytes.size != 16)
        return false;
    return remember(idempotency, (const uint8_t *)values[0].bytes.data,
                    (const uint8_t *)values[1].bytes.data, (int)values[2].integer, values[3].bytes,
                    values[4].integer);
}

err idempotency_load(struct idempotency *idempotency, struct ledger *ledger,
                     struct problem *problem)
{
    return ledger_scan(ledger, LEDGER_IDEMPOTENCY, NULL, load_row, idempotency, problem);
}

const struct idempotency_answer *idempotency_find(const struct idempotency *idempotency,
                                                  const uint8_t key[16])
{
    for (const struct idempotency_answer *answer = idempotency->first; answer != NULL;
         answer = answer->next) {
        if (memcmp(answer->key, key, sizeof answer->key) == 0)
            return answer;
    }
    return NULL;
}

static void delete_row(const struct idempotency_answer *answer, struct ledger_writes *writes)
{
    struct ledger_value key = ledger_blob(str_from_bytes(answer->key, sizeof answer->key));
    ledger_delete(writes, LEDGER_IDEMPOTENCY, &key);
}

void idempotency_put(struct idempotency *idempotency, const uint8_t key[16],
                     const uint8_t request_hash[16], int status, str response, int64_t at_ms,
                     struct ledger_writes *writes)
{
    if (idempotency->count >= IDEMPOTENCY_COUNT_MAX) {
        delete_row(idempotency->first, writes);
        drop_first(idempotency);
    }
    if (!remember(idempotency, key, request_hash, status, response, at_ms))
        return;
    LEDGER_PUT(writes, LEDGER_IDEMPOTENCY, ledger_blob(str_from_bytes(key, 16)),
               ledger_blob(str_from_bytes(request_hash, 16)), ledger_int(status),
               ledger_text(response), ledger_int(at_ms));
}

void idempotency_prune(struct idempotency *idempotency, int64_t now_ms,
                       struct ledger_writes *writes)
{
    while (idempotency->first != NULL && idempotency->first->at_ms + IDEMPOTENCY_KEEP_MS < now_ms) {
        delete_row(idempotency->first, writes);
        drop_first(idempotency);
    }
}
