/* SPDX-License-Identifier: Apache-2.0 */
/* The way of an event behind the doors: append, sync, apply, commit, flush; without HTTP and JSON.
 *
 *     engine [--customers 1000000] [--events 5000000] [--batch 50] [--identifiers 2] [--folder DIR]
 *            [--no-warehouse]
 *
 * Each customer has a user id and an anonymous id, and with --identifiers 3 a member card; first all of them are made known, then the events are
 * timed. Prints events per second and the processor time that each thread took in each of the two
 * steps, which is where the budget of 25 µs per event goes.
 */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/arena.h"
#include "engine/engine.h"
#include "event/normalise.h"

struct options {
    uint64_t customers, events, batch, identifiers;
    const char *folder;
    bool no_warehouse;
};

static const char PROPS[] =
    "{\"product_id\":\"p-104822\",\"sku\":\"G-32-8M\",\"name\":\"清润保湿精华水 200ml\",\"price\":189.9,"
    "\"quantity\":1,\"category\":\"护肤/化妆水\",\"brand\":\"花信\",\"url\":\"https://m.example.com/goods/"
    "104822?spm=a1z10.3-b-s.w4011\",\"list_id\":\"618-main-venue\",\"position\":7,\"variant\":\"200ml\","
    "\"referrer\":\"https://m.example.com/618/main\",\"coupon\":\"\",\"shop\":\"tmall-flagship\","
    "\"stock\":883,\"is_new\":false,\"image_url\":\"https://img.example.com/g/104822/main.jpg\"}";

static void identify(const struct keys *keys, struct arena *arena, struct event *event,
                     const char *type, const char *namespace_, uint64_t number)
{
    char value[32];
    err error = ERR_OK;
    int size = snprintf(value, sizeof value, "%.1s%llu", type, (unsigned long long)number);
    if (identifier_make(keys, arena, str_from_c(type), str_from_c(namespace_),
                        (str){ value, (size_t)size }, IDENTIFIER_VERIFIED,
                        &event->identifiers[event->identifier_count], &error) == NORMAL_USABLE)
        event->identifier_count++;
}

static void write_event(const struct keys *keys, struct arena *arena, struct buffer *body,
                        struct buffer *records, uint64_t number, uint64_t customer,
                        uint64_t identifier_count)
{
    struct event_identifier identifiers[3];
    struct event event = { .kind = EVENT_TRACK,
                           .flags = EVENT_TRUSTED | EVENT_TIME_GIVEN,
                           .source_number = 1,
                           .type = STR("Product Viewed"),
                           .channel = STR("web"),
                           .time_ms = INT64_C(1760000000000) + (int64_t)(number % 1000000000),
                           .identifiers = identifiers,
                           .shape = 618,
                           .promoted_set = 1u << PROMOTED_PRODUCT_ID | 1u << PROMOTED_PRICE,
                           .props = { PROPS, sizeof PROPS - 1 } };
    hash128 key = hash_bytes128(&number, sizeof number, 1);
    memcpy(event.message_key, &key, sizeof event.message_key);
    event.promoted_text[PROMOTED_PRODUCT_ID] = STR("p-104822");
    event.promoted_int[PROMOTED_PRICE] = 18990;
    arena_reset(arena);
    buffer_clear(body);
    identify(keys, arena, &event, "user_id", "", customer);
    identify(keys, arena, &event, "anonymous_id", "web", customer);
    if (identifier_count > 2)
        identify(keys, arena, &event, "member_card", "", customer);
    if (event_encode(body, &event, NULL) == ERR_OK)
        log_record_write(records, LOG_RECORD_EVENT, buffer_str(body));
}

/* Appends in flight: buffers are used again when they are durable. */
#define FLIGHT 64

struct flight {
    struct log_append append;
    struct buffer records;
    _Atomic bool busy;
};

static void landed(struct log_append *append, err error)
{
    struct flight *flight = queue_entry(append, struct flight, append);
    if (error != ERR_OK) {
        fprintf(stderr, "append failed: %s\n", err_code(error));
        exit(1);
    }
    atomic_store(&flight->busy, false);
}

static void send_events(struct engine *engine, const struct options *options, uint64_t from,
                        uint64_t count, bool in_order)
{
    static struct flight flights[FLIGHT];
    struct arena arena;
    struct buffer body;
    struct random_stream random;
    arena_init(&arena, "bench", (size_t)1 << 20);
    buffer_init(&body, EVENT_BYTES_MAX);
    random_seed(&random, from);
    size_t next = 0;
    for (uint64_t number = from; number < from + count;) {
        struct flight *flight = &flights[next++ % FLIGHT];
        while (atomic_load(&flight->busy))
            usleep(50);
        buffer_init(&flight->records, (size_t)16 << 20);
        uint32_t made = 0;
        for (; made < options->batch && number < from + count; made++, number++)
            write_event(engine_keys(engine), &arena, &body, &flight->records, number,
                        in_order ? number % options->customers
                                 : random_below(&random, options->customers),
                        options->identifiers);
        flight->append = (struct log_append){ .records = buffer_str(&flight->records),
                                              .count = made,
                                              .durable = landed };
        atomic_store(&flight->busy, true);
        err error;
        while ((error = engine_append(engine, &flight->append)) == ERR_BUSY)
            usleep(500);
        if (error != ERR_OK)
            exit(1);
    }
    for (size_t index = 0; index < FLIGHT; index++) {
        while (atomic_load(&flights[index].busy))
            usleep(50);
    }
    buffer_deinit(&body);
    arena_deinit(&arena);
}

/* A line of /proc/…/stat: number (name) state, then figures, of which utime is the 12th after the name. */
static bool read_ticks(const char *line, char name[32], unsigned long *user, unsigned long *system)
{
    const char *begin = strchr(line, '('), *end = strrchr(line, ')');
    if (begin == NULL || end == NULL)
        return false;
    snprintf(name, 32, "%.*s", (int)(end - begin - 1), begin + 1);
    for (int field = 0; field < 12 && end != NULL; field++)
        end = strchr(end + 1, ' ');
    if (end == NULL)
        return false;
    char *rest;
    *user = strtoul(end, &rest, 10);
    *system = strtoul(rest, NULL, 10);
    return true;
}

/* Threads of this process as they were at the last look, so that each step has its own figures. Numbers of
 * threads are not given anew within a run of this length. */
#define THREADS_MAX 256
static struct seen {
    char number[24];
    unsigned long user, system;
} seen[THREADS_MAX];

static struct seen *seen_of(const char *number)
{
    size_t at = 0;
    while (at < THREADS_MAX - 1 && seen[at].number[0] != '\0' &&
           strcmp(seen[at].number, number) != 0)
        at++;
    snprintf(seen[at].number, sizeof seen[at].number, "%.20s", number);
    return &seen[at];
}

/* utime and stime of each thread since the last look, by event; nothing is printed for none. */
static void print_threads(uint64_t events)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    double tick_us = 1e6 / (double)sysconf(_SC_CLK_TCK);
    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        char path[64], line[512], name[32] = "";
        unsigned long user = 0, system = 0;
        snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", task->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        if (fgets(line, sizeof line, file) != NULL && read_ticks(line, name, &user, &system)) {
            struct seen *before = seen_of(task->d_name);
            unsigned long more = user + system - before->user - before->system;
            if (events > 0 && more > 0)
                printf("  %-16s user %6.2f us  system %6.2f us per event\n", name,
                       (double)(user - before->user) * tick_us / (double)events,
                       (double)(system - before->system) * tick_us / (double)events);
            before->user = user;
            before->system = system;
        }
        fclose(file);
    }
    if (tasks != NULL)
        closedir(tasks);
}

static struct options read_options(int argc, char **argv)
{
    struct options options = { 1000000, 5000000, 50, 2, "/tmp/kith_bench_engine", false };
    static const struct option NAMES[] = { { "customers", required_argument, NULL, 'c' },
                                           { "events", required_argument, NULL, 'e' },
                                           { "batch", required_argument, NULL, 'b' },
                                           { "folder", required_argument, NULL, 'f' },
                                           { "no-warehouse", no_argument, NULL, 'n' },
                                           { "identifiers", required_argument, NULL, 'i' },
                                           { NULL, 0, NULL, 0 } };
    int option;
    while ((option = getopt_long(argc, argv, "", NAMES, NULL)) != -1) {
        if (option == 'c')
            options.customers = strtoull(optarg, NULL, 10);
        else if (option == 'e')
            options.events = strtoull(optarg, NULL, 10);
        else if (option == 'b')
            options.batch = strtoull(optarg, NULL, 10);
        else if (option == 'i')
            options.identifiers = strtoull(optarg, NULL, 10);
        else if (option == 'f')
            options.folder = optarg;
        else if (option == 'n')
            options.no_warehouse = true;
        else
            exit(2);
    }
    return options;
}

static double seconds_since(steady_ns start)
{
    return (double)(steady_now().ns - start.ns) / 1e9;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct wall_clock clock;
    struct engine *engine = NULL;
    struct problem problem = { .error = ERR_OK };
    wall_clock_init_real(&clock);
    prctl(PR_SET_NAME, "bench sender");
    struct engine_config config = { .folder = options.folder,
                                    .clock = &clock,
                                    .without_warehouse = options.no_warehouse,
                                    .warehouse = { .program = getenv("KITH_BINARY") } };
    steady_ns start = steady_now();
    if (engine_open(&engine, &config, &problem) != ERR_OK) {
        fprintf(stderr, "%s\n", problem.detail);
        return 1;
    }
    printf("opened in %.2f s\n", seconds_since(start));
    print_threads(0);
    struct engine_status status;
    engine_status(engine, &status);
    if (status.customers < options.customers) {
        start = steady_now();
        send_events(engine, &options, 1, options.customers, true);
        if (engine_settle(engine, true, 600000) != ERR_OK)
            return 1;
        printf("%llu new customers: %.0f events/s\n", (unsigned long long)options.customers,
               (double)options.customers / seconds_since(start));
        print_threads(options.customers);
    }
    start = steady_now();
    uint64_t first = (uint64_t)time(NULL) * 10000000;
    send_events(engine, &options, first, options.events, false);
    double durable_s = seconds_since(start);
    if (engine_settle(engine, false, 600000) != ERR_OK)
        return 1;
    double committed_s = seconds_since(start);
    if (engine_settle(engine, true, 600000) != ERR_OK)
        return 1;
    double flushed_s = seconds_since(start);
    double events = (double)options.events;
    printf("known customers: durable %.0f events/s, committed %.0f, in the warehouse %.0f\n",
           events / durable_s, events / committed_s, events / flushed_s);
    print_threads(options.events);
    engine_status(engine, &status);
    printf("customers %u, identity %.1f MB, profile %.1f MB, message keys %zu\n", status.customers,
           (double)status.identity_bytes / 1e6, (double)status.profile_bytes / 1e6,
           status.message_keys);
    engine_close(&engine, 30000);
    return 0;
}
