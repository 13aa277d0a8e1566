/* SPDX-License-Identifier: Apache-2.0 */
/* error: one table of everything that can go wrong, and the record that carries its context.
 *
 * A function that can fail returns `err`; 0 is fine. Results come by out-parameter and are
 * untouched on failure unless its comment says otherwise. Context is written, without
 * allocating, into a `struct problem` that the caller owns; NULL is allowed everywhere.
 * The table also makes the API's problem types and `docs/errors.md`.
 */
#ifndef KITH_BASE_ERROR_H
#define KITH_BASE_ERROR_H

#include <stdbool.h>

/* NAME, code in the API, HTTP status, may the same request be retried, title */
#define ERROR_TABLE(X)                                                                         \
    X(OK, "ok", 200, false, "ok")                                                              \
    X(NOMEM, "out_of_memory", 503, true, "a memory budget is used up")                         \
    X(BUSY, "busy", 429, true, "more is coming in than can be taken now")                      \
    X(UNAVAILABLE, "unavailable", 503, true, "not available at the moment")                    \
    X(STORAGE_FULL, "storage_full", 507, true, "the disk is full")                             \
    X(IO, "io_failed", 500, false, "reading or writing failed")                                \
    X(SYNC, "sync_failed", 500, false, "the disk did not confirm a write")                     \
    X(CORRUPT, "corrupt", 500, false, "stored data is damaged")                                \
    X(INVALID, "invalid", 400, false, "the request cannot be understood")                      \
    X(UNAUTHENTICATED, "unauthenticated", 401, false, "who is asking is not known")            \
    X(FORBIDDEN, "forbidden", 403, false, "this is not permitted")                             \
    X(NOT_FOUND, "not_found", 404, false, "there is no such thing")                            \
    X(METHOD, "method_not_allowed", 405, false, "this method is not known here")               \
    X(CONFLICT, "conflict", 409, false, "this does not fit what is there")                     \
    X(PRECONDITION, "precondition_failed", 412, false, "somebody else has changed it")         \
    X(TOO_LARGE, "too_large", 413, false, "larger than the limit")                             \
    X(UNSUPPORTED, "unsupported", 415, false, "this form is not supported")                    \
    X(UNPROCESSABLE, "unprocessable", 422, false, "understood, but it cannot be done")         \
    X(IDEMPOTENCY, "idempotency_mismatch", 422, false, "the key was used for another request") \
    X(LOCKED, "locked", 423, false, "another server has this folder open")                     \
    X(TIMEOUT, "timeout", 504, true, "it took too long")                                       \
    X(WAREHOUSE, "warehouse_failed", 502, true, "the warehouse refused the query")             \
    X(INTERNAL, "internal", 500, false, "something unexpected happened")

typedef enum err {
#define X(name, code, status, retry, title) ERR_##name,
    ERROR_TABLE(X)
#undef X
        ERR_COUNT
} err;

#define MUST_USE __attribute__((warn_unused_result))

const char *err_code(err error); /* "not_found" */
int err_http_status(err error);
bool err_is_retriable(err error);
const char *err_title(err error);

/* What went wrong, for a person: lower case, no period, names the thing and the value, never
 * personal data. `pointer` is a JSON pointer into the request, or empty. */
struct problem {
    err error;
    char detail[320];
    char pointer[160];
    char hint[240];
};

/* Write `detail` and return `error`, so that a failure is one line:
 *     return problem_set(problem, ERR_INVALID, "unknown event type '%s'", name); */
err problem_set(struct problem *problem, err error, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
/* Add where and what to do about it; `error` is returned unchanged. */
err problem_at(struct problem *problem, err error, const char *pointer, ...)
    __attribute__((format(printf, 3, 4)));
err problem_hint(struct problem *problem, err error, const char *hint, ...)
    __attribute__((format(printf, 3, 4)));

/* An invariant that holds in release too; says file, line and what, then aborts. Input, disk and
 * system calls are never asserted: those are errors. */
#define INVARIANT(condition)                                  \
    do {                                                      \
        if (__builtin_expect(!(condition), 0))                \
            invariant_failed(#condition, __FILE__, __LINE__); \
    } while (0)
void invariant_failed(const char *what, const char *file, int line) __attribute__((noreturn));

#endif
