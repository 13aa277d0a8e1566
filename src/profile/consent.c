/* SPDX-License-Identifier: Apache-2.0 */
/* consent: what a customer decided about one purpose, read where it lies: asked before every message.
 *
 * One node decided by its newest word. Of a customer of several nodes the strictest counts of what was decided apart, before a
 * join; a word said since is hers about all of it. So, join by join from the earliest on,
 *
 *     newest(AB) ≥ join   what counts of AB is its newest
 *     else                the stricter of what counts of A and of B
 *
 * which needs only the newest word of each node: an older one of the same node is either before that join too, where the newest stands
 * for the node, or was overtaken when the newest was said. Words of one moment: the stricter. Hence the answer is a
 * function of words and joins, whatever came first (P1). */
#include <stdlib.h>

#include "base/arena.h"
#include "profile/state.h"

#define FEW 64

/* ---- weighing ---- */

/* A node, and what is known of the part that it leads. */
struct part {
    uint32_t node, up; /* up: index of who leads; itself */
    const struct profile_word *counts, *newest;
};

static bool is_newer(const struct profile_word *word, const struct profile_word *than)
{
    if (word == NULL || than == NULL)
        return word != NULL;
    if (word->at_ms != than->at_ms)
        return word->at_ms > than->at_ms;
    return word->granted != than->granted ? than->granted : word->seq < than->seq;
}

static const struct profile_word *stricter(const struct profile_word *a,
                                           const struct profile_word *b)
{
    if (a != NULL && b != NULL && a->granted != b->granted)
        return a->granted ? b : a;
    return is_newer(a, b) ? a : b;
}

static int compare_parts(const void *left, const void *right)
{
    const struct part *a = left, *b = right;
    return a->node < b->node ? -1 : a->node > b->node;
}

static struct part *part_of(struct part *parts, size_t count, uint32_t node)
{
    struct part wanted = { .node = node };
    struct part *part = bsearch(&wanted, parts, count, sizeof(*parts), compare_parts);
    while (part != NULL && part->up != (uint32_t)(part - parts)) {
        part->up = parts[part->up].up;
        part = &parts[part->up];
    }
    return part;
}

/* Each node of the joins once, ascending; how many. */
static size_t parts_init(struct part *parts, const struct identity_join *joins, size_t join_count)
{
    size_t count = 0, kept = 0;
    for (size_t i = 0; i < join_count; i++)
        for (unsigned side = 0; side < 2; side++)
            parts[count++] = (struct part){ .node = joins[i].node[side] };
    qsort(parts, count, sizeof(*parts), compare_parts);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || parts[kept - 1].node != parts[i].node)
            parts[kept++] = parts[i];
    for (size_t i = 0; i < kept; i++)
        parts[i].up = (uint32_t)i;
    return kept;
}

static void join_parts(struct part *parts, size_t count, const struct identity_join *join)
{
    struct part *a = part_of(parts, count, join->node[0]);
    struct part *b = part_of(parts, count, join->node[1]);
    if (a == b)
        return;
    b->up = (uint32_t)(a - parts);
    a->newest = is_newer(b->newest, a->newest) ? b->newest : a->newest;
    a->counts = a->newest != NULL && a->newest->at_ms >= join->at_ms
                    ? a->newest
                    : stricter(a->counts, b->counts);
}

static const struct profile_word *newest_of(const struct profile_word *words, size_t count)
{
    const struct profile_word *newest = NULL;
    for (size_t i = 0; i < count; i++)
        newest = is_newer(&words[i], newest) ? &words[i] : newest;
    return newest;
}

/* The newest, when that decides by itself: nobody refused, or it is a refusal. Else NULL, and *strictest is the newest
 * refusal. */
static const struct profile_word *without_joins(const struct profile_word *words, size_t count,
                                                const struct profile_word **strictest)
{
    const struct profile_word *newest = newest_of(words, count);
    *strictest = NULL;
    for (size_t i = 0; i < count; i++)
        *strictest = stricter(&words[i], *strictest);
    bool decides = newest == NULL || *strictest == NULL || newest->granted == (*strictest)->granted;
    return decides ? newest : NULL;
}

const struct profile_word *profile_weigh(const struct profile_word *words, size_t count,
                                         const struct identity_join *joins, size_t join_count)
{
    struct part few[2 * FEW], *parts = few;
    const struct profile_word *strictest, *counts = without_joins(words, count, &strictest);
    if (counts != NULL || count == 0)
        return counts;
    if (join_count > FEW)
        parts = memory_alloc(2 * join_count * sizeof(*parts));
    if (parts == NULL)
        return strictest; /* without memory */
    size_t part_count = parts_init(parts, joins, join_count);
    for (size_t i = 0; i < count; i++) {
        struct part *part = part_of(parts, part_count, words[i].node);
        if (part != NULL && is_newer(&words[i], part->newest))
            part->counts = part->newest = &words[i];
    }
    for (size_t i = 0; i < join_count; i++)
        join_parts(parts, part_count, &joins[i]);
    const struct part *whole = part_of(parts, part_count, words[0].node);
    counts = whole != NULL && whole->counts != NULL ? whole->counts : strictest;
    if (parts != few)
        memory_free(parts);
    return counts;
}

/* ---- words ---- */

struct hearing {
    uint32_t purpose;
    bool found;
    struct profile_word word;
};

/* Never "found": every fact is looked at. */
static bool hear(const void *context, const struct fact *fact)
{
    struct hearing *hearing = (struct hearing *)(uintptr_t)context;
    struct profile_word word = { .node = hearing->word.node,
                                 .granted = fact->kind == FACT_TRUE,
                                 .source = fact->source,
                                 .at_ms = fact->time_ms,
                                 .seq = fact->seq };
    if (fact->operation != FACT_CONSENT || fact->trait != hearing->purpose)
        return false;
    if (!hearing->found || is_newer(&word, &hearing->word))
        hearing->word = word;
    hearing->found = true;
    return false;
}

static bool node_word(const struct profile *profile, uint32_t node, uint32_t purpose,
                      struct profile_word *word)
{
    const struct entry *entry = entry_find(profile, node);
    struct hearing hearing = { .purpose = purpose, .word = { .node = node } };
    if (entry == NULL || entry->facts == 0)
        return false;
    const struct facts_piece *piece = slab_at(&profile->slab, entry->facts);
    (void)facts_any(str_from_bytes(piece->bytes, piece->size), hear, &hearing);
    *word = hearing.word;
    return hearing.found;
}

static const struct profile_word *weigh_customer(const struct profile *profile,
                                                 const struct profile_word *words, size_t count)
{
    struct identity_join few[FEW], *joins = few;
    const struct profile_word *strictest, *counts = without_joins(words, count, &strictest);
    if (counts != NULL)
        return counts;
    if (profile->joins == NULL)
        return newest_of(words, count);
    size_t there = profile->joins(profile->joins_context, words[0].node, joins, FEW);
    if (there > FEW) {
        joins = memory_alloc(there * sizeof(*joins));
        if (joins == NULL)
            return strictest;
        there = profile->joins(profile->joins_context, words[0].node, joins, there);
    }
    counts = profile_weigh(words, count, joins, there);
    if (joins != few)
        memory_free(joins);
    return counts;
}

bool consent_decide(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                    uint32_t purpose, struct profile_word *decided)
{
    struct profile_word few[FEW], *words = few;
    size_t count = 0;
    if (node_count > FEW) {
        words = memory_alloc(node_count * sizeof(*words));
        if (words == NULL) {
            /* Without memory nothing is granted. */
            *decided = (struct profile_word){ .node = nodes[0] };
            return true;
        }
    }
    for (size_t i = 0; i < node_count; i++)
        count += node_word(profile, nodes[i], purpose, &words[count]);
    if (count > 0)
        *decided = *weigh_customer(profile, words, count);
    if (words != few)
        memory_free(words);
    return count > 0;
}

bool profile_consent(const struct profile *profile, const uint32_t *nodes, size_t node_count,
                     str purpose, bool *granted)
{
    struct profile_word word = { .granted = false };
    uint32_t number = names_find(&profile->purposes, purpose);
    bool known = number != 0 && consent_decide(profile, nodes, node_count, number, &word);
    *granted = word.granted;
    return known;
}

void profile_use_joins(struct profile *profile,
                       size_t (*joins)(void *context, uint32_t node, struct identity_join *joins,
                                       size_t limit),
                       void *context)
{
    profile->joins = joins;
    profile->joins_context = context;
}
