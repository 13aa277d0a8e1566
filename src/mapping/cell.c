/* SPDX-License-Identifier: Apache-2.0 */
/* How people and programs write texts, numbers, booleans and currencies in files. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/money.h"
#include "event/personal.h"
#include "mapping/value.h"

/* An initialiser of a str in a static table. */
#define LITERAL(text)                          \
    {                                          \
        .data = text, .size = sizeof(text) - 1 \
    }

/* ---- refusals ---- */

static const char *const refusal_codes[] = {
#define X(NAME, code, zh, en) [REFUSAL_##NAME] = code,
    REFUSAL_TABLE(X)
#undef X
};
static const struct {
    str code, zh, en;
} refusal_texts[] = {
#define X(NAME, code, zh, en) { LITERAL(code), LITERAL(zh), LITERAL(en) },
    REFUSAL_TABLE(X)
#undef X
};

bool mapping_code_text(str code, str *zh, str *en)
{
    for (size_t i = 0; i < REFUSAL_COUNT; i++)
        if (str_equal(code, refusal_texts[i].code)) {
            *zh = refusal_texts[i].zh;
            *en = refusal_texts[i].en;
            return true;
        }
    return false;
}

size_t mapping_code_count(void)
{
    return REFUSAL_COUNT;
}

str mapping_code(size_t index)
{
    return str_from_c(refusal_codes[index]);
}

bool refusal_set(struct refusal *refusal, enum refusal_code code, const char *detail, ...)
{
    va_list arguments;
    refusal->code = code;
    refusal->problem = (struct problem){ .error = ERR_UNPROCESSABLE };
    va_start(arguments, detail);
    vsnprintf(refusal->problem.detail, sizeof refusal->problem.detail, detail, arguments);
    va_end(arguments);
    return false;
}

bool refusal_cure(struct refusal *refusal, const char *cure, ...)
{
    va_list arguments;
    va_start(arguments, cure);
    vsnprintf(refusal->problem.hint, sizeof refusal->problem.hint, cure, arguments);
    va_end(arguments);
    return false;
}

bool refusal_nomem(struct refusal *refusal)
{
    refusal_set(refusal, REFUSAL_TOO_LARGE, "no memory for a row");
    refusal->problem.error = ERR_NOMEM;
    return false;
}

const char *refusal_shown(str text, char room[REFUSAL_SHOWN_BYTES])
{
    if (personal_by_value(text) != PERSONAL_NONE)
        return "…";
    size_t size = str_utf8_prefix_bytes(text, REFUSAL_SHOWN_BYTES - 4);
    if (size > 0)
        memcpy(room, text.data, size);
    memcpy(room + size, size < text.size ? "…" : "", size < text.size ? 4 : 1);
    return room;
}

/* ---- texts ---- */

static bool is_wrapped(str text, str before, char after)
{
    return text.size > before.size && str_starts_with(text, before) &&
           text.data[text.size - 1] == after;
}

/* ASCII that is no space: the spaces of other scripts have bytes beyond it. */
static bool is_plain_end(char c)
{
    return (unsigned char)c > ' ' && (unsigned char)c < 0x7F;
}

str cell_trim(str text)
{
    /* Most cells have no margins: two bytes tell. */
    bool bare =
        text.size > 0 && is_plain_end(text.data[0]) && is_plain_end(text.data[text.size - 1]);
    return bare ? text : str_trim(text);
}

str cell_clean(str text)
{
    text = cell_trim(text);
    if (text.size < 2 || (text.data[0] != '=' && text.data[0] != '\'' && text.data[0] != '"'))
        return text;
    if (is_wrapped(text, STR("=\""), '"'))
        text = str_slice(text, 2, text.size - 1);
    else if (is_wrapped(text, STR("'"), '\'') || is_wrapped(text, STR("\""), '"'))
        text = str_slice(text, 1, text.size - 1);
    else if (text.data[0] == '\'')
        text = str_slice(text, 1, text.size);
    return str_trim(text);
}

/* U+FF01 to U+FF5E are EF BC 81 to EF BD 9E: ASCII from '!' on. */
static bool full_width_at(str text, size_t at, char *plain)
{
    const unsigned char *byte = (const unsigned char *)text.data + at;
    if (at + 3 > text.size || byte[0] != 0xEF || (byte[1] != 0xBC && byte[1] != 0xBD))
        return false;
    unsigned code = (byte[1] == 0xBC ? 0U : 0x40U) + (byte[2] - 0x80U);
    if (byte[2] < 0x80 || byte[2] > 0xBF || code < 1 || code > 0x5E)
        return false;
    *plain = (char)(' ' + code);
    return true;
}

bool cell_half_width(str text, struct arena *arena, str *out, struct refusal *refusal)
{
    char plain;
    *out = text;
    if (text.size == 0 || memchr(text.data, 0xEF, text.size) == NULL)
        return true;
    char *made = arena_alloc_raw(arena, text.size);
    size_t size = 0;
    if (made == NULL)
        return refusal_nomem(refusal);
    for (size_t i = 0; i < text.size;) {
        bool wide = full_width_at(text, i, &plain);
        made[size++] = wide ? plain : text.data[i];
        i += wide ? 3 : 1;
    }
    *out = str_from_bytes(made, size);
    return true;
}

/* The next byte, a full-width form as the plain one it stands for. */
static char next_plain(str text, size_t *at)
{
    char plain;
    if (full_width_at(text, *at, &plain)) {
        *at += 3;
        return plain;
    }
    return text.data[(*at)++];
}

bool cell_is_same(str a, str b)
{
    size_t at = 0, other = 0;
    while (at < a.size && other < b.size)
        if (next_plain(a, &at) != next_plain(b, &other))
            return false;
    return at == a.size && other == b.size;
}

/* ---- digits that got lost ---- */

static size_t digits_from(str text, size_t at)
{
    size_t begin = at;
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    return at - begin;
}

bool cell_has_exponent(str text)
{
    size_t at = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    size_t whole = digits_from(text, at);
    if (whole == 0)
        return false;
    at += whole;
    if (at < text.size && text.data[at] == '.')
        at += 1 + digits_from(text, at + 1);
    if (at + 1 >= text.size || (text.data[at] != 'E' && text.data[at] != 'e'))
        return false;
    at++;
    if (text.data[at] == '+' || text.data[at] == '-')
        at++;
    size_t power = digits_from(text, at);
    return power > 0 && at + power == text.size;
}

/* Excel keeps 15 digits. A true id of 18 digits ends in three zeros once in a thousand, of 19 in four once in ten thousand:
 * the mapping may say that a column is right ("rounded":"keep"). Shorter ones cannot be told. */
#define EXCEL_DIGITS 15
#define ROUNDED_DIGITS_MIN 18

bool cell_is_rounded(str text)
{
    if (text.size < 5 || text.size > 40)
        return false;
    if (cell_has_exponent(text))
        return true;
    if (text.size < ROUNDED_DIGITS_MIN || digits_from(text, 0) != text.size)
        return false;
    for (size_t i = EXCEL_DIGITS; i < text.size; i++)
        if (text.data[i] != '0')
            return false;
    return true;
}

/* ---- numbers ---- */

static bool take_prefix(str *text, str prefix)
{
    if (!str_starts_with(*text, prefix))
        return false;
    *text = str_trim(str_slice(*text, prefix.size, text->size));
    return true;
}

static bool take_suffix(str *text, str suffix)
{
    if (!str_ends_with(*text, suffix))
        return false;
    *text = str_trim(str_slice(*text, 0, text->size - suffix.size));
    return true;
}

/* What stands around an amount, and the currencies that it may mean. */
static const struct {
    str sign;
    const char *currencies;
} currency_signs[] = {
    { LITERAL("￥"), "CNY JPY CNH" }, { LITERAL("¥"), "CNY JPY CNH" },
    { LITERAL("HK$"), "HKD" },        { LITERAL("NT$"), "TWD" },
    { LITERAL("US$"), "USD" },        { LITERAL("$"), "USD HKD TWD AUD CAD SGD NZD MXN" },
    { LITERAL("€"), "EUR" },          { LITERAL("£"), "GBP" },
    { LITERAL("₩"), "KRW" },          { LITERAL("元"), "CNY CNH" },
    { LITERAL("圆"), "CNY CNH" },     { LITERAL("円"), "JPY" },
    { LITERAL("RMB"), "CNY CNH" },    { LITERAL("CNY"), "CNY" },
    { LITERAL("USD"), "USD" },        { LITERAL("HKD"), "HKD" },
    { LITERAL("EUR"), "EUR" },        { LITERAL("GBP"), "GBP" },
    { LITERAL("JPY"), "JPY" },
};

/* Takes at most one sign or name; its currencies, or NULL. */
static const char *take_currency(str *text, bool before)
{
    for (size_t i = 0; i < sizeof currency_signs / sizeof currency_signs[0]; i++)
        if (before ? take_prefix(text, currency_signs[i].sign)
                   : take_suffix(text, currency_signs[i].sign))
            return currency_signs[i].currencies;
    return NULL;
}

/* Commas between groups of three digits, out; anything else stays and is no number. */
static bool drop_commas(str text, char out[EXACT_TEXT_BYTES], str *plain)
{
    size_t point = str_find_byte(text, '.'), size = 0, group = 0;
    bool comma = false;
    if (text.size > EXACT_TEXT_BYTES)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == ',' && i < point) {
            if (comma ? group != 3 : group < 1 || group > 3)
                return false;
            comma = true;
            group = 0;
            continue;
        }
        if (i < point && c != '-' && c != '+')
            group++;
        out[size++] = c;
    }
    if (comma && group != 3)
        return false;
    *plain = str_from_bytes(out, size);
    return true;
}

struct number_parts {
    str digits;
    bool negative, percent;
    const char *currencies; /* what its sign may mean; NULL: it has none */
};

/* Sign and currency in either order, (1,234.00) as accountants write it, percent behind. */
static void take_parts(str text, struct number_parts *parts)
{
    bool more = true, has_sign = false;
    if (text.size > 2 && text.data[0] == '(' && text.data[text.size - 1] == ')') {
        parts->negative = has_sign = true;
        text = str_trim(str_slice(text, 1, text.size - 1));
    }
    while (more) {
        more = false;
        if (parts->currencies == NULL && (parts->currencies = take_currency(&text, true)) != NULL)
            more = true;
        if (!has_sign && (take_prefix(&text, STR("-")) || take_prefix(&text, STR("−"))))
            parts->negative = has_sign = more = true;
        else if (!has_sign && take_prefix(&text, STR("+")))
            has_sign = more = true;
    }
    if (take_suffix(&text, STR("%")))
        parts->percent = true;
    else if (parts->currencies == NULL)
        parts->currencies = take_currency(&text, false);
    parts->digits = text;
}

static bool refuse_number(str text, struct refusal *refusal)
{
    char room[REFUSAL_SHOWN_BYTES];
    if (cell_has_exponent(text)) {
        refusal_set(refusal, REFUSAL_LOST_DIGITS, "'%s' has lost its digits",
                    refusal_shown(text, room));
        return refusal_cure(refusal,
                            "export again with the column as text, not as a number of Excel");
    }
    refusal_set(refusal, REFUSAL_NOT_A_NUMBER, "'%s' is not a number", refusal_shown(text, room));
    return refusal_cure(refusal, "numbers look like 1234.50, 1,234.50, ￥12, 12元 or 15%%");
}

static bool currency_is_among(const char *currencies, str currency)
{
    return currency.size == 0 || str_contains(str_from_c(currencies), currency);
}

static bool to_number_slowly(str text, str currency, struct arena *arena, struct exact *out,
                             struct refusal *refusal)
{
    char room[EXACT_TEXT_BYTES], shown[REFUSAL_SHOWN_BYTES];
    struct number_parts parts = { .negative = false };
    str half, plain;
    if (!cell_half_width(cell_clean(text), arena, &half, refusal))
        return false;
    take_parts(half, &parts);
    if (!drop_commas(parts.digits, room, &plain) || plain.size == 0 || plain.data[0] == '-' ||
        plain.data[0] == '+' || !exact_parse(plain, false, out))
        return refuse_number(half, refusal);
    if (parts.currencies != NULL && !currency_is_among(parts.currencies, currency)) {
        refusal_set(refusal, REFUSAL_UNKNOWN_CURRENCY, "'%s' is not in " STR_FMT,
                    refusal_shown(half, shown), STR_ARG(currency));
        return refusal_cure(refusal, "say the currency of the column in the mapping");
    }
    if (parts.negative)
        out->coefficient = -out->coefficient;
    if (!parts.percent)
        return true;
    if (out->scale + 2 > EXACT_SCALE_MAX)
        return refuse_number(half, refusal);
    out->scale += 2;
    return true;
}

bool cell_to_number(str text, str currency, struct arena *arena, struct exact *out,
                    struct refusal *refusal)
{
    if (text.size > 0 && text.size < 30 && exact_parse(text, false, out))
        return true;
    return to_number_slowly(text, currency, arena, out, refusal);
}

/* ---- booleans ---- */

bool cell_to_bool(str text, bool *out, struct refusal *refusal)
{
    static const str yes[] = { LITERAL("是"), LITERAL("y"),    LITERAL("yes"), LITERAL("true"),
                               LITERAL("1"),  LITERAL("有"),   LITERAL("√"),   LITERAL("on"),
                               LITERAL("t"),  LITERAL("真"),   LITERAL("✓"),   LITERAL("开"),
                               LITERAL("已"), LITERAL("启用"), LITERAL("对") };
    static const str no[] = { LITERAL("否"), LITERAL("n"),    LITERAL("no"), LITERAL("false"),
                              LITERAL("0"),  LITERAL("无"),   LITERAL("×"),  LITERAL("off"),
                              LITERAL("f"),  LITERAL("假"),   LITERAL("✗"),  LITERAL("关"),
                              LITERAL("未"), LITERAL("停用"), LITERAL("错") };
    char room[REFUSAL_SHOWN_BYTES];
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (str_equal_ignoring_case(text, yes[i])) {
            *out = true;
            return true;
        }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (str_equal_ignoring_case(text, no[i])) {
            *out = false;
            return true;
        }
    refusal_set(refusal, REFUSAL_NOT_A_BOOLEAN, "'%s' is neither yes nor no",
                refusal_shown(text, room));
    return refusal_cure(refusal, "是/否, Y/N, TRUE/FALSE and 1/0 are read; map other words");
}

/* ---- currencies ---- */

bool cell_to_currency(str text, char code[4])
{
    static const struct {
        str name;
        char code[4];
    } names[] = {
        { LITERAL("人民币"), "CNY" }, { LITERAL("rmb"), "CNY" },  { LITERAL("元"), "CNY" },
        { LITERAL("￥"), "CNY" },     { LITERAL("¥"), "CNY" },    { LITERAL("美元"), "USD" },
        { LITERAL("$"), "USD" },      { LITERAL("us$"), "USD" },  { LITERAL("港币"), "HKD" },
        { LITERAL("港元"), "HKD" },   { LITERAL("hk$"), "HKD" },  { LITERAL("新台币"), "TWD" },
        { LITERAL("nt$"), "TWD" },    { LITERAL("欧元"), "EUR" }, { LITERAL("€"), "EUR" },
        { LITERAL("英镑"), "GBP" },   { LITERAL("£"), "GBP" },    { LITERAL("日元"), "JPY" },
        { LITERAL("円"), "JPY" },     { LITERAL("韩元"), "KRW" }, { LITERAL("₩"), "KRW" },
        { LITERAL("澳门元"), "MOP" }
    };
    bool known = false;
    text = str_trim(text);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_equal_ignoring_case(text, names[i].name)) {
            memcpy(code, names[i].code, 4);
            return true;
        }
    (void)currency_minor_digits(text, &known);
    if (!known)
        return false;
    for (size_t i = 0; i < 3; i++) {
        char c = text.data[i];
        code[i] = c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
    }
    code[3] = '\0';
    return true;
}
