/* SPDX-License-Identifier: Apache-2.0 */
/* enter: may she, and then she is in. One place for every way in. */
#include <string.h>

#include "journey/state.h"

#define CONTROL_MS_MIN (30 * DAY_MS)
#define NODES_MAX 256
#define JOINS_MAX 10000 /* in one record */

/* J5: of her first node, so that a merge does not change it. */
double journey_chance(const struct journeys *journeys, uint32_t customer, str journey, str what)
{
    uint32_t first = journeys->world->first_node(journeys->world->context, customer);
    uint64_t hash = hash_bytes64(journey.data, journey.size, journeys->config.seed);
    hash = hash_bytes64(what.data, what.size, hash);
    return (double)(hash_mix64(hash ^ hash_mix64(first)) >> 11) * 0x1p-53;
}

/* ---- what is remembered of the event ---- */

static bool is_kept(const struct version *version, str property)
{
    for (uint32_t i = 0; i < version->kept_count; i++)
        if (str_equal(version->kept[i], property))
            return true;
    return false;
}

static err write_kept(struct journeys *journeys, const struct version *version, json_value props,
                      bool all, struct buffer *out)
{
    struct json_writer writer;
    struct json_iterator iterator = json_iterate(props);
    json_value value;
    str key;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    while (json_next(&iterator, &key, &value)) {
        if (!all && !is_kept(version, key))
            continue;
        buffer_clear(&journeys->text);
        json_write_value(&journeys->text, value);
        if (out->size + key.size + journeys->text.size + 8 > JOURNEY_CONTEXT_MAX)
            continue;
        json_put_key(&writer, key);
        json_put_raw(&writer, buffer_str(&journeys->text));
    }
    json_end_object(&writer);
    return buffer_status(out);
}

static bool has_touches(const struct version *version)
{
    for (uint16_t i = 0; i < version->node_count; i++)
        if (version->nodes[i].channel.size > 0)
            return true;
    return false;
}

/* What the definition names comes first, then, for templates, the rest as far as it fits. */
err keep_of_event(struct journeys *journeys, const struct version *version, json_value props,
                  struct buffer *out)
{
    buffer_clear(out);
    if (version->kept_count == 0 && !has_touches(version))
        return ERR_OK;
    if (has_touches(version)) {
        buffer_clear(&journeys->scratch);
        json_write_value(&journeys->scratch, props);
        if (journeys->scratch.size <= JOURNEY_CONTEXT_MAX)
            return write_kept(journeys, version, props, true, out);
    }
    return write_kept(journeys, version, props, false, out);
}

/* ---- may she? ---- */

struct already {
    uint32_t count; /* in this journey now */
    bool same_key;
};

static struct already already_in(const struct journeys *journeys, const struct entering *entering)
{
    const struct positions *positions = &journeys->positions;
    struct already already = { .count = 0 };
    for (uint32_t slot = position_first(positions, entering->customer); slot != NONE;
         slot = position_at(positions, slot)->next) {
        const struct position *position = position_at(positions, slot);
        struct context context;
        if (position->journey != entering->journey->number || position->state == POSITION_MERGED ||
            position->node == NODE_AFTER)
            continue;
        already.count++;
        context_read(position, &context);
        already.same_key = already.same_key || str_equal(context.key, entering->key);
    }
    return already;
}

/* When did she enter last, by any of her nodes? */
static bool entered_before(const struct journeys *journeys, const struct entering *entering,
                           int64_t *at_ms)
{
    const struct journey_world *world = journeys->world;
    uint32_t nodes[NODES_MAX];
    size_t count = world->nodes(world->context, entering->customer, nodes, NODES_MAX);
    bool found = false;
    *at_ms = INT64_MIN;
    for (size_t i = 0; i < count && i < NODES_MAX; i++) {
        int64_t one_ms;
        uint64_t hash = entry_hash(entering->journey->number, nodes[i], entering->key);
        if (!entries_get(&journeys->entries, hash, &one_ms))
            continue;
        found = true;
        *at_ms = one_ms > *at_ms ? one_ms : *at_ms;
    }
    return found;
}

static bool may_enter_again(const struct journeys *journeys, const struct version *version,
                            const struct entering *entering)
{
    int64_t last_ms;
    if (version->entry.reentry == REENTRY_ALWAYS || !entered_before(journeys, entering, &last_ms))
        return true;
    return version->entry.reentry == REENTRY_AFTER &&
           entering->at_ms - last_ms >= version->entry.reentry_after_ms;
}

static void count_windows(const struct journeys *journeys, struct journey *journey, int64_t at_ms)
{
    int64_t day = journey_local_day(journeys, at_ms), hour = at_ms / HOUR_MS;
    if (journey->day != day)
        journey->day_entered = 0;
    if (journey->hour != hour)
        journey->hour_entered = 0;
    journey->day = day;
    journey->hour = hour;
}

static const char *over_cap(const struct version *version, const struct journey *journey)
{
    const struct entry *entry = &version->entry;
    if (entry->total_max > 0 && journey->entered >= entry->total_max)
        return "cap_total";
    if (entry->day_max > 0 && journey->day_entered >= entry->day_max)
        return "cap_day";
    if (entry->hour_max > 0 && journey->hour_entered >= entry->hour_max)
        return "cap_hour";
    return "";
}

static bool in_segment(const struct journeys *journeys, uint32_t customer, str key)
{
    return journeys->world->in_segment(journeys->world->context, customer, key);
}

static const char *conditions(struct journeys *journeys, const struct version *version,
                              const struct entering *entering)
{
    const struct entry *entry = &version->entry;
    str name;
    if (entry->segment.size > 0 && !in_segment(journeys, entering->customer, entry->segment))
        return "not_in_segment";
    if (entry->rule != NONE &&
        !in_segment(journeys, entering->customer, str_from_c(version->rules[entry->rule].key)))
        return "rule";
    return exit_holds(journeys, version, entering->customer, &name) ? "exit_rule" : "";
}

static const char *refusal_of(struct journeys *journeys, const struct version *version,
                              const struct entering *entering)
{
    struct journey *journey = entering->journey;
    struct already already = already_in(journeys, entering);
    if (entering->is_anyway)
        return "";
    const char *kept_out = enter_kept_out(journeys, version, entering->customer);
    if (kept_out[0] != '\0')
        return kept_out;
    if (already.same_key)
        return "already_in";
    if (already.count >= version->entry.parallel_max)
        return "parallel";
    if (entering->is_test)
        return "";
    if (journey->only_test_users &&
        !in_segment(journeys, entering->customer, journey->test_segment))
        return "not_a_test_user";
    if (journey->ramp_percent < 100 &&
        journey_chance(journeys, entering->customer, journey->key, STR("$ramp")) * 100 >=
            journey->ramp_percent)
        return "ramp";
    if (!may_enter_again(journeys, version, entering))
        return "entered_before";
    const char *refusal = conditions(journeys, version, entering);
    if (refusal[0] != '\0')
        return refusal;
    count_windows(journeys, journey, entering->at_ms);
    return over_cap(version, journey);
}

static bool is_in_control(const struct journeys *journeys, const struct version *version,
                          const struct entering *entering)
{
    return !entering->is_test && !entering->is_anyway && version->entry.hold_out_millionths > 0 &&
           journey_chance(journeys, entering->customer, entering->journey->key, STR("$hold_out")) *
                   1e6 <
               (double)version->entry.hold_out_millionths;
}

const char *enter_refusal(struct journeys *journeys, const struct entering *entering)
{
    const struct version *version = live_version(entering->journey);
    const char *refusal = version != NULL ? refusal_of(journeys, version, entering) : "not_live";
    return refusal[0] == '\0' && is_in_control(journeys, version, entering) ? "held_out" : refusal;
}

/* ---- then she is in ---- */

static err remember_entry(struct journeys *journeys, const struct version *version,
                          const struct entering *entering)
{
    struct journey *journey = entering->journey;
    journey->entered++;
    journey->day_entered++;
    journey->hour_entered++;
    if (version->entry.reentry == REENTRY_ALWAYS || entering->is_test)
        return ERR_OK;
    return entries_put(&journeys->entries,
                       entry_hash(journey->number, entering->node_born, entering->key),
                       entering->at_ms);
}

static err begin(struct walk *walk, const struct entering *entering)
{
    const struct version *version = walk->version;
    const struct trigger *trigger = &version->trigger;
    int64_t window_ms =
        version->goal_window_ms > CONTROL_MS_MIN ? version->goal_window_ms : CONTROL_MS_MIN;
    if (is_in_control(walk->journeys, version, entering)) {
        journey_walk_step(walk, STEP_HELD_OUT, NODE_CONTROL, "", STR_NONE);
        err error = journey_walk_count(walk, NODE_CONTROL, COUNT_ENTERED, 1);
        return error == ERR_OK ? journey_walk_stay(walk, NODE_CONTROL, walk->at_ms + window_ms)
                               : error;
    }
    journey_walk_step(walk, STEP_ENTERED, NODE_START, trigger_kind_text(trigger->kind),
                      entering->key);
    err error = journey_walk_count(walk, NODE_START, COUNT_ENTERED, 1);
    int64_t due_ms = walk->at_ms;
    if (trigger->kind == TRIGGER_DATE && trigger->offset_ms > 0)
        due_ms += trigger->offset_ms;
    if (trigger->of_customer) {
        int64_t minutes =
            trigger->schedule.minutes != 0 ? __builtin_ctzll(trigger->schedule.minutes) : 0;
        int64_t hours = trigger->schedule.hours != 0 ? __builtin_ctz(trigger->schedule.hours) : 10;
        struct calendar hers = { .has_time = true,
                                 .of_customer = true,
                                 .second_of_day = (int32_t)(hours * 3600 + minutes * 60) };
        due_ms = calendar_next(walk->journeys, &hers, entering->customer, due_ms);
    }
    if (error != ERR_OK || due_ms > walk->at_ms)
        return error == ERR_OK ? journey_walk_stay(walk, NODE_START, due_ms) : error;
    return journey_walk_from(walk, version->start);
}

static err place(struct journeys *journeys, const struct version *version,
                 const struct entering *entering, uint32_t *slot)
{
    err error = position_new(&journeys->positions, entering->customer, slot);
    if (error != ERR_OK)
        return error;
    struct position *position = position_at(&journeys->positions, *slot);
    position->journey = entering->journey->number;
    position->version = (uint16_t)version->number;
    position->node = NODE_START;
    position->node_born = entering->node_born != 0 ? entering->node_born : entering->customer;
    position->entered_ms = entering->at_ms;
    position->flags = entering->is_test ? POSITION_TEST : 0;
    struct context context = { .key = entering->key, .event = entering->event };
    return context_write(&journeys->positions, position, &context);
}

err journey_enter_one(struct journeys *journeys, const struct entering *entering,
                      const char **refusal, uint64_t *number)
{
    struct version *version = live_version(entering->journey);
    uint32_t slot;
    struct walk walk;
    *number = 0;
    *refusal = version == NULL || (entering->journey->state != JOURNEY_LIVE_STATE &&
                                   !(entering->is_test && entering->journey->live_version != 0))
                   ? "not_live"
                   : refusal_of(journeys, version, entering);
    if ((*refusal)[0] != '\0')
        return version != NULL
                   ? counts_add(journeys, version, NODE_START, 0, entering->at_ms, COUNT_REFUSED, 1)
                   : ERR_OK;
    err error = remember_entry(journeys, version, entering);
    if (error == ERR_OK)
        error = place(journeys, version, entering, &slot);
    if (error != ERR_OK)
        return error;
    version->position_count++;
    *number = position_at(&journeys->positions, slot)->number;
    since_note(journeys, entering->customer); /* she is in it from its first node on */
    journey_walk_begin(&walk, journeys, slot, entering->moment, entering->at_ms, entering->writes);
    walk.stands = false;
    error = begin(&walk, entering);
    entering->journey->is_dirty = true;
    return journey_walk_end(&walk, error);
}

/* ---- who joins from another journey ---- */

static void drop_joins(struct journeys *journeys)
{
    while (journeys->joins != NULL) {
        struct join *join = journeys->joins;
        journeys->joins = join->next;
        memory_free(join);
    }
    journeys->joins_last = NULL;
}

err enter_joins(struct journeys *journeys, struct journey_moment moment,
                struct ledger_writes *writes)
{
    err error = ERR_OK;
    uint32_t done = 0;
    while (error == ERR_OK && journeys->joins != NULL) {
        struct join *join = journeys->joins;
        const char *refusal;
        uint64_t number;
        journeys->joins = join->next;
        if (journeys->joins == NULL)
            journeys->joins_last = NULL;
        struct entering entering = { .journey = journeys->journeys[join->journey],
                                     .customer = join->customer,
                                     .node_born = join->node_born,
                                     .key = str_from_bytes(join->key, join->key_size),
                                     .event = str_from_bytes(join->event, join->event_size),
                                     .at_ms = moment.now_ms,
                                     .is_test = (join->flags & POSITION_TEST) != 0,
                                     .moment = moment,
                                     .writes = writes };
        journeys->join_depth = join->depth;
        /* Two journeys that join each other for ever: it ends here, and is counted. */
        if (join->depth <= JOIN_DEPTH_MAX && done++ < JOINS_MAX)
            error = journey_enter_one(journeys, &entering, &refusal, &number);
        else
            journeys->defects++;
        memory_free(join);
    }
    journeys->join_depth = 0;
    if (error != ERR_OK)
        drop_joins(journeys);
    return error;
}
