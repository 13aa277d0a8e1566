/* SPDX-License-Identifier: Apache-2.0 */
/* write: an event of the world as a Segment item or a CSV row, with the properties of its type. */
#include "inside.h"

/* ---- orders ---- */

void order_make(const struct world *world, const struct world_person *person, unsigned visit,
                struct order *order)
{
    uint64_t subject = person->number * 1024 + visit;
    uint64_t draw = chance(world, CHANCE_ORDER, subject, 0);
    *order = (struct order){ .receiver = person->number };
    /* two of three orders are of her own brand */
    order->brand = draw % 3 == 0 ? (unsigned)(draw >> 8) % BRAND_COUNT : person->brand;
    order->line_count = (unsigned[]){ 1, 1, 1, 2, 2, 2, 3, 4 }[draw >> 16 & 7];
    for (unsigned i = 0; i < order->line_count; i++) {
        uint64_t line = chance(world, CHANCE_LINE, subject, i);
        order->lines[i].product =
            order->brand * PRODUCTS_PER_BRAND + below(line, PRODUCTS_PER_BRAND);
        order->lines[i].quantity = (line & 7) == 0 ? 2 : 1;
        order->subtotal_fen +=
            product_price_fen(order->lines[i].product) * (int64_t)order->lines[i].quantity;
    }
    unsigned percent = (unsigned[]){ 0, 0, 0, 5, 10, 15, 20, 30 }[draw >> 20 & 7];
    order->discount_fen = order->subtotal_fen * percent / 100;
    order->shipping_fen = order->subtotal_fen < 9900 ? 800 : 0;
    order->total_fen = order->subtotal_fen - order->discount_fen + order->shipping_fen;
    order->refund_fen = order->total_fen - order->shipping_fen;
    order->gift = person->role == WORLD_ROLE_GIFT_GIVER && (draw >> 32 & 3) != 0;
    if (order->gift && person->number + 1 < world->people)
        order->receiver = person->number + 1;
}

/* 18 digits: the platform, four of chance, her number and the visit. */
void put_order_id(struct world_text *text, const struct world *world, uint64_t number,
                  unsigned visit, enum world_source source)
{
    put_digits(text, source % 9 + 1, 1);
    put_digits(text, chance(world, CHANCE_ORDER, number, visit) % 10000, 4);
    put_digits(text, number * 1000 + visit, 13);
}

static void put_masked_receiver(struct world_text *text, const struct world *world,
                                const struct order *order, uint32_t at_s)
{
    struct world_person receiver;
    char phone[16];
    struct world_text whole = { phone };
    world_person(world, order->receiver, &receiver);
    if (receiver.role == WORLD_ROLE_DORM) /* the dorm's phone is on all its parcels */
        put_mobile(&whole, receiver.number - receiver.number % WORLD_BLOCK, 0);
    else
        put_mobile_at(&whole, &receiver, WORLD_TMALL, at_s);
    PUT(text, "\"receiver_name\":\"");
    put_bytes(text, receiver.name, 3); /* the surname: one character of three bytes */
    PUT(text, "**\",\"receiver_phone\":\"");
    put_bytes(text, phone, 3);
    PUT(text, "****");
    put_bytes(text, phone + 7, 4);
    PUT(text, "\",\"receiver_city\":\"");
    put_text(text, world_cities[receiver.city].name);
    PUT(text, "\"");
}

static void put_product_members(struct world_text *text, unsigned product)
{
    PUT(text, "\"product_id\":\"");
    put_product_id(text, product);
    PUT(text, "\",\"sku\":\"");
    put_digits(text, 690000000000u + product, 13);
    PUT(text, "\",\"name\":\"");
    put_product_name(text, product);
    PUT(text, "\",\"brand\":\"");
    put_text(text, world_brands[product / PRODUCTS_PER_BRAND].name);
    PUT(text, "\",\"category\":\"");
    put_text(text, world_brands[product / PRODUCTS_PER_BRAND].categories[product % 8]);
    PUT(text, "\",\"price\":");
    put_fen(text, product_price_fen(product));
}

static void put_lines(struct world_text *text, const struct order *order)
{
    PUT(text, ",\"products\":[");
    for (unsigned i = 0; i < order->line_count; i++) {
        put_text(text, i == 0 ? "{" : ",{");
        put_product_members(text, order->lines[i].product);
        PUT(text, ",\"quantity\":");
        put_number(text, order->lines[i].quantity);
        PUT(text, "}");
    }
    PUT(text, "]");
}

static const char *const carriers[4] = { "顺丰速运", "中通快递", "圆通速递", "京东物流" };

static void put_shop(struct world_text *text, const struct order *order, enum world_source source)
{
    PUT(text, "\"affiliation\":\"");
    put_text(text, world_brands[order->brand].name);
    put_text(text, source < WORLD_PLATFORM_COUNT ? world_platform_shops[source]
                                                 : world_source_name(source));
    PUT(text, "\"");
}

static void put_store(struct world_text *text, const struct world *world,
                      const struct world_person *person)
{
    uint32_t store = (uint32_t)(chance(world, CHANCE_CARD, person->number, 1) % STORE_COUNT) + 1;
    PUT(text, "\"store_id\":\"S");
    put_digits(text, store, 4);
    PUT(text, "\"");
}

static void put_order(struct world_text *text, const struct world *world,
                      const struct world_person *person, const struct world_event *event)
{
    struct order order;
    enum world_source source = (enum world_source)event->source;
    order_make(world, person, event->visit, &order);
    PUT(text, "\"order_id\":\"");
    put_order_id(text, world, person->number, event->visit, source);
    PUT(text, "\",");
    put_shop(text, &order, source);
    PUT(text, ",\"currency\":\"CNY\"");
    enum world_type type = (enum world_type)event->type;
    if (type == WORLD_EVENT_DEPOSIT_PAID) {
        PUT(text, ",\"value\":");
        put_fen(text, order.total_fen / 10);
    } else if (type == WORLD_EVENT_ORDER_REFUNDED) {
        PUT(text, ",\"total\":");
        put_fen(text, event->detail ? order.refund_fen / 2 : order.refund_fen);
        PUT(text, ",\"reason\":\"");
        put_text(text, event->detail ? "少件补偿" : "七天无理由");
        PUT(text, "\"");
        return;
    } else {
        PUT(text, ",\"subtotal\":");
        put_fen(text, order.subtotal_fen);
        PUT(text, ",\"discount\":");
        put_fen(text, order.discount_fen);
        PUT(text, ",\"shipping\":");
        put_fen(text, order.shipping_fen);
        PUT(text, ",\"revenue\":");
        put_fen(text, order.total_fen - order.shipping_fen);
        PUT(text, ",\"total\":");
        put_fen(text, order.total_fen);
    }
    if (source == WORLD_STORE) {
        PUT(text, ",");
        put_store(text, world, person);
    } else {
        PUT(text, ",");
        put_masked_receiver(text, world, &order, event->at_s);
        put_text(text, order.gift ? ",\"gift\":true" : ",\"gift\":false");
    }
    put_lines(text, &order);
}

static void put_parcel(struct world_text *text, const struct world *world,
                       const struct world_person *person, const struct world_event *event)
{
    struct order order;
    uint64_t draw = chance(world, CHANCE_ORDER, person->number * 1024 + event->visit, 7);
    order_make(world, person, event->visit, &order);
    PUT(text, "\"order_id\":\"");
    put_order_id(text, world, person->number, event->visit, (enum world_source)event->source);
    PUT(text, "\",\"parcel_no\":\"SF");
    put_digits(text, draw % UINT64_C(10000000000000), 13);
    PUT(text, "\",\"carrier\":\"");
    put_text(text, carriers[draw >> 60 & 3]);
    PUT(text, "\",");
    put_shop(text, &order, (enum world_source)event->source);
    PUT(text, ",");
    put_masked_receiver(text, world, &order, event->at_s);
    if (event->type == WORLD_EVENT_PARCEL_SHIPPED)
        put_lines(text, &order);
}

/* ---- the rest ---- */

static const char *const words[8] = { "敏感肌面霜", "防晒",       "口红 丝绒", "抗初老精华",
                                      "卸妆油",     "玻尿酸面膜", "气垫 油皮", "眼霜 去细纹" };
static const char *const campaigns[6] = { "618_return", "double11_presale", "new_serum",
                                          "member_day", "spring_care",      "sample_box" };
static const char *const media[5] = { "wechat", "xiaohongshu", "bilibili", "zhihu", "sms" };

static unsigned product_of(const struct world *world, const struct world_person *person,
                           const struct world_event *event)
{
    struct order order;
    if (event->detail == 0 || event->type == WORLD_EVENT_PRODUCT_ADDED) {
        order_make(world, person, event->visit, &order);
        return order.lines[0].product;
    }
    uint64_t draw = chance(world, CHANCE_EVENT, person->number * 65536 + event->index, 1);
    return person->brand * PRODUCTS_PER_BRAND + below(draw, PRODUCTS_PER_BRAND);
}

static void put_coupon(struct world_text *text, uint64_t draw)
{
    static const uint8_t yuan[4] = { 10, 20, 50, 80 };
    unsigned kind = draw >> 8 & 3;
    PUT(text, "\"coupon\":\"C");
    put_digits(text, draw % 1000000, 6);
    PUT(text, "\",\"coupon_name\":\"满减券 ");
    put_number(text, yuan[kind]);
    PUT(text, " 元\",\"discount\":");
    put_fen(text, yuan[kind] * INT64_C(100));
    PUT(text, ",\"campaign\":\"");
    put_text(text, campaigns[(draw >> 12 & 0xff) % 6]);
    PUT(text, "\"");
}

static void put_skin_test(struct world_text *text, const struct world_person *person, uint64_t draw)
{
    PUT(text, "\"skin_type\":\"");
    put_text(text, world_skins[person->skin]);
    PUT(text, "\",\"moisture\":");
    put_number(text, 20 + draw % 60);
    PUT(text, ",\"oil\":");
    put_number(text, 10 + (draw >> 8) % 70);
    PUT(text, ",\"sensitivity\":");
    put_number(text, (draw >> 16) % 100);
    PUT(text, ",\"wrinkle\":");
    put_number(text, (draw >> 24) % 60);
    PUT(text, ",\"score\":");
    put_number(text, 55 + (draw >> 32) % 45);
}

static void put_page(struct world_text *text, uint64_t draw)
{
    const char *campaign = campaigns[draw % 6];
    PUT(text, "\"url\":\"https://h5.example.com/");
    put_text(text, campaign);
    PUT(text, "?utm_source=");
    put_text(text, media[(draw >> 8 & 0xff) % 5]);
    PUT(text, "\",\"path\":\"/");
    put_text(text, campaign);
    PUT(text, "\",\"title\":\"品牌活动页\",\"search\":\"?utm_source=");
    put_text(text, media[(draw >> 8 & 0xff) % 5]);
    PUT(text, "\",\"referrer\":\"https://www.example.com/\",\"name\":\"");
    put_text(text, campaign);
    PUT(text, "\"");
}

void put_properties(struct world_text *text, const struct world *world,
                    const struct world_person *person, const struct world_event *event)
{
    uint64_t draw = chance(world, CHANCE_EVENT, person->number * 65536 + event->index, 0);
    enum world_type type = (enum world_type)event->type;
    PUT(text, "{");
    switch (type) {
    case WORLD_EVENT_ORDER_PLACED:
    case WORLD_EVENT_ORDER_PAID:
    case WORLD_EVENT_ORDER_CANCELLED:
    case WORLD_EVENT_ORDER_REFUNDED:
    case WORLD_EVENT_DEPOSIT_PAID:
    case WORLD_EVENT_CHECKOUT_STARTED:
        put_order(text, world, person, event);
        break;
    case WORLD_EVENT_PARCEL_SHIPPED:
    case WORLD_EVENT_PARCEL_SIGNED:
    case WORLD_EVENT_PARCEL_RETURNED:
        put_parcel(text, world, person, event);
        break;
    case WORLD_EVENT_PRODUCT_VIEWED:
    case WORLD_EVENT_PRODUCT_ADDED:
        put_product_members(text, product_of(world, person, event));
        PUT(text, ",\"quantity\":1,\"currency\":\"CNY\",\"position\":");
        put_number(text, draw % 20 + 1);
        break;
    case WORLD_EVENT_PRODUCTS_SEARCHED:
        PUT(text, "\"query\":\"");
        put_text(text, words[draw & 7]);
        PUT(text, "\"");
        break;
    case WORLD_EVENT_COUPON_CLAIMED:
    case WORLD_EVENT_COUPON_USED:
        put_coupon(text, draw);
        break;
    case WORLD_EVENT_CONTENT_SHARED:
        PUT(text, "\"share_via\":\"wechat\",\"content_id\":\"post-");
        put_number(text, draw % 400);
        PUT(text, "\",\"campaign\":\"");
        put_text(text, campaigns[draw % 6]);
        PUT(text, "\"");
        break;
    case WORLD_EVENT_SKIN_TEST_TAKEN:
        put_skin_test(text, person, draw);
        break;
    case WORLD_EVENT_STORE_VISITED:
        put_store(text, world, person);
        PUT(text, ",\"purpose\":\"");
        put_text(text, (draw & 3) == 0 ? "护理服务" : "购物");
        PUT(text, "\"");
        break;
    case WORLD_EVENT_CONTACT_ADDED:
        PUT(text, "\"adviser\":\"adviser-");
        put_digits(text, draw % 300 + 1, 3);
        PUT(text, "\",\"add_way\":1,\"state\":\"card-in-parcel\"");
        break;
    case WORLD_EVENT_MESSAGE_RECEIVED:
        PUT(text, "\"message_type\":\"text\",\"words\":");
        put_number(text, draw % 80 + 1);
        break;
    case WORLD_EVENT_SIGNED_IN:
        PUT(text, "\"method\":\"sms_code\",\"at\":\"");
        put_text(text, world_source_key((enum world_source)event->detail));
        PUT(text, "\"");
        break;
    case WORLD_EVENT_BEHAVIOUR:
        PUT(text, "\"element\":\"btn-");
        put_number(text, draw % 40);
        PUT(text, "\",\"stay_seconds\":");
        put_number(text, draw >> 8 & 0xff);
        break;
    case WORLD_EVENT_PAGE:
    case WORLD_EVENT_SCREEN:
        put_page(text, draw);
        break;
    case WORLD_EVENT_REGISTERED:
    case WORLD_EVENT_MEMBER_BOUND:
    case WORLD_EVENT_PHONE_CHANGED:
    case WORLD_EVENT_IDENTIFIED:
    case WORLD_TYPE_COUNT:
        break;
    }
    PUT(text, "}");
}

/* ---- the item ---- */

enum item_kind { TRACK, PAGE, SCREEN, IDENTIFY };
static const enum item_kind kinds[] = {
#define X(name, title, kind) kind,
    WORLD_TYPE_TABLE(X)
#undef X
};
static const char *const kind_names[] = { "track", "page", "screen", "identify" };

static void put_event_name(struct world_text *text, const struct world *world,
                           const struct world_event *event)
{
    if (event->type != WORLD_EVENT_BEHAVIOUR) {
        put_text(text, type_name((enum world_type)event->type));
        return;
    }
    /* a few are common, most are rare */
    uint64_t draw = chance(world, CHANCE_EVENT, event->person * UINT64_C(65536) + event->index, 2);
    double u = unit(draw);
    put_behaviour(text, (unsigned)(u * u * u * WORLD_BEHAVIOUR_COUNT));
}

static void put_external(struct world_text *text, unsigned *count, const char *type,
                         const char *collection)
{
    put_text(text, (*count)++ == 0 ? "{\"type\":\"" : ",{\"type\":\"");
    put_text(text, type);
    PUT(text, "\",\"collection\":\"");
    put_text(text, collection);
    PUT(text, "\",\"encoding\":\"none\",\"id\":\"");
}

static void put_wechat_ids(struct world_text *text, const struct world *world,
                           const struct world_person *person, const struct world_event *event,
                           unsigned *count)
{
    bool second = event->flags & WORLD_SECOND_WECHAT;
    put_external(text, count, "wx_openid", world_brands[person->brand].appid);
    put_openid(text, world, person->number, person->brand, second);
    PUT(text, "\"}");
    /* the page knows the openid alone, now and then */
    if (event->type != WORLD_EVENT_IDENTIFIED && (event->index & 3) == 3)
        return;
    put_external(text, count, "wx_unionid", "users");
    put_unionid(text, world, person->number, second);
    PUT(text, "\"}");
}

static void put_crm_ids(struct world_text *text, const struct world *world,
                        const struct world_person *person, const struct world_event *event,
                        unsigned *count)
{
    enum world_source source = (enum world_source)event->detail;
    if (event->type == WORLD_EVENT_MEMBER_BOUND) {
        put_external(text, count, world_platform_types[source], world_platform_apps[source]);
        put_platform_id(text, world, person->number, source);
        PUT(text, "\"}");
    } else if (event->type == WORLD_EVENT_SIGNED_IN) {
        put_external(text, count, "anonymous_id", world_source_key(source));
        put_anonymous_id(text, world, person->number, source, event->flags & WORLD_ON_TABLET);
        PUT(text, "\"}");
    } else if (event->type == WORLD_EVENT_REGISTERED) {
        if (person->holdings & WORLD_HOLDS_MINI_PROGRAM) {
            put_external(text, count, "wx_unionid", "users");
            put_unionid(text, world, person->number, false);
            PUT(text, "\"}");
        }
        if (person->holdings & WORLD_HOLDS_STORE) {
            put_external(text, count, "member_card", "users");
            put_card(text, world, person->number);
            PUT(text, "\"}");
        }
    }
}

static void put_external_ids(struct world_text *text, const struct world *world,
                             const struct world_person *person, const struct world_event *event)
{
    enum world_source source = (enum world_source)event->source;
    unsigned count = 0;
    PUT(text, ",\"externalIds\":[");
    if (source < WORLD_PLATFORM_COUNT) {
        put_external(text, &count, world_platform_types[source], world_platform_apps[source]);
        put_platform_id(text, world, person->number, source);
        PUT(text, "\"}");
        put_external(text, &count, "receiver_key", world_source_key(source));
        put_receiver_key(text, world, person);
        PUT(text, "\"}");
    } else if (source == WORLD_MINI_PROGRAM) {
        put_wechat_ids(text, world, person, event, &count);
    } else if (source == WORLD_WECOM) {
        put_external(text, &count, "wecom_external_userid", "ww6d2a81c05be94f37");
        put_external_userid(text, world, person->number);
        PUT(text, "\"}");
        if (event->flags & WORLD_FIRST) {
            put_external(text, &count, "wx_unionid", "users");
            put_unionid(text, world, person->number, false);
            PUT(text, "\"}");
        }
    } else if (source == WORLD_STORE) {
        put_external(text, &count, "member_card", "users");
        put_card(text, world, person->number);
        PUT(text, "\"}");
    } else if (source == WORLD_CRM) {
        put_crm_ids(text, world, person, event, &count);
    }
    PUT(text, "]");
}

static const char *const agents[5] = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 MicroMessenger/8.0.49(0x1800312f) NetType/WIFI Language/zh_CN",
    "Mozilla/5.0 (Linux; Android 14; 23127PN0CC) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/122.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.50.2701",
    "Mozilla/5.0 (Linux; Android 13; V2248A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 "
    "Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36",
};
static const char *const devices[5] = { "iPhone15,3", "23127PN0CC", "V2248A", "MacBookPro18,1",
                                        "PC" };

static void put_client_context(struct world_text *text, const struct world *world,
                               const struct world_person *person, const struct world_event *event)
{
    uint64_t draw = chance(world, CHANCE_AGENT, person->number, 0);
    /* mini-programs and apps run on phones; the first three are */
    unsigned agent = (unsigned)(draw % (event->source == WORLD_H5 ? 5 : 3));
    PUT(text, ",\"userAgent\":\"");
    put_text(text, agents[agent]);
    PUT(text, "\",\"device\":{\"model\":\"");
    put_text(text, devices[agent]);
    if (event->source == WORLD_APP) {
        PUT(text, "\",\"id\":\"");
        put_device_id(text, world, person->number);
    }
    PUT(text, "\"},\"os\":{\"name\":\"");
    put_text(text, agent == 0 ? "iOS" : agent < 3 ? "Android" : agent == 3 ? "macOS" : "Windows");
    PUT(text, "\",\"version\":\"17.5\"},\"network\":{\"wifi\":");
    put_text(text, draw >> 8 & 1 ? "true" : "false");
    PUT(text,
        "},\"screen\":{\"width\":390,\"height\":844,\"density\":3},\"campaign\":{\"source\":\"");
    put_text(text, media[(draw >> 16 & 0xff) % 5]);
    PUT(text, "\",\"name\":\"");
    put_text(text, campaigns[(draw >> 24 & 0xff) % 6]);
    PUT(text, "\"}");
}

static void put_context(struct world_text *text, const struct world *world,
                        const struct world_person *person, const struct world_event *event)
{
    enum world_source source = (enum world_source)event->source;
    bool client = source == WORLD_MINI_PROGRAM || source == WORLD_H5 || source == WORLD_APP;
    PUT(text, ",\"context\":{\"library\":{\"name\":\"kith-world\",\"version\":\"1.0.0\"},"
              "\"locale\":\"zh-CN\",\"timezone\":\"Asia/Shanghai\"");
    if (!world->fresh)
        PUT(text, ",\"historical\":true");
    if (source != WORLD_H5 && source != WORLD_APP)
        put_external_ids(text, world, person, event);
    if (client)
        put_client_context(text, world, person, event);
    PUT(text, "}");
}

static void put_profile_traits(struct world_text *text, const struct world_person *person)
{
    PUT(text, "\"name\":\"");
    put_text(text, person->name);
    PUT(text, "\",\"gender\":\"");
    put_text(text, person->gender == 0 ? "female" : "male");
    PUT(text, "\",\"birthday\":\"");
    put_digits(text, person->birth_year, 4);
    PUT(text, "-");
    put_digits(text, person->birth_month, 2);
    PUT(text, "-");
    put_digits(text, person->birth_day, 2);
    PUT(text, "\",\"city\":\"");
    put_text(text, world_cities[person->city].name);
    PUT(text, "\",\"province\":\"");
    put_text(text, world_cities[person->city].province);
    PUT(text, "\",\"favourite_brand\":\"");
    put_text(text, world_brands[person->brand].name);
    PUT(text, "\",");
}

static void put_traits(struct world_text *text, const struct world *world,
                       const struct world_person *person, const struct world_event *event)
{
    enum world_source source = (enum world_source)event->source;
    PUT(text, ",\"traits\":{");
    if (event->type == WORLD_EVENT_REGISTERED) {
        put_profile_traits(text, person);
        PUT(text, "\"member_since\":\"");
        put_time(text, world, event->at_s, 0);
        PUT(text, "\",");
        if (person->holdings & WORLD_HOLDS_EMAIL) {
            PUT(text, "\"email\":\"");
            put_email(text, person->number);
            PUT(text, "\",");
        }
    }
    if (source == WORLD_WECOM) {
        PUT(text, "\"wecom_name\":\"");
        put_text(text, person->name);
        PUT(text, "\"");
    } else if (source == WORLD_MINI_PROGRAM) {
        PUT(text, "\"skin_type\":\"");
        put_text(text, world_skins[person->skin]);
        PUT(text, "\"");
    } else if (source == WORLD_H5 || source == WORLD_APP) {
        PUT(text, "\"last_door\":\"");
        put_text(text, world_source_key(source));
        PUT(text, "\"");
    } else {
        PUT(text, "\"phone\":\"");
        put_mobile_at(text, person, source, event->at_s);
        PUT(text, "\"");
    }
    PUT(text, "}");
}

/* Segment wants a user or an anonymous id on each event: who is no member goes by the door's own id. */
static void put_door_id(struct world_text *text, const struct world *world,
                        const struct world_person *person, const struct world_event *event)
{
    enum world_source source = (enum world_source)event->source;
    if (source == WORLD_CRM && event->type == WORLD_EVENT_MEMBER_BOUND)
        source = (enum world_source)event->detail;
    if (source < WORLD_PLATFORM_COUNT)
        put_platform_id(text, world, person->number, source);
    else if (source == WORLD_MINI_PROGRAM)
        put_openid(text, world, person->number, person->brand, event->flags & WORLD_SECOND_WECHAT);
    else if (source == WORLD_WECOM)
        put_external_userid(text, world, person->number);
    else if (source == WORLD_STORE)
        put_card(text, world, person->number);
    else
        put_anonymous_id(text, world, person->number, source, event->flags & WORLD_ON_TABLET);
}

static unsigned ms_of(const struct world *world, const struct world_event *event)
{
    return (unsigned)(chance(world, CHANCE_MESSAGE, event->person, event->index) % 1000);
}

static void put_message_id(struct world_text *text, const struct world *world,
                           const struct world_event *event)
{
    PUT(text, "w");
    put_base62(text, world->seed, 6);
    PUT(text, "-");
    put_number(text, event->person);
    PUT(text, "-");
    put_number(text, event->index);
}

void world_write_item(const struct world *world, const struct world_event *event,
                      struct world_text *text)
{
    struct world_person person;
    world_person(world, event->person, &person);
    enum world_source source = (enum world_source)event->source;
    enum item_kind kind = kinds[event->type];
    bool browser = source == WORLD_H5 || source == WORLD_APP;
    PUT(text, "{\"type\":\"");
    put_text(text, kind_names[kind]);
    PUT(text, "\",\"messageId\":\"");
    put_message_id(text, world, event);
    PUT(text, "\",\"timestamp\":\"");
    put_time(text, world, event->at_s, ms_of(world, event));
    PUT(text, "\"");
    if (kind == TRACK) {
        PUT(text, ",\"event\":\"");
        put_event_name(text, world, event);
        PUT(text, "\"");
    } else if (kind != IDENTIFY) {
        PUT(text, ",\"name\":\"");
        put_text(text, world_source_channel(source));
        PUT(text, "\"");
    }
    /* a page says who it is at login alone; others know while she is signed in */
    bool names_user = source == WORLD_H5 ? kind == IDENTIFY : event->flags & WORLD_SIGNED_IN_FLAG;
    names_user = names_user && source != WORLD_WECOM && source != WORLD_STORE;
    if (names_user) {
        PUT(text, ",\"userId\":\"");
        put_user_id(text, person.number);
        PUT(text, "\"");
    }
    if (browser || !names_user) {
        PUT(text, ",\"anonymousId\":\"");
        put_door_id(text, world, &person, event);
        PUT(text, "\"");
    }
    put_context(text, world, &person, event);
    if (kind == IDENTIFY) {
        put_traits(text, world, &person, event);
    } else {
        PUT(text, ",\"properties\":");
        put_properties(text, world, &person, event);
    }
    PUT(text, "}");
}

/* ---- who did it ---- */

static void put_lookup(struct world_text *text, const char *type)
{
    PUT(text, "/api/v1/customers/by/");
    put_text(text, type);
    PUT(text, "/");
}

static void put_lookup_namespace(struct world_text *text, const char *namespace_)
{
    PUT(text, "?namespace=");
    put_text(text, namespace_);
}

void world_write_lookup(const struct world *world, const struct world_event *event,
                        struct world_text *text)
{
    struct world_person person;
    enum world_source source = (enum world_source)event->source;
    world_person(world, event->person, &person);
    /* the member centre speaks of a platform's buyer where it binds one */
    if (source == WORLD_CRM && event->type == WORLD_EVENT_MEMBER_BOUND)
        source = (enum world_source)event->detail;
    if (source < WORLD_PLATFORM_COUNT) {
        put_lookup(text, world_platform_types[source]);
        put_platform_id(text, world, person.number, source);
        put_lookup_namespace(text, world_platform_apps[source]);
    } else if (source == WORLD_MINI_PROGRAM) {
        put_lookup(text, "wx_openid");
        put_openid(text, world, person.number, person.brand, event->flags & WORLD_SECOND_WECHAT);
        put_lookup_namespace(text, world_brands[person.brand].appid);
    } else if (source == WORLD_H5 || source == WORLD_APP) {
        put_lookup(text, "anonymous_id");
        put_anonymous_id(text, world, person.number, source, event->flags & WORLD_ON_TABLET);
        put_lookup_namespace(text, world_source_key(source));
    } else if (source == WORLD_WECOM) {
        put_lookup(text, "wecom_external_userid");
        put_external_userid(text, world, person.number);
        put_lookup_namespace(text, "ww6d2a81c05be94f37");
    } else if (source == WORLD_STORE) {
        put_lookup(text, "member_card");
        put_card(text, world, person.number);
    } else {
        put_lookup(text, "user_id");
        put_user_id(text, person.number);
    }
    PUT(text, "\n");
}

/* ---- the row ---- */

void world_write_header(struct world_text *text)
{
    PUT(text,
        "message_id,time,source,channel,type,event,person,order_id,revenue,currency,properties\n");
}

static void put_row_order(struct world_text *text, const struct world *world,
                          const struct world_person *person, const struct world_event *event)
{
    bool is_order = event->type <= WORLD_EVENT_PARCEL_RETURNED;
    if (is_order)
        put_order_id(text, world, person->number, event->visit, (enum world_source)event->source);
    PUT(text, ",");
    if (event->type == WORLD_EVENT_ORDER_PAID) {
        struct order order;
        order_make(world, person, event->visit, &order);
        put_fen(text, order.total_fen - order.shipping_fen);
        PUT(text, ",CNY,");
    } else {
        PUT(text, ",,");
    }
}

void world_write_row(const struct world *world, const struct world_event *event,
                     struct world_text *text)
{
    char properties[WORLD_ITEM_BYTES_MAX];
    struct world_text json = { properties };
    struct world_person person;
    world_person(world, event->person, &person);
    put_message_id(text, world, event);
    PUT(text, ",");
    put_time(text, world, event->at_s, ms_of(world, event));
    PUT(text, ",");
    put_text(text, world_source_key((enum world_source)event->source));
    PUT(text, ",");
    put_text(text, world_source_channel((enum world_source)event->source));
    PUT(text, ",");
    put_text(text, kind_names[kinds[event->type]]);
    PUT(text, ",");
    put_event_name(text, world, event);
    PUT(text, ",");
    put_number(text, person.number);
    PUT(text, ",");
    put_row_order(text, world, &person, event);
    put_properties(&json, world, &person, event);
    PUT(text, "\"");
    for (const char *at = properties; at < json.at; at++) {
        if (*at == '"')
            put_byte(text, '"');
        put_byte(text, *at);
    }
    PUT(text, "\"\n");
}
