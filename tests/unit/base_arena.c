/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas, the heap under them, and growing buffers; each with memory running out. */
#include "support/cmocka.h"

#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/fault.h"

struct usage {
    const char *name;
    size_t used_bytes;
};

static void find_usage(void *context, const char *name, size_t used_bytes)
{
    struct usage *usage = context;
    if (strcmp(usage->name, name) == 0)
        usage->used_bytes = used_bytes;
}

static size_t usage_of(const char *name)
{
    struct usage usage = { .name = name, .used_bytes = 0 };
    arena_visit_usage(find_usage, &usage);
    return usage.used_bytes;
}

static void test_pieces(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, "test_pieces", 1 << 20);
    char *pieces[100];
    for (size_t i = 0; i < 100; i++) {
        pieces[i] = arena_alloc(&arena, i * 7);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t byte = 0; byte < i * 7; byte++)
            assert_int_equal(pieces[i][byte], 0);
        memset(pieces[i], (int)i, i * 7);
    }
    for (size_t i = 0; i < 100; i++)
        for (size_t byte = 0; byte < i * 7; byte++)
            assert_int_equal(pieces[i][byte], (char)i);
    assert_int_equal(usage_of("test_pieces"), arena.used_bytes);
    arena_deinit(&arena);
    assert_int_equal(usage_of("test_pieces"), 0);
}

static void test_budget(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, "test_budget", 10000);
    assert_null(arena_alloc(&arena, 10001));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_array(&arena, uint64_t, SIZE_MAX / 4));
    size_t count = 0;
    while (arena_alloc(&arena, 100) != NULL)
        count++;
    assert_in_range(count, 70, 100);
    assert_true(arena.used_bytes <= 10000);
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 100));
    arena_deinit(&arena);
}

static void test_reset_keeps_memory_down(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, "test_reset", 64 << 20);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 1000; i++)
            assert_non_null(arena_alloc(&arena, 1000));
        assert_non_null(arena_alloc(&arena, 8 << 20)); /* one huge piece is not kept */
        arena_reset(&arena);
        assert_true(arena.used_bytes <= 1 << 20);
    }
    arena_deinit(&arena);
}

static void test_text(void **state)
{
    (void)state;
    struct arena arena;
    str copy = STR("untouched");
    arena_init(&arena, "test_text", 1 << 16);
    assert_ok(arena_dup(&arena, STR_NONE, &copy));
    assert_int_equal(copy.size, 0);
    assert_ok(arena_dup(&arena, STR("kith"), &copy));
    assert_string_equal(copy.data, "kith");
    assert_ok(arena_printf(&arena, &copy, "%s-%d", "order", 7));
    assert_str_equal(copy, STR("order-7"));
    arena_deinit(&arena);
    arena_init(&arena, "test_text", 8);
    copy = STR("untouched");
    assert_err(arena_dup(&arena, STR("more than eight"), &copy), ERR_NOMEM);
    assert_err(arena_printf(&arena, &copy, "%30d", 7), ERR_NOMEM);
    assert_str_equal(copy, STR("untouched"));
    arena_deinit(&arena);
}

static void test_memory_fails_on_order(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, "test_fault", 1 << 16);
    fault_arm(FAULT_MEMORY, 1, FAULT_FAIL, true);
    assert_null(arena_alloc(&arena, 10));
    assert_null(memory_alloc(10));
    assert_null(memory_resize(NULL, 10));
    assert_null(memory_map(10));
    assert_int_equal(fault_count(FAULT_MEMORY), 4);
    fault_disarm();
    assert_non_null(arena_alloc(&arena, 10));
    arena_deinit(&arena);
}

static void test_map(void **state)
{
    (void)state;
    char *piece = memory_map((size_t)64 << 20);
    assert_non_null(piece);
    assert_int_equal((uintptr_t)piece % 4096, 0);
    assert_int_equal(piece[(64 << 20) - 1], 0);
    piece[12345678] = 1;
    memory_unmap(piece, (size_t)64 << 20);
    assert_null(memory_map(0));
    memory_unmap(NULL, 0);
}

static void test_buffer_grows_to_its_maximum(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    for (int i = 0; i < 1000; i++)
        buffer_append_byte(&buffer, (uint8_t)i);
    assert_ok(buffer_status(&buffer));
    assert_int_equal(buffer.size, 1000);
    assert_int_equal((uint8_t)buffer.data[999], 999 % 256);
    buffer_append_byte(&buffer, 1);
    assert_err(buffer_status(&buffer), ERR_TOO_LARGE);
    buffer_append(&buffer, "x", 1); /* still failed, nothing added */
    assert_null(buffer_reserve(&buffer, 0));
    assert_int_equal(buffer.size, 1000);
    buffer_clear(&buffer);
    assert_ok(buffer_status(&buffer));
    buffer_append(&buffer, NULL, 0);
    assert_null(buffer_reserve(&buffer, SIZE_MAX));
    assert_err(buffer_status(&buffer), ERR_TOO_LARGE);
    buffer_deinit(&buffer);
}

static void test_buffer_printf(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 2000);
    buffer_printf(&buffer, "%s=%d;", "a", 1);
    buffer_printf(&buffer, "%1000d;", 2); /* longer than the stack piece */
    assert_int_equal(buffer.size, 4 + 1001);
    assert_true(str_ends_with(buffer_str(&buffer), STR("  2;")));
    buffer_printf(&buffer, "%1000d", 3);
    assert_err(buffer_status(&buffer), ERR_TOO_LARGE);
    buffer_deinit(&buffer);
    /* A text that fills the buffer to the last byte: the NUL of printf needs no room. */
    buffer_init(&buffer, 300);
    buffer_printf(&buffer, "%300d", 4);
    assert_ok(buffer_status(&buffer));
    assert_int_equal(buffer.size, 300);
    buffer_deinit(&buffer);
}

static void test_buffer_out_of_memory(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    buffer_append_str(&buffer, STR("abc"));
    fault_arm(FAULT_MEMORY, 1, FAULT_FAIL, false);
    assert_null(buffer_reserve(&buffer, 10000));
    fault_disarm();
    assert_err(buffer_status(&buffer), ERR_NOMEM);
    assert_str_equal(buffer_str(&buffer), STR("abc"));
    buffer_deinit(&buffer);
}

static void test_buffer_take(void **state)
{
    (void)state;
    struct buffer buffer;
    size_t size;
    buffer_init(&buffer, 100);
    buffer_append_str(&buffer, STR("abc"));
    char *data = buffer_take(&buffer, &size);
    assert_int_equal(size, 3);
    assert_memory_equal(data, "abc", 3);
    assert_int_equal(buffer.size, 0);
    assert_null(buffer.data);
    memory_free(data);
    buffer_deinit(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_reset_keeps_memory_down),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_memory_fails_on_order),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_buffer_grows_to_its_maximum),
        cmocka_unit_test(test_buffer_printf),
        cmocka_unit_test(test_buffer_out_of_memory),
        cmocka_unit_test(test_buffer_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
