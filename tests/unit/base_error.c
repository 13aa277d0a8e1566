/* SPDX-License-Identifier: Apache-2.0 */
/* The error table and problem records. */
#include "support/cmocka.h"

#include <string.h>

#include "base/error.h"

static void test_table(void **state)
{
    (void)state;
    assert_int_equal(ERR_OK, 0);
    assert_string_equal(err_code(ERR_NOT_FOUND), "not_found");
    assert_int_equal(err_http_status(ERR_STORAGE_FULL), 507);
    assert_true(err_is_retriable(ERR_BUSY));
    assert_false(err_is_retriable(ERR_INVALID));
    assert_string_equal(err_code((err)999), "internal");
    for (int error = 0; error < ERR_COUNT; error++) {
        assert_true(strlen(err_title((err)error)) > 0);
        for (int other = 0; other < error; other++)
            assert_string_not_equal(err_code((err)error), err_code((err)other));
    }
}

static void test_problem(void **state)
{
    (void)state;
    struct problem problem;
    err error = problem_set(&problem, ERR_INVALID, "unknown event type '%s'", "tarck");
    error = problem_at(&problem, error, "/batch/%d/type", 3);
    error = problem_hint(&problem, error, "did you mean '%s'?", "track");
    assert_err(error, ERR_INVALID);
    assert_int_equal(problem.error, ERR_INVALID);
    assert_string_equal(problem.detail, "unknown event type 'tarck'");
    assert_string_equal(problem.pointer, "/batch/3/type");
    assert_string_equal(problem.hint, "did you mean 'track'?");
    /* A new problem forgets where the old one was. */
    assert_err(problem_set(&problem, ERR_BUSY, "wait"), ERR_BUSY);
    assert_string_equal(problem.pointer, "");
    assert_string_equal(problem.hint, "");
    assert_err(problem_set(NULL, ERR_BUSY, "wait"), ERR_BUSY);
    assert_err(problem_at(NULL, ERR_BUSY, "/x"), ERR_BUSY);
    assert_err(problem_hint(NULL, ERR_BUSY, "x"), ERR_BUSY);
}

static void test_long_detail_is_cut_between_characters(void **state)
{
    (void)state;
    struct problem problem;
    char text[1000];
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xE7\x86\x9F", 3);
    text[999] = '\0';
    assert_err(problem_set(&problem, ERR_INVALID, "%s", text), ERR_INVALID);
    assert_int_equal(strlen(problem.detail), 318);
    assert_true(str_is_utf8(str_from_c(problem.detail)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_problem),
        cmocka_unit_test(test_long_detail_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
