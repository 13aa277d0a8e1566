/* SPDX-License-Identifier: Apache-2.0 */
/* interest: whom a change can move.
 *
 * Live definitions stand in an order in which each comes after those that it needs. A set of *marks* has a bit per
 * place. What happens (an event type, a fact, a time, a merge) has its marks, made once; judging walks the marks
 * upward, and a definition that changes for her marks those that depend on it, which are all further up. */
#include <stdlib.h>
#include <string.h>

#include "audience/state.h"

/* ---- marks ---- */

void marks_set(struct marks *marks, uint32_t position)
{
    uint32_t word = position / 64;
    marks->words[word] |= UINT64_C(1) << (position % 64);
    if (word < marks->first)
        marks->first = word;
    if (word + 1 > marks->last)
        marks->last = word + 1;
}

void marks_join(struct marks *marks, const struct marks *other)
{
    if (other == NULL)
        return;
    for (uint32_t i = other->first; i < other->last; i++)
        marks->words[i] |= other->words[i];
    if (other->first < marks->first)
        marks->first = other->first;
    if (other->last > marks->last)
        marks->last = other->last;
}

static struct marks *marks_new(const struct audience *audience)
{
    struct marks *marks = memory_alloc(sizeof *marks);
    if (marks != NULL)
        marks_clear(marks, marks_words(audience));
    return marks;
}

/* ---- order and index ---- */

void interest_clear(struct audience *audience)
{
    for (uint32_t i = 0; i < HISTORY_TYPES_MAX; i++) {
        memory_free(audience->by_type[i]);
        audience->by_type[i] = NULL;
    }
    for (uint32_t i = 0; i < COLUMNS_MAX; i++) {
        memory_free(audience->by_column[i]);
        audience->by_column[i] = NULL;
    }
    for (uint32_t i = 0; i < audience->order_count; i++)
        memory_free(audience->dependents[i]);
    memory_free((void *)audience->dependents);
    memory_free((void *)audience->order);
    rule_pool_free(&audience->pool);
    memory_free(audience->first_rules);
    audience->first_rules = NULL;
    nobody_clear(audience);
    audience->dependents = NULL;
    audience->order = NULL;
    audience->order_count = 0;
}

uint32_t definition_level(const struct audience *audience, const struct definition *definition,
                          unsigned depth)
{
    uint32_t level = 0;
    const struct needs *needs = &definition->recipe->needs;
    for (uint32_t i = 0; i < needs->other_count && depth < 1000; i++) {
        const struct definition *other = definition_at(audience, needs->others[i]);
        if (other == NULL || other->recipe == NULL)
            continue;
        uint32_t below = definition_level(audience, other, depth + 1) + 1;
        if (below > level)
            level = below;
    }
    return level;
}

int definition_compare_order(const void *left, const void *right)
{
    const struct definition *a = *(struct definition *const *)left;
    const struct definition *b = *(struct definition *const *)right;
    if (a->level != b->level)
        return a->level < b->level ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

static err make_order(struct audience *audience)
{
    audience->order = memory_alloc((audience->definition_count + 1) * sizeof(*audience->order));
    audience->dependents =
        memory_alloc((audience->definition_count + 1) * sizeof(*audience->dependents));
    if (audience->order == NULL || audience->dependents == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        if (definition == NULL || definition->deleted || definition->recipe == NULL ||
            definition->on != 0)
            continue;
        definition->level = definition_level(audience, definition, 0);
        audience->order[audience->order_count++] = definition;
    }
    qsort((void *)audience->order, audience->order_count, sizeof(*audience->order),
          definition_compare_order);
    for (uint32_t i = 0; i < audience->order_count; i++)
        audience->order[i]->position = i;
    return ERR_OK;
}

static err mark_dependents(struct audience *audience, const struct definition *definition)
{
    const struct needs *needs = &definition->recipe->needs;
    for (uint32_t i = 0; i < needs->other_count; i++) {
        const struct definition *other = definition_at(audience, needs->others[i]);
        if (other == NULL || other->recipe == NULL || other->deleted || other->on != 0)
            continue;
        struct marks **marks = &audience->dependents[other->position];
        if (*marks == NULL)
            *marks = marks_new(audience);
        if (*marks == NULL)
            return ERR_NOMEM;
        marks_set(*marks, definition->position);
    }
    for (uint32_t i = 0; i < needs->column_count; i++) {
        struct marks **marks = &audience->by_column[needs->columns[i]];
        if (*marks == NULL)
            *marks = marks_new(audience);
        if (*marks == NULL)
            return ERR_NOMEM;
        marks_set(*marks, definition->position);
    }
    return ERR_OK;
}

err interest_make(struct audience *audience)
{
    interest_clear(audience);
    err error = make_order(audience);
    uint32_t words = marks_words(audience);
    marks_clear(&audience->by_time, words);
    marks_clear(&audience->by_nodes, words);
    marks_clear(&audience->by_objects, words);
    marks_clear(&audience->by_others, words);
    marks_clear(&audience->all, words);
    for (uint32_t i = 0; error == ERR_OK && i < audience->order_count; i++) {
        const struct definition *definition = audience->order[i];
        const struct needs *needs = &definition->recipe->needs;
        marks_set(&audience->all, i);
        if (needs->time)
            marks_set(&audience->by_time, i);
        if (needs->nodes)
            marks_set(&audience->by_nodes, i);
        if (needs->objects)
            marks_set(&audience->by_objects, i);
        if (needs->other_count > 0)
            marks_set(&audience->by_others, i);
        error = mark_dependents(audience, definition);
    }
    audience->order_is_stale = false;
    part_reorder(audience);
    if (error == ERR_OK)
        error = hear_make(audience);
    return error == ERR_OK ? object_order_make(audience) : error;
}

static bool needs_event(const struct needs *needs, str type)
{
    if (needs->any_event)
        return true;
    for (uint32_t i = 0; i < needs->event_count; i++)
        if (str_equal(needs->events[i], type))
            return true;
    return false;
}

struct marks *marks_of_type(struct audience *audience, str type)
{
    uint16_t number = history_type_find(audience->config.history, type);
    struct marks **marks = &audience->by_type[number];
    if (*marks != NULL && number != 0)
        return *marks;
    if (*marks == NULL)
        *marks = marks_new(audience);
    if (*marks == NULL)
        return NULL;
    marks_clear(*marks, marks_words(audience)); /* number 0 stands for all that is not interned */
    for (uint32_t i = 0; i < audience->order_count; i++)
        if (needs_event(&audience->order[i]->recipe->needs, type))
            marks_set(*marks, i);
    return *marks;
}
