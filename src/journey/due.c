/* SPDX-License-Identifier: Apache-2.0 */
/* due: what time does: timers, schedules, waves of many who enter, work over all positions of a journey. All of it in
 * journey.run, a few at a time, save her own timers, which run before anything else about her (journey_before). */
#include <stdlib.h>
#include <string.h>

#include "journey/state.h"

#define HERS_RUN_MAX 1000
#define TIMERS_AT_ONCE 24 /* as many lines as a core waits for together, and a few */

/* ---- when ---- */

void due_changed(struct journeys *journeys)
{
    int64_t next_ms = positions_next_due_ms(&journeys->positions);
    for (const struct wave *wave = journeys->waves; wave != NULL; wave = wave->next)
        if (wave->not_before_ms < next_ms)
            next_ms = wave->not_before_ms;
    for (uint32_t i = 1; i < journeys->journey_count; i++) {
        const struct journey *journey = journeys->journeys[i];
        if (journey == NULL || journey->state == JOURNEY_DELETED_STATE)
            continue;
        if (journey->work != WORK_NONE)
            next_ms = 0;
        if (journey->state == JOURNEY_LIVE_STATE && journey->next_run_ms < next_ms)
            next_ms = journey->next_run_ms;
    }
    atomic_store_explicit(&journeys->next_due_ms, next_ms, memory_order_relaxed);
}

int64_t journey_next_due_ms(const struct journeys *journeys)
{
    return atomic_load_explicit(&journeys->next_due_ms, memory_order_relaxed);
}

/* ---- timers ---- */

err due_run(struct journeys *journeys, uint32_t slot, int64_t due_ms, struct journey_moment moment,
            struct ledger_writes *writes)
{
    struct walk walk;
    bool is_late = moment.now_ms - due_ms > JOURNEY_LATE_MS;
    err error = position_timer(&journeys->positions, slot, INT64_MAX);
    if (error != ERR_OK)
        return error;
    journey_walk_begin(&walk, journeys, slot, moment, is_late ? moment.now_ms : due_ms, writes);
    if (walk.version->journey->state == JOURNEY_PAUSED_STATE) {
        walk.position->flags |= POSITION_STALLED;
        return journey_walk_end(&walk, ERR_OK);
    }
    bool woken = (walk.position->flags & POSITION_WOKEN) != 0;
    return journey_walk_end(&walk, journey_walk_wake(&walk, woken ? WAKE_HAPPENED : WAKE_TIME));
}

/* Of hers, the first that is due; the order of several is that of their times. */
static uint32_t first_due(const struct journeys *journeys, uint32_t customer, int64_t now_ms)
{
    const struct positions *positions = &journeys->positions;
    uint32_t first = NONE;
    for (uint32_t slot = position_first(positions, customer); slot != NONE;
         slot = position_at(positions, slot)->next) {
        const struct position *position = position_at(positions, slot);
        if (position->due_ms > now_ms)
            continue;
        if (first == NONE || position->due_ms < position_at(positions, first)->due_ms)
            first = slot;
    }
    return first;
}

err journey_before(struct journeys *journeys, uint32_t customer, struct journey_moment moment,
                   struct ledger_writes *writes)
{
    err error = ERR_OK;
    if (customer == 0 ||
        atomic_load_explicit(&journeys->next_due_ms, memory_order_relaxed) > moment.now_ms)
        return ERR_OK;
    for (int i = 0; error == ERR_OK && i < HERS_RUN_MAX; i++) {
        uint32_t slot = first_due(journeys, customer, moment.now_ms);
        if (slot == NONE)
            break;
        error = due_run(journeys, slot, position_at(&journeys->positions, slot)->due_ms, moment,
                        writes);
    }
    if (error == ERR_OK)
        error = enter_joins(journeys, moment, writes);
    due_changed(journeys);
    return error;
}

static err run_timers(struct journeys *journeys, uint32_t *left, struct journey_moment moment,
                      struct ledger_writes *writes)
{
    struct positions *positions = &journeys->positions;
    const struct journey_world *world = journeys->world;
    struct timer batch[TIMERS_AT_ONCE];
    size_t count = 1;
    err error = ERR_OK;
    while (error == ERR_OK && *left > 0 && count > 0) {
        size_t next = 0;
        uint32_t slot;
        count = positions_take_batch(positions, moment.now_ms, batch, TIMERS_AT_ONCE);
        if (count > 1)
            positions_fetch(positions, batch, count, world->soon, world->context);
        while (error == ERR_OK && *left > 0 &&
               (slot = positions_next_of_batch(positions, batch, count, &next)) != NONE) {
            --*left;
            error = due_run(journeys, slot, position_at(positions, slot)->due_ms, moment, writes);
            if (error == ERR_OK)
                error = enter_joins(journeys, moment, writes);
        }
        err given = positions_give_back(positions, batch, count, next);
        error = error == ERR_OK ? given : error;
    }
    return error;
}

/* ---- waves ---- */

struct snapshot {
    roaring_bitmap_t *members;
};

static bool take_member(void *visited, uint32_t customer)
{
    struct snapshot *snapshot = visited;
    roaring_bitmap_add(snapshot->members, customer);
    return true;
}

void wave_free(struct wave **wave)
{
    struct wave *gone = *wave;
    *wave = NULL;
    if (gone == NULL)
        return;
    if (gone->members != NULL)
        roaring_bitmap_free(gone->members);
    memory_free(gone);
}

err wave_new(struct journeys *journeys, struct journey *journey, str segment,
             struct journey_moment moment, int64_t not_before_ms, struct ledger_writes *writes,
             struct wave **wave)
{
    struct snapshot snapshot = { .members = roaring_bitmap_create() };
    struct wave *made = memory_alloc(sizeof *made);
    if (snapshot.members == NULL || made == NULL) {
        memory_free(made);
        if (snapshot.members != NULL)
            roaring_bitmap_free(snapshot.members);
        return ERR_NOMEM;
    }
    *made = (struct wave){ .number = journeys->wave_next++,
                           .journey = journey->number,
                           .started_ms = moment.now_ms,
                           .not_before_ms = not_before_ms,
                           .members = snapshot.members };
    err error =
        journeys->world->members(journeys->world->context, segment, moment, take_member, &snapshot);
    if (error != ERR_OK) {
        wave_free(&made);
        return error;
    }
    made->size = roaring_bitmap_get_cardinality(made->members);
    struct wave **last = &journeys->waves;
    while (*last != NULL)
        last = &(*last)->next;
    *last = made;
    store_wave(made, true, writes);
    if (wave != NULL)
        *wave = made;
    due_changed(journeys);
    return ERR_OK;
}

/* The first moment of the next hour or day, when the cap of this one is reached. */
static int64_t cap_over_ms(const struct journeys *journeys, const char *refusal, int64_t now_ms)
{
    if (strcmp(refusal, "cap_hour") == 0)
        return (now_ms / HOUR_MS + 1) * HOUR_MS;
    int64_t local_ms = ((int64_t)journey_local_day(journeys, now_ms) + 1) * DAY_MS;
    return local_to_utc(journeys, local_ms);
}

static err run_wave(struct journeys *journeys, struct wave *wave, uint32_t *left,
                    struct journey_moment moment, struct ledger_writes *writes)
{
    struct journey *journey = journeys->journeys[wave->journey];
    roaring_uint32_iterator_t iterator;
    err error = ERR_OK;
    roaring_init_iterator(wave->members, &iterator);
    if (!roaring_move_uint32_iterator_equalorlarger(&iterator, wave->cursor + 1))
        iterator.has_value = false;
    for (; error == ERR_OK && iterator.has_value && *left > 0;
         roaring_advance_uint32_iterator(&iterator)) {
        const char *refusal = "";
        uint64_t number;
        uint32_t customer = journeys->world->root(journeys->world->context, iterator.current_value);
        struct entering entering = { .journey = journey,
                                     .customer = customer,
                                     .node_born = iterator.current_value,
                                     .at_ms = moment.now_ms,
                                     .moment = moment,
                                     .writes = writes };
        --*left;
        if (customer != 0)
            error = journey_enter_one(journeys, &entering, &refusal, &number);
        if (strcmp(refusal, "cap_hour") == 0 || strcmp(refusal, "cap_day") == 0) {
            wave->not_before_ms = cap_over_ms(journeys, refusal, moment.now_ms);
            break;
        }
        wave->cursor = iterator.current_value;
        if (refusal[0] == '\0' && customer != 0)
            wave->entered++;
        else
            wave->refused++;
    }
    if (!iterator.has_value)
        wave->not_before_ms = INT64_MAX; /* done */
    return error;
}

static err run_waves(struct journeys *journeys, uint32_t *left, struct journey_moment moment,
                     struct ledger_writes *writes)
{
    err error = ERR_OK;
    struct wave **at = &journeys->waves;
    while (error == ERR_OK && *at != NULL && *left > 0) {
        struct wave *wave = *at;
        enum journey_state state = journeys->journeys[wave->journey]->state;
        bool is_dead = state != JOURNEY_LIVE_STATE && state != JOURNEY_PAUSED_STATE;
        if (state == JOURNEY_PAUSED_STATE || (!is_dead && wave->not_before_ms > moment.now_ms)) {
            if (state == JOURNEY_PAUSED_STATE)
                wave->not_before_ms = INT64_MAX - 1; /* until it goes on */
            at = &wave->next;
            continue;
        }
        if (!is_dead)
            error = run_wave(journeys, wave, left, moment, writes);
        if (error == ERR_OK)
            error = enter_joins(journeys, moment, writes);
        if (error != ERR_OK || (!is_dead && wave->not_before_ms != INT64_MAX)) {
            store_wave(wave, false, writes);
            at = &wave->next;
            continue;
        }
        store_wave_gone(wave, writes);
        *at = wave->next;
        wave_free(&wave);
    }
    return error;
}

/* ---- schedules ---- */

void schedule_set(struct journeys *journeys, struct journey *journey, int64_t now_ms)
{
    const struct version *version = live_version(journey);
    journey->next_run_ms = INT64_MAX;
    if (version == NULL ||
        (version->trigger.kind != TRIGGER_SCHEDULE && version->trigger.kind != TRIGGER_DATE))
        return;
    const struct schedule *schedule = &version->trigger.schedule;
    if (schedule->count != 0 && journey->run_count >= schedule->count)
        return;
    journey->next_run_ms = schedule_next(journeys, schedule, now_ms);
}

/* A run that was missed (the server was down) happens once, now. */
static err run_schedules(struct journeys *journeys, struct journey_moment moment,
                         struct ledger_writes *writes)
{
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < journeys->journey_count; i++) {
        struct journey *journey = journeys->journeys[i];
        if (journey == NULL || journey->state != JOURNEY_LIVE_STATE ||
            journey->next_run_ms > moment.now_ms)
            continue;
        const struct version *version = live_version(journey);
        str segment = version->trigger.kind == TRIGGER_DATE
                          ? str_from_c(version->rules[version->trigger.rule].key)
                          : version->trigger.segment;
        error = wave_new(journeys, journey, segment, moment, moment.now_ms, writes, NULL);
        if (error == ERR_NOT_FOUND)
            error = ERR_OK; /* the segment is gone: nobody enters */
        journey->run_count++;
        schedule_set(journeys, journey, moment.now_ms);
        store_journey(journey, writes);
    }
    return error;
}

/* ---- work over many positions ---- */

static int compare_numbers(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return a < b ? -1 : a > b;
}

static bool is_worked(const struct journey *journey, const struct position *position)
{
    if (position->state == POSITION_FREE || position->journey != journey->number)
        return false;
    return journey->work == WORK_CLOSE || position->version != journey->work_version;
}

/* In order of their numbers, so that it does not matter where they lie. */
static err gather(struct journeys *journeys, const struct journey *journey)
{
    struct positions *positions = &journeys->positions;
    struct pair {
        uint64_t number;
        uint32_t slot;
    } *pairs = NULL;
    size_t count = 0;
    memory_free(journeys->work_numbers);
    journeys->work_numbers = NULL;
    journeys->work_count = journeys->work_done = 0;
    journeys->work_journey = journey->number;
    for (uint32_t slot = 0; slot < positions->slot_count; slot++)
        count += is_worked(journey, position_at(positions, slot));
    pairs = memory_alloc((count + 1) * sizeof *pairs);
    if (pairs == NULL)
        return ERR_NOMEM;
    count = 0;
    for (uint32_t slot = 0; slot < positions->slot_count; slot++) {
        if (!is_worked(journey, position_at(positions, slot)))
            continue;
        pairs[count].number = position_at(positions, slot)->number;
        pairs[count++].slot = slot;
    }
    qsort(pairs, count, sizeof *pairs, compare_numbers);
    journeys->work_numbers = (uint64_t *)pairs;
    journeys->work_count = count;
    return ERR_OK;
}

err work_begin(struct journeys *journeys, struct journey *journey, enum work_kind kind,
               uint32_t version)
{
    journey->work = kind;
    journey->work_version = version;
    if (journeys->work_journey == journey->number)
        journeys->work_journey = 0; /* gathered anew */
    due_changed(journeys);
    return ERR_OK;
}

static uint16_t node_in(const struct version *version, str id)
{
    for (uint16_t i = 0; i < version->node_count; i++)
        if (str_equal(version->nodes[i].id, id))
            return i;
    return NO_NODE;
}

static uint16_t mapped_node(struct journeys *journeys, const struct journey *journey,
                            const struct version *from, const struct version *to, uint16_t node)
{
    json_value map;
    str id = from->nodes[node].id;
    if (journey->work_map != NULL &&
        json_parse(journeys->parser_inner, str_from_c(journey->work_map), &map, NULL) == ERR_OK &&
        json_kind(json_get(map, id)) == JSON_TEXT)
        return node_in(to, json_text(json_get(map, id)));
    return node_in(to, id);
}

/* The touches that it remembers are by place of the node. */
static err remap_touches(struct journeys *journeys, struct position *position,
                         const struct version *from, const struct version *to)
{
    struct context context;
    struct buffer touches;
    uint32_t count = 0;
    context_read(position, &context);
    if (context.touch_count == 0)
        return ERR_OK;
    buffer_init(&touches, (size_t)64 << 10);
    struct cursor cursor = cursor_over(context.touches);
    for (uint32_t i = 0; i < context.touch_count; i++) {
        uint64_t at = read_varint(&cursor), touch = read_varint(&cursor);
        uint8_t status = read_u8(&cursor);
        uint16_t node = at < from->node_count ? node_in(to, from->nodes[at].id) : NO_NODE;
        if (node == NO_NODE)
            continue;
        write_varint(&touches, node);
        write_varint(&touches, touch);
        write_u8(&touches, status);
        count++;
    }
    context.touches = buffer_str(&touches);
    context.touch_count = count;
    err error = context_write(&journeys->positions, position, &context);
    buffer_deinit(&touches);
    return error;
}

static err move_one(struct journeys *journeys, struct journey *journey, uint32_t slot,
                    struct journey_moment moment, struct ledger_writes *writes)
{
    struct position *position = position_at(&journeys->positions, slot);
    struct version *from = version_of(journeys, position);
    struct version *to = journey_version(journey, journey->work_version);
    bool is_in = position->node < from->node_count;
    uint16_t node =
        is_in ? mapped_node(journeys, journey, from, to, position->node) : position->node;
    struct walk walk;
    journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
    if (node == NO_NODE)
        return journey_walk_end(
            &walk, journey_walk_close(&walk, "node_gone", from->nodes[position->node].id));
    bool is_same = !is_in || from->nodes[position->node].kind == to->nodes[node].kind;
    journey_walk_step(&walk, STEP_MOVED, node, "", STR_NONE);
    err error = remap_touches(journeys, position, from, to);
    if (position->state != POSITION_MERGED) {
        from->waiting[journey_place(from, position->node)]--;
        to->waiting[journey_place(to, node)]++;
    }
    from->position_count--;
    to->position_count++;
    position->version = (uint16_t)to->number;
    position->node = node;
    walk.version = to;
    if (error == ERR_OK && !is_same && position->state == POSITION_WAITING)
        error = journey_walk_from(&walk, node);
    return journey_walk_end(&walk, error);
}

static err close_one(struct journeys *journeys, struct journey *journey, uint32_t slot,
                     struct journey_moment moment, struct ledger_writes *writes)
{
    struct walk walk;
    journey_walk_begin(&walk, journeys, slot, moment, moment.now_ms, writes);
    walk.stands = walk.position->state != POSITION_MERGED;
    if (walk.position->state == POSITION_MERGED)
        journeys->positions.merged--;
    /* no goals are counted any more */
    walk.position->goals = UINT8_MAX;
    return journey_walk_end(&walk,
                            journey_walk_close(&walk, "stopped", str_from_c(journey->stop_reason)));
}

static err end_work(struct journeys *journeys, struct journey *journey,
                    struct ledger_writes *writes)
{
    if (journey->work == WORK_CLOSE && journey->state == JOURNEY_FINISHING_STATE)
        journey->state = JOURNEY_STOPPED_STATE;
    journey->work = WORK_NONE;
    memory_free(journey->work_map);
    journey->work_map = NULL;
    memory_free(journeys->work_numbers);
    journeys->work_numbers = NULL;
    journeys->work_count = journeys->work_done = 0;
    journeys->work_journey = 0;
    store_journey(journey, writes);
    return interests_make(journeys);
}

static err run_work(struct journeys *journeys, struct journey *journey, uint32_t *left,
                    struct journey_moment moment, struct ledger_writes *writes)
{
    struct pair {
        uint64_t number;
        uint32_t slot;
    } * pairs;
    err error = journeys->work_journey != journey->number ? gather(journeys, journey) : ERR_OK;
    pairs = (struct pair *)journeys->work_numbers;
    while (error == ERR_OK && *left > 0 && journeys->work_done < journeys->work_count) {
        const struct pair *pair = &pairs[journeys->work_done++];
        const struct position *position = position_at(&journeys->positions, pair->slot);
        if (position->number != pair->number || !is_worked(journey, position))
            continue;
        --*left;
        error = journey->work == WORK_CLOSE
                    ? close_one(journeys, journey, pair->slot, moment, writes)
                    : move_one(journeys, journey, pair->slot, moment, writes);
    }
    if (error == ERR_OK && journeys->work_done >= journeys->work_count)
        error = end_work(journeys, journey, writes);
    return error;
}

err journey_run(struct journeys *journeys, const struct journey_command *command)
{
    uint32_t left = JOURNEY_RUN_MAX;
    struct journey_moment moment = command->moment;
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < journeys->journey_count && left > 0; i++)
        if (journeys->journeys[i] != NULL && journeys->journeys[i]->work != WORK_NONE)
            error = run_work(journeys, journeys->journeys[i], &left, moment, command->writes);
    if (error == ERR_OK)
        error = run_timers(journeys, &left, moment, command->writes);
    if (error == ERR_OK)
        error = run_schedules(journeys, moment, command->writes);
    if (error == ERR_OK)
        error = run_waves(journeys, &left, moment, command->writes);
    due_changed(journeys);
    if (error == ERR_OK && command->answer != NULL)
        buffer_printf(command->answer, "{\"did\":%u}", JOURNEY_RUN_MAX - left);
    return error;
}
