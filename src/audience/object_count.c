/* SPDX-License-Identifier: Apache-2.0 */
/* object_count: tags on objects that count everybody's events by the object that they name: orders of a product,
 * visits to a store, customers of an adviser.
 *
 *     an event that is counted, a full hour, a new definition ─▶ uncounted
 *     a thread: all histories ─▶ values that differ ─▶ record audience.install {objects} ─▶ in place
 * So the state stays a function of the log: what was counted stands in a record. A run is followed by a pause of ten
 * times its length, a second at least: counting never takes more than a tenth of a core. */
#include <string.h>

#include "audience/state.h"

#define SLICE_CUSTOMERS 4096u
#define PAIRS_MAX 20000u /* of one record */
#define PAUSE_MS 1000
#define NOT_LOOKED_UP UINT32_MAX

__extension__ typedef __int128 wide;

/* Pairs of an object and a value (distinct) or local day (days) that were met. */
struct pairs {
    uint64_t *slots; /* hashes; 0 is free */
    size_t count, capacity;
};
#define PAIRS_FIRST 4096u
#define PAIRS_BYTES_MAX ((size_t)512 << 20)

struct object_tally {
    uint64_t count, customers, different;
    wide sum;
    int64_t least, greatest, first, last, first_ms, last_ms;
    uint32_t last_customer;
};
struct counted {
    uint32_t number, version, on;
    struct recipe *recipe;
    struct numbers before;
    struct object_tally *tallies; /* by number of the object */
    uint32_t object_count;
    uint32_t *numbers; /* of objects, by code of the history's column */
    uint32_t number_room;
    struct pairs pairs;
    bool counts_days, counts_different;
    uint32_t customer;
    bool failed, is_first; /* is_first: the definition waits for it to go live */
};
struct counting_run {
    struct audience *audience;
    struct counted *items;
    uint32_t count;
    struct scan_facts facts;
    const struct rule_zone *zone;
    int64_t now_ms;
    uint32_t last;
    uint64_t seq; /* up to which what memory does not hold is read back */
    steady_ns start;
    pthread_t thread;
    bool has_thread;
    _Atomic bool stopping, finished;
};

/* ---- tallies ---- */

static uint32_t number_of(const struct counting_run *run, struct counted *item,
                          const struct rule_grouped *grouped)
{
    if (grouped->code == 0 || grouped->code >= 1u << 30)
        return object_number(run->audience, item->on, grouped->id);
    if (grouped->code >= item->number_room) {
        uint32_t room = grouped->code + grouped->code / 2 + 1024;
        uint32_t *longer = memory_resize(item->numbers, room * sizeof(*longer));
        if (longer == NULL) {
            item->failed = true;
            return 0;
        }
        memset(longer + item->number_room, 0xff,
               (room - item->number_room) * sizeof(*longer)); /* NOT_LOOKED_UP */
        item->numbers = longer;
        item->number_room = room;
    }
    uint32_t *number = &item->numbers[grouped->code];
    if (*number == NOT_LOOKED_UP)
        *number = object_number(run->audience, item->on, grouped->id);
    return *number;
}

static uint64_t *pair_place(uint64_t *slots, size_t capacity, uint64_t hash)
{
    size_t at = (size_t)hash & (capacity - 1);
    while (slots[at] != 0 && slots[at] != hash)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool grow_pairs(struct pairs *pairs)
{
    size_t capacity = pairs->capacity == 0 ? PAIRS_FIRST : pairs->capacity * 2;
    if (capacity * sizeof(uint64_t) > PAIRS_BYTES_MAX)
        return false;
    uint64_t *slots = memory_alloc(capacity * sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < pairs->capacity; i++)
        if (pairs->slots[i] != 0)
            *pair_place(slots, capacity, pairs->slots[i]) = pairs->slots[i];
    memory_free(pairs->slots);
    pairs->slots = slots;
    pairs->capacity = capacity;
    return true;
}

/* Is it the first of its kind for this object? */
static bool is_new_pair(struct counted *item, uint32_t number, int64_t value)
{
    struct pairs *pairs = &item->pairs;
    uint64_t hash =
        hash_mix64((uint64_t)number * UINT64_C(0x9E3779B97F4A7C15) ^ hash_mix64((uint64_t)value)) |
        1;
    if (2 * (pairs->count + 1) > pairs->capacity && !grow_pairs(pairs)) {
        item->failed = true;
        return false;
    }
    uint64_t *place = pair_place(pairs->slots, pairs->capacity, hash);
    bool is_new = *place == 0;
    pairs->count += is_new;
    *place = hash;
    return is_new;
}

struct adding {
    const struct counting_run *run;
    struct counted *item;
};

static bool add(void *context, const struct rule_grouped *grouped)
{
    struct adding *adding = context;
    struct counted *item = adding->item;
    uint32_t number = number_of(adding->run, item, grouped);
    if (number == 0 || number > item->object_count)
        return !item->failed;
    struct object_tally *tally = &item->tallies[number];
    int64_t value = grouped->has_value ? grouped->value : grouped->time_ms;
    if (tally->count == 0 || value < tally->least)
        tally->least = value;
    if (tally->count == 0 || value > tally->greatest)
        tally->greatest = value;
    if (tally->count == 0 || grouped->time_ms < tally->first_ms) {
        tally->first_ms = grouped->time_ms;
        tally->first = value;
    }
    if (tally->count == 0 || grouped->time_ms >= tally->last_ms) {
        tally->last_ms = grouped->time_ms;
        tally->last = value;
    }
    tally->customers += tally->last_customer != item->customer;
    tally->last_customer = item->customer;
    if (item->counts_days)
        tally->different +=
            is_new_pair(item, number, local_day(adding->run->zone, grouped->time_ms));
    else if (item->counts_different)
        tally->different += is_new_pair(item, number, value);
    else
        tally->sum += value;
    tally->count++;
    return !item->failed;
}

static int64_t half_even(wide sum, wide count)
{
    wide quotient = sum / count, rest = sum % count;
    if (rest < 0) {
        rest += count;
        quotient--;
    }
    bool up = 2 * rest > count || (2 * rest == count && (quotient & 1) != 0);
    return (int64_t)(quotient + (up ? 1 : 0));
}

/* In the unit of the tag: millionths, minor units, ms. Who has nothing counted has no value. */
static int64_t value_of(const struct counted *item, const struct object_tally *tally,
                        int64_t now_ms)
{
    int64_t scale;
    str measure = rule_grouped_measure(item->recipe->measure, &scale);
    if (tally->count == 0)
        return NO_VALUE;
    if (item->recipe->by_customers)
        return (int64_t)tally->customers * MILLION;
    if (item->counts_days || item->counts_different)
        return (int64_t)tally->different * MILLION;
    if (str_equal(measure, STR("count")))
        return (int64_t)tally->count * MILLION;
    if (str_equal(measure, STR("sum")))
        return (int64_t)(tally->sum * scale);
    if (str_equal(measure, STR("avg")))
        return half_even(tally->sum * scale, (wide)tally->count);
    if (str_equal(measure, STR("min")))
        return tally->least * scale;
    if (str_equal(measure, STR("max")))
        return tally->greatest * scale;
    if (str_equal(measure, STR("first")))
        return tally->first * scale;
    if (str_equal(measure, STR("last")))
        return tally->last * scale;
    return (now_ms - tally->last_ms) / DAY_MS * MILLION; /* recency */
}

/* ---- on the thread ---- */

struct walking {
    struct counting_run *run;
    struct counted *item;
    struct rule_judge *judge;
    const struct rule_facts *facts;
    struct stream_list lacking; /* whose events memory does not hold */
};

static bool walk(void *context, uint32_t customer, const struct history_view *view)
{
    struct walking *walking = context;
    struct adding adding = { walking->run, walking->item };
    if (view->count == 0 && view->complete)
        return true;
    walking->item->customer = customer;
    rule_grouped_visit(walking->judge, walking->item->recipe->measure, customer, view,
                       walking->facts, walking->run->now_ms + 1, add, &adding);
    if (lacked_events(walking->run->audience, walking->judge) &&
        !stream_list_add(&walking->lacking, customer))
        walking->item->failed = true;
    return !walking->item->failed;
}

static void walk_lacking(struct walking *walking, struct history_reader *reader)
{
    struct audience *audience = walking->run->audience;
    struct problem problem = { .error = ERR_OK };
    struct stream_list lacking = walking->lacking;
    struct stream_form form;
    struct streaming streaming = { .form = &form,
                                   .until_seq = walking->run->seq,
                                   .reader = reader,
                                   .visit = walk,
                                   .context = walking };
    if (lacking.count == 0 || walking->item->failed || atomic_load(&walking->run->stopping))
        return;
    walking->lacking = (struct stream_list){ .count = 0 };
    stream_form_init(&form);
    err error = stream_form_recipe(&form, audience->config.history, walking->item->recipe);
    if (error == ERR_OK)
        error = stream_customers(audience, &streaming, lacking.customers, lacking.count, &problem);
    walking->item->failed = walking->item->failed || error != ERR_OK;
    stream_form_deinit(&form);
    stream_list_free(&lacking);
}

static void count_one(struct counting_run *run, struct counted *item, struct rule_judge *judge,
                      struct history_reader *reader, const struct rule_facts *facts)
{
    struct walking walking = { run, item, judge, facts, { .count = 0 } };
    item->tallies = memory_alloc(((size_t)item->object_count + 1) * sizeof(*item->tallies));
    item->failed = item->tallies == NULL;
    int64_t scale;
    str measure = rule_grouped_measure(item->recipe->measure, &scale);
    item->counts_days = str_equal(measure, STR("days"));
    item->counts_different = str_equal(measure, STR("distinct"));
    for (uint64_t from = 1; from <= run->last && !item->failed && !atomic_load(&run->stopping);
         from += SLICE_CUSTOMERS) {
        uint64_t to = from + SLICE_CUSTOMERS;
        history_read_begin(reader);
        history_scan(reader, (uint32_t)from,
                     (uint32_t)(to > (uint64_t)run->last + 1 ? (uint64_t)run->last + 1 : to), walk,
                     &walking);
        history_read_end(reader);
    }
    walk_lacking(&walking, reader);
    stream_list_free(&walking.lacking);
    item->failed = item->failed || rule_judge_status(judge) != ERR_OK;
}

static bool submit(struct counting_run *run, struct buffer *body)
{
    struct audience *audience = run->audience;
    err error = buffer_status(body);
    while (error == ERR_OK && !atomic_load(&run->stopping) &&
           audience->config.submit(audience->config.context, STR("audience.install"),
                                   buffer_str(body)) != ERR_OK)
        steady_sleep_ms(50);
    return error == ERR_OK && !atomic_load(&run->stopping);
}

/* {"objects":[{"number","version","values":[object, value, …]}]}, value null for none. */
static void tell(struct counting_run *run, struct counted *item)
{
    uint32_t number = 1;
    bool more = true;
    while (more) {
        struct buffer body;
        struct json_writer writer;
        uint32_t pairs = 0;
        buffer_init(&body, (size_t)4 << 20);
        json_writer_init(&writer, &body);
        json_begin_object(&writer);
        json_put_key(&writer, STR("objects"));
        json_begin_array(&writer);
        json_begin_object(&writer);
        json_member_int(&writer, STR("number"), item->number);
        json_member_int(&writer, STR("version"), item->version);
        json_put_key(&writer, STR("values"));
        json_begin_array(&writer);
        for (; number <= item->object_count && pairs < PAIRS_MAX; number++) {
            int64_t value = value_of(item, &item->tallies[number], run->now_ms);
            if (value == numbers_get(&item->before, number))
                continue;
            json_put_int(&writer, number);
            if (value != NO_VALUE)
                json_put_int(&writer, value);
            else
                json_put_null(&writer);
            pairs++;
        }
        more = number <= item->object_count;
        json_end_array(&writer);
        json_member_bool(&writer, STR("more"), more);
        json_end_object(&writer);
        json_end_array(&writer);
        json_end_object(&writer);
        bool is_news = pairs > 0 || item->is_first;
        if (is_news && !submit(run, &body))
            more = false;
        buffer_deinit(&body);
    }
}

static void *run_thread(void *context)
{
    struct counting_run *run = context;
    struct rule_judge *judge = NULL;
    struct history_reader *reader = NULL;
    struct rule_facts facts;
    pthread_setname_np(pthread_self(), "kith-count");
    facts_for_scan(&run->facts, &facts);
    err error = rule_judge_new(&judge);
    if (error == ERR_OK)
        error = history_reader_new(&reader, run->audience->config.history);
    for (uint32_t i = 0; error == ERR_OK && i < run->count && !atomic_load(&run->stopping); i++) {
        count_one(run, &run->items[i], judge, reader, &facts);
        if (!run->items[i].failed && !atomic_load(&run->stopping))
            tell(run, &run->items[i]);
    }
    history_reader_free(&reader);
    rule_judge_free(&judge);
    atomic_store(&run->finished, true);
    if (run->audience->config.wake != NULL)
        run->audience->config.wake(run->audience->config.context);
    return NULL;
}

/* ---- on the engine ---- */

static void run_free(struct counting_run **run)
{
    struct counting_run *gone = *run;
    *run = NULL;
    if (gone == NULL)
        return;
    if (gone->has_thread)
        pthread_join(gone->thread, NULL);
    for (uint32_t i = 0; i < gone->count; i++) {
        struct counted *item = &gone->items[i];
        recipe_release(&item->recipe);
        numbers_deinit(&item->before);
        memory_free(item->tallies);
        memory_free(item->numbers);
        memory_free(item->pairs.slots);
    }
    memory_free(gone->items);
    others_free(&gone->facts.others);
    memory_free(gone);
}

static struct recipe *recipe_to_count(const struct definition *definition)
{
    struct recipe *recipe = definition->next != NULL ? definition->next : definition->recipe;
    bool counts = recipe != NULL && definition->on != 0 && recipe->form == FORM_COUNT;
    return counts && !definition->deleted ? recipe : NULL;
}

static err add_item(struct counting_run *run, struct definition *definition, struct recipe *recipe)
{
    struct counted *item = &run->items[run->count++];
    *item = (struct counted){ .number = definition->number,
                              .version = definition->version,
                              .on = definition->on,
                              .is_first = definition->next != NULL,
                              .recipe = recipe_hold(recipe),
                              .object_count = object_count(run->audience, definition->on) };
    err error = numbers_share(&definition->numbers, &item->before);
    definition->uncounted = false;
    return error == ERR_OK ? others_take(run->audience, &recipe->needs, &run->facts.others) : error;
}

static struct counting_run *run_new(struct audience *audience)
{
    struct counting_run *run = memory_alloc(sizeof *run);
    bool ready;
    if (run == NULL)
        return NULL;
    run->audience = audience;
    run->facts.audience = audience;
    run->now_ms = audience->now_ms;
    run->zone = audience->zone;
    run->last = identity_node_count(audience->config.identity);
    if (audience->config.applied_seq != NULL)
        run->seq = audience->config.applied_seq(audience->config.context);
    run->start = steady_now();
    run->items = memory_alloc((audience->definition_count + 1) * sizeof(*run->items));
    for (uint32_t i = 1; run->items != NULL && i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        struct recipe *recipe =
            definition != NULL && definition->uncounted ? recipe_to_count(definition) : NULL;
        if (recipe != NULL && recipe_prepare(audience, recipe, &ready, NULL) == ERR_OK && ready &&
            add_item(run, definition, recipe) != ERR_OK)
            definition->uncounted = true;
    }
    if (run->count == 0)
        run_free(&run);
    return run;
}

/* When to look again, for who has nothing else to do. */
static void want(struct audience *audience)
{
    struct objects *objects = &audience->objects;
    bool any = false;
    for (uint32_t i = 1; i < audience->definition_count && !any; i++)
        any = audience->definitions[i] != NULL && audience->definitions[i]->uncounted &&
              recipe_to_count(audience->definitions[i]) != NULL;
    atomic_store(&audience->count_wanted_ns,
                 any ? (int64_t)(objects->counted.ns) + objects->count_pause_ms * 1000000 + 1 : 0);
}

void object_counts_work(struct audience *audience)
{
    struct objects *objects = &audience->objects;
    if (objects->run != NULL && atomic_load(&objects->run->finished)) {
        int64_t took_ms = steady_since_ms(objects->run->start);
        run_free(&objects->run);
        objects->counted = steady_now();
        objects->count_pause_ms = took_ms * 10 > PAUSE_MS ? took_ms * 10 : PAUSE_MS;
        want(audience);
    }
    if (objects->run != NULL || audience->config.submit == NULL || !audience->started ||
        atomic_load(&audience->count_wanted_ns) == 0 ||
        steady_since_ms(objects->counted) < objects->count_pause_ms)
        return;
    objects->run = run_new(audience);
    if (objects->run == NULL) {
        want(audience); /* columns are not ready yet */
        return;
    }
    objects->run->has_thread =
        pthread_create(&objects->run->thread, NULL, run_thread, objects->run) == 0;
    if (!objects->run->has_thread)
        run_free(&objects->run);
    want(audience);
}

void object_counts_stop(struct audience *audience)
{
    if (audience->objects.run != NULL)
        atomic_store(&audience->objects.run->stopping, true);
    run_free(&audience->objects.run);
}

/* ---- what makes it old ---- */

static void mark_all(struct audience *audience, bool of_time)
{
    bool any = false;
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        const struct recipe *recipe = definition != NULL ? recipe_to_count(definition) : NULL;
        if (recipe == NULL || (of_time && !recipe->needs.time))
            continue;
        definition->uncounted = any = true;
    }
    if (any)
        want(audience);
}

void object_counts_stale(struct audience *audience)
{
    mark_all(audience, false);
}

void object_counts_tick(struct audience *audience, int64_t now_ms)
{
    int64_t hour = now_ms / HOUR_MS;
    if (hour != audience->objects.count_hour)
        mark_all(audience, true);
    audience->objects.count_hour = hour;
}

static bool counts_type(const struct recipe *recipe, str type)
{
    if (recipe->needs.any_event)
        return true;
    for (uint32_t i = 0; i < recipe->needs.event_count; i++)
        if (str_equal(recipe->needs.events[i], type))
            return true;
    return false;
}

void object_counts_heard(struct audience *audience, str type)
{
    struct objects *objects = &audience->objects;
    uint16_t number = history_type_find(audience->config.history, type);
    bool any = false;
    if (objects->kind_count == 0 || (number != 0 && objects->counted_types[number] == 1))
        return;
    for (uint32_t i = 1; i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        const struct recipe *recipe = definition != NULL ? recipe_to_count(definition) : NULL;
        if (recipe == NULL || !counts_type(recipe, type))
            continue;
        any = true;
        if (definition->uncounted)
            continue;
        definition->uncounted = true;
        want(audience);
    }
    objects->counted_types[number] = any ? 2 : 1;
}

/* ---- the record ---- */

static err install_one(struct audience *audience, struct definition *definition, json_value item,
                       struct audience_moment moment)
{
    struct json_iterator iterator = json_iterate(json_get(item, STR("values")));
    json_value number, value;
    bool changed;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &number) &&
           json_next(&iterator, NULL, &value)) {
        int64_t object = json_int(number, 0);
        if (object < 1 || object > object_count(audience, definition->on))
            continue;
        int64_t cell = object_is_there(audience, definition->on, (uint32_t)object)
                           ? json_int(value, NO_VALUE)
                           : NO_VALUE;
        error = definition_put(audience, definition, (uint32_t)object, cell, moment, CAUSE_EVENT,
                               &changed);
        definition->moved = definition->moved || changed;
    }
    return error;
}

err object_counts_install(struct audience *audience, json_value list, struct audience_moment moment,
                          struct ledger_writes *writes)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        struct definition *definition =
            definition_at(audience, (uint32_t)json_int(json_get(item, STR("number")), 0));
        if (definition == NULL || definition->deleted || definition->on == 0 ||
            definition->version != (uint32_t)json_int(json_get(item, STR("version")), 0))
            continue;
        if (definition->next != NULL) {
            error = definition_adopt(audience, definition, definition->next, definition->version);
            recipe_release(&definition->next);
            if (error == ERR_OK)
                error = interest_make(audience);
            store_put_definition(definition, writes);
        }
        if (error == ERR_OK)
            error = install_one(audience, definition, item, moment);
        if (error == ERR_OK)
            error = object_definitions_settle(audience, moment, false);
    }
    return error;
}
