/* SPDX-License-Identifier: Apache-2.0 */
/* What was sent to her: measured like events. */
#include "rule/judge.h"

static bool is_one_of(const struct texts *texts, str value)
{
    if (texts->count == 0)
        return true;
    for (uint32_t i = 0; i < texts->count; i++)
        if (str_equal(texts->items[i], value))
            return true;
    return false;
}

static bool touch_fits(const struct node *node, const struct rule_touch *touch)
{
#define X(NAME, member)                                        \
    if (!is_one_of(&node->touch[TOUCH_##NAME], touch->member)) \
        return false;
    TOUCH_FIELDS(X)
#undef X
    return true;
}

struct rule_answer touch_answer(struct rule_judge *judge, const struct node *node,
                                struct tally *tally)
{
    const struct window *window = &node->measuring.window;
    size_t count = 0;
    const struct rule_touch *touches = NULL;
    if (judge->facts->touches != NULL)
        touches = judge->facts->touches(judge->facts->context, judge->customer, &count);
    *tally = (struct tally){
        .enter_ms = RULE_FOREVER,
        .flip_ms = RULE_FOREVER,
        .day = INT64_MIN,
    };
    window_at(judge, window, tally);
    bool explains = judge->explains;
    judge->explains = false; /* touches are no events */
    for (size_t i = 0; i < count && !tally->closed; i++) {
        int64_t time_ms = touches[i].time_ms;
        if (time_ms < tally->from_ms || !touch_fits(node, &touches[i]))
            continue;
        if (time_ms >= tally->to_ms)
            tally->enter_ms = earlier(tally->enter_ms, window_enters(judge, window, time_ms));
        else
            tally_push(judge, node, tally, i, time_ms, 0);
    }
    judge->explains = explains;
    return settle_slot(judge, node, tally);
}
