/* SPDX-License-Identifier: Apache-2.0 */
/* P9: visitors who are too old go for good, from memory and those who have left it, as a function of the log; who came back
 * meanwhile stays, and nobody is kept from coming as somebody new. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/state.h"
#include "support/engine_house.h"

#define VISITORS 12u

static uint64_t message;

static void visits(struct house *house, uint32_t number, const char *user)
{
    char anonymous[16];
    snprintf(anonymous, sizeof anonymous, "a%u", number);
    struct saying saying = { .message = ++message,
                             .anonymous = anonymous,
                             .user = user,
                             .after_ms = wall_clock_now_ms(&house->clock) - HOUSE_START_MS };
    assert_ok(house_send(house, &saying, 1));
}

static void pass_days(struct house *house, int days)
{
    wall_clock_advance(&house->clock, days * DAY_MS);
    assert_ok(engine_tick(house->engine));
    assert_ok(engine_settle(house->engine, false, 60000));
}

static uint32_t customer_of(struct house *house, uint32_t number)
{
    char anonymous[16];
    snprintf(anonymous, sizeof anonymous, "a%u", number);
    return house_customer(house, "anonymous_id", anonymous, NULL);
}

static void begin(struct house *house, int days)
{
    char body[80];
    snprintf(body, sizeof body, "{\"policy\":{\"visitors\":%d}}", days);
    house_command(house, "retention.begin", body, 200, NULL);
    house_command(house, "retention.begin", body, 409, NULL); /* one at a time */
}

static void drop(struct house *house, const uint32_t *nodes, size_t count)
{
    struct buffer body;
    buffer_init(&body, 65536);
    buffer_append_str(&body, STR("{\"number\":1,\"visitors\":["));
    for (size_t i = 0; i < count; i++)
        buffer_printf(&body, "%s%u", i > 0 ? "," : "", nodes[i]);
    buffer_append_str(&body, STR("]}"));
    buffer_append_byte(&body, 0);
    house_command(house, "retention.drop", body.data, 200, NULL);
    buffer_deinit(&body);
}

struct run_look {
    struct engine_question question;
    struct engine *engine;
    uint64_t taken;
    uint32_t number;
};

static void look_at_run(const struct engine_state *state, struct engine_question *question)
{
    struct run_look *look = queue_entry(question, struct run_look, question);
    (void)state;
    look->taken = look->engine->jobs.expiry.taken[RETENTION_VISITORS];
    look->number = look->engine->jobs.expiry.number;
}

static struct run_look look_at(struct house *house)
{
    struct run_look look = { .question = { .ask = look_at_run }, .engine = house->engine };
    assert_ok(engine_ask_wait(house->engine, &look.question));
    return look;
}

/* `passed` days after their visits: some of them leave memory after 90. */
static void go_after(int passed)
{
    struct house house;
    uint32_t nodes[VISITORS];
    message = 0;
    house_make(&house);
    house_open(&house, false);
    for (uint32_t i = 0; i < VISITORS; i++)
        visits(&house, i, i == 1 ? "ann" : NULL);
    for (uint32_t i = 0; i < VISITORS; i++)
        nodes[i] = customer_of(&house, i);
    assert_true(nodes[0] != 0 && nodes[1] != 0);
    pass_days(&house, passed);
    visits(&house, 2, NULL); /* she is here again */
    begin(&house, 30);
    house_assert_reopens_same(&house, false); /* a run that is under way goes on */
    assert_int_equal(look_at(&house).number, 1);
    drop(&house, nodes, VISITORS);
    assert_int_equal(look_at(&house).taken, VISITORS - 2);
    drop(&house, nodes, VISITORS); /* again, as after a crash */
    assert_int_equal(look_at(&house).taken, VISITORS - 2);
    house_command(&house, "retention.finish", "{\"number\":1}", 200, NULL);
    house_command(&house, "retention.finish", "{\"number\":1}", 409, NULL);
    assert_int_equal(look_at(&house).number, 0);
    assert_int_equal(customer_of(&house, 0), 0);
    assert_int_equal(customer_of(&house, 1), nodes[1]);
    assert_int_equal(customer_of(&house, 2), nodes[2]);
    house_assert_reopens_same(&house, false);
    visits(&house, 5, NULL); /* no tombstone keeps her out, and she is nobody whom we knew */
    assert_ok(engine_settle(house.engine, false, 60000));
    uint32_t anew = customer_of(&house, 5);
    assert_true(anew != 0 && anew != nodes[5]);
    house_assert_rebuilds_same(&house);
    house_remove(&house);
}

static void test_p9_visitors_in_memory_go(void **state)
{
    (void)state;
    go_after(45);
}

static void test_p9_visitors_who_left_memory_go(void **state)
{
    (void)state;
    go_after(120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_p9_visitors_in_memory_go),
        cmocka_unit_test(test_p9_visitors_who_left_memory_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
