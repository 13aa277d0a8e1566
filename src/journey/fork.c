/* SPDX-License-Identifier: Apache-2.0 */
/* fork: journeys beside the live ones, for what-if: definitions staged in an overlay whose positions are its own, and what is asked
 * of it afterwards. The live room is only read. */
#include <string.h>

#include "journey/state.h"

/* ---- what is to be staged ---- */

static void write_definition(const struct journey *journey, uint32_t version, str body,
                             struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("key"), journey->key);
    json_member_int(writer, STR("version"), version);
    json_member_int(writer, STR("ramp"), journey->ramp_percent);
    json_member_bool(writer, STR("test_only"), journey->only_test_users);
    json_member_raw(writer, STR("journey"), body);
    json_end_object(writer);
}

err journey_write_definition(const struct journeys *journeys, str key, bool draft,
                             struct json_writer *writer)
{
    const struct journey *journey = journey_find(journeys, key);
    if (journey == NULL)
        return ERR_NOT_FOUND;
    const struct version *version = live_version(journey);
    if (draft)
        write_definition(journey, 0, str_from_bytes(journey->text, journey->text_size), writer);
    else if (version == NULL)
        return ERR_CONFLICT;
    else
        write_definition(journey, version->number, version->body, writer);
    return ERR_OK;
}

void journey_write_live_definitions(const struct journeys *journeys, str but,
                                    struct json_writer *writer)
{
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        if (journey == NULL || journey->state != JOURNEY_LIVE_STATE ||
            live_version(journey) == NULL || str_equal(journey->key, but))
            continue;
        write_definition(journey, journey->live_version, live_version(journey)->body, writer);
    }
}

/* ---- staging ---- */

static err hold_rules(struct journeys *overlay, struct version *version, str key, int64_t now_ms,
                      struct problem *problem)
{
    const struct journey_world *world = overlay->world;
    struct journey_moment moment = { .now_ms = now_ms };
    json_value rule;
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < version->rule_count; i++) {
        error = since_parse_rule(overlay, version->rules[i].json, key, &rule, problem);
        if (error == ERR_OK)
            error = world->rule_hold(world->context, rule, moment, NULL, version->rules[i].key,
                                     problem);
    }
    version->is_held = error == ERR_OK;
    return error;
}

err journey_stage(struct journeys *overlay, json_value definition, int64_t now_ms,
                  struct problem *problem)
{
    str key = json_text(json_get(definition, STR("key")));
    json_value body = json_get(definition, STR("journey"));
    uint32_t number = overlay->journey_count > 0 ? overlay->journey_count : 1;
    struct version *version = NULL;
    struct journey *journey;
    overlay->is_overlay = true;
    err error = version_parse(overlay, body, &version, problem);
    if (error != ERR_OK)
        return error;
    error = journey_new(overlay, (uint16_t)number, key, &journey);
    if (error != ERR_OK) {
        version_free(&version);
        return error;
    }
    error = journey_take_text(journey, body);
    if (error == ERR_OK)
        error = version_add(journey, version);
    else
        version_free(&version);
    if (error == ERR_OK)
        error = hold_rules(overlay, version, journey->key, now_ms, problem);
    if (error != ERR_OK)
        return error;
    journey->state = JOURNEY_LIVE_STATE;
    journey->live_version = version->number;
    journey->ramp_percent = (uint32_t)json_int(json_get(definition, STR("ramp")), 100);
    journey->only_test_users = json_bool(json_get(definition, STR("test_only")), false);
    schedule_set(overlay, journey, now_ms - 1);
    error = interests_make(overlay);
    due_changed(overlay);
    return error;
}

/* ---- what it has an ear for ---- */

static void visit_interests(const struct interests *interests,
                            void (*visit)(void *context, str name, bool starts, bool goes_on),
                            void *context)
{
    for (uint32_t i = 0; i < interests->count; i++)
        visit(context, interests->rows[i].name, interests->rows[i].count > 0,
              interests->rows[i].by_positions);
}

void journey_visit_events(const struct journeys *overlay,
                          void (*visit)(void *context, str event, bool starts, bool goes_on),
                          void *context)
{
    visit_interests(&overlay->events, visit, context);
}

void journey_visit_moves(const struct journeys *overlay,
                         void (*visit)(void *context, str name, bool starts, bool goes_on),
                         void *context)
{
    visit_interests(&overlay->moves, visit, context);
}

bool journey_concerns_everybody(const struct journeys *overlay)
{
    for (uint32_t i = 1; i < overlay->journey_count; i++) {
        const struct version *version = live_version(overlay->journeys[i]);
        enum trigger_kind kind = version->trigger.kind;
        if (kind == TRIGGER_SEGMENT || kind == TRIGGER_TAG || kind == TRIGGER_SCHEDULE ||
            kind == TRIGGER_DATE)
            return true;
    }
    return false;
}

bool journey_is_by_hand(const struct journeys *overlay, str key)
{
    const struct journey *journey = journey_find(overlay, key);
    enum trigger_kind kind = live_version(journey)->trigger.kind;
    return kind == TRIGGER_API || kind == TRIGGER_MANUAL;
}

bool journey_has_positions(const struct journeys *overlay, uint32_t customer)
{
    return position_first(&overlay->positions, customer) != NONE;
}

size_t journey_overlay_bytes(const struct journeys *overlay)
{
    return positions_bytes(&overlay->positions) + overlay->entries.capacity * (size_t)12 +
           overlay->counts.capacity * sizeof(struct count_row);
}

/* ---- parts of a run: overlays in which the same was staged, each for some of the customers ---- */

bool journey_overlay_shares(const struct journeys *overlay)
{
    for (uint32_t i = 1; i < overlay->journey_count; i++) {
        const struct journey *journey = overlay->journeys[i];
        const struct version *version = journey != NULL ? live_version(journey) : NULL;
        if (version != NULL && (version->entry.total_max > 0 || version->entry.day_max > 0 ||
                                version->entry.hour_max > 0))
            return true;
    }
    return false;
}

static void absorb_version(struct version *version, const struct version *other)
{
    size_t places = (size_t)journey_place(version, NODE_AFTER) + 1;
    for (size_t place = 0; place < places; place++)
        version->waiting[place] += other->waiting[place];
}

static void absorb_failed(struct journeys *overlay, const struct positions *positions)
{
    for (uint32_t slot = 0; positions->failed > 0 && slot < positions->slot_count; slot++) {
        const struct position *position = position_at(positions, slot);
        if (position->state == POSITION_FAILED)
            overlay->journeys[position->journey]->failed_elsewhere++;
    }
}

err journey_overlay_absorb(struct journeys *overlay, const struct journeys *other)
{
    INVARIANT(overlay->is_overlay && overlay->journey_count == other->journey_count);
    for (uint32_t i = 1; i < overlay->journey_count; i++) {
        struct journey *journey = overlay->journeys[i];
        for (uint32_t k = 0; k < journey->version_count; k++)
            absorb_version(journey->versions[k], other->journeys[i]->versions[k]);
    }
    absorb_failed(overlay, &other->positions);
    return counts_absorb(&overlay->counts, &other->counts);
}

/* ---- by day ---- */

static void write_date(struct json_writer *writer, int32_t day)
{
    char text[TIME_TEXT_BYTES];
    time_format_utc(day * DAY_MS, text);
    json_member_text(writer, STR("day"), str_slice(str_from_c(text), 0, 10));
}

static str node_name(const struct version *version, uint16_t node)
{
    static const char *const places[] = { "$start", "$absence", "$control", "$after" };
    return node < version->node_count ? version->nodes[node].id
                                      : str_from_c(places[node - NODE_START]);
}

static void write_count_row(const struct version *version, const struct count_row *row,
                            struct json_writer *writer)
{
    json_begin_object(writer);
    write_date(writer, row->day);
    json_member_text(writer, STR("node"), node_name(version, row->node));
    if (row->goal != 0)
        json_member_text(writer, STR("goal"), version->goals[row->goal - 1].key);
    for (int kind = 0; kind < COUNT_KIND_COUNT; kind++)
        if (row->counts[kind] != 0 && kind != COUNT_VALUE_SQUARED)
            json_member_int(writer, str_from_c(count_text((enum count_kind)kind)),
                            row->counts[kind]);
    json_end_object(writer);
}

static bool is_asked(const struct journeys *journeys, const struct journey *journey,
                     const struct count_row *row, int64_t from_ms, int64_t to_ms)
{
    return row->journey == journey->number && row->day >= journey_local_day(journeys, from_ms) &&
           row->day <= journey_local_day(journeys, to_ms - 1);
}

err journey_write_days(const struct journeys *journeys, str key, int64_t from_ms, int64_t to_ms,
                       struct json_writer *writer)
{
    const struct journey *journey = journey_find(journeys, key);
    if (journey == NULL)
        return ERR_NOT_FOUND;
    json_begin_array(writer);
    for (uint32_t i = 0; i < journeys->counts.count; i++) {
        const struct count_row *row = &journeys->counts.rows[i];
        const struct version *version = journey_version(journey, row->version);
        if (version != NULL && is_asked(journeys, journey, row, from_ms, to_ms))
            write_count_row(version, row, writer);
    }
    json_end_array(writer);
    return ERR_OK;
}

/* ---- one customer through it ---- */

void journey_overlay_hear(struct journeys *overlay,
                          void (*stepped)(void *context, const struct journey_step *step),
                          void *context)
{
    if (overlay == NULL)
        return;
    overlay->stepped = stepped;
    overlay->stepped_context = context;
}

void fork_tell_steps(struct journeys *overlay, const struct walk *walk)
{
    struct cursor cursor = cursor_over(buffer_str(&overlay->steps));
    while (cursor_left(&cursor) > 0 && !cursor.failed) {
        const struct step_info *info = step_info((enum step_kind)read_u8(&cursor));
        uint16_t node = read_u16(&cursor);
        struct journey_step step = { .at_ms = read_i64(&cursor),
                                     .journey = walk->version->journey->key,
                                     .step = str_from_c(info->text),
                                     .node = node_name(walk->version, node),
                                     .zh = info->zh,
                                     .en = info->en };
        step.what = read_text(&cursor);
        step.detail = read_text(&cursor);
        bool is_named =
            node < walk->version->node_count && walk->version->nodes[node].name.size > 0;
        step.name = is_named ? walk->version->nodes[node].name : step.node;
        if (!cursor.failed)
            overlay->stepped(overlay->stepped_context, &step);
    }
}

/* One instance per value of this property, as when the event starts it. */
static void key_of_event(const struct version *version, json_value event, struct buffer *key)
{
    json_value value = json_path(event, version->trigger.key_path);
    if (version->trigger.key_path.size == 0)
        return;
    if (json_kind(value) == JSON_TEXT)
        buffer_append_str(key, json_text(value));
    else if (json_kind(value) == JSON_INT)
        buffer_printf(key, "%lld", (long long)json_int(value, 0));
}

str journey_try_event(const struct journeys *overlay, str key)
{
    const struct journey *journey = journey_find(overlay, key);
    const struct version *version = journey != NULL ? live_version(journey) : NULL;
    bool is_by_event = version != NULL && (version->trigger.kind == TRIGGER_EVENT ||
                                           version->trigger.kind == TRIGGER_ABSENCE);
    return is_by_event ? version->trigger.match.event : STR_NONE;
}

void journey_try_prepare(struct journeys *overlay, str key)
{
    overlay->tried = journey_find(overlay, key);
    for (uint32_t i = 1; i < overlay->journey_count; i++)
        overlay->journeys[i]->next_run_ms = INT64_MAX;
    due_changed(overlay);
}

err journey_try(struct journeys *overlay, str key, uint32_t customer, str event,
                struct journey_moment moment, const char **refusal)
{
    struct journey *journey = journey_find(overlay, key);
    const struct version *version = journey != NULL ? live_version(journey) : NULL;
    struct buffer kept, position_key;
    const char *none = "";
    json_value props;
    uint64_t number;
    if (version == NULL)
        return ERR_NOT_FOUND;
    buffer_init(&kept, (size_t)64 << 10);
    buffer_init(&position_key, JOURNEY_CONTEXT_MAX);
    err error = ERR_OK;
    if (event.size > 0)
        error = json_parse(overlay->parser, event, &props, NULL);
    if (error == ERR_OK && event.size > 0) {
        key_of_event(version, props, &position_key);
        error = keep_of_event(overlay, version, props, &kept);
    }
    struct entering entering = { .journey = journey,
                                 .customer = customer,
                                 .key = buffer_str(&position_key),
                                 .event = buffer_str(&kept),
                                 .at_ms = moment.now_ms,
                                 .moment = moment };
    if (error == ERR_OK) {
        *refusal = enter_refusal(overlay, &entering);
        entering.is_anyway = true;
        error = journey_enter_one(overlay, &entering, &none, &number);
    }
    if (error == ERR_OK)
        error = enter_joins(overlay, moment, NULL);
    buffer_deinit(&position_key);
    buffer_deinit(&kept);
    due_changed(overlay);
    return error;
}
