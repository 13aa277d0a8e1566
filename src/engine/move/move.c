/* SPDX-License-Identifier: Apache-2.0 */
/* move: journeys beside apply: their life, and what each record means for them; see move.h. */
#include "engine/move/move.h"

#include <string.h>

#include "base/logline.h"
#include "base/metric.h"
#include "engine/move/move_inside.h"

#define LATE_EVENT_MS \
    DAY_MS /* J6: what happened longer ago starts nothing, unless a setting says otherwise */
#define LATE_EVENT_MOST_MS (400 * DAY_MS)
#define ROUNDS_MAX 100         /* what a record brings up, brings up, …: then it ends */
#define PATROL_POSITIONS 20000 /* are looked at with each tick: about a millisecond */

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
    move->world = move_world(move);
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
            error = journey_take_changed(move->journeys, move_tell_audience, &telling);
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
    bool is_history = (event->flags & (EVENT_IMPORTED | EVENT_HISTORICAL)) != 0;
    bool is_late = event->time_ms < engine->now_ms - move->late_ms;
    enum journey_begins begins = is_history ? JOURNEY_BEGINS_NOTHING
                                 : is_late  ? JOURNEY_BEGINS_TOO_LATE
                                            : JOURNEY_BEGINS;
    move->may_start = begins == JOURNEY_BEGINS;
    err error = move_sources_note(&move->sources, engine, event);
    if (error != ERR_OK || who->node == 0)
        return error;
    for (uint32_t i = 0; i < who->merge_count; i++)
        absorbed[i] = who->merges[i].absorbed;
    if (who->merge_count > 0)
        error = journey_merged(move->journeys, who->customer, absorbed, who->merge_count, moment,
                               engine->writes);
    if (error == ERR_OK)
        error = journey_event(move->journeys, who->customer, who->node, event, begins, moment,
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
