/* SPDX-License-Identifier: Apache-2.0 */
/* outlet: the life of a sink: connect, take news, produce, wait for the brokers, move on.
 *
 * A batch is under way at a time: it is produced, all of it is acknowledged, and only then is the next one read. So the place of
 * a sink has no holes. The place goes into the log once a second at most: what was told since is told again after a crash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/logline.h"
#include "feed/outside.h"

#define BATCH_MESSAGES 4000
#define READ_ENTRIES 200000 /* of which it may want few */
#define BATCH_BYTES ((size_t)8 << 20)
#define QUEUE_KBYTES "32768" /* of the client: more than a batch */
#define POLL_MS 50
#define RETRY_MS 1000
#define RETRY_MS_MAX 30000
#define MOVE_MS 1000
#define SETTLE_MS 10000
#define ARENA_BYTES ((size_t)4 << 20)

struct item {
    enum news_kind kind;
    uint32_t customer;
    uint64_t number, seq;
    int64_t at_ms;
    size_t from, to; /* of the texts; equal: it is not told */
};

struct outlet {
    struct sink_run *run;
    struct engine *engine;
    struct arena arena, scratch; /* of the setting; of one message */
    struct sink_setting setting;
    struct sink_pen pen;
    struct json_parser *parser;
    rd_kafka_t *client;
    uint64_t next;  /* the first that the brokers do not have */
    uint64_t moved; /* likewise, as the log knows it */
    steady_ns moved_at;
    struct item *items;
    size_t item_count;
    uint32_t *customers; /* of the items, for a question */
    bool *gone;
    struct buffer texts;
    uint64_t read_to;        /* the last number that was read; 0: nothing was */
    struct log_block *block; /* where the last event was */
    struct log_cursor cursor;
    size_t under_way;           /* produced, neither acknowledged nor refused */
    uint64_t told, skipped;     /* of the batch */
    rd_kafka_resp_err_t failed; /* of the batch */
    char failed_topic[128];
    struct problem problem;
};

/* A deliberate defect, so that the crash test is seen to catch what it is for: KITH_MUTATE_SINK=place_first tells the log where the
 * sink stands before the brokers have it. Only in builds with KITH_FAULTS. */
static bool tells_place_first(void)
{
#ifdef KITH_FAULTS
    const char *wanted = getenv("KITH_MUTATE_SINK");
    return wanted != NULL && strcmp(wanted, "place_first") == 0;
#else
    return false;
#endif
}

/* Nothing goes out once our lease may be over (O5). */
static bool must_stop(const struct outlet *outlet)
{
    return atomic_load(&outlet->run->runner.stop) || !log_may_act(engine_log(outlet->engine));
}

/* ---- what is shown ---- */

static void show(struct sink_run *run, enum sink_state state, const char *what)
{
    pthread_mutex_lock(&run->runner.mutex);
    run->progress.state = state;
    snprintf(run->progress.problem, sizeof run->progress.problem, "%s", what);
    pthread_mutex_unlock(&run->runner.mutex);
}

static void show_failure(struct outlet *outlet, err error)
{
    if (outlet->problem.detail[0] == '\0')
        problem_set(&outlet->problem, error, "%s", err_title(error));
    show(outlet->run, SINK_FAILING, outlet->problem.detail);
    log_line(LOG_WARN, "sink_failing", "sink=%s error=%s reason=\"%s\"", outlet->run->runner.key,
             err_code(error), outlet->problem.detail);
}

static void count_batch(struct outlet *outlet)
{
    struct sink_run *run = outlet->run;
    pthread_mutex_lock(&run->runner.mutex);
    run->progress.messages += outlet->told;
    run->progress.skipped += outlet->skipped;
    if (outlet->told > 0)
        run->progress.last_ms = wall_clock_now_ms(run->sinks->config.clock);
    pthread_mutex_unlock(&run->runner.mutex);
}

/* ---- what the client tells; on our thread, within a poll ---- */

static void on_error(rd_kafka_t *client, int code, const char *reason, void *context)
{
    struct outlet *outlet = context;
    (void)client;
    log_line(LOG_WARN, "sink_broker", "sink=%s error=%s reason=\"%.160s\"", outlet->run->runner.key,
             rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
        code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__RESOLVE)
        show(outlet->run, SINK_FAILING, reason);
}

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    if (level <= 3) /* errors; the rest is told by on_error */
        log_line(LOG_WARN, "sink_client", "facility=%s text=\"%.160s\"", facility, text);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *context)
{
    struct outlet *outlet = context;
    (void)client;
    outlet->under_way--;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        outlet->told++;
        return;
    }
    const char *topic = rd_kafka_topic_name(message->rkt);
    if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) { /* it never will be taken */
        outlet->skipped++;
        log_line(LOG_ERROR, "sink_too_large", "sink=%s topic=%s bytes=%zu", outlet->run->runner.key,
                 topic, message->len);
        return;
    }
    outlet->failed = message->err;
    snprintf(outlet->failed_topic, sizeof outlet->failed_topic, "%s", topic);
}

/* ---- reading a batch ---- */

static bool is_wanted(const struct sink_setting *setting, const struct news_entry *entry)
{
    if (setting->topics[entry->kind].size == 0)
        return false;
    if (entry->kind == NEWS_SEGMENT)
        return sink_names_hold(&setting->segments, entry->key);
    return entry->kind != NEWS_TAG || sink_names_hold(&setting->tags, entry->key);
}

/* An event is written later: the log has it, and the ledger's connection need not wait for that. */
static bool take_entry(void *context, const struct news_entry *entry)
{
    struct outlet *outlet = context;
    outlet->read_to = entry->number;
    if (!is_wanted(&outlet->setting, entry))
        return true;
    struct item *item = &outlet->items[outlet->item_count++];
    *item = (struct item){ .kind = entry->kind,
                           .customer = entry->customer,
                           .number = entry->number,
                           .seq = entry->seq,
                           .at_ms = entry->at_ms,
                           .from = outlet->texts.size };
    arena_reset(&outlet->scratch);
    if (entry->kind != NEWS_EVENT &&
        sink_message_write(&outlet->pen, entry, NULL, &outlet->texts) != ERR_OK)
        outlet->problem.error = ERR_NOMEM;
    item->to = outlet->texts.size;
    return outlet->item_count < BATCH_MESSAGES && outlet->texts.size < BATCH_BYTES &&
           outlet->problem.error == ERR_OK;
}

/* The record of an event; false: the log has it no more, or what was in it was erased. */
static bool find_record(struct outlet *outlet, uint64_t seq, struct log_record *record)
{
    struct log_block *block = outlet->block;
    if (block == NULL || seq < block->first_seq || seq >= block->first_seq + block->count) {
        struct problem problem = { .error = ERR_OK };
        if (block != NULL)
            log_block_release(&outlet->block);
        if (log_read(engine_log(outlet->engine), seq, &outlet->block, &problem) != ERR_OK)
            return false;
        outlet->cursor = (struct log_cursor){ .block = outlet->block };
    } else if (outlet->cursor.index > seq - block->first_seq) {
        outlet->cursor = (struct log_cursor){ .block = block };
    }
    while (log_block_next(&outlet->cursor, record))
        if (record->seq == seq)
            return record->kind == LOG_RECORD_EVENT;
    return false;
}

static err write_event(struct outlet *outlet, struct item *item)
{
    struct log_record record;
    struct event event;
    arena_reset(&outlet->scratch);
    if (!find_record(outlet, item->seq, &record) ||
        event_decode(record.body, &outlet->scratch, &event, NULL) != ERR_OK) {
        outlet->skipped++;
        return ERR_OK;
    }
    if (!sink_names_hold(&outlet->setting.event_types, event.type))
        return ERR_OK;
    const struct news_entry entry = { .kind = NEWS_EVENT,
                                      .number = item->number,
                                      .seq = item->seq,
                                      .at_ms = item->at_ms,
                                      .customer = item->customer };
    item->from = outlet->texts.size;
    err error = sink_message_write(&outlet->pen, &entry, &event, &outlet->texts);
    item->to = outlet->texts.size;
    return error;
}

static err write_events(struct outlet *outlet)
{
    err error = ERR_OK;
    for (size_t i = 0; i < outlet->item_count && error == ERR_OK; i++)
        if (outlet->items[i].kind == NEWS_EVENT)
            error = write_event(outlet, &outlet->items[i]);
    if (outlet->block != NULL)
        log_block_release(&outlet->block);
    return error;
}

/* Of who is no more nothing is told, but that. */
static err leave_out_gone(struct outlet *outlet)
{
    for (size_t i = 0; i < outlet->item_count; i++)
        outlet->customers[i] = outlet->items[i].customer;
    err error = news_find_gone(outlet->engine, outlet->customers, outlet->item_count, outlet->gone);
    for (size_t i = 0; i < outlet->item_count && error == ERR_OK; i++) {
        struct item *item = &outlet->items[i];
        if (!outlet->gone[i] || item->kind == NEWS_CUSTOMER || item->from == item->to)
            continue;
        item->from = item->to;
        outlet->skipped++;
    }
    return error;
}

static err read_batch(struct outlet *outlet)
{
    outlet->item_count = 0;
    outlet->read_to = 0;
    outlet->told = outlet->skipped = 0;
    buffer_clear(&outlet->texts);
    outlet->pen.sources = engine_sources(outlet->engine);
    err error =
        news_read(outlet->engine, outlet->next, READ_ENTRIES, take_entry, outlet, &outlet->problem);
    if (error == ERR_OK)
        error = outlet->problem.error;
    if (error == ERR_OK)
        error = write_events(outlet);
    source_set_release(&outlet->pen.sources);
    return error == ERR_OK && outlet->item_count > 0 ? leave_out_gone(outlet) : error;
}

/* ---- producing it ---- */

static err produce(struct outlet *outlet, const struct item *item)
{
    char topic[128], one_id[ONE_ID_BYTES + 1];
    str value = str_slice(buffer_str(&outlet->texts), item->from, item->to);
    keys_one_id(outlet->pen.keys, item->customer, one_id);
    snprintf(topic, sizeof topic, STR_FMT, STR_ARG(outlet->setting.topics[item->kind]));
    const rd_kafka_vu_t said[] = {
        { .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic },
        { .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
        { .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { .ptr = one_id, .size = ONE_ID_BYTES } },
        { .vtype = RD_KAFKA_VTYPE_VALUE,
          .u.mem = { .ptr = (void *)(uintptr_t)value.data, .size = value.size } },
        { .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = item->at_ms },
    };
    for (;;) {
        rd_kafka_error_t *error =
            rd_kafka_produceva(outlet->client, said, sizeof said / sizeof said[0]);
        rd_kafka_resp_err_t told = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        if (told == RD_KAFKA_RESP_ERR_NO_ERROR) {
            outlet->under_way++;
            return ERR_OK;
        }
        if (told != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return problem_set(&outlet->problem, ERR_UNAVAILABLE,
                               "the topic '%s' takes nothing: %s", topic, rd_kafka_err2str(told));
        if (must_stop(outlet))
            return ERR_UNAVAILABLE;
        rd_kafka_poll(outlet->client, POLL_MS);
    }
}

/* Until the brokers have all of it; they may be away for days. */
static err wait_for_brokers(struct outlet *outlet)
{
    while (outlet->under_way > 0 && !must_stop(outlet))
        rd_kafka_poll(outlet->client, POLL_MS);
    if (outlet->under_way > 0)
        return ERR_UNAVAILABLE;
    if (outlet->failed == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_OK;
    return problem_set(&outlet->problem, ERR_UNAVAILABLE, "the brokers refuse messages to '%s': %s",
                       outlet->failed_topic, rd_kafka_err2str(outlet->failed));
}

static err tell_log(struct outlet *outlet, uint64_t next)
{
    struct buffer records;
    buffer_init(&records, 4096);
    news_write_move(&records, outlet->setting.key, next);
    err error = buffer_status(&records);
    if (error == ERR_OK)
        error = engine_append_records(outlet->engine, buffer_str(&records), 1);
    buffer_deinit(&records);
    if (error == ERR_OK) {
        outlet->moved = next;
        outlet->moved_at = steady_now();
    }
    return err_is_retriable(error) ? ERR_OK : error; /* the next look tries again */
}

/* With nothing to tell nothing is acknowledged either: are the brokers there again? */
static void look_again(struct outlet *outlet)
{
    const struct rd_kafka_metadata *known = NULL;
    pthread_mutex_lock(&outlet->run->runner.mutex);
    bool is_failing = outlet->run->progress.state == SINK_FAILING;
    pthread_mutex_unlock(&outlet->run->runner.mutex);
    if (!is_failing ||
        rd_kafka_metadata(outlet->client, 0, NULL, &known, POLL_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    rd_kafka_metadata_destroy(known);
    show(outlet->run, SINK_RUNNING, "");
}

static err send_batch(struct outlet *outlet)
{
    err error = read_batch(outlet);
    if (error == ERR_OK && outlet->item_count == 0)
        look_again(outlet);
    if (error != ERR_OK || outlet->read_to == 0)
        return error;
    outlet->failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (tells_place_first()) {
        error = tell_log(outlet, outlet->read_to + 1);
        steady_sleep_ms(50);
    }
    for (size_t i = 0; i < outlet->item_count && error == ERR_OK; i++)
        if (outlet->items[i].from < outlet->items[i].to)
            error = produce(outlet, &outlet->items[i]);
    if (error == ERR_OK)
        error = wait_for_brokers(outlet);
    if (error != ERR_OK)
        return error;
    outlet->next = outlet->read_to + 1;
    count_batch(outlet);
    if (outlet->told > 0)
        show(outlet->run, SINK_RUNNING, "");
    return ERR_OK;
}

/* ---- the client ---- */

static err connect_client(struct outlet *outlet)
{
    const char *const settings[][2] = {
        { "enable.idempotence", "true" },
        { "message.timeout.ms", "0" }, /* none is ever given up */
        { "linger.ms", "5" },
        { "compression.type", "lz4" },
        { "partitioner", "murmur2_random" }, /* as the Java client's: one key, one partition */
        { "queue.buffering.max.kbytes", QUEUE_KBYTES },
    };
    char why[200] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, outlet);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    err error = kafka_configure(&outlet->setting.cluster, conf, &outlet->problem);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && error == ERR_OK; i++)
        error = kafka_set(conf, settings[i][0], settings[i][1], &outlet->problem);
    if (error == ERR_OK) {
        outlet->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
        if (outlet->client == NULL)
            error = problem_set(&outlet->problem, ERR_UNPROCESSABLE, "%s", why);
    }
    if (error != ERR_OK)
        rd_kafka_conf_destroy(conf);
    return error;
}

/* What is under way is given up: it is told again, under the same ids. */
static void drop_client(struct outlet *outlet)
{
    if (outlet->client == NULL)
        return;
    rd_kafka_purge(outlet->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(outlet->client, 0);
    rd_kafka_destroy(outlet->client);
    outlet->client = NULL;
    outlet->under_way = 0;
}

/* ---- its life ---- */

static err begin(struct outlet *outlet)
{
    struct sinks *sinks = outlet->run->sinks;
    struct news_standing standing;
    arena_reset(&outlet->arena);
    err error = sink_setting_load(sinks, str_from_c(outlet->run->runner.key), &outlet->arena,
                                  &outlet->setting, &outlet->problem);
    if (error == ERR_OK)
        error = engine_settle(outlet->engine, false, SETTLE_MS); /* what the last life told */
    if (error == ERR_OK)
        error = news_standing(outlet->engine, outlet->setting.key, &standing);
    if (error != ERR_OK)
        return error;
    outlet->next = outlet->moved = standing.next;
    outlet->pen = (struct sink_pen){ .keys = engine_keys(outlet->engine),
                                     .parser = outlet->parser,
                                     .arena = &outlet->scratch,
                                     .is_clear = outlet->setting.is_clear };
    return connect_client(outlet);
}

static bool is_time_to_tell(const struct outlet *outlet)
{
    return outlet->next > outlet->moved && steady_since_ms(outlet->moved_at) >= MOVE_MS;
}

/* What waited for too long was lost meanwhile: it is not there to be read. */
static void pass_lost(struct outlet *outlet)
{
    struct news_standing standing;
    if (news_standing(outlet->engine, outlet->setting.key, &standing) == ERR_OK &&
        standing.next > outlet->next)
        outlet->next = outlet->moved = standing.next;
}

static err live(struct outlet *outlet)
{
    err error = ERR_OK;
    show(outlet->run, SINK_RUNNING, "");
    while (error == ERR_OK && !must_stop(outlet)) {
        uint64_t before = outlet->next;
        pass_lost(outlet);
        error = send_batch(outlet);
        if (error == ERR_OK && is_time_to_tell(outlet))
            error = tell_log(outlet, outlet->next);
        if (outlet->next == before)
            rd_kafka_poll(outlet->client, POLL_MS);
    }
    if (outlet->next > outlet->moved && log_may_act(engine_log(outlet->engine)) &&
        tell_log(outlet, outlet->next) != ERR_OK)
        log_line(LOG_INFO, "sink_place_not_told", "sink=%s", outlet->run->runner.key);
    return error;
}

static void run(struct outlet *outlet)
{
    int64_t wait_ms = RETRY_MS;
    while (!must_stop(outlet)) {
        uint64_t before = outlet->run->progress.messages;
        outlet->problem = (struct problem){ .error = ERR_OK };
        err error = begin(outlet);
        if (error == ERR_OK)
            error = live(outlet);
        if (error != ERR_OK && !must_stop(outlet))
            show_failure(outlet, error);
        drop_client(outlet);
        wait_ms = outlet->run->progress.messages > before ? RETRY_MS : wait_ms;
        for (int64_t waited = 0; waited < wait_ms && !must_stop(outlet); waited += POLL_MS)
            steady_sleep_ms(POLL_MS);
        wait_ms = wait_ms * 2 < RETRY_MS_MAX ? wait_ms * 2 : RETRY_MS_MAX;
    }
}

void *sink_run(void *context)
{
    struct sink_run *sink = context;
    struct outlet *outlet = memory_alloc(sizeof *outlet);
    pthread_setname_np(pthread_self(), "kith-sink");
    if (outlet == NULL) {
        show(sink, SINK_FAILING, "no memory for a sink");
        return NULL;
    }
    *outlet = (struct outlet){ .run = sink, .engine = sink->sinks->config.engine };
    arena_init(&outlet->arena, "sink", ARENA_BYTES);
    arena_init(&outlet->scratch, "sink_message", ARENA_BYTES);
    buffer_init(&outlet->texts, BATCH_BYTES + ((size_t)16 << 20));
    outlet->items = memory_alloc(BATCH_MESSAGES * sizeof *outlet->items);
    outlet->customers = memory_alloc(BATCH_MESSAGES * sizeof *outlet->customers);
    outlet->gone = memory_alloc(BATCH_MESSAGES * sizeof *outlet->gone);
    if (outlet->items != NULL && outlet->customers != NULL && outlet->gone != NULL &&
        json_parser_new(&outlet->parser, EVENT_BYTES_MAX * 2) == ERR_OK)
        run(outlet);
    else
        show(sink, SINK_FAILING, "no memory for a sink");
    json_parser_free(&outlet->parser);
    memory_free(outlet->items);
    memory_free(outlet->customers);
    memory_free(outlet->gone);
    buffer_deinit(&outlet->texts);
    arena_deinit(&outlet->scratch);
    arena_deinit(&outlet->arena);
    memory_free(outlet);
    return NULL;
}
