/* SPDX-License-Identifier: Apache-2.0 */
/* inside: what the files of the world share: chance, text, the catalogue, the writing of identifiers. */
#ifndef KITH_BENCH_WORLD_INSIDE_H
#define KITH_BENCH_WORLD_INSIDE_H

#include <string.h>

#include "../world.h"

#define HOUR_S 3600u
#define DAY_S 86400u
#define YEAR_S (WORLD_DAYS * DAY_S)
#define NEVER_S UINT32_MAX
#define ZONE_S (8 * 3600) /* the house keeps Shanghai time */

/* ---- chance: a hash of seed, subject, purpose; splitmix64 (Steele, Lea, Flood 2014) ---- */

enum purpose {
    CHANCE_HOLDINGS = 1,
    CHANCE_NAME,
    CHANCE_CITY,
    CHANCE_BIRTH,
    CHANCE_SKIN,
    CHANCE_BEGIN,
    CHANCE_REGISTERED,
    CHANCE_ACTIVITY,
    CHANCE_VISIT_TIME,
    CHANCE_VISIT_KIND,
    CHANCE_VISIT,
    CHANCE_ORDER,
    CHANCE_LINE,
    CHANCE_EVENT,
    CHANCE_DEVICE,
    CHANCE_AGENT,
    CHANCE_UNIONID,
    CHANCE_OPENID,
    CHANCE_EXTERNAL,
    CHANCE_PLATFORM,
    CHANCE_ANONYMOUS,
    CHANCE_TABLET,
    CHANCE_ADDRESS,
    CHANCE_CARD,
    CHANCE_SESSION,
    CHANCE_MESSAGE,
};

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t chance(const struct world *world, enum purpose purpose, uint64_t subject,
                              uint64_t nth)
{
    uint64_t x = world->seed + UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)purpose;
    x = mix(x + subject * UINT64_C(0xd1342543de82ef95));
    return mix(x + (nth + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

/* 0 … limit - 1, from the upper 32 bits. */
static inline uint32_t below(uint64_t draw, uint32_t limit)
{
    return (uint32_t)(((draw >> 32) * limit) >> 32);
}
/* 0 ≤ x < 1 */
static inline double unit(uint64_t draw)
{
    return (double)(draw >> 11) * 0x1p-53;
}

/* ---- text ---- */

static inline void put_bytes(struct world_text *text, const char *bytes, size_t size)
{
    memcpy(text->at, bytes, size);
    text->at += size;
}
#define PUT(text, literal) put_bytes((text), "" literal, sizeof(literal) - 1)
static inline void put_text(struct world_text *text, const char *words)
{
    put_bytes(text, words, strlen(words));
}
static inline void put_byte(struct world_text *text, char byte)
{
    *text->at++ = byte;
}
void put_digits(struct world_text *text, uint64_t number, unsigned width); /* leading zeros */
void put_number(struct world_text *text, uint64_t number);
void put_fen(struct world_text *text, int64_t amount_fen); /* 299.00 */
void put_base62(struct world_text *text, uint64_t draw, unsigned width);
void put_uuid(struct world_text *text, uint64_t high, uint64_t low); /* version 4 */
/* "2026-11-21T08:00:00.123Z" of a moment of the year. */
void put_time(struct world_text *text, const struct world *world, uint32_t at_s, unsigned ms);

/* ---- the brand house ---- */

#define BRAND_COUNT 3
#define PRODUCTS_PER_BRAND 40
#define PRODUCT_COUNT (BRAND_COUNT * PRODUCTS_PER_BRAND)
#define CITY_COUNT 40
#define STORE_COUNT 500

struct brand {
    const char *key, *name, *appid;
    const char *series[5], *forms[8];
    uint16_t prices_yuan[8];
    const char *sizes[8], *categories[8];
};
struct city {
    const char *name, *province;
    uint16_t weight;
};
extern const struct brand world_brands[BRAND_COUNT];
extern const struct city world_cities[CITY_COUNT];
extern const char *const world_skins[6];
/* Where the buyer's open id of a platform is valid: the house's app there. */
extern const char *const world_platform_apps[WORLD_PLATFORM_COUNT];
extern const char *const world_platform_types[WORLD_PLATFORM_COUNT];
extern const char *const world_platform_shops[WORLD_PLATFORM_COUNT];

unsigned city_draw(uint64_t draw);
void name_write(const struct world *world, uint64_t number, uint8_t gender, char out[24]);
int64_t product_price_fen(unsigned product);
void put_product_name(struct world_text *text, unsigned product);
void put_product_id(struct world_text *text, unsigned product);
void put_behaviour(struct world_text *text, unsigned behaviour);

/* ---- identifiers, as text ---- */

uint64_t household_of(const struct world_person *person); /* whose phone she gives */
void put_user_id(struct world_text *text, uint64_t number);
void put_card(struct world_text *text, const struct world *world, uint64_t number);
void put_mobile(struct world_text *text, uint64_t number, unsigned nth);
/* What she gives as her phone at that moment (a household's, a test value at the till, …). */
void put_mobile_at(struct world_text *text, const struct world_person *person,
                   enum world_source source, uint32_t at_s);
void put_unionid(struct world_text *text, const struct world *world, uint64_t number, bool second);
void put_openid(struct world_text *text, const struct world *world, uint64_t number, unsigned brand,
                bool second);
void put_external_userid(struct world_text *text, const struct world *world, uint64_t number);
void put_platform_id(struct world_text *text, const struct world *world, uint64_t number,
                     enum world_source platform);
void put_anonymous_id(struct world_text *text, const struct world *world, uint64_t number,
                      enum world_source source, bool tablet);
void put_device_id(struct world_text *text, const struct world *world, uint64_t number);
void put_receiver_key(struct world_text *text, const struct world *world,
                      const struct world_person *person);
void put_email(struct world_text *text, uint64_t number);

/* ---- orders ---- */

#define ORDER_LINES_MAX 4

struct order {
    unsigned brand, line_count;
    struct {
        unsigned product, quantity;
    } lines[ORDER_LINES_MAX];
    int64_t subtotal_fen, discount_fen, shipping_fen, total_fen, refund_fen;
    bool gift;
    uint64_t receiver; /* person number */
};
/* Everything of the order of this visit; `sale` deepens the discount. */
void order_make(const struct world *world, const struct world_person *person, unsigned visit,
                struct order *order);
void put_order_id(struct world_text *text, const struct world *world, uint64_t number,
                  unsigned visit, enum world_source source);

/* Events as JSON properties and as kind-specific members. */
void put_properties(struct world_text *text, const struct world *world,
                    const struct world_person *person, const struct world_event *event);
const char *type_name(enum world_type type);

#endif
