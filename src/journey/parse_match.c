/* SPDX-License-Identifier: Apache-2.0 */
/* journey_parse_match: the small parts of a definition: texts, durations, conditions, rules. All texts go to the version's arena. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

#define WHERE_MAX 50 /* conditions on an event */
#define WAYS_MAX 1000
#define DURATION_MS_MAX (INT64_C(3660) * DAY_MS)

err journey_parse_fail(struct parsing *parsing, const char *pointer, const char *format, ...)
{
    char detail[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    problem_set(parsing->problem, ERR_UNPROCESSABLE, "%s", detail);
    return problem_at(parsing->problem, ERR_UNPROCESSABLE, "%s", pointer);
}

static err fail_with_names(struct parsing *parsing, const char *pointer, const char *what,
                           str wrong, const struct rule_suggestions *like)
{
    struct buffer names;
    err error = journey_parse_fail(parsing, pointer, "there is no %s '%.*s'", what,
                                   (int)str_utf8_prefix_bytes(wrong, 80),
                                   wrong.data != NULL ? wrong.data : "");
    buffer_init(&names, 400);
    rule_suggestions_write(like, &names);
    if (like->count > 0 && names.size > 0)
        problem_hint(parsing->problem, error, "did you mean %.*s?", STR_ARG(buffer_str(&names)));
    buffer_deinit(&names);
    return error;
}

err journey_parse_members(struct parsing *parsing, const char *part, str kind, json_value object,
                          const char *pointer)
{
    char at[160];
    str key;
    json_value value;
    if (!json_is_object(object))
        return journey_parse_fail(parsing, pointer, "an object is wanted here");
    struct json_iterator iterator = json_iterate(object);
    while (json_next(&iterator, &key, &value)) {
        struct rule_suggestions like = { .count = 0 };
        if (catalogue_has_member(part, kind, key, &like))
            continue;
        snprintf(at, sizeof at, "%s/%.*s", pointer, (int)str_utf8_prefix_bytes(key, 60),
                 key.data != NULL ? key.data : "");
        return fail_with_names(parsing, at, "member", key, &like);
    }
    return ERR_OK;
}

static const char *below(const char *pointer, const char *name, char at[160])
{
    snprintf(at, 160, "%s/%s", pointer, name);
    return at;
}

err journey_parse_text(struct parsing *parsing, json_value object, const char *name,
                       const char *pointer, bool is_needed, str *text)
{
    char at[160];
    json_value value = json_get(object, str_from_c(name));
    *text = STR_NONE;
    if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
        return is_needed
                   ? journey_parse_fail(parsing, below(pointer, name, at), "'%s' is missing", name)
                   : ERR_OK;
    if (json_kind(value) != JSON_TEXT || (is_needed && json_text(value).size == 0) ||
        json_text(value).size > 2000)
        return journey_parse_fail(parsing, below(pointer, name, at), "'%s' is a text", name);
    return arena_dup(&parsing->version->arena, json_text(value), text);
}

err journey_parse_duration(struct parsing *parsing, json_value object, const char *name,
                           const char *pointer, int64_t otherwise, int64_t *ms)
{
    char at[160];
    json_value value = json_get(object, str_from_c(name));
    str text = json_text(value);
    bool negative = str_starts_with(text, STR("-"));
    *ms = otherwise;
    if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
        return ERR_OK;
    if (negative)
        text = str_slice(text, 1, text.size);
    if (!duration_parse(text, ms) || *ms < 0 || *ms > DURATION_MS_MAX)
        return journey_parse_fail(parsing, below(pointer, name, at),
                                  "'%s' is a duration of at most ten years, such as 3d, 12h, 30m",
                                  name);
    if (negative && !str_equal(str_from_c(name), STR("offset")))
        return journey_parse_fail(parsing, below(pointer, name, at), "'%s' cannot be negative",
                                  name);
    *ms = negative ? -*ms : *ms;
    return ERR_OK;
}

err journey_parse_bool(struct parsing *parsing, json_value object, const char *name,
                       const char *pointer, bool otherwise, bool *value)
{
    char at[160];
    json_value json = json_get(object, str_from_c(name));
    if (json_kind(json) != JSON_MISSING && json_kind(json) != JSON_BOOL)
        return journey_parse_fail(parsing, below(pointer, name, at), "'%s' is true or false", name);
    *value = json_bool(json, otherwise);
    return ERR_OK;
}

err journey_parse_number(struct parsing *parsing, json_value object, const char *name,
                         const char *pointer, int64_t least, int64_t most, int64_t otherwise,
                         int64_t *value)
{
    char at[160];
    json_value json = json_get(object, str_from_c(name));
    *value = otherwise;
    if (json_kind(json) == JSON_MISSING || json_kind(json) == JSON_NULL)
        return ERR_OK;
    *value = json_int(json, INT64_MIN);
    if (json_kind(json) == JSON_TEXT || *value < least || *value > most)
        return journey_parse_fail(parsing, below(pointer, name, at),
                                  "'%s' is a whole number, %lld to %lld", name, (long long)least,
                                  (long long)most);
    return ERR_OK;
}

err journey_parse_percent(struct parsing *parsing, json_value object, const char *name,
                          const char *pointer, int64_t *millionths)
{
    char at[160];
    json_value json = json_get(object, str_from_c(name));
    double percent = json_double(json, -1);
    *millionths = 0;
    if (json_kind(json) == JSON_MISSING || json_kind(json) == JSON_NULL)
        return ERR_OK;
    if (!(percent >= 0 && percent <= 100))
        return journey_parse_fail(parsing, below(pointer, name, at),
                                  "'%s' is a percentage, 0 to 100", name);
    *millionths = __builtin_llround(percent * 10000);
    return ERR_OK;
}

err journey_parse_time_of_day(struct parsing *parsing, str text, const char *pointer,
                              int32_t *second)
{
    int64_t parts[3] = { 0, 0, 0 };
    size_t count = 0;
    str rest = text, part;
    bool fits = text.size > 0;
    while (fits && count < 3 && str_split(&rest, ':', &part))
        fits = part.size == 2 && str_to_int64(part, &parts[count++]);
    if (!fits || rest.size > 0 || count < 2 || parts[0] < 0 || parts[0] > 23 || parts[1] < 0 ||
        parts[1] > 59 || parts[2] < 0 || parts[2] > 59)
        return journey_parse_fail(parsing, pointer,
                                  "a time of day is written as 10:00 or 09:30:15");
    *second = (int32_t)(parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return ERR_OK;
}

err journey_parse_weekdays(struct parsing *parsing, json_value value, const char *pointer,
                           uint8_t *weekdays)
{
    static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
    struct json_iterator iterator = json_iterate(value);
    json_value item;
    *weekdays = 0;
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    while (json_kind(value) == JSON_ARRAY && json_next(&iterator, NULL, &item)) {
        uint8_t found = 0;
        for (int i = 0; i < 7; i++)
            if (str_equal(json_text(item), str_from_c(names[i])))
                found = (uint8_t)(1u << i);
        if (found == 0)
            return journey_parse_fail(parsing, pointer,
                                      "days of the week are mon tue wed thu fri sat sun");
        *weekdays |= found;
    }
    if (*weekdays == 0)
        return journey_parse_fail(parsing, pointer,
                                  "a list of days of the week is wanted: [\"mon\"]");
    return ERR_OK;
}

err journey_parse_raw(struct parsing *parsing, json_value value, str *json)
{
    struct buffer out;
    *json = STR_NONE;
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    buffer_init(&out, (size_t)1 << 20);
    json_write_value(&out, value);
    err error = buffer_status(&out);
    if (error == ERR_OK)
        error = arena_dup(&parsing->version->arena, buffer_str(&out), json);
    buffer_deinit(&out);
    return error;
}

/* What of the trigger's event has to be remembered for later. */
err journey_parse_keep(struct parsing *parsing, str property)
{
    struct version *version = parsing->version;
    if (property.size == 0 || version->kept_count >= 64)
        return ERR_OK;
    property = str_slice(property, 0, str_find_byte(property, '.'));
    for (uint32_t i = 0; i < version->kept_count; i++)
        if (str_equal(version->kept[i], property))
            return ERR_OK;
    if (version->kept == NULL)
        version->kept = arena_array(&version->arena, str, 64);
    if (version->kept == NULL)
        return ERR_NOMEM;
    return arena_dup(&version->arena, property, &version->kept[version->kept_count++]);
}

/* ---- conditions ---- */

static err parse_operand(struct parsing *parsing, json_value json, const char *pointer,
                         struct operand *operand)
{
    struct template_value value;
    (void)template_value_at(json, STR_NONE, &value);
    if (value.kind == TEMPLATE_MISSING || value.kind == TEMPLATE_JSON)
        return journey_parse_fail(parsing, pointer,
                                  "a text, a number, or true or false is wanted here");
    *operand = (struct operand){ .kind = value.kind, .number = value.number };
    return arena_dup(&parsing->version->arena, value.text, &operand->text);
}

static err parse_operands(struct parsing *parsing, json_value json, const char *pointer,
                          struct comparison *comparison)
{
    bool is_list = json_kind(json) == JSON_ARRAY;
    size_t count = is_list ? json_count(json) : 1;
    struct json_iterator iterator = json_iterate(json);
    bool wants_list = comparison->compare == COMPARE_IN || comparison->compare == COMPARE_NOT_IN ||
                      comparison->compare == COMPARE_BETWEEN;
    if (count == 0 || count > OPERANDS_MAX || wants_list != is_list ||
        (comparison->compare == COMPARE_BETWEEN && count != 2))
        return journey_parse_fail(parsing, pointer, "'%s' wants %s",
                                  compare_text(comparison->compare),
                                  comparison->compare == COMPARE_BETWEEN ? "a list of two"
                                  : wants_list ? "a list of 1 to 500 values"
                                               : "one value");
    comparison->operands = arena_array(&parsing->version->arena, struct operand, count);
    if (comparison->operands == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        json_value item = json;
        if (is_list)
            json_next(&iterator, NULL, &item);
        err error = parse_operand(parsing, item, pointer, &comparison->operands[i]);
        if (error != ERR_OK)
            return error;
    }
    comparison->operand_count = (uint32_t)count;
    return ERR_OK;
}

static bool is_beside(str key)
{
    return str_equal(key, STR("next")) || str_equal(key, STR("name"));
}

err journey_parse_comparison(struct parsing *parsing, json_value object, const char *path_name,
                             const char *pointer, struct comparison *comparison)
{
    char at[160];
    str key;
    json_value value;
    bool found = false;
    err error = journey_parse_text(parsing, object, path_name, pointer, true, &comparison->path);
    struct json_iterator iterator = json_iterate(object);
    while (error == ERR_OK && json_next(&iterator, &key, &value)) {
        struct rule_suggestions like = { .count = 0 };
        bool is_operator = false;
        if (str_equal(key, str_from_c(path_name)) || is_beside(key))
            continue;
        for (int i = 0; i < COMPARE_COUNT && !is_operator; i++) {
            is_operator = str_equal(key, str_from_c(compare_text((enum compare)i)));
            if (is_operator)
                comparison->compare = (enum compare)i;
            rule_suggestions_offer(&like, key, str_from_c(compare_text((enum compare)i)));
        }
        snprintf(at, sizeof at, "%s/%.*s", pointer, (int)str_utf8_prefix_bytes(key, 60),
                 key.data != NULL ? key.data : "");
        if (!is_operator)
            return fail_with_names(parsing, at, "comparison", key, &like);
        if (found)
            return journey_parse_fail(parsing, at, "there is one comparison at a time");
        found = true;
        if (comparison->compare != COMPARE_IS_SET && comparison->compare != COMPARE_IS_NOT_SET)
            error = parse_operands(parsing, value, at, comparison);
    }
    if (error == ERR_OK && !found)
        return journey_parse_fail(parsing, pointer,
                                  "there is nothing to compare with: say eq, gte, in …");
    return error;
}

/* A list of comparisons of an event's properties. */
static err parse_all(struct parsing *parsing, json_value list, const char *pointer,
                     struct comparison **all, uint32_t *count)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    char at[160];
    err error = ERR_OK;
    if (json_kind(list) != JSON_ARRAY || json_count(list) == 0 || json_count(list) > WHERE_MAX)
        return journey_parse_fail(parsing, pointer, "'all' is a list of 1 to %d conditions",
                                  WHERE_MAX);
    *all = arena_array(&parsing->version->arena, struct comparison, json_count(list));
    if (*all == NULL)
        return ERR_NOMEM;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        snprintf(at, sizeof at, "%.120s/all/%u", pointer, *count);
        error = journey_parse_comparison(parsing, item, "prop", at, &(*all)[(*count)++]);
    }
    return error;
}

static err parse_any(struct parsing *parsing, json_value list, const char *pointer,
                     struct match_any *any)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    char at[160];
    err error = ERR_OK;
    if (json_kind(list) != JSON_ARRAY || json_count(list) == 0 || json_count(list) > WAYS_MAX)
        return journey_parse_fail(parsing, pointer, "'any' is a list of 1 to %d of {\"all\":[…]}",
                                  WAYS_MAX);
    any->ways = arena_array(&parsing->version->arena, struct match_way, json_count(list));
    if (any->ways == NULL)
        return ERR_NOMEM;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        struct match_way *way = &any->ways[any->count];
        snprintf(at, sizeof at, "%.120s/any/%u", pointer, any->count++);
        error = parse_all(parsing, json_get(item, STR("all")), at, &way->all, &way->count);
    }
    return error;
}

static err parse_condition(struct parsing *parsing, json_value item, const char *pointer,
                           struct event_match *match)
{
    json_value any = json_get(item, STR("any"));
    if (json_kind(any) == JSON_MISSING)
        return journey_parse_comparison(parsing, item, "prop", pointer,
                                        &match->where[match->where_count++]);
    return parse_any(parsing, any, pointer, &match->anys[match->any_count++]);
}

err journey_parse_match(struct parsing *parsing, json_value object, const char *pointer,
                        struct event_match *match)
{
    char at[160];
    json_value where = json_get(object, STR("where")), item;
    err error = journey_parse_text(parsing, object, "event", pointer, false, &match->event);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, object, "same", pointer, false, &match->same);
    if (error == ERR_OK)
        error = journey_parse_keep(parsing, match->same);
    if (error != ERR_OK || json_kind(where) == JSON_MISSING)
        return error;
    if (json_kind(where) != JSON_ARRAY || json_count(where) > WHERE_MAX || match->event.size == 0)
        return journey_parse_fail(parsing, below(pointer, "where", at),
                                  "'where' is a list of at most %d conditions on the event",
                                  WHERE_MAX);
    match->where = arena_array(&parsing->version->arena, struct comparison, json_count(where) + 1);
    match->anys = arena_array(&parsing->version->arena, struct match_any, json_count(where) + 1);
    if (match->where == NULL || match->anys == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(where);
    for (uint32_t i = 0; error == ERR_OK && json_next(&iterator, NULL, &item); i++) {
        snprintf(at, sizeof at, "%.120s/where/%u", pointer, i);
        error = parse_condition(parsing, item, at, match);
    }
    return error;
}

/* ---- names outside ---- */

err journey_parse_segment(struct parsing *parsing, json_value object, const char *name,
                          const char *pointer, str *segment)
{
    char at[160];
    const struct journey_world *world = parsing->journeys->world;
    err error = journey_parse_text(parsing, object, name, pointer, false, segment);
    if (error == ERR_OK && segment->size > 0 && !world->has_segment(world->context, *segment)) {
        error = journey_parse_fail(parsing, below(pointer, name, at), "there is no segment '%.*s'",
                                   STR_ARG(*segment));
        return problem_hint(parsing->problem, error, "make the segment first");
    }
    return error;
}

err journey_parse_rule(struct parsing *parsing, json_value object, const char *pointer,
                       uint32_t *rule)
{
    struct version *version = parsing->version;
    const struct journey_world *world = parsing->journeys->world;
    json_value json = json_get(object, STR("rule"));
    struct problem inner = { .error = ERR_OK };
    char at[160];
    *rule = NONE;
    if (json_kind(json) == JSON_MISSING)
        return ERR_OK;
    err error = world->rule_check(world->context, json, &inner);
    if (error != ERR_OK) {
        if (parsing->problem != NULL) {
            *parsing->problem = inner;
            snprintf(parsing->problem->pointer, sizeof parsing->problem->pointer, "%.80s/rule%.70s",
                     pointer, inner.pointer);
        }
        return error;
    }
    if (version->rules == NULL)
        version->rules = arena_array(&version->arena, struct held_rule, RULE_CONDITIONS_MAX);
    if (version->rules == NULL)
        return ERR_NOMEM;
    if (version->rule_count == RULE_CONDITIONS_MAX)
        return journey_parse_fail(parsing, pointer, "there are more than %d rules",
                                  RULE_CONDITIONS_MAX);
    struct held_rule *held = &version->rules[version->rule_count];
    error = journey_parse_raw(parsing, json, &held->json);
    if (error == ERR_OK)
        error = arena_dup(&version->arena, str_from_c(below(pointer, "rule", at)), &held->pointer);
    *rule = version->rule_count++;
    return error;
}
