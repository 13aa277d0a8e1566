/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_begin: what a run is made of before its first day.
 *
 *     definitions are staged ─▶ their rules sealed ─▶ cast ─▶ rules watched ─▶ stream ─▶ touches of before ─▶ who enters by hand
 */
#include "base/logline.h"
#include "engine/whatif/whatif_inside.h"

#define SEAL_AGAIN_MS 20
#define DEFINITIONS_BYTES_MAX ((size_t)512 << 20)

/* ---- definitions ---- */

struct staging {
    struct whatif_run *run;
    struct buffer definitions;
    json_value definition;
    struct problem *problem;
    err error;
    bool is_ready;
};

static err write_own(struct staging *staging, const struct engine_state *state,
                     struct json_writer *writer)
{
    const struct whatif_order *order = &staging->run->order;
    str key = str_from_c(order->journey);
    if (!order->has_definition)
        return journey_write_definition(state->journeys, key, order->draft, writer);
    json_begin_object(writer);
    json_member_text(writer, STR("key"), key);
    json_member_raw(writer, STR("journey"), buffer_str(&order->definition));
    json_end_object(writer);
    return ERR_OK;
}

static uint32_t parts_of(const struct whatif_run *run)
{
    return run->parts != NULL ? run->parts->count : 1;
}

static struct whatif_run *part_of(struct whatif_run *run, uint32_t index)
{
    return index > 0 ? run->parts->runs[index] : run;
}

static err fork_rooms(struct whatif_run *run, const struct engine_state *state)
{
    struct touches_config config = { .world = &run->touch_world,
                                     .moved = run_note_told,
                                     .context = run };
    run->live_touches = state->touches;
    run->last_touch = touches_last(state->touches);
    err error = audience_then_new(state->audience, &run->then);
    if (error == ERR_OK)
        error = touches_fork_then(state->touches, &config, run->order.from_ms, &run->touches);
    return error == ERR_OK
               ? touches_fork_pauses(run->touches, state->touches, run->order.from_ms,
                                     str_from_c(run->order.journey), run->order.with_others)
               : error;
}

static void take_definitions(const struct engine_state *state, struct engine_question *question)
{
    struct staging *staging = question->context;
    struct whatif_run *run = staging->run;
    struct json_writer writer;
    json_writer_init(&writer, &staging->definitions);
    json_begin_array(&writer);
    staging->error = write_own(staging, state, &writer);
    if (staging->error == ERR_OK && run->order.with_others)
        journey_write_live_definitions(state->journeys, str_from_c(run->order.journey), &writer);
    if (staging->error != ERR_OK)
        return;
    json_end_array(&writer);
    staging->error = buffer_status(&staging->definitions);
    for (uint32_t i = 0; staging->error == ERR_OK && i < parts_of(run); i++)
        staging->error = fork_rooms(part_of(run, i), state);
}

static void stage_one(const struct engine_state *state, struct engine_question *question)
{
    struct staging *staging = question->context;
    (void)state;
    staging->error = ERR_OK;
    for (uint32_t i = 0; staging->error == ERR_OK && i < parts_of(staging->run); i++) {
        struct whatif_run *run = part_of(staging->run, i);
        run->is_staging = true;
        staging->error =
            journey_stage(run->journeys, staging->definition, run->order.from_ms, staging->problem);
        run->is_staging = false;
    }
}

static err seal_one(struct whatif_run *run, struct problem *problem, bool *is_ready)
{
    str test = touches_fork_test_segment(run->touches), by_hand = buffer_str(&run->order.segment);
    if (test.size > 0 && audience_then_add_segment(run->then, test) != ERR_OK)
        log_line(LOG_WARN, "whatif_test_segment_missing", "segment=\"" STR_FMT "\"", STR_ARG(test));
    if (by_hand.size > 0 && audience_then_add_segment(run->then, by_hand) != ERR_OK)
        return problem_set(problem, ERR_UNPROCESSABLE, "there is no segment '%.*s'",
                           STR_ARG(by_hand));
    return audience_then_seal(run->then, is_ready);
}

static void seal(const struct engine_state *state, struct engine_question *question)
{
    struct staging *staging = question->context;
    bool is_watched = audience_names_journeys(state->audience);
    staging->error = ERR_OK;
    staging->is_ready = true;
    for (uint32_t i = 0; staging->error == ERR_OK && i < parts_of(staging->run); i++) {
        bool is_ready = false;
        staging->error = seal_one(part_of(staging->run, i), staging->problem, &is_ready);
        journey_watch(part_of(staging->run, i)->journeys, is_watched);
        staging->is_ready = staging->is_ready && is_ready;
    }
}

static err stage_all(struct staging *staging)
{
    struct whatif_run *run = staging->run;
    json_value list;
    err error =
        json_parse(run->staging_parser, buffer_str(&staging->definitions), &list, run->problem);
    struct json_iterator iterator = json_iterate(list);
    bool is_own = true;
    while (error == ERR_OK && json_next(&iterator, NULL, &staging->definition)) {
        struct problem others = { .error = ERR_OK };
        staging->problem = is_own ? run->problem : &others;
        error = whatif_ask(run, stage_one, staging);
        if (error == ERR_OK && staging->error != ERR_OK && is_own)
            error = staging->error;
        is_own = false; /* another one that cannot be read any more is left out */
    }
    staging->problem = run->problem;
    while (error == ERR_OK && !staging->is_ready) {
        error = whatif_ask(run, seal, staging);
        if (error == ERR_OK)
            error = staging->error;
        if (error == ERR_OK && !staging->is_ready)
            steady_sleep_ms(SEAL_AGAIN_MS);
        if (whatif_is_cancelled(run))
            return ERR_UNAVAILABLE;
    }
    return error;
}

static err not_there(struct whatif_run *run, err error)
{
    if (error == ERR_NOT_FOUND)
        return problem_set(run->problem, error, "there is no journey '%s'", run->order.journey);
    if (error == ERR_CONFLICT)
        return problem_set(run->problem, error, "the journey '%s' was never published",
                           run->order.journey);
    return error;
}

static err make_journeys(struct whatif_run *run)
{
    struct journeys_config config = { .world = &run->journey_world,
                                      .seed = keys_seed(run->engine->keys, STR("journey")),
                                      .zone = run->zone->name };
    return journeys_new(&run->journeys, &config);
}

err run_stage(struct whatif_run *run)
{
    struct staging staging = { .run = run, .problem = run->problem };
    buffer_init(&staging.definitions, DEFINITIONS_BYTES_MAX);
    err error = engine_settle(run->engine, false, 60 * SECOND_MS);
    for (uint32_t i = 0; error == ERR_OK && i < parts_of(run); i++)
        error = make_journeys(part_of(run, i));
    if (error == ERR_OK)
        error = whatif_ask(run, take_definitions, &staging);
    if (error == ERR_OK)
        error = not_there(run, staging.error);
    for (uint32_t i = 0; error == ERR_OK && i < parts_of(run); i++) {
        struct whatif_run *part = part_of(run, i);
        world_fill(part);
        error = touch_reader_new(part->touches, &part->touch_reader);
    }
    if (error == ERR_OK)
        error = stage_all(&staging);
    buffer_deinit(&staging.definitions);
    return error;
}

/* ---- touches of before, and those that people sent meanwhile ---- */

static bool is_out(enum touch_status status)
{
    return status == TOUCH_SENT || status == TOUCH_DELIVERED || status == TOUCH_CONFIRMED ||
           status == TOUCH_READ || status == TOUCH_CLICKED || status == TOUCH_SENDING ||
           status == TOUCH_UNCERTAIN;
}

static err keep_by_hand(struct whatif_run *run, uint32_t number)
{
    if (run->by_hand_count == run->by_hand_capacity) {
        size_t capacity = run->by_hand_capacity == 0 ? 1024 : run->by_hand_capacity * 2;
        uint32_t *longer = memory_resize(run->by_hand, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        run->by_hand = longer;
        run->by_hand_capacity = capacity;
    }
    run->by_hand[run->by_hand_count++] = number;
    return ERR_OK;
}

struct seen {
    uint64_t sent, delivered, read, clicked;
};

static void count_seen(struct whatif_run *run, const struct touch_past *past, struct seen *seen)
{
    enum channel_kind kind;
    if (!touch_account_is(run->touches, past->account, &kind))
        return;
    bool clicked = past->status == TOUCH_CLICKED, read = clicked || past->status == TOUCH_READ;
    bool delivered = read || past->status == TOUCH_DELIVERED || past->status == TOUCH_CONFIRMED;
    if (!delivered && past->status != TOUCH_SENT && past->status != TOUCH_FAILED)
        return;
    seen[kind].sent++;
    seen[kind].delivered += delivered;
    seen[kind].read += read;
    seen[kind].clicked += clicked;
}

static void set_shares(struct whatif_run *run, const struct seen *seen)
{
    for (int kind = 0; kind < CHANNEL_KIND_COUNT; kind++) {
        const struct seen *one = &seen[kind];
        double *shares = run->shares[kind];
        shares[0] = one->sent > 0 ? (double)one->delivered / (double)one->sent : 1;
        shares[1] = one->delivered > 0 ? (double)one->read / (double)one->delivered : 0;
        shares[2] = one->read > 0 ? (double)one->clicked / (double)one->read : 0;
        for (int i = 0; i < WHATIF_SHARES; i++)
            if (run->order.shares[i] >= 0)
                shares[i] = run->order.shares[i];
    }
}

err run_read_touches(struct whatif_run *run)
{
    struct seen seen[CHANNEL_KIND_COUNT] = { { .sent = 0 } };
    err error = ERR_OK;
    for (uint32_t number = 1; error == ERR_OK && number <= run->last_touch; number++) {
        struct touch_past past;
        if (!touches_past_at(run->live_touches, number, &past))
            continue;
        count_seen(run, &past, seen);
        if (!is_out(past.status) || cast_at(&run->cast, past.node) == NULL ||
            !part_has(run, run->cast.root[past.node]))
            continue;
        bool is_hand =
            past.journey.size == 0 ||
            (!run->order.with_others && !str_equal(past.journey, str_from_c(run->order.journey)));
        if (past.time_ms < run->order.from_ms)
            error = touches_fork_add(run->touches, run->live_touches, number);
        else if (is_hand && past.time_ms < run->order.to_ms)
            error = keep_by_hand(run, number);
    }
    set_shares(run, seen);
    return error;
}

static bool give_back_coupon(void *context, const struct ledger_value *values)
{
    struct whatif_run *run = context;
    if (values[4].integer >= run->order.from_ms)
        touches_fork_take_back_coupon(run->touches, values[1].bytes);
    return true;
}

static err enter_by_hand(struct whatif_run *run)
{
    struct buffer body, answer;
    json_value root;
    if (run->order.segment.size == 0)
        return ERR_OK;
    buffer_init(&body, 4096);
    buffer_init(&answer, 4096);
    buffer_append_str(&body, STR("{\"key\":"));
    json_write_text(&body, str_from_c(run->order.journey));
    buffer_append_str(&body, STR(",\"segment\":"));
    json_write_text(&body, buffer_str(&run->order.segment));
    buffer_append_byte(&body, '}');
    struct journey_command command = { .moment = { .seq = run->seq, .now_ms = run->now_ms },
                                       .answer = &answer,
                                       .problem = run->problem };
    err error = json_parse(run->value_parser, buffer_str(&body), &root, run->problem);
    command.body = root;
    if (error == ERR_OK)
        error = journey_enter(run->journeys, &command);
    buffer_deinit(&body);
    buffer_deinit(&answer);
    return error;
}

static err follow_everybody(struct whatif_run *run)
{
    err error = ERR_OK;
    if (!journey_concerns_everybody(run->journeys))
        return ERR_OK;
    for (uint32_t customer = 1; error == ERR_OK && customer <= run->cast.node_count; customer++) {
        if (run->cast.root[customer] == customer && cast_at(&run->cast, customer) != NULL &&
            part_has(run, customer))
            error = watch_follow(run, customer);
        if (whatif_is_cancelled(run))
            return ERR_UNAVAILABLE;
    }
    return error;
}

void run_stage_done(struct whatif_run *run, int index)
{
    run->stage_ms[index] = steady_since_ms(run->start);
}

err run_prepare(struct whatif_run *run)
{
    err error = run_stage(run);
    run_stage_done(run, 0);
    parts_choose(run);
    if (error == ERR_OK)
        error = cast_make(run);
    run_stage_done(run, 1);
    if (error == ERR_OK)
        error = watch_make(run);
    if (error == ERR_OK)
        error = stream_open(run);
    if (error == ERR_OK)
        error = parts_share(run);
    run_stage_done(run, 2);
    return error;
}

err run_begin(struct whatif_run *run)
{
    run->now_ms = run->order.from_ms;
    run->tick_ms = run->order.from_ms / run->order.tick_ms * run->order.tick_ms;
    run->told_last = &run->told;
    err error = run_read_touches(run);
    if (run->part > 0)
        touches_fork_forget_given(run->touches); /* the run itself counts them */
    else if (error == ERR_OK)
        error = ledger_scan(run->engine->ledger, LEDGER_COUPONS_GIVEN, NULL, give_back_coupon, run,
                            run->problem);
    if (error == ERR_OK)
        error = follow_everybody(run);
    if (error == ERR_OK)
        error = enter_by_hand(run);
    if (run->part == 0)
        run_stage_done(run, 3);
    return error;
}
