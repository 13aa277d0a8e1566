/* SPDX-License-Identifier: Apache-2.0 */
/* log: the truth. Everything that changes state is a record in it, durable before it is answered.
 *
 * A record is bytes of a kind that the log does not interpret. Records that wait together become
 * one block; a block is one row of an SQLite file of its own (synchronous=FULL) and one sync, or one
 * row of a PostgreSQL server. The format of a block is in docs/formats/log-block.md.
 *
 * Invariants
 *   L1 seq starts at 1, each record has the next one; no gap, no reuse, over restarts.
 *   L2 received_ms of blocks never decreases (a wall clock that jumps back does not matter).
 *   L3 `durable` of an append is called after the sync of its block and before a reader sees it.
 *   L4 a block that cannot be written (disk full) leaves no trace: its appends get STORAGE_FULL and
 *      the log goes on. A sync that fails is never retried: the log is dead, `fatal` is called once.
 *   L5 what is read has passed its CRC; damage is named (first_seq, offset), never skipped silently.
 *   L6 a log on a server has one writer: who holds the lease. Its number, the epoch, is checked inside
 *      each commit, so that one that was taken over writes nothing more, whenever it wakes: it is dead.
 *   L7 others follow: they read what is written, and hand events over by the inbox, from which the
 *      writer moves them into the log in one commit. Answered is durable there too.
 *
 * Threads: log_append by any thread; `durable` runs on the writer thread and must be short.
 * The one reader that follows the tail (the engine) gets blocks from memory, in order, each once.
 */
#ifndef KITH_LOG_LOG_H
#define KITH_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/queue.h"
#include "base/str.h"

struct log;

enum log_record_kind {
    LOG_RECORD_EVENT = 1,   /* event/event.h */
    LOG_RECORD_COMMAND = 2, /* engine/command.h: a command of the API */
    LOG_RECORD_TICK = 3,    /* time passed: empty body */
};

/* How an append carries its records: for each, kind (u8, not 0), body size (varint), body. */
void log_record_write(struct buffer *out, enum log_record_kind kind, str body);

struct log_append {
    struct queue_item item; /* the log's, while it waits */
    str records;            /* as by log_record_write; borrowed until `durable` */
    uint32_t count;         /* records in it, at least 1 */
    /* Called once: OK with first_seq set, or the error; the append is the caller's again. */
    void (*durable)(struct log_append *append, err error);
    void *context;
    uint64_t first_seq;
    uint32_t source;  /* whose it is, for fair turns (lanes.h); 0: the house's own */
    int64_t inbox_id; /* the log's: what was handed over by another server; 0: nothing */
};

/* The records of one append, and so of one block, are at most this much. */
#define LOG_BLOCK_BYTES_LIMIT ((size_t)64 << 20)

struct log_block {
    uint64_t first_seq;
    uint32_t count;
    int64_t received_ms;
    str records; /* uncompressed, as by log_record_write; kept by the block */
    _Atomic uint32_t references;
};
void log_block_hold(struct log_block *block);
void log_block_release(struct log_block **block);

/* Walk the records of a block. */
struct log_record {
    uint64_t seq;
    enum log_record_kind kind;
    str body;
};
struct log_cursor {
    const struct log_block *block;
    size_t offset;
    uint32_t index;
};
bool log_block_next(struct log_cursor *cursor, struct log_record *record);

/* What a server says of itself to the others at its log, every few seconds. */
struct log_card {
    char role[16], version[32];
    bool is_ready;
    char reason[160]; /* why it is not; "" */
    uint64_t applied_seq;
    int64_t lag_records, started_ms;
};

struct log_config {
    const char *path; /* of the SQLite file, created when missing; or "postgresql://…" */
    bool follows;     /* of a server's log: read what another writes */
    const char
        *holder; /* who we are, over restarts: the lease of a former life is taken back at once */
    const char *address; /* where others are sent while we hold the lease; NULL: not said */
    /* Of what seals and hashes the records: all servers at a log have the same. NULL: not compared. */
    const char *keys;
    int64_t lease_ms; /* default 10 s */
    struct wall_clock *clock;
    size_t waiting_bytes_max; /* appended, not yet durable: beyond it BUSY; default 64 MB */
    size_t unread_bytes_max;  /* durable, not yet taken by the reader: beyond it BUSY; 256 MB */
    size_t block_bytes_max;   /* records per block before compression; default 1 MB */
    int64_t retention_ms;     /* default 3 days */
    size_t checkpoint_bytes;  /* so much in the WAL goes into the file at once; default 8 MB */
    const char *vfs;          /* NULL: SQLite's default; tests name a failing one */
    /* Set aside what cannot be read and fill its numbers, and those of what is missing, with ticks,
     * instead of refusing to open. Reads the whole log. An operator's decision, for one start. */
    bool repair;
    void (*fatal)(void *context, const struct problem *problem); /* sync failed: stop serving */
    /* Of a log on a server: what is told to the others. From log_open to the end of log_close, by a thread of the log; be short.
     * NULL: nothing is. */
    void (*describe)(void *context, struct log_card *card);
    /* Of a log on a server: what others handed in is brought under our keys in its place, as it is put into the log; by a thread of
     * the log. NULL: it stays as it is. */
    void (*renew)(void *context, char *bytes, size_t size);
    void *context;
};

/* Opens, makes durable what it finds, checks the tail, starts the writer. A last block that is
 * damaged is cut off and reported: it is set aside, and ticks take its numbers (log_lost_records).
 * A damaged one in the middle is an error naming it, and so are records that were durable and are
 * missing. LOCKED when another process has it, or the lease; CORRUPT; UNSUPPORTED for a newer format;
 * STORAGE_FULL, IO, SYNC, NOMEM; UNAVAILABLE when the server is not there. */
err log_open(struct log **log, const struct log_config *config, struct problem *problem) MUST_USE;
/* Syncs what waits, answers it, stops the writer. */
void log_close(struct log **log);

/* Hand in records. BUSY; UNAVAILABLE after a failed sync or while closing; TOO_LARGE beyond
 * LOG_BLOCK_BYTES_LIMIT; INVALID when `records` are not `count` whole ones: `durable` is then not
 * called. `durable` gets OK; STORAGE_FULL or NOMEM, and then the records are not in the log, ever;
 * or UNAVAILABLE, and then they may be in it once after a restart. */
err log_append(struct log *log, struct log_append *append) MUST_USE;

/* ---- several servers ---- */

#define LOG_ADDRESS_BYTES 200
struct log_standing {
    bool is_on_server; /* false: a file, and nothing below is set */
    bool follows;
    bool is_reachable;              /* the server answered the last time */
    uint64_t epoch;                 /* of the lease that counts now: ours while we write */
    int64_t lease_left_ms;          /* of it, as far as we know; negative: it is over */
    bool lease_is_free;             /* it was given back or is over: it may be taken */
    char active[LOG_ADDRESS_BYTES]; /* who holds it */
    int64_t inbox_rows;             /* handed over and not yet in the log */
};
void log_standing(struct log *log, struct log_standing *standing);
/* May this process do what cannot be taken back, now? False for a follower, and from the moment our lease may have
 * ended until it is renewed. Always true of a file. Cheap; any thread. */
bool log_may_act(struct log *log);
/* Take the lease of a log on a server for `holder`, when it is free or over: so that who follows can end that, and open the
 * log to write it, before the lease is over again. LOCKED when another has it. */
err log_claim(const char *path, const char *holder, const char *address, int64_t lease_ms,
              struct problem *problem) MUST_USE;
/* A log that followed writes from here on: the lease of `config`'s holder is taken, and what is durable is all that there is.
 * Nobody appends or reads meanwhile; log_follow comes next. The log stays where it is for who has its address. After an
 * error it follows no more, and can be closed. LOCKED when another has the lease; as log_open otherwise. */
err log_take_over(struct log *log, const struct log_config *config,
                  struct problem *problem) MUST_USE;
/* A server at this log, as it said last. */
struct log_peer {
    char id[16]; /* for people: the beginning of its holder */
    char address[LOG_ADDRESS_BYTES];
    struct log_card card;
    uint64_t epoch;    /* of the lease that it knew of */
    int64_t silent_ms; /* since it said so, by the clock of the log's server */
    bool has_left;     /* it said that it ends */
    bool is_this;
};
/* All that were there within seven days, who was heard last first; nobody of a file. UNAVAILABLE while the log's server is away. Waits;
 * any thread. */
err log_peers(struct log *log, void (*visit)(void *context, const struct log_peer *peer),
              void *context, struct problem *problem) MUST_USE;
/* 0: a file. What others have to check when they write for the holder of the lease. */
uint64_t log_epoch(struct log *log);

/* The tail reader. Blocks from `from_seq` on: from the file while behind, then from memory.
 * NULL in *block after `timeout_ms` without one. Engine thread. */
err log_follow(struct log *log, uint64_t from_seq, struct problem *problem) MUST_USE;
err log_next(struct log *log, int64_t timeout_ms, struct log_block **block,
             struct problem *problem) MUST_USE;
void log_wake_reader(struct log *log); /* log_next returns at once; any thread */

/* Read the stored block that holds `seq`. NOT_FOUND if trimmed or not there yet; CORRUPT names what
 * is damaged. Waits for a commit that is under way. Any thread. */
err log_read(struct log *log, uint64_t seq, struct log_block **block,
             struct problem *problem) MUST_USE;

/* How long an append of this source handed in now would wait for its turn, by the pace of the last rounds: only what
 * comes before it counts, which is not what another source floods with (lanes.h). 0: not known whose, all counts. Any thread. */
int64_t log_wait_ms(struct log *log, uint32_t source);

uint64_t log_first_seq(struct log *log); /* 1 unless trimmed; last + 1 when empty */
uint64_t log_last_seq(struct log *log);  /* last durable */
size_t log_unread_records(struct log *log);
int64_t log_bytes(struct log *log);         /* of the file, less what is free in it */
uint64_t log_lost_records(struct log *log); /* replaced by ticks when it was opened */

/* Keep blocks so long from now on, whatever was said at opening. Any thread. */
void log_keep(struct log *log, int64_t retention_ms);
/* Remove whole blocks before `seq` that are older than the retention. The caller vouches that ledger
 * and warehouse are past them (on disk). */
err log_trim(struct log *log, uint64_t seq, struct problem *problem) MUST_USE;

/* Let `redact` look at every stored record from `from_seq` to `to_seq`; it may write into the body in place
 * (`bytes`, as long as the record's) and says whether it did. Blocks that changed are written again with the
 * same numbers and times, so that all checks hold; if any changed, or with `scrub`, nothing is left in the
 * file of what was there before. Who reads these records from memory has to be past them. The log goes on
 * meanwhile. Any thread. */
err log_redact(struct log *log, uint64_t from_seq, uint64_t to_seq,
               bool (*redact)(void *context, const struct log_record *record, char *bytes),
               void *context, bool scrub, uint64_t *changed, struct problem *problem) MUST_USE;

/* Make a log, in a file or on a server, out of stored blocks, for what is restored or moved: `next` gives them in order, the first with any
 * seq, and *block NULL at the end. CONFLICT where a log is already, or a block does not follow the one before. Blocks are
 * released here. */
err log_restore(const char *path,
                err (*next)(void *context, struct log_block **block, struct problem *problem),
                void *context, struct problem *problem) MUST_USE;

/* Blocks, for offline checks and for a Kafka or PostgreSQL log later. */
err log_block_encode(struct buffer *out, uint64_t first_seq, uint32_t count, int64_t received_ms,
                     str records) MUST_USE;
err log_block_decode(str bytes, struct log_block **block, struct problem *problem) MUST_USE;

#endif
