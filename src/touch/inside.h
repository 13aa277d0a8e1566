/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the files of this room share. Private to touch/.
 *
 * A touch is its number, from 1 on, never used twice. Two records of it in RAM:
 *     struct mark     32 bytes, every touch of the last TOUCH_REMEMBERED_MS: what caps, rules and receipts need
 *     struct waiting  only while it may still be sent, or its sending is not known to be over
 * The rest of it is in the ledger. Marks lie in chunks by number, hang on the node of their customer as a list, newest first, and are
 * read by other threads: a mark is written whole before the list's head is published with release.
 *
 * What happens to a touch goes through touches_step_take (step.c), which writes its rows, moves counts, and notes the change; journeys are told
 * when the public call is nearly over (changes_tell), since they may ask for the next touch right away.
 */
#ifndef KITH_TOUCH_INSIDE_H
#define KITH_TOUCH_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "touch/touch.h"

#define TOUCH_REMEMBERED_MS (400 * DAY_MS)
#define TOUCH_CUSTOMER_NODES_MAX 4096
#define TOUCH_TRIES_MAX 20 /* of what is uncertain, where the owner wants it sent again */
#define TOUCH_TEXT_BYTES_MAX ((size_t)4 << 20)

#define PUT(touches, table, ...)                                        \
    do {                                                                \
        if ((touches)->writes != NULL)                                  \
            LEDGER_PUT((touches)->writes, LEDGER_##table, __VA_ARGS__); \
    } while (0)

/* ---- small containers (map.c) ---- */

/* From 64-bit keys (hashes, numbers; 0 is none) to 32-bit values; open addressing. */
struct map {
    uint64_t *keys;
    uint32_t *values;
    size_t count, capacity;
};
void touches_map_free(struct map *map);
uint32_t touches_map_find(const struct map *map, uint64_t key); /* 0: not there */
err touches_map_put(struct map *map, uint64_t key, uint32_t value) MUST_USE;
void touches_map_remove(struct map *map, uint64_t key);
err touches_map_copy(struct map *to, const struct map *from) MUST_USE;

/* The least key first, of equal ones the least number. Who is taken is looked at: entries are not removed when they
 * become stale. */
struct heap_entry {
    int64_t key;
    uint32_t number;
};
struct heap {
    struct heap_entry *items;
    size_t count, capacity;
};
void touches_heap_free(struct heap *heap);
err touches_heap_push(struct heap *heap, int64_t key, uint32_t number) MUST_USE;
void touches_heap_pop(struct heap *heap);

/* ---- gates ---- */

enum gate_class { GATE_ALL, GATE_MARKETING };
/* NAME, code, holds or drops, applies to, zh, en */
#define GATES(X)                                                                                \
    X(NO_ACCOUNT, "no_account", DROP, ALL, "没有可用的发送账号",                                \
      "there is no account to send it by")                                                      \
    X(STOPPED, "stopped", HOLD, ALL, "已急停", "sending was stopped")                           \
    X(GONE, "erased", DROP, ALL, "客户已删除", "the customer is gone")                          \
    X(RESTRICTED, "restricted", DROP, ALL, "已限制处理其个人信息",                              \
      "her data are kept and not used (restriction of processing)")                             \
    X(TEST_ONLY, "test_only", DROP, ALL, "账号仅供测试用户",                                    \
      "the account sends to test users only")                                                   \
    X(CHILD, "under_14", DROP, MARKETING, "未满 14 岁",                                         \
      "she is under 14, and no two persons have released it")                                   \
    X(HOLD_OUT, "hold_out", DROP, MARKETING, "空白组", "she is in the hold-out")                \
    X(CONSENT, "no_consent", DROP, MARKETING, "未同意此用途",                                   \
      "she has not agreed to this purpose")                                                     \
    X(PLAIN, "no_personalisation", DROP, MARKETING, "已关闭个性化",                             \
      "she wants nothing chosen for her by what is known of her")                               \
    X(REFUSED, "channel_refused", DROP, ALL, "已拒绝此渠道", "she has refused this channel")    \
    X(UNSUBSCRIBED, "unsubscribed", DROP, ALL, "已退订", "she has unsubscribed")                \
    X(PAUSED, "paused", DROP, MARKETING, "营销已暂停", "marketing to her is paused")            \
    X(UNREACHABLE, "unreachable", DROP, ALL, "没有此渠道的标识",                                \
      "no identifier of this channel is known")                                                 \
    X(SAME_ORDER, "duplicate_order", DROP, ALL, "此订单已发过",                                 \
      "this was sent for the order before")                                                     \
    X(SAME_CONTENT, "duplicate_content", DROP, ALL, "内容已发过",                               \
      "the same content was sent before")                                                       \
    X(EXPIRED, "expired", DROP, ALL, "已过时效", "its time is over")                            \
    X(NOT_YET, "not_yet", HOLD, ALL, "未到时间", "its time has not come")                       \
    X(QUIET, "quiet_hours", POLICY, MARKETING, "免打扰时段", "quiet hours")                     \
    X(SETTLING, "settling", HOLD, MARKETING, "等待优先级排序", "others may want her more")      \
    X(CAP, "frequency_cap", POLICY, MARKETING, "超过疲劳度", "a frequency cap is reached")      \
    X(OUTRANKED, "outranked", DROP, MARKETING, "让位于更重要的触达",                            \
      "a touch of higher priority took its place")                                              \
    X(BUDGET, "budget", POLICY, MARKETING, "预算用完", "the budget is used up")                 \
    X(QUOTA, "channel_quota", POLICY, ALL, "渠道配额用完", "the channel takes no more for her") \
    X(NO_STOCK, "no_subscription", DROP, ALL, "没有剩余的订阅次数",                             \
      "she has granted no further message")                                                     \
    X(NO_WINDOW, "outside_window", DROP, ALL, "不在 48 小时互动窗口内",                         \
      "she has not been in contact within the window")                                          \
    X(BEHIND, "behind", HOLD, ALL, "排在更早的一条之后",                                        \
      "an earlier one to her by this account is to go first")                                   \
    X(RETRY, "retry", HOLD, ALL, "稍后重试", "the channel asked to try again later")
enum gate {
    GATE_NONE,
#define X(NAME, ...) GATE_##NAME,
    GATES(X)
#undef X
        GATE_COUNT
};
const char *touches_gate_code(enum gate gate);
bool touches_gate_find(str code, enum gate *gate);

/* ---- what is the same for many touches ---- */

enum line_flag { LINE_TRANSACTIONAL = 1, LINE_TEST = 2, LINE_PLAIN = 4 };
struct account;
struct line {
    uint32_t number;
    str journey, node, campaign, channel, account, form, template_, purpose, brand;
    uint8_t priority, flags;
    uint64_t scope_hash[4]; /* of channel, purpose, brand, journey: what caps compare */
};
#define LINE_CHUNK 1024
#define LINE_CHUNKS 4096

struct mark {
    /* time_ms << 16 | status << 8 | steps: of its last change that counts for caps (planned, then sent) */
    _Atomic uint64_t time_status;
    uint32_t node, line;
    _Atomic uint32_t previous; /* number of an older touch of this node; 0: none */
    uint32_t position;         /* the low half */
    uint32_t order_hash, content_hash;
};
_Static_assert(sizeof(struct mark) == 32, "a mark is half a cache line");
#define MARK_CHUNK 65536
#define MARK_CHUNKS 65536

/* Of a node: its newest touch, and the next node of the same customer that has touches. */
struct node_marks {
    _Atomic uint32_t newest, next_node;
};

/* DECIDED: a repeat that somebody chose. */
enum waiting_flag { WAITING_REPEAT = 1, WAITING_GATED = 2, WAITING_DECIDED = 4 };
#define WAITING_FLAG_BITS 8 /* of the column `flags`; above them stands the recipient's row */
struct waiting {
    uint32_t number, node, line, recipient;
    uint64_t position;
    int64_t created_ms, due_ms, not_before_ms, expires_ms, cost_minor;
    char *context; /* JSON; NULL: {} */
    uint32_t context_size;
    uint8_t status, gate, tries, flags;
};

/* ---- policy and accounts (policy.c) ---- */

enum cap_scope { CAP_ALL, CAP_CHANNEL, CAP_PURPOSE, CAP_BRAND, CAP_JOURNEY, CAP_ACCOUNT };
enum cap_calendar { CAP_SLIDING, CAP_DAY, CAP_WEEK, CAP_MONTH };
struct cap {
    str name;
    enum cap_scope scope;
    uint64_t value; /* hash of the value; 0: each one for itself */
    uint32_t max;   /* 0 with is_days_in_month */
    enum cap_calendar calendar;
    int64_t window_ms;
    bool is_days_in_month, customer_zone, holds;
};
struct quiet {
    uint64_t channel, purpose; /* hashes; 0: all */
    int32_t from_s, to_s;      /* of the local day; may pass midnight */
    bool customer_zone, drops, transactional_too;
};
struct budget {
    str name;
    enum { BUDGET_ALL, BUDGET_JOURNEY, BUDGET_CAMPAIGN } scope;
    str value;
    enum { BUDGET_TOTAL, BUDGET_DAY, BUDGET_MONTH } per;
    int64_t amount_minor;
    bool holds;
};
struct consent_rule {
    str purpose;
    bool unless_refused; /* else: only when granted */
};
struct share {
    str journey; /* empty: everybody's */
    uint32_t millionths;
};
#define POLICY_LIST_MAX 100
struct policy {
    struct arena arena;
    str body;
    size_t cap_count, quiet_count, budget_count, consent_count, share_count;
    struct cap *caps;
    struct quiet *quiets;
    struct budget *budgets;
    struct consent_rule *consents;
    struct share *shares;
    int64_t settle_ms, order_window_ms, content_window_ms, expires_ms;
    str test_segment, link_base;
};
err touches_policy_new(struct policy **policy, json_value body, struct problem *problem) MUST_USE;
void touches_policy_free(struct policy **policy);
/* {calendar|window, max, …}: also the quota of an account. */
err touches_cap_parse(struct arena *arena, json_value json, const char *pointer, struct cap *cap,
                      struct problem *problem) MUST_USE;
bool touches_time_of_day_parse(str text, int32_t *seconds);

#define ACCOUNT_QUOTAS_MAX 8
struct account {
    struct arena arena;
    str key, settings; /* JSON, secrets sealed */
    enum channel_kind kind;
    const struct channel_kind_info *info;
    bool is_default, is_disabled, is_test_only, resends_uncertain, is_deleted;
    bool needs_stock;  /* subscription messages */
    int64_t window_ms; /* messages only within it after she was in contact; 0: at any time */
    str namespace_;
    int64_t cost_minor;
    size_t quota_count;
    struct cap quotas[ACCOUNT_QUOTAS_MAX];
    struct heap ready;
    bool is_told; /* `ready` was said and nothing was claimed since */
};
#define ACCOUNTS_MAX 1000

/* ---- templates (template_kept.c) ---- */

#define TEMPLATE_LINKS_MAX 20
struct kept_piece {
    str raw;               /* JSON before the text */
    struct template *text; /* NULL: the last */
};
struct kept_template {
    struct arena arena;
    str key, body;
    uint32_t version;
    str channel, form, template_id; /* of the provider: subscriptions are granted for it */
    size_t piece_count, link_count;
    struct kept_piece *pieces;
    struct kept_link {
        str name, url;
    } links[TEMPLATE_LINKS_MAX];
    struct kept_template *older; /* still borrowed by nobody: freed with the room */
};
err touches_kept_template_new(struct kept_template **kept, str key, uint32_t version,
                              json_value body, struct problem *problem) MUST_USE;
void touches_kept_template_free(struct kept_template **kept);
struct render {
    const struct touches *touches;
    uint32_t customer, number; /* number 0: a preview */
    const struct line *line;
    json_value context;
    int64_t now_ms;
    str coupon;
    /* scratch */
    char text[200];
    const struct kept_template *kept;
};
err touches_kept_template_render(const struct kept_template *kept, struct render *render,
                                 struct buffer *out, struct problem *problem) MUST_USE;

/* ---- stops ---- */

enum stop_scope { STOP_ALL, STOP_CHANNEL, STOP_ACCOUNT, STOP_JOURNEY };
struct stop {
    enum stop_scope scope;
    str value, why;
    int64_t since_ms;
    uint32_t user_number;
};
#define STOPS_MAX 1000

/* ---- chances: what a channel allows of her (chance.c) ---- */

/* Subscription messages that she granted, when she was last in contact, that she unsubscribed: by (node, account, kind). */
enum chance_kind { CHANCE_STOCK, CHANCE_CONTACT, CHANCE_UNSUBSCRIBED };
struct chance {
    uint64_t key;
    uint32_t count;
    int64_t at_ms;
};
/* ---- pauses (pause.c) ---- */

/* One cause for which marketing to a node's customer rests, or rested; `told` is touch.h's, its texts in `texts`. */
struct pause {
    struct touch_pause told;
    uint32_t lifted_by, older; /* older: place + 1 of another one of this node; 0: none */
    char *texts;               /* journey, key and reason, each with a zero behind */
};

/* ---- coupons ---- */

struct pool {
    str key;
    bool is_generated;
    str prefix;
    uint32_t given, limit; /* limit 0: none (generated) */
    str *codes;            /* in the order in which they are given */
    uint32_t code_count, code_capacity;
};
#define POOLS_MAX 1000

/* ---- the room ---- */

struct change_note {
    uint32_t number;
    uint8_t from, to;
    uint64_t position;
    str reason, response; /* in change_arena */
};
struct spent {
    uint64_t key;
    int64_t minor;
};

struct touches {
    struct touches_config config;
    struct arena texts; /* of lines, stops: for ever */
    struct line *_Atomic lines[LINE_CHUNKS];
    uint32_t line_count;
    struct map line_numbers;

    struct mark *_Atomic marks[MARK_CHUNKS];
    struct node_marks *_Atomic nodes[MARK_CHUNKS];
    uint32_t last_number;
    struct map identities; /* what makes it one (U1) → number */
    struct map providers;  /* account and provider's id → number */
    struct map positions;  /* → its newest touch */

    struct waiting *waiting;
    uint32_t waiting_count, waiting_capacity,
        waiting_free; /* slots from 1; free ones by `number` */
    struct map slots;
    struct heap due;

    struct policy *policy;
    struct account *accounts[ACCOUNTS_MAX];
    uint32_t account_count;
    struct kept_template **templates;
    size_t template_count, template_capacity;
    struct kept_template *old_templates;
    struct stop stops[STOPS_MAX]; /* changed under the mutex: senders ask too */
    size_t stop_count;
    pthread_mutex_t stops_mutex;
    uint32_t policy_version;
    struct chance *chances;
    size_t chance_count, chance_capacity;
    struct map chance_places;
    struct pause *pauses; /* by number - 1 */
    size_t pause_count, pause_capacity;
    struct map pause_places; /* node → place + 1 of its newest */
    struct pool pools[POOLS_MAX];
    size_t pool_count;
    struct map code_places; /* codes that were put before */
    struct map tasks;       /* touch → user << 2 | enum task_state */
    struct spent *spent;
    size_t spent_count, spent_capacity;
    struct map spent_places;

    uint64_t counts[TOUCH_STATUS_COUNT];
    uint64_t gates_left_out; /* bits by gate: of a rehearsal, those that no policy decides */
    uint32_t last_correction;
    const char
        *last_detail; /* of the last verdict: which cap or budget; borrowed from the policy */

    /* of the call being run */
    struct ledger_writes *writes;
    struct touch_moment moment;
    struct arena change_arena;
    struct change_note *changes;
    size_t change_count, change_capacity;
    int depth; /* of public calls in one another */
    struct json_parser *parser, *policy_parser;
    struct buffer scratch, rendered;
    uint32_t *her_nodes; /* TOUCH_CUSTOMER_NODES_MAX */
};

/* line.c */
err touches_line_find(struct touches *touches, const struct line *wanted,
                      uint32_t *number) MUST_USE;
const struct line *touches_line_at(const struct touches *touches, uint32_t number);
uint64_t touches_text_hash(str text); /* 0 for the empty text */

/* mark.c */
struct mark *touches_mark_at(const struct touches *touches,
                             uint32_t number); /* NULL: not remembered */
/* Room for this number; not yet in its node's list. */
struct mark *touches_mark_make(struct touches *touches, uint32_t number);
err touches_mark_hang(struct touches *touches,
                      uint32_t number) MUST_USE; /* into the list of its node */
static inline enum touch_status mark_status(const struct mark *mark)
{
    return (enum touch_status)(atomic_load_explicit(&mark->time_status, memory_order_relaxed) >> 8 &
                               255);
}
static inline int64_t mark_time_ms(const struct mark *mark)
{
    return (int64_t)(atomic_load_explicit(&mark->time_status, memory_order_relaxed) >> 16);
}
void touches_mark_set(struct mark *mark, int64_t time_ms, enum touch_status status, uint8_t steps);
/* Numbers of her touches: begin, then next until 0. */
struct mark_walk {
    const struct touches *touches;
    uint32_t nodes[32];
    size_t node_count, node;
    uint32_t *many; /* where 32 do not do */
    uint32_t next;
};
/* All nodes of hers into touches->her_nodes, where they stay until the next call. */
size_t touches_nodes_of(const struct touches *touches, uint32_t customer);
void touches_walk_begin(struct mark_walk *walk, const struct touches *touches, uint32_t customer);
uint32_t touches_walk_next(struct mark_walk *walk);
void touches_chain_nodes(struct touches *touches,
                         uint32_t customer); /* for readers: her nodes, one behind another */

/* wait.c */
struct waiting *touches_waiting_find(const struct touches *touches, uint32_t number);
err touches_waiting_add(struct touches *touches, const struct waiting *waiting,
                        struct waiting **added) MUST_USE;
void touches_waiting_remove(struct touches *touches, uint32_t number);
/* Into the heap where its status belongs. */
err touches_waiting_place(struct touches *touches, struct waiting *waiting) MUST_USE;
int64_t touches_due_peek_ms(struct touches *touches);
/* The next one for this account that is still queued; 0: none. */
uint32_t touches_ready_take(struct touches *touches, struct account *account);

/* step.c */
void touches_call_begin(struct touches *touches, struct ledger_writes *writes,
                        struct touch_moment moment);
/* Journeys are told; what they ask for in turn is told too. Gives back `error`, or its own. */
err touches_call_end(struct touches *touches, err error) MUST_USE;
/* What a step says beyond the status. */
struct step {
    enum touch_status status;
    str reason, detail, response;
    int64_t until_ms;
};
err touches_step_take(struct touches *touches, uint32_t number, const struct step *step) MUST_USE;
void touches_tell(const struct touches *touches, uint32_t number, enum touch_status status,
                  str reason);
void touches_state_put(struct touches *touches, uint32_t number, const struct step *step);
bool touches_status_waits(
    enum touch_status status); /* may still be sent, or is not known to be over */
bool touches_status_counts(enum touch_status status);  /* for caps */
bool touches_status_is_sent(enum touch_status status); /* it reached the channel */
err touches_budget_move(struct touches *touches, const struct line *line, int64_t created_ms,
                        int64_t by_minor) MUST_USE;
err touches_spent_put(struct touches *touches, uint64_t key, int64_t minor) MUST_USE;
struct spent *touches_spent_find(const struct touches *touches, uint64_t key);
uint64_t touches_budget_key(const struct touches *touches, size_t index, str value, int64_t at_ms);
err touches_correct(struct touches *touches, const char *kind, uint32_t number, uint32_t customer,
                    const struct line *line, str reason) MUST_USE;

/* gate.c */
struct candidate {
    uint32_t customer, node, number; /* number 0: not made yet */
    const struct line *line;
    struct account *account;
    int64_t now_ms, created_ms, not_before_ms, expires_ms, cost_minor;
    uint32_t order_hash, content_hash;
    bool settled;     /* its window is over, or was never */
    bool was_counted; /* its cost is in the budgets */
};
#define DISPLACED_MAX 32
struct verdict {
    enum gate gate; /* GATE_NONE: it passes */
    bool holds;
    int64_t until_ms;
    uint32_t recipient;
    uint32_t displaced[DISPLACED_MAX]; /* numbers that give way */
    size_t displaced_count;
    const char *detail; /* which cap, budget … borrowed from policy */
};
void touches_gates_pass(const struct touches *touches, const struct candidate *candidate,
                        struct verdict *verdict);
bool touches_gate_stopped(const struct touches *touches, const struct line *line);
int64_t touches_period_start_ms(const struct touches *touches, uint32_t customer,
                                enum cap_calendar calendar, int64_t at_ms, int steps);

/* fork.c: policy, accounts, templates and stops of another room. */
err touches_copy_definitions(struct touches *to, const struct touches *from) MUST_USE;

/* template_kept.c */
void touches_link_code(const struct touches *touches, uint32_t number, uint8_t place, char out[12]);

/* account.c */
err touches_account_new(struct account **account, str key, enum channel_kind kind,
                        json_value settings, struct problem *problem) MUST_USE;
void touches_account_free(struct account **account);
err touches_account_keep(struct touches *touches, struct account *account) MUST_USE;
err touches_template_keep(struct touches *touches, struct kept_template *kept) MUST_USE;
bool touches_stop_scope_find(str text, enum stop_scope *scope);
err touches_stop_add(struct touches *touches, const struct stop *wanted) MUST_USE;
struct account *touches_account_find(const struct touches *touches, str key);
struct account *touches_account_for(const struct touches *touches, str channel, str key);
const struct kept_template *touches_template_of(const struct touches *touches, str key);
void touches_ready_say(struct touches *touches, struct account *account);

/* chance.c */
uint64_t touches_chance_key(const struct account *account, uint32_t node, enum chance_kind kind,
                            str what);
struct chance *touches_chance_find(const struct touches *touches, uint64_t key);
err touches_chance_put(struct touches *touches, uint32_t node, const struct account *account,
                       enum chance_kind kind, str what, uint32_t count, int64_t at_ms) MUST_USE;

/* pause.c */
/* The one of hers that lasts longest at this moment; NULL: none. */
const struct pause *touches_pause_find(const struct touches *touches, uint32_t customer,
                                       int64_t at_ms);
/* As it stands in the ledger: the next number. */
err touches_pause_load(struct touches *touches, const struct touch_pause *told,
                       uint32_t lifted_by) MUST_USE;
/* Those of which `is_kept` says so (NULL: all), with their numbers. */
err touches_pauses_copy(struct touches *to, const struct touches *from,
                        bool (*is_kept)(const void *context, const struct touch_pause *told),
                        const void *context) MUST_USE;
err touches_pauses_forget(struct touches *touches, uint32_t customer) MUST_USE;
void touches_pauses_digest(const struct touches *touches, struct digest *digest);
void touches_pauses_free(struct touches *touches);

/* What subscriptions of this line are granted for: the provider's id of its template. */
str touches_stock_name(const struct touches *touches, const struct line *line);
/* The newest of hers with something left; 0 nodes: none. */
err touches_stock_use(struct touches *touches, uint32_t customer, const struct line *line,
                      const struct account *account) MUST_USE;
err touches_stock_empty(struct touches *touches, uint32_t customer, const struct line *line,
                        const struct account *account) MUST_USE;

/* inhouse.c: coupons, tasks */
err touches_inhouse_claim(struct touches *touches, const struct waiting *waiting,
                          const struct line *line, const struct account *account, str *coupon,
                          struct step *refusal) MUST_USE;
err touches_inhouse_task(struct touches *touches, const struct waiting *waiting,
                         const struct account *account, str content) MUST_USE;
uint64_t touches_code_key(str pool, str code);
enum task_state { TASK_NONE, TASK_OPEN, TASK_TAKEN, TASK_DONE };
err touches_pool_add(struct touches *touches, str key, bool is_generated, str prefix,
                     uint32_t limit, uint32_t given, struct pool **added) MUST_USE;
err touches_pool_add_code(struct touches *touches, struct pool *pool, str code) MUST_USE;
struct pool *touches_pool_find(const struct touches *touches, str key);

/* request.c */
uint64_t touch_identity(str journey, str journey_node, str key, uint32_t node);
uint32_t touch_duplicate_hash(str one, str other, str channel);
struct candidate touches_candidate_again(const struct touches *touches,
                                         const struct waiting *waiting, int64_t now_ms);
/* The gates once more for one that waits. *passes: it is, or stays, queued. */
err touches_look_again(struct touches *touches, uint32_t number, bool *passes) MUST_USE;
/* The same for all of hers that wait: what a gate drops by now is dropped, the others stay as they are. */
err touches_look_at_hers(struct touches *touches, uint32_t customer) MUST_USE;

/* claim.c */
err touches_send_row(struct touches *touches, const struct waiting *waiting, str provider_id,
                     str code, str response) MUST_USE;
uint64_t touches_provider_key(str account, str provider_id);
/* What came of a touch that was sent, in the order of the picture in touch.h. */
err touches_receipt_take(struct touches *touches, uint32_t number, enum touch_status status,
                         str code, str response) MUST_USE;
void touches_key_of(const struct touches *touches, uint32_t number, char out[33]);
bool touches_key_number(const struct touches *touches, str key, uint32_t *number);

#endif
