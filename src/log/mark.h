/* SPDX-License-Identifier: Apache-2.0 */
/* mark: the last durable seq, written beside the log, so that a lost tail cannot pass for a torn
 * one. Private to log/.
 *
 * SQLite stops reading its WAL at the first frame that is not right: after a power loss that is the
 * torn end, but after a flipped bit it may be in the middle of what was acknowledged, and nothing
 * in the file tells the two apart. The mark does: it is written (not synced) after each sync, so it
 * never says more than is durable, and what it says must be there when the log is opened.
 *
 * One file of MARK_BYTES, `<log>-mark`: byte table in docs/formats/log-block.md. Used under the
 * lock of the log's file.
 */
#ifndef KITH_LOG_MARK_H
#define KITH_LOG_MARK_H

#include <sqlite3.h>
#include <stdint.h>

#include "base/error.h"

#define MARK_BYTES 24

struct mark {
    sqlite3_vfs *vfs;
    sqlite3_file *file; /* NULL: closed */
};

enum mark_found { MARK_MISSING, MARK_DAMAGED, MARK_VALID };

err mark_open(struct mark *mark, sqlite3_vfs *vfs, const char *log_path,
              struct problem *problem) MUST_USE;
void mark_close(struct mark *mark);
/* `*last_seq` is set when VALID. */
err mark_read(struct mark *mark, enum mark_found *found, uint64_t *last_seq,
              struct problem *problem) MUST_USE;
/* STORAGE_FULL when the disk is full: the old mark is then still true. */
err mark_write(struct mark *mark, uint64_t last_seq, struct problem *problem) MUST_USE;

#endif
