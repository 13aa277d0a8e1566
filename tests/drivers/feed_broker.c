/* SPDX-License-Identifier: Apache-2.0 */
/* A Kafka cluster of one process, for tests of feeds and sinks: librdkafka's own brokers, which speak the real protocol and keep
 * everything in memory. Says "brokers HOST:PORT,…", then answers a line for each line:
 *
 *   topic NAME PARTITIONS                    ok
 *   say TOPIC PARTITION KEY VALUE TIME_MS    ok       KEY and VALUE in base64, "-" for none; -1: any partition; 0: now
 *   flush                                    ok N     of what was said, N did not arrive
 *   read TOPIC                               ok P:KEY:VALUE …   all that is in it, partition by partition; in base64, "-" for none
 *   down | up                                ok       all brokers refuse, take connections again
 *   leader TOPIC PARTITION BROKER            ok       that partition is led by that broker (1 or 2) from now on
 *
 * Ends with its standard input. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BROKERS 2
#define LINE_BYTES_MAX ((size_t)8 << 20)
#define FLUSH_MS 30000

static unsigned failed;

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context)
{
    (void)producer;
    (void)context;
    failed += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_t *make_producer(const char *brokers)
{
    char why[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set(conf, "log_level", "0", why,
                      sizeof why); /* brokers that are down are no news here */
    if ((brokers != NULL && rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why,
                                              sizeof why) != RD_KAFKA_CONF_OK))
        return NULL;
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
}

/* In place; the size. */
static size_t decode(char *text)
{
    size_t size = 0;
    if (strcmp(text, "-") == 0 ||
        sodium_base642bin((unsigned char *)text, strlen(text), text, strlen(text), NULL, &size,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return 0;
    return size;
}

static bool say(rd_kafka_t *producer, char *arguments)
{
    char *rest = NULL;
    const char *topic = strtok_r(arguments, " ", &rest), *partition = strtok_r(NULL, " ", &rest);
    char *key = strtok_r(NULL, " ", &rest), *value = strtok_r(NULL, " ", &rest);
    const char *time = strtok_r(NULL, " ", &rest);
    if (time == NULL)
        return false;
    bool has_value = strcmp(value, "-") != 0;
    size_t key_size = decode(key), value_size = decode(value);
    const rd_kafka_vu_t said[] = {
        { .vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic },
        { .vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = (int32_t)strtol(partition, NULL, 10) },
        { .vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY },
        { .vtype = RD_KAFKA_VTYPE_KEY, .u.mem = { .ptr = key, .size = key_size } },
        { .vtype = RD_KAFKA_VTYPE_VALUE,
          .u.mem = { .ptr = has_value ? value : NULL, .size = value_size } },
        { .vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = strtoll(time, NULL, 10) },
    };
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_produceva(producer, said, sizeof said / sizeof said[0]);
        rd_kafka_resp_err_t told = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        rd_kafka_poll(producer, told == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 10 : 0);
        if (told != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return told == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
}

/* ---- reading a topic ---- */

static rd_kafka_t *make_consumer(const char *brokers)
{
    char why[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *const settings[][2] = {
        { "bootstrap.servers", brokers },    { "group.id", "reader" },
        { "enable.auto.commit", "false" },   { "enable.partition.eof", "true" },
        { "auto.offset.reset", "earliest" }, { "log_level", "0" }
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why);
    rd_kafka_t *consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (consumer != NULL)
        rd_kafka_poll_set_consumer(consumer);
    return consumer;
}

static int count_partitions(rd_kafka_t *consumer, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(consumer, topic, NULL);
    int count = 0;
    if (rd_kafka_metadata(consumer, 0, handle, &metadata, FLUSH_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        count = metadata->topic_cnt > 0 ? metadata->topics[0].partition_cnt : 0;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(handle);
    return count;
}

static void print_base64(const void *bytes, size_t size)
{
    size_t room = sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL);
    char *text = size > 0 ? malloc(room) : NULL;
    if (text != NULL)
        sodium_bin2base64(text, room, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    fputs(text != NULL ? text : "-", stdout);
    free(text);
}

static bool read_topic(const char *brokers, const char *topic)
{
    rd_kafka_t *consumer = make_consumer(brokers);
    int left = consumer != NULL ? count_partitions(consumer, topic) : 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(left + 1);
    for (int i = 0; i < left; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    bool is_there = left > 0 && rd_kafka_assign(consumer, list) == RD_KAFKA_RESP_ERR_NO_ERROR;
    fputs(is_there ? "ok" : "error", stdout);
    while (is_there && left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, FLUSH_MS);
        if (message == NULL)
            break;
        left -= message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            printf(" %d:", (int)message->partition);
            print_base64(message->key, message->key_len);
            putchar(':');
            print_base64(message->payload, message->len);
        }
        rd_kafka_message_destroy(message);
    }
    putchar('\n');
    rd_kafka_topic_partition_list_destroy(list);
    if (consumer != NULL) {
        rd_kafka_consumer_close(consumer);
        rd_kafka_destroy(consumer);
    }
    return is_there;
}

static bool make_topic(rd_kafka_mock_cluster_t *cluster, char *arguments)
{
    char *rest = NULL;
    const char *name = strtok_r(arguments, " ", &rest), *count = strtok_r(NULL, " ", &rest);
    return count != NULL && rd_kafka_mock_topic_create(cluster, name, (int)strtol(count, NULL, 10),
                                                       1) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool set_leader(rd_kafka_mock_cluster_t *cluster, char *arguments)
{
    char *rest = NULL;
    const char *topic = strtok_r(arguments, " ", &rest), *partition = strtok_r(NULL, " ", &rest);
    const char *broker = strtok_r(NULL, " ", &rest);
    return broker != NULL && rd_kafka_mock_partition_set_leader(
                                 cluster, topic, (int32_t)strtol(partition, NULL, 10),
                                 (int32_t)strtol(broker, NULL, 10)) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool set_brokers(rd_kafka_mock_cluster_t *cluster, bool are_up)
{
    for (int32_t broker = 1; broker <= BROKERS; broker++) {
        rd_kafka_resp_err_t told = are_up ? rd_kafka_mock_broker_set_up(cluster, broker)
                                          : rd_kafka_mock_broker_set_down(cluster, broker);
        if (told != RD_KAFKA_RESP_ERR_NO_ERROR)
            return false;
    }
    return true;
}

static void answer(rd_kafka_t *producer, rd_kafka_mock_cluster_t *cluster, char *line)
{
    char *rest = strchr(line, ' ');
    bool done = false;
    if (rest != NULL)
        *rest++ = '\0';
    if (strcmp(line, "flush") == 0) {
        failed = 0;
        done = rd_kafka_flush(producer, FLUSH_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
        printf(done ? "ok %u\n" : "error\n", failed);
        return;
    }
    if (strcmp(line, "read") == 0 && rest != NULL) {
        read_topic(rd_kafka_mock_cluster_bootstraps(cluster), rest);
        return;
    }
    if (strcmp(line, "say") == 0 && rest != NULL)
        done = say(producer, rest);
    else if (strcmp(line, "topic") == 0 && rest != NULL)
        done = make_topic(cluster, rest);
    else if (strcmp(line, "leader") == 0 && rest != NULL)
        done = set_leader(cluster, rest);
    else if (strcmp(line, "down") == 0 || strcmp(line, "up") == 0)
        done = set_brokers(cluster, strcmp(line, "up") == 0);
    printf(done ? "ok\n" : "error\n");
}

int main(void)
{
    rd_kafka_t *host = make_producer(NULL);
    rd_kafka_mock_cluster_t *cluster =
        host != NULL ? rd_kafka_mock_cluster_new(host, BROKERS) : NULL;
    rd_kafka_t *producer =
        cluster != NULL ? make_producer(rd_kafka_mock_cluster_bootstraps(cluster)) : NULL;
    char *line = malloc(LINE_BYTES_MAX);
    if (producer == NULL || line == NULL)
        return 1;
    printf("brokers %s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    while (fgets(line, (int)LINE_BYTES_MAX, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        answer(producer, cluster, line);
        fflush(stdout);
    }
    free(line);
    rd_kafka_destroy(producer);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}
