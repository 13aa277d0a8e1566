/* SPDX-License-Identifier: Apache-2.0 */
/* decode: GB18030 by a table that iconv fills once, UTF-16 by hand, and a check of UTF-8.
 *
 * windows-1252 has one byte to a character. GB18030-2005 has one, two or four bytes to a character:
 *   00…7F                                      ASCII
 *   81…FE, 40…7E or 80…FE                      126 × 190 characters: the table
 *   81…FE, 30…39, 81…FE, 30…39                 the rest of Unicode; from 90 30 81 30 on it is
 *                                              U+10000 + the place in the sequence */
#include "table/decode.h"

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LEAD_FIRST 0x81
#define TRAIL_FIRST 0x40
#define LEADS 126
#define TRAILS 191

/* The UTF-8 bytes of each character, first byte lowest; 0: there is none. */
static uint32_t pairs[LEADS * TRAILS];
static pthread_once_t pairs_once = PTHREAD_ONCE_INIT;
static bool pairs_made;
/* For the four-byte characters of the BMP, which are rare. */
static pthread_mutex_t rare_mutex = PTHREAD_MUTEX_INITIALIZER;
static iconv_t rare_iconv;

/* ---- ASCII, quickly ---- */

/* Copy ASCII from the beginning of `in`; returns how much. Reads and writes within `size` alone. */
static inline size_t copy_ascii(const unsigned char *in, size_t size, char *out)
{
    size_t at = 0;
#if defined(__SSE2__)
    for (; at + 16 <= size; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(in + at));
        _mm_storeu_si128((__m128i *)(void *)(out + at), bytes);
        int high = _mm_movemask_epi8(bytes);
        if (high != 0)
            return at + (size_t)__builtin_ctz((unsigned)high);
    }
#endif
    while (at < size && in[at] < 0x80) {
        out[at] = (char)in[at];
        at++;
    }
    return at;
}

static size_t put_character(uint32_t character, char *out)
{
    unsigned char *to = (unsigned char *)out;
    if (character < 0x80) {
        to[0] = (unsigned char)character;
        return 1;
    }
    if (character < 0x800) {
        to[0] = (unsigned char)(0xC0 | character >> 6);
        to[1] = (unsigned char)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character < 0x10000) {
        to[0] = (unsigned char)(0xE0 | character >> 12);
        to[1] = (unsigned char)(0x80 | (character >> 6 & 0x3F));
        to[2] = (unsigned char)(0x80 | (character & 0x3F));
        return 3;
    }
    to[0] = (unsigned char)(0xF0 | character >> 18);
    to[1] = (unsigned char)(0x80 | (character >> 12 & 0x3F));
    to[2] = (unsigned char)(0x80 | (character >> 6 & 0x3F));
    to[3] = (unsigned char)(0x80 | (character & 0x3F));
    return 4;
}

/* ---- GB18030 ---- */

/* The UTF-8 of one character by iconv; its size, 0 if there is none. */
static size_t convert_slowly(iconv_t by, const unsigned char *bytes, size_t size, char out[8])
{
    char in[4], *from = in, *to = out;
    size_t left = size, room = 8;
    memcpy(in, bytes, size);
    iconv(by, NULL, NULL, NULL, NULL);
    if (iconv(by, &from, &left, &to, &room) == (size_t)-1 || left > 0)
        return 0;
    return 8 - room;
}

static void make_pairs(void)
{
    iconv_t by = iconv_open("UTF-8", "GB18030");
    if (by == (iconv_t)-1) /* NOLINT(performance-no-int-to-ptr): as iconv defines it */
        return;
    for (unsigned lead = 0; lead < LEADS; lead++)
        for (unsigned trail = 0; trail < TRAILS; trail++) {
            unsigned char bytes[2] = { (unsigned char)(LEAD_FIRST + lead),
                                       (unsigned char)(TRAIL_FIRST + trail) };
            char text[8];
            size_t size = bytes[1] != 0x7F ? convert_slowly(by, bytes, 2, text) : 0;
            if (size > 0 && size <= 4)
                memcpy(&pairs[lead * TRAILS + trail], text, size);
        }
    rare_iconv = by;
    pairs_made = true;
}

err decode_prepare(enum table_encoding encoding, struct problem *problem)
{
    if (encoding != TABLE_GB18030)
        return ERR_OK;
    pthread_once(&pairs_once, make_pairs);
    if (pairs_made)
        return ERR_OK;
    problem_set(problem, ERR_UNSUPPORTED, "the C library of this machine cannot read GB18030");
    return problem_hint(problem, ERR_UNSUPPORTED,
                        "install its gconv modules (Debian: libc6), or save the file as UTF-8");
}

static inline size_t utf8_size_by_lead(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* The place of a four-byte character in their sequence. */
#define PLACE(a, b, c, d) \
    (((((uint32_t)(a)-0x81) * 10 + (b)-0x30) * 126 + (c)-0x81) * 10 + (d)-0x30)

/* The C library has the edition of 2005, which moved some characters to two bytes; writers of the other editions
 * (Java, Python) still write four. Those ranges are the same lines of Unicode in all editions. */
static uint32_t character_of_other_edition(uint32_t place)
{
    static const struct {
        uint32_t place, first, last;
    } ranges[] = {
        { PLACE(0x82, 0x35, 0x8F, 0x33), 0x9FA6, 0xD7FF },
        { PLACE(0x83, 0x36, 0xD0, 0x30), 0xE865, 0xF92B },
        { PLACE(0x84, 0x30, 0x9C, 0x38), 0xFA2A, 0xFE2F },
        { PLACE(0x84, 0x31, 0xA2, 0x34), 0xFFE6, 0xFFFF },
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (place >= ranges[i].place && place - ranges[i].place <= ranges[i].last - ranges[i].first)
            return ranges[i].first + (place - ranges[i].place);
    return 0;
}

static size_t put_four(const unsigned char *in, char *out)
{
    uint32_t place = PLACE(in[0], in[1], in[2], in[3]);
    const uint32_t astral = (0x90 - 0x81) * 12600;
    if (place >= astral)
        return place - astral < 0x100000 ? put_character(place - astral + 0x10000, out) : 0;
    char text[8];
    pthread_mutex_lock(&rare_mutex);
    size_t size = convert_slowly(rare_iconv, in, 4, text);
    pthread_mutex_unlock(&rare_mutex);
    if (size == 0 || size > 4) {
        uint32_t character = character_of_other_edition(place);
        return character != 0 ? put_character(character, out) : 0;
    }
    memcpy(out, text, size);
    return size;
}

static bool is_four(const unsigned char *in, size_t size)
{
    return size >= 4 && in[1] >= 0x30 && in[1] <= 0x39 && in[2] >= 0x81 && in[2] <= 0xFE &&
           in[3] >= 0x30 && in[3] <= 0x39;
}

/* A character that is not ASCII and not in the table: four bytes, or bad. Returns the bytes of input taken, 0
 * when more are needed. After a bad lead byte, an ASCII byte still counts for itself: it may end the line. */
static size_t decode_rare(const unsigned char *in, size_t left, bool last, char *out,
                          size_t *written, bool *bad)
{
    bool lead = in[0] >= 0x81 && in[0] <= 0xFE;
    if (lead && !last && (left < 2 || (in[1] >= 0x30 && in[1] <= 0x39 && left < 4)))
        return 0;
    *written = lead && is_four(in, left) ? put_four(in, out) : 0;
    if (*written > 0)
        return 4;
    out[0] = (char)DECODE_BAD;
    *written = 1;
    *bad = true;
    return lead && left >= 2 && in[1] >= 0x80 ? 2 : 1;
}

size_t decode_gb18030(const char *text, size_t in_size, bool last, char *out, size_t *taken,
                      bool *bad)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t at = 0;
    char *to = out;
    while (at < in_size) {
        if (in[at] < 0x80) {
            size_t count = copy_ascii(in + at, in_size - at, to);
            at += count;
            to += count;
            continue;
        }
        uint32_t pair = 0;
        if (in[at] >= LEAD_FIRST && in[at] <= 0xFE && at + 1 < in_size &&
            in[at + 1] >= TRAIL_FIRST && in[at + 1] <= 0xFE)
            pair = pairs[(in[at] - LEAD_FIRST) * TRAILS + (in[at + 1] - TRAIL_FIRST)];
        if (pair != 0) {
            memcpy(to, &pair, sizeof(pair));
            to += utf8_size_by_lead((unsigned char)*to);
            at += 2;
            continue;
        }
        size_t written = 0;
        size_t count = decode_rare(in + at, in_size - at, last, to, &written, bad);
        if (count == 0)
            break;
        at += count;
        to += written;
    }
    *taken = at;
    return (size_t)(to - out);
}

/* ---- UTF-16 ---- */

static uint32_t unit_at(const unsigned char *in, bool big_endian)
{
    return big_endian ? (uint32_t)in[0] << 8 | in[1] : (uint32_t)in[1] << 8 | in[0];
}

size_t decode_utf16(const char *text, size_t in_size, bool last, bool big_endian, char *out,
                    size_t *taken, bool *bad)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t at = 0;
    char *to = out;
    while (in_size - at >= 2) {
        uint32_t unit = unit_at(in + at, big_endian);
        bool high = unit >= 0xD800 && unit < 0xDC00;
        if (high && in_size - at < 4 && !last)
            break;
        uint32_t low = high && in_size - at >= 4 ? unit_at(in + at + 2, big_endian) : 0;
        if (high && low >= 0xDC00 && low < 0xE000) {
            to += put_character(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), to);
            at += 4;
            continue;
        }
        if (unit >= 0xD800 && unit < 0xE000) {
            *to++ = (char)DECODE_BAD;
            *bad = true;
        } else {
            to += put_character(unit, to);
        }
        at += 2;
    }
    if (last && at < in_size) { /* half a unit */
        *to++ = (char)DECODE_BAD;
        *bad = true;
        at = in_size;
    }
    *taken = at;
    return (size_t)(to - out);
}

/* ---- windows-1252 ---- */

/* 80…9F; the rest is Latin-1, whose bytes are the characters. 0: there is none. */
static const uint16_t signs_of_windows[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178
};

bool decode_is_windows1252(unsigned char byte)
{
    return byte < 0x80 || byte > 0x9F || signs_of_windows[byte - 0x80] != 0;
}

static size_t decode_windows1252(const char *text, size_t in_size, char *out, size_t *taken,
                                 bool *bad)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t at = 0;
    char *to = out;
    while (at < in_size) {
        size_t count = copy_ascii(in + at, in_size - at, to);
        at += count;
        to += count;
        if (at == in_size)
            break;
        unsigned char byte = in[at++];
        if (decode_is_windows1252(byte)) {
            to += put_character(byte > 0x9F ? byte : signs_of_windows[byte - 0x80], to);
            continue;
        }
        *to++ = (char)DECODE_BAD;
        *bad = true;
    }
    *taken = in_size;
    return (size_t)(to - out);
}

size_t decode_text(enum table_encoding encoding, const char *in, size_t in_size, bool last,
                   char *out, size_t *taken, bool *bad)
{
    if (encoding == TABLE_GB18030)
        return decode_gb18030(in, in_size, last, out, taken, bad);
    if (encoding == TABLE_WINDOWS1252)
        return decode_windows1252(in, in_size, out, taken, bad);
    return decode_utf16(in, in_size, last, encoding == TABLE_UTF16BE, out, taken, bad);
}

/* ---- UTF-8 ---- */

/* ASCII without NUL at the beginning of `in`. */
static inline size_t skip_ascii(const unsigned char *in, size_t size)
{
    size_t at = 0;
#if defined(__SSE2__)
    const __m128i zero = _mm_setzero_si128();
    for (; at + 16 <= size; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(in + at));
        /* signed: above zero is 01…7F */
        unsigned other = (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(bytes, zero)) ^ 0xFFFFu;
        if (other != 0)
            return at + (size_t)__builtin_ctz(other);
    }
#endif
    while (at < size && in[at] >= 0x01 && in[at] < 0x80)
        at++;
    return at;
}

/* Three-byte characters one after the other, as Chinese text has them. */
static inline size_t skip_three_bytes(const unsigned char *in, size_t size)
{
    size_t at = 0;
    while (size - at >= 4) {
        uint32_t word;
        memcpy(&word, in + at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        word = __builtin_bswap32(word);
#endif
        /* E1…EC, EE, EF: no overlong forms, no surrogates to look for */
        if ((word & 0xC0C0F0) != 0x8080E0 || (word & 0xFF) == 0xE0 || (word & 0xFF) == 0xED)
            break;
        at += 3;
    }
    return at;
}

/* The bytes of the character at `in` (Unicode 15, table 3-7); 0: none; *cut: it may go on behind the end. */
static size_t character_size(const unsigned char *in, size_t left, bool *cut)
{
    unsigned char lead = in[0];
    if (lead < 0xC2 || lead > 0xF4)
        return lead > 0 && lead < 0x80 ? 1 : 0;
    size_t size = utf8_size_by_lead(lead);
    unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (size_t i = 1; i < size; i++) {
        if (i == left) {
            *cut = true;
            return 0;
        }
        if (in[i] < low || in[i] > high)
            return 0;
        low = 0x80;
        high = 0xBF;
    }
    return size;
}

size_t decode_utf8_valid(const char *text, size_t size, bool *cut)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t at = 0;
    *cut = false;
    while (at < size) {
        at += skip_ascii(in + at, size - at);
        at += skip_three_bytes(in + at, size - at);
        if (at == size || in[at] - 1u < 0x7F)
            continue;
        size_t bytes = character_size(in + at, size - at, cut);
        if (bytes == 0)
            break;
        at += bytes;
    }
    return at;
}
