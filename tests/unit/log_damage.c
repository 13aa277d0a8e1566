/* SPDX-License-Identifier: Apache-2.0 */
/* Damage that is found: the last block cut off, the middle named, what is missing refused, mending. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "support/log_witness.h"
#include "support/vfs_fault.h"

#define PATH "log.db"

struct house {
    struct vfs_fault *disk;
    struct wall_clock clock;
    struct log_config config;
    struct log *log;
    struct witness witness;
    struct problem problem;
};

static int house_build(void **state)
{
    static struct house house;
    house = (struct house){ .disk = vfs_fault_new("damage-disk", 3) };
    wall_clock_init_virtual(&house.clock, INT64_C(1795000000000));
    witness_init(&house.witness);
    house.config = (struct log_config){ .path = PATH, .clock = &house.clock, .vfs = "damage-disk" };
    assert_ok(log_open(&house.log, &house.config, &house.problem));
    *state = &house;
    return 0;
}

static int house_clear(void **state)
{
    struct house *house = *state;
    log_close(&house->log);
    witness_deinit(&house->witness);
    vfs_fault_free(&house->disk);
    return 0;
}

static err open_again(struct house *house)
{
    log_close(&house->log);
    house->problem = (struct problem){ 0 };
    return log_open(&house->log, &house->config, &house->problem);
}

/* Flip a bit of the block of `first_seq` in the closed file, wherever it lies: SQLite leaves old
 * copies in the free room of its pages, and which one counts is not seen from outside. */
static void damage_block(struct house *house, uint64_t first_seq, uint64_t offset)
{
    int64_t size = vfs_fault_file_bytes(house->disk, PATH);
    char *bytes = malloc((size_t)size);
    assert_non_null(bytes);
    assert_true(vfs_fault_peek(house->disk, PATH, 0, bytes, (size_t)size));
    int found = 0;
    for (uint64_t at = 0; at + 16 < (uint64_t)size; at++) {
        uint64_t seq;
        memcpy(&seq, bytes + at + 8, sizeof seq); /* little-endian machines, as CI's */
        if (memcmp(bytes + at, "KLOG\x01", 5) != 0 || seq != first_seq)
            continue;
        vfs_fault_flip_bit(house->disk, PATH, (at + offset) * 8);
        found++;
    }
    free(bytes);
    assert_true(found > 0);
}

static void append_blocks(struct house *house, int blocks)
{
    for (int i = 0; i < blocks; i++)
        assert_ok(witness_append_now(&house->witness, house->log, 10, 200));
}

static void assert_problem_says(const struct house *house, const char *text)
{
    if (strstr(house->problem.detail, text) == NULL)
        fail_msg("'%s' does not say '%s'", house->problem.detail, text);
}

static void test_damaged_last_block_is_cut_off(void **state)
{
    struct house *house = *state;
    struct witness_records seen;
    append_blocks(house, 20);
    log_close(&house->log);
    damage_block(house, 191, 60);
    assert_ok(open_again(house));
    assert_int_equal(log_lost_records(house->log), 10);
    assert_int_equal(log_last_seq(house->log), 200); /* its numbers are not given out again */
    assert_true(witness_check(&house->witness, house->log, &seen));
    assert_int_equal(seen.ticks, 10);
    assert_ok(witness_append_now(&house->witness, house->log, 1, 10));
    assert_int_equal(log_last_seq(house->log), 201);
    assert_ok(open_again(house));
    assert_int_equal(log_lost_records(house->log), 0); /* told once */
}

static void test_cut_by_the_header_when_the_mark_is_gone(void **state)
{
    struct house *house = *state;
    append_blocks(house, 20);
    log_close(&house->log);
    vfs_fault_flip_bit(house->disk, PATH "-mark", 100);
    damage_block(house, 191, 60);
    assert_ok(open_again(house));
    assert_int_equal(log_last_seq(house->log), 200);
    assert_int_equal(log_lost_records(house->log), 10);
}

static void test_not_cut_when_its_length_is_unknown(void **state)
{
    struct house *house = *state;
    append_blocks(house, 20);
    log_close(&house->log);
    vfs_fault_flip_bit(house->disk, PATH "-mark", 100);
    damage_block(house, 191, 2); /* its magic: no header to go by */
    assert_err(open_again(house), ERR_CORRUPT);
    assert_problem_says(house, "first_seq 191");
}

static void test_damage_in_the_middle_is_named(void **state)
{
    struct house *house = *state;
    append_blocks(house, 20);
    log_close(&house->log);
    damage_block(house, 101, 60);
    assert_err(open_again(house), ERR_CORRUPT);
    assert_problem_says(house, "first_seq 101");
    assert_problem_says(house, "offset 36");
    assert_null(house->log);
}

/* Far from the end it is not looked for when opening, and met by who reads it. */
static void test_damage_far_back_is_named_when_read(void **state)
{
    struct house *house = *state;
    struct log_block *block = NULL;
    append_blocks(house, 5);
    for (int i = 0; i < 20; i++)
        assert_ok(witness_append_now(&house->witness, house->log, 1, 1000000));
    log_close(&house->log);
    damage_block(house, 21, 60);
    assert_ok(open_again(house));
    for (uint64_t seq = 1; seq <= 50; seq++) {
        bool damaged = seq >= 21 && seq <= 30;
        err error = log_read(house->log, seq, &block, &house->problem);
        assert_err(error, damaged ? ERR_CORRUPT : ERR_OK);
        log_block_release(&block);
    }
    assert_ok(log_follow(house->log, 1, &house->problem));
    assert_ok(log_next(house->log, 0, &block, &house->problem));
    log_block_release(&block);
    assert_ok(log_next(house->log, 0, &block, &house->problem));
    log_block_release(&block);
    for (int i = 0; i < 3; i++) { /* it does not go on as if nothing had been */
        assert_err(log_next(house->log, 0, &block, &house->problem), ERR_CORRUPT);
        assert_problem_says(house, "first_seq 21");
    }
    assert_ok(log_follow(house->log, 31, &house->problem));
    assert_ok(log_next(house->log, 0, &block, &house->problem));
    assert_int_equal(block->first_seq, 31);
    log_block_release(&block);
}

/* The WAL of a killed log is cut in its middle: SQLite takes it for torn, the mark knows better. */
static void kill_and_cut_wal(struct house *house)
{
    append_blocks(house, 30);
    struct vfs_image *image = vfs_fault_save(house->disk);
    log_close(&house->log);
    vfs_fault_load(house->disk, image);
    vfs_image_free(&image);
    uint64_t middle = (uint64_t)vfs_fault_file_bytes(house->disk, PATH "-wal") / 2;
    vfs_fault_flip_bit(house->disk, PATH "-wal", middle * 8);
}

static void test_missing_tail_is_not_taken_for_a_torn_one(void **state)
{
    struct house *house = *state;
    kill_and_cut_wal(house);
    assert_err(open_again(house), ERR_CORRUPT);
    assert_problem_says(house, "to 300 were durable and are missing");
    assert_true(house->problem.hint[0] != '\0');
}

static void test_repair_gives_up_a_missing_tail(void **state)
{
    struct house *house = *state;
    struct witness_records seen;
    kill_and_cut_wal(house);
    house->config.repair = true;
    assert_ok(open_again(house));
    assert_int_equal(log_last_seq(house->log), 300);
    assert_true(log_lost_records(house->log) > 0);
    assert_true(witness_check(&house->witness, house->log, &seen));
    assert_int_equal(seen.records, 300);
    assert_int_equal(seen.ticks, log_lost_records(house->log));
    house->config.repair = false;
    append_blocks(house, 1);
    assert_ok(open_again(house));
    assert_int_equal(log_last_seq(house->log), 310);
}

static void test_repair_sets_damaged_blocks_aside(void **state)
{
    struct house *house = *state;
    struct witness_records seen;
    append_blocks(house, 30);
    log_close(&house->log);
    damage_block(house, 1, 60);
    damage_block(house, 101, 8); /* its own number */
    damage_block(house, 111, 60);
    damage_block(house, 291, 2);
    house->config.repair = true;
    assert_ok(open_again(house));
    assert_int_equal(log_lost_records(house->log), 40);
    assert_int_equal(log_first_seq(house->log), 1);
    assert_int_equal(log_last_seq(house->log), 300);
    if (!witness_check(&house->witness, house->log, &seen))
        fail_msg("%s", house->witness.wrong);
    assert_int_equal(seen.ticks, 40);
}

static void test_repair_of_a_whole_log_changes_nothing(void **state)
{
    struct house *house = *state;
    append_blocks(house, 30);
    house->config.repair = true;
    assert_ok(open_again(house));
    assert_int_equal(log_lost_records(house->log), 0);
    assert_true(witness_check(&house->witness, house->log, NULL));
}

static void test_log_that_was_put_back_is_noticed(void **state)
{
    struct house *house = *state;
    append_blocks(house, 5);
    log_close(&house->log);
    char mark[24];
    assert_true(vfs_fault_peek(house->disk, PATH "-mark", 0, mark, sizeof mark));
    vfs_fault_reset(house->disk, 4); /* the file is gone, the mark was left */
    assert_ok(open_again(house));
    log_close(&house->log);
    vfs_fault_poke(house->disk, PATH "-mark", 0, mark, sizeof mark);
    assert_err(open_again(house), ERR_CORRUPT);
    assert_problem_says(house, "records 1 to 50 were durable and are missing");
    witness_deinit(&house->witness);
    witness_init(&house->witness);
}

static void test_not_a_log(void **state)
{
    struct house *house = *state;
    append_blocks(house, 2);
    log_close(&house->log);
    vfs_fault_poke(house->disk, PATH, 68, "ABCD", 4); /* application_id */
    assert_err(open_again(house), ERR_CORRUPT);
    assert_problem_says(house, "not a log of Kith");
    vfs_fault_poke(house->disk, PATH, 68, "KLOG", 4);
    vfs_fault_poke(house->disk, PATH, 60, "\0\0\0\2", 4); /* user_version */
    assert_err(open_again(house), ERR_UNSUPPORTED);
    assert_problem_says(house, "format 2, this Kith knows 1");
    vfs_fault_poke(house->disk, PATH, 60, "\0\0\0\1", 4);
    vfs_fault_poke(house->disk, PATH, 0, "not a file", 10);
    assert_err(open_again(house), ERR_CORRUPT);
    vfs_fault_poke(house->disk, PATH, 0, "SQLite for", 10);
    assert_ok(open_again(house));
    assert_true(witness_check(&house->witness, house->log, NULL));
}

int main(void)
{
    witness_quiet();
#define TEST(name) cmocka_unit_test_setup_teardown(name, house_build, house_clear)
    const struct CMUnitTest tests[] = {
        TEST(test_damaged_last_block_is_cut_off),
        TEST(test_cut_by_the_header_when_the_mark_is_gone),
        TEST(test_not_cut_when_its_length_is_unknown),
        TEST(test_damage_in_the_middle_is_named),
        TEST(test_damage_far_back_is_named_when_read),
        TEST(test_missing_tail_is_not_taken_for_a_torn_one),
        TEST(test_repair_gives_up_a_missing_tail),
        TEST(test_repair_sets_damaged_blocks_aside),
        TEST(test_repair_of_a_whole_log_changes_nothing),
        TEST(test_log_that_was_put_back_is_noticed),
        TEST(test_not_a_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
