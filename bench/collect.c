/* SPDX-License-Identifier: Apache-2.0 */
/* collect: what an event costs at the door, on one core, and which part takes how much.
 *
 *     collect [--batch 50] [--seconds 2] [--only parse|hash|seal|codec|door|price]
 *
 * Bodies of Segment's batches are made before the clock starts, of events of about 900 bytes in three
 * kinds: product views with page context (70 %), orders with three lines (20 %), and identify calls with
 * phone and e-mail (10 %). One JSON object per line of output; the last two are the whole door, and what sealing
 * takes of it: the same bodies in turn with and without it, which no user is offered (the linker puts a door that
 * seals nothing in front of keys_seal, in this program alone).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"
#include "collect/collect.h"
#include "log/log.h"

#define BODIES 64
#define PAIRS 101
#define NOW_MS INT64_C(1795284731504)

struct bench {
    struct keys *keys;
    struct source_set *sources;
    struct collect_worker *worker;
    struct buffer bodies[BODIES];
    struct buffer records;
    unsigned batch;
    double seconds;
    size_t events, bytes;
};

/* Time of this thread on a core: others on the machine do not count. */
static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void stop(const char *why)
{
    fprintf(stderr, "collect: %s\n", why);
    exit(1);
}

static void write_context(struct buffer *out, unsigned n)
{
    buffer_printf(
        out,
        "\"context\":{\"library\":{\"name\":\"analytics.js\",\"version\":\"npm:next-1.84.3\"},"
        "\"page\":{\"path\":\"/product/%u\",\"referrer\":\"https://shop.example.cn/list/%u\","
        "\"search\":\"?utm_source=weibo\",\"title\":\"臻白精华 30ml\","
        "\"url\":\"https://shop.example.cn/product/%u?utm_source=weibo\"},",
        n % 500, n % 40, n % 500);
    buffer_append_str(
        out,
        STR("\"userAgent\":\"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15\","
            "\"locale\":\"zh-CN\",\"timezone\":\"Asia/Shanghai\","));
    buffer_append_str(out, STR("\"campaign\":{\"source\":\"weibo\",\"name\":\"618\"}},"));
}

static void write_ids(struct buffer *out, unsigned n)
{
    buffer_printf(out,
                  "\"messageId\":\"node-next-1795284625327-%08x-a3a3-440b-8ed0\","
                  "\"anonymousId\":\"%08x-9d1d-4d0b-8a74-0a8c4a2a2d11\",\"userId\":\"u%u\","
                  "\"timestamp\":\"2026-11-21T18:12:%02u.%03uZ\"",
                  n * 2654435761u, n * 40503u, n % 1000000, n % 60, n % 1000);
}

static void write_view(struct buffer *out, unsigned n)
{
    buffer_append_str(out, STR("{\"type\":\"track\",\"event\":\"Product Viewed\","));
    write_context(out, n);
    buffer_printf(
        out,
        "\"properties\":{\"product_id\":\"p%u\",\"sku\":\"SKU-%05u\",\"name\":\"臻白精华 30ml\","
        "\"brand\":\"House\",\"category\":\"精华\",\"price\":%u.%02u,\"currency\":\"CNY\","
        "\"position\":%u},",
        n % 500, n % 500, 100 + n % 900, n % 100, n % 20);
    write_ids(out, n);
    buffer_append_str(out, STR("}"));
}

static void write_order(struct buffer *out, unsigned n)
{
    buffer_printf(
        out,
        "{\"type\":\"track\",\"event\":\"Order Paid\",\"properties\":{\"order_id\":\"20261121%08u\","
        "\"affiliation\":\"旗舰店\",\"revenue\":%u.%02u,\"total\":%u.%02u,\"shipping\":0,\"currency\":\"CNY\","
        "\"coupon\":\"618-%u\",\"receiver_phone\":\"139****%04u\",\"products\":[",
        n, n % 2000, n % 100, n % 2000, n % 100, n % 50, n % 10000);
    for (unsigned i = 0; i < 3; i++)
        buffer_printf(
            out,
            "%s{\"product_id\":\"p%u\",\"sku\":\"SKU-%05u\",\"name\":\"臻白精华 30ml\",\"brand\":\"House\","
            "\"price\":%u.50,\"quantity\":%u}",
            i > 0 ? "," : "", (n + i) % 500, (n + i) % 500, 50 + (n + i) % 300, 1 + i);
    buffer_append_str(out, STR("],\"payment_method\":\"alipay\"},"));
    buffer_append_str(
        out,
        STR("\"context\":{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"3.1.0\"},"
            "\"channel\":\"tmall\"},"));
    write_ids(out, n);
    buffer_append_str(
        out,
        STR(",\"integrations\":{},\"_metadata\":{\"nodeVersion\":\"v20.20.2\",\"jsRuntime\":\"node\"}}"));
}

static void write_identify(struct buffer *out, unsigned n)
{
    buffer_printf(
        out,
        "{\"type\":\"identify\",\"traits\":{\"phone\":\"139%08u\",\"email\":\"user%u@mail.example.cn\","
        "\"name\":\"李雷\",\"city\":\"上海\",\"gender\":\"female\",\"birthday\":\"1995-06-18\",\"level\":%u,"
        "\"member_since\":\"2024-03-01T00:00:00Z\"},",
        n % 100000000, n, n % 5);
    write_context(out, n);
    write_ids(out, n);
    buffer_append_str(out, STR("}"));
}

static void write_body(struct bench *bench, struct buffer *out, unsigned first)
{
    buffer_append_str(out, STR("{\"batch\":["));
    for (unsigned i = 0; i < bench->batch; i++) {
        unsigned n = first + i;
        if (i > 0)
            buffer_append_byte(out, ',');
        if (n % 10 < 7)
            write_view(out, n);
        else if (n % 10 < 9)
            write_order(out, n);
        else
            write_identify(out, n);
    }
    buffer_append_str(out, STR("],\"sentAt\":\"2026-11-21T18:12:11.000Z\",\"writeKey\":\"wk\"}"));
    if (buffer_status(out) != ERR_OK)
        stop("no memory");
    bench->bytes += out->size;
    bench->events += bench->batch;
}

static void prepare(struct bench *bench)
{
    char path[] = "/tmp/kith-bench-XXXXXX", file[64];
    struct problem problem = { .error = ERR_OK };
    struct source source = {
        .number = 1, .key = STR("bench"), .name = STR("Bench"), .kind = SOURCE_SERVER
    };
    if (mkdtemp(path) == NULL)
        stop("no folder");
    snprintf(file, sizeof file, "%s/keys", path);
    if (keys_open(&bench->keys, file, &problem) != ERR_OK)
        stop(problem.detail);
    unlink(file);
    rmdir(path);
    keys_hash(bench->keys, STR("write_key"), STR("wk"), source.write_key_hash);
    if (source_set_new(&bench->sources, &source, 1) != ERR_OK ||
        collect_worker_new(&bench->worker, bench->keys, NULL) != ERR_OK)
        stop("no memory");
    buffer_init(&bench->records, (size_t)64 << 20);
    for (unsigned i = 0; i < BODIES; i++) {
        buffer_init(&bench->bodies[i], (size_t)4 << 20);
        write_body(bench, &bench->bodies[i], i * bench->batch * 7);
    }
}

static void report(const struct bench *bench, const char *what, size_t rounds, int64_t start)
{
    double us = (double)(cpu_ns() - start) / 1e3;
    double events = (double)rounds * (double)bench->events;
    printf("{\"what\":\"%s\",\"batch\":%u,\"bytes_per_event\":%.0f,\"us_per_event\":%.3f,"
           "\"events_per_s\":%.0f}\n",
           what, bench->batch, (double)bench->bytes / (double)bench->events, us / events,
           events / us * 1e6);
}

static bool go_on(const struct bench *bench, int64_t start)
{
    return (double)(cpu_ns() - start) < bench->seconds * 1e9;
}

static void run_parse(struct bench *bench)
{
    struct json_parser *parser = NULL;
    struct problem problem;
    json_value root;
    size_t rounds = 0;
    if (json_parser_new(&parser, (size_t)4 << 20) != ERR_OK)
        stop("no memory");
    int64_t start = cpu_ns();
    for (; go_on(bench, start); rounds++)
        for (unsigned i = 0; i < BODIES; i++)
            if (json_parse(parser, buffer_str(&bench->bodies[i]), &root, &problem) != ERR_OK)
                stop(problem.detail);
    report(bench, "parse the JSON", rounds, start);
    json_parser_free(&parser);
}

static void run_hashes(struct bench *bench)
{
    uint8_t hash[16];
    size_t rounds = 0;
    int64_t start = cpu_ns();
    for (; go_on(bench, start); rounds++)
        for (size_t i = 0; i < bench->events; i++) {
            keys_hash_identifier(bench->keys, STR("user_id"), STR_NONE, STR("u123456"), hash);
            keys_hash_identifier(bench->keys, STR("anonymous_id"), STR("bench"),
                                 STR("7f3c1b1e-9d1d-4d0b-8a74-0a8c4a2a2d11"), hash);
            keys_hash(bench->keys, STR("message"), STR("node-next-1795284625327-12345678-a3a3"),
                      hash);
        }
    report(bench, "three keyed hashes", rounds, start);
}

static void run_seal(struct bench *bench)
{
    struct arena arena;
    size_t rounds = 0;
    str sealed;
    arena_init(&arena, "bench", (size_t)1 << 20);
    int64_t start = cpu_ns();
    for (; go_on(bench, start); rounds++)
        for (size_t i = 0; i < bench->events; i++) {
            if (keys_seal(bench->keys, &arena, STR("+8613912345678"), &sealed) != ERR_OK)
                stop("no memory");
            if (i % 1000 == 0)
                arena_reset(&arena);
        }
    report(bench, "seal one phone", rounds, start);
    arena_deinit(&arena);
}

/* ---- without sealing ---- */

static bool seals_nothing;
err __real_keys_seal(const struct keys *keys, struct arena *arena, str value, str *sealed);
err __wrap_keys_seal(const struct keys *keys, struct arena *arena, str value, str *sealed);

err __wrap_keys_seal(const struct keys *keys, struct arena *arena, str value, str *sealed)
{
    return seals_nothing ? arena_dup(arena, value, sealed)
                         : __real_keys_seal(keys, arena, value, sealed);
}

static int64_t door_ns(struct bench *bench)
{
    struct collect_request request = { .method = STR("POST"),
                                       .path = STR("/v1/batch"),
                                       .received_ms = NOW_MS };
    struct collect_answer answer;
    uint32_t count;
    int64_t start = cpu_ns();
    for (unsigned i = 0; i < BODIES; i++) {
        request.body = buffer_str(&bench->bodies[i]);
        buffer_clear(&bench->records);
        collect_decode(bench->worker, bench->sources, &request, &bench->records, &count, &answer);
        if (count != bench->batch)
            stop("events were refused");
    }
    return cpu_ns() - start;
}

static int compare_ratios(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Pairs, so that what else the machine does meets both; the median of their ratios. */
static void run_price(struct bench *bench)
{
    double ratios[PAIRS];
    (void)door_ns(bench);
    for (unsigned i = 0; i < PAIRS; i++) {
        seals_nothing = i % 2 == 0;
        int64_t first = door_ns(bench);
        seals_nothing = !seals_nothing;
        int64_t second = door_ns(bench);
        ratios[i] = seals_nothing ? (double)first / (double)second : (double)second / (double)first;
    }
    seals_nothing = false;
    qsort(ratios, PAIRS, sizeof *ratios, compare_ratios);
    printf("{\"what\":\"the door with sealing, of the door without\",\"pairs\":%d,\"ratio\":%.3f,"
           "\"quarter\":%.3f,\"three_quarters\":%.3f}\n",
           PAIRS, ratios[PAIRS / 2], ratios[PAIRS / 4], ratios[3 * PAIRS / 4]);
}

static void run_door(struct bench *bench)
{
    struct collect_request request = { .method = STR("POST"),
                                       .path = STR("/v1/batch"),
                                       .received_ms = NOW_MS };
    struct collect_answer answer;
    uint32_t count;
    size_t rounds = 0, bytes = 0;
    int64_t start = cpu_ns();
    for (; go_on(bench, start); rounds++)
        for (unsigned i = 0; i < BODIES; i++) {
            request.body = buffer_str(&bench->bodies[i]);
            buffer_clear(&bench->records);
            collect_decode(bench->worker, bench->sources, &request, &bench->records, &count,
                           &answer);
            if (count != bench->batch)
                stop("events were refused");
            bytes += bench->records.size;
        }
    report(bench, "the whole door", rounds, start);
    fprintf(stderr, "collect: %.0f bytes per event in the log\n",
            (double)bytes / ((double)rounds * (double)bench->events));
}

static void run_codec(struct bench *bench)
{
    struct collect_request request = { .method = STR("POST"),
                                       .path = STR("/v1/batch"),
                                       .received_ms = NOW_MS,
                                       .body = buffer_str(&bench->bodies[0]) };
    struct collect_answer answer;
    struct arena arena;
    struct buffer out;
    struct event event;
    struct problem problem;
    uint32_t count;
    size_t rounds = 0;
    arena_init(&arena, "bench", (size_t)1 << 20);
    buffer_init(&out, (size_t)1 << 20);
    buffer_clear(&bench->records);
    collect_decode(bench->worker, bench->sources, &request, &bench->records, &count, &answer);
    int64_t start = cpu_ns();
    for (; go_on(bench, start); rounds++)
        for (unsigned i = 0; i < BODIES; i++) {
            struct log_block block = { .count = count, .records = buffer_str(&bench->records) };
            struct log_cursor cursor = { .block = &block };
            struct log_record record;
            arena_reset(&arena);
            while (log_block_next(&cursor, &record)) {
                buffer_clear(&out);
                if (event_decode(record.body, &arena, &event, &problem) != ERR_OK ||
                    event_encode(&out, &event, &problem) != ERR_OK)
                    stop(problem.detail);
            }
        }
    report(bench, "decode and encode the normal form", rounds, start);
    buffer_deinit(&out);
    arena_deinit(&arena);
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(struct bench *bench);
    } parts[] = { { "parse", run_parse }, { "hash", run_hashes }, { "seal", run_seal },
                  { "codec", run_codec }, { "door", run_door },   { "price", run_price } };
    static struct bench bench = { .batch = 50, .seconds = 2 };
    const char *only = NULL;
    for (int i = 1; i + 1 < count; i += 2) {
        if (strcmp(arguments[i], "--batch") == 0)
            bench.batch = (unsigned)strtoul(arguments[i + 1], NULL, 10);
        else if (strcmp(arguments[i], "--seconds") == 0)
            bench.seconds = strtod(arguments[i + 1], NULL);
        else if (strcmp(arguments[i], "--only") == 0)
            only = arguments[i + 1];
        else
            stop(
                "usage: collect [--batch N] [--seconds S] [--only parse|hash|seal|codec|door|price]");
    }
    prepare(&bench);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (only == NULL || strcmp(only, parts[i].name) == 0)
            parts[i].run(&bench);
    return 0;
}
