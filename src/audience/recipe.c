/* SPDX-License-Identifier: Apache-2.0 */
/* recipe: a definition compiled. What it needs, and what it comes to for one customer. */
#include <stdio.h>
#include <string.h>

#include "audience/state.h"

#define RECIPE_BYTES_MAX ((size_t)16 << 20)

/* ---- life ---- */

struct recipe *recipe_hold(struct recipe *recipe)
{
    if (recipe != NULL)
        atomic_fetch_add_explicit(&recipe->references, 1, memory_order_relaxed);
    return recipe;
}

static void recipe_free(struct recipe *recipe)
{
    for (uint32_t i = 0; recipe->rules != NULL && i < recipe->value_count; i++)
        rule_free(&recipe->rules[i]);
    rule_free(&recipe->measure);
    for (uint32_t i = 0; i < recipe->part_count; i++) {
        rule_free(&recipe->parts[i].rule);
        rule_free(&recipe->parts[i].measure);
    }
    for (size_t i = 0; i < 3; i++)
        rule_free(&recipe->axes[i].measure);
    arena_deinit(&recipe->arena);
    memory_free(recipe);
}

void recipe_release(struct recipe **recipe)
{
    struct recipe *gone = *recipe;
    *recipe = NULL;
    if (gone != NULL && atomic_fetch_sub_explicit(&gone->references, 1, memory_order_acq_rel) == 1)
        recipe_free(gone);
}

/* ---- what it needs ---- */

static bool has_number(const uint32_t *numbers, uint32_t count, uint32_t number)
{
    for (uint32_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* Lists are short and made once: each is copied with room for one more. */
static void add_number(struct recipe *recipe, uint32_t **numbers, uint32_t *count, uint32_t number)
{
    if (has_number(*numbers, *count, number))
        return;
    uint32_t *longer = arena_array(&recipe->arena, uint32_t, *count + 1);
    if (longer == NULL)
        return; /* the arena's budget is told at the end of recipe_new */
    if (*count > 0)
        memcpy(longer, *numbers, *count * sizeof(*longer));
    longer[(*count)++] = number;
    *numbers = longer;
}

static void add_event(struct recipe *recipe, str name)
{
    struct needs *needs = &recipe->needs;
    if (name.size == 0) {
        needs->any_event = true;
        return;
    }
    for (uint32_t i = 0; i < needs->event_count; i++)
        if (str_equal(needs->events[i], name))
            return;
    str *longer = arena_array(&recipe->arena, str, needs->event_count + 1);
    if (longer == NULL || arena_dup(&recipe->arena, name, &longer[needs->event_count]) != ERR_OK)
        return;
    if (needs->event_count > 0)
        memcpy(longer, needs->events, needs->event_count * sizeof(*longer));
    needs->events = longer;
    needs->event_count++;
}

void recipe_need_rule(struct recipe *recipe, const struct rule *rule)
{
    const struct rule_needs *from = rule_needs(rule);
    struct needs *needs = &recipe->needs;
    for (size_t i = 0; i < from->event_count; i++)
        add_event(recipe, from->events[i]);
    for (size_t i = 0; i < from->trait_count; i++)
        add_number(recipe, &needs->columns, &needs->column_count, from->traits[i]);
    for (size_t i = 0; i < from->tag_count; i++)
        add_number(recipe, &needs->others, &needs->other_count, from->tags[i]);
    for (size_t i = 0; i < from->segment_count; i++)
        add_number(recipe, &needs->others, &needs->other_count, from->segments[i]);
    for (size_t i = 0; i < from->relation_count; i++)
        add_number(recipe, &needs->columns, &needs->column_count, from->relation_symbols[i]);
    for (size_t i = 0; i < from->entered_journey_count; i++)
        add_number(recipe, &needs->columns, &needs->column_count, from->entered_journeys[i]);
    needs->identifiers = needs->identifiers || from->identifiers;
    needs->consents = needs->consents || from->consents;
    needs->objects = needs->objects || from->objects;
    for (size_t i = 0; i < from->object_symbol_count; i++)
        if (from->object_symbols[i] & OBJECT_TAG)
            add_number(recipe, &needs->others, &needs->other_count,
                       from->object_symbols[i] & ~OBJECT_TAG);
    needs->time = needs->time || from->time;
}

/* ---- making rules within a definition ---- */

static err at_pointer(struct problem *problem, err error, const char *pointer)
{
    char inner[sizeof problem->pointer];
    if (problem == NULL)
        return error;
    memcpy(inner, problem->pointer, sizeof inner);
    return problem_at(problem, error, "%s%.*s", pointer, (int)(sizeof inner - strlen(pointer) - 1),
                      inner);
}

/* Columns of history that the rule needs and that are not there are begun; then it is made again, so that it
 * finds them. */
static err add_columns(struct audience *audience, const struct rule *rule, bool *added,
                       struct problem *problem)
{
    const struct rule_needs *needs = rule_needs(rule);
    struct history *history = audience->config.history;
    *added = false;
    for (size_t i = 0; history != NULL && i < needs->column_count; i++) {
        const struct rule_column *column = &needs->columns[i];
        history_column number = history_column_find(history, column->path, column->kind);
        if (number != 0)
            continue;
        err error = history_add_column(history, column->path, column->kind, &number, problem);
        if (error != ERR_OK)
            return error;
        *added = true;
        if (audience->config.fill_column != NULL)
            audience->config.fill_column(audience->config.context, column->path, column->kind,
                                         number);
        else
            history_fill_end(history, number);
    }
    return ERR_OK;
}

static err want_entered(struct audience *audience, const struct rule *rule)
{
    const struct rule_needs *needs = rule_needs(rule);
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < needs->entered_count; i++) {
        struct definition *segment = definition_at(audience, needs->entered[i]);
        if (segment != NULL)
            error = entered_want(audience, segment);
    }
    return error;
}

static err object_rule(struct audience *audience, struct recipe *recipe, json_value json,
                       const char *pointer, struct rule **rule, struct problem *problem)
{
    str kind = audience->objects.kinds[recipe->on]->ids->key;
    err error = rule_objects_new(rule, kind, json, &audience->catalogue, problem);
    if (error != ERR_OK)
        return at_pointer(problem, error, pointer);
    recipe_need_rule(recipe, *rule);
    recipe->needs.nested = recipe->needs.nested || rule_needs(*rule)->nested;
    return ERR_OK;
}

err recipe_rule(struct audience *audience, struct recipe *recipe, json_value json,
                const char *pointer, struct rule **rule, struct problem *problem)
{
    bool added = false;
    if (recipe->on != 0)
        return object_rule(audience, recipe, json, pointer, rule, problem);
    err error = rule_new(rule, json, &audience->catalogue, problem);
    if (error == ERR_OK)
        error = add_columns(audience, *rule, &added, problem);
    if (error == ERR_OK && added) {
        rule_free(rule);
        error = rule_new(rule, json, &audience->catalogue, problem);
    }
    if (error != ERR_OK)
        return at_pointer(problem, error, pointer);
    recipe_need_rule(recipe, *rule);
    return want_entered(audience, *rule);
}

err recipe_measure(struct audience *audience, struct recipe *recipe, json_value json,
                   const char *pointer, struct rule **rule, enum rule_kind *kind,
                   struct problem *problem)
{
    bool added = false;
    err error = rule_measure_new(rule, json, &audience->catalogue, kind, problem);
    if (error == ERR_OK)
        error = add_columns(audience, *rule, &added, problem);
    if (error == ERR_OK && added) {
        rule_free(rule);
        error = rule_measure_new(rule, json, &audience->catalogue, kind, problem);
    }
    if (error != ERR_OK)
        return at_pointer(problem, error, pointer);
    recipe_need_rule(recipe, *rule);
    return want_entered(audience, *rule);
}

/* ---- segments ---- */

static err refuse(struct problem *problem, const char *pointer, const char *why)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s", why);
    return problem_at(problem, ERR_UNPROCESSABLE, "%s", pointer);
}

static err set_values(struct recipe *recipe, uint32_t count)
{
    recipe->in_sets = true;
    recipe->value_count = count;
    recipe->values = arena_array(&recipe->arena, str, count);
    recipe->rules = arena_array(&recipe->arena, struct rule *, count);
    return recipe->values != NULL && recipe->rules != NULL ? ERR_OK : ERR_NOMEM;
}

static err segment_by_rule(struct audience *audience, struct recipe *recipe, json_value rule,
                           const char *pointer, struct problem *problem)
{
    recipe->form = FORM_RULE;
    err error = set_values(recipe, 1);
    if (error == ERR_OK)
        error = recipe_rule(audience, recipe, rule, pointer, &recipe->rules[0], problem);
    return error;
}

/* {"op":"union"|"intersection"|"difference", "of":[keys]} is a rule about segments. */
static err write_algebra(json_value body, struct buffer *out, struct problem *problem)
{
    str operation = json_text(json_get(body, STR("op")));
    json_value of = json_get(body, STR("of")), key;
    bool minus = str_equal(operation, STR("difference"));
    size_t index = 0;
    if (json_count(of) < 1 || json_count(of) > AUDIENCE_OPERANDS_MAX)
        return refuse(problem, "/of", "of lists 1 to 50 keys of segments");
    if (!minus && !str_equal(operation, STR("union")) && !str_equal(operation, STR("intersection")))
        return refuse(problem, "/op", "op is union, intersection or difference");
    struct json_iterator iterator = json_iterate(of);
    buffer_append_str(out,
                      str_equal(operation, STR("union")) ? STR("{\"any\":[") : STR("{\"all\":["));
    while (json_next(&iterator, NULL, &key)) {
        bool negated = minus && index > 0;
        buffer_append_str(out, index++ > 0 ? STR(",") : STR(""));
        buffer_append_str(out, negated ? STR("{\"not\":{\"segment\":") : STR("{\"segment\":"));
        json_write_text(out, json_text(key));
        buffer_append_str(out, negated ? STR("}}") : STR("}"));
    }
    buffer_append_str(out, STR("]}"));
    return buffer_status(out);
}

static err segment_by_algebra(struct audience *audience, struct recipe *recipe, json_value body,
                              struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct buffer text;
    json_value rule;
    buffer_init(&text, 65536);
    err error = write_algebra(body, &text, problem);
    if (error == ERR_OK)
        error = json_parser_new(&parser, 65536);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&text), &rule, problem);
    if (error == ERR_OK)
        error = segment_by_rule(audience, recipe, rule, "/of", problem);
    json_parser_free(&parser);
    buffer_deinit(&text);
    return error;
}

static err segment_by_chance(struct recipe *recipe, json_value body, struct problem *problem)
{
    str seed = json_text(json_get(body, STR("seed")));
    int64_t buckets = json_int(json_get(body, STR("buckets")), 100);
    int64_t from = json_int(json_get(body, STR("from")), 0);
    int64_t to = json_int(json_get(body, STR("to")), 0);
    recipe->form = FORM_RANDOM;
    if (seed.size == 0 || seed.size > AUDIENCE_KEY_BYTES_MAX)
        return refuse(problem, "/seed", "seed is a text of 1 to 100 bytes");
    if (buckets < 2 || buckets > 10000)
        return refuse(problem, "/buckets", "buckets is 2 to 10000");
    if (from < 0 || to <= from || to > buckets)
        return refuse(problem, "/to", "from and to are buckets: 0 <= from < to <= buckets");
    recipe->seed = hash_bytes64(seed.data, seed.size, 0);
    recipe->bucket_count = (uint32_t)buckets;
    recipe->bucket_from = (uint32_t)from;
    recipe->bucket_to = (uint32_t)to;
    return set_values(recipe, 1);
}

/* "on": customers, or a kind of objects that somebody has described or brought. */
static err read_on(struct audience *audience, struct recipe *recipe, json_value body,
                   struct problem *problem)
{
    str on = json_text(json_get(body, STR("on")));
    struct rule_suggestions like = { .count = 0 };
    struct buffer names;
    if (on.size == 0 || str_equal(on, STR("customer")))
        return ERR_OK;
    const struct object_kind *kind = objects_kind(audience, on);
    if (kind != NULL) {
        recipe->on = kind->number;
        return ERR_OK;
    }
    problem_set(problem, ERR_UNPROCESSABLE, "there is no kind of objects '%.*s'",
                (int)str_utf8_prefix_bytes(on, 60), on.data);
    objects_suggest(audience, STR("object"), &like, on);
    buffer_init(&names, 400);
    rule_suggestions_write(&like, &names);
    if (like.count > 0 && buffer_status(&names) == ERR_OK)
        problem_hint(problem, ERR_UNPROCESSABLE, "did you mean " STR_FMT "?",
                     STR_ARG(buffer_str(&names)));
    else
        problem_hint(problem, ERR_UNPROCESSABLE, "on is customer, or a kind of /objects");
    buffer_deinit(&names);
    return problem_at(problem, ERR_UNPROCESSABLE, "/on");
}

static err segment_recipe(struct audience *audience, struct recipe *recipe, json_value body,
                          struct problem *problem)
{
    str kind = json_text(json_get(body, STR("kind")));
    recipe->kind = RULE_BOOL;
    if (recipe->on != 0 && kind.size > 0 && !str_equal(kind, STR("rule")) &&
        !str_equal(kind, STR("static")) && !str_equal(kind, STR("upload")))
        return refuse(problem, "/kind", "of objects, kind is rule, static or upload");
    if (kind.size == 0 || str_equal(kind, STR("rule")))
        return segment_by_rule(audience, recipe, json_get(body, STR("rule")), "/rule", problem);
    if (str_equal(kind, STR("algebra")))
        return segment_by_algebra(audience, recipe, body, problem);
    if (str_equal(kind, STR("random")))
        return segment_by_chance(recipe, body, problem);
    if (str_equal(kind, STR("static")) || str_equal(kind, STR("upload")) ||
        str_equal(kind, STR("snapshot"))) {
        recipe->form = FORM_GIVEN;
        recipe->needs.nodes = true;
        return set_values(recipe, 1);
    }
    return refuse(problem, "/kind", "kind is rule, algebra, random, static, upload or snapshot");
}

/* ---- tags ---- */

static err value_rules(struct audience *audience, struct recipe *recipe, json_value list,
                       const char *name, struct problem *problem)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    uint32_t index = 0;
    char pointer[64];
    recipe->form = FORM_RULE;
    recipe->kind = RULE_TEXT;
    if (json_count(list) < 1 || json_count(list) > AUDIENCE_VALUES_MAX) {
        snprintf(pointer, sizeof pointer, "/%s", name);
        return refuse(problem, pointer, "a list of 1 to 100 values, each with its rule");
    }
    err error = set_values(recipe, (uint32_t)json_count(list));
    while (error == ERR_OK && json_next(&iterator, NULL, &item)) {
        str value = json_text(json_get(item, STR("value")));
        snprintf(pointer, sizeof pointer, "/%s/%u/value", name, index);
        if (value.size == 0 || value.size > AUDIENCE_KEY_BYTES_MAX)
            return refuse(problem, pointer, "a value is a text of 1 to 100 bytes");
        for (uint32_t i = 0; i < index; i++)
            if (str_equal(recipe->values[i], value))
                return refuse(problem, pointer, "the value is there twice");
        error = arena_dup(&recipe->arena, value, &recipe->values[index]);
        snprintf(pointer, sizeof pointer, "/%s/%u/rule", name, index);
        if (error == ERR_OK)
            error = recipe_rule(audience, recipe, json_get(item, STR("rule")), pointer,
                                &recipe->rules[index], problem);
        index++;
    }
    return error;
}

static err tag_given(struct recipe *recipe, json_value body, struct problem *problem)
{
    str type = json_text(json_get(body, STR("type")));
    recipe->form = FORM_GIVEN;
    recipe->needs.nodes = true;
    if (type.size == 0 || str_equal(type, STR("text")))
        recipe->kind = RULE_TEXT;
    else if (str_equal(type, STR("number")))
        recipe->kind = RULE_NUMBER;
    else if (str_equal(type, STR("time")))
        recipe->kind = RULE_TIME;
    else if (str_equal(type, STR("bool")))
        recipe->kind = RULE_BOOL;
    else
        return refuse(problem, "/type", "type is text, number, time or bool");
    return ERR_OK;
}

/* The measure without what is said of objects alone: `via`, and customers instead of events. */
static void write_plain(json_value measure, struct recipe *recipe, struct buffer *out)
{
    struct json_iterator iterator = json_iterate(measure);
    json_value value;
    str key;
    bool first = true;
    buffer_append_byte(out, '{');
    while (json_next(&iterator, &key, &value)) {
        if (str_equal(key, STR("via")))
            continue;
        buffer_append_str(out, first ? STR("") : STR(","));
        first = false;
        json_write_text(out, key);
        buffer_append_byte(out, ':');
        bool customers =
            str_equal(key, STR("measure")) && str_equal(json_text(value), STR("customers"));
        recipe->by_customers = recipe->by_customers || customers;
        if (customers)
            buffer_append_str(out, STR("\"count\""));
        else
            json_write_value(out, value);
    }
    buffer_append_byte(out, '}');
}

static err count_by_object(struct audience *audience, struct recipe *recipe, json_value measure,
                           struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct buffer text;
    json_value plain;
    bool added = false;
    str via = json_text(json_get(measure, STR("via")));
    if (!json_is_object(measure))
        return refuse(problem, "/measure",
                      "a measure with via: the property that names the object");
    if (via.size == 0)
        return refuse(problem, "/measure/via", "via is the property that names the object");
    buffer_init(&text, (size_t)1 << 20);
    write_plain(measure, recipe, &text);
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = json_parser_new(&parser, (size_t)1 << 20);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&text), &plain, problem);
    for (int round = 0; error == ERR_OK && (round == 0 || (round == 1 && added)); round++) {
        rule_free(&recipe->measure);
        error = rule_grouped_new(&recipe->measure, plain, via, &audience->catalogue, &recipe->kind,
                                 problem);
        if (error == ERR_OK)
            error = add_columns(audience, recipe->measure, &added, problem);
    }
    if (error == ERR_OK)
        recipe_need_rule(recipe, recipe->measure);
    else
        error = at_pointer(problem, error, "/measure");
    json_parser_free(&parser);
    buffer_deinit(&text);
    return error;
}

static err tag_count(struct audience *audience, struct recipe *recipe, json_value body,
                     struct problem *problem)
{
    recipe->form = FORM_COUNT;
    if (recipe->on != 0)
        return count_by_object(audience, recipe, json_get(body, STR("measure")), problem);
    return recipe_measure(audience, recipe, json_get(body, STR("measure")), "/measure",
                          &recipe->measure, &recipe->kind, problem);
}

static err tag_recipe(struct audience *audience, struct recipe *recipe, json_value body,
                      struct problem *problem)
{
    str kind = json_text(json_get(body, STR("kind")));
    if (recipe->on != 0 && (str_equal(kind, STR("score")) || str_equal(kind, STR("rfm"))))
        return refuse(problem, "/kind",
                      "of objects, kind is rule, stage, count, manual, imported or model");
    if (kind.size == 0 || str_equal(kind, STR("rule")))
        return value_rules(audience, recipe, json_get(body, STR("values")), "values", problem);
    if (str_equal(kind, STR("stage"))) {
        recipe->last_wins = true;
        return value_rules(audience, recipe, json_get(body, STR("stages")), "stages", problem);
    }
    if (str_equal(kind, STR("count")))
        return tag_count(audience, recipe, body, problem);
    if (str_equal(kind, STR("score")))
        return score_new(audience, recipe, body, problem);
    if (str_equal(kind, STR("rfm")))
        return rfm_new(audience, recipe, body, problem);
    if (str_equal(kind, STR("manual")) || str_equal(kind, STR("imported")) ||
        str_equal(kind, STR("model")))
        return tag_given(recipe, body, problem);
    return refuse(problem, "/kind",
                  "kind is rule, stage, count, score, rfm, manual, imported or model");
}

err recipe_new(struct audience *audience, enum audience_kind kind, json_value body,
               struct recipe **recipe, struct problem *problem)
{
    struct recipe *made = memory_alloc(sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    atomic_init(&made->references, 1);
    arena_init(&made->arena, "audience recipes", RECIPE_BYTES_MAX);
    err error = read_on(audience, made, body, problem);
    if (error == ERR_OK)
        error = kind == AUDIENCE_SEGMENT ? segment_recipe(audience, made, body, problem)
                                         : tag_recipe(audience, made, body, problem);
    if (error != ERR_OK) {
        recipe_release(&made);
        return error;
    }
    for (uint32_t i = 0; made->needs.consents && i < audience->facts.column_count; i++)
        if (audience->facts.columns[i]->source == COLUMN_CONSENT)
            add_number(made, &made->needs.columns, &made->needs.column_count, i);
    if (made->needs.identifiers)
        add_number(made, &made->needs.columns, &made->needs.column_count, 0);
    *recipe = made;
    return ERR_OK;
}

/* ---- readiness ---- */

static bool rule_is_ready(const struct audience *audience, const struct rule *rule)
{
    const struct rule_needs *needs = rule != NULL ? rule_needs(rule) : NULL;
    struct history *history = audience->config.history;
    for (size_t i = 0; needs != NULL && history != NULL && i < needs->column_count; i++) {
        history_column column =
            history_column_find(history, needs->columns[i].path, needs->columns[i].kind);
        bool streams = audience->config.past != NULL && history_column_is_full(history, column);
        if (column == 0 || (!streams && !history_column_is_ready(history, column)))
            return false;
    }
    return true;
}

err recipe_prepare(struct audience *audience, const struct recipe *recipe, bool *is_ready,
                   struct problem *problem)
{
    (void)problem;
    bool ready = rule_is_ready(audience, recipe->measure);
    for (uint32_t i = 0; recipe->rules != NULL && i < recipe->value_count; i++)
        ready = rule_is_ready(audience, recipe->rules[i]) && ready;
    for (uint32_t i = 0; i < recipe->part_count; i++)
        ready = rule_is_ready(audience, recipe->parts[i].rule) &&
                rule_is_ready(audience, recipe->parts[i].measure) && ready;
    for (size_t i = 0; i < 3; i++)
        ready = rule_is_ready(audience, recipe->axes[i].measure) && ready;
    for (uint32_t i = 0; i < recipe->needs.column_count; i++) {
        columns_want(&audience->facts, recipe->needs.columns[i]);
        ready = columns_is_filled(&audience->facts, recipe->needs.columns[i]) && ready;
    }
    *is_ready = ready;
    return ERR_OK;
}

/* ---- judging ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* By what is shared, where it is known; else alone. `place`: among the recipe's rules. */
static bool holds_now(const struct rule *rule, uint32_t place, struct judging *judging,
                      uint32_t customer, const struct history_view *view, int64_t now_ms,
                      int64_t *until_ms)
{
    struct rule_answer answer;
    bool holds;
    if (judging->pool != NULL &&
        rule_pool_answer(judging->pool, judging->hearing, judging->first_rule + place, &holds))
        return holds;
    rule_answer(judging->judge, rule, customer, view, &judging->facts, now_ms, &answer);
    *until_ms = earlier(*until_ms, answer.until_ms);
    return answer.holds;
}

/* The first value whose rule holds; for stages the last. Once one holds those after it do not matter, until
 * time changes one of those before. */
static void judge_rules(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                        const struct history_view *view, int64_t now_ms, struct verdict *verdict)
{
    for (uint32_t i = 0; i < recipe->value_count; i++) {
        uint32_t index = recipe->last_wins ? recipe->value_count - 1 - i : i;
        if (holds_now(recipe->rules[index], index, judging, customer, view, now_ms,
                      &verdict->until_ms)) {
            verdict->value = index + 1;
            return;
        }
    }
}

static bool in_bucket(const struct recipe *recipe, uint32_t customer)
{
    uint64_t hash = hash_mix64(recipe->seed ^ hash_mix64(customer));
    uint32_t bucket = (uint32_t)(hash % recipe->bucket_count);
    return bucket >= recipe->bucket_from && bucket < recipe->bucket_to;
}

static void judge_count(const struct recipe *recipe, struct lexicon *texts, struct judging *judging,
                        uint32_t customer, const struct history_view *view, int64_t now_ms,
                        struct verdict *verdict)
{
    struct rule_value value;
    bool is_set;
    if (judging->pool == NULL ||
        !rule_pool_measure(judging->pool, judging->hearing, judging->first_rule, &value, &is_set))
        is_set = rule_measure(judging->judge, recipe->measure, customer, view, &judging->facts,
                              now_ms, &value, &verdict->until_ms);
    if (!is_set)
        return;
    if (recipe->kind != RULE_TEXT) {
        verdict->value = value.number;
        return;
    }
    uint32_t code = texts != NULL ? lexicon_intern(texts, value.text) : 1;
    if (code != 0)
        verdict->value = code;
}

void recipe_judge(const struct recipe *recipe, struct lexicon *texts, struct judging *judging,
                  uint32_t customer, const struct history_view *view, int64_t now_ms,
                  struct verdict *verdict)
{
    *verdict = (struct verdict){ .value = NO_VALUE, .until_ms = RULE_FOREVER };
    switch (recipe->form) {
    case FORM_RULE:
        judge_rules(recipe, judging, customer, view, now_ms, verdict);
        return;
    case FORM_RANDOM:
        if (in_bucket(recipe, customer))
            verdict->value = 1;
        return;
    case FORM_COUNT:
        judge_count(recipe, texts, judging, customer, view, now_ms, verdict);
        return;
    case FORM_SCORE:
        score_judge(recipe, judging, customer, view, now_ms, verdict);
        return;
    case FORM_RFM:
        rfm_judge(recipe, judging, customer, view, now_ms, verdict);
        return;
    case FORM_GIVEN:
        return;
    }
}

/* ---- why ---- */

static void write_explained(const struct rule *rule, struct judging *judging, uint32_t customer,
                            const struct history_view *view, int64_t now_ms,
                            struct json_writer *writer)
{
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    rule_explain(judging->judge, rule, customer, view, &judging->facts, now_ms, &text);
    json_put_key(writer, STR("why"));
    if (buffer_status(&text) == ERR_OK && text.size > 0)
        json_put_raw(writer, buffer_str(&text));
    else
        json_put_null(writer);
    buffer_deinit(&text);
}

void recipe_explain(const struct recipe *recipe, struct judging *judging, uint32_t customer,
                    const struct history_view *view, int64_t now_ms, struct json_writer *writer)
{
    if (recipe->form == FORM_SCORE) {
        score_explain(recipe, judging, customer, view, now_ms, writer);
        return;
    }
    if (recipe->form == FORM_RFM) {
        rfm_explain(recipe, judging, customer, view, now_ms, writer);
        return;
    }
    json_put_key(writer, STR("rules"));
    json_begin_array(writer);
    for (uint32_t i = 0; recipe->form == FORM_RULE && i < recipe->value_count; i++) {
        json_begin_object(writer);
        if (recipe->kind == RULE_TEXT)
            json_member_text(writer, STR("value"), recipe->values[i]);
        write_explained(recipe->rules[i], judging, customer, view, now_ms, writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}
