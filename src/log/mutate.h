/* SPDX-License-Identifier: Apache-2.0 */
/* mutate: deliberate defects, so that each crash test is seen to catch what it is for.
 *
 * KITH_MUTATE in the environment names them, comma-separated; it is read by log_open and honoured
 * only in builds with KITH_FAULTS. In all others log_mutates() is a constant. Private to log/.
 */
#ifndef KITH_LOG_MUTATE_H
#define KITH_LOG_MUTATE_H

#include <stdbool.h>

/* NAME, text in KITH_MUTATE, the defect */
#define MUTATION_TABLE(X)                                                             \
    X(ACK_BEFORE_SYNC, "ack_before_sync", "appends are answered before their commit") \
    X(NO_SYNC, "no_sync", "synchronous=OFF")                                          \
    X(SYNC_ERROR_IGNORED, "sync_error_ignored", "a failed sync counts as a good one") \
    X(NO_VOID, "no_void", "a failed commit is not overwritten (F3)")                  \
    X(AUTO_CHECKPOINT, "auto_checkpoint", "errors of checkpoints are forgotten (F2)") \
    X(OPEN_UNSYNCED, "open_unsynced", "what opening finds is not made durable (F5)")  \
    X(NO_CRC, "no_crc", "the CRC of a block is not compared")                         \
    X(NO_MARK, "no_mark", "a tail shorter than the mark is not noticed")              \
    X(FULL_IS_OK, "full_is_ok", "appends are acknowledged though the disk is full")   \
    X(CLOCK_GOES_BACK, "clock_goes_back", "received_ms follows the wall clock back")  \
    X(NO_EPOCH, "no_epoch", "a commit does not ask whose the lease is (P1)")          \
    X(LOST_IS_DONE, "lost_is_done", "a commit whose answer was lost counts as made")  \
    X(SLOW_DISK, "slow_disk", "no defect: each commit takes 20 ms more, so that a kill finds it")

enum log_mutation {
#define X(name, text, meaning) MUTATION_##name,
    MUTATION_TABLE(X)
#undef X
        MUTATION_COUNT
};

#ifdef KITH_FAULTS
bool log_mutates(enum log_mutation mutation);
void log_mutate_by_environment(void);
#else
static inline bool log_mutates(enum log_mutation mutation)
{
    (void)mutation;
    return false;
}
static inline void log_mutate_by_environment(void)
{
}
#endif

#endif
