/* SPDX-License-Identifier: Apache-2.0 */
/* queue: lanes, batches, what is ready, and what waits for its time. The loop's thread alone. */
#include <string.h>

#include "channel/channel_inside.h"

#define URGENT_MS MINUTE_MS
#define BATCHES_SEARCHED 64

/* ---- lists ---- */

void unit_list_init(struct unit_list *list)
{
    list->first = list->last = NULL;
}

void unit_list_put(struct unit_list *list, struct unit *unit)
{
    unit->next = NULL;
    if (list->last != NULL)
        list->last->next = unit;
    else
        list->first = unit;
    list->last = unit;
}

struct unit *unit_list_take(struct unit_list *list)
{
    struct unit *unit = list->first;
    if (unit == NULL)
        return NULL;
    list->first = unit->next;
    if (list->first == NULL)
        list->last = NULL;
    unit->next = NULL;
    return unit;
}

/* ---- lanes: there is one while a unit of it is on its way; the others wait in it ---- */

struct lane {
    struct lane *next;
    uint64_t id;
    struct unit_list waiting;
};

static struct lane **lane_place(struct account *account, uint64_t id)
{
    struct lane **place = &account->lanes[hash_mix64(id) % LANE_BUCKETS];
    while (*place != NULL && (*place)->id != id)
        place = &(*place)->next;
    return place;
}

/* True: the unit may go. False: it waits in its lane, or (`nomem`) there was no memory for one. */
static bool lane_enter(struct account *account, struct unit *unit, bool *nomem)
{
    *nomem = false;
    if (unit->lane == 0)
        return true;
    if (account->lanes == NULL)
        account->lanes = memory_alloc(LANE_BUCKETS * sizeof(struct lane *));
    if (account->lanes == NULL) {
        *nomem = true;
        return false;
    }
    struct lane **place = lane_place(account, unit->lane);
    if (*place != NULL) {
        unit_list_put(&(*place)->waiting, unit);
        return false;
    }
    struct lane *lane = memory_alloc(sizeof *lane);
    if (lane == NULL) {
        *nomem = true;
        return false;
    }
    lane->id = unit->lane;
    *place = lane;
    return true;
}

struct unit *lane_take_behind(struct account *account, const struct unit *unit)
{
    return unit->lane != 0 ? unit_list_take(&(*lane_place(account, unit->lane))->waiting) : NULL;
}

void lane_leave(struct channels *channels, struct account *account, const struct unit *unit)
{
    if (unit->lane == 0)
        return;
    struct lane **place = lane_place(account, unit->lane), *lane = *place;
    INVARIANT(lane != NULL);
    struct unit *next = unit_list_take(&lane->waiting);
    if (next != NULL) {
        unit_make_ready(channels, next);
        return;
    }
    *place = lane->next;
    memory_free(lane);
}

/* ---- batches ---- */

static bool join_batch(struct account *account, struct unit *unit, size_t most)
{
    int searched = 0;
    for (struct unit *lead = account->gathering.first; lead != NULL && searched < BATCHES_SEARCHED;
         lead = lead->next, searched++) {
        if (lead->batch_key != unit->batch_key || lead->member_count + 1 >= most)
            continue;
        unit->next = lead->members;
        lead->members = unit;
        lead->member_count++;
        if (lead->member_count + 1 == most)
            lead->due_ns = 0;
        return true;
    }
    return false;
}

static bool is_urgent(const struct channels *channels, const struct unit *unit)
{
    return unit->message.expires_ms > 0 &&
           unit->message.expires_ms - channel_now_ms(channels) < URGENT_MS;
}

/* What may go: into a batch, or in line. */
void unit_make_ready(struct channels *channels, struct unit *unit)
{
    struct account *account = unit->account;
    bool may_batch = account->provider->batch != NULL && !unit->message.is_repeat &&
                     unit->tries == 0 && unit->members == NULL;
    size_t most = may_batch ? account->provider->batch(channels, unit, &unit->batch_key) : 0;
    if (most > 1 && !is_urgent(channels, unit)) {
        if (join_batch(account, unit, most))
            return;
        unit->due_ns =
            channel_now_ns(channels) + setting_number(account->live, BATCH_WAIT_MS) * 1000000;
        unit_list_put(&account->gathering, unit);
        return;
    }
    unit_list_put(is_urgent(channels, unit) ? &account->urgent : &account->ready, unit);
}

/* Batches that have waited long enough, or are full, get in line. */
static void close_batches(struct account *account, int64_t now_ns, int64_t *wake_ns)
{
    struct unit_list kept;
    struct unit *lead;
    unit_list_init(&kept);
    while ((lead = unit_list_take(&account->gathering)) != NULL) {
        if (lead->due_ns <= now_ns) {
            unit_list_put(&account->ready, lead);
            continue;
        }
        if (lead->due_ns < *wake_ns)
            *wake_ns = lead->due_ns;
        unit_list_put(&kept, lead);
    }
    account->gathering = kept;
}

bool account_has_ready(struct account *account, int64_t now_ns, int64_t *wake_ns)
{
    if (account->gathering.first != NULL)
        close_batches(account, now_ns, wake_ns);
    return account->urgent.first != NULL || account->ready.first != NULL;
}

struct unit *account_next(struct account *account)
{
    struct unit *unit = unit_list_take(&account->urgent);
    return unit != NULL ? unit : unit_list_take(&account->ready);
}

bool unit_enqueue(struct channels *channels, struct unit *unit)
{
    bool nomem;
    if (lane_enter(unit->account, unit, &nomem))
        unit_make_ready(channels, unit);
    return !nomem;
}

/* ---- what waits for its time: a binary heap ---- */

static bool is_sooner(const struct unit *a, const struct unit *b)
{
    return a->due_ns < b->due_ns;
}

static void heap_swap(struct channels *channels, size_t a, size_t b)
{
    struct unit *other = channels->heap[a];
    channels->heap[a] = channels->heap[b];
    channels->heap[b] = other;
}

bool heap_put(struct channels *channels, struct unit *unit, int64_t due_ns)
{
    if (channels->heap_count == channels->heap_capacity) {
        size_t capacity = channels->heap_capacity > 0 ? 2 * channels->heap_capacity : 256;
        struct unit **larger = memory_resize(channels->heap, capacity * sizeof(struct unit *));
        if (larger == NULL)
            return false;
        channels->heap = larger;
        channels->heap_capacity = capacity;
    }
    size_t at = channels->heap_count++;
    unit->due_ns = due_ns;
    channels->heap[at] = unit;
    while (at > 0 && is_sooner(channels->heap[at], channels->heap[(at - 1) / 2])) {
        heap_swap(channels, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    return true;
}

int64_t heap_due_ns(const struct channels *channels)
{
    return channels->heap_count > 0 ? channels->heap[0]->due_ns : INT64_MAX;
}

struct unit *heap_take(struct channels *channels)
{
    if (channels->heap_count == 0)
        return NULL;
    struct unit *first = channels->heap[0];
    channels->heap[0] = channels->heap[--channels->heap_count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < channels->heap_count;
             child++)
            if (is_sooner(channels->heap[child], channels->heap[least]))
                least = child;
        if (least == at)
            return first;
        heap_swap(channels, at, least);
        at = least;
    }
}
