/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys in the whole engine, without HTTP and without a provider: steps, a crowd that enters, a crowd whose time comes, an order
 * until its touch is queued; and the memory of those who wait.
 *
 *     journey [--customers 1000000] [--waiting 10000000] [--orders 2000] [--waits 10]
 *             [--folder DIR]
 *
 * The account that touches wait for is disabled by a stop of its channel, so that what is measured is the house alone; every touch
 * passes all gates before it is held. The clock is virtual, so that timers of an hour come at once.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "engine/engine.h"
#include "event/normalise.h"

#define START_MS INT64_C(1760000000000)
#define BATCH 500
#define FLIGHT 32

struct options {
    uint64_t customers, waiting, orders, waits;
    const char *folder;
};
static struct wall_clock clock_;
static struct engine *engine;

static void must(bool is_good, const char *what)
{
    if (is_good)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static double seconds_since(steady_ns start)
{
    return (double)(steady_now().ns - start.ns) / 1e9;
}

/* ---- events ---- */

static _Atomic uint64_t message_next = 1;

static void write_event(struct arena *arena, struct buffer *records, const char *type,
                        uint64_t customer, const char *order)
{
    struct event_identifier identifiers[1];
    struct buffer body;
    char value[32], props[80];
    err error = ERR_OK;
    uint64_t message = atomic_fetch_add(&message_next, 1);
    hash128 key = hash_bytes128(&message, sizeof message, 1);
    snprintf(props, sizeof props, "{\"order_id\":\"%s\"}", order != NULL ? order : "");
    struct event event = { .kind = EVENT_TRACK,
                           .flags = EVENT_TRUSTED | EVENT_TIME_GIVEN,
                           .source_number = 1,
                           .type = str_from_c(type),
                           .channel = STR("web"),
                           .time_ms = wall_clock_now_ms(&clock_),
                           .identifiers = identifiers,
                           .props = order != NULL ? str_from_c(props) : STR("{}") };
    memcpy(event.message_key, &key, sizeof event.message_key);
    int size = snprintf(value, sizeof value, "u%llu", (unsigned long long)customer);
    arena_reset(arena);
    must(identifier_make(engine_keys(engine), arena, STR("user_id"), STR_NONE,
                         (str){ value, (size_t)size }, IDENTIFIER_VERIFIED, &identifiers[0],
                         &error) == NORMAL_USABLE,
         "an identifier");
    event.identifier_count = 1;
    if (order != NULL) {
        event.promoted_set = 1u << PROMOTED_ORDER_ID | 1u << PROMOTED_REVENUE;
        event.promoted_text[PROMOTED_ORDER_ID] = str_from_c(order);
        event.promoted_int[PROMOTED_REVENUE] = 12900;
    }
    buffer_init(&body, EVENT_BYTES_MAX);
    must(event_encode(&body, &event, NULL) == ERR_OK, "an event");
    log_record_write(records, LOG_RECORD_EVENT, buffer_str(&body));
    buffer_deinit(&body);
}

struct flight {
    struct log_append append;
    struct buffer records;
    _Atomic bool busy;
};

static void landed(struct log_append *append, err error)
{
    struct flight *flight = queue_entry(append, struct flight, append);
    must(error == ERR_OK, "an append");
    atomic_store(&flight->busy, false);
}

static void send(struct flight *flight, uint32_t count)
{
    flight->append = (struct log_append){ .records = buffer_str(&flight->records),
                                          .count = count,
                                          .durable = landed };
    atomic_store(&flight->busy, true);
    err error;
    while ((error = engine_append(engine, &flight->append)) == ERR_BUSY)
        usleep(200);
    must(error == ERR_OK, "an append");
}

static void wait_for(struct flight *flight)
{
    while (atomic_load(&flight->busy))
        usleep(20);
}

static void make_customers(uint64_t count)
{
    static struct flight flights[FLIGHT];
    struct arena arena;
    arena_init(&arena, "bench", (size_t)1 << 20);
    size_t next = 0;
    for (uint64_t number = 0; number < count;) {
        struct flight *flight = &flights[next++ % FLIGHT];
        wait_for(flight);
        buffer_deinit(&flight->records);
        buffer_init(&flight->records, (size_t)16 << 20);
        uint32_t made = 0;
        for (; made < BATCH && number < count; made++, number++)
            write_event(&arena, &flight->records, "Page Viewed", number, NULL);
        send(flight, made);
    }
    for (size_t i = 0; i < FLIGHT; i++)
        wait_for(&flights[i]);
    arena_deinit(&arena);
}

/* ---- commands and questions ---- */

static void command(const char *operation, const char *body)
{
    struct engine_command wanted = { .operation = str_from_c(operation), .body = str_from_c(body) };
    struct problem problem = { .error = ERR_OK };
    struct buffer answer;
    int status = 0;
    buffer_init(&answer, (size_t)1 << 20);
    err error = engine_command(engine, &wanted, &status, &answer, &problem);
    if (error != ERR_OK || status != 200) {
        fprintf(stderr, "%s: %d " STR_FMT " %s\n", operation, status, STR_ARG(buffer_str(&answer)),
                problem.detail);
        exit(1);
    }
    buffer_deinit(&answer);
}

struct look {
    struct engine_question question;
    struct journeys_status journeys;
    struct touch_status_counts touches;
    bool is_live;
};

static void ask(const struct engine_state *state, struct engine_question *question)
{
    struct look *look = queue_entry(question, struct look, question);
    journeys_status(state->journeys, &look->journeys);
    touch_status(state->touches, &look->touches);
    look->is_live = audience_is_live(
        state->audience, audience_number(state->audience, AUDIENCE_SEGMENT, STR("some")));
}

static struct look look_now(void)
{
    struct look look = { .question = { .ask = ask } };
    must(engine_ask_wait(engine, &look.question) == ERR_OK, "a question");
    return look;
}

static uint64_t queued(const struct look *look)
{
    return look->touches.by_status[TOUCH_QUEUED] + look->touches.by_status[TOUCH_HELD];
}

static void publish(const char *key, const char *body)
{
    struct buffer text;
    uint32_t live = look_now().journeys.live;
    buffer_init(&text, 65536);
    buffer_printf(&text, "{\"key\":\"%s\",\"journey\":%s}%c", key, body, '\0');
    command("journey.put", text.data);
    buffer_clear(&text);
    buffer_printf(&text, "{\"key\":\"%s\"}%c", key, '\0');
    command("journey.publish", text.data);
    buffer_deinit(&text);
    while (look_now().journeys.live <= live)
        usleep(1000);
}

/* ---- what is measured ---- */

/* Waits of an hour; each time comes, moves on, is a row, and waits again. */
static void bench_steps(uint64_t customers, int waits)
{
    struct buffer body;
    buffer_init(&body, 65536);
    buffer_append_str(&body, STR("{\"name\":\"Steps\",\"trigger\":{\"type\":\"manual\"},"
                                 "\"start\":\"n0\",\"nodes\":{"));
    for (int i = 0; i < waits; i++) {
        buffer_printf(&body, "%s\"n%d\":{\"type\":\"wait\",\"for\":\"1h\"", i > 0 ? "," : "", i);
        if (i < waits - 1)
            buffer_printf(&body, ",\"next\":\"n%d\"", i + 1);
        buffer_append_byte(&body, '}');
    }
    buffer_printf(&body, "}}%c", '\0');
    publish("steps", body.data);
    buffer_deinit(&body);
    command("segment.put",
            "{\"key\":\"some\",\"name\":\"Some\",\"rule\":{\"event\":\"Page Viewed\","
            "\"measure\":\"count\",\"gte\":1}}");
    struct look look = look_now();
    while (!look.is_live && usleep(10000) == 0)
        look = look_now();
    uint64_t before = look.journeys.positions;
    steady_ns start = steady_now();
    command("journey.enter", "{\"key\":\"steps\",\"segment\":\"some\"}");
    must(engine_advance(engine, 1) == ERR_OK, "the clock");
    do
        look = look_now();
    while (look.journeys.positions < before + customers && usleep(20000) == 0);
    double entered_s = seconds_since(start);
    must(engine_settle(engine, false, -1) == ERR_OK, "the ledger");
    start = steady_now();
    must(engine_advance(engine, waits * HOUR_MS + MINUTE_MS) == ERR_OK, "the clock");
    must(engine_settle(engine, false, -1) == ERR_OK, "the ledger");
    printf(
        "durable step transitions: %.0f a second (%llu customers, %d waits each; %.1f s to enter)\n",
        waits * (double)customers / seconds_since(start), (unsigned long long)customers, waits,
        entered_s);
}

static void prepare_sends(void)
{
    command("channel.put", "{\"key\":\"hook\",\"kind\":\"webhook\",\"settings\":{\"url\":"
                           "\"http://127.0.0.1:9/\",\"allow_private\":true}}");
    command("template.put", "{\"key\":\"t\",\"channel\":\"webhook\",\"parts\":{\"text\":"
                            "\"hello {{ event.order_id }}\"}}");
    command("policy.put",
            "{\"policy\":{\"frequency\":[{\"name\":\"many\",\"per\":\"channel\",\"max\":50,"
            "\"window\":\"7d\",\"over\":\"drop\"}],\"quiet_hours\":[{\"channel\":\"sms\","
            "\"from\":\"21:00\",\"to\":\"09:00\",\"over\":\"hold\"}]}}");
    command("stop.put", "{\"scope\":\"channel\",\"value\":\"webhook\",\"why\":\"bench\"}");
}

static void bench_crowd(uint64_t customers)
{
    publish("crowd",
            "{\"name\":\"Crowd\",\"trigger\":{\"type\":\"manual\"},\"start\":\"s\",\"nodes\":{"
            "\"s\":{\"type\":\"send\",\"channel\":\"webhook\",\"template\":\"t\",\"purpose\":"
            "\"service\",\"next\":\"w\"},\"w\":{\"type\":\"wait\",\"for\":\"30d\"}}}");
    struct look look = look_now();
    uint64_t before = look.journeys.positions, touches = queued(&look);
    double first_s = 0;
    steady_ns start = steady_now();
    command("journey.enter", "{\"key\":\"crowd\",\"segment\":\"some\"}");
    do {
        usleep(20000);
        look = look_now();
        if (first_s == 0 && queued(&look) >= touches + 100000)
            first_s = seconds_since(start);
    } while (look.journeys.positions < before + customers);
    double placed_s = seconds_since(start);
    must(engine_settle(engine, false, -1) == ERR_OK, "the ledger");
    printf(
        "%llu enter at once: 100,000 touches after %.1f s, all placed after %.1f s, durable after %.1f s\n",
        (unsigned long long)customers, first_s, placed_s, seconds_since(start));
}

/* ---- what the doors see meanwhile ---- */

static _Atomic bool meanwhile;
static double waits_ms[1000000];
static size_t wait_count;

static int compare_doubles(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

static double quantile(double *values, size_t count, double q)
{
    qsort(values, count, sizeof *values, compare_doubles);
    return count == 0 ? 0 : values[(size_t)(q * (double)(count - 1))];
}

static void *append_meanwhile(void *context)
{
    struct flight flight = { .busy = false };
    struct arena arena;
    arena_init(&arena, "bench", (size_t)1 << 20);
    for (uint64_t i = 0; atomic_load(&meanwhile) && wait_count < 1000000; i++) {
        buffer_deinit(&flight.records);
        buffer_init(&flight.records, (size_t)1 << 20);
        write_event(&arena, &flight.records, "Page Viewed", i % 1000, NULL);
        steady_ns start = steady_now();
        send(&flight, 1);
        wait_for(&flight);
        waits_ms[wait_count++] = seconds_since(start) * 1e3;
        usleep(2000);
    }
    buffer_deinit(&flight.records);
    arena_deinit(&arena);
    return context;
}

static void bench_timers(uint64_t customers)
{
    publish("timers",
            "{\"name\":\"Timers\",\"trigger\":{\"type\":\"manual\"},\"start\":\"w\",\"nodes\":{"
            "\"w\":{\"type\":\"wait\",\"for\":\"2h\",\"next\":\"s\"},\"s\":{\"type\":\"send\","
            "\"channel\":\"webhook\",\"template\":\"t\",\"purpose\":\"service\"}}}");
    struct look look = look_now();
    uint64_t before = look.journeys.positions, touches = queued(&look);
    command("journey.enter", "{\"key\":\"timers\",\"segment\":\"some\"}");
    do {
        usleep(20000);
        look = look_now();
    } while (look.journeys.positions < before + customers);
    must(engine_settle(engine, false, -1) == ERR_OK, "the ledger");
    pthread_t thread;
    atomic_store(&meanwhile, true);
    wait_count = 0;
    must(pthread_create(&thread, NULL, append_meanwhile, NULL) == 0, "a thread");
    steady_ns start = steady_now();
    wall_clock_advance(&clock_, 2 * HOUR_MS + MINUTE_MS);
    do {
        usleep(20000);
        look = look_now();
    } while (queued(&look) < touches + customers);
    double ran_s = seconds_since(start);
    must(engine_settle(engine, false, -1) == ERR_OK, "the ledger");
    double durable_s = seconds_since(start);
    atomic_store(&meanwhile, false);
    pthread_join(thread, NULL);
    printf(
        "%llu timers due at once, gates checked: %.1f s, durable after %.1f s; ack meanwhile p50 %.1f "
        "ms, p99 %.1f ms (%zu)\n",
        (unsigned long long)customers, ran_s, durable_s, quantile(waits_ms, wait_count, 0.5),
        quantile(waits_ms, wait_count, 0.99), wait_count);
}

/* 5,000 events a second, ten at a time. */
static void *load(void *context)
{
    struct flight flights[FLIGHT] = { { .busy = false } };
    struct arena arena;
    uint64_t sent = 0;
    steady_ns start = steady_now();
    arena_init(&arena, "bench", (size_t)1 << 20);
    for (size_t next = 0; atomic_load(&meanwhile); next++) {
        struct flight *flight = &flights[next % FLIGHT];
        wait_for(flight);
        buffer_deinit(&flight->records);
        buffer_init(&flight->records, (size_t)1 << 20);
        for (uint64_t i = 0; i < 10; i++)
            write_event(&arena, &flight->records, "Page Viewed", (sent + i * 7919) % 100000, NULL);
        send(flight, 10);
        sent += 10;
        while ((double)sent / 5000 > seconds_since(start) && atomic_load(&meanwhile))
            usleep(200);
    }
    for (size_t i = 0; i < FLIGHT; i++) {
        wait_for(&flights[i]);
        buffer_deinit(&flights[i].records);
    }
    arena_deinit(&arena);
    return context;
}

static void bench_orders(uint64_t orders)
{
    struct flight flight = { .busy = false };
    struct arena arena;
    pthread_t thread;
    arena_init(&arena, "bench", (size_t)1 << 20);
    buffer_init(&flight.records, (size_t)1 << 20);
    write_event(&arena, &flight.records, "Order Paid", 1, "o");
    send(&flight, 1);
    wait_for(&flight);
    publish("orders",
            "{\"name\":\"Orders\",\"trigger\":{\"type\":\"event\",\"event\":\"Order Paid\",\"key\":"
            "\"order_id\"},\"start\":\"s\",\"nodes\":{\"s\":{\"type\":\"send\",\"channel\":"
            "\"webhook\",\"template\":\"t\",\"purpose\":\"service\"}}}");
    atomic_store(&meanwhile, true);
    must(pthread_create(&thread, NULL, load, NULL) == 0, "a thread");
    struct look look = look_now();
    uint64_t before = queued(&look);
    wait_count = 0;
    for (uint64_t i = 0; i < orders; i++) {
        char order[32];
        snprintf(order, sizeof order, "o%llu", (unsigned long long)i);
        buffer_deinit(&flight.records);
        buffer_init(&flight.records, (size_t)1 << 20);
        write_event(&arena, &flight.records, "Order Paid", i % 100000, order);
        steady_ns start = steady_now();
        send(&flight, 1);
        wait_for(&flight);
        look = look_now(); /* sees what was acknowledged before */
        must(queued(&look) == before + i + 1, "an order's touch");
        waits_ms[wait_count++] = seconds_since(start) * 1e3;
        usleep(2000);
    }
    atomic_store(&meanwhile, false);
    pthread_join(thread, NULL);
    printf(
        "order event to touch queued, at 5,000 events a second: p50 %.1f ms, p99 %.1f ms (%zu)\n",
        quantile(waits_ms, wait_count, 0.5), quantile(waits_ms, wait_count, 0.99), wait_count);
    buffer_deinit(&flight.records);
    arena_deinit(&arena);
}

/* ---- the memory of those who wait: the room alone ---- */

static bool no_rule(void *context, str key)
{
    (void)context;
    (void)key;
    return true;
}

static bool in_none(void *context, uint32_t customer, str key)
{
    (void)context;
    (void)customer;
    (void)key;
    return false;
}

static uint32_t herself(void *context, uint32_t node)
{
    (void)context;
    return node;
}

static size_t one_node(void *context, uint32_t customer, uint32_t *nodes, size_t max)
{
    (void)context;
    nodes[0] = customer;
    return max > 0 ? 1 : 0;
}

static int64_t all_told(void *context, str event, int64_t now_ms)
{
    (void)context;
    (void)event;
    return now_ms;
}

static void run_room(struct journeys *journeys,
                     err (*function)(struct journeys *, const struct journey_command *),
                     const char *text, int64_t now_ms)
{
    struct json_parser *parser = NULL;
    struct problem problem = { .error = ERR_OK };
    struct buffer answer;
    json_value body;
    buffer_init(&answer, (size_t)1 << 20);
    must(json_parser_new(&parser, (size_t)1 << 20) == ERR_OK &&
             json_parse(parser, str_from_c(text), &body, &problem) == ERR_OK,
         "JSON");
    struct journey_command wanted = { .body = body,
                                      .moment = { .seq = 1, .now_ms = now_ms },
                                      .answer = &answer,
                                      .problem = &problem };
    if (function(journeys, &wanted) != ERR_OK) {
        fprintf(stderr, "%s\n", problem.detail);
        exit(1);
    }
    buffer_deinit(&answer);
    json_parser_free(&parser);
}

static void bench_waiting(uint64_t waiting)
{
    struct journey_world world = { .rule_is_ready = no_rule,
                                   .has_segment = no_rule,
                                   .in_segment = in_none,
                                   .watermark_ms = all_told,
                                   .first_node = herself,
                                   .root = herself,
                                   .nodes = one_node };
    struct journeys_config config = { .world = &world, .seed = 1 };
    struct journeys *journeys = NULL;
    struct journeys_status status;
    int64_t now_ms = START_MS;
    must(journeys_new(&journeys, &config) == ERR_OK, "the room");
    run_room(
        journeys, journey_put,
        "{\"key\":\"w\",\"journey\":{\"name\":\"W\",\"trigger\":{\"type\":\"event\",\"event\":\"Order Paid\"},"
        "\"start\":\"w\",\"nodes\":{\"w\":{\"type\":\"wait\",\"for\":\"30d\"}}}}",
        now_ms);
    run_room(journeys, journey_publish, "{\"key\":\"w\"}", now_ms);
    steady_ns start = steady_now();
    for (uint64_t i = 1; i <= waiting; i++) {
        struct event event = { .kind = EVENT_TRACK,
                               .type = STR("Order Paid"),
                               .time_ms = now_ms + (int64_t)(i / 100),
                               .props = STR("{}") };
        struct journey_moment moment = { .seq = i + 1, .now_ms = event.time_ms };
        must(journey_event(journeys, (uint32_t)i, (uint32_t)i, &event, JOURNEY_BEGINS, moment,
                           NULL) == ERR_OK,
             "an event");
    }
    double entered_s = seconds_since(start);
    journeys_status(journeys, &status);
    printf("%llu waiting positions: %.2f GB, %.1f s to enter (%.0f a second)\n",
           (unsigned long long)status.positions, (double)status.bytes / 1e9, entered_s,
           (double)waiting / entered_s);
    journeys_free(&journeys);
}

static struct options read_options(int argc, char **argv)
{
    static const struct option names[] = {
        { "customers", required_argument, NULL, 'c' }, { "waiting", required_argument, NULL, 'w' },
        { "orders", required_argument, NULL, 'o' },    { "waits", required_argument, NULL, 'n' },
        { "folder", required_argument, NULL, 'f' },    { NULL, 0, NULL, 0 }
    };
    struct options options = { 1000000, 10000000, 2000, 10, "/tmp/kith_bench_journey" };
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'c')
            options.customers = strtoull(optarg, NULL, 10);
        else if (option == 'w')
            options.waiting = strtoull(optarg, NULL, 10);
        else if (option == 'o')
            options.orders = strtoull(optarg, NULL, 10);
        else if (option == 'n')
            options.waits = strtoull(optarg, NULL, 10);
        else if (option == 'f')
            options.folder = optarg;
        else
            exit(2);
    }
    return options;
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    struct problem problem = { .error = ERR_OK };
    if (options.waiting > 0)
        bench_waiting(options.waiting);
    if (options.customers == 0)
        return 0;
    wall_clock_init_virtual(&clock_, START_MS);
    struct engine_config config = { .folder = options.folder,
                                    .clock = &clock_,
                                    .without_warehouse = true };
    if (engine_open(&engine, &config, &problem) != ERR_OK) {
        fprintf(stderr, "%s\n", problem.detail);
        return 1;
    }
    steady_ns start = steady_now();
    make_customers(options.customers);
    must(engine_settle(engine, false, -1) == ERR_OK, "the ledger");
    printf("%llu customers made in %.1f s\n", (unsigned long long)options.customers,
           seconds_since(start));
    fflush(stdout);
    bench_steps(options.customers, (int)options.waits);
    fflush(stdout);
    prepare_sends();
    bench_crowd(options.customers);
    fflush(stdout);
    bench_timers(options.customers);
    fflush(stdout);
    bench_orders(options.orders);
    engine_close(&engine, 30000);
    return 0;
}
