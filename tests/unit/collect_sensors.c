/* SPDX-License-Identifier: Apache-2.0 */
/* The door of Sensors Analytics: every encoding, every record type, identities, and what is refused. */
#include "support/doors.h"

#include <zlib.h>

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

/* ---- encodings ---- */

static size_t base64(const unsigned char *at, size_t size, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    for (size_t i = 0; i < size; i += 3) {
        unsigned b = (unsigned)at[i] << 16 | (i + 1 < size ? (unsigned)at[i + 1] << 8 : 0) |
                     (i + 2 < size ? at[i + 2] : 0u);
        out[n++] = digits[b >> 18];
        out[n++] = digits[b >> 12 & 63];
        out[n++] = i + 1 < size ? digits[b >> 6 & 63] : '=';
        out[n++] = i + 2 < size ? digits[b & 63] : '=';
    }
    out[n] = '\0';
    return n;
}

static size_t url_encode(const char *text, char *out)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        if (strchr("+/=", *text) != NULL)
            n += (size_t)snprintf(out + n, 4, "%%%02X", (unsigned)(unsigned char)*text);
        else
            out[n++] = *text;
    }
    out[n] = '\0';
    return n;
}

static size_t gzip(const char *text, unsigned char *out, size_t room)
{
    z_stream stream = { .zalloc = Z_NULL };
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)text;
    stream.avail_in = (uInt)strlen(text);
    stream.next_out = out;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

static int java_hash(const char *text)
{
    uint32_t hash = 0;
    for (; *text != '\0'; text++)
        hash = 31 * hash + (unsigned char)*text;
    return (int)hash;
}

static char plain64[200000], coded[300000], form[400000];

static void encode(const char *json)
{
    base64((const unsigned char *)json, strlen(json), plain64);
    url_encode(plain64, coded);
}

/* A record by POST /sa?project=web. */
static int post(struct doors *doors, const char *query, const char *json)
{
    encode(json);
    snprintf(form, sizeof form, "data=%s", coded);
    return doors_send(doors, "POST", "/sa", query, NULL, str_from_c(form));
}

#define TRACK                                                                                      \
    "{\"type\":\"track\",\"event\":\"ViewProduct\",\"distinct_id\":\"u1\",\"time\":1795284730000," \
    "\"properties\":{\"pid\":\"1\"},\"_track_id\":1}"

static void test_encodings(void **state)
{
    struct doors *doors = *state;
    unsigned char packed[4096];
    char crc[64];
    /* image */
    encode(TRACK);
    snprintf(form, sizeof form, "project=web&data=%s&ext=crc%%3D%d", coded, java_hash(plain64));
    assert_int_equal(doors_send(doors, "GET", "/sa.gif", form, NULL, STR_NONE), 200);
    assert_string_equal(doors->answer.content_type, "image/gif");
    assert_int_equal(doors->count, 1);
    /* ajax and beacon; '+' may have become a space on the way */
    snprintf(form, sizeof form, "data=%s&ext=crc%%3D%d", coded, java_hash(plain64));
    assert_int_equal(doors_send(doors, "POST", "/sa.gif", "project=web", NULL, str_from_c(form)),
                     200);
    assert_int_equal(doors->answer.body.size, 0);
    assert_int_equal(doors->count, 1);
    encode(
        "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"u1\",\"properties\":{\"x\":\"\xEF\xBF\xBE?\?>>~~\"}}");
    assert_non_null(strchr(plain64, '+'));
    snprintf(form, sizeof form, "data=%s&crc=%d", plain64, java_hash(plain64));
    assert_int_equal(doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(form)), 200);
    assert_int_equal(doors->count, 1);
    /* lists, plain and packed */
    encode("[" TRACK "," TRACK "]");
    snprintf(form, sizeof form, "data_list=%s&gzip=0", coded);
    assert_int_equal(doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(form)), 200);
    assert_int_equal(doors->count, 2);
    size_t size = gzip("[" TRACK "," TRACK "," TRACK "]", packed, sizeof packed);
    base64(packed, size, plain64);
    url_encode(plain64, coded);
    snprintf(crc, sizeof crc, "crc=%d", java_hash(plain64));
    snprintf(form, sizeof form, "%s&gzip=1&data_list=%s", crc, coded);
    assert_int_equal(doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(form)), 200);
    assert_int_equal(doors->count, 3);
    /* a list in data, a record in data_list */
    encode("[" TRACK "]");
    snprintf(form, sizeof form, "data=%s", coded);
    assert_int_equal(doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(form)), 200);
    assert_int_equal(doors->count, 1);
    encode(TRACK);
    snprintf(form, sizeof form, "data_list=%s", coded);
    assert_int_equal(doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(form)), 200);
    assert_int_equal(doors->count, 1);
}

static void test_crc(void **state)
{
    struct doors *doors = *state;
    /* The example of protocols: sum of a real payload. */
    const char *payload =
        "eyJsaWIiOnsiJGxpYiI6ImpzIiwiJGxpYl9tZXRob2QiOiJjb2RlIiwiJGxpYl92ZXJzaW9uIjoiMS4yNy4xMSJ9LCJ0aW1lIjox"
        "Nzk1Mjg0NzMxNTA0LCJ0eXBlIjoiaXRlbV9zZXQiLCJpdGVtX3R5cGUiOiJib29rIiwiaXRlbV9pZCI6IjEiLCJwcm9wZXJ0aWVz"
        "Ijp7ImEiOjF9LCJfdHJhY2tfaWQiOjI1NDY5MTUwNCwiX2ZsdXNoX3RpbWUiOjE3OTUyODQ3MzE1MDR9";
    assert_int_equal(java_hash(payload), 531829330);
    snprintf(form, sizeof form, "data=%s&ext=crc%%3D531829330", payload);
    assert_int_equal(doors_send(doors, "POST", "/sa.gif", "project=web", NULL, str_from_c(form)),
                     200);
    assert_int_equal(doors->count, 1);
    const struct event *event = &doors->events[0];
    assert_int_equal(event->kind, EVENT_OBJECT);
    assert_text(event->object_kind, "book");
    assert_text(event->object_id, "1");
    assert_int_equal(event->identifier_count, 0);
    assert_text(trait_of(event, "a")->value, "1");
    assert_int_equal(event->time_ms, INT64_C(1795284731504));
    /* damaged on the way: answered 200, not taken */
    snprintf(form, sizeof form, "data=%s&ext=crc%%3D531829331", payload);
    assert_int_equal(doors_send(doors, "POST", "/sa.gif", "project=web", NULL, str_from_c(form)),
                     200);
    assert_int_equal(doors->count, 0);
    snprintf(form, sizeof form, "data=%s&crc=%s", payload, "-x");
    assert_int_equal(doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(form)), 200);
    assert_int_equal(doors->count, 0);
}

static void test_bad_bodies(void **state)
{
    struct doors *doors = *state;
    static const char *const bodies[] = {
        "",          "data=", "data=%%%",  "data=e30=",          "data=eyJ9",
        "data=W10=", "x=1",   "data=MTI=", "data_list=W3t9XQ==", "data=!!!!"
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_int_equal(
            doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(bodies[i])), 200);
        assert_int_equal(doors->count, 0);
    }
    assert_int_equal(post(doors, "project=none", TRACK), 401);
    assert_int_equal(post(doors, "", TRACK), 401); /* no source is called 'default' */
    assert_int_equal(post(doors, "project=shop", TRACK),
                     401); /* the key of a server source is its secret */
    assert_int_equal(post(doors, "project=wk_old", TRACK), 404);
    assert_int_equal(post(doors, "token=wk_shop&project=web", TRACK), 200);
    assert_int_equal(doors->events[0].source_number, 1);
    assert_int_equal(post(doors, "project=wk_web", TRACK), 200);
    assert_int_equal(doors->events[0].source_number, 2);
    /* a record may name its project */
    assert_int_equal(
        post(doors, "project=none",
             "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"d\",\"project\":\"web\"}"),
        200);
    assert_int_equal(doors->count, 1);
    assert_int_equal(post(doors, "project=none",
                          "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"d\","
                          "\"properties\":{\"$token\":\"wk_shop\",\"a\":1}}"),
                     200);
    assert_int_equal(doors->events[0].source_number, 1);
    assert_text(doors->events[0].props, "{\"a\":1}");
    /* encrypted */
    encode(TRACK);
    snprintf(form, sizeof form, "data_list=%s&gzip=9", coded);
    assert_int_equal(doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(form)), 200);
    assert_int_equal(doors->count, 0);
    assert_int_equal(doors_send(doors, "POST", "/debug", "project=web", NULL, str_from_c(form)),
                     415);
}

static void test_debug_mode(void **state)
{
    struct doors *doors = *state;
    encode("[" TRACK ",{\"type\":\"dance\"}]");
    snprintf(form, sizeof form, "data_list=%s", coded);
    assert_int_equal(doors_send(doors, "POST", "/debug", "project=web", NULL, str_from_c(form)),
                     400);
    assert_int_equal(doors->count, 0);
    assert_true(str_contains(doors->answer.body, STR("'dance'")));
    assert_int_equal(doors_send(doors, "POST", "/sa", "project=web", NULL, str_from_c(form)), 200);
    assert_int_equal(doors->count, 1);
    encode(TRACK);
    snprintf(form, sizeof form, "data=%s", coded);
    assert_int_equal(doors_send(doors, "POST", "/debug", "project=web", NULL, str_from_c(form)),
                     200);
    assert_int_equal(doors->count, 1);
    doors->request.dry_run = STR("true");
    assert_int_equal(doors_send(doors, "POST", "/debug", "project=web", NULL, str_from_c(form)),
                     200);
    assert_int_equal(doors->count, 0);
    doors->request.dry_run = STR_NONE;
}

static void test_node_example(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        post(
            doors, "project=wk_shop",
            "[{\"_track_id\":3621378187,\"type\":\"track\",\"event\":\"ViewProduct\",\"time\":1795284628913,\"distinct_id\":\"u1\","
            "\"properties\":{\"$lib\":\"Node\",\"$lib_version\":\"1.2.6\",\"pid\":\"1\",\"price\":9.9,\"t\":\"2026-11-21 18:10:28.911\"},"
            "\"lib\":{\"$lib\":\"Node\",\"$lib_version\":\"1.2.6\",\"$lib_method\":\"code\",\"$lib_detail\":\"x\"}}]"),
        200);
    const struct event *event = &doors->events[0];
    assert_int_equal(event->kind, EVENT_TRACK);
    assert_text(event->type, "ViewProduct");
    assert_text(event->channel, "server");
    assert_int_equal(event->time_ms, INT64_C(1795284628913));
    assert_int_equal(event->identifier_count, 1);
    assert_text(event->identifiers[0].type, "user_id"); /* what a server reports is its account */
    assert_int_equal(event->promoted_int[PROMOTED_PRICE], 990);
    assert_text(event->context, "{\"library\":{\"name\":\"Node\",\"version\":\"1.2.6\"}}");
    /* an id that was drawn is a visitor's, unless it is told to be a login's */
    const char *drawn = "18c1f2d3a4b5c6-0a1b2c3d4e5f6-1d525634-1296000-18c1f2d3a4b6d7";
    char text[512];
    snprintf(text, sizeof text,
             "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"%s\",\"properties\":{}}",
             drawn);
    assert_int_equal(post(doors, "project=wk_shop", text), 200);
    assert_text(doors->events[0].identifiers[0].type, "anonymous_id");
    snprintf(
        text, sizeof text,
        "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"%s\",\"properties\":{\"$is_login_id\":true}}",
        drawn);
    assert_int_equal(post(doors, "project=wk_shop", text), 200);
    assert_text(doors->events[0].identifiers[0].type, "user_id");
    assert_text(doors->events[0].props, "{}");
    /* a page's distinct_id is its visitor's */
    assert_int_equal(
        post(doors, "project=web", "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"u1\"}"),
        200);
    assert_text(doors->events[0].identifiers[0].type, "anonymous_id");
    assert_text(doors->events[0].identifiers[0].namespace_, "web");
    assert_int_equal(doors->events[0].identifiers[0].flags, IDENTIFIER_OWN);
    assert_int_equal(
        post(doors, "project=web", "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":42}"), 200);
    assert_text(doors->events[0].identifiers[0].value, "42");
}

static void test_web_signup(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        post(
            doors, "project=web",
            "{\"identities\":{\"$identity_cookie_id\":\"c-1\",\"$identity_login_id\":\"u1\",\"$identity_anonymous_id\":\"c-1\"},"
            "\"distinct_id\":\"u1\",\"lib\":{\"$lib\":\"js\",\"$lib_method\":\"code\",\"$lib_version\":\"1.27.11\"},"
            "\"properties\":{\"$timezone_offset\":-480,\"$lib\":\"js\",\"$lib_version\":\"1.27.11\","
            "\"$latest_traffic_source_type\":\"直接流量\",\"$latest_search_keyword\":\"未取到值_直接打开\",\"$latest_referrer\":\"\","
            "\"$url\":\"http://e.cn\",\"$title\":\"T\",\"$is_first_day\":true},\"login_id\":\"u1\",\"anonymous_id\":\"c-1\","
            "\"original_id\":\"c-1\",\"type\":\"track_signup\",\"event\":\"$SignUp\",\"time\":1795284742150,"
            "\"_track_id\":214842150,\"_flush_time\":1795284742150}"),
        200);
    const struct event *event = &doors->events[0];
    assert_int_equal(event->kind, EVENT_BIND);
    assert_text(event->type, "$SignUp");
    assert_text(event->channel, "web");
    assert_int_equal(event->identifier_count, 2); /* said four times, there are two */
    assert_text(event->identifiers[0].type, "user_id");
    assert_int_equal(event->identifiers[0].flags, 0);
    assert_text(event->identifiers[1].type, "anonymous_id");
    assert_text(event->identifiers[1].value, "c-1");
    assert_text(member_of(doors, event->props, "$latest_search_keyword"), "missing");
    assert_text(member_of(doors, event->props, "$latest_referrer"), "\"\"");
    assert_text(member_of(doors, event->props, "$is_first_day"), "true");
}

static void test_mini_program(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(
        post(
            doors, "project=web",
            "[{\"type\":\"track_id_bind\",\"event\":\"$BindID\",\"distinct_id\":\"m-1\",\"identities\":{\"$identity_mp_id\":\"m-1\","
            "\"$identity_mp_wx8844_openid\":\"oABC\",\"$identity_mp_unionid\":\"uABC\"},\"time\":1795284731000,\"_track_id\":5,"
            "\"lib\":{\"$lib\":\"MiniProgram\"}},"
            "{\"type\":\"profile_set_once\",\"distinct_id\":\"oABC\",\"identities\":{\"$identity_mp_id\":\"m-1\"},"
            "\"time\":1795284731001,\"properties\":{\"$first_visit_time\":\"2026-11-21 18:00:00\"}},"
            "{\"type\":\"track_signup\",\"event\":\"$SignUp\",\"distinct_id\":\"login-1\",\"original_id\":\"oABC\","
            "\"identities\":{\"$identity_mp_id\":\"m-1\",\"$identity_login_id\":\"login-1\",\"$identity_mp_openid\":\"oABC\"},\"time\":1795284731002,\"_track_id\":6},"
            "{\"type\":\"track_id_bind\",\"event\":\"$BindID\",\"distinct_id\":\"login-1\",\"identities\":{\"$identity_login_id\":\"login-1\","
            "\"$identity_mobile\":\"139 1234 0000\",\"$identity_email\":\"A@B.CN\",\"$identity_idfa\":\"AB-1\",\"vip_no\":\"V9\"},\"time\":1795284731003,\"_track_id\":7},"
            "{\"type\":\"track_id_unbind\",\"event\":\"$UnbindID\",\"distinct_id\":\"login-1\",\"identities\":{\"$identity_mobile\":\"13912340000\"},\"time\":1795284731004,\"_track_id\":8}]"),
        200);
    assert_int_equal(doors->count, 5);
    const struct event *bind = &doors->events[0];
    assert_text(bind->channel, "mini_program");
    assert_int_equal(bind->identifier_count, 3);
    assert_text(identifier_of(bind, "wx_openid")->namespace_, "wx8844");
    assert_text(identifier_of(bind, "wx_openid")->value, "oABC");
    assert_text(identifier_of(bind, "wx_unionid")->value, "uABC");
    const struct event *once = &doors->events[1];
    assert_int_equal(once->kind, EVENT_PROFILE);
    assert_int_equal(trait_of(once, "$first_visit_time")->operation, TRAIT_SET_ONCE);
    const struct event *signup = &doors->events[2];
    assert_int_equal(signup->identifier_count,
                     3); /* original_id is the openid that is told already */
    assert_text(identifier_of(signup, "wx_openid")->namespace_, "web");
    const struct event *more = &doors->events[3];
    assert_text(unsealed(doors, identifier_of(more, "mobile")->value), "+8613912340000");
    assert_text(unsealed(doors, identifier_of(more, "email")->value), "a@b.cn");
    assert_text(identifier_of(more, "device")->namespace_, "idfa");
    assert_text(identifier_of(more, "device")->value, "ab-1");
    assert_text(identifier_of(more, "vip_no")->value, "V9");
    const struct event *unbind = &doors->events[4];
    assert_int_equal(unbind->kind, EVENT_UNBIND);
    assert_int_equal(unbind->identifier_count, 1);
    assert_memory_equal(unbind->identifiers[0].hash, identifier_of(more, "mobile")->hash, 16);
}

static void test_profiles_and_items(void **state)
{
    struct doors *doors = *state;
    static const struct {
        const char *type, *properties, *name, *value;
        enum trait_operation operation;
        int count;
    } cases[] = {
        { "profile_set", "\"city\":\"上海\"", "city", "\"上海\"", TRAIT_SET, 1 },
        { "profile_set", "\"phone\":\"13912340000\"", "phone", NULL, TRAIT_SET, 1 },
        { "profile_set_once", "\"a\":true", "a", "true", TRAIT_SET_ONCE, 1 },
        { "profile_increment", "\"n\":-2", "n", "-2", TRAIT_INCREMENT, 1 },
        { "profile_increment", "\"n\":\"x\"", NULL, NULL, TRAIT_INCREMENT, 0 },
        { "profile_append", "\"l\":[\"a\",\"b\"]", "l", "[\"a\",\"b\"]", TRAIT_APPEND, 1 },
        { "profile_append", "\"l\":3", NULL, NULL, TRAIT_APPEND, 0 },
        { "profile_unset", "\"a\":true", "a", "null", TRAIT_UNSET, 1 },
        { "profile_unset", "\"a\":null", "a", "null", TRAIT_UNSET, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        snprintf(
            text, sizeof text,
            "{\"type\":\"%s\",\"distinct_id\":\"u\",\"time\":1795284731000,\"properties\":{%s}}",
            cases[i].type, cases[i].properties);
        assert_int_equal(post(doors, "project=wk_shop", text), 200);
        assert_int_equal(doors->count, cases[i].count);
        if (cases[i].count == 0)
            continue;
        assert_int_equal(doors->events[0].kind, EVENT_PROFILE);
        assert_int_equal(trait_of(&doors->events[0], cases[i].name)->operation, cases[i].operation);
        if (cases[i].value != NULL)
            assert_text(trait_of(&doors->events[0], cases[i].name)->value, cases[i].value);
        else
            assert_true(
                str_contains(trait_of(&doors->events[0], cases[i].name)->value, STR("$sealed")));
    }
    assert_int_equal(
        post(doors, "project=wk_shop", "{\"type\":\"profile_delete\",\"distinct_id\":\"u\"}"), 200);
    assert_true(doors->events[0].flags & EVENT_DELETE);
    assert_int_equal(post(doors, "project=wk_shop",
                          "{\"type\":\"item_delete\",\"item_type\":\"book\",\"item_id\":\"7\"}"),
                     200);
    assert_int_equal(doors->events[0].kind, EVENT_OBJECT);
    assert_true(doors->events[0].flags & EVENT_DELETE);
    assert_int_equal(
        post(doors, "project=wk_shop", "{\"type\":\"item_set\",\"item_type\":\"book\"}"), 200);
    assert_int_equal(doors->count, 0);
}

static void test_property_rules(void **state)
{
    struct doors *doors = *state;
    static const struct {
        const char *properties;
        int count;
        const char *props;
    } cases[] = {
        { "\"a\":1,\"b\":\"t\",\"c\":true,\"d\":[\"x\"],\"e\":null", 1,
          "{\"a\":1,\"b\":\"t\",\"c\":true,\"d\":[\"x\"]}" },
        { "\"$ok_1\":1", 1, "{\"$ok_1\":1}" },
        { "\"1a\":1", 0, NULL },
        { "\"a-b\":1", 0, NULL },
        { "\"user_id\":1", 0, NULL },
        { "\"Date\":1", 0, NULL },
        { "\"user_groupies\":1", 0, NULL },
        { "\"名\":1", 0, NULL },
        { "\"a\":{\"b\":1}", 0, NULL },
        { "\"a\":[[1]]", 0, NULL },
        { "\"\":1", 0, NULL },
        { "\"a\":\"未取到值\"", 1, "{}" },
    };
    char text[20000], key[200], value[9001];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text,
                 "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"u\",\"properties\":{%s}}",
                 cases[i].properties);
        assert_int_equal(post(doors, "project=web", text), 200);
        assert_int_equal(doors->count, cases[i].count);
        if (cases[i].props != NULL)
            assert_text(doors->events[0].props, cases[i].props);
    }
    memset(key, 'k', sizeof key);
    snprintf(
        text, sizeof text,
        "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"u\",\"properties\":{\"%.100s\":1}}",
        key);
    assert_int_equal(post(doors, "project=web", text), 200);
    assert_int_equal(doors->count, 1);
    snprintf(
        text, sizeof text,
        "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"u\",\"properties\":{\"%.101s\":1}}",
        key);
    assert_int_equal(post(doors, "project=web", text), 200);
    assert_int_equal(doors->count, 0);
    /* long texts are cut where a character ends */
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    memcpy(value + 8190, "上", 3);
    snprintf(
        text, sizeof text,
        "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"u\",\"properties\":{\"v\":\"%s\"}}",
        value);
    assert_int_equal(post(doors, "project=web", text), 200);
    assert_int_equal(doors->events[0].props.size, strlen("{\"v\":\"\"}") + 8190);
    /* names of events, too */
    assert_int_equal(post(doors, "project=web",
                          "{\"type\":\"track\",\"event\":\"bad name\",\"distinct_id\":\"u\"}"),
                     200);
    assert_int_equal(doors->count, 0);
    assert_int_equal(post(doors, "project=web", "{\"type\":\"track\",\"event\":\"E\"}"), 200);
    assert_int_equal(doors->count, 0);
}

static int64_t time_of(struct doors *doors, const char *members)
{
    char text[512];
    snprintf(text, sizeof text, "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"u\",%s}",
             members);
    assert_int_equal(post(doors, "project=web", text), 200);
    return doors->count == 1 ? doors->events[0].time_ms : -1;
}

static void test_time(void **state)
{
    struct doors *doors = *state;
    assert_int_equal(time_of(doors, "\"time\":1795284700000"), INT64_C(1795284700000));
    /* a little off is the way of the request, an hour is a wrong clock */
    assert_int_equal(time_of(doors, "\"time\":1795284700000,\"_flush_time\":1795284730000"),
                     INT64_C(1795284700000));
    assert_int_equal(time_of(doors, "\"time\":1795288300000,\"_flush_time\":1795288330000"),
                     NOW_MS - 30000);
    assert_int_equal(time_of(doors, "\"x\":1"), NOW_MS);
    assert_int_equal(
        time_of(doors, "\"time\":1795284700000,\"properties\":{\"$time\":1795284600000}"),
        INT64_C(1795284600000));
    assert_int_equal(time_of(doors, "\"time\":-5"), -1);
    assert_int_equal(time_of(doors, "\"time\":999999999999999999"), -1);
    assert_int_equal(
        time_of(doors, "\"time\":1291191960000,\"_flush_time\":1291191960000,\"time_free\":true"),
        INT64_C(1291191960000));
    assert_true(doors->events[0].flags & EVENT_HISTORICAL);
    assert_int_equal(time_of(doors, "\"time\":1795285000000"), NOW_MS); /* minutes ahead */
    assert_int_equal(time_of(doors, "\"time\":1826820731000"),
                     INT64_C(1826820731000)); /* a year: to quarantine */
}

static void test_message_keys(void **state)
{
    struct doors *doors = *state;
    uint8_t key[16];
    assert_int_equal(post(doors, "project=web", TRACK), 200);
    memcpy(key, doors->events[0].message_key, 16);
    doors->now_ms += 100000;
    assert_int_equal(post(doors, "project=web", TRACK), 200); /* sent again */
    assert_memory_equal(key, doors->events[0].message_key, 16);
    assert_int_equal(post(doors, "project=wk_shop", TRACK), 200);
    assert_memory_not_equal(key, doors->events[0].message_key, 16);
    /* without _track_id the content tells two of one millisecond apart */
    assert_int_equal(
        post(
            doors, "project=web",
            "[{\"type\":\"profile_set\",\"distinct_id\":\"u\",\"time\":1,\"properties\":{\"a\":1}},"
            "{\"type\":\"profile_set\",\"distinct_id\":\"u\",\"time\":1,\"properties\":{\"a\":2}},"
            "{\"type\":\"profile_set\",\"distinct_id\":\"u\",\"time\":1,\"properties\":{\"a\":1}}]"),
        200);
    assert_memory_not_equal(doors->events[0].message_key, doors->events[1].message_key, 16);
    assert_memory_equal(doors->events[0].message_key, doors->events[2].message_key, 16);
}

static void test_views_and_signature(void **state)
{
    struct doors *doors = *state;
    static const struct {
        const char *event;
        enum event_kind kind;
        const char *type;
    } cases[] = {
        { "$pageview", EVENT_PAGE, "Page Viewed" },
        { "$MPViewScreen", EVENT_SCREEN, "Screen Viewed" },
        { "$AppViewScreen", EVENT_SCREEN, "Screen Viewed" },
        { "$WebClick", EVENT_TRACK, "$WebClick" },
    };
    char text[512];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text, "{\"type\":\"track\",\"event\":\"%s\",\"distinct_id\":\"u\"}",
                 cases[i].event);
        assert_int_equal(post(doors, "project=web", text), 200);
        assert_int_equal(doors->events[0].kind, cases[i].kind);
        assert_text(doors->events[0].type, cases[i].type);
    }
    snprintf(
        text, sizeof text,
        "{\"type\":\"track\",\"event\":\"E\",\"distinct_id\":\"u1\",\"login_id\":\"u1\",\"anonymous_id\":\"a\","
        "\"properties\":{\"kith_signature\":\"%s\"}}",
        "519b4aed5923304086cbafe59575ee0f83b1869b0d7140dbfdd13bfc6e28a962");
    assert_int_equal(post(doors, "project=web", text), 200);
    assert_true(identifier_of(&doors->events[0], "user_id")->flags & IDENTIFIER_VERIFIED);
    assert_true(doors->events[0].flags & EVENT_TRUSTED);
    assert_text(doors->events[0].props, "{}");
}

/* ---- collection without consent ---- */

#define QUIET_VIEW(more)                                                                                  \
    "{\"type\":\"track\",\"event\":\"ViewProduct\",\"distinct_id\":\"u-quiet\",\"login_id\":\"u-quiet\"," \
    "\"identities\":{\"$identity_mobile\":\"13777351946\"},\"time\":1795284730000,\"_track_id\":7,"       \
    "\"lib\":{\"$lib\":\"MiniProgram\"},\"properties\":{\"$is_login_id\":true,\"note\":\"u-quiet\"" more  \
    "}}"

static bool stands_in_records(const struct doors *doors, const char *text)
{
    return str_contains(buffer_str(&doors->records), str_from_c(text));
}

static void test_without_consent_a_record_keeps_name_time_and_channel(void **state)
{
    struct doors *doors = *state;
    uint8_t pseudonym[HASH_BYTES];
    assert_int_equal(post(doors, "project=quiet", "[" QUIET_VIEW("") "," QUIET_VIEW("") "]"), 200);
    assert_int_equal(doors->count, 2);
    const struct event *event = &doors->events[0];
    assert_text(event->type, "ViewProduct");
    assert_text(event->channel, "mini_program");
    assert_int_equal(event->time_ms, 1795284730000);
    assert_int_equal(event->identifier_count, 1);
    assert_text(event->identifiers[0].type, "anonymous_id");
    assert_text(event->props, "{}");
    assert_int_equal(event->trait_count, 0);
    assert_text(member_of(doors, event->context, "ip"), "missing");
    assert_text(member_of(doors, event->context, "userAgent"), "missing");
    assert_false(stands_in_records(doors, "u-quiet"));
    assert_false(stands_in_records(doors, "777351946"));
    assert_memory_equal(event->message_key, doors->events[1].message_key, 16); /* sent again */
    /* one sender is one visitor all day long, and another one on the next */
    memcpy(pseudonym, event->identifiers[0].hash, sizeof pseudonym);
    assert_int_equal(post(doors, "project=quiet", QUIET_VIEW(",\"x\":1")), 200);
    assert_memory_equal(doors->events[0].identifiers[0].hash, pseudonym, sizeof pseudonym);
    doors->now_ms += 86400000;
    assert_int_equal(post(doors, "project=quiet", QUIET_VIEW("")), 200);
    assert_memory_not_equal(doors->events[0].identifiers[0].hash, pseudonym, sizeof pseudonym);
}

static void test_without_consent_nobody_says_who_she_is(void **state)
{
    struct doors *doors = *state;
    static const char *const silent[] = { "track_signup", "track_id_bind", "track_id_unbind",
                                          "profile_set", "profile_delete" };
    char text[512];
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++) {
        snprintf(text, sizeof text,
                 "{\"type\":\"%s\",\"distinct_id\":\"u-quiet\",\"original_id\":\"v-quiet\","
                 "\"properties\":{\"city\":\"Hangzhou\"}}",
                 silent[i]);
        assert_int_equal(post(doors, "project=quiet", text), 200);
        assert_int_equal(doors->count, 0);
    }
    /* time and library stand among the properties; the sender among the identities */
    assert_int_equal(
        post(doors, "project=quiet",
             "{\"type\":\"track\",\"event\":\"E\",\"identities\":{\"$identity_login_id\":"
             "\"u-quiet\"},\"properties\":{\"$lib\":\"iOS\",\"$time\":1795284720000}}"),
        200);
    assert_int_equal(doors->count, 1);
    assert_int_equal(doors->events[0].time_ms, 1795284720000);
    assert_text(doors->events[0].channel, "app");
    assert_int_equal(doors->events[0].identifier_count, 1);
    assert_text(doors->events[0].identifiers[0].type, "anonymous_id");
    /* who agrees is known */
    assert_int_equal(post(doors, "project=quiet", QUIET_VIEW(",\"kith_consent\":true")), 200);
    assert_non_null(identifier_of(&doors->events[0], "user_id"));
    assert_text(member_of(doors, doors->events[0].context, "ip"), "\"203.0.113.9\"");
    /* nobody at all is an error, as it is with consent */
    assert_int_equal(post(doors, "project=quiet", "{\"type\":\"track\",\"event\":\"E\"}"), 200);
    assert_int_equal(doors->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_encodings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_crc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_debug_mode, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_node_example, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_web_signup, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mini_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_profiles_and_items, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_property_rules, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_message_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_views_and_signature, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_consent_a_record_keeps_name_time_and_channel,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_consent_nobody_says_who_she_is, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
