/* SPDX-License-Identifier: Apache-2.0 */
/* file: the SQLite file of the log: blocks in, blocks out, nothing lost in silence.
 *
 * Private to log/. What is where: docs/formats/log-block.md.
 *
 * Why it is as it is
 *   F1 EXCLUSIVE locking from the first access on: a second opener gets BUSY at once, and the index
 *      of the WAL is in memory, so that a commit cannot fail for want of shared memory after its
 *      frames are on disk. All use of the one connection is under `turn`.
 *   F2 Checkpoints are made here, never by SQLite itself: its automatic ones forget errors, and
 *      the sync of a checkpoint that has failed is the end too (F4).
 *   F3 A commit that failed may have left its frames, and a crash could bring them back to life.
 *      So it is overwritten by a commit of no meaning ('void') before anybody is answered.
 *   F4 After an error of writing or syncing the file is dead: it is read, but never written again.
 *   F5 Opening makes durable what it has found before anybody sees it: frames that an earlier
 *      process wrote and did not sync, or whose sync failed, are copied and synced by a checkpoint.
 *
 * `problem` is never NULL in this room. Threads: any, unless said otherwise.
 */
#ifndef KITH_LOG_FILE_H
#define KITH_LOG_FILE_H

#include "log/log.h"

struct log_file;

/* What opening has found. */
struct log_tail {
    uint64_t first_seq;    /* of the oldest block; last_seq + 1 when there is none */
    uint64_t last_seq;     /* 0: nothing yet */
    int64_t received_ms;   /* of the last block */
    uint64_t lost_records; /* replaced by ticks: their block could not be read */
};

err log_file_open(struct log_file **file, const struct log_config *config, struct log_tail *tail,
                  struct problem *problem) MUST_USE;
/* Checkpoints and removes the WAL, unless dead. */
void log_file_close(struct log_file **file);

struct log_file_row {
    uint64_t first_seq;
    str body;
};

/* All rows in one transaction, synced when it returns OK. STORAGE_FULL or NOMEM: none of them is in
 * the file, nor will be. Anything else: the file is dead (SYNC, IO, CORRUPT). Writer thread. */
err log_file_write(struct log_file *file, const struct log_file_row *rows, size_t count,
                   uint64_t last_seq, struct problem *problem) MUST_USE;
/* A checkpoint when enough has gathered; when nobody waits (`quiet`), a quarter of it is enough, for
 * a small one is over before the next append comes. STORAGE_FULL and NOMEM are tried again later by themselves
 * and are OK here; anything else: the file is dead, and why. Writer thread. */
err log_file_tidy(struct log_file *file, bool quiet, struct problem *problem) MUST_USE;
bool log_file_is_dead(struct log_file *file);

/* The block that holds `seq`. NOT_FOUND when there is none; CORRUPT names what is damaged. */
err log_file_read(struct log_file *file, uint64_t seq, struct log_block **block,
                  struct problem *problem) MUST_USE;
/* Uncompressed bytes of the blocks from `seq` on. */
err log_file_record_bytes_from(struct log_file *file, uint64_t seq, uint64_t *bytes,
                               struct problem *problem) MUST_USE;
/* Remove some of the oldest blocks that lie before `seq` and are older than `before_ms`. `*more`:
 * call again. Errors as log_file_write. */
err log_file_trim(struct log_file *file, uint64_t seq, int64_t before_ms, uint64_t *first_seq,
                  bool *more, struct problem *problem) MUST_USE;
int64_t log_file_bytes(struct log_file *file);

/* Of an empty log: its first block will be this; what was before counts as trimmed. */
err log_file_begin_at(struct log_file *file, uint64_t first_seq, int64_t received_ms,
                      struct problem *problem) MUST_USE;

/* Another body in the row of a block, and nothing left of the one before; no error when it was trimmed meanwhile. */
err log_file_replace(struct log_file *file, uint64_t first_seq, str body,
                     struct problem *problem) MUST_USE;
/* Nothing is left of what was ever removed or replaced: free pages hold zeros, the write-ahead log is cut. */
err log_file_scrub(struct log_file *file, struct problem *problem) MUST_USE;

#endif
