/* SPDX-License-Identifier: Apache-2.0 */
/* profile: what do we know of a customer. Traits with their origin, orders, consent, objects.
 *
 * Everything is kept per *node* (identity/identity.h) and never folded: a fact stays at the node of
 * the identifier that brought it; what a person reads is the view over the nodes of a customer, by
 * the precedence of each trait. Hence a split takes nothing from anybody.
 *
 * Two kinds of state. *Told* (traits, consents, objects): in the ledger, loaded at start. *Derived*
 * (orders, first and last seen, counts): computed from events, in RAM; at start from the warehouse's
 * rows and the log's tail through the same profile_observe.
 *
 * Invariants
 *   P1 the view is a function of the set of facts: the order of arrival does not matter, ties in
 *      time break by seq.
 *   P2 an order counts once per customer, however many of its events come (Order Completed, Order
 *      Paid, from two sources) and in whatever order; refunds and cancellations find it before or
 *      after. Revenue is net of refunds, in minor units, per currency.
 *   P3 a trait's fact holds value, operation, time, seq and source, so that precedence can change later.
 *   P4 consent is a function of what each node said last and of the dates of the merges (consent.c).
 *
 * Engine thread alone, inside apply, deterministic.
 */
#ifndef KITH_PROFILE_PROFILE_H
#define KITH_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "access/seal.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "event/event.h"
#include "identity/identity.h"
#include "store/ledger.h"

struct profile;

err profile_new(struct profile **profile) MUST_USE;
void profile_free(struct profile **profile);
/* Traits, types, consents, objects from the ledger. */
err profile_load(struct profile *profile, struct ledger *ledger, struct problem *problem) MUST_USE;

/* Before loading: nodes that are left out, since they have left memory. Bits by number below `count`, borrowed until
 * profile_load has ended. */
void profile_leave_out(struct profile *profile, const uint64_t *nodes, uint32_t count);

/* Touch the memory that an event of this node will need. */
void profile_prefetch(const struct profile *profile, uint32_t node);

/* The told part of an event: traits, consent, objects. */
err profile_apply(struct profile *profile, const struct event *event, uint32_t node,
                  struct ledger_writes *writes) MUST_USE;

/* The derived part: what a row of the warehouse has. */
struct profile_observation {
    uint32_t node;
    uint64_t seq;
    int64_t time_ms;
    str type; /* orders: Order Paid, Order Completed, Order Refunded, … */
    str order_id, currency;
    int64_t revenue, total; /* minor units; PROMOTED_MISSING */
};
err profile_observe(struct profile *profile, const struct profile_observation *row) MUST_USE;
/* For loads by aggregate: count and times of a node's events in one. */
err profile_observe_many(struct profile *profile, uint32_t node, uint32_t events, int64_t first_ms,
                         int64_t last_ms) MUST_USE;
/* Is an event of this type an order event that profile_observe needs in full? */
bool profile_is_order_type(str type);

/* What is derived of `count` neighbours as bytes, to be read at the next start instead of their events: appended; the first node has
 * number `first`. Cost: some 20 us for 512 of them. */
void profile_sums_write(const struct profile *profile, uint32_t first, uint32_t count,
                        struct buffer *out);
/* Back, without the nodes for which `is_out` (may be NULL) says so; before any of them is observed. CORRUPT: nothing has changed. */
err profile_sums_read(struct profile *profile, uint32_t first, uint32_t count, str bytes,
                      bool (*is_out)(void *context, uint32_t node), void *context) MUST_USE;

struct profile_summary {
    uint64_t events;
    int64_t first_seen_ms, last_seen_ms; /* of events, by their own time */
    uint32_t orders;                     /* paid, not wholly refunded or cancelled */
    int64_t revenue;                     /* net, in the currency of most orders */
    int64_t refunded;
    int64_t first_order_ms, last_order_ms; /* 0: none */
    char currency[4];
    uint32_t other_currencies; /* orders in others: profile_view.others */
};
void profile_summarise(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                       struct profile_summary *summary);

/* What went back of an order of hers so far, in its minor units; INT64_MAX: all of it (a refund without amount, a cancellation). 0 for an
 * order that is not known. */
int64_t profile_order_back(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                           str order_id);

/* Orders first paid in [from_ms, until_ms], not cancelled, and what of them stays. `orders` leaves out those that were wholly
 * refunded, whose net is nothing. */
struct profile_sales {
    char currency[4];
    int64_t orders, net, refunded; /* minor units */
};
/* Adds those of a customer to the lines, one per currency; what would need more than `limit` of them is left out. How many lines
 * there are then. Some 10 ns an order of hers. */
size_t profile_add_sales(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                         int64_t from_ms, int64_t until_ms, struct profile_sales *lines,
                         size_t count, size_t limit);

/* What is known of a customer at one moment: all that an answer needs, so that it can be written on another
 * thread. Texts are in the arena given, save names, which are the profile's for its life. Sealed values
 * stay sealed: who shows them masks or reveals. */
struct profile_trait_view {
    str name, json;
    uint32_t source; /* who decided the value, and when; 0: nobody in particular */
    bool by_hand;    /* corrected: no source speaks against it */
    int64_t at_ms;
};
struct profile_consent_view {
    str purpose;
    bool granted;
    uint32_t source;
    int64_t at_ms;
};
struct profile_currency {
    char currency[4];
    uint32_t orders;
    int64_t revenue, refunded;
};
struct profile_view {
    struct profile_trait_view *traits; /* by name */
    struct profile_consent_view *consents;
    struct profile_summary summary;
    struct profile_currency *others; /* orders in other currencies than the summary's */
    uint32_t trait_count, consent_count, other_count;
};
err profile_view_take(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                      struct arena *arena, struct profile_view *view) MUST_USE;
/* NULL if it is not there. */
const struct profile_trait_view *profile_view_trait(const struct profile_view *view, str name);
/* Member `summary` of a customer, as in docs/api.md. Any thread. */
void profile_view_write_summary(const struct profile_view *view, struct json_writer *writer);
/* Members `traits`, `trait_origins` if wanted, `consent` and `summary`, sources by number. */
void profile_write(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                   bool origins, struct json_writer *writer);
/* One trait's merged value as JSON; false if there is none. Borrowed until the next change. */
bool profile_trait(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                   str name, struct buffer *value);

/* Two purposes have a meaning of their own: withdrawn, the first says that her data are kept and not used
 * (restriction of processing), the second that nothing is chosen for her by what is known of her. */
#define PURPOSE_PROCESSING "processing"
#define PURPOSE_PERSONALISATION "personalisation"
/* Who has care of a child under 14 agrees: by two persons of the house alone (guardian.put), and by no source. */
#define PURPOSE_GUARDIAN "guardian"

/* What she decided about this purpose; false: nothing. Some 100 ns a node. */
bool profile_consent(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                     str purpose, bool *granted);

/* Of several nodes that said different things, the strictest counts of what was said before they were joined, the newest
 * of what was said since (P4). Who knows the joins is asked then, and only then; without it all are one from the beginning. */
void profile_use_joins(struct profile *profile,
                       size_t (*joins)(void *context, uint32_t node, struct identity_join *joins,
                                       size_t limit),
                       void *context);
/* The newest word of a node; of one moment the stricter, then the first. */
struct profile_word {
    uint32_t node, source;
    int64_t at_ms;
    uint64_t seq;
    bool granted;
};
/* Which of them counts; NULL when there is none. `joins` from the earliest on. Any thread. */
const struct profile_word *profile_weigh(const struct profile_word *words, size_t count,
                                         const struct identity_join *joins, size_t join_count);

/* ---- visitors who leave memory (engine/visitors.h) ---- */

/* Nothing happened since `before_ms`, by the events' own time, and there is no order. */
bool profile_may_leave(const struct profile *profile, uint32_t node, int64_t before_ms);
/* What is known of the node goes from memory; what was told stands in the ledger. */
void profile_leave(struct profile *profile, uint32_t node);
/* What was told, from the last commit; what is derived has to be observed again. */
err profile_come_back(struct profile *profile, struct ledger *ledger, uint32_t node,
                      struct problem *problem) MUST_USE;
/* Give back memory around this node. */
void profile_give_back(struct profile *profile, uint32_t node);

/* ---- taking back (an undone import, a replaced event) ---- */

/* Drop the facts that `source` told (0: none) and those of the events `seqs` (sorted here), and all that is
 * derived of the node: what stays has to be observed again. */
err profile_retract(struct profile *profile, uint32_t node, uint32_t source, uint64_t *seqs,
                    size_t count, struct ledger_writes *writes) MUST_USE;
/* All that is known of a node goes (erasure): traits, consents, orders. `facts` gets how many facts there were. */
err profile_erase(struct profile *profile, uint32_t node, struct ledger_writes *writes,
                  uint32_t *facts) MUST_USE;
/* Is nothing known of this node? */
bool profile_is_empty(const struct profile *profile, uint32_t node);
/* An object that `source` was the last to change is again what it was before (empty props: not there). */
err profile_restore_object(struct profile *profile, str kind, str id, uint32_t source, str props,
                           int64_t updated_ms, int64_t deleted_ms,
                           struct ledger_writes *writes) MUST_USE;

/* ---- objects ---- */

/* One object's properties as JSON, borrowed until it changes; false if it is not there, or was deleted. */
bool profile_object(const struct profile *profile, str kind, str id, str *props);
/* All that are there, in no particular order; `visit` returns false to stop. */
void profile_objects_visit(const struct profile *profile,
                           bool (*visit)(void *context, str kind, str id, str props),
                           void *context);

/* ---- looking for customers ---- */

/* What is looked for: a trait that has a value, or a name with a text in it. A node matches when one of its
 * own facts says so; whether the customer does is for profile_probe_holds, who sees all her nodes.
 * What was sealed at the door matches nothing. */
#define PROFILE_PROBE_TRAITS 16
#define PROFILE_PROBE_BYTES 1600
struct profile_probe {
    uint32_t traits[PROFILE_PROBE_TRAITS]; /* any of these; none: nobody matches */
    size_t trait_count;
    bool is_name;                   /* a part, in any case; else the whole value */
    bool is_sum;                    /* its value comes of several facts: who has any may match */
    str plain;                      /* as it was typed; borrowed */
    char json[PROFILE_PROBE_BYTES]; /* the same as JSON text */
    size_t json_bytes;
};
/* INVALID for more than 255 bytes. */
err profile_probe_trait(const struct profile *profile, str name, str value,
                        struct profile_probe *probe) MUST_USE;
/* Names: name, $name, nickname, nickName, username, first and last name, realName, as far as plain. */
err profile_probe_name(const struct profile *profile, str text,
                       struct profile_probe *probe) MUST_USE;
/* The highest node that matches, of those up to `from` and above `stop`; `stop` if there is none. Some 50 ns
 * a node. */
uint32_t profile_probe_below(const struct profile *profile, const struct profile_probe *probe,
                             uint32_t from, uint32_t stop);
bool profile_probe_node(const struct profile *profile, const struct profile_probe *probe,
                        uint32_t node);
/* Is it so of the customer with these nodes? `scratch` is cleared. */
bool profile_probe_holds(const struct profile *profile, const struct profile_probe *probe,
                         const uint32_t *nodes, size_t node_count, struct buffer *scratch);

/* Commands. */
err profile_put_trait_type(struct profile *profile, str name, json_value body,
                           struct ledger_writes *writes, struct problem *problem) MUST_USE;
void profile_write_trait_types(const struct profile *profile, struct buffer *out);

/* A decision as it was made: by whom (a source, or a user by hand), of which text, with which proof. */
struct profile_decision {
    str purpose;
    bool granted;
    int64_t at_ms;
    uint64_t seq;
    uint32_t source_number, user_number;
    str text_version, evidence;
};
#define PROFILE_TEXT_VERSION_BYTES_MAX 100
#define PROFILE_EVIDENCE_BYTES_MAX 2000
/* The newest counts; each is kept in table CONSENT_DECISIONS, also one that came too late to count. */
err profile_put_consent(struct profile *profile, uint32_t node,
                        const struct profile_decision *decision,
                        struct ledger_writes *writes) MUST_USE;

/* The value of a trait by hand, as JSON: it holds against what any source says, before or later; empty: the sources speak again.
 * UNPROCESSABLE for a name or value that cannot be. */
err profile_correct(struct profile *profile, uint32_t node, str name, str json, uint64_t seq,
                    int64_t at_ms, struct ledger_writes *writes, struct problem *problem) MUST_USE;

/* What the import job `job` (from 1) tells counts by the rank of this source (0: of nobody's). False: it did before. */
err profile_import_source(struct profile *profile, uint32_t job, uint32_t source,
                          bool *changed) MUST_USE;

/* Names of customers as the last commit has them, for identity_suggest; any thread. A name is the trait
 * `name`, or last and first name; its hash is of the text without spaces and case. */
struct profile_names;
err profile_names_new(struct profile_names **names, struct ledger *ledger, const struct keys *keys,
                      struct problem *problem) MUST_USE;
void profile_names_free(struct profile_names **names);
/* 0 if there is none. `names`: a struct profile_names, as identity_names wants it. */
uint64_t profile_name_of(void *names, uint32_t node);

void profile_digest(const struct profile *profile, struct digest *digest);
size_t profile_memory_bytes(const struct profile *profile);

#endif
