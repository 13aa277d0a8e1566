/* SPDX-License-Identifier: Apache-2.0 */
/* touch: what goes out. Every message, task, coupon and point that Kith gives is a touch: it is a row before anything is
 * attempted, it passes the gates in one place (gate.c), and has its whole story afterwards.
 *
 *     request ─▶ GATES ─▶ queued ──claim, gates again──▶ sending ─▶ sent ─▶ delivered ─▶ read, clicked, confirmed
 *                  ├─▶ held (quiet hours, rate, quota) ──when it is over, gates again──▶ queued
 *                  └─▶ suppressed (and why)                    sending ─▶ failed, uncertain, queued again (later)
 *
 * All of it happens inside apply: requests come from journeys and commands, claims and results are commands of the log
 * (`touch.claim`, `touch.results`, `touch.receipts`) which the sender (engine/act/act.c) appends. So the state is a function of
 * the log, and a crash between claim and result is seen: what is `sending` at start is asked for, repeated with its key where the
 * provider honours keys, or uncertain.
 *
 * The gates, in order (gate.c is one table; docs/touches.md): stop-all; journey or account stopped; erased; test users only;
 * hold-out; consent of purpose and channel; unsubscribed; paused; reachable (a recipient); duplicate (order, content); expired; quiet hours
 * (hold or drop); frequency caps (channel, purpose, brand, overall; sliding and calendar); priority among those that wait for the
 * same person; budget; channel's quota (per customer, subscription stock, 48-hour window). Transactional messages pass those
 * that the table says, never consent withdrawn for the channel, never stop-all.
 *
 * Invariants
 *   U1 one (journey, node, customer, key) is one touch, for ever: the same request again gives the same touch.
 *   U2 nothing is handed to a channel that was not committed as `sending` before.
 *   U3 caps count queued, held-back, sending and sent ones alike: 50 journeys in one second cannot exceed one.
 *   U4 consent withdrawn, stop-all, exit of the journey reach whatever is not yet `sending`: in the apply of that record.
 *   U5 every status that a touch ever had is a row (touch_steps), with its time and reason.
 *   U6 merges: touches follow their node to the survivor, caps add up, pauses of each hold; a split gives them back.
 *
 * Engine thread alone unless a function says otherwise; deterministic. `writes` NULL: an overlay, nothing is stored (what-if).
 */
#ifndef KITH_TOUCH_TOUCH_H
#define KITH_TOUCH_TOUCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json.h"
#include "channel/channel.h"
#include "event/event.h"
#include "rule/rule.h"
#include "store/ledger.h"
#include "template/template.h"

#define TOUCH_STATUSES(X)       \
    X(QUEUED, "queued")         \
    X(HELD, "held")             \
    X(SENDING, "sending")       \
    X(SENT, "sent")             \
    X(DELIVERED, "delivered")   \
    X(CONFIRMED, "confirmed")   \
    X(READ, "read")             \
    X(CLICKED, "clicked")       \
    X(FAILED, "failed")         \
    X(SUPPRESSED, "suppressed") \
    X(UNCERTAIN, "uncertain")
enum touch_status {
#define X(NAME, text) TOUCH_##NAME,
    TOUCH_STATUSES(X)
#undef X
        TOUCH_STATUS_COUNT
};
const char *touch_status_text(enum touch_status status);

struct touches;

struct touch_moment {
    uint64_t seq;
    int64_t now_ms; /* received time of the record, or when the timer was due */
};

/* Who gets it, by a channel. */
struct touch_recipient {
    uint64_t row; /* of the identifier, in identity */
    str value;    /* plain text, only where `plain` was asked */
};

/* What this room asks of the house; all deterministic. A what-if run gives another one. */
struct touch_world {
    void *context;
    /* false: nothing was ever said. `name` is a purpose ("marketing") or a channel ("sms"). */
    bool (*consent)(void *context, uint32_t customer, str name, bool *granted);
    /* Her best identifier for this account (type, and namespace where the account has one); false: none. */
    bool (*recipient)(void *context, uint32_t customer, str identifier_type, str namespace_,
                      bool plain, struct touch_recipient *recipient);
    bool (*in_segment)(void *context, uint32_t customer, str key);
    /* A value for a template: "customer.city", "tag.skin_type", "one_id", "adviser.name". */
    void (*value)(void *context, uint32_t customer, str path, struct template_value *value);
    int32_t (*zone_offset_seconds)(void *context, uint32_t customer,
                                   int64_t at_ms);  /* hers, or the workspace's */
    uint32_t (*root)(void *context, uint32_t node); /* 0: gone */
    /* The node that was hers first, for ever: hold-outs are drawn by it. NULL: the root. */
    uint32_t (*first_node)(void *context, uint32_t customer);
    size_t (*nodes)(void *context, uint32_t customer, uint32_t *nodes, size_t max);
};

/* Some touch of a journey got another status: journeys branch on it. Inside apply; may request others. */
struct touch_change {
    uint64_t touch, position;
    uint32_t customer;
    str journey, node;
    enum touch_status from, to;
    str reason, response;
};
struct touches_config {
    const struct touch_world *world;
    err (*moved)(void *context, const struct touch_change *change, struct touch_moment moment,
                 struct ledger_writes *writes);
    /* Each status of each touch as it comes, the first one too; NULL: nobody follows. Inside apply; may look (touch_describe),
     * and change nothing. */
    void (*told)(void *context, uint32_t touch, str status, str reason);
    /* There may be something to claim for this account: the sender looks. Any time; cheap. */
    void (*ready)(void *context, str account);
    void *context;
    uint64_t seed; /* of hold-outs */
};

err touches_new(struct touches **touches, const struct touches_config *config) MUST_USE;
void touches_free(struct touches **touches);
err touches_load(struct touches *touches, struct ledger *ledger, struct problem *problem) MUST_USE;

/* ---- an overlay, whose touches go nowhere (what-if: docs/decisions/whatif.md) ---- */

/* One that goes on from here: the same policies, accounts, templates, touches. Engine thread. */
err touches_fork(const struct touches *touches, const struct touches_config *config,
                 struct touches **fork) MUST_USE;
/* One that begins on a past day: today's policy, accounts, templates and pools, chances that were there, no touches. Engine
 * thread; from then on it belongs to one thread, any, as do the functions below. */
err touches_fork_then(const struct touches *touches, const struct touches_config *config,
                      int64_t at_ms, struct touches **fork) MUST_USE;
uint32_t touches_last(const struct touches *touches); /* engine thread */
/* A touch of the live room, number up to what touches_last said; false: not remembered. Any thread. */
struct touch_past {
    uint32_t node;
    enum touch_status status;
    int64_t time_ms; /* of the last change that counts for caps */
    str journey, journey_node, channel, account;
};
bool touches_past_at(const struct touches *live, uint32_t number, struct touch_past *past);
/* It counts in the fork as it is in the live room. In the order of their numbers. */
err touches_fork_add(struct touches *fork, const struct touches *live, uint32_t number) MUST_USE;
void touches_fork_take_back_coupon(struct touches *fork, str pool_key);
/* What one customer gets may depend on what others got: there is a budget, or coupons that may run out. Where not, several forks that
 * were made at the same moment can each have some of the customers: all but one forget what was given of pools before, and that one
 * absorbs what the others gave. */
bool touches_fork_shares(const struct touches *fork);
void touches_fork_forget_given(struct touches *fork);
void touches_fork_absorb(struct touches *fork, const struct touches *other);
/* Those of before `from_ms` are there from the beginning. Later ones as they came in fact, save those that the run makes itself: of
 * `journey`, or of every journey. Engine thread. */
err touches_fork_pauses(struct touches *fork, const struct touches *live, int64_t from_ms,
                        str journey, bool of_every_journey) MUST_USE;
/* What is queued goes out as by the sender, gates once more and all, save that nothing is rendered. Of one account at a time: the
 * first of those that have something, in the order in which they were made. */
struct touch_claimed {
    uint32_t number, node;
    int64_t cost_minor;
    enum channel_kind kind;
    str channel, account, journey, journey_node; /* live as long as the fork */
};
bool touches_fork_is_ready(const struct touches *fork);
err touches_fork_claim(struct touches *fork, struct touch_moment moment,
                       struct touch_claimed *claimed, size_t limit, size_t *count) MUST_USE;
/* What came of it: SENT first, then as receipts tell. */
err touches_fork_tell(struct touches *fork, struct touch_moment moment, uint32_t number,
                      enum touch_status status) MUST_USE;
/* Which cap or budget spoke in the last request or look; "" if none did. */
const char *touches_fork_detail(const struct touches *fork);
/* Members `budgets` and `coupon_pools`. */
void touches_fork_write_left(const struct touches *fork, int64_t from_ms, int64_t to_ms,
                             struct json_writer *writer);
/* Her node's touches will be asked for: first where they begin, then the newest. */
void touches_fork_soon(const struct touches *fork, uint32_t node, int stage);
size_t touches_fork_bytes(const struct touches *fork);
str touches_fork_test_segment(const struct touches *fork);
void touches_fork_visit_accounts(const struct touches *fork,
                                 void (*visit)(void *context, str key, enum channel_kind kind,
                                               str identifier_type, str namespace_),
                                 void *context);

/* ---- asking for one ---- */

struct touch_request {
    uint32_t customer;  /* root */
    uint32_t node_born; /* the node that brought her in: what a split gives back; 0: the root */
    str journey, node, campaign; /* keys; empty: by command */
    uint64_t position;           /* of the journey; 0: none */
    str key;                     /* with journey, node and customer: what makes it one (U1) */
    str channel;                 /* "sms", "wecom" … */
    str account;                 /* key; empty: the channel's default account */
    str form;                    /* as in channel.h */
    str template_;               /* key */
    str purpose;                 /* "marketing", "service" … */
    str brand;
    bool is_transactional;
    bool is_plain;                     /* nobody and nothing was chosen by what is known of her */
    int priority;                      /* 0 … 100, default 50 */
    int64_t not_before_ms, expires_ms; /* 0: at once; the policy's */
    str order_id, content_key;         /* duplicates */
    int64_t cost_minor;                /* -1: the account's */
    str context;  /* JSON object that templates see as event, journey, vars; copied */
    bool is_test; /* a test user's: no caps, no hold-out */
};
struct touch_answer {
    uint64_t touch;
    enum touch_status status; /* QUEUED, HELD, SUPPRESSED, or what it is by now (U1) */
    const char *reason;       /* code of the gate, or "" */
    int64_t until_ms;         /* HELD */
};
err touch_request(struct touches *touches, const struct touch_request *request,
                  struct touch_moment moment, struct ledger_writes *writes,
                  struct touch_answer *answer) MUST_USE;
/* Would it pass now? The same gates, nothing remembered. */
void touch_would(const struct touches *touches, const struct touch_request *request, int64_t now_ms,
                 struct touch_answer *answer);
/* What is not yet sending is suppressed with this reason: exit of a position, an order cancelled. What went is listed
 * as 'should not have been sent'. */
err touch_withdraw(struct touches *touches, uint64_t position, str reason,
                   struct touch_moment moment, struct ledger_writes *writes) MUST_USE;

/* What this node of a journey sends should have gone to her and did not, as is known by now: listed as 'should have been
 * sent'. */
err touch_missed(struct touches *touches, uint32_t customer, str journey, str node, str reason,
                 struct touch_moment moment, struct ledger_writes *writes) MUST_USE;

/* ---- pauses: marketing to her rests (pause.c) ----
 *
 * A cause is a node with journey and key (of the position), or with neither: by hand. The same cause again changes its pause, while
 * that lasts; several causes hold beside one another. Nothing but service and transactional touches passes meanwhile; what waits is
 * suppressed in the record that pauses, and does not come back. */
struct touch_pause {
    uint32_t number, node; /* node 0: of somebody who was erased */
    uint32_t user_number;  /* by hand: whose */
    str journey, key, reason;
    int64_t since_ms, until_ms; /* INT64_MAX: until it is lifted */
    int64_t lifted_ms;          /* 0: it was not */
};
#define TOUCH_PAUSE_REASON_BYTES_MAX 1000
/* As `wanted` says (node, journey, key, reason, until_ms), from now on. UNPROCESSABLE: the key or reason is too long. */
err touch_pause(struct touches *touches, const struct touch_pause *wanted,
                struct touch_moment moment, struct ledger_writes *writes) MUST_USE;
/* The end of what this journey paused for this key of hers. `only_endless`: what has an end keeps it. */
err touch_resume(struct touches *touches, uint32_t customer, str journey, str key,
                 bool only_endless, struct touch_moment moment,
                 struct ledger_writes *writes) MUST_USE;
static inline bool touch_pause_lasts(const struct touch_pause *pause, int64_t at_ms)
{
    int64_t end_ms = pause->lifted_ms != 0 ? pause->lifted_ms : pause->until_ms;
    return pause->since_ms <= at_ms && at_ms < end_ms;
}
/* Hers, also those that are over: by node, the newest of each first. Texts are borrowed until the next change. */
void touch_visit_pauses(const struct touches *touches, uint32_t customer,
                        void (*visit)(void *context, const struct touch_pause *pause),
                        void *context);

/* ---- from apply ---- */

/* What she does may say what a channel allows of her: subscriptions granted, contact within 48 hours, followed or not. Any event;
 * cheap for those that say nothing. `node`: as identity brought it. */
err touch_event(struct touches *touches, uint32_t node, const struct event *event,
                struct touch_moment moment, struct ledger_writes *writes) MUST_USE;

/* Consent or identifiers of hers changed, she was merged or split: what waits for her is looked at again (U4, U6). */
err touch_customer_changed(struct touches *touches, uint32_t customer, struct touch_moment moment,
                           struct ledger_writes *writes) MUST_USE;
/* She is being forgotten: nothing more goes to her, and no touch of hers is found by its order. `touches` gets how many there are.
 * While her nodes are still hers. */
err touch_erased(struct touches *touches, uint32_t customer, struct touch_moment moment,
                 struct ledger_writes *writes, uint32_t *count) MUST_USE;
/* When the next held one is due; INT64_MAX: none. Runs at most `limit` of what is due by now; true: more. */
int64_t touch_next_due_ms(const struct touches *touches);
err touch_run_due(struct touches *touches, size_t limit, struct touch_moment moment,
                  struct ledger_writes *writes, bool *more) MUST_USE;

/* ---- commands (inside apply); bodies and answers: docs/touches.md ---- */

#define TOUCH_COMMANDS(X)                                        \
    X(TEMPLATE_PUT, "template.put", touch_put_template)          \
    X(TEMPLATE_DELETE, "template.delete", touch_delete_template) \
    X(CHANNEL_PUT, "channel.put", touch_put_account)             \
    X(CHANNEL_DELETE, "channel.delete", touch_delete_account)    \
    X(POLICY_PUT, "policy.put", touch_put_policy)                \
    X(STOP_PUT, "stop.put", touch_put_stop)                      \
    X(TOUCH_SEND, "touch.send", touch_send)                      \
    X(TOUCH_CLAIM, "touch.claim", touch_claim)                   \
    X(TOUCH_RESULTS, "touch.results", touch_take_results)        \
    X(TOUCH_RECEIPTS, "touch.receipts", touch_take_receipts)     \
    X(TOUCH_DECIDE, "touch.decide", touch_decide)                \
    X(TOUCH_RUN, "touch.run", touch_run)                         \
    X(TOUCH_RECOVER, "touch.recover", touch_recover)             \
    X(TOUCH_TASK, "touch.task", touch_change_task)               \
    X(COUPON_PUT, "coupon.put", touch_put_coupons)               \
    X(PAUSE_PUT, "pause.put", touch_put_pause)                   \
    X(PAUSE_LIFT, "pause.lift", touch_lift_pause)
struct touch_command {
    json_value body;
    struct touch_moment moment;
    uint32_t user_number;
    struct ledger_writes *writes;
    struct buffer *answer; /* of touch.claim: messages with rendered content, for channels_send */
    struct problem *problem;
};
#define X(NAME, operation, function) \
    err function(struct touches *touches, const struct touch_command *command) MUST_USE;
TOUCH_COMMANDS(X)
#undef X

/* ---- for rules: {"touch": …} ---- */

/* Any thread, while the engine goes on: her touches that were sent (and later states), ascending (time, seq); borrowed texts live as
 * long as the room. The signature of rule_facts.touches with a scratch per thread. */
struct touch_reader;
err touch_reader_new(struct touches *touches, struct touch_reader **reader) MUST_USE;
void touch_reader_free(struct touch_reader **reader);
const struct rule_touch *touch_reader_find(struct touch_reader *reader, uint32_t customer,
                                           size_t *count);

/* ---- for senders ---- */

/* Was what it belongs to stopped after it was claimed? Any thread, once the room is loaded. */
bool touch_is_stopped(struct touches *touches, uint32_t number);
/* How many of this account were claimed or went since then (a mark says when it was last one of them). A pass over all that is
 * remembered. Engine thread. */
int64_t touch_sent_since(const struct touches *touches, str account, int64_t since_ms);

/* ---- for people ---- */

void touch_write_templates(const struct touches *touches, struct buffer *out);
err touch_write_template(const struct touches *touches, str key, struct buffer *out) MUST_USE;
void touch_write_accounts(const struct touches *touches, struct buffer *out); /* without secrets */
void touch_write_policy(const struct touches *touches, struct buffer *out);
/* What a gate's code means; false: it is none. */
bool touch_gate_words(str code, const char **zh, const char **en);
void touch_write_gates(const struct touches *touches,
                       struct buffer *out); /* the table, in both languages */
/* Why can she be reached, or not, by each channel, now: [{channel, account, reachable, reason, until}]. */
err touch_write_reach(const struct touches *touches, uint32_t customer, int64_t now_ms,
                      struct buffer *out) MUST_USE;
/* Rendered for her, not sent. */
err touch_preview(const struct touches *touches, str template_, uint32_t customer, str context,
                  int64_t now_ms, struct buffer *out, struct problem *problem) MUST_USE;

void touch_write_stops(const struct touches *touches, struct buffer *out);
void touch_write_pools(const struct touches *touches, struct buffer *out);
bool touch_account_is(const struct touches *touches, str key, enum channel_kind *kind);

/* ---- keys and short links; any thread, once the room is loaded ---- */

/* The idempotency key that a channel gets, 32 hex digits; and back, 0 for what is none. */
void touch_key(const struct touches *touches, uint32_t number, char out[33]);
uint32_t touch_by_key(const struct touches *touches, str key);
/* Which link of which touch is /l/{code}? */
bool touch_link_find(const struct touches *touches, str code, uint32_t *number, uint8_t *place);
/* What a touch is, for who tells of it; texts live as long as the room. false: not remembered. Engine thread. */
struct touch_description {
    uint32_t customer, node;
    enum touch_status status;
    str journey, node_key, campaign, template_, channel, account, purpose;
    str identifier_type, namespace_;
};
bool touch_describe(const struct touches *touches, uint32_t number,
                    struct touch_description *description);
/* Of a receipt {touch | key | provider_id}; 0: not known. Engine thread. */
uint32_t touch_of_receipt(const struct touches *touches, str account, json_value receipt);

struct touch_status_counts {
    uint64_t by_status[TOUCH_STATUS_COUNT];
    size_t waiting_bytes;
    bool is_stopped;
};
void touch_status(const struct touches *touches, struct touch_status_counts *counts);
void touch_digest(const struct touches *touches, struct digest *digest);

#endif
