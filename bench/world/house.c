/* SPDX-License-Identifier: Apache-2.0 */
/* house: the brand house itself: brands, products, shops, cities, names. All invented. */
#include "inside.h"

const struct brand world_brands[BRAND_COUNT] = {
    { .key = "muye",
      .name = "沐野",
      .appid = "wx3f1a6c0d5e7b2a91",
      .series = { "氨基酸", "玻尿酸", "烟酰胺", "神经酰胺", "山茶花" },
      .forms = { "洁面乳", "爽肤水", "精华液", "面霜", "眼霜", "面膜", "防晒乳", "卸妆油" },
      .prices_yuan = { 89, 139, 269, 239, 219, 119, 129, 109 },
      .sizes = { "120g", "150ml", "30ml", "50g", "15g", "5片", "50ml", "200ml" },
      .categories = { "洁面", "化妆水", "精华", "面霜", "眼霜", "面膜", "防晒", "卸妆" } },
    { .key = "chuxue",
      .name = "初雪",
      .appid = "wx8d20b7e4c19f6a35",
      .series = { "雪绒花", "积雪草", "角鲨烷", "多肽", "蓝铜" },
      .forms = { "修护乳", "舒缓水", "安瓶", "晚霜", "眼精华", "冻膜", "隔离霜", "洁颜蜜" },
      .prices_yuan = { 199, 169, 399, 359, 299, 159, 189, 129 },
      .sizes = { "100ml", "200ml", "7支", "50g", "20ml", "100g", "30ml", "120ml" },
      .categories = { "乳液", "化妆水", "精华", "面霜", "眼霜", "面膜", "防晒", "洁面" } },
    { .key = "feise",
      .name = "绯色",
      .appid = "wxa57e93d1840cbf26",
      .series = { "丝绒", "水光", "柔雾", "晶钻", "轻纱" },
      .forms = { "口红", "粉底液", "气垫", "眼影盘", "腮红", "眉笔", "睫毛膏", "散粉" },
      .prices_yuan = { 129, 199, 179, 159, 99, 59, 109, 139 },
      .sizes = { "3.5g", "30ml", "14g", "12色", "4g", "0.1g", "8g", "10g" },
      .categories = { "唇妆", "底妆", "底妆", "眼妆", "腮红", "眉妆", "眼妆", "定妆" } },
};

/* Weights by buying power, roughly. */
const struct city world_cities[CITY_COUNT] = {
    { "上海", "上海", 90 }, { "北京", "北京", 85 },    { "广州", "广东", 62 },
    { "深圳", "广东", 66 }, { "杭州", "浙江", 58 },    { "成都", "四川", 60 },
    { "重庆", "重庆", 48 }, { "武汉", "湖北", 44 },    { "南京", "江苏", 42 },
    { "苏州", "江苏", 44 }, { "西安", "陕西", 38 },    { "天津", "天津", 32 },
    { "长沙", "湖南", 36 }, { "郑州", "河南", 34 },    { "宁波", "浙江", 28 },
    { "青岛", "山东", 30 }, { "济南", "山东", 24 },    { "合肥", "安徽", 26 },
    { "佛山", "广东", 24 }, { "东莞", "广东", 26 },    { "无锡", "江苏", 20 },
    { "厦门", "福建", 20 }, { "福州", "福建", 20 },    { "昆明", "云南", 22 },
    { "沈阳", "辽宁", 22 }, { "大连", "辽宁", 18 },    { "哈尔滨", "黑龙江", 18 },
    { "长春", "吉林", 14 }, { "石家庄", "河北", 18 },  { "太原", "山西", 14 },
    { "南昌", "江西", 16 }, { "南宁", "广西", 16 },    { "贵阳", "贵州", 14 },
    { "温州", "浙江", 18 }, { "泉州", "福建", 16 },    { "海口", "海南", 8 },
    { "兰州", "甘肃", 8 },  { "乌鲁木齐", "新疆", 8 }, { "呼和浩特", "内蒙古", 6 },
    { "银川", "宁夏", 4 },
};

const char *const world_skins[6] = { "干性", "油性", "混合偏干", "混合偏油", "中性", "敏感" };
const char *const world_platform_apps[WORLD_PLATFORM_COUNT] = { "33120458", "5f8c20d1", "70881426",
                                                                "c4e90b73", "vop-2086" };
const char *const world_platform_types[WORLD_PLATFORM_COUNT] = { "tmall_open_uid", "jd_open_id",
                                                                 "douyin_doudian_open_id",
                                                                 "pdd_open_id", "vip_open_id" };
const char *const world_platform_shops[WORLD_PLATFORM_COUNT] = { "天猫旗舰店", "京东自营旗舰店",
                                                                 "抖音旗舰店", "拼多多旗舰店",
                                                                 "唯品会专场" };

static const char *const source_keys[] = {
#define X(name, key, ...) key,
    WORLD_SOURCE_TABLE(X)
#undef X
};
static const char *const source_channels[] = {
#define X(name, key, channel, ...) channel,
    WORLD_SOURCE_TABLE(X)
#undef X
};
static const char *const source_names[] = {
#define X(name, key, channel, title, ...) title,
    WORLD_SOURCE_TABLE(X)
#undef X
};
static const bool source_publics[] = {
#define X(name, key, channel, title, is_public) is_public,
    WORLD_SOURCE_TABLE(X)
#undef X
};
static const char *const type_names[] = {
#define X(name, title, kind) title,
    WORLD_TYPE_TABLE(X)
#undef X
};
static const char *const role_keys[] = {
    "ordinary",     "dorm",        "household",      "tablet",
    "empty_parcel", "test_value",  "phone_given_up", "phone_taken_over",
    "new_phone",    "two_wechats", "gift_giver",
};

const char *world_source_key(enum world_source source)
{
    return source_keys[source];
}

const char *world_source_channel(enum world_source source)
{
    return source_channels[source];
}

const char *world_source_name(enum world_source source)
{
    return source_names[source];
}

bool world_source_is_public(enum world_source source)
{
    return source_publics[source];
}

const char *world_role_key(enum world_role role)
{
    return role_keys[role];
}

const char *type_name(enum world_type type)
{
    return type_names[type];
}

unsigned city_draw(uint64_t draw)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < CITY_COUNT; i++)
        sum += world_cities[i].weight;
    uint32_t at = below(draw, sum);
    unsigned city = 0;
    while (at >= world_cities[city].weight)
        at -= world_cities[city++].weight;
    return city;
}

/* The hundred surnames' first, the commonest more than once. */
static const char *const surnames[] = {
    "王", "王", "王", "李", "李", "李", "张", "张", "张", "刘", "刘", "陈", "陈", "杨", "黄", "赵",
    "吴", "周", "徐", "孙", "马", "朱", "胡", "林", "郭", "何", "高", "罗", "郑", "梁", "谢", "宋",
    "唐", "许", "邓", "冯", "韩", "曹", "曾", "彭", "萧", "蔡", "潘", "田", "董", "袁", "于", "余",
    "叶", "蒋", "杜", "苏", "魏", "程", "吕", "丁", "沈", "任", "姚", "卢", "傅", "钟", "姜", "崔",
};
static const char *const women[] = {
    "静", "雪", "婷", "丽", "敏", "芳", "娜", "艳", "娟", "莹", "洁", "欣", "怡", "佳", "雅", "琳",
    "思", "雨", "梦", "瑶", "诗", "涵", "萱", "悦", "晴", "宁", "慧", "倩", "璐", "茜", "妍", "颖",
    "蕾", "薇", "菲", "岚", "月", "兰", "梅", "秀", "晓", "文", "可", "心", "若", "语", "嘉", "乐",
};
static const char *const men[] = {
    "伟", "强", "磊", "军", "洋", "勇", "杰", "涛", "明", "超", "刚", "平", "辉", "鹏", "浩", "宇",
    "轩", "博", "文", "俊", "峰", "凯", "晨", "睿", "泽", "航", "毅", "建", "志", "海", "林", "阳",
};

void name_write(const struct world *world, uint64_t number, uint8_t gender, char out[24])
{
    const char *const *given = gender == 0 ? women : men;
    const uint32_t given_count = gender == 0 ? 48 : 32;
    struct world_text text = { out };
    uint64_t draw = chance(world, CHANCE_NAME, number, 0);
    put_text(&text, surnames[below(draw, 64)]);
    put_text(&text, given[(draw & 0xffff) % given_count]);
    if ((draw >> 16 & 3) != 0)
        put_text(&text, given[(draw >> 18 & 0xfff) % given_count]);
    *text.at = '\0';
}

/* Product p of a brand: series p / 8, form p % 8; the fancier series cost more. */
int64_t product_price_fen(unsigned product)
{
    const struct brand *brand = &world_brands[product / PRODUCTS_PER_BRAND];
    unsigned series = product % PRODUCTS_PER_BRAND / 8, form = product % 8;
    return brand->prices_yuan[form] * INT64_C(100) + series * INT64_C(2000);
}

void put_product_id(struct world_text *text, unsigned product)
{
    put_text(text, world_brands[product / PRODUCTS_PER_BRAND].key);
    PUT(text, "-");
    put_digits(text, product % PRODUCTS_PER_BRAND + 1, 3);
}

void put_product_name(struct world_text *text, unsigned product)
{
    const struct brand *brand = &world_brands[product / PRODUCTS_PER_BRAND];
    unsigned series = product % PRODUCTS_PER_BRAND / 8, form = product % 8;
    put_text(text, brand->name);
    put_text(text, brand->series[series]);
    put_text(text, brand->forms[form]);
    PUT(text, " ");
    put_text(text, brand->sizes[form]);
}

void world_write_catalogue(struct world_text *text)
{
    for (unsigned product = 0; product < PRODUCT_COUNT; product++) {
        const struct brand *brand = &world_brands[product / PRODUCTS_PER_BRAND];
        put_text(text, product == 0 ? "[" : ",\n");
        PUT(text, "{\"product_id\":\"");
        put_product_id(text, product);
        PUT(text, "\",\"sku\":\"");
        put_digits(text, 690000000000u + product, 13);
        PUT(text, "\",\"name\":\"");
        put_product_name(text, product);
        PUT(text, "\",\"brand\":\"");
        put_text(text, brand->name);
        PUT(text, "\",\"category\":\"");
        put_text(text, brand->categories[product % 8]);
        PUT(text, "\",\"price\":");
        put_fen(text, product_price_fen(product));
        PUT(text, "}");
    }
    PUT(text, "]\n");
}

static const char *const behaviour_objects[20] = {
    "skin_file",   "gift_page",    "points_mall",   "live_room",    "sample_box",
    "tutorial",    "review_wall",  "coupon_center", "check_in",     "lottery",
    "group_buy",   "adviser_card", "store_map",     "product_quiz", "ingredient_page",
    "brand_story", "member_day",   "flash_sale",    "wish_list",    "order_list",
};
static const char *const behaviour_verbs[14] = {
    "opened", "closed", "clicked",   "shared",  "searched", "filtered",   "scrolled",
    "liked",  "saved",  "commented", "started", "finished", "subscribed", "reminded",
};

void put_behaviour(struct world_text *text, unsigned behaviour)
{
    put_text(text, behaviour_objects[behaviour % 20]);
    PUT(text, "_");
    put_text(text, behaviour_verbs[behaviour / 20 % 14]);
}
