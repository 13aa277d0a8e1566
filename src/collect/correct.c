/* SPDX-License-Identifier: Apache-2.0 */
/* correct: an event in quarantine, changed by an operator before it is replayed.
 *
 * The event is drafted again from its own record, so that shape, promoted columns and sealed values are those of
 * the corrected properties; who it is about, where it came from and its message key stay as they were.
 */
#include <string.h>

#include "collect/inside.h"

static bool names_member(json_value list, str name)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item)) {
        if (str_equal(json_text(item), name))
            return true;
    }
    return false;
}

static bool is_missing(json_value value)
{
    return json_kind(value) == JSON_MISSING;
}

static void put_member(struct buffer *out, str name, json_value value)
{
    if (out->size > 1)
        buffer_append_byte(out, ',');
    json_write_text(out, name);
    buffer_append_byte(out, ':');
    json_write_value(out, value);
}

/* `props` without what is removed, under their new names, then what is set. */
static void write_corrected(struct buffer *out, json_value props, json_value correction)
{
    json_value rename = json_get(correction, STR("rename"));
    json_value set = json_get(correction, STR("set"));
    json_value remove = json_get(correction, STR("remove"));
    struct json_iterator members = json_iterate(props);
    str name;
    json_value value;
    buffer_append_byte(out, '{');
    while (json_next(&members, &name, &value)) {
        json_value other = json_get(rename, name);
        str now = json_kind(other) == JSON_TEXT ? json_text(other) : name;
        if (!names_member(remove, name) && is_missing(json_get(set, now)))
            put_member(out, now, value);
    }
    members = json_iterate(set);
    while (json_next(&members, &name, &value))
        put_member(out, name, value);
    buffer_append_byte(out, '}');
}

static err check_form(json_value correction, struct problem *problem)
{
    static const struct {
        const char *member;
        enum json_kind kind;
        const char *what;
    } MEMBERS[] = { { "event", JSON_TEXT, "text" },
                    { "time", JSON_TEXT, "a time as text" },
                    { "rename", JSON_OBJECT, "an object of old and new names" },
                    { "set", JSON_OBJECT, "an object of names and values" },
                    { "remove", JSON_ARRAY, "a list of names" } };
    for (size_t index = 0; index < sizeof MEMBERS / sizeof MEMBERS[0]; index++) {
        json_value value = json_get(correction, str_from_c(MEMBERS[index].member));
        if (is_missing(value) || json_kind(value) == MEMBERS[index].kind)
            continue;
        problem_set(problem, ERR_UNPROCESSABLE, "'%s' of a correction is %s", MEMBERS[index].member,
                    MEMBERS[index].what);
        return problem_at(problem, ERR_UNPROCESSABLE, "/correction/%s", MEMBERS[index].member);
    }
    return ERR_OK;
}

static err correct_head(struct event *event, json_value correction, struct problem *problem)
{
    str type = json_text(json_get(correction, STR("event")));
    str time = json_text(json_get(correction, STR("time")));
    if (type.size > EVENT_NAME_BYTES_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "an event's name has at most %d bytes",
                    EVENT_NAME_BYTES_MAX);
        return problem_at(problem, ERR_UNPROCESSABLE, "/correction/event");
    }
    if (type.size > 0)
        event->type = type;
    if (time.size > 0 && !time_parse(time, 480, &event->time_ms)) {
        problem_set(problem, ERR_UNPROCESSABLE, "'" STR_FMT "' is no time", STR_ARG(time));
        problem_hint(problem, ERR_UNPROCESSABLE, "write it as 2026-06-18T20:00:00+08:00");
        return problem_at(problem, ERR_UNPROCESSABLE, "/correction/time");
    }
    return ERR_OK;
}

/* Properties are parsed from the record, changed as JSON, and drafted like those of a new event. */
static err correct_props(struct collect_worker *worker, json_value correction,
                         struct problem *problem)
{
    struct event *event = &worker->event;
    struct door door = { .worker = worker, .name = "quarantine" };
    struct draft_rules rules = { .lines_make_revenue = true };
    json_value props;
    err error = json_parse(worker->parser, event->props, &props, problem);
    if (error != ERR_OK)
        return error;
    buffer_clear(&worker->unpacked);
    write_corrected(&worker->unpacked, props, correction);
    error = buffer_status(&worker->unpacked);
    if (error == ERR_OK)
        error = json_parse(worker->parser, buffer_str(&worker->unpacked), &props, problem);
    if (error != ERR_OK)
        return error;
    buffer_clear(&worker->text);
    event->promoted_set = 0;
    error = draft_props(&door, props, &rules, NULL, 0, problem);
    return error == ERR_OK ? buffer_status(&worker->text) : error;
}

err collect_correct(struct collect_worker *worker, str record, json_value correction,
                    struct buffer *corrected, struct problem *problem)
{
    struct event *event = &worker->event;
    err error = check_form(correction, problem);
    if (error != ERR_OK)
        return error;
    arena_reset(&worker->arena);
    error = event_decode(record, &worker->arena, event, problem);
    if (error == ERR_OK)
        error = correct_head(event, correction, problem);
    if (error == ERR_OK)
        error = correct_props(worker, correction, problem);
    return error == ERR_OK ? event_encode(corrected, event, problem) : error;
}
