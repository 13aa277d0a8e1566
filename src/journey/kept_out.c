/* SPDX-License-Identifier: Apache-2.0 */
/* kept_out: whose data are not to be used, and who wants nothing chosen for her, stays out of journeys. */
#include "journey/state.h"
#include "profile/profile.h"

static bool has_withdrawn(const struct journeys *journeys, uint32_t customer, const char *purpose)
{
    const struct journey_world *world = journeys->world;
    bool granted = true;
    return world->consent != NULL &&
           world->consent(world->context, customer, str_from_c(purpose), &granted) && !granted;
}

/* A journey chooses whom it speaks to by what is known of her, unless it says that it does not. Messages of service are no choice. */
static bool version_personalises(const struct version *version)
{
    if (version->is_plain)
        return false;
    for (uint16_t i = 0; i < version->node_count; i++)
        if (version->nodes[i].channel.size > 0 && !version->nodes[i].is_transactional)
            return true;
    return false;
}

const char *enter_kept_out(const struct journeys *journeys, const struct version *version,
                           uint32_t customer)
{
    if (has_withdrawn(journeys, customer, PURPOSE_PROCESSING))
        return "restricted";
    return version_personalises(version) &&
                   has_withdrawn(journeys, customer, PURPOSE_PERSONALISATION)
               ? "no_personalisation"
               : "";
}

/* The first of her positions that may not be, from the first: closing one changes the list. */
static uint32_t find_one(const struct journeys *journeys, uint32_t customer, bool restricted)
{
    const struct positions *positions = &journeys->positions;
    for (uint32_t slot = position_first(positions, customer); slot != NONE;
         slot = position_at(positions, slot)->next) {
        const struct position *position = position_at(positions, slot);
        if (position->state == POSITION_MERGED || position->node == NODE_AFTER)
            continue;
        const struct version *version =
            journey_version(journeys->journeys[position->journey], position->version);
        if (version != NULL && (restricted || version_personalises(version)))
            return slot;
    }
    return NONE;
}

err journey_decided(struct journeys *journeys, uint32_t customer, struct journey_moment moment,
                    struct ledger_writes *writes)
{
    bool restricted = has_withdrawn(journeys, customer, PURPOSE_PROCESSING);
    if (!restricted && !has_withdrawn(journeys, customer, PURPOSE_PERSONALISATION))
        return ERR_OK;
    err error = ERR_OK;
    for (uint32_t slot;
         error == ERR_OK && (slot = find_one(journeys, customer, restricted)) != NONE;) {
        struct walk walk;
        journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
        error =
            journey_walk_close(&walk, restricted ? "restricted" : "no_personalisation", STR_NONE);
        error = journey_walk_end(&walk, error);
    }
    due_changed(journeys);
    return error;
}
