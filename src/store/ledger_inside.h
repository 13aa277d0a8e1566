/* SPDX-License-Identifier: Apache-2.0 */
/* ledger_inside: what the files of the ledger share. Private.
 *
 *   ledger.c         opening, migrations, closing
 *   ledger_writes.c  write sets
 *   ledger_commit.c  the ledger's thread: transactions, retries, checkpoints
 *   ledger_read.c    the pool of readers, scans, digests
 *   ledger_copy.c    a whole ledger, row by row, into another
 *   ledger_turn.c    a ledger goes on in another place while it is written
 */
#ifndef KITH_STORE_LEDGER_INSIDE_H
#define KITH_STORE_LEDGER_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/queue.h"
#include "store/ledger.h"
#include "store/ledger_table.h"
#include "store/sql.h"

/* One transaction takes waiting sets up to this many bytes. */
#define TRANSACTION_BYTES_MAX (8u << 20)
/* From one commit to the next, unless somebody waits or much has come. A commit writes the same few
 * pages anew (applied_seq, the end of the outcomes), whatever is in it: at 500 blocks a second, one
 * each wrote 10 MB/s into the write-ahead log, and its sync held up those of the log. */
#define GATHER_MS 20
/* A commit that took long writes many pages, most of them for a row or two: the next one waits some times as long, so that
 * more rows share a page. */
#define GATHER_TIMES 4
#define GATHER_MS_MAX 200
#define GATHER_BYTES (4u << 20)
/* A larger set is an error of the caller, told by ledger_apply. */
#define WRITES_BYTES_MAX ((size_t)1 << 30)
/* What a pooled set may keep, and how many are kept. */
#define WRITES_KEPT_BYTES_MAX ((size_t)8 << 20)
#define WRITES_KEPT_MAX 8
/* Pages in the write-ahead log that call for a checkpoint. */
#define CHECKPOINT_PAGES_DEFAULT 8192
/* With nothing to commit a checkpoint is made of fewer: small ones do not hold up the log's syncs. */
#define CHECKPOINT_QUIET_SHARE 8
#define CHECKPOINT_QUIET_MS (1 * SECOND_MS)
/* And the time, when there are fewer: ledger_synced_seq moves on in quiet times too. */
#define CHECKPOINT_MS (60 * SECOND_MS)
#define CHECKPOINT_LOOK_MS (10 * SECOND_MS)
#define RETRY_FIRST_MS 10
#define RETRY_LAST_MS 1000
/* How long draining goes on while every commit fails. */
#define GIVE_UP_MS 5000

/* A row in a set, one after another in `rows`:
 *
 *   OFFSET SIZE  DESCRIPTION
 *   0      1     enum writes_operation
 *   1      1     enum ledger_table
 *   2      …     one value per column (PUT) or key column (DELETE, RENEW):
 *                  kind (1), then INT: 8 bytes; TEXT, BLOB: size (4) and the bytes; NULL: nothing
 * Host byte order: a set never leaves the process. */
enum writes_operation { WRITES_PUT, WRITES_DELETE, WRITES_RENEW };

struct ledger_writes {
    struct queue_item item;
    struct ledger *ledger;
    struct buffer rows;
    size_t count;
    uint64_t applied_seq;
    void (*committed)(void *context, uint64_t applied_seq);
    void *context;
    struct ledger_writes *next_free;
};

/* Walk the rows of a set. */
struct writes_cursor {
    const char *next, *end;
};
struct writes_row {
    enum writes_operation operation;
    enum ledger_table table;
    int count;
    struct ledger_value values[LEDGER_COLUMNS_MAX];
};
bool writes_next(struct writes_cursor *cursor, struct writes_row *row);

struct reader;
struct turn;

/* The thread's life, and the function that makes each step:
 *
 *   WORKING ──commit fails──> RETRYING ──commit succeeds──> WORKING      commit_group
 *      │                         │
 *      └──────sync fails─────────┴──> DEAD (for the life of the process)  commit_failed
 *
 * DEAD keeps what was handed in and commits nothing more: what the disk holds after a failed sync is
 * unknown, and a commit on top of it could hide the damage (ledger.h G3, G5). */
enum ledger_state { LEDGER_WORKING, LEDGER_RETRYING, LEDGER_DEAD };

struct ledger {
    /* writer: the ledger's thread alone, after open */
    struct sql *sql;
    struct sql_statement *upserts[LEDGER_TABLE_COUNT];
    struct sql_statement *deletes[LEDGER_TABLE_COUNT];
    struct sql_statement *finds[LEDGER_TABLE_COUNT];
    size_t (*renew)(void *context, char *bytes, size_t size);
    void *renew_context;
    struct buffer renewing; /* a row's texts and blobs */
    int64_t checkpoint_pages;
    int64_t checkpointed_pages; /* length of the write-ahead log at the last checkpoint */
    steady_ns checkpointed;     /* when that was */
    steady_ns committed;        /* when the last commit was */
    int64_t commit_ns;          /* how long the last one took */
    bool checkpoint_missed;     /* it failed, or a reader kept it from getting everything */
    pthread_t thread;
    bool thread_runs;

    struct queue queue;
    _Atomic size_t pending_bytes;
    _Atomic uint64_t applied_seq;
    _Atomic uint64_t synced_seq;
    _Atomic bool closing;
    _Atomic bool is_moving; /* until it is where it is to be */
    _Atomic uint64_t scrubs_asked, scrubs_tried, scrubs_done;

    pthread_mutex_t mutex; /* what follows */
    pthread_cond_t changed;
    enum ledger_state state;
    bool hurried;             /* somebody waits for the next commit */
    struct problem problem;   /* of the last failure */
    uint64_t handed_in, done; /* sets, ever */
    struct ledger_writes *free_writes;
    int free_count;
    struct turn *turn; /* while it is moved */

    pthread_mutex_t readers_mutex;
    pthread_cond_t reader_free;
    struct reader *readers; /* those that nobody uses */
    int reader_count;
    unsigned readers_life; /* grows when it is moved: who reads by an older one is not used again */
};

/* The numbered migrations that have not run yet, and the check that all is as described. */
err ledger_migrate(struct sql *sql, struct problem *problem) MUST_USE;
err ledger_start_thread(struct ledger *ledger, struct problem *problem) MUST_USE;
void ledger_stop_thread(struct ledger *ledger);
void writes_recycle(struct ledger *ledger, struct ledger_writes *writes);
void writes_free_all(struct ledger *ledger);

/* Make a ledger at `path`, a file or a server's database, of all that `from` sees in its open read transaction. */
struct ledger_copying {
    const char *path;
    uint64_t epoch;           /* ledger_config.epoch */
    bool replaces;            /* in one transaction, what is there; otherwise nothing may be */
    const _Atomic bool *stop; /* give up; NULL: never */
    /* As in ledger_config: so no row gets there under a key that is gone. */
    size_t (*renew)(void *context, char *bytes, size_t size);
    void *renew_context;
};
err ledger_copy_rows(struct sql *from, const struct ledger_copying *how,
                     struct problem *problem) MUST_USE;

/* Texts and blobs of a row move into `bytes`, which is cleared, so that they may be written. NOMEM. */
err row_values_keep(struct ledger_value *values, int count, struct buffer *bytes) MUST_USE;

/* ledger_turn.c; of the ledger's thread, after each commit: for each set of it, then once. */
void turn_keep(struct ledger *ledger, const struct ledger_writes *writes);
void turn_step(struct ledger *ledger);

err readers_open(struct ledger *ledger, const struct ledger_config *config,
                 struct problem *problem) MUST_USE;
void readers_close(struct ledger *ledger);
struct reader *reader_take(struct ledger *ledger);
void reader_give(struct ledger *ledger, struct reader *reader);
struct sql *reader_sql(const struct reader *reader);
/* Those that nobody uses change hands; those that somebody uses go when he is done. */
void readers_swap(struct ledger *ledger, struct ledger *other);

#endif
