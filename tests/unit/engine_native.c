/* SPDX-License-Identifier: Apache-2.0 */
/* native: blocks of columns are the same however they are cut on the way; what is no block is refused. */
#include "support/cmocka.h"

#include <string.h>

#include "base/buffer.h"
#include "engine/past/native.h"

static void put_head(struct buffer *out, const char *name, const char *type)
{
    write_text(out, str_from_c(name));
    write_text(out, str_from_c(type));
}

/* Three columns; row r is (first + r, -(first + r), "t" times r). */
static void put_block(struct buffer *out, uint32_t first, uint32_t rows)
{
    write_varint(out, 3);
    write_varint(out, rows);
    put_head(out, "customer", "UInt32");
    for (uint32_t row = 0; row < rows; row++)
        write_u32(out, first + row);
    put_head(out, "time_ms", "Int64");
    for (uint32_t row = 0; row < rows; row++)
        write_i64(out, -(int64_t)(first + row));
    put_head(out, "found", "String");
    for (uint32_t row = 0; row < rows; row++) {
        char text[400];
        memset(text, 't', sizeof text);
        write_text(out, str_from_bytes(text, row));
    }
}

struct taken {
    uint32_t next;
    size_t blocks;
    err refuses;
};

static err take(void *context, const struct native_block *block)
{
    struct taken *taken = context;
    const struct native_column *columns = block->columns;
    struct cursor numbers = cursor_over(str_from_bytes(columns[0].data, columns[0].size));
    struct cursor times = cursor_over(str_from_bytes(columns[1].data, columns[1].size));
    struct cursor texts = cursor_over(str_from_bytes(columns[2].data, columns[2].size));
    assert_int_equal(block->column_count, 3);
    assert_int_equal(columns[0].width, 4);
    assert_int_equal(columns[1].width, 8);
    assert_int_equal(columns[2].width, 0);
    for (size_t row = 0; row < block->row_count; row++) {
        assert_int_equal(read_u32(&numbers), taken->next);
        assert_int_equal(read_i64(&times), -(int64_t)taken->next);
        assert_int_equal(read_text(&texts).size, row);
        taken->next++;
    }
    assert_int_equal(cursor_left(&numbers) + cursor_left(&times) + cursor_left(&texts), 0);
    taken->blocks++;
    return taken->refuses;
}

static err read_all(str bytes, size_t piece, struct taken *taken, uint64_t *rows)
{
    struct native_reader *reader;
    assert_int_equal(native_reader_new(&reader, take, taken), ERR_OK);
    err error = ERR_OK, end = ERR_OK;
    for (size_t at = 0; at < bytes.size && error == ERR_OK; at += piece)
        error = native_reader_take(reader, str_slice(bytes, at, at + piece));
    end = native_reader_end(reader, rows);
    native_reader_free(&reader);
    return error != ERR_OK ? error : end;
}

static void test_blocks_are_the_same_however_they_are_cut(void **state)
{
    struct buffer bytes;
    (void)state;
    buffer_init(&bytes, 1 << 20);
    put_block(&bytes, 0, 5);
    put_block(&bytes, 5, 0); /* a block may be empty */
    put_block(&bytes, 5, 300);
    put_block(&bytes, 305, 1);
    for (size_t piece = 1; piece <= bytes.size; piece += piece < 40 ? 1 : 97) {
        struct taken taken = { .next = 0 };
        uint64_t rows = 0;
        assert_int_equal(read_all(buffer_str(&bytes), piece, &taken, &rows), ERR_OK);
        assert_int_equal(rows, 306);
        assert_int_equal(taken.next, 306);
        assert_int_equal(taken.blocks, 3);
    }
    buffer_deinit(&bytes);
}

static void test_an_answer_that_ends_within_a_block_is_refused(void **state)
{
    struct buffer bytes;
    (void)state;
    buffer_init(&bytes, 1 << 20);
    put_block(&bytes, 0, 4);
    size_t whole = bytes.size;
    put_block(&bytes, 4, 4);
    for (size_t size = 1; size < bytes.size; size++) {
        struct taken taken = { .next = 0 };
        uint64_t rows;
        err error = read_all(str_slice(buffer_str(&bytes), 0, size), 7, &taken, &rows);
        assert_int_equal(error, size == whole ? ERR_OK : ERR_CORRUPT);
        assert_int_equal(taken.next, size < whole ? 0 : 4);
    }
    buffer_deinit(&bytes);
}

static void test_what_is_no_block_is_refused(void **state)
{
    static const char *const wrong[] = { "Nullable(String)", "UInt16", "" };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buffer bytes;
        struct taken taken = { .next = 0 };
        uint64_t rows;
        buffer_init(&bytes, 1 << 20);
        write_varint(&bytes, 1);
        write_varint(&bytes, 1);
        put_head(&bytes, "found", wrong[i]);
        write_u64(&bytes, 0);
        assert_int_equal(read_all(buffer_str(&bytes), 3, &taken, &rows), ERR_CORRUPT);
        buffer_clear(&bytes);
        write_varint(&bytes, NATIVE_COLUMNS_MAX + 1);
        write_varint(&bytes, 1);
        assert_int_equal(read_all(buffer_str(&bytes), 3, &taken, &rows), ERR_CORRUPT);
        buffer_clear(&bytes);
        write_varint(&bytes, 1);
        write_varint(&bytes, UINT64_MAX);
        assert_int_equal(read_all(buffer_str(&bytes), 99, &taken, &rows), ERR_CORRUPT);
        buffer_deinit(&bytes);
    }
}

static void test_who_takes_blocks_can_stop(void **state)
{
    struct buffer bytes;
    struct taken taken = { .refuses = ERR_UNAVAILABLE };
    uint64_t rows;
    (void)state;
    buffer_init(&bytes, 1 << 20);
    put_block(&bytes, 0, 4);
    put_block(&bytes, 4, 4);
    assert_int_equal(read_all(buffer_str(&bytes), bytes.size, &taken, &rows), ERR_UNAVAILABLE);
    assert_int_equal(taken.blocks, 1);
    buffer_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_the_same_however_they_are_cut),
        cmocka_unit_test(test_an_answer_that_ends_within_a_block_is_refused),
        cmocka_unit_test(test_what_is_no_block_is_refused),
        cmocka_unit_test(test_who_takes_blocks_can_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
