/* SPDX-License-Identifier: Apache-2.0 */
/* mask: what a person sees of a value that names somebody. Private to server/.
 *
 * Masking applies where data is read: texts are unsealed here and nowhere else on their way to a person,
 * and go on either masked or, with the right and an audit line, in full. What is personal, and how a
 * kind looks when masked, is the table of event/personal.h; a sealed value of no known kind shows its
 * first character and three stars.
 *
 * Any thread.
 */
#ifndef KITH_SERVER_MASK_H
#define KITH_SERVER_MASK_H

#include <stdbool.h>

#include "access/seal.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"
#include "base/str.h"
#include "event/personal.h"

/* One value, masked as `kind` says, or by its looks when NONE. */
void mask_value(enum personal_kind kind, str value, struct buffer *out);

/* An identifier's value as a person may read it: unsealed when sealed, masked when personal and not
 * revealed. What cannot be unsealed reads "(unreadable)". In `arena`; an empty text when out of memory. */
str mask_identifier(const struct keys *keys, struct arena *arena, str type, str value, bool reveal);

/* Copy JSON, with each {"$sealed":"…"} replaced by its text, masked unless `reveal`. `name` is the
 * member's that holds it, or empty. */
void mask_write_json(const struct keys *keys, struct arena *arena, str name, json_value value,
                     bool reveal, struct buffer *out);

/* The same with three stars for each: of whom nothing that names her is told, not even masked. */
void mask_hide_json(json_value value, struct buffer *out);

/* Is this JSON nothing but {"$sealed":"…"}, as the doors write it? */
bool mask_is_sealed_json(str json, str *sealed);
/* The same for a value as text that was checked before: what has nothing sealed in it is copied as it is. */
void mask_put_json(const struct keys *keys, struct arena *arena, struct json_parser *scratch,
                   str name, str json, bool reveal, struct json_writer *writer);

#endif
