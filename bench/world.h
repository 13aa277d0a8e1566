/* SPDX-License-Identifier: Apache-2.0 */
/* world: the demo brand house, seeded: who its people are, what they do, and who is who.
 *
 * The house of skin care and make-up that docs and demo speak of: three brands, shops on Tmall, JD,
 * Vipshop, Douyin and Pinduoduo, a mini-program, an app, H5 pages, WeCom, stores. It exists only as a
 * function of (seed, number): nothing is stored, nobody is real.
 *
 * Invariants
 *   G1 the same `struct world` gives the same people, events and bytes, on any machine.
 *   G2 a person is a function of its number, an event of its `struct world_event`: both in O(1), so
 *      events can be written in any order (by customer, by time) and for any range of people.
 *   G3 no phone belongs to anybody: mobile numbers lie in the segments 154, 160, 161, 163, 164 and
 *      168, which are of the form ^1[3-9]\d{9}$ but assigned to no operator; e-mail addresses are
 *      under post.example, a top level that is nobody's.
 *   G4 message ids are unique in a world and say the seed; a world sent twice counts once.
 *
 * People come in blocks of 1,000 whose first places are cast with what goes wrong in life (the
 * roles below), so that each world of some size has all of it, in the same proportions.
 *
 * Threads: a `struct world` is read-only after world_init; any thread. No function allocates save
 * world_plan, and world_free_events gives that back.
 */
#ifndef KITH_BENCH_WORLD_H
#define KITH_BENCH_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_DAYS 365
#define WORLD_BLOCK 1000
#define WORLD_ITEM_BYTES_MAX 6144 /* one event as JSON */
#define WORLD_ROW_BYTES_MAX 2048  /* one event as a CSV row */

/* X(NAME, key, channel, name for people, is public) */
#define WORLD_SOURCE_TABLE(X)                                           \
    X(TMALL, "tmall", "tmall", "天猫旗舰店", false)                     \
    X(JD, "jd", "jd", "京东自营", false)                                \
    X(DOUYIN, "douyin", "douyin", "抖音小店", false)                    \
    X(PDD, "pdd", "pdd", "拼多多旗舰店", false)                         \
    X(VIP, "vip", "vip", "唯品会", false)                               \
    X(MINI_PROGRAM, "mp_server", "mini_program", "小程序服务端", false) \
    X(H5, "h5", "web", "H5 活动页", true)                               \
    X(APP, "app", "app", "品牌 App", true)                              \
    X(WECOM, "wecom", "wecom", "企业微信", false)                       \
    X(STORE, "store", "store", "门店 POS", false)                       \
    X(CRM, "crm", "crm", "会员中心", false)

enum world_source {
#define X(name, ...) WORLD_##name,
    WORLD_SOURCE_TABLE(X)
#undef X
        WORLD_SOURCE_COUNT
};
/* The five shops of platforms come first. */
#define WORLD_PLATFORM_COUNT 5

/* What can happen. X(NAME, event name, kind) */
#define WORLD_TYPE_TABLE(X)                          \
    X(ORDER_PLACED, "Order Placed", TRACK)           \
    X(ORDER_PAID, "Order Paid", TRACK)               \
    X(ORDER_CANCELLED, "Order Cancelled", TRACK)     \
    X(ORDER_REFUNDED, "Order Refunded", TRACK)       \
    X(DEPOSIT_PAID, "Deposit Paid", TRACK)           \
    X(PARCEL_SHIPPED, "Parcel Shipped", TRACK)       \
    X(PARCEL_SIGNED, "Parcel Signed", TRACK)         \
    X(PARCEL_RETURNED, "Parcel Returned", TRACK)     \
    X(PRODUCT_VIEWED, "Product Viewed", TRACK)       \
    X(PRODUCT_ADDED, "Product Added", TRACK)         \
    X(PRODUCTS_SEARCHED, "Products Searched", TRACK) \
    X(CHECKOUT_STARTED, "Checkout Started", TRACK)   \
    X(COUPON_CLAIMED, "Coupon Claimed", TRACK)       \
    X(COUPON_USED, "Coupon Used", TRACK)             \
    X(CONTENT_SHARED, "Content Shared", TRACK)       \
    X(SKIN_TEST_TAKEN, "Skin Test Taken", TRACK)     \
    X(STORE_VISITED, "Store Visited", TRACK)         \
    X(CONTACT_ADDED, "Contact Added", TRACK)         \
    X(MESSAGE_RECEIVED, "Message Received", TRACK)   \
    X(SIGNED_IN, "Signed In", TRACK)                 \
    X(BEHAVIOUR, "", TRACK)                          \
    X(PAGE, "", PAGE)                                \
    X(SCREEN, "", SCREEN)                            \
    X(REGISTERED, "", IDENTIFY)                      \
    X(MEMBER_BOUND, "", IDENTIFY)                    \
    X(PHONE_CHANGED, "", IDENTIFY)                   \
    X(IDENTIFIED, "", IDENTIFY)

enum world_type {
#define X(name, ...) WORLD_EVENT_##name,
    WORLD_TYPE_TABLE(X)
#undef X
        WORLD_TYPE_COUNT
};

/* Brands' own events ("skin_file_opened", …): so many names beside the table above. */
#define WORLD_BEHAVIOUR_COUNT 280

/* What goes wrong in life; by place in the block. X(NAME, first place, one past the last) */
#define WORLD_ROLE_TABLE(X)                                                                \
    X(DORM, 0, 6)             /* six women, one address, one masked phone on the parcel */ \
    X(HOUSEHOLD, 6, 11)       /* a couple and a family of three: members with one phone */ \
    X(TABLET, 11, 15)         /* sign in one after another on a shop's tablet */           \
    X(EMPTY_PARCEL, 15, 25)   /* made-up buyers, one address and phone: no goods */        \
    X(TEST_VALUE, 25, 29)     /* the till asks for a phone: 13800000000 */                 \
    X(PHONE_GIVEN_UP, 29, 30) /* changes number; the old one goes to the next person */    \
    X(PHONE_TAKEN_OVER, 30, 31)                                                            \
    X(NEW_PHONE, 31, 35)   /* changes number, stays who she is */                          \
    X(TWO_WECHATS, 35, 45) /* one person, two WeChat accounts */                           \
    X(GIFT_GIVER, 45, 75)  /* orders go to the next person's address */

enum world_role {
    WORLD_ORDINARY,
#define X(name, ...) WORLD_ROLE_##name,
    WORLD_ROLE_TABLE(X)
#undef X
};

/* Bits: where a person is known; the first ones are the sources' numbers. */
enum world_holding {
    WORLD_HOLDS_TMALL = 1 << WORLD_TMALL,
    WORLD_HOLDS_JD = 1 << WORLD_JD,
    WORLD_HOLDS_DOUYIN = 1 << WORLD_DOUYIN,
    WORLD_HOLDS_PDD = 1 << WORLD_PDD,
    WORLD_HOLDS_VIP = 1 << WORLD_VIP,
    WORLD_HOLDS_MINI_PROGRAM = 1 << WORLD_MINI_PROGRAM,
    WORLD_HOLDS_H5 = 1 << WORLD_H5,
    WORLD_HOLDS_APP = 1 << WORLD_APP,
    WORLD_HOLDS_WECOM = 1 << WORLD_WECOM,
    WORLD_HOLDS_STORE = 1 << WORLD_STORE,
    WORLD_HOLDS_MEMBERSHIP = 1 << 11,
    WORLD_HOLDS_EMAIL = 1 << 12,
};

struct world {
    uint64_t seed;
    uint64_t people;                          /* numbers 0 … people - 1 */
    double events_per_person;                 /* mean; what is planned comes near it */
    bool fresh;                               /* events do not say that they are history */
    int64_t end_ms;                           /* the year ends here (UTC) */
    int64_t begin_ms;                         /* set by world_init */
    uint32_t day_weights_sum[WORLD_DAYS + 1]; /* seasons, 618, 11.11; cumulative */
    char dates[WORLD_DAYS + 2][12];           /* "2026-11-21" of each UTC day */
};

struct world_person {
    uint64_t number;
    enum world_role role;
    uint32_t holdings;        /* enum world_holding */
    uint32_t begin_s;         /* first known, seconds from the begin of the year; 0: before */
    uint32_t registered_s;    /* membership since; UINT32_MAX: never */
    uint32_t phone_changed_s; /* UINT32_MAX: never */
    uint16_t birth_year;
    uint8_t city, gender, brand, skin, birth_month, birth_day;
    char name[24]; /* UTF-8, terminated */
};

/* 16 bytes; everything else is a function of it. */
struct world_event {
    uint32_t person;
    uint32_t at_s;  /* from the begin of the year */
    uint16_t index; /* of the person's events: makes the message id */
    uint16_t visit; /* of the person: makes order number, products, behaviour */
    uint8_t type;   /* enum world_type */
    uint8_t source; /* enum world_source */
    uint8_t detail; /* which one, where a visit has several of the type */
    uint8_t flags;  /* enum world_event_flag */
};

enum world_event_flag {
    WORLD_SIGNED_IN_FLAG = 1 << 0, /* she was signed in: the event carries her user id */
    WORLD_SECOND_WECHAT = 1 << 1,  /* by her second account */
    WORLD_ON_TABLET = 1 << 2,      /* on the shop's tablet */
    WORLD_FIRST = 1 << 3,          /* first time at this source */
};

/* Text that is written to: the caller vouches for room (the *_BYTES_MAX above). */
struct world_text {
    char *at;
};

/* An identifier that a person really has, for the ground truth and the live clients. */
struct world_identifier {
    const char *type, *namespace_;
    char value[64];
    bool shared; /* others use it too: it must not join them */
};
#define WORLD_IDENTIFIERS_MAX 24

void world_init(struct world *world, uint64_t seed, uint64_t people, double events_per_person,
                int64_t end_ms);
void world_person(const struct world *world, uint64_t number, struct world_person *person);
/* Her identifiers; returns how many. */
size_t world_identifiers(const struct world *world, const struct world_person *person,
                         struct world_identifier out[WORLD_IDENTIFIERS_MAX]);

/* The year of the people [first, last): events by person and time. Caller frees with
 * world_free_events. NULL when memory runs out. */
struct world_event *world_plan(const struct world *world, uint64_t first, uint64_t last,
                               size_t *count);
void world_free_events(struct world_event **events);
/* Stable, by time. false when memory runs out. */
bool world_sort_by_time(struct world_event *events, size_t count);

/* One event as a Segment item ("type" first), or as a CSV row (columns of world_write_header). */
void world_write_item(const struct world *world, const struct world_event *event,
                      struct world_text *text);
void world_write_header(struct world_text *text);
/* The path by which the API finds who did it: "/api/v1/customers/by/{type}/{value}?namespace=…". */
void world_write_lookup(const struct world *world, const struct world_event *event,
                        struct world_text *text);
void world_write_row(const struct world *world, const struct world_event *event,
                     struct world_text *text);
/* A person with all identifiers as one line of JSON. */
void world_write_person(const struct world *world, const struct world_person *person,
                        struct world_text *text);
/* The products as a JSON array: [{product_id, sku, name, brand, category, price, image_url}]. */
void world_write_catalogue(struct world_text *text);

const char *world_source_key(enum world_source source);
const char *world_source_channel(enum world_source source);
const char *world_source_name(enum world_source source);
bool world_source_is_public(enum world_source source);
const char *world_role_key(enum world_role role);

#endif
