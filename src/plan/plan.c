/* SPDX-License-Identifier: Apache-2.0 */
/* The plan in memory: making, finding, quotas, digest. */
#include "plan/inside.h"

#include <string.h>

#include "base/clock.h"
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

void plan_forget_shapes(struct plan *plan)
{
    memset(plan->shapes, 0, SHAPE_SLOTS * sizeof *plan->shapes);
}

/* ---- quotas ---- */

struct plan_quota *plan_quota_of(struct plan *plan, uint32_t source_number, int64_t at_ms)
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
