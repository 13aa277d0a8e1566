/* SPDX-License-Identifier: Apache-2.0 */
/* Every call of the disk, and every allocation, fails in its turn; and a disk that is full (proofs
 * D4, D5, D6).
 *
 * One life of a log is lived again and again, each time with the next call failing: opening,
 * appending, checkpoints, trimming, reading, closing. After each the machine starts again, with
 * or without a power loss, and the log is compared with what its appenders were told. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/fault.h"
#include "log/log.h"
#include "support/log_witness.h"
#include "support/vfs_fault.h"

#define PATH "log.db"

struct world {
    struct vfs_fault *disk;
    struct wall_clock clock;
    struct log_config config;
    struct witness witness;
    _Atomic int deaths;
    struct problem death;
    bool opened;
    char wrong[400];
};

static void on_fatal(void *context, const struct problem *problem)
{
    struct world *world = context;
    world->death = *problem;
    atomic_fetch_add(&world->deaths, 1);
}

static void world_begin(struct world *world, uint64_t seed)
{
    *world = (struct world){ .disk = world->disk };
    vfs_fault_reset(world->disk, seed);
    wall_clock_init_virtual(&world->clock, INT64_C(1795000000000));
    witness_init(&world->witness);
    world->config = (struct log_config){
        .path = PATH,
        .clock = &world->clock,
        .vfs = "io-disk",
        .retention_ms = 1000,
        .block_bytes_max = 3000,
        .checkpoint_bytes = 100000,
        .fatal = on_fatal,
        .context = world,
    };
}

static bool say(struct world *world, const char *what, const char *detail)
{
    snprintf(world->wrong, sizeof world->wrong, "%s: %s", what, detail);
    return false;
}

/* Once the log is dead it refuses, and says so once. */
static bool dies_properly(struct world *world, struct log *log)
{
    if (atomic_load(&world->deaths) == 0)
        return true;
    err error = witness_append_now(&world->witness, log, 1, 10);
    if (error != ERR_UNAVAILABLE)
        return say(world, "a dead log answers", err_code(error));
    return world->deaths == 1 || say(world, "fatal", "was called more than once");
}

static bool read_some(struct log *log)
{
    struct log_block *block = NULL;
    if (log_follow(log, log_first_seq(log), NULL) != ERR_OK)
        return false;
    for (int i = 0; i < 3; i++) {
        if (log_next(log, 0, &block, NULL) != ERR_OK)
            return false;
        log_block_release(&block);
    }
    if (log_read(log, log_last_seq(log), &block, NULL) == ERR_OK)
        log_block_release(&block);
    return true;
}

static bool live(struct world *world)
{
    struct log *log = NULL;
    struct problem problem = { 0 };
    err error = log_open(&log, &world->config, &problem);
    if (error != ERR_OK)
        return problem.detail[0] != '\0' || say(world, "opening failed", "and does not say why");
    world->opened = true;
    for (uint32_t i = 0; i < 24; i++) {
        (void)witness_append(&world->witness, log, 1 + i % 5, i % 4 == 0 ? 12000 : 300);
        if (i % 3 != 0)
            witness_wait(&world->witness);
        if (i % 8 == 7) {
            wall_clock_advance(&world->clock, 2000);
            error = log_trim(log, log_last_seq(log), NULL);
        }
        if (i == 12)
            (void)read_some(log);
    }
    witness_wait(&world->witness);
    bool right = dies_properly(world, log);
    log_close(&log);
    if (error != ERR_OK && error != world->death.error)
        world->witness.last_error = error;
    return right;
}

static bool check(struct world *world, enum vfs_loss loss)
{
    struct log *log = NULL;
    struct problem problem = { 0 };
    struct witness_records seen;
    vfs_fault_restart(world->disk, loss);
    if (log_open(&log, &world->config, &problem) != ERR_OK)
        return say(world, "the log does not open again", problem.detail);
    bool right = witness_check(&world->witness, log, &seen);
    if (!right)
        say(world, "the log is not what was told", world->witness.wrong);
    else if (seen.ticks > 0)
        right = say(world, "records were given up", "no failure may cost any");
    else if (witness_append_now(&world->witness, log, 2, 100) != ERR_OK)
        right = say(world, "the log takes nothing", "after the fault is gone");
    log_close(&log);
    return right;
}

/* ---- each call in turn ---- */

struct sweep {
    unsigned calls;
    int code;
    bool repeat;
    bool may_die; /* else the fault is for the appends it meets alone */
    enum vfs_loss loss;
};

/* The number of the call with which something was wrong; 0: nothing was. */
static uint64_t sweep(struct world *world, const struct sweep *how, uint64_t *reached)
{
    bool right = true, fired = true;
    uint64_t nth = 0;
    world->disk = vfs_fault_new("io-disk", 1);
    *reached = 0;
    while (right && fired) {
        nth++;
        world_begin(world, nth);
        vfs_fault_fail(world->disk, how->calls, nth, how->code, how->repeat);
        right = live(world);
        fired = vfs_fault_has_fired(world->disk);
        if (right && !fired && world->witness.last_error != ERR_OK)
            right = say(world, "an error without a fault", err_code(world->witness.last_error));
        if (right && !how->may_die && world->deaths > 0)
            right = say(world, "the log died", world->death.detail);
        right = right && check(world, how->loss);
        witness_deinit(&world->witness);
        *reached += fired;
    }
    vfs_fault_free(&world->disk);
    return right ? 0 : nth;
}

static void expect_survives(const struct sweep *how, uint64_t reached_min)
{
    static struct world world;
    uint64_t reached = 0, wrong = sweep(&world, how, &reached);
    if (wrong != 0)
        fail_msg("call %" PRIu64 ": %s", wrong, world.wrong);
    print_message("%" PRIu64 " calls failed in turn\n", reached);
    assert_true(reached >= reached_min);
}

static void test_each_call_fails_once(void **state)
{
    (void)state;
    struct sweep how = { .calls = VFS_ANY, .may_die = true };
    for (enum vfs_loss loss = VFS_LOSS_NONE; loss <= VFS_LOSS_RANDOM; loss++) {
        how.loss = loss;
        expect_survives(&how, 150);
    }
}

static void test_each_call_fails_from_then_on(void **state)
{
    (void)state;
    struct sweep how = { .calls = VFS_ANY, .repeat = true, .may_die = true };
    for (enum vfs_loss loss = VFS_LOSS_NONE; loss <= VFS_LOSS_RANDOM; loss++) {
        how.loss = loss;
        expect_survives(&how, 150);
    }
}

/* Once a write or a sync of an open log has failed, of whatever file, nothing is acknowledged any
 * more, and what was can still be read. */
static bool ends_at(struct world *world, unsigned calls, uint64_t nth, err error)
{
    struct log *log = NULL;
    bool right = true;
    assert_ok(log_open(&log, &world->config, NULL));
    vfs_fault_fail(world->disk, calls, nth, 0, false);
    for (int i = 0; i < 40 && atomic_load(&world->deaths) == 0; i++)
        (void)witness_append_now(&world->witness, log, 3, 4000);
    bool fired = vfs_fault_has_fired(world->disk);
    if (fired) {
        /* A checkpoint, and the mark, come after the answer: that append was acknowledged with
         * right, and the next may be on its way. */
        (void)witness_append_now(&world->witness, log, 1, 10);
        if (witness_append_now(&world->witness, log, 1, 10) != ERR_UNAVAILABLE)
            right = say(world, "after the failure", "an append is taken");
        else if (!witness_check(&world->witness, log, NULL))
            right = say(world, "a dead log", world->witness.wrong);
    }
    log_close(&log);
    if (right && fired && (world->deaths != 1 || world->death.error != error))
        right = say(world, "it died of", world->death.detail);
    return right;
}

/* The number of the call after which the log did not end as it should; 0: always. */
static uint64_t sweep_ends(struct world *world, unsigned calls, err error, uint64_t *reached)
{
    bool right = true, fired = true;
    uint64_t nth = 0;
    world->disk = vfs_fault_new("io-disk", 1);
    *reached = 0;
    while (right && fired) {
        world_begin(world, ++nth);
        right = ends_at(world, calls, nth, error);
        fired = vfs_fault_has_fired(world->disk);
        right = right && check(world, VFS_LOSS_ALL);
        witness_deinit(&world->witness);
        *reached += fired;
    }
    vfs_fault_free(&world->disk);
    return right ? 0 : nth;
}

static void expect_the_end(unsigned calls, err error, uint64_t reached_min)
{
    static struct world world;
    uint64_t reached, wrong = sweep_ends(&world, calls, error, &reached);
    if (wrong != 0)
        fail_msg("call %" PRIu64 ": %s", wrong, world.wrong);
    assert_true(reached >= reached_min);
}

static void test_a_failed_sync_is_the_end(void **state)
{
    (void)state;
    expect_the_end(VFS_SYNC, ERR_SYNC, 40);
}

static void test_a_failed_write_is_the_end(void **state)
{
    (void)state;
    expect_the_end(VFS_WRITE, ERR_IO, 150);
}

/* ---- a full disk ---- */

static void test_each_write_finds_no_room_once(void **state)
{
    (void)state;
    struct sweep how = { .calls = VFS_WRITE, .code = SQLITE_FULL };
    for (enum vfs_loss loss = VFS_LOSS_NONE; loss <= VFS_LOSS_RANDOM; loss++) {
        how.loss = loss;
        expect_survives(&how, 100);
    }
}

static void test_full_from_each_write_on(void **state)
{
    (void)state;
    struct sweep how = { .calls = VFS_WRITE, .code = SQLITE_FULL, .repeat = true };
    for (enum vfs_loss loss = VFS_LOSS_NONE; loss <= VFS_LOSS_RANDOM; loss++) {
        how.loss = loss;
        expect_survives(&how, 100);
    }
}

/* A disk of a given size fills up; reading goes on; room comes back, and so does the log, without
 * a restart. */
static bool fill_and_free(struct world *world, uint64_t capacity, enum vfs_loss loss)
{
    struct log *log = NULL;
    struct log_block *block = NULL;
    err error = ERR_OK;
    if (log_open(&log, &world->config, NULL) != ERR_OK)
        return say(world, "does not open", "on an empty disk");
    vfs_fault_set_capacity(world->disk, capacity);
    for (int i = 0; i < 2000 && error == ERR_OK; i++)
        error = witness_append_now(&world->witness, log, 4, 1500);
    if (error != ERR_STORAGE_FULL)
        say(world, "on a full disk an append gets", err_code(error));
    for (int i = 0; i < 5 && world->wrong[0] == '\0'; i++) /* small ones may still find room */
        (void)witness_append_now(&world->witness, log, 1, 5000);
    if (log_read(log, log_last_seq(log), &block, NULL) != ERR_OK)
        say(world, "on a full disk", "the log cannot be read");
    log_block_release(&block);
    vfs_fault_set_capacity(world->disk, 0);
    if (witness_append_now(&world->witness, log, 4, 1500) != ERR_OK)
        say(world, "with room again an append gets", err_code(world->witness.last_error));
    if (world->deaths > 0)
        say(world, "the log died", world->death.detail);
    log_close(&log);
    return world->wrong[0] == '\0' && check(world, loss);
}

static void test_disk_fills_up_and_has_room_again(void **state)
{
    (void)state;
    static struct world world;
    world.disk = vfs_fault_new("io-disk", 1);
    for (uint64_t capacity = 150000; capacity < 600000; capacity += 1789) {
        world_begin(&world, capacity);
        if (!fill_and_free(&world, capacity, (enum vfs_loss)(capacity % 3)))
            fail_msg("disk of %" PRIu64 " bytes: %s", capacity, world.wrong);
        witness_deinit(&world.witness);
    }
    vfs_fault_free(&world.disk);
}

/* ---- memory ---- */

/* SQLite's allocations pass the gate of Kith's own. */
static sqlite3_mem_methods sqlite_memory;
static _Atomic int
    allocation_bytes_failing; /* one allocation of exactly this size fails; 0: none */

static bool allocation_fails(int size)
{
    int wanted = size;
    if (fault_fires(FAULT_MEMORY))
        return true;
    return size != 0 && atomic_compare_exchange_strong(&allocation_bytes_failing, &wanted, 0);
}

static void *failing_malloc(int size)
{
    return allocation_fails(size) ? NULL : sqlite_memory.xMalloc(size);
}

static void *failing_realloc(void *piece, int size)
{
    return allocation_fails(size) ? NULL : sqlite_memory.xRealloc(piece, size);
}

static void sqlite_memory_through_gate(void)
{
    INVARIANT(sqlite3_shutdown() == SQLITE_OK);
    INVARIANT(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory) == SQLITE_OK);
    sqlite3_mem_methods failing = sqlite_memory;
    failing.xMalloc = failing_malloc;
    failing.xRealloc = failing_realloc;
    INVARIANT(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) == SQLITE_OK);
    INVARIANT(sqlite3_initialize() == SQLITE_OK);
}

static void sweep_memory(bool repeat)
{
    static struct world world;
    uint64_t nth = 1;
    bool fired = true;
    world.disk = vfs_fault_new("io-disk", 1);
    for (; fired; nth += 1 + (nth > 400 ? nth / 50 : 0)) { /* later it repeats itself */
        world_begin(&world, nth);
        fault_arm(FAULT_MEMORY, nth, FAULT_FAIL, repeat);
        bool right = live(&world);
        fired = fault_count(FAULT_MEMORY) >= nth;
        fault_disarm();
        if (right && !repeat && world.deaths > 0)
            right = say(&world, "the log died", world.death.detail);
        if (!right || !check(&world, VFS_LOSS_NONE))
            fail_msg("allocation %" PRIu64 ": %s", nth, world.wrong);
        witness_deinit(&world.witness);
    }
    vfs_fault_free(&world.disk);
    print_message("up to allocation %" PRIu64 "\n", nth);
    assert_true(nth > 300);
}

static void test_each_allocation_fails_once(void **state)
{
    (void)state;
    sweep_memory(false);
}

static void test_no_memory_from_each_allocation_on(void **state)
{
    (void)state;
    sweep_memory(true);
}

/* The frames of a commit are written and synced, and then there is no memory to enter them into
 * the index: SQLite reports a failure, and a crash would bring the commit back. F3 forbids it. */
#define INDEX_PAGE_BYTES 32768
static bool commit_comes_back(struct world *world)
{
    struct log *log = NULL;
    err error = ERR_OK;
    world_begin(world, 1);
    world->config.block_bytes_max = 1 << 20;
    world->config.checkpoint_bytes = SIZE_MAX;
    assert_ok(log_open(&log, &world->config, NULL));
    atomic_store(&allocation_bytes_failing, INDEX_PAGE_BYTES);
    for (int i = 0; i < 2000 && error == ERR_OK; i++)
        error = witness_append_now(&world->witness, log, 1, 100000);
    assert_err(error, ERR_NOMEM); /* it has met the end of a page of the index */
    assert_int_equal(world->deaths, 0);
    /* Killed before anything else is written. */
    vfs_fault_power_off_at(world->disk, 1);
    log_close(&log);
    bool right = check(world, VFS_LOSS_NONE);
    witness_deinit(&world->witness);
    return !right;
}

static void test_failed_commit_does_not_come_back(void **state)
{
    (void)state;
    static struct world world;
    world.disk = vfs_fault_new("io-disk", 1);
    if (commit_comes_back(&world))
        fail_msg("%s", world.wrong);
#ifdef KITH_FAULTS
    setenv("KITH_MUTATE", "no_void", 1);
    bool comes_back = commit_comes_back(&world);
    unsetenv("KITH_MUTATE");
    assert_true(comes_back); /* or this test would prove nothing */
    print_message("no_void: %s\n", world.wrong);
#endif
    vfs_fault_free(&world.disk);
}

/* ---- that the checks find what is broken on purpose ---- */

#ifdef KITH_FAULTS
static void expect_caught(const char *mutation, const struct sweep *how)
{
    static struct world world;
    uint64_t reached;
    setenv("KITH_MUTATE", mutation, 1);
    uint64_t wrong = sweep(&world, how, &reached);
    unsetenv("KITH_MUTATE");
    if (wrong == 0)
        fail_msg("'%s' was not noticed in %" PRIu64 " calls", mutation, reached);
    print_message("%s: call %" PRIu64 ": %s\n", mutation, wrong, world.wrong);
}

static void test_catches_ignored_sync_errors(void **state)
{
    (void)state;
    struct sweep how = { .calls = VFS_SYNC, .may_die = true, .loss = VFS_LOSS_ALL };
    expect_caught("sync_error_ignored", &how);
}

static void test_catches_forgotten_checkpoint_errors(void **state)
{
    (void)state;
    static struct world world;
    uint64_t reached;
    setenv("KITH_MUTATE", "auto_checkpoint", 1);
    uint64_t wrong = sweep_ends(&world, VFS_SYNC, ERR_SYNC, &reached);
    unsetenv("KITH_MUTATE");
    assert_true(wrong > 0);
    print_message("auto_checkpoint: call %" PRIu64 ": %s\n", wrong, world.wrong);
}

static void test_catches_acknowledging_on_a_full_disk(void **state)
{
    (void)state;
    struct sweep how = { .calls = VFS_WRITE, .code = SQLITE_FULL };
    expect_caught("full_is_ok", &how);
}
#endif

int main(void)
{
    witness_quiet();
    sqlite_memory_through_gate();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_fails_once),
        cmocka_unit_test(test_each_call_fails_from_then_on),
        cmocka_unit_test(test_a_failed_sync_is_the_end),
        cmocka_unit_test(test_a_failed_write_is_the_end),
        cmocka_unit_test(test_each_write_finds_no_room_once),
        cmocka_unit_test(test_full_from_each_write_on),
        cmocka_unit_test(test_disk_fills_up_and_has_room_again),
        cmocka_unit_test(test_each_allocation_fails_once),
        cmocka_unit_test(test_no_memory_from_each_allocation_on),
        cmocka_unit_test(test_failed_commit_does_not_come_back),
#ifdef KITH_FAULTS
        cmocka_unit_test(test_catches_ignored_sync_errors),
        cmocka_unit_test(test_catches_forgotten_checkpoint_errors),
        cmocka_unit_test(test_catches_acknowledging_on_a_full_disk),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
