/* SPDX-License-Identifier: Apache-2.0 */
/* queue: bounded handing-over between threads.
 *
 * Items are intrusive (struct queue_item inside the thing) and counted by a weight of the caller's
 * choice (bytes, records). A full queue refuses; nobody blocks on putting. Any number of putting
 * threads, one taking thread. Taking gets everything that waits at once, in order: batches grow
 * under load by themselves.
 */
#ifndef KITH_BASE_QUEUE_H
#define KITH_BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_item {
    struct queue_item *next;
    size_t weight;
};

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct queue_item *first, **last;
    size_t weight, weight_max;
    bool closed;
    bool poked;
};

void queue_init(struct queue *queue, size_t weight_max);
void queue_deinit(struct queue *queue);
/* False when full or closed; an item that alone exceeds the maximum goes into an empty queue. */
bool queue_put(struct queue *queue, struct queue_item *item, size_t weight);
/* Even when full: for what must not be refused (results of what was admitted before). */
void queue_put_always(struct queue *queue, struct queue_item *item, size_t weight);
/* Everything that waits, oldest first; NULL after `timeout_ms` (-1: for ever), a poke, or when
 * closed and empty. Takes at most `weight_max` (0: all), but at least one item. */
struct queue_item *queue_take(struct queue *queue, size_t weight_max, int64_t timeout_ms);
void queue_poke(struct queue *queue);  /* wake the taker with nothing */
void queue_close(struct queue *queue); /* no more puts; what is in can be taken */
bool queue_is_closed(struct queue *queue);
size_t queue_weight(struct queue *queue);

#define queue_entry(item, type, member) ((type *)(void *)((char *)(item)-offsetof(type, member)))

#endif
