/* SPDX-License-Identifier: Apache-2.0 */
/* Bench: what customers did, at the size that Kith is designed for.
 *
 *     history [customers, default 8000000] [events, default 60000000]
 *
 * Fixed seed: a customer's events spread over three years, 300 types, 8 channels; six columns, of which a
 * purchase (a fifth of the events) has four, and every event the source. Printed: loading rows, bytes per event,
 * scans of all customers with one and two threads touching type and time of every event, the same after a quarter
 * of a million live events and with a fifth of the customers in groups, views of random customers, a column filled
 * later, and what observing costs. Times are of the processor, where not said otherwise: others may use the machine. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "history/history.h"

#define TYPES 300u
#define CHANNELS 8u
#define PRODUCTS 20000u
#define THREE_YEARS_MS (INT64_C(3) * 365 * 86400000)
#define START_MS INT64_C(1690000000000)

enum { REVENUE, CURRENCY, PRODUCT, COUPON, QUANTITY, SOURCE, COLUMNS };
static const struct {
    const char *path;
    enum column_kind kind;
} columns[COLUMNS] = {
    { "revenue", COLUMN_MONEY }, { "currency", COLUMN_TEXT }, { "product_id", COLUMN_TEXT },
    { "coupon", COLUMN_TEXT },   { "quantity", COLUMN_INT },  { "$source", COLUMN_INT },
};

struct bench {
    struct history *history;
    struct random_stream random;
    uint32_t customers;
    uint64_t events, seq;
    history_column column[COLUMNS];
    char types[TYPES][32], products[PRODUCTS][16], coupons[100][16];
};

static void check(err error)
{
    if (error == ERR_OK)
        return;
    fprintf(stderr, "%s\n", err_code(error));
    exit(1);
}

static int64_t cpu_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static double resident_mb(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static const char *const channel_names[CHANNELS] = { "web",   "mini_program", "app",    "server",
                                                     "store", "tmall",        "douyin", "wecom" };

static void make_names(struct bench *bench)
{
    for (unsigned i = 0; i < TYPES; i++)
        snprintf(bench->types[i], sizeof(bench->types[i]), "Event Number %u", i);
    for (unsigned i = 0; i < PRODUCTS; i++)
        snprintf(bench->products[i], sizeof(bench->products[i]), "p%07u", i);
    for (unsigned i = 0; i < 100; i++)
        snprintf(bench->coupons[i], sizeof(bench->coupons[i]), "coupon-%02u", i);
}

/* Few types are most of the events. */
static unsigned choose_type(uint64_t chance)
{
    unsigned low = (unsigned)(chance & 0xff);
    return low < 200 ? low % 12 : (unsigned)(chance >> 8) % TYPES;
}

static bool is_purchase(unsigned type)
{
    return type % 5 == 0;
}

/* ---- loading ---- */

struct made_row {
    struct history_row row;
    struct history_value values[COLUMNS];
};

static void make_row(const struct bench *bench, uint64_t chance, struct made_row *out)
{
    unsigned type = choose_type(chance);
    struct history_value *value = out->values;
    out->row.type = str_from_c(bench->types[type]);
    out->row.channel = str_from_c(channel_names[chance >> 20 & (CHANNELS - 1)]);
    *value++ = (struct history_value){ .column = bench->column[SOURCE],
                                       .number = (int64_t)(chance >> 24 & 7) };
    if (is_purchase(type)) {
        *value++ = (struct history_value){ .column = bench->column[REVENUE],
                                           .number = (int64_t)(chance >> 30 & 0x1ffff) };
        *value++ = (struct history_value){ .column = bench->column[CURRENCY], .text = STR("CNY") };
        *value++ = (struct history_value){ .column = bench->column[PRODUCT],
                                           .text = str_from_c(
                                               bench->products[(chance >> 40) % PRODUCTS]) };
        *value++ = (struct history_value){ .column = bench->column[QUANTITY],
                                           .number = (int64_t)(chance >> 28 & 3) + 1 };
        if ((chance >> 33 & 7) == 0)
            *value++ =
                (struct history_value){ .column = bench->column[COUPON],
                                        .text = str_from_c(bench->coupons[(chance >> 50) % 100]) };
    }
    out->row.values = out->values;
    out->row.value_count = (uint32_t)(value - out->values);
}

static void load(struct bench *bench)
{
    struct made_row *rows = calloc(4096, sizeof(*rows));
    uint32_t batch = 0;
    int64_t load_us = 0, start = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t done = 0, per_customer = bench->events / bench->customers;
    check(history_load_begin(bench->history));
    for (uint32_t node = 1; node <= bench->customers; node++) {
        uint64_t count = random_below(&bench->random, 2 * per_customer + 1);
        int64_t time_ms = START_MS;
        for (uint64_t i = 0; i < count; i++) {
            uint64_t chance = random_next(&bench->random);
            time_ms += (int64_t)(random_next(&bench->random) %
                                 ((uint64_t)THREE_YEARS_MS / (count + 1) * 2));
            make_row(bench, chance, &rows[batch]);
            rows[batch].row.node = node;
            rows[batch].row.time_ms = time_ms;
            rows[batch].row.seq = (uint64_t)(time_ms - START_MS) / 1500;
            bench->seq = rows[batch].row.seq > bench->seq ? rows[batch].row.seq : bench->seq;
            done++;
            if (++batch < 4096)
                continue;
            int64_t begin = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
            for (uint32_t j = 0; j < batch; j++)
                check(history_load_row(bench->history, &rows[j].row));
            load_us += cpu_us(CLOCK_PROCESS_CPUTIME_ID) - begin;
            batch = 0;
        }
    }
    int64_t begin = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t j = 0; j < batch; j++)
        check(history_load_row(bench->history, &rows[j].row));
    check(history_load_end(bench->history));
    load_us += cpu_us(CLOCK_PROCESS_CPUTIME_ID) - begin;
    printf("load: %" PRIu64
           " rows, %.2f s of processor (%.0f ns a row, %.1f million/s); with making the "
           "rows %.2f s\n",
           done, (double)load_us / 1e6, (double)load_us * 1e3 / (double)done,
           (double)done / (double)load_us,
           (double)(cpu_us(CLOCK_PROCESS_CPUTIME_ID) - start) / 1e6);
    free(rows);
}

static void print_memory(const struct bench *bench, const char *when)
{
    size_t bytes = history_memory_bytes(bench->history);
    uint64_t events = history_event_count(bench->history);
    printf("memory %s: %.0f MB for %" PRIu64 " events, %.1f bytes each; resident %.0f MB\n", when,
           (double)bytes / 1e6, events, (double)bytes / (double)events, resident_mb());
    fflush(stdout);
}

/* ---- scans ---- */

struct part {
    pthread_t thread;
    struct bench *bench;
    uint32_t from, to;
    bool with_value;
    uint64_t customers, events, hits, sum;
    int64_t busy_us;
};

static bool touch(void *context, uint32_t customer, const struct history_view *view)
{
    struct part *part = context;
    uint64_t since = (uint64_t)(START_MS + THREE_YEARS_MS / 2);
    (void)customer;
    part->customers++;
    part->events += view->count;
    for (size_t i = 0; i < view->count; i++)
        part->hits += history_packed_type(view->events[i]) == 5 && view->events[i] >> 20 >= since;
    return true;
}

static bool touch_value(void *context, uint32_t customer, const struct history_view *view)
{
    struct part *part = context;
    (void)customer;
    part->customers++;
    part->events += view->count;
    for (size_t i = 0; i < view->count; i++) {
        if (history_packed_type(view->events[i]) != 6)
            continue;
        part->hits++;
        part->sum += (uint64_t)history_number(view, i, part->bench->column[REVENUE]);
    }
    return true;
}

static void *run_part(void *context)
{
    struct part *part = context;
    struct history_reader *reader;
    check(history_reader_new(&reader, part->bench->history));
    int64_t start = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    history_read_begin(reader);
    history_scan(reader, part->from, part->to, part->with_value ? touch_value : touch, part);
    history_read_end(reader);
    part->busy_us = cpu_us(CLOCK_THREAD_CPUTIME_ID) - start;
    history_reader_free(&reader);
    return NULL;
}

static void scan(struct bench *bench, unsigned threads, bool with_value, const char *when)
{
    struct part parts[2];
    double best_ms = 1e9, busy_ms = 0;
    uint64_t events = 0, hits = 0;
    for (int pass = 0; pass < 3; pass++) {
        steady_ns start = steady_now();
        for (unsigned i = 0; i < threads; i++) {
            parts[i] = (struct part){ .bench = bench,
                                      .from = bench->customers / threads * i,
                                      .to = i + 1 == threads ? UINT32_MAX
                                                             : bench->customers / threads * (i + 1),
                                      .with_value = with_value };
            pthread_create(&parts[i].thread, NULL, run_part, &parts[i]);
        }
        events = hits = 0;
        int64_t busy_us = 0;
        for (unsigned i = 0; i < threads; i++) {
            pthread_join(parts[i].thread, NULL);
            events += parts[i].events;
            hits += parts[i].hits;
            busy_us += parts[i].busy_us;
        }
        double ms = (double)steady_since_us(start) / 1e3;
        if (ms < best_ms) {
            best_ms = ms;
            busy_ms = (double)busy_us / 1e3;
        }
    }
    printf("scan %s, %u thread(s)%s: %.0f ms (%.0f ms of processor), %" PRIu64 " events, %" PRIu64
           " hits\n",
           when, threads, with_value ? ", a value too" : "", best_ms, busy_ms, events, hits);
    fflush(stdout);
}

/* ---- views and observing ---- */

static void view_random(struct bench *bench, uint32_t count, const char *when)
{
    struct history_reader *reader;
    struct history_view view;
    uint64_t sum = 0;
    check(history_reader_new(&reader, bench->history));
    history_read_begin(reader);
    int64_t start = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < count; i++) {
        history_view_customer(reader, 1 + (uint32_t)random_below(&bench->random, bench->customers),
                              &view);
        for (size_t j = 0; j < view.count; j++)
            sum += view.events[j];
    }
    int64_t us = cpu_us(CLOCK_THREAD_CPUTIME_ID) - start;
    history_read_end(reader);
    history_reader_free(&reader);
    printf("view of a random customer, all events touched, %s: %.0f ns (%" PRIu64 ")\n", when,
           (double)us * 1e3 / count, sum & 1);
}

#define BATCH 256u

/* Blocks of events, each node announced before, as the engine does. */
static void observe(struct bench *bench, uint32_t count, bool with_props, const char *what)
{
    static struct event events[BATCH];
    static uint32_t nodes[BATCH];
    int64_t observe_us = 0, tidy_us = 0, longest_us = 0;
    for (uint32_t done = 0; done < count; done += BATCH) {
        for (uint32_t i = 0; i < BATCH; i++) {
            uint64_t chance = random_next(&bench->random);
            unsigned type = choose_type(chance);
            nodes[i] = 1 + (uint32_t)random_below(&bench->random, bench->customers);
            events[i] = (struct event){
                .seq = ++bench->seq,
                .time_ms = START_MS + THREE_YEARS_MS + (int64_t)done,
                .received_ms = START_MS + THREE_YEARS_MS + (int64_t)done,
                .source_number = (uint32_t)chance & 7,
                .type = str_from_c(bench->types[type]),
                .channel = str_from_c(channel_names[chance >> 20 & (CHANNELS - 1)]),
                .shape = type + 1,
                .props =
                    with_props && is_purchase(type)
                        ? STR("{\"order_id\":\"T2026112100001\",\"revenue\":129.0,"
                              "\"currency\":\"CNY\",\"products\":[{\"product_id\":\"p0000001\","
                              "\"name\":\"口红\",\"price\":129.0,\"quantity\":1}],"
                              "\"payment\":\"alipay\",\"gift_wrap\":true}")
                        : STR("{\"url\":\"https://example.com/p/1\",\"title\":\"口红\"}"),
            };
            if (is_purchase(type)) {
                events[i].promoted_set = 1u << PROMOTED_REVENUE | 1u << PROMOTED_CURRENCY |
                                         1u << PROMOTED_PRODUCT_ID | 1u << PROMOTED_QUANTITY;
                events[i].promoted_int[PROMOTED_REVENUE] = (int64_t)(chance >> 30 & 0x1ffff);
                events[i].promoted_int[PROMOTED_QUANTITY] = 1;
                events[i].promoted_text[PROMOTED_CURRENCY] = STR("CNY");
                events[i].promoted_text[PROMOTED_PRODUCT_ID] =
                    str_from_c(bench->products[(chance >> 40) % PRODUCTS]);
            }
        }
        int64_t start = cpu_us(CLOCK_THREAD_CPUTIME_ID);
        for (uint32_t i = 0; i < BATCH; i++)
            history_prefetch(bench->history, nodes[i]);
        for (uint32_t i = 0; i < BATCH; i++)
            check(history_observe(bench->history, nodes[i], &events[i]));
        int64_t middle = cpu_us(CLOCK_THREAD_CPUTIME_ID);
        history_tidy(bench->history, 500);
        int64_t end = cpu_us(CLOCK_THREAD_CPUTIME_ID);
        observe_us += middle - start;
        tidy_us += end - middle;
        longest_us = end - middle > longest_us ? end - middle : longest_us;
    }
    printf("observe %s: %.0f ns an event, tidying %.0f ns more (longest slice %.2f ms)\n", what,
           (double)observe_us * 1e3 / count, (double)tidy_us * 1e3 / count,
           (double)longest_us / 1e3);
    fflush(stdout);
}

/* Every fifth customer takes in somebody far away. */
static void group(struct bench *bench)
{
    uint32_t groups = bench->customers / 10;
    int64_t start = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 1; i <= groups; i++) {
        uint32_t nodes[2] = { i * 5, bench->customers - i * 5 + 1 };
        if (nodes[0] < nodes[1])
            check(history_group(bench->history, nodes, 2));
    }
    printf("group: %u of two nodes, %.0f ns each\n", groups,
           (double)(cpu_us(CLOCK_THREAD_CPUTIME_ID) - start) * 1e3 / groups);
}

/* A property of one event in fifty, brought in slices as the engine takes them. */
static void fill(struct bench *bench)
{
    enum { SLICE = 4096, SLICE_BLOCKS = 15 };
    static struct history_row rows[SLICE];
    struct history_value value;
    struct history_reader *reader;
    struct problem problem = { .error = ERR_OK };
    size_t count = 0, slices = 0;
    uint64_t filled = 0;
    int64_t busy_us = 0, longest_us = 0;
    check(history_add_column(bench->history, STR("voucher"), COLUMN_INT, &value.column, &problem));
    value = (struct history_value){ .column = value.column, .number = 5 };
    check(history_reader_new(&reader, bench->history));
    for (uint32_t node = 1; node <= bench->customers; node++) {
        struct history_view view;
        history_read_begin(reader);
        history_view_customer(reader, node, &view);
        for (size_t i = 0; i < view.count && count < SLICE; i++)
            if ((view.events[i] >> 20) % 50 == 0)
                rows[count++] = (struct history_row){ .node = node,
                                                      .seq = history_seq(&view, i),
                                                      .time_ms = history_time_ms(view.events[i]),
                                                      .value_count = 1,
                                                      .values = &value };
        history_read_end(reader);
        bool is_wide =
            count > 0 &&
            node / HISTORY_BLOCK_NODES - rows[0].node / HISTORY_BLOCK_NODES >= SLICE_BLOCKS;
        if (count < SLICE && !is_wide && node < bench->customers)
            continue;
        int64_t start = cpu_us(CLOCK_THREAD_CPUTIME_ID);
        check(history_fill_rows(bench->history, value.column, rows, count));
        int64_t us = cpu_us(CLOCK_THREAD_CPUTIME_ID) - start;
        busy_us += us;
        longest_us = us > longest_us ? us : longest_us;
        filled += count;
        slices++;
        count = 0;
    }
    history_fill_end(bench->history, value.column);
    history_reader_free(&reader);
    printf("fill: %" PRIu64
           " values in %zu slices, %.0f ns each, %.1f us a block; longest slice %.2f ms\n",
           filled, slices, (double)busy_us * 1e3 / (double)filled,
           (double)busy_us / ((double)bench->customers / HISTORY_BLOCK_NODES),
           (double)longest_us / 1e3);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct problem problem = { .error = ERR_OK };
    bench.customers = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 8000000;
    bench.events = argc > 2 ? strtoull(argv[2], NULL, 10) : 60000000;
    random_seed(&bench.random, 20261121);
    make_names(&bench);
    struct history_config config = { .memory_bytes_max = (size_t)1900 << 20 };
    check(history_new(&bench.history, &config));
    for (int i = 0; i < COLUMNS; i++)
        check(history_add_column(bench.history, str_from_c(columns[i].path), columns[i].kind,
                                 &bench.column[i], &problem));
    load(&bench);
    print_memory(&bench, "after the load");
    scan(&bench, 1, false, "of all");
    scan(&bench, 2, false, "of all");
    scan(&bench, 2, true, "of all");
    view_random(&bench, 1000000, "in place");
    observe(&bench, 250000, false, "the first event of many blocks");
    observe(&bench, 250000, false, "promoted columns only");
    scan(&bench, 2, false, "after 0.5 million live events");
    view_random(&bench, 1000000, "some gathered");
    fill(&bench);
    group(&bench);
    scan(&bench, 2, false, "with a fifth of the nodes in groups");
    history_column payment;
    check(history_add_column(bench.history, STR("payment"), COLUMN_TEXT, &payment, &problem));
    observe(&bench, 250000, true, "with a column out of the properties");
    observe(&bench, 2000000, true, "for long");
    print_memory(&bench, "at the end");
    history_free(&bench.history);
    return 0;
}
