/* SPDX-License-Identifier: Apache-2.0 */
/* inlet: the life of a feed: connect, take messages, append them with where they end, move on.
 *
 * Messages are gathered in a chunk; a chunk is one append. The next one is begun when the log has it, so the place
 * of a feed has no holes. The broker is told after that, for its tools; we never ask it where we stand. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/logline.h"
#include "base/metric.h"
#include "feed/inside.h"

#define CHUNK_MESSAGES 1000 /* no more: the columns of a table are those of its first 1,000 rows */
#define CHUNK_BYTES ((size_t)1 << 20)
#define RECORDS_BYTES_MAX ((size_t)48 << 20)
#define LAG_RECORDS_MAX 12000
#define POLL_MS 100
#define RETRY_MS 1000
#define RETRY_MS_MAX 30000
#define LOOK_MS 2000
#define FIND_MS 10000
#define ASK_MS 10000
#define ARENA_BYTES ((size_t)1 << 20)
#define PLACES_MAX 4096

struct place {
    char topic[128];
    int32_t partition;
    int64_t next; /* the first offset that was not taken */
    bool moved;   /* by the chunk */
};

struct inlet {
    struct feed *feed;
    struct engine *engine;
    struct arena arena;
    struct feed_setting setting;
    str place_key;
    uint32_t lane; /* of the log: a feed is a source like others */
    struct feed_decoder *decoder;
    rd_kafka_t *client;
    struct place *places;
    size_t place_count;
    rd_kafka_message_t *held[CHUNK_MESSAGES]; /* the chunk */
    struct feed_message messages[CHUNK_MESSAGES];
    size_t held_count, held_bytes;
    struct buffer records;
    struct feed_refused *refused; /* of the chunk, told when it is in the log */
    size_t refused_count;
    uint64_t refused_more;
    bool has_new_places; /* found when partitions were assigned, and not in the log yet */
    int partitions;      /* that are read */
    steady_ns looked, found;
    struct problem problem;
    /* one append at a time */
    struct log_append append;
    pthread_mutex_t mutex;
    pthread_cond_t durable;
    bool done;
    err append_error;
};

/* A deliberate defect, so that the crash test is seen to catch what it is for: KITH_MUTATE_FEED=place_apart tells where a
 * feed stands in an append of its own. Only in builds with KITH_FAULTS. */
static bool tells_place_apart(void)
{
#ifdef KITH_FAULTS
    const char *wanted = getenv("KITH_MUTATE_FEED");
    return wanted != NULL && strcmp(wanted, "place_apart") == 0;
#else
    return false;
#endif
}

static bool must_stop(const struct inlet *inlet)
{
    return atomic_load(&inlet->feed->runner.stop);
}

/* ---- what is shown ---- */

static void show(struct feed *feed, enum feed_state state, const char *what)
{
    pthread_mutex_lock(&feed->runner.mutex);
    feed->progress.state = state;
    snprintf(feed->progress.problem, sizeof feed->progress.problem, "%s", what);
    pthread_mutex_unlock(&feed->runner.mutex);
}

static void show_failure(struct inlet *inlet, err error)
{
    if (inlet->problem.detail[0] == '\0')
        problem_set(&inlet->problem, error, "%s", err_title(error));
    show(inlet->feed, FEED_FAILING, inlet->problem.detail);
    log_line(LOG_WARN, "feed_failing", "feed=%s error=%s reason=\"%s\"", inlet->feed->runner.key,
             err_code(error), inlet->problem.detail);
}

/* Librdkafka's thread, or ours within a poll. */
static void on_error(rd_kafka_t *client, int code, const char *reason, void *context)
{
    struct feed *feed = context;
    (void)client;
    log_line(LOG_WARN, "feed_broker", "feed=%s error=%s reason=\"%.160s\"", feed->runner.key,
             rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
        code == RD_KAFKA_RESP_ERR__SSL || code == RD_KAFKA_RESP_ERR__RESOLVE)
        show(feed, FEED_FAILING, reason);
}

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    if (level <= 3) /* errors; the rest is told by on_error */
        log_line(LOG_WARN, "feed_client", "facility=%s text=\"%.160s\"", facility, text);
}

/* ---- places ---- */

static struct place *find_place(struct inlet *inlet, const char *topic, int32_t partition)
{
    for (size_t i = 0; i < inlet->place_count; i++)
        if (inlet->places[i].partition == partition && strcmp(inlet->places[i].topic, topic) == 0)
            return &inlet->places[i];
    return NULL;
}

static struct place *add_place(struct inlet *inlet, str topic, int32_t partition, int64_t next)
{
    if (inlet->place_count == PLACES_MAX || topic.size >= sizeof inlet->places[0].topic)
        return NULL;
    struct place *place = &inlet->places[inlet->place_count++];
    *place = (struct place){ .partition = partition, .next = next };
    memcpy(place->topic, topic.data, topic.size);
    return place;
}

static bool take_place(void *context, const struct ledger_value *values)
{
    struct inlet *inlet = context;
    if (!str_equal(values[0].bytes, inlet->place_key))
        return false; /* they are in order */
    add_place(inlet, values[1].bytes, (int32_t)values[2].integer, values[3].integer);
    return true;
}

/* Where the log says that we stand: all of it is applied and in the ledger first. */
static err load_places(struct inlet *inlet)
{
    struct ledger_value from[3] = { ledger_text(inlet->place_key), ledger_text(STR_NONE),
                                    ledger_int(0) };
    inlet->place_count = 0;
    err error = engine_settle(inlet->engine, false, ASK_MS);
    return error == ERR_OK ? ledger_scan(engine_ledger(inlet->engine), LEDGER_FEED_PLACES, from,
                                         take_place, inlet, &inlet->problem)
                           : error;
}

/* A feed that begins with what is new begins there after a restart too. */
static int64_t start_anew(struct inlet *inlet, const char *topic, int32_t partition, bool is_known,
                          int64_t high)
{
    if (!inlet->setting.from_newest)
        return RD_KAFKA_OFFSET_BEGINNING;
    struct place *place = is_known ? add_place(inlet, str_from_c(topic), partition, high) : NULL;
    if (place == NULL)
        return RD_KAFKA_OFFSET_END;
    place->moved = inlet->has_new_places = true;
    return high;
}

/* What the broker still has below our place is not taken twice; what it no longer has above it is lost, and told. */
static int64_t start_of(struct inlet *inlet, const char *topic, int32_t partition)
{
    int64_t low = 0, high = 0;
    const struct place *place = find_place(inlet, topic, partition);
    bool is_known = rd_kafka_query_watermark_offsets(inlet->client, topic, partition, &low, &high,
                                                     ASK_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (place == NULL)
        return start_anew(inlet, topic, partition, is_known, high);
    if (!is_known || low <= place->next)
        return place->next;
    struct feed *feed = inlet->feed;
    pthread_mutex_lock(&feed->runner.mutex);
    feed->progress.lost += (uint64_t)(low - place->next);
    pthread_mutex_unlock(&feed->runner.mutex);
    log_line(LOG_ERROR, "feed_lost", "feed=%s topic=%s partition=%d from=%lld to=%lld",
             feed->runner.key, topic, (int)partition, (long long)place->next, (long long)low - 1);
    return low;
}

/* ---- a chunk into the log ---- */

static void on_durable(struct log_append *append, err error)
{
    struct inlet *inlet = append->context;
    pthread_mutex_lock(&inlet->mutex);
    inlet->append_error = error;
    inlet->done = true;
    pthread_cond_signal(&inlet->durable);
    pthread_mutex_unlock(&inlet->mutex);
}

static err append_once(struct inlet *inlet, uint32_t count)
{
    inlet->done = false;
    inlet->append = (struct log_append){ .records = buffer_str(&inlet->records),
                                         .count = count,
                                         .source = inlet->lane,
                                         .durable = on_durable,
                                         .context = inlet };
    err error = engine_append(inlet->engine, &inlet->append);
    if (error != ERR_OK)
        return error;
    pthread_mutex_lock(&inlet->mutex);
    while (!inlet->done)
        pthread_cond_wait(&inlet->durable, &inlet->mutex);
    error = inlet->append_error;
    pthread_mutex_unlock(&inlet->mutex);
    return error;
}

/* Until the log has it. UNAVAILABLE: it may have it; where we stand is asked anew. */
static err append_chunk(struct inlet *inlet, uint32_t count)
{
    err error = append_once(inlet, count);
    while ((error == ERR_BUSY || error == ERR_STORAGE_FULL || error == ERR_NOMEM) &&
           !must_stop(inlet)) {
        if (error != ERR_BUSY)
            show(inlet->feed, FEED_WAITING, err_title(error));
        steady_sleep_ms(error == ERR_BUSY ? 5 : 500);
        error = append_once(inlet, count);
    }
    return error;
}

static void keep_refused(void *context, const struct feed_message *message,
                         const struct problem *problem)
{
    struct inlet *inlet = context;
    if (inlet->refused_count == FEED_REFUSED_SHOWN) {
        inlet->refused_more++;
        return;
    }
    struct feed_refused *refused = &inlet->refused[inlet->refused_count++];
    *refused = (struct feed_refused){ .partition = message->partition, .offset = message->offset };
    snprintf(refused->topic, sizeof refused->topic, STR_FMT, STR_ARG(message->topic));
    snprintf(refused->reason, sizeof refused->reason, "%s%s%s", problem->detail,
             problem->pointer[0] != '\0' ? ": " : "", problem->pointer);
}

static void write_move(struct inlet *inlet, struct buffer *records, uint32_t *count)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, (size_t)1 << 20);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    json_member_text(&writer, STR("feed"), inlet->place_key);
    json_put_key(&writer, STR("places"));
    json_begin_array(&writer);
    for (size_t i = 0; i < inlet->place_count; i++) {
        if (!inlet->places[i].moved)
            continue;
        json_begin_array(&writer);
        json_put_text(&writer, str_from_c(inlet->places[i].topic));
        json_put_int(&writer, inlet->places[i].partition);
        json_put_int(&writer, inlet->places[i].next);
        json_end_array(&writer);
    }
    json_end_array(&writer);
    json_end_object(&writer);
    engine_command_write(records, STR("feed.move"), buffer_str(&body));
    *count += 1;
    buffer_deinit(&body);
}

static err move_places(struct inlet *inlet)
{
    for (size_t i = 0; i < inlet->held_count; i++) {
        const rd_kafka_message_t *message = inlet->held[i];
        const char *topic = rd_kafka_topic_name(message->rkt);
        struct place *place = find_place(inlet, topic, message->partition);
        if (place == NULL)
            place = add_place(inlet, str_from_c(topic), message->partition, message->offset);
        if (place == NULL)
            return problem_set(&inlet->problem, ERR_UNPROCESSABLE,
                               "the topics have had more than %d partitions", PLACES_MAX);
        place->next = message->offset + 1;
        place->moved = true;
    }
    return ERR_OK;
}

static void tell_broker(struct inlet *inlet)
{
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new(8);
    for (size_t i = 0; i < inlet->place_count; i++) {
        struct place *place = &inlet->places[i];
        if (place->moved)
            rd_kafka_topic_partition_list_add(offsets, place->topic, place->partition)->offset =
                place->next;
        place->moved = false;
    }
    rd_kafka_resp_err_t told = rd_kafka_commit(inlet->client, offsets, 1);
    if (told != RD_KAFKA_RESP_ERR_NO_ERROR)
        log_line(LOG_WARN, "feed_offsets", "feed=%s error=%s", inlet->feed->runner.key,
                 rd_kafka_err2name(told));
    rd_kafka_topic_partition_list_destroy(offsets);
}

static void count_chunk(struct inlet *inlet, uint32_t events)
{
    struct feed_progress *progress = &inlet->feed->progress;
    int64_t now_ms = wall_clock_now_ms(inlet->feed->feeds->config.clock);
    pthread_mutex_lock(&inlet->feed->runner.mutex);
    progress->state = FEED_RUNNING;
    progress->problem[0] = '\0';
    progress->messages += inlet->held_count;
    progress->events += events;
    progress->refused += inlet->refused_count + inlet->refused_more;
    progress->last_ms = inlet->held_count > 0 ? now_ms : progress->last_ms;
    for (size_t i = 0; i < inlet->refused_count; i++) {
        struct feed_refused *kept =
            &progress->last_refused[progress->refused_next++ % FEED_REFUSED_SHOWN];
        *kept = inlet->refused[i];
        kept->at_ms = now_ms;
    }
    pthread_mutex_unlock(&inlet->feed->runner.mutex);
    for (size_t i = 0; i < inlet->refused_count; i++)
        log_line(LOG_WARN, "feed_refused", "feed=%s topic=%s partition=%d offset=%lld",
                 inlet->feed->runner.key, inlet->refused[i].topic, (int)inlet->refused[i].partition,
                 (long long)inlet->refused[i].offset);
}

static void drop_chunk(struct inlet *inlet)
{
    for (size_t i = 0; i < inlet->held_count; i++)
        rd_kafka_message_destroy(inlet->held[i]);
    inlet->held_count = inlet->held_bytes = 0;
}

static err decode_chunk(struct inlet *inlet, uint32_t *events)
{
    buffer_clear(&inlet->records);
    inlet->refused_count = 0;
    inlet->refused_more = 0;
    *events = 0;
    return feed_decode(inlet->decoder, inlet->messages, inlet->held_count, &inlet->records, events,
                       keep_refused, inlet, &inlet->problem);
}

static err send_chunk(struct inlet *inlet)
{
    uint32_t events, count;
    if (inlet->held_count == 0 && !inlet->has_new_places)
        return ERR_OK;
    err error = decode_chunk(inlet, &events);
    while (err_is_retriable(error) && !must_stop(inlet)) {
        show(inlet->feed, FEED_WAITING, inlet->problem.detail);
        steady_sleep_ms(RETRY_MS);
        error = decode_chunk(inlet, &events);
    }
    if (error == ERR_OK)
        error = move_places(inlet);
    if (error != ERR_OK)
        return error;
    count = events;
    if (tells_place_apart()) {
        error = count > 0 ? append_chunk(inlet, count) : ERR_OK;
        steady_sleep_ms(50);
        buffer_clear(&inlet->records);
        count = 0;
    }
    write_move(inlet, &inlet->records, &count);
    if (error == ERR_OK)
        error = buffer_status(&inlet->records);
    if (error == ERR_OK)
        error = append_chunk(inlet, count);
    if (error != ERR_OK)
        return error;
    inlet->has_new_places = false;
    count_chunk(inlet, events);
    tell_broker(inlet);
    drop_chunk(inlet);
    return ERR_OK;
}

/* ---- the client ---- */

static err configure(struct inlet *inlet, rd_kafka_conf_t *conf)
{
    const char *const settings[][2] = {
        { "enable.auto.commit", "false" },         { "enable.auto.offset.store", "false" },
        { "auto.offset.reset", "earliest" },       { "isolation.level", "read_committed" },
        { "queued.max.messages.kbytes", "16384" }, { "allow.auto.create.topics", "false" },
    };
    char group[256];
    snprintf(group, sizeof group, STR_FMT, STR_ARG(inlet->setting.group));
    err error = kafka_configure(&inlet->setting.cluster, conf, &inlet->problem);
    if (error == ERR_OK)
        error = kafka_set(conf, "group.id", group, &inlet->problem);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0] && error == ERR_OK; i++)
        error = kafka_set(conf, settings[i][0], settings[i][1], &inlet->problem);
    return error;
}

static err connect_client(struct inlet *inlet)
{
    char why[200] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, inlet->feed);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (configure(inlet, conf) != ERR_OK) {
        rd_kafka_conf_destroy(conf);
        return ERR_UNPROCESSABLE;
    }
    inlet->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (inlet->client == NULL) {
        rd_kafka_conf_destroy(conf);
        return problem_set(&inlet->problem, ERR_UNPROCESSABLE, "%s", why);
    }
    rd_kafka_poll_set_consumer(inlet->client);
    return ERR_OK;
}

/* ---- which partitions there are ---- */

/* All of them are ours: one server reads a feed, and where it goes on says its place. A consumer group would make the next
 * one wait until the brokers have missed the last. */
static err add_partitions(struct inlet *inlet, str topic, rd_kafka_topic_partition_list_t *list)
{
    char name[128];
    const struct rd_kafka_metadata *metadata = NULL;
    snprintf(name, sizeof name, STR_FMT, STR_ARG(topic));
    rd_kafka_topic_t *handle = rd_kafka_topic_new(inlet->client, name, NULL);
    rd_kafka_resp_err_t told = handle != NULL
                                   ? rd_kafka_metadata(inlet->client, 0, handle, &metadata, ASK_MS)
                                   : rd_kafka_last_error();
    if (handle != NULL)
        rd_kafka_topic_destroy(handle);
    if (told == RD_KAFKA_RESP_ERR_NO_ERROR && (metadata == NULL || metadata->topic_cnt == 0))
        told = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (told == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const struct rd_kafka_metadata_topic *found = &metadata->topics[0];
        told = found->err;
        for (int i = 0; told == RD_KAFKA_RESP_ERR_NO_ERROR && i < found->partition_cnt; i++)
            rd_kafka_topic_partition_list_add(list, name, found->partitions[i].id);
    }
    if (metadata != NULL)
        rd_kafka_metadata_destroy(metadata);
    if (told == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ERR_OK;
    problem_set(&inlet->problem, ERR_UNAVAILABLE, "the brokers do not give the topic '%s': %s",
                name, rd_kafka_err2str(told));
    return ERR_UNAVAILABLE;
}

/* Begin to read what is new among the partitions; between two chunks, when each place is what was taken. */
static err find_partitions(struct inlet *inlet)
{
    err error = ERR_OK;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(16);
    for (uint32_t i = 0; i < inlet->setting.topic_count && error == ERR_OK; i++)
        error = add_partitions(inlet, inlet->setting.topics[i], list);
    if (error == ERR_OK && list->cnt > PLACES_MAX)
        error = problem_set(&inlet->problem, ERR_UNPROCESSABLE,
                            "the topics have more than %d partitions", PLACES_MAX);
    if (error == ERR_OK && list->cnt != inlet->partitions) {
        for (int i = 0; i < list->cnt; i++)
            list->elems[i].offset = start_of(inlet, list->elems[i].topic, list->elems[i].partition);
        rd_kafka_assign(inlet->client, list);
        log_line(LOG_INFO, "feed_partitions", "feed=%s count=%d", inlet->feed->runner.key,
                 list->cnt);
        inlet->partitions = list->cnt;
        pthread_mutex_lock(&inlet->feed->runner.mutex);
        inlet->feed->progress.partitions = (uint32_t)list->cnt;
        pthread_mutex_unlock(&inlet->feed->runner.mutex);
        show(inlet->feed, FEED_RUNNING, "");
    }
    rd_kafka_topic_partition_list_destroy(list);
    inlet->found = steady_now();
    return error;
}

/* ---- taking messages ---- */

static void hold(struct inlet *inlet, rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t kind;
    int64_t time_ms = rd_kafka_message_timestamp(message, &kind);
    const char *topic = rd_kafka_topic_name(message->rkt);
    inlet->messages[inlet->held_count] = (struct feed_message){
        .topic = str_from_c(topic),
        .key = str_from_bytes(message->key, message->key != NULL ? message->key_len : 0),
        .value = str_from_bytes(message->payload, message->payload != NULL ? message->len : 0),
        .partition = message->partition,
        .offset = message->offset,
        .time_ms = kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? time_ms : 0,
    };
    inlet->held[inlet->held_count++] = message;
    inlet->held_bytes += message->len;
}

/* What is wrong with a partition or topic as a whole; the client goes on by itself. */
static void show_message_error(struct inlet *inlet, const rd_kafka_message_t *message)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return;
    snprintf(inlet->problem.detail, sizeof inlet->problem.detail, "%.200s",
             rd_kafka_message_errstr(message));
    show_failure(inlet, ERR_UNAVAILABLE);
    inlet->problem = (struct problem){ .error = ERR_OK };
}

/* Up to a chunk; returns after POLL_MS without any. */
static void gather(struct inlet *inlet)
{
    int wait_ms = POLL_MS;
    while (inlet->held_count < CHUNK_MESSAGES && inlet->held_bytes < CHUNK_BYTES &&
           !must_stop(inlet)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(inlet->client, wait_ms);
        if (message == NULL)
            return;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            hold(inlet, message);
            wait_ms = 0; /* what is there already */
            continue;
        }
        show_message_error(inlet, message);
        rd_kafka_message_destroy(message);
    }
}

/* After an error nothing may come for long because there is nothing: is the broker there again? */
static void look_again(struct inlet *inlet)
{
    int64_t low, high;
    pthread_mutex_lock(&inlet->feed->runner.mutex);
    bool is_failing = inlet->feed->progress.state == FEED_FAILING;
    pthread_mutex_unlock(&inlet->feed->runner.mutex);
    if (is_failing && inlet->place_count > 0 &&
        rd_kafka_query_watermark_offsets(inlet->client, inlet->places[0].topic,
                                         inlet->places[0].partition, &low, &high,
                                         POLL_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        show(inlet->feed, FEED_RUNNING, "");
}

/* How much waits at the broker, by what the client has heard of it. */
static void look_behind(struct inlet *inlet)
{
    int64_t behind = 0;
    if (steady_since_ms(inlet->looked) < LOOK_MS)
        return;
    inlet->looked = steady_now();
    look_again(inlet);
    for (size_t i = 0; i < inlet->place_count; i++) {
        int64_t low = 0, high = 0;
        const struct place *place = &inlet->places[i];
        if (rd_kafka_get_watermark_offsets(inlet->client, place->topic, place->partition, &low,
                                           &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
            high > place->next)
            behind += high - place->next;
    }
    pthread_mutex_lock(&inlet->feed->runner.mutex);
    inlet->feed->progress.behind = behind;
    pthread_mutex_unlock(&inlet->feed->runner.mutex);
}

/* Doors and questions wait behind what the engine has still to apply. */
static void wait_for_engine(const struct inlet *inlet)
{
    while (log_unread_records(engine_log(inlet->engine)) > LAG_RECORDS_MAX && !must_stop(inlet))
        steady_sleep_ms(1);
}

static err live(struct inlet *inlet)
{
    err error = ERR_OK;
    while (error == ERR_OK && !must_stop(inlet)) {
        gather(inlet);
        wait_for_engine(inlet);
        if (!must_stop(inlet))
            error = send_chunk(inlet);
        look_behind(inlet);
        if (error == ERR_OK && inlet->held_count == 0 && steady_since_ms(inlet->found) > FIND_MS &&
            find_partitions(inlet) != ERR_OK)
            inlet->problem = (struct problem){ .error = ERR_OK }; /* brokers are away: as it is */
    }
    return error;
}

/* ---- beginning and end ---- */

static err begin(struct inlet *inlet)
{
    struct feeds *feeds = inlet->feed->feeds;
    arena_reset(&inlet->arena);
    err error = feed_setting_load(feeds, str_from_c(inlet->feed->runner.key), &inlet->arena,
                                  &inlet->setting, &inlet->problem);
    if (error == ERR_OK) {
        inlet->lane =
            1 | (uint32_t)hash_bytes64(inlet->setting.key.data, inlet->setting.key.size, 0);
        error = feed_place_key(&inlet->setting, &inlet->arena, &inlet->place_key);
    }
    if (error == ERR_OK)
        error = feed_decoder_new(&inlet->decoder, feeds, &inlet->setting, &inlet->problem);
    if (error == ERR_OK)
        error = load_places(inlet);
    if (error == ERR_OK)
        error = connect_client(inlet);
    return error == ERR_OK ? find_partitions(inlet) : error;
}

static void end(struct inlet *inlet)
{
    drop_chunk(inlet);
    if (inlet->client != NULL) {
        rd_kafka_consumer_close(inlet->client);
        rd_kafka_destroy(inlet->client);
    }
    inlet->client = NULL;
    inlet->partitions = 0;
    feed_decoder_free(&inlet->decoder);
}

static void run(struct inlet *inlet)
{
    int64_t wait_ms = RETRY_MS;
    while (!must_stop(inlet)) {
        uint64_t before = inlet->feed->progress.messages;
        inlet->problem = (struct problem){ .error = ERR_OK };
        err error = begin(inlet);
        if (error == ERR_OK)
            error = live(inlet);
        if (error != ERR_OK && !must_stop(inlet))
            show_failure(inlet, error);
        end(inlet);
        wait_ms = inlet->feed->progress.messages > before ? RETRY_MS : wait_ms;
        for (int64_t waited = 0; waited < wait_ms && !must_stop(inlet); waited += 50)
            steady_sleep_ms(50);
        wait_ms = wait_ms * 2 < RETRY_MS_MAX ? wait_ms * 2 : RETRY_MS_MAX;
    }
}

void *feed_run(void *context)
{
    struct feed *feed = context;
    struct inlet *inlet = memory_alloc(sizeof *inlet);
    pthread_setname_np(pthread_self(), "kith-feed");
    if (inlet == NULL) {
        show(feed, FEED_FAILING, "no memory for a feed");
        return NULL;
    }
    *inlet = (struct inlet){ .feed = feed, .engine = feed->feeds->config.engine };
    arena_init(&inlet->arena, "feed", ARENA_BYTES);
    buffer_init(&inlet->records, RECORDS_BYTES_MAX);
    pthread_mutex_init(&inlet->mutex, NULL);
    pthread_cond_init(&inlet->durable, NULL);
    inlet->places = memory_alloc(PLACES_MAX * sizeof *inlet->places);
    inlet->refused = memory_alloc(FEED_REFUSED_SHOWN * sizeof *inlet->refused);
    if (inlet->places != NULL && inlet->refused != NULL)
        run(inlet);
    else
        show(feed, FEED_FAILING, "no memory for a feed");
    memory_free(inlet->places);
    memory_free(inlet->refused);
    pthread_cond_destroy(&inlet->durable);
    pthread_mutex_destroy(&inlet->mutex);
    buffer_deinit(&inlet->records);
    arena_deinit(&inlet->arena);
    memory_free(inlet);
    return NULL;
}
