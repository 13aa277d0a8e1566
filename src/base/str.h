/* SPDX-License-Identifier: Apache-2.0 */
/* str: borrowed text with a length; the only string type that crosses a function boundary.
 *
 * A `str` owns nothing and is not terminated. Whoever hands one out says until when it is
 * valid; the default is "as long as the argument it was cut from". The empty string has size
 * 0 and may have a NULL pointer. Everything in Kith is UTF-8, checked at the door.
 */
#ifndef KITH_BASE_STR_H
#define KITH_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct str {
    const char *data;
    size_t size;
} str;

#define STR(literal) ((str){ .data = "" literal, .size = sizeof(literal) - 1 })
#define STR_NONE ((str){ .data = NULL, .size = 0 })
/* For printf: printf(STR_FMT, STR_ARG(name)). */
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).size, (s).data != NULL ? (s).data : ""

str str_from_c(const char *text); /* borrows; NULL gives STR_NONE */
static inline str str_from_bytes(const void *bytes, size_t size)
{
    str text = { (const char *)bytes, size };
    return text;
}
bool str_equal(str a, str b);
bool str_equal_ignoring_case(str a, str b); /* ASCII only */
int str_compare(str a, str b);              /* by bytes, shorter first */
bool str_starts_with(str text, str prefix);
bool str_ends_with(str text, str suffix);
bool str_contains(str text, str part);
/* Index of the first `byte`, or `text.size`. */
size_t str_find_byte(str text, char byte);
str str_slice(str text, size_t begin, size_t end); /* clamped to the text */
str str_trim(str text); /* ASCII white space, NBSP, full-width space, BOM */
/* Cut the part before `separator` off `*rest`; false when nothing is left. */
bool str_split(str *rest, char separator, str *part);

bool str_is_utf8(str text); /* strict: no surrogates, overlongs, or NUL */
/* Bytes of the longest prefix of at most `bytes_max` that does not cut a character. */
size_t str_utf8_prefix_bytes(str text, size_t bytes_max);

/* The whole text as a number: no sign but '-', no spaces, no rest. False leaves *out alone. */
bool str_to_int64(str text, int64_t *out);
bool str_to_uint64(str text, uint64_t *out);
bool str_to_double(str text, double *out);

#endif
