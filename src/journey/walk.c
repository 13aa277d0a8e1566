/* SPDX-License-Identifier: Apache-2.0 */
/* walk: a position moves from node to node until it waits or is out.
 *
 *     journey_walk_begin ─┬─ it enters ───▶ journey_walk_from ─▶ node_do ───▶ verdict
 *                         └─ it is woken ─▶ journey_walk_wake ─▶ node_wake ─▶ verdict
 *
 *     verdict ─┬─ next ───▶ journey_walk_from again, at most JOURNEY_STEPS_MAX nodes
 *              ├─ stays ──▶ journey_walk_stay: a timer, a condition or a touch wakes it
 *              └─ closes ─▶ journey_walk_close ─┬─▶ NODE_AFTER, while a goal may still come
 *                                               └─▶ gone
 *
 *     in the end ─▶ journey_walk_end: rows of the position and its steps
 */
#include <string.h>

#include "journey/state.h"

#define CONTROL_MS_MIN (30 * DAY_MS)

struct version *version_of(const struct journeys *journeys, const struct position *position)
{
    return journey_version(journeys->journeys[position->journey], position->version);
}

uint16_t journey_place(const struct version *version, uint16_t node)
{
    return node < version->node_count ? node
                                      : (uint16_t)(version->node_count + (node - NODE_START));
}

void journey_walk_begin(struct walk *walk, struct journeys *journeys, uint32_t slot,
                        struct journey_moment moment, int64_t at_ms, struct ledger_writes *writes)
{
    struct position *position = position_at(&journeys->positions, slot);
    *walk = (struct walk){ .journeys = journeys,
                           .writes = writes,
                           .position = position,
                           .version = version_of(journeys, position),
                           .slot = slot,
                           .seq = moment.seq,
                           .now_ms = moment.now_ms,
                           .at_ms = at_ms,
                           .stands = true };
    buffer_clear(&journeys->steps);
}

/* ---- steps and counts ---- */

void journey_walk_step(struct walk *walk, enum step_kind kind, uint16_t node, const char *what,
                       str detail)
{
    struct buffer *steps = &walk->journeys->steps;
    write_u8(steps, (uint8_t)kind);
    write_u16(steps, node);
    write_i64(steps, walk->at_ms);
    write_text(steps, str_from_c(what));
    write_text(steps, str_slice(detail, 0, str_utf8_prefix_bytes(detail, 200)));
    walk->journeys->step_count++;
}

err journey_walk_count(struct walk *walk, uint16_t node, enum count_kind kind, int64_t by)
{
    return counts_add(walk->journeys, walk->version, node, 0, walk->at_ms, kind, by);
}

/* ---- where it stands ---- */

static void leave_place(struct walk *walk)
{
    uint32_t *waiting = &walk->version->waiting[journey_place(walk->version, walk->position->node)];
    if (!walk->stands)
        return;
    INVARIANT(*waiting > 0);
    --*waiting;
    walk->stands = false;
}

err journey_walk_stay(struct walk *walk, uint16_t node, int64_t due_ms)
{
    struct position *position = walk->position;
    leave_place(walk);
    position->node = node;
    position->since_s = (uint32_t)((walk->at_ms - position->entered_ms) / 1000);
    walk->version->waiting[journey_place(walk->version, node)]++;
    walk->stands = true;
    return position_timer(&walk->journeys->positions, walk->slot, due_ms);
}

/* The last moment at which a goal may be reached; 0: there is none left. */
static int64_t goals_until(const struct walk *walk)
{
    int64_t until_ms = 0;
    for (uint32_t i = 0; i < walk->version->goal_count; i++) {
        int64_t end_ms = walk->position->entered_ms + walk->version->goals[i].within_ms;
        if ((walk->position->goals >> i & 1) == 0 && end_ms > walk->at_ms && end_ms > until_ms)
            until_ms = end_ms;
    }
    return until_ms;
}

bool position_is_inside(const struct position *position)
{
    return position->node != NODE_ABSENCE && position->node != NODE_CONTROL &&
           position->node != NODE_AFTER;
}

static err withdraw(struct walk *walk, const char *reason)
{
    const struct journey_world *world = walk->journeys->world;
    struct context context;
    context_read(walk->position, &context);
    if (context.touch_count == 0)
        return ERR_OK;
    return world->withdraw(world->context, walk->position->number, str_from_c(reason),
                           (struct journey_moment){ walk->seq, walk->now_ms }, walk->writes);
}

/* A pause without an end lasts as long as she is in the journey. */
static err resume(struct walk *walk)
{
    const struct journey_world *world = walk->journeys->world;
    const struct journey *journey = walk->version->journey;
    struct context context;
    bool pauses = false;
    for (uint32_t i = 0; i < journey->version_count; i++)
        pauses = pauses || journey->versions[i]->pauses;
    if (!pauses)
        return ERR_OK;
    context_read(walk->position, &context);
    return world->resume(world->context, walk->position->customer, journey->key, context.key, true,
                         (struct journey_moment){ walk->seq, walk->now_ms }, walk->writes);
}

err journey_walk_close(struct walk *walk, const char *reason, str detail)
{
    bool inside = position_is_inside(walk->position);
    int64_t until_ms = inside ? goals_until(walk) : 0;
    err error = ERR_OK;
    walk->reason = reason;
    if (inside) {
        journey_walk_step(walk, STEP_EXITED, walk->position->node, reason, detail);
        error = journey_walk_count(walk, NODE_START, COUNT_EXITED, 1);
        if (error == ERR_OK && strcmp(reason, "end") != 0)
            error = withdraw(walk, reason);
        if (error == ERR_OK)
            error = resume(walk);
    }
    if (error == ERR_OK && until_ms > 0 && strcmp(reason, "erased") != 0) {
        walk->position->state = POSITION_WAITING;
        return journey_walk_stay(walk, NODE_AFTER, until_ms);
    }
    leave_place(walk);
    walk->closed = true;
    return error;
}

err journey_walk_fail(struct walk *walk, const char *reason, str detail)
{
    journey_walk_step(walk, STEP_FAILED, walk->position->node, reason, detail);
    if (walk->position->state != POSITION_FAILED)
        walk->journeys->positions.failed++;
    walk->position->state = POSITION_FAILED;
    err error = journey_walk_count(walk, walk->position->node, COUNT_FAILED, 1);
    return error == ERR_OK ? journey_walk_stay(walk, walk->position->node, INT64_MAX) : error;
}

/* ---- moving ---- */

err journey_walk_from(struct walk *walk, uint16_t node)
{
    err error = ERR_OK;
    leave_place(walk);
    while (error == ERR_OK && !walk->closed) {
        struct verdict verdict = { .next = NO_NODE };
        if (node == NO_NODE)
            return journey_walk_close(walk, "end", STR_NONE);
        walk->position->node = node;
        if (++walk->steps > JOURNEY_STEPS_MAX)
            return journey_walk_fail(walk, "loop", walk->version->nodes[node].id);
        journey_walk_step(walk, STEP_ARRIVED, node, "", STR_NONE);
        error = journey_walk_count(walk, node, COUNT_ENTERED, 1);
        if (error == ERR_OK)
            error = node_do(walk, node, &verdict);
        if (error != ERR_OK || verdict.closes)
            return error;
        if (verdict.stays)
            return journey_walk_stay(walk, node, verdict.due_ms);
        error = journey_walk_count(walk, node, COUNT_LEFT, 1);
        node = verdict.next;
    }
    return error;
}

static err wake_node(struct walk *walk, enum wake wake)
{
    struct verdict verdict = { .next = NO_NODE };
    uint16_t node = walk->position->node;
    err error = node_wake(walk, node, wake, &verdict);
    if (error != ERR_OK || verdict.closes)
        return error;
    if (verdict.stays)
        return journey_walk_stay(walk, node, verdict.due_ms);
    error = journey_walk_count(walk, node, COUNT_LEFT, 1);
    return error == ERR_OK ? journey_walk_from(walk, verdict.next) : error;
}

/* She did A and not B: is it sure, or has a source not told yet? */
static err wake_absence(struct walk *walk)
{
    const struct trigger *trigger = &walk->version->trigger;
    const struct journey_world *world = walk->journeys->world;
    int64_t over_ms = walk->position->entered_ms + trigger->within_ms;
    int64_t last_ms = over_ms + trigger->patience_ms;
    bool is_told =
        trigger->patience_ms == 0 ||
        world->watermark_ms(world->context, trigger->absent.event, walk->now_ms) >= over_ms;
    const char *refusal = "";
    uint64_t number;
    struct context context;
    if (!is_told && walk->now_ms < last_ms) {
        int64_t again_ms = walk->now_ms + 10 * MINUTE_MS;
        walk->position->flags |= POSITION_PATIENT;
        return journey_walk_stay(walk, NODE_ABSENCE, again_ms < last_ms ? again_ms : last_ms);
    }
    context_read(walk->position, &context);
    struct journeys *journeys = walk->journeys;
    struct buffer key, event;
    buffer_init(&key, JOURNEY_CONTEXT_MAX);
    buffer_init(&event, (size_t)64 << 10);
    buffer_append_str(&key, context.key);
    buffer_append_str(&event, context.event);
    struct entering entering = { .journey = walk->version->journey,
                                 .customer = walk->position->customer,
                                 .node_born = walk->position->node_born,
                                 .key = buffer_str(&key),
                                 .event = buffer_str(&event),
                                 .at_ms = walk->at_ms,
                                 .is_test = (walk->position->flags & POSITION_TEST) != 0,
                                 .moment = { walk->seq, walk->now_ms },
                                 .writes = walk->writes };
    /* The waiting one goes, the real one comes. */
    err error = journey_walk_close(walk, "", STR_NONE);
    if (error == ERR_OK)
        error = journey_walk_end(walk, ERR_OK);
    if (error == ERR_OK)
        error = journey_enter_one(journeys, &entering, &refusal, &number);
    buffer_deinit(&key);
    buffer_deinit(&event);
    walk->position = NULL; /* it is gone */
    return error;
}

err journey_walk_wake(struct walk *walk, enum wake wake)
{
    struct position *position = walk->position;
    position->flags &= (uint8_t) ~(POSITION_STALLED | POSITION_WOKEN);
    switch (position->node) {
    case NODE_START:
        return journey_walk_from(walk, walk->version->start);
    case NODE_ABSENCE:
        return wake_absence(walk);
    case NODE_CONTROL:
    case NODE_AFTER:
        return journey_walk_close(walk, "", STR_NONE);
    default:
        break;
    }
    if (position->state == POSITION_FAILED) {
        walk->journeys->positions.failed--;
        position->state = POSITION_WAITING;
        return journey_walk_from(walk, position->node);
    }
    return wake_node(walk, wake);
}

err journey_walk_goal(struct walk *walk, uint32_t index, int64_t value, str what)
{
    struct position *position = walk->position;
    const struct goal *goal = &walk->version->goals[index];
    uint16_t arm = position->node == NODE_CONTROL ? NODE_CONTROL : NODE_START;
    if (position->goals >> index & 1)
        return ERR_OK;
    position->goals |= (uint8_t)(1u << index);
    journey_walk_step(walk, STEP_GOAL, position->node, goal->key.data, what);
    uint16_t number = (uint16_t)(index + 1);
    err error = counts_add(walk->journeys, walk->version, arm, number, walk->at_ms, COUNT_GOALS, 1);
    if (error == ERR_OK && value != 0)
        error =
            counts_add(walk->journeys, walk->version, arm, number, walk->at_ms, COUNT_VALUE, value);
    if (error == ERR_OK && value != 0)
        error = counts_add(walk->journeys, walk->version, arm, number, walk->at_ms,
                           COUNT_VALUE_SQUARED, value * value);
    if (error == ERR_OK)
        error = conversion_add(walk, arm, number, value);
    if (error == ERR_OK && goal->exits && position_is_inside(position))
        error = journey_walk_close(walk, "goal", goal->key);
    return error;
}

err journey_walk_end(struct walk *walk, err error)
{
    struct journeys *journeys = walk->journeys;
    if (walk->position == NULL)
        return error;
    since_note(journeys, walk->position->customer);
    if (error == ERR_OK)
        error = buffer_status(&journeys->steps);
    if (error == ERR_OK && journeys->stepped != NULL)
        fork_tell_steps(journeys, walk);
    if (error == ERR_OK && walk->writes != NULL) {
        store_steps(journeys, walk->position, walk->at_ms, walk->seq, walk->writes);
        store_position(walk->position, walk->closed ? walk->reason : NULL, walk->at_ms,
                       walk->writes);
    }
    if (walk->closed) {
        walk->version->position_count--;
        if (walk->position->state == POSITION_FAILED)
            journeys->positions.failed--;
        position_free(&journeys->positions, walk->slot);
    }
    return error;
}
