/* SPDX-License-Identifier: Apache-2.0 */
/* merge: positions follow their customer. A merge keeps one position per journey and key, the one that entered first; the other
 * waits as 'merged' and comes back with a split (J8). */
#include <string.h>

#include "journey/state.h"

static bool is_same_place(const struct position *one, const struct position *other)
{
    struct context a, b;
    context_read(one, &a);
    context_read(other, &b);
    return one->journey == other->journey && str_equal(a.key, b.key);
}

static bool counts_for_one(const struct position *position)
{
    return position->state != POSITION_MERGED && position->node != NODE_AFTER;
}

static bool is_first(const struct position *one, const struct position *other)
{
    return one->entered_ms != other->entered_ms ? one->entered_ms < other->entered_ms
                                                : one->number < other->number;
}

static err set_aside(struct journeys *journeys, uint32_t slot, struct journey_moment moment,
                     struct ledger_writes *writes)
{
    struct position *position = position_at(&journeys->positions, slot);
    struct walk walk;
    int64_t due_ms = position->due_ms;
    journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
    journey_walk_step(&walk, STEP_MERGED, position->node, "", STR_NONE);
    walk.version->waiting[journey_place(walk.version, position->node)]--;
    if (position->state == POSITION_FAILED)
        journeys->positions.failed--;
    position->state = POSITION_MERGED;
    journeys->positions.merged++;
    err error = position_timer(&journeys->positions, slot, INT64_MAX);
    /* What is not out yet would reach the same person twice. */
    struct context context;
    context_read(position, &context);
    const struct journey_world *world = journeys->world;
    if (error == ERR_OK && context.touch_count > 0)
        error = world->withdraw(world->context, position->number, STR("merged"), moment, writes);
    /* When it comes back, it goes on where its time was; kept in the row alone. */
    position->due_ms = INT64_MAX;
    position->flags &= (uint8_t)~POSITION_STALLED;
    if (due_ms != INT64_MAX)
        position->flags |= POSITION_WAS_LATE; /* it had a timer */
    return journey_walk_end(&walk, error);
}

/* Of each pair in one place the first stays. */
static err only_one(struct journeys *journeys, uint32_t customer, struct journey_moment moment,
                    struct ledger_writes *writes)
{
    const struct positions *positions = &journeys->positions;
    err error = ERR_OK;
    for (uint32_t a = position_first(positions, customer); error == ERR_OK && a != NONE;
         a = position_at(positions, a)->next) {
        for (uint32_t b = position_at(positions, a)->next; error == ERR_OK && b != NONE;
             b = position_at(positions, b)->next) {
            const struct position *one = position_at(positions, a);
            const struct position *other = position_at(positions, b);
            if (!counts_for_one(one) || !counts_for_one(other) || !is_same_place(one, other))
                continue;
            error = set_aside(journeys, is_first(one, other) ? b : a, moment, writes);
        }
    }
    return error;
}

static err rehome_all(struct journeys *journeys, uint32_t from, uint32_t to,
                      struct ledger_writes *writes)
{
    struct positions *positions = &journeys->positions;
    err error = ERR_OK;
    for (uint32_t slot; error == ERR_OK && (slot = position_first(positions, from)) != NONE;) {
        since_note(journeys, to);
        error = position_rehome(positions, slot, to);
        if (error == ERR_OK)
            store_position(position_at(positions, slot), NULL, 0, writes);
    }
    return error;
}

err journey_merged(struct journeys *journeys, uint32_t survivor, const uint32_t *absorbed,
                   size_t count, struct journey_moment moment, struct ledger_writes *writes)
{
    err error = ERR_OK;
    bool any = false;
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        if (absorbed[i] == survivor || position_first(&journeys->positions, absorbed[i]) == NONE)
            continue;
        any = true;
        error = rehome_all(journeys, absorbed[i], survivor, writes);
    }
    if (error == ERR_OK && any)
        error = only_one(journeys, survivor, moment, writes);
    due_changed(journeys);
    return error;
}

/* ---- erasure ---- */

static err erase_one(struct journeys *journeys, uint32_t slot, struct journey_moment moment,
                     struct ledger_writes *writes)
{
    struct position *position = position_at(&journeys->positions, slot);
    struct walk walk;
    bool was_merged = position->state == POSITION_MERGED;
    journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
    /* Without its context it names no touches: those are seen to by themselves. */
    err error = context_set_raw(&journeys->positions, position, STR_NONE);
    if (error != ERR_OK)
        return error;
    if (was_merged) {
        journeys->positions.merged--;
        position->state = POSITION_WAITING;
        walk.stands = false; /* it was not counted as waiting */
        walk.closed = true;
        walk.reason = "erased";
    } else {
        error = journey_walk_close(&walk, "erased", STR_NONE);
    }
    return journey_walk_end(&walk, error);
}

err journey_erased(struct journeys *journeys, uint32_t customer, struct journey_moment moment,
                   struct ledger_writes *writes, uint32_t *positions)
{
    err error = ERR_OK;
    *positions = 0;
    for (uint32_t slot;
         error == ERR_OK && (slot = position_first(&journeys->positions, customer)) != NONE;) {
        error = erase_one(journeys, slot, moment, writes);
        ++*positions;
    }
    due_changed(journeys);
    return error;
}

/* ---- split ---- */

/* Nobody else is in its place: it goes on, at once where its time is over. */
static err restore(struct journeys *journeys, uint32_t slot, struct journey_moment moment,
                   struct ledger_writes *writes)
{
    struct position *position = position_at(&journeys->positions, slot);
    const struct positions *positions = &journeys->positions;
    struct walk walk;
    for (uint32_t other = position_first(positions, position->customer); other != NONE;
         other = position_at(positions, other)->next)
        if (other != slot && counts_for_one(position_at(positions, other)) &&
            is_same_place(position, position_at(positions, other)))
            return ERR_OK;
    journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
    journey_walk_step(&walk, STEP_RESTORED, position->node, "", STR_NONE);
    position->state = POSITION_WAITING;
    journeys->positions.merged--;
    walk.version->waiting[journey_place(walk.version, position->node)]++;
    int64_t since_ms = position->entered_ms + (int64_t)position->since_s * 1000;
    int64_t due_ms = moment.now_ms;
    if (position->node < walk.version->node_count) {
        const struct node *node = &walk.version->nodes[position->node];
        bool is_known = true;
        if (node->kind == NODE_KIND_WAIT)
            due_ms = wait_due(&walk, node, since_ms, &is_known);
        else
            due_ms = since_ms + node->timeout_ms;
    } else if (position->node == NODE_ABSENCE) {
        due_ms = position->entered_ms + walk.version->trigger.within_ms;
    }
    if (due_ms < moment.now_ms)
        due_ms = moment.now_ms;
    position->flags &= (uint8_t)~POSITION_WAS_LATE;
    return journey_walk_end(&walk, position_timer(&journeys->positions, slot, due_ms));
}

static err split_of(struct journeys *journeys, uint32_t node, struct ledger_writes *writes)
{
    struct positions *positions = &journeys->positions;
    const struct journey_world *world = journeys->world;
    err error = ERR_OK;
    for (uint32_t slot = position_first(positions, node), next; error == ERR_OK && slot != NONE;
         slot = next) {
        struct position *position = position_at(positions, slot);
        next = position->next;
        uint32_t root = world->root(world->context, position->node_born);
        if (root == 0 || root == position->customer)
            continue;
        since_note(journeys, position->customer);
        since_note(journeys, root);
        error = position_rehome(positions, slot, root);
        if (error == ERR_OK)
            store_position(position, NULL, 0, writes);
    }
    return error;
}

static err restore_of(struct journeys *journeys, uint32_t customer, struct journey_moment moment,
                      struct ledger_writes *writes)
{
    const struct positions *positions = &journeys->positions;
    err error = ERR_OK;
    for (uint32_t slot = position_first(positions, customer); error == ERR_OK && slot != NONE;
         slot = position_at(positions, slot)->next)
        if (position_at(positions, slot)->state == POSITION_MERGED)
            error = restore(journeys, slot, moment, writes);
    return error;
}

/* Positions lie at what was the root: at one of the nodes of one of the sides. */
err journey_split(struct journeys *journeys, const uint32_t *nodes, size_t count,
                  struct journey_moment moment, struct ledger_writes *writes)
{
    const struct journey_world *world = journeys->world;
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        error = split_of(journeys, nodes[i], writes);
    uint32_t root = count > 0 ? world->root(world->context, nodes[0]) : 0;
    if (error == ERR_OK && root != 0)
        error = restore_of(journeys, root, moment, writes);
    /* A merge by hand comes this way, too. */
    if (error == ERR_OK && root != 0)
        error = only_one(journeys, root, moment, writes);
    due_changed(journeys);
    return error;
}
