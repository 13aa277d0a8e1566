/* SPDX-License-Identifier: Apache-2.0 */
/* Wall time that follows the machine's clock, but not its jumps; see struct clock_guard. */
#include "base/clock_guard.h"

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "base/logline.h"
#include "base/metric.h"

#define MILLISECOND_NS INT64_C(1000000)
#define SECOND_NS (1000 * MILLISECOND_NS)
#define LOOK_EVERY_NS (100 * MILLISECOND_NS)
/* So much of what has passed is drift. */
#define DRIFT_SHARE 50
/* Two clocks that are read so far apart say nothing of each other: the thread had to wait in between. */
#define READING_NS (5 * MILLISECOND_NS)
#define SMALL_STEP_NS (2 * SECOND_NS)
#define SMALL_STANDS_NS (10 * SECOND_NS)
#define LARGE_STEP_NS (24 * 3600 * SECOND_NS)
#define STANDS_NS (15 * 60 * SECOND_NS)

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

static void follow(struct clock_guard *guard, int64_t step_ns)
{
    atomic_fetch_add(&guard->offset_ns, step_ns);
    atomic_store(&guard->step_ns, 0);
    metric_set(METRIC_CLOCK_STEP_MS, 0);
    guard->stands_since_ns = 0;
}

static bool has_stood(const struct clock_guard *guard, int64_t step_ns, int64_t at_ns)
{
    int64_t size_ns = distance(step_ns, 0), stood_ns = at_ns - guard->stands_since_ns;
    if (size_ns >= LARGE_STEP_NS)
        return false;
    return stood_ns >= (size_ns < SMALL_STEP_NS ? SMALL_STANDS_NS : STANDS_NS);
}

static void note_step(struct clock_guard *guard, int64_t step_ns, int64_t tolerated_ns,
                      int64_t at_ns)
{
    bool is_new = atomic_load(&guard->step_ns) == 0;
    if (guard->stands_since_ns == 0 || distance(step_ns, guard->stands_at_ns) > tolerated_ns) {
        guard->stands_since_ns = at_ns;
        guard->stands_at_ns = step_ns;
    }
    atomic_store(&guard->step_ns, step_ns);
    metric_set(METRIC_CLOCK_STEP_MS, step_ns / MILLISECOND_NS);
    if (is_new)
        log_line(LOG_WARN, "clock_stepped",
                 "by_ms=%" PRId64
                 " hint=\"time goes on as before; look after the machine's clock\"",
                 step_ns / MILLISECOND_NS);
    if (has_stood(guard, step_ns, at_ns)) {
        log_line(LOG_WARN, "clock_followed", "by_ms=%" PRId64, step_ns / MILLISECOND_NS);
        follow(guard, step_ns);
    }
}

/* Who comes by compares the two; the others go on with what is known. */
static void look(struct clock_guard *guard)
{
    int64_t before_ns = guard->steady_ns(guard->context);
    int64_t wall_ns = guard->wall_ns(guard->context);
    int64_t at_ns = guard->steady_ns(guard->context);
    int64_t looked_ns = atomic_load(&guard->looked_ns);
    if (at_ns - before_ns > READING_NS)
        return;
    int64_t step_ns = wall_ns - (at_ns + atomic_load(&guard->offset_ns));
    int64_t tolerated_ns = READING_NS + (at_ns - looked_ns) / DRIFT_SHARE;
    if (distance(step_ns, 0) <= tolerated_ns)
        follow(guard, step_ns);
    else
        note_step(guard, step_ns, tolerated_ns, at_ns);
    atomic_store(&guard->looked_ns, at_ns);
}

void clock_guard_init(struct clock_guard *guard, int64_t (*wall_ns)(void *context),
                      int64_t (*since_boot_ns)(void *context), void *context)
{
    guard->wall_ns = wall_ns;
    guard->steady_ns = since_boot_ns;
    guard->context = context;
    int64_t now_ns = since_boot_ns(context);
    atomic_init(&guard->offset_ns, wall_ns(context) - now_ns);
    atomic_init(&guard->step_ns, 0);
    atomic_init(&guard->looked_ns, now_ns);
    atomic_init(&guard->is_looking, false);
    guard->stands_since_ns = guard->stands_at_ns = 0;
}

int64_t clock_guard_now_ms(struct clock_guard *guard)
{
    int64_t at_ns = guard->steady_ns(guard->context);
    if (at_ns - atomic_load_explicit(&guard->looked_ns, memory_order_relaxed) >= LOOK_EVERY_NS &&
        !atomic_exchange(&guard->is_looking, true)) {
        look(guard);
        atomic_store(&guard->is_looking, false);
    }
    return (at_ns + atomic_load_explicit(&guard->offset_ns, memory_order_relaxed)) / MILLISECOND_NS;
}

/* ---- the process's ---- */

static int64_t read_clock(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t machine_wall_ns(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

/* With the time that the machine slept. */
static int64_t machine_steady_ns(void *context)
{
    (void)context;
    return read_clock(CLOCK_BOOTTIME);
}

static struct clock_guard process;
static pthread_once_t process_once = PTHREAD_ONCE_INIT;

static void process_init(void)
{
    clock_guard_init(&process, machine_wall_ns, machine_steady_ns, NULL);
}

struct clock_guard *clock_guard_of_process(void)
{
    pthread_once(&process_once, process_init);
    return &process;
}
