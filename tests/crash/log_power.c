/* SPDX-License-Identifier: Apache-2.0 */
/* Power losses and killed processes, thousands of them, on the disk in memory (proofs D3, D1).
 *
 * One life: open, append from the test while the writer works, trim now and then, read the tail;
 * the power goes off at a random call of the disk. Then the machine starts again with what survived,
 * the log is opened and compared with what the appenders were told. Five lives on the same disk
 * make one run, so that a loss meets what an earlier one left.
 *
 * KITH_LOG_LOSSES: how many losses (default 1000). KITH_SEED: where to begin. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "log/log.h"
#include "support/log_witness.h"
#include "support/vfs_fault.h"

#define PATH "log.db"
#define LIVES 5

struct world {
    struct vfs_fault *disk;
    struct wall_clock clock;
    struct log_config config;
    struct witness witness;
    struct random_stream random;
    uint64_t losses;
    uint64_t reached; /* of these, the power really went off */
    char wrong[400];
};

static uint64_t number_of_environment(const char *name, uint64_t otherwise)
{
    uint64_t value;
    return str_to_uint64(str_from_c(getenv(name)), &value) ? value : otherwise;
}

static void world_begin(struct world *world, uint64_t seed)
{
    vfs_fault_reset(world->disk, seed);
    random_seed(&world->random, seed);
    wall_clock_init_virtual(&world->clock, INT64_C(1795000000000));
    witness_init(&world->witness);
    world->config = (struct log_config){
        .path = PATH,
        .clock = &world->clock,
        .vfs = "power-disk",
        .retention_ms = 1000,
        .block_bytes_max = (size_t)1 << (8 + random_below(&world->random, 13)),
        .checkpoint_bytes = (size_t)1 << (13 + random_below(&world->random, 10)),
    };
}

/* What the tail reader gets must have been answered before (L3), and must survive. */
static bool reader_turn(struct world *world, struct log *log, uint64_t *next)
{
    struct log_block *block = NULL;
    struct witness_records seen;
    if (log_next(log, 0, &block, NULL) != ERR_OK || block == NULL)
        return true;
    uint64_t expected = *next;
    bool right = true;
    for (size_t i = 0; i < world->witness.count; i++)
        world->witness.appends[i]->found_seq = 0;
    right = witness_check_block(&world->witness, block, next, &seen);
    for (size_t i = 0; i < world->witness.count && right; i++) {
        const struct witness_append *append = world->witness.appends[i];
        if (append->found_seq >= expected && !append->answered && !append->refused &&
            append->append.durable != NULL) {
            snprintf(world->witness.wrong, sizeof world->witness.wrong,
                     "the reader sees record %" PRIu64 " before it is answered", append->found_seq);
            right = false;
        }
    }
    log_block_release(&block);
    return right;
}

static void work(struct world *world, struct log *log)
{
    uint64_t next = log_first_seq(log);
    bool follows = random_below(&world->random, 2) == 0 && log_follow(log, next, NULL) == ERR_OK;
    uint64_t appends = 1 + random_below(&world->random, 40);
    for (uint64_t i = 0; i < appends; i++) {
        uint32_t count = 1 + (uint32_t)random_below(&world->random, 12);
        size_t bytes =
            random_below(&world->random, random_below(&world->random, 8) == 0 ? 20000 : 400);
        (void)witness_append(&world->witness, log, count, bytes);
        if (random_below(&world->random, 3) == 0)
            witness_wait(&world->witness);
        if (random_below(&world->random, 15) == 0) {
            wall_clock_advance(&world->clock, (int64_t)random_below(&world->random, 3000));
            if (log_trim(log, log_last_seq(log), NULL) != ERR_OK)
                break;
        }
        if (follows && !reader_turn(world, log, &next))
            break;
    }
    witness_wait(&world->witness);
}

/* What was found may be lost no more: it was made durable when the log was opened. */
static void settle_found(struct world *world)
{
    for (size_t i = 0; i < world->witness.count; i++) {
        struct witness_append *append = world->witness.appends[i];
        if (append->found_seq == 0)
            continue;
        append->refused = false;
        append->answer = ERR_OK;
        append->append.first_seq = append->found_seq;
        atomic_store(&append->answered, true);
    }
}

static bool say(struct world *world, const char *what, const char *detail)
{
    snprintf(world->wrong, sizeof world->wrong, "%s: %s", what, detail);
    return false;
}

/* Again and at once: the power goes off when the log has just been opened and looked at. */
static bool check_after_another(struct world *world, struct log **log)
{
    vfs_fault_power_off_at(world->disk, 1);
    log_close(log);
    vfs_fault_restart(world->disk, VFS_LOSS_RANDOM);
    struct problem problem = { 0 };
    if (log_open(log, &world->config, &problem) != ERR_OK)
        return say(world, "the log does not open after a second loss", problem.detail);
    return witness_check(&world->witness, *log, NULL) ||
           say(world, "what was found is lost", world->witness.wrong);
}

static bool check(struct world *world)
{
    struct log *log = NULL;
    struct problem problem = { 0 };
    struct witness_records seen;
    err error = log_open(&log, &world->config, &problem);
    if (error != ERR_OK)
        return say(world, "the log does not open", problem.detail);
    bool right = witness_check(&world->witness, log, &seen);
    if (right && seen.ticks > 0)
        right = say(world, "records were given up", "no power loss may cost any");
    else if (!right)
        say(world, "the log is not what was told", world->witness.wrong);
    if (right)
        settle_found(world);
    if (right && random_below(&world->random, 3) == 0)
        right = check_after_another(world, &log);
    if (right && random_below(&world->random, 4) == 0)
        work(world, log);
    log_close(&log); /* NULL after a second loss that went wrong */
    return right;
}

static bool live(struct world *world)
{
    struct log *log = NULL;
    struct problem problem = { 0 };
    enum vfs_loss loss = random_below(&world->random, 6) == 0   ? VFS_LOSS_NONE
                         : random_below(&world->random, 5) == 0 ? VFS_LOSS_ALL
                                                                : VFS_LOSS_RANDOM;
    vfs_fault_power_off_at(world->disk, 1 + random_below(&world->random, 160));
    world->witness.wrong[0] = '\0';
    if (log_open(&log, &world->config, &problem) == ERR_OK)
        work(world, log);
    if (world->witness.wrong[0] != '\0') {
        log_close(&log);
        return say(world, "the tail reader", world->witness.wrong);
    }
    /* A process that is killed does not close; with the power off, closing changes nothing. */
    if (!vfs_fault_is_off(world->disk))
        vfs_fault_power_off_at(world->disk, 1 + random_below(&world->random, 8));
    log_close(&log);
    world->reached += vfs_fault_is_off(world->disk);
    world->losses++;
    vfs_fault_restart(world->disk, loss);
    return check(world);
}

static bool run(struct world *world, uint64_t seed)
{
    bool right = true;
    world_begin(world, seed);
    for (int i = 0; i < LIVES && right; i++)
        right = live(world);
    witness_deinit(&world->witness);
    return right;
}

/* Runs until something is wrong or `losses` have been lived through; the seed that was wrong, or 0. */
static uint64_t run_losses(struct world *world, uint64_t seed, uint64_t losses)
{
    world->losses = world->reached = 0;
    world->disk = vfs_fault_new("power-disk", seed);
    bool right = true;
    while (right && world->losses < losses)
        right = run(world, ++seed);
    vfs_fault_free(&world->disk);
    return right ? 0 : seed;
}

static void test_no_loss_of_what_was_acknowledged(void **state)
{
    (void)state;
    static struct world world;
    uint64_t losses = number_of_environment("KITH_LOG_LOSSES", 1000);
    uint64_t wrong = run_losses(&world, number_of_environment("KITH_SEED", 0), losses);
    if (wrong != 0)
        fail_msg("KITH_SEED=%" PRIu64 ": %s", wrong - 1, world.wrong);
    print_message("%" PRIu64 " losses, power off in %" PRIu64 "\n", world.losses, world.reached);
    assert_true(world.reached > world.losses / 2);
}

#ifdef KITH_FAULTS
/* The check above is worth something only if it finds what is broken on purpose. */
static void expect_caught(const char *mutation)
{
    static struct world world;
    setenv("KITH_MUTATE", mutation, 1);
    uint64_t wrong = run_losses(&world, 1000, 1000);
    unsetenv("KITH_MUTATE");
    if (wrong == 0)
        fail_msg("'%s' was not noticed in %" PRIu64 " losses", mutation, world.losses);
    print_message("%s: after %" PRIu64 " losses: %s\n", mutation, world.losses, world.wrong);
}

static void test_catches_ack_before_sync(void **state)
{
    (void)state;
    expect_caught("ack_before_sync");
}

static void test_catches_opening_without_sync(void **state)
{
    (void)state;
    expect_caught("open_unsynced");
}

static void test_catches_no_sync(void **state)
{
    (void)state;
    expect_caught("no_sync");
}
#endif

int main(void)
{
    witness_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_loss_of_what_was_acknowledged),
#ifdef KITH_FAULTS
        cmocka_unit_test(test_catches_ack_before_sync),
        cmocka_unit_test(test_catches_no_sync),
        cmocka_unit_test(test_catches_opening_without_sync),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
