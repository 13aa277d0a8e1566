/* SPDX-License-Identifier: Apache-2.0 */
/* A linked list under a mutex: one lock per put, one per batch taken. */
#include "base/queue.h"

#include <errno.h>
#include <time.h>

#include "base/error.h"

void queue_init(struct queue *queue, size_t weight_max)
{
    *queue = (struct queue){ .weight_max = weight_max };
    queue->last = &queue->first;
    pthread_condattr_t attributes;
    INVARIANT(pthread_mutex_init(&queue->mutex, NULL) == 0);
    INVARIANT(pthread_condattr_init(&attributes) == 0);
    INVARIANT(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    INVARIANT(pthread_cond_init(&queue->wake, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

void queue_deinit(struct queue *queue)
{
    /* What is still in belongs to somebody: it has to be taken first. */
    INVARIANT(queue->first == NULL);
    pthread_cond_destroy(&queue->wake);
    pthread_mutex_destroy(&queue->mutex);
}

static bool queue_put_locked(struct queue *queue, struct queue_item *item, size_t weight,
                             bool always)
{
    if (queue->closed)
        return false;
    bool room = queue->first == NULL ||
                (weight <= queue->weight_max && queue->weight <= queue->weight_max - weight);
    if (!room && !always)
        return false;
    item->next = NULL;
    item->weight = weight;
    *queue->last = item;
    queue->last = &item->next;
    queue->weight += weight;
    return true;
}

/* The taker sleeps only while nothing is in, so only the first item wakes it. Signalled under the
 * lock: the owner may end the queue as soon as the taker has seen the item. */
static bool queue_put_any(struct queue *queue, struct queue_item *item, size_t weight, bool always)
{
    pthread_mutex_lock(&queue->mutex);
    bool was_empty = queue->first == NULL;
    bool taken = queue_put_locked(queue, item, weight, always);
    if (taken && was_empty)
        pthread_cond_signal(&queue->wake);
    pthread_mutex_unlock(&queue->mutex);
    return taken;
}

bool queue_put(struct queue *queue, struct queue_item *item, size_t weight)
{
    return queue_put_any(queue, item, weight, false);
}

void queue_put_always(struct queue *queue, struct queue_item *item, size_t weight)
{
    /* Losing it would break the promise of the name: closing comes after the last such put. */
    bool taken = queue_put_any(queue, item, weight, true);
    INVARIANT(taken);
}

static struct timespec deadline_after(int64_t timeout_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += (time_t)(timeout_ms / 1000);
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    return deadline;
}

static void queue_wait_locked(struct queue *queue, int64_t timeout_ms)
{
    struct timespec deadline = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
    while (queue->first == NULL && !queue->poked && !queue->closed) {
        if (timeout_ms < 0)
            pthread_cond_wait(&queue->wake, &queue->mutex);
        else if (pthread_cond_timedwait(&queue->wake, &queue->mutex, &deadline) == ETIMEDOUT)
            break;
    }
}

/* Cut the list behind the last item that fits; the first always goes. */
static struct queue_item *queue_cut_locked(struct queue *queue, size_t weight_max)
{
    struct queue_item *first = queue->first;
    if (first == NULL)
        return NULL;
    if (weight_max == 0 || queue->weight <= weight_max) {
        queue->first = NULL;
        queue->last = &queue->first;
        queue->weight = 0;
        return first;
    }
    struct queue_item *end = first;
    size_t taken = first->weight;
    while (end->next != NULL && taken <= weight_max && end->next->weight <= weight_max - taken) {
        end = end->next;
        taken += end->weight;
    }
    queue->first = end->next;
    if (queue->first == NULL)
        queue->last = &queue->first;
    queue->weight -= taken;
    end->next = NULL;
    return first;
}

struct queue_item *queue_take(struct queue *queue, size_t weight_max, int64_t timeout_ms)
{
    pthread_mutex_lock(&queue->mutex);
    if (queue->first == NULL && timeout_ms != 0)
        queue_wait_locked(queue, timeout_ms);
    queue->poked = false;
    struct queue_item *items = queue_cut_locked(queue, weight_max);
    pthread_mutex_unlock(&queue->mutex);
    return items;
}

void queue_poke(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->poked = true;
    pthread_cond_signal(&queue->wake);
    pthread_mutex_unlock(&queue->mutex);
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->wake);
    pthread_mutex_unlock(&queue->mutex);
}

bool queue_is_closed(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool closed = queue->closed;
    pthread_mutex_unlock(&queue->mutex);
    return closed;
}

size_t queue_weight(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t weight = queue->weight;
    pthread_mutex_unlock(&queue->mutex);
    return weight;
}
