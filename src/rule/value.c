/* SPDX-License-Identifier: Apache-2.0 */
/* Values against literals: numbers by bounds, texts by operator, dates by their anniversary. */
#include <string.h>

#include "rule/inside.h"

/* ---- tables ---- */

static const struct {
    const char *word, *kinds, *zh, *en;
    char arity;
} operators[OP_COUNT] = { [OP_NONE] = { "", "", "", "", '0' },
#define X(NAME, word, arity, kinds, zh, en) [OP_##NAME] = { word, kinds, zh, en, arity },
                          RULE_OPERATORS(X)
#undef X
};

const char *operator_word(enum comparison op)
{
    return operators[op].word;
}

const char *operator_kinds(enum comparison op)
{
    return operators[op].kinds;
}

char operator_arity(enum comparison op)
{
    return operators[op].arity;
}

const char *operator_label(enum comparison op, bool chinese)
{
    return chinese ? operators[op].zh : operators[op].en;
}

enum comparison operator_find(str word)
{
    for (int op = OP_NONE + 1; op < OP_COUNT; op++)
        if (str_equal(word, str_from_c(operators[op].word)))
            return (enum comparison)op;
    return OP_NONE;
}

static const struct {
    const char *word, *kinds, *zh, *en;
    char of;
} measures[MEASURE_END] = {
#define X(NAME, word, of, kinds, zh, en) [MEASURE_##NAME] = { word, kinds, zh, en, of },
    RULE_MEASURES(X)
#undef X
};

const char *measure_word(enum measure measure)
{
    return measures[measure].word;
}

const char *measure_label(enum measure measure, bool chinese)
{
    return chinese ? measures[measure].zh : measures[measure].en;
}

const char *measure_kinds(enum measure measure)
{
    return measures[measure].kinds;
}

char measure_of(enum measure measure)
{
    return measures[measure].of;
}

bool measure_find(str word, enum measure *measure)
{
    for (int i = 0; i < MEASURE_END; i++) {
        if (str_equal(word, str_from_c(measures[i].word))) {
            *measure = (enum measure)i;
            return true;
        }
    }
    return false;
}

static const struct {
    char letter;
    const char *word;
} kinds[] = {
    [RULE_TEXT] = { 't', "text" },   [RULE_NUMBER] = { 'n', "number" },
    [RULE_MONEY] = { 'm', "money" }, [RULE_TIME] = { 'd', "time" },
    [RULE_BOOL] = { 'b', "bool" },   [RULE_TEXTS] = { 'l', "list of texts" },
};

char kind_letter(enum rule_kind kind)
{
    return kinds[kind].letter;
}

const char *kind_word(enum rule_kind kind)
{
    return kinds[kind].word;
}

bool is_text_kind(enum rule_kind kind)
{
    return kind == RULE_TEXT || kind == RULE_TEXTS;
}

/* ---- numbers ---- */

static bool is_listed(const struct compare *compare, wide value)
{
    uint32_t low = 0, high = compare->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare->numbers[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < compare->count && compare->numbers[low] == value;
}

bool number_holds(const struct compare *compare, wide value)
{
    bool within = compare->numbers != NULL ? is_listed(compare, value)
                                           : value >= compare->low && value <= compare->high;
    return within != compare->negate;
}

static bool take_digit(str text, size_t *at, int *digit)
{
    if (*at >= text.size || text.data[*at] < '0' || text.data[*at] > '9')
        return false;
    *digit = text.data[(*at)++] - '0';
    return true;
}

static bool take_exponent(str text, size_t *at, int64_t *exponent)
{
    *exponent = 0;
    if (*at == text.size)
        return true;
    if (text.data[*at] != 'e' && text.data[*at] != 'E')
        return false;
    (*at)++;
    if (*at < text.size && text.data[*at] == '+')
        (*at)++;
    return str_to_int64(str_slice(text, *at, text.size), exponent) && *exponent >= -400 &&
           *exponent <= 400;
}

bool millionths_parse(str text, wide *millionths)
{
    size_t at = 0;
    bool negative = text.size > 0 && text.data[0] == '-';
    at += negative;
    wide value = 0;
    int64_t places = 0, exponent;
    int digit;
    bool any = false, behind_point = false;
    for (;;) {
        if (!behind_point && at < text.size && text.data[at] == '.') {
            behind_point = true;
            at++;
        }
        if (!take_digit(text, &at, &digit))
            break;
        any = true;
        if (value > WIDE_MAX / 10)
            return false;
        value = value * 10 + digit;
        places += behind_point;
    }
    if (!any || !take_exponent(text, &at, &exponent))
        return false;
    for (int64_t up = 6 - places + exponent; up != 0 && value != 0; up += up < 0 ? 1 : -1) {
        if (up < 0 ? value % 10 != 0 : value > WIDE_MAX / 10)
            return false;
        value = up < 0 ? value / 10 : value * 10;
    }
    *millionths = negative ? -value : value;
    return true;
}

void wide_write(struct buffer *out, wide value)
{
    char digits[48];
    size_t at = sizeof(digits);
    bool negative = value < 0;
    if (negative)
        value = -value;
    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value > 0);
    if (negative)
        digits[--at] = '-';
    buffer_append(out, digits + at, sizeof(digits) - at);
}

void millionths_write(struct buffer *out, wide value)
{
    if (value < 0) {
        buffer_append_byte(out, '-');
        value = -value;
    }
    wide_write(out, value / MILLION);
    int rest = (int)(value % MILLION);
    if (rest == 0)
        return;
    char digits[8];
    int size = 6;
    for (int i = 5; i >= 0; i--, rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    while (digits[size - 1] == '0')
        size--;
    buffer_append_byte(out, '.');
    buffer_append(out, digits, (size_t)size);
}

/* ---- texts ---- */

bool texts_are_sorted_in(const str *texts, uint32_t count, str value)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(texts[middle], value);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool wide_holds(enum comparison op, wide left, wide right)
{
    switch (op) {
    case OP_EQ:
        return left == right;
    case OP_NE:
        return left != right;
    case OP_LT:
        return left < right;
    case OP_LTE:
        return left <= right;
    case OP_GT:
        return left > right;
    case OP_GTE:
        return left >= right;
    case OP_NONE:
    case OP_IN:
    case OP_NOT_IN:
    case OP_BETWEEN:
    case OP_CONTAINS:
    case OP_NOT_CONTAINS:
    case OP_STARTS_WITH:
    case OP_ENDS_WITH:
    case OP_MATCHES:
    case OP_ON:
    case OP_ANNIVERSARY:
    case OP_IS_SET:
    case OP_IS_NOT_SET:
    case OP_COUNT:
    default:
        INVARIANT(false);
    }
}

/* Without negation: of a list, `ne` is true if no text equals. */
bool text_holds(const struct compare *compare, str value)
{
    switch (compare->op) {
    case OP_EQ:
    case OP_NE:
        return str_equal(value, compare->texts[0]);
    case OP_IN:
    case OP_NOT_IN:
        return texts_are_sorted_in(compare->texts, compare->count, value);
    case OP_CONTAINS:
    case OP_NOT_CONTAINS:
        return str_contains(value, compare->texts[0]);
    case OP_STARTS_WITH:
        return str_starts_with(value, compare->texts[0]);
    case OP_ENDS_WITH:
        return str_ends_with(value, compare->texts[0]);
    case OP_MATCHES:
        return pattern_matches(compare->pattern, value);
    case OP_NONE:
    case OP_LT:
    case OP_LTE:
    case OP_GT:
    case OP_GTE:
    case OP_BETWEEN:
    case OP_ON:
    case OP_ANNIVERSARY:
    case OP_IS_SET:
    case OP_IS_NOT_SET:
    case OP_COUNT:
    default:
        return false;
    }
}

/* ---- anniversaries ---- */

/* Is this local day an anniversary of `date`? That of 29 February is the 28th where there is no 29th. */
static bool is_anniversary(struct date date, int64_t day)
{
    struct date other = date_of_day(day);
    if (other.year <= date.year || other.month != date.month)
        return false;
    int wanted = date.day;
    int last = days_of_month(other.year, other.month);
    return other.day == (wanted < last ? wanted : last);
}

static bool any_anniversary(struct date date, int64_t first, int64_t last)
{
    if (last - first > 40) {
        /* A long stretch: the years it touches. */
        int64_t year_last = date_of_day(last).year;
        for (int64_t year = date_of_day(first).year; year <= year_last; year++) {
            int days = days_of_month(year, date.month);
            int64_t day = day_of_date(year, date.month, date.day < days ? date.day : days);
            if (year > date.year && day >= first && day <= last)
                return true;
        }
        return false;
    }
    for (int64_t day = first; day <= last; day++)
        if (is_anniversary(date, day))
            return true;
    return false;
}

bool anniversary_holds(const struct compare *compare, const struct zone *zone, int64_t value_ms,
                       int64_t now_ms)
{
    struct date date = date_of_day(zone_day(zone, value_ms));
    int64_t today = zone_day(zone, now_ms);
    if (compare->anniversary == ANNIVERSARY_DAYS)
        return any_anniversary(date, today + compare->day_first, today + compare->day_last);
    struct date now = date_of_day(today);
    if (compare->anniversary == ANNIVERSARY_MONTH)
        return now.month == date.month && now.year > date.year;
    int64_t monday = today - ((today + 3) % 7 + 7) % 7;
    return any_anniversary(date, monday, monday + 6);
}
