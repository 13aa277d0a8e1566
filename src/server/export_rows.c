/* SPDX-License-Identifier: Apache-2.0 */
/* export_rows: a file of members, in batches: the engine is asked for some dozens at a time, and goes on. */
#include "server/export_rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "access/sealed_file.h"
#include "server/answer.h"
#include "server/mask.h"
#include "server/view.h"

#define BATCH 64u
#define LINE_BYTES_MAX ((size_t)8 << 20)
#define BATCH_BYTES_MAX ((size_t)64 << 20)

/* ---- the plan ---- */

static const struct {
    const char *prefix;
    enum export_source source;
    bool of_objects, of_customers;
} sources[] = {
    { "one_id", EXPORT_ONE_ID, false, true },
    { "identifier:", EXPORT_IDENTIFIER, false, true },
    { "trait:", EXPORT_TRAIT, false, true },
    { "tag:", EXPORT_TAG, true, true },
    { "consent:", EXPORT_CONSENT, false, true },
    { "segment:", EXPORT_SEGMENT, true, true },
    { "id", EXPORT_ID, true, false },
    { "prop:", EXPORT_PROP, true, false },
};

static err wrong_column(struct problem *problem, size_t index, str text, bool of_objects)
{
    problem_set(problem, ERR_UNPROCESSABLE, "there is no column '%.*s'",
                (int)str_utf8_prefix_bytes(text, 80), text.data != NULL ? text.data : "");
    problem_hint(problem, ERR_UNPROCESSABLE, "%s",
                 of_objects ? "columns are id, prop:NAME, tag:KEY, segment:KEY"
                            : "columns are one_id, identifier:TYPE, trait:NAME, tag:KEY, "
                              "consent:PURPOSE, segment:KEY");
    return problem_at(problem, ERR_UNPROCESSABLE, "/columns/%zu", index);
}

static err read_column(struct export_plan *plan, str text, size_t index, struct problem *problem)
{
    bool of_objects = plan->on.size > 0;
    struct export_column *column = &plan->columns[plan->column_count];
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        str prefix = str_from_c(sources[i].prefix);
        bool named = prefix.data[prefix.size - 1] == ':';
        bool fits = named ? str_starts_with(text, prefix) && text.size > prefix.size
                          : str_equal(text, prefix);
        if (!fits || !(of_objects ? sources[i].of_objects : sources[i].of_customers))
            continue;
        column->source = sources[i].source;
        plan->column_count++;
        err error = arena_dup(&plan->arena, text, &column->text);
        column->name = named ? str_slice(column->text, prefix.size, column->text.size) : STR_NONE;
        plan->wants_rows = plan->wants_rows || column->source == EXPORT_IDENTIFIER;
        plan->wants_facts = plan->wants_facts || column->source == EXPORT_TRAIT ||
                            column->source == EXPORT_TAG || column->source == EXPORT_CONSENT ||
                            column->source == EXPORT_SEGMENT;
        return error;
    }
    return wrong_column(problem, index, text, of_objects);
}

err export_plan_init(struct export_plan *plan, const struct export_order *order, str by,
                     struct problem *problem)
{
    struct json_iterator iterator = json_iterate(order->columns);
    json_value item;
    size_t index = 0, count = json_count(order->columns);
    *plan = (struct export_plan){ .kind = order->kind,
                                  .csv = order->csv,
                                  .revealed = order->revealed,
                                  .user_number = order->user_number };
    arena_init(&plan->arena, "exports", (size_t)1 << 20);
    snprintf(plan->by, sizeof plan->by, STR_FMT, STR_ARG(by));
    if (count > EXPORT_COLUMNS_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "at most %d columns", EXPORT_COLUMNS_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/columns");
    }
    plan->columns = arena_array(&plan->arena, struct export_column, count + 1);
    err error = plan->columns != NULL ? arena_dup(&plan->arena, order->key, &plan->key) : ERR_NOMEM;
    if (error == ERR_OK)
        error = arena_dup(&plan->arena, order->on, &plan->on);
    while (error == ERR_OK && json_next(&iterator, NULL, &item))
        error = read_column(plan, json_text(item), index++, problem);
    if (error == ERR_OK && plan->column_count == 0)
        error = read_column(plan, plan->on.size > 0 ? STR("id") : STR("one_id"), 0, problem);
    return error;
}

void export_plan_deinit(struct export_plan *plan)
{
    audience_set_free(&plan->set);
    if (plan->arena.name != NULL)
        arena_deinit(&plan->arena);
}

/* ---- cells ---- */

struct rows {
    struct server *server;
    struct export_plan *plan;
    struct request *request; /* nobody's: what views are made with */
    struct json_parser *cells;
    FILE *file; /* over `sealed` */
    struct sealed_file *sealed;
    struct buffer line, cell;
    uint32_t numbers[BATCH];
    uint32_t count;
    struct customer_view views[BATCH];
    struct object_row {
        str id, tags, props;
    } objects[BATCH];
    _Atomic uint64_t *written;
    const _Atomic bool *cancel;
    struct problem *problem;
    err error;
};

void export_plan_name(struct export_plan *plan, struct server *server)
{
    struct request *request = memory_alloc(sizeof *request);
    if (request == NULL)
        return;
    request->server = server;
    arena_init(&request->arena, "export", 65536);
    snprintf(plan->by, sizeof plan->by, STR_FMT, STR_ARG(answer_login(request, plan->user_number)));
    arena_deinit(&request->arena);
    memory_free(request);
}

/* Full-width forms are taken for formulas, too. */
static bool begins_a_formula(str text)
{
    static const char *const wide[] = { "＝", "＋", "－", "＠" };
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (str_starts_with(text, str_from_c(wide[i])))
            return true;
    return strchr("=+-@\t\r", text.data[0]) != NULL;
}

void export_put_csv_text(struct buffer *line, str text)
{
    bool quoted = begins_a_formula(text);
    for (size_t i = 0; i < text.size && !quoted; i++)
        quoted = strchr(",\"\r\n", text.data[i]) != NULL;
    if (!quoted) {
        buffer_append_str(line, text);
        return;
    }
    buffer_append_byte(line, '"');
    if (begins_a_formula(text))
        buffer_append_byte(line, '\'');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"')
            buffer_append_byte(line, '"');
        buffer_append(line, &text.data[i], 1);
    }
    buffer_append_byte(line, '"');
}

static void put_csv_list(struct rows *rows, json_value list)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    struct buffer joined;
    buffer_init(&joined, LINE_BYTES_MAX);
    while (json_next(&iterator, NULL, &item)) {
        buffer_append_str(&joined, joined.size > 0 ? STR("; ") : STR(""));
        if (json_kind(item) == JSON_TEXT)
            buffer_append_str(&joined, json_text(item));
        else
            json_write_value(&joined, item);
    }
    export_put_csv_text(&rows->line, buffer_str(&joined));
    buffer_deinit(&joined);
}

/* The cell is JSON; of a CSV what it says. */
static void put_cell(struct rows *rows)
{
    json_value value;
    str json = rows->cell.size > 0 ? buffer_str(&rows->cell) : STR("null");
    if (!rows->plan->csv) {
        buffer_append_str(&rows->line, json);
        return;
    }
    if (json_parse(rows->cells, json, &value, NULL) != ERR_OK || json_kind(value) == JSON_NULL)
        return;
    if (json_kind(value) == JSON_TEXT)
        export_put_csv_text(&rows->line, json_text(value));
    else if (json_kind(value) == JSON_ARRAY)
        put_csv_list(rows, value);
    else if (json_kind(value) == JSON_OBJECT)
        export_put_csv_text(&rows->line, json);
    else
        buffer_append_str(&rows->line, json); /* a number, true, false */
}

static void identifiers_cell(struct rows *rows, const struct customer_view *view, str type)
{
    struct json_writer writer;
    json_writer_init(&writer, &rows->cell);
    json_begin_array(&writer);
    for (size_t i = 0; i < view->row_count; i++) {
        const struct identity_row_view *row = &view->rows[i];
        if (!str_equal(row->type, type))
            continue;
        json_put_text(&writer, (row->flags & VIEW_ROW_SHOWN) != 0
                                   ? row->value
                                   : mask_identifier(rows->server->keys, &rows->request->arena,
                                                     row->type, row->value, rows->plan->revealed));
    }
    json_end_array(&writer);
}

static void trait_cell(struct rows *rows, const struct customer_view *view, str name)
{
    const struct profile_trait_view *trait = profile_view_trait(&view->facts, name);
    struct json_writer writer;
    if (trait == NULL)
        return;
    json_writer_init(&writer, &rows->cell);
    json_begin_array(&writer); /* a writer begins with a container: cut off again below */
    mask_put_json(rows->server->keys, &rows->request->arena, rows->request->scratch, name,
                  trait->json, rows->plan->revealed, &writer);
    json_end_array(&writer);
    if (rows->cell.size < 2)
        return;
    memmove(rows->cell.data, rows->cell.data + 1, rows->cell.size - 2);
    rows->cell.size -= 2;
}

static void consent_cell(struct rows *rows, const struct customer_view *view, str purpose)
{
    for (uint32_t i = 0; i < view->facts.consent_count; i++)
        if (str_equal(view->facts.consents[i].purpose, purpose))
            buffer_append_str(&rows->cell, view->facts.consents[i].granted ? STR("\"granted\"")
                                                                           : STR("\"denied\""));
}

static void segment_cell(struct rows *rows, json_value segments, str key)
{
    struct json_iterator iterator = json_iterate(segments);
    json_value item;
    bool in = false;
    while (!in && json_next(&iterator, NULL, &item))
        in = str_equal(json_text(item), key);
    buffer_append_str(&rows->cell, in ? STR("true") : STR("false"));
}

static void json_cell(struct rows *rows, json_value value)
{
    if (json_kind(value) != JSON_MISSING)
        json_write_value(&rows->cell, value);
}

static void customer_cell(struct rows *rows, const struct export_column *column, uint32_t index,
                          json_value audience)
{
    const struct customer_view *view = &rows->views[index];
    switch (column->source) {
    case EXPORT_ONE_ID:
        json_write_text(&rows->cell, answer_one_id(rows->request, rows->numbers[index]));
        return;
    case EXPORT_IDENTIFIER:
        identifiers_cell(rows, view, column->name);
        return;
    case EXPORT_TRAIT:
        trait_cell(rows, view, column->name);
        return;
    case EXPORT_TAG:
        json_cell(rows, json_get(json_get(audience, STR("tags")), column->name));
        return;
    case EXPORT_CONSENT:
        consent_cell(rows, view, column->name);
        return;
    case EXPORT_SEGMENT:
        segment_cell(rows, json_get(audience, STR("segments")), column->name);
        return;
    case EXPORT_ID:
    case EXPORT_PROP:
        return;
    }
}

/* ---- rows ---- */

static void begin_cell(struct rows *rows, const struct export_column *column, bool first)
{
    buffer_clear(&rows->cell);
    if (!first)
        buffer_append_byte(&rows->line, ',');
    if (rows->plan->csv)
        return;
    json_write_text(&rows->line, column->text);
    buffer_append_byte(&rows->line, ':');
}

static err end_row(struct rows *rows)
{
    buffer_append_str(&rows->line, rows->plan->csv ? STR("\r\n") : STR("}\n"));
    err error = buffer_status(&rows->line);
    if (error == ERR_OK &&
        fwrite(rows->line.data, 1, rows->line.size, rows->file) != rows->line.size)
        error =
            problem_set(rows->problem, ERR_IO, "the file cannot be written: %s", strerror(errno));
    atomic_fetch_add(rows->written, 1);
    return error;
}

static void begin_row(struct rows *rows)
{
    buffer_clear(&rows->line);
    if (!rows->plan->csv)
        buffer_append_byte(&rows->line, '{');
}

static err write_customer(struct rows *rows, uint32_t index, struct json_parser *parser)
{
    const struct customer_view *view = &rows->views[index];
    json_value audience = { .document = NULL };
    if (view->root != rows->numbers[index])
        return ERR_OK; /* absorbed since: the survivor stands for herself */
    if (view->audience.size > 0) {
        struct buffer text;
        buffer_init(&text, LINE_BYTES_MAX);
        buffer_append_byte(&text, '{');
        buffer_append_str(&text, view->audience);
        buffer_append_byte(&text, '}');
        if (json_parse(parser, buffer_str(&text), &audience, NULL) != ERR_OK)
            audience = (json_value){ .document = NULL };
        buffer_deinit(&text);
    }
    begin_row(rows);
    for (uint32_t i = 0; i < rows->plan->column_count; i++) {
        begin_cell(rows, &rows->plan->columns[i], i == 0);
        customer_cell(rows, &rows->plan->columns[i], index, audience);
        put_cell(rows);
    }
    return end_row(rows);
}

static err write_object(struct rows *rows, uint32_t index, struct json_parser *parser)
{
    const struct object_row *object = &rows->objects[index];
    struct json_parser *props_parser = rows->request->scratch;
    json_value tags, props = { .document = NULL };
    if (object->id.size == 0 || json_parse(parser, object->tags, &tags, NULL) != ERR_OK)
        return ERR_OK; /* deleted since */
    if (object->props.size > 0 && json_parse(props_parser, object->props, &props, NULL) != ERR_OK)
        props = (json_value){ .document = NULL };
    begin_row(rows);
    for (uint32_t i = 0; i < rows->plan->column_count; i++) {
        const struct export_column *column = &rows->plan->columns[i];
        begin_cell(rows, column, i == 0);
        if (column->source == EXPORT_ID)
            json_write_text(&rows->cell, object->id);
        else if (column->source == EXPORT_PROP)
            json_cell(rows, json_get(props, column->name));
        else if (column->source == EXPORT_TAG)
            json_cell(rows, json_get(json_get(tags, STR("tags")), column->name));
        else
            segment_cell(rows, json_get(tags, STR("segments")), column->name);
        put_cell(rows);
    }
    return end_row(rows);
}

/* ---- batches ---- */

static void take_objects(const struct engine_state *state, struct rows *rows)
{
    struct arena *arena = &rows->request->arena;
    for (uint32_t i = 0; i < rows->count; i++) {
        struct object_row *object = &rows->objects[i];
        struct buffer text;
        str props;
        *object = (struct object_row){ .id = audience_object_id(state->audience, rows->plan->on,
                                                                rows->numbers[i]) };
        buffer_init(&text, LINE_BYTES_MAX);
        if (audience_write_object(state->audience, rows->plan->on, object->id, &text) != ERR_OK ||
            !profile_object(state->profile, rows->plan->on, object->id, &props) ||
            arena_dup(arena, buffer_str(&text), &object->tags) != ERR_OK ||
            arena_dup(arena, props, &object->props) != ERR_OK)
            object->id = STR_NONE;
        buffer_deinit(&text);
    }
}

/* Her data are kept and not used, or she is a child: she goes into no file but her own. */
static void leave_out_restricted(const struct engine_state *state, struct customer_view *view)
{
    bool granted = true;
    if (view->root != 0 &&
        profile_consent(state->profile, view->nodes, view->node_count, STR(PURPOSE_PROCESSING),
                        &granted) &&
        !granted)
        view->root = 0;
    if (view->is_child)
        view->root = 0;
}

static void take_batch(const struct engine_state *state, struct engine_question *question)
{
    struct rows *rows = question->context;
    if (rows->plan->on.size > 0) {
        take_objects(state, rows);
        return;
    }
    for (uint32_t i = 0; i < rows->count; i++) {
        view_init(&rows->views[i], rows->plan->wants_facts);
        view_take(state, rows->request, rows->numbers[i], &rows->views[i]);
        leave_out_restricted(state, &rows->views[i]);
    }
}

static err show_rows(struct rows *rows, struct customer_view *view)
{
    view_sort(view->rows, view->row_count);
    return rows->plan->revealed
               ? view_values(rows->request, view->rows, view->row_count, rows->problem)
               : view_shown(rows->request, view, rows->problem);
}

static err write_batch(struct rows *rows)
{
    bool of_objects = rows->plan->on.size > 0;
    err error = view_ask(rows->request, take_batch, rows, rows->problem);
    for (uint32_t i = 0; error == ERR_OK && i < rows->count; i++) {
        if (!of_objects)
            error = rows->views[i].error;
        if (error == ERR_OK && !of_objects && rows->plan->wants_rows)
            error = show_rows(rows, &rows->views[i]);
        if (error == ERR_OK)
            error = of_objects ? write_object(rows, i, rows->request->parser)
                               : write_customer(rows, i, rows->request->parser);
    }
    rows->count = 0;
    arena_reset(&rows->request->arena);
    return error;
}

static bool add(void *context, uint32_t number)
{
    struct rows *rows = context;
    if (atomic_load_explicit(rows->cancel, memory_order_relaxed)) {
        rows->error = ERR_UNAVAILABLE;
        return false;
    }
    rows->numbers[rows->count++] = number;
    if (rows->count == BATCH)
        rows->error = write_batch(rows);
    return rows->error == ERR_OK;
}

static err write_head(struct rows *rows)
{
    if (!rows->plan->csv)
        return ERR_OK;
    buffer_clear(&rows->line);
    buffer_append_str(&rows->line, STR("\uFEFF")); /* or Excel takes it for GBK */
    for (uint32_t i = 0; i < rows->plan->column_count; i++) {
        if (i > 0)
            buffer_append_byte(&rows->line, ',');
        export_put_csv_text(&rows->line, rows->plan->columns[i].text);
    }
    buffer_append_str(&rows->line, STR("\r\n"));
    bool written = fwrite(rows->line.data, 1, rows->line.size, rows->file) == rows->line.size;
    return written ? buffer_status(&rows->line) : ERR_IO;
}

static err rows_init(struct rows *rows)
{
    struct request *request = memory_alloc(sizeof *request);
    if (request == NULL)
        return ERR_NOMEM;
    rows->request = request;
    request->server = rows->server;
    arena_init(&request->arena, "exports", BATCH_BYTES_MAX);
    buffer_init(&rows->line, LINE_BYTES_MAX);
    buffer_init(&rows->cell, LINE_BYTES_MAX);
    err error = json_parser_new(&rows->cells, LINE_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parser_new(&request->parser, LINE_BYTES_MAX);
    return error == ERR_OK ? json_parser_new(&request->scratch, LINE_BYTES_MAX) : error;
}

static void rows_deinit(struct rows *rows)
{
    if (rows->request != NULL) {
        json_parser_free(&rows->request->parser);
        json_parser_free(&rows->request->scratch);
        arena_deinit(&rows->request->arena);
        buffer_deinit(&rows->line);
        buffer_deinit(&rows->cell);
    }
    memory_free(rows->request);
    json_parser_free(&rows->cells);
}

/* ---- the file: sealed, a piece at a time ---- */

static ssize_t write_sealed(void *cookie, const char *bytes, size_t size)
{
    struct problem problem = { .error = ERR_OK };
    if (sealed_file_append(cookie, str_from_bytes(bytes, size), &problem) == ERR_OK)
        return (ssize_t)size;
    errno = problem.error == ERR_STORAGE_FULL ? ENOSPC : EIO;
    return 0;
}

static err open_file(struct rows *rows, const char *path, struct problem *problem)
{
    err error = sealed_file_create(&rows->sealed, rows->server->keys, path, problem);
    if (error != ERR_OK)
        return error;
    rows->file = fopencookie(rows->sealed, "w", (cookie_io_functions_t){ .write = write_sealed });
    if (rows->file == NULL || setvbuf(rows->file, NULL, _IOFBF, SEALED_PIECE_BYTES_MAX) != 0)
        return problem_set(problem, ERR_NOMEM, "no memory to write the file");
    return ERR_OK;
}

static err close_file(struct rows *rows, err error, struct problem *problem)
{
    if (rows->file != NULL && fclose(rows->file) != 0 && error == ERR_OK)
        error = problem_set(problem, ERR_IO, "the file cannot be written: %s", strerror(errno));
    if (error == ERR_OK)
        error = sealed_file_sync(rows->sealed, problem);
    sealed_file_close(&rows->sealed);
    return error;
}

err export_rows_write(struct server *server, struct export_plan *plan, const char *path,
                      _Atomic uint64_t *written, const _Atomic bool *cancel,
                      struct problem *problem)
{
    struct rows *rows = memory_alloc(sizeof *rows);
    if (rows == NULL)
        return ERR_NOMEM;
    rows->server = server;
    rows->plan = plan;
    rows->written = written;
    rows->cancel = cancel;
    rows->problem = problem;
    err error = rows_init(rows);
    if (error == ERR_OK)
        error = open_file(rows, path, problem);
    if (error == ERR_OK)
        error = write_head(rows);
    if (error == ERR_OK)
        audience_set_visit(plan->set, add, rows);
    if (error == ERR_OK)
        error = rows->error;
    if (error == ERR_OK && rows->count > 0)
        error = write_batch(rows);
    error = close_file(rows, error, problem);
    rows_deinit(rows);
    memory_free(rows);
    return error;
}
