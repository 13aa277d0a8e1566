/* SPDX-License-Identifier: Apache-2.0 */
/* engine: one thread applies the log's records in order. Read apply.c: an event walks down it once.
 *
 *     log ─▶ decode ─▶ seen before? ─▶ plan ─▶ identity ─▶ profile ─▶ history ─▶ audience ─▶ touches, journeys
 *        └─▶ outcome, rows ─▶ ledger commit
 *                       └───▶ tail ─▶ flush
 *
 * Invariants
 *   A1 state is a function of the log: no clock, no chance, no race inside apply; how records are cut
 *      into blocks does not matter. engine_digest proves it (`kith rebuild`).
 *   A2 a message key counts once within the dedupe window (default 30 days), over restarts.
 *   A3 the ledger's applied_seq is in the same commit as the data; on start the log is applied
 *      again from there.
 *   A4 each applied event is in the tail (RAM) until the warehouse has it on disk; a timeline is tail
 *      plus warehouse, cut at one seq.
 *   A5 a command is answered after the commit of what it did; the same idempotency key gives the same
 *      answer for 24 h at least.
 *
 * Threads: engine_ask, engine_command, engine_append by any; what runs inside `ask` runs on the
 * engine's thread between records and must take microseconds. State has one owner at a time: the
 * engine's thread while it works; while it sleeps, who asks by engine_ask_here.
 */
#ifndef KITH_ENGINE_ENGINE_H
#define KITH_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "access/seal.h"
#include "access/source.h"
#include "audience/audience.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/queue.h"
#include "history/history.h"
#include "identity/identity.h"
#include "journey/journey.h"
#include "log/log.h"
#include "plan/plan.h"
#include "profile/profile.h"
#include "store/ledger.h"
#include "store/warehouse.h"
#include "touch/touch.h"

struct engine;
struct engine_tail;

/* A follower that is so far behind answers from the past: ask another. */
#define ENGINE_BEHIND_RECORDS_MAX 100000

struct engine_config {
    const char *folder; /* data folder; made when missing */
    struct wall_clock *clock;
    const char *ledger_url; /* "postgresql://…"; NULL: ledger.db of the folder */
    const char *log_url;    /* likewise; NULL: log.db of the folder */
    const char *address;    /* of a log on a server: where others send people to us */
    const char *role;       /* what we tell them that we are; NULL: "active" or "follower" */
    const char *version;    /* … and which; NULL: "" */
    int64_t lease_ms;       /* of such a log; default 10 s */
    /* Apply what another server writes, answer questions, write nothing (needs log_url and ledger_url). */
    bool follows;
    /* With `follows`: the sources alone, for a server that has doors and nothing else (engine/collecting.h). */
    bool collects;
    /* With `collects`: no doors either; messages that the active one hands out are sent (engine/act/sender.h). */
    bool sends;
    /* Messages are handed out to servers that send, instead of leaving from here; needs log_url. */
    bool senders;
    struct warehouse_config warehouse; /* folder is filled in when NULL and url is NULL */
    bool without_warehouse;   /* rebuild and tests: nothing is flushed, all stays in the tail */
    bool replay_only;         /* rebuild: apply the log, then stop; takes no appends */
    int64_t dedupe_window_ms; /* default 30 days */
    size_t dedupe_keys_max;   /* in RAM; beyond, the warehouse is asked; default 40 million */
    int64_t log_retention_ms; /* default 3 days */
    size_t history_bytes_max; /* default 1.9 GB */
    /* How often history.pack is brought up to date; 0: every two minutes, -1: there is none. */
    int64_t pack_ms;
    const char *vfs;         /* tests */
    const char *sandbox_url; /* of `kith sandbox`, for accounts that say so; NULL: none */
    bool appends_nothing;    /* tests: no ticks, no due work, no sending by itself */
    void (*fatal)(void *context, const struct problem *problem); /* stop serving, now */
    void *context;
};

/* Locks the folder (LOCKED within a second if another server has it), opens keys, log, ledger,
 * warehouse, loads state, applies the rest of the log, starts the threads. */
err engine_open(struct engine **engine, const struct engine_config *config,
                struct problem *problem) MUST_USE;
/* Takes no more, applies what is durable, commits, flushes what it can within `timeout_ms`. */
void engine_close(struct engine **engine, int64_t timeout_ms);

/* ---- several servers: messages that others send ---- */

struct engine_senders {
    int64_t senders;            /* that live */
    int64_t accounts, unserved; /* that leave the house; of which nobody sends for */
    int64_t waiting, claimed;   /* messages */
};
/* As it was a moment ago; false: messages leave from this server, or it is not the active one. Any thread. */
bool engine_senders(struct engine *engine, struct engine_senders *senders);

/* ---- events ---- */

/* log_append with the engine's backpressure: BUSY while the engine or the ledger is behind,
 * STORAGE_FULL while the disk is. */
err engine_append(struct engine *engine, struct log_append *append) MUST_USE;

/* Snapshot of the sources; release it. */
struct source_set *engine_sources(struct engine *engine);

/* ---- questions: run on the engine's thread, between records ---- */

/* What a question may look at; all borrowed until `ask` returns. */
struct engine_state {
    const struct identity *identity;
    const struct profile *profile;
    const struct plan *plan;
    struct audience *audience;
    struct touches *touches;
    struct journeys *journeys;
    const struct engine_tail *tail;
    uint64_t applied_seq;
    int64_t now_ms; /* received time of the last record */
};

struct engine_question {
    struct queue_item item;
    void (*ask)(const struct engine_state *state, struct engine_question *question);
    void (*answered)(struct engine_question *question); /* same thread, right after; be short */
    void *context;
    uint64_t need_seq; /* the engine's: what was durable when it was asked is applied first */
};
/* BUSY when too many wait, UNAVAILABLE while closing (then neither function is called). */
err engine_ask(struct engine *engine, struct engine_question *question) MUST_USE;
/* Ask on the calling thread, now, while the engine sleeps and all that is durable is applied: no thread
 * is woken. False, and nothing was done, when the engine is busy: engine_ask then. `answered` is not
 * called. */
bool engine_ask_here(struct engine *engine, struct engine_question *question) MUST_USE;
/* Ask and wait (worker threads). */
err engine_ask_wait(struct engine *engine, struct engine_question *question) MUST_USE;

/* Events of these nodes that the warehouse may not have yet (seq >= flushed_seq + 1), newest first by
 * (time, seq), older than (before_ms, before_seq); at most `limit`. Views point into the tail: copy
 * within `ask`. Returns how many. `from_seq` is the first seq that the warehouse must not answer for. */
size_t engine_tail_events(const struct engine_tail *tail, const uint32_t *nodes, size_t node_count,
                          int64_t before_ms, uint64_t before_seq, size_t limit, struct arena *arena,
                          struct event *events, uint32_t *event_nodes, uint64_t *from_seq);

/* ---- what became of an event (the debugger) ---- */

/* FATE_ERASED: about somebody who was erased, and so not taken. */
enum engine_fate { FATE_UNKNOWN, FATE_APPLIED, FATE_DUPLICATE, FATE_QUARANTINED, FATE_ERASED };
struct engine_verdict {
    uint8_t message_key[16];
    uint64_t seq;
    enum engine_fate fate;
    uint32_t customer, node;
    bool created;
    uint32_t merges, refusals;
    enum plan_reason reason;
};
/* The last verdicts (a ring of 4,096), by message key; any thread. FATE_UNKNOWN: not yet or no more. */
void engine_verdict(struct engine *engine, const uint8_t message_key[16],
                    struct engine_verdict *verdict);

/* ---- commands: records of the API ---- */

/* Operations are the rows of engine/command.h. The body is JSON whose form the server checked against
 * OpenAPI; the engine checks it against state. */
struct engine_command {
    str operation;        /* "customer.split" */
    str body;             /* JSON object */
    uint32_t user_number; /* who; 0: the system */
    str address;          /* from where, for the audit; may be empty */
    bool has_idempotency_key;
    uint8_t idempotency_key[16]; /* hash of actor and key */
    uint8_t request_hash[16];
};
/* Append, apply, commit; then `status` and `response` (JSON, or problem+json above 399) are set. Blocks
 * the calling worker thread. An error means that it is not known to have happened: BUSY, STORAGE_FULL,
 * UNAVAILABLE (it may have happened once when the server stopped meanwhile). */
err engine_command(struct engine *engine, const struct engine_command *command, int *status,
                   struct buffer *response, struct problem *problem) MUST_USE;

/* Append the record of a command that nobody waits for to `records`, behind events that go into the same
 * append: both happen, or neither (imports). Sticky failure of the buffer. Any thread. */
void engine_command_write(struct buffer *records, str operation, str body);

/* How a record is changed on its way out of quarantine: `correct` appends the new record body. */
struct engine_correction {
    err (*correct)(void *context, str record, struct buffer *corrected, struct problem *problem);
    void *context;
};
/* Put quarantined events of these ids back through the log, once each; `correction` may be NULL. The first
 * that cannot be corrected stops it: what was replayed before is told by `replayed`. Worker threads. */
err engine_replay_quarantine(struct engine *engine, const uint64_t *ids, size_t count,
                             const struct engine_correction *correction, uint32_t user_number,
                             size_t *replayed, struct problem *problem) MUST_USE;

/* ---- touches ---- */

/* What providers and recipients say of touches, a JSON array as channel_callback gives it: into the log, with the events that
 * tell of it, in one append. Waits for the sync. Worker threads. */
err engine_touch_receipts(struct engine *engine, str account, str receipts,
                          struct problem *problem) MUST_USE;
/* NULL: nothing is sent (rebuild). For accounts' health, tests and callbacks; there until engine_close. */
struct channels *engine_channels(struct engine *engine);
/* An account was put or deleted: the senders take the new settings. */
void engine_accounts_changed(struct engine *engine);
/* Would channels take these settings, secrets sealed? They go by them from then on. UNPROCESSABLE. Any thread. */
err act_put_account(struct engine *engine, str key, enum channel_kind kind, json_value settings,
                    struct problem *problem) MUST_USE;
/* Append records (log_record_write) and wait for the sync. Worker threads. */
err engine_append_records(struct engine *engine, str records, uint32_t count) MUST_USE;

/* ---- looking after it ---- */

struct engine_status {
    uint64_t log_last_seq, applied_seq, committed_seq, flushed_seq;
    size_t lag_records, unflushed_rows, pending_bytes;
    uint64_t events, duplicates, quarantined;
    uint64_t erased; /* events with identifiers of erased customers, since the start */
    uint32_t customers, nodes, identifiers;
    size_t message_keys, identity_bytes, profile_bytes, history_bytes, tail_bytes;
    bool warehouse_ready, ledger_failing;
    char failing[160]; /* why, or "" */
    int64_t as_of_ms;
};
void engine_status(struct engine *engine, struct engine_status *status);

/* For readers of their own (history_reader_new), on any thread; there until engine_close. */
struct history *engine_history(struct engine *engine);
/* How many of its columns are not ready yet because their past is being brought, and which share (0 to 1) of what was wanted
 * together is there. Any thread. */
uint32_t engine_columns_filling(struct engine *engine, double *share);
struct keys *engine_keys(struct engine *engine);
/* META of the ledger: number of the newest sealing key, as text. */
#define SEALING_NEWEST "sealing_newest"
/* … of the oldest that is still kept; and, with its number behind it, a key for the other servers (keys_share). */
#define SEALING_OLDEST "sealing_oldest"
#define SEALING_SHARED "sealing_key_"
void engine_keys_path(const struct engine *engine, char *path, size_t path_bytes);
/* Key `number`, which our file has: the ledger knows that it seals, and the other servers get it. Waits for the commit, and, of a ledger on a server,
 * for as long as the others take to look: seconds. */
err engine_share_key(struct engine *engine, uint32_t number, struct problem *problem) MUST_USE;
/* Keys up to `number` are gone here: they go from the ledger and the other servers, too. Waits for the commit. */
err engine_drop_keys(struct engine *engine, uint32_t number, struct problem *problem) MUST_USE;
struct ledger *engine_ledger(struct engine *engine);
struct warehouse *engine_warehouse(struct engine *engine);
struct log *engine_log(struct engine *engine);
/* The data folder. */
const char *engine_folder(const struct engine *engine);
/* Grows by one with every change of users and tokens: caches of the server compare it. */
uint64_t engine_access_version(struct engine *engine);

/* Does it follow another server's log? What it has not seen yet may have happened. */
bool engine_follows(const struct engine *engine);
/* Where the log stands among several servers. */
void engine_standing(struct engine *engine, struct log_standing *standing);
/* This process claims the lease of the log, if it is free: whoever opens an engine in `folder` next will hold it. LOCKED when
 * another was quicker. */
err engine_claim_lease(const char *folder, const char *log_url, const char *address,
                       int64_t lease_ms, struct problem *problem) MUST_USE;

/* An engine that follows goes on as the one that writes, as `config` says, which it would be opened with; its state is kept. The
 * lease was claimed (engine_claim_lease), and there is no server around it. Returns when all that is durable is applied, and
 * it does what an active one does. After an error it can only be closed: opening it anew is as good, and slower. */
err engine_take_over(struct engine *engine, const struct engine_config *config,
                     struct problem *problem) MUST_USE;

/* Nothing of these customers is left in history.pack, nor anything that was replaced there. After the record that took them back is
 * committed; any thread. */
err engine_wipe_packs(struct engine *engine, const uint32_t *nodes, size_t count,
                      struct problem *problem) MUST_USE;
/* How many pieces of history.pack the start found damaged, in words. CORRUPT when there are some: the first of them are named. Nothing
 * is lost by that: a start asks the warehouse for what they had. Any thread. */
err engine_check_packs(const struct engine *engine, struct buffer *report,
                       struct problem *problem) MUST_USE;
/* Wait until everything durable now is applied, committed and (with `flushed`) in the warehouse. */
err engine_settle(struct engine *engine, bool flushed, int64_t timeout_ms) MUST_USE;
/* Between these two the warehouse stands still and the ledger says how far it has come (backups). TIMEOUT while
 * it takes no batches; UNSUPPORTED without a warehouse. Any thread. */
err engine_hold_flush(struct engine *engine, int64_t timeout_ms) MUST_USE;
void engine_release_flush(struct engine *engine);
/* A tick record: time passes for the domain. The engine appends one each minute by itself; the
 * virtual clock's advance appends one at once. */
err engine_tick(struct engine *engine) MUST_USE;
/* The virtual clock goes on, from due moment to due moment: timers of journeys run when they are due, and what time alone
 * changes is told; all of it is applied when this returns. Not from the engine's thread. */
err engine_advance(struct engine *engine, int64_t by_ms) MUST_USE;

/* What templates are filled with, for who sees a part: what `fills_in` says no to is missing. `source_number`: who decided the
 * value, 0 for what no source told. NULL: all of it again. Engine thread, around a question; nothing may be applied meanwhile. */
struct value_lens {
    bool (*fills_in)(void *context, str path, uint32_t source_number);
    void *context;
};
void engine_values_look_through(struct engine *engine, const struct value_lens *lens);

/* Digest of all state, with a line per room and table appended to `report` (may be NULL). */
err engine_digest(struct engine *engine, struct digest *digest, struct buffer *report,
                  struct problem *problem) MUST_USE;

#endif
