/* SPDX-License-Identifier: Apache-2.0 */
/* state: what identity holds in RAM, and what its files do for each other. Private to identity/.
 *
 *     index          hash of a value        → row
 *     rows           row (identifier)       → node where it is at home, kind, flags, times; 20 bytes
 *     nodes          node (customer number) → its rows, its tie; 8 bytes
 *     ties           only of nodes that are merged, or have many rows: → component, ring, edges; 12 bytes
 *     components     of those
 *     edges          merges; the n-th is merge id n
 *     refusals       links that were refused; the n-th is refusal id n
 *     separations    pairs of nodes that stay apart
 *
 * A visitor who left memory (leave.c) has no row and no node here: both read as zeros.
 *
 * Rows of a node hang in a list (row.next), nodes of a component in a ring (tie.next), edges of a
 * node in a list (edge.next). Orders within these lists mean nothing: every decision goes by numbers
 * and times, so that what was loaded decides as what lived on.
 */
#ifndef KITH_IDENTITY_STATE_H
#define KITH_IDENTITY_STATE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/clock.h"
#include "base/segments.h"
#include "identity/identity.h"
#include "identity/index.h"

/* ---- the pieces ---- */

/* Beside those of enum identifier_flag. */
enum row_flag {
    ROW_STATED = 1 << 5,   /* said by somebody who may say it: not merely claimed */
    ROW_SHARED = 1 << 6,   /* too many customers: finds and merges nobody */
    ROW_IMPORTED = 1 << 7, /* only imports have ever brought it (undo.c) */
};
/* Of an event's identifier, what its row keeps. */
#define ROW_KEPT_FLAGS (IDENTIFIER_VERIFIED | IDENTIFIER_SEALED | IDENTIFIER_HASHED)

/* The flags of a row as others see them. */
static inline uint8_t shown_flags(uint8_t flags)
{
    uint8_t shown = flags & (ROW_KEPT_FLAGS | IDENTIFIER_BLOCKED);
    return (flags & ROW_STATED) != 0 ? shown | IDENTIFIER_VERIFIED : shown;
}

struct row {
    uint32_t node; /* home; 0: detached */
    uint32_t next; /* in the list of its node */
    uint32_t kind : 24;
    uint32_t flags : 8;
    uint32_t attached_s;  /* since when it is at home there; 0: detached */
    uint32_t last_seen_s; /* derived, not in the ledger */
};

#define NODE_ALONE UINT32_MAX /* as a tie: none; most nodes are */
struct node {
    uint32_t first_row;
    uint32_t tie; /* 0: it is not here */
};

/* What a node has that most have not. */
struct tie {
    uint32_t component; /* 0: alone; as a free one: the next free */
    uint32_t next;      /* ring of the component; itself when alone */
    uint32_t first_edge;
};

/* How many stated rows of each kind a component holds; made when it has many rows. */
struct kind_count {
    uint32_t kind, count;
};
struct kind_counts {
    uint32_t capacity, used; /* a power of two; open addressing by kind */
    struct kind_count *slots;
};

struct component {
    uint32_t root;              /* smallest number; as a free one: the next free */
    uint32_t node_count;        /* 0: free */
    struct kind_counts *counts; /* NULL: few rows, count them */
    uint16_t families;          /* of all its nodes */
};

enum merge_cause {
    MERGE_IDENTIFIER, /* two strong identifiers on one event */
    MERGE_LOGIN,      /* a visitor without strong identifiers came to be known */
    MERGE_MANUAL,
    MERGE_REVIEW, /* a refusal was decided so */
    MERGE_RULES,  /* a change of the rules allowed it */
    MERGE_IMPORT, /* an identifier that imports had brought came by itself (undo.c) */
    MERGE_CAUSE_COUNT
};
const char *merge_cause_text(enum merge_cause cause);

struct edge {
    uint32_t node[2];
    uint32_t next[2];            /* in the lists of both */
    uint32_t survivor, absorbed; /* the roots when it was made */
    uint32_t row, with_row;
    uint32_t source_number;
    uint8_t cause;
    bool undone;
    int64_t at_ms;
    int64_t joined_ms; /* since when they are known to be one; 0: from the beginning */
    uint64_t seq;
};

/* Two strong identifiers on one event, at two nodes that were one customer already. When a merge between
 * is taken back, it is what joins those who belong together for another reason. */
#define EVIDENCE_TAKEN_BACK INT64_MIN /* as at_ms: its import was undone */
struct evidence {
    uint32_t node[2];
    uint32_t next[2]; /* in the lists of both */
    uint32_t row, with_row;
    uint32_t source_number;
    uint64_t seq;
    int64_t at_ms;
};

enum refusal_reason { REFUSED_LIMIT, REFUSED_SEPARATED, REFUSED_SHARED, REFUSED_CLAIM };
enum refusal_status { REFUSAL_OPEN, REFUSAL_MERGED, REFUSAL_SEPARATED, REFUSAL_DISMISSED };

struct refusal {
    uint32_t row, with_row;
    uint32_t customer, other; /* the roots when it was first refused; 0: at home nowhere */
    uint32_t source_number, decided_by;
    uint32_t times;       /* days on which it was seen */
    uint16_t type_number; /* whose limit; 0 otherwise */
    uint8_t reason, status;
    uint32_t next[2]; /* in the lists of both rows */
    int64_t at_ms, last_ms;
    uint64_t seq;
};

/* Is it about two customers? The other ones are of one who may not unbind what is hers. */
static inline bool refusal_joins(const struct refusal *refusal)
{
    return refusal->customer == 0 || refusal->customer != refusal->other;
}

struct separation {
    uint32_t node[2]; /* the smaller first */
    uint32_t next[2]; /* in the lists of both */
    bool removed;
    uint64_t merge_id;
    int64_t at_ms;
};

/* Of an erased customer's identifier, one for each of its hashes (tombstone.c). */
struct tombstone {
    uint8_t hash[HASH_BYTES];
    uint32_t erasure, type;
    uint32_t row; /* the identifier; 0 once it has a value again */
    int64_t at_ms, lifted_ms, last_ms;
    uint64_t refused; /* events, ever */
};
struct tombstone_loading {
    struct identity *identity;
    err error;
};

#define TYPES_MAX 2048
#define CUSTOM_TYPE_FIRST 256 /* smaller numbers are kept for the types of IDENTIFIER_TABLE */
#define KINDS_MAX (UINT32_C(1) << 20)

struct identifier_type {
    uint32_t number;
    str name; /* never freed before the identity: other threads read it */
    bool strong, verification, builtin;
    bool drop_oldest;
    uint16_t family;       /* enum identity_family */
    uint32_t limit;        /* 0: none */
    uint32_t window_days;  /* 0: for ever */
    uint32_t shared_after; /* 0: never */
    uint32_t rows;         /* how many there are */
    str label;             /* JSON, or empty */
    str *blocked;
    uint32_t blocked_count;
    str *pattern_texts;
    pcre2_code **patterns;
    uint32_t pattern_count;
};

/* A type in a namespace. */
struct kind {
    struct identifier_type *type;
    str namespace_;
};

/* A row that the ledger cannot give yet. */
struct pending {
    uint32_t row, source_number;
    uint32_t born_at; /* node; 0: nowhere */
    int64_t first_seen_ms, attached_ms;
    str value; /* behind the struct */
};

/* A move that the ledger may not have yet. */
struct pending_move {
    uint64_t link_id;
    uint32_t row, node;
    uint32_t row_count; /* rows at that time: a later one committed means this is too */
};

/* What identity_prefetch has announced and not yet followed further. */
#define AHEAD_SIZE 32u
struct ahead {
    struct index_key keys[AHEAD_SIZE];
    uint32_t rows[AHEAD_SIZE];
    uint32_t next;
};

/* Hashes that may be among some millions, at 2 to 4 bytes each: four bits in one word. It says yes to all that were
 * added, and to one in 500 others. */
#define SIEVE_LEVELS 24
struct sieve {
    struct sieve_level {
        uint64_t *words;
        uint64_t word_count, room; /* how many more go in */
    } levels[SIEVE_LEVELS];        /* each as large as all before it */
    uint32_t level_count;
};

struct identity {
    const struct keys *keys;    /* for values that are sealed; may be NULL */
    struct arena scratch;       /* unsealing */
    struct json_parser *parser; /* settings, when they are loaded */
    pcre2_match_context *match_context;
    pcre2_match_data *match_data;

    struct identifier_type *types[TYPES_MAX]; /* by place; builtin ones first */
    _Atomic uint32_t type_count;
    struct identifier_type *type_slots[TYPES_MAX * 2]; /* by name */
    struct kind *kinds;
    uint32_t kind_count, kind_capacity;
    uint32_t *kind_slots; /* open addressing; capacity twice kind_capacity */

    struct index index;
    struct segments rows, nodes, ties, edges, refusals, evidence;
    uint32_t tie_free;
    struct segments families; /* by node: uint16_t, enum identity_family */
    struct segments stirred; /* bit per customer whose rows came or went: uint64_t for 64 of them */
    uint32_t family_customers[FAMILY_BITS];
    struct component *components;
    uint32_t component_count, component_capacity, component_free;
    uint32_t edges_active;

    struct index refusal_index; /* (row, with_row) → refusal */
    struct index refusal_rows;  /* (row, 0) → first refusal */
    uint32_t refusals_open;
    struct index refused_index; /* (culprit row, customer) that were counted */
    struct index refused_count; /* (culprit row, 0) → distinct customers */

    struct separation *separations;
    uint32_t separation_count, separation_capacity, separations_active;
    struct index separated; /* (node, 0) → first separation */

    struct index evidence_pairs; /* (row, with_row) → evidence */
    struct index evidence_nodes; /* (node, 0) → first evidence */

    uint64_t link_id; /* last given */

    struct tombstone *tombstones; /* of erased customers; by number - 1 */
    uint32_t tombstone_count, tombstone_capacity;
    struct index tombstone_index; /* hash → number */

    uint64_t *
        gone; /* bit per node of which an undone import has left nothing, or that has left memory */
    uint32_t gone_words, gone_count;
    uint64_t *left; /* bit per node that has left memory; it is gone, too */
    uint32_t left_words, left_count;
    struct sieve sieve; /* hashes of those who left */

    struct pending **pending; /* ring by row number */
    uint32_t pending_first, pending_count, pending_capacity;
    size_t pending_bytes;
    struct pending_move *moves; /* by link id */
    uint32_t move_count, move_capacity;
    struct ahead *ahead;

    void (*pause)(void *context); /* NULL: none */
    void *pause_context;
};

/* What one event or command does; passed down. */
struct act {
    struct identity *identity;
    struct ledger_writes *writes;     /* NULL: nothing is written (trials) */
    struct identity_outcome *outcome; /* NULL for commands */
    int64_t now_ms;
    int64_t joined_ms; /* of the edges that it makes */
    uint32_t now_s;
    uint64_t seq;
    uint32_t source_number;
    bool trial; /* of a what-if */
};
struct act act_of_command(struct identity *identity, struct ledger_writes *writes, int64_t now_ms,
                          uint64_t seq);

static inline struct row *row_at(const struct identity *identity, uint32_t row)
{
    return segments_at(&identity->rows, row);
}
static inline struct node *node_at(const struct identity *identity, uint32_t node)
{
    return segments_at(&identity->nodes, node);
}
static inline struct edge *edge_at(const struct identity *identity, uint32_t edge)
{
    return segments_at(&identity->edges, edge);
}
static inline struct refusal *refusal_at(const struct identity *identity, uint32_t refusal)
{
    return segments_at(&identity->refusals, refusal);
}
/* Is it in memory? Otherwise it is at home with a visitor who left, and reads as zeros. */
static inline bool row_is_here(const struct identity *identity, uint32_t row)
{
    return row_at(identity, row)->kind != 0;
}
static inline bool node_is_here(const struct identity *identity, uint32_t node)
{
    return node_at(identity, node)->tie != 0;
}
static inline bool node_has_tie(const struct identity *identity, uint32_t node)
{
    uint32_t tie = node_at(identity, node)->tie;
    return tie != 0 && tie != NODE_ALONE;
}
/* Of a node that has one. */
static inline struct tie *tie_at(const struct identity *identity, uint32_t node)
{
    return segments_at(&identity->ties, node_at(identity, node)->tie);
}
static inline uint32_t node_component(const struct identity *identity, uint32_t node)
{
    return node_has_tie(identity, node) ? tie_at(identity, node)->component : 0;
}
/* In the ring; 0 of one that is not here. */
static inline uint32_t node_next(const struct identity *identity, uint32_t node)
{
    uint32_t tie = node_at(identity, node)->tie;
    if (tie == NODE_ALONE)
        return node;
    return tie != 0 ? tie_at(identity, node)->next : 0;
}
static inline uint32_t node_first_edge(const struct identity *identity, uint32_t node)
{
    return node_has_tie(identity, node) ? tie_at(identity, node)->first_edge : 0;
}
static inline struct identifier_type *row_type(const struct identity *identity, uint32_t row)
{
    return identity->kinds[row_at(identity, row)->kind].type;
}
static inline struct evidence *evidence_at(const struct identity *identity, uint32_t evidence)
{
    return segments_at(&identity->evidence, evidence);
}
/* Seconds since 1970, within 32 bits. */
uint32_t seconds_of(int64_t time_ms);

/* load.c: without the index for a what-if, which looks nothing up by hash. */
err identity_load_parts(struct identity *identity, struct ledger *ledger,
                        const struct identity_pack *pack, bool without_index,
                        struct problem *problem) MUST_USE;

/* ---- leave.c: visitors who left memory ---- */

/* Which they are, from the ledger: their nodes (marked), and their rows as bits, the caller's to free; NULL: none. */
err left_load(struct identity *identity, struct ledger *ledger, uint64_t **rows,
              struct problem *problem) MUST_USE;
void left_deinit(struct identity *identity);

/* ---- type.c ---- */

err types_init(struct identity *identity) MUST_USE;
void types_deinit(struct identity *identity);
struct identifier_type *type_find(const struct identity *identity, str name);
struct identifier_type *type_by_number(const struct identity *identity, uint32_t number);
/* An unknown name is learnt as weak; NULL when there are too many types, or without memory. */
struct identifier_type *type_learn(struct identity *identity, str name,
                                   struct ledger_writes *writes);
/* From the ledger or a rule put by hand; what `body` does not name stays as it is. */
err type_settle(struct identity *identity, struct identifier_type *type, json_value body,
                struct problem *problem) MUST_USE;
void type_free_rules(struct identifier_type *type);
void type_write_settings(const struct identifier_type *type, struct buffer *out);
void type_put(const struct identifier_type *type, struct ledger_writes *writes);
err type_load(struct identity *identity, uint32_t number, str name, str settings,
              struct problem *problem) MUST_USE;
/* Is it a value that the rules of its type block? Unseals where needed. */
bool type_blocks(struct identity *identity, const struct identifier_type *type, str value,
                 bool sealed);
/* 0 when there are too many, or without memory. */
uint32_t kind_intern(struct identity *identity, struct identifier_type *type, str namespace_);

/* ---- row.c ---- */

/* Why an identifier is where it is. */
enum link_cause {
    LINK_FIRST,    /* it made the node */
    LINK_TOGETHER, /* it came with another one, on one event */
    LINK_CLAIMED,  /* a public source claims so */
    LINK_LOGIN,    /* a visitor's, when she became known */
    LINK_MOVED,    /* a weak one: somebody else used it last */
    LINK_TAKEN,    /* away from a visitor who had merely claimed it */
    LINK_DROPPED,  /* over the limit, the oldest */
    LINK_SHARED,   /* too many customers: a node of its own */
    LINK_BLOCKED,  /* the rules block its value now */
    LINK_UNBOUND,
    LINK_REFUSED, /* known, at home nowhere */
    LINK_RULES,   /* a change of the rules */
    LINK_REVIEW,
    LINK_IMPORT, /* it came by itself and has a node of its own, beside the import's */
    LINK_UNDONE, /* the import that brought it, or moved it, was taken back */
    LINK_ERASED, /* its customer was forgotten */
    LINK_HAND,   /* a person said so */
    LINK_CAUSE_COUNT
};
const char *link_cause_text(enum link_cause cause);

/* A new row, at home in `node` (0: nowhere). 0 without memory. */
uint32_t row_new(struct act *act, const struct event_identifier *identifier, uint32_t kind,
                 uint32_t node, uint8_t flags, uint32_t with_row, enum link_cause cause,
                 int64_t first_seen_ms);
/* Move to another home (0: nowhere), with its LINKS row unless it stays with its customer. */
void row_move(struct act *act, uint32_t row, uint32_t node, uint32_t with_row,
              enum link_cause cause);
/* Set and clear flags; counts follow. */
void row_set_flags(struct act *act, uint32_t row, uint8_t set, uint8_t clear);
/* A hash that leads to `row` as well. `identifier`: with its plain value, or NULL. */
err row_add_hash(struct act *act, uint32_t row, const uint8_t hash[HASH_BYTES],
                 const struct event_identifier *identifier) MUST_USE;
void row_link_in(struct identity *identity, uint32_t row, uint32_t node);
void pending_deinit(struct identity *identity);
struct pending *pending_find(const struct identity *identity, uint32_t row);

/* ---- tombstone.c ---- */

err tombstone_put(struct act *act, const uint8_t hash[HASH_BYTES], uint32_t type, uint32_t row,
                  uint32_t erasure) MUST_USE;
err tombstones_load(struct identity *identity, struct ledger *ledger,
                    struct problem *problem) MUST_USE;
/* Does one of them keep this identifier out at `time_ms`? */
bool tombstone_stands(struct identity *identity, const struct event_identifier *identifier,
                      int64_t time_ms);
/* Where none stands any more: its value is known again. */
void tombstone_revive(struct identity *identity, const struct event_identifier *identifier,
                      struct ledger_writes *writes);
void tombstones_digest(const struct identity *identity, struct digest *digest);
/* evidence.c: what speaks for a merge of this node speaks no more. */
err evidence_forget_node(struct act *act, uint32_t node) MUST_USE;

/* ---- families.c ---- */

uint16_t families_of_type(str name);
uint16_t families_of_row(const struct identity *identity, uint32_t row);
err families_node(struct identity *identity,
                  uint32_t node) MUST_USE; /* room for a new one, and for its bit in `stirred` */
/* A row at home in `node` came, went (after it did), or changed: what it was, what it is. */
void families_row(struct identity *identity, uint32_t node, uint16_t gone, uint16_t come);
/* Components: one goes into another; one was made of its nodes; one became two. */
void families_join(struct identity *identity, uint32_t into, uint32_t from);
void families_component(struct identity *identity, uint32_t component);
void families_cut(struct identity *identity, uint16_t before, uint32_t a, uint32_t b);
/* Loading: masks first (who owns the node), then, once, the counts. */
void families_load_row(struct identity *identity, uint32_t row, uint32_t node);
void families_count_all(struct identity *identity);
void families_again(struct identity *identity); /* the rules of a type changed: all of it */
err families_check(const struct identity *identity, struct problem *problem) MUST_USE;

/* ---- forest.c ---- */

uint32_t node_new(struct act *act, uint8_t flags);
#define NODE_SHARED 1 /* made for a shared identifier */
static inline uint32_t root_of(const struct identity *identity, uint32_t node)
{
    uint32_t component = node_component(identity, node);
    return component != 0 ? identity->components[component].root : node;
}
static inline bool same_customer(const struct identity *identity, uint32_t a, uint32_t b)
{
    uint32_t component = node_component(identity, a);
    return a == b || (component != 0 && component == node_component(identity, b));
}
uint32_t component_size(const struct identity *identity, uint32_t node);
/* The component of a node; one that is alone gets a component of its own. */
err forest_component(struct identity *identity, uint32_t node, uint32_t *component) MUST_USE;
/* Join the components of two nodes that are in different ones. */
err forest_join(struct identity *identity, uint32_t a, uint32_t b) MUST_USE;
/* A dated edge and the join; 0 without memory. */
uint32_t edge_new(struct act *act, uint32_t node, uint32_t other, uint32_t row, uint32_t with_row,
                  enum merge_cause cause);
err edge_undo(struct act *act, uint32_t edge, uint32_t user_number) MUST_USE;
void edge_link_in(struct identity *identity, uint32_t number);
void edge_put(struct ledger_writes *writes, const struct identity *identity, uint32_t number,
              int64_t undone_ms, uint64_t undone_seq, uint32_t undone_by);
/* Would the components be kept apart by a separation? */
bool forest_is_separated(const struct identity *identity, uint32_t a, uint32_t b);
err separation_add(struct act *act, uint32_t a, uint32_t b, uint64_t merge_id) MUST_USE;
err separation_load(struct identity *identity, uint32_t a, uint32_t b, uint64_t merge_id,
                    int64_t at_ms) MUST_USE;
/* All those between the two components. */
void separations_remove(struct act *act, uint32_t a, uint32_t b);

/* Walk the rows of a component. */
struct row_walk {
    const struct identity *identity;
    uint32_t start, node, row; /* `row`: the next one */
    bool done;
};
struct row_walk walk_rows(const struct identity *identity, uint32_t node);
uint32_t walk_next(struct row_walk *walk); /* 0 at the end */

/* ---- evidence.c ---- */

/* A pair that made a merge: seen again it is no news, unless the merge came of an import and this does not
 * (imports can be taken back). */
err evidence_mark_merge(struct identity *identity, uint32_t edge, uint32_t row,
                        uint32_t with_row) MUST_USE;
/* What an edge stood on that the rules took back: it counts again when they allow it. */
err evidence_keep(struct act *act, const struct edge *edge) MUST_USE;
/* File it, once per pair. */
err evidence_file(struct act *act, uint32_t row, uint32_t with_row) MUST_USE;
err evidence_load(struct identity *identity, uint32_t number) MUST_USE;
/* Join by what was filed, where it is allowed: all pairs with a node in the component of `node`. */
err evidence_join(struct act *act, uint32_t node) MUST_USE;
/* One pair; *joined says whether it did. */
err evidence_try(struct act *act, uint32_t number, enum merge_cause cause, bool *joined) MUST_USE;

/* ---- undo.c: what imports brought can be taken back ---- */

/* An identifier that only imports have brought comes by itself: from now on it stands beside them, at a
 * node of its own, with an edge to where the import had put it. `rows`: those of one event. */
err import_adopt(struct act *act, const uint32_t *rows, uint32_t count) MUST_USE;
static inline bool row_is_imported(const struct identity *identity, uint32_t row)
{
    return row != 0 && (row_at(identity, row)->flags & ROW_IMPORTED) != 0;
}
err node_load_gone(struct identity *identity, uint32_t node) MUST_USE;

/* ---- limit.c ---- */

void counts_free(struct kind_counts **counts);
void counts_note(struct identity *identity, uint32_t node, uint32_t kind, int change);
/* After `small` was joined into `big` (component numbers). */
void counts_join(struct identity *identity, uint32_t big, uint32_t small);
/* Stated rows of `kind` in the component of `node`, within the window of its type. */
uint32_t count_kind(struct identity *identity, uint32_t node, uint32_t kind, uint32_t now_s);
/* All of them, claimed ones too. */
uint32_t count_all(const struct identity *identity, uint32_t node, uint32_t kind, uint32_t now_s);
/* May one more stated row of `kind` come? Types that drop the oldest always say yes. */
bool limit_allows_one(struct identity *identity, uint32_t node, uint32_t kind, uint32_t now_s);
/* May the components become one? If not, *type is the one whose limit forbids it. */
bool limit_allows_join(struct identity *identity, uint32_t a, uint32_t b, uint32_t now_s,
                       const struct identifier_type **type);
/* Detach the oldest rows of `kind` until the limit holds; `keep` stays. */
void limit_enforce(struct act *act, uint32_t node, uint32_t kind, uint32_t keep,
                   enum link_cause cause);
/* The same for all kinds that drop their oldest. */
void limit_enforce_all(struct act *act, uint32_t node);

/* ---- refusal.c ---- */

/* File it; the same pair again raises `times`, at most once a day. */
err refusal_file(struct act *act, uint32_t row, uint32_t with_row, enum refusal_reason reason,
                 const struct identifier_type *type) MUST_USE;
void refusal_put(struct ledger_writes *writes, const struct identity *identity, uint32_t number);
err refusal_load(struct identity *identity, uint32_t number) MUST_USE;
/* The pair was joined after all. */
void refusal_settle(struct act *act, uint32_t row, uint32_t with_row);
void refusal_set_status(struct act *act, uint32_t number, enum refusal_status status);
/* Open refusals between two customers that become one (before they do), or between a row and who it is at
 * home with now: nothing is left to decide, they are closed as merged, by nobody. */
void refusals_moot(struct act *act, uint32_t a, uint32_t b);
void refusals_moot_row(struct act *act, uint32_t row);
/* Whatever is open of this row: there is nobody to decide about. */
void refusals_dismiss_row(struct act *act, uint32_t row);
uint32_t refused_customers(const struct identity *identity, uint32_t row);
const char *refusal_reason_text(enum refusal_reason reason);
const char *refusal_status_text(enum refusal_status status);
bool refusal_reason_parse(str text, enum refusal_reason *reason);
/* Did a person decide that the two stay apart? */
bool refusal_keeps_apart(const struct identity *identity, uint32_t row, uint32_t with_row);
bool refusal_status_parse(str text, enum refusal_status *status);

/* ---- join.c: merging with all its conditions ---- */

/* May the customers of two nodes become one by evidence? */
bool join_is_allowed(struct identity *identity, uint32_t a, uint32_t b, uint32_t now_s,
                     enum refusal_reason *reason, const struct identifier_type **type);
/* Merge them by an edge, and let go what is over a limit that drops the oldest. */
err join_customers(struct act *act, uint32_t node, uint32_t other, uint32_t row, uint32_t with_row,
                   enum merge_cause cause) MUST_USE;
/* Does this identifier merge under the present rules? */
bool join_counts(const struct identity *identity, uint32_t row);
/* Does the customer hold a strong identifier that somebody stated? Otherwise she is a visitor. */
bool join_is_known(const struct identity *identity, uint32_t node);
/* An identifier of too many: a node of its own, and it finds nobody any more. */
err join_make_shared(struct act *act, uint32_t row) MUST_USE;

#endif
