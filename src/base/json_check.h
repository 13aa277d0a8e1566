/* SPDX-License-Identifier: Apache-2.0 */
/* json_check: the slow second look at a text that simdjson refused. Private to base.
 *
 * simdjson says that something is wrong, not where; and it refuses integers beyond 64 bits that
 * JavaScript writes for large doubles. Both are rare, so here is a plain scanner, byte by byte. */
#ifndef KITH_BASE_JSON_CHECK_H
#define KITH_BASE_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* True for a text that json.h accepts; else the first byte that is wrong, and why (static). */
bool json_check(str text, size_t *offset, const char **reason);

/* An integer beyond 64 bits counts as a double when that loses none of its digits (JavaScript's
 * 1e20 is written 100000000000000000000). Copies `text` with "e0" behind each such integer, so that
 * simdjson takes it for a double; `out` is cleared first. False when there is none, or `out` is full. */
bool json_widen_integers(str text, struct buffer *out);

/* Whether some string holds the escape of NUL. */
bool json_has_escaped_nul(str text);

#ifdef __cplusplus
}
#endif
#endif
