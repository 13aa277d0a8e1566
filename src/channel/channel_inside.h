/* SPDX-License-Identifier: Apache-2.0 */
/* channel_inside: what the files of this room share. Nobody else includes it.
 *
 *     unit      a message (or a batch of them that goes as one), from channels_send until `done`
 *     lane      units that go one after the other
 *     transfer  one exchange with a provider: a curl handle, its request and its answer
 *     call      an exchange that another thread waits for
 *     provider  a table of functions: how one kind writes requests and reads answers
 *
 *   a unit:  inbox ─▶ lane ─▶ (gathering) ─▶ ready ─▶ wants token? ─▶ under way ─▶ judged ─┬▶ done
 *                                             ▲                                           ├▶ waits, then ready
 *                                             └──────────── asked, not there ─────────────┘
 *
 * Accounts, units, transfers, tokens and the clock of each account belong to the loop's thread, save what `mutex`
 * guards: the inbox, the list of accounts, an account's settings, and counters.
 */
#ifndef KITH_CHANNEL_INSIDE_H
#define KITH_CHANNEL_INSIDE_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/zone.h"
#include "channel/channel.h"
#include "channel/guard.h"
#include "channel/settings.h"

#define ANSWER_BYTES_MAX ((size_t)1 << 20)
#define REQUEST_BYTES_MAX ((size_t)4 << 20)
#define URL_BYTES_MAX ((size_t)64 << 10)
#define CONTENT_BYTES_MAX ((size_t)1 << 20)
#define RESPONSE_BYTES_MAX ((size_t)16 << 10)
#define TOKEN_BYTES_MAX 1024
#define PROVIDER_ID_BYTES 128
#define CODE_BYTES 64
/* In this room; then it is LATER or UNCERTAIN, and others decide. */
#define TRIES_MAX 3

struct account;
struct unit;
struct transfer;
struct unit_list {
    struct unit *first, *last;
};

/* ---- what an answer means ---- */

enum code_flag {
    CODE_TOKEN = 1,   /* the token has ended: a new one, and once more */
    CODE_AGAIN = 2,   /* it was not taken: once more in a moment */
    CODE_ACCOUNT = 4, /* not this message but the account is wrong: counts for the breaker */
    CODE_PAUSE = 8,   /* nothing more from this account for `delay_s` */
};
/* A row of a provider's table. A code that ends in '*' is a prefix. */
struct code_rule {
    const char *code;
    enum channel_outcome outcome;
    const char *reason;
    unsigned flags;
    int delay_s; /* of LATER, AGAIN and PAUSE; 0: the back-off */
    const char *zh, *en;
};
struct code_table {
    const struct code_rule *rules;
    size_t count;
};
const struct code_rule *code_find(const struct code_table *table, str code);
extern const struct code_table codes_wecom, codes_wechat, codes_aliyun, codes_tencent, codes_smtp,
    codes_http;

enum verdict_next {
    NEXT_DONE,
    NEXT_AGAIN, /* the same step after delay_ms: known to be safe */
    NEXT_TOKEN,
    NEXT_SEND, /* asked, and it is not there */
    NEXT_ASK,  /* ask (again) after delay_ms */
};
struct verdict {
    enum verdict_next next;
    enum channel_outcome outcome;
    const char *reason; /* of the table of reasons */
    char code[CODE_BYTES];
    char detail[200];
    char provider_id[PROVIDER_ID_BYTES];
    int64_t delay_ms; /* 0: the back-off of the account */
    int64_t pause_ms; /* nothing more from this account for so long; 0: goes on */
    bool is_failure;  /* of the account, for its breaker */
    bool is_ours;     /* refused here, the provider knows nothing of it */
    bool disable;     /* the account is over (410) */
};
bool verdict_refuse(struct verdict *verdict, const char *reason, const char *detail, ...)
    __attribute__((format(printf, 3, 4))); /* false, so that a refusal is one line */
void verdict_by_rule(struct verdict *verdict, const struct code_rule *rule, str code);

/* ---- units ---- */

enum unit_step { STEP_SEND, STEP_ASK };
struct unit {
    struct unit *next;
    struct account *account;
    struct channel_message message; /* its texts lie behind the unit */
    uint64_t lane;                  /* 0: none */
    uint64_t batch_key;             /* 0: goes alone */
    struct unit *members;           /* of a batch, the lead not among them */
    size_t member_count;
    enum unit_step step;
    unsigned tries, asks;
    unsigned candidates; /* what an ask found that may be it */
    bool had_new_token;
    bool may_be_taken; /* an earlier try may have been */
    bool is_probe;     /* of a breaker that is half open */
    int64_t due_ns;    /* waiting or gathering until then */
    /* a member's own, where it differs from the batch's */
    const struct code_rule *rule;
    char provider_id[PROVIDER_ID_BYTES];
};

/* ---- transfers ---- */

struct request {
    struct buffer url; /* terminated; holds secrets: never logged */
    struct buffer body;
    struct curl_slist *headers;
    bool is_get;
    bool headers_failed;
    curl_mime *mime; /* a form with a file, or NULL */
    /* e-mail */
    bool is_mail;
    struct curl_slist *mail_to;
    char mail_from[400];
    size_t body_given;
};
void request_header(struct request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct answer {
    CURLcode result;
    long status;
    bool was_written;       /* some of the request left (mail: all of it) */
    bool was_private;       /* the guard refused the address */
    bool is_too_large;      /* more than ANSWER_BYTES_MAX */
    int64_t retry_after_ms; /* -1: not said */
    char enhanced[16];      /* of the last line of a mail server: "5.1.1" */
    struct buffer body;
};

enum transfer_purpose { FOR_UNIT, FOR_TOKEN, FOR_CALL };
struct transfer {
    struct transfer *next, *previous;
    struct channels *channels;
    struct account *account;
    struct settings *settings;
    enum transfer_purpose purpose;
    struct unit *unit;
    struct call *call;
    CURL *curl;
    bool may_private, may_resend;
    unsigned passes; /* of curl's: more than one when a kept connection was dead */
    char token[TOKEN_BYTES_MAX];
    struct request request;
    struct answer answer;
};

/* ---- calls ---- */

/* What another thread asks the loop to exchange, and waits for. */
struct call {
    struct call *next;
    struct account *account;
    bool needs_token, had_new_token, is_get;
    bool only_token; /* a new token is all that is wanted: does it come? */
    str path;        /* behind the base, query included; the token is appended */
    str body;
    str content_type;
    str file_name; /* not empty: `body` is a file of a form */
    int64_t timeout_ms;
    /* by the loop */
    struct answer answer;
    struct verdict verdict; /* when it could not be sent at all */
    bool is_done;
    pthread_cond_t done;
};

/* ---- tokens ---- */

enum token_state { TOKEN_NONE, TOKEN_FETCHING, TOKEN_READY };
struct token {
    enum token_state state;
    bool was_refused; /* the last one, before its end */
    bool is_renewing; /* READY, and a new one is on its way */
    char text[TOKEN_BYTES_MAX];
    int64_t renew_ms, ends_ms;
    struct unit_list units; /* that wait for it */
    struct call *calls;
};

/* ---- accounts ---- */

struct lane;
#define LANE_BUCKETS 4096
struct account {
    struct account *next;
    struct channels *channels;
    char key[101];
    enum channel_kind kind;
    const struct provider *provider;
    /* under the mutex */
    struct settings *settings; /* the newest */
    bool is_deleted, is_disabled;
    size_t calls; /* that name it */
    char failing[160];
    int64_t used_day_ms, used_count; /* told after a start: of the day that begins then */
    /* any thread */
    _Atomic size_t queued;    /* taken and not done */
    _Atomic size_t under_way; /* of them, with the provider */
    _Atomic uint64_t sent, refused, uncertain, repeated;
    _Atomic int64_t open_until_ns; /* of the breaker; 0: closed */
    _Atomic int64_t paused_until_ns;
    /* the loop's */
    struct settings *live; /* its own reference; what it goes by */
    struct unit_list urgent, ready;
    struct unit_list gathering; /* leads of batches that may grow */
    struct lane **lanes;        /* LANE_BUCKETS chains */
    struct token token;
    unsigned failures; /* without a success between */
    unsigned opened;   /* how often in a row: the back-off */
    bool is_probing;
    double bucket; /* what may go now */
    int64_t bucket_ns;
    int64_t day_start_ms, day_end_ms, day_count;
};

/* ---- providers ---- */

struct provider {
    const char *base_url; /* NULL: the account says it */
    const struct code_table *codes;
    bool has_token;
    /* More than the table of settings can say. */
    err (*check)(const struct settings *settings, struct problem *problem);
    /* Write the request of this step. False: it is refused, and the verdict says why. */
    bool (*build)(struct transfer *transfer, const struct unit *unit, struct verdict *verdict);
    /* An answer came (CURLE_OK). */
    void (*judge)(struct transfer *transfer, struct unit *unit, struct verdict *verdict);
    /* Is a repeat of this safe: same key, or nothing happens twice? NULL: never. */
    bool (*is_repeatable)(const struct unit *unit);
    bool (*can_ask)(const struct unit *unit);
    bool (*build_ask)(struct transfer *transfer, const struct unit *unit, struct verdict *verdict);
    void (*judge_ask)(struct transfer *transfer, struct unit *unit, struct verdict *verdict);
    void (*build_token)(struct transfer *transfer);
    /* False: the verdict says why there is none. */
    bool (*read_token)(struct transfer *transfer, char *token, int64_t *lifetime_s,
                       struct verdict *verdict);
    /* How many may go as one; the key is the same for those that may. 0: alone. */
    size_t (*batch)(struct channels *channels, const struct unit *unit, uint64_t *key);
    /* URL, headers and body of a call; false: no memory. NULL: base, path and token. */
    bool (*build_call)(struct transfer *transfer, const struct call *call);
    /* Ask what became of it (follow's thread): receipts to `writer`; true: there will be no more. */
    bool (*follow)(struct channels *channels, struct account *account, str provider_id,
                   struct json_writer *receipts);
    const char *follow_as; /* one question for all messages, under this name */
    err (*test)(struct channels *channels, struct account *account, struct buffer *answer,
                struct problem *problem);
    err (*callback)(struct channels *channels, const struct settings *settings,
                    const struct channel_callback *callback, struct channel_decoded *decoded,
                    struct problem *problem);
};
extern const struct provider provider_wecom, provider_official, provider_mini, provider_aliyun,
    provider_tencent, provider_smtp, provider_webhook;
const struct provider *provider_of(enum channel_kind kind); /* NULL: internal */

/* ---- the room ---- */

struct follow_item;
struct channels {
    struct channels_config config;
    char sandbox_url[512];
    pthread_t loop, follower;
    pthread_mutex_t mutex;
    /* under the mutex */
    struct account *accounts;
    struct unit_list inbox;
    struct call *calls; /* newest first */
    struct follow_item *follows;
    pthread_cond_t follow_wake;
    bool has_follower, has_loop;
    bool is_stopping;
    int64_t stop_by_ns;
    bool settings_changed;
    /* the loop's */
    CURLM *multi;
    int epoll, wake;
    int64_t curl_due_ns; /* INT64_MAX: none */
    struct unit **heap;  /* waiting units, the soonest first */
    size_t heap_count, heap_capacity;
    struct transfer *idle; /* transfers to use again */
    struct transfer *busy; /* list of those under way */
    size_t transfer_count;
    struct json_parser *content_parser, *nested_parser, *answer_parser;
    struct random_stream random;
    struct zone *zone;      /* the loop's */
    struct zone *next_zone; /* under the mutex: to be taken by the loop; NULL: none */
};

/* Steady, and what a virtual clock has skipped. */
int64_t channel_now_ns(const struct channels *channels);
int64_t channel_now_ms(const struct channels *channels);

/* account.c; under the mutex */
struct account *account_find(struct channels *channels, str key);
/* A reference to the newest; takes the mutex. */
struct settings *account_settings(struct channels *channels, struct account *account);
void account_fail(struct channels *channels, struct account *account, const char *words);

/* queue.c: from the inbox to what may go; the loop's thread */
void unit_list_init(struct unit_list *list);
void unit_list_put(struct unit_list *list, struct unit *unit);
struct unit *unit_list_take(struct unit_list *list);
bool unit_enqueue(struct channels *channels, struct unit *unit); /* false: no memory */
void unit_make_ready(struct channels *channels, struct unit *unit);
bool account_has_ready(struct account *account, int64_t now_ns, int64_t *wake_ns);
struct unit *account_next(struct account *account);
void lane_leave(struct channels *channels, struct account *account, const struct unit *unit);
/* The next one that waits behind it in its lane, taken out; NULL: none. */
struct unit *lane_take_behind(struct account *account, const struct unit *unit);
bool heap_put(struct channels *channels, struct unit *unit, int64_t due_ns);
struct unit *heap_take(struct channels *channels);    /* the soonest; NULL: none */
int64_t heap_due_ns(const struct channels *channels); /* INT64_MAX: nothing waits */

/* pace.c: rate, quota, breaker */
bool pace_may_start(struct channels *channels, struct account *account,
                    const struct settings *settings, int64_t now_ns, int64_t *wake_ns,
                    struct verdict *later);
/* What went today before this process did. */
void pace_used(struct channels *channels, struct account *account);
void pace_started(struct account *account, const struct settings *settings, size_t messages,
                  bool is_probe);
void pace_judged(struct channels *channels, struct account *account,
                 const struct settings *settings, const struct verdict *verdict);
int64_t pace_back_off_ms(struct channels *channels, unsigned tries);

/* transfer.c: one exchange */
struct transfer *transfer_take(struct channels *channels, struct account *account,
                               enum transfer_purpose purpose);
void transfer_give(struct channels *channels, struct transfer *transfer);
bool transfer_start(struct channels *channels, struct transfer *transfer, int64_t timeout_ms);
void transfer_collect(struct transfer *transfer, CURLcode result);
void transfer_free_all(struct channels *channels);
void channel_start_curl(void);
/* What a failure below the provider's own words means. */
void transfer_judge_failure(const struct transfer *transfer, bool is_repeatable, bool can_ask,
                            struct verdict *verdict);
/* An HTTP status that the provider's own codes do not explain. */
void verdict_by_status(const struct transfer *transfer, bool is_repeatable,
                       struct verdict *verdict);
void verdict_garbage(const struct transfer *transfer, bool is_repeatable, struct verdict *verdict);

/* guard.c, beside what it shows to others */
bool guard_is_private_text(const char *ip);
bool guard_port_is_refused(long port);

/* account.c; for as long as it is held the account stays, deleted or not */
struct account *account_hold(struct channels *channels, str key);
void account_release(struct channels *channels, struct account *account);
void account_free(struct account *account);

/* loop.c */
err loop_open(struct channels *channels, struct problem *problem);
void loop_close(struct channels *channels);
void *loop_run(void *channels);
void loop_wake(struct channels *channels); /* any thread */
bool loop_start_transfer(struct channels *channels, struct transfer *transfer, int64_t timeout_ms);

/* unit.c: the life of units; the loop's thread */
void unit_begin(struct channels *channels, struct unit *unit, bool is_probe);
void unit_answered(struct channels *channels, struct transfer *transfer);
void unit_tell(struct channels *channels, struct unit *unit, const struct verdict *verdict,
               const struct transfer *transfer);

/* token.c; the loop's thread */
bool token_is_ready(struct channels *channels, struct account *account);
void token_wait_unit(struct channels *channels, struct account *account, struct unit *unit);
void token_wait_call(struct channels *channels, struct account *account, struct call *call);
void token_drop(struct account *account, const char *refused);
void token_answered(struct channels *channels, struct transfer *transfer);
void token_abandon(struct channels *channels, struct account *account,
                   const struct verdict *verdict);

/* call.c: blocking */
err call_perform(struct channels *channels, struct call *call, struct problem *problem);
void call_init(struct call *call, struct account *account);
void call_deinit(struct call *call);
/* the loop's thread */
void call_begin(struct channels *channels, struct call *call);
void call_answered(struct channels *channels, struct transfer *transfer);
void call_finish(struct channels *channels, struct call *call);

/* follow.c */
err channel_follow_start(struct channels *channels, struct problem *problem);
void channel_follow_stop(struct channels *channels);
void follow_add(struct channels *channels, const char *account, str provider_id);
/* To the caller, when it is not an empty array. */
void follow_tell(struct channels *channels, const struct account *account, str receipts);

/* errcode.c: answers of WeCom and WeChat, {"errcode", "errmsg", …}, HTTP 200 even when refused */
bool errcode_read(struct transfer *transfer, bool is_repeatable, json_value *root,
                  struct verdict *verdict);
bool errcode_read_token(struct transfer *transfer, char *token, int64_t *lifetime_s,
                        struct verdict *verdict);
void errcode_url(struct transfer *transfer, const char *path);
void errcode_json(struct transfer *transfer, struct json_writer *writer);
/* The key of callbacks, where there is one: UNPROCESSABLE at /settings/encoding_aes_key. */
err errcode_check_key(const struct settings *settings, struct problem *problem);
/* "id/0123456789abcdef": one id for each of many recipients that share the provider's */
void provider_id_of(char out[PROVIDER_ID_BYTES], str id, str recipient);
/* wecom_operate.c: what a call answered, as an error; 0: fine, and `root` is the answer */
err errcode_of_call(const struct call *call, struct json_parser *parser, json_value *root,
                    struct problem *problem);
bool wecom_follow(struct channels *channels, struct account *account, str provider_id,
                  struct json_writer *receipts);
err token_test(struct channels *channels, struct account *account, struct buffer *answer,
               struct problem *problem);
err wecom_callback(struct channels *channels, const struct settings *settings,
                   const struct channel_callback *callback, struct channel_decoded *decoded,
                   struct problem *problem);
err wechat_callback(struct channels *channels, const struct settings *settings,
                    const struct channel_callback *callback, struct channel_decoded *decoded,
                    struct problem *problem);

/* operate.c */
struct operation {
    unsigned kinds;
    const char *name;
    bool is_get;
    const char *path;
    const char *list; /* paged by `cursor`: the member that holds each page's items */
    const char *zh, *en;
};
extern const struct operation operations_wecom[], operations_wechat[]; /* until name is NULL */
err operation_run(struct channels *channels, struct account *account,
                  const struct operation *operation, json_value arguments, struct buffer *answer,
                  struct problem *problem);

/* sms.c: what both providers of texts have in common */
bool sms_phone(str recipient,
               char e164[24]); /* "13800000000", "+8613800000000", "86…" → "+8613800000000" */
err sms_check_secret(const struct settings *settings, const struct channel_callback *callback,
                     struct problem *problem);
struct sms_receipt {
    str phone, provider_id, key, code;
    bool is_delivered;
    int64_t at_ms;
};
void sms_put_receipt(struct json_writer *writer, const struct code_table *codes,
                     const struct sms_receipt *receipt);
/* What she answered: an event, and a receipt when it is a word that unsubscribes. */
void sms_put_reply(const struct settings *settings, str phone, str text, int64_t at_ms,
                   struct json_writer *receipts, struct json_writer *events);
int64_t sms_time(str text); /* Beijing time → ms; 0: none */
/* Whose `json_next` gives parts that are no other's names: the values of a template. */
bool sms_is_value(str name);

/* aliyun.c, tencent.c: for the vectors of the tests */
struct signed_header {
    const char *name;
    str value;
};
void aliyun_sign(struct buffer *out, str key_id, str secret, str query,
                 const struct signed_header *headers, size_t count, str body);
void tencent_sign(struct buffer *out, str secret_id, str secret_key, str service, str host,
                  int64_t now_s, str body);

/* webhook.c: " v1,<base64>" of id.timestamp.body, appended */
void webhook_sign(struct buffer *out, str secret, str id, int64_t seconds, str body);

/* content.c: parts of a message's content. On the loop's thread. */
struct content {
    json_value root;
    struct channels *channels;
};
bool content_open(struct channels *channels, const struct unit *unit, struct content *content,
                  struct verdict *verdict);
str content_text(const struct content *content, const char *name);
/* An object or array, also one that stands as text. Valid until the next of them. */
json_value content_nested(const struct content *content, const char *name);
void json_put_copy(struct json_writer *writer, json_value value);
void json_member_copy(struct json_writer *writer, const char *name, json_value value);

#endif
