/* SPDX-License-Identifier: Apache-2.0 */
/* fact: what somebody said of a trait, once: the bytes in table TRAITS, and which facts are kept. Private.
 *
 * The bytes are in docs/formats/identity.md. Facts of one event share their head; a node with three traits
 * from one event takes about 40 bytes.
 *
 * What is kept of many facts is chosen so that keep(keep(A) + B) = keep(A + B): the order in which facts
 * come, and over how many nodes they are spread, does not matter. Per trait:
 *     the newest unset, and nothing older than it
 *     of the sets the newest of each source (for numbers and lists: of each source and account, at most
 *     FACT_ACCOUNTS_MAX, the newest), the oldest of all, and the greatest and the least where its
 *     precedence asks for them
 *     the oldest set-once and the newest
 *     increments newer than their own account's newest set; of more than FACT_INCREMENTS_MAX of an
 *     account the oldest are added up, and so are whole accounts beyond FACT_ACCOUNTS_MAX
 *     of appended elements the newest saying of each, at most FACT_ELEMENTS_MAX
 *     the newest of those put by hand, which no unset of a source reaches
 * Two things are beyond it. An unset that arrives after what is newer than itself cannot bring back the
 * oldest set, set-once, greatest or least of the time behind it, where an older one had taken its place;
 * then the newest stands for it. And a set that arrives late, from before increments that were added
 * up, does not overwrite them. In the order of time, as sources send, both are exact.
 */
#ifndef KITH_PROFILE_FACT_H
#define KITH_PROFILE_FACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

/* Sums of millionths, wide enough for any number of numbers. */
__extension__ typedef __int128 micro_sum;
__extension__ typedef unsigned __int128 micro_size;

#define FACT_VERSION 1
#define FACT_INCREMENTS_MAX 16
#define FACT_ACCOUNTS_MAX 32
#define FACT_ELEMENTS_MAX 500
#define FACT_ALL_TRAITS 0 /* trait number of an unset of everything */
/* A node's facts in bytes; further ones are refused. */
#define FACT_BYTES_MAX ((size_t)256 << 10)

enum fact_operation {
    FACT_SET = 1,
    FACT_SET_ONCE,
    FACT_INCREMENT,
    FACT_SUM,    /* increments up to its time, added up */
    FACT_APPEND, /* one element */
    FACT_UNSET,
    FACT_CONSENT, /* trait number: of the purpose. Never in table TRAITS */
    FACT_HAND, /* corrected by hand: it speaks before all others, whatever they are; NONE: not any more */
    FACT_OPERATION_END
};

enum fact_kind {
    FACT_NONE, /* unset has no value, nor has what is by hand no more */
    FACT_FALSE,
    FACT_TRUE,
    FACT_INT,   /* `number` */
    FACT_MICRO, /* `number` millionths: a decimal of at most six digits behind the point */
    FACT_JSON,  /* any other value, as JSON */
    FACT_KIND_END
};

struct fact {
    uint32_t trait;
    uint32_t source;
    uint32_t account; /* of whom it was said: start of the hash of the event's first identifier */
    uint8_t operation, kind;
    int64_t time_ms;
    uint64_t seq;
    int64_t number;
    str json; /* borrowed */
};

struct facts {
    struct fact *items;
    uint32_t count, capacity;
};
void facts_deinit(struct facts *facts);
err facts_add(struct facts *facts, const struct fact *fact) MUST_USE;

/* A value as the doors have it, into the shortest kind. False if it is null or empty. */
bool fact_set_value(struct fact *fact, str json);
void fact_write_value(const struct fact *fact, struct buffer *out);
/* In millionths; false if it is not a number, or too large a one. */
bool fact_number(const struct fact *fact, micro_sum *micro);
void fact_write_number(micro_sum micro, struct buffer *out);
bool fact_is_list(const struct fact *fact);
bool fact_same_value(const struct fact *a, const struct fact *b);
/* -1, 0, 1: by time, then by seq. */
int fact_compare_time(const struct fact *a, const struct fact *b);

/* Append the facts of one node's bytes. CORRUPT for what facts_encode cannot have written. */
err facts_decode(struct facts *facts, str bytes) MUST_USE;
/* Does `is` hold for any fact in these bytes? They are read where they lie, up to the first. */
bool facts_any(str bytes, bool (*is)(const void *context, const struct fact *fact),
               const void *context);
/* Sorts `facts`; consents are left out unless `consents`. */
void facts_encode(struct facts *facts, bool consents, struct buffer *out);

/* Keep what has to be kept of the facts of one trait (or purpose), given the newest unset of everything.
 * *count afterwards; items in no order. `extremes`: greatest and least too. NOMEM; items are then all
 * there, or some of those that would have gone. */
err facts_keep(struct fact *items, uint32_t *count, const struct fact *unset_all,
               bool extremes) MUST_USE;

#endif
