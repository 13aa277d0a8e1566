/* SPDX-License-Identifier: Apache-2.0 */
/* interest: which events and which segments and tags some journey has an ear for; made anew when a definition changes. Names of
 * segments begin with "s:", of tags with "t:". */
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

static uint32_t place_of(const struct interests *interests, str name)
{
    uint32_t mask = interests->index_capacity - 1;
    uint32_t place = (uint32_t)hash_bytes64(name.data, name.size, 11) & mask;
    while (interests->index[place] != 0 &&
           !str_equal(interests->rows[interests->index[place] - 1].name, name))
        place = (place + 1) & mask;
    return place;
}

const struct interest *interest_find(const struct interests *interests, str name)
{
    if (interests->count == 0)
        return NULL;
    uint32_t place = place_of(interests, name);
    return interests->index[place] != 0 ? &interests->rows[interests->index[place] - 1] : NULL;
}

void interests_deinit(struct interests *interests)
{
    for (uint32_t i = 0; i < interests->count; i++) {
        memory_free((void *)interests->rows[i].versions);
        memory_free((void *)(uintptr_t)interests->rows[i].name.data);
    }
    memory_free(interests->rows);
    memory_free(interests->index);
    *interests = (struct interests){ .count = 0 };
}

static err grow(struct interests *interests)
{
    uint32_t capacity = interests->capacity == 0 ? 64 : interests->capacity * 2;
    struct interest *rows = memory_resize(interests->rows, capacity * sizeof(*rows));
    if (rows == NULL)
        return ERR_NOMEM;
    interests->rows = rows;
    interests->capacity = capacity;
    memory_free(interests->index);
    interests->index = memory_alloc(capacity * 2 * sizeof(uint32_t));
    interests->index_capacity = interests->index != NULL ? capacity * 2 : 0;
    if (interests->index == NULL) {
        interests->count = 0;
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < interests->count; i++)
        interests->index[place_of(interests, rows[i].name)] = i + 1;
    return ERR_OK;
}

static err row_of(struct interests *interests, str name, struct interest **row)
{
    if (interests->count == interests->capacity) {
        err error = grow(interests);
        if (error != ERR_OK)
            return error;
    }
    uint32_t place = place_of(interests, name);
    if (interests->index[place] == 0) {
        char *copy = memory_alloc(name.size + 1);
        if (copy == NULL)
            return ERR_NOMEM;
        memcpy(copy, name.data, name.size);
        interests->rows[interests->count] =
            (struct interest){ .name = str_from_bytes(copy, name.size) };
        interests->index[place] = ++interests->count;
    }
    *row = &interests->rows[interests->index[place] - 1];
    return ERR_OK;
}

static err note_one(struct interests *interests, str name, struct version *triggered)
{
    struct interest *row;
    err error = name.size > 0 ? row_of(interests, name, &row) : ERR_OK;
    if (error != ERR_OK || name.size == 0)
        return error;
    if (triggered == NULL) {
        row->by_positions = true;
        return ERR_OK;
    }
    struct version **longer =
        (struct version **)memory_resize((void *)row->versions, (row->count + 1) * sizeof(*longer));
    if (longer == NULL)
        return ERR_NOMEM;
    row->versions = longer;
    longer[row->count++] = triggered;
    return ERR_OK;
}

static err note_event(struct journeys *journeys, str event, struct version *triggered)
{
    err error = note_one(&journeys->events, event, triggered);
    if (error == ERR_OK && str_equal(event, STR("Order Paid")))
        error = note_one(&journeys->events, STR("Order Completed"), triggered);
    return error;
}

static err note_move(struct journeys *journeys, char kind, str key, struct version *triggered)
{
    char name[JOURNEY_RULE_KEY_BYTES + 128];
    if (key.size == 0)
        return ERR_OK;
    snprintf(name, sizeof name, "%c:%.*s", kind, (int)key.size, key.data);
    return note_one(&journeys->moves, str_from_c(name), triggered);
}

static str rule_key(const struct version *version, uint32_t rule)
{
    return rule != NONE ? str_from_c(version->rules[rule].key) : STR_NONE;
}

static err note_nodes(struct journeys *journeys, const struct version *version)
{
    err error = ERR_OK;
    for (uint16_t i = 0; error == ERR_OK && i < version->node_count; i++) {
        const struct node *node = &version->nodes[i];
        error = note_event(journeys, node->match.event, NULL);
        if (error == ERR_OK)
            error = note_event(journeys, node->restart.event, NULL);
        if (error == ERR_OK)
            error = note_move(journeys, 's', rule_key(version, node->rule), NULL);
        if (error == ERR_OK)
            error = note_move(journeys, 's', node->segment, NULL);
    }
    return error;
}

static err note_ends(struct journeys *journeys, const struct version *version)
{
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < version->exit_count; i++) {
        error = note_event(journeys, version->exits[i].match.event, NULL);
        if (error == ERR_OK)
            error = note_move(journeys, 's', rule_key(version, version->exits[i].rule), NULL);
        if (error == ERR_OK)
            error = note_move(journeys, 's', version->exits[i].segment, NULL);
    }
    for (uint32_t i = 0; error == ERR_OK && i < version->goal_count; i++) {
        error = note_event(journeys, version->goals[i].match.event, NULL);
        if (error == ERR_OK)
            error = note_move(journeys, 's', rule_key(version, version->goals[i].rule), NULL);
        if (error == ERR_OK)
            error = note_move(journeys, 's', version->goals[i].segment, NULL);
    }
    return error;
}

static err note_trigger(struct journeys *journeys, struct version *version)
{
    const struct trigger *trigger = &version->trigger;
    switch ((int)trigger->kind) {
    case TRIGGER_EVENT:
        return note_event(journeys, trigger->match.event, version);
    case TRIGGER_ABSENCE: {
        err error = note_event(journeys, trigger->match.event, version);
        return error == ERR_OK ? note_event(journeys, trigger->absent.event, NULL) : error;
    }
    case TRIGGER_SEGMENT:
        return note_move(journeys, 's', trigger->segment, version);
    case TRIGGER_TAG:
        return note_move(journeys, 't', trigger->tag, version);
    default:
        return ERR_OK;
    }
}

err interests_make(struct journeys *journeys)
{
    err error = ERR_OK;
    interests_deinit(&journeys->events);
    interests_deinit(&journeys->moves);
    for (uint32_t i = 1; error == ERR_OK && i < journeys->journey_count; i++) {
        struct journey *journey = journeys->journeys[i];
        if (journey == NULL || journey->state == JOURNEY_DELETED_STATE)
            continue;
        for (uint32_t k = 0; error == ERR_OK && k < journey->version_count; k++) {
            struct version *version = journey->versions[k];
            bool is_live = journey->live_version == version->number;
            if (!is_live && version->position_count == 0)
                continue;
            error = note_nodes(journeys, version);
            if (error == ERR_OK)
                error = note_ends(journeys, version);
            if (error == ERR_OK && version->trigger.kind == TRIGGER_ABSENCE)
                error = note_event(journeys, version->trigger.absent.event, NULL);
            if (error == ERR_OK && is_live && journey->state == JOURNEY_LIVE_STATE)
                error = note_trigger(journeys, version);
        }
    }
    return error;
}
