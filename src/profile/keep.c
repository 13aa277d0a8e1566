/* SPDX-License-Identifier: Apache-2.0 */
/* keep: which facts of a trait are kept (profile/fact.h says why these). */
#include <string.h>

#include "profile/fact.h"

#define DROPPED 0 /* as operation */

/* The newest or oldest of an operation; NULL if there is none. Of the same event the last one counts as
 * newest, the first one as oldest. */
static struct fact *extreme_in_time(struct fact *items, uint32_t count, uint8_t operation, int sign)
{
    struct fact *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation != operation)
            continue;
        int order = best == NULL ? 1 : fact_compare_time(&items[i], best) * sign;
        if (order > 0 || (order == 0 && sign > 0))
            best = &items[i];
    }
    return best;
}

static void drop_unset(struct fact *items, uint32_t count, const struct fact *unset_all)
{
    struct fact *unset = extreme_in_time(items, count, FACT_UNSET, 1);
    const struct fact *cut = unset;
    if (unset_all != NULL && (cut == NULL || fact_compare_time(unset_all, cut) > 0))
        cut = unset_all;
    for (uint32_t i = 0; i < count && cut != NULL; i++) {
        struct fact *fact = &items[i];
        if (fact == unset || fact->operation == FACT_CONSENT)
            continue;
        /* Of the same event the unset comes last. */
        if (fact->operation == FACT_UNSET || fact_compare_time(fact, cut) <= 0)
            fact->operation = DROPPED;
    }
    /* An unset of everything that is newer says the same. */
    if (unset != NULL && cut != unset)
        unset->operation = DROPPED;
}

/* Of whom a number or list was said matters, for sums and unions; of other values only the source. */
static bool same_account(const struct fact *a, const struct fact *b)
{
    micro_sum unused;
    if (a->source != b->source)
        return false;
    bool a_counts = fact_is_list(a) || fact_number(a, &unused);
    bool b_counts = fact_is_list(b) || fact_number(b, &unused);
    if (a_counts != b_counts)
        return false;
    return !a_counts || a->account == b->account;
}

/* Later in time; of the same event, later in the list. */
static bool is_later(const struct fact *a, const struct fact *b)
{
    int order = fact_compare_time(a, b);
    return order > 0 || (order == 0 && a > b);
}

static struct fact *extreme_in_value(struct fact *items, uint32_t count, int sign)
{
    struct fact *best = NULL;
    micro_sum best_value = 0, value;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation != FACT_SET || !fact_number(&items[i], &value))
            continue;
        bool better = best == NULL || (value - best_value) * sign > 0 ||
                      (value == best_value && fact_compare_time(&items[i], best) < 0);
        if (better) {
            best = &items[i];
            best_value = value;
        }
    }
    return best;
}

static void keep_sets(struct fact *items, uint32_t count, bool extremes)
{
    const struct fact *kept[3] = { extreme_in_time(items, count, FACT_SET, -1), NULL, NULL };
    if (extremes) {
        kept[1] = extreme_in_value(items, count, 1);
        kept[2] = extreme_in_value(items, count, -1);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct fact *fact = &items[i];
        if (fact->operation != FACT_SET || fact == kept[0] || fact == kept[1] || fact == kept[2])
            continue;
        for (uint32_t j = 0; j < count; j++) {
            if (items[j].operation == FACT_SET && j != i && is_later(&items[j], fact) &&
                same_account(&items[j], fact)) {
                fact->operation = DROPPED;
                break;
            }
        }
    }
}

static void keep_once(struct fact *items, uint32_t count)
{
    const struct fact *oldest = extreme_in_time(items, count, FACT_SET_ONCE, -1);
    const struct fact *newest = extreme_in_time(items, count, FACT_SET_ONCE, 1);
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation == FACT_SET_ONCE && &items[i] != oldest && &items[i] != newest)
            items[i].operation = DROPPED;
    }
}

/* ---- increments, each source and account by itself ---- */

static bool is_increment_of(const struct fact *fact, const struct fact *whose)
{
    return (fact->operation == FACT_INCREMENT || fact->operation == FACT_SUM) &&
           fact->source == whose->source && fact->account == whose->account;
}

/* Into `sum`, which takes the later time; an integer stays one as long as it can. */
static void add_up(struct fact *sum, struct fact *more)
{
    micro_sum a = 0, b = 0;
    fact_number(sum, &a);
    fact_number(more, &b);
    a += b;
    if (sum->kind == FACT_INT && more->kind == FACT_INT && a / 1000000 <= INT64_MAX &&
        a / 1000000 >= INT64_MIN) {
        sum->number = (int64_t)(a / 1000000);
    } else {
        sum->kind = FACT_MICRO;
        sum->number = a > INT64_MAX ? INT64_MAX : a < INT64_MIN ? INT64_MIN : (int64_t)a;
    }
    sum->json = STR_NONE;
    sum->operation = FACT_SUM;
    if (fact_compare_time(more, sum) > 0) {
        sum->time_ms = more->time_ms;
        sum->seq = more->seq;
    }
    more->operation = DROPPED;
}

/* All that lies before the time of the sum belongs into it. */
static struct fact *settle_sum(struct fact *items, uint32_t count, const struct fact *whose)
{
    struct fact *sum = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation != FACT_SUM || !is_increment_of(&items[i], whose))
            continue;
        if (sum == NULL)
            sum = &items[i];
        else
            add_up(sum, &items[i]);
    }
    for (uint32_t i = 0; i < count && sum != NULL; i++) {
        if (items[i].operation == FACT_INCREMENT && is_increment_of(&items[i], whose) &&
            fact_compare_time(&items[i], sum) <= 0)
            add_up(sum, &items[i]);
    }
    return sum;
}

static struct fact *oldest_increment(struct fact *items, uint32_t count, const struct fact *whose,
                                     uint32_t *how_many)
{
    struct fact *oldest = NULL;
    *how_many = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation != FACT_INCREMENT || !is_increment_of(&items[i], whose))
            continue;
        ++*how_many;
        if (oldest == NULL || fact_compare_time(&items[i], oldest) < 0)
            oldest = &items[i];
    }
    return oldest;
}

static void fold_increments(struct fact *items, uint32_t count, struct fact whose)
{
    struct fact *sum = settle_sum(items, count, &whose);
    for (;;) {
        uint32_t how_many;
        struct fact *oldest = oldest_increment(items, count, &whose, &how_many);
        if (how_many <= FACT_INCREMENTS_MAX)
            return;
        if (sum == NULL) {
            oldest->operation = FACT_SUM;
            sum = oldest;
        } else {
            add_up(sum, oldest);
        }
    }
}

/* Before its own account's newest set an increment counts for nothing. */
static void drop_overwritten(struct fact *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct fact *fact = &items[i];
        if (fact->operation != FACT_INCREMENT && fact->operation != FACT_SUM)
            continue;
        for (uint32_t j = 0; j < count; j++) {
            if (items[j].operation == FACT_SET && items[j].source == fact->source &&
                items[j].account == fact->account && fact_compare_time(&items[j], fact) > 0) {
                fact->operation = DROPPED;
                break;
            }
        }
    }
}

static void keep_increments(struct fact *items, uint32_t count)
{
    drop_overwritten(items, count);
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation == FACT_INCREMENT)
            fold_increments(items, count, items[i]);
    }
}

/* ---- appended elements ---- */

static void keep_elements(struct fact *items, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation != FACT_APPEND)
            continue;
        for (uint32_t j = 0; j < count; j++) {
            if (items[j].operation == FACT_APPEND && j != i && is_later(&items[j], &items[i]) &&
                fact_same_value(&items[j], &items[i])) {
                items[i].operation = DROPPED;
                break;
            }
        }
        kept += items[i].operation == FACT_APPEND;
    }
    for (; kept > FACT_ELEMENTS_MAX; kept--)
        extreme_in_time(items, count, FACT_APPEND, -1)->operation = DROPPED;
}

/* ---- consent ---- */

/* The newest decision; of two at one time the stricter. */
static void keep_consent(struct fact *items, uint32_t count)
{
    struct fact *best = NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct fact *fact = &items[i];
        if (fact->operation != FACT_CONSENT)
            continue;
        bool better = best == NULL || fact->time_ms > best->time_ms ||
                      (fact->time_ms == best->time_ms &&
                       (fact->kind < best->kind ||
                        (fact->kind == best->kind && fact->seq < best->seq)));
        if (better) {
            if (best != NULL)
                best->operation = DROPPED;
            best = fact;
        } else {
            fact->operation = DROPPED;
        }
    }
}

uint32_t facts_keep(struct fact *items, uint32_t count, const struct fact *unset_all, bool extremes)
{
    drop_unset(items, count, unset_all);
    keep_sets(items, count, extremes);
    keep_once(items, count);
    keep_increments(items, count);
    keep_elements(items, count);
    keep_consent(items, count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation != DROPPED)
            items[kept++] = items[i];
    }
    return kept;
}
