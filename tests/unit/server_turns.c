/* SPDX-License-Identifier: Apache-2.0 */
/* N4: whose events are decoded next, while one source brings more than all others. */
#include "support/cmocka.h"

#include <string.h>

#include "server/inside.h"
#include "server/request.h"

#define MANY 64

static struct server server;
static struct request requests[3 * MANY];

static struct request *a_request(size_t index, size_t body_bytes)
{
    struct request *request = &requests[index];
    memset(request, 0, sizeof *request);
    request->server = &server;
    request->body.size = body_bytes;
    return request;
}

/* How many are taken before this one is. */
static size_t taken_before(struct turns *turns, const struct request *wanted)
{
    struct request *request;
    for (size_t i = 0; (request = turns_take(turns)) != NULL; i++)
        if (request == wanted)
            return i;
    fail_msg("it was never taken");
    return 0;
}

static void test_one_lane_is_a_queue(void **state)
{
    (void)state;
    struct turns *turns = NULL;
    assert_ok(turns_new(&turns));
    assert_null(turns_take(turns));
    for (size_t i = 0; i < MANY; i++)
        assert_true(turns_put(turns, a_request(i, i * 4000), 7));
    for (size_t i = 0; i < MANY; i++)
        assert_ptr_equal(turns_take(turns), &requests[i]);
    assert_null(turns_take(turns));
    turns_free(&turns);
}

static void test_a_quiet_source_is_next(void **state)
{
    (void)state;
    struct turns *turns = NULL;
    assert_ok(turns_new(&turns));
    for (size_t i = 0; i < MANY; i++)
        assert_true(turns_put(turns, a_request(i, 45000), 1)); /* batches of 50 events */
    struct request *quiet = a_request(MANY, 4500);
    assert_true(turns_put(turns, quiet, 2));
    assert_in_range(taken_before(turns, quiet), 0, 2);
    /* In the middle of it, and again: a lane that was empty begins anew. */
    for (size_t i = 0; i < 5; i++)
        assert_non_null(turns_take(turns));
    assert_true(turns_put(turns, a_request(MANY, 4500), 2));
    assert_in_range(taken_before(turns, quiet), 0, 2);
    while (turns_take(turns) != NULL)
        ;
    turns_free(&turns);
}

/* Both bring as much as they can: each gets half of the bytes, however they are cut. */
static void test_bytes_are_shared(void **state)
{
    (void)state;
    struct turns *turns = NULL;
    size_t large = 0, small = 0, both = 0;
    assert_ok(turns_new(&turns));
    for (size_t i = 0; i < MANY; i++)
        assert_true(turns_put(turns, a_request(i, 90000), 1));
    for (size_t i = MANY; i < 3 * MANY; i++)
        assert_true(turns_put(turns, a_request(i, 9000), 2));
    while (small < 2 * MANY && large < MANY) {
        const struct request *request = turns_take(turns);
        assert_non_null(request);
        both += request->body.size;
        large += request->body.size == 90000;
        small += request->body.size == 9000;
    }
    assert_in_range(large * 90000, both * 2 / 5, both * 3 / 5);
    while (turns_take(turns) != NULL)
        ;
    turns_free(&turns);
}

static struct request *a_loud_request(size_t index, size_t body_bytes)
{
    struct request *request = a_request(index, body_bytes);
    request->is_loud = true;
    return request;
}

#define BATCHES_IN_LOG 11u

/* A loud source has eleven of its batches of 50 events in the log; the next comes when one of them is durable, in order. */
static void test_a_loud_source_is_held(void **state)
{
    (void)state;
    struct turns *turns = NULL;
    assert_ok(turns_new(&turns));
    for (size_t i = 0; i < MANY; i++)
        assert_true(turns_put(turns, a_loud_request(i, 45000), 1));
    for (size_t i = 0; i < BATCHES_IN_LOG; i++)
        assert_ptr_equal(turns_take(turns), &requests[i]);
    assert_null(turns_take(turns));
    struct request *quiet = a_request(MANY, 4500);
    assert_true(turns_put(turns, quiet, 2));
    assert_ptr_equal(turns_take(turns), quiet);
    assert_null(turns_take(turns));
    for (size_t i = BATCHES_IN_LOG; i < MANY; i++) {
        turns_done(turns, &requests[i - BATCHES_IN_LOG]);
        turns_done(turns, &requests[i - BATCHES_IN_LOG]); /* answered, and then over */
        assert_ptr_equal(turns_take(turns), &requests[i]);
        assert_null(turns_take(turns));
    }
    turns_free(&turns);
}

/* What is larger than all that may be there goes alone. */
static void test_a_large_one_goes_alone(void **state)
{
    (void)state;
    struct turns *turns = NULL;
    assert_ok(turns_new(&turns));
    for (size_t i = 0; i < 2; i++)
        assert_true(turns_put(turns, a_loud_request(i, 1000000), 1));
    assert_ptr_equal(turns_take(turns), &requests[0]);
    assert_null(turns_take(turns));
    turns_done(turns, &requests[0]);
    assert_ptr_equal(turns_take(turns), &requests[1]);
    turns_free(&turns);
}

/* Who has a limit goes at twice its pace; another loud one, and one that is not, do not wait for that. */
static void test_a_limit_is_a_pace(void **state)
{
    (void)state;
    struct turns *turns = NULL;
    const struct flow_source slow = { .number = 5, .events_per_second = 100 };
    assert_ok(turns_new(&turns));
    struct request *paced = a_loud_request(0, 1000), *free = a_loud_request(1, 1000);
    struct request *quiet = a_request(2, 1000);
    paced->headers.authorization = STR("Basic paced");
    free->headers.authorization = STR("Basic free");
    assert_true(flow_takes(paced, &slow, 100000)); /* the next one in a second: not later */
    assert_true(flow_is_paced(paced));
    assert_false(flow_is_paced(free));
    assert_in_range(flow_pause_us(paced), 1, 1000000);
    assert_int_equal(turns_pause_us(turns), -1);
    assert_true(turns_put(turns, paced, 5));
    assert_true(turns_put(turns, free, 6));
    assert_true(turns_put(turns, quiet, 7));
    assert_ptr_equal(turns_take(turns), free);
    assert_ptr_equal(turns_take(turns), quiet);
    while (flow_pause_us(paced) > 0) {
        assert_null(turns_take(turns));
        steady_sleep_ms(5);
    }
    assert_int_equal(turns_pause_us(turns), -1); /* it may go */
    assert_ptr_equal(turns_take(turns), paced);
    /* A changed limit forgets what was owed, and the pace. */
    flow_limit_changed(&server, 5);
    assert_true(flow_takes(paced, &slow, 90));
    assert_in_range(flow_pause_us(paced), 0, 450000); /* at twice its limit */
    flow_limit_changed(&server, 5);
    assert_int_equal(flow_pause_us(paced), 0);
    assert_false(flow_is_paced(paced));
    turns_free(&turns);
}

static int set_up(void **state)
{
    (void)state;
    return flows_new(&server.flows) == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    flows_free(&server.flows);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_lane_is_a_queue),
        cmocka_unit_test(test_a_quiet_source_is_next),
        cmocka_unit_test(test_bytes_are_shared),
        cmocka_unit_test(test_a_loud_source_is_held),
        cmocka_unit_test(test_a_large_one_goes_alone),
        cmocka_unit_test(test_a_limit_is_a_pace),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
