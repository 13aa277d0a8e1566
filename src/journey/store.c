/* SPDX-License-Identifier: Apache-2.0 */
/* store: rows of the ledger, and all of it back at the start. Tables: store/tables.h; layouts: docs/journeys.md. */
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

/* ---- out ---- */

static void write_state(const struct journey *journey, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("ramp"), journey->ramp_percent);
    json_member_bool(&writer, STR("test_only"), journey->only_test_users);
    json_member_int(&writer, STR("approved_by"), journey->approved_by);
    json_member_int(&writer, STR("approved_draft"), journey->approved_draft);
    json_member_int(&writer, STR("draft"), journey->draft_number);
    json_member_int(&writer, STR("work"), journey->work);
    json_member_int(&writer, STR("work_version"), journey->work_version);
    if (journey->work_map != NULL)
        json_member_raw(&writer, STR("work_map"), str_from_c(journey->work_map));
    json_member_int(&writer, STR("next_run"), journey->next_run_ms);
    json_member_int(&writer, STR("run_count"), journey->run_count);
    json_member_int(&writer, STR("entered"), (int64_t)journey->entered);
    json_member_int(&writer, STR("day_entered"), (int64_t)journey->day_entered);
    json_member_int(&writer, STR("hour_entered"), (int64_t)journey->hour_entered);
    json_member_int(&writer, STR("day"), journey->day);
    json_member_int(&writer, STR("hour"), journey->hour);
    json_member_int(&writer, STR("next_version"), journey->next_version);
    json_member_text(&writer, STR("reason"), str_from_c(journey->stop_reason));
    json_end_object(&writer);
}

void store_journey(const struct journey *journey, struct ledger_writes *writes)
{
    struct buffer state;
    if (writes == NULL)
        return;
    buffer_init(&state, 65536);
    write_state(journey, &state);
    LEDGER_PUT(writes, LEDGER_JOURNEYS, ledger_int(journey->number), ledger_text(journey->key),
               ledger_int(journey->state), ledger_int(journey->live_version),
               ledger_text(str_from_bytes(journey->text, journey->text_size)),
               ledger_text(buffer_str(&state)), ledger_int(journey->created_ms),
               ledger_int(journey->changed_ms), ledger_int(journey->user_number));
    buffer_deinit(&state);
}

void store_version(const struct version *version, struct ledger_writes *writes)
{
    struct buffer rules;
    struct json_writer writer;
    if (writes == NULL)
        return;
    buffer_init(&rules, (size_t)1 << 20);
    json_writer_init(&writer, &rules);
    json_begin_array(&writer);
    for (uint32_t i = 0; i < version->rule_count; i++)
        json_put_text(&writer, str_from_c(version->rules[i].key));
    json_end_array(&writer);
    LEDGER_PUT(writes, LEDGER_JOURNEY_VERSIONS, ledger_int(version->journey->number),
               ledger_int(version->number), ledger_text(version->body),
               ledger_text(buffer_str(&rules)), ledger_int(version->published_ms),
               ledger_int(version->is_held));
    buffer_deinit(&rules);
}

void store_position(const struct position *position, const char *reason, int64_t closed_ms,
                    struct ledger_writes *writes)
{
    if (writes == NULL)
        return;
    LEDGER_PUT(writes, LEDGER_JOURNEY_POSITIONS, ledger_int((int64_t)position->number),
               ledger_int(position->customer), ledger_int(position->node_born),
               ledger_int(position->journey), ledger_int(position->version),
               ledger_int(position->node),
               ledger_int((int64_t)position->flags << 8 | position->state),
               ledger_int((int64_t)position->visits << 16 | position->goals),
               ledger_int(position->step_rows), ledger_int(position->entered_ms),
               ledger_int(position->since_s), ledger_int(position->due_ms),
               ledger_blob(context_raw(position)),
               ledger_text(str_from_c(reason != NULL && reason[0] == '\0' ? "done" : reason)),
               ledger_int(reason != NULL ? closed_ms : 0));
}

/* One row for all that happened to a position in one record. */
void store_steps(struct journeys *journeys, struct position *position, int64_t at_ms, uint64_t seq,
                 struct ledger_writes *writes)
{
    if (writes == NULL || journeys->steps.size == 0)
        return;
    LEDGER_PUT(writes, LEDGER_JOURNEY_STEPS, ledger_int((int64_t)position->number),
               ledger_int(++position->step_rows), ledger_int(at_ms), ledger_int((int64_t)seq),
               ledger_blob(buffer_str(&journeys->steps)));
    buffer_clear(&journeys->steps);
}

void store_wave(const struct wave *wave, bool members, struct ledger_writes *writes)
{
    if (writes == NULL)
        return;
    if (members) {
        size_t size = roaring_bitmap_portable_size_in_bytes(wave->members);
        char *bytes = memory_alloc(size);
        if (bytes != NULL) {
            roaring_bitmap_portable_serialize(wave->members, bytes);
            LEDGER_PUT(writes, LEDGER_JOURNEY_WAVES, ledger_int((int64_t)wave->number),
                       ledger_int(wave->journey), ledger_int(wave->started_ms),
                       ledger_blob(str_from_bytes(bytes, size)));
            memory_free(bytes);
        }
    }
    LEDGER_PUT(writes, LEDGER_JOURNEY_WAVE_STATES, ledger_int((int64_t)wave->number),
               ledger_int(wave->cursor), ledger_int(wave->not_before_ms),
               ledger_int((int64_t)wave->entered), ledger_int((int64_t)wave->refused));
}

void store_wave_gone(const struct wave *wave, struct ledger_writes *writes)
{
    if (writes == NULL)
        return;
    struct ledger_value key = ledger_int((int64_t)wave->number);
    ledger_delete(writes, LEDGER_JOURNEY_WAVES, &key);
    ledger_delete(writes, LEDGER_JOURNEY_WAVE_STATES, &key);
}

void journey_commit(struct journeys *journeys, struct ledger_writes *writes)
{
    counts_commit(&journeys->counts, writes);
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        struct journey *journey = journeys->journeys[i];
        if (journey == NULL || !journey->is_dirty)
            continue;
        journey->is_dirty = false;
        if (writes != NULL)
            store_journey(journey, writes);
    }
}

/* ---- in ---- */

struct loading {
    struct journeys *journeys;
    struct json_parser *parser;
    struct problem *problem;
    err error;
};

static uint64_t number_in(json_value object, const char *name)
{
    return (uint64_t)json_int(json_get(object, str_from_c(name)), 0);
}

static err read_state(struct journey *journey, json_value state)
{
    journey->ramp_percent = (uint32_t)number_in(state, "ramp");
    journey->only_test_users = json_bool(json_get(state, STR("test_only")), false);
    journey->approved_by = (uint32_t)number_in(state, "approved_by");
    journey->approved_draft = (uint32_t)number_in(state, "approved_draft");
    journey->draft_number = (uint32_t)number_in(state, "draft");
    journey->work = (enum work_kind)number_in(state, "work");
    journey->work_version = (uint32_t)number_in(state, "work_version");
    journey->next_run_ms = json_int(json_get(state, STR("next_run")), INT64_MAX);
    journey->run_count = (uint32_t)number_in(state, "run_count");
    journey->entered = number_in(state, "entered");
    journey->day_entered = number_in(state, "day_entered");
    journey->hour_entered = number_in(state, "hour_entered");
    journey->day = json_int(json_get(state, STR("day")), 0);
    journey->hour = json_int(json_get(state, STR("hour")), 0);
    journey->next_version = (uint32_t)number_in(state, "next_version");
    str reason = json_text(json_get(state, STR("reason")));
    snprintf(journey->stop_reason, sizeof journey->stop_reason, "%.*s", (int)reason.size,
             reason.data != NULL ? reason.data : "");
    json_value map = json_get(state, STR("work_map"));
    if (json_kind(map) == JSON_MISSING)
        return ERR_OK;
    struct buffer text;
    size_t size;
    buffer_init(&text, (size_t)1 << 20);
    json_write_value(&text, map);
    buffer_append_byte(&text, 0);
    journey->work_map = buffer_take(&text, &size);
    buffer_deinit(&text);
    return journey->work_map != NULL ? ERR_OK : ERR_NOMEM;
}

static bool load_journey(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct journeys *journeys = loading->journeys;
    struct journey *journey = NULL;
    json_value root;
    loading->error = journey_new(journeys, (uint16_t)values[0].integer, values[1].bytes, &journey);
    if (loading->error == ERR_OK && values[4].bytes.size > 0) {
        loading->error = json_parse(loading->parser, values[4].bytes, &root, loading->problem);
        if (loading->error == ERR_OK)
            loading->error = journey_take_text(journey, root);
    }
    if (loading->error == ERR_OK)
        loading->error = json_parse(loading->parser, values[5].bytes, &root, loading->problem);
    if (loading->error == ERR_OK)
        loading->error = read_state(journey, root);
    if (loading->error != ERR_OK)
        return false;
    journey->state = (enum journey_state)values[2].integer;
    journey->live_version = (uint32_t)values[3].integer;
    journey->created_ms = values[6].integer;
    journey->changed_ms = values[7].integer;
    journey->user_number = (uint32_t)values[8].integer;
    return true;
}

/* It was checked when it was published: what it names may be gone by now, and the rules are held. */
static bool trust_segment(void *context, str key)
{
    (void)context;
    (void)key;
    return true;
}

static err trust_rule(void *context, json_value rule, struct problem *problem)
{
    (void)context;
    (void)rule;
    (void)problem;
    return ERR_OK;
}

static err parse_trusted(struct journeys *journeys, json_value body, struct version **version,
                         struct problem *problem)
{
    const struct journey_world *world = journeys->world;
    struct journey_world trusting = *world;
    trusting.has_segment = trust_segment;
    trusting.rule_check = trust_rule;
    journeys->world = &trusting;
    err error = version_parse(journeys, body, version, problem);
    journeys->world = world;
    return error;
}

static bool load_version(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct journey *journey = loading->journeys->journeys[values[0].integer];
    struct version *version = NULL;
    json_value root, key;
    loading->error = json_parse(loading->parser, values[2].bytes, &root, loading->problem);
    if (loading->error == ERR_OK)
        loading->error = parse_trusted(loading->journeys, root, &version, loading->problem);
    if (loading->error == ERR_OK)
        loading->error = version_add(journey, version);
    if (loading->error == ERR_OK)
        loading->error = json_parse(loading->parser, values[3].bytes, &root, loading->problem);
    if (loading->error != ERR_OK)
        return false;
    struct json_iterator iterator = json_iterate(root);
    for (uint32_t i = 0; i < version->rule_count && json_next(&iterator, NULL, &key); i++)
        snprintf(version->rules[i].key, sizeof version->rules[i].key, "%.*s",
                 (int)json_text(key).size, json_text(key).data);
    version->published_ms = values[4].integer;
    version->is_held = values[5].integer != 0;
    return true;
}

static bool wants_entries(const struct version *version)
{
    return version->entry.reentry != REENTRY_ALWAYS;
}

static err load_living(struct journeys *journeys, const struct ledger_value *values,
                       struct version *version)
{
    struct positions *positions = &journeys->positions;
    uint32_t slot;
    positions->number_next = (uint64_t)values[0].integer;
    err error = position_new(positions, (uint32_t)values[1].integer, &slot);
    if (error != ERR_OK)
        return error;
    struct position *position = position_at(positions, slot);
    position->node_born = (uint32_t)values[2].integer;
    position->journey = (uint16_t)values[3].integer;
    position->version = (uint16_t)values[4].integer;
    position->node = (uint16_t)values[5].integer;
    position->state = (uint8_t)(values[6].integer & 0xFF);
    position->flags = (uint8_t)(values[6].integer >> 8);
    position->visits = (uint16_t)(values[7].integer >> 16);
    position->goals = (uint8_t)(values[7].integer & 0xFF);
    position->step_rows = (uint16_t)values[8].integer;
    position->entered_ms = values[9].integer;
    position->since_s = (uint32_t)values[10].integer;
    error = context_set_raw(positions, position, values[12].bytes);
    version->position_count++;
    if (position->state == POSITION_MERGED)
        positions->merged++;
    else
        version->waiting[journey_place(version, position->node)]++;
    positions->failed += position->state == POSITION_FAILED;
    return error == ERR_OK ? position_timer(positions, slot, values[11].integer) : error;
}

static bool load_position(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct journeys *journeys = loading->journeys;
    struct version *version =
        journey_version(journeys->journeys[values[3].integer], (uint32_t)values[4].integer);
    bool is_closed = values[13].bytes.size > 0;
    uint64_t number = (uint64_t)values[0].integer;
    if (version == NULL) {
        loading->error = problem_set(loading->problem, ERR_CORRUPT,
                                     "position %llu is of a version that is not there",
                                     (unsigned long long)number);
        return false;
    }
    uint16_t node = (uint16_t)values[5].integer;
    bool has_entered = node != NODE_ABSENCE;
    if (has_entered && wants_entries(version) && ((values[6].integer >> 8) & POSITION_TEST) == 0) {
        struct cursor cursor = cursor_over(values[12].bytes);
        str key = values[12].bytes.size > 0 ? read_text(&cursor) : STR_NONE;
        loading->error =
            entries_put(&journeys->entries,
                        entry_hash((uint16_t)values[3].integer, (uint32_t)values[2].integer, key),
                        values[9].integer);
    }
    if (loading->error == ERR_OK && !is_closed)
        loading->error = load_living(journeys, values, version);
    journeys->positions.number_next = number + 1;
    return loading->error == ERR_OK;
}

static bool load_counts(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct cursor cursor = cursor_over(values[4].bytes);
    struct count_row row = { .journey = (uint16_t)values[0].integer,
                             .version = (uint16_t)values[1].integer,
                             .node = (uint16_t)(values[2].integer >> 16),
                             .goal = (uint16_t)(values[2].integer & 0xFFFF),
                             .day = (int32_t)values[3].integer };
    for (int kind = 0; kind < COUNT_KIND_COUNT && cursor_left(&cursor) > 0; kind++)
        row.counts[kind] = read_zigzag(&cursor);
    loading->error = counts_load(&loading->journeys->counts, &row);
    return loading->error == ERR_OK;
}

static bool load_conversion(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct conversion row = { .number = (uint64_t)values[0].integer,
                              .journey = (uint16_t)values[1].integer,
                              .version = (uint16_t)values[2].integer,
                              .node = (uint16_t)values[3].integer,
                              .goal = (uint16_t)values[4].integer,
                              .at_ms = values[5].integer,
                              .order_hash = (uint64_t)values[6].integer,
                              .value = values[7].integer,
                              .refunded = values[8].integer };
    loading->error = conversion_load(loading->journeys, &row);
    return loading->error == ERR_OK;
}

static bool load_wave(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    struct journeys *journeys = loading->journeys;
    struct wave *wave = memory_alloc(sizeof *wave), **last = &journeys->waves;
    if (wave == NULL) {
        loading->error = ERR_NOMEM;
        return false;
    }
    wave->number = (uint64_t)values[0].integer;
    wave->journey = (uint16_t)values[1].integer;
    wave->started_ms = values[2].integer;
    wave->members =
        roaring_bitmap_portable_deserialize_safe(values[3].bytes.data, values[3].bytes.size);
    if (wave->members == NULL) {
        memory_free(wave);
        loading->error = ERR_CORRUPT;
        return false;
    }
    wave->size = roaring_bitmap_get_cardinality(wave->members);
    while (*last != NULL)
        last = &(*last)->next;
    *last = wave;
    return true;
}

static bool load_wave_state(void *context, const struct ledger_value *values)
{
    struct loading *loading = context;
    for (struct wave *wave = loading->journeys->waves; wave != NULL; wave = wave->next) {
        if (wave->number != (uint64_t)values[0].integer)
            continue;
        wave->cursor = (uint32_t)values[1].integer;
        wave->not_before_ms = values[2].integer;
        wave->entered = (uint64_t)values[3].integer;
        wave->refused = (uint64_t)values[4].integer;
    }
    return true;
}

err journeys_load(struct journeys *journeys, struct ledger *ledger, struct problem *problem)
{
    static const struct {
        enum ledger_table table;
        ledger_visitor visit;
    } tables[] = {
        { LEDGER_JOURNEYS, load_journey },
        { LEDGER_JOURNEY_VERSIONS, load_version },
        { LEDGER_JOURNEY_POSITIONS, load_position },
        { LEDGER_JOURNEY_COUNTS, load_counts },
        { LEDGER_JOURNEY_CONVERSIONS, load_conversion },
        { LEDGER_JOURNEY_WAVES, load_wave },
        { LEDGER_JOURNEY_WAVE_STATES, load_wave_state },
    };
    struct loading loading = { .journeys = journeys, .problem = problem };
    err error = json_parser_new(&loading.parser, (size_t)8 << 20);
    for (size_t i = 0; error == ERR_OK && i < sizeof tables / sizeof tables[0]; i++) {
        error = ledger_scan(ledger, tables[i].table, NULL, tables[i].visit, &loading, problem);
        if (error == ERR_OK)
            error = loading.error;
    }
    json_parser_free(&loading.parser);
    if (error == ERR_OK)
        error = interests_make(journeys);
    due_changed(journeys);
    return error;
}
