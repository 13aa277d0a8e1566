/* SPDX-License-Identifier: Apache-2.0 */
/* journey: who moves on, and what is due. A journey is a versioned graph of nodes; a *position* is one customer (and key) in it.
 *
 *     trigger ─▶ entry (re-entry, caps, hold-out, ramp) ─▶ position at a node ─▶ moves until it waits ─▶ … ─▶ exit
 *                      wakes it: its timer · an event · entering or leaving a segment · a touch's result · a command
 *
 * The reference of the JSON is docs/journeys.md. Definitions have drafts and published versions; a position stays on the version it
 * entered by unless the operator moves it.
 *
 * Time: each position has at most one timer (ms). Timers of a customer that are due run before anything else is decided about
 * her, as of the moment they were due; all others run by the command `journey.run`, which the engine appends when one is due: at
 * most JOURNEY_RUN_MAX steps a record, again while there is more. So the state is a function of the log, and nobody waits long.
 *
 * Invariants
 *   J1 one position per (journey, customer, key) at a time; re-entry as the definition says.
 *   J2 every position that lives has a timer, a condition that can wake it, or a touch whose result it waits for; a check
 *      finds those that have none (journey_check) and names them as defects.
 *   J3 a step is a row in the commit of the record that caused it; a timer fires once, never before its time.
 *   J4 a move is decided on what is settled (the audience has settled her) and goes at most JOURNEY_STEPS_MAX nodes without
 *      waiting: a loop is stopped, named, and the position is held as 'failed' for the operator.
 *   J5 a split or variant is a hash of seed, customer's first node and node: the same person has the same arm for ever, over merges
 *      by the first.
 *   J6 nothing older than the limit (default 24 h) and nothing imported starts a journey; it may end one.
 *   J7 'did not' is decided only when all sources of the event have told up to that moment, or after the patience that
 *      the node allows.
 *   J8 merge: one position per journey and key survives (the further one by time of entry: the first), the other is closed as
 *      'merged' and comes back with a split.
 *   J9 run on an overlay (what-if) with the same records and start, the same touches come.
 *
 * Engine thread alone unless a function says otherwise; deterministic. `writes` NULL: an overlay.
 */
#ifndef KITH_JOURNEY_JOURNEY_H
#define KITH_JOURNEY_JOURNEY_H

#include <stdbool.h>
#include <stdint.h>

#include "audience/audience.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "event/event.h"
#include "rule/rule.h"
#include "store/ledger.h"
#include "touch/touch.h"

#define JOURNEYS_MAX 2000
#define JOURNEY_NODES_MAX 500
#define JOURNEY_STEPS_MAX 100 /* without waiting */
#define JOURNEY_RUN_MAX 2000  /* positions of one journey.run */
#define JOURNEY_CONTEXT_MAX 4096
#define JOURNEY_LATE_MS \
    (INT64_C(5) * 60 * 1000) /* a timer that runs later than this runs as of now */

struct journeys;

struct journey_moment {
    uint64_t seq;
    int64_t now_ms;
};

#define JOURNEY_RULE_KEY_BYTES 64
#define JOURNEY_SOON_STAGES 3

/* What this room asks of the house. Live: engine/move/move.c. What-if: another one over past events. All deterministic. */
struct journey_world {
    void *context;
    /* May a rule be said like this? UNPROCESSABLE with a pointer into the rule. Of a draft: nothing is made. */
    err (*rule_check)(void *context, json_value rule, struct problem *problem);
    /* From here on it is known of everybody whether the rule holds; it is asked by `in_segment` with the key that is
     * given back, once it is ready. The same rule gives the same key; each hold has its drop. */
    err (*rule_hold)(void *context, json_value rule, struct journey_moment moment,
                     struct ledger_writes *writes, char key[JOURNEY_RULE_KEY_BYTES],
                     struct problem *problem);
    void (*rule_drop)(void *context, str key, struct journey_moment moment,
                      struct ledger_writes *writes);
    bool (*rule_is_ready)(void *context, str key);
    bool (*has_segment)(void *context, str key);
    bool (*in_segment)(void *context, uint32_t customer, str key); /* she is settled first */
    /* Everybody who is in it now; settled first. */
    err (*members)(void *context, str key, struct journey_moment moment,
                   bool (*visit)(void *visited, uint32_t customer), void *visited);
    void (*value)(void *context, uint32_t customer, str path, struct template_value *value);
    int32_t (*zone_offset_seconds)(void *context, uint32_t customer, int64_t at_ms);
    /* All sources of this event have told everything up to here. */
    int64_t (*watermark_ms)(void *context, str event, int64_t now_ms);
    uint32_t (*first_node)(void *context, uint32_t customer); /* the oldest of hers */
    uint32_t (*root)(void *context, uint32_t node);           /* 0: gone */
    size_t (*nodes)(void *context, uint32_t customer, uint32_t *nodes, size_t max);
    /* What she decided about a purpose; false: nothing. */
    bool (*consent)(void *context, uint32_t customer, str purpose, bool *granted);
    err (*touch)(void *context, const struct touch_request *request, struct journey_moment moment,
                 struct ledger_writes *writes, struct touch_answer *answer);
    err (*withdraw)(void *context, uint64_t position, str reason, struct journey_moment moment,
                    struct ledger_writes *writes);
    /* What this node sends should have gone to her and did not (touch_missed). NULL: nobody keeps a list. */
    err (*missed)(void *context, uint32_t customer, str journey, str node, str reason,
                  struct journey_moment moment, struct ledger_writes *writes);
    /* Marketing to her rests for this journey and key, or goes on (touch.h). */
    err (*pause)(void *context, const struct touch_pause *wanted, struct journey_moment moment,
                 struct ledger_writes *writes);
    err (*resume)(void *context, uint32_t customer, str journey, str key, bool only_endless,
                  struct journey_moment moment, struct ledger_writes *writes);
    /* Effects inside the house; exactly once because the step is. `value` is JSON. UNPROCESSABLE: cannot be. */
    err (*set_tag)(void *context, uint32_t customer, str key, str value,
                   struct journey_moment moment, struct ledger_writes *writes);
    err (*set_trait)(void *context, uint32_t customer, str name, str value,
                     struct journey_moment moment, struct ledger_writes *writes);
    /* What went back of this order of hers before now, INT64_MAX: all of it; for goals whose refund came before their order. NULL: nobody
     * knows. */
    int64_t (*order_back)(void *context, uint32_t customer, str order_id);
    /* She is asked about in a moment: what is known of her may be fetched, a stage at a time, each from where the one before led.
     * NULL: nothing is. */
    void (*soon)(void *context, uint32_t customer, int stage);
    err (*set_member)(void *context, uint32_t customer, str segment, bool is_in,
                      struct journey_moment moment, struct ledger_writes *writes);
};

struct journeys_config {
    const struct journey_world *world;
    uint64_t seed;
    const char *zone; /* IANA name of the workspace */
};
err journeys_new(struct journeys **journeys, const struct journeys_config *config) MUST_USE;
void journeys_free(struct journeys **journeys);
err journeys_load(struct journeys *journeys, struct ledger *ledger,
                  struct problem *problem) MUST_USE;

/* The workspace's zone is another from now on: schedules are planned anew; timers that run stay. */
err journeys_set_zone(struct journeys *journeys, str zone, struct journey_moment moment,
                      struct ledger_writes *writes) MUST_USE;

/* ---- from apply, in this order ---- */

/* Her due timers, as of when they were due: before an event of hers takes effect. */
err journey_before(struct journeys *journeys, uint32_t customer, struct journey_moment moment,
                   struct ledger_writes *writes) MUST_USE;
/* What an event may begin (J6). Where it comes too late, the first touch of what it would have begun is listed as missed; of
 * history nothing is. */
enum journey_begins { JOURNEY_BEGINS, JOURNEY_BEGINS_TOO_LATE, JOURNEY_BEGINS_NOTHING };
/* After the audience has judged: triggers, waits, exits, goals. `node`: the one that brought the event. */
err journey_event(struct journeys *journeys, uint32_t customer, uint32_t node,
                  const struct event *event, enum journey_begins begins,
                  struct journey_moment moment, struct ledger_writes *writes) MUST_USE;
/* Moves of the audience that belong to this record; those made between records (audience_work, audience_before) are given
 * at the next tick, in the order (customer, then as they came): see engine/move/move.c. */
err journey_moves(struct journeys *journeys, const struct audience_move *moves, size_t count,
                  bool may_start, struct journey_moment moment,
                  struct ledger_writes *writes) MUST_USE;
err journey_touch(struct journeys *journeys, const struct touch_change *change,
                  struct journey_moment moment, struct ledger_writes *writes) MUST_USE;
err journey_merged(struct journeys *journeys, uint32_t survivor, const uint32_t *absorbed,
                   size_t count, struct journey_moment moment,
                   struct ledger_writes *writes) MUST_USE;
/* Her nodes are others than before: `nodes` are those that she has now. Call it for each side. */
err journey_split(struct journeys *journeys, const uint32_t *nodes, size_t count,
                  struct journey_moment moment, struct ledger_writes *writes) MUST_USE;
/* She is being forgotten: her positions end here, and what they remember goes. Before her nodes are gone. */
err journey_erased(struct journeys *journeys, uint32_t customer, struct journey_moment moment,
                   struct ledger_writes *writes, uint32_t *positions) MUST_USE;
/* What is not to be done with her data any more ends here: journeys that she may not be in (kept_out.c). After a consent was
 * withdrawn, and after a merge. */
err journey_decided(struct journeys *journeys, uint32_t customer, struct journey_moment moment,
                    struct ledger_writes *writes) MUST_USE;
/* Rules may have become ready (audience.install): what waited for that goes live. */
err journey_rules_ready(struct journeys *journeys, struct journey_moment moment,
                        struct ledger_writes *writes) MUST_USE;
/* When the next timer, schedule or wave is due; INT64_MAX: nothing. Any thread. */
int64_t journey_next_due_ms(const struct journeys *journeys);
/* With each group, before it is handed to the ledger: counts. */
void journey_commit(struct journeys *journeys, struct ledger_writes *writes);

/* ---- commands (inside apply); bodies: docs/journeys.md ---- */

#define JOURNEY_COMMANDS(X)                                 \
    X(JOURNEY_PUT, "journey.put", journey_put)              \
    X(JOURNEY_DELETE, "journey.delete", journey_delete)     \
    X(JOURNEY_PUBLISH, "journey.publish", journey_publish)  \
    X(JOURNEY_STATE, "journey.state", journey_change_state) \
    X(JOURNEY_ENTER, "journey.enter", journey_enter)        \
    X(JOURNEY_MOVE, "journey.move", journey_move)           \
    X(JOURNEY_RUN, "journey.run", journey_run)
struct journey_command {
    json_value body;
    struct journey_moment moment;
    uint32_t user_number;
    struct ledger_writes *writes;
    struct buffer *answer;
    struct problem *problem;
};
#define X(NAME, operation, function) \
    err function(struct journeys *journeys, const struct journey_command *command) MUST_USE;
JOURNEY_COMMANDS(X)
#undef X

/* ---- for people: JSON as in docs/journeys.md ---- */

void journey_write_all(const struct journeys *journeys, str folder, str query, struct buffer *out);
err journey_write_one(const struct journeys *journeys, str key, uint32_t version,
                      struct buffer *out) MUST_USE;
/* Per node entered, waiting, left, touched, converted; goals; hold-out beside it. */
err journey_write_report(const struct journeys *journeys, str key, int64_t from_ms, int64_t to_ms,
                         struct buffer *out) MUST_USE;
/* Why in, why not, where, what next and when; in one sentence too. */
err journey_explain(const struct journeys *journeys, struct ledger *ledger, str key,
                    uint32_t customer, int64_t now_ms, struct buffer *out,
                    struct problem *problem) MUST_USE;
/* Her positions: [{journey, key, node, since, due, …}]. */
void journey_write_customer(const struct journeys *journeys, uint32_t customer, struct buffer *out);
/* Kinds of triggers and nodes with their members, in both languages: what the canvas is built from. */
void journey_write_catalogue(struct buffer *out);
/* Ready journeys: [{key, name:{zh,en}, about:{zh,en}, journey:{…}}]. */
void journey_write_library(struct buffer *out);
/* Does some version that is in use hold this rule? */
bool journey_holds_rule(const struct journeys *journeys, str key);
/* Does this journey hold it, and no other? */
bool journey_alone_holds(const struct journeys *journeys, str rule, str key);
/* Does a journey that is not deleted name this segment? Its key, or empty. */
str journey_using_segment(const struct journeys *journeys, str segment);

/* ---- since when (rules whose window begins with entering a journey) ----
 *
 * While it is watched, who entered or left one is noted, and is visited once the record has had its say. */
bool journey_is_there(const struct journeys *journeys, str key);
void journey_visit_keys(const struct journeys *journeys, void (*visit)(void *visited, str key),
                        void *visited);
/* The youngest of her positions that are inside: not armed, not in the control group, not through. INT64_MIN: none. */
int64_t journey_since(const struct journeys *journeys, str key, uint32_t customer);
void journey_watch(struct journeys *journeys, bool is_watched);
bool journey_has_changed(const struct journeys *journeys);
err journey_take_changed(struct journeys *journeys, err (*visit)(void *visited, uint32_t customer),
                         void *visited) MUST_USE;

/* ---- an overlay (what-if: docs/decisions/whatif.md) ----
 *
 * A room made by journeys_new with another world, into which definitions are staged. It is never loaded and writes nothing. */

/* {key, version, ramp, test_only, journey} of the draft, or of what is published; NOT_FOUND, CONFLICT: never published. Of the live
 * room, on the engine thread. */
err journey_write_definition(const struct journeys *journeys, str key, bool draft,
                             struct json_writer *writer) MUST_USE;
/* The same of all live journeys but one, as elements of an array. */
void journey_write_live_definitions(const struct journeys *journeys, str but,
                                    struct json_writer *writer);
/* One of them is live in the overlay from now on; UNPROCESSABLE as journey_put says it. */
err journey_stage(struct journeys *overlay, json_value definition, int64_t now_ms,
                  struct problem *problem) MUST_USE;
/* Events that may start (or go on with) somebody; and names of moves: "s:" and the key of a segment or rule, "t:" and that of a tag. */
void journey_visit_events(const struct journeys *overlay,
                          void (*visit)(void *context, str event, bool starts, bool goes_on),
                          void *context);
void journey_visit_moves(const struct journeys *overlay,
                         void (*visit)(void *context, str name, bool starts, bool goes_on),
                         void *context);
/* Some journey can be entered without any event. */
bool journey_concerns_everybody(const struct journeys *overlay);
/* Nobody enters this one by herself: by API or by hand. */
bool journey_is_by_hand(const struct journeys *overlay, str key);
bool journey_has_positions(const struct journeys *overlay, uint32_t customer);
size_t journey_overlay_bytes(const struct journeys *overlay);
/* What one customer enters may depend on how many others have: a journey has a cap on entries. */
bool journey_overlay_shares(const struct journeys *overlay);
/* What the report tells of `other`, in which the same was staged for other customers, is told by this one as well. */
err journey_overlay_absorb(struct journeys *overlay, const struct journeys *other) MUST_USE;
/* [{day, node, goal?, entered, left, …}] of the days from and to: what is not there is 0. Live or overlay. NOT_FOUND. */
err journey_write_days(const struct journeys *journeys, str key, int64_t from_ms, int64_t to_ms,
                       struct json_writer *writer) MUST_USE;

/* Each step of a position of the overlay, as journey_explain has them. Texts are borrowed until it returns. */
struct journey_step {
    int64_t at_ms;
    str journey, step, node, name, what, detail;
    const char *zh, *en;
};
void journey_overlay_hear(struct journeys *overlay,
                          void (*stepped)(void *context, const struct journey_step *step),
                          void *context);
/* The event that starts somebody in this one; empty: something else does. Borrowed. */
str journey_try_event(const struct journeys *overlay, str key);
/* From now on that event starts nobody in this one by itself (journey_try does), and no schedule anybody in any. */
void journey_try_prepare(struct journeys *overlay, str key);
/* She enters this one now, whatever speaks against it; *refusal says what does, "" for nothing. After journey_try_prepare. `event`:
 * JSON of the properties that it sees, may be empty. */
err journey_try(struct journeys *overlay, str key, uint32_t customer, str event,
                struct journey_moment moment, const char **refusal) MUST_USE;

/* ---- looking after it ---- */

struct journeys_status {
    uint32_t journeys, live;
    uint64_t positions, failed, steps;
    size_t bytes;
};
void journeys_status(const struct journeys *journeys, struct journeys_status *status);
/* J1, J2 over everything; defects are counted and the first is named. */
uint64_t journey_check(const struct journeys *journeys, char *first, size_t first_size);
/* J1, J2 over the next `count` positions, round after round: how many defects the last whole round found. Each round tells of its
 * first in the log. */
uint64_t journey_patrol(struct journeys *journeys, uint32_t count);
void journey_digest(const struct journeys *journeys, struct digest *digest);

#endif
