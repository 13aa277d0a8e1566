/* SPDX-License-Identifier: Apache-2.0 */
/* What the stores can take: ledger upserts and scans, rows encoded and inserted into the warehouse.
 *
 * Usage: store [folder] [customers]   (default /tmp/kith-bench-store, 400,000)
 * Figures go to docs/benchmarks.md; nothing is asserted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "store/ledger.h"

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
    LEDGER_PUT(writes, LEDGER_CUSTOMERS, ledger_int(customer), ledger_int(0), ledger_int(0),
               ledger_int(1795000000000 + customer), ledger_int(customer));
    for (int i = 0; i < 3; i++) {
        hash[0] = random_next(random);
        hash[1] = random_next(random);
        tail = i == 0 ? random_next(random) : 0;
        memset(value, 'v', sizeof(value));
        LEDGER_PUT(writes, LEDGER_IDENTIFIERS, ledger_int(customer * 3 + i),
                   ledger_blob(str_from_bytes(hash, sizeof(hash))), ledger_int(i),
                   ledger_text(STR("")), ledger_int(1), ledger_int(customer),
                   ledger_blob(str_from_bytes(value, i == 0 ? 64 : 24)),
                   ledger_blob(i == 0 ? str_from_bytes(&tail, sizeof(tail)) : STR_NONE),
                   ledger_int(1), ledger_int(1795000000000), ledger_int(1795000000000),
                   ledger_int(customer));
    }
    hash[0] = random_next(random);
    LEDGER_PUT(writes, LEDGER_IDENTIFIER_HASHES, ledger_blob(str_from_bytes(hash, sizeof(hash))),
               ledger_int(customer * 3));
    LEDGER_PUT(writes, LEDGER_LINKS, ledger_int(customer), ledger_int(customer * 3),
               ledger_int(customer * 3 + 1), ledger_int(customer), ledger_int(customer),
               ledger_int(1795000000000), ledger_int(1), ledger_text(STR("same_event")));
    LEDGER_PUT(writes, LEDGER_TRAITS, ledger_int(customer),
               ledger_blob(str_from_bytes(facts, 160)));
    return 7;
}

static void bench_upserts(struct ledger *ledger, int64_t customers)
{
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
        if (ledger_apply(ledger, &writes, (uint64_t)customer, NULL, NULL) != ERR_OK)
            abort();
    }
    if (ledger_drain(ledger) != ERR_OK)
        abort();
    double took = (double)steady_since_us(start) / 1e6;
    printf("ledger upserts      %9zu rows  %6.2f s  %8.0f rows/s  %4.2f us of CPU a row\n", rows,
           took, (double)rows / took, (cpu_s(RUSAGE_SELF) - cpu) * 1e6 / (double)rows);
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
        if (ledger_scan(ledger, table, NULL, sum_row, &sum, &problem) != ERR_OK)
            give_up(&problem);
        double took = (double)steady_since_us(start) / 1e6;
        printf("ledger scan %-12s%8zu rows  %6.2f s  %8.0f rows/s\n", ledger_table_name(table),
               sum.rows, took, (double)sum.rows / took);
    }
}

/* What the engine needs of the identifiers when it starts. */
static void bench_scan_some(struct ledger *ledger)
{
    struct problem problem = { .error = ERR_OK };
    struct scan_sum sum = { 0 };
    steady_ns start = steady_now();
    if (ledger_scan_some(ledger, LEDGER_IDENTIFIERS, "row hash type_number flags customer", NULL,
                         sum_row, &sum, &problem) != ERR_OK)
        give_up(&problem);
    double took = (double)steady_since_us(start) / 1e6;
    printf("ledger scan identifiers (5 of 12 columns)     %6.2f s  %8.0f rows/s\n", took,
           (double)sum.rows / took);
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
        struct ledger_value key = ledger_int(1 + (int64_t)random_below(&random, (uint64_t)customers));
        if (ledger_find_by(ledger, LEDGER_IDENTIFIERS, "customer", key, NULL, false, 100, sum_row,
                           &sum, &problem) != ERR_OK)
            give_up(&problem);
        if (ledger_find(ledger, LEDGER_TRAITS, &key, 1, sum_row, &sum, &problem) != ERR_OK)
            give_up(&problem);
    }
    double took = (double)steady_since_us(start) / 1e6;
    printf("ledger profile reads%9zu       %6.2f s  %8.0f /s (identifiers and traits)\n", rounds, took,
           (double)rounds / took);
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "/tmp/kith-bench-store";
    int64_t customers = argc > 2 ? strtoll(argv[2], NULL, 10) : 400000;
    char path[512];
    mkdir(folder, 0700);
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
    return 0;
}
