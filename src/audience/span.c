/* SPDX-License-Identifier: Apache-2.0 */
/* span: what a recipe comes to for a block of neighbours at once; the same as recipe_judge of each.
 *
 * Rules and measures are asked of all, then of those who are not decided yet. Scores, buckets and texts have no such form. */
#include <string.h>

#include "audience/state.h"

#define WORDS HISTORY_SPAN_WORDS
#define SLOTS HISTORY_BLOCK_NODES

static bool is_any(const uint64_t *words)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < WORDS; i++)
        any |= words[i];
    return any != 0;
}

static bool is_in(const uint64_t *words, uint32_t slot)
{
    return (words[slot / 64] >> (slot % 64) & 1) != 0;
}

bool recipe_has_span(const struct recipe *recipe)
{
    return recipe->form == FORM_RULE || recipe->form == FORM_RFM ||
           (recipe->form == FORM_COUNT && recipe->kind != RULE_TEXT);
}

/* ---- rules ---- */

static bool rules_span(const struct recipe *recipe, struct judging *judging,
                       const struct history_span *span, const uint64_t asked[WORDS], int64_t now_ms,
                       struct span_verdicts *verdicts)
{
    uint64_t open[WORDS], holds[WORDS];
    memcpy(open, asked, sizeof open);
    for (uint32_t i = 0; i < recipe->value_count && is_any(open); i++) {
        uint32_t index = recipe->last_wins ? recipe->value_count - 1 - i : i;
        if (!rule_answer_span(judging->judge, recipe->rules[index], span, &judging->facts, now_ms,
                              open, holds, verdicts->scratch_ms))
            return false;
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            if (!is_in(open, slot))
                continue;
            if (verdicts->scratch_ms[slot] < verdicts->until_ms[slot])
                verdicts->until_ms[slot] = verdicts->scratch_ms[slot];
            if (is_in(holds, slot))
                verdicts->values[slot] = index + 1;
        }
        for (uint32_t k = 0; k < WORDS; k++)
            open[k] &= ~holds[k];
    }
    return true;
}

/* ---- measures ---- */

/* Of who is asked and has one; `asked` is left with them. */
static bool measure_span(const struct rule *measure, struct judging *judging,
                         const struct history_span *span, uint64_t asked[WORDS], int64_t now_ms,
                         int64_t *numbers, struct span_verdicts *verdicts)
{
    uint64_t set[WORDS];
    if (!rule_measure_span(judging->judge, measure, span, &judging->facts, now_ms, asked, set,
                           numbers, verdicts->scratch_ms))
        return false;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (is_in(asked, slot) && verdicts->scratch_ms[slot] < verdicts->until_ms[slot])
            verdicts->until_ms[slot] = verdicts->scratch_ms[slot];
    memcpy(asked, set, sizeof set);
    return true;
}

static bool count_span(const struct recipe *recipe, struct judging *judging,
                       const struct history_span *span, const uint64_t asked[WORDS], int64_t now_ms,
                       struct span_verdicts *verdicts)
{
    uint64_t left[WORDS];
    int64_t *numbers = verdicts->numbers[0];
    memcpy(left, asked, sizeof left);
    if (!measure_span(recipe->measure, judging, span, left, now_ms, numbers, verdicts))
        return false;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (is_in(left, slot))
            verdicts->values[slot] = numbers[slot];
    return true;
}

bool rfm_measure_span(const struct recipe *recipe, struct judging *judging,
                      const struct history_span *span, uint64_t asked[WORDS], int64_t now_ms,
                      struct span_verdicts *verdicts)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (span->offsets[slot] == span->offsets[slot + 1])
            asked[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    for (size_t axis = 0; axis < 3 && is_any(asked); axis++) {
        int64_t *numbers = verdicts->numbers[axis];
        if (!measure_span(recipe->axes[axis].measure, judging, span, asked, now_ms, numbers,
                          verdicts))
            return false;
        for (uint32_t slot = 0; axis == 1 && slot < SLOTS; slot++)
            if (is_in(asked, slot) && numbers[slot] == 0)
                asked[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    }
    return true;
}

static bool rfm_span(const struct recipe *recipe, struct judging *judging,
                     const struct history_span *span, const uint64_t asked[WORDS], int64_t now_ms,
                     struct span_verdicts *verdicts)
{
    uint64_t left[WORDS];
    memcpy(left, asked, sizeof left);
    if (!rfm_measure_span(recipe, judging, span, left, now_ms, verdicts))
        return false;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        int64_t numbers[3] = { verdicts->numbers[0][slot], verdicts->numbers[1][slot],
                               verdicts->numbers[2][slot] };
        if (is_in(left, slot))
            verdicts->values[slot] = rfm_value(recipe, numbers);
    }
    return true;
}

void span_verdicts_clear(struct span_verdicts *verdicts)
{
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        verdicts->values[slot] = NO_VALUE;
        verdicts->until_ms[slot] = RULE_FOREVER;
    }
}

bool recipe_judge_span(const struct recipe *recipe, struct judging *judging,
                       const struct history_span *span, const uint64_t asked[WORDS], int64_t now_ms,
                       struct span_verdicts *verdicts)
{
    span_verdicts_clear(verdicts);
    switch (recipe->form) {
    case FORM_RULE:
        return rules_span(recipe, judging, span, asked, now_ms, verdicts);
    case FORM_COUNT:
        return count_span(recipe, judging, span, asked, now_ms, verdicts);
    case FORM_RFM:
        return rfm_span(recipe, judging, span, asked, now_ms, verdicts);
    case FORM_RANDOM:
    case FORM_SCORE:
    case FORM_GIVEN:
        return false;
    }
    return false;
}
