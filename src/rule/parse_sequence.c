/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences of events, and what was sent. */
#include <stdio.h>
#include <string.h>

#include "rule/parse.h"

#define STEPS_MAX 10

/* ---- sequences ---- */

static err read_same(struct parser *parser, json_value json, str pointer, struct node *node,
                     struct step *step)
{
    json_value value = json_get(json, STR("same"));
    if (json_kind(value) == JSON_MISSING)
        return ERR_OK;
    struct texts paths;
    if (parser->step == 0)
        return parse_fail(parser, pointer, "'same' compares with the first step: here it is");
    err error = parse_texts(parser, value, pointer, &paths);
    if (error != ERR_OK)
        return error;
    if (paths.count > 4)
        return parse_fail(parser, pointer, "'same' takes at most 4 properties");
    step->same = arena_array(&parser->rule->arena, struct property, 2 * (size_t)paths.count);
    if (step->same == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < paths.count && error == ERR_OK; i++) {
        struct property *here = &step->same[2 * i], *first = &step->same[2 * i + 1];
        error = parse_property(parser, &step->events, paths.items[i], pointer, here);
        if (error == ERR_OK)
            error = parse_property(parser, &node->steps[0].events, paths.items[i], pointer, first);
        if (error == ERR_OK && is_text_kind(here->kind) != is_text_kind(first->kind))
            error =
                parse_fail(parser, pointer, "'" STR_FMT "' is a %s in the first step, here a %s",
                           STR_ARG(paths.items[i]), kind_word(first->kind), kind_word(here->kind));
        step->same_count++;
    }
    step->correlated = true;
    return error;
}

static err read_step(struct parser *parser, json_value json, str pointer, struct node *node)
{
    struct step *step = &node->steps[parser->step];
    json_value absent = json_get(json, STR("absent"));
    if (!json_is_object(json))
        return parse_fail(parser, pointer, "a step has to be an object with 'event'");
    err error = parse_members(parser, json, pointer, "event where same absent", false);
    if (error == ERR_OK)
        error = parse_events(parser, json_get(json, STR("event")), pointer, &step->events);
    if (error != ERR_OK)
        return error;
    step->absent = json_bool(absent, false);
    if (json_kind(absent) != JSON_MISSING && json_kind(absent) != JSON_BOOL)
        return parse_member(parser, pointer, STR("absent"),
                            parse_fail(parser, pointer, "'absent' has to be true or false"));
    if (step->absent && parser->step == 0) {
        parse_fail(parser, pointer, "the first step cannot be absent: the others follow it");
        error = parse_hint(parser, "that nothing happened is {\"event\":…,\"last\":…,\"eq\":0}");
        return parse_member(parser, pointer, STR("absent"), error);
    }
    error =
        parse_member(parser, pointer, STR("same"), read_same(parser, json, pointer, node, step));
    parser->correlated = false;
    if (error == ERR_OK)
        error = parse_event_where(parser, json, pointer, &step->events, &step->where);
    step->correlated |= parser->correlated;
    if (error == ERR_OK && step->where != NULL)
        node->relative |= step->where->relative;
    if (error == ERR_OK)
        error = parse_listen_all(parser, &step->events, node->slot, (uint16_t)parser->step);
    return error;
}

static err read_steps(struct parser *parser, json_value list, str pointer, struct node *node)
{
    size_t count = json_count(list);
    if (json_kind(list) != JSON_ARRAY || count < 2 || count > STEPS_MAX)
        return parse_fail(parser, pointer, "a sequence has 2 to %d steps", STEPS_MAX);
    node->steps = arena_array(&parser->rule->arena, struct step, count);
    if (node->steps == NULL)
        return ERR_NOMEM;
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    while (json_next(&iterator, NULL, &item)) {
        str at;
        err error = parse_pointer(parser, pointer, "sequence", node->step_count, &at);
        parser->step = node->step_count;
        if (error == ERR_OK && ++parser->leaves > RULE_CONDITIONS_MAX)
            error =
                parse_fail(parser, at, "the rule has more than %d conditions", RULE_CONDITIONS_MAX);
        if (error == ERR_OK)
            error = read_step(parser, item, at, node);
        if (error != ERR_OK)
            return error;
        node->step_count++;
    }
    return ERR_OK;
}

err parse_sequence(struct parser *parser, json_value json, str pointer, struct node **out)
{
    struct node *node = parse_make(parser, NODE_SEQUENCE, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    err error = parse_members(parser, json, pointer, "sequence within last during", false);
    if (error == ERR_OK)
        error = parse_condition(parser, node);
    if (error == ERR_OK)
        error = parse_slot(parser, node);
    if (error == ERR_OK)
        error = parse_window(parser, json, pointer, &node->measuring.window);
    json_value within = json_get(json, STR("within"));
    if (error == ERR_OK && json_kind(within) != JSON_MISSING) {
        node->has_within = true;
        error = parse_within(parser, within, pointer, &node->within, &node->within_word);
    }
    if (error != ERR_OK)
        return error;
    parser->sequence = node;
    error = parse_member(parser, pointer, STR("sequence"),
                         read_steps(parser, json_get(json, STR("sequence")), pointer, node));
    parser->sequence = NULL;
    parser->step = 0;
    parser->correlated = false;
    node->relative = true;
    return error;
}

/* ---- touches ---- */

static const char *const statuses[] = { "queued",    "held",   "sent",       "delivered",
                                        "confirmed", "failed", "suppressed", "uncertain",
                                        "opened",    "clicked" };

static err check_status(struct parser *parser, const struct texts *texts, str pointer)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        bool known = false;
        for (size_t j = 0; j < sizeof(statuses) / sizeof(statuses[0]); j++)
            known |= str_equal(texts->items[i], str_from_c(statuses[j]));
        if (known)
            continue;
        struct rule_suggestions like = { 0 };
        for (size_t j = 0; j < sizeof(statuses) / sizeof(statuses[0]); j++)
            rule_suggestions_offer(&like, texts->items[i], str_from_c(statuses[j]));
        parse_fail(parser, pointer, "there is no status '" STR_FMT "' of a touch",
                   STR_ARG(str_slice(texts->items[i], 0, 60)));
        if (like.count > 0)
            return parse_hint(parser, "did you mean '%.*s'?", (int)like.sizes[0], like.names[0]);
        return parse_hint(parser, "possible are: queued held sent delivered confirmed failed "
                                  "suppressed uncertain opened clicked");
    }
    return ERR_OK;
}

static err check_touch(struct parser *parser, const char *field, const struct texts *texts,
                       str pointer)
{
    const struct rule_catalogue *catalogue = parser->catalogue;
    for (uint32_t i = 0; catalogue->touch != NULL && i < texts->count; i++)
        if (!catalogue->touch(catalogue->context, str_from_c(field), texts->items[i]))
            return parse_unknown(parser, pointer, field, texts->items[i]);
    return ERR_OK;
}

/* The field within the member `touch`. */
static err touch_place(struct parser *parser, str pointer, const char *field, err error)
{
    char member[40];
    snprintf(member, sizeof member, "touch/%s", field);
    if (error == ERR_UNPROCESSABLE && parser->problem != NULL &&
        str_equal(str_from_c(parser->problem->pointer), pointer))
        return problem_at(parser->problem, error, STR_FMT "/%s", STR_ARG(pointer), member);
    return error;
}

static err read_touch(struct parser *parser, json_value json, str pointer, struct node *node)
{
    static const char *const fields[] = { "journey", "node", "campaign", "template", "channel" };
    json_value touch = json_get(json, STR("touch"));
    if (!json_is_object(touch)) {
        parse_fail(parser, pointer, "'touch' says which: an object, empty for any");
        return parse_hint(parser,
                          "as {\"touch\":{\"journey\":\"welcome\"},\"status\":\"delivered\"}");
    }
    err error =
        parse_members(parser, touch, pointer, "journey node campaign template channel", false);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && error == ERR_OK; i++) {
        json_value value = json_get(touch, str_from_c(fields[i]));
        if (json_kind(value) == JSON_MISSING)
            continue;
        error = parse_texts(parser, value, pointer, &node->touch[i]);
        if (error == ERR_OK)
            error = check_touch(parser, fields[i], &node->touch[i], pointer);
        error = touch_place(parser, pointer, fields[i], error);
    }
    error = parse_member(parser, pointer, STR("touch"), error);
    json_value status = json_get(json, STR("status"));
    if (error != ERR_OK || json_kind(status) == JSON_MISSING)
        return error;
    error = parse_texts(parser, status, pointer, &node->touch[TOUCH_STATUS]);
    if (error == ERR_OK)
        error = check_status(parser, &node->touch[TOUCH_STATUS], pointer);
    return parse_member(parser, pointer, STR("status"), error);
}

/* Where a touch's field stands in its events. */
static err touch_column(struct parser *parser, size_t field, struct property *property)
{
    static const char *const paths[] = { "$journey", "$node",   "$campaign", "$template",
                                         NULL,       "$status", "$touch" };
    *property = (struct property){ .source = FROM_CHANNEL, .kind = RULE_TEXT, .unit = 1 };
    if (paths[field] == NULL)
        return ERR_OK;
    property->source = FROM_COLUMN;
    property->path = str_from_c(paths[field]);
    property->column_kind = COLUMN_TEXT;
    return parse_column(parser, property->path, COLUMN_TEXT, &property->column);
}

err parse_touch(struct parser *parser, json_value json, str pointer, struct node **out)
{
    struct node *node = parse_make(parser, NODE_TOUCH, pointer);
    if (node == NULL)
        return ERR_NOMEM;
    *out = node;
    static const str nothing[1] = { { NULL, 0 } };
    node->events = (struct texts){ nothing, 1 };
    err error = parse_members(parser, json, pointer, "touch status last during measure", true);
    if (error == ERR_OK)
        error = parse_condition(parser, node);
    if (error == ERR_OK)
        error = read_touch(parser, json, pointer, node);
    for (size_t i = 0; i <= TOUCH_FIELD_COUNT && error == ERR_OK; i++)
        error = touch_column(parser, i, &node->touch_columns[i]);
    if (error == ERR_OK)
        error = parse_measuring(parser, json, pointer, node);
    if (error != ERR_OK)
        return error;
    enum measure measure = node->measuring.measure;
    if (measure != MEASURE_COUNT && measure != MEASURE_DAYS && measure != MEASURE_RECENCY &&
        measure != MEASURE_FIRST && measure != MEASURE_LAST)
        return parse_fail(parser, pointer, "touches have no '%s': they have no amounts",
                          measure_word(measure));
    parse_default_compare(node);
    return ERR_OK;
}
