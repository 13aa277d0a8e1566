/* SPDX-License-Identifier: Apache-2.0 */
/* position: where positions lie, how those of a customer are found, and whose time comes next. */
#include <stdio.h>
#include <string.h>

#include "journey/state.h"

#define CUSTOMERS_FIRST 1024
#define TIMERS_FIRST 1024
#define NUMBER_LOW_BITS 28
#define DUE_MAX ((INT64_C(1) << 44) - 1)

err positions_init(struct positions *positions)
{
    *positions = (struct positions){ .free_first = NONE, .number_next = 1 };
    positions->customers = memory_alloc(CUSTOMERS_FIRST * sizeof(uint32_t));
    positions->customer_capacity = CUSTOMERS_FIRST;
    buffer_init(&positions->writing, CONTEXT_BYTES_MAX);
    buffer_init(&positions->touches, CONTEXT_BYTES_MAX);
    return positions->customers != NULL ? ERR_OK : ERR_NOMEM;
}

void positions_deinit(struct positions *positions)
{
    for (uint32_t slot = 0; slot < positions->slot_count; slot++)
        memory_free(position_at(positions, slot)->context);
    for (uint32_t i = 0; i < positions->slab_count; i++)
        memory_unmap(positions->slabs[i], SLAB_SIZE * sizeof(struct position));
    memory_free((void *)positions->slabs);
    memory_free(positions->customers);
    memory_free(positions->timers);
    buffer_deinit(&positions->writing);
    buffer_deinit(&positions->touches);
    *positions = (struct positions){ .free_first = NONE };
}

/* ---- of a customer ---- */

static uint32_t home_of(uint32_t customer, uint32_t capacity)
{
    return (uint32_t)hash_mix64(customer) & (capacity - 1);
}

/* The place of this customer, or the free one where she would go. */
static uint32_t place_of(const struct positions *positions, uint32_t customer)
{
    uint32_t place = home_of(customer, positions->customer_capacity);
    while (positions->customers[place] != 0 &&
           position_at(positions, positions->customers[place] - 1)->customer != customer)
        place = (place + 1) & (positions->customer_capacity - 1);
    return place;
}

static err grow_customers(struct positions *positions)
{
    uint32_t capacity = positions->customer_capacity * 2, *old = positions->customers;
    uint32_t *made = memory_alloc(capacity * sizeof *made);
    if (made == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < positions->customer_capacity; i++) {
        if (old[i] == 0)
            continue;
        uint32_t place = home_of(position_at(positions, old[i] - 1)->customer, capacity);
        while (made[place] != 0)
            place = (place + 1) & (capacity - 1);
        made[place] = old[i];
    }
    memory_free(old);
    positions->customers = made;
    positions->customer_capacity = capacity;
    return ERR_OK;
}

/* A hole would end the search of others: those behind it move up. */
static void close_gap(struct positions *positions, uint32_t gap)
{
    uint32_t mask = positions->customer_capacity - 1, place = gap;
    positions->customers[gap] = 0;
    for (;;) {
        place = (place + 1) & mask;
        if (positions->customers[place] == 0)
            return;
        uint32_t customer = position_at(positions, positions->customers[place] - 1)->customer;
        uint32_t home = home_of(customer, positions->customer_capacity);
        if (((place - home) & mask) < ((place - gap) & mask))
            continue;
        positions->customers[gap] = positions->customers[place];
        positions->customers[place] = 0;
        gap = place;
    }
}

uint32_t position_first(const struct positions *positions, uint32_t customer)
{
    return positions->customers[place_of(positions, customer)] - 1;
}

/* In ascending order of number, so that what happens to one happens in the order of entering. */
static err chain(struct positions *positions, uint32_t slot)
{
    struct position *position = position_at(positions, slot);
    if (positions->customer_used * 4 >= positions->customer_capacity * 3) {
        err error = grow_customers(positions);
        if (error != ERR_OK)
            return error;
    }
    uint32_t place = place_of(positions, position->customer);
    uint32_t first = positions->customers[place] - 1;
    positions->customer_used += first == NONE;
    if (first == NONE || position_at(positions, first)->number > position->number) {
        position->next = first;
        positions->customers[place] = slot + 1;
        return ERR_OK;
    }
    struct position *before = position_at(positions, first);
    while (before->next != NONE && position_at(positions, before->next)->number < position->number)
        before = position_at(positions, before->next);
    position->next = before->next;
    before->next = slot;
    return ERR_OK;
}

static void unchain(struct positions *positions, uint32_t slot)
{
    struct position *position = position_at(positions, slot);
    uint32_t place = place_of(positions, position->customer);
    uint32_t at = positions->customers[place] - 1;
    if (at == slot && position->next == NONE) {
        close_gap(positions, place);
        positions->customer_used--;
    } else if (at == slot) {
        positions->customers[place] = position->next + 1;
    } else {
        while (position_at(positions, at)->next != slot)
            at = position_at(positions, at)->next;
        position_at(positions, at)->next = position->next;
    }
    position->next = NONE;
}

err position_rehome(struct positions *positions, uint32_t slot, uint32_t customer)
{
    unchain(positions, slot);
    position_at(positions, slot)->customer = customer;
    return chain(positions, slot);
}

/* ---- slots ---- */

static err add_slab(struct positions *positions)
{
    struct position **longer =
        memory_resize((void *)positions->slabs, (positions->slab_count + 1) * sizeof(*longer));
    if (longer == NULL)
        return ERR_NOMEM;
    positions->slabs = longer;
    longer[positions->slab_count] = memory_map(SLAB_SIZE * sizeof(struct position));
    if (longer[positions->slab_count] == NULL)
        return ERR_NOMEM;
    positions->slab_count++;
    return ERR_OK;
}

err position_new(struct positions *positions, uint32_t customer, uint32_t *slot)
{
    uint32_t made = positions->free_first;
    if (made == NONE) {
        made = positions->slot_count;
        if (made >> SLAB_BITS == positions->slab_count && add_slab(positions) != ERR_OK)
            return ERR_NOMEM;
        positions->slot_count++;
    } else {
        positions->free_first = position_at(positions, made)->next;
    }
    struct position *position = position_at(positions, made);
    *position = (struct position){ .number = positions->number_next++,
                                   .due_ms = INT64_MAX,
                                   .customer = customer,
                                   .next = NONE,
                                   .state = POSITION_WAITING };
    positions->living++;
    *slot = made;
    return chain(positions, made);
}

void position_free(struct positions *positions, uint32_t slot)
{
    struct position *position = position_at(positions, slot);
    unchain(positions, slot);
    positions->timers_set -= position->due_ms != INT64_MAX;
    positions->context_bytes -= position->context_bytes;
    memory_free(position->context);
    *position = (struct position){ .next = positions->free_first, .state = POSITION_FREE };
    positions->free_first = slot;
    positions->living--;
}

/* ---- timers ---- */

static bool is_before(const struct timer *one, const struct timer *other)
{
    return one->high != other->high ? one->high < other->high : one->low < other->low;
}

static int64_t timer_due_ms(const struct timer *timer)
{
    return (int64_t)(timer->high >> 20);
}

static uint32_t timer_slot(const struct timer *timer)
{
    return (uint32_t)timer->low;
}

static struct timer timer_of(const struct position *position, uint32_t slot)
{
    uint64_t due = (uint64_t)(position->due_ms < 0         ? 0
                              : position->due_ms > DUE_MAX ? DUE_MAX
                                                           : position->due_ms);
    return (struct timer){ .high = due << 20 | position->number >> NUMBER_LOW_BITS,
                           .low = position->number << (64 - NUMBER_LOW_BITS) | slot };
}

static bool is_stale(const struct positions *positions, const struct timer *timer)
{
    const struct position *position = position_at(positions, timer_slot(timer));
    if (position->state == POSITION_FREE || position->due_ms == INT64_MAX)
        return true;
    struct timer now = timer_of(position, timer_slot(timer));
    return now.high != timer->high || now.low != timer->low;
}

static void sift_down(struct positions *positions, size_t at)
{
    struct timer *timers = positions->timers, moved = timers[at];
    for (;;) {
        size_t child = at * 4 + 1, least = child;
        if (child >= positions->timer_count)
            break;
        for (size_t i = child + 1; i < child + 4 && i < positions->timer_count; i++)
            if (is_before(&timers[i], &timers[least]))
                least = i;
        if (!is_before(&timers[least], &moved))
            break;
        timers[at] = timers[least];
        at = least;
    }
    timers[at] = moved;
}

static void sift_up(struct positions *positions, size_t at)
{
    struct timer *timers = positions->timers, moved = timers[at];
    while (at > 0 && is_before(&moved, &timers[(at - 1) / 4])) {
        timers[at] = timers[(at - 1) / 4];
        at = (at - 1) / 4;
    }
    timers[at] = moved;
}

/* Half of them are stale: only the others stay. */
static void drop_stale(struct positions *positions)
{
    size_t kept = 0;
    for (size_t i = 0; i < positions->timer_count; i++)
        if (!is_stale(positions, &positions->timers[i]))
            positions->timers[kept++] = positions->timers[i];
    positions->timer_count = kept;
    for (size_t i = kept / 4 + 1; i-- > 0 && kept > 1;)
        sift_down(positions, i);
}

static err push(struct positions *positions, struct timer timer)
{
    if (positions->timer_count > 4096 && positions->timer_count > 2 * positions->timers_set)
        drop_stale(positions);
    if (positions->timer_count == positions->timer_capacity) {
        size_t capacity = positions->timer_capacity == 0
                              ? TIMERS_FIRST
                              : positions->timer_capacity + positions->timer_capacity / 4;
        struct timer *longer = memory_resize(positions->timers, capacity * sizeof(*longer));
        if (longer == NULL)
            return ERR_NOMEM;
        positions->timers = longer;
        positions->timer_capacity = capacity;
    }
    positions->timers[positions->timer_count] = timer;
    sift_up(positions, positions->timer_count++);
    return ERR_OK;
}

err position_timer(struct positions *positions, uint32_t slot, int64_t due_ms)
{
    struct position *position = position_at(positions, slot);
    positions->timers_set -= position->due_ms != INT64_MAX;
    position->due_ms = due_ms;
    if (due_ms == INT64_MAX)
        return ERR_OK;
    positions->timers_set++;
    return push(positions, timer_of(position, slot));
}

static void pop(struct positions *positions)
{
    positions->timers[0] = positions->timers[--positions->timer_count];
    if (positions->timer_count > 1)
        sift_down(positions, 0);
}

static void pop_stale(struct positions *positions)
{
    while (positions->timer_count > 0 && is_stale(positions, &positions->timers[0]))
        pop(positions);
}

int64_t positions_next_due_ms(struct positions *positions)
{
    pop_stale(positions);
    return positions->timer_count > 0 ? timer_due_ms(&positions->timers[0]) : INT64_MAX;
}

uint32_t position_take_due(struct positions *positions, int64_t now_ms)
{
    if (positions_next_due_ms(positions) > now_ms)
        return NONE;
    uint32_t slot = timer_slot(&positions->timers[0]);
    pop(positions);
    return slot;
}

/* ---- many at once ---- */

size_t positions_take_batch(struct positions *positions, int64_t now_ms, struct timer *batch,
                            size_t max)
{
    size_t count = 0;
    while (count < max && positions_next_due_ms(positions) <= now_ms) {
        batch[count++] = positions->timers[0];
        pop(positions);
    }
    return count;
}

uint32_t positions_next_of_batch(struct positions *positions, const struct timer *batch,
                                 size_t count, size_t *next)
{
    while (*next < count && is_stale(positions, &batch[*next]))
        ++*next;
    if (*next == count)
        return NONE;
    pop_stale(positions);
    /* what was set meanwhile may come before it */
    if (positions->timer_count > 0 && is_before(&positions->timers[0], &batch[*next])) {
        uint32_t slot = timer_slot(&positions->timers[0]);
        pop(positions);
        return slot;
    }
    return timer_slot(&batch[(*next)++]);
}

err positions_give_back(struct positions *positions, const struct timer *batch, size_t count,
                        size_t next)
{
    err error = ERR_OK;
    for (; error == ERR_OK && next < count; next++)
        if (!is_stale(positions, &batch[next]))
            error = push(positions, batch[next]);
    return error;
}

/* A miss of the cache costs a quarter of a step: those of a batch wait for memory together. */
void positions_fetch(const struct positions *positions, const struct timer *batch, size_t count,
                     void (*soon)(void *context, uint32_t customer, int stage), void *context)
{
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(position_at(positions, timer_slot(&batch[i])), 1);
    for (size_t i = 0; i < count; i++) {
        const struct position *position = position_at(positions, timer_slot(&batch[i]));
        __builtin_prefetch(position->context, 1);
        if (position->context_bytes > 64)
            __builtin_prefetch(position->context + 64, 1);
    }
    for (int stage = 0; soon != NULL && stage < JOURNEY_SOON_STAGES; stage++)
        for (size_t i = 0; i < count; i++)
            soon(context, position_at(positions, timer_slot(&batch[i]))->customer, stage);
}

/* ---- looking after it ---- */

size_t positions_bytes(const struct positions *positions)
{
    return (size_t)positions->slab_count * SLAB_SIZE * sizeof(struct position) +
           positions->customer_capacity * sizeof(uint32_t) +
           positions->timer_capacity * sizeof(struct timer) + positions->context_bytes;
}

/* Each living one is found by its customer, and has its timer in the heap. */
bool positions_check(const struct positions *positions, char *first, size_t first_size)
{
    size_t living = 0, set = 0, found = 0;
    for (uint32_t slot = 0; slot < positions->slot_count; slot++) {
        const struct position *position = position_at(positions, slot);
        if (position->state == POSITION_FREE)
            continue;
        living++;
        set += position->due_ms != INT64_MAX;
        uint32_t at = position_first(positions, position->customer);
        while (at != NONE && at != slot)
            at = position_at(positions, at)->next;
        if (at != slot) {
            snprintf(first, first_size, "position %llu is not found by its customer %u",
                     (unsigned long long)position->number, position->customer);
            return false;
        }
    }
    for (size_t i = 0; i < positions->timer_count; i++)
        found += !is_stale(positions, &positions->timers[i]);
    if (living == positions->living && set == positions->timers_set && found >= set)
        return true;
    snprintf(first, first_size, "%zu positions of %llu, %zu timers of %zu, %zu in the heap", living,
             (unsigned long long)positions->living, set, positions->timers_set, found);
    return false;
}
