/* SPDX-License-Identifier: Apache-2.0 */
/* file_parts: what file.c (writing and reading) and file_tail.c (opening, repair) share. */
#ifndef KITH_LOG_FILE_PARTS_H
#define KITH_LOG_FILE_PARTS_H

#include <pthread.h>
#include <sqlite3.h>

#include "log/block.h"
#include "log/file.h"
#include "log/mark.h"

/* NAME, SQL */
#define SQL_TABLE(X)                                                           \
    X(BEGIN, "BEGIN IMMEDIATE")                                                \
    X(COMMIT, "COMMIT")                                                        \
    X(ROLLBACK, "ROLLBACK")                                                    \
    X(INSERT, "INSERT INTO block (first_seq, body) VALUES (?1, ?2)")           \
    X(REPLACE, "REPLACE INTO block (first_seq, body) VALUES (?1, ?2)")         \
    X(FIND, ("SELECT first_seq, body FROM block WHERE first_seq <= ?1"         \
             " ORDER BY first_seq DESC LIMIT 1"))                              \
    X(KEYS, ("SELECT first_seq, length(body) FROM block WHERE first_seq >= ?1" \
             " ORDER BY first_seq LIMIT ?2"))                                  \
    X(DELETE, "DELETE FROM block WHERE first_seq <= ?1")                       \
    X(UPDATE, "UPDATE block SET body = ?2 WHERE first_seq = ?1")               \
    X(FILL, "INSERT INTO damaged (first_seq, body) VALUES (0, zeroblob(?1))")  \
    X(UNFILL, "DELETE FROM damaged WHERE first_seq = 0")                       \
    X(SET_ASIDE, ("INSERT INTO damaged (first_seq, body)"                      \
                  " SELECT first_seq, body FROM block WHERE first_seq = ?1"))  \
    X(STATE_GET, "SELECT value FROM state WHERE id = 1")                       \
    X(STATE_PUT, "REPLACE INTO state (id, value) VALUES (1, ?1)")              \
    X(PAGES, "PRAGMA page_count")                                              \
    X(PAGES_FREE, "PRAGMA freelist_count")

enum sql {
#define X(name, text) SQL_##name,
    SQL_TABLE(X)
#undef X
        SQL_COUNT
};

/* A lock that is handed on in the order of asking: a long trim does not starve the writer. */
struct turn {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    uint64_t asked, served;
};
void turn_init(struct turn *turn);
void turn_deinit(struct turn *turn);
void turn_take(struct turn *turn);
void turn_give(struct turn *turn);

/* The row `state`. */
struct file_state {
    uint64_t trimmed_seq;        /* the last record that was trimmed */
    int64_t trimmed_received_ms; /* of its block */
    uint64_t voids;              /* failed commits that were overwritten (F3) */
};

#define STATE_BYTES 28
void file_state_encode(const struct file_state *state, uint8_t out[STATE_BYTES]);
bool file_state_decode(str bytes, struct file_state *state);

struct log_file {
    struct turn turn;
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    sqlite3_vfs *gate; /* KITH_FAULTS only */
    struct mark mark;
    struct file_state state;
    uint64_t first_seq, last_seq; /* of what is in the file */
    int wal_frames;               /* as SQLite said after the last commit */
    size_t checkpoint_bytes;      /* of the configuration */
    size_t checkpoint_at;         /* so much in the WAL makes the next one due */
    int page_bytes;
    _Atomic bool dead;
    struct problem death; /* why */
    char path[];          /* for problems */
};

/* The statement, ready to be bound. */
sqlite3_stmt *file_sql(struct log_file *file, enum sql which);
/* Step it once and put it back: SQLITE_DONE and SQLITE_ROW come back as SQLITE_OK. */
int file_run(struct log_file *file, enum sql which);
/* The problem that `rc` stands for. `doing` completes "cannot …". */
err file_problem(struct log_file *file, int rc, const char *doing, struct problem *problem);
/* One transaction around `steps` (SQLITE_OK to commit it), by F3 and F4. */
err file_transact(struct log_file *file, int (*steps)(struct log_file *file, void *context),
                  void *context, const char *doing, struct problem *problem);
err file_checkpoint(struct log_file *file, int mode, struct problem *problem);
int file_put_state(struct log_file *file, const struct file_state *state);
/* The block whose key is the greatest up to `seq`, wherever it ends. NOT_FOUND: none. */
err file_find(struct log_file *file, uint64_t seq, uint64_t *key, struct log_block **block,
              struct problem *problem);
/* Key and size of the first block from `seq` on; *key is 0 when there is none. */
err file_next_key(struct log_file *file, uint64_t seq, uint64_t *key, uint64_t *size_bytes,
                  struct problem *problem);
/* The header of the stored block, unchecked. `*blob` is opened by the first call (NULL before it)
 * and closed by the caller. */
int file_read_head(struct log_file *file, sqlite3_blob **blob, uint64_t key,
                   struct block_head *head);

/* file_tail.c: check (and with config->repair mend) what is there; sets first_seq and last_seq. */
err file_check_tail(struct log_file *file, const struct log_config *config, struct log_tail *tail,
                    struct problem *problem);

#endif
