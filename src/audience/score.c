/* SPDX-License-Identifier: Apache-2.0 */
/* score: points for what a customer is and does, with caps per part and day, and decay by half-life.
 *
 * A part is one of
 *     {"name", "points", "rule"}                       points while the rule holds
 *     {"name", "weight", "measure", "max"}             weight times the measure, at most max
 *     {"name", "weight", "event", "where", "of", "max_per_day", "half_life"}   for each event weight (times the value of `of`),
 *                                                      at most max_per_day a local day, halved every half_life
 * Decay counts in whole local days, so a score moves at midnight and with what happens, and at no other time.
 * Points are added in the order of parts and days, so the same history gives the same last digit everywhere. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "audience/state.h"

#define WHERE_BYTES_MAX ((size_t)256 << 10)

static err refuse_part(struct problem *problem, size_t index, const char *member, const char *why)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", why);
    return problem_at(problem, ERR_UNPROCESSABLE, "/parts/%zu%s", index, member);
}

static bool is_finite_number(json_value value)
{
    return (json_kind(value) == JSON_INT || json_kind(value) == JSON_DOUBLE) &&
           isfinite(json_double(value, 0));
}

/* ---- making ---- */

static err event_part(struct audience *audience, struct recipe *recipe, struct score_part *part,
                      json_value json, size_t index, struct problem *problem)
{
    str event = json_text(json_get(json, STR("event"))), of = json_text(json_get(json, STR("of")));
    json_value where = json_get(json, STR("where"));
    json_value half_life = json_get(json, STR("half_life"));
    int64_t half_life_ms = 0;
    if (event.size == 0)
        return refuse_part(problem, index, "/event",
                           "event is the name of one event; several are parts of their own");
    /* The rule that she ever did it checks the names, and makes the definition listen to the event. */
    struct buffer body;
    buffer_init(&body, WHERE_BYTES_MAX);
    buffer_append_str(&body, STR("{\"event\":"));
    json_write_text(&body, event);
    if (of.size > 0) {
        buffer_append_str(&body, STR(",\"measure\":\"sum\",\"of\":"));
        json_write_text(&body, of);
    } else {
        buffer_append_str(&body, STR(",\"measure\":\"count\""));
    }
    if (json_kind(where) != JSON_MISSING) {
        buffer_append_str(&body, STR(",\"where\":"));
        json_write_value(&body, where);
    }
    buffer_append_str(&body, STR("}"));
    struct json_parser *parser = NULL;
    json_value measure;
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/parts/%zu", index);
    err error = buffer_status(&body);
    if (error == ERR_OK)
        error = json_parser_new(&parser, WHERE_BYTES_MAX);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&body), &measure, problem);
    if (error == ERR_OK)
        error = recipe_measure(audience, recipe, measure, pointer, &part->measure, &part->kind,
                               problem);
    json_parser_free(&parser);
    buffer_deinit(&body);
    if (error != ERR_OK)
        return error;
    if (json_kind(half_life) != JSON_MISSING &&
        (!duration_parse(json_text(half_life), &half_life_ms) || half_life_ms < DAY_MS))
        return refuse_part(problem, index, "/half_life", "half_life is days: \"30d\"");
    part->half_life_days = (double)half_life_ms / (double)DAY_MS;
    const struct rule_needs *needs = rule_needs(part->measure);
    for (size_t i = 0; of.size > 0 && i < needs->column_count; i++)
        if (str_equal(needs->columns[i].path, of))
            part->of_kind = needs->columns[i].kind;
    recipe->needs.time = recipe->needs.time || half_life_ms > 0;
    return error == ERR_OK ? arena_dup(&recipe->arena, event, &part->event) : error;
}

static err new_part(struct audience *audience, struct recipe *recipe, struct score_part *part,
                    json_value json, size_t index, struct problem *problem)
{
    json_value points = json_get(json, STR("points")), weight = json_get(json, STR("weight"));
    json_value rule = json_get(json, STR("rule")), measure = json_get(json, STR("measure"));
    json_value most = json_get(json, STR("max")), per_day = json_get(json, STR("max_per_day"));
    char pointer[64];
    part->cap = is_finite_number(most) ? json_double(most, 0) : (double)INFINITY;
    part->cap_per_day = is_finite_number(per_day) ? json_double(per_day, 0) : (double)INFINITY;
    part->weight = json_double(json_kind(rule) == JSON_OBJECT ? points : weight, 0);
    if (!is_finite_number(json_kind(rule) == JSON_OBJECT ? points : weight))
        return refuse_part(problem, index, json_kind(rule) == JSON_OBJECT ? "/points" : "/weight",
                           "a number is needed");
    err error = arena_dup(&recipe->arena, json_text(json_get(json, STR("name"))), &part->name);
    if (error != ERR_OK)
        return error;
    if (json_kind(rule) == JSON_OBJECT) {
        snprintf(pointer, sizeof pointer, "/parts/%zu/rule", index);
        return recipe_rule(audience, recipe, rule, pointer, &part->rule, problem);
    }
    if (json_kind(measure) == JSON_OBJECT) {
        snprintf(pointer, sizeof pointer, "/parts/%zu/measure", index);
        error = recipe_measure(audience, recipe, measure, pointer, &part->measure, &part->kind,
                               problem);
        if (error == ERR_OK && part->kind != RULE_NUMBER && part->kind != RULE_MONEY)
            return refuse_part(problem, index, "/measure", "points are counted from numbers");
        return error;
    }
    return event_part(audience, recipe, part, json, index, problem);
}

err score_new(struct audience *audience, struct recipe *recipe, json_value body,
              struct problem *problem)
{
    json_value parts = json_get(body, STR("parts")), part;
    json_value most = json_get(body, STR("max"));
    struct json_iterator iterator = json_iterate(parts);
    size_t index = 0;
    recipe->form = FORM_SCORE;
    recipe->kind = RULE_NUMBER;
    recipe->score_max = is_finite_number(most) ? json_double(most, 0) : 1e9;
    if (json_count(parts) < 1 || json_count(parts) > AUDIENCE_PARTS_MAX) {
        problem_set(problem, ERR_UNPROCESSABLE, "a score has 1 to 50 parts");
        return problem_at(problem, ERR_UNPROCESSABLE, "/parts");
    }
    recipe->parts = arena_array(&recipe->arena, struct score_part, json_count(parts));
    if (recipe->parts == NULL)
        return ERR_NOMEM;
    while (json_next(&iterator, NULL, &part)) {
        recipe->part_count = (uint32_t)index + 1;
        err error = new_part(audience, recipe, &recipe->parts[index], part, index, problem);
        if (error != ERR_OK)
            return error;
        index++;
    }
    return ERR_OK;
}

/* ---- judging ---- */

static double natural(enum rule_kind kind, int64_t number)
{
    return kind == RULE_NUMBER ? (double)number / (double)MILLION : (double)number;
}

static double event_value(const struct score_part *part, const struct rule_grouped *event)
{
    if (!event->has_value)
        return 1;
    return part->of_kind == COLUMN_DECIMAL ? (double)event->value / (double)MILLION
                                           : (double)event->value;
}

static double decayed(const struct score_part *part, double points, int64_t days)
{
    double capped = points < part->cap_per_day ? points : part->cap_per_day;
    if (part->half_life_days <= 0)
        return capped;
    return capped * exp2(-(double)days / part->half_life_days);
}

struct adding_up {
    const struct score_part *part;
    const struct rule_zone *zone;
    int64_t today, day;
    double sum, of_day;
};

static void end_day(struct adding_up *adding)
{
    if (adding->day != INT64_MIN)
        adding->sum += decayed(adding->part, adding->of_day, adding->today - adding->day);
    adding->of_day = 0;
}

static bool add_event(void *context, const struct rule_grouped *event)
{
    struct adding_up *adding = context;
    int64_t day = local_day(adding->zone, event->time_ms);
    if (day != adding->day)
        end_day(adding);
    adding->day = day;
    adding->of_day += adding->part->weight * event_value(adding->part, event);
    return true;
}

static double event_points(const struct score_part *part, struct judging *judging,
                           uint32_t customer, const struct history_view *view, int64_t now_ms,
                           int64_t *until_ms)
{
    struct adding_up adding = { .part = part,
                                .zone = judging->zone,
                                .today = local_day(judging->zone, now_ms - 1),
                                .day = INT64_MIN };
    rule_grouped_visit(judging->judge, part->measure, customer, view, &judging->facts, now_ms,
                       add_event, &adding);
    end_day(&adding);
    /* what lies ahead will count */
    for (size_t i = view->count; i > 0 && history_time_ms(view->events[i - 1]) >= now_ms; i--)
        if (history_time_ms(view->events[i - 1]) + 1 < *until_ms)
            *until_ms = history_time_ms(view->events[i - 1]) + 1;
    if (adding.day != INT64_MIN && part->half_life_days > 0) {
        /* judged just after `now_ms - 1`; the new day begins at its first millisecond */
        int64_t midnight = local_day_start(judging->zone, adding.today + 1) + 1;
        *until_ms = *until_ms < midnight ? *until_ms : midnight;
    }
    return adding.sum;
}

double score_part_points(const struct score_part *part, struct judging *judging, uint32_t customer,
                         const struct history_view *view, int64_t now_ms, int64_t *until_ms)
{
    double points = 0;
    if (part->rule != NULL) {
        struct rule_answer answer;
        rule_answer(judging->judge, part->rule, customer, view, &judging->facts, now_ms, &answer);
        *until_ms = *until_ms < answer.until_ms ? *until_ms : answer.until_ms;
        points = answer.holds ? part->weight : 0;
    } else if (part->event.size > 0) {
        points = event_points(part, judging, customer, view, now_ms, until_ms);
    } else {
        struct rule_value value;
        int64_t until = RULE_FOREVER;
        if (rule_measure(judging->judge, part->measure, customer, view, &judging->facts, now_ms,
                         &value, &until))
            points = part->weight * natural(part->kind, value.number);
        *until_ms = *until_ms < until ? *until_ms : until;
    }
    return points < part->cap ? points : part->cap;
}

static int64_t total_of(const struct recipe *recipe, double sum)
{
    double bounded = sum < 0 ? 0 : sum > recipe->score_max ? recipe->score_max : sum;
    return (int64_t)llround(bounded * 100) * (MILLION / 100); /* two digits are enough for points */
}

void score_judge(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                 const struct history_view *view, int64_t now_ms, struct verdict *verdict)
{
    double sum = 0;
    for (uint32_t i = 0; i < recipe->part_count; i++)
        sum += score_part_points(&recipe->parts[i], judging, customer, view, now_ms,
                                 &verdict->until_ms);
    int64_t total = total_of(recipe, sum);
    verdict->value = total != 0 ? total : NO_VALUE; /* who has no points has no score */
}

void score_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                   const struct history_view *view, int64_t now_ms, struct json_writer *writer)
{
    double sum = 0;
    int64_t until_ms = RULE_FOREVER;
    json_put_key(writer, STR("parts"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < recipe->part_count; i++) {
        const struct score_part *part = &recipe->parts[i];
        double points = score_part_points(part, judging, customer, view, now_ms, &until_ms);
        sum += points;
        json_begin_object(writer);
        json_member_text(writer, STR("name"), part->name);
        json_put_key(writer, STR("points"));
        json_put_double(writer, round(points * 100) / 100);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_put_key(writer, STR("score"));
    json_put_double(writer, (double)total_of(recipe, sum) / (double)MILLION);
}
