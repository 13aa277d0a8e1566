/* SPDX-License-Identifier: Apache-2.0 */
/* Names and values that stand for a person. */
#include "event/personal.h"

#include <stdint.h>
#include <string.h>

#define SQUEEZED_BYTES_MAX 40

struct personal_entry {
    const char *name;
    uint8_t size;
    uint8_t kind;
};

#define X(kind, name) { name, sizeof(name) - 1, PERSONAL_##kind },
static const struct personal_entry entries[] = { PERSONAL_TABLE(X) };
#undef X
#define ENTRY_COUNT (sizeof entries / sizeof entries[0])

static bool is_separator(char c)
{
    return c == '_' || c == '-' || c == '.' || c == ' ' || c == '$';
}

/* Without case and separators; 0 when it is longer than any name in the table. */
static size_t squeeze(str name, char out[SQUEEZED_BYTES_MAX])
{
    size_t size = 0;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (is_separator(c))
            continue;
        if (size == SQUEEZED_BYTES_MAX)
            return 0;
        out[size++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return size;
}

enum personal_kind personal_by_name(str name)
{
    char squeezed[SQUEEZED_BYTES_MAX];
    size_t size = squeeze(name, squeezed);
    if (size == 0)
        return PERSONAL_NONE;
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (entries[i].size == size && memcmp(entries[i].name, squeezed, size) == 0)
            return (enum personal_kind)entries[i].kind;
    return PERSONAL_NONE;
}

bool personal_name_is_code(str name)
{
    static const char *const endings[] = {
        "id",    "ids",    "no",  "sn",  "code", "sku",  "key",
        "token", "number", "num", "seq", "hash", "单号", "编号"
    };
    char squeezed[SQUEEZED_BYTES_MAX];
    size_t size = squeeze(name, squeezed);
    str text = str_from_bytes(squeezed, size);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (str_ends_with(text, str_from_c(endings[i])))
            return true;
    return false;
}

/* 'Zhang's phone is 138…' is no phone: only a whole text of digits and the signs between them is. The
 * rules of docs/formats/event.md: a mainland mobile, or a number with a country code. */
static bool looks_like_phone(str text)
{
    char digits[20];
    size_t count = 0;
    bool international = text.data[0] == '+';
    for (size_t i = international ? 1 : 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == ' ' || c == '-' || c == '(' || c == ')')
            continue;
        if (c < '0' || c > '9' || count == sizeof digits)
            return false;
        digits[count++] = c;
    }
    str number = str_from_bytes(digits, count);
    if (!international && str_starts_with(number, STR("0086")))
        number = str_slice(number, 4, number.size);
    else if (number.size == 13 && str_starts_with(number, STR("86")))
        number = str_slice(number, 2, number.size);
    else if (international)
        return count >= 8 && count <= 15;
    return number.size == 11 && number.data[0] == '1' && number.data[1] >= '3';
}

static bool is_email_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._%+-'", c) != NULL) || (c & 0x80) != 0;
}

static bool looks_like_email(str text)
{
    size_t at = str_find_byte(text, '@');
    str domain = str_slice(text, at + 1, text.size);
    if (at == 0 || at > 64 || domain.size < 3 || text.size > 254 || domain.data[0] == '.' ||
        str_ends_with(domain, STR(".")) || str_find_byte(domain, '.') == domain.size)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (i != at && !is_email_byte(text.data[i]))
            return false;
    return true;
}

enum personal_kind personal_by_value(str text)
{
    if (text.size < 6 || text.size > 254)
        return PERSONAL_NONE;
    char first = text.data[0];
    bool digit = (first >= '0' && first <= '9') || first == '+' || first == '(';
    if (digit && text.size >= 8 && text.size <= 24 && looks_like_phone(text))
        return PERSONAL_PHONE;
    if (str_find_byte(text, '@') < text.size && looks_like_email(text))
        return PERSONAL_EMAIL;
    return PERSONAL_NONE;
}

bool personal_is_masked(str text)
{
    if (str_find_byte(text, '*') < text.size)
        return true;
    /* ● and •, as some platforms write it */
    return str_find_byte(text, '\xE2') < text.size &&
           (str_contains(text, STR("●")) || str_contains(text, STR("••")));
}

bool personal_is_coarse(str name)
{
    static const char *const coarse[] = { "country", "countrycode", "province", "state",
                                          "region",  "city",        "district", "county",
                                          "area",    "国家",        "省",       "省份",
                                          "市",      "城市",        "区",       "区县" };
    char squeezed[SQUEEZED_BYTES_MAX];
    size_t size = squeeze(name, squeezed);
    for (size_t i = 0; i < sizeof coarse / sizeof coarse[0]; i++)
        if (strlen(coarse[i]) == size && memcmp(coarse[i], squeezed, size) == 0)
            return true;
    return false;
}

/* ---- masks ---- */

/* Bytes of the first `characters` of `text`. */
static size_t prefix_of_characters(str text, size_t characters)
{
    size_t i = 0;
    while (i < text.size && characters > 0) {
        i++;
        while (i < text.size && ((unsigned char)text.data[i] & 0xC0) == 0x80)
            i++;
        characters--;
    }
    return i;
}

static void write_first(struct buffer *out, str text, size_t characters)
{
    buffer_append_str(out, str_slice(text, 0, prefix_of_characters(text, characters)));
}

static void write_last_bytes(struct buffer *out, str text, size_t count)
{
    /* Only over ASCII: a character must not be cut. */
    str tail = str_slice(text, text.size - count, text.size);
    for (size_t i = 0; i < tail.size; i++)
        if ((tail.data[i] & 0x80) != 0)
            return;
    buffer_append_str(out, tail);
}

/* All but the digits before the middle four and behind them, which stay where they are: spaces between them, too. */
static void write_masked_phone(struct buffer *out, str text)
{
    size_t digits = 0, at = 0;
    for (size_t i = 0; i < text.size; i++)
        digits += text.data[i] >= '0' && text.data[i] <= '9' ? 1 : 0;
    if (digits < 11 || digits + 8 < text.size) {
        buffer_append_str(out, STR("****"));
        return;
    }
    for (size_t i = 0; i < text.size; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
        bool hidden = is_digit && at + 8 >= digits && at + 4 < digits;
        buffer_append_byte(out, (uint8_t)(hidden ? '*' : text.data[i]));
        at += is_digit ? 1 : 0;
    }
}

void personal_write_masked(struct buffer *out, enum personal_kind kind, str text)
{
    switch (kind) {
    case PERSONAL_PHONE:
        write_masked_phone(out, text);
        break;
    case PERSONAL_EMAIL: {
        size_t at = str_find_byte(text, '@');
        write_first(out, text, at > 0 && at < text.size ? 1 : 0);
        buffer_append_str(out, STR("***"));
        buffer_append_str(out, str_slice(text, at, text.size));
        break;
    }
    case PERSONAL_ID_CARD:
        buffer_append_str(out, STR("******"));
        if (text.size >= 15)
            write_last_bytes(out, text, 4);
        break;
    case PERSONAL_NAME:
        write_first(out, text, 1);
        buffer_append_str(out, STR("**"));
        break;
    case PERSONAL_ADDRESS:
        write_first(out, text, text.size >= 24 ? 3 : 0);
        buffer_append_str(out, STR("******"));
        break;
    case PERSONAL_NONE:
    case PERSONAL_RECEIVER:
        buffer_append_str(out, STR("***"));
        break;
    }
}
