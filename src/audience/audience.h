/* SPDX-License-Identifier: Apache-2.0 */
/* audience: tags, scores, segments: who is in, since when, and why; true to the second.
 *
 * A *definition* is a tag or a segment (JSON, docs/tags.md); a published one is *live*: it moves in the apply of
 * the record that moves it. Memberships and tag values are CRoaring bitmaps over customer numbers (roots), in
 * chunks of 65,536 customers that readers share copy-on-write; numeric tags are chunked arrays of narrow width.
 * What time alone changes is *due*: one minute per customer, in a wheel.
 *
 *     event, fact, merge, tick ─▶ which definitions can it change? (rule_needs) ─▶ judge ─▶ change
 *                                                                                   └─▶ row: what, who, when, why
 *
 * A new definition is *computed*: threads of this room judge everybody over full history while the engine goes
 * on; then the room submits the command `audience.install`, a record of the log. When it is applied, whoever was
 * touched meanwhile is judged again and the result is put in place at once. On a replay nothing was computed
 * ahead: everybody is judged at that record. So the state stays a function of the log.
 *
 *     put ─▶ COMPUTING ──scan, then audience.install──▶ LIVE ──put again──▶ LIVE with the next one computing
 *                                                        └────delete──▶ gone
 *
 * Invariants
 *   S1 at any seq, a live segment is exactly { c : rule holds for c right after that record }, and so for tags; a
 *      recount says so (audience_recount), or names the defect. 'Right after' is the record's received time plus
 *      one millisecond, so that an event of this very millisecond counts.
 *   S2 every change is recorded with its cause, in the commit of the record that caused it.
 *   S3 due before decided: a customer is settled before anything is decided about her.
 *   S4 membership belongs to the customer (root): a merge judges the survivor again and clears the absorbed, a split judges both.
 *   S5 definitions that others use cannot be deleted; cycles cannot be made.
 *   S6 readers on other threads see immutable snapshots (copy-on-write by chunk), never a half change.
 *   S8 where history in memory is not whole (its budget; a column with more texts than fit) the answer stands on rows
 *      that are read back (audience_config.past): a preview or a scan streams the customers concerned; what a tick
 *      or an install left to be settled is read aside and judged in slices; an event of hers, which decides at once,
 *      waits for one query, after which her past is in memory again. The answer is the same.
 *   S7 a customer with more than AUDIENCE_HUGE_EVENTS events is judged at most once a second of log time: what
 *      moves her may show a second later, and others do not wait.
 *
 * Engine thread alone unless a function says otherwise; deterministic.
 */
#ifndef KITH_AUDIENCE_AUDIENCE_H
#define KITH_AUDIENCE_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "event/event.h"
#include "history/history.h"
#include "identity/identity.h"
#include "plan/plan.h"
#include "profile/profile.h"
#include "rule/rule.h"
#include "store/ledger.h"

#define AUDIENCE_DEFINITIONS_MAX 10000
#define AUDIENCE_KEY_BYTES_MAX 100
#define AUDIENCE_VALUES_MAX 100        /* of a rule tag, a stage, boxes of an RFM */
#define AUDIENCE_TEXT_VALUES_MAX 65000 /* distinct texts of a counted, imported, manual tag */
#define AUDIENCE_PARTS_MAX 50          /* of a score */
#define AUDIENCE_OPERANDS_MAX 50       /* of a set algebra */
#define AUDIENCE_UPLOAD_MAX 1000000    /* identifiers of an uploaded list */
#define AUDIENCE_HUGE_EVENTS 20000

struct audience;

/* ---- who moved ---- */

enum audience_kind {
    AUDIENCE_SEGMENT,
    AUDIENCE_TAG,
    AUDIENCE_OBJECT_IDS, /* private: the numbers of the objects of a kind */
};

/* A customer entered or left a live segment, or the value of a live tag of hers changed. */
struct audience_move {
    enum audience_kind kind;
    str key; /* borrowed until the listener returns */
    uint32_t customer;
    bool was_in, is_in; /* of a tag: had, has a value */
    const char *cause;  /* "event", "time", "hand" …: as in docs/tags.md */
};

/* ---- life ---- */

/* ---- what is not in memory ---- */

/* A question for rows of history, to where all of it is. */
#define AUDIENCE_PAST_NOW UINT64_MAX
struct audience_column {
    str path;
    enum column_kind kind;
    history_column column;
};
struct audience_past {
    const uint32_t *nodes; /* ascending, each once */
    size_t node_count;
    const str *types; /* of events; none: all */
    size_t type_count;
    const struct audience_column *columns; /* whose values the rows bring */
    size_t column_count;
    uint64_t until_seq; /* AUDIENCE_PAST_NOW: all that is applied; engine thread alone */
    /* In no order; a row lives until it returns. Its error ends the question. */
    err (*take)(void *context, const struct history_row *row);
    void (*restart)(void *context); /* what was taken comes again from the beginning */
    void *context;
};

struct audience_config {
    size_t
        memory_bytes_max; /* columns, sets, wheel; default 1.2 GB. Beyond it no definition is taken (NOMEM) */
    unsigned threads; /* that scan; default 2 */
    /* Results that change more than so many are noted in slices; default 20,000. */
    uint64_t install_at_once_max;
    /* Borrowed; what they are asked is asked on the engine thread, history by readers of its own. */
    struct history *history;
    const struct identity *identity;
    const struct profile *profile;
    const struct plan *plan;
    const char *zone; /* IANA name; default Asia/Shanghai */

    /* A thread of this room wants a command appended to the log (user 0), and does not wait for more than its
     * sync. NULL: nothing is computed ahead; the owner calls audience_install itself (tests). */
    err (*submit)(void *context, str operation, str body);
    /* history_add_column was called for a published definition or a preview: bring its past (warehouse, tail)
     * and call history_fill_end. Engine thread. NULL: history has seen every event since the column was
     * added, or has no past (tests): the room calls history_fill_end itself. */
    void (*fill_column)(void *context, str path, enum column_kind kind, history_column column);
    /* Rows that history does not have (its budget), or columns that it could not hold. Waits. Any thread; NULL: history has
     * everything. */
    err (*past)(void *context, const struct audience_past *past, struct problem *problem);
    uint64_t (*applied_seq)(void *context); /* goes with it; engine thread */
    /* Told of every move, as it is made; what a definition or a recount brings is not told. Engine thread, inside
     * the call that made it (audience_event, audience_work …); may not call this room. NULL: nobody listens. */
    void (*moved)(void *context, const struct audience_move *move);
    /* Journeys, for windows since she entered one (engine thread): is there one of this key; all their keys; since when she is
     * in it (INT64_MIN: she is not). NULL: there are none. Not asked before audience_start. */
    bool (*journey)(void *context, str key);
    void (*journeys)(void *context, void (*offer)(void *offered, str key), void *offered);
    int64_t (*journey_since)(void *context, str key, uint32_t customer);
    /* There is work: call audience_work even if no record comes. Any thread. May be NULL. */
    void (*wake)(void *context);
    void *context;
};

err audience_new(struct audience **audience, const struct audience_config *config) MUST_USE;
void audience_free(struct audience **audience); /* ends its threads */
/* config.submit, of one that was made without: what waits to be computed is computed ahead from here on. */
void audience_use_submit(struct audience *audience,
                         err (*submit)(void *context, str operation, str body));
/* Definitions, memberships, tag values, from the ledger; after identity and profile are loaded, before the log
 * goes on. Adds the columns that definitions need: load the history after it. */
err audience_load(struct audience *audience, struct ledger *ledger,
                  struct problem *problem) MUST_USE;
/* History is there and all columns are ready: facts and due times are made from here on (in slices by
 * audience_work and on threads). `now_ms`: of the last applied record. */
err audience_start(struct audience *audience, int64_t now_ms) MUST_USE;

/* ---- from apply, in this order ---- */

/* Who did what, at which record. */
struct audience_moment {
    uint64_t seq;
    int64_t now_ms; /* received time of the record */
};

/* First thing of every block, with its received time: what was put off for a second is done. */
err audience_begin(struct audience *audience, struct audience_moment moment) MUST_USE;
/* Before the event is remembered (profile_apply, history_observe, history_group): settles what is due of the
 * customer, and of those that this event has absorbed, as it stood until now (S3). Numbers are roots from before. */
err audience_before(struct audience *audience, uint32_t customer,
                    struct audience_moment moment) MUST_USE;
/* An event of hers comes soon: what is read for each is fetched into the cache. */
void audience_prefetch(const struct audience *audience, uint32_t customer);
/* After it is remembered: facts that it changes are taken over, what it can change is judged. */
err audience_event(struct audience *audience, uint32_t customer, const struct event *event,
                   struct audience_moment moment) MUST_USE;
/* `absorbed` are numbers that were roots and are not any more. After history_group, before audience_event. */
err audience_merged(struct audience *audience, uint32_t survivor, const uint32_t *absorbed,
                    size_t count, struct audience_moment moment) MUST_USE;
/* Something else about this customer changed (split: call it for each part; consent by hand; an event taken
 * away again): everything about her is read and judged anew. */
err audience_customer_changed(struct audience *audience, uint32_t customer,
                              struct audience_moment moment) MUST_USE;
/* She entered a journey, or left one (config.journey_since says something else now). Asked for only while some rule names
 * a journey. */
bool audience_names_journeys(const struct audience *audience);
err audience_journeys_changed(struct audience *audience, uint32_t customer,
                              struct audience_moment moment) MUST_USE;
/* The key of a definition that names this journey, less those that `passes` says of; empty: none does. */
str audience_using_journey(const struct audience *audience, str journey,
                           bool (*passes)(void *context, str key), void *context);
/* So much changed that nobody is as she was (identity.rules.apply, undo of an import): all are judged at once. */
err audience_all_changed(struct audience *audience, struct audience_moment moment) MUST_USE;
/* An object changed (EVENT_OBJECT, EVENT_GROUP applied): rules see it from the next tick on, for which
 * audience_wants_tick asks. */
err audience_object_changed(struct audience *audience, const struct event *event,
                            struct audience_moment moment) MUST_USE;
/* A kind of objects was described: {name, properties:{NAME:{type, object}}}; `object` is the kind whose ids the property
 * has. */
err audience_object_kind(struct audience *audience, str kind, json_value settings) MUST_USE;
/* May it be described no more? CONFLICT names what keeps it: objects, kinds that lead to it, tags and segments. */
err audience_object_kind_check(struct audience *audience, str kind,
                               struct problem *problem) MUST_USE;
/* It is as one of which nothing was ever said; after the check. */
void audience_object_kind_forget(struct audience *audience, str kind);
/* Is {"object": kind} or {"on": kind} somewhere in it? Any thread. */
bool audience_rule_speaks_of(json_value json, str kind);
/* A setting changed (inside apply): with workspace.zone days begin at other moments. */
err audience_setting_changed(struct audience *audience, str key, json_value value) MUST_USE;
/* Is a tick record wanted soon (objects to be published, the next portion of a sweep)? Asked some ten times a
 * second; says so once. Any thread. */
bool audience_wants_tick(struct audience *audience);
/* Is what an earlier tick found due not settled yet? The next tick would have to finish it in one piece. Any thread. */
bool audience_is_settling(const struct audience *audience);
/* A tick record: what is due by now is taken out of the wheel; audience_work settles it in slices, as it
 * stood at this tick. What an earlier tick left is finished first. At local midnight the day's work is begun. */
err audience_tick(struct audience *audience, struct audience_moment moment) MUST_USE;

/* The last thing before a group is handed to the ledger: rows of changes and dirty chunks (<= 1 MB). */
void audience_commit(struct audience *audience, struct ledger_writes *writes);
/* Between groups: due work, filling of columns, results of scans; about `budget_us`. True: there is more, call
 * again soon, also when no record comes. Rows that it makes go to the next audience_commit. */
bool audience_work(struct audience *audience, int64_t budget_us);
/* All of it at once: before a digest, a recount, a decision about many. */
err audience_settle(struct audience *audience, int64_t now_ms) MUST_USE;

/* ---- commands (inside apply): bodies as in docs/tags.md; the answer is a JSON object ---- */

/* AUDIENCE_COMMANDS: X(NAME, operation, function) */
#define AUDIENCE_COMMANDS(X)                                       \
    X(SEGMENT_PUT, "segment.put", audience_put_segment)            \
    X(SEGMENT_DELETE, "segment.delete", audience_delete_segment)   \
    X(SEGMENT_MEMBERS, "segment.members", audience_change_members) \
    X(TAG_PUT, "tag.put", audience_put_tag)                        \
    X(TAG_DELETE, "tag.delete", audience_delete_tag)               \
    X(TAG_VALUES, "tag.values", audience_change_values)            \
    X(AUDIENCE_INSTALL, "audience.install", audience_install)

struct audience_command {
    json_value body;
    struct audience_moment moment;
    uint32_t user_number;
    struct ledger_writes *writes;
    struct buffer *answer;
    struct problem *problem;
};
#define X(NAME, operation, function) \
    err function(struct audience *audience, const struct audience_command *command) MUST_USE;
AUDIENCE_COMMANDS(X)
#undef X

/* ---- for people: JSON as in docs/api.md ----
 *
 * What is due is settled first when it is little; `as_of` says up to when it is. */

/* Members `tags` {key: value} and `segments` [key…] of a customer, who is settled first. */
err audience_write_customer(struct audience *audience, uint32_t customer,
                            struct json_writer *writer) MUST_USE;
/* The value that a tag has of her, as she was settled last; false without one. */
bool audience_put_value(const struct audience *audience, str key, uint32_t customer,
                        struct json_writer *writer);
/* Is it about customers, and one that lists show? */
bool audience_is_of_customers(const struct audience *audience, enum audience_kind kind, str key);
/* One definition as it is published, with count, values, usage, state; NOT_FOUND. */
err audience_write_one(struct audience *audience, enum audience_kind kind, str key,
                       struct buffer *out) MUST_USE;
/* All of a kind as a JSON array, by key; `folder` and `query` (part of key or name) may be empty. */
void audience_write_all(struct audience *audience, enum audience_kind kind, str folder, str query,
                        struct buffer *out);
/* Members (of a tag: with this value; empty for any) from beyond `after` in ascending order; how many were
 * written. NOT_FOUND. */
err audience_members(struct audience *audience, enum audience_kind kind, str key, str value,
                     uint32_t after, uint32_t *customers, size_t limit, size_t *count) MUST_USE;
/* Why is she in, or not: the definition's rules with their values. NOT_FOUND. */
err audience_explain(struct audience *audience, enum audience_kind kind, str key, uint32_t customer,
                     struct buffer *out, struct problem *problem) MUST_USE;

/* The same of a rule that is not saved: {"rule":…}; `me` is who asks ("$me"), may be empty. UNPROCESSABLE with pointer; not
 * ready: as audience_question_begin says it. */
err audience_explain_rule(struct audience *audience, json_value body, uint32_t customer, str me,
                          bool *is_ready, struct buffer *out, struct problem *problem) MUST_USE;
/* Visit the segments that she is in and the tags that have a value of hers; she was settled before. False stops. */
void audience_visit_customer(struct audience *audience, uint32_t customer,
                             bool (*visit)(void *context, enum audience_kind kind, str key,
                                           str name),
                             void *context);

/* ---- objects ---- */

/* The kind of objects that a definition stands on; empty: customers, or no such definition. */
str audience_on(const struct audience *audience, enum audience_kind kind, str key);
/* The id of a member of such a definition; borrowed for the life of the room. */
str audience_object_id(const struct audience *audience, str kind, uint32_t number);
/* {kind, id, tags, segments, as_of}; NOT_FOUND. */
err audience_write_object(struct audience *audience, str kind, str id, struct buffer *out) MUST_USE;
/* {objects:[{kind, name, count, properties, tags, segments, events, traits}], channels:[…]}: the names that conditions
 * through objects are made of. */
void audience_write_catalogue(struct audience *audience, struct buffer *out);

/* ---- for rooms that stand on rules (journeys) ----
 *
 * Definitions whose folder begins with "$" are theirs: they live like all others, and no list shows them. */

/* Could this be put? UNPROCESSABLE as audience_put_segment says it; nothing is made. */
err audience_check(struct audience *audience, enum audience_kind kind, json_value body,
                   struct problem *problem) MUST_USE;
/* Its newest version is in force. By number (audience_number). */
bool audience_is_live(const struct audience *audience, uint32_t number);
/* Is she in it, or has a value; as she was settled last (audience_before). */
bool audience_has(const struct audience *audience, uint32_t number, uint32_t customer);
/* Has somebody put her into a segment by hand, or given her a tag (by hand, by a file, by a model)? */
bool audience_is_given(const struct audience *audience, uint32_t customer);

/* ---- at past moments (what-if: docs/decisions/whatif.md) ----
 *
 * Rules and segments, judged of any customer at any moment over what her history has by then. What is given by hand, by file
 * or by a model, traits and objects are as they are when it is sealed. Filled and sealed on the engine thread; from then on it
 * belongs to one thread, any. Numbers are from 1; 0: there is none. */
struct audience_then;
err audience_then_new(struct audience *audience, struct audience_then **then) MUST_USE;
void audience_then_free(struct audience_then **then);
/* A rule under a key of the caller's: `body` is that of a segment. What is there under this key stays. */
err audience_then_add_rule(struct audience_then *then, str key, json_value body,
                           struct problem *problem) MUST_USE;
/* A live segment of customers; NOT_FOUND. */
err audience_then_add_segment(struct audience_then *then, str key) MUST_USE;
/* What it needs begins to be filled; false: seal it again after a moment. */
err audience_then_seal(struct audience_then *then, bool *is_ready) MUST_USE;
uint32_t audience_then_find(const struct audience_then *then, str key);
str audience_then_key(const struct audience_then *then, uint32_t number);
/* What {"touch": …} means: those of the customer of whom it is asked, ascending. */
void audience_then_hear_touches(struct audience_then *then,
                                const struct rule_touch *(*touches)(void *context, size_t *count),
                                void *context);
/* What a window since entering a journey begins with: since when the customer of whom it is asked is in it (INT64_MIN: she is not). */
void audience_then_hear_journeys(struct audience_then *then,
                                 int64_t (*since)(void *context, str key), void *context);
/* As it is right after a record of this moment (S1); *until_ms as in rule.h. `customer` is her number of today. */
bool audience_then_holds(struct audience_then *then, uint32_t number, uint32_t customer,
                         const struct history_view *view, int64_t at_ms, int64_t *until_ms);
/* Can an event of this type change it? */
bool audience_then_hears(const struct audience_then *then, uint32_t number, str type);

/* ---- seeing a part (scopes) ----
 *
 * What is asked on the engine's thread between a lens and none is answered as if nobody were there but the members of one
 * segment, now, and no other definitions than those that `sees` says: the others are not found, not listed, not
 * suggested, and rules cannot name them. Questions that take longer keep the lens that they were begun with. */
struct audience_lens {
    uint32_t number; /* audience_number of a segment of customers; 0, or gone: nobody */
    bool (*sees)(void *context, enum audience_kind kind, str key); /* NULL: none */
    void *context;
};
/* NULL: the whole again. Nothing may be applied meanwhile. */
void audience_look_through(struct audience *audience, const struct audience_lens *lens);

/* ---- questions that take longer: a job is begun and ended on the engine thread, and run on any other ---- */

/* What can be asked; `body` is the request's JSON.
 *   PREVIEW   {on, rule, customers} of objects → {on, count, base, conditions, sample, items}; else {rule} → {count, as_of, sample, conditions:[{path,count}], reachable, unreachable, elapsed_ms, partial}
 *   CHANGE    {…definition} of segment `key` → {count, enters, leaves, …}: before it is saved
 *   CHANGE_TAG the same of a tag: {count, changes, …}
 *   OVERLAP   {segments:[…]} → sizes of each, of each pair, of all; up to 6: of every combination
 *   PROFILE   of `key`: what distinguishes its members from everybody
 *   MAP       {segments:[…]} or all → {segments, pairs:[[i, j, count]…]}: how much up to 500 segments overlap
 *   REACH     of `key`: {count, reachable, unreachable}
 * Numbers of customers stand in the answer as {"$customer":n}: the server writes one_ids. */
enum audience_question_kind {
    AUDIENCE_PREVIEW,
    AUDIENCE_CHANGE,
    AUDIENCE_CHANGE_TAG,
    AUDIENCE_OVERLAP,
    AUDIENCE_PROFILE,
    AUDIENCE_MAP,
    AUDIENCE_REACH,
};
struct audience_question;
/* Engine thread: takes snapshots of what the question needs. UNPROCESSABLE with pointer, NOT_FOUND, BUSY. Not yet ready
 * columns and facts begin to be filled: *is_ready false; begin again after a moment. */
err audience_question_begin(struct audience *audience, enum audience_question_kind kind, str key,
                            json_value body, bool *is_ready, struct audience_question **question,
                            struct problem *problem) MUST_USE;
/* Any thread; a thread of its own helps. Cut after `budget_ms` (the answer says so) or when *cancel. */
err audience_question_run(struct audience_question *question, int64_t budget_ms,
                          const _Atomic bool *cancel, struct buffer *out) MUST_USE;
/* Of a PREVIEW of customers: the newest who hold, numbered below `before` (0: from the newest on), into `found` as they
 * are passed, at most `limit`; `more` says that there are older ones. Before it runs; borrowed until it has. */
struct audience_listing {
    uint32_t before;
    uint32_t *found;
    size_t limit, count;
    bool more;
};
void audience_question_list(struct audience_question *question, struct audience_listing *listing);
/* Who asks ("$me" in its rule); borrowed until it is freed. Before it runs. */
void audience_question_me(struct audience_question *question, str me);
/* While it runs it asks now and then whether the asker is gone; then it ends with UNAVAILABLE. */
void audience_question_watch(struct audience_question *question, bool (*is_gone)(void *context),
                             void *context);
/* Any thread. */
void audience_question_free(struct audience_question **question);

/* ---- what was: from the ledger; any thread ---- */

/* Number of a definition, for the functions below; 0 unknown. Engine thread. */
uint32_t audience_number(const struct audience *audience, enum audience_kind kind, str key);
/* A definition's members as they are, and the last change in them; release it. Engine thread; read by any. */
struct audience_set;
err audience_set_take(struct audience *audience, enum audience_kind kind, str key, str value,
                      struct audience_set **set) MUST_USE;
void audience_set_free(struct audience_set **set);
uint64_t audience_set_count(const struct audience_set *set);
bool audience_set_has(const struct audience_set *set, uint32_t customer);
void audience_set_visit(const struct audience_set *set,
                        bool (*visit)(void *context, uint32_t customer), void *context);
/* Take the set back to how it was at `at_ms`: undo what was committed after it. The ledger must have
 * committed what the set shows (engine_settle). */
err audience_set_at(struct audience_set *set, struct ledger *ledger, int64_t at_ms,
                    struct problem *problem) MUST_USE;
/* Since when, and by what cause, is this member what she is now? NOT_FOUND: longer ago than is looked (some ten
 * million changes of others). The ledger as above. */
err audience_set_since(struct audience_set *set, struct ledger *ledger, uint32_t customer,
                       int64_t *since_ms, const char **cause, struct problem *problem) MUST_USE;
/* {step_ms, points:[{at,count,entered,left}]} of [from_ms, to_ms). */
err audience_write_history(struct audience_set *set, struct ledger *ledger, int64_t from_ms,
                           int64_t to_ms, int64_t step_ms, struct buffer *out,
                           struct problem *problem) MUST_USE;

/* ---- looking after it ---- */

/* Judge everybody anew and compare with what is live; defects are counted (metric), logged and, if `mend`, put
 * right. Slow: all customers times all definitions. */
struct audience_recount_result {
    uint64_t judged, defects;
    char first[200]; /* what the first defect is */
};
err audience_recount(struct audience *audience, int64_t now_ms, bool mend,
                     struct audience_recount_result *result) MUST_USE;

struct audience_status {
    uint32_t segments, tags, computing;
    size_t set_bytes, column_bytes, wheel_bytes;
    uint64_t changes, due_pending;
};
void audience_status(const struct audience *audience, struct audience_status *status);
size_t audience_memory_bytes(const struct audience *audience);
/* Definitions, memberships and tag values, all settled: what a rebuild must give again. */
void audience_digest(const struct audience *audience, struct digest *digest);

#endif
