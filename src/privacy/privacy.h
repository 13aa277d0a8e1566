/* SPDX-License-Identifier: Apache-2.0 */
/* privacy: erasures are brought to their end outside of apply: warehouse, log, quarantine, files, backups.
 *
 *     customer.erase: state and ledger ─▶ ERASING
 *          wait until the warehouse has all that was applied before
 *          ─▶ what she did is added to the sums of all          (erasure.move, once)
 *          ─▶ her rows leave the warehouse, and the parts that had them its folder
 *          ─▶ the log's records about her say nothing of her any more
 *          ─▶ quarantine, exports, reports of refused rows, uploads
 *          ─▶ what was needed to find all that goes; the ledger's old pages too
 *     FINISHED, with a receipt
 *
 * Several erasures go this way together. Invariants
 *   V1 each step may be done again: a server that dies in the middle goes on at its next start, and the end is the same.
 *   V2 from the record of the erasure on, nobody finds her; until FINISHED, bytes of hers may still lie on the disk.
 *   V3 when it is FINISHED, neither the plain nor the sealed value of an identifier of hers is in any file of the data folder.
 *   V4 events about her that come later are refused in apply, and their records in the log are emptied within minutes.
 *   V5 a restored backup erases again, before it is a day old, whom the folder of backups knows as erased (erased.c).
 *
 * docs/privacy.md says what is kept, and why.
 *
 * Threads: one of its own; the functions below by any.
 */
#ifndef KITH_PRIVACY_PRIVACY_H
#define KITH_PRIVACY_PRIVACY_H

#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"
#include "engine/engine.h"
#include "engine/retention.h"
#include "imports/imports.h"

struct privacy;

struct privacy_config {
    struct engine *engine;
    struct imports *imports; /* takes back the events that are too old; NULL: they stay */
    const char *data_folder;
    const char *backups_folder; /* NULL: there is none */
};
err privacy_open(struct privacy **privacy, const struct privacy_config *config,
                 struct problem *problem) MUST_USE;
/* What is under way stops between two steps; it goes on at the next start. */
void privacy_close(struct privacy **privacy);
/* An erasure was asked for: look. */
void privacy_wake(struct privacy *privacy);

/* {erasing, finished, tombstones, refused_events, log_is_clean, totals:[{currency, events, revenue, total}]}. */
err privacy_write_status(struct privacy *privacy, struct buffer *out,
                         struct problem *problem) MUST_USE;
/* {id, state, customer…}; NOT_FOUND. `id`: its number. */
err privacy_write_erasure(struct privacy *privacy, uint32_t number, struct buffer *out,
                          struct problem *problem) MUST_USE;
/* Newest first, from beyond `before` (0: the newest); *next: where the next page begins, or 0. */
err privacy_write_erasures(struct privacy *privacy, uint32_t before, size_t limit,
                           struct json_writer *writer, uint32_t *next,
                           struct problem *problem) MUST_USE;

/* ---- keys: the sealing key is rotated (renew.h) ---- */

/* Key `from` + 1 seals from now on, and what was sealed before is sealed anew, as job k<number>. OK, and nothing happens, where
 * `from` is not the newest any more; CONFLICT while the last rotation is under way, or when there is no such key. */
err privacy_rotate_keys(struct privacy *privacy, uint32_t from, struct problem *problem) MUST_USE;
/* Keys up to this one are not used any more, from the next start on. CONFLICT while something here needs it. */
err privacy_remove_key(struct privacy *privacy, uint32_t number, struct problem *problem) MUST_USE;
/* {newest, keys_max, keys:[{number, state, needed}], job}. */
err privacy_write_keys(struct privacy *privacy, struct json_writer *writer,
                       struct problem *problem) MUST_USE;
/* A line: what older keys sealed is where, and how much. Reads everything; without a running job. */
err privacy_print_old_seals(struct engine *engine, FILE *out, struct problem *problem) MUST_USE;
/* Job k<number>; NOT_FOUND for any but the last. */
err privacy_write_key_job(struct privacy *privacy, uint32_t number, struct json_writer *writer,
                          struct problem *problem) MUST_USE;

/* ---- retention: how long what is kept is kept ---- */

/* {policy, kinds:[…], last_run}. */
err privacy_write_retention(struct privacy *privacy, struct buffer *out,
                            struct problem *problem) MUST_USE;
/* A run `tN`; NOT_FOUND. */
err privacy_write_run(struct privacy *privacy, uint32_t number, struct buffer *out,
                      struct problem *problem) MUST_USE;
/* What would go by this policy now, and nothing goes: {as_of, counts, event_types}. Seconds. */
err privacy_try_retention(struct privacy *privacy, json_value policy, struct json_writer *writer,
                          struct problem *problem) MUST_USE;

#endif
