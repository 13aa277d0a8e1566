/* SPDX-License-Identifier: Apache-2.0 */
/* node_facts: the facts of a node, from its piece of memory and back. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "profile/state.h"

err node_facts_read(const struct profile *profile, uint32_t node, struct facts *facts)
{
    const struct entry *entry = entry_find(profile, node);
    if (entry == NULL || entry->facts == 0)
        return ERR_OK;
    const struct facts_piece *piece = slab_at(&profile->slab, entry->facts);
    return facts_decode(facts, str_from_bytes(piece->bytes, piece->size));
}

/* Consents behind traits; otherwise facts of a trait stay in the order in which they came. */
static int compare_places(const void *left, const void *right)
{
    const struct fact *a = left, *b = right;
    bool a_consent = a->operation == FACT_CONSENT, b_consent = b->operation == FACT_CONSENT;
    if (a_consent != b_consent)
        return a_consent ? 1 : -1;
    return a->trait < b->trait ? -1 : a->trait > b->trait;
}

static const struct fact *newest_unset_of_all(const struct facts *facts)
{
    const struct fact *newest = NULL;
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->items[i];
        if (fact->operation == FACT_UNSET && fact->trait == FACT_ALL_TRAITS &&
            (newest == NULL || fact_compare_time(fact, newest) > 0))
            newest = fact;
    }
    return newest;
}

void facts_sort(struct facts *facts)
{
    if (facts->count > 1)
        qsort(facts->items, facts->count, sizeof(*facts->items), compare_places);
}

err facts_keep_all(const struct profile *profile, struct facts *facts)
{
    struct fact unset;
    const struct fact *found = newest_unset_of_all(facts), *unset_all = NULL;
    if (found != NULL) {
        unset = *found;
        unset_all = &unset;
    }
    facts_sort(facts);
    uint32_t kept = 0;
    for (uint32_t begin = 0; begin < facts->count;) {
        uint32_t end = begin + 1;
        while (end < facts->count && compare_places(&facts->items[begin], &facts->items[end]) == 0)
            end++;
        const struct fact *first = &facts->items[begin];
        const struct trait_type *type =
            first->operation == FACT_CONSENT ? NULL : trait_type_at(profile, first->trait);
        uint32_t count = end - begin;
        err error =
            facts_keep(&facts->items[begin], &count, unset_all, trait_type_wants_extremes(type));
        if (error != ERR_OK)
            return error;
        memmove(&facts->items[kept], &facts->items[begin], count * sizeof(*facts->items));
        kept += count;
        begin = end;
    }
    facts->count = kept;
    return ERR_OK;
}

static err put_row(struct profile *profile, uint32_t node, struct facts *facts,
                   struct ledger_writes *writes)
{
    struct buffer *bytes = &profile->scratch->bytes;
    buffer_clear(bytes);
    facts_encode(facts, false, bytes);
    err error = buffer_status(bytes);
    if (error != ERR_OK)
        return error;
    LEDGER_PUT(writes, LEDGER_TRAITS, ledger_int(node), ledger_blob(buffer_str(bytes)));
    return ERR_OK;
}

err node_facts_store(struct profile *profile, uint32_t node, struct facts *facts,
                     struct ledger_writes *writes)
{
    struct entry *entry = entry_make(profile, node);
    struct buffer *bytes = &profile->scratch->bytes;
    if (entry == NULL)
        return ERR_NOMEM;
    buffer_clear(bytes);
    facts_encode(facts, true, bytes);
    err error = buffer_status(bytes);
    if (error != ERR_OK)
        return error;
    uint32_t handle = 0;
    if (bytes->size > 0) {
        handle = slab_take(&profile->slab, sizeof(struct facts_piece) + bytes->size);
        if (handle == 0)
            return ERR_NOMEM;
        struct facts_piece *piece = slab_at(&profile->slab, handle);
        piece->size = (uint32_t)bytes->size;
        memcpy(piece->bytes, bytes->data, bytes->size);
    }
    /* The facts point into the old piece or the event: it is given back last. */
    if (writes != NULL)
        error = put_row(profile, node, facts, writes);
    if (entry->facts != 0) {
        const struct facts_piece *old = slab_at(&profile->slab, entry->facts);
        slab_give(&profile->slab, entry->facts, sizeof(*old) + old->size);
    }
    entry->facts = handle;
    return error;
}
