/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_trial: one customer through a journey, from now on, on the virtual clock: each step with its time, what would be sent, as it would
 * read, and which gate would stop it. An overlay as that of a run, with a cast of one and no events but the one that came with the request
 * (whatif_given.c): after it nothing happens but time. */
#include <stdio.h>

#include "engine/whatif/whatif_jobs.h"

#define TRIED_MAX 500
#define STEPS_BYTES_MAX ((size_t)4 << 20)
#define PARTS_BYTES_MAX ((size_t)1 << 20)
#define VALUE_BYTES_MAX ((size_t)8 << 20)
#define PARSERS_MAX 500
#define TRIALS_MAX 2 /* at once */

struct tried_status {
    struct tried_status *next;
    int64_t at_ms;
    enum touch_status status;
    str reason;
};
struct tried {
    uint64_t number;
    str node, channel, account, form, template_, purpose, detail, parts, problem;
    struct tried_status first, *last;
    int64_t until_ms;
};
struct trial {
    struct whatif_run *run;
    uint32_t customer;
    struct tried tried[TRIED_MAX];
    size_t count, told; /* told: in steps */
    struct buffer steps;
    struct json_writer writer;
    uint64_t seq; /* after all that has happened */
    bool is_rendering, is_cut, is_out, has_given;
    struct json_parser *parsers[PARSERS_MAX]; /* of the rendering */
    size_t parser_count;
};

/* ---- values that are shown stay until the rendering is over ---- */

bool trial_is_rendering(const struct whatif_run *run)
{
    return run->trial != NULL && run->trial->is_rendering;
}

struct json_parser *trial_parser(struct whatif_run *run)
{
    struct trial *trial = run->trial;
    if (!trial_is_rendering(run) || trial->parser_count == PARSERS_MAX ||
        json_parser_new(&trial->parsers[trial->parser_count], VALUE_BYTES_MAX) != ERR_OK)
        return run->value_parser;
    return trial->parsers[trial->parser_count++];
}

static void free_parsers(struct trial *trial)
{
    while (trial->parser_count > 0)
        json_parser_free(&trial->parsers[--trial->parser_count]);
}

/* ---- touches ---- */

static str kept(struct whatif_run *run, str text)
{
    str copy = STR_NONE;
    if (text.size > 0 && arena_dup(&run->texts, text, &copy) != ERR_OK)
        run->is_cut = true;
    return copy;
}

static void render(struct trial *trial, struct tried *tried, const struct touch_request *request)
{
    struct whatif_run *run = trial->run;
    struct problem problem = { .error = ERR_OK };
    struct buffer parts;
    if (request->template_.size == 0)
        return;
    buffer_init(&parts, PARTS_BYTES_MAX);
    trial->is_rendering = true;
    err error = touch_preview(run->touches, request->template_, request->customer, request->context,
                              run->now_ms, &parts, &problem);
    trial->is_rendering = false;
    free_parsers(trial);
    if (error == ERR_OK)
        tried->parts = kept(run, buffer_str(&parts));
    else
        tried->problem =
            kept(run, str_from_c(problem.detail[0] != '\0' ? problem.detail : err_title(error)));
    buffer_deinit(&parts);
}

void trial_request(struct whatif_run *run, const struct touch_request *request,
                   const struct touch_answer *answer)
{
    struct trial *trial = run->trial;
    if (trial == NULL)
        return;
    if (trial->count == TRIED_MAX) {
        trial->is_cut = true;
        return;
    }
    struct tried *tried = &trial->tried[trial->count++];
    *tried = (struct tried){ .number = answer->touch,
                             .node = kept(run, request->node),
                             .channel = kept(run, request->channel),
                             .account = kept(run, request->account),
                             .form = kept(run, request->form),
                             .template_ = kept(run, request->template_),
                             .purpose = kept(run, request->purpose),
                             .until_ms = answer->until_ms };
    tried->first = (struct tried_status){ .at_ms = run->now_ms,
                                          .status = answer->status,
                                          .reason = kept(run, str_from_c(answer->reason)) };
    tried->last = &tried->first;
    if (answer->reason[0] != '\0')
        tried->detail = kept(run, str_from_c(touches_fork_detail(run->touches)));
    render(trial, tried, request);
}

void trial_change(struct whatif_run *run, const struct touch_change *change)
{
    struct trial *trial = run->trial;
    for (size_t i = 0; trial != NULL && i < trial->count; i++) {
        struct tried *tried = &trial->tried[i];
        if (tried->number != change->touch || change->to == TOUCH_SENDING)
            continue;
        struct tried_status *status = arena_array(&run->texts, struct tried_status, 1);
        if (status == NULL) {
            run->is_cut = true;
            return;
        }
        *status = (struct tried_status){ .at_ms = run->now_ms,
                                         .status = change->to,
                                         .reason = kept(run, change->reason) };
        tried->last->next = status;
        tried->last = status;
        return;
    }
}

static void write_status(struct json_writer *writer, const struct tried_status *status)
{
    json_member_time(writer, STR("at"), status->at_ms);
    json_member_text(writer, STR("status"), str_from_c(touch_status_text(status->status)));
    json_member_text(writer, STR("reason"), status->reason);
}

static void write_tried(struct json_writer *writer, const struct tried *tried)
{
    json_begin_object(writer);
    write_status(writer, &tried->first);
    json_member_text(writer, STR("detail"), tried->detail);
    if (tried->until_ms > 0 && tried->until_ms != INT64_MAX)
        json_member_time(writer, STR("until"), tried->until_ms);
    json_member_text(writer, STR("node"), tried->node);
    json_member_text(writer, STR("channel"), tried->channel);
    json_member_text(writer, STR("account"), tried->account);
    json_member_text(writer, STR("form"), tried->form);
    json_member_text(writer, STR("template"), tried->template_);
    json_member_text(writer, STR("purpose"), tried->purpose);
    if (tried->parts.size > 0)
        json_member_raw(writer, STR("parts"), tried->parts);
    if (tried->problem.size > 0)
        json_member_text(writer, STR("problem"), tried->problem);
    json_put_key(writer, STR("then"));
    json_begin_array(writer);
    for (const struct tried_status *status = tried->first.next; status != NULL;
         status = status->next) {
        json_begin_object(writer);
        write_status(writer, status);
        json_end_object(writer);
    }
    json_end_array(writer);
    json_end_object(writer);
}

/* ---- steps ---- */

/* The touches of a walk were asked for in the order of its steps; one that could not even be asked for has none. */
static void note_step(void *context, const struct journey_step *step)
{
    struct trial *trial = context;
    struct json_writer *writer = &trial->writer;
    if (str_equal(step->step, STR("exited")) &&
        str_equal(step->journey, str_from_c(trial->run->order.journey)))
        trial->is_out = true;
    json_begin_object(writer);
    json_member_time(writer, STR("at"), step->at_ms);
    json_member_text(writer, STR("step"), step->step);
    json_member_text(writer, STR("journey"), step->journey);
    json_member_text(writer, STR("node"), step->node);
    json_member_text(writer, STR("name"), step->name);
    json_member_text(writer, STR("what"), step->what);
    json_member_text(writer, STR("detail"), step->detail);
    if (str_equal(step->step, STR("touched")) && !str_equal(step->what, STR("refused")) &&
        trial->told < trial->count)
        json_member_int(writer, STR("touch"), (int64_t)trial->told++);
    json_put_key(writer, STR("text"));
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), str_from_c(step->zh));
    json_member_text(writer, STR("en"), str_from_c(step->en));
    json_end_object(writer);
    json_end_object(writer);
}

/* ---- the run ---- */

/* Everything that is assumed of results: it is delivered, and not read. */
static void assume_results(struct whatif_order *order)
{
    static const double shares[WHATIF_SHARES] = { 1, 0, 0 };
    for (int i = 0; i < WHATIF_SHARES; i++)
        if (order->shares[i] < 0)
            order->shares[i] = shares[i];
}

/* Definitions, she herself, what is watched, what she was sent before. */
static err prepare(struct trial *trial)
{
    struct whatif_run *run = trial->run;
    run->now_ms = run->order.from_ms;
    run->tick_ms = (run->order.from_ms - 1) / run->order.tick_ms * run->order.tick_ms;
    run->told_last = &run->told;
    err error = run_stage(run);
    if (error == ERR_OK)
        error = cast_make_one(run, trial->customer);
    if (error == ERR_NOT_FOUND && run->problem->detail[0] == '\0')
        problem_set(run->problem, error, "there is no such customer");
    if (error == ERR_OK)
        error = watch_make(run);
    return error == ERR_OK ? run_read_touches(run) : error;
}

static err happen(struct trial *trial, json_value event, uint32_t root)
{
    struct whatif_run *run = trial->run;
    str type = journey_try_event(run->journeys, str_from_c(run->order.journey));
    err error = watch_follow(run, root); /* as it was before */
    if (error == ERR_OK && json_is_object(event) && type.size > 0)
        error = given_make(run, type, event, trial->seq);
    return error == ERR_OK && run->given != NULL ? given_happens(run, root, root) : error;
}

static err go(struct trial *trial, json_value body, const char **refusal)
{
    struct whatif_run *run = trial->run;
    struct buffer text;
    json_value event = json_get(body, STR("event"));
    str key = str_from_c(run->order.journey);
    buffer_init(&text, (size_t)64 << 10);
    if (json_is_object(event))
        json_write_value(&text, event);
    err error = buffer_status(&text);
    if (error == ERR_OK)
        error = prepare(trial);
    uint32_t root = error == ERR_OK ? run->cast.root[trial->customer] : 0;
    journey_overlay_hear(run->journeys, note_step, trial);
    run->seq++;
    if (error == ERR_OK) {
        journey_try_prepare(run->journeys, key);
        error = happen(trial, event, root);
    }
    if (error == ERR_OK)
        error =
            journey_try(run->journeys, key, root, buffer_str(&text),
                        (struct journey_moment){ .seq = run->seq, .now_ms = run->now_ms }, refusal);
    if (error == ERR_OK)
        error = run_end_record(run);
    if (error == ERR_OK)
        error = run_advance(run, run->order.to_ms);
    trial->has_given = run->given != NULL;
    given_free(run);
    buffer_deinit(&text);
    return error;
}

static void write_assumption(struct json_writer *writer, const char *zh, const char *en)
{
    json_begin_object(writer);
    json_member_text(writer, STR("zh"), str_from_c(zh));
    json_member_text(writer, STR("en"), str_from_c(en));
    json_end_object(writer);
}

static void write_assumptions(struct json_writer *writer, bool has_given)
{
    json_put_key(writer, STR("assumptions"));
    json_begin_array(writer);
    write_assumption(writer, "除了时间流逝，她什么都没有做：等待的事件不会发生。",
                     "she does nothing but let time pass: what is waited for does not happen");
    if (has_given)
        write_assumption(
            writer,
            "规则、人群和其他旅程把这次填写的触发事件当作刚刚发生；档案里的属性和汇总数字不含它。",
            "rules, segments and other journeys take the event that was given here for one "
            "that has just happened; traits and sums of her profile are without it");
    else
        write_assumption(writer, "没有触发事件：规则只看她已有的历史。",
                         "no event started it: rules see what she did so far");
    write_assumption(
        writer, "消息发出即送达，除非请求中另有比例；她已经在其中的其他旅程此后不再触达她。",
        "what is sent is delivered, unless asked for otherwise; other journeys that she is in already "
        "send her nothing");
    json_end_array(writer);
}

static void write_result(struct trial *trial, const char *refusal, struct buffer *out)
{
    struct json_writer writer;
    const struct whatif_run *run = trial->run;
    char one_id[ONE_ID_BYTES + 1];
    keys_one_id(run->engine->keys, run->cast.root[trial->customer], one_id);
    json_end_array(&trial->writer);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_text(&writer, STR("journey"), str_from_c(run->order.journey));
    json_member_text(&writer, STR("customer"), str_from_c(one_id));
    json_member_time(&writer, STR("from"), run->order.from_ms);
    json_member_time(&writer, STR("to"), run->order.to_ms);
    json_put_key(&writer, STR("entry"));
    json_begin_object(&writer);
    json_member_bool(&writer, STR("allowed"), refusal[0] == '\0');
    json_member_text(&writer, STR("reason"), str_from_c(refusal));
    json_end_object(&writer);
    json_member_raw(&writer, STR("steps"), buffer_str(&trial->steps));
    json_put_key(&writer, STR("touches"));
    json_begin_array(&writer);
    for (size_t i = 0; i < trial->count; i++)
        write_tried(&writer, &trial->tried[i]);
    json_end_array(&writer);
    json_member_bool(&writer, STR("ended"), trial->is_out);
    json_member_bool(&writer, STR("partial"), trial->is_cut || run->is_cut);
    write_assumptions(&writer, trial->has_given);
    json_end_object(&writer);
}

struct ask_time {
    int64_t now_ms;
    uint64_t seq;
};

static void take_time(const struct engine_state *state, struct engine_question *question)
{
    struct ask_time *ask = question->context;
    ask->now_ms = state->now_ms;
    ask->seq = state->applied_seq;
}

/* From now on: as many days as a run looks back. */
static err read_order(struct trial *trial, str key, json_value body)
{
    struct whatif_run *run = trial->run;
    struct ask_time ask = { .now_ms = 0 };
    err error = whatif_ask(run, take_time, &ask);
    if (error == ERR_OK)
        error = whatif_order_read(&run->order, key, body, ask.now_ms + 1, run->problem);
    run->order.from_ms = ask.now_ms + 1;
    run->order.to_ms = run->order.from_ms + run->order.days * DAY_MS;
    /* Without an event nothing starts anybody in the others; and who sees a part may not see them. */
    bool starts_others = run->lens == NULL && json_is_object(json_get(body, STR("event")));
    run->order.with_others = run->order.with_others && starts_others;
    run->order.identities_then = false;
    trial->seq = ask.seq + 1;
    assume_results(&run->order);
    return error;
}

static err try_one(struct trial *trial, str key, json_value body, struct buffer *out)
{
    const char *refusal = "";
    struct whatif_run *run = trial->run;
    buffer_init(&trial->steps, STEPS_BYTES_MAX);
    json_writer_init(&trial->writer, &trial->steps);
    json_begin_array(&trial->writer);
    whatif_order_init(&run->order);
    err error = whatif_run_new(run);
    if (error == ERR_OK)
        error = read_order(trial, key, body);
    if (error == ERR_OK)
        error = go(trial, body, &refusal);
    if (error == ERR_OK)
        write_result(trial, refusal, out);
    if (error == ERR_OK)
        error = buffer_status(out);
    whatif_run_free(run);
    whatif_order_deinit(&run->order);
    buffer_deinit(&trial->steps);
    return error;
}

err whatif_try(struct whatifs *whatifs, str key, uint32_t customer, json_value body,
               const struct value_lens *lens, struct buffer *out, struct problem *problem)
{
    if (atomic_fetch_add(&whatifs->trials, 1) >= TRIALS_MAX) {
        atomic_fetch_sub(&whatifs->trials, 1);
        return problem_set(problem, ERR_BUSY, "%d trials are under way already", TRIALS_MAX);
    }
    struct whatif_run *run = memory_alloc(sizeof *run);
    struct trial *trial = memory_alloc(sizeof *trial);
    err error = run != NULL && trial != NULL ? ERR_OK : ERR_NOMEM;
    if (error == ERR_OK) {
        *trial = (struct trial){ .run = run, .customer = customer };
        run->engine = whatifs->engine;
        run->cancel = &whatifs->is_over;
        run->problem = problem;
        run->start = steady_now();
        run->trial = trial;
        run->lens = lens;
        error = try_one(trial, key, body, out);
    }
    memory_free(trial);
    memory_free(run);
    atomic_fetch_sub(&whatifs->trials, 1);
    return error;
}
