/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrapped around a body: compression, forms, base64. */
#include <string.h>

#include "collect/inside.h"

/* ---- compression ---- */

/* A stream of zlib is 7 KB and its window 32: kept, because making one costs as much as a small body. */
static err prepare_inflater(struct collect_worker *worker, int window_bits, struct problem *problem)
{
    z_stream *stream = &worker->inflater;
    int result = Z_OK;
    if (worker->inflater_ready) {
        result = inflateReset2(stream, window_bits);
    } else {
        *stream = (z_stream){ .zalloc = Z_NULL };
        result = inflateInit2(stream, window_bits);
        worker->inflater_ready = result == Z_OK;
    }
    if (result != Z_OK)
        return problem_set(problem, ERR_NOMEM, "no memory to unpack the body");
    return ERR_OK;
}

#define WINDOW_GZIP_OR_ZLIB (15 + 32)
#define WINDOW_RAW (-15)

static int window_of(str packed)
{
    const unsigned char *at = (const unsigned char *)packed.data;
    if (packed.size >= 2 && at[0] == 0x1F && at[1] == 0x8B)
        return WINDOW_GZIP_OR_ZLIB;
    /* RFC 1950: method 8, and the two bytes are a multiple of 31. */
    if (packed.size >= 2 && (at[0] & 0x0F) == 8 && ((unsigned)at[0] << 8 | at[1]) % 31 == 0)
        return WINDOW_GZIP_OR_ZLIB;
    return WINDOW_RAW;
}

#define INFLATE_STEP_BYTES ((size_t)64 << 10)

/* Bombs end here: never more than the limit is unpacked, whatever the packed size says. */
static err inflate_all(struct collect_worker *worker, struct problem *problem)
{
    z_stream *stream = &worker->inflater;
    size_t limit = worker->limits.batch_bytes_max;
    for (;;) {
        size_t step = limit + 1 - worker->unpacked.size;
        if (step > INFLATE_STEP_BYTES)
            step = INFLATE_STEP_BYTES;
        char *room = buffer_reserve(&worker->unpacked, step);
        if (room == NULL)
            return problem_set(problem, ERR_NOMEM, "no memory to unpack the body");
        stream->next_out = (Bytef *)room;
        stream->avail_out = (uInt)step;
        int result = inflate(stream, Z_NO_FLUSH);
        buffer_advance(&worker->unpacked, step - stream->avail_out);
        if (worker->unpacked.size > limit) {
            problem_set(problem, ERR_TOO_LARGE, "the body unpacks to more than %zu bytes", limit);
            return problem_hint(problem, ERR_TOO_LARGE, "send smaller batches");
        }
        if (result == Z_STREAM_END)
            return ERR_OK;
        if (result == Z_MEM_ERROR)
            return problem_set(problem, ERR_NOMEM, "no memory to unpack the body");
        if (result != Z_OK || (stream->avail_in == 0 && stream->avail_out > 0))
            return problem_set(problem, ERR_INVALID, "the body cannot be unpacked: %s",
                               stream->msg != NULL ? stream->msg : "it ends too early");
    }
}

err body_inflate(struct collect_worker *worker, str packed, str *out, struct problem *problem)
{
    err error = prepare_inflater(worker, window_of(packed), problem);
    if (error != ERR_OK)
        return error;
    worker->inflater.next_in = (Bytef *)(uintptr_t)packed.data; /* zlib only reads it */
    worker->inflater.avail_in = (uInt)packed.size;
    buffer_clear(&worker->unpacked);
    error = inflate_all(worker, problem);
    if (error == ERR_OK)
        *out = buffer_str(&worker->unpacked);
    return error;
}

static err body_too_large(size_t size, size_t limit, struct problem *problem)
{
    problem_set(problem, ERR_TOO_LARGE, "the body has %zu bytes, at most %zu are taken", size,
                limit);
    return problem_hint(problem, ERR_TOO_LARGE, "send smaller batches");
}

err body_unpack(struct door *door, str *body, struct problem *problem)
{
    str coding = str_trim(door->request->content_encoding), raw = door->request->body;
    size_t limit = door->worker->limits.batch_bytes_max;
    if (raw.size > limit)
        return body_too_large(raw.size, limit, problem);
    bool packed = str_equal_ignoring_case(coding, STR("gzip")) ||
                  str_equal_ignoring_case(coding, STR("x-gzip")) ||
                  str_equal_ignoring_case(coding, STR("deflate"));
    bool plain = coding.size == 0 || str_equal_ignoring_case(coding, STR("identity"));
    if (!packed && !plain) {
        problem_set(problem, ERR_UNSUPPORTED, "Content-Encoding '" STR_FMT "' is not supported",
                    (int)(coding.size < 40 ? coding.size : 40), coding.data);
        return problem_hint(problem, ERR_UNSUPPORTED, "use gzip, deflate, or none");
    }
    /* Some proxies unpack and leave the header; some clients pack and forget it. */
    bool is_gzip =
        raw.size >= 2 && (unsigned char)raw.data[0] == 0x1F && (unsigned char)raw.data[1] == 0x8B;
    bool is_json = raw.size > 0 && (raw.data[0] == '{' || raw.data[0] == '[');
    if (is_gzip || (packed && raw.size > 0 && !is_json))
        return body_inflate(door->worker, raw, body, problem);
    *body = raw;
    return ERR_OK;
}

/* ---- forms ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Percent-decoded, '+' as space; what is no escape stays as it is. Borrowed when nothing changes. */
static str form_decode(struct collect_worker *worker, str text)
{
    if (str_find_byte(text, '%') == text.size && str_find_byte(text, '+') == text.size)
        return text;
    char *out = worker_alloc(worker, text.size);
    size_t size = 0;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        int high = c == '%' && i + 2 < text.size ? hex_value(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.data[i + 2]) : -1;
        if (low >= 0) {
            out[size++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[size++] = c == '+' ? ' ' : c;
        }
    }
    return str_from_bytes(out, size);
}

static bool next_field(str *form, str *name, str *raw)
{
    str field;
    do {
        if (!str_split(form, '&', &field))
            return false;
    } while (field.size == 0);
    size_t equal = str_find_byte(field, '=');
    *name = str_slice(field, 0, equal);
    *raw = str_slice(field, equal + 1, field.size);
    return true;
}

bool form_next(struct collect_worker *worker, str *form, str *name, str *value)
{
    str raw;
    if (!next_field(form, name, &raw))
        return false;
    *name = form_decode(worker, *name);
    *value = form_decode(worker, raw);
    return true;
}

bool form_value(struct collect_worker *worker, str form, str name, str *value)
{
    str field, raw;
    while (next_field(&form, &field, &raw))
        if (str_equal(field, name)) {
            *value = form_decode(worker, raw);
            return true;
        }
    return false;
}

/* ---- base64 (RFC 4648, both alphabets) ---- */

static uint8_t base64_digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0' + 52);
    if (c == '+' || c == '-' || c == ' ')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return 0xFF;
}

bool base64_decode(struct collect_worker *worker, str text, str *out)
{
    uint8_t digits[256];
    while (text.size > 0 && (text.data[text.size - 1] == '=' || text.data[text.size - 1] == '\n' ||
                             text.data[text.size - 1] == '\r'))
        text.size--;
    if (text.size % 4 == 1)
        return false;
    uint8_t *bytes = worker_alloc(worker, text.size / 4 * 3 + 3);
    if (bytes == NULL)
        return false;
    for (unsigned c = 0; c < 256; c++)
        digits[c] = base64_digit((unsigned char)c);
    const unsigned char *at = (const unsigned char *)text.data;
    size_t size = 0, i = 0;
    uint8_t bad = 0;
    for (; i + 4 <= text.size; i += 4, size += 3) {
        uint8_t a = digits[at[i]], b = digits[at[i + 1]], c = digits[at[i + 2]],
                d = digits[at[i + 3]];
        bad |= a | b | c | d;
        bytes[size] = (uint8_t)(a << 2 | b >> 4);
        bytes[size + 1] = (uint8_t)(b << 4 | c >> 2);
        bytes[size + 2] = (uint8_t)(c << 6 | d);
    }
    if (i + 2 <= text.size) {
        uint8_t a = digits[at[i]], b = digits[at[i + 1]];
        uint8_t c = i + 3 <= text.size ? digits[at[i + 2]] : 0;
        bad |= a | b | c;
        bytes[size++] = (uint8_t)(a << 2 | b >> 4);
        if (i + 3 <= text.size)
            bytes[size++] = (uint8_t)(b << 4 | c >> 2);
    }
    *out = str_from_bytes(bytes, size);
    return (bad & 0xC0) == 0;
}
