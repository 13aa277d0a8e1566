/* SPDX-License-Identifier: Apache-2.0 */
/* install: what a scan found takes the place of what was there, at the record that says so; see scan.c. */
#include <stdlib.h>
#include <string.h>

#include "audience/scan.h"

/* ---- taking results over ---- */

/* Of a chunk, so many are merged at once: a tenth of a millisecond or two. */
#define MERGED_BITS 12
#define MERGED_AT_ONCE (1u << MERGED_BITS)
#define MERGES_PER_CHUNK (CHUNK_SIZE / MERGED_AT_ONCE)

/* What a scan of due times alone found counts for who was not judged meanwhile. */
static err merge_some(struct audience *audience, const struct scan *scan, uint32_t merge)
{
    const uint32_t *due = scan->due[merge / MERGES_PER_CHUNK];
    uint32_t first = merge << MERGED_BITS & (CHUNK_SIZE - 1);
    err error = ERR_OK;
    for (uint32_t i = first; error == ERR_OK && due != NULL && i < first + MERGED_AT_ONCE; i++) {
        uint32_t customer = (merge / MERGES_PER_CHUNK) << CHUNK_BITS | i, minute = due[i];
        if (minute == 0 ||
            (scan->only_due && roaring_bitmap_contains(audience->due_known, customer)))
            continue;
        uint32_t before = wheel_due(&audience->wheel, customer);
        if (before == 0 || minute < before)
            error = wheel_put(&audience->wheel, customer, (int64_t)minute * MINUTE_MS,
                              audience->now_ms);
    }
    return error;
}

#define LOOKED_AT_ONCE 64u

/* Is somebody among them due by then? 0 is never: it wraps around. */
static bool some_are_due(const uint32_t *due, uint32_t minute)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < LOOKED_AT_ONCE; i++)
        found |= due[i] - 1 < minute;
    return found != 0;
}

static void add_due(const struct scan *scan, uint32_t chunk, uint32_t minute, roaring_bitmap_t *out)
{
    const uint32_t *due = scan->due[chunk];
    for (uint32_t from = 0; due != NULL && from < CHUNK_SIZE; from += LOOKED_AT_ONCE) {
        if (!some_are_due(due + from, minute))
            continue;
        for (uint32_t i = from; i < from + LOOKED_AT_ONCE; i++)
            if (due[i] != 0 && due[i] <= minute)
                roaring_bitmap_add(out, chunk << CHUNK_BITS | i);
    }
}

/* Everybody's due time is known from here on. Who was touched but not judged in full: at the next tick. */
static err end_due_merge(struct audience *audience, const struct scan *scan)
{
    roaring_uint32_iterator_t iterator;
    err error = ERR_OK;
    roaring_init_iterator(scan->touched, &iterator);
    for (; error == ERR_OK && iterator.has_value; roaring_advance_uint32_iterator(&iterator))
        if (!roaring_bitmap_contains(audience->due_known, iterator.current_value))
            error = wheel_put(&audience->wheel, iterator.current_value, audience->now_ms,
                              audience->now_ms);
    if (error != ERR_OK)
        return error;
    audience->due_unknown = false;
    roaring_bitmap_clear(audience->due_known);
    return ERR_OK;
}

/* The wheel takes them over some at a time. A time that is told twice, or is too early, costs one answer more; so
 * the order does not matter. */
bool scan_merge(struct audience *audience, int64_t budget_us)
{
    steady_ns start = steady_now();
    struct scan *scan = audience->merging;
    while (scan != NULL && audience->merge_next < scan->chunk_count * MERGES_PER_CHUNK) {
        if (merge_some(audience, scan, audience->merge_next) != ERR_OK)
            return true; /* out of memory: tried again */
        audience->merge_next++;
        if (budget_us > 0 && steady_since_us(start) >= budget_us)
            return true;
    }
    if (scan != NULL && atomic_load(&scan->running) != 0)
        return true; /* its last thread is about to end */
    if (scan != NULL && scan->only_due && end_due_merge(audience, scan) != ERR_OK)
        return true;
    if (scan != NULL)
        hear_unsure(audience);
    scan_free(&audience->merging);
    return false;
}

void scan_merge_due(struct audience *audience, uint32_t minute, roaring_bitmap_t *out)
{
    const struct scan *scan = audience->merging;
    for (uint32_t chunk = audience->merge_next / MERGES_PER_CHUNK;
         scan != NULL && chunk < scan->chunk_count; chunk++)
        add_due(scan, chunk, minute, out);
}

/* One that failed begins again: due times are still unknown. */
static void end_due_scan(struct audience *audience)
{
    struct scan *scan = audience->scan;
    audience->scan = NULL;
    if (atomic_load(&scan->failed)) {
        audience->scan_over = scan;
        return;
    }
    (void)scan_merge(audience, 0); /* of an earlier one */
    scan_free(&audience->merging);
    audience->merging = scan;
    audience->merge_next = 0;
}

/* Out of memory, or the warehouse did not answer: after a moment it begins again. */
static void end_failed_scan(struct audience *audience)
{
    audience->scan_over = audience->scan;
    audience->scan = NULL;
    audience->scan_wanted = true;
    audience->scan_failed = steady_now();
}

bool scan_work(struct audience *audience, int64_t budget_us)
{
    (void)budget_us;
    if (audience->scan_over != NULL && atomic_load(&audience->scan_over->running) == 0)
        scan_free(&audience->scan_over);
    if (audience->scan != NULL && audience->scan->only_due &&
        atomic_load(&audience->scan->finished))
        end_due_scan(audience);
    if (audience->scan != NULL && !audience->scan->only_due &&
        atomic_load(&audience->scan->finished) && atomic_load(&audience->scan->failed) &&
        audience->scan_over == NULL)
        end_failed_scan(audience);
    if (audience->scan == NULL && audience->due_unknown && audience->started &&
        audience->merging == NULL && !columns_are_filling(&audience->facts) &&
        audience->scan_over == NULL && audience->config.submit != NULL &&
        scan_due_times(audience) != ERR_OK)
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

/* Of a chunk, whoever is in one set and not in the other: where most stay, hardly anybody is looked at. */
static err put_chunk(struct differing *differing, const struct set *old, const struct set *next,
                     uint32_t chunk)
{
    const roaring_bitmap_t *was = set_chunk_bits(old, chunk), *is = set_chunk_bits(next, chunk);
    roaring_bitmap_t *either = NULL;
    if (was == NULL && is == NULL)
        return ERR_OK;
    if (was != NULL && is != NULL)
        either = roaring_bitmap_xor(was, is);
    else
        either = roaring_bitmap_copy(was != NULL ? was : is);
    if (either == NULL)
        return ERR_NOMEM;
    roaring_uint32_iterator_t iterator;
    roaring_init_iterator(either, &iterator);
    while (iterator.has_value &&
           put_differing(differing, chunk << CHUNK_BITS | iterator.current_value))
        roaring_advance_uint32_iterator(&iterator);
    roaring_bitmap_free(either);
    return differing->installing->error;
}

static err put_set(struct differing *differing, const struct set *old, const struct set *next)
{
    uint32_t chunks = old->chunk_count > next->chunk_count ? old->chunk_count : next->chunk_count;
    struct set copy; /* what is put changes, and may move, the old one */
    err error = set_share(old, &copy);
    for (uint32_t chunk = 0; error == ERR_OK && chunk < chunks; chunk++)
        error = put_chunk(differing, &copy, next, chunk);
    set_deinit(&copy);
    return error;
}

/* What the walk changes is `old` itself: a number that is put is the next one's, and is not met again. */
static err put_numbers(struct differing *differing, const struct numbers *old,
                       const struct numbers *next)
{
    uint32_t end = numbers_end(old) > numbers_end(next) ? numbers_end(old) : numbers_end(next);
    for (uint32_t i = 1; i < end; i++)
        if (numbers_get(old, i) != numbers_get(next, i) && !put_differing(differing, i))
            return differing->installing->error;
    return ERR_OK;
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
    INVARIANT(differing->part != NULL);
    const struct recipe *recipe = differing->part->recipe;
    err error = ERR_OK;
    if (!recipe->in_sets)
        return take_whole_numbers(differing);
    for (uint32_t i = 0; error == ERR_OK && i < recipe->value_count; i++)
        error = take_whole_set(differing, i);
    return error;
}

/* The members that this code gets. */
static const struct set *next_of(const struct differing *differing, uint32_t code,
                                 const struct set *nobody)
{
    const struct scan_part *part = differing->part;
    for (uint32_t i = 0; part->recipe->in_sets && i < part->recipe->value_count; i++)
        if (definition_cell(differing->definition, part->recipe, i + 1) == code)
            return &part->sets[i];
    return nobody;
}

/* How many are in one and not in the other, until there are more than `most`. */
static bool is_large(const struct installing *installing, const struct definition *definition,
                     const struct scan_part *part)
{
    uint64_t most = installing->audience->config.install_at_once_max, count = 0;
    uint64_t in_sets = 0;
    for (uint32_t i = 0; i < definition->set_count; i++)
        in_sets += definition->sets[i].count;
    if (!part->recipe->in_sets)
        return in_sets == 0 && definition->numbers.count + part->numbers.count > most;
    if (definition->numbers.count > 0)
        return false;
    for (uint32_t i = 0; i < part->recipe->value_count; i++)
        count += part->sets[i].count;
    return count + in_sets > most;
}

/* Absorbed since the scan saw them: they have nothing of their own. */
static err clear_touched(struct installing *installing, struct definition *definition,
                         const struct scan *scan)
{
    struct audience *audience = installing->audience;
    roaring_uint32_iterator_t iterator;
    err error = ERR_OK;
    bool changed;
    roaring_init_iterator(scan->touched, &iterator);
    for (; error == ERR_OK && iterator.has_value; roaring_advance_uint32_iterator(&iterator))
        if (identity_root(audience->config.identity, iterator.current_value) !=
            iterator.current_value)
            error = definition_put(audience, definition, iterator.current_value, NO_VALUE,
                                   installing->moment, CAUSE_MERGE, &changed);
    return error;
}

static err take_part(struct installing *installing, struct definition *definition,
                     struct scan_part *part, const struct scan *scan)
{
    struct differing differing = { installing, definition, part, NO_VALUE };
    err error = ERR_OK;
    if (is_large(installing, definition, part)) {
        error = taking_begin(installing->audience, definition, part, installing->moment);
        return error == ERR_OK ? clear_touched(installing, definition, scan) : error;
    }
    if (has_nothing(installing->audience, definition))
        return take_whole(&differing);
    static const struct set nobody = { .count = 0 };
    uint32_t codes = definition->set_count;
    for (uint32_t i = 0; error == ERR_OK && i < codes; i++)
        error = put_set(&differing, &definition->sets[i], next_of(&differing, i + 1, &nobody));
    /* of values that it never had */
    for (uint32_t i = 0; error == ERR_OK && part->recipe->in_sets && i < part->recipe->value_count;
         i++)
        if (definition_cell(definition, part->recipe, i + 1) > codes)
            error = put_set(&differing, &nobody, &part->sets[i]);
    if (error == ERR_OK)
        error = put_numbers(&differing, &definition->numbers, &part->numbers);
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
                          part_of(scan, installing->definitions[i]), scan);
    for (uint32_t chunk = 0; chunk < scan->chunk_count; chunk++)
        add_due(scan, chunk, now, scan->touched);
    /* Her answer may be old: everything about her anew, before anything is decided about her. */
    roaring_bitmap_or_inplace(audience->rejudge, scan->touched);
    uint32_t last = identity_node_count(audience->config.identity);
    if (last > scan->last)
        roaring_bitmap_add_range(audience->rejudge, (uint64_t)scan->last + 1, (uint64_t)last + 1);
    (void)scan_merge(audience, 0); /* of an earlier one */
    scan_free(&audience->merging);
    audience->merging = scan;
    audience->merge_next = 0;
    return error;
}

/* What is installed may have changed who is left, and does not again: she is judged by what stands on it, too. That comes after it
 * in the order. */
static void mark_above(struct installing *installing)
{
    struct marks *marks = &installing->marks;
    for (uint32_t i = 0; i < installing->audience->order_count; i++)
        if ((marks->words[i / 64] >> (i % 64) & 1) != 0)
            marks_join(marks, installing->audience->dependents[i]);
}

static err judge_streamed(void *context, uint32_t customer)
{
    return judge_installed(context, customer);
}

static err judge_everybody(struct installing *installing)
{
    struct audience *audience = installing->audience;
    uint32_t last = identity_node_count(audience->config.identity);
    struct stream_list waiting = { .count = 0 };
    err error = ERR_OK;
    audience->waiting = &waiting;
    for (uint32_t customer = 1; error == ERR_OK && customer <= last; customer++)
        error = judge_installed(installing, customer);
    audience->waiting = NULL;
    mark_above(installing);
    if (error == ERR_OK)
        error = live_stream(audience, &waiting, judge_streamed, installing);
    stream_list_free(&waiting);
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
        /* what the last install changed is noted before */
        error = taking_finish(audience, definition);
        if (error != ERR_OK)
            break;
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
    if (error == ERR_OK)
        error = object_counts_install(audience, json_get(command->body, STR("objects")),
                                      command->moment, command->writes);
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
        if (audience->merging != scan)
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
