/* SPDX-License-Identifier: Apache-2.0 */
/* gate_money: what touches may cost. What was spent stands by budget and period, and is moved when a touch is counted or given back.
 */
#include <string.h>

#include "base/digest.h"
#include "touch/gate.h"

static bool budget_concerns(const struct budget *budget, const struct line *line)
{
    return budget->scope == BUDGET_ALL ||
           str_equal(budget->value,
                     budget->scope == BUDGET_JOURNEY ? line->journey : line->campaign);
}

uint64_t touches_budget_key(const struct touches *touches, size_t index, str value, int64_t at_ms)
{
    const struct budget *budget = &touches->policy->budgets[index];
    enum cap_calendar calendar = budget->per == BUDGET_DAY ? CAP_DAY : CAP_MONTH;
    int64_t period =
        budget->per == BUDGET_TOTAL ? 0 : touches_period_start_ms(touches, 0, calendar, at_ms, 0);
    return hash_mix64(touches_text_hash(value) ^
                      hash_mix64((uint64_t)period + budget->scope * 31u + budget->per * 7u)) |
           1;
}

bool gate_asks_budget(struct asking *ask)
{
    const struct candidate *candidate = ask->candidate;
    const struct policy *policy = ask->touches->policy;
    if (gate_is_test(candidate) || candidate->was_counted || candidate->cost_minor <= 0)
        return false;
    for (size_t i = 0; i < policy->budget_count; i++) {
        const struct budget *budget = &policy->budgets[i];
        if (!budget_concerns(budget, candidate->line))
            continue;
        const struct spent *spent =
            touches_spent_find(ask->touches, touches_budget_key(ask->touches, i, budget->value,
                                                                candidate->created_ms));
        if ((spent != NULL ? spent->minor : 0) + candidate->cost_minor <= budget->amount_minor)
            continue;
        ask->verdict->holds = budget->holds;
        ask->verdict->detail = budget->name.data;
        ask->verdict->until_ms = touches_period_start_ms(
            ask->touches, 0, budget->per == BUDGET_DAY ? CAP_DAY : CAP_MONTH, candidate->now_ms, 1);
        return true;
    }
    return false;
}

static struct spent *spent_make(struct touches *touches, uint64_t key)
{
    if (touches->spent_count == touches->spent_capacity) {
        size_t capacity = touches->spent_capacity == 0 ? 64 : touches->spent_capacity * 2;
        struct spent *items = memory_resize(touches->spent, capacity * sizeof *items);
        if (items == NULL)
            return NULL;
        touches->spent = items;
        touches->spent_capacity = capacity;
    }
    if (touches_map_put(&touches->spent_places, key, (uint32_t)touches->spent_count + 1) != ERR_OK)
        return NULL;
    touches->spent[touches->spent_count] = (struct spent){ .key = key };
    return &touches->spent[touches->spent_count++];
}

err touches_spent_put(struct touches *touches, uint64_t key, int64_t minor)
{
    struct spent *spent = spent_make(touches, key);
    if (spent == NULL)
        return ERR_NOMEM;
    spent->minor = minor;
    return ERR_OK;
}

err touches_budget_move(struct touches *touches, const struct line *line, int64_t created_ms,
                        int64_t by_minor)
{
    const struct policy *policy = touches->policy;
    for (size_t i = 0; by_minor != 0 && i < policy->budget_count; i++) {
        if (!budget_concerns(&policy->budgets[i], line))
            continue;
        uint64_t key = touches_budget_key(touches, i, policy->budgets[i].value, created_ms);
        struct spent *spent = touches_spent_find(touches, key);
        if (spent == NULL)
            spent = spent_make(touches, key);
        if (spent == NULL)
            return ERR_NOMEM;
        spent->minor += by_minor;
        /* A touch that was counted before the budget was laid down gives nothing back. */
        spent->minor = spent->minor > 0 ? spent->minor : 0;
        PUT(touches, TOUCH_SPENT, ledger_int((int64_t)key), ledger_int(spent->minor));
    }
    return ERR_OK;
}
