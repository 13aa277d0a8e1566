/* SPDX-License-Identifier: Apache-2.0 */
/* How the sandbox is laid out, and how its files see each other. Private to sandbox/.
 *
 *     http.c ──▶ dispatch.c ──▶ wecom*.c, wechat*.c, aliyun.c, tencent.c, webhook.c, control*.c
 *     smtp.c ───────┐             │ who asks, may she       │ what was taken     │ what happens later
 *                   ▼             ▼                         ▼                    ▼
 *                fault.c      account.c, person.c        taken.c            callback.c ──▶ the caller's address
 *
 * One mutex guards everything in `struct sandbox`: requests take it for the time they are worked on, which is
 * microseconds. Nothing waits with it in hand.
 */
#ifndef KITH_SANDBOX_INSIDE_H
#define KITH_SANDBOX_INSIDE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "sandbox/sandbox.h"

#define SANDBOX_BODY_BYTES_MAX ((size_t)16 << 20)
#define SANDBOX_ID_BYTES 128
#define SANDBOX_URL_BYTES 512
#define SANDBOX_SECRET "sandbox-secret" /* of accounts that nobody has set up */

#define KINDS(X)                            \
    X(WECOM, "wecom")                       \
    X(OFFICIAL_ACCOUNT, "official_account") \
    X(MINI_PROGRAM, "mini_program")         \
    X(ALIYUN, "sms_aliyun")                 \
    X(TENCENT, "sms_tencent")               \
    X(SMTP, "smtp")                         \
    X(WEBHOOK, "webhook")
enum kind {
#define X(NAME, text) KIND_##NAME,
    KINDS(X)
#undef X
        KIND_COUNT
};
extern const char *const kind_texts[KIND_COUNT];
bool kind_find(str text, enum kind *kind);

/* ---- tables by name ---- */

/* Hash → pointer; never shrinks but by clearing. */
struct map_slot {
    hash128 key;
    void *value;
};
struct map {
    struct map_slot *slots;
    size_t capacity, count;
};
void *map_get(const struct map *map, hash128 key);
err map_put(struct map *map, hash128 key, void *value) MUST_USE;
void map_clear(struct map *map, void (*release)(void *value));
/* Of texts one after the other, each with its length: ("ab","c") is not ("a","bc"). */
hash128 name_hash(unsigned what, const void *owner, str a, str b, str c);

/* ---- settings (control.c: one table) ---- */

/* NAME, text, default, least, most, what it is */
#define SETTINGS(X)                                                                               \
    X(TOKEN_SECONDS, "token_seconds", 7200, 1, 7200, "how long a token lives")                    \
    X(STRICT, "strict", 0, 0, 1, "1: only accounts and people that were set up are known")        \
    X(CHECK_TIME, "check_time", 1, 0, 1, "0: the times in signatures are not compared")           \
    X(KEEP, "keep", 10000, 1, 1000000, "messages whose content is kept; all are counted")         \
    X(RECEIPT_MS, "receipt_ms", 200, 0, 86400000, "how long a delivery takes")                    \
    X(RECEIPT_SPREAD_MS, "receipt_spread_ms", 0, 0, 86400000, "and up to so much longer")         \
    X(CALLBACK_RETRY_MS, "callback_retry_ms", 1000, 1, 600000, "until a callback is tried again") \
    X(CALLBACK_TRIES, "callback_tries", 4, 1, 10, "how often it is tried")                        \
    X(CONFIRM_MS, "confirm_ms", -1, -1, 86400000,                                                 \
      "advisers confirm mass messages after so long; -1: when POST /sandbox/confirm says so")     \
    X(REVIEW_MS, "review_ms", 0, 0, 86400000, "how long the review of a template takes")          \
    X(WECOM_RATE, "wecom_rate_per_minute", 10000, 0, 100000000, "per corp and interface; 0: any") \
    X(WECHAT_RATE, "wechat_rate_per_minute", 0, 0, 100000000, "per account and interface")        \
    X(SMS_RATE, "sms_rate_per_second", 0, 0, 100000000, "requests per account")                   \
    X(WEBHOOK_RATE, "webhook_rate_per_minute", 0, 0, 100000000, "per receiver")                   \
    X(WECOM_RULE, "wecom_rule", 0, 0, 3,                                                          \
      "mass messages per customer: 0 days of the month, 1 seven a week, 2 one a day, 3 four a "   \
      "month, all by local time of +08:00")                                                       \
    X(SMS_PER_SAME_TEXT_S, "sms_same_text_seconds", 30, 0, 86400,                                 \
      "the same text to the same phone within it is refused")                                     \
    X(SMS_PER_HOUR, "sms_per_hour", 0, 0, 1000000, "texts per phone and hour; 0: any")            \
    X(SMS_PER_DAY, "sms_per_day", 50, 0, 1000000, "texts per phone and day")                      \
    X(CREDITS, "subscription_credits", 0, 0, 1000000,                                             \
      "subscriptions that somebody has who was not set up")                                       \
    X(INTERACTED, "interacted", 0, 0, 1,                                                          \
      "1: who was not set up has just written to the account (48-hour window)")                   \
    X(WEBHOOK_TOLERANCE_S, "webhook_tolerance_seconds", 300, 1, 86400, "age of a webhook's stamp")
enum setting {
#define X(NAME, text, otherwise, least, most, about) SETTING_##NAME,
    SETTINGS(X)
#undef X
        SETTING_COUNT
};

/* ---- who there is ---- */

struct rate {
    int64_t window;
    int64_t count;
};
#define RATES_MAX 16 /* per interface of an account, by its hash */
struct tag {
    char id[40], name[64], group[64];
};
struct account {
    enum kind kind;
    bool is_given; /* by PUT /sandbox/world */
    char id[SANDBOX_ID_BYTES];
    char secret[SANDBOX_ID_BYTES];
    char callback_url[SANDBOX_URL_BYTES];
    char callback_token[SANDBOX_ID_BYTES];
    char aes_key[48];
    char user_name[SANDBOX_ID_BYTES]; /* gh_… of an official account */
    char token[80], old_token[80];
    int64_t token_until_ms, old_token_until_ms;
    struct rate rates[RATES_MAX];
    struct tag *tags;
    size_t tag_count;
    uint64_t taken, refused;
    struct account *next;
};
struct token {
    struct account *account;
    int64_t until_ms;
};
#define PERSON_TAGS_MAX 20
#define PERSON_SHOWN_MAX 256
/* An employee, a customer, a follower, or a group chat. */
enum person_kind { PERSON_CUSTOMER, PERSON_EMPLOYEE, PERSON_GROUP };
struct shown {
    uint64_t hash; /* of a message */
    int64_t at_ms;
};
struct person {
    struct account *account;
    enum person_kind kind;
    bool is_gone; /* unfollowed, deleted the employee, dismissed */
    char id[SANDBOX_ID_BYTES];
    char name[64], unionid[64];
    char adviser[64]; /* of a customer; the owner of a group */
    char remark[64];
    char tags[PERSON_TAGS_MAX][40];
    size_t tag_count;
    int64_t added_ms, interacted_ms;
    int64_t since_interaction; /* service messages sent since */
    int64_t quota_window, quota_count;
    struct shown *shown; /* an employee's latest PERSON_SHOWN_MAX, once there is one */
    size_t shown_count;
    struct person *next; /* of the account's, newest first */
};
/* A phone, for limits. */
struct phone {
    uint64_t last_text;
    int64_t last_text_ms;
    struct rate hour, day;
};
struct sms_template {
    char code[64], name[64], content[1024], reason[300];
    enum kind kind;
    struct account *account;
    int64_t reviewed_ms; /* decided from then on */
    bool is_marketing, is_refused;
};

/* ---- what was taken ---- */

enum delivery { DELIVERY_WAITING, DELIVERY_DONE, DELIVERY_FAILED };
/* Texts lie behind each other in one piece. */
struct taken {
    uint64_t seq, times;
    int64_t at_ms, reported_ms;
    enum kind kind;
    enum delivery delivery;
    const struct account *account;
    str recipient, form, key, id, content; /* id: what the provider gave back */
    char code[40];
    char *memory;
};
struct take {
    enum kind kind;
    struct account *account;
    str recipient, form, key, id, content;
};
struct count_slot {
    hash128 key;
    uint64_t count;
};
struct ledger_of_taken {
    struct taken *ring;
    size_t capacity;
    uint64_t seq; /* of the newest; 0: none */
    uint64_t by_kind[KIND_COUNT];
    struct count_slot *counts;
    size_t count_capacity, distinct;
    uint64_t repeated; /* beyond the first of each */
};

/* ---- faults ---- */

#define FAULTS(X)                                                                      \
    X(NONE, "none", "")                                                                \
    X(HANG, "hang", "nothing is taken, no answer comes for delay_ms (60 s)")           \
    X(TIMEOUT_AFTER, "timeout_after", "taken, and no answer for delay_ms (60 s)")      \
    X(ERROR_BEFORE, "error_before", "HTTP status (500), nothing taken")                \
    X(ERROR_AFTER, "error_after", "taken, then HTTP status (500)")                     \
    X(RESET_BEFORE, "reset_before", "the connection is cut, nothing taken")            \
    X(RESET_AFTER, "reset_after", "taken, then the connection is cut")                 \
    X(GARBAGE, "garbage", "taken, answered by bytes that mean nothing")                \
    X(LIMITED, "limited", "429 with Retry-After (retry_after seconds), nothing taken") \
    X(SLOW, "slow", "answered delay_ms later")                                         \
    X(CODE, "code", "refused with the provider's code")                                \
    X(RECEIPT_FAILED, "receipt_failed", "taken; the receipt says failed, with code")   \
    X(RECEIPT_LOST, "receipt_lost", "its receipt or callback is never sent")           \
    X(RECEIPT_TWICE, "receipt_twice", "it is sent twice")                              \
    X(RECEIPT_LATE, "receipt_late", "it is sent delay_ms later, behind what comes after")
enum fault_kind {
#define X(NAME, text, about) FAULT_##NAME,
    FAULTS(X)
#undef X
        FAULT_COUNT
};
#define FAULT_RULES_MAX 32
struct fault_rule {
    enum fault_kind what;
    bool of_any_kind;
    enum kind kind;
    char account[SANDBOX_ID_BYTES], recipient[SANDBOX_ID_BYTES], path[SANDBOX_ID_BYTES];
    char code[64];
    double chance;
    int64_t every, times, delay_ms, retry_after, status; /* times: -1 is for ever */
    uint64_t asked, done;
};
struct faults {
    struct fault_rule rules[FAULT_RULES_MAX];
    size_t count;
    struct random_stream random;
};

/* ---- what happens later ---- */

enum pending_kind { PENDING_CALLBACK, PENDING_CONFIRM };
struct pending {
    enum pending_kind kind;
    int64_t due_ms;
    uint64_t order;
    struct account *account;
    char *url, *body; /* memory */
    size_t body_size;
    const char *type; /* of the body; STATIC */
    unsigned tries;
    bool is_listed; /* the body is an object that may stand in an array with others (receipts) */
    uint64_t task;  /* CONFIRM */
};
struct callbacks {
    struct pending *heap;
    size_t count, capacity;
    uint64_t order, sent, failed, lost, repeated, given_up, under_way;
    pthread_cond_t changed;
    pthread_t threads[2];
    size_t thread_count;
    bool stop;
};

/* One customer of a mass message. */
struct mass_member {
    char id[72];
    uint8_t status; /* 0 unsent, 1 sent, 2 no friend, 3 already has this month's */
    char employee[64];
    int64_t sent_ms;
};
struct mass_task {
    uint64_t number;
    char id[40];
    struct account *account;
    bool is_group, is_cancelled, is_moment;
    int64_t made_ms;
    unsigned reminded;
    int64_t reminded_ms;
    struct mass_member *members;
    size_t member_count;
    char *content;
    size_t content_size;
    struct mass_task *next;
};

struct statuses_to_pull {
    char *texts[4096]; /* ring of JSON objects */
    size_t begin, count;
};

struct http_server;
struct smtp_server;

struct sandbox {
    struct sandbox_config config;
    pthread_mutex_t mutex;
    bool has_mutex;
    struct http_server *http;
    struct smtp_server *smtp;
    int64_t settings[SETTING_COUNT];
    int64_t offset_ms; /* the clock was moved */
    struct random_stream random;
    uint64_t number; /* of ids that are given out */
    struct account *accounts;
    struct map
        by_name; /* accounts, people, phones, tokens, credits, welcome codes, templates, nonces */
    struct person *people;
    struct sms_template *templates[256];
    size_t template_count;
    struct ledger_of_taken taken;
    struct faults faults;
    struct callbacks callbacks;
    struct mass_task *tasks;
    struct contact_way *ways;
    struct statuses_to_pull to_pull;
    struct arena arena; /* of names: grows with who there is */
    struct json_parser *parser, *scratch;
};

int64_t sandbox_now(const struct sandbox *sandbox);
/* "sandbox_1f": ids that providers give out. */
void sandbox_id(struct sandbox *sandbox, const char *before, char *out, size_t size);

/* ---- one request ---- */

struct param {
    str name, value;
};
#define PARAMS_MAX 200
struct params {
    struct param all[PARAMS_MAX];
    size_t count;
    bool failed; /* too many, or wrongly encoded */
};
/* "a=b&c=%20" decoded into the arena; adds to what is there. */
void params_parse(struct params *params, str text, struct arena *arena);
str params_get(const struct params *params, str name);
bool params_has(const struct params *params, str name);

struct call {
    struct sandbox *sandbox;
    void *connection;
    str (*header)(const struct call *call, const char *name);
    str method, target, path, body;
    struct params params; /* of the query */
    struct arena arena;
    /* the answer */
    int status;
    const char *type;
    struct buffer out;
    int64_t retry_after;
    const struct fault_rule *fault;
    int64_t delay_ms; /* the answer waits so long */
    bool is_cut, is_silent;
    json_value json; /* of the body, where it is JSON */
};
void dispatch(struct call *call);
/* The body as JSON into call->json; false when it is none. */
bool call_json(struct call *call);
void call_error(struct call *call, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* {"errcode":…,"errmsg":…} */
void wx_answer(struct call *call, int code, const char *message);
/* Opens the object with errcode 0; close it with json_end_object. */
void wx_begin(struct call *call, struct json_writer *writer);

/* ---- the parts ---- */

struct account *sandbox_account_find(struct sandbox *sandbox, enum kind kind, str id);
/* Who was not set up is known with SANDBOX_SECRET, unless the sandbox is strict: NULL. */
struct account *account_of(struct sandbox *sandbox, enum kind kind, str id);
struct account *account_make(struct sandbox *sandbox, enum kind kind, str id);
bool account_over_rate(struct sandbox *sandbox, struct account *account, str interface,
                       int64_t window_ms, int64_t count_max);
err account_give_token(struct sandbox *sandbox, struct account *account, bool renew) MUST_USE;
struct account *account_of_token(struct sandbox *sandbox, str token, bool *is_expired);

struct person *person_find(struct sandbox *sandbox, const struct account *account,
                           enum person_kind kind, str id);
struct person *person_of(struct sandbox *sandbox, struct account *account, enum person_kind kind,
                         str id); /* made when it is not there, unless strict */
struct person *person_make(struct sandbox *sandbox, struct account *account, enum person_kind kind,
                           str id);
/* Mass messages of WeCom: one more of this window's? */
bool person_take_quota(struct sandbox *sandbox, struct person *person);
int64_t *credit_of(struct sandbox *sandbox, struct account *account, str person, str template_);
/* ERR_OK, or the name of the limit that is over. */
const char *phone_over_limit(struct sandbox *sandbox, struct account *account, str phone, str text);

struct taken *taken_add(struct sandbox *sandbox, const struct take *take);
struct taken *taken_at(struct sandbox *sandbox, uint64_t seq);
uint64_t taken_count_of(const struct sandbox *sandbox, enum kind kind, str account, str recipient,
                        str key);
void taken_clear(struct sandbox *sandbox);
err taken_set_keep(struct sandbox *sandbox, size_t keep) MUST_USE;

const struct fault_rule *fault_pick(struct sandbox *sandbox, enum kind kind, str account,
                                    str recipient, str path, bool of_receipts);
/* For a request of this account: what goes wrong is done to the call; true: it ends here, nothing is taken. */
bool fault_strikes(struct call *call, enum kind kind, str account, str recipient);
/* The name of a code that a rule of faults asks for; NULL: none. */
const char *fault_code(const struct call *call);

/* `body` is copied. Due at `due_ms`, as faults want it. */
void callback_schedule(struct sandbox *sandbox, struct account *account, str recipient, str body,
                       const char *type, bool is_listed, int64_t due_ms);
void confirm_schedule(struct sandbox *sandbox, uint64_t task, int64_t due_ms);
err callbacks_start(struct sandbox *sandbox) MUST_USE;
void callbacks_stop(struct sandbox *sandbox);
void callbacks_wake(struct sandbox *sandbox);
void mass_confirm(struct sandbox *sandbox, struct mass_task *task, str employee);
void welcome_add(struct sandbox *sandbox, struct account *account, str code, str customer);
struct mass_task *mass_find(struct sandbox *sandbox, str id);

/* XML of an event, encrypted and signed for the account, sent to its address at `due_ms`. */
void event_send(struct sandbox *sandbox, struct account *account, str recipient, str xml,
                int64_t due_ms);
/* Members of a JSON object as XML elements. */
void xml_members(struct buffer *out, json_value object);
void xml_text(struct buffer *out, str name, str text);
void xml_number(struct buffer *out, str name, int64_t number);

void wecom_dispatch(struct call *call, struct account *account, str interface);
void wecom_customer_call(struct call *call, struct account *account, str interface);
/* Is it about contact ways? Then it is answered. */
bool wecom_way_call(struct call *call, struct account *account, str interface);
/* Of the pool of the way with this state, whose turn it is; false: there is no such way. */
bool wecom_way_turn(struct sandbox *sandbox, const struct account *account, str state,
                    struct buffer *employee);
void wecom_mass_call(struct call *call, struct account *account, str interface);
void wechat_dispatch(struct call *call, struct account *account, str interface);
void wechat_login(struct call *call);
void token_call(struct call *call, str interface);
void aliyun_dispatch(struct call *call);
void tencent_dispatch(struct call *call);
void webhook_dispatch(struct call *call);
void control_dispatch(struct call *call);
void control_world(struct call *call);
void control_event(struct call *call);

/* Receipts of texts: a JSON object in the form of the provider. */
void sms_report(struct sandbox *sandbox, struct account *account, struct taken *taken);
struct sms_template *sms_template_find(struct sandbox *sandbox, enum kind kind, str code);
struct sms_template *sms_template_add(struct sandbox *sandbox, enum kind kind, str code, str name,
                                      str content, bool is_marketing);
/* The template's text with `${name}` or `{1}` filled in; false: a variable has no value. */
bool sms_fill(const struct sms_template *template, json_value values, bool by_number,
              struct buffer *out);
bool sandbox_phone(str text, char out[24]);     /* digits with +86, false: no phone */
void time_local(int64_t time_ms, char out[20]); /* "2026-11-21 18:00:00", +08:00 */

err sandbox_http_start(struct sandbox *sandbox, struct problem *problem) MUST_USE;
void sandbox_http_stop(struct sandbox *sandbox);
uint16_t sandbox_http_port(const struct sandbox *sandbox);
err smtp_start(struct sandbox *sandbox, struct problem *problem) MUST_USE;
void smtp_stop(struct sandbox *sandbox);
uint16_t smtp_port(const struct sandbox *sandbox);
/* One connection of SMTP as a machine of lines, so that it can be fed without a socket. */
struct smtp_session;
struct smtp_session *smtp_session_new(struct sandbox *sandbox);
void smtp_session_free(struct smtp_session **session);
void smtp_session_greet(struct smtp_session *session, struct buffer *out);
/* Appends the answers; false: the connection ends when they are written. */
bool smtp_session_feed(struct smtp_session *session, str bytes, struct buffer *out);

/* ---- signatures (sign.c) ---- */

void hex_write(const uint8_t *bytes, size_t size, char *out); /* 2 × size, and a NUL */
void sha256_hex(str text, char out[65]);
void sha1_hex(str text, char out[41]);
bool same_text(str a, str b); /* takes as long wherever they differ */
/* What is wrong, or NULL. */
const char *acs3_check(const struct call *call, const struct params *query, str secret);
const char *acs1_check(const struct call *call, const struct params *all, str secret);
const char *tc3_check(const struct call *call, str secret, str secret_id);
bool webhook_check(const struct call *call, str secret, str id, str stamp, str signatures);
/* WeCom and WeChat: the message as they encrypt it, in base64. False: the key is none. */
bool wx_encrypt(str aes_key, str message, str receiver, const uint8_t random[16],
                struct buffer *out);
void wx_signature(str token, str timestamp, str nonce, str encrypted, char out[41]);
size_t base64_write(const uint8_t *bytes, size_t size,
                    char *out); /* with padding; not terminated */
bool base64_read(str text, uint8_t *out, size_t size_max, size_t *size);

#endif
