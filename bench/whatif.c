/* SPDX-License-Identifier: Apache-2.0 */
/* What would happen: a journey of four rounds over the last days of many customers, on an overlay, while the engine goes on.
 *
 *     whatif [--customers 1000000] [--events 2000000] [--days 90] [--folder DIR] [--runs 2] [--threads 2] [--beside 0]
 *
 * Each customer has a user id, a phone and a consent from before; then come orders (60 %), refunds (10 %) and views (30 %), spread evenly over
 * the days on the virtual clock. A folder that is there is used again. With --beside N a sender appends N events a second
 * while it runs, and what its appends waited is printed. Prints the stages of each run and the memory of the process.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "engine/engine.h"
#include "engine/whatif/whatif.h"
#include "event/normalise.h"

struct options {
    uint64_t customers, events, days, runs, beside, threads;
    const char *folder;
};

#define END_MS INT64_C(1781827200000)
#define BATCH 400
#define FLIGHT 64

static void identify(const struct keys *keys, struct arena *arena, struct event *event,
                     const char *type, uint64_t number)
{
    char value[32];
    err error = ERR_OK;
    bool is_phone = strcmp(type, "mobile") == 0;
    int size =
        snprintf(value, sizeof value, is_phone ? "138%08llu" : "u%llu", (unsigned long long)number);
    if (identifier_make(keys, arena, str_from_c(type), STR_NONE, (str){ value, (size_t)size },
                        IDENTIFIER_VERIFIED, &event->identifiers[event->identifier_count],
                        &error) == NORMAL_USABLE)
        event->identifier_count++;
}

static void write_event(const struct keys *keys, struct arena *arena, struct buffer *body,
                        struct buffer *records, uint64_t number, uint64_t customer, int64_t at_ms,
                        const char *type)
{
    struct event_identifier identifiers[2];
    char props[256], order[32];
    bool is_consent = strncmp(type, "Consent", 7) == 0, is_order = strncmp(type, "Order", 5) == 0;
    struct event event = { .kind = EVENT_TRACK,
                           .flags = EVENT_TRUSTED | EVENT_TIME_GIVEN,
                           .source_number = 1,
                           .type = str_from_c(type),
                           .channel = number % 3 == 0 ? STR("tmall") : STR("mini_program"),
                           .time_ms = at_ms,
                           .identifiers = identifiers };
    hash128 key = hash_bytes128(&number, sizeof number, 1);
    memcpy(event.message_key, &key, sizeof event.message_key);
    snprintf(order, sizeof order, "o%llu", (unsigned long long)(number - (number % 7 == 0)));
    if (is_consent)
        snprintf(props, sizeof props, "{\"purpose\":\"marketing\"}");
    else
        snprintf(
            props, sizeof props,
            "{\"order_id\":\"%s\",\"revenue\":%llu.00,\"channel\":\"%s\",\"item\":\"清润保湿精华水 "
            "200ml\",\"quantity\":1,\"coupon\":\"\"}",
            order, (unsigned long long)(50 + number % 400),
            number % 3 == 0 ? "tmall" : "mini_program");
    event.props = str_from_c(props);
    if (is_order) {
        event.promoted_set =
            1u << PROMOTED_ORDER_ID | 1u << PROMOTED_REVENUE | 1u << PROMOTED_CURRENCY;
        event.promoted_text[PROMOTED_ORDER_ID] = str_from_c(order);
        event.promoted_text[PROMOTED_CURRENCY] = STR("CNY");
        event.promoted_int[PROMOTED_REVENUE] = (int64_t)(50 + number % 400) * 100;
    }
    arena_reset(arena);
    buffer_clear(body);
    identify(keys, arena, &event, "user_id", customer);
    if (is_consent)
        identify(keys, arena, &event, "mobile", customer);
    identifiers_sort(event.identifiers, &event.identifier_count);
    if (event_encode(body, &event, NULL) == ERR_OK)
        log_record_write(records, LOG_RECORD_EVENT, buffer_str(body));
}

/* ---- appends in flight ---- */

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

static void wait_for(struct flight *flight)
{
    while (atomic_load(&flight->busy))
        usleep(50);
}

static void append(struct engine *engine, struct flight *flight, uint32_t count)
{
    err error;
    flight->append = (struct log_append){ .records = buffer_str(&flight->records),
                                          .count = count,
                                          .durable = landed };
    atomic_store(&flight->busy, true);
    while ((error = engine_append(engine, &flight->append)) == ERR_BUSY)
        usleep(500);
    if (error != ERR_OK)
        exit(1);
}

struct sending {
    struct engine *engine;
    struct wall_clock *clock;
    const struct options *options;
    struct arena arena;
    struct buffer body;
    struct random_stream random;
};

static const char *type_of(uint64_t number)
{
    return number % 10 < 6 ? "Order Paid" : number % 10 < 7 ? "Order Refunded" : "Product Viewed";
}

/* Block by block the clock goes on, so that they arrive when they happen. */
static void send_events(struct sending *sending, uint64_t count, int64_t from_ms, int64_t to_ms,
                        bool consents)
{
    static struct flight flights[FLIGHT];
    size_t next = 0;
    for (uint64_t number = 0; number < count;) {
        struct flight *flight = &flights[next++ % FLIGHT];
        int64_t at_ms =
            from_ms + (int64_t)((double)(to_ms - from_ms) * (double)number / (double)count);
        uint32_t made = 0;
        wait_for(flight);
        buffer_init(&flight->records, (size_t)16 << 20);
        if (at_ms > wall_clock_now_ms(sending->clock)) {
            for (size_t i = 0; i < FLIGHT; i++)
                wait_for(&flights[i]);
            wall_clock_advance(sending->clock, at_ms - wall_clock_now_ms(sending->clock));
        }
        for (; made < BATCH && number < count; made++, number++)
            write_event(engine_keys(sending->engine), &sending->arena, &sending->body,
                        &flight->records, consents ? number : (UINT64_C(1) << 40) + number,
                        consents ? number
                                 : random_below(&sending->random, sending->options->customers),
                        at_ms, consents ? "Consent Granted" : type_of(number));
        append(sending->engine, flight, made);
    }
    for (size_t i = 0; i < FLIGHT; i++)
        wait_for(&flights[i]);
}

/* ---- the house ---- */

static void must(struct engine *engine, const char *operation, const char *body)
{
    struct engine_command command = { .operation = str_from_c(operation),
                                      .body = str_from_c(body) };
    struct problem problem = { .error = ERR_OK };
    struct buffer answer;
    int status = 0;
    buffer_init(&answer, (size_t)1 << 20);
    if (engine_command(engine, &command, &status, &answer, &problem) != ERR_OK || status > 299) {
        fprintf(stderr, "%s: %d %.*s\n", operation, status, STR_ARG(buffer_str(&answer)));
        exit(1);
    }
    buffer_deinit(&answer);
}

static void furnish(struct engine *engine)
{
    must(engine, "channel.put",
         "{\"key\":\"texts\",\"kind\":\"sms_aliyun\",\"settings\":{\"cost\":5}}");
    must(engine, "channel.put", "{\"key\":\"calls\",\"kind\":\"call_center\",\"settings\":{}}");
    must(engine, "template.put",
         "{\"key\":\"hello\",\"channel\":\"sms\",\"parts\":{\"text\":\"hello\"}}");
    must(engine, "template.put",
         "{\"key\":\"talk\",\"channel\":\"call\",\"parts\":{\"text\":\"talk\"}}");
    must(
        engine, "policy.put",
        "{\"policy\":{\"frequency\":[{\"name\":\"two texts a week\",\"per\":\"channel\",\"value\":\"sms\","
        "\"max\":2,\"window\":\"7d\",\"over\":\"drop\"}],\"quiet_hours\":[{\"channel\":\"sms\",\"from\":\"21:00\","
        "\"to\":\"09:00\",\"over\":\"hold\"}]}}");
    must(
        engine, "journey.put",
        "{\"key\":\"rounds\",\"journey\":{\"name\":\"Four rounds\",\"trigger\":{\"type\":\"event\","
        "\"event\":\"Order Paid\",\"key\":\"order_id\"},\"exits\":[{\"event\":\"Order Refunded\",\"same\":"
        "\"order_id\"}],\"goals\":[{\"key\":\"again\",\"event\":\"Order Paid\",\"value\":\"revenue\",\"within\":"
        "\"30d\"}],\"start\":\"w1\",\"nodes\":{\"w1\":{\"type\":\"wait\",\"for\":\"1d\",\"at\":\"10:00\",\"next\":"
        "\"s1\"},\"s1\":{\"type\":\"send\",\"channel\":\"sms\",\"template\":\"hello\",\"next\":\"w2\"},\"w2\":{\"type\":"
        "\"wait\",\"for\":\"3d\",\"next\":\"b\"},\"b\":{\"type\":\"branch\",\"cases\":[{\"rule\":{\"event\":"
        "\"Order Paid\",\"last\":\"30d\",\"measure\":\"count\",\"gte\":2},\"next\":\"s2\"}],\"otherwise\":\"t\"},"
        "\"s2\":{\"type\":\"send\",\"channel\":\"sms\",\"template\":\"hello\"},\"t\":{\"type\":\"task\",\"channel\":"
        "\"call\",\"template\":\"talk\",\"purpose\":\"service\"}}}}");
}

static void fill(struct engine *engine, struct wall_clock *clock, const struct options *options)
{
    struct sending sending = { .engine = engine, .clock = clock, .options = options };
    int64_t begin_ms = END_MS - (int64_t)options->days * DAY_MS;
    arena_init(&sending.arena, "bench", (size_t)1 << 20);
    buffer_init(&sending.body, EVENT_BYTES_MAX);
    random_seed(&sending.random, 1);
    steady_ns start = steady_now();
    send_events(&sending, options->customers, begin_ms - DAY_MS, begin_ms - HOUR_MS, true);
    send_events(&sending, options->events, begin_ms, END_MS - HOUR_MS, false);
    if (engine_settle(engine, true, 1800000) != ERR_OK)
        exit(1);
    furnish(engine);
    printf("filled in %.1f s\n", (double)steady_since_ms(start) / 1000);
    buffer_deinit(&sending.body);
    arena_deinit(&sending.arena);
}

/* ---- events meanwhile ---- */

struct beside {
    pthread_t thread;
    struct sending sending;
    _Atomic bool ends;
    int64_t *waits_us;
    size_t count, capacity;
};

static void *send_beside(void *context)
{
    struct beside *beside = context;
    static struct flight flight;
    uint64_t number = UINT64_C(1) << 41;
    while (!atomic_load(&beside->ends) && beside->count < beside->capacity) {
        uint32_t made = 0;
        buffer_init(&flight.records, (size_t)16 << 20);
        for (; made < beside->sending.options->beside / 100 + 1; made++)
            write_event(engine_keys(beside->sending.engine), &beside->sending.arena,
                        &beside->sending.body, &flight.records, number++,
                        random_below(&beside->sending.random, beside->sending.options->customers),
                        END_MS, "Product Viewed");
        steady_ns start = steady_now();
        append(beside->sending.engine, &flight, made);
        wait_for(&flight);
        beside->waits_us[beside->count++] = steady_since_us(start);
        usleep(10000);
    }
    return NULL;
}

static int compare_waits(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static void begin_beside(struct beside *beside, struct engine *engine,
                         const struct options *options)
{
    *beside = (struct beside){ .capacity = 100000 };
    beside->waits_us = memory_alloc(beside->capacity * sizeof(int64_t));
    beside->sending = (struct sending){ .engine = engine, .options = options };
    arena_init(&beside->sending.arena, "bench", (size_t)1 << 20);
    buffer_init(&beside->sending.body, EVENT_BYTES_MAX);
    random_seed(&beside->sending.random, 2);
    if (pthread_create(&beside->thread, NULL, send_beside, beside) != 0)
        exit(1);
}

static void end_beside(struct beside *beside)
{
    atomic_store(&beside->ends, true);
    pthread_join(beside->thread, NULL);
    qsort(beside->waits_us, beside->count, sizeof(int64_t), compare_waits);
    if (beside->count > 0)
        printf("  appends beside it: %zu, p50 %.1f ms, p99 %.1f ms, most %.1f ms\n", beside->count,
               (double)beside->waits_us[beside->count / 2] / 1e3,
               (double)beside->waits_us[beside->count * 99 / 100] / 1e3,
               (double)beside->waits_us[beside->count - 1] / 1e3);
    memory_free(beside->waits_us);
    buffer_deinit(&beside->sending.body);
    arena_deinit(&beside->sending.arena);
}

/* ---- the run ---- */

static void run_once(struct engine *engine, const struct options *options)
{
    struct problem problem = { .error = ERR_OK };
    struct json_parser *parser = NULL, *body_parser = NULL;
    struct buffer result;
    struct rusage usage;
    struct beside beside;
    json_value body, root;
    char text[64];
    buffer_init(&result, (size_t)256 << 20);
    snprintf(text, sizeof text, "{\"days\":%llu,\"threads\":%llu}",
             (unsigned long long)options->days, (unsigned long long)options->threads);
    if (json_parser_new(&parser, (size_t)256 << 20) != ERR_OK ||
        json_parser_new(&body_parser, 4096) != ERR_OK ||
        json_parse(body_parser, str_from_c(text), &body, &problem) != ERR_OK)
        exit(1);
    if (options->beside > 0)
        begin_beside(&beside, engine, options);
    steady_ns start = steady_now();
    err error = whatif_run(engine, STR("rounds"), body, NULL, NULL, &result, &problem);
    double seconds = (double)steady_since_us(start) / 1e6;
    if (error != ERR_OK || json_parse(parser, buffer_str(&result), &root, &problem) != ERR_OK) {
        fprintf(stderr, "%s %s\n", err_code(error), problem.detail);
        exit(1);
    }
    getrusage(RUSAGE_SELF, &usage);
    struct buffer elapsed;
    buffer_init(&elapsed, 4096);
    json_write_value(&elapsed, json_get(root, STR("elapsed")));
    printf(
        "%.2f s (%.2f s of processor on %lld threads): %lld customers, %lld events, %lld touches, %lld entered; stages (ms) %.*s; process "
        "%.1f GB at most\n",
        seconds, (double)json_int(json_get(root, STR("processor_ms")), 0) / 1e3,
        (long long)json_int(json_get(root, STR("threads")), 0),
        (long long)json_int(json_get(root, STR("customers")), 0),
        (long long)json_int(json_get(root, STR("events")), 0),
        (long long)json_int(json_get(json_get(root, STR("totals")), STR("touches")), 0),
        (long long)json_int(json_get(json_get(root, STR("report")), STR("entered")), 0),
        STR_ARG(buffer_str(&elapsed)), (double)usage.ru_maxrss / 1e6);
    if (options->beside > 0)
        end_beside(&beside);
    buffer_deinit(&elapsed);
    buffer_deinit(&result);
    json_parser_free(&parser);
    json_parser_free(&body_parser);
}

static struct options read_options(int argc, char **argv)
{
    struct options options = { 1000000, 2000000, 90, 2, 0, 2, "/tmp/kith_bench_whatif" };
    static const struct option NAMES[] = {
        { "customers", required_argument, NULL, 'c' }, { "events", required_argument, NULL, 'e' },
        { "days", required_argument, NULL, 'd' },      { "runs", required_argument, NULL, 'r' },
        { "threads", required_argument, NULL, 't' },   { "beside", required_argument, NULL, 'b' },
        { "folder", required_argument, NULL, 'f' },    { NULL, 0, NULL, 0 }
    };
    int option;
    while ((option = getopt_long(argc, argv, "", NAMES, NULL)) != -1) {
        uint64_t *numbers[] = {
            ['c'] = &options.customers, ['e'] = &options.events,  ['d'] = &options.days,
            ['r'] = &options.runs,      ['t'] = &options.threads, ['b'] = &options.beside
        };
        if (option == 'f')
            options.folder = optarg;
        else if (option == '?')
            exit(2);
        else
            *numbers[option] = strtoull(optarg, NULL, 10);
    }
    return options;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct wall_clock clock;
    struct engine *engine = NULL;
    struct problem problem = { .error = ERR_OK };
    struct engine_status status;
    wall_clock_init_virtual(&clock, END_MS - ((int64_t)options.days + 2) * DAY_MS);
    struct engine_config config = { .folder = options.folder,
                                    .clock = &clock,
                                    .appends_nothing = true,
                                    .warehouse = { .program = getenv("KITH_BINARY") } };
    if (engine_open(&engine, &config, &problem) != ERR_OK) {
        fprintf(stderr, "%s\n", problem.detail);
        return 1;
    }
    engine_status(engine, &status);
    if (status.customers == 0)
        fill(engine, &clock, &options);
    if (wall_clock_now_ms(&clock) < END_MS)
        wall_clock_advance(&clock, END_MS - wall_clock_now_ms(&clock));
    if (engine_tick(engine) != ERR_OK || engine_settle(engine, false, 60000) != ERR_OK)
        return 1;
    for (uint64_t i = 0; i < options.runs; i++)
        run_once(engine, &options);
    engine_close(&engine, 30000);
    return 0;
}
