/* SPDX-License-Identifier: Apache-2.0 */
/* The tracking plan: learning, widening, strictness, quotas, what operators say, and that what is loaded
 * again is what was. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "plan/plan.h"

#define NOW_MS INT64_C(1795284731504)
#define SEED 99

static char folder[64], path[80];
static struct ledger *ledger;
static struct plan *plan;
static struct ledger_writes *writes;
static struct json_parser *parser;
static struct buffer text;
static uint64_t seq;

static void new_writes(void)
{
    writes = ledger_writes_new(ledger);
    assert_non_null(writes);
}

static void commit(void)
{
    assert_int_equal(ledger_apply(ledger, &writes, ++seq, NULL, NULL), ERR_OK);
    assert_int_equal(ledger_drain(ledger), ERR_OK);
    new_writes();
}

static int set_up(void **state)
{
    (void)state;
    struct problem problem = { .error = ERR_OK };
    snprintf(folder, sizeof folder, "/tmp/kith-plan-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ledger", folder);
    struct ledger_config config = { .path = path };
    if (ledger_open(&ledger, &config, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    assert_int_equal(plan_new(&plan), ERR_OK);
    assert_int_equal(json_parser_new(&parser, (size_t)16 << 20), ERR_OK);
    buffer_init(&text, (size_t)64 << 20);
    seq = 0;
    new_writes();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[120];
    ledger_writes_free(&writes);
    ledger_close(&ledger);
    plan_free(&plan);
    json_parser_free(&parser);
    buffer_deinit(&text);
    static const char *const ends[] = { "", "-wal", "-shm" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(command, sizeof command, "%s%s", path, ends[i]);
        unlink(command);
    }
    rmdir(folder);
    return 0;
}

/* As the door folds it. */
static uint64_t shape_of(str type, str props)
{
    json_value root, value;
    struct problem problem = { .error = ERR_OK };
    str name;
    assert_int_equal(json_parse(parser, props, &root, &problem), ERR_OK);
    uint64_t shape = event_shape_begin(SEED, type);
    struct json_iterator iterator = json_iterate(root);
    while (json_next(&iterator, &name, &value)) {
        enum json_kind kind = json_kind(value);
        if (kind == JSON_OBJECT && json_kind(json_get(value, STR("$sealed"))) == JSON_TEXT)
            kind = JSON_TEXT;
        shape = event_shape_property(shape, event_name_hash(SEED, name), kind);
    }
    return shape;
}

static struct event_identifier user = { .type = { "user_id", 7 }, .value = { "u", 1 } };

static struct event event_of(const char *type, const char *props, int64_t at_ms, uint32_t source)
{
    return (struct event){ .kind = EVENT_TRACK,
                           .type = str_from_c(type),
                           .props = str_from_c(props),
                           .received_ms = at_ms,
                           .time_ms = at_ms,
                           .source_number = source,
                           .identifier_count = 1,
                           .identifiers = &user,
                           .shape = shape_of(str_from_c(type), str_from_c(props)) };
}

static struct problem detail;

static enum plan_reason judged(struct plan *judging, const struct event *event, bool strict,
                               struct ledger_writes *learnt, struct problem *why)
{
    enum plan_reason reason;
    assert_int_equal(plan_check(judging, event, strict, learnt, &reason, why), ERR_OK);
    return reason;
}

static enum plan_reason judge(const char *type, const char *props, bool strict)
{
    struct event event = event_of(type, props, NOW_MS, 1);
    detail = (struct problem){ .error = ERR_OK };
    enum plan_reason reason = judged(plan, &event, strict, writes, &detail);
    /* Asked again, through the cache or not, it is the same. */
    struct event without = event;
    without.shape = 0;
    assert_int_equal(judged(plan, &without, strict, writes, NULL), reason);
    assert_int_equal(judged(plan, &event, strict, writes, NULL), reason);
    if (reason != PLAN_FITS)
        assert_true(detail.detail[0] != '\0');
    return reason;
}

static json_value show(const char *name)
{
    json_value root;
    struct problem problem = { .error = ERR_OK };
    buffer_clear(&text);
    assert_int_equal(plan_write_event(plan, str_from_c(name), &text), ERR_OK);
    assert_int_equal(json_parse(parser, buffer_str(&text), &root, &problem), ERR_OK);
    return root;
}

static json_value property(const char *event, const char *name)
{
    json_value list = json_get(show(event), STR("properties")), value;
    struct json_iterator iterator = json_iterate(list);
    while (json_next(&iterator, NULL, &value))
        if (str_equal(json_text(json_get(value, STR("name"))), str_from_c(name)))
            return value;
    return (json_value){ .document = NULL };
}

static str type_of(const char *event, const char *name)
{
    return json_text(json_get(property(event, name), STR("type")));
}

static err put(const char *name, const char *body, struct problem *problem)
{
    json_value root;
    assert_int_equal(json_parse(parser, str_from_c(body), &root, problem), ERR_OK);
    return plan_put_event(plan, str_from_c(name), root, NOW_MS, writes, problem);
}

static void put_well(const char *name, const char *body)
{
    struct problem problem = { .error = ERR_OK };
    if (put(name, body, &problem) != ERR_OK)
        fail_msg("%s: %s", name, problem.detail);
}

/* What is loaded from the ledger is what is in memory. */
static void assert_reloads(void)
{
    struct plan *loaded = NULL;
    struct problem problem = { .error = ERR_OK };
    struct digest live = { 0 }, again = { 0 };
    struct buffer other;
    commit();
    assert_int_equal(plan_new(&loaded), ERR_OK);
    if (plan_load(loaded, ledger, &problem) != ERR_OK)
        fail_msg("%s", problem.detail);
    plan_digest(plan, &live);
    plan_digest(loaded, &again);
    assert_int_equal(live.count, again.count);
    assert_true(live.low == again.low && live.high == again.high);
    buffer_init(&other, (size_t)64 << 20);
    buffer_clear(&text);
    plan_write_all(plan, &text);
    plan_write_all(loaded, &other);
    assert_str_equal(buffer_str(&text), buffer_str(&other));
    buffer_deinit(&other);
    plan_free(&plan);
    plan = loaded; /* and the test goes on with it */
}

static void test_learning(void **state)
{
    (void)state;
    assert_int_equal(
        judge("Mask Bought",
              "{\"colour\":\"red\",\"n\":1,\"ok\":true,\"l\":[1],\"o\":{\"x\":1},\"none\":null}",
              false),
        PLAN_FITS);
    json_value event = show("Mask Bought");
    assert_str_equal(json_text(json_get(event, STR("status"))), STR("learnt"));
    assert_false(json_bool(json_get(event, STR("known")), true));
    assert_int_equal(json_int(json_get(event, STR("source")), 0), 1);
    assert_str_equal(json_text(json_get(event, STR("first_seen"))),
                     STR("2026-11-21T18:12:11.504Z"));
    assert_int_equal(json_count(json_get(event, STR("properties"))), 6);
    assert_str_equal(type_of("Mask Bought", "colour"), STR("text"));
    assert_str_equal(type_of("Mask Bought", "n"), STR("int"));
    assert_str_equal(type_of("Mask Bought", "ok"), STR("bool"));
    assert_str_equal(type_of("Mask Bought", "l"), STR("list"));
    assert_str_equal(type_of("Mask Bought", "o"), STR("object"));
    assert_str_equal(type_of("Mask Bought", "none"), STR("unknown"));
    assert_reloads();
    assert_int_equal(judge("Mask Bought", "{\"none\":\"now\"}", false), PLAN_FITS);
    assert_str_equal(type_of("Mask Bought", "none"), STR("text"));
    /* a sealed value is the text that it hides */
    assert_int_equal(judge("Mask Bought", "{\"tel\":{\"$sealed\":\"s1:1:x\"}}", false), PLAN_FITS);
    assert_str_equal(type_of("Mask Bought", "tel"), STR("text"));
    assert_reloads();
}

static void test_long_names(void **state)
{
    (void)state;
    char props[300];
    snprintf(props, sizeof props, "{\"%0200d\":1}", 7);
    assert_int_equal(judge("Skin Shown", props, false), PLAN_FITS);
    snprintf(props, sizeof props, "{\"%0201d\":1}", 7);
    assert_int_equal(judge("Skin Shown", props, false), PLAN_UNKNOWN_PROPERTY);
}

static void test_widening(void **state)
{
    (void)state;
    assert_int_equal(judge("A", "{\"n\":1}", false), PLAN_FITS);
    assert_int_equal(judge("B", "{\"n\":2}", false), PLAN_FITS);
    assert_str_equal(type_of("A", "n"), STR("int"));
    assert_int_equal(judge("B", "{\"n\":2.5}", false), PLAN_FITS);
    assert_str_equal(type_of("A", "n"), STR("decimal")); /* one name, one type */
    assert_int_equal(judge("A", "{\"n\":3}", false), PLAN_FITS);
    assert_str_equal(type_of("B", "n"), STR("decimal"));
    assert_reloads();
    assert_int_equal(judge("A", "{\"n\":\"three\"}", false), PLAN_FITS);
    assert_str_equal(type_of("B", "n"), STR("text"));
    assert_int_equal(judge("A", "{\"n\":[1]}", false), PLAN_FITS); /* nothing is wider than text */
    assert_str_equal(type_of("A", "n"), STR("text"));
    assert_reloads();
}

static void test_strict(void **state)
{
    (void)state;
    assert_int_equal(judge("New", "{}", true), PLAN_UNKNOWN_EVENT);
    assert_int_equal(judge("Known", "{\"a\":1}", false), PLAN_FITS);
    assert_int_equal(judge("Known", "{\"a\":1}", true), PLAN_FITS);
    assert_int_equal(judge("Known", "{\"a\":2,\"b\":1}", true), PLAN_UNKNOWN_PROPERTY);
    assert_non_null(strstr(detail.detail, "'b'"));
    assert_int_equal(judge("Known", "{\"a\":1.5}", true), PLAN_WRONG_TYPE);
    assert_int_equal(judge("Known", "{\"a\":null}", true), PLAN_FITS);
    /* nothing of what was refused was learnt */
    assert_str_equal(type_of("Known", "a"), STR("int"));
    assert_int_equal(json_kind(property("Known", "b")), JSON_MISSING);
    buffer_clear(&text);
    assert_int_equal(plan_write_event(plan, STR("New"), &text), ERR_NOT_FOUND);
    assert_int_equal(judge("Known", "{\"a\":1.5}", false), PLAN_FITS);
    assert_int_equal(judge("Known", "{\"a\":1.5}", true), PLAN_FITS);
}

static void test_known_events(void **state)
{
    (void)state;
    json_value event = show("Order Paid");
    assert_true(json_bool(json_get(event, STR("known")), false));
    assert_str_equal(json_text(json_get(event, STR("status"))), STR("planned"));
    assert_int_equal(json_kind(json_get(event, STR("first_seen"))), JSON_NULL);
    assert_str_equal(type_of("Order Paid", "revenue"), STR("money"));
    assert_str_equal(type_of("Product Viewed", "product_id"), STR("text"));
    assert_str_equal(type_of("Product Viewed", "quantity"), STR("decimal"));
    static const char *const all[] = {
        "Order Placed",    "Order Paid",        "Deposit Paid",
        "Order Cancelled", "Order Refunded",    "Parcel Shipped",
        "Parcel Signed",   "Parcel Returned",   "Store Visited",
        "Coupon Claimed",  "Coupon Used",       "Content Shared",
        "Skin Test Taken", "Products Searched", "Product List Viewed",
        "Order Completed", "Product Reviewed",  "Wishlist Product Added to Cart"
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        (void)show(all[i]);
    /* strict sources may send them, with numbers as text too */
    assert_int_equal(
        judge("Order Paid", "{\"order_id\":7,\"revenue\":\"1,299.50\",\"products\":[]}", true),
        PLAN_FITS);
    assert_int_equal(judge("Order Paid", "{\"revenue\":\"much\"}", false), PLAN_WRONG_TYPE);
    assert_non_null(strstr(detail.detail, "'revenue', it is text and should be money"));
    assert_int_equal(judge("Order Paid", "{\"products\":\"none\"}", false), PLAN_WRONG_TYPE);
    assert_int_equal(judge("Order Paid", "{\"brand_own\":1}", false), PLAN_FITS);
    assert_str_equal(json_text(json_get(show("Order Paid"), STR("first_seen"))),
                     STR("2026-11-21T18:12:11.504Z"));
    /* elsewhere the same names are free */
    assert_int_equal(judge("Own", "{\"value\":\"high\",\"score\":\"A\"}", false), PLAN_FITS);
    assert_reloads();
}

static void test_put(void **state)
{
    (void)state;
    assert_int_equal(judge("E", "{\"a\":1,\"b\":\"x\"}", false), PLAN_FITS);
    put_well(
        "E",
        "{\"description\":\"what it is\",\"properties\":[{\"name\":\"a\",\"type\":\"int\",\"required\":true},"
        "{\"name\":\"b\",\"values\":[\"x\",\"y\",3,true]},{\"name\":\"when\",\"type\":\"time\"}]}");
    assert_str_equal(json_text(json_get(show("E"), STR("status"))), STR("planned"));
    assert_str_equal(json_text(json_get(show("E"), STR("description"))), STR("what it is"));
    assert_true(json_bool(json_get(property("E", "a"), STR("fixed")), false));
    assert_true(json_bool(json_get(property("E", "a"), STR("required")), false));
    assert_int_equal(judge("E", "{\"a\":1}", false), PLAN_FITS);
    assert_int_equal(judge("E", "{\"a\":\"12\"}", false), PLAN_FITS);
    assert_int_equal(judge("E", "{\"a\":\"x12\"}", false), PLAN_WRONG_TYPE);
    assert_int_equal(judge("E", "{\"a\":1.5}", false), PLAN_WRONG_TYPE);
    assert_int_equal(judge("E", "{}", false), PLAN_MISSING_PROPERTY);
    assert_int_equal(judge("E", "{\"a\":null}", false), PLAN_MISSING_PROPERTY);
    assert_int_equal(judge("E", "{\"a\":1,\"b\":\"x\"}", false), PLAN_FITS);
    assert_int_equal(judge("E", "{\"a\":1,\"b\":\"z\"}", false), PLAN_NOT_IN_LIST);
    assert_int_equal(judge("E", "{\"a\":1,\"b\":3}", false), PLAN_FITS);
    assert_int_equal(judge("E", "{\"a\":1,\"b\":4}", false), PLAN_NOT_IN_LIST);
    assert_int_equal(judge("E", "{\"a\":1,\"b\":null}", false), PLAN_FITS);
    assert_int_equal(judge("E", "{\"a\":1,\"when\":\"2026-11-21 18:00:00\"}", false), PLAN_FITS);
    assert_int_equal(judge("E", "{\"a\":1,\"when\":\"soon\"}", false), PLAN_WRONG_TYPE);
    assert_reloads();
    assert_int_equal(judge("E", "{\"a\":1,\"b\":\"z\"}", false), PLAN_NOT_IN_LIST);
    /* taken back: learnt again */
    put_well("E", "{\"status\":\"learnt\"}");
    assert_int_equal(judge("E", "{\"b\":\"z\"}", false), PLAN_FITS);
    assert_int_equal(judge("E", "{\"a\":\"x12\"}", false), PLAN_FITS);
    assert_str_equal(type_of("E", "a"), STR("text"));
    assert_reloads();
    put_well("E", "{\"status\":\"blocked\"}");
    assert_int_equal(judge("E", "{\"b\":\"z\"}", false), PLAN_BLOCKED_EVENT);
    assert_reloads();
    assert_int_equal(judge("E", "{\"b\":\"z\"}", false), PLAN_BLOCKED_EVENT);
    /* planned before anybody has sent it */
    put_well("Later", "{\"properties\":[{\"name\":\"x\",\"type\":\"bool\"}]}");
    assert_int_equal(judge("Later", "{\"x\":true}", true), PLAN_FITS);
    assert_reloads();
    /* what is read may be sent back */
    buffer_clear(&text);
    assert_int_equal(plan_write_event(plan, STR("Later"), &text), ERR_OK);
    char *body = strndup(text.data, text.size);
    put_well("Later", body);
    free(body);
    assert_true(json_bool(json_get(property("Later", "x"), STR("fixed")), false));
    assert_reloads();
}

/* A fixed type does not make the name forget what it had learnt elsewhere. */
static void test_fixing_remembers(void **state)
{
    (void)state;
    assert_int_equal(judge("A", "{\"n\":1}", false), PLAN_FITS);
    put_well("A", "{\"properties\":[{\"name\":\"n\",\"type\":\"text\"}]}");
    assert_reloads();
    assert_int_equal(judge("B", "{\"n\":true}", false), PLAN_FITS);
    assert_str_equal(type_of("B", "n"), STR("text")); /* int and bool */
    assert_str_equal(type_of("A", "n"), STR("text"));
    assert_reloads();
}

static void test_put_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *body, *pointer;
    } cases[] = {
        { "[]", "" },
        { "{\"x\":1}", "/x" },
        { "{\"status\":\"gone\"}", "/status" },
        { "{\"description\":7}", "/description" },
        { "{\"properties\":{}}", "/properties" },
        { "{\"properties\":[7]}", "/properties/0" },
        { "{\"properties\":[{\"name\":\"a\"},{\"name\":\"\"}]}", "/properties/1" },
        { "{\"properties\":[{\"name\":\"a\",\"type\":\"float\"}]}", "/properties/0" },
        { "{\"properties\":[{\"name\":\"a\",\"required\":1}]}", "/properties/0" },
        { "{\"properties\":[{\"name\":\"a\",\"values\":3}]}", "/properties/0" },
        { "{\"properties\":[{\"name\":\"a\",\"values\":[[]]}]}", "/properties/0" },
        { "{\"properties\":[{\"name\":\"a\",\"colour\":3}]}", "/properties/0/colour" },
        { "{\"properties\":[{\"name\":\"revenue\",\"type\":\"text\"}]}", "/properties/0" },
    };
    struct digest before = { 0 }, after = { 0 };
    plan_digest(plan, &before);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = { .error = ERR_OK };
        assert_int_equal(put("Order Paid", cases[i].body, &problem), ERR_UNPROCESSABLE);
        assert_string_equal(problem.pointer, cases[i].pointer);
        assert_true(problem.detail[0] != '\0');
    }
    struct problem problem = { .error = ERR_OK };
    assert_int_equal(put("", "{}", &problem), ERR_UNPROCESSABLE);
    plan_digest(plan, &after);
    assert_true(before.low == after.low && before.high == after.high);
    assert_int_equal(ledger_writes_count(writes), 0);
}

/* N7: names without end from one source. */
static void test_quotas(void **state)
{
    (void)state;
    char type[40], props[60];
    size_t taken = 0, refused = 0;
    /* The first pass makes what is kept anyway. */
    size_t before = 0;
    for (int i = 0; i < 20000; i++) {
        snprintf(type, sizeof type, "Event %d", i);
        struct event event = event_of(type, "{}", NOW_MS, 1);
        enum plan_reason reason = judged(plan, &event, false, writes, NULL);
        taken += reason == PLAN_FITS;
        refused += reason == PLAN_TOO_MANY_NAMES;
        if (i == 1000)
            before = plan_memory_bytes(plan);
    }
    assert_int_equal(taken, PLAN_NEW_EVENTS_PER_DAY);
    assert_int_equal(taken + refused, 20000);
    assert_int_equal(plan_memory_bytes(plan), before); /* flat */
    /* properties */
    taken = 0;
    for (int i = 0; i < 20000; i++) {
        snprintf(props, sizeof props, "{\"p%d\":1,\"q%d\":1}", i, i);
        snprintf(type, sizeof type, "Event %d", i % 400);
        struct event event = event_of(type, props, NOW_MS, 1);
        taken += judged(plan, &event, false, writes, NULL) == PLAN_FITS;
    }
    assert_int_equal(taken, PLAN_NEW_PROPERTIES_PER_DAY / 2);
    /* What is known goes on, other sources too, and tomorrow is another day. */
    assert_int_equal(judge("Event 7", "{}", false), PLAN_FITS);
    struct event other = event_of("Another source's", "{\"z\":1}", NOW_MS, 2);
    assert_int_equal(judged(plan, &other, false, writes, NULL), PLAN_FITS);
    struct event today = event_of("Event x", "{}", NOW_MS, 1);
    assert_int_equal(judged(plan, &today, false, writes, NULL), PLAN_TOO_MANY_NAMES);
    assert_reloads();
    assert_int_equal(judged(plan, &today, false, writes, NULL),
                     PLAN_TOO_MANY_NAMES); /* a restart is no new day */
    struct event tomorrow = event_of("Event x", "{}", NOW_MS + DAY_MS, 1);
    assert_int_equal(judged(plan, &tomorrow, false, writes, NULL), PLAN_FITS);
    assert_reloads();
    /* an event with too many properties is learnt whole or not at all */
    for (int day = 2; day < 5; day++) {
        buffer_clear(&text);
        buffer_append_byte(&text, '{');
        for (int i = 0; i < 600; i++)
            buffer_printf(&text, "%s\"d%d_%d\":1", i > 0 ? "," : "", day, i);
        buffer_append_byte(&text, '}');
        char *copy = strndup(text.data, text.size);
        struct event wide = event_of("Wide", copy, NOW_MS + day * DAY_MS, 3);
        assert_int_equal(judged(plan, &wide, false, writes, NULL),
                         day == 2 ? PLAN_FITS : PLAN_TOO_MANY_NAMES);
        free(copy);
    }
    assert_int_equal(json_count(json_get(show("Wide"), STR("properties"))), 600);
}

static void test_who_and_what_else(void **state)
{
    (void)state;
    struct event event = event_of("E", "{}", NOW_MS, 1);
    event.identifier_count = 0;
    assert_int_equal(judged(plan, &event, false, writes, &detail), PLAN_NO_IDENTIFIER);
    struct event_identifier blocked = user;
    blocked.flags = IDENTIFIER_BLOCKED;
    event.identifiers = &blocked;
    event.identifier_count = 1;
    assert_int_equal(judged(plan, &event, false, writes, &detail), PLAN_NO_IDENTIFIER);
    buffer_clear(&text);
    assert_int_equal(plan_write_event(plan, STR("E"), &text),
                     ERR_NOT_FOUND); /* nothing learnt of it */
    event.kind = EVENT_OBJECT;
    assert_int_equal(judged(plan, &event, true, writes, &detail), PLAN_FITS);
    event = event_of("Identify", "{}", NOW_MS, 1);
    event.kind = EVENT_IDENTIFY;
    assert_int_equal(judged(plan, &event, true, writes, &detail), PLAN_FITS);
    assert_string_equal(plan_reason_code(PLAN_TOO_MANY_NAMES), "too_many_names");
    assert_string_equal(plan_reason_code(PLAN_FITS), "fits");
}

/* A random life: the plan in memory, with its cache, and one that is loaded anew now and then and never
 * uses shapes judge every event alike. */
static void test_random_life(void **state)
{
    (void)state;
    static const char *const types[] = { "A", "B", "C", "D",          "E",
                                         "F", "G", "H", "Order Paid", "Product Viewed" };
    static const char *const names[] = { "a", "b", "c", "revenue", "price", "n" };
    static const char *const values[] = { "1",    "2.5",  "\"x\"", "\"12\"",
                                          "true", "null", "[1]",   "{\"k\":1}" };
    static const char *const plans[] = {
        "{\"status\":\"blocked\"}", "{\"status\":\"learnt\"}",
        "{\"properties\":[{\"name\":\"a\",\"required\":true}]}",
        "{\"properties\":[{\"name\":\"b\",\"values\":[1,\"x\"]}]}",
        "{\"properties\":[{\"name\":\"c\",\"type\":\"int\"},{\"name\":\"n\",\"type\":\"decimal\"}]}"
    };
    struct random_stream stream;
    struct plan *twin = NULL;
    random_seed(&stream, 31);
    assert_int_equal(plan_new(&twin), ERR_OK);
    struct ledger_writes *ignored = ledger_writes_new(ledger);
    size_t reasons[16] = { 0 };
    for (int round = 0; round < 20000; round++) {
        const char *type = types[random_below(&stream, 10)];
        char props[300] = "{";
        for (size_t i = 0; i < 6; i++)
            if (random_below(&stream, 3) == 0)
                snprintf(props + strlen(props), sizeof props - strlen(props), "%s\"%s\":%s",
                         props[1] ? "," : "", names[i], values[random_below(&stream, 8)]);
        strncat(props, "}", 2);
        bool strict = random_below(&stream, 4) == 0;
        struct event event =
            event_of(type, props, NOW_MS + round, 1 + (uint32_t)random_below(&stream, 3));
        enum plan_reason reason = judged(plan, &event, strict, writes, NULL);
        struct event bare = event;
        bare.shape = 0;
        if (judged(twin, &bare, strict, ignored, NULL) != reason)
            fail_msg("round %d: %s %s", round, type, props);
        reasons[reason]++;
        if (random_below(&stream, 500) == 0) {
            const char *body = plans[random_below(&stream, 5)];
            struct problem problem = { .error = ERR_OK };
            json_value root;
            assert_int_equal(json_parse(parser, str_from_c(body), &root, &problem), ERR_OK);
            assert_int_equal(
                plan_put_event(twin, str_from_c(type), root, NOW_MS, ignored, &problem), ERR_OK);
            put_well(type, body);
        }
        if (random_below(&stream, 2000) == 0)
            assert_reloads();
    }
    for (int reason = PLAN_FITS; reason <= PLAN_BLOCKED_EVENT; reason++)
        assert_true(reasons[reason] > 0);
    struct digest a = { 0 }, b = { 0 };
    plan_digest(plan, &a);
    plan_digest(twin, &b);
    assert_true(a.low == b.low && a.high == b.high);
    ledger_writes_free(&ignored);
    plan_free(&twin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_learning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_widening, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_known_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_put, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fixing_remembers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_put_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quotas, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_and_what_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random_life, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
