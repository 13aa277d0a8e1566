/* SPDX-License-Identifier: Apache-2.0 */
/* Inside feed: a setting as it is read, a running feed, and what decoding makes of messages.
 *
 *     runners.c  the threads that run are those that the settings want
 *     kafka.c    brokers, and how to sign in to them
 *     feeds.c    what is shown of feeds
 *     setting.c  what may be said of a feed
 *     inlet.c    the life of one: connect, take messages, append, move on
 *     decode.c   messages to records of the log
 */
#ifndef KITH_FEED_INSIDE_H
#define KITH_FEED_INSIDE_H

#include "access/source.h"
#include "base/arena.h"
#include "feed/feed.h"
#include "feed/kafka.h"
#include "feed/runners.h"

#define FEED_TOPICS_MAX 16
#define FEED_REFUSED_SHOWN 20

enum feed_format { FEED_SEGMENT, FEED_SENSORS, FEED_MAPPING };

/* What a setting says; texts in an arena. */
struct feed_setting {
    str key;
    struct kafka_cluster cluster;
    str topics[FEED_TOPICS_MAX];
    uint32_t topic_count;
    str group, source, mapping;
    enum feed_format format;
    bool
        from_newest; /* where there is no place yet: at the end of the topics, not at their beginning */
    bool historical; /* starts no journey */
    bool paused;
    int64_t since_ms; /* places from before are another life's */
};

/* Unsealed. NOT_FOUND; CORRUPT where the password was sealed by other keys. */
err feed_setting_load(struct feeds *feeds, str key, struct arena *arena,
                      struct feed_setting *setting, struct problem *problem) MUST_USE;
err feed_setting_read(const struct keys *keys, json_value json, struct arena *arena,
                      struct feed_setting *setting, struct problem *problem) MUST_USE;
/* What is shown, as members; no secret. */
void feed_setting_write(const struct feed_setting *setting, struct json_writer *writer);
/* The places of this life of the feed in the ledger: "key@since_ms". */
err feed_place_key(const struct feed_setting *setting, struct arena *arena, str *key) MUST_USE;

/* ---- how it goes: shown, lost with the process ---- */

enum feed_state { FEED_PAUSED, FEED_CONNECTING, FEED_RUNNING, FEED_FAILING, FEED_WAITING };

struct feed_refused {
    char topic[128], reason[512];
    int32_t partition;
    int64_t offset, at_ms;
};

struct feed_progress {
    enum feed_state state;
    char problem[320];
    uint64_t messages, events, refused, lost;
    int64_t
        behind; /* messages at the broker that were not taken, as of the last look; -1: not known */
    int64_t last_ms;
    uint32_t partitions;
    struct feed_refused last_refused[FEED_REFUSED_SHOWN]; /* a ring */
    uint32_t refused_next;
};

struct feed { /* one thread */
    struct runner runner;
    struct feeds *feeds;
    struct feed_progress progress; /* under the runner's mutex */
};

struct feeds {
    struct feeds_config config;
    struct runners runners;
};

/* inlet.c; `context` is the feed. */
void *feed_run(void *context);

/* ---- decoding ---- */

/* A message, borrowed. */
struct feed_message {
    str topic, key, value;
    int32_t partition;
    int64_t offset, time_ms; /* as the producer or the broker says; 0: not known */
};

struct feed_decoder;
err feed_decoder_new(struct feed_decoder **decoder, struct feeds *feeds,
                     const struct feed_setting *setting, struct problem *problem) MUST_USE;
void feed_decoder_free(struct feed_decoder **decoder);

typedef void (*feed_refuse)(void *context, const struct feed_message *message,
                            const struct problem *problem);
/* Append the records of `messages` to `records`, `count` more of them. What cannot be read is told to `refuse`. NOT_FOUND: the
 * source or mapping of the feed is not there (any more); BUSY, NOMEM: nothing was appended, the same again later. */
err feed_decode(struct feed_decoder *decoder, const struct feed_message *messages,
                size_t message_count, struct buffer *records, uint32_t *count, feed_refuse refuse,
                void *context, struct problem *problem) MUST_USE;

#endif
