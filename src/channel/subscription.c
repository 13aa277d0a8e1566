/* SPDX-License-Identifier: Apache-2.0 */
/* subscription: checking values before they are sent (protocols §4.5): a refused message uses up a consent. */
#include "channel/subscription.h"

#include <string.h>

/* ---- characters ---- */

/* The next character of well-formed UTF-8. */
static uint32_t next_character(str text, size_t *at)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    uint32_t lead = bytes[*at];
    size_t more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    uint32_t character = more == 0 ? lead : lead & (0x3FU >> more);
    (*at)++;
    for (size_t i = 0; i < more && *at < text.size; i++)
        character = character << 6 | (bytes[(*at)++] & 0x3FU);
    return character;
}

struct counts {
    size_t all, digits, letters, cjk, symbols;
};

static bool is_cjk(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || c >= 0x20000;
}

static struct counts count(str text)
{
    struct counts counts = { 0, 0, 0, 0, 0 };
    for (size_t at = 0; at < text.size;) {
        uint32_t c = next_character(text, &at);
        counts.all++;
        if (c >= '0' && c <= '9')
            counts.digits++;
        else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
            counts.letters++;
        else if (is_cjk(c))
            counts.cjk++;
        else
            counts.symbols++;
    }
    return counts;
}

/* ---- types ---- */

static const char *check_thing(str value)
{
    return count(value).all <= 20 ? NULL : "a thing has at most 20 characters";
}

static const char *check_number(str value)
{
    struct counts counts = count(value);
    bool has_point = str_find_byte(value, '.') < value.size;
    bool has_sign = value.size > 0 && value.data[0] == '-';
    return counts.all <= 32 && counts.digits > 0 &&
                   counts.all == counts.digits + (has_point ? 1U : 0U) + (has_sign ? 1U : 0U)
               ? NULL
               : "a number has at most 32 digits, and nothing else";
}

static const char *check_letter(str value)
{
    struct counts counts = count(value);
    return counts.all <= 32 && counts.letters == counts.all
               ? NULL
               : "a letter value has at most 32 letters, and nothing else";
}

static const char *check_symbol(str value)
{
    struct counts counts = count(value);
    return counts.all <= 5 && counts.symbols == counts.all
               ? NULL
               : "a symbol value has at most 5 signs, and nothing else";
}

static const char *check_string(str value)
{
    struct counts counts = count(value);
    return counts.all <= 32 && counts.cjk == 0
               ? NULL
               : "a character string has at most 32 letters, digits and signs";
}

/* Digits in `most` places at most, then `after`; what follows in `rest`. */
static bool take_number(str *rest, size_t most, const char *after)
{
    size_t size = 0;
    str sign = str_from_c(after);
    while (size < rest->size && size < most && rest->data[size] >= '0' && rest->data[size] <= '9')
        size++;
    if (size == 0 || !str_starts_with(str_slice(*rest, size, rest->size), sign))
        return false;
    *rest = str_slice(*rest, size + sign.size, rest->size);
    return true;
}

static bool take_clock(str *rest)
{
    str saved = *rest;
    if (!take_number(rest, 2, ":") || !take_number(rest, 2, "")) {
        *rest = saved;
        return false;
    }
    if (rest->size > 0 && rest->data[0] == ':') {
        *rest = str_slice(*rest, 1, rest->size);
        return take_number(rest, 2, "");
    }
    return true;
}

/* 2019年10月1日, 2019-10-01, 2019/10/1, 2019.10.1 */
static bool take_day(str *rest)
{
    static const char *const SIGNS[][3] = {
        { "年", "月", "日" }, { "-", "-", "" }, { "/", "/", "" }, { ".", ".", "" }
    };
    for (size_t i = 0; i < sizeof SIGNS / sizeof SIGNS[0]; i++) {
        str tried = *rest;
        if (take_number(&tried, 4, SIGNS[i][0]) && take_number(&tried, 2, SIGNS[i][1]) &&
            take_number(&tried, 2, SIGNS[i][2])) {
            *rest = tried;
            return true;
        }
    }
    return false;
}

/* One moment, or two with '~' between. */
static bool is_moment(str value, bool needs_day)
{
    for (str rest = value;;) {
        bool has_day = take_day(&rest);
        rest = str_trim(rest);
        bool has_clock = take_clock(&rest);
        if (!has_day && (needs_day || !has_clock))
            return false;
        rest = str_trim(rest);
        if (rest.size == 0)
            return true;
        if (rest.data[0] != '~')
            return false;
        rest = str_trim(str_slice(rest, 1, rest.size));
    }
}

static const char *check_time(str value)
{
    return is_moment(value, false) ? NULL : "a time is as 15:01 or 2019年10月1日 15:01";
}

static const char *check_date(str value)
{
    return is_moment(value, true) ? NULL : "a date is as 2019年10月1日, with 15:01 or without";
}

static const char *check_amount(str value)
{
    static const char wrong[] =
        "an amount is a currency sign, at most 10 digits, and 元 at the end";
    static const char *const SIGNS[] = { "¥", "￥", "$", "€", "£" };
    str rest = value;
    for (size_t i = 0; i < sizeof SIGNS / sizeof SIGNS[0]; i++)
        if (str_starts_with(rest, str_from_c(SIGNS[i]))) {
            rest = str_slice(rest, strlen(SIGNS[i]), rest.size);
            break;
        }
    if (str_ends_with(rest, STR("元")))
        rest = str_slice(rest, 0, rest.size - strlen("元"));
    struct counts counts = count(rest);
    bool has_point = str_find_byte(rest, '.') < rest.size;
    return counts.digits > 0 && counts.digits <= 10 &&
                   counts.all == counts.digits + (has_point ? 1U : 0U)
               ? NULL
               : wrong;
}

static const char *check_phone(str value)
{
    struct counts counts = count(value);
    return counts.all <= 17 && counts.digits > 0 && counts.letters == 0 && counts.cjk == 0
               ? NULL
               : "a phone number has at most 17 digits and signs";
}

static const char *check_car(str value)
{
    return count(value).all <= 8 ? NULL : "a car's number has at most 8 characters";
}

static const char *check_name(str value)
{
    struct counts counts = count(value);
    size_t most = counts.cjk > 0 ? 10 : 20;
    return counts.all <= most && counts.digits == 0
               ? NULL
               : "a name has at most 10 Chinese characters or 20 letters, and no digits";
}

static const char *check_phrase(str value)
{
    struct counts counts = count(value);
    return counts.all <= 5 && counts.cjk == counts.all
               ? NULL
               : "a phrase has at most 5 Chinese characters";
}

static const struct {
    const char *type;
    const char *(*check)(str value);
} TYPES[] = {
    { "thing", check_thing },
    { "number", check_number },
    { "letter", check_letter },
    { "symbol", check_symbol },
    { "character_string", check_string },
    { "time", check_time },
    { "date", check_date },
    { "amount", check_amount },
    { "phone_number", check_phone },
    { "car_number", check_car },
    { "name", check_name },
    { "phrase", check_phrase },
};

const char *subscription_check(str name, str value)
{
    size_t size = name.size;
    while (size > 0 && name.data[size - 1] >= '0' && name.data[size - 1] <= '9')
        size--;
    str type = str_slice(name, 0, size);
    if (!str_is_utf8(value))
        return "it is not text";
    if (value.size == 0)
        return "it is empty";
    for (size_t i = 0; i < value.size; i++)
        if ((unsigned char)value.data[i] < 0x20)
            return "it has a line break or another control character";
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (str_equal(type, str_from_c(TYPES[i].type)))
            return TYPES[i].check(value);
    return NULL;
}
