/* SPDX-License-Identifier: Apache-2.0 */
/* consent: what a customer decided about one purpose, read where it lies: asked before every message. */
#include "profile/state.h"

struct deciding {
    uint32_t purpose;
    bool known, granted;
    int64_t at_ms;
};

/* The newest decision counts; of two at one moment, the stricter. Never "found": every fact is looked at. */
static bool look(const void *context, const struct fact *fact)
{
    struct deciding *deciding = (struct deciding *)(uintptr_t)context;
    if (fact->operation != FACT_CONSENT || fact->trait != deciding->purpose)
        return false;
    bool granted = fact->kind == FACT_TRUE;
    bool better = !deciding->known || fact->time_ms > deciding->at_ms ||
                  (fact->time_ms == deciding->at_ms && !granted);
    if (better) {
        deciding->known = true;
        deciding->granted = granted;
        deciding->at_ms = fact->time_ms;
    }
    return false;
}

bool profile_consent(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                     str purpose, bool *granted)
{
    struct deciding deciding = { .purpose = names_find(&profile->purposes, purpose) };
    if (deciding.purpose == 0)
        return false;
    for (size_t i = 0; i < node_count; i++) {
        const struct entry *entry = entry_find(profile, nodes[i]);
        if (entry == NULL || entry->facts == 0)
            continue;
        const struct facts_piece *piece = slab_at(&profile->slab, entry->facts);
        (void)facts_any(str_from_bytes(piece->bytes, piece->size), look, &deciding);
    }
    *granted = deciding.granted;
    return deciding.known;
}
