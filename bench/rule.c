/* SPDX-License-Identifier: Apache-2.0 */
/* How fast rules are: everybody by two event conditions, a trait and a tag; one customer; making a rule.
 *
 *     build/release/bench/rule [--customers 1000000] [--events-per-customer 8] [--types 300] [--threads 2]
 *
 * The same customers and events every time. Figures are printed, never asserted. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "history/history.h"
#include "rule/rule.h"

#define NOW INT64_C(1781748000000)
#define THREADS_MAX 16

struct house {
    struct history *history;
    uint32_t customers;
    uint8_t *city, *skin; /* of each customer; 0: not set */
    struct rule_catalogue catalogue;
    struct rule_facts facts;
};

static const char *const cities[] = { "", "上海", "杭州", "北京", "成都", "广州", "深圳", "苏州" };
static const char *const skins[] = { "", "sensitive", "dry", "oily" };

static void check(err error, const struct problem *problem, const char *what)
{
    if (error == ERR_OK)
        return;
    fprintf(stderr, "%s: %s %s\n", what, err_code(error), problem != NULL ? problem->detail : "");
    exit(1);
}

/* ---- the catalogue and the facts ---- */

static bool any_event(void *context, str name)
{
    (void)context;
    return name.size > 0;
}

static bool property(void *context, str event, str path, enum column_kind *kind)
{
    (void)context;
    (void)event;
    *kind = str_equal(path, STR("revenue")) ? COLUMN_MONEY : COLUMN_TEXT;
    return str_equal(path, STR("revenue")) || str_equal(path, STR("product_id")) ||
           str_equal(path, STR("order_id"));
}

static bool text_symbol(void *context, str name, struct rule_symbol *symbol)
{
    (void)context;
    (void)name;
    *symbol = (struct rule_symbol){ RULE_TEXT, 0 };
    return true;
}

static bool trait(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    const struct house *house = context;
    (void)symbol;
    value->text = str_from_c(cities[house->city[customer]]);
    return house->city[customer] != 0;
}

static bool tag(void *context, uint32_t customer, uint32_t symbol, struct rule_value *value)
{
    const struct house *house = context;
    (void)symbol;
    value->text = str_from_c(skins[house->skin[customer]]);
    return house->skin[customer] != 0;
}

/* The same of many at once. */
static bool cells(void *context, enum rule_fact fact, uint32_t symbol, uint32_t first,
                  uint32_t count, int64_t *cells_)
{
    const struct house *house = context;
    const uint8_t *from = fact == RULE_FACT_TRAIT ? house->city : house->skin;
    (void)symbol;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t customer = first + i;
        bool set = customer <= house->customers && from[customer] != 0;
        cells_[i] = set ? from[customer] : RULE_NO_CELL;
    }
    return true;
}

static bool cell(void *context, enum rule_fact fact, uint32_t symbol, int64_t number,
                 struct rule_value *value)
{
    (void)context;
    (void)symbol;
    value->text = str_from_c(fact == RULE_FACT_TRAIT ? cities[number] : skins[number]);
    return true;
}

/* ---- history ---- */

struct columns {
    history_column revenue, product, order;
};

static void load_event(struct house *house, struct random_stream *random, struct columns columns,
                       uint32_t node, uint64_t seq, int64_t time_ms, unsigned types)
{
    static const char *const known[] = { "Order Paid", "Product Added", "Order Refunded" };
    char name[32], product[32], order[32];
    struct history_value values[3];
    uint64_t dice = random_below(random, 100);
    struct history_row row = {
        .node = node, .seq = seq, .time_ms = time_ms, .channel = STR("web")
    };
    if (dice < 8) {
        row.type = str_from_c(known[dice < 3 ? 0 : dice < 7 ? 1 : 2]);
        snprintf(product, sizeof(product), "p%d", (int)random_below(random, 5000));
        snprintf(order, sizeof(order), "o%" PRIu64, seq);
        values[0] = (struct history_value){ .column = columns.revenue,
                                            .number = (int64_t)random_below(random, 100000) };
        values[1] =
            (struct history_value){ .column = columns.product, .text = str_from_c(product) };
        row.value_count = 2;
        row.values = values;
    } else {
        snprintf(name, sizeof(name), "Event %d", (int)random_below(random, types));
        row.type = str_from_c(name);
    }
    check(history_load_row(house->history, &row), NULL, "load");
}

static int compare_times(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static void load(struct house *house, unsigned per_customer, unsigned types)
{
    struct random_stream random;
    struct columns columns;
    struct history_config config = { .memory_bytes_max = (size_t)12 << 30 };
    random_seed(&random, 42);
    check(history_new(&house->history, &config), NULL, "history");
    check(history_add_column(house->history, STR("revenue"), COLUMN_MONEY, &columns.revenue, NULL),
          NULL, "column");
    check(
        history_add_column(house->history, STR("product_id"), COLUMN_TEXT, &columns.product, NULL),
        NULL, "column");
    check(history_load_begin(house->history), NULL, "load");
    uint64_t seq = 0;
    for (uint32_t node = 1; node <= house->customers; node++) {
        int64_t times[64];
        size_t count = random_below(&random, 2 * per_customer + 1);
        house->city[node] = (uint8_t)random_below(&random, 8);
        house->skin[node] = (uint8_t)random_below(&random, 4);
        for (size_t i = 0; i < count && i < 64; i++)
            times[i] = NOW - (int64_t)random_below(&random, 365 * (uint64_t)DAY_MS);
        qsort(times, count < 64 ? count : 64, sizeof(times[0]), compare_times);
        for (size_t i = 0; i < count && i < 64; i++)
            load_event(house, &random, columns, node, ++seq, times[i], types);
    }
    check(history_load_end(house->history), NULL, "load");
}

/* ---- scanning ---- */

struct worker {
    struct house *house;
    const struct rule *rule;
    uint32_t from, to;
    uint64_t found;
    uint64_t *counts;
};

static bool count_found(void *context, uint32_t customer)
{
    (void)customer;
    (*(uint64_t *)context)++;
    return true;
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct rule_judge *judge;
    struct history_reader *reader;
    check(rule_judge_new(&judge), NULL, "judge");
    check(history_reader_new(&reader, worker->house->history), NULL, "reader");
    history_read_begin(reader);
    check(rule_scan(judge, worker->rule, reader, &worker->house->facts, NOW, worker->from,
                    worker->to, count_found, &worker->found, worker->counts),
          NULL, "scan");
    history_read_end(reader);
    history_reader_free(&reader);
    rule_judge_free(&judge);
    return NULL;
}

static struct rule *make(struct house *house, struct json_parser *parser, const char *text)
{
    struct rule *rule;
    json_value json;
    struct problem problem = { 0 };
    check(json_parse(parser, str_from_c(text), &json, &problem), &problem, text);
    check(rule_new(&rule, json, &house->catalogue, &problem), &problem, text);
    return rule;
}

/* Of all threads: what others do on the machine does not count. */
static int64_t processor_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct cost {
    int64_t wall_ns, processor_ns;
};

static struct cost scan_cost(struct house *house, const struct rule *rule, unsigned threads,
                             bool counts, uint64_t *found)
{
    struct worker workers[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    static uint64_t condition_counts[THREADS_MAX][RULE_CONDITIONS_MAX];
    steady_ns start = steady_now();
    int64_t processor = processor_ns();
    for (unsigned i = 0; i < threads; i++) {
        uint64_t end = (uint64_t)house->customers + 1;
        workers[i] = (struct worker){ .house = house,
                                      .rule = rule,
                                      .from = (uint32_t)(end * i / threads),
                                      .to = (uint32_t)(end * (i + 1) / threads),
                                      .counts = counts ? condition_counts[i] : NULL };
        pthread_create(&ids[i], NULL, work, &workers[i]);
    }
    *found = 0;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        *found += workers[i].found;
    }
    return (struct cost){ steady_now().ns - start.ns, processor_ns() - processor };
}

static const struct {
    const char *name, *rule;
} scans[] = {
    { "preview: two events, trait, tag",
      "{\"all\":[{\"event\":\"Order Paid\",\"last\":\"90d\",\"gte\":1},{\"event\":\"Product Added\","
      "\"last\":\"30d\",\"eq\":0},{\"trait\":\"city\",\"in\":[\"上海\",\"杭州\"]},{\"tag\":\"skin_type\","
      "\"eq\":\"sensitive\"}]}" },
    { "two events alone",
      "{\"all\":[{\"event\":\"Order Paid\",\"last\":\"90d\",\"gte\":1},{\"event\":\"Product Added\","
      "\"last\":\"30d\",\"eq\":0}]}" },
    { "sum with where",
      "{\"event\":\"Order Paid\",\"where\":[{\"prop\":\"product_id\",\"contains\":\"7\"}],\"measure\":"
      "\"sum\",\"of\":\"revenue\",\"gte\":50000}" },
    { "sequence: added, then not paid",
      "{\"sequence\":[{\"event\":\"Product Added\"},{\"event\":\"Order Paid\",\"same\":\"product_id\","
      "\"absent\":true}],\"within\":\"7d\",\"last\":\"90d\"}" },
    { "trait and tag",
      "{\"all\":[{\"trait\":\"city\",\"in\":[\"上海\",\"杭州\"]},{\"tag\":\"skin_type\","
      "\"eq\":\"sensitive\"}]}" },
};

static void scan_all(struct house *house, struct json_parser *parser, unsigned threads)
{
    double events = (double)history_event_count(house->history);
    for (size_t i = 0; i < sizeof(scans) / sizeof(scans[0]); i++) {
        struct rule *rule = make(house, parser, scans[i].rule);
        for (int counts = 0; counts < 2; counts++) {
            struct cost best = { INT64_MAX, INT64_MAX };
            uint64_t found = 0;
            for (int round = 0; round < 3; round++) {
                struct cost cost = scan_cost(house, rule, threads, counts != 0, &found);
                best.wall_ns = cost.wall_ns < best.wall_ns ? cost.wall_ns : best.wall_ns;
                best.processor_ns =
                    cost.processor_ns < best.processor_ns ? cost.processor_ns : best.processor_ns;
            }
            printf(
                "%-32s %s %7.1f ms wall %7.1f ms of processor, %5.2f ns/event %6.1f ns/customer  "
                "%" PRIu64 " found\n",
                scans[i].name, counts != 0 ? "with counts" : "           ",
                (double)best.wall_ns / 1e6, (double)best.processor_ns / 1e6,
                (double)best.processor_ns / events, (double)best.processor_ns / house->customers,
                found);
        }
        rule_free(&rule);
    }
}

/* ---- one customer, and making ---- */

static void judge_one(struct house *house, struct json_parser *parser)
{
    struct rule *rule = make(house, parser, scans[1].rule);
    struct rule_judge *judge;
    struct history_reader *reader;
    struct random_stream random;
    check(rule_judge_new(&judge), NULL, "judge");
    check(history_reader_new(&reader, house->history), NULL, "reader");
    random_seed(&random, 7);
    const int count = 1000000;
    steady_ns start = steady_now();
    uint64_t held = 0;
    history_read_begin(reader);
    for (int i = 0; i < count; i++) {
        struct history_view view;
        struct rule_answer answer;
        uint32_t customer = 1 + (uint32_t)random_below(&random, house->customers);
        history_view_customer(reader, customer, &view);
        rule_answer(judge, rule, customer, &view, &house->facts, NOW + i, &answer);
        held += answer.holds;
    }
    history_read_end(reader);
    printf("one customer, at random, another now each time: %.0f ns (%" PRIu64 " held)\n",
           (double)(steady_now().ns - start.ns) / count, held);
    history_reader_free(&reader);
    rule_judge_free(&judge);
    rule_free(&rule);
    start = steady_now();
    for (int i = 0; i < 10000; i++) {
        rule = make(house, parser, scans[0].rule);
        rule_free(&rule);
    }
    printf("making a rule of four conditions: %.1f us\n",
           (double)(steady_now().ns - start.ns) / 1e3 / 10000);
}

static unsigned option(int argc, char **argv, const char *name, unsigned otherwise)
{
    int64_t value;
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0 && str_to_int64(str_from_c(argv[i + 1]), &value) &&
            value > 0)
            return (unsigned)value;
    return otherwise;
}

int main(int argc, char **argv)
{
    struct house house = { .customers = option(argc, argv, "--customers", 1000000) };
    unsigned threads = option(argc, argv, "--threads", 2);
    struct json_parser *parser;
    setvbuf(stdout, NULL, _IOLBF, 0);
    house.city = memory_alloc(house.customers + 1);
    house.skin = memory_alloc(house.customers + 1);
    if (house.city == NULL || house.skin == NULL || threads > THREADS_MAX)
        return 1;
    check(json_parser_new(&parser, 1 << 20), NULL, "parser");
    steady_ns start = steady_now();
    load(&house, option(argc, argv, "--events-per-customer", 8),
         option(argc, argv, "--types", 300));
    printf("%" PRIu64 " events of %u customers loaded in %.1f s, %.1f bytes each; %u threads\n",
           history_event_count(house.history), house.customers,
           (double)steady_since_ms(start) / 1e3,
           (double)history_memory_bytes(house.history) / (double)history_event_count(house.history),
           threads);
    house.catalogue = (struct rule_catalogue){ .event = any_event,
                                               .property = property,
                                               .trait = text_symbol,
                                               .tag = text_symbol,
                                               .history = house.history };
    house.facts = (struct rule_facts){ .context = &house,
                                       .trait = trait,
                                       .tag = tag,
                                       .cells = cells,
                                       .cell = cell,
                                       .entered_ms = INT64_MIN };
    scan_all(&house, parser, threads);
    judge_one(&house, parser);
    json_parser_free(&parser);
    history_free(&house.history);
    memory_free(house.city);
    memory_free(house.skin);
    return 0;
}
