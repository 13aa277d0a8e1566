/* SPDX-License-Identifier: Apache-2.0 */
/* What the log can take: durable events per second and the time to the answer, against a plain file
 * that is written and synced in the same way.
 *
 * Usage: log_append [folder] [seconds]   (default /tmp/kith-bench-log, 3)
 *
 * Then a steady 10,000 events per second in appends of 20, and reading back what is in the file.
 *
 * Events are JSON of 900 bytes as the doors see them, in appends of 8, 32, 128 and 1000. 'one':
 * a single appender that waits for each answer, so it is bound by the sync. 'many': two threads that
 * keep 256 appends on their way (32 of 1000). A reader takes every block, as the engine does.
 * 'plain': the same appends, the same group commit, write and fdatasync, nothing else: no
 * compression, no number, no checksum. Figures go to docs/benchmarks.md; nothing is asserted. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "log/log.h"

#define EVENT_BYTES 900
#define VARIANTS 48
#define THREADS_MAX 2
#define LATENCIES_MAX ((size_t)1 << 22)
#define GROUP_BYTES_MAX ((size_t)4 << 20)

static _Noreturn void give_up(const char *what, const char *detail)
{
    fprintf(stderr, "bench: %s: %s\n", what, detail);
    exit(1);
}

/* ---- events ---- */

static void write_event(struct buffer *out, struct random_stream *random)
{
    static const char *const channels[] = { "tmall", "jd", "douyin", "mini_program", "web" };
    static const char *const cities[] = { "上海", "杭州", "北京", "广州", "成都" };
    static const char *const names[] = { "水乳套装", "精华液 30ml", "防晒霜 SPF50", "面膜 10 片" };
    static const char *const models[] = { "iPhone15,2", "iPhone16,1", "V2309A", "23127PN0CC" };
    size_t begin = out->size;
    buffer_printf(
        out,
        "{\"type\":\"track\",\"event\":\"Order Paid\",\"messageId\":\"ajs-next-%016" PRIx64
        "%08x\",\"userId\":\"u%07u\",\"anonymousId\":\"%08x-%04x-4%03x-a%03x-%012" PRIx64
        "\",\"timestamp\":\"2026-11-11T%02u:%02u:%02u.%03uZ\",\"context\":{\"library\":"
        "{\"name\":\"analytics.js\",\"version\":\"1.70.0\"},\"ip\":\"10.%u.%u.%u\","
        "\"locale\":\"zh-CN\",\"timezone\":\"Asia/Shanghai\",\"device\":{\"model\":\"%s\"},"
        "\"page\":{\"path\":\"/product/%u\",\"referrer\":\"https://www.example.com/\"}},",
        random_next(random), (unsigned)random_below(random, UINT32_MAX),
        (unsigned)random_below(random, 8000000), (unsigned)random_below(random, UINT32_MAX),
        (unsigned)random_below(random, 65536), (unsigned)random_below(random, 4096),
        (unsigned)random_below(random, 4096), random_below(random, UINT64_C(1) << 48),
        (unsigned)random_below(random, 24), (unsigned)random_below(random, 60),
        (unsigned)random_below(random, 60), (unsigned)random_below(random, 1000),
        (unsigned)random_below(random, 256), (unsigned)random_below(random, 256),
        (unsigned)random_below(random, 256), models[random_below(random, 4)],
        (unsigned)random_below(random, 20000));
    buffer_printf(out,
                  "\"properties\":{\"order_id\":\"T%016" PRIu64
                  "\",\"channel\":\"%s\",\"city\":\"%s\","
                  "\"currency\":\"CNY\",\"revenue\":%u.%02u,\"coupon\":\"C%05u\",\"products\":[",
                  random_next(random), channels[random_below(random, 5)],
                  cities[random_below(random, 5)], (unsigned)random_below(random, 3000),
                  (unsigned)random_below(random, 100), (unsigned)random_below(random, 100000));
    while (out->size - begin < EVENT_BYTES - 150)
        buffer_printf(
            out,
            "{\"product_id\":\"p%05u\",\"sku\":\"S%06u\",\"name\":\"%s\",\"price\":%u.%02u,"
            "\"quantity\":%u,\"brand\":\"熟客\",\"category\":\"护肤\"},",
            (unsigned)random_below(random, 20000), (unsigned)random_below(random, 1000000),
            names[random_below(random, 4)], (unsigned)random_below(random, 900),
            (unsigned)random_below(random, 100), 1 + (unsigned)random_below(random, 5));
    buffer_append_str(out, STR("{}],\"note\":\""));
    while (out->size - begin < EVENT_BYTES - 3)
        buffer_append_byte(out,
                           (uint8_t) "abcdefghijklmnopqrstuvwxyz 01234"[random_below(random, 32)]);
    buffer_append_str(out, STR("\"}}"));
    out->size = begin + EVENT_BYTES;
}

static struct buffer variants[VARIANTS];

static void make_variants(uint32_t events)
{
    struct random_stream random;
    struct buffer body;
    random_seed(&random, 20261111);
    buffer_init(&body, 4096);
    for (size_t i = 0; i < VARIANTS; i++) {
        buffer_deinit(&variants[i]);
        buffer_init(&variants[i], (size_t)64 << 20);
        for (uint32_t j = 0; j < events; j++) {
            buffer_clear(&body);
            write_event(&body, &random);
            log_record_write(&variants[i], LOG_RECORD_EVENT, buffer_str(&body));
        }
    }
    buffer_deinit(&body);
}

/* ---- appenders ---- */

struct sink {
    struct log *log;    /* or: */
    struct queue plain; /* the plain file's */
    int file;
    pthread_t thread;
    _Atomic uint64_t syncs;
};

struct slot {
    struct log_append append;
    struct appender *appender;
    int64_t start_ns;
};

struct appender {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    struct sink *sink;
    struct slot *slots;
    struct slot **free;
    size_t slot_count, free_count;
    uint32_t events;
    int64_t gap_ns; /* 0: as fast as it goes */
    uint64_t done_events;
    uint32_t *latencies_us;
    size_t latency_count;
    _Atomic bool *stop;
};

static int64_t now_ns(void)
{
    return steady_now().ns;
}

static void on_durable(struct log_append *append, err error)
{
    struct slot *slot = append->context;
    struct appender *appender = slot->appender;
    if (error != ERR_OK)
        give_up("append", err_code(error));
    uint32_t us = (uint32_t)((now_ns() - slot->start_ns) / 1000);
    pthread_mutex_lock(&appender->mutex);
    if (appender->latency_count < LATENCIES_MAX)
        appender->latencies_us[appender->latency_count++] = us;
    appender->done_events += append->count;
    appender->free[appender->free_count++] = slot;
    if (appender->free_count == 1 || appender->free_count == appender->slot_count)
        pthread_cond_signal(&appender->freed);
    pthread_mutex_unlock(&appender->mutex);
}

static struct slot *take_slot(struct appender *appender)
{
    pthread_mutex_lock(&appender->mutex);
    while (appender->free_count == 0)
        pthread_cond_wait(&appender->freed, &appender->mutex);
    struct slot *slot = appender->free[--appender->free_count];
    pthread_mutex_unlock(&appender->mutex);
    return slot;
}

static void put(struct sink *sink, struct log_append *append)
{
    if (sink->log == NULL) {
        if (!queue_put(&sink->plain, &append->item, append->records.size))
            give_up("plain", "queue is full");
        return;
    }
    err error = log_append(sink->log, append);
    if (error != ERR_OK)
        give_up("append", err_code(error));
}

static void *wait_for_all(struct appender *appender)
{
    pthread_mutex_lock(&appender->mutex);
    while (appender->free_count < appender->slot_count)
        pthread_cond_wait(&appender->freed, &appender->mutex);
    pthread_mutex_unlock(&appender->mutex);
    return NULL;
}

static void *appender_run(void *context)
{
    struct appender *appender = context;
    size_t variant = 0;
    while (!atomic_load_explicit(appender->stop, memory_order_relaxed)) {
        struct slot *slot = take_slot(appender);
        slot->append = (struct log_append){
            .records = buffer_str(&variants[variant++ % VARIANTS]),
            .count = appender->events,
            .durable = on_durable,
            .context = slot,
        };
        slot->start_ns = now_ns();
        put(appender->sink, &slot->append);
    }
    return wait_for_all(appender);
}

/* The same, but an append every `gap_ns`, whether the last is answered or not: what a client of a
 * calm server sees. */
static void *pacer_run(void *context)
{
    struct appender *appender = context;
    size_t variant = 0;
    int64_t due_ns = now_ns();
    while (!atomic_load_explicit(appender->stop, memory_order_relaxed)) {
        due_ns += appender->gap_ns;
        struct timespec due = { .tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000 };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        struct slot *slot = take_slot(appender);
        slot->append = (struct log_append){
            .records = buffer_str(&variants[variant++ % VARIANTS]),
            .count = appender->events,
            .durable = on_durable,
            .context = slot,
        };
        slot->start_ns = due_ns;
        put(appender->sink, &slot->append);
    }
    return wait_for_all(appender);
}

/* ---- the plain file ---- */

static void write_all(int file, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = write(file, at, size);
        if (written <= 0)
            give_up("plain", "write failed");
        at += written;
        size -= (size_t)written;
    }
}

static void *plain_run(void *context)
{
    struct sink *sink = context;
    for (;;) {
        struct queue_item *items = queue_take(&sink->plain, GROUP_BYTES_MAX, -1);
        if (items == NULL)
            return NULL;
        for (struct queue_item *item = items; item != NULL; item = item->next) {
            struct log_append *append = queue_entry(item, struct log_append, item);
            write_all(sink->file, append->records.data, append->records.size);
        }
        if (fdatasync(sink->file) != 0)
            give_up("plain", "fdatasync failed");
        atomic_fetch_add(&sink->syncs, 1);
        while (items != NULL) {
            struct queue_item *next = items->next;
            struct log_append *append = queue_entry(items, struct log_append, item);
            append->durable(append, ERR_OK);
            items = next;
        }
    }
}

static void *reader_run(void *context)
{
    struct log *log = context;
    struct problem problem = { 0 };
    struct log_block *block = NULL;
    do {
        if (log_next(log, 1000, &block, &problem) != ERR_OK)
            give_up("reader", problem.detail);
        bool done = block == NULL;
        log_block_release(&block);
        if (done)
            return NULL;
    } while (true);
}

/* ---- a run ---- */

static int compare_u32(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

struct figures {
    double events_per_s, cpu_us_per_event;
    uint32_t p50_us, p99_us, p999_us, max_us;
};

struct load {
    uint32_t events;       /* per append */
    size_t threads, slots; /* appends on their way, per thread */
    int64_t gap_ns;
    double seconds;
};

static double cpu_s(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void appender_start(struct appender *appender, struct sink *sink, const struct load *load,
                           _Atomic bool *stop)
{
    *appender = (struct appender){
        .sink = sink,
        .slot_count = load->slots,
        .free_count = load->slots,
        .events = load->events,
        .gap_ns = load->gap_ns,
        .stop = stop,
        .latencies_us = malloc(LATENCIES_MAX * sizeof *appender->latencies_us),
        .slots = calloc(load->slots, sizeof *appender->slots),
        .free = calloc(load->slots, sizeof *appender->free),
    };
    pthread_mutex_init(&appender->mutex, NULL);
    pthread_cond_init(&appender->freed, NULL);
    for (size_t i = 0; i < load->slots; i++) {
        appender->slots[i].appender = appender;
        appender->free[i] = &appender->slots[i];
    }
    pthread_create(&appender->thread, NULL, load->gap_ns > 0 ? pacer_run : appender_run, appender);
}

static struct figures measure(struct sink *sink, const struct load *load)
{
    static struct appender appenders[THREADS_MAX];
    static uint32_t latencies[THREADS_MAX * LATENCIES_MAX];
    _Atomic bool stop = false;
    size_t count = 0;
    uint64_t done = 0;
    double cpu_before = cpu_s();
    steady_ns start = steady_now();
    for (size_t i = 0; i < load->threads; i++)
        appender_start(&appenders[i], sink, load, &stop);
    steady_sleep_ms((int64_t)(load->seconds * 1000));
    atomic_store(&stop, true);
    for (size_t i = 0; i < load->threads; i++)
        pthread_join(appenders[i].thread, NULL);
    double elapsed = (double)steady_since_us(start) / 1e6;
    double cpu = cpu_s() - cpu_before;
    for (size_t i = 0; i < load->threads; i++) {
        struct appender *appender = &appenders[i];
        memcpy(latencies + count, appender->latencies_us,
               appender->latency_count * sizeof *latencies);
        count += appender->latency_count;
        done += appender->done_events;
        free(appender->latencies_us);
        free(appender->slots);
        free(appender->free);
    }
    qsort(latencies, count, sizeof *latencies, compare_u32);
    return (struct figures){ .events_per_s = (double)done / elapsed,
                             .cpu_us_per_event = cpu * 1e6 / (double)done,
                             .p50_us = latencies[count / 2],
                             .p99_us = latencies[count * 99 / 100],
                             .p999_us = latencies[count * 999 / 1000],
                             .max_us = latencies[count - 1] };
}

static size_t checkpoint_bytes; /* 0: the log's default */

static struct log *open_log(const char *path)
{
    static struct wall_clock clock;
    struct problem problem = { 0 };
    struct log *log = NULL;
    wall_clock_init_real(&clock);
    struct log_config config = { .path = path,
                                 .clock = &clock,
                                 .checkpoint_bytes = checkpoint_bytes };
    if (log_open(&log, &config, &problem) != ERR_OK)
        give_up("log", problem.detail);
    return log;
}

static struct figures measure_log(const char *path, const struct load *load)
{
    struct problem problem = { 0 };
    struct sink sink = { .log = open_log(path) };
    pthread_t reader;
    if (log_follow(sink.log, log_last_seq(sink.log) + 1, &problem) != ERR_OK)
        give_up("log", problem.detail);
    pthread_create(&reader, NULL, reader_run, sink.log);
    struct figures figures = measure(&sink, load);
    pthread_join(reader, NULL);
    log_close(&sink.log);
    return figures;
}

static struct figures measure_plain(const char *path, const struct load *load)
{
    struct sink sink = { .file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644) };
    if (sink.file < 0)
        give_up("plain", "cannot open");
    queue_init(&sink.plain, SIZE_MAX);
    pthread_create(&sink.thread, NULL, plain_run, &sink);
    struct figures figures = measure(&sink, load);
    queue_close(&sink.plain);
    pthread_join(sink.thread, NULL);
    queue_deinit(&sink.plain);
    close(sink.file);
    unlink(path);
    return figures;
}

/* Everything that the last run has left, as an engine reads it after a crash. */
static void measure_reading(const char *path)
{
    struct problem problem = { 0 };
    struct log_block *block = NULL;
    steady_ns start = steady_now();
    struct log *log = open_log(path);
    double open_ms = (double)steady_since_us(start) / 1000;
    uint64_t records = 0;
    start = steady_now();
    if (log_follow(log, log_first_seq(log), &problem) != ERR_OK)
        give_up("follow", problem.detail);
    do {
        if (log_next(log, 0, &block, &problem) != ERR_OK)
            give_up("read", problem.detail);
        records += block != NULL ? block->count : 0;
        bool done = block == NULL;
        log_block_release(&block);
        if (done)
            break;
    } while (true);
    double elapsed = (double)steady_since_us(start) / 1e6;
    printf("read back %" PRIu64 " events: %.0f ev/s; opened in %.1f ms, %.0f bytes per event\n",
           records, (double)records / elapsed, open_ms, (double)log_bytes(log) / (double)records);
    log_close(&log);
}

static void print_row(const char *name, uint32_t events, const struct figures *log,
                      const struct figures *plain)
{
    printf("%-6s %4u | %9.0f ev/s  p50 %6.2f ms  p99 %6.2f ms  cpu %5.2f us/ev | plain %9.0f ev/s  "
           "p50 %6.2f ms  p99 %6.2f ms | ratio %.2f\n",
           name, events, log->events_per_s, log->p50_us / 1000.0, log->p99_us / 1000.0,
           log->cpu_us_per_event, plain->events_per_s, plain->p50_us / 1000.0,
           plain->p99_us / 1000.0, log->events_per_s / plain->events_per_s);
    fflush(stdout);
}

static void remove_log(const char *path)
{
    static const char *const tails[] = { "", "-wal", "-mark", "-journal" };
    char name[512];
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, tails[i]);
        (void)unlink(name);
    }
}

static void compare(const char *name, const char *log_path, const char *plain_path,
                    const struct load *load)
{
    make_variants(load->events);
    remove_log(log_path);
    struct figures log = measure_log(log_path, load);
    struct figures plain = measure_plain(plain_path, load);
    print_row(name, load->events, &log, &plain);
}

/* 10,000 events a second in appends of 20, by how much of the write-ahead log calls for a checkpoint.
 * In turns, so that what else the machine does hits all of them. */
static void compare_checkpoints(const char *path, double seconds)
{
    static const size_t sizes_kb[] = { 512, 1024, 2048, 4096, 8192, 32768 };
    struct load steady = {
        .events = 20, .threads = 1, .slots = 4096, .gap_ns = 2000000, .seconds = seconds
    };
    make_variants(steady.events);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof sizes_kb / sizeof sizes_kb[0]; i++) {
            checkpoint_bytes = sizes_kb[i] << 10;
            remove_log(path);
            struct figures log = measure_log(path, &steady);
            printf(
                "checkpoint %5zu KB | p50 %6.2f ms  p99 %6.2f ms  p99.9 %6.2f ms  max %7.2f ms\n",
                sizes_kb[i], log.p50_us / 1000.0, log.p99_us / 1000.0, log.p999_us / 1000.0,
                log.max_us / 1000.0);
            fflush(stdout);
        }
    }
    remove_log(path);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = { 8, 32, 128, 1000 };
    const char *folder = argc > 1 ? argv[1] : "/tmp/kith-bench-log";
    double seconds = 3;
    char log_path[256], plain_path[256];
    if (argc > 2 && !str_to_double(str_from_c(argv[2]), &seconds))
        give_up("usage", "log_append [folder] [seconds]");
    (void)mkdir(folder, 0755);
    snprintf(log_path, sizeof log_path, "%s/log.db", folder);
    snprintf(plain_path, sizeof plain_path, "%s/plain", folder);
    if (argc > 3 && strcmp(argv[3], "checkpoints") == 0) {
        compare_checkpoints(log_path, seconds);
        return 0;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint32_t events = sizes[i];
        struct load one = { .events = events, .threads = 1, .slots = 1, .seconds = seconds };
        struct load many = { .events = events,
                             .threads = THREADS_MAX,
                             .slots = events == 1000 ? 16 : 128,
                             .seconds = seconds };
        compare("one", log_path, plain_path, &one);
        compare("many", log_path, plain_path, &many);
    }
    measure_reading(log_path);
    struct load steady = {
        .events = 20, .threads = 1, .slots = 4096, .gap_ns = 2000000, .seconds = 2 * seconds
    };
    compare("steady", log_path, plain_path, &steady);
    remove_log(log_path);
    return 0;
}
