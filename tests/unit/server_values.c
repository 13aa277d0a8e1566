/* SPDX-License-Identifier: Apache-2.0 */
/* What was read lately: the same as it was kept, never more than fits, never a digest for a plain value. */
#include "support/cmocka.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "server/values.h"

struct fixture {
    struct values *values;
    struct arena arena;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    arena_init(&fixture.arena, "test", 64 * 1024 * 1024);
    assert_int_equal(values_new(&fixture.values, 64 * 1024), ERR_OK);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    values_free(&fixture->values);
    assert_null(fixture->values);
    arena_deinit(&fixture->arena);
    return 0;
}

static struct identity_row_view row_of(uint32_t number, const char *value, uint8_t flags)
{
    return (struct identity_row_view){ .row = number,
                                       .flags = flags,
                                       .source_number = number + 7,
                                       .first_seen_ms = -(int64_t)number,
                                       .value = str_from_c(value) };
}

static void keep(struct fixture *fixture, const struct identity_row_view *row)
{
    values_keep(fixture->values, row, values_moment(fixture->values));
}

static bool find(struct fixture *fixture, uint32_t number, uint8_t flags,
                 struct identity_row_view *row)
{
    *row = (struct identity_row_view){ .row = number, .flags = flags };
    return values_find(fixture->values, &fixture->arena, row);
}

static void test_kept_and_found(void **state)
{
    struct fixture *fixture = *state;
    struct identity_row_view row = row_of(5, "138****1234", IDENTIFIER_SEALED), found;
    assert_false(find(fixture, 5, 0, &found));
    keep(fixture, &row);
    assert_true(find(fixture, 5, 0, &found));
    assert_true(str_equal(found.value, row.value));
    assert_true(found.value.data != row.value.data);
    assert_int_equal(found.source_number, 12);
    assert_int_equal(found.first_seen_ms, -5);
    assert_false(find(fixture, 6, 0, &found));
}

static void test_digest_is_not_the_value(void **state)
{
    struct fixture *fixture = *state;
    struct identity_row_view row = row_of(9, "md5:00ff", IDENTIFIER_HASHED), found;
    keep(fixture, &row);
    assert_true(find(fixture, 9, IDENTIFIER_HASHED, &found));
    assert_false(find(fixture, 9, 0, &found)); /* its plain value came */
    row = row_of(9, "139****0000", 0);
    keep(fixture, &row);
    assert_true(find(fixture, 9, 0, &found));
    assert_true(str_equal(found.value, STR("139****0000")));
    assert_false(find(fixture, 9, IDENTIFIER_HASHED, &found));
}

static void test_what_does_not_fit(void **state)
{
    struct fixture *fixture = *state;
    char text[64];
    memset(text, 'x', sizeof(text));
    struct identity_row_view row = row_of(3, "", 0), found;
    keep(fixture, &row);
    assert_false(find(fixture, 3, 0, &found));
    for (size_t size = 1; size <= sizeof(text); size++) {
        row = row_of((uint32_t)size + 100, "", 0);
        row.value = str_from_bytes(text, size);
        keep(fixture, &row);
        assert_int_equal(find(fixture, row.row, 0, &found), size <= 43);
        if (size <= 43)
            assert_true(str_equal(found.value, row.value));
    }
    row = row_of(0, "nobody", 0);
    keep(fixture, &row);
}

/* Far more than fit: some go, those that are there are right, and the newest is always there. */
static void test_room_is_made(void **state)
{
    struct fixture *fixture = *state;
    char text[32];
    size_t there = 0;
    struct identity_row_view found;
    for (uint32_t number = 1; number <= 20000; number++) {
        snprintf(text, sizeof(text), "value-%u", number);
        struct identity_row_view row = row_of(number, text, 0);
        keep(fixture, &row);
        assert_true(find(fixture, number, 0, &found));
    }
    for (uint32_t number = 1; number <= 20000; number++) {
        snprintf(text, sizeof(text), "value-%u", number);
        if (!find(fixture, number, 0, &found))
            continue;
        assert_true(str_equal(found.value, str_from_c(text)));
        assert_int_equal(found.source_number, number + 7);
        there++;
    }
    assert_int_equal(values_memory_bytes(fixture->values), 64 * 1024);
    assert_in_range(there, 1000, 1024);
}

/* X11, P2: of who was erased nothing is here, and who read her before that keeps nothing. */
static void test_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct identity_row_view one = row_of(5, "u5", 0), other = row_of(6, "u6", 0), found;
    uint64_t before = values_moment(fixture->values);
    keep(fixture, &one);
    keep(fixture, &other);
    values_forget(fixture->values, (const uint32_t[]){ 5, 0, 999 }, 3);
    assert_false(find(fixture, 5, 0, &found));
    assert_true(find(fixture, 6, 0, &found));
    values_keep(fixture->values, &one, before);
    values_fill(fixture->values, &one, before);
    assert_false(find(fixture, 5, 0, &found));
    before = values_moment(fixture->values);
    values_forget(fixture->values, NULL, 0);
    assert_int_equal(values_moment(fixture->values), before);
    values_forget_all(fixture->values);
    assert_false(find(fixture, 6, 0, &found));
    values_keep(fixture->values, &other, before);
    assert_false(find(fixture, 6, 0, &found));
    keep(fixture, &other);
    assert_true(find(fixture, 6, 0, &found));
}

static void *hammer(void *context)
{
    struct values *values = context;
    struct arena arena;
    char text[32];
    arena_init(&arena, "hammer", 1024 * 1024);
    for (uint32_t i = 0; i < 50000; i++) {
        uint32_t number = i % 3000 + 1;
        snprintf(text, sizeof(text), "value-%u", number);
        struct identity_row_view row = row_of(number, text, 0), found = { .row = number };
        values_keep(values, &row, 0);
        if (values_find(values, &arena, &found))
            assert_true(str_equal(found.value, row.value));
        arena_reset(&arena);
    }
    arena_deinit(&arena);
    return NULL;
}

static void test_two_threads(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, fixture->values), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_and_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_digest_is_not_the_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_room_is_made, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_threads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
