/* SPDX-License-Identifier: Apache-2.0 */
/* rfm: recency, frequency, monetary value: three measures, each scored by thresholds, and named boxes.
 *
 * Thresholds are the operator's own, or *quantiles*: of all customers who have the three measures, those at the ranks
 * ceil(i * n / q), i = 1 … q-1 (nearest rank). They are computed when the definition is, and each local
 * midnight, and stand in the record that puts them in place; in between they do not move. A measure's score is
 * one more than the thresholds below it; equal values always score the same. Recency counts
 * the other way: the most recent has the highest score. */
#include <stdio.h>
#include <string.h>

#include "audience/state.h"

static const char *const axis_names[3] = { "recency", "frequency", "monetary" };

static err refuse_at(struct problem *problem, const char *pointer, const char *why)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", why);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

static err read_edges(struct rfm_axis *axis, json_value list, const char *name, bool is_exact,
                      struct problem *problem)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/thresholds/%s", name);
    axis->edge_count = 0;
    if (json_count(list) < 1 || json_count(list) > 9)
        return refuse_at(problem, pointer, "1 to 9 numbers, ascending");
    while (json_next(&iterator, NULL, &item)) {
        double unit = axis->kind == RULE_NUMBER && !is_exact ? (double)MILLION : 1;
        int64_t edge =
            is_exact ? json_int(item, 0) : (int64_t)__builtin_llround(json_double(item, 0) * unit);
        if (axis->edge_count > 0 && edge < axis->edges[axis->edge_count - 1])
            return refuse_at(problem, pointer, "thresholds ascend");
        axis->edges[axis->edge_count++] = edge;
    }
    return ERR_OK;
}

static err read_box(struct recipe *recipe, struct rfm_box *box, json_value json, uint32_t index,
                    struct problem *problem)
{
    const str members[3] = { STR("r"), STR("f"), STR("m") };
    char pointer[64];
    str name = json_text(json_get(json, STR("name")));
    snprintf(pointer, sizeof pointer, "/boxes/%u/name", index);
    if (name.size == 0 || name.size > AUDIENCE_KEY_BYTES_MAX)
        return refuse_at(problem, pointer, "a box has a name of 1 to 100 bytes");
    for (size_t axis = 0; axis < 3; axis++) {
        json_value list = json_get(json, members[axis]), score;
        struct json_iterator iterator = json_iterate(list);
        box->allowed[axis] = json_kind(list) == JSON_ARRAY ? 0 : UINT16_MAX;
        while (json_kind(list) == JSON_ARRAY && json_next(&iterator, NULL, &score)) {
            int64_t number = json_int(score, 0);
            snprintf(pointer, sizeof pointer, "/boxes/%u/%s", index, members[axis].data);
            if (number < 1 || number > 10)
                return refuse_at(problem, pointer, "scores are 1 to 10");
            box->allowed[axis] = (uint16_t)(box->allowed[axis] | 1u << number);
        }
    }
    return arena_dup(&recipe->arena, name, &box->name);
}

/* The values: names of boxes, each once, or all triples of scores. */
static err make_values(struct recipe *recipe)
{
    recipe->in_sets = true;
    if (recipe->box_count > 0) {
        recipe->values = arena_array(&recipe->arena, str, recipe->box_count);
        for (uint32_t i = 0; recipe->values != NULL && i < recipe->box_count; i++)
            recipe->values[recipe->value_count++] = recipe->boxes[i].name;
        return recipe->values != NULL ? ERR_OK : ERR_NOMEM;
    }
    uint32_t counts[3], all = 1;
    for (size_t i = 0; i < 3; i++) {
        counts[i] = recipe->quantiles > 0 ? recipe->quantiles : recipe->axes[i].edge_count + 1;
        all *= counts[i];
    }
    recipe->values = arena_array(&recipe->arena, str, all);
    for (uint32_t i = 0; recipe->values != NULL && i < all; i++) {
        uint32_t r = i / (counts[1] * counts[2]), f = i / counts[2] % counts[1], m = i % counts[2];
        err error = arena_printf(&recipe->arena, &recipe->values[recipe->value_count++], "%u-%u-%u",
                                 r + 1, f + 1, m + 1);
        if (error != ERR_OK)
            return error;
    }
    return recipe->values != NULL ? ERR_OK : ERR_NOMEM;
}

err rfm_new(struct audience *audience, struct recipe *recipe, json_value body,
            struct problem *problem)
{
    json_value thresholds = json_get(body, STR("thresholds")), boxes = json_get(body, STR("boxes"));
    json_value edges = json_get(body, STR("$edges")), box;
    err error = ERR_OK;
    recipe->form = FORM_RFM;
    recipe->kind = RULE_TEXT;
    if (json_kind(thresholds) != JSON_OBJECT) {
        int64_t quantiles = json_int(json_get(body, STR("quantiles")), 5);
        if (quantiles < 2 || quantiles > 10)
            return refuse_at(problem, "/quantiles", "quantiles is 2 to 10");
        recipe->quantiles = (uint32_t)quantiles;
    }
    for (size_t i = 0; error == ERR_OK && i < 3; i++) {
        struct rfm_axis *axis = &recipe->axes[i];
        char pointer[32];
        str name = str_from_c(axis_names[i]);
        snprintf(pointer, sizeof pointer, "/%s", axis_names[i]);
        axis->falling = i == 0;
        error = recipe_measure(audience, recipe, json_get(body, name), pointer, &axis->measure,
                               &axis->kind, problem);
        if (error == ERR_OK && (axis->kind == RULE_TEXT || axis->kind == RULE_TEXTS))
            return refuse_at(problem, pointer, "the measure gives no number");
        if (error == ERR_OK && recipe->quantiles == 0)
            error = read_edges(axis, json_get(thresholds, name), axis_names[i], false, problem);
        else if (error == ERR_OK && json_kind(edges) == JSON_OBJECT &&
                 json_count(json_get(edges, name)) > 0)
            error = read_edges(axis, json_get(edges, name), axis_names[i], true, problem);
    }
    if (error == ERR_OK && json_count(boxes) > AUDIENCE_VALUES_MAX)
        return refuse_at(problem, "/boxes", "at most 100 boxes");
    recipe->boxes = arena_array(&recipe->arena, struct rfm_box, json_count(boxes) + 1);
    struct json_iterator iterator = json_iterate(boxes);
    while (error == ERR_OK && recipe->boxes != NULL && json_next(&iterator, NULL, &box)) {
        error =
            read_box(recipe, &recipe->boxes[recipe->box_count], box, recipe->box_count, problem);
        recipe->box_count++;
    }
    if (error == ERR_OK)
        error = recipe->boxes != NULL ? make_values(recipe) : ERR_NOMEM;
    return error;
}

/* ---- judging ---- */

bool rfm_measure(const struct recipe *recipe, size_t axis, struct judging *judging,
                 uint32_t customer, const struct history_view *view, int64_t now_ms,
                 int64_t *number, int64_t *until_ms)
{
    struct rule_value value;
    int64_t until = RULE_FOREVER;
    bool is_there = rule_measure(judging->judge, recipe->axes[axis].measure, customer, view,
                                 &judging->facts, now_ms, &value, &until);
    *until_ms = *until_ms < until ? *until_ms : until;
    *number = is_there ? value.number : 0;
    return is_there;
}

static uint32_t score_of(const struct rfm_axis *axis, int64_t number)
{
    uint32_t score = 1;
    while (score <= axis->edge_count && number > axis->edges[score - 1])
        score++;
    return axis->falling ? axis->edge_count + 2 - score : score;
}

static bool scores_of(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                      const struct history_view *view, int64_t now_ms, uint32_t scores[3],
                      int64_t numbers[3], int64_t *until_ms)
{
    for (size_t i = 0; i < 3; i++) {
        if (!rfm_measure(recipe, i, judging, customer, view, now_ms, &numbers[i], until_ms) ||
            recipe->axes[i].edge_count == 0 || (i == 1 && numbers[i] == 0))
            return false;
        scores[i] = score_of(&recipe->axes[i], numbers[i]);
    }
    return true;
}

static int64_t value_of(const struct recipe *recipe, const uint32_t scores[3])
{
    for (uint32_t i = 0; i < recipe->box_count; i++) {
        const uint16_t *allowed = recipe->boxes[i].allowed;
        if (allowed[0] >> scores[0] & 1 && allowed[1] >> scores[1] & 1 &&
            allowed[2] >> scores[2] & 1)
            return i + 1;
    }
    if (recipe->box_count > 0)
        return NO_VALUE;
    uint32_t f = recipe->axes[1].edge_count + 1, m = recipe->axes[2].edge_count + 1;
    return ((int64_t)(scores[0] - 1) * f + scores[1] - 1) * m + scores[2];
}

int64_t rfm_value(const struct recipe *recipe, const int64_t numbers[3])
{
    uint32_t scores[3];
    for (size_t i = 0; i < 3; i++) {
        if (recipe->axes[i].edge_count == 0)
            return NO_VALUE;
        scores[i] = score_of(&recipe->axes[i], numbers[i]);
    }
    return value_of(recipe, scores);
}

void rfm_judge(const struct recipe *recipe, struct judging *judging, uint32_t customer,
               const struct history_view *view, int64_t now_ms, struct verdict *verdict)
{
    uint32_t scores[3];
    int64_t numbers[3];
    if ((view->count > 0 || !view->complete) &&
        scores_of(recipe, judging, customer, view, now_ms, scores, numbers, &verdict->until_ms))
        verdict->value = value_of(recipe, scores);
}

void rfm_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                 const struct history_view *view, int64_t now_ms, struct json_writer *writer)
{
    uint32_t scores[3] = { 0 };
    int64_t numbers[3] = { 0 }, until_ms = RULE_FOREVER;
    bool has = scores_of(recipe, judging, customer, view, now_ms, scores, numbers, &until_ms);
    json_put_key(writer, STR("scores"));
    json_begin_object(writer);
    for (size_t i = 0; has && i < 3; i++) {
        json_put_key(writer, str_from_c(axis_names[i]));
        json_begin_object(writer);
        json_member_int(writer, STR("score"), scores[i]);
        json_put_key(writer, STR("value"));
        if (recipe->axes[i].kind == RULE_NUMBER)
            json_put_double(writer, (double)numbers[i] / (double)MILLION);
        else
            json_put_int(writer, numbers[i]);
        json_end_object(writer);
    }
    json_end_object(writer);
}
