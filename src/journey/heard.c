/* SPDX-License-Identifier: Apache-2.0 */
/* heard: what comes from outside and what it means for her positions: events, moves of the audience, results of touches. */
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

#define HERS_MAX 4096

/* Her positions as they were when it came: what is done to one may make or end others. */
struct hers {
    uint32_t count;
    struct {
        uint32_t slot;
        uint64_t number;
    } * list;
};

static err hers_take(struct journeys *journeys, uint32_t customer, struct hers *hers)
{
    const struct positions *positions = &journeys->positions;
    uint32_t count = 0;
    *hers = (struct hers){ .count = 0 };
    for (uint32_t slot = position_first(positions, customer); slot != NONE && count < HERS_MAX;
         slot = position_at(positions, slot)->next)
        count++;
    if (count == 0)
        return ERR_OK;
    hers->list = memory_alloc(count * sizeof(*hers->list));
    if (hers->list == NULL)
        return ERR_NOMEM;
    for (uint32_t slot = position_first(positions, customer); slot != NONE && hers->count < count;
         slot = position_at(positions, slot)->next) {
        hers->list[hers->count].slot = slot;
        hers->list[hers->count++].number = position_at(positions, slot)->number;
    }
    return ERR_OK;
}

static struct position *hers_at(const struct journeys *journeys, const struct hers *hers,
                                uint32_t i)
{
    struct position *position = position_at(&journeys->positions, hers->list[i].slot);
    bool same = position->number == hers->list[i].number && position->state != POSITION_FREE &&
                position->state != POSITION_MERGED;
    return same ? position : NULL;
}

/* ---- waking ---- */

/* While the journey is paused it is only noted: it goes on when the journey does. */
static err wake(struct walk *walk)
{
    if (walk->version->journey->state == JOURNEY_PAUSED_STATE) {
        walk->position->flags |= POSITION_STALLED | POSITION_WOKEN;
        return position_timer(&walk->journeys->positions, walk->slot, INT64_MAX);
    }
    return journey_walk_wake(walk, WAKE_HAPPENED);
}

static bool is_in_graph(const struct walk *walk)
{
    return walk->position->node < walk->version->node_count &&
           walk->position->state == POSITION_WAITING;
}

/* ---- events ---- */

struct heard {
    const struct event *event;
    json_value props;
    bool is_parsed, touched;
};

static err parse_props(struct journeys *journeys, struct heard *heard)
{
    if (heard->is_parsed)
        return ERR_OK;
    heard->is_parsed = true;
    str props = heard->event->props.size > 0 ? heard->event->props : STR("{}");
    return json_parse(journeys->parser, props, &heard->props, NULL);
}

static bool holds(const struct walk *walk, const struct event_match *match,
                  const struct heard *heard)
{
    return match_holds(walk->journeys, match, heard->event, heard->props, walk->position);
}

static err end_by_event(struct walk *walk, const struct heard *heard)
{
    uint16_t node = walk->position->node;
    if (node == NODE_CONTROL || node == NODE_AFTER)
        return ERR_OK;
    for (uint32_t i = 0; i < walk->version->exit_count; i++) {
        const struct exit_rule *exit = &walk->version->exits[i];
        if (holds(walk, &exit->match, heard))
            return journey_walk_close(walk, node == NODE_ABSENCE ? "" : "exit_rule", exit->name);
    }
    return ERR_OK;
}

/* B came after all, within the time in which it was not to come: even if that is told late. */
static err absence_by_event(struct walk *walk, const struct heard *heard)
{
    const struct trigger *trigger = &walk->version->trigger;
    const struct position *position = walk->position;
    int64_t from_ms = position->entered_ms;
    if (trigger->kind != TRIGGER_ABSENCE || position->node == NODE_AFTER ||
        position->node == NODE_CONTROL || !holds(walk, &trigger->absent, heard))
        return ERR_OK;
    /* Who is in entered when the time was over; who is not, when A happened. */
    if (position->node != NODE_ABSENCE)
        from_ms -= trigger->within_ms;
    if (heard->event->time_ms < from_ms || heard->event->time_ms >= from_ms + trigger->within_ms)
        return ERR_OK;
    return position->node == NODE_ABSENCE
               ? journey_walk_close(walk, "", STR_NONE)
               : journey_walk_close(walk, "came_late", trigger->absent.event);
}

static int64_t value_of_goal(const struct walk *walk, const struct goal *goal,
                             const struct heard *heard)
{
    const struct event *event = heard->event;
    struct template_value value;
    (void)walk;
    if (goal->value_path.size == 0)
        return 0;
    if (str_equal(goal->value_path, STR("revenue")) &&
        (event->promoted_set & 1u << PROMOTED_REVENUE) != 0)
        return event->promoted_int[PROMOTED_REVENUE];
    (void)template_value_at(json_path(heard->props, goal->value_path), STR_NONE, &value);
    return value.kind == TEMPLATE_NUMBER ? value.number / 10000 : 0; /* decimals of money to fen */
}

static err goals_by_event(struct walk *walk, const struct heard *heard)
{
    err error = ERR_OK;
    if (walk->position->node == NODE_ABSENCE)
        return ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < walk->version->goal_count && !walk->closed; i++) {
        const struct goal *goal = &walk->version->goals[i];
        int64_t since_ms = heard->event->time_ms - walk->position->entered_ms;
        if (since_ms >= 0 && since_ms <= goal->within_ms && holds(walk, &goal->match, heard))
            error = journey_walk_goal(walk, i, value_of_goal(walk, goal, heard), goal->match.event);
    }
    return error;
}

static bool is_in_time(const struct walk *walk, const struct node *node, const struct heard *heard)
{
    int64_t since_ms = walk->position->entered_ms + (int64_t)walk->position->since_s * 1000;
    return (walk->position->flags & POSITION_PATIENT) == 0 ||
           heard->event->time_ms <= since_ms + node->timeout_ms;
}

static err node_by_event(struct walk *walk, const struct heard *heard)
{
    if (!is_in_graph(walk))
        return ERR_OK;
    const struct node *node = &walk->version->nodes[walk->position->node];
    if (node->kind == NODE_KIND_WAIT_UNTIL && holds(walk, &node->match, heard) &&
        is_in_time(walk, node, heard))
        return wake(walk);
    if (node->kind == NODE_KIND_WAIT && holds(walk, &node->restart, heard)) {
        bool is_known;
        int64_t due_ms = wait_due(walk, node, walk->at_ms, &is_known);
        return journey_walk_stay(walk, walk->position->node, due_ms);
    }
    return ERR_OK;
}

static err position_by_event(struct journeys *journeys, uint32_t slot, const struct heard *heard,
                             struct journey_moment moment, struct ledger_writes *writes)
{
    struct walk walk;
    struct position before = *position_at(&journeys->positions, slot);
    journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
    walk.order_hash = conversion_order(heard->event);
    if (walk.order_hash != 0)
        walk.order_id = heard->event->promoted_text[PROMOTED_ORDER_ID];
    err error = absence_by_event(&walk, heard);
    if (error == ERR_OK && !walk.closed && walk.position->node == before.node)
        error = goals_by_event(&walk, heard);
    if (error == ERR_OK && !walk.closed)
        error = end_by_event(&walk, heard);
    if (error == ERR_OK && !walk.closed && walk.position != NULL)
        error = node_by_event(&walk, heard);
    bool changed = walk.position == NULL || walk.closed || journeys->steps.size > 0 ||
                   memcmp((const char *)&before, (const char *)walk.position, sizeof before) != 0;
    return changed ? journey_walk_end(&walk, error) : error;
}

/* ---- triggers by event ---- */

static str text_of(struct journeys *journeys, json_value value)
{
    if (json_kind(value) == JSON_TEXT)
        return json_text(value);
    if (json_kind(value) != JSON_INT)
        return STR_NONE;
    buffer_clear(&journeys->text);
    json_write_value(&journeys->text, value);
    return buffer_str(&journeys->text);
}

struct armed {
    uint32_t slot;
    bool found;
};

static struct armed armed_position(const struct journeys *journeys, const struct version *version,
                                   uint32_t customer, str key)
{
    const struct positions *positions = &journeys->positions;
    for (uint32_t slot = position_first(positions, customer); slot != NONE;
         slot = position_at(positions, slot)->next) {
        const struct position *position = position_at(positions, slot);
        struct context context;
        context_read(position, &context);
        if (position->journey == version->journey->number && position->state == POSITION_WAITING &&
            position->node != NODE_AFTER && position->node != NODE_CONTROL &&
            str_equal(context.key, key))
            return (struct armed){ .slot = slot, .found = true };
    }
    return (struct armed){ .found = false };
}

/* She did A: from now on B is waited for. */
static err arm(struct journeys *journeys, struct version *version, const struct entering *entering,
               const struct event *event)
{
    const struct trigger *trigger = &version->trigger;
    struct armed there = armed_position(journeys, version, entering->customer, entering->key);
    struct walk walk;
    err error = ERR_OK;
    if (there.found) {
        struct position *position = position_at(&journeys->positions, there.slot);
        if (!trigger->restarts || position->node != NODE_ABSENCE ||
            event->time_ms <= position->entered_ms)
            return ERR_OK;
        journey_walk_begin(&walk, journeys, there.slot, entering->moment, entering->at_ms,
                           entering->writes);
        position->entered_ms = event->time_ms;
    } else {
        uint32_t slot;
        error = position_new(&journeys->positions, entering->customer, &slot);
        if (error != ERR_OK)
            return error;
        struct position *position = position_at(&journeys->positions, slot);
        position->journey = version->journey->number;
        position->version = (uint16_t)version->number;
        position->node = NODE_ABSENCE;
        position->node_born = entering->node_born;
        position->entered_ms = event->time_ms;
        struct context context = { .key = entering->key, .event = entering->event };
        error = context_write(&journeys->positions, position, &context);
        version->position_count++;
        journey_walk_begin(&walk, journeys, slot, entering->moment, entering->at_ms,
                           entering->writes);
        walk.stands = false;
    }
    int64_t due_ms = event->time_ms + trigger->within_ms;
    if (error == ERR_OK)
        error = journey_walk_stay(&walk, NODE_ABSENCE, due_ms > walk.at_ms ? due_ms : walk.at_ms);
    return journey_walk_end(&walk, error);
}

/* The first touch on her way, as if no branch and no wait took her elsewhere; NULL: it sends nothing. */
static const struct node *first_touch(const struct version *version)
{
    uint16_t at = version->start;
    for (uint32_t i = 0; i < version->node_count && at != NO_NODE; i++) {
        const struct node *node = &version->nodes[at];
        if (node_is_touch(node))
            return node;
        at = node->next;
    }
    return NULL;
}

/* She would have entered, had the event been told in time. */
static err list_as_missed(struct journeys *journeys, const struct version *version,
                          const struct entering *entering)
{
    const struct journey_world *world = journeys->world;
    const struct node *touch = first_touch(version);
    if (touch == NULL || world->missed == NULL || enter_refusal(journeys, entering)[0] != '\0')
        return ERR_OK;
    return world->missed(world->context, entering->customer, version->journey->key, touch->id,
                         STR("event_late"), entering->moment, entering->writes);
}

static err trigger_by_event(struct journeys *journeys, struct version *version, uint32_t customer,
                            uint32_t node, const struct heard *heard, bool is_too_late,
                            struct journey_moment moment, struct ledger_writes *writes)
{
    const struct trigger *trigger = &version->trigger;
    const char *refusal;
    uint64_t number;
    if (version->journey == journeys->tried ||
        !match_holds(journeys, &trigger->match, heard->event, heard->props, NULL))
        return ERR_OK;
    struct buffer key, kept;
    buffer_init(&key, 1024);
    buffer_init(&kept, (size_t)64 << 10);
    if (trigger->key_path.size > 0) {
        str text = text_of(journeys, json_path(heard->props, trigger->key_path));
        buffer_append_str(&key, str_slice(text, 0, str_utf8_prefix_bytes(text, 200)));
    }
    err error = keep_of_event(journeys, version, heard->props, &kept);
    struct entering entering = { .journey = version->journey,
                                 .customer = customer,
                                 .node_born = node,
                                 .key = buffer_str(&key),
                                 .event = buffer_str(&kept),
                                 .at_ms = moment.now_ms,
                                 .moment = moment,
                                 .writes = writes };
    if (error == ERR_OK && is_too_late)
        error = trigger->kind == TRIGGER_ABSENCE || (trigger->key_path.size > 0 && key.size == 0)
                    ? ERR_OK
                    : list_as_missed(journeys, version, &entering);
    else if (error == ERR_OK && trigger->key_path.size > 0 && key.size == 0)
        error = counts_add(journeys, version, NODE_START, 0, moment.now_ms, COUNT_REFUSED, 1);
    else if (error == ERR_OK && trigger->kind == TRIGGER_ABSENCE)
        error = arm(journeys, version, &entering, heard->event);
    else if (error == ERR_OK)
        error = journey_enter_one(journeys, &entering, &refusal, &number);
    buffer_deinit(&key);
    buffer_deinit(&kept);
    return error;
}

err journey_event(struct journeys *journeys, uint32_t customer, uint32_t node,
                  const struct event *event, enum journey_begins begins,
                  struct journey_moment moment, struct ledger_writes *writes)
{
    bool hears = begins != JOURNEY_BEGINS_NOTHING;
    const struct interest *interest = interest_find(&journeys->events, event->type);
    struct heard heard = { .event = event };
    struct hers hers = { .count = 0 };
    err error = conversion_event(journeys, event, moment, writes);
    if (error != ERR_OK || interest == NULL || customer == 0)
        return error;
    error = interest->by_positions ? hers_take(journeys, customer, &hers) : ERR_OK;
    if (error == ERR_OK && (hers.count > 0 || (hears && interest->count > 0)))
        error = parse_props(journeys, &heard);
    for (uint32_t i = 0; error == ERR_OK && i < hers.count; i++)
        if (hers_at(journeys, &hers, i) != NULL)
            error = position_by_event(journeys, hers.list[i].slot, &heard, moment, writes);
    memory_free(hers.list);
    for (uint32_t i = 0; error == ERR_OK && hears && i < interest->count; i++)
        error = trigger_by_event(journeys, interest->versions[i], customer, node, &heard,
                                 begins == JOURNEY_BEGINS_TOO_LATE, moment, writes);
    if (error == ERR_OK)
        error = enter_joins(journeys, moment, writes);
    due_changed(journeys);
    return error;
}

/* ---- moves of the audience ---- */

static bool is_rule(const struct version *version, uint32_t rule, str key)
{
    return rule != NONE && str_equal(str_from_c(version->rules[rule].key), key);
}

static err position_by_move(struct journeys *journeys, uint32_t slot,
                            const struct audience_move *move, struct journey_moment moment,
                            struct ledger_writes *writes)
{
    struct walk walk;
    err error = ERR_OK;
    journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
    const struct version *version = walk.version;
    uint16_t at = walk.position->node;
    bool did = false;
    for (uint32_t i = 0; move->is_in && at != NODE_ABSENCE && i < version->goal_count; i++) {
        const struct goal *goal = &version->goals[i];
        int64_t since_ms = moment.now_ms - walk.position->entered_ms;
        if (error != ERR_OK || walk.closed || since_ms > goal->within_ms ||
            !(is_rule(version, goal->rule, move->key) ||
              (goal->segment.size > 0 && str_equal(goal->segment, move->key))))
            continue;
        error = journey_walk_goal(&walk, i, 0, move->key);
        did = true;
    }
    bool is_over =
        walk.closed || walk.position->node == NODE_CONTROL || walk.position->node == NODE_AFTER;
    for (uint32_t i = 0; move->is_in && !is_over && error == ERR_OK && i < version->exit_count;
         i++) {
        const struct exit_rule *exit = &version->exits[i];
        if (!is_rule(version, exit->rule, move->key) &&
            !(exit->segment.size > 0 && str_equal(exit->segment, move->key)))
            continue;
        error = journey_walk_close(&walk, at == NODE_ABSENCE ? "" : "exit_rule", exit->name);
        did = is_over = true;
    }
    if (error == ERR_OK && !is_over && is_in_graph(&walk) && move->is_in) {
        const struct node *node = &version->nodes[walk.position->node];
        if (node->kind == NODE_KIND_WAIT_UNTIL &&
            (is_rule(version, node->rule, move->key) ||
             (node->segment.size > 0 && str_equal(node->segment, move->key)))) {
            error = wake(&walk);
            did = true;
        }
    }
    return did ? journey_walk_end(&walk, error) : error;
}

static bool tag_fits(const struct journeys *journeys, const struct trigger *trigger,
                     const struct audience_move *move)
{
    char path[160];
    struct template_value value;
    if (!move->is_in)
        return false;
    if (trigger->tag_value.kind == TEMPLATE_MISSING)
        return true;
    snprintf(path, sizeof path, "tag.%.*s", STR_ARG(move->key));
    value = (struct template_value){ .kind = TEMPLATE_MISSING };
    journeys->world->value(journeys->world->context, move->customer, str_from_c(path), &value);
    struct operand wanted = trigger->tag_value;
    struct comparison equal = { .compare = COMPARE_EQ, .operands = &wanted, .operand_count = 1 };
    return comparison_holds(&equal, &value);
}

static err trigger_by_move(struct journeys *journeys, struct version *version,
                           const struct audience_move *move, struct journey_moment moment,
                           struct ledger_writes *writes)
{
    const struct trigger *trigger = &version->trigger;
    const char *refusal;
    uint64_t number;
    bool fits = trigger->kind == TRIGGER_TAG ? tag_fits(journeys, trigger, move)
                                             : (trigger->leaves ? move->was_in && !move->is_in
                                                                : !move->was_in && move->is_in);
    if (!fits)
        return ERR_OK;
    struct entering entering = { .journey = version->journey,
                                 .customer = move->customer,
                                 .node_born = move->customer,
                                 .at_ms = moment.now_ms,
                                 .moment = moment,
                                 .writes = writes };
    return journey_enter_one(journeys, &entering, &refusal, &number);
}

static err one_move(struct journeys *journeys, const struct audience_move *move, bool may_start,
                    struct journey_moment moment, struct ledger_writes *writes)
{
    char name[256];
    struct hers hers = { .count = 0 };
    snprintf(name, sizeof name, "%c:%.*s", move->kind == AUDIENCE_TAG ? 't' : 's',
             STR_ARG(move->key));
    const struct interest *interest = interest_find(&journeys->moves, str_from_c(name));
    if (interest == NULL || move->customer == 0)
        return ERR_OK;
    err error = interest->by_positions && move->kind == AUDIENCE_SEGMENT
                    ? hers_take(journeys, move->customer, &hers)
                    : ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < hers.count; i++)
        if (hers_at(journeys, &hers, i) != NULL)
            error = position_by_move(journeys, hers.list[i].slot, move, moment, writes);
    memory_free(hers.list);
    for (uint32_t i = 0; error == ERR_OK && may_start && i < interest->count; i++)
        error = trigger_by_move(journeys, interest->versions[i], move, moment, writes);
    return error;
}

err journey_moves(struct journeys *journeys, const struct audience_move *moves, size_t count,
                  bool may_start, struct journey_moment moment, struct ledger_writes *writes)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        error = one_move(journeys, &moves[i], may_start, moment, writes);
    if (error == ERR_OK)
        error = enter_joins(journeys, moment, writes);
    due_changed(journeys);
    return error;
}

/* ---- touches ---- */

static bool count_of_status(enum touch_status status, enum count_kind *kind)
{
    switch ((int)status) {
    case TOUCH_SENT:
        *kind = COUNT_SENT;
        return true;
    case TOUCH_DELIVERED:
    case TOUCH_CONFIRMED:
        *kind = COUNT_DELIVERED;
        return true;
    case TOUCH_CLICKED:
        *kind = COUNT_CLICKED;
        return true;
    case TOUCH_FAILED:
        *kind = COUNT_FAILED;
        return true;
    case TOUCH_SUPPRESSED:
        *kind = COUNT_SUPPRESSED;
        return true;
    case TOUCH_UNCERTAIN:
        *kind = COUNT_UNCERTAIN;
        return true;
    default:
        return false;
    }
}

static uint32_t slot_of(const struct journeys *journeys, uint32_t customer, uint64_t number)
{
    for (uint32_t slot = position_first(&journeys->positions, customer); slot != NONE;
         slot = position_at(&journeys->positions, slot)->next)
        if (position_at(&journeys->positions, slot)->number == number)
            return slot;
    return NONE;
}

static uint16_t node_by_id(const struct version *version, str id)
{
    for (uint16_t i = 0; i < version->node_count; i++)
        if (str_equal(version->nodes[i].id, id))
            return i;
    return NO_NODE;
}

static err keep_reply(struct walk *walk, const struct node *node, str reply)
{
    json_value root;
    if (node->key.size == 0 || reply.size == 0 || reply.size > JOURNEY_CONTEXT_MAX)
        return ERR_OK;
    if (json_parse(walk->journeys->parser, reply, &root, NULL) == ERR_OK)
        return context_put_var(walk->journeys, walk->position, node->key, reply);
    struct buffer text;
    buffer_init(&text, (size_t)32 << 10);
    json_write_text(&text, reply);
    err error = context_put_var(walk->journeys, walk->position, node->key, buffer_str(&text));
    buffer_deinit(&text);
    return error;
}

static err position_by_touch(struct journeys *journeys, uint32_t slot, uint16_t at,
                             const struct touch_change *change, struct journey_moment moment,
                             struct ledger_writes *writes)
{
    struct walk walk;
    uint64_t touch;
    uint8_t status;
    journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
    const struct node *node = &walk.version->nodes[at];
    if (!context_touch(walk.position, at, &touch, &status) || touch != change->touch)
        return ERR_OK;
    err error = context_put_touch(journeys, walk.position, at, touch, (uint8_t)change->to);
    if (error == ERR_OK)
        error = keep_reply(&walk, node, change->response);
    if (error == ERR_OK && walk.position->node == at && node->waits && is_in_graph(&walk))
        error = wake(&walk);
    return journey_walk_end(&walk, error);
}

err journey_touch(struct journeys *journeys, const struct touch_change *change,
                  struct journey_moment moment, struct ledger_writes *writes)
{
    const struct journey *journey = journey_find(journeys, change->journey);
    enum count_kind kind;
    if (journey == NULL)
        return ERR_OK;
    uint32_t slot =
        change->position != 0 ? slot_of(journeys, change->customer, change->position) : NONE;
    const struct version *version =
        slot != NONE ? version_of(journeys, position_at(&journeys->positions, slot))
                     : live_version(journey);
    uint16_t at = version != NULL ? node_by_id(version, change->node) : NO_NODE;
    if (at == NO_NODE)
        return ERR_OK;
    err error = ERR_OK;
    if (count_of_status(change->to, &kind))
        error = counts_add(journeys, version, at, 0, moment.now_ms, kind, 1);
    if (error == ERR_OK && slot != NONE)
        error = position_by_touch(journeys, slot, at, change, moment, writes);
    if (error == ERR_OK)
        error = enter_joins(journeys, moment, writes);
    due_changed(journeys);
    return error;
}
