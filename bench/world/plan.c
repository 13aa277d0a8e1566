/* SPDX-License-Identifier: Apache-2.0 */
/* plan: a person's year as small events: when she comes, through which door, and what follows. */
#include "inside.h"

#include <math.h>
#include <stdlib.h>

#define VISITS_MAX 400
#define EVENTS_PER_VISIT 4.1 /* mean of what one visit brings, measured on this plan */
#define EVENTS_OF_LINKS 1.2  /* registering, binding, signing in: mean per person */

struct planner {
    const struct world *world;
    struct world_event *events;
    size_t count, capacity;
    bool failed;
    uint32_t end_s; /* nothing after it: the year may end within a day */
    /* of the person at hand */
    struct world_person person;
    size_t first; /* her first event */
    uint16_t visit;
    uint32_t met; /* sources that know her already */
};

static void emit(struct planner *p, uint32_t at_s, enum world_source source, enum world_type type,
                 unsigned detail, unsigned flags)
{
    if (at_s >= p->end_s || p->failed)
        return;
    if (p->count == p->capacity) {
        size_t capacity = p->capacity * 2 + 4096;
        struct world_event *grown = realloc(p->events, capacity * sizeof(*grown));
        if (grown == NULL) {
            p->failed = true;
            return;
        }
        p->events = grown;
        p->capacity = capacity;
    }
    if (at_s >= p->person.registered_s && source >= WORLD_MINI_PROGRAM)
        flags |= WORLD_SIGNED_IN_FLAG;
    p->events[p->count] = (struct world_event){ .person = (uint32_t)p->person.number,
                                                .at_s = at_s,
                                                .index = (uint16_t)(p->count - p->first),
                                                .visit = p->visit,
                                                .type = (uint8_t)type,
                                                .source = (uint8_t)source,
                                                .detail = (uint8_t)detail,
                                                .flags = (uint8_t)flags };
    p->count++;
}

/* ---- time ---- */

/* A moment after `from_s`: the day by season, the hour by habit; on a big day also at midnight. */
static uint32_t moment(const struct world *world, uint64_t draw, uint32_t from_s)
{
    static const uint8_t hours[24] = { 22, 10, 5,  3,  2,  3,  8,  18, 30, 42, 50, 48,
                                       58, 52, 44, 42, 44, 46, 50, 64, 88, 96, 82, 48 };
    uint32_t from_day = from_s / DAY_S;
    uint32_t low = world->day_weights_sum[from_day];
    uint32_t at = low + below(draw, world->day_weights_sum[WORLD_DAYS] - low);
    uint32_t day = from_day, beyond = WORLD_DAYS;
    while (day + 1 < beyond) {
        uint32_t middle = (day + beyond) / 2;
        if (world->day_weights_sum[middle] <= at)
            day = middle;
        else
            beyond = middle;
    }
    uint64_t fine = mix(draw);
    uint32_t hour = 0, left = below(fine, 955);
    while (left >= hours[hour])
        left -= hours[hour++];
    uint32_t at_s = day * DAY_S + hour * HOUR_S + (uint32_t)(fine & 0xfff) % HOUR_S;
    return at_s > from_s ? at_s : from_s + (uint32_t)(fine & 0xff);
}

static uint64_t draw_visit(const struct planner *p, unsigned nth)
{
    return chance(p->world, CHANCE_VISIT, p->person.number * VISITS_MAX + p->visit, nth);
}

/* ---- what a visit brings ---- */

static bool in_sale(uint32_t at_s, const struct world *world)
{
    uint32_t day = at_s / DAY_S;
    return world->day_weights_sum[day + 1] - world->day_weights_sum[day] >= 300;
}

/* From the paid order on: parcel, and sometimes the way back. */
static void parcel(struct planner *p, uint32_t paid_s, enum world_source source)
{
    uint64_t draw = draw_visit(p, 1);
    uint32_t shipped_s = paid_s + 8 * HOUR_S + below(draw, 30 * HOUR_S);
    uint32_t signed_s = shipped_s + DAY_S + below(mix(draw), 3 * DAY_S);
    bool empty = p->person.role == WORLD_ROLE_EMPTY_PARCEL;
    unsigned fate = (unsigned)(draw & 0xff) % 100;
    emit(p, shipped_s, source, WORLD_EVENT_PARCEL_SHIPPED, 0, 0);
    if (fate < 2 && !empty) {
        emit(p, signed_s, source, WORLD_EVENT_PARCEL_RETURNED, 0, 0);
        emit(p, signed_s + 6 * HOUR_S, source, WORLD_EVENT_ORDER_REFUNDED, 0, 0);
        return;
    }
    emit(p, signed_s, source, WORLD_EVENT_PARCEL_SIGNED, 0, 0);
    if (fate < 8 && !empty) {
        uint32_t back_s = signed_s + DAY_S + below(mix(draw + 1), 6 * DAY_S);
        if (fate < 5)
            emit(p, back_s, source, WORLD_EVENT_PARCEL_RETURNED, 0, 0);
        /* detail 1: a part of the order only */
        emit(p, back_s + 5 * HOUR_S, source, WORLD_EVENT_ORDER_REFUNDED, fate >= 6, 0);
    }
}

static void order(struct planner *p, uint32_t at_s, enum world_source source)
{
    uint64_t draw = draw_visit(p, 2);
    uint32_t paid_s = at_s + 15 + below(draw, 400);
    if (in_sale(at_s, p->world) && (draw & 7) == 0) {
        emit(p, at_s, source, WORLD_EVENT_DEPOSIT_PAID, 0, 0);
        at_s += 2 * DAY_S;
        paid_s += 2 * DAY_S;
    }
    emit(p, at_s, source, WORLD_EVENT_ORDER_PLACED, 0, 0);
    if ((draw >> 8 & 0xff) % 100 < 6) {
        emit(p, at_s + 1800, source, WORLD_EVENT_ORDER_CANCELLED, 0, 0);
        return;
    }
    emit(p, paid_s, source, WORLD_EVENT_ORDER_PAID, 0, 0);
    parcel(p, paid_s, source);
}

/* Platform members are bound by the member centre: the platform's buyer id with her phone. */
static void bind_platform(struct planner *p, uint32_t at_s, enum world_source platform)
{
    uint64_t draw = chance(p->world, CHANCE_PLATFORM, p->person.number, 64 + platform);
    bool member = p->person.registered_s != NEVER_S;
    if (member && (draw & 0xff) % 100 < 55)
        emit(p, at_s + 30 + below(draw, 20 * DAY_S), WORLD_CRM, WORLD_EVENT_MEMBER_BOUND, platform,
             0);
}

static void visit_platform(struct planner *p, uint32_t at_s, enum world_source platform)
{
    order(p, at_s, platform);
    if (!(p->met & 1u << platform))
        bind_platform(p, at_s, platform);
}

static uint32_t browse(struct planner *p, uint32_t at_s, enum world_source source, uint64_t draw,
                       unsigned flags)
{
    unsigned views = 1 + (unsigned)(draw & 3) % 3;
    if ((draw >> 4 & 15) == 0)
        emit(p, at_s += 4, source, WORLD_EVENT_PRODUCTS_SEARCHED, 0, flags);
    for (unsigned i = 0; i < views; i++)
        emit(p, at_s += 5 + (uint32_t)(draw >> (8 + i * 6) & 63), source,
             WORLD_EVENT_PRODUCT_VIEWED, i, flags);
    if ((draw >> 28 & 15) < 5)
        emit(p, at_s += 11, source, WORLD_EVENT_PRODUCT_ADDED, 0, flags);
    if ((draw >> 32 & 15) < 9)
        emit(p, at_s += 7, source, WORLD_EVENT_BEHAVIOUR, 0, flags);
    return at_s;
}

static void visit_mini_program(struct planner *p, uint32_t at_s)
{
    uint64_t draw = draw_visit(p, 3);
    const enum world_source source = WORLD_MINI_PROGRAM;
    bool second = p->person.role == WORLD_ROLE_TWO_WECHATS && (p->visit & 1);
    unsigned flags = second ? WORLD_SECOND_WECHAT : 0;
    if (!(p->met & 1u << source) || (second && p->visit == 1))
        emit(p, at_s, source, WORLD_EVENT_IDENTIFIED, 0, flags | WORLD_FIRST);
    emit(p, at_s += 1, source, WORLD_EVENT_PAGE, 0, flags);
    at_s = browse(p, at_s, source, draw, flags);
    unsigned what = (unsigned)(draw >> 40 & 0xff) % 100;
    if (what < 9)
        emit(p, at_s + 20, source, WORLD_EVENT_COUPON_CLAIMED, 0, flags);
    else if (what < 15)
        emit(p, at_s + 90, source, WORLD_EVENT_SKIN_TEST_TAKEN, 0, flags);
    else if (what < 23)
        emit(p, at_s + 25, source, WORLD_EVENT_CONTENT_SHARED, 0, flags);
    else if (what < 33) {
        emit(p, at_s + 30, source, WORLD_EVENT_CHECKOUT_STARTED, 0, flags);
        order(p, at_s + 45, source);
        if (what < 26)
            emit(p, at_s + 46, source, WORLD_EVENT_COUPON_USED, 0, flags);
    }
}

static void visit_h5(struct planner *p, uint32_t at_s)
{
    uint64_t draw = draw_visit(p, 4);
    bool tablet = p->person.role == WORLD_ROLE_TABLET;
    unsigned flags = tablet ? WORLD_ON_TABLET : 0;
    unsigned pages = 1 + (unsigned)(draw & 3);
    for (unsigned i = 0; i < pages; i++)
        emit(p, at_s += 6 + (uint32_t)(draw >> (4 + i * 6) & 63), WORLD_H5, WORLD_EVENT_PAGE, i,
             flags);
    if (p->person.registered_s <= at_s && (tablet || (draw >> 32 & 7) < 3)) {
        /* the page says who it is; the member centre confirms it */
        emit(p, at_s + 3, WORLD_H5, WORLD_EVENT_IDENTIFIED, 0, flags);
        emit(p, at_s + 4, WORLD_CRM, WORLD_EVENT_SIGNED_IN, WORLD_H5, flags);
    }
    if ((draw >> 36 & 7) < 3)
        emit(p, at_s + 9, WORLD_H5, WORLD_EVENT_BEHAVIOUR, 1, flags);
    if ((draw >> 40 & 7) == 0)
        emit(p, at_s + 20, WORLD_H5, WORLD_EVENT_CONTENT_SHARED, 0, flags);
}

static void visit_app(struct planner *p, uint32_t at_s)
{
    uint64_t draw = draw_visit(p, 5);
    bool knows = p->person.registered_s <= at_s;
    emit(p, at_s, WORLD_APP, WORLD_EVENT_SCREEN, 0, 0);
    if (knows && !(p->met & 1u << WORLD_APP))
        emit(p, at_s + 2, WORLD_CRM, WORLD_EVENT_SIGNED_IN, WORLD_APP, 0);
    at_s = browse(p, at_s, WORLD_APP, draw, 0);
    if ((draw >> 40 & 15) == 0)
        order(p, at_s + 40, WORLD_APP);
}

static void visit_wecom(struct planner *p, uint32_t at_s)
{
    uint64_t draw = draw_visit(p, 6);
    if (!(p->met & 1u << WORLD_WECOM)) {
        emit(p, at_s, WORLD_WECOM, WORLD_EVENT_IDENTIFIED, 0, WORLD_FIRST);
        emit(p, at_s + 1, WORLD_WECOM, WORLD_EVENT_CONTACT_ADDED, 0, WORLD_FIRST);
    }
    unsigned messages = 1 + (unsigned)(draw & 7) % 3;
    for (unsigned i = 0; i < messages; i++)
        emit(p, at_s += 60 + (uint32_t)(draw >> (4 + i * 8) & 0xff), WORLD_WECOM,
             WORLD_EVENT_MESSAGE_RECEIVED, i, 0);
}

static void visit_store(struct planner *p, uint32_t at_s)
{
    uint64_t draw = draw_visit(p, 7);
    /* stores are open from ten to ten */
    at_s = at_s - at_s % DAY_S + 10 * HOUR_S + below(draw, 12 * HOUR_S);
    if (p->person.registered_s > at_s)
        return;
    emit(p, at_s, WORLD_STORE, WORLD_EVENT_STORE_VISITED, 0, 0);
    if (!(p->met & 1u << WORLD_STORE) || p->person.role == WORLD_ROLE_TEST_VALUE)
        emit(p, at_s + 500, WORLD_STORE, WORLD_EVENT_IDENTIFIED, 0, WORLD_FIRST);
    if ((draw & 3) != 0) {
        emit(p, at_s + 900, WORLD_STORE, WORLD_EVENT_ORDER_PAID, 0, 0);
        if ((draw >> 4 & 31) == 0)
            emit(p, at_s + 900 + 3 * DAY_S, WORLD_STORE, WORLD_EVENT_ORDER_REFUNDED, 0, 0);
    }
}

/* ---- a year ---- */

static enum world_source door(const struct planner *p)
{
    static const uint8_t weights[] = {
        [WORLD_TMALL] = 22, [WORLD_JD] = 9,   [WORLD_DOUYIN] = 13,
        [WORLD_PDD] = 7,    [WORLD_VIP] = 4,  [WORLD_MINI_PROGRAM] = 30,
        [WORLD_H5] = 20,    [WORLD_APP] = 26, [WORLD_WECOM] = 12,
        [WORLD_STORE] = 9
    };
    unsigned sum = 0, source = 0;
    for (unsigned i = 0; i < sizeof(weights); i++)
        sum += p->person.holdings & 1u << i ? weights[i] : 0;
    uint64_t draw = chance(p->world, CHANCE_VISIT_KIND, p->person.number, p->visit);
    unsigned at = below(draw, sum);
    for (;; source++) {
        unsigned weight = p->person.holdings & 1u << source ? weights[source] : 0;
        if (at < weight)
            return (enum world_source)source;
        at -= weight;
    }
}

static void visit(struct planner *p, uint32_t at_s)
{
    enum world_source source = door(p);
    switch (source) {
    case WORLD_MINI_PROGRAM:
        visit_mini_program(p, at_s);
        break;
    case WORLD_H5:
        visit_h5(p, at_s);
        break;
    case WORLD_APP:
        visit_app(p, at_s);
        break;
    case WORLD_WECOM:
        visit_wecom(p, at_s);
        break;
    case WORLD_STORE:
        visit_store(p, at_s);
        break;
    case WORLD_TMALL:
    case WORLD_JD:
    case WORLD_DOUYIN:
    case WORLD_PDD:
    case WORLD_VIP:
        visit_platform(p, at_s, source);
        break;
    case WORLD_CRM:
    case WORLD_SOURCE_COUNT:
        break;
    }
    p->met |= 1u << source;
}

/* Few come often, many once: exponential, and one in ten four times as eager. */
static unsigned visit_count(const struct planner *p)
{
    uint64_t draw = chance(p->world, CHANCE_ACTIVITY, p->person.number, 0);
    double mean = (p->world->events_per_person - EVENTS_OF_LINKS) / EVENTS_PER_VISIT - 0.5;
    double eager = draw % 10 == 0 ? 3.1 : 0.77;
    double visits = 1 + floor(-log(1 - unit(draw)) * (mean > 0.05 ? mean : 0.05) * eager);
    return visits < VISITS_MAX ? (unsigned)visits : VISITS_MAX;
}

static int compare_times(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_hers(struct planner *p)
{
    struct world_event *events = p->events + p->first;
    size_t count = p->count - p->first;
    for (size_t i = 1; i < count; i++) {
        struct world_event moved = events[i];
        size_t at = i;
        for (; at > 0 && events[at - 1].at_s > moved.at_s; at--)
            events[at] = events[at - 1];
        events[at] = moved;
    }
}

static void plan_person(struct planner *p, uint64_t number)
{
    uint32_t times[VISITS_MAX];
    world_person(p->world, number, &p->person);
    p->first = p->count;
    p->met = 0;
    unsigned visits = visit_count(p);
    for (unsigned i = 0; i < visits; i++) {
        uint64_t draw = chance(p->world, CHANCE_VISIT_TIME, number, i);
        times[i] = i == 0 && p->person.begin_s > 0 ? p->person.begin_s + below(draw, DAY_S)
                                                   : moment(p->world, draw, p->person.begin_s);
    }
    qsort(times, visits, sizeof(times[0]), compare_times);
    p->visit = 0;
    if (p->person.registered_s != NEVER_S)
        emit(p, p->person.registered_s, WORLD_CRM, WORLD_EVENT_REGISTERED, 0, WORLD_FIRST);
    if (p->person.phone_changed_s != NEVER_S)
        emit(p, p->person.phone_changed_s, WORLD_CRM, WORLD_EVENT_PHONE_CHANGED, 0, 0);
    for (unsigned i = 0; i < visits; i++) {
        p->visit = (uint16_t)i;
        visit(p, times[i]);
    }
    sort_hers(p);
}

struct world_event *world_plan(const struct world *world, uint64_t first, uint64_t last,
                               size_t *count)
{
    struct planner p = { .world = world };
    p.end_s = (uint32_t)((world->end_ms - world->begin_ms) / 1000);
    p.capacity = (size_t)((double)(last - first) * world->events_per_person * 1.1) + 4096;
    p.events = malloc(p.capacity * sizeof(*p.events));
    p.failed = p.events == NULL;
    for (uint64_t number = first; number < last && !p.failed; number++)
        plan_person(&p, number);
    if (p.failed)
        world_free_events(&p.events);
    *count = p.failed ? 0 : p.count;
    return p.events;
}

void world_free_events(struct world_event **events)
{
    free(*events);
    *events = NULL;
}

/* Radix sort, two digits of 13 bits: a year has 25 bits of seconds. */
bool world_sort_by_time(struct world_event *events, size_t count)
{
    enum { BITS = 13, SIZE = 1 << BITS };
    struct world_event *other = malloc(count * sizeof(*other) + 1);
    size_t *starts = malloc(SIZE * sizeof(*starts));
    bool done = other != NULL && starts != NULL;
    struct world_event *from = events, *to = other;
    for (unsigned pass = 0; done && pass < 2; pass++) {
        unsigned shift = pass * BITS;
        memset(starts, 0, SIZE * sizeof(*starts));
        for (size_t i = 0; i < count; i++)
            starts[from[i].at_s >> shift & (SIZE - 1)]++;
        size_t sum = 0;
        for (size_t digit = 0; digit < SIZE; digit++) {
            size_t here = starts[digit];
            starts[digit] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++)
            to[starts[from[i].at_s >> shift & (SIZE - 1)]++] = from[i];
        struct world_event *swap = from;
        from = to;
        to = swap;
    }
    free(other);
    free(starts);
    return done;
}
