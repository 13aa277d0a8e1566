/* SPDX-License-Identifier: Apache-2.0 */
/* A team's journeys: what is saved stands on the team's customers and events, whoever saves it.
 *
 *     entry      {"all":[{"segment": view}, …]}: who is not hers does not enter
 *     exits      {"not": {"segment": view}}: who is hers no more leaves, and what waits to be sent is withdrawn
 *     events     each match gets the conditions of the team's events, each rule is narrowed (scope_narrow.c)
 *     names      segments, tags, templates, accounts, pools, journeys that she does not see are not there
 *
 * The view is a segment that moves with the team's rule, so a journey follows it. A report counts whom the journey took
 * in: it is told to who sees the view on which all of its versions stand. */
#include <stdio.h>
#include <string.h>

#include "server/answer.h"
#include "server/scope/scope_inside.h"
#include "server/view.h"

#define DEPTH_MAX 64
#define TEXT_BYTES_MAX ((size_t)8 << 20)

struct cutting {
    struct request *request; /* its scope is the journey's team's */
    bool checks_names;       /* who saves it sees a part */
    struct buffer *out;
    struct problem *problem;
    err error;
};

/* ---- names ---- */

static void refuse(struct cutting *cutting, const char *what, str name)
{
    if (cutting->error != ERR_OK)
        return;
    cutting->error =
        problem_set(cutting->problem, ERR_UNPROCESSABLE, "there is no %s '%.*s'", what,
                    (int)str_utf8_prefix_bytes(name, 80), name.data != NULL ? name.data : "");
}

static void check_thing(struct cutting *cutting, const char *kind, const char *what, str key,
                        enum team_level level)
{
    if (key.size > 0 && !scope_sees_thing(cutting->request->scope, kind, key, level))
        refuse(cutting, what, key);
}

/* What a branch or a wait reads of her. What all sources told together is not a part's to ask. */
static void check_path(struct cutting *cutting, str path)
{
    if (str_starts_with(path, STR("tag.")))
        check_thing(cutting, "tag", "tag", str_slice(path, 4, path.size), TEAM_READ);
    if (scope_sees_all_events(cutting->request->scope) || cutting->error != ERR_OK)
        return;
    if (!str_starts_with(path, STR("customer.")) && !str_starts_with(path, STR("summary.")))
        return;
    cutting->error =
        problem_set(cutting->problem, ERR_UNPROCESSABLE,
                    "'%.*s' is known from all teams' sources together: your team sees a part",
                    (int)str_utf8_prefix_bytes(path, 80), path.data);
    problem_hint(cutting->problem, ERR_UNPROCESSABLE,
                 "ask by a rule: {\"trait\": …}, {\"event\": …}; it is cut to what your team sees");
}

/* Text members by name; of an effect (a node that sets a tag or a segment) the thing is changed. */
static void check_text(struct cutting *cutting, str name, str text, bool is_effect)
{
    static const struct {
        const char *name, *kind, *what;
        enum team_level level;
    } things[] = {
        { "segment", "segment", "segment", TEAM_READ },
        { "test_segment", "segment", "segment", TEAM_READ },
        { "tag", "tag", "tag", TEAM_READ },
        { "template", "template", "template", TEAM_USE },
        { "account", "account", "account", TEAM_READ },
        { "coupon", "pool", "pool of coupons", TEAM_USE },
        { "journey", "journey", "journey", TEAM_USE },
    };
    if (!cutting->checks_names)
        return;
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++)
        if (str_equal(name, str_from_c(things[i].name)))
            check_thing(cutting, things[i].kind, things[i].what, text,
                        is_effect && things[i].level == TEAM_READ ? TEAM_CHANGE : things[i].level);
    if (str_equal(name, STR("value")) || str_equal(name, STR("date")))
        check_path(cutting, text);
}

/* ---- rules ---- */

struct ask_rule {
    json_value body;
    struct problem *problem;
    err error;
};

static void check_rule(const struct engine_state *state, struct engine_question *question)
{
    struct ask_rule *ask = question->context;
    ask->error = audience_check(state->audience, AUDIENCE_SEGMENT, ask->body, ask->problem);
}

/* Through the lens: a definition that she does not see cannot be named. */
static void check_names_of_rule(struct cutting *cutting, str rule)
{
    struct json_parser *parser = NULL;
    struct ask_rule ask = { .problem = cutting->problem };
    struct buffer body;
    if (!cutting->checks_names || cutting->error != ERR_OK)
        return;
    buffer_init(&body, TEXT_BYTES_MAX);
    buffer_append_str(&body, STR("{\"rule\":"));
    buffer_append_str(&body, rule);
    buffer_append_byte(&body, '}');
    err error = buffer_status(&body);
    if (error == ERR_OK)
        error = json_parser_new(&parser, TEXT_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&body), &ask.body, cutting->problem);
    if (error == ERR_OK)
        error = view_ask(cutting->request, check_rule, &ask, cutting->problem);
    cutting->error = error == ERR_OK ? ask.error : error;
    json_parser_free(&parser);
    buffer_deinit(&body);
}

static void write_rule(struct cutting *cutting, json_value rule)
{
    struct buffer narrowed;
    buffer_init(&narrowed, TEXT_BYTES_MAX);
    err error = scope_narrow(cutting->request, rule, &narrowed, cutting->problem);
    if (cutting->error == ERR_OK)
        cutting->error = error;
    check_names_of_rule(cutting, buffer_str(&narrowed));
    buffer_append_str(cutting->out, buffer_str(&narrowed));
    buffer_deinit(&narrowed);
}

/* ---- events ---- */

/* Of one team: each of its conditions. Of several: one of them lets it through. Of none: nothing does. */
static void write_seen(const struct scope *scope, json_value where, bool first, struct buffer *out)
{
    struct buffer one;
    struct json_writer writer;
    buffer_init(&one, TEXT_BYTES_MAX);
    if (scope->filter_count != 1) {
        scope_write_seen(scope, &one);
        if (!scope_has_text(where, buffer_str(&one))) {
            buffer_append_str(out, first ? STR("") : STR(","));
            buffer_append_str(out, buffer_str(&one));
        }
    }
    for (size_t i = 0; scope->filter_count == 1 && i < scope->filters[0]->condition_count; i++) {
        buffer_clear(&one);
        json_writer_init(&writer, &one);
        scope_write_condition(scope, &scope->filters[0]->conditions[i], &writer);
        if (scope_has_text(where, buffer_str(&one)))
            continue;
        buffer_append_str(out, first ? STR("") : STR(","));
        buffer_append_str(out, buffer_str(&one));
        first = false;
    }
    buffer_deinit(&one);
}

static void write_where(struct cutting *cutting, json_value where)
{
    struct json_iterator iterator = json_iterate(where);
    json_value item;
    bool first = true;
    buffer_append_byte(cutting->out, '[');
    while (json_kind(where) == JSON_ARRAY && json_next(&iterator, NULL, &item)) {
        buffer_append_str(cutting->out, first ? STR("") : STR(","));
        json_write_value(cutting->out, item);
        first = false;
    }
    write_seen(cutting->request->scope, where, first, cutting->out);
    buffer_append_byte(cutting->out, ']');
}

/* ---- the definition ---- */

static void cut(struct cutting *cutting, str name, json_value value, bool is_effect, int depth);

static void write_key(struct cutting *cutting, str key, bool *first)
{
    buffer_append_str(cutting->out, *first ? STR("") : STR(","));
    *first = false;
    json_write_text(cutting->out, key);
    buffer_append_byte(cutting->out, ':');
}

static void cut_object(struct cutting *cutting, str name, json_value object, int depth)
{
    struct json_iterator iterator = json_iterate(object);
    json_value item, where = json_get(object, STR("where"));
    str key, type = json_text(json_get(object, STR("type")));
    bool first = true, is_effect = !str_equal(name, STR("trigger")) &&
                                   (str_equal(type, STR("tag")) || str_equal(type, STR("segment")));
    bool sets = is_effect || str_equal(type, STR("trait"));
    bool of_event = json_text(json_get(object, STR("event"))).size > 0 &&
                    !scope_sees_all_events(cutting->request->scope);
    buffer_append_byte(cutting->out, '{');
    while (json_next(&iterator, &key, &item)) {
        write_key(cutting, key, &first);
        if (of_event && str_equal(key, STR("where")))
            write_where(cutting, item);
        else if ((sets && str_equal(key, STR("value"))) || str_equal(key, STR("vars")) ||
                 str_equal(key, STR("layout")))
            json_write_value(cutting->out, item);
        else
            cut(cutting, key, item, is_effect, depth + 1);
    }
    if (of_event && json_kind(where) == JSON_MISSING) {
        write_key(cutting, STR("where"), &first);
        write_where(cutting, where);
    }
    buffer_append_byte(cutting->out, '}');
}

static void cut(struct cutting *cutting, str name, json_value value, bool is_effect, int depth)
{
    struct json_iterator iterator = json_iterate(value);
    json_value item;
    bool first = true;
    if (depth > DEPTH_MAX && cutting->error == ERR_OK)
        cutting->error = problem_set(cutting->problem, ERR_UNPROCESSABLE, "it nests too deeply");
    if (cutting->error != ERR_OK)
        return;
    if (json_is_object(value) && str_equal(name, STR("rule"))) {
        write_rule(cutting, value);
    } else if (json_is_object(value)) {
        cut_object(cutting, name, value, depth);
    } else if (json_kind(value) == JSON_ARRAY) {
        buffer_append_byte(cutting->out, '[');
        while (json_next(&iterator, NULL, &item)) {
            buffer_append_str(cutting->out, first ? STR("") : STR(","));
            first = false;
            cut(cutting, name, item, is_effect, depth + 1);
        }
        buffer_append_byte(cutting->out, ']');
    } else {
        check_text(cutting, name, json_text(value), is_effect);
        json_write_value(cutting->out, value);
    }
}

/* ---- who enters, who leaves ---- */

static bool stands_on(json_value journey, str view)
{
    json_value rule = json_get(json_get(journey, STR("entry")), STR("rule"));
    json_value all = json_get(rule, STR("all"));
    return json_kind(all) == JSON_ARRAY &&
           str_equal(json_text(json_get(json_at(all, 0), STR("segment"))), view);
}

/* A trigger by a date reads a trait: it is known to her, too. */
static void write_date_rule(struct cutting *cutting, json_value journey)
{
    json_value trigger = json_get(journey, STR("trigger"));
    struct json_parser *parser = NULL;
    struct buffer text;
    json_value rule;
    if (!str_equal(json_text(json_get(trigger, STR("type"))), STR("date")))
        return;
    buffer_init(&text, 65536);
    buffer_append_str(&text, STR("{\"trait\":"));
    json_write_text(&text, json_text(json_get(trigger, STR("trait"))));
    buffer_append_str(&text, STR(",\"is_set\":true}"));
    err error = json_parser_new(&parser, 65536);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&text), &rule, cutting->problem);
    if (error == ERR_OK) {
        buffer_append_byte(cutting->out, ',');
        write_rule(cutting, rule);
    } else if (cutting->error == ERR_OK) {
        cutting->error = error;
    }
    json_parser_free(&parser);
    buffer_deinit(&text);
}

static void write_entry_rule(struct cutting *cutting, json_value journey)
{
    str view = scope_view_key(cutting->request->scope);
    json_value rule = json_get(json_get(journey, STR("entry")), STR("rule"));
    if (stands_on(journey, view)) {
        write_rule(cutting, rule);
        return;
    }
    buffer_append_str(cutting->out, STR("{\"all\":[{\"segment\":"));
    json_write_text(cutting->out, view);
    buffer_append_byte(cutting->out, '}');
    write_date_rule(cutting, journey);
    if (json_is_object(rule)) {
        buffer_append_byte(cutting->out, ',');
        write_rule(cutting, rule);
    }
    buffer_append_str(cutting->out, STR("]}"));
}

static void write_entry(struct cutting *cutting, json_value journey)
{
    json_value entry = json_get(journey, STR("entry")), item;
    struct json_iterator iterator = json_iterate(entry);
    str key;
    bool first = true;
    buffer_append_byte(cutting->out, '{');
    while (json_is_object(entry) && json_next(&iterator, &key, &item)) {
        if (str_equal(key, STR("rule")))
            continue;
        write_key(cutting, key, &first);
        cut(cutting, key, item, false, 2);
    }
    write_key(cutting, STR("rule"), &first);
    write_entry_rule(cutting, journey);
    buffer_append_byte(cutting->out, '}');
}

static void write_exits(struct cutting *cutting, json_value exits)
{
    struct json_iterator iterator = json_iterate(exits);
    struct buffer leaving;
    json_value item;
    bool first = true;
    buffer_init(&leaving, 4096);
    buffer_append_str(&leaving,
                      STR("{\"name\":\"not the team's\",\"rule\":{\"not\":{\"segment\":"));
    json_write_text(&leaving, scope_view_key(cutting->request->scope));
    buffer_append_str(&leaving, STR("}}}"));
    buffer_append_byte(cutting->out, '[');
    while (json_kind(exits) == JSON_ARRAY && json_next(&iterator, NULL, &item)) {
        if (scope_is_text(item, buffer_str(&leaving)))
            continue;
        buffer_append_str(cutting->out, first ? STR("") : STR(","));
        first = false;
        cut(cutting, STR("exits"), item, false, 2);
    }
    buffer_append_str(cutting->out, first ? STR("") : STR(","));
    buffer_append_str(cutting->out, buffer_str(&leaving));
    buffer_append_byte(cutting->out, ']');
    buffer_deinit(&leaving);
}

static void write_journey(struct cutting *cutting, json_value journey)
{
    struct json_iterator iterator = json_iterate(journey);
    json_value item;
    str key;
    bool first = true;
    buffer_append_byte(cutting->out, '{');
    while (json_next(&iterator, &key, &item)) {
        if (str_equal(key, STR("entry")) || str_equal(key, STR("exits")))
            continue;
        write_key(cutting, key, &first);
        cut(cutting, key, item, false, 1);
    }
    write_key(cutting, STR("entry"), &first);
    write_entry(cutting, journey);
    write_key(cutting, STR("exits"), &first);
    write_exits(cutting, json_get(journey, STR("exits")));
    buffer_append_byte(cutting->out, '}');
}

/* ---- for routes ---- */

/* Cut request->json, or its member `journey`, by the scope that the request has now. */
static err cut_body(struct request *request, bool is_member, bool checks_names,
                    struct problem *problem)
{
    struct buffer text;
    struct cutting cutting = {
        .request = request, .checks_names = checks_names, .out = &text, .problem = problem
    };
    struct json_iterator iterator = json_iterate(request->json);
    json_value item;
    str key;
    bool first = true;
    buffer_init(&text, TEXT_BYTES_MAX);
    if (is_member) {
        buffer_append_byte(&text, '{');
        while (json_next(&iterator, &key, &item)) {
            write_key(&cutting, key, &first);
            if (str_equal(key, STR("journey")))
                write_journey(&cutting, item);
            else
                json_write_value(&text, item);
        }
        buffer_append_byte(&text, '}');
    } else {
        write_journey(&cutting, request->json);
    }
    err error = cutting.error == ERR_OK ? buffer_status(&text) : cutting.error;
    if (error == ERR_OK)
        error = json_parse(request->parser, buffer_str(&text), &request->json, problem);
    buffer_deinit(&text);
    return error;
}

err scope_cut_journey(struct request *request, bool is_member, struct problem *problem)
{
    struct scope *own = request->scope;
    str key = request->parameters[0];
    json_value journey = is_member ? json_get(request->json, STR("journey")) : request->json;
    if (!json_is_object(journey))
        return ERR_OK; /* refused, or not there, further on */
    err error = scope_of_key(request, key, problem);
    if (error == ERR_OK && request->scope != NULL)
        error = cut_body(request, is_member, own != NULL, problem);
    scope_back_to(request, own);
    return error;
}

/* ---- whom a journey takes in ---- */

struct ask_bodies {
    str key;
    uint32_t version;
    struct buffer text;
    err error;
};

static void write_body(const struct engine_state *state, struct engine_question *question)
{
    struct ask_bodies *ask = question->context;
    ask->error = journey_write_one(state->journeys, ask->key, ask->version, &ask->text);
}

/* Is this the view of the scope, or of a team below? */
static bool is_view_seen(const struct scope *scope, str view)
{
    str prefix = STR(SCOPE_VIEW_PREFIX);
    if (str_equal(view, scope_view_key(scope)))
        return true;
    if (!str_starts_with(view, prefix))
        return false;
    str team = str_slice(view, prefix.size, view.size);
    team = str_slice(team, 0, str_find_byte(team, '-'));
    return !str_equal(team, scope->team->key) &&
           team_is_within(scope->teams, team, scope->team->key);
}

static bool body_stands(const struct scope *scope, json_value body)
{
    json_value rule = json_get(json_get(body, STR("entry")), STR("rule"));
    json_value first = json_at(json_get(rule, STR("all")), 0);
    str view = json_text(json_get(first, STR("segment")));
    return view.size > 0 && is_view_seen(scope, view);
}

/* Does this version (0: the draft, and *last is the newest) stand on what the scope sees? */
static err version_stands(struct request *request, str key, uint32_t version, bool *stands,
                          uint32_t *last, struct problem *problem)
{
    struct ask_bodies ask = { .key = key, .version = version };
    struct json_parser *parser = NULL;
    json_value root;
    buffer_init(&ask.text, TEXT_BYTES_MAX);
    err error = view_ask(request, write_body, &ask, problem);
    if (error == ERR_OK)
        error = ask.error;
    if (error == ERR_OK)
        error = json_parser_new(&parser, TEXT_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&ask.text), &root, problem);
    if (error == ERR_OK) {
        json_value versions = json_get(root, STR("versions"));
        json_value newest =
            json_at(versions, json_count(versions) > 0 ? json_count(versions) - 1 : 0);
        *stands = body_stands(request->scope, json_get(root, STR("journey")));
        *last = (uint32_t)json_int(json_get(newest, STR("version")), 0);
    }
    json_parser_free(&parser);
    buffer_deinit(&ask.text);
    return error;
}

err scope_journey_stands(struct request *request, str key, bool *stands, struct problem *problem)
{
    uint32_t last = 0, unused;
    *stands = true;
    if (request->scope == NULL)
        return ERR_OK;
    if (!scope_sees_thing(request->scope, "journey", key, TEAM_OWN)) {
        *stands = false;
        return ERR_OK;
    }
    err error = version_stands(request, key, 0, stands, &last, problem);
    for (uint32_t version = 1; error == ERR_OK && *stands && version <= last; version++) {
        error = version_stands(request, key, version, stands, &unused, problem);
        if (error == ERR_NOT_FOUND) /* gone since */
            error = ERR_OK;
    }
    return error == ERR_NOT_FOUND ? ERR_OK : error;
}

err scope_check_journey(struct request *request, struct problem *problem)
{
    bool stands;
    err error = scope_journey_stands(request, request->parameters[0], &stands, problem);
    if (error != ERR_OK || stands)
        return error;
    problem_set(problem, ERR_FORBIDDEN,
                "this journey takes in customers whom you do not see: it is not told of it");
    return problem_hint(problem, ERR_FORBIDDEN,
                        "save and publish it again: then it takes in your team's customers alone");
}

err scope_check_draft(struct request *request, struct problem *problem)
{
    struct scope *own = request->scope;
    bool stands = true;
    uint32_t last;
    err error = scope_of_key(request, request->parameters[0], problem);
    if (error == ERR_OK && request->scope != NULL)
        error = version_stands(request, request->parameters[0], 0, &stands, &last, problem);
    scope_back_to(request, own);
    if (error == ERR_NOT_FOUND) /* in the words of the command */
        return ERR_OK;
    if (error != ERR_OK || stands)
        return error;
    problem_set(problem, ERR_CONFLICT,
                "the draft is older than its team: it is not cut to the team's customers");
    return problem_hint(problem, ERR_CONFLICT, "save it again, then publish it");
}
