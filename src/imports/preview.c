/* SPDX-License-Identifier: Apache-2.0 */
/* preview: the mapping runs over the first rows, and the engine is asked who its identifiers lead to. Nothing is
 * changed. Who would be created, found and merged is worked out as if no limit, separation or shared
 * identifier stood against it: the true outcome merges as many or fewer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imports/inside.h"

#define PREVIEW_ROWS 1000
#define SAMPLES_MAX 10
#define REFUSED_MAX 50
#define MAPPING_BYTES_MAX ((size_t)1 << 20)

/* An identifier of the file: what it may lead to, and the group it falls into. */
struct mark {
    uint8_t hash[HASH_BYTES];
    uint32_t root; /* of the customer it leads to; 0: nobody */
    uint32_t group;
    bool strong;
};

struct preview {
    struct engine_question question;
    const struct imports_asker *asker;
    struct owner owner;
    struct mark *marks;
    size_t mark_count, mark_capacity;
    uint32_t *firsts; /* per event with identifiers: its first mark, and how many: pairs */
    size_t event_count, event_capacity;
    struct json_writer *writer;
    struct buffer samples, refusals, types;
    struct json_writer sample_writer, refusal_writer;
    uint64_t rows, events, refused, objects, samples_shown, refused_shown;
    err error;
};

/* ---- what the rows make ---- */

static bool is_strong_type(str type)
{
#define X(NAME, name, strong, verification, limit, window, over, shared, personal) \
    if (str_equal(type, STR(name)))                                                \
        return strong;
    IDENTIFIER_TABLE(X)
#undef X
    return false;
}

static bool add_mark(struct preview *preview, const struct event_identifier *identifier)
{
    if (preview->mark_count == preview->mark_capacity) {
        size_t capacity = preview->mark_capacity == 0 ? 1024 : preview->mark_capacity * 2;
        struct mark *marks = memory_resize(preview->marks, capacity * sizeof *marks);
        if (marks == NULL)
            return false;
        preview->marks = marks;
        preview->mark_capacity = capacity;
    }
    struct mark *mark = &preview->marks[preview->mark_count++];
    *mark = (struct mark){ .strong = is_strong_type(identifier->type) };
    memcpy(mark->hash, identifier->hash, sizeof mark->hash);
    return true;
}

static bool add_event(struct preview *preview, const struct event *event)
{
    if (preview->event_count + 2 > preview->event_capacity) {
        size_t capacity = preview->event_capacity == 0 ? 1024 : preview->event_capacity * 2;
        uint32_t *firsts = memory_resize(preview->firsts, capacity * sizeof *firsts);
        if (firsts == NULL)
            return false;
        preview->firsts = firsts;
        preview->event_capacity = capacity;
    }
    uint32_t first = (uint32_t)preview->mark_count;
    for (uint32_t i = 0; i < event->identifier_count; i++) {
        if ((event->identifiers[i].flags & IDENTIFIER_BLOCKED) == 0 &&
            !add_mark(preview, &event->identifiers[i]))
            return false;
    }
    preview->firsts[preview->event_count++] = first;
    preview->firsts[preview->event_count++] = (uint32_t)preview->mark_count - first;
    return true;
}

/* Names and shape of an event; values that name a person stay sealed. */
static void write_sample(struct preview *preview, const struct mapping_event *mapped)
{
    const struct event *event = mapped->event;
    struct json_writer *writer = &preview->sample_writer;
    if (preview->samples_shown++ >= SAMPLES_MAX)
        return;
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), str_from_c(event_kind_name(event->kind)));
    json_member_text(writer, STR("type"), event->type);
    json_member_time(writer, STR("time"), event->time_ms);
    json_member_int(writer, STR("first_row"), (int64_t)mapped->first_row);
    json_member_int(writer, STR("last_row"), (int64_t)mapped->last_row);
    json_put_key(writer, STR("identifiers"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < event->identifier_count; i++)
        json_put_text(writer, event->identifiers[i].type);
    json_end_array(writer);
    json_put_key(writer, STR("traits"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < event->trait_count; i++)
        json_put_text(writer, event->traits[i].name);
    json_end_array(writer);
    json_member_raw(writer, STR("properties"), event->props.size > 0 ? event->props : STR("{}"));
    json_end_object(writer);
}

static bool take_refused(void *context, uint64_t row, str raw, str code,
                         const struct problem *problem)
{
    struct preview *preview = context;
    struct json_writer *writer = &preview->refusal_writer;
    preview->refused++;
    if (preview->refused_shown++ >= REFUSED_MAX)
        return true;
    json_begin_object(writer);
    json_member_int(writer, STR("row"), (int64_t)row);
    json_member_text(writer, STR("code"), code);
    json_member_text(writer, STR("reason"), str_from_c(problem->detail));
    json_member_text(writer, STR("original"), str_slice(raw, 0, str_utf8_prefix_bytes(raw, 2000)));
    json_end_object(writer);
    return true;
}

static bool take_event(void *context, const struct mapping_event *mapped)
{
    struct preview *preview = context;
    struct problem refusal;
    if (!owner_may_tell(&preview->owner, mapped->event, &refusal))
        return take_refused(preview, mapped->first_row, STR_NONE, STR("not_yours"), &refusal);
    preview->events++;
    preview->objects += mapped->event->kind == EVENT_OBJECT;
    write_sample(preview, mapped);
    if (mapped->event->identifier_count > 0 && !add_event(preview, mapped->event))
        preview->error = ERR_NOMEM;
    return preview->error == ERR_OK;
}

/* ---- who they are ---- */

static void ask_roots(const struct engine_state *state, struct engine_question *question)
{
    struct preview *preview = queue_entry(question, struct preview, question);
    const struct imports_asker *asker = preview->asker;
    for (size_t i = 0; i < preview->mark_count; i++) {
        struct mark *mark = &preview->marks[i];
        uint32_t row = identity_find_row(state->identity, mark->hash);
        uint32_t node = row != 0 ? identity_row_node(state->identity, row) : 0;
        mark->root = node != 0 ? identity_root(state->identity, node) : 0;
        if (asker->sees != NULL &&
            (mark->root == 0 || !asker->sees(asker->context, state, mark->root)))
            mark->root = row = 0; /* whom she may not know of is nobody yet */
        if (row != 0)
            mark->strong = identity_row_is_strong(state->identity, row);
    }
}

static uint32_t find(uint32_t *parents, uint32_t item)
{
    while (parents[item] != item) {
        parents[item] = parents[parents[item]];
        item = parents[item];
    }
    return item;
}

static void join(uint32_t *parents, uint32_t a, uint32_t b)
{
    a = find(parents, a);
    b = find(parents, b);
    parents[a > b ? a : b] = a > b ? b : a;
}

static const struct mark *sorted_marks; /* under sort_mutex: qsort has no context */
static pthread_mutex_t sort_mutex = PTHREAD_MUTEX_INITIALIZER;

static int by_hash(const void *left, const void *right)
{
    return memcmp(sorted_marks[*(const uint32_t *)left].hash,
                  sorted_marks[*(const uint32_t *)right].hash, HASH_BYTES);
}

static int by_root(const void *left, const void *right)
{
    uint32_t a = sorted_marks[*(const uint32_t *)left].root;
    uint32_t b = sorted_marks[*(const uint32_t *)right].root;
    return a < b ? -1 : a > b;
}

/* The same identifier, and identifiers of the same customer, are one group. */
static void join_same(struct preview *preview, uint32_t *parents, uint32_t *order)
{
    for (uint32_t i = 0; i < preview->mark_count; i++)
        order[i] = i;
    pthread_mutex_lock(&sort_mutex);
    sorted_marks = preview->marks;
    qsort(order, preview->mark_count, sizeof *order, by_hash);
    for (size_t i = 1; i < preview->mark_count; i++) {
        if (by_hash(&order[i - 1], &order[i]) == 0)
            join(parents, order[i - 1], order[i]);
    }
    qsort(order, preview->mark_count, sizeof *order, by_root);
    for (size_t i = 1; i < preview->mark_count; i++) {
        uint32_t root = preview->marks[order[i]].root;
        if (root != 0 && root == preview->marks[order[i - 1]].root)
            join(parents, order[i - 1], order[i]);
    }
    sorted_marks = NULL;
    pthread_mutex_unlock(&sort_mutex);
}

/* An event joins its strong identifiers; without any, the first one is who it is. */
static void join_events(struct preview *preview, uint32_t *parents)
{
    for (size_t i = 0; i < preview->event_count; i += 2) {
        uint32_t first = preview->firsts[i], count = preview->firsts[i + 1], anchor = UINT32_MAX;
        for (uint32_t mark = first; mark < first + count; mark++) {
            if (!preview->marks[mark].strong)
                continue;
            if (anchor != UINT32_MAX)
                join(parents, anchor, mark);
            anchor = mark;
        }
    }
}

struct tally {
    uint64_t created, found, merged;
};

/* A group is somebody when an event is of it: its strong identifiers, or its first one. */
static void count_groups(struct preview *preview, uint32_t *parents, uint32_t *roots, bool *is_home,
                         struct tally *tally)
{
    for (size_t i = 0; i < preview->event_count; i += 2) {
        uint32_t first = preview->firsts[i], count = preview->firsts[i + 1], home = first;
        for (uint32_t mark = first; mark < first + count; mark++) {
            if (preview->marks[mark].strong) {
                home = mark;
                break;
            }
        }
        if (count > 0)
            is_home[find(parents, home)] = true;
    }
    for (uint32_t mark = 0; mark < preview->mark_count; mark++)
        roots[find(parents, mark)] += preview->marks[mark].root != 0;
    for (uint32_t mark = 0; mark < preview->mark_count; mark++) {
        if (!is_home[mark] || find(parents, mark) != mark)
            continue;
        tally->created += roots[mark] == 0;
        tally->found += roots[mark] > 0;
    }
}

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* Distinct customers that strong identifiers lead to, less the groups that they end up in. */
static void count_merged(struct preview *preview, uint32_t *parents, uint32_t *scratch,
                         struct tally *tally)
{
    size_t count = 0, distinct = 0, groups = 0;
    for (uint32_t mark = 0; mark < preview->mark_count; mark++) {
        if (preview->marks[mark].root != 0 && preview->marks[mark].strong)
            scratch[count++] = preview->marks[mark].root;
    }
    qsort(scratch, count, sizeof *scratch, compare_numbers);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || scratch[i] != scratch[i - 1];
    count = 0;
    for (uint32_t mark = 0; mark < preview->mark_count; mark++) {
        if (preview->marks[mark].root != 0 && preview->marks[mark].strong)
            scratch[count++] = find(parents, mark);
    }
    qsort(scratch, count, sizeof *scratch, compare_numbers);
    for (size_t i = 0; i < count; i++)
        groups += i == 0 || scratch[i] != scratch[i - 1];
    tally->merged = distinct - groups;
}

static err count_customers(struct preview *preview, struct tally *tally)
{
    size_t count = preview->mark_count + 1;
    uint32_t *parents = memory_alloc(count * sizeof *parents);
    uint32_t *order = memory_alloc(count * sizeof *order);
    uint32_t *roots = memory_alloc(count * sizeof *roots);
    bool *is_home = memory_alloc(count * sizeof *is_home);
    err error =
        parents != NULL && order != NULL && roots != NULL && is_home != NULL ? ERR_OK : ERR_NOMEM;
    if (error == ERR_OK) {
        for (uint32_t i = 0; i < preview->mark_count; i++)
            parents[i] = i;
        join_same(preview, parents, order);
        join_events(preview, parents);
        count_groups(preview, parents, roots, is_home, tally);
        count_merged(preview, parents, order, tally);
    }
    memory_free(parents);
    memory_free(order);
    memory_free(roots);
    memory_free(is_home);
    return error;
}

/* ---- running it ---- */

struct run {
    struct imports *imports;
    struct import_file file;
    struct table *table;
    struct mapping *mapping;
    struct mapping_worker *worker;
    struct json_parser *parser;
};

static err open_run(struct run *run, json_value request, str team, struct problem *problem)
{
    struct table_config config = { .program = run->imports->config.program,
                                   .library = run->imports->config.library };
    struct mapping_context context = {
        .keys = engine_keys(run->imports->engine),
        .source_number = EVENT_SOURCE_IMPORT_FIRST,
        .key_salt = STR("preview"),
        .received_ms = 0,
        .zone_offset_seconds = run->imports->config.zone_offset_seconds,
    };
    struct engine_status status;
    struct buffer saved;
    json_value mapping = json_get(request, STR("mapping"));
    str key = json_text(json_get(request, STR("mapping_key")));
    int64_t version = json_int(json_get(request, STR("mapping_version")), 0);
    engine_status(run->imports->engine, &status);
    context.received_ms = status.as_of_ms;
    buffer_init(&saved, MAPPING_BYTES_MAX);
    err error = imports_find_file(run->imports, json_text(json_get(request, STR("file"))),
                                  &run->file, problem);
    if (error == ERR_OK)
        error = import_file_open(run->imports, &run->file, problem);
    config.path = run->file.plain;
    if (error == ERR_OK)
        error = table_detect(run->file.plain, str_from_c(run->file.name), &config.form, problem);
    if (error == ERR_OK && json_is_object(json_get(request, STR("form"))))
        error = table_form_read(json_get(request, STR("form")), &config.form, problem);
    if (error == ERR_OK && key.size > 0 && !json_is_object(mapping)) {
        error = imports_mapping(run->imports, key, &version, &saved, problem);
        if (error == ERR_OK)
            error = json_parser_new(&run->parser, MAPPING_BYTES_MAX);
        if (error == ERR_OK)
            error = json_parse(run->parser, buffer_str(&saved), &mapping, problem);
    }
    if (error == ERR_OK)
        error = owner_check_mapping(team, mapping, problem);
    if (error == ERR_OK)
        error = table_open(&run->table, &config, problem);
    if (error == ERR_OK)
        error = mapping_new(&run->mapping, mapping, run->table, problem);
    if (error == ERR_OK)
        error = mapping_worker_new(&run->worker, run->mapping, &context, problem);
    buffer_deinit(&saved);
    return error;
}

static void close_run(struct run *run)
{
    import_file_close(&run->file);
    mapping_worker_free(&run->worker);
    mapping_free(&run->mapping);
    table_close(&run->table);
    json_parser_free(&run->parser);
}

static err read_rows(struct run *run, struct preview *preview, struct problem *problem)
{
    err error = ERR_OK;
    while (error == ERR_OK && preview->rows < PREVIEW_ROWS) {
        struct table_row row = { .number = 0 };
        struct problem bad = { .error = ERR_OK };
        error = table_next(run->table, &row, &bad);
        if (error == ERR_NOT_FOUND)
            break;
        preview->rows++;
        if (error == ERR_INVALID) {
            preview->rows -= row.footer;
            if (!row.footer)
                take_refused(preview, row.number, row.raw, STR("row"), &bad);
            error = ERR_OK;
            continue;
        }
        if (error != ERR_OK) {
            *problem = bad;
            return error;
        }
        error = mapping_row(run->worker, &row, take_event, take_refused, preview, problem);
    }
    if (error == ERR_OK || error == ERR_NOT_FOUND)
        error = mapping_end(run->worker, take_event, take_refused, preview, problem);
    return error == ERR_OK ? preview->error : error;
}

static void write_preview(const struct preview *preview, const struct tally *tally,
                          struct buffer *out)
{
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("rows"), (int64_t)preview->rows);
    json_member_int(&writer, STR("events"), (int64_t)preview->events);
    json_member_int(&writer, STR("objects"), (int64_t)preview->objects);
    json_member_int(&writer, STR("refused"), (int64_t)preview->refused);
    json_put_key(&writer, STR("customers"));
    json_begin_object(&writer);
    json_member_int(&writer, STR("created"), (int64_t)tally->created);
    json_member_int(&writer, STR("found"), (int64_t)tally->found);
    json_member_int(&writer, STR("merged"), (int64_t)tally->merged);
    json_end_object(&writer);
    json_member_raw(&writer, STR("sample"), buffer_str(&preview->samples));
    json_member_raw(&writer, STR("refusals"), buffer_str(&preview->refusals));
    json_end_object(&writer);
}

err imports_preview(struct imports *imports, json_value request, const struct imports_asker *asker,
                    struct buffer *out, struct problem *problem)
{
    struct run run = { .imports = imports };
    struct preview preview = { .question = { .ask = ask_roots }, .asker = asker };
    struct tally tally = { .created = 0 };
    buffer_init(&preview.samples, (size_t)8 << 20);
    buffer_init(&preview.refusals, (size_t)8 << 20);
    json_writer_init(&preview.sample_writer, &preview.samples);
    json_writer_init(&preview.refusal_writer, &preview.refusals);
    json_begin_array(&preview.sample_writer);
    json_begin_array(&preview.refusal_writer);
    err error = owner_open(&preview.owner, imports, asker->team,
                           json_text(json_get(request, STR("source"))), problem);
    if (error == ERR_OK)
        error = open_run(&run, request, asker->team, problem);
    if (error == ERR_OK)
        error = read_rows(&run, &preview, problem);
    json_end_array(&preview.sample_writer);
    json_end_array(&preview.refusal_writer);
    if (error == ERR_OK && preview.mark_count > 0)
        error = engine_ask_wait(imports->engine, &preview.question);
    if (error == ERR_OK)
        error = count_customers(&preview, &tally);
    if (error == ERR_OK)
        write_preview(&preview, &tally, out);
    close_run(&run);
    owner_close(&preview.owner);
    buffer_deinit(&preview.samples);
    buffer_deinit(&preview.refusals);
    memory_free(preview.marks);
    memory_free(preview.firsts);
    return error;
}
