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

/* ---- out of her history ---- */

static str *member_of(struct rule_touch *touch, size_t field)
{
    str *members[] = {
#define X(NAME, member) &touch->member,
        TOUCH_FIELDS(X)
#undef X
    };
    return members[field];
}

static struct rule_touch *find_touch(struct rule_judge *judge, size_t count, uint32_t code)
{
    for (size_t i = count; i > 0; i--)
        if (judge->touch_codes[i - 1] == code)
            return &judge->touches[i - 1];
    return NULL;
}

static struct rule_touch *new_touch(struct rule_judge *judge, const struct node *node,
                                    size_t *count, uint32_t code, size_t at)
{
    if (!judge_room(judge, &judge->touches, &judge->touch_capacity, *count + 1,
                    sizeof(*judge->touches)) ||
        !judge_room(judge, &judge->touch_codes, &judge->touch_code_capacity, *count + 1,
                    sizeof(*judge->touch_codes)))
        return NULL;
    struct rule_touch *touch = &judge->touches[*count];
    judge->touch_codes[(*count)++] = code;
    *touch = (struct rule_touch){ .time_ms = history_time_ms(judge->view->events[at]),
                                  .seq = history_seq(judge->view, at) };
    for (size_t field = 0; field < TOUCH_FIELD_COUNT; field++)
        if (field != TOUCH_STATUS)
            *member_of(touch, field) = event_text(judge, &node->touch_columns[field], at);
    return touch;
}

/* Events are in the order of time: the first of a touch says what it is, the last what became of it. */
static const struct rule_touch *touches_of_history(struct rule_judge *judge,
                                                   const struct node *node, size_t *count)
{
    const struct history_view *view = judge->view;
    uint16_t type = judge->rule->history != NULL
                        ? history_type_find(judge->rule->history, STR(RULE_TOUCH_EVENT))
                        : 0;
    *count = 0;
    for (size_t at = 0; view != NULL && type != 0 && at < view->count; at++) {
        if (history_packed_type(view->events[at]) != type)
            continue;
        uint32_t code = event_code(judge, &node->touch_columns[TOUCH_FIELD_COUNT], at);
        struct rule_touch *touch = find_touch(judge, *count, code);
        bool is_later = history_time_ms(view->events[at]) >= judge->now_ms;
        if (code == 0 || (touch != NULL && is_later))
            continue;
        if (touch == NULL)
            touch = new_touch(judge, node, count, code, at);
        if (touch == NULL)
            break;
        touch->status = event_text(judge, &node->touch_columns[TOUCH_STATUS], at);
    }
    return judge->touches;
}

struct rule_answer touch_answer(struct rule_judge *judge, const struct node *node,
                                struct tally *tally)
{
    const struct window *window = &node->measuring.window;
    size_t count = 0;
    const struct rule_touch *touches = NULL;
    if (judge->facts->touches != NULL)
        touches = judge->facts->touches(judge->facts->context, judge->customer, &count);
    else
        touches = touches_of_history(judge, node, &count);
    *tally = (struct tally){
        .enter_ms = RULE_FOREVER,
        .flip_ms = RULE_FOREVER,
        .day = INT64_MIN,
    };
    window_at(judge, window, tally);
    const struct history_view *view = judge->view;
    if (judge->facts->touches == NULL && view != NULL)
        note_partial(judge, lacks_events(view, tally->from_ms));
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
