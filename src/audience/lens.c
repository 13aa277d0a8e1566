/* SPDX-License-Identifier: Apache-2.0 */
/* lens: seeing a part. While a lens is on, what is read on the engine's thread is read as if nobody were there but the
 * members of one segment, and no other definitions than those that it shows. Nothing is computed through it:
 * memberships are true of everybody, and are cut where they are read. */
#include "audience/state.h"

void audience_look_through(struct audience *audience, const struct audience_lens *lens)
{
    audience->lens = lens != NULL ? *lens : (struct audience_lens){ .number = 0 };
    audience->lens_is_on = lens != NULL;
}

const struct set *lens_set(const struct audience *audience)
{
    static const struct set nobody = { .count = 0 };
    if (!audience->lens_is_on)
        return NULL;
    const struct definition *part = definition_at(audience, audience->lens.number);
    bool is_there = part != NULL && !part->deleted && part->kind == AUDIENCE_SEGMENT &&
                    part->on == 0 && part->set_count > 0;
    return is_there ? &part->sets[0] : &nobody;
}

bool lens_has(const struct audience *audience, uint32_t customer)
{
    const struct set *part = lens_set(audience);
    return part == NULL || set_has(part, customer);
}

bool lens_shows(const struct audience *audience, const struct definition *definition)
{
    if (!audience->lens_is_on || definition->number == audience->lens.number)
        return true;
    return !str_starts_with(definition->folder, STR("$")) && audience->lens.sees != NULL &&
           audience->lens.sees(audience->lens.context, definition->kind, definition->key);
}

uint64_t lens_count(const struct audience *audience, const struct definition *definition,
                    const struct set *set)
{
    const struct set *part = definition->on == 0 ? lens_set(audience) : NULL;
    return part == NULL ? set->count : set_and_count(set, part);
}

struct numbers_count {
    const struct numbers *numbers;
    uint64_t count;
};

static bool count_number(void *context, uint32_t customer)
{
    struct numbers_count *counting = context;
    counting->count += numbers_get(counting->numbers, customer) != NO_VALUE;
    return true;
}

uint64_t lens_count_numbers(const struct audience *audience, const struct definition *definition)
{
    const struct set *part = definition->on == 0 ? lens_set(audience) : NULL;
    struct numbers_count counting = { .numbers = &definition->numbers };
    if (part == NULL || definition->numbers.count == 0)
        return definition->numbers.count;
    set_visit(part, 0, count_number, &counting);
    return counting.count;
}

err lens_cut(const struct set *part, struct set *set)
{
    for (uint32_t chunk = 0; part != NULL && chunk < set->chunk_count; chunk++) {
        err error = set_and_chunk(set, chunk, set_chunk_bits(part, chunk));
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

err lens_share(const struct audience *audience, struct set *out)
{
    const struct set *part = lens_set(audience);
    return part != NULL ? set_share(part, out) : ERR_OK;
}
