/* SPDX-License-Identifier: Apache-2.0 */
/* The plan from the rows of the ledger. */
#include "base/clock.h"
#include "plan/inside.h"

/* Rows come back in any order of days: only the last day counts. */
static bool count_row(struct plan *plan, uint32_t source_number, int64_t first_seen_ms, bool event)
{
    if (source_number == 0 || first_seen_ms == 0)
        return true;
    struct plan_quota *quota = plan_quota_of(plan, source_number, first_seen_ms);
    if (quota == NULL)
        return false;
    if (quota->day == first_seen_ms / DAY_MS) {
        quota->events += event;
        quota->properties += !event;
    }
    return true;
}

struct load {
    struct plan *plan;
    uint32_t *event_of_number; /* index by number, filled from the rows of events */
    uint32_t number_count;
    err error;
    struct problem *problem;
};

static void damaged(struct load *load, const char *table, int64_t number)
{
    load->error = problem_set(load->problem, ERR_CORRUPT, "a row of %s cannot be read: event %lld",
                              table, (long long)number);
}

static bool note_number(struct load *load, uint32_t number, uint32_t event)
{
    if (number >= load->number_count) {
        uint32_t count = (number + 1) * 2;
        uint32_t *grown = memory_resize(load->event_of_number, count * sizeof *grown);
        if (grown == NULL)
            return false;
        for (uint32_t i = load->number_count; i < count; i++)
            grown[i] = NO_INDEX;
        load->event_of_number = grown;
        load->number_count = count;
    }
    load->event_of_number[number] = event;
    return true;
}

static enum plan_status status_named(str word)
{
    for (int i = 0; i < PLAN_STATUS_COUNT; i++)
        if (str_equal(word, plan_status_words[i]))
            return (enum plan_status)i;
    return PLAN_STATUS_COUNT;
}

static bool load_event(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct plan *plan = load->plan;
    json_value settings;
    int64_t number = values[0].integer;
    enum plan_status status = status_named(values[2].bytes);
    if (number < 1 || number >= NO_INDEX || status == PLAN_STATUS_COUNT ||
        json_parse(plan->parser, values[3].bytes, &settings, NULL) != ERR_OK) {
        damaged(load, "plan_events", number);
        return false;
    }
    uint32_t index = plan_find_event(plan, values[1].bytes);
    if (index == NO_INDEX)
        index = plan_make_event(plan, values[1].bytes, (uint32_t)number);
    if (index == NO_INDEX || !note_number(load, (uint32_t)number, index)) {
        load->error = ERR_NOMEM;
        return false;
    }
    struct plan_event *event = &plan->events[index];
    event->number = (uint32_t)number;
    event->status = status;
    event->stored = true;
    event->put = json_bool(json_get(settings, STR("put")), false);
    event->first_seen_ms = values[4].integer;
    event->source_number = (uint32_t)values[5].integer;
    if (plan->next_number <= event->number)
        plan->next_number = event->number + 1;
    if (plan_set_description(event, json_text(json_get(settings, STR("description")))) != ERR_OK ||
        (!event->known && !event->put &&
         !count_row(plan, event->source_number, event->first_seen_ms, true)))
        load->error = ERR_NOMEM;
    return load->error == ERR_OK;
}

static bool load_property(void *context, const struct ledger_value *values)
{
    struct load *load = context;
    struct plan *plan = load->plan;
    json_value settings;
    int64_t number = values[0].integer;
    enum plan_type type = str_equal(values[2].bytes, plan_type_words[PLAN_TYPE_NONE])
                              ? PLAN_TYPE_NONE
                              : plan_type_named(values[2].bytes);
    if (number < 1 || number >= load->number_count || load->event_of_number[number] == NO_INDEX ||
        type == PLAN_TYPE_COUNT ||
        json_parse(plan->parser, values[3].bytes, &settings, NULL) != ERR_OK) {
        damaged(load, "plan_properties", number);
        return false;
    }
    uint32_t event = load->event_of_number[number];
    uint32_t index = plan_find_property(plan, event, values[1].bytes);
    if (index == NO_INDEX)
        index = plan_make_property(plan, event, values[1].bytes);
    if (index == NO_INDEX) {
        load->error = ERR_NOMEM;
        return false;
    }
    struct plan_property *property = &plan->properties[index];
    bool fixed = json_bool(json_get(settings, STR("fixed")), false);
    enum plan_type learnt = plan_type_named(json_text(json_get(settings, STR("learnt"))));
    property->fixed = fixed ? type : PLAN_TYPE_NONE;
    if (fixed)
        type = learnt != PLAN_TYPE_COUNT ? learnt : PLAN_TYPE_NONE;
    plan->names[property->name].type = plan_type_join(plan->names[property->name].type, type);
    property->put = json_bool(json_get(settings, STR("put")), false);
    property->required = json_bool(json_get(settings, STR("required")), false);
    property->source_number = (uint32_t)json_int(json_get(settings, STR("source")), 0);
    property->first_seen_ms = values[4].integer;
    property->stored = true;
    if (plan_set_values(plan, property, json_get(settings, STR("values"))) != ERR_OK ||
        (!property->known && !property->put &&
         !count_row(plan, property->source_number, property->first_seen_ms, false)))
        load->error = ERR_NOMEM;
    return load->error == ERR_OK;
}

err plan_load(struct plan *plan, struct ledger *ledger, struct problem *problem)
{
    struct load load = { .plan = plan, .problem = problem };
    err error = ledger_scan(ledger, LEDGER_PLAN_EVENTS, NULL, load_event, &load, problem);
    if (error == ERR_OK && load.error == ERR_OK)
        error = ledger_scan(ledger, LEDGER_PLAN_PROPERTIES, NULL, load_property, &load, problem);
    memory_free(load.event_of_number);
    plan_forget_shapes(plan);
    if (error == ERR_OK)
        error = load.error;
    if (error == ERR_NOMEM)
        problem_set(problem, ERR_NOMEM, "no memory for the tracking plan");
    return error;
}
