/* SPDX-License-Identifier: Apache-2.0 */
/* Does an event fit, and what does it teach? */
#include <stdio.h>

#include "base/clock.h"
#include "base/logline.h"
#include "plan/inside.h"

/* ---- the cache of shapes ---- */

static bool shape_is_fit(const struct plan *plan, uint64_t shape)
{
    const uint64_t *set = &plan->shapes[shape & (SHAPE_SLOTS - SHAPE_WAYS)];
    return set[0] == shape || set[1] == shape || set[2] == shape || set[3] == shape;
}

static void remember_shape(struct plan *plan, uint64_t shape)
{
    uint64_t *set = &plan->shapes[shape & (SHAPE_SLOTS - SHAPE_WAYS)];
    unsigned way = (unsigned)(shape >> 62);
    for (unsigned i = 0; i < SHAPE_WAYS; i++)
        if (set[i] == 0)
            way = i;
    set[way] = shape;
}

/* ---- judging ---- */

struct judgement {
    struct plan *plan;
    const struct event *event;
    struct ledger_writes *writes;
    struct problem *detail;
    bool strict;
    bool by_value;  /* the shape alone does not tell */
    uint32_t index; /* of the event; NO_INDEX: new */
    uint32_t new_properties;
    json_value props;
    err error; /* no memory: then the reason says nothing */
};

static enum plan_reason refuse(struct judgement *judgement, enum plan_reason reason, str name,
                               const char *what)
{
    problem_set(judgement->detail, ERR_UNPROCESSABLE, "%s: '%.*s'%s%s", plan_reason_text(reason),
                (int)(name.size < 100 ? name.size : 100), name.data != NULL ? name.data : "",
                what[0] != '\0' ? ", " : "", what);
    return reason;
}

static bool value_is_listed(struct plan *plan, const struct plan_property *property,
                            json_value value)
{
    buffer_clear(&plan->scratch);
    json_write_value(&plan->scratch, value);
    for (uint32_t i = 0; i < property->value_count; i++)
        if (str_equal(property->values[i], buffer_str(&plan->scratch)))
            return true;
    return false;
}

static const char *type_word(enum plan_type type)
{
    return plan_type_words[type].data;
}

static enum plan_reason refuse_type(struct judgement *judgement, str name, enum plan_type wanted,
                                    json_value value)
{
    char what[80];
    snprintf(what, sizeof what, "it is %s and should be %s", type_word(plan_type_of_value(value)),
             type_word(wanted));
    return refuse(judgement, PLAN_WRONG_TYPE, name, what);
}

static enum plan_reason judge_known_property(struct judgement *judgement,
                                             const struct plan_property *property, str name,
                                             json_value value)
{
    struct plan *plan = judgement->plan;
    enum plan_type learnt = plan->names[property->name].type, own = plan_type_of_value(value);
    if (property->fixed != PLAN_TYPE_NONE &&
        !plan_type_takes(property->fixed, value, &judgement->by_value))
        return refuse_type(judgement, name, property->fixed, value);
    if (property->fixed == PLAN_TYPE_NONE && judgement->strict && learnt != PLAN_TYPE_NONE &&
        plan_type_join(learnt, own) != learnt)
        return refuse_type(judgement, name, learnt, value);
    if (property->value_count > 0 && own != PLAN_TYPE_NONE) {
        judgement->by_value = true;
        if (!value_is_listed(plan, property, value))
            return refuse(judgement, PLAN_NOT_IN_LIST, name, "");
    }
    return PLAN_FITS;
}

static enum plan_reason judge_property(struct judgement *judgement, str name, json_value value)
{
    uint32_t index = judgement->index == NO_INDEX
                         ? NO_INDEX
                         : plan_find_property(judgement->plan, judgement->index, name);
    if (index != NO_INDEX)
        return judge_known_property(judgement, &judgement->plan->properties[index], name, value);
    if (judgement->strict)
        return refuse(judgement, PLAN_UNKNOWN_PROPERTY, name, "");
    if (name.size > EVENT_NAME_BYTES_MAX) /* or so many of them would fill the memory of names */
        return refuse(judgement, PLAN_UNKNOWN_PROPERTY, name, "its name is longer than 200 bytes");
    judgement->new_properties++;
    return PLAN_FITS;
}

static bool is_given(json_value value)
{
    enum json_kind kind = json_kind(value);
    return kind != JSON_MISSING && kind != JSON_NULL;
}

static enum plan_reason judge_required(struct judgement *judgement)
{
    struct plan *plan = judgement->plan;
    if (judgement->index == NO_INDEX)
        return PLAN_FITS;
    for (uint32_t i = plan->events[judgement->index].first_property; i != NO_INDEX;
         i = plan->properties[i].next_of_event) {
        str name = plan->names[plan->properties[i].name].name;
        if (plan->properties[i].required && !is_given(json_get(judgement->props, name)))
            return refuse(judgement, PLAN_MISSING_PROPERTY, name, "");
    }
    return PLAN_FITS;
}

/* May the source bring these names today? */
static enum plan_reason judge_quota(struct judgement *judgement, uint32_t new_events,
                                    uint32_t new_properties)
{
    struct plan *plan = judgement->plan;
    if (new_events == 0 && new_properties == 0)
        return PLAN_FITS;
    struct plan_quota *quota =
        plan_quota_of(plan, judgement->event->source_number, judgement->event->received_ms);
    uint32_t held =
        judgement->index == NO_INDEX ? 0 : plan->events[judgement->index].property_count;
    if (quota == NULL) {
        judgement->error = ERR_NOMEM;
        return PLAN_FITS;
    }
    bool room = quota->events + new_events <= PLAN_NEW_EVENTS_PER_DAY &&
                quota->properties + new_properties <= PLAN_NEW_PROPERTIES_PER_DAY &&
                plan->event_count + new_events <= PLAN_EVENTS_MAX &&
                plan->property_count + new_properties <= PLAN_PROPERTIES_MAX &&
                held + new_properties <= PLAN_PROPERTIES_PER_EVENT_MAX;
    return room ? PLAN_FITS : refuse(judgement, PLAN_TOO_MANY_NAMES, judgement->event->type, "");
}

static enum plan_reason judge_properties(struct judgement *judgement)
{
    struct json_iterator iterator = json_iterate(judgement->props);
    json_value value;
    str name;
    enum plan_reason reason = PLAN_FITS;
    while (reason == PLAN_FITS && json_next(&iterator, &name, &value))
        reason = judge_property(judgement, name, value);
    if (reason == PLAN_FITS)
        reason = judge_required(judgement);
    if (reason == PLAN_FITS)
        reason = judge_quota(judgement, judgement->index == NO_INDEX, judgement->new_properties);
    return reason;
}

/* ---- learning ---- */

static bool learn_event(struct judgement *judgement)
{
    struct plan *plan = judgement->plan;
    const struct event *event = judgement->event;
    bool is_new = judgement->index == NO_INDEX;
    if (is_new)
        judgement->index = plan_make_event(plan, event->type, plan->next_number);
    if (judgement->index == NO_INDEX)
        return false;
    struct plan_event *learnt = &plan->events[judgement->index];
    if (learnt->first_seen_ms != 0)
        return true;
    learnt->first_seen_ms = event->received_ms;
    learnt->source_number = event->source_number;
    plan_store_event(plan, learnt, judgement->writes);
    if (is_new) {
        struct plan_quota *quota = plan_quota_of(plan, event->source_number, event->received_ms);
        if (quota != NULL)
            quota->events++;
    }
    return true;
}

static bool see_property(struct judgement *judgement, uint32_t index, bool is_new)
{
    struct plan *plan = judgement->plan;
    struct plan_property *property = &plan->properties[index];
    if (property->first_seen_ms != 0)
        return false;
    property->first_seen_ms = judgement->event->received_ms;
    property->source_number = judgement->event->source_number;
    if (is_new) {
        struct plan_quota *quota =
            plan_quota_of(plan, judgement->event->source_number, judgement->event->received_ms);
        if (quota != NULL)
            quota->properties++;
    }
    return true;
}

static bool learn_property(struct judgement *judgement, str name, json_value value)
{
    struct plan *plan = judgement->plan;
    uint32_t index = plan_find_property(plan, judgement->index, name);
    bool is_new = index == NO_INDEX;
    if (is_new)
        index = plan_make_property(plan, judgement->index, name);
    if (index == NO_INDEX)
        return false;
    bool store = see_property(judgement, index, is_new);
    struct plan_name *learnt = &plan->names[plan->properties[index].name];
    if (plan->properties[index].fixed == PLAN_TYPE_NONE) {
        enum plan_type joined = plan_type_join(learnt->type, plan_type_of_value(value));
        bool widened = joined != learnt->type;
        learnt->type = joined;
        if (widened)
            plan_store_uses(plan, plan->properties[index].name, judgement->writes);
    }
    if (store)
        plan_store_property(plan, &plan->properties[index], judgement->writes);
    return true;
}

static bool learn(struct judgement *judgement)
{
    struct json_iterator iterator = json_iterate(judgement->props);
    json_value value;
    str name;
    bool good = learn_event(judgement);
    while (good && json_next(&iterator, &name, &value))
        good = learn_property(judgement, name, value);
    return good;
}

/* ---- the whole ---- */

static bool has_identifier(const struct event *event)
{
    for (uint32_t i = 0; i < event->identifier_count; i++)
        if ((event->identifiers[i].flags & IDENTIFIER_BLOCKED) == 0)
            return true;
    return false;
}

static bool has_properties(const struct event *event)
{
    return event->kind == EVENT_TRACK || event->kind == EVENT_PAGE || event->kind == EVENT_SCREEN;
}

static enum plan_reason judge_event(struct judgement *judgement)
{
    struct plan *plan = judgement->plan;
    str type = judgement->event->type;
    judgement->index = plan_find_event(plan, type);
    if (judgement->index == NO_INDEX)
        return judgement->strict ? refuse(judgement, PLAN_UNKNOWN_EVENT, type, "")
                                 : judge_quota(judgement, 1, 0);
    if (plan->events[judgement->index].status == PLAN_BLOCKED)
        return refuse(judgement, PLAN_BLOCKED_EVENT, type, "");
    return PLAN_FITS;
}

/* A door wrote it, so it is JSON; a record of another hand that is none does not fit. */
static enum plan_reason parse_props(struct judgement *judgement)
{
    err error =
        json_parse(judgement->plan->parser, judgement->event->props, &judgement->props, NULL);
    if (error == ERR_NOMEM)
        judgement->error = error;
    else if (error != ERR_OK)
        return refuse(judgement, PLAN_WRONG_TYPE, judgement->event->type,
                      "its properties cannot be read");
    return PLAN_FITS;
}

/* By event, properties, quota; what fits is learnt. */
static enum plan_reason judge_and_learn(struct judgement *judgement)
{
    const struct event *event = judgement->event;
    enum plan_reason reason = judge_event(judgement);
    if (reason != PLAN_FITS || judgement->error != ERR_OK)
        return reason;
    reason = parse_props(judgement);
    if (reason != PLAN_FITS || judgement->error != ERR_OK)
        return reason;
    reason = judge_properties(judgement);
    if (reason != PLAN_FITS || judgement->error != ERR_OK)
        return reason;
    if (!learn(judgement))
        judgement->error = ERR_NOMEM;
    else if (event->shape != 0 && !judgement->by_value)
        remember_shape(judgement->plan, event->shape);
    return PLAN_FITS;
}

err plan_check(struct plan *plan, const struct event *event, bool strict,
               struct ledger_writes *writes, enum plan_reason *reason, struct problem *detail)
{
    struct judgement judgement = {
        .plan = plan, .event = event, .writes = writes, .detail = detail, .strict = strict
    };
    *reason = PLAN_FITS;
    if (event->kind == EVENT_OBJECT)
        return ERR_OK;
    if (!has_identifier(event)) {
        problem_set(detail, ERR_UNPROCESSABLE, "every identifier on it is masked or a placeholder");
        *reason = PLAN_NO_IDENTIFIER;
        return ERR_OK;
    }
    if (!has_properties(event) || (event->shape != 0 && shape_is_fit(plan, event->shape)))
        return ERR_OK;
    *reason = judge_and_learn(&judgement);
    return judgement.error;
}
