/* SPDX-License-Identifier: Apache-2.0 */
/* Random worlds and rules. */
#include "support/oracle_random.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "support/oracle_world.h"

static uint64_t below(struct gambler *gambler, uint64_t bound)
{
    return random_below(&gambler->random, bound);
}

static bool chance(struct gambler *gambler, unsigned percent)
{
    return below(gambler, 100) < percent;
}

static const char *pick(struct gambler *gambler, const char *const *words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    return words[below(gambler, count)];
}

/* ---- zones and times ---- */

/* New York's rules of 2024 to 2027. */
static const int64_t east_since[] = {
    INT64_MIN,
    INT64_C(1710054000000),
    INT64_C(1730613600000),
    INT64_C(1741503600000),
    INT64_C(1762063200000),
    INT64_C(1772953200000),
    INT64_C(1793512800000),
    INT64_C(1805007600000),
};
static const int32_t east_offset[] = { -18000, -14400, -18000, -14400,
                                       -18000, -14400, -18000, -14400 };
/* Clocks go from 24:00 back to 23:00, and from 0:00 on to 1:00. */
static const int64_t midnight_since[] = { INT64_MIN, INT64_C(1761955200000), INT64_C(1774224000000),
                                          INT64_C(1781740800000) };
static const int32_t midnight_offset[] = { 10800, 7200, 10800, 7200 };
/* A day that never was: 2026-06-10. */
static const int64_t samoa_since[] = { INT64_MIN, INT64_C(1781086800000) };
static const int32_t samoa_offset[] = { -36000, 50400 };

static const struct rule_zone zones[] = {
    { "Test/East", 8, east_since, east_offset },
    { "Test/Midnight", 4, midnight_since, midnight_offset },
    { "Test/Samoa", 2, samoa_since, samoa_offset },
};

const struct rule_zone *gamble_zone(struct gambler *gambler)
{
    uint64_t which = below(gambler, 5);
    gambler->zone = which < 3 ? &zones[which] : NULL;
    return gambler->zone;
}

int64_t gamble_now(struct gambler *gambler)
{
    static const int64_t days[] = {
        INT64_C(1781712000000), /* 2026-06-18 in Shanghai */
        INT64_C(1774800000000), /* 2026-03-30, after a February */
        INT64_C(1772208000000), /* 2026-02-28 */
        INT64_C(1793548800000), /* 2026-11-02, the day after clocks went back */
        INT64_C(1781740800000), /* clocks go back at midnight */
        INT64_C(1781086800000), /* over the day that never was */
        INT64_C(1767196800000), /* new year in Shanghai */
    };
    int64_t now = days[below(gambler, sizeof(days) / sizeof(days[0]))];
    switch (below(gambler, 4)) {
    case 0:
        break;
    case 1:
        now += (int64_t)below(gambler, 3) - 1;
        break;
    case 2:
        now += (int64_t)below(gambler, 30) * HOUR_MS;
        break;
    default:
        now += (int64_t)below(gambler, 3 * DAY_MS);
        break;
    }
    gambler->now_ms = now;
    return now;
}

static int64_t offset_at(const struct gambler *gambler, int64_t at_ms)
{
    int64_t offset = 8 * HOUR_MS;
    for (size_t i = 0; gambler->zone != NULL && i < gambler->zone->count; i++)
        if (i == 0 || gambler->zone->since_ms[i] <= at_ms)
            offset = gambler->zone->offset_seconds[i] * SECOND_MS;
    return offset;
}

static const char *const spans[] = { "1h",  "24h", "1d", "2d", "7d",  "1w", "30d",
                                     "90d", "1M",  "2M", "1y", "90m", NULL };
static const int64_t span_ms[] = { HOUR_MS,     DAY_MS,      DAY_MS,       2 * DAY_MS,
                                   7 * DAY_MS,  7 * DAY_MS,  30 * DAY_MS,  90 * DAY_MS,
                                   31 * DAY_MS, 61 * DAY_MS, 365 * DAY_MS, 90 * MINUTE_MS };

/* An instant that matters to some window, or one beside it. */
static int64_t some_time(struct gambler *gambler)
{
    int64_t now = gambler->now_ms, at;
    switch (below(gambler, 8)) {
    case 0:
    case 1:
        at = now - span_ms[below(gambler, sizeof(span_ms) / sizeof(span_ms[0]))];
        break;
    case 2: { /* a local midnight */
        int64_t local = now + offset_at(gambler, now);
        local -= local % DAY_MS + (int64_t)below(gambler, 70) * DAY_MS;
        at = local - offset_at(gambler, local);
        break;
    }
    case 3: /* the same time of day some days ago */
        at = now - (int64_t)below(gambler, 64) * DAY_MS;
        break;
    case 4: /* near a change of the clocks */
        at = gambler->zone != NULL && gambler->zone->count > 1
                 ? gambler->zone->since_ms[1 + below(gambler, gambler->zone->count - 1)] +
                       ((int64_t)below(gambler, 5) - 2) * HOUR_MS
                 : now;
        break;
    case 5: /* still to come */
        at = now + (int64_t)below(gambler, 2) * (int64_t)below(gambler, 2 * DAY_MS);
        break;
    default:
        at = now - (int64_t)below(gambler, 120 * DAY_MS);
        break;
    }
    return at + (chance(gambler, 60) ? (int64_t)below(gambler, 3) - 1 : 0);
}

/* ---- worlds ---- */

static const char *const cities[] = { "上海", "杭州", "Paris", "paris-12", NULL };
static const char *const products[] = { "p1", "p2", "p3", "p9", NULL };
static const char *const orders[] = { "a", "b", "c", NULL };
static const char *const stores[] = { "s1", "s2", NULL };
static const char *const channels[] = { "tmall", "web", "app", NULL };
static const char *const decimals[] = { "0.5", "1.25", "-0.000001", "2", "0.333333", NULL };
static const char *const topics[] = { "tea", "ski", "golf", "钓鱼", NULL };
static const char *const advisers[] = { "u1", "u7", NULL };
static const char *const groups[] = { "g1", "g2", "g3", NULL };

static void text_list(struct gambler *gambler, const char *const *words, struct buffer *out)
{
    size_t count = 1 + below(gambler, 3);
    buffer_printf(out, "[");
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s\"%s\"", i == 0 ? "" : ",", pick(gambler, words));
    buffer_printf(out, "]");
}

static void props(struct gambler *gambler, struct buffer *out)
{
    const char *comma = "";
#define MAYBE(percent, ...)                  \
    do {                                     \
        if (chance(gambler, percent)) {      \
            buffer_printf(out, "%s", comma); \
            buffer_printf(out, __VA_ARGS__); \
            comma = ",";                     \
        }                                    \
    } while (0)
    MAYBE(75, "\"order_id\":\"%s\"", pick(gambler, orders));
    MAYBE(75, "\"revenue\":%d", (int)below(gambler, 5) * 5000 - 2500 * (int)below(gambler, 2));
    MAYBE(25, "\"total\":%d", (int)below(gambler, 4) * 5000);
    MAYBE(50, "\"quantity\":%d", (int)below(gambler, 4));
    MAYBE(50, "\"rate\":%s", pick(gambler, decimals));
    MAYBE(40, "\"gift\":%s", chance(gambler, 50) ? "true" : "false");
    MAYBE(40, "\"ship_at\":%lld", (long long)some_time(gambler));
    MAYBE(50, "\"city\":\"%s\"", pick(gambler, cities));
    MAYBE(60, "\"product_id\":\"%s\"", pick(gambler, products));
    MAYBE(30, "\"store_id\":\"%s\"", pick(gambler, stores));
    if (chance(gambler, 40)) {
        buffer_printf(out, "%s\"products.product_id\":", comma);
        text_list(gambler, products, out);
    }
#undef MAYBE
}

static void events(struct gambler *gambler, uint64_t *seq, struct buffer *out)
{
    size_t count = chance(gambler, 10) ? 0 : 1 + below(gambler, 14);
    int64_t time = gambler->now_ms;
    buffer_printf(out, "\"events\":[");
    for (size_t i = 0; i < count; i++) {
        if (!chance(gambler, 20))
            time = some_time(gambler); /* else together with the one before */
        /* Late ones have higher numbers than later ones. */
        buffer_printf(
            out,
            "%s{\"type\":\"%s\",\"channel\":\"%s\",\"time\":%lld,\"seq\":%llu,\"node\":%d,"
            "\"props\":{",
            i == 0 ? "" : ",", pick(gambler, world_events), pick(gambler, channels),
            (long long)time, (unsigned long long)++*seq,
            (int)(chance(gambler, 50) ? 0 : below(gambler, WORLD_NODES_MAX)));
        props(gambler, out);
        buffer_printf(out, "}}");
    }
    buffer_printf(out, "]");
}

static void facts(struct gambler *gambler, uint64_t *seq, struct buffer *out)
{
    const char *comma = "";
#define MAYBE(...)                           \
    do {                                     \
        if (chance(gambler, 70)) {           \
            buffer_printf(out, "%s", comma); \
            buffer_printf(out, __VA_ARGS__); \
            comma = ",";                     \
        }                                    \
    } while (0)
    buffer_printf(out, "\"traits\":{");
    MAYBE("\"city\":\"%s\"", pick(gambler, cities));
    MAYBE("\"age\":%s", pick(gambler, decimals));
    MAYBE("\"balance\":%d", (int)below(gambler, 4) * 5000);
    MAYBE("\"birthday\":%lld",
          (long long)(some_time(gambler) - (int64_t)below(gambler, 9000) * DAY_MS));
    MAYBE("\"vip\":%s", chance(gambler, 50) ? "true" : "false");
    MAYBE("\"store\":\"%s\"", pick(gambler, stores));
    if (chance(gambler, 70)) {
        buffer_printf(out, "%s\"interests\":", comma);
        text_list(gambler, topics, out);
    }
    buffer_printf(out, "},\"tags\":{");
    comma = "";
    MAYBE("\"skin_type\":\"%s\"", pick(gambler, topics));
    MAYBE("\"score\":%s", pick(gambler, decimals));
    buffer_printf(out, "},\"relations\":{");
    comma = "";
    MAYBE("\"adviser\":\"%s\"", pick(gambler, advisers));
    if (chance(gambler, 50)) {
        buffer_printf(out, "%s\"groups\":", comma);
        text_list(gambler, groups, out);
    }
    buffer_printf(out, "},\"consents\":{");
    comma = "";
    MAYBE("\"sms\":%s", chance(gambler, 50) ? "true" : "false");
#undef MAYBE
    buffer_printf(out, "},\"segments\":[%s],\"identifiers\":[%s],\"reachable\":[%s],",
                  chance(gambler, 50) ? "\"vip\"" : "", chance(gambler, 50) ? "\"mobile\"" : "",
                  chance(gambler, 50) ? "\"sms\"" : "");
    if (chance(gambler, 60))
        buffer_printf(out, "\"entered\":%lld,", (long long)some_time(gambler));
    buffer_printf(out, "\"touches\":[");
    int64_t time = gambler->now_ms - 40 * DAY_MS;
    size_t count = below(gambler, 4);
    for (size_t i = 0; i < count; i++) {
        time += (int64_t)below(gambler, 20) * DAY_MS + (int64_t)below(gambler, 2);
        buffer_printf(
            out,
            "%s{\"time\":%lld,\"seq\":%llu,\"journey\":\"%s\",\"channel\":\"%s\",\"status\":\"%s\"}",
            i == 0 ? "" : ",", (long long)time, (unsigned long long)++*seq,
            chance(gambler, 50) ? "welcome" : "return", chance(gambler, 50) ? "sms" : "wecom",
            chance(gambler, 50) ? "delivered" : "failed");
    }
    buffer_printf(out, "],");
}

void gamble_world(struct gambler *gambler, size_t customers, struct buffer *out)
{
    uint64_t seq = 0;
    buffer_printf(out, "{\"me\":\"u7\",\"objects\":{\"product\":{");
    for (size_t i = 0; i < 3; i++)
        buffer_printf(
            out,
            "%s\"%s\":{\"category\":\"%s\",\"price\":%d,\"launched\":%lld,\"brand_id\":\"b%d\"%s}",
            i == 0 ? "" : ",", products[i], pick(gambler, topics), (int)below(gambler, 4) * 5000,
            (long long)some_time(gambler), (int)below(gambler, 3),
            chance(gambler, 50) ? ",\"tag:hot\":true" : "");
    buffer_printf(
        out, "},\"brand\":{\"b0\":{\"country\":\"CN\",\"owner_ids\":[\"o1\"]},"
             "\"b1\":{\"owner_ids\":[\"o1\",\"o2\"]}},"
             "\"owner\":{\"o1\":{\"name\":\"Li\"},\"o2\":{}},"
             "\"store\":{\"s1\":{\"city\":\"上海\",\"tag:service\":\"low\"}}},\"customers\":[");
    for (size_t i = 0; i < customers; i++) {
        buffer_printf(out, "%s{", i == 0 ? "" : ",");
        facts(gambler, &seq, out);
        events(gambler, &seq, out);
        buffer_printf(out, "}");
    }
    buffer_printf(out, "]}");
}

/* ---- comparisons ---- */

static const char *const orderings[] = { "eq", "ne", "lt", "lte", "gt", "gte", NULL };

static void moment(struct gambler *gambler, struct buffer *out)
{
    static const char *const anchors[] = { "now",           "today",      "tomorrow",
                                           "yesterday",     "week_start", "month_start",
                                           "quarter_start", "year_start", NULL };
    if (chance(gambler, 30)) {
        buffer_printf(out, "%lld", (long long)some_time(gambler));
        return;
    }
    if (chance(gambler, 10)) {
        buffer_printf(out, "\"2026-0%d-%02d%s\"", 1 + (int)below(gambler, 9),
                      1 + (int)below(gambler, 28), chance(gambler, 50) ? " 10:30:00" : "");
        return;
    }
    buffer_printf(out, "\"%s", pick(gambler, anchors));
    if (chance(gambler, 70))
        buffer_printf(out, "%s%s", chance(gambler, 70) ? "-" : "+", pick(gambler, spans));
    buffer_printf(out, "\"");
}

static void time_compare(struct gambler *gambler, struct buffer *out)
{
    static const char *const anniversaries[] = { "today",     "in 7d",      "within 7d", "3d ago",
                                                 "this_week", "this_month", "within 1w", NULL };
    switch (below(gambler, 6)) {
    case 0:
        buffer_printf(out, "\"anniversary\":\"%s\"", pick(gambler, anniversaries));
        break;
    case 1:
        buffer_printf(out, "\"on\":");
        moment(gambler, out);
        break;
    case 2:
        buffer_printf(out, "\"between\":[\"now-%s\",\"now\"]", pick(gambler, spans));
        break;
    default:
        buffer_printf(out, "\"%s\":", pick(gambler, orderings));
        moment(gambler, out);
        break;
    }
}

static void text_compare(struct gambler *gambler, const char *const *words, struct buffer *out)
{
    static const char *const lists[] = { "in", "not_in", NULL };
    static const char *const parts[] = { "contains", "not_contains", "starts_with", "ends_with",
                                         NULL };
    static const char *const pieces[] = { "p", "1", "上", "a", "s", NULL };
    static const char *const patterns[] = { "^p", "[12]$", "^.a", "上|1", NULL };
    switch (below(gambler, 6)) {
    case 0:
        buffer_printf(out, "\"%s\":", pick(gambler, lists));
        text_list(gambler, words, out);
        break;
    case 1:
        buffer_printf(out, "\"%s\":\"%s\"", pick(gambler, parts), pick(gambler, pieces));
        break;
    case 2:
        buffer_printf(out, "\"matches\":\"%s\"", pick(gambler, patterns));
        break;
    default:
        buffer_printf(out, "\"%s\":\"%s\"", chance(gambler, 60) ? "eq" : "ne",
                      pick(gambler, words));
        break;
    }
}

static void number_compare(struct gambler *gambler, const char *const *words, struct buffer *out)
{
    static const char *const lists[] = { "in", "not_in", NULL };
    if (chance(gambler, 15))
        buffer_printf(out, "\"%s\":[%s,%s]", pick(gambler, lists), pick(gambler, words),
                      pick(gambler, words));
    else
        buffer_printf(out, "\"%s\":%s", pick(gambler, orderings), pick(gambler, words));
}

static const char *const amounts[] = { "0", "5000", "2500", "10000", "12500", "-2500", NULL };
static const char *const counts[] = { "0", "1", "2", "3", "1.5", NULL };

static void compare_kind(struct gambler *gambler, enum rule_kind kind, const char *const *words,
                         struct buffer *out)
{
    if (chance(gambler, 12)) {
        buffer_printf(out, "\"%s\":true", chance(gambler, 50) ? "is_set" : "is_not_set");
        return;
    }
    switch (kind) {
    case RULE_TEXT:
    case RULE_TEXTS:
        text_compare(gambler, words, out);
        break;
    case RULE_TIME:
        time_compare(gambler, out);
        break;
    case RULE_BOOL:
        buffer_printf(out, "\"%s\":%s", chance(gambler, 60) ? "eq" : "ne",
                      chance(gambler, 50) ? "true" : "false");
        break;
    case RULE_MONEY:
        if (chance(gambler, 15))
            buffer_printf(out, "\"between\":[0,%d]", (int)below(gambler, 4) * 5000);
        else
            number_compare(gambler, amounts, out);
        break;
    case RULE_NUMBER:
    default:
        number_compare(gambler, words, out);
        break;
    }
}

/* ---- where ---- */

static const struct {
    const char *path;
    enum rule_kind kind;
    const char *const *words;
} paths[] = {
    { "order_id", RULE_TEXT, orders },
    { "revenue", RULE_MONEY, NULL },
    { "quantity", RULE_NUMBER, counts },
    { "rate", RULE_NUMBER, decimals },
    { "gift", RULE_BOOL, NULL },
    { "ship_at", RULE_TIME, NULL },
    { "city", RULE_TEXT, cities },
    { "product_id", RULE_TEXT, products },
    { "products.product_id", RULE_TEXTS, products },
    { "channel", RULE_TEXT, channels },
    { "$time", RULE_TIME, NULL },
    { "$hour", RULE_NUMBER, counts },
    { "$weekday", RULE_NUMBER, counts },
};
#define PATHS (sizeof(paths) / sizeof(paths[0]))

static void object_rule(struct gambler *gambler, const char *kind, unsigned depth,
                        struct buffer *out)
{
    if (strcmp(kind, "product") == 0) {
        if (depth > 0 && chance(gambler, 40)) {
            buffer_printf(out, "{\"object\":\"brand\",\"via\":\"brand_id\",\"rule\":");
            object_rule(gambler, "brand", depth - 1, out);
            buffer_printf(out, "}");
        } else if (chance(gambler, 50)) {
            buffer_printf(out, "{\"tag\":\"hot\",\"eq\":true}");
        } else {
            buffer_printf(out, "{\"any\":[{\"prop\":\"category\",");
            text_compare(gambler, topics, out);
            buffer_printf(out, "},{\"not\":{\"prop\":\"launched\",");
            time_compare(gambler, out);
            buffer_printf(out, "}}]}");
        }
        return;
    }
    if (strcmp(kind, "brand") == 0 && depth > 0 && chance(gambler, 60)) {
        buffer_printf(
            out, "{\"object\":\"owner\",\"via\":\"owner_ids\",\"rule\":{\"prop\":\"name\",%s}}",
            chance(gambler, 50) ? "\"eq\":\"Li\"" : "\"is_not_set\":true");
        return;
    }
    if (strcmp(kind, "store") == 0)
        buffer_printf(
            out, "[{\"prop\":\"city\",\"eq\":\"上海\"},{\"tag\":\"service\",\"ne\":\"high\"}]");
    else
        buffer_printf(out, "{\"prop\":\"country\",\"%s\":\"CN\"}",
                      chance(gambler, 50) ? "eq" : "ne");
}

static void where(struct gambler *gambler, unsigned depth, struct buffer *out)
{
    if (depth > 0 && chance(gambler, 35)) {
        bool negated = chance(gambler, 30);
        if (negated) {
            buffer_printf(out, "{\"not\":");
            where(gambler, depth - 1, out);
        } else {
            buffer_printf(out, "{\"%s\":[", chance(gambler, 50) ? "all" : "any");
            where(gambler, depth - 1, out);
            buffer_printf(out, ",");
            where(gambler, depth - 1, out);
            buffer_printf(out, "]");
        }
        buffer_printf(out, "}");
        return;
    }
    if (!gambler->counting && chance(gambler, 15)) {
        bool store = chance(gambler, 30);
        buffer_printf(out,
                      "{\"object\":\"%s\",\"via\":\"%s\",\"rule\":", store ? "store" : "product",
                      store                 ? "store_id"
                      : chance(gambler, 50) ? "product_id"
                                            : "products.product_id");
        object_rule(gambler, store ? "store" : "product", 2, out);
        buffer_printf(out, "}");
        return;
    }
    size_t path = below(gambler, PATHS);
    buffer_printf(out, "{\"prop\":\"%s\",", paths[path].path);
    compare_kind(gambler, paths[path].kind, paths[path].words, out);
    buffer_printf(out, "}");
}

/* ---- events ---- */

static void window(struct gambler *gambler, struct buffer *out)
{
    static const char *const names[] = {
        "today",        "yesterday",    "this_week", "last_week", "this_month", "last_month",
        "this_quarter", "last_quarter", "this_year", "last_year", NULL
    };
    switch (below(gambler, 7)) {
    case 0:
    case 1:
        buffer_printf(out, ",\"last\":\"%s\"", pick(gambler, spans));
        break;
    case 2:
        buffer_printf(out, ",\"during\":\"%s\"", pick(gambler, names));
        break;
    case 3:
        buffer_printf(out, ",\"during\":{\"from\":\"90d\",\"to\":\"%s\"}",
                      chance(gambler, 50) ? "30d" : "1M");
        break;
    case 4:
        if (!gambler->counting) {
            buffer_printf(out, ",\"during\":\"since_entering\"");
            break;
        }
        buffer_printf(out, ",\"during\":{\"from\":\"yesterday\"}");
        break;
    case 5:
        buffer_printf(out, ",\"during\":{\"%s\":", chance(gambler, 50) ? "from" : "to");
        moment(gambler, out);
        buffer_printf(out, "}");
        break;
    default:
        break;
    }
}

static void type(struct gambler *gambler, struct buffer *out)
{
    uint64_t kind = below(gambler, 10);
    if (kind == 0)
        buffer_printf(out, "\"event\":\"*\"");
    else if (kind == 1)
        buffer_printf(out, "\"event\":[\"Product Added\",\"Order Paid\"]");
    else
        buffer_printf(out, "\"event\":\"%s\"",
                      kind < 6 ? "Order Paid" : world_events[below(gambler, 6)]);
}

static void measure(struct gambler *gambler, bool plain, struct buffer *out)
{
    static const char *const sums[] = { "sum", "avg", "min", "max", NULL };
    uint64_t which = below(gambler, plain ? 5 : 10);
    switch (which) {
    case 0:
        buffer_printf(out, ",\"measure\":\"days\",");
        number_compare(gambler, counts, out);
        return;
    case 1:
        buffer_printf(out, ",\"measure\":\"recency\",");
        number_compare(gambler, counts, out);
        return;
    case 2:
        if (gambler->counting)
            break;
        buffer_printf(out, ",\"measure\":\"%s\",", chance(gambler, 50) ? "first" : "last");
        time_compare(gambler, out);
        return;
    case 5:
        buffer_printf(out, ",\"measure\":\"distinct\",\"of\":\"%s\",",
                      paths[below(gambler, gambler->counting ? 8 : 9)].path);
        number_compare(gambler, counts, out);
        return;
    case 6:
    case 7: {
        bool money = chance(gambler, 60), whole = chance(gambler, 50);
        buffer_printf(out, ",\"measure\":\"%s\",\"of\":\"%s\",", pick(gambler, sums),
                      money   ? "revenue"
                      : whole ? "quantity"
                              : "rate");
        compare_kind(gambler, money ? RULE_MONEY : RULE_NUMBER, counts, out);
        return;
    }
    case 8: {
        if (gambler->counting)
            break;
        size_t path = below(gambler, 8);
        buffer_printf(out, ",\"measure\":\"%s\",\"of\":\"%s\",",
                      chance(gambler, 50) ? "first" : "last", paths[path].path);
        compare_kind(gambler, paths[path].kind, paths[path].words, out);
        return;
    }
    case 9:
        buffer_printf(out, ",\"measure\":\"%s\",\"of\":\"ship_at\",",
                      chance(gambler, 50) ? "min" : "max");
        time_compare(gambler, out);
        return;
    default:
        break;
    }
    if (chance(gambler, 60)) {
        buffer_printf(out, ",");
        number_compare(gambler, counts, out);
    }
}

static void event(struct gambler *gambler, struct buffer *out)
{
    bool net = !gambler->counting && chance(gambler, 15);
    buffer_printf(out, "{");
    if (net)
        buffer_printf(out, "\"event\":\"Order Paid\",\"net\":true");
    else
        type(gambler, out);
    if (chance(gambler, 50)) {
        bool list = chance(gambler, 50);
        buffer_printf(out, ",\"where\":%s", list ? "[" : "");
        where(gambler, 2, out);
        buffer_printf(out, "%s", list ? "]" : "");
    }
    window(gambler, out);
    if (!gambler->counting && chance(gambler, 15)) {
        static const char *const places[] = { "1", "2", "3", "-1", "-2", NULL };
        buffer_printf(out, ",\"nth\":%s", pick(gambler, places));
    }
    measure(gambler, false, out);
    buffer_printf(out, "}");
}

static void step(struct gambler *gambler, size_t place, bool absent, const char *previous,
                 struct buffer *out)
{
    buffer_printf(out, "%s{\"event\":\"%s\"", place == 0 ? "" : ",",
                  world_events[below(gambler, 6)]);
    if (place > 0 && chance(gambler, 30)) {
        static const char *const sames[] = { "\"product_id\"", "[\"product_id\",\"city\"]",
                                             "\"quantity\"", "\"products.product_id\"", NULL };
        buffer_printf(out, ",\"same\":%s", pick(gambler, sames));
    }
    if (chance(gambler, 30)) {
        buffer_printf(out, ",\"where\":[");
        if (place > 0 && chance(gambler, 50))
            buffer_printf(out, "{\"prop\":\"%s\",\"%s\":{\"step\":%s,\"prop\":\"%s\"}}",
                          chance(gambler, 50) ? "quantity" : "rate", pick(gambler, orderings),
                          chance(gambler, 50) ? "0" : previous,
                          chance(gambler, 50) ? "quantity" : "rate");
        else
            where(gambler, 1, out);
        buffer_printf(out, "]");
    }
    buffer_printf(out, "%s}", absent ? ",\"absent\":true" : "");
}

static void sequence(struct gambler *gambler, struct buffer *out)
{
    size_t count = 2 + below(gambler, 3);
    char previous[24] = "0";
    buffer_printf(out, "{\"sequence\":[");
    for (size_t i = 0; i < count; i++) {
        bool absent = i > 0 && chance(gambler, 35);
        step(gambler, i, absent, previous, out);
        if (!absent)
            snprintf(previous, sizeof(previous), "%zu", i);
    }
    buffer_printf(out, "]");
    if (chance(gambler, 60)) {
        static const char *const withins[] = { "1h", "1d", "7d", "90m", "30d", NULL };
        buffer_printf(out, ",\"within\":\"%s\"", pick(gambler, withins));
    }
    window(gambler, out);
    buffer_printf(out, "}");
}

/* ---- conditions ---- */

static void fact(struct gambler *gambler, struct buffer *out)
{
    switch (below(gambler, 12)) {
    case 0:
        buffer_printf(out, "{\"trait\":\"city\",");
        compare_kind(gambler, RULE_TEXT, cities, out);
        break;
    case 1:
        buffer_printf(out, "{\"trait\":\"age\",");
        compare_kind(gambler, RULE_NUMBER, decimals, out);
        break;
    case 2:
        buffer_printf(out, "{\"trait\":\"balance\",");
        compare_kind(gambler, RULE_MONEY, NULL, out);
        break;
    case 3:
    case 4:
        buffer_printf(out, "{\"trait\":\"birthday\",");
        compare_kind(gambler, RULE_TIME, NULL, out);
        break;
    case 5:
        buffer_printf(out, "{\"trait\":\"interests\",");
        compare_kind(gambler, RULE_TEXTS, topics, out);
        break;
    case 6:
        buffer_printf(out, "{\"tag\":\"skin_type\",");
        compare_kind(gambler, RULE_TEXT, topics, out);
        break;
    case 7:
        buffer_printf(out, "%s",
                      chance(gambler, 50) ? "{\"segment\":\"vip\"" : "{\"has\":\"mobile\"");
        break;
    case 8:
        buffer_printf(out, "{\"consent\":\"sms\"%s",
                      chance(gambler, 50)   ? ""
                      : chance(gambler, 50) ? ",\"eq\":false"
                                            : ",\"is_not_set\":true");
        break;
    case 9:
        buffer_printf(out, "{\"relation\":\"%s\",\"%s\":\"%s\"",
                      chance(gambler, 50) ? "adviser" : "groups", chance(gambler, 50) ? "eq" : "ne",
                      chance(gambler, 50) ? "$me" : "g1");
        break;
    case 10:
        buffer_printf(out, "{\"object\":\"store\",\"via\":\"store\",\"rule\":");
        object_rule(gambler, "store", 0, out);
        break;
    default:
        buffer_printf(out, "{\"touch\":{%s}%s",
                      chance(gambler, 50) ? "\"journey\":\"welcome\"" : "",
                      chance(gambler, 50) ? ",\"status\":[\"delivered\",\"sent\"]" : "");
        window(gambler, out);
        measure(gambler, true, out);
        break;
    }
    buffer_printf(out, "}");
}

static void rule_at(struct gambler *gambler, unsigned depth, struct buffer *out)
{
    if (depth > 0 && chance(gambler, 35)) {
        if (chance(gambler, 25)) {
            buffer_printf(out, "{\"not\":");
            rule_at(gambler, depth - 1, out);
            buffer_printf(out, "}");
            return;
        }
        size_t count = 1 + below(gambler, 3);
        buffer_printf(out, "{\"%s\":[", chance(gambler, 50) ? "all" : "any");
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                buffer_printf(out, ",");
            rule_at(gambler, depth - 1, out);
        }
        buffer_printf(out, "]}");
        return;
    }
    uint64_t kind = below(gambler, 10);
    if (gambler->counting || kind < 6)
        event(gambler, out);
    else if (kind < 8)
        sequence(gambler, out);
    else
        fact(gambler, out);
}

void gamble_rule(struct gambler *gambler, struct buffer *out)
{
    rule_at(gambler, 3, out);
}
