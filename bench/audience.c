/* SPDX-License-Identifier: Apache-2.0 */
/* How long tags and segments take, without log and HTTP: bench/audience [customers] [segments] [tags].
 *
 * Customers have 7.5 events each on average over 180 days, a city, some of them two identifiers. Reported: a preview, a new
 * segment over everybody, events judged per second, a count of 20 tags, RFM, midnight. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audience/audience.h"
#include "base/arena.h"
#include "base/clock.h"

#define NOW INT64_C(1767225600000)

struct bench {
    struct identity *identity;
    struct profile *profile;
    struct plan *plan;
    struct history *history;
    struct audience *audience;
    struct json_parser *parser;
    struct problem problem;
    struct ledger *ledger;
    struct ledger_writes *writes;
    uint64_t seq;
    int64_t now_ms;
    char submitted[1 << 20];
    _Atomic bool has_submitted;
};

static void must(err error, const struct bench *bench, const char *what)
{
    if (error == ERR_OK)
        return;
    fprintf(stderr, "%s: %s %s %s\n", what, err_title(error), bench->problem.detail,
            bench->problem.pointer);
    exit(1);
}

static err submit(void *context, str operation, str body)
{
    struct bench *bench = context;
    (void)operation;
    if (body.size >= sizeof bench->submitted)
        return ERR_TOO_LARGE;
    memcpy(bench->submitted, body.data, body.size);
    bench->submitted[body.size] = '\0';
    atomic_store(&bench->has_submitted, true);
    return ERR_OK;
}

static struct audience_moment moment_of(const struct bench *bench)
{
    return (struct audience_moment){ .seq = bench->seq, .now_ms = bench->now_ms };
}

static void command(struct bench *bench,
                    err (*run)(struct audience *, const struct audience_command *),
                    const char *body)
{
    struct buffer answer;
    json_value json;
    buffer_init(&answer, 1 << 20);
    bench->seq++;
    must(json_parse(bench->parser, str_from_c(body), &json, &bench->problem), bench, body);
    struct audience_command one = { .body = json,
                                    .moment = moment_of(bench),
                                    .writes = bench->writes,
                                    .answer = &answer,
                                    .problem = &bench->problem };
    must(audience_begin(bench->audience, one.moment), bench, "begin");
    must(run(bench->audience, &one), bench, body);
    buffer_deinit(&answer);
}

static double seconds_since(steady_ns start)
{
    return (double)steady_since_us(start) / 1e6;
}

/* Of this thread: what others of the machine do beside it does not count. */
static double processor_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Of all threads together. */
static double all_processors_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Until nothing is left that the engine does between groups: due times of what was installed, who was touched meanwhile. */
static void work_off(struct bench *bench)
{
    while (audience_work(bench->audience, 1000))
        ;
}

/* Until everything that was put is live; how long the engine itself was held. */
static double install(struct bench *bench, double *held)
{
    steady_ns start = steady_now();
    double processor = all_processors_ms();
    struct audience_status status;
    *held = 0;
    do {
        if (!audience_work(bench->audience, 2000))
            steady_sleep_ms(1); /* as the engine does: the threads have the machine */
        if (atomic_exchange(&bench->has_submitted, false)) {
            steady_ns begin = steady_now();
            command(bench, audience_install, bench->submitted);
            *held += seconds_since(begin);
        }
        audience_status(bench->audience, &status);
    } while (status.computing > 0);
    printf("%8.1f ms of processor: ", all_processors_ms() - processor);
    return seconds_since(start);
}

static void identifier(struct event_identifier *to, const char *type, uint64_t number)
{
    hash128 hash = hash_bytes128(&number, sizeof number, (uint64_t)type[0]);
    *to = (struct event_identifier){ .type = str_from_c(type),
                                     .flags = IDENTIFIER_VERIFIED,
                                     .value = STR("x") };
    memcpy(to->hash, &hash, HASH_BYTES);
}

static const char *const TYPES[] = { "Page Viewed", "Product Viewed", "Product Added",
                                     "Order Paid" };
static const char *const CITIES[] = { "\"shanghai\"", "\"beijing\"", "\"chengdu\"", "\"wuhan\"" };

static uint32_t say(struct bench *bench, struct random_stream *random, uint64_t person,
                    int64_t time_ms, bool first, bool live)
{
    struct event_identifier identifiers[2];
    struct event_trait trait = { .name = STR("city"),
                                 .operation = TRAIT_SET,
                                 .value = str_from_c(CITIES[person % 4]) };
    struct event event = { .kind = EVENT_TRACK, .flags = EVENT_TRUSTED, .source_number = 1 };
    struct identity_outcome who;
    uint64_t what = random_below(random, 16);
    enum plan_reason reason;
    event.seq = ++bench->seq;
    event.time_ms = time_ms;
    event.received_ms = bench->now_ms;
    event.type = str_from_c(TYPES[what < 8 ? 0 : what < 13 ? 1 : what < 15 ? 2 : 3]);
    event.channel = STR("web");
    event.props = STR("{\"revenue\":1.00}");
    event.identifiers = identifiers;
    event.identifier_count = 1;
    identifier(&identifiers[0], "user_id", person);
    if (first && person % 3 == 0)
        identifier(&identifiers[event.identifier_count++], "mobile", person);
    event.traits = &trait;
    event.trait_count = first ? 1 : 0;
    event.promoted_set = 1u << PROMOTED_REVENUE;
    event.promoted_int[PROMOTED_REVENUE] = (int64_t)random_below(random, 100000);
    must(plan_check(bench->plan, &event, false, bench->writes, &reason, NULL), bench, "plan");
    must(identity_resolve(bench->identity, &event, bench->writes, &who), bench, "identity");
    if (live)
        must(audience_begin(bench->audience, moment_of(bench)), bench, "begin");
    if (live)
        must(audience_before(bench->audience, who.customer, moment_of(bench)), bench, "before");
    must(profile_apply(bench->profile, &event, who.node, bench->writes), bench, "profile");
    must(history_observe(bench->history, who.node, &event), bench, "history");
    if (live)
        must(audience_event(bench->audience, who.customer, &event, moment_of(bench)), bench,
             "event");
    return who.customer;
}

static void commit(struct bench *bench)
{
    audience_commit(bench->audience, bench->writes);
    must(ledger_apply(bench->ledger, &bench->writes, bench->seq, NULL, NULL), bench, "commit");
    bench->writes = ledger_writes_new(bench->ledger);
}

static void open_rooms(struct bench *bench, const char *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/ledger.db", folder);
    struct ledger_config ledger = { .path = path };
    struct history_config history = { .memory_bytes_max = (size_t)3 << 30 };
    must(ledger_open(&bench->ledger, &ledger, &bench->problem), bench, "ledger");
    bench->writes = ledger_writes_new(bench->ledger);
    must(identity_new(&bench->identity), bench, "identity");
    must(profile_new(&bench->profile), bench, "profile");
    must(plan_new(&bench->plan), bench, "plan");
    must(history_new(&bench->history, &history), bench, "history");
    must(json_parser_new(&bench->parser, 1 << 20), bench, "parser");
    history_column revenue;
    must(
        history_add_column(bench->history, STR("revenue"), COLUMN_MONEY, &revenue, &bench->problem),
        bench, "column");
    history_fill_end(bench->history, revenue);
    struct audience_config config = { .history = bench->history,
                                      .identity = bench->identity,
                                      .profile = bench->profile,
                                      .plan = bench->plan,
                                      .memory_bytes_max = (size_t)4 << 30,
                                      .submit = submit,
                                      .context = bench };
    must(audience_new(&bench->audience, &config), bench, "audience");
    must(audience_start(bench->audience, NOW), bench, "start");
}

static void ask(struct bench *bench, enum audience_question_kind kind, const char *what,
                const char *body)
{
    struct audience_question *question = NULL;
    struct buffer out;
    json_value json;
    bool ready = false;
    int tries = 0;
    for (; !ready; tries++) {
        must(json_parse(bench->parser, str_from_c(body), &json, &bench->problem), bench, body);
        must(audience_question_begin(bench->audience, kind, STR_NONE, json, &ready, &question,
                                     &bench->problem),
             bench, what);
        if (!ready)
            audience_work(bench->audience, 10000);
    }
    for (int i = 0; i < 3; i++) {
        steady_ns start = steady_now();
        double processor = all_processors_ms();
        buffer_init(&out, 1 << 20);
        must(audience_question_run(question, 60000, NULL, &out), bench, what);
        printf("%-44s %8.1f ms, %.1f of processor  %.*s\n", what, seconds_since(start) * 1e3,
               all_processors_ms() - processor, (int)(out.size < 60 ? out.size : 60), out.data);
        buffer_deinit(&out);
    }
    audience_question_free(&question);
}

int main(int argc, char **argv)
{
    uint64_t customers = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    unsigned segments = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 500;
    unsigned tags = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 200;
    struct bench *bench = calloc(1, sizeof *bench);
    struct random_stream random;
    char folder[] = "/tmp/kith_bench_XXXXXX", body[1024];
    double held;
    if (bench == NULL || mkdtemp(folder) == NULL)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench->now_ms = NOW;
    random_seed(&random, 1);
    open_rooms(bench, folder);
    steady_ns start = steady_now();
    for (uint64_t i = 0; i < customers; i++) {
        uint64_t events = 1 + random_below(&random, 14);
        int64_t time_ms = NOW - 180 * DAY_MS;
        for (uint64_t k = 0; k < events; k++) {
            time_ms += (int64_t)random_below(&random, (uint64_t)(360 * DAY_MS) / (events + 1));
            say(bench, &random, i, time_ms < NOW ? time_ms : NOW, k == 0, false);
        }
        if (i % 20000 == 0) {
            commit(bench);
            history_tidy(bench->history, 100000);
        }
    }
    commit(bench);
    history_tidy(bench->history, INT64_MAX);
    printf("%llu customers, %llu events, made in %.1f s\n", (unsigned long long)customers,
           (unsigned long long)history_event_count(bench->history), seconds_since(start));

    command(
        bench, audience_put_tag,
        "{\"key\":\"t\",\"values\":[{\"value\":\"new\",\"rule\":{\"event\":\"Order Paid\","
        "\"last\":\"30d\",\"measure\":\"count\",\"gte\":1}},{\"value\":\"old\",\"rule\":{\"event\":"
        "\"Order Paid\",\"measure\":\"count\",\"gte\":1}}]}");
    double all = install(bench, &held);
    printf("first tag: columns filled, computed, live     %8.1f ms, engine held %.1f ms\n",
           all * 1e3, held * 1e3);
    ask(bench, AUDIENCE_PREVIEW, "preview: 2 events, trait, tag",
        "{\"rule\":{\"all\":[{\"event\":\"Order Paid\",\"last\":\"90d\",\"measure\":\"sum\",\"of\":"
        "\"revenue\",\"gte\":20000},{\"event\":\"Product Viewed\",\"last\":\"30d\",\"measure\":\"count\","
        "\"gte\":1},{\"trait\":\"city\",\"in\":[\"shanghai\",\"wuhan\"]},{\"tag\":\"t\",\"eq\":\"new\"}]}}");
    command(
        bench, audience_put_segment,
        "{\"key\":\"one\",\"rule\":{\"event\":\"Product Viewed\",\"last\":\"60d\",\"measure\":\"count\","
        "\"gte\":2}}");
    all = install(bench, &held);
    printf("new segment, computed and live                %8.1f ms, engine held %.1f ms\n",
           all * 1e3, held * 1e3);
    command(
        bench, audience_put_segment,
        "{\"key\":\"one\",\"rule\":{\"event\":\"Product Viewed\",\"last\":\"55d\",\"measure\":\"count\","
        "\"gte\":2}}");
    all = install(bench, &held);
    printf("the same, live, replaced by another           %8.1f ms, engine held %.1f ms\n",
           all * 1e3, held * 1e3);
    command(
        bench, audience_put_tag,
        "{\"key\":\"rfm\",\"kind\":\"rfm\",\"recency\":{\"event\":\"Order Paid\",\"measure\":\"recency\"},"
        "\"frequency\":{\"event\":\"Order Paid\",\"measure\":\"count\"},\"monetary\":{\"event\":"
        "\"Order Paid\",\"measure\":\"sum\",\"of\":\"revenue\"}}");
    all = install(bench, &held);
    printf("RFM by quantiles, computed and live           %8.1f ms, engine held %.1f ms\n",
           all * 1e3, held * 1e3);

    for (unsigned i = 0; i < segments; i++) {
        snprintf(
            body, sizeof body,
            "{\"key\":\"s%u\",\"rule\":{\"event\":\"%s\",\"last\":\"%ud\",\"measure\":\"count\","
            "\"gte\":%u}}",
            i, TYPES[i % 4], 1 + i % 90, 1 + i % 5);
        command(bench, audience_put_segment, body);
    }
    for (unsigned i = 0; i < tags; i++) {
        snprintf(
            body, sizeof body,
            "{\"key\":\"t%u\",\"values\":[{\"value\":\"a\",\"rule\":{\"event\":\"%s\",\"measure\":"
            "\"count\",\"gte\":%u}},{\"value\":\"b\",\"rule\":{\"trait\":\"city\",\"is_set\":true}}]}",
            i, TYPES[i % 4], 2 + i % 7);
        command(bench, audience_put_tag, body);
    }
    all = install(bench, &held);
    printf("%u segments and %u tags at once           %8.1f ms, engine held %.1f ms\n", segments,
           tags, all * 1e3, held * 1e3);
    commit(bench);

    uint64_t live = 20000;
    start = steady_now();
    for (uint64_t i = 0; i < live; i++) {
        bench->now_ms += 1;
        say(bench, &random, random_below(&random, customers), bench->now_ms, false, true);
        if (i % 1000 == 999)
            commit(bench);
    }
    printf("events with %u segments and %u tags        %8.0f events/s\n", segments + 1, tags + 2,
           (double)live / seconds_since(start));

    snprintf(body, sizeof body, "{\"segments\":[\"s0\"");
    for (unsigned i = 1; i < 20 && i < segments; i++)
        snprintf(body + strlen(body), sizeof body - strlen(body), ",\"s%u\"", i);
    snprintf(body + strlen(body), sizeof body - strlen(body), "]}");
    if (segments >= 20)
        ask(bench, AUDIENCE_OVERLAP, "overlap of 20 segments: 190 pairs and all", body);

    work_off(bench);
    start = steady_now();
    bench->now_ms += DAY_MS;
    bench->seq++;
    double begin_ms = processor_ms();
    must(audience_tick(bench->audience, moment_of(bench)), bench, "tick");
    double tick_ms = processor_ms() - begin_ms, longest = 0, longest_ms = 0, all_ms = 0;
    uint64_t slices = 0, long_ones = 0;
    struct audience_status status;
    audience_status(bench->audience, &status);
    uint64_t due = status.due_pending;
    while (status.due_pending > 0) {
        steady_ns slice = steady_now();
        double slice_ms = processor_ms();
        audience_work(bench->audience, 1000);
        slice_ms = processor_ms() - slice_ms;
        double took = seconds_since(slice);
        longest = took > longest ? took : longest;
        longest_ms = slice_ms > longest_ms ? slice_ms : longest_ms;
        all_ms += slice_ms;
        slices++;
        long_ones += slice_ms > 2;
        audience_status(bench->audience, &status);
    }
    printf(
        "a day later: %llu due, tick %.1f ms of processor, settled in %.1f s (%.1f of processor)\n",
        (unsigned long long)due, tick_ms, seconds_since(start), all_ms / 1e3);
    printf("  %llu slices, longest %.1f ms (%.1f of processor), %llu above 2 ms of processor\n",
           (unsigned long long)slices, longest * 1e3, longest_ms, (unsigned long long)long_ones);
    printf("memory: sets %.1f MB, columns %.1f MB, wheel %.1f MB, history %.1f MB\n",
           (double)status.set_bytes / 1e6, (double)status.column_bytes / 1e6,
           (double)status.wheel_bytes / 1e6, (double)history_memory_bytes(bench->history) / 1e6);
    snprintf(body, sizeof body, "rm -rf %s", folder);
    audience_free(&bench->audience);
    ledger_writes_free(&bench->writes);
    ledger_close(&bench->ledger);
    return system(body);
}
