/* SPDX-License-Identifier: Apache-2.0 */
/* events: what callbacks tell, in Segment's form, for the collecting door. */
#ifndef KITH_CHANNEL_EVENTS_H
#define KITH_CHANNEL_EVENTS_H

#include "channel/channel.h"
#include "channel/fields.h"

struct event_identifier {
    const char *type;
    str id, namespace_;
};
struct event_head {
    str name;
    str message_id; /* the same for the same callback, however often it comes */
    int64_t at_s;   /* 0: now */
    struct event_identifier identifiers[3]; /* until type is NULL; empty ids are left out */
    str nobody; /* no person: this anonymous id stands for the account */
};
/* Opens {type, event, messageId, …, "properties":{ ; the caller adds properties and calls event_end. */
void event_begin(struct json_writer *writer, const struct event_head *head);
void event_end(struct json_writer *writer);
/* All fields but those in `without` (until NULL) as properties, names in snake_case; `renamed` pairs (until NULL) change
 * names. Only fields at the top. */
void event_put_fields(struct json_writer *writer, const struct fields *fields,
                      const char *const *without, const char *const (*renamed)[2]);
/* "wecom-" and a hash of the parts. `out` holds 48 bytes. */
#define EVENT_ID_BYTES 64
void event_id(char out[EVENT_ID_BYTES], const char *prefix, const str *parts, size_t count);

/* Verify, decrypt and read what WeCom or WeChat sent: `fields` and, for the check of a URL, `reply`. FORBIDDEN, INVALID. */
struct envelope {
    str token, aes_key, receiver;
};
err envelope_receive(const struct envelope *envelope, const struct channel_callback *callback,
                     struct fields *fields, struct buffer *reply, struct problem *problem);
/* The encrypted form of a passive answer. */
err envelope_reply(const struct envelope *envelope, str message, int64_t now_s,
                   struct buffer *reply, struct problem *problem);

#endif
