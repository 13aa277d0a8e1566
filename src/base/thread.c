/* SPDX-License-Identifier: Apache-2.0 */
/* Short turns, by sched_setattr; the C library has no name for it. Giving way, by the nice value. */
#include "base/thread.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The least that the kernel takes for a turn (kernel/sched/syscalls.c, since 6.12). */
#define TURN_NS UINT64_C(100000)

/* `struct sched_attr` of the kernel, in its first size. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};
_Static_assert(sizeof(struct attributes) == 48, "SCHED_ATTR_SIZE_VER0");

/* A nice value of 5 is a third of the weight of 0 (sched_prio_to_weight, kernel/sched/core.c: 335 of 1024). */
#define WAY_NICE 5

void thread_give_way(void)
{
    /* On Linux the nice value is the thread's own. */
    errno = 0;
    int nice_now = getpriority(PRIO_PROCESS, 0);
    if (errno == 0)
        (void)setpriority(PRIO_PROCESS, 0, nice_now + WAY_NICE);
}

void thread_take_short_turns(void)
{
    /* On Linux the nice value is the thread's own; it has to be said again. */
    struct attributes attributes = { .size = sizeof attributes,
                                     .policy = SCHED_OTHER,
                                     .nice = getpriority(PRIO_PROCESS, 0),
                                     .runtime_ns = TURN_NS };
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0U);
}
