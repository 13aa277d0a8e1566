/* SPDX-License-Identifier: Apache-2.0 */
/* move_world: the live world that journeys ask, and in which they bring things about: rules held as segments, who is in what, her
 * values, touches, tags, traits, lists; see move.h. */
#include <stdio.h>
#include <string.h>

#include "base/logline.h"
#include "engine/move/move_inside.h"

static uint32_t number_of(struct move *move, str key)
{
    struct audience *audience = move->engine->audience;
    for (size_t i = 0; i < move->number_count; i++)
        if (str_equal(str_from_c(move->numbers[i].key), key) &&
            audience_is_live(audience, move->numbers[i].number))
            return move->numbers[i].number;
    uint32_t number = audience_number(audience, AUDIENCE_SEGMENT, key);
    if (number == 0 || key.size > AUDIENCE_KEY_BYTES_MAX)
        return number;
    struct segment_number *longer =
        memory_resize(move->numbers, (move->number_count + 1) * sizeof(*longer));
    if (longer == NULL)
        return number;
    move->numbers = longer;
    snprintf(longer[move->number_count].key, sizeof longer->key, "%.*s", STR_ARG(key));
    longer[move->number_count++].number = number;
    return number;
}

static err parse(struct move *move, json_value *root, struct problem *problem)
{
    err error = buffer_status(&move->text);
    return error == ERR_OK ? json_parse(move->parser, buffer_str(&move->text), root, problem)
                           : error;
}

static void begin_rule(struct move *move, json_value rule, str key)
{
    buffer_clear(&move->text);
    buffer_append_str(&move->text, STR("{\"folder\":\"$journeys\",\"key\":"));
    json_write_text(&move->text, key);
    buffer_append_str(&move->text, STR(",\"name\":"));
    json_write_text(&move->text, key);
    buffer_append_str(&move->text, STR(",\"rule\":"));
    json_write_value(&move->text, rule);
    buffer_append_byte(&move->text, '}');
}

/* What is wrong is said of the segment that it would be. */
static void pointer_into_rule(struct problem *problem)
{
    str pointer = str_from_c(problem != NULL ? problem->pointer : "");
    if (str_starts_with(pointer, STR("/rule")))
        memmove(problem->pointer, problem->pointer + 5, pointer.size - 5 + 1);
}

static err world_rule_check(void *context, json_value rule, struct problem *problem)
{
    struct move *move = context;
    json_value body;
    begin_rule(move, rule, STR("journey-rule"));
    err error = parse(move, &body, problem);
    if (error == ERR_OK)
        error = audience_check(move->engine->audience, AUDIENCE_SEGMENT, body, problem);
    pointer_into_rule(problem);
    return error;
}

static err world_rule_hold(void *context, json_value rule, struct journey_moment moment,
                           struct ledger_writes *writes, char key[JOURNEY_RULE_KEY_BYTES],
                           struct problem *problem)
{
    struct move *move = context;
    json_value body;
    buffer_clear(&move->text);
    json_write_value(&move->text, rule);
    hash128 hash = hash_bytes128(move->text.data, move->text.size, 31);
    snprintf(key, JOURNEY_RULE_KEY_BYTES, "journey-rule-%016llx%016llx",
             (unsigned long long)hash.high, (unsigned long long)hash.low);
    if (number_of(move, str_from_c(key)) != 0)
        return ERR_OK;
    begin_rule(move, rule, str_from_c(key));
    err error = parse(move, &body, problem);
    buffer_clear(&move->answer);
    struct audience_command command = { .body = body,
                                        .moment = { .seq = moment.seq, .now_ms = moment.now_ms },
                                        .writes = writes,
                                        .answer = &move->answer,
                                        .problem = problem };
    return error == ERR_OK ? audience_put_segment(move->engine->audience, &command) : error;
}

static void world_rule_drop(void *context, str key, struct journey_moment moment,
                            struct ledger_writes *writes)
{
    struct move *move = context;
    struct problem problem = { .error = ERR_OK };
    json_value body;
    if (journey_holds_rule(move->journeys, key) || number_of(move, key) == 0)
        return;
    buffer_clear(&move->text);
    buffer_clear(&move->answer);
    buffer_append_str(&move->text, STR("{\"key\":"));
    json_write_text(&move->text, key);
    buffer_append_byte(&move->text, '}');
    if (parse(move, &body, &problem) != ERR_OK)
        return;
    struct audience_command command = { .body = body,
                                        .moment = { .seq = moment.seq, .now_ms = moment.now_ms },
                                        .writes = writes,
                                        .answer = &move->answer,
                                        .problem = &problem };
    if (audience_delete_segment(move->engine->audience, &command) != ERR_OK)
        log_line(LOG_WARN, "journey_rule_kept", "reason=\"%s\"", problem.detail);
}

static bool world_rule_is_ready(void *context, str key)
{
    struct move *move = context;
    return audience_is_live(move->engine->audience, number_of(move, key));
}

static bool world_has_segment(void *context, str key)
{
    struct move *move = context;
    return audience_number(move->engine->audience, AUDIENCE_SEGMENT, key) != 0;
}

err move_tell_audience(void *context, uint32_t customer)
{
    const struct telling *telling = context;
    struct engine *engine = telling->engine;
    struct audience_moment moment = { .seq = telling->seq, .now_ms = engine->now_ms };
    return audience_journeys_changed(engine->audience, customer, moment);
}

/* Settled first: what time alone changed of her waits for the tick all the same (M1). */
static bool world_in_segment(void *context, uint32_t customer, str key)
{
    struct move *move = context;
    struct engine *engine = move->engine;
    struct audience_moment moment = { .seq = engine->applied_seq + 1, .now_ms = engine->now_ms };
    struct telling telling = { engine, moment.seq };
    uint32_t number = number_of(move, key);
    /* who has entered in this record is in it for windows that begin there */
    if (number != 0 && journey_has_changed(move->journeys) &&
        journey_take_changed(move->journeys, move_tell_audience, &telling) != ERR_OK) {
        struct problem problem = { .error = ERR_OK };
        problem_set(&problem, ERR_NOMEM, "no memory for who has entered a journey");
        engine_fail(engine, &problem);
        return false;
    }
    if (number == 0 || audience_before(engine->audience, customer, moment) != ERR_OK)
        return false;
    return audience_has(engine->audience, number, customer);
}

static err world_members(void *context, str key, struct journey_moment moment,
                         bool (*visit)(void *visited, uint32_t customer), void *visited)
{
    struct move *move = context;
    struct audience_set *set = NULL;
    err error = audience_settle(move->engine->audience, moment.now_ms);
    if (error == ERR_OK)
        error = audience_set_take(move->engine->audience, AUDIENCE_SEGMENT, key, STR_NONE, &set);
    if (error != ERR_OK)
        return error;
    audience_set_visit(set, visit, visited);
    audience_set_free(&set);
    return ERR_OK;
}

static void world_value(void *context, uint32_t customer, str path, struct template_value *value)
{
    struct move *move = context;
    act_value(move->engine, customer, path, value);
}

static int32_t world_zone_offset(void *context, uint32_t customer, int64_t at_ms)
{
    struct move *move = context;
    const struct touch_world *world = act_world(move->engine);
    return world->zone_offset_seconds(world->context, customer, at_ms);
}

static int64_t world_watermark(void *context, str event, int64_t now_ms)
{
    const struct move *move = context;
    return move_sources_watermark(&move->sources, event, now_ms);
}

static size_t world_nodes(void *context, uint32_t customer, uint32_t *nodes, size_t max)
{
    const struct move *move = context;
    size_t count = identity_nodes(move->engine->identity, customer, nodes, max);
    return count < max ? count : max;
}

static int64_t world_order_back(void *context, uint32_t customer, str order_id)
{
    const struct move *move = context;
    uint32_t nodes[NODES_MAX];
    size_t count = world_nodes(context, customer, nodes, NODES_MAX);
    return profile_order_back(move->engine->profile, nodes, count, order_id);
}

static bool world_consent(void *context, uint32_t customer, str purpose, bool *granted)
{
    const struct move *move = context;
    const struct touch_world *world = act_world(move->engine);
    return world->consent(world->context, customer, purpose, granted);
}

static uint32_t world_first_node(void *context, uint32_t customer)
{
    uint32_t nodes[NODES_MAX], first = customer;
    size_t count = world_nodes(context, customer, nodes, NODES_MAX);
    for (size_t i = 0; i < count; i++)
        first = nodes[i] < first ? nodes[i] : first;
    return first;
}

static uint32_t world_root(void *context, uint32_t node)
{
    const struct move *move = context;
    return node != 0 ? identity_root(move->engine->identity, node) : 0;
}

static err world_touch(void *context, const struct touch_request *request,
                       struct journey_moment moment, struct ledger_writes *writes,
                       struct touch_answer *answer)
{
    struct move *move = context;
    err error = touch_request(act_touches(move->engine), request,
                              (struct touch_moment){ moment.seq, moment.now_ms }, writes, answer);
    act_values_reset(move->engine);
    return error;
}

static err world_withdraw(void *context, uint64_t position, str reason,
                          struct journey_moment moment, struct ledger_writes *writes)
{
    struct move *move = context;
    return touch_withdraw(act_touches(move->engine), position, reason,
                          (struct touch_moment){ moment.seq, moment.now_ms }, writes);
}

static err world_missed(void *context, uint32_t customer, str journey, str node, str reason,
                        struct journey_moment moment, struct ledger_writes *writes)
{
    struct move *move = context;
    return touch_missed(act_touches(move->engine), customer, journey, node, reason,
                        (struct touch_moment){ moment.seq, moment.now_ms }, writes);
}

static err world_pause(void *context, const struct touch_pause *wanted,
                       struct journey_moment moment, struct ledger_writes *writes)
{
    struct move *move = context;
    err error = touch_pause(act_touches(move->engine), wanted,
                            (struct touch_moment){ moment.seq, moment.now_ms }, writes);
    act_values_reset(move->engine);
    return error;
}

static err world_resume(void *context, uint32_t customer, str journey, str key, bool only_endless,
                        struct journey_moment moment, struct ledger_writes *writes)
{
    struct move *move = context;
    return touch_resume(act_touches(move->engine), customer, journey, key, only_endless,
                        (struct touch_moment){ moment.seq, moment.now_ms }, writes);
}

static err change(struct move *move,
                  err (*function)(struct audience *, const struct audience_command *),
                  struct journey_moment moment, struct ledger_writes *writes)
{
    struct problem problem = { .error = ERR_OK };
    json_value body;
    buffer_clear(&move->answer);
    err error = parse(move, &body, &problem);
    struct audience_command command = { .body = body,
                                        .moment = { .seq = moment.seq, .now_ms = moment.now_ms },
                                        .writes = writes,
                                        .answer = &move->answer,
                                        .problem = &problem };
    return error == ERR_OK ? function(move->engine->audience, &command) : error;
}

static err world_set_tag(void *context, uint32_t customer, str key, str value,
                         struct journey_moment moment, struct ledger_writes *writes)
{
    struct move *move = context;
    buffer_clear(&move->text);
    buffer_append_str(&move->text, STR("{\"key\":"));
    json_write_text(&move->text, key);
    buffer_printf(&move->text, ",\"values\":[{\"customer\":%u,\"value\":", customer);
    buffer_append_str(&move->text, value.size > 0 ? value : STR("null"));
    buffer_append_str(&move->text, STR("}]}"));
    return change(move, audience_change_values, moment, writes);
}

static err world_set_member(void *context, uint32_t customer, str segment, bool is_in,
                            struct journey_moment moment, struct ledger_writes *writes)
{
    struct move *move = context;
    buffer_clear(&move->text);
    buffer_append_str(&move->text, STR("{\"key\":"));
    json_write_text(&move->text, segment);
    buffer_printf(&move->text, ",\"%s\":[%u]}", is_in ? "add" : "remove", customer);
    return change(move, audience_change_members, moment, writes);
}

/* As if she had said it of herself: a fact at her node, by nobody in particular. */
static err world_set_trait(void *context, uint32_t customer, str name, str value,
                           struct journey_moment moment, struct ledger_writes *writes)
{
    struct move *move = context;
    struct engine *engine = move->engine;
    struct event_trait trait = { .name = name,
                                 .operation = value.size > 0 ? TRAIT_SET : TRAIT_UNSET,
                                 .value = value.size > 0 ? value : STR("null") };
    struct event event = { .kind = EVENT_IDENTIFY,
                           .type = STR("Identify"),
                           .seq = moment.seq,
                           .time_ms = moment.now_ms,
                           .received_ms = moment.now_ms,
                           .trait_count = 1,
                           .traits = &trait,
                           .props = STR("{}") };
    err error = profile_apply(engine->profile, &event, customer, writes);
    return error == ERR_OK ? follow_customer(engine, customer, moment.seq) : error;
}

struct journey_world move_world(struct move *move)
{
    return (struct journey_world){ .context = move,
                                   .rule_check = world_rule_check,
                                   .rule_hold = world_rule_hold,
                                   .rule_drop = world_rule_drop,
                                   .rule_is_ready = world_rule_is_ready,
                                   .has_segment = world_has_segment,
                                   .in_segment = world_in_segment,
                                   .members = world_members,
                                   .value = world_value,
                                   .zone_offset_seconds = world_zone_offset,
                                   .watermark_ms = world_watermark,
                                   .first_node = world_first_node,
                                   .root = world_root,
                                   .nodes = world_nodes,
                                   .consent = world_consent,
                                   .touch = world_touch,
                                   .withdraw = world_withdraw,
                                   .missed = world_missed,
                                   .pause = world_pause,
                                   .resume = world_resume,
                                   .set_tag = world_set_tag,
                                   .set_trait = world_set_trait,
                                   .set_member = world_set_member,
                                   .order_back = world_order_back };
}
