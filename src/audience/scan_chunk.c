/* SPDX-License-Identifier: Apache-2.0 */
/* A scan on its threads: chunk after chunk is judged, in spans of neighbours, and what was found is kept.
 *
 * Who lacks events in memory is left out, and judged by rows that are read back when the thread is through with the
 * chunks: her results go into the same lists. */
#include <string.h>

#include "audience/scan.h"

struct found {
    uint32_t customer;
    int64_t value;
};

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
    struct span_verdicts *verdicts;
    bool measuring, failed;
};

struct found_list *found_lists_new(const struct scan *scan)
{
    return memory_alloc((scan->part_count + 1) * sizeof(struct found_list));
}

void found_lists_free(const struct scan *scan, struct found_list *lists)
{
    for (uint32_t i = 0; lists != NULL && i < scan->part_count; i++)
        memory_free(lists[i].items);
    memory_free(lists);
}

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

/* Three items of hers, by axis; her due time is known with them. */
static bool add_measures(struct chunk_work *work, uint32_t index, uint32_t customer,
                         const int64_t numbers[3])
{
    return list_add(&work->lists[index], customer, numbers[0]) &&
           list_add(&work->lists[index], customer, numbers[1]) &&
           list_add(&work->lists[index], customer, numbers[2]);
}

static bool measure_one(struct chunk_work *work, const struct scan_part *part, uint32_t index,
                        uint32_t customer, const struct history_view *view)
{
    int64_t numbers[3], until_ms = RULE_FOREVER;
    bool has_all = view->count > 0 || !view->complete;
    for (size_t axis = 0; axis < 3 && has_all; axis++)
        has_all = rfm_measure(part->recipe, axis, work->judging, customer, view,
                              work->scan->now_ms + 1, &numbers[axis], &until_ms) &&
                  (axis != 1 || numbers[axis] != 0);
    if (until_ms != RULE_FOREVER)
        note_due(work, customer, until_ms);
    return !has_all || add_measures(work, index, customer, numbers);
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

static void keep_verdict(struct chunk_work *work, uint32_t index, uint32_t customer,
                         const struct verdict *verdict)
{
    if (verdict->until_ms != RULE_FOREVER)
        note_due(work, customer, verdict->until_ms);
    if (verdict->value != NO_VALUE && !work->scan->only_due &&
        !list_add(&work->lists[index], customer, verdict->value))
        work->failed = true;
}

static bool judge_visited(void *context, uint32_t customer, const struct history_view *view)
{
    struct chunk_work *work = context;
    struct scan *scan = work->scan;
    keep_all(work);
    for (uint32_t i = 0; i < scan->part_count; i++) {
        struct scan_part *part = &scan->parts[i];
        struct verdict verdict;
        if (scan_is_measured(scan, part) != work->measuring)
            continue;
        if (work->measuring) {
            work->failed = work->failed || !measure_one(work, part, i, customer, view);
            continue;
        }
        recipe_judge(part->recipe, part->definition->texts, work->judging, customer, view,
                     scan->now_ms + 1, &verdict);
        keep_verdict(work, i, customer, &verdict);
    }
    if (lacked_events(scan->audience, work->judging->judge) && work->lacking != NULL)
        leave_out(work, customer);
    return !work->failed && !atomic_load_explicit(&scan->stopping, memory_order_relaxed);
}

/* ---- neighbours at once ---- */

static bool measure_span(struct chunk_work *work, const struct scan_part *part, uint32_t index,
                         const struct history_span *span)
{
    uint64_t left[HISTORY_SPAN_WORDS];
    struct span_verdicts *verdicts = work->verdicts;
    span_verdicts_clear(verdicts);
    memcpy(left, span->plain, sizeof left);
    if (!rfm_measure_span(part->recipe, work->judging, span, left, work->scan->now_ms + 1,
                          verdicts))
        return false;
    for (uint32_t slot = 0; slot < HISTORY_BLOCK_NODES; slot++) {
        int64_t numbers[3] = { verdicts->numbers[0][slot], verdicts->numbers[1][slot],
                               verdicts->numbers[2][slot] };
        if (verdicts->until_ms[slot] != RULE_FOREVER)
            note_due(work, span->begin + slot, verdicts->until_ms[slot]);
        if ((left[slot / 64] >> (slot % 64) & 1) != 0 &&
            !add_measures(work, index, span->begin + slot, numbers))
            work->failed = true;
    }
    return true;
}

static bool judge_span(struct chunk_work *work, const struct scan_part *part, uint32_t index,
                       const struct history_span *span)
{
    struct span_verdicts *verdicts = work->verdicts;
    if (!recipe_judge_span(part->recipe, work->judging, span, span->plain, work->scan->now_ms + 1,
                           verdicts))
        return false;
    for (uint32_t slot = 0; slot < HISTORY_BLOCK_NODES; slot++) {
        struct verdict verdict = { verdicts->values[slot], verdicts->until_ms[slot] };
        if ((span->plain[slot / 64] >> (slot % 64) & 1) != 0)
            keep_verdict(work, index, span->begin + slot, &verdict);
    }
    return true;
}

/* A recipe that has no form for it: all of them, as one by one. */
static bool judge_plain(struct chunk_work *work, const struct scan_part *part, uint32_t index,
                        const struct history_span *span)
{
    struct history_view view;
    for (uint32_t slot = 0; slot < HISTORY_BLOCK_NODES; slot++) {
        struct verdict verdict;
        if ((span->plain[slot / 64] >> (slot % 64) & 1) == 0)
            continue;
        history_span_one(span, slot, &view);
        recipe_judge(part->recipe, part->definition->texts, work->judging, span->begin + slot,
                     &view, work->scan->now_ms + 1, &verdict);
        keep_verdict(work, index, span->begin + slot, &verdict);
    }
    return !lacked_events(work->scan->audience, work->judging->judge);
}

static bool span_part(struct chunk_work *work, uint32_t index, const struct history_span *span)
{
    const struct scan_part *part = &work->scan->parts[index];
    if (scan_is_measured(work->scan, part) != work->measuring)
        return true;
    if (work->measuring)
        return measure_span(work, part, index, span);
    if (!recipe_has_span(part->recipe))
        return judge_plain(work, part, index, span);
    return judge_span(work, part, index, span);
}

/* Who is apart is judged alone; and everybody, where some part cannot be judged at once. */
static bool scan_span(struct chunk_work *work, struct history_reader *reader, uint32_t from,
                      uint32_t to)
{
    struct history_span span;
    struct scan *scan = work->scan;
    bool at_once = true;
    history_view_span(reader, from, to, &span);
    keep_all(work);
    for (uint32_t i = 0; at_once && i < scan->part_count; i++)
        at_once = span_part(work, i, &span);
    if (at_once) {
        history_scan_apart(reader, &span, judge_visited, work);
    } else {
        for (uint32_t i = 0; i < scan->part_count; i++)
            work->lists[i].count = work->lists[i].kept;
        history_scan(reader, from, to, judge_visited, work);
    }
    return !work->failed && !atomic_load_explicit(&scan->stopping, memory_order_relaxed);
}

static void scan_spans(struct chunk_work *work, struct history_reader *reader, uint64_t from,
                       uint64_t end)
{
    uint64_t last = (uint64_t)history_node_count(work->scan->audience->config.history) + 1;
    end = end < last ? end : last;
    while (from < end) {
        uint64_t next = (from | (HISTORY_BLOCK_NODES - 1)) + 1;
        next = next < end ? next : end;
        if (!scan_span(work, reader, (uint32_t)from, (uint32_t)next))
            return;
        from = next;
    }
}

static err grow_measures(struct scan_part *part, size_t room)
{
    uint32_t *customers = memory_resize(part->measured, room * sizeof(*customers));
    if (customers == NULL)
        return ERR_NOMEM;
    part->measured = customers;
    for (size_t axis = 0; axis < 3; axis++) {
        int64_t *longer = memory_resize(part->measures[axis], room * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        part->measures[axis] = longer;
    }
    part->measure_room = room;
    return ERR_OK;
}

static err keep_measures(struct scan_part *part, const struct found_list *list)
{
    size_t more = list->count / 3;
    if (part->measure_count + more > part->measure_room &&
        grow_measures(part, (part->measure_count + more) * 2) != ERR_OK)
        return ERR_NOMEM;
    for (size_t i = 0; i < more; i++) {
        const struct found *found = &list->items[3 * i];
        part->measured[part->measure_count + i] = found->customer;
        for (size_t axis = 0; axis < 3; axis++)
            part->measures[axis][part->measure_count + i] = found[axis].value;
    }
    part->measure_count += more;
    return ERR_OK;
}

static bool is_one_chunk(const struct found_list *list)
{
    for (size_t i = 1; i < list->count; i++)
        if (chunk_of(list->items[i].customer) != chunk_of(list->items[0].customer))
            return false;
    return list->count > 0;
}

/* Of one chunk: by value, then each set takes its members at once. `ends`: one more than there are values. */
static err keep_chunk(struct scan_part *part, const struct found_list *list, uint32_t *members,
                      uint32_t *ends)
{
    uint32_t chunk = chunk_of(list->items[0].customer), begin = 0;
    err error = ERR_OK;
    for (size_t i = 0; i < list->count; i++)
        ends[list->items[i].value]++;
    for (uint32_t value = 1; value <= part->recipe->value_count; value++)
        ends[value] += ends[value - 1];
    for (size_t i = list->count; i-- > 0;)
        members[--ends[list->items[i].value]] = list->items[i].customer & (CHUNK_SIZE - 1);
    for (uint32_t value = 1; error == ERR_OK && value <= part->recipe->value_count; value++) {
        uint32_t end = value < part->recipe->value_count ? ends[value + 1] : (uint32_t)list->count;
        begin = ends[value];
        if (begin < end)
            error = set_add_many(&part->sets[value - 1], chunk, members + begin, end - begin);
    }
    return error;
}

static err keep_members(struct scan_part *part, const struct found_list *list)
{
    uint32_t *members = memory_alloc((list->count + 1) * sizeof(*members));
    uint32_t *ends = memory_alloc((part->recipe->value_count + 1) * sizeof(*ends));
    err error = ERR_NOMEM;
    if (members != NULL && ends != NULL)
        error = keep_chunk(part, list, members, ends);
    memory_free(members);
    memory_free(ends);
    return error;
}

static err keep_found(struct scan_part *part, const struct found_list *list)
{
    err error = ERR_OK;
    if (part->recipe->in_sets && is_one_chunk(list))
        return keep_members(part, list);
    for (size_t i = 0; error == ERR_OK && i < list->count; i++) {
        const struct found *found = &list->items[i];
        bool changed;
        error = part->recipe->in_sets
                    ? set_add(&part->sets[found->value - 1], found->customer, &changed)
                    : numbers_put(&part->numbers, found->customer, found->value);
    }
    return error;
}

/* Whose measures are known needs no second look. They stand by chunks, as they were kept. */
err scan_keep_boxes(struct scan_part *part)
{
    struct found_list list = { .count = 0 };
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < part->measure_count; i++) {
        int64_t numbers[3] = { part->measures[0][i], part->measures[1][i], part->measures[2][i] };
        int64_t value = rfm_value(part->recipe, numbers);
        uint32_t customer = part->measured[i];
        if (list.count > 0 && chunk_of(customer) != chunk_of(list.items[0].customer)) {
            error = keep_found(part, &list);
            list.count = 0;
        }
        if (error == ERR_OK && value != NO_VALUE && !list_add(&list, customer, value))
            error = ERR_NOMEM;
    }
    if (error == ERR_OK && list.count > 0)
        error = keep_found(part, &list);
    memory_free(list.items);
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
    scan_spans(work, reader, from != 0 ? from : 1, end);
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

void scan_all_chunks(struct scan *scan, bool measuring, struct history_reader *reader,
                     struct judging *judging, struct found_list *lists)
{
    struct stream_list lacking = { .count = 0 };
    struct span_verdicts verdicts;
    struct chunk_work work = { .scan = scan,
                               .judging = judging,
                               .lists = lists,
                               .lacking = &lacking,
                               .verdicts = &verdicts,
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
