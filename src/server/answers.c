/* SPDX-License-Identifier: Apache-2.0 */
/* Answers by Idempotency-Key, word for word, while the process lives.
 *
 * The engine keeps the outcome of each command by key for two days, over restarts, and never does it
 * twice; what a handler adds around it (the source as it is now) may change. So the whole answer is kept
 * here for a day, and a request that comes again gets the same bytes.
 */
#include "server/answers.h"

#include <string.h>

#include "base/digest.h"

#define SETS 1024
#define WAYS 4
#define BODY_BYTES_MAX (64 * 1024)
#define BYTES_MAX (32 * 1024 * 1024)
#define KEEP_MS DAY_MS

struct kept_answer {
    uint8_t key[16], request_hash[16];
    int64_t at_ms; /* 0: free */
    int status;
    char *body;
    size_t size;
};

struct answers {
    pthread_mutex_t mutex;
    size_t bytes;
    struct kept_answer kept[SETS][WAYS];
};

err answers_new(struct answers **answers)
{
    *answers = memory_alloc(sizeof(**answers));
    if (*answers == NULL)
        return ERR_NOMEM;
    pthread_mutex_init(&(*answers)->mutex, NULL);
    return ERR_OK;
}

static void forget(struct answers *answers, struct kept_answer *kept)
{
    answers->bytes -= kept->size;
    memory_free(kept->body);
    *kept = (struct kept_answer){ .at_ms = 0 };
}

void answers_free(struct answers **pointer)
{
    struct answers *answers = *pointer;
    *pointer = NULL;
    if (answers == NULL)
        return;
    for (size_t set = 0; set < SETS; set++)
        for (size_t way = 0; way < WAYS; way++)
            forget(answers, &answers->kept[set][way]);
    pthread_mutex_destroy(&answers->mutex);
    memory_free(answers);
}

static struct kept_answer *set_of(struct answers *answers, const uint8_t key[16])
{
    return answers->kept[hash_bytes64(key, 16, 0) % SETS];
}

enum answers_found answers_find(struct answers *answers, const uint8_t key[16],
                                const uint8_t request_hash[16], int64_t now_ms, int *status,
                                struct buffer *body)
{
    enum answers_found found = ANSWERS_NEW;
    pthread_mutex_lock(&answers->mutex);
    struct kept_answer *set = set_of(answers, key);
    for (int way = 0; way < WAYS; way++) {
        struct kept_answer *kept = &set[way];
        if (kept->at_ms == 0 || memcmp(kept->key, key, 16) != 0)
            continue;
        if (now_ms - kept->at_ms > KEEP_MS) {
            forget(answers, kept);
            break;
        }
        found = memcmp(kept->request_hash, request_hash, 16) == 0 ? ANSWERS_SAME : ANSWERS_OTHER;
        if (found == ANSWERS_SAME) {
            *status = kept->status;
            buffer_append(body, kept->body, kept->size);
        }
        break;
    }
    pthread_mutex_unlock(&answers->mutex);
    return found;
}

void answers_keep(struct answers *answers, const uint8_t key[16], const uint8_t request_hash[16],
                  int64_t now_ms, int status, str body)
{
    char *copy = body.size <= BODY_BYTES_MAX ? memory_alloc(body.size + 1) : NULL;
    if (copy == NULL)
        return; /* the engine still knows the outcome */
    if (body.size > 0)
        memcpy(copy, body.data, body.size);
    pthread_mutex_lock(&answers->mutex);
    struct kept_answer *set = set_of(answers, key), *place = &set[0];
    for (int way = 0; way < WAYS; way++) {
        if (set[way].at_ms != 0 && memcmp(set[way].key, key, 16) == 0) {
            place = &set[way];
            break;
        }
        if (set[way].at_ms < place->at_ms)
            place = &set[way];
    }
    forget(answers, place);
    if (answers->bytes + body.size <= BYTES_MAX) {
        memcpy(place->key, key, 16);
        memcpy(place->request_hash, request_hash, 16);
        place->at_ms = now_ms;
        place->status = status;
        place->body = copy;
        place->size = body.size;
        answers->bytes += body.size;
        copy = NULL;
    }
    pthread_mutex_unlock(&answers->mutex);
    memory_free(copy);
}
