/* SPDX-License-Identifier: Apache-2.0 */
/* privacy: erasures as apply sees them. The work outside of apply (warehouse, log, files) is src/privacy's.
 *
 *     customer.erase ─▶ state and ledger are clean in this record ─▶ erasing ──erasure.move … finished──▶ finished
 *
 * Until an erasure is finished the warehouse may still have rows of her nodes: a start leaves them out.
 *
 * Engine thread.
 */
#ifndef KITH_ENGINE_PRIVACY_H
#define KITH_ENGINE_PRIVACY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/ledger.h"

/* One that is not finished. */
struct erasure {
    uint32_t number, node_count;
    uint32_t *nodes;
};

struct erasures {
    uint32_t count; /* ever */
    struct erasure *open;
    uint32_t open_count, open_capacity;
};

void erasures_deinit(struct erasures *erasures);
err erasures_load(struct erasures *erasures, struct ledger *ledger,
                  struct problem *problem) MUST_USE;
err erasures_add(struct erasures *erasures, uint32_t number, const uint32_t *nodes,
                 size_t count) MUST_USE;
/* NULL: there is none, or it is finished. */
const struct erasure *erasures_find(const struct erasures *erasures, uint32_t number);
void erasures_finish(struct erasures *erasures, uint32_t number);
/* Whose rows do not count, as SQL over `events_kept`: appended, beginning with " AND "; nothing when there is none. */
void erasures_write_kept(const struct erasures *erasures, struct buffer *sql);

#endif
