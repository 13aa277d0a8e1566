/* SPDX-License-Identifier: Apache-2.0 */
/* Making a rule, and what it depends on. */
#include <stdatomic.h>
#include <string.h>

#include "rule/parse.h"

#define RULE_BYTES_MAX ((size_t)64 << 20)

static _Atomic uint64_t rules_made;

void rule_free(struct rule **rule)
{
    struct rule *gone = *rule;
    if (gone == NULL)
        return;
    patterns_free(gone);
    arena_deinit(&gone->arena);
    memory_free(gone);
    *rule = NULL;
}

/* ---- what it depends on ---- */

struct gathering {
    struct rule *rule;
    struct rule_needs *needs;
    uint32_t *traits, *tags, *segments, *relations, *entered, *entered_journeys;
};

static void add_number(uint32_t *numbers, size_t *count, uint32_t number)
{
    for (size_t i = 0; i < *count; i++)
        if (numbers[i] == number)
            return;
    numbers[(*count)++] = number;
}

static void gather_object(struct gathering *gathering, const struct node *node)
{
    gathering->needs->objects = true;
    gathering->needs->time |= node->relative;
    if (node->scope == SCOPE_CUSTOMER && node->via_kind == NODE_RELATION) {
        gathering->needs->relations = true;
        add_number(gathering->relations, &gathering->needs->relation_count,
                   node->via_symbol.number);
    }
    if (node->scope == SCOPE_CUSTOMER && node->via_kind == NODE_TRAIT)
        add_number(gathering->traits, &gathering->needs->trait_count, node->via_symbol.number);
}

static void gather_entered(struct gathering *gathering, const struct rule_entered *entered)
{
    if (entered->kind == RULE_ENTERED_JOURNEY)
        add_number(gathering->entered_journeys, &gathering->needs->entered_journey_count,
                   entered->symbol.number);
    if (entered->kind != RULE_ENTERED_SEGMENT)
        return;
    add_number(gathering->segments, &gathering->needs->segment_count, entered->symbol.number);
    add_number(gathering->entered, &gathering->needs->entered_count, entered->symbol.number);
}

static void gather(struct gathering *gathering, const struct node *node)
{
    struct rule_needs *needs = gathering->needs;
    switch (node->kind) {
    case NODE_TRAIT:
        add_number(gathering->traits, &needs->trait_count, node->symbol.number);
        break;
    case NODE_TAG:
        add_number(gathering->tags, &needs->tag_count, node->symbol.number);
        break;
    case NODE_SEGMENT:
        add_number(gathering->segments, &needs->segment_count, node->symbol.number);
        break;
    case NODE_HAS:
        needs->identifiers = true;
        break;
    case NODE_CONSENT:
        needs->consents = true;
        break;
    case NODE_REACHABLE:
        needs->identifiers = needs->consents = true;
        break;
    case NODE_RELATION:
        needs->relations = true;
        add_number(gathering->relations, &needs->relation_count, node->symbol.number);
        break;
    case NODE_TOUCH:
        needs->touches = true;
        break;
    case NODE_OBJECT:
        gather_object(gathering, node);
        break;
    case NODE_ALL:
    case NODE_ANY:
    case NODE_NOT:
        for (uint32_t i = 0; i < node->child_count; i++)
            gather(gathering, node->children[i]);
        return;
    case NODE_EVENT:
    case NODE_SEQUENCE:
    case NODE_PROP:
    default:
        break;
    }
    bool is_heard = node->kind == NODE_EVENT || node->kind == NODE_SEQUENCE;
    gathering->rule->turns |= !is_heard && (node->relative || node->kind == NODE_TOUCH);
    gather_entered(gathering, &node->measuring.window.entered);
    /* An event in the future becomes one of the past by time alone. */
    needs->time |= node->relative || node->kind == NODE_EVENT || node->kind == NODE_SEQUENCE ||
                   node->kind == NODE_TOUCH;
}

static err gather_events(struct rule *rule, struct rule_needs *needs)
{
    str *events = arena_array(&rule->arena, str, rule->listener_count + 2);
    if (events == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < rule->listener_count; i++) {
        size_t at = 0;
        while (at < needs->event_count && !str_equal(events[at], rule->listeners[i].event))
            at++;
        if (at == needs->event_count)
            events[needs->event_count++] = rule->listeners[i].event;
    }
    if (needs->touches)
        events[needs->event_count++] = STR(RULE_TOUCH_EVENT);
    needs->events = events;
    return ERR_OK;
}

static bool where_has_object(const struct node *where)
{
    if (where == NULL)
        return false;
    bool has = where->kind == NODE_OBJECT;
    for (uint32_t i = 0; i < where->child_count && !has; i++)
        has = where_has_object(where->children[i]);
    return has;
}

static bool slot_has_object(const struct node *node)
{
    bool has = where_has_object(node->where);
    for (uint32_t i = 0; i < node->step_count && !has; i++)
        has = where_has_object(node->steps[i].where);
    return has;
}

static err gather_needs(struct rule *rule)
{
    struct rule_needs *needs = &rule->needs;
    size_t room = rule->condition_count + 1;
    struct gathering gathering = {
        .rule = rule,
        .needs = needs,
        .traits = arena_array(&rule->arena, uint32_t, room),
        .tags = arena_array(&rule->arena, uint32_t, room),
        .segments = arena_array(&rule->arena, uint32_t, 2 * room),
        .relations = arena_array(&rule->arena, uint32_t, room),
        .entered = arena_array(&rule->arena, uint32_t, room),
        .entered_journeys = arena_array(&rule->arena, uint32_t, room),
    };
    if (gathering.traits == NULL || gathering.tags == NULL || gathering.segments == NULL ||
        gathering.relations == NULL || gathering.entered == NULL ||
        gathering.entered_journeys == NULL)
        return ERR_NOMEM;
    gather(&gathering, rule->root);
    needs->traits = gathering.traits;
    needs->tags = gathering.tags;
    needs->segments = gathering.segments;
    needs->relation_symbols = gathering.relations;
    needs->entered = gathering.entered;
    needs->entered_journeys = gathering.entered_journeys;
    needs->columns = rule->columns;
    needs->column_count = rule->column_count;
    needs->object_symbols = rule->object_symbols;
    needs->object_symbol_count = rule->object_symbol_count;
    needs->nested =
        rule->set_count > (rule->root->kind == NODE_OBJECT && rule->root->scope == SCOPE_CUSTOMER);
    for (uint32_t i = 0; i < rule->slot_count; i++)
        needs->objects |= slot_has_object(rule->slots[i]);
    return gather_events(rule, needs);
}

const struct rule_needs *rule_needs(const struct rule *rule)
{
    return &rule->needs;
}

size_t rule_condition_count(const struct rule *rule)
{
    return rule->condition_count;
}

str rule_condition_path(const struct rule *rule, size_t index)
{
    INVARIANT(index < rule->condition_count);
    return rule->conditions[index]->pointer;
}

/* ---- making ---- */

static err begin(struct parser *parser, struct rule **out, const struct rule_catalogue *catalogue,
                 struct problem *problem)
{
    struct rule *rule = memory_alloc(sizeof(*rule));
    *out = rule;
    if (rule == NULL)
        return ERR_NOMEM;
    arena_init(&rule->arena, "rules", RULE_BYTES_MAX);
    rule->number = atomic_fetch_add_explicit(&rules_made, 1, memory_order_relaxed) + 1;
    rule->history = catalogue->history;
    *parser = (struct parser){ .rule = rule, .catalogue = catalogue, .problem = problem };
    return zone_copy(&rule->zone, catalogue->zone, &rule->arena);
}

static err end(struct rule **rule, err error, struct problem *problem)
{
    if (error == ERR_OK)
        error = gather_needs(*rule);
    if (error == ERR_OK)
        error = rule_print(*rule);
    if (error == ERR_OK)
        return ERR_OK;
    if (error == ERR_NOMEM)
        problem_set(problem, error, "there is no memory for the rule");
    rule_free(rule);
    return error;
}

err rule_new(struct rule **rule, json_value json, const struct rule_catalogue *catalogue,
             struct problem *problem)
{
    struct parser parser;
    err error = begin(&parser, rule, catalogue, problem);
    if (error == ERR_OK)
        error = parse_node(&parser, json, STR(""), SCOPE_CUSTOMER, &(*rule)->root);
    return end(rule, error, problem);
}

err rule_measure_new(struct rule **rule, json_value json, const struct rule_catalogue *catalogue,
                     enum rule_kind *kind, struct problem *problem)
{
    struct parser parser;
    err error = begin(&parser, rule, catalogue, problem);
    if (error == ERR_OK)
        (*rule)->is_measure = true;
    if (error == ERR_OK && json_kind(json_get(json, STR("event"))) == JSON_MISSING) {
        /* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the hint gives the same error */
        error = parse_fail(&parser, STR(""), "what is measured has to be an event");
        error = parse_hint(&parser,
                           "as {\"event\":\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\"}");
    }
    if (error == ERR_OK)
        error = parse_event(&parser, json, STR(""), &(*rule)->root);
    error = end(rule, error, problem);
    if (error == ERR_OK)
        *kind = (*rule)->root->measuring.kind;
    return error;
}

err rule_objects_new(struct rule **rule, str kind, json_value json,
                     const struct rule_catalogue *catalogue, struct problem *problem)
{
    struct parser parser;
    struct node *node = NULL;
    err error = begin(&parser, rule, catalogue, problem);
    if (error == ERR_OK)
        error = parse_copy(&parser, kind, &parser.object_kind);
    if (error == ERR_OK) {
        node = parse_make(&parser, NODE_OBJECT, STR(""));
        error = node == NULL ? ERR_NOMEM : ERR_OK;
    }
    if (error == ERR_OK && (catalogue->object == NULL ||
                            !catalogue->object(catalogue->context, kind, STR_NONE, &node->symbol)))
        error = parse_unknown(&parser, STR(""), "object", kind);
    if (error == ERR_OK) {
        node->scope = SCOPE_OBJECT;
        node->name = parser.object_kind;
        (*rule)->root = node;
        error = parse_where(&parser, json, STR(""), SCOPE_OBJECT, &node->inner);
    }
    if (error == ERR_OK)
        node->relative = node->inner->relative;
    return end(rule, error, problem);
}
