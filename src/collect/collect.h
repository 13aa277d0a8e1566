/* SPDX-License-Identifier: Apache-2.0 */
/* collect: the doors that SDKs use. Bytes of a request in, log records and an answer out.
 *
 * A door decodes, checks the form, corrects clocks, normalises and seals; it knows no state but the
 * snapshot of sources, so any number of threads run it at once. What it lets through is well-formed; the
 * tracking plan is judged later, in order, by the engine.
 *
 * Invariants
 *   C1 a request is taken whole or refused whole, save batch items that are malformed on their own
 *      (Segment's and Sensors' servers take the rest); each of those is told to `live`.
 *   C2 personal values are sealed before they leave this room.
 *   C3 no answer depends on Content-Type (SDKs send all kinds).
 *
 * Wire facts: docs/connectors/segment.md and docs/connectors/sensors.md.
 */
#ifndef KITH_COLLECT_COLLECT_H
#define KITH_COLLECT_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "access/seal.h"
#include "access/source.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "event/event.h"

/* What a door needs of an HTTP request; borrowed for the call. */
struct collect_request {
    str method, path, query; /* path without query, not yet percent-decoded */
    str authorization, content_encoding, content_type, origin, host;
    str anonymous_id_header; /* RudderStack's AnonymousId */
    str dry_run;             /* Sensors' header Dry-Run: "true" checks and takes nothing */
    str user_agent, client_ip;
    str body;
    int64_t received_ms; /* the door's wall clock */
};

struct collect_answer {
    int status;
    const char *content_type;
    str body;       /* static or in the worker's arena */
    bool cacheable; /* settings and scripts; all else is no-store */
    /* Who brought it, with what the doors may take of it; 0: not known */
    uint32_t source_number, events_per_second;
};

struct collect_limits {
    size_t event_bytes_max;    /* default 256 KB; Segment says 32 KB */
    size_t batch_bytes_max;    /* default 4 MB, after unpacking */
    uint32_t batch_events_max; /* default 5,000 */
};

/* One per thread: parser, arena, buffer for inflating; kept between requests. */
struct collect_worker;
err collect_worker_new(struct collect_worker **worker, const struct keys *keys,
                       const struct collect_limits *limits) MUST_USE;
void collect_worker_free(struct collect_worker **worker);

/* Does this path belong to a door? (`OPTIONS` of these paths is answered by the server.) */
bool collect_owns_path(str path);

/* Decode a request. `records` gets what is to be appended to the log (log_record_write) and `count`
 * how many; with count 0 the answer can be sent at once. With count > 0 `answer` is what to send
 * after the sync. A refused request has its status, a body as its SDK expects it, and count 0. */
void collect_decode(struct collect_worker *worker, const struct source_set *sources,
                    const struct collect_request *request, struct buffer *records, uint32_t *count,
                    struct collect_answer *answer);

/* ---- what comes otherwise than by HTTP (feed/) ---- */

enum collect_form {
    COLLECT_SEGMENT, /* one of Segment's calls, or {"batch":[…]} */
    COLLECT_SENSORS, /* a record of Sensors, or a list of them */
};
struct collect_message {
    enum collect_form form;
    str text; /* JSON */
    int64_t
        time_ms; /* when it was sent, as its carrier says: what it tells without a time happened then */
    bool historical; /* starts no journey */
};
/* The same as at a door, of a source that is known. `refused` counts items that were refused on their own and
 * `problem` is the first of them; an error is about the whole: nothing was appended. */
err collect_decode_message(struct collect_worker *worker, const struct source *source,
                           const struct collect_message *message, struct buffer *records,
                           uint32_t *count, uint32_t *refused, struct problem *problem) MUST_USE;

/* ---- correcting what is in quarantine ---- */

/* Change the event of `record` and append the new record body to `corrected`. `correction` is JSON
 * {event, time, rename: {old: new}, set: {name: value}, remove: [names]}, all of it optional; personal
 * values that are set are sealed. UNPROCESSABLE names the member. The message key stays. */
err collect_correct(struct collect_worker *worker, str record, json_value correction,
                    struct buffer *corrected, struct problem *problem) MUST_USE;

/* ---- the debugger's view: the last requests, raw, and what became of each event ---- */

/* A ring in RAM (2,000 events, 8 MB); one lock, taken only for events that are kept: every event at
 * low rates, of more than 200 in a second the first 200. Refused ones have 200 of their own. */
struct live_entry {
    uint64_t id; /* grows by one */
    int64_t at_ms;
    uint32_t source_number; /* 0: not known */
    uint8_t message_key[16];
    str event_type, door;
    str raw;     /* the item as it came, as JSON, personal values masked; cut at 16 KB */
    str refused; /* why the door refused it; "" if it went on */
};
/* Does the ring want one more of this second? Ask before the work of making an entry. */
bool live_wants(int64_t at_ms, bool refused);
void live_add(const struct live_entry *entry);
/* Entries with id > `after`, oldest first, copied into `arena`; at most `limit`. */
size_t live_read(uint64_t after, size_t limit, struct arena *arena, struct live_entry *entries);

#endif
