/* SPDX-License-Identifier: Apache-2.0 */
/* The calendar: what went out and what will, by day, from which journey or by whose hand, by which channel; as far as it is known, and as
 * far as the asker sees. */
#include <stdlib.h>
#include <string.h>

#include "journey/outlook.h"
#include "server/answer.h"
#include "server/scope/scope.h"
#include "server/view.h"
#include "touch/outlook.h"

#define AT_ONCE 200000 /* touches or positions that one question to the engine passes */
#define DAYS_DEFAULT 30
#define DAYS_MAX 400
#define LINES_MAX 6000
#define INDEX_SIZE 16384 /* a power of two, well above LINES_MAX */
#define TEXTS_BYTES_MAX ((size_t)64 << 20)

struct line {
    struct outing outing; /* texts in the arena */
    char day[ZONE_DAY_BYTES];
    uint64_t hash;
};

struct calendar {
    struct request *request;
    const struct zone *zone;
    int64_t from_ms, to_ms, now_ms;
    str channel, team;
    const struct engine_state *state; /* while the engine is asked */
    struct touch_outlook touches;
    struct journey_outlook journeys;
    struct arena texts;
    struct line *lines;
    size_t count, capacity;
    uint16_t *index; /* by hash, + 1 */
    bool is_cut, more;
    err error;
};

/* ---- what is seen ---- */

static bool sees_customer(void *context, uint32_t number)
{
    const struct calendar *calendar = context;
    return scope_sees_now(calendar->request->scope, calendar->state, number);
}

static bool sees_journey(void *context, str key)
{
    const struct calendar *calendar = context;
    return scope_sees_thing(calendar->request->scope, "journey", key, TEAM_READ);
}

/* Through the lens of who asks: of whom she sees. */
static int64_t count_members(void *context, str segment)
{
    const struct calendar *calendar = context;
    struct audience_set *set = NULL;
    if (audience_set_take(calendar->state->audience, AUDIENCE_SEGMENT, segment, STR_NONE, &set) !=
        ERR_OK)
        return -1;
    int64_t count = (int64_t)audience_set_count(set);
    audience_set_free(&set);
    return count;
}

/* ---- lines ---- */

static uint64_t hash_text(uint64_t hash, str text)
{
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return hash_mix64(hash ^ text.size);
}

static uint64_t hash_line(const struct outing *outing, const char *day)
{
    uint64_t hash = hash_mix64((uint64_t)outing->kind + 1);
    const str texts[] = { str_from_c(day),   outing->journey,           outing->node,
                          outing->campaign,  outing->channel,           outing->account,
                          outing->template_, str_from_c(outing->reason) };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        hash = hash_text(hash, texts[i]);
    return hash;
}

static bool is_wanted(const struct calendar *calendar, const struct outing *outing)
{
    if (calendar->channel.size > 0 && !str_equal(calendar->channel, outing->channel))
        return false;
    if (outing->journey.size > 0 && !sees_journey((void *)(uintptr_t)calendar, outing->journey))
        return false;
    return calendar->team.size == 0 || str_equal(calendar->team, team_of_key(outing->journey));
}

static err keep_texts(struct calendar *calendar, struct outing *outing)
{
    str *const texts[] = { &outing->journey, &outing->node,      &outing->campaign,
                           &outing->channel, &outing->account,   &outing->template_,
                           &outing->name,    &outing->node_name, &outing->state,
                           &outing->trigger, &outing->segment };
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i]->size > 0)
            error = arena_dup(&calendar->texts, *texts[i], texts[i]);
    return error;
}

static void add_to(struct outing *line, const struct outing *outing)
{
    line->count = line->count < 0 || outing->count < 0 ? -1 : line->count + outing->count;
    line->first_ms = outing->first_ms < line->first_ms ? outing->first_ms : line->first_ms;
    line->last_ms = outing->last_ms > line->last_ms ? outing->last_ms : line->last_ms;
}

static err more_room(struct calendar *calendar)
{
    size_t capacity = calendar->capacity == 0 ? 256 : calendar->capacity * 2;
    struct line *lines = memory_resize(calendar->lines, capacity * sizeof *lines);
    if (lines == NULL)
        return ERR_NOMEM;
    calendar->lines = lines;
    calendar->capacity = capacity;
    return ERR_OK;
}

static uint16_t *place_of(const struct calendar *calendar, uint64_t hash)
{
    size_t place = (size_t)hash & (INDEX_SIZE - 1);
    while (calendar->index[place] != 0 && calendar->lines[calendar->index[place] - 1].hash != hash)
        place = (place + 1) & (INDEX_SIZE - 1);
    return &calendar->index[place];
}

static void take_outing(void *context, const struct outing *outing)
{
    struct calendar *calendar = context;
    struct line line = { .outing = *outing };
    if (calendar->error != ERR_OK || !is_wanted(calendar, outing))
        return;
    zone_format_day(calendar->zone, outing->first_ms, line.day);
    line.hash = hash_line(outing, line.day);
    uint16_t *place = place_of(calendar, line.hash);
    if (*place != 0) {
        add_to(&calendar->lines[*place - 1].outing, outing);
        return;
    }
    if (calendar->count == LINES_MAX) {
        calendar->is_cut = true;
        return;
    }
    if (calendar->count == calendar->capacity)
        calendar->error = more_room(calendar);
    /* a touch knows its journey by its key alone */
    if (line.outing.name.size == 0)
        journey_outlook_describe(calendar->state->journeys, &line.outing);
    if (calendar->error == ERR_OK)
        calendar->error = keep_texts(calendar, &line.outing);
    if (calendar->error != ERR_OK)
        return;
    calendar->lines[calendar->count++] = line;
    *place = (uint16_t)calendar->count;
}

/* ---- asked of the engine, a piece at a time ---- */

static void begin_ask(struct calendar *calendar, const struct engine_state *state)
{
    calendar->state = state;
    calendar->now_ms = state->now_ms;
    calendar->more = false;
}

static void add_touches(const struct engine_state *state, struct engine_question *question)
{
    struct calendar *calendar = question->context;
    begin_ask(calendar, state);
    calendar->error = touch_outlook_add(&calendar->touches, state->touches, AT_ONCE, state->now_ms,
                                        &calendar->more);
}

static void add_positions(const struct engine_state *state, struct engine_question *question)
{
    struct calendar *calendar = question->context;
    begin_ask(calendar, state);
    calendar->error =
        journey_outlook_add(&calendar->journeys, state->journeys, AT_ONCE, &calendar->more);
}

static void take_lines(const struct engine_state *state, struct engine_question *question)
{
    struct calendar *calendar = question->context;
    begin_ask(calendar, state);
    touch_outlook_visit(&calendar->touches, state->touches, take_outing, calendar);
    journey_outlook_visit(&calendar->journeys, state->journeys, state->now_ms, take_outing,
                          calendar);
}

static err ask(struct calendar *calendar,
               void (*about)(const struct engine_state *state, struct engine_question *question),
               struct problem *problem)
{
    do {
        err error = view_ask(calendar->request, about, calendar, problem);
        if (error == ERR_OK)
            error = calendar->error;
        if (error != ERR_OK)
            return error;
    } while (calendar->more);
    return ERR_OK;
}

static err gather(struct calendar *calendar, struct problem *problem)
{
    const struct scope *scope = calendar->request->scope;
    calendar->touches = (struct touch_outlook){ .zone = calendar->zone,
                                                .from_ms = calendar->from_ms,
                                                .to_ms = calendar->to_ms,
                                                .sees = scope != NULL ? sees_customer : NULL,
                                                .context = calendar };
    calendar->journeys = (struct journey_outlook){ .from_ms = calendar->from_ms,
                                                   .to_ms = calendar->to_ms,
                                                   .sees = scope != NULL ? sees_customer : NULL,
                                                   .members = count_members,
                                                   .shows = scope != NULL ? sees_journey : NULL,
                                                   .context = calendar };
    touch_outlook_begin(&calendar->touches);
    journey_outlook_begin(&calendar->journeys);
    err error = ask(calendar, add_touches, problem);
    if (error == ERR_OK)
        error = ask(calendar, add_positions, problem);
    if (error == ERR_OK)
        error = ask(calendar, take_lines, problem);
    calendar->is_cut = calendar->is_cut || calendar->touches.is_cut || calendar->journeys.is_cut;
    touch_outlook_end(&calendar->touches);
    journey_outlook_end(&calendar->journeys);
    return error;
}

/* ---- the answer ---- */

/* By day, then time, then as people look for them. */
static int compare_lines(const void *one, const void *other)
{
    const struct line *a = one, *b = other;
    int by_day = strcmp(a->day, b->day);
    if (by_day != 0)
        return by_day;
    if (a->outing.first_ms != b->outing.first_ms)
        return a->outing.first_ms < b->outing.first_ms ? -1 : 1;
    int by_journey = str_compare(a->outing.journey, b->outing.journey);
    if (by_journey != 0)
        return by_journey;
    if (a->outing.kind != b->outing.kind)
        return a->outing.kind < b->outing.kind ? -1 : 1;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static void write_count(struct json_writer *writer, double count)
{
    json_put_key(writer, STR("count"));
    if (count < 0)
        json_put_null(writer);
    else
        json_put_int(writer, (int64_t)(count + 0.5));
}

static void write_place(struct json_writer *writer, const struct outing *outing)
{
    member_text_or_null(writer, STR("journey"), outing->journey);
    member_text_or_null(writer, STR("name"), outing->name);
    member_text_or_null(writer, STR("state"), outing->state);
    member_text_or_null(writer, STR("team"), team_of_key(outing->journey));
    member_text_or_null(writer, STR("campaign"), outing->campaign);
    member_text_or_null(writer, STR("node"), outing->node);
    member_text_or_null(writer, STR("node_name"), outing->node_name);
    member_text_or_null(writer, STR("channel"), outing->channel);
    member_text_or_null(writer, STR("account"), outing->account);
    member_text_or_null(writer, STR("template"), outing->template_);
}

static void write_line(struct json_writer *writer, const struct line *line)
{
    const struct outing *outing = &line->outing;
    json_begin_object(writer);
    json_member_text(writer, STR("kind"), str_from_c(outing_kind_text(outing->kind)));
    json_member_text(writer, STR("day"), str_from_c(line->day));
    json_member_time(writer, STR("first_at"), outing->first_ms);
    json_member_time(writer, STR("last_at"), outing->last_ms);
    write_place(writer, outing);
    member_text_or_null(writer, STR("segment"), outing->segment);
    member_text_or_null(writer, STR("reason"), str_from_c(outing->reason));
    write_count(writer, outing->count);
    json_member_bool(writer, STR("at_most"), outing->is_at_most);
    json_end_object(writer);
}

static void write_triggered(struct json_writer *writer, const struct outing *outing)
{
    json_begin_object(writer);
    write_place(writer, outing);
    member_text_or_null(writer, STR("trigger"), outing->trigger);
    json_end_object(writer);
}

static void write_calendar(struct calendar *calendar, struct json_writer *writer)
{
    if (calendar->count > 0)
        qsort(calendar->lines, calendar->count, sizeof *calendar->lines, compare_lines);
    json_begin_object(writer);
    json_member_time(writer, STR("from"), calendar->from_ms);
    json_member_time(writer, STR("to"), calendar->to_ms);
    json_member_time(writer, STR("as_of"), calendar->now_ms);
    json_member_text(writer, STR("zone"), str_from_c(calendar->zone->name));
    json_put_key(writer, STR("items"));
    json_begin_array(writer);
    for (size_t i = 0; i < calendar->count; i++)
        if (calendar->lines[i].outing.kind != OUTING_TRIGGERED)
            write_line(writer, &calendar->lines[i]);
    json_end_array(writer);
    json_put_key(writer, STR("triggered"));
    json_begin_array(writer);
    for (size_t i = 0; i < calendar->count; i++)
        if (calendar->lines[i].outing.kind == OUTING_TRIGGERED)
            write_triggered(writer, &calendar->lines[i].outing);
    json_end_array(writer);
    json_member_bool(writer, STR("partial"), calendar->is_cut);
    json_end_object(writer);
}

/* ---- what is asked ---- */

static err read_moment(struct request *request, const char *name, int64_t otherwise, int64_t *at_ms,
                       struct problem *problem)
{
    str text = request_query(request, str_from_c(name));
    *at_ms = otherwise;
    if (text.size == 0 || time_parse(text, 8 * 60, at_ms))
        return ERR_OK;
    return problem_set(problem, ERR_INVALID, "%s is a time (RFC 3339)", name);
}

static err read_range(struct calendar *calendar, struct problem *problem)
{
    struct request *request = calendar->request;
    int64_t today_ms = zone_day_start_ms(calendar->zone, server_now_ms(request->server));
    err error = read_moment(request, "from", today_ms, &calendar->from_ms, problem);
    if (error == ERR_OK)
        error = read_moment(request, "to", calendar->from_ms + DAYS_DEFAULT * DAY_MS,
                            &calendar->to_ms, problem);
    if (error == ERR_OK && (calendar->to_ms <= calendar->from_ms ||
                            calendar->to_ms - calendar->from_ms > DAYS_MAX * DAY_MS))
        return problem_set(problem, ERR_INVALID, "to is after from, by at most %d days", DAYS_MAX);
    return error;
}

err route_calendar_get(struct request *request, struct problem *problem)
{
    struct calendar calendar = { .request = request,
                                 .zone = server_zone(request->server),
                                 .channel = request_query(request, STR("channel")),
                                 .team = request_query(request, STR("team")) };
    struct json_writer writer;
    err error = read_range(&calendar, problem);
    if (error != ERR_OK)
        return error;
    arena_init(&calendar.texts, "calendar", TEXTS_BYTES_MAX);
    json_writer_init(&writer, &request->out);
    calendar.index = memory_alloc(INDEX_SIZE * sizeof *calendar.index);
    error = calendar.index != NULL ? gather(&calendar, problem) : ERR_NOMEM;
    if (error == ERR_OK)
        write_calendar(&calendar, &writer);
    arena_deinit(&calendar.texts);
    memory_free(calendar.lines);
    memory_free(calendar.index);
    return error;
}
