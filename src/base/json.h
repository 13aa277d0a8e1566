/* SPDX-License-Identifier: Apache-2.0 */
/* json: reading by simdjson behind a small C face, and writing into a buffer.
 *
 * Reading: a `struct json_parser` is kept per thread and reused; `json_parse` gives the root of
 * a read-only document that is valid until the next parse with the same parser or its end.
 * A `json_value` is two words and is passed by value. Asking a value for what it is not gives
 * the stated default, so that decoders need no ladder of checks; where it matters, ask the kind.
 * Limits: depth 64; the caller limits the size. Invalid UTF-8, NUL in strings, lone surrogates,
 * numbers beyond the range of a double, integers beyond 64 bits that lose digits as a double, and
 * trailing text are errors; a byte order mark is skipped. Of duplicate keys the last one counts for
 * json_get; an iteration shows them all, in order.
 */
#ifndef KITH_BASE_JSON_H
#define KITH_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct json_parser;

enum json_kind {
    JSON_MISSING, /* the key is not there */
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,    /* fits int64 */
    JSON_DOUBLE, /* any other number; uint64 above int64 too */
    JSON_TEXT,
    JSON_ARRAY,
    JSON_OBJECT,
};

typedef struct json_value {
    const void *document; /* NULL: missing */
    size_t position;
} json_value;

#define JSON_DEPTH_MAX 64

err json_parser_new(struct json_parser **parser, size_t size_bytes_max) MUST_USE;
void json_parser_free(struct json_parser **parser);
/* Parse the whole of `text` (copied inside; need not be padded). INVALID with the byte offset. */
err json_parse(struct json_parser *parser, str text, json_value *root,
               struct problem *problem) MUST_USE;

enum json_kind json_kind(json_value value);
bool json_is_object(json_value value);
str json_text(json_value value);                       /* STR_NONE unless text; decoded, borrowed */
int64_t json_int(json_value value, int64_t otherwise); /* doubles with integer value too */
double json_double(json_value value, double otherwise);
bool json_bool(json_value value, bool otherwise);
size_t json_count(json_value value); /* members or elements; 0 otherwise */

json_value json_get(json_value object, str key);    /* missing when not there; O(members) */
json_value json_at(json_value array, size_t index); /* O(index): iterate instead */

struct json_iterator {
    const void *document;
    size_t next, end;
    bool is_object;
};
struct json_iterator json_iterate(json_value container);
/* `key` is empty for arrays and may be NULL. */
bool json_next(struct json_iterator *iterator, str *key, json_value *value);

/* Append `value` as compact JSON, members in their order. */
void json_write_value(struct buffer *out, json_value value);
/* The same, save what `replace` takes: it wrote something else in the value's place and says true. It is asked of every
 * value from the outermost in; `name` is of the nearest member that holds the value, at first as given. */
typedef bool (*json_replace)(void *context, str name, json_value value, struct buffer *out);
void json_write_replacing(struct buffer *out, str name, json_value value, json_replace replace,
                          void *context);

/* Writing: the writer puts the commas. Misnesting is an INVARIANT. */
struct json_writer {
    struct buffer *out;
    uint64_t has_member; /* bit per depth */
    uint64_t is_object;  /* bit per depth */
    unsigned depth;
    bool after_key;
};
void json_writer_init(struct json_writer *writer, struct buffer *out);
void json_begin_object(struct json_writer *writer);
void json_end_object(struct json_writer *writer);
void json_begin_array(struct json_writer *writer);
void json_end_array(struct json_writer *writer);
void json_put_key(struct json_writer *writer, str key);
void json_put_text(struct json_writer *writer, str text);
void json_put_int(struct json_writer *writer, int64_t value);
void json_put_uint(struct json_writer *writer, uint64_t value);
void json_put_double(struct json_writer *writer, double value); /* shortest; NaN as null */
void json_put_bool(struct json_writer *writer, bool value);
void json_put_null(struct json_writer *writer);
void json_put_raw(struct json_writer *writer, str json);         /* already JSON */
void json_put_time(struct json_writer *writer, int64_t time_ms); /* RFC 3339 UTC text */
/* key and value at once */
void json_member_text(struct json_writer *writer, str key, str text);
void json_member_int(struct json_writer *writer, str key, int64_t value);
void json_member_bool(struct json_writer *writer, str key, bool value);
void json_member_time(struct json_writer *writer, str key, int64_t time_ms);
void json_member_raw(struct json_writer *writer, str key, str json);

/* Without a writer: text is escaped and quoted. */
void json_write_text(struct buffer *out, str text);
void json_write_int(struct buffer *out, int64_t value);
void json_write_uint(struct buffer *out, uint64_t value);

#ifdef __cplusplus
}
#endif
#endif
