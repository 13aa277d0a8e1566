/* SPDX-License-Identifier: Apache-2.0 */
/* Visitors leave memory after 90 days without an event and come back with the next one, as a function of the log: a
 * restart, a rebuild and another cut of the same records give the same. */
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "engine/state.h"
#include "support/engine_house.h"

#define VISITORS 120u

static uint64_t message;

static void says(struct house *house, struct saying saying)
{
    saying.message = ++message;
    assert_ok(house_send(house, &saying, 1));
}

static void visits(struct house *house, uint32_t number, const char *user)
{
    char anonymous[16], props[40];
    snprintf(anonymous, sizeof anonymous, "a%u", number);
    snprintf(props, sizeof props, "{\"page\":\"p%u\"}", number % 7);
    says(house, (struct saying){ .anonymous = anonymous,
                                 .user = user,
                                 .after_ms = wall_clock_now_ms(&house->clock) - HOUSE_START_MS,
                                 .name = number % 3 == 0 ? "visitor" : NULL,
                                 .props = props });
}

static void pass_days(struct house *house, int days)
{
    wall_clock_advance(&house->clock, days * DAY_MS);
    assert_ok(engine_tick(house->engine));
    assert_ok(engine_settle(house->engine, false, 60000));
}

/* Three months of one house: 120 visitors, of whom some sign in, some buy, some come every month. */
static void live(struct house *house)
{
    for (uint32_t i = 0; i < VISITORS; i++) {
        visits(house, i, NULL);
        visits(house, i, NULL);
    }
    visits(house, 1, "ann");
    says(house, (struct saying){
                    .anonymous = "a2", .type = "Order Paid", .order_id = "o-2", .revenue = 1200 });
    for (int month = 0; month < 3; month++) {
        pass_days(house, 29);
        visits(house, 3, NULL);
    }
    pass_days(house, 5);
}

struct looking {
    struct engine_question question;
    struct engine *engine;
    uint32_t left, customers;
    size_t bytes;
    uint64_t events;
};

static void look_at(const struct engine_state *state, struct engine_question *question)
{
    struct looking *looking = queue_entry(question, struct looking, question);
    (void)state;
    looking->left = identity_left_count(looking->engine->identity);
    looking->customers = identity_customer_count(looking->engine->identity);
    looking->events = history_event_count(looking->engine->history);
}

static struct looking look(struct house *house)
{
    struct looking looking = { .question = { .ask = look_at }, .engine = house->engine };
    assert_ok(engine_settle(house->engine, false, 60000));
    assert_ok(engine_ask_wait(house->engine, &looking.question));
    return looking;
}

/* Leaves, comes back as the same customer with all that she did; who is known, bought or was here stays. */
static void leave_and_come_back(bool with_warehouse)
{
    struct house house;
    struct profile_summary before, after;
    message = 0;
    house_make(&house);
    house_open(&house, with_warehouse);
    for (uint32_t i = 0; i < VISITORS; i++)
        visits(&house, i, NULL);
    uint32_t tenth = house_customer(&house, "anonymous_id", "a10", &before);
    assert_true(tenth != 0);
    house_close(&house);
    house_remove(&house);

    message = 0;
    house_make(&house);
    house_open(&house, with_warehouse);
    live(&house);
    struct looking gone = look(&house);
    assert_int_equal(gone.left, VISITORS - 3); /* ann, who bought, who came every month */
    assert_int_equal(gone.customers, 3);
    assert_int_equal(house_customer(&house, "anonymous_id", "a10", NULL), 0);
    assert_true(house_customer(&house, "user_id", "ann", NULL) != 0);
    if (with_warehouse)
        assert_ok(engine_settle(house.engine, true, 60000));
    house_assert_reopens_same(&house, with_warehouse);
    assert_int_equal(look(&house).left, VISITORS - 3);

    visits(&house, 10, NULL);
    assert_int_equal(house_customer(&house, "anonymous_id", "a10", &after), tenth);
    assert_int_equal(after.events, 3);
    assert_int_equal(after.first_seen_ms, before.first_seen_ms);
    visits(&house, 12, "lin"); /* signs in as she comes back */
    assert_int_equal(house_customer(&house, "user_id", "lin", &after),
                     house_customer(&house, "anonymous_id", "a12", NULL));
    assert_int_equal(after.events, 3);
    struct looking back = look(&house);
    assert_int_equal(back.left, VISITORS - 5);
    assert_int_equal(back.events, gone.events + 6);
    house_assert_reopens_same(&house, with_warehouse);
    pass_days(&house, 95);
    assert_int_equal(look(&house).left,
                     VISITORS - 3); /* she went again, and so did who came every month */
    house_assert_reopens_same(&house, with_warehouse);
    house_assert_rebuilds_same(&house);
    house_remove(&house);
}

static void test_without_a_warehouse(void **state)
{
    (void)state;
    leave_and_come_back(false);
}

static void test_with_a_warehouse(void **state)
{
    (void)state;
    leave_and_come_back(true);
}

static void test_nobody_leaves_when_it_is_set_so(void **state)
{
    (void)state;
    struct house house;
    message = 0;
    house_make(&house);
    house_open(&house, false);
    house_command(&house, "setting.put", "{\"key\":\"visitors.days\",\"value\":-4}", 422, NULL);
    house_command(&house, "setting.put", "{\"key\":\"visitors.days\",\"value\":0}", 200, NULL);
    live(&house);
    assert_int_equal(look(&house).left, 0);
    house_assert_reopens_same(&house, false);
    pass_days(&house, 1);
    assert_int_equal(look(&house).left, 0);
    house_command(&house, "setting.put", "{\"key\":\"visitors.days\",\"value\":30}", 200, NULL);
    pass_days(&house, 1);
    assert_int_equal(look(&house).left, VISITORS - 3);
    house_close(&house);
    house_remove(&house);
}

/* An event that lay on a phone for months: she leaves and comes back within one block of the log. */
static void test_within_one_block(void **state)
{
    (void)state;
    struct house house;
    struct buffer records;
    message = 0;
    house_make(&house);
    house_open(&house, false);
    visits(&house, 1, NULL);
    wall_clock_advance(&house.clock, 100 * DAY_MS);
    buffer_init(&records, 1 << 20);
    struct saying late = { .message = ++message, .anonymous = "a1", .after_ms = 1000 };
    house_say(&house, &records, &late);
    log_record_write(&records, LOG_RECORD_TICK, STR_NONE);
    late.message = ++message;
    late.after_ms = 2000;
    house_say(&house, &records, &late);
    assert_ok(house_send_records(&house, buffer_str(&records), 3));
    struct profile_summary summary;
    assert_true(house_customer(&house, "anonymous_id", "a1", &summary) != 0);
    assert_int_equal(summary.events, 3);
    assert_int_equal(look(&house).events, 3);
    house_assert_reopens_same(&house, false);
    buffer_deinit(&records);
    house_close(&house);
    house_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_warehouse),
        cmocka_unit_test(test_with_a_warehouse),
        cmocka_unit_test(test_nobody_leaves_when_it_is_set_so),
        cmocka_unit_test(test_within_one_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
