/* SPDX-License-Identifier: Apache-2.0 */
/* since: since when somebody is in a journey, and who entered or left one, for rules whose window begins there. */
#include "journey/state.h"

#define CHANGED_FIRST 64

bool journey_is_there(const struct journeys *journeys, str key)
{
    return journey_find(journeys, key) != NULL;
}

void journey_visit_keys(const struct journeys *journeys, void (*visit)(void *visited, str key),
                        void *visited)
{
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        if (journey != NULL && journey->state != JOURNEY_DELETED_STATE)
            visit(visited, journey->key);
    }
}

int64_t journey_since(const struct journeys *journeys, str key, uint32_t customer)
{
    const struct positions *positions = &journeys->positions;
    uint32_t slot = position_first(positions, customer);
    const struct journey *journey = slot != NONE ? journey_find(journeys, key) : NULL;
    int64_t since_ms = INT64_MIN;
    for (; journey != NULL && slot != NONE; slot = position_at(positions, slot)->next) {
        const struct position *position = position_at(positions, slot);
        if (position->journey == journey->number && position->state != POSITION_MERGED &&
            position_is_inside(position) && position->entered_ms > since_ms)
            since_ms = position->entered_ms;
    }
    return since_ms;
}

/* ---- who ---- */

void journey_watch(struct journeys *journeys, bool is_watched)
{
    journeys->since.is_watched = is_watched;
}

bool journey_has_changed(const struct journeys *journeys)
{
    return journeys->since.count > 0 || journeys->since.is_lost;
}

void since_note(struct journeys *journeys, uint32_t customer)
{
    struct since *since = &journeys->since;
    if (!since->is_watched || (since->count > 0 && since->changed[since->count - 1] == customer))
        return;
    if (since->count == since->capacity) {
        size_t capacity = since->capacity == 0 ? CHANGED_FIRST : since->capacity * 2;
        uint32_t *longer = memory_resize(since->changed, capacity * sizeof(*longer));
        since->is_lost = since->is_lost || longer == NULL;
        if (longer == NULL)
            return;
        since->changed = longer;
        since->capacity = capacity;
    }
    since->changed[since->count++] = customer;
}

/* What is noted while somebody is visited is for the next time. */
err journey_take_changed(struct journeys *journeys, err (*visit)(void *visited, uint32_t customer),
                         void *visited)
{
    struct since *since = &journeys->since;
    uint32_t *changed = since->changed;
    size_t count = since->count;
    err error = since->is_lost ? ERR_NOMEM : ERR_OK;
    *since = (struct since){ .is_watched = since->is_watched };
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        error = visit(visited, changed[i]);
    memory_free(changed);
    return error;
}
