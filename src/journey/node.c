/* SPDX-License-Identifier: Apache-2.0 */
/* node: what each kind of node does when somebody comes to it, and when she is woken there. */
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

#define PATIENCE_LOOK_MS (10 * MINUTE_MS) /* how often it is asked whether the sources have told */

static err go(struct verdict *verdict, uint16_t next)
{
    verdict->next = next;
    return ERR_OK;
}

static err stay(struct verdict *verdict, int64_t due_ms)
{
    verdict->stays = true;
    verdict->due_ms = due_ms;
    return ERR_OK;
}

/* ---- values ---- */

static void value_of_text(struct walk *walk, str json, str path, struct template_value *value)
{
    json_value root;
    value->kind = TEMPLATE_MISSING;
    if (json.size > 0 && json_parse(walk->journeys->parser_inner, json, &root, NULL) == ERR_OK)
        (void)template_value_at(json_path(root, path), STR_NONE, value);
}

/* "event.x" of the event that started it, "vars.x" of replies, "entered", "key"; everything else is the customer's. */
void node_value(struct walk *walk, str path, struct template_value *value)
{
    const struct journey_world *world = walk->journeys->world;
    struct context context;
    *value = (struct template_value){ .kind = TEMPLATE_MISSING };
    context_read(walk->position, &context);
    if (str_starts_with(path, STR("event.")))
        value_of_text(walk, context.event, str_slice(path, 6, path.size), value);
    else if (str_starts_with(path, STR("vars.")))
        value_of_text(walk, context.vars, str_slice(path, 5, path.size), value);
    else if (str_equal(path, STR("entered")))
        *value =
            (struct template_value){ .kind = TEMPLATE_TIME, .number = walk->position->entered_ms };
    else if (str_equal(path, STR("key")))
        *value = (struct template_value){ .kind = TEMPLATE_TEXT, .text = context.key };
    else
        world->value(world->context, walk->position->customer, path, value);
}

static bool in_segment(const struct journeys *journeys, uint32_t customer, str key)
{
    return journeys->world->in_segment(journeys->world->context, customer, key);
}

static bool rule_holds(const struct journeys *journeys, const struct version *version,
                       uint32_t rule, uint32_t customer)
{
    return in_segment(journeys, customer, str_from_c(version->rules[rule].key));
}

bool exit_holds(struct journeys *journeys, const struct version *version, uint32_t customer,
                str *name)
{
    for (uint32_t i = 0; i < version->exit_count; i++) {
        const struct exit_rule *exit = &version->exits[i];
        *name = exit->name;
        if (exit->rule != NONE && rule_holds(journeys, version, exit->rule, customer))
            return true;
        if (exit->segment.size > 0 && in_segment(journeys, customer, exit->segment))
            return true;
    }
    return false;
}

/* ---- where a touch leads ---- */

static bool is_bad(uint8_t status)
{
    return status == TOUCH_FAILED || status == TOUCH_UNCERTAIN;
}

static uint16_t next_by_status(const struct node *node, uint8_t status)
{
    if (status == TOUCH_SUPPRESSED)
        return node->has_suppressed ? node->suppressed : node->next;
    return is_bad(status) && node->has_other ? node->other : node->next;
}

/* ---- wait ---- */

static bool time_of_value(const struct template_value *value, int64_t *at_ms)
{
    if (value->kind == TEMPLATE_TIME) {
        *at_ms = value->number;
        return true;
    }
    if (value->kind == TEMPLATE_TEXT)
        return time_parse(value->text, 8 * 60, at_ms);
    if (value->kind != TEMPLATE_NUMBER)
        return false;
    *at_ms = value->number / 1000000;
    if (*at_ms < INT64_C(100000000000))
        *at_ms *= 1000; /* seconds */
    return true;
}

int64_t wait_due(struct walk *walk, const struct node *node, int64_t from_ms, bool *is_known)
{
    int64_t due_ms = from_ms + node->for_ms;
    *is_known = true;
    if (node->date.size > 0) {
        struct template_value value;
        node_value(walk, node->date, &value);
        *is_known = time_of_value(&value, &due_ms);
        if (!*is_known)
            return from_ms;
        due_ms += node->offset_ms + node->for_ms;
    }
    if (due_ms < from_ms)
        due_ms = from_ms;
    return calendar_next(walk->journeys, &node->calendar, walk->position->customer, due_ms);
}

static err stay_until(struct walk *walk, uint16_t at, int64_t due_ms, struct verdict *verdict)
{
    char text[TIME_TEXT_BYTES];
    time_format_utc(due_ms, text);
    journey_walk_step(walk, STEP_WAITS, at, text, STR_NONE);
    return stay(verdict, due_ms);
}

static err do_wait(struct walk *walk, uint16_t at, const struct node *node, struct verdict *verdict)
{
    bool is_known;
    int64_t due_ms = wait_due(walk, node, walk->at_ms, &is_known);
    if (!is_known)
        return go(verdict, node->has_other ? node->other : node->next);
    if (due_ms <= walk->at_ms)
        return go(verdict, node->next);
    return stay_until(walk, at, due_ms, verdict);
}

bool node_is_touch(const struct node *node)
{
    return node->kind == NODE_KIND_SEND || node->kind == NODE_KIND_COUPON ||
           node->kind == NODE_KIND_POINTS || node->kind == NODE_KIND_TASK ||
           node->kind == NODE_KIND_WEBHOOK;
}

/* The message behind it is left out, as if a gate had stopped it. */
static err step_over(struct walk *walk, uint16_t at, struct verdict *verdict)
{
    const struct node *left_out = &walk->version->nodes[at];
    if (at == NO_NODE || !node_is_touch(left_out))
        return go(verdict, at);
    const struct journey_world *world = walk->journeys->world;
    journey_walk_step(walk, STEP_TOUCHED, at, "suppressed", STR("late"));
    err error = context_put_touch(walk->journeys, walk->position, at, 0, TOUCH_SUPPRESSED);
    if (error == ERR_OK && world->missed != NULL)
        error = world->missed(world->context, walk->position->customer, walk->version->journey->key,
                              left_out->id, STR("late"),
                              (struct journey_moment){ .seq = walk->seq, .now_ms = walk->now_ms },
                              walk->writes);
    if (error == ERR_OK)
        error = journey_walk_count(walk, at, COUNT_SUPPRESSED, 1);
    return error == ERR_OK ? go(verdict, next_by_status(left_out, TOUCH_SUPPRESSED)) : error;
}

static err be_late(struct walk *walk, uint16_t at, const struct node *node, struct verdict *verdict)
{
    int64_t due_ms = walk->now_ms;
    bool is_known;
    if (node->late == LATE_EXIT) {
        verdict->closes = true;
        return journey_walk_close(walk, "late", node->id);
    }
    if (node->late == LATE_AGAIN)
        due_ms = wait_due(walk, node, walk->now_ms, &is_known);
    if (node->late == LATE_WINDOW)
        due_ms = calendar_next(walk->journeys, &node->calendar, walk->position->customer, due_ms);
    if (due_ms > walk->now_ms)
        return stay_until(walk, at, due_ms, verdict);
    journey_walk_step(walk, STEP_TIME, at, "late", STR_NONE);
    return node->late == LATE_SKIP ? step_over(walk, node->next, verdict) : go(verdict, node->next);
}

static err wake_wait(struct walk *walk, uint16_t at, const struct node *node,
                     struct verdict *verdict)
{
    int64_t since_ms = walk->position->entered_ms + (int64_t)walk->position->since_s * 1000;
    bool is_known;
    int64_t was_due_ms = wait_due(walk, node, since_ms, &is_known);
    if (node->late != LATE_GO && is_known && walk->now_ms - was_due_ms > node->late_after_ms)
        return be_late(walk, at, node, verdict);
    journey_walk_step(walk, STEP_TIME, at, "", STR_NONE);
    return go(verdict, node->next);
}

/* ---- wait_until ---- */

static err do_wait_until(struct walk *walk, uint16_t at, const struct node *node,
                         struct verdict *verdict)
{
    const struct journeys *journeys = walk->journeys;
    uint32_t customer = walk->position->customer;
    bool holds =
        (node->rule != NONE && rule_holds(journeys, walk->version, node->rule, customer)) ||
        (node->segment.size > 0 && in_segment(journeys, customer, node->segment));
    if (holds) {
        journey_walk_step(walk, STEP_HAPPENED, at, "already", STR_NONE);
        return go(verdict, node->next);
    }
    walk->position->flags &= (uint8_t)~POSITION_PATIENT;
    return stay_until(walk, at, walk->at_ms + node->timeout_ms, verdict);
}

static err wake_wait_until(struct walk *walk, uint16_t at, const struct node *node, enum wake wake,
                           struct verdict *verdict)
{
    const struct journey_world *world = walk->journeys->world;
    int64_t over_ms =
        walk->position->entered_ms + (int64_t)walk->position->since_s * 1000 + node->timeout_ms;
    if (wake == WAKE_HAPPENED) {
        journey_walk_step(walk, STEP_HAPPENED, at, "", STR_NONE);
        return go(verdict, node->next);
    }
    bool is_told = node->patience_ms == 0 || node->match.event.size == 0 ||
                   world->watermark_ms(world->context, node->match.event, walk->now_ms) >= over_ms;
    if (!is_told && walk->now_ms < over_ms + node->patience_ms) {
        int64_t again_ms = walk->now_ms + PATIENCE_LOOK_MS, last_ms = over_ms + node->patience_ms;
        walk->position->flags |= POSITION_PATIENT;
        /* since when it stands here says when it is over: it must not move */
        walk->at_ms = over_ms - node->timeout_ms;
        return stay(verdict, again_ms < last_ms ? again_ms : last_ms);
    }
    walk->position->flags &= (uint8_t)~POSITION_PATIENT;
    journey_walk_step(walk, STEP_TIMED_OUT, at, "", STR_NONE);
    err error = journey_walk_count(walk, at, COUNT_TIMED_OUT, 1);
    return error == ERR_OK ? go(verdict, node->other) : error;
}

/* ---- branch, split, hold out ---- */

static bool case_holds(struct walk *walk, const struct branch_case *branch)
{
    struct template_value value;
    uint64_t touch;
    uint8_t status;
    switch (branch->kind) {
    case CASE_RULE:
        return rule_holds(walk->journeys, walk->version, branch->rule, walk->position->customer);
    case CASE_SEGMENT:
        return in_segment(walk->journeys, walk->position->customer, branch->segment);
    case CASE_VALUE:
        node_value(walk, branch->value.path, &value);
        return comparison_holds(&branch->value, &value);
    case CASE_TOUCH:
        return context_touch(walk->position, branch->touch, &touch, &status) &&
               (branch->status_set >> status & 1) != 0;
    }
    return false;
}

static err do_branch(struct walk *walk, uint16_t at, const struct node *node,
                     struct verdict *verdict)
{
    char what[16];
    for (uint32_t i = 0; i < node->case_count; i++) {
        if (!case_holds(walk, &node->cases[i]))
            continue;
        snprintf(what, sizeof what, "%u", i);
        journey_walk_step(walk, STEP_BRANCHED, at, what, node->cases[i].name);
        return go(verdict, node->cases[i].next);
    }
    journey_walk_step(walk, STEP_BRANCHED, at, "otherwise", STR_NONE);
    err error = journey_walk_count(walk, at, COUNT_OTHER, 1);
    return error == ERR_OK ? go(verdict, node->other) : error;
}

static err do_split(struct walk *walk, uint16_t at, const struct node *node,
                    struct verdict *verdict)
{
    double place = journey_chance(walk->journeys, walk->position->customer,
                                  walk->version->journey->key, node->id) *
                   node->weight_sum;
    uint32_t arm = 0, sum = 0;
    char what[16];
    for (; arm + 1 < node->arm_count; arm++) {
        sum += node->arms[arm].weight;
        if (place < sum)
            break;
    }
    snprintf(what, sizeof what, "%u", arm);
    journey_walk_step(walk, STEP_BRANCHED, at, what, node->arms[arm].name);
    return go(verdict, node->arms[arm].next);
}

static err do_hold_out(struct walk *walk, uint16_t at, const struct node *node,
                       struct verdict *verdict)
{
    double place = journey_chance(walk->journeys, walk->position->customer,
                                  walk->version->journey->key, node->id);
    if (place * 1e6 >= (double)node->percent_millionths)
        return go(verdict, node->next);
    journey_walk_step(walk, STEP_HELD_OUT, at, "", STR_NONE);
    err error = journey_walk_count(walk, at, COUNT_OTHER, 1);
    if (error != ERR_OK || node->has_other)
        return error == ERR_OK ? go(verdict, node->other) : error;
    verdict->closes = true;
    return journey_walk_close(walk, "held_out", node->id);
}

/* ---- what goes out ---- */

static void write_raw_members(struct walk *walk, struct json_writer *writer, str json)
{
    json_value root, value;
    str key;
    if (json.size == 0 || json_parse(walk->journeys->parser_inner, json, &root, NULL) != ERR_OK)
        return;
    struct json_iterator iterator = json_iterate(root);
    while (json_next(&iterator, &key, &value)) {
        buffer_clear(&walk->journeys->text);
        json_write_value(&walk->journeys->text, value);
        json_member_raw(writer, key, buffer_str(&walk->journeys->text));
    }
}

/* What a template sees: {"event":{…},"vars":{…},"journey":{…}} */
static void write_context(struct walk *walk, const struct node *node, struct buffer *out)
{
    struct json_writer writer;
    struct context context;
    context_read(walk->position, &context);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_raw(&writer, STR("event"), context.event.size > 0 ? context.event : STR("{}"));
    json_put_key(&writer, STR("vars"));
    json_begin_object(&writer);
    write_raw_members(walk, &writer, node->vars);
    write_raw_members(walk, &writer, context.vars);
    if (node->kind == NODE_KIND_COUPON)
        json_member_text(&writer, STR("coupon"), node->value);
    if (node->kind == NODE_KIND_POINTS)
        json_member_raw(&writer, STR("points"), node->value);
    json_end_object(&writer);
    json_put_key(&writer, STR("journey"));
    json_begin_object(&writer);
    json_member_text(&writer, STR("key"), walk->version->journey->key);
    json_member_text(&writer, STR("name"), walk->version->journey->name);
    json_member_text(&writer, STR("node"), node->id);
    json_member_text(&writer, STR("position_key"), context.key);
    json_end_object(&writer);
    json_end_object(&writer);
}

static str first_of(str one, str other)
{
    return one.size > 0 ? one : other;
}

static void order_of(struct walk *walk, const struct node *node, struct buffer *order)
{
    struct template_value value;
    if (node->order_path.size == 0)
        return;
    node_value(walk, node->order_path, &value);
    if (value.kind == TEMPLATE_TEXT)
        buffer_append_str(order, value.text);
    else if (value.kind == TEMPLATE_NUMBER)
        buffer_printf(order, "%lld", (long long)(value.number / 1000000));
}

static err ask_touch(struct walk *walk, const struct node *node, struct touch_answer *answer)
{
    const struct journey_world *world = walk->journeys->world;
    const struct version *version = walk->version;
    struct buffer context, order;
    char key[64];
    buffer_init(&context, (size_t)128 << 10);
    buffer_init(&order, 4096);
    write_context(walk, node, &context);
    order_of(walk, node, &order);
    /* once for this visit of the node, whatever is repeated */
    snprintf(key, sizeof key, "%llu.%u", (unsigned long long)walk->position->number,
             walk->position->visits);
    struct touch_request request = {
        .customer = walk->position->customer,
        .node_born = walk->position->node_born,
        .journey = version->journey->key,
        .node = node->id,
        .campaign = first_of(node->campaign, version->campaign),
        .position = walk->position->number,
        .key = str_from_c(key),
        .channel = node->channel,
        .account = node->account,
        .form = node->form,
        .template_ = node->template_,
        .purpose = first_of(node->purpose, first_of(version->purpose, STR("marketing"))),
        .brand = first_of(node->brand, version->brand),
        .is_transactional = node->is_transactional,
        .is_plain = version->is_plain,
        .priority = node->priority,
        .expires_ms = node->expires_ms > 0 ? walk->now_ms + node->expires_ms : 0,
        .order_id = buffer_str(&order),
        .content_key = node->content_key,
        .cost_minor = node->cost_minor,
        .context = buffer_str(&context),
        .is_test = (walk->position->flags & POSITION_TEST) != 0,
    };
    err error = buffer_status(&context);
    if (error == ERR_OK)
        error =
            world->touch(world->context, &request,
                         (struct journey_moment){ walk->seq, walk->now_ms }, walk->writes, answer);
    buffer_deinit(&order);
    buffer_deinit(&context);
    return error;
}

static bool is_final(const struct node *node, uint8_t status)
{
    if (status == TOUCH_QUEUED || status == TOUCH_HELD || status == TOUCH_SENDING)
        return false;
    /* A webhook answers, a task is done: that it was handed over is no result yet. */
    bool is_asked = node->kind == NODE_KIND_WEBHOOK || node->kind == NODE_KIND_TASK;
    return !is_asked || status != TOUCH_SENT;
}

static err do_touch(struct walk *walk, uint16_t at, const struct node *node,
                    struct verdict *verdict)
{
    static const char *const texts[] = {
#define X(NAME, text) text,
        TOUCH_STATUSES(X)
#undef X
    };
    struct touch_answer answer = { .reason = "" };
    str name;
    if (exit_holds(walk->journeys, walk->version, walk->position->customer, &name)) {
        verdict->closes = true;
        return journey_walk_close(walk, "exit_rule", name);
    }
    walk->position->visits++;
    err error = ask_touch(walk, node, &answer);
    if (error == ERR_UNPROCESSABLE || error == ERR_NOT_FOUND) {
        /* no such template or account any more: one customer's trouble stops no other */
        journey_walk_step(walk, STEP_TOUCHED, at, "refused", str_from_c(err_title(error)));
        error = journey_walk_count(walk, at, COUNT_REFUSED, 1);
        return error == ERR_OK ? go(verdict, node->has_other ? node->other : node->next) : error;
    }
    if (error != ERR_OK)
        return error;
    journey_walk_step(walk, STEP_TOUCHED, at, texts[answer.status], str_from_c(answer.reason));
    error =
        context_put_touch(walk->journeys, walk->position, at, answer.touch, (uint8_t)answer.status);
    enum count_kind kind = answer.status == TOUCH_SUPPRESSED ? COUNT_SUPPRESSED
                           : answer.status == TOUCH_HELD     ? COUNT_HELD
                                                             : COUNT_QUEUED;
    if (error == ERR_OK)
        error = journey_walk_count(walk, at, kind, 1);
    if (error != ERR_OK)
        return error;
    if (node->waits && !is_final(node, (uint8_t)answer.status))
        return stay(verdict, walk->at_ms + node->timeout_ms);
    return go(verdict, next_by_status(node, (uint8_t)answer.status));
}

static err wake_touch(struct walk *walk, uint16_t at, const struct node *node, enum wake wake,
                      struct verdict *verdict)
{
    uint64_t touch;
    uint8_t status = TOUCH_QUEUED;
    context_touch(walk->position, at, &touch, &status);
    if (wake == WAKE_HAPPENED && is_final(node, status))
        return go(verdict, next_by_status(node, status));
    if (wake == WAKE_HAPPENED) /* not what it waits for */
        return stay(verdict, walk->position->due_ms);
    journey_walk_step(walk, STEP_TIMED_OUT, at, "", STR_NONE);
    err error = journey_walk_count(walk, at, COUNT_TIMED_OUT, 1);
    return error == ERR_OK ? go(verdict, node->has_other ? node->other : node->next) : error;
}

static err do_goal(struct walk *walk, const struct node *node, struct verdict *verdict)
{
    err error = journey_walk_goal(walk, node->goal, 0, node->id);
    verdict->closes = walk->closed || walk->position->node == NODE_AFTER;
    return error == ERR_OK ? go(verdict, node->next) : error;
}

/* ---- by kind ---- */

err node_do(struct walk *walk, uint16_t at, struct verdict *verdict)
{
    const struct node *node = &walk->version->nodes[at];
    err error;
    switch (node->kind) {
    case NODE_KIND_WAIT:
        return do_wait(walk, at, node, verdict);
    case NODE_KIND_WAIT_UNTIL:
        return do_wait_until(walk, at, node, verdict);
    case NODE_KIND_BRANCH:
        return do_branch(walk, at, node, verdict);
    case NODE_KIND_SPLIT:
        return do_split(walk, at, node, verdict);
    case NODE_KIND_HOLD_OUT:
        return do_hold_out(walk, at, node, verdict);
    case NODE_KIND_SEND:
    case NODE_KIND_COUPON:
    case NODE_KIND_POINTS:
    case NODE_KIND_TASK:
    case NODE_KIND_WEBHOOK:
        return do_touch(walk, at, node, verdict);
    case NODE_KIND_SET_TAG:
    case NODE_KIND_SET_TRAIT:
    case NODE_KIND_MEMBER:
        error = effect_set(walk, at, node);
        break;
    case NODE_KIND_PAUSE:
    case NODE_KIND_RESUME:
        error = effect_pause(walk, at, node);
        break;
    case NODE_KIND_JOIN:
        error = effect_join(walk, at, node);
        break;
    case NODE_KIND_GOAL:
        return do_goal(walk, node, verdict);
    case NODE_KIND_EXIT:
    case NODE_KIND_COUNT:
    default:
        verdict->closes = true;
        return journey_walk_close(walk, "exit", node->reason);
    }
    return error == ERR_OK ? go(verdict, node->next) : error;
}

err node_wake(struct walk *walk, uint16_t at, enum wake wake, struct verdict *verdict)
{
    const struct node *node = &walk->version->nodes[at];
    if (node->kind == NODE_KIND_WAIT)
        return wake_wait(walk, at, node, verdict);
    if (node->kind == NODE_KIND_WAIT_UNTIL)
        return wake_wait_until(walk, at, node, wake, verdict);
    return wake_touch(walk, at, node, wake, verdict);
}
