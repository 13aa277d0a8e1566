/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics as one cache line each, so that threads that count different things do not meet. */
#include "base/metric.h"

#include <inttypes.h>
#include <stdalign.h>
#include <stdatomic.h>

#include "base/error.h"

enum metric_kind { COUNTER, GAUGE, HISTOGRAM };

/* Bucket i holds values up to 2^i microseconds; the last takes the rest (above 134 s). */
#define HISTOGRAM_BUCKETS 28

static const struct {
    const char *name;
    const char *help;
    enum metric_kind kind;
} metric_rows[METRIC_COUNT] = {
#define X(id, text, metric_kind, words) \
    [METRIC_##id] = { .name = text, .help = words, .kind = metric_kind },
    METRIC_TABLE(X)
#undef X
};

/* `value` is the count of a histogram. */
struct cell {
    alignas(64) _Atomic int64_t value;
    _Atomic int64_t sum_us;
};
static struct cell cells[METRIC_COUNT];
static _Atomic int64_t buckets[METRIC_COUNT][HISTOGRAM_BUCKETS];

void metric_add(enum metric metric, int64_t amount)
{
    INVARIANT((unsigned)metric < METRIC_COUNT && metric_rows[metric].kind == COUNTER);
    atomic_fetch_add_explicit(&cells[metric].value, amount, memory_order_relaxed);
}

void metric_set(enum metric metric, int64_t value)
{
    INVARIANT((unsigned)metric < METRIC_COUNT && metric_rows[metric].kind == GAUGE);
    atomic_store_explicit(&cells[metric].value, value, memory_order_relaxed);
}

/* The smallest i with value <= 2^i. */
static unsigned bucket_of(int64_t microseconds)
{
    if (microseconds <= 1)
        return 0;
    unsigned bits = 64 - (unsigned)__builtin_clzll((unsigned long long)microseconds - 1);
    return bits < HISTOGRAM_BUCKETS ? bits : HISTOGRAM_BUCKETS - 1;
}

void metric_observe_us(enum metric metric, int64_t microseconds)
{
    INVARIANT((unsigned)metric < METRIC_COUNT && metric_rows[metric].kind == HISTOGRAM);
    atomic_fetch_add_explicit(&buckets[metric][bucket_of(microseconds)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&cells[metric].sum_us, microseconds, memory_order_relaxed);
    atomic_fetch_add_explicit(&cells[metric].value, 1, memory_order_relaxed);
}

int64_t metric_value(enum metric metric)
{
    INVARIANT((unsigned)metric < METRIC_COUNT);
    return atomic_load_explicit(&cells[metric].value, memory_order_relaxed);
}

/* Count and buckets come from one reading of the buckets, so that they agree with each other. */
static void write_histogram(struct buffer *out, enum metric metric)
{
    const char *name = metric_rows[metric].name;
    int64_t below = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        below += atomic_load_explicit(&buckets[metric][i], memory_order_relaxed);
        buffer_printf(out, "%s_bucket{le=\"%" PRId64 "\"} %" PRId64 "\n", name, INT64_C(1) << i,
                      below);
    }
    below += atomic_load_explicit(&buckets[metric][HISTOGRAM_BUCKETS - 1], memory_order_relaxed);
    buffer_printf(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n", name, below);
    buffer_printf(out, "%s_sum %" PRId64 "\n%s_count %" PRId64 "\n", name,
                  atomic_load_explicit(&cells[metric].sum_us, memory_order_relaxed), name, below);
}

void metric_write_prometheus(struct buffer *out)
{
    static const char *const kind_names[] = { "counter", "gauge", "histogram" };
    for (unsigned metric = 0; metric < METRIC_COUNT; metric++) {
        const char *name = metric_rows[metric].name;
        buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, metric_rows[metric].help, name,
                      kind_names[metric_rows[metric].kind]);
        if (metric_rows[metric].kind == HISTOGRAM)
            write_histogram(out, (enum metric)metric);
        else
            buffer_printf(out, "%s %" PRId64 "\n", name, metric_value((enum metric)metric));
    }
}
