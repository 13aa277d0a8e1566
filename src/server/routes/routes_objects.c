/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: products, stores, advisers, groups and what else a brand speaks of, by kind. */
#include <string.h>

#include "server/answer.h"
#include "server/fold.h"
#include "server/view.h"

#define SCANNED_MAX 20000 /* rows that one page of a search looks at */
#define NAME_BYTES_MAX 200
#define KIND_JSON_BYTES_MAX ((size_t)16 << 20)

static err check_name(str name, const char *what, struct problem *problem)
{
    if (name.size > 0 && name.size <= NAME_BYTES_MAX)
        return ERR_OK;
    return problem_set(problem, ERR_UNPROCESSABLE, "%s of an object has 1 to %d bytes", what,
                       NAME_BYTES_MAX);
}

/* kind id props updated_ms deleted_ms source_number */
static bool is_deleted(const struct ledger_value *values)
{
    return values[4].integer != INT64_MIN && values[4].integer >= values[3].integer;
}

static void write_object(const struct ledger_value *values, struct json_writer *writer)
{
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), values[0].bytes);
    json_member_text(writer, STR("id"), values[1].bytes);
    json_member_raw(writer, STR("props"), values[2].bytes.size > 0 ? values[2].bytes : STR("{}"));
    json_member_time(writer, STR("updated_at"), values[3].integer);
    json_end_object(writer);
}

/* ---- one ---- */

struct found {
    struct request *request;
    bool found;
};

static bool visit_one(void *context, const struct ledger_value *values)
{
    struct found *found = context;
    struct json_writer writer;
    if (is_deleted(values))
        return false;
    found->found = true;
    json_writer_init(&writer, &found->request->out);
    write_object(values, &writer);
    return false;
}

err route_object_get(struct request *request, struct problem *problem)
{
    struct found found = { .request = request };
    str kind = request->parameters[0], id = request->parameters[1];
    struct ledger_value key[2] = { ledger_text(kind), ledger_text(id) };
    err error = ledger_find(server_ledger(request->server), LEDGER_OBJECTS, key, 1, visit_one,
                            &found, problem);
    if (error == ERR_OK && !found.found)
        return problem_set(problem, ERR_NOT_FOUND, "there is no %.*s '%.*s'",
                           (int)str_utf8_prefix_bytes(kind, 60), kind.data,
                           (int)str_utf8_prefix_bytes(id, 60), id.data);
    return error;
}

static err put_object(struct request *request, bool deletes, struct problem *problem)
{
    struct command_body body;
    str response;
    err error = check_name(request->parameters[0], "the kind", problem);
    if (error == ERR_OK)
        error = check_name(request->parameters[1], "the id", problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("kind"), request->parameters[0]);
    json_member_text(&body.writer, STR("id"), request->parameters[1]);
    if (deletes)
        json_member_bool(&body.writer, STR("delete"), true);
    else
        command_body_copy(&body, request, "props");
    error = answer_command(request, "object.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error;
}

err route_object_put(struct request *request, struct problem *problem)
{
    if (!json_is_object(json_get(request->json, STR("props")))) {
        problem_set(problem, ERR_UNPROCESSABLE, "props is an object");
        return problem_at(problem, ERR_UNPROCESSABLE, "/props");
    }
    err error = put_object(request, false, problem);
    return error == ERR_OK ? route_object_get(request, problem) : error;
}

err route_object_delete(struct request *request, struct problem *problem)
{
    err error = put_object(request, true, problem);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}

/* ---- many ---- */

struct object_page {
    struct request *request;
    struct json_writer *writer;
    str kind, query, last; /* `query` folded; `last` in the arena: where the next page begins */
    size_t written, limit, scanned;
    bool more;
    err error;
};

static bool visit_page(void *context, const struct ledger_value *values)
{
    struct object_page *page = context;
    if (!str_equal(values[0].bytes, page->kind))
        return false;
    if (page->written == page->limit || page->scanned == SCANNED_MAX) {
        page->more = true;
        return false;
    }
    page->scanned++;
    page->error = arena_dup(&page->request->arena, values[1].bytes, &page->last);
    bool fits =
        fold_contains(values[1].bytes, page->query) || fold_contains(values[2].bytes, page->query);
    if (fits && !is_deleted(values)) {
        write_object(values, page->writer);
        page->written++;
    }
    return page->error == ERR_OK;
}

/* The cursor is the last id, which is no secret of anybody's. */
err route_object_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct object_page page = { .request = request,
                                .writer = &writer,
                                .kind = request->parameters[0] };
    str after = request_query(request, STR("cursor"));
    struct ledger_value beyond[2] = { ledger_text(page.kind), ledger_text(after) };
    err error = answer_limit(request, &page.limit, problem);
    if (error == ERR_OK)
        error = fold_text(&request->arena, request_query(request, STR("query")), &page.query);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    error = ledger_page(server_ledger(request->server), LEDGER_OBJECTS, beyond, false,
                        SCANNED_MAX + 1, visit_page, &page, problem);
    answer_list_end(request, &writer, page.more ? page.last : STR_NONE);
    json_end_object(&writer);
    return error != ERR_OK ? error : page.error;
}

/* ---- kinds ---- */

static bool visit_kind(void *context, const struct ledger_value *values)
{
    struct json_writer *writer = context;
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), values[0].bytes);
    json_member_raw(writer, STR("settings"), values[1].bytes);
    json_member_time(writer, STR("changed_at"), values[2].integer);
    json_end_object(writer);
    return true;
}

err route_object_kind_list(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    answer_list_begin(request, &writer);
    err error = ledger_scan(server_ledger(request->server), LEDGER_OBJECT_KINDS, NULL, visit_kind,
                            &writer, problem);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return error;
}

/* {name, properties: {NAME: {type, name, description}}} */
static err check_settings(json_value settings, struct problem *problem)
{
    static const char *const types[] = { "text", "number", "money", "boolean",
                                         "time", "list",   "object" };
    struct json_iterator iterator = json_iterate(json_get(settings, STR("properties")));
    str name;
    json_value property;
    while (json_next(&iterator, &name, &property)) {
        str type = json_text(json_get(property, STR("type")));
        bool known = false;
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
            known = known || str_equal(type, str_from_c(types[i]));
        if (known)
            continue;
        problem_set(problem, ERR_UNPROCESSABLE,
                    "a property's type is text, number, money, boolean, time, list or object");
        return problem_at(problem, ERR_UNPROCESSABLE, "/properties/%.*s/type",
                          (int)str_utf8_prefix_bytes(name, 60), name.data);
    }
    return ERR_OK;
}

err route_object_kind_put(struct request *request, struct problem *problem)
{
    struct command_body body;
    struct buffer settings;
    str response;
    err error = check_name(request->parameters[0], "the kind", problem);
    if (error == ERR_OK)
        error = check_settings(request->json, problem);
    if (error != ERR_OK)
        return error;
    buffer_init(&settings, 1024 * 1024);
    json_write_value(&settings, request->json);
    command_body_begin(&body);
    json_member_text(&body.writer, STR("kind"), request->parameters[0]);
    json_member_raw(&body.writer, STR("settings"), buffer_str(&settings));
    error = answer_command(request, "object.kind.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    buffer_deinit(&settings);
    return error == ERR_OK ? route_object_kind_list(request, problem) : error;
}

/* ---- a kind goes ---- */

#define SPEAKERS_MAX 200u

struct kind_use {
    struct request *request;
    str kind;
    struct json_parser *parser;
    bool is_described;
    str speakers[SPEAKERS_MAX]; /* keys of journeys whose draft speaks of it; in the arena */
    size_t speaker_count;
    str journey; /* one of them that is not deleted */
    err error;
};

static bool find_kind(void *context, const struct ledger_value *values)
{
    struct kind_use *use = context;
    (void)values;
    use->is_described = true;
    return false;
}

/* The newest journey of a key counts. number key state live_version body running created_ms changed_ms user_number */
static bool look_at_journey(void *context, const struct ledger_value *values)
{
    struct kind_use *use = context;
    json_value body;
    for (size_t i = 0; i < use->speaker_count; i++)
        if (str_equal(use->speakers[i], values[1].bytes))
            use->speakers[i] = use->speakers[--use->speaker_count];
    if (values[4].bytes.size == 0 || use->speaker_count == SPEAKERS_MAX)
        return true;
    use->error = json_parse(use->parser, values[4].bytes, &body, NULL);
    if (use->error == ERR_OK && audience_rule_speaks_of(body, use->kind))
        use->error =
            arena_dup(&use->request->arena, values[1].bytes, &use->speakers[use->speaker_count++]);
    return use->error == ERR_OK;
}

static void ask_which_is_there(const struct engine_state *state, struct engine_question *question)
{
    struct kind_use *use = question->context;
    for (size_t i = 0; i < use->speaker_count && use->journey.size == 0; i++)
        if (journey_is_there(state->journeys, use->speakers[i]))
            use->journey = use->speakers[i];
}

static err check_kind_use(struct kind_use *use, struct problem *problem)
{
    struct ledger *ledger = server_ledger(use->request->server);
    struct ledger_value key = ledger_text(use->kind);
    err error = ledger_find(ledger, LEDGER_OBJECT_KINDS, &key, 1, find_kind, use, problem);
    if (error != ERR_OK)
        return error;
    if (!use->is_described)
        return problem_set(problem, ERR_NOT_FOUND, "the kind '%.*s' was never described",
                           (int)str_utf8_prefix_bytes(use->kind, 60), use->kind.data);
    error = ledger_scan(ledger, LEDGER_JOURNEYS, NULL, look_at_journey, use, problem);
    if (error == ERR_OK)
        error = use->error;
    if (error == ERR_OK)
        error = view_ask(use->request, ask_which_is_there, use, problem);
    if (error != ERR_OK || use->journey.size == 0)
        return error;
    problem_set(problem, ERR_CONFLICT, "it is used by journey '%.*s'",
                (int)str_utf8_prefix_bytes(use->journey, 60), use->journey.data);
    return problem_hint(problem, ERR_CONFLICT, "change or delete that first");
}

err route_object_kind_delete(struct request *request, struct problem *problem)
{
    struct kind_use use = { .request = request, .kind = request->parameters[0] };
    struct command_body body;
    str response;
    err error = json_parser_new(&use.parser, KIND_JSON_BYTES_MAX);
    if (error == ERR_OK)
        error = check_kind_use(&use, problem);
    json_parser_free(&use.parser);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_member_text(&body.writer, STR("kind"), use.kind);
    json_member_bool(&body.writer, STR("delete"), true);
    error = answer_command(request, "object.kind.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        request->status = 204;
    return error;
}
