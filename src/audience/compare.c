/* SPDX-License-Identifier: Apache-2.0 */
/* compare: segments with each other, and a segment with everybody.
 *
 * A value that a share p of everybody and q of the segment have: lift is q / p; z is the difference in standard
 * errors, (q - p) / sqrt(p (1 - p) / n), n the size of the segment: beyond 1.96 chance gives it once in twenty
 * (a sample drawn from the base; https://en.wikipedia.org/wiki/Z-test). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audience/question.h"

#define COMBINED_MAX 6
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define CODES_MAX 100000u
#define LINES_MAX 200u

/* ---- beginning ---- */

static err add_set(struct audience_question *question, const struct definition *definition,
                   uint32_t index, const char *kind, str value)
{
    struct compared *one = &question->sets[question->set_count];
    one->kind = kind;
    err error = arena_dup(&question->arena, definition->key, &one->name);
    if (error == ERR_OK)
        error = arena_dup(&question->arena, value, &one->value);
    if (error == ERR_OK)
        error = arena_dup(&question->arena, definition->name, &one->label);
    if (error == ERR_OK && index < definition->set_count)
        error = set_share(&definition->sets[index], &one->members);
    if (error == ERR_OK && question->is_part)
        error = lens_cut(&question->part, &one->members);
    question->set_count++;
    return error;
}

static const struct definition *segment_of_customers(const struct audience_question *question,
                                                     str key)
{
    const struct definition *segment = definition_find(question->audience, AUDIENCE_SEGMENT, key);
    return segment != NULL && segment->on == 0 ? segment : NULL;
}

static err no_segment(struct problem *problem, str key, uint32_t index)
{
    problem_set(problem, ERR_UNPROCESSABLE, "there is no segment '%.*s' of customers",
                (int)str_utf8_prefix_bytes(key, 100), key.data != NULL ? key.data : "");
    return problem_at(problem, ERR_UNPROCESSABLE, "/segments/%u", index);
}

static err begin_overlap(struct audience_question *question, json_value body,
                         struct problem *problem)
{
    json_value list = json_get(body, STR("segments")), item;
    struct json_iterator iterator = json_iterate(list);
    err error = ERR_OK;
    if (json_count(list) < 2 || json_count(list) > COMPARED_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "segments lists 2 to %d keys", COMPARED_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/segments");
    }
    question->sets = arena_array(&question->arena, struct compared, COMPARED_MAX);
    if (question->sets == NULL)
        return ERR_NOMEM;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        const struct definition *segment = segment_of_customers(question, json_text(item));
        if (segment == NULL)
            return no_segment(problem, json_text(item), question->set_count);
        error = add_set(question, segment, 0, "segment", STR_NONE);
    }
    return error;
}

static size_t sets_in_all(const struct audience *audience)
{
    size_t count = 1;
    for (uint32_t i = 1; i < audience->definition_count; i++)
        if (audience->definitions[i] != NULL)
            count += audience->definitions[i]->set_count + 1;
    return count;
}

static err begin_profile(struct audience_question *question, str key, struct problem *problem)
{
    const struct audience *audience = question->audience;
    const struct definition *segment = definition_find(audience, AUDIENCE_SEGMENT, key);
    if (segment == NULL || segment->on != 0)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such segment of customers");
    question->sets = arena_array(&question->arena, struct compared, sets_in_all(audience));
    err error =
        question->sets != NULL ? add_set(question, segment, 0, "segment", STR_NONE) : ERR_NOMEM;
    for (uint32_t i = 1; error == ERR_OK && i < audience->definition_count; i++) {
        const struct definition *other = audience->definitions[i];
        if (other == NULL || other->deleted || other->recipe == NULL || other == segment ||
            other->on != 0 || !lens_shows(audience, other) ||
            (question->is_part && other->number == audience->lens.number))
            continue;
        for (uint32_t k = 0; error == ERR_OK && k < other->set_count; k++) {
            const struct lexicon_entry *entry = lexicon_at(other->texts, k + 1);
            bool is_tag = other->kind == AUDIENCE_TAG;
            error = add_set(question, other, k, is_tag ? "tag" : "segment",
                            is_tag && entry != NULL ? entry->text : STR_NONE);
        }
    }
    return error;
}

/* All segments of customers, or those that are named. */
static err begin_map(struct audience_question *question, json_value body, struct problem *problem)
{
    const struct audience *audience = question->audience;
    json_value list = json_get(body, STR("segments")), item;
    struct json_iterator iterator = json_iterate(list);
    err error = ERR_OK;
    if (json_kind(list) == JSON_ARRAY && (json_count(list) < 2 || json_count(list) > MAPPED_MAX)) {
        problem_set(problem, ERR_UNPROCESSABLE, "segments lists 2 to %d keys", MAPPED_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/segments");
    }
    question->sets = arena_array(&question->arena, struct compared, MAPPED_MAX);
    if (question->sets == NULL)
        return ERR_NOMEM;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        const struct definition *segment = segment_of_customers(question, json_text(item));
        if (segment == NULL)
            return no_segment(problem, json_text(item), question->set_count);
        error = add_set(question, segment, 0, "segment", STR_NONE);
    }
    for (uint32_t i = 1; json_kind(list) != JSON_ARRAY && error == ERR_OK &&
                         i < audience->definition_count && question->set_count < MAPPED_MAX;
         i++) {
        const struct definition *segment = audience->definitions[i];
        if (segment != NULL && !segment->deleted && segment->kind == AUDIENCE_SEGMENT &&
            segment->on == 0 && !str_starts_with(segment->folder, STR("$")) &&
            lens_shows(audience, segment) &&
            (!question->is_part || segment->number != audience->lens.number))
            error = add_set(question, segment, 0, "segment", STR_NONE);
    }
    return error;
}

static err begin_reach(struct audience_question *question, str key, struct problem *problem)
{
    const struct definition *segment = segment_of_customers(question, key);
    if (segment == NULL)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such segment of customers");
    question->sets = arena_array(&question->arena, struct compared, 1);
    return question->sets != NULL ? add_set(question, segment, 0, "segment", STR_NONE) : ERR_NOMEM;
}

err compare_begin(struct audience_question *question, str key, json_value body,
                  struct problem *problem)
{
    arena_init(&question->arena, "audience questions", ARENA_BYTES_MAX);
    if (question->kind == AUDIENCE_MAP)
        return begin_map(question, body, problem);
    if (question->kind == AUDIENCE_REACH)
        return begin_reach(question, key, problem);
    return question->kind == AUDIENCE_OVERLAP ? begin_overlap(question, body, problem)
                                              : begin_profile(question, key, problem);
}

void compare_free(struct audience_question *question)
{
    for (uint32_t i = 0; i < question->set_count; i++)
        set_deinit(&question->sets[i].members);
    if (question->arena.name != NULL)
        arena_deinit(&question->arena);
}

/* ---- overlap ---- */

/* Customers in all sets of `mask`. */
static uint64_t count_all_of(const struct audience_question *question, uint32_t mask)
{
    uint64_t count = 0;
    uint32_t first = (uint32_t)__builtin_ctz(mask), chunks = 0;
    chunks = question->sets[first].members.chunk_count;
    for (uint32_t chunk = 0; chunk < chunks; chunk++) {
        const roaring_bitmap_t *start = set_chunk_bits(&question->sets[first].members, chunk);
        roaring_bitmap_t *all = start != NULL ? roaring_bitmap_copy(start) : NULL;
        for (uint32_t i = first + 1; all != NULL && i < question->set_count; i++) {
            if ((mask >> i & 1) == 0)
                continue;
            const roaring_bitmap_t *other = set_chunk_bits(&question->sets[i].members, chunk);
            if (other == NULL)
                roaring_bitmap_clear(all);
            else
                roaring_bitmap_and_inplace(all, other);
        }
        if (all != NULL) {
            count += roaring_bitmap_get_cardinality(all);
            roaring_bitmap_free(all);
        }
    }
    return count;
}

static void write_combination(const struct audience_question *question, uint32_t mask,
                              struct json_writer *writer)
{
    json_begin_object(writer);
    json_put_key(writer, STR("of"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < question->set_count; i++)
        if (mask >> i & 1)
            json_put_text(writer, question->sets[i].name);
    json_end_array(writer);
    json_member_int(writer, STR("count"), (int64_t)count_all_of(question, mask));
    json_end_object(writer);
}

static void write_overlap(const struct audience_question *question, struct json_writer *writer)
{
    uint32_t all = (1u << question->set_count) - 1;
    json_put_key(writer, STR("segments"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < question->set_count; i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("key"), question->sets[i].name);
        json_member_int(writer, STR("count"), (int64_t)question->sets[i].members.count);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_put_key(writer, STR("intersections"));
    json_begin_array(writer);
    for (uint32_t mask = 1; mask <= all; mask++) {
        int size = __builtin_popcount(mask);
        if (size < 2)
            continue;
        if (question->set_count <= COMBINED_MAX || size == 2 || mask == all)
            write_combination(question, mask, writer);
    }
    json_end_array(writer);
}

/* ---- all pairs ---- */

struct mapping {
    const struct audience_question *question;
    uint64_t *counts; /* of pair (i, j), i < j: at i * set_count + j */
    const roaring_bitmap_t **bits;
    uint32_t *places; /* of those that have anybody in this chunk */
};

static void map_chunk(struct mapping *mapping, uint32_t chunk)
{
    const struct audience_question *question = mapping->question;
    uint32_t count = question->set_count, there = 0;
    for (uint32_t i = 0; i < count; i++) {
        const roaring_bitmap_t *bits = set_chunk_bits(&question->sets[i].members, chunk);
        if (bits == NULL || roaring_bitmap_is_empty(bits))
            continue;
        mapping->bits[there] = bits;
        mapping->places[there++] = i;
    }
    for (uint32_t a = 0; a < there; a++)
        for (uint32_t b = a + 1; b < there; b++)
            mapping->counts[mapping->places[a] * count + mapping->places[b]] +=
                roaring_bitmap_and_cardinality(mapping->bits[a], mapping->bits[b]);
}

static void write_map(const struct mapping *mapping, struct json_writer *writer)
{
    const struct audience_question *question = mapping->question;
    uint32_t count = question->set_count;
    json_put_key(writer, STR("segments"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < count; i++) {
        json_begin_object(writer);
        json_member_text(writer, STR("key"), question->sets[i].name);
        json_member_text(writer, STR("name"), question->sets[i].label);
        json_member_int(writer, STR("count"), (int64_t)question->sets[i].members.count);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_put_key(writer, STR("pairs"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = i + 1; k < count; k++) {
            if (mapping->counts[i * count + k] == 0)
                continue;
            json_begin_array(writer);
            json_put_int(writer, i);
            json_put_int(writer, k);
            json_put_int(writer, (int64_t)mapping->counts[i * count + k]);
            json_end_array(writer);
        }
    json_end_array(writer);
}

/* Chunk after chunk, so that 65,536 customers of all segments stay in the cache. */
static err run_map(struct audience_question *question, int64_t budget_ms,
                   const _Atomic bool *cancel, struct json_writer *writer)
{
    size_t count = question->set_count;
    struct mapping mapping = { .question = question };
    steady_ns start = steady_now();
    uint32_t chunks = 0;
    mapping.counts = memory_alloc((count * count + 1) * sizeof(*mapping.counts));
    mapping.bits = memory_alloc((count + 1) * sizeof(*mapping.bits));
    mapping.places = memory_alloc((count + 1) * sizeof(*mapping.places));
    err error = mapping.counts != NULL && mapping.bits != NULL && mapping.places != NULL
                    ? ERR_OK
                    : ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        if (question->sets[i].members.chunk_count > chunks)
            chunks = question->sets[i].members.chunk_count;
    for (uint32_t chunk = 0; error == ERR_OK && chunk < chunks; chunk++) {
        map_chunk(&mapping, chunk);
        if ((cancel != NULL && atomic_load(cancel)) || steady_since_ms(start) > budget_ms)
            error = ERR_TIMEOUT;
    }
    if (error == ERR_OK) {
        write_map(&mapping, writer);
        json_member_int(writer, STR("elapsed_ms"), steady_since_ms(start));
    }
    memory_free(mapping.counts);
    memory_free((void *)mapping.bits);
    memory_free(mapping.places);
    return error;
}

/* ---- reach ---- */

struct reaching {
    const struct audience *audience;
    struct reach_counts counts;
};

static bool reach_one(void *context, uint32_t customer)
{
    struct reaching *reaching = context;
    reach_count(reaching->audience, &reaching->counts, customer);
    return true;
}

static void run_reach(const struct audience_question *question, struct json_writer *writer)
{
    struct reaching reaching = { .audience = question->audience };
    set_visit(&question->sets[0].members, 0, reach_one, &reaching);
    json_member_int(writer, STR("count"), (int64_t)question->sets[0].members.count);
    reach_write(&reaching.counts, 1, writer);
}

/* ---- profile ---- */

struct line {
    const char *kind;
    str name, value;
    uint64_t in_base, in_segment;
    double lift, z;
};

struct lines {
    struct line *items;
    uint32_t count, room;
    uint64_t base, size;
    bool failed;
};

static void add_line(struct lines *lines, const char *kind, str name, str value, uint64_t in_base,
                     uint64_t in_segment)
{
    if (in_base == 0 || lines->size == 0 || lines->base == 0)
        return;
    if (lines->count == lines->room) {
        uint32_t room = lines->room > 0 ? lines->room * 2 : 256;
        struct line *longer = memory_resize(lines->items, room * sizeof(*longer));
        lines->failed = lines->failed || longer == NULL;
        if (longer == NULL)
            return;
        lines->items = longer;
        lines->room = room;
    }
    double p = (double)in_base / (double)lines->base;
    double q = (double)in_segment / (double)lines->size;
    double error = sqrt(p * (1 - p) / (double)lines->size);
    lines->items[lines->count++] = (struct line){ .kind = kind,
                                                  .name = name,
                                                  .value = value,
                                                  .in_base = in_base,
                                                  .in_segment = in_segment,
                                                  .lift = q / p,
                                                  .z = error > 0 ? (q - p) / error : 0 };
}

struct counting {
    const struct fact_column *column;
    uint64_t *counts; /* by code; of a BOOL 0 and 1 */
    uint32_t code_count;
};

static bool count_cell(void *context, uint32_t customer)
{
    struct counting *counting = context;
    int64_t cell = cell_get(counting->column, customer);
    if (cell >= 0 && cell <= counting->code_count)
        counting->counts[cell]++;
    return true;
}

static void add_column_lines(struct audience_question *question, const struct fact_column *column,
                             struct lines *lines)
{
    uint32_t codes = column->lexicon != NULL ? atomic_load(&column->lexicon->count) : 1;
    struct counting in_segment = { .column = column, .code_count = codes };
    struct counting in_base = in_segment;
    if (codes > CODES_MAX)
        return; /* as good as one value each: nothing that distinguishes a group */
    in_segment.counts = memory_alloc((codes + 1) * sizeof(uint64_t));
    in_base.counts = memory_alloc((codes + 1) * sizeof(uint64_t));
    lines->failed = lines->failed || in_segment.counts == NULL || in_base.counts == NULL;
    if (!lines->failed) {
        set_visit(&question->sets[0].members, 0, count_cell, &in_segment);
        if (question->is_part)
            set_visit(&question->part, 0, count_cell, &in_base);
        for (uint32_t customer = 1; !question->is_part && customer <= question->last; customer++)
            count_cell(&in_base, customer);
    }
    const char *kind = column->source == COLUMN_CONSENT ? "consent" : "trait";
    for (uint32_t code = column->lexicon != NULL ? 1 : 0; !lines->failed && code <= codes; code++) {
        const struct lexicon_entry *entry =
            column->lexicon != NULL ? lexicon_at(column->lexicon, code) : NULL;
        str value = entry != NULL ? entry->text : code == 1 ? STR("true") : STR("false");
        add_line(lines, kind, column->name, value, in_base.counts[code], in_segment.counts[code]);
    }
    memory_free(in_segment.counts);
    memory_free(in_base.counts);
}

static int compare_lines(const void *left, const void *right)
{
    const struct line *a = left, *b = right;
    double x = fabs(a->z), y = fabs(b->z);
    if (x != y)
        return x > y ? -1 : 1;
    int order = str_compare(a->name, b->name);
    return order != 0 ? order : str_compare(a->value, b->value);
}

static void write_line(const struct line *line, const struct lines *lines,
                       struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), str_from_c(line->kind));
    json_member_text(writer, STR("key"), line->name);
    json_member_text(writer, STR("value"), line->value);
    json_member_int(writer, STR("count"), (int64_t)line->in_segment);
    json_member_int(writer, STR("base"), (int64_t)line->in_base);
    json_put_key(writer, STR("share"));
    json_put_double(writer, (double)line->in_segment / (double)lines->size);
    json_put_key(writer, STR("base_share"));
    json_put_double(writer, (double)line->in_base / (double)lines->base);
    json_put_key(writer, STR("lift"));
    json_put_double(writer, line->lift);
    json_put_key(writer, STR("z"));
    json_put_double(writer, line->z);
    json_member_bool(writer, STR("significant"), fabs(line->z) >= 1.96);
    json_end_object(writer);
}

static bool is_profiled(const struct fact_column *column)
{
    bool sealed = str_equal(column->name, STR("name")) || str_equal(column->name, STR("phone")) ||
                  str_equal(column->name, STR("mobile")) || str_equal(column->name, STR("email"));
    return column->state == COLUMN_FILLED && !sealed &&
           (column->kind == RULE_TEXT || column->kind == RULE_BOOL) &&
           column->source != COLUMN_IDENTIFIERS;
}

static err write_profile(struct audience_question *question, struct json_writer *writer)
{
    const struct facts_table *facts = &question->audience->facts;
    struct lines lines = { .base = question->customers, .size = question->sets[0].members.count };
    for (uint32_t i = 1; i < question->set_count; i++) {
        const struct compared *other = &question->sets[i];
        add_line(&lines, other->kind, other->name, other->value, other->members.count,
                 set_and_count(&question->sets[0].members, &other->members));
    }
    for (uint32_t i = 1; i < facts->column_count && !lines.failed; i++)
        if (is_profiled(facts->columns[i]))
            add_column_lines(question, facts->columns[i], &lines);
    if (lines.count > 1)
        qsort(lines.items, lines.count, sizeof(*lines.items), compare_lines);
    json_member_int(writer, STR("count"), (int64_t)lines.size);
    json_member_int(writer, STR("base"), (int64_t)lines.base);
    json_put_key(writer, STR("lines"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < lines.count && i < LINES_MAX; i++)
        write_line(&lines.items[i], &lines, writer);
    json_end_array(writer);
    memory_free(lines.items);
    return lines.failed ? ERR_NOMEM : ERR_OK;
}

err compare_run(struct audience_question *question, int64_t budget_ms, const _Atomic bool *cancel,
                struct buffer *out)
{
    struct json_writer writer;
    err error = ERR_OK;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_time(&writer, STR("as_of"), question->now_ms);
    if (question->kind == AUDIENCE_OVERLAP)
        write_overlap(question, &writer);
    else if (question->kind == AUDIENCE_MAP)
        error = run_map(question, budget_ms, cancel, &writer);
    else if (question->kind == AUDIENCE_REACH)
        run_reach(question, &writer);
    else
        error = write_profile(question, &writer);
    json_end_object(&writer);
    return error == ERR_OK ? buffer_status(out) : error;
}
