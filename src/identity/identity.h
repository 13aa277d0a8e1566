/* SPDX-License-Identifier: Apache-2.0 */
/* identity: who is it. Identifiers, the customers they lead to, merges that can be taken back.
 *
 * The picture. A *node* is a customer number, made when an event's identifiers lead to nobody. Every
 * identifier is at home in one node. A *merge* is an edge between two nodes with its cause; a
 * *customer* is a connected component of this forest and goes by its oldest (smallest) number, the
 * *root*. Nothing is folded: traits, orders and events stay at the node of the identifier that brought
 * them, a customer's profile is the view over its nodes. So a split is the removal of one edge, and
 * both sides have exactly what is theirs, whatever came in between.
 *
 *     identifier ──home──▶ node ──edge (merge, dated, with cause)── node      component = customer
 *
 * Invariants
 *   I1 numbers are never reused; nodes and rows are never deleted, save by erasure.
 *   I2 the edges that are not undone form a forest; root(n) is the smallest number of its component.
 *   I3 two components that a separation keeps apart are never joined.
 *   I4 a limit of a type (per customer and namespace, per window) holds in every component after
 *      every event.
 *   I5 what is not verified never merges two nodes that hold strong identifiers, and never takes a
 *      verified identifier from anybody.
 *   I6 each attach, merge, move, refusal and split is written to the ledger with why and since when.
 *   I7 where no limit, window or weak identifier decides, the components do not depend on the order of
 *      arrival.
 *   I8 families of customers, and how many have which, are those of their rows.
 *   I9 an open refusal is of two identifiers that are not one customer's (or of an unbind).
 *
 * Engine thread alone, inside apply: deterministic, no clock ('now' is event->received_ms).
 * `identity_prefetch` before `identity_resolve` hides the cache misses of a whole block.
 */
#ifndef KITH_IDENTITY_IDENTITY_H
#define KITH_IDENTITY_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "access/seal.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "event/event.h"
#include "store/ledger.h"

struct identity;

err identity_new(struct identity **identity) MUST_USE;
void identity_free(struct identity **identity);
/* Keys to look into sealed values where a type blocks values; borrowed. Without them, sealed values pass. */
void identity_use_keys(struct identity *identity, const struct keys *keys);
/* From the ledger's tables (24 million identifiers in seconds: scans, no look-ups). */
err identity_load(struct identity *identity, struct ledger *ledger,
                  struct problem *problem) MUST_USE;

/* The pack: identifiers as they were born, in a file beside the ledger, of which the ledger knows how much counts. It is
 * a cache: what it lacks, or what is damaged in it, is read from the ledger. `chunk_rows` 0: 65,536. */
struct identity_pack;
err identity_pack_open(struct identity_pack **pack, const char *path, uint32_t chunk_rows,
                       struct ledger *ledger, struct problem *problem) MUST_USE;
void identity_pack_close(struct identity_pack **pack);
uint32_t identity_pack_rows(const struct identity_pack *pack);
/* Add the next chunk, if the ledger has all of its rows; some 30 ms. One thread at a time, any. */
err identity_pack_extend(struct identity_pack *pack, struct ledger *ledger, bool *added,
                         struct problem *problem) MUST_USE;
/* identity_load, by the pack as far as it goes. */
err identity_load_packed(struct identity *identity, struct ledger *ledger,
                         const struct identity_pack *pack, struct problem *problem) MUST_USE;

#define IDENTITY_MERGES_MAX EVENT_IDENTIFIERS_MAX

struct identity_outcome {
    uint32_t node;     /* the customer at birth; 0: no usable identifier */
    uint32_t customer; /* root of it, after this event */
    uint32_t origin;   /* row of the identifier that brought it */
    uint32_t row_count;
    uint32_t rows[EVENT_IDENTIFIERS_MAX]; /* in the event's order; 0 for blocked ones */
    bool created;                         /* a new node */
    bool adopted; /* what only imports had brought got a node of its own: her nodes changed */
    uint32_t merge_count;
    struct {
        uint64_t id;
        uint32_t survivor, absorbed;
    } merges[IDENTITY_MERGES_MAX];
    uint32_t refusal_count;
};

/* Touch the memory that these hashes will need. */
void identity_prefetch(const struct identity *identity, const uint8_t hash[HASH_BYTES]);
/* Where an identifier that was announced is at home now, 0 for nowhere: whom its event will be of, most likely. A guess for
 * what else to fetch ahead, nothing to decide by. */
uint32_t identity_guess(const struct identity *identity, const uint8_t hash[HASH_BYTES]);
/* Find, attach, move, merge, refuse; ledger rows go to `writes`. */
err identity_resolve(struct identity *identity, const struct event *event,
                     struct ledger_writes *writes, struct identity_outcome *outcome) MUST_USE;

/* ---- looking ---- */

/* 0 if unknown. */
uint32_t identity_find_row(const struct identity *identity, const uint8_t hash[HASH_BYTES]);
uint32_t identity_row_node(const struct identity *identity, uint32_t row);
/* 0 if unknown, or gone with an import that was undone. */
uint32_t identity_root(const struct identity *identity, uint32_t node);
/* The nodes of the component, root first; returns how many there are (may exceed `limit`). */
size_t identity_nodes(const struct identity *identity, uint32_t node, uint32_t *nodes,
                      size_t limit);
/* The merges that hold the component together, one less than it has nodes, from the earliest to the latest; returns how
 * many there are (beyond `limit` those written are some of them, in no order). */
struct identity_join {
    uint32_t node[2];
    uint32_t merge_id;
    int64_t at_ms; /* since when the two are known to be one; 0: they always were */
};
size_t identity_joins(const struct identity *identity, uint32_t node, struct identity_join *joins,
                      size_t limit);
/* The identifier rows at home in the component's nodes. */
size_t identity_rows(const struct identity *identity, uint32_t node, uint32_t *rows, size_t limit);
/* Has a row come to this customer (a root), or gone, since this was last asked? Merges and splits are not told: they are by the
 * outcome of what made them. For who keeps what he read of her rows; there is one such. Engine. */
bool identity_take_stirred(const struct identity *identity, uint32_t customer);
uint32_t identity_node_count(const struct identity *identity);     /* highest number */
uint32_t identity_customer_count(const struct identity *identity); /* roots */
uint32_t identity_row_count(const struct identity *identity);
uint32_t identity_merge_count(const struct identity *identity); /* last merge id */
bool identity_merge_is_undone(const struct identity *identity, uint64_t merge_id);
void identity_row_seen(struct identity *identity, uint32_t row, int64_t time_ms); /* last_seen */
int64_t identity_row_last_seen_ms(const struct identity *identity, uint32_t row);

/* Rows not yet committed to the ledger live here as well: value and the rest of a row, by number.
 * `identity_committed(row)` says that rows up to it can be read in the ledger. */
struct identity_row_view {
    uint32_t row, node; /* node 0: at home nowhere */
    uint32_t source_number;
    uint8_t flags;               /* enum identifier_flag; IDENTIFIER_VERIFIED: not merely claimed */
    bool is_shared;              /* of too many customers: finds and merges nobody */
    str type, namespace_, value; /* value sealed when flagged */
    int64_t first_seen_ms, last_seen_ms, attached_ms;
};
bool identity_pending_row(const struct identity *identity, uint32_t row,
                          struct identity_row_view *view);
void identity_committed(struct identity *identity, uint32_t row);
/* When `count` neighbouring rows were last seen, 4 bytes each, to be read at the next start instead of their events; appended. */
void identity_seen_write(const struct identity *identity, uint32_t first, uint32_t count,
                         struct buffer *out);
/* Back: what was seen later stays. CORRUPT: nothing has changed. */
err identity_seen_read(struct identity *identity, uint32_t first, uint32_t count,
                       str bytes) MUST_USE;

/* What changes of a row: row, node, flags, type, namespace, last seen, attached (to the second); the
 * other members are left alone. False if there is no such row. */
bool identity_row_state(const struct identity *identity, uint32_t row,
                        struct identity_row_view *view);
bool identity_row_is_strong(const struct identity *identity, uint32_t row);

/* From which worlds a customer is known: families of the types of her identifiers, those that were stated
 * and are neither blocked nor shared. Kept with every change (I8), so that counting walks nobody. */
enum identity_family {
    FAMILY_VISITOR = 1 << 0, /* what a browser or a device calls itself */
    FAMILY_ACCOUNT = 1 << 1, /* the brand's own: user_id */
    FAMILY_CARD = 1 << 2,
    FAMILY_CONTACT = 1 << 3, /* phone, e-mail */
    FAMILY_WECHAT = 1 << 4,
    FAMILY_WECOM = 1 << 5,
    FAMILY_TMALL = 1 << 6,
    FAMILY_JD = 1 << 7,
    FAMILY_DOUYIN = 1 << 8,
    FAMILY_PDD = 1 << 9,
    FAMILY_VIP = 1 << 10,
    FAMILY_YOUZAN = 1 << 11,
    FAMILY_OTHER = 1 << 12,  /* of a brand's own types */
    FAMILY_STRONG = 1 << 15, /* any strong type: she is identified, no mere visitor */
};
#define FAMILY_BITS 16
/* Those that say nothing beyond this channel: a customer of it who has any other is linked. Any thread. */
uint16_t identity_channel_families(str channel);
/* Customers with a strong identifier. */
uint32_t identity_identified_count(const struct identity *identity);
/* Families of customers by number, from `first` on; 0 for nodes that are no root. How many; at most
 * `limit`. A few nanoseconds each. */
uint32_t identity_copy_families(const struct identity *identity, uint32_t first, uint32_t limit,
                                uint16_t *out);
/* From a whole row of table IDENTIFIERS, as it was born: node and flags may have changed since
 * (identity_row_state, or table IDENTIFIER_HOMES), and an identifier first known by its digest has its
 * plain value in IDENTIFIER_HASHES. Any thread. */
void identity_view_from_ledger(const struct identity *identity, const struct ledger_value *values,
                               struct identity_row_view *view);
/* Rows from the last commit, complete, in the order of `rows`; unknown ones are left out. Views are borrowed
 * until `visit` returns; false stops. last_seen_ms is 0. Any thread. */
err identity_read_rows(const struct identity *identity, struct ledger *ledger, const uint32_t *rows,
                       size_t count,
                       bool (*visit)(void *context, const struct identity_row_view *view),
                       void *context, struct problem *problem) MUST_USE;
/* Rows as they were born, in one read transaction; the same in all else. A third of the cost, for who
 * knows their state from identity_row_state: what was born as a digest alone may have its plain value
 * by now (identity_read_rows). Any thread. */
err identity_read_births(const struct identity *identity, struct ledger *ledger,
                         const uint32_t *rows, size_t count,
                         bool (*visit)(void *context, const struct identity_row_view *view),
                         void *context, struct problem *problem) MUST_USE;
/* How an identifier came to where it is, oldest first, from the last commit: its birth, then what
 * table LINKS tells. Cause: first, together, claimed, login, moved, taken, dropped, shared, blocked,
 * unbound, refused, rules, review. Any thread. */
struct identity_link {
    uint32_t row, with_row; /* with_row 0: none */
    uint32_t customer;      /* the node where it went; 0: nowhere */
    uint64_t seq;
    int64_t at_ms;
    uint32_t source_number;
    str cause;
};
err identity_read_links(struct ledger *ledger, uint32_t row,
                        bool (*visit)(void *context, const struct identity_link *link),
                        void *context, struct problem *problem) MUST_USE;

/* ---- commands (inside apply) ---- */

/* Take a merge back. Both sides are kept apart from then on. NOT_FOUND, or CONFLICT if it already
 * is. `a` and `b` are the roots afterwards. */
err identity_split(struct identity *identity, uint64_t merge_id, uint64_t seq, int64_t now_ms,
                   uint32_t user_number, struct ledger_writes *writes, uint32_t *a, uint32_t *b,
                   struct problem *problem) MUST_USE;
/* Take an identifier off the customer of `node`; correct.c says what becomes of it. `other`: the new customer who has it, 0 when it
 * is at home nowhere. NOT_FOUND when it is not hers; CONFLICT when a merge stands on it, too many share it, or she has no other. */
err identity_part(struct identity *identity, uint32_t node, uint32_t row, uint64_t seq,
                  int64_t now_ms, struct ledger_writes *writes, uint32_t *other,
                  struct problem *problem) MUST_USE;
/* Give an identifier to the customer of `node` by hand; add.c says what is refused: UNPROCESSABLE (blocked, no such type), CONFLICT
 * (another's, shared, erased, over a limit). Then nothing was changed. `outcome`: its row as origin, adopted; *added: false when
 * it was hers before. */
err identity_add(struct identity *identity, uint32_t node,
                 const struct event_identifier *identifier, uint64_t seq, int64_t now_ms,
                 struct ledger_writes *writes, struct identity_outcome *outcome, bool *added,
                 struct problem *problem) MUST_USE;
/* Join two customers by hand; removes a separation between them. */
err identity_merge(struct identity *identity, uint32_t a, uint32_t b, uint64_t seq, int64_t now_ms,
                   uint32_t user_number, struct ledger_writes *writes,
                   struct problem *problem) MUST_USE;
/* Review of a refusal: "merge", "separate" (stay apart for good), "dismiss". */
err identity_decide(struct identity *identity, uint64_t refusal_id, str decision, uint64_t seq,
                    int64_t now_ms, uint32_t user_number, struct ledger_writes *writes,
                    struct problem *problem) MUST_USE;
/* A node of what it would have joined; 0 if there is none. */
uint32_t identity_refusal_node(const struct identity *identity, uint64_t refusal_id);
/* Change the rules of one type: {strength, verification, limit, window_days, over_limit, shared_after,
 * blocked:[values], blocked_patterns:[PCRE]}. What follows from the change is done by
 * identity_apply_rules. */
err identity_put_type(struct identity *identity, str name, json_value body,
                      struct ledger_writes *writes, struct problem *problem) MUST_USE;
/* Several at once, as a list of such bodies, each with its `name`: all of them are good and hold, or none. */
err identity_put_types(struct identity *identity, json_value list, struct ledger_writes *writes,
                       struct problem *problem) MUST_USE;
/* All dated links, merges and refusals again under the present rules: merges that are now allowed,
 * splits of those that are not. An error leaves a part done: the state is to be thrown away and made again. */
/* Its time grows with the number of identifiers (0.2 µs each; 2 µs where values have to be read because a
 * type blocks some): now and then, between two whole changes, `pause` is called, and others may look at
 * the state as it is then. */
void identity_on_pause(struct identity *identity, void (*pause)(void *context), void *context);
err identity_apply_rules(struct identity *identity, struct ledger *ledger, uint64_t seq,
                         int64_t now_ms, struct ledger_writes *writes, struct buffer *report,
                         struct problem *problem) MUST_USE;

/* ---- taking an import back (inside apply; imports/imports.h J4) ----
 *
 * What imports bring lies as a layer over what comes by itself: an identifier that an import brought and
 * nobody else is marked so; when it comes by itself it gets a node of its own, with an edge (cause
 * "import") to where the import had put it; a pair that merged by an import is filed as evidence when
 * others say it too. So to take an import back is to take away its evidence, its marked identifiers,
 * its edges, and the edges of those that came by themselves meanwhile; what others brought stays, and
 * who is linked otherwise stays together. Which these are is known by their source number in the ledger. */

/* An identifier that only imports brought: at home nowhere, as if never seen. Others are left alone. */
err identity_undo_row(struct identity *identity, uint32_t row, uint64_t seq, int64_t now_ms,
                      struct ledger_writes *writes) MUST_USE;
/* A weak one that the import moved goes back, if it still is where that put it. */
err identity_undo_move(struct identity *identity, uint32_t row, uint32_t from, uint32_t to,
                       uint64_t seq, int64_t now_ms, struct ledger_writes *writes) MUST_USE;
err identity_undo_evidence(struct identity *identity, uint32_t evidence,
                           struct ledger_writes *writes) MUST_USE;
/* A merge, without keeping the two apart from then on; `roots` of both sides afterwards, 0 if it did not
 * stand any more. */
err identity_undo_merge(struct identity *identity, uint32_t merge_id, uint64_t seq, int64_t now_ms,
                        struct ledger_writes *writes, uint32_t roots[2]) MUST_USE;
/* A node of which nothing else is known is no customer any more, if no identifier and no merge is left. */
err identity_undo_node(struct identity *identity, uint32_t node, uint64_t seq,
                       struct ledger_writes *writes) MUST_USE;
/* Was it left by an import that was undone? */
bool identity_is_gone(const struct identity *identity, uint32_t node);

/* ---- visitors who leave memory (engine/visitors.h says when) ----
 *
 * Who never was more than a visitor, and is tied to nobody, may leave: her identifiers and her node are dropped from RAM,
 * and stand in the ledger as ever; tables LEFT_VISITORS and LEFT_IDENTIFIERS say who they are, and find them by
 * hash. Until she comes back she is nobody's customer (identity_root 0), and her identifiers are unknown; her number
 * is hers for ever. */

/* Nothing but a visitor's own identifiers, at home there since before `before_ms`; no merge, no refusal, nothing that an
 * import brought. Some 100 ns. */
bool identity_may_leave(const struct identity *identity, uint32_t node, int64_t before_ms);
/* Those of `nodes` (that may), ascending. Their identifiers have to be in the last commit. Some 10 µs each. */
err identity_leave(struct identity *identity, struct ledger *ledger, const uint32_t *nodes,
                   size_t count, uint64_t seq, struct ledger_writes *writes,
                   struct problem *problem) MUST_USE;
bool identity_has_left(const struct identity *identity, uint32_t node);
uint32_t identity_left_count(const struct identity *identity);
/* May this hash, which leads to nobody here, be of somebody who left? No: surely not. */
bool identity_may_have_left(const struct identity *identity, const uint8_t hash[HASH_BYTES]);
/* Of whom it is; 0: of nobody. As of the last commit. */
err identity_find_left(const struct identity *identity, struct ledger *ledger,
                       const uint8_t hash[HASH_BYTES], uint32_t *node,
                       struct problem *problem) MUST_USE;
/* She is back, as she was. Her leaving has to be in the last commit. */
err identity_come_back(struct identity *identity, struct ledger *ledger, uint32_t node,
                       struct ledger_writes *writes, struct problem *problem) MUST_USE;
/* Give back memory of those who left: nodes and identifiers around these numbers, and a part of the index. A few
 * ms. */
void identity_give_back(struct identity *identity, uint32_t node, uint32_t row, uint32_t round);

/* ---- erasure (inside apply) ----
 *
 * Of an erased customer's identifiers the keyed hashes stay, as tombstones, so that late events and files about her are
 * known and not taken. A tombstone that was lifted lets pass what happened later. */

struct identity_erased {
    uint32_t identifiers;
};
/* Forget a whole customer: `nodes` are all of hers. Reads the ledger: everything before must be committed. `erasure` is noted with
 * the tombstones. */
err identity_erase(struct identity *identity, struct ledger *ledger, const uint32_t *nodes,
                   size_t count, uint32_t erasure, uint64_t seq, int64_t now_ms,
                   struct ledger_writes *writes, struct identity_erased *erased,
                   struct problem *problem) MUST_USE;
bool identity_has_tombstones(const struct identity *identity);
/* Whose is this event? ABOUT_ERASED: it is not to be taken, and was counted. ABOUT_BOTH: her identifiers were taken off it. */
enum identity_about { ABOUT_OTHERS, ABOUT_BOTH, ABOUT_ERASED };
enum identity_about identity_about_erased(struct identity *identity, struct event *event,
                                          struct ledger_writes *writes);
/* Keep this identifier out, whoever had it: what a backup knows and later was erased. One that is at home somewhere is left
 * alone: its customer is to be erased. */
err identity_bury(struct identity *identity, const uint8_t hash[HASH_BYTES], uint64_t seq,
                  int64_t now_ms, struct ledger_writes *writes, size_t *changed) MUST_USE;
/* She comes back of her own will. How many hashes were lifted; 0: there was no tombstone. */
size_t identity_lift(struct identity *identity, const uint8_t hash[HASH_BYTES], int64_t now_ms,
                     struct ledger_writes *writes);

/* ---- for people (JSON as in docs/api.md) ---- */

void identity_write_types(const struct identity *identity, struct buffer *out);
/* What would `types` (JSON array of changed types) merge and split? Reads the ledger; any thread, with a
 * snapshot of the types taken on the engine thread by identity_write_types. */
err identity_whatif(struct ledger *ledger, const struct keys *keys, str current_types,
                    json_value types, struct buffer *out, struct problem *problem) MUST_USE;
/* Pairs that may be one person, without a common strong identifier, by score: a JSON array of {a, b,
 * score, reasons}, best first. Reasons: same_name_and_phone_tail, same_name, same_receiver,
 * same_device, same_visitor. Reads the ledger; any thread. `names` may be NULL. */
struct identity_names {
    /* A keyed or seeded hash of the name known at a node, 0 if there is none. */
    uint64_t (*name_of)(void *context, uint32_t node);
    void *context;
};
err identity_suggest(struct ledger *ledger, const struct keys *keys,
                     const struct identity_names *names, size_t limit, struct buffer *out,
                     struct problem *problem) MUST_USE;

void identity_digest(const struct identity *identity, struct digest *digest);
/* Walk everything and check I1 to I5; debug, sanitizer, fuzz and simulation builds. */
err identity_check(const struct identity *identity, struct problem *problem) MUST_USE;
size_t identity_memory_bytes(const struct identity *identity);

#endif
