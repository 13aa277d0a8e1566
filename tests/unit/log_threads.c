/* SPDX-License-Identifier: Apache-2.0 */
/* Everything at once: eight threads append, one follows the tail, others read, trim and ask; also
 * while the log is closed. Meant for ThreadSanitizer too. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/digest.h"
#include "log/log.h"
#include "support/log_witness.h"
#include "support/vfs_fault.h"

#define APPENDERS 8
#define APPENDS 150

struct house {
    struct vfs_fault *disk;
    struct wall_clock clock;
    struct log_config config;
    struct log *log;
    struct witness witness;
    _Atomic uint32_t working;
    _Atomic uint64_t followed; /* records that the reader has got */
};

struct appender {
    struct house *house;
    uint64_t seed;
};

static void house_build(struct house *house)
{
    *house = (struct house){ .disk = vfs_fault_new("thread-disk", 1) };
    wall_clock_init_virtual(&house->clock, INT64_C(1795000000000));
    witness_init(&house->witness);
    house->config = (struct log_config){
        .path = "log.db",
        .clock = &house->clock,
        .vfs = "thread-disk",
        .block_bytes_max = 20000,
        .checkpoint_bytes = 300000,
        .unread_bytes_max = 200000,
        .waiting_bytes_max = 100000,
        .retention_ms = 1,
    };
    assert_ok(log_open(&house->log, &house->config, NULL));
}

static void house_raze(struct house *house)
{
    log_close(&house->log);
    witness_deinit(&house->witness);
    vfs_fault_free(&house->disk);
}

static void *append_many(void *context)
{
    struct appender *appender = context;
    struct house *house = appender->house;
    struct random_stream random;
    random_seed(&random, appender->seed);
    for (int i = 0; i < APPENDS; i++) {
        uint32_t count = 1 + (uint32_t)random_below(&random, 20);
        size_t bytes = random_below(&random, 400);
        err error = random_below(&random, 4) == 0
                        ? witness_append_now(&house->witness, house->log, count, bytes)
                        : witness_append(&house->witness, house->log, count, bytes);
        if (error != ERR_OK && error != ERR_BUSY)
            return (void *)1;
        wall_clock_advance(&house->clock, 1);
    }
    witness_wait(&house->witness); /* nobody works any more, so nothing more is published */
    atomic_fetch_sub(&house->working, 1);
    return NULL;
}

/* Each block once, in order, and not before its appends are answered (L3). */
static void *follow(void *context)
{
    struct house *house = context;
    uint64_t next = 1;
    for (;;) {
        struct log_block *block = NULL;
        bool last_round = atomic_load(&house->working) == 0;
        if (log_next(house->log, 20, &block, NULL) != ERR_OK)
            return (void *)1;
        if (block == NULL && last_round && log_unread_records(house->log) == 0)
            return NULL;
        if (block == NULL)
            continue;
        if (block->first_seq != next || log_last_seq(house->log) < next + block->count - 1)
            return (void *)2;
        next += block->count;
        atomic_store(&house->followed, next - 1);
        log_block_release(&block);
    }
}

static void *read_and_trim(void *context)
{
    struct house *house = context;
    struct random_stream random;
    random_seed(&random, 99);
    while (atomic_load(&house->working) > 0) {
        struct log_block *block = NULL;
        uint64_t last = log_last_seq(house->log);
        uint64_t seq = 1 + random_below(&random, last + 1);
        err error = log_read(house->log, seq, &block, NULL);
        if (error != ERR_OK && error != ERR_NOT_FOUND)
            return (void *)1;
        if (error == ERR_OK && (seq < block->first_seq || seq - block->first_seq >= block->count))
            return (void *)2;
        log_block_release(&block);
        if (random_below(&random, 30) == 0 &&
            log_trim(house->log, atomic_load(&house->followed) / 2, NULL) != ERR_OK)
            return (void *)3;
        if (log_bytes(house->log) <= 0 || log_first_seq(house->log) > log_last_seq(house->log) + 1)
            return (void *)4;
        log_wake_reader(house->log);
    }
    return NULL;
}

static void test_everything_at_once(void **state)
{
    (void)state;
    static struct house house;
    pthread_t threads[APPENDERS + 3];
    struct appender appenders[APPENDERS];
    house_build(&house);
    atomic_store(&house.working, APPENDERS);
    assert_ok(log_follow(house.log, 1, NULL));
    for (size_t i = 0; i < APPENDERS; i++) {
        appenders[i] = (struct appender){ .house = &house, .seed = i };
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, &appenders[i]), 0);
    }
    assert_int_equal(pthread_create(&threads[APPENDERS], NULL, follow, &house), 0);
    assert_int_equal(pthread_create(&threads[APPENDERS + 1], NULL, read_and_trim, &house), 0);
    assert_int_equal(pthread_create(&threads[APPENDERS + 2], NULL, read_and_trim, &house), 0);
    for (size_t i = 0; i < APPENDERS + 3; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_null(result);
    }
    witness_wait(&house.witness);
    assert_int_equal(atomic_load(&house.followed), log_last_seq(house.log));
    if (!witness_check(&house.witness, house.log, NULL))
        fail_msg("%s", house.witness.wrong);
    assert_true(house.witness.ok > APPENDERS * APPENDS / 10);
    house_raze(&house);
}

/* A block is shared by as many as like; the last one frees it. */
static void *hold_and_release(void *context)
{
    struct log_block *block = context;
    for (int i = 0; i < 2000; i++) {
        struct log_block *mine = block;
        log_block_hold(mine);
        log_block_release(&mine);
    }
    log_block_release(&block);
    return NULL;
}

static void test_block_in_many_hands(void **state)
{
    (void)state;
    static struct house house;
    struct log_block *block = NULL;
    pthread_t threads[4];
    house_build(&house);
    assert_ok(witness_append_now(&house.witness, house.log, 3, 100));
    assert_ok(log_read(house.log, 2, &block, NULL));
    for (size_t i = 0; i < 4; i++) {
        log_block_hold(block);
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_release, block), 0);
    }
    log_block_release(&block);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    house_raze(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_at_once),
        cmocka_unit_test(test_block_in_many_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
