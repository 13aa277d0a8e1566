/* SPDX-License-Identifier: Apache-2.0 */
/* people: identities without an engine: events said in one line, on a ledger of their own.
 *
 *     says(&people, "user_id=ann mobile=P1! anonymous_id=a1")
 *
 * Each word is type=value, or type:namespace=value; '!' behind it: verified, '~': the sender's own, '#':
 * blocked at the door. Identifiers are put in the order of their strength, as the doors do. */
#ifndef KITH_TESTS_SUPPORT_PEOPLE_H
#define KITH_TESTS_SUPPORT_PEOPLE_H

#include "identity/identity.h"

#define PEOPLE_START_MS INT64_C(1781827200000) /* 2026-06-19T00:00:00Z */

struct people {
    struct identity *identity;
    struct ledger *ledger; /* NULL: nothing is written */
    struct ledger_writes *writes;
    char folder[64];
    int64_t now_ms;
    uint64_t seq;
    uint32_t source;
    struct identity_outcome last;
    struct json_parser *parser;
};

void people_make(struct people *people, bool with_ledger);
void people_remove(struct people *people);
/* Hand over what was written, wait for the commit. */
void people_commit(struct people *people);
/* Commit, load a second identity from the ledger and compare the digests. */
void people_check_load(struct people *people);
/* All invariants, by identity_check. */
void people_check(const struct people *people);

struct event_identifier people_identifier(const char *type, const char *namespace_,
                                          const char *value, uint8_t flags);
void people_sort(struct event_identifier *identifiers, uint32_t count);

/* An event of a trusted source, of a public one, of another kind; the node it goes to. A second passes. */
uint32_t says(struct people *people, const char *words);
uint32_t says_in_public(struct people *people, const char *words);
uint32_t says_kind(struct people *people, enum event_kind kind, uint8_t flags, const char *words);

/* The customer of an identifier ("type=value"); 0 if it leads to nobody. */
uint32_t who(const struct people *people, const char *word);
uint32_t row_of(const struct people *people, const char *word);
bool same(const struct people *people, const char *one, const char *other);
/* Rules of a type, as JSON. */
void rules(struct people *people, const char *type, const char *json);

#endif
