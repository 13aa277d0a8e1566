/* SPDX-License-Identifier: Apache-2.0 */
/* state: what profile holds in RAM. Private to profile/. */
#ifndef KITH_PROFILE_STATE_H
#define KITH_PROFILE_STATE_H

#include "base/segments.h"
#include "profile/fact.h"
#include "profile/profile.h"
#include "profile/slab.h"

/* ---- nodes ---- */

/* 48 bits of milliseconds, 2,000 years either way. */
struct short_time {
    uint16_t part[3];
};

struct entry {
    uint32_t facts;  /* slab: struct facts_piece; 0: none */
    uint32_t orders; /* slab: struct orders_piece; 0: none */
    uint32_t events;
    struct short_time first, last; /* when events > 0 */
};
_Static_assert(sizeof(struct entry) == 24, "a node's entry");

struct facts_piece {
    uint32_t size; /* of the bytes behind it */
    char bytes[];
};

enum order_flag {
    ORDER_PAID = 1 << 0,
    ORDER_REFUNDED = 1 << 1, /* in part; the sum is in `refunded` */
    ORDER_REFUNDED_WHOLLY = 1 << 2,
    ORDER_CANCELLED = 1 << 3,
};

struct order {
    uint64_t hash;          /* of the order's id */
    int64_t paid, refunded; /* minor units; paid by the first paying event */
    uint64_t seq;           /* of that event */
    struct short_time time; /* of that event */
    uint8_t currency;       /* index in profile->currencies */
    uint8_t flags;
};
_Static_assert(sizeof(struct order) == 40, "an order");

struct orders_piece {
    uint32_t count, unused;
    struct order orders[]; /* by hash, ascending */
};

/* ---- names ---- */

enum trait_kind {
    KIND_TEXT,
    KIND_INT,
    KIND_DECIMAL,
    KIND_BOOL,
    KIND_TIME,
    KIND_LIST,
    KIND_OBJECT,
    KIND_COUNT,
    KIND_UNKNOWN = KIND_COUNT
};
enum precedence { NEWEST, OLDEST, SOURCE_RANK, SUM, UNION, MAX, MIN, PRECEDENCE_COUNT };

#define TRAIT_TYPES_MAX 10000
#define SOURCE_RANKS_MAX 64
#define PURPOSES_MAX 1000
#define CURRENCIES_MAX 256

/* Of which source an import is: its facts keep the import's own number, so that it can be taken back. */
struct import_sources {
    uint32_t *sources; /* by job, from 1; 0: of none */
    uint32_t count;
};

struct trait_type {
    uint32_t number;
    const struct import_sources *imports; /* the profile's */
    str name;
    uint8_t kind, precedence;
    bool fixed; /* its kind was put by hand: not learnt further */
    bool personal;
    uint32_t rank_count;
    uint32_t ranks[SOURCE_RANKS_MAX]; /* source numbers, the most trusted first */
    str description;                  /* JSON text, or empty */
};

struct names { /* text → number from 1 */
    str *texts;
    uint32_t count, capacity; /* count includes number 0, which is none */
    uint32_t *slots;
    uint32_t slot_count;
};
err names_init(struct names *names) MUST_USE;
void names_deinit(struct names *names);
uint32_t names_find(const struct names *names, str text);
/* 0 without memory, or beyond `most`. */
uint32_t names_intern(struct names *names, str text, uint32_t most);

struct object {
    struct object *next;
    int64_t updated_ms, deleted_ms;
    uint32_t source;     /* an import that was the last to change it; else 0 */
    str kind, id, props; /* props is a piece of its own */
};

struct profile {
    struct json_parser *parser; /* small values: lists, settings, properties with a purpose */
    struct segments entries;    /* by node number; who left memory has none */
    const uint64_t *left_out;   /* while loading: bits of nodes that do not come */
    uint32_t left_out_count;
    struct slab slab;
    size_t large_bytes;

    struct import_sources imports;
    struct names trait_names, purposes;
    struct trait_type **trait_types; /* by number */
    uint32_t trait_type_capacity;
    char (*currencies)[4];
    uint32_t currency_count;

    struct object **objects; /* hash table of lists */
    uint32_t object_count, object_slots;
    size_t object_bytes;

    size_t (*joins)(void *context, uint32_t node, struct identity_join *joins, size_t limit);
    void *joins_context;

    /* scratch of one call */
    struct scratch *scratch;
};

struct scratch {
    struct facts facts; /* decoded */
    struct facts other;
    struct buffer bytes; /* encoded */
    struct buffer text;
    struct order *orders;
    size_t order_capacity;
    uint32_t *numbers;
    size_t number_capacity;
};

static inline int64_t time_of(struct short_time time)
{
    uint64_t bits =
        (uint64_t)time.part[0] | (uint64_t)time.part[1] << 16 | (uint64_t)time.part[2] << 32;
    return (int64_t)bits - (INT64_C(1) << 47);
}
static inline struct short_time short_of(int64_t time_ms)
{
    int64_t most = (INT64_C(1) << 47) - 1;
    int64_t in_range = time_ms > most ? most : time_ms < -most ? -most : time_ms;
    uint64_t bits = (uint64_t)(in_range + (INT64_C(1) << 47));
    return (
        struct short_time){ { (uint16_t)bits, (uint16_t)(bits >> 16), (uint16_t)(bits >> 32) } };
}

/* NULL, or zeros that are only read, for a node of which nothing is known. */
struct entry *entry_find(const struct profile *profile, uint32_t node);
/* Made when it is not there; NULL without memory. */
struct entry *entry_make(struct profile *profile, uint32_t node);

/* trait_type.c */
struct trait_type *trait_type_find(const struct profile *profile, str name);
static inline struct trait_type *trait_type_at(const struct profile *profile, uint32_t number)
{
    bool is_known = number > 0 && number < profile->trait_names.count;
    return is_known ? profile->trait_types[number] : NULL;
}
/* Learnt when unknown; NULL without memory or beyond TRAIT_TYPES_MAX. */
struct trait_type *trait_type_learn(struct profile *profile, str name,
                                    struct ledger_writes *writes);
/* Widen its kind to hold this value too. */
void trait_type_note(struct trait_type *type, const struct fact *fact,
                     struct ledger_writes *writes);
err trait_type_load(struct profile *profile, uint32_t number, str name, str kind, str settings,
                    struct problem *problem) MUST_USE;
void trait_types_deinit(struct profile *profile);
bool trait_type_wants_extremes(const struct trait_type *type);

/* node_facts.c: the facts of one node */
/* Append them; all of several nodes for a view. */
err node_facts_read(const struct profile *profile, uint32_t node, struct facts *facts) MUST_USE;
/* Keep what has to be kept of all facts, and store them at the node; a row of TRAITS when `writes`. */
err node_facts_store(struct profile *profile, uint32_t node, struct facts *facts,
                     struct ledger_writes *writes) MUST_USE;
/* Keep over all traits: items sorted by trait afterwards, consents at the end. */
err facts_keep_all(const struct profile *profile, struct facts *facts) MUST_USE;
void facts_sort(struct facts *facts); /* the order alone */

/* retract.c: the same, each import's among themselves, so that they can be taken away again. */
err facts_keep_apart(struct profile *profile, struct facts *facts) MUST_USE;

/* view.c: one trait of a customer */
/* The value by the precedence of its type over facts of this trait, already kept; appended to `out`. False
 * if there is none. `by`: the fact that decided. */
bool view_value(const struct profile *profile, const struct trait_type *type,
                const struct fact *items, uint32_t count, struct buffer *out,
                const struct fact **by);

/* consent.c: what counts of what the nodes of a customer said; false: nothing. */
bool consent_decide(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                    uint32_t purpose, struct profile_word *decided);

/* order.c */
err orders_observe(struct profile *profile, const struct profile_observation *row) MUST_USE;
/* As it was. */
err order_load(struct profile *profile, uint32_t node, const struct order *order) MUST_USE;
/* The number of a currency, by the first three letters. */
uint8_t order_currency(struct profile *profile, str text);
struct money_line {
    char currency[4];
    uint32_t orders, bought; /* counted; paid and not cancelled, refunded ones too */
    int64_t revenue, refunded;
    int64_t first_ms, last_ms; /* of those counted */
};
/* Lines by currency, the main one first, then by name. How many; may exceed `limit`. */
uint32_t orders_sum(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                    struct money_line *lines, uint32_t limit);
/* profile.c: profile_summarise, with the lines (CURRENCIES_MAX) that it came from. */
uint32_t profile_sum(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                     struct profile_summary *summary, struct money_line *lines);
void orders_digest(const struct profile *profile, uint32_t node, struct digest *digest);

/* object.c */
err object_apply(struct profile *profile, const struct event *event,
                 struct ledger_writes *writes) MUST_USE;
err object_load(struct profile *profile, str kind, str id, str props, int64_t updated_ms,
                int64_t deleted_ms, uint32_t source) MUST_USE;
void objects_deinit(struct profile *profile);
void objects_digest(const struct profile *profile, struct digest *digest);

#endif
