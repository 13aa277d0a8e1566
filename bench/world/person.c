/* SPDX-License-Identifier: Apache-2.0 */
/* person: who somebody is, as a function of the number, and what the person is known by. */
#include "inside.h"

#include <stdio.h>
#include <time.h>

static enum world_role role_of(uint64_t number)
{
    int place = (int)(number % WORLD_BLOCK);
#define X(name, first, end)                \
    if (place >= (first) && place < (end)) \
        return WORLD_ROLE_##name;
    WORLD_ROLE_TABLE(X)
#undef X
    return WORLD_ORDINARY;
}

static uint32_t holdings_of(const struct world *world, uint64_t number, enum world_role role)
{
    static const uint8_t percent[] = {
        [WORLD_TMALL] = 50, [WORLD_JD] = 22,           [WORLD_DOUYIN] = 32, [WORLD_PDD] = 18,
        [WORLD_VIP] = 10,   [WORLD_MINI_PROGRAM] = 46, [WORLD_H5] = 34,     [WORLD_APP] = 14,
        [WORLD_WECOM] = 26, [WORLD_STORE] = 18,        [11] = 42,           [12] = 8,
    };
    uint32_t holdings = 0;
    uint64_t draw = chance(world, CHANCE_HOLDINGS, number, 0);
    for (unsigned bit = 0; bit < sizeof(percent); bit++) {
        if (percent[bit] != 0 && (draw >> (bit * 5) & 31) * 100 < percent[bit] * 32u)
            holdings |= 1u << bit;
    }
    switch (role) {
    case WORLD_ROLE_DORM:
        return WORLD_HOLDS_TMALL | WORLD_HOLDS_PDD;
    case WORLD_ROLE_HOUSEHOLD:
        return WORLD_HOLDS_STORE | WORLD_HOLDS_MEMBERSHIP;
    case WORLD_ROLE_TABLET:
        return WORLD_HOLDS_H5 | WORLD_HOLDS_STORE | WORLD_HOLDS_MEMBERSHIP;
    case WORLD_ROLE_EMPTY_PARCEL:
        return WORLD_HOLDS_PDD | WORLD_HOLDS_TMALL;
    case WORLD_ROLE_TEST_VALUE:
        return WORLD_HOLDS_STORE | WORLD_HOLDS_MEMBERSHIP;
    case WORLD_ROLE_PHONE_GIVEN_UP:
    case WORLD_ROLE_PHONE_TAKEN_OVER:
    case WORLD_ROLE_NEW_PHONE:
        return WORLD_HOLDS_MINI_PROGRAM | WORLD_HOLDS_MEMBERSHIP | WORLD_HOLDS_WECOM;
    case WORLD_ROLE_TWO_WECHATS:
        return WORLD_HOLDS_MINI_PROGRAM | WORLD_HOLDS_MEMBERSHIP;
    case WORLD_ROLE_GIFT_GIVER:
        return holdings | WORLD_HOLDS_TMALL;
    case WORLD_ORDINARY:
        break;
    }
    return (holdings & 0x3ff) != 0 ? holdings : holdings | WORLD_HOLDS_TMALL;
}

/* A third was there before the year began; the others come while it runs. */
static uint32_t begin_of(const struct world *world, uint64_t number, enum world_role role)
{
    uint64_t draw = chance(world, CHANCE_BEGIN, number, 0);
    if (role == WORLD_ROLE_PHONE_TAKEN_OVER)
        return 220 * DAY_S + below(draw, 60 * DAY_S);
    if (role == WORLD_ROLE_PHONE_GIVEN_UP || role == WORLD_ROLE_NEW_PHONE || (draw & 3) == 0)
        return 0;
    return below(draw, YEAR_S - 7 * DAY_S);
}

static uint32_t phone_changed_of(const struct world *world, uint64_t number, enum world_role role)
{
    uint64_t draw = chance(world, CHANCE_BIRTH, number, 1);
    if (role == WORLD_ROLE_PHONE_GIVEN_UP)
        return 90 * DAY_S + below(draw, 30 * DAY_S);
    if (role == WORLD_ROLE_NEW_PHONE)
        return 60 * DAY_S + below(draw, 200 * DAY_S);
    return NEVER_S;
}

void world_person(const struct world *world, uint64_t number, struct world_person *person)
{
    uint64_t birth = chance(world, CHANCE_BIRTH, number, 0);
    uint64_t place = chance(world, CHANCE_CITY, number, 0);
    *person = (struct world_person){ .number = number, .role = role_of(number) };
    person->holdings = holdings_of(world, number, person->role);
    person->begin_s = begin_of(world, number, person->role);
    person->phone_changed_s = phone_changed_of(world, number, person->role);
    person->registered_s = NEVER_S;
    if (person->holdings & WORLD_HOLDS_MEMBERSHIP) {
        uint64_t draw = chance(world, CHANCE_REGISTERED, number, 0);
        uint32_t wait_s = draw & 1 ? below(draw, HOUR_S) : below(draw, 40 * DAY_S);
        person->registered_s = person->begin_s + wait_s;
    }
    person->city = (uint8_t)city_draw(place);
    person->brand = (uint8_t)(place % BRAND_COUNT);
    person->gender = birth % 100 < 84 ? 0 : 1;
    person->birth_year = (uint16_t)(1968 + (below(birth, 20) + (birth >> 8 & 0xff) % 20));
    person->birth_month = (uint8_t)(1 + (birth >> 20 & 0xff) % 12);
    person->birth_day = (uint8_t)(1 + (birth >> 28 & 0xff) % 28);
    person->skin = (uint8_t)(chance(world, CHANCE_SKIN, number, 0) % 6);
    name_write(world, number, person->gender, person->name);
}

uint64_t household_of(const struct world_person *person)
{
    uint64_t block = person->number - person->number % WORLD_BLOCK;
    unsigned place = (unsigned)(person->number % WORLD_BLOCK);
    if (person->role == WORLD_ROLE_HOUSEHOLD)
        return block + (place < 8 ? 6 : 8);
    if (person->role == WORLD_ROLE_EMPTY_PARCEL)
        return block + 15;
    if (person->role == WORLD_ROLE_PHONE_TAKEN_OVER)
        return person->number - 1;
    return person->number;
}

/* ---- identifiers ---- */

void put_user_id(struct world_text *text, uint64_t number)
{
    PUT(text, "U");
    put_digits(text, 1000000000 + number, 10);
}

void put_card(struct world_text *text, const struct world *world, uint64_t number)
{
    PUT(text, "MC");
    put_digits(text, chance(world, CHANCE_CARD, number, 0) % 10000, 4);
    put_digits(text, number, 9);
}

/* Segments that are assigned to no operator (G3). The mixing is one to one below 600 million. */
void put_mobile(struct world_text *text, uint64_t number, unsigned nth)
{
    static const char segments[6][4] = { "154", "160", "161", "163", "164", "168" };
    uint64_t place = ((number * 4 + nth) * UINT64_C(387420489) + 271828183) % 600000000;
    put_bytes(text, segments[place / 100000000], 3);
    put_digits(text, place % 100000000, 8);
}

void put_mobile_at(struct world_text *text, const struct world_person *person,
                   enum world_source source, uint32_t at_s)
{
    if (person->role == WORLD_ROLE_TEST_VALUE && source == WORLD_STORE)
        PUT(text, "13800000000");
    else
        put_mobile(text, household_of(person), at_s >= person->phone_changed_s ? 1 : 0);
}

void put_unionid(struct world_text *text, const struct world *world, uint64_t number, bool second)
{
    PUT(text, "oUn1t");
    put_base62(text, chance(world, CHANCE_UNIONID, number, second), 23);
}

void put_openid(struct world_text *text, const struct world *world, uint64_t number, unsigned brand,
                bool second)
{
    PUT(text, "oPn");
    put_base62(text, chance(world, CHANCE_OPENID, number, brand * 2 + second), 25);
}

void put_external_userid(struct world_text *text, const struct world *world, uint64_t number)
{
    PUT(text, "wmKith");
    put_base62(text, chance(world, CHANCE_EXTERNAL, number, 0), 26);
}

void put_platform_id(struct world_text *text, const struct world *world, uint64_t number,
                     enum world_source platform)
{
    PUT(text, "AA");
    put_base62(text, chance(world, CHANCE_PLATFORM, number, platform), 24);
}

void put_anonymous_id(struct world_text *text, const struct world *world, uint64_t number,
                      enum world_source source, bool tablet)
{
    uint64_t subject = tablet ? number / WORLD_BLOCK : number;
    enum purpose purpose = tablet ? CHANCE_TABLET : CHANCE_ANONYMOUS;
    put_uuid(text, chance(world, purpose, subject, source * 2u),
             chance(world, purpose, subject, source * 2u + 1));
}

void put_device_id(struct world_text *text, const struct world *world, uint64_t number)
{
    put_uuid(text, chance(world, CHANCE_DEVICE, number, 0),
             chance(world, CHANCE_DEVICE, number, 1));
}

/* The address that a parcel goes to: a dorm has one, a gift has its receiver's. */
void put_receiver_key(struct world_text *text, const struct world *world,
                      const struct world_person *person)
{
    uint64_t at = person->number;
    if (person->role == WORLD_ROLE_DORM)
        at -= person->number % WORLD_BLOCK;
    else if (person->role == WORLD_ROLE_EMPTY_PARCEL)
        at = household_of(person);
    PUT(text, "1");
    put_base62(text, chance(world, CHANCE_ADDRESS, at, 0), 27);
}

void put_email(struct world_text *text, uint64_t number)
{
    PUT(text, "u");
    put_digits(text, 1000000000 + number, 10);
    PUT(text, "@post.example");
}

/* ---- for the ground truth ---- */

static struct world_text identifier_open(struct world_identifier *out, size_t *count,
                                         const char *type, const char *namespace_, bool shared)
{
    struct world_identifier *identifier = &out[(*count)++];
    memset(identifier, 0, sizeof(*identifier));
    identifier->type = type;
    identifier->namespace_ = namespace_;
    identifier->shared = shared;
    return (struct world_text){ identifier->value };
}

static void phones(const struct world_person *person, struct world_identifier *out, size_t *count)
{
    bool member = person->registered_s != NEVER_S;
    bool shared = household_of(person) != person->number || person->role == WORLD_ROLE_HOUSEHOLD ||
                  person->role == WORLD_ROLE_PHONE_GIVEN_UP;
    if (person->role == WORLD_ROLE_TEST_VALUE) {
        struct world_text test = identifier_open(out, count, "mobile", "", true);
        PUT(&test, "13800000000");
    }
    if (!member)
        return;
    struct world_text first = identifier_open(out, count, "mobile", "", shared);
    put_mobile(&first, household_of(person), 0);
    if (person->phone_changed_s != NEVER_S) {
        struct world_text second = identifier_open(out, count, "mobile", "", false);
        put_mobile(&second, person->number, 1);
    }
}

static void membership(const struct world *world, const struct world_person *person,
                       struct world_identifier *out, size_t *count)
{
    if (person->registered_s == NEVER_S)
        return;
    struct world_text user = identifier_open(out, count, "user_id", "", false);
    put_user_id(&user, person->number);
    if (person->holdings & WORLD_HOLDS_STORE) {
        struct world_text card = identifier_open(out, count, "member_card", "", false);
        put_card(&card, world, person->number);
    }
    if (person->holdings & WORLD_HOLDS_EMAIL) {
        struct world_text mail = identifier_open(out, count, "email", "", false);
        put_email(&mail, person->number);
    }
}

static void wechat(const struct world *world, const struct world_person *person,
                   struct world_identifier *out, size_t *count)
{
    bool uses_wechat = person->holdings & (WORLD_HOLDS_MINI_PROGRAM | WORLD_HOLDS_WECOM);
    for (unsigned second = 0; uses_wechat && second < 2; second++) {
        if (second && person->role != WORLD_ROLE_TWO_WECHATS)
            break;
        struct world_text union_ = identifier_open(out, count, "wx_unionid", "", false);
        put_unionid(&union_, world, person->number, second);
        if (!(person->holdings & WORLD_HOLDS_MINI_PROGRAM))
            continue;
        struct world_text open =
            identifier_open(out, count, "wx_openid", world_brands[person->brand].appid, false);
        put_openid(&open, world, person->number, person->brand, second);
    }
    if (person->holdings & WORLD_HOLDS_WECOM) {
        struct world_text external =
            identifier_open(out, count, "wecom_external_userid", "ww6d2a81c05be94f37", false);
        put_external_userid(&external, world, person->number);
    }
}

size_t world_identifiers(const struct world *world, const struct world_person *person,
                         struct world_identifier out[WORLD_IDENTIFIERS_MAX])
{
    size_t count = 0;
    phones(person, out, &count);
    membership(world, person, out, &count);
    wechat(world, person, out, &count);
    for (unsigned platform = 0; platform < WORLD_PLATFORM_COUNT; platform++) {
        if (person->holdings & 1u << platform) {
            struct world_text id = identifier_open(out, &count, world_platform_types[platform],
                                                   world_platform_apps[platform], false);
            put_platform_id(&id, world, person->number, (enum world_source)platform);
        }
    }
    if (person->holdings & WORLD_HOLDS_H5) {
        bool tablet = person->role == WORLD_ROLE_TABLET;
        struct world_text id = identifier_open(out, &count, "anonymous_id", "h5", tablet);
        put_anonymous_id(&id, world, person->number, WORLD_H5, tablet);
    }
    if (person->holdings & WORLD_HOLDS_APP) {
        struct world_text id = identifier_open(out, &count, "anonymous_id", "app", false);
        put_anonymous_id(&id, world, person->number, WORLD_APP, false);
        struct world_text device = identifier_open(out, &count, "device", "", false);
        put_device_id(&device, world, person->number);
    }
    return count;
}

void world_write_person(const struct world *world, const struct world_person *person,
                        struct world_text *text)
{
    struct world_identifier identifiers[WORLD_IDENTIFIERS_MAX];
    size_t count = world_identifiers(world, person, identifiers);
    PUT(text, "{\"person\":");
    put_number(text, person->number);
    PUT(text, ",\"role\":\"");
    put_text(text, world_role_key(person->role));
    PUT(text, "\",\"name\":\"");
    put_text(text, person->name);
    PUT(text, "\",\"gender\":\"");
    put_text(text, person->gender == 0 ? "female" : "male");
    PUT(text, "\",\"city\":\"");
    put_text(text, world_cities[person->city].name);
    PUT(text, "\",\"brand\":\"");
    put_text(text, world_brands[person->brand].key);
    PUT(text, "\",\"skin_type\":\"");
    put_text(text, world_skins[person->skin]);
    PUT(text, "\",\"identifiers\":[");
    for (size_t i = 0; i < count; i++) {
        put_text(text, i == 0 ? "{\"type\":\"" : ",{\"type\":\"");
        put_text(text, identifiers[i].type);
        PUT(text, "\",\"namespace\":\"");
        put_text(text, identifiers[i].namespace_);
        PUT(text, "\",\"value\":\"");
        put_text(text, identifiers[i].value);
        put_text(text, identifiers[i].shared ? "\",\"shared\":true}" : "\",\"shared\":false}");
    }
    PUT(text, "]}\n");
}

/* ---- the year ---- */

/* Big sales, by month and day in Shanghai: 618 with its opening, 11.11 with its opening, and the
 * smaller ones. Weight in hundredths of an ordinary day. */
static unsigned season(int month, int day, int week_day)
{
    unsigned weight = week_day == 0 || week_day == 6 ? 115 : 96;
    if (month == 6)
        weight = day <= 3 ? 320 : day >= 16 && day <= 18 ? 480 : day < 16 ? 170 : 90;
    if (month == 10 && day >= 24)
        weight = day == 31 ? 420 : 190;
    if (month == 11)
        weight = day == 11 ? 900 : day == 1 ? 460 : day == 10 ? 420 : day < 10 ? 200 : 85;
    if (month == 12 && day >= 10 && day <= 12)
        weight = 240;
    if (month == 3 && day >= 5 && day <= 8)
        weight = 260;
    if (month == 5 && day == 20)
        weight = 220;
    if (month == 2 && day >= 1 && day <= 14) /* around the new year's holidays */
        weight = 55;
    return weight;
}

void world_init(struct world *world, uint64_t seed, uint64_t people, double events_per_person,
                int64_t end_ms)
{
    const int64_t day_ms = INT64_C(86400000);
    *world = (struct world){ .seed = mix(seed + 1),
                             .people = people,
                             .events_per_person = events_per_person };
    /* The year ends with the Shanghai hour of end_ms; its first day begins at midnight there. */
    world->end_ms = end_ms;
    int64_t end_day = (end_ms + ZONE_S * 1000) / day_ms;
    world->begin_ms = (end_day - (WORLD_DAYS - 1)) * day_ms - ZONE_S * 1000;
    for (int day = 0; day < WORLD_DAYS; day++) {
        time_t noon = (time_t)((world->begin_ms + day * day_ms) / 1000 + ZONE_S + 43200);
        struct tm tm;
        gmtime_r(&noon, &tm);
        world->day_weights_sum[day + 1] =
            world->day_weights_sum[day] + season(tm.tm_mon + 1, tm.tm_mday, tm.tm_wday);
    }
    for (int day = 0; day < WORLD_DAYS + 2; day++) {
        time_t at = (time_t)((world->begin_ms / day_ms + day) * (day_ms / 1000));
        struct tm tm;
        gmtime_r(&at, &tm);
        strftime(world->dates[day], sizeof(world->dates[day]), "%Y-%m-%d", &tm);
    }
}
