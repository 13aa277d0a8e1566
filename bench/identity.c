/* SPDX-License-Identifier: Apache-2.0 */
/* Bench: whose event is it, at a million customers and more.
 *
 *     identity [customers, default 1000000] [folder for the ledger, default none] [load: nothing but that]
 *     identity visitors [how many] [folder]: visitors come, nine of ten leave memory, some come back
 *
 * Each customer has a user id, a phone with its three digests, and an openid; and a few traits. Printed:
 * making them, resolving known and unknown ones (in blocks of 256, announced before, as the engine does),
 * bytes per customer, and with a folder the ledger's commit and the load from it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "identity/identity.h"
#include "profile/profile.h"

#define BLOCK 256u

struct bench {
    struct identity *identity;
    struct profile *profile;
    struct ledger *ledger;
    struct ledger_writes *writes;
    uint64_t seq;
    uint32_t customers;
};

struct record {
    struct event event;
    struct event_identifier identifiers[3];
    struct event_trait traits[3];
    char values[3][24];
    char sealed[96];
};

/* Of this thread: what others do on the machine does not count. */
static int64_t cpu_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void check(err error, const struct problem *problem)
{
    if (error == ERR_OK)
        return;
    fprintf(stderr, "%s: %s\n", err_code(error), problem != NULL ? problem->detail : "");
    exit(1);
}

static void hash_of(uint64_t kind, uint64_t number, uint8_t hash[HASH_BYTES])
{
    uint64_t value[2] = { kind, number };
    hash128 hashed = hash_bytes128(value, sizeof(value), 99);
    memcpy(hash, &hashed, HASH_BYTES);
}

static void make_identifier(struct event_identifier *out, const char *type, uint64_t kind,
                            uint32_t number, str value, uint8_t flags)
{
    *out = (struct event_identifier){ .type = str_from_c(type), .value = value, .flags = flags };
    hash_of(kind, number, out->hash);
}

/* What an ordinary event of a customer looks like to identity. */
static void make_record(struct record *record, uint32_t customer, uint64_t seq, bool with_traits)
{
    static const char *const cities[] = { "\"上海\"", "\"北京\"", "\"杭州\"", "\"广州\"" };
    snprintf(record->values[0], sizeof(record->values[0]), "u%08u", customer);
    snprintf(record->sealed, sizeof(record->sealed), "s1:1:%062u",
             customer); /* as long as a sealed phone */
    make_identifier(&record->identifiers[0], "user_id", 1, customer, str_from_c(record->values[0]),
                    0);
    make_identifier(&record->identifiers[1], "mobile", 2, customer, str_from_c(record->sealed),
                    IDENTIFIER_VERIFIED | IDENTIFIER_SEALED);
    record->identifiers[1].other_hash_count = 3;
    hash_of(3, customer, record->identifiers[1].other_hashes[0]);
    hash_of(4, customer, record->identifiers[1].other_hashes[1]);
    hash_of(6, customer, record->identifiers[1].other_hashes[2]);
    record->identifiers[1].tail_hash[0] = (uint8_t)customer | 1;
    make_identifier(&record->identifiers[2], "wx_openid", 5, customer,
                    str_from_c(record->values[0]), 0);
    record->identifiers[2].namespace_ = STR("wx0123456789abcdef");
    record->traits[0] =
        (struct event_trait){ .name = STR("city"), .value = str_from_c(cities[customer % 4]) };
    record->traits[1] = (struct event_trait){ .name = STR("level"), .value = STR("3") };
    record->traits[2] =
        (struct event_trait){ .name = STR("birthday"), .value = STR("\"1990-05-01\"") };
    record->event = (struct event){
        .seq = seq,
        .received_ms = INT64_C(1781827200000) + (int64_t)seq / 50,
        .time_ms = INT64_C(1781827200000) + (int64_t)seq / 50 - 300,
        .kind = EVENT_IDENTIFY,
        .flags = EVENT_TRUSTED,
        .source_number = 1,
        .type = STR("Identify"),
        .identifier_count = 3,
        .identifiers = record->identifiers,
        .trait_count = with_traits ? 3 : 0,
        .traits = record->traits,
    };
}

static void commit(struct bench *bench)
{
    if (bench->ledger == NULL)
        return;
    check(ledger_apply(bench->ledger, &bench->writes, bench->seq, NULL, NULL), NULL);
    while (ledger_pending_bytes(bench->ledger) > (size_t)64 << 20)
        steady_sleep_ms(1);
    bench->writes = ledger_writes_new(bench->ledger);
}

static void report(const char *what, uint64_t count, steady_ns start)
{
    double us = (double)steady_since_us(start);
    printf("%-34s %10" PRIu64 "  %8.3f us each  %10.0f/s\n", what, count, us / (double)count,
           (double)count * 1e6 / us);
    fflush(stdout);
}

/* Blocks of events, each announced before it is resolved. `next` gives the customer of the n-th. */
static void run(struct bench *bench, const char *what, uint32_t count, bool random, bool traits,
                uint32_t first)
{
    static struct record records[BLOCK];
    struct random_stream stream;
    int64_t resolve_ns = 0, apply_ns = 0, longest_ns = 0;
    random_seed(&stream, 11);
    for (uint32_t done = 0; done < count; done += BLOCK) {
        uint32_t size = count - done < BLOCK ? count - done : BLOCK;
        for (uint32_t i = 0; i < size; i++) {
            uint32_t customer =
                random ? (uint32_t)random_below(&stream, bench->customers) : first + done + i;
            make_record(&records[i], customer, ++bench->seq, traits);
        }
        int64_t start = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
        for (uint32_t i = 0; i < size; i++) {
            for (uint32_t j = 0; j < 3; j++)
                identity_prefetch(bench->identity, records[i].identifiers[j].hash);
        }
        uint32_t nodes[BLOCK];
        for (uint32_t i = 0; i < size; i++) {
            struct identity_outcome outcome;
            check(identity_resolve(bench->identity, &records[i].event, bench->writes, &outcome),
                  NULL);
            nodes[i] = outcome.node;
        }
        int64_t middle = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
        for (uint32_t i = 0; i < size; i++)
            profile_prefetch(bench->profile, nodes[i]);
        for (uint32_t i = 0; i < size; i++) {
            check(profile_apply(bench->profile, &records[i].event, nodes[i], bench->writes), NULL);
            struct profile_observation row = { .node = nodes[i],
                                               .seq = records[i].event.seq,
                                               .time_ms = records[i].event.time_ms,
                                               .type = records[i].event.type,
                                               .revenue = PROMOTED_MISSING,
                                               .total = PROMOTED_MISSING };
            check(profile_observe(bench->profile, &row), NULL);
        }
        int64_t end = cpu_ns(CLOCK_THREAD_CPUTIME_ID);
        resolve_ns += middle - start;
        apply_ns += end - middle;
        longest_ns = middle - start > longest_ns ? middle - start : longest_ns;
        if (done / BLOCK % 64 == 63)
            commit(bench);
        identity_committed(bench->identity, identity_row_count(bench->identity));
    }
    printf("%-34s %10u  resolve %6.3f us (longest block %.2f ms), profile %6.3f us of processor\n",
           what, count, (double)resolve_ns / 1e3 / count, (double)longest_ns / 1e6,
           (double)apply_ns / 1e3 / count);
    fflush(stdout);
}

static size_t resident_bytes(void)
{
    unsigned long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%lu %lu", &pages, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void report_memory(const struct bench *bench, size_t before)
{
    size_t identity = identity_memory_bytes(bench->identity);
    size_t profile = profile_memory_bytes(bench->profile);
    printf("memory per customer: identity %.1f, profile %.1f, together %.1f; resident %.1f bytes\n",
           (double)identity / bench->customers, (double)profile / bench->customers,
           (double)(identity + profile) / bench->customers,
           (double)(resident_bytes() - before) / bench->customers);
}

static void load(struct bench *bench)
{
    struct problem problem = { .error = ERR_OK };
    identity_free(&bench->identity);
    profile_free(&bench->profile);
    check(identity_new(&bench->identity), NULL);
    check(profile_new(&bench->profile), NULL);
    steady_ns start = steady_now();
    int64_t cpu = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    check(identity_load(bench->identity, bench->ledger, &problem), &problem);
    report("load identity (per identifier)", identity_row_count(bench->identity), start);
    printf("    %lld ms, of processors %" PRId64 " ms\n", (long long)steady_since_ms(start),
           (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1000000);
    start = steady_now();
    cpu = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    check(profile_load(bench->profile, bench->ledger, &problem), &problem);
    report("load profile (per customer)", bench->customers, start);
    printf("    %lld ms, of processors %" PRId64 " ms\n", (long long)steady_since_ms(start),
           (cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1000000);
}

/* ---- visitors ---- */

/* Two identifiers that are no more than a visitor's, one trait, three page views. */
static void make_visitors(struct bench *bench)
{
    static struct record record;
    for (uint32_t visitor = 0; visitor < bench->customers; visitor++) {
        struct identity_outcome outcome;
        make_record(&record, visitor, ++bench->seq, true);
        record.event.identifier_count = 2;
        record.event.trait_count = 1;
        make_identifier(&record.identifiers[0], "anonymous_id", 7, visitor,
                        str_from_c(record.values[0]), 0);
        make_identifier(&record.identifiers[1], "device", 8, visitor, str_from_c(record.values[0]),
                        0);
        check(identity_resolve(bench->identity, &record.event, bench->writes, &outcome), NULL);
        check(profile_apply(bench->profile, &record.event, outcome.node, bench->writes), NULL);
        check(profile_observe_many(bench->profile, outcome.node, 3, record.event.time_ms,
                                   record.event.time_ms),
              NULL);
        if (visitor % 4096 == 4095)
            commit(bench);
        identity_committed(bench->identity, identity_row_count(bench->identity));
    }
    commit(bench);
    check(ledger_drain(bench->ledger), NULL);
}

#define LEAVE_AT_ONCE 2048u
static void let_leave(struct bench *bench)
{
    struct problem problem = { .error = ERR_OK };
    uint32_t nodes[LEAVE_AT_ONCE], rows[1], last = identity_node_count(bench->identity);
    int64_t later_ms = INT64_C(1) << 41, longest_us = 0;
    steady_ns start = steady_now();
    for (uint32_t node = 1, round = 0; node <= last; round++) {
        size_t count = 0;
        for (; node <= last && count < LEAVE_AT_ONCE; node++)
            if (node % 10 != 0 && identity_may_leave(bench->identity, node, later_ms) &&
                profile_may_leave(bench->profile, node, later_ms))
                nodes[count++] = node;
        if (count == 0)
            break;
        steady_ns slice = steady_now();
        identity_rows(bench->identity, nodes[0], rows, 1);
        check(identity_leave(bench->identity, bench->ledger, nodes, count, ++bench->seq,
                             bench->writes, &problem),
              &problem);
        for (size_t i = 0; i < count; i++)
            profile_leave(bench->profile, nodes[i]);
        identity_give_back(bench->identity, nodes[0], rows[0], round);
        profile_give_back(bench->profile, nodes[0]);
        longest_us = steady_since_us(slice) > longest_us ? steady_since_us(slice) : longest_us;
        commit(bench);
    }
    check(ledger_drain(bench->ledger), NULL);
    report("leaving, with the ledger's commits", identity_left_count(bench->identity), start);
    printf("    longest slice of %u: %.1f ms\n", LEAVE_AT_ONCE, (double)longest_us / 1e3);
}

static void let_come_back(struct bench *bench, uint32_t count)
{
    struct problem problem = { .error = ERR_OK };
    uint32_t back = 0;
    steady_ns start = steady_now();
    for (uint32_t visitor = 0; back < count && visitor < bench->customers; visitor += 7) {
        uint8_t hash[HASH_BYTES];
        uint32_t node = 0;
        hash_of(7, visitor, hash);
        if (identity_may_have_left(bench->identity, hash))
            check(identity_find_left(bench->identity, bench->ledger, hash, &node, &problem),
                  &problem);
        if (node == 0)
            continue;
        check(identity_come_back(bench->identity, bench->ledger, node, bench->writes, &problem),
              &problem);
        check(profile_come_back(bench->profile, bench->ledger, node, &problem), &problem);
        back++;
    }
    report("coming back, without her events", back, start);
}

static int visitors(struct bench *bench)
{
    size_t before = resident_bytes();
    check(identity_new(&bench->identity), NULL);
    check(profile_new(&bench->profile), NULL);
    make_visitors(bench);
    report_memory(bench, before);
    let_leave(bench);
    printf("nine of ten left: ");
    report_memory(bench, before);
    let_come_back(bench, 20000);
    commit(bench);
    identity_free(&bench->identity);
    profile_free(&bench->profile);
    ledger_writes_free(&bench->writes);
    ledger_close(&bench->ledger);
    return 0;
}

int main(int argc, char **argv)
{
    struct bench bench = { .customers = 1000000 };
    bool of_visitors = argc > 3 && strcmp(argv[1], "visitors") == 0;
    argc -= of_visitors;
    argv += of_visitors;
    struct problem problem = { .error = ERR_OK };
    uint64_t customers;
    if (argc > 1 && str_to_uint64(str_from_c(argv[1]), &customers))
        bench.customers = (uint32_t)customers;
    bool load_only = argc > 3; /* the folder has a ledger already */
    if (argc > 2) {
        char path[512];
        snprintf(path, sizeof(path), "%s/bench-identity.db", argv[2]);
        struct ledger_config config = { .path = path, .readers = 3 };
        check(ledger_open(&bench.ledger, &config, &problem), &problem);
        bench.writes = ledger_writes_new(bench.ledger);
    }
    if (of_visitors)
        return visitors(&bench);
    if (load_only) {
        load(&bench);
        return 0;
    }
    size_t before = resident_bytes();
    check(identity_new(&bench.identity), NULL);
    check(profile_new(&bench.profile), NULL);

    steady_ns start = steady_now();
    run(&bench, "new customers, 3 identifiers", bench.customers, false, true, 0);
    commit(&bench);
    if (bench.ledger != NULL)
        check(ledger_drain(bench.ledger), NULL);
    report("  with making and committing", bench.customers, start);
    report_memory(&bench, before);
    run(&bench, "known, at random", 2000000, true, false, 0);
    run(&bench, "known, in order", 2000000 < bench.customers ? 2000000 : bench.customers, false,
        false, 0);
    run(&bench, "known, at random, saying traits", 500000, true, true, 0);
    if (bench.ledger != NULL) {
        commit(&bench);
        check(ledger_drain(bench.ledger), NULL);
        load(&bench);
        run(&bench, "after the load: known, at random", 2000000, true, false, 0);
        ledger_writes_free(&bench.writes);
        ledger_close(&bench.ledger);
    }
    identity_free(&bench.identity);
    profile_free(&bench.profile);
    return 0;
}
