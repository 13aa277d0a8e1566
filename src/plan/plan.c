/* SPDX-License-Identifier: Apache-2.0 */
/* The plan in memory: making, finding, loading, judging, learning. */
#include "plan/inside.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/logline.h"
#include "event/known.h"

#define NAMES_BYTES_MAX ((size_t)96 << 20)
#define SCRATCH_BYTES_MAX ((size_t)1 << 20)

const char *plan_reason_code(enum plan_reason reason)
{
    static const char *const codes[] = { [PLAN_FITS] = "fits",
#define X(name, code, text) [PLAN_##name] = code,
                                         PLAN_REASONS(X)
#undef X
    };
    INVARIANT(reason < sizeof codes / sizeof codes[0]);
    return codes[reason];
}

const char *plan_reason_text(enum plan_reason reason)
{
    static const char *const texts[] = { [PLAN_FITS] = "the event fits the plan",
#define X(name, code, text) [PLAN_##name] = text,
                                         PLAN_REASONS(X)
#undef X
    };
    INVARIANT(reason < sizeof texts / sizeof texts[0]);
    return texts[reason];
}

/* ---- tables of names ---- */

typedef str (*name_at)(const struct plan *plan, uint32_t index);

static str event_name_at(const struct plan *plan, uint32_t index)
{
    return plan->events[index].name;
}

static str name_name_at(const struct plan *plan, uint32_t index)
{
    return plan->names[index].name;
}

static uint32_t table_hash(str name)
{
    return (uint32_t)hash_bytes64(name.data, name.size, 0);
}

static uint32_t table_find(const struct plan *plan, const struct plan_table *table, name_at at,
                           str name)
{
    if (table->slots == NULL)
        return NO_INDEX;
    for (uint32_t slot = table_hash(name) & table->mask; table->slots[slot] != 0;
         slot = (slot + 1) & table->mask)
        if (str_equal(at(plan, table->slots[slot] - 1), name))
            return table->slots[slot] - 1;
    return NO_INDEX;
}

static void table_place(struct plan_table *table, str name, uint32_t index)
{
    uint32_t slot = table_hash(name) & table->mask;
    while (table->slots[slot] != 0)
        slot = (slot + 1) & table->mask;
    table->slots[slot] = index + 1;
}

static bool table_grow(const struct plan *plan, struct plan_table *table, name_at at)
{
    uint32_t size = table->slots == NULL ? 1024 : (table->mask + 1) * 2;
    struct plan_table grown = { .mask = size - 1, .count = table->count };
    grown.slots = memory_alloc(size * sizeof *grown.slots);
    if (grown.slots == NULL)
        return false;
    for (uint32_t i = 0; i < table->count; i++)
        table_place(&grown, at(plan, i), i);
    memory_free(table->slots);
    *table = grown;
    return true;
}

/* Room for one more index; what is put is always the next one. */
static bool table_has_room(const struct plan *plan, struct plan_table *table, name_at at)
{
    return (table->slots != NULL && table->count * 2 < table->mask) || table_grow(plan, table, at);
}

static void table_put(struct plan_table *table, str name)
{
    table_place(table, name, table->count);
    table->count++;
}

static bool grow(void **list, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return true;
    uint32_t wanted = *room == 0 ? 64 : *room * 2;
    void *grown = memory_resize(*list, wanted * size);
    if (grown == NULL)
        return false;
    *list = grown;
    *room = wanted;
    return true;
}

/* ---- finding and making ---- */

uint32_t plan_find_event(const struct plan *plan, str name)
{
    return table_find(plan, &plan->event_table, event_name_at, name);
}

uint32_t plan_find_name(const struct plan *plan, str name)
{
    return table_find(plan, &plan->name_table, name_name_at, name);
}

/* Names have few uses, events few properties: the shorter way is not known beforehand. */
static uint32_t find_use(const struct plan *plan, uint32_t event, uint32_t name)
{
    for (uint32_t i = plan->names[name].first_use; i != NO_INDEX;
         i = plan->properties[i].next_of_name)
        if (plan->properties[i].event == event)
            return i;
    return NO_INDEX;
}

uint32_t plan_find_property(const struct plan *plan, uint32_t event, str name)
{
    uint32_t index = plan_find_name(plan, name);
    return index == NO_INDEX ? NO_INDEX : find_use(plan, event, index);
}

uint32_t plan_make_event(struct plan *plan, str name, uint32_t number)
{
    str copy;
    if (!grow((void **)&plan->events, plan->event_count, &plan->event_room, sizeof *plan->events) ||
        !table_has_room(plan, &plan->event_table, event_name_at) ||
        arena_dup(&plan->arena, name, &copy) != ERR_OK)
        return NO_INDEX;
    plan->events[plan->event_count] =
        (struct plan_event){ .name = copy, .number = number, .first_property = NO_INDEX };
    table_put(&plan->event_table, copy);
    if (number >= plan->next_number)
        plan->next_number = number + 1;
    return plan->event_count++;
}

static uint32_t make_name(struct plan *plan, str name)
{
    str copy;
    if (!grow((void **)&plan->names, plan->name_count, &plan->name_room, sizeof *plan->names) ||
        !table_has_room(plan, &plan->name_table, name_name_at) ||
        arena_dup(&plan->arena, name, &copy) != ERR_OK)
        return NO_INDEX;
    plan->names[plan->name_count] = (struct plan_name){ .name = copy, .first_use = NO_INDEX };
    table_put(&plan->name_table, copy);
    return plan->name_count++;
}

uint32_t plan_make_property(struct plan *plan, uint32_t event, str name)
{
    uint32_t name_index = plan_find_name(plan, name);
    if (name_index == NO_INDEX)
        name_index = make_name(plan, name);
    if (name_index == NO_INDEX || !grow((void **)&plan->properties, plan->property_count,
                                        &plan->property_room, sizeof *plan->properties))
        return NO_INDEX;
    plan->properties[plan->property_count] = (struct plan_property){
        .event = event,
        .name = name_index,
        .next_of_event = plan->events[event].first_property,
        .next_of_name = plan->names[name_index].first_use,
    };
    plan->events[event].first_property = plan->property_count;
    plan->events[event].property_count++;
    plan->names[name_index].first_use = plan->property_count;
    return plan->property_count++;
}

enum plan_type plan_type_of(const struct plan *plan, const struct plan_property *property)
{
    return property->fixed != PLAN_TYPE_NONE ? property->fixed : plan->names[property->name].type;
}

/* ---- the beginning ---- */

static enum plan_type type_of_known(enum known_type type)
{
    static const enum plan_type types[] = {
        [KNOWN_TEXT] = PLAN_TYPE_TEXT,       [KNOWN_INT] = PLAN_TYPE_INT,
        [KNOWN_DECIMAL] = PLAN_TYPE_DECIMAL, [KNOWN_MONEY] = PLAN_TYPE_MONEY,
        [KNOWN_BOOL] = PLAN_TYPE_BOOL,       [KNOWN_TIME] = PLAN_TYPE_TIME,
        [KNOWN_LIST] = PLAN_TYPE_LIST,       [KNOWN_OBJECT] = PLAN_TYPE_OBJECT,
    };
    return types[type];
}

static bool add_known(struct plan *plan, uint32_t number)
{
    const struct known_event *known = &known_events[number - 1];
    uint32_t event = plan_make_event(plan, str_from_c(known->name), number);
    size_t at = 0;
    str name;
    if (event == NO_INDEX ||
        plan_set_description(&plan->events[event], str_from_c(known->description)) != ERR_OK)
        return false;
    plan->events[event].known = true;
    plan->events[event].status = PLAN_PLANNED;
    while (known_event_next(known, &at, &name)) {
        const struct known_property *property = known_property(name);
        uint32_t index = plan_find_property(plan, event, name);
        if (index == NO_INDEX)
            index = plan_make_property(plan, event, name);
        if (index == NO_INDEX)
            return false;
        INVARIANT(property != NULL);
        plan->properties[index].fixed = type_of_known(property->type);
        plan->properties[index].known = true;
    }
    return true;
}

err plan_new(struct plan **plan)
{
    struct plan *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    arena_init(&made->arena, "plan", NAMES_BYTES_MAX);
    buffer_init(&made->scratch, SCRATCH_BYTES_MAX);
    made->shapes = memory_alloc(SHAPE_SLOTS * sizeof *made->shapes);
    bool good = made->shapes != NULL && json_parser_new(&made->parser, EVENT_BYTES_MAX) == ERR_OK;
    for (uint32_t i = 1; i <= known_event_count && good; i++)
        good = add_known(made, i);
    made->next_number = FIRST_LEARNT_NUMBER;
    if (!good) {
        plan_free(&made);
        return ERR_NOMEM;
    }
    *plan = made;
    return ERR_OK;
}

void plan_free(struct plan **plan)
{
    struct plan *freed = *plan;
    *plan = NULL;
    if (freed == NULL)
        return;
    for (uint32_t i = 0; i < freed->event_count; i++)
        memory_free((char *)(uintptr_t)freed->events[i].description.data);
    for (uint32_t i = 0; i < freed->property_count; i++)
        memory_free(freed->properties[i].values);
    memory_free(freed->events);
    memory_free(freed->properties);
    memory_free(freed->names);
    memory_free(freed->quotas);
    memory_free(freed->event_table.slots);
    memory_free(freed->name_table.slots);
    memory_free(freed->shapes);
    json_parser_free(&freed->parser);
    buffer_deinit(&freed->scratch);
    arena_deinit(&freed->arena);
    memory_free(freed);
}

size_t plan_memory_bytes(const struct plan *plan)
{
    return plan->arena.used_bytes + plan->event_room * sizeof *plan->events +
           plan->property_room * sizeof *plan->properties + plan->name_room * sizeof *plan->names +
           ((size_t)plan->event_table.mask + plan->name_table.mask + 2) * sizeof(uint32_t) +
           SHAPE_SLOTS * sizeof *plan->shapes;
}

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

void plan_forget_shapes(struct plan *plan)
{
    memset(plan->shapes, 0, SHAPE_SLOTS * sizeof *plan->shapes);
}

/* ---- quotas ---- */

static struct plan_quota *quota_of(struct plan *plan, uint32_t source_number, int64_t at_ms)
{
    struct plan_quota *quota = NULL;
    for (uint32_t i = 0; i < plan->quota_count && quota == NULL; i++)
        if (plan->quotas[i].source_number == source_number)
            quota = &plan->quotas[i];
    if (quota == NULL) {
        if (!grow((void **)&plan->quotas, plan->quota_count, &plan->quota_room,
                  sizeof *plan->quotas))
            return NULL;
        quota = &plan->quotas[plan->quota_count++];
        *quota = (struct plan_quota){ .source_number = source_number, .day = at_ms / DAY_MS };
    }
    if (quota->day < at_ms / DAY_MS)
        *quota = (struct plan_quota){ .source_number = source_number, .day = at_ms / DAY_MS };
    return quota;
}

/* Rows come back in any order of days: only the last day counts. */
static bool count_row(struct plan *plan, uint32_t source_number, int64_t first_seen_ms, bool event)
{
    if (source_number == 0 || first_seen_ms == 0)
        return true;
    struct plan_quota *quota = quota_of(plan, source_number, first_seen_ms);
    if (quota == NULL)
        return false;
    if (quota->day == first_seen_ms / DAY_MS) {
        quota->events += event;
        quota->properties += !event;
    }
    return true;
}

/* ---- loading ---- */

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
        quota_of(plan, judgement->event->source_number, judgement->event->received_ms);
    uint32_t held =
        judgement->index == NO_INDEX ? 0 : plan->events[judgement->index].property_count;
    bool room = quota != NULL && quota->events + new_events <= PLAN_NEW_EVENTS_PER_DAY &&
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
        struct plan_quota *quota = quota_of(plan, event->source_number, event->received_ms);
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
            quota_of(plan, judgement->event->source_number, judgement->event->received_ms);
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

static bool parse_props(struct judgement *judgement)
{
    struct problem problem = { .error = ERR_OK };
    if (json_parse(judgement->plan->parser, judgement->event->props, &judgement->props, &problem) ==
        ERR_OK)
        return true;
    /* A door wrote it, so it is JSON: only memory can be wanting. The event goes on unjudged. */
    log_line(LOG_ERROR, "plan_not_judged", "seq=%llu reason=\"%s\"",
             (unsigned long long)judgement->event->seq, problem.detail);
    return false;
}

enum plan_reason plan_check(struct plan *plan, const struct event *event, bool strict,
                            struct ledger_writes *writes, struct problem *detail)
{
    struct judgement judgement = {
        .plan = plan, .event = event, .writes = writes, .detail = detail, .strict = strict
    };
    if (event->kind == EVENT_OBJECT)
        return PLAN_FITS;
    if (!has_identifier(event)) {
        problem_set(detail, ERR_UNPROCESSABLE, "every identifier on it is masked or a placeholder");
        return PLAN_NO_IDENTIFIER;
    }
    if (!has_properties(event) || (event->shape != 0 && shape_is_fit(plan, event->shape)))
        return PLAN_FITS;
    enum plan_reason reason = judge_event(&judgement);
    if (reason != PLAN_FITS || !parse_props(&judgement))
        return reason;
    reason = judge_properties(&judgement);
    if (reason != PLAN_FITS)
        return reason;
    if (!learn(&judgement))
        log_line(LOG_ERROR, "plan_not_learnt", "seq=%llu reason=\"no memory\"",
                 (unsigned long long)event->seq);
    else if (event->shape != 0 && !judgement.by_value)
        remember_shape(plan, event->shape);
    return PLAN_FITS;
}

/* ---- digest ---- */

static void digest_property(const struct plan *plan, const struct plan_property *property,
                            struct buffer *row, struct digest *digest)
{
    buffer_clear(row);
    buffer_printf(row, "p %u ", plan->events[property->event].number);
    buffer_append_str(row, plan->names[property->name].name);
    buffer_printf(row, " %d %d %d %u %lld ", (int)plan->names[property->name].type,
                  (int)property->fixed, property->required, property->source_number,
                  (long long)property->first_seen_ms);
    for (uint32_t i = 0; i < property->value_count; i++)
        buffer_append_str(row, property->values[i]);
    digest_add(digest, row->data, row->size);
}

void plan_digest(const struct plan *plan, struct digest *digest)
{
    struct buffer row;
    buffer_init(&row, SCRATCH_BYTES_MAX);
    for (uint32_t i = 0; i < plan->event_count; i++) {
        const struct plan_event *event = &plan->events[i];
        buffer_clear(&row);
        buffer_printf(&row, "e %u %d %u %lld ", event->number, (int)event->status,
                      event->source_number, (long long)event->first_seen_ms);
        buffer_append_str(&row, event->name);
        buffer_append_str(&row, event->description);
        digest_add(digest, row.data, row.size);
    }
    for (uint32_t i = 0; i < plan->property_count; i++)
        digest_property(plan, &plan->properties[i], &row, digest);
    buffer_deinit(&row);
}
