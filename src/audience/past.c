/* SPDX-License-Identifier: Apache-2.0 */
/* past: who was in at any moment, and how the size went, from the changes in the ledger. Any thread.
 *
 * A set that was taken on the engine is walked back: the newest change first, each undone. */
#include <string.h>

#include "audience/state.h"

struct audience_set {
    struct set members;
    struct set part; /* who is seen, when `is_part` */
    bool is_part;
    uint32_t definition, code; /* code 0: any value */
    uint64_t number;           /* of the last change in it */
    struct changes_row *rows;  /* what the ledger may not have yet, newest first */
    uint64_t rows_from;        /* number of the oldest of them */
};

static err keep_row(struct changes_row ***last, uint64_t number, uint32_t count, const char *bytes,
                    size_t size)
{
    struct changes_row *row = memory_alloc(sizeof *row);
    char *copy = row != NULL ? memory_alloc(size + 1) : NULL;
    if (copy == NULL) {
        memory_free(row);
        return ERR_NOMEM;
    }
    if (size > 0)
        memcpy(copy, bytes, size);
    *row = (struct changes_row){ .number = number, .count = count, .bytes = copy, .size = size };
    **last = row;
    *last = &row->next;
    return ERR_OK;
}

static err keep_rows(const struct audience *audience, const struct definition *definition,
                     struct audience_set *set)
{
    struct changes_row **last = &set->rows;
    err error = ERR_OK;
    set->rows_from = UINT64_MAX;
    if (definition->changes_count > 0) {
        error = keep_row(&last, definition->changes_number, definition->changes_count,
                         definition->changes.data, definition->changes.size);
        set->rows_from = definition->changes_number;
    }
    for (const struct changes_row *row = audience->finished_rows; row != NULL && error == ERR_OK;
         row = row->next) {
        if (row->definition != definition->number)
            continue;
        error = keep_row(&last, row->number, row->count, row->bytes, row->size);
        set->rows_from = row->number;
    }
    return error;
}

err audience_set_take(struct audience *audience, enum audience_kind kind, str key, str value,
                      struct audience_set **set)
{
    struct definition *definition = definition_find(audience, kind, key);
    struct audience_set *taken = definition != NULL ? memory_alloc(sizeof *taken) : NULL;
    err error = ERR_OK;
    bool changed;
    if (definition == NULL)
        return ERR_NOT_FOUND;
    if (taken == NULL)
        return ERR_NOMEM;
    live_settle_few(audience);
    error = taking_finish(audience, definition); /* what it was before stands in the changes */
    if (error == ERR_OK)
        error = keep_rows(audience, definition, taken);
    taken->definition = definition->number;
    taken->number = definition->change_number;
    if (value.size > 0)
        taken->code = lexicon_find(definition->texts, value);
    if (definition->kind == AUDIENCE_SEGMENT)
        taken->code = 1;
    bool unknown = value.size > 0 && taken->code == 0;
    if (error == ERR_OK && taken->code != 0 && taken->code <= definition->set_count)
        error = set_share(&definition->sets[taken->code - 1], &taken->members);
    for (uint32_t i = 0;
         error == ERR_OK && taken->code == 0 && !unknown && i < definition->set_count; i++) {
        for (uint32_t chunk = 0; chunk < definition->sets[i].chunk_count; chunk++) {
            const roaring_bitmap_t *bits = set_chunk_bits(&definition->sets[i], chunk);
            if (bits != NULL && error == ERR_OK)
                error = set_or_chunk(&taken->members, chunk, bits);
        }
    }
    for (uint32_t i = 1; error == ERR_OK && !unknown && i < numbers_end(&definition->numbers);
         i++) {
        int64_t cell = numbers_get(&definition->numbers, i);
        if (cell != NO_VALUE && (taken->code == 0 || cell == taken->code))
            error = set_add(&taken->members, i, &changed);
    }
    taken->is_part = definition->on == 0 && audience->lens_is_on;
    if (error == ERR_OK && taken->is_part)
        error = lens_share(audience, &taken->part);
    if (error == ERR_OK && taken->is_part)
        error = lens_cut(&taken->part, &taken->members);
    if (error != ERR_OK) {
        audience_set_free(&taken);
        return error;
    }
    *set = taken;
    return ERR_OK;
}

void audience_set_free(struct audience_set **set)
{
    struct audience_set *gone = *set;
    *set = NULL;
    if (gone == NULL)
        return;
    while (gone->rows != NULL) {
        struct changes_row *row = gone->rows;
        gone->rows = row->next;
        memory_free(row->bytes);
        memory_free(row);
    }
    set_deinit(&gone->members);
    set_deinit(&gone->part);
    memory_free(gone);
}

uint64_t audience_set_count(const struct audience_set *set)
{
    return set->members.count;
}

bool audience_set_has(const struct audience_set *set, uint32_t customer)
{
    return set_has(&set->members, customer);
}

void audience_set_visit(const struct audience_set *set, bool (*visit)(void *, uint32_t),
                        void *context)
{
    set_visit(&set->members, 0, visit, context);
}

/* ---- walking back ---- */

struct walk {
    struct audience_set *set;
    int64_t at_ms;
    bool (*undone)(struct walk *walk, const struct change *change); /* false: far enough */
    void *context;
    err error;
    bool ends;
};

static bool counts(const struct audience_set *set, int64_t value)
{
    return value != NO_VALUE && (set->code == 0 || value == set->code);
}

static err undo(struct audience_set *set, const struct change *change)
{
    bool was = counts(set, change->old_value), is = counts(set, change->new_value), changed;
    if (was == is)
        return ERR_OK;
    return was ? set_add(&set->members, change->customer, &changed)
               : set_remove(&set->members, change->customer, &changed);
}

/* Whoever is not seen now was never there. */
static bool is_seen(const struct audience_set *set, uint32_t customer)
{
    return !set->is_part || set_has(&set->part, customer);
}

/* The entries of a row are read forward and undone backward. */
static bool walk_entries(struct walk *walk, uint64_t number, size_t count, str bytes)
{
    struct cursor cursor = cursor_over(bytes);
    struct change previous = { .seq = 0 };
    size_t read = 0;
    if (count > bytes.size) {
        walk->error = ERR_CORRUPT;
        return false;
    }
    struct change *changes = memory_alloc((count + 1) * sizeof(*changes));
    if (changes == NULL) {
        walk->error = ERR_NOMEM;
        return false;
    }
    while (read < count && change_next(&cursor, &changes[read], &previous))
        read++;
    while (read > 0 && walk->error == ERR_OK && !walk->ends) {
        const struct change *change = &changes[--read];
        if (number + read <= walk->set->number && is_seen(walk->set, change->customer))
            walk->ends = !walk->undone(walk, change);
    }
    memory_free(changes);
    return walk->error == ERR_OK && !walk->ends;
}

static bool walk_row(void *context, const struct ledger_value *values)
{
    struct walk *walk = context;
    uint64_t number = (uint64_t)values[1].integer;
    if (number > walk->set->number || number >= walk->set->rows_from)
        return true; /* newer than the set, or gone through already */
    return walk_entries(walk, number, (size_t)values[2].integer, values[5].bytes);
}

static err walk_back(struct walk *walk, struct ledger *ledger, struct problem *problem)
{
    for (const struct changes_row *row = walk->set->rows; row != NULL; row = row->next)
        if (!walk_entries(walk, row->number, row->count, str_from_bytes(row->bytes, row->size)))
            return walk->error;
    err error = ledger_find_by(ledger, LEDGER_AUDIENCE_CHANGES, "definition",
                               ledger_int(walk->set->definition), NULL, true, SIZE_MAX >> 2,
                               walk_row, walk, problem);
    return error == ERR_OK ? walk->error : error;
}

/* Changes are in the order in which they were made; what an earlier tick left is made a little later than its
 * time says, at most a minute of log time. */
#define DISORDER_MS (2 * MINUTE_MS)

static bool undo_after(struct walk *walk, const struct change *change)
{
    if (change->at_ms > walk->at_ms)
        walk->error = undo(walk->set, change);
    return change->at_ms > walk->at_ms - DISORDER_MS;
}

err audience_set_at(struct audience_set *set, struct ledger *ledger, int64_t at_ms,
                    struct problem *problem)
{
    struct walk walk = { .set = set, .at_ms = at_ms, .undone = undo_after };
    return walk_back(&walk, ledger, problem);
}

/* ---- since when ---- */

#define LOOKED_AT_MAX 10000000u

struct since {
    uint32_t customer;
    uint64_t looked_at;
    bool found;
    int64_t at_ms;
    enum cause cause;
};

static bool find_change(struct walk *walk, const struct change *change)
{
    struct since *since = walk->context;
    since->found = change->customer == since->customer;
    since->at_ms = change->at_ms;
    since->cause = change->cause;
    return !since->found && ++since->looked_at < LOOKED_AT_MAX;
}

err audience_set_since(struct audience_set *set, struct ledger *ledger, uint32_t customer,
                       int64_t *since_ms, const char **cause, struct problem *problem)
{
    struct since since = { .customer = customer };
    struct walk walk = { .set = set, .undone = find_change, .context = &since };
    err error = walk_back(&walk, ledger, problem);
    if (error != ERR_OK)
        return error;
    *since_ms = since.at_ms;
    *cause = cause_text(since.cause);
    return since.found ? ERR_OK : ERR_NOT_FOUND;
}

/* ---- size over time ---- */

#define POINTS_MAX 5000

struct sizes {
    int64_t from_ms, to_ms, step_ms;
    size_t count;
    struct {
        uint64_t size, entered, left;
    } points[POINTS_MAX];
    uint64_t entered_after, left_after;
};

static bool count_change(struct walk *walk, const struct change *change)
{
    struct sizes *sizes = walk->context;
    bool was = counts(walk->set, change->old_value), is = counts(walk->set, change->new_value);
    if (change->at_ms < sizes->from_ms - DISORDER_MS)
        return false;
    if (was == is || change->at_ms < sizes->from_ms)
        return true;
    if (change->at_ms >= sizes->to_ms) {
        sizes->entered_after += is;
        sizes->left_after += was;
        return true;
    }
    size_t index = (size_t)((change->at_ms - sizes->from_ms) / sizes->step_ms);
    sizes->points[index].entered += is;
    sizes->points[index].left += was;
    return true;
}

static void write_sizes(const struct audience_set *set, struct sizes *sizes, struct buffer *out)
{
    struct json_writer writer;
    uint64_t size = set->members.count - sizes->entered_after + sizes->left_after;
    for (size_t i = sizes->count; i > 0; i--) {
        sizes->points[i - 1].size = size;
        size = size - sizes->points[i - 1].entered + sizes->points[i - 1].left;
    }
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("step_ms"), sizes->step_ms);
    json_put_key(&writer, STR("points"));
    json_begin_array(&writer);
    for (size_t i = 0; i < sizes->count; i++) {
        json_begin_object(&writer);
        json_member_time(&writer, STR("at"), sizes->from_ms + (int64_t)i * sizes->step_ms);
        json_member_int(&writer, STR("count"), (int64_t)sizes->points[i].size);
        json_member_int(&writer, STR("entered"), (int64_t)sizes->points[i].entered);
        json_member_int(&writer, STR("left"), (int64_t)sizes->points[i].left);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
}

err audience_write_history(struct audience_set *set, struct ledger *ledger, int64_t from_ms,
                           int64_t to_ms, int64_t step_ms, struct buffer *out,
                           struct problem *problem)
{
    if (to_ms <= from_ms || step_ms < MINUTE_MS || (to_ms - from_ms) / step_ms >= POINTS_MAX)
        return problem_set(
            problem, ERR_INVALID,
            "from is before to, and there are at most 5000 steps of a minute or more");
    struct sizes *sizes = memory_alloc(sizeof *sizes);
    struct walk walk = { .set = set, .undone = count_change, .context = sizes };
    if (sizes == NULL)
        return ERR_NOMEM;
    sizes->from_ms = from_ms;
    sizes->to_ms = to_ms;
    sizes->step_ms = step_ms;
    sizes->count = (size_t)((to_ms - from_ms + step_ms - 1) / step_ms);
    err error = walk_back(&walk, ledger, problem);
    if (error == ERR_OK)
        write_sizes(set, sizes, out);
    memory_free(sizes);
    return error == ERR_OK ? buffer_status(out) : error;
}
