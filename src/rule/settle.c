/* SPDX-License-Identifier: Apache-2.0 */
/* A tally becomes an answer, and until when it stays.
 *
 * By time alone events leave a window, come into one, recency grows, and comparisons with now turn. Counts are
 * followed to the very event that decides; for sums and the like the first event that leaves is taken. */
#include "rule/judge.h"

/* ---- values ---- */

static bool always_set(enum measure measure)
{
    return measure == MEASURE_COUNT || measure == MEASURE_SUM || measure == MEASURE_DISTINCT ||
           measure == MEASURE_DAYS;
}

static int64_t recency_days(const struct rule_judge *judge, const struct tally *tally)
{
    return (judge->now_ms - tally->last_ms) / DAY_MS;
}

/* Whole, minor, ms or millionths; of an average the sum. */
static wide number_of(const struct rule_judge *judge, const struct node *node,
                      const struct tally *tally)
{
    switch (node->measuring.measure) {
    case MEASURE_COUNT:
        return (wide)tally->count;
    case MEASURE_SUM:
    case MEASURE_AVG:
        return tally->sum;
    case MEASURE_MIN:
        return tally->least;
    case MEASURE_MAX:
        return tally->greatest;
    case MEASURE_DISTINCT:
        return (wide)tally->distinct;
    case MEASURE_FIRST:
        return node->measuring.has_of ? tally->first_value : tally->first_ms;
    case MEASURE_LAST:
        return node->measuring.has_of ? tally->last_value : tally->last_ms;
    case MEASURE_DAYS:
        return (wide)tally->days;
    case MEASURE_RECENCY:
        return recency_days(judge, tally);
    case MEASURE_END:
    default:
        INVARIANT(false);
    }
}

/* sum / count against a literal, without dividing. Whole numbers are brought to millionths. */
static bool average_holds(const struct node *node, const struct tally *tally)
{
    const struct compare *compare = &node->compare;
    wide sum = tally->sum * node->measuring.of.unit, count = (wide)tally->count;
    wide first = compare->first * count, second = compare->second * count;
    if (compare->op == OP_BETWEEN)
        return sum >= first && sum <= second;
    if (compare->op != OP_IN && compare->op != OP_NOT_IN)
        return wide_holds(compare->op, sum, first);
    for (uint32_t i = 0; i < compare->count; i++)
        if (compare->numbers[i] * count == sum)
            return compare->op == OP_IN;
    return compare->op == OP_NOT_IN;
}

static bool text_measure_holds(struct rule_judge *judge, const struct node *node,
                               const struct tally *tally)
{
    const struct property *of = &node->measuring.of;
    const struct compare *compare = &node->compare;
    bool first = node->measuring.measure == MEASURE_FIRST;
    if (of->source == FROM_CHANNEL)
        return text_holds(compare,
                          event_text(judge, of, first ? tally->first_at : tally->last_at)) !=
               compare->negate;
    uint32_t code = (uint32_t)(first ? tally->first_value : tally->last_value);
    return code_holds(judge, compare, column_of(judge, of), code) != compare->negate;
}

static bool tally_holds(struct rule_judge *judge, const struct node *node,
                        const struct tally *tally, int64_t *until_ms)
{
    const struct compare *compare = &node->compare;
    bool set = tally->count > 0 || always_set(node->measuring.measure);
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET)
        return set == (compare->op == OP_IS_SET);
    if (!set)
        return false;
    if (node->measuring.measure == MEASURE_AVG)
        return average_holds(node, tally);
    if (compare->kind == RULE_TEXT)
        return text_measure_holds(judge, node, tally);
    wide number = number_of(judge, node, tally);
    if (compare->kind == RULE_TIME)
        return time_holds(judge, compare, (int64_t)number, until_ms);
    return number_holds(compare, number);
}

/* ---- until ---- */

/* How many have to be left for another answer; -1 if fewer never make one. */
static wide fewer_for_change(const struct compare *compare, wide count)
{
    if (count > compare->high)
        return compare->high;
    return count >= compare->low ? compare->low - 1 : -1;
}

static int64_t count_leaves(struct rule_judge *judge, const struct node *node,
                            const struct tally *tally)
{
    const struct window *window = &node->measuring.window;
    const struct compare *compare = &node->compare;
    uint32_t ring = node->measuring.nth == 0 ? node->measuring.ring : 0;
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET)
        return RULE_FOREVER;
    if (ring == 0 || compare->numbers != NULL)
        return window_leaves(judge, window, tally->first_ms);
    wide left = fewer_for_change(compare, (wide)tally->count);
    if (left < 0)
        return RULE_FOREVER;
    if (left >= ring)
        return window_leaves(judge, window, tally->first_ms);
    uint64_t place = tally->count - (uint64_t)left - 1;
    return window_leaves(judge, window, judge->k->rings[tally->ring_head + place % ring]);
}

/* Days since the last: it turns at bounds of the comparison. */
static int64_t recency_turns(const struct rule_judge *judge, const struct node *node,
                             const struct tally *tally)
{
    const struct compare *compare = &node->compare;
    int64_t days = recency_days(judge, tally);
    wide next = days + 1;
    if (compare->op == OP_IS_SET || compare->op == OP_IS_NOT_SET)
        return RULE_FOREVER;
    if (compare->op != OP_NONE && compare->numbers == NULL) {
        if (days > compare->high)
            return RULE_FOREVER;
        next = days < compare->low ? compare->low : compare->high + 1;
    }
    if (next > RULE_WINDOW_DAYS_MAX * 100)
        return RULE_FOREVER;
    return tally->last_ms + (int64_t)next * DAY_MS;
}

static int64_t leaves(struct rule_judge *judge, const struct node *node, const struct tally *tally)
{
    const struct window *window = &node->measuring.window;
    if (tally->count == 0 || !window->has_from)
        return RULE_FOREVER;
    enum measure measure = node->measuring.measure;
    if (measure == MEASURE_LAST || measure == MEASURE_RECENCY)
        return window_leaves(judge, window, tally->last_ms);
    if (measure == MEASURE_COUNT)
        return count_leaves(judge, node, tally);
    return window_leaves(judge, window, tally->first_ms);
}

int64_t settle_until(struct rule_judge *judge, const struct node *node, const struct tally *tally)
{
    int64_t until = earlier(tally->enter_ms, tally->flip_ms);
    until = earlier(until, leaves(judge, node, tally));
    if (node->measuring.measure == MEASURE_RECENCY && tally->count > 0)
        until = earlier(until, recency_turns(judge, node, tally));
    return until;
}

struct rule_answer settle_slot(struct rule_judge *judge, const struct node *node,
                               struct tally *tally)
{
    if (node->kind == NODE_SEQUENCE)
        return sequence_answer(judge, node, tally);
    if (node->measuring.net)
        net_resolve(judge, node, tally);
    struct rule_answer answer = { .until_ms = RULE_FOREVER };
    answer.holds = tally_holds(judge, node, tally, &answer.until_ms);
    answer.until_ms = earlier(answer.until_ms, settle_until(judge, node, tally));
    return answer;
}

/* ---- the value itself ---- */

static int64_t saturate(wide value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < -INT64_MAX ? -INT64_MAX : (int64_t)value;
}

static wide divide_half_even(wide value, wide by)
{
    wide quotient = value / by, rest = value % by;
    wide twice = 2 * (rest < 0 ? -rest : rest);
    if (twice > by || (twice == by && quotient % 2 != 0))
        quotient += value < 0 ? -1 : 1;
    return quotient;
}

bool settle_value(struct rule_judge *judge, const struct node *node, const struct tally *tally,
                  struct rule_value *value)
{
    const struct measuring *measuring = &node->measuring;
    if (tally->count == 0 && !always_set(measuring->measure))
        return false;
    if (measuring->kind == RULE_TEXT) {
        bool first = measuring->measure == MEASURE_FIRST;
        value->text = event_text(judge, &measuring->of, first ? tally->first_at : tally->last_at);
        return true;
    }
    wide number = number_of(judge, node, tally);
    if (measuring->measure == MEASURE_AVG)
        number = divide_half_even(number * measuring->of.unit, (wide)tally->count);
    else if (measuring->whole)
        number *= MILLION;
    value->number = saturate(number);
    return true;
}
