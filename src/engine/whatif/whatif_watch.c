/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_watch: rules and segments whose moves somebody waits for (exits, goals, waits, triggers), followed for those who are in a journey,
 * or for everybody where one begins by a segment.
 *
 * As live (M1 of move.h): what an event moves is heard in its record; what time moves is found at the tick, or before an event of
 * hers, and is told at the tick, in the order of customers. */
#include <stdlib.h>
#include <string.h>

#include "engine/whatif/whatif_inside.h"

#define INDEX_FIRST 1024

void watch_deinit(struct watch *watch)
{
    memory_free(watch->people);
    memory_free(watch->index);
    memory_free(watch->due);
    memory_free(watch->heard.items);
    memory_free(watch->pending.items);
    *watch = (struct watch){ .count = 0 };
}

/* ---- who is followed ---- */

static uint32_t *place_of(const struct watch *watch, uint32_t customer)
{
    uint32_t mask = watch->index_capacity - 1;
    uint32_t place = (uint32_t)hash_mix64(customer) & mask;
    while (watch->index[place] != 0 && watch->people[watch->index[place] - 1].customer != customer)
        place = (place + 1) & mask;
    return &watch->index[place];
}

static err grow(struct watch *watch)
{
    if (watch->person_count == watch->person_capacity) {
        uint32_t capacity = watch->person_capacity == 0 ? 1024 : watch->person_capacity * 2;
        struct watched_one *longer = memory_resize(watch->people, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        watch->people = longer;
        watch->person_capacity = capacity;
    }
    if (watch->person_count * 2 < watch->index_capacity)
        return ERR_OK;
    uint32_t capacity = watch->index_capacity == 0 ? INDEX_FIRST : watch->index_capacity * 2;
    uint32_t *index = memory_alloc(capacity * sizeof(*index));
    if (index == NULL)
        return ERR_NOMEM;
    memory_free(watch->index);
    watch->index = index;
    watch->index_capacity = capacity;
    for (uint32_t i = 0; i < watch->person_count; i++)
        *place_of(watch, watch->people[i].customer) = i + 1;
    return ERR_OK;
}

static struct watched_one *find(const struct watch *watch, uint32_t customer)
{
    uint32_t *place = watch->index_capacity > 0 ? place_of(watch, customer) : NULL;
    return place != NULL && *place != 0 ? &watch->people[*place - 1] : NULL;
}

/* ---- due times: a heap; entries that are stale are stepped over ---- */

static err push_due(struct watch *watch, uint32_t index, int64_t until_ms)
{
    if (until_ms == RULE_FOREVER)
        return ERR_OK;
    if (watch->due_count == watch->due_capacity) {
        size_t capacity = watch->due_capacity == 0 ? 1024 : watch->due_capacity * 2;
        struct watch_due *longer = memory_resize(watch->due, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        watch->due = longer;
        watch->due_capacity = capacity;
    }
    size_t at = watch->due_count++;
    for (; at > 0 && until_ms < watch->due[(at - 1) / 2].until_ms; at = (at - 1) / 2)
        watch->due[at] = watch->due[(at - 1) / 2];
    watch->due[at] = (struct watch_due){ .until_ms = until_ms, .index = index };
    return ERR_OK;
}

static void pop_due(struct watch *watch)
{
    struct watch_due last = watch->due[--watch->due_count];
    size_t at = 0;
    for (size_t child = 1; child < watch->due_count; child = at * 2 + 1) {
        if (child + 1 < watch->due_count &&
            watch->due[child + 1].until_ms < watch->due[child].until_ms)
            child++;
        if (watch->due[child].until_ms >= last.until_ms)
            break;
        watch->due[at] = watch->due[child];
        at = child;
    }
    if (watch->due_count > 0)
        watch->due[at] = last;
}

static bool is_stale(const struct watch *watch, const struct watch_due *due)
{
    const struct watched_one *person = &watch->people[due->index];
    return person->is_idle || person->until_ms != due->until_ms;
}

/* ---- moves ---- */

static err add_move(struct watch *watch, struct watch_moves *moves, uint32_t customer, uint32_t key,
                    bool is_in)
{
    if (moves->count == moves->capacity) {
        size_t capacity = moves->capacity == 0 ? 256 : moves->capacity * 2;
        struct watch_move *longer = memory_resize(moves->items, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        moves->items = longer;
        moves->capacity = capacity;
    }
    moves->items[moves->count++] = (struct watch_move){
        .customer = customer, .key = key, .order = watch->order++, .is_in = is_in
    };
    return ERR_OK;
}

/* Judges what can hear `type` (empty: all of it), as it is at `at_ms`; what moved goes to `moves`, unless NULL. */
static err judge(struct whatif_run *run, struct watched_one *person, str type, int64_t at_ms,
                 struct watch_moves *moves)
{
    struct watch *watch = &run->watch;
    int64_t least_ms = type.size > 0 ? person->until_ms : RULE_FOREVER;
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < watch->count; i++) {
        uint64_t bit = UINT64_C(1) << i % 64;
        bool was_in = (person->bits[i / 64] & bit) != 0;
        int64_t until_ms;
        if (type.size > 0 && !audience_then_hears(run->then, watch->keys[i], type))
            continue;
        bool is_in = world_holds(run, watch->keys[i], person->customer, at_ms, &until_ms);
        least_ms = until_ms < least_ms ? until_ms : least_ms;
        if (was_in == is_in)
            continue;
        person->bits[i / 64] ^= bit;
        if (moves != NULL)
            error = add_move(watch, moves, person->customer, watch->keys[i], is_in);
    }
    if (error == ERR_OK && least_ms != person->until_ms) {
        person->until_ms = least_ms;
        error = push_due(watch, (uint32_t)(person - watch->people), least_ms);
    }
    return error;
}

err watch_follow(struct whatif_run *run, uint32_t customer)
{
    struct watch *watch = &run->watch;
    struct watched_one *person = find(watch, customer);
    if (watch->count == 0 || customer == 0 || (person != NULL && !person->is_idle))
        return ERR_OK;
    if (person == NULL) {
        err error = grow(watch);
        if (error != ERR_OK)
            return error;
        person = &watch->people[watch->person_count++];
        *person = (struct watched_one){ .customer = customer };
        *place_of(watch, customer) = watch->person_count;
    }
    person->is_idle = false;
    person->until_ms = RULE_FOREVER;
    memset(person->bits, 0, sizeof person->bits);
    /* what time did since the last tick is told at the next one */
    return judge(run, person, STR_NONE, run->tick_ms, NULL);
}

/* Without the event that is about to be: history has it already. */
err watch_before(struct whatif_run *run, uint32_t customer)
{
    struct watched_one *person = find(&run->watch, customer);
    if (person == NULL || person->is_idle || person->until_ms > run->now_ms)
        return ERR_OK;
    return judge(run, person, STR_NONE, run->now_ms - 1, &run->watch.pending);
}

err watch_event(struct whatif_run *run, uint32_t customer, str type)
{
    struct watched_one *person = find(&run->watch, customer);
    if (person == NULL || person->is_idle)
        return ERR_OK;
    return judge(run, person, type, run->now_ms, &run->watch.heard);
}

err watch_changed(struct whatif_run *run, uint32_t customer)
{
    return watch_event(run, customer, STR_NONE);
}

/* The absorbed is in nothing any more. */
err watch_merged(struct whatif_run *run, uint32_t customer, uint32_t absorbed)
{
    struct watch *watch = &run->watch;
    struct watched_one *gone = find(watch, absorbed);
    err error = watch_follow(run, customer);
    for (uint32_t i = 0; gone != NULL && !gone->is_idle && error == ERR_OK && i < watch->count; i++)
        if ((gone->bits[i / 64] >> i % 64 & 1) != 0)
            error = add_move(watch, &watch->heard, absorbed, watch->keys[i], false);
    if (gone != NULL)
        gone->is_idle = true;
    return error;
}

/* ---- the tick ---- */

int64_t watch_next_due_ms(struct whatif_run *run)
{
    struct watch *watch = &run->watch;
    int64_t tick_ms = run->order.tick_ms, due_ms = INT64_MAX;
    while (watch->due_count > 0 && is_stale(watch, &watch->due[0]))
        pop_due(watch);
    if (watch->due_count > 0)
        due_ms = watch->due[0].until_ms - 1;
    if (watch->pending.count > 0)
        due_ms = run->now_ms;
    if (due_ms == INT64_MAX)
        return due_ms;
    due_ms = due_ms > run->tick_ms ? due_ms : run->tick_ms + 1;
    return (due_ms + tick_ms - 1) / tick_ms * tick_ms;
}

static int compare_moves(const void *left, const void *right)
{
    const struct watch_move *a = left, *b = right;
    if (a->customer != b->customer)
        return a->customer < b->customer ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_customers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* Who is in no journey is followed no more, where none begins by a segment. */
static bool is_done(const struct whatif_run *run, const struct watched_one *person)
{
    return !journey_concerns_everybody(run->journeys) &&
           !journey_has_positions(run->journeys, person->customer);
}

static err judge_due(struct whatif_run *run, const uint32_t *customers, size_t count)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        struct watched_one *person = find(&run->watch, customers[i]);
        if (is_done(run, person))
            person->is_idle = true;
        else
            error = judge(run, person, STR_NONE, run->now_ms, &run->watch.pending);
    }
    return error;
}

err watch_tick(struct whatif_run *run)
{
    struct watch *watch = &run->watch;
    uint32_t *customers = NULL;
    size_t count = 0, capacity = 0;
    err error = ERR_OK;
    while (error == ERR_OK && watch->due_count > 0 &&
           (is_stale(watch, &watch->due[0]) || watch->due[0].until_ms <= run->now_ms + 1)) {
        if (!is_stale(watch, &watch->due[0])) {
            if (count == capacity) {
                capacity = capacity == 0 ? 256 : capacity * 2;
                uint32_t *longer = memory_resize(customers, capacity * sizeof(*longer));
                error = longer != NULL ? ERR_OK : ERR_NOMEM;
                customers = longer != NULL ? longer : customers;
            }
            struct watched_one *person = &watch->people[watch->due[0].index];
            if (error == ERR_OK)
                customers[count++] = person->customer;
            person->until_ms = RULE_FOREVER; /* judged in a moment */
        }
        pop_due(watch);
    }
    if (count > 1)
        qsort(customers, count, sizeof(*customers), compare_customers);
    if (error == ERR_OK)
        error = judge_due(run, customers, count);
    memory_free(customers);
    run->tick_ms = run->now_ms;
    if (watch->pending.count > 1)
        qsort(watch->pending.items, watch->pending.count, sizeof(*watch->pending.items),
              compare_moves);
    return error;
}

/* ---- which ---- */

struct choosing {
    struct whatif_run *run;
    bool too_many;
};

static void choose(void *context, str name, bool starts, bool goes_on)
{
    struct choosing *choosing = context;
    struct watch *watch = &choosing->run->watch;
    uint32_t number = str_starts_with(name, STR("s:"))
                          ? audience_then_find(choosing->run->then, str_slice(name, 2, name.size))
                          : 0;
    if (number == 0 || (!starts && !goes_on))
        return;
    if (watch->count == WATCH_MAX)
        choosing->too_many = true;
    else
        watch->keys[watch->count++] = number;
}

/* Of each type of event: can one of it move anything? */
static err make_ears(struct whatif_run *run)
{
    run->type_count = history_type_count(run->history);
    run->hears = memory_alloc((size_t)run->type_count + 1);
    if (run->hears == NULL)
        return ERR_NOMEM;
    for (uint16_t type = 1; type <= run->type_count; type++)
        for (uint32_t i = 0; run->hears[type] == 0 && i < run->watch.count; i++)
            run->hears[type] = audience_then_hears(run->then, run->watch.keys[i],
                                                   history_type_name(run->history, type));
    return ERR_OK;
}

err watch_make(struct whatif_run *run)
{
    struct choosing choosing = { .run = run };
    journey_visit_moves(run->journeys, choose, &choosing);
    if (choosing.too_many)
        return problem_set(run->problem, ERR_UNPROCESSABLE,
                           "more than %d rules would have to be followed at once", WATCH_MAX);
    return make_ears(run);
}
