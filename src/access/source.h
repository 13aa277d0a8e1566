/* SPDX-License-Identifier: Apache-2.0 */
/* source: where events come from, who may say what, and how a request names its source.
 *
 * A *server* source has a secret write key and is trusted: what it says is verified. A *public*
 * source has a key that anybody can read in a page or mini-program: it may only write, and what it
 * claims attaches identifiers to its own visitor but fuses nobody, unless the claim is signed
 * (HMAC-SHA256 of the user id with the source's signing secret, hex, in context.userIdSignature or the
 * property kith_signature) or confirmed by a trusted source.
 *
 * A `struct source_set` is an immutable snapshot: the engine builds a new one when a command changes a
 * source and publishes it; doors hold a reference while they decode. Any thread.
 */
#ifndef KITH_ACCESS_SOURCE_H
#define KITH_ACCESS_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "access/seal.h"
#include "base/str.h"

enum source_kind { SOURCE_SERVER, SOURCE_PUBLIC };

/* What a door does with an event of somebody who has not agreed to be recorded. */
enum without_consent { WITHOUT_CONSENT_KEEP, WITHOUT_CONSENT_DROP, WITHOUT_CONSENT_ANONYMISE };
#define CONSENT_CATEGORY_BYTES 41
#define CONSENT_CATEGORY_DEFAULT "analytics"
/* "keep", "drop", "anonymise". */
const char *source_without_consent_text(enum without_consent without);
bool source_without_consent_find(str text, enum without_consent *without);

struct source {
    uint32_t number;
    str key; /* "web", "tmall"; in URLs and as namespace of anonymous ids */
    str name;
    enum source_kind kind;
    str protocol; /* "segment", "sensors", "files", … : for the console */
    str channel;  /* default channel of its events; "" to derive from the event */
    bool strict;  /* what the plan does not know goes to quarantine */
    bool disabled;
    enum without_consent without_consent;
    char consent_category[CONSENT_CATEGORY_BYTES]; /* what has to be agreed to; "": the default */
    uint32_t events_per_second;                    /* the doors take no more; 0: no limit */
    str write_key;      /* of public sources, for snippets; "" for server sources */
    str signing_secret; /* for signed claims; "" if none */
    uint8_t write_key_hash[SEAL_HASH_BYTES];
    /* The key before it, good as well until then; 0: none. A set is published anew when that is over. */
    uint8_t old_key_hash[SEAL_HASH_BYTES];
    int64_t old_until_ms;
};

#define SOURCE_EVENTS_PER_SECOND_MAX 10000000

struct source_set;

/* Copies everything. `sources` need not be sorted. */
err source_set_new(struct source_set **set, const struct source *sources, size_t count) MUST_USE;
struct source_set *source_set_hold(struct source_set *set);
void source_set_release(struct source_set **set);

/* By the key that a request carries (hashed here); NULL if unknown. Disabled ones are found. */
const struct source *source_by_write_key(const struct source_set *set, const struct keys *keys,
                                         str write_key);
const struct source *source_by_number(const struct source_set *set, uint32_t number);
/* What imports told, they told as a source: import n (from 1) as the one of number `sources[n - 1]`; 0: as none. Copied. To be
 * called once, before the set is shown to others. */
err source_set_tell_imports(struct source_set *set, uint32_t first_number, const uint32_t *sources,
                            size_t count) MUST_USE;
/* The source of this number; of an import's number the one as which it told. NULL if there is none. */
const struct source *source_told_as(const struct source_set *set, uint32_t number);
const struct source *source_by_key(const struct source_set *set, str key);
size_t source_count(const struct source_set *set);
const struct source *source_at(const struct source_set *set, size_t index);

/* Constant-time check of a signed claim. */
bool source_signature_is_valid(const struct source *source, str user_id, str signature_hex);

#endif
