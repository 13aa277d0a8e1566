/* SPDX-License-Identifier: Apache-2.0 */
/* What journeys hear of the house around them: the workspace's zone, how far sources have told (J7), the age of events that start
 * something (J6), and refunds that take back what a goal counted. All of it the same after a restart. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/engine_house.h"

static void must(struct house *house, const char *operation, const char *body)
{
    struct buffer answer;
    buffer_init(&answer, 1 << 20);
    house_command(house, operation, body, 200, &answer);
    buffer_deinit(&answer);
}

/* ---- looking ---- */

struct look {
    struct engine_question question;
    const char *journey;
    struct buffer text;
    uint64_t positions;
    int64_t due_ms;
};

static void ask(const struct engine_state *state, struct engine_question *question)
{
    struct look *look = queue_entry(question, struct look, question);
    struct journeys_status status;
    char first[200];
    buffer_clear(&look->text);
    journeys_status(state->journeys, &status);
    look->positions = status.positions;
    look->due_ms = journey_next_due_ms(state->journeys);
    if (journey_check(state->journeys, first, sizeof first) != 0)
        fail_msg("%s", first);
    assert_ok(journey_write_report(state->journeys, str_from_c(look->journey),
                                   HOUSE_START_MS - DAY_MS, state->now_ms + DAY_MS, &look->text));
}

static void look_at(struct house *house, struct look *look)
{
    look->question = (struct engine_question){ .ask = ask };
    assert_ok(engine_ask_wait(house->engine, &look->question));
}

static void look_begin(struct look *look, const char *journey)
{
    *look = (struct look){ .journey = journey };
    buffer_init(&look->text, (size_t)4 << 20);
}

static void wait_until_live(struct house *house, struct look *look)
{
    do {
        look_at(house, look);
        steady_sleep_ms(1);
    } while (!str_contains(buffer_str(&look->text), STR("\"state\":\"live\"")));
}

static void expect_in(const struct look *look, const char *part)
{
    if (!str_contains(buffer_str(&look->text), str_from_c(part)))
        fail_msg("%s is not in " STR_FMT, part, STR_ARG(buffer_str(&look->text)));
}

static int64_t since_start(const struct house *house)
{
    return wall_clock_now_ms(&house->clock) - HOUSE_START_MS;
}

static uint64_t message_next = 1;

static void say(struct house *house, uint32_t source, const char *user, const char *type,
                const char *order, int64_t revenue, int64_t ago_ms)
{
    char props[80];
    snprintf(props, sizeof props, "{\"order_id\":\"%s\"}", order != NULL ? order : "");
    struct saying saying = { .message = message_next++,
                             .source = source,
                             .type = type,
                             .user = user,
                             .order_id = order,
                             .revenue = revenue,
                             .after_ms = since_start(house) - ago_ms,
                             .props = order != NULL ? props : "{}" };
    assert_ok(house_send(house, &saying, 1));
}

static void publish(struct house *house, const char *key, const char *body, struct look *look)
{
    char text[2000];
    snprintf(text, sizeof text, "{\"key\":\"%s\",\"journey\":%s}", key, body);
    must(house, "journey.put", text);
    snprintf(text, sizeof text, "{\"key\":\"%s\"}", key);
    must(house, "journey.publish", text);
    wait_until_live(house, look);
}

/* The same state when it was loaded as when it was lived. */
static void reopen(struct house *house)
{
    struct buffer before, after;
    buffer_init(&before, 1 << 20);
    buffer_init(&after, 1 << 20);
    assert_ok(engine_settle(house->engine, false, -1));
    house_digest(house, &before);
    house_close(house);
    house_open(house, false);
    house_digest(house, &after);
    assert_str_equal(buffer_str(&after), buffer_str(&before));
    buffer_deinit(&before);
    buffer_deinit(&after);
}

/* ---- zone ---- */

static void test_ten_in_the_morning_is_the_workspaces(void **state)
{
    (void)state;
    struct house house;
    struct look look;
    house_make(&house);
    house_open(&house, false);
    look_begin(&look, "ten");
    publish(
        &house, "ten",
        "{\"name\":\"Ten\",\"trigger\":{\"type\":\"event\",\"event\":\"Order Paid\"},\"start\":\"w\","
        "\"nodes\":{\"w\":{\"type\":\"wait\",\"at\":\"10:00\"}}}",
        &look);
    static const struct {
        const char *zone;
        int utc_hour;
    } cases[] = { { NULL, 2 }, { "Asia/Tokyo", 1 }, { "Etc/GMT+5", 15 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char body[100], user[20], order[20];
        snprintf(body, sizeof body, "{\"key\":\"workspace.zone\",\"value\":\"%s\"}",
                 cases[i].zone != NULL ? cases[i].zone : "");
        if (cases[i].zone != NULL)
            must(&house, "setting.put", body);
        if (i == 1)
            reopen(&house);
        snprintf(user, sizeof user, "zone%zu", i);
        snprintf(order, sizeof order, "z%zu", i);
        say(&house, 1, user, "Order Paid", order, 100, 0);
        look_at(&house, &look);
        assert_int_equal(look.positions, 1);
        assert_int_equal(look.due_ms % DAY_MS, cases[i].utc_hour * HOUR_MS);
        assert_ok(engine_advance(house.engine, DAY_MS));
        look_at(&house, &look);
        assert_int_equal(look.positions, 0);
    }
    buffer_deinit(&look.text);
    house_close(&house);
    house_remove(&house);
}

/* ---- J7: how far sources have told ---- */

static void make_sources(struct house *house)
{
    must(house, "source.put",
         "{\"key\":\"web\",\"name\":\"web\",\"kind\":\"server\",\"protocol\":\"segment\","
         "\"write_key_hash\":\"00000000000000000000000000000001\"}");
    must(house, "source.put",
         "{\"key\":\"till\",\"name\":\"till\",\"kind\":\"server\",\"protocol\":\"segment\","
         "\"write_key_hash\":\"00000000000000000000000000000002\"}");
}

static void test_j7_waits_for_the_sources_of_that_event_alone(void **state)
{
    (void)state;
    struct house house;
    struct look look;
    house_make(&house);
    house_open(&house, false);
    make_sources(&house);
    look_begin(&look, "cart");
    /* Orders come from the web; the till says something else, and another only tells by files. */
    say(&house, 1, "first", "Order Paid", "o1", 100, 0);
    say(&house, 2, "first", "Page Viewed", NULL, 0, 0);
    must(&house, "watermark.put", "{\"source\":\"returns\",\"time\":1000}");
    publish(
        &house, "cart",
        "{\"name\":\"Cart\",\"trigger\":{\"type\":\"absence\",\"event\":\"Product Added\","
        "\"absent\":{\"event\":\"Order Paid\"},\"within\":\"1h\",\"patience\":\"12h\"},\"start\":\"w\","
        "\"nodes\":{\"w\":{\"type\":\"wait\",\"for\":\"30d\"}}}",
        &look);
    say(&house, 1, "ann", "Product Added", NULL, 0, 0);
    assert_ok(engine_advance(house.engine, 3 * HOUR_MS));
    look_at(&house, &look);
    expect_in(&look, "\"entered\":0"); /* the web has told nothing since */
    say(&house, 2, "first", "Page Viewed", NULL, 0, 0);
    reopen(&house);
    assert_ok(engine_advance(house.engine, HOUR_MS));
    look_at(&house, &look);
    expect_in(&look, "\"entered\":0"); /* and the till is not asked */
    say(&house, 1, "first", "Page Viewed", NULL, 0, 0);
    assert_ok(engine_advance(house.engine, HOUR_MS));
    look_at(&house, &look);
    expect_in(&look, "\"entered\":1");
    reopen(&house);
    buffer_deinit(&look.text);
    house_close(&house);
    house_remove(&house);
}

/* ---- J6: what is too old starts nothing ---- */

static void test_j6_the_age_is_a_setting(void **state)
{
    (void)state;
    struct house house;
    struct look look;
    house_make(&house);
    house_open(&house, false);
    look_begin(&look, "paid");
    publish(
        &house, "paid",
        "{\"name\":\"Paid\",\"trigger\":{\"type\":\"event\",\"event\":\"Order Paid\"},\"start\":\"w\","
        "\"nodes\":{\"w\":{\"type\":\"wait\",\"for\":\"30d\"}}}",
        &look);
    say(&house, 1, "a", "Order Paid", "a", 1, 23 * HOUR_MS);
    say(&house, 1, "b", "Order Paid", "b", 1, 25 * HOUR_MS);
    look_at(&house, &look);
    assert_int_equal(look.positions, 1);
    static const char *const wrong[] = { "\"soon\"", "\"-1h\"", "\"500d\"", "\"\"", "24", "null" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct buffer answer;
        char body[100];
        buffer_init(&answer, 1 << 20);
        snprintf(body, sizeof body, "{\"key\":\"journeys.late_event\",\"value\":%s}", wrong[i]);
        house_command(&house, "setting.put", body, 422, &answer);
        assert_true(str_contains(buffer_str(&answer), STR("24h")));
        buffer_deinit(&answer);
    }
    must(&house, "setting.put", "{\"key\":\"journeys.late_event\",\"value\":\"48h\"}");
    say(&house, 1, "c", "Order Paid", "c", 1, 47 * HOUR_MS);
    reopen(&house);
    say(&house, 1, "d", "Order Paid", "d", 1, 47 * HOUR_MS);
    say(&house, 1, "e", "Order Paid", "e", 1, 49 * HOUR_MS);
    look_at(&house, &look);
    assert_int_equal(look.positions, 3);
    must(&house, "setting.put", "{\"key\":\"journeys.late_event\",\"value\":\"1h\"}");
    say(&house, 1, "f", "Order Paid", "f", 1, 2 * HOUR_MS);
    look_at(&house, &look);
    assert_int_equal(look.positions, 3);
    buffer_deinit(&look.text);
    house_close(&house);
    house_remove(&house);
}

/* ---- goals are net ---- */

static void test_goals_are_net_of_refunds(void **state)
{
    (void)state;
    struct house house;
    struct look look;
    house_make(&house);
    house_open(&house, false);
    look_begin(&look, "net");
    say(&house, 1, "first", "Order Refunded", "o", 1, 0);
    say(&house, 1, "first", "Order Cancelled", "o", 1, 0);
    publish(
        &house, "net",
        "{\"name\":\"Net\",\"trigger\":{\"type\":\"event\",\"event\":\"Product Added\"},\"start\":\"w\","
        "\"goals\":[{\"key\":\"bought\",\"event\":\"Order Paid\",\"value\":\"revenue\","
        "\"within\":\"7d\",\"refunds\":\"20d\"}],"
        "\"nodes\":{\"w\":{\"type\":\"wait\",\"for\":\"1d\"}}}",
        &look);
    static const char *const users[] = { "a", "b", "c", "d" };
    for (size_t i = 0; i < 4; i++) {
        say(&house, 1, users[i], "Product Added", NULL, 0, 0);
        say(&house, 1, users[i], "Order Paid", users[i], 10000, 0);
    }
    look_at(&house, &look);
    expect_in(&look, "\"journey\":{\"entered\":4,\"reached\":4,\"value\":40000}");
    say(&house, 1, "a", "Order Refunded", "a", 2500, 0);  /* a part */
    say(&house, 1, "b", "Order Cancelled", "b", 0, 0);    /* all */
    say(&house, 1, "c", "Order Refunded", "c", 99999, 0); /* more than there was: all */
    look_at(&house, &look);
    expect_in(&look, "\"journey\":{\"entered\":4,\"reached\":2,\"value\":17500}");
    reopen(&house);
    say(&house, 1, "b", "Order Refunded", "b", 5000, 0); /* once is enough */
    assert_ok(engine_advance(house.engine, 19 * DAY_MS));
    say(&house, 1, "a", "Order Refunded", "a", 500, 0);
    look_at(&house, &look);
    expect_in(&look, "\"journey\":{\"entered\":4,\"reached\":2,\"value\":17000}");
    assert_ok(engine_advance(house.engine, 2 * DAY_MS));
    say(&house, 1, "d", "Order Refunded", "d", 10000, 0); /* it is final by now */
    look_at(&house, &look);
    expect_in(&look, "\"journey\":{\"entered\":4,\"reached\":2,\"value\":17000}");
    /* what went back before the order came: a part of e's, all of f's, and g's was cancelled */
    static const char *const early[] = { "e", "f", "g" };
    for (size_t i = 0; i < 3; i++)
        say(&house, 1, early[i], "Product Added", NULL, 0, 0);
    say(&house, 1, "e", "Order Refunded", "e", 4000, 0);
    say(&house, 1, "f", "Order Refunded", "f", 10000, 0);
    say(&house, 1, "g", "Order Cancelled", "g", 0, 0);
    for (size_t i = 0; i < 3; i++)
        say(&house, 1, early[i], "Order Paid", early[i], 10000, 0);
    look_at(&house, &look);
    expect_in(&look, "\"journey\":{\"entered\":7,\"reached\":3,\"value\":23000}");
    say(&house, 1, "e", "Order Refunded", "e", 1000, 0); /* and some more of it later */
    look_at(&house, &look);
    expect_in(&look, "\"journey\":{\"entered\":7,\"reached\":3,\"value\":22000}");
    buffer_deinit(&look.text);
    house_close(&house);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_in_the_morning_is_the_workspaces),
        cmocka_unit_test(test_j7_waits_for_the_sources_of_that_event_alone),
        cmocka_unit_test(test_j6_the_age_is_a_setting),
        cmocka_unit_test(test_goals_are_net_of_refunds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
