/* SPDX-License-Identifier: Apache-2.0 */
/* channel: how a touch leaves the house, and what comes back. Knows the wire, and nothing of customers.
 *
 *     message ─▶ queue of its account ─▶ rate, breaker, token ─▶ provider (libcurl) ─▶ result ─▶ done()
 *     callback ─▶ verify, decrypt, decode ─▶ receipts and events
 *
 * One thread drives all transfers (curl multi); each account has its own queue, rate and breaker: one that is dead or
 * slow holds up no other. Messages to one recipient of an account go one after the other.
 *
 * Invariants
 *   C1 `done` is called exactly once for each message that was taken, on this room's thread, also at stop.
 *   C2 UNCERTAIN is said whenever the provider may have taken it and did not say so (time-out after the request was
 *      written, connection lost, an answer that cannot be read), unless it honours keys and a repeat has made it sure.
 *   C3 nothing is repeated that is not known to be safe to repeat: refused before it was taken, or the same key.
 *   C4 a token is fetched once for all who wait for it, renewed before it ends, and once more when the provider says it
 *      has ended.
 *   C5 no request goes into a private range (loopback, link-local, RFC 1918, unique local, metadata addresses) unless the
 *      account's owner said so (`allow_private`): the address is resolved once, checked, and that one is connected to; no
 *      redirects.
 *   C6 secrets and recipients never reach a log line, an error or a URL that is logged.
 *
 * Threads: one drives all transfers; a second one (`follow`) asks providers later what became of what they took, by
 * the first. Settings are immutable and counted; all else of an account belongs to the first thread. What is sent,
 * how it looks on each wire and what each code means: docs/channels.md.
 */
#ifndef KITH_CHANNEL_CHANNEL_H
#define KITH_CHANNEL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

/* ---- what there is ---- */

/* KIND, text, channel, honours a key, can be asked afterwards, recipient's identifier type.
 * `channel` is what rules, consent, caps and journeys name. */
#define CHANNEL_KINDS(X)                                                                  \
    X(WECOM, "wecom", "wecom", false, true, "wecom_external_userid")                      \
    X(OFFICIAL_ACCOUNT, "official_account", "official_account", true, false, "wx_openid") \
    X(MINI_PROGRAM, "mini_program", "subscription", false, false, "wx_openid")            \
    X(SMS_ALIYUN, "sms_aliyun", "sms", false, true, "mobile")                             \
    X(SMS_TENCENT, "sms_tencent", "sms", false, true, "mobile")                           \
    X(SMTP, "smtp", "email", false, false, "email")                                       \
    X(WEBHOOK, "webhook", "webhook", true, false, "")                                     \
    X(CALL_CENTER, "call_center", "call", true, true, "mobile")                           \
    X(COUPON, "coupon", "coupon", true, true, "")                                         \
    X(POINTS, "points", "points", true, true, "")

enum channel_kind {
#define X(NAME, text, channel, key, ask, identifier) CHANNEL_##NAME,
    CHANNEL_KINDS(X)
#undef X
        CHANNEL_KIND_COUNT
};
struct channel_kind_info {
    const char *text, *channel, *identifier_type;
    bool honours_key, can_be_asked;
    bool
        is_internal; /* never leaves the house: CALL_CENTER, COUPON, POINTS; this room refuses it */
};
const struct channel_kind_info *channel_kind_info(enum channel_kind kind);
bool channel_kind_find(str text, enum channel_kind *kind);
/* What a form is, where it differs from its kind: KIND, text, honours a key (or a repeat changes nothing), can be asked afterwards,
 * goes to the customer (else its parts name who gets it). */
#define CHANNEL_FORMS(X)                                 \
    X(WECOM, "employee_text", false, false, false)       \
    X(WECOM, "welcome", true, false, true)               \
    X(WECOM, "customer_mass", false, true, true)         \
    X(WECOM, "group_mass", false, true, false)           \
    X(WECOM, "moment", false, false, false)              \
    X(WECOM, "tag", true, false, true)                   \
    X(OFFICIAL_ACCOUNT, "subscribe", false, false, true) \
    X(OFFICIAL_ACCOUNT, "service", false, false, true)

struct channel_form_info {
    bool honours_key, can_be_asked;
    const char *identifier_type; /* of the customer; "": none of hers is needed */
};
/* A form that is not in the table is as its kind. */
struct channel_form_info channel_form_info(enum channel_kind kind, str form);
/* Settings that an account of this kind has, with type, secret or not, and words in both languages, as JSON. */
void channel_write_kinds(struct buffer *out);

/* ---- accounts ---- */

struct channels;
struct channel_result;

struct channels_config {
    /* In place of all providers: http://127.0.0.1:PORT of `kith sandbox` for accounts with "sandbox": true. */
    str sandbox_url;
    int64_t (*now_ms)(void *context); /* wall clock: signatures, tokens */
    /* By how much a virtual clock was moved since the start: breakers, pauses, back-offs and what is asked for later are that much
     * nearer. Any thread; NULL: time goes by itself. */
    int64_t (*skipped_ms)(void *context);
    void (*done)(void *context, const struct channel_result *result);
    /* What a provider said later when it was asked (mass messages of WeCom, statuses of Tencent): a JSON array of receipts as
     * in channel_callback. On a thread of this room. NULL: nobody wants to know, and nothing is asked. */
    void (*receipts)(void *context, str account, str receipts);
    /* May this touch still leave? Asked on the loop's thread right before each try; what may not is LATER with `stopped`. Quick;
     * NULL: all may. */
    bool (*may_leave)(void *context, uint64_t touch);
    void *context;
    uint64_t seed;    /* of jitter */
    const char *zone; /* IANA name: where days of quotas begin; NULL: Asia/Shanghai */
};
err channels_new(struct channels **channels, const struct channels_config *config,
                 struct problem *problem) MUST_USE;
/* What is under way gets `timeout_ms`; then the rest is told as it is (UNCERTAIN, or LATER for what never left). */
void channels_free(struct channels **channels, int64_t timeout_ms);

/* `settings`: JSON as in PUT /channels/{key}, secrets in clear. UNPROCESSABLE with pointer. Takes effect at once; what waits goes by
 * the new settings. Any thread. */
err channels_put_account(struct channels *channels, str key, enum channel_kind kind,
                         json_value settings, struct problem *problem) MUST_USE;
void channels_delete_account(struct channels *channels, str key);
/* After a start: so many of this account went on the day that begins at `day_start_ms` (its daily quota). What it has counted by
 * itself since stands where it is more. Any thread. */
void channels_used(struct channels *channels, str key, int64_t day_start_ms, int64_t count);
/* Days of quotas begin in another zone from now on. UNPROCESSABLE: no such zone. Any thread. */
err channels_set_zone(struct channels *channels, const char *zone,
                      struct problem *problem) MUST_USE;
/* A virtual clock was moved: what is due by now begins. Any thread. */
void channels_time_passed(struct channels *channels);
/* Try it without sending anything (token, login, greeting): what a person presses 'test' for. Blocks; any thread but `done`'s. */
err channels_test_account(struct channels *channels, str key, struct buffer *answer,
                          struct problem *problem) MUST_USE;

/* ---- sending ---- */

struct channel_message {
    uint64_t touch; /* number, given back in the result */
    char key[33];   /* idempotency key, hex */
    str account;
    /* What is sent, by kind: WECOM "employee_text", "welcome", "customer_mass", "group_mass", "moment", "tag";
     * OFFICIAL_ACCOUNT "template", "service"; else "". docs/channels.md */
    str form;
    str recipient;      /* plain: E.164 phone, openid, external_userid, e-mail, URL of a webhook */
    str content;        /* JSON object of rendered parts, by form */
    int64_t expires_ms; /* not sent after it (welcome codes live 20 s) */
    /* It may have been sent before with this key: asked first where one can, repeated where the key is honoured; where
     * neither is so nothing is sent, and the outcome is UNCERTAIN. */
    bool is_repeat;
    /* A repeat that somebody chose, whatever became of the first: where it is not known that she has it, it goes. */
    bool is_decided;
    /* Messages with the same number go one after the other (her customer number); 0: those to the same recipient. A webhook
     * without a number has no order. */
    uint64_t order;
    uint32_t tries; /* how often it was LATER before: the back-off grows with it */
};
enum channel_outcome {
    CHANNEL_SENT,      /* the provider has taken it; `provider_id` finds it in receipts */
    CHANNEL_DELIVERED, /* and that is all there will be (webhook answered 2xx) */
    CHANNEL_REFUSED,   /* it was not sent and never will be */
    CHANNEL_LATER,     /* it was not sent; try again at retry_ms */
    /* It may have been sent. retry_ms > 0: a repeat with the same key is safe from then on. */
    CHANNEL_UNCERTAIN,
};
struct channel_result {
    uint64_t touch;
    enum channel_outcome outcome;
    /* One for each message, also where a provider gives one to thousands; receipts carry the same. */
    str provider_id;
    str code;   /* of the provider, as it is: "43101", "isv.BUSINESS_LIMIT_CONTROL", "550" */
    str reason; /* ours, stable: "no_subscription", "not_a_friend", "rate_limited", "bad_recipient", "template_refused", "account_failing" … */
    str detail; /* for people, no personal values */
    str response; /* of a webhook, at most 16 KB */
    int64_t retry_ms;
    int64_t at_ms;
};
/* Copies what it needs. BUSY: this account's queue is full (tell later), NOT_FOUND: no such account. Any thread. */
err channels_send(struct channels *channels, const struct channel_message *messages, size_t count,
                  size_t *taken, struct problem *problem) MUST_USE;
/* How many more this account takes now: who claims touches asks first. */
size_t channels_room(struct channels *channels, str account);

struct channel_health {
    char key[101];
    enum channel_kind kind;
    bool is_open; /* the breaker is: nothing is tried until `until_ms` */
    int64_t until_ms;
    size_t queued, under_way;
    uint64_t sent, refused, uncertain, repeated;
    char failing[160];
};
size_t channels_health(struct channels *channels, struct channel_health *health, size_t max);

/* The reasons of results, and each provider's codes with outcome and reason, in both languages, as JSON. */
void channel_write_reasons(struct buffer *out);
void channel_write_codes(struct buffer *out);

/* ---- what is no message ---- */

/* Something else that the provider does: "tags.list", "contact_way.add", "contacts.get", "qr.create" …; names, arguments and
 * answers are in docs/channels.md. Blocks (pages are read on until the end); any thread but `done`'s. NOT_FOUND: no such
 * account or operation; UNPROCESSABLE: the provider refused, with its code; UNAVAILABLE, TIMEOUT. */
err channels_operate(struct channels *channels, str account, str operation, json_value arguments,
                     struct buffer *answer, struct problem *problem) MUST_USE;
/* Another server has sent this: what becomes of it is asked for here, where its provider tells only then. Any thread. */
void channels_follow(struct channels *channels, str account, str provider_id);

/* ---- what comes back ---- */

struct channel_callback {
    str account;
    str method, query, content_type, body;
    str headers; /* lines "name: value\n", names in lower case */
    int64_t now_ms;
};
/* Verified and decrypted. `receipts`: JSON array of {provider_id?, key?, recipient?, status:"delivered|failed|read|clicked|confirmed|
 * unsubscribed", code, reason?, at}; `events`: JSON array of Segment-form calls ({type, event, externalIds…}) ready for the collecting
 * door; `reply`: the body the provider wants, with its content type. FORBIDDEN: signature; BAD_REQUEST: form. Any thread. */
struct channel_decoded {
    struct buffer receipts, events, reply;
    const char *reply_type;
};
err channel_callback(struct channels *channels, const struct channel_callback *callback,
                     struct channel_decoded *decoded, struct problem *problem) MUST_USE;
/* A passive answer to a callback of WeCom or WeChat (XML), encrypted and signed where the account has a key. Any thread. */
err channel_write_reply(struct channels *channels, str account, str message, struct buffer *reply,
                        struct problem *problem) MUST_USE;

#endif
