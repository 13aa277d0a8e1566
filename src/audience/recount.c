/* SPDX-License-Identifier: Apache-2.0 */
/* recount: everybody judged anew, and compared with what is live. A difference is a defect of Kith: it is counted,
 * told in a log line without naming anybody, and put right if asked. */
#include <stdio.h>

#include "audience/state.h"

struct recount {
    struct audience *audience;
    struct audience_moment moment;
    bool mend;
    struct audience_recount_result *result;
    struct stream_list waiting; /* who lacks events in memory */
    bool in_memory;             /* they are passed over */
    steady_ns start;
    int64_t budget_us; /* 0: as long as it takes */
};

static void tell(struct recount *recount, const struct definition *definition, uint32_t customer,
                 int64_t live, int64_t judged)
{
    metric_add(METRIC_AUDIENCE_DEFECTS, 1);
    if (recount->result->defects++ > 0)
        return;
    snprintf(recount->result->first, sizeof recount->result->first,
             "%s '" STR_FMT "' of customer %u is %lld and should be %lld",
             definition->kind == AUDIENCE_TAG ? "tag" : "segment", STR_ARG(definition->key),
             customer, (long long)live, (long long)judged);
    log_line(LOG_ERROR, "recount_differs", "definition=%u customer=%u live=%lld judged=%lld",
             definition->number, customer, (long long)live, (long long)judged);
}

static err recount_one(struct recount *recount, struct definition *definition, uint32_t customer,
                       const struct history_view *view, bool *lacks)
{
    struct audience *audience = recount->audience;
    struct verdict verdict;
    bool changed;
    live_judge_one(audience, definition, definition->recipe, &audience->judging, customer, view,
                   recount->moment.now_ms, &verdict);
    *lacks = lacked_events(audience, audience->judging.judge);
    if (*lacks)
        return recount->in_memory || stream_list_add(&recount->waiting, customer) ? ERR_OK
                                                                                  : ERR_NOMEM;
    int64_t judged = definition->recipe->form == FORM_GIVEN
                         ? verdict.value
                         : definition_cell(definition, definition->recipe, verdict.value);
    int64_t live = definition_get(definition, customer);
    recount->result->judged++;
    if (live == judged)
        return ERR_OK;
    tell(recount, definition, customer, live, judged);
    return recount->mend ? definition_put(audience, definition, customer, judged, recount->moment,
                                          CAUSE_RECOUNT, &changed)
                         : ERR_OK;
}

/* One place of the order; of who is no root nothing may be left. */
static err recount_at(struct recount *recount, uint32_t place, uint32_t customer, bool is_root,
                      const struct history_view *view, bool *lacks)
{
    struct definition *definition = recount->audience->order[place];
    if (is_root)
        return recount_one(recount, definition, customer, view, lacks);
    int64_t live = definition_get(definition, customer);
    if (live != NO_VALUE)
        tell(recount, definition, customer, live, NO_VALUE);
    return ERR_OK;
}

/* Reading the clock costs a tenth of judging. */
#define JUDGED_AT_ONCE 8u

/* From *place on; it is 0 again when she is through. */
static err recount_customer(struct recount *recount, uint32_t customer, bool is_root,
                            uint32_t *place)
{
    struct audience *audience = recount->audience;
    struct history_view view = { .count = 0 };
    bool is_given = audience->given != NULL && audience->given_customer == customer;
    bool lacks = false, is_over = false;
    err error = is_root ? columns_read(audience, customer, NULL) : ERR_OK;
    if (error == ERR_OK && is_root)
        error = columns_read_identifiers(audience, customer, NULL);
    history_read_begin(audience->reader);
    if (is_given)
        view = *audience->given;
    else if (is_root)
        history_view_customer(audience->reader, customer, &view);
    for (; error == ERR_OK && !lacks && !is_over && *place < audience->order_count; ++*place) {
        error = recount_at(recount, *place, customer, is_root, &view, &lacks);
        is_over = recount->budget_us > 0 && *place % JUDGED_AT_ONCE == 0 &&
                  steady_since_us(recount->start) >= recount->budget_us;
    }
    history_read_end(audience->reader);
    if (error != ERR_OK || lacks || *place >= audience->order_count)
        *place = 0;
    return error;
}

/* With thousands of definitions one customer takes longer than the budget: she is gone on with in the next slice, at the moment of
 * that one. What a slice took it rests so many times, so that events that come do not wait for it in turns. */
#define RESTS 19

static bool rests(const struct audience *audience)
{
    return audience->recount_rest_us > 0 &&
           steady_since_us(audience->recounted) < audience->recount_rest_us;
}

void recount_work(struct audience *audience, int64_t budget_us)
{
    struct audience_recount_result result = { .defects = 0 };
    struct recount recount = { .audience = audience,
                               .moment = { .seq = audience->pending_moment.seq,
                                           .now_ms = audience->now_ms },
                               .in_memory = true,
                               .start = steady_now(),
                               .budget_us = budget_us,
                               .result = &result };
    uint32_t last = identity_node_count(audience->config.identity);
    steady_ns start = recount.start;
    err error = ERR_OK;
    if (audience->recount_next == 0 || rests(audience))
        return;
    while (audience->recount_next != 0 && error == ERR_OK && steady_since_us(start) < budget_us) {
        uint32_t customer = audience->recount_next;
        bool is_root = identity_root(audience->config.identity, customer) == customer;
        bool waits = roaring_bitmap_contains(audience->huge, customer);
        error = is_root ? live_settle(audience, customer, recount.moment) : ERR_OK;
        if (error == ERR_OK && !waits)
            error = recount_customer(&recount, customer, is_root, &audience->recount_place);
        if (waits || error != ERR_OK)
            audience->recount_place = 0;
        if (audience->recount_place == 0)
            audience->recount_next = customer < last ? customer + 1 : 0;
    }
    audience->recounted = steady_now();
    audience->recount_rest_us = RESTS * steady_since_us(start);
}

static err recount_waiting(void *context, uint32_t customer)
{
    uint32_t place = 0;
    return recount_customer(context, customer, true, &place);
}

err audience_recount(struct audience *audience, int64_t now_ms, bool mend,
                     struct audience_recount_result *result)
{
    struct recount recount = { .audience = audience,
                               .moment = { .seq = audience->pending_moment.seq, .now_ms = now_ms },
                               .mend = mend,
                               .result = result };
    uint32_t last = identity_node_count(audience->config.identity);
    *result = (struct audience_recount_result){ .defects = 0 };
    err error = audience_settle(audience, now_ms);
    uint32_t place = 0;
    for (uint32_t customer = 1; error == ERR_OK && customer <= last; customer++)
        error = recount_customer(&recount, customer,
                                 identity_root(audience->config.identity, customer) == customer,
                                 &place);
    if (error == ERR_OK)
        error = live_stream(audience, &recount.waiting, recount_waiting, &recount);
    stream_list_free(&recount.waiting);
    return error;
}
