/* SPDX-License-Identifier: Apache-2.0 */
/* live_time: what time alone moves. A tick names who is due; they are judged in slices between records, and all of them before the
 * next tick. */
#include <string.h>

#include "audience/state.h"

/* Taken out of the set at once; the clock is looked at after each: one may have many events. */
#define SETTLED_AT_ONCE 16u

static bool is_over(steady_ns start, int64_t budget_us)
{
    return budget_us > 0 && steady_since_us(start) >= budget_us;
}

/* The next of them, out of the set: what is judged may itself take somebody out. */
static uint32_t take_pending(struct audience *audience, uint32_t batch[SETTLED_AT_ONCE])
{
    roaring_uint32_iterator_t iterator;
    roaring_init_iterator(audience->pending, &iterator);
    uint32_t count = roaring_read_uint32_iterator(&iterator, batch, SETTLED_AT_ONCE);
    if (count > 0)
        roaring_bitmap_remove_range(audience->pending, batch[0], (uint64_t)batch[count - 1] + 1);
    return count;
}

static err judge_waiting(void *context, uint32_t customer)
{
    return live_judge_pending(context, customer);
}

/* Who lacks events in memory: in slices they are read back aside; at once by one question for all of them. */
static err finish_waiting(struct audience *audience, struct stream_list *waiting,
                          roaring_bitmap_t *again, bool in_slices,
                          err (*judge)(void *context, uint32_t customer))
{
    if (in_slices && recall_can(audience)) {
        recall_add(audience, waiting, again == audience->rejudge);
        stream_list_free(waiting);
        return ERR_OK;
    }
    for (size_t i = 0; i < waiting->count; i++)
        roaring_bitmap_add(again, waiting->customers[i]);
    size_t count = waiting->count;
    err error = live_stream(audience, waiting, judge, audience);
    for (size_t i = 0; i < count && error == ERR_OK; i++)
        roaring_bitmap_remove(again, waiting->customers[i]);
    stream_list_free(waiting);
    return error;
}

/* A tick would finish this in one piece. */
static void show_settling(struct audience *audience)
{
    bool is_settling = !roaring_bitmap_is_empty(audience->pending) || !recall_is_empty(audience) ||
                       audience->merging != NULL;
    if (!is_settling && !audience->due_unknown)
        audience->settled_ms = audience->pending_moment.now_ms;
    atomic_store_explicit(&audience->is_settling, is_settling, memory_order_relaxed);
}

static err finish_pending(struct audience *audience, int64_t budget_us, bool *more)
{
    steady_ns start = steady_now();
    struct stream_list waiting = { .count = 0 };
    uint32_t batch[SETTLED_AT_ONCE];
    err error = ERR_OK;
    if (budget_us == 0)
        recall_take_back(audience);
    audience->waiting = &waiting;
    part_begin_slice(audience, budget_us);
    *more = !roaring_bitmap_is_empty(audience->pending);
    bool over = false;
    while (error == ERR_OK && *more && !over) {
        uint32_t count = take_pending(audience, batch);
        for (uint32_t i = 0; i < count; i++) {
            if (over || error != ERR_OK ||
                (error = live_judge_pending(audience, batch[i])) != ERR_OK ||
                part_is_left(audience, batch[i]))
                roaring_bitmap_add(audience->pending, batch[i]); /* tried again, or gone on with */
            over = over || is_over(start, budget_us);
        }
        *more = !roaring_bitmap_is_empty(audience->pending);
    }
    part_end_slice(audience);
    audience->waiting = NULL;
    if (error == ERR_OK)
        error = finish_waiting(audience, &waiting, audience->pending, budget_us > 0, judge_waiting);
    stream_list_free(&waiting);
    show_settling(audience);
    if (!*more && audience->sweep.left > 0)
        atomic_store(&audience->wants_tick, true);
    return error;
}

err live_finish(struct audience *audience)
{
    bool more;
    return finish_pending(audience, 0, &more);
}

static err rejudge_waiting(void *context, uint32_t customer)
{
    struct audience *audience = context;
    struct audience_moment moment = { .seq = audience->pending_moment.seq,
                                      .now_ms = audience->now_ms };
    return live_rejudge(audience, customer, moment);
}

err live_judge_recalled(struct audience *audience, uint32_t customer,
                        const struct history_view *view, bool *pending, bool *rejudge)
{
    err error = ERR_OK;
    audience->given = view;
    audience->given_customer = customer;
    if (*pending) {
        error = live_judge_pending(audience, customer);
        *pending = part_is_left(audience, customer);
    }
    if (error == ERR_OK && *rejudge && !*pending) {
        error = rejudge_waiting(audience, customer);
        *rejudge = part_is_left(audience, customer);
    }
    audience->given = NULL;
    return error;
}

/* Who was touched meanwhile, in slices; 0: all. */
static err finish_rejudge(struct audience *audience, int64_t budget_us, bool *more)
{
    struct stream_list waiting = { .count = 0 };
    struct audience_moment moment = { .seq = audience->pending_moment.seq,
                                      .now_ms = audience->now_ms };
    steady_ns start = steady_now();
    uint32_t batch[SETTLED_AT_ONCE];
    err error = ERR_OK;
    audience->waiting = &waiting;
    part_begin_slice(audience, budget_us);
    *more = !roaring_bitmap_is_empty(audience->rejudge);
    while (error == ERR_OK && *more) {
        roaring_uint32_iterator_t iterator;
        roaring_init_iterator(audience->rejudge, &iterator);
        uint32_t count = roaring_read_uint32_iterator(&iterator, batch, SETTLED_AT_ONCE);
        for (uint32_t i = 0; i < count && error == ERR_OK && !is_over(start, budget_us); i++) {
            error = live_rejudge(audience, batch[i], moment);
            if (part_is_left(audience, batch[i]))
                roaring_bitmap_add(audience->rejudge, batch[i]);
        }
        *more = !roaring_bitmap_is_empty(audience->rejudge);
        if (is_over(start, budget_us))
            break;
    }
    part_end_slice(audience);
    audience->waiting = NULL;
    if (error == ERR_OK)
        error =
            finish_waiting(audience, &waiting, audience->rejudge, budget_us > 0, rejudge_waiting);
    stream_list_free(&waiting);
    return error;
}

err audience_tick(struct audience *audience, struct audience_moment moment)
{
    bool more = false;
    err error = finish_pending(audience, 0, &more);
    if (error != ERR_OK)
        return error;
    part_superseded(audience, audience->part.customer); /* she may be due now, by another moment */
    audience->now_ms = moment.now_ms;
    if (objects_are_dirty(audience) || object_definitions_are_due(audience, moment.now_ms))
        error = objects_publish(audience, moment);
    if (error != ERR_OK)
        return error;
    audience->pending_moment = moment;
    hear_tick(audience, moment.now_ms);
    error = wheel_take(&audience->wheel, wheel_minute(moment.now_ms), audience->pending);
    scan_merge_due(audience, wheel_minute(moment.now_ms), audience->pending);
    sweep_tick(audience);
    object_counts_tick(audience, moment.now_ms);
    metric_set(METRIC_AUDIENCE_DUE, (int64_t)roaring_bitmap_get_cardinality(audience->pending));
    show_settling(audience);
    int64_t day = local_day(audience->zone, moment.now_ms);
    if (day > audience->day) {
        audience->day = day;
        audience->day_has_begun = true;
    }
    return error;
}

#define FEW_US 3000

void live_settle_few(struct audience *audience)
{
    bool more;
    err error = finish_pending(audience, FEW_US, &more);
    if (error == ERR_OK && !more)
        error = finish_rejudge(audience, FEW_US, &more);
    if (error != ERR_OK)
        log_line(LOG_ERROR, "settle_failed", "reason=\"out of memory\"");
}

int64_t live_as_of_ms(const struct audience *audience)
{
    return roaring_bitmap_is_empty(audience->pending) && recall_is_empty(audience)
               ? audience->now_ms
               : audience->pending_moment.now_ms - 1;
}

err live_work(struct audience *audience, int64_t budget_us, bool *more)
{
    err error = finish_pending(audience, budget_us, more);
    if (!*more)
        metric_set(METRIC_AUDIENCE_DUE, 0);
    if (error == ERR_OK && !*more)
        error = finish_rejudge(audience, budget_us, more);
    if (error == ERR_OK && !*more)
        *more = scan_merge(audience, budget_us);
    if (error == ERR_OK && !*more)
        error = recall_work(audience, budget_us, more);
    show_settling(audience);
    return error;
}

/* After a start, before the scan of due times is done. */
struct settling {
    struct audience *audience;
    struct audience_moment moment;
};

static err settle_waiting(void *context, uint32_t customer)
{
    const struct settling *settling = context;
    return live_judge_time(settling->audience, customer, false, settling->moment);
}

static err settle_unknown(struct audience *audience, struct audience_moment moment)
{
    struct stream_list waiting = { .count = 0 };
    struct settling settling = { audience, moment };
    uint32_t last = identity_node_count(audience->config.identity);
    err error = ERR_OK;
    audience->waiting = &waiting;
    for (uint32_t customer = 1; error == ERR_OK && customer <= last; customer++)
        if (!roaring_bitmap_contains(audience->due_known, customer) &&
            identity_root(audience->config.identity, customer) == customer)
            error = live_judge_time(audience, customer, false, moment);
    audience->waiting = NULL;
    if (error == ERR_OK)
        error = live_stream(audience, &waiting, settle_waiting, &settling);
    stream_list_free(&waiting);
    return error;
}

err audience_settle(struct audience *audience, int64_t now_ms)
{
    bool more;
    struct audience_moment moment = { .seq = audience->pending_moment.seq, .now_ms = now_ms };
    err error = taking_work(audience, 0, &more);
    if (error == ERR_OK)
        error = finish_pending(audience, 0, &more);
    if (error == ERR_OK)
        error = finish_rejudge(audience, 0, &more);
    (void)scan_merge(audience, 0);
    if (error != ERR_OK)
        return error;
    if (objects_are_dirty(audience) || object_definitions_are_due(audience, now_ms))
        error = objects_publish(audience, moment);
    if (error != ERR_OK)
        return error;
    audience->pending_moment = moment;
    hear_tick(audience, moment.now_ms);
    error = wheel_take(&audience->wheel, wheel_minute(now_ms), audience->pending);
    do {
        sweep_tick(audience);
        if (error == ERR_OK)
            error = finish_pending(audience, 0, &more);
    } while (error == ERR_OK && audience->sweep.left > 0);
    if (error == ERR_OK && audience->due_unknown)
        error = settle_unknown(audience, moment);
    return error == ERR_OK ? live_judge_put_off(audience, moment) : error;
}
