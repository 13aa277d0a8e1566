/* SPDX-License-Identifier: Apache-2.0 */
/* normalise: what identifiers look like inside, so that one person's writings of one value meet.
 *
 * Every rule is idempotent: normalise(normalise(x)) = normalise(x). All texts lose their margins,
 * invisible characters and full-width forms; more than 255 bytes or a control character are INVALID (a
 * cut id could be a stranger's). Phones become E.164 with +86 by default (0086, leading ' or =",
 * trailing .0, IP prefixes), e-mails lower case. Values that cannot be a person are told apart: masked
 * (138****1234), privacy numbers, placeholders, floats of Excel (1.38E+10), test numbers, numbers
 * of machines, landlines. The rules are in docs/formats/event.md.
 *
 * A value that looks like a phone or an e-mail is sealed whatever its type says (E1).
 * Any thread, no allocation beyond the arena.
 */
#ifndef KITH_EVENT_NORMALISE_H
#define KITH_EVENT_NORMALISE_H

#include "access/seal.h"
#include "base/arena.h"
#include "event/event.h"

enum normal_form {
    NORMAL_USABLE,
    NORMAL_BLOCKED, /* well-formed but a placeholder or test value: kept, never used to find */
    NORMAL_MASKED,  /* hides digits: no identifier */
    NORMAL_INVALID, /* not a value of this type */
};

/* `type` by name. `out` is in `arena` (INVALID when that is full: identifier_make tells the two apart).
 * Untouched for MASKED and INVALID. */
enum normal_form normalise_value(str type, str raw, struct arena *arena, str *out);

/* Lower-case hex of the digest of these bytes, and a zero; its size (0: no memory for it). */
#define DIGEST_HEX_BYTES_MAX 64
size_t digest_md5_hex(str value, char out[DIGEST_HEX_BYTES_MAX + 1]);
size_t digest_sha256_hex(str value, char out[DIGEST_HEX_BYTES_MAX + 1]);

/* A whole identifier: normalise, hash (with the md5 and sha256 of phones as other hashes), seal
 * where personal. A 32- or 64-digit hex value for mobile is taken as md5 or sha256 of the phone.
 * NORMAL_MASKED and NORMAL_INVALID leave `out` untouched. NOMEM by `error`. */
enum normal_form identifier_make(const struct keys *keys, struct arena *arena, str type,
                                 str namespace_, str raw, uint8_t flags,
                                 struct event_identifier *out, err *error);

/* The rank of a type by name: index in IDENTIFIER_TABLE, custom types after the strong ones. */
int identifier_rank(str type);
/* Sort by rank, then namespace, then hash; drop doubles (flags are joined). E2. */
void identifiers_sort(struct event_identifier *identifiers, uint32_t *count);

#endif
