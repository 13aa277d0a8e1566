/* SPDX-License-Identifier: Apache-2.0 */
/* object_question: objects as the answer: which stores, advisers, products a rule finds, and through which of them
 * customers did something.
 *
 *     {"on":"store", "rule":{…}}                         the stores that the rule holds of
 *     {… "customers":{"rule":{…}, "measure":{"event":…,"via":…}}}   of those, the ones that such customers' events name
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audience/question.h"

#define SAMPLE_MAX 20u
#define PARTS_MAX 20u
#define NAMED_MAX 200u
#define SLICE_CUSTOMERS 4096u

struct named {
    uint32_t number, last_customer;
    uint64_t customers, events;
};
struct object_part {
    struct rule *rule;
    char path[40];
};
struct object_question {
    uint32_t on;
    uint64_t base; /* objects of the kind, when it began */
    struct object_part parts[PARTS_MAX];
    uint32_t part_count;
    struct recipe *people;  /* of the customers; may be NULL */
    struct recipe *counted; /* what they did; NULL: nobody asks */
};

/* ---- beginning ---- */

static err add_part(struct audience_question *question, json_value json, const char *path,
                    struct problem *problem)
{
    struct object_question *objects = question->objects;
    struct audience *audience = question->audience;
    struct object_part *part = &objects->parts[objects->part_count];
    str kind = audience->objects.kinds[objects->on]->ids->key;
    snprintf(part->path, sizeof part->path, "%s", path);
    err error = rule_objects_new(&part->rule, kind, json, &audience->catalogue, problem);
    if (error == ERR_OK)
        objects->part_count++;
    return error;
}

/* The conditions side by side, each to be counted alone. */
static err add_parts(struct audience_question *question, json_value rule, struct problem *problem)
{
    json_value all = json_get(rule, STR("all")), item;
    bool is_list = json_kind(rule) == JSON_ARRAY;
    struct json_iterator iterator = json_iterate(is_list ? rule : all);
    char path[40];
    err error = ERR_OK;
    if (!is_list && json_kind(all) != JSON_ARRAY)
        return add_part(question, rule, "", problem);
    for (uint32_t i = 0; error == ERR_OK && i < PARTS_MAX && json_next(&iterator, NULL, &item);
         i++) {
        snprintf(path, sizeof path, is_list ? "/%u" : "/all/%u", i);
        error = add_part(question, item, path, problem);
    }
    return error;
}

static err new_recipe(struct audience_question *question, enum audience_kind kind,
                      const char *format, json_value inner, str on, struct recipe **recipe,
                      struct problem *problem)
{
    struct json_parser *parser = NULL;
    struct buffer text, value;
    json_value body;
    buffer_init(&text, (size_t)8 << 20);
    buffer_init(&value, (size_t)8 << 20);
    json_write_value(&value, inner);
    buffer_append_str(&text, STR("{\"on\":"));
    json_write_text(&text, on);
    buffer_append_str(&text, str_from_c(format));
    buffer_append_str(&text, buffer_str(&value));
    buffer_append_str(&text, STR("}"));
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = json_parser_new(&parser, (size_t)8 << 20);
    if (error == ERR_OK)
        error = json_parse(parser, buffer_str(&text), &body, problem);
    if (error == ERR_OK)
        error = recipe_new(question->audience, kind, body, recipe, problem);
    json_parser_free(&parser);
    buffer_deinit(&value);
    buffer_deinit(&text);
    return error;
}

static err begin_customers(struct audience_question *question, json_value customers, str on,
                           struct problem *problem)
{
    struct object_question *objects = question->objects;
    json_value rule = json_get(customers, STR("rule"));
    char inner[sizeof problem->pointer];
    err error = ERR_OK;
    if (!json_is_object(customers))
        return ERR_OK;
    if (json_kind(rule) != JSON_MISSING)
        error = new_recipe(question, AUDIENCE_SEGMENT, ",\"rule\":", rule, STR("customer"),
                           &objects->people, problem);
    if (error == ERR_OK)
        error = new_recipe(question, AUDIENCE_TAG,
                           ",\"kind\":\"count\",\"measure\":", json_get(customers, STR("measure")),
                           on, &objects->counted, problem);
    if (error == ERR_OK || problem == NULL)
        return error;
    memcpy(inner, problem->pointer, sizeof inner);
    return problem_at(problem, error, "/customers%.180s", inner);
}

static err ready_and_facts(struct audience_question *question, const struct recipe *recipe,
                           bool *ready, struct problem *problem)
{
    bool is_ready = true;
    if (recipe == NULL)
        return ERR_OK;
    err error = recipe_prepare(question->audience, recipe, &is_ready, problem);
    *ready = *ready && is_ready;
    if (error == ERR_OK && is_ready)
        error = others_take(question->audience, &recipe->needs, &question->facts.others);
    return error;
}

err objects_question_begin(struct audience_question *question, json_value body, bool *ready,
                           struct problem *problem)
{
    struct audience *audience = question->audience;
    json_value rule = json_get(body, STR("rule"));
    struct object_question *objects = memory_alloc(sizeof *objects);
    err error;
    if (objects == NULL)
        return ERR_NOMEM;
    question->objects = objects;
    if (json_kind(rule) == JSON_MISSING) {
        problem_set(problem, ERR_UNPROCESSABLE, "rule says which objects; {\"all\":[]}: every one");
        return problem_at(problem, ERR_UNPROCESSABLE, "/rule");
    }
    error = recipe_new(audience, AUDIENCE_SEGMENT, body, &question->recipe, problem);
    if (error != ERR_OK)
        return error;
    objects->on = question->recipe->on;
    objects->base = audience->objects.kinds[objects->on]->count;
    error = add_parts(question, rule, problem);
    if (error == ERR_OK)
        error = begin_customers(question, json_get(body, STR("customers")),
                                json_text(json_get(body, STR("on"))), problem);
    question->facts.audience = audience;
    if (error == ERR_OK)
        error = ready_and_facts(question, question->recipe, ready, problem);
    if (error == ERR_OK)
        error = ready_and_facts(question, objects->people, ready, problem);
    if (error == ERR_OK)
        error = ready_and_facts(question, objects->counted, ready, problem);
    return error;
}

void objects_question_free(struct audience_question *question)
{
    struct object_question *objects = question->objects;
    if (objects == NULL)
        return;
    for (uint32_t i = 0; i < objects->part_count; i++)
        rule_free(&objects->parts[i].rule);
    recipe_release(&objects->people);
    recipe_release(&objects->counted);
    memory_free(objects);
    question->objects = NULL;
}

/* ---- on the thread ---- */

struct asking {
    const struct audience_question *question;
    const _Atomic bool *cancel;
    struct rule_judge *judge;
    struct rule_facts facts;
    struct stream_list lacking; /* whose events memory does not hold */
    struct named *named;        /* by number; number 0: the rule does not hold */
    uint32_t object_count, customer, named_count;
    bool asks_people;
};

static bool note_named(void *context, const struct rule_grouped *grouped)
{
    struct asking *asking = context;
    const struct audience_question *question = asking->question;
    uint32_t number = object_number(question->audience, question->objects->on, grouped->id);
    if (number == 0 || number > asking->object_count || asking->named[number].number == 0)
        return true;
    struct named *named = &asking->named[number];
    named->events++;
    asking->named_count += named->customers == 0;
    named->customers += named->last_customer != asking->customer;
    named->last_customer = asking->customer;
    return true;
}

static bool visit(void *context, uint32_t customer, const struct history_view *view)
{
    struct asking *asking = context;
    const struct audience_question *question = asking->question;
    const struct object_question *objects = question->objects;
    struct rule_answer answer = { .holds = true };
    asking->customer = customer;
    if (objects->people != NULL)
        rule_answer(asking->judge, objects->people->rules[0], customer, view, &asking->facts,
                    question->now_ms + 1, &answer);
    if (lacked_events(question->audience, asking->judge))
        return stream_list_add(&asking->lacking, customer);
    if (answer.holds)
        rule_grouped_visit(asking->judge, objects->counted->measure, customer, view, &asking->facts,
                           question->now_ms + 1, note_named, asking);
    return !lacked_events(question->audience, asking->judge) ||
           stream_list_add(&asking->lacking, customer);
}

static err stream_lacking(struct asking *asking, struct history_reader *reader)
{
    struct audience *audience = asking->question->audience;
    const struct object_question *objects = asking->question->objects;
    struct problem problem = { .error = ERR_OK };
    struct stream_list lacking = asking->lacking;
    struct stream_form form;
    struct streaming streaming = { .form = &form,
                                   .until_seq = asking->question->seq,
                                   .reader = reader,
                                   .visit = visit,
                                   .context = asking };
    if (lacking.count == 0)
        return ERR_OK;
    asking->lacking = (struct stream_list){ .count = 0 };
    stream_form_init(&form);
    err error = stream_form_recipe(&form, audience->config.history, objects->counted);
    if (error == ERR_OK && objects->people != NULL)
        error = stream_form_recipe(&form, audience->config.history, objects->people);
    if (error == ERR_OK)
        error = stream_customers(audience, &streaming, lacking.customers, lacking.count, &problem);
    stream_form_deinit(&form);
    stream_list_free(&lacking);
    return error;
}

static err ask_people(struct asking *asking)
{
    const struct audience_question *question = asking->question;
    struct history_reader *reader = NULL;
    err error = history_reader_new(&reader, question->audience->config.history);
    for (uint64_t from = 1; error == ERR_OK && from <= question->last; from += SLICE_CUSTOMERS) {
        uint64_t to = from + SLICE_CUSTOMERS;
        if (asking->cancel != NULL && atomic_load(asking->cancel))
            break;
        history_read_begin(reader);
        history_scan(reader, (uint32_t)from,
                     (uint32_t)(to > question->last ? (uint64_t)question->last + 1 : to), visit,
                     asking);
        history_read_end(reader);
    }
    if (error == ERR_OK)
        error = stream_lacking(asking, reader);
    stream_list_free(&asking->lacking);
    history_reader_free(&reader);
    return error;
}

static int compare_named(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    if (a->customers != b->customers)
        return a->customers > b->customers ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static void write_named(struct asking *asking, struct json_writer *writer)
{
    const struct audience_question *question = asking->question;
    qsort(asking->named + 1, asking->object_count, sizeof(*asking->named), compare_named);
    json_put_key(writer, STR("items"));
    json_begin_array(writer);
    for (uint32_t i = 1; i <= asking->object_count && i <= NAMED_MAX; i++) {
        const struct named *named = &asking->named[i];
        if (named->customers == 0)
            break;
        json_begin_object(writer);
        json_member_text(writer, STR("id"),
                         object_id(question->audience, question->objects->on, named->number));
        json_member_int(writer, STR("customers"), (int64_t)named->customers);
        json_member_int(writer, STR("events"), (int64_t)named->events);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static void write_sample(const struct asking *asking, struct json_writer *writer)
{
    const struct audience_question *question = asking->question;
    uint32_t written = 0;
    json_put_key(writer, STR("sample"));
    json_begin_array(writer);
    for (uint32_t i = 1; i <= asking->object_count && written < SAMPLE_MAX; i++) {
        const struct named *named = &asking->named[i];
        if (named->number == 0 || (asking->asks_people && named->customers == 0))
            continue;
        json_put_text(writer, object_id(question->audience, question->objects->on, named->number));
        written++;
    }
    json_end_array(writer);
}

static void write_parts(struct asking *asking, struct json_writer *writer)
{
    const struct object_question *objects = asking->question->objects;
    json_put_key(writer, STR("conditions"));
    json_begin_array(writer);
    for (uint32_t i = 0; i < objects->part_count; i++) {
        int64_t count = 0;
        for (uint32_t number = 1; number <= asking->object_count; number++) {
            struct rule_answer answer = { .holds = false };
            if (object_is_there(asking->question->audience, objects->on, number))
                rule_object_answer(asking->judge, objects->parts[i].rule, &asking->facts, number,
                                   asking->question->now_ms + 1, &answer);
            count += answer.holds;
        }
        json_begin_object(writer);
        json_member_text(writer, STR("path"), str_from_c(objects->parts[i].path));
        json_member_int(writer, STR("count"), count);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static uint32_t find_objects(struct asking *asking)
{
    const struct audience_question *question = asking->question;
    const struct object_question *objects = question->objects;
    uint32_t found = 0;
    for (uint32_t number = 1; number <= asking->object_count; number++) {
        struct rule_answer answer = { .holds = false };
        if (object_is_there(question->audience, objects->on, number))
            rule_object_answer(asking->judge, question->recipe->rules[0], &asking->facts, number,
                               question->now_ms + 1, &answer);
        if (!answer.holds)
            continue;
        asking->named[number].number = number;
        found++;
    }
    return found;
}

err objects_question_run(struct audience_question *question, const _Atomic bool *cancel,
                         struct buffer *out)
{
    const struct object_question *objects = question->objects;
    const struct object_kind *kind = question->audience->objects.kinds[objects->on];
    struct asking asking = { .question = question,
                             .cancel = cancel,
                             .object_count = object_count(question->audience, objects->on),
                             .asks_people = objects->counted != NULL };
    struct json_writer writer;
    steady_ns start = steady_now();
    facts_for_scan(&question->facts, &asking.facts);
    asking.named = memory_alloc(((size_t)asking.object_count + 1) * sizeof(*asking.named));
    err error = asking.named != NULL ? rule_judge_new(&asking.judge) : ERR_NOMEM;
    uint32_t count = error == ERR_OK ? find_objects(&asking) : 0;
    if (error == ERR_OK && asking.asks_people)
        error = ask_people(&asking);
    if (error == ERR_OK)
        error = rule_judge_status(asking.judge);
    if (error == ERR_OK) {
        json_writer_init(&writer, out);
        json_begin_object(&writer);
        json_member_text(&writer, STR("on"), kind->ids->key);
        json_member_int(&writer, STR("count"), asking.asks_people ? asking.named_count : count);
        json_member_bool(&writer, STR("partial"), false);
        json_member_int(&writer, STR("scanned"), asking.object_count);
        json_member_int(&writer, STR("base"), (int64_t)objects->base);
        json_member_time(&writer, STR("as_of"), question->now_ms);
        write_parts(&asking, &writer);
        write_sample(&asking, &writer);
        if (asking.asks_people)
            write_named(&asking, &writer);
        json_member_raw(&writer, STR("reachable"), STR("{}"));
        json_member_raw(&writer, STR("unreachable"), STR("{}"));
        json_member_int(&writer, STR("elapsed_ms"), steady_since_ms(start));
        json_end_object(&writer);
        error = buffer_status(out);
    }
    rule_judge_free(&asking.judge);
    memory_free(asking.named);
    return error;
}
