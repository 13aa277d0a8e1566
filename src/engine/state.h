/* SPDX-License-Identifier: Apache-2.0 */
/* state: what the files of this room share. Private to engine/.
 *
 * Who may touch what: fields under "engine thread" belong to the applying thread once it runs;
 * the rest says its own rule.
 */
#ifndef KITH_ENGINE_STATE_H
#define KITH_ENGINE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/access.h"
#include "engine/act/act.h"
#include "engine/dedupe.h"
#include "engine/engine.h"
#include "engine/flush/flush.h"
#include "engine/flush/tail.h"
#include "engine/follow.h"
#include "engine/forgotten.h"
#include "engine/idempotency.h"
#include "engine/jobs.h"
#include "engine/move/move.h"
#include "engine/news_keep.h"
#include "engine/past/pack.h"
#include "engine/past/remember.h"
#include "engine/privacy.h"
#include "engine/quarantine.h"
#include "engine/standby.h"
#include "engine/verdict.h"
#include "engine/visitors.h"

/* Commits, in order, that the ledger has taken but not confirmed: told by committed_seq. */
struct command_waiter {
    struct command_waiter *next;
    uint64_t nonce;
    uint64_t seq; /* of its record, once applied; 0 before */
    int status;
    struct buffer *response; /* the caller's */
    err error;
    bool durable, applied, done;
};

/* A group handed to the ledger: when it is committed, rows of identity up to last_row can be read there. */
struct group_rows {
    uint64_t last_seq;
    uint32_t last_row;
};
#define GROUPS_NOTED_MAX 1024

/* What the engine did at a time besides records, ticks included. */
struct slices {
    int64_t minute;                /* steady */
    int64_t longest_us, before_us; /* in it; in the minute before */
};

struct engine {
    struct engine_config config;
    char folder[512];
    int lock_file;

    struct keys *keys; /* immutable */
    struct log *log;
    struct ledger *ledger;
    struct warehouse *warehouse; /* NULL: without */
    struct standby *standby;     /* NULL: we write the log ourselves, or collect */
    _Atomic bool settling;       /* taken over: the ledger on the server is behind ours */
    uint64_t
        sources_changed_seq; /* collecting: read them again when this is committed; 0: nothing */
    steady_ns sources_looked;
    steady_ns keys_looked;      /* who follows: when it asked for newer sealing keys */
    bool keys_not_learnt;       /* and that it got none was said */
    uint64_t keys_carried;      /* what its copy of the ledger has of them (sealing.c) */
    struct identity_pack *pack; /* after the start the keeper's; NULL: without */

    /* engine thread */
    struct identity *identity;
    struct history *history;   /* readers on other threads have their own way in */
    struct remember *remember; /* what feeds it */
    struct packing *packing;   /* what of it lies in history.pack */
    struct audience *audience;
    struct past *past; /* rows that memory does not hold */
    struct act *act;   /* touches, and the threads that send */
    struct move *move; /* journeys */
    struct news *news; /* for sinks; has a lock of its own */
    bool has_work;     /* the audience has more to do */
    struct slices slices;
    struct profile *profile;
    struct plan *plan;
    struct dedupe dedupe;
    struct access access;
    struct idempotency idempotency;
    struct quarantine quarantine;
    struct jobs jobs;
    struct visitors visitors;
    struct log_block *applying; /* borrowed; NULL between blocks */
    struct erasures erasures;
    struct engine_tail tail;
    struct verdicts verdicts; /* has its own lock */
    struct arena chunk_arena; /* decoded events of one chunk */
    /* What is applied and not yet handed to the ledger: a group of blocks, or a part of one. */
    struct ledger_writes *writes;
    struct buffer outcomes; /* of the group */
    uint64_t group_first_seq;
    struct buffer block_outcomes; /* of the block being applied */
    size_t block_outcomes_taken;  /* bytes of it already in `outcomes` (a barrier came) */
    struct json_parser *parser;
    uint64_t applied_seq;
    int64_t now_ms;
    struct group_rows groups[GROUPS_NOTED_MAX]; /* not yet known to be committed */
    size_t group_count;
    bool *strict; /* by source number; rebuilt when the sources change */
    uint32_t strict_count;

    /* counted by the engine thread, read by any */
    _Atomic uint64_t applied_seq_shown, committed_seq, flushed_seq;
    _Atomic uint64_t events, duplicates, quarantined;
    _Atomic uint64_t
        erased_seen; /* events that were refused for an erased customer, since the start */
    _Atomic uint64_t access_changed_seq; /* of the last command that changed users or tokens */
    _Atomic uint64_t access_version;     /* grows when that command is committed */
    _Atomic size_t identity_bytes, profile_bytes, tail_bytes, message_keys;
    _Atomic uint32_t customers, nodes, identifiers;
    _Atomic int64_t as_of_ms;

    struct queue questions;
    struct queue_item *asked, **asked_last; /* engine thread: taken, waiting for their seq */
    _Atomic bool is_waiting;                /* the engine thread sleeps in log_next */
    /* Held by the engine's thread, save while it sleeps; then by who asks on a thread of his own. */
    pthread_mutex_t state_mutex;
    _Atomic bool stopping;
    _Atomic bool
        pausing; /* the engine's thread ends when it has applied what there is, and is begun again */
    pthread_t thread;
    bool thread_runs;
    pthread_t keeper; /* ticks and trimming */
    bool keeper_runs;
    pthread_t settler; /* settle.c */
    bool settler_runs;

    pthread_mutex_t card_mutex; /* card.h */
    bool card_is_open;          /* under it */
    int64_t opened_ms;
    pthread_mutex_t sources_mutex;
    struct source_set *sources; /* published; under sources_mutex */

    pthread_mutex_t waiters_mutex;
    pthread_cond_t waiters_changed; /* waiters, committed_seq, flushed_seq */
    struct command_waiter *waiters;
    uint64_t nonce_next;

    struct flusher *flusher;
    char failing[160];          /* under waiters_mutex */
    struct forgotten forgotten; /* has its own lock */
};

/* apply.c */
/* Apply a block's records in order; rows go to engine->writes. After an error state in RAM is half of a block: the engine stops and is loaded again from the log. */
err apply_block(struct engine *engine, struct log_block *block,
                struct applied_block **applied) MUST_USE;
/* The derived part of an applied event; and at start that of events whose outcome was stored, as far as no pack has it. */
err apply_observe(struct engine *engine, const struct event *event,
                  const struct outcome *outcome) MUST_USE;
err apply_observe_again(struct engine *engine, const struct event *event,
                        const struct outcome *outcome) MUST_USE;
/* The nodes of this customer are others than before: the warehouse's dictionary, history and what stands on them
 * follow. */
err apply_customer_changed(struct engine *engine, uint32_t customer, uint64_t seq) MUST_USE;
/* The same, of many: everybody is looked at. */
err apply_all_changed(struct engine *engine, uint64_t seq) MUST_USE;

/* Take an event from what is remembered of a node; profile has its own way (profile_retract). */
err apply_retract(struct engine *engine, uint32_t node, uint64_t seq) MUST_USE;

/* start.c */
/* Is `key` in the warehouse, received after `since_ms`? Waits until it can be asked; only for keys
 * that left RAM. */
err apply_ask_warehouse(struct engine *engine, const uint8_t message_key[16], int64_t since_ms,
                        bool *seen, struct problem *problem) MUST_USE;

/* command.c */
struct command_record {
    uint64_t nonce;
    uint32_t user_number;
    bool has_idempotency_key;
    uint8_t idempotency_key[16], request_hash[16];
    str operation, body;
    str address; /* of who asked; empty: not known */
};
void command_encode(struct buffer *out, const struct command_record *command);
err command_decode(str bytes, struct command_record *command) MUST_USE;
err command_apply(struct engine *engine, uint64_t seq, str record) MUST_USE;

/* Load all state from ledger, warehouse and the stored outcomes, up to the ledger's applied_seq. */
err start_load(struct engine *engine, struct problem *problem) MUST_USE;

/* The applied part of the log that the warehouse may not have: into tail and flusher, from log and stored
 * outcomes. */
err start_tail(struct engine *engine, struct problem *problem) MUST_USE;

/* ask.c: questions that were put are answered from the state as it is; with `all`, those too that wait for what is not applied yet. Engine
 * thread. */
void engine_answer(struct engine *engine, bool all);
/* The same with all, of a struct engine: while rules are applied to all identifiers (identity_on_pause). */
void engine_answer_meanwhile(void *context);

/* open.c */
/* What a log_config borrows. */
struct log_names {
    char path[600], holder[40], keys[17];
};
err engine_log_config(struct engine *engine, struct log_names *names, struct log_config *log,
                      struct problem *problem) MUST_USE;
/* Of the ledger under our lease; its path is NULL when it is the folder's. */
void engine_ledger_config(struct engine *engine, struct ledger_config *ledger);
err engine_begin_keeping(struct engine *engine, struct problem *problem) MUST_USE;

/* engine.c */
/* How far it has applied, as metrics say it. */
void engine_show_progress(struct engine *engine);
/* The engine's thread, from applied_seq on. */
err engine_begin(struct engine *engine, struct problem *problem) MUST_USE;
/* It ends when all that is known to be durable is applied; state is the caller's until engine_begin. Questions wait. */
void engine_pause(struct engine *engine);
/* Append and wait until it is durable; not from the engine's thread. */
err engine_append_wait(struct engine *engine, str records, uint32_t count) MUST_USE;
/* Commit all that is applied so far, in the middle of a block if need be, and wait for it. */
err engine_barrier(struct engine *engine) MUST_USE;
/* ledger_config.renew: sealed texts reach the ledger under the newest key, however long somebody has kept them. */
size_t engine_renew(void *keys, char *bytes, size_t size);
/* The ledger may know a newer sealing key than the key file of this server, or that older ones are gone (sealing.c). CORRUPT when a
 * key is missing. */
err engine_learn_keys(struct engine *engine, struct ledger *ledger,
                      struct problem *problem) MUST_USE;
/* The same, now and then, of who follows: what is wrong is said once. Its copy of the ledger gets these rows, in case it becomes the
 * ledger. */
void engine_look_for_keys(struct engine *engine, struct ledger *ledger);
/* settle.c: until the server's ledger is ours, or the engine stops. */
err settle_start(struct engine *engine, struct problem *problem) MUST_USE;
void settle_stop(struct engine *engine);
/* The keeper's thread (keep.c), until the engine stops. */
void *engine_keep(void *engine);
void engine_publish_sources(struct engine *engine);
/* A tick took so long to apply. Engine thread. */
void engine_note_tick(struct engine *engine, int64_t took_us);
void engine_fail(struct engine *engine, const struct problem *problem);

/* Does the warehouse get what is applied, from us or from who we follow? Then flushed_seq is true. */
static inline bool engine_flushes(const struct engine *engine)
{
    return engine->flusher != NULL || (engine->standby != NULL && engine->warehouse != NULL);
}

#endif
