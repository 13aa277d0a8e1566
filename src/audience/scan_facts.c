/* SPDX-License-Identifier: Apache-2.0 */
/* What a scan's threads know of customers besides their histories: columns, and members of other definitions as they were
 * when it began; of one customer, or of neighbours at once. */
#include <string.h>

#include "audience/scan.h"

/* ---- members of others, frozen ---- */

void others_free(struct others *others)
{
    for (uint32_t i = 0; others->items != NULL && i < others->count; i++) {
        struct others_item *item = &others->items[i];
        for (uint32_t k = 0; k < item->set_count; k++)
            set_deinit(&item->sets[k]);
        memory_free(item->sets);
        numbers_deinit(&item->numbers);
        numbers_deinit(&item->entered);
    }
    memory_free(others->items);
    *others = (struct others){ .count = 0 };
}

static err take_one(const struct definition *definition, struct others_item *item)
{
    if (item->sets != NULL || item->numbers.chunks != NULL || definition->recipe == NULL)
        return ERR_OK; /* taken before */
    item->kind = definition->recipe->kind;
    item->texts = definition->texts;
    item->sets = memory_alloc((definition->set_count + 1) * sizeof(*item->sets));
    if (item->sets == NULL)
        return ERR_NOMEM;
    err error = numbers_share(&definition->numbers, &item->numbers);
    if (error == ERR_OK)
        error = numbers_share(&definition->entered, &item->entered);
    for (uint32_t i = 0; error == ERR_OK && i < definition->set_count; i++) {
        error = set_share(&definition->sets[i], &item->sets[i]);
        item->set_count = i + 1;
    }
    return error;
}

err others_take(const struct audience *audience, const struct needs *needs, struct others *others)
{
    err error = ERR_OK;
    if (others->items == NULL) {
        others->count = audience->definition_count;
        others->items = memory_alloc((others->count + 1) * sizeof(*others->items));
        if (others->items == NULL)
            return ERR_NOMEM;
    }
    for (uint32_t i = 0; error == ERR_OK && i < needs->other_count; i++) {
        const struct definition *definition = definition_at(audience, needs->others[i]);
        if (definition != NULL && definition->number < others->count)
            error = take_one(definition, &others->items[definition->number]);
    }
    return error;
}

int64_t others_get(const struct others *others, uint32_t number, uint32_t customer)
{
    if (number >= others->count)
        return NO_VALUE;
    const struct others_item *item = &others->items[number];
    for (uint32_t i = 0; i < item->set_count; i++)
        if (set_has(&item->sets[i], customer))
            return i + 1;
    return numbers_get(&item->numbers, customer);
}

static bool scan_trait(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    const struct scan_facts *facts = context;
    const struct fact_column *column = facts->audience->facts.columns[symbol];
    return cell_value(column, cell_get(column, customer), value);
}

static bool scan_tag(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    const struct scan_facts *facts = context;
    if (symbol >= facts->others.count)
        return false;
    const struct others_item *item = &facts->others.items[symbol];
    return tag_value(item->kind, item->texts, others_get(&facts->others, symbol, customer), value);
}

static bool scan_segment(void *context, uint32_t customer, uint32_t symbol)
{
    const struct scan_facts *facts = context;
    return others_get(&facts->others, symbol, customer) != NO_VALUE;
}

static bool scan_identifier(void *context, uint32_t customer, uint32_t symbol)
{
    const struct scan_facts *facts = context;
    int64_t mask = cell_get(facts->audience->facts.columns[0], customer);
    return mask != NO_VALUE && (mask >> symbol & 1) != 0;
}

static bool scan_consent(void *context, uint32_t customer, uint32_t symbol, bool *granted)
{
    const struct scan_facts *facts = context;
    int64_t cell = cell_get(facts->audience->facts.columns[symbol], customer);
    *granted = cell == 1;
    return cell != NO_VALUE;
}

static bool scan_reachable(void *context, uint32_t customer, uint32_t symbol)
{
    const struct scan_facts *facts = context;
    return reach_of(facts->audience, symbol, customer) == REACH_YES;
}

/* ---- the same of neighbours at once ---- */

static void read_set(const struct set *set, uint32_t first, uint32_t count, int64_t value,
                     int64_t *cells)
{
    const roaring_bitmap_t *bits = set_chunk_bits(set, chunk_of(first));
    roaring_uint32_iterator_t iterator;
    uint32_t members[512];
    uint32_t begin = first & (CHUNK_SIZE - 1), end = begin + count;
    if (bits == NULL)
        return;
    roaring_init_iterator(bits, &iterator);
    if (!roaring_move_uint32_iterator_equalorlarger(&iterator, begin))
        return;
    for (;;) {
        uint32_t read = roaring_read_uint32_iterator(&iterator, members, 512);
        for (uint32_t i = 0; i < read; i++) {
            if (members[i] >= end)
                return;
            cells[members[i] - begin] = value;
        }
        if (read < 512)
            return;
    }
}

/* As others_get: the first of its sets that has her, else her number. */
static bool others_cells(const struct others *others, uint32_t number, uint32_t first,
                         uint32_t count, int64_t *cells)
{
    const struct others_item *item = number < others->count ? &others->items[number] : NULL;
    bool has_numbers = item != NULL && item->numbers.chunk_count > 0;
    for (uint32_t i = 0; i < count; i++)
        cells[i] = has_numbers ? numbers_get(&item->numbers, first + i) : NO_VALUE;
    for (uint32_t i = item != NULL ? item->set_count : 0; i-- > 0;)
        read_set(&item->sets[i], first, count, i + 1, cells);
    return true;
}

static bool scan_cells(void *context, enum rule_fact fact, uint32_t symbol, uint32_t first,
                       uint32_t count, int64_t *cells)
{
    const struct scan_facts *facts = context;
    INVARIANT(chunk_of(first) == chunk_of(first + count - 1));
    switch (fact) {
    case RULE_FACT_TAG:
    case RULE_FACT_SEGMENT:
        return others_cells(&facts->others, symbol, first, count, cells);
    case RULE_FACT_IDENTIFIER:
        cells_get(facts->audience->facts.columns[0], first, count, cells);
        for (uint32_t i = 0; i < count; i++)
            if (cells[i] == NO_VALUE || (cells[i] >> symbol & 1) == 0)
                cells[i] = RULE_NO_CELL;
        return true;
    case RULE_FACT_TRAIT:
    case RULE_FACT_CONSENT:
    case RULE_FACT_RELATION:
        cells_get(facts->audience->facts.columns[symbol], first, count, cells);
        return true;
    }
    return false;
}

static bool scan_cell(void *context, enum rule_fact fact, uint32_t symbol, int64_t cell,
                      struct rule_value *value)
{
    const struct scan_facts *facts = context;
    if (fact != RULE_FACT_TAG)
        return cell_value(facts->audience->facts.columns[symbol], cell, value);
    const struct others_item *item = &facts->others.items[symbol];
    return tag_value(item->kind, item->texts, cell, value);
}

void facts_for_scan(struct scan_facts *from, struct rule_facts *facts)
{
    if (from->objects.count == NULL) /* else it was made before there were threads */
        objects_for_scan(from);
    *facts = (struct rule_facts){ .context = from,
                                  .trait = scan_trait,
                                  .tag = scan_tag,
                                  .segment = scan_segment,
                                  .identifier = scan_identifier,
                                  .consent = scan_consent,
                                  .relation = scan_trait,
                                  .reachable = scan_reachable,
                                  .cells = scan_cells,
                                  .cell = scan_cell,
                                  .objects = &from->objects,
                                  .entered = entered_for_scan,
                                  .entered_ms = INT64_MIN };
}
