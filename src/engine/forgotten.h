/* SPDX-License-Identifier: Apache-2.0 */
/* forgotten: which identifiers were erased since the start, for caches beyond the engine that hold something of them.
 *
 * The rows are noted as the erasure is applied and given out once its commit is done: who reads the ledger from then on finds
 * nothing there any more. There is one who takes them. Where too many wait, or memory is short, the answer is "all":
 * the cache is to be emptied.
 */
#ifndef KITH_ENGINE_FORGOTTEN_H
#define KITH_ENGINE_FORGOTTEN_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

#define FORGOTTEN_MAX ((size_t)1 << 20)

/* Take up to `limit` rows whose erasure is committed; how many. With `*all`, rows are missing: everything may be one of them.
 * Any thread, one at a time. */
size_t engine_take_forgotten(struct engine *engine, uint32_t *rows, size_t limit, bool *all);

/* ---- the engine's own ---- */

struct forgotten {
    pthread_mutex_t mutex; /* guards the rest */
    struct forgotten_row {
        uint32_t row;
        uint64_t seq;
    } * items; /* ascending by seq */
    size_t count, capacity;
    uint64_t missing_seq; /* of the last erasure that found no room; 0: none */
};
void forgotten_init(struct forgotten *forgotten);
void forgotten_deinit(struct forgotten *forgotten);
/* Engine thread. */
void forgotten_note(struct forgotten *forgotten, const uint32_t *rows, size_t count, uint64_t seq);

#endif
