/* SPDX-License-Identifier: Apache-2.0 */
/* guess_encoding: UTF-8 if it is that strictly or nearly, UTF-16 by its zeros, windows-1252 if what is not ASCII stands
 * alone within words of it, else GB18030. */
#include <string.h>

#include "base/arena.h"
#include "table/decode.h"
#include "table/guess.h"

/* A text of this share of characters that belong to none is no text. */
#define BAD_SHARE 0.1
#define CONTROL_SHARE 0.02

struct tally {
    size_t characters; /* of several bytes */
    size_t bad;
};

static struct tally tally_utf8(str text)
{
    struct tally tally = { 0 };
    for (size_t i = 0; i < text.size; i++)
        tally.characters += ((unsigned char)text.data[i] & 0xC0) == 0xC0;
    while (text.size > 0) {
        bool cut;
        size_t valid = decode_utf8_valid(text.data, text.size, &cut);
        if (valid == text.size || cut)
            break;
        tally.bad++;
        text = str_slice(text, valid + 1, text.size);
    }
    return tally;
}

/* Decoded in pieces on the stack. */
static struct tally tally_gb18030(str text)
{
    struct tally tally = { 0 };
    char out[DECODE_GROWTH * 4096 + 8];
    while (text.size > 0) {
        size_t piece = text.size < 4096 ? text.size : 4096, taken;
        bool bad = false;
        size_t size = decode_gb18030(text.data, piece, false, out, &taken, &bad);
        for (size_t i = 0; i < size; i++) {
            tally.bad += (unsigned char)out[i] == DECODE_BAD;
            tally.characters += ((unsigned char)out[i] & 0xC0) == 0xC0;
        }
        if (taken == 0)
            break;
        text = str_slice(text, taken, text.size);
    }
    return tally;
}

static bool is_letter(unsigned char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

/* Letters with accents stand alone between letters without ("café"); characters of GB18030 come in two bytes, mostly
 * both above 7F, and one after the other. A byte alone with an ASCII byte behind it may be either: it is a
 * letter when one stands before it, or two small ones behind. */
static bool is_western(str bytes)
{
    size_t runs = 0, alone = 0;
    const unsigned char *at = (const unsigned char *)bytes.data;
    for (size_t i = 0; i < bytes.size; i++) {
        if (at[i] < 0x80)
            continue;
        size_t begin = i;
        for (; i < bytes.size && at[i] >= 0x80; i++)
            if (!decode_is_windows1252(at[i]))
                return false;
        bool after = begin > 0 && is_letter(at[begin - 1]);
        bool before = i + 1 < bytes.size && is_letter(at[i]) && is_letter(at[i + 1]) &&
                      (at[i] & 0x20) != 0 && (at[i + 1] & 0x20) != 0;
        bool amount =
            i < bytes.size && at[i] >= '0' && at[i] <= '9'; /* £5, €5: no trail of two bytes */
        runs++;
        alone += i - begin == 1 && (after || before || amount);
    }
    return runs > 0 && alone * 3 >= runs * 2;
}

/* Of ASCII in UTF-16, every other byte is zero, and the other one is a character. */
static bool guess_utf16(str bytes, enum table_encoding *encoding)
{
    size_t zeros[2] = { 0, 0 }, odd[2] = { 0, 0 };
    for (size_t i = 0; i + 1 < bytes.size; i += 2)
        for (size_t k = 0; k < 2; k++) {
            unsigned char other = (unsigned char)bytes.data[i + 1 - k];
            zeros[k] += bytes.data[i + k] == '\0';
            odd[k] += bytes.data[i + k] == '\0' && other < ' ' && other != '\t' && other != '\n' &&
                      other != '\r';
        }
    if ((zeros[0] + zeros[1]) * 20 < bytes.size)
        return false;
    bool big = zeros[0] > 9 * zeros[1];
    *encoding = big ? TABLE_UTF16BE : TABLE_UTF16LE;
    return (big || zeros[1] > 9 * zeros[0]) && odd[big ? 0 : 1] * 50 < zeros[big ? 0 : 1];
}

static double control_share(str bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        count += byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r' && byte != 1;
    }
    return (double)count / (double)(bytes.size > 0 ? bytes.size : 1);
}

static bool is_much(size_t bad, size_t all)
{
    return (double)bad > BAD_SHARE * (double)(all + 1);
}

bool guess_encoding(str bytes, bool whole, enum table_encoding *encoding)
{
    bool cut;
    *encoding = TABLE_UTF8;
    if (str_starts_with(bytes, STR("\xEF\xBB\xBF")))
        return true;
    if (str_starts_with(bytes, STR("\xFF\xFE")) || str_starts_with(bytes, STR("\xFE\xFF"))) {
        *encoding = bytes.data[0] == '\xFF' ? TABLE_UTF16LE : TABLE_UTF16BE;
        return true;
    }
    if (guess_utf16(bytes, encoding))
        return true;
    *encoding = TABLE_UTF8;
    if (control_share(bytes) > CONTROL_SHARE)
        return false;
    size_t valid = decode_utf8_valid(bytes.data, bytes.size, &cut);
    if (valid == bytes.size || (cut && !whole))
        return true;
    /* One damaged place in a file of UTF-8 does not make it GB18030. */
    struct tally utf8 = tally_utf8(bytes);
    if (utf8.bad * 20 < utf8.characters)
        return true;
    if (is_western(bytes)) {
        *encoding = TABLE_WINDOWS1252;
        return true;
    }
    struct problem unused;
    *encoding = TABLE_GB18030;
    if (decode_prepare(TABLE_GB18030, &unused) != ERR_OK)
        return true; /* decoding says what is missing */
    struct tally gb18030 = tally_gb18030(bytes);
    if (utf8.characters + utf8.bad > 0 && gb18030.bad * 20 > gb18030.characters &&
        utf8.bad <= gb18030.bad) {
        *encoding = TABLE_UTF8;
        return !is_much(utf8.bad, bytes.size);
    }
    return !is_much(gb18030.bad, bytes.size);
}
