/* SPDX-License-Identifier: Apache-2.0 */
/* kafka: brokers and how to sign in to them; see kafka.h. */
#include "feed/kafka.h"

#include <stdio.h>
#include <string.h>

#define BROKERS_BYTES_MAX 1000
#define BROKERS_MAX 16
#define KEY_BYTES_MAX 64
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const char *const mechanisms[] = { "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512" };

/* ---- checking ---- */

err setting_refuse(struct problem *problem, const char *member, const char *what, str value,
                   const char *cure)
{
    problem_set(problem, ERR_UNPROCESSABLE, "%s, not '%.*s'", what,
                (int)str_utf8_prefix_bytes(value, 60), value.data);
    problem_hint(problem, ERR_UNPROCESSABLE, "%s", cure);
    return problem_at(problem, ERR_UNPROCESSABLE, "/%s", member);
}

bool is_made_of(str text, const char *signs, size_t least, size_t most)
{
    if (text.size < least || text.size > most)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr(signs, c) != NULL)))
            return false;
    }
    return true;
}

bool is_setting_key(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] >= 'A' && text.data[i] <= 'Z')
            return false;
    return is_made_of(text, "_-", 1, KEY_BYTES_MAX);
}

bool is_topic(str text)
{
    return is_made_of(text, "._-", 1, 127) && !str_equal(text, STR(".")) &&
           !str_equal(text, STR(".."));
}

/* host:port, or [address]:port; nothing else gets to the client's own syntax. */
static bool is_broker(str text)
{
    size_t colon = text.size;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon < 2)
        return false;
    str host = str_slice(text, 0, colon - 1), port = str_slice(text, colon, text.size);
    uint64_t number = 0;
    bool is_number = str_to_uint64(port, &number);
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        return is_number && number > 0 && number < 65536 &&
               is_made_of(str_slice(host, 1, host.size - 1), ":.", 2, 45);
    return is_number && number > 0 && number < 65536 && is_made_of(host, ".-_", 1, 253);
}

/* A list as one text with commas; false: `*wrong` is what is none. */
static bool join_brokers(json_value list, struct buffer *out, str *wrong)
{
    struct json_iterator iterator = json_iterate(list);
    json_value item;
    *wrong = STR_NONE;
    if (json_kind(list) != JSON_ARRAY || json_count(list) == 0 || json_count(list) > BROKERS_MAX)
        return false;
    while (json_next(&iterator, NULL, &item)) {
        *wrong = json_text(item);
        if (!is_broker(*wrong))
            return false;
        if (out->size > 0)
            buffer_append_byte(out, ',');
        buffer_append_str(out, *wrong);
    }
    return buffer_status(out) == ERR_OK;
}

static err take_brokers(json_value json, struct arena *arena, struct kafka_cluster *cluster,
                        struct problem *problem)
{
    struct buffer joined;
    str wrong;
    buffer_init(&joined, BROKERS_BYTES_MAX);
    err error = ERR_OK;
    if (!join_brokers(json_get(json, STR("brokers")), &joined, &wrong))
        error = setting_refuse(problem, "brokers", "brokers is a list of 1 to 16 of host:port",
                               wrong, "as in [\"kafka-1.example.com:9092\"]");
    else
        error = arena_dup(arena, buffer_str(&joined), &cluster->brokers);
    buffer_deinit(&joined);
    return error;
}

static bool is_mechanism(str name)
{
    for (size_t i = 0; i < COUNT_OF(mechanisms); i++)
        if (str_equal(name, str_from_c(mechanisms[i])))
            return true;
    return false;
}

err kafka_check(const struct kafka_cluster *cluster, struct problem *problem)
{
    if (cluster->mechanism.size == 0 && cluster->username.size == 0 && cluster->password.size == 0)
        return ERR_OK;
    if (!is_mechanism(cluster->mechanism))
        return setting_refuse(problem, "mechanism",
                              "who signs in does so by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
                              cluster->mechanism, "the broker's listener says which");
    if (cluster->username.size == 0 || cluster->username.size > 200)
        return setting_refuse(problem, "username", "the name to sign in with has 1 to 200 bytes",
                              cluster->username, "give the one that may read the topics");
    if (cluster->password.size == 0 || cluster->password.size > 500)
        return setting_refuse(
            problem, "password", "the password has 1 to 500 bytes", STR_NONE,
            "give it again where brokers or name have changed: it goes nowhere else");
    if (str_equal(cluster->mechanism, STR("PLAIN")) && !cluster->tls)
        return setting_refuse(problem, "mechanism", "a password goes over TLS or by SCRAM",
                              cluster->mechanism, "set tls, or use SCRAM-SHA-256");
    return ERR_OK;
}

/* ---- reading and saying ---- */

err kafka_read(const struct keys *keys, json_value json, struct arena *arena,
               struct kafka_cluster *cluster, struct problem *problem)
{
    err error = take_brokers(json, arena, cluster, problem);
    cluster->tls = json_bool(json_get(json, STR("tls")), false);
    if (error == ERR_OK)
        error = arena_dup(arena, json_text(json_get(json, STR("mechanism"))), &cluster->mechanism);
    if (error == ERR_OK)
        error = arena_dup(arena, json_text(json_get(json, STR("username"))), &cluster->username);
    str password = json_text(json_get(json, STR("password")));
    if (error == ERR_OK && password.size > 0)
        error = keys != NULL ? keys_unseal(keys, arena, password, &cluster->password, problem)
                             : arena_dup(arena, password, &cluster->password);
    return error;
}

void kafka_keep(const struct kafka_cluster *before, struct kafka_cluster *cluster)
{
    if (cluster->password.size == 0 && cluster->username.size > 0 &&
        str_equal(before->brokers, cluster->brokers) &&
        str_equal(before->username, cluster->username))
        cluster->password = before->password;
}

static void write_brokers(str brokers, struct json_writer *writer)
{
    str broker;
    json_put_key(writer, STR("brokers"));
    json_begin_array(writer);
    while (str_split(&brokers, ',', &broker))
        json_put_text(writer, broker);
    json_end_array(writer);
}

void kafka_write(const struct kafka_cluster *cluster, struct json_writer *writer)
{
    write_brokers(cluster->brokers, writer);
    json_member_bool(writer, STR("tls"), cluster->tls);
    json_member_text(writer, STR("mechanism"), cluster->mechanism);
    json_member_text(writer, STR("username"), cluster->username);
}

err kafka_write_sealed(const struct kafka_cluster *cluster, const struct keys *keys,
                       struct arena *arena, struct json_writer *writer)
{
    str sealed = STR_NONE;
    if (cluster->password.size > 0) {
        err error = keys_seal(keys, arena, cluster->password, &sealed);
        if (error != ERR_OK)
            return error;
    }
    kafka_write(cluster, writer);
    json_member_text(writer, STR("password"), sealed);
    return ERR_OK;
}

/* ---- the client ---- */

err kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct problem *problem)
{
    char why[200];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return ERR_OK;
    return problem_set(problem, ERR_UNPROCESSABLE, "%s", why);
}

static err set_text(rd_kafka_conf_t *conf, const char *name, str value, struct problem *problem)
{
    char text[1100];
    if (value.size >= sizeof text)
        return problem_set(problem, ERR_UNPROCESSABLE, "%s is too long", name);
    snprintf(text, sizeof text, STR_FMT, STR_ARG(value));
    return kafka_set(conf, name, text, problem);
}

err kafka_configure(const struct kafka_cluster *cluster, rd_kafka_conf_t *conf,
                    struct problem *problem)
{
    bool signs_in = cluster->mechanism.size > 0;
    const char *protocol = signs_in ? (cluster->tls ? "sasl_ssl" : "sasl_plaintext")
                                    : (cluster->tls ? "ssl" : "plaintext");
    err error = set_text(conf, "bootstrap.servers", cluster->brokers, problem);
    if (error == ERR_OK)
        error = kafka_set(conf, "client.id", "kith", problem);
    if (error == ERR_OK)
        error = kafka_set(conf, "security.protocol", protocol, problem);
    if (error == ERR_OK && signs_in)
        error = set_text(conf, "sasl.mechanisms", cluster->mechanism, problem);
    if (error == ERR_OK && signs_in)
        error = set_text(conf, "sasl.username", cluster->username, problem);
    if (error == ERR_OK && signs_in)
        error = set_text(conf, "sasl.password", cluster->password, problem);
    return error;
}
