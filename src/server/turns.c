/* SPDX-License-Identifier: Apache-2.0 */
/* turns: whose events are decoded next. One source that sends as fast as it can stands in its own queue, not before all others'.
 *
 *     read whole ──turns_put──▶ its lane, suspended ──turns_run, lane after lane──▶ decoded, in the log, suspended until the sync
 *
 * What costs is decoding: reading a request is a hundredth of it. So a turn of libmicrohttpd reads whatever is there, and at its end
 * a few milliseconds of decoding are dealt out in a deficit round robin over the lanes (Shreedhar and Varghese, Efficient
 * Fair Queueing Using Deficit Round Robin, 1996): each visit gives a lane 32 KB, and it may decode what that pays for, then or later. A source
 * that sends little is next in the round, however much the others have waiting. With one lane it is a plain queue.
 *
 * A lane is a source where its header or query is known from before (flow.c), else that header or query itself; it is there as long as
 * something waits in it.
 *
 * Sources that bring more than their share beside others (flow_is_loud) have a thread and lanes of their own (loud.c), where two things hold
 * the first of a lane back; a source alone is never held:
 *
 *   bytes  LOUD_BYTES_MAX of all loud sources together are in the log at a time, and the rest waits until that is durable. Else
 *          whoever brings little waits behind them at every stage that has no lanes, the processors first
 *   pace   who has a limit goes at twice its speed (flow_pause_us): what it may bring in a second does not come all at once
 *
 * One thread each: a libmicrohttpd thread, or that of loud.c, and its own state. */
#include "base/arena.h"
#include "server/inside.h"

#define QUANTUM_BYTES 32768
/* A tiny request costs something, too: its headers, its source, its answer. */
#define REQUEST_BYTES 512
#define RUN_US 2000
#define LOUD_BYTES_MAX ((size_t)512 << 10)

struct lane {
    uint64_t name;
    struct request *first, *last;
    int64_t credit_bytes;
};

struct turns {
    struct lane *lanes; /* those that have somebody, in the order of the round */
    size_t count, capacity, next;
    size_t loud_bytes; /* taken and not yet durable, of sources that are loud */
};

err turns_new(struct turns **turns)
{
    *turns = memory_alloc(sizeof **turns);
    return *turns != NULL ? ERR_OK : ERR_NOMEM;
}

void turns_free(struct turns **turns)
{
    if (*turns != NULL)
        memory_free((*turns)->lanes);
    memory_free(*turns);
    *turns = NULL;
}

static struct lane *lane_of(struct turns *turns, uint64_t name)
{
    for (size_t i = 0; i < turns->count; i++)
        if (turns->lanes[i].name == name)
            return &turns->lanes[i];
    if (turns->count == turns->capacity) {
        size_t capacity = turns->capacity == 0 ? 16 : turns->capacity * 2;
        struct lane *longer = memory_resize(turns->lanes, capacity * sizeof(*longer));
        if (longer == NULL)
            return NULL;
        turns->lanes = longer;
        turns->capacity = capacity;
    }
    struct lane *made = &turns->lanes[turns->count++];
    *made = (struct lane){ .name = name };
    return made;
}

bool turns_put(struct turns *turns, struct request *request, uint64_t name)
{
    struct lane *lane = lane_of(turns, name);
    if (lane == NULL)
        return false;
    request->queued = steady_now();
    request->next_waiting = NULL;
    if (lane->first == NULL)
        lane->first = request;
    else
        lane->last->next_waiting = request;
    lane->last = request;
    return true;
}

static int64_t cost_of(const struct request *request)
{
    return (int64_t)request->body.size + REQUEST_BYTES;
}

/* The round goes on with the one behind it, which moves up. */
static void remove_lane(struct turns *turns, size_t at)
{
    turns->count--;
    for (size_t i = at; i < turns->count; i++)
        turns->lanes[i] = turns->lanes[i + 1];
}

/* One that is larger than all that may be there goes when nothing is. */
static bool has_no_room(const struct turns *turns, const struct request *request)
{
    return turns->loud_bytes > 0 && turns->loud_bytes + (size_t)cost_of(request) > LOUD_BYTES_MAX;
}

static bool is_held(const struct turns *turns, const struct request *request)
{
    return request->is_loud && (has_no_room(turns, request) || flow_pause_us(request) > 0);
}

int64_t turns_pause_us(const struct turns *turns)
{
    int64_t least_us = -1;
    for (size_t i = 0; i < turns->count; i++) {
        int64_t us = flow_pause_us(turns->lanes[i].first);
        if (us > 0 && (least_us < 0 || us < least_us))
            least_us = us;
    }
    return least_us;
}

static void note_loud(struct turns *turns, struct request *request)
{
    if (!request->is_loud)
        return;
    request->loud_bytes = (size_t)cost_of(request);
    turns->loud_bytes += request->loud_bytes;
}

void turns_done(struct turns *turns, struct request *request)
{
    turns->loud_bytes -= request->loud_bytes;
    request->loud_bytes = 0;
}

struct request *turns_take(struct turns *turns)
{
    size_t held = 0; /* one after another */
    while (turns->count > held) {
        if (turns->next >= turns->count)
            turns->next = 0;
        struct lane *lane = &turns->lanes[turns->next];
        struct request *request = lane->first;
        if (is_held(turns, request)) {
            turns->next++;
            held++;
            continue;
        }
        held = 0;
        if (lane->credit_bytes <
            cost_of(request)) { /* its visit is over: it comes again with more */
            lane->credit_bytes += QUANTUM_BYTES;
            turns->next++;
            continue;
        }
        lane->credit_bytes -= cost_of(request);
        lane->first = request->next_waiting;
        if (lane->first == NULL)
            remove_lane(turns, turns->next);
        note_loud(turns, request);
        return request;
    }
    return NULL;
}

bool turns_run(struct turns *turns)
{
    steady_ns start = steady_now();
    struct request *request = NULL;
    while (steady_since_us(start) < RUN_US && (request = turns_take(turns)) != NULL)
        door_run_queued(request, request->thread);
    return request != NULL && turns->count > 0;
}
