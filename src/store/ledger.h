/* SPDX-License-Identifier: Apache-2.0 */
/* ledger: facts that must be found by key or cannot be recomputed from events.
 *
 * SQLite in WAL mode (synchronous=NORMAL), or a PostgreSQL server, behind sets: a batch of writes is
 * applied in one transaction together with `applied_seq`, asynchronously, in order.
 *
 * Invariants
 *   G1 after any crash the ledger is exactly the state at its applied_seq.
 *   G2 write sets commit in the order in which they were handed in; `committed` is called after
 *      the commit, in that order, on the ledger's thread.
 *   G3 a commit that fails (disk full, busy) is kept and retried with back-off; nothing handed in
 *      is lost while the process lives. The log has it in any case.
 *   G4 only the subset of SQL that SQLite and PostgreSQL share; the tables are those of tables.h.
 *   G5 a sync that fails is never retried: nothing more is committed until Kith starts again, and
 *      ledger_is_failing says SYNC. A power loss may take back commits newer than
 *      ledger_synced_seq: the log is kept from there on.
 *   G6 a page that does not fit its checksum is an error (CORRUPT), never a wrong number.
 *   G7 a ledger on a server that was opened with an epoch commits nothing once a newer one was seen there.
 *
 * Threads: a write set has one owner until ledger_apply; ledger_apply by the engine thread; reads
 * by any thread (each read takes a connection of a small pool and sees the last commit).
 */
#ifndef KITH_STORE_LEDGER_H
#define KITH_STORE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/queue.h"
#include "base/str.h"
#include "store/tables.h"

struct ledger;
struct ledger_writes;

#define LEDGER_COLUMNS_MAX 16

enum ledger_kind { LEDGER_NULL, LEDGER_INT, LEDGER_TEXT, LEDGER_BLOB };

struct ledger_value {
    enum ledger_kind kind;
    int64_t integer;
    str bytes; /* text and blob; copied by ledger_put */
};
static inline struct ledger_value ledger_int(int64_t value)
{
    return (struct ledger_value){ .kind = LEDGER_INT, .integer = value };
}
static inline struct ledger_value ledger_text(str text)
{
    return (struct ledger_value){ .kind = LEDGER_TEXT, .bytes = text };
}
static inline struct ledger_value ledger_blob(str bytes)
{
    return (struct ledger_value){ .kind = LEDGER_BLOB, .bytes = bytes };
}
static inline struct ledger_value ledger_null(void)
{
    return (struct ledger_value){ .kind = LEDGER_NULL };
}

struct ledger_config {
    const char *path;     /* of a file, or "postgresql://…" */
    const char *vfs;      /* NULL: SQLite's default; tests name a failing one */
    int readers;          /* connections for reading; default 6 */
    int checkpoint_pages; /* of 4 KB in the write-ahead log; default 8,192 */
    /* Of a server: the number of the lease under which we write (log.h, L6). Each commit asks whether a newer one has come;
     * then it fails with LOCKED, and so does all that follows. 0: no lease, another writer is kept out by a lock. */
    uint64_t epoch;
    bool
        read_only; /* of a server: somebody else writes; nothing is migrated, and ledger_apply is not called */
    /* What texts and blobs are to look like on disk: changed in place as they are committed, but for keys and the audit, whose
     * lines are chained. Returns how often it changed something. Ledger's thread; NULL: they stay as they are. */
    size_t (*renew)(void *context, char *bytes, size_t size);
    void *renew_context;
};

/* Opens or creates, runs the numbered migrations, refuses a folder written by a newer Kith. */
err ledger_open(struct ledger **ledger, const struct ledger_config *config,
                struct problem *problem) MUST_USE;
/* Commits what was handed in; while commits fail it tries once more, then leaves it to the log. */
void ledger_close(struct ledger **ledger);

/* ---- writing: a set per applied block ---- */

/* Sets are pooled; never NULL unless out of memory. */
struct ledger_writes *ledger_writes_new(struct ledger *ledger);
void ledger_writes_free(struct ledger_writes **writes);
/* Upsert a whole row: one value per column of the table, in order. A later put of the same key in
 * the same set wins. NOMEM is sticky and told by ledger_apply. */
void ledger_put(struct ledger_writes *writes, enum ledger_table table,
                const struct ledger_value *values);
#define LEDGER_PUT(writes, table, ...) \
    ledger_put((writes), (table), (const struct ledger_value[]){ __VA_ARGS__ })
/* `key`: one value per key column. */
void ledger_delete(struct ledger_writes *writes, enum ledger_table table,
                   const struct ledger_value *key);
/* The row as it is when its turn comes is committed once more, by way of `renew`; a row that is not there stays so. */
void ledger_renew(struct ledger_writes *writes, enum ledger_table table,
                  const struct ledger_value *key);
size_t ledger_writes_count(const struct ledger_writes *writes);

/* Hand the set over (the ledger frees it; after an error it is still the caller's). `applied_seq` becomes META 'applied_seq' in the same
 * transaction; 0 leaves it (flush state). `committed` may be NULL. Never blocks. Sets that come within
 * 20 ms share one transaction, unless ledger_hurry is called or a megabyte waits. */
err ledger_apply(struct ledger *ledger, struct ledger_writes **writes, uint64_t applied_seq,
                 void (*committed)(void *context, uint64_t applied_seq), void *context) MUST_USE;
/* Somebody waits for what was handed in: commit it now, and do not wait for more. Any thread. */
void ledger_hurry(struct ledger *ledger);
/* Bytes handed in and not yet committed: the engine stops taking blocks above its limit. */
size_t ledger_pending_bytes(struct ledger *ledger);
/* Block until everything handed in so far is committed (stop, tests). The reason when commits have
 * failed for 5 s; what waits stays handed in. */
err ledger_drain(struct ledger *ledger) MUST_USE;
/* True while commits are being retried, with the reason in `problem`. */
bool ledger_is_failing(struct ledger *ledger, struct problem *problem);

/* ---- reading ---- */

/* One row seen by a visitor; values are borrowed until it returns. False stops the scan. */
typedef bool (*ledger_visitor)(void *context, const struct ledger_value *values);

/* All rows, in key order, or (key_from != NULL) those whose first key column is >= key_from. */
err ledger_scan(struct ledger *ledger, enum ledger_table table, const struct ledger_value *key_from,
                ledger_visitor visit, void *context, struct problem *problem) MUST_USE;
/* The same for some columns only, named with spaces between ("row hash customer"); the others are
 * LEDGER_NULL. Half the columns cost half the time: for loading at start. Ranges of keys may be
 * scanned by several threads at once. */
err ledger_scan_some(struct ledger *ledger, enum ledger_table table, const char *columns,
                     const struct ledger_value *key_from, ledger_visitor visit, void *context,
                     struct problem *problem) MUST_USE;
/* Rows by full primary key; `keys` holds count × key columns. Missing ones are not visited. */
err ledger_find(struct ledger *ledger, enum ledger_table table, const struct ledger_value *keys,
                size_t count, ledger_visitor visit, void *context,
                struct problem *problem) MUST_USE;
/* Rows where `column` (by name, indexed by a migration) equals `value`, newest key first when
 * `descending`, from beyond `key_beyond` (NULL: from the start), at most `limit`. */
err ledger_find_by(struct ledger *ledger, enum ledger_table table, const char *column,
                   struct ledger_value value, const struct ledger_value *key_beyond,
                   bool descending, size_t limit, ledger_visitor visit, void *context,
                   struct problem *problem) MUST_USE;
/* The same of a column whose index is in parts, as a migration says, of so many keys each: what comes together lies together in it,
 * whatever its value. Newest key first; `value` is not empty. Cost: some microseconds for each part from the newest on,
 * until there are `limit`; what is committed meanwhile may be seen or not. */
#define LEDGER_PART_KEYS 131072
err ledger_find_parts(struct ledger *ledger, enum ledger_table table, const char *column,
                      struct ledger_value value, size_t limit, ledger_visitor visit, void *context,
                      struct problem *problem) MUST_USE;
/* The same without a condition: pages of a whole table by key. */
err ledger_page(struct ledger *ledger, enum ledger_table table,
                const struct ledger_value *key_beyond, bool descending, size_t limit,
                ledger_visitor visit, void *context, struct problem *problem) MUST_USE;

/* Read every page and compare tables with their indexes; CORRUPT names what is wrong. Minutes on a large
 * ledger: for `kith check`. */
err ledger_check(struct ledger *ledger, struct problem *problem) MUST_USE;

/* Copy the ledger as it is after everything handed in so far into a new file at `path`, or
 * an empty database of a server. `began` is called once the
 * moment is fixed; from then on others may write, and the copy does not change. STORAGE_FULL. Any thread. */
err ledger_copy(struct ledger *ledger, const char *path, void (*began)(void *context),
                void *context, struct problem *problem) MUST_USE;

/* The ledger goes on at `to`, where it replaces what is there: all of it is copied while it is written on, and what is committed
 * meanwhile follows; nobody who has it notices. Nothing is scrubbed until it has come to its end. After an error it is where it
 * was, and the place is as it was or at an earlier applied_seq: try again. UNAVAILABLE once `*stop`; LOCKED when a newer epoch
 * came there. Waits; one at a time, any thread but the ledger's. */
err ledger_move(struct ledger *ledger, const struct ledger_config *to, const _Atomic bool *stop,
                struct problem *problem) MUST_USE;

/* Nothing is left on disk of what rows said before: the write-ahead log is copied into the database and cut. Rows are overwritten where
 * they were (secure_delete). BUSY while somebody reads an old state. Waits; any thread. */
err ledger_scrub(struct ledger *ledger, struct problem *problem) MUST_USE;

uint64_t ledger_applied_seq(struct ledger *ledger); /* last committed */
uint64_t ledger_synced_seq(struct ledger *ledger);  /* last that a power loss cannot take back */
/* Digest over all rows of the digested tables. */
err ledger_digest(struct ledger *ledger, struct digest *digest, struct problem *problem) MUST_USE;
/* Digest per table, to name the table that differs. */
err ledger_table_digest(struct ledger *ledger, enum ledger_table table, struct digest *digest,
                        struct problem *problem) MUST_USE;
const char *ledger_table_name(enum ledger_table table);
int ledger_table_columns(enum ledger_table table);
int ledger_table_keys(enum ledger_table table);
bool ledger_table_is_digested(enum ledger_table table);

#endif
