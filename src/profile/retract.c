/* SPDX-License-Identifier: Apache-2.0 */
/* retract: what events said of a node is taken back (an import is undone, a corrected file replaces).
 *
 * Told facts have their source and seq, so they are found and dropped. For that to leave what there would
 * be without them, facts of an import never displace others: each import's are kept among themselves,
 * all else among itself. Only the view looks at them together. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

/* Who may be taken back as a whole: each import by itself; 0: all the others. */
static uint32_t teller_of(const struct fact *fact)
{
    return event_source_is_import(fact->source) ? fact->source : 0;
}

static err move_facts(struct facts *from, uint32_t teller, struct facts *to)
{
    err error = ERR_OK;
    to->count = 0;
    for (uint32_t i = 0; i < from->count && error == ERR_OK; i++) {
        if (teller_of(&from->items[i]) == teller)
            error = facts_add(to, &from->items[i]);
    }
    return error;
}

/* The smallest teller above `beyond`; false when there is none. */
static bool next_teller(const struct facts *facts, uint32_t beyond, uint32_t *teller)
{
    bool found = false;
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t one = teller_of(&facts->items[i]);
        if (one > beyond && (!found || one < *teller)) {
            *teller = one;
            found = true;
        }
    }
    return found;
}

err facts_keep_apart(struct profile *profile, struct facts *facts)
{
    uint32_t teller = 0;
    if (!next_teller(facts, 0, &teller))
        return facts_keep_all(profile, facts);
    struct facts kept = { .count = 0 }, some = { .count = 0 };
    teller = 0;
    err error = ERR_OK;
    do {
        error = move_facts(facts, teller, &some);
        if (error == ERR_OK)
            error = facts_keep_all(profile, &some);
        for (uint32_t i = 0; i < some.count && error == ERR_OK; i++)
            error = facts_add(&kept, &some.items[i]);
    } while (error == ERR_OK && next_teller(facts, teller, &teller));
    facts->count = 0;
    for (uint32_t i = 0; i < kept.count && error == ERR_OK; i++)
        error = facts_add(facts, &kept.items[i]);
    facts_deinit(&kept);
    facts_deinit(&some);
    return error;
}

/* ---- taking back ---- */

static int compare_seqs(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static bool is_taken(const struct fact *fact, uint32_t source, const uint64_t *seqs, size_t count)
{
    return (source != 0 && fact->source == source) ||
           bsearch(&fact->seq, seqs, count, sizeof *seqs, compare_seqs) != NULL;
}

/* The row of a consent is that of the newest decision that stays. */
static void put_consents(struct profile *profile, uint32_t node, uint32_t purpose,
                         struct ledger_writes *writes)
{
    const struct facts *facts = &profile->scratch->facts;
    str name = profile->purposes.texts[purpose];
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->items[i];
        if (fact->operation != FACT_CONSENT || fact->trait != purpose)
            continue;
        LEDGER_PUT(writes, LEDGER_CONSENTS, ledger_int(node), ledger_text(name),
                   ledger_text(fact->kind == FACT_TRUE ? STR("granted") : STR("withdrawn")),
                   ledger_int(fact->time_ms), ledger_int((int64_t)fact->seq),
                   ledger_int(fact->source), ledger_text(STR_NONE));
        return;
    }
    ledger_delete(writes, LEDGER_CONSENTS,
                  (const struct ledger_value[]){ ledger_int(node), ledger_text(name) });
}

static err retract_facts(struct profile *profile, uint32_t node, uint32_t source,
                         const uint64_t *seqs, size_t count, struct ledger_writes *writes)
{
    struct facts *facts = &profile->scratch->facts;
    uint32_t purposes[32], purpose_count = 0, kept = 0;
    facts->count = 0;
    err error = node_facts_read(profile, node, facts);
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->items[i];
        bool taken = is_taken(fact, source, seqs, count);
        if (taken && fact->operation == FACT_CONSENT && purpose_count < 32)
            purposes[purpose_count++] = fact->trait;
        if (!taken)
            facts->items[kept++] = *fact;
    }
    if (error != ERR_OK || kept == facts->count)
        return error;
    facts->count = kept;
    for (uint32_t i = 0; i < purpose_count; i++)
        put_consents(profile, node, purposes[i], writes);
    return node_facts_store(profile, node, facts, writes);
}

/* What is derived of a node: it has to be observed again, if anything stays. */
static void forget_derived(struct profile *profile, struct entry *entry)
{
    if (entry->orders != 0) {
        const struct orders_piece *piece = slab_at(&profile->slab, entry->orders);
        slab_give(&profile->slab, entry->orders,
                  sizeof *piece + piece->count * sizeof(struct order));
    }
    entry->orders = 0;
    entry->events = 0;
    entry->first = entry->last = (struct short_time){ { 0 } };
}

err profile_retract(struct profile *profile, uint32_t node, uint32_t source, uint64_t *seqs,
                    size_t count, struct ledger_writes *writes)
{
    if (profile_is_empty(profile, node))
        return ERR_OK;
    qsort(seqs, count, sizeof *seqs, compare_seqs);
    err error = retract_facts(profile, node, source, seqs, count, writes);
    forget_derived(profile, entry_find(profile, node));
    return error;
}

/* Bytes that are given back to the slab keep nothing of what they said. */
static void forget_facts(struct profile *profile, struct entry *entry)
{
    if (entry->facts == 0)
        return;
    struct facts_piece *piece = slab_at(&profile->slab, entry->facts);
    size_t size = sizeof *piece + piece->size;
    memset(piece, 0, size);
    slab_give(&profile->slab, entry->facts, size);
    entry->facts = 0;
}

err profile_erase(struct profile *profile, uint32_t node, struct ledger_writes *writes,
                  uint32_t *facts_erased)
{
    struct entry *entry = entry_find(profile, node);
    struct facts *facts = &profile->scratch->facts;
    *facts_erased = 0;
    if (profile_is_empty(profile, node))
        return ERR_OK;
    facts->count = 0;
    err error = node_facts_read(profile, node, facts);
    if (error != ERR_OK)
        return error;
    *facts_erased = facts->count;
    for (uint32_t i = 0; i < facts->count; i++) {
        if (facts->items[i].operation == FACT_CONSENT)
            ledger_delete(writes, LEDGER_CONSENTS,
                          (const struct ledger_value[]){
                              ledger_int(node),
                              ledger_text(profile->purposes.texts[facts->items[i].trait]) });
    }
    if (facts->count > 0) {
        struct ledger_value key = ledger_int(node);
        ledger_delete(writes, LEDGER_TRAITS, &key);
    }
    facts->count = 0;
    forget_facts(profile, entry);
    forget_derived(profile, entry);
    return ERR_OK;
}

bool profile_is_empty(const struct profile *profile, uint32_t node)
{
    const struct entry *entry = entry_find(profile, node);
    return entry == NULL || (entry->facts == 0 && entry->orders == 0 && entry->events == 0);
}
