/* SPDX-License-Identifier: Apache-2.0 */
/* Outside of feed: a sink's setting as it is read, a running sink, and what news look like as messages.
 *
 *     sinks.c         what is shown of them
 *     sink_setting.c  what may be said of one
 *     outlet.c        the life of one: connect, take news, produce, wait, move on
 *     message.c       an entry as JSON
 */
#ifndef KITH_FEED_OUTSIDE_H
#define KITH_FEED_OUTSIDE_H

#include "access/source.h"
#include "engine/news.h"
#include "event/event.h"
#include "feed/kafka.h"
#include "feed/runners.h"
#include "feed/sink.h"

#define SINK_NAMES_MAX 100

/* Names of which alone is told; none: all. */
struct sink_names {
    str *items;
    size_t count;
};

struct sink_setting { /* texts in an arena */
    str key;
    struct kafka_cluster cluster;
    str topics[NEWS_KIND_COUNT]; /* empty: not told */
    struct sink_names segments, tags, event_types;
    str hold;
    bool is_clear; /* personal values too, unsealed */
    bool paused;
};

/* Unsealed. NOT_FOUND; CORRUPT where the password was sealed by other keys. */
err sink_setting_load(struct sinks *sinks, str key, struct arena *arena,
                      struct sink_setting *setting, struct problem *problem) MUST_USE;
/* What is shown, as members; no secret. */
void sink_setting_write(const struct sink_setting *setting, struct json_writer *writer);
bool sink_names_hold(const struct sink_names *names, str name);

/* ---- how it goes: shown, lost with the process ---- */

enum sink_state { SINK_PAUSED, SINK_CONNECTING, SINK_RUNNING, SINK_FAILING, SINK_WAITING };

struct sink_progress {
    enum sink_state state;
    char problem[320];
    uint64_t messages; /* that the brokers have */
    uint64_t skipped;  /* of the erased, and events that the log no longer has */
    int64_t last_ms;
};

struct sink_run { /* one thread */
    struct runner runner;
    struct sinks *sinks;
    struct sink_progress progress; /* under the runner's mutex */
};

struct sinks {
    struct sinks_config config;
    struct runners runners;
};

/* outlet.c; `context` is the runner. */
void *sink_run(void *context);

/* ---- messages ---- */

/* What messages are written with; `arena` is reset by the caller. */
struct sink_pen {
    const struct keys *keys;
    struct source_set *sources;
    struct json_parser *parser;
    struct arena *arena;
    bool is_clear;
};
/* `entry` as JSON, appended to `out`; `event` of an EVENT, decoded. */
err sink_message_write(const struct sink_pen *pen, const struct news_entry *entry,
                       const struct event *event, struct buffer *out) MUST_USE;

#endif
