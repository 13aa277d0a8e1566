/* SPDX-License-Identifier: Apache-2.0 */
/* journey_parse_node: one node of the graph. */
#include <stdio.h>

#include "journey/state.h"

#define TIMEOUT_MS_DEFAULT (7 * DAY_MS) /* of a result that is waited for */

/* The node being read, and where it stands in the definition. */
struct here {
    struct parsing *parsing;
    json_value object;
    struct node *node;
    char pointer[120];
};

static err find_node(struct parsing *parsing, str id, const char *pointer, uint16_t *place)
{
    struct json_iterator iterator = json_iterate(parsing->nodes);
    struct rule_suggestions like = { .count = 0 };
    struct buffer names;
    str key;
    json_value value;
    for (uint16_t i = 0; json_next(&iterator, &key, &value); i++) {
        *place = i;
        if (str_equal(key, id))
            return ERR_OK;
        rule_suggestions_offer(&like, id, key);
    }
    err error =
        journey_parse_fail(parsing, pointer, "there is no node '%.*s'",
                           (int)str_utf8_prefix_bytes(id, 80), id.data != NULL ? id.data : "");
    buffer_init(&names, 400);
    rule_suggestions_write(&like, &names);
    if (like.count > 0 && names.size > 0)
        problem_hint(parsing->problem, error, "did you mean %.*s?", STR_ARG(buffer_str(&names)));
    buffer_deinit(&names);
    return error;
}

/* A member that names a node; none is the end of the journey. */
static err target(struct here *here, json_value object, const char *name, const char *pointer,
                  uint16_t *place, bool *has)
{
    char at[160];
    json_value value = json_get(object, str_from_c(name));
    *place = NO_NODE;
    if (has != NULL)
        *has = json_kind(value) != JSON_MISSING;
    if (json_kind(value) == JSON_MISSING || json_kind(value) == JSON_NULL)
        return ERR_OK;
    snprintf(at, sizeof at, "%s/%s", pointer, name);
    if (json_kind(value) != JSON_TEXT)
        return journey_parse_fail(here->parsing, at, "'%s' is the id of a node, or null: the end",
                                  name);
    return find_node(here->parsing, json_text(value), at, place);
}

static err text(struct here *here, const char *name, bool needed, str *out)
{
    return journey_parse_text(here->parsing, here->object, name, here->pointer, needed, out);
}

static err duration(struct here *here, const char *name, int64_t otherwise, int64_t *ms)
{
    return journey_parse_duration(here->parsing, here->object, name, here->pointer, otherwise, ms);
}

static err is_of_customer(struct here *here, bool *of_customer)
{
    char at[160];
    str zone;
    err error = text(here, "zone", false, &zone);
    snprintf(at, sizeof at, "%s/zone", here->pointer);
    *of_customer = str_equal(zone, STR("customer"));
    if (error == ERR_OK && zone.size > 0 && !*of_customer && !str_equal(zone, STR("workspace")))
        return journey_parse_fail(here->parsing, at, "zone is workspace or customer");
    return error;
}

/* ---- waits ---- */

static bool late_find(str text, enum late *late)
{
    static const char *const texts[] = { [LATE_GO] = "go",
                                         [LATE_SKIP] = "skip",
                                         [LATE_WINDOW] = "window",
                                         [LATE_AGAIN] = "again",
                                         [LATE_EXIT] = "exit" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!str_equal(text, str_from_c(texts[i])))
            continue;
        *late = (enum late)i;
        return true;
    }
    return false;
}

err journey_parse_late(struct parsing *parsing, json_value object, const char *pointer,
                       enum late *late, int64_t *late_after_ms)
{
    char at[160];
    str said;
    err error = journey_parse_text(parsing, object, "late", pointer, false, &said);
    snprintf(at, sizeof at, "%s/late", pointer);
    if (error == ERR_OK && said.size > 0 && !late_find(said, late))
        return journey_parse_fail(parsing, at, "late is go, skip, window, again or exit");
    return error == ERR_OK ? journey_parse_duration(parsing, object, "late_after", pointer,
                                                    *late_after_ms, late_after_ms)
                           : error;
}

/* As the journey says, where the node does not. */
static err read_late(struct here *here)
{
    const struct version *version = here->parsing->version;
    struct node *node = here->node;
    char at[160];
    node->late = version->late;
    node->late_after_ms = version->late_after_ms;
    err error = journey_parse_late(here->parsing, here->object, here->pointer, &node->late,
                                   &node->late_after_ms);
    bool has_window = node->calendar.has_time || node->calendar.weekdays != 0;
    bool is_said = json_kind(json_get(here->object, STR("late"))) != JSON_MISSING;
    snprintf(at, sizeof at, "%s/late", here->pointer);
    if (error == ERR_OK && node->late == LATE_WINDOW && is_said && !has_window)
        return journey_parse_fail(
            here->parsing, at, "late 'window' needs a time of day or days of the week to wait for");
    return error;
}

static err read_calendar(struct here *here)
{
    char at[160];
    struct calendar *calendar = &here->node->calendar;
    str time;
    err error = text(here, "at", false, &time);
    snprintf(at, sizeof at, "%s/at", here->pointer);
    if (error == ERR_OK && time.size > 0) {
        calendar->has_time = true;
        error = journey_parse_time_of_day(here->parsing, time, at, &calendar->second_of_day);
    }
    snprintf(at, sizeof at, "%s/weekdays", here->pointer);
    if (error == ERR_OK)
        error = journey_parse_weekdays(here->parsing, json_get(here->object, STR("weekdays")), at,
                                       &calendar->weekdays);
    return error == ERR_OK ? is_of_customer(here, &calendar->of_customer) : error;
}

static err read_wait(struct here *here)
{
    struct node *node = here->node;
    json_value restart = json_get(here->object, STR("restart_on"));
    char at[160];
    err error = duration(here, "for", 0, &node->for_ms);
    if (error == ERR_OK)
        error = read_calendar(here);
    if (error == ERR_OK)
        error = text(here, "date", false, &node->date);
    if (error == ERR_OK && str_starts_with(node->date, STR("event.")))
        error = journey_parse_keep(here->parsing, str_slice(node->date, 6, node->date.size));
    if (error == ERR_OK)
        error = duration(here, "offset", 0, &node->offset_ms);
    if (error == ERR_OK)
        error = read_late(here);
    if (error == ERR_OK)
        error =
            target(here, here->object, "otherwise", here->pointer, &node->other, &node->has_other);
    if (error == ERR_OK && json_kind(restart) != JSON_MISSING) {
        snprintf(at, sizeof at, "%s/restart_on", here->pointer);
        error = journey_parse_members(here->parsing, "match", STR_NONE, restart, at);
        if (error == ERR_OK)
            error = journey_parse_match(here->parsing, restart, at, &node->restart);
    }
    if (error == ERR_OK && json_kind(json_get(here->object, STR("for"))) == JSON_MISSING &&
        !node->calendar.has_time && node->calendar.weekdays == 0 && node->date.size == 0)
        return journey_parse_fail(
            here->parsing, here->pointer,
            "a wait says how long (for), until when (at, weekdays) or which date");
    return error;
}

static err read_wait_until(struct here *here)
{
    struct node *node = here->node;
    char at[160];
    err error = journey_parse_match(here->parsing, here->object, here->pointer, &node->match);
    if (error == ERR_OK)
        error = journey_parse_rule(here->parsing, here->object, here->pointer, &node->rule);
    if (error == ERR_OK)
        error = journey_parse_segment(here->parsing, here->object, "segment", here->pointer,
                                      &node->segment);
    if (error == ERR_OK)
        error = duration(here, "timeout", -1, &node->timeout_ms);
    if (error == ERR_OK)
        error = duration(here, "patience", 0, &node->patience_ms);
    if (error == ERR_OK)
        error = target(here, here->object, "on_timeout", here->pointer, &node->other, NULL);
    snprintf(at, sizeof at, "%s/timeout", here->pointer);
    if (error == ERR_OK && node->timeout_ms < 0)
        return journey_parse_fail(here->parsing, at, "'timeout' is missing: nobody waits for ever");
    int ways = (node->match.event.size > 0) + (node->rule != NONE) + (node->segment.size > 0);
    if (error == ERR_OK && ways != 1)
        return journey_parse_fail(here->parsing, here->pointer,
                                  "it waits for one of: event, rule, segment");
    return error;
}

/* ---- branches ---- */

static err read_statuses(struct here *here, json_value list, const char *pointer,
                         uint32_t *status_set)
{
    static const char *const texts[] = {
#define X(NAME, text) text,
        TOUCH_STATUSES(X)
#undef X
    };
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    *status_set = 0;
    while (json_kind(list) == JSON_ARRAY && json_next(&iterator, NULL, &item)) {
        uint32_t found = 0;
        for (int i = 0; i < TOUCH_STATUS_COUNT; i++)
            if (str_equal(json_text(item), str_from_c(texts[i])))
                found = 1u << i;
        if (found == 0)
            return journey_parse_fail(here->parsing, pointer, "'%.*s' is no status of a touch",
                                      STR_ARG(json_text(item)));
        *status_set |= found;
    }
    return *status_set != 0 ? ERR_OK
                            : journey_parse_fail(here->parsing, pointer,
                                                 "'status' is a list of statuses of a touch");
}

static err read_case(struct here *here, json_value json, const char *pointer,
                     struct branch_case *branch)
{
    struct parsing *parsing = here->parsing;
    str touch = STR_NONE;
    branch->rule = NONE;
    err error = journey_parse_text(parsing, json, "name", pointer, false, &branch->name);
    if (error == ERR_OK)
        error = target(here, json, "next", pointer, &branch->next, NULL);
    if (error == ERR_OK)
        error = journey_parse_rule(parsing, json, pointer, &branch->rule);
    if (error == ERR_OK)
        error = journey_parse_segment(parsing, json, "segment", pointer, &branch->segment);
    if (error == ERR_OK)
        error = journey_parse_text(parsing, json, "touch", pointer, false, &touch);
    if (error != ERR_OK)
        return error;
    bool by_value = json_kind(json_get(json, STR("value"))) != JSON_MISSING;
    if ((branch->rule != NONE) + (branch->segment.size > 0) + (touch.size > 0) + by_value != 1)
        return journey_parse_fail(parsing, pointer,
                                  "a case has one of: rule, segment, value, touch");
    branch->kind = branch->rule != NONE       ? CASE_RULE
                   : branch->segment.size > 0 ? CASE_SEGMENT
                   : by_value                 ? CASE_VALUE
                                              : CASE_TOUCH;
    if (by_value) {
        error = journey_parse_comparison(parsing, json, "value", pointer, &branch->value);
        if (error == ERR_OK && str_starts_with(branch->value.path, STR("event.")))
            error = journey_parse_keep(parsing,
                                       str_slice(branch->value.path, 6, branch->value.path.size));
        return error;
    }
    if (branch->kind != CASE_TOUCH)
        return journey_parse_members(parsing, "case", STR_NONE, json, pointer);
    char at[200];
    snprintf(at, sizeof at, "%.160s/touch", pointer);
    error = find_node(parsing, touch, at, &branch->touch);
    snprintf(at, sizeof at, "%.160s/status", pointer);
    return error == ERR_OK
               ? read_statuses(here, json_get(json, STR("status")), at, &branch->status_set)
               : error;
}

static err read_branch(struct here *here)
{
    json_value list = json_get(here->object, STR("cases")), item;
    struct node *node = here->node;
    size_t count = json_kind(list) == JSON_ARRAY ? json_count(list) : 0;
    char at[160];
    snprintf(at, sizeof at, "%s/cases", here->pointer);
    if (count == 0 || count > CASES_MAX)
        return journey_parse_fail(here->parsing, at, "a branch has 1 to %d cases", CASES_MAX);
    node->cases = arena_array(&here->parsing->version->arena, struct branch_case, count);
    if (node->cases == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(list);
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        snprintf(at, sizeof at, "%s/cases/%u", here->pointer, node->case_count);
        error = read_case(here, item, at, &node->cases[node->case_count++]);
    }
    return error == ERR_OK
               ? target(here, here->object, "otherwise", here->pointer, &node->other, NULL)
               : error;
}

static err read_split(struct here *here)
{
    json_value list = json_get(here->object, STR("arms")), item;
    struct node *node = here->node;
    size_t count = json_kind(list) == JSON_ARRAY ? json_count(list) : 0;
    char at[160];
    snprintf(at, sizeof at, "%s/arms", here->pointer);
    if (count == 0 || count > ARMS_MAX)
        return journey_parse_fail(here->parsing, at, "a split has 1 to %d arms", ARMS_MAX);
    node->arms = arena_array(&here->parsing->version->arena, struct split_arm, count);
    if (node->arms == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(list);
    err error = ERR_OK;
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        struct split_arm *arm = &node->arms[node->arm_count];
        int64_t weight = 0;
        snprintf(at, sizeof at, "%s/arms/%u", here->pointer, node->arm_count++);
        error = journey_parse_members(here->parsing, "arm", STR_NONE, item, at);
        if (error == ERR_OK)
            error = journey_parse_text(here->parsing, item, "name", at, false, &arm->name);
        if (error == ERR_OK)
            error =
                journey_parse_number(here->parsing, item, "weight", at, 0, 1000000, -1, &weight);
        if (error == ERR_OK && weight < 0)
            error = journey_parse_fail(here->parsing, at, "an arm has a weight");
        if (error == ERR_OK)
            error = target(here, item, "next", at, &arm->next, NULL);
        arm->weight = (uint32_t)weight;
        node->weight_sum += arm->weight;
    }
    if (error == ERR_OK && node->weight_sum == 0)
        return journey_parse_fail(here->parsing, here->pointer,
                                  "all weights are 0: nobody goes anywhere");
    return error;
}

/* ---- what goes out ---- */

static err read_texts_of_send(struct here *here)
{
    struct node *node = here->node;
    static const struct {
        const char *name;
        size_t place;
    } texts[] = {
        { "channel", offsetof(struct node, channel) },
        { "account", offsetof(struct node, account) },
        { "form", offsetof(struct node, form) },
        { "template", offsetof(struct node, template_) },
        { "purpose", offsetof(struct node, purpose) },
        { "brand", offsetof(struct node, brand) },
        { "order", offsetof(struct node, order_path) },
        { "content", offsetof(struct node, content_key) },
        { "save", offsetof(struct node, key) },
    };
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < sizeof texts / sizeof texts[0]; i++)
        error = text(here, texts[i].name, false, (str *)((char *)node + texts[i].place));
    if (error == ERR_OK && str_starts_with(node->order_path, STR("event.")))
        error = journey_parse_keep(here->parsing,
                                   str_slice(node->order_path, 6, node->order_path.size));
    return error;
}

static err read_send(struct here *here)
{
    struct node *node = here->node;
    char at[160];
    int64_t priority = 50;
    err error = read_texts_of_send(here);
    if (error == ERR_OK)
        error = journey_parse_raw(here->parsing, json_get(here->object, STR("vars")), &node->vars);
    if (error == ERR_OK)
        error = journey_parse_bool(here->parsing, here->object, "transactional", here->pointer,
                                   false, &node->is_transactional);
    if (error == ERR_OK)
        error = journey_parse_bool(here->parsing, here->object, "wait_result", here->pointer, false,
                                   &node->waits);
    if (error == ERR_OK)
        error = journey_parse_number(here->parsing, here->object, "priority", here->pointer, 0, 100,
                                     50, &priority);
    if (error == ERR_OK)
        error = journey_parse_number(here->parsing, here->object, "cost", here->pointer, 0,
                                     100000000, -1, &node->cost_minor);
    if (error == ERR_OK)
        error = duration(here, "expires", 0, &node->expires_ms);
    if (error == ERR_OK)
        error = duration(here, "timeout", TIMEOUT_MS_DEFAULT, &node->timeout_ms);
    if (error == ERR_OK)
        error =
            target(here, here->object, "on_failed", here->pointer, &node->other, &node->has_other);
    if (error == ERR_OK)
        error = target(here, here->object, "on_suppressed", here->pointer, &node->suppressed,
                       &node->has_suppressed);
    node->priority = (int)priority;
    snprintf(at, sizeof at, "%s/template", here->pointer);
    if (error == ERR_OK && node->template_.size == 0 &&
        (node->kind == NODE_KIND_SEND || node->kind == NODE_KIND_TASK))
        return journey_parse_fail(here->parsing, at, "'template' is missing: what is said?");
    return error;
}

/* Webhooks with a reply that is used wait for it; coupons and points are sends on their channel. */
static err read_touching(struct here *here)
{
    struct node *node = here->node;
    int64_t points;
    char at[160];
    err error = read_send(here);
    if (error != ERR_OK)
        return error;
    snprintf(at, sizeof at, "%s/channel", here->pointer);
    switch ((int)node->kind) {
    case NODE_KIND_SEND:
        return node->channel.size > 0
                   ? ERR_OK
                   : journey_parse_fail(here->parsing, at, "'channel' is missing");
    case NODE_KIND_COUPON:
        node->channel = STR("coupon");
        return text(here, "coupon", true, &node->value);
    case NODE_KIND_POINTS:
        node->channel = STR("points");
        error = journey_parse_number(here->parsing, here->object, "points", here->pointer, 1,
                                     100000000, 0, &points);
        if (error == ERR_OK && points == 0)
            return journey_parse_fail(here->parsing, here->pointer,
                                      "how many 'points' does she get?");
        return error == ERR_OK ? arena_printf(&here->parsing->version->arena, &node->value, "%lld",
                                              (long long)points)
                               : error;
    case NODE_KIND_WEBHOOK:
        node->channel = STR("webhook");
        node->waits = node->waits || node->key.size > 0;
        return ERR_OK;
    default:
        if (node->channel.size == 0)
            node->channel = STR("call");
        return ERR_OK;
    }
}

/* ---- effects ---- */

static err find_goal(struct here *here)
{
    const struct version *version = here->parsing->version;
    char at[160];
    err error = text(here, "goal", true, &here->node->key);
    for (uint32_t i = 0; i < version->goal_count; i++) {
        here->node->goal = (uint8_t)i;
        if (str_equal(version->goals[i].key, here->node->key))
            return error;
    }
    snprintf(at, sizeof at, "%s/goal", here->pointer);
    return error == ERR_OK ? journey_parse_fail(here->parsing, at, "the journey has no goal '%.*s'",
                                                STR_ARG(here->node->key))
                           : error;
}

/* A value that is said, or one that is taken from where it stands. */
static err read_value(struct here *here)
{
    struct node *node = here->node;
    char at[160];
    err error =
        journey_parse_raw(here->parsing, json_get(here->object, STR("value")), &node->value);
    if (error == ERR_OK)
        error = text(here, "from", false, &node->from);
    snprintf(at, sizeof at, "%s/from", here->pointer);
    if (error == ERR_OK && node->from.size > 0 && node->value.size > 0)
        return journey_parse_fail(here->parsing, at, "it has a 'value', or one 'from' a path");
    if (error == ERR_OK && str_starts_with(node->from, STR("event.")))
        error = journey_parse_keep(here->parsing, str_slice(node->from, 6, node->from.size));
    return error;
}

static err read_pause(struct here *here)
{
    struct node *node = here->node;
    char at[160];
    here->parsing->version->pauses = true;
    err error = duration(here, "for", 0, &node->for_ms);
    if (error == ERR_OK)
        error = text(here, "reason", false, &node->reason);
    snprintf(at, sizeof at, "%s/for", here->pointer);
    if (error == ERR_OK && node->for_ms == 0 &&
        json_kind(json_get(here->object, STR("for"))) != JSON_MISSING)
        return journey_parse_fail(here->parsing, at,
                                  "a pause of no time is none: leave 'for' out, and it lasts until "
                                  "'resume' or the end of the journey");
    snprintf(at, sizeof at, "%s/reason", here->pointer);
    if (error == ERR_OK && node->reason.size > TOUCH_PAUSE_REASON_BYTES_MAX)
        return journey_parse_fail(here->parsing, at, "a reason has at most %d bytes",
                                  TOUCH_PAUSE_REASON_BYTES_MAX);
    return error;
}

static err read_effect(struct here *here)
{
    struct node *node = here->node;
    err error = read_value(here);
    if (error != ERR_OK)
        return error;
    switch ((int)node->kind) {
    case NODE_KIND_SET_TAG:
        return text(here, "tag", true, &node->key);
    case NODE_KIND_SET_TRAIT:
        return text(here, "trait", true, &node->key);
    case NODE_KIND_MEMBER:
        error = journey_parse_segment(here->parsing, here->object, "segment", here->pointer,
                                      &node->key);
        if (error == ERR_OK && node->key.size == 0)
            return journey_parse_fail(here->parsing, here->pointer, "'segment' is missing");
        return error == ERR_OK ? journey_parse_bool(here->parsing, here->object, "remove",
                                                    here->pointer, false, &node->removes)
                               : error;
    case NODE_KIND_JOIN:
        return text(here, "journey", true, &node->key);
    case NODE_KIND_GOAL:
        return find_goal(here);
    default:
        return text(here, "reason", false, &node->reason);
    }
}

static err read_by_kind(struct here *here)
{
    err error;
    switch ((int)here->node->kind) {
    case NODE_KIND_WAIT:
        return read_wait(here);
    case NODE_KIND_WAIT_UNTIL:
        return read_wait_until(here);
    case NODE_KIND_BRANCH:
        return read_branch(here);
    case NODE_KIND_SPLIT:
        return read_split(here);
    case NODE_KIND_HOLD_OUT:
        error = journey_parse_percent(here->parsing, here->object, "percent", here->pointer,
                                      &here->node->percent_millionths);
        return error == ERR_OK ? target(here, here->object, "held", here->pointer,
                                        &here->node->other, &here->node->has_other)
                               : error;
    case NODE_KIND_SEND:
    case NODE_KIND_COUPON:
    case NODE_KIND_POINTS:
    case NODE_KIND_TASK:
    case NODE_KIND_WEBHOOK:
        return read_touching(here);
    case NODE_KIND_PAUSE:
        return read_pause(here);
    default:
        return read_effect(here);
    }
}

err journey_parse_node(struct parsing *parsing, json_value object, struct node *node)
{
    struct here here = { .parsing = parsing, .object = object, .node = node };
    str type = json_text(json_get(object, STR("type")));
    snprintf(here.pointer, sizeof here.pointer, "/nodes/%.*s",
             (int)str_utf8_prefix_bytes(node->id, 80), node->id.data);
    node->next = node->other = node->suppressed = NO_NODE;
    node->rule = NONE;
    node->rule_holds = true;
    if (!node_kind_find(type, &node->kind)) {
        struct rule_suggestions like = { .count = 0 };
        struct buffer names;
        char at[160];
        snprintf(at, sizeof at, "%s/type", here.pointer);
        catalogue_suggest_kinds("node", type, &like);
        err error = journey_parse_fail(parsing, at, "there is no kind of node '%.*s'",
                                       (int)str_utf8_prefix_bytes(type, 60),
                                       type.data != NULL ? type.data : "");
        buffer_init(&names, 400);
        rule_suggestions_write(&like, &names);
        if (like.count > 0)
            problem_hint(parsing->problem, error, "did you mean %.*s?",
                         STR_ARG(buffer_str(&names)));
        buffer_deinit(&names);
        return error;
    }
    err error = journey_parse_members(parsing, "node", str_from_c(node_kind_text(node->kind)),
                                      object, here.pointer);
    if (error == ERR_OK)
        error = text(&here, "name", false, &node->name);
    if (error == ERR_OK)
        error = target(&here, object, "next", here.pointer, &node->next, NULL);
    return error == ERR_OK ? read_by_kind(&here) : error;
}
