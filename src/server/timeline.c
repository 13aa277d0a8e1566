/* SPDX-License-Identifier: Apache-2.0 */
/* The timeline of a customer, newest first: the tail in memory, then the warehouse, cut at one seq.
 *
 *     engine: her nodes; events with seq >= F from the tail ──┐
 *                                                             ├─ merged by (time, seq), one page
 *     warehouse: customer IN (nodes) AND seq < F ─────────────┘
 *
 * The cursor is (time, seq) of the last event of a page.
 */
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "server/answer.h"
#include "server/mask.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TAIL_CHUNK 128
#define TAIL_ROUNDS_MAX 64 /* of chunks, when a filter finds few */
#define QUERY_MS_MAX 10000
#define ANSWER_BYTES_MAX (64 * 1024 * 1024)

struct item {
    uint64_t seq;
    int64_t time_ms, received_ms;
    uint32_t node, source_number, origin; /* origin: row; 0 for the tail's */
    enum event_kind kind;
    str type, channel, props, context;
    str origin_type, origin_value; /* of the tail's events */
};

struct timeline {
    struct request *request;
    struct customer_view view;
    uint32_t number;
    int64_t from_ms; /* events before it are not asked for */
    int64_t before_ms;
    uint64_t before_seq;
    str type, channel, source_key;
    uint32_t source_number;
    bool reveal, partial;
    size_t limit; /* one more than the page */
    uint64_t from_seq;
    struct item *tail, *old;
    size_t tail_count, old_count;
    err error;
};

/* ---- the tail ---- */

static bool is_wanted(const struct timeline *timeline, const struct event *event)
{
    return event->time_ms >= timeline->from_ms &&
           (timeline->type.size == 0 || str_equal(timeline->type, event->type)) &&
           (timeline->channel.size == 0 || str_equal(timeline->channel, event->channel)) &&
           (timeline->source_key.size == 0 || timeline->source_number == event->source_number) &&
           scope_sees_event(timeline->request->scope, event->source_number, event->channel,
                            event->props, timeline->request->scratch);
}

static bool take_item(struct timeline *timeline, const struct event *event, uint32_t node)
{
    struct arena *arena = &timeline->request->arena;
    struct item *item = &timeline->tail[timeline->tail_count++];
    *item = (struct item){ .seq = event->seq,
                           .time_ms = event->time_ms,
                           .received_ms = event->received_ms,
                           .node = node,
                           .source_number = event->source_number,
                           .kind = event->kind };
    if (event->identifier_count > 0 &&
        (arena_dup(arena, event->identifiers[0].type, &item->origin_type) != ERR_OK ||
         arena_dup(arena, event->identifiers[0].value, &item->origin_value) != ERR_OK))
        return false;
    return arena_dup(arena, event->type, &item->type) == ERR_OK &&
           arena_dup(arena, event->channel, &item->channel) == ERR_OK &&
           arena_dup(arena, event->props, &item->props) == ERR_OK &&
           arena_dup(arena, event->context, &item->context) == ERR_OK;
}

static void take_tail(const struct engine_state *state, struct engine_question *question)
{
    struct timeline *timeline = question->context;
    struct request *request = timeline->request;
    int64_t before_ms = timeline->before_ms;
    uint64_t before_seq = timeline->before_seq;
    view_take(state, request, timeline->number, &timeline->view);
    struct event *events = arena_array(&request->arena, struct event, TAIL_CHUNK);
    uint32_t *nodes = arena_array(&request->arena, uint32_t, TAIL_CHUNK);
    timeline->tail = arena_array(&request->arena, struct item, timeline->limit);
    timeline->error = timeline->view.error;
    if (events == NULL || nodes == NULL || timeline->tail == NULL)
        timeline->error = ERR_NOMEM;
    if (timeline->view.root == 0 || timeline->error != ERR_OK)
        return;
    for (int round = 0; round < TAIL_ROUNDS_MAX; round++) {
        size_t count = engine_tail_events(
            state->tail, timeline->view.nodes, timeline->view.node_count, before_ms, before_seq,
            TAIL_CHUNK, &request->arena, events, nodes, &timeline->from_seq);
        for (size_t i = 0; i < count && timeline->tail_count < timeline->limit; i++)
            if (is_wanted(timeline, &events[i]) && !take_item(timeline, &events[i], nodes[i]))
                timeline->error = ERR_NOMEM;
        if (count < TAIL_CHUNK || timeline->tail_count == timeline->limit)
            break;
        before_ms = events[count - 1].time_ms;
        before_seq = events[count - 1].seq;
    }
}

/* ---- the warehouse ---- */

static void write_query(const struct timeline *timeline, struct buffer *sql)
{
    buffer_printf(sql, "SELECT toUInt64(seq), toInt64(time_ms), toInt64(received_ms), "
                       "toUInt32(customer), toUInt32(source), toUInt32(origin), toUInt8(kind), "
                       "toString(type), toString(channel), toString(props), toString(context) "
                       "FROM events_kept WHERE customer IN (");
    for (size_t i = 0; i < timeline->view.node_count; i++)
        buffer_printf(sql, "%s%u", i > 0 ? "," : "", timeline->view.nodes[i]);
    buffer_printf(sql, ") AND seq < %llu", (unsigned long long)timeline->from_seq);
    if (timeline->before_ms != INT64_MAX)
        buffer_printf(sql, " AND (time_ms < %lld OR (time_ms = %lld AND seq < %llu))",
                      (long long)timeline->before_ms, (long long)timeline->before_ms,
                      (unsigned long long)timeline->before_seq);
    if (timeline->from_ms != INT64_MIN)
        buffer_printf(sql, " AND time_ms >= %lld", (long long)timeline->from_ms);
    if (timeline->type.size > 0)
        buffer_append_str(sql, STR(" AND type = {type:String}"));
    if (timeline->channel.size > 0)
        buffer_append_str(sql, STR(" AND channel = {channel:String}"));
    if (timeline->source_key.size > 0)
        buffer_printf(sql, " AND source = %u", timeline->source_number);
    scope_write_sql(timeline->request->scope, sql);
    buffer_printf(sql, " ORDER BY time_ms DESC, seq DESC LIMIT %zu FORMAT RowBinary",
                  timeline->limit);
}

static err read_rows(struct timeline *timeline, str answer, struct problem *problem)
{
    struct request *request = timeline->request;
    str kept;
    timeline->old = arena_array(&request->arena, struct item, timeline->limit);
    if (timeline->old == NULL || arena_dup(&request->arena, answer, &kept) != ERR_OK)
        return ERR_NOMEM;
    struct cursor cursor = cursor_over(kept);
    while (cursor_left(&cursor) > 0 && timeline->old_count < timeline->limit) {
        struct item *item = &timeline->old[timeline->old_count];
        item->seq = read_u64(&cursor);
        item->time_ms = read_i64(&cursor);
        item->received_ms = read_i64(&cursor);
        item->node = read_u32(&cursor);
        item->source_number = read_u32(&cursor);
        item->origin = read_u32(&cursor);
        item->kind = (enum event_kind)read_u8(&cursor);
        item->type = read_text(&cursor);
        item->channel = read_text(&cursor);
        item->props = read_text(&cursor);
        item->context = read_text(&cursor);
        if (cursor.failed)
            return problem_set(problem, ERR_WAREHOUSE, "the warehouse's answer is cut");
        timeline->old_count++;
    }
    return ERR_OK;
}

static err ask_warehouse(struct timeline *timeline, struct problem *problem)
{
    struct warehouse *warehouse = engine_warehouse(timeline->request->server->engine);
    struct warehouse_parameter parameters[2];
    size_t parameter_count = 0;
    struct buffer sql, answer;
    if (timeline->from_seq <= 1 || warehouse == NULL)
        return ERR_OK;
    if (warehouse_check(warehouse, problem) != ERR_OK)
        return ERR_UNAVAILABLE;
    if (timeline->type.size > 0)
        parameters[parameter_count++] = (struct warehouse_parameter){ "type", timeline->type };
    if (timeline->channel.size > 0)
        parameters[parameter_count++] =
            (struct warehouse_parameter){ "channel", timeline->channel };
    buffer_init(&sql, 1024 * 1024);
    buffer_init(&answer, ANSWER_BYTES_MAX);
    write_query(timeline, &sql);
    err error = buffer_status(&sql);
    if (error == ERR_OK)
        error = warehouse_query(warehouse, buffer_str(&sql), parameters, parameter_count,
                                QUERY_MS_MAX, &answer, problem);
    if (error == ERR_OK)
        error = read_rows(timeline, buffer_str(&answer), problem);
    buffer_deinit(&sql);
    buffer_deinit(&answer);
    return error;
}

/* ---- one page of both ---- */

static bool is_newer(const struct item *one, const struct item *other)
{
    return one->time_ms != other->time_ms ? one->time_ms > other->time_ms : one->seq > other->seq;
}

static size_t merge(const struct timeline *timeline, struct item **page)
{
    size_t t = 0, o = 0, count = 0;
    while (count < timeline->limit && (t < timeline->tail_count || o < timeline->old_count)) {
        bool from_tail =
            o == timeline->old_count ||
            (t < timeline->tail_count && is_newer(&timeline->tail[t], &timeline->old[o]));
        page[count++] = from_tail ? &timeline->tail[t++] : &timeline->old[o++];
    }
    return count;
}

static err read_origins(struct timeline *timeline, struct item **page, size_t count,
                        struct problem *problem)
{
    struct request *request = timeline->request;
    uint32_t *numbers = arena_array(&request->arena, uint32_t, count + 1);
    struct identity_row_view *views =
        arena_array(&request->arena, struct identity_row_view, count + 1);
    size_t distinct = 0;
    if (numbers == NULL || views == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t known = 0;
        while (known < distinct && numbers[known] != page[i]->origin)
            known++;
        if (known == distinct && page[i]->origin != 0)
            numbers[distinct++] = page[i]->origin;
    }
    if (distinct == 0)
        return ERR_OK;
    err error = view_rows(request, numbers, distinct, views, problem);
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        for (size_t v = 0; v < distinct; v++)
            if (page[i]->origin != 0 && views[v].row == page[i]->origin) {
                page[i]->origin_type = views[v].type;
                bool hidden = timeline->view.is_child && (views[v].flags & IDENTIFIER_SEALED) != 0;
                page[i]->origin_value = hidden ? STR("***") : views[v].value;
            }
    return error;
}

static void write_object(struct timeline *timeline, struct json_writer *writer, str name, str json)
{
    struct request *request = timeline->request;
    json_value value;
    struct buffer text;
    if (json.size == 0 || json_parse(request->scratch, json, &value, NULL) != ERR_OK ||
        !json_is_object(value)) {
        json_member_raw(writer, name, STR("{}"));
        return;
    }
    buffer_init(&text, json.size * 2 + 4096);
    if (timeline->view.is_child)
        mask_hide_json(value, &text);
    else
        mask_write_json(request->server->keys, &request->arena, STR_NONE, value, timeline->reveal,
                        &text);
    json_member_raw(writer, name, text.failed ? STR("{}") : buffer_str(&text));
    buffer_deinit(&text);
}

static void write_item(struct timeline *timeline, struct json_writer *writer,
                       const struct item *item)
{
    struct request *request = timeline->request;
    struct identity_row_view origin = { .row = item->origin_type.size > 0,
                                        .type = item->origin_type,
                                        .value = item->origin_value };
    json_begin_object(writer);
    json_member_int(writer, STR("seq"), (int64_t)item->seq);
    json_member_text(writer, STR("type"), item->type);
    json_member_text(writer, STR("kind"), str_from_c(event_kind_name(item->kind)));
    json_member_text(writer, STR("channel"), item->channel);
    json_member_text(writer, STR("source"), answer_source_key(request, item->source_number));
    json_member_time(writer, STR("time"), item->time_ms);
    json_member_time(writer, STR("received_at"), item->received_ms);
    json_put_key(writer, STR("origin"));
    view_write_short(request, writer, &origin, timeline->reveal);
    json_member_text(writer, STR("node"), answer_one_id(request, item->node));
    write_object(timeline, writer, STR("props"), item->props);
    write_object(timeline, writer, STR("context"), item->context);
    json_end_object(writer);
}

static err write_page(struct timeline *timeline, struct problem *problem)
{
    struct request *request = timeline->request;
    struct json_writer writer;
    str next = STR_NONE;
    struct item **page = arena_array(&request->arena, struct item *, timeline->limit);
    if (page == NULL)
        return ERR_NOMEM;
    size_t count = merge(timeline, page);
    if (count == timeline->limit && count > 1) {
        count--;
        int64_t place[2] = { page[count - 1]->time_ms, (int64_t)page[count - 1]->seq };
        next = cursor_encode(request, 'e', place, 2);
    }
    err error = read_origins(timeline, page, count, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++)
        write_item(timeline, &writer, page[i]);
    answer_list_end(request, &writer, next);
    json_member_bool(&writer, STR("partial"), timeline->partial);
    json_end_object(&writer);
    return ERR_OK;
}

static err read_time(struct request *request, str name, int64_t *time_ms, struct problem *problem)
{
    str text = request_query(request, name);
    if (text.size == 0 || time_parse(text, 0, time_ms))
        return ERR_OK;
    return problem_set(problem, ERR_INVALID, "%.*s is no time: write it like 2026-06-18T00:00:00Z",
                       (int)name.size, name.data);
}

/* `from` inclusive, `until` exclusive: a day is [its midnight, the next). */
static err read_span(struct timeline *timeline, struct problem *problem)
{
    int64_t until_ms = INT64_MAX;
    timeline->from_ms = INT64_MIN;
    err error = read_time(timeline->request, STR("from"), &timeline->from_ms, problem);
    if (error == ERR_OK)
        error = read_time(timeline->request, STR("until"), &until_ms, problem);
    if (until_ms <= timeline->before_ms) {
        timeline->before_ms = until_ms;
        timeline->before_seq = 0;
    }
    return error;
}

static err read_parameters(struct timeline *timeline, bool *present, struct problem *problem)
{
    struct request *request = timeline->request;
    int64_t place[2] = { INT64_MAX, INT64_MAX };
    timeline->type = request_query(request, STR("type"));
    timeline->channel = request_query(request, STR("channel"));
    timeline->source_key = request_query(request, STR("source"));
    err error = answer_limit(request, &timeline->limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'e', place, 2, present, problem);
    timeline->limit++;
    timeline->before_ms = place[0];
    timeline->before_seq = (uint64_t)place[1];
    if (error == ERR_OK)
        error = read_span(timeline, problem);
    if (error != ERR_OK || timeline->source_key.size == 0)
        return error;
    struct source_set *sources = engine_sources(request->server->engine);
    const struct source *source = source_by_key(sources, timeline->source_key);
    timeline->source_number = source != NULL ? source->number : 0;
    source_set_release(&sources);
    return source != NULL ? ERR_OK
                          : problem_set(problem, ERR_INVALID, "there is no source '%.*s'",
                                        (int)str_utf8_prefix_bytes(timeline->source_key, 60),
                                        timeline->source_key.data);
}

err route_customer_events(struct request *request, struct problem *problem)
{
    struct timeline timeline = { .request = request };
    bool continued = false;
    view_init(&timeline.view, false);
    err error = view_number(request, request->parameters[0], &timeline.number, problem);
    if (error == ERR_OK)
        error = read_parameters(&timeline, &continued, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, request->parameters[0], &timeline.reveal, problem);
    if (error == ERR_OK)
        error = view_ask(request, take_tail, &timeline, problem);
    timeline.reveal = timeline.reveal && !timeline.view.is_child;
    if (error == ERR_OK)
        error = timeline.error;
    if (error == ERR_OK && timeline.view.root == 0)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    if (error != ERR_OK)
        return error;
    error = ask_warehouse(&timeline, problem);
    /* The first page shows what is in memory; a page further on would leave a hole. */
    if (error != ERR_OK && !continued) {
        timeline.partial = true;
        timeline.old_count = 0;
        error = ERR_OK;
    } else if (error == ERR_WAREHOUSE || error == ERR_TIMEOUT) {
        error = ERR_UNAVAILABLE;
    }
    if (error == ERR_OK)
        error = write_page(&timeline, problem);
    return error;
}
