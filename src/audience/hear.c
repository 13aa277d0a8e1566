/* SPDX-License-Identifier: Apache-2.0 */
/* hear: which definitions an event, or time alone, may have changed; by the pool of their conditions (rule.h).
 *
 * The pool is made with the order of live definitions, and its owners are places in it. What an answer stands on besides
 * events (facts, tags, segments) marks definitions by itself (live.c). Some definitions *turn* in ways that the pool does not
 * know (dates compared with now, touches, points that decay): these are judged whenever she is due.
 *
 * Time: what is stored of a customer is true until her due minute. So it is asked what has changed from the last millisecond
 * before it to now. Where that is not known to be so, she is *unsure* and everything that time can move is judged:
 *     after a start, when what is stored may be of before her due time
 *     when she was settled by an event within the minute in which she is due again
 *     when a definition was put in place, or due times were merged, after her due minute: `sure_from`
 *     when something of hers changed, and what stands on it was not judged: she was left in part, or lacked events in memory.
 *         Then what stands on others is judged, too: what has changed does not change again. After a start the same, since
 *         what was changed is in the ledger, and what was left is not.
 *
 * A tick comes early in its minute, before the moment at which something leaves a window in it: most who are due are settled a
 * little too early, and due *soon*, by the next tick. What is stored of them is of the tick that settled them, all of one moment. */
#include "audience/state.h"

/* ---- the pool ---- */

static err add_rule(struct audience *audience, const struct rule *rule, uint32_t position,
                    bool *turns)
{
    if (rule == NULL)
        return ERR_OK;
    audience->rule_count++;
    return rule_pool_add(audience->pool, rule, position, turns);
}

static err add_parts(struct audience *audience, const struct recipe *recipe, uint32_t position,
                     bool *turns)
{
    err error = ERR_OK;
    for (uint32_t i = 0; i < recipe->part_count && error == ERR_OK; i++) {
        const struct score_part *part = &recipe->parts[i];
        *turns |= part->half_life_days > 0;
        error = add_rule(audience, part->rule, position, turns);
        if (error == ERR_OK)
            error = add_rule(audience, part->measure, position, turns);
    }
    return error;
}

static err add_definition(struct audience *audience, uint32_t position)
{
    const struct recipe *recipe = audience->order[position]->recipe;
    bool turns = false;
    audience->first_rules[position] = audience->rule_count;
    err error = add_rule(audience, recipe->measure, position, &turns);
    for (uint32_t i = 0; recipe->rules != NULL && i < recipe->value_count && error == ERR_OK; i++)
        error = add_rule(audience, recipe->rules[i], position, &turns);
    for (size_t i = 0; i < 3 && error == ERR_OK; i++)
        error = add_rule(audience, recipe->axes[i].measure, position, &turns);
    if (error == ERR_OK)
        error = add_parts(audience, recipe, position, &turns);
    if (turns)
        marks_set(&audience->by_turn, position);
    return error;
}

err hear_make(struct audience *audience)
{
    marks_clear(&audience->by_turn, marks_words(audience));
    err error = rule_pool_new(&audience->pool, audience->config.history);
    audience->rule_count = 0;
    audience->first_rules =
        memory_alloc((audience->order_count + 1) * sizeof(*audience->first_rules));
    if (audience->first_rules == NULL)
        error = ERR_NOMEM;
    for (uint32_t i = 0; i < audience->order_count && error == ERR_OK; i++)
        error = add_definition(audience, i);
    if (error != ERR_OK)
        rule_pool_free(&audience->pool);
    hear_unsure(audience);
    return error;
}

/* ---- asking ---- */

struct marking {
    struct marks *marks;
};

static void mark(void *context, uint32_t position)
{
    marks_set(((struct marking *)context)->marks, position);
}

/* Where it was put is seldom far from the end. */
#define SEARCHED_MAX 4096u

static bool find_event(const struct history_view *view, uint64_t seq, size_t *at)
{
    for (size_t i = view->count; i > 0 && view->count - i < SEARCHED_MAX; i--) {
        if (history_seq(view, i - 1) == seq) {
            *at = i - 1;
            return true;
        }
    }
    return false;
}

/* Most events of an imported history are of types that no condition names: nobody's events are gathered for them. */
static bool is_listened_to(const struct audience *audience, str type)
{
    uint16_t number = history_type_find(audience->config.history, type);
    return number == 0 || rule_pool_listens(audience->pool, number);
}

bool hear_event(struct audience *audience, uint32_t customer, const struct event *event,
                int64_t now_ms, struct marks *marks, int64_t *until_ms)
{
    struct marking marking = { marks };
    struct history_view view;
    struct rule_hearing hearing = { .judge = audience->judging.judge,
                                    .facts = &audience->judging.facts,
                                    .customer = customer,
                                    .view = &view,
                                    .changed = mark,
                                    .context = &marking,
                                    .until_ms = *until_ms };
    size_t at;
    if (audience->pool == NULL)
        return false;
    if (!is_listened_to(audience, event->type))
        return true;
    history_read_begin(audience->reader);
    history_view_customer(audience->reader, customer, &view);
    bool is_heard = view.count <= AUDIENCE_HUGE_EVENTS && find_event(&view, event->seq, &at);
    if (is_heard)
        rule_pool_hear(audience->pool, &hearing, at, now_ms + 1);
    history_read_end(audience->reader);
    *until_ms = hearing.until_ms;
    return is_heard;
}

/* ---- judging what was named ---- */

void hear_share(struct audience *audience, struct rule_hearing *hearing, uint32_t customer,
                const struct history_view *view, int64_t now_ms)
{
    struct judging *judging = &audience->judging;
    *hearing = (struct rule_hearing){ .judge = judging->judge,
                                      .facts = &judging->facts,
                                      .customer = customer,
                                      .view = view,
                                      .until_ms = RULE_FOREVER };
    judging->pool = audience->pool;
    judging->hearing = hearing;
    if (judging->pool != NULL)
        rule_pool_begin(judging->pool, hearing, now_ms + 1);
}

void hear_share_end(struct audience *audience, int64_t *until_ms)
{
    struct judging *judging = &audience->judging;
    if (judging->hearing->until_ms < *until_ms)
        *until_ms = judging->hearing->until_ms;
    judging->pool = NULL;
    judging->hearing = NULL;
}

/* ---- time ---- */

void hear_unsure(struct audience *audience)
{
    audience->sure_from = wheel_minute(audience->now_ms + 1);
}

static bool is_unsure(const struct audience *audience, uint32_t customer, uint32_t minute,
                      int64_t now_ms)
{
    return audience->pool == NULL || audience->due_unknown || audience->merging != NULL ||
           minute == 0 || minute <= audience->sure_from || minute > wheel_minute(now_ms) ||
           roaring_bitmap_contains(audience->unsure, customer);
}

static bool pass(struct audience *audience, uint32_t customer, const struct history_view *view,
                 int64_t then_ms, int64_t now_ms, struct marks *marks, int64_t *until_ms)
{
    struct marking marking = { marks };
    struct rule_hearing hearing = { .judge = audience->judging.judge,
                                    .facts = &audience->judging.facts,
                                    .customer = customer,
                                    .view = view,
                                    .changed = mark,
                                    .context = &marking,
                                    .until_ms = *until_ms };
    if ((!view->complete && !view->streamed) || view->count > AUDIENCE_HUGE_EVENTS)
        return false;
    rule_pool_pass(audience->pool, &hearing, then_ms, now_ms + 1);
    *until_ms = hearing.until_ms;
    return true;
}

void hear_tick(struct audience *audience, int64_t now_ms)
{
    roaring_bitmap_t *settled = audience->soon.customers;
    audience->soon.customers = audience->soon_before.customers;
    roaring_bitmap_clear(audience->soon.customers);
    audience->soon_before = (struct soon){ settled, audience->soon.at_ms };
    audience->soon.at_ms = now_ms;
}

/* The moment for which what is stored of her is true. */
static int64_t stored_at(const struct audience *audience, uint32_t customer, uint32_t minute)
{
    const struct soon *soon = &audience->soon_before;
    bool is_soon = minute == wheel_minute(soon->at_ms + 1) &&
                   roaring_bitmap_contains(soon->customers, customer);
    return is_soon ? soon->at_ms + 1 : (int64_t)minute * MINUTE_MS - 1;
}

bool hear_time(struct audience *audience, uint32_t customer, int64_t now_ms, struct marks *marks,
               int64_t *until_ms)
{
    uint32_t minute = wheel_last(&audience->wheel, customer);
    struct history_view view;
    if (is_unsure(audience, customer, minute, now_ms))
        return false;
    int64_t then_ms = stored_at(audience, customer, minute);
    marks_join(marks, &audience->by_turn);
    if (audience->given != NULL && audience->given_customer == customer)
        return pass(audience, customer, audience->given, then_ms, now_ms, marks, until_ms);
    history_read_begin(audience->reader);
    history_view_customer(audience->reader, customer, &view);
    bool passed = pass(audience, customer, &view, then_ms, now_ms, marks, until_ms);
    history_read_end(audience->reader);
    return passed;
}

err hear_due(struct audience *audience, uint32_t customer, int64_t until_ms, bool whole,
             int64_t now_ms)
{
    uint32_t due = wheel_due(&audience->wheel, customer);
    bool is_earlier = until_ms != RULE_FOREVER && (due == 0 || wheel_minute(until_ms) < due);
    if (!whole && !is_earlier)
        return ERR_OK;
    bool is_near = until_ms != RULE_FOREVER && wheel_minute(until_ms) <= wheel_minute(now_ms + 1);
    bool is_soon = is_near && whole && now_ms == audience->soon.at_ms &&
                   wheel_minute(until_ms) == wheel_minute(now_ms + 1);
    if (is_near && !is_soon)
        roaring_bitmap_add(audience->unsure, customer);
    else if (whole)
        roaring_bitmap_remove(audience->unsure, customer);
    if (is_soon)
        roaring_bitmap_add(audience->soon.customers, customer);
    else if (whole)
        roaring_bitmap_remove(audience->soon.customers, customer);
    return wheel_put(&audience->wheel, customer, until_ms, now_ms);
}
