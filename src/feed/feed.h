/* SPDX-License-Identifier: Apache-2.0 */
/* feed: events in from the topics of a Kafka cluster.
 *
 *     messages ─▶ decode, as a door or a mapping would ─┐
 *     place (topic, partition, next offset) ────────────┴─▶ one append to the log ─▶ the broker's offsets
 *
 * A feed is a setting "feed.<key>": which brokers and topics, how its messages are to be read, and as which source
 * they count. Each runs on a thread of its own while this server is the one that writes the log.
 *
 * Invariants
 *   K1 where a feed stands goes into the log in the same append as the events before it (command feed.move): a message
 *      is taken once, whenever the server dies. What the broker keeps as the group's offset is for its own tools.
 *   K2 a message that cannot be read is told with topic, partition and offset, counted, and passed over; it stays in its
 *      topic. One that the tracking plan refuses lies in quarantine, as from a door.
 *   K3 nothing is taken ahead of the engine: while it is behind, messages wait at the broker.
 *   K4 what the broker no longer holds between two looks is told as lost, never passed over in silence.
 *
 * Threads: all functions by any worker thread. The client is librdkafka (docs/decisions/kafka.md).
 */
#ifndef KITH_FEED_FEED_H
#define KITH_FEED_FEED_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"
#include "imports/imports.h"

struct feeds;

#define FEED_SETTING "feed."

struct feeds_config {
    struct engine *engine;
    struct imports *imports; /* whose mappings are used; NULL: none are there */
    struct wall_clock *clock;
    int zone_offset_seconds; /* of local times in mapped messages; default +08:00 */
    size_t event_bytes_max;  /* of one message; default 256 KB */
};
err feeds_open(struct feeds **feeds, const struct feeds_config *config,
               struct problem *problem) MUST_USE;
/* Finishes the chunk that is under way, then stops. */
void feeds_close(struct feeds **feeds);

/* Check {brokers, topics, group, source, format, mapping, start, historical, paused, tls, mechanism, username, password,
 * restart} and write the body of its command setting.put. Without password the one that is there stays, as long as it goes
 * to the same brokers; with restart it begins again where `start` says. UNPROCESSABLE names the member. */
err feeds_prepare(struct feeds *feeds, str key, json_value request, struct buffer *body,
                  struct problem *problem) MUST_USE;
/* NOT_FOUND, or the body of the command that forgets it. */
err feeds_forget(struct feeds *feeds, str key, struct buffer *body,
                 struct problem *problem) MUST_USE;
/* All of them, or the one of `key` (NOT_FOUND), each as an object, with how it goes; without passwords. */
err feeds_write(struct feeds *feeds, str key, struct json_writer *writer,
                struct problem *problem) MUST_USE;
/* As Prometheus reads them: of each feed that this server reads, one label {feed="key"}. */
void feeds_write_metrics(struct feeds *feeds, struct buffer *out);
/* A setting was changed: look. */
void feeds_wake(struct feeds *feeds);

#endif
