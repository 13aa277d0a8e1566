/* SPDX-License-Identifier: Apache-2.0 */
/* state: what the files of this room share. Private to journey/.
 *
 * Sizes: a position is 64 bytes, its timer 16 in the heap, its customer 4 to 8 in the index; what it remembers (key, properties
 * of the event that started it, replies) is one piece of memory of its own, or none. 10 million waiting ones are 0.9 GB.
 */
#ifndef KITH_JOURNEY_STATE_H
#define KITH_JOURNEY_STATE_H

#include <roaring/roaring.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/zone.h"
#include "journey/journey.h"

#define NONE UINT32_MAX
#define NO_NODE UINT16_MAX
/* Places that are no nodes of the graph. */
#define NODE_START 0xFFF0   /* she will enter at her time */
#define NODE_ABSENCE 0xFFF1 /* she did A; whether she does B is not known yet */
#define NODE_CONTROL 0xFFF2 /* held out: nothing happens to her, she is only counted */
#define NODE_AFTER 0xFFF3   /* has left; a goal may still be reached */

#define JOIN_DEPTH_MAX 8
#define GOALS_MAX 8
#define CASES_MAX 50
#define ARMS_MAX 50
#define OPERANDS_MAX 500
#define VERSION_ARENA_BYTES ((size_t)8 << 20)

/* ---- catalogue.c: every kind of trigger and node with its members, once ---- */

/* NAME, text, zh, en */
#define TRIGGER_KINDS(X)                                                      \
    X(EVENT, "event", "发生事件", "an event happens")                         \
    X(SEGMENT, "segment", "进入或离开人群", "she enters or leaves a segment") \
    X(TAG, "tag", "标签变化", "a tag of hers changes")                        \
    X(SCHEDULE, "schedule", "定时", "on a schedule")                          \
    X(DATE, "date", "客户的日期", "a date of hers")                           \
    X(ABSENCE, "absence", "做了 A 但没有做 B", "she did A but not B")         \
    X(API, "api", "接口调用", "called by the API")                            \
    X(MANUAL, "manual", "手动对人群", "by hand, for a segment")
enum trigger_kind {
#define X(NAME, text, zh, en) TRIGGER_##NAME,
    TRIGGER_KINDS(X)
#undef X
        TRIGGER_KIND_COUNT
};
#define NODE_KINDS(X)                                                                    \
    X(WAIT, "wait", "等待", "wait")                                                      \
    X(WAIT_UNTIL, "wait_until", "等到", "wait until something happens")                  \
    X(BRANCH, "branch", "分支", "branch")                                                \
    X(SPLIT, "split", "随机分流", "random split")                                        \
    X(HOLD_OUT, "hold_out", "对照组", "hold out")                                        \
    X(SEND, "send", "发送消息", "send")                                                  \
    X(COUPON, "coupon", "发券", "coupon")                                                \
    X(POINTS, "points", "发积分", "points")                                              \
    X(TASK, "task", "派任务", "task")                                                    \
    X(WEBHOOK, "webhook", "调用外部接口", "webhook")                                     \
    X(SET_TAG, "tag", "打标签", "set a tag")                                             \
    X(SET_TRAIT, "trait", "写属性", "set a trait")                                       \
    X(MEMBER, "segment", "加入或移出静态人群", "add to or remove from a static segment") \
    X(PAUSE, "pause", "暂停营销", "pause marketing")                                     \
    X(RESUME, "resume", "恢复营销", "marketing goes on")                                 \
    X(JOIN, "journey", "进入另一旅程", "join another journey")                           \
    X(GOAL, "goal", "目标", "goal")                                                      \
    X(EXIT, "exit", "退出", "exit")
enum node_kind {
#define X(NAME, text, zh, en) NODE_KIND_##NAME,
    NODE_KINDS(X)
#undef X
        NODE_KIND_COUNT
};
const char *trigger_kind_text(enum trigger_kind kind);
const char *node_kind_text(enum node_kind kind);
bool trigger_kind_find(str text, enum trigger_kind *kind);
bool node_kind_find(str text, enum node_kind *kind);
/* Is `name` a member of this kind of trigger, node or part? Else names like it go to `like`. */
bool catalogue_has_member(const char *part, str kind, str name, struct rule_suggestions *like);
void catalogue_suggest_kinds(const char *part, str wrong, struct rule_suggestions *like);

/* ---- what a definition says ---- */

enum compare {
    COMPARE_EQ,
    COMPARE_NE,
    COMPARE_IN,
    COMPARE_NOT_IN,
    COMPARE_LT,
    COMPARE_LTE,
    COMPARE_GT,
    COMPARE_GTE,
    COMPARE_BETWEEN,
    COMPARE_CONTAINS,
    COMPARE_STARTS_WITH,
    COMPARE_ENDS_WITH,
    COMPARE_IS_SET,
    COMPARE_IS_NOT_SET,
    COMPARE_COUNT
};
const char *compare_text(enum compare compare);

/* A text, a number in millionths, or a boolean. */
struct operand {
    enum template_kind kind;
    str text;
    int64_t number;
};
struct comparison {
    str path; /* "revenue", "products.0.sku"; of a branch "event.revenue", "customer.city", "vars.reply.ok" */
    enum compare compare;
    struct operand *operands;
    uint32_t operand_count;
};

/* One of these holds: {"any":[{"all":[…]}, …]} among the conditions on an event. */
struct match_way {
    struct comparison *all;
    uint32_t count;
};
struct match_any {
    struct match_way *ways;
    uint32_t count;
};

/* An event that counts: type, conditions on its properties, and what it must have in common with the position. */
struct event_match {
    str event; /* empty: none */
    struct comparison *where;
    uint32_t where_count;
    struct match_any *anys;
    uint32_t any_count;
    str same; /* this property equals that of the event which started the position */
};

/* A moment of the day and week at which a wait may end. */
struct calendar {
    bool has_time, of_customer; /* in her zone, not the workspace's */
    int32_t second_of_day;
    uint8_t weekdays; /* bit 0: Monday; 0: any */
};

enum case_kind { CASE_RULE, CASE_SEGMENT, CASE_VALUE, CASE_TOUCH };
struct branch_case {
    enum case_kind kind;
    uint16_t next;
    uint32_t rule; /* CASE_RULE: index in version->rules */
    str segment;   /* CASE_SEGMENT */
    struct comparison value;
    uint16_t touch;      /* node */
    uint32_t status_set; /* bit per enum touch_status */
    str name;
};
struct split_arm {
    uint16_t next;
    uint32_t weight;
    str name;
};
/* A wait whose timer ran later than it may (the server was down, the journey paused): go on at once, leave out the message behind it,
 * wait for its time of day to come again, wait all of it once more, leave. */
enum late { LATE_GO, LATE_SKIP, LATE_WINDOW, LATE_AGAIN, LATE_EXIT };

struct node {
    str id, name;
    enum node_kind kind;
    uint16_t next;  /* NO_NODE: the end */
    uint16_t other; /* time-out, else, held out, failed */
    uint16_t suppressed;
    bool has_other, has_suppressed;
    /* wait, wait_until */
    int64_t for_ms, offset_ms, timeout_ms, patience_ms, late_after_ms;
    struct calendar calendar;
    str date; /* path of a value that is a time */
    enum late late;
    struct event_match match, restart;
    uint32_t rule;   /* NONE */
    bool rule_holds; /* wait until it does, else until it does not */
    str segment;
    /* branch, split, hold_out */
    struct branch_case *cases;
    uint32_t case_count;
    struct split_arm *arms;
    uint32_t arm_count, weight_sum;
    int64_t percent_millionths;
    /* send and its like */
    str channel, account, form, template_, purpose, brand, campaign, vars;
    str order_path, content_key;
    bool is_transactional, waits;
    int priority;
    int64_t expires_ms, cost_minor;
    /* tag, trait, segment, journey, goal, webhook's variable, coupon */
    str key, value, from; /* from: the path of a value that is taken over */
    bool removes;
    uint8_t goal; /* index */
    str reason;
};

struct exit_rule {
    str name;
    struct event_match match;
    uint32_t rule; /* NONE */
    str segment;
};
struct goal {
    str key, name, value_path;
    struct event_match match;
    uint32_t rule; /* NONE */
    str segment;
    int64_t within_ms, refunds_ms; /* for so long a refund takes back what an order brought */
    bool exits;
};

enum every { EVERY_HOUR, EVERY_DAY, EVERY_WEEK, EVERY_MONTH, EVERY_YEAR };
struct schedule {
    enum every every;
    uint32_t interval;
    uint8_t weekdays;
    uint32_t month_days; /* bit per day */
    bool last_day;       /* BYMONTHDAY=-1 */
    uint16_t months;
    uint32_t hours;
    uint64_t minutes;
    int64_t start_ms, until_ms;
    uint32_t count; /* 0: for ever */
};

struct trigger {
    enum trigger_kind kind;
    struct event_match match, absent;
    int64_t within_ms, patience_ms, offset_ms;
    str segment, tag, trait, key_path;
    struct operand tag_value;
    bool leaves, of_customer, yearly, restarts;
    struct schedule schedule;
    uint32_t rule; /* of a date: who is due today; NONE */
};
enum reentry { REENTRY_ALWAYS, REENTRY_NEVER, REENTRY_AFTER };
struct entry {
    uint32_t rule; /* NONE */
    str segment;
    enum reentry reentry;
    int64_t reentry_after_ms;
    uint64_t total_max, day_max, hour_max;
    uint32_t parallel_max; /* positions of one customer at a time */
    int64_t hold_out_millionths;
};

struct held_rule {
    char key[JOURNEY_RULE_KEY_BYTES];
    str json, pointer;
};
/* Immutable once published; `waiting` and `held_rules[].key` apart. */
struct version {
    struct journey *journey;
    uint32_t number;
    struct arena arena;
    str body;
    struct trigger trigger;
    struct entry entry;
    struct exit_rule *exits;
    uint32_t exit_count;
    struct goal *goals;
    uint32_t goal_count;
    int64_t goal_window_ms; /* the longest */
    enum late late;         /* of waits that say nothing else */
    int64_t late_after_ms;
    struct node *nodes;
    uint16_t node_count, start;
    struct held_rule *rules;
    uint32_t rule_count;
    str *kept; /* properties of the event that are remembered; all, if there are few bytes */
    uint32_t kept_count;
    str brand, purpose, campaign;
    bool is_plain; /* chooses nobody by what is known of her, as its maker says */
    bool is_held;  /* its rules are */
    bool pauses;   /* has a node that does */
    int64_t published_ms;
    uint32_t *waiting; /* per node, and then START, ABSENCE, CONTROL, AFTER */
    uint32_t position_count;
};

#define JOURNEY_STATES(X)     \
    X(DRAFT, "draft")         \
    X(PREPARING, "preparing") \
    X(LIVE, "live")           \
    X(PAUSED, "paused")       \
    X(FINISHING, "finishing") \
    X(STOPPED, "stopped")     \
    X(DELETED, "deleted")
enum journey_state {
#define X(NAME, text) JOURNEY_##NAME##_STATE,
    JOURNEY_STATES(X)
#undef X
        JOURNEY_STATE_COUNT
};
const char *journey_state_text(enum journey_state state);

/* What is done for many positions, a few at a time (due.c). */
enum work_kind { WORK_NONE, WORK_CLOSE, WORK_MOVE };

struct journey {
    uint16_t number; /* from 1 */
    str key, name, folder;
    char *text; /* the draft's body */
    size_t text_size;
    enum journey_state state;
    struct version **versions; /* by number - 1 */
    uint32_t version_count, live_version;
    uint32_t next_version; /* published, its rules are not ready yet; 0: none */
    uint32_t ramp_percent;
    bool needs_approval, only_test_users;
    uint32_t approved_by, approved_draft, draft_number;
    str test_segment;
    int64_t created_ms, changed_ms;
    uint32_t user_number;
    enum work_kind work;
    uint32_t work_version;
    char *work_map;      /* JSON of node to node, or NULL */
    int64_t next_run_ms; /* of its schedule; INT64_MAX */
    uint32_t run_count;
    uint64_t entered, day_entered, hour_entered;
    uint64_t failed_elsewhere; /* of an overlay: of its other parts, held for the operator */
    int64_t day, hour;
    bool
        is_dirty; /* counted since it was stored: goes with the next commit, once for all who entered */
    char stop_reason[64];
};

/* ---- positions ---- */

enum position_state {
    POSITION_FREE,
    POSITION_WAITING, /* at a node, for a timer, a condition or a touch */
    POSITION_FAILED,  /* held for the operator */
    POSITION_MERGED,  /* another one survived; comes back with a split */
};
enum position_flag {
    POSITION_STALLED = 1 << 0, /* was due while its journey was paused */
    POSITION_WOKEN = 1 << 1,   /* by its event while paused */
    POSITION_TEST = 1 << 2,
    POSITION_WAS_LATE = 1 << 3,
    POSITION_PATIENT = 1 << 4, /* its time is over, the sources have not told yet */
};

struct position {
    uint64_t number;
    int64_t entered_ms, due_ms; /* INT64_MAX: no timer */
    uint8_t *context;           /* context.c; NULL: nothing */
    uint32_t customer, node_born;
    uint32_t next;    /* of the same customer; NONE */
    uint32_t since_s; /* after entering */
    uint16_t step_rows, context_bytes;
    uint16_t journey, version, node;
    uint8_t state, flags;
    uint8_t goals;   /* reached, bit per goal */
    uint16_t visits; /* of nodes that touch */
};
_Static_assert(sizeof(struct position) <= 64, "ten million of them have to fit");

#define SLAB_BITS 16
#define SLAB_SIZE (UINT32_C(1) << SLAB_BITS)

/* Due, number, slot in 128 bits, so that one comparison gives the order (due, number): high = due_ms << 20 | number >> 28,
 * low = number << 36 | slot. One whose position has another due time by now is stale and stepped over. */
struct timer {
    uint64_t high, low;
};

struct positions {
    struct position **slabs;
    uint32_t slab_count, slot_count, free_first;
    uint32_t *customers; /* open addressing: slot of the customer's first position, + 1 */
    uint32_t customer_capacity, customer_used;
    struct timer *timers;                           /* a heap of four branches */
    size_t timer_count, timer_capacity, timers_set; /* timers_set: those that are not stale */
    uint64_t number_next, living, failed, merged;
    size_t context_bytes;
    struct buffer writing, touches; /* of a context that is being written */
};

static inline struct position *position_at(const struct positions *positions, uint32_t slot)
{
    return &positions->slabs[slot >> SLAB_BITS][slot & (SLAB_SIZE - 1)];
}
/* walk.c: in the journey itself, not before it, beside it or after it. */
bool position_is_inside(const struct position *position);
err positions_init(struct positions *positions) MUST_USE;
void positions_deinit(struct positions *positions);
err position_new(struct positions *positions, uint32_t customer, uint32_t *slot) MUST_USE;
void position_free(struct positions *positions, uint32_t slot);
uint32_t position_first(const struct positions *positions, uint32_t customer); /* NONE */
err position_rehome(struct positions *positions, uint32_t slot, uint32_t customer) MUST_USE;
/* INT64_MAX: none. What was set before does not count any more. */
err position_timer(struct positions *positions, uint32_t slot, int64_t due_ms) MUST_USE;
/* The next that is due by `now_ms`, taken out; NONE. */
uint32_t position_take_due(struct positions *positions, int64_t now_ms);
int64_t positions_next_due_ms(struct positions *positions);
/* The same for many: those that are due by `now_ms`, at most `max`, are taken out; then one after the other, in the order in which
 * position_take_due would have given them, NONE after the last; what is left is given back. */
size_t positions_take_batch(struct positions *positions, int64_t now_ms, struct timer *batch,
                            size_t max);
uint32_t positions_next_of_batch(struct positions *positions, const struct timer *batch,
                                 size_t count, size_t *next);
err positions_give_back(struct positions *positions, const struct timer *batch, size_t count,
                        size_t next) MUST_USE;
/* What a batch will touch is brought into the cache; `soon` (may be NULL) does so for what is known of her elsewhere. */
void positions_fetch(const struct positions *positions, const struct timer *batch, size_t count,
                     void (*soon)(void *context, uint32_t customer, int stage), void *context);
size_t positions_bytes(const struct positions *positions);
bool positions_check(const struct positions *positions, char *first, size_t first_size);

/* ---- context.c: what a position remembers ----
 *
 *   varint size, key · varint size, JSON of kept properties · varint size, JSON of variables ·
 *   varint count, then per touch: varint node, varint touch, u8 status */
#define CONTEXT_BYTES_MAX ((size_t)UINT16_MAX) /* with replies */
struct context {
    str key, event, vars;
    uint32_t touch_count;
    str touches; /* still encoded */
};
void context_read(const struct position *position, struct context *context);
/* Replaces it; nothing at all becomes NULL. TOO_LARGE. */
err context_write(struct positions *positions, struct position *position,
                  const struct context *context) MUST_USE;
err context_set_raw(struct positions *positions, struct position *position, str bytes) MUST_USE;
static inline str context_raw(const struct position *position)
{
    return str_from_bytes(position->context, position->context_bytes);
}
err context_put_touch(struct journeys *journeys, struct position *position, uint16_t node,
                      uint64_t touch, uint8_t status) MUST_USE;
bool context_touch(const struct position *position, uint16_t node, uint64_t *touch,
                   uint8_t *status);
/* vars[name] = json */
err context_put_var(struct journeys *journeys, struct position *position, str name,
                    str json) MUST_USE;

/* ---- counts ---- */

#define COUNT_KINDS(X)                                                                                              \
    X(ENTERED, "entered") X(LEFT, "left") X(TIMED_OUT, "timed_out") X(OTHER, "other") X(QUEUED, "queued")           \
            X(HELD, "held") X(SENT, "sent") X(DELIVERED, "delivered") X(CLICKED, "clicked") X(FAILED, "failed")     \
                    X(SUPPRESSED, "suppressed") X(UNCERTAIN, "uncertain") X(EXITED, "exited") X(REFUSED, "refused") \
                            X(GOALS, "goals") X(VALUE, "value") X(VALUE_SQUARED, "value_squared")                   \
                                    X(BUYERS, "buyers") X(REFUNDED, "refunded")
enum count_kind {
#define X(NAME, text) COUNT_##NAME,
    COUNT_KINDS(X)
#undef X
        COUNT_KIND_COUNT
};
const char *count_text(enum count_kind kind);
struct count_row {
    uint16_t journey, version;
    uint16_t node; /* or one of those that are none */
    uint16_t goal; /* + 1; 0: of the node */
    int32_t day;   /* local, since 1970 */
    bool is_dirty;
    int64_t counts[COUNT_KIND_COUNT];
};
struct counts {
    struct count_row *rows;
    uint32_t count, capacity;
    uint32_t *index; /* open addressing, + 1 */
    uint32_t index_capacity;
    uint32_t *dirty;
    uint32_t dirty_count, dirty_capacity;
};
err counts_add(struct journeys *journeys, const struct version *version, uint16_t node,
               uint16_t goal, int64_t at_ms, enum count_kind kind, int64_t by) MUST_USE;
/* Added, row by row; nothing of it is to be stored (an overlay). */
err counts_absorb(struct counts *counts, const struct counts *other) MUST_USE;
err counts_load(struct counts *counts, const struct count_row *row) MUST_USE;
void counts_commit(struct counts *counts, struct ledger_writes *writes);
void counts_deinit(struct counts *counts);

/* ---- goals by order: a refund takes back what it brought (conversion.c) ---- */

struct conversion {
    uint64_t number, order_hash;
    int64_t at_ms, value, refunded;        /* at_ms: where it is counted */
    uint16_t journey, version, node, goal; /* node: START or CONTROL; goal: + 1 */
    uint32_t next;                         /* of the same order, + 1 */
};
struct conversions {
    struct conversion *rows;
    uint32_t count, capacity;
    uint32_t *orders; /* open addressing: newest row of an order, + 1 */
    uint32_t order_capacity, order_count;
};
/* Of an order that brought this value; nothing where it brought none. */
struct walk;
err conversion_add(struct walk *walk, uint16_t node, uint16_t goal, int64_t value) MUST_USE;
err conversion_load(struct journeys *journeys, const struct conversion *row) MUST_USE;
/* A refund or cancellation: what the order brought is taken back, as far as it goes back. */
err conversion_event(struct journeys *journeys, const struct event *event,
                     struct journey_moment moment, struct ledger_writes *writes) MUST_USE;
uint64_t conversion_order(const struct event *event); /* 0: of no order */
void conversions_digest(const struct conversions *conversions, struct digest *digest);
void conversions_deinit(struct conversions *conversions);

/* ---- who entered before: for re-entry ---- */

struct entries {
    uint64_t *hashes; /* open addressing; 0 free */
    uint32_t *at_s;
    uint32_t capacity, used;
};
err entries_put(struct entries *entries, uint64_t hash, int64_t at_ms) MUST_USE;
bool entries_get(const struct entries *entries, uint64_t hash, int64_t *at_ms);
void entries_deinit(struct entries *entries);

/* ---- waves: many enter, a few at a time ---- */

struct wave {
    uint64_t number;
    uint16_t journey;
    int64_t started_ms, not_before_ms;
    uint32_t cursor; /* customers up to it are done */
    uint64_t entered, refused;
    uint64_t size;
    roaring_bitmap_t *members;
    struct wave *next;
};

/* ---- steps: what happened to a position, for report and explain ---- */

#define STEP_KINDS(X)                                                         \
    X(ENTERED, "entered", "进入旅程", "entered")                              \
    X(ARRIVED, "arrived", "到达", "came to")                                  \
    X(WAITS, "waits", "等待到", "waits until")                                \
    X(TIME, "time", "时间到", "its time came")                                \
    X(HAPPENED, "happened", "等到了", "what it waited for happened")          \
    X(TIMED_OUT, "timed_out", "等待超时", "waited in vain")                   \
    X(BRANCHED, "branched", "走分支", "took the branch")                      \
    X(TOUCHED, "touched", "触达", "touch")                                    \
    X(DID, "did", "已执行", "done")                                           \
    X(GOAL, "goal", "达成目标", "reached the goal")                           \
    X(EXITED, "exited", "离开旅程", "left")                                   \
    X(FAILED, "failed", "停在此处待处理", "is held here: it failed")          \
    X(MERGED, "merged", "合并到另一位置", "was merged into another position") \
    X(RESTORED, "restored", "拆分后恢复", "came back with a split")           \
    X(MOVED, "moved", "移到新版本", "was moved to another version")           \
    X(HELD_OUT, "held_out", "进入对照组", "is in the control group")
enum step_kind {
#define X(NAME, text, zh, en) STEP_##NAME,
    STEP_KINDS(X)
#undef X
        STEP_KIND_COUNT
};
struct step_info {
    const char *text, *zh, *en;
};
const struct step_info *step_info(enum step_kind kind);

/* ---- interest: which versions want to hear of an event or a move ---- */

struct interest {
    str name;                  /* of the event, or key of the segment or tag */
    struct version **versions; /* whose trigger it is */
    uint32_t count;
    bool by_positions; /* some position may wait for it */
};
struct interests {
    struct interest *rows;
    uint32_t count, capacity;
    uint32_t *index;
    uint32_t index_capacity;
};

struct join {
    struct join *next;
    uint32_t customer, node_born;
    uint16_t journey;
    uint8_t depth, flags;
    char *key, *event;
    size_t key_size, event_size;
};

struct patrol {
    uint32_t slot;           /* to be looked at next */
    uint64_t found, defects; /* in this round; in the last */
};

/* since.c: who entered or left a journey in this record; numbers may come twice. */
struct since {
    bool is_watched, is_lost; /* lost: there was no memory to note one */
    uint32_t *changed;
    size_t count, capacity;
};
struct journeys;
void since_note(struct journeys *journeys, uint32_t customer);
/* A rule of the journey `key`, as it is held: a bare "since_entering" means this journey. */
err since_parse_rule(struct journeys *journeys, str json, str key, json_value *rule,
                     struct problem *problem) MUST_USE;
/* journey.c: is it in use, and does it hold this rule? */
bool version_holds_rule(const struct version *version, str rule);

struct journeys {
    bool is_overlay;
    struct patrol patrol;
    struct journeys_config config;
    const struct journey_world *world;
    struct zone *zone;
    struct journey **journeys;
    uint32_t journey_count; /* numbers are below it */
    struct positions positions;
    struct counts counts;
    struct entries entries;
    struct conversions conversions;
    struct wave *waves;
    uint64_t wave_next;
    struct interests events, moves;
    struct join *joins, *joins_last;
    uint32_t join_depth;
    struct json_parser *parser;       /* of an event or reply that is being looked at */
    struct json_parser *parser_inner; /* of a position's own texts */
    struct buffer scratch, steps, text;
    uint64_t step_count, defects;
    _Atomic int64_t next_due_ms;
    uint64_t conversion_count;
    /* work over many positions of a journey: numbers in order, made again after a start */
    uint64_t *work_numbers;
    uint32_t *work_slots;
    size_t work_count, work_done;
    uint16_t work_journey;
    struct since since;
    void (*stepped)(void *context,
                    const struct journey_step *step); /* of an overlay; may be NULL */
    void *stepped_context;
    const struct journey *tried; /* of an overlay: no event starts anybody in it; may be NULL */
};

/* ---- parse.c, parse_node.c, parse_match.c, parse_schedule.c ---- */

struct parsing {
    struct journeys *journeys;
    struct version *version;
    struct problem *problem;
    json_value nodes;
    err error;
};
/* Of a draft: `version` holds everything; rules are checked, not held. */
err version_parse(struct journeys *journeys, json_value body, struct version **version,
                  struct problem *problem) MUST_USE;
void version_free(struct version **version);
err journey_parse_fail(struct parsing *parsing, const char *pointer, const char *format,
                       ...) MUST_USE __attribute__((format(printf, 3, 4)));
err journey_parse_members(struct parsing *parsing, const char *part, str kind, json_value object,
                          const char *pointer) MUST_USE;
err journey_parse_text(struct parsing *parsing, json_value object, const char *name,
                       const char *pointer, bool is_needed, str *text) MUST_USE;
/* `late` and `late_after` of a wait, or of all of them; what is not said stays. */
err journey_parse_late(struct parsing *parsing, json_value object, const char *pointer,
                       enum late *late, int64_t *late_after_ms) MUST_USE;
err journey_parse_duration(struct parsing *parsing, json_value object, const char *name,
                           const char *pointer, int64_t otherwise, int64_t *ms) MUST_USE;
err journey_parse_bool(struct parsing *parsing, json_value object, const char *name,
                       const char *pointer, bool otherwise, bool *value) MUST_USE;
err journey_parse_number(struct parsing *parsing, json_value object, const char *name,
                         const char *pointer, int64_t least, int64_t most, int64_t otherwise,
                         int64_t *value) MUST_USE;
err journey_parse_percent(struct parsing *parsing, json_value object, const char *name,
                          const char *pointer, int64_t *millionths) MUST_USE;
err journey_parse_time_of_day(struct parsing *parsing, str text, const char *pointer,
                              int32_t *second) MUST_USE;
err journey_parse_weekdays(struct parsing *parsing, json_value value, const char *pointer,
                           uint8_t *weekdays) MUST_USE;
err journey_parse_match(struct parsing *parsing, json_value object, const char *pointer,
                        struct event_match *match) MUST_USE;
err journey_parse_comparison(struct parsing *parsing, json_value object, const char *path_name,
                             const char *pointer, struct comparison *comparison) MUST_USE;
err journey_parse_rule(struct parsing *parsing, json_value object, const char *pointer,
                       uint32_t *rule) MUST_USE;
err journey_parse_segment(struct parsing *parsing, json_value object, const char *name,
                          const char *pointer, str *segment) MUST_USE;
err journey_parse_raw(struct parsing *parsing, json_value value, str *json) MUST_USE;
err journey_parse_keep(struct parsing *parsing, str property) MUST_USE;
err journey_parse_node(struct parsing *parsing, json_value object, struct node *node) MUST_USE;
err journey_parse_schedule(struct parsing *parsing, json_value object, const char *pointer,
                           struct schedule *schedule) MUST_USE;

/* ---- calendar.c ---- */

/* The first moment not before `at_ms` that is at this time of day, on such a day. */
int64_t calendar_next(const struct journeys *journeys, const struct calendar *calendar,
                      uint32_t customer, int64_t at_ms);
/* The first run after `after_ms`; INT64_MAX: none. In the zone of the workspace. */
int64_t schedule_next(const struct journeys *journeys, const struct schedule *schedule,
                      int64_t after_ms);
int64_t local_to_utc(const struct journeys *journeys, int64_t local_ms);
int64_t utc_to_local(const struct journeys *journeys, int64_t at_ms);
int32_t journey_local_day(const struct journeys *journeys, int64_t at_ms);

/* ---- compare.c ---- */

bool comparison_holds(const struct comparison *comparison, const struct template_value *value);
/* A property by its path, "products.0.sku". */
json_value json_path(json_value root, str path);
bool match_holds(struct journeys *journeys, const struct event_match *match,
                 const struct event *event, json_value props, const struct position *position);

/* ---- walk.c, node.c ---- */

/* A position being moved, within one record. */
struct walk {
    struct journeys *journeys;
    struct ledger_writes *writes;
    struct version *version;
    struct position *position;
    uint32_t slot;
    uint64_t seq;
    int64_t now_ms; /* of the record: gates */
    int64_t at_ms;  /* when it was due, or happened: what is waited for counts from here */
    uint32_t steps;
    uint64_t order_hash; /* of the event that woke it; 0: of no order */
    str order_id;        /* the same in words */
    bool closed, stands; /* stands: counted as waiting where it is */
    const char *reason;  /* of closing */
};
void journey_walk_begin(struct walk *walk, struct journeys *journeys, uint32_t slot,
                        struct journey_moment moment, int64_t at_ms, struct ledger_writes *writes);
/* Writes the position and what was done. */
err journey_walk_end(struct walk *walk, err error) MUST_USE;
/* From the node where it stands, as if it came there now. */
err journey_walk_from(struct walk *walk, uint16_t node) MUST_USE;
/* Its timer came, or what it waits for. */
enum wake { WAKE_TIME, WAKE_HAPPENED };
err journey_walk_wake(struct walk *walk, enum wake wake) MUST_USE;
err journey_walk_close(struct walk *walk, const char *reason, str detail) MUST_USE;
err journey_walk_fail(struct walk *walk, const char *reason, str detail) MUST_USE;
/* Stop here, until `due_ms` or until something else wakes it. */
err journey_walk_stay(struct walk *walk, uint16_t node, int64_t due_ms) MUST_USE;
void journey_walk_step(struct walk *walk, enum step_kind kind, uint16_t node, const char *what,
                       str detail);
err journey_walk_count(struct walk *walk, uint16_t node, enum count_kind kind, int64_t by) MUST_USE;
err journey_walk_goal(struct walk *walk, uint32_t goal, int64_t value, str what) MUST_USE;
struct version *version_of(const struct journeys *journeys, const struct position *position);
uint16_t journey_place(const struct version *version, uint16_t node);
/* What a node does: where to go on, or stay. */
struct verdict {
    bool stays, closes;
    uint16_t next;
    int64_t due_ms;
};
/* effect.c: what is done at once; where it cannot be (a tag that is gone), that is a step and a count, no error. */
err effect_set(struct walk *walk, uint16_t at, const struct node *node) MUST_USE;
err effect_pause(struct walk *walk, uint16_t at, const struct node *node) MUST_USE;
err effect_join(struct walk *walk, uint16_t at, const struct node *node) MUST_USE;
err node_do(struct walk *walk, uint16_t node, struct verdict *verdict) MUST_USE;
/* It stood there and was woken: where to go on, or stay once more. */
err node_wake(struct walk *walk, uint16_t node, enum wake wake, struct verdict *verdict) MUST_USE;
void node_value(struct walk *walk, str path, struct template_value *value);
/* Does it bring a touch? */
bool node_is_touch(const struct node *node);
int64_t wait_due(struct walk *walk, const struct node *node, int64_t from_ms, bool *is_known);
/* Does one of the exit rules hold of her now? Its name. */
bool exit_holds(struct journeys *journeys, const struct version *version, uint32_t customer,
                str *name);

/* ---- enter.c ---- */

struct entering {
    struct journey *journey;
    uint32_t customer, node_born;
    str key, event; /* JSON of what is remembered; may be empty */
    int64_t at_ms;
    bool is_test;
    bool is_anyway; /* of an overlay: whatever speaks against it */
    struct journey_moment moment;
    struct ledger_writes *writes;
};
/* Enters unless something is against it: `refusal` says what ("" : she is in). */
err journey_enter_one(struct journeys *journeys, const struct entering *entering,
                      const char **refusal, uint64_t *position) MUST_USE;
err enter_joins(struct journeys *journeys, struct journey_moment moment,
                struct ledger_writes *writes) MUST_USE;
/* What of an event is remembered by positions of this version. */
/* kept_out.c: why she may not be in it, or "". */
const char *enter_kept_out(const struct journeys *journeys, const struct version *version,
                           uint32_t customer);
err keep_of_event(struct journeys *journeys, const struct version *version, json_value props,
                  struct buffer *out) MUST_USE;
/* What speaks against it, "" for nothing; nothing is counted. */
const char *enter_refusal(struct journeys *journeys, const struct entering *entering);
uint64_t entry_hash(uint16_t journey, uint32_t node, str key);
double journey_chance(const struct journeys *journeys, uint32_t customer, str journey, str what);

/* ---- due.c ---- */

void due_changed(struct journeys *journeys);
err wave_new(struct journeys *journeys, struct journey *journey, str segment,
             struct journey_moment moment, int64_t not_before_ms, struct ledger_writes *writes,
             struct wave **wave) MUST_USE;
void wave_free(struct wave **wave);
void schedule_set(struct journeys *journeys, struct journey *journey, int64_t now_ms);

/* Runs the timer of this position, which has been taken out. */
err due_run(struct journeys *journeys, uint32_t slot, int64_t due_ms, struct journey_moment moment,
            struct ledger_writes *writes) MUST_USE;
/* What is to be done for many positions of a journey is begun, or goes on after a start. */
err work_begin(struct journeys *journeys, struct journey *journey, enum work_kind kind,
               uint32_t version) MUST_USE;

/* ---- interest.c ---- */

err interests_make(struct journeys *journeys) MUST_USE;
void interests_deinit(struct interests *interests);
const struct interest *interest_find(const struct interests *interests, str name);

/* ---- fork.c ---- */

/* The steps of a walk that ends, to whoever hears an overlay. */
void fork_tell_steps(struct journeys *overlay, const struct walk *walk);

/* ---- store.c ---- */

void store_journey(const struct journey *journey, struct ledger_writes *writes);
void store_version(const struct version *version, struct ledger_writes *writes);
/* `reason` "": it lives. */
void store_position(const struct position *position, const char *reason, int64_t closed_ms,
                    struct ledger_writes *writes);
void store_steps(struct journeys *journeys, struct position *position, int64_t at_ms, uint64_t seq,
                 struct ledger_writes *writes);
void store_wave(const struct wave *wave, bool members, struct ledger_writes *writes);
void store_wave_gone(const struct wave *wave, struct ledger_writes *writes);

/* ---- command.c ---- */

struct journey *journey_find(const struct journeys *journeys, str key);
struct version *journey_version(const struct journey *journey, uint32_t number);
struct version *live_version(const struct journey *journey);
err journey_new(struct journeys *journeys, uint16_t number, str key,
                struct journey **journey) MUST_USE;
void journey_free(struct journey *journey);
err journey_take_text(struct journey *journey, json_value body) MUST_USE;
err version_add(struct journey *journey, struct version *version) MUST_USE;

#endif
