/* SPDX-License-Identifier: Apache-2.0 */
/* retract: events are taken back, a slice of nodes at a time.
 *
 *     import.cut ─▶ wait until the warehouse has all up to the cut ─▶ ask it what stays of these nodes
 *                                                                        └▶ import.retract
 *
 * What stays up to the cut is a fixed set, so the command can carry it; what came after the cut is watched
 * by the engine (engine/jobs.h). Orders stay one by one, other events as count, first and last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/fault.h"
#include "imports/inside.h"

#define NODES_PER_SLICE 1000
#define NODES_PER_EXPIRY 5000
#define SEQS_PER_SLICE 100000
#define SETTLE_MS (10 * MINUTE_MS)
#define ORDER_TYPES "('Order Paid', 'Order Completed', 'Order Refunded', 'Order Cancelled')"

struct left {
    uint32_t node;
    uint64_t count;
    int64_t first_ms, last_ms;
    struct buffer orders; /* JSON elements, with commas between */
};

struct slice {
    struct imports *imports;
    uint32_t number;
    const char *cut_command, *retract_command;
    const char *taken;  /* SQL of what is taken; NULL: the events that are named */
    size_t nodes_limit; /* of a slice */
    struct taken_event *events;
    size_t count, capacity;
    struct left *nodes; /* ascending */
    size_t node_count;
    struct buffer condition; /* SQL of what is taken: " AND …" */
    uint64_t cut_seq;
};

/* ---- which nodes ---- */

static int compare_events(const void *left, const void *right)
{
    const struct taken_event *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return a->seq < b->seq ? -1 : a->seq > b->seq;
}

static err add_event(struct slice *slice, uint32_t node, uint64_t seq)
{
    if (slice->count == slice->capacity) {
        size_t capacity = slice->capacity == 0 ? 4096 : slice->capacity * 2;
        struct taken_event *events = memory_resize(slice->events, capacity * sizeof *events);
        if (events == NULL)
            return ERR_NOMEM;
        slice->events = events;
        slice->capacity = capacity;
    }
    slice->events[slice->count++] = (struct taken_event){ node, seq };
    return ERR_OK;
}

static err note_nodes(struct slice *slice)
{
    slice->nodes = memory_alloc((slice->count + 1) * sizeof *slice->nodes);
    if (slice->nodes == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < slice->count; i++) {
        if (i > 0 && slice->events[i].node == slice->events[i - 1].node)
            continue;
        struct left *left = &slice->nodes[slice->node_count++];
        left->node = slice->events[i].node;
        buffer_init(&left->orders, (size_t)8 << 20);
    }
    return ERR_OK;
}

static struct left *find_node(struct slice *slice, uint32_t node)
{
    size_t low = 0, high = slice->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slice->nodes[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < slice->node_count && slice->nodes[low].node == node ? &slice->nodes[low] : NULL;
}

static void slice_deinit(struct slice *slice)
{
    for (size_t i = 0; i < slice->node_count; i++)
        buffer_deinit(&slice->nodes[i].orders);
    memory_free(slice->nodes);
    buffer_deinit(&slice->condition);
    if (slice->capacity > 0)
        memory_free(slice->events);
}

/* ---- what stays of them ---- */

static err ask(struct slice *slice, const char *select, const char *types, const char *group,
               struct buffer *answer, struct problem *problem)
{
    struct buffer sql;
    buffer_init(&sql, (size_t)8 << 20);
    buffer_printf(
        &sql, "%s FROM events_kept WHERE seq <= %llu AND type %s " ORDER_TYPES " AND customer IN (",
        select, (unsigned long long)slice->cut_seq, types);
    for (size_t i = 0; i < slice->node_count; i++)
        buffer_printf(&sql, "%s%u", i > 0 ? "," : "", slice->nodes[i].node);
    buffer_append_str(&sql, STR(")"));
    buffer_append_str(&sql, buffer_str(&slice->condition));
    buffer_printf(&sql, "%s FORMAT RowBinary", group);
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_query(engine_warehouse(slice->imports->engine), buffer_str(&sql), NULL, 0,
                                5 * MINUTE_MS, answer, problem);
    buffer_deinit(&sql);
    return error;
}

static err ask_counts(struct slice *slice, struct problem *problem)
{
    struct buffer answer;
    buffer_init(&answer, (size_t)256 << 20);
    err error = ask(slice, "SELECT customer, count(), min(time_ms), max(time_ms)", "NOT IN",
                    " GROUP BY customer", &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    while (error == ERR_OK && cursor_left(&cursor) > 0 && !cursor.failed) {
        struct left *left = find_node(slice, read_u32(&cursor));
        uint64_t count = read_u64(&cursor);
        int64_t first_ms = read_i64(&cursor), last_ms = read_i64(&cursor);
        if (cursor.failed || left == NULL)
            continue;
        left->count = count;
        left->first_ms = first_ms;
        left->last_ms = last_ms;
    }
    buffer_deinit(&answer);
    return error;
}

static void write_order(struct left *left, struct cursor *cursor)
{
    struct json_writer writer;
    struct buffer order;
    buffer_init(&order, 4096);
    json_writer_init(&writer, &order);
    json_begin_array(&writer);
    json_put_uint(&writer, read_u64(cursor)); /* seq */
    json_put_int(&writer, read_i64(cursor));
    json_put_text(&writer, read_text(cursor));
    json_put_text(&writer, read_text(cursor));
    json_put_text(&writer, read_text(cursor));
    json_put_int(&writer, read_i64(cursor)); /* revenue, total; the smallest when there is none */
    json_put_int(&writer, read_i64(cursor));
    json_end_array(&writer);
    if (left != NULL && !cursor->failed) {
        if (left->orders.size > 0)
            buffer_append_byte(&left->orders, ',');
        buffer_append_str(&left->orders, buffer_str(&order));
    }
    buffer_deinit(&order);
}

static err ask_orders(struct slice *slice, struct problem *problem)
{
    struct buffer answer;
    buffer_init(&answer, (size_t)256 << 20);
    err error = ask(slice,
                    "SELECT customer, seq, time_ms, toString(type), order_id, toString(currency), "
                    "revenue, total",
                    "IN", "", &answer, problem);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    while (error == ERR_OK && cursor_left(&cursor) > 0 && !cursor.failed) {
        struct left *left = find_node(slice, read_u32(&cursor));
        write_order(left, &cursor);
    }
    buffer_deinit(&answer);
    return error;
}

/* ---- the two commands ---- */

static err cut(struct slice *slice, struct problem *problem)
{
    char body[64];
    struct buffer answer;
    struct json_parser *parser = NULL;
    json_value json;
    buffer_init(&answer, 4096);
    int size = snprintf(body, sizeof body, "{\"number\":%u}", slice->number);
    err error = imports_command(slice->imports, slice->cut_command,
                                str_from_bytes(body, (size_t)size), &answer, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, 4096);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&answer), &json, problem);
    if (error == ERR_OK)
        slice->cut_seq = (uint64_t)json_int(json_get(json, STR("cut")), 0);
    json_parser_free(&parser);
    buffer_deinit(&answer);
    if (error == ERR_OK && engine_settle(slice->imports->engine, true, SETTLE_MS) != ERR_OK)
        error = problem_set(problem, ERR_UNAVAILABLE, "the warehouse does not catch up");
    return error;
}

static void write_node(struct slice *slice, const struct left *left, size_t *event,
                       struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_int(writer, STR("node"), left->node);
    json_put_key(writer, STR("seqs"));
    json_begin_array(writer);
    for (; *event < slice->count && slice->events[*event].node == left->node; ++*event)
        json_put_uint(writer, slice->events[*event].seq);
    json_end_array(writer);
    if (left->count > 0) {
        json_member_int(writer, STR("count"), (int64_t)left->count);
        json_member_int(writer, STR("first"), left->first_ms);
        json_member_int(writer, STR("last"), left->last_ms);
    }
    if (left->orders.size > 0) {
        json_put_key(writer, STR("orders"));
        json_begin_array(writer);
        json_put_raw(writer, buffer_str(&left->orders));
        json_end_array(writer);
    }
    json_end_object(writer);
}

static err retract(struct slice *slice, uint64_t place, struct problem *problem)
{
    struct buffer body;
    struct json_writer writer;
    size_t event = 0;
    buffer_init(&body, (size_t)8 << 20);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_int(&writer, STR("number"), slice->number);
    if (place > 0)
        json_member_int(&writer, STR("place"), (int64_t)place);
    json_put_key(&writer, STR("nodes"));
    json_begin_array(&writer);
    for (size_t i = 0; i < slice->node_count; i++)
        write_node(slice, &slice->nodes[i], &event, &writer);
    json_end_array(&writer);
    json_end_object(&writer);
    err error = buffer_status(&body);
    if (error == ERR_OK)
        error = imports_command(slice->imports, slice->retract_command, buffer_str(&body), NULL,
                                problem);
    buffer_deinit(&body);
    return error;
}

static err run_slice(struct slice *slice, uint64_t place, struct problem *problem)
{
    err error = note_nodes(slice);
    if (error == ERR_OK)
        error = cut(slice, problem);
    if (error == ERR_OK && fault_fires(FAULT_IMPORT_AFTER_CUT))
        error = ERR_UNAVAILABLE;
    if (error == ERR_OK)
        error = ask_counts(slice, problem);
    if (error == ERR_OK)
        error = ask_orders(slice, problem);
    return error == ERR_OK ? retract(slice, place, problem) : error;
}

/* ---- single events ---- */

static err tell_warehouse(struct imports *imports, const struct taken_event *events, size_t count,
                          struct problem *problem)
{
    struct buffer rows;
    char name[80];
    buffer_init(&rows, (size_t)64 << 20);
    for (size_t i = 0; i < count; i++)
        write_u64(&rows, events[i].seq);
    snprintf(name, sizeof name, "retracted_%llu_%zu", (unsigned long long)events[0].seq, count);
    err error = buffer_status(&rows);
    if (error == ERR_OK)
        error = warehouse_insert(engine_warehouse(imports->engine), STR("retracted_events (seq)"),
                                 buffer_str(&rows), str_from_c(name), problem);
    buffer_deinit(&rows);
    return error;
}

static err retract_some(struct imports *imports, uint32_t number, struct taken_event *events,
                        size_t count, struct problem *problem)
{
    struct slice slice = { .imports = imports,
                           .number = number,
                           .cut_command = "import.cut",
                           .retract_command = "import.retract",
                           .events = events,
                           .count = count };
    buffer_init(&slice.condition, (size_t)4 << 20);
    buffer_append_str(&slice.condition, STR(" AND seq NOT IN ("));
    for (size_t i = 0; i < count; i++)
        buffer_printf(&slice.condition, "%s%llu", i > 0 ? "," : "",
                      (unsigned long long)events[i].seq);
    buffer_append_str(&slice.condition, STR(")"));
    err error = run_slice(&slice, 0, problem);
    slice_deinit(&slice);
    return error == ERR_OK ? tell_warehouse(imports, events, count, problem) : error;
}

err retract_events(struct imports *imports, uint32_t number, struct taken_event *events,
                   size_t count, struct problem *problem)
{
    err error = ERR_OK;
    qsort(events, count, sizeof *events, compare_events);
    pthread_mutex_lock(&imports->retract_mutex);
    for (size_t at = 0; at < count && error == ERR_OK;) {
        size_t end = at;
        while (end < count && (end - at < 2000 || events[end].node == events[end - 1].node))
            end++;
        error = retract_some(imports, number, events + at, end - at, problem);
        at = end;
    }
    pthread_mutex_unlock(&imports->retract_mutex);
    return error;
}

/* ---- all of a job, or all that is too old ---- */

/* The next nodes with events that are taken, from `place` on, whole. */
static err next_nodes(struct slice *slice, uint64_t place, struct problem *problem)
{
    struct buffer sql, answer;
    size_t nodes = 0;
    buffer_init(&sql, (size_t)2 << 20);
    buffer_init(&answer, (size_t)1 << 30);
    buffer_printf(&sql,
                  "SELECT customer, groupArray(seq) FROM events_kept WHERE %s AND customer >= %llu "
                  "GROUP BY customer ORDER BY customer LIMIT %zu FORMAT RowBinary",
                  slice->taken, (unsigned long long)place, slice->nodes_limit);
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_query(engine_warehouse(slice->imports->engine), buffer_str(&sql), NULL, 0,
                                10 * MINUTE_MS, &answer, problem);
    buffer_deinit(&sql);
    struct cursor cursor = cursor_over(buffer_str(&answer));
    while (error == ERR_OK && cursor_left(&cursor) > 0 && !cursor.failed) {
        uint32_t node = read_u32(&cursor);
        uint64_t count = read_varint(&cursor);
        if (nodes > 0 && slice->count + count > SEQS_PER_SLICE)
            break;
        for (; count > 0 && error == ERR_OK && !cursor.failed; count--)
            error = add_event(slice, node, read_u64(&cursor));
        nodes++;
    }
    buffer_deinit(&answer);
    if (slice->count > 1)
        qsort(slice->events, slice->count, sizeof *slice->events, compare_events);
    return error;
}

static err retract_next(const struct slice *kind, uint64_t *place, uint64_t *count, bool *done,
                        struct problem *problem)
{
    struct slice slice = *kind;
    buffer_init(&slice.condition, (size_t)2 << 20);
    buffer_printf(&slice.condition, " AND NOT (%s)", slice.taken);
    err error = next_nodes(&slice, *place, problem);
    *done = slice.count == 0;
    *count += slice.count;
    if (error == ERR_OK && !*done) {
        *place = (uint64_t)slice.events[slice.count - 1].node + 1;
        error = run_slice(&slice, *place, problem);
    }
    slice_deinit(&slice);
    if (error == ERR_OK && !*done && fault_fires(FAULT_IMPORT_AFTER_SLICE))
        error = ERR_UNAVAILABLE;
    return error;
}

static err retract_all(const struct slice *kind, uint64_t place, uint64_t *count,
                       bool (*stops)(void *), void *context, struct problem *problem)
{
    struct imports *imports = kind->imports;
    bool done = place > 0 && imports_mutates("undo_early");
    err error = engine_settle(imports->engine, true, SETTLE_MS);
    if (error != ERR_OK)
        return problem_set(problem, error, "the warehouse does not catch up");
    place = place > 0 ? place : 1;
    while (error == ERR_OK && !done && !stops(context)) {
        pthread_mutex_lock(&imports->retract_mutex);
        error = retract_next(kind, &place, count, &done, problem);
        pthread_mutex_unlock(&imports->retract_mutex);
    }
    return error == ERR_OK && !done ? ERR_UNAVAILABLE : error;
}

err retract_job(struct imports *imports, uint32_t number, uint64_t place, bool (*stops)(void *),
                void *context, struct problem *problem)
{
    char taken[64];
    uint64_t count = 0;
    snprintf(taken, sizeof taken, "source = %u", EVENT_SOURCE_IMPORT_FIRST + number);
    struct slice kind = { .imports = imports,
                          .number = number,
                          .cut_command = "import.cut",
                          .retract_command = "import.retract",
                          .taken = taken,
                          .nodes_limit = NODES_PER_SLICE };
    return retract_all(&kind, place, &count, stops, context, problem);
}

err imports_expire(struct imports *imports, uint32_t run, const char *condition, uint64_t place,
                   uint64_t *count, bool (*stops)(void *), void *context, struct problem *problem)
{
    struct slice kind = { .imports = imports,
                          .number = run,
                          .cut_command = "retention.cut",
                          .retract_command = "retention.retract",
                          .taken = condition,
                          .nodes_limit = NODES_PER_EXPIRY };
    return retract_all(&kind, place, count, stops, context, problem);
}
