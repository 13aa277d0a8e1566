/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka with what it wants included before, and assertions for Kith's own types. */
#ifndef KITH_TESTS_SUPPORT_CMOCKA_H
#define KITH_TESTS_SUPPORT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"

#define assert_str_equal(actual, expected) \
    assert_str_equal_at((actual), (expected), __FILE__, __LINE__)
static inline void assert_str_equal_at(str actual, str expected, const char *file, int line)
{
    if (!str_equal(actual, expected)) {
        print_error("'" STR_FMT "' is not '" STR_FMT "'\n", STR_ARG(actual), STR_ARG(expected));
        _fail(file, line);
    }
}

#define assert_ok(error) assert_err_at((error), ERR_OK, __FILE__, __LINE__)
#define assert_err(error, expected) assert_err_at((error), (expected), __FILE__, __LINE__)
static inline void assert_err_at(err actual, err expected, const char *file, int line)
{
    if (actual != expected) {
        print_error("err is %s, not %s\n", err_code(actual), err_code(expected));
        _fail(file, line);
    }
}

#endif
