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

#include "audience/scan.h"

#define FAILED_MS 1000 /* before what failed is tried again */

struct found {
    uint32_t customer;
    int64_t value;
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
        numbers_deinit(&item->entered);
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
    if (error == ERR_OK)
        error = numbers_share(&definition->entered, &item->entered);
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

static bool scan_reachable(void *context, uint32_t customer, uint32_t symbol)
{
    const struct scan_facts *facts = context;
    return reach_of(facts->audience, symbol, customer) == REACH_YES;
}

/* ---- the same of neighbours at once ---- */

static void read_set(const struct set *set, uint32_t first, uint32_t count, int64_t value,
                     int64_t *cells)
{
    const roaring_bitmap_t *bits = set_chunk_bits(set, chunk_of(first));
    roaring_uint32_iterator_t iterator;
    uint32_t members[512];
    uint32_t begin = first & (CHUNK_SIZE - 1), end = begin + count;
    if (bits == NULL)
        return;
    roaring_init_iterator(bits, &iterator);
    if (!roaring_move_uint32_iterator_equalorlarger(&iterator, begin))
        return;
    for (;;) {
        uint32_t read = roaring_read_uint32_iterator(&iterator, members, 512);
        for (uint32_t i = 0; i < read; i++) {
            if (members[i] >= end)
                return;
            cells[members[i] - begin] = value;
        }
        if (read < 512)
            return;
    }
}

/* As others_get: the first of its sets that has her, else her number. */
static bool others_cells(const struct others *others, uint32_t number, uint32_t first,
                         uint32_t count, int64_t *cells)
{
    const struct others_item *item = number < others->count ? &others->items[number] : NULL;
    bool has_numbers = item != NULL && item->numbers.chunk_count > 0;
    for (uint32_t i = 0; i < count; i++)
        cells[i] = has_numbers ? numbers_get(&item->numbers, first + i) : NO_VALUE;
    for (uint32_t i = item != NULL ? item->set_count : 0; i-- > 0;)
        read_set(&item->sets[i], first, count, i + 1, cells);
    return true;
}

static bool scan_cells(void *context, enum rule_fact fact, uint32_t symbol, uint32_t first,
                       uint32_t count, int64_t *cells)
{
    const struct scan_facts *facts = context;
    INVARIANT(chunk_of(first) == chunk_of(first + count - 1));
    switch (fact) {
    case RULE_FACT_TAG:
    case RULE_FACT_SEGMENT:
        return others_cells(&facts->others, symbol, first, count, cells);
    case RULE_FACT_IDENTIFIER:
        cells_get(facts->audience->facts.columns[0], first, count, cells);
        for (uint32_t i = 0; i < count; i++)
            if (cells[i] == NO_VALUE || (cells[i] >> symbol & 1) == 0)
                cells[i] = RULE_NO_CELL;
        return true;
    case RULE_FACT_TRAIT:
    case RULE_FACT_CONSENT:
    case RULE_FACT_RELATION:
        cells_get(facts->audience->facts.columns[symbol], first, count, cells);
        return true;
    }
    return false;
}

static bool scan_cell(void *context, enum rule_fact fact, uint32_t symbol, int64_t cell,
                      struct rule_value *value)
{
    const struct scan_facts *facts = context;
    if (fact != RULE_FACT_TAG)
        return cell_value(facts->audience->facts.columns[symbol], cell, value);
    const struct others_item *item = &facts->others.items[symbol];
    return tag_value(item->kind, item->texts, cell, value);
}

void facts_for_scan(struct scan_facts *from, struct rule_facts *facts)
{
    if (from->objects.count == NULL) /* else it was made before there were threads */
        objects_for_scan(from);
    *facts = (struct rule_facts){ .context = from,
                                  .trait = scan_trait,
                                  .tag = scan_tag,
                                  .segment = scan_segment,
                                  .identifier = scan_identifier,
                                  .consent = scan_consent,
                                  .relation = scan_trait,
                                  .reachable = scan_reachable,
                                  .cells = scan_cells,
                                  .cell = scan_cell,
                                  .objects = &from->objects,
                                  .entered = entered_for_scan,
                                  .entered_ms = INT64_MIN };
}

/* ---- on the threads ----
 *
 * Who lacks events in memory is left out, and judged by rows that are read back when the thread is through with the
 * chunks: her results go into the same lists. */

struct found_list {
    struct found *items;
    size_t count, room;
    size_t kept; /* those before belong to customers that are done */
};

struct chunk_work {
    struct scan *scan;
    struct judging *judging;
    struct found_list *lists;    /* per part */
    struct stream_list *lacking; /* NULL: all is there */
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
    uint32_t *cell = &work->scan->due[chunk_of(customer)][customer & (CHUNK_SIZE - 1)];
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

/* What was found of her so far does not count. */
static void leave_out(struct chunk_work *work, uint32_t customer)
{
    for (uint32_t i = 0; i < work->scan->part_count; i++) {
        struct found_list *list = &work->lists[i];
        while (list->count > list->kept)
            list->count--;
    }
    if (!stream_list_add(work->lacking, customer))
        work->failed = true;
}

static void keep_all(struct chunk_work *work)
{
    for (uint32_t i = 0; i < work->scan->part_count; i++)
        work->lists[i].kept = work->lists[i].count;
}

static bool judge_visited(void *context, uint32_t customer, const struct history_view *view)
{
    struct chunk_work *work = context;
    struct scan *scan = work->scan;
    keep_all(work);
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
    if (lacked_events(scan->audience, work->judging->judge) && work->lacking != NULL)
        leave_out(work, customer);
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

static bool keep_lists(struct chunk_work *work)
{
    struct scan *scan = work->scan;
    err error = work->failed ? ERR_NOMEM : ERR_OK;
    pthread_mutex_lock(&scan->mutex);
    for (uint32_t i = 0; error == ERR_OK && i < scan->part_count; i++)
        error = work->measuring ? keep_measures(&scan->parts[i], &work->lists[i])
                                : keep_found(&scan->parts[i], &work->lists[i]);
    pthread_mutex_unlock(&scan->mutex);
    for (uint32_t i = 0; i < scan->part_count; i++)
        work->lists[i].count = 0;
    return error == ERR_OK;
}

static bool scan_chunk(struct chunk_work *work, uint32_t chunk, struct history_reader *reader)
{
    struct scan *scan = work->scan;
    uint32_t from = chunk << CHUNK_BITS;
    uint64_t end = ((uint64_t)chunk + 1) << CHUNK_BITS;
    if (end > (uint64_t)scan->last + 1)
        end = (uint64_t)scan->last + 1;
    INVARIANT(work->lists != NULL || scan->part_count == 0);
    INVARIANT(chunk < scan->chunk_count);
    if (scan->due[chunk] == NULL)
        scan->due[chunk] = memory_alloc(CHUNK_SIZE * sizeof(uint32_t));
    if (scan->due[chunk] == NULL)
        return false;
    history_read_begin(reader);
    history_scan(reader, from != 0 ? from : 1, (uint32_t)end, judge_visited, work);
    history_read_end(reader);
    return keep_lists(work);
}

static bool stream_lacking(struct chunk_work *work, struct history_reader *reader)
{
    struct stream_list lacking = *work->lacking;
    struct problem problem = { .error = ERR_OK };
    struct streaming streaming = { .form = &work->scan->form,
                                   .until_seq = work->scan->seq,
                                   .reader = reader,
                                   .visit = judge_visited,
                                   .context = work };
    work->lacking = NULL;
    err error = stream_customers(work->scan->audience, &streaming, lacking.customers, lacking.count,
                                 &problem);
    stream_list_free(&lacking);
    if (error != ERR_OK)
        log_line(LOG_WARN, "scan_not_streamed", "reason=\"%s\"",
                 problem.detail[0] != '\0' ? problem.detail : err_title(error));
    return error == ERR_OK && keep_lists(work);
}

static void scan_all_chunks(struct scan *scan, bool measuring, struct history_reader *reader,
                            struct judging *judging, struct found_list *lists)
{
    struct stream_list lacking = { .count = 0 };
    struct chunk_work work = { .scan = scan,
                               .judging = judging,
                               .lists = lists,
                               .lacking = &lacking,
                               .measuring = measuring };
    for (;;) {
        uint32_t chunk = atomic_fetch_add(&scan->next_chunk, 1);
        if (chunk >= scan->chunk_count || atomic_load(&scan->stopping) ||
            atomic_load(&scan->failed))
            break;
        if (!scan_chunk(&work, chunk, reader))
            atomic_store(&scan->failed, true);
    }
    bool goes_on = !atomic_load(&scan->stopping) && !atomic_load(&scan->failed);
    if (goes_on && lacking.count > 0 && !stream_lacking(&work, reader))
        atomic_store(&scan->failed, true);
    else if (work.lacking != NULL)
        stream_list_free(&lacking);
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
    *judging = (struct judging){ .audience = scan->audience, .zone = scan->audience->zone };
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
        /* One thread gets the serial value, which is negative here. */
        /* NOLINTNEXTLINE(bugprone-posix-return) */
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

void scan_free(struct scan **scan)
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
    stream_form_deinit(&gone->form);
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
    objects_for_scan(&scan->facts);
    stream_form_init(&scan->form);
    if (audience->config.applied_seq != NULL)
        scan->seq = audience->config.applied_seq(audience->config.context);
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
    err error = stream_form_recipe(&scan->form, scan->audience->config.history, recipe);
    if (error != ERR_OK)
        return error;
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
        if (definition == NULL || definition->deleted || definition->on != 0)
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
        !audience->scan_wanted ||
        (audience->scan_failed.ns != 0 && steady_since_ms(audience->scan_failed) < FAILED_MS))
        return ERR_OK;
    audience->scan_failed = (steady_ns){ 0 };
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
    scan_free(&audience->merging);
}
