/* SPDX-License-Identifier: Apache-2.0 */
/* lanes: whose appends are in the next round of the log, when more waits than one round takes.
 *
 * A round is one transaction and one sync, and its bytes are what an append waits for. One source that brings as much as
 * is taken fills each round; another's append would wait for the round under way and for all that came before it. So
 * appends wait in lanes, one for each source and one for the house itself (commands, the clock), and a round is dealt out
 * in a deficit round robin (as in server/turns.c). While several sources bring something, a round is short as well: who is in the
 * next one is soon answered. With one source alone rounds are long, which is cheaper by a sync for each that is saved.
 *
 * Invariants
 *   Appends of one lane keep their order. What is put is taken, each once.
 *   Whatever waits in other lanes, the first of a lane is in one of the next two rounds if the lane had nothing before and
 *   there are fewer other lanes than LANES_SHORT_ROUND_BYTES / LANES_QUANTUM_BYTES, and no append is larger than a quantum.
 *
 * The writer thread's alone. Nothing is allocated.
 */
#ifndef KITH_LOG_LANES_H
#define KITH_LOG_LANES_H

#include "base/clock.h"
#include "log/log.h"

#define LANES 256
/* A round with one source alone, and one while several share the log. */
#define LANES_ROUND_BYTES_MAX ((size_t)4 << 20)
#define LANES_SHORT_ROUND_BYTES ((size_t)256 << 10)
#define LANES_QUANTUM_BYTES ((int64_t)64 << 10)
/* So long after its last append a source counts as one that shares. */
#define LANES_SHARED_MS 1000

struct lane {
    struct log_append *first, *last;
    int64_t credit_bytes;
    steady_ns came;
};

struct lanes {
    struct lane lane[LANES];
    uint8_t order[LANES]; /* of those that have somebody, as they are visited */
    size_t count, next;
    uint8_t newest,
        other; /* the last two that brought something: the house's lane does not count */
};

/* Whose lane it is. More sources than lanes share some; nobody shares the house's. */
static inline uint8_t lane_of(uint32_t source)
{
    return source == 0 ? 0 : (uint8_t)(1 + (source - 1) % (LANES - 1));
}

/* Puts all of a list, linked by item.next. */
void lanes_put(struct lanes *lanes, struct log_append *list, steady_ns now);
/* Takes a round: a list, NULL when nothing waits. At least one append, however large. */
struct log_append *lanes_take(struct lanes *lanes, steady_ns now);
/* How much is in a round, as of now. */
size_t lanes_round_bytes(const struct lanes *lanes, steady_ns now);
bool lanes_are_empty(const struct lanes *lanes);

#endif
