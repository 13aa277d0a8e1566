/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator says of an event, and the plan as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/inside.h"

#define DESCRIPTION_BYTES_MAX 4000

/* ---- checking a body; nothing is changed before all of it is right ---- */

static err wrong(struct problem *problem, const char *pointer, const char *what)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", what);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

static err check_members(json_value object, const char *const *known, size_t count,
                         const char *pointer, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(object);
    json_value value;
    str key;
    while (json_next(&iterator, &key, &value)) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            found = str_equal(key, str_from_c(known[i]));
        if (!found) {
            problem_set(problem, ERR_UNPROCESSABLE, "'%.*s' is not known here",
                        (int)(key.size < 60 ? key.size : 60), key.data);
            return problem_at(problem, ERR_UNPROCESSABLE, "%s/%.*s", pointer,
                              (int)(key.size < 60 ? key.size : 60), key.data);
        }
    }
    return ERR_OK;
}

static bool is_scalar(json_value value)
{
    enum json_kind kind = json_kind(value);
    return kind == JSON_TEXT || kind == JSON_INT || kind == JSON_DOUBLE || kind == JSON_BOOL;
}

static bool is_absent(json_value value)
{
    enum json_kind kind = json_kind(value);
    return kind == JSON_MISSING || kind == JSON_NULL;
}

static err check_values(json_value values, const char *pointer, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(values);
    json_value value;
    if (is_absent(values))
        return ERR_OK;
    if (json_kind(values) != JSON_ARRAY || json_count(values) > PLAN_VALUES_MAX)
        return wrong(problem, pointer,
                     "values is a list of at most 1000 texts, numbers or booleans");
    while (json_next(&iterator, NULL, &value))
        if (!is_scalar(value) || json_text(value).size > 255)
            return wrong(problem, pointer,
                         "a value is a text of at most 255 bytes, a number or a "
                         "boolean");
    return ERR_OK;
}

static err check_property(const struct plan *plan, uint32_t event, json_value property,
                          size_t index, struct problem *problem)
{
    static const char *const members[] = { "name",   "type",  "required",
                                           "values", "fixed", "first_seen" };
    char pointer[60];
    str name = json_text(json_get(property, STR("name")));
    json_value type = json_get(property, STR("type")),
               required = json_get(property, STR("required"));
    snprintf(pointer, sizeof pointer, "/properties/%zu", index);
    if (json_kind(property) != JSON_OBJECT || name.size == 0 || name.size > EVENT_NAME_BYTES_MAX)
        return wrong(problem, pointer, "a property has a name of 1 to 200 bytes");
    err error =
        check_members(property, members, sizeof members / sizeof members[0], pointer, problem);
    if (error != ERR_OK)
        return error;
    bool unknown =
        json_kind(type) == JSON_TEXT && str_equal(json_text(type), plan_type_words[PLAN_TYPE_NONE]);
    if (!is_absent(type) && !unknown && plan_type_named(json_text(type)) == PLAN_TYPE_COUNT)
        return wrong(problem, pointer,
                     "a type is bool, int, decimal, money, text, time, list or "
                     "object");
    if (!is_absent(required) && json_kind(required) != JSON_BOOL)
        return wrong(problem, pointer, "required is true or false");
    uint32_t found = event == NO_INDEX ? NO_INDEX : plan_find_property(plan, event, name);
    if (found != NO_INDEX && plan->properties[found].known && !is_absent(type) &&
        plan_type_named(json_text(type)) != plan->properties[found].fixed)
        return wrong(problem, pointer, "the type of a property that Kith knows cannot be changed");
    return check_values(json_get(property, STR("values")), pointer, problem);
}

static err check_properties(const struct plan *plan, uint32_t event, json_value properties,
                            struct problem *problem)
{
    struct json_iterator iterator = json_iterate(properties);
    json_value property;
    size_t index = 0, added = 0;
    if (is_absent(properties))
        return ERR_OK;
    if (json_kind(properties) != JSON_ARRAY ||
        json_count(properties) > PLAN_PROPERTIES_PER_EVENT_MAX)
        return wrong(problem, "/properties", "properties is a list of at most 1000 objects");
    while (json_next(&iterator, NULL, &property)) {
        err error = check_property(plan, event, property, index++, problem);
        if (error != ERR_OK)
            return error;
        str name = json_text(json_get(property, STR("name")));
        added += event == NO_INDEX || plan_find_property(plan, event, name) == NO_INDEX;
    }
    uint32_t held = event == NO_INDEX ? 0 : plan->events[event].property_count;
    if (held + added > PLAN_PROPERTIES_PER_EVENT_MAX ||
        plan->property_count + added > PLAN_PROPERTIES_MAX)
        return wrong(problem, "/properties", "an event has at most 1000 properties");
    return ERR_OK;
}

static err check_body(const struct plan *plan, uint32_t event, json_value body,
                      struct problem *problem)
{
    /* What GET gives may be sent back: its read-only members are ignored. */
    static const char *const members[] = { "name",  "status", "description", "properties",
                                           "known", "source", "first_seen" };
    json_value status = json_get(body, STR("status"));
    json_value description = json_get(body, STR("description"));
    if (json_kind(body) != JSON_OBJECT)
        return wrong(problem, "", "the body is not an object");
    err error = check_members(body, members, sizeof members / sizeof members[0], "", problem);
    if (error != ERR_OK)
        return error;
    bool known_word = false;
    for (int i = 0; i < PLAN_STATUS_COUNT; i++)
        known_word = known_word || str_equal(json_text(status), plan_status_words[i]);
    if (!is_absent(status) && !known_word)
        return wrong(problem, "/status", "a status is planned, blocked or learnt");
    if (!is_absent(description) && (json_kind(description) != JSON_TEXT ||
                                    json_text(description).size > DESCRIPTION_BYTES_MAX))
        return wrong(problem, "/description", "a description is a text of at most 4000 bytes");
    return check_properties(plan, event, json_get(body, STR("properties")), problem);
}

/* ---- changing ---- */

static enum plan_status status_of(json_value value)
{
    for (int i = 0; i < PLAN_STATUS_COUNT; i++)
        if (str_equal(json_text(value), plan_status_words[i]))
            return (enum plan_status)i;
    return PLAN_PLANNED;
}

/* Without what a former word of an operator said; types that Kith knows stay. */
static void relax_property(struct plan *plan, struct plan_property *property)
{
    if (!property->known && property->fixed != PLAN_TYPE_NONE) {
        /* It is learnt again, from what was fixed. */
        struct plan_name *name = &plan->names[property->name];
        if (property->fixed != PLAN_TYPE_MONEY && property->fixed != PLAN_TYPE_TIME)
            name->type = plan_type_join(name->type, property->fixed);
        property->fixed = PLAN_TYPE_NONE;
    }
    property->required = false;
    memory_free(property->values);
    property->values = NULL;
    property->value_count = 0;
}

static void relax_properties(struct plan *plan, uint32_t event)
{
    for (uint32_t i = plan->events[event].first_property; i != NO_INDEX;
         i = plan->properties[i].next_of_event)
        relax_property(plan, &plan->properties[i]);
}

static err put_property(struct plan *plan, uint32_t event, json_value body)
{
    str name = json_text(json_get(body, STR("name")));
    json_value type = json_get(body, STR("type")), fixed = json_get(body, STR("fixed"));
    uint32_t index = plan_find_property(plan, event, name);
    bool made = index == NO_INDEX;
    if (made)
        index = plan_make_property(plan, event, name);
    if (index == NO_INDEX)
        return ERR_NOMEM;
    struct plan_property *property = &plan->properties[index];
    property->put = property->put || made;
    enum plan_type named = is_absent(type) ? PLAN_TYPE_COUNT : plan_type_named(json_text(type));
    if (!property->known && named != PLAN_TYPE_COUNT && json_bool(fixed, true))
        property->fixed = named;
    property->required = json_bool(json_get(body, STR("required")), false);
    return plan_set_values(plan, property, json_get(body, STR("values")));
}

static void store_all(struct plan *plan, uint32_t event, struct ledger_writes *writes)
{
    plan_store_event(plan, &plan->events[event], writes);
    for (uint32_t i = plan->events[event].first_property; i != NO_INDEX;
         i = plan->properties[i].next_of_event) {
        plan_store_property(plan, &plan->properties[i], writes);
        plan_store_uses(plan, plan->properties[i].name, writes);
    }
}

err plan_put_event(struct plan *plan, str name, json_value body, int64_t now_ms,
                   struct ledger_writes *writes, struct problem *problem)
{
    (void)now_ms; /* first_seen is of events, not of plans */
    uint32_t event = plan_find_event(plan, name);
    json_value properties = json_get(body, STR("properties")), property;
    if (name.size == 0 || name.size > EVENT_NAME_BYTES_MAX)
        return wrong(problem, "", "the name of an event has 1 to 200 bytes");
    err error = check_body(plan, event, body, problem);
    if (error != ERR_OK)
        return error;
    if (event == NO_INDEX && plan->event_count == PLAN_EVENTS_MAX)
        return wrong(problem, "", "the plan holds 20000 events, the most there can be");
    bool made = event == NO_INDEX;
    if (made)
        event = plan_make_event(plan, name, plan->next_number);
    if (event == NO_INDEX)
        return problem_set(problem, ERR_NOMEM, "no memory for the tracking plan");
    plan->events[event].put = plan->events[event].put || made;
    plan->events[event].status = status_of(json_get(body, STR("status")));
    error =
        plan_set_description(&plan->events[event], json_text(json_get(body, STR("description"))));
    relax_properties(plan, event);
    struct json_iterator iterator = json_iterate(properties);
    while (error == ERR_OK && json_next(&iterator, NULL, &property))
        error = put_property(plan, event, property);
    plan_forget_shapes(plan);
    store_all(plan, event, writes);
    if (error != ERR_OK)
        return problem_set(problem, error, "no memory for the tracking plan");
    return ERR_OK;
}

/* ---- JSON ---- */

static void put_time(struct json_writer *writer, int64_t time_ms)
{
    json_put_key(writer, STR("first_seen"));
    if (time_ms != 0)
        json_put_time(writer, time_ms);
    else
        json_put_null(writer);
}

struct property_place {
    str name;
    uint32_t index;
};

static void write_property(const struct plan *plan, const struct plan_property *property,
                           struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("name"), plan->names[property->name].name);
    json_member_text(writer, STR("type"), plan_type_words[plan_type_of(plan, property)]);
    json_member_bool(writer, STR("fixed"), property->fixed != PLAN_TYPE_NONE);
    json_member_bool(writer, STR("required"), property->required);
    json_put_key(writer, STR("values"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < property->value_count; i++)
        json_put_raw(writer, property->values[i]);
    json_end_array(writer);
    put_time(writer, property->first_seen_ms);
    json_end_object(writer);
}

static int compare_by_name(const void *a, const void *b)
{
    const struct property_place *one = a, *other = b;
    return str_compare(one->name, other->name);
}

/* By name: the same before and after a restart. */
static void write_properties(const struct plan *plan, const struct plan_event *event,
                             struct json_writer *writer)
{
    struct property_place places[PLAN_PROPERTIES_PER_EVENT_MAX];
    size_t count = 0;
    for (uint32_t i = event->first_property; i != NO_INDEX && count < PLAN_PROPERTIES_PER_EVENT_MAX;
         i = plan->properties[i].next_of_event)
        places[count++] = (struct property_place){ plan->names[plan->properties[i].name].name, i };
    qsort(places, count, sizeof places[0], compare_by_name);
    json_put_key(writer, STR("properties"));
    json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        write_property(plan, &plan->properties[places[i].index], writer);
    json_end_array(writer);
}

static void write_event(const struct plan *plan, const struct plan_event *event,
                        struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("name"), event->name);
    json_member_text(writer, STR("status"), plan_status_words[event->status]);
    json_member_bool(writer, STR("known"), event->known);
    json_member_text(writer, STR("description"), event->description);
    json_put_key(writer, STR("source"));
    if (event->source_number != 0)
        json_put_int(writer, event->source_number);
    else
        json_put_null(writer);
    put_time(writer, event->first_seen_ms);
    write_properties(plan, event, writer);
    json_end_object(writer);
}

err plan_write_event(const struct plan *plan, str name, struct buffer *out)
{
    uint32_t event = plan_find_event(plan, name);
    struct json_writer writer;
    if (event == NO_INDEX)
        return ERR_NOT_FOUND;
    json_writer_init(&writer, out);
    write_event(plan, &plan->events[event], &writer);
    return buffer_status(out);
}

void plan_write_all(const struct plan *plan, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_array(&writer);
    for (uint32_t i = 0; i < plan->event_count; i++)
        write_event(plan, &plan->events[i], &writer);
    json_end_array(&writer);
}
