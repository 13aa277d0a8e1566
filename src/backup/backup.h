/* SPDX-License-Identifier: Apache-2.0 */
/* backup: a second place where everything is, taken while the server runs.
 *
 * A *backup folder* holds any number of *points*. A point is all of a data folder at one seq: its ledger, its warehouse, its
 * keys and uploads, and the blocks of the log that are not in the warehouse yet. Whatever two points have in common is stored once
 * (pieces named by the hash of their content), so a second point costs what has changed. Points also keep the blocks of the log
 * since the point before: a folder can be restored to any second between two points.
 *
 *     hold the flush ─▶ freeze the warehouse (hard links) ─▶ fix the ledger's moment ─▶ let the flush go
 *                                                                  └─▶ copy what was fixed, in peace
 *
 * docs/formats/backup.md has the layout.
 *
 * Invariants
 *   B1 a point is there whole or not at all: its page is renamed into place after everything it names is on disk.
 *   B2 what is restored is what was kept: each piece is checked by its hash when it is read, and damage is named.
 *   B3 a restored folder opens as after a crash at that moment: ledger at its applied_seq, the rest of the log applied again.
 *   B4 the server is held up only between two flushes (a second at the most); events go on being taken.
 *
 * Values that name a person are sealed as in the data folder. The folder's keys are in the backup as they lie in the data
 * folder: protected where KITH_MASTER_KEY is used, in the open where it is not.
 */
#ifndef KITH_BACKUP_BACKUP_H
#define KITH_BACKUP_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "engine/engine.h"

/* ---- by a running server ---- */

struct backups;

struct backups_config {
    struct engine *engine;
    const char *data_folder;
    const char *folder;  /* where points go; made when missing; may not lie in the data folder */
    const char *version; /* of Kith, for the point's page */
};
err backups_open(struct backups **backups, const struct backups_config *config,
                 struct problem *problem) MUST_USE;
/* A point that is being taken is given up; nothing of it counts. */
void backups_close(struct backups **backups);
/* Begin to take a point, on a thread of its own. CONFLICT while one is being taken, by this server or another. Any thread. */
err backups_begin(struct backups *backups, struct problem *problem) MUST_USE;
/* {folder, running:{started_at, phase, bytes_read, bytes_written}|null, last_problem, points:[…newest first]}. Any thread. */
err backups_write(struct backups *backups, struct buffer *out, struct problem *problem) MUST_USE;

/* ---- on folders alone ---- */

struct backup_report {
    uint32_t point;
    uint64_t applied_seq, log_last_seq;
    int64_t at_ms;         /* received time of the last record */
    uint64_t files, bytes; /* what it consists of */
    uint64_t new_bytes;    /* what was written for it */
};

/* JSON array of {number, taken_at, until, applied_seq, log_last_seq, file_count, bytes, new_bytes, version}, newest first. */
err backup_list(const char *folder, struct buffer *out, struct problem *problem) MUST_USE;

struct backup_restore_options {
    const char *folder; /* the backups */
    const char *data;   /* made; must be missing or empty */
    uint32_t point;     /* 0: the newest that `at_ms` allows */
    int64_t at_ms;      /* nothing received later; 0: everything that is kept */
};
/* NOT_FOUND when no point is old enough; CONFLICT for a folder that is not empty; CORRUPT names piece and point. After an error
 * the folder is not there, or as empty as it was. */
err backup_restore(const struct backup_restore_options *options, struct backup_report *report,
                   struct problem *problem) MUST_USE;
/* Read every piece of every point; CORRUPT with the first that is damaged or missing. */
err backup_verify(const char *folder, uint64_t *pieces, uint64_t *bytes,
                  struct problem *problem) MUST_USE;
/* Remove all but the newest `keep` points, and every piece that no point needs any more. CONFLICT while one is taken. */
err backup_prune(const char *folder, uint32_t keep, uint32_t *removed, uint64_t *freed_bytes,
                 struct problem *problem) MUST_USE;

#endif
