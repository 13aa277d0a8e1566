/* SPDX-License-Identifier: Apache-2.0 */
/* Segment's door: what real clients send, what comes out of it, and what is told to them. */
#include "support/doors.h"

#include <pthread.h>
#include <zlib.h>

#include "base/clock.h"

#define NODE_TRACK                                                                                   \
    "{\"timestamp\":\"2026-11-21T18:12:00.000Z\",\"integrations\":{},\"event\":\"Order Completed\"," \
    "\"type\":\"track\",\"properties\":{\"order_id\":\"1\",\"revenue\":9.9},"                        \
    "\"context\":{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"3.1.0\"}},"        \
    "\"userId\":\"u1\",\"messageId\":\"node-next-1795284625327-04115ce7\","                          \
    "\"_metadata\":{\"nodeVersion\":\"v20.20.2\",\"jsRuntime\":\"node\"}}"

static int set_up(void **state)
{
    struct doors *doors = calloc(1, sizeof *doors);
    doors_open(doors, NULL);
    *state = doors;
    return 0;
}

static int tear_down(void **state)
{
    doors_close(*state);
    free(*state);
    return 0;
}

static void test_analytics_node(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(doors_post(doors, "/v1/batch", BASIC_SHOP,
                                "{\"batch\":[" NODE_TRACK
                                "],\"sentAt\":\"2026-11-21T18:12:01.500Z\"}"),
                     200);
    assert_text(doors->answer.body, "{\"success\":true}");
    assert_int_equal(doors->count, 1);
    const struct event *event = &doors->events[0];
    assert_int_equal(event->kind, EVENT_TRACK);
    assert_text(event->type, "Order Completed");
    assert_text(event->channel, "server");
    assert_int_equal(event->source_number, 1);
    assert_int_equal(event->flags, EVENT_TRUSTED | EVENT_TIME_GIVEN);
    /* received − (sent − original) */
    assert_int_equal(event->time_ms, NOW_MS - 1500);
    assert_int_equal(event->identifier_count, 1);
    assert_text(event->identifiers[0].type, "user_id");
    assert_text(event->identifiers[0].value, "u1");
    assert_int_equal(event->identifiers[0].flags, IDENTIFIER_VERIFIED);
    assert_text(event->props, "{\"order_id\":\"1\",\"revenue\":9.9}");
    assert_text(event->promoted_text[PROMOTED_ORDER_ID], "1");
    assert_int_equal(event->promoted_int[PROMOTED_REVENUE], 990);
    assert_text(event->promoted_text[PROMOTED_CURRENCY], "CNY");
    assert_text(event->context,
                "{\"library\":{\"name\":\"@segment/analytics-node\",\"version\":\"3.1.0\"}}");
}

static void test_analytics_next(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        doors_post(
            doors, "/v1/p", NULL,
            "{\"timestamp\":\"2026-11-21T18:12:00.000Z\",\"integrations\":{\"Segment.io\":true},\"type\":\"page\","
            "\"properties\":{\"path\":\"/p\",\"referrer\":\"\",\"search\":\"?utm_source=weibo\",\"title\":\"T\","
            "\"url\":\"http://e.cn/p\",\"name\":\"Home\",\"category\":\"Cat\"},\"category\":\"Cat\",\"name\":\"Home\","
            "\"context\":{\"page\":{\"path\":\"/p\"},\"userAgent\":\"UA\",\"locale\":\"en-US\","
            "\"library\":{\"name\":\"analytics.js\",\"version\":\"npm:next-1.84.3\"},"
            "\"campaign\":{\"source\":\"weibo\",\"name\":\"618\"},\"timezone\":\"Asia/Shanghai\"},"
            "\"messageId\":\"ajs-next-1\",\"anonymousId\":\"7f3c1b1e-9d1d-4d0b-8a74-0a8c4a2a2d11\","
            "\"writeKey\":\"wk_web\",\"userId\":null,\"sentAt\":\"2026-11-21T18:12:00.100Z\","
            "\"_metadata\":{\"bundled\":[\"Segment.io\"],\"unbundled\":[],\"bundledIds\":[]}}"),
        200);
    assert_int_equal(doors->count, 1);
    const struct event *event = &doors->events[0];
    assert_int_equal(event->kind, EVENT_PAGE);
    assert_text(event->type, "Page Viewed");
    assert_text(event->channel, "web");
    assert_int_equal(event->flags, EVENT_TIME_GIVEN);
    assert_int_equal(event->identifier_count, 1);
    assert_text(event->identifiers[0].type, "anonymous_id");
    assert_text(event->identifiers[0].namespace_, "web");
    assert_int_equal(event->identifiers[0].flags, IDENTIFIER_OWN);
    assert_text(member_of(doors, event->props, "name"), "\"Home\"");
    assert_text(member_of(doors, event->context, "campaign"),
                "{\"source\":\"weibo\",\"name\":\"618\"}");
    assert_text(member_of(doors, event->context, "ip"), "\"203.0.113.9\"");
    assert_text(member_of(doors, event->context, "userAgent"), "\"UA\"");
}

static void test_rudder_node_and_browser(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        doors_post(
            doors, "/v1/batch", BASIC_SHOP,
            "{\"batch\":[{\"userId\":\"u1\",\"traits\":{\"email\":\"Li@Example.cn\",\"name\":\"李雷\"},"
            "\"context\":{\"traits\":{\"email\":\"Li@Example.cn\"},\"library\":{\"name\":\"analytics-node\","
            "\"version\":\"3.0.13\"}},\"type\":\"identify\",\"channel\":\"server\",\"_metadata\":{},"
            "\"originalTimestamp\":\"2026-11-21T18:12:00.000Z\",\"messageId\":\"m1\","
            "\"sentAt\":\"2026-11-21T18:12:01.000Z\"}],\"timestamp\":\"2026-11-21T18:12:01.000Z\","
            "\"sentAt\":\"2026-11-21T18:12:01.000Z\"}"),
        200);
    assert_int_equal(doors->count, 1);
    assert_int_equal(doors->events[0].time_ms, NOW_MS - 1000);
    assert_int_equal(doors->events[0].identifier_count, 2);
    const struct event_identifier *email = identifier_of(&doors->events[0], "email");
    assert_non_null(email);
    assert_int_equal(email->flags, IDENTIFIER_VERIFIED | IDENTIFIER_SEALED);
    assert_text(unsealed(doors, email->value), "li@example.cn");
    assert_int_equal(doors->events[0].trait_count, 2);
    assert_text(trait_of(&doors->events[0], "name")->value, "\"李雷\"");

    /* The browser's SDK: an empty userId is none; traits are in the context alone. */
    assert_int_equal(
        doors_post(
            doors, "/v1/identify", BASIC_WEB,
            "{\"userId\":\"\",\"anonymousId\":\"a1\",\"channel\":\"web\",\"type\":\"identify\","
            "\"originalTimestamp\":\"2026-11-21T18:12:00.000Z\",\"messageId\":\"m2\","
            "\"integrations\":{\"All\":true},\"context\":{\"traits\":{\"phone\":\"13912340000\",\"age\":30},"
            "\"sessionId\":1795284700,\"sessionStart\":true}}"),
        200);
    assert_int_equal(doors->count, 1);
    assert_null(identifier_of(&doors->events[0], "user_id"));
    const struct event_identifier *mobile = identifier_of(&doors->events[0], "mobile");
    assert_non_null(mobile);
    assert_int_equal(mobile->flags, IDENTIFIER_SEALED); /* claimed, not verified */
    assert_int_equal(mobile->other_hash_count, 3);
    assert_text(unsealed(doors, mobile->value), "+8613912340000");
    assert_int_equal(doors->events[0].trait_count, 2);
    assert_text(trait_of(&doors->events[0], "age")->value, "30");
    assert_true(
        str_starts_with(trait_of(&doors->events[0], "phone")->value, STR("{\"$sealed\":\"s1:1:")));
    assert_text(doors->events[0].channel, "web");
    assert_text(member_of(doors, doors->events[0].context, "sessionId"), "1795284700");
}

static void test_ways_to_carry_the_key(void **state)
{
    struct doors *doors = *state;
    const char *item = "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\"";
    char body[512];
    snprintf(body, sizeof body, "%s}", item);
    assert_int_equal(doors_post(doors, "/v1/track", "Basic d2tfc2hvcA==", body),
                     200); /* no colon */
    assert_int_equal(doors_post(doors, "/v1/track", "basic d2tfc2hvcDo=", body), 200);
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, body), 200);
    snprintf(body, sizeof body, "%s,\"writeKey\":\"wk_shop\"}", item);
    assert_int_equal(doors_post(doors, "/v1/t", "Bearer token", body), 200);
    snprintf(body, sizeof body, "{\"batch\":[%s}],\"writeKey\":\"wk_shop\"}", item);
    assert_int_equal(doors_post(doors, "/v1/b", NULL, body), 200);
    snprintf(body, sizeof body, "{\"batch\":[%s,\"writeKey\":\"wk_web\"}]}", item);
    assert_int_equal(doors_post(doors, "/v1/b", NULL, body), 200);
    assert_int_equal(doors->events[0].source_number, 2);
    snprintf(body, sizeof body, "{\"batch\":[%s}]}", item);
    assert_int_equal(
        doors_send(doors, "POST", "/beacon/v1/batch", "writeKey=wk%5Fshop", NULL, str_from_c(body)),
        200);
    assert_int_equal(doors->count, 1);
    /* and not */
    assert_int_equal(doors_post(doors, "/v1/batch", NULL, body), 401);
    assert_int_equal(doors->count, 0);
    assert_int_equal(doors_post(doors, "/v1/batch", "Basic bm9uZTo=", body), 401);
    assert_int_equal(doors_post(doors, "/v1/batch", "Basic !!!", body), 401);
    assert_int_equal(doors_post(doors, "/v1/batch", "Basic d2tfb2xkOg==", body),
                     404); /* disabled */
    assert_int_equal(doors_post(doors, "/v1/batch/", BASIC_SHOP, body), 200);
    assert_int_equal(doors_send(doors, "GET", "/v1/batch", NULL, BASIC_SHOP, str_from_c(body)),
                     405);
}

static void test_batch_defaults_and_bad_items(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        doors_post(
            doors, "/v1/batch", BASIC_SHOP,
            "{\"context\":{\"library\":{\"name\":\"L\"},\"locale\":\"zh-CN\"},\"batch\":["
            "{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\",\"context\":{\"locale\":\"en\"}},"
            "{\"type\":\"track\",\"event\":\"B\"},"
            "{\"type\":\"dance\",\"userId\":\"u\"},"
            "{\"type\":\"track\",\"userId\":\"u\"},"
            "17,"
            "{\"type\":\"track\",\"event\":\"C\",\"userId\":123}]}"),
        200);
    assert_int_equal(doors->count, 2);
    assert_text(doors->events[0].context, "{\"library\":{\"name\":\"L\"},\"locale\":\"en\"}");
    assert_text(doors->events[1].context, "{\"library\":{\"name\":\"L\"},\"locale\":\"zh-CN\"}");
    assert_text(doors->events[1].identifiers[0].value, "123"); /* numbers as ids are texts */
    /* nothing right in it: said so */
    assert_int_equal(
        doors_post(doors, "/v1/batch", BASIC_SHOP, "{\"batch\":[{\"type\":\"track\"}]}"), 400);
    assert_true(
        str_contains(doors->answer.body, STR("request neither has anonymousId nor userId")));
    assert_true(str_contains(doors->answer.body, STR("\"pointer\":\"/batch/0\"")));
    assert_int_equal(doors_post(doors, "/v1/batch", BASIC_SHOP, "{\"batch\":[]}"), 400);
    assert_int_equal(doors_post(doors, "/v1/batch", BASIC_SHOP, "{\"batch\":{}}"), 400);
    assert_int_equal(doors_post(doors, "/v1/batch", BASIC_SHOP, ""), 400);
    assert_int_equal(doors_post(doors, "/v1/batch", BASIC_SHOP, "[]"), 400);
    assert_int_equal(doors_post(doors, "/v1/batch", BASIC_SHOP, "{\"batch\":[}"), 400);
}

static void test_ids(void **state)
{
    struct doors *doors = *state;
    static const struct {
        const char *ids;
        int status;
        const char *user;
    } cases[] = {
        { "\"userId\":\"\"", 400, NULL },
        { "\"userId\":null,\"anonymousId\":\"\"", 400, NULL },
        { "\"userId\":\"   \"", 400, NULL },
        { "\"userId\":7", 200, "7" },
        { "\"userId\":9223372036854775807", 200, "9223372036854775807" },
        { "\"userId\":9223372036854775808", 400, NULL }, /* digits would get lost */
        { "\"userId\":1.5", 400, NULL },
        { "\"userId\":true", 400, NULL },
        { "\"userId\":{\"id\":1}", 400, NULL },
        { "\"userId\":\" u 1 \"", 200, "u 1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"event\":\"E\",%s}", cases[i].ids);
        assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, body), cases[i].status);
        if (cases[i].user != NULL)
            assert_text(doors->events[0].identifiers[0].value, cases[i].user);
        else
            assert_int_equal(doors->count, 0);
    }
    /* A placeholder is kept, marked; a masked value names nobody. Both go on: to quarantine. */
    assert_int_equal(
        doors_post(doors, "/v1/track", BASIC_SHOP, "{\"event\":\"E\",\"userId\":\"null\"}"), 200);
    assert_int_equal(doors->events[0].identifiers[0].flags,
                     IDENTIFIER_VERIFIED | IDENTIFIER_BLOCKED);
    assert_int_equal(
        doors_post(doors, "/v1/track", BASIC_SHOP, "{\"event\":\"E\",\"userId\":\"138****1234\"}"),
        200);
    assert_int_equal(doors->events[0].identifier_count, 0);
    /* A user id that is a phone is sealed. */
    assert_int_equal(
        doors_post(doors, "/v1/track", BASIC_SHOP, "{\"event\":\"E\",\"userId\":\"13912340000\"}"),
        200);
    assert_text(doors->events[0].identifiers[0].type, "user_id");
    assert_int_equal(doors->events[0].identifiers[0].flags,
                     IDENTIFIER_VERIFIED | IDENTIFIER_SEALED);
    assert_text(unsealed(doors, doors->events[0].identifiers[0].value), "13912340000");
}

static void test_external_ids_and_device(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        doors_post(
            doors, "/v1/track", BASIC_WEB,
            "{\"event\":\"E\",\"anonymousId\":\"a\",\"context\":{\"device\":{\"id\":\"D-1\",\"model\":\"M\","
            "\"token\":\"secret\",\"name\":\"Li's phone\"},\"externalIds\":["
            "{\"id\":\"o123\",\"type\":\"wx_openid\",\"collection\":\"wx88\",\"encoding\":\"none\"},"
            "{\"id\":\"13912340000\",\"type\":\"phone\",\"collection\":\"users\"},"
            "{\"id\":42,\"type\":\"loyalty\",\"collection\":\"users\"}]}}"),
        200);
    const struct event *event = &doors->events[0];
    assert_int_equal(event->identifier_count, 5);
    /* By strength: mobile, wx_openid, the brand's own, device, anonymous_id. */
    assert_text(event->identifiers[0].type, "mobile");
    assert_text(event->identifiers[1].type, "wx_openid");
    assert_text(event->identifiers[1].namespace_, "wx88");
    assert_text(event->identifiers[2].type, "loyalty");
    assert_text(event->identifiers[2].value, "42");
    assert_text(event->identifiers[3].type, "device");
    assert_text(event->identifiers[3].value, "d-1");
    assert_int_equal(event->identifiers[3].flags, IDENTIFIER_OWN);
    assert_text(event->identifiers[4].type, "anonymous_id");
    assert_int_equal(event->identifiers[1].flags, 0);
    assert_text(member_of(doors, event->context, "device"), "{\"id\":\"D-1\",\"model\":\"M\"}");
    assert_int_equal(
        doors_post(
            doors, "/v1/track", BASIC_WEB,
            "{\"event\":\"E\",\"anonymousId\":\"a\",\"context\":{\"externalIds\":[{\"id\":\"1\",\"type\":\"Bad Type\"}]}}"),
        400);
}

#define SIGNED_BODY \
    "{\"event\":\"E\",\"userId\":\"u1\",\"anonymousId\":\"a\",%s\"properties\":{\"x\":1%s}}"

static void test_signature(void **state)
{
    struct doors *doors = *state;
    /* HMAC-SHA256("signing secret", "u1") */
    const char *hex = "519b4aed5923304086cbafe59575ee0f83b1869b0d7140dbfdd13bfc6e28a962";
    char text[512], more[256];
    snprintf(more, sizeof more, "\"context\":{\"userIdSignature\":\"%s\"},", hex);
    snprintf(text, sizeof text, SIGNED_BODY, more, "");
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_WEB, text), 200);
    assert_true(identifier_of(&doors->events[0], "user_id")->flags & IDENTIFIER_VERIFIED);
    assert_true(doors->events[0].flags & EVENT_TRUSTED);
    assert_int_equal(identifier_of(&doors->events[0], "anonymous_id")->flags, IDENTIFIER_OWN);
    snprintf(more, sizeof more, ",\"kith_signature\":\"%s\"", hex);
    snprintf(text, sizeof text, SIGNED_BODY, "", more);
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_WEB, text), 200);
    assert_true(identifier_of(&doors->events[0], "user_id")->flags & IDENTIFIER_VERIFIED);
    assert_text(doors->events[0].props, "{\"x\":1}");
    /* What is claimed beside a signed id is only claimed. */
    snprintf(more, sizeof more,
             "\"context\":{\"userIdSignature\":\"%s\",\"traits\":{\"phone\":\"13912340000\"}},",
             hex);
    snprintf(text, sizeof text, SIGNED_BODY, more, "");
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_WEB, text), 200);
    assert_true(identifier_of(&doors->events[0], "user_id")->flags & IDENTIFIER_VERIFIED);
    assert_false(identifier_of(&doors->events[0], "mobile")->flags & IDENTIFIER_VERIFIED);
    assert_false(doors->events[0].flags & EVENT_TRUSTED);
    /* A wrong one, and none. */
    snprintf(more, sizeof more, "\"context\":{\"userIdSignature\":\"%064d\"},", 0);
    snprintf(text, sizeof text, SIGNED_BODY, more, "");
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_WEB, text), 200);
    assert_int_equal(identifier_of(&doors->events[0], "user_id")->flags, 0);
    assert_false(doors->events[0].flags & EVENT_TRUSTED);
}

static int64_t time_of(struct doors *doors, const char *path, const char *members)
{
    char body[512];
    snprintf(body, sizeof body, "{\"event\":\"E\",\"userId\":\"u\",%s}", members);
    return doors_post(doors, path, BASIC_SHOP, body) == 200 ? doors->events[0].time_ms : -1;
}

static void test_time(void **state)
{
    struct doors *doors = *state;
    const int64_t original = INT64_C(1795284000000); /* 2026-11-21T18:00:00Z */
    /* no sentAt: the client's word */
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":\"2026-11-21T18:00:00Z\""),
                     original);
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":\"2026-11-22T02:00:00+08:00\""),
                     original);
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":1795284000000"), original);
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":1795284000"), original);
    assert_int_equal(time_of(doors, "/v1/track", "\"x\":1"), NOW_MS);
    assert_false(doors->events[0].flags & EVENT_TIME_GIVEN);
    /* A clock an hour fast: the distance counts. */
    assert_int_equal(time_of(doors, "/v1/track",
                             "\"timestamp\":\"2026-11-21T19:00:00Z\","
                             "\"sentAt\":\"2026-11-21T19:00:10Z\""),
                     NOW_MS - 10000);
    /* originalTimestamp before timestamp */
    assert_int_equal(time_of(doors, "/v1/track",
                             "\"originalTimestamp\":\"2026-11-21T18:00:00Z\","
                             "\"timestamp\":\"2020-01-01T00:00:00Z\""),
                     original);
    /* history by its own time */
    assert_int_equal(time_of(doors, "/v1/import", "\"x\":1"), -1); /* not a batch */
    assert_int_equal(
        doors_post(
            doors, "/v1/import", BASIC_SHOP,
            "{\"batch\":[{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\",\"timestamp\":\"2010-12-01T08:26:00Z\","
            "\"sentAt\":\"2026-11-21T18:00:00Z\"}]}"),
        200);
    assert_int_equal(doors->events[0].time_ms, INT64_C(1291191960000));
    assert_true(doors->events[0].flags & EVENT_HISTORICAL);
    assert_int_equal(
        time_of(doors, "/v1/track",
                "\"timestamp\":\"2010-12-01T08:26:00Z\","
                "\"sentAt\":\"2026-11-21T18:00:00Z\",\"context\":{\"historical\":true}"),
        INT64_C(1291191960000));
    assert_true(doors->events[0].flags & EVENT_HISTORICAL);
    assert_text(doors->events[0].context, "{\"historical\":true}");
    /* The future: ten minutes are an edge, a year goes on to quarantine. */
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":\"2026-11-21T18:22:11Z\""), NOW_MS);
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":\"2027-11-21T18:22:11Z\""),
                     INT64_C(1826821331000));
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":\"9999-12-31T23:59:59.999Z\""),
                     INT64_C(253402300799999));
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":0"), 0); /* 1970 */
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":\"1969-12-31T23:59:59Z\""), -1);
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":\"2026-11-21T18:00:00+99:00\""),
                     -1);
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":\"yesterday\""), -1);
    assert_int_equal(time_of(doors, "/v1/track", "\"timestamp\":true"), -1);
    assert_int_equal(
        time_of(doors, "/v1/track", "\"timestamp\":\"2026-11-21T18:00:00Z\",\"sentAt\":\"?\""),
        original);
}

static void test_money(void **state)
{
    struct doors *doors = *state;
    static const struct {
        const char *properties;
        int64_t revenue;
        const char *currency;
    } cases[] = {
        { "\"revenue\":9.9", 990, "CNY" },
        { "\"revenue\":\"1,299.50\"", 129950, "CNY" },
        { "\"revenue\":0.005", 0, "CNY" }, /* half to even */
        { "\"revenue\":0.015", 2, "CNY" },
        { "\"revenue\":1.005", 100, "CNY" }, /* as it is written: not 1.00499…9 */
        { "\"revenue\":1.015", 102, "CNY" },
        { "\"revenue\":-3", -300, "CNY" },
        { "\"revenue\":1299,\"currency\":\"JPY\"", 1299, "JPY" },
        { "\"revenue\":1.2345,\"currency\":\"KWD\"", 1234, "KWD" },
        { "\"revenue\":\"free\"", PROMOTED_MISSING, NULL },
        { "\"revenue\":null", PROMOTED_MISSING, NULL },
        { "\"revenue\":true", PROMOTED_MISSING, NULL },
        { "\"revenue\":1e300", PROMOTED_MISSING, NULL },
        /* lines: each rounded by itself; four lines of a tenth of a penny */
        { "\"products\":[{\"price\":0.001,\"quantity\":25},{\"price\":\"2.55\",\"quantity\":6},{\"price\":2,\"quantity\":\"2\"}]",
          2 + 1530 + 400, "CNY" },
        { "\"products\":[{\"price\":1,\"quantity\":1},{\"sku\":\"S\"}]", PROMOTED_MISSING, NULL },
        { "\"products\":[{\"price\":0.001,\"quantity\":25},{\"price\":2.55,\"quantity\":6},{\"price\":1}]",
          2 + 1530 + 100, "CNY" },
        { "\"products\":[{\"price\":0.001,\"quantity\":25}],\"total\":5", PROMOTED_MISSING, "CNY" },
        { "\"products\":[]", PROMOTED_MISSING, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[512];
        snprintf(body, sizeof body,
                 "{\"event\":\"Order Paid\",\"userId\":\"u\",\"properties\":{%s}}",
                 cases[i].properties);
        assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, body), 200);
        assert_int_equal(doors->events[0].promoted_int[PROMOTED_REVENUE], cases[i].revenue);
        if (cases[i].currency != NULL)
            assert_text(doors->events[0].promoted_text[PROMOTED_CURRENCY], cases[i].currency);
        else
            assert_int_equal(doors->events[0].promoted_set, 0);
        /* The decimals stay as they came. */
        char props[512];
        snprintf(props, sizeof props, "{%s}", cases[i].properties);
        if (strstr(props, "1e300") == NULL)
            assert_text(doors->events[0].props, props);
    }
    /* Other events have no lines. */
    assert_int_equal(
        doors_post(
            doors, "/v1/track", BASIC_SHOP,
            "{\"event\":\"Cart Viewed\",\"userId\":\"u\",\"properties\":{\"products\":[{\"price\":1,\"quantity\":1}]}}"),
        200);
    assert_int_equal(doors->events[0].promoted_set, 0);
}

static void test_promoted(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        doors_post(
            doors, "/v1/track", BASIC_TMALL,
            "{\"event\":\"Product Added\",\"userId\":\"u\",\"properties\":{\"order_id\":20261118,\"product_id\":\"p\","
            "\"sku\":\"S\",\"price\":\"88.80\",\"quantity\":\"3\",\"brand\":\"B\",\"category\":\"C\",\"coupon\":\"K\","
            "\"affiliation\":\"flagship\",\"store_id\":\"\",\"campaign\":\"618\",\"value\":1,\"shipping\":0}}"),
        200);
    const struct event *event = &doors->events[0];
    assert_text(event->channel, "tmall");
    assert_text(event->promoted_text[PROMOTED_ORDER_ID], "20261118");
    assert_int_equal(event->promoted_int[PROMOTED_PRICE], 8880);
    assert_int_equal(event->promoted_int[PROMOTED_QUANTITY], 3);
    assert_int_equal(event->promoted_int[PROMOTED_SHIPPING], 0);
    assert_text(event->promoted_text[PROMOTED_SHOP], "flagship");
    assert_false(event->promoted_set & (1u << PROMOTED_STORE_ID));
    assert_int_equal(event->promoted_int[PROMOTED_REVENUE], PROMOTED_MISSING);
}

static void test_sealing(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        doors_post(
            doors, "/v1/track", BASIC_SHOP,
            "{\"event\":\"Order Paid\",\"userId\":\"u\",\"properties\":{\"receiver_phone\":\"13912340000\","
            "\"receiverName\":\"张三\",\"phone\":13912340001,\"email\":\"a@b.cn\",\"masked\":1,"
            "\"receiver_mobile\":\"139****0000\",\"contact\":\"13912340002\",\"tracking_no\":\"13912340003\","
            "\"city\":\"上海\",\"name\":\"李雷\",\"address\":{\"city\":\"上海\",\"street\":\"南京路 1\",\"postalCode\":\"200000\"},"
            "\"receiver\":{\"name\":\"王五\",\"gift\":true,\"note\":\"门口\"},\"phones\":[\"13912340004\",null],"
            "\"$sealed\":\"s1:1:forged\",\"nested\":{\"$sealed\":\"x\",\"id_card\":\"11010519491231002X\"},"
            "\"note\":\"call 13912340005\",\"phone2\":\"\",\"tel\":\"\"}}"),
        200);
    const struct event *event = &doors->events[0];
    str props = event->props;
    assert_text(unsealed_member(doors, props, "receiver_phone"), "13912340000");
    assert_text(unsealed_member(doors, props, "receiverName"), "张三");
    assert_text(unsealed_member(doors, props, "phone"), "13912340001");
    assert_text(unsealed_member(doors, props, "email"), "a@b.cn");
    assert_text(member_of(doors, props, "receiver_mobile"), "\"139****0000\"");
    assert_text(unsealed_member(doors, props, "contact"), "13912340002");   /* by its looks */
    assert_text(member_of(doors, props, "tracking_no"), "\"13912340003\""); /* a code */
    assert_text(member_of(doors, props, "city"), "\"上海\"");
    assert_text(member_of(doors, props, "name"), "\"李雷\"");
    str address = member_of(doors, props, "address");
    assert_text(member_of(doors, address, "city"), "\"上海\"");
    assert_text(unsealed_member(doors, address, "street"), "南京路 1");
    assert_text(unsealed_member(doors, address, "postalCode"), "200000");
    str receiver = member_of(doors, props, "receiver");
    assert_text(unsealed_member(doors, receiver, "name"), "王五");
    assert_text(member_of(doors, receiver, "gift"), "true");
    assert_text(member_of(doors, props, "$sealed"), "missing");
    assert_text(unsealed_member(doors, member_of(doors, props, "nested"), "id_card"),
                "11010519491231002X");
    assert_text(member_of(doors, member_of(doors, props, "nested"), "$sealed"), "missing");
    assert_text(member_of(doors, props, "tel"), "\"\"");
    assert_true(str_contains(props, STR("call 13912340005"))); /* free text stays */
    assert_false(str_contains(props, STR("13912340000")));
    assert_false(str_contains(props, STR("13912340004")));
    /* Two seals of one value never look alike. */
    str first;
    assert_int_equal(arena_dup(&doors->arena, member_of(doors, props, "email"), &first), ERR_OK);
    char copy[256];
    memcpy(copy, first.data, first.size);
    size_t size = first.size;
    assert_int_equal(
        doors_post(doors, "/v1/track", BASIC_SHOP,
                   "{\"event\":\"E\",\"userId\":\"u\",\"properties\":{\"email\":\"a@b.cn\"}}"),
        200);
    assert_false(
        str_equal(str_from_bytes(copy, size), member_of(doors, doors->events[0].props, "email")));
}

static void test_queries_of_links(void **state)
{
    struct doors *doors = *state;
    static const struct {
        const char *link, *kept;
    } cases[] = {
        { "https://e.cn/p?phone=13912340000&utm_source=weibo#top",
          "https://e.cn/p?phone=***&utm_source=weibo#top" },
        { "https://e.cn/p?a=1&u=13912340000", "https://e.cn/p?a=1&u=***" },
        { "?utm_source=weibo&email=a%40b.cn", "?utm_source=weibo&email=***" },
        { "/p?to=a%40b.cn&x=", "/p?to=***&x=" },
        { "https://e.cn/p?order_id=13912340000&phone=",
          "https://e.cn/p?order_id=13912340000&phone=" },
        { "https://e.cn/p?", "https://e.cn/p?" },
        { "https://e.cn/p?&&=&=13912340000&mobile", "https://e.cn/p?&&=&=***&mobile" },
        { "who? phone=13912340000", "who? phone=13912340000" }, /* free text, no link */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[512], quoted[300];
        snprintf(
            body, sizeof body,
            "{\"event\":\"E\",\"userId\":\"u\",\"properties\":{\"url\":\"%s\"},\"context\":{\"page\":{\"search\":\"%s\"}}}",
            cases[i].link, cases[i].link);
        snprintf(quoted, sizeof quoted, "\"%s\"", cases[i].kept);
        assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, body), 200);
        assert_text(member_of(doors, doors->events[0].props, "url"), quoted);
        assert_text(member_of(doors, member_of(doors, doors->events[0].context, "page"), "search"),
                    quoted);
    }
}

static void test_doubled_names(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        doors_post(
            doors, "/v1/track", BASIC_SHOP,
            "{\"event\":\"E\",\"event\":\"F\",\"userId\":\"u\",\"properties\":{\"a\":1,\"b\":{\"c\":1,\"c\":2},\"a\":3,\"d\":1}}"),
        200);
    assert_text(doors->events[0].type, "F");
    assert_text(doors->events[0].props, "{\"b\":{\"c\":2},\"a\":3,\"d\":1}");
    assert_int_equal(
        doors_post(
            doors, "/v1/identify", BASIC_SHOP,
            "{\"userId\":\"u\",\"traits\":{\"a\":1,\"a\":null,\"b\":[1,{\"x\":true}]},\"context\":{\"traits\":{\"b\":0,\"c\":\"t\"}}}"),
        200);
    assert_int_equal(doors->events[0].trait_count, 3);
    assert_int_equal(trait_of(&doors->events[0], "a")->operation, TRAIT_UNSET);
    assert_text(trait_of(&doors->events[0], "b")->value, "[1,{\"x\":true}]");
    assert_text(trait_of(&doors->events[0], "c")->value, "\"t\"");
}

static void test_group_and_alias(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        doors_post(
            doors, "/v1/group", BASIC_SHOP,
            "{\"userId\":\"u\",\"groupId\":\"g1\",\"traits\":{\"name\":\"G\",\"employees\":3}}"),
        200);
    assert_int_equal(doors->events[0].kind, EVENT_GROUP);
    assert_text(doors->events[0].object_kind, "group");
    assert_text(doors->events[0].object_id, "g1");
    assert_int_equal(doors->events[0].trait_count, 2);
    assert_int_equal(doors->events[0].identifier_count, 1);
    assert_int_equal(doors_post(doors, "/v1/g", BASIC_SHOP, "{\"userId\":\"u\"}"), 400);

    assert_int_equal(
        doors_post(doors, "/v1/alias", BASIC_SHOP, "{\"userId\":\"u2\",\"previousId\":\"u1\"}"),
        200);
    assert_int_equal(doors->events[0].kind, EVENT_ALIAS);
    assert_int_equal(doors->events[0].identifier_count, 2);
    assert_text(doors->events[0].identifiers[0].type, "user_id");
    assert_text(doors->events[0].identifiers[1].type, "user_id");
    assert_int_equal(
        doors_post(doors, "/v1/alias", BASIC_WEB,
                   "{\"userId\":\"u2\",\"previousId\":\"7f3c1b1e-9d1d-4d0b-8a74-0a8c4a2a2d11\"}"),
        200);
    assert_text(doors->events[0].identifiers[1].type, "anonymous_id");
    /* an alias to itself says nothing, and is no error */
    assert_int_equal(
        doors_post(doors, "/v1/a", BASIC_WEB, "{\"userId\":\"u2\",\"previousId\":\"u2\"}"), 200);
    assert_int_equal(doors->count, 0);
    assert_int_equal(doors_post(doors, "/v1/a", BASIC_WEB, "{\"userId\":\"u2\"}"), 400);
}

static void test_message_keys(void **state)
{
    struct doors *doors = *state;
    uint8_t first[16], other[16];
    const char *body = "{\"event\":\"E\",\"userId\":\"u\",\"messageId\":\"m1\"}";
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, body), 200);
    memcpy(first, doors->events[0].message_key, 16);
    /* the same id: the same key, whatever else is said, by whichever path */
    assert_int_equal(
        doors_post(doors, "/v1/batch", BASIC_SHOP,
                   "{\"batch\":[{\"type\":\"identify\",\"userId\":\"v\",\"messageId\":\"m1\"}]}"),
        200);
    assert_memory_equal(first, doors->events[0].message_key, 16);
    /* another source: another key */
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_WEB, body), 200);
    assert_memory_not_equal(first, doors->events[0].message_key, 16);
    /* none: never the same, even for the same bytes */
    body = "{\"event\":\"E\",\"userId\":\"u\"}";
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, body), 200);
    memcpy(other, doors->events[0].message_key, 16);
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, body), 200);
    assert_memory_not_equal(other, doors->events[0].message_key, 16);
    /* long ids count in full */
    char text[600], id[400];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    snprintf(text, sizeof text, "{\"event\":\"E\",\"userId\":\"u\",\"messageId\":\"%s\"}", id);
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, text), 200);
    memcpy(first, doors->events[0].message_key, 16);
    id[sizeof id - 2] = 'y';
    snprintf(text, sizeof text, "{\"event\":\"E\",\"userId\":\"u\",\"messageId\":\"%s\"}", id);
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_SHOP, text), 200);
    assert_memory_not_equal(first, doors->events[0].message_key, 16);
}

static str packed(struct doors *doors, str text, int window_bits)
{
    z_stream stream = { .zalloc = Z_NULL };
    size_t room = text.size / 2 + 1024;
    char *out = arena_alloc_raw(&doors->arena, room);
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)text.data;
    stream.avail_in = (uInt)text.size;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    str result = str_from_bytes(out, stream.total_out);
    deflateEnd(&stream);
    char *copy = malloc(result.size);
    memcpy(copy, result.data, result.size);
    return str_from_bytes(copy, result.size);
}

static int post_packed(struct doors *doors, str text, int window_bits, const char *coding)
{
    str body = packed(doors, text, window_bits);
    doors->request.content_encoding = str_from_c(coding);
    doors->request.content_type = STR("application/x-www-form-urlencoded");
    int status = doors_send(doors, "POST", "/v1/batch", NULL, BASIC_SHOP, body);
    doors->request.content_encoding = STR_NONE;
    free((char *)(uintptr_t)body.data);
    return status;
}

static void test_packed_bodies(void **state)
{
    struct doors *doors = *state;
    str text = STR("{\"batch\":[" NODE_TRACK "]}");
    assert_int_equal(post_packed(doors, text, 15 + 16, "gzip"), 200);
    assert_int_equal(doors->count, 1);
    assert_int_equal(post_packed(doors, text, 15 + 16, "x-gzip"), 200);
    assert_int_equal(post_packed(doors, text, 15 + 16, ""), 200); /* told by its first bytes */
    assert_int_equal(post_packed(doors, text, 15, "deflate"), 200);
    assert_int_equal(post_packed(doors, text, -15, "deflate"), 200);
    assert_int_equal(doors->count, 1);
    assert_int_equal(post_packed(doors, text, 15 + 16, "br"), 415);
    /* not packed, though the header says so */
    doors->request.content_encoding = STR("gzip");
    assert_int_equal(doors_send(doors, "POST", "/v1/batch", NULL, BASIC_SHOP, text), 200);
    assert_int_equal(doors_send(doors, "POST", "/v1/batch", NULL, BASIC_SHOP, STR("garbage")), 400);
    assert_int_equal(doors_send(doors, "POST", "/v1/batch", NULL, BASIC_SHOP, STR("\x1F\x8B\x08")),
                     400);
    doors->request.content_encoding = STR_NONE;
    /* a bomb: 64 MB of spaces in 64 KB */
    size_t size = (size_t)64 << 20;
    char *spaces = malloc(size);
    memset(spaces, ' ', size);
    assert_int_equal(post_packed(doors, str_from_bytes(spaces, size), 15 + 16, "gzip"), 413);
    free(spaces);
    assert_int_equal(post_packed(doors, text, 15 + 16, "gzip"), 200); /* and life goes on */
}

static void test_limits(void **state)
{
    struct doors small;
    (void)state;
    const struct collect_limits limits = { .event_bytes_max = 1000,
                                           .batch_bytes_max = 20000,
                                           .batch_events_max = 3 };
    doors_open(&small, &limits);
    char body[30000], text[20001];
    memset(text, 'x', sizeof text);
    snprintf(
        body, sizeof body,
        "{\"batch\":[{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\"},"
        "{\"type\":\"track\",\"event\":\"B\",\"userId\":\"u\",\"properties\":{\"x\":\"%.1000s\"}}]}",
        text);
    assert_int_equal(doors_post(&small, "/v1/batch", BASIC_SHOP, body), 200);
    assert_int_equal(small.count, 1); /* the long one is left out */
    snprintf(body, sizeof body,
             "{\"event\":\"B\",\"userId\":\"u\",\"properties\":{\"x\":\"%.1000s\"}}", text);
    assert_int_equal(doors_post(&small, "/v1/track", BASIC_SHOP, body), 413);
    assert_int_equal(
        doors_post(&small, "/v1/batch", BASIC_SHOP,
                   "{\"batch\":[{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\"},{},{},{}]}"),
        413);
    snprintf(body, sizeof body, "{\"x\":\"%.20000s\"}", text);
    assert_int_equal(doors_post(&small, "/v1/track", BASIC_SHOP, body), 413);
    doors_close(&small);
}

static void test_settings_and_pixel(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(doors_send(doors, "GET", "/v1/projects/wk_web/settings", NULL, NULL, STR_NONE),
                     200);
    assert_true(doors->answer.cacheable);
    assert_text(member_of(doors,
                          member_of(doors, member_of(doors, doors->answer.body, "integrations"),
                                    "Segment.io"),
                          "apiHost"),
                "\"collect.example.com/v1\"");
    assert_int_equal(doors_send(doors, "GET", "/v1/projects/none/settings", NULL, NULL, STR_NONE),
                     404);
    assert_int_equal(
        doors_send(doors, "GET", "/sourceConfig/", "p=npm&v=3&writeKey=wk_web", NULL, STR_NONE),
        200);
    assert_text(member_of(doors, member_of(doors, doors->answer.body, "source"), "writeKey"),
                "\"wk_web\"");
    assert_int_equal(doors_send(doors, "GET", "/sourceConfig", NULL, BASIC_WEB, STR_NONE), 200);
    assert_int_equal(doors_send(doors, "GET", "/sourceConfig", "writeKey=none", NULL, STR_NONE),
                     404);

    assert_int_equal(
        doors_send(
            doors, "GET", "/pixel/v1/track",
            "writeKey=wk_web&anonymousId=a1&event=Mail+Opened&properties.campaign=%E5%8F%8C11&messageId=m",
            NULL, STR_NONE),
        200);
    assert_string_equal(doors->answer.content_type, "image/gif");
    assert_int_equal(doors->answer.body.size, 42);
    assert_text(doors->events[0].type, "Mail Opened");
    assert_text(doors->events[0].props, "{\"campaign\":\"双11\"}");
    assert_int_equal(doors_send(doors, "GET", "/pixel/v1/page",
                                "writeKey=wk_web&userId=u1&name=Home&properties=%7B%22a%22%3A1%7D",
                                NULL, STR_NONE),
                     200);
    assert_text(doors->events[0].props, "{\"a\":1,\"name\":\"Home\"}");
    assert_int_equal(doors_send(doors, "GET", "/pixel/v1/track",
                                "writeKey=wk_web&userId=%FF&event=E", NULL, STR_NONE),
                     400);
    assert_int_equal(doors_send(doors, "POST", "/v1/m", NULL, NULL, STR("{\"series\":[]}")), 200);
    assert_int_equal(doors->count, 0);
    assert_true(collect_owns_path(STR("/v1/batch")));
    assert_true(collect_owns_path(STR("/sa.gif")));
    assert_false(collect_owns_path(STR("/v1/projects/a/b/settings")));
    assert_false(collect_owns_path(STR("/api/v1/customers")));
}

static void test_channels(void **state)
{
    struct doors *doors = *state;
    static const struct {
        const char *key, *members, *channel;
    } cases[] = {
        { BASIC_SHOP, "\"context\":{\"channel\":\"Mini-Program\"}", "mini_program" },
        { BASIC_TMALL, "\"context\":{\"channel\":\"jd\"}", "jd" },
        { BASIC_TMALL, "\"context\":{\"channel\":\"<script>\"}", "tmall" },
        { BASIC_SHOP, "\"context\":{\"library\":{\"name\":\"analytics-ios\"}}", "app" },
        { BASIC_SHOP, "\"context\":{\"library\":{\"name\":\"RudderLabs JavaScript SDK\"}}", "web" },
        { BASIC_SHOP, "\"channel\":\"mobile\"", "app" },
        { BASIC_SHOP, "\"x\":1", "server" },
        { BASIC_WEB, "\"x\":1", "web" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"event\":\"E\",\"userId\":\"u\",%s}", cases[i].members);
        assert_int_equal(doors_post(doors, "/v1/track", cases[i].key, body), 200);
        assert_text(doors->events[0].channel, cases[i].channel);
    }
}

static void test_ip(void **state)
{
    struct doors *doors = *state;
    static const struct {
        const char *key, *context, *ip;
    } cases[] = {
        { BASIC_WEB, "{}", "\"203.0.113.9\"" },
        { BASIC_WEB, "{\"ip\":\"0.0.0.0\"}", "missing" },
        { BASIC_WEB, "{\"ip\":\"198.51.100.7\"}", "\"198.51.100.7\"" },
        { BASIC_SHOP, "{\"locale\":\"zh\"}", "missing" },
        { BASIC_SHOP, "{\"ip\":\"198.51.100.7\"}", "\"198.51.100.7\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[256];
        snprintf(body, sizeof body, "{\"event\":\"E\",\"userId\":\"u\",\"context\":%s}",
                 cases[i].context);
        assert_int_equal(doors_post(doors, "/v1/track", cases[i].key, body), 200);
        assert_text(member_of(doors, doors->events[0].context, "ip"), cases[i].ip);
    }
}

static void test_without_consent_no_address_is_kept(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(doors_post(doors, "/v1/track", BASIC_QUIET,
                                "{\"event\":\"E\",\"userId\":\"u-quiet\",\"context\":{\"ip\":"
                                "\"198.51.100.7\",\"library\":{\"name\":\"x\"}}}"),
                     200);
    const struct event *event = &doors->events[0];
    assert_int_equal(event->identifier_count, 1);
    assert_text(event->identifiers[0].type, "anonymous_id");
    assert_text(member_of(doors, event->context, "ip"), "missing");
    assert_text(member_of(doors, event->context, "userAgent"), "missing");
}

static void test_live(void **state)
{
    struct doors *doors = *state;
    struct live_entry entries[8];
    doors->now_ms += 5000; /* a second of its own */
    size_t before = live_read(0, 0, &doors->arena, entries);
    (void)before;
    uint64_t last = 0;
    struct live_entry all[2000];
    size_t count;
    while ((count = live_read(last, 2000, &doors->arena, all)) > 0)
        last = all[count - 1].id;
    assert_int_equal(
        doors_post(
            doors, "/v1/batch", BASIC_SHOP,
            "{\"batch\":[{\"type\":\"track\",\"event\":\"A\",\"userId\":\"u\",\"properties\":{\"phone\":\"13912340000\"}},"
            "{\"type\":\"track\",\"userId\":\"u\"}]}"),
        200);
    count = live_read(last, 8, &doors->arena, entries);
    assert_int_equal(count, 2);
    assert_text(entries[0].event_type, "A");
    assert_text(entries[0].door, "segment");
    assert_text(entries[0].refused, "");
    assert_int_equal(entries[0].source_number, 1);
    assert_memory_equal(entries[0].message_key, doors->events[0].message_key, 16);
    assert_true(str_contains(entries[0].raw, STR("\"phone\":\"139****0000\"")));
    assert_text(entries[1].refused, "a track call without the name of its event");
    assert_true(str_contains(entries[1].raw, STR("\"type\":\"track\"")));
    /* A flood is sampled. */
    doors->now_ms += 5000;
    last = entries[1].id;
    for (int i = 0; i < 300; i++)
        assert_int_equal(
            doors_post(doors, "/v1/track", BASIC_SHOP, "{\"event\":\"E\",\"userId\":\"u\"}"), 200);
    assert_int_equal(live_read(last, 2000, &doors->arena, all), 200);
}

/* A worker per thread, everything else shared: keys, sources, the debugger's ring. */
static struct doors *shared_doors;

static void *send_many(void *context)
{
    const char *body = context;
    struct collect_worker *worker = NULL;
    struct buffer records;
    buffer_init(&records, 1 << 20);
    if (collect_worker_new(&worker, shared_doors->keys, NULL) != ERR_OK)
        abort();
    for (int i = 0; i < 500; i++) {
        struct source_set *sources = source_set_hold(shared_doors->sources);
        struct collect_request request = { .method = STR("POST"),
                                           .path = STR("/v1/identify"),
                                           .authorization = STR(BASIC_SHOP),
                                           .body = str_from_c(body),
                                           .received_ms = NOW_MS + i };
        struct collect_answer answer;
        uint32_t count = 0;
        buffer_clear(&records);
        collect_decode(worker, sources, &request, &records, &count, &answer);
        if (answer.status != 200 || count != 1)
            abort();
        source_set_release(&sources);
    }
    collect_worker_free(&worker);
    buffer_deinit(&records);
    return NULL;
}

static void test_threads(void **state)
{
    static char body[] =
        "{\"userId\":\"u\",\"traits\":{\"phone\":\"13912340000\",\"email\":\"a@b.cn\"}}";
    pthread_t threads[4];
    struct live_entry entries[16];
    shared_doors = *state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, body), 0);
    for (int i = 0; i < 50; i++) {
        arena_reset(&shared_doors->arena);
        (void)live_read(0, 16, &shared_doors->arena, entries);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_analytics_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_analytics_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rudder_node_and_browser, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ways_to_carry_the_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_batch_defaults_and_bad_items, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_external_ids_and_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signature, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_money, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_promoted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sealing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queries_of_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_doubled_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_group_and_alias, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_message_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_packed_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings_and_pixel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_channels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_consent_no_address_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_live, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
