/* SPDX-License-Identifier: Apache-2.0 */
/* Flows: one source that floods shall not spoil the others (proofs.md N4).
 *
 * Two reasons to refuse a source's events, both with 429 and Retry-After, both told per source:
 *
 *   its limit   `events_per_second` of the source: a token bucket that holds one second's worth
 *   its share   while more than a sixteenth of the requests wait too long (admit.c), a source that brought more than its
 *               fair share of what was taken in the last second is held to an eighth less than it had, and so each second,
 *               down to that share; when nothing waits any more, the cap rises by a sixteenth a second until the source
 *               does not meet it
 *
 * A bucket is one number: the time at which it would be full again (the generic cell rate algorithm; ITU-T I.371). A
 * request is taken when that is not more than a bucket's worth ahead, and then all of it is: a batch larger than the
 * bucket puts its source in debt, and does not wait for ever.
 *
 * Besides, a source that brings more than its share beside others is loud (flow_is_loud): loud.c decodes for it aside, and one with a
 * limit goes at twice its pace.
 *
 * The source of a request is known when it is decoded. What the same header or query brought before is remembered, so that
 * a source in debt is refused before its bytes are looked at. Where the key stands in the body there is only a hint: whose the
 * last events of the connection were. It chooses a lane and how long one may wait, and refuses nobody, for behind a proxy
 * many share a connection.
 *
 * Any thread; all is atomic. Of two threads that change the same at once one may be lost by a request: no harm.
 */
#include "base/arena.h"
#include "base/metric.h"
#include "server/inside.h"

#define FLOWS_MAX 4096
#define MEMO_SLOTS 4096
/* A second is pressed when so many of its requests waited too long; a few always do, for a disk that syncs. */
#define LATE_SHARE 16
/* Below it nobody is a flood. */
#define SHARE_MIN 200
/* The part of what it took that a large source loses in a second of pressure: little, for what the others do not use is
 * nobody's, and would be lost. */
#define SHARE_CUT 8
#define RETRY_AFTER_MAX_S 60
/* Who brings less than this part of a fair share is not what others wait for. */
#define QUIET_PART 4
/* How many times faster than its limit a source may go while it is loud: its second's worth takes half a second. */
#define PACE 2
/* Who brings so much of a fair share in quarters is. */
#define LOUD_QUARTERS 5

struct bucket {
    _Atomic int64_t full_us; /* steady time */
};

struct flow {
    struct bucket limit, share;
    _Atomic int64_t next_us;  /* steady time: the pace of one with a limit; 0: it has none */
    _Atomic uint32_t cap;     /* events a second; 0: none */
    _Atomic uint32_t taken;   /* in this second */
    _Atomic uint32_t before;  /* in the one before */
    _Atomic uint32_t refused; /* in this second, by its cap */
};

struct flows {
    _Atomic int64_t second;
    _Atomic uint64_t fair;       /* share of each in the second before; 0: one alone, or nobody */
    _Atomic uint32_t came, late; /* requests of this second, and those that waited too long */
    _Atomic uint64_t memo[MEMO_SLOTS]; /* 48 bits of a hash, 16 of a source number */
    struct flow flow[FLOWS_MAX];       /* by source number; 0: not told apart */
};

err flows_new(struct flows **flows)
{
    *flows = memory_alloc(sizeof **flows);
    return *flows != NULL ? ERR_OK : ERR_NOMEM;
}

void flows_free(struct flows **flows)
{
    memory_free(*flows);
    *flows = NULL;
}

static int64_t now_us(void)
{
    return steady_now().ns / 1000;
}

void flows_press(struct flows *flows)
{
    atomic_fetch_add_explicit(&flows->late, 1, memory_order_relaxed);
}

/* ---- shares, once a second ---- */

static bool take_pressed(struct flows *flows)
{
    uint32_t came = atomic_exchange_explicit(&flows->came, 0, memory_order_relaxed);
    uint32_t late = atomic_exchange_explicit(&flows->late, 0, memory_order_relaxed);
    return late > came / LATE_SHARE;
}

static void settle_flow(struct flow *flow, uint32_t taken, uint64_t fair, bool pressed)
{
    uint32_t refused = atomic_exchange(&flow->refused, 0);
    uint32_t cap = atomic_load(&flow->cap);
    if (pressed && fair > 0 && taken > fair * LOUD_QUARTERS / 4) {
        cap = taken - taken / SHARE_CUT;
        cap = cap > fair ? cap : (uint32_t)fair;
        cap = cap > SHARE_MIN ? cap : SHARE_MIN;
    }
    if (!pressed && cap > 0)
        cap = refused > 0 ? cap + cap / 16 + 1 : 0;
    atomic_store(&flow->cap, cap);
}

/* With one source alone there is nobody to be fair to. */
static void settle_second(struct flows *flows, bool pressed)
{
    uint32_t taken[FLOWS_MAX], active = 0;
    uint64_t total = 0;
    for (uint32_t i = 1; i < FLOWS_MAX; i++) {
        taken[i] = atomic_exchange_explicit(&flows->flow[i].taken, 0, memory_order_relaxed);
        total += taken[i];
        active += taken[i] > 0;
    }
    uint64_t fair = active > 1 ? total / active : 0;
    atomic_store_explicit(&flows->fair, fair, memory_order_relaxed);
    for (uint32_t i = 1; i < FLOWS_MAX; i++) {
        atomic_store_explicit(&flows->flow[i].before, taken[i], memory_order_relaxed);
        if (taken[i] > 0 || atomic_load_explicit(&flows->flow[i].cap, memory_order_relaxed) > 0)
            settle_flow(&flows->flow[i], taken[i], fair, pressed);
    }
}

static void pass_second(struct flows *flows, int64_t at_us)
{
    int64_t second = at_us / 1000000, last = atomic_load(&flows->second);
    if (second > last && atomic_compare_exchange_strong(&flows->second, &last, second))
        settle_second(flows, take_pressed(flows));
}

/* ---- buckets ---- */

/* In how many microseconds something is taken again; 0: now. */
static int64_t wait_us(struct bucket *bucket, int64_t at_us)
{
    int64_t full_us = atomic_load_explicit(&bucket->full_us, memory_order_relaxed);
    return full_us > at_us + 1000000 ? full_us - at_us - 1000000 : 0;
}

/* A batch larger than the bucket goes at once; the next one waits for it, a second at most. */
static void keep_pace(struct flow *flow, uint32_t events, uint32_t per_second, int64_t at_us)
{
    int64_t took_us = (int64_t)events * 1000000 / per_second / PACE;
    atomic_store_explicit(&flow->next_us, at_us + (took_us < 1000000 ? took_us : 1000000),
                          memory_order_relaxed);
}

static void charge(struct bucket *bucket, uint32_t events, uint32_t per_second, int64_t at_us)
{
    int64_t full_us = atomic_load_explicit(&bucket->full_us, memory_order_relaxed);
    int64_t from_us = full_us > at_us ? full_us : at_us;
    atomic_store_explicit(&bucket->full_us, from_us + (int64_t)events * 1000000 / per_second,
                          memory_order_relaxed);
}

static struct flow *flow_of(struct flows *flows, uint32_t source_number)
{
    return &flows->flow[source_number < FLOWS_MAX ? source_number : 0];
}

/* ---- a request ---- */

static uint64_t name_of(const struct request *request)
{
    str name =
        request->headers.authorization.size > 0 ? request->headers.authorization : request->query;
    return name.size > 0 ? hash_bytes64(name.data, name.size, 4) : 0;
}

static _Atomic uint64_t *memo_of(struct flows *flows, uint64_t name)
{
    return &flows->memo[(name >> 16) % MEMO_SLOTS];
}

static uint32_t remembered(struct flows *flows, uint64_t name)
{
    uint64_t kept = atomic_load_explicit(memo_of(flows, name), memory_order_relaxed);
    return name != 0 && (kept ^ name) >> 16 == 0 ? (uint32_t)(kept & 0xFFFF) : 0;
}

static bool refuse(struct request *request, struct flow *flow, int64_t wait)
{
    int64_t seconds = (wait + 999999) / 1000000;
    request->retry_after_s = seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds;
    atomic_fetch_add_explicit(&flow->refused, 1, memory_order_relaxed);
    metric_add(METRIC_REQUESTS_FLOODING, 1);
    return false;
}

static bool has_room(struct request *request, struct flow *flow, int64_t at_us)
{
    int64_t by_limit = wait_us(&flow->limit, at_us), by_share = 0;
    if (atomic_load_explicit(&flow->cap, memory_order_relaxed) > 0)
        by_share = wait_us(&flow->share, at_us);
    int64_t wait = by_limit > by_share ? by_limit : by_share;
    return wait == 0 || refuse(request, flow, wait);
}

uint32_t flow_source_known(const struct request *request)
{
    uint32_t source = remembered(request->server->flows, name_of(request));
    return source == 0 && request->link != NULL ? request->link->source : source;
}

uint64_t flow_lane(const struct request *request)
{
    uint32_t source = flow_source_known(request);
    return source != 0 ? source : name_of(request);
}

bool flow_is_quiet(const struct request *request)
{
    struct flows *flows = request->server->flows;
    uint32_t source = flow_source_known(request);
    uint64_t fair = atomic_load_explicit(&flows->fair, memory_order_relaxed);
    return source != 0 && fair > 0 &&
           atomic_load_explicit(&flow_of(flows, source)->before, memory_order_relaxed) <
               fair / QUIET_PART;
}

bool flow_is_loud(const struct request *request)
{
    struct flows *flows = request->server->flows;
    uint64_t fair = atomic_load_explicit(&flows->fair, memory_order_relaxed);
    if (fair == 0)
        return false;
    const struct flow *flow = flow_of(flows, flow_source_known(request));
    uint32_t taken = atomic_load_explicit(&flow->taken, memory_order_relaxed);
    uint32_t before = atomic_load_explicit(&flow->before, memory_order_relaxed);
    return (taken > before ? taken : before) > fair * LOUD_QUARTERS / 4;
}

bool flow_is_paced(const struct request *request)
{
    const struct flow *flow = flow_of(request->server->flows, flow_source_known(request));
    return atomic_load_explicit(&flow->next_us, memory_order_relaxed) != 0;
}

int64_t flow_pause_us(const struct request *request)
{
    const struct flow *flow = flow_of(request->server->flows, flow_source_known(request));
    int64_t next_us = atomic_load_explicit(&flow->next_us, memory_order_relaxed);
    int64_t at_us = next_us != 0 ? now_us() : 0;
    return next_us > at_us ? next_us - at_us : 0;
}

bool flow_may_come(struct request *request)
{
    struct flows *flows = request->server->flows;
    uint32_t source = remembered(flows, name_of(request));
    atomic_fetch_add_explicit(&flows->came, 1, memory_order_relaxed);
    int64_t at_us = now_us();
    pass_second(flows, at_us);
    return source == 0 || has_room(request, flow_of(flows, source), at_us);
}

bool flow_takes(struct request *request, const struct flow_source *source, uint32_t events)
{
    struct flows *flows = request->server->flows;
    struct flow *flow = flow_of(flows, source->number);
    uint64_t name = name_of(request);
    int64_t at_us = now_us();
    if (source->number == 0 || source->number >= FLOWS_MAX)
        return true;
    if (name != 0)
        atomic_store_explicit(memo_of(flows, name), (name & ~UINT64_C(0xFFFF)) | source->number,
                              memory_order_relaxed);
    if (request->link != NULL)
        request->link->source = source->number;
    if (!has_room(request, flow, at_us))
        return false;
    uint32_t cap = atomic_load_explicit(&flow->cap, memory_order_relaxed);
    if (source->events_per_second > 0) {
        charge(&flow->limit, events, source->events_per_second, at_us);
        keep_pace(flow, events, source->events_per_second, at_us);
    }
    if (cap > 0)
        charge(&flow->share, events, cap, at_us);
    atomic_fetch_add_explicit(&flow->taken, events, memory_order_relaxed);
    return true;
}

void flow_limit_changed(struct server *server, uint32_t source_number)
{
    struct flow *flow = flow_of(server->flows, source_number);
    atomic_store(&flow->limit.full_us, 0);
    atomic_store(&flow->next_us, 0);
}
