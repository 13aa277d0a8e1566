/* SPDX-License-Identifier: Apache-2.0 */
/* imports: files and history in, as jobs that finish, resume, or are undone.
 *
 * A job is a row of the ledger, changed by commands alone (engine/command.h): made, running, paused, finished,
 * failed, cancelled, undoing, undone. Its worker reads the file, maps rows, and appends events to the log in
 * chunks; each chunk carries, in the same append, the command that moves the job's row on. So after a crash
 * the job stands exactly where its last durable chunk ended.
 *
 * Invariants
 *   J1 a job is finished, resumable, or undone; never half.
 *   J2 the same file again changes nothing and says so; a corrected file replaces by natural key (order id).
 *   J3 imported history starts no journey: its events carry EVENT_HISTORICAL.
 *   J4 what a job brought (events, traits, identifiers, merges, objects) is known by its source number, and undo takes exactly that
 *      away: what others brought stays.
 *   J5 the outcome does not depend on the path: row by row through the doors, or in bulk.
 *
 * Threads: a pool of its own (one job per thread, others wait); the functions below by any worker thread.
 */
#ifndef KITH_IMPORTS_IMPORTS_H
#define KITH_IMPORTS_IMPORTS_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"

struct imports;

struct imports_config {
    struct engine *engine;
    const char *folder;         /* data/imports: uploads, reports */
    const char *allowed_folder; /* server-side paths must be below it; NULL: none */
    unsigned threads;           /* default 1 */
};
err imports_open(struct imports **imports, const struct imports_config *config,
                 struct problem *problem) MUST_USE;
/* Stops at the next chunk; jobs go on at the next start. */
void imports_close(struct imports **imports);

#endif
