/* SPDX-License-Identifier: Apache-2.0 */
/* parse: a definition as a whole: trigger, entry, exits, goals, and that its graph can be walked. */
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

/* ---- exits and goals ---- */

static err read_exit(struct parsing *parsing, json_value json, const char *pointer,
                     struct exit_rule *exit)
{
    exit->rule = NONE;
    err error = journey_parse_members(parsing, "match", STR_NONE, json, pointer);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, json, "name", pointer, false, &exit->name);
    if (error == ERR_OK)
        error = journey_parse_match(parsing, json, pointer, &exit->match);
    if (error == ERR_OK)
        error = journey_parse_rule(parsing, json, pointer, &exit->rule);
    if (error == ERR_OK)
        error = journey_parse_segment(parsing, json, "segment", pointer, &exit->segment);
    if (error == ERR_OK &&
        (exit->match.event.size > 0) + (exit->rule != NONE) + (exit->segment.size > 0) != 1)
        return journey_parse_fail(parsing, pointer, "it says one of: event, rule, segment");
    if (error == ERR_OK && exit->name.size == 0)
        exit->name = exit->match.event.size > 0 ? exit->match.event
                     : exit->segment.size > 0   ? exit->segment
                                                : STR("rule");
    return error;
}

static err read_exits(struct parsing *parsing, json_value list)
{
    struct version *version = parsing->version;
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    char at[60];
    err error = ERR_OK;
    if (json_kind(list) == JSON_MISSING)
        return ERR_OK;
    if (json_kind(list) != JSON_ARRAY || json_count(list) > CASES_MAX)
        return journey_parse_fail(parsing, "/exits", "'exits' is a list of at most %d", CASES_MAX);
    version->exits = arena_array(&version->arena, struct exit_rule, json_count(list) + 1);
    if (version->exits == NULL)
        return ERR_NOMEM;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        snprintf(at, sizeof at, "/exits/%u", version->exit_count);
        error = read_exit(parsing, item, at, &version->exits[version->exit_count++]);
    }
    return error;
}

static err read_goal(struct parsing *parsing, json_value json, const char *pointer,
                     struct goal *goal)
{
    goal->rule = NONE;
    err error = journey_parse_members(parsing, "goal", STR_NONE, json, pointer);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, json, "key", pointer, true, &goal->key);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, json, "name", pointer, false, &goal->name);
    if (error == ERR_OK)
        error = journey_parse_match(parsing, json, pointer, &goal->match);
    if (error == ERR_OK)
        error = journey_parse_rule(parsing, json, pointer, &goal->rule);
    if (error == ERR_OK)
        error = journey_parse_segment(parsing, json, "segment", pointer, &goal->segment);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, json, "value", pointer, false, &goal->value_path);
    if (error == ERR_OK)
        error =
            journey_parse_duration(parsing, json, "within", pointer, 7 * DAY_MS, &goal->within_ms);
    if (error == ERR_OK)
        error = journey_parse_duration(parsing, json, "refunds", pointer, 30 * DAY_MS,
                                       &goal->refunds_ms);
    return error == ERR_OK ? journey_parse_bool(parsing, json, "exit", pointer, false, &goal->exits)
                           : error;
}

static err read_goals(struct parsing *parsing, json_value list)
{
    struct version *version = parsing->version;
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    char at[60];
    err error = ERR_OK;
    if (json_kind(list) == JSON_MISSING)
        return ERR_OK;
    if (json_kind(list) != JSON_ARRAY || json_count(list) > GOALS_MAX)
        return journey_parse_fail(parsing, "/goals", "'goals' is a list of at most %d", GOALS_MAX);
    version->goals = arena_array(&version->arena, struct goal, GOALS_MAX);
    if (version->goals == NULL)
        return ERR_NOMEM;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        struct goal *goal = &version->goals[version->goal_count];
        snprintf(at, sizeof at, "/goals/%u", version->goal_count++);
        error = read_goal(parsing, item, at, goal);
        if (goal->within_ms > version->goal_window_ms)
            version->goal_window_ms = goal->within_ms;
    }
    return error;
}

/* ---- entry ---- */

static err read_reentry(struct parsing *parsing, json_value json, struct entry *entry)
{
    str reentry;
    err error = journey_parse_text(parsing, json, "reentry", "/entry", false, &reentry);
    if (error == ERR_OK)
        error = journey_parse_duration(parsing, json, "reentry_after", "/entry", 0,
                                       &entry->reentry_after_ms);
    if (str_equal(reentry, STR("never")))
        entry->reentry = REENTRY_NEVER;
    else if (str_equal(reentry, STR("after")) || (reentry.size == 0 && entry->reentry_after_ms > 0))
        entry->reentry = REENTRY_AFTER;
    else if (error == ERR_OK && reentry.size > 0 && !str_equal(reentry, STR("always")))
        return journey_parse_fail(parsing, "/entry/reentry", "reentry is always, never or after");
    return error;
}

static err read_entry(struct parsing *parsing, json_value json)
{
    struct entry *entry = &parsing->version->entry;
    int64_t total = 0, day = 0, hour = 0, parallel = 100;
    entry->rule = NONE;
    entry->parallel_max = 100;
    if (json_kind(json) == JSON_MISSING)
        return ERR_OK;
    err error = journey_parse_members(parsing, "entry", STR_NONE, json, "/entry");
    if (error == ERR_OK)
        error = journey_parse_rule(parsing, json, "/entry", &entry->rule);
    if (error == ERR_OK)
        error = journey_parse_segment(parsing, json, "segment", "/entry", &entry->segment);
    if (error == ERR_OK)
        error = read_reentry(parsing, json, entry);
    if (error == ERR_OK)
        error = journey_parse_number(parsing, json, "max", "/entry", 0, INT64_MAX / 2, 0, &total);
    if (error == ERR_OK)
        error =
            journey_parse_number(parsing, json, "max_per_day", "/entry", 0, INT64_MAX / 2, 0, &day);
    if (error == ERR_OK)
        error = journey_parse_number(parsing, json, "max_per_hour", "/entry", 0, INT64_MAX / 2, 0,
                                     &hour);
    if (error == ERR_OK)
        error = journey_parse_number(parsing, json, "parallel", "/entry", 1, 1000, 100, &parallel);
    if (error == ERR_OK)
        error =
            journey_parse_percent(parsing, json, "hold_out", "/entry", &entry->hold_out_millionths);
    entry->total_max = (uint64_t)total;
    entry->day_max = (uint64_t)day;
    entry->hour_max = (uint64_t)hour;
    entry->parallel_max = (uint32_t)parallel;
    return error;
}

/* ---- trigger ---- */

static err zone_of_trigger(struct parsing *parsing, json_value json, bool *of_customer)
{
    str zone;
    err error = journey_parse_text(parsing, json, "zone", "/trigger", false, &zone);
    *of_customer = str_equal(zone, STR("customer"));
    if (error == ERR_OK && zone.size > 0 && !*of_customer && !str_equal(zone, STR("workspace")))
        return journey_parse_fail(parsing, "/trigger/zone", "zone is workspace or customer");
    return error;
}

/* Whose day it is: a rule that is asked once a day. After the date: that many days are waited for. */
static err date_rule(struct parsing *parsing, struct trigger *trigger)
{
    struct buffer text;
    json_value root;
    int64_t days = trigger->offset_ms < 0 ? -trigger->offset_ms / DAY_MS : 0;
    if (trigger->offset_ms % DAY_MS != 0)
        return journey_parse_fail(parsing, "/trigger/offset", "whole days are wanted: -7d, 0d, 3d");
    buffer_init(&text, 4096);
    buffer_append_str(&text, STR("{\"rule\":{\"trait\":"));
    json_write_text(&text, trigger->trait);
    if (trigger->yearly && days == 0)
        buffer_append_str(&text, STR(",\"anniversary\":\"today\"}}"));
    else if (trigger->yearly)
        buffer_printf(&text, ",\"anniversary\":\"in %lldd\"}}", (long long)days);
    else
        buffer_printf(&text, ",\"between\":[\"today+%lldd\",\"today+%lldd\"]}}", (long long)days,
                      (long long)days + 1);
    err error =
        json_parse(parsing->journeys->parser_inner, buffer_str(&text), &root, parsing->problem);
    if (error == ERR_OK)
        error = journey_parse_rule(parsing, root, "/trigger", &trigger->rule);
    if (error != ERR_OK && parsing->problem != NULL)
        problem_at(parsing->problem, error, "/trigger/trait");
    buffer_deinit(&text);
    return error;
}

static err read_date(struct parsing *parsing, json_value json, struct trigger *trigger)
{
    str time;
    int32_t second = 10 * 3600;
    err error = journey_parse_text(parsing, json, "trait", "/trigger", true, &trigger->trait);
    if (error == ERR_OK)
        error = journey_parse_duration(parsing, json, "offset", "/trigger", 0, &trigger->offset_ms);
    if (error == ERR_OK)
        error = journey_parse_bool(parsing, json, "yearly", "/trigger", true, &trigger->yearly);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, json, "at", "/trigger", false, &time);
    if (error == ERR_OK && time.size > 0)
        error = journey_parse_time_of_day(parsing, time, "/trigger/at", &second);
    trigger->schedule = (struct schedule){ .every = EVERY_DAY,
                                           .interval = 1,
                                           .hours = 1u << (second / 3600),
                                           .minutes = UINT64_C(1) << (second % 3600 / 60),
                                           .until_ms = INT64_MAX };
    return error == ERR_OK ? date_rule(parsing, trigger) : error;
}

static err read_absence(struct parsing *parsing, json_value json, struct trigger *trigger)
{
    json_value absent = json_get(json, STR("absent"));
    err error = journey_parse_match(parsing, json, "/trigger", &trigger->match);
    if (error == ERR_OK)
        error = journey_parse_members(parsing, "match", STR_NONE, absent, "/trigger/absent");
    if (error == ERR_OK)
        error = journey_parse_match(parsing, absent, "/trigger/absent", &trigger->absent);
    if (error == ERR_OK)
        error =
            journey_parse_duration(parsing, json, "within", "/trigger", -1, &trigger->within_ms);
    if (error == ERR_OK)
        error =
            journey_parse_duration(parsing, json, "patience", "/trigger", 0, &trigger->patience_ms);
    if (error == ERR_OK)
        error = journey_parse_bool(parsing, json, "restart", "/trigger", false, &trigger->restarts);
    if (error == ERR_OK && (trigger->within_ms < 0 || trigger->absent.event.size == 0))
        return journey_parse_fail(parsing, "/trigger",
                                  "it says what does not come (absent) and 'within' what time");
    return error;
}

static err read_of_segment(struct parsing *parsing, json_value json, struct trigger *trigger)
{
    str on = STR_NONE;
    err error = journey_parse_segment(parsing, json, "segment", "/trigger", &trigger->segment);
    if (error == ERR_OK && trigger->kind == TRIGGER_SEGMENT)
        error = journey_parse_text(parsing, json, "on", "/trigger", false, &on);
    trigger->leaves = str_equal(on, STR("leave"));
    if (error == ERR_OK && on.size > 0 && !trigger->leaves && !str_equal(on, STR("enter")))
        return journey_parse_fail(parsing, "/trigger/on", "on is enter or leave");
    if (error == ERR_OK && trigger->segment.size == 0 && trigger->kind != TRIGGER_MANUAL)
        return journey_parse_fail(parsing, "/trigger/segment", "'segment' is missing");
    return error;
}

static err read_tag(struct parsing *parsing, json_value json, struct trigger *trigger)
{
    struct template_value value;
    err error = journey_parse_text(parsing, json, "tag", "/trigger", true, &trigger->tag);
    (void)template_value_at(json_get(json, STR("value")), STR_NONE, &value);
    trigger->tag_value = (struct operand){ .kind = value.kind, .number = value.number };
    return error == ERR_OK
               ? arena_dup(&parsing->version->arena, value.text, &trigger->tag_value.text)
               : error;
}

static err read_trigger_kind(struct parsing *parsing, json_value json, struct trigger *trigger)
{
    err error;
    switch (trigger->kind) {
    case TRIGGER_EVENT:
        error = journey_parse_match(parsing, json, "/trigger", &trigger->match);
        break;
    case TRIGGER_ABSENCE:
        error = read_absence(parsing, json, trigger);
        break;
    case TRIGGER_SEGMENT:
    case TRIGGER_MANUAL:
        return read_of_segment(parsing, json, trigger);
    case TRIGGER_TAG:
        return read_tag(parsing, json, trigger);
    case TRIGGER_SCHEDULE:
        error = read_of_segment(parsing, json, trigger);
        return error == ERR_OK
                   ? journey_parse_schedule(parsing, json, "/trigger", &trigger->schedule)
                   : error;
    case TRIGGER_DATE:
        return read_date(parsing, json, trigger);
    case TRIGGER_API:
    case TRIGGER_KIND_COUNT:
    default:
        return ERR_OK;
    }
    if (error == ERR_OK && trigger->match.event.size == 0)
        return journey_parse_fail(parsing, "/trigger/event", "'event' is missing");
    return error;
}

static err read_trigger(struct parsing *parsing, json_value json)
{
    struct trigger *trigger = &parsing->version->trigger;
    str type = json_text(json_get(json, STR("type")));
    trigger->rule = NONE;
    if (!json_is_object(json))
        return journey_parse_fail(parsing, "/trigger",
                                  "'trigger' is missing: what starts the journey?");
    if (!trigger_kind_find(type, &trigger->kind)) {
        struct rule_suggestions like = { .count = 0 };
        struct buffer names;
        catalogue_suggest_kinds("trigger", type, &like);
        err error = journey_parse_fail(
            parsing, "/trigger/type", "there is no kind of trigger '%.*s'",
            (int)str_utf8_prefix_bytes(type, 60), type.data != NULL ? type.data : "");
        buffer_init(&names, 400);
        rule_suggestions_write(&like, &names);
        if (like.count > 0)
            problem_hint(parsing->problem, error, "did you mean %.*s?",
                         STR_ARG(buffer_str(&names)));
        buffer_deinit(&names);
        return error;
    }
    err error = journey_parse_members(parsing, "trigger", type, json, "/trigger");
    if (error == ERR_OK)
        error = journey_parse_text(parsing, json, "key", "/trigger", false, &trigger->key_path);
    if (error == ERR_OK)
        error = zone_of_trigger(parsing, json, &trigger->of_customer);
    return error == ERR_OK ? read_trigger_kind(parsing, json, trigger) : error;
}

/* ---- the graph ---- */

static uint16_t node_target(const struct node *node, uint32_t index)
{
    if (index == 0)
        return node->kind == NODE_KIND_BRANCH || node->kind == NODE_KIND_SPLIT ? NO_NODE
                                                                               : node->next;
    if (index == 1)
        return node->other;
    if (index == 2)
        return node->suppressed;
    index -= 3;
    return index < node->case_count ? node->cases[index].next
                                    : node->arms[index - node->case_count].next;
}

static uint32_t node_targets(const struct node *node)
{
    return 3 + node->case_count + node->arm_count;
}

/* What cannot be reached is a mistake worth a word. */
static err check_reached(struct parsing *parsing)
{
    const struct version *version = parsing->version;
    bool reached[JOURNEY_NODES_MAX] = { false };
    uint16_t stack[JOURNEY_NODES_MAX];
    uint32_t depth = 0;
    char at[160];
    reached[version->start] = true;
    stack[depth++] = version->start;
    while (depth > 0) {
        const struct node *node = &version->nodes[stack[--depth]];
        for (uint32_t i = 0; i < node_targets(node); i++) {
            uint16_t next = node_target(node, i);
            if (next == NO_NODE || reached[next])
                continue;
            reached[next] = true;
            stack[depth++] = next;
        }
    }
    for (uint16_t i = 0; i < version->node_count; i++) {
        if (reached[i])
            continue;
        snprintf(at, sizeof at, "/nodes/%.*s", STR_ARG(version->nodes[i].id));
        return journey_parse_fail(parsing, at, "no way leads to the node '%.*s'",
                                  STR_ARG(version->nodes[i].id));
    }
    return ERR_OK;
}

static bool stays(const struct node *node)
{
    return node->kind == NODE_KIND_WAIT || node->kind == NODE_KIND_WAIT_UNTIL || node->waits;
}

/* 0 new, 1 open, 2 done: a way back to an open one without a wait between is a loop. */
static bool finds_loop(const struct version *version, uint16_t at, uint8_t *marks, uint16_t *where)
{
    struct {
        uint16_t node;
        uint32_t next;
    } stack[JOURNEY_NODES_MAX];
    uint32_t depth = 0;
    marks[at] = 1;
    stack[depth].node = at;
    stack[depth++].next = 0;
    while (depth > 0) {
        uint16_t here = stack[depth - 1].node;
        const struct node *node = &version->nodes[here];
        uint32_t index = stack[depth - 1].next++;
        if (index >= node_targets(node) || stays(node)) {
            marks[here] = 2;
            depth--;
            continue;
        }
        uint16_t next = node_target(node, index);
        *where = next;
        if (next != NO_NODE && marks[next] == 1)
            return true;
        if (next == NO_NODE || marks[next] == 2)
            continue;
        marks[next] = 1;
        stack[depth].node = next;
        stack[depth++].next = 0;
    }
    return false;
}

static err check_loops(struct parsing *parsing)
{
    const struct version *version = parsing->version;
    uint8_t marks[JOURNEY_NODES_MAX] = { 0 };
    uint16_t where = 0;
    char at[160];
    for (uint16_t i = 0; i < version->node_count; i++) {
        if (marks[i] != 0 || !finds_loop(version, i, marks, &where))
            continue;
        snprintf(at, sizeof at, "/nodes/%.*s", STR_ARG(version->nodes[where].id));
        err error =
            journey_parse_fail(parsing, at, "the node '%.*s' comes back to itself without a wait",
                               STR_ARG(version->nodes[where].id));
        return problem_hint(parsing->problem, error, "put a wait into the loop");
    }
    return ERR_OK;
}

static err read_ids(struct parsing *parsing, json_value nodes)
{
    struct version *version = parsing->version;
    struct json_iterator iterator = json_iterate(nodes);
    str id;
    json_value item;
    if (!json_is_object(nodes) || json_count(nodes) == 0 || json_count(nodes) > JOURNEY_NODES_MAX)
        return journey_parse_fail(parsing, "/nodes", "'nodes' has 1 to %d nodes by id",
                                  JOURNEY_NODES_MAX);
    version->nodes = arena_array(&version->arena, struct node, json_count(nodes));
    if (version->nodes == NULL)
        return ERR_NOMEM;
    while (json_next(&iterator, &id, &item)) {
        for (uint16_t i = 0; i < version->node_count; i++)
            if (str_equal(version->nodes[i].id, id))
                return journey_parse_fail(parsing, "/nodes", "the node '%.*s' is there twice",
                                          STR_ARG(id));
        if (id.size == 0 || id.size > 60)
            return journey_parse_fail(parsing, "/nodes", "the id of a node has 1 to 60 bytes");
        err error = arena_dup(&version->arena, id, &version->nodes[version->node_count++].id);
        if (error != ERR_OK)
            return error;
    }
    return ERR_OK;
}

static err read_nodes(struct parsing *parsing, json_value body)
{
    struct version *version = parsing->version;
    struct json_iterator iterator = json_iterate(parsing->nodes);
    json_value item;
    str start;
    err error = read_ids(parsing, parsing->nodes);
    for (uint16_t i = 0; error == ERR_OK && json_next(&iterator, NULL, &item); i++)
        error = journey_parse_node(parsing, item, &version->nodes[i]);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, body, "start", "", true, &start);
    if (error != ERR_OK)
        return error;
    version->start = NO_NODE;
    for (uint16_t i = 0; i < version->node_count; i++)
        if (str_equal(version->nodes[i].id, start))
            version->start = i;
    if (version->start == NO_NODE)
        return journey_parse_fail(parsing, "/start", "there is no node '%.*s'", STR_ARG(start));
    error = check_reached(parsing);
    return error == ERR_OK ? check_loops(parsing) : error;
}

/* ---- all of it ---- */

static err read_keep(struct parsing *parsing, json_value list)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    err error = ERR_OK;
    while (error == ERR_OK && json_kind(list) == JSON_ARRAY && json_next(&iterator, NULL, &item))
        error = journey_parse_keep(parsing, json_text(item));
    return error;
}

static err read_all(struct parsing *parsing, json_value body)
{
    struct version *version = parsing->version;
    err error = journey_parse_members(parsing, "journey", STR_NONE, body, "");
    if (error == ERR_OK)
        error = journey_parse_raw(parsing, body, &version->body);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, body, "purpose", "", false, &version->purpose);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, body, "brand", "", false, &version->brand);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, body, "campaign", "", false, &version->campaign);
    bool personalises = true;
    if (error == ERR_OK)
        error = journey_parse_bool(parsing, body, "personalises", "", true, &personalises);
    version->is_plain = !personalises;
    version->late_after_ms = HOUR_MS;
    if (error == ERR_OK)
        error = journey_parse_late(parsing, body, "", &version->late, &version->late_after_ms);
    if (error == ERR_OK)
        error = read_keep(parsing, json_get(body, STR("keep")));
    if (error == ERR_OK)
        error = read_trigger(parsing, json_get(body, STR("trigger")));
    if (error == ERR_OK)
        error = read_entry(parsing, json_get(body, STR("entry")));
    if (error == ERR_OK)
        error = read_exits(parsing, json_get(body, STR("exits")));
    if (error == ERR_OK)
        error = read_goals(parsing, json_get(body, STR("goals")));
    return error == ERR_OK ? read_nodes(parsing, body) : error;
}

err version_parse(struct journeys *journeys, json_value body, struct version **version,
                  struct problem *problem)
{
    struct parsing parsing = { .journeys = journeys,
                               .problem = problem,
                               .nodes = json_get(body, STR("nodes")) };
    struct version *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    arena_init(&made->arena, "journey_version", VERSION_ARENA_BYTES);
    parsing.version = made;
    err error = json_is_object(body)
                    ? read_all(&parsing, body)
                    : journey_parse_fail(&parsing, "", "a journey is a JSON object");
    if (error == ERR_OK) {
        made->waiting = memory_alloc((made->node_count + 4u) * sizeof(*made->waiting));
        error = made->waiting != NULL ? ERR_OK : ERR_NOMEM;
    }
    if (error != ERR_OK) {
        version_free(&made);
        return error;
    }
    *version = made;
    return ERR_OK;
}

void version_free(struct version **version)
{
    struct version *gone = *version;
    *version = NULL;
    if (gone == NULL)
        return;
    memory_free(gone->waiting);
    arena_deinit(&gone->arena);
    memory_free(gone);
}
