/* SPDX-License-Identifier: Apache-2.0 */
/* compare: conditions on values: properties of an event, values of a customer, replies. A missing value satisfies nothing but
 * is_not_set (as in rules). */
#include <string.h>

#include "journey/state.h"

const char *compare_text(enum compare compare)
{
    static const char *const texts[] = { "eq",      "ne",        "in",          "not_in",
                                         "lt",      "lte",       "gt",          "gte",
                                         "between", "contains",  "starts_with", "ends_with",
                                         "is_set",  "is_not_set" };
    return compare < COMPARE_COUNT ? texts[compare] : "";
}

/* ---- values out of JSON ---- */

json_value json_path(json_value root, str path)
{
    str part;
    int64_t index;
    json_value whole = json_get(root, path); /* a name with dots in it */
    if (json_kind(whole) != JSON_MISSING)
        return whole;
    while (str_split(&path, '.', &part)) {
        if (json_kind(root) == JSON_ARRAY && str_to_int64(part, &index) && index >= 0)
            root = json_at(root, (size_t)index);
        else
            root = json_get(root, part);
    }
    return root;
}

/* ---- comparing ---- */

/* -1, 0, 1, or 2: they cannot be compared. */
static int order(const struct template_value *value, const struct operand *operand)
{
    if (value->kind == TEMPLATE_TEXT && operand->kind == TEMPLATE_TEXT) {
        int compared = str_compare(value->text, operand->text);
        return compared < 0 ? -1 : compared > 0;
    }
    int64_t number = value->number, time_ms;
    if (value->kind == TEMPLATE_TIME && operand->kind == TEMPLATE_TEXT &&
        time_parse(operand->text, 8 * 60, &time_ms))
        return number < time_ms ? -1 : number > time_ms;
    if (value->kind == operand->kind &&
        (value->kind == TEMPLATE_NUMBER || value->kind == TEMPLATE_BOOL))
        return number < operand->number ? -1 : number > operand->number;
    return 2;
}

static bool any_equal(const struct comparison *comparison, const struct template_value *value)
{
    for (uint32_t i = 0; i < comparison->operand_count; i++)
        if (order(value, &comparison->operands[i]) == 0)
            return true;
    return false;
}

static bool text_holds(const struct comparison *comparison, const struct template_value *value)
{
    for (uint32_t i = 0; i < comparison->operand_count; i++) {
        str operand = comparison->operands[i].text;
        if (value->kind != TEMPLATE_TEXT || comparison->operands[i].kind != TEMPLATE_TEXT)
            continue;
        if (comparison->compare == COMPARE_CONTAINS && str_contains(value->text, operand))
            return true;
        if (comparison->compare == COMPARE_STARTS_WITH && str_starts_with(value->text, operand))
            return true;
        if (comparison->compare == COMPARE_ENDS_WITH && str_ends_with(value->text, operand))
            return true;
    }
    return false;
}

static bool one_holds(const struct comparison *comparison, const struct template_value *value)
{
    const struct operand *operands = comparison->operands;
    int first = comparison->operand_count > 0 ? order(value, &operands[0]) : 2;
    switch (comparison->compare) {
    case COMPARE_EQ:
    case COMPARE_IN:
        return any_equal(comparison, value);
    case COMPARE_NE:
    case COMPARE_NOT_IN:
        return !any_equal(comparison, value);
    case COMPARE_LT:
        return first == -1;
    case COMPARE_LTE:
        return first == -1 || first == 0;
    case COMPARE_GT:
        return first == 1;
    case COMPARE_GTE:
        return first == 1 || first == 0;
    case COMPARE_BETWEEN: {
        int second = order(value, &operands[1]);
        return (first == 1 || first == 0) && (second == -1 || second == 0);
    }
    case COMPARE_CONTAINS:
    case COMPARE_STARTS_WITH:
    case COMPARE_ENDS_WITH:
        return text_holds(comparison, value);
    case COMPARE_IS_SET:
        return true;
    case COMPARE_IS_NOT_SET:
    case COMPARE_COUNT:
        break;
    }
    return false;
}

/* Of a list: one of it is enough; ne and not_in want all. */
static bool list_holds(const struct comparison *comparison, json_value list)
{
    bool wants_all = comparison->compare == COMPARE_NE || comparison->compare == COMPARE_NOT_IN;
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item)) {
        struct template_value value;
        (void)template_value_at(item, STR_NONE, &value);
        if (value.kind == TEMPLATE_MISSING)
            continue;
        if (one_holds(comparison, &value) != wants_all)
            return !wants_all;
    }
    return wants_all;
}

bool comparison_holds(const struct comparison *comparison, const struct template_value *value)
{
    if (value->kind == TEMPLATE_MISSING)
        return comparison->compare == COMPARE_IS_NOT_SET;
    if (value->kind == TEMPLATE_JSON && json_kind(value->json) == JSON_ARRAY &&
        comparison->compare != COMPARE_IS_SET && comparison->compare != COMPARE_IS_NOT_SET)
        return list_holds(comparison, value->json);
    return one_holds(comparison, value);
}

/* ---- events ---- */

static str json_as_text(struct journeys *journeys, json_value value)
{
    if (json_kind(value) == JSON_TEXT)
        return json_text(value);
    buffer_clear(&journeys->text);
    json_write_value(&journeys->text, value);
    return buffer_str(&journeys->text);
}

/* Of the event that started the position, or its key where that is what it was made of. */
static bool is_same(struct journeys *journeys, str property, json_value props,
                    const struct position *position)
{
    struct context context;
    json_value root, theirs = json_path(props, property);
    bool same = false;
    if (json_kind(theirs) == JSON_MISSING || json_kind(theirs) == JSON_NULL)
        return false;
    context_read(position, &context);
    const struct version *version = version_of(journeys, position);
    if (str_equal(version->trigger.key_path, property) && context.key.size > 0)
        return str_equal(json_as_text(journeys, theirs), context.key);
    if (context.event.size == 0 ||
        json_parse(journeys->parser_inner, context.event, &root, NULL) != ERR_OK)
        return false;
    json_value own = json_path(root, property);
    if (json_kind(own) == JSON_MISSING)
        return false;
    struct buffer one;
    buffer_init(&one, 65536);
    json_write_value(&one, own);
    buffer_clear(&journeys->text);
    json_write_value(&journeys->text, theirs);
    same = str_equal(buffer_str(&one), buffer_str(&journeys->text));
    buffer_deinit(&one);
    return same;
}

/* Segment's "Order Completed" counts as "Order Paid", as in rules. */
static bool is_type(str wanted, str type)
{
    return str_equal(wanted, type) ||
           (str_equal(wanted, STR("Order Paid")) && str_equal(type, STR("Order Completed")));
}

/* As rules see it: revenue is whole minor units, however it was written; the channel may be the source's. */
static void value_of_property(const struct event *event, json_value props, str path,
                              struct template_value *value)
{
    if (str_equal(path, STR("revenue")) && (event->promoted_set & 1u << PROMOTED_REVENUE) != 0) {
        int64_t minor = event->promoted_int[PROMOTED_REVENUE], number;
        if (__builtin_mul_overflow(minor, INT64_C(1000000), &number))
            number = minor < 0 ? INT64_MIN : INT64_MAX;
        *value = (struct template_value){ .kind = TEMPLATE_NUMBER, .number = number };
        return;
    }
    if (str_equal(path, STR("$source"))) {
        *value = (struct template_value){ .kind = TEMPLATE_NUMBER,
                                          .number = (int64_t)event->source_number * 1000000 };
        return;
    }
    (void)template_value_at(json_path(props, path), STR_NONE, value);
    if (value->kind == TEMPLATE_MISSING && str_equal(path, STR("channel")))
        *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = event->channel };
}

static bool all_hold(const struct comparison *all, uint32_t count, const struct event *event,
                     json_value props)
{
    for (uint32_t i = 0; i < count; i++) {
        struct template_value value;
        value_of_property(event, props, all[i].path, &value);
        if (!comparison_holds(&all[i], &value))
            return false;
    }
    return true;
}

static bool any_holds(const struct match_any *any, const struct event *event, json_value props)
{
    for (uint32_t i = 0; i < any->count; i++)
        if (all_hold(any->ways[i].all, any->ways[i].count, event, props))
            return true;
    return false;
}

bool match_holds(struct journeys *journeys, const struct event_match *match,
                 const struct event *event, json_value props, const struct position *position)
{
    if (match->event.size == 0 || !is_type(match->event, event->type))
        return false;
    if (!all_hold(match->where, match->where_count, event, props))
        return false;
    for (uint32_t i = 0; i < match->any_count; i++)
        if (!any_holds(&match->anys[i], event, props))
            return false;
    if (match->same.size > 0 && position != NULL)
        return is_same(journeys, match->same, props, position);
    return true;
}
