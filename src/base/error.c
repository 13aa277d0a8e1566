/* SPDX-License-Identifier: Apache-2.0 */
/* The error table's look-ups, and the writing of problems. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const struct {
    const char *code;
    int status;
    bool retry;
    const char *title;
} error_rows[ERR_COUNT] = {
#define X(name, text, http, again, words) \
    [ERR_##name] = { .code = text, .status = http, .retry = again, .title = words },
    ERROR_TABLE(X)
#undef X
};

/* A number that is in no row (a cast gone wrong) is told as what it is: unexpected. */
static size_t error_row(err error)
{
    return (unsigned)error < ERR_COUNT ? (size_t)error : (size_t)ERR_INTERNAL;
}

const char *err_code(err error)
{
    return error_rows[error_row(error)].code;
}

int err_http_status(err error)
{
    return error_rows[error_row(error)].status;
}

bool err_is_retriable(err error)
{
    return error_rows[error_row(error)].retry;
}

const char *err_title(err error)
{
    return error_rows[error_row(error)].title;
}

/* Formats into `out`; what does not fit is cut between two characters. */
static void __attribute__((format(printf, 3, 0)))
text_set(char *out, size_t size, const char *format, va_list arguments)
{
    int length = vsnprintf(out, size, format, arguments);
    if (length < 0)
        out[0] = '\0';
    else if ((size_t)length >= size)
        out[str_utf8_prefix_bytes(str_from_bytes(out, size - 1), size - 1)] = '\0';
}

err problem_set(struct problem *problem, err error, const char *detail, ...)
{
    if (problem == NULL)
        return error;
    va_list arguments;
    va_start(arguments, detail);
    problem->error = error;
    text_set(problem->detail, sizeof problem->detail, detail, arguments);
    problem->pointer[0] = '\0';
    problem->hint[0] = '\0';
    va_end(arguments);
    return error;
}

err problem_at(struct problem *problem, err error, const char *pointer, ...)
{
    if (problem == NULL)
        return error;
    va_list arguments;
    va_start(arguments, pointer);
    text_set(problem->pointer, sizeof problem->pointer, pointer, arguments);
    va_end(arguments);
    return error;
}

err problem_hint(struct problem *problem, err error, const char *hint, ...)
{
    if (problem == NULL)
        return error;
    va_list arguments;
    va_start(arguments, hint);
    text_set(problem->hint, sizeof problem->hint, hint, arguments);
    va_end(arguments);
    return error;
}

void invariant_failed(const char *what, const char *file, int line)
{
    fprintf(stderr, "invariant broken at %s:%d: %s\n", file, line, what);
    fflush(stderr);
    abort();
}
