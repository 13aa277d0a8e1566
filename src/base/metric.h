/* SPDX-License-Identifier: Apache-2.0 */
/* metric: counters, gauges and histograms for /metrics (Prometheus text).
 *
 * A metric is one row of a table, so that name, help and kind live in one place. Adding is a relaxed
 * atomic: any thread, a few nanoseconds. Histograms hold microseconds in powers of two.
 * Labelled families (events by source and outcome) are small registries in their own rooms.
 */
#ifndef KITH_BASE_METRIC_H
#define KITH_BASE_METRIC_H

#include <stdint.h>

#include "base/buffer.h"

/* NAME, prometheus name, kind (COUNTER, GAUGE, HISTOGRAM), help */
#define METRIC_TABLE(X)                                                                           \
    X(EVENTS_RECEIVED, "kith_events_received_total", COUNTER, "events decoded at the doors")      \
    X(EVENTS_APPLIED, "kith_events_applied_total", COUNTER, "events applied, duplicates too")     \
    X(EVENTS_DUPLICATE, "kith_events_duplicate_total", COUNTER, "events counted before")          \
    X(EVENTS_QUARANTINED, "kith_events_quarantined_total", COUNTER, "events in quarantine")       \
    X(EVENTS_ERASED, "kith_events_erased_total", COUNTER,                                         \
      "events about erased customers, refused")                                                   \
    X(EVENTS_WITHOUT_CONSENT, "kith_events_without_consent_total", COUNTER,                       \
      "events not recorded at the doors, or without who it was: nobody had agreed")               \
    X(EVENTS_REFUSED, "kith_events_refused_total", COUNTER, "events refused at the doors")        \
    X(REQUESTS, "kith_http_requests_total", COUNTER, "HTTP requests")                             \
    X(REQUESTS_FAILED, "kith_http_requests_failed_total", COUNTER, "HTTP answers above 499")      \
    X(REQUESTS_BUSY, "kith_http_requests_busy_total", COUNTER, "HTTP answers 429")                \
    X(REQUESTS_LATE, "kith_http_requests_late_total", COUNTER, "of them, waited too long unread") \
    X(REQUESTS_FLOODING, "kith_http_requests_flooding_total", COUNTER,                            \
      "of them, of a source beyond its limit or share")                                           \
    X(REQUEST_US, "kith_http_request_microseconds", HISTOGRAM, "time to answer")                  \
    X(DOOR_READ_US, "kith_door_read_microseconds", HISTOGRAM,                                     \
      "events of sources that are not loud: from the first line to the whole body")               \
    X(DOOR_TURN_US, "kith_door_turn_microseconds", HISTOGRAM, "then until decoded")               \
    X(DOOR_LOG_US, "kith_door_log_microseconds", HISTOGRAM, "then until durable")                 \
    X(DOOR_ANSWER_US, "kith_door_answer_microseconds", HISTOGRAM, "then until answered")          \
    X(LOG_BLOCKS, "kith_log_blocks_total", COUNTER, "blocks made durable")                        \
    X(LOG_BYTES, "kith_log_bytes_total", COUNTER, "bytes of blocks made durable")                 \
    X(LOG_SYNC_US, "kith_log_sync_microseconds", HISTOGRAM, "time to write and sync a block")     \
    X(LOG_CHECKPOINT_US, "kith_log_checkpoint_microseconds", HISTOGRAM, "log: time to tidy")      \
    X(LOG_FULL, "kith_log_full_total", COUNTER, "appends refused because the disk is full")       \
    X(CLOCK_STEP_MS, "kith_clock_step_milliseconds", GAUGE, "the machine's clock, beyond ours")   \
    X(ENGINE_LAG, "kith_engine_lag_records", GAUGE, "durable records not yet applied")            \
    X(ENGINE_BATCH_US, "kith_engine_batch_microseconds", HISTOGRAM, "time to apply a block")      \
    X(ENGINE_TICK_US, "kith_engine_tick_microseconds", HISTOGRAM, "time to apply a tick")         \
    X(ENGINE_SLICE_US, "kith_engine_slice_microseconds", HISTOGRAM,                               \
      "work between groups, at a time: what time changed, histories tidied")                      \
    X(ENGINE_SLICE_LONGEST_US, "kith_engine_slice_longest_microseconds", GAUGE,                   \
      "the longest of these and of ticks, in this minute or the last")                            \
    X(LEDGER_COMMIT_US, "kith_ledger_commit_microseconds", HISTOGRAM, "time of a commit")         \
    X(LEDGER_CHECKPOINT_US, "kith_ledger_checkpoint_microseconds", HISTOGRAM, "and to tidy")      \
    X(WAREHOUSE_INSERT_US, "kith_warehouse_insert_microseconds", HISTOGRAM, "an insert")          \
    X(LEDGER_RETRIES, "kith_ledger_retries_total", COUNTER, "commits tried again")                \
    X(FLUSH_ROWS, "kith_flush_rows_total", COUNTER, "rows inserted into the warehouse")           \
    X(FLUSH_RETRIES, "kith_flush_retries_total", COUNTER, "inserts tried again")                  \
    X(FLUSH_LAG, "kith_flush_lag_rows", GAUGE, "applied events not yet in the warehouse")         \
    X(WAREHOUSE_STARTS, "kith_warehouse_starts_total", COUNTER, "starts of the child")            \
    X(WAREHOUSE_SHARDS_LOST, "kith_warehouse_shards_lost_total", COUNTER, "shards gone")          \
    X(MERGES, "kith_identity_merges_total", COUNTER, "customers merged")                          \
    X(SPLITS, "kith_identity_splits_total", COUNTER, "merges taken back")                         \
    X(REFUSALS, "kith_identity_refusals_total", COUNTER, "links refused")                         \
    X(CUSTOMERS, "kith_customers", GAUGE, "customers now")                                        \
    X(IDENTIFIERS, "kith_identifiers", GAUGE, "identifiers now")                                  \
    X(MESSAGE_KEYS, "kith_message_keys", GAUGE, "message keys held against duplicates")           \
    X(AUDIENCE_CHANGES, "kith_audience_changes_total", COUNTER,                                   \
      "tag values and memberships changed")                                                       \
    X(AUDIENCE_JUDGED, "kith_audience_judged_total", COUNTER, "customers judged")                 \
    X(AUDIENCE_STREAMED, "kith_audience_streamed_total", COUNTER,                                 \
      "customers judged by rows read back from the warehouse")                                    \
    X(AUDIENCE_DEFECTS, "kith_audience_defects_total", COUNTER,                                   \
      "differences that a recount found")                                                         \
    X(AUDIENCE_DUE, "kith_audience_due", GAUGE, "customers due by now and not yet settled")       \
    X(AUDIENCE_BYTES, "kith_audience_bytes", GAUGE, "bytes of sets, columns and due times")       \
    X(TOUCHES_QUEUED, "kith_touches_queued", GAUGE, "touches: may go at once")                    \
    X(TOUCHES_HELD, "kith_touches_held", GAUGE, "touches: wait for an hour, a cap, a stop")       \
    X(TOUCHES_SENDING, "kith_touches_sending", GAUGE, "touches: handed to a channel")             \
    X(TOUCHES_SENT, "kith_touches_sent", GAUGE, "touches: taken by the provider")                 \
    X(TOUCHES_DELIVERED, "kith_touches_delivered", GAUGE, "touches: delivered")                   \
    X(TOUCHES_CONFIRMED, "kith_touches_confirmed", GAUGE, "touches: confirmed")                   \
    X(TOUCHES_READ, "kith_touches_read", GAUGE, "touches: read")                                  \
    X(TOUCHES_CLICKED, "kith_touches_clicked", GAUGE, "touches: clicked")                         \
    X(TOUCHES_FAILED, "kith_touches_failed", GAUGE, "touches: failed")                            \
    X(TOUCHES_SUPPRESSED, "kith_touches_suppressed", GAUGE,                                       \
      "touches: did not pass a gate, or were pulled")                                             \
    X(TOUCHES_UNCERTAIN, "kith_touches_uncertain", GAUGE, "touches: nobody knows: to be decided") \
    X(JOURNEY_POSITIONS, "kith_journey_positions", GAUGE,                                         \
      "positions in journeys, and after them while goals are counted")                            \
    X(JOURNEY_DEFECTS, "kith_journey_defects", GAUGE,                                             \
      "positions that nothing can wake, or that are there twice, as of the last round of checks") \
    X(JOURNEY_POSITIONS_FAILED, "kith_journey_positions_failed", GAUGE,                           \
      "of them, failed: an operator has to look")                                                 \
    X(LOG_LINES_SUPPRESSED, "kith_log_lines_suppressed_total", COUNTER, "repeated log lines")

enum metric {
#define X(name, text, kind, help) METRIC_##name,
    METRIC_TABLE(X)
#undef X
        METRIC_COUNT
};

void metric_add(enum metric metric, int64_t amount);              /* counters */
void metric_set(enum metric metric, int64_t value);               /* gauges */
void metric_observe_us(enum metric metric, int64_t microseconds); /* histograms */
int64_t metric_value(enum metric metric);                         /* for a histogram: its count */
void metric_write_prometheus(struct buffer *out);

#endif
