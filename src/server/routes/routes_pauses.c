/* SPDX-License-Identifier: Apache-2.0 */
/* Marketing to a customer rests: since when, why, until when; by hand, and its end. */
#include <stdio.h>

#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"

#define SHOWN_MAX 200
#define TIME_SAID_BYTES 24

/* ---- what there is ---- */

struct shown_pause {
    struct touch_pause told; /* texts in the request's arena */
};

struct ask_pauses {
    struct request *request;
    uint32_t customer;
    struct shown_pause *shown; /* SHOWN_MAX: the newest */
    size_t count;
    err error;
};

static void take_pause(void *context, const struct touch_pause *told)
{
    struct ask_pauses *ask = context;
    struct arena *arena = &ask->request->arena;
    size_t place = ask->count;
    while (place > 0 && ask->shown[place - 1].told.number < told->number)
        place--;
    if (place == SHOWN_MAX)
        return;
    ask->count += ask->count < SHOWN_MAX;
    for (size_t i = ask->count - 1; i > place; i--)
        ask->shown[i] = ask->shown[i - 1];
    struct touch_pause *kept = &ask->shown[place].told;
    *kept = *told;
    if (ask->error == ERR_OK)
        ask->error = arena_dup(arena, told->journey, &kept->journey);
    if (ask->error == ERR_OK)
        ask->error = arena_dup(arena, told->reason, &kept->reason);
    kept->key = STR_NONE; /* of the journey's own */
}

static void ask_pauses(const struct engine_state *state, struct engine_question *question)
{
    struct ask_pauses *ask = question->context;
    uint32_t root = identity_root(state->identity, ask->customer);
    if (root == 0)
        ask->error = ERR_NOT_FOUND;
    else
        touch_visit_pauses(state->touches, root, take_pause, ask);
}

/* "2026-06-18 10:05" on the workspace's clock. */
static void say_time(const struct request *request, int64_t at_ms, char text[TIME_SAID_BYTES])
{
    const struct zone *zone = server_zone(request->server);
    int64_t minute = (at_ms - zone_day_start_ms(zone, at_ms)) / 60000;
    char day[ZONE_DAY_BYTES];
    zone_format_day(zone, at_ms, day);
    snprintf(text, TIME_SAID_BYTES, "%.10s %02d:%02d", day, (int)(minute / 60 % 24),
             (int)(minute % 60));
}

/* Since when, because of what, until when: one sentence in each language. */
static void write_sentences(struct request *request, struct json_writer *writer,
                            const struct touch_pause *told, bool is_seen)
{
    char since[TIME_SAID_BYTES], until[TIME_SAID_BYTES] = "";
    bool by_hand = told->journey.size == 0, is_endless = told->until_ms == INT64_MAX;
    int64_t end_ms = told->lifted_ms != 0 ? told->lifted_ms : told->until_ms;
    str reason = is_seen ? told->reason : STR_NONE, zh, en;
    say_time(request, told->since_ms, since);
    if (end_ms != INT64_MAX)
        say_time(request, end_ms, until);
    str journey = is_seen ? told->journey : STR_NONE;
    if (arena_printf(&request->arena, &zh, "自 %s 起暂停营销，由%s" STR_FMT "%s%s" STR_FMT "，%s%s",
                     since, by_hand ? "人工设置" : "旅程", STR_ARG(journey), by_hand ? "" : " 设置",
                     reason.size > 0 ? "，原因：" : "", STR_ARG(reason),
                     told->lifted_ms != 0 ? "已恢复于 "
                     : is_endless         ? "直到恢复"
                                          : "到 ",
                     until) != ERR_OK ||
        arena_printf(&request->arena, &en,
                     "marketing is paused since %s, by %s" STR_FMT "%s" STR_FMT "; %s%s", since,
                     by_hand ? "hand" : "journey ", STR_ARG(journey),
                     reason.size > 0 ? ", because: " : "", STR_ARG(reason),
                     told->lifted_ms != 0 ? "it was lifted at "
                     : is_endless         ? "until it is lifted"
                                          : "until ",
                     until) != ERR_OK)
        return;
    json_put_key(writer, STR("text"));
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), zh);
    json_member_text(writer, STR("en"), en);
    json_end_object(writer);
}

static void write_pause(struct request *request, struct json_writer *writer,
                        const struct touch_pause *told, int64_t now_ms)
{
    /* Another team's journey holds for her too; what it is called, and why, is that team's. */
    bool is_seen = told->journey.size == 0 ||
                   scope_sees_thing(request->scope, "journey", told->journey, TEAM_READ);
    json_begin_object(writer);
    json_member_int(writer, STR("number"), told->number);
    json_member_bool(writer, STR("active"), touch_pause_lasts(told, now_ms));
    json_member_time(writer, STR("since"), told->since_ms);
    member_time_or_null(writer, STR("until"), told->until_ms < INT64_MAX ? told->until_ms : 0);
    member_time_or_null(writer, STR("lifted_at"), told->lifted_ms);
    member_text_or_null(writer, STR("journey"), is_seen ? told->journey : STR_NONE);
    member_text_or_null(writer, STR("reason"), is_seen ? told->reason : STR_NONE);
    member_text_or_null(writer, STR("by"),
                        told->user_number != 0 ? answer_login(request, told->user_number)
                                               : STR_NONE);
    write_sentences(request, writer, told, is_seen);
    json_end_object(writer);
}

err route_pause_list(struct request *request, struct problem *problem)
{
    struct ask_pauses ask = { .request = request };
    struct json_writer writer;
    int64_t now_ms = server_now_ms(request->server);
    err error = view_number(request, request->parameters[0], &ask.customer, problem);
    if (error != ERR_OK)
        return error;
    ask.shown = arena_array(&request->arena, struct shown_pause, SHOWN_MAX);
    if (ask.shown == NULL)
        return ERR_NOMEM;
    error = view_ask(request, ask_pauses, &ask, problem);
    if (error == ERR_OK && ask.error == ERR_NOT_FOUND)
        return problem_set(problem, ERR_NOT_FOUND, "there is no such customer");
    if (error != ERR_OK || ask.error != ERR_OK)
        return error != ERR_OK ? error : ask.error;
    answer_list_begin(request, &writer);
    for (size_t i = 0; i < ask.count; i++)
        write_pause(request, &writer, &ask.shown[i].told, now_ms);
    answer_list_end(request, &writer, STR_NONE);
    json_end_object(&writer);
    return ERR_OK;
}

/* ---- by hand ---- */

static err wrong(struct problem *problem, const char *pointer, const char *detail)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", detail);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

err route_pause_post(struct request *request, struct problem *problem)
{
    json_value until = json_get(request->json, STR("until"));
    str reason = json_text(json_get(request->json, STR("reason"))), response;
    int64_t until_ms = 0;
    struct command_body body;
    uint32_t number;
    err error = view_number(request, request->parameters[0], &number, problem);
    if (error != ERR_OK)
        return error;
    if (reason.size == 0 || reason.size > TOUCH_PAUSE_REASON_BYTES_MAX)
        return wrong(problem, "/reason",
                     "a pause by hand has a reason of at most 1,000 bytes: say why");
    bool has_end = json_kind(until) != JSON_MISSING && json_kind(until) != JSON_NULL;
    if (has_end && (!time_parse(json_text(until), 8 * 60, &until_ms) ||
                    until_ms <= server_now_ms(request->server)))
        return wrong(problem, "/until",
                     "until is a time (RFC 3339) later than now; without it the pause lasts until "
                     "it is lifted");
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), number);
    json_member_text(&body.writer, STR("reason"), reason);
    if (has_end)
        json_member_int(&body.writer, STR("until_ms"), until_ms);
    error = answer_command(request, "pause.put", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? route_pause_list(request, problem) : error;
}

err route_pause_delete(struct request *request, struct problem *problem)
{
    struct command_body body;
    uint32_t customer;
    int64_t number = 0;
    str response;
    err error = view_number(request, request->parameters[0], &customer, problem);
    if (error != ERR_OK)
        return error;
    if (!str_to_int64(request->parameters[1], &number) || number <= 0)
        return problem_set(problem, ERR_NOT_FOUND, "she has no such pause");
    command_body_begin(&body);
    json_member_int(&body.writer, STR("customer"), customer);
    json_member_int(&body.writer, STR("number"), number);
    error = answer_command(request, "pause.lift", command_body_end(&body), &response, problem);
    command_body_deinit(&body);
    return error == ERR_OK ? route_pause_list(request, problem) : error;
}
