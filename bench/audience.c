/* SPDX-License-Identifier: Apache-2.0 */
/* How long tags and segments take, without log and HTTP: bench/audience [customers] [segments] [tags] [events].
 *
 * Customers have 7.5 events each on average over 180 days, a city, some of them two identifiers; an event in thirty of those that
 * follow is of somebody new. Definitions are such as a brand has: by type, category, channel and store, through windows of 7 to
 * 365 days, over thresholds; with traits, counted tags, stages, scores, RFM; segments of tags. Reported: a preview, a new
 * segment over everybody, RFM, how long many definitions take to be live, events judged per second and how much of a
 * processor each takes, what time alone moves: by the minute, by the hour with midnight among them, after a day. As it is planned
 * for: bench/audience 8000000 20 20, in 4 GB. */
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

static const char *const TYPES[] = { "Page Viewed",    "Product Viewed", "Product Added",
                                     "Order Paid",     "Coupon Claimed", "Coupon Used",
                                     "Message Opened", "Store Visited",  "Content Shared",
                                     "Signed In",      "Video Watched",  "Review Written" };
#define TYPE_COUNT (sizeof TYPES / sizeof TYPES[0])
static const char *const CHANNELS[] = { "web", "mp_server", "tmall", "jd", "douyin", "store" };
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
    uint64_t what = random_below(random, 24);
    char props[128];
    enum plan_reason reason;
    event.seq = ++bench->seq;
    event.time_ms = time_ms;
    event.received_ms = bench->now_ms;
    event.type = str_from_c(TYPES[what < 8    ? 0
                                  : what < 13 ? 1
                                  : what < 15 ? 2
                                  : what < 16 ? 3
                                              : what - 12]);
    event.channel = str_from_c(CHANNELS[random_below(random, 6)]);
    int size =
        snprintf(props, sizeof props, "{\"revenue\":1.00,\"category\":\"c%u\",\"store\":\"s%u\"}",
                 (unsigned)random_below(random, 30), (unsigned)random_below(random, 60));
    event.props = str_from_bytes(props, (size_t)size);
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
    static const struct {
        const char *path;
        enum column_kind kind;
    } columns[] = { { "revenue", COLUMN_MONEY },
                    { "category", COLUMN_TEXT },
                    { "store", COLUMN_TEXT } };
    for (size_t i = 0; i < 3; i++) {
        history_column column;
        must(history_add_column(bench->history, str_from_c(columns[i].path), columns[i].kind,
                                &column, &bench->problem),
             bench, "column");
        history_fill_end(bench->history, column);
    }
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

/* ---- definitions such as a brand has ---- */

static const char *const WINDOWS[] = { "7d", "30d", "90d", "365d" };

static void write_where(struct random_stream *random, struct buffer *out)
{
    uint64_t what = random_below(random, 20);
    if (what < 8)
        return;
    buffer_printf(out, ",\"where\":[{");
    if (what < 13)
        buffer_printf(out, "\"prop\":\"category\",\"eq\":\"c%u\"",
                      (unsigned)random_below(random, 30));
    else if (what < 17)
        buffer_printf(out, "\"prop\":\"channel\",\"eq\":\"%s\"", CHANNELS[random_below(random, 6)]);
    else
        buffer_printf(out, "\"prop\":\"store\",\"eq\":\"s%u\"", (unsigned)random_below(random, 60));
    buffer_printf(out, "}]");
}

/* Of what, through which window: the same for all values of a tag. */
static void write_heard(struct random_stream *random, bool paid, struct buffer *out)
{
    uint64_t window = random_below(random, 5);
    uint64_t type = random_below(random, 16);
    buffer_printf(out, "{\"event\":\"%s\"", TYPES[paid || type >= TYPE_COUNT ? 3 : type]);
    write_where(random, out);
    if (window < 4)
        buffer_printf(out, ",\"last\":\"%s\"", WINDOWS[window]);
}

static void write_condition(struct random_stream *random, struct buffer *out)
{
    static const unsigned counts[] = { 1, 2, 3, 5, 10 }, sums[] = { 10000, 50000, 100000 };
    static const unsigned days[] = { 7, 30, 90 };
    uint64_t what = random_below(random, 20);
    if (what < 2) {
        buffer_printf(out, "{\"trait\":\"city\",\"in\":[%s]}", CITIES[random_below(random, 4)]);
        return;
    }
    write_heard(random, what >= 14, out);
    if (what < 14)
        buffer_printf(out, ",\"measure\":\"count\",\"gte\":%u}", counts[random_below(random, 5)]);
    else if (what < 17)
        buffer_printf(out, ",\"measure\":\"sum\",\"of\":\"revenue\",\"gte\":%u}",
                      sums[random_below(random, 3)]);
    else if (what < 18)
        buffer_printf(out, ",\"measure\":\"count\",\"eq\":0}");
    else
        buffer_printf(out, ",\"measure\":\"recency\",\"lte\":%u}", days[random_below(random, 3)]);
}

static void write_levels(struct random_stream *random, struct buffer *out)
{
    struct buffer heard;
    buffer_init(&heard, 1024);
    write_heard(random, false, &heard);
    buffer_printf(out, "\"values\":[");
    for (unsigned level = 3; level > 0; level--)
        buffer_printf(out, "{\"value\":\"v%u\",\"rule\":%.*s,\"measure\":\"count\",\"gte\":%u}}%s",
                      level, (int)heard.size, heard.data, level * level, level > 1 ? "," : "]}");
    buffer_deinit(&heard);
}

static void write_tag(struct random_stream *random, unsigned number, struct buffer *out)
{
    uint64_t what = random_below(random, 20);
    buffer_printf(out, "{\"key\":\"t%u\",", number);
    if (what < 10) {
        write_levels(random, out);
    } else if (what < 14) {
        buffer_printf(out, "\"kind\":\"count\",\"measure\":");
        write_heard(random, what == 13, out);
        buffer_printf(out, what == 13 ? ",\"measure\":\"sum\",\"of\":\"revenue\"}}"
                                      : ",\"measure\":\"count\"}}");
    } else if (what < 16) {
        buffer_printf(out, "\"kind\":\"stage\",\"stages\":[{\"value\":\"a\",\"rule\":");
        write_condition(random, out);
        buffer_printf(out, "},{\"value\":\"b\",\"rule\":");
        write_condition(random, out);
        buffer_printf(out, "}]}");
    } else if (what < 17) {
        buffer_printf(out, "\"kind\":\"score\",\"parts\":[{\"name\":\"a\",\"points\":10,\"rule\":");
        write_condition(random, out);
        buffer_printf(out, "},{\"name\":\"b\",\"points\":5,\"rule\":");
        write_condition(random, out);
        buffer_printf(out, "}]}");
    } else {
        buffer_printf(out, "\"values\":[{\"value\":\"yes\",\"rule\":{\"all\":[");
        write_condition(random, out);
        buffer_printf(out, ",");
        write_condition(random, out);
        buffer_printf(out, "]}}]}");
    }
}

static void write_segment(struct random_stream *random, unsigned number, unsigned tags,
                          struct buffer *out)
{
    buffer_printf(out, "{\"key\":\"s%u\",\"rule\":{\"all\":[", number);
    write_condition(random, out);
    buffer_printf(out, ",");
    if (tags > 0 && random_below(random, 2) == 0)
        buffer_printf(out, "{\"tag\":\"t%u\",\"is_set\":true}",
                      (unsigned)random_below(random, tags));
    else
        write_condition(random, out);
    buffer_printf(out, "]}}");
}

static void put_many(struct bench *bench, unsigned segments, unsigned tags)
{
    struct random_stream random;
    struct buffer body;
    double held, all;
    random_seed(&random, 2500);
    buffer_init(&body, 1 << 16);
    for (int round = 0; round < 2; round++) { /* tags first: segments stand on them */
        steady_ns start = steady_now();
        for (unsigned i = 0; i < (round == 0 ? tags : segments); i++) {
            buffer_clear(&body);
            if (round == 0)
                write_tag(&random, i, &body);
            else
                write_segment(&random, i, tags, &body);
            buffer_append_byte(&body, 0);
            command(bench, round == 0 ? audience_put_tag : audience_put_segment, body.data);
        }
        double put = seconds_since(start);
        all = install(bench, &held);
        printf("%u %s: put in %.0f ms, live after %.0f ms more, engine held %.1f ms\n",
               round == 0 ? tags : segments, round == 0 ? "tags" : "segments", put * 1e3, all * 1e3,
               held * 1e3);
    }
    buffer_deinit(&body);
}

/* Slices of a millisecond, as the engine gives them between groups. */
struct slices {
    double longest_ms, all_ms; /* of processor */
    double longest_by_clock_ms;
    uint64_t count, above_2_ms;
};

static void settle(struct bench *bench, struct slices *slices)
{
    struct audience_status status;
    audience_status(bench->audience, &status);
    while (status.due_pending > 0) {
        steady_ns begin = steady_now();
        double slice_ms = processor_ms();
        audience_work(bench->audience, 1000);
        slice_ms = processor_ms() - slice_ms;
        double by_clock_ms = seconds_since(begin) * 1e3;
        if (by_clock_ms > slices->longest_by_clock_ms)
            slices->longest_by_clock_ms = by_clock_ms;
        if (slice_ms > slices->longest_ms)
            slices->longest_ms = slice_ms;
        slices->all_ms += slice_ms;
        slices->count++;
        slices->above_2_ms += slice_ms > 2;
        audience_status(bench->audience, &status);
    }
}

/* Time passes, tick by tick: how many are due, what it takes to settle them, in all and of the tick that took most (midnight, if
 * it is among them). */
static void let_pass(struct bench *bench, const char *what, int64_t tick_span_ms, unsigned ticks)
{
    struct audience_status status;
    struct slices slices = { .count = 0 };
    double ticks_ms = 0, longest_tick_ms = 0, most_ms = 0;
    uint64_t due = 0, most_due = 0;
    work_off(bench);
    for (unsigned i = 0; i < ticks; i++) {
        double settled_ms = slices.all_ms, tick_ms = processor_ms();
        bench->now_ms += tick_span_ms;
        bench->seq++;
        must(audience_begin(bench->audience, moment_of(bench)), bench, "begin");
        must(audience_tick(bench->audience, moment_of(bench)), bench, "tick");
        tick_ms = processor_ms() - tick_ms;
        ticks_ms += tick_ms;
        longest_tick_ms = tick_ms > longest_tick_ms ? tick_ms : longest_tick_ms;
        audience_status(bench->audience, &status);
        uint64_t due_now = status.due_pending;
        due += due_now;
        settle(bench, &slices);
        if (slices.all_ms - settled_ms > most_ms) {
            most_ms = slices.all_ms - settled_ms;
            most_due = due_now;
        }
        commit(bench);
    }
    printf(
        "%s: %llu due, %.2f s of processor, %.1f us each; of one tick at most %llu due, %.2f s\n",
        what, (unsigned long long)due, slices.all_ms / 1e3,
        due > 0 ? slices.all_ms * 1e3 / (double)due : 0, (unsigned long long)most_due,
        most_ms / 1e3);
    printf(
        "  ticks %.1f ms in all, %.1f at most; %llu slices, longest %.1f ms (%.1f by the clock), "
        "%llu above 2 ms\n",
        ticks_ms, longest_tick_ms, (unsigned long long)slices.count, slices.longest_ms,
        slices.longest_by_clock_ms, (unsigned long long)slices.above_2_ms);
    audience_status(bench->audience, &status);
    printf("memory: sets %.1f MB, columns %.1f MB, wheel %.1f MB, history %.1f MB\n",
           (double)status.set_bytes / 1e6, (double)status.column_bytes / 1e6,
           (double)status.wheel_bytes / 1e6, (double)history_memory_bytes(bench->history) / 1e6);
}

int main(int argc, char **argv)
{
    uint64_t customers = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    unsigned segments = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 500;
    unsigned tags = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 200;
    uint64_t live = argc > 4 ? strtoull(argv[4], NULL, 10) : 20000;
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

    put_many(bench, segments, tags);
    commit(bench);

    start = steady_now();
    double processor = processor_ms();
    for (uint64_t i = 0; i < live; i++) {
        bool is_new = i % 30 == 29;
        bench->now_ms += 1;
        say(bench, &random, is_new ? customers++ : random_below(&random, customers), bench->now_ms,
            is_new, true);
        if (i % 1000 == 999)
            commit(bench);
    }
    processor = processor_ms() - processor;
    printf("events with %u segments and %u tags        %8.0f events/s, %.1f us of processor each\n",
           segments + 1, tags + 2, (double)live / seconds_since(start),
           processor * 1e3 / (double)live);

    snprintf(body, sizeof body, "{\"segments\":[\"s0\"");
    for (unsigned i = 1; i < 20 && i < segments; i++)
        snprintf(body + strlen(body), sizeof body - strlen(body), ",\"s%u\"", i);
    snprintf(body + strlen(body), sizeof body - strlen(body), "]}");
    if (segments >= 20)
        ask(bench, AUDIENCE_OVERLAP, "overlap of 20 segments: 190 pairs and all", body);

    let_pass(bench, "an hour later, in one tick", HOUR_MS, 1);
    let_pass(bench, "the hour after, a tick a minute", MINUTE_MS, 60);
    let_pass(bench, "the day after, a tick an hour", HOUR_MS, 24);
    let_pass(bench, "another day, in one tick", DAY_MS, 1);
    snprintf(body, sizeof body, "rm -rf %s", folder);
    audience_free(&bench->audience);
    ledger_writes_free(&bench->writes);
    ledger_close(&bench->ledger);
    return system(body);
}
