/* SPDX-License-Identifier: Apache-2.0 */
/* One bit flips, anywhere in the files of a log (proof D7).
 *
 * Whatever bit it is: the log does not open and says what is damaged; or reading names the block
 * that is damaged; or records at the end were given up, and that was said; or nothing is lost. What
 * it never does is to serve other bytes than were appended, or fewer records, without a word.
 * And a log that does not open is left as it was: with the bit turned back it is whole.
 *
 * KITH_LOG_FLIPS: how many for each shape of the files (default 2500). KITH_SEED: where to begin. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "log/log.h"
#include "support/log_witness.h"
#include "support/vfs_fault.h"

#define PATH "log.db"

enum outcome { NO_HARM, DOES_NOT_OPEN, NAMED_WHEN_READ, TAIL_GIVEN_UP, UNNOTICED, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = { "no harm", "does not open", "named when read",
                                                     "tail given up", "unnoticed" };

struct world {
    struct vfs_fault *disk;
    struct wall_clock clock;
    struct log_config config;
    struct witness witness;
    struct vfs_image *image;
    uint64_t first_seq, last_seq;
    uint64_t counts[OUTCOMES];
    char wrong[400];
};

static uint64_t number_of_environment(const char *name, uint64_t otherwise)
{
    uint64_t value;
    return str_to_uint64(str_from_c(getenv(name)), &value) ? value : otherwise;
}

static void append_some(struct world *world, struct log *log, uint32_t appends)
{
    for (uint32_t i = 0; i < appends; i++) {
        size_t bytes = i % 7 == 0 ? 9000 : i % 3 == 0 ? 0 : 350;
        assert_ok(witness_append_now(&world->witness, log, 1 + i % 9, bytes));
    }
}

/* A log with a past: restarts, trimmed blocks, free pages. `killed`: the last part is in the WAL. */
static void world_build(struct world *world, bool killed)
{
    struct log *log = NULL;
    *world = (struct world){ .disk = vfs_fault_new("flip-disk", 7) };
    wall_clock_init_virtual(&world->clock, INT64_C(1795000000000));
    witness_init(&world->witness);
    world->config = (struct log_config){
        .path = PATH,
        .clock = &world->clock,
        .vfs = "flip-disk",
        .retention_ms = 1000,
        .block_bytes_max = 8000,
        .checkpoint_bytes = 600000, /* a quarter of it while nobody waits */
    };
    assert_ok(log_open(&log, &world->config, NULL));
    append_some(world, log, 40);
    wall_clock_advance(&world->clock, 5000);
    append_some(world, log, 30);
    assert_ok(log_trim(log, log_last_seq(log) - 60, NULL));
    log_close(&log);
    assert_ok(log_open(&log, &world->config, NULL));
    append_some(world, log, 40);
    assert_ok(
        witness_append_now(&world->witness, log, 9, 6000)); /* a last block that is often hit */
    world->first_seq = log_first_seq(log);
    world->last_seq = log_last_seq(log);
    if (killed)
        world->image = vfs_fault_save(world->disk);
    log_close(&log);
    if (!killed)
        world->image = vfs_fault_save(world->disk);
}

static void world_raze(struct world *world)
{
    vfs_image_free(&world->image);
    witness_deinit(&world->witness);
    vfs_fault_free(&world->disk);
}

static enum outcome unnoticed(struct world *world, const char *what)
{
    snprintf(world->wrong, sizeof world->wrong, "%s", what);
    return UNNOTICED;
}

/* Read every block that can be read; the others have to be named. */
static enum outcome read_all(struct world *world, struct log *log)
{
    uint64_t next = log_first_seq(log), damaged = 0;
    struct witness_records seen = { 0 };
    for (size_t i = 0; i < world->witness.count; i++)
        world->witness.appends[i]->found_seq = 0;
    while (next <= log_last_seq(log)) {
        struct log_block *block = NULL;
        struct problem problem = { 0 };
        err error = log_read(log, next, &block, &problem);
        if (error != ERR_OK) {
            if (error != ERR_CORRUPT || strstr(problem.detail, "log log.db") == NULL)
                return unnoticed(world, problem.detail);
            damaged++;
            next++;
            continue;
        }
        uint64_t expected = block->first_seq;
        if (damaged == 0)
            expected = next;
        bool right = witness_check_block(&world->witness, block, &expected, &seen);
        next = expected;
        log_block_release(&block);
        if (!right)
            return unnoticed(world, world->witness.wrong);
    }
    return damaged > 0 ? NAMED_WHEN_READ : NO_HARM;
}

static enum outcome look(struct world *world)
{
    struct log *log = NULL;
    struct problem problem = { 0 };
    err error = log_open(&log, &world->config, &problem);
    if (error != ERR_OK)
        return problem.detail[0] != '\0' ? DOES_NOT_OPEN
                                         : unnoticed(world, "does not open and does not say why");
    enum outcome outcome = read_all(world, log);
    if (outcome == NO_HARM && log_lost_records(log) > 0)
        outcome = TAIL_GIVEN_UP;
    if (outcome != UNNOTICED &&
        (log_first_seq(log) != world->first_seq || log_last_seq(log) != world->last_seq))
        outcome = unnoticed(world, "it begins or ends elsewhere than before");
    if (outcome == NO_HARM && !witness_check(&world->witness, log, NULL))
        outcome = unnoticed(world, world->witness.wrong);
    log_close(&log);
    return outcome;
}

/* Pick a file, then a bit: each kind of file gets its share, however small it is. */
static void draw_bit(struct world *world, struct random_stream *random, const char **path,
                     uint64_t *bit)
{
    static const char *const paths[8] = { PATH, PATH,        PATH,        PATH,
                                          PATH, PATH "-wal", PATH "-wal", PATH "-mark" };
    int64_t bytes = -1;
    while (bytes <= 0) {
        *path = paths[random_below(random, 8)];
        bytes = vfs_fault_file_bytes(world->disk, *path);
    }
    *bit = random_below(random, (uint64_t)bytes * 8);
}

/* The seed of the first flip that went unnoticed, or 0. */
static uint64_t flip_bits(struct world *world, uint64_t seed, uint64_t flips)
{
    struct random_stream random;
    for (uint64_t i = 1; i <= flips; i++) {
        const char *path;
        uint64_t bit;
        random_seed(&random, seed + i);
        vfs_fault_load(world->disk, world->image);
        draw_bit(world, &random, &path, &bit);
        vfs_fault_flip_bit(world->disk, path, bit);
        enum outcome outcome = look(world);
        world->counts[outcome]++;
        if (outcome == DOES_NOT_OPEN) {
            vfs_fault_flip_bit(world->disk, path, bit);
            if (look(world) != NO_HARM)
                outcome = unnoticed(world, "with the bit turned back it is not whole again");
        }
        if (outcome == UNNOTICED) {
            print_message("bit %" PRIu64 " of %s\n", bit, path);
            return seed + i;
        }
    }
    return 0;
}

static void expect_noticed(bool killed)
{
    static struct world world;
    world_build(&world, killed);
    uint64_t wrong = flip_bits(&world, number_of_environment("KITH_SEED", 0),
                               number_of_environment("KITH_LOG_FLIPS", 2500));
    if (wrong != 0)
        fail_msg("KITH_SEED=%" PRIu64 ": %s", wrong - 1, world.wrong);
    for (int i = 0; i < OUTCOMES; i++)
        print_message("  %-16s %" PRIu64 "\n", outcome_names[i], world.counts[i]);
    assert_true(world.counts[DOES_NOT_OPEN] > 0);
    assert_true(world.counts[TAIL_GIVEN_UP] + world.counts[NO_HARM] > 0);
    world_raze(&world);
}

static void test_flips_in_a_closed_log(void **state)
{
    (void)state;
    expect_noticed(false);
}

static void test_flips_in_a_killed_log(void **state)
{
    (void)state;
    expect_noticed(true);
}

#ifdef KITH_FAULTS
static void expect_caught(const char *mutation, bool killed)
{
    static struct world world;
    world_build(&world, killed);
    setenv("KITH_MUTATE", mutation, 1);
    uint64_t wrong = flip_bits(&world, 0, 2500);
    unsetenv("KITH_MUTATE");
    if (wrong == 0)
        fail_msg("'%s' was not noticed", mutation);
    print_message("%s: after %" PRIu64 " flips: %s\n", mutation, wrong, world.wrong);
    world_raze(&world);
}

static void test_catches_a_crc_that_is_not_compared(void **state)
{
    (void)state;
    expect_caught("no_crc", false);
}

static void test_catches_a_tail_without_a_mark(void **state)
{
    (void)state;
    expect_caught("no_mark", true);
}
#endif

int main(void)
{
    witness_quiet();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flips_in_a_closed_log),
        cmocka_unit_test(test_flips_in_a_killed_log),
#ifdef KITH_FAULTS
        cmocka_unit_test(test_catches_a_crc_that_is_not_compared),
        cmocka_unit_test(test_catches_a_tail_without_a_mark),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
