/* SPDX-License-Identifier: Apache-2.0 */
/* object_tag: tags and segments whose members are objects.
 *
 * They are judged when objects are published: of those that changed, or of all when another definition that they need
 * has moved, when they lead on to other objects, or when time has come. Then the version of the kind moves, and
 * customers whose definitions ask what moved are swept. */
#include <stdlib.h>
#include <string.h>

#include "audience/state.h"

/* ---- order ---- */

err object_order_make(struct audience *audience)
{
    struct objects *objects = &audience->objects;
    memory_free((void *)objects->order);
    objects->order_count = 0;
    objects->order = memory_alloc((audience->definition_count + 1) * sizeof(*objects->order));
    memset(objects->counted_types, 0, sizeof objects->counted_types);
    if (objects->order == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        if (definition == NULL || definition->deleted || definition->on == 0 ||
            definition->recipe == NULL)
            continue;
        definition->level = definition_level(audience, definition, 0);
        objects->order[objects->order_count++] = definition;
    }
    qsort((void *)objects->order, objects->order_count, sizeof(*objects->order),
          definition_compare_order);
    return ERR_OK;
}

/* ---- one object ---- */

static int64_t rule_cell(struct audience *audience, const struct definition *definition,
                         uint32_t number, int64_t now_ms, int64_t *until_ms)
{
    const struct recipe *recipe = definition->recipe;
    for (uint32_t i = 0; i < recipe->value_count; i++) {
        uint32_t index = recipe->last_wins ? recipe->value_count - 1 - i : i;
        struct rule_answer answer;
        rule_object_answer(audience->judging.judge, recipe->rules[index], &audience->judging.facts,
                           number, now_ms + 1, &answer);
        if (answer.until_ms < *until_ms)
            *until_ms = answer.until_ms;
        if (answer.holds)
            return definition_cell(definition, recipe, index + 1);
    }
    return NO_VALUE;
}

err object_definition_judge(struct audience *audience, struct definition *definition,
                            uint32_t number, struct audience_moment moment, enum cause cause,
                            int64_t *until_ms)
{
    int64_t cell = NO_VALUE;
    bool changed = false;
    if (object_is_there(audience, definition->on, number)) {
        if (definition->recipe->form == FORM_RULE)
            cell = rule_cell(audience, definition, number, moment.now_ms, until_ms);
        else if (definition->recipe->form == FORM_GIVEN)
            cell = numbers_get(&definition->given.values, number);
        else
            cell = definition_get(definition, number);
    }
    err error = definition_put(audience, definition, number, cell, moment, cause, &changed);
    definition->moved = definition->moved || changed;
    return error;
}

/* ---- all that may have changed ---- */

static bool needs_moved(const struct audience *audience, const struct needs *needs)
{
    for (uint32_t i = 0; i < needs->other_count; i++) {
        const struct definition *other = definition_at(audience, needs->others[i]);
        if (other != NULL && other->moved)
            return true;
    }
    return false;
}

static err judge_all(struct audience *audience, struct definition *definition,
                     struct audience_moment moment)
{
    uint32_t last = object_count(audience, definition->on);
    err error = ERR_OK;
    definition->until_ms = RULE_FOREVER;
    for (uint32_t number = 1; error == ERR_OK && number <= last; number++)
        error = object_definition_judge(audience, definition, number, moment,
                                        definition->stale ? CAUSE_DEFINITION : CAUSE_FACT,
                                        &definition->until_ms);
    definition->stale = false;
    return error;
}

static err judge_dirty(struct audience *audience, struct definition *definition,
                       struct audience_moment moment)
{
    roaring_uint32_iterator_t iterator;
    err error = ERR_OK;
    roaring_init_iterator(audience->objects.kinds[definition->on]->dirty, &iterator);
    for (; error == ERR_OK && iterator.has_value; roaring_advance_uint32_iterator(&iterator))
        error = object_definition_judge(audience, definition, iterator.current_value, moment,
                                        CAUSE_FACT, &definition->until_ms);
    return error;
}

static bool is_due(const struct definition *definition, int64_t now_ms)
{
    return definition->stale || (definition->until_ms != 0 && definition->until_ms <= now_ms);
}

bool object_definitions_are_due(const struct audience *audience, int64_t now_ms)
{
    for (uint32_t i = 0; i < audience->objects.order_count; i++)
        if (is_due(audience->objects.order[i], now_ms) || audience->objects.order[i]->moved)
            return true;
    return false;
}

/* Customers that ask what moved. A scan that runs may have seen it before or after. */
static void sweep_askers(struct audience *audience, bool published)
{
    bool asked = audience->scan != NULL;
    for (uint32_t i = 0; i < audience->order_count && !asked; i++) {
        const struct needs *needs = &audience->order[i]->recipe->needs;
        asked = needs->objects && (published || needs_moved(audience, needs));
    }
    if (asked)
        sweep_begin(audience, false);
}

err object_definitions_settle(struct audience *audience, struct audience_moment moment,
                              bool published)
{
    struct objects *objects = &audience->objects;
    bool moved = false;
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < objects->order_count; i++) {
        struct definition *definition = objects->order[i];
        const struct needs *needs = &definition->recipe->needs;
        bool all = is_due(definition, moment.now_ms) || needs_moved(audience, needs) ||
                   (needs->nested && published);
        error = all ? judge_all(audience, definition, moment)
                    : judge_dirty(audience, definition, moment);
        if (definition->moved)
            atomic_fetch_add_explicit(&objects->kinds[definition->on]->version, 1,
                                      memory_order_release);
        moved = moved || definition->moved;
    }
    if (error != ERR_OK)
        return error;
    if (moved || published) {
        objects->changes++;
        sweep_askers(audience, published);
    }
    for (uint32_t i = 0; i < objects->order_count; i++)
        objects->order[i]->moved = false;
    return ERR_OK;
}
