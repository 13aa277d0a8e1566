/* SPDX-License-Identifier: Apache-2.0 */
/* Inside Segment's door: one call on its way from JSON to an event.
 *
 *     segment.c          a request: body, key, batch, answers
 *     segment_read.c     members of a call and of its context, times
 *     segment_who.c      identifiers
 *     segment_context.c  channel, and what is kept of the context
 *     segment_call.c     one call → one event
 *     segment_web.c      pixel, and the settings that browser SDKs load
 */
#ifndef KITH_COLLECT_SEGMENT_INSIDE_H
#define KITH_COLLECT_SEGMENT_INSIDE_H

#include "collect/inside.h"

#define TEXT_ID_BYTES_MAX 255

enum segment_type {
    CALL_NONE,
    CALL_TRACK,
    CALL_IDENTIFY,
    CALL_PAGE,
    CALL_SCREEN,
    CALL_GROUP,
    CALL_ALIAS,
};

struct segment_context {
    json_value page, campaign, library, device, os, app, locale, timezone, user_agent, ip,
        session_id, screen, network, referrer, consent;
    json_value traits, external_ids, channel, historical, signature;
};

struct segment_item {
    json_value type, event, user_id, anonymous_id, previous_id, group_id, message_id, timestamp,
        original_timestamp, sent_at, properties, traits, name, category, channel;
    struct segment_context context;
};

/* What is the same for all items of a request. */
struct segment_batch {
    struct segment_context context;
    enum segment_type call; /* by the path; NONE: the item says */
    int64_t sent_ms;        /* 0: not said */
    bool historical;
};

struct segment_draft {
    struct door *door;
    const struct segment_batch *batch;
    struct segment_item item;
    str user_id, anonymous_id;
    bool trusted;     /* server source */
    bool signed_user; /* the user id carries a valid signature */
    bool claims;      /* identifiers that a public source only says */
    struct problem *problem;
};

/* ---- segment_read.c ---- */
void segment_take_member(struct segment_item *item, str key, json_value value);
/* Those of a batch are under those of its items. */
void segment_take_context(struct segment_context *context, json_value object);
/* Text, or a number of seconds or milliseconds. */
bool segment_read_time(json_value value, int64_t *out_ms);
bool segment_is_absent(json_value value);

/* ---- segment_who.c ---- */
err segment_draft_identifiers(struct segment_draft *draft, enum segment_type call) MUST_USE;

/* ---- segment_context.c ---- */
str segment_channel(struct segment_draft *draft);
err segment_draft_context(struct segment_draft *draft) MUST_USE;

/* ---- segment_call.c ---- */
err segment_take_call(struct door *door, const struct segment_batch *batch, json_value value,
                      struct problem *problem) MUST_USE;

/* ---- segment.c ---- */
/* Parse, find the source, take the calls. On an error nothing is in the records. */
err segment_run(struct door *door, struct segment_batch *batch, str body, bool single,
                struct problem *problem) MUST_USE;
/* The same of a message: one call, or {"batch":[…]}. */
err segment_take_message(struct door *door, str text, struct problem *problem) MUST_USE;
void segment_refuse(struct door *door, err error, const struct problem *problem);
err segment_find_source(struct door *door, str write_key, struct problem *problem) MUST_USE;
str segment_basic_key(struct door *door, str header);

#endif
