/* SPDX-License-Identifier: Apache-2.0 */
/* sink: what happens to customers, out to the topics of a Kafka cluster.
 *
 *     news (engine/news.h) ─▶ messages, keyed by one_id ─▶ brokers ─all replicas have them─▶ command sink.move ─▶ rows go
 *
 * A sink is a setting "sink.<key>": which brokers, and for each kind of news a topic. Each runs on a thread of its own while this
 * server is the one that writes the log.
 *
 * Invariants
 *   O1 what happened is told at least once, whatever dies or is away: it waits in the ledger (an event in the log) until the
 *      brokers have it. Repeated is what was under way when the server died; its `id` is the same: who counts it once by that
 *      counts right. Within the life of a server the producer is idempotent.
 *   O2 messages of one customer and topic come in the order in which it happened (one key, one partition).
 *   O3 a sink never slows down the engine nor another sink: what it holds in memory has a limit, the rest waits on disk up to its
 *      `hold`; what waits longer is lost, counted and told.
 *   O4 what names a person stays sealed and is left out, unless the setting says `personal: clear`, which takes the right to see
 *      it. Of who was erased nothing is told any more, save that she was.
 *   O5 nothing leaves after the lease of this server has ended (log.h, L6).
 *
 * Threads: all functions by any worker thread.
 */
#ifndef KITH_FEED_SINK_H
#define KITH_FEED_SINK_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/engine.h"

struct sinks;

#define SINK_SETTING "sink."

struct sinks_config {
    struct engine *engine;
    struct wall_clock *clock;
};
err sinks_open(struct sinks **sinks, const struct sinks_config *config,
               struct problem *problem) MUST_USE;
/* What is under way and not acknowledged is told again by the next life. */
void sinks_close(struct sinks **sinks);

/* Check {brokers, topics:{segments, tags, touches, events, customers}, segments, tags, event_types, personal, hold, paused, tls,
 * mechanism, username, password} and write the body of its command setting.put. Without password the one that is there stays, as
 * long as it goes to the same brokers. UNPROCESSABLE names the member. */
err sinks_prepare(struct sinks *sinks, str key, json_value request, struct buffer *body,
                  struct problem *problem) MUST_USE;
/* NOT_FOUND, or the body of the command that forgets it. */
err sinks_forget(struct sinks *sinks, str key, struct buffer *body,
                 struct problem *problem) MUST_USE;
/* All of them, or the one of `key` (NOT_FOUND), each as an object, with how it goes; without passwords. */
err sinks_write(struct sinks *sinks, str key, struct json_writer *writer,
                struct problem *problem) MUST_USE;
/* For /metrics: kith_sink_behind, kith_sink_lost_total, kith_sink_running, of each. */
void sinks_write_metrics(struct sinks *sinks, struct buffer *out);
/* A setting was changed: look. */
void sinks_wake(struct sinks *sinks);

#endif
