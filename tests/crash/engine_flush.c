/* SPDX-License-Identifier: Apache-2.0 */
/* Flush: each applied event is one row of the warehouse, whoever is killed; and what is loaded from the
 * warehouse at start is what was in memory.
 *
 * KITH_FLUSH_ROUNDS is how often the child is killed (default 3).
 */
#include "support/cmocka.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "support/engine_house.h"

static int rounds(void)
{
    const char *given = getenv("KITH_FLUSH_ROUNDS");
    return given != NULL ? (int)strtol(given, NULL, 10) : 3;
}

static void send_random(struct house *house, struct random_stream *random, uint64_t *message,
                        size_t batches)
{
    for (size_t batch = 0; batch < batches; batch++) {
        struct saying sayings[100];
        for (size_t index = 0; index < 100; index++)
            house_random_saying(random, (*message)++, &sayings[index]);
        assert_ok(house_send(house, sayings, 100));
    }
}

static int64_t ask_number(struct house *house, const char *sql)
{
    struct buffer answer;
    struct problem problem = { .error = ERR_OK };
    int64_t number = -1;
    buffer_init(&answer, 65536);
    if (warehouse_query(engine_warehouse(house->engine), str_from_c(sql), NULL, 0, 30000, &answer,
                        &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    assert_true(str_to_int64(str_trim(buffer_str(&answer)), &number));
    buffer_deinit(&answer);
    return number;
}

/* Rows are as many as applied events, no seq is there twice. */
static void assert_rows_are_exact(struct house *house)
{
    struct engine_status status;
    assert_ok(engine_settle(house->engine, true, 60000));
    engine_status(house->engine, &status);
    assert_int_equal(ask_number(house, "SELECT count() FROM events FORMAT TSV"), status.events);
    assert_int_equal(ask_number(house, "SELECT uniqExact(seq) FROM events FORMAT TSV"),
                     status.events);
    assert_int_equal(status.unflushed_rows, 0);
}

static void assert_restart_is_same(struct house *house)
{
    struct buffer before, after;
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    house_digest(house, &before);
    house_close(house);
    house_open(house, true);
    house_digest(house, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_deinit(&before);
    buffer_deinit(&after);
}

static void test_the_child_is_killed_under_load(void **state)
{
    (void)state;
    struct house house;
    struct random_stream random;
    uint64_t message = 1;
    random_seed(&random, 1111);
    house_make(&house);
    house_open(&house, true);
    for (int round = 0; round < rounds(); round++) {
        send_random(&house, &random, &message, 20);
        assert_ok(engine_settle(house.engine, false, 30000));
        int child = warehouse_child_pid(engine_warehouse(house.engine));
        assert_true(child > 0);
        /* Somewhere within gathering, inserting or marking as done. */
        usleep((useconds_t)random_below(&random, 1500000));
        assert_int_equal(kill(child, SIGKILL), 0);
        send_random(&house, &random, &message, 5);
        assert_rows_are_exact(&house);
    }
    assert_restart_is_same(&house);
    assert_rows_are_exact(&house);
    house_close(&house);
    house_remove(&house);
}

/* Never returns: a server that is killed at a step of the flush. */
static void live_and_die(const struct house *kept, enum fault_point point)
{
    struct house house = *kept;
    struct random_stream random;
    uint64_t message = 1;
    random_seed(&random, 42);
    house_open(&house, true);
    send_random(&house, &random, &message, 10);
    fault_arm(point, 1, FAULT_KILL, false);
    send_random(&house, &random, &message, 10);
    _exit(engine_settle(house.engine, true, 30000) == ERR_OK ? 0 : 1);
}

static void test_the_server_is_killed_at_each_step_of_the_flush(void **state)
{
    (void)state;
    static const enum fault_point POINTS[] = { FAULT_FLUSH_AFTER_PLAN, FAULT_FLUSH_AFTER_INSERT,
                                               FAULT_FLUSH_AFTER_DONE };
    for (size_t point = 0; point < sizeof POINTS / sizeof POINTS[0]; point++) {
        struct house house;
        int status = 0;
        house_make(&house);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            live_and_die(&house, POINTS[point]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        house_open(&house, true);
        assert_rows_are_exact(&house);
        assert_restart_is_same(&house);
        house_close(&house);
        house_remove(&house);
    }
}

/* A server that is killed after the insert and does not ask what is there has rows twice: the check
 * above has to see it. */
static void test_the_check_finds_a_flush_that_does_not_ask(void **state)
{
    (void)state;
#ifndef KITH_FAULTS
    print_message("deliberate defects are not compiled into this build\n");
    skip();
#else
    struct house house;
    struct engine_status engine_status_now;
    int status = 0;
    house_make(&house);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        live_and_die(&house, FAULT_FLUSH_AFTER_INSERT);
    assert_int_equal(waitpid(child, &status, 0), child);
    setenv("KITH_MUTATE_FLUSH", "no_ask", 1);
    house_open(&house, true);
    assert_ok(engine_settle(house.engine, true, 60000));
    unsetenv("KITH_MUTATE_FLUSH");
    engine_status(house.engine, &engine_status_now);
    assert_true(ask_number(&house, "SELECT count() FROM events FORMAT TSV") >
                (int64_t)engine_status_now.events);
    house_close(&house);
    house_remove(&house);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_child_is_killed_under_load),
        cmocka_unit_test(test_the_server_is_killed_at_each_step_of_the_flush),
        cmocka_unit_test(test_the_check_finds_a_flush_that_does_not_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
