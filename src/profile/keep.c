/* SPDX-License-Identifier: Apache-2.0 */
/* keep: which facts of a trait are kept (profile/fact.h says why these).
 *
 * One pass each, by a table of groups: a customer of many nodes, or a sender who means harm, brings many
 * facts of one trait, and pairs of them must not be compared. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
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
        if (fact == unset || fact->operation == FACT_CONSENT || fact->operation == FACT_HAND)
            continue;
        /* Of the same event the unset comes last. */
        if (fact->operation == FACT_UNSET || fact_compare_time(fact, cut) <= 0)
            fact->operation = DROPPED;
    }
    /* An unset of everything that is newer says the same. */
    if (unset != NULL && cut != unset)
        unset->operation = DROPPED;
}

/* ---- groups of facts ---- */

/* Open addressing: the place of one fact of each group, and one. */
struct groups {
    const struct fact *items;
    uint64_t (*hash)(const struct fact *fact);
    bool (*same)(const struct fact *a, const struct fact *b);
    uint32_t *slots, mask;
    uint32_t few[64];
};

static err groups_init(struct groups *groups, const struct fact *items, uint32_t count,
                       uint64_t (*hash)(const struct fact *),
                       bool (*same)(const struct fact *, const struct fact *))
{
    uint32_t size = 64;
    groups->items = items;
    groups->hash = hash;
    groups->same = same;
    groups->slots = groups->few;
    while (size < 2 * count)
        size *= 2;
    groups->mask = size - 1;
    memset(groups->few, 0, sizeof(groups->few));
    if (size > 64)
        groups->slots = memory_alloc(size * sizeof(*groups->slots));
    return groups->slots != NULL ? ERR_OK : ERR_NOMEM;
}

static void groups_deinit(struct groups *groups)
{
    if (groups->slots != groups->few)
        memory_free(groups->slots);
}

/* The slot of the group of `fact`; 0 in it when it is the first one. */
static uint32_t *group_of(struct groups *groups, const struct fact *fact)
{
    uint32_t at = (uint32_t)groups->hash(fact) & groups->mask;
    while (groups->slots[at] != 0 && !groups->same(&groups->items[groups->slots[at] - 1], fact))
        at = (at + 1) & groups->mask;
    return &groups->slots[at];
}

static uint64_t hash_account(const struct fact *fact)
{
    return hash_mix64((uint64_t)fact->source << 32 | fact->account);
}

static bool same_account(const struct fact *a, const struct fact *b)
{
    return a->source == b->source && a->account == b->account;
}

/* Of whom a number or list was said matters, for sums and unions; of other values only the source. */
static bool counts_by_account(const struct fact *fact)
{
    micro_sum unused;
    return fact_is_list(fact) || fact_number(fact, &unused);
}

static uint64_t hash_speaker(const struct fact *fact)
{
    bool counts = counts_by_account(fact);
    return hash_mix64((uint64_t)fact->source << 33 | (uint64_t)counts << 32 |
                      (counts ? fact->account : 0));
}

static bool same_speaker(const struct fact *a, const struct fact *b)
{
    bool counts = counts_by_account(a);
    return a->source == b->source && counts == counts_by_account(b) &&
           (!counts || a->account == b->account);
}

static uint64_t hash_value(const struct fact *fact)
{
    return hash_bytes64(fact->json.data, fact->json.size, (uint64_t)fact->number + fact->kind);
}

/* Of each group of facts of `operation` the newest stays. Of one event the later. */
static err keep_newest(struct fact *items, uint32_t count, uint8_t operation,
                       uint64_t (*hash)(const struct fact *),
                       bool (*same)(const struct fact *, const struct fact *),
                       const struct fact *const kept[3])
{
    struct groups groups;
    err error = groups_init(&groups, items, count, hash, same);
    if (error != ERR_OK)
        return error;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation != operation)
            continue;
        uint32_t *slot = group_of(&groups, &items[i]);
        uint32_t loser = i;
        if (*slot == 0) {
            *slot = i + 1;
            continue;
        }
        if (fact_compare_time(&items[i], &items[*slot - 1]) >= 0) {
            loser = *slot - 1;
            *slot = i + 1;
        }
        if (&items[loser] != kept[0] && &items[loser] != kept[1] && &items[loser] != kept[2])
            items[loser].operation = DROPPED;
    }
    groups_deinit(&groups);
    return ERR_OK;
}

static int newest_first(const void *left, const void *right)
{
    const struct fact *const *a = left, *const *b = right;
    return fact_compare_time(*b, *a);
}

/* Of the facts of an operation no more than `most`, the newest. */
static err keep_most(struct fact *items, uint32_t count, uint8_t operation, uint32_t most,
                     const struct fact *const kept[3])
{
    uint32_t there = 0;
    for (uint32_t i = 0; i < count; i++)
        there += items[i].operation == operation;
    if (there <= most)
        return ERR_OK;
    struct fact **by_time = memory_alloc(there * sizeof(*by_time));
    if (by_time == NULL)
        return ERR_NOMEM;
    there = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation == operation)
            by_time[there++] = &items[i];
    }
    qsort(by_time, there, sizeof(*by_time), newest_first);
    for (uint32_t i = most; i < there; i++) {
        if (by_time[i] != kept[0] && by_time[i] != kept[1] && by_time[i] != kept[2])
            by_time[i]->operation = DROPPED;
    }
    memory_free(by_time);
    return ERR_OK;
}

/* ---- sets ---- */

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

static err keep_sets(struct fact *items, uint32_t count, bool extremes)
{
    const struct fact *kept[3] = { extreme_in_time(items, count, FACT_SET, -1), NULL, NULL };
    if (kept[0] == NULL)
        return ERR_OK;
    if (extremes) {
        kept[1] = extreme_in_value(items, count, 1);
        kept[2] = extreme_in_value(items, count, -1);
    }
    err error = keep_newest(items, count, FACT_SET, hash_speaker, same_speaker, kept);
    return error == ERR_OK ? keep_most(items, count, FACT_SET, FACT_ACCOUNTS_MAX, kept) : error;
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

/* ---- increments ---- */

static bool is_increment(const struct fact *fact)
{
    return fact->operation == FACT_INCREMENT || fact->operation == FACT_SUM;
}

/* Into `sum`, which takes the later time; an integer stays one as long as it can. */
static void add_number(struct fact *sum, struct fact *more)
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
    if (fact_compare_time(more, sum) > 0) {
        sum->time_ms = more->time_ms;
        sum->seq = more->seq;
    }
    more->operation = DROPPED;
}

static void add_up(struct fact *sum, struct fact *more)
{
    add_number(sum, more);
    sum->operation = FACT_SUM;
}

/* Before its own account's newest set an increment counts for nothing. */
static err drop_overwritten(struct fact *items, uint32_t count)
{
    struct groups groups;
    err error = groups_init(&groups, items, count, hash_account, same_account);
    if (error != ERR_OK)
        return error;
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].operation != FACT_SET)
            continue;
        uint32_t *slot = group_of(&groups, &items[i]);
        if (*slot == 0 || fact_compare_time(&items[i], &items[*slot - 1]) > 0)
            *slot = i + 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t set = is_increment(&items[i]) ? *group_of(&groups, &items[i]) : 0;
        if (set != 0 && fact_compare_time(&items[set - 1], &items[i]) > 0)
            items[i].operation = DROPPED;
    }
    groups_deinit(&groups);
    return ERR_OK;
}

static int by_account_and_time(const void *left, const void *right)
{
    const struct fact *const *a = left, *const *b = right;
    if ((*a)->source != (*b)->source)
        return (*a)->source < (*b)->source ? -1 : 1;
    if ((*a)->account != (*b)->account)
        return (*a)->account < (*b)->account ? -1 : 1;
    return fact_compare_time(*a, *b);
}

/* Increments of one event are one. */
static uint32_t join_events(struct fact **facts, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (fact_compare_time(facts[i], facts[kept]) != 0) {
            facts[++kept] = facts[i];
            continue;
        }
        bool sum = facts[i]->operation == FACT_SUM || facts[kept]->operation == FACT_SUM;
        add_number(facts[kept], facts[i]);
        facts[kept]->operation = sum ? FACT_SUM : FACT_INCREMENT;
    }
    return kept + 1;
}

/* One account, oldest first: all up to the last sum, and all but the newest few, become one sum, the first
 * of them. The newest that is left. */
static struct fact *fold_account(struct fact **facts, uint32_t count)
{
    uint32_t folded = 0;
    count = join_events(facts, count);
    for (uint32_t i = 0; i < count; i++) {
        if (facts[i]->operation == FACT_SUM || count - i > FACT_INCREMENTS_MAX)
            folded = i + 1; /* a sum and the newest few stay as they are */
    }
    for (uint32_t i = 1; i < folded; i++)
        add_up(facts[0], facts[i]);
    if (folded > 0)
        facts[0]->operation = FACT_SUM;
    return facts[count - 1]->operation == DROPPED ? facts[0] : facts[count - 1];
}

struct account {
    struct fact *newest;
    uint32_t begin, end;
};

static int oldest_account_first(const void *left, const void *right)
{
    const struct account *a = left, *b = right;
    return fact_compare_time(a->newest, b->newest);
}

/* More accounts than can be kept apart: those that said nothing for longest become one, account 0. */
static void fold_accounts(struct fact **facts, struct account *accounts, uint32_t count)
{
    if (count <= FACT_ACCOUNTS_MAX)
        return;
    qsort(accounts, count, sizeof(*accounts), oldest_account_first);
    for (uint32_t i = 0; i < count - FACT_ACCOUNTS_MAX; i++) {
        for (uint32_t j = accounts[i].begin; j < accounts[i].end; j++) {
            struct fact *fact = facts[j], *sum = NULL;
            if (fact->operation == DROPPED)
                continue;
            fact->account = 0;
            for (uint32_t k = 0; k < i && sum == NULL; k++) {
                struct fact *other = facts[accounts[k].begin];
                if (other->operation == FACT_SUM && other->source == fact->source)
                    sum = other;
            }
            if (sum == NULL && j > accounts[i].begin)
                sum = facts[accounts[i].begin];
            if (sum != NULL)
                add_up(sum, fact);
            else
                fact->operation = FACT_SUM;
        }
    }
}

static err fold_increments(struct fact *items, uint32_t count, uint32_t there)
{
    struct fact **facts = memory_alloc(there * sizeof(*facts));
    struct account *accounts = memory_alloc(there * sizeof(*accounts));
    uint32_t at = 0, account_count = 0;
    for (uint32_t i = 0; i < count && facts != NULL; i++) {
        if (is_increment(&items[i]))
            facts[at++] = &items[i];
    }
    if (facts != NULL && accounts != NULL) {
        qsort(facts, there, sizeof(*facts), by_account_and_time);
        for (uint32_t begin = 0; begin < there;) {
            uint32_t end = begin + 1;
            while (end < there && same_account(facts[begin], facts[end]))
                end++;
            accounts[account_count++] =
                (struct account){ fold_account(facts + begin, end - begin), begin, end };
            begin = end;
        }
        fold_accounts(facts, accounts, account_count);
    }
    err error = facts != NULL && accounts != NULL ? ERR_OK : ERR_NOMEM;
    memory_free(facts);
    memory_free(accounts);
    return error;
}

static err keep_increments(struct fact *items, uint32_t count)
{
    uint32_t there = 0;
    for (uint32_t i = 0; i < count; i++)
        there += is_increment(&items[i]);
    if (there == 0)
        return ERR_OK;
    err error = drop_overwritten(items, count);
    there = 0;
    for (uint32_t i = 0; i < count; i++)
        there += is_increment(&items[i]);
    return error == ERR_OK && there > 1 ? fold_increments(items, count, there) : error;
}

/* ---- appended elements ---- */

static err keep_elements(struct fact *items, uint32_t count)
{
    static const struct fact *const nothing[3];
    if (extreme_in_time(items, count, FACT_APPEND, 1) == NULL)
        return ERR_OK;
    err error = keep_newest(items, count, FACT_APPEND, hash_value, fact_same_value, nothing);
    return error == ERR_OK ? keep_most(items, count, FACT_APPEND, FACT_ELEMENTS_MAX, nothing)
                           : error;
}

/* ---- by hand ---- */

static void keep_hand(struct fact *items, uint32_t count)
{
    const struct fact *newest = extreme_in_time(items, count, FACT_HAND, 1);
    for (uint32_t i = 0; i < count && newest != NULL; i++)
        if (items[i].operation == FACT_HAND && &items[i] != newest)
            items[i].operation = DROPPED;
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
        bool better =
            best == NULL || fact->time_ms > best->time_ms ||
            (fact->time_ms == best->time_ms &&
             (fact->kind < best->kind || (fact->kind == best->kind && fact->seq < best->seq)));
        if (better) {
            if (best != NULL)
                best->operation = DROPPED;
            best = fact;
        } else {
            fact->operation = DROPPED;
        }
    }
}

err facts_keep(struct fact *items, uint32_t *count, const struct fact *unset_all, bool extremes)
{
    /* Nearly always there is one fact, and it stays. */
    if (*count == 1 && unset_all == NULL)
        return ERR_OK;
    drop_unset(items, *count, unset_all);
    err error = keep_sets(items, *count, extremes);
    keep_once(items, *count);
    if (error == ERR_OK)
        error = keep_increments(items, *count);
    if (error == ERR_OK)
        error = keep_elements(items, *count);
    keep_hand(items, *count);
    keep_consent(items, *count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        if (items[i].operation != DROPPED)
            items[kept++] = items[i];
    }
    *count = kept;
    return error;
}
