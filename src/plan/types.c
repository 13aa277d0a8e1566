/* SPDX-License-Identifier: Apache-2.0 */
/* Types of properties: what a value is, how types widen, what a fixed type takes. */
#include "base/clock.h"
#include "base/money.h"
#include "plan/inside.h"

const str plan_type_words[PLAN_TYPE_COUNT] = {
#define X(NAME, word) [PLAN_TYPE_##NAME] = { word, sizeof(word) - 1 },
    PLAN_TYPES(X)
#undef X
};

const str plan_status_words[PLAN_STATUS_COUNT] = {
    [PLAN_LEARNT] = { "learnt", 6 },
    [PLAN_PLANNED] = { "planned", 7 },
    [PLAN_BLOCKED] = { "blocked", 7 },
};

enum plan_type plan_type_named(str word)
{
    for (int i = PLAN_TYPE_BOOL; i < PLAN_TYPE_COUNT; i++)
        if (str_equal(word, plan_type_words[i]))
            return (enum plan_type)i;
    return PLAN_TYPE_COUNT;
}

bool plan_is_sealed(json_value value)
{
    return json_count(value) == 1 && json_kind(json_get(value, STR("$sealed"))) == JSON_TEXT;
}

enum plan_type plan_type_of_value(json_value value)
{
    switch (json_kind(value)) {
    case JSON_BOOL:
        return PLAN_TYPE_BOOL;
    case JSON_INT:
        return PLAN_TYPE_INT;
    case JSON_DOUBLE:
        return PLAN_TYPE_DECIMAL;
    case JSON_TEXT:
        return PLAN_TYPE_TEXT;
    case JSON_ARRAY:
        return PLAN_TYPE_LIST;
    case JSON_OBJECT:
        return plan_is_sealed(value) ? PLAN_TYPE_TEXT : PLAN_TYPE_OBJECT;
    case JSON_MISSING:
    case JSON_NULL:
        return PLAN_TYPE_NONE;
    }
    return PLAN_TYPE_NONE;
}

static bool is_number(enum plan_type type)
{
    return type == PLAN_TYPE_INT || type == PLAN_TYPE_DECIMAL;
}

enum plan_type plan_type_join(enum plan_type a, enum plan_type b)
{
    if (a == b || b == PLAN_TYPE_NONE)
        return a;
    if (a == PLAN_TYPE_NONE)
        return b;
    return is_number(a) && is_number(b) ? PLAN_TYPE_DECIMAL : PLAN_TYPE_TEXT;
}

static bool is_scalar(enum json_kind kind)
{
    return kind == JSON_BOOL || kind == JSON_INT || kind == JSON_DOUBLE || kind == JSON_TEXT;
}

/* Numbers are often written as text; some texts are no numbers. */
static bool text_is_number(str text, bool whole)
{
    int64_t number;
    double decimal;
    text = str_trim(text);
    return whole ? str_to_int64(text, &number) : str_to_double(text, &decimal);
}

static bool takes_number(enum plan_type type, json_value value, bool *by_value)
{
    enum json_kind kind = json_kind(value);
    int64_t minor;
    if (kind == JSON_INT)
        return true;
    if (kind == JSON_DOUBLE && type != PLAN_TYPE_INT)
        return true;
    *by_value = true;
    if (kind == JSON_DOUBLE) /* 3.0 is whole */
        return json_int(value, INT64_MIN) != INT64_MIN;
    if (kind != JSON_TEXT)
        return false;
    return type == PLAN_TYPE_MONEY ? money_from_text(json_text(value), 2, &minor)
                                   : text_is_number(json_text(value), type == PLAN_TYPE_INT);
}

bool plan_type_takes(enum plan_type type, json_value value, bool *by_value)
{
    enum json_kind kind = json_kind(value);
    int64_t time_ms;
    if (kind == JSON_NULL || kind == JSON_MISSING)
        return true;
    switch (type) {
    case PLAN_TYPE_BOOL:
        return kind == JSON_BOOL;
    case PLAN_TYPE_INT:
    case PLAN_TYPE_DECIMAL:
    case PLAN_TYPE_MONEY:
        return takes_number(type, value, by_value);
    case PLAN_TYPE_TEXT:
        return is_scalar(kind) || plan_is_sealed(value);
    case PLAN_TYPE_TIME:
        *by_value = kind == JSON_TEXT;
        return kind == JSON_INT ||
               (kind == JSON_TEXT && time_parse(json_text(value), 480, &time_ms));
    case PLAN_TYPE_LIST:
        return kind == JSON_ARRAY;
    case PLAN_TYPE_OBJECT:
        return kind == JSON_OBJECT;
    case PLAN_TYPE_NONE:
    case PLAN_TYPE_COUNT:
        return true;
    }
    return true;
}
