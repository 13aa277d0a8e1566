/* SPDX-License-Identifier: Apache-2.0 */
/* effect: what nodes do inside the house: tags, traits, static segments, pauses of marketing, another journey. None of them waits. */
#include <string.h>

#include "journey/state.h"

static void write_number(struct buffer *json, int64_t millionths)
{
    uint64_t size = millionths < 0 ? (uint64_t)0 - (uint64_t)millionths : (uint64_t)millionths;
    uint64_t part = size % 1000000;
    int digits = 6;
    buffer_printf(json, "%s%llu", millionths < 0 ? "-" : "", (unsigned long long)(size / 1000000));
    if (part == 0)
        return;
    for (; part % 10 == 0; part /= 10)
        digits--;
    buffer_printf(json, ".%0*llu", digits, (unsigned long long)part);
}

/* As JSON: what the node says, or what stands where it points; empty: nothing stands there. */
static err effect_value(struct walk *walk, const struct node *node, struct buffer *json)
{
    struct template_value value;
    buffer_append_str(json, node->value);
    if (node->from.size == 0)
        return buffer_status(json);
    node_value(walk, node->from, &value);
    switch (value.kind) {
    case TEMPLATE_TEXT:
        json_write_text(json, value.text);
        break;
    case TEMPLATE_NUMBER:
        write_number(json, value.number);
        break;
    case TEMPLATE_BOOL:
        buffer_append_str(json, value.number != 0 ? STR("true") : STR("false"));
        break;
    case TEMPLATE_MISSING:
    case TEMPLATE_TIME:
    case TEMPLATE_JSON:
    default:
        break;
    }
    return buffer_status(json);
}

static err set_value(struct walk *walk, const struct node *node)
{
    const struct journey_world *world = walk->journeys->world;
    struct journey_moment moment = { walk->seq, walk->now_ms };
    uint32_t customer = walk->position->customer;
    struct buffer json;
    buffer_init(&json, (size_t)64 << 10);
    err error = effect_value(walk, node, &json);
    str value = buffer_str(&json);
    if (error == ERR_OK && value.size == 0 && node->from.size > 0)
        error = ERR_UNPROCESSABLE; /* nothing was said: what she has stays */
    else if (error == ERR_OK && node->kind == NODE_KIND_SET_TAG)
        error = world->set_tag(world->context, customer, node->key, value, moment, walk->writes);
    else if (error == ERR_OK)
        error = world->set_trait(world->context, customer, node->key, value, moment, walk->writes);
    buffer_deinit(&json);
    return error;
}

err effect_set(struct walk *walk, uint16_t at, const struct node *node)
{
    const struct journey_world *world = walk->journeys->world;
    err error =
        node->kind == NODE_KIND_MEMBER
            ? world->set_member(world->context, walk->position->customer, node->key, !node->removes,
                                (struct journey_moment){ walk->seq, walk->now_ms }, walk->writes)
            : set_value(walk, node);
    bool is_refused =
        error == ERR_UNPROCESSABLE || error == ERR_NOT_FOUND || error == ERR_TOO_LARGE;
    if (error != ERR_OK && !is_refused)
        return error;
    journey_walk_step(walk, STEP_DID, at, is_refused ? "refused" : "", node->key);
    if (is_refused)
        error = journey_walk_count(walk, at, COUNT_REFUSED, 1);
    else
        error = ERR_OK;
    return error;
}

/* For this key of the journey, until its time, or until she has left it (walk.c). */
err effect_pause(struct walk *walk, uint16_t at, const struct node *node)
{
    const struct journey_world *world = walk->journeys->world;
    struct journey_moment moment = { walk->seq, walk->now_ms };
    const struct position *position = walk->position;
    str journey = walk->version->journey->key;
    struct context context;
    char until[TIME_TEXT_BYTES] = "";
    err error;
    context_read(position, &context);
    if (node->kind == NODE_KIND_RESUME) {
        error = world->resume(world->context, position->customer, journey, context.key, false,
                              moment, walk->writes);
    } else {
        struct touch_pause wanted = {
            .node = position->node_born != 0 ? position->node_born : position->customer,
            .journey = journey,
            .key = context.key,
            .reason = node->reason,
            .until_ms = node->for_ms > 0 ? walk->now_ms + node->for_ms : INT64_MAX,
        };
        error = world->pause(world->context, &wanted, moment, walk->writes);
        if (node->for_ms > 0)
            time_format_utc(wanted.until_ms, until);
    }
    journey_walk_step(walk, STEP_DID, at, until, node->reason);
    return error;
}

/* Who joins another journey does so when this record's moves are done. */
err effect_join(struct walk *walk, uint16_t at, const struct node *node)
{
    struct journeys *journeys = walk->journeys;
    const struct journey *other = journey_find(journeys, node->key);
    struct context context;
    context_read(walk->position, &context);
    journey_walk_step(walk, STEP_DID, at, other != NULL ? "" : "refused", node->key);
    if (other == NULL)
        return ERR_OK;
    size_t bytes = context.key.size + context.event.size;
    struct join *join = memory_alloc(sizeof *join + bytes + 1);
    if (join == NULL)
        return ERR_NOMEM;
    *join = (struct join){ .customer = walk->position->customer,
                           .node_born = walk->position->node_born,
                           .journey = other->number,
                           .depth = (uint8_t)(journeys->join_depth + 1),
                           .flags = walk->position->flags & POSITION_TEST,
                           .key = (char *)(join + 1),
                           .key_size = context.key.size,
                           .event_size = context.event.size };
    join->event = join->key + context.key.size;
    if (context.key.size > 0)
        memcpy(join->key, context.key.data, context.key.size);
    if (context.event.size > 0)
        memcpy(join->event, context.event.data, context.event.size);
    if (journeys->joins_last != NULL)
        journeys->joins_last->next = join;
    else
        journeys->joins = join;
    journeys->joins_last = join;
    return ERR_OK;
}
