/* SPDX-License-Identifier: Apache-2.0 */
/* retention: how long what is kept is kept, by kind, and what apply has to know of a run that takes what is older.
 *
 *     retention.put     the policy, a setting
 *     retention.begin ─▶ RUNNING: the rules of this run, fixed: which events go that were there at its record
 *          retention.cut, retention.retract    events, a slice of nodes at a time (src/imports/retract.c)
 *          retention.drop                      quarantine, touches, audit, visitors: what it names
 *     retention.finish ─▶ finished, with what was counted
 *
 * Invariants
 *   R1 one run at a time; one that was interrupted goes on with the rules it began with.
 *   R2 what a run takes of events is a fixed set: of these types, older than that, up to the seq of its beginning.
 *      Between the slice of a node and the end of the run their rows may still lie in the warehouse: nothing loads them
 *      (expiry_write_kept).
 *   R3 what an event told (traits, consents, identifiers) stays when the event goes; what is counted from events
 *      (orders, sums, first and last seen) is afterwards as if it had never come.
 *
 * Kinds. The work outside of apply is src/privacy/retention.c.
 *
 * Plain values, any thread; struct expiry by the engine's.
 */
#ifndef KITH_ENGINE_RETENTION_H
#define KITH_ENGINE_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "store/ledger.h"

#define RETENTION_SETTING "retention"
#define RETENTION_DAYS_MAX 36500
#define RETENTION_TYPES_MAX 200
#define RETENTION_TYPE_OTHERS "*"

/* X(NAME, kind, days when nobody said otherwise, fewest days, what goes). 0 days: it is kept. Events have days by type
 * besides. The log's default is that of --log-days. */
#define RETENTION_TABLE(X)                                                                    \
    X(LOG, "log", 3, 1, "records of the log, which everything else was made of")              \
    X(QUARANTINE, "quarantine", 0, 30, "events in quarantine, also those that were decided")  \
    X(EVENTS, "events", 0, 30, "events of types that have no days of their own")              \
    X(VISITORS, "visitors", 0, 30, "visitors who never said who they are, with all they did") \
    X(TOUCHES, "touches", 0, 30, "what messages were made of and what providers answered")    \
    X(EXPORTS, "exports", 0, 1, "files of exports")                                           \
    X(UPLOADS, "uploads", 30, 1, "files that were sent in for imports")                       \
    X(AUDIT, "audit", 0, 180, "lines of the audit")

enum retention_kind {
#define X(name, kind, days, least, what) RETENTION_##name,
    RETENTION_TABLE(X)
#undef X
        RETENTION_COUNT
};
const char *retention_kind_text(enum retention_kind kind);
const char *retention_kind_what(enum retention_kind kind);
int64_t retention_days_default(enum retention_kind kind);
int64_t retention_days_least(enum retention_kind kind);

/* A policy: {log, quarantine, events:{TYPE: days, "*": days}, visitors, …}, days each. UNPROCESSABLE with the place. */
err retention_check(json_value policy, struct problem *problem) MUST_USE;
/* Days of a kind (events: of the types without their own); what is missing is the default. */
int64_t retention_days(json_value policy, enum retention_kind kind);
/* The policy as it counts, with every kind. */
void retention_write(json_value policy, struct json_writer *writer);

/* ---- events of a run ---- */

/* SQL over a row of events: what goes by this policy at `now_ms`, of rows up to `seq`, in brackets. False: nothing does. */
bool retention_write_condition(json_value policy, int64_t now_ms, uint64_t seq, struct buffer *sql);

struct engine_state;
/* Is she a visitor, in memory, of whom nothing was heard since `before_ms`? In a question. */
bool engine_visitor_is_idle(const struct engine_state *state, uint32_t node, int64_t before_ms);

struct expiry {
    uint32_t count;  /* runs ever */
    uint32_t number; /* of the one under way; 0: none */
    uint32_t user_number;
    int64_t at_ms;
    uint64_t seq;     /* of its beginning */
    uint64_t cut_seq; /* of its last cut; 0: none */
    uint64_t place;   /* nodes below are done; beyond 32 bits: all */
    char *rules;      /* the policy it began with, terminated */
    char *condition;  /* of its events, terminated; NULL: it takes none */
    uint64_t taken[RETENTION_COUNT];
};
void expiry_deinit(struct expiry *expiry);
/* A run begins. */
err expiry_begin(struct expiry *expiry, json_value policy, int64_t now_ms, uint64_t seq) MUST_USE;
/* It is over. */
void expiry_end(struct expiry *expiry);
/* Its row, as it stands; `finished_ms` 0: it is running. */
void expiry_put(const struct expiry *expiry, int64_t finished_ms, struct ledger_writes *writes);
err expiry_load(struct expiry *expiry, struct ledger *ledger, struct problem *problem) MUST_USE;
/* What is taken so far is not loaded: " AND NOT (…)", appended; nothing when there is none. */
void expiry_write_kept(const struct expiry *expiry, struct buffer *sql);

#endif
