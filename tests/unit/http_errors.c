/* SPDX-License-Identifier: Apache-2.0 */
/* docs/errors.md says what the table of errors says. */
#include "support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

static char document[65536];

static int read_document(void **state)
{
    FILE *file = fopen(KITH_SOURCE_DIR "/docs/errors.md", "r");
    (void)state;
    if (file == NULL)
        return -1;
    size_t size = fread(document, 1, sizeof(document) - 1, file);
    document[size] = '\0';
    fclose(file);
    return size > 0 ? 0 : -1;
}

static void test_each_error_is_told(void **state)
{
    (void)state;
    for (int error = 1; error < ERR_COUNT; error++) {
        char row[256];
        snprintf(row, sizeof(row), "| `%s` | %d | %s | %s |", err_code((err)error),
                 err_http_status((err)error), err_is_retriable((err)error) ? "yes" : "no",
                 err_title((err)error));
        if (strstr(document, row) == NULL)
            fail_msg("docs/errors.md has no row '%s'", row);
    }
}

static void test_nothing_else_is_told(void **state)
{
    size_t rows = 0;
    (void)state;
    for (const char *at = document; (at = strstr(at, "\n| `")) != NULL; at++)
        rows++;
    assert_int_equal(rows, ERR_COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_error_is_told),
        cmocka_unit_test(test_nothing_else_is_told),
    };
    return cmocka_run_group_tests(tests, read_document, NULL);
}
