/* SPDX-License-Identifier: Apache-2.0 */
/* Quarantine: events that did not fit, as a list and in sums; replayed or discarded. */
#include <string.h>

#include "collect/collect.h"
#include "server/answer.h"
#include "server/labels.h"
#include "server/mask.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define TEXT_BYTES_MAX (16 * 1024 * 1024)

/* ---- the list ---- */

struct quarantine_page {
    struct request *request;
    struct json_writer writer;
    str reason, type, status;
    bool by_source, reveal;
    uint32_t source_number;
    size_t limit, written, looked_at;
    int64_t last_id;
    bool more;
};
#define LOOK_MAX 100000

static err read_choice(struct request *request, struct quarantine_page *page, str reason,
                       str source_key, str type, struct problem *problem)
{
    struct source_set *sources = engine_sources(request->server->engine);
    const struct source *source = source_key.size > 0 ? source_by_key(sources, source_key) : NULL;
    page->request = request;
    page->reason = reason;
    page->type = type;
    page->by_source = source_key.size > 0;
    page->source_number = source != NULL ? source->number : 0;
    source_set_release(&sources);
    if (page->by_source && page->source_number == 0)
        return problem_set(problem, ERR_INVALID, "there is no source '%.*s'",
                           (int)str_utf8_prefix_bytes(source_key, 60), source_key.data);
    return ERR_OK;
}

static bool is_chosen(const struct quarantine_page *page, const struct ledger_value *values)
{
    return (page->reason.size == 0 || str_equal(page->reason, values[5].bytes)) &&
           (page->type.size == 0 || str_equal(page->type, values[4].bytes)) &&
           (page->status.size == 0 || str_equal(page->status, values[8].bytes)) &&
           (!page->by_source || page->source_number == (uint32_t)values[3].integer);
}

static void write_json_member(struct quarantine_page *page, str name, str json)
{
    struct request *request = page->request;
    json_value value;
    struct buffer text;
    if (json.size == 0 || json_parse(request->scratch, json, &value, NULL) != ERR_OK) {
        json_member_raw(&page->writer, name, STR("{}"));
        return;
    }
    buffer_init(&text, TEXT_BYTES_MAX);
    mask_write_json(request->server->keys, &request->arena, STR_NONE, value, page->reveal, &text);
    json_member_raw(&page->writer, name, buffer_str(&text));
    buffer_deinit(&text);
}

static void write_traits_of(struct quarantine_page *page, const struct event *event)
{
    struct request *request = page->request;
    json_value value;
    struct buffer text;
    json_put_key(&page->writer, STR("traits"));
    json_begin_object(&page->writer);
    for (uint32_t i = 0; i < event->trait_count; i++) {
        if (json_parse(request->scratch, event->traits[i].value, &value, NULL) != ERR_OK)
            continue;
        buffer_init(&text, TEXT_BYTES_MAX);
        mask_write_json(request->server->keys, &request->arena, event->traits[i].name, value,
                        page->reveal, &text);
        json_member_raw(&page->writer, event->traits[i].name, buffer_str(&text));
        buffer_deinit(&text);
    }
    json_end_object(&page->writer);
}

/* The event as the rooms behind the doors see it. */
static void write_normal_form(struct quarantine_page *page, str record)
{
    struct request *request = page->request;
    struct json_writer *writer = &page->writer;
    struct event event;
    json_begin_object(writer);
    if (event_decode(record, &request->arena, &event, NULL) == ERR_OK) {
        json_member_text(writer, STR("kind"), str_from_c(event_kind_name(event.kind)));
        json_member_text(writer, STR("type"), event.type);
        json_member_text(writer, STR("channel"), event.channel);
        json_member_time(writer, STR("time"), event.time_ms);
        json_put_key(writer, STR("identifiers"));
        json_begin_array(writer);
        for (uint32_t i = 0; i < event.identifier_count; i++) {
            const struct event_identifier *one = &event.identifiers[i];
            json_begin_object(writer);
            json_member_text(writer, STR("type"), one->type);
            json_member_text(writer, STR("value"),
                             mask_identifier(request->server->keys, &request->arena, one->type,
                                             one->value, page->reveal));
            json_member_bool(writer, STR("verified"), (one->flags & IDENTIFIER_VERIFIED) != 0);
            json_end_object(writer);
        }
        json_end_array(writer);
        if (event.trait_count > 0)
            write_traits_of(page, &event);
        write_json_member(page, STR("props"), event.props);
        write_json_member(page, STR("context"), event.context);
    }
    json_end_object(writer);
}

static bool visit_quarantined(void *context, const struct ledger_value *values)
{
    struct quarantine_page *page = context;
    struct json_writer *writer = &page->writer;
    if (page->written == page->limit || ++page->looked_at > LOOK_MAX) {
        page->more = true;
        return false;
    }
    page->last_id = values[0].integer;
    if (!is_chosen(page, values))
        return true;
    json_begin_object(writer);
    json_member_int(writer, STR("id"), values[0].integer);
    json_member_time(writer, STR("at"), values[2].integer);
    json_member_text(writer, STR("source"),
                     answer_source_key(page->request, (uint32_t)values[3].integer));
    json_member_text(writer, STR("type"), values[4].bytes);
    json_member_text(writer, STR("reason"), values[5].bytes);
    json_member_text(writer, STR("detail"), values[6].bytes);
    json_put_key(writer, STR("event"));
    write_normal_form(page, values[7].bytes);
    json_member_text(writer, STR("status"), values[8].bytes);
    json_end_object(writer);
    page->written++;
    return true;
}

static bool is_status(str status)
{
    return status.size == 0 || str_equal(status, STR("waiting")) ||
           str_equal(status, STR("replayed")) || str_equal(status, STR("discarded"));
}

err route_quarantine_list(struct request *request, struct problem *problem)
{
    struct quarantine_page page = { .status = request_query(request, STR("status")) };
    int64_t beyond = 0;
    bool present;
    err error = read_choice(request, &page, request_query(request, STR("reason")),
                            request_query(request, STR("source")),
                            request_query(request, STR("type")), problem);
    if (error == ERR_OK && !is_status(page.status))
        error = problem_set(problem, ERR_INVALID, "status is waiting, replayed or discarded");
    if (error == ERR_OK)
        error = answer_limit(request, &page.limit, problem);
    if (error == ERR_OK)
        error = cursor_decode(request, 'q', &beyond, 1, &present, problem);
    if (error == ERR_OK)
        error = auth_reveal(request, STR("quarantine"), &page.reveal, problem);
    if (error != ERR_OK)
        return error;
    struct ledger *ledger = server_ledger(request->server);
    struct ledger_value key = ledger_int(beyond);
    const struct ledger_value *from = present ? &key : NULL;
    answer_list_begin(request, &page.writer);
    error = page.status.size > 0
                ? ledger_find_by(ledger, LEDGER_QUARANTINE, "status", ledger_text(page.status),
                                 from, true, LOOK_MAX + 2, visit_quarantined, &page, problem)
                : ledger_page(ledger, LEDGER_QUARANTINE, from, true, LOOK_MAX + 2,
                              visit_quarantined, &page, problem);
    if (error != ERR_OK)
        return error;
    answer_list_end(request, &page.writer,
                    page.more ? cursor_encode(request, 'q', &page.last_id, 1) : STR_NONE);
    json_end_object(&page.writer);
    return ERR_OK;
}

/* ---- summary ---- */

#define GROUPS_MAX 500
#define SUMMARY_ROWS_MAX 1000000

struct quarantine_group {
    str reason, type;
    uint32_t source_number;
    int64_t count, last_ms;
};

struct quarantine_groups {
    struct request *request;
    struct quarantine_group groups[GROUPS_MAX];
    size_t count, rows;
    bool partial;
};

static bool visit_group(void *context, const struct ledger_value *values)
{
    struct quarantine_groups *groups = context;
    uint32_t source_number = (uint32_t)values[3].integer;
    if (++groups->rows > SUMMARY_ROWS_MAX)
        groups->partial = true;
    for (size_t i = 0; i < groups->count; i++) {
        struct quarantine_group *group = &groups->groups[i];
        if (group->source_number != source_number || !str_equal(group->type, values[4].bytes) ||
            !str_equal(group->reason, values[5].bytes))
            continue;
        group->count++;
        if (values[2].integer > group->last_ms)
            group->last_ms = values[2].integer;
        return !groups->partial;
    }
    if (groups->count == GROUPS_MAX) {
        groups->partial = true;
        return true;
    }
    struct quarantine_group *group = &groups->groups[groups->count];
    if (arena_dup(&groups->request->arena, values[4].bytes, &group->type) != ERR_OK ||
        arena_dup(&groups->request->arena, values[5].bytes, &group->reason) != ERR_OK)
        return false;
    group->source_number = source_number;
    group->count = 1;
    group->last_ms = values[2].integer;
    groups->count++;
    return !groups->partial;
}

err route_quarantine_summary(struct request *request, struct problem *problem)
{
    struct json_writer writer;
    struct quarantine_groups *groups = arena_new(&request->arena, struct quarantine_groups);
    if (groups == NULL)
        return ERR_NOMEM;
    groups->request = request;
    err error = ledger_find_by(server_ledger(request->server), LEDGER_QUARANTINE, "status",
                               ledger_text(STR("waiting")), NULL, true, SUMMARY_ROWS_MAX + 2,
                               visit_group, groups, problem);
    if (error != ERR_OK)
        return error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < groups->count; i++) {
        const struct quarantine_group *group = &groups->groups[i];
        json_begin_object(&writer);
        json_member_text(&writer, STR("reason"), group->reason);
        json_member_text(&writer, STR("source"), answer_source_key(request, group->source_number));
        json_member_text(&writer, STR("type"), group->type);
        json_member_int(&writer, STR("count"), group->count);
        json_member_time(&writer, STR("last_at"), group->last_ms);
        json_end_object(&writer);
    }
    answer_list_end(request, &writer, STR_NONE);
    json_member_bool(&writer, STR("partial"), groups->partial);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- replay and discard ---- */

#define CHOSEN_MAX 10000 /* at once; the rest at the next request */

struct chosen {
    struct quarantine_page page;
    uint64_t *ids;
    size_t count;
};

static bool visit_chosen(void *context, const struct ledger_value *values)
{
    struct chosen *chosen = context;
    if (is_chosen(&chosen->page, values))
        chosen->ids[chosen->count++] = (uint64_t)values[0].integer;
    return chosen->count < CHOSEN_MAX;
}

static err take_ids(json_value ids, struct chosen *chosen, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(ids);
    json_value id;
    while (json_next(&iterator, NULL, &id)) {
        int64_t number = json_int(id, 0);
        if (number < 1 || chosen->count == CHOSEN_MAX) {
            problem_set(problem, ERR_UNPROCESSABLE, "ids are at most %d positive numbers",
                        CHOSEN_MAX);
            return problem_at(problem, ERR_UNPROCESSABLE, "/ids/%zu", chosen->count);
        }
        chosen->ids[chosen->count++] = (uint64_t)number;
    }
    return ERR_OK;
}

/* By ids, or all that wait and have something in common. */
static err choose(struct request *request, struct chosen *chosen, struct problem *problem)
{
    json_value ids = json_get(request->json, STR("ids"));
    str reason = json_text(json_get(request->json, STR("reason")));
    str source = json_text(json_get(request->json, STR("source")));
    str type = json_text(json_get(request->json, STR("type")));
    chosen->ids = arena_array(&request->arena, uint64_t, CHOSEN_MAX);
    if (chosen->ids == NULL)
        return ERR_NOMEM;
    if (json_kind(ids) == JSON_ARRAY)
        return take_ids(ids, chosen, problem);
    if (reason.size + source.size + type.size == 0) {
        problem_set(problem, ERR_UNPROCESSABLE, "nothing is chosen");
        return problem_hint(problem, ERR_UNPROCESSABLE,
                            "give 'ids', or 'reason', 'source' or 'type'");
    }
    err error = read_choice(request, &chosen->page, reason, source, type, problem);
    if (error != ERR_OK)
        return error;
    return ledger_find_by(server_ledger(request->server), LEDGER_QUARANTINE, "status",
                          ledger_text(STR("waiting")), NULL, false, SUMMARY_ROWS_MAX, visit_chosen,
                          chosen, problem);
}

/* What the operator corrects, and a worker of the doors to draft the events anew. */
struct correcting {
    struct collect_worker *worker;
    json_value correction;
};

static err correct_event(void *context, str record, struct buffer *corrected,
                         struct problem *problem)
{
    struct correcting *correcting = context;
    return collect_correct(correcting->worker, record, correcting->correction, corrected, problem);
}

static err replay_chosen(struct request *request, const struct chosen *chosen, size_t *replayed,
                         struct problem *problem)
{
    struct correcting correcting = { .correction = json_get(request->json, STR("correction")) };
    struct engine_correction correction = { .correct = correct_event, .context = &correcting };
    bool corrects = json_kind(correcting.correction) == JSON_OBJECT;
    struct collect_limits limits = { .event_bytes_max = EVENT_BYTES_MAX };
    err error = ERR_OK;
    if (corrects)
        error =
            collect_worker_new(&correcting.worker, engine_keys(request->server->engine), &limits);
    if (error == ERR_OK)
        error = engine_replay_quarantine(request->server->engine, chosen->ids, chosen->count,
                                         corrects ? &correction : NULL, request->actor.user_number,
                                         replayed, problem);
    if (corrects)
        collect_worker_free(&correcting.worker);
    return error;
}

err route_quarantine_replay_post(struct request *request, struct problem *problem)
{
    struct chosen chosen = { .count = 0 };
    struct json_writer writer;
    size_t replayed = 0;
    err error = choose(request, &chosen, problem);
    if (error == ERR_OK && chosen.count > 0)
        error = replay_chosen(request, &chosen, &replayed, problem);
    if (error != ERR_OK)
        return error;
    json_writer_init(&writer, &request->out);
    json_begin_object(&writer);
    json_member_int(&writer, STR("replayed"), (int64_t)replayed);
    json_end_object(&writer);
    return ERR_OK;
}

err route_quarantine_discard_post(struct request *request, struct problem *problem)
{
    struct chosen chosen = { .count = 0 };
    struct command_body body;
    str response = STR_NONE;
    err error = choose(request, &chosen, problem);
    if (error != ERR_OK)
        return error;
    command_body_begin(&body);
    json_put_key(&body.writer, STR("ids"));
    json_begin_array(&body.writer);
    for (size_t i = 0; i < chosen.count; i++)
        json_put_uint(&body.writer, chosen.ids[i]);
    json_end_array(&body.writer);
    error =
        answer_command(request, "quarantine.discard", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    if (error == ERR_OK)
        buffer_append_str(&request->out, response);
    return error;
}
