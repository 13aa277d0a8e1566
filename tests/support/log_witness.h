/* SPDX-License-Identifier: Apache-2.0 */
/* log_witness: appends to a log, remembers what it was told, and later compares it with the log.
 *
 * Every record says which append of which witness it belongs to, so the whole log can be checked:
 *   - numbers are gapless, times do not decrease;
 *   - an append that was answered OK is there, once, whole, in order, where it was said to be;
 *   - one that was refused, or answered STORAGE_FULL or NOMEM, is not there;
 *   - one that was answered UNAVAILABLE, or never, is there at most once, and whole;
 *   - there is nothing else.
 * The first thing that is wrong is named. Any thread appends; one thread checks, when all is quiet.
 */
#ifndef KITH_TESTS_LOG_WITNESS_H
#define KITH_TESTS_LOG_WITNESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/log.h"

struct witness_append {
    struct log_append append;
    struct witness *witness;
    struct buffer records;
    bool refused; /* log_append said no */
    _Atomic bool answered;
    err answer;
    uint64_t found_seq; /* by the check */
};

struct witness {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct witness_append **appends;
    size_t count, capacity;
    size_t open;     /* handed in, not answered */
    size_t ok;       /* answered OK */
    err last_error;  /* the last answer or refusal that was not OK */
    uint32_t source; /* whose the next appends are */
    char wrong[320]; /* what witness_check has found, or empty */
};

/* Log lines are off: thousands of lives would tell thousands of times what they were made for. */
void witness_quiet(void);
void witness_init(struct witness *witness);
void witness_deinit(struct witness *witness);
/* Append `count` records of about `body_bytes`; what log_append says. Answered later. */
err witness_append(struct witness *witness, struct log *log, uint32_t count, size_t body_bytes);
/* Wait until everything is answered. */
void witness_wait(struct witness *witness);
/* Append and wait; the answer. */
err witness_append_now(struct witness *witness, struct log *log, uint32_t count, size_t body_bytes);

struct witness_records {
    uint64_t records; /* all */
    uint64_t ticks;   /* of these, ticks that fill the place of lost ones */
};
/* Check one block that is read in order; `expected_seq` is moved on. False: see `wrong`. */
bool witness_check_block(struct witness *witness, const struct log_block *block,
                         uint64_t *expected_seq, struct witness_records *seen);
/* Read the log from its first to its last record and compare. `seen` may be NULL. */
bool witness_check(struct witness *witness, struct log *log, struct witness_records *seen);

#endif
