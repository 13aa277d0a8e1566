/* SPDX-License-Identifier: Apache-2.0 */
/* quarantine: well-formed events that do not fit, kept with their reason until somebody decides.
 *
 * An event in quarantine is a row of the ledger, its id the seq of its record. Replaying puts its
 * record through the log again, flagged; it is taken out of quarantine by being applied, and once only,
 * however often it is asked for: `open` says which message keys wait. Engine thread alone.
 */
#ifndef KITH_ENGINE_QUARANTINE_H
#define KITH_ENGINE_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/dedupe.h"
#include "event/event.h"
#include "store/ledger.h"

struct quarantine_slot {
    uint64_t key, id;
}; /* key 0: empty */

struct quarantine {
    struct quarantine_slot *slots;
    size_t slot_count; /* power of two */
    size_t used;       /* slots ever filled, taken ones included */
    size_t open;
};

/* The message keys in quarantine are remembered as seen as well. */
err quarantine_load(struct quarantine *quarantine, struct ledger *ledger, struct dedupe *dedupe,
                    int64_t now_ms, struct problem *problem) MUST_USE;
void quarantine_deinit(struct quarantine *quarantine);

/* File `event` (with its record bytes) under its seq. `key` is its message key's 64 bits. */
err quarantine_file(struct quarantine *quarantine, uint64_t key, uint64_t seq, int64_t now_ms,
                    uint32_t source_number, str event_type, str reason, str detail, str record,
                    struct ledger_writes *writes) MUST_USE;
/* Take the one with this key out: true if it was waiting. */
bool quarantine_take(struct quarantine *quarantine, uint64_t key, struct ledger_writes *writes);
/* Let go of the events with these ids, in ascending order; only their keys are kept. Returns how many
 * there were. One pass over what is open. */
size_t quarantine_discard(struct quarantine *quarantine, const uint64_t *ids, size_t count,
                          int64_t now_ms, struct ledger_writes *writes);
/* These rows, ids ascending, go for good, waiting or decided; older than the dedupe window, so that no retry is due. */
void quarantine_drop(struct quarantine *quarantine, const uint64_t *ids, size_t count,
                     struct ledger_writes *writes);
/* Is this key waiting? */
bool quarantine_has(const struct quarantine *quarantine, uint64_t key);

#endif
