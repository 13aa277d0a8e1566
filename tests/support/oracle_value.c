/* SPDX-License-Identifier: Apache-2.0 */
/* The naive twin's values and comparisons. */
#include "support/oracle_value.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/oracle_time.h"

static bool has(json_value object, const char *key)
{
    return json_kind(json_get(object, str_from_c(key))) != JSON_MISSING;
}

/* ---- values ---- */

static big millionths(json_value json)
{
    if (json_kind(json) == JSON_INT)
        return (big)json_int(json, 0) * 1000000;
    return llround(json_double(json, 0) * 1e6);
}

struct oracle_value oracle_value_of(json_value json, enum rule_kind kind)
{
    struct oracle_value value = { .kind = kind };
    value.set = json_kind(json) != JSON_MISSING && json_kind(json) != JSON_NULL;
    if (kind == RULE_TEXTS) {
        value.list = json;
        value.set = value.set && json_count(json) > 0;
    } else if (kind == RULE_TEXT) {
        value.text = json_text(json);
        value.set = value.set && value.text.size > 0;
    } else if (kind == RULE_NUMBER) {
        value.number = millionths(json);
    } else if (kind == RULE_BOOL) {
        value.number = json_bool(json, false);
    } else {
        value.number = json_int(json, 0);
    }
    return value;
}

static big literal(const struct oracle *oracle, json_value json, enum rule_kind kind)
{
    switch (kind) {
    case RULE_NUMBER:
        return millionths(json);
    case RULE_BOOL:
        return json_bool(json, false);
    case RULE_TIME:
        return oracle_moment(oracle, json);
    case RULE_MONEY:
    case RULE_TEXT:
    case RULE_TEXTS:
    default:
        return json_int(json, 0);
    }
}

/* ---- comparing ---- */

static bool is_anniversary(struct oracle_date date, int64_t day)
{
    struct oracle_date other = oracle_date(day);
    int last = oracle_month_length(other.year, other.month);
    return other.year > date.year && other.month == date.month &&
           other.day == (date.day < last ? date.day : last);
}

static bool anniversary(const struct oracle *oracle, int64_t value_ms, str form)
{
    struct oracle_date date = oracle_date(oracle_day(oracle, value_ms));
    int64_t today = oracle_day(oracle, oracle->now_ms);
    int64_t first = today, last = today;
    struct oracle_term term = { 0, 'd' };
    if (str_equal(form, STR("this_month")))
        return oracle_date(today).month == date.month && oracle_date(today).year > date.year;
    if (str_equal(form, STR("this_week"))) {
        first = today - ((today + 3) % 7 + 7) % 7;
        last = first + 6;
    } else if (str_starts_with(form, STR("in "))) {
        (void)oracle_term(str_slice(form, 3, form.size), &term);
        first = last = today + term.count * (term.unit == 'w' ? 7 : 1);
    } else if (str_starts_with(form, STR("within "))) {
        (void)oracle_term(str_slice(form, 7, form.size), &term);
        last = today + term.count * (term.unit == 'w' ? 7 : 1);
    } else if (str_ends_with(form, STR(" ago"))) {
        (void)oracle_term(str_slice(form, 0, form.size - 4), &term);
        first = last = today - term.count * (term.unit == 'w' ? 7 : 1);
    }
    for (int64_t day = first; day <= last; day++)
        if (is_anniversary(date, day))
            return true;
    return false;
}

static bool regex_matches(str pattern, str text)
{
    char copy[256], subject[512];
    regex_t compiled;
    snprintf(copy, sizeof(copy), STR_FMT, STR_ARG(pattern));
    snprintf(subject, sizeof(subject), STR_FMT, STR_ARG(text));
    if (regcomp(&compiled, copy, REG_EXTENDED | REG_NOSUB) != 0)
        abort();
    bool found = regexec(&compiled, subject, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

/* One text by one operator, as if it were not turned: ne asks whether it is equal. */
static bool one_text(str op, json_value with, str text)
{
    if (str_equal(op, STR("eq")) || str_equal(op, STR("ne")))
        return str_equal(text, json_text(with));
    if (str_equal(op, STR("in")) || str_equal(op, STR("not_in"))) {
        struct json_iterator iterator = json_iterate(with);
        json_value item;
        while (json_next(&iterator, NULL, &item))
            if (str_equal(text, json_text(item)))
                return true;
        return false;
    }
    str part = json_text(with);
    if (str_equal(op, STR("contains")) || str_equal(op, STR("not_contains")))
        return part.size == 0 || (text.size >= part.size &&
                                  memmem(text.data, text.size, part.data, part.size) != NULL);
    if (str_equal(op, STR("starts_with")))
        return text.size >= part.size && memcmp(text.data, part.data, part.size) == 0;
    if (str_equal(op, STR("ends_with")))
        return text.size >= part.size &&
               memcmp(text.data + text.size - part.size, part.data, part.size) == 0;
    return regex_matches(part, text);
}

static bool is_turned(str op)
{
    return str_equal(op, STR("ne")) || str_equal(op, STR("not_in")) ||
           str_equal(op, STR("not_contains"));
}

bool oracle_compare_text(str op, json_value with, const struct oracle_value *value)
{
    bool any = false;
    if (value->kind == RULE_TEXT) {
        any = one_text(op, with, value->text);
    } else {
        struct json_iterator iterator = json_iterate(value->list);
        json_value item;
        while (json_next(&iterator, NULL, &item))
            any |= one_text(op, with, json_text(item));
    }
    return any != is_turned(op);
}

/* number / count against literals. */
static bool compare_number(const struct oracle *oracle, str op, json_value with,
                           const struct oracle_value *value, big count)
{
    big number = value->number;
    if (str_equal(op, STR("in")) || str_equal(op, STR("not_in"))) {
        struct json_iterator iterator = json_iterate(with);
        json_value item;
        bool found = false;
        while (json_next(&iterator, NULL, &item))
            found |= literal(oracle, item, value->kind) * count == number;
        return found == str_equal(op, STR("in"));
    }
    if (str_equal(op, STR("between"))) {
        big low = literal(oracle, json_at(with, 0), value->kind);
        big high = literal(oracle, json_at(with, 1), value->kind);
        return number >= low * count &&
               (value->kind == RULE_TIME ? number < high : number <= high * count);
    }
    if (str_equal(op, STR("anniversary")))
        return anniversary(oracle, (int64_t)number, json_text(with));
    big other = literal(oracle, with, value->kind);
    if (str_equal(op, STR("on")))
        return oracle_day(oracle, (int64_t)number) == oracle_day(oracle, (int64_t)other);
    other *= count;
    if (str_equal(op, STR("eq")))
        return number == other;
    if (str_equal(op, STR("ne")))
        return number != other;
    if (str_equal(op, STR("lt")))
        return number < other;
    if (str_equal(op, STR("lte")))
        return number <= other;
    if (str_equal(op, STR("gt")))
        return number > other;
    return number >= other;
}

static const char *const operators[] = {
    "eq",        "ne",      "in",      "not_in",      "lt",           "lte",
    "gt",        "gte",     "between", "contains",    "not_contains", "starts_with",
    "ends_with", "matches", "on",      "anniversary", "is_set",       "is_not_set",
};

/* The operator that the rule has, or the one that stands when there is none. */
str oracle_operator(json_value rule, const char *otherwise)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (has(rule, operators[i]))
            return str_from_c(operators[i]);
    return str_from_c(otherwise);
}

bool oracle_compare(const struct oracle *oracle, json_value rule, const struct oracle_value *value,
                    big count, const char *otherwise)
{
    str op = oracle_operator(rule, otherwise);
    json_value with = json_get(rule, op);
    if (str_equal(op, STR("is_set")))
        return value->set;
    if (str_equal(op, STR("is_not_set")))
        return !value->set;
    if (!value->set)
        return false;
    if (value->kind == RULE_TEXT || value->kind == RULE_TEXTS)
        return oracle_compare_text(op, with, value);
    return compare_number(oracle, op, with, value, count);
}
