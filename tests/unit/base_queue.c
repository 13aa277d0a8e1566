/* SPDX-License-Identifier: Apache-2.0 */
/* Handing over between threads: bounds, order, closing. */
#include "support/cmocka.h"

#include "base/clock.h"
#include "base/queue.h"

struct thing {
    int producer;
    int number;
    struct queue_item item;
};

static struct thing *thing_of(struct queue_item *item)
{
    return queue_entry(item, struct thing, item);
}

static void test_bounds(void **state)
{
    (void)state;
    struct queue queue;
    struct thing things[5] = { { 0 } };
    queue_init(&queue, 10);
    assert_true(queue_put(&queue, &things[0].item, 50)); /* alone it may be larger */
    assert_false(queue_put(&queue, &things[1].item, 1));
    queue_put_always(&queue, &things[1].item, 1);
    assert_int_equal(queue_weight(&queue), 51);
    struct queue_item *items = queue_take(&queue, 0, 0);
    assert_ptr_equal(items, &things[0].item);
    assert_ptr_equal(items->next, &things[1].item);
    assert_null(items->next->next);
    assert_int_equal(queue_weight(&queue), 0);
    assert_true(queue_put(&queue, &things[0].item, 4));
    assert_true(queue_put(&queue, &things[1].item, 6));
    assert_false(queue_put(&queue, &things[2].item, 1));
    assert_false(queue_put(&queue, &things[2].item, SIZE_MAX));
    (void)queue_take(&queue, 0, 0);
    queue_close(&queue);
    queue_deinit(&queue);
}

static void test_takes_by_weight(void **state)
{
    (void)state;
    struct queue queue;
    struct thing things[4] = { { 0 } };
    queue_init(&queue, 100);
    for (size_t i = 0; i < 4; i++)
        assert_true(queue_put(&queue, &things[i].item, 10));
    struct queue_item *items = queue_take(&queue, 25, 0);
    assert_ptr_equal(items, &things[0].item);
    assert_ptr_equal(items->next, &things[1].item);
    assert_null(items->next->next);
    items = queue_take(&queue, 5, 0); /* at least one */
    assert_ptr_equal(items, &things[2].item);
    assert_null(items->next);
    assert_true(queue_put(&queue, &things[0].item, 10)); /* order goes on behind a cut */
    items = queue_take(&queue, 20, 0);
    assert_ptr_equal(items, &things[3].item);
    assert_ptr_equal(items->next, &things[0].item);
    assert_null(queue_take(&queue, 0, 0));
    queue_deinit(&queue);
}

static void test_waiting_ends(void **state)
{
    (void)state;
    struct queue queue;
    struct thing thing = { 0 };
    queue_init(&queue, 100);
    steady_ns start = steady_now();
    assert_null(queue_take(&queue, 0, 20));
    assert_true(steady_since_ms(start) >= 19);
    queue_poke(&queue); /* a poke before the taker comes is not lost */
    assert_null(queue_take(&queue, 0, -1));
    assert_true(queue_put(&queue, &thing.item, 1));
    queue_close(&queue);
    assert_true(queue_is_closed(&queue));
    assert_false(queue_put(&queue, &thing.item, 1));
    assert_ptr_equal(queue_take(&queue, 0, -1), &thing.item); /* what is in can be taken */
    assert_null(queue_take(&queue, 0, -1));
    queue_deinit(&queue);
}

#define PRODUCERS 4
#define THINGS_EACH 20000
static struct thing many[PRODUCERS][THINGS_EACH];

struct producer {
    struct queue *queue;
    int number;
};

static void *produce(void *argument)
{
    struct producer *producer = argument;
    for (int i = 0; i < THINGS_EACH; i++) {
        struct thing *thing = &many[producer->number][i];
        *thing = (struct thing){ .producer = producer->number, .number = i };
        while (!queue_put(producer->queue, &thing->item, 1))
            sched_yield();
    }
    return NULL;
}

static void test_many_producers(void **state)
{
    (void)state;
    struct queue queue;
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    int next[PRODUCERS] = { 0 };
    size_t taken = 0;
    queue_init(&queue, 1000);
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){ .queue = &queue, .number = i };
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    while (taken < (size_t)PRODUCERS * THINGS_EACH) {
        struct queue_item *item = queue_take(&queue, taken % 3 == 0 ? 10 : 0, -1);
        assert_non_null(item);
        for (; item != NULL; item = item->next, taken++) {
            struct thing *thing = thing_of(item);
            assert_int_equal(thing->number, next[thing->producer]);
            next[thing->producer]++;
        }
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    assert_null(queue_take(&queue, 0, 0));
    assert_int_equal(queue_weight(&queue), 0);
    queue_deinit(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_takes_by_weight),
        cmocka_unit_test(test_waiting_ends),
        cmocka_unit_test(test_many_producers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
