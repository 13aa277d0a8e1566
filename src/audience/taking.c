/* SPDX-License-Identifier: Apache-2.0 */
/* taking: a large result takes its place at once, and what changed by it is noted in slices.
 *
 *     install record ──▶ the new sets (or numbers) stand, the old ones are kept beside them
 *     between groups ──▶ chunk after chunk: who is in one and not in the other is a change of that record
 *     somebody moves meanwhile ──▶ her change by the install is noted first, then hers
 *     the last chunk ──▶ the definition's row says that the version is live
 *
 * So at every seq the members are those of the rule (S1), and the engine is never held for millions of entries. A crash
 * in between finds the row of before: the definition is computed once more, and the difference noted then. Who
 * depends on what changed is judged again in slices, before anything is decided about her (audience->rejudge). */
#include "audience/state.h"

struct taking {
    struct set *sets; /* as they were, by code - 1 */
    uint32_t set_count;
    bool of_numbers;
    struct numbers numbers;      /* as they were */
    uint32_t chunk, chunk_count; /* chunks before it are done */
    roaring_bitmap_t *noted;     /* who was before her chunk's turn */
    struct audience_moment moment;
};

void taking_free(struct definition *definition)
{
    struct taking *gone = definition->taking;
    definition->taking = NULL;
    if (gone == NULL)
        return;
    for (uint32_t i = 0; i < gone->set_count; i++)
        set_deinit(&gone->sets[i]);
    memory_free(gone->sets);
    numbers_deinit(&gone->numbers);
    if (gone->noted != NULL)
        roaring_bitmap_free(gone->noted);
    memory_free(gone);
}

/* ---- who differs ---- */

static const roaring_bitmap_t *bits_of(const struct set *sets, uint32_t count, uint32_t index,
                                       uint32_t chunk)
{
    return index < count ? set_chunk_bits(&sets[index], chunk) : NULL;
}

static void differing_numbers(const struct definition *definition, uint32_t chunk,
                              roaring_bitmap_t *out)
{
    const struct numbers *was = &definition->taking->numbers, *is = &definition->numbers;
    uint32_t first = chunk << CHUNK_BITS;
    if (numbers_is_shared(was, is, chunk))
        return;
    for (uint32_t low = 0; low < CHUNK_SIZE; low++)
        if (numbers_get(was, first | low) != numbers_get(is, first | low))
            roaring_bitmap_add(out, low);
}

/* Low bits of those of a chunk who have another number, or are in other sets than before; NULL without memory. */
static roaring_bitmap_t *differing(const struct definition *definition, uint32_t chunk)
{
    const struct taking *taking = definition->taking;
    roaring_bitmap_t *all = roaring_bitmap_create();
    if (taking->of_numbers && all != NULL)
        differing_numbers(definition, chunk, all);
    uint32_t count =
        taking->set_count > definition->set_count ? taking->set_count : definition->set_count;
    for (uint32_t i = 0; all != NULL && i < count; i++) {
        const roaring_bitmap_t *was = bits_of(taking->sets, taking->set_count, i, chunk);
        const roaring_bitmap_t *is = bits_of(definition->sets, definition->set_count, i, chunk);
        if (was != NULL && is != NULL) {
            roaring_bitmap_t *either = roaring_bitmap_xor(was, is);
            if (either != NULL)
                roaring_bitmap_or_inplace(all, either);
            roaring_bitmap_free(either);
        } else if (was != NULL || is != NULL) {
            roaring_bitmap_or_inplace(all, was != NULL ? was : is);
        }
    }
    return all;
}

static int64_t value_before(const struct taking *taking, uint32_t customer)
{
    if (taking->of_numbers)
        return numbers_get(&taking->numbers, customer);
    for (uint32_t i = 0; i < taking->set_count; i++)
        if (set_has(&taking->sets[i], customer))
            return i + 1;
    return NO_VALUE;
}

static err note_one(struct audience *audience, struct definition *definition, uint32_t customer)
{
    const struct taking *taking = definition->taking;
    struct change change = { .customer = customer,
                             .at_ms = taking->moment.now_ms,
                             .seq = taking->moment.seq,
                             .cause = CAUSE_DEFINITION,
                             .old_value = value_before(taking, customer),
                             .new_value = definition_get(definition, customer) };
    return change.old_value != change.new_value ? change_note(audience, definition, &change)
                                                : ERR_OK;
}

err taking_note(struct audience *audience, struct definition *definition, uint32_t customer)
{
    struct taking *taking = definition->taking;
    if (chunk_of(customer) < taking->chunk || roaring_bitmap_contains(taking->noted, customer))
        return ERR_OK;
    roaring_bitmap_add(taking->noted, customer);
    return note_one(audience, definition, customer);
}

/* ---- beginning ---- */

/* Chunks that had somebody have to be stored, also when nobody is in them any more. */
static err mark_emptied(struct definition *definition)
{
    const struct taking *taking = definition->taking;
    err error = ERR_OK;
    for (uint32_t i = 0; i < taking->set_count && error == ERR_OK; i++)
        for (uint32_t chunk = 0; chunk < taking->sets[i].chunk_count && error == ERR_OK; chunk++)
            if (set_chunk_bits(&taking->sets[i], chunk) != NULL)
                error = set_touch_chunk(&definition->sets[i], chunk);
    for (uint32_t chunk = 0; chunk < taking->numbers.chunk_count && error == ERR_OK; chunk++)
        if (taking->numbers.chunks[chunk] != NULL)
            error = numbers_touch_chunk(&definition->numbers, chunk);
    return error;
}

/* Who depends on what changes: judged again before anything is decided about her. */
static err mark_dependents(struct audience *audience, const struct definition *definition)
{
    const struct taking *taking = definition->taking;
    if (audience->dependents[definition->position] == NULL)
        return ERR_OK;
    for (uint32_t chunk = 0; chunk < taking->chunk_count; chunk++) {
        roaring_bitmap_t *low = differing(definition, chunk);
        if (low == NULL)
            return ERR_NOMEM;
        roaring_uint32_iterator_t iterator;
        roaring_init_iterator(low, &iterator);
        for (; iterator.has_value; roaring_advance_uint32_iterator(&iterator))
            roaring_bitmap_add(audience->rejudge, chunk << CHUNK_BITS | iterator.current_value);
        roaring_bitmap_free(low);
    }
    return ERR_OK;
}

static uint32_t highest_code(const struct definition *definition, const struct scan_part *part)
{
    uint32_t highest = definition->set_count;
    for (uint32_t i = 0; i < part->recipe->value_count; i++) {
        uint32_t code = (uint32_t)definition_cell(definition, part->recipe, i + 1);
        highest = code > highest ? code : highest;
    }
    return highest;
}

static uint32_t chunks_of(const struct set *sets, uint32_t count, uint32_t most)
{
    for (uint32_t i = 0; i < count; i++)
        most = sets[i].chunk_count > most ? sets[i].chunk_count : most;
    return most;
}

static void take_sets(struct definition *definition, struct scan_part *part, struct set *sets,
                      uint32_t count)
{
    struct taking *taking = definition->taking;
    taking->sets = definition->sets;
    taking->set_count = definition->set_count;
    for (uint32_t i = 0; i < part->recipe->value_count; i++)
        set_move(&part->sets[i], &sets[definition_cell(definition, part->recipe, i + 1) - 1]);
    definition->sets = sets;
    definition->set_count = count;
    taking->chunk_count = chunks_of(taking->sets, taking->set_count, chunks_of(sets, count, 0));
}

static void take_numbers(struct definition *definition, struct scan_part *part)
{
    struct taking *taking = definition->taking;
    taking->of_numbers = true;
    numbers_move(&definition->numbers, &taking->numbers);
    numbers_move(&part->numbers, &definition->numbers);
    taking->chunk_count = definition->numbers.chunk_count > taking->numbers.chunk_count
                              ? definition->numbers.chunk_count
                              : taking->numbers.chunk_count;
}

err taking_begin(struct audience *audience, struct definition *definition, struct scan_part *part,
                 struct audience_moment moment)
{
    bool in_sets = part->recipe->in_sets;
    uint32_t count = in_sets ? highest_code(definition, part) : 0;
    struct set *sets = memory_alloc((count + 1) * sizeof(*sets));
    struct taking *taking = memory_alloc(sizeof *taking);
    roaring_bitmap_t *noted = roaring_bitmap_create();
    if (sets == NULL || taking == NULL || noted == NULL) {
        memory_free(sets);
        memory_free(taking);
        if (noted != NULL)
            roaring_bitmap_free(noted);
        return ERR_NOMEM;
    }
    *taking = (struct taking){ .noted = noted, .moment = moment };
    definition->taking = taking;
    if (in_sets) {
        take_sets(definition, part, sets, count);
    } else {
        memory_free(sets);
        take_numbers(definition, part);
    }
    definition->row_dirty = true; /* that it is not live: with this record's commit */
    audience->taking_count++;
    err error = mark_emptied(definition);
    return error == ERR_OK ? mark_dependents(audience, definition) : error;
}

/* ---- slices ---- */

#define NOTED_AT_ONCE 4096u

/* So many of a chunk, of those who are not noted yet. What a slice leaves, and what failed, is found again by the next. */
static err take_chunk(struct audience *audience, struct definition *definition)
{
    struct taking *taking = definition->taking;
    uint32_t first = taking->chunk << CHUNK_BITS, left = NOTED_AT_ONCE;
    roaring_bitmap_t *low = differing(definition, taking->chunk);
    err error = low != NULL ? ERR_OK : ERR_NOMEM;
    bool is_done = true;
    roaring_uint32_iterator_t iterator;
    if (low != NULL)
        roaring_init_iterator(low, &iterator);
    for (; error == ERR_OK && is_done && iterator.has_value;
         roaring_advance_uint32_iterator(&iterator)) {
        uint32_t customer = first | iterator.current_value;
        if (roaring_bitmap_contains(taking->noted, customer))
            continue;
        is_done = left-- > 0;
        if (is_done) {
            roaring_bitmap_add(taking->noted, customer);
            error = note_one(audience, definition, customer);
        }
    }
    if (low != NULL)
        roaring_bitmap_free(low);
    if (error != ERR_OK || !is_done)
        return error;
    roaring_bitmap_remove_range(taking->noted, first, (uint64_t)first + CHUNK_SIZE);
    taking->chunk++;
    return ERR_OK;
}

err taking_finish(struct audience *audience, struct definition *definition)
{
    err error = ERR_OK;
    while (error == ERR_OK && definition->taking != NULL &&
           definition->taking->chunk < definition->taking->chunk_count)
        error = take_chunk(audience, definition);
    if (error == ERR_OK && definition->taking != NULL) {
        taking_free(definition);
        definition->row_dirty = true;
        audience->taking_count--;
    }
    return error;
}

err taking_work(struct audience *audience, int64_t budget_us, bool *more)
{
    steady_ns start = steady_now();
    *more = false;
    for (uint32_t i = 1; audience->taking_count > 0 && i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        while (definition != NULL && definition->taking != NULL) {
            struct taking *taking = definition->taking;
            err error = taking->chunk < taking->chunk_count ? take_chunk(audience, definition)
                                                            : taking_finish(audience, definition);
            if (error != ERR_OK)
                return error;
            if (budget_us > 0 && steady_since_us(start) >= budget_us) {
                *more = true;
                return ERR_OK;
            }
        }
    }
    return ERR_OK;
}
