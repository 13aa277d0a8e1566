/* SPDX-License-Identifier: Apache-2.0 */
/* then: rules and segments judged at past moments, for what-if. A definition by rules is judged over what her history has by then, and so
 * are those that it stands on; what was given by hand, by file or by a model is as it was when this was sealed. */
#include <string.h>

#include "audience/state.h"

#define THEN_DEPTH_MAX 8 /* of segments in segments; deeper ones are as they are now */

struct then_item {
    char *key;
    struct recipe *recipe;
    uint32_t number; /* of the definition; 0: a rule of the caller's */
};

/* The first member is what scans have: their functions look into it. */
struct then_facts {
    struct scan_facts scan;
    struct audience_then *then;
};

struct audience_then {
    struct audience *audience;
    struct then_item *items;
    uint32_t count;
    struct recipe *
        *below; /* by number of a definition: those that items stand on, judged as well */
    uint32_t below_count;
    struct then_facts facts;
    bool is_sealed;
    struct judging judging[THEN_DEPTH_MAX];
    const struct rule_touch *(*touches)(void *context, size_t *count);
    void *touches_context;
    int64_t (*since)(void *context, str key);
    void *since_context;
    /* of the question that is being answered */
    unsigned depth;
    const struct history_view *view;
    int64_t at_ms, until_ms;
};

/* ---- engine ---- */

err audience_then_new(struct audience *audience, struct audience_then **then)
{
    struct audience_then *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    made->audience = audience;
    made->facts.then = made;
    made->facts.scan.audience = audience;
    made->below_count = audience->definition_count;
    made->below = (struct recipe **)memory_alloc((made->below_count + 1) * sizeof(struct recipe *));
    err error = made->below != NULL ? ERR_OK : ERR_NOMEM;
    for (unsigned i = 0; error == ERR_OK && i < THEN_DEPTH_MAX; i++)
        error = rule_judge_new(&made->judging[i].judge);
    if (error != ERR_OK)
        audience_then_free(&made);
    else
        *then = made;
    return error;
}

void audience_then_free(struct audience_then **then)
{
    struct audience_then *gone = *then;
    *then = NULL;
    if (gone == NULL)
        return;
    for (uint32_t i = 0; i < gone->count; i++) {
        recipe_release(&gone->items[i].recipe);
        memory_free(gone->items[i].key);
    }
    for (uint32_t i = 0; gone->below != NULL && i < gone->below_count; i++)
        if (gone->below[i] != NULL)
            recipe_release(&gone->below[i]);
    for (unsigned i = 0; i < THEN_DEPTH_MAX; i++)
        rule_judge_free(&gone->judging[i].judge);
    others_free(&gone->facts.scan.others);
    memory_free(gone->items);
    memory_free((void *)gone->below);
    memory_free(gone);
}

uint32_t audience_then_find(const struct audience_then *then, str key)
{
    for (uint32_t i = 0; i < then->count; i++)
        if (str_equal(str_from_c(then->items[i].key), key))
            return i + 1;
    return 0;
}

str audience_then_key(const struct audience_then *then, uint32_t number)
{
    return str_from_c(then->items[number - 1].key);
}

static err add(struct audience_then *then, str key, struct recipe *recipe, uint32_t number)
{
    struct then_item *longer = memory_resize(then->items, (then->count + 1) * sizeof(*longer));
    char *copy = memory_alloc(key.size + 1);
    if (longer != NULL)
        then->items = longer;
    if (longer == NULL || copy == NULL) {
        memory_free(copy);
        recipe_release(&recipe);
        return ERR_NOMEM;
    }
    memcpy(copy, key.data, key.size);
    longer[then->count++] = (struct then_item){ .key = copy, .recipe = recipe, .number = number };
    return ERR_OK;
}

err audience_then_add_rule(struct audience_then *then, str key, json_value body,
                           struct problem *problem)
{
    struct recipe *recipe = NULL;
    if (audience_then_find(then, key) != 0)
        return ERR_OK;
    err error = recipe_new(then->audience, AUDIENCE_SEGMENT, body, &recipe, problem);
    return error == ERR_OK ? add(then, key, recipe, 0) : error;
}

err audience_then_add_segment(struct audience_then *then, str key)
{
    const struct definition *segment = definition_find(then->audience, AUDIENCE_SEGMENT, key);
    if (audience_then_find(then, key) != 0)
        return ERR_OK;
    if (segment == NULL || segment->recipe == NULL || segment->on != 0)
        return ERR_NOT_FOUND;
    return add(then, key, recipe_hold(segment->recipe), segment->number);
}

/* What it stands on, and what that stands on. */
static void want_below(struct audience_then *then, const struct recipe *recipe, unsigned depth)
{
    for (uint32_t i = 0; depth < THEN_DEPTH_MAX && i < recipe->needs.other_count; i++) {
        uint32_t number = recipe->needs.others[i];
        const struct definition *other = definition_at(then->audience, number);
        if (other == NULL || other->recipe == NULL || number >= then->below_count ||
            then->below[number] != NULL)
            continue;
        then->below[number] = recipe_hold(other->recipe);
        want_below(then, other->recipe, depth + 1);
    }
}

static err take_snapshots(struct audience_then *then)
{
    struct others *others = &then->facts.scan.others;
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < then->count; i++) {
        struct needs own = { .others = &then->items[i].number, .other_count = 1 };
        error = others_take(then->audience, &then->items[i].recipe->needs, others);
        if (error == ERR_OK && then->items[i].number != 0)
            error = others_take(then->audience, &own, others);
    }
    for (uint32_t i = 0; error == ERR_OK && i < then->below_count; i++)
        if (then->below[i] != NULL)
            error = others_take(then->audience, &then->below[i]->needs, others);
    return error;
}

static bool then_segment(void *context, uint32_t customer, uint32_t symbol);
static const struct rule_touch *then_touches(void *context, uint32_t customer, size_t *count);
static int64_t then_entered(void *context, uint32_t customer, const struct rule_entered *what);

err audience_then_seal(struct audience_then *then, bool *is_ready)
{
    struct problem problem = { .error = ERR_OK };
    bool ready;
    *is_ready = true;
    for (uint32_t i = 0; i < then->count; i++)
        want_below(then, then->items[i].recipe, 0);
    for (uint32_t i = 0; i < then->count; i++) {
        if (recipe_prepare(then->audience, then->items[i].recipe, &ready, &problem) != ERR_OK)
            return problem.error;
        *is_ready = *is_ready && ready;
    }
    for (uint32_t i = 0; i < then->below_count; i++) {
        if (then->below[i] == NULL)
            continue;
        if (recipe_prepare(then->audience, then->below[i], &ready, &problem) != ERR_OK)
            return problem.error;
        *is_ready = *is_ready && ready;
    }
    if (!*is_ready) {
        if (then->audience->config.wake != NULL)
            then->audience->config.wake(then->audience->config.context);
        return ERR_OK;
    }
    err error = take_snapshots(then);
    for (unsigned i = 0; i < THEN_DEPTH_MAX; i++) {
        struct judging *judging = &then->judging[i];
        judging->audience = then->audience;
        judging->zone = then->audience->zone;
        facts_for_scan(&then->facts.scan, &judging->facts);
        judging->facts.context = &then->facts;
        judging->facts.segment = then_segment;
        judging->facts.touches = then_touches;
        judging->facts.entered = then_entered;
    }
    then->is_sealed = true;
    return error;
}

/* ---- the thread whose it is ---- */

void audience_then_hear_touches(struct audience_then *then,
                                const struct rule_touch *(*touches)(void *context, size_t *count),
                                void *context)
{
    then->touches = touches;
    then->touches_context = context;
}

static const struct rule_touch *then_touches(void *context, uint32_t customer, size_t *count)
{
    const struct then_facts *facts = context;
    (void)customer; /* who asks knows of whom it is asked */
    *count = 0;
    return facts->then->touches != NULL ? facts->then->touches(facts->then->touches_context, count)
                                        : NULL;
}

void audience_then_hear_journeys(struct audience_then *then,
                                 int64_t (*since)(void *context, str key), void *context)
{
    then->since = since;
    then->since_context = context;
}

/* In those days she is in the journeys of those days, not in today's. */
static int64_t then_entered(void *context, uint32_t customer, const struct rule_entered *what)
{
    const struct then_facts *facts = context;
    const struct audience_then *then = facts->then;
    if (what->kind != RULE_ENTERED_JOURNEY)
        return entered_for_scan(context, customer, what);
    const struct fact_column *column = then->audience->facts.columns[what->symbol.number];
    return then->since != NULL ? then->since(then->since_context, column->name) : INT64_MIN;
}

static bool is_given(const struct recipe *recipe)
{
    return recipe->form == FORM_GIVEN || (recipe->form == FORM_RFM && recipe->quantiles > 0);
}

static bool judge(struct audience_then *then, const struct recipe *recipe, uint32_t number,
                  uint32_t customer)
{
    struct verdict verdict;
    if (is_given(recipe) || then->depth == THEN_DEPTH_MAX)
        return number != 0 && others_get(&then->facts.scan.others, number, customer) != NO_VALUE;
    struct judging *judging = &then->judging[then->depth++];
    recipe_judge(recipe, NULL, judging, customer, then->view, then->at_ms + 1, &verdict);
    then->depth--;
    if (verdict.until_ms < then->until_ms)
        then->until_ms = verdict.until_ms;
    return verdict.value != NO_VALUE;
}

static bool then_segment(void *context, uint32_t customer, uint32_t symbol)
{
    struct audience_then *then = ((struct then_facts *)context)->then;
    if (symbol < then->below_count && then->below[symbol] != NULL)
        return judge(then, then->below[symbol], symbol, customer);
    return others_get(&then->facts.scan.others, symbol, customer) != NO_VALUE;
}

bool audience_then_holds(struct audience_then *then, uint32_t number, uint32_t customer,
                         const struct history_view *view, int64_t at_ms, int64_t *until_ms)
{
    INVARIANT(then->is_sealed && number >= 1 && number <= then->count);
    const struct then_item *item = &then->items[number - 1];
    then->depth = 0;
    then->view = view;
    then->at_ms = at_ms;
    then->until_ms = RULE_FOREVER;
    bool holds = judge(then, item->recipe, item->number, customer);
    *until_ms = then->until_ms;
    return holds;
}

static bool needs_type(const struct needs *needs, str type)
{
    bool found = needs->any_event;
    for (uint32_t i = 0; !found && i < needs->event_count; i++)
        found = str_equal(needs->events[i], type);
    return found;
}

/* Through what it stands on, too: an event can only change what is made of events of its type. */
static bool recipe_hears(const struct audience_then *then, const struct recipe *recipe, str type,
                         unsigned depth)
{
    if (needs_type(&recipe->needs, type))
        return true;
    for (uint32_t i = 0; depth < THEN_DEPTH_MAX && i < recipe->needs.other_count; i++) {
        uint32_t number = recipe->needs.others[i];
        if (number < then->below_count && then->below[number] != NULL &&
            recipe_hears(then, then->below[number], type, depth + 1))
            return true;
    }
    return false;
}

bool audience_then_hears(const struct audience_then *then, uint32_t number, str type)
{
    return recipe_hears(then, then->items[number - 1].recipe, type, 0);
}
