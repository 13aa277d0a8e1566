/* SPDX-License-Identifier: Apache-2.0 */
/* scan: a definition is computed for everybody on other threads while the engine goes on.
 *
 *     engine                       threads
 *     begin: parts, snapshots ───▶ chunk after chunk: judge, collect, least due time
 *     events: touched ∪= her       (rfm by quantiles: measures first, then thresholds, then judge)
 *     install record applied ◀─── submit("audience.install")
 *       result in place, touched and due judged again
 *
 * What is read meanwhile is history (views that never change under a reader), columns (words), and members of
 * other definitions (snapshots of the beginning). All three may be newer or older than each other for a customer
 * who is touched, and she is judged again; for who is not, they are as they were. */
#include <stdlib.h>
#include <string.h>

#include "audience/state.h"

struct found {
    uint32_t customer;
    int64_t value;
};

struct scan {
    struct audience *audience;
    struct scan_part *parts;
    uint32_t part_count;
    bool only_due; /* nothing but due times is wanted */
    int64_t now_ms;
    uint32_t last;             /* customer */
    roaring_bitmap_t *touched; /* engine */
    struct scan_facts facts;
    uint32_t **due; /* by chunk: minutes; a chunk is one thread's */
    uint32_t chunk_count;

    _Atomic uint32_t next_chunk;
    _Atomic bool stopping, failed, finished;
    bool measures;
    pthread_mutex_t mutex; /* results */
    pthread_barrier_t barrier;
    bool has_barrier;
    pthread_t threads[8];
    unsigned thread_count;
    _Atomic unsigned running;
};

/* ---- members of others, frozen ---- */

void others_free(struct others *others)
{
    for (uint32_t i = 0; others->items != NULL && i < others->count; i++) {
        struct others_item *item = &others->items[i];
        for (uint32_t k = 0; k < item->set_count; k++)
            set_deinit(&item->sets[k]);
        memory_free(item->sets);
        numbers_deinit(&item->numbers);
    }
    memory_free(others->items);
    *others = (struct others){ .count = 0 };
}

static err take_one(const struct definition *definition, struct others_item *item)
{
    if (item->sets != NULL || item->numbers.chunks != NULL || definition->recipe == NULL)
        return ERR_OK; /* taken before */
    item->kind = definition->recipe->kind;
    item->texts = definition->texts;
    item->sets = memory_alloc((definition->set_count + 1) * sizeof(*item->sets));
    if (item->sets == NULL)
        return ERR_NOMEM;
    err error = numbers_share(&definition->numbers, &item->numbers);
    for (uint32_t i = 0; error == ERR_OK && i < definition->set_count; i++) {
        error = set_share(&definition->sets[i], &item->sets[i]);
        item->set_count = i + 1;
    }
    return error;
}

err others_take(const struct audience *audience, const struct needs *needs, struct others *others)
{
    err error = ERR_OK;
    if (others->items == NULL) {
        others->count = audience->definition_count;
        others->items = memory_alloc((others->count + 1) * sizeof(*others->items));
        if (others->items == NULL)
            return ERR_NOMEM;
    }
    for (uint32_t i = 0; error == ERR_OK && i < needs->other_count; i++) {
        const struct definition *definition = definition_at(audience, needs->others[i]);
        if (definition != NULL && definition->number < others->count)
            error = take_one(definition, &others->items[definition->number]);
    }
    return error;
}

int64_t others_get(const struct others *others, uint32_t number, uint32_t customer)
{
    if (number >= others->count)
        return NO_VALUE;
    const struct others_item *item = &others->items[number];
    for (uint32_t i = 0; i < item->set_count; i++)
        if (set_has(&item->sets[i], customer))
            return i + 1;
    return numbers_get(&item->numbers, customer);
}

static bool scan_trait(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    const struct scan_facts *facts = context;
    const struct fact_column *column = facts->audience->facts.columns[symbol];
    return cell_value(column, cell_get(column, customer), value);
}

static bool scan_tag(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    const struct scan_facts *facts = context;
    if (symbol >= facts->others.count)
        return false;
    const struct others_item *item = &facts->others.items[symbol];
    return tag_value(item->kind, item->texts, others_get(&facts->others, symbol, customer), value);
}

static bool scan_segment(void *context, uint32_t customer, uint32_t symbol)
{
    const struct scan_facts *facts = context;
    return others_get(&facts->others, symbol, customer) != NO_VALUE;
}

static bool scan_identifier(void *context, uint32_t customer, uint32_t symbol)
{
    const struct scan_facts *facts = context;
    int64_t mask = cell_get(facts->audience->facts.columns[0], customer);
    return mask != NO_VALUE && (mask >> symbol & 1) != 0;
}

static bool scan_consent(void *context, uint32_t customer, uint32_t symbol, bool *granted)
{
    const struct scan_facts *facts = context;
    int64_t cell = cell_get(facts->audience->facts.columns[symbol], customer);
    *granted = cell == 1;
    return cell != NO_VALUE;
}

static bool scan_relation(void *context, uint32_t customer, uint32_t symbol,
                          struct rule_value *value)
{
    (void)context;
    (void)customer;
    (void)symbol;
    (void)value;
    return false;
}

void facts_for_scan(struct scan_facts *from, struct rule_facts *facts)
{
    *facts = (struct rule_facts){ .context = from,
                                  .trait = scan_trait,
                                  .tag = scan_tag,
                                  .segment = scan_segment,
                                  .identifier = scan_identifier,
                                  .consent = scan_consent,
                                  .relation = scan_relation,
                                  .entered_ms = INT64_MIN };
}

/* ---- on the threads ---- */

struct found_list {
    struct found *items;
    size_t count, room;
};

struct chunk_work {
    struct scan *scan;
    struct judging *judging;
    struct found_list *lists; /* per part */
    uint32_t *due;
    bool measuring, failed;
};

static bool list_add(struct found_list *list, uint32_t customer, int64_t value)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? list->room * 2 : 4096;
        struct found *longer = memory_resize(list->items, room * sizeof(*longer));
        if (longer == NULL)
            return false;
        list->items = longer;
        list->room = room;
    }
    list->items[list->count++] = (struct found){ customer, value };
    return true;
}

static void note_due(struct chunk_work *work, uint32_t customer, int64_t until_ms)
{
    uint32_t *cell = &work->due[customer & (CHUNK_SIZE - 1)];
    uint32_t minute = wheel_minute(until_ms);
    if (*cell == 0 || minute < *cell)
        *cell = minute;
}

static bool measure_one(struct chunk_work *work, const struct scan_part *part, uint32_t index,
                        uint32_t customer, const struct history_view *view)
{
    int64_t numbers[3], until_ms = RULE_FOREVER;
    for (size_t axis = 0; axis < 3; axis++)
        if (!rfm_measure(part->recipe, axis, work->judging, customer, view, work->scan->now_ms + 1,
                         &numbers[axis], &until_ms))
            return true;
    if (numbers[1] == 0)
        return true;
    return list_add(&work->lists[index], 0, numbers[0]) &&
           list_add(&work->lists[index], 1, numbers[1]) &&
           list_add(&work->lists[index], 2, numbers[2]);
}

static bool judge_visited(void *context, uint32_t customer, const struct history_view *view)
{
    struct chunk_work *work = context;
    struct scan *scan = work->scan;
    for (uint32_t i = 0; i < scan->part_count; i++) {
        struct scan_part *part = &scan->parts[i];
        struct verdict verdict;
        if (work->measuring) {
            if (part->recipe->quantiles > 0 && !measure_one(work, part, i, customer, view))
                work->failed = true;
            continue;
        }
        recipe_judge(part->recipe, part->definition->texts, work->judging, customer, view,
                     scan->now_ms + 1, &verdict);
        if (verdict.until_ms != RULE_FOREVER)
            note_due(work, customer, verdict.until_ms);
        if (verdict.value != NO_VALUE && !scan->only_due &&
            !list_add(&work->lists[i], customer, verdict.value))
            work->failed = true;
    }
    return !work->failed && !atomic_load_explicit(&scan->stopping, memory_order_relaxed);
}

static err keep_measures(struct scan_part *part, const struct found_list *list)
{
    size_t more = list->count / 3;
    if (part->measure_count + more > part->measure_room) {
        size_t room = (part->measure_count + more) * 2;
        for (size_t axis = 0; axis < 3; axis++) {
            int64_t *longer = memory_resize(part->measures[axis], room * sizeof(*longer));
            if (longer == NULL)
                return ERR_NOMEM;
            part->measures[axis] = longer;
        }
        part->measure_room = room;
    }
    for (size_t i = 0; i < list->count; i++)
        part->measures[list->items[i].customer][part->measure_count + i / 3] = list->items[i].value;
    part->measure_count += more;
    return ERR_OK;
}

static err keep_found(struct scan_part *part, const struct found_list *list)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < list->count; i++) {
        const struct found *found = &list->items[i];
        bool changed;
        error = part->recipe->in_sets
                    ? set_add(&part->sets[found->value - 1], found->customer, &changed)
                    : numbers_put(&part->numbers, found->customer, found->value);
    }
    return error;
}

static bool scan_chunk(struct scan *scan, uint32_t chunk, bool measuring,
                       struct history_reader *reader, struct judging *judging,
                       struct found_list *lists)
{
    struct chunk_work work = {
        .scan = scan, .judging = judging, .lists = lists, .measuring = measuring
    };
    uint32_t from = chunk << CHUNK_BITS;
    uint64_t end = ((uint64_t)chunk + 1) << CHUNK_BITS;
    if (end > (uint64_t)scan->last + 1)
        end = (uint64_t)scan->last + 1;
    for (uint32_t i = 0; i < scan->part_count; i++)
        lists[i].count = 0;
    if (scan->due[chunk] == NULL)
        scan->due[chunk] = memory_alloc(CHUNK_SIZE * sizeof(uint32_t));
    work.due = scan->due[chunk];
    if (work.due == NULL)
        return false;
    history_read_begin(reader);
    history_scan(reader, from != 0 ? from : 1, (uint32_t)end, judge_visited, &work);
    history_read_end(reader);
    err error = work.failed ? ERR_NOMEM : ERR_OK;
    pthread_mutex_lock(&scan->mutex);
    for (uint32_t i = 0; error == ERR_OK && i < scan->part_count; i++)
        error = measuring ? keep_measures(&scan->parts[i], &lists[i])
                          : keep_found(&scan->parts[i], &lists[i]);
    pthread_mutex_unlock(&scan->mutex);
    return error == ERR_OK;
}

static void scan_all_chunks(struct scan *scan, bool measuring, struct history_reader *reader,
                            struct judging *judging, struct found_list *lists)
{
    for (;;) {
        uint32_t chunk = atomic_fetch_add(&scan->next_chunk, 1);
        if (chunk >= scan->chunk_count || atomic_load(&scan->stopping) ||
            atomic_load(&scan->failed))
            return;
        if (!scan_chunk(scan, chunk, measuring, reader, judging, lists))
            atomic_store(&scan->failed, true);
    }
}

static int compare_numbers(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* The nearest rank: the value at ceil(i * n / q). The recipe is this scan's alone until it is installed. */
static void find_edges(struct scan_part *part)
{
    uint32_t q = part->recipe->quantiles;
    for (size_t axis = 0; axis < 3 && part->measure_count > 0; axis++) {
        struct rfm_axis *to = &part->recipe->axes[axis];
        int64_t *values = part->measures[axis];
        qsort(values, part->measure_count, sizeof(*values), compare_numbers);
        to->edge_count = q - 1;
        for (uint32_t i = 1; i < q; i++)
            to->edges[i - 1] = values[(i * part->measure_count + q - 1) / q - 1];
    }
}

void recipe_write_edges(const struct recipe *recipe, struct json_writer *writer)
{
    const str names[3] = { STR("recency"), STR("frequency"), STR("monetary") };
    json_begin_object(writer);
    for (size_t axis = 0; axis < 3; axis++) {
        json_put_key(writer, names[axis]);
        json_begin_array(writer);
        for (uint32_t i = 0; i < recipe->axes[axis].edge_count; i++)
            json_put_int(writer, recipe->axes[axis].edges[i]);
        json_end_array(writer);
    }
    json_end_object(writer);
}

static void write_install(const struct scan *scan, struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_put_key(&writer, STR("definitions"));
    json_begin_array(&writer);
    for (uint32_t i = 0; i < scan->part_count; i++) {
        const struct scan_part *part = &scan->parts[i];
        json_begin_object(&writer);
        json_member_int(&writer, STR("number"), part->number);
        json_member_int(&writer, STR("version"), part->version);
        if (part->recipe->quantiles > 0) {
            json_put_key(&writer, STR("edges"));
            recipe_write_edges(part->recipe, &writer);
        }
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

/* The log may be full for a while. */
static void submit(struct scan *scan)
{
    struct audience *audience = scan->audience;
    struct buffer body;
    buffer_init(&body, (size_t)8 << 20);
    write_install(scan, &body);
    while (buffer_status(&body) == ERR_OK && !atomic_load(&scan->stopping) &&
           audience->config.submit(audience->config.context, STR("audience.install"),
                                   buffer_str(&body)) != ERR_OK)
        steady_sleep_ms(50);
    buffer_deinit(&body);
}

static void finish(struct scan *scan)
{
    atomic_store(&scan->finished, true);
    if (atomic_load(&scan->stopping))
        return;
    if (!scan->only_due && !atomic_load(&scan->failed))
        submit(scan);
    if (scan->audience->config.wake != NULL)
        scan->audience->config.wake(scan->audience->config.context);
}

static err judging_new(struct scan *scan, struct judging *judging, struct history_reader **reader)
{
    *judging = (struct judging){ .audience = scan->audience, .zone = &scan->audience->zone };
    facts_for_scan(&scan->facts, &judging->facts);
    err error = rule_judge_new(&judging->judge);
    return error == ERR_OK ? history_reader_new(reader, scan->audience->config.history) : error;
}

static void *run_thread(void *context)
{
    struct scan *scan = context;
    struct judging judging;
    struct history_reader *reader = NULL;
    struct found_list *lists = memory_alloc((scan->part_count + 1) * sizeof(*lists));
    pthread_setname_np(pthread_self(), "kith-scan");
    pthread_mutex_lock(&scan->mutex);
    pthread_mutex_unlock(&scan->mutex);
    if (lists == NULL || judging_new(scan, &judging, &reader) != ERR_OK)
        atomic_store(&scan->failed, true);
    if (scan->measures && scan->has_barrier) {
        if (!atomic_load(&scan->failed))
            scan_all_chunks(scan, true, reader, &judging, lists);
        if (pthread_barrier_wait(&scan->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
            for (uint32_t i = 0; i < scan->part_count; i++)
                if (scan->parts[i].recipe->quantiles > 0)
                    find_edges(&scan->parts[i]);
            atomic_store(&scan->next_chunk, 0);
        }
        pthread_barrier_wait(&scan->barrier);
    }
    if (!atomic_load(&scan->failed))
        scan_all_chunks(scan, false, reader, &judging, lists);
    for (uint32_t i = 0; lists != NULL && i < scan->part_count; i++)
        memory_free(lists[i].items);
    memory_free(lists);
    rule_judge_free(&judging.judge);
    history_reader_free(&reader);
    if (atomic_fetch_sub(&scan->running, 1) == 1)
        finish(scan);
    return NULL;
}

/* ---- life, on the engine ---- */

static void part_deinit(struct scan_part *part)
{
    for (uint32_t i = 0; part->sets != NULL && i < part->recipe->value_count; i++)
        set_deinit(&part->sets[i]);
    memory_free(part->sets);
    numbers_deinit(&part->numbers);
    for (size_t axis = 0; axis < 3; axis++)
        memory_free(part->measures[axis]);
    recipe_release(&part->recipe);
}

static void scan_free(struct scan **scan)
{
    struct scan *gone = *scan;
    *scan = NULL;
    if (gone == NULL)
        return;
    for (unsigned i = 0; i < gone->thread_count; i++)
        pthread_join(gone->threads[i], NULL);
    for (uint32_t i = 0; i < gone->part_count; i++)
        part_deinit(&gone->parts[i]);
    for (uint32_t i = 0; gone->due != NULL && i < gone->chunk_count; i++)
        memory_free(gone->due[i]);
    memory_free((void *)gone->due);
    memory_free(gone->parts);
    others_free(&gone->facts.others);
    if (gone->touched != NULL)
        roaring_bitmap_free(gone->touched);
    if (gone->has_barrier)
        pthread_barrier_destroy(&gone->barrier);
    pthread_mutex_destroy(&gone->mutex);
    memory_free(gone);
}

static struct scan *scan_new(struct audience *audience, uint32_t part_room)
{
    struct scan *scan = memory_alloc(sizeof *scan);
    if (scan == NULL)
        return NULL;
    scan->audience = audience;
    scan->now_ms = audience->now_ms;
    scan->last = identity_node_count(audience->config.identity);
    scan->chunk_count = chunk_of(scan->last) + 1;
    scan->facts.audience = audience;
    pthread_mutex_init(&scan->mutex, NULL);
    scan->parts = memory_alloc((part_room + 1) * sizeof(*scan->parts));
    scan->due = memory_alloc(scan->chunk_count * sizeof(*scan->due));
    scan->touched = roaring_bitmap_create();
    if (scan->parts == NULL || scan->due == NULL || scan->touched == NULL)
        scan_free(&scan);
    return scan;
}

static err add_part(struct scan *scan, struct definition *definition, struct recipe *recipe)
{
    struct scan_part *part = &scan->parts[scan->part_count];
    *part = (struct scan_part){ .definition = definition,
                                .number = definition->number,
                                .version = definition->version,
                                .recipe = recipe_hold(recipe) };
    scan->part_count++;
    numbers_init(&part->numbers, recipe->kind == RULE_NUMBER ? MILLION : 1);
    part->sets = memory_alloc((recipe->value_count + 1) * sizeof(*part->sets));
    if (part->sets == NULL)
        return ERR_NOMEM;
    scan->measures = scan->measures || (recipe->quantiles > 0 && !scan->only_due);
    return others_take(scan->audience, &recipe->needs, &scan->facts.others);
}

static err scan_start(struct scan *scan)
{
    unsigned wanted = scan->audience->config.threads;
    if (wanted > scan->chunk_count)
        wanted = scan->chunk_count;
    if (wanted > sizeof scan->threads / sizeof scan->threads[0])
        wanted = sizeof scan->threads / sizeof scan->threads[0];
    if (wanted == 0)
        wanted = 1;
    pthread_mutex_lock(&scan->mutex); /* they begin when it is known how many they are */
    while (scan->thread_count < wanted &&
           pthread_create(&scan->threads[scan->thread_count], NULL, run_thread, scan) == 0)
        scan->thread_count++;
    atomic_store(&scan->running, scan->thread_count);
    scan->has_barrier = scan->thread_count > 0 &&
                        pthread_barrier_init(&scan->barrier, NULL, scan->thread_count) == 0;
    if (!scan->has_barrier)
        atomic_store(&scan->failed, true);
    pthread_mutex_unlock(&scan->mutex);
    return scan->has_barrier ? ERR_OK : ERR_NOMEM;
}

/* A recipe of its own for thresholds that are found anew. */
static err fresh_recipe(struct audience *audience, struct definition *definition,
                        struct recipe **recipe)
{
    struct problem problem = { .error = ERR_OK };
    json_value body;
    err error = json_parse(
        audience->parser, str_from_bytes(definition->text, definition->text_size), &body, &problem);
    return error == ERR_OK ? recipe_new(audience, definition->kind, body, recipe, &problem) : error;
}

static bool needs_are_live(const struct audience *audience, const struct recipe *recipe)
{
    for (uint32_t i = 0; i < recipe->needs.other_count; i++) {
        const struct definition *other = definition_at(audience, recipe->needs.others[i]);
        if (other == NULL || other->recipe == NULL)
            return false;
    }
    return true;
}

/* Every definition that waits and can go, in one pass over everybody. */
static err collect_parts(struct audience *audience, struct scan *scan, bool *waits)
{
    err error = ERR_OK;
    for (uint32_t i = 1; error == ERR_OK && i < audience->definition_count; i++) {
        struct definition *definition = audience->definitions[i];
        struct recipe *recipe = NULL;
        bool is_ready = false;
        if (definition == NULL || definition->deleted)
            continue;
        if (definition->next != NULL)
            recipe = recipe_hold(definition->next);
        else if (definition->requantile && definition->recipe != NULL)
            error = fresh_recipe(audience, definition, &recipe);
        if (error != ERR_OK || recipe == NULL)
            continue;
        error = recipe_prepare(audience, recipe, &is_ready, NULL);
        if (error == ERR_OK && is_ready && needs_are_live(audience, recipe))
            error = add_part(scan, definition, recipe);
        else
            *waits = true;
        recipe_release(&recipe);
    }
    return error;
}

err scan_begin(struct audience *audience)
{
    bool waits = false;
    if (audience->scan != NULL || !audience->started || audience->config.submit == NULL ||
        !audience->scan_wanted)
        return ERR_OK;
    struct scan *scan = scan_new(audience, audience->definition_count);
    if (scan == NULL)
        return ERR_NOMEM;
    err error = collect_parts(audience, scan, &waits);
    if (error == ERR_OK && scan->part_count > 0) {
        audience->scan = scan;
        error = scan_start(scan);
        if (error == ERR_OK)
            return ERR_OK;
        audience->scan = NULL;
    }
    audience->scan_wanted = waits || error != ERR_OK;
    scan_free(&scan);
    return error;
}

err scan_due_times(struct audience *audience)
{
    struct scan *scan = scan_new(audience, audience->order_count);
    err error = scan != NULL ? ERR_OK : ERR_NOMEM;
    if (error != ERR_OK)
        return error;
    scan->only_due = true;
    for (uint32_t i = 0; error == ERR_OK && i < audience->order_count; i++) {
        struct definition *definition = audience->order[i];
        if (definition->recipe->needs.time)
            error = add_part(scan, definition, definition->recipe);
    }
    if (error == ERR_OK && scan->part_count > 0) {
        audience->scan = scan;
        error = scan_start(scan);
        if (error == ERR_OK)
            return ERR_OK;
        audience->scan = NULL;
    } else if (error == ERR_OK) {
        audience->due_unknown = false;
    }
    scan_free(&scan);
    return error;
}

void scan_touch(struct audience *audience, uint32_t customer)
{
    if (audience->scan != NULL)
        roaring_bitmap_add(audience->scan->touched, customer);
}

void scan_stop(struct audience *audience)
{
    if (audience->scan != NULL)
        atomic_store(&audience->scan->stopping, true);
    scan_free(&audience->scan);
    if (audience->scan_over != NULL)
        atomic_store(&audience->scan_over->stopping, true);
    scan_free(&audience->scan_over);
}

/* ---- taking results over ---- */

static err merge_due(struct audience *audience, const struct scan *scan, bool known_too)
{
    err error = ERR_OK;
    for (uint32_t chunk = 0; chunk < scan->chunk_count; chunk++) {
        const uint32_t *due = scan->due[chunk];
        for (uint32_t i = 0; error == ERR_OK && due != NULL && i < CHUNK_SIZE; i++) {
            uint32_t customer = chunk << CHUNK_BITS | i, minute = due[i];
            if (minute == 0 ||
                (!known_too && roaring_bitmap_contains(audience->due_known, customer)))
                continue;
            uint32_t before = wheel_due(&audience->wheel, customer);
            if (before == 0 || minute < before)
                error = wheel_put(&audience->wheel, customer, (int64_t)minute * MINUTE_MS,
                                  audience->now_ms);
        }
    }
    return error;
}

static err end_due_scan(struct audience *audience)
{
    struct scan *scan = audience->scan;
    err error = ERR_OK;
    if (atomic_load(&scan->failed)) {
        audience->scan_over = scan;
        audience->scan = NULL;
        return ERR_NOMEM;
    }
    error = merge_due(audience, scan, false);
    /* who was touched but not judged in full: at the next tick */
    roaring_uint32_iterator_t iterator;
    roaring_init_iterator(scan->touched, &iterator);
    for (; error == ERR_OK && iterator.has_value; roaring_advance_uint32_iterator(&iterator))
        if (!roaring_bitmap_contains(audience->due_known, iterator.current_value))
            error = wheel_put(&audience->wheel, iterator.current_value, audience->now_ms,
                              audience->now_ms);
    audience->due_unknown = false;
    roaring_bitmap_clear(audience->due_known);
    audience->scan_over = scan;
    audience->scan = NULL;
    return error;
}

bool scan_work(struct audience *audience, int64_t budget_us)
{
    (void)budget_us;
    if (audience->scan_over != NULL && atomic_load(&audience->scan_over->running) == 0)
        scan_free(&audience->scan_over);
    if (audience->scan != NULL && audience->scan->only_due &&
        atomic_load(&audience->scan->finished) && end_due_scan(audience) != ERR_OK)
        audience->due_unknown = true;
    if (audience->scan == NULL && audience->due_unknown && audience->started &&
        !columns_are_filling(&audience->facts) && audience->scan_over == NULL &&
        audience->config.submit != NULL && scan_due_times(audience) != ERR_OK)
        return true;
    if (audience->scan == NULL && audience->scan_over == NULL && scan_begin(audience) != ERR_OK)
        return true;
    return audience->scan == NULL && audience->scan_wanted && audience->config.submit != NULL;
}

/* ---- audience.install ---- */

struct installing {
    struct audience *audience;
    struct audience_moment moment;
    struct definition **definitions;
    struct recipe **recipes;
    uint32_t count;
    struct marks marks; /* of those that are installed */
    err error;
};

static bool is_result_of(const struct scan *scan, const struct installing *installing)
{
    if (scan == NULL || scan->only_due || !atomic_load(&scan->finished) ||
        atomic_load(&scan->failed))
        return false;
    for (uint32_t i = 0; i < installing->count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < scan->part_count; k++)
            found = found || (scan->parts[k].number == installing->definitions[i]->number &&
                              scan->parts[k].version == installing->definitions[i]->version);
        if (!found)
            return false;
    }
    return true;
}

static struct scan_part *part_of(struct scan *scan, const struct definition *definition)
{
    for (uint32_t i = 0; i < scan->part_count; i++)
        if (scan->parts[i].number == definition->number)
            return &scan->parts[i];
    return NULL;
}

static int64_t part_get(const struct definition *definition, const struct scan_part *part,
                        uint32_t customer)
{
    if (!part->recipe->in_sets)
        return numbers_get(&part->numbers, customer);
    for (uint32_t i = 0; i < part->recipe->value_count; i++)
        if (set_has(&part->sets[i], customer))
            return definition_cell(definition, part->recipe, i + 1);
    return NO_VALUE;
}

struct differing {
    struct installing *installing;
    struct definition *definition;
    struct scan_part *part;
    int64_t code;
};

static bool put_differing(void *context, uint32_t customer)
{
    struct differing *differing = context;
    struct installing *installing = differing->installing;
    struct audience *audience = installing->audience;
    struct definition *definition = differing->definition;
    bool changed;
    if (identity_root(audience->config.identity, customer) != customer)
        return true; /* absorbed meanwhile */
    installing->error = definition_put(audience, definition, customer,
                                       part_get(definition, differing->part, customer),
                                       installing->moment, CAUSE_DEFINITION, &changed);
    struct marks *dependents = audience->dependents[definition->position];
    if (installing->error == ERR_OK && changed && dependents != NULL) {
        struct marks marks;
        marks_clear(&marks, marks_words(audience));
        marks_join(&marks, dependents);
        installing->error =
            live_judge(audience, customer, &marks, false, installing->moment, CAUSE_DEFINITION);
    }
    return installing->error == ERR_OK;
}

/* Whoever is in before or after; each once is enough, more often does no harm. A copy of what is walked,
 * since walking changes it. */
static err put_set(struct differing *differing, const struct set *set)
{
    struct set copy;
    err error = set_share(set, &copy);
    if (error != ERR_OK)
        return error;
    set_visit(&copy, 0, put_differing, differing);
    set_deinit(&copy);
    return differing->installing->error;
}

static err put_numbers(struct differing *differing, const struct numbers *numbers)
{
    struct numbers copy;
    err error = numbers_share(numbers, &copy);
    for (uint32_t i = 1; error == ERR_OK && i < numbers_end(&copy); i++)
        if (numbers_get(&copy, i) != NO_VALUE && !put_differing(differing, i))
            error = differing->installing->error;
    numbers_deinit(&copy);
    return error;
}

/* A definition that has nothing yet takes the whole of it over; each member is one change. */
static bool note_member(void *context, uint32_t customer)
{
    struct differing *differing = context;
    struct installing *installing = differing->installing;
    struct change change = { .customer = customer,
                             .at_ms = installing->moment.now_ms,
                             .seq = installing->moment.seq,
                             .cause = CAUSE_DEFINITION,
                             .old_value = NO_VALUE,
                             .new_value = differing->code };
    installing->error = change_note(installing->audience, differing->definition, &change);
    return installing->error == ERR_OK;
}

static err take_whole_set(struct differing *differing, uint32_t index)
{
    struct definition *definition = differing->definition;
    struct set *from = &differing->part->sets[index];
    differing->code = definition_cell(definition, differing->part->recipe, index + 1);
    struct set *to = definition_set(definition, (uint32_t)differing->code);
    if (to == NULL)
        return ERR_NOMEM;
    set_visit(from, 0, note_member, differing);
    set_deinit(to);
    set_move(from, to);
    return differing->installing->error;
}

static err take_whole_numbers(struct differing *differing)
{
    struct numbers *from = &differing->part->numbers;
    for (uint32_t i = 1; i < numbers_end(from); i++) {
        differing->code = numbers_get(from, i);
        if (differing->code != NO_VALUE && !note_member(differing, i))
            return differing->installing->error;
    }
    numbers_deinit(&differing->definition->numbers);
    numbers_move(from, &differing->definition->numbers);
    return ERR_OK;
}

static bool has_nothing(const struct audience *audience, const struct definition *definition)
{
    uint64_t count = definition->numbers.count;
    for (uint32_t i = 0; i < definition->set_count; i++)
        count += definition->sets[i].count;
    return count == 0 && audience->dependents[definition->position] == NULL;
}

static err take_whole(struct differing *differing)
{
    const struct recipe *recipe = differing->part->recipe;
    err error = ERR_OK;
    if (!recipe->in_sets)
        return take_whole_numbers(differing);
    for (uint32_t i = 0; error == ERR_OK && i < recipe->value_count; i++)
        error = take_whole_set(differing, i);
    return error;
}

static err take_part(struct installing *installing, struct definition *definition,
                     struct scan_part *part)
{
    struct differing differing = { installing, definition, part, NO_VALUE };
    err error = ERR_OK;
    if (has_nothing(installing->audience, definition))
        return take_whole(&differing);
    for (uint32_t i = 0; error == ERR_OK && i < definition->set_count; i++)
        error = put_set(&differing, &definition->sets[i]);
    if (error == ERR_OK)
        error = put_numbers(&differing, &definition->numbers);
    for (uint32_t i = 0; error == ERR_OK && i < part->recipe->value_count && part->recipe->in_sets;
         i++)
        error = put_set(&differing, &part->sets[i]);
    if (error == ERR_OK)
        error = put_numbers(&differing, &part->numbers);
    return error;
}

/* Absorbed since the scan saw her. */
static err clear_installed(struct installing *installing, uint32_t customer)
{
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < installing->count; i++) {
        bool changed;
        error = definition_put(installing->audience, installing->definitions[i], customer, NO_VALUE,
                               installing->moment, CAUSE_MERGE, &changed);
    }
    return error;
}

static err judge_installed(struct installing *installing, uint32_t customer)
{
    struct audience *audience = installing->audience;
    struct marks marks;
    if (identity_root(audience->config.identity, customer) != customer)
        return clear_installed(installing, customer);
    marks_clear(&marks, marks_words(audience));
    marks_join(&marks, &installing->marks);
    return live_judge(audience, customer, &marks, false, installing->moment, CAUSE_DEFINITION);
}

/* The scan's result, then those for whom it may be old. */
static err take_result(struct installing *installing, struct scan *scan)
{
    struct audience *audience = installing->audience;
    uint32_t now = wheel_minute(installing->moment.now_ms);
    err error = ERR_OK;
    audience->scan = NULL; /* nothing is touched any more */
    for (uint32_t i = 0; error == ERR_OK && i < installing->count; i++)
        error = take_part(installing, installing->definitions[i],
                          part_of(scan, installing->definitions[i]));
    for (uint32_t chunk = 0; chunk < scan->chunk_count; chunk++)
        for (uint32_t i = 0; scan->due[chunk] != NULL && i < CHUNK_SIZE; i++)
            if (scan->due[chunk][i] != 0 && scan->due[chunk][i] <= now)
                roaring_bitmap_add(scan->touched, chunk << CHUNK_BITS | i);
    if (error == ERR_OK)
        error = merge_due(audience, scan, true);
    roaring_uint32_iterator_t iterator;
    roaring_init_iterator(scan->touched, &iterator);
    for (; error == ERR_OK && iterator.has_value; roaring_advance_uint32_iterator(&iterator))
        error = judge_installed(installing, iterator.current_value);
    uint32_t last = identity_node_count(audience->config.identity);
    for (uint32_t customer = scan->last + 1; error == ERR_OK && customer <= last; customer++)
        error = judge_installed(installing, customer);
    return error;
}

static err judge_everybody(struct installing *installing)
{
    uint32_t last = identity_node_count(installing->audience->config.identity);
    err error = ERR_OK;
    for (uint32_t customer = 1; error == ERR_OK && customer <= last; customer++)
        error = judge_installed(installing, customer);
    return error;
}

static err take_edges(struct audience *audience, struct definition *definition, json_value edges,
                      struct recipe **recipe, struct problem *problem)
{
    struct buffer text;
    json_value body;
    size_t size;
    buffer_init(&text, 65536);
    json_write_value(&text, edges);
    err error = buffer_status(&text);
    if (error == ERR_OK) {
        memory_free((void *)(uintptr_t)definition->edges.data);
        char *bytes = buffer_take(&text, &size);
        definition->edges = str_from_bytes(bytes, size);
    }
    buffer_deinit(&text);
    if (error == ERR_OK)
        error = definition_parse(definition, audience->parser, &body, problem);
    return error == ERR_OK ? recipe_new(audience, definition->kind, body, recipe, problem) : error;
}

/* One of the list, if it still is what was computed. */
static err add_installed(struct installing *installing, json_value item, struct problem *problem)
{
    struct audience *audience = installing->audience;
    struct definition *definition =
        definition_at(audience, (uint32_t)json_int(json_get(item, STR("number")), 0));
    json_value edges = json_get(item, STR("edges"));
    struct recipe *recipe = NULL;
    if (definition == NULL || definition->deleted ||
        definition->version != (uint32_t)json_int(json_get(item, STR("version")), 0))
        return ERR_OK;
    err error = ERR_OK;
    if (json_is_object(edges))
        error = take_edges(audience, definition, edges, &recipe, problem);
    else
        recipe = recipe_hold(definition->next);
    if (error != ERR_OK || recipe == NULL)
        return error;
    installing->definitions[installing->count] = definition;
    installing->recipes[installing->count++] = recipe;
    return ERR_OK;
}

static err adopt_all(struct installing *installing, const struct audience_command *command)
{
    struct audience *audience = installing->audience;
    err error = ERR_OK;
    for (uint32_t i = 0; error == ERR_OK && i < installing->count; i++) {
        struct definition *definition = installing->definitions[i];
        bool ready;
        /* on a replay nothing was computed ahead: columns are read customer by customer */
        error = recipe_prepare(audience, installing->recipes[i], &ready, command->problem);
        if (error == ERR_OK)
            error =
                definition_adopt(audience, definition, installing->recipes[i], definition->version);
        recipe_release(&definition->next);
        definition->requantile = false;
        store_put_definition(definition, command->writes);
    }
    if (error == ERR_OK)
        error = interest_make(audience);
    marks_clear(&installing->marks, marks_words(audience));
    for (uint32_t i = 0; error == ERR_OK && i < installing->count; i++)
        marks_set(&installing->marks, installing->definitions[i]->position);
    return error;
}

err audience_install(struct audience *audience, const struct audience_command *command)
{
    json_value list = json_get(command->body, STR("definitions")), item;
    struct json_iterator iterator = json_iterate(list);
    struct installing *installing = memory_alloc(sizeof *installing);
    size_t room = json_count(list) + 1;
    if (installing == NULL)
        return ERR_NOMEM;
    installing->audience = audience;
    installing->moment = command->moment;
    installing->definitions = memory_alloc(room * sizeof(*installing->definitions));
    installing->recipes = memory_alloc(room * sizeof(*installing->recipes));
    err error = installing->definitions != NULL && installing->recipes != NULL ? ERR_OK : ERR_NOMEM;
    while (error == ERR_OK && json_next(&iterator, NULL, &item))
        error = add_installed(installing, item, command->problem);
    struct scan *scan = audience->scan != NULL && !audience->scan->only_due ? audience->scan : NULL;
    if (error == ERR_OK && installing->count > 0) {
        bool has_result = is_result_of(scan, installing);
        error = adopt_all(installing, command);
        if (error == ERR_OK)
            error = has_result ? take_result(installing, scan) : judge_everybody(installing);
    }
    if (scan != NULL && atomic_load(&scan->finished)) {
        audience->scan = NULL;
        audience->scan_over = scan;
        audience->scan_wanted = true;
    }
    for (uint32_t i = 0; installing->recipes != NULL && i < installing->count; i++)
        recipe_release(&installing->recipes[i]);
    buffer_printf(command->answer, "{\"installed\":%u}", installing->count);
    memory_free((void *)installing->definitions);
    memory_free((void *)installing->recipes);
    memory_free(installing);
    return error;
}
