/* SPDX-License-Identifier: Apache-2.0 */
/* whatif: what would happen (预演). A journey over the last days of what really happened, with every policy on, on an overlay of
 * journeys and touches that is never published. docs/whatif.md says what is asked and answered, docs/decisions/whatif.md why so.
 *
 *     whatif_begin ─▶ WAITING ─▶ RUNNING ─┬─▶ DONE       the result is kept in whatif/ of the data folder
 *                                         ├─▶ FAILED     reason
 *                                         └─▶ CANCELLED
 *
 * Invariants
 *   V1 nothing of the live state, the ledger, the log or the outbox changes: no command is appended, the rooms of the overlay have
 *      no writes, and what is live is read by questions or where any thread may.
 *   V2 from the same start and the same records the same touches come as in life (tests/sim/whatif_lived.c).
 *   V3 memory of a run is bounded by WHATIF_BYTES_MAX, beyond which it ends where it is, and says so.
 *
 * Any thread, save whatifs_new and whatifs_free.
 */
#ifndef KITH_ENGINE_WHATIF_H
#define KITH_ENGINE_WHATIF_H

#include "base/json.h"
#include "engine/engine.h"

#define WHATIF_ID_BYTES 16
#define WHATIF_DAYS_MAX 400
#define WHATIF_WAITING_MAX 20
#define WHATIF_KEPT_MAX 200
#define WHATIF_BYTES_MAX ((size_t)3 << 30)

struct whatifs;
err whatifs_new(struct whatifs **whatifs, struct engine *engine) MUST_USE;
void whatifs_free(struct whatifs **whatifs);

/* `body` as in docs/whatif.md. UNPROCESSABLE with pointer, NOT_FOUND, BUSY when too many wait. */
err whatif_begin(struct whatifs *whatifs, str key, json_value body, uint32_t user_number,
                 char id[WHATIF_ID_BYTES], struct problem *problem) MUST_USE;
/* {id, journey, state, progress, …} and, when it is done, all of the result. Customers stand as one_ids. NOT_FOUND. */
err whatif_write(struct whatifs *whatifs, str key, str id, struct buffer *out) MUST_USE;
/* All of a journey, newest first, without results: elements of an array. */
void whatif_write_all(struct whatifs *whatifs, str key, struct json_writer *writer);
/* One that waits or runs is cancelled; one that is over is removed. NOT_FOUND. */
err whatif_delete(struct whatifs *whatifs, str key, str id) MUST_USE;
/* Beside what really came in the days from `from_ms` on, as many as were simulated: docs/whatif.md. CONFLICT while it runs. */
err whatif_compare(struct whatifs *whatifs, str key, str id, int64_t from_ms, struct buffer *out,
                   struct problem *problem) MUST_USE;

/* One customer through it, from now on, nothing sent (POST …/trial): docs/whatif.md. `lens`: what who asks may see filled in; NULL: all.
 * UNPROCESSABLE with pointer, NOT_FOUND, CONFLICT: never published, BUSY: others try. Waits; a worker's thread. */
err whatif_try(struct whatifs *whatifs, str key, uint32_t customer, json_value body,
               const struct value_lens *lens, struct buffer *out, struct problem *problem) MUST_USE;

/* ---- one run, on the calling thread (tests, benches) ---- */

/* Told of every status that a touch of the overlay gets, as it gets it. */
struct whatif_touch {
    uint32_t touch, node;
    str journey, journey_node;
    int64_t at_ms;
    enum touch_status status;
    str reason;
};
struct whatif_listener {
    void (*touch)(void *context, const struct whatif_touch *touch);
    void *context;
};
err whatif_run(struct engine *engine, str key, json_value body,
               const struct whatif_listener *listener, const _Atomic bool *cancel,
               struct buffer *result, struct problem *problem) MUST_USE;

#endif
