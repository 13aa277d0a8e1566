/* SPDX-License-Identifier: Apache-2.0 */
/* What memory does not hold: read back once for who is active, streamed for questions, for columns that are full as
 * well; a warehouse that is away holds up, and changes nothing. */
#include "audience/state.h"
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

/* ---- a tag has changed, and then events are lacking ---- */

#define LATE 40u

static void tick_in_memory(struct small_house *house, int64_t now_ms)
{
    house->now_ms = now_ms;
    house->seq++;
    assert_ok(audience_begin(house->audience, small_moment(house)));
    assert_ok(audience_tick(house->audience, small_moment(house)));
}

/* By time alone the tag 'seen' leaves them, which memory knows; what they placed long ago it does not. 'lonely' stands on the tag,
 * and comes after both. */
static void make_lonely(struct small_house *house)
{
    uint32_t customers[LATE];
    char user[32];
    int64_t then = house->now_ms - 30 * DAY_MS;
    for (unsigned person = 0; person < LATE; person++)
        customers[person] = say_order(house, "Order Placed", person, "placed", 0, then);
    small_say(house,
              &(struct small_event){ "Page Viewed", .user = "u0", .time_ms = then - DAY_MS });
    history_tidy(house->history, INT64_MAX);
    small_put_tag(house, "{\"key\":\"seen\",\"values\":[{\"value\":\"yes\",\"rule\":{\"event\":"
                         "\"Page Viewed\",\"last\":\"1d\",\"measure\":\"count\",\"gte\":1}}]}");
    small_put_segment(house, "{\"key\":\"lately\",\"rule\":{\"event\":\"Order Placed\","
                             "\"last\":\"90d\",\"measure\":\"count\",\"gte\":1}}");
    small_put_segment(house,
                      "{\"key\":\"lonely\",\"rule\":{\"not\":{\"tag\":\"seen\",\"is_set\":true}}}");
    small_put_segment(house, "{\"key\":\"alone\",\"rule\":{\"segment\":\"lonely\"}}");
    small_install(house);
    assert_int_equal(small_count(house, "alone"), LATE);
    for (unsigned person = 0; person < LATE; person++) {
        snprintf(user, sizeof user, "u%u", person);
        assert_int_equal(small_say(house, &(struct small_event){ "Page Viewed", .user = user }),
                         customers[person]);
    }
    assert_int_equal(small_count(house, "alone"), 0);
    assert_int_equal(small_count(house, "lately"), LATE);
}

static void work_until_settled(struct small_house *house, int64_t budget_us)
{
    while (audience_work(house->audience, budget_us) || due(house) > 0)
        steady_sleep_ms(due(house) > 0);
}

/* Whatever the slices are, and whether they are read back aside or at once. */
static void test_left_after_a_change(void **state)
{
    (void)state;
    for (int world = 0; world < 4; world++) {
        struct small_house house = { .with_threads = world % 2 == 1, .history_bytes_max = 1 };
        small_make(&house);
        make_lonely(&house);
        uint64_t before = house.read_back;
        tick_in_memory(&house, house.now_ms + DAY_MS + MINUTE_MS);
        work_until_settled(&house, world < 2 ? 1 : 1000000);
        assert_true(house.read_back > before); /* else nothing was lacking */
        assert_int_equal(small_count(&house, "lonely"), LATE);
        assert_int_equal(small_count(&house, "alone"), LATE);
        recount(&house);
        small_remove(&house);
    }
}

/* What waits is lost with the memory; that the tag has changed is not. */
static void test_restart_after_a_change(void **state)
{
    (void)state;
    for (int slices = 1; slices < 4; slices++) {
        struct small_house house = { .with_threads = true, .history_bytes_max = 1 };
        small_make(&house);
        make_lonely(&house);
        small_commit(&house);
        atomic_store(&house.is_held, true);
        tick_in_memory(&house, house.now_ms + DAY_MS + MINUTE_MS);
        for (int i = 0; i < slices; i++)
            audience_work(house.audience, 1);
        assert_true(small_count(&house, "alone") < LATE);
        small_commit(&house);
        atomic_store(&house.is_held, false);
        small_restart(&house);
        recount(&house);
        assert_int_equal(small_count(&house, "alone"), LATE);
        small_remove(&house);
    }
}

/* Who is settled before her columns are filled, after a start, has all that she had. */
static void test_settled_before_filled(void **state)
{
    static const char *const types[] = { "Page Viewed", "Order Placed" };
    struct small_house house = { .with_threads = true };
    struct audience_status before, after;
    (void)state;
    small_make(&house);
    uint32_t customer = 0;
    for (size_t i = 0; i < 2; i++)
        customer = small_say(
            &house,
            &(struct small_event){ .type = types[i], .user = "u1", .mobile = "+8613800000000" });
    small_put_segment(&house,
                      "{\"key\":\"known\",\"rule\":{\"any\":[{\"has\":\"mobile\"},{\"event\":"
                      "\"Page Viewed\",\"last\":\"1d\",\"measure\":\"count\",\"gte\":9}]}}");
    small_install(&house);
    assert_true(small_is_in(&house, "known", customer));
    small_restart(&house);
    audience_status(house.audience, &before);
    assert_int_equal(
        small_say(&house, &(struct small_event){ .type = "Order Placed", .user = "u1" }), customer);
    audience_status(house.audience, &after);
    assert_int_equal(after.changes, before.changes); /* she has not left and come back */
    assert_true(small_is_in(&house, "known", customer));
    small_restart(&house);
    recount(&house);
    small_remove(&house);
}

/* An install that finds nothing computed ahead judges everybody itself: by memory, then by what is read back. */
static void test_install_after_a_change(void **state)
{
    (void)state;
    struct small_house house = { .history_bytes_max = 1 };
    small_make(&house);
    make_lonely(&house);
    small_put_tag(&house, "{\"key\":\"seen\",\"values\":[{\"value\":\"yes\",\"rule\":{\"event\":"
                          "\"Page Viewed\",\"last\":\"1d\",\"measure\":\"count\",\"gte\":5}}]}");
    small_put_segment(&house, "{\"key\":\"lately\",\"rule\":{\"event\":\"Order Placed\","
                              "\"last\":\"80d\",\"measure\":\"count\",\"gte\":1}}");
    uint64_t before = house.read_back;
    small_install(&house);
    assert_true(house.read_back > before);
    assert_int_equal(small_count(&house, "alone"), LATE);
    recount(&house);
    small_remove(&house);
}

static char *wait_for_result(struct small_house *house)
{
    char *text = NULL;
    for (int i = 0; i < 20000 && text == NULL; i++) {
        audience_work(house->audience, 2000);
        pthread_mutex_lock(&house->mutex);
        if (house->submitted_count > 0)
            text = house->submitted[--house->submitted_count];
        pthread_mutex_unlock(&house->mutex);
        steady_sleep_ms(text == NULL);
    }
    assert_non_null(text);
    return text;
}

static void say_mobile(struct small_house *house, unsigned person)
{
    char user[32], mobile[32];
    snprintf(user, sizeof user, "u%u", person);
    snprintf(mobile, sizeof mobile, "+86138%08u", person);
    small_say(house, &(struct small_event){ "Page Viewed", .user = user, .mobile = mobile });
}

/* Who is to be judged anew in full, and waits for her rows, is so after a restart as well. */
static void test_restart_before_rejudged(void **state)
{
    (void)state;
    struct small_house house = { .with_threads = true, .history_bytes_max = 1 };
    small_make(&house);
    make_lonely(&house);
    say_mobile(&house, 0);
    small_put_segment(&house, "{\"key\":\"reached\",\"rule\":{\"has\":\"mobile\"}}");
    char *result = wait_for_result(&house);
    for (unsigned person = 1; person < LATE; person++)
        say_mobile(&house, person);
    history_tidy(house.history, INT64_MAX);
    atomic_store(&house.is_held, true);
    assert_ok(small_command(&house, audience_install, result, NULL));
    free(result);
    for (int i = 0; i < 1000 && !roaring_bitmap_is_empty(house.audience->rejudge); i++)
        audience_work(house.audience, 1000);
    assert_true(recall_is_rejudging(house.audience));
    assert_int_equal(small_count(&house, "reached"), 1);
    small_commit(&house);
    atomic_store(&house.is_held, false);
    small_restart(&house);
    recount(&house);
    assert_int_equal(small_count(&house, "reached"), LATE);
    small_remove(&house);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_column),
        cmocka_unit_test(test_read_back_once),
        cmocka_unit_test(test_warehouse_is_away),
        cmocka_unit_test(test_warehouse_is_slow),
        cmocka_unit_test(test_left_after_a_change),
        cmocka_unit_test(test_restart_after_a_change),
        cmocka_unit_test(test_install_after_a_change),
        cmocka_unit_test(test_settled_before_filled),
        cmocka_unit_test(test_restart_before_rejudged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
