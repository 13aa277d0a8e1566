/* SPDX-License-Identifier: Apache-2.0 */
/* near: what the next definitions read is fetched before they are judged.
 *
 * A customer's event is judged by some sixty of thousands of definitions, each with a rule, what the judge knows of it, and sets
 * in which she stands: pieces that lead from one to the next, and none of them in the caches. One after the other nearly all of
 * the time is waiting. So of a few definitions at once the first piece is fetched, then of all of them the next. */
#include "audience/state.h"

/* As many waits as a processor keeps open, and not more than its first cache holds. */
#define NEAR_MANY 16u
#define RULES_NEAR 3u
#define SETS_NEAR 3u
/* Definition, recipe, its rules; from there on the rules' own steps. */
#define RULE_FROM 3u
#define STEPS (RULE_FROM + RULE_NEAR_STEPS)

static void piece_near(const void *piece, size_t size)
{
    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)piece + at);
}

static void rules_near(const struct audience *audience, const struct recipe *recipe,
                       uint32_t first_rule, unsigned step)
{
    const struct judging *judging = &audience->judging;
    const struct rule_judge *judge = judging->judge;
    if (recipe->form != FORM_COUNT && recipe->form != FORM_RULE)
        return;
    if (judging->pool != NULL && rule_pool_is_plain(judging->pool, first_rule))
        return; /* what is shared is near */
    if (recipe->form == FORM_COUNT)
        rule_near(judge, recipe->measure, step);
    for (uint32_t i = 0; recipe->form == FORM_RULE && i < recipe->value_count && i < RULES_NEAR;
         i++)
        rule_near(judge, recipe->rules[i], step);
}

static void place_near(const struct definition *definition, uint32_t customer, unsigned step)
{
    for (uint32_t i = 0; i < definition->set_count && i < SETS_NEAR; i++)
        set_near(&definition->sets[i], customer, step);
    if (step < 3)
        numbers_near(&definition->numbers, customer, step);
}

static void definition_near(const struct audience *audience, uint32_t position, uint32_t customer,
                            unsigned step)
{
    const struct definition *definition = audience->order[position];
    if (step == 0) {
        piece_near(definition, sizeof *definition);
        __builtin_prefetch(&audience->dependents[position]);
        return;
    }
    const struct recipe *recipe = definition->recipe;
    if (step == 1) {
        piece_near(recipe, sizeof *recipe);
        __builtin_prefetch(definition->sets);
        __builtin_prefetch(definition->codes);
        if (definition->changes.data != NULL)
            __builtin_prefetch(definition->changes.data + definition->changes.size, 1);
    } else {
        place_near(definition, customer, step - 2);
    }
    if (step == 2 && recipe->form == FORM_RULE)
        __builtin_prefetch((const void *)recipe->rules);
    if (step >= RULE_FROM)
        rules_near(audience, recipe, audience->first_rules[position], step - RULE_FROM);
}

/* The next marked places from `from` on. */
static uint32_t take(const struct marks *marks, uint32_t from, uint32_t positions[NEAR_MANY])
{
    uint32_t count = 0;
    for (uint32_t word = from / 64; word < marks->last && count < NEAR_MANY; word++) {
        uint64_t bits = marks->words[word];
        if (word == from / 64)
            bits &= ~UINT64_C(0) << (from % 64);
        for (; bits != 0 && count < NEAR_MANY; bits &= bits - 1)
            positions[count++] = word * 64 + (uint32_t)__builtin_ctzll(bits);
    }
    return count;
}

void near_marked(const struct audience *audience, const struct marks *marks, uint32_t customer,
                 uint32_t from, struct near *near)
{
    uint32_t positions[NEAR_MANY];
    uint32_t count = take(marks, from, positions);
    for (unsigned step = 0; step < STEPS; step++)
        for (uint32_t i = 0; i < count; i++)
            definition_near(audience, positions[i], customer, step);
    near->until = count > 0 ? positions[count - 1] + 1 : from + 1;
}
