/* SPDX-License-Identifier: Apache-2.0 */
/* move: journeys beside apply: the live world that they ask, and what each record means for them; see move.h. */
#include "engine/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "base/metric.h"
#include "engine/act.h"
#include "engine/act_inside.h"
#include "engine/move_pending.h"
#include "engine/move_sources.h"
#include "engine/state.h"

#define NODES_MAX 1024
#define LATE_EVENT_MS \
    DAY_MS /* J6: what happened longer ago starts nothing, unless a setting says otherwise */
#define LATE_EVENT_MOST_MS (400 * DAY_MS)
#define ROUNDS_MAX 100         /* what a record brings up, brings up, …: then it ends */
#define PATROL_POSITIONS 20000 /* are looked at with each tick: about a millisecond */
#define STEP_MS HOUR_MS        /* of the virtual clock, at most */

struct told {
    struct told *next;
    struct touch_change change;
};
/* Numbers of segments by key; those of the audience are never given out twice. */
struct segment_number {
    char key[AUDIENCE_KEY_BYTES_MAX + 1];
    uint32_t number;
};

struct move {
    struct engine *engine;
    struct journeys *journeys;
    struct journey_world world;
    struct json_parser *parser;
    struct buffer text, answer;
    bool in_record, may_start;
    struct heard *heard, **heard_last; /* of this record */
    struct move_pending pending;       /* until a tick */
    struct told *told, **told_last;
    struct move_sources sources;
    int64_t late_ms;
    struct segment_number *numbers;
    size_t number_count;
    _Atomic bool is_asked; /* a journey.run is on its way */
};

static struct journey_moment moment_of(const struct engine *engine, uint64_t seq)
{
    return (struct journey_moment){ .seq = seq, .now_ms = engine->now_ms };
}

struct journeys *move_journeys(const struct engine *engine)
{
    return engine->move->journeys;
}

/* ---- what is heard ---- */

static err hear(struct move *move, const struct audience_move *moved)
{
    struct heard *heard = move_heard_new(moved);
    if (heard == NULL)
        return ERR_NOMEM;
    *move->heard_last = heard;
    move->heard_last = &heard->next;
    return ERR_OK;
}

void move_heard(struct engine *engine, const struct audience_move *moved)
{
    struct move *move = engine->move;
    if (moved->kind != AUDIENCE_SEGMENT && moved->kind != AUDIENCE_TAG)
        return;
    bool is_now = move->in_record && strcmp(moved->cause, "time") != 0;
    if ((is_now ? hear(move, moved) : move_pending_add(&move->pending, moved)) != ERR_OK) {
        struct problem problem = { .error = ERR_OK };
        problem_set(&problem, ERR_NOMEM, "no memory for a move of a customer");
        engine_fail(engine, &problem);
    }
}

static err touch_moved(struct engine *engine, const struct touch_change *change,
                       struct touch_moment moment, struct ledger_writes *writes)
{
    struct move *move = engine->move;
    const str texts[] = { change->journey, change->node, change->reason, change->response };
    size_t bytes = 0;
    (void)moment;
    (void)writes;
    if (change->journey.size == 0)
        return ERR_OK;
    for (size_t i = 0; i < 4; i++)
        bytes += texts[i].size;
    struct told *told = memory_alloc(sizeof *told + bytes + 1);
    if (told == NULL)
        return ERR_NOMEM;
    char *at = (char *)(told + 1);
    str *copies[] = { &told->change.journey, &told->change.node, &told->change.reason,
                      &told->change.response };
    told->change = *change;
    for (size_t i = 0; i < 4; i++) {
        if (texts[i].size > 0)
            memcpy(at, texts[i].data, texts[i].size);
        *copies[i] = str_from_bytes(at, texts[i].size);
        at += texts[i].size;
    }
    *move->told_last = told;
    move->told_last = &told->next;
    return ERR_OK;
}

/* ---- the world ---- */

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

struct telling {
    struct engine *engine;
    uint64_t seq;
};

static err tell_audience(void *context, uint32_t customer)
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
        journey_take_changed(move->journeys, tell_audience, &telling) != ERR_OK) {
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

/* ---- life ---- */

err move_new(struct engine *engine)
{
    struct move *move = memory_alloc(sizeof *move);
    if (move == NULL)
        return ERR_NOMEM;
    engine->move = move;
    move->engine = engine;
    move->heard_last = &move->heard;
    move->told_last = &move->told;
    move_pending_init(&move->pending);
    move->late_ms = LATE_EVENT_MS;
    err error = move_sources_init(&move->sources);
    buffer_init(&move->text, (size_t)4 << 20);
    buffer_init(&move->answer, (size_t)4 << 20);
    move->world = (struct journey_world){ .context = move,
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
                                          .set_tag = world_set_tag,
                                          .set_trait = world_set_trait,
                                          .set_member = world_set_member,
                                          .order_back = world_order_back };
    act_on_moved(engine, touch_moved);
    return error == ERR_OK ? json_parser_new(&move->parser, (size_t)4 << 20) : error;
}

err move_watermark(struct engine *engine, str source, int64_t time_ms)
{
    return move_sources_told(&engine->move->sources, source, time_ms, engine->now_ms);
}

err move_import(struct engine *engine, uint32_t number, str source)
{
    return move_sources_job(&engine->move->sources, number, source);
}

/* "24h", "0s" … */
static bool read_late(str text, int64_t *late_ms)
{
    return duration_parse(text, late_ms) && *late_ms >= 0 && *late_ms <= LATE_EVENT_MOST_MS;
}

static void take_late(struct move *move, str text)
{
    int64_t late_ms;
    if (read_late(text, &late_ms))
        move->late_ms = late_ms;
}

err move_setting_check(str key, json_value value, struct problem *problem)
{
    int64_t late_ms;
    str text = json_text(value);
    if (!str_equal(key, STR("journeys.late_event")) || read_late(text, &late_ms))
        return ERR_OK;
    problem_set(problem, ERR_UNPROCESSABLE, "journeys.late_event cannot be '%.*s'",
                (int)str_utf8_prefix_bytes(text, 40), text.data);
    problem_hint(problem, ERR_UNPROCESSABLE,
                 "a text with a duration from \"0s\" to \"%dd\", such as \"24h\"",
                 (int)(LATE_EVENT_MOST_MS / DAY_MS));
    return problem_at(problem, ERR_UNPROCESSABLE, "/value");
}

err move_setting_changed(struct engine *engine, str key, json_value value, uint64_t seq)
{
    struct move *move = engine->move;
    if (str_equal(key, STR("journeys.late_event")))
        take_late(move, json_text(value));
    if (!str_equal(key, STR("workspace.zone")))
        return ERR_OK;
    return journeys_set_zone(move->journeys, act_zone(engine), moment_of(engine, seq),
                             engine->writes);
}

static bool load_setting(void *context, const struct ledger_value *values)
{
    str text = values[1].bytes; /* JSON */
    if (str_equal(values[0].bytes, STR("journeys.late_event")) && text.size > 2)
        take_late(context, str_slice(text, 1, text.size - 1));
    return true;
}

err move_load(struct engine *engine, struct problem *problem)
{
    struct move *move = engine->move;
    struct journeys_config config = { .world = &move->world,
                                      .seed = keys_seed(engine->keys, STR("journey")),
                                      .zone = act_zone(engine).data };
    err error = journeys_new(&move->journeys, &config);
    if (error == ERR_OK)
        error = ledger_scan(engine->ledger, LEDGER_SETTINGS, NULL, load_setting, move, problem);
    if (error == ERR_OK)
        error = journeys_load(move->journeys, engine->ledger, problem);
    if (error == ERR_OK)
        error = move_pending_load(&move->pending, engine->ledger, problem);
    if (error == ERR_OK)
        error = move_sources_load(&move->sources, engine, problem);
    return error;
}

void move_free(struct engine *engine)
{
    struct move *move = engine->move;
    engine->move = NULL;
    if (move == NULL)
        return;
    journeys_free(&move->journeys);
    move_heard_drop(&move->heard);
    move_pending_deinit(&move->pending);
    while (move->told != NULL) {
        struct told *told = move->told;
        move->told = told->next;
        memory_free(told);
    }
    move_sources_deinit(&move->sources);
    json_parser_free(&move->parser);
    buffer_deinit(&move->text);
    buffer_deinit(&move->answer);
    memory_free(move->numbers);
    memory_free(move);
}

/* ---- from apply ---- */

bool move_has_journey(void *context, str key)
{
    const struct engine *engine = context;
    return journey_is_there(engine->move->journeys, key);
}

void move_visit_journeys(void *context, void (*offer)(void *offered, str key), void *offered)
{
    const struct engine *engine = context;
    journey_visit_keys(engine->move->journeys, offer, offered);
}

int64_t move_journey_since(void *context, str key, uint32_t customer)
{
    const struct engine *engine = context;
    return journey_since(engine->move->journeys, key, customer);
}

void move_begin(struct engine *engine)
{
    journey_watch(engine->move->journeys, audience_names_journeys(engine->audience));
    engine->move->in_record = true;
    engine->move->may_start = true;
}

/* Where the order of records says it: none of it by the time at which a thread came to it. */
static err take_heard(struct move *move, uint64_t seq)
{
    struct engine *engine = move->engine;
    err error = ERR_OK;
    struct heard *list = move->heard;
    move->heard = NULL;
    move->heard_last = &move->heard;
    for (struct heard *heard = list; error == ERR_OK && heard != NULL; heard = heard->next)
        error = journey_moves(move->journeys, &heard->move, 1, move->may_start,
                              moment_of(engine, seq), engine->writes);
    move_heard_drop(&list);
    return error;
}

static err take_told(struct move *move, uint64_t seq)
{
    struct engine *engine = move->engine;
    err error = ERR_OK;
    struct told *list = move->told;
    move->told = NULL;
    move->told_last = &move->told;
    while (list != NULL) {
        struct told *told = list;
        list = told->next;
        if (error == ERR_OK)
            error = journey_touch(move->journeys, &told->change, moment_of(engine, seq),
                                  engine->writes);
        memory_free(told);
    }
    return error;
}

static bool is_unsaid(const struct move *move)
{
    return move->heard != NULL || move->told != NULL || journey_has_changed(move->journeys);
}

err move_end(struct engine *engine, uint64_t seq)
{
    struct move *move = engine->move;
    struct telling telling = { engine, seq };
    err error = ERR_OK;
    for (int i = 0; error == ERR_OK && is_unsaid(move); i++) {
        if (i == ROUNDS_MAX) {
            log_line(LOG_ERROR, "journeys_answer_each_other", "seq=%llu", (unsigned long long)seq);
            break;
        }
        error = take_told(move, seq);
        if (error == ERR_OK)
            error = take_heard(move, seq);
        if (error == ERR_OK)
            error = journey_take_changed(move->journeys, tell_audience, &telling);
    }
    act_values_reset(engine);
    move->in_record = false;
    return error;
}

err move_before(struct engine *engine, const struct event *event,
                const struct identity_outcome *who)
{
    struct journeys *journeys = engine->move->journeys;
    struct journey_moment moment = moment_of(engine, event->seq);
    err error = journey_before(journeys, who->customer, moment, engine->writes);
    for (uint32_t i = 0; error == ERR_OK && i < who->merge_count; i++)
        error = journey_before(journeys, who->merges[i].absorbed, moment, engine->writes);
    return error;
}

err move_event(struct engine *engine, const struct event *event, const struct identity_outcome *who)
{
    struct move *move = engine->move;
    struct journey_moment moment = moment_of(engine, event->seq);
    uint32_t absorbed[IDENTITY_MERGES_MAX];
    bool is_old = (event->flags & (EVENT_IMPORTED | EVENT_HISTORICAL)) != 0 ||
                  event->time_ms < engine->now_ms - move->late_ms;
    move->may_start = !is_old;
    err error = move_sources_note(&move->sources, engine, event);
    if (error != ERR_OK || who->node == 0)
        return error;
    for (uint32_t i = 0; i < who->merge_count; i++)
        absorbed[i] = who->merges[i].absorbed;
    if (who->merge_count > 0)
        error = journey_merged(move->journeys, who->customer, absorbed, who->merge_count, moment,
                               engine->writes);
    if (error == ERR_OK)
        error = journey_event(move->journeys, who->customer, who->node, event, !is_old, moment,
                              engine->writes);
    bool decides = who->merge_count > 0 || str_equal(event->type, STR("Consent Withdrawn"));
    if (error == ERR_OK && decides)
        error = move_consent_changed(engine, who->customer, event->seq);
    return error;
}

err move_customer(struct engine *engine, uint32_t customer, uint64_t seq)
{
    uint32_t nodes[NODES_MAX];
    uint32_t root = identity_root(engine->identity, customer);
    if (root == 0)
        return ERR_OK;
    size_t count = identity_nodes(engine->identity, root, nodes, NODES_MAX);
    return journey_split(engine->move->journeys, nodes, count < NODES_MAX ? count : NODES_MAX,
                         moment_of(engine, seq), engine->writes);
}

err move_consent_changed(struct engine *engine, uint32_t customer, uint64_t seq)
{
    return journey_decided(engine->move->journeys, customer, moment_of(engine, seq),
                           engine->writes);
}

err move_all(struct engine *engine, uint64_t seq)
{
    uint32_t last = identity_node_count(engine->identity);
    struct journeys_status status;
    err error = ERR_OK;
    journeys_status(engine->move->journeys, &status);
    for (uint32_t node = 1; error == ERR_OK && status.positions > 0 && node <= last; node++)
        if (identity_root(engine->identity, node) == node)
            error = move_customer(engine, node, seq);
    return error;
}

/* ---- by time: at the tick ---- */

/* Who was absorbed meanwhile has moved out by that. */
static err tell_moved(void *context, const struct audience_move *moved)
{
    const struct telling *telling = context;
    struct engine *engine = telling->engine;
    if (identity_root(engine->identity, moved->customer) != moved->customer)
        return ERR_OK;
    return journey_moves(engine->move->journeys, moved, 1, true, moment_of(engine, telling->seq),
                         engine->writes);
}

err move_tick(struct engine *engine, uint64_t seq)
{
    struct move *move = engine->move;
    struct telling telling = { engine, seq };
    metric_set(METRIC_JOURNEY_DEFECTS, (int64_t)journey_patrol(move->journeys, PATROL_POSITIONS));
    return move_pending_tell(&move->pending, tell_moved, &telling);
}

uint64_t move_wants_tick(const struct engine *engine)
{
    return move_pending_left_by(&engine->move->pending);
}

void move_commit(struct engine *engine, struct ledger_writes *writes)
{
    struct move *move = engine->move;
    journey_commit(move->journeys, writes);
    move_sources_commit(&move->sources, writes);
    move_pending_commit(&move->pending, writes);
}

/* ---- the keeper ---- */

void move_ran(struct engine *engine)
{
    atomic_store(&engine->move->is_asked, false);
}

static bool is_due(const struct engine *engine)
{
    return journey_next_due_ms(engine->move->journeys) <= wall_clock_now_ms(engine->config.clock);
}

static err append_run(struct engine *engine)
{
    struct buffer records;
    buffer_init(&records, 4096);
    engine_command_write(&records, STR("journey.run"), STR("{}"));
    err error = buffer_status(&records);
    atomic_store(&engine->move->is_asked, true);
    if (error == ERR_OK)
        error = engine_append_wait(engine, buffer_str(&records), 1);
    if (error != ERR_OK)
        atomic_store(&engine->move->is_asked, false);
    buffer_deinit(&records);
    return error;
}

void move_keep(struct engine *engine, int64_t budget_ms)
{
    steady_ns start = steady_now();
    while (!atomic_load(&engine->stopping) && steady_since_ms(start) < budget_ms) {
        if (!atomic_load(&engine->move->is_asked)) {
            if (!is_due(engine) || append_run(engine) != ERR_OK)
                return;
        }
        steady_sleep_ms(1);
    }
}

/* ---- the virtual clock ---- */

static err wait_until_run(struct engine *engine)
{
    err error = ERR_OK;
    do {
        if (is_due(engine) && !atomic_load(&engine->move->is_asked))
            error = append_run(engine);
        while (error == ERR_OK && atomic_load(&engine->move->is_asked)) {
            if (atomic_load(&engine->stopping) || engine->failing[0] != '\0')
                return ERR_UNAVAILABLE;
            steady_sleep_ms(1);
        }
        if (error == ERR_OK)
            error = engine_settle(engine, false, -1);
    } while (error == ERR_OK && is_due(engine));
    return error;
}

/* The audience has judged whoever this tick made due: another tick can tell of it. */
static void ask_settled(const struct engine_state *state, struct engine_question *question)
{
    err *error = question->context;
    *error = audience_settle(state->audience, state->now_ms);
}

static err settle_audience(struct engine *engine)
{
    err answer = ERR_OK;
    struct engine_question question = { .ask = ask_settled, .context = &answer };
    err error = engine_ask_wait(engine, &question);
    return error == ERR_OK ? answer : error;
}

static int64_t next_step_ms(const struct engine *engine, int64_t now_ms, int64_t to_ms)
{
    int64_t longest_ms = (to_ms - now_ms) / 200 > STEP_MS ? (to_ms - now_ms) / 200 : STEP_MS;
    int64_t next_ms = now_ms + longest_ms < to_ms ? now_ms + longest_ms : to_ms;
    int64_t due_ms = journey_next_due_ms(engine->move->journeys);
    int64_t held_ms = atomic_load(&engine->act->next_due_ms);
    if (due_ms > now_ms && due_ms < next_ms)
        next_ms = due_ms;
    return held_ms > now_ms && held_ms < next_ms ? held_ms : next_ms;
}

err move_advance(struct engine *engine, int64_t by_ms)
{
    int64_t now_ms = wall_clock_now_ms(engine->config.clock), to_ms = now_ms + by_ms;
    err error = wait_until_run(engine);
    if (error != ERR_OK)
        return error;
    do {
        int64_t next_ms = next_step_ms(engine, now_ms, to_ms);
        wall_clock_advance(engine->config.clock, next_ms - now_ms);
        now_ms = next_ms;
        error = engine_tick(engine);
        if (error == ERR_OK)
            error = settle_audience(engine);
        do { /* who moved is told a portion at a time */
            if (error == ERR_OK)
                error = engine_tick(engine);
            if (error == ERR_OK)
                error = engine_settle(engine, false, -1);
        } while (error == ERR_OK && move_wants_tick(engine) != 0);
        if (error == ERR_OK)
            error = wait_until_run(engine);
    } while (error == ERR_OK && now_ms < to_ms);
    return error;
}
