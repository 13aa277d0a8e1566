/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in, events out. */
#include <string.h>

#include "mapping/inside.h"

#define ROW_ARENA_BYTES ((size_t)128 << 20)
#define TEXT_BYTES ((size_t)4 << 20)
#define CONTENT_BYTES ((size_t)64 << 20)

/* ---- making ---- */

static void note_name(struct mapping_worker *worker, uint32_t index, str name)
{
    worker->notes[index] = *draft_note(worker->desk, name);
}

static void note_all(struct mapping_worker *worker, const struct named_spec *specs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        note_name(worker, specs[i].index, specs[i].name);
}

/* What is known of every name, found once. */
static err note_names(struct mapping_worker *worker)
{
    const struct mapping *mapping = worker->mapping;
    worker->notes = memory_alloc((mapping->name_count + 1) * sizeof *worker->notes);
    if (worker->notes == NULL)
        return ERR_NOMEM;
    note_all(worker, mapping->traits, mapping->trait_count);
    note_all(worker, mapping->line_properties, mapping->line_property_count);
    for (uint32_t i = 0; i < mapping->output_count; i++)
        note_all(worker, mapping->outputs[i].properties, mapping->outputs[i].property_count);
    for (uint32_t i = 0; i < mapping->sum_count; i++)
        note_name(worker, mapping->sums[i].index, mapping->sums[i].name);
    if (mapping->has_lines)
        note_name(worker, mapping->lines_index, mapping->lines_name);
    return ERR_OK;
}

static err prepare(struct mapping_worker *worker, struct problem *problem)
{
    const struct mapping *mapping = worker->mapping;
    err error = ERR_OK;
    worker->desk = memory_alloc(sizeof *worker->desk);
    worker->cells = memory_alloc((mapping->slot_count + 1) * sizeof *worker->cells);
    if (worker->desk == NULL || worker->cells == NULL)
        return ERR_NOMEM;
    draft_desk_init(worker->desk, worker->context.keys, &worker->arena, NULL);
    worker->content_seed = keys_seed(worker->context.keys, STR("import content"));
    error = note_names(worker);
    /* Never grows from here on: what points into it stays true. */
    if (error == ERR_OK && buffer_reserve(&worker->text, TEXT_BYTES - 1) == NULL)
        error = ERR_NOMEM;
    if (error == ERR_OK)
        error = json_parser_new(&worker->parser, TABLE_CELL_BYTES_MAX);
    if (error == ERR_OK)
        error = regex_desk_new(&worker->regex);
    if (error == ERR_OK && mapping->script_count > 0)
        error = script_desk_new(&worker->scripts, mapping->scripts, mapping->script_count, problem);
    if (error == ERR_OK && mapping->has_lines)
        error = lines_new(&worker->lines, worker, problem);
    return error;
}

static err check_bound(const struct mapping *mapping, struct problem *problem)
{
    for (uint32_t i = 0; i < mapping->slot_count; i++)
        if (mapping->slots[i].column == COLUMN_NONE)
            return problem_set(problem, ERR_UNPROCESSABLE,
                               "the mapping was compiled without the columns of its file");
    return ERR_OK;
}

err mapping_worker_new(struct mapping_worker **worker, const struct mapping *mapping,
                       const struct mapping_context *context, struct problem *problem)
{
    err error = check_bound(mapping, problem);
    if (error != ERR_OK)
        return error;
    struct mapping_worker *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return problem_set(problem, ERR_NOMEM, "no memory to run a mapping");
    made->mapping = mapping;
    made->context = *context;
    made->zone_offset_seconds =
        mapping->has_zone ? mapping->zone_offset_seconds : context->zone_offset_seconds;
    arena_init(&made->arena, "mapping rows", ROW_ARENA_BYTES);
    buffer_init(&made->text, TEXT_BYTES);
    buffer_init(&made->content, CONTENT_BYTES);
    made->resume_row = 1;
    error = prepare(made, problem);
    if (error != ERR_OK) {
        if (error == ERR_NOMEM)
            problem_set(problem, error, "no memory to run a mapping");
        mapping_worker_free(&made);
        return error;
    }
    *worker = made;
    return ERR_OK;
}

void mapping_worker_free(struct mapping_worker **worker)
{
    struct mapping_worker *freed = *worker;
    *worker = NULL;
    if (freed == NULL)
        return;
    lines_free(&freed->lines);
    script_desk_free(&freed->scripts);
    regex_desk_free(&freed->regex);
    json_parser_free(&freed->parser);
    buffer_deinit(&freed->text);
    buffer_deinit(&freed->content);
    arena_deinit(&freed->arena);
    memory_free(freed->cells);
    memory_free(freed->notes);
    memory_free(freed->desk);
    memory_free(freed);
}

/* ---- running ---- */

/* A call of the caller's, with where its results go. */
struct call {
    struct mapping_worker *worker;
    mapping_emit emit;
    mapping_refuse refuse;
    void *context;
    struct problem *problem;
};

static void begin_run(struct mapping_worker *worker, const struct table_cell *cells, uint64_t row)
{
    arena_reset(&worker->arena);
    worker->run = (struct run){ .worker = worker,
                                .arena = &worker->arena,
                                .cells = cells,
                                .row = row,
                                .zone_offset_seconds = worker->zone_offset_seconds,
                                .slot = COLUMN_NONE };
}

static err stopped(struct call *call)
{
    return problem_set(call->problem, ERR_UNAVAILABLE, "stopped by the caller");
}

static err emit_events(struct call *call, uint64_t first_row, uint64_t last_row)
{
    struct mapping_worker *worker = call->worker;
    for (uint32_t i = 0; i < worker->event_count; i++) {
        struct mapping_event event = { .event = &worker->events[i]->event,
                                       .first_row = first_row,
                                       .last_row = last_row };
        memcpy(event.natural_key, worker->events[i]->natural_key, sizeof event.natural_key);
        memcpy(event.content_hash, worker->events[i]->content_hash, sizeof event.content_hash);
        if (!call->emit(call->context, &event))
            return stopped(call);
    }
    return ERR_OK;
}

/* The reason, with the column that was read last in front. */
static void name_column(const struct mapping_worker *worker, struct problem *problem)
{
    const struct run *run = &worker->run;
    char detail[sizeof problem->detail];
    if (run->slot >= worker->mapping->slot_count)
        return;
    str name = worker->mapping->slots[run->slot].name;
    memcpy(detail, problem->detail, sizeof detail);
    problem_at(problem, problem->error, "/%.*s", (int)str_utf8_prefix_bytes(name, 120), name.data);
    problem_set(problem, problem->error, "column '%.*s': %.200s",
                (int)str_utf8_prefix_bytes(name, 90), name.data, detail);
}

/* What was decided on about the row; memory that ran out ends the run instead. */
static err refuse_row(struct call *call, uint64_t row, str raw)
{
    struct refusal *refusal = &call->worker->run.refusal;
    struct problem problem = refusal->problem;
    if (problem.error == ERR_NOMEM) {
        *call->problem = problem;
        return ERR_NOMEM;
    }
    char hint[sizeof problem.hint];
    memcpy(hint, problem.hint, sizeof hint);
    name_column(call->worker, &problem);
    memcpy(problem.hint, hint, sizeof hint);
    return call->refuse(call->context, row, raw, mapping_code(refusal->code), &problem)
               ? ERR_OK
               : stopped(call);
}

/* ---- orders ---- */

static err refuse_sibling(struct call *call, uint64_t row, str raw, uint64_t culprit)
{
    struct problem problem = { .error = ERR_UNPROCESSABLE };
    problem_set(&problem, ERR_UNPROCESSABLE, "row %llu of the same order is wrong",
                (unsigned long long)culprit);
    problem_hint(&problem, ERR_UNPROCESSABLE, "an order is taken whole: correct that row");
    return call->refuse(call->context, row, raw, mapping_code(REFUSAL_ORDER), &problem)
               ? ERR_OK
               : stopped(call);
}

/* All rows of an order of which one is wrong. */
static err refuse_order(struct call *call, const struct order_rows *order)
{
    uint64_t culprit = call->worker->run.row;
    err error = ERR_OK;
    if (call->worker->run.refusal.problem.error == ERR_NOMEM)
        return refuse_row(call, culprit, STR_NONE);
    for (size_t i = 0; i < order->count && error == ERR_OK; i++)
        error = order->rows[i].number == culprit
                    ? refuse_row(call, culprit, order->raws[i])
                    : refuse_sibling(call, order->rows[i].number, order->raws[i], culprit);
    return error;
}

static err take_order(void *context, const struct order_rows *order)
{
    struct call *call = context;
    struct mapping_worker *worker = call->worker;
    struct run *run = &worker->run;
    begin_run(worker, order->rows[0].cells, order->rows[0].number);
    run->lines = order->rows;
    run->line_count = order->count;
    if (order->count > LINES_PER_ORDER_MAX) {
        refusal_set(&run->refusal, REFUSAL_TOO_MANY, "an order has more than %d rows",
                    LINES_PER_ORDER_MAX);
        return refuse_order(call, order);
    }
    if (worker->mapping->adjacent) {
        bool seen = false;
        err error = lines_close_key(worker->lines, order->key, &seen, call->problem);
        if (error != ERR_OK)
            return error;
        if (seen) {
            refusal_set(&run->refusal, REFUSAL_NOT_ADJACENT,
                        "the order has rows further up in the file");
            refusal_cure(&run->refusal, "leave 'adjacent' out of the mapping");
            return refuse_order(call, order);
        }
    }
    if (!make_events(worker))
        return refuse_order(call, order);
    return emit_events(call, order->rows[0].number, order->rows[order->count - 1].number);
}

static err drain(struct call *call)
{
    return lines_drain(call->worker->lines, take_order, call, call->problem);
}

static err take_line(struct call *call, const struct table_row *row, bool first)
{
    struct mapping_worker *worker = call->worker;
    const struct mapping *mapping = worker->mapping;
    uint8_t key[16];
    str text;
    if (!spec_text(worker, &worker->run, &mapping->group_by, &text))
        return refuse_row(call, row->number, row->raw);
    hash128 hash = hash_bytes128(text.data, text.size, worker->content_seed);
    memcpy(key, &hash, sizeof key);
    if (mapping->adjacent && !lines_is_empty(worker->lines) &&
        memcmp(worker->open_key, key, sizeof key) != 0) {
        err error = drain(call);
        if (error != ERR_OK)
            return error;
        first = true;
    }
    if (first)
        worker->resume_row = row->number;
    memcpy(worker->open_key, key, sizeof key);
    return lines_add(worker->lines, key, row, worker->cells, call->problem);
}

/* ---- rows ---- */

static void gather(struct mapping_worker *worker, const struct table_row *row)
{
    const struct mapping *mapping = worker->mapping;
    for (uint32_t i = 0; i < mapping->slot_count; i++) {
        uint32_t column = mapping->slots[i].column;
        worker->cells[i] = column < row->cell_count ? row->cells[column]
                                                    : (struct table_cell){ .kind = CELL_EMPTY };
    }
}

static err take_row(struct call *call, const struct table_row *row)
{
    struct mapping_worker *worker = call->worker;
    bool waits = worker->lines != NULL && !lines_is_empty(worker->lines);
    gather(worker, row);
    begin_run(worker, worker->cells, row->number);
    bool skipped = worker->mapping->skip != NULL &&
                   value_is_true(expression_run(&worker->run, worker->mapping->skip));
    err error = ERR_OK;
    if (worker->run.refused)
        error = refuse_row(call, row->number, row->raw);
    else if (!skipped && worker->lines != NULL)
        return take_line(call, row, !waits);
    else if (!skipped)
        error = make_events(worker) ? emit_events(call, row->number, row->number)
                                    : refuse_row(call, row->number, row->raw);
    if (error == ERR_OK && !waits)
        worker->resume_row = row->number + 1;
    return error;
}

err mapping_row(struct mapping_worker *worker, const struct table_row *row, mapping_emit emit,
                mapping_refuse refuse, void *context, struct problem *problem)
{
    struct problem ignored;
    struct call call = { worker, emit, refuse, context, problem != NULL ? problem : &ignored };
    worker->last_row = row->number;
    return take_row(&call, row);
}

err mapping_end(struct mapping_worker *worker, mapping_emit emit, mapping_refuse refuse,
                void *context, struct problem *problem)
{
    struct problem ignored;
    struct call call = { worker, emit, refuse, context, problem != NULL ? problem : &ignored };
    err error = worker->lines != NULL ? drain(&call) : ERR_OK;
    if (error == ERR_OK)
        worker->resume_row = worker->last_row + 1;
    return error;
}

uint64_t mapping_resume_row(const struct mapping_worker *worker)
{
    return worker->resume_row;
}
