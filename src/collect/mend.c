/* SPDX-License-Identifier: Apache-2.0 */
/* mend: half characters in bodies, which real SDKs send, do not cost a whole batch.
 *
 * A text that JavaScript cuts within an emoji goes over the wire as an escape of half a surrogate pair, \ud83d
 * without its other half; some send \u0000. Neither can be UTF-8, so no JSON parser takes the body, and an SDK
 * that hears 400 drops all of it. Such an escape becomes \ufffd, the sign for a character that got
 * lost: as long as what it replaces, so in place. Only a body that does not parse is looked at.
 */
#include <string.h>

#include "collect/inside.h"

#define ESCAPE_BYTES 6 /* \u and four hex digits */

static bool read_escape(const char *text, size_t left, unsigned *code)
{
    *code = 0;
    if (left < ESCAPE_BYTES || text[0] != '\\' || text[1] != 'u')
        return false;
    for (int index = 2; index < ESCAPE_BYTES; index++) {
        char digit = text[index];
        unsigned value = digit >= '0' && digit <= '9'   ? (unsigned)(digit - '0')
                         : digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a') + 10
                         : digit >= 'A' && digit <= 'F' ? (unsigned)(digit - 'A') + 10
                                                        : 16;
        if (value == 16)
            return false;
        *code = *code * 16 + value;
    }
    return true;
}

static bool is_high(unsigned code)
{
    return code >= 0xD800 && code <= 0xDBFF;
}

static bool is_low(unsigned code)
{
    return code >= 0xDC00 && code <= 0xDFFF;
}

/* How many escapes were mended. */
static size_t mend(char *text, size_t size)
{
    size_t mended = 0;
    for (size_t at = 0; at < size;) {
        unsigned code, next;
        if (text[at] != '\\') {
            at++;
        } else if (!read_escape(text + at, size - at, &code)) {
            at += 2;
        } else if (is_high(code) &&
                   read_escape(text + at + ESCAPE_BYTES, size - at - ESCAPE_BYTES, &next) &&
                   is_low(next)) {
            at += 2 * ESCAPE_BYTES;
        } else {
            if (is_high(code) || is_low(code) || code == 0) {
                memcpy(text + at, "\\ufffd", ESCAPE_BYTES);
                mended++;
            }
            at += ESCAPE_BYTES;
        }
    }
    return mended;
}

err body_parse(struct door *door, str body, json_value *root, struct problem *problem)
{
    struct collect_worker *worker = door->worker;
    err error = json_parse(worker->parser, body, root, problem);
    if (error != ERR_INVALID || !str_contains(body, STR("\\u")))
        return error;
    str copy;
    if (arena_dup(&worker->arena, body, &copy) != ERR_OK)
        return error;
    if (mend((char *)(uintptr_t)copy.data, copy.size) == 0)
        return error;
    return json_parse(worker->parser, copy, root, problem);
}
