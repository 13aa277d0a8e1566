/* SPDX-License-Identifier: Apache-2.0 */
/* whatif_tally: what a run remembers of each touch of the overlay, 40 bytes each, as it happens. */
#include <stdio.h>

#include "engine/whatif/whatif_inside.h"

void tally_deinit(struct tally *tally)
{
    memory_free(tally->touches);
    memory_free(tally->places);
    memory_free(tally->reasons);
    *tally = (struct tally){ .count = 0 };
}

/* ---- keeping ---- */

static uint8_t reason_of(struct tally *tally, str reason)
{
    if (reason.size == 0)
        return 0;
    for (size_t i = 0; i < tally->reason_count; i++)
        if (str_equal(str_from_c(tally->reasons[i]), str_slice(reason, 0, 63)))
            return (uint8_t)(i + 1);
    if (tally->reason_count == UINT8_MAX)
        return UINT8_MAX; /* all others */
    char(*longer)[64] = memory_resize(tally->reasons, (tally->reason_count + 1) * sizeof(*longer));
    if (longer == NULL)
        return 0;
    tally->reasons = longer;
    snprintf(longer[tally->reason_count], sizeof(*longer), "%.*s",
             STR_ARG(str_slice(reason, 0, str_utf8_prefix_bytes(reason, 63))));
    return (uint8_t)++tally->reason_count;
}

str tally_reason(const struct tally *tally, uint8_t reason)
{
    return reason != 0 ? str_from_c(tally->reasons[reason - 1]) : STR_NONE;
}

static uint16_t place_of(struct whatif_run *run, str journey, str node)
{
    struct tally *tally = &run->tally;
    for (size_t i = 0; i < tally->place_count; i++)
        if (str_equal(str_from_c(tally->places[i].node), node) &&
            str_equal(str_from_c(tally->places[i].journey), journey))
            return (uint16_t)i;
    if (tally->place_count == TALLY_NONE - 1)
        return TALLY_NONE;
    struct tally_place *longer =
        memory_resize(tally->places, (tally->place_count + 1) * sizeof(*longer));
    if (longer == NULL)
        return TALLY_NONE;
    tally->places = longer;
    struct tally_place *place = &longer[tally->place_count];
    *place = (struct tally_place){ .is_asked = str_equal(journey, str_from_c(run->order.journey)) };
    snprintf(place->journey, sizeof place->journey, "%.*s", STR_ARG(str_slice(journey, 0, 103)));
    snprintf(place->node, sizeof place->node, "%.*s", STR_ARG(str_slice(node, 0, 103)));
    return (uint16_t)tally->place_count++;
}

err tally_absorb(struct whatif_run *run, const struct tally *other)
{
    struct tally *tally = &run->tally;
    uint8_t reasons[UINT8_MAX + 1] = { 0 };
    uint16_t *places = memory_alloc((other->place_count + 1) * sizeof *places);
    struct tally_touch *longer =
        memory_resize(tally->touches, ((size_t)tally->count + other->count + 1) * sizeof(*longer));
    if (longer != NULL)
        tally->touches = longer;
    if (longer == NULL || places == NULL) {
        memory_free(places);
        return ERR_NOMEM;
    }
    tally->capacity = tally->count + other->count + 1;
    for (size_t i = 0; i < other->reason_count; i++)
        reasons[i + 1] = reason_of(tally, str_from_c(other->reasons[i]));
    for (size_t i = 0; i < other->place_count; i++)
        places[i] =
            place_of(run, str_from_c(other->places[i].journey), str_from_c(other->places[i].node));
    for (uint32_t i = 0; i < other->count; i++) {
        struct tally_touch touch = other->touches[i];
        touch.place = touch.place != TALLY_NONE ? places[touch.place] : TALLY_NONE;
        touch.reason = reasons[touch.reason];
        touch.held = reasons[touch.held];
        touch.detail = reasons[touch.detail];
        tally->touches[tally->count++] = touch;
    }
    memory_free(places);
    return ERR_OK;
}

static struct tally_touch *touch_at(struct tally *tally, uint64_t number)
{
    return tally->count > 0 && number >= tally->first && number < tally->first + tally->count
               ? &tally->touches[number - tally->first]
               : NULL;
}

/* Numbers are given one after the other; those of the past between them stay empty. */
static err make_room(struct tally *tally, uint32_t number)
{
    if (tally->count == 0)
        tally->first = number;
    uint32_t count = number - tally->first + 1;
    if (count > tally->capacity) {
        uint32_t capacity = tally->capacity == 0 ? 4096 : tally->capacity * 2;
        capacity = capacity > count ? capacity : count;
        struct tally_touch *longer = memory_resize(tally->touches, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        tally->touches = longer;
        tally->capacity = capacity;
    }
    for (; tally->count < count; tally->count++)
        tally->touches[tally->count] = (struct tally_touch){ .place = TALLY_NONE };
    return ERR_OK;
}

uint16_t tally_day(const struct whatif_run *run, int64_t at_ms)
{
    int64_t zone_ms = SECOND_MS * zone_offset_seconds(run->zone, run->order.from_ms);
    int64_t first = (run->order.from_ms + zone_ms) / DAY_MS;
    zone_ms = SECOND_MS * zone_offset_seconds(run->zone, at_ms);
    return (uint16_t)((at_ms + zone_ms) / DAY_MS - first);
}

static void tell_listener(const struct whatif_run *run, uint32_t number, uint32_t node, str journey,
                          str journey_node, enum touch_status status, str reason)
{
    if (run->listener == NULL)
        return;
    pthread_mutex_lock(&run->parts->listening);
    run->listener->touch(run->listener->context,
                         &(struct whatif_touch){ .touch = number,
                                                 .node = node,
                                                 .journey = journey,
                                                 .journey_node = journey_node,
                                                 .at_ms = run->now_ms,
                                                 .status = status,
                                                 .reason = reason });
    pthread_mutex_unlock(&run->parts->listening);
}

err tally_request(struct whatif_run *run, const struct touch_request *request,
                  const struct touch_answer *answer)
{
    struct tally *tally = &run->tally;
    struct tally_touch *touch = touch_at(tally, answer->touch);
    str reason = str_from_c(answer->reason);
    if (touch != NULL && touch->place != TALLY_NONE)
        return ERR_OK; /* asked for before (U1) */
    err error = make_room(tally, (uint32_t)answer->touch);
    if (error != ERR_OK)
        return error;
    touch = touch_at(tally, answer->touch);
    const char *detail = touches_fork_detail(run->touches);
    *touch = (struct tally_touch){
        .node = request->node_born != 0 ? request->node_born : request->customer,
        .place = place_of(run, request->journey, request->node),
        .day = tally_day(run, run->now_ms),
        .sent_day = TALLY_NONE,
        .status = (uint8_t)answer->status,
        .reason = reason_of(tally, reason),
        .held = answer->status == TOUCH_HELD ? reason_of(tally, reason) : 0,
        .detail = reason.size > 0 ? reason_of(tally, str_from_c(detail)) : 0,
        .at_ms = run->now_ms,
    };
    tell_listener(run, (uint32_t)answer->touch, touch->node, request->journey, request->node,
                  answer->status, reason);
    return ERR_OK;
}

err tally_change(struct whatif_run *run, const struct touch_change *change)
{
    struct tally_touch *touch = touch_at(&run->tally, change->touch);
    if (touch == NULL)
        return ERR_OK;
    touch->status = (uint8_t)change->to;
    touch->reason = reason_of(&run->tally, change->reason);
    touch->at_ms = run->now_ms;
    if (change->to == TOUCH_HELD && touch->held == 0)
        touch->held = touch->reason;
    if (change->to == TOUCH_SENT)
        touch->sent_day = tally_day(run, run->now_ms);
    tell_listener(run, (uint32_t)change->touch, touch->node, change->journey, change->node,
                  change->to, change->reason);
    return ERR_OK;
}

/* First come, first served, as in the list of tasks; other journeys' tasks take their place in it too. */
int64_t tally_adviser_ms(struct whatif_run *run, const struct touch_claimed *claimed)
{
    const struct whatif_order *order = &run->order;
    struct tally_touch *touch = touch_at(&run->tally, claimed->number);
    uint16_t today = tally_day(run, run->now_ms);
    if (order->tasks_per_day == 0 || order->minutes[claimed->kind] == 0)
        return run->now_ms;
    bool is_full = run->adviser_tasks == order->tasks_per_day;
    if (run->adviser_day < today || is_full) {
        run->adviser_day = run->adviser_day < today ? today : (uint16_t)(run->adviser_day + 1);
        run->adviser_tasks = 0;
    }
    run->adviser_tasks++;
    int days = run->adviser_day - today;
    if (touch != NULL)
        touch->waited = (uint8_t)(days < UINT8_MAX ? days : UINT8_MAX);
    return run->now_ms + days * DAY_MS;
}

void tally_claimed(struct whatif_run *run, const struct touch_claimed *claimed)
{
    struct tally_touch *touch = touch_at(&run->tally, claimed->number);
    if (touch == NULL)
        return;
    touch->kind = (uint8_t)claimed->kind;
    touch->cost_minor = claimed->cost_minor < INT32_MAX ? (int32_t)claimed->cost_minor : INT32_MAX;
}
