/* SPDX-License-Identifier: Apache-2.0 */
/* fault: the gate through which every allocation, file call and commit step passes.
 *
 * In ordinary runs a gate costs one predictable branch on a global. Tests arm it: "fail the n-th
 * call of this kind", "fail each with probability p and seed s", or "kill the process at this
 * labelled point" (KITH_FAULT=point:n:action in the environment, read once at start, honoured only
 * in builds with KITH_FAULTS; several with commas, action 'fail', 'kill' or 'fail-always'). It is how every error path is shown to be alive.
 */
#ifndef KITH_BASE_FAULT_H
#define KITH_BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* NAME, text used in KITH_FAULT, what it stands for */
#define FAULT_TABLE(X)                                                                \
    X(MEMORY, "memory", "an allocation")                                              \
    X(LOG_BEFORE_WRITE, "log_before_write", "block encoded, not yet written")         \
    X(LOG_AFTER_WRITE, "log_after_write", "block written, not yet synced")            \
    X(LOG_AFTER_SYNC, "log_after_sync", "block synced, not yet acknowledged")         \
    X(ENGINE_AFTER_APPLY, "engine_after_apply", "block applied in RAM only")          \
    X(LEDGER_BEFORE_COMMIT, "ledger_before_commit", "rows written, not committed")    \
    X(LEDGER_AFTER_COMMIT, "ledger_after_commit", "committed, nobody told")           \
    X(FLUSH_AFTER_PLAN, "flush_after_plan", "batch recorded, not inserted")           \
    X(FLUSH_AFTER_INSERT, "flush_after_insert", "inserted, not marked done")          \
    X(FLUSH_AFTER_DONE, "flush_after_done", "marked done, log not trimmed")           \
    X(PACK_WRITE, "pack_write", "half of a piece of history.pack written")            \
    X(IMPORT_AFTER_HASH, "import_after_hash", "known which file it is, nothing read") \
    X(IMPORT_BEFORE_CHUNK, "import_before_chunk", "chunk filled, not in the log")     \
    X(IMPORT_AFTER_CHUNK, "import_after_chunk", "chunk in the log, job not told")     \
    X(IMPORT_AFTER_REPLACED, "import_after_replaced", "old taken back, new to come")  \
    X(IMPORT_BEFORE_END, "import_before_end", "all sent, not said to be finished")    \
    X(IMPORT_AFTER_CUT, "import_after_cut", "cut, nothing of the slice taken back")   \
    X(IMPORT_AFTER_SLICE, "import_after_slice", "slice taken back, the next to come") \
    X(IMPORT_UNDO_EVENTS, "import_undo_events", "identity undone, events to come")    \
    X(IMPORT_UNDO_END, "import_undo_end", "all taken back, not said to be undone")    \
    X(IMPORT_UNDO_TOLD, "import_undo_told", "said to be undone, warehouse not told")  \
    X(FILE_WRITE, "file_write", "a write of SQLite's VFS")                            \
    X(FILE_SYNC, "file_sync", "a sync of SQLite's VFS")

enum fault_point {
#define X(name, text, meaning) FAULT_##name,
    FAULT_TABLE(X)
#undef X
        FAULT_COUNT
};

enum fault_action { FAULT_FAIL, FAULT_KILL };

extern bool fault_armed; /* false in ordinary runs */
bool fault_check(enum fault_point point);

/* True when the caller has to behave as if the thing had failed; does not return when killed. */
static inline bool fault_fires(enum fault_point point)
{
    return __builtin_expect(__atomic_load_n(&fault_armed, __ATOMIC_RELAXED), false) &&
           fault_check(point);
}

/* Arm: the n-th passage from now (1 is the next) does `action`; `repeat` makes all later ones too. */
void fault_arm(enum fault_point point, uint64_t nth, enum fault_action action, bool repeat);
/* Arm: every passage fails with `probability`, by a stream of its own seeded with `seed`. */
void fault_arm_random(enum fault_point point, double probability, uint64_t seed);
void fault_disarm(void);                      /* all points */
uint64_t fault_count(enum fault_point point); /* passages since armed */
/* A KITH_FAULT that cannot be understood is told in a log line and ends the process: a crash test
 * that arms nothing would pass for nothing. */
void fault_read_environment(void);

/* Arming and disarming are for one thread; passing is for any. */

#endif
