/* SPDX-License-Identifier: Apache-2.0 */
/* held: what other rooms ask of definitions by number: journeys hold their rules as segments that nobody else sees. */
#include "audience/state.h"

err audience_check(struct audience *audience, enum audience_kind kind, json_value body,
                   struct problem *problem)
{
    struct recipe *recipe = NULL;
    err error = recipe_new(audience, kind, body, &recipe, problem);
    recipe_release(&recipe);
    return error;
}

bool audience_is_live(const struct audience *audience, uint32_t number)
{
    const struct definition *definition = definition_at(audience, number);
    return definition != NULL && !definition->deleted && definition->recipe != NULL &&
           definition->live_version == definition->version;
}

bool audience_is_given(const struct audience *audience, uint32_t customer)
{
    for (uint32_t i = 0; i < audience->order_count; i++) {
        const struct definition *definition = audience->order[i];
        if (definition->recipe != NULL && definition->recipe->form == FORM_GIVEN &&
            definition_get(definition, customer) != NO_VALUE)
            return true;
    }
    return false;
}

bool audience_has(const struct audience *audience, uint32_t number, uint32_t customer)
{
    const struct definition *definition = definition_at(audience, number);
    return definition != NULL && !definition->deleted &&
           definition_get(definition, customer) != NO_VALUE;
}
