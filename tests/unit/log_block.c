/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a block, as docs/formats/log-block.md says: golden files, strictness, every bit. */
#include "support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "log/block.h"
#include "log/file_parts.h"

#define GOLDEN KITH_SOURCE_DIR "/tests/golden/log/"

static struct buffer golden(const char *name)
{
    char path[512];
    struct buffer bytes;
    buffer_init(&bytes, 1 << 20);
    snprintf(path, sizeof path, GOLDEN "%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("no golden file %s", path);
    char *room = buffer_reserve(&bytes, 1 << 16);
    buffer_advance(&bytes, fread(room, 1, 1 << 16, file));
    fclose(file);
    return bytes;
}

static void assert_record(struct log_cursor *cursor, uint64_t seq, int kind, size_t size)
{
    struct log_record record;
    assert_true(log_block_next(cursor, &record));
    assert_int_equal(record.seq, seq);
    assert_int_equal(record.kind, kind);
    assert_int_equal(record.body.size, size);
}

static void test_golden_plain(void **state)
{
    (void)state;
    struct buffer bytes = golden("plain.block"), again;
    struct log_block *block = NULL;
    struct problem problem;
    assert_ok(log_block_decode(buffer_str(&bytes), &block, &problem));
    assert_int_equal(block->first_seq, 1);
    assert_int_equal(block->count, 3);
    assert_int_equal(block->received_ms, INT64_C(1795000000000));
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    assert_true(log_block_next(&cursor, &record));
    assert_str_equal(record.body, STR("event one"));
    assert_record(&cursor, 2, LOG_RECORD_COMMAND, 200);
    assert_record(&cursor, 3, LOG_RECORD_TICK, 0);
    assert_false(log_block_next(&cursor, &record));
    assert_false(log_block_next(&cursor, &record));
    /* 0..199 does not shrink: the same bytes come out again. */
    buffer_init(&again, 1 << 20);
    assert_ok(log_block_encode(&again, block->first_seq, block->count, block->received_ms,
                               block->records));
    assert_str_equal(buffer_str(&again), buffer_str(&bytes));
    log_block_release(&block);
    buffer_deinit(&again);
    buffer_deinit(&bytes);
}

static void test_golden_lz4(void **state)
{
    (void)state;
    struct buffer bytes = golden("lz4.block");
    struct log_block *block = NULL;
    struct problem problem;
    assert_ok(log_block_decode(buffer_str(&bytes), &block, &problem));
    assert_int_equal(block->first_seq, 0x0102030405060708);
    struct log_cursor cursor = { .block = block };
    struct log_record record;
    assert_true(log_block_next(&cursor, &record));
    assert_int_equal(record.body.size, 300);
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(record.body.data[i], 'a');
    log_block_release(&block);
    buffer_deinit(&bytes);
}

static void test_golden_state(void **state)
{
    (void)state;
    struct buffer bytes = golden("state.row");
    struct file_state read;
    uint8_t written[STATE_BYTES];
    assert_true(file_state_decode(buffer_str(&bytes), &read));
    assert_int_equal(read.trimmed_seq, 41);
    assert_int_equal(read.trimmed_received_ms, INT64_C(1795000000002));
    assert_int_equal(read.voids, 3);
    file_state_encode(&read, written);
    assert_memory_equal(written, bytes.data, STATE_BYTES);
    assert_false(file_state_decode(str_slice(buffer_str(&bytes), 0, 27), &read));
    for (size_t bit = 0; bit < STATE_BYTES * 8; bit++) {
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
        assert_false(file_state_decode(buffer_str(&bytes), &read));
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
    }
    buffer_deinit(&bytes);
}

static err decode(str bytes)
{
    struct log_block *block = NULL;
    struct problem problem = { 0 };
    err error = log_block_decode(bytes, &block, &problem);
    assert_true(error == ERR_OK ? block != NULL : block == NULL && problem.detail[0] != '\0');
    log_block_release(&block);
    return error;
}

static void test_every_bit_of_a_block(void **state)
{
    (void)state;
    static const char *const names[] = { "plain.block", "lz4.block" };
    for (size_t i = 0; i < 2; i++) {
        struct buffer bytes = golden(names[i]);
        for (size_t bit = 0; bit < bytes.size * 8; bit++) {
            bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
            assert_err(decode(buffer_str(&bytes)), ERR_CORRUPT);
            bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
        }
        assert_ok(decode(buffer_str(&bytes)));
        buffer_deinit(&bytes);
    }
}

static void test_every_cut_of_a_block(void **state)
{
    (void)state;
    struct buffer bytes = golden("lz4.block");
    for (size_t size = 0; size < bytes.size; size++)
        assert_err(decode(str_slice(buffer_str(&bytes), 0, size)), ERR_CORRUPT);
    buffer_append_byte(&bytes, 0);
    assert_err(decode(buffer_str(&bytes)), ERR_CORRUPT);
    buffer_deinit(&bytes);
}

/* Change a field and put the CRC right, so that what is judged is the field. */
static void poke(struct buffer *bytes, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes->data[at + i] = (char)(value >> (8 * i));
    uint32_t crc = crc32c(crc32c(0, bytes->data, 36), bytes->data + 40, bytes->size - 40);
    for (size_t i = 0; i < 4; i++)
        bytes->data[36 + i] = (char)(crc >> (8 * i));
}

static void test_lies_with_a_right_crc(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t at, size;
        uint64_t value;
    } lies[] = {
        { "plain.block", 4, 1, 2 }, /* version */
        { "plain.block", 4, 1, 0 },
        { "plain.block", 5, 1, 1 }, /* codec: these are not LZ4 */
        { "plain.block", 5, 1, 2 },
        { "lz4.block", 5, 1, 0 },
        { "plain.block", 6, 2, 1 },           /* reserved */
        { "plain.block", 8, 8, 0 },           /* first_seq */
        { "plain.block", 8, 8, UINT64_MAX },  /* the last seq would overflow */
        { "plain.block", 16, 8, UINT64_MAX }, /* received_ms below zero */
        { "plain.block", 24, 4, 0 },          /* count */
        { "plain.block", 24, 4, 2 },
        { "plain.block", 24, 4, 4 },
        { "plain.block", 24, 4, UINT32_MAX },
        { "plain.block", 28, 4, 215 }, /* bytes of records */
        { "lz4.block", 28, 4, 302 },
        { "lz4.block", 28, 4, 304 },
        { "lz4.block", 28, 4, UINT32_MAX },
        { "lz4.block", 28, 4, 15 },
        { "plain.block", 32, 4, 215 }, /* bytes stored */
        { "plain.block", 40, 1, 0 },   /* a record without a kind */
        { "plain.block", 41, 1, 10 },  /* lengths that do not meet the next record */
        { "plain.block", 41, 1, 8 },
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct buffer bytes = golden(lies[i].file);
        poke(&bytes, lies[i].at, lies[i].value, lies[i].size);
        if (decode(buffer_str(&bytes)) != ERR_CORRUPT)
            fail_msg("%s: %zu := %" PRIu64 " is believed", lies[i].file, lies[i].at, lies[i].value);
        buffer_deinit(&bytes);
    }
}

static void test_round_trips(void **state)
{
    (void)state;
    struct random_stream random;
    random_seed(&random, 5);
    for (int round = 0; round < 300; round++) {
        struct buffer records, bytes;
        struct log_block *block = NULL;
        struct problem problem;
        uint32_t count = 1 + (uint32_t)random_below(&random, 200);
        char body[700];
        buffer_init(&records, 1 << 20);
        buffer_init(&bytes, 1 << 20);
        for (uint32_t i = 0; i < count; i++) {
            size_t size = random_below(&random, sizeof body);
            for (size_t j = 0; j < size; j++)
                body[j] = (char)(round % 3 == 0 ? random_next(&random) : j / 9);
            log_record_write(&records, (enum log_record_kind)(1 + random_below(&random, 255)),
                             str_from_bytes(body, size));
        }
        uint64_t first_seq = 1 + random_next(&random) / 2;
        int64_t received_ms = (int64_t)random_below(&random, INT64_MAX);
        assert_ok(log_block_encode(&bytes, first_seq, count, received_ms, buffer_str(&records)));
        assert_true(bytes.size <= 40 + records.size);
        assert_ok(log_block_decode(buffer_str(&bytes), &block, &problem));
        assert_int_equal(block->first_seq, first_seq);
        assert_int_equal(block->count, count);
        assert_int_equal(block->received_ms, received_ms);
        assert_str_equal(block->records, buffer_str(&records));
        log_block_release(&block);
        buffer_deinit(&bytes);
        buffer_deinit(&records);
    }
}

static void test_what_is_not_encoded(void **state)
{
    (void)state;
    struct buffer out;
    str one = STR("\x01\x00");
    buffer_init(&out, 1 << 20);
    assert_err(log_block_encode(&out, 0, 1, 1, one), ERR_INVALID);
    assert_err(log_block_encode(&out, 1, 0, 1, one), ERR_INVALID);
    assert_err(log_block_encode(&out, 1, 2, 1, one), ERR_INVALID);
    assert_err(log_block_encode(&out, 1, 1, -1, one), ERR_INVALID);
    assert_err(log_block_encode(&out, UINT64_MAX, 1, 1, one), ERR_INVALID);
    assert_err(log_block_encode(&out, 1, 1, 1, STR_NONE), ERR_INVALID);
    assert_int_equal(out.size, 0);
    assert_ok(log_block_encode(&out, UINT64_MAX - 1, 1, 0, one));
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_plain),         cmocka_unit_test(test_golden_lz4),
        cmocka_unit_test(test_golden_state),         cmocka_unit_test(test_every_bit_of_a_block),
        cmocka_unit_test(test_every_cut_of_a_block), cmocka_unit_test(test_lies_with_a_right_crc),
        cmocka_unit_test(test_round_trips),          cmocka_unit_test(test_what_is_not_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
