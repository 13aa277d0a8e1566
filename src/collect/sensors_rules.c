/* SPDX-License-Identifier: Apache-2.0 */
/* What names and values may be in a record of Sensors Analytics. */
#include "collect/sensors_inside.h"

#define TEXT_BYTES_MAX 8192
#define KEY_BYTES_MAX 100

static bool starts_ignoring_case(str text, str prefix)
{
    return text.size >= prefix.size &&
           str_equal_ignoring_case(str_slice(text, 0, prefix.size), prefix);
}

/* The pattern of Sensors' documentation, by hand:
 * ^((?!^distinct_id$|…|^user_group|^user_tag)[a-zA-Z_$][a-zA-Z\d_$]{0,99})$ without case. */
bool sensors_is_name(str name)
{
    static const str reserved[] = {
        LITERAL("distinct_id"), LITERAL("original_id"), LITERAL("event_id"), LITERAL("time"),
        LITERAL("properties"),  LITERAL("id"),          LITERAL("first_id"), LITERAL("second_id"),
        LITERAL("users"),       LITERAL("events"),      LITERAL("event"),    LITERAL("user_id"),
        LITERAL("date"),        LITERAL("datetime")
    };
    if (name.size == 0 || name.size > KEY_BYTES_MAX || (name.data[0] >= '0' && name.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '$';
        if (!good)
            return false;
    }
    if (starts_ignoring_case(name, STR("user_group")) ||
        starts_ignoring_case(name, STR("user_tag")))
        return false;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (str_equal_ignoring_case(name, reserved[i]))
            return false;
    return true;
}

static err refuse_property(struct problem *problem, str name, const char *why)
{
    problem_set(problem, ERR_INVALID, "the property '%.*s' %s",
                (int)(name.size < 100 ? name.size : 100), name.data, why);
    return problem_at(problem, ERR_INVALID, "/properties/%.*s",
                      (int)(name.size < 100 ? name.size : 100), name.data);
}

static bool is_absent_text(json_value value)
{
    return json_kind(value) == JSON_TEXT && str_starts_with(json_text(value), STR("未取到值"));
}

static bool list_is_flat(json_value list)
{
    struct json_iterator iterator = json_iterate(list);
    json_value element;
    while (json_next(&iterator, NULL, &element))
        if (json_kind(element) == JSON_ARRAY || json_kind(element) == JSON_OBJECT)
            return false;
    return true;
}

/* Names that tell the door something and are no properties. */
static bool is_instruction(str name)
{
    return name.size > 1 && name.data[0] == '$' &&
           (str_equal(name, STR("$is_login_id")) || str_equal(name, STR("$time")) ||
            str_equal(name, STR("$project")) || str_equal(name, STR("$token")));
}

static err admit_property(str name, json_value value, bool *skip, struct problem *problem)
{
    enum json_kind kind = json_kind(value);
    if (is_instruction(name) || kind == JSON_NULL || is_absent_text(value) ||
        str_equal(name, SENSORS_SIGNATURE)) {
        *skip = true;
        return ERR_OK;
    }
    if (!sensors_is_name(name))
        return refuse_property(problem, name, "has a name that Sensors' rules do not allow");
    if (kind == JSON_OBJECT)
        return refuse_property(problem, name,
                               "is an object; values are numbers, texts, booleans, "
                               "times and lists of texts");
    if (kind == JSON_ARRAY && !list_is_flat(value))
        return refuse_property(problem, name, "is a list of lists or objects");
    return ERR_OK;
}

/* profile_unset names traits, whatever their value. */
static err admit_unset(str name, json_value value, bool *skip, struct problem *problem)
{
    (void)value;
    (void)skip;
    return sensors_is_name(name)
               ? ERR_OK
               : refuse_property(problem, name, "has a name that Sensors' rules do not allow");
}

static err admit_number(str name, json_value value, bool *skip, struct problem *problem)
{
    err error = admit_property(name, value, skip, problem);
    enum json_kind kind = json_kind(value);
    if (error == ERR_OK && !*skip && kind != JSON_INT && kind != JSON_DOUBLE)
        return refuse_property(problem, name, "is no number and cannot be added");
    return error;
}

static err admit_list(str name, json_value value, bool *skip, struct problem *problem)
{
    err error = admit_property(name, value, skip, problem);
    if (error == ERR_OK && !*skip && json_kind(value) != JSON_ARRAY &&
        json_kind(value) != JSON_TEXT)
        return refuse_property(problem, name, "is no list and cannot be appended to");
    return error;
}

const struct draft_rules sensors_event_rules = { .admit = admit_property,
                                                 .text_bytes_max = TEXT_BYTES_MAX };
const struct draft_rules sensors_unset_rules = { .admit = admit_unset };
const struct draft_rules sensors_number_rules = { .admit = admit_number };
const struct draft_rules sensors_list_rules = { .admit = admit_list,
                                                .text_bytes_max = TEXT_BYTES_MAX };
