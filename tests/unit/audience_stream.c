/* SPDX-License-Identifier: Apache-2.0 */
/* What memory does not hold: read back once for who is active, streamed for questions, for columns that are full as
 * well; a warehouse that is away holds up, and changes nothing. */
#include "unit/audience_house.h"

#if defined(__SANITIZE_THREAD__)
#define PEOPLE 120 /* enough for every window here; each access is watched */
#else
#define PEOPLE 300
#endif
#define ORDERS 60 /* that are only placed: their numbers fill the column */
/* However many people there are, the numbers of their orders are more than a column's least room, a megabyte. */
#define DIGITS ((1 << 20) / (PEOPLE * ORDERS) + 1)

static uint64_t preview(struct small_house *house, const char *body)
{
    struct audience_question *question = NULL;
    struct buffer out;
    json_value json;
    bool ready = false;
    buffer_init(&out, 1 << 20);
    while (!ready) {
        assert_ok(json_parse(house->parser, str_from_c(body), &json, &house->problem));
        assert_ok(audience_question_begin(house->audience, AUDIENCE_PREVIEW, STR_NONE, json, &ready,
                                          &question, &house->problem));
        audience_work(house->audience, 1000000);
    }
    assert_ok(audience_question_run(question, 1000000, NULL, &out));
    audience_question_free(&question);
    assert_ok(json_parse(house->parser, buffer_str(&out), &json, &house->problem));
    assert_false(json_bool(json_get(json, STR("partial")), true));
    uint64_t count = (uint64_t)json_int(json_get(json, STR("count")), -1);
    buffer_deinit(&out);
    return count;
}

static uint32_t say_order(struct small_house *house, const char *type, unsigned person,
                          const char *kind, unsigned order, int64_t time_ms)
{
    char user[32], id[DIGITS + 32];
    snprintf(user, sizeof user, "u%u", person);
    snprintf(id, sizeof id, "%s-%06u-%0*u", kind, person, DIGITS, order);
    return small_say(
        house, &(struct small_event){
                   .type = type, .user = user, .order = id, .revenue = 1000, .time_ms = time_ms });
}

/* Every third has paid two orders; of those the even ones cancelled one. */
static uint32_t live_a_while(struct small_house *house, uint32_t customers[PEOPLE])
{
    uint32_t kept = 0;
    for (unsigned person = 0; person < PEOPLE; person++) {
        int64_t then = house->now_ms - (int64_t)(person + 30) * DAY_MS;
        for (unsigned order = 0; order < ORDERS; order++)
            customers[person] = say_order(house, "Order Placed", person, "placed", order, then);
        for (unsigned order = 0; order < person % 3; order++)
            say_order(house, "Order Paid", person, "paid", order, then + (int64_t)order);
        if (person % 3 == 2 && person % 2 == 0)
            say_order(house, "Order Cancelled", person, "paid", 0, then + MINUTE_MS);
        kept += person % 3 == 2 && person % 2 == 1;
    }
    return kept;
}

#define NET_TWO "{\"event\":\"Order Paid\",\"net\":true,\"measure\":\"count\",\"gte\":2}"

static void recount(struct small_house *house)
{
    struct audience_recount_result result;
    assert_ok(audience_recount(house->audience, house->now_ms, false, &result));
    if (result.defects != 0)
        fail_msg("%s", result.first);
}

static void test_full_column(void **state)
{
    (void)state;
    for (int threads = 0; threads < 2; threads++) {
        struct small_house house = { .with_threads = threads == 1, .history_bytes_max = 1 };
        uint32_t customers[PEOPLE];
        small_make(&house);
        uint32_t kept = live_a_while(&house, customers);
        assert_int_equal(preview(&house, "{\"rule\":" NET_TWO "}"), kept);
        history_column column = history_column_find(house.history, STR("order_id"), COLUMN_TEXT);
        assert_true(history_column_is_full(house.history, column));
        small_put_segment(&house, "{\"key\":\"twice\",\"rule\":" NET_TWO "}");
        small_install(&house);
        assert_int_equal(small_count(&house, "twice"), kept);
        /* live: one who had one order pays another, and takes it back */
        assert_false(small_is_in(&house, "twice", customers[1]));
        say_order(&house, "Order Paid", 1, "new", 0, house.now_ms);
        assert_true(small_is_in(&house, "twice", customers[1]));
        say_order(&house, "Order Cancelled", 1, "new", 0, house.now_ms);
        assert_false(small_is_in(&house, "twice", customers[1]));
        recount(&house);
        small_remove(&house);
    }
}

static void test_read_back_once(void **state)
{
    (void)state;
    struct small_house house = { .history_bytes_max = 1 };
    uint32_t customers[PEOPLE];
    small_make(&house);
    live_a_while(&house, customers);
    small_put_segment(&house, "{\"key\":\"often\",\"rule\":{\"event\":\"Order Placed\","
                              "\"measure\":\"count\",\"gte\":61}}");
    small_install(&house);
    history_tidy(house.history, INT64_MAX);
    assert_int_equal(history_event_count(house.history), 0);
    assert_int_equal(small_count(&house, "often"), 0);
    uint64_t before = house.read_back;
    say_order(&house, "Order Placed", 7, "new", 0, house.now_ms);
    assert_true(small_is_in(&house, "often", customers[7]));
    assert_int_equal(house.read_back - before, ORDERS + 1 + 1); /* she has paid one, too */
    /* her past is in memory again: nothing is asked for the next */
    before = house.read_back;
    say_order(&house, "Order Placed", 7, "new", 1, house.now_ms);
    assert_int_equal(house.read_back, before);
    assert_true(history_event_count(house.history) >= ORDERS + 2);
    assert_ok(history_check(house.history, &house.problem));
    recount(&house);
    small_remove(&house);
}

static void test_warehouse_is_away(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = true, .history_bytes_max = 1 };
    uint32_t customers[PEOPLE];
    small_make(&house);
    uint32_t kept = live_a_while(&house, customers);
    history_tidy(house.history, INT64_MAX);
    atomic_store(&house.refusals, 1);
    small_put_segment(&house, "{\"key\":\"twice\",\"rule\":" NET_TWO "}");
    small_install(&house); /* refused once, then begun again */
    assert_int_equal(small_count(&house, "twice"), kept);
    recount(&house);
    small_remove(&house);
}

static uint64_t due(struct small_house *house)
{
    struct audience_status status;
    audience_status(house->audience, &status);
    return status.due_pending;
}

/* S8: whom time moves, and of whom events are not in memory, are read back aside. Nothing waits for it, and nothing is lost. */
static void test_warehouse_is_slow(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = true, .history_bytes_max = 1 };
    uint32_t customers[PEOPLE];
    small_make(&house);
    live_a_while(&house, customers);
    history_tidy(house.history, INT64_MAX);
    small_put_segment(&house, "{\"key\":\"lately\",\"rule\":{\"event\":\"Order Placed\","
                              "\"last\":\"90d\",\"measure\":\"count\",\"gte\":1}}");
    small_install(&house);
    assert_int_equal(small_count(&house, "lately"), 60); /* 30 to 89 days ago */
    atomic_store(&house.is_held, true);
    atomic_store(&house.asked_now, 0);
    atomic_store(&house.asked_aside, 0);
    small_tick(&house, house.now_ms + 20 * DAY_MS);
    assert_int_equal(house.asked_now, 0);
    assert_true(due(&house) >= 20);
    assert_true(audience_is_settling(house.audience));
    /* meanwhile somebody new comes, and somebody old, who is settled before she is judged */
    uint32_t fresh = say_order(&house, "Order Placed", PEOPLE + 1, "new", 0, house.now_ms);
    assert_true(small_is_in(&house, "lately", fresh));
    uint64_t waiting = due(&house);
    assert_int_equal(say_order(&house, "Page Viewed", 55, "new", 0, house.now_ms), customers[55]);
    assert_false(small_is_in(&house, "lately", customers[55]));
    assert_int_equal(due(&house), waiting - 1);
    while (atomic_load(&house.asked_aside) == 0) {
        audience_work(house.audience, 1000);
        steady_sleep_ms(1);
    }
    atomic_store(&house.is_held, false);
    while (due(&house) > 0) {
        audience_work(house.audience, 1000);
        steady_sleep_ms(1);
    }
    assert_int_equal(small_count(&house, "lately"), 41);
    recount(&house);
    /* The next tick takes back who waits still, and finishes them. */
    atomic_store(&house.is_held, true);
    small_tick(&house, house.now_ms + 10 * DAY_MS);
    assert_true(due(&house) >= 10);
    atomic_store(&house.is_held, false);
    assert_ok(audience_settle(house.audience, house.now_ms));
    assert_int_equal(due(&house), 0);
    assert_int_equal(small_count(&house, "lately"), 31);
    recount(&house);
    small_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_column),
        cmocka_unit_test(test_read_back_once),
        cmocka_unit_test(test_warehouse_is_away),
        cmocka_unit_test(test_warehouse_is_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
