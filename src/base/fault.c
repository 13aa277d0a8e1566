/* SPDX-License-Identifier: Apache-2.0 */
/* Which point is armed with what, and the counting of passages. */
#include "base/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/logline.h"
#include "base/str.h"

bool fault_armed;

/* Fields are relaxed atomics: a test arms while the threads of the thing under test run. */
static struct fault {
    uint64_t nth;    /* 0: not armed by number */
    uint64_t chance; /* of 2^64 per passage; 0: not armed by chance */
    uint64_t seed;
    uint64_t passed;
    uint32_t action; /* enum fault_action */
    bool repeat;
} faults[FAULT_COUNT];

#define FAULT_GET(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define FAULT_PUT(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)

static const char *const fault_names[FAULT_COUNT] = {
#define X(name, text, meaning) [FAULT_##name] = text,
    FAULT_TABLE(X)
#undef X
};

/* By number the n-th passage is exactly one thread's; by chance each passage has its own draw, so
 * that a run with the same order of passages meets the same failures. */
bool fault_check(enum fault_point point)
{
    struct fault *fault = &faults[point];
    uint64_t passage = __atomic_add_fetch(&fault->passed, 1, __ATOMIC_ACQ_REL);
    uint64_t nth = FAULT_GET(fault->nth);
    uint64_t chance = FAULT_GET(fault->chance);
    bool fires = false;
    if (nth > 0)
        fires = passage == nth || (FAULT_GET(fault->repeat) && passage > nth);
    else if (chance > 0)
        fires =
            hash_mix64(FAULT_GET(fault->seed) + passage * UINT64_C(0x9E3779B97F4A7C15)) < chance;
    if (fires && FAULT_GET(fault->action) == FAULT_KILL) {
        (void)kill(getpid(), SIGKILL);
        for (;;)
            pause();
    }
    return fires;
}

static void fault_put(struct fault *fault, struct fault with)
{
    FAULT_PUT(fault->nth, 0);
    FAULT_PUT(fault->chance, 0);
    FAULT_PUT(fault->seed, with.seed);
    FAULT_PUT(fault->passed, 0);
    FAULT_PUT(fault->action, with.action);
    FAULT_PUT(fault->repeat, with.repeat);
    FAULT_PUT(fault->chance, with.chance);
    FAULT_PUT(fault->nth, with.nth);
}

static void fault_set(enum fault_point point, struct fault with)
{
    INVARIANT((unsigned)point < FAULT_COUNT);
    fault_put(&faults[point], with);
    __atomic_store_n(&fault_armed, true, __ATOMIC_RELEASE);
}

void fault_arm(enum fault_point point, uint64_t nth, enum fault_action action, bool repeat)
{
    INVARIANT(nth > 0);
    fault_set(point, (struct fault){ .nth = nth, .action = action, .repeat = repeat });
}

void fault_arm_random(enum fault_point point, double probability, uint64_t seed)
{
    INVARIANT(probability >= 0 && probability <= 1);
    uint64_t chance = probability < 1 ? (uint64_t)(probability * 0x1.0p64) : UINT64_MAX;
    fault_set(point, (struct fault){ .chance = chance, .seed = seed, .action = FAULT_FAIL });
}

void fault_disarm(void)
{
    __atomic_store_n(&fault_armed, false, __ATOMIC_RELEASE);
    for (size_t i = 0; i < FAULT_COUNT; i++)
        fault_put(&faults[i], (struct fault){ .action = FAULT_FAIL });
}

uint64_t fault_count(enum fault_point point)
{
    return __atomic_load_n(&faults[point].passed, __ATOMIC_ACQUIRE);
}

#ifdef KITH_FAULTS
/* "point:n:action" */
static bool fault_arm_by_text(str text)
{
    str name, number, action;
    uint64_t nth;
    if (!str_split(&text, ':', &name) || !str_split(&text, ':', &number) ||
        !str_split(&text, ':', &action) || text.data != NULL || !str_to_uint64(number, &nth) ||
        nth == 0)
        return false;
    bool kills = str_equal(action, STR("kill"));
    bool repeats = str_equal(action, STR("fail-always"));
    if (!kills && !repeats && !str_equal(action, STR("fail")))
        return false;
    for (unsigned point = 0; point < FAULT_COUNT; point++)
        if (str_equal(name, str_from_c(fault_names[point]))) {
            fault_arm((enum fault_point)point, nth, kills ? FAULT_KILL : FAULT_FAIL, repeats);
            return true;
        }
    return false;
}

void fault_read_environment(void)
{
    str rest = str_from_c(getenv("KITH_FAULT"));
    str one;
    while (str_split(&rest, ',', &one))
        if (!fault_arm_by_text(one)) {
            log_line(LOG_ERROR, "fault_not_understood", "value=\"" STR_FMT "\" form=point:n:action",
                     STR_ARG(one));
            exit(EXIT_FAILURE);
        }
}
#else
void fault_read_environment(void)
{
    if (getenv("KITH_FAULT") != NULL) {
        log_line(LOG_ERROR, "fault_not_built",
                 "hint=\"KITH_FAULT needs a build with KITH_FAULTS (preset crash)\"");
        exit(EXIT_FAILURE);
    }
    (void)fault_names;
}
#endif
