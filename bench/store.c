/* SPDX-License-Identifier: Apache-2.0 */
/* What the stores can take: ledger upserts and scans, rows encoded and inserted into the warehouse.
 *
 * Usage: store [folder] [customers] [batches] [shards]   (default /tmp/kith-bench-store, 400,000 customers,
 * 15 batches of 500,000 events; 0 leaves a part out; shards as of --warehouse: a cluster that is empty)
 * Figures go to docs/benchmarks.md; nothing is asserted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/events.h"
#include "store/ledger.h"
#include "store/warehouse.h"
#include "store/warehouse_child.h"

/* Blocks of the engine: new customers that come together. */
#define CUSTOMERS_PER_SET 1000

static double cpu_s(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static _Noreturn void give_up(const struct problem *problem)
{
    fprintf(stderr, "bench: %s\n", problem->detail);
    exit(1);
}

/* A new customer: herself, three identifiers, a hash of her phone, a link, her traits. */
static size_t put_customer(struct ledger_writes *writes, struct random_stream *random,
                           int64_t customer)
{
    char value[64], facts[256];
    uint64_t hash[2], tail;
    memset(facts, 'f', sizeof(facts));
    LEDGER_PUT(writes, LEDGER_CUSTOMERS, ledger_int(customer), ledger_int(0),
               ledger_int(1795000000000 + customer), ledger_int(customer));
    for (int i = 0; i < 3; i++) {
        hash[0] = random_next(random);
        hash[1] = random_next(random);
        tail = i == 0 ? random_next(random) : 0;
        memset(value, 'v', sizeof(value));
        LEDGER_PUT(writes, LEDGER_IDENTIFIERS, ledger_int(customer * 3 + i),
                   ledger_blob(str_from_bytes(hash, sizeof(hash))), ledger_int(i),
                   ledger_text(STR("")), ledger_int(1), ledger_int(customer),
                   ledger_int(1795000000000), ledger_int(customer), ledger_int(0),
                   ledger_text(STR("born")), ledger_blob(str_from_bytes(value, i == 0 ? 64 : 24)),
                   ledger_blob(i == 0 ? str_from_bytes(&tail, sizeof(tail)) : STR_NONE),
                   ledger_int(1), ledger_int(1795000000000));
    }
    hash[0] = random_next(random);
    LEDGER_PUT(writes, LEDGER_IDENTIFIER_HASHES, ledger_blob(str_from_bytes(hash, sizeof(hash))),
               ledger_int(customer * 3), ledger_null(), ledger_null());
    LEDGER_PUT(writes, LEDGER_LINKS, ledger_int(customer), ledger_int(customer * 3),
               ledger_int(customer * 3 + 1), ledger_int(customer), ledger_int(customer),
               ledger_int(1795000000000), ledger_int(1), ledger_text(STR("same_event")));
    LEDGER_PUT(writes, LEDGER_TRAITS, ledger_int(customer),
               ledger_blob(str_from_bytes(facts, 160)));
    return 7;
}

/* When the ledger told of a commit last, and the longest it was silent: what a command may wait. */
struct pulse {
    steady_ns last;
    int64_t longest_us;
};

static void feel_pulse(void *context, uint64_t seq)
{
    struct pulse *pulse = context;
    (void)seq;
    int64_t us = pulse->last.ns != 0 ? steady_since_us(pulse->last) : 0;
    if (us > pulse->longest_us)
        pulse->longest_us = us;
    pulse->last = steady_now();
}

static void bench_upserts(struct ledger *ledger, int64_t customers)
{
    struct pulse pulse = { .longest_us = 0 };
    struct random_stream random;
    random_seed(&random, 7);
    steady_ns start = steady_now();
    double cpu = cpu_s(RUSAGE_SELF);
    size_t rows = 0;
    for (int64_t customer = 1; customer <= customers;) {
        while (ledger_pending_bytes(ledger) > (64u << 20))
            steady_sleep_ms(1);
        struct ledger_writes *writes = ledger_writes_new(ledger);
        for (int i = 0; i < CUSTOMERS_PER_SET && customer <= customers; i++, customer++)
            rows += put_customer(writes, &random, customer);
        if (ledger_apply(ledger, &writes, (uint64_t)customer, feel_pulse, &pulse) != ERR_OK)
            abort();
    }
    if (ledger_drain(ledger) != ERR_OK)
        abort();
    double took = (double)steady_since_us(start) / 1e6;
    printf("ledger upserts      %9zu rows  %6.2f s  %8.0f rows/s  %4.2f us of CPU a row\n", rows,
           took, (double)rows / took, (cpu_s(RUSAGE_SELF) - cpu) * 1e6 / (double)rows);
    printf("ledger longest silence              %6.0f ms\n", (double)pulse.longest_us / 1e3);
}

static void bench_updates(struct ledger *ledger, int64_t customers)
{
    struct random_stream random;
    random_seed(&random, 8);
    char facts[160];
    memset(facts, 'g', sizeof(facts));
    steady_ns start = steady_now();
    size_t rows = 200000;
    for (size_t done = 0; done < rows;) {
        while (ledger_pending_bytes(ledger) > (64u << 20))
            steady_sleep_ms(1);
        struct ledger_writes *writes = ledger_writes_new(ledger);
        for (int i = 0; i < 1000; i++, done++)
            LEDGER_PUT(writes, LEDGER_TRAITS,
                       ledger_int(1 + (int64_t)random_below(&random, (uint64_t)customers)),
                       ledger_blob(str_from_bytes(facts, sizeof(facts))));
        if (ledger_apply(ledger, &writes, 0, NULL, NULL) != ERR_OK)
            abort();
    }
    if (ledger_drain(ledger) != ERR_OK)
        abort();
    double took = (double)steady_since_us(start) / 1e6;
    printf("ledger trait updates%9zu rows  %6.2f s  %8.0f rows/s (random customers)\n", rows, took,
           (double)rows / took);
}

struct scan_sum {
    size_t rows;
    int64_t sum;
};

static bool sum_row(void *context, const struct ledger_value *values)
{
    struct scan_sum *sum = context;
    sum->rows++;
    sum->sum += values[0].integer;
    return true;
}

static void bench_scan(struct ledger *ledger, enum ledger_table table)
{
    struct problem problem = { .error = ERR_OK };
    for (int round = 0; round < 2; round++) {
        struct scan_sum sum = { 0 };
        steady_ns start = steady_now();
        double cpu = cpu_s(RUSAGE_THREAD);
        if (ledger_scan(ledger, table, NULL, sum_row, &sum, &problem) != ERR_OK)
            give_up(&problem);
        double took = (double)steady_since_us(start) / 1e6;
        printf("ledger scan %-12s%8zu rows  %6.2f s  %8.0f rows/s  %4.0f ns of CPU a row\n",
               ledger_table_name(table), sum.rows, took, (double)sum.rows / took,
               (cpu_s(RUSAGE_THREAD) - cpu) * 1e9 / (double)sum.rows);
    }
}

/* What the engine needs of the identifiers when it starts. */
static void bench_scan_some(struct ledger *ledger)
{
    struct problem problem = { .error = ERR_OK };
    struct scan_sum sum = { 0 };
    steady_ns start = steady_now();
    double cpu = cpu_s(RUSAGE_THREAD);
    if (ledger_scan_some(ledger, LEDGER_IDENTIFIERS,
                         "row hash type_number namespace flags customer attached_ms", NULL, sum_row,
                         &sum, &problem) != ERR_OK)
        give_up(&problem);
    double took = (double)steady_since_us(start) / 1e6;
    printf("ledger scan identifiers (7 of 14 columns)     %6.2f s  %8.0f rows/s  %4.0f ns of CPU a "
           "row\n",
           took, (double)sum.rows / took, (cpu_s(RUSAGE_THREAD) - cpu) * 1e9 / (double)sum.rows);
}

static void bench_find(struct ledger *ledger, int64_t customers)
{
    struct problem problem = { .error = ERR_OK };
    struct random_stream random;
    random_seed(&random, 9);
    struct scan_sum sum = { 0 };
    steady_ns start = steady_now();
    size_t rounds = 100000;
    for (size_t i = 0; i < rounds; i++) {
        struct ledger_value key =
            ledger_int(1 + (int64_t)random_below(&random, (uint64_t)customers));
        if (ledger_find_by(ledger, LEDGER_IDENTIFIERS, "customer", key, NULL, false, 100, sum_row,
                           &sum, &problem) != ERR_OK)
            give_up(&problem);
        if (ledger_find(ledger, LEDGER_TRAITS, &key, 1, sum_row, &sum, &problem) != ERR_OK)
            give_up(&problem);
    }
    double took = (double)steady_since_us(start) / 1e6;
    printf("ledger profile reads%9zu       %6.2f s  %8.0f /s (identifiers and traits)\n", rounds,
           took, (double)rounds / took);
}

/* ---- warehouse ---- */

static const char *const TYPES[] = { "Product Viewed", "Product Added",  "Order Paid",
                                     "Page Viewed",    "Coupon Claimed", "Store Visited" };

/* An event of a shop: about 600 bytes of properties and context, most promoted columns set. */
static void make_event(struct random_stream *random, uint64_t seq, char *props, size_t props_size,
                       char *context, size_t context_size, struct warehouse_event *event,
                       int64_t *numbers, str *texts, uint32_t *identifiers)
{
    static const char *const CHANNELS[] = { "web", "mini_program", "tmall", "jd", "store" };
    uint64_t dice = random_next(random);
    const char *type = TYPES[dice % 6];
    int size = snprintf(
        props, props_size,
        "{\"order_id\":\"O%llu\",\"revenue\":%llu,\"currency\":\"CNY\",\"products\":[{\"product_id\":"
        "\"P%llu\",\"sku\":\"SKU-%llu\",\"name\":\"保湿修护精华液 %llu ml\",\"price\":%llu,\"quantity\":%llu,"
        "\"category\":\"护肤/精华\",\"brand\":\"熟客\"}],\"affiliation\":\"官方旗舰店\",\"coupon\":\"C%llu\","
        "\"url\":\"https://shop.example.cn/p/%llu?utm_source=wechat&utm_campaign=spring\"}",
        (unsigned long long)(dice >> 20), (unsigned long long)(dice % 90000),
        (unsigned long long)(dice % 500), (unsigned long long)(dice % 500),
        (unsigned long long)(dice % 200), (unsigned long long)(dice % 9999),
        (unsigned long long)(dice % 4 + 1), (unsigned long long)(dice % 1000),
        (unsigned long long)(dice % 500));
    int context_bytes = snprintf(
        context, context_size,
        "{\"ip\":\"\",\"library\":{\"name\":\"analytics-node\",\"version\":\"2.1.0\"},\"locale\":\"zh-CN\","
        "\"userAgent\":\"Mozilla/5.0 (iPhone; CPU iPhone OS 17_%llu like Mac OS X)\",\"device\":{\"model\":"
        "\"iPhone15,%llu\"},\"campaign\":{\"name\":\"spring\",\"source\":\"wechat\"}}",
        (unsigned long long)(dice % 6), (unsigned long long)(dice % 5));
    *event = (struct warehouse_event){
        .seq = seq,
        .batch = seq / WAREHOUSE_BATCH_ROWS_MAX,
        .source = (uint32_t)(dice % 7),
        .kind = 1,
        .flags = 1,
        .type = str_from_c(type),
        .channel = str_from_c(CHANNELS[dice % 5]),
        .time_ms = 1795000000000 + (int64_t)seq,
        .received_ms = 1795000000000 + (int64_t)(seq / 90),
        .customer = (uint32_t)random_below(random, 1000000) + 1,
        .origin = (uint32_t)(dice % 3000000),
        .identifiers = identifiers,
        .identifier_count = 2,
        .promoted_int = numbers,
        .promoted_text = texts,
        .props = { props, (size_t)size },
        .context = { context, (size_t)context_bytes },
    };
    uint64_t key[2] = { random_next(random), random_next(random) };
    memcpy(event->message_key, key, sizeof(key));
    identifiers[0] = event->origin;
    identifiers[1] = (uint32_t)(dice % 2999999);
    if (dice % 3 != 0)
        return;
    for (int i = 0; i < PROMOTED_COUNT; i++) {
        numbers[i] = (int64_t)(dice % 9999);
        texts[i] = str_from_c(i == PROMOTED_ORDER_ID ? "O123456789" : TYPES[i % 6]);
    }
    event->promoted_set = (1u << PROMOTED_COUNT) - 1;
}

static double child_cpu_s(int pid)
{
    char path[64], line[1024] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof(line), file) == NULL)
        return 0;
    fclose(file);
    /* Fields 14 and 15 count ticks; 12 fields after the name in parentheses. */
    const char *at = strrchr(line, ')');
    for (int field = 0; at != NULL && field < 12; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return 0;
    char *end;
    double ticks = strtod(at, &end);
    ticks += strtod(end, NULL);
    return ticks / (double)sysconf(_SC_CLK_TCK);
}

static void bench_batch(struct warehouse *warehouse, struct random_stream *random, uint64_t batch,
                        struct buffer *rows, int64_t *encode_us, int64_t *insert_us)
{
    struct problem problem = { .error = ERR_OK };
    static char props[100][2048], context[100][1024];
    static int64_t numbers[100][PROMOTED_COUNT];
    static str texts[100][PROMOTED_COUNT];
    static uint32_t identifiers[100][2];
    static struct warehouse_event events[100];
    buffer_clear(rows);
    for (uint64_t done = 0; done < WAREHOUSE_BATCH_ROWS_MAX; done += 100) {
        for (uint64_t i = 0; i < 100; i++)
            make_event(random, batch * WAREHOUSE_BATCH_ROWS_MAX + done + i, props[i],
                       sizeof(props[i]), context[i], sizeof(context[i]), &events[i], numbers[i],
                       texts[i], identifiers[i]);
        steady_ns start = steady_now();
        for (uint64_t i = 0; i < 100; i++)
            event_row_write(rows, &events[i]);
        *encode_us += (steady_now().ns - start.ns) / 1000;
    }
    steady_ns start = steady_now();
    if (warehouse_insert_events(warehouse, batch, 0, buffer_str(rows), &problem) != ERR_OK)
        give_up(&problem);
    *insert_us += steady_since_us(start);
}

/* ---- what the product asks ---- */

static bool count_bytes(void *context, str bytes)
{
    *(size_t *)context += bytes.size;
    return true;
}

/* The middle of five. */
static void bench_read(struct warehouse *warehouse, const char *name, const char *sql)
{
    struct problem problem = { .error = ERR_OK };
    int64_t times_us[5];
    size_t bytes = 0;
    for (int i = 0; i < 5; i++) {
        steady_ns start = steady_now();
        bytes = 0;
        if (warehouse_stream(warehouse, str_from_c(sql), NULL, 0, count_bytes, &bytes, &problem) !=
            ERR_OK)
            give_up(&problem);
        int64_t us = steady_since_us(start);
        int at = i;
        for (; at > 0 && times_us[at - 1] > us; at--)
            times_us[at] = times_us[at - 1];
        times_us[at] = us;
    }
    printf("warehouse %-16s %8.1f ms, %zu bytes\n", name, (double)times_us[2] / 1e3, bytes);
}

static void put_aliases(struct warehouse *warehouse)
{
    static struct warehouse_alias aliases[50000];
    struct problem problem = { .error = ERR_OK };
    for (uint32_t i = 0; i < 50000; i++)
        aliases[i] = (struct warehouse_alias){ i * 20 + 2, i * 20 + 1, i + 1 };
    if (warehouse_put_aliases(warehouse, aliases, 50000, &problem) != ERR_OK ||
        warehouse_refresh_aliases(warehouse, &problem) != ERR_OK)
        give_up(&problem);
}

static void bench_reads(struct warehouse *warehouse)
{
    put_aliases(warehouse);
    bench_read(
        warehouse, "preview",
        "SELECT customer, seq, time_ms, received_ms, source, kind, toString(type), "
        "toString(channel), toInt64(revenue) FROM events_kept WHERE customer > 0 AND seq <= "
        "1000000000 AND type IN ('Order Paid', 'Coupon Claimed') ORDER BY customer, time_ms, "
        "seq FORMAT RowBinary");
    bench_read(
        warehouse, "funnel",
        "SELECT countIf(a), countIf(a AND b), countIf(a AND b AND c) FROM (SELECT " WAREHOUSE_CURRENT_CUSTOMER
        " AS current, minIf(time_ms, type = 'Product Viewed') AS "
        "viewed, maxIf(time_ms, type = 'Product Added') AS added, maxIf(time_ms, type = "
        "'Order Paid') AS paid, viewed > 0 AS a, added > viewed AS b, paid > added AS c "
        "FROM events_kept WHERE type IN ('Product Viewed', 'Product Added', 'Order Paid') "
        "GROUP BY current) FORMAT RowBinary");
    bench_read(
        warehouse, "channels",
        "SELECT toString(channel) AS name, toUInt64(count()) AS n, toUInt64(uniq(" WAREHOUSE_CURRENT_CUSTOMER
        ")) FROM events_kept GROUP BY name ORDER BY n DESC LIMIT "
        "50 FORMAT RowBinary");
    bench_read(warehouse, "timeline",
               "SELECT seq, time_ms, received_ms, customer, source, origin, kind, toString(type), "
               "toString(channel), toString(props), toString(context) FROM events_kept WHERE "
               "customer IN (4711, 815) AND seq < 1000000000 ORDER BY time_ms DESC, seq DESC "
               "LIMIT 51 FORMAT RowBinary");
}

static void bench_warehouse(const char *folder, uint64_t batches, const char *shards)
{
    struct problem problem = { .error = ERR_OK };
    struct warehouse *warehouse = NULL;
    struct random_stream random;
    struct buffer rows, out;
    char path[512], command[600];
    snprintf(path, sizeof(path), "%s/warehouse", folder);
    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    if (system(command) != 0)
        return;
    struct warehouse_config config = { .folder = shards == NULL ? path : NULL, .url = shards };
    if (warehouse_open(&warehouse, &config, &problem) != ERR_OK ||
        warehouse_wait(warehouse, 60000, &problem) != ERR_OK)
        give_up(&problem);
    random_seed(&random, 11);
    buffer_init(&rows, (size_t)1 << 30);
    buffer_init(&out, 1 << 20);
    int64_t encode_us = 0, insert_us = 0;
    double cpu = child_cpu_s(warehouse_child_pid(warehouse));
    for (uint64_t batch = 1; batch <= batches; batch++)
        bench_batch(warehouse, &random, batch, &rows, &encode_us, &insert_us);
    double count = (double)(batches * WAREHOUSE_BATCH_ROWS_MAX);
    cpu = child_cpu_s(warehouse_child_pid(warehouse)) - cpu;
    printf("warehouse rows encoded     %5.0f ns a row, %zu bytes each\n",
           (double)encode_us * 1000 / count, rows.size / WAREHOUSE_BATCH_ROWS_MAX);
    printf(
        "warehouse inserts          %8.0f rows/s, %5.2f us of the child's CPU a row (%d columns)\n",
        count * 1e6 / (double)insert_us, cpu * 1e6 / count, 15 + PROMOTED_COUNT);
    bench_reads(warehouse);
    if (shards != NULL) { /* what follows is of one server */
        buffer_deinit(&rows);
        buffer_deinit(&out);
        warehouse_close(&warehouse);
        return;
    }
    if (warehouse_query(
            warehouse,
            STR("SELECT count(), formatReadableSize(sum(bytes_on_disk)), "
                "round(sum(bytes_on_disk) / sum(rows)) FROM system.parts WHERE active AND "
                "table = 'events' FORMAT TabSeparated"),
            NULL, 0, 60000, &out, &problem) != ERR_OK)
        give_up(&problem);
    printf("warehouse parts, bytes, bytes a row: " STR_FMT, STR_ARG(buffer_str(&out)));
    if (getenv("KITH_BENCH_COLUMNS") != NULL) {
        buffer_clear(&out);
        if (warehouse_query(warehouse,
                            STR("SELECT name, round(data_compressed_bytes / 1e6, 2), "
                                "round(data_uncompressed_bytes / 1e6, 2) FROM system.columns WHERE "
                                "table = 'events' ORDER BY data_compressed_bytes DESC FORMAT TSV"),
                            NULL, 0, 60000, &out, &problem) == ERR_OK)
            printf(STR_FMT, STR_ARG(buffer_str(&out)));
    }
    steady_ns start = steady_now();
    buffer_clear(&out);
    if (warehouse_present_seqs(warehouse, 400000, 400010, &out, &problem) != ERR_OK)
        give_up(&problem);
    printf("warehouse seqs of a batch  %5.0f ms\n", (double)steady_since_us(start) / 1e3);
    buffer_deinit(&rows);
    buffer_deinit(&out);
    warehouse_close(&warehouse);
}

static void bench_ledger(const char *folder, int64_t customers)
{
    char path[512];
    static const char *const ENDS[] = { "", "-wal", "-shm" };
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/ledger%s", folder, ENDS[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/ledger", folder);
    struct problem problem = { .error = ERR_OK };
    struct ledger *ledger = NULL;
    struct ledger_config config = { .path = path };
    if (ledger_open(&ledger, &config, &problem) != ERR_OK)
        give_up(&problem);
    bench_upserts(ledger, customers);
    bench_updates(ledger, customers);
    bench_scan(ledger, LEDGER_IDENTIFIERS);
    bench_scan_some(ledger);
    bench_scan(ledger, LEDGER_CUSTOMERS);
    bench_scan(ledger, LEDGER_TRAITS);
    bench_find(ledger, customers);
    ledger_close(&ledger);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "warehouse") == 0)
        return warehouse_child_main(argc - 1, argv + 1);
    const char *folder = argc > 1 ? argv[1] : "/tmp/kith-bench-store";
    int64_t customers = argc > 2 ? strtoll(argv[2], NULL, 10) : 400000;
    uint64_t batches = argc > 3 ? strtoull(argv[3], NULL, 10) : 15;
    mkdir(folder, 0700);
    if (customers > 0)
        bench_ledger(folder, customers);
    if (batches > 0)
        bench_warehouse(folder, batches, argc > 4 ? argv[4] : NULL);
    return 0;
}
