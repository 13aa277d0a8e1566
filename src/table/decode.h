/* SPDX-License-Identifier: Apache-2.0 */
/* decode: text of a file into UTF-8. Private to table/.
 *
 * What cannot be decoded becomes DECODE_BAD, a byte that UTF-8 never has, so that reading goes on and the row
 * it stands in can be refused. Characters that the end of a piece cuts in two wait for the next piece. */
#ifndef KITH_TABLE_DECODE_H
#define KITH_TABLE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/table.h"

#define DECODE_BAD 0xFF
/* UTF-8 bytes that one byte of input can become: three (the euro sign of windows-1252). */
#define DECODE_GROWTH 3

/* Makes what the encoding needs (once per process). Any thread. UNSUPPORTED when the C library lacks the table. */
err decode_prepare(enum table_encoding encoding, struct problem *problem) MUST_USE;

/* Decode `in` to `out`, which has room for DECODE_GROWTH times as much and 8 bytes. *taken is less than in_size when a
 * character goes on behind the end, unless `last`. Returns the bytes written; *bad is set when DECODE_BAD was. */
size_t decode_text(enum table_encoding encoding, const char *in, size_t in_size, bool last,
                   char *out, size_t *taken, bool *bad); /* not of UTF-8 */
size_t decode_gb18030(const char *in, size_t in_size, bool last, char *out, size_t *taken,
                      bool *bad);
size_t decode_utf16(const char *in, size_t in_size, bool last, bool big_endian, char *out,
                    size_t *taken, bool *bad);

/* Has windows-1252 a character for it? */
bool decode_is_windows1252(unsigned char byte);

/* Bytes at the beginning of `text` that are strict UTF-8 without NUL. *cut: what follows is the beginning of a
 * character that may go on behind the end. */
size_t decode_utf8_valid(const char *text, size_t size, bool *cut);

#endif
