/* SPDX-License-Identifier: Apache-2.0 */
/* act: touches beside apply: the live world that gates and templates ask, and what each record means for them; see act.h. */
#include "engine/act/act.h"
#include "engine/children.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/logline.h"
#include "base/metric.h"
#include "base/zone.h"
#include "engine/act/act_inside.h"
#include "engine/move/move.h"
#include "engine/state.h"

#define VALUES_BYTES_MAX ((size_t)16 << 20)
#define ROWS_MAX 64
#define RUN_AT_TICK 20000

/* ---- the world ---- */

static size_t world_nodes(void *context, uint32_t customer, uint32_t *nodes, size_t max)
{
    const struct engine *engine = context;
    return identity_nodes(engine->identity, customer, nodes, max);
}

static uint32_t world_root(void *context, uint32_t node)
{
    const struct engine *engine = context;
    return identity_root(engine->identity, node);
}

/* Numbers are given in the order of birth. */
static uint32_t world_first_node(void *context, uint32_t customer)
{
    uint32_t nodes[64], first = customer;
    size_t count = world_nodes(context, customer, nodes, 64);
    for (size_t i = 0; i < count && i < 64; i++)
        first = nodes[i] < first ? nodes[i] : first;
    return first;
}

static bool world_consent(void *context, uint32_t customer, str name, bool *granted)
{
    const struct engine *engine = context;
    uint32_t few[64], *nodes = few;
    size_t count = world_nodes(context, customer, nodes, 64);
    *granted = false;
    if (count > 64) {
        nodes = memory_alloc(count * sizeof(*nodes));
        if (nodes == NULL)
            return true; /* without memory nothing is granted */
        count = world_nodes(context, customer, nodes, count);
    }
    bool known = str_equal(name, STR(PURPOSE_CHILDREN))
                     ? engine_keeps_child(engine, nodes, count)
                     : profile_consent(engine->profile, nodes, count, name, granted);
    if (nodes != few)
        memory_free(nodes);
    return known;
}

static bool row_fits(const struct identity_row_view *row, str type, str namespace_)
{
    return (type.size == 0 || str_equal(row->type, type)) &&
           (namespace_.size == 0 || str_equal(row->namespace_, namespace_)) && !row->is_shared &&
           (row->flags & (IDENTIFIER_BLOCKED | (type.size > 0 ? IDENTIFIER_HASHED : 0))) == 0;
}

/* Verified before claimed, then the newest known; of equal ones the older row, so that no two replays differ. Last seen is no
 * part of it: it depends on what was read at the start. */
static bool is_better(const struct identity_row_view *row, const struct identity_row_view *best)
{
    bool verified = (row->flags & IDENTIFIER_VERIFIED) != 0;
    bool best_verified = (best->flags & IDENTIFIER_VERIFIED) != 0;
    if (verified != best_verified)
        return verified;
    if (row->attached_ms / SECOND_MS != best->attached_ms / SECOND_MS)
        return row->attached_ms > best->attached_ms;
    return row->row < best->row;
}

static bool world_recipient(void *context, uint32_t customer, str type, str namespace_, bool plain,
                            struct touch_recipient *recipient)
{
    const struct engine *engine = context;
    struct identity_row_view best = { .row = 0 };
    uint32_t rows[ROWS_MAX];
    size_t count = identity_rows(engine->identity, customer, rows, ROWS_MAX);
    (void)plain; /* the sender reads it once it is committed */
    for (size_t i = 0; i < count && i < ROWS_MAX; i++) {
        struct identity_row_view row = { .row = 0 };
        if (!identity_row_state(engine->identity, rows[i], &row) ||
            !row_fits(&row, type, namespace_))
            continue;
        if (best.row == 0 || is_better(&row, &best))
            best = row;
    }
    *recipient = (struct touch_recipient){ .row = best.row };
    return best.row != 0;
}

static bool world_in_segment(void *context, uint32_t customer, str key)
{
    struct engine *engine = context;
    uint32_t found = 0;
    size_t count = 0;
    struct audience_moment moment = { .seq = engine->applied_seq + 1, .now_ms = engine->now_ms };
    if (audience_before(engine->audience, customer, moment) != ERR_OK)
        return false;
    err error = audience_members(engine->audience, AUDIENCE_SEGMENT, key, STR_NONE, customer - 1,
                                 &found, 1, &count);
    return error == ERR_OK && count == 1 && found == customer;
}

/* ---- zones: hers by her trait, else the workspace's ---- */

static const struct zone *zone_named(struct act *act, str name)
{
    for (size_t i = 0; i < act->zone_count; i++)
        if (str_equal(str_from_c(act->zones[i]->name), name))
            return act->zones[i];
    struct problem problem = { .error = ERR_OK };
    struct zone *zone;
    if (act->zone_count == ACT_ZONES_MAX || zone_load(&zone, name, &problem) != ERR_OK)
        return NULL;
    act->zones[act->zone_count++] = zone;
    return zone;
}

static int32_t world_zone_offset(void *context, uint32_t customer, int64_t at_ms)
{
    struct engine *engine = context;
    struct act *act = engine->act;
    const struct zone *zone = NULL;
    uint32_t nodes[64];
    if (customer != 0 && act->has_zones) {
        size_t count = world_nodes(context, customer, nodes, 64);
        buffer_clear(&act->value_text);
        if (profile_trait(engine->profile, nodes, count < 64 ? count : 64, STR("timezone"),
                          &act->value_text) &&
            act->value_text.size > 2)
            zone = zone_named(act,
                              str_slice(buffer_str(&act->value_text), 1, act->value_text.size - 1));
    }
    if (zone == NULL)
        zone = act->zone;
    return zone_offset_seconds(zone, at_ms);
}

/* ---- values ---- */

static void put_text(struct act *act, str text, struct template_value *value)
{
    if (arena_dup(&act->values, text, &value->text) == ERR_OK)
        value->kind = TEMPLATE_TEXT;
}

static struct json_parser *next_parser(struct act *act)
{
    struct json_parser **place = &act->parsers[act->parser_next++ % ACT_PARSERS];
    if (*place == NULL && json_parser_new(place, (size_t)1 << 20) != ERR_OK)
        *place = NULL;
    return *place;
}

static void put_json(struct engine *engine, str json, struct template_value *value)
{
    struct act *act = engine->act;
    struct json_parser *parser = next_parser(act);
    struct problem problem = { .error = ERR_OK };
    json_value root;
    str plain;
    if (parser == NULL || json_parse(parser, json, &root, &problem) != ERR_OK)
        return;
    str sealed = json_text(json_get(root, STR("$sealed")));
    switch (json_kind(root)) {
    case JSON_TEXT:
        put_text(act, json_text(root), value);
        break;
    case JSON_INT:
    case JSON_DOUBLE:
        value->kind = TEMPLATE_NUMBER;
        value->number =
            (int64_t)(json_double(root, 0) * 1e6 + (json_double(root, 0) < 0 ? -0.5 : 0.5));
        break;
    case JSON_BOOL:
        value->kind = TEMPLATE_BOOL;
        value->number = json_bool(root, false);
        break;
    case JSON_OBJECT:
        if (sealed.size > 0) {
            if (keys_unseal(engine->keys, &act->values, sealed, &plain, &problem) == ERR_OK)
                put_text(act, plain, value);
            break;
        }
        value->kind = TEMPLATE_JSON;
        value->json = root;
        break;
    case JSON_ARRAY:
        value->kind = TEMPLATE_JSON;
        value->json = root;
        break;
    case JSON_MISSING:
    case JSON_NULL:
    default:
        break;
    }
}

static void tag_value(struct engine *engine, uint32_t customer, str key,
                      struct template_value *value)
{
    struct act *act = engine->act;
    struct json_writer writer;
    struct problem problem = { .error = ERR_OK };
    struct json_parser *parser = next_parser(act);
    json_value root;
    buffer_clear(&act->value_text);
    json_writer_init(&writer, &act->value_text);
    json_begin_object(&writer);
    err error = audience_write_customer(engine->audience, customer, &writer);
    json_end_object(&writer);
    if (error != ERR_OK || parser == NULL ||
        json_parse(parser, buffer_str(&act->value_text), &root, &problem) != ERR_OK)
        return;
    struct buffer one;
    buffer_init(&one, 65536);
    json_value found = json_get(json_get(root, STR("tags")), key);
    if (json_kind(found) != JSON_MISSING) {
        json_write_value(&one, found);
        put_json(engine, buffer_str(&one), value);
    }
    buffer_deinit(&one);
}

/* When she is late by her own rhythm: half as long again as the mean between her orders, after the last. Who has one order has no
 * rhythm yet. */
static void late_value(struct act *act, const struct profile_summary *summary,
                       struct template_value *value)
{
    char text[TIME_TEXT_BYTES];
    value->kind = TEMPLATE_MISSING;
    if (summary->orders < 2 || summary->last_order_ms <= summary->first_order_ms)
        return;
    int64_t mean_ms = (summary->last_order_ms - summary->first_order_ms) / (summary->orders - 1);
    time_format_utc(summary->last_order_ms + mean_ms + mean_ms / 2, text);
    put_text(act, str_from_c(text), value);
}

static void summary_value(struct engine *engine, const uint32_t *nodes, size_t count, str name,
                          struct template_value *value)
{
    struct profile_summary summary;
    profile_summarise(engine->profile, nodes, count, &summary);
    value->kind = TEMPLATE_NUMBER;
    if (str_equal(name, STR("orders")))
        value->number = (int64_t)summary.orders * 1000000;
    else if (str_equal(name, STR("revenue")))
        value->number = summary.revenue * 1000000;
    else if (str_equal(name, STR("late_at")))
        late_value(engine->act, &summary, value);
    else
        value->kind = TEMPLATE_MISSING;
}

void engine_values_look_through(struct engine *engine, const struct value_lens *lens)
{
    engine->act->lens = lens;
}

/* May who looks have this value? A trait is known by the source that decided it. */
static bool fills_in(struct engine *engine, const uint32_t *nodes, size_t count, str path)
{
    struct act *act = engine->act;
    struct profile_view view;
    uint32_t source = 0;
    if (act->lens == NULL)
        return true;
    if (str_starts_with(path, STR("customer."))) {
        str name = str_slice(path, 9, path.size);
        if (profile_view_take(engine->profile, nodes, count, &act->values, &view) != ERR_OK)
            return false;
        const struct profile_trait_view *trait =
            profile_view_trait(&view, str_slice(name, 0, str_find_byte(name, '.')));
        source = trait != NULL ? trait->source : 0;
    }
    return act->lens->fills_in(act->lens->context, path, source);
}

void act_value(struct engine *engine, uint32_t customer, str path, struct template_value *value)
{
    struct act *act = engine->act;
    uint32_t nodes[64];
    size_t count = identity_nodes(engine->identity, customer, nodes, 64);
    count = count < 64 ? count : 64;
    *value = (struct template_value){ .kind = TEMPLATE_MISSING };
    if (!fills_in(engine, nodes, count, path))
        return;
    if (str_equal(path, STR("one_id"))) {
        char one_id[ONE_ID_BYTES + 1];
        keys_one_id(engine->keys, customer, one_id);
        put_text(act, str_from_c(one_id), value);
    } else if (str_starts_with(path, STR("customer."))) {
        buffer_clear(&act->value_text);
        if (profile_trait(engine->profile, nodes, count, str_slice(path, 9, path.size),
                          &act->value_text))
            put_json(engine, buffer_str(&act->value_text), value);
    } else if (str_starts_with(path, STR("tag."))) {
        tag_value(engine, customer, str_slice(path, 4, path.size), value);
    } else if (str_starts_with(path, STR("summary."))) {
        summary_value(engine, nodes, count, str_slice(path, 8, path.size), value);
    }
}

void act_values_reset(struct engine *engine)
{
    arena_reset(&engine->act->values);
}

static void world_value(void *context, uint32_t customer, str path, struct template_value *value)
{
    act_value(context, customer, path, value);
}

/* ---- life ---- */

static err moved(void *context, const struct touch_change *change, struct touch_moment moment,
                 struct ledger_writes *writes)
{
    struct engine *engine = context;
    struct act *act = engine->act;
    return act->moved != NULL ? act->moved(engine, change, moment, writes) : ERR_OK;
}

static void tell_news(void *context, uint32_t touch, str status, str reason)
{
    news_touch(context, touch, status, reason);
}

void act_on_moved(struct engine *engine,
                  err (*told)(struct engine *engine, const struct touch_change *change,
                              struct touch_moment moment, struct ledger_writes *writes))
{
    engine->act->moved = told;
}

struct touches *act_touches(const struct engine *engine)
{
    return engine->act->touches;
}

const struct touch_world *act_world(struct engine *engine)
{
    return &engine->act->world;
}

/* One that is not there changes nothing: the door checks names. */
static bool take_zone(struct act *act, str name)
{
    struct problem problem = { .error = ERR_OK };
    struct zone *zone;
    if (name.size == 0 || name.size >= sizeof act->zone_name ||
        zone_load(&zone, name, &problem) != ERR_OK)
        return false;
    zone_free(&act->zone);
    act->zone = zone;
    snprintf(act->zone_name, sizeof act->zone_name, STR_FMT, STR_ARG(name));
    return true;
}

err act_new(struct engine *engine)
{
    struct act *act = memory_alloc(sizeof *act);
    if (act == NULL)
        return ERR_NOMEM;
    engine->act = act;
    act->engine = engine;
    arena_init(&act->values, "act_values", VALUES_BYTES_MAX);
    buffer_init(&act->value_text, (size_t)8 << 20);
    act->world = (struct touch_world){
        .context = engine,
        .consent = world_consent,
        .recipient = world_recipient,
        .in_segment = world_in_segment,
        .value = world_value,
        .zone_offset_seconds = world_zone_offset,
        .root = world_root,
        .first_node = world_first_node,
        .nodes = world_nodes,
    };
    atomic_store(&act->next_due_ms, INT64_MAX);
    return take_zone(act, STR("Asia/Shanghai")) ? ERR_OK : ERR_NOMEM;
}

static bool load_zone(void *context, const struct ledger_value *values)
{
    str text = values[1].bytes; /* JSON */
    if (str_equal(values[0].bytes, STR("workspace.zone")) && text.size > 2)
        (void)take_zone(context, str_slice(text, 1, text.size - 1));
    return true;
}

void act_setting_changed(struct engine *engine, str key, json_value value)
{
    struct act *act = engine->act;
    struct problem problem = { .error = ERR_OK };
    children_setting(engine, key, value);
    if (str_equal(key, STR("workspace.zone")) && take_zone(act, json_text(value)) &&
        act->channels != NULL &&
        channels_set_zone(act->channels, act->zone_name, &problem) != ERR_OK)
        log_line(LOG_WARN, "channels_zone_kept", "reason=\"%s\"", problem.detail);
    if (str_equal(key, STR("workspace.zone")) && act->outgoing != NULL)
        atomic_store(&act->accounts_changed, true); /* senders hear of it by their accounts */
}

str act_zone(const struct engine *engine)
{
    return str_from_c(engine->act->zone_name);
}

/* The seed is the folder's: a replay with its keys draws the same hold-outs and makes the same keys. */
err act_load(struct engine *engine, struct problem *problem)
{
    struct act *act = engine->act;
    struct touches_config config = {
        .world = &act->world,
        .moved = moved,
        .ready = act_ready,
        .told = tell_news,
        .context = engine,
        .seed = keys_seed(engine->keys, STR("touch")),
    };
    act->has_zones = true;
    err error = touches_new(&act->touches, &config);
    if (error == ERR_OK)
        error = ledger_scan(engine->ledger, LEDGER_SETTINGS, NULL, load_zone, act, problem);
    if (error == ERR_OK)
        error = children_load(engine, problem);
    if (error == ERR_OK)
        error = touches_load(act->touches, engine->ledger, problem);
    return error;
}

void act_free(struct engine *engine)
{
    struct act *act = engine->act;
    if (act == NULL)
        return;
    touches_free(&act->touches);
    for (size_t i = 0; i < ACT_PARSERS; i++)
        json_parser_free(&act->parsers[i]);
    for (size_t i = 0; i < act->zone_count; i++)
        zone_free(&act->zones[i]);
    zone_free(&act->zone);
    buffer_deinit(&act->value_text);
    arena_deinit(&act->values);
    memory_free(act);
    engine->act = NULL;
}

/* ---- from apply ---- */

static struct touch_moment moment_of(const struct engine *engine, uint64_t seq)
{
    return (struct touch_moment){ .seq = seq, .now_ms = engine->now_ms };
}

/* Could it change what waits for her: a decision, another identifier, another root? */
static bool may_concern(const struct event *event, const struct identity_outcome *who)
{
    return who->merge_count > 0 || who->adopted || event->trait_count > 0 ||
           event->kind == EVENT_BIND || event->kind == EVENT_UNBIND ||
           event->kind == EVENT_IDENTIFY || str_contains(event->type, STR("Consent")) ||
           str_contains(event->type, STR("ubscri"));
}

err act_event(struct engine *engine, const struct event *event, const struct identity_outcome *who)
{
    struct touches *touches = engine->act->touches;
    struct touch_moment moment = moment_of(engine, event->seq);
    if (who->node == 0)
        return ERR_OK;
    err error = touch_event(touches, who->node, event, moment, engine->writes);
    if (error == ERR_OK && may_concern(event, who))
        error = touch_customer_changed(touches, who->customer, moment, engine->writes);
    return error;
}

err act_customer(struct engine *engine, uint32_t customer, uint64_t seq)
{
    return touch_customer_changed(engine->act->touches, customer, moment_of(engine, seq),
                                  engine->writes);
}

err act_tick(struct engine *engine, uint64_t seq)
{
    bool more;
    return touch_run_due(engine->act->touches, RUN_AT_TICK, moment_of(engine, seq), engine->writes,
                         &more);
}

/* The gauges stand in the order of the statuses. */
_Static_assert(METRIC_TOUCHES_UNCERTAIN - METRIC_TOUCHES_QUEUED == TOUCH_UNCERTAIN,
               "a gauge for each status of a touch");

static void show_counts(const struct engine *engine)
{
    struct touch_status_counts counts;
    struct journeys_status journeys;
    touch_status(engine->act->touches, &counts);
    journeys_status(move_journeys(engine), &journeys);
    for (int status = 0; status < TOUCH_STATUS_COUNT; status++)
        metric_set((enum metric)(METRIC_TOUCHES_QUEUED + status),
                   (int64_t)counts.by_status[status]);
    metric_set(METRIC_JOURNEY_POSITIONS, (int64_t)journeys.positions);
    metric_set(METRIC_JOURNEY_POSITIONS_FAILED, (int64_t)journeys.failed);
}

void act_show(struct engine *engine)
{
    struct act *act = engine->act;
    show_counts(engine);
    atomic_store_explicit(&act->next_due_ms, touch_next_due_ms(act->touches), memory_order_relaxed);
    act_values_reset(engine);
}
