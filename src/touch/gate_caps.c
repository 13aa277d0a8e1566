/* SPDX-License-Identifier: Apache-2.0 */
/* gate_caps: how many may go to one person, and in which order: caps of the policy, quotas of an account, who stands before whom.
 *
 * Caps count what is on its way exactly as what was sent (U3), by rank: of two that still wait, the one with the higher priority,
 * then the lower number, stands before the other. Who stands behind does not count against who stands before, and gives way if
 * both do not fit. So exactly `max` go, whatever the order in which they are looked at.
 */
#include "touch/gate.h"

static uint64_t scope_of(const struct line *line, enum cap_scope scope)
{
    switch (scope) {
    case CAP_CHANNEL:
        return line->scope_hash[0];
    case CAP_PURPOSE:
        return line->scope_hash[1];
    case CAP_BRAND:
        return line->scope_hash[2];
    case CAP_JOURNEY:
        return line->scope_hash[3];
    case CAP_ALL:
    case CAP_ACCOUNT:
    default:
        return 0;
    }
}

static bool cap_concerns(const struct cap *cap, const struct line *line)
{
    return cap->value == 0 || cap->value == scope_of(line, cap->scope);
}

static bool cap_counts(const struct cap *cap, const struct candidate *candidate,
                       const struct line *other)
{
    if ((other->flags & LINE_TEST) != 0)
        return false;
    if (cap->scope == CAP_ACCOUNT)
        return str_equal(other->account, candidate->account->key) &&
               str_equal(other->form, candidate->line->form);
    return (other->flags & LINE_TRANSACTIONAL) == 0 &&
           scope_of(other, cap->scope) == scope_of(candidate->line, cap->scope);
}

static bool stands_before(const struct candidate *candidate, uint32_t number,
                          const struct line *line)
{
    if (line->priority != candidate->line->priority)
        return line->priority > candidate->line->priority;
    return candidate->number == 0 || number < candidate->number;
}

struct cap_count {
    uint32_t before, behind;
    int64_t oldest_ms; /* of those before: when the sliding window lets one out */
    uint32_t give_way[DISPLACED_MAX];
    size_t give_way_count;
};

/* The least important last: those are the first to give way. */
static void note_behind(const struct touches *touches, struct cap_count *count, uint32_t number,
                        const struct mark *mark)
{
    count->behind++;
    const struct line *line = touches_line_at(touches, mark->line);
    size_t at = count->give_way_count < DISPLACED_MAX ? count->give_way_count++ : DISPLACED_MAX - 1;
    while (at > 0) {
        const struct line *other =
            touches_line_at(touches, touches_mark_at(touches, count->give_way[at - 1])->line);
        if (other->priority < line->priority ||
            (other->priority == line->priority && count->give_way[at - 1] > number))
            break;
        count->give_way[at] = count->give_way[at - 1];
        at--;
    }
    count->give_way[at] = number;
}

static void cap_count(struct asking *ask, const struct cap *cap, int64_t since_ms,
                      struct cap_count *count)
{
    const struct touches *touches = ask->touches;
    struct mark_walk walk;
    *count = (struct cap_count){ .oldest_ms = INT64_MAX };
    touches_walk_begin(&walk, touches, ask->candidate->customer);
    for (uint32_t number; (number = touches_walk_next(&walk)) != 0;) {
        const struct mark *mark = touches_mark_at(touches, number);
        enum touch_status status = mark_status(mark);
        if (number == ask->candidate->number || !touches_status_counts(status) ||
            mark_time_ms(mark) < since_ms)
            continue;
        const struct line *line = touches_line_at(touches, mark->line);
        if (!cap_counts(cap, ask->candidate, line))
            continue;
        bool waits = status == TOUCH_QUEUED || status == TOUCH_HELD;
        if (!waits || stands_before(ask->candidate, number, line)) {
            count->before++;
            count->oldest_ms =
                mark_time_ms(mark) < count->oldest_ms ? mark_time_ms(mark) : count->oldest_ms;
        } else if (status == TOUCH_QUEUED) {
            note_behind(touches, count, number, mark);
        } /* a held one passes the gates again, and finds this one before it */
    }
}

static void displace(struct verdict *verdict, const struct cap_count *count, uint32_t how_many)
{
    for (size_t i = 0; i < count->give_way_count && how_many > 0; i++, how_many--) {
        bool known = false;
        for (size_t j = 0; j < verdict->displaced_count; j++)
            known = known || verdict->displaced[j] == count->give_way[i];
        if (!known && verdict->displaced_count < DISPLACED_MAX)
            verdict->displaced[verdict->displaced_count++] = count->give_way[i];
    }
}

static bool cap_reached(struct asking *ask, const struct cap *cap)
{
    const struct candidate *candidate = ask->candidate;
    uint32_t whose = cap->customer_zone ? candidate->customer : 0, max = cap->max;
    int64_t now_ms = candidate->now_ms, since_ms = now_ms - cap->window_ms + 1, until_ms = 0;
    struct cap_count count;
    if (!cap_concerns(cap, candidate->line))
        return false;
    if (cap->calendar != CAP_SLIDING) {
        since_ms = touches_period_start_ms(ask->touches, whose, cap->calendar, now_ms, 0);
        until_ms = touches_period_start_ms(ask->touches, whose, cap->calendar, now_ms, 1);
    }
    if (cap->is_days_in_month)
        max = (uint32_t)((until_ms - since_ms + DAY_MS / 2) / DAY_MS);
    cap_count(ask, cap, since_ms, &count);
    if (count.before < max) {
        if (count.before + count.behind + 1 > max)
            displace(ask->verdict, &count, count.before + count.behind + 1 - max);
        return false;
    }
    if (cap->calendar == CAP_SLIDING)
        until_ms = (count.oldest_ms < INT64_MAX ? count.oldest_ms : now_ms) + cap->window_ms;
    ask->verdict->until_ms = until_ms > now_ms ? until_ms : now_ms + MINUTE_MS;
    ask->verdict->holds = cap->holds && max > 0;
    ask->verdict->detail = cap->name.data;
    return true;
}

bool gate_asks_cap(struct asking *ask)
{
    const struct policy *policy = ask->touches->policy;
    if (gate_is_test(ask->candidate))
        return false;
    for (size_t i = 0; i < policy->cap_count; i++)
        if (cap_reached(ask, &policy->caps[i]))
            return true;
    return false;
}

bool gate_asks_quota(struct asking *ask)
{
    const struct account *account = ask->candidate->account;
    for (size_t i = 0; i < account->quota_count; i++)
        if (cap_reached(ask, &account->quotas[i]))
            return true;
    return false;
}

/* Messages to one person keep their order by account: while one is tried again, those that stand behind it wait for it. Nothing
 * that she has to have at once waits for an advertisement. */
static bool is_before(const struct candidate *candidate, uint32_t number, const struct line *line)
{
    bool waits_for_its_kind =
        gate_is_marketing(candidate) || (line->flags & LINE_TRANSACTIONAL) != 0;
    return waits_for_its_kind && str_equal(line->account, candidate->account->key) &&
           stands_before(candidate, number, line);
}

bool gate_asks_behind(struct asking *ask)
{
    const struct candidate *candidate = ask->candidate;
    struct mark_walk walk;
    touches_walk_begin(&walk, ask->touches, candidate->customer);
    for (uint32_t number; (number = touches_walk_next(&walk)) != 0;) {
        const struct mark *mark = touches_mark_at(ask->touches, number);
        if (mark_status(mark) != TOUCH_HELD || number == candidate->number ||
            !is_before(candidate, number, touches_line_at(ask->touches, mark->line)))
            continue;
        const struct waiting *other = touches_waiting_find(ask->touches, number);
        if (other == NULL || other->gate != GATE_RETRY)
            continue;
        int64_t soonest_ms = candidate->now_ms + SECOND_MS;
        ask->verdict->until_ms = other->due_ms > soonest_ms ? other->due_ms : soonest_ms;
        return true;
    }
    return false;
}
