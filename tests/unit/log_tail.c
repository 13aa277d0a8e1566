/* SPDX-License-Identifier: Apache-2.0 */
/* Appending, following, reading, trimming and opening again, on the disk in memory and on a PostgreSQL server. */
#include "support/cmocka.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "log/log.h"
#include "support/log_witness.h"
#include "support/postgres_server.h"
#include "support/vfs_fault.h"

#define PATH "log.db"
#define START_MS INT64_C(1795000000000)

struct house {
    struct vfs_fault *disk; /* NULL: the log is on a server */
    char path[256];
    struct wall_clock clock;
    struct log_config config;
    struct log *log;
    struct witness witness;
    struct problem problem;
    struct problem death;
    int deaths;
};

static void on_fatal(void *context, const struct problem *problem)
{
    struct house *house = context;
    house->deaths++;
    house->death = *problem;
}

static struct house the_house;

static int house_open(void **state)
{
    struct house *house = &the_house;
    wall_clock_init_virtual(&house->clock, START_MS);
    witness_init(&house->witness);
    house->config = (struct log_config){
        .path = house->path,
        .clock = &house->clock,
        .vfs = house->disk != NULL ? "memory-disk" : NULL,
        .fatal = on_fatal,
        .context = house,
    };
    if (log_open(&house->log, &house->config, &house->problem) != ERR_OK)
        fail_msg("%s", house->problem.detail);
    *state = house;
    return 0;
}

static int house_build(void **state)
{
    the_house = (struct house){ .disk = vfs_fault_new("memory-disk", 1), .path = PATH };
    return house_open(state);
}

static int house_on_server(void **state)
{
    the_house = (struct house){ .disk = NULL };
    postgres_new_schema(the_house.path, sizeof(the_house.path));
    return house_open(state);
}

static int house_clear(void **state)
{
    struct house *house = *state;
    log_close(&house->log);
    witness_deinit(&house->witness);
    if (house->disk != NULL)
        vfs_fault_free(&house->disk);
    return 0;
}

static void house_open_again(struct house *house)
{
    log_close(&house->log);
    err error = log_open(&house->log, &house->config, &house->problem);
    if (error != ERR_OK)
        print_error("%s\n", house->problem.detail);
    assert_ok(error);
}

static void assert_witness(struct house *house)
{
    if (!witness_check(&house->witness, house->log, NULL))
        fail_msg("%s", house->witness.wrong);
}

/* ---- numbers ---- */

static void test_empty_log(void **state)
{
    struct house *house = *state;
    struct log_block *block = NULL;
    assert_int_equal(log_first_seq(house->log), 1);
    assert_int_equal(log_last_seq(house->log), 0);
    assert_int_equal(log_unread_records(house->log), 0);
    assert_err(log_read(house->log, 1, &block, NULL), ERR_NOT_FOUND);
    assert_err(log_read(house->log, 0, &block, NULL), ERR_NOT_FOUND);
    house_open_again(house);
    assert_int_equal(log_first_seq(house->log), 1);
    assert_int_equal(log_last_seq(house->log), 0);
}

static void test_numbers_over_restarts(void **state)
{
    struct house *house = *state;
    struct random_stream random;
    random_seed(&random, 20261121);
    uint64_t records = 0;
    for (int round = 0; round < 30; round++) {
        house->config.block_bytes_max = (size_t)1 << random_below(&random, 16);
        house_open_again(house);
        assert_int_equal(log_last_seq(house->log), records);
        for (uint64_t i = random_below(&random, 40); i > 0; i--) {
            uint32_t count = 1 + (uint32_t)random_below(&random, 50);
            assert_ok(
                witness_append(&house->witness, house->log, count, random_below(&random, 300)));
            records += count;
            if (random_below(&random, 3) == 0)
                witness_wait(&house->witness);
        }
        witness_wait(&house->witness);
        assert_int_equal(log_last_seq(house->log), records);
        assert_witness(house);
    }
    assert_int_equal(house->witness.ok, house->witness.count);
}

static void test_first_numbers(void **state)
{
    struct house *house = *state;
    assert_ok(witness_append_now(&house->witness, house->log, 3, 10));
    assert_ok(witness_append_now(&house->witness, house->log, 1, 0));
    assert_int_equal(house->witness.appends[0]->append.first_seq, 1);
    assert_int_equal(house->witness.appends[1]->append.first_seq, 4);
    assert_int_equal(log_last_seq(house->log), 4);
}

/* ---- what is refused at once ---- */

static void never_durable(struct log_append *append, err error)
{
    (void)append;
    (void)error;
    fail_msg("a refused append was answered");
}

static void test_malformed_appends(void **state)
{
    struct house *house = *state;
    struct log_append append = { .durable = never_durable, .count = 1 };
    static const struct {
        uint32_t count;
        str records;
    } cases[] = {
        { 1, { NULL, 0 } },
        { 0, { "\x01\x00", 2 } },
        { 2, { "\x01\x00", 2 } },         /* fewer than it says */
        { 1, { "\x01\x00\x01\x00", 4 } }, /* more than it says */
        { 1,
          { "\x01\x05"
            "abcd",
            6 } },                    /* cut */
        { 1, { "\x00\x00", 2 } },     /* no kind */
        { 1, { "\x01\x80\x00", 3 } }, /* a length in two ways */
        { 1, { "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12 } },
        { UINT32_MAX, { "\x01\x00", 2 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        append.count = cases[i].count;
        append.records = cases[i].records;
        assert_err(log_append(house->log, &append), ERR_INVALID);
    }
    append.records = str_from_bytes("", LOG_BLOCK_BYTES_LIMIT + 1); /* its size is asked first */
    assert_err(log_append(house->log, &append), ERR_TOO_LARGE);
    assert_int_equal(log_last_seq(house->log), 0);
}

/* ---- large and many ---- */

static void test_large_append_is_one_block(void **state)
{
    struct house *house = *state;
    struct log_block *block = NULL;
    house->config.block_bytes_max = 1000;
    house_open_again(house);
    assert_ok(witness_append_now(&house->witness, house->log, 7, 400000));
    assert_ok(log_read(house->log, 5, &block, NULL));
    assert_int_equal(block->first_seq, 1);
    assert_int_equal(block->count, 7);
    log_block_release(&block);
    assert_witness(house);
}

static void test_more_than_a_transaction(void **state)
{
    struct house *house = *state;
    house->config.block_bytes_max = 100;
    house_open_again(house);
    for (int i = 0; i < 500; i++)
        assert_ok(witness_append(&house->witness, house->log, 1, 90)); /* a block each */
    for (int i = 0; i < 12; i++)
        assert_ok(witness_append(&house->witness, house->log, 1, 1 << 20));
    witness_wait(&house->witness);
    house_open_again(house);
    assert_witness(house);
}

/* ---- following ---- */

static uint64_t read_until(struct house *house, uint64_t next, uint64_t last)
{
    struct witness_records seen;
    while (next <= last) {
        struct log_block *block = NULL;
        assert_ok(log_next(house->log, 10000, &block, &house->problem));
        assert_non_null(block);
        bool right = witness_check_block(&house->witness, block, &next, &seen);
        log_block_release(&block);
        if (!right)
            fail_msg("%s", house->witness.wrong);
    }
    return next;
}

static void test_follow_from_file_then_memory(void **state)
{
    struct house *house = *state;
    struct log_block *block = NULL;
    for (int i = 0; i < 20; i++)
        assert_ok(witness_append_now(&house->witness, house->log, 5, 50));
    assert_ok(log_follow(house->log, 1, &house->problem));
    assert_int_equal(log_unread_records(house->log), 100);
    uint64_t next = read_until(house, 1, 50);
    assert_int_equal(log_unread_records(house->log), 50);
    for (int i = 0; i < 20; i++)
        assert_ok(witness_append_now(&house->witness, house->log, 5, 50));
    next = read_until(house, next, 200);
    assert_ok(log_next(house->log, 0, &block, &house->problem));
    assert_null(block);
    for (int i = 0; i < 20; i++)
        assert_ok(witness_append_now(&house->witness, house->log, 5, 50));
    assert_int_equal(log_unread_records(house->log), 100);
    next = read_until(house, next, 300);
    assert_int_equal(next, 301);
    assert_int_equal(log_unread_records(house->log), 0);
}

static void test_follow_again_and_bounds(void **state)
{
    struct house *house = *state;
    struct log_block *block = NULL;
    assert_ok(log_follow(house->log, 1, &house->problem));
    assert_err(log_follow(house->log, 2, &house->problem), ERR_NOT_FOUND);
    assert_err(log_follow(house->log, 0, &house->problem), ERR_NOT_FOUND);
    assert_ok(log_next(house->log, 0, &block, &house->problem));
    assert_null(block);
    assert_ok(witness_append_now(&house->witness, house->log, 10, 50));
    assert_ok(log_follow(house->log, 4, &house->problem)); /* in the middle: its block comes */
    assert_ok(log_next(house->log, 1000, &block, &house->problem));
    assert_int_equal(block->first_seq, 1);
    log_block_release(&block);
    assert_ok(log_next(house->log, 0, &block, &house->problem));
    assert_null(block);
    assert_ok(log_follow(house->log, 11, &house->problem));
    assert_ok(log_next(house->log, 0, &block, &house->problem));
    assert_null(block);
    assert_int_equal(log_unread_records(house->log), 0);
}

static void *wake_soon(void *context)
{
    log_wake_reader(context);
    return NULL;
}

static void test_wake_reader(void **state)
{
    struct house *house = *state;
    struct log_block *block = NULL;
    pthread_t thread;
    assert_ok(log_follow(house->log, 1, &house->problem));
    assert_ok(log_next(house->log, 0, &block, &house->problem)); /* from memory from here on */
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, house->log), 0);
    assert_ok(log_next(house->log, -1, &block, &house->problem));
    assert_null(block);
    pthread_join(thread, NULL);
}

static void test_blocks_outlive_the_log(void **state)
{
    struct house *house = *state;
    struct log_block *block = NULL;
    assert_ok(log_follow(house->log, 1, &house->problem));
    assert_ok(log_next(house->log, 0, &block, &house->problem));
    assert_ok(witness_append_now(&house->witness, house->log, 2, 50));
    assert_ok(witness_append_now(&house->witness, house->log, 2, 50));
    assert_ok(log_next(house->log, 1000, &block, &house->problem));
    log_block_hold(block);
    struct log_block *second = block;
    log_block_release(&second);
    assert_null(second);
    house_open_again(house); /* the block that nobody took goes with the log */
    assert_int_equal(block->count, 2);
    log_block_release(&block);
}

/* ---- back-pressure ---- */

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t open;
    bool is_open;
    _Atomic bool inside;
};

static void hold_writer(struct log_append *append, err error)
{
    struct gate *gate = append->context;
    (void)error;
    pthread_mutex_lock(&gate->mutex);
    atomic_store(&gate->inside, true);
    pthread_cond_broadcast(&gate->open);
    while (!gate->is_open)
        pthread_cond_wait(&gate->open, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
}

static void test_busy_when_much_waits(void **state)
{
    struct house *house = *state;
    struct gate gate = { .mutex = PTHREAD_MUTEX_INITIALIZER, .open = PTHREAD_COND_INITIALIZER };
    house->config.waiting_bytes_max = 5000;
    house_open_again(house);
    struct log_append held = {
        .records = STR("\x03\x00"),
        .count = 1,
        .durable = hold_writer,
        .context = &gate,
    };
    assert_ok(log_append(house->log, &held));
    pthread_mutex_lock(&gate.mutex);
    while (!atomic_load(&gate.inside))
        pthread_cond_wait(&gate.open, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    /* The writer stands still: what comes in waits. The first may be larger than the limit. */
    assert_ok(witness_append(&house->witness, house->log, 1, 4000));
    assert_err(witness_append(&house->witness, house->log, 1, 4000), ERR_BUSY);
    assert_ok(witness_append(&house->witness, house->log, 1, 500));
    assert_err(witness_append(&house->witness, house->log, 1, 500), ERR_BUSY);
    pthread_mutex_lock(&gate.mutex);
    gate.is_open = true;
    pthread_cond_broadcast(&gate.open);
    pthread_mutex_unlock(&gate.mutex);
    witness_wait(&house->witness);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 100000));
    assert_int_equal(house->witness.ok, 3);
}

/* N4: the last quarter of the room is not for who has filled the rest. */
static void test_a_flood_leaves_room_for_others(void **state)
{
    struct house *house = *state;
    struct gate gate = { .mutex = PTHREAD_MUTEX_INITIALIZER, .open = PTHREAD_COND_INITIALIZER };
    house->config.waiting_bytes_max = 16000;
    house_open_again(house);
    struct log_append held = {
        .records = STR("\x03\x00"), .count = 1, .durable = hold_writer, .context = &gate
    };
    assert_ok(log_append(house->log, &held));
    pthread_mutex_lock(&gate.mutex);
    while (!atomic_load(&gate.inside))
        pthread_cond_wait(&gate.open, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    house->witness.source = 7;
    uint32_t taken = 0;
    while (witness_append(&house->witness, house->log, 1, 1000) == ERR_OK)
        taken++;
    assert_in_range(taken, 10, 12);
    assert_in_range(log_wait_ms(house->log, 8), 0, 0);
    house->witness.source = 8;
    assert_ok(witness_append(&house->witness, house->log, 1, 1000));
    house->witness.source = 7;
    assert_err(witness_append(&house->witness, house->log, 1, 1000), ERR_BUSY);
    pthread_mutex_lock(&gate.mutex);
    gate.is_open = true;
    pthread_cond_broadcast(&gate.open);
    pthread_mutex_unlock(&gate.mutex);
    witness_wait(&house->witness);
    assert_int_equal(house->witness.ok, taken + 1);
}

static void test_busy_when_much_is_unread(void **state)
{
    struct house *house = *state;
    house->config.unread_bytes_max = 3000;
    house_open_again(house);
    for (int i = 0; i < 10; i++) /* nobody follows yet: nobody is late */
        assert_ok(witness_append_now(&house->witness, house->log, 1, 1000));
    assert_ok(log_follow(house->log, 1, &house->problem));
    assert_err(witness_append_now(&house->witness, house->log, 1, 10), ERR_BUSY);
    uint64_t next = read_until(house, 1, 10);
    for (int i = 0; i < 3; i++)
        assert_ok(witness_append_now(&house->witness, house->log, 1, 1000));
    /* An append is answered a moment before it counts as unread: one or two more may slip in. */
    uint64_t last = 13;
    err error;
    while ((error = witness_append_now(&house->witness, house->log, 1, 10)) == ERR_OK &&
           last < 1000) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        last++;
    }
    assert_err(error, ERR_BUSY);
    next = read_until(house, next, 13);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 1000));
    (void)read_until(house, next, last + 1);
    assert_witness(house);
}

/* ---- time ---- */

static int64_t received_at(struct house *house, uint64_t seq)
{
    struct log_block *block = NULL;
    assert_ok(log_read(house->log, seq, &block, &house->problem));
    int64_t received_ms = block->received_ms;
    log_block_release(&block);
    return received_ms;
}

static void test_time_never_goes_back(void **state)
{
    struct house *house = *state;
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    wall_clock_advance(&house->clock, 5000);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    wall_clock_init_virtual(&house->clock, START_MS - DAY_MS);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    house_open_again(house);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    wall_clock_init_virtual(&house->clock, START_MS + 6000);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    assert_int_equal(received_at(house, 1), START_MS);
    assert_int_equal(received_at(house, 2), START_MS + 5000);
    assert_int_equal(received_at(house, 3), START_MS + 5000);
    assert_int_equal(received_at(house, 4), START_MS + 5000);
    assert_int_equal(received_at(house, 5), START_MS + 6000);
}

#ifdef KITH_FAULTS
/* The check of times finds a log that follows the wall clock back. */
static void test_catches_a_clock_that_goes_back(void **state)
{
    struct house *house = *state;
    setenv("KITH_MUTATE", "clock_goes_back", 1);
    house_open_again(house);
    unsetenv("KITH_MUTATE");
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    wall_clock_init_virtual(&house->clock, START_MS - 5000);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    assert_false(witness_check(&house->witness, house->log, NULL));
    log_close(&house->log);
    assert_err(log_open(&house->log, &house->config, &house->problem), ERR_CORRUPT);
}
#endif

/* ---- trimming ---- */

static void test_trim_respects_seq_and_retention(void **state)
{
    struct house *house = *state;
    struct log_block *block = NULL;
    house->config.retention_ms = HOUR_MS;
    house_open_again(house);
    for (int i = 0; i < 10; i++) {
        assert_ok(witness_append_now(&house->witness, house->log, 10, 100));
        wall_clock_advance(&house->clock, 10 * MINUTE_MS);
    }
    /* 100 minutes have passed: blocks 1 to 4 are older than an hour. */
    assert_ok(log_trim(house->log, 25, &house->problem));
    assert_int_equal(log_first_seq(house->log), 21); /* whole blocks before 25 */
    assert_ok(log_trim(house->log, 101, &house->problem));
    assert_int_equal(log_first_seq(house->log), 41);
    assert_err(log_read(house->log, 40, &block, &house->problem), ERR_NOT_FOUND);
    assert_ok(log_read(house->log, 41, &block, &house->problem));
    log_block_release(&block);
    assert_err(log_follow(house->log, 40, &house->problem), ERR_NOT_FOUND);
    assert_ok(log_follow(house->log, 41, &house->problem));
    house_open_again(house);
    assert_int_equal(log_first_seq(house->log), 41);
    assert_witness(house);
}

static void test_trim_everything_keeps_number_and_time(void **state)
{
    struct house *house = *state;
    house->config.retention_ms = 1;
    house_open_again(house);
    for (int i = 0; i < 700; i++)
        assert_ok(witness_append(&house->witness, house->log, 3, 3000));
    witness_wait(&house->witness);
    wall_clock_advance(&house->clock, 2);
    int64_t full = log_bytes(house->log);
    assert_ok(log_trim(house->log, UINT64_MAX, &house->problem));
    assert_int_equal(log_first_seq(house->log), 2101);
    assert_int_equal(log_last_seq(house->log), 2100);
    if (house->disk != NULL) /* a server keeps the room for what comes */
        assert_true(log_bytes(house->log) < full / 10);
    wall_clock_init_virtual(&house->clock, START_MS - 1000);
    house_open_again(house);
    assert_int_equal(log_first_seq(house->log), 2101);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    assert_int_equal(house->witness.appends[700]->append.first_seq, 2101);
    assert_int_equal(received_at(house, 2101), START_MS);
    assert_witness(house);
}

static void test_trimmed_room_is_used_again(void **state)
{
    struct house *house = *state;
    int64_t size = 0;
    house->config.retention_ms = 1;
    house_open_again(house);
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 20; i++)
            assert_ok(witness_append(&house->witness, house->log, 100, 1000));
        witness_wait(&house->witness);
        wall_clock_advance(&house->clock, 10);
        assert_ok(log_trim(house->log, log_last_seq(house->log), &house->problem));
        house_open_again(house); /* everything is in the one file */
        if (round == 0)
            size = vfs_fault_file_bytes(house->disk, PATH);
    }
    /* Twelve times as much has gone through. */
    assert_true(vfs_fault_file_bytes(house->disk, PATH) < 3 * size);
}

/* ---- opening ---- */

static void test_second_opener_is_locked_out(void **state)
{
    struct house *house = *state;
    struct log *second = NULL;
    steady_ns start = steady_now();
    assert_err(log_open(&second, &house->config, &house->problem), ERR_LOCKED);
    assert_true(steady_since_ms(start) < 1000);
    assert_true(strstr(house->problem.detail, PATH) != NULL);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    assert_witness(house);
}

static void test_a_closed_log_is_one_file_and_its_mark(void **state)
{
    struct house *house = *state;
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    log_close(&house->log);
    assert_true(vfs_fault_file_bytes(house->disk, PATH) > 0);
    assert_int_equal(vfs_fault_file_bytes(house->disk, PATH "-wal"), -1);
    assert_int_equal(vfs_fault_file_bytes(house->disk, PATH "-mark"), 24);
    house_open_again(house);
    assert_witness(house);
}

static void test_closing_answers_what_waits(void **state)
{
    struct house *house = *state;
    for (int i = 0; i < 200; i++)
        assert_ok(witness_append(&house->witness, house->log, 4, 200));
    house_open_again(house);
    assert_int_equal(house->witness.open, 0);
    assert_int_equal(house->witness.ok, 200);
    assert_witness(house);
}

/* What is the same wherever the log lies. */
#define ON_BOTH(X)                                                                                \
    X(test_empty_log), X(test_numbers_over_restarts),                                             \
                         X(test_first_numbers),                                                   \
                           X(test_malformed_appends),                                             \
                             X(test_large_append_is_one_block),                                   \
                               X(test_more_than_a_transaction),                                   \
                                 X(test_follow_from_file_then_memory),                            \
                                   X(test_follow_again_and_bounds),                               \
                                     X(test_wake_reader),                                         \
                                       X(test_blocks_outlive_the_log),                            \
                                         X(test_busy_when_much_waits),                            \
                                           X(test_a_flood_leaves_room_for_others),                \
                                             X(test_busy_when_much_is_unread),                    \
                                               X(test_time_never_goes_back),                      \
                                                 X(test_trim_respects_seq_and_retention),         \
                                                   X(test_trim_everything_keeps_number_and_time), \
                                                     X(test_closing_answers_what_waits)

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_build, house_clear)
#define ON_SERVER(name) cmocka_unit_test_setup_teardown(name, house_on_server, house_clear)
    const struct CMUnitTest in_file[] = {
        ON_BOTH(TEST),
#ifdef KITH_FAULTS
        TEST(test_catches_a_clock_that_goes_back),
#endif
        TEST(test_trimmed_room_is_used_again),
        TEST(test_second_opener_is_locked_out),
        TEST(test_a_closed_log_is_one_file_and_its_mark),
    };
    const struct CMUnitTest on_server[] = { ON_BOTH(ON_SERVER) };
    int failed = cmocka_run_group_tests(in_file, NULL, NULL);
    if (postgres_is_installed())
        failed += cmocka_run_group_tests(on_server, NULL, NULL);
    else
        print_message("skipped on a server: PostgreSQL is not installed\n");
    return failed;
}
