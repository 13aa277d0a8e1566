/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_run: the virtual clock of a run. Each event walks down as in apply.c (take_effect); what was due before it has happened by then;
 * what is queued goes out at once.
 *
 *     run_prepare (whatif_begin.c) ─▶ stream ─┬─▶ run_advance: held touches, rules by time, timers ─┐
 *                                             └◀── happen: the event ◀──────────────────────────────┘
 */
#include <stdlib.h>
#include <string.h>

#include "engine/whatif/whatif_inside.h"

#define ASK_AGAIN_MS 5
#define CLAIM_MAX 1000
#define ROUNDS_MAX 100
#define RUN_DUE_MAX 20000
#define LOOK_EVERY 1024
#define LATE_EVENT_MS DAY_MS
#define PAST_FLAGS (EVENT_HISTORICAL | EVENT_IMPORTED)

bool whatif_is_cancelled(const struct whatif_run *run)
{
    return (run->cancel != NULL && atomic_load_explicit(run->cancel, memory_order_relaxed)) ||
           (run->parts != NULL &&
            atomic_load_explicit(&run->parts->is_failed, memory_order_relaxed)) ||
           atomic_load_explicit(&run->engine->stopping, memory_order_relaxed);
}

err whatif_ask(struct whatif_run *run,
               void (*ask)(const struct engine_state *state, struct engine_question *question),
               void *context)
{
    struct engine_question question = { .ask = ask, .context = context };
    err error;
    while ((error = engine_ask_wait(run->engine, &question)) == ERR_BUSY) {
        if (whatif_is_cancelled(run))
            return ERR_UNAVAILABLE;
        steady_sleep_ms(ASK_AGAIN_MS);
    }
    return error;
}

/* ---- what came up in a record ---- */

err run_note_told(void *context, const struct touch_change *change, struct touch_moment moment,
                  struct ledger_writes *writes)
{
    struct whatif_run *run = context;
    const str texts[] = { change->journey, change->node, change->reason };
    size_t bytes = 0;
    (void)moment;
    (void)writes;
    trial_change(run, change);
    err error = tally_change(run, change);
    /* that it is under way says nothing to a journey, and what came of it is told at the same moment */
    if (error != ERR_OK || change->journey.size == 0 || change->to == TOUCH_SENDING)
        return error;
    for (size_t i = 0; i < 3; i++)
        bytes += texts[i].size;
    struct told_touch *told = arena_alloc_raw(&run->told_texts, sizeof *told + bytes + 1);
    if (told == NULL)
        return ERR_NOMEM;
    told->next = NULL;
    char *at = (char *)(told + 1);
    str *copies[] = { &told->change.journey, &told->change.node, &told->change.reason };
    told->change = *change;
    told->change.response = STR_NONE;
    for (size_t i = 0; i < 3; i++) {
        if (texts[i].size > 0)
            memcpy(at, texts[i].data, texts[i].size);
        *copies[i] = str_from_bytes(at, texts[i].size);
        at += texts[i].size;
    }
    *run->told_last = told;
    run->told_last = &told->next;
    return ERR_OK;
}

static struct journey_moment moment_of(const struct whatif_run *run)
{
    return (struct journey_moment){ .seq = run->seq, .now_ms = run->now_ms };
}

static struct touch_moment touch_moment_of(const struct whatif_run *run)
{
    return (struct touch_moment){ .seq = run->seq, .now_ms = run->now_ms };
}

static err take_told(struct whatif_run *run)
{
    struct told_touch *list = run->told;
    err error = ERR_OK;
    run->told = NULL;
    run->told_last = &run->told;
    for (; error == ERR_OK && list != NULL; list = list->next)
        error = journey_touch(run->journeys, &list->change, moment_of(run), NULL);
    if (run->told == NULL)
        arena_reset(&run->told_texts);
    return error;
}

static err tell_move(struct whatif_run *run, const struct watch_move *moved)
{
    struct audience_move move = { .kind = AUDIENCE_SEGMENT,
                                  .key = audience_then_key(run->then, moved->key),
                                  .customer = moved->customer,
                                  .was_in = !moved->is_in,
                                  .is_in = moved->is_in,
                                  .cause = "event" };
    return journey_moves(run->journeys, &move, 1, true, moment_of(run), NULL);
}

static err take_heard(struct whatif_run *run)
{
    struct watch_moves list = run->watch.heard;
    err error = ERR_OK;
    run->watch.heard = (struct watch_moves){ .count = 0 };
    for (size_t i = 0; error == ERR_OK && i < list.count; i++)
        error = tell_move(run, &list.items[i]);
    if (run->watch.heard.items == NULL) {
        list.count = 0;
        run->watch.heard = list; /* its memory is used again */
    } else {
        memory_free(list.items);
    }
    return error;
}

/* She has entered a journey, or left one: windows that begin there are others. */
static err entered_or_left(void *context, uint32_t customer)
{
    return watch_changed(context, customer);
}

static bool is_unsaid(const struct whatif_run *run)
{
    return run->told != NULL || run->watch.heard.count > 0 || journey_has_changed(run->journeys);
}

static err settle(struct whatif_run *run)
{
    err error = ERR_OK;
    for (int i = 0; error == ERR_OK && is_unsaid(run) && i < ROUNDS_MAX; i++) {
        error = take_told(run);
        if (error == ERR_OK)
            error = take_heard(run);
        if (error == ERR_OK)
            error = journey_take_changed(run->journeys, entered_or_left, run);
    }
    return error;
}

/* ---- what is sent, and what comes of it ---- */

/* One order for all, so that nobody's depends on whose else there are. */
static bool comes_before(const struct later_receipt *one, const struct later_receipt *other)
{
    if (one->at_ms != other->at_ms)
        return one->at_ms < other->at_ms;
    return one->number != other->number ? one->number < other->number : one->status < other->status;
}

static err push_receipt(struct whatif_run *run, int64_t at_ms, uint32_t number,
                        enum touch_status status)
{
    if (run->receipt_count == run->receipt_capacity) {
        size_t capacity = run->receipt_capacity == 0 ? 1024 : run->receipt_capacity * 2;
        struct later_receipt *longer = memory_resize(run->receipts, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        run->receipts = longer;
        run->receipt_capacity = capacity;
    }
    struct later_receipt later = { .at_ms = at_ms, .number = number, .status = (uint8_t)status };
    size_t at = run->receipt_count++;
    for (; at > 0 && comes_before(&later, &run->receipts[(at - 1) / 2]); at = (at - 1) / 2)
        run->receipts[at] = run->receipts[(at - 1) / 2];
    run->receipts[at] = later;
    return ERR_OK;
}

static struct later_receipt pop_receipt(struct whatif_run *run)
{
    struct later_receipt first = run->receipts[0], last = run->receipts[--run->receipt_count];
    size_t at = 0;
    for (size_t child = 1; child < run->receipt_count; child = at * 2 + 1) {
        if (child + 1 < run->receipt_count &&
            comes_before(&run->receipts[child + 1], &run->receipts[child]))
            child++;
        if (!comes_before(&run->receipts[child], &last))
            break;
        run->receipts[at] = run->receipts[child];
        at = child;
    }
    if (run->receipt_count > 0)
        run->receipts[at] = last;
    return first;
}

/* The same touch is drawn the same in each run, whoever else there is in it. */
static double draw(const struct whatif_run *run, const struct touch_claimed *claimed)
{
    uint64_t hash = hash_bytes64(claimed->journey.data, claimed->journey.size, claimed->node);
    hash = hash_bytes64(claimed->journey_node.data, claimed->journey_node.size, hash);
    return (double)(hash_mix64(hash ^ (uint64_t)run->now_ms) >> 11) * 0x1p-53;
}

static err receive(struct whatif_run *run, const struct touch_claimed *claimed)
{
    const double *shares = run->shares[claimed->kind];
    bool is_inside = claimed->kind == CHANNEL_COUPON || claimed->kind == CHANNEL_POINTS;
    double place = draw(run, claimed), share = is_inside ? 1 : shares[0];
    int64_t done_ms = tally_adviser_ms(run, claimed);
    err error = touches_fork_tell(run->touches, touch_moment_of(run), claimed->number, TOUCH_SENT);
    if (error == ERR_OK && place < share && done_ms > run->now_ms)
        error = push_receipt(run, done_ms, claimed->number, TOUCH_DELIVERED);
    else if (error == ERR_OK && place < share)
        error =
            touches_fork_tell(run->touches, touch_moment_of(run), claimed->number, TOUCH_DELIVERED);
    if (error != ERR_OK || is_inside)
        return error;
    share *= shares[1];
    if (place < share)
        error = push_receipt(run, done_ms + run->order.read_after_ms, claimed->number, TOUCH_READ);
    if (error == ERR_OK && place < share * shares[2])
        error =
            push_receipt(run, done_ms + run->order.read_after_ms, claimed->number, TOUCH_CLICKED);
    return error;
}

static err send_once(struct whatif_run *run, bool *more)
{
    size_t count = 0;
    err error =
        touches_fork_claim(run->touches, touch_moment_of(run), run->claimed, CLAIM_MAX, &count);
    if (error == ERR_OK)
        error = settle(run);
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        tally_claimed(run, &run->claimed[i]);
        error = receive(run, &run->claimed[i]);
    }
    if (error == ERR_OK)
        error = settle(run);
    *more = count > 0 || touches_fork_is_ready(run->touches);
    return error;
}

err run_end_record(struct whatif_run *run)
{
    bool more = true;
    err error = settle(run);
    run->records++;
    for (int i = 0; error == ERR_OK && more && touches_fork_is_ready(run->touches); i++) {
        if (i == 100000) /* 100 million touches at one moment: something asks for itself */
            break;
        error = send_once(run, &more);
    }
    return error;
}

/* ---- what is due ---- */

static err run_receipts(struct whatif_run *run)
{
    err error = ERR_OK;
    while (error == ERR_OK && run->receipt_count > 0 && run->receipts[0].at_ms <= run->now_ms) {
        struct later_receipt receipt = pop_receipt(run);
        error = touches_fork_tell(run->touches, touch_moment_of(run), receipt.number,
                                  (enum touch_status)receipt.status);
        if (error == ERR_OK)
            error = run_end_record(run);
    }
    return error;
}

static err run_touches(struct whatif_run *run)
{
    bool more = touch_next_due_ms(run->touches) <= run->now_ms;
    err error = ERR_OK;
    while (error == ERR_OK && more) {
        error = touch_run_due(run->touches, RUN_DUE_MAX, touch_moment_of(run), NULL, &more);
        if (error == ERR_OK)
            error = run_end_record(run);
    }
    return error;
}

static err run_tick(struct whatif_run *run)
{
    err error = watch_tick(run);
    struct watch_moves list = run->watch.pending;
    run->watch.pending = (struct watch_moves){ .count = 0 };
    for (size_t i = 0; error == ERR_OK && i < list.count; i++)
        if (run->cast.root[list.items[i].customer] == list.items[i].customer)
            error = tell_move(run, &list.items[i]);
    memory_free(list.items);
    return error == ERR_OK ? run_end_record(run) : error;
}

static err run_journeys(struct whatif_run *run)
{
    struct journey_command command = { .moment = moment_of(run) };
    err error = ERR_OK;
    while (error == ERR_OK && journey_next_due_ms(run->journeys) <= run->now_ms) {
        error = journey_run(run->journeys, &command);
        if (error == ERR_OK)
            error = run_end_record(run);
        if (whatif_is_cancelled(run))
            return ERR_UNAVAILABLE;
    }
    return error;
}

static int64_t by_hand_ms(const struct whatif_run *run)
{
    struct touch_past past;
    if (run->by_hand_next == run->by_hand_count ||
        !touches_past_at(run->live_touches, run->by_hand[run->by_hand_next], &past))
        return INT64_MAX;
    return past.time_ms;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_due_ms(struct whatif_run *run)
{
    int64_t due_ms = least(journey_next_due_ms(run->journeys), touch_next_due_ms(run->touches));
    due_ms = least(due_ms, watch_next_due_ms(run));
    due_ms = least(due_ms, by_hand_ms(run));
    return run->receipt_count > 0 ? least(due_ms, run->receipts[0].at_ms) : due_ms;
}

static err run_due(struct whatif_run *run)
{
    err error = ERR_OK;
    while (error == ERR_OK && by_hand_ms(run) <= run->now_ms)
        error =
            touches_fork_add(run->touches, run->live_touches, run->by_hand[run->by_hand_next++]);
    if (error == ERR_OK)
        error = run_receipts(run);
    if (error == ERR_OK)
        error = run_touches(run);
    if (error == ERR_OK && watch_next_due_ms(run) <= run->now_ms)
        error = run_tick(run);
    return error == ERR_OK ? run_journeys(run) : error;
}

static size_t cast_bytes(const struct cast *cast)
{
    return (size_t)cast->node_count * 4 * sizeof(uint32_t) +
           cast->capacity * (sizeof(struct cast_node) + cast->kind_count * sizeof(uint32_t)) +
           cast->consent_capacity * sizeof(struct cast_consent) +
           cast->join_capacity * sizeof(struct cast_join);
}

static size_t run_bytes(const struct whatif_run *run)
{
    return touches_fork_bytes(run->touches) + journey_overlay_bytes(run->journeys) +
           run->texts.used_bytes + run->tally.capacity * sizeof(struct tally_touch) +
           (run->part == 0 ? cast_bytes(&run->cast) : 0) +
           run->watch.person_capacity * sizeof(struct watched_one) +
           run->watch.due_capacity * sizeof(struct watch_due) +
           run->value_capacity * sizeof(struct value_kept) +
           run->receipt_capacity * sizeof(struct later_receipt) +
           run->by_hand_capacity * sizeof(uint32_t);
}

/* Of all parts together; when there is no more, all end where they are. */
static bool is_over_memory(const struct whatif_run *run)
{
    struct whatif_parts *parts = run->parts;
    size_t bytes = run_bytes(run);
    if (parts == NULL)
        return bytes > run->order.bytes_max;
    atomic_store(&parts->bytes[run->part], bytes);
    bytes = 0;
    for (uint32_t i = 0; i < parts->count; i++)
        bytes += atomic_load(&parts->bytes[i]);
    if (bytes > run->order.bytes_max)
        atomic_store(&parts->is_cut, true);
    return atomic_load(&parts->is_cut);
}

static err look_around(struct whatif_run *run)
{
    if (whatif_is_cancelled(run))
        return ERR_UNAVAILABLE;
    run->is_cut = is_over_memory(run);
    if (run->progress != NULL)
        atomic_store(run->progress, (int)(50 + 950 * (run->now_ms - run->order.from_ms) /
                                                   (run->order.to_ms - run->order.from_ms)));
    return ERR_OK;
}

/* All that is due by then has happened. */
err run_advance(struct whatif_run *run, int64_t to_ms)
{
    err error = ERR_OK;
    for (uint64_t steps = 1; error == ERR_OK && !run->is_cut; steps++) {
        int64_t due_ms = next_due_ms(run);
        if (due_ms > to_ms)
            break;
        run->now_ms = due_ms > run->now_ms ? due_ms : run->now_ms;
        error = run_due(run);
        if (error == ERR_OK && steps % LOOK_EVERY == 1)
            error = look_around(run);
    }
    run->now_ms = to_ms > run->now_ms ? to_ms : run->now_ms;
    /* ticks at which nothing was due have been as well */
    int64_t tick_ms = run->now_ms / run->order.tick_ms * run->order.tick_ms;
    run->tick_ms = tick_ms > run->tick_ms ? tick_ms : run->tick_ms;
    return error;
}

/* ---- an event ---- */

static bool may_concern(const struct whatif_row *row, size_t merges)
{
    return merges > 0 || row->kind == EVENT_BIND || row->kind == EVENT_UNBIND ||
           row->kind == EVENT_IDENTIFY || str_contains(row->type, STR("Consent")) ||
           str_contains(row->type, STR("ubscri"));
}

static err merge(struct whatif_run *run, uint32_t customer, const uint32_t *absorbed, size_t count)
{
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++)
        error = watch_merged(run, customer, absorbed[i]);
    if (error == ERR_OK && count > 0)
        error = watch_changed(run, customer);
    return error;
}

/* Who is about to be one: each as it stood, on its own. */
static err before_merge(struct whatif_run *run, uint64_t seq)
{
    uint32_t roots[2 * IDENTITY_MERGES_MAX];
    size_t count = cast_meeting(&run->cast, seq, roots, 2 * IDENTITY_MERGES_MAX);
    err error = ERR_OK;
    for (size_t i = 0; error == ERR_OK && i < count; i++) {
        error = watch_follow(run, roots[i]);
        if (error == ERR_OK)
            error = watch_before(run, roots[i]);
    }
    return error;
}

static err take_effect(struct whatif_run *run, const struct whatif_row *row,
                       const struct event *event)
{
    uint32_t absorbed[IDENTITY_MERGES_MAX];
    struct journey_moment moment = moment_of(run);
    err error = before_merge(run, row->seq);
    size_t merges = cast_merge(&run->cast, row->seq, absorbed, IDENTITY_MERGES_MAX);
    uint32_t customer = run->cast.root[row->node];
    uint16_t type = history_type_find(run->history, row->type);
    bool is_past = (row->flags & PAST_FLAGS) != 0;
    bool may_start =
        is_past ? run->order.with_imported : row->time_ms >= run->now_ms - LATE_EVENT_MS;
    if (error == ERR_OK && run->starts[type] && merges == 0)
        error = watch_follow(run, customer);
    if (error == ERR_OK && merges == 0)
        error = watch_before(run, customer);
    if (error == ERR_OK)
        error = journey_before(run->journeys, customer, moment, NULL);
    for (size_t i = 0; error == ERR_OK && i < merges; i++)
        error = journey_before(run->journeys, absorbed[i], moment, NULL);
    if (error == ERR_OK)
        error = merge(run, customer, absorbed, merges);
    if (error == ERR_OK && type <= run->type_count && run->hears[type] != 0)
        error = watch_event(run, customer, row->type);
    if (error == ERR_OK)
        error = touch_event(run->touches, row->node, event, touch_moment_of(run), NULL);
    if (error == ERR_OK && may_concern(row, merges))
        error = touch_customer_changed(run->touches, customer, touch_moment_of(run), NULL);
    if (error == ERR_OK && merges > 0)
        error = journey_merged(run->journeys, customer, absorbed, merges, moment, NULL);
    if (error == ERR_OK)
        error = journey_event(run->journeys, customer, row->node, event,
                              may_start ? JOURNEY_BEGINS : JOURNEY_BEGINS_NOTHING, moment, NULL);
    if (error == ERR_OK && (merges > 0 || str_equal(event->type, STR("Consent Withdrawn"))))
        error = journey_decided(run->journeys, customer, moment, NULL);
    return error == ERR_OK ? run_end_record(run) : error;
}

static err happen(struct whatif_run *run, const struct whatif_row *row)
{
    struct event event = { .seq = row->seq,
                           .received_ms = row->at_ms,
                           .kind = (enum event_kind)row->kind,
                           .flags = row->flags,
                           .source_number = row->source,
                           .type = row->type,
                           .channel = row->channel,
                           .time_ms = row->time_ms,
                           .props = row->props.size > 0 ? row->props : STR("{}") };
    if (row->revenue != PROMOTED_MISSING) {
        event.promoted_set = 1u << PROMOTED_REVENUE;
        event.promoted_int[PROMOTED_REVENUE] = row->revenue;
    }
    if (run->cast.root[row->node] == 0)
        return ERR_OK;
    run->seq = row->seq;
    run->events++;
    return take_effect(run, row, &event);
}

/* Merges and splits by command, and those of events that nobody has an ear for. */
static err change_identities(struct whatif_run *run, uint64_t seq, int64_t at_ms)
{
    struct cast_edge edge;
    int64_t change_ms;
    err error = ERR_OK;
    while (error == ERR_OK &&
           (change_ms = cast_next_change_ms(&run->cast, seq, at_ms)) != INT64_MAX) {
        uint32_t absorbed[IDENTITY_MERGES_MAX];
        error = run_advance(run, change_ms);
        if (error != ERR_OK || !cast_split_before(&run->cast, seq, at_ms, &edge))
            break;
        run->seq = edge.seq;
        error = before_merge(run, edge.seq);
        size_t count =
            edge.is_split ? 0 : cast_merge(&run->cast, edge.seq, absorbed, IDENTITY_MERGES_MAX);
        uint32_t sides[2] = { run->cast.root[edge.node], run->cast.root[edge.other] };
        for (int i = 0; error == ERR_OK && i < (edge.is_split ? 2 : 1); i++) {
            uint32_t nodes[1024];
            size_t node_count =
                run->journey_world.nodes(run, sides[i], nodes, sizeof nodes / sizeof nodes[0]);
            error = edge.is_split ? watch_changed(run, sides[i])
                                  : merge(run, sides[i], absorbed, count);
            if (error == ERR_OK)
                error = touch_customer_changed(run->touches, sides[i], touch_moment_of(run), NULL);
            if (error == ERR_OK && edge.is_split)
                error = journey_split(run->journeys, nodes, node_count, moment_of(run), NULL);
            else if (error == ERR_OK && count > 0)
                error =
                    journey_merged(run->journeys, sides[i], absorbed, count, moment_of(run), NULL);
        }
        if (error == ERR_OK)
            error = run_end_record(run);
    }
    return error;
}

static err run_events(struct whatif_run *run)
{
    const struct whatif_row *row = NULL;
    err error = ERR_OK;
    while (error == ERR_OK && !run->is_cut) {
        row = stream_next(run->stream, run->part, &error);
        if (error != ERR_OK || row == NULL)
            break;
        if (run->order.identities_then)
            error = change_identities(run, row->seq, row->at_ms);
        if (error == ERR_OK)
            error = run_advance(run, row->at_ms);
        if (error == ERR_OK)
            error = happen(run, row);
        if (error == ERR_OK && run->events % LOOK_EVERY == 1)
            error = look_around(run);
    }
    if (error == ERR_OK && !run->is_cut)
        error = look_around(run);
    return error;
}

static err run_part(struct whatif_run *run)
{
    err error = run_begin(run);
    if (error == ERR_OK)
        error = run_events(run);
    if (error == ERR_OK && !run->is_cut && run->order.identities_then)
        error = change_identities(run, UINT64_MAX, run->order.to_ms);
    if (error == ERR_OK && !run->is_cut)
        error = run_advance(run, run->order.to_ms);
    run->until_ms = run->is_cut ? run->now_ms : run->order.to_ms;
    return error;
}

err run_days(struct whatif_run *run)
{
    err error = run_prepare(run);
    if (error == ERR_OK)
        error = parts_run(run, run_part);
    run_stage_done(run, 4);
    return error;
}
