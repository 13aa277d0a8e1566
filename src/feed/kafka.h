/* SPDX-License-Identifier: Apache-2.0 */
/* kafka: which Kafka cluster a feed or a sink speaks with, and as whom: checked, its password sealed, given to the client.
 * Private to feed/. Plain values; any thread. */
#ifndef KITH_FEED_KAFKA_H
#define KITH_FEED_KAFKA_H

#include <librdkafka/rdkafka.h>

#include "access/seal.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

struct kafka_cluster { /* texts in an arena */
    str brokers;       /* "host:port,host:port" */
    bool tls;
    str mechanism; /* "" without a password */
    str username, password;
};

/* Of what a person wrote (keys NULL), or of a setting, whose password is sealed. UNPROCESSABLE names the member; CORRUPT where it
 * was sealed by other keys. */
err kafka_read(const struct keys *keys, json_value json, struct arena *arena,
               struct kafka_cluster *cluster, struct problem *problem) MUST_USE;
/* Is how it signs in said well? */
err kafka_check(const struct kafka_cluster *cluster, struct problem *problem) MUST_USE;
/* The password from before stays, as long as it goes to the same brokers under the same name. */
void kafka_keep(const struct kafka_cluster *before, struct kafka_cluster *cluster);
/* What is shown, as members; no password. */
void kafka_write(const struct kafka_cluster *cluster, struct json_writer *writer);
/* The sealed password too. */
err kafka_write_sealed(const struct kafka_cluster *cluster, const struct keys *keys,
                       struct arena *arena, struct json_writer *writer) MUST_USE;
/* UNPROCESSABLE with the client's words. */
err kafka_configure(const struct kafka_cluster *cluster, rd_kafka_conf_t *conf,
                    struct problem *problem) MUST_USE;
err kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value,
              struct problem *problem) MUST_USE;

/* ---- for the checks of either ---- */

err setting_refuse(struct problem *problem, const char *member, const char *what, str value,
                   const char *cure) MUST_USE;
bool is_made_of(str text, const char *signs, size_t least, size_t most);
bool is_setting_key(str text); /* 1 to 64 of a-z 0-9 _ - */
bool is_topic(str text);

#endif
