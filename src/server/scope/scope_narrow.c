/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of who sees a part: each condition on events holds of events that she sees. Definitions that she does not see
 * are not there for her: the lens refuses them by itself, when the rule is made. */
#include <stdio.h>
#include <string.h>

#include "server/scope/scope_inside.h"

#define DEPTH_MAX 64

struct narrowing {
    const struct scope *scope;
    struct buffer *out;
    struct problem *problem;
    err error;
};

/* Of one team: its conditions. Of several: one of them lets it through. Of none: nothing does. */
void scope_write_seen(const struct scope *scope, struct buffer *out)
{
    struct json_writer writer;
    buffer_append_str(out, STR("{\"any\":["));
    for (size_t i = 0; i < scope->filter_count; i++) {
        buffer_append_str(out, i > 0 ? STR(",{\"all\":") : STR("{\"all\":"));
        json_writer_init(&writer, out);
        json_begin_array(&writer);
        scope_write_where(scope, scope->filters[i], &writer);
        json_end_array(&writer);
        buffer_append_byte(out, '}');
    }
    buffer_append_str(out, STR("]}"));
}

bool scope_is_text(json_value value, str text)
{
    struct buffer written;
    buffer_init(&written, (size_t)1 << 20);
    json_write_value(&written, value);
    bool same = str_equal(buffer_str(&written), text);
    buffer_deinit(&written);
    return same;
}

/* Already narrowed: what was saved comes back and is saved again. */
bool scope_has_text(json_value where, str seen)
{
    struct json_iterator iterator = json_iterate(where);
    json_value item;
    if (json_kind(where) != JSON_ARRAY)
        return false;
    while (json_next(&iterator, NULL, &item))
        if (scope_is_text(item, seen))
            return true;
    return false;
}

static void narrow(struct narrowing *narrowing, json_value value, int depth);

static void write_where(struct narrowing *narrowing, json_value where, int depth)
{
    struct buffer *out = narrowing->out, seen;
    struct json_iterator iterator = json_iterate(where);
    json_value item;
    bool first = true;
    buffer_init(&seen, (size_t)1 << 20);
    scope_write_seen(narrowing->scope, &seen);
    buffer_append_byte(out, '[');
    if (json_is_object(where)) {
        narrow(narrowing, where, depth + 1);
        first = false;
    }
    while (json_kind(where) == JSON_ARRAY && json_next(&iterator, NULL, &item)) {
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        narrow(narrowing, item, depth + 1);
    }
    if (!scope_has_text(where, buffer_str(&seen))) {
        if (!first)
            buffer_append_byte(out, ',');
        buffer_append_str(out, buffer_str(&seen));
    }
    buffer_append_byte(out, ']');
    buffer_deinit(&seen);
}

static void check_touch(struct narrowing *narrowing, json_value touch)
{
    str journey = json_text(json_get(touch, STR("journey")));
    if (scope_sees_thing(narrowing->scope, "journey", journey, TEAM_READ))
        return;
    narrowing->error = problem_set(
        narrowing->problem, ERR_UNPROCESSABLE,
        journey.size > 0 ? "there is no journey '" STR_FMT "'"
                         : "a condition on touches names a journey of your team" STR_FMT,
        STR_ARG(journey));
}

/* A trait in a rule is the merged one; a relation is the trait that has the other's id. */
static void check_trait(struct narrowing *narrowing, json_value object)
{
    str trait = json_text(json_get(object, STR("trait")));
    str relation = json_text(json_get(object, STR("relation")));
    char with_id[220];
    if (narrowing->error != ERR_OK)
        return;
    if (trait.size > 0 && !scope_sees_trait(narrowing->scope, trait))
        narrowing->error = scope_refuse_trait(trait, narrowing->problem);
    int size = snprintf(with_id, sizeof with_id, "%.*s_id",
                        (int)(relation.size < 200 ? relation.size : 200),
                        relation.data != NULL ? relation.data : "");
    if (relation.size > 0 && !scope_sees_trait(narrowing->scope, relation) &&
        !scope_sees_trait(narrowing->scope, str_from_bytes(with_id, (size_t)size)))
        narrowing->error = scope_refuse_trait(relation, narrowing->problem);
}

static bool is_of_events(json_value object)
{
    enum json_kind kind = json_kind(json_get(object, STR("event")));
    return kind == JSON_TEXT || kind == JSON_ARRAY;
}

static void narrow_object(struct narrowing *narrowing, json_value object, int depth)
{
    struct buffer *out = narrowing->out;
    struct json_iterator iterator = json_iterate(object);
    json_value item;
    str key;
    bool first = true, of_events = is_of_events(object) && !narrowing->scope->sees_all_events;
    if (json_is_object(json_get(object, STR("touch"))) && !narrowing->scope->sees_all_events)
        check_touch(narrowing, json_get(object, STR("touch")));
    check_trait(narrowing, object);
    buffer_append_byte(out, '{');
    while (json_next(&iterator, &key, &item)) {
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        json_write_text(out, key);
        buffer_append_byte(out, ':');
        if (of_events && str_equal(key, STR("where")))
            write_where(narrowing, item, depth);
        else
            narrow(narrowing, item, depth + 1);
    }
    if (of_events && json_kind(json_get(object, STR("where"))) == JSON_MISSING) {
        buffer_append_str(out, STR(",\"where\":"));
        write_where(narrowing, json_get(object, STR("where")), depth);
    }
    buffer_append_byte(out, '}');
}

static void narrow(struct narrowing *narrowing, json_value value, int depth)
{
    struct json_iterator iterator = json_iterate(value);
    json_value item;
    bool first = true;
    if (depth > DEPTH_MAX)
        narrowing->error =
            problem_set(narrowing->problem, ERR_UNPROCESSABLE, "it nests too deeply");
    if (narrowing->error != ERR_OK)
        return;
    if (json_is_object(value)) {
        narrow_object(narrowing, value, depth);
        return;
    }
    if (json_kind(value) != JSON_ARRAY) {
        json_write_value(narrowing->out, value);
        return;
    }
    buffer_append_byte(narrowing->out, '[');
    while (json_next(&iterator, NULL, &item)) {
        if (!first)
            buffer_append_byte(narrowing->out, ',');
        first = false;
        narrow(narrowing, item, depth + 1);
    }
    buffer_append_byte(narrowing->out, ']');
}

/* {"all":[{"segment": view}, rule]}, unless it is that already. */
static void write_on_view(struct request *request, json_value rule, struct buffer *out,
                          struct narrowing *narrowing)
{
    json_value all = json_get(rule, STR("all"));
    str first = json_text(json_get(json_at(all, 0), STR("segment")));
    if (json_kind(all) == JSON_ARRAY && str_equal(first, scope_view_key(request->scope))) {
        narrow(narrowing, rule, 0);
        return;
    }
    buffer_append_str(out, STR("{\"all\":[{\"segment\":"));
    json_write_text(out, scope_view_key(request->scope));
    buffer_append_str(out, STR("},"));
    narrow(narrowing, rule, 0);
    buffer_append_str(out, STR("]}"));
}

err scope_narrow_definition(struct request *request, struct problem *problem)
{
    struct buffer text;
    struct narrowing narrowing = { .scope = request->scope, .out = &text, .problem = problem };
    struct json_iterator iterator = json_iterate(request->json);
    json_value value;
    bool first = true;
    str key;
    buffer_init(&text, (size_t)4 << 20);
    buffer_append_byte(&text, '{');
    while (json_next(&iterator, &key, &value)) {
        if (!first)
            buffer_append_byte(&text, ',');
        first = false;
        json_write_text(&text, key);
        buffer_append_byte(&text, ':');
        if (str_equal(key, STR("rule")) && json_is_object(value))
            write_on_view(request, value, &text, &narrowing);
        else
            narrow(&narrowing, value, 0);
    }
    buffer_append_byte(&text, '}');
    err error = narrowing.error == ERR_OK ? buffer_status(&text) : narrowing.error;
    if (error == ERR_OK)
        error = json_parse(request->parser, buffer_str(&text), &request->json, problem);
    buffer_deinit(&text);
    return error;
}

err scope_narrow(struct request *request, json_value value, struct buffer *out,
                 struct problem *problem)
{
    struct narrowing narrowing = { .scope = request->scope, .out = out, .problem = problem };
    if (request->scope == NULL)
        json_write_value(out, value);
    else
        narrow(&narrowing, value, 0);
    return narrowing.error == ERR_OK ? buffer_status(out) : narrowing.error;
}
